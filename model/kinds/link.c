/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A link: a tunnel over several uplinks; its members and its peers. */
#include <netinet/in.h>

#include "model/backend.h"
#include "model/base/mem.h"
#include "model/kind.h"
#include "model/node.h"

static const struct choice types[] = {
	{ "tunnel", "packets of one flow take several uplinks at once" },
	{ NULL, NULL }
};

static const struct choice roles[] = {
	[ROLE_CLIENT] = { "client", "calls; has members" },
	[ROLE_SERVER] = { "server", "is called; has peers" },
	{ NULL, NULL }
};

static const struct choice modes[] = {
	[MODE_TUN] = { "tun", "carries IP packets" },
	[MODE_TAP] = { "tap", "carries Ethernet frames" },
	{ NULL, NULL }
};

static const struct choice policies[] = {
	[POLICY_AGGREGATE] = { "aggregate", "all lines at once" },
	[POLICY_FAILOVER] = { "failover",
			      "the best line, the others when it fails" },
	[POLICY_DUPLICATE] = { "duplicate",
			       "everything twice, on the two best lines" },
	{ NULL, NULL }
};

#define TELLS(which, kind_of_value, what, sample)                              \
	{                                                                      \
		.name = which, .type = &kind_of_value, .flags = ATTR_READONLY, \
		.help = what, .example = sample,                               \
	}
#define STATE(words) TELLS("state", type_text, words, "up")
#define ERROR                                                                  \
	TELLS("error", type_text, "what is wrong and what to do",              \
	      "\"no answer from 192.0.2.1:5000\"")
#define ENABLED(what)                                                          \
	{                                                                      \
		.name = "enabled", .type = &type_bool, .standard = "yes",      \
		.effect = EFFECT_FLAP, .help = what, .example = "no",          \
	}
#define DESCRIPTION                                                            \
	{                                                                      \
		.name = "description", .type = &type_text,                     \
		.effect = EFFECT_NONE, .help = "any words",                    \
		.example = "\"home, both lines\"",                             \
	}
#define PSK                                                                    \
	{                                                                      \
		.name = "preshared-key", .type = &type_key,                    \
		.flags = ATTR_SECRET, .effect = EFFECT_HITLESS,                \
		.help = "a secret that both ends have besides their keys",     \
		.example = "3w0AbEY4JKaNYdk8TjOZLSZ0ZV6DEMLJAD+/CQN42YE=",     \
	}
/* The rows of enum counter from a kind's first. */
#define PAIR(first, which, name, kind_of_value, mean, max, sample)             \
	[(first) + (which)] = TELLS(name, kind_of_value, mean, sample),        \
		   [(first) + (which) + 1] =                                   \
			   TELLS(name "-max", kind_of_value, max, sample)
#define FIGURES(first)                                                         \
	PAIR(first, COUNTER_RATE_OUT, "rate-out", type_rate,                   \
	     "what goes out, mean of the slices", "most of a slice",           \
	     "12mbit"),                                                        \
		PAIR(first, COUNTER_RATE_IN, "rate-in", type_rate,             \
		     "what comes in, mean of the slices", "most of a slice",   \
		     "48mbit"),                                                \
		PAIR(first, COUNTER_PACKETS_OUT, "packets-out", type_number,   \
		     "a second that go out, mean of the slices",               \
		     "a second, most of a slice", "1200"),                     \
		PAIR(first, COUNTER_PACKETS_IN, "packets-in", type_number,     \
		     "a second that come in, mean of the slices",              \
		     "a second, most of a slice", "4100"),                     \
		PAIR(first, COUNTER_LOSS_OUT, "loss-out", type_percent,        \
		     "lost on the way out, mean of the slices", "worst slice", \
		     "0.1%"),                                                  \
		PAIR(first, COUNTER_LOSS_IN, "loss-in", type_percent,          \
		     "lost on the way in, mean of the slices", "worst slice",  \
		     "0.1%"),                                                  \
		PAIR(first, COUNTER_QUEUE_OUT, "queue-out", type_duration,     \
		     "delay on the way out above the line's best, mean of "    \
		     "the slices",                                             \
		     "worst packet of the slices", "3ms"),                     \
		PAIR(first, COUNTER_QUEUE_IN, "queue-in", type_duration,       \
		     "delay on the way in above the line's best, mean of the " \
		     "slices",                                                 \
		     "worst packet of the slices", "3ms"),                     \
		[(first) + COUNTER_BYTES_OUT] =                                \
			TELLS("bytes-out", type_number,                        \
			      "that went out since it began", "123456"),       \
			   [(first) + COUNTER_BYTES_IN] =                      \
				   TELLS("bytes-in", type_number,              \
					 "that came in since it began",        \
					 "123456")
