/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What comes in from the network, for libFuzzer (`make fuzz`): two ends that
 * know each other, a third that one of them knows too, and a script of what an
 * attacker between them all does: makes up datagrams, changes and replays those
 * on their way, lets time go by, has a key of his own and says nonsense, or
 * floods one end, so that cookies are asked for.
 *
 * Whatever he does, nothing is opened that was not sealed, or twice; and when
 * he stops, the two talk again within seconds.
 *
 * Each step is a byte of what, then its arguments; what is missing is zero.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "backends/engine/handshake.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { A, B, MALLORY, ENDS, KEPT = 32, ROOM = 300, LANES = 4 };

struct datagram {
	uint8_t to, bytes[ROOM];
	size_t size;
};

struct end {
	struct handshake *handshake;
	struct handshake_peer *peer;
	uint8_t secret[NOISE_KEY];
};

static struct end ends[ENDS];
static struct datagram kept[KEPT]; /* the last ones sent, in a ring */
static unsigned kept_count, carried;
static uint64_t now_us, seed;
static uint64_t sealed, opened;
static bool flooded;
static const uint8_t *script, *script_end;

static void must(int holds)
{
	if (!holds)
		abort();
}

static uint8_t next(void)
{
	return script < script_end ? *script++ : 0;
}

static void keep(uint8_t to, const uint8_t *bytes, size_t size)
{
	struct datagram *datagram = &kept[kept_count++ % KEPT];

	must(size <= ROOM);
	datagram->to = to;
	datagram->size = size;
	memcpy(datagram->bytes, bytes, size);
}

static void on_send(void *owner, struct handshake_peer *peer,
		    const struct handshake_source *to, const uint8_t *datagram,
		    size_t size)
{
	(void)owner;
	must(to || peer);
	keep(to ? to->bytes[0] % ENDS
		: (uint8_t)((struct end *)handshake_owner(peer) - ends),
	     datagram, size);
}

static void on_random(void *owner, void *bytes, size_t size)
{
	uint8_t *at = bytes;

	(void)owner;
	while (size--) {
		seed = seed * 6364136223846793005ULL + 1;
		*at++ = (uint8_t)(seed >> 56);
	}
}

static const struct handshake_ops ops = { .send = on_send,
					  .random = on_random };

static void begin(void)
{
	memset(kept, 0, sizeof(kept)); /* keys come again with the seed */
	kept_count = carried = 0;
	now_us = sealed = opened = 0;
	flooded = false;
	seed = 1;
	for (uint8_t i = 0; i < ENDS; i++) {
		memset(ends[i].secret, i + 1, NOISE_KEY);
		noise_clamp(ends[i].secret);
		ends[i].handshake =
			handshake_new(ends[i].secret, &ops, &ends[i]);
	}
	for (int i = 0; i < ENDS; i++) {
		struct end *other = &ends[i == B ? A : B];

		ends[i].peer = handshake_add(ends[i].handshake,
					     handshake_public(other->handshake),
					     NULL, other);
		must(ends[i].peer != NULL);
	}
	handshake_add(ends[B].handshake,
		      handshake_public(ends[MALLORY].handshake), NULL,
		      &ends[MALLORY]);
}

/* Hands bytes to an end, whatever they are. A copy of its own on the heap, so
 * that reading past them is seen. */
static void give(uint8_t to, uint8_t from, const uint8_t *bytes, size_t size)
{
	struct handshake_source source = { .bytes = { from % ENDS },
					   .size = 1 };
	uint8_t *copy = malloc(size + 1) + 1;
	struct session_packet packet;
	struct session *session;

	memcpy(copy, bytes, size);
	if (size && copy[0] == WIRE_TRANSPORT) {
		if (!handshake_open(ends[to].handshake, copy, size, &source,
				    now_us, &session, &packet)) {
			must(packet.plain == copy + WIRE_HEADER &&
			     packet.size == size - WIRE_HEADER - WIRE_TAG);
			must(packet.plain[0] == packet.lane);
			opened++;
		}
	} else {
		handshake_input(ends[to].handshake, copy, size, &source,
				now_us);
	}
	must(opened <= sealed);
	free(copy - 1);
}

static void carry(void)
{
	for (unsigned i = 0; i < 100 && carried < kept_count; i++) {
		struct datagram datagram;

		if (kept_count - carried > KEPT)
			carried = kept_count - KEPT;
		datagram = kept[carried++ % KEPT];
		give(datagram.to, datagram.to == A ? B : A, datagram.bytes,
		     datagram.size);
	}
}

static void seal(int from, uint8_t lane, uint8_t count)
{
	uint8_t bytes[WIRE_OVERHEAD + 4] = { 0 };
	struct session *session = handshake_session(ends[from].peer);
	struct session_run run = { .lane = lane,
				   .datagrams = bytes,
				   .stride = sizeof(bytes),
				   .size = WIRE_INNER + 4,
				   .count = 1 };

	for (int i = 0; session && i < count; i++) {
		bytes[WIRE_HEADER] = lane;
		if (!session_seal(session, &run, now_us, NULL))
			return;
		sealed++;
		keep((uint8_t)(from == B ? A : B), bytes, sizeof(bytes));
	}
}

