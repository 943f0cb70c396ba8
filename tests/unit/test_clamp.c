/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/engine/packet.h"

#include <string.h>

#include "tests/unit/unit.h"

enum { IP = 20, TCP = 20, OPTIONS = 8, SYN = IP + TCP + OPTIONS };

/* A SYN over IPv4 with an MSS of 1460, behind so many options of one byte. */
static void make_syn(uint8_t data[SYN], unsigned before,
		     struct packet_info *info)
{
	static const uint8_t head[] = {
		0x45, 0, 0,  SYN, 0, 1, 0x40, 0, 64, 6,
		0,    0, 10, 0,	  0, 1, 10,   0, 0,  2
	};
	uint8_t *tcp = data + IP, *options = tcp + TCP;

	memset(data, 0, SYN);
	memcpy(data, head, sizeof(head));
	packet_ip4_sum(data, IP);
	tcp[1] = 80;
	tcp[3] = 99;
	tcp[12] = (TCP + OPTIONS) / 4 << 4;
	tcp[13] = 2;
	memset(options, 1, before);
	memcpy(options + before, (const uint8_t[]){ 2, 4, 5, 0xb4 }, 4);
	packet_parse(data, SYN, false, info);
	packet_sum_finish(data, info);
}

static unsigned mss_of(const uint8_t *data, unsigned before)
{
	const uint8_t *at = data + IP + TCP + before + 2;

	return (unsigned)(at[0] << 8 | at[1]);
}

TEST(clamp, an_mss_is_made_smaller_wherever_it_stands_and_the_sum_goes_along)
{
	for (unsigned before = 0; before <= 4; before++)
		for (uint16_t mtu = 600; mtu < 1500; mtu++) {
			struct packet_info info;
			uint8_t data[SYN];

			make_syn(data, before, &info);
			packet_clamp_mss(data, &info, mtu, false);
			CU_ASSERT_EQUAL(mss_of(data, before), mtu - 40U);
			CU_ASSERT(packet_sum_good(data, &info));
		}
}

TEST(clamp, an_mss_that_is_small_enough_stays)
{
	struct packet_info info;
	uint8_t data[SYN], as_it_was[SYN];

	make_syn(data, 0, &info);
	memcpy(as_it_was, data, SYN);
	packet_clamp_mss(data, &info, 1500, false);
	CU_ASSERT_EQUAL(memcmp(data, as_it_was, SYN), 0);
}

/* Its receiver has to drop it: a sum made anew would hide that. */
TEST(clamp, what_was_damaged_is_not_made_to_look_sound)
{
	for (unsigned before = 0; before <= 4; before++)
		for (unsigned at = IP; at < SYN; at++) {
			struct packet_info info;
			uint8_t data[SYN];

			make_syn(data, before, &info);
			data[at] ^= 0x08;
			packet_parse(data, SYN, false, &info);
			if (!info.plain)
				continue;
			CU_ASSERT(!packet_sum_good(data, &info));
			packet_clamp_mss(data, &info, 1280, false);
			CU_ASSERT(!packet_sum_good(data, &info));
		}
}
