/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The transaction over a fake data plane: a few numbers by name, whose driver
 * can be told to fail at any step, or to say ok and do something else.
 */
#include <string.h>
#include <unistd.h>

#include "model/base/mem.h"
#include "model/txn.h"
#include "tests/unit/unit.h"

enum { MOST = 64 };

struct host {
	struct {
		char key[32];
		uint64_t value;
	} object[MOST];
	size_t count;
	size_t writes;
	int mtu;      /* of its only link; 0: there is none */
	int fail_at;  /* step that fails, counted over all writes; -1: none */
	int lie_at;   /* step that is answered with ok and not done */
	bool forever; /* what failed once fails always */
};

static size_t place_of(const struct host *host, const char *key)
{
	size_t i = 0;

	while (i < host->count && strcmp(host->object[i].key, key))
		i++;
	return i;
}

static void fake_want(const struct tree *tree, const struct facts *facts,
		      struct report *report, struct state *want);
static int fake_read(struct host *host, const struct tree *tree,
		     const struct facts *facts, const struct owned *owned,
		     struct state *now, struct err *err);
static void fake_plan(const struct state *now, const struct state *want,
		      const struct facts *facts, const struct owned *owned,
		      struct report *report, struct plan *plan,
		      struct owned *claims);
static int fake_apply(struct host *host, struct step *const *steps,
		      size_t count, size_t *failed, struct err *err);
static void fake_print(const struct object *object, struct text *out)
{
	text_put(out, object->key);
}

static const struct backend fake = { .name = "fake",
				     .summary = "numbers by name",
				     .want = fake_want,
				     .read = fake_read,
				     .plan = fake_plan,
				     .apply = fake_apply,
				     .print = fake_print };
static const struct backend *const fakes[] = { &fake, NULL };

static size_t wants; /* times it was asked */
static bool doubt;   /* it has one */

static void fake_want(const struct tree *tree, const struct facts *facts,
		      struct report *report, struct state *want)
{
	(void)facts;
	wants++;
	if (doubt)
		report_warning(report, NULL, "it may be so");
	node_each (path, tree_paths(tree)) {
		AUTO(str) char *name = node_path_dup(path);
		uint64_t value = node_u(path, PATH_UP);

		state_add(want, &fake, node_name(path), name, &value,
			  sizeof(value));
	}
}

static int fake_read(struct host *host, const struct tree *tree,
		     const struct facts *facts, const struct owned *owned,
		     struct state *now, struct err *err)
{
	(void)tree, (void)facts, (void)owned, (void)err;
	for (size_t i = 0; i < host->count; i++)
		state_add(now, &fake, host->object[i].key, "",
			  &host->object[i].value, sizeof(uint64_t));
	return 0;
}

static bool differs(const struct object *now, const struct object *want)
{
	return memcmp(now->data, want->data, now->size) != 0;
}

static void add(struct plan *plan, const struct object *want, void *arg)
{
	(void)arg;
	plan_add(plan, &fake, STEP_ADD, PHASE_BUILD, 0, EFFECT_HITLESS, NULL,
		 want);
}

static void change(struct plan *plan, const struct object *now,
		   const struct object *want, void *arg)
{
	(void)arg;
	plan_add(plan, &fake, STEP_CHANGE, PHASE_BUILD, 1, EFFECT_HITLESS, now,
		 want);
}

static void remove_it(struct plan *plan, const struct object *now, void *arg)
{
	(void)arg;
	plan_add(plan, &fake, STEP_DELETE, PHASE_CLEAN, 0, EFFECT_HITLESS, now,
		 NULL);
}

static void fake_plan(const struct state *now, const struct state *want,
		      const struct facts *facts, const struct owned *owned,
		      struct report *report, struct plan *plan,
		      struct owned *claims)
{
	static const struct diff diff = { differs, add, change, remove_it };

