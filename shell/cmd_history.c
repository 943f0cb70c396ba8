/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What was, and back to it: history, undo, rollback, blame, diff. */
#include <limits.h>
#include <string.h>
#include <time.h>

#include "model/diff.h"
#include "model/merge.h"
#include "shell/backup.h"
#include "shell/batch.h"
#include "shell/change.h"
#include "shell/difference.h"
#include "shell/draft.h"
#include "shell/session.h"
#include "shell/sync.h"

void time_print(int64_t at_us, struct text *out)
{
	text_put_time(out, at_us);
}

static struct store *reader(struct session *session, struct err *err)
{
	return store_open(session->options.store, STORE_READ, err);
}

/* ---- history ---- */

struct listing {
	struct output *output;
	unsigned long left;
};

/* People read who confirmed it behind the reason; programs, for itself. */
static void put_reason(const struct revision *revision,
		       const struct output *output, struct text *out)
{
	bool whole = !output_is_json(output) && revision->confirmed;

	if (revision->reason)
		text_put(out, revision->reason);
	if (whole)
		text_printf(out, "%s%s", out->length ? "; " : "",
			    revision->confirmed);
}

static int show_revision(const struct revision *revision, void *arg)
{
	struct listing *listing = arg;
	struct output *output = listing->output;
	AUTO_TEXT when = TEXT_NONE, reason = TEXT_NONE;

	time_print(revision->at_us, &when);
	output_open(output, SHAPE_ROW, NULL, NULL);
	output_number(output, "revision", revision->number);
	output_field(output, "at", text_get(&when));
	output_number(output, "changes", revision->changes);
	output_field(output, "actor", revision->actor);
	put_reason(revision, output, &reason);
	output_field(output, "reason", text_get(&reason));
	if (output_is_json(output) && revision->confirmed)
		output_field(output, "confirmed", revision->confirmed);
	output_close(output);
	return --listing->left == 0;
}

static int history_run(struct session *session, const struct match *match,
		       struct err *err)
{
	const char *number = match_value(match, "number");
	AUTO(store) struct store *store = reader(session, err);
	struct listing listing = { session->output,
				   number ? strtoul(number, NULL, 10)
					  : ULONG_MAX };
	int rc;

	if (!store)
		return err->code;
	output_open(session->output, SHAPE_TABLE, "revisions", NULL);
	rc = store_history(store, show_revision, &listing, err);
	output_close(session->output);
	return rc;
}

static const struct arg history_args[] = {
	{ .name = "number",
	  .type = &type_count,
	  .help = "how many; all, if left out" },
	{ 0 },
};

const struct command command_history = {
	.name = "history",
	.summary = "list who changed the configuration, when and why",
	.man = "Newest first: the revision's number, the time, how many rows "
	       "it changed, who did it, the reason that was given, and by whom "
	       "or "
	       "what it was confirmed, if it was on trial. Nothing "
	       "is ever removed from it: undo and rollback add to it.",
	.example = "history 10",
	.see = "diff, blame, rollback, undo",
	.json = "revisions:[revision]",
	.args = history_args,
	.run = history_run,
};

/* ---- back to an earlier revision ---- */

static int check_alone(const struct session *session, const char *name,
		       struct err *err)
{
	if (session->gathering && !session->draft)
		return err_set(err, ECANCELED,
			       "%s stands alone: not in a batch", name);
	return 0;
}

/* The candidate becomes what that revision left. */
static int put_back(struct session *session, uint64_t revision, struct err *err)
{
	AUTO(store) struct store *store = reader(session, err);
	AUTO(tree) struct tree *past = NULL;
	int rc;

	if (!store)
		return err->code;
	rc = store_load_at(store, revision, &past, err);
	if (rc < 0)
		return rc;
	rc = sync_to(session, &(struct sync){ .wanted = past }, err);
	if (rc == 0)
		tree_put_back(session->place.tree, past);
	return rc;
}

/* The last revision that is no undo, nor undone. */
struct last {
	uint64_t at;
	bool found;
};

static int find_last(const struct revision *revision, void *arg)
{
	struct last *last = arg;

	if (last->at && revision->number != last->at)
		return 0;
	last->at = revision->number;
	last->found = !revision->undoes;
	if (revision->undoes)
		last->at = revision->restores;
	return last->found || !last->at;
}

static int find_undo(struct store *store, uint64_t *to, bool *trial,
		     struct err *err)
{
	struct trial waiting;
	struct last last = { 0 };
	int rc = store_trial(store, &waiting, err);

