/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/engine/handshake.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/unit.h"

#define MS     1000ULL
#define SECOND (1000 * MS)

/*
 * A network in memory: ends with an address of one byte, and datagrams that
 * wait until they are carried. Its randomness is drawn from a seed, so that
 * every run is the same.
 */
enum { ENDS = 3, WAITING = 64 };

struct net;

struct end {
	struct net *net;
	uint8_t address;
	struct handshake *handshake;
	struct handshake_peer *peer; /* the one it was told of */
	struct handshake_hello hello;
	unsigned events[3]; /* by enum handshake_event */
	unsigned sent;
	struct handshake_source source; /* of the last event that had one */
};

struct waiting {
	uint8_t from, to;
	size_t size;
	uint8_t bytes[HANDSHAKE_LONGEST];
};

struct net {
	uint64_t now_us, seed;
	struct end ends[ENDS];
	struct waiting waiting[WAITING];
	unsigned count;
	bool cut;	/* nothing gets through */
	unsigned drawn; /* how often randomness was asked for */
};

static struct handshake_source source_of(uint8_t address)
{
	return (struct handshake_source){ .bytes = { address },
					  .size = 1,
					  .host = 1 };
}

static void net_send(void *owner, struct handshake_peer *peer,
		     const struct handshake_source *to, const uint8_t *datagram,
		     size_t size)
{
	struct end *end = owner;
	struct net *net = end->net;
	struct waiting *waiting = &net->waiting[net->count];

	end->sent++;
	if (net->cut)
		return;
	CU_ASSERT_FATAL(net->count < WAITING);
	CU_ASSERT_FATAL(size <= HANDSHAKE_MAX);
	net->count++;
	waiting->from = end->address;
	/* The owner of a peer is the end it is. */
	waiting->to = to ? to->bytes[0]
			 : ((struct end *)handshake_owner(peer))->address;
	waiting->size = size;
	memcpy(waiting->bytes, datagram, size);
}

static void net_event(void *owner, struct handshake_peer *peer,
		      enum handshake_event event,
		      const struct handshake_source *from)
{
	struct end *end = owner;

	(void)peer;
	end->events[event]++;
	if (from)
		end->source = *from;
}

static void net_random(void *owner, void *bytes, size_t size)
{
	struct net *net = ((struct end *)owner)->net;
	uint8_t *at = bytes;

	net->drawn++;
	while (size--) {
		net->seed = net->seed * 6364136223846793005ULL + 1;
		*at++ = (uint8_t)(net->seed >> 56);
	}
}

static void net_hello(void *owner, const struct handshake_peer *peer,
		      struct handshake_hello *out)
{
	(void)peer;
	*out = ((struct end *)owner)->hello;
}

static const struct handshake_ops net_ops = { net_send, net_event, net_random,
					      net_hello, NULL };

static void end_start(struct end *end, uint8_t key)
{
	uint8_t secret[NOISE_KEY] = { key };

	noise_clamp(secret);
	handshake_free(end->handshake);
	end->handshake = handshake_new(secret, &net_ops, end);
	end->peer = NULL;
	memset(end->events, 0, sizeof(end->events));
	end->sent = 0;
}

static void meet(struct end *end, struct end *other, const uint8_t *psk)
{
	end->peer = handshake_add(
		end->handshake, handshake_public(other->handshake), psk, other);
	CU_ASSERT_PTR_NOT_NULL_FATAL(end->peer);
}

static void net_open(struct net *net)
{
	*net = (struct net){ .now_us = 1000 * SECOND, .seed = 1 };
	for (uint8_t i = 0; i < ENDS; i++) {
		net->ends[i].net = net;
		net->ends[i].address = i;
		net->ends[i].hello =
			(struct handshake_hello)HANDSHAKE_HELLO_NONE;
		/* Keys far apart, 0 below 1 or not: never mind. */
		end_start(&net->ends[i], (uint8_t)(8 * (i + 1)));
	}
	meet(&net->ends[0], &net->ends[1], NULL);
	meet(&net->ends[1], &net->ends[0], NULL);
}

static void net_close(struct net *net)
{
	for (int i = 0; i < ENDS; i++)
		handshake_free(net->ends[i].handshake);
}

static enum refusal give(struct net *net, const struct waiting *waiting)
{
	struct handshake_source from = source_of(waiting->from);

	return handshake_input(net->ends[waiting->to].handshake, waiting->bytes,
			       waiting->size, &from, net->now_us);
}

/* Takes what waits longest off the net. */
static struct waiting take(struct net *net)
{
	struct waiting first = net->waiting[0];

	CU_ASSERT_FATAL(net->count > 0);
	memmove(net->waiting, net->waiting + 1, --net->count * sizeof(first));
	return first;
}

static void carry(struct net *net)
{
	while (net->count) {
		struct waiting first = take(net);

		give(net, &first);
	}
}

/* A transport datagram; false: there is no session to seal it with. */
static bool seal(struct net *net, int from, uint8_t datagram[WIRE_OVERHEAD])
{
	struct session_run run = {
		.lane = 1, .datagrams = datagram, .size = WIRE_INNER, .count = 1
	};
	struct session *session = handshake_session(net->ends[from].peer);

	memset(datagram, 0, WIRE_OVERHEAD);
	return session && session_seal(session, &run, net->now_us, NULL);
}

static enum refusal open_at(struct net *net, int from, int to,
			    uint8_t datagram[WIRE_OVERHEAD])
{
	struct handshake_source source = source_of((uint8_t)from);
	struct session_packet packet;
	struct session *session;

	return handshake_open(net->ends[to].handshake, datagram, WIRE_OVERHEAD,
			      &source, net->now_us, &session, &packet);
}

/* One transport datagram from one end to the other. */
static enum refusal talk(struct net *net, int from, int to)
{
	uint8_t datagram[WIRE_OVERHEAD];

	return seal(net, from, datagram) ? open_at(net, from, to, datagram)
					 : REFUSED_EXPIRED;
}

/* One each way, which meet on the road. */
static void talk_across(struct net *net)
{
	uint8_t there[WIRE_OVERHEAD], back[WIRE_OVERHEAD];
	bool both = seal(net, 0, there) && seal(net, 1, back);

	CU_ASSERT(both);
	if (!both)
		return;
	CU_ASSERT_EQUAL(open_at(net, 0, 1, there), REFUSED_NOT);
	CU_ASSERT_EQUAL(open_at(net, 1, 0, back), REFUSED_NOT);
}

static void call(struct net *net, int from)
{
	handshake_start(net->ends[from].handshake, net->ends[from].peer,
			net->now_us);
}

/* 0 calls 1; both have and use the keys then. */
static void connect_ends(struct net *net)
{
	call(net, 0);
	carry(net);
	CU_ASSERT_EQUAL(talk(net, 0, 1), REFUSED_NOT);
	CU_ASSERT_EQUAL(talk(net, 1, 0), REFUSED_NOT);
}

/* Lets time go by in small steps; what is sent is carried. */
static void pass(struct net *net, uint64_t us)
{
	uint64_t end = net->now_us + us;

	while (net->now_us < end) {
		net->now_us += 50 * MS;
		for (int i = 0; i < ENDS; i++)
			handshake_timer(net->ends[i].handshake, net->now_us);
		carry(net);
	}
}

static uint64_t refused(struct net *net, int end, enum refusal why)
{
	return handshake_refusals(net->ends[end].handshake)->count[why];
}

/* As somebody would who has this public key: mac1 anew. */
static void mac_again(const struct end *to, uint8_t *message, size_t size)
{
	uint8_t key[NOISE_KEY];

	noise_digest("Tresse mac1", 11, handshake_public(to->handshake),
		     NOISE_KEY, key);
	noise_mac(key, message, size - 32, NULL, 0, message + size - 32);
}

TEST(handshake, two_messages_and_both_ends_talk)
{
	struct net net;
	struct waiting init, response;

	net_open(&net);
	call(&net, 0);
	init = take(&net);
	CU_ASSERT_EQUAL(init.size, HANDSHAKE_INIT);
	CU_ASSERT_EQUAL(give(&net, &init), REFUSED_NOT);
	response = take(&net);
	CU_ASSERT_EQUAL(response.size, HANDSHAKE_RESPONSE);
	CU_ASSERT_EQUAL(net.count, 0);
	CU_ASSERT_PTR_NULL(handshake_session(net.ends[1].peer));
	CU_ASSERT_EQUAL(give(&net, &response), REFUSED_NOT);
	CU_ASSERT_EQUAL(net.ends[0].events[HANDSHAKE_ESTABLISHED], 1);
	/* The responder waits for proof. */
	CU_ASSERT_PTR_NULL(handshake_session(net.ends[1].peer));
	CU_ASSERT_EQUAL(net.ends[1].events[HANDSHAKE_ESTABLISHED], 0);
	CU_ASSERT_EQUAL(talk(&net, 0, 1), REFUSED_NOT);
	CU_ASSERT_EQUAL(net.ends[1].events[HANDSHAKE_ESTABLISHED], 1);
	CU_ASSERT_EQUAL(net.ends[1].source.bytes[0], 0);
	CU_ASSERT_EQUAL(talk(&net, 1, 0), REFUSED_NOT);
	CU_ASSERT_EQUAL(session_era_name(handshake_session(net.ends[0].peer)),
			session_era_name(handshake_session(net.ends[1].peer)));
	net_close(&net);
}

