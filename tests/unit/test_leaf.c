/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The queue of a class in tc's words, and what bursts come to. */
#include <string.h>

#include "model/base/mem.h"
#include "model/leaf.h"
#include "model/node.h"
#include "model/shaping.h"
#include "tests/unit/trees.h"
#include "tests/unit/unit.h"
#include "tests/unit/values.h"

static const struct attr leaf = { .name = "leaf", .type = &type_leaf };

/* ---- reading ---- */

TEST(leaf, reads_every_kind_bare)
{
	READS(&leaf, "pfifo", "pfifo");
	READS(&leaf, "bfifo", "bfifo");
	READS(&leaf, "sfq", "sfq");
	READS(&leaf, "fq_codel", "fq_codel");
	READS(&leaf, "codel", "codel");
	READS(&leaf, "fq", "fq");
	READS(&leaf, "cake", "cake");
}

TEST(leaf, puts_options_into_one_order)
{
	READS(&leaf, "sfq limit 50 perturb 10", "sfq limit 50 perturb 10");
	READS(&leaf, "sfq  perturb 10   limit 50 ", "sfq limit 50 perturb 10");
	READS(&leaf, "fq_codel ecn target 5ms limit 1000",
	      "fq_codel limit 1000 target 5ms ecn");
}

TEST(leaf, reads_fallbacks)
{
	READS(&leaf, "sfq perturb 10 or pfifo limit 127",
	      "sfq perturb 10 or pfifo limit 127");
	READS(&leaf, "cake or fq_codel or pfifo", "cake or fq_codel or pfifo");
}

TEST(leaf, reads_seconds_as_tc_writes_and_prints_them)
{
	READS(&leaf, "sfq perturb 10", "sfq perturb 10");
	READS(&leaf, "sfq perturb 10s", "sfq perturb 10");
	READS(&leaf, "sfq perturb 10sec", "sfq perturb 10");
	READS(&leaf, "sfq perturb 2min", "sfq perturb 120");
	REFUSES(&leaf, "sfq perturb 1500ms", EINVAL,
		"sfq perturb 1500ms: whole seconds only");
}

TEST(leaf, reads_sizes_rates_and_times_as_the_rest_does)
{
	READS(&leaf, "bfifo limit 65536", "bfifo limit 64k");
	READS(&leaf, "fq maxrate 1000kbit", "fq maxrate 1mbit");
	READS(&leaf, "codel interval 100000us", "codel interval 100ms");
	READS(&leaf, "cake fwmark 255", "cake fwmark 0xff");
	READS(&leaf, "cake overhead -4", "cake overhead -4");
}

TEST(leaf, takes_tcs_other_names)
{
	READS(&leaf, "tbf rate 1mbit buffer 10k limit 20k",
	      "tbf rate 1mbit burst 10k limit 20k");
	READS(&leaf, "tbf rate 1mbit maxburst 10k latency 30ms linklayer adsl",
	      "tbf rate 1mbit burst 10k latency 30ms linklayer atm");
	READS(&leaf, "cake lan", "cake rtt 1ms");
	READS(&leaf, "cake docsis", "cake noatm overhead 18 mpu 64");
	READS(&leaf, "cake pppoe-ptm unlimited",
	      "cake unlimited ptm overhead 30");
}

TEST(leaf, says_which_kinds_there_are)
{
	REFUSES(&leaf, "sqf", EINVAL,
		"sqf: no such queue (pfifo, bfifo, sfq, fq_codel, codel, fq, "
		"cake, tbf)");
	REFUSES(&leaf, "", EINVAL,
		"a queue is missing, as in \"sfq perturb 10 or pfifo limit "
		"127\"");
	REFUSES(&leaf, "sfq or", EINVAL,
		"a queue is missing, as in \"sfq perturb 10 or pfifo limit "
		"127\"");
}

TEST(leaf, says_which_options_there_are)
{
	REFUSES(&leaf, "sfq perturbe 10", EINVAL,
		"perturbe: sfq has no such option (limit, perturb, quantum, "
		"divisor, flows, depth, headdrop)");
	REFUSES(&leaf, "tbf rate 1mbit burst 10k limit 5k linklayer dsl",
		EINVAL,
		"tbf linklayer dsl: no such linklayer (ethernet, atm, adsl)");
	REFUSES(&leaf, "pfifo limit", EINVAL,
		"pfifo limit: give a value, as in limit 1000");
	REFUSES(&leaf, "pfifo limit 1 limit 2", EINVAL,
		"pfifo limit: given twice");
	REFUSES(&leaf, "cake nat nonat", EINVAL, "cake nat: given twice");
}

