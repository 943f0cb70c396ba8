/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The tc driver: its messages against those caught from tc 6.1, its plans, and
 * both against the kernel, on lo of a namespace that is thrown away.
 */
#include <linux/rtnetlink.h>
#include <netlink/msg.h>
#include <stdio.h>
#include <string.h>

#include "backends/host.h"
#include "backends/list.h"
#include "backends/netlink/netlink.h"
#include "backends/tc/message.h"
#include "backends/tc/tc.h"
#include "model/base/mem.h"
#include "model/shaping.h"
#include "model/txn.h"
#include "tests/unit/space.h"
#include "tests/unit/unit.h"
#include "tests/unit/values.h"

/* ---- messages ---- */

static const struct link_fact ethernet = {
	.name = "wan0", .index = 7, .mtu = 1500, .txqlen = 1000
};

/* Attributes of a message in hexadecimal. */
static char *attributes_of(struct nl_msg *message)
{
	const struct nlmsghdr *header = nlmsg_hdr(message);
	const uint8_t *bytes = nlmsg_data(header);
	AUTO_TEXT text = TEXT_NONE;

	for (int i = sizeof(struct tcmsg); i < nlmsg_datalen(header); i++)
		text_printf(&text, "%02x", bytes[i]);
	nlmsg_free(message);
	return text_take(&text);
}

static struct tc_object leaf_object(const char *words)
{
	struct tc_object object = { .sort = TC_LEAF,
				    .index = 7,
				    .handle = 0x1100000,
				    .parent = 0x10010 };
	AUTO(leaf) struct leaf *leaf = NULL;
	AUTO_ERR err = ERR_NONE;

	CU_ASSERT_EQUAL(leaf_parse(words, &leaf, &err), 0);
	if (leaf)
		queue_want(leaf->item, &ethernet, &object.queue);
	return object;
}

static void sends_leaf(unsigned line, const char *words, const char *expected)
{
	struct tc_object object = leaf_object(words);
	AUTO(str) char *got = attributes_of(message_add(&object));

	unit_text(__FILE__, line, got, expected);
}
#define SENDS_LEAF(words, expected) sends_leaf(__LINE__, words, expected)

#define ZERO_16 "00000000000000000000000000000000"

TEST(tc_message, is_tcs_for_queues)
{
	SENDS_LEAF("pfifo", "0a000100706669666f000000");
	SENDS_LEAF("pfifo limit 1000", "0a000100706669666f000000"
				       "08000200e8030000");
	SENDS_LEAF("sfq perturb 10",
		   "0800010073667100"
		   "4c000200000000000a000000" ZERO_16 ZERO_16 ZERO_16 ZERO_16);
	SENDS_LEAF("fq_codel", "0d00010066715f636f64656c0000000004000200");
	SENDS_LEAF(
		"fq_codel limit 1000 target 5ms interval 100ms ecn",
		"0d00010066715f636f64656c00000000"
		"2400020008000200e803000008000300a086010008000100881300000800"
		"040001000000");
	SENDS_LEAF(
		"cake bandwidth 50mbit diffserv4 nat atm overhead 40 "
		"ack-filter",
		"0900010063616b6500000000400002000c000200105e5f000000000008"
		"000300010000000800040001000000080006002800000008000900000000"
		"0008000b00010000000800100001000000");
}

TEST(tc_message, is_tcs_for_a_root)
{
	const struct tc_object root = { .sort = TC_ROOT,
					.root = { .r2q = 5, .defcls = 0x99 } };
	AUTO(str) char *got = attributes_of(message_add(&root));

	ASSERT_TEXT(got, "08000100687462001c0002001800020003000000050000009900"
			 "00000000000000000000");
}

TEST(tc_message, is_tcs_for_a_filter)
{
	const struct tc_object filter = {
		.sort = TC_FILTER,
		.filter = { 10, UINT32_MAX, 0x10010 },
	};
	AUTO(str) char *got = attributes_of(message_add(&filter));

	ASSERT_TEXT(got, "07000100667700000c0002000800010010000100");
}

/* TCA_OPTIONS and what is in it; the message lives as long as attrs are used.
 */
static void options_of(struct nl_msg *message, struct nlattr **options,
		       int most)
{
	struct nlattr *attrs[TCA_MAX + 1];

	CU_ASSERT_FATAL(nlmsg_parse(nlmsg_hdr(message), sizeof(struct tcmsg),
				    attrs, TCA_MAX, NULL) >= 0);
	CU_ASSERT_FATAL(message_nested(attrs[TCA_OPTIONS], options, most));
}

/* Without the two rate tables of 1 KiB that follow it in tc's, and with the
 * quantum that tc leaves to the kernel: r2q cannot be changed, a quantum can.
 */
