/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/engine/flight.h"

#include "backends/engine/wire.h"
#include "model/base/mem.h"

enum {
	NEAR = 3, /* datagrams; RFC 9002, 6.1.1 */
	TOLERANCE_LEAST_US = 500,
	TOLERANCE_KEPT_US = 10 * 1000000,
};

#define WORD(flight, counter) (((counter) & ((flight)->room - 1)) / 64)
#define BIT(counter)	      (1ULL << ((counter)&63))

static bool is_set(const struct flight *flight, const uint64_t *bits,
		   uint64_t counter)
{
	return bits[WORD(flight, counter)] & BIT(counter);
}

static struct flight_entry *entry_of(const struct flight *flight,
				     uint64_t counter)
{
	return &flight->ring[counter & (flight->room - 1)];
}

void flight_clear(struct flight *flight)
{
	free(flight->ring);
	free(flight->open);
	free(flight->gone);
	*flight = (struct flight){ .overhead = flight->overhead };
}

static void grow(struct flight *flight)
{
	struct flight old = *flight;

	flight->room = old.room ? 2 * old.room : FLIGHT_LEAST;
	flight->ring = mem_array(flight->room, sizeof(*flight->ring));
	flight->open = mem_array(flight->room / 64, sizeof(uint64_t));
	flight->gone = mem_array(flight->room / 64, sizeof(uint64_t));
	for (uint64_t c = old.next - old.room; c != old.next; c++) {
		*entry_of(flight, c) = *entry_of(&old, c);
		if (is_set(&old, old.open, c))
			flight->open[WORD(flight, c)] |= BIT(c);
		if (is_set(&old, old.gone, c))
			flight->gone[WORD(flight, c)] |= BIT(c);
	}
	free(old.ring);
	free(old.open);
	free(old.gone);
}

/* una is the first open one, or next. */
static void settle(struct flight *flight)
{
	while (flight->una < flight->next) {
		uint64_t word = flight->open[WORD(flight, flight->una)] >>
				(flight->una & 63);

		if (word) {
			flight->una += (unsigned)__builtin_ctzll(word);
			break;
		}
		flight->una = (flight->una | 63) + 1;
	}
	if (flight->una > flight->next)
		flight->una = flight->next;
}

static void close_entry(struct flight *flight, uint64_t counter)
{
	const struct flight_entry *entry = entry_of(flight, counter);

	flight->open[WORD(flight, counter)] &= ~BIT(counter);
	if (entry->flags & FLIGHT_COUNTS) {
		flight->bytes -= entry->size + flight->overhead;
		flight->packets--;
	}
}

static void begin(struct flight *flight, uint64_t counter)
{
	flight->begun = true;
	flight->next = flight->una = counter;
	flight->tolerance_us = TOLERANCE_LEAST_US;
}

/* What the ring no longer holds is forgotten, open or not. */
static void forget(struct flight *flight, uint64_t counter)
{
	if (is_set(flight, flight->open, counter))
		close_entry(flight, counter);
	flight->gone[WORD(flight, counter)] &= ~BIT(counter);
}

void flight_rest(struct flight *flight)
{
	if (flight->packets)
		return;
	/* Acks of ours that nobody acks: the ring would grow by them. */
	for (uint64_t c = flight->una; c < flight->next; c++)
		forget(flight, c);
	flight->una = flight->next;
	if (flight->room <= FLIGHT_LEAST)
		return;
	free(TAKE(flight->ring));
	free(TAKE(flight->open));
	free(TAKE(flight->gone));
	flight->room = 0;
}

void flight_sent(struct flight *flight, uint64_t counter,
		 const struct flight_entry *entry)
{
	if (!flight->begun)
		begin(flight, counter);
	if (counter < flight->next)
		return;
	if (!flight->room || (counter - flight->una >= flight->room / 2 &&
			      flight->room < FLIGHT_MOST))
		grow(flight);
	if (counter - flight->next > flight->room) { /* a leap: all is gone */
		flight_abandon(flight, NULL, NULL);
		flight->next = flight->una = counter;
	}
	for (; flight->next < counter; flight->next++)
		forget(flight, flight->next);
	forget(flight, counter);
	*entry_of(flight, counter) = *entry;
	flight->open[WORD(flight, counter)] |= BIT(counter);
	flight->next = counter + 1;
	if (flight->next - flight->una > flight->room)
		flight->una = flight->next - flight->room;
	if (entry->flags & FLIGHT_COUNTS) {
		flight->bytes += entry->size + flight->overhead;
		flight->packets++;
	}
}

/* The counter an ack means by its low bits. */
static uint64_t largest_of(const struct flight *flight, uint32_t low)
{
	return wire_infer(flight->next, low, 32);
}

struct walk {
	struct flight *flight;
	struct flight_news *news;
	flight_acked *acked;
	void *context;
	uint64_t now, newest; /* newest: counter of the newest acked */
	uint32_t tolerance;   /* needed for what came late */
};

