/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "shell/run.h"

#include <string.h>

#include "shell/draft.h"
#include "shell/filter.h"
#include "shell/global.h"
#include "shell/session.h"
#include "shell/star.h"
#include "shell/trial.h"

static bool writes(const struct match *match)
{
	unsigned needs = match->command ? match->command->needs : 0;

	return needs & NEEDS_WRITE || (needs & NEEDS_WRITE_VALUES &&
				       match->count && !global_is(match));
}

/* `PATH set KEY=VALUE...`, on its own, of settings that are nobody else's
 * (ATTR_OWN): the path; else NULL. Among 10,000 classes one is read. */
static const char *path_alone(const struct session *session,
			      const struct words *words)
{
	const struct word *items = words->items;

	if (session->place.tree || session->staying || session->gathering ||
	    session->stepping || session->building || session->filtering ||
	    session->heading || session->draft || words->count < 3 ||
	    items[0].text[0] != '/' ||
	    command_find(items[1].text) != &command_set)
		return NULL;
	for (size_t i = 2; i < words->count; i++) {
		AUTO(str) char *key = mem_strndup(items[i].text, items[i].key);
		const struct attr *attr = kind_attr(&kind_class, key);

		if (!attr || !(attr->flags & ATTR_OWN))
			return NULL;
	}
	return items[0].text;
}

/* A command alone that needs no tree does not make us read one. */
static bool needs_tree(const struct session *session, const struct words *words)
{
	const struct command *command =
		words->count ? command_find(words->items[0].text) : NULL;

	if (!words->count || session->building)
		return false;
	if (match_is_path(&words->items[0]) || words->items[0].key)
		return true;
	return !command || command->needs & NEEDS_TREE;
}

static int check_place(const struct session *session, const struct match *match,
		       struct err *err)
{
	if (!session->building || !match->command ||
	    match->command->needs & NEEDS_FILE)
		return 0;
	return err_set(err, EINVAL,
		       "a file to be restored holds create, set, delete and cd "
		       "only, not %s",
		       match->command->name);
}

/* A command that was typed for a place that is gone must not be done at another
 * one: delete x would hit somebody else's x. */
static int check_moved(const struct session *session, const struct words *words,
		       struct err *err)
{
	if (!session->moved || strchr("/@", words->items[0].text[0]))
		return 0;
	return err_set(err, ENOENT,
		       "the place it was typed for is gone: nothing was done");
}

static int find(struct session *session, const struct words *words,
		struct match *match, struct err *err)
{
	int rc = check_moved(session, words, err);

	if (rc == 0)
		rc = match_words(match, &session->place, words, words->count,
				 err);
	if (rc == 0 && match->command)
		rc = match_ready(match, err);
	return rc < 0 ? rc : check_place(session, match, err);
}

/* The tree may be another one once the lock is held: the words are matched
 * again, which costs nothing and changes nothing. */
static int begin(struct session *session, const struct words *words,
		 struct match *match, struct err *err)
{
	AUTO(str) char *doing = mem_strdup(match->command->name);
	bool asks =
		session->staying && !session->gathering && match->command->ask;
	uint64_t base = session->base;
	unsigned line = session->line;
	int rc = asks ? match->command->ask(session, match, err) : 0;

	if (rc < 0)
		return rc;
	if (session->writer || session->building || session->draft)
		return 0;
	session->line = 0; /* it is not the line's fault */
	rc = session_begin(session, doing, err);
	if (rc < 0)
		return rc;
	if (asks && session->base != base)
		return err_set(err, ESTALE,
			       "somebody changed something while you were "
			       "asked: nothing was done; look again");
	session->line = line;
	match_clear(match);
	return find(session, words, match, err);
}

/* Of each block that * gives. */
static void put_heading(struct session *session)
{
	AUTO(str) char *line = mem_printf("[%s]\n", session->heading);

	if (output_is_json(session->output))
		output_field(session->output, "path", session->heading);
	else
		output_raw(session->output, line, strlen(line));
}

