/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What each match has claimed: the counters of its rules, told by comment. */
#include <endian.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "backends/host.h"
#include "backends/mark/dump.h"
#include "backends/mark/item.h"
#include "backends/mark/mark.h"
#include "backends/mark/names.h"

struct tally {
	const struct node *match;
	struct text userdata; /* of its rules */
	bool seen;
	uint64_t packets, bytes;
};

struct tallies {
	struct tally *items; /* owned; sorted by userdata */
	size_t count, room;
};

static int compare(const void *a, const void *b)
{
	const struct tally *left = a, *right = b;
	size_t x = left->userdata.length, y = right->userdata.length;
	int rc = memcmp(text_get(&left->userdata), text_get(&right->userdata),
			x < y ? x : y);

	return rc ? rc : x < y ? -1 : x > y;
}

static void add_match(struct tallies *tallies, const struct node *match)
{
	AUTO(str) char *path = node_path_dup(match);
	AUTO_TEXT comment = TEXT_NONE;
	struct tally *tally;

	tallies->items = mem_grow(tallies->items, tallies->count,
				  &tallies->room, sizeof(*tally));
	tally = &tallies->items[tallies->count++];
	*tally = (struct tally){ .match = match };
	names_comment(path, &comment);
	names_userdata(text_get(&comment), &tally->userdata);
}

static void forget_counts(void *arg)
{
	struct tallies *tallies = arg;

	for (size_t i = 0; i < tallies->count; i++) {
		tallies->items[i].seen = false;
		tallies->items[i].packets = tallies->items[i].bytes = 0;
	}
}

static void add_counter(struct tally *tally, struct span expr)
{
	const char *name = nfattr_string(expr, NFTA_EXPR_NAME);
	struct span data = nfattr_span(nfattr_find(expr, NFTA_EXPR_DATA));

	if (!name || strcmp(name, "counter") != 0)
		return;
	tally->seen = true;
	tally->packets += nfattr_u64(data, NFTA_COUNTER_PACKETS);
	tally->bytes += nfattr_u64(data, NFTA_COUNTER_BYTES);
}

static int each_rule(const struct nlmsghdr *message, void *arg)
{
	struct span attrs = nft_attrs(message);
	const char *table = nfattr_string(attrs, NFTA_RULE_TABLE);
	struct span udata = nfattr_span(nfattr_find(attrs, NFTA_RULE_USERDATA));
	struct span list =
		nfattr_span(nfattr_find(attrs, NFTA_RULE_EXPRESSIONS));
	struct tallies *tallies = arg;
	struct tally key = { 0 }, *found;
	const struct nlattr *attr;
	int rest;

	if (!table || strcmp(table, MARK_TABLE) != 0 || !udata.length ||
	    !tallies->count)
		return 0;
	text_put_bytes(&key.userdata, udata.at, udata.length);
	found = bsearch(&key, tallies->items, tallies->count, sizeof(key),
			compare);
	text_clear(&key.userdata);
	if (!found)
		return 0;
	nfattr_each(attr, rest, list) add_counter(found, nfattr_span(attr));
	return 0;
}

static void collect(const struct tree *tree, struct tallies *tallies)
{
	const struct node *classes = tree_classes(tree), *at = classes;

	for (; at; at = node_walk(classes, at))
		if (node_kind(at) == &kind_match)
			add_match(tallies, at);
	if (tallies->count)
		qsort(tallies->items, tallies->count, sizeof(*tallies->items),
		      compare);
}

int mark_live(struct host *host, const struct tree *tree,
	      const struct facts *facts, struct live *live, struct err *err)
{
	struct netlink *netlink = host_netlink(host, NETLINK_NETFILTER, err);
	struct tallies tallies = { 0 };
	int rc = 0;

	(void)facts;
	if (!netlink)
		return err && err->code ? err->code : -EOPNOTSUPP;
	collect(tree, &tallies);
	if (tallies.count)
		rc = nft_dump(netlink, NFT_MSG_GETRULE, NFTA_RULE_TABLE, NULL,
			      each_rule, forget_counts, &tallies, err);
	for (size_t i = 0; i < tallies.count; i++) {
		struct tally *tally = &tallies.items[i];

		if (tally->seen && rc == 0) {
			live_set_u(live, tally->match, MATCH_PACKETS,
				   tally->packets);
			live_set_u(live, tally->match, MATCH_BYTES,
				   tally->bytes);
		}
		text_clear(&tally->userdata);
	}
	free(tallies.items);
	return rc;
}
