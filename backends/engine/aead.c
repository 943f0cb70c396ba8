/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/engine/aead.h"

#include <assert.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <string.h>
#include <time.h>

#if defined(__x86_64__) && __has_include(<intel-ipsec-mb.h>)
#include <intel-ipsec-mb.h>
#define WITH_IPSEC_MB 1
#else
#define WITH_IPSEC_MB 0
#endif

struct aead {
	enum aead_cipher cipher;
	enum aead_library library;
	EVP_CIPHER_CTX *evp; /* libcrypto; serves both directions */
#if WITH_IPSEC_MB
	struct gcm_key_data gcm; /* libipsec-mb */
#endif
};

enum { ALIGNMENT = 64 }; /* of gcm_key_data */

static const char *const cipher_names[AEAD_CIPHERS] = {
	[AEAD_AES256GCM] = "AES-256-GCM",
	[AEAD_CHACHA20POLY1305] = "ChaCha20-Poly1305",
};
static const char *const library_names[AEAD_LIBRARIES] = {
	[AEAD_LIBCRYPTO] = "libcrypto",
	[AEAD_IPSEC_MB] = "libipsec-mb",
};

/* Found once and never freed: the libraries' own objects are as old as the
 * program, and all keys of all threads lean on them. */
static struct {
	EVP_CIPHER *evp[AEAD_CIPHERS];
#if WITH_IPSEC_MB
	IMB_MGR *mgr; /* NULL: not on this CPU */
	aes_gcm_enc_dec_t seal, open;
	aes_gcm_pre_t pre;
#endif
} code;
static pthread_once_t code_once = PTHREAD_ONCE_INIT;

const char *aead_cipher_name(enum aead_cipher cipher)
{
	return (unsigned)cipher < AEAD_CIPHERS ? cipher_names[cipher] : NULL;
}

const char *aead_library_name(enum aead_library library)
{
	return (unsigned)library < AEAD_LIBRARIES ? library_names[library]
						  : NULL;
}

static void code_find(void)
{
	for (int i = AEAD_NONE + 1; i < AEAD_CIPHERS; i++)
		code.evp[i] = EVP_CIPHER_fetch(NULL, cipher_names[i], NULL);
#if WITH_IPSEC_MB
	IMB_MGR *mgr = alloc_mb_mgr(0);
	IMB_ARCH arch = IMB_ARCH_NONE;

	if (!mgr)
		return;
	init_mb_mgr_auto(mgr, &arch);
	/* Without the CPU's own AES it runs an emulation for testing. */
	if (imb_get_errno(mgr) || arch < IMB_ARCH_SSE) {
		free_mb_mgr(mgr);
		return;
	}
	code.mgr = mgr;
	code.seal = mgr->gcm256_enc;
	code.open = mgr->gcm256_dec;
	code.pre = mgr->gcm256_pre;
#endif
}

bool aead_has(enum aead_cipher cipher, enum aead_library library)
{
	pthread_once(&code_once, code_find);
	if (cipher <= AEAD_NONE || cipher >= AEAD_CIPHERS)
		return false;
	if (library == AEAD_LIBCRYPTO)
		return code.evp[cipher];
#if WITH_IPSEC_MB
	if (library == AEAD_IPSEC_MB)
		return code.mgr && cipher == AEAD_AES256GCM;
#endif
	return false;
}

/* What is sealed leaves for the network: going on after a failure could send
 * plaintext. A library that fails with sound arguments is a bug, or out of
 * memory. */
static void must(bool holds)
{
	if (!holds)
		abort();
}

struct aead *aead_new_in(enum aead_library library, enum aead_cipher cipher,
			 const uint8_t key[AEAD_KEY])
{
	struct aead *aead = NULL;

	if (!aead_has(cipher, library))
		return NULL;
	must(!posix_memalign((void **)&aead, ALIGNMENT, sizeof(*aead)));
	memset(aead, 0, sizeof(*aead));
	aead->cipher = cipher;
	aead->library = library;
	if (library == AEAD_LIBCRYPTO) {
		aead->evp = EVP_CIPHER_CTX_new();
		must(aead->evp &&
		     EVP_CipherInit_ex2(aead->evp, code.evp[cipher], key, NULL,
					1, NULL));
	}
#if WITH_IPSEC_MB
	if (library == AEAD_IPSEC_MB)
		code.pre(key, &aead->gcm);
#endif
	return aead;
}

struct aead *aead_new(enum aead_cipher cipher, const uint8_t key[AEAD_KEY])
{
	struct aead *aead =
		aead_new_in(aead_choose()->library[cipher], cipher, key);

	must(aead);
	return aead;
}

void aead_free(struct aead *aead)
{
	if (!aead)
		return;
	EVP_CIPHER_CTX_free(aead->evp); /* wipes its schedule */
	OPENSSL_cleanse(aead, sizeof(*aead));
	free(aead);
}

void aead_nonce(uint8_t nonce[AEAD_NONCE], uint32_t lane, uint64_t counter)
{
	for (int i = 0; i < 4; i++)
		nonce[i] = (uint8_t)(lane >> (24 - 8 * i));
	for (int i = 0; i < 8; i++)
		nonce[4 + i] = (uint8_t)(counter >> (56 - 8 * i));
}

