/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * picker.h - a place, picked on the screen.
 *
 *     Go where?                         1 of 14
 *       /
 *         paths
 *     >     adsl0  device wan0
 *     arrows move, Enter goes, / searches, Esc leaves
 *
 * Keys go in and a screen comes out, so that both can be looked at without a
 * terminal. On one, plain ECMA-48 is written and nothing is ever asked.
 */
#ifndef SHELL_PICKER_H
#define SHELL_PICKER_H

#include "model/base/mem.h"
#include "model/base/text.h"

struct node;
struct picker;
struct tree;

enum picked { PICKED_NOT_YET, PICKED_THIS, PICKED_NOTHING };

/* Of all places of tree, beginning at here; both have to stay. */
struct picker *picker_new(const struct tree *tree, const struct node *here);
void picker_free(struct picker *picker);
AUTO_DEFINE(picker, struct picker *, picker_free)

/* key: see keys.h; left and right go to what is above and below. */
enum picked picker_key(struct picker *picker, int key);
/* The one under the cursor; NULL if the search finds nothing. */
struct node *picker_at(const struct picker *picker);
/* height lines, none wider than width. */
void picker_draw(struct picker *picker, unsigned width, unsigned height,
		 struct text *out);

/* On the terminal, which is then as it was before, also where a signal ends it.
 * NULL: they left it. */
struct node *picker_run(const struct tree *tree, const struct node *here);

#endif
