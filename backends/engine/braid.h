/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * braid.h - the transport brain of one peer.
 *
 * Several lanes (UDP socket pairs over several lines) lead to one peer. A braid
 * decides which packet goes by which lane, how much may be under way on each,
 * what has to be sent again, and puts what arrives back into order. It does no
 * I/O, has no clock and keeps no keys: the hub around it reads the tun device,
 * seals and opens datagrams, and hands in `now` (microseconds, monotonic).
 *
 *      tun --> backlog --> braid_plan ----> seal, send --> braid_sent
 *                          braid_resend --^
 *                          braid_control -^
 *
 *      socket --> open --> braid_received --+-> braid_order --> deliver()
 *                                           +-> braid_read (control payload)
 *
 * One turn of the hub's loop, for each peer that has something to do:
 *
 *   1. datagrams in: for each that authenticates, braid_received(), then
 *      braid_read() if it is CONTROL, else braid_order();
 *   2. if braid_next() <= now: braid_timer();
 *   3. out, in this order, until each says 0: braid_control(), braid_resend(),
 *      braid_plan() for the head of the backlog; each datagram that goes out
 *      (also control, also copies) is told with braid_sent();
 *   4. events: braid_event(); then sleep until braid_next() or a datagram.
 *
 * A braid survives rekeys: the lanes' counters go on in an era (session.h).
 * With a new era, when either end has started anew, the hub calls
 * braid_restart() at the first datagram of it, sent or received, and from then
 * on hands in nothing of the old one.
 *
 * Whatever arrives in a packet is hostile until it makes sense: it may cost us
 * that packet, and is counted, but never more. Memory is bounded: tables come
 * with the first packet behind a rest (braid_rest()), rings grow by doubling to
 * their limits, and nothing else is allocated while packets move.
 *
 * Sources: RFC 9002 (loss detection), RFC 8985 (RACK), RFC 8899 (DPLPMTUD),
 * RFC 6817 (delay as congestion signal), FAST TCP (Wei et al., 2006), RFC 9438
 * (CUBIC) and Copa (2018) beside others, delivery rate samples:
 * draft-cheng-iccrg-delivery-rate-estimation.
 */
#ifndef BACKENDS_ENGINE_BRAID_H
#define BACKENDS_ENGINE_BRAID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "backends/engine/meter.h"
#include "backends/engine/wire.h"
#include "model/base/mem.h"

struct braid;

enum {
	BRAID_LANES = 64, /* at a time, of 256 ids */
	BRAID_RUN = 64,	  /* most packets one plan covers */
	BRAID_NO_LANE = -1,
	BRAID_CONTROL_ROOM = 1024, /* buffer braid_control() needs, unless it
				    * probes the MTU (then the lane's mtu) */
};

#define BRAID_NEVER UINT64_MAX

/*
 * Each end decides how it sends. The side that answers (quiet) is told by the
 * other which lanes it prefers and in which mode (message.h, `use`), and does
 * as told where it has no mode of its own: so a client's policy and weights
 * hold both ways, unless its server has a policy. Nobody tells the client.
 */
enum braid_mode {
	BRAID_DEFAULT,	 /* for a flow: as the braid's; for a braid: as told */
	BRAID_AGGREGATE, /* all lanes of the lowest tier, then the next tier */
	BRAID_FAILOVER,	 /* the best lane only, by tier and weight */
	BRAID_DUPLICATE, /* everything on the two best lanes */
};

/* Here, so that who only reads descriptions needs no braid. */
static inline const char *braid_mode_name(enum braid_mode mode)
{
	static const char *const names[] = {
		[BRAID_DEFAULT] = "auto",
		[BRAID_AGGREGATE] = "aggregate",
		[BRAID_FAILOVER] = "failover",
		[BRAID_DUPLICATE] = "duplicate",
	};

	return (size_t)mode < ARRAY_SIZE(names) ? names[mode] : "unknown";
}

/*
 * What a braid is told at birth. Zero means the default in brackets.
 */
