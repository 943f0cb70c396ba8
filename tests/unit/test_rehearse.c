/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Excerpts of trees, and what a rehearsal in a throw-away namespace finds. */
#include <net/if.h>

#include "backends/host.h"
#include "backends/rehearse.h"
#include "model/excerpt.h"
#include "model/patch.h"
#include "tests/unit/trees.h"
#include "tests/unit/unit.h"

/* A tree of three classes on wan0, one of them below another. */
static struct tree *sample(void)
{
	struct tree *tree = tree_new();
	struct report report = REPORT_NONE;
	struct node *path = make(tree_paths(tree), "adsl0");
	struct node *uplink = make(tree_classes(tree), "uplink");
	struct node *top = make(uplink, "top");

	set(path, "device", "wan0");
	set(path, "gateway", "192.0.2.1");
	set(path, "source", "192.0.2.2/24");
	set(uplink, "path", "adsl0");
	set(uplink, "default", "b");
	set(top, "rate", "1mbit");
	set(make(top, "a"), "rate", "300kbit");
	set(make(top, "b"), "rate", "200kbit");
	set(make(top, "c"), "rate", "100kbit");
	tree_choose(tree, &report);
	report_clear(&report);
	return tree;
}

TEST(excerpt, holds_a_node_with_what_it_stands_on_and_no_more)
{
	AUTO(tree) struct tree *whole = sample();
	AUTO(tree) struct tree *part = NULL;
	AUTO(excerpt) struct excerpt *excerpt = excerpt_new(whole);
	const struct node *top;

	make(tree_paths(whole), "lte0");
	excerpt_add(excerpt, "/classes/uplink/top/c");
	excerpt_add(excerpt, "/classes/uplink/nobody");
	part = excerpt_take(excerpt);
	top = tree_walk(part, tree_root(part), "/classes/uplink/top", NULL);
	CU_ASSERT_PTR_NOT_NULL_FATAL(top);
	CU_ASSERT_EQUAL(node_u(top, CLASS_RATE), 1000000);
	CU_ASSERT_PTR_NOT_NULL(node_find(top, "c"));
	CU_ASSERT_PTR_NOT_NULL(node_find(top, "b")); /* the default */
	CU_ASSERT_PTR_NULL(node_find(top, "a"));
	CU_ASSERT_PTR_NOT_NULL(node_find(tree_paths(part), "adsl0"));
	CU_ASSERT_PTR_NULL(node_find(tree_paths(part), "lte0"));
	CU_ASSERT_EQUAL(node_origin(node_find(top, "c"), CLASS_CLASSID),
			ORIGIN_CHOSEN);
}

TEST(excerpt, an_inner_class_stays_one)
{
	AUTO(tree) struct tree *whole = sample();
	AUTO(tree) struct tree *part = NULL;
	AUTO(excerpt) struct excerpt *excerpt = excerpt_new(whole);
	struct node *uplink = node_find(tree_classes(whole), "uplink");
	const struct node *top;

	node_unset(uplink, UPLINK_DEFAULT);
	excerpt_add(excerpt, "/classes/uplink/top");
	part = excerpt_take(excerpt);
	top = tree_walk(part, tree_root(part), "/classes/uplink/top", NULL);
	CU_ASSERT_EQUAL(node_count(top), 2); /* match, and one class */
}

/* A host with wan0, that nobody has to have. */
static void invent(struct facts *facts)
{
	static struct link_fact link = { .name = "wan0",
					 .index = 7,
					 .flags = IFF_UP | IFF_RUNNING,
					 .carrier = true,
					 .mtu = 1500,
					 .txqlen = 1000 };
	static struct address_fact address = {
		.index = 7,
		.address = { AF_INET, 24, { 192, 0, 2, 2 } },
	};

	*facts = (struct facts){ .links = &link,
				 .link_count = 1,
				 .addresses = &address,
				 .address_count = 1 };
}

/* The code, or 1 where no namespace can be had. */
static int perform(struct tree *before, const struct tree *after,
		   const struct patch *patch, char **path)
{
	AUTO_ERR err = ERR_NONE;
	struct facts facts;
	const struct play play = { before, after, patch, &facts };
	struct rehearsal *rehearsal;
	int rc;

	invent(&facts);
	rehearsal = rehearse_begin(&play, &err);
	rc = rehearsal ? rehearse_end(rehearsal, path, &err) : err.code;
	if (rc == -ENOTSUP)
		unit_skip("%s", err.text);
	return rc == -ENOTSUP ? 1 : rc;
}

static int play(struct tree *before, const struct tree *after, char **path)
{
	return perform(before, after, NULL, path);
}

TEST(rehearse, a_sound_change_works_on_stand_ins)
{
	AUTO(tree) struct tree *before = tree_new();
	AUTO(tree) struct tree *after = sample();
	AUTO(tree) struct tree *later = sample();
	AUTO(str) char *path = NULL;

	set(tree_walk(later, tree_root(later), "/classes/uplink/top/a", NULL),
	    "rate", "400kbit");
	CU_ASSERT_TRUE(play(before, after, &path) >= 0);
	CU_ASSERT_TRUE(play(after, later, &path) >= 0);
	CU_ASSERT_TRUE(play(later, before, &path) >= 0);
	CU_ASSERT_PTR_NULL(path);
}

TEST(rehearse, what_the_kernel_refuses_is_refused_there_by_name)
{
	AUTO(tree) struct tree *before = tree_new();
	AUTO(tree) struct tree *after = sample();
	AUTO(str) char *path = NULL;
	struct report report = REPORT_NONE;
	struct node *at = node_find(tree_classes(after), "uplink");
	int rc;

	/* Past the check, HTB's own limit: "tree is too deep". */
	for (int level = 0; level < 9; level++) {
		at = make(at, "deep");
		set(at, "rate", "1kbit");
	}
	tree_choose(after, &report);
	report_clear(&report);
	rc = play(before, after, &path);
	CU_ASSERT_TRUE(rc == 1 || rc == -EINVAL);
	if (rc < 0)
		ASSERT_TEXT(path, "/classes/uplink/deep/deep/deep/deep/deep/"
				  "deep/deep/deep/deep");
}

/* Of the class of that name, below top. */
static int play_patch(const char *name, const char *setting, const char *value,
		      char **path)
{
	AUTO(tree) struct tree *before = sample();
	AUTO(tree) struct tree *after = sample();
	struct patch patch;
	struct node *top;

	tree_clean(after);
	top = tree_walk(after, tree_root(after), "/classes/uplink/top", NULL);
	set(node_find(top, name), setting, value);
	CU_ASSERT_TRUE_FATAL(patch_find(after, &patch));
	return perform(before, NULL, &patch, path);
}

TEST(rehearse, a_patch_goes_its_own_way_on_stand_ins)
{
	AUTO(str) char *path = NULL;

	CU_ASSERT_TRUE(play_patch("a", "ceil", "800kbit", &path) >= 0);
	CU_ASSERT_TRUE(play_patch("b", "rate", "150kbit", &path) >= 0);
	CU_ASSERT_TRUE(play_patch("c", "leaf", "pfifo limit 5", &path) >= 0);
	CU_ASSERT_PTR_NULL(path);
}

/* A kernel that has sfq takes it. */
TEST(rehearse, a_patch_that_the_kernel_refuses_is_refused_by_name)
{
	AUTO(str) char *path = NULL;
	int rc = play_patch("a", "leaf", "sfq perturb 10", &path);

	if (rc < 0)
		ASSERT_TEXT(path, "/classes/uplink/top/a");
}
