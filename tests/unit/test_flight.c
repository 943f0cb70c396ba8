/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/engine/arrival.h"
#include "backends/engine/flight.h"
#include "backends/engine/wire.h"
#include "tests/unit/unit.h"

/* --- flight -----------------------------------------------------------------
 */

struct tally {
	unsigned lost, acked;
	uint64_t last_lost;
};

static void count_lost(void *context, uint64_t counter,
		       const struct flight_entry *entry)
{
	struct tally *tally = context;

	(void)entry;
	tally->lost++;
	tally->last_lost = counter;
}

static void count_acked(void *context, uint64_t counter,
			const struct flight_entry *entry)
{
	(void)counter, (void)entry;
	((struct tally *)context)->acked++;
}

static void send_one(struct flight *flight, uint64_t counter, uint64_t now)
{
	struct flight_entry entry = {
		.time_us = (uint32_t)now,
		.size = 1000,
		.seq = (uint32_t)counter,
		.flags = FLIGHT_COUNTS | FLIGHT_DATA,
	};

	flight_sent(flight, counter, &entry);
}

static struct message_ack ack_of(uint64_t largest, uint32_t length)
{
	return (struct message_ack){
		.largest = (uint32_t)largest,
		.ranges = 1,
		.range = { { 0, length } },
	};
}

TEST(flight, counts_what_is_under_way_until_it_is_acked)
{
	struct flight flight = { .overhead = 60 };
	struct message_ack ack = ack_of(4, 5);
	struct flight_news news;
	struct tally tally = { 0 };

	for (uint64_t c = 0; c < 10; c++)
		send_one(&flight, c, 1000 + c);
	CU_ASSERT_EQUAL(flight.bytes, 10 * 1060);
	CU_ASSERT(flight_ack(&flight, &ack, 21004, &news, count_acked, &tally));
	CU_ASSERT_EQUAL(news.packets, 5);
	CU_ASSERT_EQUAL(news.rtt_us, 20000);
	CU_ASSERT_EQUAL(tally.acked, 5);
	CU_ASSERT_EQUAL(flight.packets, 5);
	CU_ASSERT_EQUAL(flight.una, 5);
	CU_ASSERT(flight_ack(&flight, &ack, 22000, &news, count_acked, &tally));
	CU_ASSERT(!news.any);
	CU_ASSERT_EQUAL(tally.acked, 5);
	flight_clear(&flight);
}

TEST(flight, gives_up_what_three_later_ones_overtook)
{
	struct flight flight = { 0 };
	struct message_ack ack = ack_of(6, 3);
	struct flight_news news;
	struct tally tally = { 0 };

	for (uint64_t c = 0; c < 7; c++)
		send_one(&flight, c, 1000 + 100 * c);
	ack.range[1].gap = 1; /* 3 is missing; 0 to 2 came */
	ack.range[1].length = 3;
	ack.ranges = 2;
	flight_ack(&flight, &ack, 30000, &news, NULL, NULL);
	flight_lose(&flight, 30000, 20000, count_lost, &tally);
	CU_ASSERT_EQUAL(tally.lost, 1);
	CU_ASSERT_EQUAL(tally.last_lost, 3);
	CU_ASSERT(flight_is_gone(&flight, 3));
	CU_ASSERT_EQUAL(flight.packets, 0);
	flight_clear(&flight);
}

TEST(flight, waits_when_only_two_later_ones_came)
{
	struct flight flight = { 0 };
	struct message_ack ack = ack_of(2, 2);
	struct flight_news news;
	struct tally tally = { 0 };

	for (uint64_t c = 0; c < 3; c++)
		send_one(&flight, c, 1000);
	flight_ack(&flight, &ack, 2000, &news, NULL, NULL);
	flight_lose(&flight, 2000, 20000, count_lost, &tally);
	CU_ASSERT_EQUAL(tally.lost, 0);
	flight_clear(&flight);
}

TEST(flight, learns_from_what_came_late_to_wait_longer)
{
	struct flight flight = { 0 };
	struct message_ack late = ack_of(0, 1), first = ack_of(9, 9);
	struct flight_news news;
	struct tally tally = { 0 };

	for (uint64_t c = 0; c < 10; c++)
		send_one(&flight, c, 1000 + 500 * c);
	flight_ack(&flight, &first, 20000, &news, NULL, NULL);
	flight_lose(&flight, 20000, 20000, count_lost, &tally);
	CU_ASSERT_EQUAL(tally.lost, 1);
	flight_ack(&flight, &late, 21000, &news, NULL, NULL);
	CU_ASSERT(news.late);
	CU_ASSERT_EQUAL(flight.spurious, 1);
	CU_ASSERT(!flight_is_gone(&flight, 0));
	CU_ASSERT(flight.tolerance_us > 500);
	flight_clear(&flight);
}

