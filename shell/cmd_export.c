/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The configuration in the words of the field's own tools: export. */
#include <string.h>

#include "backends/list.h"
#include "shell/save.h"
#include "shell/session.h"

static const struct backend *backend_for(const char *tool)
{
	const struct backend *const *at = backends;

	while (*at && (!(*at)->exports || strcmp((*at)->exports, tool) != 0))
		at++;
	return *at;
}

/* From one on. */
static void show_findings(struct session *session, const struct report *report,
			  size_t from)
{
	struct origin_line where = session_where(session);

	for (size_t i = from; i < report->count; i++)
		output_finding(session->output, &where, &report->items[i]);
}

static int write_out(struct session *session, const char *file,
		     const struct text *text, struct err *err)
{
	struct output *output = session->output;
	bool to_stdout = !file || !strcmp(file, "-");
	int rc = 0;

	if (to_stdout && output_is_json(output)) {
		output_field(output, "commands", text_get(text));
	} else if (to_stdout) {
		output_raw(output, text_get(text), text->length);
	} else {
		rc = save_write(file, text_get(text), text->length, err);
		if (rc == 0 && output_is_json(output))
			output_field(output, "saved", file);
	}
	return rc;
}

static void put_header(const struct session *session, const char *tool,
		       struct text *out)
{
	bool nft = !strcmp(tool, "nft");

	text_printf(out, "# Tresse's revision %llu in words of %s. %s.\n",
		    (unsigned long long)session->base, tool,
		    nft ? "For nft -f" : "For sh -e");
}

/* What can be said is written; what cannot ends with an error all the same. */
static int export_to(struct session *session, const struct exporting *exporting,
		     const struct backend *backend, const char *file,
		     struct err *err)
{
	AUTO_TEXT text = TEXT_NONE;
	size_t had = exporting->report->count;
	size_t gaps;
	int rc;

	put_header(session, backend->exports, &text);
	rc = backend->export(exporting, &text, err);
	if (rc < 0)
		return rc;
	rc = write_out(session, file, &text, err);
	show_findings(session, exporting->report, had);
	gaps = exporting->report->errors;
	if (rc == 0 && gaps)
		rc = err_set(err, EOPNOTSUPP,
			     "%zu thing%s not in it, for %s has no words: %s "
			     "a line of comment says which",
			     gaps, gaps == 1 ? " is" : "s are",
			     backend->exports,
			     gaps == 1 ? "instead" : "for each");
	return rc;
}

static int export_run(struct session *session, const struct match *match,
		      struct err *err)
{
	const char *tool = match_value(match, "tool");
	const struct backend *backend = backend_for(tool);
	const struct tree *tree = match->place.tree;
	struct outcome outcome;
	int rc = txn_want(session_host(session), backends, host_read_facts,
			  tree, &outcome, err);

	if (rc == 0) {
		show_findings(session, &outcome.report, 0);
		rc = report_err(&outcome.report, err);
	}
	if (rc == 0) {
		const struct exporting exporting = { session_host(session),
						     tree, &outcome.facts,
						     &outcome.want,
						     &outcome.report };

		rc = export_to(session, &exporting, backend,
			       match_value(match, "file"), err);
	}
	outcome_clear(&outcome);
	return rc;
}

static const struct choice tools[] = {
	{ "tc", "qdiscs, classes, queues and filters" },
	{ "nft", "the table that gives packets their class" },
	{ "ip", "routes and rules of the paths" },
	{ NULL, NULL },
};

static const struct arg export_args[] = {
	{ .name = "tool",
	  .type = &type_choice,
	  .flags = ARG_REQUIRED,
	  .choices = tools,
	  .help = "whose commands: tc, nft or ip" },
	{ .name = "file",
	  .type = &type_file,
	  .help = "where to; stdout, if left out, or -" },
	{ 0 },
};

const struct command command_export = {
	.name = "export",
	.summary = "write the configuration as commands of tc, nft or ip",
	.man = "On a host with the same devices and nothing of Tresse's, they "
	       "make what Tresse would: tc and ip as lines for a shell, nft as "
	       "a file for nft -f. It is what is wanted, not what is there, "
	       "and needs no privilege. What import left to others "
	       "(filters=foreign, leaf=foreign) is asked of the kernel and "
	       "said too, in words of tc 6.1: queues of any kind with all "
	       "below them, filters with their actions. What cannot be said "
	       "(a program of eBPF, whose file nobody knows) is a line of "
	       "comment that says why, and the command ends with 1. "
	       "Thousands of classes: tresse export tc | sed -n 's/^tc //p' | "
	       "tc -batch - (lines of ip, for ifbs, go first). What only "
	       "Tresse does (checking, reading back, going back) is not in "
	       "it.",
	.example = "export tc\nexport nft /root/tresse.nft\nexport ip",
	.see = "saveconfig, explain",
	.json = "commands?:string saved?:string",
	.args = export_args,
	.needs = NEEDS_TREE | REPEATABLE,
	.run = export_run,
};
