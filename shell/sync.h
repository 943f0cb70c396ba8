/* SPDX-License-Identifier: GPL-3.0-or-later */
/* sync.h - the session's tree becomes another one, by the differences only. */
#ifndef SHELL_SYNC_H
#define SHELL_SYNC_H

#include <stdbool.h>

#include "model/base/err.h"

struct ledger;
struct session;
struct tree;

struct sync {
	const struct tree *wanted;
	bool merge; /* what `wanted` lacks stays as it is */
	/* Absolute: only this branch of both; NULL: all. */
	const char *path;
	struct ledger *lines; /* on which line of a file; or NULL */
};
/* ENOENT if the branch is in neither, or has nothing to hang below. */
int sync_tree(struct tree *tree, const struct sync *sync, struct err *err);
/* ...the session's. What changes goes into its ledger. */
int sync_to(struct session *session, const struct sync *sync, struct err *err);
/* The part that notes what was created and changed since the tree was clean. */
void sync_note(struct session *session, struct ledger *lines);

#endif