struct braid_config {
	/* [quiet: as the peer says; else and until then BRAID_AGGREGATE] */
	enum braid_mode mode;
	uint16_t small_bytes;  /* packets below are doubled [200]; 1: none */
	uint16_t hold_packets; /* that may wait for order [8192] */
	uint16_t packet_bytes; /* largest inner packet [1500] */
	uint32_t hold_max_us;  /* longest wait [300000] */
	uint32_t queue_us;     /* delay we cause on a line, as target [5000] */
	/* A burst of a flow is spread over lanes whose delays differ by up to
	 * this from its first packet on [60000]. Beyond that, or for small
	 * bursts, the faster lanes are filled first. */
	uint32_t spread_us;
	uint32_t slice_us; /* of the counters [1000000] */
	uint8_t slices;	   /* METER_SLICES_MOST at most [10] */
	bool quiet;	   /* the answering side: no keepalives */
	uint32_t salt;	   /* random: reorder.h */
	/* Random: keepalives come up to a quarter earlier, so that those of
	 * many who began together spread; 0: they do not. */
	uint32_t beat;
	/* Gives a packet to the tun device, in order. Called from within
	 * braid_order(), braid_read() and braid_timer(); the bytes are
	 * borrowed. flags are those of its inner header (WIRE_UNSUMMED has to
	 * come through). */
	void (*deliver)(void *context, const uint8_t *packet, size_t size,
			uint8_t flags);
	/* What the other end wants us to have (note.h), once in an era, or when
	 * it is another; within braid_read(), bytes borrowed. NULL: nobody
	 * cares. */
	void (*noted)(void *context, const uint8_t *bytes, size_t size);
	void *context;
};

struct braid *braid_new(const struct braid_config *config);
void braid_free(struct braid *braid);
AUTO_DEFINE(braid, struct braid *, braid_free)

/* A new era: both ends number from 0 again. What was under way is sent again,
 * what waited for order is delivered; lanes have to prove themselves. */
void braid_restart(struct braid *braid, uint64_t now);

/* --- lanes --------------------------------------------------------------- */

struct braid_lane_config {
	uint64_t up_bps;       /* cap of what we send, 0 for none */
	uint64_t down_bps;     /* cap the peer is told to keep, 0 for none */
	uint32_t keepalive_us; /* [10 s, metered 25 s, standby 25 s]: after a
				* silence of ours so long, at the latest */
	uint16_t mtu;	       /* largest payload worth a try (the device's MTU
				* less overhead) [1440] */
	uint8_t overhead; /* bytes around a payload on the wire: 60 on IPv4, 80
			   * on IPv6 [60] */
	uint8_t line;	  /* lanes of the same line fail together: copies go to
			   * another; 0: a line of its own */
	uint8_t tier;	  /* lower first */
	uint8_t weight;	  /* of equals in failover, higher first; 0: as the peer
			   * says */
	bool metered;	  /* used when nothing else has room; quiet */
	bool standby;	  /* used when nothing else is alive */
};

/* The ids are ours to give (client) or the peer's, learnt from the first
 * datagram that authenticates (server: a config of zeros; what the client said
 * of its lanes arrives by control message). -EEXIST, -ENOSPC. */
int braid_lane_add(struct braid *braid, uint8_t id,
		   const struct braid_lane_config *config, uint64_t now);
void braid_lane_set(struct braid *braid, uint8_t id,
		    const struct braid_lane_config *config, uint64_t now);
/* No new data on it; when nothing is under way any more the event
 * BRAID_LANE_DRAINED comes, and it may be removed without loss. */
void braid_lane_drain(struct braid *braid, uint8_t id, uint64_t now);
/* What was under way is sent again elsewhere. */
void braid_lane_remove(struct braid *braid, uint8_t id, uint64_t now);
/* The device went down, the route is gone, or sending failed with ENETUNREACH,
 * EPERM, ENODEV...: nothing more goes there, what was under way goes elsewhere
 * at once, the peer is told over a living lane. */
void braid_lane_down(struct braid *braid, uint8_t id, uint64_t now);
/* The opposite: it may prove itself again. Also after roaming. */
void braid_lane_up(struct braid *braid, uint8_t id, uint64_t now);
bool braid_has_lane(const struct braid *braid, uint8_t id);

enum braid_state {
	BRAID_PROVING, /* probes and duplicates only, until proven */
	BRAID_UP,
	BRAID_SUSPECT, /* silent for too long; nothing new goes there */
	BRAID_DEAD,    /* as before, with probes now and then */
	BRAID_DOWN,    /* by braid_lane_down(), ours or the peer's */
	BRAID_DRAIN,
};
const char *braid_state_name(enum braid_state state);

/* --- sending -------------------------------------------------------------- */

/* What the packets of a run have in common: one flow, one size (the last may
 * be shorter), as cut from one super-packet. */
struct braid_flow {
	uint16_t bucket; /* hash of the inner flow, 0..4094 */
	uint16_t size;	 /* of a payload */
	uint8_t mode;	 /* enum braid_mode, by DSCP or mark */
	bool loose;	 /* keep no order: urgent classes, ICMP, voice */
	bool ack;	 /* TCP without data: doubled only if cheap */
	/* Filled in by backlog_head(): */
	uint32_t
		waiting; /* bytes of this flow in the backlog, these included */
	uint32_t flows;	 /* that have something there */
};