	(void)facts, (void)owned, (void)report;
	state_diff(now, want, &fake, &diff, plan, NULL);
	for (size_t i = 0; i < want->count; i++)
		owned_add(claims, "fake", want->items[i].key, "x", 1);
}

static void put(struct host *host, const char *key, uint64_t value)
{
	size_t place = place_of(host, key);

	if (place == host->count)
		snprintf(host->object[host->count++].key,
			 sizeof(host->object[0].key), "%s", key);
	host->object[place].value = value;
}

static void drop(struct host *host, const char *key)
{
	size_t place = place_of(host, key);

	if (place < host->count)
		host->object[place] = host->object[--host->count];
}

static int fake_apply(struct host *host, struct step *const *steps,
		      size_t count, size_t *failed, struct err *err)
{
	for (size_t i = 0; i < count; i++) {
		int at = (int)host->writes++;

		if (at == host->fail_at ||
		    (host->forever && host->fail_at >= 0 &&
		     at > host->fail_at)) {
			*failed = i;
			return err_set(err, EIO, "the fake fails here");
		}
		if (at == host->lie_at)
			continue;
		if (steps[i]->op == STEP_DELETE)
			drop(host, steps[i]->before->key);
		else
			put(host, steps[i]->after->key,
			    *(uint64_t *)steps[i]->after->data);
		steps[i]->done = true;
	}
	return 0;
}

static int no_facts(struct host *host, struct facts *facts, struct err *err)
{
	(void)host, (void)facts, (void)err;
	return 0;
}

static int one_link(struct host *host, struct facts *facts, struct err *err)
{
	(void)err;
	if (!host->mtu)
		return 0;
	facts->links = mem_grow(facts->links, facts->link_count,
				&facts->link_room, sizeof(*facts->links));
	facts->links[facts->link_count++] =
		(struct link_fact){ .name = "a", .mtu = (uint32_t)host->mtu };
	return 0;
}

/* A store of its own, with three paths in it and on the fake host. */
struct bench {
	char dir[32];
	char file[64];
	struct store *store;
	struct tree *tree;
	struct host host;
	struct txn txn;
	uint64_t base;
};

static void set(struct node *node, const char *name, const char *text)
{
	AUTO_ERR err = ERR_NONE;

	CU_ASSERT_EQUAL_FATAL(node_set_text(node, name, text, &err), 0);
}

static void add_path(struct tree *tree, const char *name, const char *up)
{
	struct node *path = node_create(tree_paths(tree), name, NULL);

	CU_ASSERT_PTR_NOT_NULL_FATAL(path);
	set(path, "device", name);
	set(path, "up", up);
}

static int run(struct bench *bench, struct outcome *outcome, struct err *err)
{
	int rc = txn_run(&bench->txn, bench->tree, bench->base, outcome, err);

	if (rc == 0)
		bench->base = outcome->revision;
	return rc;
}

static void bench_open(struct bench *bench)
{
	AUTO_ERR err = ERR_NONE;
	struct outcome outcome;

	*bench = (struct bench){ .dir = "/tmp/tresse-txn-XXXXXX",
				 .host = { .fail_at = -1, .lie_at = -1 } };
	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(bench->dir));
	snprintf(bench->file, sizeof(bench->file), "%s/db", bench->dir);
	bench->store = store_open(bench->file, STORE_WRITE, &err);
	CU_ASSERT_PTR_NOT_NULL_FATAL(bench->store);
	CU_ASSERT_EQUAL_FATAL(store_lock(bench->store, "a test", 0, NULL, &err),
			      0);
	bench->tree = tree_new();
	bench->txn = (struct txn){ .store = bench->store,
				   .host = &bench->host,
				   .backends = fakes,
				   .read_facts = no_facts,
				   .stamp = { .actor = "test" } };
	add_path(bench->tree, "a", "1mbit");
	add_path(bench->tree, "b", "2mbit");
	add_path(bench->tree, "c", "3mbit");
	CU_ASSERT_EQUAL_FATAL(run(bench, &outcome, &err), 0);
	outcome_clear(&outcome);
	bench->host.writes = 0;
}

