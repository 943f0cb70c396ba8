/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * named.h - numbers that have names: protocols, code points, flags.
 *
 * Names are read in any case. Where two rows have the same number, the first
 * one's name is written and offered.
 */
#ifndef MODEL_TYPES_NAMED_H
#define MODEL_TYPES_NAMED_H

#include <stdint.h>

struct candidates;
struct err;
struct text;
struct value;

struct named {
	const char *name;
	unsigned number;
	const char *help;
};

/* Tables end with a NULL name. */
const struct named *named_find(const struct named *table, const char *name);
/* NULL: this number has no name. */
const char *named_word(const struct named *table, uint64_t number);
/* Reads a name, or a number 0 to max. what is for messages: "protocol". */
int named_parse(const struct named *table, uint64_t max, const char *what,
		const char *text, struct value *out, struct err *err);
void named_print(const struct named *table, uint64_t number, struct text *out);
/* "tcp, udp, icmp" */
void named_list(const struct named *table, struct text *out);
/* separators: see offer_item(); "" where there is no list. */
void named_complete(const struct named *table, const char *prefix,
		    const char *separators, struct candidates *to);

#endif
