/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/engine/aead.h"

#include <string.h>

#include "tests/unit/unit.h"

/* Every pair this machine can run. */
#define each_code(c, l)                                                        \
	for (int c = AEAD_NONE + 1; c < AEAD_CIPHERS; c++)                     \
		for (int l = 0; l < AEAD_LIBRARIES; l++)                       \
			if (aead_has(c, l))

static void fill(uint8_t *bytes, size_t size, unsigned seed)
{
	for (size_t i = 0; i < size; i++) {
		seed = seed * 1103515245 + 12345;
		bytes[i] = (uint8_t)(seed >> 16);
	}
}

static size_t unhex(const char *hex, uint8_t *out)
{
	size_t size = 0;
	unsigned byte;

	for (; sscanf(hex, "%2x", &byte) == 1; hex += 2)
		out[size++] = (uint8_t)byte;
	return size;
}

struct known {
	enum aead_cipher cipher;
	const char *key, *nonce, *ad, *plain, *sealed;
};

/* RFC 8439, 2.8.2; McGrew and Viega, The Galois/Counter Mode, test case 16. */
static const struct known known[] = {
	{ AEAD_CHACHA20POLY1305,
	  "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f",
	  "070000004041424344454647", "50515253c0c1c2c3c4c5c6c7",
	  "4c616469657320616e642047656e746c656d656e206f662074686520636c6173"
	  "73206f66202739393a204966204920636f756c64206f6666657220796f75206f"
	  "6e6c79206f6e652074697020666f7220746865206675747572652c2073756e73"
	  "637265656e20776f756c642062652069742e",
	  "d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d6"
	  "3dbea45e8ca9671282fafb69da92728b1a71de0a9e060b2905d6a5b67ecd3b36"
	  "92ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc"
	  "3ff4def08e4b7a9de576d26586cec64b61161ae10b594f09e26a7e902ecbd060"
	  "0691" },
	{ AEAD_AES256GCM,
	  "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308",
	  "cafebabefacedbaddecaf888",
	  "feedfacedeadbeeffeedfacedeadbeefabaddad2",
	  "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
	  "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
	  "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
	  "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"
	  "76fc6ece0f4e1768cddf8853bb2d551b" },
};

static void check_known(const struct known *row, enum aead_library library)
{
	uint8_t key[AEAD_KEY], nonce[AEAD_NONCE], ad[64], plain[256];
	uint8_t sealed[256], out[256];
	size_t ad_size = unhex(row->ad, ad), size = unhex(row->plain, plain);

	unhex(row->key, key);
	unhex(row->nonce, nonce);
	CU_ASSERT_EQUAL(unhex(row->sealed, sealed), size + AEAD_TAG);
	AUTO(aead) struct aead *aead = aead_new_in(library, row->cipher, key);

	aead_seal_one(aead, nonce, ad, ad_size, plain, size, out);
	CU_ASSERT(!memcmp(out, sealed, size + AEAD_TAG));
	CU_ASSERT(aead_open_one(aead, nonce, ad, ad_size, sealed, size, out));
	CU_ASSERT(!memcmp(out, plain, size));
}

TEST(aead, every_code_gives_the_published_answers)
{
	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		for (int l = 0; l < AEAD_LIBRARIES; l++)
			if (aead_has(known[i].cipher, l))
				check_known(&known[i], l);
}

TEST(aead, both_ciphers_are_there_whatever_the_machine)
{
	const struct aead_choice *choice = aead_choose();

	CU_ASSERT(aead_has(AEAD_AES256GCM, AEAD_LIBCRYPTO));
	CU_ASSERT(aead_has(AEAD_CHACHA20POLY1305, AEAD_LIBCRYPTO));
	CU_ASSERT(!aead_has(AEAD_NONE, AEAD_LIBCRYPTO));
	CU_ASSERT(!aead_has(AEAD_CIPHERS, AEAD_LIBCRYPTO));
	CU_ASSERT(!aead_has(AEAD_CHACHA20POLY1305, AEAD_IPSEC_MB));
	CU_ASSERT_NOT_EQUAL(choice->order[0], choice->order[1]);
}

TEST(aead, what_was_chosen_is_the_fastest_measured)
{
	const struct aead_choice *choice = aead_choose();
	double first, second;

	each_code(c, l)
	{
		CU_ASSERT(choice->ns[c][l] > 0);
		CU_ASSERT(choice->ns[c][choice->library[c]] <=
			  choice->ns[c][l]);
	}
	first = choice->ns[choice->order[0]][choice->library[choice->order[0]]];
	second =
		choice->ns[choice->order[1]][choice->library[choice->order[1]]];
	CU_ASSERT(first <= second);
}

