/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/mark/anchors.h"

#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "backends/mark/dump.h"
#include "backends/mark/item.h"

struct chain {
	char *name;	   /* owned */
	uint64_t *handles; /* owned; in the chain's order */
	size_t count, room;
};

struct anchors {
	struct chain *chains; /* owned; sorted by name once read */
	size_t count, room;
	const uint64_t *gone;
	size_t gone_count;
};

static void forget(void *arg)
{
	struct anchors *anchors = arg;

	for (size_t i = 0; i < anchors->count; i++) {
		free(anchors->chains[i].name);
		free(anchors->chains[i].handles);
	}
	anchors->count = 0;
}

void anchors_free(struct anchors *anchors)
{
	if (!anchors)
		return;
	forget(anchors);
	free(anchors->chains);
	free(anchors);
}

/* The dump goes from chain to chain. */
static struct chain *chain_for(struct anchors *anchors, const char *name)
{
	struct chain *last = NULL;

	if (anchors->count)
		last = &anchors->chains[anchors->count - 1];
	if (last && !strcmp(last->name, name))
		return last;
	anchors->chains = mem_grow(anchors->chains, anchors->count,
				   &anchors->room, sizeof(*last));
	last = &anchors->chains[anchors->count++];
	*last = (struct chain){ .name = mem_strdup(name) };
	return last;
}

static int compare_handles(const void *a, const void *b)
{
	uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;

	return left < right ? -1 : left > right;
}

static bool is_gone(const struct anchors *anchors, uint64_t handle)
{
	return anchors->gone_count &&
	       bsearch(&handle, anchors->gone, anchors->gone_count,
		       sizeof(handle), compare_handles);
}

static int each_rule(const struct nlmsghdr *message, void *arg)
{
	struct span attrs = nft_attrs(message);
	const char *table = nfattr_string(attrs, NFTA_RULE_TABLE);
	const char *name = nfattr_string(attrs, NFTA_RULE_CHAIN);
	uint64_t handle = nfattr_u64(attrs, NFTA_RULE_HANDLE);
	struct chain *chain;

	if (!table || !name || strcmp(table, MARK_TABLE) != 0 ||
	    is_gone(arg, handle))
		return 0;
	chain = chain_for(arg, name);
	chain->handles = mem_grow(chain->handles, chain->count, &chain->room,
				  sizeof(handle));
	chain->handles[chain->count++] = handle;
	return 0;
}

static int compare_chains(const void *a, const void *b)
{
	return strcmp(((const struct chain *)a)->name,
		      ((const struct chain *)b)->name);
}

struct anchors *anchors_read(struct netlink *netlink, const uint64_t *gone,
			     size_t count, struct err *err)
{
	AUTO(anchors) struct anchors *anchors = mem_alloc(sizeof(*anchors));
	AUTO(mem) void *sorted = mem_dup(gone, count * sizeof(*gone));
	int rc;

	qsort(sorted, count, sizeof(*gone), compare_handles);
	anchors->gone = sorted;
	anchors->gone_count = count;
	rc = nft_dump(netlink, NFT_MSG_GETRULE, NFTA_RULE_TABLE, NULL,
		      each_rule, forget, anchors, err);
	anchors->gone = NULL;
	if (rc < 0)
		return NULL;
	if (anchors->count)
		qsort(anchors->chains, anchors->count, sizeof(*anchors->chains),
		      compare_chains);
	return TAKE(anchors);
}

uint64_t anchors_find(const struct anchors *anchors, const char *chain,
		      uint32_t place, size_t before)
{
	struct chain key = { .name = (char *)(uintptr_t)chain };
	size_t stay = place > before ? place - before : 0;
	const struct chain *found = NULL;

	if (anchors && anchors->count)
		found = bsearch(&key, anchors->chains, anchors->count,
				sizeof(key), compare_chains);
	return found && stay < found->count ? found->handles[stay] : 0;
}
