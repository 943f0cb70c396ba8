/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the engine says of links, members and peers. */
#include <string.h>

#include "backends/tunnel/client.h"
#include "backends/tunnel/object.h"
#include "model/base/mem.h"

static uint64_t number(const json_t *json, const char *name)
{
	json_int_t value = json_integer_value(json_object_get(json, name));

	return value > 0 ? (uint64_t)value : 0;
}

static const char *words(const json_t *json, const char *name)
{
	return json_string_value(json_object_get(json, name));
}

static uint64_t mean(const json_t *lane, const char *way)
{
	return number(json_object_get(lane, way), "mean");
}

static json_t *named(json_t *list, const char *name)
{
	json_t *item;
	size_t i;

	json_array_foreach(list, i, item)
	{
		const char *other = words(item, "name");

		if (other && !strcmp(other, name))
			return item;
	}
	return NULL;
}

/* --- members -------------------------------------------------------------- */

/* A member's sockets are added up: the best state, the least delay. */
struct sum {
	const char *state;
	unsigned lanes, open;
	uint64_t rtt, delay_out, delay_in, loss_out, loss_in, rate, out, in;
	uint64_t mtu, rate_max, rate_max_age, resent, doubled;
	bool full;
};

static int rank(const char *state)
{
	static const char *const order[] = { "up",	 "proving", "suspect",
					     "draining", "dead",    "down" };

	for (int i = 0; state && i < (int)ARRAY_SIZE(order); i++)
		if (!strcmp(state, order[i]))
			return i;
	return ARRAY_SIZE(order);
}

static void least(uint64_t *to, uint64_t value)
{
	if (value && (!*to || value < *to))
		*to = value;
}

static void sum_lane(struct sum *sum, const json_t *lane)
{
	const char *state = words(lane, "state");

	sum->lanes++;
	if (!sum->state || rank(state) < rank(sum->state))
		sum->state = state;
	sum->open += state && !strcmp(state, "up");
	least(&sum->rtt, number(lane, "rtt-us"));
	least(&sum->delay_out, number(lane, "delay-us"));
	least(&sum->delay_in, number(lane, "delay-in-us"));
	sum->loss_out += number(lane, "loss-ppm");
	sum->loss_in += number(lane, "loss-in-ppm");
	sum->rate += number(lane, "rate");
	sum->out += mean(lane, "out");
	sum->in += mean(lane, "in");
	least(&sum->mtu, number(lane, "mtu"));
	sum->rate_max += number(lane, "rate-max");
	least(&sum->rate_max_age, number(lane, "rate-max-ago-us"));
	sum->resent += number(lane, "resent");
	sum->doubled += number(lane, "doubled");
	sum->full |= json_is_true(json_object_get(lane, "full"));
}

static struct sum sum_member(const json_t *lanes, const char *member)
{
	struct sum sum = { .state = NULL };
	json_t *lane;
	size_t i;

	json_array_foreach(lanes, i, lane)
	{
		const char *of = words(lane, "member");

		if (!member || (of && !strcmp(of, member)))
			sum_lane(&sum, lane);
	}
	return sum;
}

/* Three figures are enough to read: 49.5mbit, not 49548144bit. */
static uint64_t three(uint64_t value)
{
	uint64_t unit = 1;

	while (value / unit >= 1000)
		unit *= 10;
	return (value + unit / 2) / unit * unit;
}

/* Microseconds: whole milliseconds from ten on, tenths below. */
static uint64_t calm(uint64_t us)
{
	uint64_t unit = us >= 10000 ? 1000 : us >= 1000 ? 100 : 1;

	return (us + unit / 2) / unit * unit;
}

/* Parts of a million, as hundredths of a percent. */
static uint64_t percent(uint64_t ppm, unsigned lanes)
{
	return lanes ? ppm / lanes / 100 : 0;
}

static void tell_counters(struct live *live, const struct node *member,
			  const struct sum *sum)
{
	live_set_u(live, member, MEMBER_FULL, sum->full);
	if (sum->rate_max)
		live_set_u(live, member, MEMBER_RATE_MAX, three(sum->rate_max));
	if (sum->rate_max_age)
		live_set_u(live, member, MEMBER_RATE_MAX_AGE,
			   (sum->rate_max_age + 500000) / 1000000 * 1000000);
	live_set_u(live, member, MEMBER_RESENT, sum->resent);
	live_set_u(live, member, MEMBER_DOUBLED, sum->doubled);
}

