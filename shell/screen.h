/* SPDX-License-Identifier: GPL-3.0-or-later */
/* screen.h - the terminal we write to, as far as the kernel knows it: nothing
 * is asked of the terminal itself. */
#ifndef SHELL_SCREEN_H
#define SHELL_SCREEN_H

#include <stdbool.h>

/* Columns of stdout: $COLUMNS, but no more than the terminal has; then the
 * terminal's; then 80. */
unsigned screen_width(void);
/* Rows; 24 where it is not known. */
unsigned screen_height(void);
/* Can its cursor be moved? */
bool screen_moves(void);
/* Colours: on a terminal that is not dumb, unless NO_COLOR is set. */
bool screen_has_colour(void);

#endif
