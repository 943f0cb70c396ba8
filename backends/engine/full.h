/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * full.h - "this line is full": one direction of one line, seen by its data.
 *
 * Data that is sent as fast as the line takes it builds a queue in front of it:
 * the delay rises above the line's best and stays there. A look is a span of
 * time, a round trip or some tens of milliseconds; it is pressed when
 *
 *     - data of that span had to wait for the line (somebody wants more), and
 *     - even its quickest packet stood in a queue.
 *
 * So jitter does not count (of many packets one is quick), nor does an idle
 * line (nobody waits), nor what its sender limits.
 *
 *     free --pressed for FULL_US, most of the time--> full
 *     full --not once for FREE_US--------------------> free
 *
 * A line at its limit gives one spell, however the queue breathes meanwhile.
 * It ends when the line was last pressed, not when that was noticed.
 */
#ifndef BACKENDS_ENGINE_FULL_H
#define BACKENDS_ENGINE_FULL_H

#include <stdbool.h>
#include <stdint.h>

enum {
	FULL_US = 200000,  /* and three looks */
	FREE_US = 2000000, /* and four looks' length */
	FULL_QUEUE_US = 2500,
};

struct full_look {
	bool pressed;
	uint32_t span_us;  /* its length */
	uint32_t queue_us; /* least in it */
	uint64_t bytes;	   /* that the line has carried since it began */
};

struct full {
	bool is;
	unsigned looks;
	uint64_t since, seen; /* first and last pressed look; 0: none */
	uint64_t pressed_us;
	uint64_t bytes; /* carried until since */
	uint32_t span_us, queue_us;
	uint64_t rate_bps;     /* what it carried when it became full */
	uint64_t began, ended; /* the last spell; ended: of one that is over */
};

enum full_news { FULL_NO_NEWS, FULL_BEGINS, FULL_ENDS };

/* Zeroed is ready, and free. */
enum full_news full_look(struct full *full, const struct full_look *look,
			 uint64_t now);
/* Nothing more will come: FULL_ENDS, or no news. */
enum full_news full_end(struct full *full);
/* It ends by itself when nothing is sent any more. */
enum full_news full_timer(struct full *full, uint64_t now);
/* When full_timer() wants to be called; UINT64_MAX for never. */
uint64_t full_next(const struct full *full);

#endif
