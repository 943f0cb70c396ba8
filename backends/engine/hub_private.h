/* SPDX-License-Identifier: GPL-3.0-or-later */
/* hub_private.h - what the files of the hub share. */
#ifndef BACKENDS_ENGINE_HUB_PRIVATE_H
#define BACKENDS_ENGINE_HUB_PRIVATE_H

#include <pthread.h>
#include <sys/queue.h>

#include "backends/engine/backlog.h"
#include "backends/engine/crew.h"
#include "backends/engine/fdb.h"
#include "backends/engine/fragment.h"
#include "backends/engine/handshake.h"
#include "backends/engine/hub.h"
#include "backends/engine/keep.h"
#include "backends/engine/limit.h"
#include "backends/engine/tun.h"

enum {
	HUB_NAMES = 1024, /* chains that peers are found in by name */
	HUB_MTU = 1440,	  /* 1500 less what IPv4 and we put around a packet */
	HUB_OUT = 160 << 10,	 /* bytes that are sealed at once */
	HUB_CONTROL = 64 << 10,	 /* a payload that probes the MTU */
	HUB_SCRATCH = 512 << 10, /* delivered, and not yet written */
	HUB_FRAME = 18,	 /* Ethernet header with a tag (802.1Q): a frame is that
			  * much more than what the device's MTU counts */
	HUB_BUNCHES = 2, /* open at a time: what goes by one lane, and copies of
			  * it by another */
	NO_LANE = 255,
	HUB_ACCOUNTS = 4096,	  /* in a ring between hubs (hub_hand.c) */
	HUB_NUMBERS = UINT16_MAX, /* of a crew's peers, from 1 */
};

/* One way to the peer: a pair of sockets. */
struct lane {
	uint8_t id;
	bool reachable;	 /* `to` is known */
	struct udp *udp; /* borrowed from the member, or the hub */
	struct address to;
	uint64_t newer; /* counters from here on move it to who has them */
	struct member *member; /* client; NULL on a server */
	int refused;	       /* errno of the last that was sent; 0: none */
	bool closed;	       /* for that it was taken down */
};

struct peer {
	struct owner self; /* first: what an inner address leads to */
	TAILQ_ENTRY(peer) entry;
	LIST_ENTRY(peer) namesake; /* of those whose names hash alike */
	struct hub *hub;	   /* that has it */
	struct hub_peer config;
	struct handshake_peer *handshake;
	struct braid *braid;	 /* NULL: nothing was said yet */
	struct backlog *backlog; /* NULL: nothing waited lately */
	uint64_t queue_dropped;	 /* by those it had before */
	uint64_t era;		 /* of the braid; 0: none yet */
	struct lane *lanes[256]; /* owned, by id */
	unsigned lane_count;
	uint64_t next;		    /* when it wants to be looked after */
	size_t place;		    /* in the heap, from 1; 0: not in it */
	struct limit towards, from; /* its limits */
	uint8_t said;		    /* to it, of itself (lease.h) */
	uint64_t granted_bps; /* client: the server takes no more; 0: all */
	uint64_t spoofed, policed, oversize, dropped, isolated;
	struct limit storm; /* of its frames to all others */
	uint64_t storm_dropped;
	uint64_t crowded_before;    /* by who had its number (hub_crowded()) */
	uint64_t fragmented;	    /* packets to it */
	struct joiner *joiner;	    /* NULL: no fragments came lately */
	struct joiner_stats joined; /* by those it had before */
	struct fdb_port port;	    /* of the switch: a server's, in tap mode */
	uint64_t since;		    /* of the session's first; 0: none */
};
TAILQ_HEAD(peers, peer);
LIST_HEAD(namesakes, peer);

struct member {
	TAILQ_ENTRY(member) entry;
	struct hub_member config;
	struct udp *udp[HUB_SOCKETS];
	uint8_t lanes[HUB_SOCKETS]; /* ids; NO_LANE: none */
	uint8_t line;		    /* its number to the braid */
	uint32_t index;		    /* of the device that they are bound to */
	bool leaving;
	bool aimed;	    /* there is an endpoint for it: */
	struct address aim; /* ... this one (hub_aim.c) */
	int refused;	    /* errno of the last init that was sent by it */
	char error[HUB_SENTENCE];
};
TAILQ_HEAD(members, member);

/* Sealed datagrams that have not gone out yet. */
struct bunch {
	struct peer *peer;
	struct lane *lane;
	size_t stride;
	uint8_t *out;	    /* owned, HUB_OUT */
	size_t from, bytes; /* in it */
	bool ended;	    /* the last one is shorter */
};

