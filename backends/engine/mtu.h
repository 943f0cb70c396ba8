/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * mtu.h - the largest payload that passes a lane, found without ICMP.
 *
 * DPLPMTUD (RFC 8899): probes are control payloads padded to the size in
 * question, with DF; the lane's ordinary acks confirm them. The largest size is
 * tried first, since mostly it passes; then the gap is halved. Three probes
 * lost in a row say no. When packets get lost and none as large passes, what
 * was found is tried again, and given up if it no longer passes (black hole).
 * With nothing but large ones under way such a line looks dead, until something
 * small comes through it: what was given up then counts, and it is tried at
 * once.
 */
#ifndef BACKENDS_ENGINE_MTU_H
#define BACKENDS_ENGINE_MTU_H

#include <stdbool.h>
#include <stdint.h>

enum {
	MTU_BASE = 1280, /* payload every sane line takes */
	MTU_LEAST = 400, /* with IPv6 around it 480: less is no line */
	MTU_TRIES = 3,
	MTU_STEP = 8, /* near enough */
	MTU_HOLE = 8, /* lost, and none as large passes */
};
#define MTU_RAISE_US (600 * 1000000ULL) /* RFC 8899, 5.1.1 */

struct mtu {
	uint16_t good; /* passes */
	uint16_t bad;  /* does not, or is not wanted: good < bad */
	uint16_t most;
	uint16_t probe; /* size under way, 0 for none */
	uint8_t tries;
	uint8_t lost;  /* so many since one passed as large as the ... */
	uint16_t hole; /* ... least of them */
	uint16_t gone; /* least large one given up in silence, 0 for none */
	bool confirm;  /* good itself is in doubt */
	bool shrunk;   /* base did not pass */
	bool proven;   /* good has passed, else it is what is usual */
	bool found;    /* and nothing much larger does */
	uint64_t counter;
	uint64_t next; /* when to probe */
};

void mtu_init(struct mtu *mtu, uint16_t most, uint64_t now);
/* Payload size of a probe that is due; 0 for none. */
uint16_t mtu_due(const struct mtu *mtu, uint64_t now);
void mtu_sent(struct mtu *mtu, uint64_t counter, uint64_t now,
	      uint32_t patience_us);
/* True: good has changed. */
bool mtu_acked(struct mtu *mtu, uint64_t counter, uint64_t now);
bool mtu_lost(struct mtu *mtu, uint64_t counter, uint64_t now);
/* What has been found is tried again. */
void mtu_doubt(struct mtu *mtu, uint64_t now);
/* What became of ordinary packets of that size. */
void mtu_note(struct mtu *mtu, uint16_t size, bool lost, uint64_t now);

/* An ordinary one of that size is given up: the whole line is silent. */
void mtu_gone(struct mtu *mtu, uint16_t size);
/* Something passes again. */
void mtu_back(struct mtu *mtu, uint64_t now);

#endif
