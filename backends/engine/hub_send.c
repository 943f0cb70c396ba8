/* SPDX-License-Identifier: GPL-3.0-or-later */
/* hub_send.c - from the tun device to the lines. */
#include <string.h>

#include "backends/engine/hub_private.h"

enum {
	READS = 16,	 /* of the device, before the sockets have their turn */
	SMALL_UDP = 300, /* payloads of calls and questions: kept in no order */
	DSCP_CS5 = 40,	 /* from here on: voice, signalling, routing */
	TCP_ACK_ONLY = 0x10,
	AT_ONCE = 16, /* packets: sent while they are in the cache */
};

/* --- one run of datagrams ------------------------------------------------- */

/* What goes out: pieces of one packet, or a control payload in place. */
struct outgoing {
	uint8_t lane, flags;
	uint16_t bucket;
	uint32_t seq, handle;
	const struct tun_packet *packet; /* NULL: control */
	unsigned index, count;
	size_t size; /* of the control payload */
};

static size_t fill(struct hub *hub, const struct outgoing *out, size_t stride,
		   uint64_t now)
{
	struct wire_inner inner = { wire_time(now), out->flags, out->bucket,
				    out->seq };
	size_t size = out->size;

	if (out->packet && out->packet->unsummed)
		inner.flags |= WIRE_UNSUMMED;
	for (unsigned i = 0; i < out->count; i++, inner.seq++) {
		uint8_t *at = hub->out + i * stride + WIRE_HEADER;

		wire_put_inner(at, &inner);
		if (out->packet)
			size = tun_cut(out->packet, out->index + i,
				       at + WIRE_INNER);
	}
	return size;
}

/* The last datagram may be shorter: it is sealed by itself. */
static bool seal(struct hub *hub, struct session *session, uint8_t lane,
		 size_t size, size_t last, unsigned count, uint64_t now,
		 uint64_t *first)
{
	struct session_run run = { .lane = lane,
				   .datagrams = hub->out,
				   .stride = WIRE_OVERHEAD + size,
				   .size = WIRE_INNER + size,
				   .count = last == size ? count : count - 1 };

	if (run.count && !session_seal(session, &run, now, first))
		return false;
	if (last == size)
		return true;
	run.datagrams += run.count * run.stride;
	run.size = WIRE_INNER + last;
	run.count = 1;
	return session_seal(session, &run, now, count > 1 ? NULL : first);
}

static void closed(struct peer *peer, const struct lane *lane, int rc,
		   uint64_t now)
{
	if (rc == -EAGAIN || rc == -ENOBUFS || rc == -EMSGSIZE ||
	    rc == -ECONNREFUSED || rc == -EINTR)
		return; /* lost, as far as the braid knows; it finds out */
	braid_lane_down(peer->braid, lane->id, now);
}

static void send_out(struct peer *peer, struct session *session,
		     const struct outgoing *out)
{
	struct hub *hub = peer->hub;
	struct lane *lane = peer->lanes[out->lane];
	size_t size =
		out->packet ? tun_cut_size(out->packet, out->index) : out->size;
	size_t stride = WIRE_OVERHEAD + size, last, bytes, sent;
	uint64_t now = clock_us(), first = 0;
	struct braid_sent note = { .lane = out->lane,
				   .flags = out->flags,
				   .count = (uint16_t)out->count,
				   .size = (uint16_t)size,
				   .bucket = out->bucket,
				   .seq = out->seq,
				   .handle = out->handle };
	int rc;

	if (!lane || !lane->reachable)
		return;
	last = fill(hub, out, stride, now);
	if (!seal(hub, session, out->lane, size, last, out->count, now, &first))
		return;
	bytes = stride * (out->count - 1) + WIRE_OVERHEAD + last;
	rc = udp_send(lane->udp, &lane->to, hub->out, bytes, stride, &sent);
	note.last = (uint16_t)last;
	note.counter = first;
	if (out->packet && out->packet->unsummed)
		note.flags |= WIRE_UNSUMMED;
	braid_sent(peer->braid, &note, now);
	if (rc < 0)
		closed(peer, lane, rc, now);
}

/* --- what a peer has to send ---------------------------------------------- */

