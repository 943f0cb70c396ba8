/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/engine/ring.h"

#include <assert.h>
#include <sys/mman.h>

enum {
	HEADER = RING_ALIGN, /* bytes before a record: its size */
	LINE = 64,	     /* of the processor's cache */
};
#define PASSED_OVER SIZE_MAX /* in place of a size: go on at the start */

struct ring {
	uint8_t *bytes;
	size_t size;

	/* Places count on for ever; modulo size they are in the ring. */
	_Alignas(LINE) size_t head; /* the writer's: what it has put */
	size_t tail_seen;
	size_t room; /* where the head goes with the next ring_put() */

	_Alignas(LINE) size_t tail; /* the reader's: what it has taken */
	size_t head_seen;
	size_t taking; /* where the tail goes with the next ring_took() */
};

struct ring *ring_new(size_t bytes)
{
	struct ring *ring = NULL;

	assert(bytes >= 4096 && !(bytes & (bytes - 1)));
	if (posix_memalign((void **)&ring, LINE, sizeof(*ring)))
		abort();
	memset(ring, 0, sizeof(*ring));
	ring->size = bytes;
	ring->bytes = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (ring->bytes == MAP_FAILED)
		abort(); /* as mem_alloc() does */
	return ring;
}

void ring_free(struct ring *ring)
{
	if (!ring)
		return;
	munmap(ring->bytes, ring->size);
	free(ring);
}

static size_t whole(size_t size)
{
	return HEADER + ((size + RING_ALIGN - 1) & ~(size_t)(RING_ALIGN - 1));
}

static void put_size(struct ring *ring, size_t at, size_t size)
{
	memcpy(ring->bytes + (at & (ring->size - 1)), &size, sizeof(size));
}

/* Are so many bytes free behind the head? */
static bool has_room(struct ring *ring, size_t bytes)
{
	if (ring->head + bytes - ring->tail_seen <= ring->size)
		return true;
	ring->tail_seen = __atomic_load_n(&ring->tail, __ATOMIC_ACQUIRE);
	return ring->head + bytes - ring->tail_seen <= ring->size;
}

void *ring_room(struct ring *ring, size_t size)
{
	size_t bytes = whole(size), at = ring->head;
	size_t left = ring->size - (at & (ring->size - 1));

	if (size > ring->size / 2 - HEADER)
		return NULL;
	if (!has_room(ring, left < bytes ? left + bytes : bytes))
		return NULL;
	if (left < bytes) {
		put_size(ring, at, PASSED_OVER);
		at += left;
	}
	put_size(ring, at, size);
	ring->room = at + bytes;
	return ring->bytes + (at & (ring->size - 1)) + HEADER;
}

void ring_put(struct ring *ring)
{
	__atomic_store_n(&ring->head, ring->room, __ATOMIC_RELEASE);
}

bool ring_has(struct ring *ring)
{
	if (ring->tail != ring->head_seen)
		return true;
	ring->head_seen = __atomic_load_n(&ring->head, __ATOMIC_ACQUIRE);
	return ring->tail != ring->head_seen;
}

void *ring_next(struct ring *ring, size_t *size)
{
	size_t at = ring->tail, place;

	if (!ring_has(ring))
		return NULL;
	place = at & (ring->size - 1);
	memcpy(size, ring->bytes + place, sizeof(*size));
	if (*size == PASSED_OVER) {
		at += ring->size - place;
		place = 0;
		memcpy(size, ring->bytes, sizeof(*size));
	}
	ring->taking = at + whole(*size);
	return ring->bytes + place + HEADER;
}

void ring_took(struct ring *ring)
{
	__atomic_store_n(&ring->tail, ring->taking, __ATOMIC_RELEASE);
}
