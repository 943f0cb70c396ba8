/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * aead.h - authenticated encryption (RFC 5116), by the fastest code at hand.
 *
 * Two ciphers, which every build has: AES-256-GCM (NIST SP 800-38D) and
 * ChaCha20-Poly1305 (RFC 8439). Both have keys of 32, nonces of 12 and tags of
 * 16 bytes. libcrypto does either everywhere; on x86 libipsec-mb does AES-GCM
 * several times faster where the CPU has AES-NI, and again with VAES.
 *
 * aead_choose() finds out once what this machine is good at. Two ends agree on
 * a cipher in their handshake; which library does it is each end's own affair.
 *
 * A struct aead is one key with its schedule. Nothing here allocates after
 * aead_new(). A key is used by one thread at a time.
 */
#ifndef BACKENDS_ENGINE_AEAD_H
#define BACKENDS_ENGINE_AEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/base/mem.h"

enum {
	AEAD_KEY = 32,
	AEAD_NONCE = 12,
	AEAD_TAG = 16,
};

/* The numbers travel in the handshake. */
enum aead_cipher {
	AEAD_NONE = 0,
	AEAD_AES256GCM = 1,
	AEAD_CHACHA20POLY1305 = 2,
	AEAD_CIPHERS, /* one more than the last */
};

enum aead_library {
	AEAD_LIBCRYPTO,
	AEAD_IPSEC_MB, /* AES-GCM only; x86 with AES-NI only */
	AEAD_LIBRARIES,
};

/* What this machine is good at. */
struct aead_choice {
	/* Best first; all of them, as each works everywhere. */
	enum aead_cipher order[AEAD_CIPHERS - 1];
	enum aead_library library[AEAD_CIPHERS]; /* by cipher */
	/* Sealing 1400 bytes, as measured; 0: there is no such code here. */
	double ns[AEAD_CIPHERS][AEAD_LIBRARIES];
};

/* Measured at the first call (some milliseconds), remembered for the others.
 * May be called by any thread; the answer lives as long as the program. */
const struct aead_choice *aead_choose(void);

/* "AES-256-GCM", "libipsec-mb": for people. NULL for other numbers. */
const char *aead_cipher_name(enum aead_cipher cipher);
const char *aead_library_name(enum aead_library library);
/* Is the library built in, does it do this cipher, can this CPU run it? */
bool aead_has(enum aead_cipher cipher, enum aead_library library);

struct aead;

/* A key for cipher, which must be one of them, in the library that
 * aead_choose() found best. The bytes of key are copied. */
struct aead *aead_new(enum aead_cipher cipher, const uint8_t key[AEAD_KEY]);
/* The same in this library; NULL where !aead_has(). */
struct aead *aead_new_in(enum aead_library library, enum aead_cipher cipher,
			 const uint8_t key[AEAD_KEY]);
/* Wipes the key. */
void aead_free(struct aead *aead);
AUTO_DEFINE(aead, struct aead *, aead_free)

/*
 * A run: packets of one size, at equal distances, with nonces that count up.
 *
 *     from ->[ size ]......[ size ]......        from_stride apart
 *     to   ->[ size ][tag]..[ size ][tag]..      to_stride apart
 *     ad   ->[ad_size]......[ad_size]....        ad_stride apart
 *
 * The nonce is lane (u32, big endian), then counter (u64, big endian), which
 * grows by one from packet to packet. from may be to (in place) with the same
 * stride; else they must not overlap.
 */
struct aead_run {
	const uint8_t *from, *ad;
	uint8_t *to;
	size_t from_stride, to_stride, ad_stride;
	size_t size, ad_size; /* of one packet; size without tag, may be 0 */
	size_t count;
	uint32_t lane;
	uint64_t counter; /* of the first; the last must not wrap */
};
/* Cannot fail with a sound run; aborts if the library fails all the same,
 * because what would go out then is plaintext. */
void aead_seal(struct aead *aead, const struct aead_run *run);

/* One packet: size bytes to to, the tag behind them. */
void aead_seal_one(struct aead *aead, const uint8_t nonce[AEAD_NONCE],
		   const void *ad, size_t ad_size, const uint8_t *from,
		   size_t size, uint8_t *to);
/* size is without the tag, which follows in from. from may be to. False: not
 * sealed with this key, nonce and additional data, and then to holds size bytes
 * of zero. Tags are compared in constant time. */
bool aead_open_one(struct aead *aead, const uint8_t nonce[AEAD_NONCE],
		   const void *ad, size_t ad_size, const uint8_t *from,
		   size_t size, uint8_t *to);

/* lane and counter as the nonce of a datagram (wire.h). */
void aead_nonce(uint8_t nonce[AEAD_NONCE], uint32_t lane, uint64_t counter);

#endif
