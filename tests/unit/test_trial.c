/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What waits in the store: candidates, and a commit for its confirmation. */
#include <string.h>
#include <unistd.h>

#include "model/holder.h"
#include "model/store.h"
#include "tests/unit/unit.h"

struct bench {
	char dir[40], file[64], lock[64];
	struct store *store;
	struct tree *tree;
	uint64_t base;
};

static void start(struct bench *bench)
{
	*bench = (struct bench){ .dir = "/tmp/tresse-trial-XXXXXX" };
	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(bench->dir));
	snprintf(bench->file, sizeof(bench->file), "%s/db", bench->dir);
	snprintf(bench->lock, sizeof(bench->lock), "%s/db-lock", bench->dir);
	bench->store = store_open(bench->file, STORE_WRITE, NULL);
	CU_ASSERT_PTR_NOT_NULL_FATAL(bench->store);
	bench->tree = tree_new();
	node_create(tree_paths(bench->tree), "a", NULL);
}

static void stop(struct bench *bench)
{
	tree_free(bench->tree);
	store_free(bench->store);
	unlink(bench->file);
	unlink(bench->lock);
	snprintf(bench->lock, sizeof(bench->lock), "%s/db-seal", bench->dir);
	unlink(bench->lock);
	rmdir(bench->dir);
}

static void commit(struct bench *bench, const char *up,
		   const struct stamp *stamp)
{
	struct owned none = OWNED_NONE;
	struct node *path = node_find(tree_paths(bench->tree), "a");

	CU_ASSERT_EQUAL(node_set_text(path, "up", up, NULL), 0);
	CU_ASSERT_EQUAL(store_commit(bench->store, bench->tree, bench->base,
				     &none, stamp, &bench->base, NULL),
			0);
}

TEST(trial, keeps_the_first_restore_point)
{
	const struct stamp plain = { .actor = "x" };
	const struct stamp wait = { .actor = "y", .confirm_us = 60000000 };
	const struct stamp longer = { .actor = "z", .confirm_us = 90000000 };
	struct trial trial;
	struct bench bench;

	start(&bench);
	commit(&bench, "1mbit", &plain);
	CU_ASSERT_EQUAL(store_trial(bench.store, &trial, NULL), 0);
	CU_ASSERT_FALSE(trial.is);
	commit(&bench, "2mbit", &wait);
	commit(&bench, "3mbit", &longer);
	CU_ASSERT_EQUAL(store_trial(bench.store, &trial, NULL), 0);
	CU_ASSERT_TRUE(trial.is);
	CU_ASSERT_EQUAL(trial.restores, 1);
	CU_ASSERT_EQUAL(trial.revision, 3);
	CU_ASSERT(trial_left_us(&trial) > 80000000);
	CU_ASSERT(trial_left_us(&trial) <= 90000000);
	ASSERT_TEXT(trial.actor, "z");
	trial_clear(&trial);
	CU_ASSERT_EQUAL(store_trial_end(bench.store, "confirmed", NULL), 0);
	CU_ASSERT_EQUAL(store_trial(bench.store, &trial, NULL), 0);
	CU_ASSERT_FALSE(trial.is);
	stop(&bench);
}

TEST(trial, is_over_with_its_boot)
{
	const struct stamp wait = { .actor = "y", .confirm_us = 60000000 };
	struct trial trial;
	struct bench bench;

	start(&bench);
	commit(&bench, "2mbit", &wait);
	CU_ASSERT_EQUAL(store_trial(bench.store, &trial, NULL), 0);
	CU_ASSERT(trial_left_us(&trial) > 0);
	trial.boot[0] = trial.boot[0] == 'x' ? 'y' : 'x';
	CU_ASSERT_EQUAL(trial_left_us(&trial), 0);
	trial_clear(&trial);
	stop(&bench);
}

TEST(trial, is_not_begun_by_a_commit_that_changes_nothing)
{
	const struct stamp plain = { .actor = "x" };
	const struct stamp wait = { .actor = "y", .confirm_us = 60000000 };
	struct trial trial;
	struct bench bench;

	start(&bench);
	commit(&bench, "1mbit", &plain);
	commit(&bench, "1mbit", &wait);
	CU_ASSERT_EQUAL(store_trial(bench.store, &trial, NULL), 0);
	CU_ASSERT_FALSE(trial.is);
	stop(&bench);
}

TEST(pending, comes_back_as_it_was_kept)
{
	struct bench bench;
	struct pending one = { .owner = mem_strdup("root (uid 0)"),
			       .holder = holder_dup(),
			       .base = 7,
			       .text = mem_strdup("") };
	struct pending *list;
	size_t count;

	start(&bench);
	CU_ASSERT_EQUAL(store_pending_put(bench.store, &one, NULL), 0);
	CU_ASSERT_NOT_EQUAL(one.id, 0);
	free(one.text);
	one.text = mem_strdup("/paths create x\n");
	CU_ASSERT_EQUAL(store_pending_put(bench.store, &one, NULL), 0);
	CU_ASSERT_EQUAL(store_pendings(bench.store, &list, &count, NULL), 0);
	CU_ASSERT_EQUAL_FATAL(count, 1);
	ASSERT_TEXT(list[0].text, "/paths create x\n");
	ASSERT_TEXT(list[0].owner, one.owner);
	CU_ASSERT_EQUAL(list[0].base, 7);
	pendings_free(list, count);
	CU_ASSERT_EQUAL(store_pending_drop(bench.store, one.id, NULL), 0);
	CU_ASSERT_EQUAL(store_pending_put(bench.store, &one, NULL), -ENOENT);
	pending_clear(&one);
	stop(&bench);
}

TEST(holder, is_one_process_and_no_later_one)
{
	AUTO(str) char *me = holder_dup();
	AUTO(str) char *boot = boot_id_dup();
	AUTO(str) char *other = mem_printf("%s %d 1", boot, (int)getpid());

	CU_ASSERT_TRUE(holder_lives(me));
	CU_ASSERT_FALSE(holder_lives(other));
	CU_ASSERT_FALSE(holder_lives("unknown"));
}

struct blamed {
	uint64_t up, created;
};

static int take(const struct revision *revision, uint64_t node,
		const char *setting, void *arg)
{
	struct blamed *blamed = arg;

	(void)node;
	if (!setting)
		blamed->created = revision->number;
	else if (!blamed->up && !strcmp(setting, "up"))
		blamed->up = revision->number;
	return 0;
}

TEST(blame, names_the_last_revision_that_set_it)
{
	const struct stamp plain = { .actor = "x" };
	struct blamed blamed = { 0 };
	struct bench bench;

	start(&bench);
	commit(&bench, "1mbit", &plain);
	commit(&bench, "2mbit", &plain);
	node_set_text(node_find(tree_paths(bench.tree), "a"), "down", "9mbit",
		      NULL);
	commit(&bench, "2mbit", &plain);
	CU_ASSERT_EQUAL(store_blame(bench.store, take, &blamed, NULL), 0);
	CU_ASSERT_EQUAL(blamed.up, 2);
	CU_ASSERT_EQUAL(blamed.created, 1);
	stop(&bench);
}
