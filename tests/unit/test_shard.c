/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which HTB each of thousands of classes is in, and what the tc driver makes of
 * it. */
#include <string.h>

#include "backends/tc/tc.h"
#include "model/facts.h"
#include "model/shaping.h"
#include "model/shard.h"
#include "model/txn.h"
#include "tests/unit/trees.h"
#include "tests/unit/unit.h"

static void make_many(struct node *parent, const char *prefix, size_t count,
		      const char *rate)
{
	for (size_t i = 0; i < count; i++) {
		AUTO(str) char *name = mem_printf("%s%zu", prefix, i);

		make_rated(parent, name, rate);
	}
}

static struct node *uplink_of(const struct tree *tree)
{
	return node_find(tree_classes(tree), "u");
}

/* /classes/u/all with so many classes below it. */
static struct tree *wide(size_t count)
{
	struct tree *tree = tree_new();
	struct node *uplink = make_rated(tree_classes(tree), "u", NULL);

	node_set_text(uplink, "device", "wan0", NULL);
	make_many(make_rated(uplink, "all", "1gbit"), "c", count, "100kbit");
	return tree;
}

/* Errors that choosing and checking find. */
static size_t choose(struct tree *tree)
{
	struct report report = REPORT_NONE;
	size_t errors = 0;

	tree_choose(tree, &report);
	shard_check(uplink_of(tree), &report);
	for (size_t i = 0; i < report.count; i++)
		errors += report.items[i].severity == FINDING_ERROR;
	report_clear(&report);
	return errors;
}

/* Classes by the number of their HTB; returns how many HTBs have any. */
static size_t tally(const struct tree *tree, size_t counts[SHARD_LAST + 1])
{
	const struct node *uplink = uplink_of(tree);
	size_t htbs = 0;

	memset(counts, 0, (SHARD_LAST + 1) * sizeof(*counts));
	for (const struct node *at = uplink; at; at = node_walk(uplink, at))
		if (node_kind(at) == &kind_class)
			counts[shard_of(at)]++;
	for (size_t i = 0; i <= SHARD_LAST; i++)
		htbs += counts[i] > 0;
	return htbs;
}

static struct node *all_of(const struct tree *tree)
{
	return node_find(uplink_of(tree), "all");
}

TEST(shard, two_thousand_classes_are_in_one_htb)
{
	AUTO(tree) struct tree *tree = wide(SHARD_ABOVE - 1);
	size_t counts[SHARD_LAST + 1];

	CU_ASSERT_EQUAL(choose(tree), 0);
	CU_ASSERT_EQUAL(tally(tree, counts), 1);
	CU_ASSERT_EQUAL(counts[0], SHARD_ABOVE);
	CU_ASSERT_EQUAL(shard_count(all_of(tree)), 0);
}

TEST(shard, more_are_dealt_out_evenly_below_their_parent)
{
	AUTO(tree) struct tree *tree = wide(10000);
	size_t counts[SHARD_LAST + 1];

	CU_ASSERT_EQUAL(choose(tree), 0);
	CU_ASSERT_EQUAL(tally(tree, counts), 21);
	CU_ASSERT_EQUAL(counts[0], 1); /* all */
	CU_ASSERT_EQUAL(shard_count(all_of(tree)), 20);
	CU_ASSERT_EQUAL(node_origin(all_of(tree), CLASS_SHARDS), ORIGIN_CHOSEN);
	for (size_t i = SHARD_FIRST; i <= SHARD_LAST; i++)
		CU_ASSERT_TRUE(counts[i] == 0 ||
			       (counts[i] > 490 && counts[i] < 510));
}

TEST(shard, a_class_stays_where_it_is_while_others_come_and_go)
{
	AUTO(tree) struct tree *tree = wide(3000);
	uint32_t before, after;
	struct node *all = all_of(tree);

	choose(tree);
	before = class_handle(node_find(all, "c2999"), true);
	make_many(all, "more", 3000, "1mbit");
	for (size_t i = 0; i < 2900; i++) {
		AUTO(str) char *name = mem_printf("c%zu", i);

		node_delete(node_find(all, name));
	}
	CU_ASSERT_EQUAL(choose(tree), 0);
	after = class_handle(node_find(all, "c2999"), true);
	CU_ASSERT_EQUAL(before, after);
}

