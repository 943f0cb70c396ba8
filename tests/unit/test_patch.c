/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a patch may leave unlooked at: settings of ATTR_OWN make nothing but the
 * objects of their own node. Shown for every such setting, over random trees,
 * against what all drivers want of the whole; and that a part of the tree is
 * enough to want the same.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "backends/list.h"
#include "backends/tc/program.h"
#include "model/base/mem.h"
#include "model/base/text.h"
#include "model/patch.h"
#include "model/shaping.h"
#include "model/txn.h"
#include "tests/unit/trees.h"
#include "tests/unit/unit.h"

static uint64_t seed;

static unsigned roll(unsigned sides)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(seed >> 33) % sides;
}

/* ---- trees ---- */

static void add_match(struct node *class, unsigned number)
{
	AUTO(str) char *name = mem_printf("m%u", number);
	AUTO(str) char *port = mem_printf("%u", 1000 + number);
	struct node *match = make(node_fixed(class, &kind_matches), name);

	set(match, "proto", roll(2) ? "udp" : "tcp");
	set(match, "dport", port);
}

static void add_classes(struct node *above, unsigned depth, unsigned *number)
{
	unsigned count = 1 + roll(5);

	for (unsigned i = 0; i < count; i++) {
		AUTO(str) char *name = mem_printf("c%u", ++*number);
		struct node *class = make(above, name);

		set(class, "rate", "64kbit");
		if (roll(3) == 0)
			set(class, "preset", "pppoe-llc");
		if (depth < 3 && roll(3) == 0) {
			/* No number twice in an uplink. */
			unsigned first = 10 + *number * 3;
			AUTO(str)
			char *shards = mem_printf("%u-%u", first, first + 2);

			if (first < 250 && roll(2))
				set(class, "shards", shards);
			add_classes(class, depth + 1, number);
		} else if (roll(2))
			add_match(class, *number);
	}
}

/* All that is at the top may be over it, or nothing is. */
static void set_line(struct node *path, const char *device)
{
	set(path, "device", device);
	set(path, "up", roll(2) ? "60kbit" : "10mbit");
	set(path, "down", roll(2) ? "60kbit" : "10mbit");
}

static void add_uplink(struct tree *tree, const char *name, const char *device)
{
	static const char *const classifiers[] = { "auto", "fw", "bpf" };
	struct node *uplink = make(tree_classes(tree), name);
	unsigned number = 0;

	if (roll(2)) {
		set_line(make(tree_paths(tree), name), device);
		set(uplink, "path", name);
	} else {
		set(uplink, "device", device);
	}
	if (roll(2))
		set(uplink, "shards", "2-4");
	if (roll(2))
		set(uplink, "lenient", "yes");
	set(uplink, "r2q", roll(2) ? "10" : "3");
	if (roll(4) == 0)
		set(uplink, "direction", "down");
	else
		set(uplink, "classifier", classifiers[roll(3)]);
	if (roll(2))
		set(uplink, "overhead", "22");
	add_classes(uplink, 0, &number);
	if (roll(2) && class_is_leaf(node_find(uplink, "c1")))
		set(uplink, "default", "c1");
}

static struct tree *new_tree(void)
{
	struct report report = REPORT_NONE;
	struct tree *tree = tree_new();

	add_uplink(tree, "one", "wan0");
	add_uplink(tree, "two", "lan0");
	tree_choose(tree, &report);
	CU_ASSERT_EQUAL(report.errors, 0);
	report_clear(&report);
	return tree;
}

static struct tree *random_tree(void)
{
	struct tree *tree = new_tree();

	tree_clean(tree);
	return tree;
}

static void add_link(struct facts *facts, const char *name, int index)
{
	struct link_fact *link;

	facts->links = mem_grow(facts->links, facts->link_count,
				&facts->link_room, sizeof(*facts->links));
	link = &facts->links[facts->link_count++];
	*link = (struct link_fact){
		.index = index, .mtu = 1500, .txqlen = 1000, .type = 1
	};
	snprintf(link->name, sizeof(link->name), "%s", name);
}

