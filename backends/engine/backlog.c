/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/engine/backlog.h"

#include <sys/queue.h>

enum {
	QUEUES = 1024,
	URGENT = QUEUES, /* one more, before all others */
	QUANTUM = 3000,	 /* bytes in a row, so that they leave together */
	LIMIT_BYTES = 4 << 20,
	RUNS = 2048,
	TARGET_US = 30000,
	INTERVAL_US = 300000,
	STALE_US = 1000000,
	STALE_LEAST = 12000, /* bytes of a flow that are never too old */
	DROPS_MOST = 64,     /* in a row: nothing is dropped to nothing */
};

struct item {
	struct backlog_run run;
	uint64_t at;
	STAILQ_ENTRY(item) next;
};
STAILQ_HEAD(items, item);

struct queue {
	struct items items;
	uint32_t bytes;
	uint16_t place; /* in the heap, from 1; 0: not in it */
	bool sparse;	/* it goes before those that are not */
	uint64_t tag;	/* where its next byte is, in virtual time */
	uint64_t since; /* number of when it last began to wait */
	/* CoDel */
	bool dropping;
	uint64_t above_since; /* 0: below target */
	uint64_t drop_next;
	uint32_t drops;
};

/*
 * Whose turn it is says virtual time, in bytes (start-time fair queueing,
 * Goyal, Vin and Cheng, 1996): each queue has a tag, which what it sends moves
 * on; the least one is next, and is the time. Who begins to wait does so at the
 * time, or where his last byte ended if that is later: nobody saves anything up
 * by keeping still.
 *
 * But time stands while all others have their turns. So who begins to wait, and
 * is no more than a turn ahead of time, goes first: that is who has less than
 * his share of the line, like a call, and he has it back when time comes there.
 */
struct backlog {
	struct backlog_config config;
	struct item *pool; /* of config.runs */
	uint32_t touched;  /* so many of them were ever used */
	struct items spare;
	struct queue queues[QUEUES + 1];
	struct queue *heap[QUEUES + 1]; /* from 1: those that wait, least tag
					 * first */
	unsigned count;			/* of these */
	uint64_t time, last; /* virtual; the furthest tag there was */
	uint64_t begun;	     /* numbers for `since` */
	struct queue *turn;  /* whose it is; NULL: to be chosen */
	uint32_t turn_bytes; /* that it had in it */
	struct queue *head;  /* whose run was shown last */
	struct backlog_stats stats;
};

static void set_default(uint32_t *value, uint32_t to)
{
	if (!*value)
		*value = to;
}

struct backlog *backlog_new(const struct backlog_config *config)
{
	struct backlog *backlog = mem_alloc(sizeof(*backlog));

	if (config)
		backlog->config = *config;
	set_default(&backlog->config.limit_bytes, LIMIT_BYTES);
	set_default(&backlog->config.runs, RUNS);
	set_default(&backlog->config.target_us, TARGET_US);
	set_default(&backlog->config.interval_us, INTERVAL_US);
	set_default(&backlog->config.stale_us, STALE_US);
	backlog->pool = mem_array(backlog->config.runs, sizeof(struct item));
	STAILQ_INIT(&backlog->spare);
	return backlog;
}

void backlog_free(struct backlog *backlog)
{
	if (!backlog)
		return;
	free(backlog->pool);
	free(backlog);
}

/* --- who waits, and who is next ------------------------------------------- */

static bool is_before(const struct queue *a, const struct queue *b)
{
	if (a->sparse != b->sparse)
		return a->sparse;
	return a->tag != b->tag ? a->tag < b->tag : a->since < b->since;
}

static void heap_put(struct backlog *backlog, unsigned place,
		     struct queue *queue)
{
	backlog->heap[place] = queue;
	queue->place = (uint16_t)place;
}

static void heap_rise(struct backlog *backlog, struct queue *queue)
{
	unsigned at = queue->place;

	for (; at > 1 && is_before(queue, backlog->heap[at / 2]); at /= 2)
		heap_put(backlog, at, backlog->heap[at / 2]);
	heap_put(backlog, at, queue);
}

static void heap_sink(struct backlog *backlog, struct queue *queue)
{
	unsigned at = queue->place, below;

	while ((below = 2 * at) <= backlog->count) {
		if (below < backlog->count &&
		    is_before(backlog->heap[below + 1], backlog->heap[below]))
			below++;
		if (!is_before(backlog->heap[below], queue))
			break;
		heap_put(backlog, at, backlog->heap[below]);
		at = below;
	}
	heap_put(backlog, at, queue);
}

