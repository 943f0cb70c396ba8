/* SPDX-License-Identifier: GPL-3.0-or-later */
/* prefix.h - addresses with a length, for who reads them outside of settings.
 */
#ifndef MODEL_TYPES_PREFIX_H
#define MODEL_TYPES_PREFIX_H

#include "model/value.h"

/* 32 or 128. */
unsigned prefix_bits(uint8_t family);
/* "192.0.2.2/24", "2001:db8::1"; host bits stay. EINVAL, ERANGE and what would
 * be right. */
int prefix_read(const char *text, struct prefix *out, struct err *err);
/* Always with its length. */
void prefix_print(const struct prefix *prefix, struct text *out);
/* Clears the bits behind the length; true if there were any. */
bool prefix_trim(struct prefix *prefix);
/* Is all of that within net, whose host bits mean nothing? */
bool prefix_has(const struct prefix *net, const struct prefix *within);
/* Do these networks have addresses in common? */
bool prefix_overlap(const struct prefix *a, const struct prefix *b);

#endif