TEST(tc_message, has_tcs_struct_for_a_class)
{
	const struct tc_object class = {
		.sort = TC_CLASS,
		.class = { .rate = 16000,
			   .ceil = 25000,
			   .buffer = 5000000,
			   .cbuffer = 1000000,
			   .prio = 1,
			   .quantum = 3200,
			   .linklayer = TC_LINKLAYER_ATM },
	};
	const struct tc_htb_opt expected = {
		.rate = { 3, TC_LINKLAYER_ATM, 0, -1, 0, 16000 },
		.ceil = { 3, TC_LINKLAYER_ATM, 0, -1, 0, 25000 },
		.buffer = 5000000,
		.cbuffer = 1000000,
		.quantum = 3200,
		.prio = 1,
	};
	AUTO(nlmsg) struct nl_msg *message = message_add(&class);
	struct nlattr *options[TCA_HTB_MAX + 1];
	struct tc_htb_opt parms;

	options_of(message, options, TCA_HTB_MAX);
	CU_ASSERT_FATAL(
		message_struct(options[TCA_HTB_PARMS], &parms, sizeof(parms)));
	CU_ASSERT_EQUAL(memcmp(&parms, &expected, sizeof(parms)), 0);
	CU_ASSERT_PTR_NULL(options[TCA_HTB_RATE64]);
	CU_ASSERT_EQUAL(nlmsg_hdr(message)->nlmsg_len, 96);
}

TEST(tc_message, tells_rates_past_32_bits)
{
	const struct tc_object class = {
		.sort = TC_CLASS,
		.class = { .rate = 0xffffffff, .ceil = 0x100000000 },
	};
	AUTO(nlmsg) struct nl_msg *message = message_add(&class);
	struct nlattr *options[TCA_HTB_MAX + 1];

	options_of(message, options, TCA_HTB_MAX);
	CU_ASSERT_PTR_NULL(options[TCA_HTB_RATE64]);
	CU_ASSERT_EQUAL(message_u64(options[TCA_HTB_CEIL64]), 0x100000000);
}

TEST(tc_message, has_tcs_struct_for_tbf)
{
	const struct tc_object object = leaf_object(
		"tbf rate 1mbit burst 10k latency 30ms linklayer atm");
	AUTO(nlmsg) struct nl_msg *message = message_add(&object);
	const struct tc_tbf_qopt expected = {
		.rate = { 3, TC_LINKLAYER_ATM, 0, -1, 0, 125000 },
		.limit = 13990,
		.buffer = 1280000,
	};
	struct nlattr *options[TCA_TBF_MAX + 1];
	struct tc_tbf_qopt parms;

	options_of(message, options, TCA_TBF_MAX);
	CU_ASSERT_FATAL(
		message_struct(options[TCA_TBF_PARMS], &parms, sizeof(parms)));
	CU_ASSERT_EQUAL(memcmp(&parms, &expected, sizeof(parms)), 0);
	CU_ASSERT_EQUAL(message_u32(options[TCA_TBF_BURST]), 10240);
}

/* ---- what was read ---- */

/* A dump of a queue as its add would have it: every kind comes back. */
static void comes_back(const char *words)
{
	struct tc_object object = leaf_object(words);
	AUTO(nlmsg) struct nl_msg *message = message_change(&object, &object);
	struct nlattr *attrs[TCA_MAX + 1];
	struct queue read;

	CU_ASSERT_FATAL(nlmsg_parse(nlmsg_hdr(message), sizeof(struct tcmsg),
				    attrs, TCA_MAX, NULL) >= 0);
	CU_ASSERT(queue_read(object.queue.kind, attrs[TCA_OPTIONS], &read));
	CU_ASSERT(read.observed);
}

TEST(tc_queue, reads_what_it_writes)
{
	comes_back("pfifo limit 3");
	comes_back("sfq perturb 10");
	comes_back("cake nat");
	comes_back("tbf rate 1mbit burst 10k limit 5k");
}

TEST(tc_queue, is_not_misled_by_what_is_cut_short)
{
	char bytes[64] = { 0 };
	struct nlattr *attr = (struct nlattr *)bytes;
	struct queue queue;

	for (uint16_t size = NLA_HDRLEN; size < 12; size++) {
		attr->nla_len = size;
		for (const struct leaf_kind *kind = leaf_kinds; kind->name;
		     kind++)
			(void)queue_read(kind->name, attr, &queue);
	}
	attr->nla_len = NLA_HDRLEN + 3;
	CU_ASSERT(!queue_read("pfifo", attr, &queue));
	CU_ASSERT(!queue_read("sfq", attr, &queue));
	CU_ASSERT(!queue_read("tbf", attr, &queue));
	CU_ASSERT(!queue_read("pfifo", NULL, &queue));
	CU_ASSERT(!queue_read("nonesuch", attr, &queue));
	ASSERT_TEXT(queue.kind, "nonesuch");
}

static void change_is(const char *from, const char *to, const char *expected)
{
	struct tc_object before = leaf_object(from), after = leaf_object(to);
	AUTO_TEXT text = TEXT_NONE;

	queue_print_change(&before.queue, &after.queue,
			   queue_differs(&before.queue, &after.queue), &text);
	ASSERT_TEXT(text_get(&text), expected);
}

TEST(tc_queue, compares_what_is_left_out)
{
	change_is("fq_codel limit 5", "fq_codel", " limit 5 -> 10240");
	change_is("fq_codel target 5ms", "fq_codel", "");
	change_is("pfifo limit 5", "pfifo", " limit 5 -> 1000");
	change_is("cake overhead 5", "cake", " overhead 5 -> raw");
	change_is("cake bandwidth 5mbit nat", "cake unlimited nonat",
		  " bandwidth 5mbit -> unlimited nat -> nonat");
}

/* ---- trees ---- */

