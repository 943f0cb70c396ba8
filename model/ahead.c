/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "model/ahead.h"

#include <pthread.h>

#include "model/base/mem.h"

struct ahead {
	pthread_t thread;
	struct store *store;
	struct tree *tree;
	uint64_t base;
	const struct owned *owned;
	const struct stamp *stamp;
	struct writing *writing;
	struct err err; /* owned: why not */
};

static void *run(void *arg)
{
	struct ahead *ahead = arg;

	ahead->writing = store_write(ahead->store, ahead->tree, ahead->base,
				     ahead->owned, ahead->stamp, &ahead->err);
	return NULL;
}

struct ahead *ahead_start(struct store *store, struct tree *tree, uint64_t base,
			  const struct owned *owned, const struct stamp *stamp)
{
	struct ahead *ahead = mem_alloc(sizeof(*ahead));

	*ahead = (struct ahead){ .store = store,
				 .tree = tree,
				 .base = base,
				 .owned = owned,
				 .stamp = stamp };
	if (!pthread_create(&ahead->thread, NULL, run, ahead))
		return ahead;
	free(ahead);
	return NULL;
}

struct writing *ahead_end(struct ahead *ahead, struct err *err)
{
	struct writing *writing;

	pthread_join(ahead->thread, NULL);
	writing = ahead->writing;
	if (!writing)
		err_move(err, &ahead->err);
	err_clear(&ahead->err);
	free(ahead);
	return writing;
}
