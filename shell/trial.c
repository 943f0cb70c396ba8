/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "shell/trial.h"

#include <stdbool.h>
#include <string.h>
#include <syslog.h>
#include <time.h>

#include "shell/healthy.h"
#include "shell/launch.h"
#include "shell/session.h"
#include "shell/who.h"

/* Somebody may confirm meanwhile: then the watcher need not stay. */
#define WATCH_US INT64_C(10000000)
/* Between two attempts of an undoing that fails. */
#define RETRY_FIRST_US	INT64_C(1000000)
#define RETRY_LAST_US	INT64_C(60000000)
#define CONFIRM_WAIT_MS 10000

static bool look_in(struct store *store, struct trial *trial)
{
	*trial = (struct trial){ 0 };
	return store && store_trial(store, trial, NULL) == 0 && trial->is;
}

static bool look(const struct session *session, struct trial *trial)
{
	AUTO(store)
	struct store *store =
		store_open(session->options.store, STORE_READ, NULL);

	return look_in(store, trial);
}

/* Rounded up: somebody who reads 1s has some of it left. */
static uint64_t left_seconds(const struct trial *trial)
{
	return (uint64_t)(trial_left_us(trial) + 999999) / 1000000;
}

/* "Revision 7 is undone at 12:03:04 (in 57 s) unless it is confirmed" */
static char *sentence_dup(const struct trial *trial)
{
	AUTO_TEXT clock = TEXT_NONE;

	text_put_clock(&clock, (time_t)(trial->until_us / 1000000));
	return mem_printf("revision %llu of %s is undone at %s (in %llu s) "
			  "unless %ssomebody types: confirm",
			  (unsigned long long)trial->revision, trial->actor,
			  text_get(&clock),
			  (unsigned long long)left_seconds(trial),
			  trial->basis ? "all that it touches is well for "
					 "long enough, or "
				       : "");
}

/* ---- telling everybody ---- */

/* wall(1) writes to every terminal that somebody is logged in at, and it need
 * not be there. */
static void tell_all(const char *text)
{
	AUTO(str) char *line = mem_printf("tresse: %s", text);
	char *argv[] = { (char *)"wall", line, NULL };

	launch("/usr/bin/wall", argv, NULL);
}

static void start_watcher(struct session *session)
{
	AUTO(str) char *store = realpath(session->options.store, NULL);
	char *argv[] = { (char *)"tresse", (char *)"--store", store,
			 (char *)"--confirm-watch", NULL };
	AUTO_ERR err = ERR_NONE;

	if (!store || launch("/proc/self/exe", argv, &err) < 0)
		output_say(session->output, SAY_WARNING,
			   "no watcher could be started (%s): it is not undone "
			   "at that moment, but by the next command that "
			   "changes something, or restoreconfig",
			   err.text ? err.text : strerror(errno));
}

void trial_begun(struct session *session, const struct outcome *outcome)
{
	struct trial trial;

	if (session->options.dry || !outcome->stored)
		return;
	if (session->stamp.confirm_us && look(session, &trial)) {
		AUTO(str) char *sentence = sentence_dup(&trial);

		start_watcher(session);
		if (output_is_json(session->output))
			output_number(session->output, "confirm_in",
				      left_seconds(&trial));
		if (output_is_json(session->output) && trial.basis)
			output_flag(session->output, "until_healthy", true);
		output_say(session->output, SAY_WARNING, "%s", sentence);
		tell_all(sentence);
		session->trial = trial.revision;
		trial_clear(&trial);
	}
	if (session->stamp.ends_trial)
		session->trial = 0;
}

void trial_take_over(struct session *session, struct store *store)
{
	struct trial trial = { 0 };

	if (store_was_converted(store) && look_in(store, &trial))
		start_watcher(session);
	trial_clear(&trial);
}

/* ---- what others see ---- */

void trial_warn(struct session *session, struct store *store)
{
	struct trial trial;

	if (look_in(store, &trial) && trial_left_us(&trial) == 0)
		output_say(session->output, SAY_WARNING,
			   "revision %llu of %s was not confirmed in time and "
			   "still runs: `tresse restoreconfig` as root undoes "
			   "it",
			   (unsigned long long)trial.revision, trial.actor);
	trial_clear(&trial);
}

