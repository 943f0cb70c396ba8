/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What others made, taken over as it stands: import. */
#include <string.h>

#include "backends/list.h"
#include "model/shaping.h"
#include "shell/save.h"
#include "shell/session.h"
#include "shell/sync.h"

static const struct backend *importer(void)
{
	const struct backend *const *at = backends;

	while (!(*at)->import)
		at++;
	return *at;
}

static int check_place(const struct session *session, const struct match *match,
		       const char *device, struct err *err)
{
	if (node_kind(match->node) != &kind_classes)
		return err_set(err, EINVAL,
			       "what is imported is a tree of classes: "
			       "/classes import %s",
			       device);
	if (session->draft)
		return err_set(err, ECANCELED,
			       "import takes over what stands there now, at "
			       "once: commit or discard the candidate first");
	return 0;
}

/* One of Tresse's stands there. */
static int check_free(const struct node *classes, const char *device,
		      struct err *err)
{
	node_each (uplink, classes) {
		const char *used = uplink_device(uplink);

		if (used && !strcmp(used, device) && !uplink_is_down(uplink))
			return err_set(err, EEXIST,
				       "%s is shaped by /classes/%s already",
				       device, node_name(uplink));
	}
	return 0;
}

static int tell(struct session *session, struct report *report, struct err *err)
{
	struct origin_line where = session_where(session);
	size_t errors = report->errors;

	for (size_t i = 0; i < report->count; i++)
		output_finding(session->output, &where, &report->items[i]);
	report_clear(report);
	if (!errors)
		return 0;
	return err_set(err, ECANCELED, "%zu error%s: nothing was changed",
		       errors, errors == 1 ? "" : "s");
}

/* What it would be, as it could be typed. */
static void show(struct session *session, const struct node *uplink)
{
	AUTO(tree) struct tree *nothing = tree_new();
	AUTO(str) char *path = node_path_dup(uplink);
	AUTO_TEXT all = TEXT_NONE;
	const char *line, *end;

	save_print_changes(nothing, node_tree(uplink), &all);
	for (line = text_get(&all); (end = strchr(line, '\n'));
	     line = end + 1) {
		AUTO(str) char *one = mem_strndup(line, (size_t)(end - line));

		if (strstr(one, path) || strstr(one, node_name(uplink)))
			output_say(session->output, SAY_DONE, "%s", one);
	}
}

static int take_over(struct session *session, const struct match *match,
		     struct node *uplink, struct err *err)
{
	const char *device = match_value(match, "device");
	const char *word = match_value(match, "filters");
	enum import_filters filters = !word		      ? IMPORT_REFUSE
				      : !strcmp(word, "keep") ? IMPORT_KEEP
							      : IMPORT_DROP;
	struct facts facts = { 0 };
	struct report report = REPORT_NONE;
	int rc = node_set_text(uplink, "device", device, err);

	if (rc == 0)
		rc = host_read_facts(session_host(session), &facts, err);
	if (rc == 0)
		rc = importer()->import(session_host(session), &facts, device,
					filters, uplink, &report,
					&session->takes, err);
	facts_clear(&facts);
	if (rc < 0) {
		report_clear(&report);
		return rc;
	}
	rc = tell(session, &report, err);
	if (rc == 0 && session->options.dry)
		show(session, uplink);
	return rc;
}

static int import_run(struct session *session, const struct match *match,
		      struct err *err)
{
	const char *device = match_value(match, "device");
	const char *name = match_value(match, "name");
	struct node *uplink;
	int rc = check_place(session, match, device, err);

	if (rc == 0)
		rc = check_free(match->node, device, err);
	if (rc < 0)
		return rc;
	uplink = node_create(match->node, name ? name : device, err);
	if (!uplink)
		return err->code;
	rc = take_over(session, match, uplink, err);
	if (rc < 0)
		return rc;
	sync_note(session, NULL);
	session->summing = true;
	return 0;
}

static const struct choice ways[] = {
	{ "keep", "those that no match can stand for stay, and decide first" },
	{ "drop", "filters that no match can stand for go" },
	{ NULL, NULL }
};

static const struct arg import_args[] = {
	{ .name = "device",
	  .type = &type_words,
	  .flags = ARG_REQUIRED,
	  .help = "where the tree stands" },
	{ .name = "name",
	  .type = &type_words,
	  .help = "of the new tree of classes; as the device, if left out" },
	{ .name = "filters",
	  .type = &type_choice,
	  .flags = ARG_NAMED,
	  .choices = ways,
	  .help = "of those that cannot be taken over; keep: they stay; drop: "
		  "do without" },
	{ 0 },
};

const struct command command_import = {
	.name = "import",
	.summary = "take over a tree of HTB that others made, as it stands",
	.man = "The tree that stands on the device (by a script of tc, say) "
	       "becomes one of /classes: the same classids, rates, bursts, "
	       "prios, quanta, link layer and queues. Nothing is made anew: "
	       "no packet is lost and the counters go on. -n only shows what "
	       "it would be.\n"
	       "\n"
	       "Filters become matches where they say the same: fw by mark, "
	       "u32 and flower by protocol, ports, networks and code point. "
	       "Marks count within class-mask of /system, and what u32 reads "
	       "from headers with options, or from later fragments, is not "
	       "imitated. Any other filter is named and the import refused. "
	       "filters=drop does without. filters=keep leaves those in the "
	       "kernel, and all that come before them, as they are, actions "
	       "and all: they decide first, matches after them, by a filter "
	       "of bpf behind theirs (classifier=bpf, filters=foreign). Tresse "
	       "tells of them (drift) and never touches one. From then on a "
	       "class that a program or "
	       "another table gives to a packet (CLASSIFY, meta priority, "
	       "SO_PRIORITY) no longer counts where there is a default "
	       "class.\n"
	       "\n"
	       "The tree has to be 1:. A queue that leaf= does not know stays "
	       "as it is, and what hangs below it (leaf=foreign). Rates that "
	       "check would refuse, and the kernel took, come in as doubts "
	       "(lenient=yes). When it is deleted one day, it becomes what it "
	       "was when it was taken "
	       "over, filters and all.",
	.example = "/classes import wan0\n/classes import wan0 uplink",
	.see = "export, create, delete",
	.json = JSON_CHANGE,
	.args = import_args,
	.needs = NEEDS_TREE | NEEDS_WRITE,
	.run = import_run,
};
