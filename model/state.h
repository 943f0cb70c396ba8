/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * state.h - objects of the data plane, wanted or observed, and the steps
 * between two such states.
 *
 *     want(tree, facts) ----.
 *                            >-- plan() --> steps --> apply --> read again
 *     read(host) ----------'
 *
 * An object has a key that says what it is ("class wan0 1:10"), unique within
 * its driver, and data in the driver's own layout: flat, without pointers, so
 * it can be compared, printed and kept. The path names the node that asked for
 * it.
 */
#ifndef MODEL_STATE_H
#define MODEL_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/base/text.h"
#include "model/kind.h"

struct backend;

struct object {
	const struct backend *backend;
	char *key;  /* in data's memory, like the path */
	char *path; /* "" if no node asked for it */
	void *data; /* owned */
	size_t size;
	/* Packets that waited in it when it was read: lost with it. Not in
	 * data, for it is no part of what the object is. */
	uint32_t queued;
};

/* Objects in the order they were added; found by key in O(1). */
struct state {
	struct object *items; /* owned */
	size_t count, room;
	uint32_t *slots; /* hash, 1 + index */
	size_t slot_count;
};

#define STATE_NONE                                                             \
	{                                                                      \
		NULL, 0, 0, NULL, 0                                            \
	}

/* Copies key, path and data. A key that is there already is a bug (assert). */
struct object *state_add(struct state *state, const struct backend *backend,
			 const char *key, const char *path, const void *data,
			 size_t size);
/* Moves an object of another state, which is left without data, unless its key
 * is there already. */
void state_move(struct state *state, struct object *object);
/* NULL: none. */
const struct object *state_find(const struct state *state,
				const struct backend *backend, const char *key);
void state_clear(struct state *state);

/* STEP_WAIT changes nothing: it lasts until what its driver is about to take
 * away is not in use any more. */
enum step_op { STEP_ADD, STEP_CHANGE, STEP_REPLACE, STEP_DELETE, STEP_WAIT };

/* Build first, flip the classification, delete last. */
enum phase { PHASE_BUILD, PHASE_FLIP, PHASE_CLEAN };

struct step {
	const struct backend *backend;
	enum step_op op;
	enum phase phase;
	int level; /* order within the phase and the driver, lowest first */
	enum effect effect;
	/* Borrowed from the states that were planned from, which must outlive
	 * the plan. NULL where there is no such side. */
	const struct object *before, *after;
	/* Of STEP_WAIT: how long at most. What it waited for not being so by
	 * then, it fails, or, if hasty, goes on all the same. */
	uint32_t within_ms;
	bool hasty;
	bool done;
};

struct plan {
	struct step *items; /* owned */
	size_t count, room;
	/* Objects that are made anew in their place, at the cost of packets.
	 * Beside it, under another number, they would cost none (way.h). Owned
	 * array; borrowed like the steps' sides. */
	const struct object **asides;
	size_t aside_count, aside_room;
};

#define PLAN_NONE                                                              \
	{                                                                      \
		NULL, 0, 0, NULL, 0, 0                                         \
	}

struct step *plan_add(struct plan *plan, const struct backend *backend,
		      enum step_op op, enum phase phase, int level,
		      enum effect effect, const struct object *before,
		      const struct object *after);
/* Notes one that could be made beside its place. */
void plan_aside(struct plan *plan, const struct object *object);
/* Moves the steps of from behind those of to; from is empty then. */
void plan_append(struct plan *to, struct plan *from);
/* Stable, by phase, driver (in the order of their list) and level. */
void plan_sort(struct plan *plan, const struct backend *const *order);
/* "+ class wan0 1:10 rate 128kbit ceil 200kbit" (+ ~ ! - .) */
void step_print(const struct step *step, struct text *out);
/* Path of the node behind a step; "" if there is none. */
const char *step_path(const struct step *step);
void plan_clear(struct plan *plan);

/* What on this host is ours, beyond what can be told from the object itself,
 * and what stood there before: kept in the store from before the first step
 * until the object is gone again. */
struct owned_item {
	char *backend; /* owned: the driver's name */
	char *key;     /* owned: of the object */
	void *saved; /* owned: what stood there, in the driver's layout; NULL */
	size_t saved_size;
};
struct owned {
	struct owned_item *items; /* owned */
	size_t count, room;
};
#define OWNED_NONE                                                             \
	{                                                                      \
		NULL, 0, 0                                                     \
	}
const struct owned_item *owned_find(const struct owned *owned,
				    const char *backend, const char *key);
/* Replaces what was there under that key. */
void owned_add(struct owned *owned, const char *backend, const char *key,
	       const void *saved, size_t saved_size);
void owned_remove(struct owned *owned, const char *backend, const char *key);
void owned_copy(struct owned *to, const struct owned *from);
void owned_clear(struct owned *owned);

#endif
