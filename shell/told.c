/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "shell/told.h"

#include <string.h>

#include "model/node.h"
#include "model/state.h"
#include "shell/draft.h"
#include "shell/session.h"

static struct origin_line where_of(struct session *session, const char *path)
{
	return (struct origin_line){ session->source,
				     ledger_line(&session->ledger, path) };
}

/* Of each severity: people read the first ones, programs get all. */
#define MOST_TOLD 50

static void tell_findings(struct session *session, const struct report *report,
			  enum severity least, enum severity most)
{
	bool all = output_is_json(session->output);
	size_t counts[FINDING_ERROR + 1] = { 0 }, more = 0;

	for (size_t i = 0; i < report->count; i++) {
		const struct finding *finding = &report->items[i];
		struct origin_line where = where_of(session, finding->path);

		if (finding->severity < least || finding->severity > most)
			continue;
		if (++counts[finding->severity] <= MOST_TOLD || all)
			output_finding(session->output, &where, finding);
		else
			more++;
	}
	if (more)
		output_say(session->output, SAY_WARNING,
			   "... and %zu more such lines (-j has them all)",
			   more);
}

void told_refused(struct session *session, const struct outcome *outcome,
		  struct err *err)
{
	const char *path = outcome->failed_path ? outcome->failed_path : "";
	size_t errors = outcome->report.errors;

	tell_findings(session, &outcome->report, FINDING_NOTE, FINDING_ERROR);
	session->line = ledger_line(&session->ledger, path);
	if (errors) {
		/* Every word could be read; it is the whole that is refused. */
		int code = err->code == -EINVAL ? ECANCELED : -err->code;

		session->line = 0;
		err_set(err, code, "%zu %s: nothing was changed", errors,
			errors == 1 ? "error" : "errors");
	}
}

/* ---- what was done ---- */

static void put_chosen(const struct node *node, struct text *out)
{
	const struct kind *kind = node_kind(node);
	unsigned count = 0;

	for (size_t i = 0; i < kind->attr_count; i++) {
		if (node_origin(node, i) != ORIGIN_CHOSEN)
			continue;
		text_put(out, count++ ? ", " : " Chosen for it: ");
		text_printf(out, "%s=", kind->attrs[i].name);
		node_print(node, i, out);
	}
	text_put(out, count ? "." : "");
}

/* What comes with it by itself: a line each. */
static void put_fixed(const struct node *node, struct text *out)
{
	node_each (child, node) {
		if (!node_is_fixed(child))
			continue;
		text_put(out, "\nCreated ");
		node_path(child, out);
		text_printf(out, " with it: %s.", node_kind(child)->summary);
		put_fixed(child, out);
	}
}

static const struct node *node_of(const struct session *session,
				  const char *path)
{
	const struct tree *tree = session->place.tree;

	return tree_walk(tree, tree_root(tree), path, NULL);
}

static void say_deeds(struct session *session)
{
	const struct ledger *ledger = &session->ledger;

	for (size_t i = 0; i < ledger->count; i++) {
		const struct ledger_entry *entry = &ledger->items[i];
		AUTO_TEXT text = TEXT_NONE;

		text_put(&text, entry->text);
		if (entry->deed == DEED_CREATED) {
			const struct node *node = node_of(session, entry->path);

			put_chosen(node, &text);
			put_fixed(node, &text);
		}
		output_say(session->output, SAY_DONE, "%s", text_get(&text));
	}
}

static size_t changes(const struct ledger *ledger)
{
	return ledger->totals[DEED_CREATED] + ledger->totals[DEED_CHANGED] +
	       ledger->totals[DEED_DELETED];
}

static void put_totals(const struct ledger *ledger, struct text *out)
{
	for (enum deed deed = 0; deed < DEEDS; deed++)
		if (ledger->totals[deed] && deed != DEED_KEPT)
			text_printf(out, "%s%zu %s", out->length ? ", " : "",
				    ledger->totals[deed], deed_name(deed));
	if (!out->length)
		text_put(out, "nothing new in the store");
}

static void say_summary(struct session *session, const struct outcome *outcome)
{
	AUTO_TEXT text = TEXT_NONE;
	size_t steps = outcome->plan.count;

	if (!outcome->stored && !steps) {
		output_say(session->output, SAY_DONE,
			   "Nothing to change: store and running system "
			   "already say so.");
		return;
	}
	put_totals(&session->ledger, &text);
	if (steps)
		text_printf(&text, "; %zu step%s applied and read back", steps,
			    steps == 1 ? "" : "s");
	else
		text_put(&text, "; nothing to apply to the running system");
	output_say(session->output, SAY_DONE, "%s (revision %llu).",
		   text_get(&text), (unsigned long long)outcome->revision);
}

