/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/engine/noise.h"

#include <assert.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <string.h>

enum { BLOCK = 128 }; /* of the hash with the longest */

struct piece {
	const void *bytes;
	size_t size;
};

static const struct hash_row {
	const char *name, *openssl;
	size_t size, block;
} hashes[] = {
	[NOISE_BLAKE2S] = { "BLAKE2s", "BLAKE2S-256", 32, 64 },
	[NOISE_BLAKE2B] = { "BLAKE2b", "BLAKE2B-512", 64, 128 },
	[NOISE_SHA256] = { "SHA256", "SHA2-256", 32, 64 },
	[NOISE_SHA512] = { "SHA512", "SHA2-512", 64, 128 },
};
static const char *const patterns[] = {
	[NOISE_IK] = "IK",
	[NOISE_IKPSK1] = "IKpsk1",
	[NOISE_IKPSK2] = "IKpsk2",
};
static const char *const ciphers[] = {
	[AEAD_AES256GCM] = "AESGCM",
	[AEAD_CHACHA20POLY1305] = "ChaChaPoly",
};

const struct noise_protocol noise_ours = {
	"Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s",
	NOISE_IKPSK2,
	AEAD_CHACHA20POLY1305,
	NOISE_BLAKE2S,
};

/* Fetched once: a fetch by name takes longer than a hash. */
static EVP_MD *digests[ARRAY_SIZE(hashes)];
static pthread_once_t digests_once = PTHREAD_ONCE_INIT;

static void digests_fetch(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(hashes); i++)
		digests[i] = EVP_MD_fetch(NULL, hashes[i].openssl, NULL);
}

/* libcrypto fails here only without memory, or when built without what the
 * handshake stands on; either way there is nothing to go on with. */
static void must(bool holds)
{
	if (!holds)
		abort();
}

static bool read_word(const char **at, const char *word)
{
	size_t length = strlen(word);

	if (strncmp(*at, word, length) ||
	    ((*at)[length] != '_' && (*at)[length] != '\0'))
		return false;
	*at += length + ((*at)[length] == '_');
	return true;
}

/* Its place in words, -1: none of them. */
static int read_one(const char **at, const char *const *words, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (words[i] && read_word(at, words[i]))
			return (int)i;
	return -1;
}

bool noise_protocol_parse(const char *name, struct noise_protocol *out)
{
	const char *names[ARRAY_SIZE(hashes)], *at = name;
	int pattern, cipher, hash;

	for (size_t i = 0; i < ARRAY_SIZE(hashes); i++)
		names[i] = hashes[i].name;
	if (!read_word(&at, "Noise"))
		return false;
	pattern = read_one(&at, patterns, ARRAY_SIZE(patterns));
	if (pattern < 0 || !read_word(&at, "25519"))
		return false;
	cipher = read_one(&at, ciphers, ARRAY_SIZE(ciphers));
	hash = cipher < 0 ? -1 : read_one(&at, names, ARRAY_SIZE(names));
	if (hash < 0 || *at || at[-1] == '_')
		return false;
	*out = (struct noise_protocol){ name, pattern, cipher, hash };
	return true;
}

static void hash_pieces(enum noise_hash hash, const struct piece *pieces,
			size_t count, uint8_t *out)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();

	pthread_once(&digests_once, digests_fetch);
	must(context && digests[hash] &&
	     EVP_DigestInit_ex2(context, digests[hash], NULL));
	for (size_t i = 0; i < count; i++)
		if (pieces[i].size)
			must(EVP_DigestUpdate(context, pieces[i].bytes,
					      pieces[i].size));
	must(EVP_DigestFinal_ex(context, out, NULL));
	EVP_MD_CTX_free(context);
}

/* RFC 2104; the key is never longer than a block. */
static void hmac(enum noise_hash hash, const uint8_t *key, size_t key_size,
		 struct piece a, struct piece b, uint8_t *out)
{
	uint8_t pad[BLOCK], inner[NOISE_HASH];
	size_t size = hashes[hash].size, block = hashes[hash].block;

