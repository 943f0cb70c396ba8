/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * hub_hand.c - what one hub of a crew hands to another, by rings (ring.h).
 *
 * Who has written to a ring looks whether its reader sleeps, and rings his bell
 * then; who is about to sleep says so first and looks into the rings after. So
 * one of the two always sees the other (both fences are full ones).
 */
#include <string.h>
#include <unistd.h>

#include "backends/engine/hub_private.h"
#include "backends/engine/ring.h"

enum {
	TURN = 64, /* records of one ring, before others have their turn */
	INIT_COSTS = 16, /* as many of the others */
	/* Accounts: of who is not known to be anybody, by where he sends from;
	 * of the device; of peers. */
	STRANGERS = 16,
	OF_DEVICE = STRANGERS,
	OF_PEERS,
};

enum what { PACKET, PACKET_FOR_ALL, DATAGRAM, INIT };

/* Its bytes stand behind it. */
struct record {
	enum what what;
	uint32_t size;
	bool twice; /* as hub->twice: a packet that goes on two lines */
	union {
		struct tun_packet packet;
		struct {
			struct address from;
			uint64_t at;		   /* of a datagram */
			uint8_t sender[NOISE_KEY]; /* of an init */
		};
	};
};

static unsigned account_of(uint16_t number)
{
	return number ? OF_PEERS + number % (HUB_ACCOUNTS - OF_PEERS)
		      : OF_DEVICE;
}

/* Of a host, or an IPv6 host's /64; nobody can tell who has the same. */
static unsigned account_of_stranger(const struct hub *hub)
{
	uint64_t words[2], key[2];

	memcpy(words, &hub->from.far.sin6_addr, sizeof(words));
	memcpy(key, hub->crew->cookie_root, sizeof(key));
	if (!address_is_ip4(&hub->from))
		words[1] = 0;
	words[0] = (words[0] ^ key[0]) * 0x9e3779b97f4a7c15U;
	words[1] = (words[1] ^ words[0] >> 32 ^ key[1]) * 0x9e3779b97f4a7c15U;
	return (unsigned)((words[0] ^ words[1]) >> 48) % STRANGERS;
}

static struct record *room(struct hub *hub, struct hub *to, enum what what,
			   const uint8_t *bytes, size_t size, unsigned account)
{
	struct ring *ring = hub->crew->rings[hub->part][to->part];
	struct record *record =
		ring_room(ring, sizeof(*record) + size, account);

	if (!record)
		return NULL;
	record->what = what;
	record->size = (uint32_t)size;
	memcpy(record + 1, bytes, size);
	return record;
}

static void done(struct hub *hub, const struct hub *to)
{
	ring_put(hub->crew->rings[hub->part][to->part]);
	hub->rung |= 1U << to->part;
}

static void count_crowded(struct hub *hub, uint16_t number, unsigned packets)
{
	uint64_t *count = &hub->crowded[number];

	__atomic_store_n(count, *count + packets, __ATOMIC_RELAXED);
}

uint64_t hub_crowded(const struct crew *crew, uint16_t number)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < crew->count; i++)
		if (crew->hubs[i] && crew->hubs[i]->crowded)
			sum += __atomic_load_n(&crew->hubs[i]->crowded[number],
					       __ATOMIC_RELAXED);
	return sum;
}

void hub_hand_packet(struct hub *hub, struct hub *to,
		     const struct tun_packet *packet, bool all, uint16_t number)
{
	struct record *record =
		room(hub, to, all ? PACKET_FOR_ALL : PACKET, packet->data,
		     packet->size, account_of(number));

	if (!record) {
		hub->handed.full += packet->count;
		count_crowded(hub, number, packet->count);
		return;
	}
	record->packet = *packet;
	record->twice = hub->twice;
	hub->handed.packets += packet->count;
	done(hub, to);
}

/* Has a sender, and is to be done(). */
static struct record *room_from(struct hub *hub, struct hub *to, enum what what,
				const uint8_t *data, size_t size)
{
	struct record *record =
		room(hub, to, what, data, size, account_of_stranger(hub));

	if (record)
		record->from = hub->from;
	else
		hub->handed.full++;
	return record;
}

void hub_hand_datagram(struct hub *hub, struct hub *to, const uint8_t *data,
		       size_t size, uint64_t at)
{
	struct record *record = room_from(hub, to, DATAGRAM, data, size);

	if (!record)
		return;
	record->at = at;
	hub->handed.datagrams++;
	done(hub, to);
}

void hub_hand_init(struct hub *hub, struct hub *to,
		   const uint8_t sender[NOISE_KEY], const uint8_t *init,
		   size_t size)
{
	struct record *record = room_from(hub, to, INIT, init, size);

	if (!record)
		return;
	memcpy(record->sender, sender, NOISE_KEY);
	hub->handed.inits++;
	done(hub, to);
}

void hub_ring(struct hub *hub)
{
	uint64_t one = 1;

	if (!hub->rung)
		return;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	for (unsigned i = 0; i < hub->crew->count; i++) {
		struct hub *to = hub->crew->hubs[i];

		if ((hub->rung & 1U << i) &&
		    __atomic_exchange_n(&to->asleep, false, __ATOMIC_RELAXED) &&
		    write(to->bell, &one, sizeof(one)) < 0)
			continue; /* it has been rung 2^64 times */
	}
	hub->rung = 0;
}

bool hub_may_sleep(struct hub *hub)
{
	if (hub->crew->count == 1)
		return true;
	__atomic_store_n(&hub->asleep, true, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	for (unsigned i = 0; i < hub->crew->count; i++) {
		struct ring *ring = hub->crew->rings[i][hub->part];

		if (ring && ring_has(ring))
			return false;
	}
	return true;
}

void hub_wakes(struct hub *hub)
{
	if (hub->crew->count > 1)
		__atomic_store_n(&hub->asleep, false, __ATOMIC_RELAXED);
}

static void hear_packet(struct hub *hub, const struct record *record,
			uint64_t now)
{
	struct tun_packet packet = record->packet;
	uint8_t *to = keep_room(hub->keep);

	memcpy(to, record + 1, record->size);
	packet.data = to;
	hub->twice = record->twice;
	hub_take_handed(hub, &packet, record->what == PACKET_FOR_ALL, now);
	hub->twice = false;
}

static void hear_datagram(struct hub *hub, struct record *record, uint64_t now)
{
	hub->from = record->from;
	hub->from_udp = hub->udp;
	if (record->what == INIT)
		hub_init(hub, record->sender, (uint8_t *)(record + 1),
			 record->size, now);
	else
		hub_datagram(hub, (uint8_t *)(record + 1), record->size,
			     record->at, now);
}

static void hear_ring(struct hub *hub, struct ring *ring, uint64_t now)
{
	for (int cost = 0; cost < TURN;) {
		size_t size;
		struct record *record = ring_next(ring, &size);

		if (!record)
			return;
		cost += record->what == INIT ? INIT_COSTS : 1;
		if (record->what <= PACKET_FOR_ALL)
			hear_packet(hub, record, now);
		else
			hear_datagram(hub, record, now);
		ring_took(ring);
	}
}

void hub_hear(struct hub *hub, uint64_t now)
{
	bool heard = false;

	for (unsigned i = 0; i < hub->crew->count; i++) {
		struct ring *ring = hub->crew->rings[i][hub->part];

		if (!ring || !ring_has(ring))
			continue;
		hear_ring(hub, ring, now);
		heard = true;
	}
	if (!heard)
		return;
	hub_took_handed(hub, now);
	hub_flush(hub);
}
