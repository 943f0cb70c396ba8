/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The sums that the store keeps are those of the tree, whatever was done to it,
 * and a part of the tree is with its rest what the whole is.
 */
#include "model/sums.h"

#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "model/base/mem.h"
#include "model/base/text.h"
#include "model/patch.h"
#include "model/shaping.h"
#include "model/shard.h"
#include "model/store_private.h"
#include "model/txn.h"
#include "tests/unit/trees.h"
#include "tests/unit/unit.h"

static uint64_t seed;

static unsigned roll(unsigned sides)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(seed >> 33) % sides;
}

/* ---- a store ---- */

struct site {
	char dir[32], file[48];
	struct store *store; /* owned */
	uint64_t revision;
};

static void site_init(struct site *site)
{
	AUTO_ERR err = ERR_NONE;

	snprintf(site->dir, sizeof(site->dir), "/tmp/tresse-sums-XXXXXX");
	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(site->dir));
	snprintf(site->file, sizeof(site->file), "%s/t.db", site->dir);
	site->store = store_open(site->file, STORE_WRITE, &err);
	CU_ASSERT_PTR_NOT_NULL_FATAL(site->store);
	site->revision = 0;
}

static void site_clear(struct site *site)
{
	static const char *const beside[] = { "", "-lock", "-journal", "-v3" };

	store_free(site->store);
	for (size_t i = 0; i < ARRAY_SIZE(beside); i++) {
		AUTO(str)
		char *file = mem_printf("%s%s", site->file, beside[i]);

		unlink(file);
	}
	CU_ASSERT_EQUAL(rmdir(site->dir), 0);
}

static void commit(struct site *site, struct tree *tree)
{
	AUTO_ERR err = ERR_NONE;
	const struct stamp stamp = { .actor = "a test" };
	struct owned none = OWNED_NONE;
	int rc = store_commit(site->store, tree, site->revision, &none, &stamp,
			      &site->revision, &err);

	if (rc < 0)
		fprintf(stderr, "%s\n", err.text);
	CU_ASSERT_EQUAL_FATAL(rc, 0);
}

static struct tree *load(struct site *site)
{
	struct tree *tree = NULL;

	CU_ASSERT_EQUAL_FATAL(store_load(site->store, &tree, NULL), 0);
	return tree;
}

static struct tree *load_part(struct site *site, const struct node *class)
{
	AUTO(str) char *path = node_path_dup(class);
	struct tree *part = NULL;

	CU_ASSERT_EQUAL(store_load_part(site->store, path, &part, NULL), 0);
	CU_ASSERT_PTR_NOT_NULL_FATAL(part);
	return part;
}

/* Of a part, the same place in it. */
static struct node *same_in(const struct tree *tree, const struct node *node)
{
	AUTO(str) char *path = node_path_dup(node);

	return tree_walk(tree, tree_root(tree), path, NULL);
}

static void run_sql(struct site *site, const char *sql)
{
	CU_ASSERT_EQUAL(sqlite3_exec(site->store->db.db, sql, NULL, NULL, NULL),
			SQLITE_OK);
}

static int64_t count_rows(struct site *site, const char *sql)
{
	sqlite3_stmt *at = NULL;
	int64_t count;

	CU_ASSERT_EQUAL_FATAL(sqlite3_prepare_v2(site->store->db.db, sql, -1,
						 &at, NULL),
			      SQLITE_OK);
	CU_ASSERT_EQUAL(sqlite3_step(at), SQLITE_ROW);
	count = sqlite3_column_int64(at, 0);
	sqlite3_finalize(at);
	return count;
}

/* ---- what is as it should be ---- */

static bool same_sums(const struct sums *a, const struct sums *b)
{
	bool same = a->count == b->count;

	for (size_t i = 0; i < a->count && same; i++) {
		same = a->items[i].shard == b->items[i].shard;
		for (size_t n = 0; n < SUM_NUMBERS; n++)
			same &= a->items[i].of[n] == b->items[i].of[n];
	}
	return same;
}

