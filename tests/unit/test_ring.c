/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/engine/ring.h"

#include <pthread.h>
#include <sched.h>

#include "tests/unit/unit.h"

enum { ACCOUNTS = 64 };

static bool put_for(struct ring *ring, const void *bytes, size_t size,
		    unsigned account)
{
	void *room = ring_room(ring, size, account);

	if (!room)
		return false;
	memcpy(room, bytes, size);
	ring_put(ring);
	return true;
}

static bool put(struct ring *ring, const void *bytes, size_t size)
{
	return put_for(ring, bytes, size, 0);
}

static bool take(struct ring *ring)
{
	size_t size;

	if (!ring_next(ring, &size))
		return false;
	ring_took(ring);
	return true;
}

TEST(ring, gives_what_was_put_in_order_and_whole)
{
	AUTO(ring) struct ring *ring = ring_new(4096, ACCOUNTS);
	const void *record;
	size_t size;

	CU_ASSERT_FALSE(ring_has(ring));
	CU_ASSERT_PTR_NULL(ring_next(ring, &size));
	CU_ASSERT_TRUE(put(ring, "first", 6));
	CU_ASSERT_TRUE(put(ring, "", 0));
	CU_ASSERT_TRUE(put(ring, "second", 7));
	CU_ASSERT_TRUE(ring_has(ring));
	record = ring_next(ring, &size);
	CU_ASSERT_EQUAL(size, 6);
	CU_ASSERT_STRING_EQUAL(record, "first");
	CU_ASSERT_PTR_EQUAL(ring_next(ring, &size), record);
	ring_took(ring);
	CU_ASSERT_PTR_NOT_NULL(ring_next(ring, &size));
	CU_ASSERT_EQUAL(size, 0);
	ring_took(ring);
	record = ring_next(ring, &size);
	CU_ASSERT_STRING_EQUAL(record, "second");
	CU_ASSERT_EQUAL((uintptr_t)record % RING_ALIGN, 0);
	ring_took(ring);
	CU_ASSERT_FALSE(ring_has(ring));
}

TEST(ring, that_is_full_takes_nothing_and_loses_nothing)
{
	AUTO(ring) struct ring *ring = ring_new(4096, ACCOUNTS);
	uint8_t bytes[100] = { 0 };
	unsigned in = 0, out = 0;
	const uint8_t *record;
	size_t size;

	for (; in < 1000; in++) {
		bytes[0] = (uint8_t)in;
		if (!put_for(ring, bytes, sizeof(bytes), in % ACCOUNTS))
			break;
	}
	CU_ASSERT_EQUAL(in, 4096 / 128);
	while ((record = ring_next(ring, &size))) {
		CU_ASSERT_EQUAL(size, sizeof(bytes));
		CU_ASSERT_EQUAL(record[0], (uint8_t)out++);
		ring_took(ring);
	}
	CU_ASSERT_EQUAL(out, in);
	CU_ASSERT_TRUE(put(ring, bytes, sizeof(bytes)));
}

TEST(ring, has_no_room_for_more_than_its_half)
{
	AUTO(ring) struct ring *ring = ring_new(4096, ACCOUNTS);
	static uint8_t bytes[4096];

	CU_ASSERT_PTR_NULL(ring_room(ring, 4096, 0));
	CU_ASSERT_PTR_NULL(ring_room(ring, SIZE_MAX, 0));
	CU_ASSERT_PTR_NULL(ring_room(ring, 2033, 0));
	/* Wherever the head stands, one of half the size fits when empty. */
	for (size_t i = 0; i < 500; i++) {
		size_t size;

		CU_ASSERT_TRUE(put(ring, bytes, 1 + i % 40));
		CU_ASSERT_PTR_NOT_NULL(ring_next(ring, &size));
		ring_took(ring);
		CU_ASSERT_TRUE(put(ring, bytes, 2032));
		CU_ASSERT_PTR_NOT_NULL(ring_next(ring, &size));
		CU_ASSERT_EQUAL(size, 2032);
		ring_took(ring);
	}
}

TEST(ring, room_that_was_not_put_was_never_there)
{
	AUTO(ring) struct ring *ring = ring_new(4096, ACCOUNTS);
	size_t size;

	for (int i = 0; i < 100; i++)
		CU_ASSERT_PTR_NOT_NULL(ring_room(ring, 1000, 0));
	CU_ASSERT_FALSE(ring_has(ring));
	CU_ASSERT_TRUE(put(ring, "x", 2));
	CU_ASSERT_STRING_EQUAL(ring_next(ring, &size), "x");
}

