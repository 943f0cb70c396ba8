/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/engine/reorder.h"

#include <string.h>
#include <time.h>

#include "tests/unit/unit.h"

enum { SECOND = 1000000, SKEW = 50000, RECOVER = 40000, BIG = 65 };

struct bench {
	struct reorder *reorder;
	uint32_t got[256];
	unsigned count;
};

static void take(void *context, const uint8_t *packet, size_t size,
		 uint8_t flags)
{
	struct bench *bench = context;

	(void)flags;
	CU_ASSERT(size == sizeof(uint32_t) || size == BIG);
	if (bench->count < 256)
		memcpy(&bench->got[bench->count++], packet, sizeof(uint32_t));
}

static void start(struct bench *bench, uint16_t packets)
{
	struct reorder_setup setup = {
		.packets = packets,
		.packet_bytes = 64,
		.most_us = 300000,
		.deliver = take,
		.context = bench,
	};
	struct reorder_patience patience = { SKEW, RECOVER };

	*bench = (struct bench){ .reorder = reorder_new(&setup) };
	reorder_patience(bench->reorder, &patience);
}

static void put(struct bench *bench, uint16_t bucket, uint32_t seq,
		unsigned lane, uint64_t now)
{
	reorder_put(bench->reorder, bucket, seq, lane, (uint8_t *)&seq,
		    sizeof(seq), 0, SECOND + now);
}

static void expect(struct bench *bench, const uint32_t *seqs, unsigned count)
{
	CU_ASSERT_EQUAL(bench->count, count);
	for (unsigned i = 0; i < count && i < bench->count; i++)
		CU_ASSERT_EQUAL(bench->got[i], seqs[i]);
	bench->count = 0;
}

#define EXPECT(bench, ...)                                                     \
	expect(bench, (const uint32_t[]){ __VA_ARGS__ },                       \
	       sizeof((const uint32_t[]){ __VA_ARGS__ }) / sizeof(uint32_t))
#define EXPECT_NOTHING(bench) CU_ASSERT_EQUAL((bench)->count, 0)

TEST(reorder, hands_on_at_once_what_is_in_its_turn)
{
	struct bench bench;

	start(&bench, 16);
	for (uint32_t i = 0; i < 4; i++)
		put(&bench, 9, i, 0, 0);
	EXPECT(&bench, 0, 1, 2, 3);
	reorder_free(bench.reorder);
}

TEST(reorder, waits_for_what_is_missing_and_then_gives_all)
{
	struct bench bench;

	start(&bench, 16);
	put(&bench, 9, 0, 0, 0);
	put(&bench, 9, 3, 0, 1);
	put(&bench, 9, 2, 0, 2);
	EXPECT(&bench, 0);
	put(&bench, 9, 1, 1, 40000);
	EXPECT(&bench, 1, 2, 3);
	reorder_free(bench.reorder);
}

TEST(reorder, one_flows_hole_is_no_others)
{
	struct bench bench;

	start(&bench, 16);
	put(&bench, 9, 1, 0, 0);
	put(&bench, 10, 0, 0, 1);
	put(&bench, 10, 1, 0, 2);
	EXPECT(&bench, 0, 1);
	reorder_free(bench.reorder);
}

TEST(reorder, stops_waiting_at_the_deadline)
{
	struct bench bench;

	start(&bench, 16);
	put(&bench, 9, 0, 0, 0);
	put(&bench, 9, 0x80, 1, 0); /* both lanes are in use */
	bench.count = 0;
	put(&bench, 9, 2, 0, 100);
	CU_ASSERT(reorder_next(bench.reorder) <= SECOND + 100 + SKEW + RECOVER);
	reorder_timer(bench.reorder, SECOND + 99 + SKEW + RECOVER);
	CU_ASSERT_EQUAL(bench.count, 0);
	reorder_timer(bench.reorder, SECOND + 100 + SKEW + RECOVER);
	CU_ASSERT(bench.count >= 1);
	CU_ASSERT_EQUAL(bench.got[0], 2);
	reorder_free(bench.reorder);
}

