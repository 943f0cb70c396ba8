/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The configuration as a file: saveconfig, restoreconfig, clearconfig. */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "shell/batch.h"
#include "shell/save.h"
#include "shell/session.h"

/* ---- saveconfig ---- */

static char *default_file(const struct session *session)
{
	const char *store = session->options.store;
	const char *slash = strrchr(store, '/');

	return mem_printf("%.*ssaveconfig.tresse",
			  slash ? (int)(slash + 1 - store) : 0, store);
}

static int saveconfig_run(struct session *session, const struct match *match,
			  struct err *err)
{
	const char *given = match_value(match, "file");
	AUTO(str)
	char *file = given ? mem_strdup(given) : default_file(session);
	AUTO_TEXT saved = TEXT_NONE;
	int rc;

	save_print(match->place.tree, &saved);
	if (!strcmp(file, "-")) {
		output_raw(session->output, text_get(&saved), saved.length);
		return 0;
	}
	rc = save_write(file, text_get(&saved), saved.length, err);
	if (rc < 0)
		return rc;
	if (output_is_json(session->output))
		output_field(session->output, "saved", file);
	output_say(session->output, SAY_DONE, "Configuration saved to %s.",
		   file);
	return 0;
}

static const struct arg saveconfig_args[] = {
	{ .name = "file",
	  .type = &type_file,
	  .help = "where to; saveconfig.tresse beside the store, if left out; "
		  "- is stdout" },
	{ 0 },
};

const struct command command_saveconfig = {
	.name = "saveconfig",
	.summary = "write the configuration as a batch that rebuilds it",
	.man = "One object a line, sorted, with what was set and not with what "
	       "Tresse chose. The store keeps the configuration anyway; this "
	       "is for copies, for other machines and for reading. The file is "
	       "replaced whole or not at all.",
	.example = "saveconfig /root/edge.tresse\nsaveconfig -",
	.see = "restoreconfig, clearconfig",
	.args = saveconfig_args,
	.needs = NEEDS_TREE,
	.run = saveconfig_run,
};

/* ---- restoreconfig ---- */

/* What sync changed, as if it had been typed: created, changed, deleted. */
static void note_changes(struct session *session, const struct ledger *lines)
{
	const struct node *root = tree_root(session->place.tree);

	for (const struct node *at = root; at; at = node_walk(root, at)) {
		AUTO(str) char *path = NULL;
		enum deed deed =
			node_dirt(at) == DIRT_NEW ? DEED_CREATED : DEED_CHANGED;

		if (node_dirt(at) == DIRT_NONE)
			continue;
		path = node_path_dup(at);
		if (lines && !session->gathering)
			session->line = ledger_line(lines, path);
		session_did(session, deed, at,
			    mem_printf("%s: %s.", path, deed_name(deed)));
	}
	if (!session->gathering)
		session->line = 0;
}

static bool is_in(const struct tree *tree, const struct node *node)
{
	AUTO(str) char *path = node_path_dup(node);

	return tree_walk(tree, tree_root(tree), path, NULL) != NULL;
}

/* What is there and not wanted: the tops of the branches that go. */
static void note_deletions(struct session *session, const struct node *node,
			   const struct tree *wanted)
{
	if (!is_in(wanted, node)) {
		session_did(session, DEED_DELETED, node, NULL);
		return;
	}
	node_each (child, node)
		note_deletions(session, child, wanted);
}

static void sync_tree(struct session *session, const struct tree *wanted,
		      bool merge, const struct ledger *lines)
{
	AUTO(str) char *path = session_path(session);
	struct tree *tree = session->place.tree;

	session->place.here = tree_root(tree); /* what is here may go */
	if (!merge)
		note_deletions(session, tree_root(tree), wanted);
	tree_sync(tree, wanted, merge);
	note_changes(session, lines);
	session->summing = true;
	session->place.here = tree_walk(tree, tree_root(tree), path, NULL);
	if (!session->place.here)
		session->place.here = tree_root(tree);
}

static struct batch *read_file(struct session *session, const char *file,
			       struct err *err)
{
	struct batch *batch;
	int fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	if (fd < 0) {
		err_set(err, errno, "%s cannot be read: %s", file,
			strerror(errno));
		return NULL;
	}
	batch = batch_read(fd, file, session->output, err);
	close(fd);
	return batch;
}