TEST(handshake, each_end_hears_what_the_other_says_of_itself)
{
	struct net net;
	struct handshake_hello *mine, *theirs;
	const struct handshake_hello *heard;

	net_open(&net);
	mine = &net.ends[0].hello;
	theirs = &net.ends[1].hello;
	mine->mtu = 1420, mine->lanes = 4, mine->features = 0x80000001;
	mine->ip4_prefix = 24;
	memcpy(mine->ip4, "\x0a\x4d\x00\x02", 4);
	theirs->mtu = 9000, theirs->ip6_prefix = 128;
	memcpy(theirs->ip6, "\xfd\x00\0\0\0\0\0\0\0\0\0\0\0\0\0\x07", 16);
	theirs->ip4_prefix = 33; /* there is no such prefix */
	CU_ASSERT_PTR_NULL(handshake_heard(net.ends[0].peer));
	connect_ends(&net);

	heard = handshake_heard(net.ends[1].peer);
	CU_ASSERT_PTR_NOT_NULL_FATAL(heard);
	CU_ASSERT_EQUAL(heard->mtu, 1420);
	CU_ASSERT_EQUAL(heard->lanes, 4);
	CU_ASSERT_EQUAL(heard->features, 0x80000001);
	CU_ASSERT_EQUAL(heard->ip4_prefix, 24);
	CU_ASSERT(!memcmp(heard->ip4, mine->ip4, 4));
	CU_ASSERT_EQUAL(heard->ip6_prefix, HANDSHAKE_NO_PREFIX);
	heard = handshake_heard(net.ends[0].peer);
	CU_ASSERT_PTR_NOT_NULL_FATAL(heard);
	CU_ASSERT_EQUAL(heard->mtu, 9000);
	CU_ASSERT_EQUAL(heard->ip6_prefix, 128);
	CU_ASSERT(!memcmp(heard->ip6, theirs->ip6, 16));
	CU_ASSERT_EQUAL(heard->ip4_prefix, HANDSHAKE_NO_PREFIX);
	CU_ASSERT_NOT_EQUAL(heard->instance, 0);
	net_close(&net);
}

TEST(handshake, the_responder_chooses_the_cipher)
{
	const enum aead_cipher mine[] = { AEAD_AES256GCM,
					  AEAD_CHACHA20POLY1305 };
	const enum aead_cipher theirs[] = { AEAD_CHACHA20POLY1305,
					    AEAD_AES256GCM };
	struct net net;

	net_open(&net);
	handshake_ciphers(net.ends[0].handshake, mine, 2);
	handshake_ciphers(net.ends[1].handshake, theirs, 2);
	connect_ends(&net);
	CU_ASSERT_EQUAL(session_cipher(handshake_session(net.ends[0].peer)),
			AEAD_CHACHA20POLY1305);
	handshake_ciphers(net.ends[1].handshake, mine, 1);
	net.now_us += SECOND;
	connect_ends(&net);
	CU_ASSERT_EQUAL(session_cipher(handshake_session(net.ends[0].peer)),
			AEAD_AES256GCM);
	net_close(&net);
}

TEST(handshake, without_a_cipher_in_common_both_ends_say_so)
{
	const enum aead_cipher mine = AEAD_AES256GCM;
	const enum aead_cipher theirs = AEAD_CHACHA20POLY1305;
	const char *error;
	struct net net;

	net_open(&net);
	handshake_ciphers(net.ends[0].handshake, &mine, 1);
	handshake_ciphers(net.ends[1].handshake, &theirs, 1);
	call(&net, 0);
	carry(&net);
	for (int i = 0; i < 2; i++) {
		error = handshake_error(net.ends[i].peer);
		ASSERT_TEXT(error, "the peer has no cipher in common with us");
		CU_ASSERT_EQUAL(net.ends[i].events[HANDSHAKE_FAILED], 1);
		CU_ASSERT_EQUAL(refused(&net, i, REFUSED_CIPHER), 1);
		CU_ASSERT_PTR_NULL(handshake_session(net.ends[i].peer));
	}
	/* Mended, it works by itself, and the complaint is gone. */
	handshake_ciphers(net.ends[1].handshake, &mine, 1);
	pass(&net, 10 * SECOND);
	CU_ASSERT_EQUAL(talk(&net, 0, 1), REFUSED_NOT);
	CU_ASSERT_PTR_NULL(handshake_error(net.ends[0].peer));
	CU_ASSERT_PTR_NULL(handshake_error(net.ends[1].peer));
	net_close(&net);
}

TEST(handshake, a_stranger_hears_nothing_whatever_he_sends)
{
	struct net net;
	struct waiting init;
	struct handshake_peer *peer;

	net_open(&net);
	/* Knows the address only. */
	call(&net, 0);
	init = take(&net);
	init.bytes[HANDSHAKE_INIT - 32] ^= 1;
	CU_ASSERT_EQUAL(give(&net, &init), REFUSED_MAC);
	for (int type = 0; type < 256; type++) {
		init.bytes[0] = (uint8_t)type;
		CU_ASSERT_NOT_EQUAL(give(&net, &init), REFUSED_NOT);
	}
	/* Knows the public key, but is nobody's peer. */
	peer = handshake_add(net.ends[2].handshake,
			     handshake_public(net.ends[1].handshake), NULL,
			     &net.ends[1]);
	handshake_start(net.ends[2].handshake, peer, net.now_us);
	init = take(&net);
	CU_ASSERT_EQUAL(give(&net, &init), REFUSED_STRANGER);
	CU_ASSERT_EQUAL(net.ends[1].sent, 0);
	CU_ASSERT_EQUAL(net.count, 0);
	net_close(&net);
}

TEST(handshake, every_flipped_bit_of_an_init_is_refused_with_mac1_or_without)
{
	struct net net;
	struct waiting init, bad;

	net_open(&net);
	call(&net, 0);
	init = take(&net);
	for (size_t bit = 0; bit < 8 * HANDSHAKE_INIT; bit++) {
		bool mac2 = bit >= 8 * (HANDSHAKE_INIT - 16);

		net.now_us += 5 * MS; /* nothing is under load */
		bad = init;
		bad.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
		if (mac2)
			continue; /* counts under load only */
		CU_ASSERT_NOT_EQUAL(give(&net, &bad), REFUSED_NOT);
		mac_again(&net.ends[1], bad.bytes, bad.size);
		if (bit / 8 < HANDSHAKE_INIT - 32)
			CU_ASSERT_NOT_EQUAL(give(&net, &bad), REFUSED_NOT);
		/* But for the sentence about the version: silence. */
		if (bit / 8 == 1 && net.count)
			CU_ASSERT_EQUAL(take(&net).size, HANDSHAKE_COOKIE);
		CU_ASSERT_EQUAL(net.count, 0);
	}
	CU_ASSERT_PTR_NULL(handshake_session(net.ends[1].peer));
	CU_ASSERT_EQUAL(give(&net, &init), REFUSED_NOT);
	carry(&net);
	CU_ASSERT_EQUAL(talk(&net, 0, 1), REFUSED_NOT);
	net_close(&net);
}

TEST(handshake,
     every_flipped_bit_of_a_response_is_refused_and_the_good_one_taken)
{
	struct net net;
	struct waiting init, response, bad;

	net_open(&net);
	call(&net, 0);
	init = take(&net);
	give(&net, &init);
	response = take(&net);
	for (size_t bit = 0; bit < 8 * (HANDSHAKE_RESPONSE - 32); bit++) {
		bad = response;
		bad.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
		CU_ASSERT_NOT_EQUAL(give(&net, &bad), REFUSED_NOT);
		mac_again(&net.ends[0], bad.bytes, bad.size);
		CU_ASSERT_NOT_EQUAL(give(&net, &bad), REFUSED_NOT);
		CU_ASSERT_PTR_NULL_FATAL(handshake_session(net.ends[0].peer));
	}
	CU_ASSERT_EQUAL(net.count, 0);
	CU_ASSERT_EQUAL(give(&net, &response), REFUSED_NOT);
	CU_ASSERT_EQUAL(give(&net, &response), REFUSED_UNASKED);
	CU_ASSERT_EQUAL(talk(&net, 0, 1), REFUSED_NOT);
	net_close(&net);
}

TEST(handshake, messages_of_another_length_are_refused)
{
	uint8_t message[1500] = { 0 };
	struct handshake_source from = source_of(2);
	struct net net;

	net_open(&net);
	for (uint8_t type = 0; type < 6; type++)
		for (size_t size = 0; size < sizeof(message); size++) {
			message[0] = type;
			message[1] = WIRE_NEWEST;
			CU_ASSERT_NOT_EQUAL(
				handshake_input(net.ends[1].handshake, message,
						size, &from, net.now_us),
				REFUSED_NOT);
		}
	CU_ASSERT_EQUAL(net.count, 0);
	net_close(&net);
}

TEST(handshake, with_the_same_psk_they_talk_and_with_another_one_end_says_why)
{
	uint8_t one[NOISE_KEY] = { 1 }, two[NOISE_KEY] = { 2 };
	struct net net;

	net_open(&net);
	handshake_psk(net.ends[0].peer, one);
	handshake_psk(net.ends[1].peer, two);
	call(&net, 0);
	carry(&net);
	CU_ASSERT_PTR_NULL(handshake_session(net.ends[0].peer));
	CU_ASSERT_EQUAL(refused(&net, 0, REFUSED_FORGED), 1);
	ASSERT_TEXT(handshake_error(net.ends[0].peer),
		    "the peer's answer cannot be read: is the pre-shared key "
		    "the same at both ends?");
	handshake_psk(net.ends[1].peer, one);
	pass(&net, 10 * SECOND);
	CU_ASSERT_EQUAL(talk(&net, 0, 1), REFUSED_NOT);
	handshake_psk(net.ends[0].peer, NULL);
	net.now_us += SECOND;
	call(&net, 0);
	carry(&net);
	CU_ASSERT_PTR_NOT_NULL(handshake_error(net.ends[0].peer));
	/* The session that was there is still good. */
	CU_ASSERT_EQUAL(talk(&net, 1, 0), REFUSED_NOT);
	net_close(&net);
}

