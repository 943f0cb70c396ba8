/* SPDX-License-Identifier: GPL-3.0-or-later */
/* nearest.h - words for messages: the name that is closest to what was typed.
 */
#ifndef SHELL_NEAREST_H
#define SHELL_NEAREST_H

#include "model/node.h"

/* Each: NULL if nothing is near. Borrowed. */
const char *nearest_child(const struct node *parent, const char *name);
const char *nearest_command(const char *name);
const char *nearest_attr(const struct kind *kind, const char *name);

/* "a" or "an", as the name wants it. */
const char *article_of(const char *name);

#endif