static void say_dry(struct session *session, const struct outcome *outcome)
{
	AUTO_TEXT text = TEXT_NONE;
	size_t steps = outcome->plan.count;

	put_totals(&session->ledger, &text);
	output_say(session->output, SAY_DONE,
		   "A dry run, nothing was changed. It would be: %s; %zu "
		   "step%s.",
		   text_get(&text), steps, steps == 1 ? "" : "s");
}

static void show_chosen(struct output *output, const struct node *node)
{
	for (size_t i = 0; node && i < node_kind(node)->attr_count; i++)
		if (node_origin(node, i) == ORIGIN_CHOSEN)
			output_setting(output, node, i, NULL);
}

static void show_fixed(struct output *output, const struct node *node)
{
	if (!node || !node_first(node) || !node_is_fixed(node_first(node)))
		return;
	output_open(output, SHAPE_TABLE, "with", NULL);
	node_each (child, node) {
		AUTO(str) char *path = NULL;

		if (!node_is_fixed(child))
			continue;
		path = node_path_dup(child);
		output_field(output, "path", path);
	}
	output_close(output);
}

static void show_deeds(struct session *session)
{
	struct output *output = session->output;
	const struct ledger *ledger = &session->ledger;

	output_open(output, SHAPE_TABLE, "changes", NULL);
	for (size_t i = 0; i < ledger->count; i++) {
		const struct ledger_entry *entry = &ledger->items[i];

		output_open(output, SHAPE_ROW, NULL, NULL);
		output_field(output, "deed", deed_name(entry->deed));
		output_field(output, "kind", entry->kind);
		output_field(output, "path", entry->path);
		if (entry->deed == DEED_CREATED) {
			const struct node *node = node_of(session, entry->path);

			show_chosen(output, node);
			show_fixed(output, node);
		}
		output_close(output);
	}
	output_close(output);
}

static void show_steps(struct output *output, const struct outcome *outcome)
{
	output_open(output, SHAPE_TABLE, "steps", NULL);
	for (size_t i = 0; i < outcome->plan.count; i++) {
		const struct step *step = &outcome->plan.items[i];
		AUTO_TEXT text = TEXT_NONE;

		step_print(step, &text);
		output_open(output, SHAPE_ROW, NULL, NULL);
		output_field(output, "step", text_get(&text));
		if (output_is_json(output))
			output_field(output, "path", step_path(step));
		output_close(output);
	}
	output_close(output);
}

/* The whole of it, for programs. */
static void show(struct session *session, const struct outcome *outcome)
{
	struct output *output = session->output;

	output_flag(output, "dry", session->options.dry);
	output_number(output, "revision", outcome->revision);
	output_flag(output, "stored", outcome->stored);
	show_deeds(session);
	show_steps(output, outcome);
}

void told_done(struct session *session, const struct outcome *outcome)
{
	tell_findings(session, &outcome->report, FINDING_NOTE, FINDING_WARNING);
	if (output_is_json(session->output)) {
		show(session, outcome);
	} else if (session->options.dry) {
		show_steps(session->output, outcome);
		say_dry(session, outcome);
	} else if (session->gathering || session->summing) {
		say_summary(session, outcome);
	} else {
		say_deeds(session);
		if (!changes(&session->ledger) && outcome->plan.count)
			say_summary(session, outcome);
	}
}

void told_kept(struct session *session)
{
	size_t changes = draft_changes(session);

	if (changes)
		output_say(session->output, SAY_DONE,
			   "The candidate is kept, with %zu change%s: begin "
			   "takes it up again, commit applies it.",
			   changes, changes == 1 ? "" : "s");
}

void told_gathered(struct session *session)
{
	if (output_is_json(session->output)) {
		output_number(session->output, "candidate",
			      draft_changes(session));
		show_deeds(session);
	} else if (session->gathering) {
		told_kept(session);
	} else if (session->summing) {
		AUTO_TEXT text = TEXT_NONE;

		put_totals(&session->ledger, &text);
		output_say(session->output, SAY_DONE, "In the candidate: %s.",
			   text_get(&text));
	} else {
		say_deeds(session);
	}
}
