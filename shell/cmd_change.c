/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A change of many commands: begin, check, plan, commit, confirm, discard. */
#include <string.h>

#include "backends/list.h"
#include "shell/change.h"
#include "shell/draft.h"
#include "shell/healthy.h"
#include "shell/pref.h"
#include "shell/session.h"
#include "shell/told.h"
#include "shell/trial.h"
#include "shell/who.h"

/* ---- begin ---- */

static int begin_run(struct session *session, const struct match *match,
		     struct err *err)
{
	int rc = draft_begin(session, match_value(match, "new") != NULL, err);

	if (rc == 0 && output_is_json(session->output)) {
		output_number(session->output, "base", session->base);
		output_number(session->output, "candidate",
			      draft_changes(session));
	}
	return rc;
}

static const struct choice afresh[] = {
	{ "new", "what was left over is discarded" }, { NULL, NULL }
};

static const struct arg begin_args[] = {
	{ .name = "new",
	  .type = &type_choice,
	  .choices = afresh,
	  .help = "new: discard what was left over" },
	{ 0 },
};

const struct command command_begin = {
	.name = "begin",
	.summary = "gather changes, to commit them together",
	.man = "From here on changes go into a candidate that nobody else "
	       "sees, until commit or discard; the prompt shows how many there "
	       "are. The candidate is kept in the store: when the session "
	       "ends, however, the same user's next begin takes it up again, "
	       "unless it is begin new.\n"
	       "\n"
	       "In a batch it has to come before the first change. Without a "
	       "commit in the same batch the candidate is kept; if a line "
	       "fails, it is as it was before the batch. With --each the "
	       "lines between begin and commit are one change.",
	.example = "begin\nbegin new",
	.see = "diff, check, plan, commit, discard",
	.json = "base:int candidate:int",
	.args = begin_args,
	.needs = NEEDS_TREE,
	.run = begin_run,
};

/* ---- check and plan ---- */

/* The tree that would be applied: of its own, and not the session's. */
static int load_wanted(struct session *session, struct store *store,
		       struct tree **tree, uint64_t *revision, struct err *err)
{
	int rc;

	if (!store)
		return err->code;
	if (session->draft)
		return draft_merged(session, store, false, tree, revision, err);
	if (tree_is_dirty(session->place.tree))
		return err_set(err, ECANCELED,
			       "a batch is checked as a whole, at its end; "
			       "begin in its first line gives it a candidate");
	rc = store_revision(store, revision, err);
	return rc < 0 ? rc : store_load(store, tree, err);
}

static void show_findings(struct session *session, const struct report *report)
{
	const struct origin_line where = session_where(session);

	for (size_t i = 0; i < report->count; i++)
		output_finding(session->output, &where, &report->items[i]);
}

static int tell_check(struct session *session, const struct report *report,
		      struct err *err)
{
	size_t doubts = report->count - report->errors;

	show_findings(session, report);
	if (output_is_json(session->output)) {
		output_number(session->output, "errors", report->errors);
		output_number(session->output, "doubts", doubts);
	}
	if (report->errors)
		return err_set(err, ECANCELED,
			       "%zu error%s: this would not be applied",
			       report->errors, report->errors == 1 ? "" : "s");
	output_say(session->output, SAY_DONE, "No errors, %zu doubt%s.", doubts,
		   doubts == 1 ? "" : "s");
	return 0;
}

static int check_run(struct session *session, const struct match *match,
		     struct err *err)
{
	AUTO(store)
	struct store *store =
		store_open(session->options.store, STORE_READ, err);
	AUTO(tree) struct tree *tree = NULL;
	struct report report = REPORT_NONE;
	uint64_t revision;
	int rc;

	(void)match;
	rc = load_wanted(session, store, &tree, &revision, err);
	if (rc < 0)
		return rc;
	tree_choose(tree, &report);
	tree_check(tree, &report);
	rc = tell_check(session, &report, err);
	report_clear(&report);
	return rc;
}

