/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ranges.h - sets of numbers: 53,123,161-162. Ports, lengths, owners. */
#ifndef MODEL_TYPES_RANGES_H
#define MODEL_TYPES_RANGES_H

#include <stdbool.h>
#include <stdint.h>

#include "model/value.h"

struct ranges_rules {
	uint32_t max;
	bool list;	    /* several, with commas */
	const char *wanted; /* for messages: "a port (0 to 65535)" */
	/* The number of a name; NULL where there are no names. */
	bool (*lookup)(const char *name, uint32_t *number);
};

/* As a type's parse(): sorted, overlapping and adjacent ones merged. */
int ranges_parse(const struct ranges_rules *rules, const char *text,
		 struct value *out, struct err *err);
void ranges_print(const struct attr *attr, const struct value *value,
		  struct text *out);
bool ranges_equal(const struct value *a, const struct value *b);
void ranges_clear(struct value *value);
void ranges_copy(const struct value *from, struct value *to);

#endif
