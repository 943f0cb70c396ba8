/* SPDX-License-Identifier: GPL-3.0-or-later */
/* hub_status.c - what there is to see of a link, as JSON (control.h). */
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "backends/engine/hub_private.h"
#include "model/base/crypto.h"

static void put(json_t *to, const char *name, uint64_t value)
{
	json_object_set_new(to, name, json_integer((json_int_t)value));
}

static void put_text(json_t *to, const char *name, const char *text)
{
	json_t *value = json_string(text);

	json_object_set_new(to, name, value ? value : json_string("?"));
}

static json_t *meter_json(const struct meter_reading *meter)
{
	json_t *object = json_object();

	put(object, "bytes", meter->bytes);
	put(object, "packets", meter->packets);
	put(object, "mean", meter->bps.mean);
	put(object, "max", meter->bps.max);
	return object;
}

/* Mean and maximum over the slices. */
static void put_figure(json_t *to, const char *name,
		       const struct meter_figure *figure)
{
	json_object_set_new(to, name,
			    json_pack("{s:I, s:I}", "mean",
				      (json_int_t)figure->mean, "max",
				      (json_int_t)figure->max));
}

json_t *hub_reading(const struct meter_reading *meter)
{
	json_t *object = json_object();

	put(object, "bytes", meter->bytes);
	put(object, "packets", meter->packets);
	put(object, "lost", meter->lost);
	put(object, "slices", meter->slices);
	put_figure(object, "rate", &meter->bps);
	put_figure(object, "packets-per-s", &meter->pps);
	put_figure(object, "loss-ppm", &meter->loss_ppm);
	if (meter->delays)
		put_figure(object, "queue-us", &meter->delay_us);
	return object;
}

static json_t *way_json(const struct braid_line_stats *line, enum braid_way way)
{
	json_t *object = hub_reading(&line->ways[way]);

	json_object_set_new(object, "full", json_boolean(line->full[way]));
	return object;
}

static void put_line(json_t *to, const struct braid *braid, uint16_t line,
		     uint64_t now)
{
	struct braid_line_stats stats;

	braid_line_stats(braid, line, now, &stats);
	json_object_set_new(to, "out", way_json(&stats, BRAID_OUT));
	json_object_set_new(to, "in", way_json(&stats, BRAID_IN));
}

static void put_address(json_t *to, const char *name,
			const struct address *address)
{
	char text[ADDRESS_TEXT];

	address_print(address, text);
	put_text(to, name, text);
}

static json_t *lane_json(const struct peer *peer, const struct lane *lane,
			 uint64_t now)
{
	struct braid_lane_stats stats;
	json_t *out = json_object();

	put(out, "lane", lane->id);
	if (lane->reachable)
		put_address(out, "address", &lane->to);
	if (lane->member)
		put_text(out, "member", lane->member->config.name);
	if (!peer->braid ||
	    braid_lane_stats(peer->braid, lane->id, now, &stats))
		return out;
	put_text(out, "state", braid_state_name(stats.state));
	put(out, "for-us", now - stats.state_at);
	put(out, "mtu", stats.mtu);
	put(out, "rtt-us", stats.rtt_us);
	put(out, "rtt-min-us", stats.rtt_min_us);
	put(out, "rtt-var-us", stats.rtt_var_us);
	put(out, "delay-us", stats.delay_us);
	put(out, "delay-in-us", stats.delay_in_us);
	put(out, "jitter-in-us", stats.jitter_in_us);
	put(out, "queue-us", stats.queue_us);
	put(out, "rate", stats.rate_bps);
	put(out, "window", stats.window_bytes);
	put(out, "flight", stats.flight_bytes);
	put(out, "loss-ppm", stats.loss_ppm);
	put(out, "loss-in-ppm", stats.loss_in_ppm);
	put(out, "lost", stats.lost);
	put(out, "lost-in", stats.lost_in);
	put(out, "resent", stats.resent);
	put(out, "doubled", stats.doubled);
	put(out, "spurious", stats.spurious);
	put(out, "line", stats.line);
	json_object_set_new(out, "out", meter_json(&stats.out));
	json_object_set_new(out, "in", meter_json(&stats.in));
	return out;
}

