/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * editor.h - the line somebody types: readline with our own TAB, history and
 * prompt.
 *
 * Nothing is ever asked of the terminal: a serial line or a script may stand
 * behind it and never answer. readline is started by the first line, so what is
 * not interactive does not pay for it.
 */
#ifndef SHELL_EDITOR_H
#define SHELL_EDITOR_H

struct session;

void editor_start(struct session *session);
/* The next line, the caller's to free; NULL at the end (Ctrl-D). */
char *editor_line(void);
/* Keeps a line in the history, unless it is the last one again. */
void editor_remember(const char *line);
/* Gives the terminal back as it was. */
void editor_stop(void);

/* "/classes/upl...k/web": a path cut in the middle, as targetcli does it. */
char *editor_short_path(const char *path, unsigned most);

#endif
