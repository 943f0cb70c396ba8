/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * lane.h - all that is known of one lane, both ways, and whether it lives.
 *
 *                    ack of something recent
 *           +-----------------------------------+
 *           v                                   |
 *     PROVING --enough acks--> UP --silence--> SUSPECT --more--> DEAD
 *        ^                                                        |
 *        +------------------- an ack -----------------------------+
 *
 * Silence is data that is overdue while nothing at all of the lane is acked:
 * not a beat that was missed. A lane that was dead carries copies before it
 * carries anything alone; the more often it died lately the longer.
 *
 * What was sent before the silence and is acked after all shows that the lane
 * lived, and the other end was only slow to answer (as spurious timeouts of TCP
 * are known, RFC 5682): that death does not count, and for a while so long an
 * answer is waited for, unless another lane's comes meanwhile.
 */
#ifndef BACKENDS_ENGINE_LANE_H
#define BACKENDS_ENGINE_LANE_H

#include "backends/engine/arrival.h"
#include "backends/engine/braid.h"
#include "backends/engine/flight.h"
#include "backends/engine/line.h"
#include "backends/engine/meter.h"
#include "backends/engine/mtu.h"
#include "backends/engine/window.h"

struct lane {
	uint8_t id;
	uint8_t slot;
	struct braid_lane_config config;
	uint32_t beat; /* the braid's */
	enum braid_state state;
	uint64_t state_at;
	bool down, peer_down, draining; /* asked for */
	/* What the peer wants of what we send. */
	bool peer_metered, peer_standby;
	uint8_t peer_tier, peer_line, peer_weight;
	uint64_t peer_cap_bps;

	struct flight flight;
	struct window window;
	struct arrival arrival;
	struct mtu mtu;
	struct meter out, in;
	uint64_t arrival_lost; /* already in `in` */
	struct inflow inflow;

	uint64_t sent_at, progress_at;
	uint64_t ping_at; /* the next one; 0: none planned */
	uint64_t pinged_at;
	uint64_t answered_at; /* last ack, or when it began to be asked */
	uint32_t ping_gap_us; /* without what shakes it */
	uint32_t proofs, proofs_needed;
	uint32_t deaths; /* lately: halved each minute of life */
	uint64_t died_at;
	uint64_t silent_at;  /* when the last silence was noticed */
	uint32_t slow_us;    /* so long answers took lately, in spite of it */
	uint64_t passed_at;  /* others were answered since its answer was due */
	uint64_t slow_at;    /* when that was last so, or halved */
	uint64_t doubted_at; /* when the others were asked whether it is that */

	int64_t tokens; /* millionths of a byte; of the cap */
	uint64_t tokens_at;
	bool paced;    /* it was the pace that left so little room */
	unsigned tell; /* times still to tell the peer */
	uint64_t tell_at;
	uint64_t resent, doubled;
};

void lane_init(struct lane *lane, uint8_t id, uint8_t slot,
	       const struct braid_lane_config *config,
	       const struct braid_config *braid, uint64_t now);
void lane_clear(struct lane *lane);
void lane_restart(struct lane *lane, uint64_t now);
/* Gives back what is only needed while packets move. */
void lane_rest(struct lane *lane);
static inline bool lane_is_metered(const struct lane *lane)
{
	return lane->config.metered || lane->peer_metered;
}
static inline bool lane_is_standby(const struct lane *lane)
{
	return lane->config.standby || lane->peer_standby;
}
static inline uint8_t lane_line(const struct lane *lane)
{
	return lane->config.line ? lane->config.line : lane->peer_line;
}
/* Do they fail together? */
static inline bool lane_shares_line(const struct lane *a, const struct lane *b)
{
	return a == b || (lane_line(a) && lane_line(a) == lane_line(b));
}
static inline uint8_t lane_weight(const struct lane *lane)
{
	return lane->config.weight ? lane->config.weight : lane->peer_weight;
}
uint8_t lane_tier(const struct lane *lane);
/* Of a lane that is down because the other end says so: it is asked now and
 * then, for that end may not know that its device is back until it hears of us.
 */
void lane_knock(struct lane *lane, uint64_t now);
/* The state changed; returns whether it did. */
bool lane_become(struct lane *lane, enum braid_state state, uint64_t now);
/* Something sent there was acked. alone: no lane lives, so this one is to carry
 * with its first proof. */
bool lane_acked(struct lane *lane, const struct flight_news *news, bool alone,
		uint64_t now);
/* It may well be back: it is asked at once, and often again. */
void lane_hurry(struct lane *lane, uint64_t now);
/* Something came in by it: if it is dead, it may not be any more. */
void lane_heard(struct lane *lane);
/* Something sent on another line was. */
void lane_passed(struct lane *lane, uint64_t now);
/* Is its answer due, though the other end has been slow lately? Then one sent
 * by another line has to tell which of them it is. True once, and no more than
 * so often. */
bool lane_doubts(struct lane *lane, uint64_t now);
/* Does what time asks for; true if the state changed. Going SUSPECT or DEAD,
 * the caller abandons what is under way. */
bool lane_timer(struct lane *lane, uint64_t now);
uint64_t lane_next(struct lane *lane, bool quiet);
/* A ping is due. */
bool lane_wants_ping(const struct lane *lane, bool quiet, uint64_t now);
/* alone: no lane lives. */
void lane_pinged(struct lane *lane, bool alone, uint64_t now);
/* Bytes that may still be sent now, by window and cap; may be negative. */
int64_t lane_room(struct lane *lane, uint64_t now);
/* The cap, as lane_room() found it, does not allow so much. */
bool lane_is_spent(const struct lane *lane, int64_t bytes);
void lane_spent(struct lane *lane, uint32_t bytes, uint64_t now);
/* When time alone, without an ack, makes room; BRAID_NEVER if it does not. */
uint64_t lane_room_next(const struct lane *lane, uint64_t now);

#endif
