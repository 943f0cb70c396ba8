/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/engine/offload.h"

#include "tests/unit/unit.h"

/* Uses without it until it is tried again. */
static uint32_t rest_of(struct offload *offload)
{
	uint32_t count = 0;

	while (!offload_may(offload))
		count++;
	return count;
}

TEST(offload, that_is_refused_is_tried_again_later_and_later)
{
	struct offload one = { .there = true };

	CU_ASSERT_TRUE(offload_may(&one));
	CU_ASSERT_EQUAL(offload_state(&one), OFFLOAD_ON);
	offload_refused(&one);
	CU_ASSERT_EQUAL(offload_state(&one), OFFLOAD_REFUSED);
	CU_ASSERT_EQUAL(rest_of(&one), OFFLOAD_REST);
	CU_ASSERT_EQUAL(offload_state(&one), OFFLOAD_REFUSED);
	offload_refused(&one);
	CU_ASSERT_EQUAL(rest_of(&one), 2 * OFFLOAD_REST);
	for (int i = 0; i < 40; i++)
		offload_refused(&one);
	CU_ASSERT_EQUAL(rest_of(&one), OFFLOAD_REST_MOST);
}

TEST(offload, that_works_again_is_as_if_nothing_had_been)
{
	struct offload one = { .there = true };

	offload_refused(&one);
	offload_refused(&one);
	rest_of(&one);
	offload_worked(&one);
	CU_ASSERT_EQUAL(offload_state(&one), OFFLOAD_ON);
	CU_ASSERT_TRUE(offload_may(&one));
	offload_refused(&one);
	CU_ASSERT_EQUAL(rest_of(&one), OFFLOAD_REST);
}

TEST(offload, that_is_not_there_is_never_tried)
{
	struct offload none = { .there = false };

	for (int i = 0; i < 1000; i++)
		CU_ASSERT_FALSE(offload_may(&none));
	CU_ASSERT_EQUAL(offload_state(&none), OFFLOAD_NONE);
}
