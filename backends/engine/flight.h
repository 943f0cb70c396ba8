/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * flight.h - the datagrams of one lane that were sent and not heard of.
 *
 *     una                 largest acked         next
 *      |                     |                   |
 *      v                     v                   v
 *     [?][a][a][?][a][a][a][a][?][?][?][?][?][?]
 *
 * A ring by counter, with a bit for what is open and one for what was given up
 * (declared lost): an ack that comes after all is then known as spurious, and
 * makes the lane's tolerance of reordering grow. Lost is, as in RACK (RFC
 * 8985), what is both three datagrams and the tolerance older than one that
 * arrived.
 */
#ifndef BACKENDS_ENGINE_FLIGHT_H
#define BACKENDS_ENGINE_FLIGHT_H

#include <stdbool.h>
#include <stdint.h>

#include "backends/engine/message.h"

enum flight_flags {
	FLIGHT_COUNTS = 1 << 0, /* an ack of it is expected soon */
	FLIGHT_DATA = 1 << 1,
	FLIGHT_DOUBLED = 1 << 2, /* another lane has it as well */
	FLIGHT_PROBE = 1 << 3,	 /* of the MTU: its loss means its size */
};

struct flight_entry {
	uint32_t time_us; /* low bits of the clock */
	uint32_t born_us; /* when the packet was first sent */
	uint32_t seq, handle;
	uint16_t bucket;
	uint16_t size; /* of the payload */
	uint8_t flags, tries;
	uint8_t wire; /* flags of the inner header to keep */
};

struct flight {
	struct flight_entry *ring;
	uint64_t *open, *gone;
	uint32_t room; /* entries: a power of two, 0 at first */
	uint32_t overhead;
	bool begun, heard;
	uint64_t next, una;	 /* counters */
	uint64_t largest;	 /* acked, if heard */
	uint32_t bytes, packets; /* open ones that count */
	uint32_t tolerance_us;
	uint64_t tolerance_at;
	uint64_t lost, spurious;
};

enum { FLIGHT_LEAST = 64, FLIGHT_MOST = 1 << 16 };

/* What an ack brought. */
struct flight_news {
	uint32_t packets, bytes; /* that counted, newly acked */
	uint32_t rtt_us;	 /* of the newest, if it was news; or 0 */
	uint16_t biggest;	 /* payload */
	bool late;		 /* something given up arrived after all ... */
	uint32_t late_us;	 /* ... the oldest of it so long after */
	bool any;
};

/* Told of each datagram that is given up. */
typedef void flight_lost(void *context, uint64_t counter,
			 const struct flight_entry *entry);
typedef void flight_acked(void *context, uint64_t counter,
			  const struct flight_entry *entry);

void flight_clear(struct flight *flight);
/* Gives back the ring, unless something under way that counts is in it. The
 * others are forgotten: should they be acked after all, that is no news. */
void flight_rest(struct flight *flight);
/* Counters only rise; what is left out was never sent. */
void flight_sent(struct flight *flight, uint64_t counter,
		 const struct flight_entry *entry);
/* False: it speaks of what was never sent. */
bool flight_ack(struct flight *flight, const struct message_ack *ack,
		uint64_t now, struct flight_news *news, flight_acked *acked,
		void *context);
/* Gives up what is lost by now. */
void flight_lose(struct flight *flight, uint64_t now, uint32_t srtt_us,
		 flight_lost *lost, void *context);
/* Gives up all that is open. */
void flight_abandon(struct flight *flight, flight_lost *lost, void *context);
bool flight_is_gone(const struct flight *flight, uint64_t counter);
/* The oldest that is open and counts; NULL for none. */
const struct flight_entry *flight_oldest(struct flight *flight);
/* Room for another run. */
static inline bool flight_has_room(const struct flight *flight)
{
	return flight->next - flight->una < FLIGHT_MOST - 128;
}

#endif
