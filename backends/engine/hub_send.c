/* SPDX-License-Identifier: GPL-3.0-or-later */
/* hub_send.c - from the tun device to the lines. */
#include <string.h>
#include <sys/epoll.h>

#include "backends/engine/hub_private.h"

enum {
	READS = 64, /* of the device, before the sockets have their turn */
	GATHER = 32 << 10, /* bytes that are read before they are sent */
	SMALL_UDP = 300, /* payloads of calls and questions: kept in no order */
	DSCP_CS5 = 40,	 /* from here on: voice, signalling, routing */
	TCP_ACK_ONLY = 0x10,
	AT_ONCE = 16,	    /* packets: sent while they are in the cache */
	TOWARDS_US = 20000, /* of a peer's limit may go to it at once */
	NEVER_CAME_US = 3 * 1000000, /* with keys, and without a live lane */
};

/* --- one run of datagrams ------------------------------------------------- */

/* What goes out: pieces of one packet, or a control payload in place. */
struct outgoing {
	uint8_t lane, flags;
	uint16_t bucket;
	uint32_t seq, handle;
	const struct tun_packet *packet; /* NULL: control */
	unsigned index, count;
	const uint8_t *payload; /* control */
	size_t size;		/* of it */
};

/* Bytes of the first, and of the last. */
static size_t first_size(const struct outgoing *out)
{
	return out->packet ? tun_cut_size(out->packet, out->index) : out->size;
}

static size_t last_size(const struct outgoing *out)
{
	return out->packet
		       ? tun_cut_size(out->packet, out->index + out->count - 1)
		       : out->size;
}

static void fill(uint8_t *to, const struct outgoing *out, size_t stride,
		 uint64_t now)
{
	struct wire_inner inner = { wire_time(now), out->flags, out->bucket,
				    out->seq };

	if (out->packet && out->packet->unsummed)
		inner.flags |= WIRE_UNSUMMED;
	if (out->packet && out->packet->fragment)
		inner.flags |= WIRE_FRAGMENT;
	for (unsigned i = 0; i < out->count; i++, inner.seq++) {
		uint8_t *at = to + i * stride + WIRE_HEADER;

		wire_put_inner(at, &inner);
		if (out->packet)
			tun_cut(out->packet, out->index + i, at + WIRE_INNER);
		else
			memcpy(at + WIRE_INNER, out->payload, out->size);
	}
}

