/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/engine/shelf.h"

#include <stdlib.h>

#include "model/base/mem.h"

enum { NUMBER = (1 << WIRE_SEQ_BITS) - 1 };

static uint16_t bucket_of(uint32_t word)
{
	return (uint16_t)(word >> WIRE_SEQ_BITS);
}

void shelf_clear(struct shelf *shelf)
{
	free(shelf->words);
	*shelf = (struct shelf){ 0 };
}

uint32_t shelf_number(const struct shelf *shelf, uint16_t bucket)
{
	uint32_t from = 0, to = shelf->count;

	while (from < to) {
		uint32_t middle = (from + to) / 2;

		if (bucket_of(shelf->words[middle]) < bucket)
			from = middle + 1;
		else
			to = middle;
	}
	if (from == shelf->count || bucket_of(shelf->words[from]) != bucket)
		return 0;
	return shelf->words[from] & NUMBER;
}

void shelf_put(struct shelf *shelf, const struct shelf_taken *taken,
	       uint32_t (*number)(const void *context, uint16_t bucket),
	       const void *context)
{
	struct shelf old = *shelf;
	uint32_t room = old.count, at = 0, count = 0;

	for (int i = 0; i < SHELF_BUCKETS / 64; i++)
		room += (uint32_t)__builtin_popcountll(taken->bits[i]);
	shelf->words = mem_array(room, sizeof(*shelf->words));
	for (uint32_t bucket = 0; bucket < SHELF_BUCKETS; bucket++) {
		bool here =
			at < old.count && bucket_of(old.words[at]) == bucket;
		uint32_t word = here ? old.words[at++] : 0;

		if (taken->bits[bucket / 64] >> (bucket % 64) & 1)
			word = bucket << WIRE_SEQ_BITS |
			       (number(context, (uint16_t)bucket) & NUMBER);
		else if (!here)
			continue;
		shelf->words[count++] = word;
	}
	shelf->count = count;
	/* It stays for hours: no more than it needs. */
	shelf->words = mem_resize(shelf->words, count * sizeof(*shelf->words));
	free(old.words);
}