	memset(pad, 0x36, block);
	for (size_t i = 0; i < key_size; i++)
		pad[i] ^= key[i];
	hash_pieces(hash, (struct piece[]){ { pad, block }, a, b }, 3, inner);
	for (size_t i = 0; i < block; i++)
		pad[i] ^= 0x36 ^ 0x5c;
	hash_pieces(hash, (struct piece[]){ { pad, block }, { inner, size } },
		    2, out);
	OPENSSL_cleanse(pad, sizeof(pad));
	OPENSSL_cleanse(inner, sizeof(inner));
}

void noise_digest(const void *a, size_t a_size, const void *b, size_t b_size,
		  uint8_t out[32])
{
	hash_pieces(NOISE_BLAKE2S,
		    (struct piece[]){ { a, a_size }, { b, b_size } }, 2, out);
}

void noise_mac(const uint8_t key[NOISE_KEY], const void *a, size_t a_size,
	       const void *b, size_t b_size, uint8_t out[NOISE_MAC])
{
	uint8_t whole[32];

	hmac(NOISE_BLAKE2S, key, NOISE_KEY, (struct piece){ a, a_size },
	     (struct piece){ b, b_size }, whole);
	memcpy(out, whole, NOISE_MAC);
	OPENSSL_cleanse(whole, sizeof(whole));
}

void noise_clamp(uint8_t secret[NOISE_KEY])
{
	secret[0] &= 248;
	secret[31] &= 127;
	secret[31] |= 64;
}

void noise_public(const uint8_t secret[NOISE_KEY], uint8_t public[NOISE_KEY])
{
	EVP_PKEY *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, NULL,
						     secret, NOISE_KEY);
	size_t size = NOISE_KEY;

	must(key && EVP_PKEY_get_raw_public_key(key, public, &size));
	EVP_PKEY_free(key);
}

/* libcrypto refuses the zero result by itself; so do we. */
static bool derive(EVP_PKEY *ours, EVP_PKEY *theirs, uint8_t *shared)
{
	static const uint8_t zero[NOISE_KEY];
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(ours, NULL);
	size_t size = NOISE_KEY;
	bool good;

	must(context && EVP_PKEY_derive_init(context) > 0);
	good = EVP_PKEY_derive_set_peer(context, theirs) > 0 &&
	       EVP_PKEY_derive(context, shared, &size) > 0 &&
	       size == NOISE_KEY && CRYPTO_memcmp(shared, zero, NOISE_KEY);
	EVP_PKEY_CTX_free(context);
	return good;
}

/* libcrypto works out the public key of a secret one that comes without, which
 * takes as long as the agreement itself. */
static EVP_PKEY *import(const uint8_t *secret, const uint8_t *public)
{
	EVP_PKEY_CTX *context =
		EVP_PKEY_CTX_new_from_name(NULL, "X25519", NULL);
	OSSL_PARAM parts[] = {
		OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PRIV_KEY,
						  (void *)secret, NOISE_KEY),
		OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY,
						  (void *)public, NOISE_KEY),
		OSSL_PARAM_construct_end(),
	};
	EVP_PKEY *key = NULL;

	must(context && EVP_PKEY_fromdata_init(context) > 0 &&
	     EVP_PKEY_fromdata(context, &key, EVP_PKEY_KEYPAIR, parts) > 0);
	EVP_PKEY_CTX_free(context);
	return key;
}

bool noise_agree(const uint8_t secret[NOISE_KEY], const uint8_t *own,
		 const uint8_t public[NOISE_KEY], uint8_t shared[NOISE_KEY])
{
	EVP_PKEY *ours =
		own ? import(secret, own)
		    : EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, NULL,
						   secret, NOISE_KEY);
	EVP_PKEY *theirs = EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, NULL,
						       public, NOISE_KEY);
	bool good;

	must(ours && theirs);
	good = derive(ours, theirs, shared);
	EVP_PKEY_free(ours);
	EVP_PKEY_free(theirs);
	if (!good)
		memset(shared, 0, NOISE_KEY);
	return good;
}

/* Noise numbers nonces: 4 bytes of zero, then the number, little endian with
 * ChaChaPoly and big endian with AESGCM (sections 12.3 and 12.4). */
