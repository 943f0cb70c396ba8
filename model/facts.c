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
