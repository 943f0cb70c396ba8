/* SPDX-License-Identifier: GPL-3.0-or-later */
/* name.h - comparing names: in order, and by likeness. */
#ifndef MODEL_NAME_H
#define MODEL_NAME_H

#include <stddef.h>
#include <stdint.h>

/* strcmp() with runs of digits compared by value: br2 before br10. */
int name_compare(const char *a, const char *b);
/* Number of single edits (insert, delete, change, swap of neighbours) from a to
 * b, at most limit + 1: for "did you mean". */
unsigned name_distance(const char *a, const char *b, unsigned limit);
/* FNV-1a, continued from seed. */
uint32_t name_hash(uint32_t seed, const void *bytes, size_t length);
#define NAME_HASH_SEED 2166136261u

#endif
