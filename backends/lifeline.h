/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * lifeline.h - what a change of the tree does to one connection that ends here:
 * that of the session which makes the change.
 *
 * It is cut off where its packets come into a class too narrow for them, or
 * where the tunnel that carries it becomes another one. Pure; where the kernel
 * sends packets afterwards is backends/guard.h's to ask.
 */
#ifndef BACKENDS_LIFELINE_H
#define BACKENDS_LIFELINE_H

#include <stdbool.h>
#include <stdint.h>

#include "model/base/err.h"
#include "model/value.h"

struct node;
struct tree;

/* TCP, as seen from its end here. */
struct lifeline {
	struct prefix peer, own; /* addresses, of one family */
	uint16_t peer_port, own_port;
	const char *device; /* that its packets leave by */
	uint32_t mark; /* of the connection, as conntrack has it; 0: none */
};

/* bit/s: below it a full packet takes longer than the second after which TCP
 * sends it again (RFC 6298, 2.1). */
#define LIFELINE_LEAST_BPS 12000

/* Can a change to this tree be a matter of classes or tunnels at all? Where it
 * cannot, nobody need read the tree of before. after may be a part. */
bool lifeline_may_be_cut(const struct lifeline *life, const struct tree *after);
/* EHOSTUNREACH and what would cut it: "its packets would be in ...". What was
 * so before already is no change. */
int lifeline_check(const struct lifeline *life, const struct tree *before,
		   const struct tree *after, struct err *err);

#endif
