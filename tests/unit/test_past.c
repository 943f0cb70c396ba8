/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <unistd.h>

#include "model/diff.h"
#include "model/store.h"
#include "tests/unit/trees.h"
#include "tests/unit/unit.h"

static void commit(struct store *store, struct tree *tree, uint64_t base)
{
	struct owned owned = OWNED_NONE;
	struct stamp stamp = { .actor = "test" };
	AUTO_ERR err = ERR_NONE;
	uint64_t revision = 0;

	CU_ASSERT_EQUAL(store_commit(store, tree, base, &owned, &stamp,
				     &revision, &err),
			0);
	CU_ASSERT_EQUAL(revision, base + 1);
}

static void put(struct tree *tree, const char *name, const char *up)
{
	struct node *path = node_find(tree_paths(tree), name);

	if (!path)
		path = node_create(tree_paths(tree), name, NULL);
	CU_ASSERT_EQUAL(node_set_text(path, "up", up, NULL), 0);
}

TEST(past, every_revision_can_be_seen_again)
{
	char dir[] = "/tmp/tresse-past-XXXXXX", file[64], lock[64];
	struct tree *seen[4] = { NULL };
	AUTO(tree) struct tree *tree = tree_new();
	AUTO_ERR err = ERR_NONE;
	struct store *store;

	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(dir));
	snprintf(file, sizeof(file), "%s/db", dir);
	snprintf(lock, sizeof(lock), "%s/db-lock", dir);
	store = store_open(file, STORE_WRITE, &err);
	CU_ASSERT_PTR_NOT_NULL_FATAL(store);
	CU_ASSERT_EQUAL(store_lock(store, "a test", 0, NULL, &err), 0);
	put(tree, "a", "1mbit");
	put(tree, "b", "1mbit");
	commit(store, tree, 0);
	put(tree, "a", "2mbit");
	commit(store, tree, 1);
	node_delete(node_find(tree_paths(tree), "b"));
	commit(store, tree, 2);

	for (uint64_t at = 0; at <= 3; at++)
		CU_ASSERT_EQUAL(store_load_at(store, at, &seen[at], &err), 0);
	CU_ASSERT_EQUAL(node_count(tree_paths(seen[0])), 0);
	CU_ASSERT_EQUAL(node_count(tree_paths(seen[1])), 2);
	CU_ASSERT_EQUAL(node_u(node_find(tree_paths(seen[1]), "a"), PATH_UP),
			1000000);
	CU_ASSERT_EQUAL(node_u(node_find(tree_paths(seen[2]), "a"), PATH_UP),
			2000000);
	CU_ASSERT_EQUAL(node_count(tree_paths(seen[2])), 2);
	CU_ASSERT_TRUE(tree_same(seen[3], tree));
	for (size_t at = 0; at < 4; at++)
		tree_free(seen[at]);
	CU_ASSERT_EQUAL(store_load_at(store, 4, &seen[0], &err), -ENOENT);
	store_free(store);
	unlink(file);
	unlink(lock);
	rmdir(dir);
}