static bool is_above(const struct node *node)
{
	return node_kind(node)->child == &kind_class && !class_is_leaf(node);
}

/* By hand, and not as sums_of() does it. */
static void count_by_hand(const struct node *parent, struct sums *sums)
{
	node_each (child, parent) {
		struct sum *sum;

		if (node_kind(child) != &kind_class)
			continue;
		sum = sums_at(sums, shard_by_parent(child));
		sum->of[SUM_CLASSES]++;
		sum->of[SUM_RATE] += node_u(child, CLASS_RATE);
		sum->of[SUM_BYTES] += node_u(child, CLASS_RATE) / 8;
		for (const struct node *at = child; at;
		     at = node_walk(child, at)) {
			if (node_kind(at) != &kind_class || !class_is_leaf(at))
				continue;
			sum->of[SUM_PRIO + node_u(at, CLASS_PRIO)]++;
			if (!node_has(at, CLASS_MARK))
				continue;
			sum->of[SUM_MARKS]++;
			sum->of[SUM_ODD] +=
				node_value(at, CLASS_MARK)->bits.value !=
				(node_u(at, CLASS_CLASSID) & 0xffff);
		}
	}
}

/* Every row, and no other. */
static void stored_are_right(struct site *site)
{
	AUTO(tree) struct tree *tree = load(site);
	const struct node *root = tree_root(tree);
	int64_t count = 0;

	for (const struct node *at = root; at; at = node_walk(root, at)) {
		struct sums stored = SUMS_NONE, counted = SUMS_NONE;

		if (node_id(at))
			db_load_sums(&site->store->db, node_id(at), &stored,
				     NULL);
		if (node_kind(at)->child == &kind_class)
			count_by_hand(at, &counted);
		CU_ASSERT_TRUE(same_sums(&stored, &counted));
		count += (int64_t)stored.count;
		sums_clear(&stored);
		sums_clear(&counted);
	}
	CU_ASSERT_EQUAL(count_rows(site, "SELECT count(*) FROM sum"), count);
}

/* All that is above a class in a part counts as it does in the whole. */
static void part_is_right(struct site *site, const struct node *class)
{
	AUTO(tree) struct tree *part = load_part(site, class);
	const struct node *root = tree_root(part);

	for (const struct node *at = root; at; at = node_walk(root, at)) {
		struct sums few = SUMS_NONE, all = SUMS_NONE;

		if (!is_above(at))
			continue;
		CU_ASSERT_PTR_NOT_NULL(node_rest(at));
		sums_of(at, &few);
		count_by_hand(same_in(node_tree(class), at), &all);
		for (size_t i = few.count; i > 0; i--) /* all were read */
			CU_ASSERT_TRUE(few.items[i - 1].of[SUM_CLASSES] > 0);
		CU_ASSERT_TRUE(same_sums(&few, &all));
		sums_clear(&few);
		sums_clear(&all);
	}
}

/* ---- whatever is done ---- */

static struct node *pick(const struct tree *tree, bool leaf)
{
	const struct node *root = tree_classes(tree);
	struct node *found = NULL;
	unsigned seen = 0;

	for (struct node *at = node_walk(root, root); at;
	     at = node_walk(root, at))
		if (node_kind(at) == &kind_class &&
		    (!leaf || class_is_leaf(at)) && roll(++seen) == 0)
			found = at;
	return found;
}

static void set_number(struct node *node, const char *name, unsigned number)
{
	AUTO(str) char *text = mem_printf("%u", number);

	set(node, name, text);
}

static void set_classid(struct node *class, unsigned minor)
{
	AUTO(str) char *text = mem_printf("1:%x", minor);

	set(class, "classid", text);
}

static unsigned names;