static void put_order(json_t *out, const struct peer *peer)
{
	struct braid_stats stats;
	struct backlog_stats waiting = { 0 };

	braid_stats(peer->braid, &stats);
	put_text(out, "policy", braid_mode_name(braid_policy(peer->braid)));
	put(out, "mtu", braid_mtu(peer->braid));
	put(out, "delivered", stats.delivered);
	put(out, "held", stats.held);
	put(out, "late", stats.late);
	put(out, "known", stats.known);
	put(out, "skipped", stats.skipped);
	put(out, "early", stats.full);
	put(out, "bad-control", stats.bad);
	put(out, "waiting", stats.waiting);
	put(out, "hold-mean-us", stats.hold_mean_us);
	put(out, "hold-max-us", stats.hold_max_us);
	if (peer->backlog)
		backlog_stats(peer->backlog, &waiting);
	put(out, "queue-bytes", waiting.bytes);
	put(out, "queue-packets", waiting.packets);
	put(out, "queue-dropped",
	    peer->queue_dropped + waiting.dropped_full + waiting.dropped_stood);
	put(out, "queue-delay-max-us", waiting.delay_max_us);
}

static void put_fragments(json_t *out, const struct peer *peer)
{
	struct joiner_stats stats;

	fit_stats(peer, &stats);
	json_object_set_new(out, "fragments",
			    json_boolean(fit_fragments(peer)));
	put(out, "fragmented", peer->fragmented);
	put(out, "joined", stats.joined);
	put(out, "incomplete", stats.missing);
	put(out, "bad-fragments", stats.bad);
}

static json_t *peer_json(struct peer *peer, uint64_t now)
{
	const struct session *session = handshake_session(peer->handshake);
	const char *error = handshake_error(peer->handshake);
	json_t *out = json_object(), *lanes = json_array();
	char why[HUB_SENTENCE];

	put_text(out, "name", peer->config.name);
	json_object_set_new(out, "session", json_boolean(session != NULL));
	if (session) {
		put_text(out, "cipher",
			 aead_cipher_name(session_cipher(session)));
		put(out, "protocol", handshake_version(peer->handshake));
		put(out, "key-age-us", now - session_since(session));
		put(out, "heard-ago-us",
		    session_heard(session) ? now - session_heard(session) : 0);
	}
	if (peer->since)
		put(out, "up-us", now - peer->since);
	if (error)
		put_text(out, "error", error);
	else if (hub_disagrees(peer, now, why))
		put_text(out, "error", why);
	else if (peer->hub->config.server && hub_peer_trouble(peer, now, why))
		put_text(out, "error", why);
	put(out, "spoofed", peer->spoofed);
	put(out, "policed", peer->policed);
	put(out, "isolated", peer->isolated);
	put(out, "storm-dropped", peer->storm_dropped);
	put(out, "crowded",
	    hub_crowded(peer->hub->crew, peer->self.number) -
		    peer->crowded_before);
	if (peer->hub->fdb)
		put(out, "stations",
		    fdb_count(peer->hub->fdb, peer->port.number));
	put(out, "oversize", peer->oversize);
	put(out, "dropped", peer->dropped);
	put_fragments(out, peer);
	if (peer->braid) {
		put_order(out, peer);
		put_line(out, peer->braid, BRAID_ALL_LINES, now);
	}
	for (int id = 0; id < 256; id++)
		if (peer->lanes[id])
			json_array_append_new(
				lanes, lane_json(peer, peer->lanes[id], now));
	json_object_set_new(out, "lanes", lanes);
	return out;
}

static void put_device(json_t *out, const struct hub *hub)
{
	const struct tun_counters *tun = tun_counters(hub->tun);
	struct tun_counters marked = { 0 };
	json_t *object = json_object();

	if (hub->marked)
		marked = *tun_counters(hub->marked);
	put(object, "in-packets", tun->in_packets + marked.in_packets);
	put(object, "in-bytes", tun->in_bytes + marked.in_bytes);
	if (hub->marked)
		put(object, "marked", marked.in_packets);
	put(object, "out-packets", tun->out_packets);
	put(object, "out-bytes", tun->out_bytes);
	put(object, "reads", tun->reads + marked.reads);
	put(object, "writes", tun->writes);
	put(object, "malformed", tun->malformed + marked.malformed);
	put(object, "refused", tun->refused);
	put(object, "unrouted", hub->unrouted);
	json_object_set_new(out, "tun", object);
}

/* What the kernel does for us: "on", "refused" (for now, when last asked), or
 * "none". Of several sockets, what the worst of them has. */