#define SATURATION(first)                                                      \
	[(first) +                                                             \
		COUNTER_FULL_OUT] =                                            \
		TELLS("full-out", type_bool,                                   \
		      "data waits: the line takes no more", "no"),             \
		[(first) + COUNTER_FULL_IN] =                                  \
			TELLS("full-in", type_bool,                            \
			      "the same of what comes in", "no"),              \
		[(first) + COUNTER_LAST_FULL_OUT] = TELLS(                     \
			"last-full-out", type_text,                            \
			"when it was full, for how long, at which rate "       \
			"(saturation)",                                        \
			"\"2026-11-22 08:13:22 +0000 for 12s at 19.6mbit\""),  \
		[(first) + COUNTER_LAST_FULL_IN] = TELLS(                      \
			"last-full-in", type_text,                             \
			"the same of what comes in",                           \
			"\"2026-11-22 08:13:22 +0000 for 12s at 48mbit\""),    \
		[(first) + COUNTER_PEAK_OUT] =                                 \
			TELLS("peak-out", type_rate,                           \
			      "the most that got through in a slice, ever",    \
			      "21mbit"),                                       \
		[(first) + COUNTER_PEAK_OUT_AT] =                              \
			TELLS("peak-out-at", type_text, "when that was",       \
			      "\"2026-11-22 08:13:22 +0000\""),                \
		[(first) + COUNTER_PEAK_IN] =                                  \
			TELLS("peak-in", type_rate,                            \
			      "the most that came in in a slice, ever",        \
			      "52mbit"),                                       \
		[(first) + COUNTER_PEAK_IN_AT] =                               \
			TELLS("peak-in-at", type_text, "when that was",        \
			      "\"2026-11-22 08:13:22 +0000\"")

static const struct choice no_address[] = {
	{ "none", "this end has no inner address by us" }, { NULL, NULL }
};
static const struct choice no_addresses[] = { { "none", "it has none" },
					      { NULL, NULL } };

#define LOCAL(which, number, sample)                                           \
	{                                                                      \
		.name = which, .type = &type_prefix, .family = number,         \
		.flags = ATTR_AUTO, .words = no_address,                       \
		.effect = EFFECT_FLAP,                                         \
		.help = "inner address of this end, with its network; auto: "  \
			"a client takes what its server hands out",            \
		.example = sample,                                             \
	}

static void put_rate(uint64_t bps, struct text *out)
{
	if (bps < 1000000)
		text_printf(out, "%.3gkbit", (double)bps / 1e3);
	else
		text_printf(out, "%.3gmbit", (double)bps / 1e6);
}

/* Live figures, three digits of them: "17ms", "49.5mbit". */
static void put_live(const struct node *node, const struct live *live,
		     size_t attr, const char *before, struct text *out)
{
	const struct attr *row = &node_kind(node)->attrs[attr];
	const struct value *value = live_value(live, node, attr);

	if (!value)
		return;
	text_put(out, before);
	if (row->type == &type_rate)
		put_rate(value->u, out);
	else if (row->type == &type_duration)
		text_printf(out, "%.3gms", (double)value->u / 1e3);
	else
		value_print(row, value, out);
}

