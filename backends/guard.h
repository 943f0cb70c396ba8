/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * guard.h - a change must not cut off who makes it.
 *
 * Somebody who is logged in by ssh has a way from here to where they sit. The
 * kernel is asked for it before the first step and after the last
 * (RTM_GETROUTE): if it is another one now, or none, the change is undone
 * within milliseconds, before the session has noticed, and refused.
 */
#ifndef BACKENDS_GUARD_H
#define BACKENDS_GUARD_H

#include <stdbool.h>

#include "model/base/err.h"
#include "model/value.h"

struct host;

/* Where packets to the peer go. */
struct hop {
	int index;	       /* of the device; 0: nowhere */
	struct prefix gateway; /* family 0: on-link */
};

struct guard {
	struct prefix peer, own; /* the two ends of the ssh connection */
	struct hop before;
};

/* Looks for an ssh connection behind this process: SSH_CONNECTION of its own
 * environment or of a process above it (sudo takes it away). False: none. */
bool guard_find(struct guard *guard);
/* The same from the text: "CLIENT PORT SERVER PORT". */
bool guard_parse(struct guard *guard, const char *connection);

/* For struct txn, with a struct guard as arg. after false: remembers the way.
 * after true: EHOSTUNREACH and a sentence if it is another one. */
int guard_watch(struct host *host, bool after, void *arg, struct err *err);

#endif
