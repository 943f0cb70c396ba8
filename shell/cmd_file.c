/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The configuration as a file: saveconfig, backups, clearconfig. */
#include <string.h>

#include "shell/backup.h"
#include "shell/change.h"
#include "shell/pref.h"
#include "shell/save.h"
#include "shell/session.h"
#include "shell/sync.h"

/* ---- saveconfig ---- */

static int saveconfig_run(struct session *session, const struct match *match,
			  struct err *err)
{
	const char *given = match_value(match, "file");
	AUTO(str)
	char *file = given ? mem_strdup(given)
			   : save_file_of(session->options.store);
	AUTO_TEXT saved = TEXT_NONE;
	int rc;

	save_print(match->place.tree, &saved);
	if (!strcmp(file, "-") && output_is_json(session->output)) {
		output_field(session->output, "config", text_get(&saved));
		return 0;
	}
	if (!strcmp(file, "-")) {
		output_raw(session->output, text_get(&saved), saved.length);
		return 0;
	}
	rc = given ? 0
		   : backup_keep(file, text_get(&saved), saved.length,
				 pref_u(PREF_BACKUPS), err);
	if (rc == 0)
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
	       "replaced whole or not at all. Of the file that it writes where "
	       "none is named, the last ten that were different are kept "
	       "(set global backups=N): backups lists them.",
	.example = "saveconfig /root/edge.tresse\nsaveconfig -",
	.see = "restoreconfig, backups, clearconfig",
	.json = "saved?:string config?:string",
	.args = saveconfig_args,
	.needs = NEEDS_TREE,
	.run = saveconfig_run,
};

/* ---- backups ---- */

static int backups_run(struct session *session, const struct match *match,
		       struct err *err)
{
	struct output *output = session->output;
	AUTO(str) char *file = save_file_of(session->options.store);
	AUTO_BACKUPS backups;

	(void)match;
	(void)err;
	backups_load(file, &backups);
	output_open(output, SHAPE_TABLE, "backups", NULL);
	for (size_t i = 0; i < backups.count; i++) {
		AUTO_TEXT when = TEXT_NONE;

		time_print(backups.items[i].at_us, &when);
		output_open(output, SHAPE_ROW, NULL, NULL);
		output_number(output, "number", i + 1);
		output_field(output, "saved", text_get(&when));
		output_field(output, "file", backups.items[i].file);
		output_close(output);
	}
	output_close(output);
	if (!backups.count)
		output_say(output, SAY_DONE,
			   "There are no backups yet: saveconfig keeps what "
			   "%s said before, where it was different.",
			   file);
	return 0;
}

const struct command command_backups = {
	.name = "backups",
	.summary = "list what saveconfig's own file said before",
	.man = "The newest first, at most ten (set global backups=N). "
	       "restoreconfig backup=NUMBER "
	       "goes "
	       "back to one; diff FILE compares one with what is now.",
	.example = "backups",
	.see = "saveconfig, restoreconfig, diff",
	.json = "backups:[backup]",
	.needs = REPEATABLE,
	.run = backups_run,
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
	AUTO(tree) struct tree *empty = tree_new();
	AUTO_TEXT counts = TEXT_NONE;

	if (!match_value(match, "confirm")) {
		put_counts(match->place.tree, &counts);
		return err_set(err, ECANCELED,
			       "this would delete %s and all settings of "
			       "/system; to do it: clearconfig confirm=yes",
			       counts.length ? text_get(&counts) : "nothing");
	}
	session->force = true;
	return sync_to(session, &(struct sync){ .wanted = empty }, err);
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
	       "what would go. What is queued then is lost.",
	.example = "clearconfig confirm=yes",
	.see = "saveconfig, restoreconfig, delete",
	.json = JSON_CHANGE,
	.args = clearconfig_args,
	.needs = NEEDS_TREE | NEEDS_WRITE_VALUES,
	.run = clearconfig_run,
};
