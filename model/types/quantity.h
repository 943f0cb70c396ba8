/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * quantity.h - a number with a unit: 1.5mbit, 5k, 10ms, 12.5%.
 *
 * Decimals are read exactly: what is not a whole number of the base unit, or
 * does not fit 64 bit, is refused, never rounded.
 */
#ifndef MODEL_TYPES_QUANTITY_H
#define MODEL_TYPES_QUANTITY_H

#include <stdbool.h>
#include <stdint.h>

struct attr;
struct err;
struct text;
struct value;

struct scale {
	const char *name; /* "" for a bare number; case does not matter */
	uint64_t times;
	bool prints; /* used by quantity_print(); largest first,
		      * 1 last */
};

struct quantity {
	const struct scale *scales; /* ends with a NULL name */
	const char *units;	    /* for messages: "us, ms, s" */
	const char *base;	    /* for messages: "bit/s" */
	const char *example;
	void (*print)(uint64_t u, struct text *out);
};

/* As a type's parse(), bounds included. 0 needs no unit. */
int quantity_parse(const struct quantity *quantity, const struct attr *attr,
		   const char *text, struct value *out, struct err *err);
/* With the largest unit that divides u; 0 with the smallest. */
void quantity_print(const struct scale *scales, uint64_t u, struct text *out);

#endif
