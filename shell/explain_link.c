/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "shell/explain_link.h"

#include <string.h>

#include "model/kind.h"
#include "model/secret.h"
#include "shell/session.h"

struct facts_of {
	struct output *output;
	const struct node *node;
	const struct live *live;
};

bool explains_link(const struct node *node)
{
	const struct kind *kind = node_kind(node);

	return kind == &kind_link || kind == &kind_member || kind == &kind_peer;
}

const struct node *explain_link_objects(const struct node *node)
{
	const struct node *path = node_kind(node) == &kind_member
					  ? node_target(node, MEMBER_PATH, NULL)
					  : NULL;

	return path ? path : node;
}

/* ---- facts ---- */

static void fact(const struct facts_of *of, const char *what, const char *is,
		 const char *from)
{
	if (!is[0])
		return;
	output_open(of->output, SHAPE_ROW, NULL, NULL);
	output_field(of->output, "what", what);
	output_field(of->output, "is", is);
	output_field(of->output, "from", from);
	output_close(of->output);
}

/* What a setting is, or what the system tells of it; "" if nobody knows. */
static void put(const struct facts_of *of, size_t attr, struct text *out)
{
	const struct value *value = output_value(of->node, attr, of->live);

	if (value)
		value_print(&node_kind(of->node)->attrs[attr], value, out);
}

static bool is_known(const struct facts_of *of, size_t attr)
{
	return output_value(of->node, attr, of->live) != NULL;
}

static void told(const struct facts_of *of, const char *what, size_t attr,
		 const char *from)
{
	AUTO_TEXT text = TEXT_NONE;

	put(of, attr, &text);
	fact(of, what, text_get(&text), from);
}

/* "given at key=", "chosen by tresse", "the default" */
static const char *origin_of(const struct node *node, size_t attr)
{
	switch (node_origin(node, attr)) {
	case ORIGIN_GIVEN: return "given";
	case ORIGIN_CHOSEN: return "chosen by tresse";
	default: return "the default";
	}
}

static void set(const struct facts_of *of, size_t attr)
{
	told(of, node_kind(of->node)->attrs[attr].name, attr,
	     origin_of(of->node, attr));
}

/* A figure of both ways, or of one of them. */
static void pair(const struct facts_of *of, const char *what, size_t out,
		 size_t in, const char *from)
{
	AUTO_TEXT text = TEXT_NONE;

	if (is_known(of, out))
		text_put(&text, "out ");
	put(of, out, &text);
	if (is_known(of, in))
		text_put(&text, text.length ? ", in " : "in ");
	put(of, in, &text);
	fact(of, what, text_get(&text), from);
}

static void secret_fact(const struct facts_of *of, const char *what,
			size_t attr, const char *none)
{
	AUTO_TEXT text = TEXT_NONE;

	if (node_has(of->node, attr))
		secret_print(of->node, attr, &text);
	else
		text_put(&text, none);
	fact(of, what, text_get(&text),
	     node_has(of->node, attr) ? origin_of(of->node, attr) : "");
}

/* ---- what limits it now ---- */

static bool is_word(const struct facts_of *of, size_t attr, const char *word)
{
	AUTO_TEXT text = TEXT_NONE;

	put(of, attr, &text);
	return !strcmp(text_get(&text), word);
}

static void put_full(const struct facts_of *of, size_t counters,
		     struct text *out)
{
	bool full_out = is_word(of, counters + COUNTER_FULL_OUT, "yes");
	bool full_in = is_word(of, counters + COUNTER_FULL_IN, "yes");

	if (full_out || full_in)
		text_printf(out, "the line is full %s",
			    full_out && full_in ? "both ways"
			    : full_out		? "out"
						: "in");
}

static void put_cap(const struct facts_of *of, size_t attr, struct text *out)
{
	if (!node_has(of->node, attr))
		return;
	text_printf(out, "%s%s=", out->length ? ", " : "",
		    node_kind(of->node)->attrs[attr].name);
	node_print(of->node, attr, out);
}

static void put_member_limit(const struct facts_of *of, struct text *out)
{
	if (is_known(of, MEMBER_ERROR) && !is_word(of, MEMBER_ERROR, "")) {
		put(of, MEMBER_ERROR, out);
		return;
	}
	if (is_known(of, MEMBER_STATE) && !is_word(of, MEMBER_STATE, "up")) {
		text_put(out, "it is ");
		put(of, MEMBER_STATE, out);
		return;
	}
	put_full(of, MEMBER_COUNTERS, out);
	put_cap(of, MEMBER_UP, out);
	put_cap(of, MEMBER_DOWN, out);
	if (node_u(of->node, MEMBER_STANDBY))
		text_printf(out, "%sstandby: used when no other lives",
			    out->length ? ", " : "");
	if (node_u(of->node, MEMBER_METERED))
		text_printf(out, "%smetered: used when the others are full",
			    out->length ? ", " : "");
}

