/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/engine/backlog.h"
#include "backends/engine/resend.h"
#include "tests/unit/unit.h"

enum { SECOND = 1000000 };

static void put(struct backlog *backlog, uint16_t bucket, uint16_t count,
		uint32_t handle, uint64_t now)
{
	struct backlog_run run = {
		.flow = { .bucket = bucket, .size = 1400 },
		.count = count,
		.last = 700,
		.handle = handle,
	};

	backlog_put(backlog, &run, now);
}

TEST(backlog, gives_back_what_it_was_given)
{
	struct backlog *backlog = backlog_new(NULL);
	struct backlog_stats stats;
	const struct backlog_run *run;

	put(backlog, 1, 10, 100, SECOND);
	run = backlog_head(backlog, SECOND);
	CU_ASSERT_EQUAL(run->count, 10);
	CU_ASSERT_EQUAL(run->flow.waiting, 9 * 1400 + 700);
	CU_ASSERT_EQUAL(run->flow.flows, 1);
	backlog_took(backlog, 4, SECOND);
	run = backlog_head(backlog, SECOND);
	CU_ASSERT_EQUAL(run->count, 6);
	CU_ASSERT_EQUAL(run->handle, 104);
	CU_ASSERT_EQUAL(run->last, 700);
	backlog_took(backlog, 6, SECOND);
	CU_ASSERT_PTR_NULL(backlog_head(backlog, SECOND));
	CU_ASSERT(backlog_is_empty(backlog));
	backlog_stats(backlog, &stats);
	CU_ASSERT_EQUAL(stats.bytes, 0);
	CU_ASSERT_EQUAL(stats.packets, 0);
	backlog_free(backlog);
}

TEST(backlog, lets_a_ping_pass_an_upload)
{
	struct backlog *backlog = backlog_new(NULL);

	for (uint32_t i = 0; i < 50; i++)
		put(backlog, 1, 40, i * 40, SECOND);
	backlog_head(backlog, SECOND);
	backlog_took(backlog, 3, SECOND);
	put(backlog, 2, 1, 9999, SECOND);
	CU_ASSERT_EQUAL(backlog_head(backlog, SECOND)->handle, 9999);
	CU_ASSERT_EQUAL(backlog_head(backlog, SECOND)->flow.flows, 2);
	backlog_free(backlog);
}

TEST(backlog, shares_by_bytes_among_flows)
{
	struct backlog *backlog = backlog_new(NULL);
	unsigned taken[3] = { 0 };

	for (uint32_t i = 0; i < 20; i++) {
		put(backlog, 1, 40, 0, SECOND);
		put(backlog, 2, 2, 0, SECOND);
	}
	for (unsigned i = 0; i < 60; i++) {
		taken[backlog_head(backlog, SECOND)->flow.bucket]++;
		backlog_took(backlog, 1, SECOND);
	}
	CU_ASSERT(taken[1] >= 20 && taken[2] >= 20);
	backlog_free(backlog);
}

TEST(backlog, gives_the_urgent_first)
{
	struct backlog *backlog = backlog_new(NULL);
	struct backlog_run urgent = {
		.flow = { .bucket = 3, .size = 100 },
		.count = 1,
		.last = 100,
		.urgent = true,
		.handle = 77,
	};

	put(backlog, 1, 1, 1, SECOND);
	put(backlog, 2, 1, 2, SECOND);
	backlog_put(backlog, &urgent, SECOND);
	CU_ASSERT_EQUAL(backlog_head(backlog, SECOND)->handle, 77);
	backlog_free(backlog);
}

TEST(backlog, makes_the_longest_queue_pay_when_it_is_full)
{
	struct backlog_config config = { .limit_bytes = 100000, .runs = 64 };
	struct backlog *backlog = backlog_new(&config);
	struct backlog_stats stats;

	put(backlog, 2, 1, 4242, SECOND);
	for (uint32_t i = 0; i < 1000; i++)
		put(backlog, 1, 10, 0, SECOND);
	backlog_stats(backlog, &stats);
	CU_ASSERT(stats.bytes <= 100000);
	CU_ASSERT(stats.dropped_full > 9000);
	CU_ASSERT_EQUAL(backlog_head(backlog, SECOND)->handle, 4242);
	backlog_free(backlog);
}

TEST(backlog, thins_out_a_queue_that_stands_but_not_one_that_moves)
{
	struct backlog *backlog = backlog_new(NULL);
	struct backlog_stats stats;
	uint64_t now = SECOND;

	/* 10 ms behind: no reason to drop. */
	for (int i = 0; i < 1000; i++, now += 1000) {
		put(backlog, 1, 2, 0, now);
		if (i < 10)
			continue;
		backlog_head(backlog, now);
		backlog_took(backlog, 2, now);
	}
	backlog_stats(backlog, &stats);
	CU_ASSERT_EQUAL(stats.dropped_stood, 0);
	/* 100 ms behind, for two seconds. */
	for (int i = 0; i < 2000; i++, now += 1000) {
		put(backlog, 1, 2, 0, now);
		if (i < 100 || !backlog_head(backlog, now))
			continue;
		backlog_took(backlog, 2, now);
	}
	backlog_stats(backlog, &stats);
	CU_ASSERT(stats.dropped_stood > 2 && stats.dropped_stood < 200);
	backlog_free(backlog);
}

