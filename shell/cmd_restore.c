/* SPDX-License-Identifier: GPL-3.0-or-later */
/* To a saved configuration, by the difference only: restoreconfig. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "shell/backup.h"
#include "shell/batch.h"
#include "shell/difference.h"
#include "shell/pref.h"
#include "shell/save.h"
#include "shell/session.h"
#include "shell/sync.h"

/* Lines of a preview; all of them are in what diff shows. */
#define PREVIEW_LINES 60

/* ---- what is asked for ---- */

/* The file, or the one of that backup. *file stays NULL without either. */
static int find_file(const struct session *session, const struct match *match,
		     char **file, struct err *err)
{
	const char *given = match_value(match, "file");
	const char *number = match_value(match, "backup");
	const char *mode = match_value(match, "mode");
	const char *path = match_value(match, "path");

	if (given && number)
		return err_set(err, EINVAL,
			       "backup= and a file do not go together");
	if (!given && !number && (mode || path))
		return err_set(err, EINVAL,
			       "%s= goes with a file; usage: restoreconfig "
			       "FILE %s=%s",
			       mode ? "mode" : "path", mode ? "mode" : "path",
			       mode ? mode : path);
	if (given)
		*file = mem_strdup(given);
	return number ? backup_pick(session->options.store, number, file, err)
		      : 0;
}

/* "uplink" typed in /classes is /classes/uplink, whether it is there or not.
 * *out stays NULL where no path was given. */
static int find_path(const struct session *session, const struct match *match,
		     char **out, struct err *err)
{
	const char *path = match_value(match, "path");
	const struct node *node;
	AUTO(str) char *here = NULL;

	if (!path)
		return 0;
	if (!*path)
		return err_set(err, EINVAL,
			       "the path is empty: leave it out, or say / for "
			       "all of the file");
	node = match_node(match, "path", *path == '@' ? err : NULL);
	if (!node && *path == '@')
		return err ? err->code : -ENOENT;
	if (node == tree_root(session->place.tree))
		return 0; /* all of it, with what guards that */
	here = session_path(session);
	if (node)
		*out = node_path_dup(node);
	else if (*path == '/')
		*out = mem_strdup(path);
	else
		*out = mem_printf("%s/%s", here[1] ? here : "", path);
	return 0;
}

static bool is_merge(const struct match *match)
{
	const char *mode = match_value(match, "mode");

	return mode && !strcmp(mode, "merge");
}

/* ---- reading the file ---- */

/* Errors and findings are at a line of the file; within a batch they are at the
 * batch's line, and the file's is said as well. */
static void stand_at(struct session *session, const char *file, unsigned line,
		     struct err *err)
{
	if (session->gathering) {
		err_prefix(err, "%s:%u: ", file, line);
		return;
	}
	free(session->restored); /* who tells of it still needs the name */
	session->restored = mem_strdup(file);
	session->source = session->restored;
	session->line = line;
}

static int read_file(struct session *session, const char *file,
		     struct session *builder, struct err *err)
{
	struct batch *batch = batch_read_file(file, session->output, err);
	int rc;

	if (!batch)
		return err->code;
	batch_builder(builder, session, tree_new());
	rc = batch_run(builder, batch, err);
	batch_free(batch);
	if (rc == 0)
		return 0;
	stand_at(session, file, builder->line, err);
	session_clear(builder);
	return rc;
}

/* A file that was cut off, or is another one, is not to wipe everything. */
static int check_wipe(const struct session *session, const struct sync *sync,
		      struct err *err)
{
	const struct node *root = tree_root(session->place.tree);
	const struct node *wanted = tree_root(sync->wanted);
	size_t here = 0, there = 0;

	if (sync->merge || sync->path)
		return 0;
	for (const struct node *at = root; at; at = node_walk(root, at))
		here += !node_is_fixed(at);
	for (const struct node *at = wanted; at; at = node_walk(wanted, at))
		there += !node_is_fixed(at);
	if (there || !here)
		return 0;
	return err_set(err, ECANCELED,
		       "the file has no object in it, so all %zu would go; if "
		       "that is meant: clearconfig confirm=yes",
		       here);
}

/* ---- the preview ---- */

/* What it would change is shown; returns how much that is. */
static int preview(struct session *session, const struct sync *sync,
		   size_t *changes, struct err *err)
{
	AUTO(tree) struct tree *after = tree_new();
	const struct tree *now = session->place.tree;
	int rc;

	tree_sync(after, now, false);
	rc = sync_tree(after, sync, err);
	if (rc < 0)
		return rc;
	*changes = difference_show(session->output, now, after, PREVIEW_LINES);
	if (*changes > PREVIEW_LINES)
		output_say(session->output, SAY_DONE,
			   "... and %zu more changes",
			   *changes - PREVIEW_LINES);
	return 0;
}

/* Straight from the terminal: between two lines it is as any program has it. */
static bool says_yes(void)
{
	char answer[64];
	ssize_t got = read(STDIN_FILENO, answer, sizeof(answer) - 1);

	if (got <= 0) {
		putchar('\n');
		return false;
	}
	answer[got] = '\0';
	answer[strcspn(answer, "\n")] = '\0';
	return !strcmp(answer, "y") || !strcmp(answer, "yes");
}