static void put_busy(const struct node *node, const struct live *live,
		     size_t attr, const char *before, struct text *out)
{
	const struct value *value = live_value(live, node, attr);

	if (value && value->u)
		put_live(node, live, attr, before, out);
}

/* "full", "full in", "full both ways" */
static void put_full(const struct node *node, const struct live *live,
		     size_t counters, const char *before, struct text *out)
{
	const struct value *up =
		live_value(live, node, counters + COUNTER_FULL_OUT);
	const struct value *down =
		live_value(live, node, counters + COUNTER_FULL_IN);
	bool full = up && up->u, full_in = down && down->u;

	if (full || full_in)
		text_printf(out, "%s%s", before,
			    full && full_in ? "full both ways"
			    : full	    ? "full"
					    : "full in");
}

static const struct attr link_attrs[] = {
	[LINK_TYPE] = {
		.name = "type",
		.type = &type_enum,
		.standard = "tunnel",
		.choices = types,
		.effect = EFFECT_REBUILD,
		.help = "how uplinks are used together",
		.example = "tunnel",
	},
	[LINK_ROLE] = {
		.name = "role",
		.type = &type_enum,
		.flags = ATTR_REQUIRED,
		.choices = roles,
		.effect = EFFECT_REBUILD,
		.help = "which end this is",
		.example = "client",
	},
	[LINK_DEVICE] = {
		.name = "device",
		.type = &type_ifname,
		.flags = ATTR_REQUIRED,
		.effect = EFFECT_REBUILD,
		.help = "network device of the tunnel; it is made, and goes "
			"with the link",
		.example = "tun-home",
	},
	[LINK_MODE] = {
		.name = "mode",
		.type = &type_enum,
		.standard = "tun",
		.choices = modes,
		.effect = EFFECT_REBUILD,
		.help = "what the device carries; the same at both ends",
		.example = "tap",
	},
	[LINK_LOCAL] = LOCAL("local", AF_INET, "10.77.0.2/24"),
	[LINK_LOCAL6] = LOCAL("local6", AF_INET6, "fd77::2/64"),
	[LINK_LISTEN] = {
		.name = "listen",
		.type = &type_number,
		.min = 1,
		.max = UINT16_MAX,
		.effect = EFFECT_FLAP,
		.help = "UDP port of a server",
		.example = "5000",
	},
	[LINK_PEER] = {
		.name = "peer",
		.type = &type_endpoint,
		.effect = EFFECT_HITLESS,
		.help = "where a client finds its server",
		.example = "gw.example.net:5000",
	},
	[LINK_PEER_KEY] = {
		.name = "peer-key",
		.type = &type_key,
		.effect = EFFECT_FLAP,
		.help = "public key of a client's server",
		.example = "hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo=",
	},
	[LINK_PSK] = PSK,
	[LINK_KEY] = {
		.name = "key",
		.type = &type_key,
		.flags = ATTR_AUTO | ATTR_CHOSEN | ATTR_SECRET,
		.effect = EFFECT_FLAP,
		.help = "secret key of this end; made with the link",
		.example = "yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=",
	},
	[LINK_PUBLIC_KEY] = {
		.name = "public-key",
		.type = &type_key,
		.flags = ATTR_AUTO | ATTR_CHOSEN,
		.effect = EFFECT_NONE,
		.help = "what the other end has to know; follows from key",
		.example = "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=",
	},
	[LINK_POLICY] = {
		.name = "policy",
		.type = &type_enum,
		.flags = ATTR_AUTO,
		.choices = policies,
		.effect = EFFECT_HITLESS,
		.help = "how the lines are used for what this end sends; auto: "
			"aggregate of a client, and of a server what each of "
			"its clients has",
		.example = "failover",
	},
	[LINK_DOUBLE] = {
		.name = "double",
		.type = &type_size,
		.standard = "200",
		.max = 1500,
		.effect = EFFECT_FLAP,
		.help = "packets smaller than this go on two lines at once, "
			"so that they survive one, but on none that is kept "
			"for later; 0: none",
		.example = "200",
	},
	[LINK_DUPLICATE] = {
		.name = "duplicate",
		.type = &type_dscp,
		.effect = EFFECT_HITLESS,
		.help = "packets of this DSCP go on the two best lines at "
			"once; what comes from the other end, it decides",
		.example = "ef",
	},
	[LINK_DUPLICATE_MARK] = {
		.name = "duplicate-mark",
		.type = &type_mark,
		.effect = EFFECT_REBUILD,
		.help = "the same of this mark; the first one makes the device "
			"anew, and a server then has one thread",
		.example = "0x10/0xff",
	},
	[LINK_DUPLICATE_CLASS] = {
		.name = "duplicate-class",
		.type = &type_classid,
		.effect = EFFECT_REBUILD,
		.help = "the same of what is in this class of the device",
		.example = "1:10",
	},
	[LINK_HOLD] = {
		.name = "hold",
		.type = &type_duration,
		.standard = "300ms",
		.min = 1000,
		.max = 10000000,
		.effect = EFFECT_FLAP,
		.help = "longest that a packet waits for one before it",
		.example = "300ms",
	},
	[LINK_MTU] = {
		.name = "mtu",
		.type = &type_number,
		.flags = ATTR_AUTO,
		.unit = "bytes",
		.min = 576,
		.max = 65535,
		.effect = EFFECT_HITLESS,
		.help = "of the device; auto: found out",
		.example = "1400",
	},
	[LINK_SLICE] = {
		.name = "slice",
		.type = &type_duration,
		.standard = "1s",
		.min = 100000,
		.max = 3600000000,
		.effect = EFFECT_HITLESS,
		.help = "counters have a mean and a maximum over slices of "
			"this length",
		.example = "5s",
	},
	[LINK_SLICES] = {
		.name = "slices",
		.type = &type_number,
		.standard = "10",
		.min = 1,
		.max = 60,
		.effect = EFFECT_HITLESS,
		.help = "how many of them",
		.example = "12",
	},
	[LINK_ISOLATE] = {
		.name = "isolate",
		.type = &type_bool,
		.standard = "no",
		.effect = EFFECT_HITLESS,
		.help = "yes: what a client sends another is dropped",
		.example = "yes",
	},
	[LINK_STORM_CONTROL] = {
		.name = "storm-control",
		.type = &type_number,
		.standard = "1000",
		.max = 10000000,
		.effect = EFFECT_HITLESS,
		.help = "of a server in mode=tap: so many frames a second may "
			"each client send to all others (broadcast, "
			"multicast, to addresses that nobody knows), a "
			"quarter of that at once; 0: any number",
		.example = "5000",
	},
	[LINK_THREADS] = {
		.name = "threads",
		.type = &type_number,
		.flags = ATTR_AUTO,
		.min = 1,
		.max = 16,
		.effect = EFFECT_FLAP,
		.help = "of a server, which share its clients; auto: one a "
			"processor, at most 8",
		.example = "4",
	},
	[LINK_ENABLED] = ENABLED("no: the tunnel is taken down"),
	[LINK_DESCRIPTION] = DESCRIPTION,
	[LINK_STATE] = STATE("up; listening: a server without clients that are up; waiting: "
	      "for the server's answer; down: the engine does not run; "
		"disabled"),
	[LINK_ERROR] = ERROR,
	[LINK_MTU_NOW] = TELLS("mtu-now", type_number,
			       "of the device, as found", "1440"),
	[LINK_ADDRESS] = TELLS("address", type_text,
			       "inner addresses that the server has handed out",
			       "10.77.0.2/24"),
	[LINK_THREADS_NOW] = TELLS("threads-now", type_text,
				   "of a server; and why it is one where more "
				   "were wanted",
				   "2"),
	[LINK_OFFLOADS] = TELLS("offloads", type_text,
				"work that the kernel takes from the engine; "
				"and what it refuses for now, or has not",
				"tso uso segment gro"),
	[LINK_PEERS_UP] = TELLS("peers-up", type_number,
				"clients of a server that are up", "3"),
	[LINK_MARKED] = TELLS("marked", type_number,
			      "packets that were of duplicate-mark or duplicate-class",
			      "1200"),
	[LINK_REFUSED] = TELLS("refused", type_text,
			       "datagrams that were refused, by reason",
			       "\"3: replayed 2, forged 1\""),
	[LINK_DROPPED] = TELLS("dropped", type_text,
			       "packets that were not carried, by reason",
			       "\"12: no route 12\""),
	FIGURES(LINK_COUNTERS),
};