TEST(handshake, keys_that_cannot_be_peers_are_refused)
{
	uint8_t zero[NOISE_KEY] = { 0 };
	struct net net;
	struct end *end = &net.ends[0];

	net_open(&net);
	CU_ASSERT_PTR_NULL(handshake_add(end->handshake, zero, NULL, NULL));
	CU_ASSERT_PTR_NULL(handshake_add(
		end->handshake, handshake_public(end->handshake), NULL, NULL));
	CU_ASSERT_PTR_NULL(handshake_add(
		end->handshake, handshake_public(net.ends[1].handshake), NULL,
		NULL));
	net_close(&net);
}

TEST(handshake, an_init_that_comes_twice_is_answered_by_the_same_bytes)
{
	struct net net;
	struct waiting init, first, second;

	net_open(&net);
	call(&net, 0);
	init = take(&net);
	CU_ASSERT_EQUAL(give(&net, &init), REFUSED_NOT);
	init.from = 2; /* by another way */
	CU_ASSERT_EQUAL(give(&net, &init), REFUSED_NOT);
	first = take(&net);
	second = take(&net);
	CU_ASSERT_EQUAL(second.to, 2);
	CU_ASSERT(!memcmp(first.bytes, second.bytes, first.size));
	CU_ASSERT_EQUAL(give(&net, &first), REFUSED_NOT);
	second.to = 0;
	CU_ASSERT_EQUAL(give(&net, &second), REFUSED_UNASKED);
	CU_ASSERT_EQUAL(talk(&net, 0, 1), REFUSED_NOT);
	net_close(&net);
}

TEST(handshake, a_slow_answer_is_taken_after_the_init_was_sent_again)
{
	struct net net;
	struct waiting init, response;

	net_open(&net);
	call(&net, 0);
	init = take(&net);
	give(&net, &init);
	response = take(&net);
	for (int i = 0; i < 60; i++) { /* 1.2 s */
		net.now_us += 20 * MS;
		handshake_timer(net.ends[0].handshake, net.now_us);
	}
	CU_ASSERT(net.count >= 2);
	CU_ASSERT_EQUAL(give(&net, &response), REFUSED_NOT);
	CU_ASSERT_EQUAL(talk(&net, 0, 1), REFUSED_NOT);
	net_close(&net);
}

TEST(handshake, inits_are_sent_again_with_pauses_of_less_than_a_second)
{
	static const unsigned ms[] = { 250, 500, 700, 700, 700, 700, 700 };
	uint64_t last, varied = 0;
	struct net net;
	struct end *end = &net.ends[0];
	unsigned sent = 1;

	net_open(&net);
	net.cut = true;
	call(&net, 0);
	last = net.now_us;
	for (size_t i = 0; i < ARRAY_SIZE(ms); i++) {
		while (end->sent == sent) {
			net.now_us += MS;
			handshake_timer(end->handshake, net.now_us);
		}
		sent = end->sent;
		CU_ASSERT(net.now_us - last >= ms[i] * MS * 2 / 3);
		CU_ASSERT(net.now_us - last <= ms[i] * MS * 4 / 3 + 2 * MS);
		varied |= net.now_us - last != ms[i] * MS;
		last = net.now_us;
		CU_ASSERT_EQUAL(handshake_attempt(end->peer), i + 2);
	}
	CU_ASSERT(varied);
	CU_ASSERT_EQUAL(end->events[HANDSHAKE_FAILED], 1);
	CU_ASSERT_PTR_NOT_NULL(handshake_error(end->peer));
	/* An hour without any path; then they come back by themselves. */
	pass(&net, 3600 * SECOND);
	CU_ASSERT(end->sent > 3600 && end->sent < 7200);
	net.cut = false;
	pass(&net, SECOND);
	CU_ASSERT_EQUAL(talk(&net, 0, 1), REFUSED_NOT);
	CU_ASSERT_PTR_NULL(handshake_error(end->peer));
	net_close(&net);
}

TEST(handshake, asking_to_start_over_and_over_sends_few_inits)
{
	struct net net;

	net_open(&net);
	net.cut = true;
	for (int i = 0; i < 1000; i++) {
		call(&net, 0);
		net.now_us += MS;
	}
	CU_ASSERT(net.ends[0].sent <= 5);
	net_close(&net);
}

TEST(handshake, keys_are_renewed_after_two_minutes_and_the_era_goes_on)
{
	struct net net;
	struct session *before;
	uint64_t era, counter;
	uint32_t index, number;

	net_open(&net);
	connect_ends(&net);
	before = handshake_session(net.ends[0].peer);
	era = session_era_name(before);
	index = session_index(before);
	number = session_era(before);
	counter = session_next(before, 1);
	pass(&net, 119 * SECOND);
	CU_ASSERT_EQUAL(index,
			session_index(handshake_session(net.ends[0].peer)));
	pass(&net, 2 * SECOND);
	CU_ASSERT_NOT_EQUAL(index,
			    session_index(handshake_session(net.ends[0].peer)));
	CU_ASSERT_EQUAL(session_next(handshake_session(net.ends[0].peer), 1),
			counter);
	CU_ASSERT_EQUAL(session_era(handshake_session(net.ends[0].peer)),
			number);
	/* The responder still seals with the old keys, and is heard. */
	CU_ASSERT_EQUAL(talk(&net, 1, 0), REFUSED_NOT);
	CU_ASSERT_EQUAL(talk(&net, 0, 1), REFUSED_NOT);
	CU_ASSERT_EQUAL(talk(&net, 1, 0), REFUSED_NOT);
	for (int i = 0; i < 2; i++) {
		struct session *now = handshake_session(net.ends[i].peer);

		CU_ASSERT_EQUAL(session_era_name(now), era);
		CU_ASSERT_EQUAL(net.ends[i].events[HANDSHAKE_ESTABLISHED], 2);
		CU_ASSERT_EQUAL(net.ends[i].events[HANDSHAKE_LOST], 0);
	}
	CU_ASSERT_PTR_NOT_NULL(handshake_lookup(net.ends[0].handshake, index));
	pass(&net, 61 * SECOND);
	CU_ASSERT_PTR_NULL(handshake_lookup(net.ends[0].handshake, index));
	net_close(&net);
}

TEST(handshake, keys_that_sealed_many_are_renewed_before_their_time)
{
	struct net net;
	struct session *before;
	uint32_t index;

	net_open(&net);
	connect_ends(&net);
	before = handshake_session(net.ends[0].peer);
	index = session_index(before);
	session_wear(before, 9, session_left(before) - 2);
	pass(&net, 70 * SECOND); /* as many as there can be by then */
	CU_ASSERT_EQUAL(index,
			session_index(handshake_session(net.ends[0].peer)));
	CU_ASSERT_EQUAL(talk(&net, 0, 1), REFUSED_NOT);
	session_wear(before, 9, 1);
	pass(&net, 1 * SECOND);
	CU_ASSERT_NOT_EQUAL(index,
			    session_index(handshake_session(net.ends[0].peer)));
	CU_ASSERT_EQUAL(talk(&net, 0, 1), REFUSED_NOT);
	CU_ASSERT_EQUAL(talk(&net, 1, 0), REFUSED_NOT);
	net_close(&net);
}

TEST(handshake, a_counter_that_is_far_on_begins_a_new_era)
{
	struct net net;
	uint64_t era;

	net_open(&net);
	connect_ends(&net);
	era = session_era_name(handshake_session(net.ends[0].peer));
	session_wear(handshake_session(net.ends[0].peer), 1,
		     SESSION_COUNTERS / 2 + 1);
	pass(&net, 122 * SECOND);
	CU_ASSERT_EQUAL(talk(&net, 0, 1), REFUSED_NOT);
	for (int i = 0; i < 2; i++) {
		struct session *now = handshake_session(net.ends[i].peer);

		CU_ASSERT_NOT_EQUAL(session_era_name(now), era);
		CU_ASSERT(session_next(now, 1) < 100);
	}
	net_close(&net);
}

TEST(handshake, hours_of_renewal_lose_no_datagram)
{
	struct net net;
	unsigned lost = 0;
	uint32_t first;

	net_open(&net);
	connect_ends(&net);
	first = session_index(handshake_session(net.ends[0].peer));
	for (int i = 0; i < 2 * 3600; i++) {
		pass(&net, SECOND);
		lost += talk(&net, 0, 1) != REFUSED_NOT;
		lost += talk(&net, 1, 0) != REFUSED_NOT;
	}
	CU_ASSERT_EQUAL(lost, 0);
	CU_ASSERT_PTR_NULL(handshake_lookup(net.ends[0].handshake, first));
	CU_ASSERT(net.ends[0].events[HANDSHAKE_ESTABLISHED] > 55);
	CU_ASSERT_EQUAL(net.ends[1].events[HANDSHAKE_LOST], 0);
	net_close(&net);
}

