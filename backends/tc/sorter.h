/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * sorter.h - the program that leads a packet into its shard (model/shard.h).
 *
 * nftables gives a packet of class 11 in shard 2 the priority 2:11. The
 * outermost HTB has no such class, so it asks its filters (htb_classify() of
 * net/sched/sch_htb.c); this one says 1:ff02. Behind that class the shard's own
 * HTB finds 2:11. Classic BPF cannot see the priority, so it is eBPF, eight
 * instructions, the same for every tree. cls_flow could do it too, but is on
 * fewer kernels.
 */
#ifndef BACKENDS_TC_SORTER_H
#define BACKENDS_TC_SORTER_H

#include <stdint.h>

struct err;

/* What the kernel calls a program by its content (bpf_prog_calc_tag()). */
#define SORTER_TAG_SIZE 8
/* Name of the filter. */
#define SORTER_NAME "tresse-shards"

/* Loads it. A descriptor, the caller's to close, or a negative errno: EPERM in
 * a user namespace of one's own. tag may be NULL. */
int sorter_load(uint8_t tag[SORTER_TAG_SIZE], struct err *err);

#endif
