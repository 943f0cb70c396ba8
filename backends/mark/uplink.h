/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * uplink.h - one uplink of /classes as the marking rules see it: its classes
 * with their marks, and its matches in the order in which they are asked.
 */
#ifndef BACKENDS_MARK_UPLINK_H
#define BACKENDS_MARK_UPLINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/node.h"
#include "model/report.h"

struct facts;

struct claim {
	const struct node *match;
	uint32_t mark, classid; /* of its class */
	uint64_t order;
	size_t place; /* in the sorted walk: class path, then name */
	bool packet;  /* scope=packet */
	bool host;    /* by a host's name */
};

struct uplink {
	const struct node *node;
	const char *device; /* borrowed */
	uint32_t mask;	    /* of class marks */
	bool fw;
	bool shards;		     /* the priority names a class in any HTB */
	const struct node **classes; /* owned; those with a mark */
	size_t class_count, class_room;
	struct claim *claims; /* owned; sorted */
	size_t claim_count, claim_room;
	/* So many of the claims are asked where a packet leaves its socket,
	 * since a cgroup is known only there: the last such one and all that
	 * come before it. */
	size_t local_count;
};

/* False if nothing is to be marked there: disabled, no device, no class. What
 * cannot be had is reported and left out. uplink_clear() in either case. */
bool uplink_read(const struct node *node, const struct facts *facts,
		 uint32_t mask, struct report *report, struct uplink *uplink);
void uplink_clear(struct uplink *uplink);
uint32_t class_mark(const struct node *class);
/* Is there a match to ask about a connection on its way out? */
bool uplink_asks_connections(const struct uplink *uplink);
/* ...or one by a host's name? */
bool uplink_asks_hosts(const struct uplink *uplink);

#endif
