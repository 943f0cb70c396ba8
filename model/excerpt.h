/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * excerpt.h - the part of a tree that a change touches.
 *
 * Nodes by their paths, with what they stand on: everything above them, what
 * they refer to, the settings of the machine, and below a class that has
 * classes one of those, so that it is still not a leaf. Rehearsing a change to
 * one class among 10,000 then costs what one class costs.
 */
#ifndef MODEL_EXCERPT_H
#define MODEL_EXCERPT_H

#include "model/node.h"

struct excerpt;

/* whole must outlive it. */
struct excerpt *excerpt_new(const struct tree *whole);
/* With the settings that nodes had when the tree was last clean: what stood
 * before, where no node was made or deleted since. For a patch (patch.h): a
 * default, to which nothing is led then, does not come along. */
struct excerpt *excerpt_new_clean(const struct tree *whole);
/* A path that is not in the whole tree is passed over. */
void excerpt_add(struct excerpt *excerpt, const char *path);
/* Completes it; the caller's from now on. */
struct tree *excerpt_take(struct excerpt *excerpt);
void excerpt_free(struct excerpt *excerpt);
AUTO_DEFINE(excerpt, struct excerpt *, excerpt_free)

#endif
