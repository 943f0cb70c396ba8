/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * hub.h - one thread of a link: a queue of its tun device, sockets, peers.
 *
 *                      .-- peer --.      one braid, one session each
 *      tun device --- hub -- peer --- lanes --- UDP sockets --- lines
 *                      '-- peer --'
 *
 * A client has one peer and several members (lines of this host), each with
 * 1..16 sockets of its own; a server has one socket and many peers, and learns
 * their lanes from what authenticates. A server's peers may be dealt out to
 * several hubs (crew.h).
 *
 * The thread owns everything. The calls below hand it what is to be done and
 * wait until it is, between two packets; they may be made by one other thread.
 * Nothing in the way of a packet locks or allocates.
 */
#ifndef BACKENDS_ENGINE_HUB_H
#define BACKENDS_ENGINE_HUB_H

#include <jansson.h>

#include "backends/engine/braid.h"
#include "backends/engine/noise.h"
#include "backends/engine/inner.h"
#include "backends/engine/lease.h"
#include "backends/engine/steer.h"
#include "backends/engine/udp.h"
#include "model/base/err.h"
#include "model/base/mem.h"

enum {
	HUB_SOCKETS = 16,  /* of a member */
	HUB_ENDPOINTS = 8, /* addresses of a peer that are tried */
	HUB_NAME = 64,	   /* with the zero at its end */
	HUB_SENTENCE = 240,
	HUB_PREFIXES = 32, /* inner prefixes of a peer */
	HUB_NO_DSCP = 64,
	HUB_MOMENTS = 256, /* kept until somebody takes them */
};

struct hub;

struct hub_config {
	char name[HUB_NAME];
	char device[16]; /* IFNAMSIZ */
	bool tap, server;
	bool take_ip4, take_ip6; /* client: addresses from its server */
	bool isolate; /* server: what a client sends another is dropped */
	/* Server, tap: frames a second that a client may send to all others;
	 * 0: any number. */
	uint32_t storm_pps;
	uint16_t listen;	   /* server: UDP port; 0: any */
	uint8_t threads;	   /* server; 0: by the processors there are */
	uint16_t mtu;		   /* of the device; 0: found out */
	uint8_t secret[NOISE_KEY]; /* our static key */
	enum braid_mode mode;
	uint16_t small_bytes; /* 0: the braid's default */
	uint32_t hold_max_us; /* the same */
	/* What has this DSCP goes on two lines; HUB_NO_DSCP: nothing does. */
	uint8_t duplicate_dscp;
	struct steer_rule duplicate; /* the same of a mark, of a class */
	uint32_t slice_us; /* of the counters; 0: the braid's default */
	uint8_t slices;	   /* the same */
	/* eventfd(2): written to when there are moments, when hub_lease() has
	 * come to say something else, when the server does not answer, or for
	 * crew_gave_back(); or -1 */
	int news;
};

struct crew;
struct tun;

/* Number `part` of its crew, which is borrowed; tun, and udp (a server's; else
 * NULL), become the hub's. NULL and one sentence. */
struct hub *hub_new(struct crew *crew, unsigned part, struct tun *tun,
		    struct udp *udp, struct err *err);
/* Of hub 0 of a server, before it starts: one of the UDP_DOORS sockets that all
 * but transport comes to (udp_share()), which becomes the hub's. */
int hub_door(struct hub *hub, unsigned number, struct udp *udp,
	     struct err *err);
/* Of hub 0: the queue of what goes on two lines (steer.h), which becomes the
 * hub's. */
int hub_marked(struct hub *hub, struct tun *tun, struct err *err);
/* For who calls that: has it one, and its first queue. */
bool hub_has_marked(const struct hub *hub);
int hub_tun_fd(const struct hub *hub);
int hub_start(struct hub *hub, struct err *err);
/* Ends the thread; peers see silence. */
void hub_end(struct hub *hub);
/* Wipes the keys. */
void hub_free(struct hub *hub);
AUTO_DEFINE(hub, struct hub *, hub_free)
/* What can be changed while packets flow (crew_set()). */
void hub_set(struct hub *hub, const struct hub_config *config);

