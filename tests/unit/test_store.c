/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the store promises: a tree comes back as it went in, whatever is wrong
 * is one sentence and changes nothing, and a process may die at any moment.
 * The private header is for what cannot be had otherwise: a full disk, an older
 * schema.
 */
#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "model/store_private.h"
#include "tests/unit/trees.h"
#include "tests/unit/unit.h"

#define NOBODY 65534

static const struct stamp stamp = { .actor = "tester (uid 0)",
				    .reason = "because" };

/* What makes no sense to go on without. CUnit's own way out, a longjmp(), would
 * have a child go on with the parent's tests. */
static pid_t home;

static void must(bool held, unsigned line)
{
	if (held)
		return;
	fprintf(stderr, "test_store.c:%u: cannot go on\n", line);
	if (getpid() != home)
		_exit(1);
	CU_FAIL_FATAL("cannot go on");
}

#define MUST(condition) must(condition, __LINE__)

/* --- a directory with a store in it ------------------------------------- */

struct site {
	char dir[64];
	char *file; /* owned */
};

static void site_init(struct site *site)
{
	snprintf(site->dir, sizeof(site->dir), "/tmp/tresse-store-XXXXXX");
	home = getpid();
	MUST(mkdtemp(site->dir) != NULL);
	chmod(site->dir, 0755);
	site->file = mem_printf("%s/tresse.db", site->dir);
}

static void remove_all(const char *dir)
{
	DIR *list = opendir(dir);
	struct dirent *entry;

	while (list && (entry = readdir(list))) {
		AUTO(str) char *path = mem_printf("%s/%s", dir, entry->d_name);

		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		if (entry->d_type == DT_DIR)
			remove_all(path);
		else
			unlink(path);
	}
	if (list)
		closedir(list);
	rmdir(dir);
}

static void site_clear(struct site *site)
{
	chmod(site->dir, 0755);
	remove_all(site->dir);
	free(site->file);
}

#define SITE(name)                                                             \
	__attribute__((cleanup(site_clear))) struct site name;                 \
	site_init(&(name))

static struct store *open_or_die(const char *file, enum store_mode mode)
{
	AUTO_ERR err = ERR_NONE;
	struct store *store = store_open(file, mode, &err);

	if (!store)
		fprintf(stderr, "store_open: %s\n", err.text);
	MUST(store != NULL);
	return store;
}

static struct store *open_locked(const char *file)
{
	struct store *store = open_or_die(file, STORE_WRITE);

	MUST(store_lock(store, "testing", 0, NULL, NULL) == 0);
	return store;
}

/* Everything there is in the directory, its bytes and times, as one number. */
static uint64_t fingerprint(const struct site *site)
{
	DIR *list = opendir(site->dir);
	struct dirent *entry;
	uint64_t sum = 0;

	while ((entry = readdir(list))) {
		AUTO(str)
		char *path = mem_printf("%s/%s", site->dir, entry->d_name);
		uint64_t hash = 1469598103934665603u;
		struct stat at;
		FILE *file;

		if (lstat(path, &at) < 0 || !S_ISREG(at.st_mode))
			continue;
		for (const char *c = entry->d_name; *c; c++)
			hash = (hash ^ (unsigned char)*c) * 1099511628211u;
		file = fopen(path, "re");
		for (int c; file && (c = getc(file)) != EOF;)
			hash = (hash ^ (unsigned)c) * 1099511628211u;
		if (file)
			fclose(file);
		sum += hash ^ (uint64_t)at.st_mtim.tv_nsec * 31 ^
		       (uint64_t)at.st_mtim.tv_sec ^ at.st_mode ^
		       (uint64_t)at.st_ino << 20;
	}
	closedir(list);
	return sum;
}

static void write_file(const char *path, const void *bytes, size_t size)
{
	FILE *file = fopen(path, "we");

	MUST(file != NULL);
	CU_ASSERT_EQUAL(fwrite(bytes, 1, size, file), size);
	fclose(file);
}

/* What an operator with an sqlite3 shell can do to a file. */
static void by_hand(const char *file, const char *sql)
{
	sqlite3 *db = NULL;
	char *said = NULL;

	CU_ASSERT_EQUAL(sqlite3_open(file, &db), SQLITE_OK);
	if (sqlite3_exec(db, sql, NULL, NULL, &said) != SQLITE_OK) {
		fprintf(stderr, "%s: %s\n", sql, said);
		CU_FAIL("the statement did not run");
	}
	sqlite3_free(said);
	sqlite3_close(db);
}

static int64_t ask(sqlite3 *db, const char *sql)
{
	sqlite3_stmt *at = NULL;
	int64_t answer = -1;

	if (sqlite3_prepare_v2(db, sql, -1, &at, NULL) == SQLITE_OK &&
	    sqlite3_step(at) == SQLITE_ROW)
		answer = sqlite3_column_int64(at, 0);
	sqlite3_finalize(at);
	return answer;
}

static bool contains(const char *text, const char *part)
{
	bool found = text && strstr(text, part);

	if (!found)
		fprintf(stderr, "  expected: ...%s...\n  got:      %s\n", part,
			text ? text : "(null)");
	return found;
}

/* --- trees -------------------------------------------------------------- */

static void choose(struct node *node, size_t attr, const char *text)
{
	struct value value = { 0 };

	CU_ASSERT_EQUAL(value_parse(&node_kind(node)->attrs[attr], text, &value,
				    NULL),
			0);
	node_set(node, attr, &value, ORIGIN_CHOSEN);
}

static struct node *at_path(const struct tree *tree, const char *path)
{
	struct node *node = tree_walk(tree, tree_root(tree), path, NULL);

	MUST(node != NULL);
	return node;
}

/* The default is a reference to a class that comes later, and the two called
 * http differ only in the place they are in. */
static struct tree *sample_tree(void)
{
	struct tree *tree = tree_new();
	struct node *adsl = make(tree_paths(tree), "adsl0");
	struct node *lte = make(tree_paths(tree), "lte0");
	struct node *uplink = make(tree_classes(tree), "uplink");
	struct node *web, *match;

	set(adsl, "device", "wan0");
	set(adsl, "up", "800kbit");
	set(adsl, "description", "caf\xc3\xa9; 'DROP TABLE node' \"--\"");
	choose(adsl, PATH_TABLE, "20001");
	set(lte, "device", "wwan0");
	set(uplink, "path", "adsl0");
	web = make(uplink, "web");
	set(web, "rate", "300kbit");
	set(make(uplink, "voice"), "rate", "128kbit");
	set(make(web, "http"), "rate", "100kbit");
	match = make(node_find(web, "match"), "http");
	set(match, "dport", "80,443,8000-8080");
	set(match, "proto", "tcp");
	set(uplink, "default", "voice");
	choose(web, CLASS_CLASSID, "1:20");
	set(tree_system(tree), "tables", "30000-30099");
	return tree;
}

/* One line a setting; with ids only for what is to have the same. */
static char *dump(const struct tree *tree, bool ids)
{
	struct text out = TEXT_NONE;
	struct node *root = tree_root(tree);

	for (struct node *at = root; at; at = node_walk(root, at)) {
		node_path(at, &out);
		if (ids)
			text_printf(&out, " #%llu",
				    (unsigned long long)node_id(at));
		text_put_char(&out, '\n');
		for (size_t i = 0; i < node_kind(at)->attr_count; i++) {
			if (node_origin(at, i) < ORIGIN_CHOSEN)
				continue;
			text_printf(&out,
				    "  %s(%d)=", node_kind(at)->attrs[i].name,
				    node_origin(at, i));
			node_print(at, i, &out);
			text_put_char(&out, '\n');
		}
	}
	return text_take(&out);
}

static void assert_same(const struct tree *got, const struct tree *expected)
{
	AUTO(str) char *left = dump(got, true);
	AUTO(str) char *right = dump(expected, true);

	ASSERT_TEXT(left, right);
}

static uint64_t commit(struct store *store, struct tree *tree, uint64_t base)
{
	AUTO_ERR err = ERR_NONE;
	struct owned none = OWNED_NONE;
	uint64_t revision = 0;
	int rc =
		store_commit(store, tree, base, &none, &stamp, &revision, &err);

	if (rc < 0)
		fprintf(stderr, "store_commit: %s\n", err.text);
	MUST(rc == 0);
	return revision;
}

static struct tree *load(struct store *store)
{
	AUTO_ERR err = ERR_NONE;
	struct tree *tree = NULL;

	if (store_load(store, &tree, &err) < 0)
		fprintf(stderr, "store_load: %s\n", err.text);
	MUST(tree != NULL);
	return tree;
}

/* A store with the sample in revision 1. */
static void fill(const struct site *site)
{
	AUTO(store) struct store *store = open_locked(site->file);
	AUTO(tree) struct tree *tree = sample_tree();

	CU_ASSERT_EQUAL(commit(store, tree, 0), 1);
}

static uint64_t revision_of(const struct site *site)
{
	AUTO(store) struct store *store = open_or_die(site->file, STORE_READ);
	uint64_t revision = 0;

	CU_ASSERT_EQUAL(store_revision(store, &revision, NULL), 0);
	return revision;
}

