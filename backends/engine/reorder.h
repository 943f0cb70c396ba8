/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * reorder.h - packets of many flows, each put back into its order.
 *
 * A packet in its turn is handed on at once, without a copy. One that came too
 * early waits, as a copy, until what is missing before it has come, or will not
 * come any more (told so, or its time is over). A hole stops its own flow only.
 *
 *     next      held            held
 *      |         |               |
 *     [ ]  [ ]  [n+2] [n+3] [ ] [n+5]      hole: n, n+1; deadline: when
 *                                          n+2 came, plus what is allowed
 *
 * What comes after it was given up is still handed on, once: a TCP behind us
 * can use it.
 */
#ifndef BACKENDS_ENGINE_REORDER_H
#define BACKENDS_ENGINE_REORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "backends/engine/braid.h"

struct reorder;

struct reorder_setup {
	uint16_t packets; /* that may wait */
	uint16_t packet_bytes;
	uint32_t most_us; /* longest wait */
	/* A number that the other end does not know, so that it cannot choose
	 * packets which take long to find; 0: it does not matter. */
	uint32_t salt;
	void (*deliver)(void *context, const uint8_t *packet, size_t size,
			uint8_t flags);
	void *context;
};

/* How long to wait: told anew whenever it changed. */
struct reorder_patience {
	uint32_t skew_us;    /* between the lanes, with their jitter */
	uint32_t recover_us; /* until what was lost has been sent again */
};

struct reorder *reorder_new(const struct reorder_setup *setup);
void reorder_free(struct reorder *reorder);
void reorder_patience(struct reorder *reorder,
		      const struct reorder_patience *patience);
/* slot: 0..63, which lane it came by; flags: of the inner header. */
void reorder_put(struct reorder *reorder, uint16_t bucket, uint32_t seq,
		 unsigned slot, const uint8_t *packet, size_t size,
		 uint8_t flags, uint64_t now);
/* It will not come. */
void reorder_skip(struct reorder *reorder, uint16_t bucket, uint32_t seq,
		  uint64_t now);
uint64_t reorder_next(const struct reorder *reorder);
void reorder_timer(struct reorder *reorder, uint64_t now);
/* All numbers start from 0 again; what waits is handed on. */
void reorder_restart(struct reorder *reorder);
/* Nothing has come for a while: gives back what is only needed while packets
 * move. It is there again with the next one. False: some wait. */
bool reorder_rest(struct reorder *reorder);
/* Fills the fields of order; leaves the others. */
void reorder_stats(const struct reorder *reorder, struct braid_stats *stats);

#endif
