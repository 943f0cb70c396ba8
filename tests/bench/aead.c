/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the tunnel's cryptography costs, as ratios to libcrypto's AES-256-GCM in
 * the same run: sealing and opening in runs of 44 as one UDP_SEGMENT send has
 * them, a whole session with headers and replay window, and beside that what a
 * refusal and a handshake cost. Lowest of some rounds, in turns.
 */
#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "backends/engine/handshake.h"

enum { COUNT = 44, BIG = 1400, SMALL = 200, ROUNDS = 300, REPEAT = 4 };

static uint8_t datagrams[COUNT][BIG + WIRE_HEADER + WIRE_TAG];
static uint8_t plain[COUNT][BIG];

static double now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static void keep_best(double *best, double took)
{
	if (!*best || took < *best)
		*best = took;
}

/* ns for a packet to be sealed, and opened, by one library. */
struct cost {
	double seal, open;
};

static void measure(struct aead *aead, size_t size, struct cost *cost)
{
	struct aead_run run = { .from = plain[0],
				.from_stride = sizeof(plain[0]),
				.to = datagrams[0] + WIRE_HEADER,
				.to_stride = sizeof(datagrams[0]),
				.ad = datagrams[0],
				.ad_stride = sizeof(datagrams[0]),
				.ad_size = WIRE_HEADER,
				.size = size,
				.count = COUNT };
	uint8_t nonce[AEAD_NONCE];
	double from = now_ns();

	for (int i = 0; i < REPEAT; i++)
		aead_seal(aead, &run);
	keep_best(&cost->seal, (now_ns() - from) / (REPEAT * COUNT));
	from = now_ns();
	for (size_t i = 0; i < COUNT; i++) {
		uint8_t *sealed = datagrams[i] + WIRE_HEADER;

		aead_nonce(nonce, 0, i);
		if (!aead_open_one(aead, nonce, datagrams[i], WIRE_HEADER,
				   sealed, size, sealed))
			abort();
	}
	keep_best(&cost->open, (now_ns() - from) / COUNT);
}

static void print_row(const char *cipher, const char *library, size_t size,
		      const struct cost *cost, const struct cost *base)
{
	printf("%-18s %-12s %5zu  %7.0f %6.2f %6.2f  %7.0f %6.2f %6.2f\n",
	       cipher, library, size, cost->seal, (double)size / cost->seal,
	       base->seal / cost->seal, cost->open, (double)size / cost->open,
	       base->open / cost->open);
}

static void bench_ciphers(size_t size)
{
	static const uint8_t key[AEAD_KEY];
	struct cost cost[AEAD_CIPHERS][AEAD_LIBRARIES] = { 0 };

	for (int round = 0; round < ROUNDS; round++)
		for (int c = AEAD_NONE + 1; c < AEAD_CIPHERS; c++)
			for (int l = 0; l < AEAD_LIBRARIES; l++) {
				AUTO(aead)
				struct aead *aead = aead_new_in(l, c, key);

				if (aead)
					measure(aead, size, &cost[c][l]);
			}
	for (int c = AEAD_NONE + 1; c < AEAD_CIPHERS; c++)
		for (int l = 0; l < AEAD_LIBRARIES; l++)
			if (aead_has(c, l))
				print_row(
					aead_cipher_name(c),
					aead_library_name(l), size, &cost[c][l],
					&cost[AEAD_AES256GCM][AEAD_LIBCRYPTO]);
}

/*
 * Two ends, and what was sent last.
 */
struct end {
	struct handshake *handshake;
	struct handshake_peer *peer;
};
static struct end client, server;
static uint8_t last[HANDSHAKE_MAX];
static size_t last_size;
static const struct handshake_source nowhere = { .size = 1 };

static void on_send(void *owner, struct handshake_peer *peer,
		    const struct handshake_source *to, const uint8_t *datagram,
		    size_t size)
{
	(void)owner, (void)peer, (void)to;
	memcpy(last, datagram, size);
	last_size = size;
}

static const struct handshake_ops ops = { .send = on_send };

static void end_new(struct end *end, uint8_t key)
{
	uint8_t secret[NOISE_KEY] = { key, 1 };

	noise_clamp(secret);
	end->handshake = handshake_new(secret, &ops, NULL);
}

static void end_meet(struct end *end, const struct end *other)
{
	end->peer = handshake_add(
		end->handshake, handshake_public(other->handshake), NULL, NULL);
}

static void seal_one(uint64_t now_us, uint8_t *datagram, size_t size)
{
	struct session_run run = { .datagrams = datagram,
				   .size = size,
				   .count = 1 };

	if (!session_seal(handshake_session(client.peer), &run, now_us, NULL))
		abort();
}

static enum refusal open_one(uint64_t now_us, uint8_t *datagram, size_t size)
{
	struct session_packet packet;
	struct session *session;

	return handshake_open(server.handshake, datagram, size, &nowhere,
			      now_us, &session, &packet);
}

/* One handshake with all four messages; the first datagram confirms it. */
static double shake_hands(uint64_t now_us)
{
	uint8_t datagram[WIRE_OVERHEAD] = { 0 }, message[HANDSHAKE_MAX];
	double from = now_ns(), took;

	handshake_start(client.handshake, client.peer, now_us);
	memcpy(message, last, last_size);
	handshake_input(server.handshake, message, last_size, &nowhere, now_us);
	memcpy(message, last, last_size);
	handshake_input(client.handshake, message, last_size, &nowhere, now_us);
	took = now_ns() - from;
	seal_one(now_us, datagram, WIRE_INNER);
	if (open_one(now_us, datagram, sizeof(datagram)))
		abort();
	return took;
}

