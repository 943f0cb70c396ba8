/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "shell/news.h"

#include <string.h>

#include "model/diff.h"
#include "model/store.h"
#include "shell/change.h"
#include "shell/pref.h"
#include "shell/session.h"

#define MOST_PATHS 3 /* that are named */

/* ---- who, and when ---- */

struct authors {
	uint64_t since;	  /* revisions after this one are news */
	struct text who;  /* those who made them, the last one first */
	struct text when; /* the last one's */
};

static int take_author(const struct revision *revision, void *arg)
{
	struct authors *authors = arg;
	const char *actor = revision->actor ? revision->actor : "somebody";

	if (revision->number <= authors->since)
		return 1;
	if (!authors->when.length)
		time_print(revision->at_us, &authors->when);
	if (!strstr(text_get(&authors->who), actor))
		text_printf(&authors->who, "%s%s",
			    authors->who.length ? " and by " : "", actor);
	return 0;
}

static void find_authors(struct store *store, struct authors *authors)
{
	store_history(store, take_author, authors, NULL);
	if (!authors->who.length)
		text_put(&authors->who, "somebody");
}

static void authors_clear(struct authors *authors)
{
	text_clear(&authors->who);
	text_clear(&authors->when);
}

/* ---- what ---- */

struct objects {
	const struct node *last;
	size_t count;
	struct text paths; /* of the first ones */
};

static int take_change(const struct change *change, void *arg)
{
	struct objects *objects = arg;

	if (change->node == objects->last)
		return 0;
	objects->last = change->node;
	if (objects->count++ >= MOST_PATHS)
		return 0;
	text_put(&objects->paths, objects->paths.length ? ", " : "");
	text_put_char(&objects->paths, change->op == CHANGE_CREATE   ? '+'
				       : change->op == CHANGE_DELETE ? '-'
								     : '~');
	node_path(change->node, &objects->paths);
	return 0;
}

static void say(struct session *session, const struct authors *authors,
		const struct objects *objects, uint64_t revision)
{
	AUTO_TEXT more = TEXT_NONE;

	if (objects->count > MOST_PATHS)
		text_printf(&more, " and %zu more",
			    objects->count - MOST_PATHS);
	output_say(session->output, SAY_DONE,
		   "changed by %s meanwhile, %s: revision %llu, was %llu; %zu "
		   "object%s%s%s%s",
		   text_get(&authors->who), text_get(&authors->when),
		   (unsigned long long)revision,
		   (unsigned long long)session->base, objects->count,
		   objects->count == 1 ? "" : "s", objects->count ? ": " : "",
		   text_get(&objects->paths), text_get(&more));
}

static bool is_unwanted(const struct session *session)
{
	return session->staying && !pref_u(PREF_NEWS);
}

void news_changed(struct session *session, struct store *store,
		  const struct tree *now, uint64_t revision)
{
	struct authors authors = { .since = session->base };
	struct objects objects = { 0 };

	if (is_unwanted(session))
		return;
	find_authors(store, &authors);
	tree_diff(session->place.tree, now, take_change, &objects);
	say(session, &authors, &objects, revision);
	authors_clear(&authors);
	text_clear(&objects.paths);
}

/* ---- before the prompt ---- */

/* A candidate keeps its tree; what others did is brought in by commit. */
static void tell_beside(struct session *session)
{
	AUTO(store)
	struct store *store =
		store_open(session->options.store, STORE_READ, NULL);
	struct authors authors = { .since = session->base };
	uint64_t revision = 0;

	if (session->heard > authors.since)
		authors.since = session->heard;
	if (!store || store_revision(store, &revision, NULL) < 0 ||
	    revision <= authors.since)
		return;
	session->heard = revision;
	if (is_unwanted(session))
		return;
	find_authors(store, &authors);
	output_say(session->output, SAY_DONE,
		   "changed by %s meanwhile, %s: revision %llu; your candidate "
		   "began at %llu, and commit brings both together",
		   text_get(&authors.who), text_get(&authors.when),
		   (unsigned long long)revision,
		   (unsigned long long)session->base);
	authors_clear(&authors);
}

void news_tell(struct session *session)
{
	if (session->draft)
		tell_beside(session);
	else
		session_look(session, NULL);
}
