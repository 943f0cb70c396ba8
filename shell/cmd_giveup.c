/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The way out where an undoing goes on failing: give-up. */
#include <string.h>

#include "shell/draft.h"
#include "shell/session.h"
#include "shell/trial.h"
#include "shell/who.h"

/* What waits to be undone, and is overdue: a change that was cut off, a commit
 * that was not confirmed. */
static int find(struct session *session, bool *armed, struct trial *trial,
		struct err *err)
{
	AUTO(store)
	struct store *store =
		store_open(session->options.store, STORE_READ, err);
	int rc;

	*trial = (struct trial){ 0 };
	if (!store)
		return err->code;
	rc = store_armed(store, armed, NULL, err);
	if (rc == 0)
		rc = store_trial(store, trial, err);
	if (rc == 0 && !*armed && trial->is && trial_left_us(trial) > 0)
		return err_set(err, ECANCELED,
			       "nothing is overdue: revision %llu still waits "
			       "for its confirmation: confirm or undo it",
			       (unsigned long long)trial->revision);
	if (rc == 0 && !*armed && !trial->is)
		return err_set(err, ENOENT,
			       "nothing waits to be undone: there is nothing "
			       "to give up");
	return rc;
}

static void put_what(bool armed, const struct trial *trial, struct text *out)
{
	if (armed)
		text_put(out, "a change that was cut off");
	if (armed && trial->is)
		text_put(out, " and ");
	if (trial->is)
		text_printf(out, "revision %llu of %s, which nobody confirmed",
			    (unsigned long long)trial->revision, trial->actor);
}

/* Only what is committed can be compared, whatever candidate there is. */
static int tell_state(struct session *session, struct err *err)
{
	const struct outcome *seen;
	struct session other;
	const char *why = NULL;
	int rc;

	session_init(&other, &session->options, session->output);
	rc = session_look(&other, err);
	seen = rc == 0 ? session_observe(&other, &why) : NULL;
	if (rc == 0 && !seen)
		rc = err_set(err, ENOTRECOVERABLE,
			     "given up; how the running system differs from "
			     "the store is not known: %s",
			     why);
	else if (rc == 0 && seen->plan.count)
		rc = err_set(err, ENOTRECOVERABLE,
			     "given up; the running system differs from the "
			     "store in %zu place%s, which drift shows: repair "
			     "them, or change what the store says",
			     seen->plan.count,
			     seen->plan.count == 1 ? "" : "s");
	else if (rc == 0)
		output_say(session->output, SAY_DONE,
			   "Given up: the running system agrees with the "
			   "store as it is now.");
	session_clear(&other);
	return rc;
}

static int give_up(struct session *session, const char *what, struct err *err)
{
	AUTO(str) char *actor = who_dup();
	AUTO(str) char *said = NULL;
	int rc;

	session->gives_up = true;
	rc = session_lock(session, "giving up what cannot be undone", err);
	session->gives_up = false;
	session_unlock(session);
	if (rc < 0)
		return rc;
	if (!session->gave_up) {
		output_say(session->output, SAY_DONE,
			   "This time it could be undone: nothing was given "
			   "up.");
		return 0;
	}
	said = mem_printf("%s gave up undoing %s (%s): what runs stays as it "
			  "is",
			  actor, what, session->gave_up);
	free(TAKE(session->gave_up));
	output_say(session->output, SAY_WARNING, "%s", said);
	trial_tell_all(said);
	return tell_state(session, err);
}

static int give_up_run(struct session *session, const struct match *match,
		       struct err *err)
{
	AUTO_TEXT what = TEXT_NONE;
	struct trial trial;
	bool armed = false;
	int rc;

	if (session->gathering)
		return err_set(err, ECANCELED,
			       "give-up stands alone: not in a batch");
	rc = find(session, &armed, &trial, err);
	put_what(armed, &trial, &what);
	trial_clear(&trial);
	if (rc < 0)
		return rc;
	if (!match_value(match, "confirm") || session->options.dry)
		return err_set(err, ECANCELED,
			       "this would try once more to undo %s, and if "
			       "that fails leave the running system as it is; "
			       "to do it: give-up confirm=yes",
			       text_get(&what));
	return give_up(session, text_get(&what), err);
}

static const struct choice yes[] = { { "yes", "let go of it" },
				     { NULL, NULL } };

static const struct arg give_up_args[] = {
	{ .name = "confirm",
	  .type = &type_choice,
	  .choices = yes,
	  .help = "yes, to do it; left out, it only says what would be let "
		  "go of" },
	{ 0 },
};

const struct command command_give_up = {
	.name = "give-up",
	.summary = "let go of what cannot be undone, so that changes are "
		   "possible again",
	.man = "What was not confirmed in time, and what was cut off, is "
	       "undone before anything else is changed. Where that goes on "
	       "failing, since the host is no longer what it was, nothing "
	       "could be changed any more. This is the way out, and a last "
	       "one: first see to what the failing step needs.\n\n"
	       "It tries once more. If that fails too, a revision that nobody "
	       "confirmed stays, as if it had been confirmed, and the journal "
	       "of a change that was cut off is forgotten. Nothing is sent to "
	       "the kernel: what runs is as the attempts left it. If that is "
	       "not what the store says, the exit status is 7, drift shows "
	       "every place, and repair mends them once it can. "
	       "Everybody who is logged in is told, and the system's log.",
	.example = "give-up confirm=yes",
	.see = "undo, confirm, drift, repair",
	.json = "",
	.args = give_up_args,
	.needs = NEEDS_TREE,
	.run = give_up_run,
};
