/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "model/diff.h"
#include "tests/unit/trees.h"
#include "tests/unit/unit.h"

static struct node *path(struct tree *tree, const char *name, const char *up)
{
	struct node *node = node_create(tree_paths(tree), name, NULL);

	CU_ASSERT_PTR_NOT_NULL_FATAL(node);
	CU_ASSERT_EQUAL(node_set_text(node, "up", up, NULL), 0);
	return node;
}

static int put(const struct change *change, void *arg)
{
	change_print(change, arg);
	text_put_char(arg, '\n');
	return 0;
}

TEST(diff, tells_what_went_what_came_and_what_changed)
{
	AUTO(tree) struct tree *from = tree_new();
	AUTO(tree) struct tree *to = tree_new();
	AUTO_TEXT text = TEXT_NONE;

	path(from, "a", "1mbit");
	path(from, "b", "2mbit");
	path(to, "b", "3mbit");
	path(to, "c", "4mbit");
	CU_ASSERT_EQUAL(tree_diff(from, to, put, &text), 0);
	ASSERT_TEXT(text_get(&text), "- /paths/a\n"
				     "~ /paths/b up: 2mbit -> 3mbit\n"
				     "+ /paths/c\n"
				     "~ /paths/c up: (unset) -> 4mbit\n");
	CU_ASSERT_FALSE(tree_same(from, to));
}

TEST(diff, what_was_chosen_is_no_change)
{
	AUTO(tree) struct tree *from = tree_new();
	AUTO(tree) struct tree *to = tree_new();
	struct value table = { .u = 20000 };

	path(from, "a", "1mbit");
	node_set(path(to, "a", "1mbit"), PATH_TABLE, &table, ORIGIN_CHOSEN);
	CU_ASSERT_TRUE(tree_same(from, to));
}
