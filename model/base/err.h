/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * err.h - what went wrong, in one sentence.
 *
 * The layer that knows the object and the cause writes the sentence with
 * err_set(); the layers above add where with err_prefix(). Only the shell
 * prints. A code is a negative errno value; it decides the exit code of the
 * program (shell/exit.h), so choose it for its class:
 *
 *     EINVAL          the words cannot be read (usage, syntax)
 *     ENOENT          no such thing
 *     EPERM, EACCES   the privilege is missing
 *     EBUSY           somebody else is at it
 *     ESTALE          the ground moved: a conflict with another's change
 *     ENOTRECOVERABLE the data plane could not be put back
 *     anything else   refused or failed; nothing changed
 */
#ifndef MODEL_BASE_ERR_H
#define MODEL_BASE_ERR_H

#include <errno.h>
#include <stdarg.h>

struct err {
	int code;   /* negative errno, 0 while nothing is wrong */
	char *text; /* owned; NULL while nothing is wrong */
};

#define ERR_NONE                                                               \
	{                                                                      \
		0, NULL                                                        \
	}

/* Sets code (given positive) and sentence, replacing what was there. Returns
 * -code. err may be NULL where nobody wants to know. */
int err_set(struct err *err, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* Puts where in front of what. Returns the code that is there; with err NULL
 * that of the last err_set(). */
int err_prefix(struct err *err, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* Puts a remedy or the kernel's own words behind. Returns the code. */
int err_append(struct err *err, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void err_clear(struct err *err);
/* Moves from to to, which is cleared first. Returns the code. */
int err_move(struct err *to, struct err *from);
static inline void err_auto(struct err *err)
{
	err_clear(err);
}
#define AUTO_ERR __attribute__((cleanup(err_auto))) struct err

#endif
