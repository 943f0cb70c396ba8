/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * arrival.h - what came in by one lane, and when to tell the sender.
 *
 * An ack names what came in back to where the eighth ack before it stood, at
 * least 40 ms each, so that an outage of the way back loses nothing. It is due
 * 2 ms after the first packet it speaks of; at once for a gap or a ping; later
 * when only small packets trickle in.
 */
#ifndef BACKENDS_ENGINE_ARRIVAL_H
#define BACKENDS_ENGINE_ARRIVAL_H

#include <stdbool.h>
#include <stdint.h>

#include "backends/engine/message.h"

enum {
	ARRIVAL_BITS = 1 << 15,
	ARRIVAL_FLOORS = 8,
	ARRIVAL_DELAY_US = 2000,
	ARRIVAL_TRICKLE_US = 8000,
};

/* Zeroed is ready. */
struct arrival {
	bool any;
	uint64_t largest;
	uint64_t bits[ARRIVAL_BITS / 64];
	uint32_t time;	 /* when largest came, 24 bits of 4 us */
	uint32_t delay;	 /* least since the last ack, 24 bits of 4 us */
	uint32_t smooth; /* mean of it, 24 bits of 4 us */
	uint64_t measured_at;
	uint32_t jitter_us;
	bool fresh; /* delay is of since the last ack */
	uint32_t bytes;
	uint64_t lost;	  /* holes that were not filled */
	uint64_t at;	  /* of the last one */
	uint32_t pending; /* came in since the last ack */
	uint32_t pending_bytes;
	uint64_t due;
	uint64_t acked_at;
	uint64_t floors[ARRIVAL_FLOORS]; /* oldest at floor_at */
	unsigned floor_at;
	uint64_t floor_time;
};

/* a - b of two 24-bit times, in us. */
static inline int32_t arrival_since(uint32_t a, uint32_t b)
{
	return (int32_t)((a - b) << 8) / 64;
}

/* time: as in the inner header; bytes: with overhead; counts: it wants an
 * ack; at: when it came, not later than now. */
void arrival_add(struct arrival *arrival, uint64_t counter, uint32_t time,
		 uint32_t bytes, bool counts, uint64_t at, uint64_t now);
/* An ack is wanted now. */
void arrival_hurry(struct arrival *arrival, uint64_t now);
/* Fills in all but the lane. False: nothing came in yet. */
bool arrival_ack(struct arrival *arrival, struct message_ack *ack,
		 uint64_t now);
static inline bool arrival_is_due(const struct arrival *arrival, uint64_t now)
{
	return arrival->pending && arrival->due <= now;
}

#endif
