/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * merge.h - two changes of one tree, made into one; and a tree put back.
 *
 *         base ----- mine
 *            \           \
 *             theirs ----- theirs, with mine in it
 *
 * By setting: what only one side touched is taken, what both made the same is
 * no matter. A clash is a setting that both gave another value, an object that
 * both made and not alike, or one that one side deleted and the other changed.
 */
#ifndef MODEL_MERGE_H
#define MODEL_MERGE_H

#include <stddef.h>

#include "model/base/err.h"
#include "model/node.h"

struct clash {
	char *path;	     /* owned */
	const char *setting; /* NULL: the object itself */
	char *mine, *theirs; /* owned: texts, "" for unset; NULL: deleted */
	uint64_t node;	     /* number of theirs; 0: deleted */
	struct clash *next;
};
void clashes_free(struct clash *clash);

enum merge_side {
	MERGE_NEITHER,
	MERGE_MINE, /* overrules; but not where theirs deleted the object */
};

/* Puts what leads from base to mine into theirs. -ESTALE and the list if there
 * are clashes: theirs is as it was then. */
int tree_merge(const struct tree *base, const struct tree *mine,
	       struct tree *theirs, enum merge_side overrules,
	       struct clash **clashes, struct err *err);

/* Makes tree just as `past` was, with what was chosen then. */
void tree_put_back(struct tree *tree, const struct tree *past);

#endif