TEST(leaf, says_what_is_out_of_bounds)
{
	REFUSES(&leaf, "sfq depth 128", ERANGE,
		"sfq depth 128: must be 1 to 127");
	REFUSES(&leaf, "sfq divisor 1000", EINVAL,
		"sfq divisor 1000: must be a power of 2");
	REFUSES(&leaf, "cake overhead 257", ERANGE,
		"cake overhead 257: must be -64 to 256");
	REFUSES(&leaf, "pfifo limit 4294967296", ERANGE,
		"pfifo limit 4294967296: must be 1 to 4294967295");
}

TEST(leaf, wants_what_belongs_together)
{
	REFUSES(&leaf, "tbf", EINVAL, "tbf needs rate, as in rate 1mbit");
	REFUSES(&leaf, "tbf rate 1mbit", EINVAL,
		"tbf needs burst, as in burst 10k");
	REFUSES(&leaf, "tbf rate 1mbit burst 10k", EINVAL,
		"tbf: say limit or latency, one of the two");
	REFUSES(&leaf, "tbf rate 1mbit burst 10k limit 5k latency 3ms", EINVAL,
		"tbf: say limit or latency, one of the two");
	REFUSES(&leaf, "tbf rate 1mbit burst 10k limit 5k peakrate 2mbit",
		EINVAL,
		"tbf: peakrate and mtu belong together: give both or neither");
	REFUSES(&leaf,
		"tbf rate 1mbit burst 10k limit 5k peakrate 1mbit mtu 2k",
		ERANGE, "tbf: peakrate must be above rate, or left out");
	REFUSES(&leaf, "tbf rate 8kbit burst 10m limit 5k", ERANGE,
		"tbf: burst: it takes longer than 275 s at this rate; give "
		"less");
	REFUSES(&leaf, "cake raw overhead 10", EINVAL,
		"cake: raw and overhead exclude each other");
}

TEST(leaf, checks_every_alternative)
{
	REFUSES(&leaf, "sfq or pfifo limit x", EINVAL,
		"pfifo limit x: not a number (as 10 or 0xa)");
}

TEST(leaf, completes_kinds_options_and_values)
{
	OFFERS(&leaf, "p", "pfifo ");
	OFFERS(&leaf, "sfq pe", "sfq perturb ");
	OFFERS(&leaf, "sfq perturb ", "sfq perturb 10 ");
	OFFERS(&leaf, "sfq perturb 10 o", "sfq perturb 10 or ");
	OFFERS(&leaf, "sfq or pf", "sfq or pfifo ");
	OFFERS(&leaf, "tbf linklayer a",
	       "tbf linklayer atm tbf linklayer adsl ");
	OFFERS(&leaf, "nonsense ", "");
}

/* ---- the table ---- */

TEST(leaf, has_a_whole_row_for_every_option)
{
	for (const struct leaf_kind *kind = leaf_kinds; kind->name; kind++) {
		CU_ASSERT_PTR_NOT_NULL(kind->help);
		CU_ASSERT_EQUAL(kind->config != NULL, kind->module != NULL);
		CU_ASSERT_PTR_NOT_NULL(kind->nearest[0]);
		CU_ASSERT(kind->option_count <= LEAF_OPTIONS);
		for (size_t i = 0; kind->nearest[i]; i++)
			CU_ASSERT_PTR_NOT_NULL(leaf_kind(kind->nearest[i]));
		for (size_t i = 0; i < kind->option_count; i++) {
			CU_ASSERT_PTR_NOT_NULL(kind->options[i].name);
			CU_ASSERT_PTR_NOT_NULL(kind->options[i].help);
			CU_ASSERT_PTR_NOT_NULL(kind->options[i].example);
		}
		for (size_t i = 0; i < kind->word_count; i++)
			for (size_t s = 0; s < kind->words[i].count; s++)
				CU_ASSERT(kind->words[i].sets[s].option <
					  kind->option_count);
	}
}

