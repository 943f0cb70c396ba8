/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * hub_agree.c - ends that are there, and do not go together: what one carries,
 * which inner addresses they have, who else has the key, and whether what is
 * sent comes back by the tunnel itself. Only for words, but for the last.
 */
#include <arpa/inet.h>
#include <ifaddrs.h>
#include <string.h>

#include "backends/engine/hub_private.h"

enum { OWN_US = 1000000, LOOPED_US = 10 * 1000000 };

/* --- addresses ------------------------------------------------------------ */

static uint8_t ones(const void *mask, size_t size)
{
	const uint8_t *bytes = mask;
	unsigned count = 0;

	for (size_t i = 0; i < size; i++)
		count += (unsigned)__builtin_popcount(bytes[i]);
	return (uint8_t)count;
}

static void take_ip4(const struct ifaddrs *at, struct handshake_hello *own)
{
	const struct sockaddr_in *address = (const void *)at->ifa_addr;
	const struct sockaddr_in *mask = (const void *)at->ifa_netmask;

	memcpy(own->ip4, &address->sin_addr, sizeof(own->ip4));
	own->ip4_prefix = mask ? ones(&mask->sin_addr, sizeof(own->ip4)) : 32;
}

static void take_ip6(const struct ifaddrs *at, struct handshake_hello *own)
{
	const struct sockaddr_in6 *address = (const void *)at->ifa_addr;
	const struct sockaddr_in6 *mask = (const void *)at->ifa_netmask;

	if (IN6_IS_ADDR_LINKLOCAL(&address->sin6_addr))
		return;
	memcpy(own->ip6, &address->sin6_addr, sizeof(own->ip6));
	own->ip6_prefix = mask ? ones(&mask->sin6_addr, sizeof(own->ip6)) : 128;
}

/* The first of each family that the device has. */
static void look_at_own(struct hub *hub, uint64_t now)
{
	struct ifaddrs *all = NULL;

	if (hub->own_at && now - hub->own_at < OWN_US)
		return;
	hub->own_at = now;
	hub->own = (struct handshake_hello)HANDSHAKE_HELLO_NONE;
	if (getifaddrs(&all) < 0)
		return;
	for (const struct ifaddrs *at = all; at; at = at->ifa_next) {
		if (!at->ifa_addr || strcmp(at->ifa_name, hub->config.device))
			continue;
		if (at->ifa_addr->sa_family == AF_INET &&
		    hub->own.ip4_prefix == HANDSHAKE_NO_PREFIX)
			take_ip4(at, &hub->own);
		else if (at->ifa_addr->sa_family == AF_INET6 &&
			 hub->own.ip6_prefix == HANDSHAKE_NO_PREFIX)
			take_ip6(at, &hub->own);
	}
	freeifaddrs(all);
}

void hub_say_own(struct hub *hub, struct handshake_hello *out, uint64_t now)
{
	look_at_own(hub, now);
	hub->told = hub->own;
	out->ip4_prefix = hub->own.ip4_prefix;
	out->ip6_prefix = hub->own.ip6_prefix;
	memcpy(out->ip4, hub->own.ip4, sizeof(out->ip4));
	memcpy(out->ip6, hub->own.ip6, sizeof(out->ip6));
}

bool hub_has_news(struct hub *hub, uint64_t now)
{
	look_at_own(hub, now);
	return memcmp(hub->own.ip4, hub->told.ip4, sizeof(hub->own.ip4)) ||
	       memcmp(hub->own.ip6, hub->told.ip6, sizeof(hub->own.ip6));
}

/* The family in which both have the same address; 0: in none. */
static int same_family(const struct handshake_hello *a,
		       const struct handshake_hello *b)
{
	if (a->ip4_prefix != HANDSHAKE_NO_PREFIX &&
	    b->ip4_prefix != HANDSHAKE_NO_PREFIX &&
	    !memcmp(a->ip4, b->ip4, sizeof(a->ip4)))
		return 4;
	if (a->ip6_prefix != HANDSHAKE_NO_PREFIX &&
	    b->ip6_prefix != HANDSHAKE_NO_PREFIX &&
	    !memcmp(a->ip6, b->ip6, sizeof(a->ip6)))
		return 6;
	return 0;
}

