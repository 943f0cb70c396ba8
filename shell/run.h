/* SPDX-License-Identifier: GPL-3.0-or-later */
/* run.h - does what the words of one line say. */
#ifndef SHELL_RUN_H
#define SHELL_RUN_H

#include "model/base/err.h"

struct session;
struct words;

/* 0, or what went wrong, which the caller tells (run_tell()). */
int run_words(struct session *session, const struct words *words,
	      struct err *err);
/* Tells an error where the session stands. */
void run_tell(struct session *session, const struct err *err);

#endif
