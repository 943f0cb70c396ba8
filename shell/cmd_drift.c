/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What others changed behind our back: drift, repair. */
#include <string.h>
#include <time.h>

#include "model/drift.h"
#include "model/drifts.h"
#include "shell/session.h"

/* ---- drift ---- */

/* What of an observation is about one branch. */
struct branch {
	const char *path;
	const struct outcome *seen;
	const struct tree *tree; /* what was seen is compared with */
	struct drifts known;	 /* by who follows */
	size_t count;		 /* differences told */
	size_t ignored;
};

/* What nobody configured has no path: it is told of the whole. */
static bool is_within(const char *path, const char *branch)
{
	size_t length = strlen(branch);

	if (!strcmp(branch, "/"))
		return true;
	return !strncmp(path, branch, length) &&
	       (!path[length] || path[length] == '/');
}

static const char *word_of(const struct step *step)
{
	if (!step->after)
		return "foreign";
	return step->before ? "differs" : "missing";
}

static char *title_of(const struct step *step)
{
	const char *path = step_path(step);
	const char *place = path[0] ? path : "no object of the store";

	if (!step->after)
		return mem_printf("%s: foreign, in a place of Tresse's", place);
	return mem_printf("%s: %s", place,
			  step->before ? "differs" : "is missing");
}

/* JSON leaves out what there is not. */
static void show_side(struct output *output, const char *name,
		      const struct step *step, const struct object *side)
{
	AUTO_TEXT text = TEXT_NONE;

	if (side)
		step->backend->print(side, &text);
	else if (output_is_json(output))
		return;
	else
		text_put(&text, "nothing");
	output_field(output, name, text_get(&text));
}

/* "14:02:11 (4 min)", with the day if that is another one. */
static void put_since(int64_t at_us, struct text *out)
{
	time_t now = time(NULL), at = (time_t)(at_us / 1000000);
	long long seconds = now > at ? (long long)(now - at) : 0;
	struct tm when, today;
	char stamp[32] = "";

	if (localtime_r(&at, &when) && localtime_r(&now, &today))
		strftime(stamp, sizeof(stamp),
			 when.tm_yday == today.tm_yday &&
					 when.tm_year == today.tm_year
				 ? "%T"
				 : "%F %T",
			 &when);
	text_put(out, stamp);
	if (seconds < 60)
		text_printf(out, " (%lld s)", seconds);
	else if (seconds < 3600)
		text_printf(out, " (%lld min)", seconds / 60);
	else
		text_printf(out, " (%lld h %lld min)", seconds / 3600,
			    seconds / 60 % 60);
}

/* What follow knows of it. */
static void show_known(struct output *output, const struct branch *branch,
		       const struct step *step)
{
	AUTO(str) char *key = drift_key(step);
	const struct drift *drift = drifts_find(&branch->known, key);
	enum drift_policy policy = drift_policy(branch->tree, step_path(step));
	bool json = output_is_json(output);
	AUTO_TEXT since = TEXT_NONE;

	if (drift) {
		text_put(&since, drift->early ? "before " : "");
		put_since(drift->since_us, &since);
	} else {
		text_put(&since, branch->known.followed
					 ? "just now"
					 : "unknown (nobody follows: follow)");
	}
	output_field(output, json ? "since" : "  since", text_get(&since));
	if (json && drift)
		output_number(output, "since_us", (uint64_t)drift->since_us);
	if (drift && drift->by)
		output_field(output, json ? "by" : "  by", drift->by);
	if (json || policy != DRIFT_REPORT)
		output_field(output, json ? "policy" : "  policy",
			     drift_name(policy));
	if (drift && drift->note)
		output_field(output, json ? "note" : "  note", drift->note);
}

static void show_step(struct output *output, const struct branch *branch,
		      const struct step *step)
{
	bool json = output_is_json(output);
	AUTO(str) char *title = title_of(step);
	AUTO_TEXT mend = TEXT_NONE;

	step_print(step, &mend);
	output_open(output, json ? SHAPE_ROW : SHAPE_RECORD, NULL, title);
	if (json) {
		output_field(output, "path", step_path(step));
		output_field(output, "drift", word_of(step));
		output_field(output, "driver", step->backend->name);
	}
	show_side(output, json ? "wanted" : "  wanted", step, step->after);
	show_side(output, json ? "found" : "  found", step, step->before);
	output_field(output, json ? "repair" : "  repair", text_get(&mend));
	show_known(output, branch, step);
	output_close(output);
}

static void show_steps(struct output *output, struct branch *branch)
{
	const struct plan *plan = &branch->seen->plan;

	if (output_is_json(output))
		output_open(output, SHAPE_TABLE, "differences", NULL);
	for (size_t i = 0; i < plan->count; i++) {
		const struct step *step = &plan->items[i];

		if (!is_within(step_path(step), branch->path))
			continue;
		if (drift_policy(branch->tree, step_path(step)) ==
		    DRIFT_IGNORE) {
			branch->ignored++;
			continue;
		}
		show_step(output, branch, step);
		branch->count++;
	}
	if (output_is_json(output))
		output_close(output);
}

/* An error stands in the way of what is wanted, so it is a difference; what
 * could not be seen is said of every branch. */