static bool is_sparse(const struct backlog *backlog, const struct queue *queue)
{
	return queue->tag <= backlog->time + QUANTUM;
}

static void begin_to_wait(struct backlog *backlog, struct queue *queue)
{
	if (queue->tag < backlog->time)
		queue->tag = backlog->time;
	queue->sparse = is_sparse(backlog, queue);
	queue->since = backlog->begun++;
	heap_put(backlog, ++backlog->count, queue);
	heap_rise(backlog, queue);
	backlog->turn = NULL;
}

static void end_to_wait(struct backlog *backlog, struct queue *queue)
{
	struct queue *other = backlog->heap[backlog->count--];

	if (other != queue) {
		heap_put(backlog, queue->place, other);
		heap_rise(backlog, other);
		heap_sink(backlog, other);
	}
	queue->place = 0;
	if (backlog->turn == queue)
		backlog->turn = NULL;
	if (!backlog->count)
		backlog->time = backlog->last;
}

/* It has less than before, or its tag moved. */
static void settle(struct backlog *backlog, struct queue *queue)
{
	if (queue->tag > backlog->last)
		backlog->last = queue->tag;
	if (!queue->place)
		return;
	if (STAILQ_EMPTY(&queue->items)) {
		end_to_wait(backlog, queue);
		return;
	}
	if (queue->sparse && !is_sparse(backlog, queue)) {
		queue->sparse = false;
		backlog->turn = NULL;
	}
	heap_sink(backlog, queue);
}

static struct queue *choose(struct backlog *backlog)
{
	struct queue *queue = &backlog->queues[URGENT];

	if (!STAILQ_EMPTY(&queue->items))
		return queue;
	if (backlog->turn && backlog->turn_bytes < QUANTUM)
		return backlog->turn;
	if (!backlog->count)
		return NULL;
	backlog->turn = backlog->heap[1];
	backlog->turn_bytes = 0;
	if (!backlog->turn->sparse)
		backlog->time = backlog->turn->tag;
	return backlog->turn;
}

/* --- runs ------------------------------------------------------------------
 */

static bool has_item(const struct backlog *backlog)
{
	return !STAILQ_EMPTY(&backlog->spare) ||
	       backlog->touched < backlog->config.runs;
}

/* One that was used before, if there is one: the rest of the pool stays
 * untouched. */
static struct item *take_item(struct backlog *backlog)
{
	struct item *item = STAILQ_FIRST(&backlog->spare);

	if (!item)
		return &backlog->pool[backlog->touched++];
	STAILQ_REMOVE_HEAD(&backlog->spare, next);
	return item;
}

static uint32_t run_bytes(const struct backlog_run *run)
{
	return (uint32_t)(run->count - 1) * run->flow.size + run->last;
}

/* The first count packets of the first run are no longer here: settle() it. */
static uint32_t cut(struct backlog *backlog, struct queue *queue, int count)
{
	struct item *item = STAILQ_FIRST(&queue->items);
	struct backlog_run *run = &item->run;
	uint32_t bytes;

	if (count >= run->count) {
		count = run->count;
		bytes = run_bytes(run);
		STAILQ_REMOVE_HEAD(&queue->items, next);
		STAILQ_INSERT_HEAD(&backlog->spare, item, next);
		backlog->stats.runs--;
	} else {
		bytes = (uint32_t)count * run->flow.size;
		run->count -= (uint16_t)count;
		run->handle += (uint32_t)count;
	}
	queue->bytes -= bytes;
	backlog->stats.bytes -= bytes;
	backlog->stats.packets -= (uint32_t)count;
	return bytes;
}

/* There is no room: the longest queue gives its oldest run. */
static void make_room(struct backlog *backlog)
{
	struct queue *longest = &backlog->queues[URGENT];
	const struct item *item;

	for (unsigned i = 1; i <= backlog->count; i++)
		if (backlog->heap[i]->bytes > longest->bytes)
			longest = backlog->heap[i];
	item = STAILQ_FIRST(&longest->items);
	if (!item)
		return;
	backlog->stats.dropped_full += item->run.count;
	cut(backlog, longest, item->run.count);
	settle(backlog, longest);
}

static struct queue *queue_of(struct backlog *backlog,
			      const struct backlog_run *run)
{
	if (run->urgent)
		return &backlog->queues[URGENT];
	return &backlog->queues[run->flow.bucket * 0x9e3779b1U >> 22];
}

