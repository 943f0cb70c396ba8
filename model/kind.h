/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * kind.h - what kinds of object there are, and what can be set on each.
 *
 * One C table a kind (model/kinds/) is the only place where a setting is
 * written: parser, validation, help, TAB, JSON, store and manual follow.
 *
 *     kind path   = { attrs: device gateway up ... }
 *     kind class  = { attrs: rate ceil ..., children: class, fixed: match }
 *
 * A *fixed* child is made along with its parent and goes with it: /paths below
 * the root, `match` below a class. Everything else is an object an operator
 * creates and deletes.
 */
#ifndef MODEL_KIND_H
#define MODEL_KIND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/value.h"

struct live;
struct node;
struct text;

enum attr_flags {
	ATTR_REQUIRED = 1 << 0, /* must be given to create */
	ATTR_AUTO = 1 << 1,	/* may be `auto`: Tresse chooses or finds out */
	ATTR_CHOSEN = 1 << 2,	/* ...and keeps what it chose in the store */
	ATTR_READONLY = 1 << 3, /* told by the running system, never set */
	ATTR_SECRET = 1 << 4,	/* kept apart, shown only when asked by name */
	ATTR_OWN =
		1 << 5, /* makes nothing but its own node's objects (patch.h) */
	/* ...but is summed up with those beside it (sums.h) */
	ATTR_SUMMED = 1 << 6,
};

/* What setting it does to traffic that is under way. */
enum effect {
	EFFECT_NONE,	/* nothing is sent to the data plane */
	EFFECT_HITLESS, /* changed in place, no packet lost */
	EFFECT_FLAP,	/* packets of this object may be lost once */
	EFFECT_REBUILD, /* the object and what is below it is made anew */
};
const char *effect_name(enum effect effect);

struct kind;

struct attr {
	const char *name;
	const struct type *type;
	unsigned flags;	      /* enum attr_flags */
	const char *standard; /* default as it would be typed, or NULL */
	const char *unit;     /* of numbers: "packets"; or NULL */
	uint64_t min, max;    /* of numbers, sizes, rates; max 0: no limit */
	uint8_t family;	      /* of addresses: AF_INET, AF_INET6 or 0 */
	const struct choice *choices; /* of type_enum; ends with a NULL name */
	const struct choice *words;   /* in place of a value; same */
	const struct kind *refers;    /* of type_ref: kind of the target */
	bool below; /* ...which is below this node's root (class default) */
	enum effect effect;
	const char *help;    /* one line, no full stop */
	const char *example; /* a value that can be typed */
};

struct kind {
	const char *name;	/* path */
	const char *plural;	/* paths: for "3 paths" */
	const char *summary;	/* one line, no full stop */
	const char *man;	/* a paragraph for help and the manual */
	const char *fixed_name; /* name of a fixed node of this kind, or NULL */
	const struct attr *attrs;
	size_t attr_count;
	const struct kind *const *fixed; /* NULL-terminated, or NULL */
	const struct kind *child;	 /* what `create` makes here, or NULL */
	/* What stands in brackets in `ls`: settings only, no state. NULL:
	 * the number of children. */
	void (*brief)(const struct node *node, struct text *out);
	/* What the running system says of it, in a few words, behind its state.
	 * NULL: the state alone, if it is news. */
	void (*tells)(const struct node *node, const struct live *live,
		      struct text *out);
};

extern const struct kind kind_root, kind_paths, kind_path, kind_classes,
	kind_uplink, kind_class, kind_matches, kind_match, kind_links,
	kind_link, kind_peers, kind_peer, kind_members, kind_member,
	kind_system;

/* All of the above, NULL-terminated, for walks over the tables. */
extern const struct kind *const kinds[];

/* NULL if there is none. */
const struct attr *kind_attr(const struct kind *kind, const char *name);
const struct kind *kind_find(const char *name);
/* Index of attr in kind->attrs. */
size_t kind_index(const struct kind *kind, const struct attr *attr);

/* Positions in the tables, for the code that gives the settings their meaning.
 */
