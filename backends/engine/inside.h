/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * inside.h - what the sources of a braid share: braid.c keeps it, sched.c
 * decides where packets go.
 */
#ifndef BACKENDS_ENGINE_INSIDE_H
#define BACKENDS_ENGINE_INSIDE_H

#include "backends/engine/braid.h"
#include "backends/engine/lane.h"
#include "backends/engine/line.h"
#include "backends/engine/note.h"
#include "backends/engine/reorder.h"
#include "backends/engine/resend.h"
#include "backends/engine/shelf.h"

enum {
	BRAID_EVENTS = 64,
	BRAID_SKIPS = 512,
};

struct braid_skip {
	uint16_t bucket;
	uint32_t seq;
};

/* Does a flow take the slow lanes too? */
enum braid_spread {
	SPREAD_NOT,
	SPREAD_FRESH,  /* all the time: its burst has just begun */
	SPREAD_BURST,  /* ... and grows as it must */
	SPREAD_THIN,   /* ... it filled the lanes and is suddenly thin */
	SPREAD_EVEN,   /* ... it fills them again, and knows the long way */
	SPREAD_PROVEN, /* for what waits */
};

/* What is remembered of the flows of one bucket. Times are low bits. */
struct braid_stream {
	uint32_t seq;		      /* next to give */
	uint32_t last_us;	      /* when it last sent */
	uint32_t slow_us;	      /* ... on the slowest lane in use */
	uint32_t left_us;	      /* when it last left these for a moment */
	uint32_t dry_us;	      /* when it last did not fill them */
	uint32_t waited_us;	      /* when it last had much waiting */
	uint32_t since_us;	      /* when bytes began to be counted */
	uint32_t bytes, bytes_before; /* the time before that */
	uint8_t spread;		      /* over lanes of unequal delay, and why */
	uint8_t kept;		      /* spread, before it was thin */
	bool bulk;		      /* it fills the fast lanes */
};

/* What there is while packets are sent. */
struct braid_streams {
	struct shelf_taken taken;
	struct braid_skip skips[BRAID_SKIPS];
	struct braid_stream of[SHELF_BUCKETS];
};

struct braid {
	struct braid_config config;
	struct lane *lanes[BRAID_LANES]; /* owned; in the order added */
	unsigned count;
	uint8_t slot_of[256]; /* index in lanes[], or NO_SLOT */
	uint64_t slots_used;  /* bits of lane->slot */
	struct line *lines;   /* owned: those that the lanes are of */
	size_t line_count, line_room;
	struct line whole; /* all of them: only the best is kept */
	struct reorder *reorder;
	struct resend resend;
	struct braid_streams *streams; /* owned; NULL: at rest */
	struct shelf numbers;	       /* of those that rest */

	/* What the hub was told to send last, until it says braid_sent(). */
	struct braid_plan plan;
	struct braid_again again;
	uint32_t again_born;
	uint8_t again_tries;
	bool control_counts; /* the last control payload holds a ping */
	bool control_probe;  /* ... and is one of the MTU */

	uint64_t clock;	     /* the latest time anybody told */
	uint64_t data_at;    /* when the last packet came that is no control */
	uint64_t planned_at; /* last time somebody had something to send */
	int64_t spare;	     /* millionths of bytes that copies may use */
	uint64_t spare_at;
	uint64_t room_next;	       /* when time makes room somewhere */
	uint32_t skip_head, skip_tail; /* of streams->skips[] */
	uint8_t *copy;	  /* owned, BRAID_CONTROL_ROOM: of a control payload,
			   * for a second lane, once there is one */
	size_t copy_size; /* 0: there is none now */
	uint8_t copy_lane;

	struct note note;

	uint32_t in_time; /* of the last datagram received */
	uint64_t patience_at;
	uint16_t mtu;
	bool alive;
	enum braid_mode peer_mode;  /* quiet: how the peer wants it */
	struct braid_event *events; /* a ring; owned */
	uint32_t event_room; /* 0 or a power of two, BRAID_EVENTS at most */
	uint32_t event_head, event_tail;
	uint64_t bad;
};

enum { BRAID_NO_SLOT = 0xff };

struct lane *braid_lane(const struct braid *braid, uint8_t id);
/* Receive times of several sockets are not in order, and older than what the
 * clock says meanwhile: inside, time only goes forward. */
uint64_t braid_advance(struct braid *braid, uint64_t now);
void braid_tell(struct braid *braid, const struct braid_event *event);
/* Makes them if there are none. */
struct braid_streams *braid_streams(struct braid *braid);

/* The lanes whose packets arrive first, for what the ends tell each other; none
 * that is kept for later, unless the peer uses it. second may be NULL. */
struct lane *sched_best(const struct braid *braid, struct lane **second);

/* It waits for another, which lives, to be full or gone. */
bool sched_is_kept(const struct braid *braid, const struct lane *lane);

/* talk.c: writes and reads control payloads. */
void talk_tell(struct lane *lane, uint64_t now);

#endif
