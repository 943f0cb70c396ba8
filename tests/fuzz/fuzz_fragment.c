/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Fragments of packets, for libFuzzer (`make fuzz`): any bytes are one or are
 * refused; what is read is written as it was read; what is joined is the bytes
 * that came, each where its fragment said; and whatever came before, a packet
 * whose fragments come one behind the other is whole.
 *
 * The input is a list: how many bytes follow, flags, how much time has passed,
 * and a payload.
 */
#include <stdlib.h>
#include <string.h>

#include "backends/engine/fragment.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HEAD = 4, NUMBERS = 4, HONEST = 77 };

/* The same, simply: what is known of the packets of a few numbers. */
struct known {
	bool any;
	struct fragment of;
	uint8_t flags, have;
	uint64_t since;
	uint8_t bytes[FRAGMENT_WHOLE];
};

static void must(bool holds)
{
	if (!holds)
		abort();
}

static void note(struct known *known, const struct fragment *fragment,
		 uint8_t flags, const uint8_t *bytes, uint64_t now)
{
	if (known->any && now - known->since >= FRAGMENT_WAIT_US)
		known->any = false;
	if (known->any &&
	    (known->of.size != fragment->size ||
	     known->of.count != fragment->count || known->flags != flags)) {
		known->any = false;
		return;
	}
	if (!known->any) {
		known->any = true;
		known->of = *fragment;
		known->flags = flags;
		known->have = 0;
		known->since = now;
	}
	if (known->have >> fragment->index & 1)
		return;
	known->have |= (uint8_t)(1U << fragment->index);
	memcpy(known->bytes + fragment_offset(fragment), bytes,
	       fragment_length(fragment));
}

static void one(struct joiner *joiner, struct known known[NUMBERS],
		uint8_t *payload, size_t size, uint8_t flags, uint64_t now)
{
	const uint8_t *joined;
	struct fragment fragment;
	struct known *of = NULL;
	uint8_t again[FRAGMENT_HEADER];
	size_t whole = 0;

	if (size >= FRAGMENT_HEADER) /* few numbers, so that some meet */
		memset(payload + 1, 0, 3), payload[0] %= NUMBERS;
	if (fragment_parse(&fragment, payload, size) == 0) {
		fragment_print(&fragment, again);
		must(!memcmp(again, payload, sizeof(again)));
		must(fragment_offset(&fragment) + fragment_length(&fragment) <=
		     FRAGMENT_WHOLE);
		of = &known[fragment.number];
		note(of, &fragment, flags, payload + FRAGMENT_HEADER, now);
	}
	joined = joiner_put(joiner, payload, size, flags, now, &whole);
	must(!joined ==
	     !(of && of->any && of->have == (1U << of->of.count) - 1));
	if (!joined)
		return;
	must(whole == of->of.size && !memcmp(joined, of->bytes, whole));
	of->any = false;
}

/* In the midst of it all. */
static void honest(struct joiner *joiner, uint64_t now)
{
	uint8_t payload[FRAGMENT_HEADER + FRAGMENT_WHOLE] = { 0 };
	struct fragment fragment = { HONEST, 1280, 0, 3 };
	const uint8_t *joined = NULL;
	size_t whole = 0;

	for (; fragment.index < fragment.count; fragment.index++) {
		must(!joined);
		fragment_print(&fragment, payload);
		joined =
			joiner_put(joiner, payload,
				   FRAGMENT_HEADER + fragment_length(&fragment),
				   0, now, &whole);
	}
	must(joined && whole == 1280);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct joiner *joiner = joiner_new();
	struct known known[NUMBERS] = { 0 };
	struct joiner_stats stats;
	uint64_t now = 0;

	while (size >= HEAD) {
		size_t length = data[0] | (size_t)(data[1] & 15) << 8;
		uint8_t *payload;

		if (length > size - HEAD)
			length = size - HEAD;
		payload = malloc(length + 1);
		memcpy(payload, data + HEAD, length);
		now += data[3] * 10000ULL;
		one(joiner, known, payload, length, data[2], now);
		free(payload);
		data += HEAD + length;
		size -= HEAD + length;
	}
	honest(joiner, now);
	joiner_stats(joiner, &stats);
	must(stats.waiting <= NUMBERS);
	joiner_free(joiner);
	return 0;
}