static void try_example(const struct leaf_kind *kind, size_t i)
{
	const struct leaf_option *option = &kind->options[i];
	bool bare = option->form == LEAF_WORDS && !(option->flags & LEAF_NAMED);
	AUTO(str)
	char *text = mem_printf("%s %s %s", kind->name,
				bare ? "" : option->name, option->example);
	AUTO(leaf) struct leaf *read = NULL;
	AUTO_ERR err = ERR_NONE;
	int rc = leaf_parse(text, &read, &err);

	if (rc == 0) {
		CU_ASSERT(read->item->given >> i & 1);
		return;
	}
	/* Some want others, and say so. */
	CU_ASSERT(strstr(err.text, "needs") || strstr(err.text, "say") ||
		  strstr(err.text, "belong"));
}

TEST(leaf, reads_the_example_of_every_option)
{
	for (const struct leaf_kind *kind = leaf_kinds; kind->name; kind++)
		for (size_t i = 0; i < kind->option_count; i++)
			try_example(kind, i);
}

static void try_word(const struct leaf_kind *kind, const char *word)
{
	AUTO(str) char *text = mem_printf("%s %s", kind->name, word);
	AUTO(leaf) struct leaf *read = NULL;

	CU_ASSERT_EQUAL(leaf_parse(text, &read, NULL), 0);
}

TEST(leaf, reads_every_word)
{
	for (const struct leaf_kind *kind = leaf_kinds; kind->name; kind++)
		for (size_t i = 0; i < kind->word_count; i++)
			/* Those of tbf want its other options. */
			if (!kind->words[i].alias && kind->shape != LEAF_TBF)
				try_word(kind, kind->words[i].name);
}

/* ---- ticks ---- */

static uint32_t ticks(uint64_t rate_bits, uint64_t bytes)
{
	uint32_t count = 0;

	CU_ASSERT_EQUAL(shaping_ticks(rate_bits / 8, bytes, &count), 0);
	return count;
}

/* buffer and cbuffer of `tc class add ... rate 128kbit ceil 200kbit burst 5k`,
 * and of tbf rate 1mbit burst 10k, caught from tc 6.1. */
TEST(shaping, counts_ticks_as_tc_does)
{
	CU_ASSERT_EQUAL(ticks(128000, 5120), 5000000);
	CU_ASSERT_EQUAL(ticks(200000, 1600), 1000000);
	CU_ASSERT_EQUAL(ticks(1000000, 10240), 1280000);
	CU_ASSERT_EQUAL(ticks(768000, 1600), 260406);
}

TEST(shaping, keeps_what_tc_loses_at_high_rates)
{
	CU_ASSERT_EQUAL(ticks(1000000000, 1600), 187); /* 12.8 us: tc's 12 */
	CU_ASSERT_EQUAL(ticks(1300000000, 1600), 154); /* 9.85 us: exact */
	CU_ASSERT_EQUAL(ticks(13000000000, 1600), 16); /* tc: 0 */
	CU_ASSERT_EQUAL(ticks(100000000000, 1), 1);
}

TEST(shaping, refuses_more_than_32_bits_of_ticks)
{
	uint32_t count = 7;

	CU_ASSERT_EQUAL(shaping_ticks(1000, 274877, &count), 0);
	CU_ASSERT_EQUAL(shaping_ticks(1000, 274878, &count), -ERANGE);
	CU_ASSERT_EQUAL(shaping_ticks(1000, UINT64_MAX, &count), -ERANGE);
	CU_ASSERT_EQUAL(shaping_ticks(0, 1, &count), -ERANGE);
	CU_ASSERT_EQUAL(shaping_ticks(UINT64_MAX, UINT64_MAX / 2, &count), 0);
}

TEST(shaping, goes_back_from_ticks_to_bytes)
{
	CU_ASSERT_EQUAL(shaping_bytes(16000, 5000000), 5120);
	CU_ASSERT_EQUAL(shaping_bytes(1625000000, 16), 1664);
}

TEST(shaping, bounds_the_quantum_as_the_kernel_does)
{
	CU_ASSERT_EQUAL(shaping_quantum(12500, 5), 2500);
	CU_ASSERT_EQUAL(shaping_quantum(100, 10), 1000);
	CU_ASSERT_EQUAL(shaping_quantum(125000000, 10), 200000);
	CU_ASSERT_EQUAL(shaping_quantum(12500, 0), 12500);
}