/* "PARENT NAME key=value|key=value", and "PARENT ." for one that is there. */
static void add_line(struct tree *tree, const char *line)
{
	AUTO(str) char *words = mem_strdup(line);
	char *rest = words;
	const char *parent = strsep(&rest, " "), *name = strsep(&rest, " ");
	AUTO_ERR err = ERR_NONE;
	struct node *node = tree_walk(tree, tree_root(tree), parent, &err);

	if (node && strcmp(name, "."))
		node = node_create(node, name, &err);
	while (node && rest) {
		char *value = strsep(&rest, "|");
		const char *key = strsep(&value, "=");

		if (node_set_text(node, key, value, &err) < 0)
			break;
	}
	if (err.code)
		printf("test: %s\n", err.text);
}

static struct tree *make_tree(const char *const *lines)
{
	struct tree *tree = tree_new();
	struct report report = REPORT_NONE;

	for (; *lines; lines++)
		add_line(tree, *lines);
	tree_choose(tree, &report);
	report_clear(&report);
	return tree;
}

#define TREE(...)                                                              \
	(const char *const[])                                                  \
	{                                                                      \
		__VA_ARGS__, NULL                                              \
	}

#define UPLINK "/classes up device=lo|default=d"
#define BASE   UPLINK, "/classes/up a rate=10mbit|classid=1:1"

static const char *const *const trees[] = {
	TREE(BASE, "/classes/up/a b rate=4mbit|classid=1:2",
	     "/classes/up/a/b c rate=1mbit|classid=1:3|leaf=pfifo limit 10",
	     "/classes/up/a/b d rate=1mbit|classid=1:4|prio=3|leaf=pfifo"),
	/* in place */
	TREE(UPLINK "|linklayer=atm|overhead=10",
	     "/classes/up a rate=12mbit|classid=1:1",
	     "/classes/up/a b rate=4mbit|ceil=5mbit|cburst=20k|classid=1:2",
	     "/classes/up/a/b c rate=1mbit|classid=1:3|quantum=2000|leaf=pfifo",
	     "/classes/up/a/b d rate=1mbit|classid=1:4|prio=5|leaf=bfifo"),
	/* b goes to the top, a becomes a leaf */
	TREE(UPLINK, "/classes/up a rate=9mbit|classid=1:1|prio=4|leaf=bfifo",
	     "/classes/up b rate=4mbit|classid=1:2",
	     "/classes/up/b c rate=1mbit|classid=1:3|leaf=bfifo limit 5k",
	     "/classes/up/b d rate=1mbit|classid=1:4"),
	/* c becomes inner, a new class with no room for its handle */
	TREE(BASE, "/classes/up/a b rate=4mbit|classid=1:2",
	     "/classes/up/a/b c rate=2mbit|classid=1:3",
	     "/classes/up/a/b/c d rate=1mbit|classid=1:4|prio=6|leaf=pfifo",
	     "/classes/up/a/b/c e rate=1mbit|classid=1:ff01|leaf=pfifo"),
	/* top and bottom change places */
	TREE(UPLINK, "/classes/up c rate=10mbit|classid=1:3",
	     "/classes/up/c b rate=4mbit|classid=1:2",
	     "/classes/up/c/b a rate=1mbit|classid=1:1",
	     "/classes/up/c/b d rate=1mbit|classid=1:4"),
	/* another default, another r2q */
	TREE("/classes up device=lo|default=c|r2q=5",
	     "/classes/up c rate=10mbit|classid=1:3"),
	TREE("/classes up device=lo|default=c|enabled=no",
	     "/classes/up c rate=10mbit|classid=1:3"),
	TREE("/system . class-mask=0xff"),
};

/* ---- plans ---- */

static const struct backend *const alone[] = { &backend_tc, NULL };

struct round {
	struct tree *tree;
	struct facts facts;
	struct report report;
	struct state now, want;
	struct plan plan;
};

static void round_clear(struct round *round)
{
	tree_free(round->tree);
	facts_clear(&round->facts);
	report_clear(&round->report);
	plan_clear(&round->plan);
	state_clear(&round->now);
	state_clear(&round->want);
}

static void plan_round(struct round *round, const struct state *want,
		       const struct owned *owned, struct owned *claims)
{
	plan_clear(&round->plan);
	backend_tc.plan(&round->now, want, &round->facts, owned, &round->report,
			&round->plan, claims);
	plan_sort(&round->plan, alone);
}

static char *plan_text(const struct plan *plan)
{
	AUTO_TEXT text = TEXT_NONE;

	for (size_t i = 0; i < plan->count; i++) {
		text_printf(&text, "%s ", effect_name(plan->items[i].effect));
		step_print(&plan->items[i], &text);
		text_put_char(&text, '\n');
	}
	return text_take(&text);
}

static void know_lo(struct facts *facts)
{
	facts->links =
		mem_grow(NULL, 0, &facts->link_room, sizeof(*facts->links));
	facts->link_count = 1;
	facts->links[0] = ethernet;
	strncpy(facts->links[0].name, "lo", sizeof(facts->links[0].name));
}

/* From one tree, applied, to another. */
static void plans(const char *const *from, const char *const *to,
		  const char *expected)
{
	struct round before = { 0 }, after = { 0 };
	struct owned owned = OWNED_NONE, claims = OWNED_NONE;
	AUTO(str) char *text = NULL;

	know_lo(&before.facts);
	know_lo(&after.facts);
	before.tree = make_tree(from);
	after.tree = make_tree(to);
	backend_tc.want(before.tree, &before.facts, &before.report, &after.now);
	backend_tc.want(after.tree, &after.facts, &after.report, &after.want);
	plan_round(&after, &after.want, &owned, &claims);
	text = plan_text(&after.plan);
	ASSERT_TEXT(text, expected);
	CU_ASSERT_EQUAL(after.report.count, 0);
	round_clear(&before);
	round_clear(&after);
	owned_clear(&claims);
}

