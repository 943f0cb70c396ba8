/* SPDX-License-Identifier: GPL-3.0-or-later */
/* home.h - a user's folder ($XDG_STATE_HOME) for the length of a test. */
#ifndef TESTS_UNIT_HOME_H
#define TESTS_UNIT_HOME_H

struct home {
	char folder[32];
	char *file;   /* state_path() of the name; not there yet */
	char *before; /* XDG_STATE_HOME; NULL: it was not set */
};

void home_begin(struct home *home, const char *name);
/* Nothing but the file may have been left there. */
void home_end(struct home *home);

#endif
