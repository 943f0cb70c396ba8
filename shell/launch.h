/* SPDX-License-Identifier: GPL-3.0-or-later */
/* launch.h - a program that goes on by itself. */
#ifndef SHELL_LAUNCH_H
#define SHELL_LAUNCH_H

#include "model/base/err.h"

/* Starts program in a session of its own, in /, without files, without the
 * signals that are blocked or ignored here, and with no more of the environment
 * than PATH and TZ. Nobody waits for it. A program that cannot be started is an
 * error. */
int launch(const char *program, char *const argv[], struct err *err);

#endif
