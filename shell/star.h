/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * star.h - every child: "* get rate", "web* get rate" for those whose names
 * begin so, and the same behind a path and a slash.
 *
 * The rest of the line is run for each child of the place in front of the star,
 * sorted; what is changed is one transaction.
 */
#ifndef SHELL_STAR_H
#define SHELL_STAR_H

#include <stdbool.h>

#include "model/base/err.h"

struct command;
struct place;
struct session;
struct words;

/* Does a line begin with one? */
bool star_is(const struct words *words);
/* May this be done for every child? What leads away or ends may not. */
bool star_takes(const struct command *command);
int star_run(struct session *session, const struct words *words,
	     struct err *err);
/* The path of the first child that path (a place, a slash, a star) stands for,
 * the caller's to free; NULL if there is none. */
char *star_first(const struct place *place, const char *path);

#endif