static void link_brief(const struct node *node, struct text *out)
{
	node_print(node, LINK_ROLE, out);
	text_put(out, " ");
	text_put(out, node_text(node, LINK_DEVICE)
			      ? node_text(node, LINK_DEVICE)
			      : "no device");
	if (node_value(node, LINK_LOCAL) &&
	    !node_value(node, LINK_LOCAL)->word) {
		text_put(out, " ");
		node_print(node, LINK_LOCAL, out);
	}
	if (node_has(node, LINK_LISTEN)) {
		text_put(out, " listen ");
		node_print(node, LINK_LISTEN, out);
	}
	if (node_has(node, LINK_PEER)) {
		text_put(out, " to ");
		node_print(node, LINK_PEER, out);
	}
	if (!node_u(node, LINK_ENABLED))
		text_put(out, " disabled");
}

static const struct kind *const link_fixed[] = { &kind_members, &kind_peers,
						 NULL };

static void link_tells(const struct node *node, const struct live *live,
		       struct text *out)
{
	put_live(node, live, LINK_ADDRESS, ", ", out);
	put_live(node, live, LINK_PEERS_UP, ", peers ", out);
	if (live_value(live, node_fixed(node, &kind_peers), PEERS_KNOCKED))
		text_put(out, ", unknown keys call");
	put_busy(node, live, LINK_COUNTERS + COUNTER_RATE_OUT, ", out ", out);
	put_busy(node, live, LINK_COUNTERS + COUNTER_RATE_IN, ", in ", out);
}