static void assert_sound(const struct site *site)
{
	sqlite3 *db = NULL;
	sqlite3_stmt *at = NULL;

	CU_ASSERT_EQUAL(sqlite3_open(site->file, &db), SQLITE_OK);
	sqlite3_prepare_v2(db, "PRAGMA integrity_check", -1, &at, NULL);
	CU_ASSERT_EQUAL(sqlite3_step(at), SQLITE_ROW);
	ASSERT_TEXT(db_text(at, 0), "ok");
	sqlite3_finalize(at);
	sqlite3_prepare_v2(db, "PRAGMA foreign_key_check", -1, &at, NULL);
	CU_ASSERT_EQUAL(sqlite3_step(at), SQLITE_DONE);
	sqlite3_finalize(at);
	sqlite3_close(db);
}

/* --- a tree goes in and comes out --------------------------------------- */

TEST(store, a_tree_comes_back_as_it_went_in)
{
	SITE(site);
	AUTO(store) struct store *store = open_locked(site.file);
	AUTO(store) struct store *reader = NULL;
	AUTO(tree) struct tree *tree = sample_tree();
	AUTO(tree) struct tree *back = NULL;

	CU_ASSERT_EQUAL(commit(store, tree, 0), 1);
	CU_ASSERT_FALSE(tree_is_dirty(tree));
	CU_ASSERT_NOT_EQUAL(node_id(at_path(tree, "/paths/lte0")), 0);
	reader = open_or_die(site.file, STORE_READ);
	back = load(reader);
	assert_same(back, tree);
	CU_ASSERT_FALSE(tree_is_dirty(back));
	CU_ASSERT_EQUAL(node_dirt(at_path(back, "/paths/adsl0")), DIRT_NONE);
	assert_sound(&site);
}

TEST(store, a_change_writes_only_what_differs)
{
	SITE(site);
	AUTO(store) struct store *store = open_locked(site.file);
	AUTO(tree) struct tree *tree = sample_tree();
	AUTO(tree) struct tree *back = NULL;
	struct node *adsl = at_path(tree, "/paths/adsl0");

	commit(store, tree, 0);
	set(adsl, "up", "900kbit");
	set(adsl, "down", "8mbit");
	set(adsl, "description", "");
	CU_ASSERT_EQUAL(commit(store, tree, 1), 2);
	CU_ASSERT_EQUAL(ask(store->db.db,
			    "SELECT changes FROM revision WHERE number = 2"),
			3);
	back = load(store);
	assert_same(back, tree);
}

TEST(store, deleting_a_branch_takes_all_below_and_frees_its_name)
{
	SITE(site);
	AUTO(store) struct store *store = open_locked(site.file);
	AUTO(tree) struct tree *tree = sample_tree();
	AUTO(tree) struct tree *back = NULL;
	uint64_t old;

	commit(store, tree, 0);
	old = node_id(at_path(tree, "/classes/uplink/web"));
	node_delete(at_path(tree, "/classes/uplink/web"));
	set(make(at_path(tree, "/classes/uplink"), "web"), "rate", "1mbit");
	CU_ASSERT_EQUAL(commit(store, tree, 1), 2);
	CU_ASSERT(node_id(at_path(tree, "/classes/uplink/web")) > old);
	back = load(store);
	assert_same(back, tree);
	CU_ASSERT_EQUAL(ask(store->db.db, "SELECT count(*) FROM node"), 6);
	assert_sound(&site);
}

TEST(store, a_number_never_comes_back)
{
	SITE(site);
	AUTO(store) struct store *store = open_locked(site.file);
	AUTO(tree) struct tree *tree = sample_tree();
	uint64_t old;

	commit(store, tree, 0);
	set(make(tree_paths(tree), "last"), "device", "x0");
	commit(store, tree, 1);
	old = node_id(at_path(tree, "/paths/last"));
	CU_ASSERT_EQUAL(ask(store->db.db, "SELECT max(id) FROM node"),
			(int64_t)old);
	node_delete(at_path(tree, "/paths/last"));
	commit(store, tree, 2);
	set(make(tree_paths(tree), "next"), "device", "x1");
	commit(store, tree, 3);
	CU_ASSERT(node_id(at_path(tree, "/paths/next")) > old);
}

TEST(store, children_come_back_in_the_order_they_were_made)
{
	SITE(site);
	AUTO(store) struct store *store = open_locked(site.file);
	AUTO(tree) struct tree *tree = tree_new();
	AUTO(tree) struct tree *back = NULL;

	set(make(tree_paths(tree), "zeta"), "device", "z0");
	set(make(tree_paths(tree), "beta"), "device", "b0");
	commit(store, tree, 0);
	set(make(tree_paths(tree), "alpha"), "device", "a0");
	commit(store, tree, 1);
	back = load(store);
	assert_same(back, tree);
	ASSERT_TEXT(node_name(node_first(tree_paths(back))), "zeta");
}

TEST(store, settings_that_are_the_running_systems_are_not_kept)
{
	SITE(site);
	AUTO(store) struct store *store = open_locked(site.file);
	AUTO(tree) struct tree *tree = sample_tree();
	struct node *adsl = at_path(tree, "/paths/adsl0");
	const struct attr *state = kind_attr(&kind_path, "state");
	struct value value = { .text = mem_strdup("up") };

	MUST(state != NULL);
	commit(store, tree, 0);
	node_set(adsl, kind_index(&kind_path, state), &value, ORIGIN_GIVEN);
	CU_ASSERT_TRUE(tree_is_dirty(tree));
	CU_ASSERT_EQUAL(commit(store, tree, 1), 1);
	CU_ASSERT_EQUAL(ask(store->db.db, "SELECT count(*) FROM setting "
					  "WHERE name = 'state'"),
			0);
}

TEST(store, a_tree_that_says_the_same_makes_no_revision)
{
	SITE(site);
	AUTO(store) struct store *store = open_locked(site.file);
	AUTO(tree) struct tree *tree = sample_tree();
	struct owned ours = OWNED_NONE, back = OWNED_NONE;
	uint64_t revision = 0;
	bool armed = true;

	commit(store, tree, 0);
	set(at_path(tree, "/paths/adsl0"), "up", "1mbit");
	set(at_path(tree, "/paths/adsl0"), "up", "800kbit");
	owned_add(&ours, "tc", "qdisc wan0", "old", 4);
	CU_ASSERT_EQUAL(store_arm(store, &ours, "+ qdisc wan0\n", NULL), 0);
	CU_ASSERT_EQUAL(store_commit(store, tree, 1, &ours, &stamp, &revision,
				     NULL),
			0);
	CU_ASSERT_EQUAL(revision, 1);
	CU_ASSERT_FALSE(tree_is_dirty(tree));
	CU_ASSERT_EQUAL(store_armed(store, &armed, NULL, NULL), 0);
	CU_ASSERT_FALSE(armed);
	CU_ASSERT_EQUAL(store_load_owned(store, &back, NULL), 0);
	CU_ASSERT_PTR_NOT_NULL(owned_find(&back, "tc", "qdisc wan0"));
	owned_clear(&ours);
	owned_clear(&back);
}

/* --- in two halves ------------------------------------------------------ */

/* So much that SQLite would like to write some of it before the end. */
static void add_thousands(struct tree *tree)
{
	struct node *uplink = at_path(tree, "/classes/uplink");

	for (unsigned i = 0; i < 8000; i++) {
		char name[16];

		snprintf(name, sizeof(name), "many%u", i);
		set(make(uplink, name), "rate", "1mbit");
	}
}

TEST(store, what_is_written_is_seen_when_it_is_kept)
{
	SITE(site);
	AUTO(store) struct store *store = open_locked(site.file);
	AUTO(tree) struct tree *tree = sample_tree();
	AUTO_ERR err = ERR_NONE;
	struct owned none = OWNED_NONE;
	struct writing *writing;
	uint64_t revision = 0;

	commit(store, tree, 0);
	add_thousands(tree);
	writing = store_write(store, tree, 1, &none, &stamp, &err);
	CU_ASSERT_PTR_NOT_NULL_FATAL(writing);
	/* Another process may read all the while. */
	CU_ASSERT_EQUAL(revision_of(&site), 1);
	CU_ASSERT_EQUAL(store_keep(writing, &revision, &err), 0);
	CU_ASSERT_EQUAL(revision, 2);
	CU_ASSERT_EQUAL(revision_of(&site), 2);
	CU_ASSERT_FALSE(tree_is_dirty(tree));
	assert_sound(&site);
}

TEST(store, what_is_written_and_dropped_leaves_no_trace)
{
	SITE(site);
	AUTO(store) struct store *store = open_locked(site.file);
	AUTO(tree) struct tree *tree = sample_tree();
	AUTO(tree) struct tree *back = NULL;
	AUTO_ERR err = ERR_NONE;
	struct owned none = OWNED_NONE;
	struct writing *writing;

	writing = store_write(store, tree, 0, &none, &stamp, &err);
	CU_ASSERT_PTR_NOT_NULL_FATAL(writing);
	store_drop(writing);
	CU_ASSERT_EQUAL(revision_of(&site), 0);
	CU_ASSERT_TRUE(tree_is_dirty(tree));
	CU_ASSERT_EQUAL(node_id(at_path(tree, "/paths/adsl0")), 0);
	CU_ASSERT_EQUAL(commit(store, tree, 0), 1);
	back = load(store);
	assert_same(back, tree);
	assert_sound(&site);
}

/* --- references --------------------------------------------------------- */

