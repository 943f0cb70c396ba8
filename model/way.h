/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * way.h - a change that goes by way of another tree, so as to cost no packet.
 *
 * What a queue holds is lost when the kernel can only make it anew: a class
 * below another one, or with another leaf. So it is built beside itself, the
 * traffic is led there, and only when the old one has run empty it goes:
 *
 *     1:10 sfq        1:fffe fq_codel      1:10 fq_codel
 *     |------------->|------------------->|
 *     first leg       second leg
 *
 * Each leg is an ordinary change, with a wait before it deletes classes; the
 * tree in the middle differs from the wanted one in classids only. Numbers stay
 * what they were: other tools, and people, know them.
 */
#ifndef MODEL_WAY_H
#define MODEL_WAY_H

#include "model/node.h"
#include "model/state.h"

/* The tree in the middle, for the objects that a plan would rather have made
 * aside, and all below them; the caller's. Its numbers are those that neither
 * tree has. NULL: nothing to put aside, or no number is free. */
struct tree *way_new(const struct tree *from, const struct tree *to,
		     const struct plan *plan);

#endif