/* Of a link: those of its lines that hold it back. */
static void put_link_limit(const struct facts_of *of, struct text *out)
{
	if (is_known(of, LINK_ERROR) && !is_word(of, LINK_ERROR, "")) {
		put(of, LINK_ERROR, out);
		return;
	}
	node_each (member, node_fixed(of->node, &kind_members)) {
		struct facts_of one = { of->output, member, of->live };
		AUTO_TEXT text = TEXT_NONE;

		put_member_limit(&one, &text);
		if (text.length)
			text_printf(out, "%s%s: %s", out->length ? "; " : "",
				    node_name(member), text_get(&text));
	}
}

/* state: the row of it; where nobody tells it, no more is known than was said.
 */
static void limit_fact(const struct facts_of *of, size_t enabled, size_t state,
		       const struct text *limit)
{
	bool runs = is_known(of, state);

	if (!node_u(of->node, enabled))
		fact(of, "limited by", "enabled=no: it carries nothing",
		     "given");
	else if (text_get(limit)[0])
		fact(of, "limited by", text_get(limit), runs ? "now" : "given");
	else if (runs)
		fact(of, "limited by",
		     "nothing: no line is full, none is capped", "now");
}

/* ---- what packets are on a line ---- */

static void packet_way(const struct facts_of *of, unsigned ip, unsigned outside,
		       int family)
{
	AUTO(str) char *bytes = mem_printf("on-ip%d", family);
	AUTO(str) char *name = mem_printf("useful-ip%d", family);
	AUTO(str) char *share = mem_printf("%.1f%%", 100.0 * ip / outside);
	AUTO(str)
	char *both =
		mem_printf("%u on IPv%d, %s useful", outside, family, share);

	if (output_is_json(of->output)) {
		output_number(of->output, bytes, outside);
		output_field(of->output, name, share);
	} else {
		output_field(of->output, bytes, both);
	}
}

static void packet_row(const struct facts_of *of, unsigned ip, unsigned frame,
		       bool doubled)
{
	AUTO(str) char *inside = mem_printf("%u bytes of IP", ip);

	output_open(of->output, SHAPE_ROW, NULL, NULL);
	if (output_is_json(of->output))
		output_number(of->output, "inside", ip);
	else
		output_field(of->output, "inside", inside);
	packet_way(of, ip, ip + frame + TUNNEL_AROUND_IP4, 4);
	packet_way(of, ip, ip + frame + TUNNEL_AROUND_IP6, 6);
	output_field(of->output, "sent",
		     doubled ? "on two lines, where there are two (double)"
			     : "once");
	output_close(of->output);
}

static void show_packets(const struct facts_of *of, const struct node *link)
{
	static const unsigned sizes[] = { 64, 500, 1400 };
	unsigned frame = node_u(link, LINK_MODE) == MODE_TAP ? 14 : 0;

	output_open(of->output, SHAPE_TABLE, "packets", NULL);
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
		packet_row(of, sizes[i], frame,
			   sizes[i] + frame < node_u(link, LINK_DOUBLE));
	output_close(of->output);
}

/* ---- one kind at a time ---- */

static void mtu_fact(const struct facts_of *of)
{
	AUTO_TEXT text = TEXT_NONE;
	bool given = node_has(of->node, LINK_MTU);

	put(of, given ? LINK_MTU : LINK_MTU_NOW, &text);
	fact(of, "mtu", text_get(&text),
	     given ? "given"
		   : "found out: what all lines carry, and IPv6 asks for "
		     "(1280)");
}

static void address_facts(const struct facts_of *of)
{
	if (node_value(of->node, LINK_LOCAL) &&
	    !node_value(of->node, LINK_LOCAL)->word)
		set(of, LINK_LOCAL);
	if (node_value(of->node, LINK_LOCAL6) &&
	    !node_value(of->node, LINK_LOCAL6)->word)
		set(of, LINK_LOCAL6);
	told(of, "address", LINK_ADDRESS, "handed out by the server");
}

static void server_facts(const struct facts_of *of)
{
	unsigned count = 0;
	AUTO_TEXT text = TEXT_NONE;

	node_each (peer, node_fixed(of->node, &kind_peers)) {
		(void)peer;
		count++;
	}
	set(of, LINK_LISTEN);
	text_printf(&text, "%u", count);
	if (is_known(of, LINK_PEERS_UP))
		text_put(&text, ", up: ");
	put(of, LINK_PEERS_UP, &text);
	fact(of, "peers", text_get(&text), "given");
	told(of, "threads", LINK_THREADS_NOW, "now");
}

