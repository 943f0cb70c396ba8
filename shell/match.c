/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "shell/match.h"

#include <string.h>

#include "shell/bookmark.h"
#include "shell/global.h"
#include "shell/nearest.h"
#include "shell/pref.h"

bool match_is_path(const struct word *word)
{
	return !word->key &&
	       (strchr(word->text, '/') || word->text[0] == '@' ||
		!strcmp(word->text, ".") || !strcmp(word->text, ".."));
}

static int add_usage(const struct match *match, struct err *err)
{
	AUTO_TEXT usage = TEXT_NONE;

	command_usage(match->command, &usage);
	return err_append(err, "; usage: %s", text_get(&usage));
}

static int walk(struct match *match, const char *path, struct err *err)
{
	struct node *node;

	if (!match->place.tree)
		return err_set(err, ENOENT, "no configuration is loaded");
	node = bookmark_walk(&match->place, match->place.here, path, err);
	if (!node)
		return err ? err->code : -ENOENT;
	match->node = node;
	match->has_path = true;
	return 0;
}

static int unknown_word(const struct match *match, const char *word,
			struct err *err)
{
	const char *near = nearest_command(word);
	const char *child = match->node && !match->has_path
				    ? nearest_child(match->node, word)
				    : NULL;

	err_set(err, EINVAL, "there is no command '%s'%s", word,
		match->has_path ? "" : ", and nothing of that name here");
	/* What was only cut short is nearer than what was misspelt. */
	if (child && !strncmp(child, word, strlen(word)))
		near = NULL;
	if (near)
		return err_append(err, "; did you mean %s?", near);
	if (child)
		return err_append(err, "; did you mean %s/?", child);
	return err_append(err, "; help lists the commands");
}

/* A name without a slash is a path only where no command is called so. */
static bool is_child(const struct match *match, const struct word *word)
{
	return match->node && !word->key && !command_find(word->text) &&
	       node_find(match->node, word->text);
}

static int match_head(struct match *match, const struct words *words,
		      size_t count, size_t *at, struct err *err)
{
	const struct word *word = words->items;
	int rc;

	*at = 0;
	if (count && (match_is_path(word) || is_child(match, word))) {
		rc = walk(match, word->text, err);
		if (rc < 0)
			return rc;
		word++;
		++*at;
	}
	if (*at == count)
		return 0;
	if (word->key)
		return err_set(err, EINVAL,
			       "a command is missing in front of '%s'; did you "
			       "mean set %s?",
			       word->text, word->text);
	match->command = command_find(word->text);
	++*at;
	return match->command ? 0 : unknown_word(match, word->text, err);
}

static void bind(struct match *match, const struct arg *arg,
		 const struct attr *attr, const char *key, const char *value)
{
	match->bound = mem_grow(match->bound, match->count, &match->room,
				sizeof(*match->bound));
	match->bound[match->count++] = (struct bound){ arg, attr, key, value };
}

static bool is_bound(const struct match *match, const struct arg *arg)
{
	for (size_t i = 0; i < match->count; i++)
		if (match->bound[i].arg == arg)
			return true;
	return false;
}

const struct arg *match_next(const struct match *match)
{
	each_arg(arg, match->command) if (!arg->type->kind &&
					  !(arg->flags & ARG_NAMED) &&
					  (arg->flags & ARG_REPEATS ||
					   !is_bound(match, arg))) return arg;
	return NULL;
}

bool match_has_key(const struct match *match, const char *key)
{
	for (size_t i = 0; i < match->count; i++) {
		const struct bound *bound = &match->bound[i];

		if (bound->key && !strcmp(bound->key, key))
			return true;
		if (!bound->key && bound->arg->name &&
		    !(bound->arg->flags & ARG_REPEATS) &&
		    !strcmp(bound->arg->name, key))
			return true;
	}
	return false;
}

static const struct arg *arg_of_key(const struct command *command,
				    const char *key)
{
	each_arg(arg, command) if (arg->name && !arg->type->kind &&
				   !strcmp(arg->name, key)) return arg;
	return NULL;
}

static const struct arg *settings_of(const struct command *command)
{
	each_arg(arg, command) if (arg->type->kind) return arg;
	return NULL;
}

static int unknown_key(const struct match *match, const struct kind *kind,
		       const char *key, struct err *err)
{
	const char *near = kind ? nearest_attr(kind, key) : NULL;

	if (!kind) {
		err_set(err, EINVAL, "%s knows no %s=", match->command->name,
			key);
		return add_usage(match, err);
	}
	if (kind == &kind_global)
		err_set(err, EINVAL, "there is no preference '%s'", key);
	else if (kind->fixed_name)
		err_set(err, EINVAL, "%s has no setting '%s'", kind->name, key);
	else
		err_set(err, EINVAL, "%s %s has no setting '%s'",
			article_of(kind->name), kind->name, key);
	if (near)
		return err_append(err, "; did you mean %s?", near);
	return err_append(err, "; help %s lists them", kind->name);
}

