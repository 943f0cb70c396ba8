/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * match.h - the words of a line, found in the tree and in the tables.
 *
 *     [PATH] [COMMAND] [VALUE]... [KEY=VALUE]...
 *
 * One walk without side effects says how far the words make sense: which node,
 * which command's row, which argument each word is. Running starts from its
 * answer, and so does completing.
 */
#ifndef SHELL_MATCH_H
#define SHELL_MATCH_H

#include <stdbool.h>
#include <stddef.h>

#include "model/base/err.h"
#include "model/node.h"
#include "shell/command.h"
#include "shell/words.h"

/* Where words are looked up. Both NULL while no configuration is loaded: then
 * paths cannot be followed, and there is no node. */
struct place {
	struct tree *tree;
	struct node *here;
	const char *made; /* path of what was created last, or NULL */
};

struct bound {
	const struct arg *arg;
	const struct attr *attr; /* of a setting; NULL: its kind is unknown */
	const char *key;	 /* of a setting; owned by the match */
	const char *value;	 /* borrowed from the words */
};

struct match {
	struct place place;
	struct node *node; /* that the command is for: here, or PATH */
	bool has_path;
	const struct command *command; /* NULL: nothing but a PATH */
	struct bound *bound;	       /* owned */
	size_t count, room;
};

#define MATCH_NONE                                                             \
	{                                                                      \
		{ NULL, NULL, NULL }, NULL, false, NULL, NULL, 0, 0            \
	}

/* Does this word have to be a path? */
bool match_is_path(const struct word *word);

/* Matches the first count words. EINVAL or ENOENT for what is wrong with them;
 * match then tells how far it came. That something is missing at the end is no
 * fault here, but one for match_complete(). */
int match_words(struct match *match, const struct place *place,
		const struct words *words, size_t count, struct err *err);
/* EINVAL if a required argument is missing, or one cannot be read. */
int match_ready(const struct match *match, struct err *err);
void match_clear(struct match *match);
#define AUTO_MATCH __attribute__((cleanup(match_clear))) struct match

/* The value of an argument; NULL where it was not given. */
const char *match_value(const struct match *match, const char *arg);
/* The node an argument names, or the match's own where it was not given. */
struct node *match_node(const struct match *match, const char *arg,
			struct err *err);
/* The next argument that a plain value would be for, or NULL. */
const struct arg *match_next(const struct match *match);
bool match_has_key(const struct match *match, const char *key);

#endif
