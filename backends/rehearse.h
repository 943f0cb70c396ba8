/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * rehearse.h - a plan is tried where it can do no harm.
 *
 * In a throw-away network namespace stand-ins take the places of the devices
 * (same names, MTU, queue length, addresses), the tree before the change is
 * built there, then the change is made, read back and compared. What the kernel
 * refuses, it refuses there.
 *
 * A stand-in is a veth: what a driver of real hardware would refuse does not
 * show, and neither does what other software set up on the real device.
 */
#ifndef BACKENDS_REHEARSE_H
#define BACKENDS_REHEARSE_H

#include "model/txn.h"

/* For struct txn. before and after hold what the change touches, no more. 0 if
 * it works there. ENOTSUP if nothing could be rehearsed (no namespace to be
 * had), which says nothing about the change. Any other code: it would fail, and
 * err says how, with *path the node at fault ("" if none; the caller's to
 * free). */
int rehearse(const struct tree *before, const struct tree *after,
	     const struct facts *facts, char **path, struct err *err);

#endif