/* What was handed to other hubs, or not. */
struct handed {
	uint64_t packets, datagrams, inits;
	uint64_t full; /* packets and the like that no ring took */
};

struct hub {
	struct crew *crew;
	unsigned part; /* its number in it */
	struct hub_config config;
	struct tun *tun;
	struct tun *marked; /* what comes by it goes on two lines; or NULL */
	struct udp *udp;    /* server ... */
	struct udp *doors[UDP_DOORS]; /* ... and by these come its callers, */
	unsigned next_door;	      /* this one first */
	int epoll, wake;
	int bell;      /* rung by other hubs ... */
	bool lost;     /* the device */
	bool asleep;   /* ... that find this: atomic */
	uint32_t rung; /* whose rings were written to, by part */
	struct handed handed;
	pthread_t thread;
	bool started, ending;

	struct handshake *handshake;
	struct peers peers;
	struct namesakes names[HUB_NAMES];
	struct members members;
	struct inner_map *prefixes; /* server: struct owner of an address */
	struct peer **numbers;	    /* server: our peers; NULL: free */
	size_t number_room, number_free; /* none is free before that one */
	uint64_t *crowded;    /* by number: packets that no ring took. Atomic;
			       * NULL: there are no rings */
	struct fdb *fdb;      /* the crew's: server, tap */
	struct fdb_port port; /* ... of the device */
	uint8_t mac[FDB_ADDRESS]; /* ... and its own */
	struct peer **heap;	  /* from 1: the next to look after first */
	size_t heap_count, heap_room;
	uint64_t housekeeping;	  /* when it is due */
	size_t resting;		  /* peers, at the last one */
	uint64_t retry;		  /* when lines that do not work are tried */
	uint64_t resize, resized; /* when the device's size is, and was, looked
				   * at; UINT64_MAX: not asked for */

	struct udp_room *room;
	struct keep *keep;
	struct bunch bunches[HUB_BUNCHES];
	unsigned bunch;	      /* that was last added to */
	bool reading;	      /* the device: more will follow */
	bool twice;	      /* ... its queue of marked packets */
	uint8_t *control;     /* HUB_CONTROL */
	struct peer *touched; /* has got packets that were not sent yet */
	size_t touched_bytes;
	uint8_t *scratch; /* HUB_SCRATCH */
	size_t scratch_used;
	uint64_t unrouted; /* packets to nobody */
	uint32_t fragment; /* number of the last packet that went in them */

	struct handshake_hello own, told; /* the device's addresses: as they are
					   * since ..., and in our last init */
	uint64_t own_at;
	struct address looped; /* what was sent there came in by the device, */
	uint64_t looped_at;    /* ... then; 0: never */

	uint16_t mtu; /* of the device: as it was when the turn began */
	uint8_t next_lane, next_line;

	/* Where the datagram in hand came from. */
	struct udp *from_udp;
	struct address from;

	/* A call from outside. */
	pthread_mutex_t lock;
	pthread_cond_t done;
	void (*call)(struct hub *hub, void *arg);
	void *call_arg;

	struct lease lease; /* client: what the server has handed out ... */
	bool leased;	    /* ... if it did */

	char error[HUB_SENTENCE]; /* device gone ... */
	struct hub_moment moments[HUB_MOMENTS];
	uint32_t moment_head, moment_tail;
};

uint64_t clock_us(void);

/* hub.c: runs call in the hub's thread and waits for it. */
void hub_call(struct hub *hub, void (*call)(struct hub *, void *), void *arg);
/* Watches a socket; data tells it from the others. */
int hub_watch(struct hub *hub, int fd, void *data, struct err *err);
/* The peer has something to do at that time. */
void hub_schedule(struct hub *hub, struct peer *peer, uint64_t at);
void hub_unschedule(struct hub *hub, struct peer *peer);

/* What a peer's lanes carry has changed: soon the device takes the size that
 * follows (crew_mtu_set()). */
void hub_mtu(struct hub *hub);
/* It has keys, and lanes or had some. */
static inline bool peer_is_there(const struct peer *peer)
{
	return peer->braid && handshake_session(peer->handshake);
}

/* hub_peer.c */
extern const struct handshake_ops hub_handshake_ops;
int hub_key_refused(const char *name, struct err *err);
struct lane *lane_add(struct peer *peer, uint8_t id, struct udp *udp,
		      const struct address *to);
