/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "model/base/crypto.h"

#include <dlfcn.h>
#include <openssl/evp.h>
#include <openssl/opensslv.h>
#include <openssl/sha.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The version that the headers belong to. */
#define TEXT_OF(number)	   #number
#define FILE_OF(number)	   "libcrypto.so." TEXT_OF(number)
#define LIBRARY		   FILE_OF(OPENSSL_SHLIB_VERSION)
#define MEMBER(name)	   __typeof__(&name) name;
#define FIND(handle, name) find(handle, #name, &crypto.name)

static struct {
	MEMBER(SHA256)
	MEMBER(EVP_PKEY_new_raw_private_key)
	MEMBER(EVP_PKEY_get_raw_public_key)
	MEMBER(EVP_PKEY_free)
	MEMBER(EVP_EncodeBlock)
	MEMBER(EVP_DecodeBlock)
} crypto;

static void give_up(void)
{
	fprintf(stderr, "keys of tunnels need OpenSSL's library: %s\n",
		dlerror());
	exit(1);
}

/* POSIX: what dlsym() finds may be the address of a function. */
static void find(void *library, const char *name, void *function)
{
	void **at = function;

	*at = dlsym(library, name);
	if (!*at)
		give_up();
}

static void load(void)
{
	void *library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);

	if (!library)
		give_up();
	FIND(library, SHA256);
	FIND(library, EVP_PKEY_new_raw_private_key);
	FIND(library, EVP_PKEY_get_raw_public_key);
	FIND(library, EVP_PKEY_free);
	FIND(library, EVP_EncodeBlock);
	FIND(library, EVP_DecodeBlock);
}

static void need(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, load);
}

void crypto_sha256(const void *bytes, size_t size, uint8_t sum[CRYPTO_SHA256])
{
	need();
	crypto.SHA256(bytes, size, sum);
}

bool crypto_public(const uint8_t secret[CRYPTO_KEY], uint8_t public[CRYPTO_KEY])
{
	size_t size = CRYPTO_KEY;
	EVP_PKEY *key;
	bool good;

	need();
	key = crypto.EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, NULL, secret,
						  CRYPTO_KEY);
	good = key &&
	       crypto.EVP_PKEY_get_raw_public_key(key, public, &size) == 1;
	crypto.EVP_PKEY_free(key);
	return good;
}

bool crypto_is_key(const char *text)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "abcdefghijklmnopqrstuvwxyz0123456789+/";

	if (strlen(text) != CRYPTO_TEXT - 1 || text[CRYPTO_TEXT - 2] != '=' ||
	    strspn(text, digits) != CRYPTO_TEXT - 2)
		return false;
	/* 43 digits hold 258 bits: the last two are nothing. */
	return ((strchr(digits, text[CRYPTO_TEXT - 3]) - digits) & 3) == 0;
}

bool crypto_read_key(const char *text, uint8_t key[CRYPTO_KEY])
{
	uint8_t bytes[CRYPTO_KEY + 1]; /* with what only fills up */
	bool good = crypto_is_key(text);

	if (good) {
		need();
		crypto.EVP_DecodeBlock(bytes, (const uint8_t *)text,
				       CRYPTO_TEXT - 1);
		memcpy(key, bytes, CRYPTO_KEY);
		explicit_bzero(bytes, sizeof(bytes));
	}
	return good;
}

void crypto_print_key(const uint8_t key[CRYPTO_KEY], char text[CRYPTO_TEXT])
{
	need();
	crypto.EVP_EncodeBlock((uint8_t *)text, key, CRYPTO_KEY);
}
