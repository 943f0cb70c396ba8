/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/engine/shelf.h"

#include "tests/unit/unit.h"

static uint32_t numbers[SHELF_BUCKETS];

static uint32_t number_of(const void *context, uint16_t bucket)
{
	return ((const uint32_t *)context)[bucket];
}

static void take(struct shelf_taken *taken, uint16_t bucket, uint32_t number)
{
	CU_ASSERT(shelf_take(taken, bucket));
	CU_ASSERT(!shelf_take(taken, bucket));
	numbers[bucket] = number;
}

TEST(shelf, gives_back_what_was_put_there_and_nothing_of_others)
{
	struct shelf shelf = { 0 };
	struct shelf_taken taken = { 0 };

	CU_ASSERT_EQUAL(shelf_number(&shelf, 0), 0);
	take(&taken, 0, 5);
	take(&taken, 17, 0xfffff);
	take(&taken, SHELF_BUCKETS - 1, 1);
	shelf_put(&shelf, &taken, number_of, numbers);
	CU_ASSERT_EQUAL(shelf.count, 3);
	CU_ASSERT_EQUAL(shelf_number(&shelf, 0), 5);
	CU_ASSERT_EQUAL(shelf_number(&shelf, 17), 0xfffff);
	CU_ASSERT_EQUAL(shelf_number(&shelf, SHELF_BUCKETS - 1), 1);
	CU_ASSERT_EQUAL(shelf_number(&shelf, 16), 0);
	CU_ASSERT_EQUAL(shelf_number(&shelf, 18), 0);
	shelf_clear(&shelf);
	CU_ASSERT_EQUAL(shelf_number(&shelf, 17), 0);
}

TEST(shelf, what_was_not_taken_stays_as_it_was)
{
	struct shelf shelf = { 0 };
	struct shelf_taken taken = { 0 }, later = { 0 };

	take(&taken, 3, 30);
	take(&taken, 5, 50);
	take(&taken, 9, 90);
	shelf_put(&shelf, &taken, number_of, numbers);
	take(&later, 4, 40);
	take(&later, 5, 51);
	numbers[3] = numbers[9] = 7;
	shelf_put(&shelf, &later, number_of, numbers);
	CU_ASSERT_EQUAL(shelf.count, 4);
	CU_ASSERT_EQUAL(shelf_number(&shelf, 3), 30);
	CU_ASSERT_EQUAL(shelf_number(&shelf, 4), 40);
	CU_ASSERT_EQUAL(shelf_number(&shelf, 5), 51);
	CU_ASSERT_EQUAL(shelf_number(&shelf, 9), 90);
	shelf_clear(&shelf);
}

TEST(shelf, holds_all_buckets_at_four_bytes_each)
{
	struct shelf shelf = { 0 };
	struct shelf_taken taken = { 0 };

	for (uint32_t i = 0; i < SHELF_BUCKETS; i++)
		take(&taken, (uint16_t)i, i * 7919);
	shelf_put(&shelf, &taken, number_of, numbers);
	CU_ASSERT_EQUAL(shelf.count, SHELF_BUCKETS);
	CU_ASSERT_EQUAL(sizeof(*shelf.words), 4);
	for (uint32_t i = 0; i < SHELF_BUCKETS; i++)
		CU_ASSERT_EQUAL(shelf_number(&shelf, (uint16_t)i),
				i * 7919 & 0xfffff);
	shelf_clear(&shelf);
}

TEST(shelf, nothing_taken_is_nothing_changed)
{
	struct shelf shelf = { 0 };
	struct shelf_taken none = { 0 };

	shelf_put(&shelf, &none, number_of, numbers);
	CU_ASSERT_EQUAL(shelf.count, 0);
	CU_ASSERT_EQUAL(shelf_number(&shelf, 1), 0);
	shelf_clear(&shelf);
}
