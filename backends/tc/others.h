/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * others.h - what others have in our trees, as commands of tc.
 *
 * That is what import left as it is: filters (filters=foreign) at any place of
 * the device, queues with all that hangs below them (leaf=foreign), and what
 * hangs below a queue that leaf= does know. And the numbers of such queues,
 * which nobody asked for: filters name them. All that is nowhere but in the
 * kernel, so that is asked; what of it tc cannot say is a line of comment, and
 * an error in the report.
 */
#ifndef BACKENDS_TC_OTHERS_H
#define BACKENDS_TC_OTHERS_H

#include <stdint.h>

#include "model/base/err.h"
#include "model/base/mem.h"
#include "model/base/text.h"

struct exporting;
struct others;
struct tc_object;

/* Looks at the queues of every device that has a tree of ours. exporting must
 * outlive it. NULL and err. */
struct others *others_new(const struct exporting *exporting, struct err *err);
void others_free(struct others *others);
AUTO_DEFINE(others, struct others *, others_free)

/* The number of the queue that stands where this leaf is wanted, or the leaf's
 * own. */
uint32_t others_handle(const struct others *others,
		       const struct tc_object *leaf);

/* Behind all that is ours, which it stands on. */
int others_put(struct others *others, struct text *out, struct err *err);

#endif
