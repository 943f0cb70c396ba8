/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "shell/draft.h"

#include <string.h>

#include "model/secret.h"
#include "model/diff.h"
#include "model/holder.h"
#include "model/merge.h"
#include "shell/batch.h"
#include "shell/save.h"
#include "shell/session.h"
#include "shell/sync.h"
#include "shell/told.h"
#include "shell/trial.h"
#include "shell/who.h"

enum { KEEP_WAIT_MS = 5000 };

struct draft {
	struct pending kept; /* as the store has it */
	struct tree *base;   /* owned */
	size_t changes;
	bool ours; /* begun in this session, not taken up */
};

static void end_draft(struct session *session)
{
	struct draft *draft = TAKE(session->draft);

	if (!draft)
		return;
	pending_clear(&draft->kept);
	tree_free(draft->base);
	free(draft);
}

static int count(const struct change *change, void *arg)
{
	(void)change;
	++*(size_t *)arg;
	return 0;
}

static size_t count_changes(const struct tree *from, const struct tree *to)
{
	size_t changes = 0;

	tree_diff(from, to, count, &changes);
	return changes;
}

size_t draft_changes(const struct session *session)
{
	const struct draft *draft = session->draft;

	/* A batch is not kept line by line. */
	if (draft && session->gathering)
		return count_changes(draft->base, session->place.tree);
	return draft ? draft->changes : 0;
}

const struct tree *draft_base(const struct session *session)
{
	return session->draft ? session->draft->base : NULL;
}

/* ---- taking one up ---- */

static int replay(struct session *session, const struct pending *kept,
		  struct tree **tree, struct err *err)
{
	struct session builder;
	struct text text = TEXT_NONE;
	struct batch *batch;
	int rc;

	text_put(&text, kept->text);
	batch = batch_cut(&text, "candidate", session->output, err);
	text_clear(&text);
	if (!batch)
		return err->code;
	batch_builder(&builder, session, TAKE(*tree));
	rc = batch_run(&builder, batch, err);
	*tree = TAKE(builder.place.tree);
	builder.place.here = NULL;
	session_clear(&builder);
	batch_free(batch);
	return rc;
}

/* The candidate that kept says becomes the session's tree. */
static int load(struct session *session, struct draft *draft,
		struct store *store, struct err *err)
{
	AUTO(tree) struct tree *base = NULL;
	AUTO(tree) struct tree *tree = NULL;
	int rc = store_load_at(store, draft->kept.base, &base, err);

	if (rc == 0)
		rc = store_load_at(store, draft->kept.base, &tree, err);
	if (rc == 0)
		rc = replay(session, &draft->kept, &tree, err);
	if (rc < 0)
		return err_prefix(err, "the candidate cannot be taken up: ");
	secret_hide(tree, store, NULL); /* links get their public keys */
	tree_clean(tree);
	tree_free(draft->base);
	draft->base = TAKE(base);
	draft->changes = count_changes(draft->base, tree);
	session_take(session, TAKE(tree), draft->kept.base);
	return 0;
}

static bool is_left_over(const struct pending *kept, const char *owner)
{
	return !strcmp(kept->owner, owner) && !holder_lives(kept->holder);
}

/* The newest one that this user left over; true if there is one. */
static int find_left_over(struct store *store, struct pending *found,
			  struct err *err)
{
	AUTO(str) char *owner = who_user_dup();
	struct pending *list;
	size_t number;
	int rc = store_pendings(store, &list, &number, err);

	*found = (struct pending){ 0 };
	for (size_t i = 0; i < number && !found->id; i++)
		if (is_left_over(&list[i], owner)) {
			*found = list[i];
			list[i] = (struct pending){ 0 };
		}
	pendings_free(list, number);
	return rc;
}

/* With the keys that were made for it. */
static int forget(struct store *store, const struct pending *kept,
		  struct err *err)
{
	int rc = store_pending_drop(store, kept->id, err);

	if (rc == 0)
		secret_forget(store, kept->text);
	return rc;
}

static int drop_left_over(struct store *store, struct err *err)
{
	struct pending found;
	int rc;

	do {
		rc = find_left_over(store, &found, err);
		if (rc == 0 && found.id)
			rc = forget(store, &found, err);
		else if (!found.id)
			return rc;
		pending_clear(&found);
	} while (rc == 0);
	return rc;
}

static void say_taken_up(struct session *session)
{
	const struct draft *draft = session->draft;

	output_say(session->output, SAY_DONE,
		   "Taken up: a candidate with %zu change%s, begun at revision "
		   "%llu (diff shows it; begin new starts afresh).",
		   draft->changes, draft->changes == 1 ? "" : "s",
		   (unsigned long long)draft->kept.base);
}

/* Takes kept. */
static int start(struct session *session, struct store *store,
		 struct pending *kept, struct err *err)
{
	struct draft *draft = mem_alloc(sizeof(*draft));
	int rc;

