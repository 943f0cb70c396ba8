/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "model/drift.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "model/backend.h"
#include "model/drifts.h"
#include "model/node.h"
#include "model/store.h"
#include "tests/unit/trees.h"
#include "tests/unit/unit.h"

TEST(drift, a_policy_holds_for_all_below_it)
{
	AUTO(tree) struct tree *tree = tree_new();
	struct node *uplink = make(tree_classes(tree), "u");
	struct node *a = make(uplink, "a");

	make(a, "inner");
	make(uplink, "b");
	CU_ASSERT_EQUAL(drift_policy(tree, "/classes/u/a"), DRIFT_REPORT);
	node_set_text(tree_system(tree), "drift", "repair", NULL);
	CU_ASSERT_EQUAL(drift_policy(tree, "/classes/u/a"), DRIFT_REPAIR);
	CU_ASSERT_EQUAL(drift_policy(tree, ""), DRIFT_REPAIR);
	node_set_text(a, "drift", "adopt", NULL);
	CU_ASSERT_EQUAL(drift_policy(tree, "/classes/u/a/inner"), DRIFT_ADOPT);
	CU_ASSERT_EQUAL(drift_policy(tree, "/classes/u/b"), DRIFT_REPAIR);
	node_set_text(uplink, "drift", "ignore", NULL);
	CU_ASSERT_EQUAL(drift_policy(tree, "/classes/u/b"), DRIFT_IGNORE);
	CU_ASSERT_EQUAL(drift_policy(tree, "/classes/u/a/inner"), DRIFT_ADOPT);
	CU_ASSERT_EQUAL(drift_policy(tree, "/classes/gone/x"), DRIFT_REPAIR);
}

/* ---- the memory ---- */

static void print(const struct object *object, struct text *out)
{
	text_put(out, object->key);
}

static const struct backend fake = { .name = "fake", .print = print };

static struct store *open_store(char *dir, char **file)
{
	AUTO_ERR err = ERR_NONE;
	struct store *store;

	if (!mkdtemp(dir))
		abort();
	*file = mem_printf("%s/t.db", dir);
	store = store_open(*file, STORE_WRITE, &err);
	if (!store)
		abort();
	return store;
}

static void close_store(struct store *store, const char *dir, char *file)
{
	static const char *const ends[] = { "", "-drift", "-drift.new",
					    "-follow", "-lock" };

	store_free(store);
	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		AUTO(str) char *path = mem_printf("%s%s", file, ends[i]);

		unlink(path);
	}
	rmdir(dir);
	free(file);
}

static void remember(struct drifts *drifts, const char *name)
{
	struct object object = { .backend = &fake,
				 .key = (char *)(uintptr_t)name,
				 .path = (char *)(uintptr_t) "/paths/a" };
	const struct step step = { .backend = &fake,
				   .op = STEP_ADD,
				   .after = &object };
	AUTO(str) char *key = drift_key(&step);

	drifts_add(drifts, key, &step)->since_us = 1700000000000000;
}

TEST(drift, what_is_remembered_is_read_back_while_its_process_lives)
{
	char dir[] = "/tmp/tresse-drift-XXXXXX", *file;
	struct store *store = open_store(dir, &file);
	struct drifts drifts = DRIFTS_NONE, read;
	struct drift *found;

	remember(&drifts, "b");
	remember(&drifts, "a");
	remember(&drifts, "b");
	drifts_sort(&drifts);
	CU_ASSERT_EQUAL(drifts.count, 2);
	found = drifts_find(&drifts, "fake b");
	CU_ASSERT_PTR_NOT_NULL_FATAL(found);
	found->by = mem_strdup("tc\t(process\n7)");
	found->early = true;
	CU_ASSERT_EQUAL(drifts_save(&drifts, store, NULL), 0);
	drifts_load(&read, store);
	CU_ASSERT_TRUE(read.followed);
	CU_ASSERT_EQUAL(read.count, 2);
	found = drifts_find(&read, "fake b");
	CU_ASSERT_PTR_NOT_NULL_FATAL(found);
	CU_ASSERT_EQUAL(found->since_us, 1700000000000000);
	CU_ASSERT_TRUE(found->early);
	ASSERT_TEXT(found->by, "tc (process 7)");
	CU_ASSERT_PTR_NULL(found->note);
	drifts_clear(&read);
	drifts_clear(&drifts);
	close_store(store, dir, file);
}

static void put_file(const char *file, const char *text)
{
	AUTO(str) char *path = mem_printf("%s-drift", file);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		abort();
	close(fd);
}

TEST(drift, a_memory_that_nobody_keeps_or_can_read_is_none)
{
	static const char *const texts[] = {
		"",
		"tresse drift 1",
		"tresse drift 1\n",
		"tresse drift 1\nboot 1 1\n5\n6\t0\tkey\tby\tnote\n",
		"rubbish\n\n\n\t\t\t\t\n",
		"tresse drift 2\nx 1 2\n1\n",
	};
	char dir[] = "/tmp/tresse-drift-XXXXXX", *file;
	struct store *store = open_store(dir, &file);

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct drifts read;

		put_file(file, texts[i]);
		drifts_load(&read, store);
		CU_ASSERT_FALSE(read.followed);
		CU_ASSERT_EQUAL(read.count, 0);
		drifts_clear(&read);
	}
	close_store(store, dir, file);
}

TEST(drift, one_process_a_store_follows)
{
	char dir[] = "/tmp/tresse-drift-XXXXXX", *file;
	struct store *store = open_store(dir, &file);
	AUTO_ERR err = ERR_NONE;
	int first = drifts_lock(store, &err), second;

	CU_ASSERT_TRUE(first >= 0);
	CU_ASSERT_EQUAL(drifts_lock(store, &err), -EBUSY);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "follows"));
	close(first);
	second = drifts_lock(store, &err);
	CU_ASSERT_TRUE(second >= 0);
	close(second);
	close_store(store, dir, file);
}
