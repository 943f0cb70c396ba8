/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * sums.h - what the classes below a class or an uplink have together.
 *
 * Rates are summed up twice: what a class promises to those below it has to be
 * within its own, and a shard (shard.h) may do what its classes may. Its prio
 * is the lowest of its leaves. Who changes one class among 10,000 has not read
 * the others for that. The store keeps the sums (store_sums.c), and a part of
 * the tree has with each node what those below it have together that are not
 * there: its rest (node_rest()).
 *
 *     all             rest: 499 classes in shard 2, 499mbit; 500 in shard 3 ...
 *       c7  1mbit     the one that was read
 */
#ifndef MODEL_SUMS_H
#define MODEL_SUMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct node;

#define SUM_PRIOS 8
enum sum_number {
	SUM_CLASSES, /* children */
	SUM_RATE,    /* bit/s, of the children */
	SUM_BYTES,   /* byte/s, each cut by itself (class_rate_bytes()) */
	SUM_MARKS,   /* leaves at and below them that have a mark */
	SUM_ODD,     /* ...which is not the minor of their classid */
	SUM_PRIO,    /* leaves at and below them of each prio, from 0 up */
	SUM_NUMBERS = SUM_PRIO + SUM_PRIOS
};

/* Of the children that their parent's numbers lead to one shard, or to none. */
struct sum {
	uint32_t shard; /* 0: none */
	uint64_t of[SUM_NUMBERS];
};

struct sums {
	struct sum *items; /* owned, by shard */
	size_t count, room;
};
#define SUMS_NONE ((struct sums){ 0 })

void sums_clear(struct sums *sums);
void sums_free(struct sums *sums); /* and itself */

/* Adds those of all classes below parent, its rest too. */
void sums_of(const struct node *parent, struct sums *sums);
/* The one of a shard, made if it is not there; until the next one is made. */
struct sum *sums_at(struct sums *sums, uint32_t shard);
/* Takes off a class, with all below it. False: it cannot have been in there,
 * and they are of no use. */
bool sums_without(struct sums *sums, const struct node *class);
/* Of a node somewhere above a class whose rate or prio changed: from those that
 * it had when the tree was clean to those that it has now. Gives the one
 * that is another now; NULL as above. */
const struct sum *sums_shift(struct sums *sums, const struct node *above,
			     const struct node *class);
/* What they were when the tree was clean, where nothing else changed. */
void sums_were(const struct node *parent, struct sums *sums);
/* One number, of all. */
uint64_t sums_total(const struct sums *sums, enum sum_number number);
/* SUM_PRIOS: there is no leaf. */
uint32_t sum_lowest_prio(const struct sum *sum);

#endif