TEST(tc_plan, is_empty_for_the_same)
{
	for (size_t i = 0; i < ARRAY_SIZE(trees); i++)
		plans(trees[i], trees[i], "");
}

TEST(tc_plan, builds_from_the_top_down)
{
	plans(trees[7], trees[0],
	      "flap + root lo htb handle 1: default 4 r2q 10\n"
	      "hitless + class lo 1:1 root rate 10mbit ceil 10mbit\n"
	      "hitless + class lo 1:2 parent 1:1 rate 4mbit ceil 4mbit\n"
	      "hitless + class lo 1:3 parent 1:2 prio 0 rate 1mbit ceil 1mbit\n"
	      "hitless + class lo 1:4 parent 1:2 prio 3 rate 1mbit ceil 1mbit\n"
	      "hitless + leaf lo 1:3 handle 103: pfifo limit 10\n"
	      "hitless + leaf lo 1:4 handle 104: pfifo\n");
}

TEST(tc_plan, deletes_a_tree_by_its_root)
{
	plans(trees[0], trees[7],
	      "flap - root lo htb handle 1: default 4 r2q 10\n");
	plans(trees[5], trees[6],
	      "flap - root lo htb handle 1: default 3 r2q 5\n");
}

TEST(tc_plan, changes_in_place_what_it_can)
{
	plans(trees[0], trees[1],
	      "hitless ~ class lo 1:1 rate 10mbit -> 12mbit ceil 10mbit -> "
	      "12mbit linklayer ethernet -> atm overhead 0 -> 10\n"
	      "hitless ~ class lo 1:2 ceil 4mbit -> 5mbit cburst 1600 -> 20k "
	      "linklayer ethernet -> atm overhead 0 -> 10\n"
	      "hitless ~ class lo 1:3 quantum 12500 -> 2000 linklayer ethernet "
	      "-> atm overhead 0 -> 10\n"
	      "hitless ~ class lo 1:4 prio 3 -> 5 linklayer ethernet -> atm "
	      "overhead 0 -> 10\n"
	      "hitless ~ leaf lo 1:3 pfifo limit 10 -> 1000\n"
	      "flap ! leaf lo 1:4 handle 104: bfifo\n");
}

TEST(tc_plan, rebuilds_what_moves_and_waits_for_an_inner_class_to_be_a_leaf)
{
	plans(trees[0], trees[2],
	      "rebuild - class lo 1:3 parent 1:2 prio 0 rate 1mbit ceil 1mbit\n"
	      "rebuild - class lo 1:4 parent 1:2 prio 3 rate 1mbit ceil 1mbit\n"
	      "rebuild - class lo 1:2 parent 1:1 rate 4mbit ceil 4mbit\n"
	      "rebuild + class lo 1:2 root rate 4mbit ceil 4mbit\n"
	      "rebuild + class lo 1:3 parent 1:2 prio 0 rate 1mbit ceil 1mbit\n"
	      "rebuild + class lo 1:4 parent 1:2 prio 0 rate 1mbit ceil 1mbit\n"
	      "rebuild + leaf lo 1:3 handle 103: bfifo limit 5k\n"
	      "hitless ~ class lo 1:1 rate 10mbit -> 9mbit ceil 10mbit -> "
	      "9mbit "
	      "prio 0 -> 4 quantum 125000 -> 112500\n"
	      "flap + leaf lo 1:1 handle 101: bfifo\n");
}

#define TWO(settings)                                                          \
	TREE("/classes up device=lo|" settings,                                \
	     "/classes/up x rate=1mbit|classid=1:1",                           \
	     "/classes/up y rate=1mbit|classid=1:2")

TEST(tc_plan, leaves_another_default_to_nftables)
{
	plans(TWO("default=x"), TWO("default=y"), "");
}

TEST(tc_plan, says_another_r2q_to_each_class)
{
	plans(TWO("r2q=10"), TWO("r2q=20"),
	      "hitless ~ class lo 1:1 quantum 12500 -> 6250\n"
	      "hitless ~ class lo 1:2 quantum 12500 -> 6250\n");
}

TEST(tc_plan, rebuilds_the_tree_for_a_default_that_is_no_more)
{
	plans(TWO("default=x"), TWO("r2q=10"),
	      "rebuild ! root lo htb handle 1: default 0 r2q 10\n"
	      "rebuild + class lo 1:1 root prio 0 rate 1mbit ceil 1mbit\n"
	      "rebuild + class lo 1:2 root prio 0 rate 1mbit ceil 1mbit\n");
}

TEST(tc_plan, waits_until_the_queues_of_classes_that_go_are_empty)
{
	plans(TREE("/classes up device=lo", "/classes/up a rate=1mbit",
		   "/classes/up b rate=1mbit|leaf=pfifo",
		   "/classes/up c rate=1mbit"),
	      TREE("/classes up device=lo",
		   "/classes/up c rate=1mbit|classid=1:3"),
	      "hitless . wait lo: until nothing is queued in what goes, 10 s "
	      "at most\n"
	      "hitless - class lo 1:1 root prio 0 rate 1mbit ceil 1mbit\n"
	      "hitless - class lo 1:2 root prio 0 rate 1mbit ceil 1mbit\n");
}

