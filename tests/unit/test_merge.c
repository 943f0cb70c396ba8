/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "model/diff.h"
#include "model/merge.h"
#include "tests/unit/trees.h"
#include "tests/unit/unit.h"

struct bench {
	struct tree *base, *mine, *theirs;
	enum merge_side overrules;
	struct clash *clashes;
	struct err err;
};

static struct node *path(struct tree *tree, const char *name)
{
	return node_find(tree_paths(tree), name);
}

static void put(struct tree *tree, const char *name, const char *attr,
		const char *text)
{
	struct node *node = path(tree, name);

	if (!node)
		node = node_create(tree_paths(tree), name, NULL);
	CU_ASSERT_EQUAL(node_set_text(node, attr, text, NULL), 0);
}

static struct tree *like(const struct tree *from)
{
	struct tree *tree = tree_new();

	tree_sync(tree, from, false);
	return tree;
}

static void start(struct bench *bench)
{
	*bench = (struct bench){ .base = tree_new() };
	put(bench->base, "a", "up", "1mbit");
	put(bench->base, "a", "down", "1mbit");
	put(bench->base, "b", "up", "1mbit");
	bench->mine = like(bench->base);
	bench->theirs = like(bench->base);
}

static int merge(struct bench *bench)
{
	return tree_merge(bench->base, bench->mine, bench->theirs,
			  bench->overrules, &bench->clashes, &bench->err);
}

static void stop(struct bench *bench)
{
	clashes_free(bench->clashes);
	err_clear(&bench->err);
	tree_free(bench->base);
	tree_free(bench->mine);
	tree_free(bench->theirs);
}

TEST(merge, takes_what_only_one_side_touched)
{
	struct bench bench;

	start(&bench);
	put(bench.mine, "a", "up", "2mbit");
	put(bench.mine, "new", "up", "5mbit");
	put(bench.theirs, "a", "down", "3mbit");
	node_delete(path(bench.theirs, "b"));
	CU_ASSERT_EQUAL(merge(&bench), 0);
	CU_ASSERT_EQUAL(node_u(path(bench.theirs, "a"), PATH_UP), 2000000);
	CU_ASSERT_EQUAL(node_u(path(bench.theirs, "a"), PATH_DOWN), 3000000);
	CU_ASSERT_EQUAL(node_u(path(bench.theirs, "new"), PATH_UP), 5000000);
	CU_ASSERT_PTR_NULL(path(bench.theirs, "b"));
	stop(&bench);
}

TEST(merge, is_at_peace_with_what_both_did_alike)
{
	struct bench bench;

	start(&bench);
	put(bench.mine, "a", "up", "2mbit");
	put(bench.theirs, "a", "up", "2mbit");
	node_delete(path(bench.mine, "b"));
	node_delete(path(bench.theirs, "b"));
	put(bench.mine, "new", "up", "5mbit");
	put(bench.theirs, "new", "up", "5mbit");
	CU_ASSERT_EQUAL(merge(&bench), 0);
	CU_ASSERT_TRUE(tree_same(bench.mine, bench.theirs));
	stop(&bench);
}

TEST(merge, names_both_values_of_a_clash_and_changes_nothing)
{
	struct bench bench;
	struct tree *was;

	start(&bench);
	put(bench.mine, "a", "up", "2mbit");
	put(bench.mine, "a", "down", "9mbit");
	put(bench.theirs, "a", "up", "3mbit");
	was = like(bench.theirs);
	CU_ASSERT_EQUAL(merge(&bench), -ESTALE);
	CU_ASSERT_PTR_NOT_NULL_FATAL(bench.clashes);
	ASSERT_TEXT(bench.clashes->path, "/paths/a");
	ASSERT_TEXT(bench.clashes->setting, "up");
	ASSERT_TEXT(bench.clashes->mine, "2mbit");
	ASSERT_TEXT(bench.clashes->theirs, "3mbit");
	CU_ASSERT_PTR_NULL(bench.clashes->next);
	CU_ASSERT_TRUE(tree_same(was, bench.theirs));
	tree_free(was);
	stop(&bench);
}

TEST(merge, finds_what_one_side_deleted_and_the_other_changed)
{
	struct bench bench;

	start(&bench);
	node_delete(path(bench.mine, "a"));
	put(bench.theirs, "a", "up", "3mbit");
	put(bench.mine, "b", "up", "3mbit");
	node_delete(path(bench.theirs, "b"));
	CU_ASSERT_EQUAL(merge(&bench), -ESTALE);
	CU_ASSERT_PTR_NOT_NULL_FATAL(bench.clashes);
	ASSERT_TEXT(bench.clashes->path, "/paths/a");
	CU_ASSERT_PTR_NULL(bench.clashes->mine);
	CU_ASSERT_PTR_NOT_NULL_FATAL(bench.clashes->next);
	ASSERT_TEXT(bench.clashes->next->path, "/paths/b");
	CU_ASSERT_PTR_NULL(bench.clashes->next->theirs);
	stop(&bench);
}

TEST(merge, finds_two_of_one_name_that_are_not_alike)
{
	struct bench bench;

	start(&bench);
	put(bench.mine, "new", "up", "5mbit");
	put(bench.theirs, "new", "up", "5mbit");
	put(bench.theirs, "new", "down", "5mbit");
	CU_ASSERT_EQUAL(merge(&bench), -ESTALE);
	CU_ASSERT_PTR_NOT_NULL_FATAL(bench.clashes);
	ASSERT_TEXT(bench.clashes->setting, "down");
	stop(&bench);
}

TEST(merge, may_overrule_what_others_set_but_not_what_they_deleted)
{
	struct bench bench;

	start(&bench);
	bench.overrules = MERGE_MINE;
	put(bench.mine, "a", "up", "2mbit");
	put(bench.theirs, "a", "up", "3mbit");
	node_delete(path(bench.mine, "b"));
	put(bench.theirs, "b", "up", "3mbit");
	CU_ASSERT_EQUAL(merge(&bench), 0);
	CU_ASSERT_TRUE(tree_same(bench.mine, bench.theirs));
	node_delete(path(bench.theirs, "a"));
	CU_ASSERT_EQUAL(merge(&bench), -ESTALE);
	CU_ASSERT_PTR_NOT_NULL_FATAL(bench.clashes);
	CU_ASSERT_PTR_NULL(bench.clashes->theirs);
	stop(&bench);
}
