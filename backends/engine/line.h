/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * line.h - a line of a braid: the lanes that fail together, and fill together.
 *
 * Is it full, either way (full.h), and what is the most that it ever carried in
 * one slice of the meters? Outwards the acks tell it: a look is a round of the
 * lane's window. Inwards the datagrams do, by their delay and by whether their
 * sender had more waiting (WIRE_BULK).
 */
#ifndef BACKENDS_ENGINE_LINE_H
#define BACKENDS_ENGINE_LINE_H

#include <stdint.h>

#include "backends/engine/braid.h"
#include "backends/engine/full.h"
#include "backends/engine/meter.h"

struct lane;

struct line {
	uint16_t number;
	struct full full[BRAID_WAYS];
	uint64_t best_bps[BRAID_WAYS];
	uint64_t slice[BRAID_WAYS]; /* the last one that was looked at */
};

/* What came by one lane lately: the makings of a look. */
struct inflow {
	bool has_base;
	uint32_t base, base_next; /* delay, 24 bits of 4 us */
	uint64_t base_at;
	uint64_t since;		 /* of the span that runs; 0: none does */
	uint32_t packets, bulky; /* of data in it */
	uint32_t least;		 /* delay */
	uint32_t queue_us;	 /* of the last packet */
};

/* A packet of data or control came by this lane; delay as above. True: look is
 * filled in, but for bytes. */
bool inflow_add(struct inflow *inflow, uint32_t delay, bool data, bool bulk,
		uint64_t now, struct full_look *look);

/* The lane's line, by the number its owner gave it, or one of its own. */
uint16_t line_number(const struct lane *lane);
void line_look(struct braid *braid, const struct lane *lane, enum braid_way way,
	       struct full_look *look, uint64_t now);
void line_timer(struct braid *braid, uint64_t now);
uint64_t line_next(const struct braid *braid);
/* Lanes have come, gone, or changed their line. */
void line_review(struct braid *braid, uint64_t now);
/* The slices are others now. */
void line_slices(struct braid *braid, uint64_t now);
/* A new era: none is full any more. */
void line_restart(struct braid *braid, uint64_t now);
/* The meters of its lanes; returns how many. */
unsigned line_meters(const struct braid *braid, uint16_t line,
		     enum braid_way way,
		     const struct meter *meters[BRAID_LANES]);

#endif