static void bench_close(struct bench *bench)
{
	static const char *const tails[] = { "", "-lock", "-journal",
					     "-secrets", "-seal" };

	tree_free(bench->tree);
	store_free(bench->store);
	for (size_t i = 0; i < ARRAY_SIZE(tails); i++) {
		AUTO(str)
		char *file = mem_printf("%s%s", bench->file, tails[i]);
		unlink(file);
	}
	rmdir(bench->dir);
}

/* d is new, a changes, c goes: an add, a change and a delete. */
static void edit(struct bench *bench)
{
	add_path(bench->tree, "d", "4mbit");
	set(node_find(tree_paths(bench->tree), "a"), "up", "9mbit");
	node_delete(node_find(tree_paths(bench->tree), "c"));
}

static void reload(struct bench *bench)
{
	tree_free(bench->tree);
	bench->tree = NULL;
	CU_ASSERT_EQUAL_FATAL(store_load(bench->store, &bench->tree, NULL), 0);
}

static bool is_as_opened(const struct host *host)
{
	size_t a = place_of(host, "a"), b = place_of(host, "b"),
	       c = place_of(host, "c");

	return host->count == 3 && a < 3 && b < 3 && c < 3 &&
	       host->object[a].value == 1000000 &&
	       host->object[b].value == 2000000 &&
	       host->object[c].value == 3000000;
}

TEST(txn, a_change_is_applied_and_stored)
{
	struct bench bench;
	struct outcome outcome;
	AUTO_ERR err = ERR_NONE;

	bench_open(&bench);
	edit(&bench);
	CU_ASSERT_EQUAL(run(&bench, &outcome, &err), 0);
	CU_ASSERT_TRUE(outcome.stored);
	CU_ASSERT_EQUAL(outcome.plan.count, 3);
	CU_ASSERT_EQUAL(bench.host.count, 3);
	CU_ASSERT_EQUAL(bench.host.object[place_of(&bench.host, "a")].value,
			9000000);
	outcome_clear(&outcome);
	bench_close(&bench);
}

TEST(txn, the_same_again_writes_nothing)
{
	struct bench bench;
	struct outcome outcome;
	AUTO_ERR err = ERR_NONE;

	bench_open(&bench);
	CU_ASSERT_EQUAL(run(&bench, &outcome, &err), 0);
	CU_ASSERT_EQUAL(outcome.plan.count, 0);
	CU_ASSERT_FALSE(outcome.stored);
	CU_ASSERT_EQUAL(bench.host.writes, 0);
	outcome_clear(&outcome);
	bench_close(&bench);
}

/* How often the driver was asked what it wants, by one transaction more. */
static size_t wants_of_a_run(struct bench *bench)
{
	struct outcome outcome;
	AUTO_ERR err = ERR_NONE;

	wants = 0;
	CU_ASSERT_EQUAL(run(bench, &outcome, &err), 0);
	outcome_clear(&outcome);
	return wants;
}

TEST(txn, what_was_read_back_and_did_not_change_is_not_planned_again)
{
	struct bench bench;

	bench_open(&bench);
	CU_ASSERT_EQUAL(wants_of_a_run(&bench), 0);
	reload(&bench);
	CU_ASSERT_EQUAL(wants_of_a_run(&bench), 0);
	bench_close(&bench);
}

TEST(txn, what_somebody_else_changed_is_seen_and_put_right)
{
	struct bench bench;
	struct outcome outcome;
	AUTO_ERR err = ERR_NONE;

	bench_open(&bench);
	put(&bench.host, "b", 17);
	CU_ASSERT_EQUAL(run(&bench, &outcome, &err), 0);
	CU_ASSERT_EQUAL(outcome.plan.count, 1);
	CU_ASSERT_TRUE(is_as_opened(&bench.host));
	outcome_clear(&outcome);
	put(&bench.host, "z", 17);
	CU_ASSERT_EQUAL(run(&bench, &outcome, &err), 0);
	CU_ASSERT_EQUAL(outcome.plan.count, 1);
	CU_ASSERT_TRUE(is_as_opened(&bench.host));
	outcome_clear(&outcome);
	bench_close(&bench);
}

