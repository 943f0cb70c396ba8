/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/engine/mtu.h"
#include "backends/engine/window.h"
#include "model/base/mem.h"
#include "tests/unit/unit.h"

/* --- a line of one rate, seen through its acks -------------------------------
 */

enum { SECOND = 1000000, PACKET = 1500, BASE = 20000 };

struct line {
	struct window window;
	uint64_t now, rate; /* bytes a second */
	double queue;	    /* bytes in the line's queue */
	uint64_t sent, received;
	bool greedy;
	uint64_t rival; /* bytes that somebody else has under way */
	uint64_t room;	/* for both, pipe and queue; 0: no end */
};

static void start(struct line *line, uint64_t rate)
{
	*line = (struct line){ .now = 100 * SECOND, .rate = rate };
	line->greedy = true;
	window_init(&line->window, 5000, PACKET);
}

static void run(struct line *line, uint64_t us, uint64_t offered);

/* Somebody else, who goes on until something is lost: then both lose. */
static void meet(struct line *line, uint64_t flight)
{
	if (!line->rival)
		return;
	line->rival += PACKET / 10;
	if (!line->room || flight + line->rival < line->room)
		return;
	line->rival = line->rival * 7 / 10;
	window_lost(&line->window, 3);
}

/* As it begins: with a few small packets. */
static void greet(struct line *line)
{
	line->greedy = false;
	run(line, 50000, 300);
	line->greedy = true;
}

/* A fluid line: what is under way beyond the pipe is its queue. Acks each 2 ms
 * for some time. */
static void run(struct line *line, uint64_t us, uint64_t offered)
{
	for (uint64_t end = line->now + us; line->now < end;) {
		uint64_t pipe = line->rate * 2 * BASE / SECOND;
		uint64_t flight = window_bytes(&line->window, line->now);
		uint64_t wait, bytes;
		struct window_ack ack;

		line->window.limited = line->greedy;
		if (!line->greedy && offered < flight)
			flight = offered;
		meet(line, flight);
		wait = flight + line->rival > pipe
			       ? (flight + line->rival - pipe) * SECOND /
					 line->rate
			       : 0;
		bytes = flight * 2000 / (2 * BASE + wait);
		line->now += 2000;
		line->received += bytes;
		ack = (struct window_ack){
			.bytes = (uint32_t)bytes,
			.packets = (uint32_t)(bytes / PACKET + 1),
			.flight = (uint32_t)flight,
			.rtt_us = (uint32_t)(2 * BASE + wait),
			.delay = (uint32_t)(BASE + wait) / 4,
			.time = (uint32_t)(line->now / 4) & 0xffffff,
			.received = (uint32_t)line->received,
			.largest = line->received,
			.next = line->received + flight,
		};
		window_ack(&line->window, &ack, line->now);
	}
}

static uint64_t wanted(const struct line *line)
{
	return line->rate * (2 * BASE + 5000) / SECOND;
}

TEST(window, finds_the_rate_of_a_line_within_a_second)
{
	const uint64_t rates[] = { 125000, 2500000, 6250000, 125000000 };

	for (unsigned i = 0; i < 4; i++) {
		struct line line;

		start(&line, rates[i]);
		greet(&line);
		run(&line, SECOND, 0);
		CU_ASSERT(line.window.known);
		CU_ASSERT(line.window.rate > rates[i] * 9 / 10);
		CU_ASSERT(line.window.rate < rates[i] * 11 / 10);
		CU_ASSERT(line.window.bytes <
			  wanted(&line) * 5 / 4 + 4 * PACKET);
		CU_ASSERT(line.window.bytes > wanted(&line) * 3 / 4);
	}
}

TEST(window, keeps_the_queue_near_its_target)
{
	struct line line;

	start(&line, 6250000);
	run(&line, 3 * SECOND, 0);
	for (int i = 0; i < 100; i++) {
		run(&line, 50000, 0);
		CU_ASSERT(line.window.queue_us < 12000);
	}
}

