/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * seal.h - a short way to see that nothing has changed.
 *
 * Where a tree was applied and read back without a difference, this is kept
 * (store_seal()):
 *
 *     digest of   the program, and the kernel with its modules
 *               + the facts, but for what was probed
 *               + what is there: what the drivers read, or their pulse
 *
 * If it is the same later on, for the same store, then the same program would
 * want the same and find the same: its plan is empty, and need not be made.
 * Anything else says nothing at all: all is read, wanted and planned then.
 */
#ifndef MODEL_SEAL_H
#define MODEL_SEAL_H

#include "model/backend.h"

/* Of the program, the kernel and the facts. */
struct digest seal_of_world(const struct facts *facts);
/* Adds the pulses of the drivers that have one. To be asked for before they
 * read: a change in between then shows in one or the other. */
int seal_add_pulses(const struct backend *const *backends, struct host *host,
		    const struct tree *tree, struct digest *seal,
		    struct err *err);
/* Adds what the others have read. */
void seal_add_state(const struct state *now, struct digest *seal);

#endif
