/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * crew.h - one link: a tun device, and the hubs (hub.h) that work on it.
 *
 *                          .-- queue 0 - hub 0 - socket --.    all inits
 *      device, prefixes ---+-- queue 1 - hub 1 - socket --+--- one UDP port
 *                          '-- queue 2 - hub 2 - socket --'    peers by index
 *
 * A client's link has one hub. A server's has several, each a thread with its
 * own queue of the device, its own socket on the port, and its share of the
 * peers; a peer stays with its hub. The kernel brings a peer's datagrams to its
 * hub by what the index in them says (udp_share()), and a flow's packets to the
 * queue that last wrote to it. What comes to the wrong hub nevertheless is
 * handed over by a ring (hub_hand.c), and so is, in tap mode, what is for a
 * client of another hub, or for all of them: where an address is they all look
 * up in one table (fdb.h).
 *
 * Where the device has one queue, or the kernel cannot steer, there is one hub,
 * and crew_status() says why. Where packets of a mark are to be told from
 * others, these come by one more queue, which hub 0 reads (steer.h); and since
 * what decides that decides for all, it reads all others, too, and hands them
 * over.
 */
#ifndef BACKENDS_ENGINE_CREW_H
#define BACKENDS_ENGINE_CREW_H

#include "backends/engine/hub.h"
#include "backends/engine/wire.h"

enum {
	CREW_MOST = WIRE_PARTS, /* hubs */
	CREW_AUTO = 8,		/* where the number is not given */
};

struct crew_peer;
struct fdb;
struct ring;

/* What its hubs share. They read it; who writes what is said. */
struct crew {
	struct hub_config
		config;	  /* of the one that sets: hubs have their own */
	char device[16];  /* what of it never changes ... */
	bool server, tap; /* ... and hubs look at here */
	unsigned count;
	struct hub *hubs[CREW_MOST];
	struct ring *rings[CREW_MOST][CREW_MOST]; /* from, to; else NULL */
	struct fdb *fdb; /* server, tap: where an address is; else NULL */
	uint8_t cookie_root[NOISE_KEY];
	char why_one[160]; /* hub, though more were wanted */
	/* Which hub has which peer: changed within hub 0 only. */
	struct crew_peer *peers[256]; /* by the key's first byte */
	unsigned peer_count[CREW_MOST];
	/* Atomic. The device's MTU; as it was given, 0: it was not; and what
	 * each hub's peers can carry (crew_mtu_set()), 0: it has none. */
	uint16_t mtu;
	uint16_t mtu_given;
	uint16_t mtu_found[CREW_MOST];
	/* Atomic: peers came to rest, and a lot of memory is free. */
	bool gave_back;
};

/* Opens device and socket and starts the threads. NULL and one sentence. */
struct crew *crew_new(const struct hub_config *config, struct err *err);
/* Ends them; peers see silence. Wipes the keys. */
void crew_free(struct crew *crew);
AUTO_DEFINE(crew, struct crew *, crew_free)
/* What can be changed while packets flow; -EOPNOTSUPP if config asks for more,
 * and then nothing is changed. */
int crew_set(struct crew *crew, const struct hub_config *config,
	     struct err *err);
/* As in hub.h. */
int crew_peer_set(struct crew *crew, const struct hub_peer *peer,
		  struct err *err);
void crew_peer_remove(struct crew *crew, const char *name);
void crew_member_set(struct crew *crew, const struct hub_member *member);
void crew_member_remove(struct crew *crew, const char *name);
void crew_device(struct crew *crew, const char *name, uint32_t index, bool up);
/* As hub_moments(). */
size_t crew_moments(struct crew *crew, struct hub_moment *out, size_t room);
bool crew_is_alone(struct crew *crew);
/* Do packets of a mark come by their queue? Where there are none they do. */
bool crew_is_steered(struct crew *crew);
bool crew_lease(struct crew *crew, struct lease *lease);
/* Since the last call, have peers given back what their flows needed? */
bool crew_gave_back(struct crew *crew);
/* Of all hubs together, as the control protocol shows it. */
json_t *crew_status(struct crew *crew);

/* --- for hubs ------------------------------------------------------------- */

/* Hub 0: who has the peer of that key; NULL: there is none. */
struct hub *crew_find(const struct crew *crew, const uint8_t key[NOISE_KEY]);
/* The device's MTU, as last set. */
uint16_t crew_mtu(const struct crew *crew);
/* The lanes of this hub's peers carry so much, 0: there are none. Unless one
 * was given, the device takes the most that any of a tun server's peers can
 * carry, so that a bad line is nobody else's: what is too big for one of them
 * is answered, or cut (hub_send.c). An Ethernet segment has one size: there,
 * and of course of a client, it is the least. */
void crew_mtu_set(struct crew *crew, unsigned part, uint16_t found);
bool crew_mtu_is_most(const struct crew *crew);

#endif
