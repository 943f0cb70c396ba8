/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * diff.h - how one tree differs from another, setting by setting.
 *
 * Nodes are the same if their paths are. Only what was given counts: what
 * Tresse chose is no change that anybody made.
 */
#ifndef MODEL_DIFF_H
#define MODEL_DIFF_H

#include <stdbool.h>

#include "model/base/text.h"
#include "model/node.h"

enum change_op { CHANGE_CREATE, CHANGE_SET, CHANGE_DELETE };

struct change {
	enum change_op op;
	/* The node: in `to`, or in `from` for a deletion. */
	const struct node *node;
	/* CHANGE_SET: which one; texts are borrowed, NULL where it is unset.
	 * For CHANGE_CREATE and CHANGE_DELETE attr is NULL. */
	const struct attr *attr;
	const char *before, *after;
};

/* Deletions first (the top of a branch stands for it), then, parents before
 * children and sorted by name, what is created and what is set. each() returns
 * non-zero to stop; that comes back. */
int tree_diff(const struct tree *from, const struct tree *to,
	      int (*each)(const struct change *change, void *arg), void *arg);

/* "+ /paths/lte0", "~ /paths/adsl0 up: 1mbit -> 2mbit", "- /paths/old" */
void change_print(const struct change *change, struct text *out);

#endif
