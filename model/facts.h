/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * facts.h - what is so on this host: plain values, read once a transaction.
 *
 * Planning is pure: it sees the tree, the facts and the observed state, never a
 * socket. Tests fill facts in by hand.
 */
#ifndef MODEL_FACTS_H
#define MODEL_FACTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/base/digest.h"
#include "model/value.h"

struct link_fact {
	char name[16];
	int index;
	unsigned flags; /* IFF_UP, IFF_POINTOPOINT ... of linux/if.h */
	bool carrier;
	uint32_t mtu;	 /* bytes, without the link header */
	uint32_t txqlen; /* packets */
	uint32_t gso_max_segs;
	uint16_t type; /* ARPHRD_*; 0: not known, taken for Ethernet */
	bool in_vrf;   /* whose routes lead what leaves by it */
};

struct address_fact {
	int index;	       /* of the link */
	struct prefix address; /* with the network's length */
	struct prefix peer;    /* of a point-to-point link; family 0 if none */
	uint8_t scope;	       /* RT_SCOPE_* */
	uint8_t flags;	       /* IFA_F_* (low 8 bits) */
};

/* A default route of the main table, not made by us. */
struct default_fact {
	int index;
	uint8_t family;
	struct prefix gateway; /* family 0: on-link */
	uint32_t metric;
	uint8_t protocol; /* RTPROT_* */
};

struct qdisc_fact {
	char kind[16];
	bool present;
};

struct facts {
	struct link_fact *links; /* owned arrays */
	size_t link_count, link_room;
	struct address_fact *addresses;
	size_t address_count, address_room;
	struct default_fact *defaults;
	size_t default_count, default_room;
	struct qdisc_fact *qdiscs; /* those that were asked for */
	size_t qdisc_count, qdisc_room;
	bool has_fw; /* cls_fw; only known if asked */
	bool asked_fw;
	bool has_ipv6;
	char boot[40]; /* an id of this boot, "" if there is none */
	/* What leads into shards, as the kernel will call it; 0: not known. */
	uint8_t sorter_tag[8];
	bool has_string; /* xt_string by nft_compat; only known if asked */
	bool asked_string;
};

void facts_clear(struct facts *facts);
/* Of what was read, in that order; not of what was probed. */
struct digest facts_digest(const struct facts *facts);
const struct link_fact *facts_link(const struct facts *facts, const char *name);
const struct link_fact *facts_link_at(const struct facts *facts, int index);
/* Bytes of link header that a qdisc on the device counts in each packet: 14 on
 * Ethernet; ppp, tun and tunnels put theirs in front after the qdisc. */
#define LINK_HEADER_ETHERNET 14u
uint32_t link_header(const struct link_fact *link);
/* True if this kernel has the qdisc; it must have been asked for before. */
bool facts_qdisc(const struct facts *facts, const char *kind, bool *asked);
void facts_set_qdisc(struct facts *facts, const char *kind, bool present);

#endif