static void one_acked(struct walk *walk, uint64_t counter)
{
	struct flight *flight = walk->flight;
	struct flight_news *news = walk->news;
	struct flight_entry *entry = entry_of(flight, counter);
	uint32_t age = (uint32_t)walk->now - entry->time_us;

	if (is_set(flight, flight->gone, counter)) {
		flight->gone[WORD(flight, counter)] &= ~BIT(counter);
		flight->spurious++;
		news->late = true;
		/* How much older was it than what had arrived then? The
		 * newest that is acked now bounds that from above. */
		if (age > walk->tolerance)
			walk->tolerance = age;
	} else {
		if (entry->flags & FLIGHT_COUNTS) {
			news->packets++;
			news->bytes += entry->size + flight->overhead;
		}
		close_entry(flight, counter);
	}
	if (entry->size > news->biggest)
		news->biggest = entry->size;
	if (!news->any || counter >= walk->newest) {
		walk->newest = counter;
		news->rtt_us = age;
	}
	news->any = true;
	if (walk->acked)
		walk->acked(walk->context, counter, entry);
}

/* All of [from, to] that was not known to have arrived. */
static void walk_range(struct walk *walk, uint64_t from, uint64_t to)
{
	struct flight *flight = walk->flight;

	for (uint64_t c = from; c <= to; c = (c | 63) + 1) {
		uint64_t word = flight->open[WORD(flight, c)] |
				flight->gone[WORD(flight, c)];
		uint64_t base = c & ~63ULL;

		word &= ~0ULL << (c & 63);
		if (to - base < 63)
			word &= (2ULL << (to - base)) - 1;
		for (; word; word &= word - 1)
			one_acked(walk, base + (unsigned)__builtin_ctzll(word));
	}
}

static void tolerate(struct flight *flight, const struct walk *walk)
{
	uint32_t newest = walk->news->rtt_us;
	uint32_t later =
		walk->tolerance > newest ? walk->tolerance - newest : 0;

	if (walk->news->late) {
		flight->tolerance_us *= 2;
		if (flight->tolerance_us > later + TOLERANCE_LEAST_US)
			flight->tolerance_us = later + TOLERANCE_LEAST_US;
		flight->tolerance_at = walk->now;
	} else if (walk->now - flight->tolerance_at > TOLERANCE_KEPT_US) {
		flight->tolerance_us =
			(flight->tolerance_us + TOLERANCE_LEAST_US) / 2;
		flight->tolerance_at = walk->now;
	}
}

bool flight_ack(struct flight *flight, const struct message_ack *ack,
		uint64_t now, struct flight_news *news, flight_acked *acked,
		void *context)
{
	uint64_t to = largest_of(flight, ack->largest), floor;
	struct walk walk = {
		.flight = flight,
		.news = news,
		.acked = acked,
		.context = context,
		.now = now,
	};

	*news = (struct flight_news){ 0 };
	if (!flight->begun || to >= flight->next)
		return false;
	floor = flight->next > flight->room ? flight->next - flight->room : 0;
	for (unsigned i = 0; i < ack->ranges; i++) {
		uint64_t length = ack->range[i].length, from;

		if (ack->range[i].gap > to || to - ack->range[i].gap < floor)
			break;
		to -= ack->range[i].gap;
		from = length > to - floor ? floor : to - length + 1;
		walk_range(&walk, from, to);
		if (from <= floor)
			break;
		to = from - 1;
	}
	news->late_us = walk.tolerance;
	if (!flight->heard || (news->any && walk.newest > flight->largest))
		flight->largest = walk.newest;
	else
		news->rtt_us = 0;
	flight->heard = flight->heard || news->any;
	tolerate(flight, &walk);
	settle(flight);
	return true;
}

static void give_up(struct flight *flight, uint64_t counter, flight_lost *lost,
		    void *context)
{
	close_entry(flight, counter);
	flight->gone[WORD(flight, counter)] |= BIT(counter);
	if (lost)
		lost(context, counter, entry_of(flight, counter));
}

void flight_lose(struct flight *flight, uint64_t now, uint32_t srtt_us,
		 flight_lost *lost, void *context)
{
	uint32_t tolerance = flight->tolerance_us;
	const struct flight_entry *newest;

	(void)now;
	if (!flight->heard || flight->largest < flight->una + NEAR ||
	    flight->next - flight->largest > flight->room)
		return;
	if (tolerance > srtt_us / 2 + TOLERANCE_LEAST_US)
		tolerance = srtt_us / 2 + TOLERANCE_LEAST_US;
	newest = entry_of(flight, flight->largest);
	for (uint64_t c = flight->una; c + NEAR <= flight->largest; c++) {
		if (!is_set(flight, flight->open, c))
			continue;
		if (newest->time_us - entry_of(flight, c)->time_us <
			    (tolerance > TOLERANCE_LEAST_US ? tolerance : 0) &&
		    flight->largest - c < flight->room / 2)
			break;
		flight->lost++;
		give_up(flight, c, lost, context);
	}
	settle(flight);
}

void flight_abandon(struct flight *flight, flight_lost *lost, void *context)
{
	for (uint64_t c = flight->una; c < flight->next; c++)
		if (is_set(flight, flight->open, c))
			give_up(flight, c, lost, context);
	flight->una = flight->next;
}

bool flight_is_gone(const struct flight *flight, uint64_t counter)
{
	return flight->room && counter < flight->next &&
	       flight->next - counter <= flight->room &&
	       is_set(flight, flight->gone, counter);
}

const struct flight_entry *flight_oldest(struct flight *flight)
{
	if (!flight->packets)
		return NULL;
	for (uint64_t c = flight->una; c < flight->next; c++) {
		const struct flight_entry *entry = entry_of(flight, c);

		if (is_set(flight, flight->open, c) &&
		    entry->flags & FLIGHT_COUNTS)
			return entry;
	}
	return NULL;
}
