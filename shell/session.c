/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "shell/session.h"

#include "model/early.h"
#include "model/secret.h"

#include <stdio.h>
#include <string.h>

#include "backends/list.h"
#include "shell/bookmark.h"
#include "shell/draft.h"
#include "shell/healthy.h"
#include "shell/news.h"
#include "shell/pref.h"
#include "shell/told.h"
#include "shell/trial.h"
#include "shell/utf8.h"
#include "shell/who.h"

/* Longest wait for somebody else's change. */
#define WAIT_MS 10000

void session_init(struct session *session,
		  const struct session_options *options, struct output *output)
{
	*session = (struct session){ .options = *options, .output = output };
}

static void end_write(struct session *session)
{
	if (session->writer)
		store_unlock(session->writer);
	store_free(TAKE(session->writer));
	ledger_clear(&session->ledger);
}

/* NULL: nothing is known of what is there. */
static const struct digest *end_early(struct session *session,
				      struct digest *seal)
{
	bool seen = session->early && early_end(TAKE(session->early), seal);

	host_free(TAKE(session->other));
	return seen ? seal : NULL;
}

void session_end(struct session *session)
{
	struct digest unused;

	end_early(session, &unused);
	end_write(session);
	draft_leave(session);
}

void session_clear(struct session *session)
{
	session_end(session);
	trail_clear(&session->trail);
	owned_clear(&session->takes);
	free(TAKE(session->made));
	free(TAKE(session->restored));
	free(TAKE(session->gave_up));
	session_unstamp(session);
	session_unsee(session);
	tree_free(TAKE(session->place.tree));
	host_free(TAKE(session->host));
	session->place.here = NULL;
}

/* For drivers: keys are in the store. */
static char *find_secret(void *arg, const char *hidden, struct err *err)
{
	const struct session *session = arg;
	AUTO(store)
	struct store *store =
		store_open(session->options.store, STORE_READ, err);

	return store ? secret_find(store, hidden, err) : NULL;
}

static struct host *new_host(const struct session *session)
{
	struct host *host = host_new();

	host_keep_secrets(host, find_secret, (void *)(uintptr_t)session);
	return host;
}

void session_expect(struct session *session)
{
	if (session->early)
		return;
	session->other = new_host(session);
	session->early = early_start(session->options.store, session->other,
				     backends, host_read_facts);
	if (!session->early)
		host_free(TAKE(session->other));
}

struct host *session_host(struct session *session)
{
	const struct tree *tree = session->place.tree;

	if (!session->host) {
		session->host = new_host(session);
	}
	if (tree)
		host_set_deadline(session->host,
				  node_u(tree_system(tree), SYSTEM_DEADLINE));
	return session->host;
}

char *session_path(const struct session *session)
{
	return session->place.here ? node_path_dup(session->place.here)
				   : mem_strdup("/");
}

int session_go(struct session *session, struct node *node, struct err *err)
{
	AUTO(str) char *from = session_path(session);
	AUTO(str) char *to = NULL;

	if (!node)
		return err_set(err, ENOENT, "no configuration is loaded");
	to = node_path_dup(node);
	trail_note(&session->trail, from, to);
	session->place.here = node;
	return 0;
}

void session_made(struct session *session, const struct node *node)
{
	free(session->made);
	session->made = node_path_dup(node);
	session->place.made = session->made;
}

static void go_to_made(struct session *session)
{
	const struct tree *tree = session->place.tree;
	struct node *node =
		tree ? tree_walk(tree, tree_root(tree), session->made, NULL)
		     : NULL;

	if (node)
		session_go(session, node, NULL);
}

void session_settle(struct session *session, bool done)
{
	if (!session->made || session->building)
		return;
	/* A bookmark that cannot be kept is no reason to complain. */
	if (done && !session->options.dry)
		bookmarks_put(BOOKMARK_LAST, session->made, NULL);
	if (done && session->staying && pref_u(PREF_CD_AFTER_CREATE))
		go_to_made(session);
	session->place.made = NULL;
	free(TAKE(session->made));
}

struct origin_line session_where(const struct session *session)
{
	return (struct origin_line){ session->source, session->line };
}