/* An access network: what belongs together is not torn apart. */
TEST(shard, a_branch_is_in_one_htb)
{
	AUTO(tree) struct tree *tree = tree_new();
	struct node *uplink = make_rated(tree_classes(tree), "u", NULL);
	struct node *all = make_rated(uplink, "all", "10gbit");
	size_t counts[SHARD_LAST + 1];

	for (size_t i = 0; i < 200; i++) {
		AUTO(str) char *name = mem_printf("ap%zu", i);

		make_many(make_rated(all, name, "50mbit"), "s", 20, "1mbit");
	}
	CU_ASSERT_EQUAL(choose(tree), 0);
	CU_ASSERT_EQUAL(tally(tree, counts), 10);
	CU_ASSERT_EQUAL(counts[0], 1);
	for (const struct node *at = all; at; at = node_walk(all, at))
		if (node_kind(at) == &kind_class && class_is_leaf(at))
			CU_ASSERT_EQUAL(shard_of(at),
					shard_of(node_parent(at)));
}

/* Few large branches: each has its own, and shares as in one HTB. */
TEST(shard, a_large_branch_has_an_htb_to_itself)
{
	AUTO(tree) struct tree *tree = tree_new();
	struct node *uplink = make_rated(tree_classes(tree), "u", NULL);
	struct node *all = make_rated(uplink, "all", "10gbit");

	for (size_t i = 0; i < 10; i++) {
		AUTO(str) char *name = mem_printf("site%zu", i);

		make_many(make_rated(all, name, "500mbit"), "s", 300, "1mbit");
	}
	CU_ASSERT_EQUAL(choose(tree), 0);
	node_each (site, all) {
		if (node_kind(site) != &kind_class)
			continue;
		CU_ASSERT_EQUAL(shard_of(site), 0);
		CU_ASSERT_EQUAL(shard_count(site), 1);
	}
}

TEST(shard, none_keeps_them_together)
{
	AUTO(tree) struct tree *tree = wide(3000);
	size_t counts[SHARD_LAST + 1];

	node_set_text(all_of(tree), "shards", "none", NULL);
	CU_ASSERT_EQUAL(choose(tree), 0);
	CU_ASSERT_EQUAL(tally(tree, counts), 1);
}

TEST(shard, only_nftables_says_in_which_a_packet_goes)
{
	AUTO(tree) struct tree *tree = wide(3000);

	node_set_text(uplink_of(tree), "classifier", "fw", NULL);
	choose(tree);
	CU_ASSERT_EQUAL(shard_count(all_of(tree)), 0);
	node_set_text(uplink_of(tree), "classifier", "auto", NULL);
	choose(tree);
	CU_ASSERT_EQUAL(shard_count(all_of(tree)), 6);
	node_set_text(uplink_of(tree), "direction", "down", NULL);
	choose(tree);
	CU_ASSERT_EQUAL(shard_count(all_of(tree)), 0);
}

/* What is said of it; "" for nothing. */
static void assert_refused(struct tree *tree, const char *words)
{
	struct report report = REPORT_NONE;

	tree_choose(tree, &report);
	shard_check(uplink_of(tree), &report);
	CU_ASSERT_EQUAL(report.errors, *words ? 1 : 0);
	for (size_t i = 0; i < report.count; i++)
		if (report.items[i].severity == FINDING_ERROR) {
			ASSERT_TEXT(report.items[i].path, "/classes/u");
			CU_ASSERT_PTR_NOT_NULL(
				strstr(report.items[i].text, words));
		}
	report_clear(&report);
}