/* How the trial of a revision ended. */
struct ending {
	uint64_t revision, undone; /* undone: by that one, or 0 */
	char *confirmed, *why;	   /* owned, or NULL */
};

static int take_ending(const struct revision *revision, void *arg)
{
	struct ending *ending = arg;

	if (revision->number > ending->revision) {
		bool undoes = revision->undoes &&
			      revision->restores < ending->revision;

		ending->undone = undoes ? revision->number : 0;
		free(ending->why);
		ending->why =
			revision->reason ? mem_strdup(revision->reason) : NULL;
		return 0;
	}
	if (revision->number == ending->revision && revision->confirmed)
		ending->confirmed = mem_strdup(revision->confirmed);
	return 1;
}

static void say_ended(struct session *session)
{
	AUTO(store)
	struct store *store =
		store_open(session->options.store, STORE_READ, NULL);
	struct ending ending = { .revision = session->trial };

	if (store)
		store_history(store, take_ending, &ending, NULL);
	if (ending.undone)
		output_say(session->output, SAY_WARNING,
			   "revision %llu was not confirmed and is undone "
			   "(revision %llu: %s)",
			   (unsigned long long)session->trial,
			   (unsigned long long)ending.undone,
			   ending.why ? ending.why : "undo");
	else
		output_say(session->output, SAY_DONE, "revision %llu is %s",
			   (unsigned long long)session->trial,
			   ending.confirmed ? ending.confirmed : "confirmed");
	free(ending.confirmed);
	free(ending.why);
	session->trial = 0;
}

void trial_news(struct session *session)
{
	struct trial trial;

	if (!look(session, &trial)) {
		if (session->trial)
			say_ended(session);
	} else if (trial.revision != session->trial) {
		AUTO(str) char *sentence = sentence_dup(&trial);

		output_say(session->output, SAY_WARNING, "%s", sentence);
		session->trial = trial.revision;
	}
	trial_clear(&trial);
}

void trial_mark(struct session *session, struct text *out)
{
	struct trial trial;

	if (look(session, &trial))
		text_printf(out, "?%llus",
			    (unsigned long long)left_seconds(&trial));
	trial_clear(&trial);
}

void trial_show(struct output *output, struct store *store)
{
	struct trial trial;

	if (store_trial(store, &trial, NULL) == 0 && trial.is) {
		AUTO(str) char *sentence = sentence_dup(&trial);

		output_field(output, "on trial", sentence);
		if (output_is_json(output))
			output_number(output, "confirm_in",
				      left_seconds(&trial));
		if (trial.ill)
			output_field(output, "not healthy", trial.ill);
	}
	trial_clear(&trial);
}

/* ---- the end ---- */

static int end(struct store *store, struct trial *trial, const char *by,
	       struct err *err)
{
	int rc = store_trial(store, trial, err);

	if (rc < 0)
		return rc;
	if (!trial->is)
		return err_set(err, ENOENT, "nothing waits for a confirmation");
	if (trial_left_us(trial) == 0)
		return err_set(err, ECANCELED,
			       "too late: the time to confirm revision %llu is "
			       "over, and it is undone",
			       (unsigned long long)trial->revision);
	return store_trial_end(store, by, err);
}

int trial_confirm(struct session *session, struct err *err)
{
	AUTO(store)
	struct store *store =
		store_open(session->options.store, STORE_WRITE, err);
	AUTO(str) char *who = who_dup();
	AUTO(str) char *by = mem_printf("confirmed by %s", who);
	struct trial trial = { 0 };
	int rc;

	if (!store)
		return err->code;
	rc = store_lock(store, "confirm", CONFIRM_WAIT_MS, NULL, err);
	if (rc == 0)
		rc = end(store, &trial, by, err);
	if (rc == 0) {
		AUTO(str)
		char *said = mem_printf("revision %llu is confirmed: it stays",
					(unsigned long long)trial.revision);

		if (output_is_json(session->output))
			output_number(session->output, "confirmed",
				      trial.revision);
		output_say(session->output, SAY_DONE, "%s", said);
		tell_all(said);
		session->trial = 0;
	}
	trial_clear(&trial);
	return rc;
}