const struct kind kind_link = {
	.name = "link",
	.plural = "links",
	.summary = "a tunnel over several uplinks",
	.man = "A client's uplinks are its members; a server's clients are its "
	       "peers. Everything is encrypted (Noise IK, as WireGuard has "
	       "it); keys are made with the link. The rates of the lines are "
	       "found out.\n"
	       "\n"
	       "What clients of a server send to each other passes its device "
	       "in mode=tun: the server forwards it as its routes, rules and "
	       "net.ipv4.ip_forward say. In mode=tap they are on one Ethernet "
	       "segment: a switch, which has learnt where an address is, hands "
	       "a frame from client to client, and to all who are there if "
	       "nobody knows: of each client storm-control= frames a second, "
	       "for one such frame leaves as often as there are clients. What "
	       "the device itself says to all is this host's, and its tc's. "
	       "With isolate=yes they reach the server alone.\n"
	       "\n"
	       "What is to go on two lines at once is said by DSCP "
	       "(duplicate=), by a mark that rules of this host have set "
	       "(duplicate-mark=), or by a class of the device, the way tc "
	       "names it (duplicate-class=): one that matches lead to "
	       "(classifier=nft; else say its mark, with class-mask), or that "
	       "rules of another's set as priority. The packet is not changed "
	       "for it: the kernel brings it by a queue of its own (eBPF; the "
	       "engine loads the filter when it starts, with CAP_BPF).\n"
	       "\n"
	       "A client whose local is left to auto takes the addresses that "
	       "its server hands out, which are those of its peer there, and "
	       "shows them as address. It takes only what can do no harm: an "
	       "address of a private network (or an address alone), which no "
	       "other device or route of this host knows; else error says why "
	       "not. local=none takes none.\n"
	       "\n"
	       "A client tells its server how it wants its lines used: which "
	       "are metered, standby or capped, their priority and weight, and "
	       "its policy. The server does so for what it sends, each "
	       "client's "
	       "lines as that client has it, but for its policy where it has "
	       "one of its own: what a server is told to do it does for all.",
	.attrs = link_attrs,
	.attr_count = ARRAY_SIZE(link_attrs),
	.fixed = link_fixed,
	.brief = link_brief,
	.tells = link_tells,
};

