/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "model/node.h"
#include "shell/keys.h"
#include "shell/picker.h"
#include "shell/trail.h"
#include "shell/utf8.h"
#include "tests/unit/unit.h"

static struct tree *some_tree(void)
{
	struct tree *tree = tree_new();

	node_create(tree_paths(tree), "adsl0", NULL);
	node_create(tree_paths(tree), "dsl1", NULL);
	return tree;
}

static void press(struct picker *picker, const char *keys)
{
	for (; *keys; keys++)
		CU_ASSERT_EQUAL(picker_key(picker, (unsigned char)*keys),
				PICKED_NOT_YET);
}

TEST(picker, moves_by_arrows_and_stops_at_the_ends)
{
	AUTO(tree) struct tree *tree = some_tree();
	AUTO(picker)
	struct picker *picker = picker_new(tree, tree_paths(tree));

	CU_ASSERT_PTR_EQUAL(picker_at(picker), tree_paths(tree));
	picker_key(picker, KEY_DOWN);
	ASSERT_TEXT(node_name(picker_at(picker)), "adsl0");
	picker_key(picker, KEY_LEFT);
	CU_ASSERT_PTR_EQUAL(picker_at(picker), tree_paths(tree));
	picker_key(picker, KEY_PAGE_UP);
	picker_key(picker, KEY_UP);
	CU_ASSERT_PTR_EQUAL(picker_at(picker), tree_root(tree));
	picker_key(picker, KEY_END);
	picker_key(picker, KEY_DOWN);
	CU_ASSERT_EQUAL(picker_key(picker, KEY_ENTER), PICKED_THIS);
	CU_ASSERT_EQUAL(picker_key(picker, KEY_ESCAPE), PICKED_NOTHING);
}

TEST(picker, searches_in_paths)
{
	AUTO(tree) struct tree *tree = some_tree();
	AUTO(picker)
	struct picker *picker = picker_new(tree, tree_root(tree));

	press(picker, "/DSL1");
	ASSERT_TEXT(node_name(picker_at(picker)), "dsl1");
	press(picker, "\xc3\xa9");
	CU_ASSERT_PTR_NULL(picker_at(picker));
	CU_ASSERT_EQUAL(picker_key(picker, KEY_ENTER), PICKED_NOT_YET);
	picker_key(picker, KEY_BACKSPACE);
	ASSERT_TEXT(node_name(picker_at(picker)), "dsl1");
	CU_ASSERT_EQUAL(picker_key(picker, KEY_ESCAPE), PICKED_NOT_YET);
	ASSERT_TEXT(node_name(picker_at(picker)), "dsl1");
	CU_ASSERT_EQUAL(picker_key(picker, 'q'), PICKED_NOTHING);
}

TEST(picker, draws_no_line_wider_than_the_terminal)
{
	AUTO(tree) struct tree *tree = some_tree();
	AUTO(picker)
	struct picker *picker = picker_new(tree, tree_root(tree));
	AUTO_TEXT page = TEXT_NONE;
	unsigned lines = 1;

	node_set_text(node_first(tree_paths(tree)), "description",
		      "a long description that does not fit anywhere", NULL);
	picker_key(picker, KEY_END);
	picker_draw(picker, 20, 6, &page);
	for (char *at = page.bytes, *line; (line = strsep(&at, "\n"));) {
		/* \033[7m and \033[m take no room. */
		CU_ASSERT(strlen(line) < 20 + sizeof("\033[7m\033[m\033[K\r"));
		lines += at != NULL;
	}
	CU_ASSERT_EQUAL(lines, 6);
}

TEST(trail, goes_back_and_forward)
{
	struct trail trail = { 0 };

	CU_ASSERT_PTR_NULL(trail_step(&trail, -1));
	trail_note(&trail, "/", "/a");
	trail_note(&trail, "/a", "/b");
	ASSERT_TEXT(trail_step(&trail, -1), "/a");
	trail_note(&trail, "/b", "/a");
	ASSERT_TEXT(trail.last, "/b");
	ASSERT_TEXT(trail_step(&trail, 1), "/b");
	CU_ASSERT_PTR_NULL(trail_step(&trail, 1));
	trail_step(&trail, -1);
	trail_note(&trail, "/a", "/c");
	CU_ASSERT_PTR_NULL(trail_step(&trail, 1));
	ASSERT_TEXT(trail_step(&trail, -1), "/a");
	ASSERT_TEXT(trail_step(&trail, -1), "/");
	trail_clear(&trail);
}
