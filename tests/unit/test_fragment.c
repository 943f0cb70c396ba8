/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/engine/fragment.h"

#include <errno.h>
#include <string.h>

#include "backends/engine/tun.h"
#include "backends/engine/wire.h"
#include "tests/unit/unit.h"

enum { ROOM = FRAGMENT_HEADER + FRAGMENT_WHOLE, NOW = 1000000 };

static void fill(uint8_t *bytes, size_t size, uint32_t number)
{
	for (size_t i = 0; i < size; i++)
		bytes[i] = (uint8_t)(i * 31 + i / 256 + number * 7);
}

/* Fragment number index of a packet of so many bytes, as the sender cuts it;
 * returns its size. */
static size_t piece(uint32_t number, size_t size, unsigned count,
		    unsigned index, uint8_t out[ROOM])
{
	uint8_t whole[FRAGMENT_WHOLE];
	struct tun_packet packet = { .data = whole,
				     .size = (uint32_t)size,
				     .count = (uint16_t)count,
				     /* 0 would be none. */
				     .fragment = number + 1 };

	fill(whole, size, number);
	return tun_cut(&packet, index, out);
}

/* That it came in: the whole packet's size if it is there now, and right. */
static size_t put(struct joiner *joiner, uint32_t number, size_t size,
		  unsigned count, unsigned index, uint64_t now)
{
	uint8_t payload[ROOM], expected[FRAGMENT_WHOLE];
	size_t length = piece(number, size, count, index, payload), whole = 0;
	const uint8_t *joined =
		joiner_put(joiner, payload, length, 0, now, &whole);

	if (!joined)
		return 0;
	fill(expected, size, number);
	CU_ASSERT_EQUAL(whole, size);
	CU_ASSERT(!memcmp(joined, expected, size));
	return whole;
}

TEST(fragment, there_are_as_few_as_the_room_allows)
{
	CU_ASSERT_EQUAL(fragment_count(1200, 1200), 1);
	CU_ASSERT_EQUAL(fragment_count(1201, 1200), 2);
	CU_ASSERT_EQUAL(fragment_count(1280, 648), 2);
	CU_ASSERT_EQUAL(fragment_count(1280, 647), 3);
	CU_ASSERT_EQUAL(fragment_count(1280, 516), 3);
	CU_ASSERT_EQUAL(fragment_count(1298, 400), 4);
	CU_ASSERT_EQUAL(fragment_count(2048, 520), 4);
	/* These do not go. */
	CU_ASSERT_EQUAL(fragment_count(2048, 519), 0);
	CU_ASSERT_EQUAL(fragment_count(2049, 1440), 0);
	CU_ASSERT_EQUAL(fragment_count(9000, 1440), 0);
}

TEST(fragment, none_is_longer_than_the_room_and_all_are_the_packet)
{
	for (size_t size = 401; size <= FRAGMENT_WHOLE; size++) {
		const unsigned room = 400 + (unsigned)size % 700;
		unsigned count = fragment_count(size, room);
		size_t at = 0;

		for (unsigned i = 0; count > 1 && i < count; i++) {
			struct fragment one = { 1, (uint16_t)size, (uint8_t)i,
						(uint8_t)count };

			CU_ASSERT_EQUAL(fragment_offset(&one), at);
			CU_ASSERT(fragment_length(&one) > 0);
			CU_ASSERT(fragment_length(&one) + FRAGMENT_HEADER <=
				  room);
			at += fragment_length(&one);
		}
		CU_ASSERT(count <= 1 || at == size);
	}
}

TEST(fragment, a_header_is_read_as_it_was_written)
{
	struct fragment one = { 0xfedcba98, 1280, 2, 3 }, other;
	uint8_t payload[ROOM] = { 0 };

	fragment_print(&one, payload);
	CU_ASSERT_EQUAL(fragment_parse(&other, payload,
				       FRAGMENT_HEADER + fragment_length(&one)),
			0);
	CU_ASSERT(other.number == one.number && other.size == one.size &&
		  other.index == one.index && other.count == one.count);
}

