/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A change that goes by way of another tree: which numbers that has. */
#include <string.h>

#include "backends/list.h"
#include "model/base/mem.h"
#include "model/node.h"
#include "model/txn.h"
#include "model/way.h"
#include "tests/unit/unit.h"

static struct node *make(struct node *parent, const char *name,
			 const char *classid)
{
	struct node *node = node_create(parent, name, NULL);

	CU_ASSERT_PTR_NOT_NULL_FATAL(node);
	if (node_kind(node) == &kind_class)
		node_set_text(node, "rate", "1mbit", NULL);
	if (classid)
		node_set_text(node, "classid", classid, NULL);
	return node;
}

/*
 *     u -- in -- a, b
 *       \- out
 */
static struct tree *new_tree(void)
{
	struct tree *tree = tree_new();
	struct node *u = make(tree_classes(tree), "u", NULL);
	struct node *in = make(u, "in", "1:1");
	struct report report = REPORT_NONE;

	node_set_text(u, "device", "wan0", NULL);
	make(in, "a", "1:10");
	make(in, "b", "1:fefd");
	make(u, "out", "1:feff");
	tree_choose(tree, &report);
	report_clear(&report);
	return tree;
}

/* By way of what, if this class had to be made anew? */
static struct tree *way_for(const struct tree *tree, const char *path)
{
	struct state state = STATE_NONE;
	struct plan plan = PLAN_NONE;
	struct tree *way;

	if (path)
		plan_aside(&plan, state_add(&state, &backend_tc, "class", path,
					    NULL, 0));
	way = way_new(tree, tree, &plan);
	plan_clear(&plan);
	state_clear(&state);
	return way;
}

static char *classid_of(const struct tree *tree, const char *path)
{
	const struct node *node = tree_walk(tree, tree_root(tree), path, NULL);
	AUTO_TEXT text = TEXT_NONE;

	CU_ASSERT_PTR_NOT_NULL_FATAL(node);
	node_print(node, CLASS_CLASSID, &text);
	return text_take(&text);
}

#define IS(tree, path, expected)                                               \
	do {                                                                   \
		AUTO(str) char *got = classid_of(tree, path);                  \
		ASSERT_TEXT(got, expected);                                    \
	} while (0)

TEST(way, is_none_where_nothing_goes_aside)
{
	AUTO(tree) struct tree *tree = new_tree();

	CU_ASSERT_PTR_NULL(way_for(tree, NULL));
	/* Of an object that no class asked for nothing can be said. */
	CU_ASSERT_PTR_NULL(way_for(tree, ""));
	CU_ASSERT_PTR_NULL(way_for(tree, "/classes/u"));
	CU_ASSERT_PTR_NULL(way_for(tree, "/classes/u/gone"));
}

TEST(way, has_another_number_for_a_class_that_nobody_has)
{
	AUTO(tree) struct tree *tree = new_tree();
	AUTO(tree) struct tree *way = way_for(tree, "/classes/u/in/a");

	CU_ASSERT_PTR_NOT_NULL_FATAL(way);
	IS(way, "/classes/u/in/a", "1:fefe");
	IS(way, "/classes/u/in/b", "1:fefd");
	IS(way, "/classes/u/in", "1:1");
	/* What is wanted stays as it was. */
	IS(tree, "/classes/u/in/a", "1:10");
}

TEST(way, takes_along_all_that_is_below)
{
	AUTO(tree) struct tree *tree = new_tree();
	AUTO(tree) struct tree *way = way_for(tree, "/classes/u/in");

	CU_ASSERT_PTR_NOT_NULL_FATAL(way);
	IS(way, "/classes/u/in", "1:fefe");
	IS(way, "/classes/u/in/a", "1:fefc");
	IS(way, "/classes/u/in/b", "1:fefb");
	IS(way, "/classes/u/out", "1:feff");
}

TEST(way, leaves_marks_alone_so_that_connections_stay_in_their_class)
{
	AUTO(tree) struct tree *tree = new_tree();
	AUTO(tree) struct tree *way = way_for(tree, "/classes/u/in/a");
	const struct node *was, *is;

	CU_ASSERT_PTR_NOT_NULL_FATAL(way);
	was = tree_walk(tree, tree_root(tree), "/classes/u/in/a", NULL);
	is = tree_walk(way, tree_root(way), "/classes/u/in/a", NULL);
	CU_ASSERT_TRUE(node_has(was, CLASS_MARK));
	CU_ASSERT_EQUAL(node_value(was, CLASS_MARK)->bits.value,
			node_value(is, CLASS_MARK)->bits.value);
}
