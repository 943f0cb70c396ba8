/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "model/node.h"
#include "tests/unit/trees.h"
#include "tests/unit/unit.h"

TEST(node, create_refuses_a_second_child_of_that_name)
{
	AUTO(tree) struct tree *tree = tree_new();
	AUTO_ERR err = ERR_NONE;

	make(tree_paths(tree), "adsl0");
	CU_ASSERT_PTR_NULL(node_create(tree_paths(tree), "adsl0", &err));
	CU_ASSERT_EQUAL(err.code, -EEXIST);
	ASSERT_TEXT(err.text, "/paths: adsl0 is already there");
	CU_ASSERT_EQUAL(node_count(tree_paths(tree)), 1);
}

TEST(node, a_class_comes_with_its_match_container_and_cannot_take_its_name)
{
	AUTO(tree) struct tree *tree = tree_new();
	struct node *uplink = make(tree_classes(tree), "uplink");
	struct node *class = make(uplink, "web");
	AUTO_ERR err = ERR_NONE;

	CU_ASSERT_PTR_NOT_NULL(node_find(class, "match"));
	CU_ASSERT_TRUE(node_is_fixed(node_find(class, "match")));
	CU_ASSERT_PTR_NULL(node_create(class, "match", &err));
	CU_ASSERT_EQUAL(err.code, -EEXIST);
}

TEST(node, walking_names_the_part_that_is_missing_and_the_nearest_name)
{
	AUTO(tree) struct tree *tree = tree_new();
	AUTO_ERR err = ERR_NONE;

	make(tree_classes(tree), "uplink");
	CU_ASSERT_PTR_NULL(
		tree_walk(tree, tree_root(tree), "/classes/uplnik/a", &err));
	CU_ASSERT_EQUAL(err.code, -ENOENT);
	ASSERT_TEXT(err.text, "/classes/uplnik: there is no such thing; did "
			      "you mean /classes/uplink?");
}

TEST(node, walking_goes_up_down_and_over_doubled_slashes)
{
	AUTO(tree) struct tree *tree = tree_new();
	struct node *uplink = make(tree_classes(tree), "uplink");
	struct node *web = make(uplink, "web");

	CU_ASSERT_PTR_EQUAL(tree_walk(tree, web, "..", NULL), uplink);
	CU_ASSERT_PTR_EQUAL(
		tree_walk(tree, web, "/classes//uplink/./web/", NULL), web);
	CU_ASSERT_PTR_EQUAL(tree_walk(tree, web, "../../..", NULL),
			    tree_root(tree));
	CU_ASSERT_PTR_EQUAL(tree_walk(tree, web, "../../../..", NULL),
			    tree_root(tree));
	CU_ASSERT_PTR_EQUAL(tree_walk(tree, uplink, "web/match", NULL),
			    node_find(web, "match"));
}

TEST(node, names_sort_with_their_numbers_by_value)
{
	AUTO(tree) struct tree *tree = tree_new();
	static const char *const names[] = { "br10", "br2", "a", "br1",
					     "br02" };
	struct node **sorted;
	AUTO_TEXT order = TEXT_NONE;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		make(tree_paths(tree), names[i]);
	sorted = node_sorted(tree_paths(tree));
	for (size_t i = 0; sorted[i]; i++)
		text_printf(&order, "%s ", node_name(sorted[i]));
	free(sorted);
	ASSERT_TEXT(text_get(&order), "a br1 br02 br2 br10 ");
}

TEST(node, ten_thousand_siblings_are_found_and_deleted_by_name)
{
	AUTO(tree) struct tree *tree = tree_new();
	struct node *paths = tree_paths(tree);
	char name[16];

	for (int i = 0; i < 10000; i++) {
		snprintf(name, sizeof(name), "p%d", i);
		node_set_id(make(paths, name), (uint64_t)i + 1);
	}
	for (int i = 0; i < 10000; i += 2) {
		snprintf(name, sizeof(name), "p%d", i);
		node_delete(node_find(paths, name));
	}
	CU_ASSERT_EQUAL(node_count(paths), 5000);
	CU_ASSERT_PTR_NULL(node_find(paths, "p5000"));
	CU_ASSERT_PTR_NULL(tree_by_id(tree, 5001));
	ASSERT_TEXT(node_name(tree_by_id(tree, 5002)), "p5001");
}

TEST(node, an_unset_setting_has_its_standard)
{
	AUTO(tree) struct tree *tree = tree_new();
	struct node *path = make(tree_paths(tree), "adsl0");

	CU_ASSERT_EQUAL(node_u(path, PATH_METRIC), 100);
	CU_ASSERT_EQUAL(node_origin(path, PATH_METRIC), ORIGIN_STANDARD);
	CU_ASSERT_EQUAL(node_origin(path, PATH_UP), ORIGIN_NONE);
	set(path, "metric", "7");
	CU_ASSERT_EQUAL(node_u(path, PATH_METRIC), 7);
	CU_ASSERT_EQUAL(node_origin(path, PATH_METRIC), ORIGIN_GIVEN);
	set(path, "metric", "");
	CU_ASSERT_EQUAL(node_u(path, PATH_METRIC), 100);
}

TEST(node, set_refuses_what_is_read_only_needed_or_unknown)
{
	AUTO(tree) struct tree *tree = tree_new();
	struct node *path = make(tree_paths(tree), "adsl0");
	AUTO_ERR err = ERR_NONE;

	CU_ASSERT_EQUAL(node_set_text(path, "state", "up", &err), -EROFS);
	CU_ASSERT_EQUAL(node_set_text(path, "device", "", &err), -EINVAL);
	CU_ASSERT_EQUAL(node_set_text(path, "devise", "x", &err), -EINVAL);
	ASSERT_TEXT(err.text, "/paths/adsl0: a path has no setting devise; "
			      "did you mean device?");
}

