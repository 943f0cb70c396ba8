/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is well before and after a change, and what a change touches. */
#include <string.h>

#include "model/base/mem.h"
#include "model/health.h"
#include "model/node.h"
#include "tests/unit/unit.h"

static struct node *make(struct tree *tree, const char *parent,
			 const char *name)
{
	struct node *node = node_create(
		tree_walk(tree, tree_root(tree), parent, NULL), name, NULL);

	CU_ASSERT_PTR_NOT_NULL_FATAL(node);
	return node;
}

static struct node *at(const struct tree *tree, const char *path)
{
	return tree_walk(tree, tree_root(tree), path, NULL);
}

static void set(struct node *node, const char *name, const char *text)
{
	CU_ASSERT_EQUAL(node_set_text(node, name, text, NULL), 0);
}

static struct tree *site_new(void)
{
	struct tree *tree = tree_new();

	set(make(tree, "/paths", "a"), "device", "eth0");
	set(make(tree, "/paths", "b"), "device", "eth1");
	set(make(tree, "/classes", "up"), "path", "a");
	set(make(tree, "/classes/up", "web"), "rate", "2mbit");
	make(tree, "/classes/up/web", "one");
	make(tree, "/classes/up/web", "two");
	make(tree, "/classes/up", "bulk");
	make(tree, "/links", "home");
	set(make(tree, "/links/home/members", "m"), "path", "b");
	return tree;
}

static bool touches(const struct tree *from, const struct tree *to,
		    const char *path)
{
	AUTO_TOUCHED touched = TOUCHED_NONE;

	touched_find(from, to, to, &touched);
	return touched_has(&touched, at(to, path));
}

TEST(health, a_class_touches_what_it_stands_on_and_nothing_beside_it)
{
	AUTO(tree) struct tree *from = site_new();
	AUTO(tree) struct tree *to = site_new();

	set(at(to, "/classes/up/web/one"), "rate", "1mbit");
	CU_ASSERT_TRUE(touches(from, to, "/classes/up/web/one"));
	CU_ASSERT_TRUE(touches(from, to, "/classes/up/web"));
	CU_ASSERT_TRUE(touches(from, to, "/classes/up"));
	CU_ASSERT_TRUE(touches(from, to, "/paths/a"));
	CU_ASSERT_FALSE(touches(from, to, "/paths/b"));
	CU_ASSERT_FALSE(touches(from, to, "/classes/up/web/two"));
	CU_ASSERT_FALSE(touches(from, to, "/classes/up/bulk"));
	CU_ASSERT_FALSE(touches(from, to, "/links/home"));
}

TEST(health, a_class_touches_all_classes_below_it)
{
	AUTO(tree) struct tree *from = site_new();
	AUTO(tree) struct tree *to = site_new();

	set(at(to, "/classes/up/web"), "rate", "1mbit");
	CU_ASSERT_TRUE(touches(from, to, "/classes/up/web/two"));
	CU_ASSERT_FALSE(touches(from, to, "/classes/up/bulk"));
}

TEST(health, a_path_touches_the_links_that_stand_on_it)
{
	AUTO(tree) struct tree *from = site_new();
	AUTO(tree) struct tree *to = site_new();

	set(at(to, "/paths/b"), "gateway", "192.0.2.1");
	CU_ASSERT_TRUE(touches(from, to, "/links/home/members/m"));
	CU_ASSERT_FALSE(touches(from, to, "/classes/up"));
}

TEST(health, what_is_gone_touches_what_was_above_it)
{
	AUTO(tree) struct tree *from = site_new();
	AUTO(tree) struct tree *to = site_new();

	node_delete(at(to, "/classes/up/web/one"));
	CU_ASSERT_TRUE(touches(from, to, "/classes/up"));
	CU_ASSERT_TRUE(touches(from, to, "/paths/a"));
	CU_ASSERT_FALSE(touches(from, to, "/classes/up/bulk"));
}

static struct verdict *say(struct reading *reading, const char *what, bool ok)
{
	AUTO(tree) struct tree *tree = site_new();
	struct verdict *verdict =
		reading_add(reading, at(tree, "/paths/a"), mem_strdup(what));