static int ask_about(struct session *session, const struct sync *sync,
		     const char *file, struct err *err)
{
	size_t changes = 0;
	int rc = check_wipe(session, sync, err);

	if (rc == 0)
		rc = preview(session, sync, &changes, err);
	output_end(session->output);
	if (rc < 0 || !changes)
		return rc;
	output_flush(session->output);
	fprintf(stderr, "%zu change%s by %s. Apply? [y/N] ", changes,
		changes == 1 ? "" : "s", file);
	fflush(stderr);
	if (says_yes())
		return 0;
	return err_set(err, ECANCELED,
		       "nothing was done (set global ask=no does not ask)");
}

/* Before the lock: nobody waits for somebody who thinks. */
static int restoreconfig_ask(struct session *session, const struct match *match,
			     struct err *err)
{
	AUTO(str) char *file = NULL;
	AUTO(str) char *path = NULL;
	struct session builder;
	int rc;

	if (!pref_u(PREF_ASK) || session->options.dry ||
	    !output_is_terminal(session->output) ||
	    output_is_json(session->output))
		return 0;
	rc = find_file(session, match, &file, err);
	if (rc == 0)
		rc = find_path(session, match, &path, err);
	if (rc < 0 || !file)
		return rc;
	rc = read_file(session, file, &builder, err);
	if (rc == 0) {
		const struct sync sync = { builder.place.tree, is_merge(match),
					   path, NULL };

		output_begin(session->output);
		rc = ask_about(session, &sync, file, err);
		session_clear(&builder);
	}
	return rc;
}

/* ---- doing it ---- */

static int restore(struct session *session, const struct match *match,
		   const char *file, struct err *err)
{
	AUTO(str) char *path = NULL;
	bool shown = session->staying && output_is_terminal(session->output) &&
		     pref_u(PREF_ASK);
	struct session builder;
	size_t changes;
	int rc = find_path(session, match, &path, err);

	if (rc == 0)
		rc = read_file(session, file, &builder, err);
	if (rc == 0) {
		const struct sync sync = { builder.place.tree, is_merge(match),
					   path, &builder.ledger };

		stand_at(session, file, 0, err);
		rc = check_wipe(session, &sync, err);
		if (rc == 0 && !output_is_json(session->output) &&
		    (!shown || session->options.dry))
			rc = preview(session, &sync, &changes, err);
		/* It comes first, and what became of it behind. */
		output_end(session->output);
		output_begin(session->output);
		if (rc == 0)
			rc = sync_to(session, &sync, err);
		session_clear(&builder);
	}
	return rc;
}

static int restoreconfig_run(struct session *session, const struct match *match,
			     struct err *err)
{
	AUTO(str) char *file = NULL;
	int rc = find_file(session, match, &file, err);

	if (rc < 0)
		return rc;
	session->summing = true;
	if (file)
		return restore(session, match, file, err);
	if (session->draft)
		return err_set(err, ECANCELED,
			       "there is a candidate, so what would be applied "
			       "is not what is stored: commit or discard it "
			       "first");
	return 0; /* the store is the candidate: put the host right */
}

static const struct choice restore_modes[] = {
	{ "replace", "the configuration is what the file says, and no more" },
	{ "merge", "what the file does not name stays as it is" },
	{ NULL, NULL }
};

static const struct arg restoreconfig_args[] = {
	{ .name = "file",
	  .type = &type_file,
	  .help = "a batch as saveconfig writes it; the store, if left out" },
	{ .name = "path",
	  .type = &type_branch,
	  .help = "only what is there and below it; all, if left out" },
	{ .name = "mode",
	  .type = &type_choice,
	  .choices = restore_modes,
	  .help = "replace, if left out, or merge" },
	{ .name = "backup",
	  .type = &type_looks,
	  .help = "what saveconfig's own file said before; 1 is the newest" },
	ARG_FORCE,
	{ 0 },
};

const struct command command_restoreconfig = {
	.name = "restoreconfig",
	.summary = "go to a saved configuration, or apply the store again",
	.man = "With a file, the configuration becomes what the file says, by "
	       "the differences only, which are shown first; in a shell at a "
	       "terminal it then asks (set global ask=no does not). With a "
	       "path, that branch becomes what the file says of it, and the "
	       "rest stays. -n shows the differences and the steps, and does "
	       "nothing.\n"
	       "\n"
	       "Without a file, the running system is put to what the store "
	       "says: after a boot, or when others changed it.",
	.example = "restoreconfig\nrestoreconfig /root/edge.tresse mode=merge\n"
		   "restoreconfig /root/edge.tresse /classes\n"
		   "restoreconfig backup=1",
	.see = "saveconfig, backups, diff, status",
	.json = JSON_CHANGE,
	.args = restoreconfig_args,
	.needs = NEEDS_TREE | NEEDS_WRITE,
	.ask = restoreconfig_ask,
	.run = restoreconfig_run,
};