struct hub_peer {
	char name[HUB_NAME];
	uint8_t key[NOISE_KEY];
	bool has_psk;
	uint8_t psk[NOISE_KEY];
	/* Inner addresses that are its own: packets to them go there, and only
	 * from them it may send. A client's peer (the server) has all. */
	size_t prefix_count;
	struct inner_prefix prefixes[HUB_PREFIXES];
	/* Client: where it listens. */
	size_t endpoint_count;
	struct address endpoints[HUB_ENDPOINTS];
	uint64_t up_bps, down_bps; /* limits from and to it; 0: none */
	/* Server: what it is told that it has. */
	struct lease lease;
};
/* Client: does it lack an answer of its server? */
bool hub_is_alone(struct hub *hub);
/* Whose an inner address is. number: no other peer of the crew's has it; 0:
 * there are more peers than numbers. */
struct owner {
	struct hub *hub;
	uint16_t number;
};
/* Makes or changes the peer of that name; what is under way goes on unless its
 * key is another. owner: NULL, or what the other hubs are to be told of it.
 * -EEXIST: key or prefix are somebody else's. */
int hub_peer_set(struct hub *hub, const struct hub_peer *peer,
		 struct owner *owner, struct err *err);
/* Without one of that name nothing happens. */
void hub_peer_remove(struct hub *hub, const char *name);
/* The prefixes of a peer of another hub were `before`, and are `after`; owner
 * is borrowed as long as they are. */
struct hub_others {
	const struct inner_prefix *before, *after;
	size_t before_count, after_count;
	struct owner *owner;
};
void hub_others_set(struct hub *hub, const struct hub_others *others);

/* A line of this host, of a client. */
struct hub_member {
	char name[HUB_NAME];
	char device[16];	/* "": by the routing table */
	struct in6_addr source; /* all zero: the device's */
	uint32_t mark;
	uint8_t sockets; /* 1..HUB_SOCKETS */
	uint8_t tier, weight;
	bool standby, metered;
	uint64_t up_bps, down_bps; /* caps; 0: found out */
};
/* A device or address that is not there yet is no failure: the member joins
 * when it comes, and hub_status() tells why it has not. */
void hub_member_set(struct hub *hub, const struct hub_member *member);
/* Takes its lanes out without losing what is under way: they are gone some
 * moments later. */
void hub_member_remove(struct hub *hub, const char *name);

/* Its queue is gone, with the device. */
bool hub_is_lost(struct hub *hub);
/* Other queues, of the device made anew; they become the hub's. marked: as
 * above, or NULL. */
void hub_retake(struct hub *hub, struct tun *tun, struct tun *marked);

/* A device of this host went down or came up; index of the interface. */
void hub_device(struct hub *hub, const char *name, uint32_t index, bool up);

/* What happened on a line: it became full, is no longer, or carried more than
 * ever before. */
enum hub_what { HUB_LINE_FULL, HUB_LINE_FREE, HUB_LINE_BEST };
struct hub_moment {
	enum hub_what what;
	bool in;
	uint16_t line;	       /* the client's number for it */
	char peer[HUB_NAME];   /* at whose other end */
	char member[HUB_NAME]; /* client; "" on a server */
	uint64_t rate_bps;     /* FREE: when it became full */
	uint32_t queue_us;
	int64_t at_us;	    /* since 1970; FULL: since then, FREE: until then */
	uint64_t lasted_us; /* FREE */
};
/* Takes the oldest; if nobody does they are lost. */
size_t hub_moments(struct hub *hub, struct hub_moment *out, size_t room);

/* What all its peers' lanes have counted, added to sums[BRAID_WAYS]. */
void hub_gather(struct hub *hub, uint64_t now, struct meter_sums *sums);
json_t *hub_reading(const struct meter_reading *meter);
/* What a client's server has handed out; false: nothing was said yet. */
bool hub_lease(struct hub *hub, struct lease *lease);

/* Everything there is to see, as the control protocol shows it (control.h). The
 * caller's to decref. */
json_t *hub_status(struct hub *hub);

#endif