/* The last datagram may be shorter: it is sealed by itself. */
static bool seal(uint8_t *at, struct session *session, uint8_t lane,
		 size_t size, size_t last, unsigned count, uint64_t now,
		 uint64_t *first)
{
	struct session_run run = { .lane = lane,
				   .datagrams = at,
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

/* --- datagrams for one lane go out together ------------------------------- */

static void send_bytes(struct bunch *bunch, size_t size)
{
	size_t sent;
	int rc = udp_send(bunch->lane->udp, &bunch->lane->to,
			  bunch->out + bunch->from, size, bunch->stride, &sent);

	bunch->from += size;
	bunch->bytes -= size;
	if (rc || bunch->lane->refused)
		hub_sent(bunch->peer->hub, bunch->peer, bunch->lane, rc);
}

static void flush_bunch(struct bunch *bunch)
{
	if (bunch->bytes)
		send_bytes(bunch, bunch->bytes);
}

static void flush_out(struct hub *hub)
{
	for (int i = 0; i < HUB_BUNCHES; i++)
		flush_bunch(&hub->bunches[i]);
}

/* What fills a system call goes while it is in the cache. The rest, a few
 * datagrams of each 64 kB, would cost another one, here and at the other end:
 * it waits for what comes next. */
static void send_full(struct bunch *bunch)
{
	size_t most = udp_send_most(bunch->stride);

	while (bunch->bytes >= most)
		send_bytes(bunch, most);
}

/* What goes by one lane is in one bunch, so that its order is kept. A lane that
 * has none takes the first that is free, whose memory is still in the caches,
 * or that which was not added to for longer. */
static struct bunch *bunch_of(struct hub *hub, const struct lane *lane)
{
	unsigned place = (hub->bunch + 1) % HUB_BUNCHES;

	for (unsigned i = HUB_BUNCHES; i--;)
		if (!hub->bunches[i].bytes)
			place = i;
	for (unsigned i = 0; i < HUB_BUNCHES; i++)
		if (hub->bunches[i].bytes && hub->bunches[i].lane == lane)
			place = i;
	hub->bunch = place;
	return &hub->bunches[place];
}

/* All but the last of a bunch have the same size (udp.h). */
static struct bunch *bunch_open(struct peer *peer, struct lane *lane,
				size_t stride, size_t bytes, unsigned count)
{
	struct bunch *bunch = bunch_of(peer->hub, lane);

	if (bunch->bytes && (bunch->lane != lane || bunch->ended ||
			     (stride != bunch->stride &&
			      (count > 1 || bytes > bunch->stride)) ||
			     bunch->from + bunch->bytes + bytes > HUB_OUT))
		flush_bunch(bunch);
	if (!bunch->bytes)
		*bunch = (struct bunch){ peer, lane, stride, bunch->out,
					 0,    0,    false };
	return bunch;
}

static void bunch_add(struct bunch *bunch, size_t bytes)
{
	bunch->bytes += bytes;
	bunch->ended = bunch->bytes % bunch->stride != 0;
}

/* false: the keys are over, and there is no more to send by them. */
static bool send_out(struct peer *peer, struct session *session,
		     const struct outgoing *out)
{
	struct lane *lane = peer->lanes[out->lane];
	size_t size = first_size(out), last = last_size(out);
	size_t stride = WIRE_OVERHEAD + size;
	size_t bytes = stride * (out->count - 1) + WIRE_OVERHEAD + last;
	uint64_t now = clock_us(), first = 0;
	struct braid_sent note = { .lane = out->lane,
				   .flags = out->flags,
				   .count = (uint16_t)out->count,
				   .size = (uint16_t)size,
				   .last = (uint16_t)last,
				   .bucket = out->bucket,
				   .seq = out->seq,
				   .handle = out->handle };
	struct bunch *bunch;
	uint8_t *at;

	if (!lane || !lane->reachable)
		return true;
	bunch = bunch_open(peer, lane, stride, bytes, out->count);
	at = bunch->out + bunch->from + bunch->bytes;
	fill(at, out, stride, now);
	if (!seal(at, session, out->lane, size, last, out->count, now, &first))
		return false;
	bunch_add(bunch, bytes);
	note.counter = first;
	if (out->packet && out->packet->unsummed)
		note.flags |= WIRE_UNSUMMED;
	braid_sent(peer->braid, &note, now);
	send_full(bunch);
	return true;
}

/* --- what a peer has to send ---------------------------------------------- */

static void send_control(struct peer *peer, struct session *session,
			 uint64_t now)
{
	uint8_t *payload = peer->hub->control;
	struct outgoing out = { .flags = WIRE_CONTROL,
				.count = 1,
				.payload = payload };

	while ((out.size = braid_control(peer->braid, payload, HUB_CONTROL, now,
					 &out.lane)))
		if (!send_out(peer, session, &out))
			return;
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
		if (!send_out(peer, session, &out))
			return;
		if (again.second < 0)
			continue;
		out.lane = (uint8_t)again.second;
		out.flags |= WIRE_COPY;
		send_out(peer, session, &out);
	}
}

/* No more than this goes there: our limit, or what the other end takes. */
static uint64_t towards_bps(const struct peer *peer)
{
	uint64_t ours = peer->config.down_bps, theirs = peer->granted_bps;

	return !ours || (theirs && theirs < ours) ? theirs : ours;
}

/* Packets that may go as one piece: a run is not to exceed a limit by itself.
 */
static int run_most(const struct peer *peer, size_t size)
{
	size_t datagram = WIRE_OVERHEAD + size;
	uint64_t most = HUB_OUT / datagram, rate = towards_bps(peer), within;

	within = rate / 8 * TOWARDS_US / 1000000 / datagram;
	if (rate && within < most)
		most = within ? within : 1;
	return (int)most;
}

/* A copy on a second lane, if that is what was planned, and the acks that can
 * go along. What is alone goes before its copy is made. */
static void send_planned(struct peer *peer, struct session *session,
			 struct outgoing *out, int second, uint64_t now)
{
	struct outgoing acks = { .lane = out->lane,
				 .flags = WIRE_CONTROL,
				 .count = 1,
				 .payload = peer->hub->control };

	send_out(peer, session, out);
	if (!(out->flags & WIRE_BULK))
		acks.size = braid_along(peer->braid, out->lane,
					peer->hub->control, HUB_CONTROL, now);
	if (acks.size)
		send_out(peer, session, &acks);
	if (second < 0)
		return;
	if (backlog_is_empty(peer->backlog))
		flush_out(peer->hub);
	out->lane = acks.lane = (uint8_t)second;
	out->flags |= WIRE_COPY;
	send_out(peer, session, out);
	if (acks.size)
		send_out(peer, session, &acks);
}

/* 1: sent or dropped, go on. 0: there is no room now. */
static int send_head(struct peer *peer, struct session *session,
		     const struct backlog_run *head, uint64_t now)
{
	struct outgoing out = { .handle = head->handle };
	struct braid_plan plan;
	int most = run_most(peer, head->flow.size), count;

	if (!keep_find(peer->hub->keep, head->handle, &out.packet,
		       &out.index)) {
		peer->dropped++;
		backlog_took(peer->backlog, 1, now);
		return 1;
	}
	most = head->count < most ? head->count : most;
	count = braid_plan(peer->braid, &head->flow, most, now, &plan);
	if (count == -EMSGSIZE) {
		fit_refuse(peer, out.packet);
		backlog_took(peer->backlog, head->count, now);
		return 1;
	}
	if (count <= 0)
		return 0;
	out.lane = plan.lane;
	out.bucket = plan.bucket;
	out.seq = plan.seq;
	out.count = (unsigned)count;
	if (towards_bps(peer))
		limit_took(&peer->towards, towards_bps(peer),
			   (size_t)count * (head->flow.size + WIRE_OVERHEAD),
			   now);
	backlog_took(peer->backlog, count, now);
	out.flags = plan.flags;
	if (!backlog_is_empty(peer->backlog))
		out.flags |= WIRE_BULK;
	send_planned(peer, session, &out, plan.second, now);
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
		if (towards_bps(peer))
			wait = limit_wait(&peer->towards, towards_bps(peer),
					  TOWARDS_US, now);
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
		flush_out(hub); /* a lane may go */
		if (event.what == BRAID_LANE_DRAINED)
			lane_remove(peer, event.lane);
		else if (event.what == BRAID_MTU)
			hub_mtu(hub);
		else if (event.what == BRAID_PEER_GONE && !hub->config.server)
			handshake_start(hub->handshake, peer->handshake, now);
		else if (event.what == BRAID_LINE_FULL ||
			 event.what == BRAID_LINE_FREE ||
			 event.what == BRAID_LINE_BEST)
			hub_remember(peer, &event, now);
	}
}