/* Paths of what would rather be made beside its place, with blanks. */
static void asides(const char *const *from, const char *const *to,
		   const char *expected)
{
	struct round before = { 0 }, after = { 0 };
	struct owned owned = OWNED_NONE, claims = OWNED_NONE;
	AUTO_TEXT paths = TEXT_NONE;

	know_lo(&before.facts);
	know_lo(&after.facts);
	before.tree = make_tree(from);
	after.tree = make_tree(to);
	backend_tc.want(before.tree, &before.facts, &before.report, &after.now);
	backend_tc.want(after.tree, &after.facts, &after.report, &after.want);
	plan_round(&after, &after.want, &owned, &claims);
	for (size_t i = 0; i < after.plan.aside_count; i++)
		text_printf(&paths, "%s ", after.plan.asides[i]->path);
	ASSERT_TEXT(text_get(&paths), expected);
	round_clear(&before);
	round_clear(&after);
	owned_clear(&claims);
}

TEST(tc_plan, would_rather_make_beside_its_place_what_costs_packets)
{
#define HERE(x) TREE("/classes up device=lo", "/classes/up a rate=2mbit|" x)
	asides(HERE("leaf=pfifo"), HERE("leaf=bfifo"), "/classes/up/a ");
	asides(HERE("leaf=pfifo"), HERE("prio=1"), "/classes/up/a ");
	asides(HERE("prio=1"), HERE("leaf=pfifo"), "/classes/up/a ");
	asides(HERE("leaf=pfifo"), HERE("leaf=pfifo limit 7|rate=3mbit"), "");
	/* The first class below it, and the last that goes. */
	asides(HERE("prio=1"),
	       TREE("/classes up device=lo", "/classes/up a rate=2mbit",
		    "/classes/up/a b rate=1mbit"),
	       "/classes/up/a ");
	asides(TREE("/classes up device=lo", "/classes/up a rate=2mbit",
		    "/classes/up/a b rate=1mbit"),
	       HERE("prio=1"), "/classes/up/a ");
	asides(trees[0], trees[2],
	       "/classes/up/a /classes/up/b /classes/up/b/c /classes/up/b/d ");
#undef HERE
}

TEST(tc_plan, keeps_filters_out_of_the_way)
{
	const char *const *there =
		TREE("/classes up device=lo|classifier=fw",
		     "/classes/up x rate=1mbit|classid=1:1",
		     "/classes/up/x y rate=1mbit|classid=1:2|mark=7",
		     "/classes/up z rate=1mbit|classid=1:3|mark=8");
	const char *const *moved =
		TREE("/classes up device=lo|classifier=fw",
		     "/classes/up z rate=1mbit|classid=1:3|mark=8",
		     "/classes/up y rate=1mbit|classid=1:2|mark=7");
	const char *const *nft =
		TREE("/classes up device=lo|classifier=nft",
		     "/classes/up x rate=1mbit|classid=1:1",
		     "/classes/up/x y rate=1mbit|classid=1:2|mark=7",
		     "/classes/up z rate=1mbit|classid=1:3|mark=8");

	plans(there, moved,
	      "flap - filter lo fw 7 mask 0xffff classid 1:2\n"
	      "rebuild - class lo 1:2 parent 1:1 prio 0 rate 1mbit ceil "
	      "1mbit\n"
	      "rebuild + class lo 1:2 root prio 0 rate 1mbit ceil 1mbit\n"
	      "flap + filter lo fw 7 mask 0xffff classid 1:2\n"
	      "hitless - class lo 1:1 root rate 1mbit ceil 1mbit\n");
	plans(there, nft,
	      "flap - filter lo fw 7 mask 0xffff classid 1:2\n"
	      "flap - filter lo fw 8 mask 0xffff classid 1:3\n");
}

/* ---- what is in the way ---- */

static void add_foreign(struct state *state, const char *kind, bool keeps)
{
	struct tc_object object = { .sort = TC_FOREIGN,
				    .index = 7,
				    .device = "lo",
				    .handle = 0x90000,
				    .parent = TC_H_ROOT };

	snprintf(object.foreign.kind, sizeof(object.foreign.kind), "%s", kind);
	object.foreign.keeps = keeps;
	object.foreign.classes = keeps ? 0 : 3;
	tc_add(state, &object, "\1\0\0\0", 4, "");
}

TEST(tc_plan, keeps_a_root_without_classes_for_later)
{
	struct round round = { .tree = make_tree(trees[5]) };
	struct owned owned = OWNED_NONE, claims = OWNED_NONE;
	const struct owned_item *claim;
	struct tc_kept kept;

	know_lo(&round.facts);
	backend_tc.want(round.tree, &round.facts, &round.report, &round.want);
	add_foreign(&round.now, "pfifo", true);
	plan_round(&round, &round.want, &owned, &claims);
	CU_ASSERT_EQUAL(round.plan.items[0].op, STEP_REPLACE);
	claim = owned_find(&claims, "tc", "root lo");
	CU_ASSERT_PTR_NOT_NULL_FATAL(claim);
	CU_ASSERT_EQUAL_FATAL(claim->saved_size, sizeof(kept) + 4);
	memcpy(&kept, claim->saved, sizeof(kept));
	ASSERT_TEXT(kept.kind, "pfifo");
	CU_ASSERT_EQUAL(kept.handle, 0x90000);
	owned_clear(&claims);
	round_clear(&round);
}

