/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/engine/handshake.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/random.h>

#include "backends/engine/gate.h"
#include "backends/engine/wire.h"
#include "model/base/mem.h"

#define NEVER	  UINT64_MAX
#define SECOND_US 1000000ULL
/* An init is sent again as it is for so long, then another is made. */
#define INIT_LIFE_US (5 * SECOND_US)
/* The place of an unproven init is kept for it so long. */
#define OFFER_LIFE_US (5 * SECOND_US)
/* Sessions made within this of each other by both ends are one wish. */
#define TOGETHER_US (5 * SECOND_US)
/* A cookie that came is used for less time than it is good. */
#define COOKIE_USE_US (GATE_COOKIE_US - 5 * SECOND_US)
#define COOKIE_GAP_US 100000 /* between inits that cookies brought about */
#define START_GAP_US  250000 /* between inits that the owner asked for */
/* Between inits to who has said no: what was the matter may have been mended.
 */
#define DECLINED_US (5 * SECOND_US)
/* So long it is told that somebody calls in a version that cannot be read, or
 * that two hosts have one key. */
#define ALIEN_LIFE_US (60 * SECOND_US)
#define TWINS_LIFE_US (60 * SECOND_US)
/* Inits whose key is no peer's are told of for an hour. */
#define STRANGER_LIFE_US (3600 * SECOND_US)

enum {
	/* Offsets, common to init and response */
	AT_VERSION = 1,
	AT_INDEX = 2,
	AT_RECEIVER = 5, /* of a response */
	AT_NOISE = 8,
	CLEAR = 8, /* bytes in front of the Noise message */
	MACS = 2 * NOISE_MAC,
	/* The cookie message */
	AT_NONCE = 8,
	NONCE = 24,
	AT_SEALED = AT_NONCE + NONCE,
	NOTICE = 24, /* sealed in it */
	PAYLOAD = 80,
	CIPHERS = 4, /* in a payload */
	BUCKETS = 1024,
	LATELY = 4096,
	STRANGER_RATE = 5, /* of them are looked at a second */
	STRANGER_BURST = 10,
	STRANGERS_OF_HOST = 2,
	SHORTEST_INIT = CLEAR + MACS, /* of any version */
	LONGEST_INIT = HANDSHAKE_LONGEST,
	DECLINES = 1,	   /* the version of a response that does */
	IN_VAIN = 3,	   /* so are answers that are not taken up */
	NO_ANSWER = 5,	   /* inits without an answer are worth a sentence */
	PACKETS_A_US = 64, /* of one peer, at most */
};

/* What a cookie message brings. */
enum notice { NOTICE_COOKIE = 1, NOTICE_VERSION = 2 };

/* Why a response is none. */
enum declined { DECLINED_NOT, DECLINED_VERSION, DECLINED_CIPHER };

struct payload {
	uint8_t oldest, newest, declined;
	uint8_t ciphers[CIPHERS]; /* enum aead_cipher, best first, then 0 */
	struct handshake_hello hello;
	uint64_t era;	 /* to go on with; 0: a new one */
	uint64_t number; /* inits this instance has made for the peer */
	uint8_t cookie[NOISE_MAC];
	uint32_t index;
};

/* Our init, while an answer may come. */
struct init {
	bool open;
	struct noise noise;
	uint8_t bytes[HANDSHAKE_INIT];
	uint32_t index;
	uint64_t made_us, sent_us, era;
};

/* Their init that was answered; its session is the peer's next. */
struct offer {
	uint64_t number, since_us;
	struct handshake_hello hello;
	bool proven; /* known not to be a recording */
	uint8_t response[HANDSHAKE_RESPONSE];
	uint8_t mac1[NOISE_MAC]; /* of the init; kept when it is none any more
				  */
};

struct handshake_peer {
	struct handshake *handshake;
	LIST_ENTRY(handshake_peer) bucket, each;
	void *owner; /* borrowed */
	uint8_t key[NOISE_KEY], psk[NOISE_KEY];
	uint8_t mac_key[NOISE_KEY]; /* of the mac1 they expect */
	uint8_t shared[NOISE_KEY];  /* by both static keys */

	bool calls;	  /* it is us who keep the session up */
	bool declined;	  /* they have said no */
	unsigned attempt; /* inits without an answer */
	uint64_t send_us; /* when the next is due */
	uint64_t number;  /* inits made for this peer */
	struct init init;
	bool cookies; /* one came */
	uint8_t cookie[NOISE_MAC];
	uint64_t cookie_us;	   /* when */
	uint64_t cookie_answer_us; /* when an init was last made for one */

	/* Theirs, proven: the instance and its highest init. */
	uint64_t instance, seen;
	/* The instance before, where both were last heard from, and when one
	 * came back after the other had taken its place; 0: never. */
	uint64_t before, twins_us;
	struct handshake_source from, before_from;
	struct offer offer;
	struct handshake_hello hello;
	bool heard;

	/* next: until they show that they have it. lapsed: without keys, for
	 * its era. Owned, all four. */
	struct session *current, *previous, *next, *lapsed;
	uint8_t version;     /* agreed on for the next session, or in use */
	unsigned vain;	     /* answers of ours that were not taken up */
	unsigned complained; /* the attempt at which there was reason to */
	char error[160];
};

/* Who has an index: a session, or a peer with its init. Both NULL: free. */
struct slot {
	uint32_t index;
	struct session *session;
	struct handshake_peer *peer;
};

/* An init that was read not long ago. */
struct lately {
	uint8_t mac1[NOISE_MAC], sender[NOISE_KEY];
};

struct handshake {
	const struct handshake_ops *ops;
	void *owner;
	uint8_t secret[NOISE_KEY], public[NOISE_KEY];
	uint8_t mac_key[NOISE_KEY]; /* of the mac1 we expect */
	uint8_t ciphers[CIPHERS];
	uint8_t oldest, newest; /* versions */
	uint64_t instance;
	struct refusals refusals;
	LIST_HEAD(, handshake_peer) peers[BUCKETS], all;
	uint64_t due_us;

	struct slot *slots; /* open addressing; the index is the hash */
	size_t room, used;  /* room is a power of two */

	unsigned part, parts; /* of a share; 0 of 1: there is none */

	struct gate gate;
	struct lately *lately; /* owned, LATELY, by mac1; NULL: none was read */

	struct handshake_stranger strangers[HANDSHAKE_STRANGERS];
	uint64_t strangers_us; /* when the next may be looked at */

	/* The last init that could not be read for its version; 0: none. */
	uint8_t alien;
	uint64_t alien_us;
	struct handshake_source alien_from;
};

static const char prologue_label[] = "Tresse tunnel 1";

static void draw(const struct handshake *handshake, void *bytes, size_t size)
{
	uint8_t *at = bytes;

	if (handshake->ops->random) {
		handshake->ops->random(handshake->owner, bytes, size);
		return;
	}
	while (size) {
		ssize_t got = getrandom(at, size, 0);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			abort(); /* no keys without randomness */
		at += got;
		size -= (size_t)got;
	}
}