void lane_remove(struct peer *peer, uint8_t id);
struct peer *hub_only_peer(const struct hub *hub);
/* That has this number; NULL: none of ours. */
struct peer *peer_numbered(const struct hub *hub, uint16_t number);
/* NULL: another hub's. */
struct peer *peer_of(const struct hub *hub, const struct owner *owner);
void peer_free(struct peer *peer);
void member_free(struct member *member);
/* Makes the braid, with the lanes of our members, once there are keys. */
void peer_ready(struct peer *peer, uint64_t now);
/* false: the datagram or session is of an era that is over. */
bool peer_era(struct peer *peer, const struct session *session, uint64_t now);
void hub_housekeeping(struct hub *hub, uint64_t now);
/* It does not work: its lanes lead to the next of the peer's endpoints, if it
 * has several. */
void member_retarget(struct peer *peer, struct member *member, uint64_t now);

/* hub_aim.c */
enum { AIM_IP4 = 1 << 0, AIM_IP6 = 1 << 1 };
/* What the device has addresses of. */
unsigned aim_families(const char *device);
/* The endpoints that this member may reach; how many. */
size_t aim_list(const struct peer *peer, const struct member *member,
		const struct address *list[HUB_ENDPOINTS]);
/* Keeps its aim as long as that is an endpoint, or takes the next one; true: it
 * is another. */
bool aim_take(const struct peer *peer, struct member *member, bool next);
/* From there an answer came: the same. */
bool aim_set(const struct peer *peer, struct member *member,
	     const struct address *to);

/* What an end says of itself in a handshake (features). */
enum {
	HELLO_MODE = 1 << 0, /* what it carries is said: */
	HELLO_TAP = 1 << 1,  /* ... frames, not packets */
};
/* It takes fragments (fragment.h). A test builds an engine that is too old to
 * (build/tressed-whole). */
#ifndef HELLO_FRAGMENTS
#define HELLO_FRAGMENTS (1U << 2)
#endif

/* hub_trouble.c */
/* A datagram was sent by that lane, or not: 0 or negative errno. */
void hub_sent(struct hub *hub, struct peer *peer, struct lane *lane, int rc);
/* Nobody answers: find out why. */
void hub_doubt(struct hub *hub);
/* Tries again what does not work. */
void hub_retry(struct hub *hub, uint64_t now);
/* Why nothing goes by this member, one sentence. false: it does, or nobody
 * knows. */
bool hub_trouble(const struct hub *hub, const struct member *member,
		 uint64_t now, char text[HUB_SENTENCE]);
/* The same as hub_trouble(), of a server's peer. */
bool hub_peer_trouble(const struct peer *peer, uint64_t now,
		      char text[HUB_SENTENCE]);

/* hub_agree.c: do both ends go together? */
/* The device's inner addresses into what we say of ourselves. */
void hub_say_own(struct hub *hub, struct handshake_hello *out, uint64_t now);
/* They are others than we have said: it is to be said again. */
bool hub_has_news(struct hub *hub, uint64_t now);
/* Server: what the peer is to be told of itself (enum lease_said). */
uint8_t hub_said(const struct peer *peer, uint64_t now);
/* What one end has the other cannot take, one sentence. false: they agree, as
 * far as is known. */
bool hub_disagrees(struct peer *peer, uint64_t now, char text[HUB_SENTENCE]);
/* Is it a datagram of our own, which was to go to a peer and has come in by the
 * tunnel's own device? Then it would go round, and grow, for ever. */
bool hub_loops(struct hub *hub, const struct tun_packet *packet, uint64_t now);
/* That there was one not long ago. */
bool hub_looped(const struct hub *hub, uint64_t now, char text[HUB_SENTENCE]);

/* hub_switch.c: a server's clients as one Ethernet segment. */
/* NULL: it is no switch. */
struct fdb *switch_new(const struct hub_config *config);
/* Reads the device's own address. */
void switch_open(struct hub *hub);
void switch_join(struct peer *peer);
void switch_forget(struct peer *peer);
void switch_age(struct hub *hub, uint64_t now);
/* May this frame have come from that peer? Then it is remembered. */
bool switch_learn(struct peer *peer, const uint8_t *frame, size_t size,
		  uint64_t now);
/* A packet of a peer, on its way: goes to the peers that it is for. True: it is
 * for the device as well. */
bool switch_from_peer(struct peer *peer, const uint8_t *packet, size_t size,
		      const struct packet_info *info, bool unsummed,
		      uint64_t now);
/* A frame of the device, in keep_room(), goes to the peers that it is for. */
void switch_from_device(struct hub *hub, struct tun_packet *packet,
			uint64_t now);
