/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * mend.h - what follow (follow.h) does about what differs: puts back, or takes
 * over, where the setting `drift` (model/drift.h) says so.
 *
 * Each object may be put back three times in a minute. Then it is left alone
 * until it has agreed with the store for a minute: by a repair by hand, or
 * because whoever changed it has given up.
 */
#ifndef SHELL_MEND_H
#define SHELL_MEND_H

#include <stdbool.h>

#include "model/base/mem.h"

struct drifts;
struct mends;
struct outcome;
struct session;

struct mends *mends_new(void);
void mends_free(struct mends *mends);

/* It differs no more. */
void mends_agree(struct mends *mends, const char *key);

struct mend {
	const char *what; /* repaired, adopted, left, failed */
	const char *path, *text;
};

/* What was seen by session, whose tree is committed. Notes in drifts what could
 * not be done. true: look again soon. */
bool mends_do(struct mends *mends, struct session *session,
	      const struct outcome *seen, struct drifts *drifts,
	      void (*tell)(const struct mend *mend, void *arg), void *arg);

#endif