static void payload_put(uint8_t p[PAYLOAD], const struct payload *payload)
{
	const struct handshake_hello *hello = &payload->hello;

	memset(p, 0, PAYLOAD);
	p[0] = payload->oldest;
	p[1] = payload->newest;
	p[2] = payload->declined;
	p[3] = hello->lanes;
	memcpy(p + 4, payload->ciphers, CIPHERS);
	p[8] = (uint8_t)hello->mtu;
	p[9] = (uint8_t)(hello->mtu >> 8);
	p[10] = hello->ip4_prefix;
	p[11] = hello->ip6_prefix;
	wire_put32(p + 12, hello->features);
	wire_put64(p + 16, hello->instance);
	wire_put64(p + 24, payload->era);
	wire_put64(p + 32, payload->number);
	memcpy(p + 40, hello->ip4, sizeof(hello->ip4));
	memcpy(p + 44, hello->ip6, sizeof(hello->ip6));
	memcpy(p + 60, payload->cookie, NOISE_MAC);
	wire_put24(p + 76, payload->index);
}

/* What is authentic may still be nonsense: an impossible prefix is none. */
static void payload_get(const uint8_t p[PAYLOAD], struct payload *payload)
{
	struct handshake_hello *hello = &payload->hello;

	payload->oldest = p[0];
	payload->newest = p[1];
	payload->declined = p[2];
	hello->lanes = p[3];
	memcpy(payload->ciphers, p + 4, CIPHERS);
	hello->mtu = (uint16_t)(p[8] | p[9] << 8);
	hello->ip4_prefix = p[10] <= 32 ? p[10] : HANDSHAKE_NO_PREFIX;
	hello->ip6_prefix = p[11] <= 128 ? p[11] : HANDSHAKE_NO_PREFIX;
	hello->features = wire_get32(p + 12);
	hello->instance = wire_get64(p + 16);
	payload->era = wire_get64(p + 24);
	payload->number = wire_get64(p + 32);
	memcpy(hello->ip4, p + 40, sizeof(hello->ip4));
	memcpy(hello->ip6, p + 44, sizeof(hello->ip6));
	memcpy(payload->cookie, p + 60, NOISE_MAC);
	payload->index = wire_get24(p + 76);
}

/* Keys derived from a public one: whoever knows it can make them. */
static void label_key(const char *label, const uint8_t public[NOISE_KEY],
		      uint8_t out[NOISE_KEY])
{
	noise_digest(label, strlen(label), public, NOISE_KEY, out);
}

/*
 * The table of indices.
 */
/* Where an index would like to be: its low bits tell only whose it is. */
static size_t slot_home(const struct handshake *handshake, uint32_t index)
{
	return (index * 0x9e3779b1U >> 8) & (handshake->room - 1);
}

static struct slot *slot_at(const struct handshake *handshake, uint32_t index)
{
	size_t mask = handshake->room - 1, i = slot_home(handshake, index);

	while (handshake->slots[i].session || handshake->slots[i].peer) {
		if (handshake->slots[i].index == index)
			break;
		i = (i + 1) & mask;
	}
	return &handshake->slots[i];
}

static bool slot_free(const struct slot *slot)
{
	return !slot->session && !slot->peer;
}

static void slots_grow(struct handshake *handshake)
{
	struct slot *old = handshake->slots;
	size_t count = handshake->room;

	handshake->room = count ? 2 * count : 16;
	handshake->slots = mem_array(handshake->room, sizeof(*old));
	for (size_t i = 0; i < count; i++)
		if (!slot_free(&old[i]))
			*slot_at(handshake, old[i].index) = old[i];
	free(old);
}

/* A random index nobody has, and its place, which is then to be filled. */
static struct slot *slot_take(struct handshake *handshake)
{
	struct slot *slot;
	uint32_t index;

	if (2 * (handshake->used + 1) > handshake->room)
		slots_grow(handshake);
	do {
		draw(handshake, &index, sizeof(index));
		index &= (1U << WIRE_INDEX_BITS) - 1;
		slot = slot_at(handshake, index);
	} while (!slot_free(slot) ||
		 wire_part(index, handshake->parts) != handshake->part);
	slot->index = index;
	handshake->used++;
	return slot;
}

/* Empties the place; what had been pushed past it moves up. */
static void slot_release(struct handshake *handshake, uint32_t index)
{
	size_t mask = handshake->room - 1, hole, i;
	struct slot *slot = slot_at(handshake, index);

	if (slot_free(slot))
		return;
	hole = (size_t)(slot - handshake->slots);
	handshake->used--;
	for (i = (hole + 1) & mask; !slot_free(&handshake->slots[i]);
	     i = (i + 1) & mask) {
		size_t home = slot_home(handshake, handshake->slots[i].index);

		/* Is its home outside of (hole, i], going round? */
		if (((i - home) & mask) >= ((i - hole) & mask)) {
			handshake->slots[hole] = handshake->slots[i];
			hole = i;
		}
	}
	handshake->slots[hole] = (struct slot){ 0 };
}

struct session *handshake_lookup(const struct handshake *handshake,
				 uint32_t index)
{
	return handshake->room ? slot_at(handshake, index)->session : NULL;
}

/* Whose init has this index; NULL: nobody's. */
static struct handshake_peer *find_caller(const struct handshake *handshake,
					  uint32_t index)
{
	return handshake->room ? slot_at(handshake, index)->peer : NULL;
}

static void drop_session(struct handshake *handshake, struct session **session)
{
	if (!*session)
		return;
	slot_release(handshake, session_index(*session));
	session_free(TAKE(*session));
}

/* Keeps the era, without keys or index. */
static void lapse_session(struct handshake_peer *peer, struct session **session)
{
	slot_release(peer->handshake, session_index(*session));
	session_retire(*session);
	session_free(peer->lapsed);
	peer->lapsed = TAKE(*session);
}

static void close_init(struct handshake_peer *peer)
{
	if (!peer->init.open)
		return;
	slot_release(peer->handshake, peer->init.index);
	noise_clear(&peer->init.noise);
	peer->init.open = false;
}

/*
 * What the owner is told.
 */
static void tell(struct handshake_peer *peer, enum handshake_event event,
		 const struct handshake_source *from)
{
	struct handshake *handshake = peer->handshake;

	if (handshake->ops->event)
		handshake->ops->event(handshake->owner, peer, event, from);
}

/* The same sentence is told once. */
static void __attribute__((format(printf, 2, 3)))
complain(struct handshake_peer *peer, const char *format, ...)
{
	char error[sizeof(peer->error)];
	va_list args;

	va_start(args, format);
	vsnprintf(error, sizeof(error), format, args);
	va_end(args);
	peer->complained = peer->attempt;
	if (!strcmp(error, peer->error))
		return;
	memcpy(peer->error, error, sizeof(error));
	tell(peer, HANDSHAKE_FAILED, NULL);
}

/* "version 2", "versions 1 to 2" */
static void put_versions(char text[32], uint8_t oldest, uint8_t newest)
{
	if (oldest == newest)
		snprintf(text, 32, "version %u", newest);
	else
		snprintf(text, 32, "versions %u to %u", oldest, newest);
}

/* There is none in common. */
static void complain_of_version(struct handshake_peer *peer, uint8_t oldest,
				uint8_t newest)
{
	const struct handshake *handshake = peer->handshake;
	char theirs[32], ours[32];

	put_versions(theirs, oldest, newest);
	put_versions(ours, handshake->oldest, handshake->newest);
	complain(peer,
		 "the peer speaks %s of the tunnel's protocol, this end %s: "
		 "update tressed at %s",
		 theirs, ours,
		 newest < handshake->oldest ? "the peer's end" : "this end");
}

