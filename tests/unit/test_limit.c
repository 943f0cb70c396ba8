/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/engine/limit.h"

#include "tests/unit/unit.h"

/* Bytes that go in ten seconds if it is asked every `step` microseconds. */
static uint64_t sent(uint64_t rate, uint32_t burst_us, uint64_t step,
		     size_t bytes)
{
	struct limit limit = { 0 };
	uint64_t all = 0, start = 86400000000ULL;

	for (uint64_t now = start; now < start + 10000000; now += step)
		while (!limit_wait(&limit, rate, burst_us, now)) {
			limit_took(&limit, rate, bytes, now);
			all += bytes;
		}
	return all;
}

static void about(uint64_t got, uint64_t wanted)
{
	CU_ASSERT_TRUE(got >= wanted * 98 / 100);
	CU_ASSERT_TRUE(got <= wanted * 105 / 100);
}

TEST(limit, holds_however_often_it_is_asked)
{
	about(sent(2000000, 20000, 1, 1460), 2500000);
	about(sent(2000000, 20000, 100, 1460), 2500000);
	about(sent(2000000, 20000, 5000, 100), 2500000);
	about(sent(1000000000, 20000, 10, 1460), 1250000000);
	about(sent(64000, 20000, 1, 100), 80000 + LIMIT_LEAST);
	about(sent(8000, 20000, 7, 100), 10000 + LIMIT_LEAST);
}

TEST(limit, says_when_to_come_again)
{
	struct limit limit = { 0 };
	uint64_t now = 1000000, wait;

	CU_ASSERT_EQUAL(limit_wait(&limit, 8000000, 20000, now), 0);
	limit_took(&limit, 8000000, 50000, now); /* 50 ms */
	wait = limit_wait(&limit, 8000000, 20000, now);
	CU_ASSERT_EQUAL(wait, 27000);
	CU_ASSERT_EQUAL(limit_wait(&limit, 8000000, 20000, now + wait), 0);
	CU_ASSERT_EQUAL(limit_wait(&limit, 8000000, 20000, now + wait - 1), 1);
}

TEST(limit, gives_no_more_for_a_long_rest)
{
	struct limit limit = { 0 };
	uint64_t now = 1000000, all = 0;

	limit_took(&limit, 8000000, 1, now);
	now += 86400000000ULL * 365;
	while (!limit_wait(&limit, 8000000, 20000, now)) {
		limit_took(&limit, 8000000, 1000, now);
		all += 1000;
	}
	CU_ASSERT_EQUAL(all, 20000 + LIMIT_LEAST + 1000);
}
