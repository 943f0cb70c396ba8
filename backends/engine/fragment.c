/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/engine/fragment.h"

#include <errno.h>
#include <string.h>

#include "backends/engine/wire.h"

/* A packet of which something has come. */
struct slot {
	struct fragment of; /* but for its index */
	uint8_t flags;
	uint8_t have;	/* bit n: fragment n has come */
	uint8_t buffer; /* number of its bytes */
	uint64_t since_us;
};

struct joiner {
	struct slot slots[FRAGMENT_SLOTS]; /* the first `used` of them */
	unsigned used;
	uint8_t buffers[FRAGMENT_SLOTS]; /* free ones, behind `used` */
	uint8_t bytes[FRAGMENT_SLOTS][FRAGMENT_WHOLE];
	struct joiner_stats stats;
};

static size_t step_of(size_t size, unsigned count)
{
	return (size + count - 1) / count;
}

unsigned fragment_count(size_t size, size_t room)
{
	if (size <= room)
		return 1;
	for (unsigned count = 2; count <= FRAGMENT_COUNT; count++)
		if (size <= FRAGMENT_WHOLE &&
		    step_of(size, count) + FRAGMENT_HEADER <= room)
			return count;
	return 0;
}

size_t fragment_offset(const struct fragment *fragment)
{
	return fragment->index * step_of(fragment->size, fragment->count);
}

size_t fragment_length(const struct fragment *fragment)
{
	size_t step = step_of(fragment->size, fragment->count);

	return fragment->index + 1 < fragment->count
		       ? step
		       : fragment->size - step * (fragment->count - 1U);
}

void fragment_print(const struct fragment *fragment,
		    uint8_t to[FRAGMENT_HEADER])
{
	wire_put32(to, fragment->number);
	to[4] = (uint8_t)fragment->size;
	to[5] = (uint8_t)(fragment->size >> 8);
	to[6] = fragment->index;
	to[7] = fragment->count;
}

int fragment_parse(struct fragment *fragment, const uint8_t *payload,
		   size_t size)
{
	if (size < FRAGMENT_HEADER)
		return -EBADMSG;
	*fragment = (struct fragment){
		.number = wire_get32(payload),
		.size = (uint16_t)(payload[4] | payload[5] << 8),
		.index = payload[6],
		.count = payload[7],
	};
	/* With fewer bytes than that the last one might have none. */
	if (fragment->count < 2 || fragment->count > FRAGMENT_COUNT ||
	    fragment->index >= fragment->count ||
	    fragment->size > FRAGMENT_WHOLE ||
	    fragment->size < FRAGMENT_COUNT * FRAGMENT_COUNT ||
	    size - FRAGMENT_HEADER != fragment_length(fragment))
		return -EBADMSG;
	return 0;
}

/* --- joined --------------------------------------------------------------- */

void joiner_restart(struct joiner *joiner)
{
	joiner->stats.missing += joiner->used;
	joiner->used = 0;
	for (unsigned i = 0; i < FRAGMENT_SLOTS; i++)
		joiner->buffers[i] = (uint8_t)i;
}

struct joiner *joiner_new(void)
{
	struct joiner *joiner = mem_alloc(sizeof(*joiner));

	joiner_restart(joiner);
	return joiner;
}

void joiner_free(struct joiner *joiner)
{
	free(joiner);
}

/* Its place goes to the last one, its buffer to who comes next. */
static void release(struct joiner *joiner, struct slot *slot)
{
	joiner->buffers[--joiner->used] = slot->buffer;
	*slot = joiner->slots[joiner->used];
}

static void give_up(struct joiner *joiner, struct slot *slot)
{
	joiner->stats.missing++;
	release(joiner, slot);
}

static struct slot *oldest(struct joiner *joiner)
{
	struct slot *oldest = joiner->slots;

	for (unsigned i = 1; i < joiner->used; i++)
		if (joiner->slots[i].since_us < oldest->since_us)
			oldest = &joiner->slots[i];
	return oldest;
}

/* What has waited too long is no packet's: numbers come again some day. */
static void age(struct joiner *joiner, uint64_t now_us)
{
	for (unsigned i = joiner->used; i--;)
		if (now_us >= joiner->slots[i].since_us + FRAGMENT_WAIT_US)
			give_up(joiner, &joiner->slots[i]);
}

static struct slot *find(struct joiner *joiner, uint32_t number)
{
	for (unsigned i = 0; i < joiner->used; i++)
		if (joiner->slots[i].of.number == number)
			return &joiner->slots[i];
	return NULL;
}

static struct slot *begin(struct joiner *joiner,
			  const struct fragment *fragment, uint8_t flags,
			  uint64_t now_us)
{
	struct slot *slot;

	if (joiner->used == FRAGMENT_SLOTS)
		give_up(joiner, oldest(joiner));
	slot = &joiner->slots[joiner->used];
	*slot = (struct slot){ .of = *fragment,
			       .flags = flags,
			       .buffer = joiner->buffers[joiner->used],
			       .since_us = now_us };
	joiner->used++;
	return slot;
}

static bool agrees(const struct slot *slot, const struct fragment *fragment,
		   uint8_t flags)
{
	return slot->of.size == fragment->size &&
	       slot->of.count == fragment->count && slot->flags == flags;
}

const uint8_t *joiner_put(struct joiner *joiner, const uint8_t *payload,
			  size_t size, uint8_t flags, uint64_t now_us,
			  size_t *whole)
{
	struct fragment fragment;
	struct slot *slot;
	uint8_t *bytes;

	age(joiner, now_us);
	if (fragment_parse(&fragment, payload, size) < 0) {
		joiner->stats.bad++;
		return NULL;
	}
	slot = find(joiner, fragment.number);
	if (slot && !agrees(slot, &fragment, flags)) {
		joiner->stats.bad++;
		give_up(joiner, slot);
		return NULL;
	}
	if (slot && slot->have >> fragment.index & 1) {
		joiner->stats.bad++;
		return NULL;
	}
	if (!slot)
		slot = begin(joiner, &fragment, flags, now_us);
	bytes = joiner->bytes[slot->buffer];
	memcpy(bytes + fragment_offset(&fragment), payload + FRAGMENT_HEADER,
	       size - FRAGMENT_HEADER);
	slot->have |= (uint8_t)(1U << fragment.index);
	if (slot->have != (1U << fragment.count) - 1)
		return NULL;
	*whole = slot->of.size;
	joiner->stats.joined++;
	release(joiner, slot);
	return bytes;
}

void joiner_stats(const struct joiner *joiner, struct joiner_stats *stats)
{
	*stats = joiner->stats;
	stats->waiting = joiner->used;
}