/* The highest version that both have; 0: none. */
static uint8_t common_version(const struct handshake *handshake, uint8_t oldest,
			      uint8_t newest)
{
	uint8_t high = newest < handshake->newest ? newest : handshake->newest;

	return high >= oldest && high >= handshake->oldest ? high : 0;
}

static void hello_to(const struct handshake_peer *peer,
		     struct handshake_hello *hello)
{
	struct handshake *handshake = peer->handshake;

	*hello = (struct handshake_hello)HANDSHAKE_HELLO_NONE;
	if (handshake->ops->hello)
		handshake->ops->hello(handshake->owner, peer, hello);
	hello->instance = handshake->instance;
}

static void due(struct handshake *handshake, uint64_t at_us)
{
	if (at_us < handshake->due_us)
		handshake->due_us = at_us;
}

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t renew_us(const struct session *session)
{
	return session_since(session) + (session_initiator(session)
						 ? SESSION_RENEW_US
						 : SESSION_RENEW_LATER_US);
}

/* Keys are worn by time, or by packets: of these there cannot be more than so
 * many in a microsecond, so it is soon enough to look then. */
static uint64_t worn_us(const struct session *session, uint64_t now_us)
{
	return least(renew_us(session),
		     now_us + session_left(session) / PACKETS_A_US + 1);
}

static uint64_t peer_due(const struct handshake_peer *peer, uint64_t now_us)
{
	const struct session *const all[] = { peer->current, peer->previous,
					      peer->next };
	uint64_t at = peer->send_us;

	/* To the next second: of many peers all are looked at each time, and
	 * what is too old neither seals nor opens anyway. */
	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		if (all[i])
			at = least(at, (session_since(all[i]) +
					SESSION_LIFE_US + SECOND_US - 1) /
					       SECOND_US * SECOND_US);
	if (peer->calls && peer->current && peer->send_us == NEVER)
		at = least(at, worn_us(peer->current, now_us));
	return at;
}

static void put_mac1(const uint8_t key[NOISE_KEY], uint8_t *message,
		     size_t size)
{
	noise_mac(key, message, size - MACS, NULL, 0, message + size - MACS);
}

static bool has_mac1(const struct handshake *handshake, const uint8_t *message,
		     size_t size)
{
	uint8_t mac[NOISE_MAC];

	noise_mac(handshake->mac_key, message, size - MACS, NULL, 0, mac);
	return !CRYPTO_memcmp(mac, message + size - MACS, NOISE_MAC);
}

/*
 * Eras: sessions of the same one share the numbers of their lanes.
 */
/* The one that goes on if the other end wishes it too. NULL: none. */
static struct session *era_holder(const struct handshake_peer *peer)
{
	struct session *session = peer->current ? peer->current : peer->lapsed;

	return session && !session_era_worn(session) ? session : NULL;
}

static uint64_t era_offered(const struct handshake_peer *peer)
{
	const struct session *session = era_holder(peer);

	return session ? session_era_name(session) : 0;
}

/* The era that both ends have agreed to go on with. */
static struct session *find_era(const struct handshake_peer *peer, uint64_t era)
{
	struct session *const all[] = { peer->current, peer->previous,
					peer->next, peer->lapsed };

	for (size_t i = 0; era && i < ARRAY_SIZE(all); i++)
		if (all[i] && session_era_name(all[i]) == era)
			return all[i];
	return NULL;
}

/* The state before the first message, for either side of it. clear is the
 * init's header. */
static void begin_noise(struct handshake *handshake, struct noise *noise,
			const struct handshake_peer *initiate,
			const uint8_t clear[CLEAR])
{
	uint8_t prologue[sizeof(prologue_label) - 1 + CLEAR];
	uint8_t ephemeral[NOISE_KEY];
	struct noise_setup setup = { .protocol = noise_ours,
				     .initiator = initiate != NULL,
				     .prologue = prologue,
				     .prologue_size = sizeof(prologue),
				     .secret = handshake->secret,
				     .public = handshake->public,
				     .ephemeral = ephemeral,
				     .remote = initiate ? initiate->key : NULL,
				     .psk = initiate ? initiate->psk : NULL };

	memcpy(prologue, prologue_label, sizeof(prologue_label) - 1);
	memcpy(prologue + sizeof(prologue_label) - 1, clear, CLEAR);
	draw(handshake, ephemeral, sizeof(ephemeral));
	noise_clamp(ephemeral);
	noise_init(noise, &setup);
	if (initiate)
		noise_shared(noise, initiate->shared);
	OPENSSL_cleanse(ephemeral, sizeof(ephemeral));
}

/*
 * We call.
 */
static bool has_cookie(const struct handshake_peer *peer, uint64_t now_us)
{
	return peer->cookies && now_us - peer->cookie_us < COOKIE_USE_US;
}

static void make_init(struct handshake_peer *peer, uint64_t now_us)
{
	struct handshake *handshake = peer->handshake;
	struct init *init = &peer->init;
	struct payload payload = { .oldest = handshake->oldest,
				   .newest = handshake->newest,
				   .number = ++peer->number };
	uint8_t plain[PAYLOAD];
	struct slot *slot;

	close_init(peer);
	slot = slot_take(handshake);
	slot->peer = peer;
	init->index = payload.index = slot->index;
	init->era = payload.era = era_offered(peer);
	init->made_us = now_us;
	hello_to(peer, &payload.hello);
	memcpy(payload.ciphers, handshake->ciphers, CIPHERS);
	if (has_cookie(peer, now_us))
		memcpy(payload.cookie, peer->cookie, NOISE_MAC);
	payload_put(plain, &payload);

	memset(init->bytes, 0, sizeof(init->bytes));
	init->bytes[0] = WIRE_INIT;
	init->bytes[AT_VERSION] = handshake->newest;
	wire_put24(init->bytes + AT_INDEX, init->index);
	begin_noise(handshake, &init->noise, peer, init->bytes);
	init->open = true;
	if (!noise_write(&init->noise, plain, PAYLOAD, init->bytes + AT_NOISE))
		close_init(peer); /* of small order: handshake_add() refused */
	put_mac1(peer->mac_key, init->bytes, HANDSHAKE_INIT);
}

/* After n inits without an answer: how long to the next. Less than a second
 * at most, so that who was away for an hour is back at once. */
static uint64_t retry_us(const struct handshake_peer *peer, unsigned n)
{
	static const unsigned ms[] = { 250, 500, 700 };
	uint64_t us = 1000ULL * ms[n < ARRAY_SIZE(ms) ? n : ARRAY_SIZE(ms) - 1];
	uint16_t dice;

	if (peer->declined)
		us = DECLINED_US;
	draw(peer->handshake, &dice, sizeof(dice));
	return us * 2 / 3 + (us * 2 / 3 * dice >> 16);
}

