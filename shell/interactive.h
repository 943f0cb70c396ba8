/* SPDX-License-Identifier: GPL-3.0-or-later */
/* interactive.h - the prompt, line by line, until somebody leaves. */
#ifndef SHELL_INTERACTIVE_H
#define SHELL_INTERACTIVE_H

struct session;

void interactive(struct session *session);

#endif
