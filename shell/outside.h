/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * outside.h - TAB in bash, zsh and fish: they hand us their half-typed line and
 * get a line a candidate, "TEXT<tab>DESCRIPTION".
 */
#ifndef SHELL_OUTSIDE_H
#define SHELL_OUTSIDE_H

struct options;

/* line: "tresse --store x /paths cr", up to the cursor at byte point (a number;
 * NULL: at its end). */
void outside_complete(struct options *options, const char *line,
		      const char *point);

#endif