/* to: where a cookie came from; NULL: wherever the peer may be. */
static void send_init(struct handshake_peer *peer,
		      const struct handshake_source *to, uint64_t now_us)
{
	struct handshake *handshake = peer->handshake;
	struct init *init = &peer->init;

	if (!init->open || now_us - init->made_us >= INIT_LIFE_US)
		make_init(peer, now_us);
	if (has_cookie(peer, now_us))
		gate_mac(peer->cookie, init->bytes, HANDSHAKE_INIT,
			 init->bytes + HANDSHAKE_INIT - NOISE_MAC);
	init->sent_us = now_us;
	peer->send_us = now_us + retry_us(peer, peer->attempt++);
	due(handshake, peer->send_us);
	/* What was the matter so long ago may have been mended. */
	if (peer->attempt >= NO_ANSWER &&
	    (!peer->error[0] || peer->attempt - peer->complained >= NO_ANSWER))
		complain(peer, "no answer from the peer: are peer= and "
			       "peer-key= its address and public key, does "
			       "tressed run there, and has it a peer with our "
			       "public-key?");
	handshake->ops->send(handshake->owner, peer, to, init->bytes,
			     HANDSHAKE_INIT);
}

void handshake_start(struct handshake *handshake, struct handshake_peer *peer,
		     uint64_t now_us)
{
	(void)handshake;
	peer->calls = true;
	if (peer->init.open && now_us - peer->init.sent_us < START_GAP_US)
		return;
	peer->attempt = 0;
	peer->declined = false;
	send_init(peer, NULL, now_us);
}

bool handshake_is_calling(const struct handshake_peer *peer)
{
	return peer->send_us != NEVER;
}

unsigned handshake_attempt(const struct handshake_peer *peer)
{
	return peer->attempt;
}

/* There are keys: no more inits until they are worn. */
static void answered(struct handshake_peer *peer)
{
	peer->attempt = 0;
	peer->declined = false;
	peer->vain = 0;
	peer->send_us = NEVER;
	peer->error[0] = '\0';
}

/* Both ends called at once, and there are two sessions. The one that the end
 * with the greater key began is to be used, and each end knows which that is.
 */
static bool stays(const struct handshake_peer *peer, bool same_instance,
		  const struct session *fresh)
{
	const struct session *current = peer->current;
	uint64_t apart_us =
		current ? session_since(fresh) - session_since(current) : 0;
	bool greater =
		memcmp(peer->handshake->public, peer->key, NOISE_KEY) > 0;

	return current && same_instance &&
	       session_initiator(current) != session_initiator(fresh) &&
	       (apart_us < TOGETHER_US || -apart_us < TOGETHER_US) &&
	       session_initiator(current) == greater;
}

/* Who starts anew has another instance, and nobody has an old one again but who
 * was there all the time. */
static void note_instance(struct handshake_peer *peer, uint64_t instance,
			  const struct handshake_source *from, uint64_t now_us)
{
	if (instance != peer->instance) {
		if (instance == peer->before)
			peer->twins_us = now_us;
		peer->before = peer->instance;
		peer->before_from = peer->from;
	}
	if (from)
		peer->from = *from;
}

/* fresh, which has its index already, is confirmed. */
static void adopt(struct handshake_peer *peer, struct session *fresh,
		  const struct handshake_hello *hello, uint64_t now_us,
		  const struct handshake_source *from)
{
	struct handshake *handshake = peer->handshake;
	bool stay = stays(peer, hello->instance == peer->instance, fresh);

	if (!stay)
		session_take_over(fresh,
				  peer->current ? peer->current : peer->lapsed);
	drop_session(handshake, &peer->previous);
	peer->previous = stay ? fresh : peer->current;
	if (!stay)
		peer->current = fresh;
	session_free(TAKE(peer->lapsed));
	note_instance(peer, hello->instance, from, now_us);
	peer->instance = hello->instance;
	peer->hello = *hello;
	peer->heard = true;
	answered(peer);
	due(handshake, peer_due(peer, now_us));
	if (!stay)
		tell(peer, HANDSHAKE_ESTABLISHED, from);
}

/* A session for the keys both ends have now; the noise is at its end. index
 * is the peer's so far, and becomes the session's. */
static struct session *make_session(struct handshake_peer *peer,
				    struct noise *noise,
				    const struct payload *chosen,
				    uint32_t index, uint32_t remote_index,
				    uint64_t now_us)
{
	struct slot *slot = slot_at(peer->handshake, index);
	struct session_setup setup = { .cipher = chosen->ciphers[0],
				       .index = index,
				       .remote_index = remote_index,
				       .initiator = noise->initiator,
				       .owner = peer,
				       .continues =
					       find_era(peer, chosen->era) };

	noise_split(noise, setup.send, setup.receive);
	setup.era = wire_get64(noise->hash) | 1;
	*slot = (struct slot){ index, session_new(&setup, now_us), NULL };
	OPENSSL_cleanse(&setup, sizeof(setup));
	return slot->session;
}

/* Is the cipher one that we have offered? */
static bool offered(const struct handshake *handshake, uint8_t cipher)
{
	return cipher != AEAD_NONE && cipher < AEAD_CIPHERS &&
	       memchr(handshake->ciphers, cipher, CIPHERS);
}

static enum refusal declined(struct handshake_peer *peer,
			     const struct payload *payload, uint64_t now_us)
{
	close_init(peer);
	peer->declined = true;
	peer->send_us = now_us + retry_us(peer, peer->attempt);
	if (payload->declined == DECLINED_CIPHER) {
		complain(peer, "the peer has no cipher in common with us");
		return REFUSED_CIPHER;
	}
	complain_of_version(peer, payload->oldest, payload->newest);
	return REFUSED_VERSION;
}

/* version: as the response says in clear, which anybody can have changed. What
 * is sealed decides. */
static enum refusal take_response(struct handshake_peer *peer, uint8_t version,
				  struct noise *noise, struct payload *payload,
				  const struct handshake_source *from,
				  uint64_t now_us)
{
	const struct handshake_hello *hello = &payload->hello;
	struct session *fresh;

	if (payload->declined)
		return declined(peer, payload, now_us);
	if (!version ||
	    version != common_version(peer->handshake, payload->oldest,
				      payload->newest))
		return REFUSED_VERSION;
	if (!offered(peer->handshake, payload->ciphers[0]))
		return REFUSED_CIPHER;
	if (payload->era != peer->init.era)
		payload->era = 0;
	fresh = make_session(peer, noise, payload, peer->init.index,
			     payload->index, now_us);
	noise_clear(&peer->init.noise);
	peer->init.open = false;
	if (hello->instance != peer->instance)
		peer->seen = 0;
	if (peer->seen < payload->number)
		peer->seen = payload->number;
	peer->version = version;
	adopt(peer, fresh, hello, now_us, from);
	return REFUSED_NOT;
}

static enum refusal input_response(struct handshake *handshake,
				   const uint8_t *message, size_t size,
				   const struct handshake_source *from,
				   uint64_t now_us)
{
	AUTO_NOISE noise = { .dead = true };
	struct handshake_peer *peer;
	struct payload payload;
	uint8_t plain[PAYLOAD];

	if (size != HANDSHAKE_RESPONSE)
		return REFUSED_LENGTH;
	if (!has_mac1(handshake, message, size))
		return REFUSED_MAC;
	peer = find_caller(handshake, wire_get24(message + AT_RECEIVER));
	if (!peer)
		return REFUSED_UNASKED;
	noise = peer->init.noise;
	if (!noise_read(&noise, message + AT_NOISE, size - CLEAR - MACS,
			plain)) {
		complain(peer, "the peer's answer cannot be read: is the "
			       "pre-shared key the same at both ends?");
		return REFUSED_FORGED;
	}
	payload_get(plain, &payload);
	if (payload.index != wire_get24(message + AT_INDEX) ||
	    !payload.hello.instance)
		return REFUSED_FORGED;
	return take_response(peer, message[AT_VERSION], &noise, &payload, from,
			     now_us);
}

