/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * news.h - what others changed meanwhile.
 *
 * It is told before a prompt, and before a command that finds another tree than
 * the one that was last seen; never while somebody types.
 */
#ifndef SHELL_NEWS_H
#define SHELL_NEWS_H

#include <stdint.h>

struct session;
struct store;
struct tree;

/* Before a prompt: the newest tree is looked at, and what is new is said. With
 * a candidate it is only said. Where the store cannot be read, the next command
 * says why. */
void news_tell(struct session *session);
/* The session's tree is about to become this one: who changed it, when, in
 * which revision, and how many objects. */
void news_changed(struct session *session, struct store *store,
		  const struct tree *now, uint64_t revision);

#endif
