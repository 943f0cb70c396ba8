/* SPDX-License-Identifier: GPL-3.0-or-later */
/* check_link.h - settings of links that each could be, and together cannot. */
#ifndef MODEL_CHECK_LINK_H
#define MODEL_CHECK_LINK_H

#include "model/report.h"

struct node;

/* Keys, addresses and members of one link, and its addresses beside those of
 * the links behind it in the tree. */
void check_link_sense(const struct node *link, struct report *report);

#endif