/* Two devices, and what stands in for them where packets arrive. */
static void add_links(struct facts *facts)
{
	add_link(facts, "wan0", 7);
	add_link(facts, "lan0", 8);
	add_link(facts, "tr-wan0", 9);
	add_link(facts, "tr-lan0", 10);
}

/* ---- settings ---- */

static const char *value_for(const char *setting)
{
	static const struct {
		const char *setting;
		const char *values[4];
	} rows[] = {
		{ "rate", { "8kbit", "77kbit", "3gbit", "999mbit" } },
		{ "ceil", { "5gbit", "64kbit", "auto", "1gbit" } },
		{ "burst", { "auto", "1600", "20k", "1m" } },
		{ "cburst", { "auto", "1600", "20k", "1m" } },
		{ "prio", { "0", "3", "7", "1" } },
		{ "quantum", { "auto", "1514", "9000", "60000" } },
		{ "leaf",
		  { "auto", "pfifo limit 9", "bfifo limit 90000",
		    "sfq perturb 10 or pfifo" } },
		{ "description", { "words", "other", "", "more" } },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (!strcmp(rows[i].setting, setting))
			return rows[i].values[roll(4)];
	fprintf(stderr, "no values for %s\n", setting);
	CU_FAIL_FATAL("a setting of ATTR_OWN that this test does not know");
	return NULL;
}

static struct node *random_leaf(const struct tree *tree)
{
	const struct node *root = tree_classes(tree);
	struct node *found = NULL;
	unsigned seen = 0;

	for (struct node *at = node_walk(root, root); at;
	     at = node_walk(root, at))
		if (node_kind(at) == &kind_class && class_is_leaf(at) &&
		    roll(++seen) == 0)
			found = at;
	CU_ASSERT_PTR_NOT_NULL_FATAL(found);
	return found;
}

/* ---- what is wanted ---- */

static void want_all(const struct tree *tree, const struct facts *facts,
		     struct state *want)
{
	struct report report = REPORT_NONE;

	for (size_t i = 0; backends[i]; i++)
		backends[i]->want(tree, facts, &report, want);
	CU_ASSERT_EQUAL(report.errors, 0);
	report_clear(&report);
}

static bool same_object(const struct object *a, const struct object *b)
{
	return a && b && a->size == b->size &&
	       !memcmp(a->data, b->data, a->size);
}

static bool tell(const struct object *object, const char *what)
{
	fprintf(stderr, "%s %s of %s: %s\n", object->backend->name, object->key,
		object->path, what);
	return false;
}

/* Every object of `all` that is not just so in `other` is path's, or known to
 * the patch: a shard goes by its classes. */
static bool differ_at(const struct state *all, const struct state *other,
		      const struct state *own, const char *path)
{
	for (size_t i = 0; i < all->count; i++) {
		const struct object *object = &all->items[i];

		if (strcmp(object->path, path) != 0 &&
		    !state_find(own, object->backend, object->key) &&
		    !same_object(object, state_find(other, object->backend,
						    object->key)))
			return tell(object, "is another's, and changed");
	}
	return true;
}

/* What the patch wants is wanted of the whole, and what of the whole changed at
 * path the patch wants. */
static bool patch_has(const struct state *own, const struct state *before,
		      const struct state *after, const char *path)
{
	for (size_t i = 0; i < own->count; i++) {
		const struct object *object = &own->items[i];

		if (!same_object(object, state_find(after, object->backend,
						    object->key)))
			return tell(object, "is wanted by the patch alone");
	}
	for (size_t i = 0; i < after->count; i++) {
		const struct object *object = &after->items[i];

		if (!strcmp(object->path, path) &&
		    !same_object(object, state_find(before, object->backend,
						    object->key)) &&
		    !state_find(own, object->backend, object->key))
			return tell(object, "changed without the patch");
	}
	return true;
}

/* One setting of one class of a random tree. */
static void try_setting(const struct attr *attr, const struct facts *facts)
{
	AUTO(tree) struct tree *tree = random_tree();
	struct node *node = random_leaf(tree);
	AUTO(str) char *path = node_path_dup(node);
	struct state before = STATE_NONE, after = STATE_NONE, own = STATE_NONE;
	struct report report = REPORT_NONE;
	struct patch patch;

	want_all(tree, facts, &before);
	set(node, attr->name, value_for(attr->name));
	if (patch_find(tree, &patch)) {
		CU_ASSERT_EQUAL(patch.count, 1);
		CU_ASSERT_PTR_EQUAL(patch.nodes[0], node);
	} else {
		CU_ASSERT_FALSE(tree_is_dirty(tree)); /* as it was before */
	}
	want_all(tree, facts, &after);
	for (size_t i = 0; backends[i]; i++)
		if (backends[i]->want_own)
			CU_ASSERT_TRUE(backends[i]->want_own(node, facts,
							     &report, &own));
	CU_ASSERT_TRUE(differ_at(&before, &after, &own, path));
	CU_ASSERT_TRUE(differ_at(&after, &before, &own, path));
	CU_ASSERT_TRUE(patch_has(&own, &before, &after, path));
	report_clear(&report);
	state_clear(&before);
	state_clear(&after);
	state_clear(&own);
}

TEST(patch, settings_of_their_own_make_no_other_node_s_objects)
{
	struct facts facts = { 0 };

	add_links(&facts);
	for (size_t attr = 0; attr < kind_class.attr_count; attr++)
		if (kind_class.attrs[attr].flags & ATTR_OWN)
			for (unsigned round = 0; round < 60; round++) {
				seed = attr << 8 | round;
				try_setting(&kind_class.attrs[attr], &facts);
			}
	facts_clear(&facts);
}

/* Rates and prios of some classes at once: what shards may do goes by all of
 * them, and by none alone. */
static void try_several(const struct facts *facts)
{
	static const char *const rates[] = { "8kbit", "30kbit", "70kbit" };
	AUTO(tree) struct tree *tree = random_tree();
	struct state before = STATE_NONE, after = STATE_NONE, own = STATE_NONE;
	struct report report = REPORT_NONE;
	struct patch patch;

	want_all(tree, facts, &before);
	for (unsigned n = 2 + roll(6); n; n--) {
		struct node *leaf = random_leaf(tree);

		set(leaf, "rate", rates[roll(3)]);
		set(leaf, "prio", value_for("prio"));
	}
	want_all(tree, facts, &after);
	if (!patch_find(tree, &patch))
		CU_ASSERT_FALSE(tree_is_dirty(tree));
	for (size_t n = 0; n < patch.count; n++)
		for (size_t i = 0; backends[i]; i++)
			if (backends[i]->want_own)
				CU_ASSERT_TRUE(backends[i]->want_own(
					patch.nodes[n], facts, &report, &own));
	CU_ASSERT_TRUE(differ_at(&before, &after, &own, ""));
	CU_ASSERT_TRUE(differ_at(&after, &before, &own, ""));
	CU_ASSERT_TRUE(patch_has(&own, &before, &after, ""));
	report_clear(&report);
	state_clear(&before);
	state_clear(&after);
	state_clear(&own);
}

TEST(patch, settings_of_several_make_no_others_objects)
{
	struct facts facts = { 0 };

	add_links(&facts);
	for (seed = 0; seed < 300; seed++) {
		uint64_t round = seed;

		try_several(&facts);
		seed = round;
	}
	facts_clear(&facts);
}

/* ---- of a part ---- */

static struct store *new_store(char *dir)
{
	AUTO_ERR err = ERR_NONE;
	AUTO(str) char *file = NULL;
	struct store *store;

	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(dir));
	file = mem_printf("%s/t.db", dir);
	store = store_open(file, STORE_WRITE, &err);
	CU_ASSERT_PTR_NOT_NULL_FATAL(store);
	return store;
}

