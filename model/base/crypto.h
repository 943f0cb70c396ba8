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

enum { CRYPTO_KEY = 32, CRYPTO_SHA256 = 32 };

void crypto_sha256(const void *bytes, size_t size, uint8_t sum[CRYPTO_SHA256]);
/* X25519 (RFC 7748): the public key of a secret one. */
bool crypto_public(const uint8_t secret[CRYPTO_KEY],
		   uint8_t public[CRYPTO_KEY]);
/* Base64 (RFC 4648, 4), with a zero behind it: 4 characters for 3 bytes. */
void crypto_encode(const uint8_t *bytes, size_t size, char *text);
/* Back: how many bytes, with those that only fill up, or negative. */
int crypto_decode(const char *text, size_t length, uint8_t *bytes);

#endif
