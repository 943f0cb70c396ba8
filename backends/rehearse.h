/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * rehearse.h - a plan is tried where it can do no harm.
 *
 * In a throw-away network namespace stand-ins take the places of the devices
 * (same names, MTU, queue length, addresses), the tree before the change is
 * built there, then the change is made, read back and compared. What the kernel
 * refuses, it refuses there. Of a patch (model/patch.h) the way is the patch's
 * own: only its objects are wanted, read, changed and read back.
 *
 * All of this is done by a process of its own, which sees everything as it was
 * when it began: the caller goes on, and asks later.
 *
 * A stand-in is a veth: what a driver of real hardware would refuse does not
 * show, and neither does what other software set up on the real device.
 */
#ifndef BACKENDS_REHEARSE_H
#define BACKENDS_REHEARSE_H

#include "model/txn.h"

/* Both for struct txn. NULL and ENOTSUP if it cannot even begin. */
struct rehearsal *rehearse_begin(const struct play *play, struct err *err);
/* Ends it and frees it. 0 if it works there. ENOTSUP if nothing could be
 * rehearsed (no namespace to be had), which says nothing about the change. Any
 * other code: it would fail, and err says how, with *path the node at fault (""
 * if none; the caller's to free). */
int rehearse_end(struct rehearsal *rehearsal, char **path, struct err *err);

#endif