void session_did(struct session *session, enum deed deed,
		 const struct node *node, char *text)
{
	ledger_add(&session->ledger, deed, node, session->line, text);
}

/* ---- the tree ---- */

/* A node by that path or, if it is gone, the nearest one above it. */
static struct node *find_again(const struct tree *tree, char *path, bool *gone)
{
	struct node *node = tree_walk(tree, tree_root(tree), path, NULL);

	*gone = !node;
	while (!node) {
		char *slash = strrchr(path, '/');

		if (!slash || slash == path)
			return tree_root(tree);
		*slash = '\0';
		node = tree_walk(tree, tree_root(tree), path, NULL);
	}
	return node;
}

void session_take(struct session *session, struct tree *tree, uint64_t revision)
{
	AUTO(str) char *path = session_path(session);
	AUTO(str) char *was = mem_strdup(path);
	bool gone;

	session_unsee(session);
	tree_free(session->place.tree);
	session->place.tree = tree;
	session->place.here = find_again(tree, path, &gone);
	session->base = revision;
	if (gone) {
		AUTO(str) char *now = session_path(session);

		session->moved = true;
		output_say(session->output, SAY_WARNING,
			   "%s is no longer there; you are in %s now", was,
			   now);
	}
}

void session_forget(struct session *session)
{
	session_unsee(session);
	tree_free(TAKE(session->place.tree));
	session->place.here = NULL;
}

static int load_newest(struct session *session, struct store *store,
		       struct err *err)
{
	struct tree *tree = NULL;
	uint64_t revision = 0;
	int rc = store_revision(store, &revision, err);

	if (rc < 0)
		return rc;
	if (session->place.tree && revision == session->base)
		return 0;
	if (session->place.tree && tree_is_part(session->place.tree))
		session_forget(session);
	rc = store_load(store, &tree, err);
	if (rc < 0)
		return rc;
	if (session->place.tree)
		news_changed(session, store, tree, revision);
	session_take(session, tree, revision);
	return 0;
}

static bool load_part(struct session *session, struct store *store,
		      const char *path)
{
	struct tree *tree = NULL;
	uint64_t revision;

	if (store_revision(store, &revision, NULL) < 0 ||
	    store_load_part(store, path, &tree, NULL) < 0 || !tree)
		return false;
	session_take(session, tree, revision);
	return true;
}

int session_look_in(struct session *session, struct store *store,
		    const char *alone, struct err *err)
{
	if (session->writer || session->building || session->draft ||
	    (alone && load_part(session, store, alone)))
		return 0;
	return load_newest(session, store, err);
}

int session_look(struct session *session, struct err *err)
{
	AUTO(store) struct store *store = NULL;

	if (session->writer || session->building || session->draft)
		return 0;
	store = store_open(session->options.store, STORE_READ, err);
	return store ? session_look_in(session, store, NULL, err) : err->code;
}

/* ---- writing ---- */

static void tell_waiting(const char *holder)
{
	AUTO_TEXT safe = TEXT_NONE;

	utf8_safe(holder, &safe);
	fprintf(stderr, "waiting for %s\n", text_get(&safe));
}

struct txn session_txn(struct session *session, struct store *store,
		       const char *actor)
{
	struct stamp stamp = session->stamp;

	stamp.actor = actor;
	stamp.reason = session->reason;
	return (struct txn){
		.store = store,
		.host = session_host(session),
		.backends = backends,
		.read_facts = host_read_facts,
		.rehearse = rehearse_begin,
		.rehearsed = rehearse_end,
		.stamp = stamp,
		.dry = session->options.dry,
		.force = session->force,
		.takes = &session->takes,
	};
}

static int undo_left_over(struct session *session, const struct txn *txn,
			  struct err *err)
{
	bool recovered = false, expired = false;
	int rc = txn_recover(txn, &recovered, err);

	if (rc == 0 && recovered)
		output_say(session->output, SAY_WARNING,
			   "an earlier change was cut off; it was undone");
	if (rc == 0)
		rc = txn_expire(txn, &expired, err);
	if (rc == 0 && expired)
		output_say(session->output, SAY_WARNING,
			   "an earlier commit was not confirmed in time; it "
			   "was undone");
	return rc;
}

