/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * events.h - what changes on this host, as the kernel tells it: rtnetlink(7)'s
 * groups for links, addresses, routes, rules and tc, and nfnetlink's for
 * nf_tables.
 *
 * An event says that something was changed, not what stands there now: who
 * hears one looks again. So most of its content is not read, and what was lost
 * when the socket's buffer ran over (ENOBUFS) counts as one event more.
 */
#ifndef BACKENDS_EVENTS_H
#define BACKENDS_EVENTS_H

#include <stdbool.h>

#include "model/base/err.h"
#include "model/base/mem.h"

struct events;
struct facts;
struct tree;

/* EPERM where nf_tables' events may not be heard (no CAP_NET_ADMIN). */
struct events *events_open(struct err *err);
void events_free(struct events *events);
AUTO_DEFINE(events, struct events *, events_free)

/* Readable when there is something to take; the events' own. */
int events_fd(const struct events *events);

/* Which devices and routing tables are this tree's: the rest of what happens
 * costs a glance at each message. Before the first call all is. */
void events_aim(struct events *events, const struct tree *tree,
		const struct facts *facts);

/* Takes what waits, up to some hundred messages. 1: there was something that
 * may concern the tree, or something was lost. 0: nothing that does. */
int events_take(struct events *events, struct err *err);

/* Who changed what this driver looks after, since events_forget(): "tc (process
 * 4711)". NULL: nobody did, or several, or the kernel does not say. */
const char *events_actor(const struct events *events, const char *driver);
void events_forget(struct events *events);

#endif