enum path_attr {
	PATH_DEVICE,
	PATH_GATEWAY,
	PATH_SOURCE,
	PATH_GATEWAY6,
	PATH_SOURCE6,
	PATH_UP,
	PATH_DOWN,
	PATH_TABLE,
	PATH_MARK,
	PATH_DEFAULT_ROUTE,
	PATH_METRIC,
	PATH_ENABLED,
	PATH_DESCRIPTION,
	PATH_DRIFT,
	PATH_STATE, /* read-only from here on */
	PATH_ERROR,
	PATH_ATTRS
};
enum uplink_attr {
	UPLINK_PATH,
	UPLINK_DEVICE,
	UPLINK_DIRECTION,
	UPLINK_DEFAULT,
	UPLINK_R2Q,
	UPLINK_PRESET, /* these four in this order: enum layer */
	UPLINK_LINKLAYER,
	UPLINK_OVERHEAD,
	UPLINK_MPU,
	UPLINK_CLASSIFIER,
	UPLINK_SHARDS,
	UPLINK_FILTERS,
	UPLINK_LENIENT,
	UPLINK_ENABLED,
	UPLINK_DESCRIPTION,
	UPLINK_DRIFT,
	UPLINK_STATE, /* read-only from here on */
	UPLINK_ERROR,
	UPLINK_ATTRS
};
enum class_attr {
	CLASS_RATE,
	CLASS_CEIL,
	CLASS_BURST,
	CLASS_CBURST,
	CLASS_PRIO,
	CLASS_QUANTUM,
	CLASS_PRESET, /* these four in this order: enum layer */
	CLASS_LINKLAYER,
	CLASS_OVERHEAD,
	CLASS_MPU,
	CLASS_LEAF,
	CLASS_CLASSID,
	CLASS_MARK,
	CLASS_SHARDS,
	CLASS_DESCRIPTION,
	CLASS_DRIFT,
	CLASS_STATE, /* read-only from here on */
	CLASS_ERROR,
	CLASS_PACKETS,
	CLASS_BYTES,
	CLASS_DROPS,
	CLASS_OVERLIMITS,
	CLASS_BACKLOG,
	CLASS_QUEUED,
	CLASS_LENDS,
	CLASS_BORROWS,
	CLASS_GIANTS,
	CLASS_TOKENS,
	CLASS_CTOKENS,
	CLASS_ATTRS
};
enum match_attr {
	MATCH_ORDER,
	MATCH_SCOPE,
	MATCH_PROTO,
	MATCH_SPORT,
	MATCH_DPORT,
	MATCH_SRC,
	MATCH_DST,
	MATCH_DSCP,
	MATCH_TCP_FLAGS,
	MATCH_LENGTH,
	MATCH_UID,
	MATCH_GID,
	MATCH_CGROUP,
	MATCH_HOST,
	MATCH_MARK,
	MATCH_ENABLED,
	MATCH_DESCRIPTION,
	MATCH_STATE, /* read-only from here on */
	MATCH_ERROR,
	MATCH_PACKETS,
	MATCH_BYTES,
	MATCH_ATTRS
};
/* What links, members and peers count, each way; behind MEMBER_COUNTERS and its
 * like. A maximum stands behind its mean, and what is of the way in behind what
 * is of the way out. */
