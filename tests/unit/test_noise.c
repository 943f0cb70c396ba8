/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/engine/noise.h"

#include <jansson.h>
#include <string.h>

#include "tests/unit/unit.h"

/* The public vectors (the file names their source). */
#define VECTORS "tests/unit/noise-ik.json"

enum { BYTES = 1024 };

struct bytes {
	uint8_t at[BYTES];
	size_t size;
};

static struct bytes unhex(const char *hex)
{
	struct bytes bytes = { .size = 0 };
	unsigned byte;

	for (; hex && bytes.size < BYTES && sscanf(hex, "%2x", &byte) == 1;
	     hex += 2)
		bytes.at[bytes.size++] = (uint8_t)byte;
	return bytes;
}

static struct bytes field(const json_t *vector, const char *name)
{
	return unhex(json_string_value(json_object_get(vector, name)));
}

static void vector_begin(const json_t *vector, bool initiator,
			 struct noise *noise)
{
	const char *side = initiator ? "init" : "resp";
	char name[64];
	struct noise_setup setup = { .initiator = initiator };
	struct bytes prologue, secret, ephemeral, remote, psk;

#define PART(what)                                                             \
	(snprintf(name, sizeof(name), "%s_" what, side), field(vector, name))
	prologue = PART("prologue");
	secret = PART("static");
	ephemeral = PART("ephemeral");
	remote = PART("remote_static");
	snprintf(name, sizeof(name), "%s_psks", side);
	psk = unhex(json_string_value(
		json_array_get(json_object_get(vector, name), 0)));
#undef PART
	CU_ASSERT(noise_protocol_parse(
		json_string_value(json_object_get(vector, "protocol_name")),
		&setup.protocol));
	setup.prologue = prologue.at;
	setup.prologue_size = prologue.size;
	setup.secret = secret.at;
	setup.ephemeral = ephemeral.at;
	setup.remote = initiator ? remote.at : NULL;
	setup.psk = psk.size ? psk.at : NULL;
	noise_init(noise, &setup);
}

/* Two messages of the handshake, then transport in turns. */
static void vector_run(const json_t *vector)
{
	struct noise ends[2];
	uint8_t keys[2][2][AEAD_KEY], out[BYTES], back[BYTES];
	struct bytes hash = field(vector, "handshake_hash");
	enum aead_cipher cipher;
	size_t i;
	json_t *message;

	vector_begin(vector, true, &ends[0]);
	vector_begin(vector, false, &ends[1]);
	cipher = ends[0].protocol.cipher;
	json_array_foreach(json_object_get(vector, "messages"), i, message)
	{
		struct bytes payload = field(message, "payload");
		struct bytes sealed = field(message, "ciphertext");
		struct noise *from = &ends[i % 2], *to = &ends[1 - i % 2];

		if (i < 2) {
			CU_ASSERT(noise_write(from, payload.at, payload.size,
					      out));
			CU_ASSERT_EQUAL(sealed.size,
					payload.size +
						noise_overhead(&from->protocol,
							       (unsigned)i));
			CU_ASSERT(noise_read(to, sealed.at, sealed.size, back));
		} else {
			if (i == 2) {
				CU_ASSERT(noise_split(&ends[0], keys[0][0],
						      keys[0][1]));
				CU_ASSERT(noise_split(&ends[1], keys[1][0],
						      keys[1][1]));
			}
			noise_seal(cipher, keys[i % 2][0], i / 2 - 1, NULL, 0,
				   payload.at, payload.size, out);
			CU_ASSERT(noise_open(cipher, keys[1 - i % 2][1],
					     i / 2 - 1, NULL, 0, sealed.at,
					     payload.size, back));
		}
		CU_ASSERT(!memcmp(out, sealed.at, sealed.size));
		CU_ASSERT(!memcmp(back, payload.at, payload.size));
	}
	CU_ASSERT_EQUAL(i, 6);
	CU_ASSERT_EQUAL(hash.size, ends[0].hash_size);
	CU_ASSERT(!memcmp(ends[0].hash, hash.at, hash.size));
	CU_ASSERT(!memcmp(ends[1].hash, hash.at, hash.size));
}