const struct command command_check = {
	.name = "check",
	.summary = "look for errors in the candidate",
	.man = "All that can be said without looking at the host, about the "
	       "candidate or, without one, about what was committed. Needs no "
	       "rights. What the host lacks shows in plan.",
	.example = "check",
	.see = "plan, commit",
	.json = "errors:int doubts:int",
	.needs = NEEDS_TREE | REPEATABLE,
	.run = check_run,
};

static void show_step(struct output *output, const struct step *step)
{
	AUTO_TEXT text = TEXT_NONE;

	step_print(step, &text);
	output_open(output, SHAPE_ROW, NULL, NULL);
	output_field(output, "effect", effect_name(step->effect));
	output_field(output, "step", text_get(&text));
	if (output_is_json(output))
		output_field(output, "path", step_path(step));
	output_close(output);
}

static void put_effects(const struct plan *plan, struct text *out)
{
	size_t counts[EFFECT_REBUILD + 1] = { 0 };

	for (size_t i = 0; i < plan->count; i++)
		counts[plan->items[i].effect]++;
	for (enum effect effect = 0; effect <= EFFECT_REBUILD; effect++)
		if (counts[effect])
			text_printf(out, "%s%zu %s", out->length ? ", " : "",
				    counts[effect], effect_name(effect));
}

static void show_plan(struct session *session, const struct outcome *outcome)
{
	const struct plan *plan = &outcome->plan;
	AUTO_TEXT effects = TEXT_NONE;

	output_open(session->output, SHAPE_TABLE, "steps", NULL);
	for (size_t i = 0; i < plan->count; i++)
		show_step(session->output, &plan->items[i]);
	output_close(session->output);
	put_effects(plan, &effects);
	if (plan->count)
		output_say(session->output, SAY_DONE,
			   "%zu step%s: %s. Nothing was changed.", plan->count,
			   plan->count == 1 ? "" : "s", text_get(&effects));
	else
		output_say(session->output, SAY_DONE,
			   "Nothing to do: the running system is as it should "
			   "be%s.",
			   outcome->blind ? ", as far as it can be read" : "");
}

static int observe(struct session *session, struct store *store,
		   const struct tree *tree, struct outcome *outcome,
		   struct err *err)
{
	struct owned owned = OWNED_NONE;
	int rc = store_load_owned(store, &owned, err);

	if (rc == 0)
		rc = txn_observe(session_host(session), backends,
				 host_read_facts, tree, &owned, outcome, err);
	owned_clear(&owned);
	return rc;
}

/* Rehearsed where we may; else what can be read, and what cannot is named. */
static int plan_for(struct session *session, struct store *store,
		    struct tree *tree, uint64_t revision,
		    struct outcome *outcome, struct err *err)
{
	AUTO(str) char *actor = who_dup();
	struct txn txn = session_txn(session, store, actor);
	int rc;

	txn.dry = true;
	rc = txn_run(&txn, tree, revision, outcome, err);
	if (rc != -EPERM && rc != -EACCES)
		return rc;
	outcome_clear(outcome);
	err_clear(err);
	return observe(session, store, tree, outcome, err);
}

static int plan_run(struct session *session, const struct match *match,
		    struct err *err)
{
	AUTO(store)
	struct store *store =
		store_open(session->options.store, STORE_READ, err);
	AUTO(tree) struct tree *tree = NULL;
	struct outcome outcome = { 0 };
	uint64_t revision;
	int rc;

	(void)match;
	rc = load_wanted(session, store, &tree, &revision, err);
	if (rc < 0)
		return rc;
	rc = plan_for(session, store, tree, revision, &outcome, err);
	if (rc < 0) {
		told_refused(session, &outcome, err);
		rc = err->code;
	} else {
		show_findings(session, &outcome.report);
		show_plan(session, &outcome);
	}
	outcome_clear(&outcome);
	return rc;
}

