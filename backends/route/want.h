/* SPDX-License-Identifier: GPL-3.0-or-later */
/* want.h - the routes and rules that the tree's paths ask for. Pure. */
#ifndef BACKENDS_ROUTE_WANT_H
#define BACKENDS_ROUTE_WANT_H

#include "model/backend.h"

void route_want(const struct tree *tree, const struct facts *facts,
		struct report *report, struct state *want);

#endif
