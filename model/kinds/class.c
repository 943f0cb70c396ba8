/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The HTB tree of an uplink and its classes. */
#include "model/base/mem.h"
#include "model/drift.h"
#include "model/kind.h"
#include "model/leaf.h"
#include "model/node.h"
#include "model/presets.h"

static const struct choice linklayers[] = {
	[LINKLAYER_ETHERNET] = { "ethernet", "a packet costs its own bytes" },
	[LINKLAYER_ATM] = { "atm", "53-byte cells that carry 48: ADSL" },
	{ NULL, NULL }
};

static const struct choice directions[] = {
	[DIRECTION_UP] = { "up", "what leaves by the device" },
	[DIRECTION_DOWN] = { "down", "what arrives on it, by an ifb" },
	{ NULL, NULL }
};

static const struct choice classifiers[] = {
	[CLASSIFIER_NFT] = { "nft", "a map from mark to class in nftables" },
	[CLASSIFIER_FW] = { "fw", "tc's fw filters (needs cls_fw)" },
	[CLASSIFIER_BPF] = { "bpf", "one bpf filter of tc's (needs cls_bpf)" },
	{ NULL, NULL }
};

static const struct choice filters[] = {
	[FILTERS_OWN] = { "own", "Tresse's alone lead to the classes" },
	[FILTERS_FOREIGN] = { "foreign", "those of others decide first, and "
					 "stay as they are" },
	{ NULL, NULL }
};

static const struct choice leaf_words[] = {
	{ "foreign", "somebody else's queue: left as it is" }, { NULL, NULL }
};

/* Accounting of a packet's bytes: the same on a tree and on a class. */
#define PRESET(whence)                                                         \
	{                                                                      \
		.name = "preset", .type = &type_enum, .flags = ATTR_AUTO,      \
		.choices = preset_choices, .effect = EFFECT_HITLESS,           \
		.help = "the line by its name: linklayer, overhead and mpu "   \
			"in one word, each of which may be given besides; "    \
			"auto: " whence,                                       \
		.example = "pppoe-llc",                                        \
	}
#define LINKLAYER(whence)                                                      \
	{                                                                      \
		.name = "linklayer", .type = &type_enum, .flags = ATTR_AUTO,   \
		.choices = linklayers, .effect = EFFECT_HITLESS,               \
		.help = "how a packet's cost on the line is counted; "         \
			"auto: " whence,                                       \
		.example = "atm",                                              \
	}
#define OVERHEAD(whence)                                                       \
	{                                                                      \
		.name = "overhead", .type = &type_number, .flags = ATTR_AUTO,  \
		.unit = "bytes", .max = 255, .effect = EFFECT_HITLESS,         \
		.help = "bytes added to each packet, above the 14 of the "     \
			"Ethernet header; auto: " whence,                      \
		.example = "26",                                               \
	}
#define MPU(whence)                                                            \
	{                                                                      \
		.name = "mpu", .type = &type_number, .flags = ATTR_AUTO,       \
		.unit = "bytes", .max = 2048, .effect = EFFECT_HITLESS,        \
		.help = "least bytes a packet costs; auto: " whence,           \
		.example = "64",                                               \
	}

static const struct choice no_shards[] = { { "none", "one HTB for all" },
					   { NULL, NULL } };

#define SHARDS                                                                 \
	{                                                                      \
		.name = "shards", .type = &type_shards,                        \
		.flags = ATTR_AUTO | ATTR_CHOSEN, .words = no_shards,          \
		.effect = EFFECT_FLAP,                                         \
		.help = "HTBs of their own that the classes below are dealt "  \
			"out to; auto: when one has more than 2,000",          \
		.example = "2-21",                                             \
	}

