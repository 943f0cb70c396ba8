/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "shell/healthy.h"

#include <time.h>

#include "backends/list.h"
#include "model/health.h"
#include "shell/session.h"

/* From the start of one reading to that of the next. */
#define EVERY_US INT64_C(1000000)
/* What is counted is compared with a reading of so long ago, or up to twice. */
#define WINDOW_US INT64_C(5000000)
/* What is ill is written down when it becomes something else, else so often;
 * and at the end. */
#define WRITE_US INT64_C(10000000)
#define END_US	 INT64_C(2500000)

static void pause_us(int64_t us)
{
	const struct timespec span = { us / 1000000, us % 1000000 * 1000 };

	if (us > 0)
		clock_nanosleep(CLOCK_BOOTTIME, 0, &span, NULL);
}

/* ---- measuring ---- */

static int measure(struct host *host, const struct checkup *checkup,
		   struct reading *reading, struct err *err)
{
	int rc = 0;

	reading->at_us = health_clock_us();
	for (const struct backend *const *at = backends; *at && rc == 0; at++)
		if ((*at)->health)
			rc = (*at)->health(host, checkup, reading, err);
	return rc;
}

/* What was probed stays in facts. */
static int read_facts(struct host *host, const struct tree *tree,
		      struct facts *facts, struct err *err)
{
	int rc = host_read_facts(host, facts, err);

	for (const struct backend *const *at = backends; *at && rc == 0; at++)
		if ((*at)->probe)
			rc = (*at)->probe(host, tree, facts, err);
	return rc;
}

/* Counters need two readings. */
static bool has_silent(const struct reading *reading)
{
	for (size_t i = 0; i < reading->count; i++)
		if (reading->items[i].silent)
			return true;
	return false;
}

static int measure_twice(struct host *host, struct checkup *checkup,
			 struct reading *reading, struct err *err)
{
	AUTO_READING first = READING_NONE;
	int rc = measure(host, checkup, &first, err);

	if (rc < 0 || !has_silent(&first)) {
		*reading = first;
		first = (struct reading)READING_NONE;
		return rc;
	}
	pause_us(first.at_us + EVERY_US - health_clock_us());
	checkup->past = &first;
	rc = measure(host, checkup, reading, err);
	checkup->past = NULL;
	return rc;
}

/* ---- before the commit ---- */

/* What is there, what it goes back to (the same, unless the commit joins one
 * that waits), and what it becomes. */
struct ground {
	struct tree *running, *past; /* owned */
	const struct tree *wanted;
	struct trial trial;
	struct facts facts;
};

static void ground_clear(struct ground *ground)
{
	tree_free(ground->running);
	tree_free(ground->past);
	trial_clear(&ground->trial);
	facts_clear(&ground->facts);
}

static int ground_load(struct ground *ground, struct session *session,
		       struct err *err)
{
	struct store *store = session->writer;
	int rc = store_trial(store, &ground->trial, err);

	ground->wanted = session->place.tree;
	if (rc == 0)
		rc = store_load(store, &ground->running, err);
	if (rc == 0)
		rc = ground->trial.is
			     ? store_load_at(store, ground->trial.restores,
					     &ground->past, err)
			     : store_load(store, &ground->past, err);
	if (rc == 0)
		rc = read_facts(session_host(session), ground->running,
				&ground->facts, err);
	return rc;
}

/* The names of what the commit will leave to be measured. */
static int list_wanted(struct session *session, const struct ground *ground,
		       struct reading *names, struct err *err)
{
	AUTO_TOUCHED touched = TOUCHED_NONE;
	struct checkup checkup = { .tree = ground->wanted,
				   .facts = &ground->facts,
				   .touched = &touched,
				   .lists = true };

	touched_find(ground->past, ground->wanted, ground->wanted, &touched);
	return measure(session_host(session), &checkup, names, err);
}

static int measure_running(struct session *session, const struct ground *ground,
			   struct reading *reading, struct err *err)
{
	AUTO_TOUCHED touched = TOUCHED_NONE;
	struct checkup checkup = { .tree = ground->running,
				   .facts = &ground->facts,
				   .touched = &touched,
				   .loss = session->loss };

	touched_find(ground->past, ground->wanted, ground->running, &touched);
	return measure_twice(session_host(session), &checkup, reading, err);
}

/* What another one that waits had found before it counts on. */
static void take_earlier(const struct trial *trial, struct reading *before)
{
	struct basis earlier;

	if (!trial->is || !trial->basis ||
	    basis_parse(trial->basis, &earlier, NULL) < 0)
		return;
	for (size_t i = 0; i < before->count; i++) {
		struct verdict *verdict = &before->items[i];
		const struct verdict *was = reading_find(
			&earlier.before, i, verdict->path, verdict->what);

		if (was)
			verdict_say(verdict, was->ok, mem_strdup(was->value),
				    mem_strdup(""));
	}
	basis_clear(&earlier);
}