TEST(fragment, one_that_makes_no_sense_is_refused)
{
	static const struct fragment wrong[] = {
		{ 1, 1280, 0, 0 },     { 1, 1280, 0, 1 }, { 1, 1280, 2, 2 },
		{ 1, 1280, 0, 5 },     { 1, 2049, 0, 2 }, { 1, 65535, 0, 4 },
		{ 1, 1280, 255, 255 }, { 1, 0, 0, 2 },	  { 1, 9, 3, 4 },
	};
	struct fragment one = { 1, 1280, 0, 2 };
	uint8_t payload[ROOM] = { 0 };

	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		fragment_print(&wrong[i], payload);
		for (size_t size = 0; size <= ROOM; size++)
			CU_ASSERT_EQUAL(fragment_parse(&one, payload, size),
					-EBADMSG);
	}
	one = (struct fragment){ 1, 1280, 0, 2 };
	fragment_print(&one, payload);
	for (size_t size = 0; size <= ROOM; size++)
		CU_ASSERT_EQUAL(fragment_parse(&one, payload, size),
				size == FRAGMENT_HEADER + 640 ? 0 : -EBADMSG);
}

TEST(joiner, joins_them_in_whatever_order_they_come)
{
	static const uint8_t orders[][3] = { { 0, 1, 2 }, { 0, 2, 1 },
					     { 1, 0, 2 }, { 1, 2, 0 },
					     { 2, 0, 1 }, { 2, 1, 0 } };
	AUTO(joiner) struct joiner *joiner = joiner_new();
	struct joiner_stats stats;

	for (uint32_t i = 0; i < 6; i++) {
		CU_ASSERT(!put(joiner, i, 1280 + i, 3, orders[i][0], NOW));
		CU_ASSERT(!put(joiner, i, 1280 + i, 3, orders[i][1], NOW));
		CU_ASSERT_EQUAL(put(joiner, i, 1280 + i, 3, orders[i][2], NOW),
				1280 + i);
	}
	joiner_stats(joiner, &stats);
	CU_ASSERT(stats.joined == 6 && !stats.bad && !stats.missing &&
		  !stats.waiting);
}

TEST(joiner, joins_many_that_come_mixed)
{
	AUTO(joiner) struct joiner *joiner = joiner_new();

	for (unsigned index = 0; index < 4; index++)
		for (uint32_t i = 0; i < FRAGMENT_SLOTS; i++) {
			uint32_t number = i * 2654435761U;
			size_t got = put(joiner, number, 1000 + i, 4,
					 (index + i) % 4, NOW + i);

			CU_ASSERT_EQUAL(got, index == 3 ? 1000 + i : 0);
		}
}

TEST(joiner, of_more_than_it_has_room_for_the_oldest_is_given_up)
{
	AUTO(joiner) struct joiner *joiner = joiner_new();
	struct joiner_stats stats;

	for (uint32_t i = 0; i <= FRAGMENT_SLOTS; i++)
		put(joiner, i, 1280, 2, 0, NOW + i);
	for (uint32_t i = FRAGMENT_SLOTS; i > 0; i--)
		CU_ASSERT_EQUAL(put(joiner, i, 1280, 2, 1, NOW + 100), 1280);
	CU_ASSERT(!put(joiner, 0, 1280, 2, 1, NOW + 100));
	joiner_stats(joiner, &stats);
	CU_ASSERT(stats.missing == 1 && stats.waiting == 1);
}

