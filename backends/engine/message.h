/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * message.h - what two braids tell each other.
 *
 * A payload with WIRE_CONTROL is a list of messages, each a type, a length and
 * that many bytes. Type 0 ends the list, and with it pads a payload to any
 * size. Unknown types are passed over, so a later version may add some, and so
 * is what stands behind the fields of a lane or use that are known here.
 *
 *     ack    lane, what of it came in, when, and how long it took
 *     ping   answer with an ack, now
 *     skip   this packet will not come (again): do not wait for it
 *     lane   what the sender thinks of one lane
 *     use    how a client's lane is to be used, for what comes back by it:
 *            lane, weight, policy (enum braid_mode). With each `lane` of a
 *            client, behind it; an end that knows no such type (or hears
 *            none) has all lanes in aggregate. A policy unknown here is 0,
 *            none; who decides is said in braid.h
 *     note   bytes that are to be kept (note.h)
 *     noted  they are
 *
 * Reading is total: any bytes either make a message or are an error.
 */
#ifndef BACKENDS_ENGINE_MESSAGE_H
#define BACKENDS_ENGINE_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum message_type {
	MESSAGE_END,
	MESSAGE_ACK,
	MESSAGE_PING,
	MESSAGE_SKIP,
	MESSAGE_LANE,
	MESSAGE_NOTE,
	MESSAGE_NOTED,
	MESSAGE_USE,
};

enum { MESSAGE_RANGES = 48, MESSAGE_HEADER = 2, MESSAGE_ACK_MOST = 224 };

/* Of one lane. range[0].length packets up to largest came in; below these
 * range[1].gap did not, range[1].length did, and so on. */
struct message_ack {
	uint8_t lane;
	uint32_t largest; /* low bits of a counter */
	uint32_t time;	  /* when that one came, 24 bits of 4 us */
	uint32_t delay;	  /* shortest of all since the last ack, receiver's
			   * clock minus sender's, 24 bits of 4 us */
	uint32_t bytes;	  /* received altogether, wraps */
	unsigned ranges;
	struct {
		uint32_t gap, length;
	} range[MESSAGE_RANGES];
};

struct message_skip {
	uint16_t bucket;
	uint32_t seq;
};

enum message_lane_flags {
	MESSAGE_LANE_DOWN = 1 << 0, /* nothing sent there gets through */
	MESSAGE_LANE_METERED = 1 << 1,
	MESSAGE_LANE_STANDBY = 1 << 2,
	MESSAGE_LANE_DRAIN = 1 << 3,
	MESSAGE_LANE_CONFIG = 1 << 4, /* the rest is to be heeded */
	MESSAGE_LANE_SILENT = 1 << 5, /* nothing we send there is acked */
};

struct message_lane {
	uint8_t lane, flags, tier, line;
	uint32_t cap_kbps; /* of what is sent to the sender of this; 0: none */
};

struct message_use {
	uint8_t lane, weight, policy; /* 0: nothing is said of it */
};

struct message_note {
	uint16_t number;
	uint8_t size; /* none of noted */
	/* Borrowed: of what was read. Not of noted. */
	const uint8_t *bytes;
};

struct message {
	enum message_type type;
	union {
		struct message_ack ack;
		struct message_skip skip;
		struct message_lane lane;
		struct message_note note;
		struct message_use use;
	};
};

/* Appends to a buffer: returns the bytes used, 0 when room is too small. An ack
 * loses ranges rather than not to fit, as long as there is room for one. */
size_t message_print(const struct message *message, uint8_t *to, size_t room);

/* Reads one: returns the bytes used, 0 at the end of the list, -EBADMSG. Types
 * unknown are returned with their number and nothing else. */
int message_parse(struct message *message, const uint8_t *from, size_t size);

#endif
