/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "model/ahead.h"

#include "model/base/beside.h"
#include "model/base/mem.h"

struct ahead {
	struct beside beside;
	struct store *store;
	struct tree *tree;
	uint64_t base;
	const struct owned *owned;
	const struct stamp *stamp;
	struct writing *writing;
	struct err err; /* owned: why not */
};

static void run(void *work)
{
	struct ahead *ahead = work;

	ahead->writing = store_write(ahead->store, ahead->tree, ahead->base,
				     ahead->owned, ahead->stamp, &ahead->err);
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
	beside_start(&ahead->beside, true, run, ahead);
	return ahead;
}

struct writing *ahead_end(struct ahead *ahead, struct err *err)
{
	struct writing *writing;

	beside_end(&ahead->beside);
	writing = ahead->writing;
	if (!writing)
		err_move(err, &ahead->err);
	err_clear(&ahead->err);
	free(ahead);
	return writing;
}