TEST(flight, refuses_an_ack_of_what_was_never_sent)
{
	struct flight flight = { 0 };
	struct message_ack ack = ack_of(10, 1);
	struct flight_news news;

	CU_ASSERT(!flight_ack(&flight, &ack, 1, &news, NULL, NULL));
	for (uint64_t c = 0; c < 10; c++)
		send_one(&flight, c, 1000);
	CU_ASSERT(!flight_ack(&flight, &ack, 2000, &news, NULL, NULL));
	CU_ASSERT_EQUAL(flight.packets, 10);
	flight_clear(&flight);
}

TEST(flight, keeps_what_is_open_when_its_ring_grows)
{
	struct flight flight = { 0 };
	struct message_ack ack;
	struct flight_news news;
	struct tally tally = { 0 };

	/* Begun in the middle of the numbers, past the first ring's size. */
	for (uint64_t c = 0; c < 5000; c++)
		send_one(&flight, (1ULL << 32) - 100 + c, 1000);
	CU_ASSERT_EQUAL(flight.packets, 5000);
	ack = ack_of((1ULL << 32) + 4899, 5000);
	CU_ASSERT(flight_ack(&flight, &ack, 2000, &news, count_acked, &tally));
	CU_ASSERT_EQUAL(tally.acked, 5000);
	CU_ASSERT_EQUAL(flight.packets, 0);
	CU_ASSERT_EQUAL(flight.bytes, 0);
	flight_clear(&flight);
}

TEST(flight, forgets_the_oldest_when_nothing_is_ever_acked)
{
	struct flight flight = { 0 };

	for (uint64_t c = 0; c < 3 * FLIGHT_MOST; c++)
		send_one(&flight, c, 1000);
	CU_ASSERT(flight.room <= FLIGHT_MOST);
	CU_ASSERT(flight.packets <= FLIGHT_MOST);
	CU_ASSERT(!flight_has_room(&flight));
	CU_ASSERT_PTR_NOT_NULL(flight_oldest(&flight));
	flight_clear(&flight);
}

TEST(flight, abandons_all_of_a_lane_that_died)
{
	struct flight flight = { .overhead = 60 };
	struct tally tally = { 0 };

	for (uint64_t c = 0; c < 300; c++)
		send_one(&flight, c, 1000);
	flight_abandon(&flight, count_lost, &tally);
	CU_ASSERT_EQUAL(tally.lost, 300);
	CU_ASSERT_EQUAL(flight.bytes, 0);
	CU_ASSERT_PTR_NULL(flight_oldest(&flight));
	flight_clear(&flight);
}

/* --- arrival
 * ------------------------------------------------------------------ */

static void arrive(struct arrival *arrival, uint64_t counter, uint64_t now)
{
	arrival_add(arrival, counter, wire_time(now - 5000), 1500, true, now,
		    now);
}

TEST(arrival, acks_what_came_and_names_the_holes)
{
	static struct arrival arrival;
	struct message_ack ack;

	arrival = (struct arrival){ 0 };
	for (uint64_t c = 100; c < 120; c++)
		if (c != 105 && c != 110 && c != 111)
			arrive(&arrival, c, 1000000 + c);
	CU_ASSERT(arrival_ack(&arrival, &ack, 1001000));
	CU_ASSERT_EQUAL(ack.largest, 119);
	CU_ASSERT_EQUAL(ack.ranges, 3);
	CU_ASSERT_EQUAL(ack.range[0].length, 8);
	CU_ASSERT_EQUAL(ack.range[1].gap, 2);
	CU_ASSERT_EQUAL(ack.range[1].length, 4);
	CU_ASSERT_EQUAL(ack.range[2].gap, 1);
	CU_ASSERT_EQUAL(ack.range[2].length, 5);
	CU_ASSERT_EQUAL(ack.bytes, 17 * 1500);
	CU_ASSERT(arrival_since(ack.delay, 0) >= 4996 &&
		  arrival_since(ack.delay, 0) <= 5004);
}

static int32_t off_smooth(const struct arrival *arrival, uint32_t us)
{
	int32_t off = arrival_since(arrival->smooth, us / 4);

	return off < 0 ? -off : off;
}

/* The kernel keeps what it has no neighbour for: a burst comes half a second
 * late, and would count for hundreds of packets. */
