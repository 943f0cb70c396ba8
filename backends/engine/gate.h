/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * gate.h - which inits are worked on when there are too many of them.
 *
 * To read one costs hundreds of microseconds, and whoever knows our public key
 * can send any number, in anybody's name. So, as WireGuard does (Donenfeld
 * 2017, 5.3 and 5.4.7): beyond GATE_RATE a second an init has to bring a MAC
 * keyed by a cookie, which is sent to the address that it says it comes from;
 * and of those that do, each host has GATE_HOST_RATE a second.
 *
 * A cookie is a MAC of the address under a secret of two minutes, which follows
 * from a root and the time: gates of the same root know each other's cookies.
 *
 *     init -> gate_admit() -> REFUSED_NOT      work on it
 *                          -> REFUSED_COOKIE   send gate_cookie(), if *notice
 *                          -> REFUSED_RATE     its host has had its share
 *
 * Times are microseconds, monotonic. Nothing here allocates.
 */
#ifndef BACKENDS_ENGINE_GATE_H
#define BACKENDS_ENGINE_GATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "backends/engine/handshake.h"

enum {
	GATE_RATE = 200,     /* a second, and at once after a rest */
	GATE_HOST_RATE = 20, /* a second, with cookies */
	GATE_HOST_BURST = 5, /* at once */
	GATE_NOTICES = 100,  /* cookies that a host is sent a second */
	GATE_NOTICES_BURST = 50,
	GATE_HOSTS = 1024,	    /* counted apart, by hash */
	GATE_COOKIE_US = 120000000, /* its secret's turn; known for two */
};

struct gate {
	uint8_t root[NOISE_KEY], secrets[2][NOISE_KEY]; /* in use, before */
	uint64_t turn;		     /* of the first secret; 0: none yet */
	uint8_t host_key[NOISE_KEY]; /* of the hash */
	/* Clocks that run ahead of ours: of all, of each host, and of the
	 * cookies that it is sent. */
	uint64_t all, hosts[GATE_HOSTS], notices[GATE_HOSTS];
};

/* A zeroed one, with random keys; or another root for one that is. */
void gate_init(struct gate *gate, const uint8_t root[NOISE_KEY],
	       const uint8_t host_key[NOISE_KEY]);
void gate_share(struct gate *gate, const uint8_t root[NOISE_KEY]);

/* May it be worked on? Its MAC by a cookie is its last NOISE_MAC bytes, of
 * zeroes where there is none. *notice: send a cookie. */
enum refusal gate_admit(struct gate *gate, const uint8_t *message, size_t size,
			const struct handshake_source *from, uint64_t now_us,
			bool *notice);

/* What may be sent to an address, and whether one came from there. */
void gate_cookie(struct gate *gate, const struct handshake_source *to,
		 uint64_t now_us, uint8_t cookie[NOISE_MAC]);
bool gate_is_cookie(struct gate *gate, const struct handshake_source *from,
		    const uint8_t cookie[NOISE_MAC], uint64_t now_us);

/* So many a second, `burst` of them at once, by a clock that runs ahead of now:
 * each one that may moves it. A zeroed clock is one at rest. */
bool gate_may(uint64_t *clock, unsigned rate, unsigned burst, uint64_t now_us);

/* The MAC of all of a message but its last NOISE_MAC bytes, by a cookie. */
void gate_mac(const uint8_t cookie[NOISE_MAC], const uint8_t *message,
	      size_t size, uint8_t mac[NOISE_MAC]);

#endif
