/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/engine/session.h"

#include <openssl/crypto.h>
#include <string.h>

enum {
	WORD_BITS = 64,
	WORDS = 256, /* a ring; one is being filled, the others are whole */
};
_Static_assert(SESSION_WINDOW == (WORDS - 1) * WORD_BITS,
	       "the window is the ring but for one word");

/* One lane's numbers, both ways. Made when it is first used. */
struct lane {
	uint64_t next;	  /* counter of what is sealed next */
	uint64_t highest; /* of what was opened */
	bool opened;
	uint64_t seen[WORDS]; /* bit n of the ring: counter n was opened */
};

struct era {
	unsigned sessions;
	uint32_t number; /* 0: not in use so far */
	uint64_t name;
	struct lane *lanes[SESSION_LANES]; /* NULL: not used so far */
};

struct session {
	struct aead *send, *receive; /* NULL: retired */
	enum aead_cipher cipher;
	uint32_t index, remote_index;
	bool initiator;
	void *owner;
	struct era *era; /* shared */
	uint64_t since_us, heard_us;
	uint64_t sealed, opened;
};

static const char *const refusal_names[REFUSED_REASONS] = {
	[REFUSED_NOT] = "none",
	[REFUSED_SHORT] = "short",
	[REFUSED_TYPE] = "type",
	[REFUSED_INDEX] = "unknown-session",
	[REFUSED_REPLAY] = "replay",
	[REFUSED_FORGED] = "bad-tag",
	[REFUSED_EXPIRED] = "expired",
	[REFUSED_LENGTH] = "length",
	[REFUSED_MAC] = "bad-mac",
	[REFUSED_COOKIE] = "no-cookie",
	[REFUSED_RATE] = "rate",
	[REFUSED_VERSION] = "version",
	[REFUSED_STRANGER] = "unknown-key",
	[REFUSED_OLD] = "old-init",
	[REFUSED_UNASKED] = "unasked",
	[REFUSED_CIPHER] = "no-cipher",
	[REFUSED_LATE] = "late",
};

const char *refusal_name(enum refusal reason)
{
	return (unsigned)reason < REFUSED_REASONS ? refusal_names[reason]
						  : "none";
}

static struct era *era_join(struct era *era)
{
	era->sessions++;
	return era;
}

static struct era *era_new(uint64_t name)
{
	struct era *era = mem_alloc(sizeof(*era));

	era->name = name;
	return era_join(era);
}

static void era_leave(struct era *era)
{
	if (--era->sessions)
		return;
	for (int i = 0; i < SESSION_LANES; i++)
		free(era->lanes[i]);
	free(era);
}

static struct lane *lane_get(struct era *era, uint8_t lane)
{
	if (!era->lanes[lane])
		era->lanes[lane] = mem_alloc(sizeof(struct lane));
	return era->lanes[lane];
}

/* May it be new? lane may be NULL: then everything is. */
static bool lane_fresh(const struct lane *lane, uint64_t counter)
{
	if (!lane || counter > lane->highest)
		return true;
	if (lane->highest - counter >= SESSION_WINDOW)
		return false;
	return !(lane->seen[counter / WORD_BITS % WORDS] >>
			 (counter % WORD_BITS) &
		 1);
}

static void lane_saw(struct lane *lane, uint64_t counter)
{
	if (counter > lane->highest) {
		uint64_t from = lane->highest / WORD_BITS;
		uint64_t words = counter / WORD_BITS - from;

		for (uint64_t i = 1; i <= words && i <= WORDS; i++)
			lane->seen[(from + i) % WORDS] = 0;
		lane->highest = counter;
	}
	lane->opened = true;
	lane->seen[counter / WORD_BITS % WORDS] |= 1ULL
						   << (counter % WORD_BITS);
}

struct session *session_new(const struct session_setup *setup, uint64_t now_us)
{
	struct session *session = mem_alloc(sizeof(*session));

	session->send = aead_new(setup->cipher, setup->send);
	session->receive = aead_new(setup->cipher, setup->receive);
	session->cipher = setup->cipher;
	session->index = setup->index;
	session->remote_index = setup->remote_index;
	session->initiator = setup->initiator;
	session->owner = setup->owner;
	session->since_us = now_us;
	session->era = setup->continues ? era_join(setup->continues->era)
					: era_new(setup->era);
	return session;
}

void session_retire(struct session *session)
{
	aead_free(TAKE(session->send));
	aead_free(TAKE(session->receive));
}

void session_free(struct session *session)
{
	if (!session)
		return;
	session_retire(session);
	era_leave(session->era);
	free(session);
}

uint32_t session_index(const struct session *session)
{
	return session->index;
}

uint32_t session_remote_index(const struct session *session)
{
	return session->remote_index;
}

enum aead_cipher session_cipher(const struct session *session)
{
	return session->cipher;
}

bool session_initiator(const struct session *session)
{
	return session->initiator;
}