static void send_control(struct peer *peer, struct session *session,
			 uint64_t now)
{
	uint8_t *payload = peer->hub->out + WIRE_HEADER + WIRE_INNER;
	struct outgoing out = { .flags = WIRE_CONTROL, .count = 1 };

	while ((out.size =
			braid_control(peer->braid, payload,
				      HUB_OUT - WIRE_OVERHEAD, now, &out.lane)))
		send_out(peer, session, &out);
}

static void send_again(struct peer *peer, struct session *session, uint64_t now)
{
	struct braid_again again;

	while (braid_resend(peer->braid, now, &again) > 0) {
		struct outgoing out = { .lane = again.lane,
					.flags = again.flags,
					.bucket = again.bucket,
					.seq = again.seq,
					.handle = again.handle,
					.count = 1 };

		if (!keep_find(peer->hub->keep, again.handle, &out.packet,
			       &out.index)) {
			braid_gone(peer->braid, &again);
			continue;
		}
		send_out(peer, session, &out);
		if (again.second < 0)
			continue;
		out.lane = (uint8_t)again.second;
		out.flags |= WIRE_COPY;
		send_out(peer, session, &out);
	}
}

/* The sender learns what size would fit. */
static void answer_too_big(struct peer *peer, const struct tun_packet *packet)
{
	struct hub *hub = peer->hub;
	uint8_t answer[PACKET_ICMP];
	size_t size;

	peer->oversize++;
	if (hub->config.tap)
		return;
	size = packet_too_big(packet->data, &packet->info,
			      braid_mtu(peer->braid), answer);
	if (!size)
		return;
	hub_flush(hub);
	tun_put(hub->tun, answer, size, false);
	tun_flush(hub->tun);
}

/* The limit towards this peer: a bucket of 20 ms. Microseconds until there is
 * room; 0: now. */
static uint64_t limit_wait(struct peer *peer, uint64_t now)
{
	uint64_t rate = peer->config.down_bps, most;

	if (!rate)
		return 0;
	most = rate / 8 / 50 + 3000;
	peer->tokens += (int64_t)((now - peer->tokens_at) * rate / 8000000);
	peer->tokens_at = now;
	if (peer->tokens > (int64_t)most)
		peer->tokens = (int64_t)most;
	if (peer->tokens > 0)
		return 0;
	return (uint64_t)-peer->tokens * 8000000 / rate + 1;
}

/* 1: sent or dropped, go on. 0: there is no room now. */
static int send_head(struct peer *peer, struct session *session,
		     const struct backlog_run *head, uint64_t now)
{
	struct outgoing out = { .handle = head->handle };
	struct braid_plan plan;
	int most = (int)(HUB_OUT / (WIRE_OVERHEAD + head->flow.size)), count;

	if (!keep_find(peer->hub->keep, head->handle, &out.packet,
		       &out.index)) {
		peer->dropped++;
		backlog_took(peer->backlog, 1, now);
		return 1;
	}
	most = head->count < most ? head->count : most;
	count = braid_plan(peer->braid, &head->flow, most, now, &plan);
	if (count == -EMSGSIZE) {
		answer_too_big(peer, out.packet);
		backlog_took(peer->backlog, head->count, now);
		return 1;
	}
	if (count <= 0)
		return 0;
	out.lane = plan.lane;
	out.bucket = plan.bucket;
	out.seq = plan.seq;
	out.count = (unsigned)count;
	if (peer->config.down_bps)
		peer->tokens -= count * (head->flow.size + WIRE_OVERHEAD);
	backlog_took(peer->backlog, count, now);
	out.flags = plan.flags;
	if (!backlog_is_empty(peer->backlog))
		out.flags |= WIRE_BULK;
	send_out(peer, session, &out);
	if (plan.second >= 0) {
		out.lane = (uint8_t)plan.second;
		out.flags |= WIRE_COPY;
		send_out(peer, session, &out);
	}
	return 1;
}

static uint64_t send_data(struct peer *peer, struct session *session,
			  uint64_t now)
{
	const struct backlog_run *head;
	uint64_t wait = 0;

	if (!peer->backlog)
		return BRAID_NEVER;
	while ((head = backlog_head(peer->backlog, now))) {
		wait = limit_wait(peer, now);
		if (wait || send_head(peer, session, head, now) <= 0)
			break;
	}
	return wait ? now + wait : BRAID_NEVER;
}

