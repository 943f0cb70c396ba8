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

static struct node *peopled(struct tree *tree, unsigned count)
{
	struct node *link = node_create(tree_links(tree), "home0", NULL);
	struct node *peers = node_fixed(link, &kind_peers);

	for (unsigned i = 0; i < count; i++) {
		AUTO(str) char *name = mem_printf("p%u", i);

		node_create(peers, name, NULL);
	}
	return peers;
}

static size_t count_lines(const char *text)
{
	size_t count = 0;

	while ((text = strchr(text, '\n'))) {
		text++;
		count++;
	}
	return count;
}

/* Seen from above; who asks for them, or for all, has all. */
TEST(draw, shows_some_of_many_peers_and_counts_the_rest)
{
	AUTO(tree) struct tree *tree = tree_new();
	struct node *peers = peopled(tree, 50);
	struct drawing drawing = { .width = 60 };
	struct live *live = live_new();
	AUTO(str) char *some = NULL, *all = NULL, *own = NULL;

	live_set_text(live, node_find(peers, "p44"), PEER_ERROR, "no way");
	live_set_text(live, node_find(peers, "p7"), PEER_STATE, "up");
	drawing.live = live;
	some = drawn(&drawing, tree_links(tree));
	CU_ASSERT_EQUAL(count_lines(some), 11); /* 4 above, 6, the rest */
	CU_ASSERT_PTR_NOT_NULL(strstr(some, "o- p7 "));
	CU_ASSERT_PTR_NOT_NULL(strstr(some, "ERROR no way"));
	CU_ASSERT(strstr(some, "o- p7 ") < strstr(some, "o- p44 "));
	CU_ASSERT_PTR_NOT_NULL(strstr(some, "[44 more, 0 of them up: "));
	own = drawn(&drawing, peers);
	CU_ASSERT_EQUAL(count_lines(own), 51);
	drawing.whole = true;
	all = drawn(&drawing, tree_links(tree));
	CU_ASSERT_EQUAL(count_lines(all), 54);
	live_free(live);
}

TEST(draw, shows_all_of_few_peers)
{
	AUTO(tree) struct tree *tree = tree_new();
	const struct drawing drawing = { .width = 60 };
	AUTO(str) char *text = NULL;

	peopled(tree, 6);
	text = drawn(&drawing, tree_links(tree));
	CU_ASSERT_EQUAL(count_lines(text), 10);
	CU_ASSERT_PTR_NULL(strstr(text, "more"));
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