TEST(window, follows_a_rate_that_falls_within_a_few_round_trips)
{
	struct line line;

	start(&line, 6250000);
	run(&line, 2 * SECOND, 0);
	line.rate = 1250000;
	run(&line, 300000, 0);
	CU_ASSERT(line.window.bytes < wanted(&line) * 3 / 2);
	CU_ASSERT(line.window.rate < line.rate * 5 / 4);
}

TEST(window, follows_a_rate_that_rises_within_two_seconds)
{
	struct line line;

	start(&line, 1250000);
	run(&line, 3 * SECOND, 0);
	line.rate = 6250000;
	run(&line, 2 * SECOND, 0);
	CU_ASSERT(line.window.bytes > wanted(&line) * 3 / 4);
}

TEST(window, is_pressed_only_while_somebody_waits_behind_a_queue)
{
	struct line line;

	start(&line, 6250000);
	line.greedy = false;
	run(&line, 2 * SECOND, 60000);
	CU_ASSERT(line.window.news);
	CU_ASSERT(!line.window.pressed);
	line.greedy = true;
	run(&line, 2 * SECOND, 0);
	CU_ASSERT(line.window.pressed);
	CU_ASSERT(line.window.pressed_queue_us >= 2500);
}

/* Who takes such a round for long waits long until the line is free again. */
TEST(window, counts_no_pause_among_the_time_it_was_pressed)
{
	struct line line;

	start(&line, 6250000);
	run(&line, 2 * SECOND, 0);
	line.now += 30 * SECOND;
	line.window.news = false;
	while (!line.window.news)
		run(&line, 2000, 0);
	CU_ASSERT(line.window.pressed_us <= 300000);
}

TEST(window, tells_the_round_trip_of_now_not_of_before_a_pause)
{
	struct window_ack ack = { .rtt_us = 20000, .flight = PACKET };
	struct window window;
	uint64_t now = 100 * SECOND;

	window_init(&window, 5000, PACKET);
	for (int i = 0; i < 50; i++, now += 10000)
		window_ack(&window, &ack, now);
	CU_ASSERT_EQUAL(window.told_us, 20000);
	now += 8 * SECOND;
	ack.rtt_us = 80000;
	window_ack(&window, &ack, now);
	CU_ASSERT_EQUAL(window.told_us, 80000);
	/* What decides is not so sure. */
	CU_ASSERT(window.srtt_us < 40000);
}

TEST(window, does_not_shrink_for_want_of_traffic)
{
	struct line line;
	uint32_t before;

	start(&line, 6250000);
	run(&line, 2 * SECOND, 0);
	before = line.window.bytes;
	line.greedy = false;
	run(&line, 5 * SECOND, 20000);
	CU_ASSERT(line.window.bytes > before * 9 / 10);
	CU_ASSERT(line.window.rate > 5000000);
}

TEST(window, gives_a_known_line_its_window_in_portions)
{
	struct line line;
	int64_t first;

	start(&line, 2500000);
	CU_ASSERT(window_pace(&line.window, line.now) > INT32_MAX);
	run(&line, 2 * SECOND, 0);
	first = window_pace(&line.window, line.now);
	CU_ASSERT(first > 10 * PACKET && first < 2500000 / 40);
	window_spent(&line.window, (uint32_t)first, line.now);
	CU_ASSERT(window_pace(&line.window, line.now) < PACKET);
	CU_ASSERT(window_pace_next(&line.window) > line.now);
	CU_ASSERT(window_pace(&line.window, line.now + 10000) > first * 9 / 10);
}

static void start_with_rival(struct line *line, uint64_t queue_us)
{
	start(line, 6250000);
	greet(line);
	run(line, 6 * SECOND, 0);
	line->rival = 100 * PACKET;
	line->room = line->rate * (2 * BASE + queue_us) / SECOND;
}

