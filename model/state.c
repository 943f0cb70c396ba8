/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "model/state.h"

#include <assert.h>

#include "model/backend.h"
#include "model/base/mem.h"
#include "model/name.h"

/* ---- states ---- */

static uint32_t *slot_of(const struct state *state,
			 const struct backend *backend, const char *key)
{
	uint32_t hash = name_hash(NAME_HASH_SEED, &backend, sizeof(backend));
	size_t at, mask = state->slot_count - 1;

	hash = name_hash(hash, key, strlen(key));
	for (at = hash & mask; state->slots[at]; at = (at + 1) & mask) {
		const struct object *object =
			&state->items[state->slots[at] - 1];

		if (object->backend == backend && !strcmp(object->key, key))
			break;
	}
	return &state->slots[at];
}

static void grow_slots(struct state *state)
{
	free(state->slots);
	state->slot_count = state->slot_count ? state->slot_count * 4 : 64;
	state->slots = mem_array(state->slot_count, sizeof(*state->slots));
	for (size_t i = 0; i < state->count; i++)
		*slot_of(state, state->items[i].backend, state->items[i].key) =
			(uint32_t)i + 1;
}

/* One piece of memory: data, key and path. There are many of these. */
static void fill(struct object *object, const char *key, const char *path,
		 const void *data)
{
	size_t key_size = strlen(key) + 1, path_size = strlen(path) + 1;
	char *block = mem_resize(NULL, object->size + key_size + path_size);

	object->data = block;
	object->key = block + object->size;
	object->path = object->key + key_size;
	if (object->size)
		memcpy(block, data, object->size);
	memcpy(object->key, key, key_size);
	memcpy(object->path, path, path_size);
}

/* An empty place under that key, or NULL if it is taken. */
static struct object *add_place(struct state *state,
				const struct backend *backend, const char *key)
{
	uint32_t *slot;

	if (state->count * 2 >= state->slot_count)
		grow_slots(state);
	slot = slot_of(state, backend, key);
	if (*slot)
		return NULL;
	state->items = mem_grow(state->items, state->count, &state->room,
				sizeof(*state->items));
	*slot = (uint32_t)++state->count;
	return &state->items[state->count - 1];
}

struct object *state_add(struct state *state, const struct backend *backend,
			 const char *key, const char *path, const void *data,
			 size_t size)
{
	struct object *object = add_place(state, backend, key);

	assert(object);
	*object = (struct object){ .backend = backend, .size = size };
	fill(object, key, path, data);
	return object;
}

void state_move(struct state *state, struct object *object)
{
	struct object *to = add_place(state, object->backend, object->key);

	if (!to)
		return;
	*to = *object;
	object->data = NULL;
}

const struct object *state_find(const struct state *state,
				const struct backend *backend, const char *key)
{
	uint32_t slot;

	if (!state->slot_count)
		return NULL;
	slot = *slot_of(state, backend, key);
	return slot ? &state->items[slot - 1] : NULL;
}

void state_clear(struct state *state)
{
	for (size_t i = 0; i < state->count; i++)
		free(state->items[i].data);
	free(state->items);
	free(state->slots);
	*state = (struct state)STATE_NONE;
}

void state_diff(const struct state *now, const struct state *want,
		const struct backend *backend, const struct diff *diff,
		struct plan *plan, void *arg)
{
	for (size_t i = 0; i < want->count; i++) {
		const struct object *after = &want->items[i], *before;

		if (after->backend != backend)
			continue;
		before = state_find(now, backend, after->key);
		if (!before)
			diff->add(plan, after, arg);
		else if (diff->differs(before, after))
			diff->change(plan, before, after, arg);
	}
	for (size_t i = 0; i < now->count; i++) {
		const struct object *before = &now->items[i];

		if (before->backend == backend &&
		    !state_find(want, backend, before->key))
			diff->remove(plan, before, arg);
	}
}

/* ---- plans ---- */

struct step *plan_add(struct plan *plan, const struct backend *backend,
		      enum step_op op, enum phase phase, int level,
		      enum effect effect, const struct object *before,
		      const struct object *after)
{
	struct step *step;

	plan->items = mem_grow(plan->items, plan->count, &plan->room,
			       sizeof(*plan->items));
	step = &plan->items[plan->count++];
	*step = (struct step){ .backend = backend,
			       .op = op,
			       .phase = phase,
			       .level = level,
			       .effect = effect,
			       .before = before,
			       .after = after };
	return step;
}

void plan_aside(struct plan *plan, const struct object *object)
{
	plan->asides = mem_grow(plan->asides, plan->aside_count,
				&plan->aside_room, sizeof(*plan->asides));
	plan->asides[plan->aside_count++] = object;
}