static void end_store(struct store *store, const char *dir)
{
	static const char *const beside[] = { "", "-lock", "-journal" };
	AUTO(str) char *file = mem_strdup(store_file(store));

	store_free(store);
	for (size_t i = 0; i < ARRAY_SIZE(beside); i++) {
		AUTO(str) char *path = mem_printf("%s%s", file, beside[i]);

		unlink(path);
	}
	CU_ASSERT_EQUAL(rmdir(dir), 0);
}

static size_t size_of(const struct tree *tree)
{
	const struct node *root = tree_root(tree);
	size_t size = 0;

	for (const struct node *at = root; at; at = node_walk(root, at))
		size++;
	return size;
}

static bool same_settings(const struct node *below, const struct node *all)
{
	for (size_t attr = 0; attr < node_kind(below)->attr_count; attr++) {
		AUTO_TEXT a = TEXT_NONE;
		AUTO_TEXT b = TEXT_NONE;

		node_print(below, attr, &a);
		node_print(all, attr, &b);
		if (node_origin(below, attr) != node_origin(all, attr) ||
		    strcmp(text_get(&a), text_get(&b)) != 0)
			return false;
	}
	return node_id(below) == node_id(all);
}

/* All that is there is as in the whole. */
static void is_part_of(const struct tree *part, const struct tree *whole)
{
	const struct node *root = tree_root(part);

	CU_ASSERT_TRUE(tree_is_part(part));
	CU_ASSERT_FALSE(tree_is_dirty(part));
	CU_ASSERT_TRUE(size_of(part) < size_of(whole));
	for (const struct node *at = root; at; at = node_walk(root, at)) {
		AUTO(str) char *path = node_path_dup(at);
		const struct node *same =
			tree_walk(whole, tree_root(whole), path, NULL);

		CU_ASSERT_PTR_NOT_NULL_FATAL(same);
		CU_ASSERT_TRUE(same_settings(at, same));
	}
}

