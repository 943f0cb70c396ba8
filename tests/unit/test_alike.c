/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which of many changes a rehearsal tries. */
#include "model/alike.h"
#include "tests/unit/trees.h"
#include "tests/unit/unit.h"

/* So many classes below /classes/u/all, each of this rate. */
static struct tree *tree_of(size_t count, const char *rate)
{
	struct tree *tree = tree_new();
	struct node *uplink = make_rated(tree_classes(tree), "u", NULL);
	struct node *all = make_rated(uplink, "all", "1gbit");

	for (size_t i = 0; i < count; i++) {
		AUTO(str) char *name = mem_printf("c%zu", i);

		make_rated(all, name, rate);
	}
	return tree;
}

static struct node *class_at(const struct tree *tree, size_t i)
{
	AUTO(str) char *path = mem_printf("/classes/u/all/c%zu", i);

	return tree_walk(tree, tree_root(tree), path, NULL);
}

static size_t taken(struct alike *alike, size_t count)
{
	size_t sum = 0;

	for (size_t i = 0; i < count; i++) {
		AUTO(str) char *path = mem_printf("/classes/u/all/c%zu", i);

		sum += alike_takes(alike, path);
	}
	return sum;
}

TEST(alike, some_brothers_of_the_same_settings_stand_for_all)
{
	AUTO(tree) struct tree *before = tree_of(0, NULL);
	AUTO(tree) struct tree *after = tree_of(1000, "1mbit");
	AUTO(alike) struct alike *alike = alike_new(before, after);

	node_set_text(class_at(after, 3), "description", "a word", NULL);
	node_set_text(class_at(after, 4), "classid", "1:77", NULL);
	node_set_text(class_at(after, 5), "mark", "1234", NULL);
	CU_ASSERT_EQUAL(taken(alike, 1000), ALIKE_TRIED);
}

TEST(alike, asked_again_it_answers_the_same)
{
	AUTO(tree) struct tree *before = tree_of(0, NULL);
	AUTO(tree) struct tree *after = tree_of(100, "1mbit");
	AUTO(alike) struct alike *alike = alike_new(before, after);

	for (int i = 0; i < 3; i++)
		CU_ASSERT_EQUAL(taken(alike, 100), ALIKE_TRIED);
}

TEST(alike, other_settings_are_another_family)
{
	AUTO(tree) struct tree *before = tree_of(0, NULL);
	AUTO(tree) struct tree *after = tree_of(1000, "1mbit");
	AUTO(alike) struct alike *alike = alike_new(before, after);

	for (size_t i = 900; i < 1000; i++)
		node_set_text(class_at(after, i), "rate", "2mbit", NULL);
	node_set_text(class_at(after, 850), "leaf", "pfifo limit 7", NULL);
	CU_ASSERT_EQUAL(taken(alike, 1000), 2 * ALIKE_TRIED + 1);
}

TEST(alike, what_was_there_before_counts_too)
{
	AUTO(tree) struct tree *before = tree_of(100, "1mbit");
	AUTO(tree) struct tree *after = tree_of(200, "2mbit");
	AUTO(alike) struct alike *alike = alike_new(before, after);

	node_set_text(class_at(before, 99), "burst", "99k", NULL);
	CU_ASSERT_EQUAL(taken(alike, 200), 2 * ALIKE_TRIED + 1);
}

TEST(alike, a_class_that_has_something_below_it_is_like_no_other)
{
	AUTO(tree) struct tree *before = tree_of(0, NULL);
	AUTO(tree) struct tree *after = tree_of(100, "1mbit");
	AUTO(alike) struct alike *alike = alike_new(before, after);

	for (size_t i = 50; i < 60; i++)
		make_rated(class_at(after, i), "below", "100kbit");
	for (size_t i = 60; i < 70; i++)
		make_rated(node_fixed(class_at(after, i), &kind_matches), "m",
			   NULL);
	CU_ASSERT_EQUAL(taken(alike, 100), ALIKE_TRIED + 20);
	CU_ASSERT_TRUE(alike_takes(alike, "/classes/u/all"));
	CU_ASSERT_TRUE(alike_takes(alike, "/classes/u"));
	CU_ASSERT_TRUE(alike_takes(alike, "/classes/u/all/c60/match/m"));
}
