/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/engine/reorder.h"

#include <string.h>

#include "backends/engine/shelf.h"
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

/* One that waits: chained by hash of bucket and seq, and in its flow's heap (a
 * pairing heap, Fredman et al. 1986), which is a tree with the lowest seq at
 * its root. Slots are named by their index. */
struct slot {
	uint32_t key; /* bucket and seq, as on the wire */
	uint32_t at;  /* when it came, low bits */
	uint16_t size;
	uint16_t chain;
	uint16_t below, beside; /* first child, next sibling */
	uint8_t flags;		/* of the inner header */
};

struct flow {
	uint32_t next;		       /* seq that is to be handed on next */
	uint16_t held;		       /* of it wait */
	uint16_t index;		       /* in waiting[], while held */
	uint16_t first;		       /* slot of the lowest, while held */
	uint64_t missed[MISSED_WORDS]; /* bit seq modulo their number: it was
					* given up, of those just before next */
	uint64_t deadline;
	/* Lanes it came by, in this and the last 131 ms. */
	uint64_t lanes, lanes_before, epoch;
};

/* What there is while packets move. */
struct moving {
	struct shelf_taken taken;
	uint64_t loose[LOOSE_BITS / 64];
	uint16_t waiting[BUCKETS]; /* buckets of flows that hold */
	struct flow flows[BUCKETS];
};

struct reorder {
	struct reorder_setup setup;
	struct reorder_patience patience;
	struct moving *moving; /* NULL: at rest */
	struct shelf numbers;  /* of flows that rest */
	struct slot *slots;    /* setup.packets of them, once needed */
	uint8_t *bytes;	       /* of their packets */
	uint16_t *heads;       /* of chains */
	uint32_t head_count;
	uint16_t free;		/* chain of free slots */
	uint32_t waiting_count; /* of moving->waiting[] */
	uint64_t next;		/* earliest deadline, or earlier */
	uint64_t used_at;
	uint32_t loose_top;
	bool loose_any;
	uint64_t wait_us; /* of all that waited */
	struct braid_stats stats;
};

struct reorder *reorder_new(const struct reorder_setup *setup)
{
	struct reorder *reorder = mem_alloc(sizeof(*reorder));

	reorder->setup = *setup;
	if (!setup->salt)
		reorder->setup.salt = 0x9e3779b1;
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
	free(reorder->moving);
	shelf_clear(&reorder->numbers);
	free(reorder);
}

/* What has no order and is older than the rest comes too late. */
static struct moving *move(struct reorder *reorder)
{
	if (reorder->moving)
		return reorder->moving;
	reorder->moving = mem_alloc(sizeof(*reorder->moving));
	if (reorder->loose_any)
		memset(reorder->moving->loose, 0xff,
		       sizeof(reorder->moving->loose));
	return reorder->moving;
}

static struct flow *flow_of(struct reorder *reorder, uint16_t bucket)
{
	struct moving *moving = move(reorder);
	struct flow *flow = &moving->flows[bucket];

	if (shelf_take(&moving->taken, bucket))
		flow->next = shelf_number(&reorder->numbers, bucket);
	return flow;
}

static uint32_t next_of(const void *flows, uint16_t bucket)
{
	return ((const struct flow *)flows)[bucket].next;
}

bool reorder_rest(struct reorder *reorder)
{
	struct moving *moving = reorder->moving;

	if (reorder->waiting_count)
		return false;
	give_back(reorder);
	if (!moving)
		return true;
	shelf_put(&reorder->numbers, &moving->taken, next_of, moving->flows);
	free(TAKE(reorder->moving));
	return true;
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
	uint32_t count = reorder->setup.packets, heads = count;

	reorder->slots = mem_array(count, sizeof(*reorder->slots));
	reorder->bytes = mem_array(count, reorder->setup.packet_bytes);
	reorder->heads = mem_array(heads, sizeof(*reorder->heads));
	reorder->head_count = heads;
	memset(reorder->heads, 0xff, heads * sizeof(*reorder->heads));
	for (uint32_t i = 0; i < count; i++)
		reorder->slots[i].chain =
			i + 1 < count ? (uint16_t)(i + 1) : NONE;
	reorder->free = 0;
}

/* Multiply-shift (Dietzfelbinger et al. 1997): who does not know the factor
 * makes no long chains. */