/* How many of the names have to be well after the commit. */
static size_t count_awaited(const struct reading *names, struct reading *before)
{
	size_t awaited = 0;

	for (size_t i = 0; i < names->count; i++) {
		const struct verdict *name = &names->items[i];
		struct verdict *was = (struct verdict *)reading_find(
			before, i, name->path, name->what);

		if (was)
			was->expected = true;
		awaited += was ? was->ok : !name->guest;
	}
	return awaited;
}

/* names: of what will be there to be measured. */
static int refuse(const struct reading *names, const struct reading *before,
		  struct err *err)
{
	AUTO_TEXT ill = TEXT_NONE;

	for (size_t i = 0; i < before->count; i++) {
		if (before->items[i].ok)
			continue;
		text_put(&ill, ill.length ? "; " : "");
		verdict_print(&before->items[i], &ill);
	}
	if (names->count && ill.length)
		return err_set(err, EOPNOTSUPP,
			       "until-healthy: nothing that this commit "
			       "touches is well as it is (%s), so measurement "
			       "could not tell whether it is after it: "
			       "commit confirm=60s, look, and confirm",
			       text_get(&ill));
	return err_set(err, EOPNOTSUPP,
		       "until-healthy: nothing that this commit touches can be "
		       "measured after it (devices of paths and classes, "
		       "gateways that are asked for by ARP or ND, members and "
		       "peers of links): commit confirm=60s, look, and "
		       "confirm");
}

static void say_ill(struct session *session, const struct reading *before)
{
	for (size_t i = 0; i < before->count; i++) {
		const struct verdict *verdict = &before->items[i];
		AUTO_TEXT line = TEXT_NONE;

		if (verdict->ok || verdict->silent)
			continue;
		verdict_print(verdict, &line);
		output_say(session->output, SAY_WARNING,
			   "%s: is so before the commit, and is not waited for",
			   text_get(&line));
	}
}

static int look_before(struct session *session, struct ground *ground,
		       struct basis *basis, struct err *err)
{
	AUTO_READING names = READING_NONE;
	int rc = ground_load(ground, session, err);

	if (rc == 0)
		rc = list_wanted(session, ground, &names, err);
	if (rc == 0)
		rc = measure_running(session, ground, &basis->before, err);
	if (rc < 0)
		return err_prefix(err, "until-healthy: ");
	take_earlier(&ground->trial, &basis->before);
	if (!count_awaited(&names, &basis->before))
		return refuse(&names, &basis->before, err);
	say_ill(session, &basis->before);
	return 0;
}

int healthy_before(struct session *session, char **basis, struct err *err)
{
	struct basis found = { .hold_us = (int64_t)session->hold_us,
			       .loss = session->loss };
	struct ground ground = { 0 };
	struct text text = TEXT_NONE;
	int rc = look_before(session, &ground, &found, err);

	*basis = NULL;
	if (rc == 0) {
		basis_print(&found, &text);
		*basis = text_take(&text);
	}
	basis_clear(&found);
	ground_clear(&ground);
	return rc;
}

/* ---- the watcher ---- */

struct healthy {
	char *store; /* owned */
	struct host *host;
	struct tree *tree; /* owned */
	struct facts facts;
	struct touched touched;
	struct basis basis;
	uint64_t revision;
	struct reading last, recent, past; /* past: a window ago, or two */
	int64_t well_since_us;		   /* 0: it is not */
	int64_t written_us;
	char *names; /* owned: what was ill when that was written last */
	char *ill;   /* owned: what was ill last, or NULL */
	struct text words;
};

void healthy_free(struct healthy *healthy)
{
	if (!healthy)
		return;
	host_free(healthy->host);
	facts_clear(&healthy->facts);
	touched_clear(&healthy->touched);
	tree_free(healthy->tree);
	basis_clear(&healthy->basis);
	reading_clear(&healthy->last);
	reading_clear(&healthy->recent);
	reading_clear(&healthy->past);
	text_clear(&healthy->words);
	free(healthy->names);
	free(healthy->ill);
	free(healthy->store);
	free(healthy);
}

static int load(struct healthy *healthy, const struct trial *trial)
{
	AUTO(store)
	struct store *store = store_open(healthy->store, STORE_READ, NULL);
	AUTO(tree) struct tree *past = NULL;
	int rc =
		store ? basis_parse(trial->basis, &healthy->basis, NULL) : -EIO;

	if (rc == 0)
		rc = store_load_at(store, trial->restores, &past, NULL);
	if (rc == 0)
		rc = store_load_at(store, trial->revision, &healthy->tree,
				   NULL);
	if (rc < 0)
		return rc;
	touched_find(past, healthy->tree, healthy->tree, &healthy->touched);
	return 0;
}

struct healthy *healthy_new(const char *store, const struct trial *trial)
{
	struct healthy *healthy;