static const struct attr uplink_attrs[] = {
	[UPLINK_PATH] = {
		.name = "path",
		.type = &type_ref,
		.refers = &kind_path,
		.effect = EFFECT_REBUILD,
		.help = "path whose device is shaped",
		.example = "adsl0",
	},
	[UPLINK_DEVICE] = {
		.name = "device",
		.type = &type_ifname,
		.effect = EFFECT_REBUILD,
		.help = "device that is shaped, in place of a path",
		.example = "eth1",
	},
	[UPLINK_DIRECTION] = {
		.name = "direction",
		.type = &type_enum,
		.standard = "up",
		.choices = directions,
		.effect = EFFECT_REBUILD,
		.help = "which way the traffic goes that is shaped",
		.example = "down",
	},
	[UPLINK_DEFAULT] = {
		.name = "default",
		.type = &type_ref,
		.refers = &kind_class,
		.below = true,
		.effect = EFFECT_HITLESS,
		.help = "class of what no match claims; unset: it is not shaped",
		.example = "other",
	},
	[UPLINK_R2Q] = {
		.name = "r2q",
		.type = &type_number,
		.standard = "10",
		.min = 1,
		.max = UINT32_MAX,
		.effect = EFFECT_HITLESS,
		.help = "rate in byte/s divided by this is a class's quantum",
		.example = "5",
	},
	[UPLINK_PRESET] = PRESET("none"),
	[UPLINK_LINKLAYER] = LINKLAYER("ethernet"),
	[UPLINK_OVERHEAD] = OVERHEAD("0"),
	[UPLINK_MPU] = MPU("0"),
	[UPLINK_CLASSIFIER] = {
		.name = "classifier",
		.type = &type_enum,
		.flags = ATTR_AUTO,
		.choices = classifiers,
		.effect = EFFECT_HITLESS,
		.help = "how a mark becomes a class; auto: nft",
		.example = "nft",
	},
	[UPLINK_SHARDS] = SHARDS,
	[UPLINK_FILTERS] = {
		.name = "filters",
		.type = &type_enum,
		.standard = "own",
		.choices = filters,
		.effect = EFFECT_NONE,
		.help = "foreign: others have filters of tc on the tree, which "
			"go on; wants classifier=bpf or fw",
		.example = "foreign",
	},
	[UPLINK_LENIENT] = {
		.name = "lenient",
		.type = &type_bool,
		.standard = "no",
		.effect = EFFECT_NONE,
		.help = "yes: rates, ceils and quanta that do not fit together "
			"are doubts, no errors",
		.example = "yes",
	},
	[UPLINK_ENABLED] = {
		.name = "enabled",
		.type = &type_bool,
		.standard = "yes",
		.effect = EFFECT_REBUILD,
		.help = "no: the device is not shaped",
		.example = "no",
	},
	[UPLINK_DESCRIPTION] = {
		.name = "description",
		.type = &type_text,
		.effect = EFFECT_NONE,
		.help = "any words",
		.example = "\"the ADSL line\"",
	},
	[UPLINK_DRIFT] = DRIFT_SETTING("/system says it"),
	[UPLINK_STATE] = {
		.name = "state",
		.type = &type_text,
		.flags = ATTR_READONLY,
		.help = "applied, no-device, disabled, or how it differs",
		.example = "applied",
	},
	[UPLINK_ERROR] = {
		.name = "error",
		.type = &type_text,
		.flags = ATTR_READONLY,
		.help = "where the running system differs from what is set",
		.example = "\"qdisc missing\"",
	},
};

static void uplink_brief(const struct node *node, struct text *out)
{
	if (node_has(node, UPLINK_PATH)) {
		text_put(out, "path ");
		node_print(node, UPLINK_PATH, out);
	} else {
		node_print(node, UPLINK_DEVICE, out);
	}
	if (node_u(node, UPLINK_DIRECTION) == DIRECTION_DOWN)
		text_put(out, " down");
	if (node_has(node, UPLINK_DEFAULT)) {
		text_put(out, " default ");
		node_print(node, UPLINK_DEFAULT, out);
	}
	if (!node_u(node, UPLINK_ENABLED))
		text_put(out, " disabled");
}