TEST(store, a_reference_that_leads_nowhere_is_refused_and_nothing_written)
{
	SITE(site);
	AUTO(store) struct store *store = open_locked(site.file);
	AUTO(tree) struct tree *tree = sample_tree();
	AUTO(tree) struct tree *back = NULL;
	AUTO_ERR err = ERR_NONE;
	struct owned none = OWNED_NONE;
	uint64_t revision = 7;

	set(at_path(tree, "/classes/uplink"), "path", "fibre0");
	CU_ASSERT_EQUAL(store_commit(store, tree, 0, &none, &stamp, &revision,
				     &err),
			-ENOENT);
	CU_ASSERT(contains(err.text, "/classes/uplink: path=fibre0"));
	CU_ASSERT_EQUAL(revision, 7);
	CU_ASSERT_TRUE(tree_is_dirty(tree));
	CU_ASSERT_EQUAL(node_id(at_path(tree, "/paths/adsl0")), 0);
	CU_ASSERT_EQUAL(revision_of(&site), 0);
	set(at_path(tree, "/classes/uplink"), "path", "lte0");
	CU_ASSERT_EQUAL(commit(store, tree, 0), 1);
	back = load(store);
	assert_same(back, tree);
}

TEST(store, what_is_referred_to_can_be_made_anew_but_not_just_deleted)
{
	SITE(site);
	AUTO(store) struct store *store = open_locked(site.file);
	AUTO(tree) struct tree *tree = sample_tree();
	AUTO_ERR err = ERR_NONE;
	struct owned none = OWNED_NONE;
	uint64_t revision;

	commit(store, tree, 0);
	node_delete(at_path(tree, "/paths/adsl0"));
	CU_ASSERT_EQUAL(store_commit(store, tree, 1, &none, &stamp, &revision,
				     &err),
			-ENOENT);
	CU_ASSERT(contains(err.text, "/classes/uplink: path=adsl0"));
	set(make(tree_paths(tree), "adsl0"), "device", "wan9");
	CU_ASSERT_EQUAL(commit(store, tree, 1), 2);
	CU_ASSERT_EQUAL(ask(store->db.db,
			    "SELECT target FROM ref WHERE name = 'path'"),
			(int64_t)node_id(at_path(tree, "/paths/adsl0")));
	assert_sound(&site);
}

TEST(store, sqlite_itself_refuses_what_dangles)
{
	SITE(site);
	AUTO(store) struct store *store = NULL;

	fill(&site);
	store = open_locked(site.file);
	CU_ASSERT_EQUAL(sqlite3_exec(store->db.db,
				     "DELETE FROM node WHERE name = 'adsl0'",
				     NULL, NULL, NULL),
			SQLITE_CONSTRAINT_FOREIGNKEY);
	CU_ASSERT_EQUAL(sqlite3_exec(store->db.db,
				     "UPDATE node SET parent = id + 1", NULL,
				     NULL, NULL),
			SQLITE_CONSTRAINT_CHECK);
	CU_ASSERT_EQUAL(sqlite3_exec(store->db.db,
				     "INSERT INTO node(kind, name) VALUES"
				     "('path', 'adsl0')",
				     NULL, NULL, NULL),
			SQLITE_CONSTRAINT_UNIQUE);
	CU_ASSERT_EQUAL(sqlite3_exec(store->db.db,
				     "UPDATE setting SET chosen = 'x'", NULL,
				     NULL, NULL),
			SQLITE_CONSTRAINT_DATATYPE);
}

/* --- revisions ---------------------------------------------------------- */

TEST(store, a_change_from_an_old_revision_is_stale)
{
	SITE(site);
	AUTO(store) struct store *store = open_locked(site.file);
	AUTO(tree) struct tree *mine = sample_tree();
	AUTO(tree) struct tree *theirs = NULL;
	AUTO_ERR err = ERR_NONE;
	struct owned none = OWNED_NONE;
	uint64_t revision;

	commit(store, mine, 0);
	theirs = load(store);
	set(at_path(theirs, "/paths/adsl0"), "up", "1mbit");
	commit(store, theirs, 1);
	set(at_path(mine, "/paths/adsl0"), "up", "2mbit");
	CU_ASSERT_EQUAL(store_commit(store, mine, 1, &none, &stamp, &revision,
				     &err),
			-ESTALE);
	CU_ASSERT(contains(err.text, "it is at revision 2, this change began "
				     "at 1"));
	CU_ASSERT_TRUE(tree_is_dirty(mine));
}

static void apply_inverse(sqlite3 *db, int64_t number)
{
	sqlite3_stmt *at = NULL;
	void *inverse = NULL;
	int size = 0;

	sqlite3_prepare_v2(db,
			   "SELECT changeset FROM revision WHERE number = ?1",
			   -1, &at, NULL);
	sqlite3_bind_int64(at, 1, number);
	MUST(sqlite3_step(at) == SQLITE_ROW);
	CU_ASSERT(sqlite3_column_bytes(at, 0) > 0);
	CU_ASSERT_EQUAL(sqlite3changeset_invert(sqlite3_column_bytes(at, 0),
						sqlite3_column_blob(at, 0),
						&size, &inverse),
			SQLITE_OK);
	sqlite3_finalize(at);
	CU_ASSERT_EQUAL(sqlite3changeset_apply(db, size, inverse, NULL, NULL,
					       NULL),
			SQLITE_OK);
	sqlite3_free(inverse);
}

TEST(store, a_changeset_undoes_its_revision)
{
	SITE(site);
	AUTO(store) struct store *store = open_locked(site.file);
	AUTO(tree) struct tree *tree = sample_tree();
	AUTO(tree) struct tree *back = NULL;
	AUTO(str) char *before = NULL, *after = NULL;

	commit(store, tree, 0);
	before = dump(tree, true);
	node_delete(at_path(tree, "/classes/uplink"));
	set(at_path(tree, "/paths/adsl0"), "up", "3mbit");
	set(make(tree_paths(tree), "new"), "device", "n0");
	commit(store, tree, 1);
	apply_inverse(store->db.db, 2);
	back = load(store);
	after = dump(back, true);
	ASSERT_TEXT(after, before);
	assert_sound(&site);
}

struct heard {
	struct text text;
	int stop_at, seen;
};

static int hear(const struct revision *revision, void *arg)
{
	struct heard *heard = arg;

	CU_ASSERT(revision->at_us > INT64_C(1500000000000000));
	if (heard->seen < 3)
		text_printf(&heard->text, "%llu %s %s %zu\n",
			    (unsigned long long)revision->number,
			    revision->actor,
			    revision->reason ? revision->reason : "-",
			    revision->changes);
	return ++heard->seen == heard->stop_at;
}

TEST(store, history_is_told_newest_first_until_somebody_has_enough)
{
	SITE(site);
	AUTO(store) struct store *store = open_locked(site.file);
	AUTO(tree) struct tree *tree = sample_tree();
	struct owned none = OWNED_NONE;
	struct stamp quiet = { .actor = "root" };
	struct heard heard = { .stop_at = 0 };
	char up[16];
	uint64_t revision = 0;

	for (int i = 0; i < 150; i++) {
		snprintf(up, sizeof(up), "%dkbit", i + 1);
		set(at_path(tree, "/paths/adsl0"), "up", up);
		CU_ASSERT_EQUAL(store_commit(store, tree, revision, &none,
					     i == 148 ? &quiet : &stamp,
					     &revision, NULL),
				0);
	}
	CU_ASSERT_EQUAL(store_history(store, hear, &heard, NULL), 0);
	ASSERT_TEXT(text_get(&heard.text), "150 tester (uid 0) because 1\n"
					   "149 root - 1\n"
					   "148 tester (uid 0) because 1\n");
	CU_ASSERT_EQUAL(heard.seen, 150);
	text_clear(&heard.text);
	heard = (struct heard){ .stop_at = 70 };
	CU_ASSERT_EQUAL(store_history(store, hear, &heard, NULL), 0);
	CU_ASSERT_EQUAL(heard.seen, 70);
	text_clear(&heard.text);
}

/* --- what is ours, and the journal -------------------------------------- */

TEST(store, arming_adds_claims_and_ending_keeps_exactly_what_is_said)
{
	SITE(site);
	AUTO(store) struct store *store = open_locked(site.file);
	AUTO(str) char *steps = NULL;
	struct owned claims = OWNED_NONE, back = OWNED_NONE;
	bool armed = true;

	CU_ASSERT_EQUAL(store_armed(store, &armed, &steps, NULL), 0);
	CU_ASSERT_FALSE(armed);
	owned_add(&claims, "tc", "b", NULL, 0);
	owned_add(&claims, "tc", "a", "x\0y", 3);
	owned_add(&claims, "mark", "table", NULL, 0);
	CU_ASSERT_EQUAL(store_disarm(store, &claims, NULL), 0);
	owned_clear(&claims);
	owned_add(&claims, "route", "rule", NULL, 0);
	CU_ASSERT_EQUAL(store_arm(store, &claims, "+ rule\n", NULL), 0);
	CU_ASSERT_EQUAL(store_armed(store, &armed, &steps, NULL), 0);
	CU_ASSERT_TRUE(armed);
	ASSERT_TEXT(steps, "+ rule\n");
	CU_ASSERT_EQUAL(store_load_owned(store, &back, NULL), 0);
	CU_ASSERT_EQUAL(back.count, 4);
	CU_ASSERT_EQUAL(store_arm(store, &claims, "again", NULL), -EBUSY);
	owned_remove(&back, "tc", "b");
	owned_remove(&back, "mark", "table");
	owned_add(&back, "tc", "a", "x\0z!", 4);
	owned_clear(&claims);
	owned_copy(&claims, &back);
	CU_ASSERT_EQUAL(store_disarm(store, &claims, NULL), 0);
	CU_ASSERT_EQUAL(store_load_owned(store, &back, NULL), 0);
	CU_ASSERT_EQUAL(back.count, 2);
	MUST(owned_find(&back, "tc", "a")->saved_size == 4);
	CU_ASSERT_EQUAL(memcmp(owned_find(&back, "tc", "a")->saved, "x\0z!", 4),
			0);
	CU_ASSERT_PTR_NULL(owned_find(&back, "route", "rule")->saved);
	owned_clear(&claims);
	owned_clear(&back);
}