/* ---- members ---- */

const struct kind kind_members = {
	.name = "members",
	.plural = "members",
	.summary = "the uplinks that a client's tunnel takes",
	.man = "Create one with the name of its path. Members come and go "
	       "while packets flow.",
	.fixed_name = "members",
	.child = &kind_member,
};

#define CAP(which, what)                                                       \
	{                                                                      \
		.name = which, .type = &type_rate, .min = 8000,                \
		.effect = EFFECT_HITLESS, .help = what, .example = "20mbit",   \
	}

static const struct attr member_attrs[] = {
	[MEMBER_PATH] = {
		.name = "path",
		.type = &type_ref,
		.flags = ATTR_AUTO | ATTR_CHOSEN,
		.refers = &kind_path,
		.effect = EFFECT_HITLESS,
		.help = "the path; auto: the one of the member's name",
		.example = "adsl0",
	},
	[MEMBER_SOCKETS] = {
		.name = "sockets",
		.type = &type_number,
		.standard = "1",
		.min = 1,
		.max = 16,
		.effect = EFFECT_HITLESS,
		.help = "UDP sockets, each with its own port, for operators "
			"that limit every flow by itself",
		.example = "4",
	},
	[MEMBER_PRIORITY] = {
		.name = "priority",
		.type = &type_number,
		.standard = "0",
		.max = 255,
		.effect = EFFECT_HITLESS,
		.help = "the lowest is filled first",
		.example = "1",
	},
	[MEMBER_WEIGHT] = {
		.name = "weight",
		.type = &type_number,
		.standard = "1",
		.min = 1,
		.max = 255,
		.effect = EFFECT_HITLESS,
		.help = "of policy=failover: the highest of equals is best, "
			"both ways",
		.example = "2",
	},
	[MEMBER_STANDBY] = {
		.name = "standby",
		.type = &type_bool,
		.standard = "no",
		.effect = EFFECT_HITLESS,
		.help = "used only when no other lives",
		.example = "yes",
	},
	[MEMBER_METERED] = {
		.name = "metered",
		.type = &type_bool,
		.standard = "no",
		.effect = EFFECT_HITLESS,
		.help = "used only for what no other has room for, whatever "
			"its priority; quiet when idle",
		.example = "yes",
	},
	[MEMBER_UP] = CAP("up", "no more than this is sent by it, by all its "
				"sockets together"),
	[MEMBER_DOWN] = CAP("down", "the other end is told to send no more"),
	[MEMBER_ENABLED] = ENABLED("no: it is taken out"),
	[MEMBER_DESCRIPTION] = DESCRIPTION,
	[MEMBER_STATE] = STATE("up; proving: it answers, and has to go on so for a moment; "
	      "suspect: an answer is late; dead: nothing comes back; down: "
	      "its device cannot send; draining: it is taken out; waiting: "
	      "the server has not answered yet; disabled"),
	[MEMBER_ERROR] = ERROR,
	[MEMBER_RTT] = TELLS("rtt", type_duration, "there and back", "18ms"),
	[MEMBER_DELAY_OUT] = TELLS("delay-out", type_duration,
				   "one way out, above the fastest member",
				   "4ms"),
	[MEMBER_DELAY_IN] = TELLS("delay-in", type_duration,
				  "one way in, above the fastest member",
				  "2ms"),
	[MEMBER_RATE] = TELLS("rate", type_rate,
			      "what the line was found to carry out", "19mbit"),
	[MEMBER_SHARE] = TELLS("share", type_percent,
			       "of what goes out by all members", "72%"),
	[MEMBER_MTU] = TELLS("mtu", type_number,
			     "largest inner packet that passes", "1440"),
	[MEMBER_RESENT] = TELLS("resent", type_number,
				"packets sent by it a second time, because "
				"they were lost",
				"12"),
	[MEMBER_DOUBLED] = TELLS("doubled", type_number,
				 "copies sent by it of what went by another",
				 "340"),
	FIGURES(MEMBER_COUNTERS),
	SATURATION(MEMBER_COUNTERS),
};