/* ---- the watcher ---- */

static void pause_us(int64_t us)
{
	const struct timespec span = { us / 1000000, us % 1000000 * 1000 };

	clock_nanosleep(CLOCK_BOOTTIME, 0, &span, NULL);
}

/* To start to write is to undo what was not confirmed. */
static int undo(const char *store, struct err *err)
{
	const struct session_options wanted = { .store = store };
	const struct output_options silent = { .quiet = true, .width = 80 };
	struct output *output = output_new(&silent);
	struct session session;
	int rc;

	session_init(&session, &wanted, output);
	rc = session_begin(&session, "undoing what was not confirmed", err);
	session_clear(&session);
	output_free(output);
	return rc;
}

void trial_tell_all(const char *text)
{
	openlog("tresse", LOG_PID, LOG_DAEMON);
	syslog(LOG_CRIT, "%s", text);
	closelog();
	tell_all(text);
}

static bool undo_and_tell(const char *store, const struct trial *trial,
			  bool first)
{
	AUTO_ERR err = ERR_NONE;
	AUTO(str) char *said = NULL;

	if (undo(store, &err) < 0) {
		if (first)
			trial_tell_all(err.text);
		return false;
	}
	said = mem_printf("revision %llu was not confirmed and is undone%s%s",
			  (unsigned long long)trial->revision,
			  trial->ill ? ", not healthy: " : "",
			  trial->ill ? trial->ill : "");
	tell_all(said);
	return true;
}

/* False: not now; it is measured again, and somebody may be quicker. */
static bool confirm_measured(const char *path, uint64_t revision,
			     const char *words)
{
	AUTO(store) struct store *store = store_open(path, STORE_WRITE, NULL);
	AUTO(str)
	char *by = mem_printf("confirmed by measurement: %s", words);
	AUTO(str) char *said = NULL;
	struct trial trial = { 0 };
	int rc = store ? store_lock(store, "confirm by measurement",
				    CONFIRM_WAIT_MS, NULL, NULL)
		       : -EIO;

	if (rc == 0)
		rc = store_trial(store, &trial, NULL);
	if (rc == 0 && (!trial.is || trial.revision != revision))
		rc = -ESTALE;
	trial_clear(&trial);
	if (rc == 0)
		rc = end(store, &trial, by, NULL);
	trial_clear(&trial);
	if (rc < 0)
		return false;
	said = mem_printf("revision %llu is %s", (unsigned long long)revision,
			  by);
	tell_all(said);
	return true;
}

/* What the watcher does until the deadline: measure, or sleep. True: done. */
static bool wait_or_measure(const char *store, struct healthy *healthy,
			    const struct trial *trial)
{
	int64_t left_us = trial_left_us(trial);

	if (healthy)
		return healthy_look(healthy, trial) &&
		       confirm_measured(store, trial->revision,
					healthy_words(healthy));
	pause_us(left_us < WATCH_US ? left_us + 1000 : WATCH_US);
	return false;
}

static int watch(const char *store, struct healthy **healthy)
{
	const struct session session = { .options = { .store = store } };
	int64_t retry_us = RETRY_FIRST_US;
	uint64_t revision = 0;
	struct trial trial;
	bool done = false;

	while (!done && look(&session, &trial)) {
		if (!revision)
			*healthy = healthy_new(store, &trial);
		else if (revision != trial.revision)
			done = true; /* who joined has a watcher of their own */
		revision = trial.revision;
		if (!done && trial_left_us(&trial) > 0) {
			done = wait_or_measure(store, *healthy, &trial);
		} else if (!done &&
			   !undo_and_tell(store, &trial,
					  retry_us == RETRY_FIRST_US)) {
			pause_us(retry_us);
			retry_us = retry_us * 2 < RETRY_LAST_US ? retry_us * 2
								: RETRY_LAST_US;
		}
		trial_clear(&trial);
	}
	return 0;
}

int trial_watch(const char *store)
{
	struct healthy *healthy = NULL;
	int rc = watch(store, &healthy);

	healthy_free(healthy);
	return rc;
}