/* Bytes a second, over the next ten. */
static uint64_t brings(struct line *line)
{
	uint64_t before = line->received;

	run(line, 10 * SECOND, 0);
	return (line->received - before) / 10;
}

TEST(window, competes_with_one_who_fills_the_queue)
{
	const uint64_t queues[] = { 50000, 100000, 300000 };

	for (unsigned i = 0; i < 3; i++) {
		struct line line;
		uint64_t got;

		start_with_rival(&line, queues[i]);
		run(&line, 10 * SECOND, 0);
		got = brings(&line);
		CU_ASSERT(got > line.rate / 4);
		CU_ASSERT(got < line.rate * 3 / 4);
	}
}

TEST(window, makes_peace_when_the_other_has_gone)
{
	struct line line;

	start_with_rival(&line, 300000);
	run(&line, 20 * SECOND, 0);
	CU_ASSERT(line.window.contest.on);
	line.rival = 0;
	run(&line, 5 * SECOND, 0);
	CU_ASSERT(!line.window.contest.on);
	CU_ASSERT(line.window.queue_us < 12000);
	CU_ASSERT(line.window.bytes > wanted(&line) * 3 / 4);
}

TEST(window, competes_with_nobody_on_a_line_of_its_own)
{
	const uint64_t rates[] = { 6250000, 1250000, 6250000, 625000, 2500000 };
	struct line line;

	start(&line, 6250000);
	greet(&line);
	for (unsigned i = 0; i < 50; i++) {
		line.rate = rates[i / 10];
		run(&line, SECOND, 0);
		CU_ASSERT(!line.window.contest.on);
	}
	CU_ASSERT(line.window.queue_us < 12000);
}

/* Known for a second, then at rest for two; somebody else fills the queue. */
static void rest_beside_rival(struct line *line)
{
	start(line, 6250000);
	greet(line);
	run(line, SECOND, 0);
	line->now += 2 * SECOND;
	line->rival = line->rate * (2 * BASE + 100000) / SECOND;
	line->room = line->rate * (2 * BASE + 300000) / SECOND;
	greet(line);
}

TEST(window, competes_at_once_with_a_queue_that_was_there_before)
{
	struct line line;
	uint64_t got;

	rest_beside_rival(&line);
	run(&line, SECOND / 5, 0);
	CU_ASSERT(line.window.contest.on);
	got = line.received;
	run(&line, 2 * SECOND, 0);
	CU_ASSERT((line.received - got) / 2 > line.rate / 4);
}

/* A radio that sleeps, say, or one that has just gone. */
TEST(window, a_line_that_wakes_up_slowly_is_no_rival)
{
	struct line line;

	rest_beside_rival(&line);
	line.rival = 0;
	greet(&line);
	for (int i = 0; i < 50; i++) {
		run(&line, SECOND / 10, 0);
		CU_ASSERT(!line.window.contest.on);
	}
	CU_ASSERT(line.window.queue_us < 12000);
}

TEST(window, who_has_sent_for_long_is_no_newcomer)
{
	struct line line;

	rest_beside_rival(&line);
	line.greedy = false;
	run(&line, 3 * SECOND / 2, 300);
	line.greedy = true;
	run(&line, SECOND / 10, 0);
	CU_ASSERT(!line.window.contest.on);
}

/* Two lanes over one line: each has half of it, and all of it is ours. */
TEST(window, takes_lanes_of_its_own_line_for_no_rivals)
{
	struct line line;

	start(&line, 6250000);
	greet(&line);
	run(&line, 6 * SECOND, 0);
	line.rival = line.rate * 2 * BASE * 3 / 4 / SECOND;
	for (unsigned i = 0; i < 100; i++) {
		line.rival -= line.rival > PACKET ? PACKET / 10 * 50 : 0;
		contest_kin(&line.window.contest, 3, 1);
		run(&line, 100000, 0);
	}
	CU_ASSERT(!line.window.contest.on);
}

