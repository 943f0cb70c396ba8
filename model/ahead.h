/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * ahead.h - a revision's rows, written while the kernel is busy with its steps.
 *
 *     arm -> apply ------------------> verify -> keep (or drop, and undo)
 *         `-> rows, in a thread ---'
 *
 * Both take about as long for a thousand classes. Nobody sees the rows before
 * they are kept, which is after all was read back; a crash drops them, as the
 * journal says.
 */
#ifndef MODEL_AHEAD_H
#define MODEL_AHEAD_H

#include "model/store.h"

struct ahead;

/* Below so many steps a thread is not worth its start. */
#define AHEAD_STEPS 200

/* All of these must stay as they are until ahead_end(), and nothing else may be
 * asked of the store. */
struct ahead *ahead_start(struct store *store, struct tree *tree, uint64_t base,
			  const struct owned *owned, const struct stamp *stamp);
/* Waits for it, and frees it. What was written is the caller's to keep or drop
 * (store.h); NULL: it failed. */
struct writing *ahead_end(struct ahead *ahead, struct err *err);

#endif
