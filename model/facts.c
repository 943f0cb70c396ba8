/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "model/facts.h"

#include <net/if_arp.h>
#include <stdio.h>
#include <string.h>

#include "model/base/mem.h"

void facts_clear(struct facts *facts)
{
	free(facts->links);
	free(facts->addresses);
	free(facts->defaults);
	free(facts->qdiscs);
	*facts = (struct facts){ 0 };
}

static struct digest add_link(struct digest digest,
			      const struct link_fact *link)
{
	digest = digest_text(digest, link->name);
	digest = digest_u64(digest, (uint64_t)link->index << 32 | link->flags);
	digest = digest_u64(digest, (uint64_t)link->mtu << 32 | link->txqlen);
	digest = digest_u64(digest,
			    (uint64_t)link->gso_max_segs << 32 | link->type);
	return digest_u64(digest, (uint64_t)link->in_vrf << 1 | link->carrier);
}

/* Field by field: what lies between them may be anything. */
static struct digest add_prefix(struct digest digest, const struct prefix *at)
{
	digest = digest_u64(digest, (uint64_t)at->family << 8 | at->length);
	return digest_bytes(digest, at->bytes,
			    at->family ? sizeof(at->bytes) : 0);
}

static struct digest add_address(struct digest digest,
				 const struct address_fact *address)
{
	digest = digest_u64(digest, (uint64_t)address->index << 32 |
					    (uint64_t)address->scope << 8 |
					    address->flags);
	digest = add_prefix(digest, &address->address);
	return add_prefix(digest, &address->peer);
}

static struct digest add_default(struct digest digest,
				 const struct default_fact *route)
{
	digest = digest_u64(digest, (uint64_t)route->index << 32 |
					    (uint64_t)route->family << 8 |
					    route->protocol);
	digest = digest_u64(digest, route->metric);
	return add_prefix(digest, &route->gateway);
}

struct digest facts_digest(const struct facts *facts)
{
	struct digest digest = DIGEST_NONE;

	for (size_t i = 0; i < facts->link_count; i++)
		digest = add_link(digest, &facts->links[i]);
	for (size_t i = 0; i < facts->address_count; i++)
		digest = add_address(digest, &facts->addresses[i]);
	for (size_t i = 0; i < facts->default_count; i++)
		digest = add_default(digest, &facts->defaults[i]);
	return digest_u64(digest, facts->has_ipv6);
}

const struct link_fact *facts_link(const struct facts *facts, const char *name)
{
	for (size_t i = 0; i < facts->link_count; i++)
		if (!strcmp(facts->links[i].name, name))
			return &facts->links[i];
	return NULL;
}

const struct link_fact *facts_link_at(const struct facts *facts, int index)
{
	for (size_t i = 0; i < facts->link_count; i++)
		if (facts->links[i].index == index)
			return &facts->links[i];
	return NULL;
}

uint32_t link_header(const struct link_fact *link)
{
	switch (link->type) {
	case 0:
	case ARPHRD_ETHER:
	case ARPHRD_LOOPBACK: return LINK_HEADER_ETHERNET;
	default: return 0;
	}
}

static struct qdisc_fact *find_qdisc(const struct facts *facts,
				     const char *kind)
{
	for (size_t i = 0; i < facts->qdisc_count; i++)
		if (!strcmp(facts->qdiscs[i].kind, kind))
			return &facts->qdiscs[i];
	return NULL;
}

bool facts_qdisc(const struct facts *facts, const char *kind, bool *asked)
{
	const struct qdisc_fact *fact = find_qdisc(facts, kind);

	if (asked)
		*asked = fact != NULL;
	return fact && fact->present;
}

void facts_set_qdisc(struct facts *facts, const char *kind, bool present)
{
	struct qdisc_fact *fact = find_qdisc(facts, kind);

	if (!fact) {
		facts->qdiscs =
			mem_grow(facts->qdiscs, facts->qdisc_count,
				 &facts->qdisc_room, sizeof(*facts->qdiscs));
		fact = &facts->qdiscs[facts->qdisc_count++];
		*fact = (struct qdisc_fact){ 0 };
		snprintf(fact->kind, sizeof(fact->kind), "%s", kind);
	}
	fact->present = present;
}