/* A line that drops what is above its rate, and has no queue. Returns what is
 * lost, in per cent. */
static unsigned police(struct line *line, uint64_t us)
{
	uint64_t sent = 0, got = 0, owed = 0;

	for (uint64_t end = line->now + us; line->now < end;) {
		uint64_t flight = window_bytes(&line->window, line->now);
		uint64_t bytes = flight * 2000 / (2 * BASE);
		uint64_t passes = line->rate * 2000 / SECOND;
		struct window_ack ack;

		passes = bytes < passes ? bytes : passes;
		owed += bytes - passes;
		window_lost(&line->window, (uint32_t)(owed / PACKET));
		owed %= PACKET;
		line->window.limited = true;
		line->now += 2000;
		line->received += passes;
		line->sent += bytes;
		ack = (struct window_ack){
			.bytes = (uint32_t)passes,
			.packets = (uint32_t)(passes / PACKET),
			.flight = (uint32_t)flight,
			.rtt_us = 2 * BASE,
			.delay = BASE / 4,
			.time = (uint32_t)(line->now / 4) & 0xffffff,
			.received = (uint32_t)line->received,
			.largest = line->sent,
			.next = line->sent + flight,
		};
		window_ack(&line->window, &ack, line->now);
		sent += bytes;
		got += passes;
	}
	return (unsigned)((sent - got) * 100 / sent);
}

TEST(window, finds_a_policer_and_keeps_to_it)
{
	struct line line;
	uint64_t before;

	start(&line, 2500000);
	police(&line, 2 * SECOND);
	before = line.received;
	CU_ASSERT(police(&line, 8 * SECOND) < 10);
	CU_ASSERT(line.received - before > 8 * line.rate * 9 / 10);
}

/* --- mtu
 * ----------------------------------------------------------------------- */

/* Probes until nothing is due; those above passes are lost. */
static unsigned probe(struct mtu *mtu, uint16_t passes, uint64_t *now)
{
	unsigned probes = 0;
	uint64_t counter = 1000;
	uint16_t size;

	while ((size = mtu_due(mtu, *now)) && probes < 100) {
		mtu_sent(mtu, ++counter, *now, 50000);
		CU_ASSERT_EQUAL(mtu_due(mtu, *now), 0);
		*now += 50000;
		if (size <= passes)
			mtu_acked(mtu, counter, *now);
		else
			mtu_lost(mtu, counter, *now);
		probes++;
	}
	return probes;
}

/* What was sent before all lines were gone for an hour, and is acked after all:
 * so old that its age is no signed number of 32 bits. */
TEST(window, an_answer_after_an_hour_says_nothing_of_the_line)
{
	static const uint32_t ages[] = { 70000000, 2311346000, UINT32_MAX };
	struct line line;
	uint32_t before, pipe;

	start(&line, 1000000);
	run(&line, SECOND, 0);
	before = line.window.srtt_us;
	pipe = line.window.pipe_us;
	for (size_t i = 0; i < ARRAY_SIZE(ages); i++) {
		struct window_ack ack = { .bytes = 100,
					  .packets = 1,
					  .rtt_us = ages[i],
					  .delay = BASE / 4 };

		window_ack(&line.window, &ack, line.now);
		CU_ASSERT_EQUAL(line.window.srtt_us, before);
		CU_ASSERT_EQUAL(line.window.pipe_us, pipe);
	}
	window_restart(&line.window);
	window_ack(&line.window, &(struct window_ack){ .rtt_us = ages[0] },
		   line.now);
	CU_ASSERT_EQUAL(line.window.pipe_us, 0);
}

TEST(mtu, tries_the_largest_first_and_is_done)
{
	struct mtu mtu;
	uint64_t now = SECOND;

	mtu_init(&mtu, 1440, now);
	CU_ASSERT_EQUAL(probe(&mtu, 1440, &now), 1);
	CU_ASSERT_EQUAL(mtu.good, 1440);
}

