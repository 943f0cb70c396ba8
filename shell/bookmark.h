/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * bookmark.h - names for places: @home wherever a path may stand.
 *
 * They are a user's own, a line each ("home /paths/adsl0") in the file
 * bookmarks of state.h, which is read anew whenever somebody asks: several
 * shells see the same. Lines that are no bookmarks count for nothing. @last is
 * the object that was created last.
 */
#ifndef SHELL_BOOKMARK_H
#define SHELL_BOOKMARK_H

#include "model/base/err.h"
#include "model/value.h"

struct node;
struct place;

#define BOOKMARK_LAST "last"

struct bookmark {
	char *name, *path; /* owned */
};

struct bookmarks {
	struct bookmark *items; /* owned; sorted as they were added */
	size_t count, room;
};

void bookmarks_load(struct bookmarks *bookmarks);
const char *bookmarks_find(const struct bookmarks *bookmarks, const char *name);
/* path NULL: it goes. Changes the file. */
int bookmarks_put(const char *name, const char *path, struct err *err);
void bookmarks_clear(struct bookmarks *bookmarks);
#define AUTO_BOOKMARKS                                                         \
	__attribute__((cleanup(bookmarks_clear))) struct bookmarks

/* EINVAL for what is no name of one. */
int bookmark_check(const char *name, struct err *err);
/* tree_walk() from a node, where @NAME may stand in front. */
struct node *bookmark_walk(const struct place *place, const struct node *from,
			   const char *path, struct err *err);
/* "@home", with the path it stands for as its help; lead is "@" or "". */
void bookmarks_offer(const char *lead, struct candidates *to);

#endif