static int bind_setting(struct match *match, char *key, const char *value,
			struct err *err)
{
	const struct arg *arg = settings_of(match->command);
	const struct kind *kind = arg ? arg->type->kind(match) : NULL;
	const struct attr *attr = kind ? kind_attr(kind, key) : NULL;

	if (!arg || (kind && !attr)) {
		unknown_key(match, kind, key, err);
		free(key);
		return err ? err->code : -EINVAL;
	}
	bind(match, arg, attr, key, value);
	return 0;
}

static int bind_key(struct match *match, const struct word *word,
		    struct err *err)
{
	AUTO(str) char *key = mem_strndup(word->text, word->key);
	const char *value = word->text + word->key + 1;
	const struct arg *arg = arg_of_key(match->command, key);
	const struct arg *next = match_next(match);

	if (!arg && next && next->flags & ARG_REST) {
		bind(match, next, NULL, NULL, word->text);
		return 0;
	}
	if (match_has_key(match, key))
		return err_set(err, EINVAL, "%s= is there twice", key);
	if (!arg)
		return bind_setting(match, TAKE(key), value, err);
	bind(match, arg, NULL, NULL, value);
	return 0;
}

static int too_many(const struct match *match, const char *word,
		    struct err *err)
{
	const struct arg *arg = settings_of(match->command);
	const struct kind *kind = arg ? arg->type->kind(match) : NULL;
	const struct bound *first = match->bound;

	/* set up 5mbit: the first of them is the one that lacks its =. */
	if (match->count && first->arg->type == &type_group &&
	    !global_is(match))
		word = first->value;
	if (arg && kind && kind_attr(kind, word))
		return err_set(err, EINVAL,
			       "'%s' needs a value: %s=..., with no blank "
			       "around the =",
			       word, word);
	err_set(err, EINVAL, "'%s' is one word too many", word);
	return add_usage(match, err);
}

static const struct arg *arg_alone(const struct match *match, const char *word)
{
	const struct arg *arg = arg_of_key(match->command, word);

	return arg && arg->flags & ARG_ALONE ? arg : NULL;
}

static int bind_alone(struct match *match, const struct arg *arg,
		      struct err *err)
{
	if (match_has_key(match, arg->name))
		return err_set(err, EINVAL, "%s is there twice", arg->name);
	bind(match, arg, NULL, NULL, "");
	return 0;
}

static int bind_word(struct match *match, const struct word *word,
		     struct err *err)
{
	const struct arg *arg;

	if (word->key)
		return bind_key(match, word, err);
	arg = arg_alone(match, word->text);
	if (arg)
		return bind_alone(match, arg, err);
	arg = match_next(match);
	if (!arg)
		return too_many(match, word->text, err);
	bind(match, arg, NULL, NULL, word->text);
	return 0;
}

int match_words(struct match *match, const struct place *place,
		const struct words *words, size_t count, struct err *err)
{
	size_t at;
	int rc;

	match->place = *place;
	match->node = place->here;
	rc = match_head(match, words, count, &at, err);
	for (; rc == 0 && at < count; at++)
		rc = bind_word(match, &words->items[at], err);
	return rc;
}

static int check_missing(const struct match *match, struct err *err)
{
	AUTO_TEXT missing = TEXT_NONE;
	unsigned count = 0;

	each_arg(arg, match->command)
	{
		if (!(arg->flags & ARG_REQUIRED) || is_bound(match, arg))
			continue;
		text_put(&missing, count++ ? ", " : "");
		arg_label(arg, &missing);
	}
	if (!count)
		return 0;
	err_set(err, EINVAL, "%s %s missing", text_get(&missing),
		count > 1 ? "are" : "is");
	return add_usage(match, err);
}

int match_ready(const struct match *match, struct err *err)
{
	int rc = check_missing(match, err);

	for (size_t i = 0; rc == 0 && i < match->count; i++) {
		const struct bound *bound = &match->bound[i];

		if (bound->arg->type->check && !bound->key)
			rc = bound->arg->type->check(match, bound->arg,
						     bound->value, err);
	}
	return rc;
}

void match_clear(struct match *match)
{
	for (size_t i = 0; i < match->count; i++)
		free((char *)match->bound[i].key);
	free(match->bound);
	*match = (struct match)MATCH_NONE;
}

const char *match_value(const struct match *match, const char *arg)
{
	for (size_t i = 0; i < match->count; i++)
		if (match->bound[i].arg->name &&
		    !strcmp(match->bound[i].arg->name, arg))
			return match->bound[i].value;
	return NULL;
}

struct node *match_node(const struct match *match, const char *arg,
			struct err *err)
{
	const char *path = match_value(match, arg);

	if (!path)
		return match->node;
	return bookmark_walk(&match->place, match->node, path, err);
}