const struct command command_plan = {
	.name = "plan",
	.summary = "show the steps that a commit would take",
	.man = "Each with what it does to traffic: none, hitless (in place, no "
	       "packet is lost), flap (packets of that object may be lost "
	       "once), rebuild. The steps are rehearsed in a network of their "
	       "own and nothing is changed. Without a candidate: what "
	       "restoreconfig would do.\n"
	       "\n"
	       "Without rights it shows what can be read, and names what "
	       "cannot.",
	.example = "plan",
	.see = "check, commit, diff",
	.json = "steps:[step]",
	.needs = NEEDS_TREE | REPEATABLE,
	.run = plan_run,
};

/* ---- commit ---- */

static int take_confirm(struct session *session, const struct match *match,
			struct err *err)
{
	const char *confirm = match_value(match, "confirm");

	if (confirm)
		return wait_parse(confirm, &session->stamp.confirm_us, err);
	if (session->staying && !session->gathering)
		session->stamp.confirm_us = (int64_t)pref_u(PREF_CONFIRM);
	return 0;
}

static int take_healthy(struct session *session, const struct match *match,
			struct err *err)
{
	const char *hold = match_value(match, "until-healthy");
	const char *loss = match_value(match, "loss");
	uint64_t hold_us = 0;
	int rc = hold ? hold_parse(hold, &hold_us, err) : 0;

	session->loss = HEALTHY_LOSS;
	if (rc == 0 && loss)
		rc = loss_parse(loss, &session->loss, err);
	if (rc < 0)
		return rc;
	if (loss && !hold)
		return err_set(err, EINVAL,
			       "loss= is the limit of until-healthy, which is "
			       "not there: commit confirm=60s until-healthy "
			       "loss=%s",
			       loss);
	if (hold && !session->stamp.confirm_us)
		return err_set(err, EINVAL,
			       "until-healthy needs a time after which it is "
			       "undone: commit confirm=60s until-healthy");
	if (hold && (int64_t)hold_us >= session->stamp.confirm_us)
		return err_set(
			err, EINVAL,
			"until-healthy=%s: has to be less than confirm=, "
			"or it is undone before it could be confirmed",
			*hold ? hold : "10s");
	session->hold_us = hold_us;
	return 0;
}

static int commit_run(struct session *session, const struct match *match,
		      struct err *err)
{
	const char *reason = match_value(match, "reason");
	int rc = 0;

	if (session->gathering && !session->draft)
		return err_set(err, ECANCELED,
			       "a batch is committed at its end; begin in its "
			       "first line gives it a candidate");
	if (!session->draft)
		rc = draft_resume(session, err);
	if (rc < 0)
		return rc;
	if (reason)
		session_because(session, mem_strdup(reason));
	rc = take_confirm(session, match, err);
	if (rc == 0)
		rc = take_healthy(session, match, err);
	if (rc == 0 && !draft_changes(session)) {
		output_say(session->output, SAY_DONE,
			   "The candidate has no changes: nothing was done.");
		return draft_discard(session, err);
	}
	return rc < 0 ? rc
		      : draft_commit(session, match_value(match, "clashes"),
				     err);
}

static const struct choice sides[] = {
	{ "mine", "what both changed becomes what the candidate says" },
	{ NULL, NULL }
};

static const struct arg commit_args[] = {
	{ .name = "confirm",
	  .type = &type_wait,
	  .help = "undo it after so long, unless it is confirmed; at a "
		  "terminal as set global confirm= says, else none, if left "
		  "out" },
	{ .name = "until-healthy",
	  .type = &type_hold,
	  .flags = ARG_NAMED | ARG_ALONE,
	  .help = "with confirm=: confirmed by itself when all that it "
		  "touches was well for so long" },
	{ .name = "loss",
	  .type = &type_loss,
	  .flags = ARG_NAMED,
	  .help = "the most that a link may lose to be well; 5%, if left "
		  "out" },
	{ .name = "reason", .type = &type_words, .help = "for the history" },
	{ .name = "clashes",
	  .type = &type_choice,
	  .choices = sides,
	  .help = "mine: overrule what others changed meanwhile" },
	ARG_FORCE,
	{ 0 },
};

