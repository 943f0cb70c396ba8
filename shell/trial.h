/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * trial.h - a commit that waits for its confirmation: what is said of it, and
 * the watcher that ends it.
 *
 * The watcher is this program once more, in a process of its own that nobody's
 * terminal or session takes along. It sleeps until the deadline and then starts
 * as any writer does, which undoes what was not confirmed (session_lock()). If
 * it is gone, the next writer does that, or `tresse restoreconfig` at boot.
 */
#ifndef SHELL_TRIAL_H
#define SHELL_TRIAL_H

#include "model/base/err.h"
#include "model/base/text.h"

struct outcome;
struct output;
struct session;
struct store;

/* After a commit: if it is on trial, starts the watcher and tells everybody. */
void trial_begun(struct session *session, const struct outcome *outcome);
/* A store that was converted cannot be read any more by the watcher of the
 * older program that began a trial: one of ours takes over. */
void trial_take_over(struct session *session, struct store *store);
/* What was not confirmed and still runs: a warning. */
void trial_warn(struct session *session, struct store *store);
/* What others began or ended since the last prompt: said. */
void trial_news(struct session *session);
/* "?57s" behind the path in the prompt. */
void trial_mark(struct session *session, struct text *out);
/* A row of status. */
void trial_show(struct output *output, struct store *store);
int trial_confirm(struct session *session, struct err *err);

/* To all who are logged in, and to the system's log. */
void trial_tell_all(const char *text);

/* The watcher itself: returns when nothing is left to watch. */
int trial_watch(const char *store);

#endif
