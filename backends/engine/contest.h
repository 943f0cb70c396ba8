/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * contest.h - is the line ours alone, and if not, may we have our share of it?
 *
 * A window that keeps the queue short (window.h) starves beside traffic that
 * fills it, a cubic or bbr of somebody else: it shrinks, the others take what
 * it gave up, and the queue is as long as before. So once in a while it is
 * tried what a larger window does. Of a queue a share s is ours, and with f
 * more under way
 *
 *     the delay (round trip, with the queue) grows by s x f
 *
 * alone by as much as the window, beside others by less. (That the queue does
 * not drain although one backs off is how Copa finds out, Arun and
 * Balakrishnan, NSDI 2018, 2.2; Nimbus, Goyal et al., SIGCOMM 2022, makes the
 * others answer to pulses.) Where much less than half is ours, several times
 * running, the window competes as CUBIC does (RFC 9438). From time to time, and
 * when the queue falls by itself, it sues for peace: it backs off whole. If the
 * queue is gone then, nobody competes any more; if not, it takes up where it
 * was, and waits longer until the next time. Who begins to send after a rest
 * and finds a queue that is there already need not try.
 *
 *     PEACE --trial: up, up, up ...: a rival--> COMPETES
 *       ^                                          |
 *       +------- trial: down: nobody else ---------+
 */
#ifndef BACKENDS_ENGINE_CONTEST_H
#define BACKENDS_ENGINE_CONTEST_H

#include <stdbool.h>
#include <stdint.h>

struct window;

enum contest_trial {
	CONTEST_NONE,
	CONTEST_UP,
	CONTEST_BACK,
	CONTEST_DOWN,
	CONTEST_ENTRY,
};

struct contest {
	bool on; /* it competes */
	uint8_t trial;
	uint8_t rounds;	  /* of it, so far */
	uint8_t evidence; /* for a rival */
	uint64_t next;	  /* trial, at the earliest */
	uint32_t gap_us;  /* ... after one that found nobody */
	uint32_t peace_gap_us;
	uint64_t peace_at; /* the last time it began */
	uint64_t joined_at;
	/* Of a round: means over its acks. */
	uint64_t flight_sum, queue_sum;
	uint32_t acks;
	uint32_t flight_before; /* mean of the round before */
	uint32_t
		kin; /* what other lanes of ours carry, in 256ths of its rate */
	uint32_t share; /* what of the queue is ours, of 256; 0: not known */
	/* Before the trial; what is gone back to. */
	uint32_t flight, delay_us, queue_us;
	uint32_t up_flight, up_delay_us;
	uint32_t back_bytes;
	uint64_t back_rate;
	uint64_t best_rate; /* that the line was seen to carry of ours */
	bool sure;	    /* ... when we were alone */
	/* While it competes. */
	uint32_t slow_queue_us; /* mean of the last rounds' */
	uint64_t slow_rate;
	uint32_t most_queue_us;
	uint32_t most;	   /* CUBIC's W_max, bytes; 0: nothing lost yet */
	uint64_t epoch;	   /* when it was cut; 0: not yet */
	uint64_t epoch_ms; /* CUBIC's K */
	uint32_t hold;	   /* of half the line, of 256 */
	uint64_t hold_at;
	uint8_t deaf; /* rounds that tell of what was lost before the cut */
	bool lost;    /* in this round, behind a long queue */
};

/* Other lanes over the same line carry so much; this one carries ours. */
void contest_kin(struct contest *contest, uint64_t rate, uint64_t ours);
/* Of each ack: what was under way, and the queue it speaks of. */
void contest_ack(struct contest *contest, uint32_t flight, uint32_t queue_us);
/* A round has ended: rate is what came of it; full: there was a queue, and
 * somebody waited. True: the window is set, and is no other's business. */
bool contest_round(struct window *window, uint64_t rate, bool full,
		   uint64_t now);
void contest_lost(struct window *window);
/* There was a queue before anything of ours was under way; now there is so
 * much. If it was none after all, peace follows within four rounds. */
void contest_enter(struct window *window, uint32_t flight, uint64_t now);
/* The queue it aims at. */
uint32_t contest_aim_us(const struct window *window);
/* The queue that is cut at once. */
uint32_t contest_bound_us(const struct window *window, uint32_t bound_us);

#endif