/* A peer that died between its answer and the first datagram was never there to
 * be gone: no event tells of it, and only another call brings it back. */
static void call_again(struct peer *peer, const struct session *session,
		       uint64_t now)
{
	struct hub *hub = peer->hub;

	if (!hub->config.server && !braid_is_alive(peer->braid) &&
	    session_since(session) + NEVER_CAME_US <= now &&
	    !handshake_is_calling(peer->handshake))
		handshake_start(hub->handshake, peer->handshake, now);
}

void peer_work(struct peer *peer, uint64_t now)
{
	struct session *session = handshake_session(peer->handshake);
	uint64_t next, limit;

	/* Time leaps when the machine wakes from sleep: then keys are over that
	 * handshake_timer() has not looked at yet. */
	if (!session || session_expired(session, now) || !peer->braid ||
	    !peer_era(peer, session, now)) {
		hub_unschedule(peer->hub, peer);
		return;
	}
	if (braid_next(peer->braid) <= now)
		braid_timer(peer->braid, now);
	send_control(peer, session, now);
	send_again(peer, session, now);
	limit = send_data(peer, session, now);
	send_control(peer, session, now);
	if (!peer->hub->reading)
		flush_out(peer->hub);
	notice(peer, now);
	call_again(peer, session, now);
	next = braid_next(peer->braid);
	hub_schedule(peer->hub, peer, limit < next ? limit : next);
}

/* --- from the device ------------------------------------------------------ */

