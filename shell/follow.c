/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "shell/follow.h"

#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <time.h>
#include <unistd.h>

#include "backends/list.h"
#include "model/drift.h"
#include "model/drifts.h"
#include "shell/mend.h"
#include "shell/pause.h"
#include "shell/session.h"
#include "shell/spell.h"

enum {
	/* A change is rarely one message: this long nothing more may come... */
	QUIET_US = 20000,
	/* ...but this long at most. */
	WAIT_US = 200000,
	/* While somebody else changes things, or a look failed. */
	AGAIN_US = 500000,
	/* A look that takes 10 ms of a processor is followed by 90 ms without
	 * one. */
	REST = 9,
	/* Of what happened at once; the rest is counted. */
	TOLD_MOST = 50,
	/* Between two tries to reach the engine. */
	EAR_US = 2000000,
};
#define NEVER UINT64_MAX

struct follow {
	const struct follow_options *options;
	char *file; /* owned: the store's one true name */
	struct pause pause;
	struct events *events;
	struct ear *ear;	 /* of the driver that has lines; or NULL */
	uint64_t ear_us;	 /* when to look for it again */
	int poll, inotify, lock; /* descriptors */
	struct session session;
	struct output *output;
	struct drifts drifts;
	struct mends *mends;
	uint64_t first_us; /* the oldest event not looked at, or 0 */
	uint64_t due_us;   /* when to look, or NEVER */
	uint64_t rest_us;  /* not before then */
	bool looked;	   /* at least once */
	bool deaf;	   /* nobody listens */
	bool failing;	   /* the last look did, and it was told */
	size_t told;	   /* in this look */
};

/* ---- telling ---- */

static void say(struct follow *follow, const struct happening *happening)
{
	if (follow->told++ >= TOLD_MOST || follow->deaf)
		return;
	follow->deaf = !follow->options->tell(happening, follow->options->arg);
}

static void say_rest(struct follow *follow)
{
	AUTO(str) char *text = NULL;

	if (follow->told <= TOLD_MOST)
		return;
	text = mem_printf("and %zu more: drift shows all of it",
			  follow->told - TOLD_MOST);
	follow->told = 0;
	say(follow, &(struct happening){ "more", "", text, NULL, NULL });
}

static void say_mend(const struct mend *mend, void *arg)
{
	say(arg, &(struct happening){ mend->what, mend->path, mend->text, NULL,
				      NULL });
}

/* ---- one look ---- */

static int64_t wall_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * INT64_C(1000000) + now.tv_nsec / 1000;
}

static void keep(struct follow *follow, struct drift *drift,
		 const struct step *step, struct drift *old)
{
	const char *by = events_actor(follow->events, step->backend->name);
	bool same = old && !strcmp(old->step, drift->step);

	if (old) {
		old->seen = true;
		drift->since_us = old->since_us;
		drift->early = old->early;
		drift->note = same ? TAKE(old->note) : NULL;
		if (same || !by)
			drift->by = TAKE(old->by);
	} else {
		drift->since_us = wall_us();
		drift->early = !follow->looked;
	}
	if (!drift->by && by && follow->looked)
		drift->by = mem_strdup(by);
	if (!same)
		say(follow,
		    &(struct happening){ "differs", drift->path, drift->step,
					 drift->by, NULL });
}

/* From the last look to this one. */
static void compare(struct follow *follow, const struct outcome *seen)
{
	const struct tree *tree = follow->session.place.tree;
	struct drifts next = { .began_us = follow->drifts.began_us };

	for (size_t i = 0; i < seen->plan.count; i++) {
		const struct step *step = &seen->plan.items[i];
		AUTO(str) char *key = drift_key(step);

		if (drift_policy(tree, step_path(step)) == DRIFT_IGNORE)
			continue;
		keep(follow, drifts_add(&next, key, step), step,
		     drifts_find(&follow->drifts, key));
	}
	drifts_sort(&next);
	for (size_t i = 0; i < follow->drifts.count; i++) {
		const struct drift *old = &follow->drifts.items[i];

		if (old->seen || drifts_find(&next, old->key))
			continue;
		mends_agree(follow->mends, old->key);
		say(follow, &(struct happening){ "agrees", old->path, old->key,
						 NULL, NULL });
	}
	drifts_clear(&follow->drifts);
	follow->drifts = next;
}

/* Nobody is in the middle of a change, nor was since the tree was loaded. */
static bool is_settled(struct follow *follow, struct store *store)
{
	uint64_t revision = 0;

	return !store_is_locked(store) &&
	       store_revision(store, &revision, NULL) == 0 &&
	       revision == follow->session.base;
}