void backlog_put(struct backlog *backlog, const struct backlog_run *run,
		 uint64_t now)
{
	struct queue *queue = queue_of(backlog, run);
	uint32_t bytes;
	struct item *item;

	if (!run->count)
		return;
	bytes = run_bytes(run);
	while (backlog->stats.runs &&
	       (!has_item(backlog) ||
		backlog->stats.bytes + bytes > backlog->config.limit_bytes))
		make_room(backlog);
	item = take_item(backlog);
	item->run = *run;
	item->at = now;
	if (!queue->items.stqh_last)
		STAILQ_INIT(&queue->items); /* now, as it is touched */
	STAILQ_INSERT_TAIL(&queue->items, item, next);
	queue->bytes += bytes;
	backlog->stats.bytes += bytes;
	backlog->stats.packets += run->count;
	backlog->stats.runs++;
	if (!queue->place && !run->urgent)
		begin_to_wait(backlog, queue);
}

/* --- CoDel
 * -------------------------------------------------------------------- */

static uint32_t root(uint32_t value)
{
	uint32_t r = 1;

	while ((r + 1) * (r + 1) <= value)
		r++;
	return r;
}

static bool stands(const struct backlog *backlog, struct queue *queue,
		   uint64_t now)
{
	const struct item *item = STAILQ_FIRST(&queue->items);

	if (!item || now - item->at < backlog->config.target_us ||
	    queue->bytes <= QUANTUM) {
		queue->above_since = 0;
		return false;
	}
	if (!queue->above_since)
		queue->above_since = now;
	return now - queue->above_since >= backlog->config.interval_us;
}

static void drop_one(struct backlog *backlog, struct queue *queue)
{
	backlog->stats.dropped_stood++;
	cut(backlog, queue, 1);
	settle(backlog, queue);
}

/* What is so old is of no use to who waits for it, and what was sent without
 * asking whether it arrives would have its share of the line for minutes after
 * its end. */
static void drop_stale(struct backlog *backlog, struct queue *queue,
		       uint64_t now)
{
	const struct item *item;

	while (queue->bytes > STALE_LEAST &&
	       (item = STAILQ_FIRST(&queue->items)) &&
	       now - item->at > backlog->config.stale_us)
		drop_one(backlog, queue);
}

/* RFC 8289, 5.5, but at the clock's pace even while nothing leaves. */
static void thin_out(struct backlog *backlog, struct queue *queue, uint64_t now)
{
	uint32_t interval = backlog->config.interval_us;

	drop_stale(backlog, queue, now);
	if (!stands(backlog, queue, now)) {
		queue->dropping = false;
		return;
	}
	if (!queue->dropping) {
		queue->dropping = true;
		drop_one(backlog, queue);
		queue->drops = queue->drops > 2 && now - queue->drop_next <
							   8 * interval
				       ? queue->drops - 2
				       : 1;
		queue->drop_next = now + interval / root(queue->drops);
	}
	for (int i = 0; i < DROPS_MOST && now >= queue->drop_next; i++) {
		if (!stands(backlog, queue, now))
			break;
		drop_one(backlog, queue);
		queue->drops++;
		queue->drop_next += interval / root(queue->drops);
	}
}

const struct backlog_run *backlog_head(struct backlog *backlog, uint64_t now)
{
	struct queue *queue;

	while ((queue = choose(backlog))) {
		struct item *item;

		thin_out(backlog, queue, now);
		backlog->head = queue;
		item = STAILQ_FIRST(&queue->items);
		if (!item)
			continue;
		item->run.flow.waiting = queue->bytes;
		item->run.flow.flows = backlog->count;
		return &item->run;
	}
	return NULL;
}

void backlog_took(struct backlog *backlog, int count, uint64_t now)
{
	struct queue *queue = backlog->head;
	struct item *item = queue ? STAILQ_FIRST(&queue->items) : NULL;
	uint32_t bytes;
	uint64_t waited;

	if (!item || count <= 0)
		return;
	waited = now - item->at;
	if (waited > backlog->stats.delay_max_us)
		backlog->stats.delay_max_us = (uint32_t)waited;
	bytes = cut(backlog, queue, count);
	if (!queue->place)
		return; /* urgent */
	queue->tag += bytes;
	backlog->turn_bytes += bytes;
	settle(backlog, queue);
}

bool backlog_is_empty(const struct backlog *backlog)
{
	return !backlog->stats.runs;
}

void backlog_stats(struct backlog *backlog, struct backlog_stats *stats)
{
	*stats = backlog->stats;
	stats->flows = backlog->count;
	backlog->stats.delay_max_us = 0;
}
