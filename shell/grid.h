/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * grid.h - figures under each other: names to the left, figures to the right.
 *
 *     CLASS        RATE  PKT/S
 *     voice    81.4kbit     50
 *       sip    80.0kbit     50
 *
 * What is wider than it may be loses its last columns first, then the middle of
 * its names.
 */
#ifndef SHELL_GRID_H
#define SHELL_GRID_H

#include <stddef.h>

#include "model/base/mem.h"
#include "model/base/text.h"

struct grid;

/* headings: the first is the names'; ends with NULL; borrowed. */
struct grid *grid_new(const char *const *headings);
void grid_free(struct grid *grid);
AUTO_DEFINE(grid, struct grid *, grid_free)

/* A new row; what grid_put() appends to, cell by cell, left to right. */
void grid_row(struct grid *grid, const char *name, unsigned indent);
void grid_put(struct grid *grid, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* width 0: no limit. */
void grid_print(const struct grid *grid, size_t width, struct text *out);

#endif