static void bench_session(size_t size)
{
	struct session_run run = { .datagrams = datagrams[0],
				   .stride = sizeof(datagrams[0]),
				   .plain = plain[0],
				   .plain_stride = sizeof(plain[0]),
				   .size = size,
				   .count = COUNT };
	struct session *session = handshake_session(client.peer);
	size_t whole = size + WIRE_HEADER + WIRE_TAG;
	double seal = 0, open = 0, from;

	for (int round = 0; round < ROUNDS; round++) {
		from = now_ns();
		session_seal(session, &run, 0, NULL);
		keep_best(&seal, (now_ns() - from) / COUNT);
		from = now_ns();
		for (int i = 0; i < COUNT; i++)
			if (open_one(0, datagrams[i], whole))
				abort();
		keep_best(&open, (now_ns() - from) / COUNT);
	}
	printf("%-18s %-12s %5zu  %7.0f %6.2f         %7.0f %6.2f\n",
	       "session, all of it", "", size, seal, (double)size / seal, open,
	       (double)size / open);
}

enum bad { BAD_REPLAY, BAD_TAG, BAD_INDEX, BAD_MAC, BAD_OLD, BADS };
static const char *const bad_names[BADS] = {
	[BAD_REPLAY] = "a datagram replayed",
	[BAD_TAG] = "a datagram with a wrong tag",
	[BAD_INDEX] = "a datagram of no session",
	[BAD_MAC] = "an init by someone without our key",
	[BAD_OLD] = "an init replayed",
};

static double refuse_one(enum bad bad, uint64_t now_us)
{
	uint8_t datagram[BIG + WIRE_HEADER + WIRE_TAG] = { 0 };
	double from;

	if (bad == BAD_MAC || bad == BAD_OLD) {
		memcpy(datagram, last, HANDSHAKE_INIT);
		datagram[HANDSHAKE_INIT - 32] ^= bad == BAD_MAC;
		from = now_ns();
		if (!handshake_input(server.handshake, datagram, HANDSHAKE_INIT,
				     &nowhere, now_us))
			abort();
		return now_ns() - from;
	}
	seal_one(now_us, datagram, BIG);
	if (bad == BAD_REPLAY)
		open_one(now_us, datagram, sizeof(datagram));
	datagram[sizeof(datagram) - 1] ^= bad == BAD_TAG;
	datagram[3] ^= bad == BAD_INDEX;
	from = now_ns();
	if (!open_one(now_us, datagram, sizeof(datagram)))
		abort();
	return now_ns() - from;
}

static void bench_handshake(void)
{
	uint8_t init[HANDSHAKE_MAX];
	double best = 0, bad[BADS] = { 0 };
	uint64_t now_us = 0;

	for (int i = 0; i < 100; i++, now_us += 1000000)
		keep_best(&best, shake_hands(now_us));
	printf("\n%9.2f us  a handshake, both ends\n", best / 1000);
	handshake_start(client.handshake, client.peer, now_us);
	memcpy(init, last, HANDSHAKE_INIT);
	handshake_input(server.handshake, init, HANDSHAKE_INIT, &nowhere,
			now_us);
	handshake_input(client.handshake, last, last_size, &nowhere, now_us);
	seal_one(now_us, datagrams[0], WIRE_INNER);
	open_one(now_us, datagrams[0], WIRE_OVERHEAD);
	memcpy(last, init, HANDSHAKE_INIT);
	for (int i = 0; i < 300; i++, now_us += 10000)
		for (int b = 0; b < BADS; b++)
			keep_best(&bad[b], refuse_one(b, now_us));
	for (int b = 0; b < BADS; b++)
		printf("%9.2f us  %s\n", bad[b] / 1000, bad_names[b]);
}

/* What one more client costs a server, having used two lanes. */
static void bench_memory(void)
{
	enum { CLIENTS = 1000 };
	static struct session *sessions[CLIENTS];
	size_t before = mallinfo2().uordblks;

	for (int i = 0; i < CLIENTS; i++) {
		uint8_t secret[NOISE_KEY] = { 0, (uint8_t)i, (uint8_t)(i >> 8),
					      9 };
		uint8_t public[NOISE_KEY];
		struct session_setup setup = { .cipher = AEAD_AES256GCM };
		uint8_t datagram[WIRE_OVERHEAD];
		struct session_run run = { .datagrams = datagram,
					   .size = WIRE_INNER,
					   .count = 1 };

		sessions[i] = session_new(&setup, 0);
		noise_public(secret, public);
		handshake_add(server.handshake, public, NULL, NULL);
		for (run.lane = 0; run.lane < 2; run.lane++)
			session_seal(sessions[i], &run, 0, NULL);
	}
	printf("%9.1f kB  of memory for a client: peer, session, two lanes\n",
	       (double)(mallinfo2().uordblks - before) / CLIENTS / 1024);
	for (int i = 0; i < CLIENTS; i++)
		session_free(sessions[i]);
}

int main(void)
{
	const struct aead_choice *choice = aead_choose();
	enum aead_cipher first = choice->order[0];

	printf("chosen here: %s by %s\n\n", aead_cipher_name(first),
	       aead_library_name(choice->library[first]));
	printf("%-18s %-12s %5s  %-23s %s\n", "", "", "bytes",
	       "seal ns   GB/s  ratio", " open ns   GB/s  ratio");
	bench_ciphers(BIG);
	bench_ciphers(SMALL);
	end_new(&client, 8); /* three bits do not count */
	end_new(&server, 16);
	end_meet(&client, &server);
	end_meet(&server, &client);
	shake_hands(0);
	bench_session(BIG);
	bench_session(SMALL);
	bench_handshake();
	bench_memory();
	handshake_free(client.handshake);
	handshake_free(server.handshake);
	return 0;
}