static bool want_own(struct node *node, const struct facts *facts,
		     struct state *own, struct report *report)
{
	tree_check_own(node, report);
	for (size_t i = 0; backends[i]; i++)
		if (backends[i]->want_own &&
		    !backends[i]->want_own(node, facts, report, own))
			return false;
	return true;
}

static bool same_state(const struct state *a, const struct state *b)
{
	for (size_t i = 0; i < a->count; i++)
		if (!same_object(&a->items[i],
				 state_find(b, a->items[i].backend,
					    a->items[i].key)))
			return tell(&a->items[i], "is wanted of one alone");
	return a->count == b->count;
}

/* Sums are not all right in these trees, which is an error or a doubt. */
static bool same_words(const struct report *a, const struct report *b)
{
	for (size_t i = 0; i < a->count && i < b->count; i++)
		if (a->items[i].severity != b->items[i].severity ||
		    strcmp(a->items[i].path, b->items[i].path) != 0 ||
		    strcmp(a->items[i].text, b->items[i].text) != 0)
			return false;
	return a->count == b->count;
}

/* One setting of one class, of the whole and of a part of it. */
static void try_part(const struct attr *attr, struct tree *whole,
		     struct tree *part, const char *path,
		     const struct facts *facts)
{
	struct node *of_whole = tree_walk(whole, tree_root(whole), path, NULL);
	struct node *of_part = tree_walk(part, tree_root(part), path, NULL);
	struct state all = STATE_NONE, few = STATE_NONE;
	struct report said = REPORT_NONE, told = REPORT_NONE;
	const char *value = value_for(attr->name);
	struct patch patch;
	bool changed;

	CU_ASSERT_PTR_NOT_NULL_FATAL(of_part);
	set(of_whole, attr->name, value);
	set(of_part, attr->name, value);
	changed = tree_is_dirty(part);
	CU_ASSERT_EQUAL(changed, tree_is_dirty(whole));
	CU_ASSERT_EQUAL(patch_find(part, &patch), changed);
	CU_ASSERT_TRUE(want_own(of_whole, facts, &all, &said));
	CU_ASSERT_TRUE(want_own(of_part, facts, &few, &told));
	CU_ASSERT_TRUE(same_state(&all, &few));
	CU_ASSERT_TRUE(tree_knows_own(of_whole));
	if (tree_knows_own(of_part))
		CU_ASSERT_TRUE(same_words(&said, &told));
	report_clear(&said);
	report_clear(&told);
	state_clear(&all);
	state_clear(&few);
}