/* Until that is undone nothing else is changed; unless somebody gives it up. */
static int recover(struct session *session, struct err *err)
{
	AUTO(str) char *actor = who_dup();
	struct txn txn = session_txn(session, session->writer, actor);
	AUTO_ERR why = ERR_NONE;
	int rc = undo_left_over(session, &txn, &why);

	if (rc == 0)
		return 0;
	if (session->gives_up) {
		session->gave_up = mem_strdup(why.text);
		return txn_let_go(&txn, err);
	}
	err_append(&why, "; until it is undone nothing else is changed: mend "
			 "the cause and try again, or see `tresse help "
			 "give-up`");
	return err_move(err, &why);
}

static int open_for_write(struct session *session, const char *doing,
			  struct err *err)
{
	enum store_mode mode = session->options.dry ? STORE_READ : STORE_WRITE;
	int rc = session->options.dry
			 ? 0
			 : host_may_write(session_host(session), err);

	if (rc < 0)
		return rc;
	session->writer = store_open(session->options.store, mode, err);
	if (!session->writer)
		return err->code;
	if (session->options.dry)
		return 0;
	trial_take_over(session, session->writer);
	rc = store_lock(session->writer, doing, WAIT_MS, tell_waiting, err);
	return rc < 0 ? rc : recover(session, err);
}

int session_begin(struct session *session, const char *doing, struct err *err)
{
	int rc;

	if (session->writer || session->building || session->draft)
		return 0;
	rc = open_for_write(session, doing, err);
	if (rc == 0)
		rc = load_newest(session, session->writer, err);
	if (rc < 0)
		end_write(session);
	return rc;
}

int session_lock(struct session *session, const char *doing, struct err *err)
{
	int rc = open_for_write(session, doing, err);

	if (rc < 0)
		end_write(session);
	return rc;
}

void session_unlock(struct session *session)
{
	end_write(session);
}

void session_because(struct session *session, char *reason)
{
	free(session->reason);
	session->reason = reason;
}

void session_unstamp(struct session *session)
{
	free(TAKE(session->reason));
	session->stamp = (struct stamp){ 0 };
	session->hold_us = session->loss = 0;
}

void session_abandon(struct session *session)
{
	AUTO(store) struct store *store = NULL;
	struct tree *tree = NULL;
	uint64_t revision = 0;

	end_write(session);
	if (session->draft) {
		draft_reload(session);
		return;
	}
	if (!session->place.tree || !tree_is_dirty(session->place.tree))
		return;
	if (session->gathering || tree_is_part(session->place.tree)) {
		session_forget(session);
		return;
	}
	/* Where we are has to be found again; if the store cannot be read any
	 * more, the next look says why. */
	store = store_open(session->options.store, STORE_READ, NULL);
	if (store && store_revision(store, &revision, NULL) == 0 &&
	    store_load(store, &tree, NULL) == 0) {
		session_take(session, tree, revision);
		return;
	}
	session_forget(session);
}

/* The kernel's errno is about its own arguments, not about what somebody typed:
 * what it refuses is refused, and no syntax error (exit.h). */
static void name_refusal(const struct outcome *outcome, struct err *err)
{
	bool applying = outcome->failed_path && !outcome->report.errors;

	if (applying && err->code != -ENOTRECOVERABLE && err->code != -EPERM)
		err->code = -EREMOTEIO;
}

/* Who commits on trial may cut themselves off: it comes back by itself. Unless
 * measurement, which knows nothing of them, confirms it. */
static void watch_over(struct txn *txn, struct guard *guard)
{
	bool comes_back = txn->stamp.confirm_us && !txn->stamp.basis;

	if (comes_back || !guard_find(guard))
		return;
	txn->guard = guard_watch;
	txn->guard_arg = guard;
}