TEST(arrival, forgets_soon_what_was_held_back)
{
	static struct arrival arrival;
	uint64_t now = 1000000, counter = 0;

	arrival = (struct arrival){ 0 };
	for (int i = 0; i < 100; i++, now += 10000)
		arrival_add(&arrival, counter++, wire_time(now - 20000), 100,
			    true, now, now);
	CU_ASSERT(off_smooth(&arrival, 20000) < 100);
	now += 30000000;
	for (int i = 0; i < 3; i++)
		arrival_add(&arrival, counter++, wire_time(now - 800000), 100,
			    true, now, now);
	for (int i = 0; i < 20; i++, now += 10000)
		arrival_add(&arrival, counter++, wire_time(now - 20000), 100,
			    true, now, now);
	CU_ASSERT(off_smooth(&arrival, 20000) < 100000);
}

TEST(arrival, follows_a_line_at_rest_that_became_slower)
{
	static struct arrival arrival;
	uint64_t now = 1000000, counter = 0;

	arrival = (struct arrival){ 0 };
	for (int i = 0; i < 100; i++, now += 10000)
		arrival_add(&arrival, counter++, wire_time(now - 20000), 100,
			    true, now, now);
	for (int i = 0; i < 4; i++, now += 5000000)
		arrival_add(&arrival, counter++, wire_time(now - 60000), 100,
			    true, now, now);
	CU_ASSERT(off_smooth(&arrival, 60000) < 5000);
}

TEST(arrival, says_again_what_it_said_for_a_while)
{
	static struct arrival arrival;
	struct message_ack ack;
	uint64_t now = 1000000, c = 0;

	arrival = (struct arrival){ 0 };
	for (int i = 0; i < 4; i++, now += 50000) {
		for (int n = 0; n < 10; n++)
			arrive(&arrival, c++, now);
		arrival_ack(&arrival, &ack, now + 1000);
	}
	CU_ASSERT_EQUAL(ack.range[0].length, 40);
}

TEST(arrival, hurries_for_a_gap_and_takes_its_time_for_a_trickle)
{
	static struct arrival arrival;

	arrival = (struct arrival){ 0 };
	arrival_add(&arrival, 1, 0, 100, true, 1000000, 1000000);
	CU_ASSERT_EQUAL(arrival.due, 1000000 + ARRIVAL_TRICKLE_US);
	arrive(&arrival, 2, 1000100);
	CU_ASSERT_EQUAL(arrival.due, 1000100 + ARRIVAL_DELAY_US);
	arrive(&arrival, 4, 1000200);
	CU_ASSERT(arrival_is_due(&arrival, 1000200));
	CU_ASSERT_EQUAL(arrival.lost, 1);
	arrive(&arrival, 3, 1000300);
	CU_ASSERT_EQUAL(arrival.lost, 0);
}

TEST(arrival, survives_any_leap_of_the_counter)
{
	static struct arrival arrival;
	struct message_ack ack;
	uint64_t counters[] = {
		5, 1ULL << 40, 3, (1ULL << 40) + 40000, (1ULL << 40) + 1, 0
	};

	arrival = (struct arrival){ 0 };
	for (size_t i = 0; i < sizeof(counters) / sizeof(*counters); i++) {
		arrive(&arrival, counters[i], 1000000 + i);
		CU_ASSERT(arrival_ack(&arrival, &ack, 1000100 + i));
		CU_ASSERT(ack.ranges >= 1 && ack.ranges <= MESSAGE_RANGES);
	}
	CU_ASSERT_EQUAL(arrival.largest, (1ULL << 40) + 40000);
}

/* Whatever came in, in whatever order: the sender learns exactly that. */
TEST(arrival, and_flight_agree_on_what_came)
{
	static struct arrival arrival;
	struct flight flight = { 0 };
	struct message message = { .type = MESSAGE_ACK }, read;
	struct flight_news news;
	struct tally tally = { 0 };
	unsigned came = 0, random = 7;
	uint8_t bytes[512];
	size_t size;

	arrival = (struct arrival){ 0 };
	for (uint64_t c = 0; c < 200; c++) {
		send_one(&flight, c, 1000 + c);
		random = random * 1103515245 + 12345;
		if (random >> 16 & 3)
			came++, arrive(&arrival, c, 50000 + c);
	}
	CU_ASSERT(arrival_ack(&arrival, &message.ack, 60000));
	size = message_print(&message, bytes, sizeof(bytes));
	CU_ASSERT_EQUAL(message_parse(&read, bytes, size), (int)size);
	flight_ack(&flight, &read.ack, 70000, &news, count_acked, &tally);
	/* As many as the ranges can say, and not one that did not come. */
	CU_ASSERT(tally.acked > 0 && tally.acked <= came);
	if (message.ack.ranges < MESSAGE_RANGES)
		CU_ASSERT_EQUAL(tally.acked, came);
	flight_clear(&flight);
}