	draft->ours = !kept->id;
	draft->kept = *kept;
	*kept = (struct pending){ 0 };
	free(draft->kept.holder);
	draft->kept.holder = holder_dup();
	rc = load(session, draft, store, err);
	if (rc == 0)
		rc = store_pending_put(store, &draft->kept, err);
	session->draft = draft;
	if (rc < 0)
		end_draft(session);
	return rc;
}

static struct store *open_store(struct session *session, struct err *err)
{
	struct store *store;

	if (session->options.dry) {
		err_set(err, ECANCELED, "a dry run keeps no candidate");
		return NULL;
	}
	store = store_open(session->options.store, STORE_WRITE, err);
	if (store)
		trial_take_over(session, store);
	return store;
}

static int check_begin(const struct session *session, struct err *err)
{
	if (!session->staying && !session->gathering && !session->stepping)
		return err_set(err, ECANCELED,
			       "a candidate belongs to a session: type begin "
			       "in the shell, or in the first line of a batch");
	if (session->draft)
		return err_set(err, EEXIST,
			       "there is a candidate already, with %zu "
			       "change%s: commit or discard it first",
			       draft_changes(session),
			       draft_changes(session) == 1 ? "" : "s");
	if (session->writer)
		return err_set(err, ECANCELED,
			       "begin has to come before the first change of "
			       "a batch");
	return 0;
}

int draft_begin(struct session *session, bool afresh, struct err *err)
{
	AUTO(store) struct store *store = NULL;
	struct pending kept = { 0 };
	int rc = check_begin(session, err);

	if (rc < 0)
		return rc;
	store = open_store(session, err);
	if (!store)
		return err->code;
	rc = afresh ? drop_left_over(store, err)
		    : find_left_over(store, &kept, err);
	if (rc == 0 && !kept.id) {
		kept.owner = who_user_dup();
		kept.text = mem_strdup("");
		rc = store_revision(store, &kept.base, err);
	}
	if (rc == 0)
		rc = start(session, store, &kept, err);
	pending_clear(&kept);
	if (rc == 0 && !session->draft->ours)
		say_taken_up(session);
	return rc;
}

int draft_resume(struct session *session, struct err *err)
{
	AUTO(store) struct store *store = open_store(session, err);
	struct pending kept;
	int rc;

	if (!store)
		return err->code;
	rc = find_left_over(store, &kept, err);
	if (rc == 0 && !kept.id)
		rc = err_set(err, ENOENT,
			     "there is no candidate: begin starts one");
	if (rc == 0)
		rc = start(session, store, &kept, err);
	pending_clear(&kept);
	return rc;
}

/* ---- changing it ---- */

static int keep(struct session *session, struct err *err)
{
	struct draft *draft = session->draft;
	AUTO(store) struct store *store = open_store(session, err);
	AUTO(str) char *old = NULL;
	struct text text = TEXT_NONE;
	int rc = 0;

	if (!store)
		return err->code;
	node_each (link, tree_links(session->place.tree))
		link_choose_keys(link);
	if (secret_has_fresh(session->place.tree))
		rc = store_lock(store, "keeping a candidate", KEEP_WAIT_MS,
				NULL, err);
	if (rc == 0)
		rc = secret_hide(session->place.tree, store, err);
	if (rc < 0)
		return rc;
	draft->changes = count_changes(draft->base, session->place.tree);
	save_print_changes(draft->base, session->place.tree, &text);
	old = draft->kept.text;
	draft->kept.text = text.length ? text_take(&text) : mem_strdup("");
	rc = store_pending_put(store, &draft->kept, err);
	store_unlock(store);
	if (rc == 0)
		secret_forget(store, old);
	return rc;
}

int draft_changed(struct session *session, struct err *err)
{
	int rc = keep(session, err);

	if (rc == 0)
		told_gathered(session);
	tree_clean(session->place.tree);
	ledger_clear(&session->ledger);
	return rc;
}

void draft_reload(struct session *session)
{
	AUTO(store)
	struct store *store =
		store_open(session->options.store, STORE_READ, NULL);
	AUTO_ERR err = ERR_NONE;

	ledger_clear(&session->ledger);
	if (store && load(session, session->draft, store, &err) < 0)
		output_error(session->output, NULL, &err, 0, NULL);
}

void draft_abort(struct session *session)
{
	if (!session->draft)
		return;
	if (session->draft->ours)
		draft_discard(session, NULL);
	else
		draft_reload(session);
}

/* ---- the end ---- */

static void drop(struct session *session, struct err *err)
{
	AUTO(store) struct store *store = open_store(session, err);

	if (store)
		forget(store, &session->draft->kept, err);
}

