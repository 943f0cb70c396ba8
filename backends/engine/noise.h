/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * noise.h - the Noise protocol framework, revision 34, as far as a tunnel needs
 * it: pattern IK, with a pre-shared key or without, over Curve25519.
 *
 *     IK:   <- s
 *           ...
 *           -> e, es, s, ss          the initiator knows the responder's key
 *           <- e, ee, se             (psk1, psk2: a psk after that message)
 *
 * Ours is Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s, WireGuard's. The others are
 * there because the same code does them and the public test vectors ask.
 *
 * Pure: no clock, no socket; the ephemeral key is given by the caller. Secrets
 * are wiped by noise_clear(), by noise_split(), and on every failure: a state
 * that failed is dead, and says so to whoever goes on with it.
 */
#ifndef BACKENDS_ENGINE_NOISE_H
#define BACKENDS_ENGINE_NOISE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "backends/engine/aead.h"

enum {
	NOISE_KEY = 32,	       /* a public or secret key, a psk */
	NOISE_HASH = 64,       /* the longest hash */
	NOISE_MAC = 16,	       /* of noise_mac() */
	NOISE_MESSAGE = 65535, /* the longest message */
};

enum noise_pattern { NOISE_IK, NOISE_IKPSK1, NOISE_IKPSK2 };
enum noise_hash { NOISE_BLAKE2S, NOISE_BLAKE2B, NOISE_SHA256, NOISE_SHA512 };

struct noise_protocol {
	const char *name; /* mixed into the hash: borrowed, must stay */
	enum noise_pattern pattern;
	enum aead_cipher cipher; /* of the handshake, not of the transport */
	enum noise_hash hash;
};

/* Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s */
extern const struct noise_protocol noise_ours;
/* Reads such a name. False: not one of ours. */
bool noise_protocol_parse(const char *name, struct noise_protocol *out);

/* A secret key from 32 random bytes: clamped (RFC 7748, 5), in place. */
void noise_clamp(uint8_t secret[NOISE_KEY]);
/* The public key of a secret one. */
void noise_public(const uint8_t secret[NOISE_KEY], uint8_t public[NOISE_KEY]);
/* X25519. own: the public key of secret; NULL: worked out, which takes as long
 * again. False, and shared is zero, when the result would be all zero: the
 * public key is one of the few of small order (RFC 7748, 6.1). */
bool noise_agree(const uint8_t secret[NOISE_KEY], const uint8_t *own,
		 const uint8_t public[NOISE_KEY], uint8_t shared[NOISE_KEY]);

struct noise_setup {
	struct noise_protocol protocol;
	bool initiator;
	const void *prologue;
	size_t prologue_size;
	const uint8_t *secret;	  /* our static key */
	const uint8_t *public;	  /* of secret; NULL: worked out */
	const uint8_t *ephemeral; /* a secret key, fresh for this handshake */
	const uint8_t *remote;	  /* the responder's public key; else NULL */
	const uint8_t *psk;	  /* IKpsk1, IKpsk2; a responder may give it
				     later: noise_psk() */
};

/* One handshake under way. In place; holds secrets until it is cleared. */
struct noise {
	struct noise_protocol protocol;
	bool initiator, dead, keyed;
	unsigned step;	/* messages done */
	uint64_t nonce; /* of the handshake's cipher */
	size_t hash_size;
	uint8_t chain[NOISE_HASH], hash[NOISE_HASH], key[AEAD_KEY];
	uint8_t secret[NOISE_KEY], public[NOISE_KEY];
	uint8_t ephemeral[NOISE_KEY], ephemeral_public[NOISE_KEY];
	uint8_t shared[NOISE_KEY]; /* of the two static keys */
	bool has_shared;
	uint8_t remote[NOISE_KEY], remote_ephemeral[NOISE_KEY];
	uint8_t psk[NOISE_KEY];
};

/* Copies what setup points to. */
void noise_init(struct noise *noise, const struct noise_setup *setup);
void noise_clear(struct noise *noise);
#define AUTO_NOISE __attribute__((cleanup(noise_clear))) struct noise

/* The psk once the other end is known. Before the message that mixes it. */
void noise_psk(struct noise *noise, const uint8_t psk[NOISE_KEY]);

/* What our static key and the other end's agree on (noise_agree()), where it is
 * known already: one computation less. Before the first message is written, or
 * its rest is read. */
void noise_shared(struct noise *noise, const uint8_t shared[NOISE_KEY]);

/* The bytes a message is longer than its payload. step: 0 the first, 1 the
 * second. */
size_t noise_overhead(const struct noise_protocol *protocol, unsigned step);
/* Our message: payload and noise_overhead() more bytes, to out, which has room
 * and does not overlap payload. False: out of turn, dead, or a key of small
 * order. */
bool noise_write(struct noise *noise, const void *payload, size_t size,
		 uint8_t *out);
/* Theirs: size bytes in all, the payload goes to out, which has room for size
 * less noise_overhead(). False: not authentic, out of turn, dead. */
bool noise_read(struct noise *noise, const uint8_t *message, size_t size,
		uint8_t *out);
/* The first message, read in two parts by a responder, who has to know the
 * sender (noise->remote, not yet proven) before the psk, and what it costs to
 * prove it: first up to the static key, then the rest of the same message. */
bool noise_read_sender(struct noise *noise, const uint8_t *message,
		       size_t size);
bool noise_read_rest(struct noise *noise, const uint8_t *message, size_t size,
		     uint8_t *out);
/* After both messages: the two keys, and the state is wiped. The hash of the
 * handshake stays readable. False: not done, or dead. */
bool noise_split(struct noise *noise, uint8_t send[AEAD_KEY],
		 uint8_t receive[AEAD_KEY]);

/* The AEAD as Noise uses it: its own form of nonce for each cipher. */
void noise_seal(enum aead_cipher cipher, const uint8_t key[AEAD_KEY],
		uint64_t nonce, const void *ad, size_t ad_size,
		const uint8_t *from, size_t size, uint8_t *to);
bool noise_open(enum aead_cipher cipher, const uint8_t key[AEAD_KEY],
		uint64_t nonce, const void *ad, size_t ad_size,
		const uint8_t *from, size_t size, uint8_t *to);

/* BLAKE2s (RFC 7693) of two pieces; either may be empty. */
void noise_digest(const void *a, size_t a_size, const void *b, size_t b_size,
		  uint8_t out[32]);
/* HMAC-BLAKE2s (RFC 2104) of two pieces, cut to 16 bytes. */
void noise_mac(const uint8_t key[NOISE_KEY], const void *a, size_t a_size,
	       const void *b, size_t b_size, uint8_t out[NOISE_MAC]);

#endif
