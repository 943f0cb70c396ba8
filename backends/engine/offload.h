/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * offload.h - work that the kernel may take from us, and may refuse to.
 *
 * What it refuses is given up, and tried again: the device may have been down,
 * the route may lead by another one. How many uses later doubles with each
 * refusal in a row, so that one for good costs next to nothing.
 *
 *     if (offload_may(&join)) {                ask once a use
 *             if (it was refused, and without it it goes)
 *                     offload_refused(&join);
 *             else
 *                     offload_worked(&join);
 *     }
 */
#ifndef BACKENDS_ENGINE_OFFLOAD_H
#define BACKENDS_ENGINE_OFFLOAD_H

#include <stdbool.h>
#include <stdint.h>

enum { OFFLOAD_REST = 256, OFFLOAD_REST_MOST = 1 << 18 }; /* uses */

struct offload {
	bool there;    /* found when it was asked for */
	uint32_t rest; /* uses without it from now on */
	uint32_t last; /* what rest was at the last refusal; 0: it works */
};

static inline bool offload_may(struct offload *offload)
{
	if (!offload->rest)
		return offload->there;
	offload->rest--;
	return false;
}

static inline void offload_refused(struct offload *offload)
{
	uint32_t rest = offload->last ? offload->last * 2 : OFFLOAD_REST;

	offload->last = rest < OFFLOAD_REST_MOST ? rest : OFFLOAD_REST_MOST;
	offload->rest = offload->last;
}

static inline void offload_worked(struct offload *offload)
{
	offload->last = 0;
}

/* From the best on. */
enum offload_state { OFFLOAD_ON, OFFLOAD_REFUSED, OFFLOAD_NONE };

static inline enum offload_state offload_state(const struct offload *offload)
{
	return !offload->there ? OFFLOAD_NONE
	       : offload->last ? OFFLOAD_REFUSED
			       : OFFLOAD_ON;
}

#endif