static void put_offloads(json_t *out, const struct hub *hub)
{
	static const char *const words[] = { "on", "refused", "none" };
	enum offload_state segment = OFFLOAD_ON, gro = OFFLOAD_ON;
	const struct member *member;
	json_t *object = json_object();

	if (hub->udp) {
		segment = udp_segment(hub->udp);
		gro = udp_gro(hub->udp);
	}
	TAILQ_FOREACH (member, &hub->members, entry)
		for (int i = 0; i < HUB_SOCKETS; i++) {
			const struct udp *udp = member->udp[i];

			if (udp && udp_segment(udp) > segment)
				segment = udp_segment(udp);
			if (udp && udp_gro(udp) > gro)
				gro = udp_gro(udp);
		}
	put_text(object, "tso", words[tun_tso(hub->tun)]);
	put_text(object, "uso", words[tun_uso(hub->tun)]);
	put_text(object, "segment", words[segment]);
	put_text(object, "gro", words[gro]);
	json_object_set_new(out, "offloads", object);
}

static void put_refusals(json_t *out, struct hub *hub)
{
	const struct refusals *refusals = handshake_refusals(hub->handshake);
	json_t *object = json_object();

	for (int i = 1; i < REFUSED_REASONS; i++)
		put(object, refusal_name(i), refusals->count[i]);
	json_object_set_new(out, "refused", object);
}

/* What this thread alone did. */
static void put_thread(json_t *out, const struct hub *hub)
{
	const struct tun_counters *tun = tun_counters(hub->tun);
	json_t *object = json_object(), *list = json_array();
	const struct peer *peer;
	uint64_t count = 0;

	TAILQ_FOREACH (peer, &hub->peers, entry)
		count++;
	put(object, "peers", count);
	put(object, "in-packets", tun->in_packets);
	put(object, "out-packets", tun->out_packets);
	put(object, "handed-packets", hub->handed.packets);
	put(object, "handed-datagrams", hub->handed.datagrams);
	put(object, "handed-inits", hub->handed.inits);
	put(object, "handed-full", hub->handed.full);
	json_array_append_new(list, object);
	json_object_set_new(out, "threads", list);
}

/* Those that another thread's peers are by now are strangers no more. */
static void put_strangers(json_t *out, struct hub *hub, uint64_t now)
{
	struct handshake_stranger all[HANDSHAKE_STRANGERS];
	size_t count = handshake_strangers(hub->handshake, now, all);
	json_t *list = json_array();

	for (size_t i = 0; i < count; i++) {
		char key[CRYPTO_TEXT], text[ADDRESS_TEXT];
		struct address from;
		json_t *object;

		if (crew_find(hub->crew, all[i].key))
			continue;
		handshake_address(&all[i].from, &from);
		address_print(&from, text);
		crypto_print_key(all[i].key, key);
		object = json_object();
		put_text(object, "key", key);
		put_text(object, "from", text);
		put(object, "ago-us", now - all[i].at_us);
		json_array_append_new(list, object);
	}
	json_object_set_new(out, "strangers", list);
}

/* Who calls in a version of which we can read nothing is nobody we know; the
 * link can say no more than where he is. */
static void put_error(json_t *out, const struct hub *hub, uint64_t now)
{
	struct handshake_source source;
	struct address from;
	char text[ADDRESS_TEXT], why[HUB_SENTENCE];
	unsigned version = handshake_alien(hub->handshake, now, &source);

	if (hub->error[0]) {
		put_text(out, "error", hub->error);
	} else if (hub_looped(hub, now, why)) {
		put_text(out, "error", why);
	} else if (version) {
		handshake_address(&source, &from);
		address_print(&from, text);
		json_object_set_new(
			out, "error",
			json_sprintf("%s calls in version %u of the tunnel's "
				     "protocol, which cannot be read here: "
				     "update tressed at %s end",
				     text, version,
				     version > WIRE_NEWEST ? "this" : "that"));
	}
}

