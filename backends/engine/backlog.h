/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * backlog.h - packets for one peer that wait for room on its lines.
 *
 * The tun device is always read; what has no room waits here, not in the
 * device's own queue, where a ping would stand behind a second of somebody's
 * upload. One queue a flow, with equal shares in bytes; a flow that has less
 * than its share goes first, always (RFC 8290 calls it sparse), and a queue
 * that stands is told so by dropping at its head (CoDel, RFC 8289). It knows
 * packets only as runs: consecutive handles of one flow, as cut from one
 * super-packet.
 *
 *     backlog_put(q, &run, now);                  what the tun gave
 *     while ((run = backlog_head(q, now))) {      what goes next
 *             n = braid_plan(braid, &run->flow, run->count, now, &plan);
 *             if (n <= 0)
 *                     break;                      keeps its place
 *             ... seal and send n packets from run->handle on ...
 *             backlog_took(q, n, now);
 *     }
 */
#ifndef BACKENDS_ENGINE_BACKLOG_H
#define BACKENDS_ENGINE_BACKLOG_H

#include "backends/engine/braid.h"

struct backlog;

struct backlog_run {
	struct braid_flow flow;
	uint16_t count;	 /* packets */
	uint16_t last;	 /* payload of the last one; the others: flow.size */
	bool urgent;	 /* by DSCP: goes before all that is not */
	uint32_t handle; /* of the first */
};

struct backlog_config {
	uint32_t limit_bytes; /* [4 MB]; the longest queue pays for excess */
	uint32_t runs;	      /* [2048] that may wait */
	uint32_t target_us;   /* a queue that stands longer... [30000] */
	uint32_t interval_us; /* ... for this long is cut [300000] */
	/* What has waited longer than this is dropped, but for the last few
	 * packets of a flow [1000000]. */
	uint32_t stale_us;
};

struct backlog_stats {
	uint32_t bytes, packets, runs, flows; /* that wait now */
	uint64_t dropped_full, dropped_stood; /* packets */
	uint32_t delay_max_us; /* of what was taken since the last look */
};

struct backlog *backlog_new(const struct backlog_config *config);
void backlog_free(struct backlog *backlog);
AUTO_DEFINE(backlog, struct backlog *, backlog_free)

void backlog_put(struct backlog *backlog, const struct backlog_run *run,
		 uint64_t now);
/* Borrowed until the next call; NULL when nothing waits. What is dropped here
 * is simply not seen again: handles need no release. */
const struct backlog_run *backlog_head(struct backlog *backlog, uint64_t now);
/* The first count packets of the head have gone. */
void backlog_took(struct backlog *backlog, int count, uint64_t now);
bool backlog_is_empty(const struct backlog *backlog);
void backlog_stats(struct backlog *backlog, struct backlog_stats *stats);

#endif
