/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "model/base/digest.h"

#include <string.h>

__extension__ typedef unsigned __int128 wide;

/* Both halves of a product of 64 bits, folded: each bit of the factors reaches
 * each bit of what comes out. */
static uint64_t mix(uint64_t a, uint64_t b)
{
	wide product = (wide)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* Odd, with about as many ones as zeros: digits of e, pi and the square root
 * of 2. */
#define STIR_A UINT64_C(0xb7e151628aed2a6b)
#define STIR_B UINT64_C(0x243f6a8885a308d3)
#define STIR_C UINT64_C(0x6a09e667f3bcc909)

static struct digest take_word(struct digest digest, uint64_t word)
{
	return (struct digest){ mix(digest.a ^ word ^ STIR_A, STIR_B),
				mix(digest.b ^ word ^ STIR_C,
				    STIR_A ^ digest.a) };
}

struct digest digest_bytes(struct digest before, const void *bytes, size_t size)
{
	const char *at = bytes;
	struct digest digest = take_word(before, size);
	uint64_t word;

	for (; size >= sizeof(word); at += sizeof(word), size -= sizeof(word)) {
		memcpy(&word, at, sizeof(word));
		digest = take_word(digest, word);
	}
	word = 0;
	if (size)
		memcpy(&word, at, size);
	return take_word(digest, word);
}

struct digest digest_text(struct digest before, const char *text)
{
	return digest_bytes(before, text, strlen(text) + 1);
}

struct digest digest_u64(struct digest before, uint64_t u)
{
	return take_word(take_word(before, sizeof(u)), u);
}

void digest_add(struct digest *set, struct digest part)
{
	set->a += part.a;
	set->b += part.b;
}

void digest_remove(struct digest *set, struct digest part)
{
	set->a -= part.a;
	set->b -= part.b;
}

bool digest_equal(struct digest a, struct digest b)
{
	return a.a == b.a && a.b == b.b;
}
