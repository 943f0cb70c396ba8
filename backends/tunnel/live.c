/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the engine says of links, members and peers. */
#include <string.h>

#include "backends/tunnel/client.h"
#include "backends/tunnel/object.h"
#include "model/base/mem.h"

enum { DEAD_LONG_US = 10000000 };

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
	uint64_t rtt, delay_out, delay_in, rate, out, in;
	uint64_t mtu, resent, doubled, for_us;
	bool any; /* a delay is known, which may be 0 */
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

/* The fastest has 0. */
static void least_delay(const struct sum *sum, uint64_t *to, uint64_t value)
{
	if (!sum->any || value < *to)
		*to = value;
}

static void sum_lane(struct sum *sum, const json_t *lane)
{
	const char *state = words(lane, "state");

	sum->lanes++;
	least(&sum->for_us, number(lane, "for-us"));
	if (!sum->state || rank(state) < rank(sum->state))
		sum->state = state;
	sum->open += state && !strcmp(state, "up");
	least(&sum->rtt, number(lane, "rtt-us"));
	if (number(lane, "rtt-us")) {
		least_delay(sum, &sum->delay_out, number(lane, "delay-us"));
		least_delay(sum, &sum->delay_in, number(lane, "delay-in-us"));
		sum->any = true;
	}
	sum->rate += number(lane, "rate");
	sum->out += mean(lane, "out");
	sum->in += mean(lane, "in");
	least(&sum->mtu, number(lane, "mtu"));
	sum->resent += number(lane, "resent");
	sum->doubled += number(lane, "doubled");
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

/* --- counters ------------------------------------------------------------- */

static void tell_pair(struct live *live, const struct node *node, size_t at,
		      const json_t *way, const char *name,
		      uint64_t (*shown)(uint64_t))
{
	const json_t *figure = json_object_get(way, name);

	if (!figure)
		return;
	live_set_u(live, node, at, shown(number(figure, "mean")));
	live_set_u(live, node, at + 1, shown(number(figure, "max")));
}

static uint64_t as_it_is(uint64_t value)
{
	return value;
}

/* Parts of a million, as hundredths of a percent. */
static uint64_t percent(uint64_t ppm)
{
	return ppm / 100;
}

/* What a link, member or peer counts; first: its rows of enum counter. */
static void tell_counters(struct live *live, const struct node *node,
			  size_t first, const json_t *json)
{
	const json_t *out = json_object_get(json, "out");
	const json_t *in = json_object_get(json, "in");

	if (!json_object_get(out, "rate"))
		return;
	tell_pair(live, node, first + COUNTER_RATE_OUT, out, "rate", three);
	tell_pair(live, node, first + COUNTER_RATE_IN, in, "rate", three);
	tell_pair(live, node, first + COUNTER_PACKETS_OUT, out, "packets-per-s",
		  as_it_is);
	tell_pair(live, node, first + COUNTER_PACKETS_IN, in, "packets-per-s",
		  as_it_is);
	tell_pair(live, node, first + COUNTER_LOSS_OUT, out, "loss-ppm",
		  percent);
	tell_pair(live, node, first + COUNTER_LOSS_IN, in, "loss-ppm", percent);
	tell_pair(live, node, first + COUNTER_QUEUE_OUT, out, "queue-us", calm);
	tell_pair(live, node, first + COUNTER_QUEUE_IN, in, "queue-us", calm);
	live_set_u(live, node, first + COUNTER_BYTES_OUT, number(out, "bytes"));
	live_set_u(live, node, first + COUNTER_BYTES_IN, number(in, "bytes"));
}

/* "2026-11-22 08:13:22 +0000 for 12s at 19.6mbit" */
static void put_spell(const json_t *spell, struct text *out)
{
	const char *state = words(spell, "state");
	uint64_t seconds = (number(spell, "lasted-us") + 500000) / 1000000;

	text_put_time(out, (int64_t)number(spell, "began"));
	text_printf(out, " for %llus at %.3gmbit%s",
		    (unsigned long long)seconds,
		    (double)number(spell, "rate") / 1e6,
		    state && !strcmp(state, "lasts") ? ", and still"
		    : state && !strcmp(state, "cut") ? ", its end was not seen"
						     : "");
}

static void tell_past_way(struct live *live, const struct node *node,
			  size_t last, size_t peak, const json_t *way)
{
	const json_t *spells = json_object_get(way, "spells");
	AUTO_TEXT spell = TEXT_NONE, when = TEXT_NONE;

	if (json_array_size(spells)) {
		put_spell(json_array_get(spells, json_array_size(spells) - 1),
			  &spell);
		live_set_text(live, node, last, text_get(&spell));
	}
	if (!number(way, "peak"))
		return;
	live_set_u(live, node, peak, three(number(way, "peak")));
	text_put_time(&when, (int64_t)number(way, "peak-at"));
	live_set_text(live, node, peak + 1, text_get(&when));
}

/* What is known of the past of each member, or peer, by its name. The caller's
 * to decref. */
static json_t *past_of(const json_t *status, const char *kind)
{
	const json_t *past = json_object_get(status, "past");
	json_t *all = json_object(), *item;
	size_t i;

	json_array_foreach(past, i, item)
	{
		if (words(item, kind))
			json_object_set(all, words(item, kind), item);
	}
	return all;
}

/* Is it full, when was it last, and what did it carry at most. */
static void tell_saturation(struct live *live, const struct node *node,
			    size_t first, const json_t *json,
			    const json_t *past)
{
	const json_t *out = json_object_get(json, "out");
	const json_t *in = json_object_get(json, "in");

	if (out)
		live_set_u(live, node, first + COUNTER_FULL_OUT,
			   json_is_true(json_object_get(out, "full")));
	if (in)
		live_set_u(live, node, first + COUNTER_FULL_IN,
			   json_is_true(json_object_get(in, "full")));
	if (!past)
		return;
	tell_past_way(live, node, first + COUNTER_LAST_FULL_OUT,
		      first + COUNTER_PEAK_OUT, json_object_get(past, "out"));
	tell_past_way(live, node, first + COUNTER_LAST_FULL_IN,
		      first + COUNTER_PEAK_IN, json_object_get(past, "in"));
}

/* --- members, shown ------------------------------------------------------- */

/* What a line does that carries nothing is history. */
static bool is_history(const struct sum *sum)
{
	return rank(sum->state) >= rank("dead");
}

static void tell_member(struct live *live, const struct node *member,
			const struct sum *sum, uint64_t all_out)
{
	live_set_text(live, member, MEMBER_STATE,
		      sum->state ? sum->state : "waiting");
	if (!sum->lanes)
		return;
	live_set_u(live, member, MEMBER_RESENT, sum->resent);
	live_set_u(live, member, MEMBER_DOUBLED, sum->doubled);
	if (is_history(sum))
		return;
	if (sum->rtt)
		live_set_u(live, member, MEMBER_RTT, calm(sum->rtt));
	live_set_u(live, member, MEMBER_DELAY_OUT, calm(sum->delay_out));
	live_set_u(live, member, MEMBER_DELAY_IN, calm(sum->delay_in));
	if (sum->rate)
		live_set_u(live, member, MEMBER_RATE, three(sum->rate));
	live_set_u(live, member, MEMBER_SHARE,
		   all_out ? (sum->out * 100 + all_out / 2) / all_out * 100
			   : 0);
	if (sum->mtu)
		live_set_u(live, member, MEMBER_MTU, sum->mtu);
}

static bool is_dead_for_long(const struct sum *sum)
{
	return sum->state && !strcmp(sum->state, "dead") &&
	       sum->for_us > DEAD_LONG_US;
}

static void tell_members(struct live *live, const struct node *link,
			 json_t *status)
{
	const json_t *peer =
		json_array_get(json_object_get(status, "peers"), 0);
	const json_t *lanes = json_object_get(peer, "lanes");
	uint64_t all = sum_member(lanes, NULL).out;
	json_t *past = past_of(status, "member");

	node_each (member, node_fixed(link, &kind_members)) {
		struct sum sum = sum_member(lanes, node_name(member));
		const json_t *json = named(json_object_get(status, "members"),
					   node_name(member));
		const char *error = words(json, "error");

		tell_saturation(live, member, MEMBER_COUNTERS, json,
				json_object_get(past, node_name(member)));
		if (!node_u(member, MEMBER_ENABLED)) {
			live_set_text(live, member, MEMBER_STATE, "disabled");
			continue;
		}
		tell_member(live, member, &sum, all);
		tell_counters(live, member, MEMBER_COUNTERS, json);
		if (!error && is_dead_for_long(&sum))
			error = "nothing comes back by this line: is the "
				"path's gateway right, its MTU 1280 at least, "
				"and does UDP get through?";
		if (error)
			live_set_text(live, member, MEMBER_ERROR, error);
	}
	json_decref(past);
}

/* --- peers and links ------------------------------------------------------ */

static const char *peer_state(const json_t *peer, const struct sum *sum)
{
	if (!json_is_true(json_object_get(peer, "session")))
		return "waiting";
	return sum->open ? "up" : sum->lanes ? "silent" : "quiet";
}

/* Where it calls from: by a lane that is up, if there is one. */
static const char *endpoint_of(const json_t *lanes)
{
	const char *at = NULL;
	json_t *lane;
	int best = 0;
	size_t i;

	json_array_foreach(lanes, i, lane)
	{
		int this = rank(words(lane, "state"));

		if (words(lane, "address") && (!at || this < best)) {
			at = words(lane, "address");
			best = this;
		}
	}
	return at;
}

static void tell_peer(struct live *live, const struct node *node,
		      const json_t *peer, const json_t *past)
{
	json_t *lanes = json_object_get(peer, "lanes");
	struct sum sum = sum_member(lanes, NULL);
	const char *at = endpoint_of(lanes);

	live_set_text(live, node, PEER_STATE, peer_state(peer, &sum));
	if (words(peer, "error"))
		live_set_text(live, node, PEER_ERROR, words(peer, "error"));
	if (at)
		live_set_text(live, node, PEER_ENDPOINT, at);
	if (sum.rtt)
		live_set_u(live, node, PEER_RTT, calm(sum.rtt));
	if (words(peer, "policy"))
		live_set_text(live, node, PEER_POLICY, words(peer, "policy"));
	tell_counters(live, node, PEER_COUNTERS, peer);
	tell_saturation(live, node, PEER_COUNTERS, peer, past);
	live_set_u(live, node, PEER_LANES, sum.open);
	if (number(peer, "mtu"))
		live_set_u(live, node, PEER_MTU, number(peer, "mtu"));
	live_set_u(live, node, PEER_OVERSIZE, number(peer, "oversize"));
	live_set_u(live, node, PEER_SPOOFED, number(peer, "spoofed"));
	live_set_u(live, node, PEER_POLICED, number(peer, "policed"));
	live_set_u(live, node, PEER_ISOLATED, number(peer, "isolated"));
	live_set_u(live, node, PEER_CROWDED, number(peer, "crowded"));
	live_set_u(live, node, PEER_STORM_DROPPED,
		   number(peer, "storm-dropped"));
	if (json_object_get(peer, "stations"))
		live_set_u(live, node, PEER_STATIONS, number(peer, "stations"));
}

/* "3: replay 2, bad-tag 1", or "0" */
static void tell_reasons(struct live *live, const struct node *node, size_t at,
			 json_t *reasons)
{
	AUTO_TEXT list = TEXT_NONE, all = TEXT_NONE;
	uint64_t sum = 0;
	const char *name;
	json_t *value;

	json_object_foreach(reasons, name, value)
	{
		uint64_t count = (uint64_t)json_integer_value(value);

		if (count)
			text_printf(&list, "%s %s %llu", sum ? "," : ":", name,
				    (unsigned long long)count);
		sum += count;
	}
	text_printf(&all, "%llu%s", (unsigned long long)sum, text_get(&list));
	live_set_text(live, node, at, text_get(&all));
}

/* Of all peers together. */
static json_t *drops_of(const json_t *status)
{
	static const char *const of_peer[] = { "no-session", "spoofed",
					       "policed",    "oversize",
					       "queue",	     "isolated",
					       "storm" };
	static const char *const names[] = { "dropped",	      "spoofed",
					     "policed",	      "oversize",
					     "queue-dropped", "isolated",
					     "storm-dropped" };
	const json_t *tun = json_object_get(status, "tun");
	json_t *drops = json_object(), *peer;
	uint64_t handed_full = 0;
	size_t i;

	for (size_t k = 0; k < ARRAY_SIZE(names); k++) {
		uint64_t sum = 0;

		json_array_foreach(json_object_get(status, "peers"), i, peer)
			sum += number(peer, names[k]);
		json_object_set_new(drops, of_peer[k],
				    json_integer((json_int_t)sum));
	}
	json_array_foreach(json_object_get(status, "threads"), i, peer)
		handed_full += number(peer, "handed-full");
	json_object_set_new(drops, "between-threads",
			    json_integer((json_int_t)handed_full));
	json_object_set_new(drops, "no-route",
			    json_integer((json_int_t)number(tun, "unrouted")));
	json_object_set_new(drops, "malformed",
			    json_integer((json_int_t)number(tun, "malformed")));
	json_object_set_new(drops, "device",
			    json_integer((json_int_t)number(tun, "refused")));
	return drops;
}

static void tell_drops(struct live *live, const struct node *link,
		       const json_t *status)
{
	json_t *drops = drops_of(status);

	tell_reasons(live, link, LINK_REFUSED,
		     json_object_get(status, "refused"));
	tell_reasons(live, link, LINK_DROPPED, drops);
	json_decref(drops);
}

/* "2", or "1: device tun0 was made with one queue: ..." */
static void tell_threads(struct live *live, const struct node *link,
			 json_t *status)
{
	size_t count = json_array_size(json_object_get(status, "threads"));
	const char *why = words(status, "one-thread");
	AUTO(str)
	char *text =
		mem_printf("%zu%s%s", count, why ? ": " : "", why ? why : "");

	live_set_text(live, link, LINK_THREADS_NOW, text);
}

/* Those that are in that state, behind what is there already. */
static void put_offloads(struct text *text, const json_t *offloads,
			 const char *state, const char *heading)
{
	const char *name, *is, *before = heading;
	json_t *value;

	json_object_foreach((json_t *)offloads, name, value)
	{
		is = json_string_value(value);
		if (!is || strcmp(is, state) != 0)
			continue;
		text_printf(text, "%s%s", before, name);
		before = " ";
	}
}

/* "tso uso gro; refused: segment" */
static void tell_offloads(struct live *live, const struct node *link,
			  const json_t *status)
{
	const json_t *offloads = json_object_get(status, "offloads");
	AUTO_TEXT text = TEXT_NONE;

	if (!offloads)
		return;
	put_offloads(&text, offloads, "on", "");
	if (!text_get(&text)[0])
		text_put(&text, "none");
	put_offloads(&text, offloads, "refused", "; refused: ");
	put_offloads(&text, offloads, "none", "; not here: ");
	live_set_text(live, link, LINK_OFFLOADS, text_get(&text));
}

/* A size that was given, and that the lines cannot carry. */
static void tell_too_large(struct live *live, const struct node *link,
			   const json_t *peer)
{
	uint64_t most = number(peer, "mtu"), given = node_u(link, LINK_MTU);
	AUTO(str) char *error = NULL;

	if (!node_has(link, LINK_MTU) || !most || given <= most)
		return;
	/* Frames go in fragments, then. */
	if (node_u(link, LINK_MODE) == MODE_TAP &&
	    given + TUNNEL_FRAME <= TUNNEL_FRAGMENTED &&
	    json_is_true(json_object_get(peer, "fragments")))
		return;
	error = mem_printf("mtu=%llu is more than its lines carry: packets of "
			   "more than %llu bytes are lost; mtu=auto finds out "
			   "what they do",
			   (unsigned long long)given, (unsigned long long)most);
	live_set_text(live, link, LINK_ERROR, error);
}

/* Why a client hears nothing of its server, as far as its lines know. Call
 * free(). */
static char *lines_error(const struct node *link, const json_t *status)
{
	json_t *members = json_object_get(status, "members");
	const char *error, *first = NULL, *name = NULL;
	size_t enabled = 0, wrong = 0;

	node_each (member, node_fixed(link, &kind_members)) {
		if (!node_u(member, MEMBER_ENABLED))
			continue;
		enabled++;
		error = words(named(members, node_name(member)), "error");
		if (error && !wrong++) {
			first = error;
			name = node_name(member);
		}
	}
	if (!node_first(node_fixed(link, &kind_members)))
		return mem_strdup("no members: nothing is sent until there is "
				  "one (members create, with the name of its "
				  "path)");
	if (!enabled)
		return mem_strdup("all its members are disabled: nothing is "
				  "sent until one is enabled");
	return wrong == enabled
		       ? mem_printf("no line works; %s: %s", name, first)
		       : NULL;
}

static void tell_link(struct live *live, const struct node *link,
		      json_t *status)
{
	json_t *peers = json_object_get(status, "peers"), *peer;
	bool server = node_u(link, LINK_ROLE) == ROLE_SERVER;
	AUTO(str) char *lines = NULL;
	const char *error = words(status, "error");
	uint64_t up_count = 0;
	size_t i;

	json_array_foreach(peers, i, peer)
	{
		struct sum sum =
			sum_member(json_object_get(peer, "lanes"), NULL);

		up_count += !strcmp(peer_state(peer, &sum), "up");
		if (!server && !error)
			error = words(peer, "error");
	}
	if (!server && !up_count)
		lines = lines_error(link, status);
	if (lines && !words(status, "error"))
		error = lines;
	live_set_text(live, link, LINK_STATE,
		      up_count ? "up"
		      : server ? "listening"
			       : "waiting");
	if (server)
		live_set_u(live, link, LINK_PEERS_UP, up_count);
	if (error)
		live_set_text(live, link, LINK_ERROR, error);
	else if (!server)
		tell_too_large(live, link, json_array_get(peers, 0));
	if (words(status, "address"))
		live_set_text(live, link, LINK_ADDRESS,
			      words(status, "address"));
	if (server)
		tell_threads(live, link, status);
	tell_offloads(live, link, status);
	live_set_u(live, link, LINK_MTU_NOW, number(status, "mtu"));
	if (json_object_get(json_object_get(status, "tun"), "marked"))
		live_set_u(live, link, LINK_MARKED,
			   number(json_object_get(status, "tun"), "marked"));
	tell_counters(live, link, LINK_COUNTERS, status);
	tell_drops(live, link, status);
}

static void put_ago(struct text *text, uint64_t us)
{
	unsigned long long seconds = us / 1000000;

	if (seconds < 120)
		text_printf(text, " %llus ago", seconds);
	else
		text_printf(text, " %llumin ago", seconds / 60);
}

static void tell_strangers(struct live *live, const struct node *peers,
			   const json_t *strangers)
{
	AUTO_TEXT text = TEXT_NONE;
	json_t *one;
	size_t i;

	json_array_foreach((json_t *)strangers, i, one)
	{
		const char *key = words(one, "key"), *from = words(one, "from");

		if (!key || !from)
			continue;
		text_printf(&text, "%skey=%s from %s",
			    text_get(&text)[0] ? ", " : "", key, from);
		put_ago(&text, number(one, "ago-us"));
	}
	if (text_get(&text)[0])
		live_set_text(live, peers, PEERS_KNOCKED, text_get(&text));
}

static void tell_peers(struct live *live, const struct node *link,
		       const json_t *status)
{
	json_t *peers = tunnel_by_name(json_object_get(status, "peers"));
	json_t *past = past_of(status, "peer");

	tell_strangers(live, node_fixed(link, &kind_peers),
		       json_object_get(status, "strangers"));
	node_each (node, node_fixed(link, &kind_peers)) {
		const json_t *peer = json_object_get(peers, node_name(node));

		if (peer)
			tell_peer(live, node, peer,
				  json_object_get(past, node_name(node)));
	}
	json_decref(peers);
	json_decref(past);
}

static void tell_disabled(struct live *live, const struct node *link)
{
	if (!node_u(link, LINK_ENABLED))
		live_set_text(live, link, LINK_STATE, "disabled");
	node_each (peer, node_fixed(link, &kind_peers))
		if (!node_u(peer, PEER_ENABLED))
			live_set_text(live, peer, PEER_STATE, "disabled");
}

static void tell_no_engine(struct live *live, const struct tree *tree,
			   const char *why)
{
	node_each (link, tree_links(tree)) {
		if (!node_u(link, LINK_ENABLED))
			continue;
		live_set_text(live, link, LINK_STATE, "down");
		live_set_text(live, link, LINK_ERROR, why);
	}
}

int tunnel_live(struct host *host, const struct tree *tree,
		const struct facts *facts, struct live *live, struct err *err)
{
	AUTO_ERR why = ERR_NONE;
	json_t *links;

	(void)host;
	(void)facts;
	if (!node_first(tree_links(tree)))
		return 0;
	links = client_ask(json_pack("{s:s}", "do", "status"), &why);
	if (!links && why.code == -ECONNREFUSED)
		tell_no_engine(live, tree, why.text);
	if (!links)
		return err_move(err, &why);
	node_each (link, tree_links(tree)) {
		json_t *status = named(links, node_name(link));

		tell_disabled(live, link);
		if (!status)
			continue;
		tell_link(live, link, status);
		tell_peers(live, link, status);
		tell_members(live, link, status);
	}
	json_decref(links);
	return 0;
}
