/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * read.h - routes and rules as the kernel has them.
 *
 * Ours are told by protocol 84. Foreign routes are read only where they matter:
 * in the tables of the tree's paths.
 */
#ifndef BACKENDS_ROUTE_READ_H
#define BACKENDS_ROUTE_READ_H

#include "model/backend.h"

int route_read(struct host *host, const struct tree *tree,
	       const struct facts *facts, const struct owned *owned,
	       struct state *now, struct err *err);

#endif