static void try_stored(const struct attr *attr, const struct facts *facts)
{
	char dir[] = "/tmp/tresse-patch-XXXXXX";
	AUTO(tree) struct tree *whole = new_tree();
	AUTO(tree) struct tree *part = NULL;
	AUTO(str) char *path = node_path_dup(random_leaf(whole));
	struct store *store = new_store(dir);
	struct owned owned = OWNED_NONE;
	const struct stamp stamp = { .actor = "a test" };
	uint64_t revision;

	CU_ASSERT_EQUAL_FATAL(store_commit(store, whole, 0, &owned, &stamp,
					   &revision, NULL),
			      0);
	CU_ASSERT_EQUAL(store_load_part(store, path, &part, NULL), 0);
	CU_ASSERT_PTR_NOT_NULL_FATAL(part);
	is_part_of(part, whole);
	try_part(attr, whole, part, path, facts);
	end_store(store, dir);
}

TEST(patch, a_part_of_the_tree_wants_the_same)
{
	struct facts facts = { 0 };

	add_links(&facts);
	for (size_t attr = 0; attr < kind_class.attr_count; attr++)
		if (kind_class.attrs[attr].flags & ATTR_OWN)
			for (unsigned round = 0; round < 12; round++) {
				seed = attr << 8 | round;
				try_stored(&kind_class.attrs[attr], &facts);
			}
	facts_clear(&facts);
}

/* More marks than are searched for, all of them their classes' numbers but, if
 * odd, one. */
static bool leads_marks(bool odd)
{
	char dir[] = "/tmp/tresse-patch-XXXXXX";
	struct report report = REPORT_NONE;
	AUTO(tree) struct tree *whole = tree_new();
	AUTO(tree) struct tree *part = NULL;
	struct node *uplink = make(tree_classes(whole), "u");
	struct store *store = new_store(dir);
	struct owned owned = OWNED_NONE;
	const struct stamp stamp = { .actor = "a test" };
	uint64_t revision;
	bool leads;

	set(uplink, "device", "wan0");
	set(uplink, "classifier", "bpf");
	for (unsigned i = 0; i < 1100; i++) {
		AUTO(str) char *name = mem_printf("c%u", i);

		make_rated(uplink, name, "64kbit");
	}
	set(uplink, "default", "c3");
	if (odd)
		set(node_find(uplink, "c5"), "mark", "5000");
	tree_choose(whole, &report);
	report_clear(&report);
	CU_ASSERT_EQUAL(store_commit(store, whole, 0, &owned, &stamp, &revision,
				     NULL),
			0);
	CU_ASSERT_EQUAL(store_load_part(store, "/classes/u/c7", &part, NULL),
			0);
	CU_ASSERT_PTR_NOT_NULL_FATAL(part);
	leads = program_leads_marks(uplink);
	CU_ASSERT_EQUAL(program_leads_marks(node_find(tree_classes(part), "u")),
			leads);
	end_store(store, dir);
	return leads;
}

TEST(patch, a_part_knows_how_the_others_marks_are_found)
{
	CU_ASSERT_FALSE(leads_marks(false));
	CU_ASSERT_TRUE(leads_marks(true));
}

