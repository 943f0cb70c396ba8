/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * show.h - a rule as nft writes it, from its expressions, so that what was read
 * prints like what is wanted.
 *
 * Left out are counters, and a return behind something that was set: every
 * match's rule has both. "ct mark set 10" sets the bits of the class mask only;
 * a mask other than 0xffff is shown (10/0xff). What is not ours shows by the
 * names of its expressions.
 */
#ifndef BACKENDS_MARK_SHOW_H
#define BACKENDS_MARK_SHOW_H

#include <stdbool.h>

#include "backends/mark/item.h"

/* With a blank in front of each part. */
void show_rule(const struct item *rule, struct text *out);
/* The same with nothing left out, for nft to read. cgroup: of a rule that asks
 * for one, its path; or NULL. False: nft cannot read it, for there is no way to
 * write a quote. */
bool show_rule_whole(const struct item *rule, const char *cgroup,
		     struct text *out);
/* "1:10", and a mark in the way its type has it. */
void show_classid(uint32_t classid, struct text *out);
void show_mark(uint32_t mark, struct text *out);

#endif