static json_t *status_of(struct hub *hub)
{
	json_t *out = json_object(), *peers = json_array(),
	       *members = json_array();
	uint64_t now = clock_us();
	char why[HUB_SENTENCE];
	struct member *member;
	struct peer *peer;

	put_text(out, "name", hub->config.name);
	put_text(out, "device", hub->config.device);
	put(out, "mtu", hub->mtu);
	if (hub->udp)
		put(out, "port", udp_port(hub->udp));
	put_error(out, hub, now);
	put_device(out, hub);
	put_offloads(out, hub);
	put_refusals(out, hub);
	if (hub->config.server)
		put_strangers(out, hub, now);
	put_thread(out, hub);
	TAILQ_FOREACH (peer, &hub->peers, entry)
		json_array_append_new(peers, peer_json(peer, now));
	TAILQ_FOREACH (member, &hub->members, entry) {
		json_t *object = json_object();

		put_text(object, "name", member->config.name);
		if (member->error[0])
			put_text(object, "error", member->error);
		else if (hub_trouble(hub, member, now, why))
			put_text(object, "error", why);
		json_object_set_new(object, "leaving",
				    json_boolean(member->leaving));
		peer = hub_only_peer(hub);
		if (peer && peer->braid)
			put_line(object, peer->braid, member->line, now);
		json_array_append_new(members, object);
	}
	json_object_set_new(out, "peers", peers);
	json_object_set_new(out, "members", members);
	return out;
}

static void status(struct hub *hub, void *arg)
{
	*(json_t **)arg = status_of(hub);
}

json_t *hub_status(struct hub *hub)
{
	json_t *out = NULL;

	hub_call(hub, status, &out);
	return out;
}

/* --- counters of all its peers -------------------------------------------- */

struct gather_call {
	uint64_t now;
	struct meter_sums *sums;
};

static void gather(struct hub *hub, void *arg)
{
	const struct gather_call *call = arg;
	const struct meter *meters[BRAID_LANES];
	const struct peer *peer;

	TAILQ_FOREACH (peer, &hub->peers, entry)
		for (int way = 0; peer->braid && way < BRAID_WAYS; way++)
			meter_gather(meters,
				     braid_meters(peer->braid, way, meters),
				     call->now, &call->sums[way]);
}

void hub_gather(struct hub *hub, uint64_t now, struct meter_sums *sums)
{
	hub_call(hub, gather, &(struct gather_call){ now, sums });
}

/* --- moments -------------------------------------------------------------- */

/* The clock on the wall may be set; what was, was so long ago. */
static int64_t on_the_wall(uint64_t at, uint64_t now)
{
	struct timespec wall;

	clock_gettime(CLOCK_REALTIME, &wall);
	return wall.tv_sec * INT64_C(1000000) + wall.tv_nsec / 1000 -
	       (int64_t)(now - at);
}

static const char *member_of(const struct hub *hub, uint16_t line)
{
	const struct member *member;

	TAILQ_FOREACH (member, &hub->members, entry)
		if (member->line == line)
			return member->config.name;
	return "";
}

void hub_remember(struct peer *peer, const struct braid_event *event,
		  uint64_t now)
{
	struct hub *hub = peer->hub;
	struct hub_moment *moment;
	uint64_t one = 1;

	/* A peer's best is of all its lines, a member's of its own. */
	if (event->what == BRAID_LINE_BEST &&
	    (event->line == BRAID_ALL_LINES) != hub->config.server)
		return;
	if (hub->moment_tail - hub->moment_head == HUB_MOMENTS)
		hub->moment_head++;
	moment = &hub->moments[hub->moment_tail++ % HUB_MOMENTS];
	*moment = (struct hub_moment){
		.what = event->what == BRAID_LINE_FULL	 ? HUB_LINE_FULL
			: event->what == BRAID_LINE_FREE ? HUB_LINE_FREE
							 : HUB_LINE_BEST,
		.in = event->way == BRAID_IN,
		.line = event->line,
		.rate_bps = event->value,
		.queue_us = event->queue_us,
		.at_us = on_the_wall(event->at, now),
		.lasted_us = event->at - event->since,
	};
	snprintf(moment->peer, sizeof(moment->peer), "%s", peer->config.name);
	snprintf(moment->member, sizeof(moment->member), "%s",
		 member_of(hub, event->line));
	if (hub->config.news >= 0 && write(hub->config.news, &one, sizeof(one)))
		return; /* whoever listens is told, or knows already */
}

struct moments_call {
	struct hub_moment *out;
	size_t room, count;
};

static void take_moments(struct hub *hub, void *arg)
{
	struct moments_call *call = arg;

	while (call->count < call->room && hub->moment_head != hub->moment_tail)
		call->out[call->count++] =
			hub->moments[hub->moment_head++ % HUB_MOMENTS];
}

size_t hub_moments(struct hub *hub, struct hub_moment *out, size_t room)
{
	struct moments_call call = { out, room, 0 };

	hub_call(hub, take_moments, &call);
	return call.count;
}