/* The same of a frame that another hub has handed over; all: for all peers. */
void switch_handed(struct hub *hub, struct tun_packet *packet, bool all,
		   uint64_t now);

/* hub_status.c: for hub_moments(). */
void hub_remember(struct peer *peer, const struct braid_event *event,
		  uint64_t now);

/* hub_fit.c: what is too big for a peer's lines. */
/* The largest inner packet for this peer, of the device's size at most. */
uint16_t peer_mtu(const struct peer *peer);
/* Is this one too big? */
bool fit_is_needed(const struct peer *peer, const struct tun_packet *packet);
/* Then what becomes of it: its sender is told, or it is cut, as a router does
 * (RFC 791, 3.2; RFC 1812, 5.2.7), or it goes in fragments (fragment.h). Each
 * piece is put into keep_room() and given to put(). false: none of that, some
 * lane may carry it. The packet lies in keep_room(), or has been kept. */
typedef void fit_put(struct peer *peer, struct tun_packet *packet,
		     uint64_t now);
bool fit(struct peer *peer, const struct tun_packet *packet, fit_put *put,
	 uint64_t now);
/* Does the other end take fragments? */
bool fit_fragments(const struct peer *peer);
/* It can go nowhere: counted, and its sender is told. */
void fit_refuse(struct peer *peer, const struct tun_packet *packet);
/* A fragment that came in: the packet if that was the last of it, else NULL. */
const uint8_t *fit_join(struct peer *peer, const uint8_t *payload, size_t *size,
			uint8_t flags);
void fit_stats(const struct peer *peer, struct joiner_stats *stats);
/* Gives back what is only needed while fragments come. */
void fit_rest(struct peer *peer);

/* hub_send.c */
/* Queues a packet that lies in keep_room(): for one peer, or (NULL) for all
 * that are there but one. It leaves when their turn comes. */
void hub_pass(struct hub *hub, struct tun_packet *packet, struct peer *to,
	      const struct peer *except, uint64_t now);
/* All that this peer can send now. */
void peer_work(struct peer *peer, uint64_t now);
/* Reads the tun device. */
void hub_read(struct hub *hub, uint64_t now);

/* A packet of the device, in keep_room(), is for that peer; NULL: for nobody.
 */
void hub_take(struct hub *hub, struct peer *peer, struct tun_packet *packet,
	      uint64_t now);
/* One that another hub has, in keep_room(); all: for all peers. */
void hub_take_handed(struct hub *hub, struct tun_packet *packet, bool all,
		     uint64_t now);
/* That was all of them for now. */
void hub_took_handed(struct hub *hub, uint64_t now);

/* hub_hand.c: from one hub to another. What does not fit is lost and counted. A
 * packet is on the account of the peer with that number; 0: of the device's. */
void hub_hand_packet(struct hub *hub, struct hub *to,
		     const struct tun_packet *packet, bool all,
		     uint16_t number);
/* Packets on that account that all hubs had no room for. */
uint64_t hub_crowded(const struct crew *crew, uint16_t number);
/* A datagram from hub->from: to the one whose it is, or an init to the one that
 * has its sender. */
void hub_hand_datagram(struct hub *hub, struct hub *to, const uint8_t *data,
		       size_t size, uint64_t at);
/* Where a datagram came from, as the handshake keeps it. */
void handshake_address(const struct handshake_source *source,
		       struct address *to);
void hub_hand_init(struct hub *hub, struct hub *to,
		   const uint8_t sender[NOISE_KEY], const uint8_t *init,
		   size_t size);
/* Wakes who was handed something and sleeps; at the end of a turn. */
void hub_ring(struct hub *hub);
/* Does what others have handed over, or some of it. */
void hub_hear(struct hub *hub, uint64_t now);
/* Before it waits: false if there is something to hear. Until hub_wakes() the
 * others ring. */
bool hub_may_sleep(struct hub *hub);
void hub_wakes(struct hub *hub);

/* hub_receive.c */
/* One from hub->from, by hub->from_udp. */
void hub_datagram(struct hub *hub, uint8_t *data, size_t size, uint64_t at,
		  uint64_t now);
/* An init from there that hub 0 has looked at already. */
void hub_init(struct hub *hub, const uint8_t sender[NOISE_KEY],
	      const uint8_t *init, size_t size, uint64_t now);
void hub_receive(struct hub *hub, struct udp *udp, uint64_t now);
void hub_deliver(void *context, const uint8_t *packet, size_t size,
		 uint8_t flags);
void hub_flush(struct hub *hub);

#endif
