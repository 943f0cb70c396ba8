/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/engine/reorder.h"

#include <string.h>

#include "model/base/mem.h"

enum {
	BUCKETS = 1 << WIRE_BUCKET_BITS,
	SEQ_MASK = (1 << WIRE_SEQ_BITS) - 1,
	AHEAD_MOST = 1 << 17, /* farther off is not one of ours */
	LOOSE_BITS = 1 << 14,
	KEEP_US = 30 * 1000000, /* memory is given back when unused so long */
	NONE = 0xffff,
	SKIPPED = 0xffff,  /* size of what will not come */
	MISSED_WORDS = 8,  /* of 64 packets that were given up */
	LATELY_SHIFT = 17, /* 131 ms */
};

/* One that waits. Chained by hash of bucket and seq. */
struct slot {
	uint32_t key; /* bucket and seq, as on the wire */
	uint32_t at;  /* when it came, low bits */
	uint16_t size;
	uint16_t chain;
	uint8_t flags; /* of the inner header */
};

struct flow {
	uint32_t next;		       /* seq that is to be handed on next */
	uint16_t held;		       /* of it wait */
	uint16_t index;		       /* in waiting[], while held */
	uint32_t top;		       /* highest seq held */
	uint64_t missed[MISSED_WORDS]; /* bit seq modulo their number: it was
					* given up, of those just before next */
	uint64_t deadline;
	/* Lanes it came by, in this and the last 131 ms. */
	uint64_t lanes, lanes_before, epoch;
};

struct reorder {
	struct reorder_setup setup;
	struct reorder_patience patience;
	struct flow *flows;
	struct slot *slots; /* setup.packets of them, once needed */
	uint8_t *bytes;	    /* of their packets */
	uint16_t *heads;    /* of chains */
	uint32_t heads_mask;
	uint16_t free;	   /* chain of free slots */
	uint16_t *waiting; /* buckets of flows that hold */
	uint32_t waiting_count;
	uint64_t next; /* earliest deadline, or earlier */
	uint64_t used_at;
	uint32_t loose_top;
	bool loose_any;
	uint64_t loose[LOOSE_BITS / 64];
	uint64_t wait_us; /* of all that waited */
	struct braid_stats stats;
};

struct reorder *reorder_new(const struct reorder_setup *setup)
{
	struct reorder *reorder = mem_alloc(sizeof(*reorder));

	reorder->setup = *setup;
	reorder->flows = mem_array(BUCKETS, sizeof(*reorder->flows));
	reorder->waiting = mem_array(BUCKETS, sizeof(*reorder->waiting));
	reorder->next = BRAID_NEVER;
	return reorder;
}

static void give_back(struct reorder *reorder)
{
	free(reorder->slots);
	free(reorder->bytes);
	free(reorder->heads);
	reorder->slots = NULL;
	reorder->bytes = NULL;
	reorder->heads = NULL;
}

void reorder_free(struct reorder *reorder)
{
	if (!reorder)
		return;
	give_back(reorder);
	free(reorder->flows);
	free(reorder->waiting);
	free(reorder);
}

void reorder_patience(struct reorder *reorder,
		      const struct reorder_patience *patience)
{
	reorder->patience = *patience;
}

/* The first packet ever that has to wait; the memory is touched, and so real,
 * only as far as it is used. */
static void prepare(struct reorder *reorder)
{
	uint32_t count = reorder->setup.packets, heads = 1;

	while (heads < count)
		heads *= 2;
	reorder->slots = mem_array(count, sizeof(*reorder->slots));
	reorder->bytes = mem_array(count, reorder->setup.packet_bytes);
	reorder->heads = mem_array(heads, sizeof(*reorder->heads));
	reorder->heads_mask = heads - 1;
	memset(reorder->heads, 0xff, heads * sizeof(*reorder->heads));
	for (uint32_t i = 0; i < count; i++)
		reorder->slots[i].chain =
			i + 1 < count ? (uint16_t)(i + 1) : NONE;
	reorder->free = 0;
}

static uint16_t *head_of(struct reorder *reorder, uint32_t key)
{
	uint32_t hash = key * 0x9e3779b1U;

	return &reorder->heads[(hash >> 12) & reorder->heads_mask];
}

