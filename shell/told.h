/* SPDX-License-Identifier: GPL-3.0-or-later */
/* told.h - how a transaction went: said to people, or shown to programs. */
#ifndef SHELL_TOLD_H
#define SHELL_TOLD_H

#include "model/base/err.h"

struct outcome;
struct session;

/* Doubts, then what was done, or would be (dry). */
void told_done(struct session *session, const struct outcome *outcome);
/* The session ends, its candidate does not. */
void told_kept(struct session *session);
/* What a command did to the candidate. */
void told_gathered(struct session *session);
/* Every finding with the line it belongs to. err is what is left to be said by
 * the caller; the session's line is set to where it belongs. */
void told_refused(struct session *session, const struct outcome *outcome,
		  struct err *err);

#endif
