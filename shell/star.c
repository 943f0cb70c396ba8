/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "shell/star.h"

#include <string.h>

#include "shell/batch.h"
#include "shell/bookmark.h"
#include "shell/draft.h"
#include "shell/run.h"
#include "shell/session.h"

struct children {
	char **paths; /* owned */
	size_t count, room;
};

static void children_clear(struct children *children)
{
	while (children->count)
		free(children->paths[--children->count]);
	free(children->paths);
}

AUTO_DEFINE(nodes, struct node **, free)

/* "*", "web*", or such behind a path: a pattern is what stands behind the last
 * slash, and nothing but a star may follow the beginning of a name. */
static bool ends_in_star(const char *path)
{
	size_t length = strlen(path);

	return length && path[length - 1] == '*' &&
	       strcspn(path, "*") == length - 1;
}

static const char *pattern_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static bool fits(const struct node *node, const char *pattern)
{
	return !strncmp(node_name(node), pattern, strlen(pattern) - 1);
}

bool star_is(const struct words *words)
{
	return words->count && !words->items[0].key &&
	       ends_in_star(words->items[0].text);
}

bool star_takes(const struct command *command)
{
	if (command->needs & REPEATABLE)
		return true;
	return command->needs & NEEDS_FILE &&
	       command->needs & (NEEDS_WRITE | NEEDS_WRITE_VALUES);
}

/* What stands in front of the star. */
static struct node *parent_of(const struct place *place, const char *path,
			      struct err *err)
{
	AUTO(str)
	char *parent = mem_strndup(path, (size_t)(pattern_of(path) - path));

	return bookmark_walk(place, place->here, *parent ? parent : ".", err);
}

char *star_first(const struct place *place, const char *path)
{
	AUTO(nodes) struct node **sorted = NULL;
	const struct node *parent;

	if (!place->tree || !ends_in_star(path))
		return NULL;
	parent = parent_of(place, path, NULL);
	if (!parent || !node_first(parent))
		return NULL;
	sorted = node_sorted(parent);
	for (struct node **at = sorted; *at; at++)
		if (fits(*at, pattern_of(path)))
			return node_path_dup(*at);
	return NULL;
}

static int find_children(const struct place *place, const char *path,
			 struct children *children, struct err *err)
{
	const struct node *parent = parent_of(place, path, err);
	AUTO(str) char *shown = NULL;
	AUTO(nodes) struct node **sorted = NULL;

	if (!parent)
		return err->code;
	shown = node_path_dup(parent);
	if (!node_first(parent))
		return err_set(err, ENOENT,
			       "there is nothing below %s: nothing was done",
			       shown);
	sorted = node_sorted(parent);
	for (struct node **at = sorted; *at; at++) {
		if (!fits(*at, pattern_of(path)))
			continue;
		children->paths =
			mem_grow(children->paths, children->count,
				 &children->room, sizeof(*children->paths));
		children->paths[children->count++] = node_path_dup(*at);
	}
	if (!children->count)
		return err_set(err, ENOENT,
			       "nothing below %s begins with '%.*s': nothing "
			       "was done",
			       shown, (int)strlen(pattern_of(path)) - 1,
			       pattern_of(path));
	return 0;
}

static int check_command(const struct words *words, struct err *err)
{
	const struct command *command =
		words->count > 1 ? command_find(words->items[1].text) : NULL;

	if (!command || star_takes(command))
		return 0; /* unknown ones are told as always */
	return err_set(err, EINVAL,
		       "%s is for one place: * goes with create, set, delete "
		       "and what only looks",
		       command->name);
}

static int run_child(struct session *session, const struct words *words,
		     const char *path, struct err *err)
{
	AUTO_WORDS line = WORDS_NONE;
	int rc = words_add(&line, path, err);

	if (rc == 0 && words->count == 1)
		rc = words_add(&line, "ls", err);
	for (size_t i = 1; rc == 0 && i < words->count; i++) {
		rc = words_add(&line, words->items[i].text, err);
		line.items[i].key = words->items[i].key;
	}
	session->heading = path;
	if (rc == 0)
		rc = run_words(session, &line, err);
	session->heading = NULL;
	if (rc < 0 && err->text && strncmp(err->text, path, strlen(path)) != 0)
		err_prefix(err, "%s: ", path);
	return rc;
}

static int run_children(struct session *session, const struct words *words,
			const struct children *children, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < children->count; i++)
		rc = run_child(session, words, children->paths[i], err);
	return rc;
}

/* What is given up took the place along: it is looked up again. */
static void find_place(struct session *session, const char *path)
{
	struct node *node;

	if (session_look(session, NULL) < 0 || !session->place.tree)
		return;
	node = tree_walk(session->place.tree, tree_root(session->place.tree),
			 path, NULL);
	if (node)
		session->place.here = node;
}

/* Outside a batch it is one of its own. */
static int run_alone(struct session *session, const struct words *words,
		     const struct children *children, struct err *err)
{
	AUTO(str) char *path = session_path(session);
	unsigned line = session->line;
	int rc;

	session->gathering = true;
	rc = run_children(session, words, children, err);
	if (rc == 0)
		rc = batch_end(session, err);
	session->gathering = session->force = false;
	session->line = line;
	if (rc < 0 && session->draft)
		draft_reload(session);
	if (!session->place.here)
		find_place(session, path);
	session_settle(session, rc == 0);
	return rc;
}

int star_run(struct session *session, const struct words *words,
	     struct err *err)
{
	struct children children = { 0 };
	const char *path = words->items[0].text;
	int rc = check_command(words, err);

	if (rc == 0)
		rc = session_look(session, err);
	if (rc == 0 && session->moved && !strchr("/@", path[0]))
		rc = err_set(err, ENOENT,
			     "the place it was typed for is gone: nothing was "
			     "done");
	if (rc == 0)
		rc = find_children(&session->place, path, &children, err);
	if (rc == 0 && session->gathering)
		rc = run_children(session, words, &children, err);
	else if (rc == 0)
		rc = run_alone(session, words, &children, err);
	children_clear(&children);
	return rc;
}
