/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * editor.h - the line somebody types: readline with our own TAB, ?, Ctrl-R,
 * suggestions, history and prompt.
 *
 * Nothing is ever asked of the terminal: a serial line or a script may stand
 * behind it and never answer. readline is started by the first line, so what is
 * not interactive does not pay for it.
 */
#ifndef SHELL_EDITOR_H
#define SHELL_EDITOR_H

struct session;

void editor_start(struct session *session);
/* The next line, the caller's to free; NULL at the end (Ctrl-D). A paste of
 * many comes as one, with newlines in it, once Enter was pressed behind it; on
 * a terminal that does not put pastes in brackets they come one by one. */
char *editor_line(void);
/* Keeps a line in the history, unless it holds a secret. */
void editor_remember(const char *line);
/* Shows a line behind a prompt, as if it were typed. */
void editor_echo(const char *line);
/* Gives the terminal back as it was. */
void editor_stop(void);

#endif
