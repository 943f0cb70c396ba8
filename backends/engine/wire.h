/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * wire.h - what a datagram between two engines looks like.
 *
 *     0        1        2                 5                 8
 *     +--------+--------+-----------------+-----------------+---- - - --+-----+
 *     |  type  |  lane  |  index  (u24)   | counter (u24)   |   sealed  | tag |
 *     +--------+--------+-----------------+-----------------+---- - - --+-----+
 *
 * All numbers are little endian. The clear header is the additional data of the
 * AEAD (RFC 5116). Of the 64-bit counter only the low bits travel; the rest is
 * inferred from the highest one that was authenticated, as RFC 9000 (A.3) does.
 * The nonce is lane (32 bits) and counter (64 bits), big endian.
 *
 * An index is random but for its low byte, by which a receiver of several parts
 * (threads) knows whose it is: wire_part().
 *
 * Sealed is an inner header, then a packet or a list of control messages:
 *
 *     0                          3        4                              8
 *     +--------------------------+--------+------------------------------+---
 *     |  time (u24, 4 us units)  | flags  | bucket (12 bits), seq (20)   |
 *     +--------------------------+--------+------------------------------+---
 *
 * Together 32 bytes; with IPv4 and UDP 60, with IPv6 80. The other types (init,
 * response, cookie) are handshake.h's.
 */
#ifndef BACKENDS_ENGINE_WIRE_H
#define BACKENDS_ENGINE_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum wire_type {
	WIRE_INIT = 1,
	WIRE_RESPONSE = 2,
	WIRE_COOKIE = 3,
	WIRE_TRANSPORT = 4,
};

/* The versions that are spoken here: a test builds an engine of another one
 * (build/tressed-next). */
#ifndef WIRE_OLDEST
#define WIRE_OLDEST 1
#define WIRE_NEWEST 1
#endif

enum {
	WIRE_HEADER = 8, /* bytes in clear */
	WIRE_INNER = 8,	 /* bytes of the inner header */
	WIRE_TAG = 16,
	WIRE_OVERHEAD = WIRE_HEADER + WIRE_INNER + WIRE_TAG,
	WIRE_INDEX_AT = 2, /* offset */
	WIRE_INDEX_BITS = 24,
	WIRE_PARTS = 16, /* at most, of a receiver */
	WIRE_COUNTER_BITS = 24,
	WIRE_TIME_BITS = 24,
	WIRE_TIME_UNIT_US = 4,
	WIRE_BUCKET_BITS = 12,
	WIRE_SEQ_BITS = 20,
	/* Packets that need no order among themselves: they are only kept from
	 * arriving twice. */
	WIRE_BUCKET_ANY = (1 << WIRE_BUCKET_BITS) - 1,
};

enum wire_flags {
	WIRE_CONTROL = 1 << 0, /* a list of control messages */
	WIRE_COPY = 1 << 1,    /* sent before, here or on another lane */
	WIRE_BULK = 1 << 2,    /* more was waiting: not limited by the source */
	WIRE_UNSUMMED = 1 << 3, /* the inner transport checksum is unfinished:
				   its place has the pseudo header's (tun.h) */
	WIRE_FRAGMENT = 1 << 4, /* of a packet (fragment.h) */
};

struct wire_header {
	uint8_t type, lane;
	uint32_t index, counter; /* 24 bits each */
};

struct wire_inner {
	uint32_t time; /* 24 bits */
	uint8_t flags; /* enum wire_flags */
	uint16_t bucket;
	uint32_t seq; /* 20 bits */
};

static inline uint32_t wire_get24(const uint8_t *p)
{
	return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16;
}

static inline void wire_put24(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)v;
	p[1] = (uint8_t)(v >> 8);
	p[2] = (uint8_t)(v >> 16);
}

static inline uint32_t wire_get32(const uint8_t *p)
{
	return wire_get24(p) | (uint32_t)p[3] << 24;
}

static inline void wire_put32(uint8_t *p, uint32_t v)
{
	wire_put24(p, v);
	p[3] = (uint8_t)(v >> 24);
}

static inline uint64_t wire_get64(const uint8_t *p)
{
	return wire_get32(p) | (uint64_t)wire_get32(p + 4) << 32;
}

static inline void wire_put64(uint8_t *p, uint64_t v)
{
	wire_put32(p, (uint32_t)v);
	wire_put32(p + 4, (uint32_t)(v >> 32));
}

static inline void wire_put_header(uint8_t p[WIRE_HEADER],
				   const struct wire_header *header)
{
	p[0] = header->type;
	p[1] = header->lane;
	wire_put24(p + 2, header->index);
	wire_put24(p + 5, header->counter);
}

/* Any bytes are a header; what they mean is checked by those who use it. */
static inline void wire_get_header(const uint8_t p[WIRE_HEADER],
				   struct wire_header *header)
{
	header->type = p[0];
	header->lane = p[1];
	header->index = wire_get24(p + 2);
	header->counter = wire_get24(p + 5);
}

static inline void wire_put_inner(uint8_t p[WIRE_INNER],
				  const struct wire_inner *inner)
{
	wire_put24(p, inner->time);
	p[3] = inner->flags;
	wire_put32(p + 4, (uint32_t)inner->bucket << WIRE_SEQ_BITS |
				  (inner->seq & ((1U << WIRE_SEQ_BITS) - 1)));
}

static inline void wire_get_inner(const uint8_t p[WIRE_INNER],
				  struct wire_inner *inner)
{
	uint32_t word = wire_get32(p + 4);

	inner->time = wire_get24(p);
	inner->flags = p[3];
	inner->bucket = (uint16_t)(word >> WIRE_SEQ_BITS);
	inner->seq = word & ((1U << WIRE_SEQ_BITS) - 1);
}

/* Which of so many parts (1..WIRE_PARTS) of its receiver an index is for. Its
 * low byte alone says so: a filter of the kernel's steers by it (udp_share()).
 */
static inline unsigned wire_part(uint32_t index, unsigned parts)
{
	return (index & 0xff) % parts;
}

/* The sender's clock as it travels. */
static inline uint32_t wire_time(uint64_t now_us)
{
	return (uint32_t)(now_us / WIRE_TIME_UNIT_US) &
	       ((1U << WIRE_TIME_BITS) - 1);
}

/* The full number whose low bits are `low` and that is nearest to `expected`
 * (RFC 9000, A.3). */
static inline uint64_t wire_infer(uint64_t expected, uint32_t low,
				  unsigned bits)
{
	uint64_t window = 1ULL << bits, half = window / 2;
	uint64_t guess = (expected & ~(window - 1)) | low;

	if (guess + half <= expected && guess <= UINT64_MAX - window)
		return guess + window;
	if (guess > expected + half && guess >= window)
		return guess - window;
	return guess;
}

#endif