int session_commit(struct session *session, struct err *err)
{
	AUTO(str) char *actor = who_dup();
	AUTO(str) char *basis = NULL;
	struct txn txn = session_txn(session, session->writer, actor);
	struct outcome outcome;
	struct guard guard;
	struct digest seal;
	int rc = 0;

	if (session->hold_us && !session->options.dry)
		rc = healthy_before(session, &basis, err);
	if (rc < 0) {
		session_abandon(session);
		return rc;
	}
	txn.stamp.basis = basis;
	txn.early = end_early(session, &seal);
	watch_over(&txn, &guard);
	rc = txn_run(&txn, session->place.tree, session->base, &outcome, err);
	session->tried = rc != -ENODATA;
	session_unsee(session);
	if (!session->tried) {
		outcome_clear(&outcome);
		session_abandon(session);
		return rc;
	}
	if (rc < 0) {
		name_refusal(&outcome, err);
		told_refused(session, &outcome, err);
		rc = err->code;
	} else {
		told_done(session, &outcome);
		session->base = outcome.revision;
		trial_begun(session, &outcome);
	}
	outcome_clear(&outcome);
	if (rc < 0 || session->options.dry)
		session_abandon(session);
	else
		end_write(session);
	return rc;
}

/* ---- what the running system says ---- */

static int observe(struct session *session, struct outcome *outcome,
		   struct err *err)
{
	AUTO(store)
	struct store *store =
		store_open(session->options.store, STORE_READ, err);
	struct owned owned = OWNED_NONE;
	int rc;

	if (!store)
		return err->code;
	rc = store_load_owned(store, &owned, err);
	if (rc == 0)
		rc = txn_observe(session_host(session), backends,
				 host_read_facts, session->place.tree, &owned,
				 outcome, err);
	owned_clear(&owned);
	return rc;
}

/* A candidate is not running yet: there is nothing to compare it with. */
static bool can_be_seen(const struct session *session)
{
	const struct tree *tree = session->place.tree;

	return tree && !tree_is_dirty(tree) && !session->building &&
	       !session->draft;
}

const struct outcome *session_observe(struct session *session, const char **why)
{
	*why = "what is not applied yet cannot be compared";
	if (!can_be_seen(session))
		return NULL;
	if (!session->seen && !session->blind.text) {
		session->seen = mem_alloc(sizeof(*session->seen));
		if (observe(session, session->seen, &session->blind) < 0) {
			outcome_clear(session->seen);
			free(TAKE(session->seen));
		}
	}
	*why = session->blind.text;
	return session->seen;
}

/* Nothing differs, and that could be seen without looking at everything. */
static bool glance(struct session *session, struct outcome *outcome)
{
	AUTO(store)
	struct store *store =
		store_open(session->options.store, STORE_READ, NULL);
	struct owned owned = OWNED_NONE;
	uint64_t revision;
	bool same;

	same = store && store_revision(store, &revision, NULL) == 0 &&
	       revision == session->base &&
	       store_load_owned(store, &owned, NULL) == 0 &&
	       txn_glance(store, session_host(session), backends,
			  host_read_facts, session->place.tree, &owned,
			  outcome);
	owned_clear(&owned);
	return same;
}

static void fill_live(struct session *session, const struct outcome *seen)
{
	const struct tree *tree = session->place.tree;

	session->live = live_new();
	for (const struct backend *const *at = backends; *at; at++)
		if ((*at)->live)
			(*at)->live(session->host, tree, &seen->facts,
				    session->live, NULL);
	txn_states(seen, tree, session->live);
}

const struct live *session_live(struct session *session)
{
	const struct tree *tree = session->place.tree;
	const struct outcome *seen;
	struct outcome outcome;
	const char *why;

	if (session->live || !can_be_seen(session))
		return session->live;
	/* Nothing of ours runs where nothing was ever configured. */
	if (!node_first(tree_paths(tree)) && !node_first(tree_classes(tree)) &&
	    !node_first(tree_links(tree)))
		return NULL;
	if (!session->seen && glance(session, &outcome)) {
		fill_live(session, &outcome);
		outcome_clear(&outcome);
		return session->live;
	}
	seen = session_observe(session, &why);
	if (seen)
		fill_live(session, seen);
	return session->live;
}

void session_unsee(struct session *session)
{
	live_free(TAKE(session->live));
	if (session->seen)
		outcome_clear(session->seen);
	free(TAKE(session->seen));
	err_clear(&session->blind);
}
