/* SPDX-License-Identifier: GPL-3.0-or-later */
/* bounds.h - the least and the most a setting allows. */
#ifndef MODEL_TYPES_BOUNDS_H
#define MODEL_TYPES_BOUNDS_H

#include <stdint.h>

struct attr;
struct err;
struct text;

/* ERANGE and a sentence with the bounds, as print() writes them, if u is
 * outside attr->min and max (0: no limit). text is what was typed; attr may
 * be NULL. */
int bounds_check(const struct attr *attr, uint64_t u,
		 void (*print)(uint64_t u, struct text *out), const char *text,
		 struct err *err);

#endif