int draft_discard(struct session *session, struct err *err)
{
	AUTO_ERR why = ERR_NONE;

	drop(session, &why);
	end_draft(session);
	ledger_clear(&session->ledger);
	session_unsee(session);
	tree_free(TAKE(session->place.tree));
	session->place.here = NULL;
	if (why.code)
		return err ? err_move(err, &why) : why.code;
	return session_look(session, err);
}

void draft_leave(struct session *session)
{
	if (!session->draft)
		return;
	if (!session->draft->changes)
		drop(session, NULL);
	end_draft(session);
}

/* ---- commit ---- */

struct author {
	const struct clash *clash;
	uint64_t since, number;
	char *actor; /* owned */
};

static int find_author(const struct revision *revision, uint64_t node,
		       const char *setting, void *arg)
{
	struct author *author = arg;
	const struct clash *clash = author->clash;

	if (revision->number <= author->since)
		return 1;
	if (node != clash->node ||
	    (clash->setting && (!setting || strcmp(setting, clash->setting))))
		return 0;
	author->actor = mem_strdup(revision->actor);
	author->number = revision->number;
	return 1;
}

/* What was deleted leaves no trace in rows: the last who changed anything. */
static int find_last(const struct revision *revision, void *arg)
{
	struct author *author = arg;

	author->actor = mem_strdup(revision->actor);
	author->number = revision->number;
	return 1;
}

static void show_clash(struct session *session, const struct clash *clash,
		       const struct author *author)
{
	struct output *output = session->output;
	AUTO(str)
	char *who = mem_printf("%s, revision %llu", author->actor,
			       (unsigned long long)author->number);
	const char *mine = clash->mine ? clash->mine : "deleted";
	const char *theirs = clash->theirs ? clash->theirs : "deleted";
	struct finding finding = { .severity = FINDING_ERROR,
				   .code = ESTALE,
				   .path = clash->path };

	finding.text =
		mem_printf("%s%syours %s, theirs %s (%s)",
			   clash->setting ? clash->setting : "",
			   clash->setting ? ": " : "", *mine ? mine : "unset",
			   *theirs ? theirs : "unset", who);
	output_finding(output, NULL, &finding);
	free(finding.text);
}

static void show_clashes(struct session *session, struct store *store,
			 const struct clash *clash)
{
	for (; clash; clash = clash->next) {
		struct author author = { clash, session->draft->kept.base, 0,
					 NULL };

		store_blame(store, find_author, &author, NULL);
		if (!author.actor)
			store_history(store, find_last, &author, NULL);
		show_clash(session, clash, &author);
		free(author.actor);
	}
}

int draft_merged(struct session *session, struct store *store, bool overrules,
		 struct tree **tree, uint64_t *revision, struct err *err)
{
	struct clash *clashes = NULL;
	int rc = store_revision(store, revision, err);

	if (rc == 0)
		rc = store_load(store, tree, err);
	if (rc < 0)
		return rc;
	rc = tree_merge(session->draft->base, session->place.tree, *tree,
			overrules ? MERGE_MINE : MERGE_NEITHER, &clashes, err);
	if (clashes) {
		show_clashes(session, store, clashes);
		err_append(err,
			   "; set the same as they did, discard, or overrule "
			   "them with commit clashes=mine");
	}
	clashes_free(clashes);
	return rc;
}

static int note_deleted(const struct change *change, void *arg)
{
	if (change->op != CHANGE_DELETE)
		return 1; /* they come first */
	session_did(arg, DEED_DELETED, change->node, NULL);
	return 0;
}

static void say_merged(struct session *session, uint64_t revision)
{
	if (revision != session->draft->kept.base)
		output_say(session->output, SAY_DONE,
			   "Others changed something meanwhile (revision %llu, "
			   "the candidate began at %llu): both are kept.",
			   (unsigned long long)revision,
			   (unsigned long long)session->draft->kept.base);
}

static int merge_and_commit(struct session *session, bool overrules,
			    struct err *err)
{
	AUTO(tree) struct tree *tree = NULL;
	bool told = session->ledger.count > 0;
	uint64_t revision;
	int rc = draft_merged(session, session->writer, overrules, &tree,
			      &revision, err);

	if (rc < 0) {
		session_unlock(session);
		return rc;
	}
	say_merged(session, revision);
	if (!told) /* a batch has noted what its lines did */
		tree_diff(draft_base(session), session->place.tree,
			  note_deleted, session);
	session_take(session, TAKE(tree), revision);
	if (!told)
		sync_note(session, NULL);
	session->summing = true;
	return session_commit(session, err);
}

int draft_commit(struct session *session, bool overrules, struct err *err)
{
	AUTO_ERR why = ERR_NONE;
	int rc = session_lock(session, "commit", err);

	if (rc == 0)
		rc = merge_and_commit(session, overrules, err);
	if (rc < 0 || session->options.dry)
		return rc;
	drop(session, &why);
	end_draft(session);
	if (why.code)
		output_say(session->output, SAY_WARNING, "%s", why.text);
	return 0;
}
