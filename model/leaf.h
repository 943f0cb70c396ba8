/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * leaf.h - the queue of a class, in tc's own words.
 *
 *     sfq perturb 10 or fq_codel target 5ms or pfifo limit 127
 *
 * The first alternative that the kernel has is taken. One table says which
 * kinds there are, what can be said about each, what the kernel takes where
 * nothing is said, and how backends/tc/ is to write it. A value is held as the
 * rest of the model holds it (bit/s, bytes, us; perturb in seconds); words that
 * stand alone (nat, ecn, diffserv4) are values of the option they belong to.
 */
#ifndef MODEL_LEAF_H
#define MODEL_LEAF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/base/err.h"
#include "model/base/mem.h"
#include "model/value.h"

/* Most options that a kind has; a set of them is one bit each. */
#define LEAF_OPTIONS 16

enum leaf_form {
	LEAF_NUMBER,
	LEAF_SIGNED,  /* held as int64_t */
	LEAF_MASK,    /* a number, printed as 0xff */
	LEAF_SIZE,    /* bytes */
	LEAF_RATE,    /* bit/s */
	LEAF_TIME,    /* us */
	LEAF_SECONDS, /* s */
	LEAF_WORDS,   /* one of the kind's words, each with its own value */
};

/* What the kernel takes where nothing is said. */
enum leaf_standard {
	LEAF_CONSTANT,	   /* the option's standard */
	LEAF_PACKETS_LONG, /* that many packets of the device's full size */
	LEAF_QUEUE_LONG,   /* packets: the device's txqueuelen */
	LEAF_QUEUE_BYTES,  /* bytes: txqueuelen packets of full size */
	LEAF_NOTHING,	   /* must be given, or follows from others */
};

/* How the kernel is told: TCA_OPTIONS holds one struct of 32-bit fields, or
 * attributes. */
enum leaf_shape {
	LEAF_FIFO, /* struct tc_fifo_qopt */
	LEAF_SFQ,  /* struct tc_sfq_qopt_v1 */
	LEAF_TBF,  /* attributes around struct tc_tbf_qopt */
	LEAF_ATTRIBUTES,
};
enum leaf_code {
	LEAF_U32,    /* as it is */
	LEAF_U8,     /* as it is */
	LEAF_RATE32, /* byte/s */
	LEAF_RATE64, /* byte/s */
	LEAF_CODEL,  /* us; kept in units of 1,024 ns */
	LEAF_JIFFY,  /* us; kept in jiffies, rounded up */
	LEAF_LOG2,
	LEAF_RTT,     /* us; a target of a twentieth goes with it */
	LEAF_PRESENT, /* 1: the attribute is there, which makes the option
		       * before it not count; 0 when that one is given */
};

enum leaf_flags {
	LEAF_AT_BIRTH = 1 << 0, /* the kernel does not change it later */
	LEAF_REQUIRED = 1 << 1,
	LEAF_POWER_OF_2 = 1 << 2,
	LEAF_NAMED = 1 << 3,	  /* of words: `linklayer atm`, not `atm` */
	LEAF_WITH_FIRST = 1 << 4, /* said whenever the first option is */
};

struct leaf_option {
	const char *name; /* as tc writes it, in front of the value */
	enum leaf_form form;
	uint64_t min, max; /* max 0: no limit */
	enum leaf_standard from;
	uint64_t standard;
	enum leaf_code code;
	uint16_t at; /* TCA_ number, or offset in the struct */
	unsigned flags;
	const char *example;
	const char *help;
};

/* A word that stands in for values (atm, docsis) or for a name (buffer). */
struct leaf_word {
	const char *name;
	const char *help;
	bool alias; /* another name of sets[0].option, whose value follows */
	struct {
		uint8_t option; /* index */
		int32_t value;
	} sets[3];
	uint8_t count; /* of sets */
};

struct leaf_kind {
	const char *name;
	const char *help;
	const char *config;	    /* CONFIG_NET_SCH_SFQ */
	const char *module;	    /* sch_sfq; NULL: always there */
	const char *const *nearest; /* what does most of the same, NULL last */
	enum leaf_shape shape;
	const struct leaf_option *options;
	size_t option_count;
	const struct leaf_word *words;
	size_t word_count;
	/* NULL: what the rows say is all that there is to check. Takes one
	 * alternative whose options are read. */
	int (*check)(uint32_t given, const uint64_t *value, struct err *err);
};

/* One alternative. */
struct leaf_item {
	const struct leaf_kind *kind;
	uint32_t given; /* a bit for each option that was given */
	uint64_t value[LEAF_OPTIONS];
};

struct leaf {
	size_t count, room;
	struct leaf_item *item; /* owned */
};

/* EINVAL for what cannot be read, ERANGE for what is out of bounds; the
 * sentence names the word and what is possible. */
int leaf_parse(const char *text, struct leaf **out, struct err *err);
/* Canonical: options in the order of the table, each by its shortest word. */
void leaf_print(const struct leaf *leaf, struct text *out);
/* Also of what was read: a value that nobody can give, and that the kernel has
 * where nothing was given, is `default`, or no-WORD. */
void leaf_item_print(const struct leaf_item *item, struct text *out);
void leaf_free(struct leaf *leaf);
AUTO_DEFINE(leaf, struct leaf *, leaf_free)

/* NULL: none of that name. */
const struct leaf_kind *leaf_kind(const char *name);
/* Ends with an entry without a name. */
extern const struct leaf_kind leaf_kinds[];

/* A setting of this type holds the canonical text. */
extern const struct type type_leaf;

/* Options of tbf, which the driver has to work out by hand. */
enum tbf_option {
	TBF_RATE,
	TBF_BURST,
	TBF_LIMIT,
	TBF_LATENCY,
	TBF_PEAKRATE,
	TBF_MTU,
	TBF_MPU,
	TBF_OVERHEAD,
	TBF_LINKLAYER,
};
/* Those of sfq that bound each other in the kernel. */
enum sfq_option {
	SFQ_LIMIT,
	SFQ_PERTURB,
	SFQ_QUANTUM,
	SFQ_DIVISOR,
	SFQ_FLOWS,
	SFQ_DEPTH,
	SFQ_HEADDROP,
};

#endif
