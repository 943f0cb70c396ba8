/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A path: one uplink of this host. */
#include <netinet/in.h>

#include "model/base/mem.h"
#include "model/drift.h"
#include "model/kind.h"
#include "model/node.h"

static const struct choice gateway_words[] = {
	[GATEWAY_NONE - 1] = { "none", "leave this family alone" },
	[GATEWAY_ONLINK - 1] = { "onlink", "the other end of the device" },
	{ NULL, NULL }
};

static const struct choice source_words[] = {
	[SOURCE_NONE - 1] = { "none", "no rule by source" }, { NULL, NULL }
};

#define GATEWAY(which, number, sample)                                         \
	{                                                                      \
		.name = which, .type = &type_address, .flags = ATTR_AUTO,      \
		.family = number, .words = gateway_words,                      \
		.effect = EFFECT_FLAP,                                         \
		.help = "next hop; auto: the default route of the main table " \
			"on this device",                                      \
		.example = sample,                                             \
	}

#define SOURCE(which, number, sample)                                          \
	{                                                                      \
		.name = which, .type = &type_prefix, .flags = ATTR_AUTO,       \
		.family = number, .words = source_words,                       \
		.effect = EFFECT_FLAP,                                         \
		.help = "own address and its network; auto: the device's",     \
		.example = sample,                                             \
	}

static const struct attr path_attrs[] = {
	[PATH_DEVICE] = {
		.name = "device",
		.type = &type_ifname,
		.flags = ATTR_REQUIRED,
		.effect = EFFECT_REBUILD,
		.help = "network device of the uplink; it may be absent yet",
		.example = "wan0",
	},
	[PATH_GATEWAY] = GATEWAY("gateway", AF_INET, "192.0.2.1"),
	[PATH_SOURCE] = SOURCE("source", AF_INET, "192.0.2.2/24"),
	[PATH_GATEWAY6] = GATEWAY("gateway6", AF_INET6, "2001:db8::1"),
	[PATH_SOURCE6] = SOURCE("source6", AF_INET6, "2001:db8::2/64"),
	[PATH_UP] = {
		.name = "up",
		.type = &type_rate,
		.min = 8,
		.effect = EFFECT_NONE,
		.help = "rate of the line away from here; checks compare with it",
		.example = "1024kbit",
	},
	[PATH_DOWN] = {
		.name = "down",
		.type = &type_rate,
		.min = 8,
		.effect = EFFECT_NONE,
		.help = "rate of the line towards here",
		.example = "20mbit",
	},
	[PATH_TABLE] = {
		.name = "table",
		.type = &type_number,
		.flags = ATTR_AUTO | ATTR_CHOSEN,
		.min = 1,
		.max = UINT32_MAX,
		.effect = EFFECT_FLAP,
		.help = "routing table of this path, from the range in /system",
		.example = "20000",
	},
	[PATH_MARK] = {
		.name = "mark",
		.type = &type_mark,
		.flags = ATTR_AUTO | ATTR_CHOSEN,
		.min = 1,
		.max = UINT32_MAX,
		.effect = EFFECT_FLAP,
		.help = "mark that sends a packet this way, within path-mask",
		.example = "0x10000",
	},
	[PATH_DEFAULT_ROUTE] = {
		.name = "default-route",
		.type = &type_bool,
		.standard = "no",
		.effect = EFFECT_FLAP,
		.help = "also be a default route of the main table",
		.example = "yes",
	},
	[PATH_METRIC] = {
		.name = "metric",
		.type = &type_number,
		.standard = "100",
		.min = 1,
		.max = UINT32_MAX,
		.effect = EFFECT_FLAP,
		.help = "metric of that default route; the lowest wins",
		.example = "100",
	},
	[PATH_ENABLED] = {
		.name = "enabled",
		.type = &type_bool,
		.standard = "yes",
		.effect = EFFECT_FLAP,
		.help = "no: its routes and rules are taken away",
		.example = "no",
	},
	[PATH_DESCRIPTION] = {
		.name = "description",
		.type = &type_text,
		.effect = EFFECT_NONE,
		.help = "any words",
		.example = "\"line 1, second floor\"",
	},
	[PATH_DRIFT] = DRIFT_SETTING("/system says it"),
	[PATH_STATE] = {
		.name = "state",
		.type = &type_text,
		.flags = ATTR_READONLY,
		.help = "up, down, no-carrier or no-device",
		.example = "up",
	},
	[PATH_ERROR] = {
		.name = "error",
		.type = &type_text,
		.flags = ATTR_READONLY,
		.help = "where the running system differs from what is set",
		.example = "\"1 step missing\"",
	},
};

static void path_brief(const struct node *node, struct text *out)
{
	const char *device = node_text(node, PATH_DEVICE);

	text_put(out, device ? device : "no device");
	if (node_has(node, PATH_UP)) {
		text_put(out, " up ");
		node_print(node, PATH_UP, out);
	}
	if (node_has(node, PATH_DOWN)) {
		text_put(out, " down ");
		node_print(node, PATH_DOWN, out);
	}
	if (!node_u(node, PATH_ENABLED))
		text_put(out, " disabled");
}

const struct kind kind_path = {
	.name = "path",
	.plural = "paths",
	.summary = "one uplink of this host",
	.man = "A path has a routing table of its own with a default route by "
	       "its gateway, a rule that sends packets with its source address "
	       "there, and a rule that sends packets with its mark there. The "
	       "main table stays as it is unless default-route=yes.",
	.attrs = path_attrs,
	.attr_count = ARRAY_SIZE(path_attrs),
	.brief = path_brief,
};