TEST(handshake, of_many_handshakes_the_last_two_sessions_are_kept)
{
	struct net net;
	uint32_t index[5];

	net_open(&net);
	for (size_t i = 0; i < ARRAY_SIZE(index); i++) {
		net.now_us += SECOND;
		connect_ends(&net);
		index[i] = session_index(handshake_session(net.ends[1].peer));
	}
	for (size_t i = 0; i < ARRAY_SIZE(index); i++)
		CU_ASSERT_EQUAL(handshake_lookup(net.ends[1].handshake,
						 index[i]) != NULL,
				i >= 3);
	net_close(&net);
}

TEST(handshake, a_session_nobody_renews_is_lost_after_three_minutes)
{
	struct net net;
	uint64_t era;

	net_open(&net);
	connect_ends(&net);
	era = session_era_name(handshake_session(net.ends[0].peer));
	net.cut = true;
	pass(&net, 181 * SECOND);
	for (int i = 0; i < 2; i++) {
		CU_ASSERT_PTR_NULL(handshake_session(net.ends[i].peer));
		CU_ASSERT_EQUAL(net.ends[i].events[HANDSHAKE_LOST], 1);
	}
	pass(&net, 3600 * SECOND);
	net.cut = false;
	pass(&net, 7 * SECOND);
	CU_ASSERT_EQUAL(talk(&net, 0, 1), REFUSED_NOT);
	CU_ASSERT_EQUAL(talk(&net, 1, 0), REFUSED_NOT);
	/* Neither had been restarted, so the numbers went on. */
	CU_ASSERT_EQUAL(session_era_name(handshake_session(net.ends[0].peer)),
			era);
	net_close(&net);
}

TEST(handshake,
     who_wakes_after_a_sleep_seals_with_no_worn_key_and_gets_new_ones)
{
	/* Long enough to renew, to lose, and to be long forgotten. */
	static const unsigned slept[] = { 121, 200, 8 * 3600 };

	for (size_t i = 0; i < ARRAY_SIZE(slept); i++) {
		struct net net;
		uint8_t datagram[WIRE_OVERHEAD];
		struct session *before;

		net_open(&net);
		connect_ends(&net);
		before = handshake_session(net.ends[0].peer);
		net.now_us += slept[i] * SECOND; /* and no timer ran */
		CU_ASSERT_EQUAL(seal(&net, 0, datagram), slept[i] < 180);
		pass(&net, SECOND);
		CU_ASSERT_PTR_NOT_EQUAL(handshake_session(net.ends[0].peer),
					before);
		CU_ASSERT_EQUAL(talk(&net, 0, 1), REFUSED_NOT);
		CU_ASSERT_EQUAL(talk(&net, 1, 0), REFUSED_NOT);
		net_close(&net);
	}
}

TEST(handshake, a_restart_of_either_end_is_seen_and_begins_a_new_era)
{
	for (int which = 0; which < 2; which++) {
		struct net net;
		uint64_t era, instance;
		int other = 1 - which;
		uint32_t number;

		net_open(&net);
		connect_ends(&net);
		era = session_era_name(handshake_session(net.ends[other].peer));
		instance = handshake_heard(net.ends[other].peer)->instance;
		number = session_era(handshake_session(net.ends[other].peer));
		net.now_us += SECOND;
		end_start(&net.ends[which], (uint8_t)(8 * (which + 1)));
		meet(&net.ends[which], &net.ends[other], NULL);
		connect_ends(&net);
		for (int i = 0; i < 2; i++)
			CU_ASSERT_NOT_EQUAL(session_era_name(handshake_session(
						    net.ends[i].peer)),
					    era);
		CU_ASSERT_NOT_EQUAL(
			handshake_heard(net.ends[other].peer)->instance,
			instance);
		CU_ASSERT(session_era(handshake_session(net.ends[other].peer)) >
			  number);
		net_close(&net);
	}
}

/* A copied configuration: each has the session until the other calls. */
TEST(handshake, two_hosts_with_one_key_are_told_from_one_that_starts_anew)
{
	struct handshake_source from[2];
	struct net net;
	struct handshake_peer *known;

	net_open(&net);
	known = net.ends[1].peer;
	for (int start = 0; start < 5; start++) {
		connect_ends(&net);
		net.now_us += SECOND;
		CU_ASSERT(!handshake_twins(known, net.now_us, from));
		end_start(&net.ends[0], 8);
		meet(&net.ends[0], &net.ends[1], NULL);
	}
	connect_ends(&net);
	end_start(&net.ends[2], 8);
	meet(&net.ends[2], &net.ends[1], NULL);
	for (int turn = 0; turn < 2; turn++) {
		net.now_us += SECOND;
		CU_ASSERT(!handshake_twins(known, net.now_us, from));
		call(&net, turn ? 0 : 2);
		carry(&net);
		CU_ASSERT_EQUAL(talk(&net, turn ? 0 : 2, 1), REFUSED_NOT);
	}
	CU_ASSERT(handshake_twins(known, net.now_us, from));
	CU_ASSERT_EQUAL(from[0].bytes[0], 0);
	CU_ASSERT_EQUAL(from[1].bytes[0], 2);
	CU_ASSERT(!handshake_twins(known, net.now_us + 61 * SECOND, from));
	net_close(&net);
}

TEST(handshake, a_peer_that_was_taken_away_and_given_back_begins_a_new_era)
{
	struct net net;
	uint64_t era;

	net_open(&net);
	connect_ends(&net);
	era = session_era_name(handshake_session(net.ends[0].peer));
	handshake_remove(net.ends[1].handshake, net.ends[1].peer);
	CU_ASSERT_PTR_NULL(
		handshake_find(net.ends[1].handshake,
			       handshake_public(net.ends[0].handshake)));
	meet(&net.ends[1], &net.ends[0], NULL);
	CU_ASSERT_EQUAL(talk(&net, 0, 1), REFUSED_INDEX);
	net.now_us += SECOND;
	connect_ends(&net);
	CU_ASSERT_NOT_EQUAL(
		session_era_name(handshake_session(net.ends[0].peer)), era);
	net_close(&net);
}

/* Both inits under way, then both responses, in every order of arrival. */
static void both_at_once(unsigned order)
{
	struct net net;
	struct waiting first, second;

	net_open(&net);
	call(&net, 0);
	call(&net, 1);
	first = take(&net), second = take(&net);
	give(&net, order & 1 ? &second : &first);
	give(&net, order & 1 ? &first : &second);
	first = take(&net), second = take(&net);
	give(&net, order & 2 ? &second : &first);
	for (int i = 0; order & 4 && i < 2; i++)
		if (handshake_session(net.ends[i].peer)) {
			CU_ASSERT_EQUAL(talk(&net, i, 1 - i), REFUSED_NOT);
			break;
		}
	give(&net, order & 2 ? &first : &second);
	for (int i = 0; i < 4; i++)
		talk_across(&net);
	CU_ASSERT_EQUAL(
		session_index(handshake_session(net.ends[0].peer)),
		session_remote_index(handshake_session(net.ends[1].peer)));
	CU_ASSERT_EQUAL(session_era_name(handshake_session(net.ends[0].peer)),
			session_era_name(handshake_session(net.ends[1].peer)));
	for (int i = 0; i < 2; i++)
		CU_ASSERT(session_era(handshake_session(net.ends[i].peer)) > 0);
	CU_ASSERT_EQUAL(net.ends[0].sent + net.ends[1].sent, 4);
	pass(&net, 100 * SECOND);
	CU_ASSERT_EQUAL(net.ends[0].sent + net.ends[1].sent, 4);
	net_close(&net);
}

TEST(handshake, both_ends_may_call_at_once_and_end_up_with_the_same_session)
{
	for (unsigned order = 0; order < 8; order++)
		both_at_once(order);
}

TEST(handshake, replayed_inits_change_nothing_and_are_not_answered)
{
	struct net net;
	struct waiting init;
	const struct session *before;
	unsigned sent;

	net_open(&net);
	call(&net, 0);
	init = net.waiting[0];
	carry(&net);
	talk(&net, 0, 1);
	before = handshake_session(net.ends[1].peer);
	sent = net.ends[1].sent;
	init.from = 2;
	for (int i = 0; i < 1000; i++) {
		CU_ASSERT_EQUAL(give(&net, &init), REFUSED_OLD);
		net.now_us += 5 * MS;
	}
	CU_ASSERT_EQUAL(net.ends[1].sent, sent);
	CU_ASSERT_PTR_EQUAL(handshake_session(net.ends[1].peer), before);
	CU_ASSERT_EQUAL(refused(&net, 1, REFUSED_OLD), 1000);
	CU_ASSERT_EQUAL(talk(&net, 1, 0), REFUSED_NOT);
	CU_ASSERT_EQUAL(talk(&net, 0, 1), REFUSED_NOT);
	net_close(&net);
}

TEST(handshake, an_init_overtaken_by_a_later_one_is_old)
{
	struct net net;
	struct waiting early, late;

	net_open(&net);
	connect_ends(&net);
	net.now_us += SECOND;
	call(&net, 0);
	early = take(&net);
	net.now_us += 10 * SECOND;
	call(&net, 0);
	late = take(&net);
	CU_ASSERT_EQUAL(give(&net, &late), REFUSED_NOT);
	CU_ASSERT_EQUAL(give(&net, &early), REFUSED_OLD);
	carry(&net);
	CU_ASSERT_EQUAL(talk(&net, 0, 1), REFUSED_NOT);
	CU_ASSERT_EQUAL(talk(&net, 1, 0), REFUSED_NOT);
	net_close(&net);
}

/* The responder was restarted and knows no instance: recordings are news to
 * it. They take the one open place, and the true caller still gets through. */
