/* SPDX-License-Identifier: GPL-3.0-or-later */
/* hub_receive.c - from the lines to the tun device. */
#include <string.h>

#include "backends/engine/hub_private.h"

enum { FROM_US = 100000 }; /* of a peer's limit is taken at once */

/* --- delivered packets ---------------------------------------------------- */

/* May this peer send from that address? */
static bool is_its_own(struct peer *peer, const uint8_t *packet, size_t size,
		       const struct packet_info *info, uint64_t now)
{
	struct hub *hub = peer->hub;

	if (hub->config.tap)
		return switch_learn(peer, packet, size, now);
	if (!info->version)
		return false;
	if (!hub->config.server)
		return true;
	return inner_map_find_packet(hub->prefixes, info->version,
				     packet + info->l3 +
					     (info->version == 4 ? 12 : 8)) ==
	       &peer->self;
}

/* What every kernel says on a new device (RFC 4861, RFC 3810) from an address
 * that means nothing elsewhere: not let through, but nobody's claim. */
static bool is_link_local(const uint8_t *packet, const struct packet_info *info)
{
	struct in6_addr from;

	if (info->version != 6)
		return false;
	memcpy(&from, packet + info->l3 + 8, sizeof(from));
	return IN6_IS_ADDR_LINKLOCAL(&from) || IN6_IS_ADDR_UNSPECIFIED(&from);
}

/* The limit of what is taken from it. What is over is lost behind the braid,
 * not before: there it would be sent again, and the limit spent on it twice. */
static bool is_within(struct peer *peer, size_t size, uint64_t now)
{
	uint64_t rate = peer->config.up_bps;

	if (!rate)
		return true;
	if (limit_wait(&peer->from, rate, FROM_US, now))
		return false;
	limit_took(&peer->from, rate, size + WIRE_OVERHEAD, now);
	return true;
}

/* What is in the receiving room stays there until the flush; other memory is
 * lent for this call only. */
static uint8_t *keep_until_flush(struct hub *hub, const uint8_t *packet,
				 size_t size)
{
	uint8_t *copy;

	if (udp_room_has(hub->room, packet))
		return (uint8_t *)packet;
	if (hub->scratch_used + size > HUB_SCRATCH)
		hub_flush(hub);
	copy = hub->scratch + hub->scratch_used;
	memcpy(copy, packet, size);
	hub->scratch_used += (size + 15) & ~(size_t)15;
	return copy;
}

void hub_deliver(void *context, const uint8_t *packet, size_t size,
		 uint8_t flags)
{
	struct peer *peer = context;
	struct hub *hub = peer->hub;
	bool unsummed = flags & WIRE_UNSUMMED;
	struct packet_info info;
	uint64_t now = 0;
	uint8_t *data;

	if (flags & WIRE_FRAGMENT)
		packet = fit_join(peer, packet, &size, flags);
	if (!packet)
		return;
	/* A system call of its own would be one for every packet. */
	if (hub->fdb || peer->config.up_bps)
		now = clock_us();
	packet_parse(packet, size, hub->config.tap, &info);
	if (!is_its_own(peer, packet, size, &info, now)) {
		peer->spoofed += !is_link_local(packet, &info);
		return;
	}
	if (!is_within(peer, size, now)) {
		peer->policed++;
		return;
	}
	if (!switch_from_peer(peer, packet, size, &info, unsummed, now))
		return;
	data = keep_until_flush(hub, packet, size);
	packet_clamp_mss(data, &info, peer_mtu(peer), unsummed);
	tun_put(hub->tun, data, size, unsummed);
}

void hub_flush(struct hub *hub)
{
	tun_flush(hub->tun);
	hub->scratch_used = 0;
}

/* --- datagrams ------------------------------------------------------------ */

/* Where the sender is, as the handshake keeps it: address, port, scope. */
static void source_of(const struct address *from,
		      struct handshake_source *source)
{
	memcpy(source->bytes, &from->far.sin6_addr, 16);
	memcpy(source->bytes + 16, &from->far.sin6_port, 2);
	memcpy(source->bytes + 18, &from->far.sin6_scope_id, 4);
	source->size = 22;
	/* An IPv6 host has a /64 of its own. */
	source->host = IN6_IS_ADDR_V4MAPPED(&from->far.sin6_addr) ? 16 : 8;
}

/* By another address, or by another device of ours: one that was made anew (a
 * PPP session, say) is another, too. */
static bool has_moved(const struct hub *hub, const struct lane *lane)
{
	return hub->config.server && (!address_equal(&lane->to, &hub->from) ||
				      lane->to.device != hub->from.device);
}

/* The lane that this came by. A server makes it, and a client that moved is
 * followed, by what is newest and authentic. */
