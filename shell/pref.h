/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * pref.h - what a user likes: the settings of `set global` and `get global`.
 *
 * One row each in pref.c, in the model's own terms (struct attr, kind.h), so
 * reading, help, TAB and the manual follow from it as they do for objects. Kept
 * a line each in $XDG_STATE_HOME/tresse/preferences; a line that cannot be read
 * is left as it is and counts as not there, so no file keeps the shell from
 * starting.
 *
 * They are about a person at a terminal. What a script gets does not depend on
 * them, but for the number of backups.
 */
#ifndef SHELL_PREF_H
#define SHELL_PREF_H

#include <stdbool.h>
#include <stdint.h>

#include "model/base/err.h"
#include "model/base/text.h"
#include "model/kind.h"

enum pref {
	PREF_ASK,
	PREF_BACKUPS,
	PREF_CD_AFTER_CREATE,
	PREF_COLOR,
	PREF_CONFIRM,
	PREF_LS_DEPTH,
	PREF_LS_STATE,
	PREF_NEWS,
	PREF_PICKER,
	PREF_PROMPT_LENGTH,
	PREFS
};

/* The rows, by enum pref. It is none of kinds[]: it has no place in the tree.
 */
extern const struct kind kind_global;

/* The number of one (yes is 1); 0 for a word such as none. The file is read at
 * the first call. */
uint64_t pref_u(enum pref pref);
/* As it would be typed. */
void pref_print(enum pref pref, struct text *out);
/* Somebody set it, and it is not just its default. */
bool pref_is_set(enum pref pref);
/* Sets it, or with an empty text or auto gives it back to its default, and
 * keeps that, with what other sessions set meanwhile. On failure everything is
 * as it was. */
int pref_set(const char *const *names, const char *const *texts, size_t count,
	     struct err *err);
/* Forgets what was read: for tests. */
void pref_forget(void);

#endif
