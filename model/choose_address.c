/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Inner addresses of a server's clients that are left to Tresse: the lowest
 * free ones of the networks that the link's own addresses are in, one of each
 * family. What is given comes first, what was chosen before stays while it
 * fits. (Declared in txn.h.)
 */
#include <netinet/in.h>
#include <string.h>

#include "model/base/mem.h"
#include "model/node.h"
#include "model/report.h"
#include "model/txn.h"
#include "model/types/prefix.h"

enum { POOL_MOST = 65536, FAMILIES = 2 };

/* The hosts of one network by number, as far as they are looked at; an IPv6
 * network has room for more clients than anybody has. */
struct pool {
	struct prefix net; /* family 0: there is none */
	uint8_t *used;
	uint32_t size, next; /* below next all are used */
};

static bool bit_at(const struct prefix *address, unsigned bit)
{
	return address->bytes[bit / 8] >> (7 - bit % 8) & 1;
}

/* POOL_MOST: beyond what is looked at. */
static uint32_t number_of(const struct pool *pool, const struct prefix *address)
{
	uint64_t number = 0;

	for (unsigned bit = pool->net.length;
	     bit < prefix_bits(address->family); bit++) {
		number = number << 1 | bit_at(address, bit);
		if (number >= POOL_MOST)
			return POOL_MOST;
	}
	return (uint32_t)number;
}

/* A network behind a client takes all its addresses. */
static void pool_mark(struct pool *pool, const struct prefix *address)
{
	unsigned host = prefix_bits(address->family) - address->length;
	uint64_t from, count = host < 16 ? 1ULL << host : POOL_MOST;

	if (!pool->net.family || !prefix_has(&pool->net, address) ||
	    address->length == pool->net.length)
		return;
	from = number_of(pool, address);
	for (uint64_t i = from; i < from + count && i < pool->size; i++)
		pool->used[i] = 1;
}

/* Nobody gets our own, or those of the network itself and of all in it (IPv4:
 * broadcast; IPv6: RFC 4291, 2.6.1). */
static void pool_init(struct pool *pool, const struct node *link, size_t attr)
{
	const struct value *value = node_value(link, attr);
	struct prefix own;
	unsigned host;

	*pool = (struct pool){ .used = NULL };
	if (!value || value->word)
		return;
	own = pool->net = value->prefix;
	host = prefix_bits(own.family) - own.length;
	pool->size = host < 16 ? 1U << host : POOL_MOST;
	pool->used = mem_array(pool->size, 1);
	if (host != 1)
		pool->used[0] = 1;
	if (host > 1 && host <= 16 && own.family == AF_INET)
		pool->used[pool->size - 1] = 1;
	own.length = (uint8_t)prefix_bits(own.family);
	pool_mark(pool, &own);
}

static bool pool_take(struct pool *pool, const struct prefix *address)
{
	uint32_t number;

	if (!pool->net.family || !prefix_has(&pool->net, address) ||
	    address->length != prefix_bits(address->family))
		return false;
	number = number_of(pool, address);
	if (number >= pool->size || pool->used[number])
		return false;
	pool->used[number] = 1;
	return true;
}

static bool pool_lowest(struct pool *pool, struct prefix *address)
{
	unsigned bits = prefix_bits(pool->net.family);
	uint32_t number;

	while (pool->next < pool->size && pool->used[pool->next])
		pool->next++;
	number = pool->next;
	if (number == pool->size)
		return false;
	pool->used[number] = 1;
	*address = pool->net;
	prefix_trim(address);
	address->length = (uint8_t)bits;
	for (unsigned bit = bits; number; number >>= 1)
		if (bit--, number & 1)
			address->bytes[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
	return true;
}

/* --- peers ---------------------------------------------------------------- */

/* What a peer is to have, at most one of each family. */
struct wish {
	struct node *peer;
	struct prefix address[FAMILIES]; /* family 0: not yet */
};

static const struct prefixes *prefixes_of(const struct node *peer)
{
	const struct value *value = node_value(peer, PEER_ADDRESS);

	return value && !value->word ? value->prefixes : NULL;
}

static void mark_given(struct pool pools[FAMILIES], const struct node *peer)
{
	const struct prefixes *prefixes = prefixes_of(peer);

	for (size_t i = 0; prefixes && i < prefixes->count; i++)
		for (int family = 0; family < FAMILIES; family++)
			pool_mark(&pools[family], &prefixes->item[i]);
}

static void keep_chosen(struct pool pools[FAMILIES], struct wish *wish)
{
	const struct prefixes *prefixes = prefixes_of(wish->peer);

	for (size_t i = 0; prefixes && i < prefixes->count; i++)
		for (int family = 0; family < FAMILIES; family++)
			if (!wish->address[family].family &&
			    pool_take(&pools[family], &prefixes->item[i]))
				wish->address[family] = prefixes->item[i];
}

static void fill(struct pool pools[FAMILIES], struct wish *wish,
		 struct report *report)
{
	for (int family = 0; family < FAMILIES; family++) {
		struct prefix *address = &wish->address[family];

		if (address->family || !pools[family].net.family ||
		    pool_lowest(&pools[family], address))
			continue;
		report_error(report, wish->peer, ENOSPC,
			     "the addresses of the link's %s are used up: give "
			     "it a larger network, or this peer address=",
			     family ? "local6" : "local");
	}
}

static void settle(const struct wish *wish)
{
	const struct value *old = node_value(wish->peer, PEER_ADDRESS);
	const struct attr *row = &kind_peer.attrs[PEER_ADDRESS];
	struct prefixes *list =
		mem_alloc(sizeof(*list) + FAMILIES * sizeof(list->item[0]));
	struct value value = { .prefixes = list };

	for (int family = 0; family < FAMILIES; family++)
		if (wish->address[family].family)
			list->item[list->count++] = wish->address[family];
	if (list->count && !(old && value_equal(row, old, &value))) {
		node_set(wish->peer, PEER_ADDRESS, &value, ORIGIN_CHOSEN);
		return;
	}
	if (!list->count && old)
		node_unset(wish->peer, PEER_ADDRESS);
	value_clear(row, &value);
}

void link_choose_addresses(const struct node *link, struct report *report)
{
	struct node *peers = node_fixed(link, &kind_peers);
	struct wish *wishes = mem_array(node_count(peers) + 1, sizeof(*wishes));
	struct pool pools[FAMILIES];
	size_t count = 0;

	pool_init(&pools[0], link, LINK_LOCAL);
	pool_init(&pools[1], link, LINK_LOCAL6);
	node_each (peer, peers) {
		if (node_origin(peer, PEER_ADDRESS) == ORIGIN_GIVEN)
			mark_given(pools, peer);
		else
			wishes[count++].peer = peer;
	}
	for (size_t i = 0; i < count; i++)
		keep_chosen(pools, &wishes[i]);
	for (size_t i = 0; i < count; i++) {
		fill(pools, &wishes[i], report);
		settle(&wishes[i]);
	}
	free(pools[0].used);
	free(pools[1].used);
	free(wishes);
}
