/* SPDX-License-Identifier: GPL-3.0-or-later */
/* sync.h - the session's tree becomes another one, by the differences only. */
#ifndef SHELL_SYNC_H
#define SHELL_SYNC_H

#include <stdbool.h>

struct ledger;
struct session;
struct tree;

/* What changes goes into the session's ledger; lines, if not NULL, says on
 * which line of a file. With merge, what `wanted` lacks stays as it is. */
void sync_to(struct session *session, const struct tree *wanted, bool merge,
	     const struct ledger *lines);
/* The part that notes what was created and changed since the tree was clean. */
void sync_note(struct session *session, const struct ledger *lines);

#endif
