/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Presets: what a line adds to a packet, and what HTB is told of it. */
#include <net/if_arp.h>
#include <string.h>

#include "model/facts.h"
#include "model/node.h"
#include "model/presets.h"
#include "model/shaping.h"
#include "tests/unit/trees.h"
#include "tests/unit/unit.h"

/* Overhead on Ethernet and on ppp, and what a packet of 1,000 bytes of IP
 * costs on Ethernet. Above IP: tc-cake(8). */
static const struct {
	const char *name;
	uint32_t ethernet, ppp, excess, cost;
} lines[] = {
	{ "pppoe-llc", 26, 40, 0, 22 * 53 },
	{ "pppoe-vc", 18, 32, 0, 22 * 53 },
	{ "pppoa-llc", 0, 14, 0, 22 * 53 },
	{ "pppoa-vc", 0, 10, 4, 22 * 53 },
	{ "ipoa-llc", 2, 16, 0, 22 * 53 },
	{ "ipoa-vc", 0, 8, 6, 22 * 53 },
	{ "bridged-llc", 18, 32, 0, 22 * 53 },
	{ "bridged-vc", 10, 24, 0, 22 * 53 },
	{ "pppoe-ptm", 16, 30, 0, 1030 },
	{ "pppoe-ptm-vlan", 20, 34, 0, 1034 },
	{ "bridged-ptm", 8, 22, 0, 1022 },
	{ "bridged-ptm-vlan", 12, 26, 0, 1026 },
	{ "docsis", 4, 18, 0, 1018 },
	{ "ethernet", 24, 38, 0, 1038 },
	{ "ethernet-vlan", 28, 42, 0, 1042 },
};

TEST(presets, count_from_the_ip_packet_on)
{
	AUTO(tree) struct tree *tree = tree_new();
	struct node *uplink =
		make_with(tree_classes(tree), "up", "device", "wan0");
	struct node *class = make_with(uplink, "all", "rate", "1mbit");
	size_t count = 0;

	while (preset_choices[count].name)
		count++;
	CU_ASSERT_EQUAL(count, ARRAY_SIZE(lines));
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		uint32_t excess;

		CU_ASSERT_EQUAL(node_set_text(uplink, "preset", lines[i].name,
					      NULL),
				0);
		(void)preset_overhead(class_layer(class, LAYER_PRESET).preset,
				      14, &excess);
		CU_ASSERT_EQUAL(excess, lines[i].excess);
		CU_ASSERT_EQUAL(class_overhead_on(class, 14),
				lines[i].ethernet);
		CU_ASSERT_EQUAL(class_overhead_on(class, 0), lines[i].ppp);
		CU_ASSERT_EQUAL(class_packet_cost(class, 1014), lines[i].cost);
	}
}

TEST(presets, give_way_to_what_is_given_beside_them)
{
	AUTO(tree) struct tree *tree = tree_new();
	struct node *uplink =
		make_with(tree_classes(tree), "up", "device", "wan0");
	struct node *top = make_with(uplink, "top", "rate", "1mbit");
	struct node *low = make_with(top, "low", "rate", "100kbit");

	node_set_text(uplink, "preset", "ethernet", NULL);
	CU_ASSERT_EQUAL(class_packet_cost(low, 60), 84);
	node_set_text(top, "preset", "pppoe-llc", NULL);
	CU_ASSERT_EQUAL(class_linklayer(low), LINKLAYER_ATM);
	CU_ASSERT_EQUAL(class_mpu(low), 0);
	CU_ASSERT_PTR_EQUAL(class_layer(low, LAYER_MPU).node, top);
	node_set_text(top, "overhead", "30", NULL);
	CU_ASSERT_EQUAL(class_overhead_on(low, 14), 30);
	CU_ASSERT_PTR_NULL(class_layer(low, LAYER_OVERHEAD).preset);
	CU_ASSERT_EQUAL(class_linklayer(low), LINKLAYER_ATM);
	node_set_text(low, "preset", "pppoe-ptm", NULL);
	CU_ASSERT_TRUE(class_is_ptm(low));
	CU_ASSERT_FALSE(class_is_ptm(top));
	CU_ASSERT_EQUAL(class_overhead_on(low, 14), 16);
	node_set_text(low, "linklayer", "ethernet", NULL);
	CU_ASSERT_FALSE(class_is_ptm(low));
}

TEST(presets, know_what_a_device_puts_in_front_of_a_packet)
{
	struct link_fact link = { .type = ARPHRD_ETHER };

	CU_ASSERT_EQUAL(link_header(&link), 14);
	link.type = ARPHRD_PPP;
	CU_ASSERT_EQUAL(link_header(&link), 0);
	link.type = ARPHRD_NONE;
	CU_ASSERT_EQUAL(link_header(&link), 0);
	link.type = 0;
	CU_ASSERT_EQUAL(link_header(&link), 14);
}