TEST(txn, a_host_that_is_another_is_planned_for_again_once)
{
	struct bench bench;

	bench_open(&bench);
	bench.txn.read_facts = one_link;
	bench.host.mtu = 1500;
	CU_ASSERT_EQUAL(wants_of_a_run(&bench), 1);
	CU_ASSERT_EQUAL(wants_of_a_run(&bench), 0);
	bench.host.mtu = 1400;
	CU_ASSERT_EQUAL(wants_of_a_run(&bench), 1);
	CU_ASSERT_EQUAL(wants_of_a_run(&bench), 0);
	bench_close(&bench);
}

TEST(txn, what_is_doubtful_is_looked_at_each_time)
{
	struct bench bench;

	bench_open(&bench);
	doubt = true;
	bench.txn.read_facts = one_link;
	bench.host.mtu = 1500;
	CU_ASSERT_EQUAL(wants_of_a_run(&bench), 1);
	CU_ASSERT_EQUAL(wants_of_a_run(&bench), 1);
	doubt = false;
	bench_close(&bench);
}

TEST(txn, a_failure_at_any_step_leaves_everything_as_it_was)
{
	for (int at = 0; at < 3; at++) {
		struct bench bench;
		struct outcome outcome;
		AUTO_ERR err = ERR_NONE;
		uint64_t revision = 0;
		bool armed = true;

		bench_open(&bench);
		edit(&bench);
		bench.host.fail_at = at;
		CU_ASSERT_EQUAL(run(&bench, &outcome, &err), -EIO);
		CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "the fake fails"));
		CU_ASSERT_PTR_NOT_NULL(outcome.failed_path);
		CU_ASSERT_TRUE(is_as_opened(&bench.host));
		store_revision(bench.store, &revision, NULL);
		CU_ASSERT_EQUAL(revision, bench.base);
		store_armed(bench.store, &armed, &(char *){ NULL }, NULL);
		CU_ASSERT_FALSE(armed);
		outcome_clear(&outcome);
		bench_close(&bench);
	}
}

TEST(txn, a_kernel_that_says_ok_and_does_nothing_is_found_out)
{
	for (int at = 0; at < 3; at++) {
		struct bench bench;
		struct outcome outcome;
		AUTO_ERR err = ERR_NONE;

		bench_open(&bench);
		edit(&bench);
		bench.host.lie_at = at;
		CU_ASSERT_EQUAL(run(&bench, &outcome, &err), -EREMOTEIO);
		CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "something else"));
		CU_ASSERT_TRUE(is_as_opened(&bench.host));
		outcome_clear(&outcome);
		bench_close(&bench);
	}
}

TEST(txn, what_cannot_be_put_back_is_said_and_put_back_at_the_next_start)
{
	struct bench bench;
	struct outcome outcome;
	AUTO_ERR err = ERR_NONE;
	bool recovered = false;

	bench_open(&bench);
	edit(&bench);
	bench.host.fail_at = 1;
	bench.host.forever = true;
	CU_ASSERT_EQUAL(run(&bench, &outcome, &err), -ENOTRECOVERABLE);
	CU_ASSERT_FALSE(is_as_opened(&bench.host));
	outcome_clear(&outcome);

	bench.host.fail_at = -1;
	bench.host.forever = false;
	CU_ASSERT_EQUAL(txn_recover(&bench.txn, &recovered, &err), 0);
	CU_ASSERT_TRUE(recovered);
	CU_ASSERT_TRUE(is_as_opened(&bench.host));
	CU_ASSERT_EQUAL(txn_recover(&bench.txn, &recovered, &err), 0);
	CU_ASSERT_FALSE(recovered);
	bench_close(&bench);
}