static void notice(struct peer *peer, uint64_t now)
{
	struct hub *hub = peer->hub;
	struct braid_event event;

	while (braid_event(peer->braid, &event)) {
		if (event.what == BRAID_LANE_DRAINED)
			lane_remove(peer, event.lane);
		else if (event.what == BRAID_MTU)
			hub_mtu(hub);
		else if (event.what == BRAID_PEER_GONE && !hub->config.server)
			handshake_start(hub->handshake, peer->handshake, now);
	}
}

void peer_work(struct peer *peer, uint64_t now)
{
	struct session *session = handshake_session(peer->handshake);
	uint64_t next, limit;

	if (!session || !peer->braid || !peer_era(peer, session, now)) {
		hub_unschedule(peer->hub, peer);
		return;
	}
	if (braid_next(peer->braid) <= now)
		braid_timer(peer->braid, now);
	send_control(peer, session, now);
	send_again(peer, session, now);
	limit = send_data(peer, session, now);
	send_control(peer, session, now);
	notice(peer, now);
	next = braid_next(peer->braid);
	hub_schedule(peer->hub, peer, limit < next ? limit : next);
}

/* --- from the device ------------------------------------------------------ */

/* Whose is it? NULL: nobody's, or (tap) everybody's. */
static struct peer *peer_for(struct hub *hub, const struct tun_packet *packet)
{
	const struct packet_info *info = &packet->info;

	if (!hub->config.server)
		return TAILQ_FIRST(&hub->peers);
	if (hub->config.tap)
		return hub_mac_find(hub, packet->data, packet->size);
	if (!info->version)
		return NULL;
	return inner_map_find_packet(hub->prefixes, info->version,
				     packet->data + info->l3 +
					     (info->version == 4 ? 16 : 24));
}

/* What has no order to keep, and what is in a hurry. */
static void describe(const struct tun_packet *packet, struct backlog_run *run)
{
	const struct packet_info *info = &packet->info;
	bool tcp = info->proto == IPPROTO_TCP;

	run->flow.bucket = (uint16_t)(info->flow % WIRE_BUCKET_ANY);
	run->flow.size = (uint16_t)tun_cut_size(packet, 0);
	run->flow.ack = tcp && info->payload >= info->end &&
			info->tcp_flags == TCP_ACK_ONLY;
	run->urgent = info->dscp >= DSCP_CS5;
	run->flow.loose =
		!tcp && (run->urgent || info->proto != IPPROTO_UDP ||
			 (packet->count == 1 && packet->size < SMALL_UDP));
	run->count = packet->count;
	run->last = (uint16_t)tun_cut_size(packet, packet->count - 1U);
}

static void queue(struct peer *peer, const struct backlog_run *run,
		  uint64_t now)
{
	if (!peer->braid || !handshake_session(peer->handshake)) {
		peer->dropped += run->count;
		return;
	}
	if (!peer->backlog)
		peer->backlog = backlog_new(&(struct backlog_config){ 0 });
	backlog_put(peer->backlog, run, now);
	/* Small ones wait until all that is there was read: how much a flow
	 * sends at once is what the braid goes by. */
	if (run->count >= AT_ONCE)
		peer_work(peer, now);
	else
		hub_schedule(peer->hub, peer, 0);
}

static void take_in(struct hub *hub, struct tun_packet *packet, uint64_t now)
{
	struct peer *peer = peer_for(hub, packet);
	struct backlog_run run = { .count = 0 };

	if (!peer && !hub->config.tap) {
		hub->unrouted += packet->count;
		return;
	}
	if (packet->count == 1)
		packet_clamp_mss((uint8_t *)packet->data, &packet->info,
				 hub->mtu, packet->unsummed);
	describe(packet, &run);
	run.handle = keep_add(hub->keep, packet);
	if (peer) {
		queue(peer, &run, now);
		return;
	}
	TAILQ_FOREACH (peer, &hub->peers, entry)
		queue(peer, &run, now);
}

void hub_read(struct hub *hub, uint64_t now)
{
	for (int i = 0; i < READS; i++) {
		struct tun_packet packet;
		int rc = tun_read(hub->tun, keep_room(hub->keep), &packet);

		if (rc < 0 && !hub->error[0])
			snprintf(hub->error, sizeof(hub->error),
				 "device %s: %s: it was taken away; set it "
				 "anew",
				 hub->config.device, strerror(-rc));
		if (rc <= 0)
			return;
		take_in(hub, &packet, now);
		now = clock_us();
	}
}
