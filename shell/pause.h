/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * pause.h - waiting that somebody at the terminal can end.
 *
 * From begin to end, Ctrl-C, SIGTERM and a new size of the terminal are kept
 * until somebody waits: what runs in between is never cut off. The terminal's
 * modes are left alone, so there is nothing to put back.
 */
#ifndef SHELL_PAUSE_H
#define SHELL_PAUSE_H

#include <signal.h>
#include <stdint.h>

#include "model/base/err.h"

#define PAUSE_SIGNALS 5

struct pause {
	sigset_t before;
	struct sigaction actions[PAUSE_SIGNALS];
};

enum waited {
	WAITED,	       /* as long as it was to be */
	WAITED_REDRAW, /* the terminal is another one: a new size, or fg */
	WAITED_ENDED,  /* they want no more */
};

/* May be within another one. */
void pause_begin(struct pause *pause);
enum waited pause_until(const struct pause *pause, uint64_t at_us);
/* The same, and something to read from fd ends it, too. */
enum waited pause_for_input(const struct pause *pause, int fd, uint64_t at_us);
/* SIGTERM and SIGHUP then do what they would have done. */
void pause_end(struct pause *pause);

/* Of a clock that nobody sets. */
uint64_t pause_now_us(void);
/* "2s"; ERANGE below 100ms and above a day. */
int pause_parse(const char *text, uint64_t *us, struct err *err);

#endif