TEST(noise, all_24_public_vectors_come_out_byte_by_byte)
{
	json_t *file = json_load_file(VECTORS, 0, NULL), *vector;
	size_t i;

	CU_ASSERT_PTR_NOT_NULL_FATAL(file);
	json_array_foreach(json_object_get(file, "vectors"), i, vector)
		vector_run(vector);
	CU_ASSERT_EQUAL(i, 24);
	json_decref(file);
}

TEST(noise, a_name_that_is_not_ours_is_no_protocol)
{
	const char *const others[] = {
		"",
		"Noise_IK",
		"Noise_IK_25519_ChaChaPoly",
		"Noise_IK_25519_ChaChaPoly_",
		"Noise_IK_25519_ChaChaPoly_BLAKE2s_",
		"Noise_IK_25519_ChaChaPoly_BLAKE2sx",
		"Noise_XX_25519_ChaChaPoly_BLAKE2s",
		"Noise_IKpsk0_25519_ChaChaPoly_BLAKE2s",
		"Noise_IK_448_ChaChaPoly_BLAKE2s",
		"noise_IK_25519_ChaChaPoly_BLAKE2s",
	};
	struct noise_protocol protocol;

	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		CU_ASSERT(!noise_protocol_parse(others[i], &protocol));
	CU_ASSERT(noise_protocol_parse(noise_ours.name, &protocol));
	CU_ASSERT_EQUAL(protocol.pattern, noise_ours.pattern);
	CU_ASSERT_EQUAL(protocol.cipher, noise_ours.cipher);
	CU_ASSERT_EQUAL(protocol.hash, noise_ours.hash);
}

/* RFC 7748, 6.1. */
TEST(noise, two_ends_agree_as_the_rfc_says)
{
	struct bytes a = unhex("77076d0a7318a57d3c16c17251b26645"
			       "df4c2f92ebc099ac0a3bb1e9f3b2f0c8");
	struct bytes b = unhex("5dab087e624a8a4b79e17f8b83800ee6"
			       "6f3bb1292618b6fd1c2f8b27ff88e0eb");
	uint8_t pa[NOISE_KEY], pb[NOISE_KEY], ab[NOISE_KEY], ba[NOISE_KEY];

	noise_public(b.at, pb);
	noise_public(a.at, pa);
	CU_ASSERT(!memcmp(pb,
			  unhex("de9edb7d7b7dc1b4d35b61c2ece43537"
				"3f8343c85b78674dadfc7e146f882b4f")
				  .at,
			  NOISE_KEY));
	CU_ASSERT(noise_agree(a.at, pa, pb, ab));
	CU_ASSERT(noise_agree(b.at, NULL, pa, ba));
	CU_ASSERT(!memcmp(ab, ba, NOISE_KEY));
}

/* The points of small order, with those that reduce to them (Bernstein,
 * "Curve25519: new Diffie-Hellman speed records", and cr.yp.to/ecdh.html). */
static const char *const small_order[] = {
	"0000000000000000000000000000000000000000000000000000000000000000",
	"0100000000000000000000000000000000000000000000000000000000000000",
	"e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
	"5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
	"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
};

TEST(noise, a_key_of_small_order_is_refused)
{
	uint8_t secret[NOISE_KEY] = { 7 }, shared[NOISE_KEY];
	uint8_t zero[NOISE_KEY] = { 0 };

	noise_clamp(secret);
	for (size_t i = 0; i < ARRAY_SIZE(small_order); i++) {
		memset(shared, 1, sizeof(shared));
		CU_ASSERT(!noise_agree(secret, NULL, unhex(small_order[i]).at,
				       shared));
		CU_ASSERT(!memcmp(shared, zero, sizeof(shared)));
	}
}

struct pair {
	struct noise a, b;
	uint8_t init[256], response[256];
	size_t init_size, response_size;
};