/* --- opening ------------------------------------------------------------ */

TEST(store, a_store_that_is_not_there_reads_as_empty_and_is_not_made)
{
	SITE(site);
	AUTO(str) char *deep = mem_printf("%s/a/b/tresse.db", site.dir);
	AUTO(store) struct store *reader = open_or_die(deep, STORE_READ);
	AUTO(tree) struct tree *empty = load(reader);
	AUTO(tree) struct tree *later = NULL;
	AUTO(tree) struct tree *tree = sample_tree();
	AUTO(store) struct store *writer = NULL;
	struct owned none = OWNED_NONE;
	struct heard heard = { .stop_at = 0 };
	uint64_t revision = 9;
	bool armed = true;
	struct stat at;

	CU_ASSERT_EQUAL(store_revision(reader, &revision, NULL), 0);
	CU_ASSERT_EQUAL(revision, 0);
	CU_ASSERT_EQUAL(store_load_owned(reader, &none, NULL), 0);
	CU_ASSERT_EQUAL(store_armed(reader, &armed, NULL, NULL), 0);
	CU_ASSERT_FALSE(armed);
	CU_ASSERT_EQUAL(store_history(reader, hear, &heard, NULL), 0);
	CU_ASSERT_EQUAL(heard.seen, 0);
	CU_ASSERT_EQUAL(node_count(tree_paths(empty)), 0);
	CU_ASSERT_EQUAL(access(deep, F_OK), -1);
	/* A shell that was open before the first change sees it. */
	writer = open_locked(deep);
	commit(writer, tree, 0);
	later = load(reader);
	assert_same(later, tree);
	CU_ASSERT_EQUAL(stat(deep, &at), 0);
}

static mode_t mode_of(const char *format, const char *path)
{
	AUTO(str) char *full = mem_printf("%s%s", path, format);
	struct stat at = { 0 };

	CU_ASSERT_EQUAL(stat(full, &at), 0);
	return at.st_mode & 07777;
}

TEST(store, files_have_their_modes_whatever_the_umask_is)
{
	SITE(site);
	AUTO(str) char *dir = mem_printf("%s/a/b", site.dir);
	AUTO(str) char *file = mem_printf("%s/tresse.db", dir);
	mode_t old = umask(077);
	AUTO(store) struct store *store = open_locked(file);

	CU_ASSERT_EQUAL(store_secret_set(store, 1, "key", "k", 1, NULL), 0);
	umask(old);
	CU_ASSERT_EQUAL(mode_of("", dir), 0755);
	CU_ASSERT_EQUAL(mode_of("/..", dir), 0755);
	CU_ASSERT_EQUAL(mode_of("", file), 0644);
	CU_ASSERT_EQUAL(mode_of("-lock", file), 0644);
	CU_ASSERT_EQUAL(mode_of("-journal", file), 0644);
	CU_ASSERT_EQUAL(mode_of("-secrets", file), 0600);
	CU_ASSERT_EQUAL(mode_of("-secrets-journal", file), 0600);
}

TEST(store, opening_a_good_store_changes_no_byte_of_it)
{
	SITE(site);
	uint64_t before;

	fill(&site);
	before = fingerprint(&site);
	store_free(open_or_die(site.file, STORE_READ));
	store_free(open_or_die(site.file, STORE_WRITE));
	CU_ASSERT_EQUAL(fingerprint(&site), before);
}

/* Both ways of opening fail with this code and words, and nothing changes. */
static void assert_refused(const struct site *site, int code, const char *words)
{
	uint64_t before = fingerprint(site);

	for (int mode = STORE_READ; mode <= STORE_WRITE; mode++) {
		AUTO_ERR err = ERR_NONE;
		AUTO(store)
		struct store *store =
			store_open(site->file, (enum store_mode)mode, &err);

		CU_ASSERT_PTR_NULL(store);
		if (err.code != code)
			fprintf(stderr, "code %d: %s\n", err.code, err.text);
		CU_ASSERT_EQUAL(err.code, code);
		CU_ASSERT(contains(err.text, words));
		CU_ASSERT(contains(err.text, site->file));
	}
	CU_ASSERT_EQUAL(fingerprint(site), before);
}

TEST(store, a_newer_store_is_left_alone)
{
	SITE(site);

	fill(&site);
	by_hand(site.file, "PRAGMA user_version = 7");
	assert_refused(&site, -ENOTSUP,
		       "was written by a newer Tresse (schema 7; this one "
		       "knows 4): upgrade, or use another --store");
	by_hand(site.file, "PRAGMA journal_mode = WAL");
	assert_refused(&site, -ENOTSUP, "newer Tresse");
}

TEST(store, files_of_others_are_left_alone)
{
	SITE(site);
	char zeros[4096] = { 0 };

	write_file(site.file, "port = 80\n", 10);
	assert_refused(&site, -EMEDIUMTYPE, "not a store of Tresse");
	write_file(site.file, zeros, sizeof(zeros));
	assert_refused(&site, -EMEDIUMTYPE, "not a store of Tresse");
	unlink(site.file);
	by_hand(site.file, "CREATE TABLE moz_places(id); "
			   "PRAGMA journal_mode = WAL;"
			   "INSERT INTO moz_places VALUES(1)");
	assert_refused(&site, -EMEDIUMTYPE, "another program's database");
	unlink(site.file);
	mkdir(site.file, 0755);
	assert_refused(&site, -EMEDIUMTYPE, "no plain file");
	rmdir(site.file);
	mkfifo(site.file, 0644);
	assert_refused(&site, -EMEDIUMTYPE, "no plain file");
}

static void overwrite(const char *file, long offset, size_t size, int byte)
{
	int fd = open(file, O_RDWR | O_CLOEXEC);

	for (size_t i = 0; i < size; i++)
		CU_ASSERT_EQUAL(pwrite(fd, &byte, 1, offset + (long)i), 1);
	close(fd);
}

TEST(store, a_damaged_store_is_found_before_it_is_written)
{
	SITE(site);
	AUTO_ERR err = ERR_NONE;
	uint64_t before;

	fill(&site);
	overwrite(site.file, 4096, 16384, 0x55);
	before = fingerprint(&site);
	CU_ASSERT_PTR_NULL(store_open(site.file, STORE_WRITE, &err));
	CU_ASSERT_EQUAL(err.code, -EBADMSG);
	CU_ASSERT(contains(err.text, "is damaged"));
	CU_ASSERT_EQUAL(fingerprint(&site), before);
}

TEST(store, whatever_byte_is_damaged_reading_ends_in_a_tree_or_a_sentence)
{
	SITE(site);
	struct stat at;
	unsigned seed = 1;

	fill(&site);
	CU_ASSERT_EQUAL(stat(site.file, &at), 0);
	for (int i = 0; i < 300; i++) {
		AUTO_ERR err = ERR_NONE;
		AUTO(store) struct store *store = NULL;
		AUTO(tree) struct tree *tree = NULL;

		overwrite(site.file, rand_r(&seed) % at.st_size, 1,
			  rand_r(&seed));
		store = store_open(site.file, STORE_READ, &err);
		if (store)
			store_load(store, &tree, &err);
		CU_ASSERT(tree ? !err.text : err.text != NULL);
		CU_ASSERT(tree ? !err.code : err.code < 0);
	}
}

TEST(store, a_truncated_store_is_damaged)
{
	SITE(site);
	AUTO_ERR err = ERR_NONE;

	fill(&site);
	CU_ASSERT_EQUAL(truncate(site.file, 8192), 0);
	CU_ASSERT_PTR_NULL(store_open(site.file, STORE_WRITE, &err));
	CU_ASSERT_EQUAL(err.code, -EBADMSG);
	CU_ASSERT(contains(err.text, "put a copy of it back"));
}

static void assert_not_loaded(const struct site *site, const char *words)
{
	AUTO(store) struct store *store = open_or_die(site->file, STORE_READ);
	AUTO_ERR err = ERR_NONE;
	struct tree *tree = NULL;

	CU_ASSERT_EQUAL(store_load(store, &tree, &err), -EBADMSG);
	CU_ASSERT_PTR_NULL(tree);
	CU_ASSERT(contains(err.text, words));
	CU_ASSERT(contains(err.text, site->file));
	/* Without somebody to tell, it fails just as well. */
	CU_ASSERT_EQUAL(store_load(store, &tree, NULL), -EBADMSG);
}