	*trial = waiting.is;
	*to = waiting.restores;
	trial_clear(&waiting);
	if (rc < 0 || *trial)
		return rc;
	rc = store_history(store, find_last, &last, err);
	if (rc == 0 && !last.found)
		rc = err_set(err, ENOENT, "there is nothing to undo");
	*to = last.at - 1;
	return rc;
}

static int undo_run(struct session *session, const struct match *match,
		    struct err *err)
{
	AUTO(store) struct store *store = NULL;
	uint64_t to;
	bool trial;
	int rc = check_alone(session, "undo", err);

	(void)match;
	if (rc == 0 && session->draft)
		rc = err_set(err, ECANCELED,
			     "there is a candidate: commit or discard it "
			     "before you undo what was committed");
	if (rc < 0)
		return rc;
	store = reader(session, err);
	if (!store)
		return err->code;
	rc = find_undo(store, &to, &trial, err);
	if (rc == 0)
		rc = put_back(session, to, err);
	if (rc < 0)
		return rc;
	session->stamp.undoes = true;
	session->stamp.restores = to;
	session->stamp.ends_trial = trial;
	session_because(session, mem_printf("undo of revision %llu",
					    (unsigned long long)to + 1));
	return 0;
}

static const struct arg undo_args[] = { ARG_FORCE, { 0 } };

const struct command command_undo = {
	.name = "undo",
	.summary = "go back to what stood before the last revision",
	.man = "As a new revision: history keeps both. Once more goes on "
	       "backwards: undo after undo is not redo (rollback N is). A "
	       "commit that waits for its confirmation is undone at once, with "
	       "all that joined it.",
	.example = "undo",
	.see = "rollback, history",
	.json = JSON_CHANGE,
	.args = undo_args,
	.needs = NEEDS_TREE | NEEDS_WRITE,
	.run = undo_run,
};

static int rollback_run(struct session *session, const struct match *match,
			struct err *err)
{
	const char *reason = match_value(match, "reason");
	uint64_t to = 0;
	int rc = check_alone(session, "rollback", err);

	if (rc == 0)
		rc = revision_parse(match_value(match, "revision"), &to, err);
	if (rc == 0)
		rc = put_back(session, to, err);
	if (rc < 0)
		return rc;
	session_because(session, reason ? mem_strdup(reason)
					: mem_printf("rollback to %llu",
						     (unsigned long long)to));
	return 0;
}

static const struct arg rollback_args[] = {
	{ .name = "revision",
	  .type = &type_revision,
	  .flags = ARG_REQUIRED,
	  .help = "which one" },
	{ .name = "reason", .type = &type_words, .help = "for the history" },
	ARG_FORCE,
	{ 0 },
};

const struct command command_rollback = {
	.name = "rollback",
	.summary = "go back to an earlier revision",
	.man = "By the differences only, and as a new revision: history loses "
	       "nothing, and a rollback can be undone. After begin, the "
	       "candidate becomes that revision. 0 is the empty configuration.",
	.example = "rollback 7",
	.see = "history, diff, undo",
	.json = JSON_CHANGE,
	.args = rollback_args,
	.needs = NEEDS_TREE | NEEDS_WRITE,
	.run = rollback_run,
};

/* ---- blame ---- */

/* A node or one of its settings, and who it is by. */
struct blamed {
	const struct node *node;
	const struct attr *attr; /* NULL: the node itself */
	uint64_t revision;	 /* 0: not known yet */
	int64_t at_us;
	char *actor; /* owned */
};

struct blame {
	struct blamed *rows; /* owned, in the order of the tree */
	size_t count, room;
	struct blamed **sorted; /* owned, by node and name */
};

static const char *name_of(const struct blamed *row)
{
	return row->attr ? row->attr->name : "";
}

static int by_node(const void *a, const void *b)
{
	const struct blamed *left = *(struct blamed *const *)a;
	const struct blamed *right = *(struct blamed *const *)b;
	uint64_t l = node_id(left->node), r = node_id(right->node);

	return l < r ? -1 : l > r ? 1 : strcmp(name_of(left), name_of(right));
}

static void add_row(struct blame *blame, const struct node *node,
		    const struct attr *attr)
{
	blame->rows = mem_grow(blame->rows, blame->count, &blame->room,
			       sizeof(*blame->rows));
	blame->rows[blame->count++] =
		(struct blamed){ .node = node, .attr = attr };
}