/*
 * Cookies.
 */
/* The key of one cookie message: that of the responder, and the nonce. */
static void notice_key(const uint8_t public[NOISE_KEY],
		       const uint8_t nonce[NONCE], uint8_t out[NOISE_KEY])
{
	label_key("Tresse cookie", public, out);
	noise_digest(out, NOISE_KEY, nonce, NONCE, out);
}

/* Answers an init with mac1 by a cookie message. It is shorter than any init
 * it answers, so that nothing is won by asking in another's name. */
static void send_notice(struct handshake *handshake, enum notice kind,
			const uint8_t *message, size_t size,
			const struct handshake_source *to, uint64_t now_us)
{
	uint8_t out[HANDSHAKE_COOKIE] = { WIRE_COOKIE, handshake->newest };
	uint8_t plain[NOTICE] = { kind, handshake->oldest, handshake->newest };
	uint8_t key[NOISE_KEY];

	if (size < HANDSHAKE_COOKIE)
		return;
	if (kind == NOTICE_COOKIE)
		gate_cookie(&handshake->gate, to, now_us, plain + 8);
	memcpy(out + AT_INDEX, message + AT_INDEX, 3);
	draw(handshake, out + AT_NONCE, NONCE);
	notice_key(handshake->public, out + AT_NONCE, key);
	noise_seal(AEAD_CHACHA20POLY1305, key, 0, message + size - MACS,
		   NOISE_MAC, plain, NOTICE, out + AT_SEALED);
	handshake->ops->send(handshake->owner, NULL, to, out, sizeof(out));
}

static enum refusal input_cookie(struct handshake *handshake,
				 const uint8_t *message, size_t size,
				 const struct handshake_source *from,
				 uint64_t now_us)
{
	struct handshake_peer *peer;
	uint8_t plain[NOTICE], key[NOISE_KEY];
	const uint8_t *mac1;

	if (size != HANDSHAKE_COOKIE)
		return REFUSED_LENGTH;
	peer = find_caller(handshake, wire_get24(message + AT_INDEX));
	if (!peer)
		return REFUSED_UNASKED;
	mac1 = peer->init.bytes + HANDSHAKE_INIT - MACS;
	notice_key(peer->key, message + AT_NONCE, key);
	if (!noise_open(AEAD_CHACHA20POLY1305, key, 0, mac1, NOISE_MAC,
			message + AT_SEALED, NOTICE, plain))
		return REFUSED_FORGED;
	if (plain[0] == NOTICE_VERSION) {
		complain_of_version(peer, plain[1], plain[2]);
		return REFUSED_VERSION;
	}
	if (plain[0] != NOTICE_COOKIE)
		return REFUSED_TYPE;
	memcpy(peer->cookie, plain + 8, NOISE_MAC);
	peer->cookie_us = now_us;
	if (!peer->cookies ||
	    now_us - peer->cookie_answer_us >= COOKIE_GAP_US) {
		peer->cookies = true;
		peer->cookie_answer_us = now_us;
		close_init(peer); /* the next one brings the cookie */
		send_init(peer, from, now_us);
	}
	return REFUSED_NOT;
}

/*
 * They call.
 */

/* Is it certainly none that we, or others in our place, have had before? */
static enum refusal check_fresh(struct handshake_peer *peer,
				const struct payload *payload,
				const struct handshake_source *from,
				uint64_t now_us, bool *proven)
{
	const struct offer *offer = &peer->offer;
	uint64_t instance = payload->hello.instance;

	*proven = true;
	if (instance == peer->instance)
		return payload->number > peer->seen ? REFUSED_NOT : REFUSED_OLD;
	if (peer->next && offer->hello.instance == instance &&
	    payload->number <= offer->number)
		return REFUSED_OLD;
	*proven = gate_is_cookie(&peer->handshake->gate, from, payload->cookie,
				 now_us);
	if (*proven || !peer->next ||
	    (!offer->proven && now_us - offer->since_us >= OFFER_LIFE_US))
		return REFUSED_NOT;
	return REFUSED_COOKIE;
}

/* Ours first: the first of our ciphers that they have too. */
static enum aead_cipher choose_cipher(const struct handshake *handshake,
				      const uint8_t theirs[CIPHERS])
{
	for (int i = 0; i < CIPHERS; i++)
		if (handshake->ciphers[i] &&
		    memchr(theirs, handshake->ciphers[i], CIPHERS))
			return handshake->ciphers[i];
	return AEAD_NONE;
}

/* Can we talk? version: in which, and of the response. */
static enum refusal judge(const struct handshake_peer *peer,
			  const struct payload *theirs, struct payload *ours,
			  uint8_t *version)
{
	const struct handshake *handshake = peer->handshake;

	*version = common_version(handshake, theirs->oldest, theirs->newest);
	ours->ciphers[0] = choose_cipher(handshake, theirs->ciphers);
	ours->declined = !*version	     ? DECLINED_VERSION
			 : !ours->ciphers[0] ? DECLINED_CIPHER
					     : DECLINED_NOT;
	if (!ours->declined)
		return REFUSED_NOT;
	*version = DECLINES;
	return ours->declined == DECLINED_VERSION ? REFUSED_VERSION
						  : REFUSED_CIPHER;
}

static bool make_response(struct handshake_peer *peer, uint8_t version,
			  struct noise *noise, const struct payload *theirs,
			  const struct payload *ours,
			  uint8_t out[HANDSHAKE_RESPONSE])
{
	uint8_t plain[PAYLOAD];

	payload_put(plain, ours);
	memset(out, 0, HANDSHAKE_RESPONSE);
	out[0] = WIRE_RESPONSE;
	out[AT_VERSION] = version;
	wire_put24(out + AT_INDEX, ours->index);
	wire_put24(out + AT_RECEIVER, theirs->index);
	if (!noise_write(noise, plain, PAYLOAD, out + AT_NOISE))
		return false;
	put_mac1(peer->mac_key, out, HANDSHAKE_RESPONSE);
	return true;
}

static void send_response(struct handshake_peer *peer, const uint8_t *response,
			  const struct handshake_source *to)
{
	peer->handshake->ops->send(peer->handshake->owner, peer, to, response,
				   HANDSHAKE_RESPONSE);
}

/* The very init our open offer answers, come once more: by another lane, or
 * because the answer was lost. */
static bool is_answered(const struct handshake_peer *peer,
			const struct payload *theirs)
{
	return peer->next &&
	       peer->offer.hello.instance == theirs->hello.instance &&
	       peer->offer.number == theirs->number &&
	       session_remote_index(peer->next) == theirs->index;
}

/* Answers, and makes the session that becomes the current one when they use
 * it. */
static enum refusal open_offer(struct handshake_peer *peer, uint8_t version,
			       struct noise *noise,
			       const struct payload *theirs,
			       struct payload *ours, uint64_t now_us)
{
	struct handshake *handshake = peer->handshake;
	struct slot *slot = slot_take(handshake);
	struct offer offer = { .number = theirs->number,
			       .since_us = now_us,
			       .hello = theirs->hello };
	struct session *fresh;