static bool is_of_c(const struct step *step, void *arg)
{
	const struct object *object = step->after ? step->after : step->before;

	(void)arg;
	return strstr(object->key, "c") != NULL;
}

TEST(txn, only_the_steps_that_are_picked_are_done_and_verified)
{
	struct bench bench;
	struct outcome outcome;
	AUTO_ERR err = ERR_NONE;

	bench_open(&bench);
	edit(&bench);
	bench.txn.picks = is_of_c;
	CU_ASSERT_EQUAL(run(&bench, &outcome, &err), 0);
	CU_ASSERT_EQUAL(outcome.plan.count, 1);
	CU_ASSERT_EQUAL(bench.host.writes, 1);
	CU_ASSERT_TRUE(outcome.stored);
	outcome_clear(&outcome);
	bench.txn.picks = NULL;
	reload(&bench);
	CU_ASSERT_EQUAL(run(&bench, &outcome, &err), 0);
	CU_ASSERT_EQUAL(outcome.plan.count, 2);
	outcome_clear(&outcome);
	bench_close(&bench);
}

TEST(txn, a_dry_run_plans_and_does_nothing)
{
	struct bench bench;
	struct outcome outcome;
	AUTO_ERR err = ERR_NONE;

	bench_open(&bench);
	edit(&bench);
	bench.txn.dry = true;
	CU_ASSERT_EQUAL(
		txn_run(&bench.txn, bench.tree, bench.base, &outcome, &err), 0);
	CU_ASSERT_EQUAL(outcome.plan.count, 3);
	CU_ASSERT_TRUE(is_as_opened(&bench.host));
	outcome_clear(&outcome);
	bench_close(&bench);
}

TEST(txn, another_s_commit_in_between_is_a_conflict_and_undone)
{
	struct bench bench;
	struct outcome outcome;
	AUTO_ERR err = ERR_NONE;

	bench_open(&bench);
	edit(&bench);
	bench.base += 1; /* as if read from another revision */
	CU_ASSERT_EQUAL(run(&bench, &outcome, &err), -ESTALE);
	CU_ASSERT_TRUE(is_as_opened(&bench.host));
	outcome_clear(&outcome);
	reload(&bench);
	CU_ASSERT_PTR_NOT_NULL(node_find(tree_paths(bench.tree), "c"));
	bench_close(&bench);
}

/* Edits, on trial for that long. */
static void try_for(struct bench *bench, int64_t confirm_us)
{
	struct outcome outcome;
	AUTO_ERR err = ERR_NONE;

	edit(bench);
	bench->txn.stamp.confirm_us = confirm_us;
	CU_ASSERT_EQUAL(run(bench, &outcome, &err), 0);
	bench->txn.stamp.confirm_us = 0;
	CU_ASSERT_FALSE(is_as_opened(&bench->host));
	outcome_clear(&outcome);
}

static bool on_trial(struct bench *bench)
{
	struct trial trial;
	bool is;

	CU_ASSERT_EQUAL(store_trial(bench->store, &trial, NULL), 0);
	is = trial.is;
	trial_clear(&trial);
	return is;
}

TEST(txn, what_is_not_confirmed_in_time_is_undone)
{
	struct bench bench;
	AUTO_ERR err = ERR_NONE;
	bool expired = false;

	bench_open(&bench);
	try_for(&bench, 1);
	CU_ASSERT_EQUAL(txn_expire(&bench.txn, &expired, &err), 0);
	CU_ASSERT_TRUE(expired);
	CU_ASSERT_TRUE(is_as_opened(&bench.host));
	CU_ASSERT_FALSE(on_trial(&bench));
	CU_ASSERT_EQUAL(txn_expire(&bench.txn, &expired, &err), 0);
	CU_ASSERT_FALSE(expired);
	bench_close(&bench);
}

