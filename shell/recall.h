/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * recall.h - the lines somebody typed before, kept from one shell to the next.
 *
 * As they were typed, the newest last, each once: a line that is typed again
 * moves to the end. Shells that run at the same time append to one file, each
 * line by one write under the file's lock. Opening it tidies it up: doubles,
 * old lines and what nobody can have typed (controls, bytes that are no UTF-8)
 * go, and the new file takes the place of the old one whole.
 *
 * What may be kept is not decided here: see secret.h.
 */
#ifndef SHELL_RECALL_H
#define SHELL_RECALL_H

#include <stdbool.h>
#include <stddef.h>

#include "model/base/mem.h"

struct recall;

enum {
	RECALL_LINES = 1000,	 /* the newest of them are kept */
	RECALL_LONGEST = 1 << 16 /* bytes of a line; longer ones are not */
};

/* Takes file; NULL, or one that cannot be read or written: lines are known for
 * as long as this shell lives. */
struct recall *recall_open(char *file);
void recall_free(struct recall *recall);
AUTO_DEFINE(recall, struct recall *, recall_free)

/* False if it is blank, too long, or the last line again. */
bool recall_add(struct recall *recall, const char *line);
size_t recall_count(const struct recall *recall);
/* 0 is the oldest. Borrowed until the next call that adds. */
const char *recall_line(const struct recall *recall, size_t at);

/* The newest line that begins with this and goes on, if it is good: for the
 * newest that are not, the next is tried, a few times. NULL: none. */
const char *recall_begins(const struct recall *recall, const char *beginning,
			  bool (*is_good)(const char *line));

/* Lines in which each word of the query is found, newest first: those that have
 * all of them as they are, then those that have their letters in that order.
 * Small letters and capitals are the same. Writes at most room of their numbers
 * and returns how many there are. */
size_t recall_search(const struct recall *recall, const char *query,
		     size_t *found, size_t room);

#endif