const struct kind kind_uplink = {
	.name = "uplink",
	.plural = "uplink trees",
	.summary = "the HTB tree of one device",
	.man = "The tree takes the place of the device's root qdisc and gives "
	       "it back when it is deleted. Say path= or device=. Traffic that "
	       "no class claims goes to the default class.\n\n"
	       "More than 2,000 classes are dealt out to several HTBs, which "
	       "classifier=nft alone can lead into: with fw, bpf or "
	       "direction=down such a tree is refused, unless shards=none "
	       "says that one HTB is meant.\n\n"
	       "preset= names the line: what it adds to each IP packet then "
	       "counts, so that a rate is the line's own. PTM (VDSL2) also "
	       "sends 65 bytes for 64, which HTB cannot count: there the "
	       "classes may have 64/65 of the line's rate together.\n\n"
	       "direction=down shapes what arrives: it is led over a device "
	       "of type ifb (tr-eth1 for eth1), which is made for it and goes "
	       "with the tree. There a packet is known by itself alone: by "
	       "proto, ports, src, dst, dscp, tcp-flags and length, as it "
	       "arrives, before NAT; not by its connection, a mark or a "
	       "socket. For those shape what leaves by the inside device. The "
	       "far end must be slowed down: give less than the line's rate.",
	.attrs = uplink_attrs,
	.attr_count = ARRAY_SIZE(uplink_attrs),
	.child = &kind_class,
	.brief = uplink_brief,
};

static const struct kind *const class_fixed[] = { &kind_matches, NULL };

#define COUNTER(index, word, what, sort)                                       \
	[index] = {                                                            \
		.name = word,                                                  \
		.type = &type_number,                                          \
		.flags = ATTR_READONLY,                                        \
		.unit = sort,                                                  \
		.help = what,                                                  \
		.example = "0",                                                \
	}

