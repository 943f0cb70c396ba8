/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * session.h - the transport keys of one handshake: datagrams sealed and opened.
 *
 * A session is a key for each direction, an index at each end, and an age. Its
 * numbers it shares with the sessions before and after it: when two ends that
 * know each other renew their keys, each lane's counter and replay window go on
 * where they were. So the transport sees one number space per lane, an *era*,
 * however often keys change; a new era begins when one end has started anew.
 *
 *     era 7   session a  ====== session b ========|      counters go on
 *     era 8                        (restart)      |  session c ======
 *
 * The nonce is lane and counter; a counter never comes twice in an era and a
 * key never serves two eras, so no nonce is ever used twice with a key.
 *
 * Opening is hostile ground: what is refused changes nothing but a counter of
 * refusals. The replay window (RFC 6479) is looked at before any decryption and
 * moved only after it.
 *
 * Times are microseconds of a clock that only goes forward, given by the
 * caller. No call is made for more than one thread at a time.
 */
#ifndef BACKENDS_ENGINE_SESSION_H
#define BACKENDS_ENGINE_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "backends/engine/aead.h"
#include "backends/engine/wire.h"
#include "model/base/mem.h"

enum {
	SESSION_LANES = 256,
	/* A datagram so many behind the newest of its lane is still taken. */
	SESSION_WINDOW = 16384 - 64,
};

/* Keys older than this neither seal nor open. */
#define SESSION_LIFE_US (180 * 1000000ULL)
/* Older than this, or after so many datagrams one way, they are to be renewed
 * by the end that began the session; the other end waits a while longer. */
#define SESSION_RENEW_US       (120 * 1000000ULL)
#define SESSION_RENEW_LATER_US (150 * 1000000ULL)
#define SESSION_RENEW_PACKETS  (1ULL << 32)
/* A lane's counter stops here; its era is over. At a million packets a second
 * that is nine years. */
#define SESSION_COUNTERS (1ULL << 48)

/* Why a datagram was refused. */
enum refusal {
	REFUSED_NOT, /* it was taken */
	REFUSED_SHORT,
	REFUSED_TYPE,	 /* no such type of datagram */
	REFUSED_INDEX,	 /* no session has it */
	REFUSED_REPLAY,	 /* seen before, or too old to tell */
	REFUSED_FORGED,	 /* the tag is wrong */
	REFUSED_EXPIRED, /* the session is too old */
	/* Of the handshake: */
	REFUSED_LENGTH,	  /* not the length of its type */
	REFUSED_MAC,	  /* does not know our public key: not answered */
	REFUSED_COOKIE,	  /* under load and without one: was sent one */
	REFUSED_RATE,	  /* under load, with a cookie, and too often */
	REFUSED_VERSION,  /* speaks another version */
	REFUSED_STRANGER, /* authentic, but no peer of ours */
	REFUSED_OLD,	  /* an init we have had, or from before */
	REFUSED_UNASKED,  /* an answer to nothing */
	REFUSED_CIPHER,	  /* no cipher in common */
	REFUSED_LATE,	  /* waited so long that another is behind it */
	REFUSED_REASONS,
};
/* "replay", "bad-tag" ...: the names of the counters. */
const char *refusal_name(enum refusal reason);

/* Counters of refusals: written by one thread, read by others. */
struct refusals {
	uint64_t count[REFUSED_REASONS];
};

static inline enum refusal refuse(struct refusals *refusals, enum refusal why)
{
	uint64_t *count = &refusals->count[why];

	__atomic_store_n(count, *count + 1, __ATOMIC_RELAXED);
	return why;
}

struct session;

struct session_setup {
	enum aead_cipher cipher;
	uint8_t send[AEAD_KEY], receive[AEAD_KEY]; /* copied, not wiped */
	uint32_t index;	       /* ours: in what we receive; 24 bits */
	uint32_t remote_index; /* theirs: in what we send */
	bool initiator;	       /* it began with our init */
	void *owner;	       /* borrowed; see session_owner() */
	/* The session whose era goes on. Borrowed; NULL: a new era, named so by
	 * both ends. */
	struct session *continues;
	uint64_t era;
};

struct session *session_new(const struct session_setup *setup, uint64_t now_us);
/* Wipes the keys, so that it is expired, and keeps its place in the era. */
void session_retire(struct session *session);
/* Wipes the keys; the era goes with its last session. */
void session_free(struct session *session);
AUTO_DEFINE(session, struct session *, session_free)

uint32_t session_index(const struct session *session);
uint32_t session_remote_index(const struct session *session);
enum aead_cipher session_cipher(const struct session *session);
bool session_initiator(const struct session *session);
/* The handshake's peer (handshake.h), where it made the session. */
void *session_owner(const struct session *session);
uint64_t session_since(const struct session *session);
/* Its era: numbered from 1 in the order in which they came into use, so that a
 * lower number is an era that is over; 0: none of its sessions was ever used to
 * seal with, and what comes in by it is better left alone. The transport starts
 * anew when the number of the session it seals with goes up. */
uint32_t session_era(const struct session *session);
/* What both ends call the era. */
uint64_t session_era_name(const struct session *session);
/* From now on the session is the one to seal with, in place of before, which
 * may be NULL: its era gets a number, unless they share it. */
void session_take_over(struct session *session, const struct session *before);
/* No longer fit to seal or open with. */
bool session_expired(const struct session *session, uint64_t now_us);
/* Time, or many packets, call for new keys. */
bool session_worn(const struct session *session, uint64_t now_us);
/* So many more one way, and they do. */
uint64_t session_left(const struct session *session);

/* A lane's counter is so far on that the next keys should begin a new era. */
bool session_era_worn(const struct session *session);

/* The counter the next datagram of the lane will have. */
uint64_t session_next(const struct session *session, uint8_t lane);

/*
 * Datagrams to be sealed: count of one size, at equal distances, as UDP_SEGMENT
 * (udp(7)) wants them. Only the last packet of a batch is shorter: that is a
 * run of its own.
 *
 *     datagrams ->[header][ size ][tag][header][ size ][tag]...
 *     plain     ->[ size ]........[ size ]....
 */
struct session_run {
	uint8_t lane;
	uint8_t *datagrams;
	size_t stride; /* at least WIRE_HEADER + size + WIRE_TAG */
	/* NULL: the plaintext is in place already, behind each header. */
	const uint8_t *plain;
	size_t plain_stride;
	size_t size; /* of the plaintext of one, inner header included */
	size_t count;
};
/* Writes headers, ciphertext and tags. *first, if not NULL, is the counter of
 * the first. False: too old, or out of counters; nothing is sealed. */
bool session_seal(struct session *session, const struct session_run *run,
		  uint64_t now_us, uint64_t *first);

struct session_packet {
	uint8_t lane;
	uint64_t counter;
	uint8_t *plain; /* into the datagram */
	size_t size;
};
/* Opens one datagram in place. The caller has found the session by its index;
 * the rest is checked here. When refused, out is not set, the session is as it
 * was, and the datagram is spoilt. */
enum refusal session_open(struct session *session, uint8_t *datagram,
			  size_t size, uint64_t now_us,
			  struct session_packet *out);

/* When something authentic last came in; 0: never. */
uint64_t session_heard(const struct session *session);
/* For tests: as if so many more had been sealed there. */
void session_wear(struct session *session, uint8_t lane, uint64_t datagrams);

#endif
