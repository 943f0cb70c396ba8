/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "shell/trail.h"

#include "model/base/mem.h"

#define MOST 200

static void push(struct trail *trail, const char *path)
{
	if (trail->count == MOST) {
		free(trail->paths[0]);
		memmove(trail->paths, trail->paths + 1,
			(MOST - 1) * sizeof(*trail->paths));
		trail->count--;
	}
	trail->paths = mem_grow(trail->paths, trail->count, &trail->room,
				sizeof(*trail->paths));
	trail->paths[trail->count] = mem_strdup(path);
	trail->at = trail->count++;
}

void trail_note(struct trail *trail, const char *from, const char *to)
{
	if (!strcmp(from, to))
		return;
	free(trail->last);
	trail->last = mem_strdup(from);
	if (trail->count && !strcmp(trail->paths[trail->at], to))
		return; /* a step along it */
	while (trail->count > trail->at + 1)
		free(trail->paths[--trail->count]);
	if (!trail->count || strcmp(trail->paths[trail->at], from) != 0)
		push(trail, from); /* moved there by no command */
	push(trail, to);
}

const char *trail_step(struct trail *trail, int step)
{
	if (step < 0 ? !trail->at : trail->at + 1 >= trail->count)
		return NULL;
	trail->at += (size_t)step;
	return trail->paths[trail->at];
}

void trail_clear(struct trail *trail)
{
	while (trail->count)
		free(trail->paths[--trail->count]);
	free(trail->paths);
	free(trail->last);
	*trail = (struct trail){ 0 };
}