static int do_command(struct session *session, const struct match *match,
		      struct err *err)
{
	return match->command ? match->command->run(session, match, err)
			      : session_go(session, match->node, err);
}

static int go(struct session *session, const struct match *match,
	      struct err *err)
{
	int rc;

	if (match->command && match_value(match, "force"))
		session->force = true;
	/* The lines of a file: the document is that of who reads it. */
	if (session->building)
		return do_command(session, match, err);
	output_begin(session->output);
	if (session->heading && !writes(match))
		put_heading(session);
	rc = do_command(session, match, err);
	if (rc == 0 && session->writer && !session->gathering)
		rc = session_commit(session, err);
	if (rc == 0 && session->draft && writes(match) && !session->gathering)
		rc = draft_changed(session, err);
	if (rc < 0)
		output_drop(session->output);
	else
		output_end(session->output);
	return rc;
}

/* What changes things has no lines to filter, and these two never end. */
static int check_filtered(const struct match *match, struct err *err)
{
	if (match->command && !writes(match) &&
	    match->command != &command_watch &&
	    match->command != &command_follow)
		return 0;
	return err_set(err, EINVAL,
		       "%s takes no filter: | goes behind what only looks",
		       match->command ? match->command->name : "a path alone");
}

/* The store is opened once for both. */
static int look(struct session *session, const struct words *words,
		const char *alone, struct err *err)
{
	AUTO(store) struct store *store = NULL;
	AUTO_ERR why = ERR_NONE;
	int rc;

	if ((!alone && !needs_tree(session, words)) ||
	    (session->gathering && (session->writer || session->draft)))
		return 0;
	store = store_open(session->options.store, STORE_READ, &why);
	if (!store) /* a candidate is there all the same */
		return session->writer || session->draft ? 0
							 : err_move(err, &why);
	rc = session_look_in(session, store, alone, err);
	if (rc == 0 && !session->gathering)
		trial_warn(session, store);
	return rc;
}

/* alone: path_alone(). */
static int run(struct session *session, const struct words *words,
	       const char *alone, struct err *err)
{
	AUTO_MATCH match = MATCH_NONE;
	int rc;

	if (!session->gathering && !session->stepping) {
		session->source = NULL; /* a file's, of an earlier command */
		session->line = 0;
	}
	if (!session->gathering)
		session->moved = false;
	if (filter_find(words) < words->count)
		return filter_run(session, words, err);
	if (star_is(words))
		return star_run(session, words, err);
	rc = look(session, words, alone, err);
	if (rc == 0)
		rc = find(session, words, &match, err);
	if (rc == 0 && session->filtering)
		rc = check_filtered(&match, err);
	if (rc == 0 && writes(&match))
		rc = begin(session, words, &match, err);
	if (rc == 0)
		rc = go(session, &match, err);
	if (rc < 0 && session->writer)
		session_abandon(session);
	else if (rc < 0 && session->draft && writes(&match) &&
		 !session->gathering)
		draft_reload(session);
	if (!session->gathering) {
		session_settle(session, rc == 0);
		session->force = false;
		owned_clear(&session->takes);
	}
	session_unstamp(session);
	session_unsee(session);
	session->summing = false;
	return rc;
}

int run_words(struct session *session, const struct words *words,
	      struct err *err)
{
	const char *alone = words->count ? path_alone(session, words) : NULL;
	int rc;

	if (!words->count)
		return 0;
	session->tried = false;
	rc = run(session, words, alone, err);
	if (rc == 0 || !alone || session->tried)
		return rc;
	/* Not enough was read for it, or for the right words about it. */
	session_forget(session);
	err_clear(err);
	return run(session, words, NULL, err);
}

void run_tell(struct session *session, const struct err *err)
{
	struct origin_line where = session_where(session);

	output_error(session->output, &where, err, 0, NULL);
}