static const struct attr class_attrs[] = {
	[CLASS_RATE] = {
		.name = "rate",
		.type = &type_rate,
		.flags = ATTR_REQUIRED | ATTR_OWN | ATTR_SUMMED,
		.min = 8,
		.effect = EFFECT_HITLESS,
		.help = "guaranteed",
		.example = "128kbit",
	},
	[CLASS_CEIL] = {
		.name = "ceil",
		.type = &type_rate,
		.flags = ATTR_AUTO | ATTR_OWN,
		.min = 8,
		.effect = EFFECT_HITLESS,
		.help = "the most it may borrow up to; auto: its rate",
		.example = "768kbit",
	},
	[CLASS_BURST] = {
		.name = "burst",
		.type = &type_size,
		.flags = ATTR_AUTO | ATTR_OWN,
		.min = 1,
		.effect = EFFECT_HITLESS,
		.help = "bytes sent at once at rate; auto: as tc chooses",
		.example = "5k",
	},
	[CLASS_CBURST] = {
		.name = "cburst",
		.type = &type_size,
		.flags = ATTR_AUTO | ATTR_OWN,
		.min = 1,
		.effect = EFFECT_HITLESS,
		.help = "bytes sent at once at ceil; auto: as tc chooses",
		.example = "1600",
	},
	[CLASS_PRIO] = {
		.name = "prio",
		.type = &type_number,
		.flags = ATTR_OWN | ATTR_SUMMED,
		.standard = "0",
		.max = 7,
		.effect = EFFECT_HITLESS,
		.help = "who borrows first: 0 before 7; counts on leaves",
		.example = "1",
	},
	[CLASS_QUANTUM] = {
		.name = "quantum",
		.type = &type_size,
		.flags = ATTR_AUTO | ATTR_OWN,
		.min = 1,
		.max = 0x7fffffff,
		.effect = EFFECT_HITLESS,
		.help = "bytes a turn when borrowing; auto: rate / r2q",
		.example = "1514",
	},
	[CLASS_PRESET] = PRESET("as above it"),
	[CLASS_LINKLAYER] = LINKLAYER("as above it"),
	[CLASS_OVERHEAD] = OVERHEAD("as above it"),
	[CLASS_MPU] = MPU("as above it"),
	[CLASS_LEAF] = {
		.name = "leaf",
		.type = &type_leaf,
		.flags = ATTR_AUTO | ATTR_OWN,
		.words = leaf_words,
		.effect = EFFECT_HITLESS,
		.help = "queue of the class in tc's words, with `or` for a "
			"kernel that lacks the first; auto: HTB's own pfifo",
		.example = "\"sfq perturb 10 or pfifo limit 127\"",
	},
	[CLASS_CLASSID] = {
		.name = "classid",
		.type = &type_classid,
		.flags = ATTR_AUTO | ATTR_CHOSEN,
		.effect = EFFECT_REBUILD,
		.help = "tc's number of the class, hexadecimal",
		.example = "1:10",
	},
	[CLASS_MARK] = {
		.name = "mark",
		.type = &type_mark,
		.flags = ATTR_AUTO | ATTR_CHOSEN,
		.min = 1,
		.max = UINT32_MAX,
		.effect = EFFECT_HITLESS,
		.help = "mark of its packets, within class-mask, decimal",
		.example = "10",
	},
	[CLASS_SHARDS] = SHARDS,
	[CLASS_DESCRIPTION] = {
		.name = "description",
		.type = &type_text,
		.flags = ATTR_OWN,
		.effect = EFFECT_NONE,
		.help = "any words",
		.example = "\"telephones first\"",
	},
	[CLASS_DRIFT] = DRIFT_SETTING("as above it"),
	[CLASS_STATE] = {
		.name = "state",
		.type = &type_text,
		.flags = ATTR_READONLY,
		.help = "applied, or how it differs",
		.example = "applied",
	},
	[CLASS_ERROR] = {
		.name = "error",
		.type = &type_text,
		.flags = ATTR_READONLY,
		.help = "where the running system differs from what is set",
		.example = "\"class missing\"",
	},
	COUNTER(CLASS_PACKETS, "packets", "packets sent", "packets"),
	COUNTER(CLASS_BYTES, "bytes", "bytes sent", "bytes"),
	COUNTER(CLASS_DROPS, "drops", "packets dropped", "packets"),
	COUNTER(CLASS_OVERLIMITS, "overlimits", "times it had to wait", "times"),
	COUNTER(CLASS_BACKLOG, "backlog", "bytes waiting now", "bytes"),
	COUNTER(CLASS_QUEUED, "queued", "packets waiting now", "packets"),
	COUNTER(CLASS_LENDS, "lends", "sent on its own rate", "packets"),
	COUNTER(CLASS_BORROWS, "borrows", "sent on a rate borrowed from above",
		"packets"),
	COUNTER(CLASS_GIANTS, "giants", "larger than the rate's table", "packets"),
	COUNTER(CLASS_TOKENS, "tokens", "left at rate, below 0: in debt", "ticks of 64 ns"),
	COUNTER(CLASS_CTOKENS, "ctokens", "left at ceil, below 0: in debt", "ticks of 64 ns"),
};

static void class_brief(const struct node *node, struct text *out)
{
	node_print(node, CLASS_RATE, out);
	if (node_has(node, CLASS_CEIL) &&
	    node_u(node, CLASS_CEIL) != node_u(node, CLASS_RATE)) {
		text_put(out, "..");
		node_print(node, CLASS_CEIL, out);
	}
	if (node_has(node, CLASS_CLASSID)) {
		text_put(out, " ");
		node_print(node, CLASS_CLASSID, out);
	}
	if (node_origin(node, CLASS_PRIO) == ORIGIN_GIVEN) {
		text_put(out, " prio ");
		node_print(node, CLASS_PRIO, out);
	}
}

const struct kind kind_class = {
	.name = "class",
	.plural = "classes",
	.summary = "a share of the uplink's sending rate",
	.man = "A class has a rate it is sure of and a ceil it may borrow up "
	       "to. Classes may hold classes; only those without any carry "
	       "traffic, and only those have matches.",
	.attrs = class_attrs,
	.attr_count = ARRAY_SIZE(class_attrs),
	.fixed = class_fixed,
	.child = &kind_class,
	.brief = class_brief,
};
