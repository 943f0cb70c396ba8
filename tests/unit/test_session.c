/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/engine/session.h"

#include <string.h>

#include "tests/unit/unit.h"

enum { PLAIN = 100, ROOM = WIRE_HEADER + PLAIN + WIRE_TAG };

/* Two ends of one session. */
struct ends {
	struct session *a, *b;
};

static struct ends ends_new(enum aead_cipher cipher, struct ends *before,
			    uint64_t now_us)
{
	struct session_setup setup = { .cipher = cipher,
				       .send = { 1 },
				       .receive = { 2 },
				       .index = 0xabcdef,
				       .remote_index = 0x123456,
				       .initiator = true,
				       .era = 7 };
	struct ends ends;

	if (before) {
		setup.send[1]++, setup.receive[1]++;
		setup.index++, setup.remote_index++;
		setup.continues = before->a;
	}
	ends.a = session_new(&setup, now_us);
	setup.send[0] = 2, setup.receive[0] = 1;
	setup.index = session_remote_index(ends.a);
	setup.remote_index = session_index(ends.a);
	setup.initiator = false;
	setup.continues = before ? before->b : NULL;
	ends.b = session_new(&setup, now_us);
	return ends;
}

static void ends_free(struct ends *ends)
{
	session_free(ends->a);
	session_free(ends->b);
}

static void fill(uint8_t *plain, unsigned seed)
{
	for (unsigned i = 0; i < PLAIN; i++)
		plain[i] = (uint8_t)(seed + i);
}

/* The next datagram of a lane. */
static void seal(struct session *from, uint8_t lane, uint8_t datagram[ROOM])
{
	struct session_run run = { .lane = lane,
				   .datagrams = datagram,
				   .stride = ROOM,
				   .size = PLAIN,
				   .count = 1 };

	fill(datagram + WIRE_HEADER, lane);
	CU_ASSERT(session_seal(from, &run, 0, NULL));
}

static enum refusal open_copy(struct session *to, const uint8_t *datagram,
			      size_t size)
{
	uint8_t copy[ROOM], plain[PLAIN];
	struct session_packet packet;
	enum refusal why;

	memcpy(copy, datagram, size);
	why = session_open(to, copy, size, 0, &packet);
	if (!why) {
		fill(plain, packet.lane);
		CU_ASSERT_EQUAL(packet.size, PLAIN);
		CU_ASSERT(!memcmp(packet.plain, plain, PLAIN));
	}
	return why;
}

TEST(session, what_one_end_seals_the_other_opens_with_each_cipher)
{
	uint8_t datagram[ROOM];

	for (int c = AEAD_NONE + 1; c < AEAD_CIPHERS; c++) {
		struct ends ends = ends_new(c, NULL, 0);

		seal(ends.a, 3, datagram);
		CU_ASSERT_EQUAL(open_copy(ends.b, datagram, ROOM), REFUSED_NOT);
		seal(ends.b, 3, datagram);
		CU_ASSERT_EQUAL(open_copy(ends.a, datagram, ROOM), REFUSED_NOT);
		CU_ASSERT_EQUAL(session_left(ends.a),
				SESSION_RENEW_PACKETS - 1);
		ends_free(&ends);
	}
}

TEST(session, a_run_is_sealed_for_one_send_and_opens_one_by_one)
{
	enum { COUNT = 44 };
	static uint8_t plain[COUNT][PLAIN], out[COUNT][ROOM];
	struct ends ends = ends_new(AEAD_AES256GCM, NULL, 0);
	struct session_run run = { .lane = 9,
				   .datagrams = out[0],
				   .stride = ROOM,
				   .plain = plain[0],
				   .plain_stride = PLAIN,
				   .size = PLAIN,
				   .count = COUNT };
	uint64_t first;

	for (int i = 0; i < COUNT; i++)
		fill(plain[i], 9);
	CU_ASSERT(session_seal(ends.a, &run, 0, &first));
	CU_ASSERT_EQUAL(first, 0);
	CU_ASSERT(session_seal(ends.a, &run, 0, &first));
	CU_ASSERT_EQUAL(first, COUNT);
	CU_ASSERT_EQUAL(session_next(ends.a, 9), 2 * COUNT);
	CU_ASSERT_EQUAL(session_next(ends.a, 8), 0);
	for (int i = 0; i < COUNT; i++)
		CU_ASSERT_EQUAL(open_copy(ends.b, out[i], ROOM), REFUSED_NOT);
	ends_free(&ends);
}