/* What one library seals, every other one opens, of every size. */
static void cross(enum aead_cipher cipher, enum aead_library library)
{
	uint8_t key[AEAD_KEY], nonce[AEAD_NONCE], ad[8], plain[1500];
	uint8_t mine[1500 + AEAD_TAG], base[1500 + AEAD_TAG];

	fill(key, sizeof(key), 1);
	fill(ad, sizeof(ad), 2);
	fill(plain, sizeof(plain), 3);
	AUTO(aead) struct aead *a = aead_new_in(library, cipher, key);
	AUTO(aead) struct aead *b = aead_new_in(AEAD_LIBCRYPTO, cipher, key);

	for (size_t size = 0; size <= sizeof(plain);
	     size += size < 300 ? 1 : 61) {
		aead_nonce(nonce, (uint32_t)size, 1ULL << 40 | size);
		aead_seal_one(a, nonce, ad, sizeof(ad), plain, size, mine);
		aead_seal_one(b, nonce, ad, sizeof(ad), plain, size, base);
		if (memcmp(mine, base, size + AEAD_TAG) ||
		    !aead_open_one(a, nonce, ad, sizeof(ad), base, size, mine))
			CU_FAIL("the libraries differ");
		CU_ASSERT(!memcmp(mine, plain, size));
	}
}

TEST(aead, the_libraries_agree_on_every_size)
{
	each_code(c, l) cross(c, l);
}

static void flip(enum aead_cipher cipher, enum aead_library library)
{
	uint8_t key[AEAD_KEY] = { 1 }, nonce[AEAD_NONCE] = { 2 };
	uint8_t ad[8] = { 3 }, plain[40] = { 4 }, out[40], zero[40] = { 0 };
	uint8_t sealed[40 + AEAD_TAG];
	AUTO(aead) struct aead *aead = aead_new_in(library, cipher, key);

	aead_seal_one(aead, nonce, ad, sizeof(ad), plain, sizeof(plain),
		      sealed);
	for (size_t bit = 0; bit < 8 * sizeof(sealed); bit++) {
		sealed[bit / 8] ^= (uint8_t)(1 << bit % 8);
		memset(out, 0xaa, sizeof(out));
		CU_ASSERT(!aead_open_one(aead, nonce, ad, sizeof(ad), sealed,
					 sizeof(plain), out));
		CU_ASSERT(!memcmp(out, zero, sizeof(out)));
		sealed[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	for (size_t bit = 0; bit < 8 * sizeof(ad); bit++) {
		ad[bit / 8] ^= (uint8_t)(1 << bit % 8);
		CU_ASSERT(!aead_open_one(aead, nonce, ad, sizeof(ad), sealed,
					 sizeof(plain), out));
		ad[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	CU_ASSERT(aead_open_one(aead, nonce, ad, sizeof(ad), sealed,
				sizeof(plain), out));
}

TEST(aead, a_flipped_bit_is_refused_and_nothing_of_it_is_shown)
{
	each_code(c, l) flip(c, l);
}

enum { RUN_SIZE = 100, RUN_STRIDE = 140, RUN_COUNT = 44 };

static void check_run(struct aead *aead, bool in_place)
{
	static uint8_t plain[RUN_COUNT * RUN_STRIDE], out[sizeof(plain)];
	uint8_t one[RUN_SIZE], nonce[AEAD_NONCE];
	struct aead_run run = { .from = in_place ? out : plain,
				.to = out,
				.ad = out + RUN_SIZE + AEAD_TAG,
				.from_stride = RUN_STRIDE,
				.to_stride = RUN_STRIDE,
				.ad_stride = RUN_STRIDE,
				.size = RUN_SIZE,
				.ad_size = 8,
				.count = RUN_COUNT,
				.lane = 7,
				.counter = 0xfffffff0 };

	fill(plain, sizeof(plain), 9);
	memcpy(out, plain, sizeof(out));
	aead_seal(aead, &run);
	for (size_t i = 0; i < RUN_COUNT; i++) {
		aead_nonce(nonce, 7, run.counter + i);
		CU_ASSERT(aead_open_one(aead, nonce, run.ad + i * RUN_STRIDE, 8,
					out + i * RUN_STRIDE, RUN_SIZE, one));
		CU_ASSERT(!memcmp(one, plain + i * RUN_STRIDE, RUN_SIZE));
		/* Between the packets nothing was written. */
		CU_ASSERT(!memcmp(out + i * RUN_STRIDE + RUN_SIZE + AEAD_TAG,
				  plain + i * RUN_STRIDE + RUN_SIZE + AEAD_TAG,
				  RUN_STRIDE - RUN_SIZE - AEAD_TAG));
	}
}

TEST(aead, a_run_is_its_packets_one_by_one_in_place_or_not)
{
	uint8_t key[AEAD_KEY] = { 5 };

	each_code(c, l)
	{
		AUTO(aead) struct aead *aead = aead_new_in(l, c, key);

		check_run(aead, false);
		check_run(aead, true);
	}
}

TEST(aead, a_nonce_is_lane_and_counter_big_endian)
{
	uint8_t nonce[AEAD_NONCE];
	const uint8_t wanted[] = { 0, 0, 0, 9, 1, 2, 3, 4, 5, 6, 7, 8 };

	aead_nonce(nonce, 9, 0x0102030405060708);
	CU_ASSERT(!memcmp(nonce, wanted, sizeof(wanted)));
}