void *session_owner(const struct session *session)
{
	return session->owner;
}

uint64_t session_since(const struct session *session)
{
	return session->since_us;
}

uint32_t session_era(const struct session *session)
{
	return session->era->number;
}

uint64_t session_era_name(const struct session *session)
{
	return session->era->name;
}

void session_take_over(struct session *session, const struct session *before)
{
	static uint32_t last; /* of all links; each has its thread */

	if (!before || before->era != session->era || !session->era->number)
		session->era->number =
			__atomic_add_fetch(&last, 1, __ATOMIC_RELAXED);
}

bool session_expired(const struct session *session, uint64_t now_us)
{
	return !session->send || now_us - session->since_us >= SESSION_LIFE_US;
}

bool session_worn(const struct session *session, uint64_t now_us)
{
	uint64_t limit =
		session->initiator ? SESSION_RENEW_US : SESSION_RENEW_LATER_US;

	return !session->send || now_us - session->since_us >= limit ||
	       !session_left(session);
}

uint64_t session_left(const struct session *session)
{
	uint64_t used = session->sealed > session->opened ? session->sealed
							  : session->opened;

	return used < SESSION_RENEW_PACKETS ? SESSION_RENEW_PACKETS - used : 0;
}

bool session_era_worn(const struct session *session)
{
	for (int i = 0; i < SESSION_LANES; i++) {
		const struct lane *lane = session->era->lanes[i];

		if (lane && (lane->next > SESSION_COUNTERS / 2 ||
			     lane->highest > SESSION_COUNTERS / 2))
			return true;
	}
	return false;
}

uint64_t session_next(const struct session *session, uint8_t lane)
{
	const struct lane *numbers = session->era->lanes[lane];

	return numbers ? numbers->next : 0;
}

static void put_headers(const struct session *session,
			const struct session_run *run, uint64_t first)
{
	struct wire_header header = { .type = WIRE_TRANSPORT,
				      .lane = run->lane,
				      .index = session->remote_index };

	for (size_t i = 0; i < run->count; i++) {
		header.counter =
			(uint32_t)(first + i) & ((1U << WIRE_COUNTER_BITS) - 1);
		wire_put_header(run->datagrams + i * run->stride, &header);
	}
}

bool session_seal(struct session *session, const struct session_run *run,
		  uint64_t now_us, uint64_t *first)
{
	struct lane *lane = lane_get(session->era, run->lane);
	struct aead_run sealing = {
		.from = run->plain ? run->plain : run->datagrams + WIRE_HEADER,
		.from_stride = run->plain ? run->plain_stride : run->stride,
		.to = run->datagrams + WIRE_HEADER,
		.to_stride = run->stride,
		.ad = run->datagrams,
		.ad_stride = run->stride,
		.ad_size = WIRE_HEADER,
		.size = run->size,
		.count = run->count,
		.lane = run->lane,
		.counter = lane->next,
	};

	if (session_expired(session, now_us) ||
	    run->count > SESSION_COUNTERS - lane->next)
		return false;
	put_headers(session, run, lane->next);
	aead_seal(session->send, &sealing);
	if (first)
		*first = lane->next;
	lane->next += run->count;
	session->sealed += run->count;
	return true;
}

enum refusal session_open(struct session *session, uint8_t *datagram,
			  size_t size, uint64_t now_us,
			  struct session_packet *out)
{
	uint8_t *sealed = datagram + WIRE_HEADER, nonce[AEAD_NONCE];
	struct wire_header header;
	const struct lane *lane;
	uint64_t counter;

	if (size < WIRE_OVERHEAD)
		return REFUSED_SHORT;
	wire_get_header(datagram, &header);
	if (header.type != WIRE_TRANSPORT)
		return REFUSED_TYPE;
	if (header.index != session->index)
		return REFUSED_INDEX;
	if (session_expired(session, now_us))
		return REFUSED_EXPIRED;
	lane = session->era->lanes[header.lane];
	counter = wire_infer(lane && lane->opened ? lane->highest + 1 : 0,
			     header.counter, WIRE_COUNTER_BITS);
	if (counter >= SESSION_COUNTERS || !lane_fresh(lane, counter))
		return REFUSED_REPLAY;
	size -= WIRE_HEADER + WIRE_TAG;
	aead_nonce(nonce, header.lane, counter);
	if (!aead_open_one(session->receive, nonce, datagram, WIRE_HEADER,
			   sealed, size, sealed))
		return REFUSED_FORGED;
	lane_saw(lane_get(session->era, header.lane), counter);
	session->heard_us = now_us;
	session->opened++;
	*out = (struct session_packet){ header.lane, counter, sealed, size };
	return REFUSED_NOT;
}

uint64_t session_heard(const struct session *session)
{
	return session->heard_us;
}

void session_wear(struct session *session, uint8_t lane, uint64_t datagrams)
{
	lane_get(session->era, lane)->next += datagrams;
	session->sealed += datagrams;
}
