/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A match: which traffic belongs to a class. */
#include "model/base/mem.h"
#include "model/kind.h"
#include "model/node.h"

const struct kind kind_matches = {
	.name = "matches",
	.plural = "matches",
	.summary = "which traffic belongs to this class",
	.man = "All conditions of a match must hold; a class may have several "
	       "matches. The match with the lowest order decides first, then "
	       "the name.",
	.fixed_name = "match",
	.child = &kind_match,
};

static const struct choice scopes[] = {
	[SCOPE_CONNECTION] = { "connection",
			       "the first packet that matches decides for the "
			       "whole connection" },
	[SCOPE_PACKET] = { "packet",
			   "each packet by itself, after the others" },
	{ NULL, NULL }
};

static const struct attr match_attrs[] = {
	[MATCH_ORDER] = {
		.name = "order",
		.type = &type_number,
		.standard = "100",
		.max = 65535,
		.effect = EFFECT_HITLESS,
		.help = "which match is asked first: the lowest",
		.example = "10",
	},
	[MATCH_SCOPE] = {
		.name = "scope",
		.type = &type_enum,
		.standard = "connection",
		.choices = scopes,
		.effect = EFFECT_HITLESS,
		.help = "decide for a connection or for each packet",
		.example = "packet",
	},
	[MATCH_PROTO] = {
		.name = "proto",
		.type = &type_proto,
		.max = 255,
		.effect = EFFECT_HITLESS,
		.help = "transport protocol, by name or number",
		.example = "udp",
	},
	[MATCH_SPORT] = {
		.name = "sport",
		.type = &type_ports,
		.max = 65535,
		.effect = EFFECT_HITLESS,
		.help = "source ports",
		.example = "53,123,161-162",
	},
	[MATCH_DPORT] = {
		.name = "dport",
		.type = &type_ports,
		.max = 65535,
		.effect = EFFECT_HITLESS,
		.help = "destination ports",
		.example = "443",
	},
	[MATCH_SRC] = {
		.name = "src",
		.type = &type_prefixes,
		.effect = EFFECT_HITLESS,
		.help = "source addresses or networks, IPv4 and IPv6",
		.example = "192.168.1.0/24",
	},
	[MATCH_DST] = {
		.name = "dst",
		.type = &type_prefixes,
		.effect = EFFECT_HITLESS,
		.help = "destination addresses or networks, IPv4 and IPv6",
		.example = "198.51.100.7,2001:db8::/32",
	},
	[MATCH_DSCP] = {
		.name = "dscp",
		.type = &type_dscp,
		.max = 63,
		.effect = EFFECT_HITLESS,
		.help = "code point of the packet",
		.example = "ef",
	},
	[MATCH_TCP_FLAGS] = {
		.name = "tcp-flags",
		.type = &type_tcpflags,
		.effect = EFFECT_HITLESS,
		.help = "flags that are set, of those looked at",
		.example = "syn,ack/syn,ack",
	},
	[MATCH_LENGTH] = {
		.name = "length",
		.type = &type_lengths,
		.max = 65535,
		.effect = EFFECT_HITLESS,
		.help = "bytes of the IP packet",
		.example = "40-84",
	},
	[MATCH_UID] = {
		.name = "uid",
		.type = &type_uid,
		.max = UINT32_MAX - 1,
		.effect = EFFECT_HITLESS,
		.help = "users that own the local socket",
		.example = "1014",
	},
	[MATCH_GID] = {
		.name = "gid",
		.type = &type_gid,
		.max = UINT32_MAX - 1,
		.effect = EFFECT_HITLESS,
		.help = "groups that own the local socket",
		.example = "33",
	},
	[MATCH_CGROUP] = {
		.name = "cgroup",
		.type = &type_cgroup,
		.effect = EFFECT_HITLESS,
		.help = "control group (version 2) of the local socket",
		.example = "system.slice/backup.service",
	},
	[MATCH_HOST] = {
		.name = "host",
		.type = &type_hostname,
		.effect = EFFECT_HITLESS,
		.help = "name of a virtual host, where a connection begins "
			"with it in the clear: Host of HTTP, SNI of TLS",
		.example = "www.example.net",
	},
	[MATCH_MARK] = {
		.name = "mark",
		.type = &type_mark,
		.max = UINT32_MAX,
		.effect = EFFECT_HITLESS,
		.help = "mark that the packet has from elsewhere",
		.example = "0x40/0xf0",
	},
	[MATCH_ENABLED] = {
		.name = "enabled",
		.type = &type_bool,
		.standard = "yes",
		.effect = EFFECT_HITLESS,
		.help = "no: it is passed over",
		.example = "no",
	},
	[MATCH_DESCRIPTION] = {
		.name = "description",
		.type = &type_text,
		.effect = EFFECT_NONE,
		.help = "any words",
		.example = "\"name service and time\"",
	},
	[MATCH_STATE] = {
		.name = "state",
		.type = &type_text,
		.flags = ATTR_READONLY,
		.help = "applied, or how it differs",
		.example = "applied",
	},
	[MATCH_ERROR] = {
		.name = "error",
		.type = &type_text,
		.flags = ATTR_READONLY,
		.help = "where the running system differs from what is set",
		.example = "\"rule missing\"",
	},
	[MATCH_PACKETS] = {
		.name = "packets",
		.type = &type_number,
		.flags = ATTR_READONLY,
		.unit = "packets",
		.help = "packets that this match decided",
		.example = "0",
	},
	[MATCH_BYTES] = {
		.name = "bytes",
		.type = &type_number,
		.flags = ATTR_READONLY,
		.unit = "bytes",
		.help = "bytes that this match decided",
		.example = "0",
	},
};