/* Whose is it? NULL: nobody's. */
static const struct owner *owner_of(struct hub *hub,
				    const struct tun_packet *packet)
{
	const struct packet_info *info = &packet->info;
	const struct peer *server;

	if (!hub->config.server) {
		server = TAILQ_FIRST(&hub->peers);
		return server ? &server->self : NULL;
	}
	if (!info->version)
		return NULL;
	return inner_map_find_packet(hub->prefixes, info->version,
				     packet->data + info->l3 +
					     (info->version == 4 ? 16 : 24));
}

/* On whose account is it handed to another hub? On that of the client it comes
 * from: who floods is not to be at the expense of whom he floods. What comes
 * from elsewhere is on the account of whom it is for. */
static uint16_t account_of(struct hub *hub, const struct tun_packet *packet,
			   const struct owner *owner)
{
	const struct packet_info *info = &packet->info;
	const struct owner *from = inner_map_find_packet(
		hub->prefixes, info->version,
		packet->data + info->l3 + (info->version == 4 ? 12 : 8));

	return from ? from->number : owner->number;
}

/* What has no order to keep, and what is in a hurry. */
static void describe(const struct hub *hub, const struct tun_packet *packet,
		     struct backlog_run *run)
{
	const struct packet_info *info = &packet->info;
	bool tcp = info->proto == IPPROTO_TCP;

	run->flow.bucket = (uint16_t)(info->flow % WIRE_BUCKET_ANY);
	run->flow.size = (uint16_t)tun_cut_size(packet, 0);
	run->flow.ack = tcp && info->payload >= info->end &&
			info->tcp_flags == TCP_ACK_ONLY;
	run->urgent = info->dscp >= DSCP_CS5;
	if (hub->twice ||
	    (info->version && info->dscp == hub->config.duplicate_dscp))
		run->flow.mode = BRAID_DUPLICATE;
	run->flow.loose =
		!tcp && (run->urgent || info->proto != IPPROTO_UDP ||
			 (packet->count == 1 && packet->size < SMALL_UDP));
	run->count = packet->count;
	run->last = (uint16_t)tun_cut_size(packet, packet->count - 1U);
}

/* Small packets gather, so that they leave together; a large one goes while it
 * is in the processor's cache. */
static void work_touched(struct hub *hub, uint64_t now)
{
	struct peer *peer = hub->touched;

	hub->touched = NULL;
	hub->touched_bytes = 0;
	if (peer)
		peer_work(peer, now);
}

static void queue(struct peer *peer, const struct backlog_run *run,
		  uint64_t now)
{
	struct hub *hub = peer->hub;

	if (!peer_is_there(peer)) {
		peer->dropped += run->count;
		return;
	}
	if (hub->touched != peer)
		work_touched(hub, now);
	if (!peer->backlog)
		peer->backlog = backlog_new(&(struct backlog_config){ 0 });
	backlog_put(peer->backlog, run, now);
	hub->touched = peer;
	hub->touched_bytes += (size_t)run->count * run->flow.size;
	if (hub->touched_bytes >= GATHER)
		work_touched(hub, now);
}

/* It is kept, and so has a handle. */
static struct backlog_run run_of(struct hub *hub, const struct peer *peer,
				 struct tun_packet *packet)
{
	struct backlog_run run = { .count = 0 };

	if (packet->count == 1)
		packet_clamp_mss((uint8_t *)packet->data, &packet->info,
				 peer ? peer_mtu(peer) : hub->mtu,
				 packet->unsummed);
	describe(hub, packet, &run);
	run.handle = keep_add(hub->keep, packet);
	return run;
}

static void queue_packet(struct peer *peer, struct tun_packet *packet,
			 uint64_t now)
{
	struct backlog_run run = run_of(peer->hub, peer, packet);

	queue(peer, &run, now);
}

static void wait_in_line(struct peer *peer, const struct backlog_run *run,
			 uint64_t now)
{
	if (!peer->backlog)
		peer->backlog = backlog_new(&(struct backlog_config){ 0 });
	backlog_put(peer->backlog, run, now);
	hub_schedule(peer->hub, peer, 0);
}

static void pass_packet(struct peer *peer, struct tun_packet *packet,
			uint64_t now)
{
	struct backlog_run run = run_of(peer->hub, peer, packet);

	wait_in_line(peer, &run, now);
}

