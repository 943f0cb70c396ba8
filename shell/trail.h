/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * trail.h - the places somebody has been to, for cd -, cd < and cd >.
 *
 *     /   /paths   /paths/adsl0   /classes
 *                  ^ at           ^ cd > goes there
 *
 * Places are kept by path: the objects may be gone when one wants back. Going
 * somewhere by name forgets what lies ahead.
 */
#ifndef SHELL_TRAIL_H
#define SHELL_TRAIL_H

#include <stddef.h>

struct trail {
	char **paths; /* owned */
	size_t count, room;
	size_t at;  /* where one is */
	char *last; /* where one was before, owned; NULL: nowhere yet */
};

/* Somebody came from one place to the other. */
void trail_note(struct trail *trail, const char *from, const char *to);
/* The next place by the trail: step -1 back, 1 ahead; NULL at its end. at moves
 * there. Borrowed until the next note. */
const char *trail_step(struct trail *trail, int step);
void trail_clear(struct trail *trail);

#endif