	slot->peer = peer;
	ours->index = slot->index;
	ours->era = theirs->era == era_offered(peer) ? theirs->era : 0;
	if (!make_response(peer, version, noise, theirs, ours,
			   offer.response)) {
		slot_release(handshake, ours->index);
		return REFUSED_FORGED; /* an ephemeral key of small order */
	}
	fresh = make_session(peer, noise, ours, ours->index, theirs->index,
			     now_us);
	drop_session(handshake, &peer->next);
	peer->next = fresh;
	peer->version = version;
	peer->offer = offer;
	due(handshake, peer_due(peer, now_us));
	return REFUSED_NOT;
}

static void complain_of_declined(struct handshake_peer *peer,
				 const struct payload *theirs, enum refusal why)
{
	if (why == REFUSED_VERSION)
		complain_of_version(peer, theirs->oldest, theirs->newest);
	else
		complain(peer, "the peer has no cipher in common with us");
}

/* Says no to an init: once it is certain that it is no recording, which would
 * tell of what is long past. */
static enum refusal decline(struct handshake_peer *peer, struct noise *noise,
			    const struct payload *theirs, struct payload *ours,
			    const struct handshake_source *from,
			    enum refusal why)
{
	uint8_t response[HANDSHAKE_RESPONSE];

	complain_of_declined(peer, theirs, why);
	hello_to(peer, &ours->hello);
	if (make_response(peer, DECLINES, noise, theirs, ours, response))
		send_response(peer, response, from);
	return why;
}

static enum refusal take_init(struct handshake_peer *peer, struct noise *noise,
			      const struct payload *theirs, bool proven,
			      const uint8_t mac1[NOISE_MAC],
			      const struct handshake_source *from,
			      uint64_t now_us)
{
	struct payload ours = { .oldest = peer->handshake->oldest,
				.newest = peer->handshake->newest,
				.number = peer->number };
	uint8_t version;
	enum refusal why = judge(peer, theirs, &ours, &version);

	if (why && !proven)
		return REFUSED_COOKIE;
	if (theirs->hello.instance == peer->instance)
		peer->seen = theirs->number;
	if (why)
		return decline(peer, noise, theirs, &ours, from, why);
	hello_to(peer, &ours.hello);
	why = open_offer(peer, version, noise, theirs, &ours, now_us);
	if (why)
		return why;
	peer->offer.proven = proven;
	memcpy(peer->offer.mac1, mac1, NOISE_MAC);
	if (++peer->vain > IN_VAIN && !peer->current)
		complain(peer, "the peer calls and does not take our answers: "
			       "is the pre-shared key the same at both ends, "
			       "and do they reach it?");
	send_response(peer, peer->offer.response, from);
	return REFUSED_NOT;
}

/* The init is authentic; is it news? */
static enum refusal weigh_init(struct handshake_peer *peer, struct noise *noise,
			       const struct payload *theirs,
			       const uint8_t *message, size_t size,
			       const struct handshake_source *from,
			       uint64_t now_us)
{
	enum refusal why;
	bool proven;

	if (is_answered(peer, theirs)) {
		send_response(peer, peer->offer.response, from);
		return REFUSED_NOT;
	}
	why = check_fresh(peer, theirs, from, now_us, &proven);
	if (!why)
		why = take_init(peer, noise, theirs, proven,
				message + size - MACS, from, now_us);
	if (why == REFUSED_COOKIE)
		send_notice(peer->handshake, NOTICE_COOKIE, message, size, from,
			    now_us);
	return why;
}

static bool elsewhere(const struct handshake *handshake,
		      const uint8_t sender[NOISE_KEY], const uint8_t *init,
		      size_t size, const struct handshake_source *from)
{
	return handshake->ops->elsewhere &&
	       handshake->ops->elsewhere(handshake->owner, sender, init, size,
					 from);
}

static struct lately *lately_at(const struct handshake *handshake,
				const uint8_t mac1[NOISE_MAC])
{
	return &handshake->lately[wire_get32(mac1) % LATELY];
}

/* Who sent this init, if it was read lately; NULL: that is not known. */
static const uint8_t *lately_find(const struct handshake *handshake,
				  const uint8_t mac1[NOISE_MAC])
{
	const struct lately *lately;

	if (!handshake->lately)
		return NULL;
	lately = lately_at(handshake, mac1);
	return memcmp(lately->mac1, mac1, NOISE_MAC) ? NULL : lately->sender;
}

static void lately_put(struct handshake *handshake,
		       const uint8_t mac1[NOISE_MAC],
		       const uint8_t sender[NOISE_KEY])
{
	struct lately *lately;

	if (!handshake->lately)
		handshake->lately = mem_array(LATELY, sizeof(*lately));
	lately = lately_at(handshake, mac1);
	memcpy(lately->mac1, mac1, NOISE_MAC);
	memcpy(lately->sender, sender, NOISE_KEY);
}

static enum refusal read_stranger(struct handshake *handshake,
				  const uint8_t sender[NOISE_KEY],
				  const uint8_t *message, size_t size,
				  const struct handshake_source *from)
{
	return elsewhere(handshake, sender, message, size, from)
		       ? REFUSED_NOT
		       : REFUSED_STRANGER;
}

static bool same_host(const struct handshake_source *a,
		      const struct handshake_source *b)
{
	return a->host == b->host && !memcmp(a->bytes, b->bytes, a->host);
}

/* His own if he is there, else the oldest: of his host's, if these are as many
 * as may be. */
static struct handshake_stranger *
stranger_place(struct handshake *handshake, const uint8_t key[NOISE_KEY],
	       const struct handshake_source *from)
{
	struct handshake_stranger *all = handshake->strangers, *oldest = all;
	struct handshake_stranger *neighbour = NULL;
	unsigned neighbours = 0;

	for (size_t i = 0; i < HANDSHAKE_STRANGERS; i++) {
		if (all[i].at_us && !memcmp(all[i].key, key, NOISE_KEY))
			return &all[i];
		if (all[i].at_us < oldest->at_us)
			oldest = &all[i];
		if (!all[i].at_us || !same_host(&all[i].from, from))
			continue;
		neighbours++;
		if (!neighbour || all[i].at_us < neighbour->at_us)
			neighbour = &all[i];
	}
	return neighbours < STRANGERS_OF_HOST ? oldest : neighbour;
}

/* No peer's key: is it the sender's? That takes as long as with a peer's, so
 * few are asked. The psk is not in the first message. */
static void note_stranger(struct handshake *handshake, struct noise *noise,
			  const uint8_t *message, size_t size,
			  const struct handshake_source *from, uint64_t now_us)
{
	struct handshake_stranger *place;
	struct payload payload;
	uint8_t plain[LONGEST_INIT];

	if (!gate_may(&handshake->strangers_us, STRANGER_RATE, STRANGER_BURST,
		      now_us) ||
	    !noise_read_rest(noise, message + AT_NOISE, size - CLEAR - MACS,
			     plain))
		return;
	payload_get(plain, &payload);
	if (payload.index != wire_get24(message + AT_INDEX))
		return;
	place = stranger_place(handshake, noise->remote, from);
	memcpy(place->key, noise->remote, NOISE_KEY);
	place->from = *from;
	place->at_us = now_us;
}