TEST(mtu, finds_any_size_from_above)
{
	const uint16_t sizes[] = { 1439, 1432, 1400, 1360, 1300, 1281,
				   1280, 1200, 1000, 516,  410 };

	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		struct mtu mtu;
		uint64_t now = SECOND;

		mtu_init(&mtu, 1440, now);
		probe(&mtu, sizes[i], &now);
		/* Base is believed until large packets get lost. */
		for (int n = 0; n < MTU_HOLE && sizes[i] < MTU_BASE; n++)
			mtu_note(&mtu, MTU_BASE, true, now);
		CU_ASSERT(probe(&mtu, sizes[i], &now) < 40);
		CU_ASSERT(mtu.good <= sizes[i]);
		CU_ASSERT(mtu.good + MTU_STEP >= sizes[i]);
	}
}

TEST(mtu, notices_a_black_hole_and_only_that)
{
	struct mtu mtu;
	uint64_t now = SECOND;

	mtu_init(&mtu, 1440, now);
	probe(&mtu, 1440, &now);
	for (int n = 0; n < 100; n++)
		mtu_note(&mtu, 200, true, now);
	for (int n = 0; n < 100; n++) {
		mtu_note(&mtu, 1440, true, now);
		mtu_note(&mtu, 1440, n % 3 != 0, now);
	}
	CU_ASSERT_EQUAL(mtu_due(&mtu, now), 0);
	for (int n = 0; n < MTU_HOLE; n++)
		mtu_note(&mtu, 1440, true, now);
	CU_ASSERT_EQUAL(mtu_due(&mtu, now), 1440);
	probe(&mtu, 1400, &now);
	CU_ASSERT(mtu.good <= 1400 && mtu.good > 1390);
}

TEST(mtu, looks_again_after_ten_minutes)
{
	struct mtu mtu;
	uint64_t now = SECOND;

	mtu_init(&mtu, 1440, now);
	probe(&mtu, 1300, &now);
	CU_ASSERT(mtu.good <= 1300);
	now += MTU_RAISE_US;
	probe(&mtu, 1440, &now);
	CU_ASSERT_EQUAL(mtu.good, 1440);
}

/* One packet a millisecond, each late by as much as chance wants. */
TEST(window, takes_no_jitter_of_few_packets_for_a_queue)
{
	struct window window;
	uint64_t now = 100 * SECOND;

	window_init(&window, 5000, PACKET);
	for (uint32_t i = 0; i < 400; i++, now += 50000) {
		uint32_t late = i % 3 ? 12000 + i * 37 % 8000 : 0;
		struct window_ack ack = {
			.bytes = 144,
			.packets = 1,
			.flight = 144,
			.rtt_us = 2 * BASE + late,
			.delay = (BASE + late) / 4,
			.time = (uint32_t)(now / 4) & 0xffffff,
			.received = 144 * (i + 1),
			.largest = i + 1,
			.next = i + 2,
		};

		window_ack(&window, &ack, now);
	}
	CU_ASSERT(!window.known);
	CU_ASSERT(window.bytes >= 32 * PACKET);
}

TEST(window, gives_a_slow_line_two_packets_at_a_time)
{
	struct window window;
	uint64_t now = 100 * SECOND;

	window_init(&window, 5000, PACKET);
	window.known = true;
	window.rate = 125000; /* 1 Mbit/s: a packet takes 12 ms */
	CU_ASSERT(window_pace(&window, now) >= 2 * PACKET - 2);
	window_spent(&window, PACKET, now);
	CU_ASSERT(window_pace(&window, now) >= PACKET - 2);
	window_spent(&window, PACKET, now);
	CU_ASSERT(window_pace(&window, now) < PACKET - 2);
	CU_ASSERT(window_pace_next(&window) > now);
	CU_ASSERT(window_pace_next(&window) < now + 12000);
}