static uint16_t *head_of(struct reorder *reorder, uint32_t key)
{
	uint32_t hash = key * (reorder->setup.salt | 1);

	return &reorder->heads[(uint64_t)hash * reorder->head_count >> 32];
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

/* --- the heap of a flow --------------------------------------------------- */

static uint32_t first_seq(const struct reorder *reorder,
			  const struct flow *flow)
{
	return reorder->slots[flow->first].key & SEQ_MASK;
}

/* One of two. */
static uint16_t meld(struct reorder *reorder, const struct flow *flow,
		     uint16_t a, uint16_t b)
{
	struct slot *slots = reorder->slots;
	uint16_t child = b;

	if (a == NONE || b == NONE)
		return a == NONE ? b : a;
	if (ahead(flow, slots[b].key) < ahead(flow, slots[a].key)) {
		child = a;
		a = b;
	}
	slots[child].beside = slots[a].below;
	slots[a].below = child;
	return a;
}

/* The first leaves: its children become one heap, by pairs from the left and
 * then from the right. */
static void pop(struct reorder *reorder, struct flow *flow)
{
	struct slot *slots = reorder->slots;
	uint16_t at = slots[flow->first].below, pairs = NONE, heap = NONE;

	while (at != NONE) {
		uint16_t a = at, b = slots[a].beside, pair;

		at = b == NONE ? NONE : slots[b].beside;
		slots[a].beside = NONE;
		if (b != NONE)
			slots[b].beside = NONE;
		pair = meld(reorder, flow, a, b);
		slots[pair].beside = pairs;
		pairs = pair;
	}
	while (pairs != NONE) {
		at = slots[pairs].beside;
		slots[pairs].beside = NONE;
		heap = meld(reorder, flow, heap, pairs);
		pairs = at;
	}
	flow->first = heap;
}

/* --- whose turn it is ----------------------------------------------------- */

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

/* What is before seq will not be waited for. Of many the last count. */
static void give_up(struct reorder *reorder, struct flow *flow, uint32_t seq)
{
	uint32_t count = ahead(flow, seq);

	reorder->stats.skipped += count;
	if (count < 64 * MISSED_WORDS) {
		while (flow->next != seq)
			step(flow, true);
		return;
	}
	memset(flow->missed, 0xff, sizeof(flow->missed));
	flow->next = seq & SEQ_MASK;
}

static uint8_t *bytes_of(const struct reorder *reorder, uint16_t index)
{
	return reorder->bytes + (size_t)index * reorder->setup.packet_bytes;
}

/* The first one held, whose turn it is. */
static void release(struct reorder *reorder, struct flow *flow, uint64_t now)
{
	uint16_t index = flow->first;
	struct slot *slot = &reorder->slots[index];
	uint32_t waited = (uint32_t)now - slot->at;

	reorder->wait_us += waited;
	if (waited > reorder->stats.hold_max_us)
		reorder->stats.hold_max_us = waited;
	*find(reorder, slot->key) = slot->chain;
	pop(reorder, flow);
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
	struct moving *moving = reorder->moving;
	uint16_t last = moving->waiting[--reorder->waiting_count];

	moving->waiting[flow->index] = last;
	moving->flows[last].index = flow->index;
}

/* All that is now in its turn. */
static void flush(struct reorder *reorder, struct flow *flow, uint64_t now)
{
	if (!flow->held)
		return;
	while (flow->held && first_seq(reorder, flow) == flow->next)
		release(reorder, flow, now);
	if (!flow->held)
		no_longer_waiting(reorder, flow);
}

static uint32_t allowed_us(const struct reorder *reorder,
			   const struct flow *flow)
{
	uint32_t us = reorder->patience.recover_us;

	if (!is_one_lane(flow))
		us += reorder->patience.skew_us;
	return us < reorder->setup.most_us ? us : reorder->setup.most_us;
}

/* Sets the deadline of the hole the flow stands at: from when the first one
 * beyond it came. */
static void watch(struct reorder *reorder, struct flow *flow, uint64_t now)
{
	uint32_t waited;

	if (!flow->held)
		return;
	waited = (uint32_t)now - reorder->slots[flow->first].at;
	flow->deadline = now - waited + allowed_us(reorder, flow);
	if (flow->deadline < reorder->next)
		reorder->next = flow->deadline;
}

/* What is missing before the first one held is given up. */
static void jump(struct reorder *reorder, struct flow *flow, uint64_t now)
{
	give_up(reorder, flow, first_seq(reorder, flow));
	flush(reorder, flow, now);
}

/* Whether it is the first now. */
static bool hold(struct reorder *reorder, uint16_t bucket, uint32_t seq,
		 const uint8_t *packet, size_t size, uint8_t flags,
		 uint64_t now)
{
	struct flow *flow = flow_of(reorder, bucket);
	uint16_t index = reorder->free, *head;
	struct slot *slot = &reorder->slots[index];

	reorder->free = slot->chain;
	head = head_of(reorder, key_of(bucket, seq));
	*slot = (struct slot){
		.key = key_of(bucket, seq),
		.at = (uint32_t)now,
		.size = (uint16_t)size,
		.chain = *head,
		.below = NONE,
		.beside = NONE,
		.flags = flags,
	};
	*head = index;
	if (packet)
		memcpy(bytes_of(reorder, index), packet, size);
	if (!flow->held++) {
		flow->index = (uint16_t)reorder->waiting_count;
		reorder->moving->waiting[reorder->waiting_count++] = bucket;
		flow->first = NONE;
	}
	flow->first = meld(reorder, flow, flow->first, index);
	if (packet)
		reorder->stats.held++;
	reorder->stats.waiting++;
	reorder->used_at = now;
	return flow->first == index;
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

/* It cannot wait: on it goes, and what is missing is late. */
static void put_past(struct reorder *reorder, struct flow *flow, uint32_t seq,
		     const uint8_t *packet, size_t size, uint8_t flags,
		     uint64_t now)
{
	while (flow->held &&
	       ahead(flow, first_seq(reorder, flow)) < ahead(flow, seq))
		jump(reorder, flow, now);
	give_up(reorder, flow, seq);
	hand_on(reorder, packet, size, flags);
	step(flow, false);
	flush(reorder, flow, now);
	watch(reorder, flow, now);
}

/* Too early. */
static void put_early(struct reorder *reorder, uint16_t bucket, uint32_t seq,
		      const uint8_t *packet, size_t size, uint8_t flags,
		      uint64_t now)
{
	struct flow *flow = flow_of(reorder, bucket);

	if (!reorder->slots)
		prepare(reorder);
	if (flow->held && find(reorder, key_of(bucket, seq))) {
		reorder->stats.known++;
		return;
	}
	while (reorder->free == NONE && flow->held) {
		reorder->stats.full++;
		jump(reorder, flow, now);
	}
	if (ahead(flow, seq) >= AHEAD_MOST) {
		/* What was given up for want of room went past it. */
		put_late(reorder, flow, seq, packet, size, flags);
		return;
	}
	if (seq == flow->next || reorder->free == NONE ||
	    size > reorder->setup.packet_bytes) {
		reorder->stats.full += reorder->free == NONE;
		put_past(reorder, flow, seq, packet, size, flags, now);
		return;
	}
	if (hold(reorder, bucket, seq, packet, size, flags, now))
		watch(reorder, flow, now);
}

/* Of so many from this one on nothing is known any more. */
static void forget_loose(uint64_t *loose, uint32_t from, uint32_t count)
{
	while (count) {
		uint32_t bit = from & 63, most = 64 - bit;
		uint32_t bits = count < most ? count : most;

		loose[from % LOOSE_BITS / 64] &= ~(~0ULL >> (64 - bits) << bit);
		from += bits;
		count -= bits;
	}
}

static void put_loose(struct reorder *reorder, uint32_t seq,
		      const uint8_t *packet, size_t size, uint8_t flags)
{
	uint32_t ahead_by = (seq - reorder->loose_top) & SEQ_MASK;
	uint64_t *loose = move(reorder)->loose;
	uint64_t *word = &loose[seq % LOOSE_BITS / 64];

	if (!reorder->loose_any || (ahead_by && ahead_by <= SEQ_MASK / 2)) {
		if (!reorder->loose_any || ahead_by >= LOOSE_BITS)
			memset(loose, 0, LOOSE_BITS / 8);
		else
			forget_loose(loose, reorder->loose_top + 1, ahead_by);
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
	struct flow *flow;
	uint32_t by;

	bucket %= BUCKETS;
	seq &= SEQ_MASK;
	if (bucket == WIRE_BUCKET_ANY) {
		put_loose(reorder, seq, packet, size, flags);
		return;
	}
	flow = flow_of(reorder, bucket);
	note_lane(flow, slot & 63, now);
	by = ahead(flow, seq);
	if (!by) {
		hand_on(reorder, packet, size, flags);
		step(flow, false);
		if (flow->held) {
			flush(reorder, flow, now);
			watch(reorder, flow, now);
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
	struct flow *flow;
	uint32_t by;

	if (bucket >= WIRE_BUCKET_ANY)
		return;
	flow = flow_of(reorder, bucket);
	by = ahead(flow, seq);
	if (by >= AHEAD_MOST)
		return;
	if (!by) {
		step(flow, true);
		reorder->stats.skipped++;
		flush(reorder, flow, now);
		watch(reorder, flow, now);
		return;
	}
	if (!reorder->slots)
		prepare(reorder);
	if (reorder->free == NONE || find(reorder, key_of(bucket, seq)))
		return;
	if (hold(reorder, bucket, seq & SEQ_MASK, NULL, SKIPPED, 0, now))
		watch(reorder, flow, now);
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
		struct moving *moving = reorder->moving;
		struct flow *flow = &moving->flows[moving->waiting[i]];

		while (flow->held && flow->deadline <= now) {
			jump(reorder, flow, now);
			watch(reorder, flow, now);
		}
		if (flow->held && flow->deadline < reorder->next)
			reorder->next = flow->deadline;
	}
}

void reorder_restart(struct reorder *reorder)
{
	struct moving *moving = reorder->moving;

	while (reorder->waiting_count)
		jump(reorder, &moving->flows[moving->waiting[0]],
		     reorder->used_at);
	free(TAKE(reorder->moving));
	shelf_clear(&reorder->numbers);
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
