/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * anchors.h - the rules that stay, chain by chain, as places for new ones.
 *
 * A rule's place is its number in the chain as it shall be. The rules that stay
 * fill the numbers that the new ones leave, in their order:
 *
 *     stay    A C D        new   X at 2        A C X D
 *                          no new one before it, so two that stay are: X goes
 *                          before the third, D
 */
#ifndef BACKENDS_MARK_ANCHORS_H
#define BACKENDS_MARK_ANCHORS_H

#include "backends/netlink/netlink.h"

struct anchors;

/* What is in the table now, less the rules with these handles. */
struct anchors *anchors_read(struct netlink *netlink, const uint64_t *gone,
			     size_t count, struct err *err);
void anchors_free(struct anchors *anchors);
AUTO_DEFINE(anchors, struct anchors *, anchors_free)

/* Handle of the rule that a new one with this place goes before, when `before`
 * new ones of this chain have smaller places; 0: at the end. anchors may be
 * NULL: the table is new. */
uint64_t anchors_find(const struct anchors *anchors, const char *chain,
		      uint32_t place, size_t before);

#endif
