/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * patch.h - a change so small that it can be seen to touch nothing else.
 *
 * Some settings (ATTR_OWN: a class's rate, ceil, prio, leaf ...) make objects
 * of their own node and nothing else: no other node's objects, no order, no
 * number of anything depends on them. When a change is only of such settings,
 * of a few classes that were there before and have no classes below them, then
 * only those objects are wanted, read, planned for and read back:
 *
 *     all      10,000 classes wanted, read, compared, one step, all read again
 *     patch    one class wanted, read, one step, one read again
 *
 * What a patch does not look at, it neither repairs nor overwrites. It
 * is done only as changes in place; anything else that it would take (what is
 * wanted to be there is not, a queue of another kind) is for the whole.
 */
#ifndef MODEL_PATCH_H
#define MODEL_PATCH_H

#include "model/node.h"

#define PATCH_MOST 64 /* of more, all costs as much */

struct patch {
	const struct node *nodes[PATCH_MOST];
	size_t count;
};

/* The nodes that changed since the tree was clean; false: anything may have. */
bool patch_find(const struct tree *tree, struct patch *patch);

#endif