static void member_brief(const struct node *node, struct text *out)
{
	static const size_t words[] = { MEMBER_STANDBY, MEMBER_METERED };

	text_put(out, node_text(node, MEMBER_PATH)
			      ? node_text(node, MEMBER_PATH)
			      : node_name(node));
	if (node_u(node, MEMBER_SOCKETS) > 1)
		text_printf(out, " sockets %u",
			    (unsigned)node_u(node, MEMBER_SOCKETS));
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (node_u(node, words[i]))
			text_printf(out, " %s", member_attrs[words[i]].name);
	if (!node_u(node, MEMBER_ENABLED))
		text_put(out, " disabled");
}

static void member_tells(const struct node *node, const struct live *live,
			 struct text *out)
{
	put_live(node, live, MEMBER_SHARE, ", ", out);
	put_live(node, live, MEMBER_RATE, " of ", out);
	put_full(node, live, MEMBER_COUNTERS, " ", out);
	put_live(node, live, MEMBER_RTT, ", ", out);
	put_live(node, live, MEMBER_DELAY_OUT, " +", out);
	put_live(node, live, MEMBER_DELAY_IN, "/+", out);
	put_busy(node, live, MEMBER_COUNTERS + COUNTER_LOSS_OUT, ", lost ",
		 out);
	put_busy(node, live, MEMBER_COUNTERS + COUNTER_LOSS_IN, ", lost in ",
		 out);
}

const struct kind kind_member = {
	.name = "member",
	.plural = "members",
	.summary = "an uplink that the tunnel takes",
	.man = "It is bound to the device of its path, and takes the path's "
	       "routes by its mark.",
	.attrs = member_attrs,
	.attr_count = ARRAY_SIZE(member_attrs),
	.brief = member_brief,
	.tells = member_tells,
};

/* ---- peers ---- */

static const struct attr peers_attrs[] = {
	[PEERS_KNOCKED] = TELLS(
		"knocked", type_text,
		"who called with a key that is no peer's, within an hour, "
		"the last eight: `create NAME key=KEY` lets him in",
		"\"key=hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo= "
		"from 192.0.2.1:40404 3s ago\""),
};

static void peers_tells(const struct node *node, const struct live *live,
			struct text *out)
{
	if (live_value(live, node, PEERS_KNOCKED))
		text_put(out, ", unknown keys call: get knocked");
}

const struct kind kind_peers = {
	.name = "peers",
	.plural = "peers",
	.summary = "the clients of a server's tunnel",
	.man = "One peer a client, with its public key and the inner addresses "
	       "that are its own. A client that was set up first calls "
	       "already: "
	       "knocked has its key, which it has proven to be its own, and "
	       "where it calls from. Compare the key with what `get "
	       "public-key` "
	       "says there: whoever knows this server's public key can call.",
	.attrs = peers_attrs,
	.attr_count = ARRAY_SIZE(peers_attrs),
	.tells = peers_tells,
	.fixed_name = "peers",
	.child = &kind_peer,
};