TEST(tc_plan, refuses_to_take_the_place_of_classes)
{
	struct round round = { .tree = make_tree(trees[5]) };
	struct owned owned = OWNED_NONE, claims = OWNED_NONE;

	know_lo(&round.facts);
	backend_tc.want(round.tree, &round.facts, &round.report, &round.want);
	add_foreign(&round.now, "prio", false);
	plan_round(&round, &round.want, &owned, &claims);
	CU_ASSERT_EQUAL(round.plan.count, 0);
	CU_ASSERT_EQUAL_FATAL(round.report.errors, 1);
	ASSERT_TEXT(round.report.items[0].path, "/classes/up");
	ASSERT_TEXT(round.report.items[0].text,
		    "lo has a root qdisc prio 9: with 3 classes that Tresse "
		    "did not make and could not put back; if nobody needs it: "
		    "tc qdisc del dev lo root");
	owned_clear(&claims);
	round_clear(&round);
}

TEST(tc_plan, leaves_a_foreign_root_alone_that_is_not_in_the_way)
{
	struct round round = { .tree = make_tree(trees[7]) };
	struct owned owned = OWNED_NONE, claims = OWNED_NONE;

	add_foreign(&round.now, "prio", false);
	plan_round(&round, &round.want, &owned, &claims);
	CU_ASSERT_EQUAL(round.plan.count, 0);
	CU_ASSERT_EQUAL(round.report.count, 0);
	round_clear(&round);
}

/* ---- what this host lacks ---- */

static void finds(const char *const *lines, void (*know)(struct facts *),
		  enum severity severity, const char *expected)
{
	struct round round = { .tree = make_tree(lines) };

	know_lo(&round.facts);
	know(&round.facts);
	backend_tc.want(round.tree, &round.facts, &round.report, &round.want);
	CU_ASSERT_EQUAL_FATAL(round.report.count, 1);
	CU_ASSERT_EQUAL(round.report.items[0].severity, severity);
	ASSERT_TEXT(round.report.items[0].text, expected);
	round_clear(&round);
}

static void without_sfq(struct facts *facts)
{
	facts_set_qdisc(facts, "sfq", false);
	facts_set_qdisc(facts, "fq_codel", false);
}

static void with_fq_codel(struct facts *facts)
{
	facts_set_qdisc(facts, "sfq", false);
	facts_set_qdisc(facts, "fq_codel", true);
}

static void without_fw(struct facts *facts)
{
	facts->asked_fw = true;
}

static void without_lo(struct facts *facts)
{
	facts->link_count = 0;
}

TEST(tc_want, takes_the_fallback_and_says_so)
{
	finds(TREE("/classes up device=lo",
		   "/classes/up x rate=1mbit|leaf=sfq perturb 10 or pfifo "
		   "limit 127"),
	      without_sfq, FINDING_NOTE,
	      "leaf: this kernel has no sfq (CONFIG_NET_SCH_SFQ), so it is "
	      "pfifo limit 127");
}

TEST(tc_want, refuses_what_is_missing_and_names_the_nearest)
{
	const char *const *lines =
		TREE("/classes up device=lo",
		     "/classes/up x rate=1mbit|leaf=sfq perturb 10");

	finds(lines, without_sfq, FINDING_ERROR,
	      "leaf sfq: this kernel has no sfq (CONFIG_NET_SCH_SFQ, module "
	      "sch_sfq); nearest here: pfifo; write leaf=\"sfq perturb 10 or "
	      "pfifo limit 127\"");
	finds(lines, with_fq_codel, FINDING_ERROR,
	      "leaf sfq: this kernel has no sfq (CONFIG_NET_SCH_SFQ, module "
	      "sch_sfq); nearest here: fq_codel; write leaf=\"sfq perturb 10 "
	      "or fq_codel\"");
	finds(TREE("/classes up device=lo|classifier=fw"), without_fw,
	      FINDING_ERROR,
	      "classifier=fw: this kernel has no fw filter "
	      "(CONFIG_NET_CLS_FW, module cls_fw); classifier=auto does "
	      "without");
}

TEST(tc_want, waits_for_a_device_that_is_not_there)
{
	finds(trees[0], without_lo, FINDING_WARNING,
	      "device lo is not there: its classes wait for it");
}

/* ---- against the kernel ---- */

#define EXPECT_SAYS(condition, ...)                                            \
	do {                                                                   \
		if (!(condition)) {                                            \
			snprintf(answer, size, __VA_ARGS__);                   \
			return 1;                                              \
		}                                                              \
	} while (0)

/* A step of txn.h, with this driver alone. 0, or 1 and an answer. */
static int read_now(struct host *host, struct round *round,
		    const struct owned *owned, char *answer, size_t size)
{
	AUTO_ERR err = ERR_NONE;

	state_clear(&round->now);
	EXPECT_SAYS(backend_tc.read(host, round->tree, &round->facts, owned,
				    &round->now, &err) == 0,
		    "read: %s", err.text);
	return 0;
}

static int apply_plan(struct host *host, struct plan *plan, char *answer,
		      size_t size)
{
	AUTO(mem) void *room = mem_array(plan->count, sizeof(struct step *));
	AUTO_ERR err = ERR_NONE;
	struct step **steps = room;
	size_t failed;

	for (size_t i = 0; i < plan->count; i++)
		steps[i] = &plan->items[i];
	EXPECT_SAYS(!plan->count || backend_tc.apply(host, steps, plan->count,
						     &failed, &err) == 0,
		    "apply: %s", err.text);
	for (size_t i = 0; i < plan->count; i++)
		EXPECT_SAYS(plan->items[i].done, "step %zu is not done", i);
	return 0;
}