void plan_append(struct plan *to, struct plan *from)
{
	for (size_t i = 0; i < from->count; i++) {
		to->items = mem_grow(to->items, to->count, &to->room,
				     sizeof(*to->items));
		to->items[to->count++] = from->items[i];
	}
	plan_clear(from);
}

/* What a step is sorted by; place keeps the sort stable. */
struct rank {
	enum phase phase;
	size_t turn;
	int level;
	size_t place;
};

static size_t turn_of(const struct backend *const *order,
		      const struct backend *backend)
{
	size_t turn = 0;

	while (order[turn] && order[turn] != backend)
		turn++;
	return turn;
}

static int by_rank(const void *left, const void *right)
{
	const struct rank *a = left, *b = right;

	if (a->phase != b->phase)
		return a->phase < b->phase ? -1 : 1;
	if (a->turn != b->turn)
		return a->turn < b->turn ? -1 : 1;
	if (a->level != b->level)
		return a->level < b->level ? -1 : 1;
	return a->place < b->place ? -1 : 1;
}

void plan_sort(struct plan *plan, const struct backend *const *order)
{
	struct rank *ranks = mem_array(plan->count, sizeof(*ranks));
	struct step *sorted = mem_array(plan->count, sizeof(*sorted));

	for (size_t i = 0; i < plan->count; i++) {
		const struct step *step = &plan->items[i];

		ranks[i] = (struct rank){ step->phase,
					  turn_of(order, step->backend),
					  step->level, i };
	}
	qsort(ranks, plan->count, sizeof(*ranks), by_rank);
	for (size_t i = 0; i < plan->count; i++)
		sorted[i] = plan->items[ranks[i].place];
	free(ranks);
	free(plan->items);
	plan->items = sorted;
	plan->room = plan->count;
}

void step_print(const struct step *step, struct text *out)
{
	static const char signs[] = { [STEP_ADD] = '+',
				      [STEP_CHANGE] = '~',
				      [STEP_REPLACE] = '!',
				      [STEP_DELETE] = '-',
				      [STEP_WAIT] = '.' };
	const struct backend *backend = step->backend;

	text_put_char(out, signs[step->op]);
	text_put_char(out, ' ');
	if (step->op == STEP_WAIT)
		backend->print_wait(step, out);
	else if (step->op == STEP_CHANGE && backend->print_change)
		backend->print_change(step->before, step->after, out);
	else
		backend->print(step->after ? step->after : step->before, out);
}

const char *step_path(const struct step *step)
{
	if (step->after && step->after->path[0])
		return step->after->path;
	return step->before ? step->before->path : "";
}

void plan_clear(struct plan *plan)
{
	free(plan->items);
	free(plan->asides);
	*plan = (struct plan)PLAN_NONE;
}

/* ---- what is ours ---- */

static size_t owned_place(const struct owned *owned, const char *backend,
			  const char *key)
{
	size_t i = 0;

	while (i < owned->count && (strcmp(owned->items[i].backend, backend) ||
				    strcmp(owned->items[i].key, key)))
		i++;
	return i;
}

const struct owned_item *owned_find(const struct owned *owned,
				    const char *backend, const char *key)
{
	size_t place = owned_place(owned, backend, key);

	return place < owned->count ? &owned->items[place] : NULL;
}

static void clear_item(struct owned_item *item)
{
	free(item->backend);
	free(item->key);
	free(item->saved);
}

void owned_add(struct owned *owned, const char *backend, const char *key,
	       const void *saved, size_t saved_size)
{
	owned_remove(owned, backend, key);
	owned->items = mem_grow(owned->items, owned->count, &owned->room,
				sizeof(*owned->items));
	owned->items[owned->count++] =
		(struct owned_item){ .backend = mem_strdup(backend),
				     .key = mem_strdup(key),
				     .saved = saved ? mem_dup(saved, saved_size)
						    : NULL,
				     .saved_size = saved ? saved_size : 0 };
}

void owned_remove(struct owned *owned, const char *backend, const char *key)
{
	size_t place = owned_place(owned, backend, key);

	if (place == owned->count)
		return;
	clear_item(&owned->items[place]);
	owned->items[place] = owned->items[--owned->count];
}

void owned_copy(struct owned *to, const struct owned *from)
{
	for (size_t i = 0; i < from->count; i++)
		owned_add(to, from->items[i].backend, from->items[i].key,
			  from->items[i].saved, from->items[i].saved_size);
}

void owned_clear(struct owned *owned)
{
	for (size_t i = 0; i < owned->count; i++)
		clear_item(&owned->items[i]);
	free(owned->items);
	*owned = (struct owned)OWNED_NONE;
}
