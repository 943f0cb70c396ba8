/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * digest.h - what a lot of bytes come down to, to see whether they changed.
 *
 * Digests of parts add up to the digest of a set of them, in whatever order
 * they come; what was added can be taken out again:
 *
 *     whole = a + b + c       without b: whole - b = a + c
 *
 * 128 bits against chance, not against somebody who looks for two that are
 * alike: whoever can write to the running system needs no such trick.
 */
#ifndef MODEL_BASE_DIGEST_H
#define MODEL_BASE_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct digest {
	uint64_t a, b;
};

#define DIGEST_NONE                                                            \
	{                                                                      \
		0, 0                                                           \
	}

/* Of bytes that follow on others: start with DIGEST_NONE. */
struct digest digest_bytes(struct digest before, const void *bytes,
			   size_t size);
/* The same, with the zero at its end. */
struct digest digest_text(struct digest before, const char *text);
struct digest digest_u64(struct digest before, uint64_t u);

void digest_add(struct digest *set, struct digest part);
void digest_remove(struct digest *set, struct digest part);
bool digest_equal(struct digest a, struct digest b);

#endif