const struct command command_commit = {
	.name = "commit",
	.summary = "apply the candidate, whole or not at all",
	.man = "One transaction; if it fails, the running system is as before "
	       "and the candidate is kept. What others changed since begin "
	       "stays, setting by setting; where they changed the same one, "
	       "both values and the other's name are listed, and nothing is "
	       "done (exit status 6), unless clashes=mine overrules them.\n"
	       "\n"
	       "No change of a class costs packets: where the kernel can only "
	       "make it anew (another leaf, another place in the tree), it is "
	       "built beside itself, traffic is led there, and the old one "
	       "goes when all that is queued in it was sent (until then both "
	       "send, and a packet may overtake another). What does cost "
	       "packets, such as another device, is refused with the number of "
	       "those that wait, unless it is force=yes.\n"
	       "\n"
	       "With confirm= it is undone after that time unless somebody "
	       "types confirm: also when the session, the terminal or the "
	       "machine is gone by then. Everyone who is logged in is told. "
	       "Until then other changes are refused, unless they join with a "
	       "commit confirm= of their own: what is gone back to stays what "
	       "it was, and the time begins anew. undo ends it at once.\n"
	       "\n"
	       "With until-healthy it is measured once a second whether what "
	       "the commit touches is well, and when all of it was for ten "
	       "seconds on end (until-healthy=30s: for thirty) it is confirmed "
	       "without anybody's help; else it is undone, and history names "
	       "what was not, with figures. Measured are: devices (up, with "
	       "carrier, none lost meanwhile); gateways (the kernel is told to "
	       "ask for them by ARP or neighbour discovery, and hears within a "
	       "second; its clock ticks are in the time that is shown); "
	       "members and peers of links (alive, no more lost than loss=); "
	       "classes (they send, and drop less than 90 % of what comes). "
	       "What was ill before the commit is listed and not waited for; "
	       "what the commit brings, say another gateway, has to be well, "
	       "but for peers that have yet to call. If nothing of it can be "
	       "measured, the commit is refused.\n"
	       "\n"
	       "Without a candidate it commits what this user left over from "
	       "an earlier session.",
	.example = "commit\ncommit confirm=60s reason=\"new provider\"\n"
		   "commit confirm=60s until-healthy",
	.see = "begin, confirm, plan, undo",
	.json = JSON_CHANGE "confirm_in?:int until_healthy?:bool "
			    "discarded?:int",
	.args = commit_args,
	.needs = NEEDS_TREE,
	.run = commit_run,
};

/* ---- confirm ---- */

static int confirm_run(struct session *session, const struct match *match,
		       struct err *err)
{
	(void)match;
	return trial_confirm(session, err);
}

const struct command command_confirm = {
	.name = "confirm",
	.summary = "keep what was committed with confirm=",
	.man = "Anyone who may write to the store may confirm, from any "
	       "session.",
	.example = "confirm",
	.see = "commit, undo",
	.json = "confirmed:int",
	.run = confirm_run,
};

/* ---- discard ---- */

static int discard_run(struct session *session, const struct match *match,
		       struct err *err)
{
	size_t changes;
	int rc = 0;

	(void)match;
	if (!session->draft)
		rc = draft_resume(session, err);
	if (rc < 0)
		return rc;
	changes = draft_changes(session);
	rc = draft_discard(session, err);
	if (rc == 0 && output_is_json(session->output))
		output_number(session->output, "discarded", changes);
	if (rc == 0)
		output_say(session->output, SAY_DONE,
			   "Discarded: %zu change%s.", changes,
			   changes == 1 ? "" : "s");
	return rc;
}

const struct command command_discard = {
	.name = "discard",
	.summary = "forget the candidate",
	.man = "Nothing was applied of it. Without a candidate: what this user "
	       "left over from an earlier session.",
	.example = "discard",
	.see = "begin, commit",
	.json = "discarded:int",
	.needs = NEEDS_TREE,
	.run = discard_run,
};
