/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * handshake.h - who may talk to us, and with which keys.
 *
 * One struct handshake for each link: our static key, the peers, and all
 * sessions by index. It is WireGuard's handshake (Noise IKpsk2, Donenfeld 2017)
 * without a wall clock, with a payload in which both ends say what they can do.
 *
 *     initiator                               responder
 *        | -- init: e, s, what I can do ----------> |
 *        | <- response: e, what I can do, cipher -- |   next session
 *        | == transport ==========================> |   now it is the current
 *
 *     init      0 type  1 version  2 index (u24)  5 zero (3)
 *               8 e (32)  40 s (32+16)  88 payload (80+16)
 *               184 mac1 (16)  200 mac2 (16)  = 216
 *     response  0 type  1 version  2 index (u24)  5 receiver's index (u24)
 *               8 e (32)  40 payload (80+16)  136 mac1  152 mac2  = 168
 *     cookie    0 type  1 version  2 receiver's index (u24)  5 zero (3)
 *               8 nonce (24)  32 sealed (24+16)  = 72
 *     payload   0 oldest version  1 newest  2 refusal  3 lanes  4 ciphers (4)
 *               8 mtu (u16)  10 prefix of ip4  11 of ip6  12 features (u32)
 *               16 instance (u64)  24 era (u64)  32 number (u64)  40 ip4 (4)
 *               44 ip6 (16)  60 cookie (16)  76 index (u24)  79 zero
 *
 * mac1 is a MAC keyed by the receiver's public key: who does not know that key
 * is not answered.
 *
 * Versions: an end speaks some, from its oldest to its newest, and the two use
 * the highest that both have. What makes it possible stays in all versions to
 * come: type and version of each message, the last 32 bytes of an init, and the
 * whole cookie; in versions with this Noise pattern and prologue also the first
 * 80 bytes of an init's payload (there may be more behind them), and the whole
 * of a response that declines, whose version is 1. So an init of another
 * version can be read as far as that: if it is authentic and has a version in
 * common with us, it is answered in that, else declined, under seal, and both
 * ends know why. Only what cannot be read is told by a cookie message which
 * versions are spoken here. A stranger is told nothing.
 *
 * An init that was worked on is known again by its mac1, and answered by the
 * response there is: what those who wait send again costs little, so that the
 * more of them there are, the more is not lost.
 *
 * Under load an init needs a mac2, keyed by a cookie that was sent to its
 * source address (gate.h).
 *
 * No wall clock: each start of a link draws an instance number, and counts its
 * inits. From an instance it knows, the responder takes only inits that count
 * higher: a replay is refused. From one it does not know, it keeps one response
 * open per peer; a second init meanwhile has to prove that it is not a
 * recording by bringing a cookie inside its sealed payload. And a response
 * never replaces the session in use: that happens when the first authentic
 * datagram comes in under the new keys, which a replay cannot make.
 *
 * Nothing here does I/O or reads a clock: datagrams and time are handed in,
 * what is to be sent and said is handed out by calls of struct handshake_ops,
 * made from within. Those must not free peers or the handshake.
 */
#ifndef BACKENDS_ENGINE_HANDSHAKE_H
#define BACKENDS_ENGINE_HANDSHAKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "backends/engine/noise.h"
#include "backends/engine/session.h"

enum {
	HANDSHAKE_INIT = 216,
	HANDSHAKE_RESPONSE = 168,
	HANDSHAKE_COOKIE = 72,
	HANDSHAKE_MAX = HANDSHAKE_INIT, /* the longest that is sent */
	HANDSHAKE_LONGEST = 1400,	/* that is taken: inits to come */
	HANDSHAKE_SOURCE = 64,
	HANDSHAKE_NO_PREFIX = 255,
	/* An init that has waited so long for its turn need not be worked on:
	 * its sender has sent it once more since, or has given up. */
	HANDSHAKE_LATE_US = 1000000,
	HANDSHAKE_STRANGERS = 8,
};

/* Where a datagram came from or goes to: bytes the owner understands. A cookie
 * is good for just these bytes, so they hold the sender's address and port and
 * nothing that changes from one datagram to the next. The first `host` of them
 * are what a flood is counted by: the IPv4 address, 8 bytes of the IPv6 one. */
struct handshake_source {
	uint8_t bytes[HANDSHAKE_SOURCE];
	uint8_t size, host;
};