static void put_off(struct follow *follow, uint64_t us)
{
	follow->due_us = pause_now_us() + us;
}

/* Only what has a note of its own is new to whoever reads the file. */
static int look(struct follow *follow, struct err *err)
{
	struct session *session = &follow->session;
	AUTO(store)
	struct store *store =
		store_open(follow->options->store, STORE_READ, err);
	const struct outcome *seen;
	const char *why;
	int rc;

	session_unsee(session);
	if (!store)
		return err->code;
	if (store_is_locked(store)) {
		put_off(follow, AGAIN_US); /* or when the lock is closed */
		return 0;
	}
	rc = session_look(session, err);
	if (rc < 0)
		return rc;
	seen = session_observe(session, &why);
	if (!seen)
		return err_set(err, EREMOTEIO, "%s", why);
	if (!is_settled(follow, store)) {
		put_off(follow, QUIET_US);
		return 0;
	}
	events_aim(follow->events, session->place.tree, &seen->facts);
	compare(follow, seen);
	events_forget(follow->events);
	follow->looked = true;
	if (mends_do(follow->mends, session, seen, &follow->drifts, say_mend,
		     follow))
		put_off(follow, QUIET_US); /* see what has become of it */
	return drifts_save(&follow->drifts, store, err);
}

/* What a busy machine takes for itself is not ours to rest for. */
static uint64_t used_us(void)
{
	struct timespec used;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
	return (uint64_t)used.tv_sec * 1000000u + (uint64_t)used.tv_nsec / 1000;
}

static void look_now(struct follow *follow)
{
	uint64_t began = used_us(), took;
	AUTO_ERR err = ERR_NONE;

	follow->due_us = NEVER;
	follow->first_us = 0;
	follow->told = 0;
	if (look(follow, &err) < 0) {
		if (!follow->failing)
			say(follow, &(struct happening){ "failed", "", err.text,
							 NULL, NULL });
		follow->failing = true;
		put_off(follow, AGAIN_US);
	} else {
		follow->failing = false;
	}
	say_rest(follow);
	took = used_us() - began;
	follow->rest_us = pause_now_us() + took * REST;
}

/* ---- lines ---- */

static int wait_on(struct follow *follow, int fd, struct err *err)
{
	struct epoll_event ready = { .events = EPOLLIN };

	ready.data.fd = fd;
	if (fd >= 0 && epoll_ctl(follow->poll, EPOLL_CTL_ADD, fd, &ready) == 0)
		return 0;
	return err_set(err, errno, "cannot wait for events: %s",
		       strerror(errno));
}

static const struct spell_ears *ears(void)
{
	for (const struct backend *const *at = backends; *at; at++)
		if ((*at)->ears)
			return (*at)->ears;
	return NULL;
}

static void say_spell(const struct spell *spell, void *arg)
{
	bool full = spell->state == SPELL_LASTS;
	AUTO(str) char *path = node_path_dup(spell->node);
	AUTO_TEXT text = TEXT_NONE;

	text_printf(&text, "%s, ", spell_way(spell));
	if (full) {
		text_printf(&text, "at %.3gmbit, %.1fms of queue",
			    (double)spell->rate_bps / 1e6,
			    (double)spell->queue_us / 1e3);
	} else {
		text_put(&text, "was full for ");
		spell_put_length(spell, &text);
	}
	say(arg, &(struct happening){ full ? "full" : "free", path,
				      text_get(&text), NULL, spell });
}

static void deafen(struct follow *follow)
{
	if (follow->ear)
		ears()->close(follow->ear);
	follow->ear = NULL;
	follow->ear_us = pause_now_us() + EAR_US;
}

/* There may be no engine, or no longer, or not yet. */
static void listen_to_lines(struct follow *follow)
{
	AUTO_ERR err = ERR_NONE;

	if (!follow->session.place.tree ||
	    !node_first(tree_links(follow->session.place.tree)) ||
	    pause_now_us() < follow->ear_us)
		return;
	follow->ear = ears()->open(&err);
	if (!follow->ear || wait_on(follow, ears()->fd(follow->ear), NULL) < 0)
		deafen(follow);
}

static void take_spells(struct follow *follow)
{
	if (!follow->ear)
		listen_to_lines(follow);
	else if (ears()->take(follow->ear, follow->session.place.tree,
			      say_spell, follow) < 0) {
		deafen(follow);
		/* If it was started anew, it is there by then. */
		if (follow->due_us > follow->ear_us)
			follow->due_us = follow->ear_us;
	}
	say_rest(follow);
}