TEST(reorder, a_flow_of_one_lane_waits_for_recovery_only)
{
	struct bench bench;

	start(&bench, 16);
	put(&bench, 9, 0, 3, 0);
	put(&bench, 9, 2, 3, 100);
	EXPECT(&bench, 0);
	reorder_timer(bench.reorder, SECOND + 100 + RECOVER);
	EXPECT(&bench, 2);
	reorder_free(bench.reorder);
}

TEST(reorder, what_comes_after_all_is_still_handed_on_once)
{
	struct bench bench;

	start(&bench, 16);
	put(&bench, 9, 0, 3, 0);
	put(&bench, 9, 2, 3, 100);
	reorder_timer(bench.reorder, SECOND + SECOND / 2);
	EXPECT(&bench, 0, 2);
	put(&bench, 9, 1, 3, SECOND);
	put(&bench, 9, 1, 3, SECOND);
	EXPECT(&bench, 1);
	reorder_free(bench.reorder);
}

TEST(reorder, drops_second_copies_early_late_and_held)
{
	struct bench bench;
	struct braid_stats stats = { 0 };

	start(&bench, 16);
	put(&bench, 9, 0, 0, 0);
	put(&bench, 9, 0, 1, 1);
	put(&bench, 9, 2, 0, 2);
	put(&bench, 9, 2, 1, 3);
	put(&bench, 9, 1, 0, 4);
	put(&bench, 9, 2, 0, 5);
	EXPECT(&bench, 0, 1, 2);
	reorder_stats(bench.reorder, &stats);
	CU_ASSERT_EQUAL(stats.known, 3);
	CU_ASSERT_EQUAL(stats.waiting, 0);
	reorder_free(bench.reorder);
}

TEST(reorder, does_not_wait_for_what_is_known_not_to_come)
{
	struct bench bench;

	start(&bench, 16);
	put(&bench, 9, 1, 0, 0);
	put(&bench, 9, 3, 0, 0);
	reorder_skip(bench.reorder, 9, 2, SECOND + 1);
	EXPECT_NOTHING(&bench);
	reorder_skip(bench.reorder, 9, 0, SECOND + 2);
	EXPECT(&bench, 1, 3);
	reorder_free(bench.reorder);
}

TEST(reorder, hands_on_early_when_there_is_no_room_to_wait)
{
	struct bench bench;
	struct braid_stats stats = { 0 };

	start(&bench, 4);
	for (uint32_t i = 1; i <= 6; i++)
		put(&bench, 9, i, 0, i);
	EXPECT(&bench, 1, 2, 3, 4, 5, 6);
	put(&bench, 9, 0, 0, 10); /* late, but wanted */
	EXPECT(&bench, 0);
	reorder_stats(bench.reorder, &stats);
	CU_ASSERT(stats.full > 0);
	reorder_free(bench.reorder);
}

TEST(reorder, counts_on_past_the_end_of_the_numbers)
{
	struct bench bench;
	uint32_t last = (1U << WIRE_SEQ_BITS) - 1;

	start(&bench, 16);
	for (uint32_t i = 0; i < last; i++)
		put(&bench, 9, i, 0, 0);
	bench.count = 0;
	put(&bench, 9, 0, 0, 1);
	EXPECT_NOTHING(&bench);
	put(&bench, 9, last, 0, 2);
	EXPECT(&bench, last, 0);
	reorder_free(bench.reorder);
}

TEST(reorder, keeps_the_loose_from_arriving_twice)
{
	struct bench bench;

	start(&bench, 16);
	put(&bench, WIRE_BUCKET_ANY, 5, 0, 0);
	put(&bench, WIRE_BUCKET_ANY, 3, 0, 0);
	put(&bench, WIRE_BUCKET_ANY, 5, 1, 0);
	put(&bench, WIRE_BUCKET_ANY, 3, 1, 0);
	put(&bench, WIRE_BUCKET_ANY, 100000, 1, 0);
	put(&bench, WIRE_BUCKET_ANY, 5, 1, 0);
	put(&bench, WIRE_BUCKET_ANY, 99999, 1, 0);
	EXPECT(&bench, 5, 3, 100000, 99999);
	reorder_free(bench.reorder);
}