/* What one end says of itself, sealed in init and response. */
struct handshake_hello {
	uint64_t instance; /* of this start of the link; filled in here */
	uint32_t features; /* bits the owner gives a meaning to */
	uint16_t mtu;	   /* of the inner device; 0: not said */
	uint8_t lanes;	   /* how many it would use; a hint */
	/* Inner addresses with the length of their prefixes: a client's own, or
	 * what a server hands out. HANDSHAKE_NO_PREFIX: none. */
	uint8_t ip4_prefix, ip6_prefix;
	uint8_t ip4[4], ip6[16];
};
#define HANDSHAKE_HELLO_NONE                                                   \
	{                                                                      \
		.ip4_prefix = HANDSHAKE_NO_PREFIX,                             \
		.ip6_prefix = HANDSHAKE_NO_PREFIX                              \
	}

struct handshake;
struct handshake_peer;

enum handshake_event {
	/* handshake_session() has changed: new keys. Compare session_era() to
	 * see whether the other end, or we, began anew. */
	HANDSHAKE_ESTABLISHED,
	/* The last session is too old; handshake_session() is NULL. */
	HANDSHAKE_LOST,
	/* handshake_error() says something new. */
	HANDSHAKE_FAILED,
};

struct handshake_ops {
	/* Sends a datagram to `to`. NULL: an init, to wherever the peer may be
	 * reached, best by several ways at once: whichever copy comes first is
	 * answered, and each later one again. handshake_attempt() says how
	 * often it was tried. peer is NULL for a cookie. datagram is borrowed
	 * for the call. */
	void (*send)(void *owner, struct handshake_peer *peer,
		     const struct handshake_source *to, const uint8_t *datagram,
		     size_t size);
	/* from: of the datagram that made it so; NULL: time did. An init or
	 * response is authentic, so that the peer may be reached there. */
	void (*event)(void *owner, struct handshake_peer *peer,
		      enum handshake_event event,
		      const struct handshake_source *from);
	/* Fills bytes with random ones. NULL: getrandom(2). */
	void (*random)(void *owner, void *bytes, size_t size);
	/* What we say to this peer, apart from instance. NULL: nothing. */
	void (*hello)(void *owner, const struct handshake_peer *peer,
		      struct handshake_hello *out);
	/* An init whose sender is none of our peers, size bytes, at most
	 * HANDSHAKE_LONGEST. true: he is one of another handshake of the share,
	 * which was handed it. NULL: there are no others. */
	bool (*elsewhere)(void *owner, const uint8_t sender[NOISE_KEY],
			  const uint8_t *init, size_t size,
			  const struct handshake_source *from);
};

/* secret is copied. ops must live as long. */
struct handshake *handshake_new(const uint8_t secret[NOISE_KEY],
				const struct handshake_ops *ops, void *owner);
/* Frees peers and sessions too, and wipes all keys. */
void handshake_free(struct handshake *handshake);
AUTO_DEFINE(handshake, struct handshake *, handshake_free)

/* Several handshakes with the same secret can share the peers of a link, each
 * in a thread of its own: this is number `part` of `parts` (1..WIRE_PARTS). Its
 * indices are those that wire_part() says are its own, so that whoever gets a
 * datagram can tell whose it is. One of them takes all inits (ops->elsewhere,
 * handshake_handed()), and each knows the cookies of the others, as they have
 * the same root. Before the first peer. */
void handshake_share(struct handshake *handshake, unsigned part, unsigned parts,
		     const uint8_t cookie_root[NOISE_KEY]);
/* The ciphers we take, best first, `count` of them; by default all, in the
 * order of aead_choose(). The responder chooses: its first that both have. */
void handshake_ciphers(struct handshake *handshake,
		       const enum aead_cipher *order, size_t count);
/* The versions we speak; by default WIRE_OLDEST to WIRE_NEWEST. */
void handshake_versions(struct handshake *handshake, uint8_t oldest,
			uint8_t newest);
const uint8_t *handshake_public(const struct handshake *handshake);
struct refusals *handshake_refusals(struct handshake *handshake);

/* A peer by its public key; psk may be NULL. NULL: there is one already, the
 * key is of small order, or it is our own. */
struct handshake_peer *handshake_add(struct handshake *handshake,
				     const uint8_t public[NOISE_KEY],
				     const uint8_t *psk, void *owner);
