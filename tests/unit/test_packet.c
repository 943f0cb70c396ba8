/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/engine/packet.h"

#include <netinet/in.h>
#include <string.h>

#include "tests/unit/unit.h"

enum { HEADER = 20, MOST = 65535 };

/* An IPv4 packet of so many bytes; field: flags and offset. */
static void make(uint8_t *packet, size_t size, unsigned field,
		 struct packet_info *info)
{
	memset(packet, 0, HEADER + 8);
	for (size_t i = HEADER + 8; i < size; i++)
		packet[i] = (uint8_t)(i * 7919 >> 3);
	packet[0] = 0x45;
	packet[2] = (uint8_t)(size >> 8);
	packet[3] = (uint8_t)size;
	packet[5] = 99;
	packet[6] = (uint8_t)(field >> 8);
	packet[7] = (uint8_t)field;
	packet[8] = 64;
	packet[9] = IPPROTO_UDP;
	memcpy(packet + 12, "\x0a\x00\x00\x01\x0a\x00\x00\x02", 8);
	packet[24] = (uint8_t)((size - HEADER) >> 8);
	packet[25] = (uint8_t)(size - HEADER);
	packet_ip4_sum(packet, HEADER);
	packet_parse(packet, size, false, info);
}

/* Cuts it, and puts together what came out. Returns how many there were. */
static unsigned cut(const uint8_t *packet, size_t size, uint16_t mtu,
		    const struct packet_info *info)
{
	static uint8_t whole[MOST], piece[MOST];
	unsigned start = (unsigned)(packet[6] << 8 | packet[7]) & 0x1fff;
	bool more = packet[6] & 0x20, last = false;
	size_t done = 0, at = 0, got;
	unsigned count = 0;

	while ((got = packet_fragment(packet, info, mtu, &done, piece))) {
		unsigned field = (unsigned)(piece[6] << 8 | piece[7]);

		CU_ASSERT(got <= mtu);
		CU_ASSERT_EQUAL((size_t)(piece[2] << 8 | piece[3]), got);
		CU_ASSERT_EQUAL(packet_fold(packet_sum(piece, HEADER, 0)),
				0xffff);
		CU_ASSERT_EQUAL(piece[5], 99);
		CU_ASSERT(!memcmp(piece + 8, packet + 8, 2));
		CU_ASSERT(!memcmp(piece + 12, packet + 12, 8));
		CU_ASSERT_EQUAL((field & 0x1fff) - start, at / 8);
		CU_ASSERT(!last);
		last = !(field & 0x2000);
		memcpy(whole + at, piece + HEADER, got - HEADER);
		at += got - HEADER;
		count++;
	}
	CU_ASSERT_EQUAL(last, !more);
	CU_ASSERT_EQUAL(at, size - HEADER);
	CU_ASSERT(!memcmp(whole, packet + HEADER, at));
	return count;
}

TEST(packet, fragments_make_the_packet_again)
{
	static uint8_t packet[MOST];
	struct packet_info info;

	make(packet, 3000, 0, &info);
	CU_ASSERT(packet_may_fragment(packet, &info));
	CU_ASSERT_EQUAL(cut(packet, 3000, 1240, &info), 3);
	make(packet, 1241, 0, &info);
	CU_ASSERT_EQUAL(cut(packet, 1241, 1240, &info), 2);
	make(packet, 1240, 0, &info);
	CU_ASSERT_EQUAL(cut(packet, 1240, 1240, &info), 1);
	make(packet, MOST, 0, &info);
	CU_ASSERT_EQUAL(cut(packet, MOST, 68, &info),
			(MOST - HEADER + 47) / 48);
}

TEST(packet, a_fragment_can_be_cut_once_more)
{
	static uint8_t packet[MOST];
	struct packet_info info;

	make(packet, 1420, 0x2000 | 175, &info); /* one in the middle */
	CU_ASSERT_EQUAL(cut(packet, 1420, 1000, &info), 2);
	make(packet, 1421, 350, &info); /* the last */
	CU_ASSERT_EQUAL(cut(packet, 1421, 1000, &info), 2);
}

TEST(packet, what_may_not_be_cut_is_told_from_what_may)
{
	uint8_t packet[1500];
	struct packet_info info;

	make(packet, 1400, 0x4000, &info);
	CU_ASSERT(!packet_may_fragment(packet, &info));
	make(packet, 1400, 0, &info);
	packet[0] = 0x46; /* with an option */
	packet_ip4_sum(packet, HEADER + 4);
	packet_parse(packet, 1400, false, &info);
	CU_ASSERT(!packet_may_fragment(packet, &info));
	memset(packet, 0, sizeof(packet));
	packet[0] = 0x60;
	packet[4] = 1000 >> 8;
	packet[5] = 1000 & 255;
	packet[6] = IPPROTO_UDP;
	packet_parse(packet, 1040, false, &info);
	CU_ASSERT(!packet_may_fragment(packet, &info));
}