/* The init is one that was read before, and the sender's last: false, if not.
 */
static bool read_again(struct handshake *handshake,
		       const uint8_t sender[NOISE_KEY], const uint8_t *message,
		       size_t size, const struct handshake_source *from,
		       enum refusal *why)
{
	struct handshake_peer *peer = handshake_find(handshake, sender);

	if (!peer) {
		*why = read_stranger(handshake, sender, message, size, from);
		return true;
	}
	if (memcmp(peer->offer.mac1, message + size - MACS, NOISE_MAC) != 0)
		return false;
	*why = peer->next ? REFUSED_NOT : REFUSED_OLD;
	if (peer->next)
		send_response(peer, peer->offer.response, from);
	return true;
}

/* size: HANDSHAKE_INIT to LONGEST_INIT. FORGED: it cannot be read. */
static enum refusal read_init(struct handshake *handshake,
			      const uint8_t *message, size_t size,
			      const struct handshake_source *from,
			      uint64_t now_us)
{
	const uint8_t *sealed = message + AT_NOISE;
	const uint8_t *mac1 = message + size - MACS;
	const uint8_t *sender = lately_find(handshake, mac1);
	struct handshake_peer *peer;
	struct payload payload;
	uint8_t plain[LONGEST_INIT];
	enum refusal why;
	AUTO_NOISE noise = { .dead = true };

	if (sender && read_again(handshake, sender, message, size, from, &why))
		return why;
	begin_noise(handshake, &noise, NULL, message);
	if (!noise_read_sender(&noise, sealed, size - CLEAR - MACS))
		return REFUSED_FORGED;
	lately_put(handshake, mac1, noise.remote);
	peer = handshake_find(handshake, noise.remote);
	if (!peer) {
		why = read_stranger(handshake, noise.remote, message, size,
				    from);
		if (why)
			note_stranger(handshake, &noise, message, size, from,
				      now_us);
		return why;
	}
	noise_psk(&noise, peer->psk);
	noise_shared(&noise, peer->shared);
	if (!noise_read_rest(&noise, sealed, size - CLEAR - MACS, plain))
		return REFUSED_FORGED;
	payload_get(plain, &payload);
	if (payload.index != wire_get24(message + AT_INDEX) ||
	    !payload.hello.instance)
		return REFUSED_FORGED;
	return weigh_init(peer, &noise, &payload, message, size, from, now_us);
}

/* An init whose version is none of ours may be read all the same. If not, who
 * sent it is told which are spoken here: he knows our public key. */
static enum refusal read_alien(struct handshake *handshake,
			       const uint8_t *message, size_t size,
			       const struct handshake_source *from,
			       uint64_t now_us)
{
	enum refusal why =
		size < HANDSHAKE_INIT
			? REFUSED_FORGED
			: read_init(handshake, message, size, from, now_us);

	if (why != REFUSED_FORGED)
		return why;
	handshake->alien = message[AT_VERSION];
	handshake->alien_us = now_us;
	handshake->alien_from = *from;
	send_notice(handshake, NOTICE_VERSION, message, size, from, now_us);
	return REFUSED_VERSION;
}

static bool is_ours(const struct handshake *handshake, uint8_t version)
{
	return common_version(handshake, version, version) != 0;
}

static enum refusal input_init(struct handshake *handshake,
			       const uint8_t *message, size_t size,
			       const struct handshake_source *from,
			       uint64_t now_us)
{
	enum refusal why;
	bool ours, notice;

	if (size < SHORTEST_INIT || size > LONGEST_INIT)
		return REFUSED_LENGTH;
	ours = is_ours(handshake, message[AT_VERSION]);
	if (ours && size != HANDSHAKE_INIT)
		return REFUSED_LENGTH;
	if (!has_mac1(handshake, message, size))
		return REFUSED_MAC;
	why = gate_admit(&handshake->gate, message, size, from, now_us,
			 &notice);
	if (notice)
		send_notice(handshake, NOTICE_COOKIE, message, size, from,
			    now_us);
	if (why)
		return why;
	return ours ? read_init(handshake, message, size, from, now_us)
		    : read_alien(handshake, message, size, from, now_us);
}

enum refusal handshake_input(struct handshake *handshake,
			     const uint8_t *datagram, size_t size,
			     const struct handshake_source *from,
			     uint64_t now_us)
{
	enum refusal why = size ? REFUSED_TYPE : REFUSED_SHORT;

	if (size && datagram[0] == WIRE_INIT)
		why = input_init(handshake, datagram, size, from, now_us);
	if (size && datagram[0] == WIRE_RESPONSE)
		why = input_response(handshake, datagram, size, from, now_us);
	if (size && datagram[0] == WIRE_COOKIE)
		why = input_cookie(handshake, datagram, size, from, now_us);
	return why ? refuse(&handshake->refusals, why) : REFUSED_NOT;
}

enum refusal handshake_handed(struct handshake *handshake,
			      const uint8_t sender[NOISE_KEY],
			      const uint8_t *init, size_t size,
			      const struct handshake_source *from,
			      uint64_t now_us)
{
	enum refusal why;

	if (!handshake_find(handshake, sender) ||
	    !read_again(handshake, sender, init, size, from, &why))
		why = read_init(handshake, init, size, from, now_us);
	return why ? refuse(&handshake->refusals, why) : REFUSED_NOT;
}

/* The first datagram under the keys we answered with: they have them. */
static void confirm(struct handshake_peer *peer, uint64_t now_us,
		    const struct handshake_source *from)
{
	struct session *fresh = TAKE(peer->next);

	if (peer->offer.hello.instance != peer->instance)
		peer->seen = 0;
	if (peer->seen < peer->offer.number)
		peer->seen = peer->offer.number;
	adopt(peer, fresh, &peer->offer.hello, now_us, from);
}

enum refusal handshake_open(struct handshake *handshake, uint8_t *datagram,
			    size_t size, const struct handshake_source *from,
			    uint64_t now_us, struct session **session,
			    struct session_packet *out)
{
	struct handshake_peer *peer;
	struct session *found;
	enum refusal why;

	if (size < WIRE_OVERHEAD)
		return refuse(&handshake->refusals, REFUSED_SHORT);
	if (datagram[0] != WIRE_TRANSPORT)
		return refuse(&handshake->refusals, REFUSED_TYPE);
	found = handshake_lookup(handshake, wire_get24(datagram + AT_INDEX));
	if (!found)
		return refuse(&handshake->refusals, REFUSED_INDEX);
	why = session_open(found, datagram, size, now_us, out);
	if (why)
		return refuse(&handshake->refusals, why);
	peer = session_owner(found);
	if (found == peer->next)
		confirm(peer, now_us, from);
	*session = found;
	return REFUSED_NOT;
}

/*
 * Time.
 */
static void expire(struct handshake_peer *peer, uint64_t now_us)
{
	struct handshake *handshake = peer->handshake;

	if (peer->next && session_expired(peer->next, now_us))
		drop_session(handshake, &peer->next);
	if (peer->previous && session_expired(peer->previous, now_us))
		drop_session(handshake, &peer->previous);
	if (peer->current && session_expired(peer->current, now_us)) {
		lapse_session(peer, &peer->current);
		tell(peer, HANDSHAKE_LOST, NULL);
	}
}

