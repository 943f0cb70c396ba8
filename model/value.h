/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * value.h - the value of one setting, and the types that values have.
 *
 * A type is a row: how its text is read, how a value is written, how two are
 * compared, what TAB offers. A rate or a prefix is read in exactly one place,
 * model/types/. What print() writes, parse() reads back to an equal value, and
 * it is the canonical form: one value, one text.
 *
 * A setting may also take a word in place of its type's values
 * (`gateway=none`); the words stand in the setting's row (kind.h) and are
 * handled by value_parse() for every type alike. The word `auto` is not a
 * value: it means "unset, Tresse chooses", see node.h.
 */
#ifndef MODEL_VALUE_H
#define MODEL_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/base/err.h"
#include "model/base/text.h"

struct attr;

struct prefix {
	uint8_t family;	   /* AF_INET or AF_INET6 */
	uint8_t length;	   /* bits; 32 or 128 for a single address */
	uint8_t bytes[16]; /* network order; 4 used for AF_INET */
};

struct range {
	uint32_t from, to; /* both included */
};

/* Sorted, merged, without duplicates. */
struct ranges {
	size_t count;
	struct range item[];
};

/* Sorted by family, address, length; without duplicates. */
struct prefixes {
	size_t count;
	struct prefix item[];
};

struct bits {
	uint32_t value, mask;
};

struct value {
	/* 1 + index into attr->words when such a word was given, else 0; the
	 * union is then unused. */
	uint8_t word;
	union {
		/* bool 0/1 · number · rate bit/s · size bytes · duration us ·
		 * percent in 1/100 % · enum index · classid major<<16|minor ·
		 * dscp 0..63 · proto 0..255 */
		uint64_t u;
		struct bits bits;      /* mark, tcp-flags */
		struct prefix prefix;  /* address, prefix */
		char *text;	       /* owned: text, name, ref, leaf, ... */
		struct ranges *ranges; /* owned: ports, uids, lengths */
		struct prefixes *prefixes; /* owned: list of prefixes */
	};
};

struct choice {
	const char *name;
	const char *help;
};

/* TAB asks; a type (or a reference) answers with candidates. */
struct candidates {
	void (*offer)(struct candidates *to, const char *text,
		      const char *help);
};

struct type {
	const char *name; /* as help writes it: rate */
	const char *
		hint; /* what may be written: "10mbit, 768kbit (kbit = 1000)" */

	/* Reads the whole of text. On failure *out is untouched and err says
	 * what is wrong with the text and what would be right, without path
	 * and setting, which the caller puts in front. Code EINVAL for what
	 * cannot be read, ERANGE for what is out of bounds. */
	int (*parse)(const struct attr *attr, const char *text,
		     struct value *out, struct err *err);
	void (*print)(const struct attr *attr, const struct value *value,
		      struct text *out);
	/* NULL: the whole union is compared through print(). */
	bool (*equal)(const struct value *a, const struct value *b);
	/* NULL: nothing owned. */
	void (*clear)(struct value *value);
	/* *to is overwritten. NULL: assigned, or, where clear() is given,
	 * printed and read again. */
	void (*copy)(const struct value *from, struct value *to);
	/* NULL: no candidates of its own. prefix is what is typed so far. */
	void (*complete)(const struct attr *attr, const char *prefix,
			 struct candidates *to);
	/* JSON writes the number u instead of the text. */
	bool is_number;
	/* JSON writes true or false. */
	bool is_bool;
};

/* The following handle attr->words and then ask attr->type. */
int value_parse(const struct attr *attr, const char *text, struct value *out,
		struct err *err);
void value_print(const struct attr *attr, const struct value *value,
		 struct text *out);
bool value_equal(const struct attr *attr, const struct value *a,
		 const struct value *b);
void value_clear(const struct attr *attr, struct value *value);
void value_copy(const struct attr *attr, const struct value *from,
		struct value *to);
/* Candidates for a value of attr that begins with prefix: words, then type. */
void value_complete(const struct attr *attr, const char *prefix,
		    struct candidates *to);

/* model/types/, one row each. In brackets what `struct value` holds. */
extern const struct type
	type_bool; /* yes no (u); reads true/false/on/off/1/0 too */
extern const struct type type_number; /* decimal, attr->min..max (u) */
extern const struct type
	type_rate; /* as tc writes it, kbit = 1000 (u, bit/s) */
extern const struct type
	type_size; /* as tc writes it, k = 1024: 5k, 1600, 10kb (u, bytes) */
extern const struct type type_duration; /* us ms s min h d (u, us) */
extern const struct type type_percent;	/* 12.5% (u, 1/100 %) */
extern const struct type type_enum;	/* attr->choices (u, index) */
extern const struct type
	type_text; /* any UTF-8 without control characters (text) */
extern const struct type
	type_ifname; /* a device, dev_valid_name() of net/core/dev.c (text) */
extern const struct type type_address; /* IPv4 or IPv6; attr->family limits
					  (prefix, full length) */
extern const struct type
	type_prefix; /* address/length, host bits kept: 192.0.2.2/24 (prefix) */
extern const struct type
	type_prefixes; /* list of networks, comma separated (prefixes) */
extern const struct type
	type_ports; /* 53,123,161-162, also by service name (ranges) */
extern const struct type type_lengths; /* 40-84 (ranges, one) */
extern const struct type type_uid;   /* numbers, ranges, user names (ranges) */
extern const struct type type_gid;   /* numbers, ranges, group names (ranges) */
extern const struct type type_proto; /* tcp udp icmp ... or 0..255 (u) */
extern const struct type type_dscp;  /* ef af41 cs1 or 0..63 (u) */
extern const struct type
	type_mark; /* 10, 0xa, 10/0xff (bits; mask ~0 when left out) */
extern const struct type type_classid;	/* hexadecimal major:minor (u) */
extern const struct type type_tcpflags; /* value/mask: ack/urg,ack,psh (bits) */
extern const struct type type_cgroup; /* path below the cgroup2 mount (text) */
extern const struct type type_hostname; /* of a host, in lower case (text) */
extern const struct type type_span;	/* 20000-20999 (ranges, one) */
extern const struct type type_shards;	/* 2-21, numbers of HTBs (ranges) */
extern const struct type type_key;	/* 32 bytes in base64 (text) */
extern const struct type type_endpoint; /* HOST:PORT (text) */
extern const struct type
	type_ref; /* a name; attr->refers says of what (text) */

/* Is this good as an object's name? Letters, digits and . _ : + -, beginning
 * with a letter, digit or _, at most 63 bytes; EINVAL and a sentence if not. */
int name_check(const char *name, struct err *err);

/* Prints bit/s, bytes or us the way the types do; for messages. */
void rate_print(uint64_t bit_per_s, struct text *out);
void size_print(uint64_t bytes, struct text *out);
void duration_print(uint64_t us, struct text *out);

#endif