/* Goes to want and sees that nothing is left to do. */
static int go_to(struct host *host, struct round *round,
		 const struct state *want, struct owned *owned, char *answer,
		 size_t size)
{
	struct owned claims = OWNED_NONE;
	AUTO(str) char *left = NULL;
	int rc = read_now(host, round, owned, answer, size);

	if (rc == 0) {
		plan_round(round, want, owned, &claims);
		owned_copy(owned, &claims);
		owned_clear(&claims);
		rc = apply_plan(host, &round->plan, answer, size);
	}
	if (rc == 0)
		rc = read_now(host, round, owned, answer, size);
	if (rc)
		return rc;
	plan_round(round, want, owned, &claims);
	owned_clear(&claims);
	left = plan_text(&round->plan);
	EXPECT_SAYS(!round->plan.count, "left: %s", left);
	return 0;
}

static int begin(struct host *host, struct round *round,
		 const char *const *lines, char *answer, size_t size)
{
	AUTO_ERR err = ERR_NONE;

	round_clear(round);
	*round = (struct round){ .tree = make_tree(lines) };
	EXPECT_SAYS(host_read_facts(host, &round->facts, &err) == 0,
		    "facts: %s", err.text);
	backend_tc.want(round->tree, &round->facts, &round->report,
			&round->want);
	EXPECT_SAYS(!round->report.errors, "%s", round->report.items[0].text);
	return 0;
}

static int go_to_tree(struct host *host, const char *const *lines,
		      struct owned *owned, char *answer, size_t size)
{
	struct round round = { 0 };
	int rc = begin(host, &round, lines, answer, size);

	if (rc == 0)
		rc = go_to(host, &round, &round.want, owned, answer, size);
	round_clear(&round);
	return rc;
}

/* From one tree to another and back to what was read between. */
static int there_and_back(struct host *host, const char *const *from,
			  const char *const *to, char *answer, size_t size)
{
	struct owned owned = OWNED_NONE;
	struct round round = { 0 };
	struct state before = STATE_NONE;
	int rc = go_to_tree(host, from, &owned, answer, size);

	if (rc == 0)
		rc = begin(host, &round, to, answer, size);
	if (rc == 0)
		rc = read_now(host, &round, &owned, answer, size);
	before = round.now;
	round.now = (struct state)STATE_NONE;
	if (rc == 0)
		rc = go_to(host, &round, &round.want, &owned, answer, size);
	if (rc == 0)
		rc = go_to(host, &round, &before, &owned, answer, size);
	if (rc == 0)
		rc = go_to_tree(host, trees[7], &owned, answer, size);
	state_clear(&before);
	round_clear(&round);
	owned_clear(&owned);
	return rc;
}

static int every_pair(void *arg, void *bytes, size_t size)
{
	AUTO(host) struct host *host = host_new();
	char *answer = bytes;

	(void)arg;
	for (size_t i = 0; i < ARRAY_SIZE(trees); i++)
		for (size_t k = 0; k < ARRAY_SIZE(trees); k++)
			if (there_and_back(host, trees[i], trees[k], answer,
					   size)) {
				size_t used = strlen(answer);

				snprintf(answer + used, size - used,
					 " (from tree %zu to %zu)", i, k);
				return 1;
			}
	return 0;
}

/* ---- what arrives ---- */

#define DOWN  "/classes down device=lo|direction=down|default=d"
#define MATCH "/classes/down/a/c/match"

static const char *const *const down_trees[] = {
	TREE(DOWN, "/classes/down a rate=10mbit|classid=1:1",
	     "/classes/down/a c rate=1mbit|classid=1:3|leaf=pfifo limit 10",
	     "/classes/down/a d rate=1mbit|classid=1:4",
	     MATCH " web proto=tcp|sport=80,443,8000-8100",
	     MATCH " net src=192.0.2.0/25,2001:db8::/44|dscp=ef"),
	/* in place, and another program */
	TREE(DOWN, "/classes/down a rate=12mbit|classid=1:1",
	     "/classes/down/a c rate=2mbit|classid=1:3|leaf=pfifo limit 20",
	     "/classes/down/a d rate=1mbit|classid=1:4",
	     MATCH " syn proto=tcp|tcp-flags=syn/syn,ack|length=40-84"),
	/* no program at all, another default: a new root */
	TREE("/classes down device=lo|direction=down|default=c",
	     "/classes/down c rate=12mbit|classid=1:3"),
	/* both ways */
	TREE(DOWN, "/classes/down d rate=12mbit|classid=1:4",
	     "/classes/down/d/match all proto=udp",
	     "/classes up device=lo|default=a", "/classes/up a rate=1mbit"),
	TREE("/classes up device=lo|default=a|classifier=nft",
	     "/classes/up a rate=1mbit|classid=1:1"),
	TREE("/classes up device=lo|default=a|classifier=bpf",
	     "/classes/up a rate=1mbit|classid=1:1|mark=7",
	     "/classes/up b rate=1mbit|classid=1:2|mark=8"),
	TREE("/classes up device=lo|default=a|classifier=bpf",
	     "/classes/up a rate=1mbit|classid=1:1|mark=1"),
	TREE("/system . class-mask=0xff"),
};