static void peer_tick(struct handshake_peer *peer, uint64_t now_us)
{
	expire(peer, now_us);
	if (peer->calls && peer->send_us == NEVER &&
	    (!peer->current || session_worn(peer->current, now_us)))
		peer->send_us = now_us;
	if (peer->send_us <= now_us)
		send_init(peer, NULL, now_us);
}

uint64_t handshake_timer(struct handshake *handshake, uint64_t now_us)
{
	struct handshake_peer *peer;
	uint64_t at = NEVER;

	if (now_us < handshake->due_us)
		return handshake->due_us;
	LIST_FOREACH(peer, &handshake->all, each)
	{
		peer_tick(peer, now_us);
		at = least(at, peer_due(peer, now_us));
	}
	handshake->due_us = at;
	return at;
}

/*
 * Peers, and the whole.
 */
struct handshake *handshake_new(const uint8_t secret[NOISE_KEY],
				const struct handshake_ops *ops, void *owner)
{
	struct handshake *handshake = mem_alloc(sizeof(*handshake));
	uint8_t keys[2][NOISE_KEY];

	handshake->ops = ops;
	handshake->owner = owner;
	memcpy(handshake->secret, secret, NOISE_KEY);
	noise_public(handshake->secret, handshake->public);
	label_key("Tresse mac1", handshake->public, handshake->mac_key);
	while (!handshake->instance)
		draw(handshake, &handshake->instance,
		     sizeof(handshake->instance));
	draw(handshake, keys, sizeof(keys));
	gate_init(&handshake->gate, keys[0], keys[1]);
	OPENSSL_cleanse(keys, sizeof(keys));
	handshake->parts = 1;
	handshake_versions(handshake, WIRE_OLDEST, WIRE_NEWEST);
	handshake->due_us = NEVER;
	handshake_ciphers(handshake, aead_choose()->order, AEAD_CIPHERS - 1);
	return handshake;
}

void handshake_free(struct handshake *handshake)
{
	if (!handshake)
		return;
	while (!LIST_EMPTY(&handshake->all))
		handshake_remove(handshake, LIST_FIRST(&handshake->all));
	free(handshake->slots);
	free(handshake->lately);
	mem_wipe(handshake, sizeof(*handshake));
}

void handshake_share(struct handshake *handshake, unsigned part, unsigned parts,
		     const uint8_t cookie_root[NOISE_KEY])
{
	handshake->part = part;
	handshake->parts = parts;
	gate_share(&handshake->gate, cookie_root);
}

void handshake_ciphers(struct handshake *handshake,
		       const enum aead_cipher *order, size_t count)
{
	memset(handshake->ciphers, 0, CIPHERS);
	for (size_t i = 0; i < count && i < CIPHERS; i++)
		handshake->ciphers[i] = (uint8_t)order[i];
}

void handshake_versions(struct handshake *handshake, uint8_t oldest,
			uint8_t newest)
{
	handshake->oldest = oldest;
	handshake->newest = newest;
}

const uint8_t *handshake_public(const struct handshake *handshake)
{
	return handshake->public;
}

struct refusals *handshake_refusals(struct handshake *handshake)
{
	return &handshake->refusals;
}

/* Keys are random, and who chooses one that is not slows down nobody: which are
 * here is root's to say. */
static unsigned bucket_of(const uint8_t public[NOISE_KEY])
{
	return (unsigned)(public[0] | public[1] << 8) % BUCKETS;
}

struct handshake_peer *handshake_add(struct handshake *handshake,
				     const uint8_t public[NOISE_KEY],
				     const uint8_t *psk, void *owner)
{
	struct handshake_peer *peer;
	uint8_t shared[NOISE_KEY];

	if (handshake_find(handshake, public) ||
	    !memcmp(public, handshake->public, NOISE_KEY) ||
	    !noise_agree(handshake->secret, handshake->public, public, shared))
		return NULL;
	peer = mem_alloc(sizeof(*peer));
	peer->handshake = handshake;
	peer->owner = owner;
	peer->send_us = NEVER;
	memcpy(peer->key, public, NOISE_KEY);
	memcpy(peer->shared, shared, NOISE_KEY);
	OPENSSL_cleanse(shared, sizeof(shared));
	label_key("Tresse mac1", public, peer->mac_key);
	handshake_psk(peer, psk);
	LIST_INSERT_HEAD(&handshake->peers[bucket_of(public)], peer, bucket);
	LIST_INSERT_HEAD(&handshake->all, peer, each);
	return peer;
}

void handshake_remove(struct handshake *handshake, struct handshake_peer *peer)
{
	close_init(peer);
	drop_session(handshake, &peer->current);
	drop_session(handshake, &peer->previous);
	drop_session(handshake, &peer->next);
	session_free(peer->lapsed);
	LIST_REMOVE(peer, bucket);
	LIST_REMOVE(peer, each);
	mem_wipe(peer, sizeof(*peer));
}

struct handshake_peer *handshake_find(const struct handshake *handshake,
				      const uint8_t public[NOISE_KEY])
{
	struct handshake_peer *peer;

	LIST_FOREACH(peer, &handshake->peers[bucket_of(public)], bucket)
	if (!memcmp(peer->key, public, NOISE_KEY))
		return peer;
	return NULL;
}

void *handshake_owner(const struct handshake_peer *peer)
{
	return peer->owner;
}

void handshake_psk(struct handshake_peer *peer, const uint8_t *psk)
{
	if (psk)
		memcpy(peer->psk, psk, NOISE_KEY);
	else
		memset(peer->psk, 0, NOISE_KEY);
	close_init(peer); /* it was made with the one before */
}

struct session *handshake_session(const struct handshake_peer *peer)
{
	return peer->current;
}

const struct handshake_hello *handshake_heard(const struct handshake_peer *peer)
{
	return peer->heard ? &peer->hello : NULL;
}

uint8_t handshake_version(const struct handshake_peer *peer)
{
	return peer->current ? peer->version : 0;
}

uint8_t handshake_alien(const struct handshake *handshake, uint64_t now_us,
			struct handshake_source *from)
{
	*from = handshake->alien_from;
	return handshake->alien && now_us - handshake->alien_us < ALIEN_LIFE_US
		       ? handshake->alien
		       : 0;
}

size_t handshake_strangers(const struct handshake *handshake, uint64_t now_us,
			   struct handshake_stranger out[HANDSHAKE_STRANGERS])
{
	size_t count = 0, at;

	for (size_t i = 0; i < HANDSHAKE_STRANGERS; i++) {
		const struct handshake_stranger *one = &handshake->strangers[i];

		if (!one->at_us || now_us - one->at_us > STRANGER_LIFE_US ||
		    handshake_find(handshake, one->key))
			continue;
		for (at = count++; at && out[at - 1].at_us < one->at_us; at--)
			out[at] = out[at - 1];
		out[at] = *one;
	}
	return count;
}

bool handshake_twins(const struct handshake_peer *peer, uint64_t now_us,
		     struct handshake_source from[2])
{
	from[0] = peer->from;
	from[1] = peer->before_from;
	return peer->twins_us && now_us - peer->twins_us < TWINS_LIFE_US;
}

const char *handshake_error(const struct handshake_peer *peer)
{
	return peer->error[0] ? peer->error : NULL;
}
