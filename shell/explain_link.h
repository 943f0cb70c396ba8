/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * explain_link.h - what a link, a member or a peer comes to: part of `explain`.
 */
#ifndef SHELL_EXPLAIN_LINK_H
#define SHELL_EXPLAIN_LINK_H

#include <stdbool.h>

struct node;
struct session;

/* Is it one of them? */
bool explains_link(const struct node *node);
/* Tables: facts, with where each is from; its members; what packets of some
 * sizes are on a line. */
void explain_link(struct session *session, const struct node *node);
/* Whose objects in the kernel are its own: of a member the path's. */
const struct node *explain_link_objects(const struct node *node);

#endif