static void create(struct tree *tree)
{
	struct node *above = pick(tree, false);
	AUTO(str) char *name = mem_printf("c%u", ++names);
	struct node *class;

	if (!above || roll(6) == 0)
		above = node_find(tree_classes(tree), roll(2) ? "one" : "two");
	if (node_kind(above) == &kind_class && class_depth(above) > 3)
		above = node_parent(above);
	class = make(above, name);
	set_number(class, "rate", 1000 + roll(9000));
	if (roll(2))
		set_number(class, "prio", roll(8));
	if (roll(3) == 0)
		set_number(class, "mark", 1000 + names);
}

static void change(struct node *class)
{
	switch (roll(8)) {
	case 0:
	case 1: set_number(class, "rate", 1000 + roll(9000)); break;
	case 2: set_number(class, "prio", roll(8)); break;
	case 3: set(class, "prio", ""); break;
	case 4: set(class, "shards", roll(2) ? "10-13" : "auto"); break;
	case 5: set_number(class, "mark", 1000 + roll(60000)); break;
	case 6: set(class, "ceil", "1gbit"); break;
	case 7: set_classid(class, 0x1000 + roll(0xe000)); break;
	}
}

static void do_something(struct tree *tree)
{
	struct node *class = pick(tree, false);
	struct node *uplink = node_find(tree_classes(tree), "two");

	if (!class || roll(3) == 0)
		create(tree);
	else if (roll(8) == 0)
		node_delete(class);
	else if (roll(12) == 0)
		set(uplink, "shards", roll(2) ? "20-22,30" : "none");
	else
		change(class);
}

static void choose(struct tree *tree)
{
	struct report report = REPORT_NONE;

	tree_choose(tree, &report);
	CU_ASSERT_EQUAL(report.errors, 0);
	report_clear(&report);
}

static void add_uplinks(struct tree *tree)
{
	set(make(tree_classes(tree), "one"), "device", "wan0");
	set(make(tree_classes(tree), "two"), "device", "lan0");
	for (unsigned i = 0; i < 20; i++)
		create(tree);
}

/* One class, read alone. */
static void change_part(struct site *site, const struct tree *tree)
{
	const struct node *leaf = pick(tree, true);
	AUTO(tree) struct tree *part = load_part(site, leaf);
	struct node *class = same_in(part, leaf);
	struct patch patch;

	set_number(class, "rate", 1000 + roll(9000));
	if (roll(2))
		set_number(class, "prio", roll(8));
	CU_ASSERT_EQUAL(patch_find(part, &patch), tree_is_dirty(part));
	commit(site, part);
}

static void change_whole(struct site *site, struct tree *tree)
{
	for (unsigned n = 1 + roll(4); n; n--)
		do_something(tree);
	choose(tree);
	commit(site, tree);
}

static void live(struct site *site)
{
	AUTO(tree) struct tree *tree = load(site);

	for (unsigned n = 0; n < 12; n++) {
		const struct node *leaf;

		change_whole(site, tree);
		stored_are_right(site);
		leaf = pick(tree, true);
		if (!leaf)
			continue;
		part_is_right(site, leaf);
		change_part(site, tree);
		stored_are_right(site);
		tree_free(TAKE(tree));
		tree = load(site);
	}
}

TEST(sums, what_is_stored_is_what_a_count_gives)
{
	for (unsigned round = 0; round < 25; round++) {
		AUTO(tree) struct tree *tree = tree_new();
		struct site site;

		seed = round;
		names = 0;
		site_init(&site);
		add_uplinks(tree);
		choose(tree);
		commit(&site, tree);
		stored_are_right(&site);
		live(&site);
		site_clear(&site);
	}
}

/* ---- where they are not to be had ---- */

static void site_fill(struct site *site)
{
	AUTO(tree) struct tree *tree = tree_new();

	seed = 1;
	names = 0;
	site_init(site);
	add_uplinks(tree);
	set(make_rated(node_find(tree_classes(tree), "one"), "lone", "1mbit"),
	    "prio", "2");
	choose(tree);
	commit(site, tree);
}