TEST(reorder, begins_anew_and_loses_nothing_that_waits)
{
	struct bench bench;

	start(&bench, 16);
	put(&bench, 9, 0, 0, 0);
	put(&bench, 9, 2, 0, 0);
	put(&bench, 8, 7, 0, 0);
	bench.count = 0;
	reorder_restart(bench.reorder);
	CU_ASSERT_EQUAL(bench.count, 2);
	bench.count = 0;
	put(&bench, 9, 0, 0, 1);
	EXPECT(&bench, 0);
	reorder_free(bench.reorder);
}

TEST(reorder, counts_on_behind_a_rest)
{
	struct bench bench;

	start(&bench, 16);
	put(&bench, 1, 0, 0, 0);
	put(&bench, 1, 1, 0, 0);
	put(&bench, 2, 0, 0, 0);
	bench.count = 0;
	for (int i = 0; i < 3; i++) {
		CU_ASSERT(reorder_rest(bench.reorder));
		CU_ASSERT(reorder_rest(bench.reorder));
		put(&bench, 1, 2 + (uint32_t)i, 0, 10);
		put(&bench, 3, (uint32_t)i, 0, 10);
	}
	EXPECT(&bench, 2, 0, 3, 1, 4, 2);
	put(&bench, 1, 1, 0, 20);
	put(&bench, 2, 0, 0, 20);
	CU_ASSERT_EQUAL(bench.count, 0); /* copies from before it */
	put(&bench, 2, 1, 0, 20);
	EXPECT(&bench, 1);
	reorder_free(bench.reorder);
}

TEST(reorder, does_not_rest_while_something_waits)
{
	struct bench bench;

	start(&bench, 16);
	put(&bench, 1, 1, 0, 0);
	CU_ASSERT(!reorder_rest(bench.reorder));
	put(&bench, 1, 0, 0, 0);
	EXPECT(&bench, 0, 1);
	CU_ASSERT(reorder_rest(bench.reorder));
	reorder_free(bench.reorder);
}

TEST(reorder, the_loose_of_before_a_rest_do_not_arrive_twice_behind_it)
{
	struct bench bench;

	start(&bench, 16);
	put(&bench, WIRE_BUCKET_ANY, 5, 0, 0);
	CU_ASSERT(reorder_rest(bench.reorder));
	put(&bench, WIRE_BUCKET_ANY, 5, 0, 0);
	put(&bench, WIRE_BUCKET_ANY, 7, 0, 0);
	put(&bench, WIRE_BUCKET_ANY, 6, 0, 0);
	put(&bench, WIRE_BUCKET_ANY, 7, 0, 0);
	EXPECT(&bench, 5, 7, 6);
	reorder_free(bench.reorder);
}

TEST(reorder, puts_any_order_right)
{
	struct bench bench;
	uint32_t random = 1, order[200];

	for (unsigned round = 0; round < 100; round++) {
		start(&bench, 255);
		for (uint32_t i = 0; i < 200; i++)
			order[i] = i;
		for (uint32_t i = 199; i; i--) {
			uint32_t j, swap = order[i];

			random = random * 1664525 + 1013904223;
			j = (random >> 8) % (i + 1);
			order[i] = order[j];
			order[j] = swap;
		}
		for (uint32_t i = 0; i < 200; i++)
			put(&bench, 9, order[i], 0, i);
		CU_ASSERT_EQUAL(bench.count, 200);
		for (uint32_t i = 0; i < 200; i++)
			CU_ASSERT_EQUAL(bench.got[i], i);
		reorder_free(bench.reorder);
	}
}