static int build(struct session *builder, const struct batch *batch,
		 struct err *err)
{
	builder->building = builder->gathering = true;
	builder->place.tree = tree_new();
	builder->place.here = tree_root(builder->place.tree);
	return batch_run(builder, batch, err);
}

/* Errors and findings are at a line of the file; within a batch they are at the
 * batch's line, and the file's is said as well. */
static void stand_at(struct session *session, const char *file, unsigned line,
		     struct err *err)
{
	if (session->gathering) {
		err_prefix(err, "%s:%u: ", file, line);
		return;
	}
	session->source = file;
	session->line = line;
}

static int restore_file(struct session *session, const char *file, bool merge,
			struct err *err)
{
	struct session builder;
	struct batch *batch = read_file(session, file, err);
	int rc;

	if (!batch)
		return err->code;
	session_init(&builder, &session->options, session->output);
	rc = build(&builder, batch, err);
	stand_at(session, file, rc < 0 ? builder.line : 0, err);
	if (rc == 0)
		sync_tree(session, builder.place.tree, merge, &builder.ledger);
	session_clear(&builder);
	batch_free(batch);
	return rc;
}

static int restoreconfig_run(struct session *session, const struct match *match,
			     struct err *err)
{
	const char *file = match_value(match, "file");
	const char *mode = match_value(match, "mode");

	session->summing = true;
	if (!file && mode)
		return err_set(err, EINVAL,
			       "mode= goes with a file; usage: restoreconfig "
			       "FILE mode=%s",
			       mode);
	if (!file) /* the store is the candidate: put the host right */
		return 0;
	return restore_file(session, file, mode && !strcmp(mode, "merge"), err);
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
	{ .name = "mode",
	  .type = &type_choice,
	  .choices = restore_modes,
	  .help = "replace, if left out, or merge" },
	{ 0 },
};

const struct command command_restoreconfig = {
	.name = "restoreconfig",
	.summary = "go to a saved configuration, or apply the store again",
	.man = "With a file, the configuration becomes what the file says, by "
	       "the differences only. Without one, the running system is put "
	       "to what the store says: after a boot, or when others changed "
	       "it.",
	.example = "restoreconfig\nrestoreconfig /root/edge.tresse mode=merge",
	.see = "saveconfig, status",
	.args = restoreconfig_args,
	.needs = NEEDS_TREE | NEEDS_WRITE,
	.run = restoreconfig_run,
};

/* ---- clearconfig ---- */

static void put_counts(const struct tree *tree, struct text *out)
{
	const struct node *root = tree_root(tree);

	for (const struct kind *const *kind = kinds; *kind; kind++) {
		size_t count = 0;

		for (const struct node *at = root; at; at = node_walk(root, at))
			count += node_kind(at) == *kind && !node_is_fixed(at);
		if (count)
			text_printf(
				out, "%s%zu %s", out->length ? ", " : "", count,
				count == 1 ? (*kind)->name : (*kind)->plural);
	}
}

static int clearconfig_run(struct session *session, const struct match *match,
			   struct err *err)
{
	AUTO(tree) struct tree *empty = NULL;
	AUTO_TEXT counts = TEXT_NONE;

	if (!match_value(match, "confirm")) {
		put_counts(match->place.tree, &counts);
		return err_set(err, ECANCELED,
			       "this would delete %s and all settings of "
			       "/system; to do it: clearconfig confirm=yes",
			       counts.length ? text_get(&counts) : "nothing");
	}
	empty = tree_new();
	sync_tree(session, empty, false, NULL);
	return 0;
}

static const struct choice yes[] = { { "yes", "delete everything" },
				     { NULL, NULL } };

static const struct arg clearconfig_args[] = {
	{ .name = "confirm",
	  .type = &type_choice,
	  .choices = yes,
	  .help = "yes, to do it; left out, it only says what would go" },
	{ 0 },
};

const struct command command_clearconfig = {
	.name = "clearconfig",
	.summary = "delete everything, and put the host back as it was found",
	.man = "One transaction. Without confirm=yes it is refused, and says "
	       "what would go.",
	.example = "clearconfig confirm=yes",
	.see = "saveconfig, restoreconfig, delete",
	.args = clearconfig_args,
	.needs = NEEDS_TREE | NEEDS_WRITE_VALUES,
	.run = clearconfig_run,
};