struct braid_plan {
	uint8_t lane;
	int second;	 /* the same packets there as well, with WIRE_COPY; or
			  * BRAID_NO_LANE */
	uint8_t flags;	 /* enum wire_flags; add WIRE_BULK if more waits */
	uint16_t bucket; /* for the inner header: flow's, or WIRE_BUCKET_ANY */
	uint16_t count;	 /* of packets, from the run's first */
	uint32_t seq;	 /* of the first; the others follow (20 bits, wraps) */
};

/*
 * Where do the first packets of this run go? Returns their number (also in
 * plan->count); they must then be sent. 0: no room, wait for braid_next() or a
 * datagram. -ENETUNREACH: no lane is alive; -EMSGSIZE: none carries that size.
 */
int braid_plan(struct braid *braid, const struct braid_flow *flow, int count,
	       uint64_t now, struct braid_plan *plan);

/* Datagrams that were sent: one, or a run that differs only in numbers. */
struct braid_sent {
	uint8_t lane;
	uint8_t flags; /* enum wire_flags, as in the inner header; WIRE_UNSUMMED
			* has to come back with braid_again */
	uint16_t count; /* counter, seq and handle count on from the first */
	uint16_t size;	/* of a payload */
	uint16_t last;	/* payload of the last one */
	uint16_t bucket;
	uint32_t seq;
	uint64_t counter; /* of the first; contiguous for a lane */
	uint32_t handle;  /* the hub's, to find the plaintext again */
};
void braid_sent(struct braid *braid, const struct braid_sent *sent,
		uint64_t now);

/* A packet that is to be sent again, from the hub's own copy. */
struct braid_again {
	uint8_t lane;
	int second; /* or BRAID_NO_LANE */
	uint8_t flags;
	uint16_t bucket;
	uint16_t size;
	uint32_t seq;
	uint32_t handle;
};
/* 1 with one to send (tell it with braid_sent), 0 for none now. */
int braid_resend(struct braid *braid, uint64_t now, struct braid_again *again);
/* The hub no longer has it: the peer is told not to wait. */
void braid_gone(struct braid *braid, const struct braid_again *again);

/*
 * Fills a payload of control messages that is due; returns its size, 0 for
 * none. *lane is where it goes. Send it with flags WIRE_CONTROL, bucket and
 * seq 0, and tell braid_sent() with these and its size. DF must be set on all
 * datagrams; sizes up to the lane's mtu occur (probes), so give that room.
 */
size_t braid_control(struct braid *braid, uint8_t *payload, size_t room,
		     uint64_t now, uint8_t *lane);

/*
 * The same of acks that are not due yet, to go along with data that has just
 * been sent on that lane: in the same system call they wake nobody, and later
 * they would need a datagram of their own. Only where there is little under
 * way, and not much oftener than acks are due anyway; 0: none now.
 */
size_t braid_along(struct braid *braid, uint8_t lane, uint8_t *payload,
		   size_t room, uint64_t now);

/* --- receiving -------------------------------------------------------------
 */

struct braid_received {
	uint8_t lane;
	uint16_t size;	  /* of the payload */
	uint64_t counter; /* as inferred */
	struct wire_inner inner;
};
/* Each datagram that authenticated, once. The lane must have been added; if
 * not nothing happens. `now` is best the kernel's receive time, put on our
 * clock: time spent waiting for us is no delay of the line. It may lie
 * before times that were told already. */
void braid_received(struct braid *braid, const struct braid_received *in,
		    uint64_t now);

/* A payload of data: delivers it, holds a copy, or drops it as known. */
void braid_order(struct braid *braid, const struct braid_received *in,
		 const uint8_t *packet, uint64_t now);

/* A payload of control messages. -EBADMSG: what could be read was done. */
int braid_read(struct braid *braid, uint8_t lane, const uint8_t *payload,
	       size_t size, uint64_t now);

/* A few bytes that the other end is to have, in place of those before; false:
 * more than NOTE_MOST. */
bool braid_note(struct braid *braid, const uint8_t *bytes, size_t size,
		uint64_t now);

/* --- time ------------------------------------------------------------------
 */

/* Where nothing has moved for BRAID_REST_US, what is only needed while packets
 * do is given back, and made again by the first one that does: so hostile
 * packets cannot have that done more often. True: it rests. To be asked every
 * few seconds. */
