/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The root, its fixed children, and what belongs to the machine. */
#include "model/base/mem.h"
#include "model/drift.h"
#include "model/kind.h"

static const struct kind *const root_fixed[] = { &kind_paths, &kind_classes,
						 &kind_links, &kind_system,
						 NULL };

const struct kind kind_root = {
	.name = "root",
	.plural = "roots",
	.summary = "the whole tree",
	.man = "Everything that Tresse looks after on this machine hangs below "
	       "the root.",
	.fixed_name = "/",
	.fixed = root_fixed,
};

const struct kind kind_paths = {
	.name = "paths",
	.plural = "paths",
	.summary = "the uplinks of this host",
	.man = "One path an uplink. Create one with its device; its gateway "
	       "and source address are found out unless you say them.",
	.fixed_name = "paths",
	.child = &kind_path,
};

const struct kind kind_classes = {
	.name = "classes",
	.plural = "uplink trees",
	.summary = "how the sending rate of each uplink is shared",
	.man = "One tree of HTB classes an uplink: create the tree for a path "
	       "or a device, then classes in it, then matches in the classes.",
	.fixed_name = "classes",
	.child = &kind_uplink,
};

const struct kind kind_links = {
	.name = "links",
	.plural = "links",
	.summary = "tunnels that braid several uplinks into one",
	.man = "One link a tunnel: a client at home with several uplinks, a "
	       "server where they come together. Create the server first, read "
	       "its public key, and give it to the client; and the other way "
	       "round.",
	.fixed_name = "links",
	.child = &kind_link,
};

static const struct attr system_attrs[] = {
	[SYSTEM_CLASS_MASK] = {
		.name = "class-mask",
		.type = &type_mark,
		.standard = "65535",
		.min = 1,
		.max = UINT32_MAX,
		.effect = EFFECT_REBUILD,
		.help = "bits of a packet's mark that say its class; the "
			"others are left as they are",
		.example = "0xffff",
	},
	[SYSTEM_PATH_MASK] = {
		.name = "path-mask",
		.type = &type_mark,
		.standard = "0xff0000",
		.min = 1,
		.max = UINT32_MAX,
		.effect = EFFECT_REBUILD,
		.help = "bits of a packet's mark that say its path",
		.example = "0xff0000",
	},
	[SYSTEM_TABLES] = {
		.name = "tables",
		.type = &type_span,
		.standard = "20000-20999",
		.min = 1,
		.max = UINT32_MAX,
		.effect = EFFECT_FLAP,
		.help = "routing tables that Tresse may use, one a path",
		.example = "20000-20999",
	},
	[SYSTEM_RULES] = {
		.name = "rules",
		.type = &type_span,
		.standard = "20000-21999",
		.min = 1,
		.max = 32765,
		.effect = EFFECT_FLAP,
		.help = "priorities of routing rules that Tresse may use, two "
			"a path",
		.example = "20000-21999",
	},
	[SYSTEM_DRIFT] = {
		.name = "drift",
		.type = &type_enum,
		.standard = "report",
		.choices = drift_choices,
		.effect = EFFECT_NONE,
		.help = "what `follow` does when others change something that "
			"has no drift= of its own",
		.example = "repair",
	},
	[SYSTEM_DEADLINE] = {
		.name = "deadline",
		.type = &type_duration,
		.standard = "10s",
		.min = 100000,
		.max = 600000000,
		.effect = EFFECT_NONE,
		.help = "what the kernel may take for each answer; after that "
			"a change is undone",
		.example = "10s",
	},
};

const struct kind kind_system = {
	.name = "system",
	.plural = "systems",
	.summary =
		"what belongs to the machine: number ranges, drift, deadline",
	.man = "Ranges of numbers that Tresse may use. Change them when other "
	       "software on this machine uses the same. drift= is for all "
	       "places that do not say it themselves.",
	.fixed_name = "system",
	.attrs = system_attrs,
	.attr_count = ARRAY_SIZE(system_attrs),
};