static void pair_begin(struct pair *pair, uint8_t psk_a, uint8_t psk_b)
{
	uint8_t sa[NOISE_KEY] = { 1 }, sb[NOISE_KEY] = { 2 };
	uint8_t ea[NOISE_KEY] = { 3 }, eb[NOISE_KEY] = { 4 };
	uint8_t public[NOISE_KEY], pa[NOISE_KEY] = { psk_a };
	uint8_t pb[NOISE_KEY] = { psk_b };
	struct noise_setup setup = { .protocol = noise_ours,
				     .initiator = true,
				     .prologue = "p",
				     .prologue_size = 1,
				     .secret = sa,
				     .ephemeral = ea,
				     .remote = public,
				     .psk = pa };

	noise_public(sb, public);
	noise_init(&pair->a, &setup);
	setup.initiator = false;
	setup.secret = sb;
	setup.ephemeral = eb;
	setup.remote = NULL;
	setup.psk = pb;
	noise_init(&pair->b, &setup);
	pair->init_size = 5 + noise_overhead(&noise_ours, 0);
	pair->response_size = 5 + noise_overhead(&noise_ours, 1);
}

TEST(noise, a_flipped_bit_of_either_message_ends_the_handshake)
{
	struct pair pair;
	uint8_t out[256];

	for (size_t bit = 0; bit < 8 * (5 + 96); bit++) {
		pair_begin(&pair, 0, 0);
		CU_ASSERT(noise_write(&pair.a, "hello", 5, pair.init));
		/* The top bit of a Curve25519 key is ignored in the agreement,
		 * yet it is part of the hash. */
		pair.init[bit / 8 % pair.init_size] ^= (uint8_t)(1 << bit % 8);
		CU_ASSERT(!noise_read(&pair.b, pair.init, pair.init_size, out));
		CU_ASSERT(pair.b.dead);
		CU_ASSERT(!noise_write(&pair.b, "", 0, out));
	}
	for (size_t bit = 0; bit < 8 * (5 + 48); bit++) {
		pair_begin(&pair, 0, 0);
		CU_ASSERT(noise_write(&pair.a, "hello", 5, pair.init));
		CU_ASSERT(noise_read(&pair.b, pair.init, pair.init_size, out));
		CU_ASSERT(noise_write(&pair.b, "world", 5, pair.response));
		pair.response[bit / 8] ^= (uint8_t)(1 << bit % 8);
		CU_ASSERT(!noise_read(&pair.a, pair.response,
				      pair.response_size, out));
		CU_ASSERT(!noise_split(&pair.a, out, out + 32));
	}
}

TEST(noise, another_psk_is_noticed_by_the_initiator)
{
	struct pair pair;
	uint8_t out[256];

	pair_begin(&pair, 1, 2);
	CU_ASSERT(noise_write(&pair.a, "hello", 5, pair.init));
	CU_ASSERT(noise_read(&pair.b, pair.init, pair.init_size, out));
	CU_ASSERT(noise_write(&pair.b, "world", 5, pair.response));
	CU_ASSERT(!noise_read(&pair.a, pair.response, pair.response_size, out));
}

/* All of a handshake; both ends have the same keys then: keys[end][way]. */
static void pair_talk(struct pair *pair, uint8_t keys[2][2][AEAD_KEY])
{
	uint8_t out[256];

	CU_ASSERT(noise_write(&pair->a, "hello", 5, pair->init));
	CU_ASSERT(noise_read(&pair->b, pair->init, pair->init_size, out));
	CU_ASSERT(noise_write(&pair->b, "world", 5, pair->response));
	CU_ASSERT(
		noise_read(&pair->a, pair->response, pair->response_size, out));
	CU_ASSERT(noise_split(&pair->a, keys[0][0], keys[0][1]));
	CU_ASSERT(noise_split(&pair->b, keys[1][0], keys[1][1]));
	CU_ASSERT(!memcmp(keys[0][0], keys[1][1], AEAD_KEY));
	CU_ASSERT(!memcmp(keys[0][1], keys[1][0], AEAD_KEY));
}

