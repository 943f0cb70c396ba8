/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * healthy.h - a commit that measurement confirms (model/health.h).
 *
 *     the session       healthy_before()   what is so before the first step
 *     the watcher       healthy_look()     once a second, until the trial ends
 *
 * What the watcher goes by is in the store, with the trial: it needs nothing of
 * the session that committed.
 */
#ifndef SHELL_HEALTHY_H
#define SHELL_HEALTHY_H

#include <stdbool.h>
#include <stdint.h>

#include "model/base/err.h"

struct session;
struct trial;

/* commit until-healthy=, loss=, where they are left out. */
#define HEALTHY_HOLD_US UINT64_C(10000000)
#define HEALTHY_LOSS	UINT64_C(500) /* hundredths of a percent */

/* Measures what the session's commit, which is under lock, will touch; *basis
 * is for struct stamp, and the caller's. EOPNOTSUPP if nothing of it can be
 * measured, or nothing was well. What was ill is said. */
int healthy_before(struct session *session, char **basis, struct err *err);

struct healthy;

/* For the watcher. NULL if this trial is none that measurement ends. */
struct healthy *healthy_new(const char *store, const struct trial *trial);
void healthy_free(struct healthy *healthy);
/* Measures once, a second after the last time; true: well for long enough.
 * Whatever is ill is kept with the trial. */
bool healthy_look(struct healthy *healthy, const struct trial *trial);
/* "well for 10s: /paths/adsl0 device wan0: up; ...". Borrowed. */
const char *healthy_words(const struct healthy *healthy);

#endif