TEST(reorder, what_is_too_big_to_wait_goes_past_those_before_it)
{
	struct bench bench;
	uint8_t big[BIG] = { 5 };

	start(&bench, 16);
	put(&bench, 9, 0, 0, 0);
	put(&bench, 9, 2, 0, 1);
	put(&bench, 9, 7, 0, 1);
	reorder_put(bench.reorder, 9, 5, 0, big, sizeof(big), 0, SECOND + 2);
	EXPECT(&bench, 0, 2, 5);
	put(&bench, 9, 6, 0, 3);
	put(&bench, 9, 4, 0, 3); /* late */
	put(&bench, 9, 2, 0, 3); /* known */
	EXPECT(&bench, 6, 7, 4);
	reorder_free(bench.reorder);
}

static uint64_t cpu_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* Many come in their turn, while another waits far ahead or none does. */
static uint64_t in_turn_ns(bool waits)
{
	struct bench bench;
	uint64_t from;

	start(&bench, 16);
	if (waits)
		put(&bench, 9, 120000, 0, 0);
	from = cpu_ns();
	for (uint32_t i = 0; i < 20000; i++)
		put(&bench, 9, i, 0, 1);
	from = cpu_ns() - from;
	reorder_free(bench.reorder);
	return from;
}

/* Else a client could keep a server busy with a few packets: a thousand times
 * as long, when all numbers between were looked at. */
TEST(reorder, what_waits_far_ahead_makes_others_no_dearer)
{
	CU_ASSERT(in_turn_ns(true) / 20 < in_turn_ns(false));
}

enum { ALIKE = 4000 };

/* Packets that wait, and that the usual factor puts into one chain. */
static void find_alike(uint32_t keys[ALIKE])
{
	unsigned count = 0;

	for (uint32_t key = 1; count < ALIKE; key++)
		if (!(key * 0x9e3779b1U >> 20) && key % (1 << 20) &&
		    key % (1 << 20) < 100000)
			keys[count++] = key;
}

static uint64_t with_salt_ns(const uint32_t keys[ALIKE], uint32_t salt)
{
	struct bench bench = { .count = 0 };
	struct reorder_setup setup = {
		.packets = ALIKE,
		.packet_bytes = 64,
		.most_us = 300000,
		.salt = salt,
		.deliver = take,
		.context = &bench,
	};
	uint64_t from = cpu_ns();

	bench.reorder = reorder_new(&setup);
	for (unsigned i = 0; i < ALIKE; i++)
		put(&bench, (uint16_t)(keys[i] >> WIRE_SEQ_BITS),
		    keys[i] & ((1 << WIRE_SEQ_BITS) - 1), 0, 0);
	EXPECT_NOTHING(&bench);
	reorder_free(bench.reorder);
	return cpu_ns() - from;
}

TEST(reorder, nobody_makes_long_chains_who_does_not_know_the_salt)
{
	uint32_t keys[ALIKE];

	find_alike(keys);
	CU_ASSERT(with_salt_ns(keys, 0x5bd1e995) <
		  with_salt_ns(keys, 0x9e3779b1) / 3);
}

/* Numbers drawn from anywhere, on any lane: nothing comes twice, nothing is
 * written where it must not, and in the end nothing waits. */
TEST(reorder, survives_any_numbers)
{
	struct bench bench;
	struct braid_stats stats = { 0 };
	uint32_t random = 1;

	start(&bench, 32);
	for (unsigned i = 0; i < 20000; i++) {
		random = random * 1664525 + 1013904223;
		bench.count = 0;
		if (random >> 29)
			put(&bench, (uint16_t)(random >> 20),
			    random >> 8 & (random & 16 ? 63 : ~0U),
			    random >> 5 & 63, i * 100);
		else
			reorder_skip(bench.reorder, (uint16_t)(random >> 20),
				     random >> 8, SECOND + i * 100);
		if (i % 100 == 0)
			reorder_timer(bench.reorder, SECOND + i * 100);
	}
	reorder_timer(bench.reorder, 100 * (uint64_t)SECOND);
	reorder_stats(bench.reorder, &stats);
	CU_ASSERT_EQUAL(stats.waiting, 0);
	CU_ASSERT_EQUAL(reorder_next(bench.reorder), BRAID_NEVER);
	reorder_free(bench.reorder);
}