/* What the static keys of such a pair agree on, or nothing like it. */
static void pair_share(struct pair *pair, bool right)
{
	uint8_t shared[NOISE_KEY];

	CU_ASSERT(noise_agree(pair->a.secret, pair->a.public, pair->b.public,
			      shared));
	shared[0] ^= !right;
	noise_shared(&pair->b, shared);
}

TEST(noise, what_the_static_keys_agree_on_may_be_known_already)
{
	struct pair pair;
	uint8_t out[256], keys[2][2][AEAD_KEY];

	pair_begin(&pair, 1, 1);
	pair_share(&pair, true);
	pair_talk(&pair, keys);
	pair_begin(&pair, 1, 1);
	pair_share(&pair, false);
	CU_ASSERT(noise_write(&pair.a, "hello", 5, pair.init));
	CU_ASSERT(!noise_read(&pair.b, pair.init, pair.init_size, out));
}

TEST(noise, whoever_speaks_out_of_turn_has_spoken_last)
{
	struct pair pair;
	uint8_t out[256], key[2][AEAD_KEY];

	pair_begin(&pair, 0, 0);
	CU_ASSERT(!noise_write(&pair.b, "", 0, out));
	pair_begin(&pair, 0, 0);
	CU_ASSERT(!noise_read(&pair.a, pair.init, pair.init_size, out));
	pair_begin(&pair, 0, 0);
	CU_ASSERT(noise_write(&pair.a, "", 0, pair.init));
	CU_ASSERT(!noise_write(&pair.a, "", 0, out));
	pair_begin(&pair, 0, 0);
	CU_ASSERT(!noise_split(&pair.a, key[0], key[1]));
	pair_begin(&pair, 0, 0);
	CU_ASSERT(noise_write(&pair.a, "hello", 5, pair.init));
	CU_ASSERT(!noise_read_rest(&pair.b, pair.init, pair.init_size, out));
}

TEST(noise, every_shorter_message_is_refused)
{
	struct pair pair;
	uint8_t out[256];

	for (size_t size = 0; size < 5 + 96; size++) {
		pair_begin(&pair, 0, 0);
		CU_ASSERT(noise_write(&pair.a, "hello", 5, pair.init));
		CU_ASSERT(!noise_read(&pair.b, pair.init, size, out));
	}
}

TEST(noise, nothing_secret_is_left_after_the_split)
{
	static const struct noise blank;
	struct pair pair;
	uint8_t keys[2][2][AEAD_KEY];

	pair_begin(&pair, 3, 3);
	pair_talk(&pair, keys);
	CU_ASSERT(memcmp(keys[0][0], keys[0][1], AEAD_KEY));
	CU_ASSERT(!memcmp(pair.a.chain, blank.chain, NOISE_HASH));
	CU_ASSERT(!memcmp(pair.a.key, blank.key, AEAD_KEY));
	CU_ASSERT(!memcmp(pair.a.secret, blank.secret, NOISE_KEY));
	CU_ASSERT(!memcmp(pair.a.ephemeral, blank.ephemeral, NOISE_KEY));
	CU_ASSERT(!memcmp(pair.a.psk, blank.psk, NOISE_KEY));
}

/* Our cut: HMAC-BLAKE2s of 16 bytes; hashlib and hmac of Python say the same.
 */
TEST(noise, a_mac_is_hmac_blake2s_cut_to_16_bytes)
{
	uint8_t key[NOISE_KEY], out[NOISE_MAC], digest[32];

	for (unsigned i = 0; i < sizeof(key); i++)
		key[i] = (uint8_t)i;
	noise_mac(key, "tre", 3, "sse", 3, out);
	CU_ASSERT(!memcmp(out, unhex("e674e6e6a44204aa90ef95a2cc8c3278").at,
			  NOISE_MAC));
	noise_digest("tre", 3, "sse", 3, digest);
	CU_ASSERT(!memcmp(digest,
			  unhex("4bbe192198df802ff52a2f77176bc1c8"
				"a3acf9727ededbf7a28fa2f0455e9234")
				  .at,
			  32));
}