TEST(handshake, recordings_do_not_keep_the_true_caller_out)
{
	struct net net;
	struct waiting old[4];
	unsigned answered = 0;

	net_open(&net);
	for (int i = 0; i < 4; i++) { /* of four lives of end 0 */
		end_start(&net.ends[0], 8);
		meet(&net.ends[0], &net.ends[1], NULL);
		call(&net, 0);
		old[i] = take(&net);
	}
	end_start(&net.ends[1], 16);
	meet(&net.ends[1], &net.ends[0], NULL);
	for (int i = 0; i < 100; i++) {
		old[i % 4].from = 2;
		answered += give(&net, &old[i % 4]) == REFUSED_NOT;
		net.now_us += 5 * MS;
		net.count = 0;
	}
	/* One place, and its own recording again. */
	CU_ASSERT_EQUAL(answered, 25);
	net.count = 0;
	end_start(&net.ends[0], 8);
	meet(&net.ends[0], &net.ends[1], NULL);
	call(&net, 0);
	for (int i = 0; i < 10; i++) {
		/* Between any two messages of theirs, all recordings. */
		for (int j = 0; j < 4; j++)
			give(&net, &old[j]);
		while (net.count) {
			struct waiting next = take(&net);

			if (next.to == 2)
				continue;
			give(&net, &next);
			break;
		}
	}
	CU_ASSERT_EQUAL(talk(&net, 0, 1), REFUSED_NOT);
	CU_ASSERT_EQUAL(talk(&net, 1, 0), REFUSED_NOT);
	for (int j = 0; j < 4; j++) {
		net.now_us += 10 * SECOND;
		give(&net, &old[j]);
		CU_ASSERT_EQUAL(talk(&net, 0, 1), REFUSED_NOT);
		CU_ASSERT_EQUAL(talk(&net, 1, 0), REFUSED_NOT);
	}
	net_close(&net);
}

/* Sends inits of a stranger who knows the key until cookies are asked for. */
static void flood(struct net *net)
{
	struct handshake_peer *peer =
		handshake_add(net->ends[2].handshake,
			      handshake_public(net->ends[1].handshake), NULL,
			      &net->ends[1]);
	struct waiting init;

	handshake_start(net->ends[2].handshake, peer, net->now_us);
	init = take(net);
	for (int i = 0; i < 250; i++)
		give(net, &init);
	handshake_remove(net->ends[2].handshake, peer);
}

TEST(handshake, under_load_a_cookie_is_asked_for_and_whoever_has_one_gets_in)
{
	struct net net;
	struct waiting cookie;

	net_open(&net);
	flood(&net);
	CU_ASSERT(refused(&net, 1, REFUSED_STRANGER) >= 200);
	CU_ASSERT(refused(&net, 1, REFUSED_COOKIE) > 0);
	CU_ASSERT_EQUAL(net.waiting[0].size, HANDSHAKE_COOKIE);
	net.count = 0;
	call(&net, 0);
	cookie = take(&net);
	CU_ASSERT_EQUAL(give(&net, &cookie), REFUSED_COOKIE);
	cookie = take(&net);
	CU_ASSERT_EQUAL(cookie.size, HANDSHAKE_COOKIE);
	/* No bit of it can be changed. */
	for (size_t bit = 0; bit < 8 * HANDSHAKE_COOKIE; bit++) {
		struct waiting bad = cookie;

		if (bit / 8 == 1 || (bit / 8 >= 5 && bit / 8 < 8))
			continue; /* version, zero: not looked at */
		bad.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
		CU_ASSERT_NOT_EQUAL(give(&net, &bad), REFUSED_NOT);
	}
	CU_ASSERT_EQUAL(net.count, 0);
	CU_ASSERT_EQUAL(give(&net, &cookie), REFUSED_NOT);
	CU_ASSERT_EQUAL(net.count, 1); /* at once, not when the timer says */
	carry(&net);
	CU_ASSERT_EQUAL(talk(&net, 0, 1), REFUSED_NOT);
	net_close(&net);
}

TEST(handshake, a_cookie_is_no_use_to_another_address_or_later)
{
	struct net net;
	struct waiting message, init;

	net_open(&net);
	flood(&net);
	net.count = 0;
	call(&net, 0);
	message = take(&net);
	give(&net, &message);
	message = take(&net);
	give(&net, &message);
	init = take(&net); /* with a cookie */
	message = init;
	message.from = 2;
	CU_ASSERT_EQUAL(give(&net, &message), REFUSED_COOKIE);
	net.count = 0;
	net.now_us += 300 * SECOND;
	flood(&net);
	CU_ASSERT_EQUAL(give(&net, &init), REFUSED_COOKIE);
	net_close(&net);
}

TEST(handshake, with_a_cookie_a_host_gets_its_share_and_no_more)
{
	struct net net;
	struct waiting message;
	unsigned rate = 0;

	net_open(&net);
	flood(&net);
	net.count = 0;
	call(&net, 0);
	message = take(&net);
	give(&net, &message);
	message = take(&net);
	give(&net, &message);
	message = take(&net);
	for (int i = 0; i < 100; i++)
		rate += give(&net, &message) == REFUSED_RATE;
	CU_ASSERT(rate >= 90);
	net_close(&net);
}

/* 1 is under load, and has answered an init of 0 by a cookie; the next one,
 * which brings it, is returned. */
static struct waiting call_under_load(struct net *net)
{
	struct waiting message;

	flood(net);
	net->count = 0;
	call(net, 0);
	message = take(net);
	CU_ASSERT_EQUAL(give(net, &message), REFUSED_COOKIE);
	message = take(net);
	give(net, &message);
	return take(net);
}

TEST(handshake, an_init_that_comes_again_under_load_is_answered_without_work)
{
	struct net net;
	struct waiting init, first, again;

	net_open(&net);
	init = call_under_load(&net);
	CU_ASSERT_EQUAL(give(&net, &init), REFUSED_NOT);
	first = take(&net);
	CU_ASSERT_EQUAL(first.size, HANDSHAKE_RESPONSE);
	net.drawn = 0;
	CU_ASSERT_EQUAL(give(&net, &init), REFUSED_NOT);
	again = take(&net);
	CU_ASSERT_EQUAL(net.drawn, 0);
	CU_ASSERT(!memcmp(first.bytes, again.bytes, HANDSHAKE_RESPONSE));
	/* One that differs in a bit is another, though its mac1 is right. */
	again = init;
	again.bytes[8] ^= 1;
	mac_again(&net.ends[1], again.bytes, HANDSHAKE_INIT);
	net.now_us += SECOND; /* its mac2 is wrong now: when all get in */
	CU_ASSERT_EQUAL(give(&net, &again), REFUSED_FORGED);
	/* And once the keys are in use it is old. */
	CU_ASSERT_EQUAL(give(&net, &first), REFUSED_NOT);
	CU_ASSERT_EQUAL(talk(&net, 0, 1), REFUSED_NOT);
	net.drawn = 0;
	CU_ASSERT_EQUAL(give(&net, &init), REFUSED_OLD);
	CU_ASSERT_EQUAL(net.drawn, 0);
	CU_ASSERT_EQUAL(net.count, 0);
	net_close(&net);
}

/* --- more than a server can answer -----------------------------------------
 *
 * A crowd calls at once. The server looks at what has come in the order in
 * which it came, and each key it works on takes its time: here so long that the
 * last of them wait far longer than anybody waits for an answer.
 */
enum {
	CROWD = 800,
	HALL = 8192, /* datagrams that may wait */
	WORK_US = 10000,
	GLANCE_US = 100,
};

struct caller {
	struct crowd *crowd;
	struct handshake *handshake;
	struct handshake_peer *peer;
	bool in;
};

static struct crowd {
	uint64_t now_us, seed;
	struct handshake *server;
	struct caller callers[CROWD];
	struct {
		uint64_t at_us;
		uint16_t from;
		uint8_t bytes[HANDSHAKE_INIT];
	} hall[HALL];
	unsigned head, tail, in;
	bool worked; /* it has drawn a key */
} crowd;

static struct handshake_source source_of_caller(unsigned number)
{
	return (struct handshake_source){ .bytes = { (uint8_t)number,
						     (uint8_t)(number >> 8) },
					  .size = 2,
					  .host = 2 };
}

static void crowd_random(void *owner, void *bytes, size_t size)
{
	uint8_t *at = bytes;

	crowd.worked |= !owner && size == NOISE_KEY;
	while (size--) {
		crowd.seed = crowd.seed * 6364136223846793005ULL + 1;
		*at++ = (uint8_t)(crowd.seed >> 56);
	}
}

static void caller_send(void *owner, struct handshake_peer *peer,
			const struct handshake_source *to,
			const uint8_t *datagram, size_t size)
{
	struct caller *caller = owner;
	unsigned at = crowd.tail % HALL;

	(void)peer;
	(void)to;
	if (crowd.tail - crowd.head == HALL || size != HANDSHAKE_INIT)
		return;
	crowd.hall[at].at_us = crowd.now_us;
	crowd.hall[at].from = (uint16_t)(caller - crowd.callers);
	memcpy(crowd.hall[at].bytes, datagram, size);
	crowd.tail++;
}

static void caller_event(void *owner, struct handshake_peer *peer,
			 enum handshake_event event,
			 const struct handshake_source *from)
{
	struct caller *caller = owner;

	(void)peer;
	(void)from;
	crowd.in += event == HANDSHAKE_ESTABLISHED && !caller->in;
	caller->in |= event == HANDSHAKE_ESTABLISHED;
}