static const struct attr peer_attrs[] = {
	[PEER_KEY] = {
		.name = "key",
		.type = &type_key,
		.flags = ATTR_REQUIRED,
		.effect = EFFECT_FLAP,
		.help = "public key of the client",
		.example = "hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo=",
	},
	[PEER_PSK] = PSK,
	[PEER_ADDRESS] = {
		.name = "address",
		.type = &type_prefixes,
		.flags = ATTR_AUTO | ATTR_CHOSEN,
		.words = no_addresses,
		.effect = EFFECT_HITLESS,
		.help = "inner addresses and networks that are its own; auto: "
			"the lowest free ones of the link's local and local6",
		.example = "10.77.0.2",
	},
	[PEER_UP] = CAP("up", "no more than this is taken from it"),
	[PEER_DOWN] = CAP("down", "no more than this is sent to it"),
	[PEER_ENABLED] = ENABLED("no: it is not answered"),
	[PEER_DESCRIPTION] = DESCRIPTION,
	[PEER_STATE] = STATE("up; silent: no line of it lives; quiet: no line yet; waiting: "
	      "it has not called; disabled"),
	[PEER_ERROR] = ERROR,
	[PEER_ENDPOINT] = TELLS("endpoint", type_text,
				"where its last packet came from",
				"198.51.100.7:43210"),
	[PEER_RTT] = TELLS("rtt", type_duration, "there and back, best line",
			   "18ms"),
	[PEER_POLICY] = TELLS("policy", type_text,
			      "how its lines are used for what is sent to it: "
			      "the link's, else its own",
			      "failover"),
	[PEER_LANES] = TELLS("lanes", type_number,
			     "ways that are open to it", "2"),
	[PEER_MTU] = TELLS("mtu", type_number,
			   "largest inner packet that all its lines carry",
			   "1440"),
	[PEER_OVERSIZE] = TELLS("oversize", type_number,
				"packets that were too big for it: their "
				"sender was told, where that is possible",
				"0"),
	[PEER_SPOOFED] = TELLS("spoofed", type_number,
			       "packets dropped: from an inner address that is "
			       "not its own",
			       "0"),
	[PEER_POLICED] = TELLS("policed", type_number,
			       "packets dropped: over its limit up", "0"),
	[PEER_ISOLATED] = TELLS("isolated", type_number,
				"packets dropped: for another client, and the "
				"link is isolate=yes",
				"0"),
	[PEER_CROWDED] = TELLS("crowded", type_number,
			       "packets dropped: it had more than its share of "
			       "the room between the server's threads",
			       "0"),
	[PEER_STORM_DROPPED] = TELLS("storm-dropped", type_number,
				     "frames to all others that were dropped: "
				     "more of them than the link's "
				     "storm-control",
				     "0"),
	[PEER_STATIONS] = TELLS("stations", type_number,
				"Ethernet addresses that are behind it, of "
				"mode=tap",
				"3"),
	FIGURES(PEER_COUNTERS),
	SATURATION(PEER_COUNTERS),
};

static void peer_brief(const struct node *node, struct text *out)
{
	if (node_has(node, PEER_ADDRESS))
		node_print(node, PEER_ADDRESS, out);
	else
		text_put(out, "no address");
	if (!node_u(node, PEER_ENABLED))
		text_put(out, " disabled");
}

static void peer_tells(const struct node *node, const struct live *live,
		       struct text *out)
{
	put_live(node, live, PEER_ENDPOINT, " from ", out);
	put_live(node, live, PEER_RTT, ", ", out);
	put_full(node, live, PEER_COUNTERS, ", ", out);
	put_busy(node, live, PEER_COUNTERS + COUNTER_RATE_OUT, ", out ", out);
	put_busy(node, live, PEER_COUNTERS + COUNTER_RATE_IN, ", in ", out);
}

const struct kind kind_peer = {
	.name = "peer",
	.plural = "peers",
	.summary = "a client of this server",
	.man = "Packets to its addresses go to it, and only from them it may "
	       "send. It is known by its key alone, wherever it calls from.",
	.attrs = peer_attrs,
	.attr_count = ARRAY_SIZE(peer_attrs),
	.brief = peer_brief,
	.tells = peer_tells,
};
