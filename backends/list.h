/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * list.h - the drivers, in the order in which they take turns, and what goes
 * with them: the host they work on, the rehearsal, the guard. This is all that
 * the shell sees of them.
 */
#ifndef BACKENDS_LIST_H
#define BACKENDS_LIST_H

#include "backends/events.h"
#include "backends/guard.h"
#include "backends/host.h"
#include "backends/rehearse.h"
#include "model/backend.h"

extern const struct backend backend_route, backend_tunnel, backend_tc,
	backend_mark;

/* Ends with NULL. */
extern const struct backend *const backends[];

#endif
