/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * queue.h - a leaf qdisc: what is asked for, and what the kernel makes of it.
 *
 * The kernel rounds (codel keeps units of 1,024 ns, sfq bounds its flows by its
 * limit, tbf recomputes the burst), and what is left out follows the device. So
 * each option wanted has a value to send and the range in which the kernel's
 * answer must lie; what was read has its value alone. An option left out is
 * compared, too: taking `limit 5` away puts the kernel's own limit back.
 */
#ifndef BACKENDS_TC_QUEUE_H
#define BACKENDS_TC_QUEUE_H

#include <stdbool.h>
#include <stdint.h>

#include "model/leaf.h"

struct link_fact;
struct nl_msg;
struct nlattr;
struct text;

struct queue {
	char kind[16];	  /* may be one that leaf_kind() does not know */
	uint32_t given;	  /* options to send when it is made: a bit each */
	uint8_t observed; /* read: tbf's bursts are in ticks */
	uint64_t value[LEAF_OPTIONS];
	uint64_t low[LEAF_OPTIONS], high[LEAF_OPTIONS];
};

/* What an alternative means on a device. */
void queue_want(const struct leaf_item *item, const struct link_fact *link,
		struct queue *out);
/* From TCA_OPTIONS, which may be NULL. false: of a kind we have no table for,
 * or not as the kernel writes it; only kind is filled in then. */
bool queue_read(const char *kind, const struct nlattr *options,
		struct queue *out);

/* Can the words of leaf= say all of it, or has somebody set more of it than
 * they know? */
bool queue_says_all(const char *kind, const struct nlattr *options);

/* What differs: a bit for each option. Both of one kind. */
uint32_t queue_differs(const struct queue *now, const struct queue *want);
/* Can the kernel make such a difference good in place? (sfq never: it has no
 * change() in net/sched/sch_sfq.c.) */
bool queue_can_change(const struct queue *want, uint32_t differs);

/* Appends TCA_OPTIONS, as tc would: for a new qdisc what was given, for a
 * change everything that can be changed. */
void queue_put(struct nl_msg *message, const struct queue *queue, bool change);

/* "sfq perturb 10" */
void queue_print(const struct queue *queue, struct text *out);
/* What makes this one again on a link, which knows what a quantum is there
 * where nobody says it. */
void queue_print_on(const struct queue *queue, const struct link_fact *link,
		    struct text *out);
/* "limit 1000 -> 500" for each bit. */
void queue_print_change(const struct queue *now, const struct queue *want,
			uint32_t differs, struct text *out);

#endif
