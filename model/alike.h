/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * alike.h - of many changes that are alike, the few that stand for them.
 *
 * Classes are alike when they have the same parent, nothing below them, and the
 * same settings but for what tells them apart (name, classid, mark,
 * description), both before the change and after it. The kernel takes the same
 * way for each, so what it takes ALIKE_TRIED times it takes again. All else is
 * alike to nothing.
 */
#ifndef MODEL_ALIKE_H
#define MODEL_ALIKE_H

#include "model/node.h"

struct alike;

#define ALIKE_TRIED 32

/* Both trees must outlive it. */
struct alike *alike_new(const struct tree *before, const struct tree *after);
void alike_free(struct alike *alike);
AUTO_DEFINE(alike, struct alike *, alike_free)

/* Is the node of this path one to try? Asked again, it answers the same. */
bool alike_takes(struct alike *alike, const char *path);

#endif
