/* SPDX-License-Identifier: GPL-3.0-or-later */
/* state.h - files that are kept for a user: $XDG_STATE_HOME/tresse/NAME. */
#ifndef SHELL_STATE_H
#define SHELL_STATE_H

/* The file, there and for its owner's eyes only, or NULL where none can be had.
 * The caller's to free. What is no plain file is none. */
char *state_file(const char *name);
/* Where it would be; nothing is made. NULL where there is no home. */
char *state_path(const char *name);

#endif
