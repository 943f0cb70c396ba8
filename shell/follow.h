/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * follow.h - follows the running system: hears what changes
 * (backends/events.h), looks where it differs from the store, remembers since
 * when (model/drifts.h), and does what the setting `drift` says: tell, put
 * back, take over, nothing.
 *
 *     event ... quiet for a moment ... look ... tell, mend ... event
 *
 * Looks are bounded: whatever storm there is, they take at most a tenth of a
 * processor. What is mended and changed back three times in a minute is
 * left alone until it has agreed for a minute, so that two programs that fight
 * do not go on for ever.
 */
#ifndef SHELL_FOLLOW_H
#define SHELL_FOLLOW_H

#include <stdbool.h>

#include "model/base/err.h"

/* One thing that happened. */
struct spell;
struct happening {
	/* differs, agrees, repaired, adopted, left, failed; full, free */
	const char *what;
	const char *path;	   /* of the node, or "" */
	const char *text;	   /* the object, and what is about it */
	const char *by;		   /* or NULL */
	const struct spell *spell; /* full, free; else NULL */
};

struct follow_options {
	const char *store;
	/* Hears of it. false: nobody listens any more. */
	bool (*tell)(const struct happening *happening, void *arg);
	void *arg;
};

/* Until SIGINT or SIGTERM (0), nobody listens (0), or it cannot go on. One at a
 * time for each store: EBUSY. */
int follow(const struct follow_options *options, struct err *err);

#endif
