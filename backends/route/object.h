/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * object.h - a route or a rule, as the route driver keeps it.
 *
 * The key holds all that tells one from another in the kernel's tables. A rule
 * is told by everything in it, so rules never change: one comes and one goes.
 */
#ifndef BACKENDS_ROUTE_OBJECT_H
#define BACKENDS_ROUTE_OBJECT_H

#include <stdbool.h>
#include <stdint.h>

#include "model/state.h"
#include "model/value.h"

enum route_what { ROUTE_ROUTE, ROUTE_RULE };

/* Zeroed before it is filled in. */
struct route_data {
	uint8_t what; /* enum route_what */
	uint8_t family;
	uint8_t protocol; /* RTPROT_*; another than ours is only looked at */
	uint8_t scope;	  /* RT_SCOPE_*; IPv6 has none: 0 */
	bool onlink;	  /* the gateway is reached though in no network */
	bool foreign;
	uint32_t table;
	uint32_t metric;     /* a rule's priority */
	uint32_t mark, mask; /* of a rule; mask 0: not by mark */
	struct prefix to;    /* length 0: default */
	struct prefix from;  /* preferred source; a rule's selector; or none */
	struct prefix gateway; /* family 0: none */
	char device[16];
};

/* What the kernel takes for a route without one: net/ipv6/route.c,
 * IP6_RT_PRIO_USER. */
uint32_t route_standard_metric(uint8_t family);
uint8_t route_full_length(uint8_t family);

/* Is address, whatever its length, in the network of prefix? */
bool prefix_holds(const struct prefix *prefix, const struct prefix *address);
/* Without host bits. */
struct prefix prefix_network(const struct prefix *prefix);
void prefix_put(const struct prefix *prefix, struct text *out);

/* "100 from 10.0.0.0/8 fwmark 0x1/0xff lookup 12": of a rule, as ip has it. */
void route_put_selector(const struct route_data *data, struct text *out);
void route_key(const struct route_data *data, struct text *out);
/* "route default via 192.0.2.1 dev wan0 table 20000 src 192.0.2.2" */
void route_put(const struct route_data *data, struct text *out);
/* Only what differs: "route default table 20000 via 192.0.2.1 -> 192.0.2.3" */
void route_put_change(const struct route_data *before,
		      const struct route_data *after, struct text *out);
bool route_equal(const struct route_data *a, const struct route_data *b);

static inline const struct route_data *route_of(const struct object *object)
{
	return object->data;
}

#endif