static struct node *lone_of(const struct tree *tree)
{
	return node_find(node_find(tree_classes(tree), "one"), "lone");
}

static void reopen(struct site *site)
{
	AUTO_ERR err = ERR_NONE;

	store_free(site->store);
	site->store = store_open(site->file, STORE_WRITE, &err);
	CU_ASSERT_PTR_NOT_NULL_FATAL(site->store);
}

/* Is a change of this setting of one class, read alone, a patch? */
static bool is_patch(struct site *site, const struct node *leaf,
		     const char *attr, const char *text)
{
	AUTO(tree) struct tree *part = load_part(site, leaf);
	struct patch patch;

	set(same_in(part, leaf), attr, text);
	return patch_find(part, &patch);
}

TEST(sums, a_store_that_has_none_gets_them_with_the_next_change)
{
	AUTO(tree) struct tree *tree = NULL;
	struct site site;
	struct node *leaf;

	site_fill(&site);
	run_sql(&site, "DROP TABLE sum; PRAGMA user_version = 3");
	reopen(&site);
	CU_ASSERT_EQUAL(count_rows(&site, "SELECT count(*) FROM sum"), 0);
	tree = load(&site);
	leaf = lone_of(tree);
	CU_ASSERT_TRUE(is_patch(&site, leaf, "ceil", "3mbit"));
	CU_ASSERT_FALSE(is_patch(&site, leaf, "rate", "3mbit"));
	CU_ASSERT_FALSE(is_patch(&site, leaf, "prio", "6"));

	set(leaf, "rate", "7mbit");
	commit(&site, tree);
	stored_are_right(&site);
	CU_ASSERT_TRUE(is_patch(&site, leaf, "rate", "3mbit"));
	CU_ASSERT_TRUE(is_patch(&site, leaf, "prio", "6"));
	site_clear(&site);
}

TEST(sums, sums_that_cannot_be_are_not_known)
{
	static const char *const damages[] = {
		"UPDATE sum SET rate = 0",
		"UPDATE sum SET bytes = 1",
		"UPDATE sum SET prio2 = 0",
		"UPDATE sum SET marks = 0",
		"DELETE FROM sum WHERE node = (SELECT min(node) FROM sum)",
		"DELETE FROM sum",
	};
	AUTO(tree) struct tree *tree = NULL;
	struct site site;
	struct node *leaf;

	site_fill(&site);
	tree = load(&site);
	leaf = lone_of(tree);
	for (size_t i = 0; i < ARRAY_SIZE(damages); i++) {
		CU_ASSERT_TRUE(is_patch(&site, leaf, "rate", "3mbit"));
		run_sql(&site, damages[i]);
		CU_ASSERT_FALSE(is_patch(&site, leaf, "rate", "3mbit"));
		CU_ASSERT_TRUE(is_patch(&site, leaf, "ceil", "3mbit"));
		set_number(leaf, "rate", (unsigned)(2000 + i));
		make(leaf, "below"); /* all are counted anew */
		commit(&site, tree);
		node_delete(node_find(leaf, "below"));
		commit(&site, tree);
		stored_are_right(&site);
	}
	site_clear(&site);
}

/* ...and lead nowhere in memory. */
TEST(sums, a_row_of_no_shard_is_damage)
{
	AUTO(tree) struct tree *tree = NULL;
	AUTO(str) char *path = NULL;
	AUTO_ERR err = ERR_NONE;
	struct tree *part;
	struct site site;

	site_fill(&site);
	run_sql(&site, "UPDATE sum SET shard = 70000 WHERE node = 1");
	tree = load(&site);
	path = node_path_dup(lone_of(tree));
	CU_ASSERT_EQUAL(store_load_part(site.store, path, &part, &err),
			-EBADMSG);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "a sum of no shard"));
	site_clear(&site);
}
