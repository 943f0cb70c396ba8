/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * draft.h - a session's private candidate, from begin to commit or discard.
 *
 *     begin      draft_begin()     a candidate, new or left over
 *       commands change session->place.tree
 *                draft_changed()   ...and it is kept in the store
 *     commit     draft_commit()    merged into what runs now, one transaction
 *     discard    draft_discard()
 *
 * What is kept is the difference to the revision it began with, as a batch. So
 * a candidate outlives its session, whatever ended it, and the same user's next
 * one takes it up. To keep it takes a moment's write to the store and no lock.
 */
#ifndef SHELL_DRAFT_H
#define SHELL_DRAFT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/base/err.h"

struct session;
struct store;
struct tree;

/* afresh: what was left over is discarded. Says what it took up. */
int draft_begin(struct session *session, bool afresh, struct err *err);
/* Takes up what this user left over; ENOENT if there is nothing. */
int draft_resume(struct session *session, struct err *err);
/* After a command: tells what it did, and keeps it. */
int draft_changed(struct session *session, struct err *err);
/* After a command that failed half-way: as it was kept. */
void draft_reload(struct session *session);
/* A batch failed: what it began is gone, what it took up is as it was. */
void draft_abort(struct session *session);
/* The tree that a commit would make of it now, the caller's, and the revision
 * that stands behind it. ESTALE if others changed the same; that is told,
 * unless this candidate overrules them. */
int draft_merged(struct session *session, struct store *store, bool overrules,
		 struct tree **tree, uint64_t *revision, struct err *err);
int draft_commit(struct session *session, bool overrules, struct err *err);
int draft_discard(struct session *session, struct err *err);
/* The session ends; the candidate stays, unless it is empty. */
void draft_leave(struct session *session);

/* Settings and objects that it changes; 0 without one. */
size_t draft_changes(const struct session *session);
/* What it began with; NULL without one. */
const struct tree *draft_base(const struct session *session);

#endif
