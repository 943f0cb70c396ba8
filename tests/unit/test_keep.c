/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/engine/keep.h"

#include <string.h>

#include "tests/unit/unit.h"

static uint32_t put(struct keep *keep, uint8_t byte, uint32_t size,
		    uint16_t count)
{
	struct tun_packet packet = { .data = keep_room(keep),
				     .size = size,
				     .count = count };

	memset(keep_room(keep), byte, size);
	return keep_add(keep, &packet);
}

TEST(keep, finds_every_piece_by_its_handle)
{
	AUTO(keep) struct keep *keep = keep_new(4 << 20);
	const struct tun_packet *packet;
	uint32_t first = put(keep, 'a', 60000, 44), second;
	unsigned index;

	second = put(keep, 'b', 1000, 1);
	CU_ASSERT_EQUAL(second, first + 44);
	CU_ASSERT_FATAL(keep_find(keep, first + 43, &packet, &index));
	CU_ASSERT(index == 43 && packet->data[59999] == 'a');
	CU_ASSERT_FATAL(keep_find(keep, second, &packet, &index));
	CU_ASSERT(index == 0 && packet->data[0] == 'b');
	CU_ASSERT(!keep_find(keep, second + 1, &packet, &index));
}

TEST(keep, what_it_finds_was_never_overwritten)
{
	AUTO(keep) struct keep *keep = keep_new(8 << 20);
	const struct tun_packet *packet;
	unsigned index, found = 0;

	for (uint32_t i = 0; i < 3000; i++) {
		uint32_t at = put(keep, (uint8_t)i, 1 + i * 37 % 65000, 1);

		if (i % 500 == 499)
			keep_need(keep, (size_t)(i % 3) << 20);
		for (uint32_t back = 0; back < 400 && back <= at; back++) {
			if (!keep_find(keep, at - back, &packet, &index))
				continue;
			found++;
			CU_ASSERT(packet->data[0] == (uint8_t)(i - back) &&
				  packet->data[packet->size - 1] ==
					  (uint8_t)(i - back));
		}
	}
	CU_ASSERT(found > 3000 * 30);
}

TEST(keep, becomes_as_long_as_what_is_asked_for_is_old)
{
	AUTO(keep) struct keep *keep = keep_new(32 << 20);
	const struct tun_packet *packet;
	unsigned index, found[8] = { 0 };

	for (unsigned turn = 0; turn < 8; turn++) {
		uint32_t at = put(keep, 'x', 1000, 1);

		/* Each time 7 MB are read before anybody comes for it. */
		for (int i = 0; i < 7000; i++)
			put(keep, 'y', 1000, 1);
		found[turn] = keep_find(keep, at, &packet, &index);
	}
	CU_ASSERT(!found[0]);
	CU_ASSERT(found[3] && found[4] && found[5] && found[6] && found[7]);
}

TEST(keep, becomes_short_again_when_nobody_asks)
{
	AUTO(keep) struct keep *keep = keep_new(32 << 20);
	const struct tun_packet *packet;
	uint32_t at = put(keep, 'x', 1000, 1);
	unsigned index, found = 0;

	for (int i = 0; i < 9000; i++)
		put(keep, 'y', 1000, 1);
	keep_find(keep, at, &packet, &index);
	for (int period = 0; period < 3; period++) {
		keep_need(keep, 0);
		for (int i = 0; i < 30000; i++)
			at = put(keep, 'z', 1000, 1);
	}
	while (keep_find(keep, at - found * 100, &packet, &index))
		found++;
	CU_ASSERT(found * 100 * 1000 < 3 << 20);
}