static void add_branch(struct blame *blame, const struct node *top)
{
	for (const struct node *at = top; at; at = node_walk(top, at)) {
		const struct kind *kind = node_kind(at);

		if (!node_is_fixed(at))
			add_row(blame, at, NULL);
		for (size_t i = 0; i < kind->attr_count; i++)
			if (node_origin(at, i) == ORIGIN_GIVEN)
				add_row(blame, at, &kind->attrs[i]);
	}
	blame->sorted = mem_array(blame->count, sizeof(*blame->sorted));
	for (size_t i = 0; i < blame->count; i++)
		blame->sorted[i] = &blame->rows[i];
	qsort(blame->sorted, blame->count, sizeof(*blame->sorted), by_node);
}

static struct blamed *find_row(const struct blame *blame, uint64_t node,
			       const char *setting)
{
	size_t low = 0, high = blame->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		struct blamed *row = blame->sorted[middle];
		uint64_t id = node_id(row->node);
		int order = id < node	? -1
			    : id > node ? 1
					: strcmp(name_of(row), setting);

		if (order == 0)
			return row;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

static int take_blame(const struct revision *revision, uint64_t node,
		      const char *setting, void *arg)
{
	struct blamed *row = find_row(arg, node, setting ? setting : "");

	if (!row || row->revision)
		return 0; /* gone again, or set anew since */
	row->revision = revision->number;
	row->at_us = revision->at_us;
	row->actor = mem_strdup(revision->actor);
	return 0;
}

static void show_blamed(struct output *output, const struct blamed *row)
{
	AUTO(str) char *path = node_path_dup(row->node);
	AUTO_TEXT when = TEXT_NONE, setting = TEXT_NONE;

	if (row->attr) {
		text_printf(&setting, "%s=", row->attr->name);
		node_print(row->node,
			   kind_index(node_kind(row->node), row->attr),
			   &setting);
	} else {
		text_put(&setting, "created");
	}
	time_print(row->at_us, &when);
	output_open(output, SHAPE_ROW, NULL, NULL);
	output_field(output, "path", path);
	output_field(output, "setting", text_get(&setting));
	output_number(output, "revision", row->revision);
	output_field(output, "at", row->revision ? text_get(&when) : "");
	output_field(output, "actor", row->actor ? row->actor : "");
	output_close(output);
}

static int blame_node(struct session *session, const struct node *node,
		      struct err *err)
{
	AUTO(store) struct store *store = reader(session, err);
	struct blame blame = { 0 };
	int rc;

	if (!store)
		return err->code;
	add_branch(&blame, node);
	rc = store_blame(store, take_blame, &blame, err);
	output_open(session->output, SHAPE_TABLE, "blame", NULL);
	for (size_t i = 0; i < blame.count; i++) {
		if (rc == 0)
			show_blamed(session->output, &blame.rows[i]);
		free(blame.rows[i].actor);
	}
	output_close(session->output);
	free(blame.rows);
	free(blame.sorted);
	return rc;
}

static int blame_run(struct session *session, const struct match *match,
		     struct err *err)
{
	const struct node *node = match_node(match, "path", err);
	const struct tree *base = draft_base(session);
	AUTO(str) char *path = NULL;

	if (!node)
		return err->code;
	path = node_path_dup(node);
	if (base)
		node = tree_walk(base, tree_root(base), path, NULL);
	if (!node)
		return err_set(err, ENOENT, "%s: is not committed yet", path);
	return blame_node(session, node, err);
}

static const struct arg blame_args[] = {
	{ .name = "path",
	  .type = &type_node,
	  .help = "the object, with all below; this one, if left out" },
	{ 0 },
};

const struct command command_blame = {
	.name = "blame",
	.summary = "show who set what, when, in which revision",
	.man = "For each setting that somebody gave, and for each object: the "
	       "revision that brought it to what it is now.",
	.example = "blame /paths",
	.see = "history, diff",
	.json = "blame:[blamed]",
	.args = blame_args,
	.needs = NEEDS_TREE | REPEATABLE,
	.run = blame_run,
};

/* ---- diff ---- */

static int show_diff(struct session *session, const struct tree *from,
		     const struct tree *to)
{
	if (!difference_show(session->output, from, to, 0))
		output_say(session->output, SAY_DONE, "No difference.");
	return 0;
}

/* Others' changes since begin are no part of what the candidate does. */
static int diff_running(struct session *session, struct err *err)
{
	AUTO(store) struct store *store = NULL;
	uint64_t now;

	if (!session->draft) {
		output_open(session->output, SHAPE_TABLE, "changes", NULL);
		output_close(session->output);
		output_say(session->output, SAY_DONE,
			   "There is no candidate: begin starts one.");
		return 0;
	}
	store = reader(session, err);
	if (!store || store_revision(store, &now, err) < 0)
		return err->code;
	if (now != session->base)
		output_say(session->output, SAY_WARNING,
			   "others changed something meanwhile (revision %llu, "
			   "the candidate began at %llu): diff r%llu shows it; "
			   "commit brings both together",
			   (unsigned long long)now,
			   (unsigned long long)session->base,
			   (unsigned long long)session->base);
	return show_diff(session, draft_base(session), session->place.tree);
}

static int diff_revision(struct session *session, const char *against,
			 struct err *err)
{
	AUTO(store) struct store *store = reader(session, err);
	AUTO(tree) struct tree *past = NULL;
	AUTO(tree) struct tree *now = NULL;
	uint64_t number = 0;
	int rc = store ? revision_parse(against, &number, err) : err->code;

	if (rc == 0)
		rc = store_load_at(store, number, &past, err);
	if (rc == 0)
		rc = store_load(store, &now, err);
	return rc < 0 ? rc : show_diff(session, past, now);
}

static int diff_kernel(struct session *session, struct err *err)
{
	const char *why;
	const struct outcome *seen = session_observe(session, &why);

	if (!seen)
		return err_set(err, ECANCELED, "diff kernel: %s", why);
	output_open(session->output, SHAPE_TABLE, "steps", NULL);
	for (size_t i = 0; i < seen->plan.count; i++) {
		const struct step *step = &seen->plan.items[i];
		AUTO_TEXT text = TEXT_NONE;

		step_print(step, &text);
		output_open(session->output, SHAPE_ROW, NULL, NULL);
		if (output_is_json(session->output))
			output_field(session->output, "path", step_path(step));
		output_field(session->output, "step", text_get(&text));
		output_close(session->output);
	}
	output_close(session->output);
	for (size_t i = 0; i < seen->report.count; i++)
		output_finding(session->output, NULL, &seen->report.items[i]);
	if (!seen->plan.count)
		output_say(session->output, SAY_DONE, "No difference%s.",
			   seen->blind ? ", as far as it can be read" : "");
	return 0;
}

static int diff_file(struct session *session, const char *file, struct err *err)
{
	struct batch *batch = batch_read_file(file, session->output, err);
	struct session builder;
	int rc;

	if (!batch)
		return err->code;
	batch_builder(&builder, session, tree_new());
	rc = batch_run(&builder, batch, err);
	if (rc < 0)
		err_prefix(err, "%s:%u: ", file, builder.line);
	else
		show_diff(session, session->place.tree, builder.place.tree);
	session_clear(&builder);
	batch_free(batch);
	return rc;
}

static bool is_revision(const char *text)
{
	uint64_t number;

	return revision_parse(text, &number, NULL) == 0;
}

static int diff_run(struct session *session, const struct match *match,
		    struct err *err)
{
	const char *against = match_value(match, "against");
	const char *number = match_value(match, "backup");
	AUTO(str) char *backup = NULL;

	if (against && number)
		return err_set(err, EINVAL,
			       "backup= and '%s' do not go together", against);
	if (number &&
	    backup_pick(session->options.store, number, &backup, err) < 0)
		return err->code;
	if (backup)
		return diff_file(session, backup, err);
	if (!against || !strcmp(against, "running"))
		return diff_running(session, err);
	if (!strcmp(against, "kernel"))
		return diff_kernel(session, err);
	if (is_revision(against))
		return diff_revision(session, against, err);
	return diff_file(session, against, err);
}

static const struct arg diff_args[] = {
	{ .name = "against",
	  .type = &type_against,
	  .help = "running, if left out; kernel, r7, or a file" },
	{ .name = "backup",
	  .type = &type_looks,
	  .help = "what saveconfig's own file said before; 1 is the newest" },
	{ 0 },
};

const struct command command_diff = {
	.name = "diff",
	.summary = "show what a change does, or did",
	.man = "Alone, or with running: what the candidate changes. With a "
	       "revision (r7): what was changed since that one. With kernel: "
	       "the steps that would make the running system what was "
	       "committed. With a file, as saveconfig writes it: what "
	       "restoreconfig would change; backup= names such a file by its "
	       "number.\n"
	       "\n"
	       "+ is made, - goes, ~ is set to something else.",
	.example = "diff\ndiff r7\ndiff kernel\ndiff backup=1",
	.see = "plan, history, blame",
	.json = "changes?:[change] steps?:[step]",
	.args = diff_args,
	.needs = NEEDS_TREE | REPEATABLE,
	.run = diff_run,
};