/* Ends its sessions and frees it. Not from within a call of ops. */
void handshake_remove(struct handshake *handshake, struct handshake_peer *peer);
struct handshake_peer *handshake_find(const struct handshake *handshake,
				      const uint8_t public[NOISE_KEY]);
void *handshake_owner(const struct handshake_peer *peer);
/* Another psk from the next handshake on; NULL: none. */
void handshake_psk(struct handshake_peer *peer, const uint8_t *psk);

/*
 * We are the one who calls: sends an init now and again until there is an
 * answer (after 0.25, 0.5 and then every 0.7 s, give or take a third; every 5 s
 * if the peer declined), and from then on whenever keys are worn or lost.
 *
 * With a session there is already, a new one is made; so call it also when the
 * peer has gone silent, as its end may have been restarted. Calling it again
 * within 0.25 s of the last init changes nothing.
 */
void handshake_start(struct handshake *handshake, struct handshake_peer *peer,
		     uint64_t now_us);
/* Is an init on its way, or one to be sent again? */
bool handshake_is_calling(const struct handshake_peer *peer);
/* Inits sent in vain since the last answer, the one on its way included. */
unsigned handshake_attempt(const struct handshake_peer *peer);

/* A datagram of type init, response or cookie; others are REFUSED_TYPE. Answers
 * by ops->send(). What is refused is counted and changes nothing else. */
enum refusal handshake_input(struct handshake *handshake,
			     const uint8_t *datagram, size_t size,
			     const struct handshake_source *from,
			     uint64_t now_us);
/* An init that another handshake of the share has handed over, and who sent it:
 * whether it may be worked on was asked there. */
enum refusal handshake_handed(struct handshake *handshake,
			      const uint8_t sender[NOISE_KEY],
			      const uint8_t *init, size_t size,
			      const struct handshake_source *from,
			      uint64_t now_us);
/* Does what is due, and says when to call again; UINT64_MAX: when something
 * else has been called. Every other call may bring that time forward, so call
 * this after a round of them: when nothing is due it is one comparison. */
uint64_t handshake_timer(struct handshake *handshake, uint64_t now_us);

/* The session with our index, 24 bits; NULL: none. */
struct session *handshake_lookup(const struct handshake *handshake,
				 uint32_t index);
/* A transport datagram: looks up the session, opens it (session_open()), makes
 * it the current one if it was the next, and counts what is refused. *session
 * and out are set when it is REFUSED_NOT. */
enum refusal handshake_open(struct handshake *handshake, uint8_t *datagram,
			    size_t size, const struct handshake_source *from,
			    uint64_t now_us, struct session **session,
			    struct session_packet *out);
/* The session to seal with; NULL: none. Borrowed until time goes on. */
struct session *handshake_session(const struct handshake_peer *peer);
/* What the peer said last, with keys that are confirmed; NULL: nothing yet. */
const struct handshake_hello *
handshake_heard(const struct handshake_peer *peer);
/* The version that both use; 0: none has been agreed on. */
uint8_t handshake_version(const struct handshake_peer *peer);
/* The version of the last init within a minute that knew our public key and
 * could not be read, and who sent it; 0: none. It is nobody's word: whoever has
 * that key can send one. */
uint8_t handshake_alien(const struct handshake *handshake, uint64_t now_us,
			struct handshake_source *from);
/* Who called with a key that is no peer's, and has proven that it is his: the
 * last ones, within an hour, two of one host at most. Who knows our public key
 * can fill this list, no faster than five a second, and a recorded init shows
 * whence it was sent again: it is for the operator to look at, no more. */
struct handshake_stranger {
	uint8_t key[NOISE_KEY];
	struct handshake_source from; /* the last time ... */
	uint64_t at_us;		      /* ... then */
};
/* The latest first; returns how many. */
size_t handshake_strangers(const struct handshake *handshake, uint64_t now_us,
			   struct handshake_stranger out[HANDSHAKE_STRANGERS]);
/* Two hosts have the peer's key, and each takes the session from the other: one
 * came back after the other within the last minute. Where both were last heard
 * from. */
bool handshake_twins(const struct handshake_peer *peer, uint64_t now_us,
		     struct handshake_source from[2]);
/* Why there is no session, one sentence for the operator; NULL: no complaint.
 * Borrowed until the next call. */
const char *handshake_error(const struct handshake_peer *peer);

#endif