/* As anybody can who has the public key. */
static void mac_again(uint8_t to, uint8_t *message, size_t size)
{
	uint8_t key[NOISE_KEY];

	if (size < 32)
		return;
	noise_digest("Tresse mac1", 11, handshake_public(ends[to].handshake),
		     NOISE_KEY, key);
	noise_mac(key, message, size - 32, NULL, 0, message + size - 32);
}

static void give_raw(void)
{
	uint8_t to = next() % ENDS, from = next(), bytes[ROOM];
	size_t size = next();
	bool mac = next() & 1;

	for (size_t i = 0; i < size; i++)
		bytes[i] = next();
	if (mac)
		mac_again(to, bytes, size);
	give(to, from, bytes, size);
}

/* One that was sent, changed in a place or two, cut, or not. */
static void give_kept(void)
{
	struct datagram datagram = kept[next() % KEPT];
	uint8_t what = next(), from = next();

	if (what & 1)
		datagram.bytes[next() % ROOM] ^= next();
	if (what & 2)
		datagram.bytes[next() % ROOM] ^= next();
	if (what & 4)
		datagram.size = next() % (datagram.size + 1);
	if (what & 8)
		datagram.to = next() % ENDS;
	if (what & 16)
		mac_again(datagram.to, datagram.bytes, datagram.size);
	give(datagram.to, from, datagram.bytes, datagram.size);
}

/* An init of Mallory's, authentic, with a payload of his making. */
static void give_nonsense(void)
{
	uint8_t message[HANDSHAKE_INIT] = { WIRE_INIT, WIRE_NEWEST };
	uint8_t prologue[15 + 8] = "Tresse tunnel 1", payload[80] = { 1, 1 };
	uint8_t ephemeral[NOISE_KEY], psk[NOISE_KEY] = { 0 };
	uint8_t skip = next() % 80, count = next() % 80;
	struct noise_setup setup = {
		.protocol = noise_ours,
		.initiator = true,
		.prologue = prologue,
		.prologue_size = sizeof(prologue),
		.secret = ends[MALLORY].secret,
		.ephemeral = ephemeral,
		.remote = handshake_public(ends[B].handshake),
		.psk = psk,
	};
	AUTO_NOISE noise;

	if (next() % 4 == 0)
		message[1] = next();
	on_random(NULL, ephemeral, sizeof(ephemeral));
	payload[4] = 1; /* a cipher */
	payload[16] = payload[32] = next();
	for (size_t i = skip; i < 80 && count--; i++)
		payload[i] = next();
	memcpy(prologue + 15, message, 8);
	noise_init(&noise, &setup);
	must(noise_write(&noise, payload, sizeof(payload), message + 8));
	mac_again(B, message, sizeof(message));
	give(B, MALLORY, message, sizeof(message));
}

/* More inits than are worked on without cookies, as anybody can make them. */
static void flood(void)
{
	uint8_t bytes[HANDSHAKE_INIT] = { WIRE_INIT, WIRE_NEWEST };
	uint8_t to = next() % 2;

	/* Rarely: it takes a hundred times as long as all the rest. */
	if (flooded || next() != 0xf1 || next() != 0x0d)
		return;
	flooded = true;
	mac_again(to, bytes, sizeof(bytes));
	for (int i = 0; i < 250; i++)
		give(to, (uint8_t)i, bytes, sizeof(bytes));
}

static void step(void)
{
	switch (next() % 10) {
	case 0: give_raw(); break;
	case 1: give_kept(); break;
	case 2: carry(); break;
	case 3: now_us += 1000ULL * next() * next(); break;
	case 4: {
		struct end *end = &ends[next() % ENDS];

		handshake_start(end->handshake, end->peer, now_us);
		break;
	}
	case 5: {
		int from = next() % 2;

		seal(from, next() % LANES, next() % 8);
		break;
	}
	case 6: give_nonsense(); break;
	case 7: flood(); break;
	default:
		for (int i = 0; i < ENDS; i++)
			handshake_timer(ends[i].handshake, now_us);
		break;
	}
}

/* Without the attacker: do they find each other again? */
static void recover(void)
{
	uint64_t before;

	handshake_remove(ends[MALLORY].handshake, ends[MALLORY].peer);
	now_us += 10 * 1000000ULL; /* what is under load may cool down */
	carried = kept_count;
	handshake_start(ends[A].handshake, ends[A].peer, now_us);
	for (int i = 0; i < 40; i++) {
		carry();
		seal(A, 0, 1);
		carry();
		now_us += 250000;
		handshake_timer(ends[A].handshake, now_us);
		handshake_timer(ends[B].handshake, now_us);
	}
	for (int from = A; from <= B; from++) {
		carried = kept_count;
		before = opened;
		seal(from, 1, 1);
		carry();
		must(opened == before + 1);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	script = data;
	script_end = data + size;
	begin();
	for (int i = 0; i < 60 && script < script_end; i++)
		step();
	recover();
	for (int i = 0; i < ENDS; i++)
		handshake_free(ends[i].handshake);
	return 0;
}