static uint32_t key_of(uint16_t bucket, uint32_t seq)
{
	return (uint32_t)bucket << WIRE_SEQ_BITS | (seq & SEQ_MASK);
}

/* The link to the slot, so that it can be cut; NULL for none. */
static uint16_t *find(struct reorder *reorder, uint32_t key)
{
	uint16_t *at = head_of(reorder, key);

	for (; *at != NONE; at = &reorder->slots[*at].chain)
		if (reorder->slots[*at].key == key)
			return at;
	return NULL;
}

static uint32_t ahead(const struct flow *flow, uint32_t seq)
{
	return (seq - flow->next) & SEQ_MASK;
}

static void note_lane(struct flow *flow, unsigned slot, uint64_t now)
{
	uint64_t epoch = now >> LATELY_SHIFT;

	if (epoch != flow->epoch) {
		flow->lanes_before = epoch == flow->epoch + 1 ? flow->lanes : 0;
		flow->lanes = 0;
		flow->epoch = epoch;
	}
	flow->lanes |= 1ULL << slot;
}

static bool is_one_lane(const struct flow *flow)
{
	uint64_t lanes = flow->lanes | flow->lanes_before;

	return !(lanes & (lanes - 1));
}

static void hand_on(struct reorder *reorder, const uint8_t *packet, size_t size,
		    uint8_t flags)
{
	reorder->stats.delivered++;
	reorder->setup.deliver(reorder->setup.context, packet, size, flags);
}

static uint64_t *missed_word(struct flow *flow, uint32_t seq)
{
	return &flow->missed[seq / 64 % MISSED_WORDS];
}

static void step(struct flow *flow, bool missed)
{
	uint64_t *word = missed_word(flow, flow->next);
	uint64_t bit = 1ULL << (flow->next & 63);

	*word = missed ? *word | bit : *word & ~bit;
	flow->next = (flow->next + 1) & SEQ_MASK;
}

static uint8_t *bytes_of(const struct reorder *reorder, uint16_t index)
{
	return reorder->bytes + (size_t)index * reorder->setup.packet_bytes;
}

static void release(struct reorder *reorder, struct flow *flow, uint16_t *at,
		    uint64_t now)
{
	uint16_t index = *at;
	struct slot *slot = &reorder->slots[index];
	uint32_t waited = (uint32_t)now - slot->at;

	reorder->wait_us += waited;
	if (waited > reorder->stats.hold_max_us)
		reorder->stats.hold_max_us = waited;
	*at = slot->chain;
	flow->held--;
	reorder->stats.waiting--;
	if (slot->size == SKIPPED)
		reorder->stats.skipped++;
	else
		hand_on(reorder, bytes_of(reorder, index), slot->size,
			slot->flags);
	step(flow, slot->size == SKIPPED);
	slot->chain = reorder->free;
	reorder->free = index;
}

static void no_longer_waiting(struct reorder *reorder, struct flow *flow)
{
	uint16_t last = reorder->waiting[--reorder->waiting_count];

	reorder->waiting[flow->index] = last;
	reorder->flows[last].index = flow->index;
}

/* All that is now in its turn. */
static void flush(struct reorder *reorder, uint16_t bucket, uint64_t now)
{
	struct flow *flow = &reorder->flows[bucket];
	uint16_t *at;

	if (!flow->held)
		return;
	while (flow->held && (at = find(reorder, key_of(bucket, flow->next))))
		release(reorder, flow, at, now);
	if (!flow->held)
		no_longer_waiting(reorder, flow);
}

/* The first one held, beyond the hole. */
static const struct slot *beyond(struct reorder *reorder, uint16_t bucket,
				 uint32_t *seq)
{
	const struct flow *flow = &reorder->flows[bucket];
	uint32_t far = ahead(flow, flow->top);

	for (uint32_t i = 1; i <= far; i++) {
		uint16_t *at = find(reorder, key_of(bucket, flow->next + i));

		if (at) {
			*seq = (flow->next + i) & SEQ_MASK;
			return &reorder->slots[*at];
		}
	}
	return NULL;
}

static uint32_t allowed_us(const struct reorder *reorder,
			   const struct flow *flow)
{
	uint32_t us = reorder->patience.recover_us;

	if (!is_one_lane(flow))
		us += reorder->patience.skew_us;
	return us < reorder->setup.most_us ? us : reorder->setup.most_us;
}