#define BRAID_REST_US 30000000ULL
bool braid_rest(struct braid *braid, uint64_t now);

/* When braid_timer() wants to be called next; BRAID_NEVER for never. */
uint64_t braid_next(const struct braid *braid);
void braid_timer(struct braid *braid, uint64_t now);

/* --- what can be seen ------------------------------------------------------
 */

enum braid_what {
	BRAID_LANE_STATE, /* value: the new state */
	BRAID_LANE_MTU,	  /* value: largest payload that passes */
	BRAID_LANE_DRAINED,
	BRAID_MTU,	 /* value: largest payload all lanes in use pass */
	BRAID_PEER_GONE, /* no lane is alive any more */
	BRAID_PEER_BACK,
	/* Of a line, one way (line.h). */
	BRAID_LINE_FULL, /* since then, at that rate: bit/s */
	BRAID_LINE_FREE, /* at: when it was last full; value: as above */
	BRAID_LINE_BEST, /* value: more than it ever carried, bit/s; also of
			  * BRAID_ALL_LINES together */
};
enum braid_way { BRAID_OUT, BRAID_IN, BRAID_WAYS };
struct braid_event {
	enum braid_what what;
	uint8_t lane;
	uint64_t value, at;
	uint16_t line; /* what its owner called it, or 256 and more */
	enum braid_way way;
	uint32_t queue_us; /* that stood in front of it */
	uint64_t since;	   /* when it became full */
};
/* Takes the oldest; false for none. If nobody asks the oldest are lost. */
bool braid_event(struct braid *braid, struct braid_event *event);

/* Does any lane carry? BRAID_PEER_BACK and _GONE say when that changes. */
bool braid_is_alive(const struct braid *braid);
/* How it sends now: never BRAID_DEFAULT. */
enum braid_mode braid_policy(const struct braid *braid);
/* Another mode; the peer is told. */
void braid_policy_set(struct braid *braid, enum braid_mode mode, uint64_t now);
/* The largest inner packet that fits all lanes in use. */
uint16_t braid_mtu(const struct braid *braid);
/* Is that what they carry, or only what is known so far? */
bool braid_mtu_is_found(const struct braid *braid);

/* Other slices; what was counted in the old ones is forgotten. */
void braid_slices(struct braid *braid, uint32_t slice_us, uint8_t slices,
		  uint64_t now);

enum { BRAID_ALL_LINES = UINT16_MAX };

/* Of a line, or all of them. Rates are of datagrams with their IP headers, the
 * delay is a packet's in the queue: one way, above its lane's own best. */
struct braid_line_stats {
	bool full[BRAID_WAYS];
	struct meter_reading ways[BRAID_WAYS];
};
/* The meters of all its lanes, that way, as long as there are no others;
 * returns how many. */
unsigned braid_meters(const struct braid *braid, enum braid_way way,
		      const struct meter *meters[BRAID_LANES]);
void braid_line_stats(const struct braid *braid, uint16_t line, uint64_t now,
		      struct braid_line_stats *stats);

struct braid_lane_stats {
	enum braid_state state;
	uint64_t state_at;
	uint16_t line;
	bool metered, standby;
	uint16_t mtu;
	uint32_t rtt_us, rtt_var_us, rtt_min_us; /* 0: not known yet */
	uint32_t delay_us; /* one way, above the fastest lane of this peer */
	uint32_t queue_us; /* one way, above this lane's own best */
	uint32_t delay_in_us, jitter_in_us; /* the same, towards us */
	uint64_t rate_bps;		    /* what it was found to carry */
	uint32_t window_bytes, flight_bytes;
	uint32_t loss_ppm, loss_in_ppm; /* of the last slices */
	uint64_t lost, lost_in, resent, doubled, spurious;
	struct meter_reading out, in;
};
/* -ENOENT: no such lane. */
int braid_lane_stats(const struct braid *braid, uint8_t id, uint64_t now,
		     struct braid_lane_stats *stats);

struct braid_stats {
	uint64_t delivered; /* packets */
	uint64_t held;	    /* of these, had to wait for order */
	uint64_t late;	    /* came after they were given up */
	uint64_t known;	    /* second copies */
	uint64_t skipped;   /* never came */
	uint64_t full;	    /* delivered early: no room to hold them */
	uint64_t bad;	    /* control messages that made no sense */
	uint32_t waiting;   /* packets held now */
	uint32_t hold_mean_us, hold_max_us;
};
void braid_stats(const struct braid *braid, struct braid_stats *stats);

#endif
