/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "shell/screen.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define NARROWEST 8
#define WIDEST	  10000

static unsigned within(long columns)
{
	if (columns < NARROWEST)
		return NARROWEST;
	return columns > WIDEST ? WIDEST : (unsigned)columns;
}

unsigned screen_width(void)
{
	const char *columns = getenv("COLUMNS");
	struct winsize size = { 0 };
	long asked = columns ? strtol(columns, NULL, 10) : 0;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0)
		size.ws_col = 0;
	/* An exported $COLUMNS does not know of a window made smaller. */
	if (size.ws_col && (asked <= 0 || asked > size.ws_col))
		return within(size.ws_col);
	return asked > 0 ? within(asked) : 80;
}

unsigned screen_height(void)
{
	struct winsize size = { 0 };

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 2)
		return size.ws_row;
	return 24;
}

bool screen_moves(void)
{
	const char *term = getenv("TERM");

	return term && *term && strcmp(term, "dumb") != 0;
}

bool screen_has_colour(void)
{
	const char *off = getenv("NO_COLOR"), *term = getenv("TERM");

	return isatty(STDOUT_FILENO) && !(off && *off) &&
	       !(term && !strcmp(term, "dumb"));
}
