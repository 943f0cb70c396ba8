/* SPDX-License-Identifier: GPL-3.0-or-later */
/* users.h - who refers to a node, and by which setting. */
#ifndef SHELL_USERS_H
#define SHELL_USERS_H

#include <stddef.h>

struct node;

/* Calls each for every reference to a node of the branch from outside of it. */
void users_each(const struct node *branch,
		void (*each)(const struct node *user, size_t attr, void *arg),
		void *arg);

#endif