/* ---- what a class inherits ---- */

TEST(shaping, takes_the_link_layer_from_above)
{
	AUTO(tree) struct tree *tree = tree_new();
	struct node *uplink =
		make_with(tree_classes(tree), "up", "device", "wan0");
	struct node *top = make_with(uplink, "top", "rate", "1mbit");
	struct node *low = make_with(top, "low", "rate", "100kbit");

	CU_ASSERT_EQUAL(class_linklayer(low), LINKLAYER_ETHERNET);
	CU_ASSERT_EQUAL(class_overhead_on(low, 14), 0);
	CU_ASSERT_EQUAL(class_packet_cost(low, 1442), 1442);
	node_set_text(uplink, "linklayer", "atm", NULL);
	node_set_text(top, "overhead", "26", NULL);
	CU_ASSERT_EQUAL(class_linklayer(low), LINKLAYER_ATM);
	CU_ASSERT_EQUAL(class_overhead_on(low, 14), 26);
	CU_ASSERT_EQUAL(class_packet_cost(low, 1442), 31 * 53);
	node_set_text(low, "linklayer", "ethernet", NULL);
	node_set_text(low, "mpu", "64", NULL);
	CU_ASSERT_EQUAL(class_packet_cost(low, 10), 64);
	CU_ASSERT_EQUAL(class_linklayer(top), LINKLAYER_ATM);
	CU_ASSERT_EQUAL(class_depth(low), 1);
	CU_ASSERT_EQUAL(class_is_leaf(low), true);
	CU_ASSERT_EQUAL(class_is_leaf(top), false);
	CU_ASSERT_PTR_EQUAL(class_uplink(low), uplink);
}

TEST(shaping, names_an_ifb_by_its_device_within_15_bytes)
{
	AUTO(tree) struct tree *tree = tree_new();
	struct node *uplink =
		make_with(tree_classes(tree), "d", "direction", "down");
	char name[IFB_NAME_SIZE], other[IFB_NAME_SIZE];

	uplink_ifb(uplink, name);
	ASSERT_TEXT(name, "");
	node_set_text(uplink, "device", "wan0", NULL);
	uplink_ifb(uplink, name);
	ASSERT_TEXT(name, "tr-wan0");
	node_set_text(uplink, "device", "enp123s0f1.1", NULL);
	uplink_ifb(uplink, name);
	ASSERT_TEXT(name, "tr-enp123s0f1.1");
	node_set_text(uplink, "device", "enp123s0f1.100", NULL);
	uplink_ifb(uplink, name);
	node_set_text(uplink, "device", "enp123s0f1.101", NULL);
	uplink_ifb(uplink, other);
	CU_ASSERT_EQUAL(strlen(name), 15);
	CU_ASSERT_EQUAL(strlen(other), 15);
	CU_ASSERT_NOT_EQUAL(strcmp(name, other), 0);
}

TEST(shaping, defaults_bursts_as_tc_does_and_says_what_is_too_much)
{
	AUTO(tree) struct tree *tree = tree_new();
	struct node *uplink =
		make_with(tree_classes(tree), "up", "device", "wan0");
	struct node *class = make_with(uplink, "top", "rate", "768kbit");
	AUTO_ERR err = ERR_NONE;
	uint32_t count = 0;

	CU_ASSERT_EQUAL(class_burst(class), 1600);
	CU_ASSERT_EQUAL(class_ceil_bytes(class), 96000);
	CU_ASSERT_EQUAL(class_burst_ticks(class, &count, &err), 0);
	CU_ASSERT_EQUAL(count, 260406);
	node_set_text(class, "rate", "100gbit", NULL);
	CU_ASSERT_EQUAL(class_burst(class), 1612);
	node_set_text(class, "rate", "8kbit", NULL);
	node_set_text(class, "cburst", "10m", NULL);
	CU_ASSERT_EQUAL(class_ticks_check(class, &err), -ERANGE);
	ASSERT_TEXT(err.text, "cburst: 10485760 bytes at 8kbit take longer "
			      "than the 275 s HTB can hold; give at most "
			      "274877");
}
