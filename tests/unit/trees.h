/* SPDX-License-Identifier: GPL-3.0-or-later */
/* trees.h - trees for tests; what is refused ends the test with why. */
#ifndef TESTS_UNIT_TREES_H
#define TESTS_UNIT_TREES_H

#include "model/node.h"

struct node *make(struct node *parent, const char *name);
/* With one setting; text may be NULL, then without. */
struct node *make_with(struct node *parent, const char *name, const char *attr,
		       const char *text);
/* With a rate, or NULL. */
struct node *make_rated(struct node *parent, const char *name,
			const char *rate);
void set(struct node *node, const char *attr, const char *text);
/* tree_diff() finds nothing. */
bool tree_same(const struct tree *from, const struct tree *to);

#endif