static void put_setting(const struct node *node, size_t attr, struct text *out)
{
	if (node_origin(node, attr) != ORIGIN_GIVEN)
		return;
	if (out->length)
		text_put_char(out, ' ');
	text_put(out, match_attrs[attr].name);
	text_put_char(out, ' ');
	node_print(node, attr, out);
}

static void match_brief(const struct node *node, struct text *out)
{
	AUTO_TEXT line = TEXT_NONE;

	for (size_t attr = MATCH_PROTO; attr <= MATCH_MARK; attr++)
		put_setting(node, attr, &line);
	if (node_u(node, MATCH_SCOPE) == SCOPE_PACKET)
		text_put(&line, " per packet");
	if (!node_u(node, MATCH_ENABLED))
		text_put(&line, " disabled");
	text_put(out, line.length ? text_get(&line) : "everything");
}

const struct kind kind_match = {
	.name = "match",
	.plural = "matches",
	.summary = "conditions that claim traffic for a class",
	.man = "All conditions must hold. With scope=connection the first "
	       "packet that matches decides for the rest of its connection; "
	       "with scope=packet each packet is asked, after all others. "
	       "One definition serves IPv4 and IPv6.\n\n"
	       "host= reads along, in both directions: a client's request that "
	       "leaves, and one that arrives for a server here or behind, "
	       "whose answers leave. A name is found in the first packets of a "
	       "TCP connection only, and overrules what the packets before it "
	       "decided; from then on it costs no more than any connection. It "
	       "is not found in QUIC (HTTP/3), in TLS with encrypted client "
	       "hello (ECH), where it is cut in two by the end of a packet, "
	       "past the first 4096 bytes, or after three packets that hold "
	       "data; of several names that share a connection (HTTP/2) the "
	       "first counts; and a client may claim any name. Where the "
	       "service is yours, these are better, best first: a user "
	       "(uid=) or cgroup (cgroup=) for each; a mark that the server "
	       "sets on its sockets (mark=); an address or port for each "
	       "(src=, sport=).",
	.attrs = match_attrs,
	.attr_count = ARRAY_SIZE(match_attrs),
	.brief = match_brief,
};