TEST(shard, what_cannot_lead_into_several_is_refused_more_than_one_takes)
{
	AUTO(tree) struct tree *tree = wide(3000);
	AUTO(tree) struct tree *small = wide(1999);
	struct node *uplink = uplink_of(tree);

	node_set_text(uplink, "classifier", "fw", NULL);
	assert_refused(tree, "classifier=fw: 3001 classes are more than the "
			     "2000");
	node_set_text(uplink, "classifier", "bpf", NULL);
	assert_refused(tree, "classifier=nft, or shards=none here");
	node_set_text(uplink, "shards", "2-9", NULL);
	assert_refused(tree, "classifier=bpf: 3001 classes");
	node_set_text(uplink, "shards", "none", NULL);
	assert_refused(tree, "");
	node_set_text(uplink, "shards", "auto", NULL);
	node_set_text(uplink, "classifier", "auto", NULL);
	assert_refused(tree, "");
	node_set_text(uplink, "direction", "down", NULL);
	assert_refused(tree, "direction=down: 3001 classes");
	node_set_text(uplink_of(small), "classifier", "bpf", NULL);
	assert_refused(small, "");
}

TEST(shard, a_number_is_one_htb_and_its_minor_nobody_elses)
{
	AUTO(tree) struct tree *tree = wide(10);
	struct node *all = all_of(tree);

	node_set_text(all, "shards", "2-3", NULL);
	CU_ASSERT_EQUAL(choose(tree), 0);
	node_set_text(node_find(all, "c1"), "classid", "1:ff03", NULL);
	CU_ASSERT_EQUAL(choose(tree), 1);
	node_set_text(node_find(all, "c1"), "classid", "1:ff04", NULL);
	CU_ASSERT_EQUAL(choose(tree), 0);
	node_set_text(uplink_of(tree), "shards", "3", NULL);
	CU_ASSERT_EQUAL(choose(tree), 1);
}

TEST(shard, numbers_are_from_2_to_255)
{
	AUTO(tree) struct tree *tree = wide(1);
	AUTO_ERR err = ERR_NONE;

	CU_ASSERT_EQUAL(node_set_text(all_of(tree), "shards", "1-3", &err),
			-ERANGE);
	CU_ASSERT_EQUAL(node_set_text(all_of(tree), "shards", "256", &err),
			-ERANGE);
	CU_ASSERT_EQUAL(node_set_text(all_of(tree), "shards", "2-255", &err),
			0);
}

/* ---- what the driver wants ---- */

static void want(const struct tree *tree, struct state *state)
{
	struct link_fact link = { .name = "wan0", .index = 7, .mtu = 1500 };
	struct facts facts = { .links = &link, .link_count = 1 };
	struct report report = REPORT_NONE;

	tc_want(tree, &facts, &report, state);
	report_clear(&report);
}

static const struct tc_object *find(const struct state *state, const char *key)
{
	for (size_t i = 0; i < state->count; i++)
		if (!strcmp(state->items[i].key, key))
			return tc_of(&state->items[i]);
	return NULL;
}

static void has_parents(const struct state *state)
{
	for (size_t i = 0; i < state->count; i++) {
		const struct tc_object *object = tc_of(&state->items[i]);
		AUTO(str)
		char *above =
			mem_printf("class wan0 %x:%x", object->parent >> 16,
				   object->parent & 0xffff);

		if ((object->sort == TC_CLASS && object->parent != TC_H_ROOT) ||
		    object->sort == TC_SHARD || object->sort == TC_LEAF)
			CU_ASSERT_PTR_NOT_NULL(find(state, above));
		/* A class and its parent are in one HTB. */
		if (object->sort == TC_CLASS && object->parent != TC_H_ROOT)
			CU_ASSERT_EQUAL(object->parent >> 16,
					object->handle >> 16);
	}
}