static int every_down_pair(void *arg, void *bytes, size_t size)
{
	AUTO(host) struct host *host = host_new();
	char *answer = bytes;

	(void)arg;
	for (size_t i = 0; i < ARRAY_SIZE(down_trees); i++)
		for (size_t k = 0; k < ARRAY_SIZE(down_trees); k++)
			if (there_and_back(host, down_trees[i], down_trees[k],
					   answer, size)) {
				size_t used = strlen(answer);

				snprintf(answer + used, size - used,
					 " (from down tree %zu to %zu)", i, k);
				return 1;
			}
	EXPECT_SAYS(host_link_index("tr-lo", NULL) <= 0,
		    "tr-lo is still there");
	return 0;
}

static bool has_down(void)
{
	AUTO(tree) struct tree *tree = make_tree(down_trees[0]);
	struct facts facts = { 0 };
	struct report report = REPORT_NONE;
	bool there =
		backend_tc.probe(NULL, tree, &facts, NULL) == 0 &&
		down_is_there(node_first(tree_classes(tree)), &facts, &report);

	facts_clear(&facts);
	report_clear(&report);
	return there;
}

TEST(tc_kernel, goes_from_any_tree_to_any_other_and_back)
{
	in_namespace(every_pair);
}

TEST(tc_kernel, goes_between_trees_of_what_arrives_and_leaves_no_trace)
{
	if (has_down())
		in_namespace(every_down_pair);
	else
		unit_skip("no ifb, clsact, bpf filter or mirred here");
}

/* ---- rounding ---- */

#define RANDOM_CLASSES 200

static uint64_t between(uint64_t low, uint64_t high)
{
	return low + values_random() % (high - low + 1);
}

static void random_class(struct node *uplink, size_t i)
{
	AUTO(str) char *name = mem_printf("c%zu", i);
	struct node *node = node_create(uplink, name, NULL);
	uint64_t rate = 1000;
	AUTO(str) char *rate_text = NULL, *ceil_text = NULL, *burst = NULL;

	for (uint64_t times = between(0, 26); times; times--)
		rate = rate * between(10, 30) / 10;
	rate = rate > 100000000000 ? 100000000000 : rate;
	rate_text = mem_printf("%llubit", (unsigned long long)rate);
	ceil_text = mem_printf("%llubit",
			       (unsigned long long)between(rate, rate * 4));
	burst = mem_printf("%llu",
			   (unsigned long long)between(1, rate / 8 * 200));
	node_set_text(node, "rate", rate_text, NULL);
	if (between(0, 2))
		node_set_text(node, "ceil", ceil_text, NULL);
	if (between(0, 2))
		node_set_text(node, "burst", burst, NULL);
	if (between(0, 1))
		node_set_text(node, "linklayer", "atm", NULL);
	if (between(0, 1))
		node_set_text(node, "overhead", "26", NULL);
}

/* Whatever the rate, what the kernel says is what was asked for. */
static int random_rates(void *arg, void *bytes, size_t size)
{
	AUTO(host) struct host *host = host_new();
	struct owned owned = OWNED_NONE;
	struct report report = REPORT_NONE;
	struct round round = { 0 };
	char *answer = bytes;
	int rc = begin(host, &round, TREE("/classes up device=lo"), answer,
		       size);
	struct node *uplink = node_first(tree_classes(round.tree));

	(void)arg;
	for (size_t i = 0; i < RANDOM_CLASSES; i++)
		random_class(uplink, i);
	tree_choose(round.tree, &report);
	tree_check(round.tree, &report);
	EXPECT_SAYS(!report_err(&report, NULL), "check: %s",
		    report.items[0].text);
	state_clear(&round.want);
	backend_tc.want(round.tree, &round.facts, &round.report, &round.want);
	if (rc == 0)
		rc = go_to(host, &round, &round.want, &owned, answer, size);
	report_clear(&report);
	round_clear(&round);
	owned_clear(&owned);
	return rc;
}

TEST(tc_kernel, says_what_was_asked_for_at_any_rate)
{
	in_namespace(random_rates);
}

/* ---- probing ---- */

/* Fifos need no asking; htb does, and there is none of some names. */
TEST(tc_probe, finds_out_what_there_is)
{
	AUTO(tree)
	struct tree *tree = make_tree(
		TREE("/classes up device=lo|classifier=fw",
		     "/classes/up x rate=1mbit|leaf=cake or sfq or pfifo",
		     "/classes/up y rate=1mbit|leaf=tbf rate 1mbit burst 2k "
		     "limit 3k"));
	struct facts facts = { 0 };
	AUTO_ERR err = ERR_NONE;
	bool asked = false;

	if (backend_tc.probe(NULL, tree, &facts, &err) < 0) {
		unit_skip("%s", err.text);
		return;
	}
	(void)facts_qdisc(&facts, "htb", &asked);
	CU_ASSERT(asked);
	(void)facts_qdisc(&facts, "cake", &asked);
	CU_ASSERT(asked);
	(void)facts_qdisc(&facts, "tbf", &asked);
	CU_ASSERT(asked);
	(void)facts_qdisc(&facts, "codel", &asked);
	CU_ASSERT(!asked);
	CU_ASSERT(facts.asked_fw || !facts_qdisc(&facts, "htb", NULL));
	facts_clear(&facts);
}