/* --- shares --------------------------------------------------------------- */

enum { BIG = 65536, RECORD = 128, BYTES = RECORD - RING_ALIGN };
static const uint8_t record_bytes[BYTES];

/* Records that fit until one does not. */
static unsigned flood(struct ring *ring, unsigned account)
{
	unsigned count = 0;

	while (put_for(ring, record_bytes, BYTES, account))
		count++;
	return count;
}

TEST(ring, one_that_floods_has_two_thirds_and_others_find_room)
{
	AUTO(ring) struct ring *ring = ring_new(BIG, ACCOUNTS);
	unsigned flooded = flood(ring, 7), found = 0;

	CU_ASSERT_EQUAL(flooded, BIG / RECORD * 2 / 3);
	/* Two who ask for little, and the flooder whenever there is room. */
	for (unsigned i = 0; i < 1000; i++) {
		found += put_for(ring, record_bytes, 40, 8);
		CU_ASSERT_FALSE(put_for(ring, record_bytes, BYTES, 7));
		found += put_for(ring, record_bytes, 40, 9);
		for (unsigned j = 0; j < 10; j++)
			CU_ASSERT_TRUE(take(ring));
		CU_ASSERT(flood(ring, 7) > 0);
	}
	CU_ASSERT_EQUAL(found, 2000);
}

TEST(ring, many_that_flood_have_equal_shares_and_leave_one)
{
	AUTO(ring) struct ring *ring = ring_new(BIG, ACCOUNTS);
	unsigned held[4] = { 0 }, least = UINT32_MAX, most = 0;

	for (bool any = true; any;) {
		any = false;
		for (unsigned i = 0; i < ARRAY_SIZE(held); i++)
			if (put_for(ring, record_bytes, BYTES, i)) {
				held[i]++;
				any = true;
			}
	}
	for (unsigned i = 0; i < ARRAY_SIZE(held); i++) {
		least = held[i] < least ? held[i] : least;
		most = held[i] > most ? held[i] : most;
	}
	CU_ASSERT(most - least <= 1);
	CU_ASSERT(least >= BIG / RECORD * 2 / 9 - 1);
	CU_ASSERT_TRUE(put_for(ring, record_bytes, BYTES, 60));
}

TEST(ring, what_was_taken_is_no_longer_on_the_account)
{
	AUTO(ring) struct ring *ring = ring_new(BIG, ACCOUNTS);
	unsigned first = flood(ring, 3);

	/* Round and round: the ends of the ring are on nobody's account. */
	for (unsigned i = 0; i < 100; i++) {
		while (take(ring))
			;
		CU_ASSERT_TRUE(flood(ring, 3) >= first - 1);
	}
}

/* --- two threads ---------------------------------------------------------- */

enum { RECORDS = 200000 };

/* Sizes from nothing to a whole super-packet of a small ring; each byte follows
 * from the number of the record. */
static size_t size_of(uint32_t number)
{
	return 4 + (number * 2654435761U >> 20) % 1500;
}

static void *write_all(void *arg)
{
	struct ring *ring = arg;

	for (uint32_t i = 0; i < RECORDS;) {
		size_t size = size_of(i);
		uint8_t *room = ring_room(ring, size, i % ACCOUNTS);

		if (!room) {
			sched_yield();
			continue;
		}
		memset(room, (int)(i & 0xff), size);
		memcpy(room, &i, sizeof(i));
		ring_put(ring);
		i++;
	}
	return NULL;
}

static bool is_right(const uint8_t *record, size_t size, uint32_t number)
{
	uint32_t read;

	memcpy(&read, record, sizeof(read));
	if (size != size_of(number) || read != number)
		return false;
	for (size_t i = sizeof(read); i < size; i++)
		if (record[i] != (uint8_t)number)
			return false;
	return true;
}

TEST(ring, between_two_threads_loses_and_mixes_nothing)
{
	AUTO(ring) struct ring *ring = ring_new(16384, ACCOUNTS);
	uint32_t next = 0, wrong = 0;
	pthread_t writer;

	CU_ASSERT_EQUAL_FATAL(pthread_create(&writer, NULL, write_all, ring),
			      0);
	while (next < RECORDS) {
		const uint8_t *record;
		size_t size;

		record = ring_next(ring, &size);
		if (!record) {
			sched_yield();
			continue;
		}
		wrong += !is_right(record, size, next++);
		ring_took(ring);
	}
	pthread_join(writer, NULL);
	CU_ASSERT_EQUAL(wrong, 0);
	CU_ASSERT_FALSE(ring_has(ring));
}