TEST(session, every_flipped_bit_is_refused_and_changes_nothing)
{
	struct ends ends = ends_new(AEAD_AES256GCM, NULL, 0);
	uint8_t datagram[ROOM];
	enum refusal why;

	seal(ends.a, 3, datagram);
	for (size_t bit = 0; bit < 8 * ROOM; bit++) {
		datagram[bit / 8] ^= (uint8_t)(1 << bit % 8);
		why = open_copy(ends.b, datagram, ROOM);
		CU_ASSERT_EQUAL(why, bit < 8	? REFUSED_TYPE
				     : bit < 16 ? REFUSED_FORGED
				     : bit < 40 ? REFUSED_INDEX
						: REFUSED_FORGED);
		datagram[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	CU_ASSERT_EQUAL(session_left(ends.b), SESSION_RENEW_PACKETS);
	CU_ASSERT_EQUAL(session_heard(ends.b), 0);
	CU_ASSERT_EQUAL(open_copy(ends.b, datagram, ROOM), REFUSED_NOT);
	ends_free(&ends);
}

TEST(session, every_shorter_or_longer_datagram_is_refused)
{
	struct ends ends = ends_new(AEAD_AES256GCM, NULL, 0);
	uint8_t datagram[ROOM + 1] = { 0 };

	seal(ends.a, 3, datagram);
	for (size_t size = 0; size < ROOM; size++)
		CU_ASSERT_EQUAL(open_copy(ends.b, datagram, size),
				size < WIRE_OVERHEAD ? REFUSED_SHORT
						     : REFUSED_FORGED);
	CU_ASSERT_EQUAL(session_left(ends.b), SESSION_RENEW_PACKETS);
	CU_ASSERT_EQUAL(open_copy(ends.b, datagram, ROOM), REFUSED_NOT);
	ends_free(&ends);
}

TEST(session, a_million_replays_change_nothing)
{
	struct ends ends = ends_new(AEAD_AES256GCM, NULL, 0);
	uint8_t datagram[ROOM], copy[ROOM];
	struct session_packet packet;
	unsigned taken = 0;

	seal(ends.a, 3, datagram);
	for (int i = 0; i < 1000000; i++) {
		memcpy(copy, datagram, ROOM);
		taken += session_open(ends.b, copy, ROOM, 0, &packet) !=
			 REFUSED_REPLAY;
		if (i) /* not even decrypted */
			CU_ASSERT_FATAL(!memcmp(copy, datagram, ROOM));
	}
	CU_ASSERT_EQUAL(taken, 1);
	CU_ASSERT_EQUAL(session_left(ends.b), SESSION_RENEW_PACKETS - 1);
	ends_free(&ends);
}

TEST(session, a_datagram_sent_back_is_not_ours)
{
	struct ends ends = ends_new(AEAD_AES256GCM, NULL, 0);
	uint8_t datagram[ROOM];
	struct wire_header header;

	seal(ends.a, 3, datagram);
	CU_ASSERT_EQUAL(open_copy(ends.a, datagram, ROOM), REFUSED_INDEX);
	wire_get_header(datagram, &header);
	header.index = session_index(ends.a);
	wire_put_header(datagram, &header);
	CU_ASSERT_EQUAL(open_copy(ends.a, datagram, ROOM), REFUSED_FORGED);
	ends_free(&ends);
}

TEST(session, lanes_have_numbers_of_their_own_and_cannot_be_swapped)
{
	struct ends ends = ends_new(AEAD_AES256GCM, NULL, 0);
	uint8_t one[ROOM], two[ROOM];

	seal(ends.a, 1, one);
	seal(ends.a, 2, two);
	CU_ASSERT_EQUAL(session_next(ends.a, 1), 1);
	CU_ASSERT_EQUAL(session_next(ends.a, 2), 1);
	one[1] = 2;
	two[1] = 1;
	CU_ASSERT_EQUAL(open_copy(ends.b, one, ROOM), REFUSED_FORGED);
	CU_ASSERT_EQUAL(open_copy(ends.b, two, ROOM), REFUSED_FORGED);
	one[1] = 1;
	two[1] = 2;
	CU_ASSERT_EQUAL(open_copy(ends.b, one, ROOM), REFUSED_NOT);
	CU_ASSERT_EQUAL(open_copy(ends.b, two, ROOM), REFUSED_NOT);
	ends_free(&ends);
}

/* Every lane there can be, 0 and 255 too. */
TEST(session, all_256_lanes_work)
{
	struct ends ends = ends_new(AEAD_AES256GCM, NULL, 0);
	uint8_t datagram[ROOM];

	for (int lane = 0; lane < SESSION_LANES; lane++) {
		seal(ends.a, (uint8_t)lane, datagram);
		CU_ASSERT_EQUAL(open_copy(ends.b, datagram, ROOM), REFUSED_NOT);
	}
	ends_free(&ends);
}

TEST(session, the_window_takes_each_once_in_any_order)
{
	enum { COUNT = SESSION_WINDOW };
	static uint8_t all[COUNT][ROOM];
	struct ends ends = ends_new(AEAD_AES256GCM, NULL, 0);
	unsigned taken = 0, again = 0;

	CU_ASSERT(SESSION_WINDOW >= 8192);
	for (int i = 0; i < COUNT; i++)
		seal(ends.a, 1, all[i]);
	/* The last first: then 7919 apart, which is a prime. */
	CU_ASSERT(!open_copy(ends.b, all[COUNT - 1], ROOM));
	for (int i = 0, at = 0; i < COUNT; i++, at = (at + 7919) % COUNT)
		taken += !open_copy(ends.b, all[at], ROOM);
	for (int i = 0; i < COUNT; i++)
		again += !open_copy(ends.b, all[i], ROOM);
	CU_ASSERT_EQUAL(taken, COUNT - 1);
	CU_ASSERT_EQUAL(again, 0);
	ends_free(&ends);
}

/* Seals and forgets. */
static void skip(struct session *from, uint8_t lane, size_t count)
{
	static uint8_t datagram[ROOM], plain[8];
	struct session_run run = { .lane = lane,
				   .datagrams = datagram,
				   .plain = plain,
				   .size = sizeof(plain),
				   .count = count };

	CU_ASSERT(session_seal(from, &run, 0, NULL));
}

TEST(session, what_is_older_than_the_window_is_refused)
{
	struct ends ends = ends_new(AEAD_AES256GCM, NULL, 0);
	uint8_t oldest[ROOM], second[ROOM], newest[ROOM];

	seal(ends.a, 1, oldest);
	seal(ends.a, 1, second);
	skip(ends.a, 1, SESSION_WINDOW - 2);
	seal(ends.a, 1, newest); /* counter SESSION_WINDOW */
	CU_ASSERT_EQUAL(open_copy(ends.b, newest, ROOM), REFUSED_NOT);
	CU_ASSERT_EQUAL(open_copy(ends.b, oldest, ROOM), REFUSED_REPLAY);
	CU_ASSERT_EQUAL(open_copy(ends.b, second, ROOM), REFUSED_NOT);
	ends_free(&ends);
}

TEST(session, a_leap_clears_the_window_but_for_what_it_saw)
{
	struct ends ends = ends_new(AEAD_AES256GCM, NULL, 0);
	uint8_t a[ROOM], b[ROOM], c[ROOM];

	seal(ends.a, 1, a);
	CU_ASSERT_EQUAL(open_copy(ends.b, a, ROOM), REFUSED_NOT);
	/* One turn of the ring later the same bit stands for another. */
	skip(ends.a, 1, 16384 - 1);
	seal(ends.a, 1, b);
	CU_ASSERT_EQUAL(session_next(ends.a, 1), 16384 + 1);
	seal(ends.a, 1, c);
	CU_ASSERT_EQUAL(open_copy(ends.b, c, ROOM), REFUSED_NOT);
	CU_ASSERT_EQUAL(open_copy(ends.b, b, ROOM), REFUSED_NOT);
	CU_ASSERT_EQUAL(open_copy(ends.b, b, ROOM), REFUSED_REPLAY);
	CU_ASSERT_EQUAL(open_copy(ends.b, a, ROOM), REFUSED_REPLAY);
	ends_free(&ends);
}

TEST(session, the_24_bits_that_travel_go_round_unnoticed)
{
	struct ends ends = ends_new(AEAD_AES256GCM, NULL, 0);
	uint8_t datagram[ROOM];
	enum { STEP = (1 << 22) - 1 };

	for (int i = 0; i < 5; i++) {
		skip(ends.a, 1, STEP);
		seal(ends.a, 1, datagram);
		CU_ASSERT_EQUAL(open_copy(ends.b, datagram, ROOM), REFUSED_NOT);
		CU_ASSERT_EQUAL(open_copy(ends.b, datagram, ROOM),
				REFUSED_REPLAY);
	}
	CU_ASSERT(session_next(ends.a, 1) > 1 << WIRE_COUNTER_BITS);
	ends_free(&ends);
}

TEST(session, old_keys_neither_seal_nor_open)
{
	struct ends ends = ends_new(AEAD_AES256GCM, NULL, 1000);
	uint8_t datagram[ROOM];
	struct session_packet packet;
	struct session_run run = {
		.datagrams = datagram, .stride = ROOM, .size = PLAIN, .count = 1
	};
	uint64_t end = 1000 + SESSION_LIFE_US;

	CU_ASSERT(session_seal(ends.a, &run, end - 1, NULL));
	CU_ASSERT_EQUAL(session_open(ends.b, datagram, ROOM, end, &packet),
			REFUSED_EXPIRED);
	CU_ASSERT_EQUAL(session_open(ends.b, datagram, ROOM, end - 1, &packet),
			REFUSED_NOT);
	CU_ASSERT(!session_seal(ends.a, &run, end, NULL));
	CU_ASSERT_EQUAL(session_next(ends.a, 0), 1);
	ends_free(&ends);
}

TEST(session, many_packets_wear_keys_out)
{
	struct ends ends = ends_new(AEAD_AES256GCM, NULL, 0);
	uint8_t datagram[ROOM];

	session_wear(ends.a, 3, SESSION_RENEW_PACKETS - 1);
	CU_ASSERT(!session_worn(ends.a, 0));
	seal(ends.a, 1, datagram);
	CU_ASSERT(session_worn(ends.a, 0));
	ends_free(&ends);
}

/* A nonce that comes twice would give all away. */
TEST(session, the_last_counter_of_a_lane_is_the_last_and_other_lanes_go_on)
{
	struct ends ends = ends_new(AEAD_AES256GCM, NULL, 0);
	uint8_t datagrams[2 * ROOM];
	struct session_run run = { .lane = 3,
				   .datagrams = datagrams,
				   .stride = ROOM,
				   .size = PLAIN,
				   .count = 2 };

	session_wear(ends.a, 3, SESSION_COUNTERS / 2);
	CU_ASSERT(!session_era_worn(ends.a));
	session_wear(ends.a, 3, 1);
	CU_ASSERT(session_era_worn(ends.a));
	session_wear(ends.a, 3, SESSION_COUNTERS / 2 - 2);
	CU_ASSERT(!session_seal(ends.a, &run, 0, NULL));
	run.count = 1;
	CU_ASSERT(session_seal(ends.a, &run, 0, NULL));
	CU_ASSERT(!session_seal(ends.a, &run, 0, NULL));
	CU_ASSERT_EQUAL(session_next(ends.a, 3), SESSION_COUNTERS);
	run.lane = 4;
	CU_ASSERT(session_seal(ends.a, &run, 0, NULL));
	ends_free(&ends);
}

TEST(session, who_began_renews_first)
{
	struct ends ends = ends_new(AEAD_AES256GCM, NULL, 0);

	CU_ASSERT(!session_worn(ends.a, SESSION_RENEW_US - 1));
	CU_ASSERT(session_worn(ends.a, SESSION_RENEW_US));
	CU_ASSERT(!session_worn(ends.b, SESSION_RENEW_LATER_US - 1));
	CU_ASSERT(session_worn(ends.b, SESSION_RENEW_LATER_US));
	ends_free(&ends);
}

TEST(session, new_keys_go_on_counting_where_the_old_ones_were)
{
	struct ends old = ends_new(AEAD_AES256GCM, NULL, 0);
	uint8_t before[ROOM], late[ROOM], after[ROOM];
	struct session_run run = { .lane = 1,
				   .datagrams = after,
				   .stride = ROOM,
				   .size = PLAIN,
				   .count = 1 };
	struct ends fresh;
	uint64_t first;

	seal(old.a, 1, before);
	seal(old.a, 1, late);
	CU_ASSERT_EQUAL(open_copy(old.b, before, ROOM), REFUSED_NOT);
	fresh = ends_new(AEAD_AES256GCM, &old, 0);
	fill(after + WIRE_HEADER, 1);
	CU_ASSERT(session_seal(fresh.a, &run, 0, &first));
	CU_ASSERT_EQUAL(first, 2);
	CU_ASSERT_EQUAL(open_copy(fresh.b, after, ROOM), REFUSED_NOT);
	/* What is still under way with the old keys comes in, once. */
	CU_ASSERT_EQUAL(open_copy(old.b, late, ROOM), REFUSED_NOT);
	CU_ASSERT_EQUAL(open_copy(old.b, late, ROOM), REFUSED_REPLAY);
	CU_ASSERT_EQUAL(open_copy(old.b, before, ROOM), REFUSED_REPLAY);
	CU_ASSERT_EQUAL(session_era_name(old.a), session_era_name(fresh.b));
	ends_free(&old);
	CU_ASSERT_EQUAL(open_copy(fresh.b, after, ROOM), REFUSED_REPLAY);
	ends_free(&fresh);
}

TEST(session, eras_are_numbered_as_they_come_into_use)
{
	struct ends old = ends_new(AEAD_AES256GCM, NULL, 0);
	struct ends renewed = ends_new(AEAD_AES256GCM, &old, 0);
	struct ends other = ends_new(AEAD_AES256GCM, NULL, 0);
	uint32_t first;

	CU_ASSERT_EQUAL(session_era(old.a), 0);
	session_take_over(old.a, NULL);
	first = session_era(old.a);
	CU_ASSERT(first > 0);
	session_take_over(renewed.a, old.a);
	CU_ASSERT_EQUAL(session_era(renewed.a), first);
	CU_ASSERT_EQUAL(session_era(other.a), 0);
	session_take_over(other.a, renewed.a);
	CU_ASSERT(session_era(other.a) > first);
	/* Back to one that was left: it is newer than what was between. */
	session_take_over(renewed.a, other.a);
	CU_ASSERT(session_era(renewed.a) > session_era(other.a));
	ends_free(&old);
	ends_free(&renewed);
	ends_free(&other);
}

TEST(session, a_retired_one_has_its_numbers_and_no_keys)
{
	struct ends ends = ends_new(AEAD_AES256GCM, NULL, 0);
	uint8_t datagram[ROOM];
	struct session_run run = {
		.datagrams = datagram, .stride = ROOM, .size = PLAIN, .count = 1
	};

	seal(ends.a, 0, datagram);
	session_retire(ends.a);
	session_retire(ends.b);
	CU_ASSERT(session_expired(ends.a, 0));
	CU_ASSERT(!session_seal(ends.a, &run, 0, NULL));
	CU_ASSERT_EQUAL(session_next(ends.a, 0), 1);
	CU_ASSERT_EQUAL(open_copy(ends.b, datagram, ROOM), REFUSED_EXPIRED);
	ends_free(&ends);
}

TEST(session, every_reason_has_a_name_of_its_own)
{
	for (int i = 0; i < REFUSED_REASONS; i++)
		for (int j = 0; j < i; j++)
			CU_ASSERT(strcmp(refusal_name(i), refusal_name(j)));
}