static void evp_seal(EVP_CIPHER_CTX *evp, const uint8_t *nonce, const void *ad,
		     size_t ad_size, const uint8_t *from, size_t size,
		     uint8_t *to)
{
	OSSL_PARAM tag[] = { OSSL_PARAM_octet_string("tag", to + size,
						     AEAD_TAG),
			     OSSL_PARAM_END };
	int n;

	must(EVP_CipherInit_ex2(evp, NULL, NULL, nonce, 1, NULL));
	if (ad_size)
		must(EVP_CipherUpdate(evp, NULL, &n, ad, (int)ad_size));
	if (size)
		must(EVP_CipherUpdate(evp, to, &n, from, (int)size));
	must(EVP_CipherFinal_ex(evp, to + size, &n));
	must(EVP_CIPHER_CTX_get_params(evp, tag));
}

static bool evp_open(EVP_CIPHER_CTX *evp, const uint8_t *nonce, const void *ad,
		     size_t ad_size, const uint8_t *from, size_t size,
		     uint8_t *to)
{
	uint8_t tag[AEAD_TAG], none[AEAD_TAG];
	int n;

	memcpy(tag, from + size, sizeof(tag));
	must(EVP_CipherInit_ex2(evp, NULL, NULL, nonce, 0, NULL));
	must(EVP_CIPHER_CTX_ctrl(evp, EVP_CTRL_AEAD_SET_TAG, AEAD_TAG, tag));
	if (ad_size)
		must(EVP_CipherUpdate(evp, NULL, &n, ad, (int)ad_size));
	if (size)
		must(EVP_CipherUpdate(evp, to, &n, from, (int)size));
	return EVP_CipherFinal_ex(evp, none, &n) > 0;
}

#if WITH_IPSEC_MB
static bool mb_open(const struct gcm_key_data *key, const uint8_t *nonce,
		    const void *ad, size_t ad_size, const uint8_t *from,
		    size_t size, uint8_t *to)
{
	struct gcm_context_data context;
	uint8_t tag[AEAD_TAG];

	code.open(key, &context, to, from, size, nonce, ad, ad_size, tag,
		  AEAD_TAG);
	return !CRYPTO_memcmp(tag, from + size, AEAD_TAG);
}
#endif

void aead_seal_one(struct aead *aead, const uint8_t nonce[AEAD_NONCE],
		   const void *ad, size_t ad_size, const uint8_t *from,
		   size_t size, uint8_t *to)
{
#if WITH_IPSEC_MB
	if (aead->library == AEAD_IPSEC_MB) {
		struct gcm_context_data context;

		code.seal(&aead->gcm, &context, to, from, size, nonce, ad,
			  ad_size, to + size, AEAD_TAG);
		return;
	}
#endif
	evp_seal(aead->evp, nonce, ad, ad_size, from, size, to);
}

bool aead_open_one(struct aead *aead, const uint8_t nonce[AEAD_NONCE],
		   const void *ad, size_t ad_size, const uint8_t *from,
		   size_t size, uint8_t *to)
{
	bool good;

#if WITH_IPSEC_MB
	if (aead->library == AEAD_IPSEC_MB)
		good = mb_open(&aead->gcm, nonce, ad, ad_size, from, size, to);
	else
#endif
		good = evp_open(aead->evp, nonce, ad, ad_size, from, size, to);
	if (!good && size)
		memset(to, 0, size);
	return good;
}

void aead_seal(struct aead *aead, const struct aead_run *run)
{
	uint8_t nonce[AEAD_NONCE];

	for (size_t i = 0; i < run->count; i++) {
		aead_nonce(nonce, run->lane, run->counter + i);
		aead_seal_one(aead, nonce, run->ad + i * run->ad_stride,
			      run->ad_size, run->from + i * run->from_stride,
			      run->size, run->to + i * run->to_stride);
	}
}

static double now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

/* The lowest of some rounds: other work on the machine only ever adds. */
static double measure(enum aead_cipher cipher, enum aead_library library)
{
	enum { SIZE = 1400, COUNT = 32, ROUNDS = 8 };
	static const uint8_t zero[AEAD_KEY];
	AUTO(aead) struct aead *aead = aead_new_in(library, cipher, zero);
	AUTO(mem) void *bytes = mem_alloc(SIZE + AEAD_TAG);
	struct aead_run run = { .from = bytes,
				.to = bytes,
				.ad = zero,
				.size = SIZE,
				.ad_size = 8,
				.count = COUNT };
	double best = 0;

	for (int i = 0; i < ROUNDS; i++) {
		double from = now_ns(), took;

		aead_seal(aead, &run);
		took = (now_ns() - from) / COUNT;
		if (!best || took < best)
			best = took;
	}
	return best;
}

static struct aead_choice choice;
static pthread_once_t choice_once = PTHREAD_ONCE_INIT;

static double choice_ns(enum aead_cipher cipher)
{
	return choice.ns[cipher][choice.library[cipher]];
}

static void choose(void)
{
	enum aead_cipher *order = choice.order;

	for (int c = AEAD_NONE + 1; c < AEAD_CIPHERS; c++)
		for (int l = 0; l < AEAD_LIBRARIES; l++) {
			if (!aead_has(c, l))
				continue;
			choice.ns[c][l] = measure(c, l);
			if (!choice_ns(c) || choice.ns[c][l] < choice_ns(c))
				choice.library[c] = l;
		}
	order[0] = AEAD_AES256GCM;
	order[1] = AEAD_CHACHA20POLY1305;
	if (choice_ns(order[1]) < choice_ns(order[0])) {
		order[0] = AEAD_CHACHA20POLY1305;
		order[1] = AEAD_AES256GCM;
	}
}

const struct aead_choice *aead_choose(void)
{
	pthread_once(&choice_once, choose);
	return &choice;
}
