/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * terminal.h - the terminal as it was, whatever becomes of us.
 *
 * Signals that end a shell at its prompt are readline's to catch, in the picker
 * pause.h's. This is for a bug: a crash puts the terminal's modes, its first
 * screen and its cursor back, and then goes on as a crash.
 */
#ifndef SHELL_TERMINAL_H
#define SHELL_TERMINAL_H

#include <stdbool.h>

/* From here on. */
void terminal_guard(void);
void terminal_unguard(void);
/* A screen of its own without a cursor, and back; written to stdout. */
void terminal_second_screen(bool on);

#endif
