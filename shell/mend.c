/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "shell/mend.h"

#include <search.h>
#include <string.h>

#include "backends/list.h"
#include "model/drift.h"
#include "model/drifts.h"
#include "shell/pause.h"
#include "shell/session.h"

#define REPAIRS	    3
#define REPAIRS_US  UINT64_C(60000000)
#define ADOPTS_MOST 50 /* in one look */

/* How often one object was put back. */
struct damper {
	char *key;		 /* owned */
	uint64_t at_us[REPAIRS]; /* the last ones; 0: none */
	uint64_t agreed_us;	 /* since when, or 0 */
	bool stopped;
};

struct mends {
	void *dampers; /* tsearch(3) */
};

struct work {
	struct mends *mends;
	struct session *session;
	const struct outcome *seen;
	struct drifts *drifts;
	void (*tell)(const struct mend *mend, void *arg);
	void *arg;
	bool again;
};

/* ---- dampers ---- */

static int by_key(const void *left, const void *right)
{
	return strcmp(((const struct damper *)left)->key,
		      ((const struct damper *)right)->key);
}

static struct damper *find_damper(const struct mends *mends, const char *key)
{
	const struct damper wanted = { .key = (char *)(uintptr_t)key };
	void *found = tfind(&wanted, &mends->dampers, by_key);

	return found ? *(struct damper **)found : NULL;
}

static struct damper *get_damper(struct mends *mends, const char *key)
{
	struct damper *damper = find_damper(mends, key);

	if (damper)
		return damper;
	damper = mem_alloc(sizeof(*damper));
	damper->key = mem_strdup(key);
	if (!tsearch(damper, &mends->dampers, by_key))
		abort(); /* out of memory, as in mem_alloc() */
	return damper;
}

static void free_damper(void *at)
{
	struct damper *damper = at;

	free(damper->key);
	free(damper);
}

struct mends *mends_new(void)
{
	return mem_alloc(sizeof(struct mends));
}

void mends_free(struct mends *mends)
{
	if (!mends)
		return;
	tdestroy(mends->dampers, free_damper);
	free(mends);
}

void mends_agree(struct mends *mends, const char *key)
{
	struct damper *damper = find_damper(mends, key);

	if (damper)
		damper->agreed_us = pause_now_us();
}

/* May it be put back once more, now? */
static bool may_repair(struct damper *damper)
{
	uint64_t now = pause_now_us(), agreed = damper->agreed_us;

	damper->agreed_us = 0;
	if (damper->stopped && agreed && now - agreed >= REPAIRS_US)
		*damper = (struct damper){ .key = damper->key };
	if (damper->stopped)
		return false;
	if (damper->at_us[0] && now - damper->at_us[0] < REPAIRS_US)
		return false;
	memmove(damper->at_us, damper->at_us + 1,
		sizeof(damper->at_us) - sizeof(damper->at_us[0]));
	damper->at_us[REPAIRS - 1] = now;
	return true;
}

/* ---- telling ---- */

static void note(struct work *work, const char *key, const char *text)
{
	struct drift *drift = drifts_find(work->drifts, key);

	if (!drift)
		return;
	free(drift->note);
	drift->note = mem_strdup(text);
}

static void tell(struct work *work, const char *what, const char *path,
		 const char *text)
{
	work->tell(&(struct mend){ what, path, text }, work->arg);
}

/* ---- putting back ---- */

struct keys {
	char **items; /* owned; sorted before they are asked for */
	size_t count, room;
};

static void keys_clear(struct keys *keys)
{
	for (size_t i = 0; i < keys->count; i++)
		free(keys->items[i]);
	free(keys->items);
}

static int compare_words(const void *left, const void *right)
{
	return strcmp(*(char *const *)left, *(char *const *)right);
}

static bool is_picked(const struct step *step, void *arg)
{
	const struct keys *keys = arg;
	AUTO(str) char *key = drift_key(step);

	return bsearch(&key, keys->items, keys->count, sizeof(key),
		       compare_words);
}

static void stop(struct work *work, struct damper *damper,
		 const struct step *step)
{
	static const char text[] =
		"put back 3 times within a minute, and changed again: it is "
		"left until it has agreed for a minute (repair by hand)";

	if (damper->stopped)
		return;
	damper->stopped = true;
	tell(work, "left", step_path(step), text);
}