TEST(shard, has_what_its_classes_have_and_borrows_as_the_class_above)
{
	AUTO(tree) struct tree *tree = wide(4000);
	struct state state = STATE_NONE;
	const struct tc_object *hook, *shard, *top;

	node_set_text(all_of(tree), "ceil", "2gbit", NULL);
	choose(tree);
	want(tree, &state);
	has_parents(&state);
	hook = find(&state, "class wan0 1:ff03");
	shard = find(&state, "shard wan0 3:");
	top = find(&state, "class wan0 3:ff03");
	CU_ASSERT_PTR_NOT_NULL_FATAL(hook);
	CU_ASSERT_PTR_NOT_NULL_FATAL(shard);
	CU_ASSERT_PTR_NOT_NULL_FATAL(top);
	CU_ASSERT_PTR_NOT_NULL(find(&state, "sorter wan0"));
	CU_ASSERT_EQUAL(shard->parent, hook->handle);
	/* Those of about 500 classes. */
	CU_ASSERT_TRUE(hook->class.rate <= 510 * 12500 &&
		       hook->class.rate >= 490 * 12500);
	CU_ASSERT_EQUAL(hook->class.ceil, 250000000);
	CU_ASSERT_TRUE(top->class.rate > hook->class.ceil);
	CU_ASSERT_EQUAL(top->class.level, 7);
	CU_ASSERT_EQUAL(hook->class.level, 0);
	state_clear(&state);
}

TEST(shard, together_have_no_more_than_the_class_above)
{
	AUTO(tree) struct tree *tree = wide(4000);
	struct state state = STATE_NONE;
	uint64_t sum = 0;

	node_set_text(all_of(tree), "rate", "100mbit", NULL);
	choose(tree);
	want(tree, &state);
	for (size_t i = 0; i < state.count; i++) {
		const struct tc_object *object = tc_of(&state.items[i]);

		if (object->sort == TC_CLASS && object->parent == 0x10001 &&
		    (object->handle & 0xff00) == SHARD_MINOR)
			sum += object->class.rate;
	}
	CU_ASSERT_TRUE(sum <= 12500000 && sum > 12400000);
	state_clear(&state);
}

TEST(shard, a_kernel_without_the_program_has_one_htb)
{
	AUTO(tree) struct tree *tree = wide(4000);
	struct link_fact link = { .name = "wan0", .index = 7, .mtu = 1500 };
	struct facts facts = { .links = &link, .link_count = 1 };
	struct report report = REPORT_NONE;
	struct state state = STATE_NONE;

	choose(tree);
	facts_set_qdisc(&facts, "ebpf", false);
	tc_want(tree, &facts, &report, &state);
	CU_ASSERT_PTR_NULL(find(&state, "sorter wan0"));
	CU_ASSERT_PTR_NULL(find(&state, "shard wan0 3:"));
	CU_ASSERT_PTR_NOT_NULL(find(&state, "class wan0 1:fa0"));
	CU_ASSERT_EQUAL(report.count, 1);
	free(facts.qdiscs);
	report_clear(&report);
	state_clear(&state);
}

TEST(shard, an_unchanged_tree_has_no_steps_and_a_changed_one_only_its_own)
{
	AUTO(tree) struct tree *tree = wide(4000);
	struct state now = STATE_NONE, then = STATE_NONE;
	struct report report = REPORT_NONE;
	struct owned owned = OWNED_NONE, claims = OWNED_NONE;
	struct facts facts = { .links = NULL };
	struct plan none = PLAN_NONE, some = PLAN_NONE;

	choose(tree);
	want(tree, &now);
	tc_plan(&now, &now, &facts, &owned, &report, &none, &claims);
	CU_ASSERT_EQUAL(none.count, 0);
	node_set_text(node_find(all_of(tree), "c7"), "ceil", "5mbit", NULL);
	want(tree, &then);
	tc_plan(&now, &then, &facts, &owned, &report, &some, &claims);
	CU_ASSERT_EQUAL(some.count, 1);
	CU_ASSERT_EQUAL(some.items[0].op, STEP_CHANGE);
	plan_clear(&some);
	plan_clear(&none);
	owned_clear(&claims);
	state_clear(&now);
	state_clear(&then);
	report_clear(&report);
}
