/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/engine/arrival.h"

#include <string.h>

#include "backends/engine/wire.h"

enum {
	FLOOR_US = 40000,
	HURRY_US = 300,	     /* at most so often */
	TRICKLE_BYTES = 600, /* less than this in all is no bulk */
	LEAP_US = 1000000,   /* no line's delay changes so much at once */
	CALM = 32,	     /* packets that the mean is of; */
	KEEN = 2,	     /* where it tells little: */
	PAUSE_US = 1000000,  /* it is old, */
	EARLY_US = 100000,   /* or of packets that somebody had held back */
};

static uint64_t *word_of(struct arrival *arrival, uint64_t counter)
{
	return &arrival->bits[counter % ARRIVAL_BITS / 64];
}

/* Clears the bits of (largest, counter]. */
static void advance(struct arrival *arrival, uint64_t counter)
{
	uint64_t gap = counter - arrival->largest;

	if (gap >= ARRIVAL_BITS) {
		memset(arrival->bits, 0, sizeof(arrival->bits));
		return;
	}
	for (uint64_t c = arrival->largest + 1; c <= counter;) {
		if (c % 64 == 0 && counter - c >= 63) {
			*word_of(arrival, c) = 0;
			c += 64;
		} else {
			*word_of(arrival, c) &= ~(1ULL << (c & 63));
			c++;
		}
	}
}

static void measure(struct arrival *arrival, uint32_t time, uint64_t now)
{
	uint32_t delay = (wire_time(now) - time) & 0xffffff;
	int32_t off = arrival_since(delay, arrival->smooth);
	uint32_t size = (uint32_t)(off < 0 ? -off : off);
	bool keen = off < -EARLY_US || now - arrival->measured_at > PAUSE_US;

	/* One end stood still, or its clock was set: the mean would need
	 * thousands of packets to come back. */
	if (!arrival->any || size > LEAP_US) {
		arrival->smooth = delay;
	} else {
		off /= 4 * (keen ? KEEN : CALM);
		arrival->smooth = (arrival->smooth + (uint32_t)off) & 0xffffff;
		arrival->jitter_us +=
			((int32_t)size - (int32_t)arrival->jitter_us) / 16;
	}
	arrival->measured_at = now;
	if (!arrival->fresh || arrival_since(delay, arrival->delay) < 0)
		arrival->delay = delay;
	arrival->fresh = true;
}

static void want(struct arrival *arrival, uint32_t bytes, bool gap,
		 uint64_t now)
{
	uint64_t due = now + ARRIVAL_DELAY_US;

	arrival->pending_bytes += bytes;
	if (arrival->pending_bytes < TRICKLE_BYTES)
		due = now + ARRIVAL_TRICKLE_US;
	if (gap)
		due = arrival->acked_at + HURRY_US;
	if (!arrival->pending++ || due < arrival->due)
		arrival->due = due;
}

void arrival_add(struct arrival *arrival, uint64_t counter, uint32_t time,
		 uint32_t bytes, bool counts, uint64_t at, uint64_t now)
{
	bool gap = false;

	measure(arrival, time, at);
	if (!arrival->any) {
		arrival->any = true;
		arrival->largest = counter;
		arrival->time = wire_time(at);
		for (int i = 0; i < ARRIVAL_FLOORS; i++)
			arrival->floors[i] = counter;
	} else if (counter > arrival->largest) {
		gap = counter != arrival->largest + 1;
		arrival->lost += counter - arrival->largest - 1;
		advance(arrival, counter);
		arrival->largest = counter;
		arrival->time = wire_time(at);
	} else if (arrival->largest - counter >= ARRIVAL_BITS) {
		return;
	} else if (arrival->lost) {
		arrival->lost--;
	}
	*word_of(arrival, counter) |= 1ULL << (counter & 63);
	arrival->bytes += bytes;
	arrival->at = now;
	if (counts)
		want(arrival, bytes, gap, now);
}

void arrival_hurry(struct arrival *arrival, uint64_t now)
{
	arrival->pending++;
	arrival->due = now;
}

static bool has(const struct arrival *arrival, uint64_t counter)
{
	return arrival->bits[counter % ARRIVAL_BITS / 64] >> (counter & 63) & 1;
}

/* How many from counter downwards are as wanted, floor included. */
static uint32_t stretch(const struct arrival *arrival, uint64_t counter,
			uint64_t floor, bool wanted)
{
	uint64_t c = counter + 1;

	while (c > floor) {
		uint64_t word = arrival->bits[(c - 1) % ARRIVAL_BITS / 64];

		if ((c & 63) == 0 && c - floor >= 64 &&
		    word == (wanted ? ~0ULL : 0)) {
			c -= 64;
			continue;
		}
		if (has(arrival, c - 1) != wanted)
			break;
		c--;
	}
	return (uint32_t)(counter + 1 - c);
}

static void fill_ranges(const struct arrival *arrival, struct message_ack *ack)
{
	uint64_t floor = arrival->floors[arrival->floor_at];
	uint64_t c = arrival->largest, most = ARRIVAL_BITS - 64;

	if (c - floor > most)
		floor = c - most;
	ack->ranges = 0;
	while (ack->ranges < MESSAGE_RANGES) {
		uint32_t gap = 0, length;

		if (ack->ranges) {
			gap = stretch(arrival, c, floor, false);
			if (c + 1 - gap <= floor)
				return;
			c -= gap;
		}
		length = stretch(arrival, c, floor, true);
		ack->range[ack->ranges].gap = gap;
		ack->range[ack->ranges++].length = length;
		if (c + 1 - length <= floor)
			return;
		c -= length;
	}
}

bool arrival_ack(struct arrival *arrival, struct message_ack *ack, uint64_t now)
{
	if (!arrival->any)
		return false;
	ack->largest = (uint32_t)arrival->largest;
	ack->time = arrival->time;
	ack->delay = arrival->delay;
	ack->bytes = arrival->bytes;
	fill_ranges(arrival, ack);
	if (now - arrival->floor_time >= FLOOR_US) {
		arrival->floors[arrival->floor_at] = arrival->largest;
		arrival->floor_at = (arrival->floor_at + 1) % ARRIVAL_FLOORS;
		arrival->floor_time = now;
	}
	arrival->pending = 0;
	arrival->pending_bytes = 0;
	arrival->fresh = false;
	arrival->acked_at = now;
	return true;
}