TEST(node, setting_what_is_there_already_is_no_change)
{
	AUTO(tree) struct tree *tree = tree_new();
	struct node *path = make(tree_paths(tree), "adsl0");

	set(path, "up", "1024kbit");
	tree_clean(tree);
	set(path, "up", "1024000bit");
	CU_ASSERT_FALSE(tree_is_dirty(tree));
	CU_ASSERT_EQUAL(node_dirt(path), DIRT_NONE);
	set(path, "up", "1025kbit");
	CU_ASSERT_EQUAL(node_dirt(path), DIRT_CHANGED);
}

TEST(node, a_class_is_referred_to_by_its_name_anywhere_below)
{
	AUTO(tree) struct tree *tree = tree_new();
	struct node *uplink = make(tree_classes(tree), "uplink");
	struct node *inner = make(uplink, "internet");
	struct node *other = make(inner, "other");
	AUTO_ERR err = ERR_NONE;

	set(uplink, "default", "other");
	CU_ASSERT_PTR_EQUAL(node_target(uplink, UPLINK_DEFAULT, NULL), other);
	make(make(uplink, "lan"), "other");
	CU_ASSERT_PTR_NULL(node_target(uplink, UPLINK_DEFAULT, &err));
	CU_ASSERT_EQUAL(err.code, -EINVAL);
	set(uplink, "default", "internet/other");
	CU_ASSERT_PTR_EQUAL(node_target(uplink, UPLINK_DEFAULT, NULL), other);
	set(uplink, "default", "nobody");
	CU_ASSERT_PTR_NULL(node_target(uplink, UPLINK_DEFAULT, &err));
	CU_ASSERT_EQUAL(err.code, -ENOENT);
}

TEST(node, sync_makes_one_tree_like_another_and_keeps_what_stays)
{
	AUTO(tree) struct tree *now = tree_new();
	AUTO(tree) struct tree *wanted = tree_new();
	struct node *kept = make(tree_paths(now), "kept");

	node_set_id(kept, 4);
	set(kept, "up", "1mbit");
	set(kept, "down", "9mbit");
	node_set_id(make(tree_paths(now), "gone"), 5);
	set(make(tree_paths(wanted), "kept"), "up", "2mbit");
	make(tree_paths(wanted), "fresh");
	tree_sync(now, wanted, false);

	CU_ASSERT_PTR_EQUAL(node_find(tree_paths(now), "kept"), kept);
	CU_ASSERT_EQUAL(node_id(kept), 4);
	CU_ASSERT_EQUAL(node_u(kept, PATH_UP), 2000000);
	CU_ASSERT_FALSE(node_has(kept, PATH_DOWN));
	CU_ASSERT_PTR_NULL(node_find(tree_paths(now), "gone"));
	CU_ASSERT_PTR_NOT_NULL(node_find(tree_paths(now), "fresh"));
}

TEST(node, a_merge_takes_nothing_away)
{
	AUTO(tree) struct tree *now = tree_new();
	AUTO(tree) struct tree *wanted = tree_new();

	set(make(tree_paths(now), "a"), "up", "1mbit");
	set(make(tree_paths(wanted), "b"), "up", "2mbit");
	tree_sync(now, wanted, true);
	CU_ASSERT_EQUAL(node_count(tree_paths(now)), 2);
}

TEST(name, distance_counts_edits_and_swaps)
{
	CU_ASSERT_EQUAL(name_distance("uplink", "uplink", 3), 0);
	CU_ASSERT_EQUAL(name_distance("uplnik", "uplink", 3), 1);
	CU_ASSERT_EQUAL(name_distance("uplik", "uplink", 3), 1);
	CU_ASSERT_EQUAL(name_distance("abc", "xyz", 2), 3);
}

TEST(kinds, every_row_has_help_and_an_example_that_its_type_reads)
{
	for (size_t k = 0; kinds[k]; k++) {
		CU_ASSERT_PTR_NOT_NULL(kinds[k]->summary);
		CU_ASSERT_PTR_NOT_NULL(kinds[k]->man);
		for (size_t i = 0; i < kinds[k]->attr_count; i++) {
			const struct attr *row = &kinds[k]->attrs[i];
			AUTO(str) char *bare = NULL;
			AUTO_ERR err = ERR_NONE;
			struct value value = { 0 };

			CU_ASSERT_PTR_NOT_NULL_FATAL(row->name);
			CU_ASSERT_PTR_NOT_NULL_FATAL(row->help);
			CU_ASSERT_PTR_NOT_NULL_FATAL(row->example);
			bare = row->example[0] == '"'
				       ? mem_strndup(row->example + 1,
						     strlen(row->example) - 2)
				       : mem_strdup(row->example);
			CU_ASSERT_EQUAL(value_parse(row, bare, &value, &err),
					0);
			if (err.text)
				fprintf(stderr, "%s %s: %s\n", kinds[k]->name,
					row->name, err.text);
			value_clear(row, &value);
		}
	}
}

TEST(node, a_value_that_cannot_be_read_fails_also_when_nobody_asks_why)
{
	AUTO(tree) struct tree *tree = tree_new();
	struct node *path = make(tree_paths(tree), "adsl0");

	CU_ASSERT_EQUAL(node_set_text(path, "up", "fast", NULL), -EINVAL);
	CU_ASSERT_FALSE(node_has(path, PATH_UP));
}