static void tell_member(struct live *live, const struct node *member,
			const struct sum *sum, uint64_t all_out)
{
	live_set_text(live, member, MEMBER_STATE,
		      sum->state ? sum->state : "waiting");
	if (!sum->lanes)
		return;
	if (sum->rtt)
		live_set_u(live, member, MEMBER_RTT, calm(sum->rtt));
	live_set_u(live, member, MEMBER_DELAY_OUT, calm(sum->delay_out));
	live_set_u(live, member, MEMBER_DELAY_IN, calm(sum->delay_in));
	live_set_u(live, member, MEMBER_LOSS_OUT,
		   percent(sum->loss_out, sum->lanes));
	live_set_u(live, member, MEMBER_LOSS_IN,
		   percent(sum->loss_in, sum->lanes));
	if (sum->rate)
		live_set_u(live, member, MEMBER_RATE, three(sum->rate));
	live_set_u(live, member, MEMBER_RATE_OUT, three(sum->out));
	live_set_u(live, member, MEMBER_RATE_IN, three(sum->in));
	live_set_u(live, member, MEMBER_SHARE,
		   all_out ? (sum->out * 100 + all_out / 2) / all_out * 100
			   : 0);
	if (sum->mtu)
		live_set_u(live, member, MEMBER_MTU, sum->mtu);
	tell_counters(live, member, sum);
}

static void tell_members(struct live *live, const struct node *link,
			 json_t *status)
{
	const json_t *peer =
		json_array_get(json_object_get(status, "peers"), 0);
	const json_t *lanes = json_object_get(peer, "lanes");
	uint64_t all = sum_member(lanes, NULL).out;

	node_each (member, node_fixed(link, &kind_members)) {
		struct sum sum = sum_member(lanes, node_name(member));
		const char *error =
			words(named(json_object_get(status, "members"),
				    node_name(member)),
			      "error");

		if (!node_u(member, MEMBER_ENABLED)) {
			live_set_text(live, member, MEMBER_STATE, "disabled");
			continue;
		}
		tell_member(live, member, &sum, all);
		if (error)
			live_set_text(live, member, MEMBER_ERROR, error);
	}
}

/* --- peers and links ------------------------------------------------------ */

static const char *peer_state(const json_t *peer, const struct sum *sum)
{
	if (!json_is_true(json_object_get(peer, "session")))
		return "waiting";
	return sum->open ? "up" : sum->lanes ? "silent" : "quiet";
}

static void tell_peer(struct live *live, const struct node *node,
		      const json_t *peer)
{
	json_t *lanes = json_object_get(peer, "lanes");
	struct sum sum = sum_member(lanes, NULL);
	const char *at = words(json_array_get(lanes, 0), "address");

	live_set_text(live, node, PEER_STATE, peer_state(peer, &sum));
	if (words(peer, "error"))
		live_set_text(live, node, PEER_ERROR, words(peer, "error"));
	if (at)
		live_set_text(live, node, PEER_ENDPOINT, at);
	if (sum.rtt)
		live_set_u(live, node, PEER_RTT, calm(sum.rtt));
	live_set_u(live, node, PEER_RATE_OUT, three(sum.out));
	live_set_u(live, node, PEER_RATE_IN, three(sum.in));
	live_set_u(live, node, PEER_LANES, sum.open);
	live_set_u(live, node, PEER_SPOOFED, number(peer, "spoofed"));
	live_set_u(live, node, PEER_POLICED, number(peer, "policed"));
	live_set_u(live, node, PEER_ISOLATED, number(peer, "isolated"));
	if (json_object_get(peer, "stations"))
		live_set_u(live, node, PEER_STATIONS, number(peer, "stations"));
}

static void tell_link(struct live *live, const struct node *link,
		      json_t *status)
{
	json_t *peers = json_object_get(status, "peers"), *peer;
	bool server = node_u(link, LINK_ROLE) == ROLE_SERVER;
	uint64_t out = 0, in = 0, up_count = 0;
	const char *error = words(status, "error");
	size_t i;

	json_array_foreach(peers, i, peer)
	{
		struct sum sum =
			sum_member(json_object_get(peer, "lanes"), NULL);

		up_count += !strcmp(peer_state(peer, &sum), "up");
		out += sum.out;
		in += sum.in;
		if (!server && !error)
			error = words(peer, "error");
	}
	live_set_text(live, link, LINK_STATE,
		      up_count ? "up"
		      : server ? "listening"
			       : "waiting");
	if (server)
		live_set_u(live, link, LINK_PEERS_UP, up_count);
	if (error)
		live_set_text(live, link, LINK_ERROR, error);
	live_set_u(live, link, LINK_MTU_NOW, number(status, "mtu"));
	live_set_u(live, link, LINK_RATE_OUT, three(out));
	live_set_u(live, link, LINK_RATE_IN, three(in));
	node_each (node, node_fixed(link, &kind_peers)) {
		peer = named(peers, node_name(node));
		if (peer)
			tell_peer(live, node, peer);
	}
}

int tunnel_live(struct host *host, const struct tree *tree,
		const struct facts *facts, struct live *live, struct err *err)
{
	json_t *links;

	(void)host;
	(void)facts;
	if (!node_first(tree_links(tree)))
		return 0;
	links = client_ask(json_pack("{s:s}", "do", "status"), err);
	if (!links)
		return err ? err->code : -EIO;
	node_each (link, tree_links(tree)) {
		json_t *status = named(links, node_name(link));

		if (!status)
			continue;
		tell_link(live, link, status);
		tell_members(live, link, status);
	}
	json_decref(links);
	return 0;
}