/* Sets the deadline of the hole the flow stands at. */
static void watch(struct reorder *reorder, uint16_t bucket, uint64_t now)
{
	struct flow *flow = &reorder->flows[bucket];
	const struct slot *slot;
	uint32_t seq;

	if (!flow->held)
		return;
	slot = beyond(reorder, bucket, &seq);
	flow->deadline = now - (uint32_t)((uint32_t)now - slot->at) +
			 allowed_us(reorder, flow);
	if (flow->deadline < reorder->next)
		reorder->next = flow->deadline;
}

/* What is missing before the first one held is given up. */
static void jump(struct reorder *reorder, uint16_t bucket, uint64_t now)
{
	struct flow *flow = &reorder->flows[bucket];
	uint32_t seq = flow->next;

	if (!flow->held)
		return;
	beyond(reorder, bucket, &seq);
	while (flow->next != seq) {
		step(flow, true);
		reorder->stats.skipped++;
	}
	flush(reorder, bucket, now);
}

static void hold(struct reorder *reorder, uint16_t bucket, uint32_t seq,
		 const uint8_t *packet, size_t size, uint8_t flags,
		 uint64_t now)
{
	struct flow *flow = &reorder->flows[bucket];
	uint16_t index = reorder->free, *head;
	struct slot *slot = &reorder->slots[index];

	reorder->free = slot->chain;
	head = head_of(reorder, key_of(bucket, seq));
	*slot = (struct slot){
		.key = key_of(bucket, seq),
		.at = (uint32_t)now,
		.size = (uint16_t)size,
		.chain = *head,
		.flags = flags,
	};
	*head = index;
	if (packet)
		memcpy(bytes_of(reorder, index), packet, size);
	if (!flow->held++) {
		flow->index = (uint16_t)reorder->waiting_count;
		reorder->waiting[reorder->waiting_count++] = bucket;
		flow->top = seq;
	} else if (ahead(flow, seq) > ahead(flow, flow->top)) {
		flow->top = seq;
	}
	if (packet)
		reorder->stats.held++;
	reorder->stats.waiting++;
	reorder->used_at = now;
}

/* Behind its turn: a copy, or it had been given up. */
static void put_late(struct reorder *reorder, struct flow *flow, uint32_t seq,
		     const uint8_t *packet, size_t size, uint8_t flags)
{
	uint32_t behind = (flow->next - 1 - seq) & SEQ_MASK;
	uint64_t *word = missed_word(flow, seq), bit = 1ULL << (seq & 63);

	if (behind < 64 * MISSED_WORDS && *word & bit) {
		*word &= ~bit;
		reorder->stats.late++;
		hand_on(reorder, packet, size, flags);
	} else {
		reorder->stats.known++;
	}
}

/* Too early. */
static void put_early(struct reorder *reorder, uint16_t bucket, uint32_t seq,
		      const uint8_t *packet, size_t size, uint8_t flags,
		      uint64_t now)
{
	struct flow *flow = &reorder->flows[bucket];
	bool first;

	if (!reorder->slots)
		prepare(reorder);
	if (flow->held && find(reorder, key_of(bucket, seq))) {
		reorder->stats.known++;
		return;
	}
	while (reorder->free == NONE && flow->held) {
		reorder->stats.full++;
		jump(reorder, bucket, now);
	}
	if (ahead(flow, seq) >= AHEAD_MOST) {
		/* What was given up for want of room went past it. */
		put_late(reorder, flow, seq, packet, size, flags);
		return;
	}
	if (seq == flow->next || reorder->free == NONE ||
	    size > reorder->setup.packet_bytes) {
		/* Nothing can wait: on it goes, and what is missing is late. */
		reorder->stats.full += reorder->free == NONE;
		while (flow->next != seq) {
			step(flow, true);
			reorder->stats.skipped++;
		}
		hand_on(reorder, packet, size, flags);
		step(flow, false);
		flush(reorder, bucket, now);
		watch(reorder, bucket, now);
		return;
	}
	first = !flow->held || ahead(flow, seq) < ahead(flow, flow->top);
	hold(reorder, bucket, seq, packet, size, flags, now);
	if (first)
		watch(reorder, bucket, now);
}