	verdict_say(verdict, ok, mem_strdup(ok ? "fine" : "broken"),
		    mem_strdup("fine"));
	return verdict;
}

static bool judge(const struct basis *basis, const struct reading *now,
		  const char *ill)
{
	struct judgement judgement;
	bool well = health_judge(basis, now, &judgement);

	ASSERT_TEXT(text_get(&judgement.ill), ill);
	judgement_clear(&judgement);
	return well;
}

TEST(health, what_was_ill_before_is_not_waited_for)
{
	struct basis basis = { .hold_us = 1 };
	AUTO_READING now = READING_NONE;

	say(&basis.before, "one", true);
	say(&basis.before, "two", false);
	say(&now, "one", true);
	say(&now, "two", false);
	CU_ASSERT_TRUE(judge(&basis, &now, ""));
	basis_clear(&basis);
}

TEST(health, what_was_well_before_has_to_be_well)
{
	struct basis basis = { .hold_us = 1 };
	AUTO_READING now = READING_NONE;

	say(&basis.before, "one", true);
	say(&now, "one", false);
	CU_ASSERT_FALSE(judge(&basis, &now,
			      "/paths/a one: broken (limit: fine; before: "
			      "fine)"));
	basis_clear(&basis);
}

TEST(health, what_is_new_has_to_be_well_unless_it_depends_on_others)
{
	struct basis basis = { .hold_us = 1 };
	AUTO_READING now = READING_NONE;

	say(&now, "old", true);
	say(&now, "guest", false)->guest = true;
	CU_ASSERT_TRUE(judge(&basis, &now, ""));
	say(&now, "new", false);
	CU_ASSERT_FALSE(
		judge(&basis, &now, "/paths/a new: broken (limit: fine)"));
}

TEST(health, what_cannot_be_measured_any_more_is_missed)
{
	struct basis basis = { .hold_us = 1 };
	AUTO_READING now = READING_NONE;

	say(&basis.before, "gone by intent", true);
	say(&now, "other", true);
	CU_ASSERT_TRUE(judge(&basis, &now, ""));
	say(&basis.before, "lost", true)->expected = true;
	CU_ASSERT_FALSE(judge(&basis, &now,
			      "/paths/a lost: can no longer be measured "
			      "(before: fine)"));
	basis_clear(&basis);
}

TEST(health, nothing_measured_is_not_well)
{
	struct basis basis = { .hold_us = 1 };
	AUTO_READING now = READING_NONE;

	CU_ASSERT_FALSE(judge(&basis, &now, ""));
	say(&now, "silent", true)->silent = true;
	CU_ASSERT_FALSE(judge(&basis, &now, ""));
}

TEST(health, a_basis_that_was_printed_is_read_back)
{
	struct basis basis = { .hold_us = 3000000, .loss = 250 }, back;
	AUTO_TEXT text = TEXT_NONE, again = TEXT_NONE;

	say(&basis.before, "gateway\t192.0.2.1\n", true)->expected = true;
	say(&basis.before, "two", false);
	say(&basis.before, "none", true)->silent = true;
	basis_print(&basis, &text);
	CU_ASSERT_EQUAL(basis_parse(text_get(&text), &back, NULL), 0);
	CU_ASSERT_EQUAL(back.hold_us, 3000000);
	CU_ASSERT_EQUAL(back.loss, 250);
	CU_ASSERT_EQUAL(back.before.count, 2);
	basis_print(&back, &again);
	ASSERT_TEXT(text_get(&again), text_get(&text));
	basis_clear(&basis);
	basis_clear(&back);
}

TEST(health, a_basis_that_no_tresse_wrote_is_refused)
{
	static const char *const bad[] = {
		"", "x", "1", "1 2\nok", "1 2\nok\ta\tb", "1 2\nok\ta\tb\tc\td"
	};
	struct basis basis;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		CU_ASSERT_EQUAL(basis_parse(bad[i], &basis, NULL), -EBADMSG);
}