/* When there is something to do without being called. */
static uint64_t next_time(const struct follow *follow)
{
	uint64_t next = follow->due_us < NEVER ? follow->due_us
					       : pause_now_us() + 60000000u;

	if (!follow->ear && follow->session.place.tree &&
	    node_first(tree_links(follow->session.place.tree)) &&
	    follow->ear_us < next)
		next = follow->ear_us;
	return next;
}

/* ---- waiting ---- */

static void heard(struct follow *follow)
{
	uint64_t now = pause_now_us(), due = now + QUIET_US;

	if (!follow->first_us)
		follow->first_us = now;
	if (due > follow->first_us + WAIT_US)
		due = follow->first_us + WAIT_US;
	follow->due_us = due > follow->rest_us ? due : follow->rest_us;
}

/* The store's file, and the end of whoever had the lock. */
static bool take_store(struct follow *follow)
{
	_Alignas(struct inotify_event) char room[4096];
	const char *base = strrchr(follow->file, '/') + 1;
	bool ours = false;
	ssize_t got;

	while ((got = read(follow->inotify, room, sizeof(room))) > 0)
		for (char *at = room; at < room + got;) {
			const struct inotify_event *event = (void *)at;
			size_t length = strlen(base);

			if (event->len && !strncmp(event->name, base, length) &&
			    (!event->name[length] ||
			     !strcmp(event->name + length, "-lock")))
				ours = true;
			at += sizeof(*event) + event->len;
		}
	return ours;
}

static int take(struct follow *follow, struct err *err)
{
	int rc = events_take(follow->events, err);

	if (rc < 0)
		return rc;
	if (take_store(follow) || rc > 0)
		heard(follow);
	return 0;
}

static int run(struct follow *follow, struct err *err)
{
	for (;;) {
		enum waited waited;
		int rc;

		if (pause_now_us() >= follow->due_us)
			look_now(follow);
		if (follow->deaf)
			return 0;
		take_spells(follow);
		if (follow->deaf)
			return 0;
		waited = pause_for_input(&follow->pause, follow->poll,
					 next_time(follow));
		if (waited == WAITED_ENDED)
			return 0;
		rc = take(follow, err);
		if (rc < 0)
			return rc;
	}
}

/* ---- beginning and end ---- */

static int watch_store(struct follow *follow, struct err *err)
{
	AUTO(str) char *dir = mem_strdup(follow->file);
	char *slash = strrchr(dir, '/');

	slash[slash == dir] = '\0';
	follow->inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (follow->inotify >= 0 &&
	    inotify_add_watch(follow->inotify, dir,
			      IN_MODIFY | IN_CLOSE_WRITE | IN_MOVED_TO |
				      IN_CREATE) >= 0)
		return wait_on(follow, follow->inotify, err);
	return err_set(err, errno, "cannot watch %s: %s", dir, strerror(errno));
}

static int begin(struct follow *follow, struct err *err)
{
	AUTO(store)
	struct store *store =
		store_open(follow->options->store, STORE_READ, err);
	int rc;

	if (!store)
		return err->code;
	rc = host_may_write(session_host(&follow->session), err);
	if (rc < 0)
		return rc;
	follow->lock = drifts_lock(store, err);
	if (follow->lock < 0)
		return follow->lock;
	follow->file = realpath(follow->options->store, NULL);
	if (!follow->file)
		return err_set(err, errno, "cannot find %s: %s",
			       follow->options->store, strerror(errno));
	follow->poll = epoll_create1(EPOLL_CLOEXEC);
	follow->events = events_open(err);
	if (!follow->events)
		return err->code;
	rc = wait_on(follow, events_fd(follow->events), err);
	if (rc == 0)
		rc = watch_store(follow, err);
	follow->drifts.began_us = wall_us();
	follow->mends = mends_new();
	return rc;
}

static void end(struct follow *follow)
{
	drifts_clear(&follow->drifts);
	mends_free(follow->mends);
	deafen(follow);
	events_free(follow->events);
	session_clear(&follow->session);
	output_free(follow->output);
	if (follow->inotify >= 0)
		close(follow->inotify);
	if (follow->poll >= 0)
		close(follow->poll);
	if (follow->lock >= 0)
		close(follow->lock);
	free(follow->file);
}

int follow(const struct follow_options *options, struct err *err)
{
	const struct session_options wanted = { .store = options->store };
	const struct output_options silent = { .quiet = true, .width = 80 };
	struct follow follow = {
		.options = options, .poll = -1, .inotify = -1, .lock = -1
	};
	int rc;

	follow.output = output_new(&silent);
	session_init(&follow.session, &wanted, follow.output);
	pause_begin(&follow.pause);
	rc = begin(&follow, err);
	if (rc == 0)
		rc = run(&follow, err);
	pause_end(&follow.pause);
	end(&follow);
	return rc;
}