static void server_send(void *owner, struct handshake_peer *peer,
			const struct handshake_source *to,
			const uint8_t *datagram, size_t size)
{
	unsigned number = to->bytes[0] | to->bytes[1] << 8;
	const struct handshake_source from = source_of_caller(CROWD);

	(void)owner;
	(void)peer;
	handshake_input(crowd.callers[number].handshake, datagram, size, &from,
			crowd.now_us);
}

static const struct handshake_ops caller_ops = { caller_send, caller_event,
						 crowd_random, NULL, NULL };
static const struct handshake_ops server_ops = { server_send, NULL,
						 crowd_random, NULL, NULL };

static void crowd_call(void)
{
	uint8_t secret[NOISE_KEY] = { 8 };

	crowd = (struct crowd){ .now_us = 1000 * SECOND, .seed = 1 };
	noise_clamp(secret);
	crowd.server = handshake_new(secret, &server_ops, NULL);
	for (unsigned i = 0; i < CROWD; i++) {
		struct caller *caller = &crowd.callers[i];

		secret[1] = (uint8_t)(i + 1);
		secret[2] = (uint8_t)((i + 1) >> 8);
		caller->handshake = handshake_new(secret, &caller_ops, caller);
		caller->peer = handshake_add(caller->handshake,
					     handshake_public(crowd.server),
					     NULL, NULL);
		CU_ASSERT_PTR_NOT_NULL_FATAL(handshake_add(
			crowd.server, handshake_public(caller->handshake), NULL,
			NULL));
		handshake_start(caller->handshake, caller->peer, crowd.now_us);
	}
}

/* As hub_receive.c does. Returns how long it took. */
static uint64_t serve_one(void)
{
	unsigned at = crowd.head % HALL;
	struct handshake_source from;

	if (crowd.head == crowd.tail)
		return MS;
	crowd.head++;
	if (crowd.now_us - crowd.hall[at].at_us > HANDSHAKE_LATE_US)
		return GLANCE_US / 10;
	crowd.worked = false;
	from = source_of_caller(crowd.hall[at].from);
	handshake_input(crowd.server, crowd.hall[at].bytes, HANDSHAKE_INIT,
			&from, crowd.now_us);
	return crowd.worked ? WORK_US : GLANCE_US;
}

TEST(handshake, of_more_than_can_be_answered_as_many_are_as_of_few)
{
	uint64_t begun, looked = 0;

	crowd_call();
	begun = crowd.now_us;
	while (crowd.in < CROWD && crowd.now_us < begun + 60 * SECOND) {
		crowd.now_us += serve_one();
		if (crowd.now_us - looked < MS)
			continue;
		looked = crowd.now_us;
		for (unsigned i = 0; i < CROWD; i++)
			handshake_timer(crowd.callers[i].handshake,
					crowd.now_us);
	}
	CU_ASSERT_EQUAL(crowd.in, CROWD);
	/* As if each had been worked on once, and half of that for the rest. */
	CU_ASSERT((crowd.now_us - begun) / (CROWD * WORK_US / 100) <= 150);
	for (unsigned i = 0; i < CROWD; i++)
		handshake_free(crowd.callers[i].handshake);
	handshake_free(crowd.server);
}

/* --- strangers -------------------------------------------------------------
 */

/* 2 calls 1 with the n-th of many keys, from an address of its own. */
static struct waiting knock(struct net *net, uint8_t n, uint8_t address)
{
	struct waiting init;

	end_start(&net->ends[2], 40);
	handshake_free(net->ends[2].handshake);
	net->ends[2].handshake =
		handshake_new((uint8_t[NOISE_KEY]){ 40, n, [31] = 64 },
			      &net_ops, &net->ends[2]);
	meet(&net->ends[2], &net->ends[1], NULL);
	handshake_start(net->ends[2].handshake, net->ends[2].peer, net->now_us);
	init = take(net);
	init.from = address;
	return init;
}

static size_t strangers(const struct net *net,
			struct handshake_stranger all[HANDSHAKE_STRANGERS])
{
	return handshake_strangers(net->ends[1].handshake, net->now_us, all);
}

TEST(handshake,
     a_stranger_that_has_proven_his_key_is_remembered_until_he_is_none)
{
	struct handshake_stranger all[HANDSHAKE_STRANGERS];
	struct waiting init;
	struct net net;

	net_open(&net);
	init = knock(&net, 1, 7);
	CU_ASSERT_EQUAL(give(&net, &init), REFUSED_STRANGER);
	CU_ASSERT_EQUAL(net.count, 0); /* he is told nothing */
	CU_ASSERT_EQUAL(strangers(&net, all), 1);
	CU_ASSERT(!memcmp(all[0].key, handshake_public(net.ends[2].handshake),
			  NOISE_KEY));
	CU_ASSERT_EQUAL(all[0].from.bytes[0], 7);
	CU_ASSERT_EQUAL(all[0].at_us, net.now_us);
	net.now_us += 3500 * SECOND;
	CU_ASSERT_EQUAL(strangers(&net, all), 1);
	net.now_us += 101 * SECOND;
	CU_ASSERT_EQUAL(strangers(&net, all), 0);
	init = knock(&net, 1, 7);
	give(&net, &init);
	CU_ASSERT_EQUAL(strangers(&net, all), 1);
	CU_ASSERT_PTR_NOT_NULL(
		handshake_add(net.ends[1].handshake, all[0].key, NULL, NULL));
	CU_ASSERT_EQUAL(strangers(&net, all), 0);
	net_close(&net);
}

TEST(handshake, who_shows_a_key_that_he_has_not_is_nobody)
{
	struct handshake_stranger all[HANDSHAKE_STRANGERS];
	struct waiting init;
	struct net net;

	net_open(&net);
	init = knock(&net, 1, 7);
	/* The payload is sealed by what only he can work out. */
	init.bytes[100] ^= 1;
	mac_again(&net.ends[1], init.bytes, HANDSHAKE_INIT);
	CU_ASSERT_EQUAL(give(&net, &init), REFUSED_STRANGER);
	CU_ASSERT_EQUAL(strangers(&net, all), 0);
	/* Who does not even know our key comes to no list either. */
	init.bytes[100] ^= 1;
	init.bytes[190] ^= 1;
	CU_ASSERT_EQUAL(give(&net, &init), REFUSED_MAC);
	CU_ASSERT_EQUAL(strangers(&net, all), 0);
	net_close(&net);
}

TEST(handshake, many_strangers_are_the_last_eight_and_two_of_a_host)
{
	struct handshake_stranger all[HANDSHAKE_STRANGERS];
	struct waiting init;
	struct net net;

	net_open(&net);
	init = knock(&net, 1, 100);
	give(&net, &init);
	for (uint8_t i = 2; i < 30; i++) {
		net.now_us += SECOND;
		init = knock(&net, i, 7);
		give(&net, &init);
	}
	CU_ASSERT_EQUAL(strangers(&net, all), 3);
	CU_ASSERT_EQUAL(all[0].from.bytes[0], 7);
	CU_ASSERT_EQUAL(all[0].at_us, net.now_us);
	CU_ASSERT_EQUAL(all[1].at_us, net.now_us - SECOND);
	CU_ASSERT_EQUAL(all[2].from.bytes[0], 100);
	for (uint8_t i = 30; i < 50; i++) {
		net.now_us += SECOND;
		init = knock(&net, i, i);
		give(&net, &init);
	}
	CU_ASSERT_EQUAL(strangers(&net, all), HANDSHAKE_STRANGERS);
	for (uint8_t i = 0; i < HANDSHAKE_STRANGERS; i++)
		CU_ASSERT_EQUAL(all[i].from.bytes[0], 49 - i);
	/* Faster than five a second nobody gets in. */
	for (uint8_t i = 50; i < 100; i++) {
		init = knock(&net, i, i);
		give(&net, &init);
	}
	CU_ASSERT_EQUAL(strangers(&net, all), HANDSHAKE_STRANGERS);
	CU_ASSERT_EQUAL(all[0].at_us, net.now_us);
	CU_ASSERT(all[0].from.bytes[0] < 62);
	net_close(&net);
}

/* --- versions --------------------------------------------------------------
 */

static void agree(uint8_t oldest0, uint8_t newest0, uint8_t oldest1,
		  uint8_t newest1, uint8_t version)
{
	struct net net;

	for (int from = 0; from < 2; from++) {
		net_open(&net);
		handshake_versions(net.ends[0].handshake, oldest0, newest0);
		handshake_versions(net.ends[1].handshake, oldest1, newest1);
		call(&net, from);
		carry(&net);
		CU_ASSERT_EQUAL(talk(&net, from, !from), REFUSED_NOT);
		for (int i = 0; i < 2; i++)
			CU_ASSERT_EQUAL(handshake_version(net.ends[i].peer),
					version);
		net_close(&net);
	}
}

TEST(handshake, ends_of_several_versions_use_the_highest_that_both_have)
{
	agree(1, 1, 1, 2, 1);
	agree(1, 3, 2, 4, 3);
	agree(2, 2, 1, 255, 2);
}