static void show_findings(struct output *output, struct branch *branch)
{
	const struct report *report = &branch->seen->report;

	for (size_t i = 0; i < report->count; i++) {
		const struct finding *found = &report->items[i];

		if (found->path[0] && !is_within(found->path, branch->path))
			continue;
		output_finding(output, NULL, found);
		branch->count += found->severity == FINDING_ERROR;
	}
}

static void show_verdict(struct output *output, const struct branch *branch)
{
	bool blind = branch->seen->blind;
	AUTO_TEXT said = TEXT_NONE;

	if (output_is_json(output)) {
		output_flag(output, "agrees", !branch->count);
		output_flag(output, "whole", !blind);
		output_flag(output, "followed", branch->known.followed);
		output_number(output, "ignored", branch->ignored);
		return;
	}
	if (branch->count)
		text_printf(&said, "%zu difference%s%s", branch->count,
			    branch->count == 1 ? "" : "s",
			    blind ? ", as far as it can be read" : "");
	else
		text_printf(&said, "The running system agrees with the store%s",
			    blind ? ", as far as it can be read" : "");
	output_open(output, SHAPE_RECORD, NULL,
		    branch->count ? "" : NULL); /* parts it from the blocks */
	output_close(output);
	text_put(&said, branch->count ? "; to mend it: repair" : ".");
	if (branch->ignored)
		text_printf(&said, "%s %zu more where drift=ignore.",
			    branch->count ? "." : "", branch->ignored);
	output_answer(output, NULL, text_get(&said));
}

/* What runs is what is stored, whatever candidate this session works on: then
 * another one, without, looks. */
static const struct outcome *look(struct session *session,
				  struct session *other, struct branch *branch,
				  struct err *err)
{
	const struct outcome *seen;
	const char *why;

	if (session->draft || tree_is_dirty(session->place.tree)) {
		if (session_look(other, err) < 0)
			return NULL;
		session = other;
	}
	branch->tree = session->place.tree;
	seen = session_observe(session, &why);
	if (!seen)
		err_set(err, EREMOTEIO, "the running system is not known: %s",
			why);
	return seen;
}

static int tell(struct session *session, struct branch *branch, struct err *err)
{
	AUTO(store)
	struct store *store =
		store_open(session->options.store, STORE_READ, err);
	struct session other;

	if (!store)
		return err->code;
	session_init(&other, &session->options, session->output);
	branch->seen = look(session, &other, branch, err);
	if (branch->seen) {
		drifts_load(&branch->known, store);
		show_steps(session->output, branch);
		show_findings(session->output, branch);
		show_verdict(session->output, branch);
	}
	drifts_clear(&branch->known);
	session_clear(&other);
	return branch->seen ? 0 : err ? err->code : -EREMOTEIO;
}

static int drift_run(struct session *session, const struct match *match,
		     struct err *err)
{
	const struct node *node = match_node(match, "path", err);
	AUTO(str) char *path = node ? node_path_dup(node) : NULL;
	struct branch branch = { .path = path };
	int rc;

	if (!node)
		return err->code;
	rc = tell(session, &branch, err);
	session->differs |= branch.count > 0;
	return rc;
}

static const struct arg drift_args[] = {
	{ .name = "path",
	  .type = &type_node,
	  .help = "the branch to look at; this one, if left out" },
	{ 0 },
};

const struct command command_drift = {
	.name = "drift",
	.summary = "say where the running system is not as the store says",
	.man = "For each difference: whose it is, what is wanted, what was "
	       "found, the step that would mend it, and, where somebody "
	       "follows (follow), since when and by whom. `before 14:02:11` "
	       "was there when following began. What somebody else put "
	       "into a place of Tresse's (a class in its tree, a rule in its "
	       "table) is called foreign and told of /, since it has no path; "
	       "what others have elsewhere is nobody's business here.\n\n"
	       "The exit status is 0 if all agrees and 1 if anything differs. "
	       "Without privileges it tells what it could not see.",
	.example = "drift\ndrift /classes",
	.see = "repair, follow, status",
	.json = "differences:[difference] agrees:bool whole:bool followed:bool "
		"ignored:int",
	.args = drift_args,
	.needs = NEEDS_TREE | REPEATABLE,
	.run = drift_run,
};

/* ---- repair ---- */

/* The store is the candidate, and the transaction does the differences only. */
static int repair_run(struct session *session, const struct match *match,
		      struct err *err)
{
	(void)match;
	if (session->draft)
		return err_set(err, ECANCELED,
			       "there is a candidate, and what it changes is "
			       "not to be applied yet: commit or discard it "
			       "first");
	session->summing = true;
	return 0;
}

static const struct arg repair_args[] = { ARG_FORCE, { 0 } };

const struct command command_repair = {
	.name = "repair",
	.summary = "put the running system back to what the store says",
	.man = "Does the steps that drift shows, in one transaction, and reads "
	       "back. What agrees is not touched and goes on counting; what is "
	       "foreign and not in a place of Tresse's stays. It is for the "
	       "whole: half of a repair could leave traffic to a class that "
	       "is not there.",
	.example = "repair",
	.see = "drift, restoreconfig",
	.json = JSON_CHANGE,
	.args = repair_args,
	.needs = NEEDS_TREE | NEEDS_WRITE,
	.run = repair_run,
};
