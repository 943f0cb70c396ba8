/* SPDX-License-Identifier: GPL-3.0-or-later */
/* difference.h - how one tree differs from another, shown: one change a line.
 */
#ifndef SHELL_DIFFERENCE_H
#define SHELL_DIFFERENCE_H

#include <stddef.h>

struct output;
struct tree;

/* The table "changes". most: lines after which the rest is only counted; 0: all
 * are shown. Returns how many changes there are. */
size_t difference_show(struct output *output, const struct tree *from,
		       const struct tree *to, size_t most);

#endif
