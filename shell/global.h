/* SPDX-License-Identifier: GPL-3.0-or-later */
/* global.h - `get global` and `set global`: the preferences (pref.h). */
#ifndef SHELL_GLOBAL_H
#define SHELL_GLOBAL_H

#include <stdbool.h>

#include "model/base/err.h"

struct match;
struct session;

#define GLOBAL "global" /* what stands in the place of a setting's name */

/* The first value is that word. */
bool global_is(const struct match *match);
int global_get(struct session *session, const struct match *match,
	       struct err *err);
int global_set(struct session *session, const struct match *match,
	       struct err *err);

#endif
