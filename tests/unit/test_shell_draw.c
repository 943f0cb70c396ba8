/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "model/backend.h"
#include "shell/draw.h"
#include "shell/utf8.h"
#include "tests/unit/unit.h"

static struct tree *planted(void)
{
	struct tree *tree = tree_new();
	struct node *paths = tree_paths(tree);

	for (unsigned i = 0; i < 3; i++) {
		static const char *const names[] = { "br10", "br2", "br1" };
		struct node *node = node_create(paths, names[i], NULL);

		node_set_text(node, "device", "eth0", NULL);
	}
	return tree;
}

static char *drawn(const struct drawing *drawing, const struct node *top)
{
	struct text out = TEXT_NONE;

	draw_tree(drawing, top, &out);
	return text_take(&out);
}

TEST(draw, is_as_wide_as_the_terminal_and_sorted_by_number)
{
	AUTO(tree) struct tree *tree = planted();
	const struct drawing drawing = { .width = 40 };
	AUTO(str) char *text = drawn(&drawing, tree_paths(tree));

	ASSERT_TEXT(text, "o- paths ..................... [3 paths]\n"
			  "  o- br1 ........................ [eth0]\n"
			  "  o- br2 ........................ [eth0]\n"
			  "  o- br10 ....................... [eth0]\n");
}

TEST(draw, puts_bars_where_siblings_come)
{
	AUTO(tree) struct tree *tree = planted();
	const struct drawing drawing = { .width = 30, .depth = 2 };
	struct node *up = node_create(tree_classes(tree), "up", NULL);
	AUTO(str) char *text = NULL;

	node_set_text(up, "device", "eth0", NULL);
	node_delete(node_find(tree_paths(tree), "br2"));
	node_delete(node_find(tree_paths(tree), "br10"));
	text = drawn(&drawing, tree_root(tree));
	ASSERT_TEXT(text, "o- / ............. [2 objects]\n"
			  "  o- paths .......... [1 path]\n"
			  "  | o- br1 ............ [eth0]\n"
			  "  o- classes ...... [1 uplink]\n"
			  "  | o- up ............. [eth0]\n"
			  "  o- links ......... [0 links]\n"
			  "  o- system ............ [...]\n");
}

/* Every line of every width is as wide as it may be, and none is wider. */
TEST(draw, is_never_wider_than_the_terminal)
{
	AUTO(tree) struct tree *tree = planted();
	struct node *node = node_create(
		tree_paths(tree),
		"a-name-that-is-long-beyond-all-reason-and-goes-on-and-on",
		NULL);

	utf8_start();
	node_set_text(node, "device", "eth0", NULL);
	for (unsigned width = 8; width < 120; width++) {
		const struct drawing drawing = { .width = width,
						 .unicode = width % 2 };
		AUTO(str) char *text = drawn(&drawing, tree_root(tree));
		char *rest = text, *line;

		while ((line = strsep(&rest, "\n")) && *line)
			CU_ASSERT(utf8_width(line) <= width);
	}
}

TEST(draw, paints_by_level_and_health)
{
	AUTO(tree) struct tree *tree = planted();
	AUTO(live) struct live *live = live_new();
	struct node *node = node_find(tree_paths(tree), "br1");
	struct drawing drawing = { .width = 40, .colour = true, .live = live };
	AUTO(str) char *text = NULL;

	live_set_text(live, node, PATH_STATE, "up");
	text = drawn(&drawing, node);
	ASSERT_TEXT(text,
		    "o- \033[4m\033[1mbr1\033[0m ......................"
		    "\033[0m\033[1m [\033[0m\033[32meth0, up\033[0m\033[1m]"
		    "\033[0m\n");
	free(text);
	live_set_text(live, node, PATH_ERROR, "no route");
	drawing.colour = false;
	text = drawn(&drawing, node);
	ASSERT_TEXT(text, "o- br1 ................ [ERROR no route]\n");
}

TEST(draw, writes_bytes_for_people)
{
	static const struct {
		uint64_t bytes;
		const char *text;
	} rows[] = { { 0, "0 B" },
		     { 999, "999 B" },
		     { 12345, "12.3 kB" },
		     { 999960, "1.0 MB" },
		     { UINT64_MAX, "18.4 EB" } };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		AUTO_TEXT text = TEXT_NONE;

		draw_bytes(rows[i].bytes, &text);
		ASSERT_TEXT(text_get(&text), rows[i].text);
	}
}