	if (!trial->basis)
		return NULL;
	healthy = mem_alloc(sizeof(*healthy));
	healthy->store = mem_strdup(store);
	healthy->host = host_new();
	healthy->revision = trial->revision;
	healthy->names = mem_strdup("");
	if (load(healthy, trial) == 0)
		return healthy;
	healthy_free(healthy);
	return NULL;
}

/* The oldest reading that is not too old steps back; now takes its place. */
static void keep(struct healthy *healthy, struct reading *now)
{
	reading_clear(&healthy->last);
	healthy->last = *now;
	*now = (struct reading)READING_NONE;
	if (healthy->recent.at_us &&
	    healthy->last.at_us - healthy->recent.at_us < WINDOW_US)
		return;
	reading_clear(&healthy->past);
	healthy->past = healthy->recent;
	healthy->recent = healthy->last;
	healthy->last = (struct reading)READING_NONE;
}

static const struct reading *past_of(const struct healthy *healthy)
{
	return healthy->past.at_us     ? &healthy->past
	       : healthy->recent.at_us ? &healthy->recent
				       : NULL;
}

static int take_reading(struct healthy *healthy, struct reading *now,
			struct err *err)
{
	const struct checkup checkup = { .tree = healthy->tree,
					 .facts = &healthy->facts,
					 .touched = &healthy->touched,
					 .past = past_of(healthy),
					 .loss = healthy->basis.loss };
	int rc = read_facts(healthy->host, healthy->tree, &healthy->facts, err);

	return rc < 0 ? rc : measure(healthy->host, &checkup, now, err);
}

static void put_span(int64_t us, struct text *out)
{
	text_printf(out, "%.1fs", (double)us / 1e6);
}

/* In a trial's last word: what is ill now; or what was, if it is well now but
 * not for long enough. */
static void put_state(const struct healthy *healthy, struct text *out)
{
	if (!healthy->well_since_us) {
		text_put(out, healthy->ill ? healthy->ill : "not measured yet");
		return;
	}
	text_put(out, "well for only ");
	put_span(health_clock_us() - healthy->well_since_us, out);
	text_put(out, " of ");
	duration_print((uint64_t)healthy->basis.hold_us, out);
	if (healthy->ill)
		text_printf(out, ", before that %s", healthy->ill);
}

static void write_state(struct healthy *healthy, const struct trial *trial,
			const char *names)
{
	int64_t now = health_clock_us();
	bool ends = trial_left_us(trial) < END_US;
	AUTO(store) struct store *store = NULL;
	AUTO_TEXT state = TEXT_NONE;

	if (!strcmp(names, healthy->names) && !ends &&
	    now - healthy->written_us < WRITE_US)
		return;
	store = store_open(healthy->store, STORE_WRITE, NULL);
	put_state(healthy, &state);
	if (!store || store_trial_ill(store, healthy->revision,
				      text_get(&state), NULL) < 0)
		return; /* the next time */
	free(healthy->names);
	healthy->names = mem_strdup(names);
	healthy->written_us = now;
}

static void note_ill(struct healthy *healthy, const char *ill)
{
	healthy->well_since_us = 0;
	free(healthy->ill);
	healthy->ill = mem_strdup(ill);
}

static bool judge(struct healthy *healthy, const struct reading *now,
		  const struct trial *trial)
{
	struct judgement judgement;
	bool well = health_judge(&healthy->basis, now, &judgement), done;

	if (well && !healthy->well_since_us)
		healthy->well_since_us = now->at_us;
	else if (!well)
		note_ill(healthy, judgement.ill_count
					  ? text_get(&judgement.ill)
					  : "nothing could be measured");
	done = well && health_clock_us() - healthy->well_since_us >=
			       healthy->basis.hold_us;
	text_cut(&healthy->words, 0);
	text_put(&healthy->words, "well for ");
	put_span(health_clock_us() - healthy->well_since_us, &healthy->words);
	text_printf(&healthy->words, ": %s", text_get(&judgement.well));
	if (!done)
		write_state(healthy, trial, text_get(&judgement.names));
	judgement_clear(&judgement);
	return done;
}

static void fail(struct healthy *healthy, const struct trial *trial,
		 const char *why)
{
	note_ill(healthy, why);
	write_state(healthy, trial, why);
}

bool healthy_look(struct healthy *healthy, const struct trial *trial)
{
	const struct reading *last =
		healthy->last.at_us ? &healthy->last : &healthy->recent;
	AUTO_READING now = READING_NONE;
	AUTO_ERR err = ERR_NONE;
	bool well = false;

	if (last->at_us)
		pause_us(last->at_us + EVERY_US - health_clock_us());
	if (take_reading(healthy, &now, &err) == 0)
		well = judge(healthy, &now, trial);
	else
		fail(healthy, trial, err.text);
	keep(healthy, &now);
	return well;
}

const char *healthy_words(const struct healthy *healthy)
{
	return text_get(&healthy->words);
}
