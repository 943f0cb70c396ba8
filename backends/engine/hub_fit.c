/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * hub_fit.c - what is too big for a peer's lines. Its sender is told, or it is
 * cut as IPv4 has it, or it goes in fragments of ours:
 *
 *     IPv4 without DF      cut into packets (RFC 791)
 *     IPv4 with DF         answered with what fits (RFC 1191)
 *     IPv6 up to 1280      in fragments (RFC 8200, 5)
 *     IPv6 above that      answered with 1280 or more (RFC 8201)
 *     a frame              in fragments: a segment has one size, and no answers
 *
 * Of a super-packet of the kernel this happens to each piece.
 */
#include <string.h>

#include "backends/engine/hub_private.h"
#include "backends/engine/mtu.h"

enum { IP6_LEAST = 1280 };

uint16_t peer_mtu(const struct peer *peer)
{
	const struct hub *hub = peer->hub;
	uint16_t mtu = hub->mtu, fits;

	if (!peer->braid)
		return mtu;
	fits = (uint16_t)(braid_mtu(peer->braid) -
			  (hub->config.tap ? HUB_FRAME : 0));
	return fits < mtu ? fits : mtu;
}

/* The device's size is that of other peers, the least that IPv6 takes, or was
 * given. */
bool fit_is_needed(const struct peer *peer, const struct tun_packet *packet)
{
	const struct hub *hub = peer->hub;
	size_t size = tun_cut_size(packet, 0);

	if (!peer_is_there(peer))
		return false;
	if (hub->config.tap)
		return size > braid_mtu(peer->braid);
	return (crew_mtu_is_most(hub->crew) ||
		braid_mtu(peer->braid) < MTU_BASE) &&
	       size > peer_mtu(peer);
}

/* --- answered ------------------------------------------------------------- */

bool fit_fragments(const struct peer *peer)
{
	const struct handshake_hello *heard = handshake_heard(peer->handshake);

	return heard && heard->features & HELLO_FRAGMENTS;
}

/* Of IPv6 all up to its least goes, in fragments. */
static uint16_t mtu_told(const struct peer *peer,
			 const struct tun_packet *packet)
{
	uint16_t mtu = braid_mtu(peer->braid);

	return packet->info.version == 6 && mtu < IP6_LEAST &&
			       fit_fragments(peer)
		       ? IP6_LEAST
		       : mtu;
}

/* The sender learns what size would fit. Kernels keep to that for ten minutes:
 * while it is being found out nothing is said. */
void fit_refuse(struct peer *peer, const struct tun_packet *packet)
{
	struct hub *hub = peer->hub;
	uint8_t answer[PACKET_ICMP];
	size_t size;

	peer->oversize++;
	if (hub->config.tap || !braid_mtu_is_found(peer->braid))
		return;
	size = packet_too_big(packet->data, &packet->info,
			      mtu_told(peer, packet), answer);
	if (!size)
		return;
	hub_flush(hub);
	tun_put(hub->tun, answer, size, false);
	tun_flush(hub->tun);
}

/* --- in pieces ------------------------------------------------------------ */

/* One packet that is to go in pieces, and where they are given. */
struct cutting {
	struct peer *peer;
	struct tun_packet packet; /* of one piece; not in keep_room() */
	fit_put *put;
	uint64_t now;
};

typedef void cutter(const struct cutting *cutting);

static void as_it_is(const struct cutting *cutting)
{
	struct tun_packet packet = cutting->packet;
	uint8_t *room = keep_room(cutting->peer->hub->keep);

	packet.data = memcpy(room, packet.data, packet.size);
	cutting->put(cutting->peer, &packet, cutting->now);
}

static void cut(const struct cutting *cutting)
{
	const struct tun_packet *packet = &cutting->packet;
	struct tun_packet piece = { .count = 1 };
	size_t done = 0;

	if (packet->unsummed)
		packet_sum_finish((uint8_t *)packet->data, &packet->info);
	for (;;) {
		uint8_t *room = keep_room(cutting->peer->hub->keep);

		piece.size =
			(uint32_t)packet_fragment(packet->data, &packet->info,
						  peer_mtu(cutting->peer),
						  &done, room);
		if (!piece.size)
			return;
		piece.data = room;
		packet_parse(room, piece.size, false, &piece.info);
		cutting->put(cutting->peer, &piece, cutting->now);
	}
}

static void go_in_fragments(const struct cutting *cutting)
{
	struct cutting fragments = *cutting;
	struct peer *peer = cutting->peer;
	struct hub *hub = peer->hub;

	fragments.packet.count = (uint16_t)fragment_count(
		cutting->packet.size, braid_mtu(peer->braid));
	fragments.packet.fragment =
		++hub->fragment ? hub->fragment : ++hub->fragment;
	peer->fragmented++;
	as_it_is(&fragments);
}

/* The last of a super-packet may fit as it is. */
static void cut_all(struct peer *peer, const struct tun_packet *packet,
		    cutter *with, fit_put *put, uint64_t now)
{
	bool tap = peer->hub->config.tap;
	uint8_t whole[TUN_READ_MAX], piece[TUN_READ_MAX];
	struct tun_packet from = *packet;
	struct cutting cutting = { .peer = peer, .put = put, .now = now };

	from.data = memcpy(whole, packet->data, packet->size);
	for (unsigned i = 0; i < packet->count; i++) {
		cutting.packet = (struct tun_packet){
			.data = piece,
			.size = (uint32_t)tun_cut(&from, i, piece),
			.count = 1,
			.unsummed = packet->unsummed,
		};
		packet_parse(piece, cutting.packet.size, tap,
			     &cutting.packet.info);
		if (fit_is_needed(peer, &cutting.packet))
			with(&cutting);
		else
			as_it_is(&cutting);
	}
}

static bool may_go_in_fragments(const struct peer *peer,
				const struct tun_packet *packet)
{
	size_t size = tun_cut_size(packet, 0);

	return (peer->hub->config.tap ||
		(packet->info.version == 6 && size <= IP6_LEAST)) &&
	       fit_fragments(peer) &&
	       fragment_count(size, braid_mtu(peer->braid));
}

bool fit(struct peer *peer, const struct tun_packet *packet, fit_put *put,
	 uint64_t now)
{
	bool tap = peer->hub->config.tap;

	if (!tap && packet_may_fragment(packet->data, &packet->info)) {
		cut_all(peer, packet, cut, put, now);
		return true;
	}
	if (may_go_in_fragments(peer, packet)) {
		cut_all(peer, packet, go_in_fragments, put, now);
		return true;
	}
	if (tap || !braid_mtu_is_found(peer->braid))
		return false; /* some lane may carry it */
	fit_refuse(peer, packet);
	return true;
}

/* --- joined --------------------------------------------------------------- */

void fit_stats(const struct peer *peer, struct joiner_stats *stats)
{
	struct joiner_stats now = { 0 };

	if (peer->joiner)
		joiner_stats(peer->joiner, &now);
	*stats = peer->joined;
	stats->joined += now.joined;
	stats->bad += now.bad;
	stats->missing += now.missing;
	stats->waiting = now.waiting;
}

void fit_rest(struct peer *peer)
{
	if (!peer->joiner)
		return;
	joiner_restart(peer->joiner);
	fit_stats(peer, &peer->joined);
	joiner_free(TAKE(peer->joiner));
}

const uint8_t *fit_join(struct peer *peer, const uint8_t *payload, size_t *size,
			uint8_t flags)
{
	if (!peer->joiner)
		peer->joiner = joiner_new();
	return joiner_put(peer->joiner, payload, *size, flags & WIRE_UNSUMMED,
			  clock_us(), size);
}