static void link_facts(const struct facts_of *of)
{
	bool server = node_u(of->node, LINK_ROLE) == ROLE_SERVER;
	AUTO_TEXT limit = TEXT_NONE;

	set(of, LINK_DEVICE);
	set(of, LINK_MODE);
	mtu_fact(of);
	address_facts(of);
	if (server)
		server_facts(of);
	else
		set(of, LINK_PEER);
	told(of, "public key", LINK_PUBLIC_KEY, "of this end");
	secret_fact(of, "secret key", LINK_KEY, "made with the link");
	if (!server)
		told(of, "peer's key", LINK_PEER_KEY, "given");
	secret_fact(of, "preshared key", LINK_PSK,
		    server ? "of each peer" : "none");
	fact(of, "encryption", "Noise IKpsk2, AES-256-GCM or ChaCha20-Poly1305",
	     "always; new keys every two minutes");
	told(of, "offloads", LINK_OFFLOADS, "by the kernel, now");
	set(of, LINK_POLICY);
	pair(of, "rates", LINK_COUNTERS + COUNTER_RATE_OUT,
	     LINK_COUNTERS + COUNTER_RATE_IN, "mean of the slices");
	put_link_limit(of, &limit);
	limit_fact(of, LINK_ENABLED, LINK_STATE, &limit);
}

/* Which way it goes: what its path made of the kernel's tables. */
static void path_facts(const struct facts_of *of)
{
	static const size_t attrs[] = { PATH_DEVICE,  PATH_GATEWAY,
					PATH_SOURCE,  PATH_GATEWAY6,
					PATH_SOURCE6, PATH_TABLE,
					PATH_MARK };
	const struct node *path = node_target(of->node, MEMBER_PATH, NULL);
	struct facts_of there = { of->output, path, of->live };

	for (size_t i = 0; path && i < ARRAY_SIZE(attrs); i++) {
		AUTO(str)
		char *from =
			mem_printf("%s at path %s", origin_of(path, attrs[i]),
				   node_name(path));

		told(&there, node_kind(path)->attrs[attrs[i]].name, attrs[i],
		     from);
	}
}

static void member_facts(const struct facts_of *of)
{
	AUTO_TEXT limit = TEXT_NONE;

	set(of, MEMBER_PATH);
	path_facts(of);
	told(of, "lanes", MEMBER_SOCKETS,
	     "sockets=: each has a port of its own");
	told(of, "rate", MEMBER_RATE, "found out");
	pair(of, "caps", MEMBER_UP, MEMBER_DOWN, "given");
	told(of, "round trip", MEMBER_RTT, "found out");
	pair(of, "later than the fastest by", MEMBER_DELAY_OUT, MEMBER_DELAY_IN,
	     "found out");
	told(of, "mtu", MEMBER_MTU,
	     "found out: what passes, less what is around it");
	told(of, "share", MEMBER_SHARE, "of what goes out, now");
	pair(of, "loss", MEMBER_COUNTERS + COUNTER_LOSS_OUT,
	     MEMBER_COUNTERS + COUNTER_LOSS_IN, "mean of the slices");
	told(of, "last full", MEMBER_COUNTERS + COUNTER_LAST_FULL_OUT, "out");
	told(of, "most carried", MEMBER_COUNTERS + COUNTER_PEAK_OUT, "out");
	put_member_limit(of, &limit);
	limit_fact(of, MEMBER_ENABLED, MEMBER_STATE, &limit);
}

static void peer_facts(const struct facts_of *of)
{
	AUTO_TEXT limit = TEXT_NONE;

	set(of, PEER_ADDRESS);
	told(of, "public key", PEER_KEY, "given");
	secret_fact(of, "preshared key", PEER_PSK, "none");
	told(of, "calls from", PEER_ENDPOINT,
	     "where its last packet came from");
	told(of, "lanes", PEER_LANES, "that are open");
	told(of, "round trip", PEER_RTT, "found out");
	pair(of, "limits", PEER_DOWN, PEER_UP, "given");
	pair(of, "rates", PEER_COUNTERS + COUNTER_RATE_OUT,
	     PEER_COUNTERS + COUNTER_RATE_IN, "mean of the slices");
	if (is_known(of, PEER_ERROR) && !is_word(of, PEER_ERROR, ""))
		put(of, PEER_ERROR, &limit);
	else
		put_full(of, PEER_COUNTERS, &limit);
	put_cap(of, PEER_UP, &limit);
	put_cap(of, PEER_DOWN, &limit);
	limit_fact(of, PEER_ENABLED, PEER_STATE, &limit);
}

void explain_link(struct session *session, const struct node *node)
{
	struct facts_of of = { session->output, node, session_live(session) };
	const struct kind *kind = node_kind(node);
	const struct node *link = node;

	while (node_kind(link) != &kind_link)
		link = node_parent(link);
	output_open(of.output, SHAPE_TABLE, "facts", NULL);
	if (kind == &kind_link)
		link_facts(&of);
	else if (kind == &kind_member)
		member_facts(&of);
	else
		peer_facts(&of);
	output_close(of.output);
	show_packets(&of, link);
}
