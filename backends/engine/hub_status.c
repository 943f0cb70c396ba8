/* SPDX-License-Identifier: GPL-3.0-or-later */
/* hub_status.c - what there is to see of a link, as JSON (control.h). */
#include <string.h>

#include "backends/engine/hub_private.h"

static void put(json_t *to, const char *name, uint64_t value)
{
	json_object_set_new(to, name, json_integer((json_int_t)value));
}

static void put_text(json_t *to, const char *name, const char *text)
{
	json_t *value = json_string(text);

	json_object_set_new(to, name, value ? value : json_string("?"));
}

static void put_meter(json_t *to, const char *name,
		      const struct braid_meter *meter)
{
	json_t *object = json_object();

	put(object, "bytes", meter->total);
	put(object, "packets", meter->packets);
	put(object, "mean", meter->mean_bps);
	put(object, "max", meter->max_bps);
	json_object_set_new(to, name, object);
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
	put(out, "rate-max", stats.rate_max_bps);
	if (stats.rate_max_at)
		put(out, "rate-max-ago-us", now - stats.rate_max_at);
	put(out, "window", stats.window_bytes);
	put(out, "flight", stats.flight_bytes);
	put(out, "loss-ppm", stats.loss_ppm);
	put(out, "loss-in-ppm", stats.loss_in_ppm);
	put(out, "lost", stats.lost);
	put(out, "lost-in", stats.lost_in);
	put(out, "resent", stats.resent);
	put(out, "doubled", stats.doubled);
	put(out, "spurious", stats.spurious);
	json_object_set_new(out, "full", json_boolean(stats.full));
	put_meter(out, "out", &stats.out);
	put_meter(out, "in", &stats.in);
	return out;
}

static void put_order(json_t *out, const struct peer *peer)
{
	struct braid_stats stats;
	struct backlog_stats waiting;

	braid_stats(peer->braid, &stats);
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
	if (!peer->backlog)
		return;
	backlog_stats(peer->backlog, &waiting);
	put(out, "queue-bytes", waiting.bytes);
	put(out, "queue-packets", waiting.packets);
	put(out, "queue-dropped", waiting.dropped_full + waiting.dropped_stood);
	put(out, "queue-delay-max-us", waiting.delay_max_us);
}

static json_t *peer_json(const struct peer *peer, uint64_t now)
{
	const struct session *session = handshake_session(peer->handshake);
	const char *error = handshake_error(peer->handshake);
	json_t *out = json_object(), *lanes = json_array();

	put_text(out, "name", peer->config.name);
	json_object_set_new(out, "session", json_boolean(session != NULL));
	if (session) {
		put_text(out, "cipher",
			 aead_cipher_name(session_cipher(session)));
		put(out, "key-age-us", now - session_since(session));
		put(out, "heard-ago-us",
		    session_heard(session) ? now - session_heard(session) : 0);
	}
	if (peer->since)
		put(out, "up-us", now - peer->since);
	if (error)
		put_text(out, "error", error);
	put(out, "spoofed", peer->spoofed);
	put(out, "policed", peer->policed);
	put(out, "isolated", peer->isolated);
	if (peer->hub->fdb)
		put(out, "stations", peer->port.count);
	put(out, "oversize", peer->oversize);
	put(out, "dropped", peer->dropped);
	if (peer->braid)
		put_order(out, peer);
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
	json_t *object = json_object();

	put_text(object, "offloads", tun_offloads(hub->tun));
	put(object, "in-packets", tun->in_packets);
	put(object, "in-bytes", tun->in_bytes);
	put(object, "out-packets", tun->out_packets);
	put(object, "out-bytes", tun->out_bytes);
	put(object, "reads", tun->reads);
	put(object, "writes", tun->writes);
	put(object, "malformed", tun->malformed);
	put(object, "refused", tun->refused);
	put(object, "unrouted", hub->unrouted);
	json_object_set_new(out, "tun", object);
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

static json_t *status_of(struct hub *hub)
{
	json_t *out = json_object(), *peers = json_array(),
	       *members = json_array();
	uint64_t now = clock_us();
	struct member *member;
	struct peer *peer;

	put_text(out, "name", hub->config.name);
	put_text(out, "device", hub->config.device);
	put(out, "mtu", hub->mtu);
	if (hub->udp)
		put(out, "port", udp_port(hub->udp));
	if (hub->error[0])
		put_text(out, "error", hub->error);
	put_device(out, hub);
	put_refusals(out, hub);
	put_thread(out, hub);
	TAILQ_FOREACH (peer, &hub->peers, entry)
		json_array_append_new(peers, peer_json(peer, now));
	TAILQ_FOREACH (member, &hub->members, entry) {
		json_t *object = json_object();

		put_text(object, "name", member->config.name);
		if (member->error[0])
			put_text(object, "error", member->error);
		json_object_set_new(object, "leaving",
				    json_boolean(member->leaving));
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
