/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * limit.h - a rate that is not to be exceeded, as the generic cell rate
 * algorithm keeps it (ITU-T I.371, annex A): the time at which what was sent
 * would have gone out at that rate, and how far that may be ahead of the clock.
 * It is the same as a token bucket, and loses nothing to rounding however often
 * it is asked.
 *
 * All zero: nothing was sent yet. Times are microseconds, monotonic.
 */
#ifndef BACKENDS_ENGINE_LIMIT_H
#define BACKENDS_ENGINE_LIMIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct limit {
	uint64_t due_ns;
};

enum {
	LIMIT_LEAST = 3000, /* bytes that may always go at once */
};

/* Microseconds until something may go; 0: now. rate in bit/s, not 0; burst_us
 * as much of it as may go at once. */
uint64_t limit_wait(const struct limit *limit, uint64_t rate, uint32_t burst_us,
		    uint64_t now);
/* So many bytes went. */
void limit_took(struct limit *limit, uint64_t rate, size_t bytes, uint64_t now);

#endif