/* The one in which a client has an address that is none of its own here. */
static int strange_family(const struct peer *peer)
{
	const struct hub *hub = peer->hub;
	const struct handshake_hello *heard =
		peer->handshake ? handshake_heard(peer->handshake) : NULL;

	if (!hub->config.server || hub->config.tap || !heard)
		return 0;
	if (heard->ip4_prefix != HANDSHAKE_NO_PREFIX &&
	    inner_map_find_packet(hub->prefixes, 4, heard->ip4) != &peer->self)
		return 4;
	if (heard->ip6_prefix != HANDSHAKE_NO_PREFIX &&
	    inner_map_find_packet(hub->prefixes, 6, heard->ip6) != &peer->self)
		return 6;
	return 0;
}

uint8_t hub_said(const struct peer *peer, uint64_t now)
{
	struct handshake_source from[2];
	uint8_t said = 0;

	if (strange_family(peer))
		said |= LEASE_STRANGE;
	if (peer->handshake && handshake_twins(peer->handshake, now, from))
		said |= LEASE_TWINS;
	return said;
}

/* --- in words ------------------------------------------------------------- */

static void address_text(const struct handshake_hello *hello, int family,
			 char text[INET6_ADDRSTRLEN])
{
	inet_ntop(family == 4 ? AF_INET : AF_INET6,
		  family == 4 ? (const void *)hello->ip4 : hello->ip6, text,
		  INET6_ADDRSTRLEN);
}

static bool say_mode(const struct peer *peer,
		     const struct handshake_hello *heard,
		     char text[HUB_SENTENCE])
{
	bool tap = peer->hub->config.tap;

	if (!(heard->features & HELLO_MODE) ||
	    !(heard->features & HELLO_TAP) == !tap)
		return false;
	snprintf(text, HUB_SENTENCE,
		 "the other end carries %s, this one %s: give both the same "
		 "mode",
		 tap ? "IP packets (mode=tun)" : "Ethernet frames (mode=tap)",
		 tap ? "Ethernet frames (mode=tap)" : "IP packets (mode=tun)");
	return true;
}

static bool say_same(struct peer *peer, const struct handshake_hello *heard,
		     uint64_t now, char text[HUB_SENTENCE])
{
	char address[INET6_ADDRSTRLEN];
	int family;

	look_at_own(peer->hub, now);
	family = same_family(heard, &peer->hub->own);
	if (!family)
		return false;
	address_text(heard, family, address);
	snprintf(text, HUB_SENTENCE,
		 "both ends have the inner address %s: give one of them "
		 "another local%s=",
		 address, family == 4 ? "" : "6");
	return true;
}

static bool say_twins(const struct peer *peer, uint64_t now,
		      char text[HUB_SENTENCE])
{
	struct handshake_source from[2];
	char first[ADDRESS_TEXT], second[ADDRESS_TEXT];
	struct address address;

	if (!handshake_twins(peer->handshake, now, from))
		return false;
	handshake_address(&from[0], &address);
	address_print(&address, first);
	handshake_address(&from[1], &address);
	address_print(&address, second);
	snprintf(text, HUB_SENTENCE,
		 "two hosts have this key, %s and %s, and take the tunnel from "
		 "each other: give %s",
		 first, second,
		 peer->hub->config.server
			 ? "each a peer and a key of its own"
			 : "one of these servers a key of its own");
	return true;
}

/* A server's word. */
static bool say_strange(const struct peer *peer,
			const struct handshake_hello *heard,
			char text[HUB_SENTENCE])
{
	int family = strange_family(peer);
	char address[INET6_ADDRSTRLEN];

	if (!family)
		return false;
	address_text(heard, family, address);
	snprintf(text, HUB_SENTENCE,
		 "its end has the inner address %s, which address= does not "
		 "grant it: what it sends from there is dropped; let local%s= "
		 "there be one of address=, or auto",
		 address, family == 4 ? "" : "6");
	return true;
}

