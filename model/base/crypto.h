/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * crypto.h - the few functions of libcrypto that keys take.
 *
 * The library is loaded when the first of them is called: to be linked with it
 * would cost every start of the program a quarter of its time, and most have to
 * do with no key. Where it cannot be loaded the program ends with a sentence,
 * before anything was done.
 */
#ifndef MODEL_BASE_CRYPTO_H
#define MODEL_BASE_CRYPTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	CRYPTO_KEY = 32,
	CRYPTO_TEXT = 45, /* a key in base64, with the zero */
	CRYPTO_SHA256 = 32,
};

void crypto_sha256(const void *bytes, size_t size, uint8_t sum[CRYPTO_SHA256]);
/* X25519 (RFC 7748): the public key of a secret one. */
bool crypto_public(const uint8_t secret[CRYPTO_KEY],
		   uint8_t public[CRYPTO_KEY]);
/* A key as WireGuard writes it: base64 (RFC 4648, 4), in the one spelling that
 * has no stray bits. Is it one? Takes no library. */
bool crypto_is_key(const char *text);
/* false, and nothing is read: it is none. */
bool crypto_read_key(const char *text, uint8_t key[CRYPTO_KEY]);
void crypto_print_key(const uint8_t key[CRYPTO_KEY], char text[CRYPTO_TEXT]);

#endif
