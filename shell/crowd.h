/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * crowd.h - a server's peers, where they are too many for a screen: there may
 * be thousands. Some have a line of their own: first who complains, then the
 * busiest, then who is there at all; the others have one together.
 */
#ifndef SHELL_CROWD_H
#define SHELL_CROWD_H

#include <stddef.h>

#include "shell/draw.h"

enum { CROWD_SHOWN = 6 };

/* Are these peers, and more than that? */
bool crowd_is(const struct node *branch);
/* Those worth a line, the most worth it first; how many. live may be NULL. */
size_t crowd_pick(const struct node *peers, const struct live *live,
		  const struct node *shown[CROWD_SHOWN]);
/* The others: "44 more, 40 of them up: /links/home0/peers ls". */
enum health crowd_rest(const struct node *peers, const struct live *live,
		       const struct node *const *shown, size_t count,
		       struct text *out);

#endif