TEST(joiner, does_not_wait_for_ever)
{
	AUTO(joiner) struct joiner *joiner = joiner_new();
	struct joiner_stats stats;

	put(joiner, 7, 1280, 2, 0, NOW);
	CU_ASSERT(!put(joiner, 7, 1280, 2, 1, NOW + FRAGMENT_WAIT_US));
	put(joiner, 8, 1280, 2, 0, NOW + FRAGMENT_WAIT_US);
	CU_ASSERT(put(joiner, 8, 1280, 2, 1, NOW + 2 * FRAGMENT_WAIT_US - 1));
	joiner_stats(joiner, &stats);
	CU_ASSERT(stats.joined == 1 && stats.missing == 1);
	/* Asleep for a day, or a year. */
	put(joiner, 9, 1280, 2, 0, NOW + 86400ULL * 365 * 1000000);
	CU_ASSERT(put(joiner, 9, 1280, 2, 1, NOW + 86400ULL * 365 * 1000000));
}

TEST(joiner, what_came_before_a_restart_is_not_joined_to_what_comes_after)
{
	AUTO(joiner) struct joiner *joiner = joiner_new();

	put(joiner, 1, 1280, 2, 0, NOW);
	joiner_restart(joiner);
	CU_ASSERT(!put(joiner, 1, 1280, 2, 1, NOW));
	for (uint32_t i = 2; i < 3 * FRAGMENT_SLOTS; i++) {
		CU_ASSERT(!put(joiner, i, 1280, 2, 0, NOW));
		CU_ASSERT(put(joiner, i, 1280, 2, 1, NOW));
	}
}

TEST(joiner, fragments_that_do_not_agree_are_no_packet)
{
	AUTO(joiner) struct joiner *joiner = joiner_new();
	uint8_t payload[ROOM];
	struct joiner_stats stats;
	size_t size, whole;

	/* Another size, another count, another kind of checksum. */
	put(joiner, 1, 1280, 2, 0, NOW);
	CU_ASSERT(!put(joiner, 1, 1278, 2, 1, NOW));
	put(joiner, 2, 1280, 2, 0, NOW);
	CU_ASSERT(!put(joiner, 2, 1280, 3, 1, NOW));
	put(joiner, 3, 1280, 2, 0, NOW);
	size = piece(3, 1280, 2, 1, payload);
	CU_ASSERT(
		!joiner_put(joiner, payload, size, WIRE_UNSUMMED, NOW, &whole));
	joiner_stats(joiner, &stats);
	CU_ASSERT(stats.bad == 3 && stats.missing == 3 && !stats.joined &&
		  !stats.waiting);
}

TEST(joiner, the_same_one_twice_is_the_first)
{
	AUTO(joiner) struct joiner *joiner = joiner_new();
	uint8_t payload[ROOM];
	struct joiner_stats stats;
	size_t size, whole;

	put(joiner, 1, 1280, 2, 0, NOW);
	size = piece(1, 1280, 2, 0, payload);
	memset(payload + FRAGMENT_HEADER, 0xee, size - FRAGMENT_HEADER);
	CU_ASSERT(!joiner_put(joiner, payload, size, 0, NOW, &whole));
	CU_ASSERT_EQUAL(put(joiner, 1, 1280, 2, 1, NOW), 1280);
	joiner_stats(joiner, &stats);
	CU_ASSERT(stats.bad == 1 && stats.joined == 1);
}

TEST(joiner, a_flood_of_first_fragments_takes_no_more_than_there_is)
{
	AUTO(joiner) struct joiner *joiner = joiner_new();
	struct joiner_stats stats;

	for (uint32_t i = 0; i < 100000; i++)
		put(joiner, i, 2048, 4, i % 4, NOW + i / 1000);
	joiner_stats(joiner, &stats);
	CU_ASSERT_EQUAL(stats.waiting, FRAGMENT_SLOTS);
	CU_ASSERT_EQUAL(stats.missing, 100000 - FRAGMENT_SLOTS);
	/* And whoever comes then is served. */
	CU_ASSERT(!put(joiner, 200000, 1280, 2, 1, NOW + 200));
	CU_ASSERT(put(joiner, 200000, 1280, 2, 0, NOW + 200));
}
