/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * shard.h - an HTB tree of thousands of classes, as several small ones.
 *
 * For each new class the kernel walks all classes of the same qdisc
 * (tc_bind_tclass() of net/sched/sch_api.c): 10,000 in one HTB take it 6 s and
 * more. So the children of a class that has too many are dealt out to HTBs of
 * their own, shards, which hang below it:
 *
 *     1:              the outermost HTB
 *       1:1           all, rate 1gbit
 *         1:ff02      shard 2: as much rate as its classes have together,
 *                     and the ceil of the class above
 *           2:        its HTB
 *             2:ff02  lends without a limit; 1:ff02 is the limit
 *               2:11  what the tree calls 1:11
 *         1:ff03      shard 3 ...
 *
 * Rates, ceils, and all of what is below a child are as in one HTB. What is
 * left over is not: it is shared by the shards first, and by prio and quantum
 * only within each.
 *
 * `shards` of a class or an uplink has the numbers. Which of them a child goes
 * to follows from its classid alone, with all that is below it: so no class
 * moves when others come and go. A child that has shards itself stays outside.
 */
#ifndef MODEL_SHARD_H
#define MODEL_SHARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct facts;
struct node;
struct report;

/* From the number of classes in one HTB on that the children of the largest are
 * dealt out, about so many to a shard. */
#define SHARD_ABOVE   2000u
#define SHARD_CLASSES 500u
/* Majors of shards: 1: is the root, 100: and up are leaves. */
#define SHARD_FIRST 2
#define SHARD_LAST  255
/* Minor of the class that shard n hangs in, outside and inside: ff00 + n. */
#define SHARD_MINOR 0xff00u

/* Can this uplink have shards at all? nftables has to say the class, since its
 * priority names one of any HTB. */
bool uplink_may_shard(const struct node *uplink);
/* ...and can this kernel (the program that leads into them)? */
bool uplink_shards(const struct node *uplink, const struct facts *facts);

/* Numbers of a class or an uplink; count 0: its children are not dealt out. */
size_t shard_count(const struct node *parent);
/* Number that a class is in, or 0: the outermost HTB. Only where
 * uplink_shards(). */
uint32_t shard_of(const struct node *class);
/* The one that its parent's own numbers lead it to, wherever that parent is
 * itself; 0: to none. */
uint32_t shard_by_parent(const struct node *class);
/* The class's number to the kernel: major of its HTB, minor of its classid. */
uint32_t class_handle(const struct node *class, bool shards);

/* One shard, and what its classes have together. */
struct shard {
	uint32_t number;
	size_t children;     /* 0: it is not made */
	uint64_t rate_bytes; /* of all children */
};
/* Fills shards, SHARD_LAST + 1 of them, by number. Returns the lowest prio
 * among their leaves. */
uint32_t shard_sum(const struct node *parent, struct shard *shards);
/* As it was when the tree was clean, where only rates and prios changed. */
uint32_t shard_sum_was(const struct node *parent, struct shard *shards);

/* Deals out where too many classes are in one HTB; what was chosen stays. */
void shard_choose(struct node *uplink, struct report *report);
/* Marks the numbers that an uplink's shards have, or that its classids keep
 * from them, in used, SHARD_LAST + 1 of them. */
void shard_use(const struct node *uplink, bool *used);
/* Gives a class that deals out others as many other numbers, that are not used
 * yet. false: there are not so many. */
bool shard_aside(struct node *class, bool *used);

/* Numbers that two want, classids that shards need; more than SHARD_ABOVE
 * classes where there can be no shards, unless the uplink says shards=none. */
void shard_check(const struct node *uplink, struct report *report);

#endif
