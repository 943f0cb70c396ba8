/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * shelf.h - the number that each bucket of flows has come to, while nobody
 * needs more of it: four bytes a bucket that was ever used.
 *
 * What a braid knows of flows that move is large: it is made with the first
 * packet behind a rest, and given up in the next one. But numbers go on for as
 * long as the era lasts (wire.h), or the other end would wait for what never
 * comes; so they are put on the shelf, and looked up when they are needed.
 */
#ifndef BACKENDS_ENGINE_SHELF_H
#define BACKENDS_ENGINE_SHELF_H

#include <stdbool.h>
#include <stdint.h>

#include "backends/engine/wire.h"

enum { SHELF_BUCKETS = 1 << WIRE_BUCKET_BITS };

/* Zeroed is empty. */
struct shelf {
	uint32_t *words; /* owned; sorted: bucket and number, as on the wire */
	uint32_t count;
};

/* Buckets that somebody has taken off the shelf. */
struct shelf_taken {
	uint64_t bits[SHELF_BUCKETS / 64];
};

/* The first time for this bucket, since taken was zeroed? */
static inline bool shelf_take(struct shelf_taken *taken, uint16_t bucket)
{
	uint64_t *word = &taken->bits[bucket / 64], bit = 1ULL << (bucket % 64);
	bool first = !(*word & bit);

	*word |= bit;
	return first;
}

void shelf_clear(struct shelf *shelf);
/* 0: it was never used. */
uint32_t shelf_number(const struct shelf *shelf, uint16_t bucket);
/* Puts back those that were taken; number() tells how far each has come. */
void shelf_put(struct shelf *shelf, const struct shelf_taken *taken,
	       uint32_t (*number)(const void *context, uint16_t bucket),
	       const void *context);

#endif
