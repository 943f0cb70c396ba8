/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "model/base/digest.h"
#include "model/base/mem.h"
#include "tests/unit/unit.h"

static struct digest of(const void *bytes, size_t size)
{
	return digest_bytes((struct digest)DIGEST_NONE, bytes, size);
}

TEST(digest, any_bit_of_any_length_makes_another)
{
	unsigned char bytes[40] = { 0 };

	for (size_t size = 1; size <= sizeof(bytes); size++) {
		struct digest whole = of(bytes, size);

		CU_ASSERT_TRUE(digest_equal(whole, of(bytes, size)));
		CU_ASSERT_FALSE(digest_equal(whole, of(bytes, size - 1)));
		for (size_t bit = 0; bit < size * 8; bit++) {
			struct digest other;

			bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
			other = of(bytes, size);
			bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
			CU_ASSERT_NOT_EQUAL(whole.a, other.a);
			CU_ASSERT_NOT_EQUAL(whole.b, other.b);
		}
	}
}

TEST(digest, where_one_part_ends_and_the_next_begins_counts)
{
	struct digest none = DIGEST_NONE;

	CU_ASSERT_FALSE(
		digest_equal(digest_text(digest_text(none, "ab"), "c"),
			     digest_text(digest_text(none, "a"), "bc")));
}

TEST(digest, a_set_is_the_same_in_any_order_and_gives_back_what_it_took)
{
	struct digest a = of("a", 1), b = of("b", 1), c = of("c", 1);
	struct digest left = DIGEST_NONE, right = DIGEST_NONE;

	digest_add(&left, a);
	digest_add(&left, b);
	digest_add(&left, c);
	digest_add(&right, c);
	digest_add(&right, a);
	CU_ASSERT_FALSE(digest_equal(left, right));
	digest_add(&right, b);
	CU_ASSERT_TRUE(digest_equal(left, right));
	digest_remove(&left, b);
	digest_remove(&right, c);
	digest_remove(&right, b);
	digest_add(&right, c);
	CU_ASSERT_TRUE(digest_equal(left, right));
}