static void make_nonce(enum aead_cipher cipher, uint64_t number,
		       uint8_t nonce[AEAD_NONCE])
{
	aead_nonce(nonce, 0, number);
	if (cipher == AEAD_CHACHA20POLY1305)
		for (int i = 0; i < 8; i++)
			nonce[4 + i] = (uint8_t)(number >> (8 * i));
}

/* By libcrypto: a key for one message is not worth another's schedule. */
void noise_seal(enum aead_cipher cipher, const uint8_t key[AEAD_KEY],
		uint64_t nonce, const void *ad, size_t ad_size,
		const uint8_t *from, size_t size, uint8_t *to)
{
	AUTO(aead) struct aead *aead = aead_new_in(AEAD_LIBCRYPTO, cipher, key);
	uint8_t bytes[AEAD_NONCE];

	must(aead);
	make_nonce(cipher, nonce, bytes);
	aead_seal_one(aead, bytes, ad, ad_size, from, size, to);
}

bool noise_open(enum aead_cipher cipher, const uint8_t key[AEAD_KEY],
		uint64_t nonce, const void *ad, size_t ad_size,
		const uint8_t *from, size_t size, uint8_t *to)
{
	AUTO(aead) struct aead *aead = aead_new_in(AEAD_LIBCRYPTO, cipher, key);
	uint8_t bytes[AEAD_NONCE];

	must(aead);
	make_nonce(cipher, nonce, bytes);
	return aead_open_one(aead, bytes, ad, ad_size, from, size, to);
}

/*
 * From here on it reads like the specification: MixHash, MixKey and so on are
 * section 5, the tokens section 7.
 */
static void mix_hash(struct noise *noise, const void *bytes, size_t size)
{
	hash_pieces(noise->protocol.hash,
		    (struct piece[]){ { noise->hash, noise->hash_size },
				      { bytes, size } },
		    2, noise->hash);
}

/* HKDF (section 4.3): the chaining key and `input` give count outputs. */
static void hkdf(struct noise *noise, const uint8_t *input, size_t size,
		 uint8_t (*out)[NOISE_HASH], unsigned count)
{
	enum noise_hash hash = noise->protocol.hash;
	size_t length = noise->hash_size;
	struct piece before = { NULL, 0 };
	uint8_t temp[NOISE_HASH];

	hmac(hash, noise->chain, length, (struct piece){ input, size },
	     (struct piece){ NULL, 0 }, temp);
	for (unsigned i = 0; i < count; i++) {
		uint8_t number = (uint8_t)(i + 1);

		hmac(hash, temp, length, before, (struct piece){ &number, 1 },
		     out[i]);
		before = (struct piece){ out[i], length };
	}
	OPENSSL_cleanse(temp, sizeof(temp));
}

static void set_key(struct noise *noise, const uint8_t *key)
{
	memcpy(noise->key, key, AEAD_KEY);
	noise->keyed = true;
	noise->nonce = 0;
}

static void mix_key(struct noise *noise, const uint8_t *input)
{
	uint8_t out[2][NOISE_HASH];

	hkdf(noise, input, NOISE_KEY, out, 2);
	memcpy(noise->chain, out[0], noise->hash_size);
	set_key(noise, out[1]);
	OPENSSL_cleanse(out, sizeof(out));
}

static void mix_psk(struct noise *noise)
{
	uint8_t out[3][NOISE_HASH];

	hkdf(noise, noise->psk, NOISE_KEY, out, 3);
	memcpy(noise->chain, out[0], noise->hash_size);
	mix_hash(noise, out[1], noise->hash_size);
	set_key(noise, out[2]);
	OPENSSL_cleanse(out, sizeof(out));
}

static bool mix_dh(struct noise *noise, const uint8_t *secret,
		   const uint8_t *own, const uint8_t *public)
{
	uint8_t shared[NOISE_KEY];
	bool good = noise_agree(secret, own, public, shared);

	if (good)
		mix_key(noise, shared);
	OPENSSL_cleanse(shared, sizeof(shared));
	return good;
}

/* With our ephemeral key (token ee, or es of the initiator, se of the other),
 * and with the static one. */
static bool mix_fresh(struct noise *noise, const uint8_t *public)
{
	return mix_dh(noise, noise->ephemeral, noise->ephemeral_public, public);
}

static bool mix_static(struct noise *noise, const uint8_t *public)
{
	return mix_dh(noise, noise->secret, noise->public, public);
}

