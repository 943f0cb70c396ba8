/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * draw.h - a branch of the tree, in targetcli's drawing.
 *
 *     o- classes ................................... [1 uplink tree]
 *       o- uplink ................................ [path adsl0]
 *
 * Lines are as wide as they may be and never wider: what is too long is cut,
 * first the summary's end, then the name's middle.
 */
#ifndef SHELL_DRAW_H
#define SHELL_DRAW_H

#include <stdbool.h>
#include <stdint.h>

#include "model/base/text.h"

struct live;
struct node;

enum health { HEALTH_UNKNOWN, HEALTH_GOOD, HEALTH_BAD };

struct drawing {
	unsigned width; /* columns */
	bool colour;
	bool bare;		 /* names alone */
	bool unicode;		 /* the terminal knows more than ASCII */
	unsigned depth;		 /* levels below the top; 0: all */
	bool whole;		 /* also of a crowd (crowd.h) below the top */
	const struct live *live; /* or NULL */
};

void draw_tree(const struct drawing *drawing, const struct node *top,
	       struct text *out);
/* What stands in brackets: the kind's words, then what the running system says.
 * "128kbit..200kbit prio 1, 12.3 kB, 4 drops" */
enum health draw_summary(const struct node *node, const struct live *live,
			 struct text *out);
/* The same without the kind's words. */
enum health draw_standing(const struct node *node, const struct live *live,
			  struct text *out);
/* "12.3 kB" */
void draw_bytes(uint64_t bytes, struct text *out);

#endif
