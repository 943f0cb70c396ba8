/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * fragment.h - a packet that no line takes whole, in two to four datagrams.
 *
 * IPv6 wants links that carry 1280 bytes, and of those that do not it demands
 * "link-specific fragmentation and reassembly ... at a layer below IPv6"
 * (RFC 8200, 5). A line of 1280 bytes itself, with IPv6 around ours, has room
 * for 1200. So such a packet (and a frame, whose segment has one size for all)
 * goes in fragments of equal size, each in a datagram with WIRE_FRAGMENT:
 *
 *     0              4        6       7       8
 *     +--------------+--------+-------+-------+----- - - - -
 *     | number (u32) | size   | index | count | bytes
 *     +--------------+--------+-------+-------+----- - - - -
 *
 * size is that of the whole. Where a fragment begins and how long it is follows
 * from the header, so fragments cannot overlap (RFC 5722), and a packet whose
 * fragments do not agree is dropped. They are ordered, sent again and kept from
 * coming twice as packets are, so they are joined behind all of that.
 *
 * Who takes fragments says so in its hello (HELLO_FRAGMENTS); others are sent
 * none. All numbers are little endian.
 */
#ifndef BACKENDS_ENGINE_FRAGMENT_H
#define BACKENDS_ENGINE_FRAGMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/base/mem.h"

enum {
	FRAGMENT_HEADER = 8,
	FRAGMENT_COUNT = 4,    /* of a packet, at most */
	FRAGMENT_WHOLE = 2048, /* bytes of a packet, at most */
	FRAGMENT_SLOTS = 64,   /* packets of a peer that are not whole yet */
};
#define FRAGMENT_WAIT_US 2000000 /* for the others, then they are dropped */

struct fragment {
	uint32_t number; /* the packet's, among those of its sender */
	uint16_t size;	 /* of the whole */
	uint8_t index, count;
};

/* The fewest into which a packet can go whose payloads have room for so many
 * bytes: 1, it fits as it is; 0, it does not go. */
unsigned fragment_count(size_t size, size_t room);
/* Where that one begins, and how many bytes it has. */
size_t fragment_offset(const struct fragment *fragment);
size_t fragment_length(const struct fragment *fragment);

void fragment_print(const struct fragment *fragment,
		    uint8_t to[FRAGMENT_HEADER]);
/* -EBADMSG: a payload of so many bytes is no fragment. */
int fragment_parse(struct fragment *fragment, const uint8_t *payload,
		   size_t size);

/* What has come of the packets of one peer. Memory is bounded, taken with the
 * joiner, and real only as far as it is used. */
struct joiner;
struct joiner *joiner_new(void);
void joiner_free(struct joiner *joiner);
AUTO_DEFINE(joiner, struct joiner *, joiner_free)
/* Those that are not whole never will be. */
void joiner_restart(struct joiner *joiner);

/* A payload that came in. The packet, if it is whole now, with its size: lent
 * until the next call. NULL: it is not. flags: those that are the packet's, and
 * so the same of all its fragments. */
const uint8_t *joiner_put(struct joiner *joiner, const uint8_t *payload,
			  size_t size, uint8_t flags, uint64_t now_us,
			  size_t *whole);

struct joiner_stats {
	uint64_t joined;
	uint64_t bad;	  /* fragments that make no sense, or not together */
	uint64_t missing; /* packets of which some never came */
	unsigned waiting; /* that are not whole yet */
};
void joiner_stats(const struct joiner *joiner, struct joiner_stats *stats);

#endif
