/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/engine/wire.h"

#include <string.h>

#include "tests/unit/unit.h"

TEST(wire, headers_come_back_as_they_were_put)
{
	struct wire_header header = { WIRE_TRANSPORT, 200, 0xabcdef, 0x123456 };
	struct wire_inner inner = { 0xfffffe, WIRE_COPY | WIRE_BULK, 0xffe,
				    0xfedcb };
	struct wire_header header2;
	struct wire_inner inner2;
	uint8_t bytes[WIRE_HEADER + WIRE_INNER];

	wire_put_header(bytes, &header);
	wire_put_inner(bytes + WIRE_HEADER, &inner);
	wire_get_header(bytes, &header2);
	wire_get_inner(bytes + WIRE_HEADER, &inner2);
	CU_ASSERT_EQUAL(header2.type, header.type);
	CU_ASSERT_EQUAL(header2.lane, header.lane);
	CU_ASSERT_EQUAL(header2.index, header.index);
	CU_ASSERT_EQUAL(header2.counter, header.counter);
	CU_ASSERT_EQUAL(inner2.time, inner.time);
	CU_ASSERT_EQUAL(inner2.flags, inner.flags);
	CU_ASSERT_EQUAL(inner2.bucket, inner.bucket);
	CU_ASSERT_EQUAL(inner2.seq, inner.seq);
}

TEST(wire, a_counter_is_inferred_from_its_low_bits)
{
	const uint64_t low_mask = (1ULL << WIRE_COUNTER_BITS) - 1;
	const uint64_t expected[] = { 0,	  1,	     1ULL << 23,
				      1ULL << 24, 0x1ffffff, 1ULL << 40 };

	for (size_t i = 0; i < sizeof(expected) / sizeof(*expected); i++)
		for (int64_t off = -8000000; off <= 8000000; off += 999983) {
			uint64_t full = expected[i] + (uint64_t)off;

			if (off < 0 && (uint64_t)-off > expected[i])
				continue;
			CU_ASSERT_EQUAL(wire_infer(expected[i],
						   (uint32_t)(full & low_mask),
						   WIRE_COUNTER_BITS),
					full);
		}
}

/* RFC 9000, A.3; of two that are as far, the one ahead. */
TEST(wire, of_two_counters_that_may_be_meant_the_nearer_one_is)
{
	const uint64_t half = 1ULL << (WIRE_COUNTER_BITS - 1);
	const uint64_t from = 5ULL << WIRE_COUNTER_BITS;
	const uint32_t low = (uint32_t)half;

	CU_ASSERT_EQUAL(wire_infer(0xa82f30eb, 0x9b32, 16), 0xa82f9b32);
	CU_ASSERT_EQUAL(wire_infer(from, low, WIRE_COUNTER_BITS), from + half);
	CU_ASSERT_EQUAL(wire_infer(from, low + 1, WIRE_COUNTER_BITS),
			from - half + 1);
	CU_ASSERT_EQUAL(wire_infer(from + half, 0, WIRE_COUNTER_BITS),
			from + 2 * half);
	CU_ASSERT_EQUAL(wire_infer(from + half, 1, WIRE_COUNTER_BITS),
			from + 1);
}
