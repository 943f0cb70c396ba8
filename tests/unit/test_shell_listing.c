/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "model/node.h"
#include "shell/listing.h"
#include "shell/match.h"
#include "shell/utf8.h"
#include "tests/unit/unit.h"

static struct candidate candidates[] = {
	{ (char *)"rate=", (char *)"guaranteed" },
	{ (char *)"description=", (char *)"any w\xc3\xb6rds\033[2J" },
	{ (char *)"\xe4\xb8\xad\xe6\x96\x87=", (char *)"" },
	{ (char *)"ceil=", (char *)"most it gets" },
};

static struct completion some(size_t count)
{
	return (struct completion){ .items = candidates, .count = count };
}

static void assert_list(size_t count, unsigned rows, unsigned columns,
			const char *expected)
{
	struct completion completion = some(count);
	AUTO_TEXT text = TEXT_NONE;

	listing_candidates(&completion, rows, columns, &text);
	ASSERT_TEXT(text_get(&text), expected);
}

TEST(listing, says_what_each_is_where_there_is_room)
{
	assert_list(4, 24, 80,
		    "rate=         guaranteed\n"
		    "description=  any w\xc3\xb6rds\\x1b[2J\n"
		    "\xe4\xb8\xad\xe6\x96\x87=\n"
		    "ceil=         most it gets\n");
	assert_list(2, 24, 22,
		    "rate=       guaran...\n"
		    "desc...on=  any w\xc3\xb6...\n");
	assert_list(2, 24, 14, "rate=\nde...=\n");
}

TEST(listing, has_columns_where_rows_are_few)
{
	assert_list(4, 5, 40,
		    "rate=         \xe4\xb8\xad\xe6\x96\x87=\n"
		    "description=  ceil=\n");
	assert_list(4, 3, 12, "rate=\n3 more; ...\n");
}

TEST(listing, never_is_wider_than_the_terminal)
{
	struct completion completion = some(4);

	for (unsigned columns = 9; columns < 60; columns++)
		for (unsigned rows = 1; rows < 9; rows++) {
			AUTO_TEXT text = TEXT_NONE;
			char *rest, *line;
			unsigned used = 0;

			listing_answer(&completion, rows, columns, &text);
			rest = text.bytes;
			while ((line = strtok_r(NULL, "\n", &rest))) {
				CU_ASSERT(utf8_width(line) < columns);
				used++;
			}
			CU_ASSERT(used < (rows > 2 ? rows : 3));
		}
}

static bool asks(const struct place *place, const char *line)
{
	AUTO_WORDS words = WORDS_NONE;
	char quote;

	return words_read_typed(&words, line, strlen(line), &quote) &&
	       listing_asks(place, &words, quote);
}

TEST(listing, asks_where_a_word_or_a_value_begins)
{
	AUTO(tree) struct tree *tree = tree_new();
	struct place place = { tree, tree_root(tree), NULL };

	node_create(tree_paths(tree), "adsl0", NULL);
	CU_ASSERT(asks(&place, ""));
	CU_ASSERT(asks(&place, "ls "));
	CU_ASSERT(asks(&place, "sta"));
	CU_ASSERT(asks(&place, "/paths/ads"));
	CU_ASSERT(asks(&place, "/paths/adsl0 se"));
	CU_ASSERT(asks(&place, "/paths/adsl0 set "));
	CU_ASSERT(asks(&place, "/paths/adsl0 set up="));
	CU_ASSERT_FALSE(asks(&place, "/paths/adsl0 set up=2"));
	CU_ASSERT_FALSE(asks(&place, "/paths/adsl0 set description="));
	CU_ASSERT_FALSE(asks(&place, "/paths/adsl0 set description=\""));
	CU_ASSERT_FALSE(asks(&place, "/paths/adsl0 set nothing="));
	CU_ASSERT_FALSE(asks(&place, "ls | grep a"));
	CU_ASSERT_FALSE(asks(&place, "ls # why"));
	CU_ASSERT_FALSE(asks(&place, "\""));
}