static bool lane_follow(struct peer *peer, const struct session_packet *packet,
			uint64_t now)
{
	static const struct braid_lane_config learnt = { 0 };
	struct hub *hub = peer->hub;
	struct lane *lane = peer->lanes[packet->lane];

	if (!lane) {
		if (!hub->config.server ||
		    braid_lane_add(peer->braid, packet->lane, &learnt, now) < 0)
			return false;
		lane = lane_add(peer, packet->lane, hub->from_udp, &hub->from);
	} else if (packet->counter >= lane->newer && has_moved(hub, lane)) {
		lane->to = hub->from;
		lane->udp = hub->from_udp;
		braid_lane_up(peer->braid, packet->lane, now);
	}
	if (packet->counter >= lane->newer)
		lane->newer = packet->counter + 1;
	return true;
}

static void transport(struct peer *peer, struct session *session,
		      const struct session_packet *packet, uint64_t at,
		      uint64_t now)
{
	struct braid_received in = { .lane = packet->lane,
				     .counter = packet->counter };
	const uint8_t *payload = packet->plain + WIRE_INNER;

	if (packet->size < WIRE_INNER)
		return;
	peer_ready(peer, now);
	if (!peer_era(peer, session, now) || !lane_follow(peer, packet, now))
		return;
	wire_get_inner(packet->plain, &in.inner);
	in.size = (uint16_t)(packet->size - WIRE_INNER);
	braid_received(peer->braid, &in, at);
	if (in.inner.flags & WIRE_CONTROL)
		braid_read(peer->braid, packet->lane, payload, in.size, at);
	else if (in.size)
		braid_order(peer->braid, &in, payload, at);
}

static void datagram(struct hub *hub, uint8_t *data, size_t size,
		     const struct handshake_source *source, uint64_t at,
		     uint64_t now)
{
	struct session_packet packet;
	struct session *session;
	struct peer *peer;

	if (data[0] == WIRE_INIT && now - at > HANDSHAKE_LATE_US) {
		refuse(handshake_refusals(hub->handshake), REFUSED_LATE);
		return;
	}
	if (data[0] != WIRE_TRANSPORT) {
		handshake_input(hub->handshake, data, size, source, now);
		return;
	}
	if (handshake_open(hub->handshake, data, size, source, now, &session,
			   &packet) != REFUSED_NOT)
		return;
	peer = handshake_owner(session_owner(session));
	transport(peer, session, &packet, at, now);
	/* After the packets at hand: acks go out together. */
	hub_schedule(hub, peer, 0);
}

void hub_datagram(struct hub *hub, uint8_t *data, size_t size, uint64_t at,
		  uint64_t now)
{
	struct handshake_source source;

	source_of(&hub->from, &source);
	datagram(hub, data, size, &source, at, now);
}

void hub_init(struct hub *hub, const uint8_t sender[NOISE_KEY],
	      const uint8_t *init, size_t size, uint64_t now)
{
	struct handshake_source source;

	source_of(&hub->from, &source);
	handshake_handed(hub->handshake, sender, init, size, &source, now);
}

/* Which hub's is it? The kernel has looked too (udp_share()), but only at the
 * first of what it had aggregated. */
static unsigned part_of(const struct hub *hub, const uint8_t *data, size_t size)
{
	if (data[0] != WIRE_TRANSPORT)
		return 0;
	return size < WIRE_OVERHEAD
		       ? hub->part
		       : wire_part(wire_get24(data + WIRE_INDEX_AT),
				   hub->crew->count);
}

static void sort_out(struct hub *hub, uint8_t *data, size_t size,
		     const struct handshake_source *source, uint64_t at,
		     uint64_t now)
{
	unsigned part = part_of(hub, data, size);

	if (part != hub->part)
		hub_hand_datagram(hub, hub->crew->hubs[part], data, size, at);
	else
		datagram(hub, data, size, source, at, now);
}

static void run_receive(struct hub *hub, const struct udp_run *run,
			uint64_t now)
{
	struct handshake_source source;
	uint64_t at = run->at_us < now ? run->at_us : now;

	hub->from = run->from;
	source_of(&run->from, &source);
	for (size_t done = 0; done < run->size; done += run->segment) {
		size_t left = run->size - done;

		sort_out(hub, run->data + done,
			 left < run->segment ? left : run->segment, &source, at,
			 now);
	}
}

void hub_receive(struct hub *hub, struct udp *udp, uint64_t now)
{
	const struct udp_run *runs;
	int count = udp_receive(udp, hub->room, &runs);

	hub->from_udp = udp;
	for (int i = 0; i < count; i++)
		run_receive(hub, &runs[i], now);
	hub_flush(hub);
}