/* What the server said of us, while that is still so. */
static bool say_told(struct peer *peer, uint64_t now, char text[HUB_SENTENCE])
{
	struct hub *hub = peer->hub;
	char granted[LEASE_TEXT] = "another";

	if (!hub->leased)
		return false;
	if (hub->lease.said & LEASE_TWINS) {
		snprintf(text, HUB_SENTENCE,
			 "another host calls the server with this one's key, "
			 "and each takes the tunnel from the other: give each "
			 "a key of its own (key=auto makes one)");
		return true;
	}
	if (!(hub->lease.said & LEASE_STRANGE) || hub_has_news(hub, now))
		return false;
	if (hub->lease.count)
		lease_text(&hub->lease.addresses[0], granted);
	snprintf(text, HUB_SENTENCE,
		 "the server drops what this end sends from its inner address: "
		 "there it has %s (address= of the peer); set local= to that, "
		 "or to auto",
		 granted);
	return true;
}

bool hub_disagrees(struct peer *peer, uint64_t now, char text[HUB_SENTENCE])
{
	const struct handshake_hello *heard = handshake_heard(peer->handshake);

	if (!heard)
		return false;
	return say_mode(peer, heard, text) ||
	       say_same(peer, heard, now, text) || say_twins(peer, now, text) ||
	       (peer->hub->config.server ? say_strange(peer, heard, text)
					 : say_told(peer, now, text));
}

/* --- round and round ------------------------------------------------------ */

static uint16_t port_at(const struct tun_packet *packet, size_t at)
{
	return (uint16_t)(packet->data[at] << 8 | packet->data[at + 1]);
}

static bool is_our_port(const struct hub *hub, uint16_t port)
{
	const struct member *member;

	if (hub->udp)
		return udp_port(hub->udp) == port;
	TAILQ_FOREACH (member, &hub->members, entry)
		for (int i = 0; i < HUB_SOCKETS; i++)
			if (member->udp[i] && udp_port(member->udp[i]) == port)
				return true;
	return false;
}

static void goes_to(const struct tun_packet *packet, struct address *to)
{
	const struct packet_info *info = &packet->info;
	const uint8_t *ip = packet->data + info->l3;
	uint8_t *bytes = to->far.sin6_addr.s6_addr;

	*to = (struct address){ .far.sin6_family = AF_INET6 };
	memcpy(&to->far.sin6_port, packet->data + info->l4 + 2, 2);
	if (info->version == 6) {
		memcpy(bytes, ip + 24, 16);
		return;
	}
	memset(bytes + 10, 0xff, 2);
	memcpy(bytes + 12, ip + 16, 4);
}

static bool leads_to(const struct peer *peer, const struct address *to)
{
	unsigned left = peer->lane_count;

	for (int id = 0; left && id < 256; id++) {
		const struct lane *lane = peer->lanes[id];

		if (!lane)
			continue;
		left--;
		if (lane->reachable &&
		    lane->to.far.sin6_port == to->far.sin6_port &&
		    IN6_ARE_ADDR_EQUAL(&lane->to.far.sin6_addr,
				       &to->far.sin6_addr))
			return true;
	}
	return false;
}

bool hub_loops(struct hub *hub, const struct tun_packet *packet, uint64_t now)
{
	const struct packet_info *info = &packet->info;
	const struct peer *peer;
	struct address to;

	if (info->proto != IPPROTO_UDP || info->payload <= info->l4 ||
	    !is_our_port(hub, port_at(packet, info->l4)))
		return false;
	goes_to(packet, &to);
	TAILQ_FOREACH (peer, &hub->peers, entry)
		if (leads_to(peer, &to)) {
			hub->looped = to;
			hub->looped_at = now;
			return true;
		}
	return false;
}

bool hub_looped(const struct hub *hub, uint64_t now, char text[HUB_SENTENCE])
{
	char to[ADDRESS_TEXT];

	if (!hub->looped_at || now - hub->looped_at > LOOPED_US)
		return false;
	address_print(&hub->looped, to);
	snprintf(text, HUB_SENTENCE,
		 "what is sent to %s is routed into this tunnel itself, by %s: "
		 "that address needs a route by a line of this host (ip route "
		 "get)",
		 to, hub->config.device);
	return true;
}