enum counter {
	COUNTER_RATE_OUT,
	COUNTER_RATE_OUT_MAX,
	COUNTER_RATE_IN,
	COUNTER_RATE_IN_MAX,
	COUNTER_PACKETS_OUT,
	COUNTER_PACKETS_OUT_MAX,
	COUNTER_PACKETS_IN,
	COUNTER_PACKETS_IN_MAX,
	COUNTER_LOSS_OUT,
	COUNTER_LOSS_OUT_MAX,
	COUNTER_LOSS_IN,
	COUNTER_LOSS_IN_MAX,
	COUNTER_QUEUE_OUT,
	COUNTER_QUEUE_OUT_MAX,
	COUNTER_QUEUE_IN,
	COUNTER_QUEUE_IN_MAX,
	COUNTER_BYTES_OUT,
	COUNTER_BYTES_IN,
	COUNTER_FIGURES, /* a link has those before it */
	COUNTER_FULL_OUT = COUNTER_FIGURES,
	COUNTER_FULL_IN,
	COUNTER_LAST_FULL_OUT,
	COUNTER_LAST_FULL_IN,
	COUNTER_PEAK_OUT,
	COUNTER_PEAK_OUT_AT,
	COUNTER_PEAK_IN,
	COUNTER_PEAK_IN_AT,
	COUNTERS
};
/* Bytes around a packet that a tunnel carries: IP, UDP, and our own 32. */
enum { TUNNEL_AROUND_IP4 = 60, TUNNEL_AROUND_IP6 = 80 };
/* Of a frame, more than its packet; and what may go in fragments. */
enum { TUNNEL_FRAME = 18, TUNNEL_FRAGMENTED = 2048 };
enum link_attr {
	LINK_TYPE,
	LINK_ROLE,
	LINK_DEVICE,
	LINK_MODE,
	LINK_LOCAL,
	LINK_LOCAL6,
	LINK_LISTEN,
	LINK_PEER,
	LINK_PEER_KEY,
	LINK_PSK,
	LINK_KEY,
	LINK_PUBLIC_KEY,
	LINK_POLICY,
	LINK_DOUBLE,
	LINK_DUPLICATE,
	LINK_DUPLICATE_MARK,
	LINK_DUPLICATE_CLASS,
	LINK_HOLD,
	LINK_MTU,
	LINK_SLICE,
	LINK_SLICES,
	LINK_THREADS,
	LINK_ISOLATE,
	LINK_STORM_CONTROL,
	LINK_ENABLED,
	LINK_DESCRIPTION,
	LINK_STATE, /* read-only from here on */
	LINK_ERROR,
	LINK_MTU_NOW,
	LINK_ADDRESS,
	LINK_THREADS_NOW,
	LINK_OFFLOADS,
	LINK_PEERS_UP,
	LINK_MARKED,
	LINK_REFUSED,
	LINK_DROPPED,
	LINK_COUNTERS,
	LINK_ATTRS = LINK_COUNTERS + COUNTER_FIGURES
};
enum peers_attr {
	PEERS_KNOCKED, /* read-only */
	PEERS_ATTRS
};
enum peer_attr {
	PEER_KEY,
	PEER_PSK,
	PEER_ADDRESS,
	PEER_UP,
	PEER_DOWN,
	PEER_ENABLED,
	PEER_DESCRIPTION,
	PEER_STATE, /* read-only from here on */
	PEER_ERROR,
	PEER_ENDPOINT,
	PEER_RTT,
	PEER_POLICY,
	PEER_LANES,
	PEER_MTU,
	PEER_OVERSIZE,
	PEER_SPOOFED,
	PEER_POLICED,
	PEER_ISOLATED,
	PEER_CROWDED,
	PEER_STORM_DROPPED,
	PEER_STATIONS,
	PEER_COUNTERS,
	PEER_ATTRS = PEER_COUNTERS + COUNTERS
};
enum member_attr {
	MEMBER_PATH,
	MEMBER_SOCKETS,
	MEMBER_PRIORITY,
	MEMBER_WEIGHT,
	MEMBER_STANDBY,
	MEMBER_METERED,
	MEMBER_UP,
	MEMBER_DOWN,
	MEMBER_ENABLED,
	MEMBER_DESCRIPTION,
	MEMBER_STATE, /* read-only from here on */
	MEMBER_ERROR,
	MEMBER_RTT,
	MEMBER_DELAY_OUT,
	MEMBER_DELAY_IN,
	MEMBER_RATE,
	MEMBER_SHARE,
	MEMBER_MTU,
	MEMBER_RESENT,
	MEMBER_DOUBLED,
	MEMBER_COUNTERS,
	MEMBER_ATTRS = MEMBER_COUNTERS + COUNTERS
};
enum system_attr {
	SYSTEM_CLASS_MASK,
	SYSTEM_PATH_MASK,
	SYSTEM_TABLES,
	SYSTEM_RULES,
	SYSTEM_DRIFT,
	SYSTEM_DEADLINE,
	SYSTEM_ATTRS
};

/* Indexes of the choices and words that code asks for. */
enum linklayer { LINKLAYER_ETHERNET, LINKLAYER_ATM };
enum link_role { ROLE_CLIENT, ROLE_SERVER };
enum link_mode { MODE_TUN, MODE_TAP };
enum link_policy { POLICY_AGGREGATE, POLICY_FAILOVER, POLICY_DUPLICATE };
enum direction { DIRECTION_UP, DIRECTION_DOWN };
enum scope { SCOPE_CONNECTION, SCOPE_PACKET };
enum classifier { CLASSIFIER_NFT, CLASSIFIER_FW, CLASSIFIER_BPF };
enum filters { FILTERS_OWN, FILTERS_FOREIGN };
enum gateway_word { GATEWAY_NONE = 1, GATEWAY_ONLINK = 2 }; /* value.word */
enum source_word { SOURCE_NONE = 1 };

#endif