TEST(txn, an_undoing_that_fails_is_still_due)
{
	for (int at = 0; at < 3; at++) {
		struct bench bench;
		AUTO_ERR err = ERR_NONE;
		bool expired = false;

		bench_open(&bench);
		try_for(&bench, 1);
		bench.host.fail_at = (int)bench.host.writes + at;
		CU_ASSERT_EQUAL(txn_expire(&bench.txn, &expired, &err), -EIO);
		CU_ASSERT_TRUE(on_trial(&bench));
		bench.host.fail_at = -1;
		CU_ASSERT_EQUAL(txn_expire(&bench.txn, &expired, &err), 0);
		CU_ASSERT_TRUE(is_as_opened(&bench.host));
		bench_close(&bench);
	}
}

TEST(txn, nothing_comes_between_a_commit_and_its_confirmation)
{
	struct bench bench;
	struct outcome outcome;
	AUTO_ERR err = ERR_NONE;
	bool expired = true;

	bench_open(&bench);
	try_for(&bench, 60000000);
	CU_ASSERT_EQUAL(txn_expire(&bench.txn, &expired, &err), 0);
	CU_ASSERT_FALSE(expired);
	set(node_first(tree_paths(bench.tree)), "down", "7mbit");
	CU_ASSERT_EQUAL(run(&bench, &outcome, &err), -EBUSY);
	outcome_clear(&outcome);
	CU_ASSERT_TRUE(on_trial(&bench));
	CU_ASSERT_EQUAL(store_trial_end(bench.store, "confirmed", &err), 0);
	CU_ASSERT_EQUAL(run(&bench, &outcome, &err), 0);
	outcome_clear(&outcome);
	bench_close(&bench);
}

TEST(txn, chosen_numbers_are_kept_and_give_way_to_given_ones)
{
	struct bench bench;
	struct outcome outcome;
	AUTO_ERR err = ERR_NONE;
	struct node *a;

	bench_open(&bench);
	a = node_find(tree_paths(bench.tree), "a");
	CU_ASSERT_EQUAL(node_u(a, PATH_TABLE), 20000);
	CU_ASSERT_EQUAL(node_origin(a, PATH_TABLE), ORIGIN_CHOSEN);
	set(node_find(tree_paths(bench.tree), "b"), "table", "20000");
	CU_ASSERT_EQUAL(run(&bench, &outcome, &err), 0);
	CU_ASSERT_EQUAL(node_u(a, PATH_TABLE), 20001);
	outcome_clear(&outcome);
	reload(&bench);
	a = node_find(tree_paths(bench.tree), "a");
	CU_ASSERT_EQUAL(node_u(a, PATH_TABLE), 20001);
	CU_ASSERT_EQUAL(node_origin(a, PATH_TABLE), ORIGIN_CHOSEN);
	bench_close(&bench);
}

TEST(choose, marks_are_apart_over_all_trees_and_classids_within_one)
{
	AUTO(tree) struct tree *tree = tree_new();
	struct report report = REPORT_NONE;
	struct node *first = node_create(tree_classes(tree), "a", NULL);
	struct node *second = node_create(tree_classes(tree), "b", NULL);
	struct node *one = node_create(first, "x", NULL);
	struct node *two = node_create(second, "x", NULL);

	set(one, "rate", "1mbit");
	set(two, "rate", "1mbit");
	tree_choose(tree, &report);
	CU_ASSERT_EQUAL(node_u(one, CLASS_CLASSID), 0x10001);
	CU_ASSERT_EQUAL(node_u(two, CLASS_CLASSID), 0x10001);
	CU_ASSERT_EQUAL(node_value(one, CLASS_MARK)->bits.value, 1);
	CU_ASSERT_EQUAL(node_value(two, CLASS_MARK)->bits.value, 2);
	report_clear(&report);
}
