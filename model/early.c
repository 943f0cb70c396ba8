/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "model/early.h"

#include "model/base/beside.h"
#include "model/base/mem.h"
#include "model/seal.h"
#include "model/store.h"

struct early {
	struct beside beside;
	struct store *store; /* owned */
	struct host *host;
	const struct backend *const *backends;
	int (*read_facts)(struct host *host, struct facts *facts,
			  struct err *err);
	struct digest seal;
	bool seen;
};

static int look(struct early *early, const struct tree *tree,
		const struct owned *owned, struct facts *facts,
		struct state *now)
{
	int rc = early->read_facts(early->host, facts, NULL);

	if (rc < 0)
		return rc;
	early->seal = seal_of_world(facts);
	rc = seal_add_pulses(early->backends, early->host, tree, &early->seal,
			     NULL);
	for (size_t i = 0; early->backends[i] && rc == 0; i++)
		if (!early->backends[i]->pulse)
			rc = early->backends[i]->read(early->host, tree, facts,
						      owned, now, NULL);
	seal_add_state(now, &early->seal);
	return rc;
}

/* The classes are many, and no driver needs them to know where to look. */
static void run(void *work)
{
	struct early *early = work;
	AUTO(tree) struct tree *tree = NULL;
	struct owned owned = OWNED_NONE;
	struct facts facts = { 0 };
	struct state now = STATE_NONE;

	early->seen = store_load_tops(early->store, &tree, NULL) == 0 &&
		      store_load_owned(early->store, &owned, NULL) == 0 &&
		      look(early, tree, &owned, &facts, &now) == 0;
	state_clear(&now);
	facts_clear(&facts);
	owned_clear(&owned);
}

struct early *early_start(const char *store, struct host *host,
			  const struct backend *const *backends,
			  int (*read_facts)(struct host *host,
					    struct facts *facts,
					    struct err *err))
{
	struct early *early = mem_alloc(sizeof(*early));
	struct digest seal;

	*early = (struct early){ .store = store_open(store, STORE_READ, NULL),
				 .host = host,
				 .backends = backends,
				 .read_facts = read_facts };
	if (early->store && store_seal(early->store, &seal)) {
		beside_start(&early->beside, true, run, early);
		return early;
	}
	store_free(early->store);
	free(early);
	return NULL;
}

bool early_end(struct early *early, struct digest *seal)
{
	bool seen;

	beside_end(&early->beside);
	seen = early->seen;
	*seal = early->seal;
	store_free(early->store);
	free(early);
	return seen;
}