/* Token ss: the same each time. */
static bool mix_both(struct noise *noise)
{
	if (!noise->has_shared)
		return mix_static(noise, noise->remote);
	mix_key(noise, noise->shared);
	return true;
}

static void mix_ephemeral(struct noise *noise, const uint8_t *public)
{
	mix_hash(noise, public, NOISE_KEY);
	if (noise->protocol.pattern != NOISE_IK)
		mix_key(noise, public); /* section 9.2 */
}

static void encrypt(struct noise *noise, const void *from, size_t size,
		    uint8_t *to)
{
	noise_seal(noise->protocol.cipher, noise->key, noise->nonce++,
		   noise->hash, noise->hash_size, from, size, to);
	mix_hash(noise, to, size + AEAD_TAG);
}

/* size is without the tag. */
static bool decrypt(struct noise *noise, const uint8_t *from, size_t size,
		    uint8_t *to)
{
	if (!noise_open(noise->protocol.cipher, noise->key, noise->nonce++,
			noise->hash, noise->hash_size, from, size, to))
		return false;
	mix_hash(noise, from, size + AEAD_TAG);
	return true;
}

static void maybe_psk(struct noise *noise, enum noise_pattern pattern)
{
	if (noise->protocol.pattern == pattern)
		mix_psk(noise);
}

void noise_init(struct noise *noise, const struct noise_setup *setup)
{
	const char *name = setup->protocol.name;
	size_t length = strlen(name);

	*noise = (struct noise){ .protocol = setup->protocol,
				 .initiator = setup->initiator };
	noise->hash_size = hashes[noise->protocol.hash].size;
	memcpy(noise->secret, setup->secret, NOISE_KEY);
	memcpy(noise->ephemeral, setup->ephemeral, NOISE_KEY);
	if (setup->public)
		memcpy(noise->public, setup->public, NOISE_KEY);
	else
		noise_public(noise->secret, noise->public);
	if (setup->remote)
		memcpy(noise->remote, setup->remote, NOISE_KEY);
	if (setup->psk)
		memcpy(noise->psk, setup->psk, NOISE_KEY);
	if (length <= noise->hash_size)
		memcpy(noise->hash, name, length);
	else
		hash_pieces(noise->protocol.hash,
			    &(struct piece){ name, length }, 1, noise->hash);
	memcpy(noise->chain, noise->hash, noise->hash_size);
	mix_hash(noise, setup->prologue, setup->prologue_size);
	mix_hash(noise, noise->initiator ? noise->remote : noise->public,
		 NOISE_KEY);
}

void noise_clear(struct noise *noise)
{
	OPENSSL_cleanse(noise, sizeof(*noise));
	noise->dead = true;
}

void noise_shared(struct noise *noise, const uint8_t shared[NOISE_KEY])
{
	memcpy(noise->shared, shared, NOISE_KEY);
	noise->has_shared = true;
}

void noise_psk(struct noise *noise, const uint8_t psk[NOISE_KEY])
{
	memcpy(noise->psk, psk, NOISE_KEY);
}

size_t noise_overhead(const struct noise_protocol *protocol, unsigned step)
{
	(void)protocol; /* the same for all patterns there are */
	return NOISE_KEY + AEAD_TAG + (step ? 0 : NOISE_KEY + AEAD_TAG);
}

static void write_ephemeral(struct noise *noise, uint8_t *out)
{
	noise_public(noise->ephemeral, noise->ephemeral_public);
	memcpy(out, noise->ephemeral_public, NOISE_KEY);
	mix_ephemeral(noise, out);
}

static bool write_first(struct noise *noise, uint8_t *out)
{
	write_ephemeral(noise, out);
	if (!mix_fresh(noise, noise->remote))
		return false;
	encrypt(noise, noise->public, NOISE_KEY, out + NOISE_KEY);
	if (!mix_both(noise))
		return false;
	maybe_psk(noise, NOISE_IKPSK1);
	return true;
}

static bool write_second(struct noise *noise, uint8_t *out)
{
	write_ephemeral(noise, out);
	if (!mix_fresh(noise, noise->remote_ephemeral) ||
	    !mix_fresh(noise, noise->remote))
		return false;
	maybe_psk(noise, NOISE_IKPSK2);
	return true;
}