static void put_loose(struct reorder *reorder, uint32_t seq,
		      const uint8_t *packet, size_t size, uint8_t flags)
{
	uint32_t ahead_by = (seq - reorder->loose_top) & SEQ_MASK;
	uint64_t *word = &reorder->loose[seq % LOOSE_BITS / 64];

	if (!reorder->loose_any || (ahead_by && ahead_by <= SEQ_MASK / 2)) {
		if (!reorder->loose_any || ahead_by >= LOOSE_BITS)
			memset(reorder->loose, 0, sizeof(reorder->loose));
		else
			for (uint32_t i = 1; i <= ahead_by; i++) {
				uint32_t s = reorder->loose_top + i;

				reorder->loose[s % LOOSE_BITS / 64] &=
					~(1ULL << (s & 63));
			}
		reorder->loose_top = seq;
		reorder->loose_any = true;
	} else if (((reorder->loose_top - seq) & SEQ_MASK) >= LOOSE_BITS ||
		   *word >> (seq & 63) & 1) {
		reorder->stats.known++;
		return;
	}
	*word |= 1ULL << (seq & 63);
	hand_on(reorder, packet, size, flags);
}

void reorder_put(struct reorder *reorder, uint16_t bucket, uint32_t seq,
		 unsigned slot, const uint8_t *packet, size_t size,
		 uint8_t flags, uint64_t now)
{
	struct flow *flow = &reorder->flows[bucket % BUCKETS];
	uint32_t by;

	bucket %= BUCKETS;
	seq &= SEQ_MASK;
	if (bucket == WIRE_BUCKET_ANY) {
		put_loose(reorder, seq, packet, size, flags);
		return;
	}
	note_lane(flow, slot & 63, now);
	by = ahead(flow, seq);
	if (!by) {
		hand_on(reorder, packet, size, flags);
		step(flow, false);
		if (flow->held) {
			flush(reorder, bucket, now);
			watch(reorder, bucket, now);
		}
	} else if (by < AHEAD_MOST) {
		put_early(reorder, bucket, seq, packet, size, flags, now);
	} else {
		put_late(reorder, flow, seq, packet, size, flags);
	}
}

void reorder_skip(struct reorder *reorder, uint16_t bucket, uint32_t seq,
		  uint64_t now)
{
	struct flow *flow = &reorder->flows[bucket % BUCKETS];
	uint32_t by = ahead(flow, seq);

	if (bucket >= WIRE_BUCKET_ANY || by >= AHEAD_MOST)
		return;
	if (!by) {
		step(flow, true);
		reorder->stats.skipped++;
		flush(reorder, bucket, now);
		watch(reorder, bucket, now);
		return;
	}
	if (!reorder->slots)
		prepare(reorder);
	if (reorder->free == NONE || find(reorder, key_of(bucket, seq)))
		return;
	hold(reorder, bucket, seq & SEQ_MASK, NULL, SKIPPED, 0, now);
	watch(reorder, bucket, now);
}

uint64_t reorder_next(const struct reorder *reorder)
{
	return reorder->next;
}

void reorder_timer(struct reorder *reorder, uint64_t now)
{
	if (reorder->slots && !reorder->waiting_count &&
	    now - reorder->used_at > KEEP_US)
		give_back(reorder);
	if (now < reorder->next)
		return;
	reorder->next = BRAID_NEVER;
	for (uint32_t i = reorder->waiting_count; i-- > 0;) {
		uint16_t bucket = reorder->waiting[i];
		struct flow *flow = &reorder->flows[bucket];

		while (flow->held && flow->deadline <= now) {
			jump(reorder, bucket, now);
			watch(reorder, bucket, now);
		}
		if (flow->held && flow->deadline < reorder->next)
			reorder->next = flow->deadline;
	}
}

void reorder_restart(struct reorder *reorder)
{
	while (reorder->waiting_count)
		jump(reorder, reorder->waiting[0], reorder->used_at);
	memset(reorder->flows, 0, BUCKETS * sizeof(*reorder->flows));
	reorder->loose_any = false;
	reorder->next = BRAID_NEVER;
}

void reorder_stats(const struct reorder *reorder, struct braid_stats *stats)
{
	uint64_t bad = stats->bad;

	*stats = reorder->stats;
	stats->bad = bad;
	if (stats->held)
		stats->hold_mean_us =
			(uint32_t)(reorder->wait_us / stats->held);
}