TEST(handshake,
     without_a_version_in_common_both_ends_say_which_is_to_be_updated)
{
	struct net net;

	for (int from = 0; from < 2; from++) {
		net_open(&net);
		handshake_versions(net.ends[0].handshake, 2, 3);
		call(&net, from);
		carry(&net);
		ASSERT_TEXT(handshake_error(net.ends[0].peer),
			    "the peer speaks version 1 of the tunnel's "
			    "protocol, this end versions 2 to 3: update "
			    "tressed at the peer's end");
		ASSERT_TEXT(handshake_error(net.ends[1].peer),
			    "the peer speaks versions 2 to 3 of the tunnel's "
			    "protocol, this end version 1: update tressed at "
			    "this end");
		for (int i = 0; i < 2; i++) {
			CU_ASSERT_EQUAL(refused(&net, i, REFUSED_VERSION), 1);
			CU_ASSERT_PTR_NULL(handshake_session(net.ends[i].peer));
		}
		/* Updated, they find each other. */
		handshake_versions(net.ends[0].handshake, 1, 3);
		pass(&net, 20 * SECOND);
		CU_ASSERT_EQUAL(talk(&net, from, !from), REFUSED_NOT);
		CU_ASSERT_PTR_NULL(handshake_error(net.ends[0].peer));
		CU_ASSERT_PTR_NULL(handshake_error(net.ends[1].peer));
		net_close(&net);
	}
}

TEST(handshake, a_recording_of_another_version_is_no_news_of_the_peer)
{
	struct waiting init, answer;
	struct net net;

	net_open(&net);
	handshake_versions(net.ends[0].handshake, 2, 2);
	call(&net, 0);
	init = take(&net);
	handshake_versions(net.ends[0].handshake, 1, 2);
	pass(&net, 10 * SECOND);
	connect_ends(&net);
	init.from = 2;
	CU_ASSERT_EQUAL(give(&net, &init), REFUSED_OLD);
	/* Of a start that is not known here, too. */
	end_start(&net.ends[1], 16);
	meet(&net.ends[1], &net.ends[0], NULL);
	CU_ASSERT_EQUAL(give(&net, &init), REFUSED_COOKIE);
	answer = take(&net);
	CU_ASSERT_EQUAL(answer.size, HANDSHAKE_COOKIE);
	CU_ASSERT_EQUAL(net.count, 0);
	CU_ASSERT_PTR_NULL(handshake_error(net.ends[1].peer));
	net_close(&net);
}

/* An init of version 2, authentic, with more in its payload than ours have. */
static void make_longer(struct net *net, struct waiting *init, size_t more)
{
	uint8_t secret[NOISE_KEY] = { 8 }, ephemeral[NOISE_KEY] = { 64 };
	uint8_t prologue[15 + 8] = "Tresse tunnel 1", psk[NOISE_KEY] = { 0 };
	uint8_t payload[1400] = {
		1, 2, [4] = AEAD_CHACHA20POLY1305, [16] = 9, [32] = 1, [76] = 7
	};
	struct noise_setup setup = {
		.protocol = noise_ours,
		.initiator = true,
		.prologue = prologue,
		.prologue_size = sizeof(prologue),
		.secret = secret,
		.public = handshake_public(net->ends[0].handshake),
		.ephemeral = ephemeral,
		.remote = handshake_public(net->ends[1].handshake),
		.psk = psk,
	};
	AUTO_NOISE noise;

	*init = (struct waiting){ .to = 1, .size = HANDSHAKE_INIT + more };
	init->bytes[0] = WIRE_INIT;
	init->bytes[1] = 2;
	wire_put24(init->bytes + 2, 7);
	noise_clamp(secret);
	noise_clamp(ephemeral);
	memcpy(prologue + 15, init->bytes, 8);
	noise_init(&noise, &setup);
	CU_ASSERT(noise_write(&noise, payload, 80 + more, init->bytes + 8));
	mac_again(&net->ends[1], init->bytes, init->size);
}

TEST(handshake, an_init_of_a_later_version_may_say_more_and_is_read)
{
	struct waiting init, response;
	struct net net;

	for (size_t more = 0; more <= HANDSHAKE_LONGEST - HANDSHAKE_INIT;
	     more += 148) {
		net_open(&net);
		make_longer(&net, &init, more);
		CU_ASSERT_EQUAL(give(&net, &init), REFUSED_NOT);
		response = take(&net);
		CU_ASSERT_EQUAL(response.size, HANDSHAKE_RESPONSE);
		CU_ASSERT_EQUAL(response.bytes[1], 1);
		init.bytes[100] ^= 1;
		mac_again(&net.ends[1], init.bytes, init.size);
		CU_ASSERT_EQUAL(give(&net, &init), REFUSED_VERSION);
		net_close(&net);
	}
}

TEST(handshake, who_speaks_what_cannot_be_read_is_told_which_version_is_spoken)
{
	struct handshake_source from;
	struct handshake *server;
	struct waiting init;
	struct net net;

	net_open(&net);
	server = net.ends[1].handshake;
	handshake_versions(net.ends[0].handshake, 2, 2);
	CU_ASSERT_EQUAL(handshake_alien(server, net.now_us, &from), 0);
	call(&net, 0);
	init = take(&net);
	init.bytes[50] ^= 1; /* another Noise, for all we know */
	mac_again(&net.ends[1], init.bytes, init.size);
	CU_ASSERT_EQUAL(give(&net, &init), REFUSED_VERSION);
	CU_ASSERT_EQUAL(take(&net).size, HANDSHAKE_COOKIE);
	CU_ASSERT_PTR_NULL(handshake_error(net.ends[1].peer));
	CU_ASSERT_EQUAL(handshake_alien(server, net.now_us, &from), 2);
	CU_ASSERT_EQUAL(from.bytes[0], 0);
	CU_ASSERT_EQUAL(
		handshake_alien(server, net.now_us + 60 * SECOND, &from), 0);
	/* Without our public key, nobody is told. */
	init.bytes[HANDSHAKE_INIT - 20] ^= 1;
	CU_ASSERT_EQUAL(give(&net, &init), REFUSED_MAC);
	CU_ASSERT_EQUAL(net.count, 0);
	net_close(&net);
}

/* What a server of versions 4 to 5 says to an init that it cannot read. */
static void make_notice(const struct net *net, const struct waiting *init,
			struct waiting *notice)
{
	uint8_t plain[24] = { 2, 4, 5 }, key[NOISE_KEY], nonce[24] = { 3 };

	*notice = (struct waiting){ .from = 1, .size = HANDSHAKE_COOKIE };
	notice->bytes[0] = WIRE_COOKIE;
	notice->bytes[1] = 5;
	memcpy(notice->bytes + 2, init->bytes + 2, 3);
	memcpy(notice->bytes + 8, nonce, sizeof(nonce));
	noise_digest("Tresse cookie", 13,
		     handshake_public(net->ends[1].handshake), NOISE_KEY, key);
	noise_digest(key, NOISE_KEY, nonce, sizeof(nonce), key);
	noise_seal(AEAD_CHACHA20POLY1305, key, 0,
		   init->bytes + HANDSHAKE_INIT - 32, 16, plain, sizeof(plain),
		   notice->bytes + 32);
}

TEST(handshake, who_is_told_of_other_versions_says_so)
{
	struct waiting init, notice;
	struct net net;

	net_open(&net);
	call(&net, 0);
	init = take(&net);
	make_notice(&net, &init, &notice);
	notice.bytes[40] ^= 1;
	CU_ASSERT_EQUAL(give(&net, &notice), REFUSED_FORGED);
	notice.bytes[40] ^= 1;
	CU_ASSERT_EQUAL(give(&net, &notice), REFUSED_VERSION);
	ASSERT_TEXT(handshake_error(net.ends[0].peer),
		    "the peer speaks versions 4 to 5 of the tunnel's protocol, "
		    "this end version 1: update tressed at this end");
	/* It goes on calling: the peer may be changed. */
	carry(&net);
	pass(&net, 10 * SECOND);
	CU_ASSERT_EQUAL(talk(&net, 0, 1), REFUSED_NOT);
	net_close(&net);
}

TEST(handshake, a_stranger_of_another_version_hears_nothing)
{
	struct net net;
	struct waiting init;

	net_open(&net);
	meet(&net.ends[2], &net.ends[1], NULL);
	handshake_versions(net.ends[2].handshake, 2, 2);
	call(&net, 2);
	init = take(&net);
	CU_ASSERT_EQUAL(give(&net, &init), REFUSED_STRANGER);
	CU_ASSERT_EQUAL(net.count, 0);
	net_close(&net);
}

TEST(handshake, a_version_that_somebody_changed_under_way_is_none)
{
	struct net net;
	struct waiting response;

	net_open(&net);
	handshake_versions(net.ends[0].handshake, 1, 2);
	handshake_versions(net.ends[1].handshake, 1, 2);
	call(&net, 0);
	response = take(&net);
	give(&net, &response);
	response = take(&net);
	CU_ASSERT_EQUAL(response.bytes[1], 2);
	response.bytes[1] = 1;
	mac_again(&net.ends[0], response.bytes, response.size);
	CU_ASSERT_EQUAL(give(&net, &response), REFUSED_VERSION);
	CU_ASSERT_PTR_NULL(handshake_session(net.ends[0].peer));
	net_close(&net);
}

TEST(handshake, a_responder_whose_answers_are_not_taken_up_says_so)
{
	const uint8_t psk[NOISE_KEY] = { 1 };
	struct net net;

	net_open(&net);
	handshake_psk(net.ends[0].peer, psk);
	call(&net, 0);
	pass(&net, 60 * SECOND);
	CU_ASSERT(strstr(handshake_error(net.ends[0].peer), "pre-shared") !=
		  NULL);
	CU_ASSERT_PTR_NOT_NULL_FATAL(handshake_error(net.ends[1].peer));
	CU_ASSERT(strstr(handshake_error(net.ends[1].peer),
			 "does not take our answers") != NULL);
	handshake_psk(net.ends[1].peer, psk);
	pass(&net, 20 * SECOND);
	CU_ASSERT_EQUAL(talk(&net, 0, 1), REFUSED_NOT);
	CU_ASSERT_PTR_NULL(handshake_error(net.ends[0].peer));
	CU_ASSERT_PTR_NULL(handshake_error(net.ends[1].peer));
	net_close(&net);
}

