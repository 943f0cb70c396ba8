/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * drifts.h - what differs from the store since when, by whom: what somebody who
 * follows the running system remembers, and others want to know.
 *
 *     tresse.db-drift    the memory, for anybody to read; beside the store, not
 *                        in it, for it is no configuration
 *     tresse.db-follow   flock() while somebody follows: one at a time
 *
 * What is not followed has no time: nobody knows when it began.
 */
#ifndef MODEL_DRIFTS_H
#define MODEL_DRIFTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/base/err.h"

struct step;
struct store;

struct drift {
	char *key;  /* owned: drift_key() */
	char *path; /* owned: of the node; "" if there is none */
	char *step; /* owned: what would mend it, as step_print() has it */
	char *by;   /* owned: who did it, or NULL */
	char *note; /* owned: what became of it, or NULL */
	int64_t since_us; /* since 1970, UTC */
	bool early;	  /* it was there when following began */
	bool seen;	  /* by the look that is under way */
};
struct drifts {
	struct drift *items; /* owned */
	size_t count, room;
	bool followed;	  /* loaded: who wrote them still follows */
	int64_t began_us; /* ...since then */
};
#define DRIFTS_NONE                                                            \
	{                                                                      \
		NULL, 0, 0, false, 0                                           \
	}
void drifts_clear(struct drifts *drifts);

/* What a step is about, by driver and object. The caller's to free. */
char *drift_key(const struct step *step);
/* A new one of that key, path and text; borrowed until the next. */
struct drift *drifts_add(struct drifts *drifts, const char *key,
			 const struct step *step);
/* After the last one was added: by key, each key once. */
void drifts_sort(struct drifts *drifts);
/* Among those that are sorted. NULL: none. */
struct drift *drifts_find(const struct drifts *drifts, const char *key);

/* As this process knows them. */
int drifts_save(const struct drifts *drifts, const struct store *store,
		struct err *err);
/* What cannot be read was not followed. */
void drifts_load(struct drifts *drifts, const struct store *store);

/* The right to follow: a descriptor to close in the end. EBUSY if somebody else
 * does, and the sentence names the process. */
int drifts_lock(const struct store *store, struct err *err);

#endif