static void find_repairs(struct work *work, struct keys *keys)
{
	const struct tree *tree = work->session->place.tree;
	const struct plan *plan = &work->seen->plan;

	for (size_t i = 0; i < plan->count; i++) {
		const struct step *step = &plan->items[i];
		AUTO(str) char *key = drift_key(step);
		struct damper *damper;

		if (drift_policy(tree, step_path(step)) != DRIFT_REPAIR)
			continue;
		damper = get_damper(work->mends, key);
		if (!may_repair(damper)) {
			stop(work, damper, step);
			note(work, key, "no longer put back: it was, 3 times");
			continue;
		}
		keys->items = mem_grow(keys->items, keys->count, &keys->room,
				       sizeof(*keys->items));
		keys->items[keys->count++] = TAKE(key);
	}
	if (keys->count)
		qsort(keys->items, keys->count, sizeof(*keys->items),
		      compare_words);
}

static int repair_keys(struct work *work, struct keys *keys,
		       struct outcome *outcome, struct err *err)
{
	struct session writer;
	struct txn txn;
	int rc;

	session_init(&writer, &work->session->options, work->session->output);
	rc = session_begin(&writer, "repairing what others changed", err);
	if (rc == 0) {
		txn = session_txn(&writer, writer.writer, "tresse");
		txn.rehearse = NULL; /* it stood there before */
		txn.picks = is_picked;
		txn.picks_arg = keys;
		rc = txn_run(&txn, writer.place.tree, writer.base, outcome,
			     err);
	}
	session_clear(&writer);
	return rc;
}

static void tell_repaired(struct work *work, const struct outcome *outcome)
{
	for (size_t i = 0; i < outcome->plan.count; i++) {
		const struct step *step = &outcome->plan.items[i];
		AUTO_TEXT text = TEXT_NONE;

		step_print(step, &text);
		tell(work, "repaired", step_path(step), text_get(&text));
	}
}

static void repair(struct work *work)
{
	struct keys keys = { NULL, 0, 0 };
	struct outcome outcome = { 0 };
	AUTO_ERR err = ERR_NONE;

	find_repairs(work, &keys);
	if (keys.count && repair_keys(work, &keys, &outcome, &err) < 0) {
		tell(work, "failed",
		     outcome.failed_path ? outcome.failed_path : "", err.text);
		for (size_t i = 0; i < keys.count; i++)
			note(work, keys.items[i], err.text);
	} else if (keys.count) {
		tell_repaired(work, &outcome);
	}
	work->again |= keys.count > 0;
	outcome_clear(&outcome);
	keys_clear(&keys);
}

/* ---- taking over ---- */

/* Settings that the node has now and did not have before: "rate=3mbit". */
static void put_settings(const struct node *before, const struct node *now,
			 struct text *out)
{
	const struct kind *kind = node_kind(now);

	for (size_t i = 0; i < kind->attr_count; i++) {
		AUTO_TEXT old = TEXT_NONE;
		AUTO_TEXT new = TEXT_NONE;

		node_print(before, i, &old);
		node_print(now, i, &new);
		if (!strcmp(text_get(&old), text_get(&new)))
			continue;
		text_printf(out, "%s%s=%s", out->length ? " " : "",
			    kind->attrs[i].name, text_get(&new));
	}
}

/* One round: sets what was found of each step of the node. 0: nothing to set
 * was left. */
static int adopt_found(const struct plan *plan, const char *path,
		       struct node *node, struct err *err)
{
	int found = 0;

	for (size_t i = 0; i < plan->count; i++) {
		const struct step *step = &plan->items[i];
		int rc;

		if (strcmp(step_path(step), path) != 0)
			continue;
		if (!step->before || !step->after || !step->backend->adopt)
			return err_set(err, EOPNOTSUPP,
				       "what is missing, or no setting of %s, "
				       "cannot be taken over",
				       path);
		rc = step->backend->adopt(step, node, err);
		if (rc < 0)
			return rc;
		found++;
	}
	return found;
}

/* What follows from a value that was adopted may differ in turn (a burst from
 * a rate), so the candidate is compared again. */