TEST(handshake, a_complaint_of_long_ago_gives_way_to_silence)
{
	struct net net;

	net_open(&net);
	handshake_versions(net.ends[0].handshake, 2, 2);
	call(&net, 0);
	carry(&net);
	CU_ASSERT(strstr(handshake_error(net.ends[0].peer), "version 1") !=
		  NULL);
	pass(&net, 60 * SECOND);
	CU_ASSERT(strstr(handshake_error(net.ends[0].peer), "version 1") !=
		  NULL);
	net.cut = true;
	pass(&net, 60 * SECOND);
	CU_ASSERT(strstr(handshake_error(net.ends[0].peer), "no answer") !=
		  NULL);
	net_close(&net);
}

TEST(handshake, nothing_that_is_reflected_is_taken)
{
	struct net net;
	struct waiting init, response, back;

	net_open(&net);
	call(&net, 0);
	init = take(&net);
	back = init;
	back.to = 0;
	CU_ASSERT_EQUAL(give(&net, &back), REFUSED_MAC);
	give(&net, &init);
	response = take(&net);
	back = response;
	back.to = 1;
	CU_ASSERT_EQUAL(give(&net, &back), REFUSED_MAC);
	give(&net, &response);
	CU_ASSERT_EQUAL(talk(&net, 0, 0), REFUSED_INDEX);
	CU_ASSERT_EQUAL(talk(&net, 0, 1), REFUSED_NOT);
	net_close(&net);
}

TEST(handshake, what_has_no_session_is_counted_and_nothing_else)
{
	struct net net;
	uint8_t datagram[64] = { WIRE_TRANSPORT };
	struct handshake_source from = source_of(2);
	struct session_packet packet;
	struct session *session;
	uint64_t seed = 5;

	net_open(&net);
	connect_ends(&net);
	for (int i = 0; i < 100000; i++) {
		seed = seed * 6364136223846793005ULL + 1;
		memcpy(datagram + 1, &seed, 7);
		CU_ASSERT_NOT_EQUAL(handshake_open(net.ends[1].handshake,
						   datagram, sizeof(datagram),
						   &from, net.now_us, &session,
						   &packet),
				    REFUSED_NOT);
	}
	CU_ASSERT(refused(&net, 1, REFUSED_INDEX) > 99900);
	CU_ASSERT_EQUAL(talk(&net, 0, 1), REFUSED_NOT);
	CU_ASSERT_EQUAL(net.ends[1].source.bytes[0], 0);
	net_close(&net);
}

TEST(handshake, a_clock_that_begins_at_zero_is_as_good)
{
	struct net net;

	net_open(&net);
	net.now_us = 0;
	flood(&net);
	net.count = 0;
	connect_ends(&net);
	pass(&net, 400 * SECOND);
	CU_ASSERT_EQUAL(talk(&net, 0, 1), REFUSED_NOT);
	net_close(&net);
}

/* A server and its clients: the table of indices grows and shrinks, and every
 * session is found. */
TEST(handshake, a_thousand_clients_are_told_apart)
{
	enum { CLIENTS = 1000 };
	static struct net net;
	static struct end clients[CLIENTS];
	struct end *server = &net.ends[0];
	unsigned good = 0;

	net_open(&net);
	for (int i = 0; i < CLIENTS; i++) {
		struct end *client = &clients[i];
		uint8_t secret[NOISE_KEY] = { 0, (uint8_t)i, (uint8_t)(i >> 8),
					      1 };

		noise_clamp(secret);
		client->net = &net;
		client->address = 2;
		client->handshake = handshake_new(secret, &net_ops, client);
		meet(client, server, NULL);
		CU_ASSERT_PTR_NOT_NULL_FATAL(handshake_add(
			server->handshake, handshake_public(client->handshake),
			NULL, client));
	}
	for (int i = 0; i < CLIENTS; i++) {
		struct end *client = &clients[i];
		struct handshake_source from = source_of(2);
		struct waiting message;

		net.now_us += 10 * MS;
		handshake_start(client->handshake, client->peer, net.now_us);
		message = take(&net);
		give(&net, &message);
		message = take(&net);
		handshake_input(client->handshake, message.bytes, message.size,
				&from, net.now_us);
	}
	for (int i = 0; i < CLIENTS; i++) {
		net.ends[2].peer = clients[i].peer;
		good += talk(&net, 2, 0) == REFUSED_NOT;
		if (i % 3 == 0) {
			struct handshake_peer *peer = handshake_find(
				server->handshake,
				handshake_public(clients[i].handshake));

			CU_ASSERT_PTR_EQUAL(handshake_owner(peer), &clients[i]);
			handshake_remove(server->handshake, peer);
			CU_ASSERT_EQUAL(talk(&net, 2, 0), REFUSED_INDEX);
		}
	}
	CU_ASSERT_EQUAL(good, CLIENTS);
	for (int i = 0; i < CLIENTS; i++) {
		net.ends[2].peer = clients[i].peer;
		CU_ASSERT_EQUAL(talk(&net, 2, 0),
				i % 3 ? REFUSED_NOT : REFUSED_INDEX);
		handshake_free(clients[i].handshake);
	}
	net_close(&net);
}

/* --- a share: several handshakes, one key ----------------------------------
 */

/* A server of three parts behind the address of end 1: part 0 takes inits, part
 * 2 has the client. */
static struct handshake *owner_part;
static unsigned handed;

static bool to_owner(void *owner, const uint8_t sender[NOISE_KEY],
		     const uint8_t *init, size_t size,
		     const struct handshake_source *from)
{
	struct end *end = owner;

	if (!handshake_find(owner_part, sender))
		return false;
	handed++;
	CU_ASSERT_EQUAL(handshake_handed(owner_part, sender, init, size, from,
					 end->net->now_us),
			REFUSED_NOT);
	return true;
}

static void share_open(struct net *net)
{
	static const struct handshake_ops porter_ops = { net_send, net_event,
							 net_random, net_hello,
							 to_owner };
	struct end *server = &net->ends[1];
	uint8_t secret[NOISE_KEY] = { 16 }, root[NOISE_KEY] = { 7 };

	net_open(net);
	noise_clamp(secret);
	handshake_free(server->handshake);
	server->handshake = handshake_new(secret, &porter_ops, server);
	owner_part = handshake_new(secret, &net_ops, server);
	handshake_share(server->handshake, 0, 3, root);
	handshake_share(owner_part, 2, 3, root);
	server->peer = handshake_add(owner_part,
				     handshake_public(net->ends[0].handshake),
				     NULL, &net->ends[0]);
	handed = 0;
}

static void share_close(struct net *net)
{
	handshake_free(owner_part);
	net_close(net);
}

/* Seals at the client, and opens it at the part whose index it has. */
static enum refusal talk_to_part(struct net *net)
{
	struct handshake_source from = source_of(0);
	uint8_t datagram[WIRE_OVERHEAD] = { 0 };
	struct session_packet packet;
	struct session *session;

	CU_ASSERT_TRUE(seal(net, 0, datagram));
	CU_ASSERT_EQUAL(wire_part(wire_get24(datagram + 2), 3), 2);
	return handshake_open(owner_part, datagram, sizeof(datagram), &from,
			      net->now_us, &session, &packet);
}

TEST(handshake, of_several_parts_hands_an_init_to_the_one_that_has_the_peer)
{
	struct net net;

	share_open(&net);
	for (unsigned i = 1; i <= 20; i++) {
		call(&net, 0);
		carry(&net);
		CU_ASSERT_EQUAL(handed, i);
		CU_ASSERT_EQUAL(talk_to_part(&net), REFUSED_NOT);
		pass(&net, SECOND);
	}
	CU_ASSERT_EQUAL(refused(&net, 1, REFUSED_STRANGER), 0);
	share_close(&net);
}

TEST(handshake, of_several_parts_asks_for_cookies_once_and_all_know_them)
{
	struct net net;
	struct waiting message;

	share_open(&net);
	flood(&net);
	CU_ASSERT_EQUAL(handed, 0);
	CU_ASSERT(refused(&net, 1, REFUSED_STRANGER) >= 200);
	net.count = 0;
	call(&net, 0);
	message = take(&net);
	CU_ASSERT_EQUAL(give(&net, &message), REFUSED_COOKIE);
	CU_ASSERT_EQUAL(handed, 0);
	carry(&net); /* the cookie, and the init that brings it */
	CU_ASSERT_EQUAL(handed, 1);
	CU_ASSERT_EQUAL(talk_to_part(&net), REFUSED_NOT);
	share_close(&net);
}

TEST(handshake, of_several_parts_knows_by_the_cookie_what_is_no_recording)
{
	struct net net;

	share_open(&net);
	call(&net, 0);
	carry(&net); /* an offer that is never used */
	CU_ASSERT_EQUAL(handed, 1);
	/* Another instance of the client. Its init could be a recording, but
	 * for the cookie inside, which the porter has given. */
	end_start(&net.ends[0], 8);
	meet(&net.ends[0], &net.ends[1], NULL);
	flood(&net);
	net.count = 0;
	call(&net, 0);
	carry(&net);
	CU_ASSERT_EQUAL(handed, 2);
	CU_ASSERT_EQUAL(talk_to_part(&net), REFUSED_NOT);
	share_close(&net);
}