/* Of what is not a class, has classes below it, or is not there. */
TEST(patch, a_part_is_of_one_leaf)
{
	static const char *const paths[] = {
		"/classes/u/above",
		"/classes/u",
		"/classes",
		"/",
		"/paths/u",
		"/classes/u/gone",
		"/classes/x/above",
		"/system",
		"/classes/u/../u/leaf",
		"",
		"/classes/u/above/leaf/match",
	};
	char dir[] = "/tmp/tresse-patch-XXXXXX";
	AUTO(tree) struct tree *tree = tree_new();
	struct node *uplink = make(tree_classes(tree), "u"), *above;
	struct store *store = new_store(dir);
	struct owned owned = OWNED_NONE;
	const struct stamp stamp = { .actor = "a test" };
	struct tree *part;
	uint64_t revision;

	set(uplink, "device", "wan0");
	above = make(uplink, "above");
	set(above, "rate", "1mbit");
	set(make(above, "leaf"), "rate", "1mbit");
	CU_ASSERT_EQUAL(store_load_part(store, paths[0], &part, NULL), 0);
	CU_ASSERT_PTR_NULL(part);
	CU_ASSERT_EQUAL(store_commit(store, tree, 0, &owned, &stamp, &revision,
				     NULL),
			0);
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		CU_ASSERT_EQUAL(store_load_part(store, paths[i], &part, NULL),
				0);
		CU_ASSERT_PTR_NULL(part);
	}
	CU_ASSERT_EQUAL(store_load_part(store, "/classes/u/above/leaf", &part,
					NULL),
			0);
	CU_ASSERT_PTR_NOT_NULL(part);
	tree_free(part);
	end_store(store, dir);
}

/* ---- what is none ---- */

static bool is_patch(const struct tree *tree)
{
	struct patch patch;

	return patch_find(tree, &patch);
}

TEST(patch, anything_else_is_for_the_whole)
{
	AUTO(tree) struct tree *tree = tree_new();
	struct node *uplink = make(tree_classes(tree), "u"), *above, *leaf;

	set(uplink, "device", "wan0");
	above = make(uplink, "above");
	set(above, "rate", "1mbit");
	leaf = make(above, "leaf");
	set(leaf, "rate", "1mbit");
	CU_ASSERT_FALSE(is_patch(tree)); /* all is new */
	tree_clean(tree);
	CU_ASSERT_FALSE(is_patch(tree)); /* nothing is */

	set(leaf, "rate", "2mbit");
	CU_ASSERT_TRUE(is_patch(tree));
	set(above, "rate", "2mbit"); /* it has classes below */
	CU_ASSERT_FALSE(is_patch(tree));
	tree_clean(tree);
	set(leaf, "overhead", "14"); /* those below would have it too */
	CU_ASSERT_FALSE(is_patch(tree));
	tree_clean(tree);
	set(leaf, "mark", "77"); /* the rules know it */
	CU_ASSERT_FALSE(is_patch(tree));
	tree_clean(tree);
	set(leaf, "rate", "3mbit");
	make(above, "more");
	CU_ASSERT_FALSE(is_patch(tree));
	tree_clean(tree);
	set(leaf, "rate", "4mbit");
	node_set_id(node_find(above, "more"), 99); /* the store has it */
	node_delete(node_find(above, "more"));
	CU_ASSERT_FALSE(is_patch(tree));
}

TEST(patch, what_was_set_and_set_back_is_no_change)
{
	AUTO(tree) struct tree *tree = random_tree();
	struct node *leaf = random_leaf(tree);
	size_t rate = CLASS_RATE, ceil = CLASS_CEIL;

	set(leaf, "rate", "9mbit");
	set(leaf, "ceil", "9mbit");
	CU_ASSERT_TRUE(node_changed(leaf, rate));
	CU_ASSERT_TRUE(node_changed(leaf, ceil));
	set(leaf, "rate", "64kbit");
	set(leaf, "ceil", "auto");
	CU_ASSERT_FALSE(node_changed(leaf, rate));
	CU_ASSERT_FALSE(node_changed(leaf, ceil));
	CU_ASSERT_EQUAL(node_dirt(leaf), DIRT_CHANGED);
	CU_ASSERT_PTR_EQUAL(tree_first_dirty(tree), leaf);
	CU_ASSERT_PTR_NULL(node_next_dirty(leaf));
	tree_clean(tree);
	CU_ASSERT_PTR_NULL(tree_first_dirty(tree));
}
