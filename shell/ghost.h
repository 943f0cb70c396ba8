/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * ghost.h - what the line may become, in grey behind the cursor.
 *
 *     /> set ce|il=301kbit
 *
 * It stands on the screen and not on the line: Right, End, Ctrl-F and Ctrl-E
 * take it, Alt-F a word of it, and Enter does not see it. It is drawn where
 * there is room on the cursor's own row and is gone before anything else is
 * written.
 */
#ifndef SHELL_GHOST_H
#define SHELL_GHOST_H

/* Hooks into readline, which is initialized. guess says what a line may become,
 * the whole of it, or NULL; borrowed until the next key. Does nothing on a
 * terminal without colours or where the cursor cannot be moved. */
void ghost_start(const char *(*guess)(const char *line));
/* Off the screen: somebody else is about to write. */
void ghost_hide(void);
/* None until the next key: a question about the line is answered below it. */
void ghost_stop(void);

#endif