/* Whose turn is it? The initiator's first message, the responder's second. */
static bool my_turn(const struct noise *noise)
{
	return !noise->dead && noise->step < 2 &&
	       noise->initiator == (noise->step == 0);
}

static bool their_turn(const struct noise *noise)
{
	return !noise->dead && noise->step < 2 &&
	       noise->initiator == (noise->step == 1);
}

static bool fail(struct noise *noise)
{
	noise_clear(noise);
	return false;
}

bool noise_write(struct noise *noise, const void *payload, size_t size,
		 uint8_t *out)
{
	size_t head = noise_overhead(&noise->protocol, noise->step) - AEAD_TAG;

	if (!my_turn(noise) || size > NOISE_MESSAGE - head - AEAD_TAG)
		return fail(noise);
	if (!(noise->step ? write_second : write_first)(noise, out))
		return fail(noise);
	encrypt(noise, payload, size, out + head);
	noise->step++;
	return true;
}

bool noise_read_sender(struct noise *noise, const uint8_t *message, size_t size)
{
	if (!their_turn(noise) || noise->step || noise->keyed ||
	    size > NOISE_MESSAGE || size < noise_overhead(&noise->protocol, 0))
		return fail(noise);
	memcpy(noise->remote_ephemeral, message, NOISE_KEY);
	mix_ephemeral(noise, noise->remote_ephemeral);
	if (!mix_static(noise, noise->remote_ephemeral) ||
	    !decrypt(noise, message + NOISE_KEY, NOISE_KEY, noise->remote))
		return fail(noise);
	return true;
}

bool noise_read_rest(struct noise *noise, const uint8_t *message, size_t size,
		     uint8_t *out)
{
	size_t head = 2 * NOISE_KEY + AEAD_TAG;

	if (!their_turn(noise) || noise->step || !noise->keyed ||
	    size > NOISE_MESSAGE || size < head + AEAD_TAG)
		return fail(noise);
	if (!mix_both(noise))
		return fail(noise);
	maybe_psk(noise, NOISE_IKPSK1);
	if (!decrypt(noise, message + head, size - head - AEAD_TAG, out))
		return fail(noise);
	noise->step++;
	return true;
}

static bool read_second(struct noise *noise, const uint8_t *message,
			size_t size, uint8_t *out)
{
	size_t head = NOISE_KEY;

	if (size > NOISE_MESSAGE || size < head + AEAD_TAG)
		return fail(noise);
	memcpy(noise->remote_ephemeral, message, NOISE_KEY);
	mix_ephemeral(noise, noise->remote_ephemeral);
	if (!mix_fresh(noise, noise->remote_ephemeral) ||
	    !mix_static(noise, noise->remote_ephemeral))
		return fail(noise);
	maybe_psk(noise, NOISE_IKPSK2);
	if (!decrypt(noise, message + head, size - head - AEAD_TAG, out))
		return fail(noise);
	noise->step++;
	return true;
}

bool noise_read(struct noise *noise, const uint8_t *message, size_t size,
		uint8_t *out)
{
	if (!their_turn(noise))
		return fail(noise);
	if (noise->step)
		return read_second(noise, message, size, out);
	return noise_read_sender(noise, message, size) &&
	       noise_read_rest(noise, message, size, out);
}

bool noise_split(struct noise *noise, uint8_t send[AEAD_KEY],
		 uint8_t receive[AEAD_KEY])
{
	uint8_t out[2][NOISE_HASH], hash[NOISE_HASH];
	bool initiator = noise->initiator;
	size_t size = noise->hash_size;

	if (noise->dead || noise->step < 2)
		return fail(noise);
	hkdf(noise, NULL, 0, out, 2);
	memcpy(send, out[initiator ? 0 : 1], AEAD_KEY);
	memcpy(receive, out[initiator ? 1 : 0], AEAD_KEY);
	OPENSSL_cleanse(out, sizeof(out));
	memcpy(hash, noise->hash, sizeof(hash));
	noise_clear(noise);
	memcpy(noise->hash, hash, sizeof(hash));
	noise->hash_size = size;
	return true;
}
