/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * guard.h - a change must not cut off who makes it.
 *
 * Somebody who is logged in by ssh has a way from here to where they sit. The
 * kernel is asked for it before the first step and after the last
 * (RTM_GETROUTE), also for packets with the mark that conntrack has for the
 * connection, and whether their end here is still an address of ours: if it is
 * another way now, or none, the change is undone within milliseconds, before
 * the session has noticed, and refused. What needs no kernel to tell, classes
 * and tunnels (lifeline.h), is refused before the first step.
 */
#ifndef BACKENDS_GUARD_H
#define BACKENDS_GUARD_H

#include <stdbool.h>

#include <net/if.h>

#include "backends/lifeline.h"
#include "model/base/err.h"
#include "model/value.h"

struct tree;
struct txn;

/* Where packets to the peer go. */
struct hop {
	int index;	       /* of the device; 0: nowhere */
	struct prefix gateway; /* family 0: on-link */
};

/* Of packets without a mark, and of those with the connection's. */
enum { WAY_PLAIN, WAY_MARKED, WAYS };

struct guard {
	struct lifeline life;
	struct hop before[WAYS];
	char device[IF_NAMESIZE]; /* of life */
};

/* Looks for an ssh connection behind this process: SSH_CONNECTION of its own
 * environment or of a process above it (sudo takes it away). False: none. */
bool guard_find(struct guard *guard);
/* The same from the text: "CLIENT PORT SERVER PORT". */
bool guard_parse(struct guard *guard, const char *connection);

/* For struct txn, with a struct guard as arg. after false: remembers the way,
 * and judges what the tree says. after true: EHOSTUNREACH and a sentence if the
 * way is another one. */
int guard_watch(const struct txn *txn, const struct tree *tree, bool after,
		void *arg, struct err *err);

#endif