/* A call: 20 ms of it at a time, beside flows that always have more. After the
 * first second, in which those are new as well. */
static uint64_t call_waits(struct backlog *backlog, int others)
{
	uint64_t now = SECOND, next = SECOND, worst = 0;
	const struct backlog_run *head;

	for (int i = 0; i < 3000; i++, now += 6000) {
		for (int n = 0; n < others; n++)
			put(backlog, (uint16_t)(10 + n), 1, 0, now);
		for (; next <= now; next += 20000) {
			struct backlog_run call = {
				.flow = { .bucket = 2000, .size = 200 },
				.count = 1,
				.last = 200,
				.handle = 1 + (uint32_t)next,
			};

			backlog_put(backlog, &call, next);
		}
		head = backlog_head(backlog, now);
		if (head->flow.bucket == 2000 && i > 170 &&
		    now - (head->handle - 1) > worst)
			worst = now - (head->handle - 1);
		backlog_took(backlog, 1, now);
	}
	return worst;
}

TEST(backlog, never_lets_a_call_wait_for_more_than_what_is_being_sent)
{
	/* A packet goes each 6 ms: 1.9 Mbit/s. */
	for (int others = 1; others <= 8; others *= 8) {
		AUTO(backlog) struct backlog *backlog = backlog_new(NULL);

		CU_ASSERT(call_waits(backlog, others) <= 12000);
	}
}

TEST(backlog, gives_who_has_kept_still_no_more_than_his_share)
{
	AUTO(backlog) struct backlog *backlog = backlog_new(NULL);
	unsigned taken[3] = { 0 };

	for (int i = 0; i < 400; i++)
		put(backlog, 1, 1, 0, SECOND);
	for (int i = 0; i < 200; i++) {
		backlog_head(backlog, SECOND);
		backlog_took(backlog, 1, SECOND);
	}
	for (int i = 0; i < 400; i++)
		put(backlog, 2, 1, 0, SECOND);
	for (int i = 0; i < 100; i++) {
		taken[backlog_head(backlog, SECOND)->flow.bucket]++;
		backlog_took(backlog, 1, SECOND);
	}
	CU_ASSERT(taken[1] >= 45 && taken[2] >= 45);
}

TEST(backlog, serves_thousands_of_flows_each_its_packet)
{
	AUTO(backlog) struct backlog *backlog = backlog_new(NULL);
	unsigned seen[2000] = { 0 }, flows = 0;
	const struct backlog_run *head;

	for (uint32_t i = 0; i < 2000; i++)
		put(backlog, (uint16_t)i, 1, i, SECOND);
	while ((head = backlog_head(backlog, SECOND))) {
		seen[head->handle]++;
		backlog_took(backlog, 1, SECOND);
	}
	for (unsigned i = 0; i < 2000; i++)
		flows += seen[i] == 1;
	CU_ASSERT_EQUAL(flows, 2000);
	CU_ASSERT(backlog_is_empty(backlog));
}

TEST(backlog, forgets_what_waits_for_longer_than_anybody_would)
{
	AUTO(backlog) struct backlog *backlog = backlog_new(NULL);
	struct backlog_stats stats;
	uint64_t now = SECOND, left;

	/* 8 Mbit/s offered for five seconds, and 1 Mbit/s taken. */
	for (int i = 0; i < 3571; i++, now += 1400) {
		put(backlog, 1, 2, 0, now);
		if (i % 8 == 0 && backlog_head(backlog, now))
			backlog_took(backlog, 1, now);
	}
	/* A second later there is next to nothing left of it. */
	for (int i = 0; i < 90; i++, now += 11200)
		if (backlog_head(backlog, now))
			backlog_took(backlog, 1, now);
	backlog_head(backlog, now + 20000);
	backlog_stats(backlog, &stats);
	left = stats.bytes;
	CU_ASSERT(left <= 12000);
	/* But a few packets are kept for however long. */
	CU_ASSERT(left > 0);
	CU_ASSERT_PTR_NOT_NULL(backlog_head(backlog, now + 60 * SECOND));
}

TEST(resend, gives_back_in_order_however_many)
{
	struct resend resend = { 0 };
	struct resend_item item = { 0 };

	CU_ASSERT_PTR_NULL(resend_head(&resend));
	for (uint32_t i = 0; i < 100; i++) {
		item.seq = i;
		resend_put(&resend, &item);
	}
	for (uint32_t i = 0; i < 50; i++)
		resend_drop(&resend);
	for (uint32_t i = 100; i < RESEND_MOST + 100; i++) {
		item.seq = i;
		resend_put(&resend, &item);
	}
	CU_ASSERT_EQUAL(resend.overflown, 50);
	for (uint32_t i = 50; i < RESEND_MOST + 50; i++) {
		CU_ASSERT_EQUAL_FATAL(resend_head(&resend)->seq, i);
		resend_drop(&resend);
	}
	CU_ASSERT_PTR_NULL(resend_head(&resend));
	resend_clear(&resend);
}