TEST(store, rows_written_by_hand_are_named_and_not_loaded)
{
	static const struct {
		const char *sql, *words;
	} rows[] = {
		{ "UPDATE setting SET value = '12 parsecs' WHERE name = 'up'",
		  "/paths/adsl0: up: " },
		{ "UPDATE setting SET name = 'spped' WHERE name = 'up'",
		  "/paths/adsl0: a path has no setting `spped`" },
		{ "UPDATE setting SET name = 'state' WHERE name = 'up'",
		  "/paths/adsl0: a path has no setting `state`" },
		{ "UPDATE setting SET value = CAST(x'610062' AS TEXT)"
		  " WHERE name = 'description'",
		  "/paths/adsl0: description: a zero byte" },
		{ "UPDATE node SET kind = 'spline' WHERE name = 'lte0'",
		  "node 2, lte0: /: there is no kind of object `spline`" },
		{ "UPDATE node SET kind = 'match' WHERE name = 'lte0'",
		  "node 2, lte0: / cannot hold a match" },
		{ "UPDATE node SET kind = 'root' WHERE name = 'lte0'",
		  "node 2, lte0: / cannot hold a root" },
		{ "UPDATE node SET name = 'sys' WHERE name = 'system'",
		  "/ cannot hold a system" },
		{ "UPDATE node SET name = 'a b' WHERE name = 'lte0'",
		  "node 2, a b: /paths: " },
		{ "PRAGMA ignore_check_constraints = 1; "
		  "UPDATE node SET parent = 77 WHERE name = 'voice'",
		  "has no parent" },
		{ "INSERT INTO setting VALUES(99, 'up', '1mbit', 0)",
		  "setting `up` of node 99, which is not there" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		SITE(site);

		fill(&site);
		by_hand(site.file, rows[i].sql);
		assert_not_loaded(&site, rows[i].words);
	}
}

TEST(store, a_missing_table_is_damage)
{
	SITE(site);

	fill(&site);
	by_hand(site.file, "DROP TABLE ref; DROP TABLE setting");
	assert_not_loaded(&site, "is damaged (no such table: setting)");
}

TEST(store, wal_by_hand_is_undone_by_the_next_writer)
{
	SITE(site);
	AUTO_ERR err = ERR_NONE;

	fill(&site);
	by_hand(site.file, "PRAGMA journal_mode = WAL");
	CU_ASSERT_PTR_NULL(store_open(site.file, STORE_READ, &err));
	CU_ASSERT(contains(err.text, "was switched to WAL by hand"));
	store_free(open_or_die(site.file, STORE_WRITE));
	CU_ASSERT_EQUAL(revision_of(&site), 1);
}

TEST(store, two_names_of_a_store_lead_to_one_lock)
{
	SITE(site);
	AUTO(str) char *link = mem_printf("%s/alias.db", site.dir);
	AUTO(store) struct store *store = NULL;
	AUTO(store) struct store *alias = NULL;

	fill(&site);
	store = open_locked(site.file);
	CU_ASSERT_EQUAL(symlink(site.file, link), 0);
	alias = open_or_die(link, STORE_WRITE);
	CU_ASSERT_EQUAL(store_lock(alias, "x", 0, NULL, NULL), -EBUSY);
	ASSERT_TEXT(store_file(alias), link);
}

TEST(store, a_reader_notices_that_the_file_was_replaced)
{
	SITE(site);
	SITE(other);
	AUTO(store) struct store *reader = NULL;
	uint64_t revision = 0;

	fill(&site);
	reader = open_or_die(site.file, STORE_READ);
	CU_ASSERT_EQUAL(store_revision(reader, &revision, NULL), 0);
	CU_ASSERT_EQUAL(revision, 1);
	store_free(open_or_die(other.file, STORE_WRITE));
	CU_ASSERT_EQUAL(rename(other.file, site.file), 0);
	CU_ASSERT_EQUAL(store_revision(reader, &revision, NULL), 0);
	CU_ASSERT_EQUAL(revision, 0);
}

/* --- in another process ------------------------------------------------- */

/* Ends the child with _exit(), so that CUnit counts once. */
static int in_child(void (*run)(const struct site *site),
		    const struct site *site)
{
	unsigned failures = CU_get_number_of_failures();
	pid_t child = fork();
	int status = 0;

	if (child == 0) {
		run(site);
		_exit(CU_get_number_of_failures() > failures ? 1 : 0);
	}
	CU_ASSERT_EQUAL(waitpid(child, &status, 0), child);
	return status;
}

/* As root, as somebody else; as somebody else, as oneself: the directory and
 * the file are made read-only for that. */
static void lose_rights(void)
{
	if (geteuid() == 0)
		CU_ASSERT_EQUAL(seteuid(NOBODY), 0);
}

static void close_to_writers(const struct site *site)
{
	chmod(site->file, 0444);
	chmod(site->dir, 0555);
}

static void read_as_nobody(const struct site *site)
{
	AUTO_ERR err = ERR_NONE;
	AUTO(store) struct store *store = NULL;
	AUTO(tree) struct tree *tree = NULL;
	void *secret;
	size_t size;

	lose_rights();
	store = open_or_die(site->file, STORE_READ);
	tree = load(store);
	CU_ASSERT_EQUAL(node_count(tree_paths(tree)), 2);
	CU_ASSERT_PTR_NULL(store_open(site->file, STORE_WRITE, &err));
	CU_ASSERT_EQUAL(err.code, -EACCES);
	CU_ASSERT(contains(err.text, "no permission to write"));
	if (getuid() != geteuid()) {
		CU_ASSERT_EQUAL(store_secret_get(store, 1, "key", &secret,
						 &size, &err),
				-EACCES);
		CU_ASSERT(contains(err.text, "tresse.db-secrets"));
	}
}

TEST(store, somebody_without_rights_can_read_all_but_secrets)
{
	SITE(site);
	uint64_t before;

	fill(&site);
	{
		AUTO(store) struct store *store = open_locked(site.file);

		CU_ASSERT_EQUAL(store_secret_set(store, 1, "key", "s", 1, NULL),
				0);
	}
	close_to_writers(&site);
	before = fingerprint(&site);
	CU_ASSERT_EQUAL(in_child(read_as_nobody, &site), 0);
	CU_ASSERT_EQUAL(fingerprint(&site), before);
}

static void refused_as_nobody(const struct site *site)
{
	AUTO_ERR err = ERR_NONE;
	AUTO(str) char *other = mem_printf("%s/sub/tresse.db", site->dir);

	lose_rights();
	CU_ASSERT_PTR_NULL(store_open(other, STORE_WRITE, &err));
	CU_ASSERT_EQUAL(err.code, -EACCES);
	CU_ASSERT(contains(err.text, "no permission to create"));
	CU_ASSERT_PTR_NULL(store_open(site->file, STORE_READ, &err));
	CU_ASSERT_EQUAL(err.code, -EACCES);
	CU_ASSERT(contains(err.text, "no permission to"));
}

TEST(store, no_permission_is_said_as_such)
{
	SITE(site);

	fill(&site);
	chmod(site.file, 0);
	chmod(site.dir, 0555);
	CU_ASSERT_EQUAL(in_child(refused_as_nobody, &site), 0);
}

/* Dies with its pages half written, as in the middle of a commit: SQLite
 * flushes what does not fit into a small cache, when it is let. */
static void die_half_done(const struct site *site)
{
	struct store *store = open_locked(site->file);

	sqlite3_exec(store->db.db,
		     "PRAGMA cache_spill = ON; PRAGMA cache_size = 2;"
		     "BEGIN IMMEDIATE;"
		     "CREATE TABLE big(x);"
		     "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1"
		     " FROM n WHERE i < 300)"
		     " INSERT INTO big SELECT zeroblob(2000) FROM n;"
		     "UPDATE setting SET value = 'torn'",
		     NULL, NULL, NULL);
	raise(SIGKILL);
}

static void see_half_done(const struct site *site)
{
	AUTO_ERR err = ERR_NONE;

	lose_rights();
	CU_ASSERT_PTR_NULL(store_open(site->file, STORE_READ, &err));
	CU_ASSERT_EQUAL(err.code, -EACCES);
	CU_ASSERT(contains(err.text, "a writer died in the middle"));
}

TEST(store, a_torn_write_is_undone_by_a_reader_with_the_rights_and_told_else)
{
	SITE(site);
	AUTO(store) struct store *store = NULL;
	AUTO(tree) struct tree *tree = NULL;
	uint64_t before;

	fill(&site);
	in_child(die_half_done, &site);
	close_to_writers(&site);
	before = fingerprint(&site);
	CU_ASSERT_EQUAL(in_child(see_half_done, &site), 0);
	CU_ASSERT_EQUAL(fingerprint(&site), before);
	chmod(site.dir, 0755);
	chmod(site.file, 0644);
	store = open_or_die(site.file, STORE_READ);
	tree = load(store);
	ASSERT_TEXT(node_text(at_path(tree, "/paths/adsl0"), PATH_DEVICE),
		    "wan0");
	assert_sound(&site);
}

/* --- a full disk -------------------------------------------------------- */

static void add_many(struct tree *tree, int count)
{
	char name[16];

	for (int i = 0; i < count; i++) {
		struct node *node;

		snprintf(name, sizeof(name), "p%d", i);
		node = make(tree_paths(tree), name);
		set(node, "device", "wan0");
		set(node, "up", "5mbit");
		set(node, "down", "50mbit");
		set(node, "metric", "300");
		set(node, "description", "one of many");
		choose(node, PATH_TABLE, "20007");
	}
}

static void assert_full(struct store *store, struct tree *tree)
{
	AUTO_ERR err = ERR_NONE;
	struct owned none = OWNED_NONE;
	uint64_t revision = 0;

	CU_ASSERT_EQUAL(store_commit(store, tree, 1, &none, &stamp, &revision,
				     &err),
			-ENOSPC);
	CU_ASSERT(contains(err.text, "no space left"));
	CU_ASSERT_TRUE(tree_is_dirty(tree));
	CU_ASSERT_EQUAL(node_id(at_path(tree, "/paths/p0")), 0);
	CU_ASSERT_EQUAL(node_dirt(at_path(tree, "/paths/p0")), DIRT_NEW);
}

TEST(store, a_full_disk_leaves_the_old_state_and_room_heals_it)
{
	SITE(site);
	AUTO(store) struct store *store = NULL;
	AUTO(tree) struct tree *tree = NULL;
	AUTO(tree) struct tree *back = NULL;

	fill(&site);
	store = open_locked(site.file);
	tree = load(store);
	add_many(tree, 300);
	CU_ASSERT(ask(store->db.db, "PRAGMA max_page_count = 20") > 0);
	assert_full(store, tree);
	CU_ASSERT_EQUAL(revision_of(&site), 1);
	ask(store->db.db, "PRAGMA max_page_count = 100000");
	CU_ASSERT_EQUAL(commit(store, tree, 1), 2);
	back = load(store);
	assert_same(back, tree);
	assert_sound(&site);
}

/* The limit is on the size of any file: the write itself fails, in the journal
 * or while the pages are written after it. */
static void commit_with_small_files(const struct site *site)
{
	AUTO(store) struct store *store = open_locked(site->file);
	AUTO(tree) struct tree *tree = load(store);
	struct rlimit limit = { 100000, 100000 };

	add_many(tree, 300);
	signal(SIGXFSZ, SIG_IGN);
	CU_ASSERT_EQUAL(setrlimit(RLIMIT_FSIZE, &limit), 0);
	assert_full(store, tree);
}

TEST(store, a_write_that_fails_in_the_middle_is_rolled_back)
{
	SITE(site);

	fill(&site);
	CU_ASSERT_EQUAL(in_child(commit_with_small_files, &site), 0);
	CU_ASSERT_EQUAL(revision_of(&site), 1);
	assert_sound(&site);
}

static void map_id(const char *file, unsigned id)
{
	AUTO(str) char *line = mem_printf("%u %u 1", id, id);

	write_file(file, line, strlen(line));
}

/* A disk of its own, where this system lets an ordinary process have one. */
static bool mount_small_disk(const struct site *site)
{
	unsigned user = getuid(), group = getgid();

	if (unshare(CLONE_NEWNS | (user ? CLONE_NEWUSER : 0)) < 0)
		return false;
	if (user) {
		write_file("/proc/self/setgroups", "deny", 4);
		map_id("/proc/self/uid_map", user);
		map_id("/proc/self/gid_map", group);
	}
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return false;
	return mount("small", site->dir, "tmpfs", 0, "size=160k") == 0;
}

static void use_small_disk(const struct site *site)
{
	AUTO_ERR err = ERR_NONE;

	if (!mount_small_disk(site))
		return;
	fill(site);
	{
		AUTO(store) struct store *store = open_locked(site->file);
		AUTO(tree) struct tree *tree = load(store);

		add_many(tree, 300);
		assert_full(store, tree);
	}
	CU_ASSERT_EQUAL(revision_of(site), 1);
	assert_sound(site);
	CU_ASSERT_EQUAL(
		mount(NULL, site->dir, NULL, MS_REMOUNT | MS_RDONLY, NULL), 0);
	CU_ASSERT_EQUAL(revision_of(site), 1);
	CU_ASSERT_PTR_NULL(store_open(site->file, STORE_WRITE, &err));
	CU_ASSERT_EQUAL(err.code, -EROFS);
	CU_ASSERT(contains(err.text, "read-only file system: remount it"));
}

TEST(store, a_disk_that_is_full_or_read_only_is_said_as_such)
{
	SITE(site);

	CU_ASSERT_EQUAL(in_child(use_small_disk, &site), 0);
}

/* --- others at the file itself ------------------------------------------ */

TEST(store, a_program_that_reads_on_and_on_is_waited_for_then_named)
{
	SITE(site);
	AUTO(store) struct store *store = NULL;
	AUTO(tree) struct tree *tree = NULL;
	AUTO_ERR err = ERR_NONE;
	struct owned none = OWNED_NONE;
	uint64_t revision = 0;
	sqlite3 *other = NULL;

	fill(&site);
	store = open_locked(site.file);
	tree = load(store);
	add_many(tree, 10);
	CU_ASSERT_EQUAL(sqlite3_open(site.file, &other), SQLITE_OK);
	sqlite3_exec(other, "BEGIN; SELECT * FROM node", NULL, NULL, NULL);
	sqlite3_busy_timeout(store->db.db, 20);
	CU_ASSERT_EQUAL(store_commit(store, tree, 1, &none, &stamp, &revision,
				     &err),
			-EBUSY);
	CU_ASSERT(contains(err.text, "held by another program"));
	CU_ASSERT_EQUAL(node_id(at_path(tree, "/paths/p0")), 0);
	sqlite3_close(other);
	CU_ASSERT_EQUAL(commit(store, tree, 1), 2);
}

/* --- the lock ----------------------------------------------------------- */

/* A child that holds the lock until it is killed; returns once it does. */
static pid_t hold_elsewhere(const struct site *site, const char *doing)
{
	int ready[2];
	char byte;
	pid_t child;

	MUST(pipe(ready) == 0);
	child = fork();
	if (child == 0) {
		struct store *store = open_or_die(site->file, STORE_WRITE);

		if (store_lock(store, doing, 0, NULL, NULL) == 0 &&
		    write(ready[1], "x", 1) == 1)
			pause();
		_exit(1);
	}
	close(ready[1]);
	CU_ASSERT_EQUAL(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	return child;
}

static void end(pid_t child)
{
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
}

static char told[256];

static void tell(const char *holder)
{
	snprintf(told, sizeof(told), "%s", holder);
}

TEST(store, who_waits_is_told_who_holds_the_lock)
{
	SITE(site);
	AUTO(store) struct store *store = NULL;
	AUTO_ERR err = ERR_NONE;
	AUTO(str) char *pid = NULL;
	pid_t child;

	fill(&site);
	child = hold_elsewhere(&site, "create /paths/x\033[2J");
	store = open_or_die(site.file, STORE_WRITE);
	pid = mem_printf("is being changed by pid %d, ", (int)child);
	told[0] = '\0';
	CU_ASSERT_EQUAL(store_lock(store, "x", 1200, tell, &err), -EBUSY);
	CU_ASSERT(contains(err.text, pid));
	CU_ASSERT(contains(err.text, ", since 20"));
	CU_ASSERT(contains(err.text, "create /paths/x [2J"));
	CU_ASSERT(contains(told, "create /paths/x"));
	end(child);
	CU_ASSERT_EQUAL(store_lock(store, "x", 0, tell, &err), 0);
	store_unlock(store);
	CU_ASSERT_EQUAL(store_lock(store, "x", 0, tell, &err), 0);
}

TEST(store, the_words_of_a_dead_holder_are_not_believed)
{
	SITE(site);
	AUTO(str) char *lock = mem_printf("%s-lock", site.file);
	AUTO(store) struct store *store = NULL;
	AUTO_ERR err = ERR_NONE;
	int fd;

	fill(&site);
	end(hold_elsewhere(&site, "long gone"));
	store = open_or_die(site.file, STORE_WRITE);
	/* Held by one who signs late. */
	fd = open(lock, O_RDWR | O_CLOEXEC);
	CU_ASSERT_EQUAL(flock(fd, LOCK_EX), 0);
	CU_ASSERT_EQUAL(ftruncate(fd, 0), 0);
	CU_ASSERT_EQUAL(store_lock(store, "x", 0, NULL, &err), -EBUSY);
	CU_ASSERT(contains(err.text, "changed by another tresse"));
	close(fd);
	CU_ASSERT_EQUAL(store_lock(store, "y", 0, NULL, &err), 0);
}

static const struct digest some_seal = { 17, 4 };

static bool is_sealed(struct store *store)
{
	struct digest seal;

	return store_seal(store, &seal) && digest_equal(seal, some_seal);
}

TEST(store, a_seal_is_kept_until_the_next_revision)
{
	SITE(site);
	AUTO(store) struct store *store = open_locked(site.file);
	AUTO(store) struct store *reader = NULL;
	AUTO(tree) struct tree *tree = sample_tree();

	CU_ASSERT_FALSE(is_sealed(store));
	commit(store, tree, 0);
	CU_ASSERT_FALSE(is_sealed(store));
	store_seal_put(store, some_seal);
	reader = open_or_die(site.file, STORE_READ);
	CU_ASSERT_TRUE(is_sealed(reader));
	set(at_path(tree, "/paths/lte0"), "metric", "77");
	commit(store, tree, 1);
	CU_ASSERT_FALSE(is_sealed(store));
	CU_ASSERT_FALSE(is_sealed(reader));
}

TEST(store, a_seal_is_none_for_what_was_edited_by_hand)
{
	SITE(site);
	AUTO(store) struct store *store = open_locked(site.file);
	AUTO(tree) struct tree *tree = sample_tree();
	sqlite3 *hand;

	commit(store, tree, 0);
	store_seal_put(store, some_seal);
	CU_ASSERT_TRUE(is_sealed(store));
	MUST(sqlite3_open(site.file, &hand) == SQLITE_OK);
	MUST(sqlite3_exec(hand, "UPDATE setting SET value = 'yes'", NULL, NULL,
			  NULL) == SQLITE_OK);
	sqlite3_close(hand);
	CU_ASSERT_FALSE(is_sealed(store));
}

TEST(store, a_torn_seal_is_none)
{
	SITE(site);
	AUTO(store) struct store *store = open_locked(site.file);
	AUTO(str) char *file = mem_printf("%s-seal", site.file);
	AUTO(tree) struct tree *tree = sample_tree();

	commit(store, tree, 0);
	for (off_t size = 0; size < 77; size++) {
		store_seal_put(store, some_seal);
		CU_ASSERT_TRUE(is_sealed(store));
		MUST(truncate(file, size) == 0);
		CU_ASSERT_FALSE(is_sealed(store));
	}
}

TEST(store, planted_links_are_not_followed)
{
	SITE(site);
	AUTO(str) char *victim = mem_printf("%s/victim", site.dir);
	AUTO(str) char *lock = mem_printf("%s-lock", site.file);
	AUTO(str) char *secrets = mem_printf("%s-secrets", site.file);
	AUTO(store) struct store *store = NULL;
	AUTO_ERR err = ERR_NONE;

	fill(&site);
	store = open_or_die(site.file, STORE_WRITE);
	write_file(victim, "precious", 8);
	unlink(lock);
	CU_ASSERT_EQUAL(symlink(victim, lock), 0);
	CU_ASSERT_EQUAL(store_lock(store, "x", 0, NULL, &err), -EPERM);
	unlink(lock);
	CU_ASSERT_EQUAL(link(victim, lock), 0);
	CU_ASSERT_EQUAL(store_lock(store, "x", 0, NULL, &err), -EPERM);
	CU_ASSERT(contains(err.text, "is a link or no plain file"));
	unlink(lock);
	CU_ASSERT_EQUAL(symlink(victim, secrets), 0);
	CU_ASSERT(store_secret_set(store, 1, "key", "k", 1, &err) < 0);
	unlink(secrets);
	CU_ASSERT_EQUAL(link(victim, secrets), 0);
	CU_ASSERT_EQUAL(store_secret_set(store, 1, "key", "k", 1, &err),
			-EPERM);
	unlink(secrets);
	write_file(secrets, "", 0);
	CU_ASSERT_EQUAL(store_secret_set(store, 1, "key", "k", 1, &err),
			-EPERM);
	CU_ASSERT(contains(err.text, "chmod 600"));
	CU_ASSERT_EQUAL(mode_of("", victim), 0644);
}

TEST(store, a_lock_whose_file_was_removed_is_not_taken_for_one)
{
	SITE(site);
	AUTO(str) char *lock = mem_printf("%s-lock", site.file);
	AUTO(store) struct store *store = open_locked(site.file);
	AUTO(store) struct store *other = open_or_die(site.file, STORE_WRITE);

	store_unlock(store);
	unlink(lock);
	CU_ASSERT_EQUAL(store_lock(store, "x", 0, NULL, NULL), 0);
	CU_ASSERT_EQUAL(store_lock(other, "x", 0, NULL, NULL), -EBUSY);
}

/* --- dying at any moment ------------------------------------------------ */

static void die_armed(const struct site *site)
{
	AUTO(store) struct store *store = open_locked(site->file);
	AUTO(tree) struct tree *tree = load(store);
	struct owned claims = OWNED_NONE;

	set(at_path(tree, "/paths/adsl0"), "up", "9mbit");
	owned_add(&claims, "tc", "qdisc wan0", NULL, 0);
	if (store_arm(store, &claims, "+ qdisc wan0\n", NULL) == 0)
		raise(SIGKILL);
	_exit(1);
}

TEST(store, a_crash_between_arm_and_commit_leaves_the_old_tree_and_the_steps)
{
	SITE(site);
	AUTO(store) struct store *store = NULL;
	AUTO(tree) struct tree *before = NULL;
	AUTO(tree) struct tree *after = NULL;
	AUTO(str) char *steps = NULL;
	struct owned owned = OWNED_NONE;
	bool armed = false;

	fill(&site);
	store = open_or_die(site.file, STORE_READ);
	before = load(store);
	CU_ASSERT_EQUAL(WTERMSIG(in_child(die_armed, &site)), SIGKILL);
	CU_ASSERT_EQUAL(store_armed(store, &armed, &steps, NULL), 0);
	CU_ASSERT_TRUE(armed);
	ASSERT_TEXT(steps, "+ qdisc wan0\n");
	after = load(store);
	assert_same(after, before);
	CU_ASSERT_EQUAL(store_load_owned(store, &owned, NULL), 0);
	CU_ASSERT_PTR_NOT_NULL(owned_find(&owned, "tc", "qdisc wan0"));
	owned_clear(&owned);
}

/* Revision n gives every path the metric n: a torn state shows. */
static void commit_for_ever(const struct site *site, int ready)
{
	AUTO(store) struct store *store = open_locked(site->file);
	AUTO(tree) struct tree *tree = load(store);
	struct owned claims = OWNED_NONE;
	uint64_t revision = 0;
	char metric[16];

	store_disarm(store, &claims, NULL);
	owned_add(&claims, "tc", "x", NULL, 0);
	for (store_revision(store, &revision, NULL);;) {
		snprintf(metric, sizeof(metric), "%u", (unsigned)revision + 1);
		node_each (path, tree_paths(tree))
			set(path, "metric", metric);
		if (store_arm(store, &claims, "x", NULL) < 0 ||
		    store_commit(store, tree, revision, &claims, &stamp,
				 &revision, NULL) < 0 ||
		    write(ready, "x", 1) != 1)
			_exit(1);
	}
}

static uint64_t metric_everywhere(struct store *store)
{
	AUTO(tree) struct tree *tree = load(store);
	uint64_t metric = node_u(node_first(tree_paths(tree)), PATH_METRIC);

	node_each (path, tree_paths(tree))
		CU_ASSERT_EQUAL(node_u(path, PATH_METRIC), metric);
	return metric;
}

/* At some moment after the child's first commit. */
static uint64_t kill_one(const struct site *site, unsigned after_us)
{
	AUTO(store) struct store *store = NULL;
	uint64_t revision = 0;
	int ready[2];
	char byte;
	pid_t child;

	MUST(pipe(ready) == 0);
	child = fork();
	if (child == 0)
		commit_for_ever(site, ready[1]);
	close(ready[1]);
	CU_ASSERT_EQUAL(read(ready[0], &byte, 1), 1);
	usleep(after_us);
	end(child);
	close(ready[0]);
	store = open_or_die(site->file, STORE_READ);
	CU_ASSERT_EQUAL(store_revision(store, &revision, NULL), 0);
	CU_ASSERT_EQUAL(metric_everywhere(store), revision);
	assert_sound(site);
	return revision;
}

TEST(store, kill_9_at_any_moment_leaves_one_whole_revision)
{
	SITE(site);
	unsigned seed = (unsigned)getpid();
	uint64_t last = 1, now;

	{
		AUTO(store) struct store *store = open_locked(site.file);
		AUTO(tree) struct tree *tree = tree_new();

		add_many(tree, 100);
		node_each (path, tree_paths(tree))
			set(path, "metric", "1");
		commit(store, tree, 0);
	}
	for (int i = 0; i < 50; i++) {
		now = kill_one(&site, (unsigned)rand_r(&seed) % 10000);
		CU_ASSERT(now > last);
		last = now;
	}
}

/* --- schemas ------------------------------------------------------------ */

static const char step_5[] = "ALTER TABLE node ADD COLUMN note TEXT;"
			     "UPDATE node SET note = 'converted';"
			     "PRAGMA user_version = 5;";
static const char step_6[] =
	"CREATE TABLE extra(id INTEGER PRIMARY KEY) STRICT;"
	"PRAGMA user_version = 6;";
static const char step_bad[] = "CREATE TABLE half(id INTEGER PRIMARY KEY);"
			       "UPDATE ref SET target = 12345;"
			       "PRAGMA user_version = 6;";

static struct schema later_schema(const char *steps[6], const char *sixth)
{
	for (int i = 0; i < 4; i++)
		steps[i] = store_schema.steps[i];
	steps[4] = step_5;
	steps[5] = sixth;
	return (struct schema){ .application_id = store_schema.application_id,
				.mode = 0644,
				.steps = steps,
				.version = sixth ? 6 : 5 };
}

TEST(store, an_older_schema_is_converted_after_a_copy_was_made)
{
	SITE(site);
	AUTO(str) char *copy = mem_printf("%s-v4", site.file);
	const char *steps[6];
	struct schema schema = later_schema(steps, step_6);
	AUTO(store) struct store *store = NULL;
	AUTO(store) struct store *old = NULL;
	AUTO(tree) struct tree *tree = NULL;
	AUTO(tree) struct tree *was = NULL;
	AUTO_ERR err = ERR_NONE;

	fill(&site);
	write_file(copy, "of an earlier attempt", 21);
	store = store_open_schema(site.file, STORE_WRITE, &schema, &err);
	MUST(store != NULL);
	CU_ASSERT_TRUE(store_was_converted(store));
	CU_ASSERT_EQUAL(ask(store->db.db, "PRAGMA user_version"), 6);
	CU_ASSERT_EQUAL(ask(store->db.db, "SELECT count(*) FROM node WHERE "
					  "note = 'converted'"),
			8);
	CU_ASSERT_EQUAL(ask(store->db.db, "PRAGMA foreign_keys"), 1);
	tree = load(store);
	old = open_or_die(copy, STORE_READ);
	was = load(old);
	assert_same(tree, was);
	CU_ASSERT_EQUAL(mode_of("", copy), 0644);
	CU_ASSERT_PTR_NULL(store_open(site.file, STORE_WRITE, &err));
	CU_ASSERT(contains(err.text, "newer Tresse (schema 6; this one knows "
				     "4)"));
	CU_ASSERT(contains(err.text, copy));
}

TEST(store, a_conversion_that_fails_takes_none_of_its_steps)
{
	SITE(site);
	const char *steps[6];
	struct schema schema = later_schema(steps, step_bad);
	AUTO(store) struct store *store = NULL;
	AUTO_ERR err = ERR_NONE;

	fill(&site);
	CU_ASSERT_PTR_NULL(
		store_open_schema(site.file, STORE_WRITE, &schema, &err));
	CU_ASSERT(contains(err.text, "a reference leads nowhere"));
	store = open_or_die(site.file, STORE_WRITE);
	CU_ASSERT_FALSE(store_was_converted(store));
	CU_ASSERT_EQUAL(ask(store->db.db, "PRAGMA user_version"), 4);
	CU_ASSERT_EQUAL(ask(store->db.db, "SELECT count(*) FROM sqlite_schema"
					  " WHERE name = 'half'"),
			0);
	assert_sound(&site);
}

static void read_older_as_nobody(const struct site *site)
{
	const char *steps[6];
	struct schema schema = later_schema(steps, step_6);
	AUTO_ERR err = ERR_NONE;
	AUTO(store) struct store *store = NULL;
	AUTO(tree) struct tree *tree = NULL;

	lose_rights();
	store = store_open_schema(site->file, STORE_READ, &schema, &err);
	MUST(store != NULL);
	tree = load(store);
	CU_ASSERT_EQUAL(node_count(tree_paths(tree)), 2);
	CU_ASSERT_EQUAL(ask(store->db.db, "SELECT count(*) FROM node WHERE "
					  "note = 'converted'"),
			8);
	CU_ASSERT_EQUAL(sqlite3_exec(store->db.db, "DELETE FROM node", NULL,
				     NULL, NULL),
			SQLITE_READONLY);
}

TEST(store, an_older_schema_is_read_as_if_converted_without_rights_or_a_trace)
{
	SITE(site);
	uint64_t before;

	fill(&site);
	close_to_writers(&site);
	before = fingerprint(&site);
	CU_ASSERT_EQUAL(in_child(read_older_as_nobody, &site), 0);
	CU_ASSERT_EQUAL(fingerprint(&site), before);
}

static uint64_t seen_by(struct store *store)
{
	uint64_t revision = 0;

	CU_ASSERT_EQUAL(store_revision(store, &revision, NULL), 0);
	return revision;
}

TEST(store, who_reads_an_older_schema_sees_what_is_written_and_converted)
{
	SITE(site);
	const char *steps[6];
	struct schema schema = later_schema(steps, step_6);
	AUTO(store) struct store *reader = NULL;
	AUTO(store) struct store *older = NULL;
	AUTO(tree) struct tree *tree = NULL;

	fill(&site);
	reader = store_open_schema(site.file, STORE_READ, &schema, NULL);
	MUST(reader != NULL);
	CU_ASSERT_EQUAL(seen_by(reader), 1);
	CU_ASSERT_PTR_NOT_NULL(reader->db.older);
	older = open_locked(site.file);
	tree = load(older);
	set(at_path(tree, "/paths/adsl0"), "up", "2mbit");
	CU_ASSERT_EQUAL(commit(older, tree, 1), 2);
	store_unlock(older);
	CU_ASSERT_EQUAL(seen_by(reader), 2);
	store_free(store_open_schema(site.file, STORE_WRITE, &schema, NULL));
	CU_ASSERT_EQUAL(seen_by(reader), 2);
	CU_ASSERT_PTR_NULL(reader->db.older);
}

TEST(store, who_reads_sees_an_older_store_that_was_copied_over_it)
{
	SITE(site);
	const char *steps[6];
	struct schema schema = later_schema(steps, step_6);
	AUTO(str) char *copy = mem_printf("%s-v4", site.file);
	AUTO(store) struct store *reader = NULL;
	sqlite3 *from, *to;
	uint64_t revision;

	fill(&site);
	store_free(store_open_schema(site.file, STORE_WRITE, &schema, NULL));
	reader = store_open_schema(site.file, STORE_READ, &schema, NULL);
	MUST(reader != NULL);
	CU_ASSERT_EQUAL(seen_by(reader), 1);
	sqlite3_open(copy, &from);
	sqlite3_open(site.file, &to);
	sqlite3_backup *backup = sqlite3_backup_init(to, "main", from, "main");

	CU_ASSERT_EQUAL(sqlite3_backup_step(backup, -1), SQLITE_DONE);
	sqlite3_backup_finish(backup);
	sqlite3_close(from);
	sqlite3_close(to);
	store_revision(reader, &revision, NULL);
	CU_ASSERT_EQUAL(seen_by(reader), 1);
	CU_ASSERT_PTR_NOT_NULL(reader->db.older);
}

static void convert_with_small_files(const struct site *site)
{
	const char *steps[6];
	struct schema schema = later_schema(steps, step_6);
	struct rlimit limit = { 8192, 8192 };
	AUTO_ERR err = ERR_NONE;

	signal(SIGXFSZ, SIG_IGN);
	CU_ASSERT_EQUAL(setrlimit(RLIMIT_FSIZE, &limit), 0);
	CU_ASSERT_PTR_NULL(
		store_open_schema(site->file, STORE_WRITE, &schema, &err));
	CU_ASSERT(contains(err.text, "no space left"));
}

TEST(store, a_full_disk_converts_nothing)
{
	SITE(site);
	AUTO(str) char *copy = mem_printf("%s-v4", site.file);
	const char *steps[6];
	struct schema schema = later_schema(steps, step_6);
	AUTO(store) struct store *store = NULL;

	fill(&site);
	CU_ASSERT_EQUAL(in_child(convert_with_small_files, &site), 0);
	CU_ASSERT_NOT_EQUAL(access(copy, F_OK), 0);
	store = store_open_schema(site.file, STORE_WRITE, &schema, NULL);
	CU_ASSERT_PTR_NOT_NULL(store);
	assert_sound(&site);
}

TEST(store, a_shell_that_is_too_old_meanwhile_writes_nothing)
{
	SITE(site);
	const char *steps[6];
	struct schema schema = later_schema(steps, step_6);
	AUTO(store) struct store *store = NULL;
	AUTO(tree) struct tree *tree = NULL;
	AUTO_ERR err = ERR_NONE;
	struct owned none = OWNED_NONE;
	uint64_t revision;

	fill(&site);
	store = open_or_die(site.file, STORE_WRITE);
	tree = load(store);
	set(at_path(tree, "/paths/adsl0"), "up", "2mbit");
	store_free(store_open_schema(site.file, STORE_WRITE, &schema, NULL));
	CU_ASSERT_EQUAL(store_commit(store, tree, 1, &none, &stamp, &revision,
				     &err),
			-ENOTSUP);
	CU_ASSERT(contains(err.text, "newer Tresse"));
}

TEST(store, many_may_create_it_at_the_same_moment)
{
	SITE(site);
	pid_t children[8];

	for (size_t i = 0; i < ARRAY_SIZE(children); i++) {
		children[i] = fork();
		if (children[i] == 0) {
			_exit(store_open(site.file, STORE_WRITE, NULL) ? 0 : 1);
		}
	}
	for (size_t i = 0; i < ARRAY_SIZE(children); i++) {
		int status = 1;

		waitpid(children[i], &status, 0);
		CU_ASSERT_EQUAL(status, 0);
	}
	assert_sound(&site);
	CU_ASSERT_EQUAL(revision_of(&site), 0);
}

/* --- secrets ------------------------------------------------------------ */

static bool file_has(const char *path, const char *bytes)
{
	char buffer[65536];
	FILE *file = fopen(path, "re");
	size_t size = file ? fread(buffer, 1, sizeof(buffer), file) : 0;

	if (file)
		fclose(file);
	return memmem(buffer, size, bytes, strlen(bytes)) != NULL;
}

TEST(store, a_secret_is_kept_apart_and_leaves_nothing_when_it_goes)
{
	SITE(site);
	AUTO(str) char *secrets = mem_printf("%s-secrets", site.file);
	AUTO(store) struct store *store = NULL;
	AUTO(str) char *value = NULL;
	size_t size = 9;

	fill(&site);
	store = open_locked(site.file);
	CU_ASSERT_EQUAL(store_secret_get(store, 3, "key", (void **)&value,
					 &size, NULL),
			0);
	CU_ASSERT_PTR_NULL(value);
	CU_ASSERT_EQUAL(access(secrets, F_OK), -1);
	CU_ASSERT_EQUAL(store_secret_set(store, 3, "key", "hunter2-hunter2", 15,
					 NULL),
			0);
	CU_ASSERT_EQUAL(store_secret_get(store, 3, "key", (void **)&value,
					 &size, NULL),
			0);
	MUST(size == 15);
	CU_ASSERT_EQUAL(memcmp(value, "hunter2-hunter2", 15), 0);
	CU_ASSERT_TRUE(file_has(secrets, "hunter2"));
	CU_ASSERT_FALSE(file_has(site.file, "hunter2"));
	CU_ASSERT_EQUAL(store_secret_set(store, 3, "key", "other", 5, NULL), 0);
	CU_ASSERT_FALSE(file_has(secrets, "hunter2"));
	CU_ASSERT_EQUAL(store_secret_set(store, 3, "key", NULL, 0, NULL), 0);
	CU_ASSERT_FALSE(file_has(secrets, "other"));
	free(TAKE(value));
	CU_ASSERT_EQUAL(store_secret_get(store, 3, "key", (void **)&value,
					 &size, NULL),
			0);
	CU_ASSERT_PTR_NULL(value);
}