/* One copy is all of theirs, but for those whom it does not fit. */
static void pass_to_all(struct hub *hub, struct tun_packet *packet,
			const struct peer *except, uint64_t now)
{
	struct backlog_run run = run_of(hub, NULL, packet);
	struct peer *peer;

	TAILQ_FOREACH (peer, &hub->peers, entry) {
		if (peer == except || !peer_is_there(peer))
			continue;
		if (!fit_is_needed(peer, packet) ||
		    !fit(peer, packet, pass_packet, now))
			wait_in_line(peer, &run, now);
	}
}

void hub_pass(struct hub *hub, struct tun_packet *packet, struct peer *to,
	      const struct peer *except, uint64_t now)
{
	if (!to)
		pass_to_all(hub, packet, except, now);
	else if (!peer_is_there(to))
		to->dropped += packet->count;
	else if (!fit_is_needed(to, packet) ||
		 !fit(to, packet, pass_packet, now))
		pass_packet(to, packet, now);
}

void hub_take(struct hub *hub, struct peer *peer, struct tun_packet *packet,
	      uint64_t now)
{
	if (!peer) {
		hub->unrouted += packet->count;
		return;
	}
	if (fit_is_needed(peer, packet) && fit(peer, packet, queue_packet, now))
		return;
	queue_packet(peer, packet, now);
}

/* The kernel gives packets of a flow to the queue that was last written to by
 * it (tun_automq_select_queue(), drivers/net/tun.c): mostly, not always, to the
 * hub whose it is. */
static void take_read(struct hub *hub, struct tun_packet *packet, uint64_t now)
{
	const struct owner *owner;

	if (hub_loops(hub, packet, now)) {
		hub->unrouted += packet->count;
		return;
	}
	if (hub->fdb) {
		switch_from_device(hub, packet, now);
		return;
	}
	owner = owner_of(hub, packet);
	if (owner && owner->hub != hub)
		hub_hand_packet(hub, owner->hub, packet, false,
				account_of(hub, packet, owner));
	else
		hub_take(hub, peer_of(hub, owner), packet, now);
}

void hub_take_handed(struct hub *hub, struct tun_packet *packet, bool all,
		     uint64_t now)
{
	/* Only who has the peer knows where it is. */
	if (hub_loops(hub, packet, now)) {
		hub->unrouted += packet->count;
		return;
	}
	if (hub->fdb) {
		switch_handed(hub, packet, all, now);
		return;
	}
	/* Not one that has gone meanwhile. */
	hub_take(hub, peer_of(hub, owner_of(hub, packet)), packet, now);
}

void hub_took_handed(struct hub *hub, uint64_t now)
{
	work_touched(hub, now);
}

/* A device that is gone would wake us without end. */
static void device_failed(struct hub *hub, int code)
{
	if (!hub->error[0] && code == EBADFD)
		snprintf(hub->error, sizeof(hub->error),
			 "device %s was taken away: `tresse repair` makes it "
			 "anew",
			 hub->config.device);
	else if (!hub->error[0])
		snprintf(hub->error, sizeof(hub->error), "device %s: %s",
			 hub->config.device, strerror(code));
	if (code != EBADFD || hub->lost)
		return;
	hub->lost = true;
	epoll_ctl(hub->epoll, EPOLL_CTL_DEL, tun_fd(hub->tun), NULL);
	if (hub->marked)
		epoll_ctl(hub->epoll, EPOLL_CTL_DEL, tun_fd(hub->marked), NULL);
}

static uint64_t read_queue(struct hub *hub, struct tun *tun, uint64_t now)
{
	for (int i = 0; i < READS; i++) {
		struct tun_packet packet;
		int rc = tun_read(tun, keep_room(hub->keep), &packet);

		if (rc < 0)
			device_failed(hub, -rc);
		if (rc <= 0)
			break;
		take_read(hub, &packet, now);
		now = clock_us();
	}
	return now;
}

void hub_read(struct hub *hub, uint64_t now)
{
	hub->reading = true;
	if (hub->marked) {
		hub->twice = true;
		now = read_queue(hub, hub->marked, now);
		hub->twice = false;
	}
	now = read_queue(hub, hub->tun, now);
	work_touched(hub, now);
	hub->reading = false;
	flush_out(hub);
}
