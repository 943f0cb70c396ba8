/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * window.h - how much may be under way on one lane.
 *
 * Nobody tells us a line's rate. The delay does: while one-way delay stands at
 * its best, the line has room, and the window grows; when there is a queue, the
 * line is full, what arrives per second is its rate, and the window becomes
 *
 *     rate x (round trip without queue + the queue we allow ourselves)
 *
 * which is FAST TCP's law. It needs no synchronized clocks: only how the delay
 * changes counts. Loss by itself says nothing (radio links lose), unless a
 * larger window brought loss and no more rate (a policer).
 *
 * Delays are the shortest of all in an ack's span: a machine that does not get
 * its processor for some milliseconds delays many packets, but seldom all.
 */
#ifndef BACKENDS_ENGINE_WINDOW_H
#define BACKENDS_ENGINE_WINDOW_H

#include <stdbool.h>
#include <stdint.h>

#include "backends/engine/contest.h"

enum { WINDOW_SNAPS = 64 };

struct window_snap {
	uint32_t time;	/* receiver's, 24 bits of 4 us */
	uint32_t bytes; /* it had received by then */
};

struct window {
	uint32_t target_us; /* the queue we allow ourselves; set by owner */
	uint32_t packet;    /* bytes of a large datagram; set by owner */
	/* Round trip, without the time the ack waited. */
	uint32_t srtt_us, var_us, min_us, min_next_us;
	/* The same for people: what was before a pause does not count. */
	uint32_t told_us;
	uint64_t told_at;
	/* Since a rest: the least queue, and when its first packet arrived. */
	uint32_t rest_queue_us;
	uint64_t rest_at; /* 0: that was not alone */
	uint64_t acked_at;
	/* One way, relative: 24 bits of 4 us. */
	bool has_base;
	uint32_t base, base_next, delay;
	uint64_t base_at;   /* when base_next was begun */
	uint64_t base_seen; /* when the delay was last near base */
	uint32_t queue_us;  /* of the last ack */
	uint32_t quick_us; /* shortest of the last two spans of 10 ms or more */
	uint32_t quick[2], quick_packets;
	uint64_t quick_at;
	/* Rates in bytes a second. */
	struct window_snap snaps[WINDOW_SNAPS];
	unsigned snap;
	uint64_t rate;
	/* The window itself. */
	uint32_t bytes;
	uint32_t pipe_us; /* round trip without queue, with ack delay */
	bool startup;
	bool known;   /* the rate is: the line was full once */
	bool limited; /* it kept somebody waiting in this round */
	bool news;    /* a round has ended; cleared by who looks at it */
	bool pressed; /* in it, somebody waited behind a queue */
	uint32_t pressed_us, pressed_queue_us; /* its length, least queue */
	uint64_t round_end; /* counter whose ack ends the round */
	uint64_t round_at;
	struct window_snap round_snap;
	uint32_t round_queue_us, round_rtt_us;
	uint32_t round_lost, round_acked; /* datagrams */
	uint32_t step_us;    /* of queue the next growth would make */
	uint64_t grown_from; /* rate when growth began */
	uint32_t grown;	     /* rounds of growth since */
	uint64_t hold_until; /* no growth: a policer */
	bool lossy;	     /* the last round was, without a queue */
	uint8_t policed;     /* so often in a row more brought only loss */
	uint64_t cut_at;
	uint64_t drain_until;
	uint64_t free_at; /* when the line will have sent what it was given,
			   * at a little more than the known rate */
	struct contest contest;
};

/* What an ack says. */
struct window_ack {
	uint32_t bytes;	 /* newly acked */
	uint32_t flight; /* under way before that */
	uint32_t packets;
	uint32_t rtt_us;  /* 0: no news */
	uint32_t wait_us; /* that the ack waited, of rtt_us */
	uint32_t delay;	  /* as in struct message_ack */
	uint32_t time;
	uint32_t received;
	uint64_t largest; /* acked */
	uint64_t next;	  /* counter that would be sent next */
};

void window_init(struct window *window, uint32_t target_us, uint32_t packet);
/* After silence or failure: what was known may be wrong by now. */
void window_restart(struct window *window);
void window_ack(struct window *window, const struct window_ack *ack,
		uint64_t now);
void window_lost(struct window *window, uint32_t packets);
/* Bytes that may be under way now. */
uint32_t window_bytes(const struct window *window, uint64_t now);
/* Bytes that may be sent at once: a line is not given its whole window in one
 * piece. Counts only once its rate is known. */
int64_t window_pace(const struct window *window, uint64_t now);
/* When it may have another large datagram. */
uint64_t window_pace_next(const struct window *window);
void window_spent(struct window *window, uint32_t bytes, uint64_t now);
/* How long a datagram sent now, with flight bytes ahead, would queue. */
uint32_t window_wait_us(const struct window *window, uint32_t flight);
/* Until an ack of something sent now is overdue. */
uint32_t window_patience_us(const struct window *window);

#endif