static int adopt_node(struct session *writer, const char *path,
		      const struct outcome *seen, struct err *err)
{
	struct tree *tree = writer->place.tree;
	struct node *node = tree_walk(tree, tree_root(tree), path, err);
	struct owned owned = OWNED_NONE;
	int rc = node ? adopt_found(&seen->plan, path, node, err) : err->code;

	if (rc > 0)
		rc = store_load_owned(writer->writer, &owned, err);
	for (int round = 0; rc >= 0; round++) {
		struct outcome outcome;

		rc = txn_observe(session_host(writer), backends,
				 host_read_facts, tree, &owned, &outcome, err);
		if (rc == 0)
			rc = adopt_found(&outcome.plan, path, node, err);
		outcome_clear(&outcome);
		if (rc <= 0)
			break;
		if (round == 2)
			rc = err_set(err, EOPNOTSUPP,
				     "what was found cannot be said by the "
				     "settings of %s",
				     path);
	}
	owned_clear(&owned);
	return rc;
}

static bool no_step(const struct step *step, void *arg)
{
	(void)step;
	(void)arg;
	return false;
}

static int store_adopted(struct session *writer, const char *reason,
			 struct outcome *outcome, struct err *err)
{
	struct txn txn = session_txn(writer, writer->writer, "tresse");

	txn.rehearse = NULL; /* it runs already */
	txn.picks = no_step;
	txn.stamp.reason = reason;
	return txn_run(&txn, writer->place.tree, writer->base, outcome, err);
}

static char *reason_dup(const struct work *work, const char *key,
			const char *settings)
{
	const struct drift *drift = drifts_find(work->drifts, key);

	return drift && drift->by
		       ? mem_printf("adopted: %s, by %s", settings, drift->by)
		       : mem_printf("adopted: %s", settings);
}

static int adopt_path(struct work *work, const char *path, const char *key,
		      struct err *err)
{
	const struct tree *tree = work->session->place.tree;
	struct outcome outcome = { 0 };
	AUTO_TEXT settings = TEXT_NONE;
	AUTO(str) char *reason = NULL;
	struct session writer;
	int rc;

	session_init(&writer, &work->session->options, work->session->output);
	rc = session_begin(&writer, "adopting what others changed", err);
	if (rc == 0)
		rc = adopt_node(&writer, path, work->seen, err);
	if (rc == 0) {
		put_settings(tree_walk(tree, tree_root(tree), path, NULL),
			     tree_walk(writer.place.tree,
				       tree_root(writer.place.tree), path,
				       NULL),
			     &settings);
		reason = reason_dup(work, key, text_get(&settings));
		rc = store_adopted(&writer, reason, &outcome, err);
	}
	if (rc == 0)
		tell(work, "adopted", path, text_get(&settings));
	outcome_clear(&outcome);
	session_clear(&writer);
	return rc;
}

static void adopt(struct work *work)
{
	const struct tree *tree = work->session->place.tree;
	const struct plan *plan = &work->seen->plan;
	const char *last = "";
	size_t done = 0;

	for (size_t i = 0; i < plan->count && done < ADOPTS_MOST; i++) {
		const char *path = step_path(&plan->items[i]);
		AUTO(str) char *key = drift_key(&plan->items[i]);
		const struct drift *drift = drifts_find(work->drifts, key);
		AUTO_ERR err = ERR_NONE;
		int rc;

		if (drift_policy(tree, path) != DRIFT_ADOPT || !drift ||
		    drift->note || !strcmp(path, last))
			continue;
		last = path;
		done++;
		rc = path[0] ? adopt_path(work, path, key, &err)
			     : err_set(&err, EOPNOTSUPP,
				       "what is foreign cannot be taken over");
		work->again |= rc == 0 || rc == -EBUSY;
		if (rc == 0 || rc == -EBUSY)
			continue;
		note(work, key, err.text);
		tell(work, "left", path, err.text);
	}
}

bool mends_do(struct mends *mends, struct session *session,
	      const struct outcome *seen, struct drifts *drifts,
	      void (*tell_it)(const struct mend *mend, void *arg), void *arg)
{
	struct work work = {
		mends, session, seen, drifts, tell_it, arg, false
	};

	repair(&work);
	adopt(&work);
	return work.again;
}
