/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * ring.h - what one thread hands to one other: records of any size, in order,
 * through a ring of bytes, without a lock and without allocating.
 *
 *     bytes   [ size | record | size | record |   free   | size | record ]
 *                                              ^ head     ^ tail
 *
 * One thread writes and one reads (Lamport, "Specifying concurrent program
 * modules", 1983). Each end keeps what it last saw of the other's place, so
 * that the cache line with it moves only when the ring seems full, or empty
 * (Lee et al., MCRingBuffer, IPDPS 2010). A record is never split: what is left
 * at the end of the ring and too short for it is passed over.
 *
 * A ring is bounded, and who finds it full loses what he has: he counts it.
 * Each record is on somebody's account, and no account may hold more than twice
 * what is free (Choudhury and Hahne, "Dynamic queue length thresholds for
 * shared-memory packet switches", IEEE/ACM Transactions on Networking 6(2),
 * 1998). So one that floods has two thirds of the ring, n of them have 2/(1+2n)
 * each, and who holds nothing finds room as long as they leave any, which they
 * always do.
 */
#ifndef BACKENDS_ENGINE_RING_H
#define BACKENDS_ENGINE_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/base/mem.h"

enum { RING_ALIGN = 16 }; /* of records */

struct ring;

/* bytes: a power of two, 4096 or more; accounts: how many, at least 1. Memory
 * is taken as it is used. */
struct ring *ring_new(size_t bytes, unsigned accounts);
void ring_free(struct ring *ring);
AUTO_DEFINE(ring, struct ring *, ring_free)

/* The writer's. Room for a record of size bytes on that account; NULL: it is
 * full, the account holds its share, or the record is longer than half the
 * ring. Filled, it is put; before that it may be left, or asked for anew. */
void *ring_room(struct ring *ring, size_t size, unsigned account);
/* The record is there now: the one whose room was asked for last. */
void ring_put(struct ring *ring);

/* The reader's. The oldest record, with its size; NULL: there is none. Until
 * ring_took() it is the reader's, also to write to. */
void *ring_next(struct ring *ring, size_t *size);
void ring_took(struct ring *ring);
/* Is there one? */
bool ring_has(struct ring *ring);

#endif
