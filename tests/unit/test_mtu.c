/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/engine/mtu.h"

#include "tests/unit/unit.h"

/* What a line of that size says to probes, until it has nothing to find out.
 * Nobody is ever told that it is found while it is not so. */
static struct mtu search(uint16_t most, uint16_t line)
{
	uint64_t now = 1000000, counter = 0;
	struct mtu mtu;

	mtu_init(&mtu, most, now);
	for (int i = 0; i < 100 && mtu.next < now + MTU_RAISE_US / 2; i++) {
		uint16_t size;

		now = mtu.next > now ? mtu.next : now;
		size = mtu_due(&mtu, now);
		CU_ASSERT(size && size <= most);
		mtu_sent(&mtu, ++counter, now, 50000);
		if (size <= line)
			mtu_acked(&mtu, counter, now + 10000);
		else
			mtu_lost(&mtu, counter, now + 100000);
		CU_ASSERT(!mtu.found || mtu.good <= line);
	}
	return mtu;
}

TEST(mtu, finds_what_any_line_carries_also_below_the_usual)
{
	for (uint16_t line = MTU_LEAST + MTU_STEP; line <= 1500; line++) {
		struct mtu mtu = search(1440, line);
		uint16_t best = line < 1440 ? line : 1440;

		CU_ASSERT(mtu.found);
		CU_ASSERT(mtu.good <= best && mtu.good + MTU_STEP >= best);
	}
}

TEST(mtu, a_line_that_carries_nothing_is_not_found_out)
{
	struct mtu mtu = search(1440, 100);

	CU_ASSERT(!mtu.found);
	CU_ASSERT_EQUAL(mtu.good, MTU_LEAST);
}

TEST(mtu, what_was_found_is_in_doubt_when_large_ones_get_lost)
{
	struct mtu mtu = search(1440, 1440);
	uint64_t now = mtu.next;

	CU_ASSERT(mtu.found && mtu.good == 1440);
	for (int i = 0; i < MTU_HOLE; i++)
		mtu_note(&mtu, 1400, true, now);
	for (int i = 0; i < MTU_TRIES; i++) {
		mtu_sent(&mtu, 1000 + (uint64_t)i, now, 50000);
		mtu_lost(&mtu, 1000 + (uint64_t)i, now);
	}
	CU_ASSERT(!mtu.found);
	CU_ASSERT_EQUAL(mtu.good, MTU_BASE);
}

TEST(mtu, what_is_smaller_and_passes_is_no_excuse)
{
	struct mtu mtu = search(1440, 1440);
	uint64_t now = mtu.next - MTU_RAISE_US / 2;

	for (int i = 0; i < MTU_HOLE; i++) {
		CU_ASSERT_EQUAL(mtu_due(&mtu, now), 0);
		mtu_note(&mtu, 700, false, now);
		mtu_note(&mtu, (uint16_t)(800 + 10 * i), true, now);
	}
	CU_ASSERT_EQUAL(mtu_due(&mtu, now), 1440);
}

TEST(mtu, one_as_large_that_passes_is_one)
{
	struct mtu mtu = search(1440, 1440);
	uint64_t now = mtu.next - MTU_RAISE_US / 2;

	for (int i = 0; i < 4 * MTU_HOLE; i++) {
		mtu_note(&mtu, 1400, true, now);
		mtu_note(&mtu, (uint16_t)(i % 4 ? 84 : 1400), false, now);
		mtu_note(&mtu, MTU_LEAST, true, now);
	}
	CU_ASSERT_EQUAL(mtu_due(&mtu, now), 0);
}

TEST(mtu, large_ones_under_way_in_a_silence_are_a_doubt_when_it_ends)
{
	struct mtu mtu = search(1440, 1440);
	uint64_t now = mtu.next - MTU_RAISE_US / 2;

	mtu_gone(&mtu, 84);
	mtu_back(&mtu, now);
	CU_ASSERT_EQUAL(mtu_due(&mtu, now), 0);
	mtu_gone(&mtu, 1400);
	mtu_note(&mtu, 1400, false, now); /* late */
	mtu_back(&mtu, now);
	CU_ASSERT_EQUAL(mtu_due(&mtu, now), 0);
	mtu_gone(&mtu, 1400);
	mtu_note(&mtu, 84, false, now);
	mtu_back(&mtu, now);
	CU_ASSERT_EQUAL(mtu_due(&mtu, now), 1440);
}

TEST(mtu, a_doubt_during_a_doubt_changes_nothing)
{
	struct mtu mtu = search(1440, 1440);
	uint64_t now = mtu.next - MTU_RAISE_US / 2;

	for (int i = 0; i < MTU_TRIES; i++) {
		mtu_doubt(&mtu, now);
		CU_ASSERT_EQUAL(mtu_due(&mtu, now), 1440);
		mtu_sent(&mtu, 1000 + (uint64_t)i, now, 50000);
		mtu_doubt(&mtu, now);
		CU_ASSERT_EQUAL(mtu_due(&mtu, now), 0);
		mtu_lost(&mtu, 1000 + (uint64_t)i, now);
	}
	CU_ASSERT_EQUAL(mtu.good, MTU_BASE);
}
