/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/engine/ring.h"

#include <assert.h>
#include <sys/mman.h>

enum {
	LINE = 64,   /* of the processor's cache */
	PAGE = 4096, /* what is taken as it is used */
	OF_FREE = 2, /* an account may hold so many times what is free */
};
#define PASSED_OVER SIZE_MAX /* in place of a size: go on at the start */

/* Before each record. */
struct header {
	size_t size;
	uint32_t account;
};
enum { HEADER = RING_ALIGN };
_Static_assert(sizeof(struct header) <= HEADER, "records are aligned");

struct ring {
	uint8_t *bytes;
	size_t size;
	unsigned accounts;
	size_t columns; /* bytes of each of these three, by account */

	/* Places count on for ever; modulo size they are in the ring. So do
	 * bytes of an account, modulo 2^32: it holds less. */
	_Alignas(LINE) size_t head; /* the writer's: what it has put */
	size_t tail_seen;
	size_t room; /* where the head goes with the next ring_put() */
	uint32_t *put, *taken_seen;
	uint32_t putting, on; /* bytes, and their account, with the next one */

	_Alignas(LINE) size_t tail; /* the reader's: what it has taken */
	size_t head_seen;
	size_t taking; /* where the tail goes with the next ring_took() */
	uint32_t *taken;
	uint32_t takes, of; /* bytes, and their account, with the next one */
};

/* Only what is touched has memory. */
static void *reserve(size_t bytes)
{
	void *got = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (got == MAP_FAILED)
		abort(); /* as mem_alloc() does */
	return got;
}

struct ring *ring_new(size_t bytes, unsigned accounts)
{
	struct ring *ring = NULL;
	uint8_t *columns;

	assert(bytes >= 4096 && !(bytes & (bytes - 1)) && accounts);
	if (posix_memalign((void **)&ring, LINE, sizeof(*ring)))
		abort();
	memset(ring, 0, sizeof(*ring));
	ring->size = bytes;
	ring->bytes = reserve(bytes);
	ring->accounts = accounts;
	/* On pages of their own: the reader writes to one of them. */
	ring->columns =
		(accounts * sizeof(uint32_t) + PAGE - 1) & ~(size_t)(PAGE - 1);
	columns = reserve(3 * ring->columns);
	ring->put = (uint32_t *)columns;
	ring->taken_seen = (uint32_t *)(columns + ring->columns);
	ring->taken = (uint32_t *)(columns + 2 * ring->columns);
	return ring;
}

void ring_free(struct ring *ring)
{
	if (!ring)
		return;
	munmap(ring->bytes, ring->size);
	munmap(ring->put, 3 * ring->columns);
	free(ring);
}

static size_t whole(size_t size)
{
	return HEADER + ((size + RING_ALIGN - 1) & ~(size_t)(RING_ALIGN - 1));
}

static void put_header(struct ring *ring, size_t at, size_t size,
		       unsigned account)
{
	struct header header = { size, account };

	memcpy(ring->bytes + (at & (ring->size - 1)), &header, sizeof(header));
}

/* --- the writer ----------------------------------------------------------- */

/* Are so many bytes free behind the head, and may this account have a record of
 * them? One that holds nothing may have its first, whatever is free. */
static bool may_put(const struct ring *ring, size_t bytes, size_t record,
		    unsigned account)
{
	size_t free = ring->size - (ring->head - ring->tail_seen);
	uint32_t held = ring->put[account] - ring->taken_seen[account];

	return bytes <= free &&
	       (!held || held + record <= OF_FREE * (free - bytes));
}

/* As far as the reader is now. Both may be a record apart, which only shifts a
 * share by that: what is free is said by the tail alone. */
static void look(struct ring *ring, unsigned account)
{
	ring->taken_seen[account] =
		__atomic_load_n(&ring->taken[account], __ATOMIC_RELAXED);
	ring->tail_seen = __atomic_load_n(&ring->tail, __ATOMIC_ACQUIRE);
}

void *ring_room(struct ring *ring, size_t size, unsigned account)
{
	size_t record = whole(size), at = ring->head;
	size_t left = ring->size - (at & (ring->size - 1));
	size_t bytes = left < record ? left + record : record;

	assert(account < ring->accounts);
	if (size > ring->size / 2 - HEADER)
		return NULL;
	if (!may_put(ring, bytes, record, account)) {
		look(ring, account);
		if (!may_put(ring, bytes, record, account))
			return NULL;
	}
	if (left < record) {
		put_header(ring, at, PASSED_OVER, 0);
		at += left;
	}
	put_header(ring, at, size, account);
	ring->room = at + record;
	ring->putting = (uint32_t)record;
	ring->on = account;
	return ring->bytes + (at & (ring->size - 1)) + HEADER;
}

void ring_put(struct ring *ring)
{
	ring->put[ring->on] += ring->putting;
	__atomic_store_n(&ring->head, ring->room, __ATOMIC_RELEASE);
}

/* --- the reader ----------------------------------------------------------- */

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
	struct header header;

	if (!ring_has(ring))
		return NULL;
	place = at & (ring->size - 1);
	memcpy(&header, ring->bytes + place, sizeof(header));
	if (header.size == PASSED_OVER) {
		at += ring->size - place;
		place = 0;
		memcpy(&header, ring->bytes, sizeof(header));
	}
	*size = header.size;
	ring->takes = (uint32_t)whole(header.size);
	ring->of = header.account;
	ring->taking = at + ring->takes;
	return ring->bytes + place + HEADER;
}

void ring_took(struct ring *ring)
{
	uint32_t *taken = &ring->taken[ring->of];

	__atomic_store_n(taken, *taken + ring->takes, __ATOMIC_RELAXED);
	__atomic_store_n(&ring->tail, ring->taking, __ATOMIC_RELEASE);
}
