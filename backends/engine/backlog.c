/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/engine/backlog.h"

#include <sys/queue.h>

enum {
	QUEUES = 256,
	URGENT = QUEUES, /* one more, before all others */
	QUANTUM = 3000,	 /* bytes a turn */
	LIMIT_BYTES = 4 << 20,
	RUNS = 2048,
	TARGET_US = 30000,
	INTERVAL_US = 300000,
	DROPS_MOST = 64, /* in a row: nothing is dropped to nothing */
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
	int32_t deficit;
	bool listed;
	TAILQ_ENTRY(queue) turn;
	/* CoDel */
	bool dropping;
	uint64_t above_since; /* 0: below target */
	uint64_t drop_next;
	uint32_t drops;
};
TAILQ_HEAD(queues, queue);

struct backlog {
	struct backlog_config config;
	struct item *pool;
	struct items spare;
	struct queue queues[QUEUES + 1];
	struct queues fresh, turns;
	struct queue *head; /* whose run was shown last */
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
	backlog->pool = mem_array(backlog->config.runs, sizeof(struct item));
	STAILQ_INIT(&backlog->spare);
	for (uint32_t i = 0; i < backlog->config.runs; i++)
		STAILQ_INSERT_TAIL(&backlog->spare, &backlog->pool[i], next);
	for (int i = 0; i <= QUEUES; i++)
		STAILQ_INIT(&backlog->queues[i].items);
	TAILQ_INIT(&backlog->fresh);
	TAILQ_INIT(&backlog->turns);
	return backlog;
}

void backlog_free(struct backlog *backlog)
{
	if (!backlog)
		return;
	free(backlog->pool);
	free(backlog);
}

static uint32_t run_bytes(const struct backlog_run *run)
{
	return (uint32_t)(run->count - 1) * run->flow.size + run->last;
}

/* The first count packets of the first run are no longer here. */
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
	struct queue *longest = &backlog->queues[0];
	const struct item *item;

	for (int i = 1; i <= QUEUES; i++)
		if (backlog->queues[i].bytes > longest->bytes)
			longest = &backlog->queues[i];
	item = STAILQ_FIRST(&longest->items);
	if (!item)
		return;
	backlog->stats.dropped_full += item->run.count;
	cut(backlog, longest, item->run.count);
}

static struct queue *queue_of(struct backlog *backlog,
			      const struct backlog_run *run)
{
	if (run->urgent)
		return &backlog->queues[URGENT];
	return &backlog->queues[run->flow.bucket * 0x9e3779b1U >> 24];
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
	       (STAILQ_EMPTY(&backlog->spare) ||
		backlog->stats.bytes + bytes > backlog->config.limit_bytes))
		make_room(backlog);
	item = STAILQ_FIRST(&backlog->spare);
	STAILQ_REMOVE_HEAD(&backlog->spare, next);
	item->run = *run;
	item->at = now;
	STAILQ_INSERT_TAIL(&queue->items, item, next);
	queue->bytes += bytes;
	backlog->stats.bytes += bytes;
	backlog->stats.packets += run->count;
	backlog->stats.runs++;
	if (!queue->listed && !run->urgent) {
		queue->listed = true;
		queue->deficit = QUANTUM;
		TAILQ_INSERT_TAIL(&backlog->fresh, queue, turn);
		backlog->stats.flows++;
	}
}

/* --- whose turn it is --------------------------------------------------------
 */

static struct queues *list_of(struct backlog *backlog, struct queue *queue)
{
	return queue == TAILQ_FIRST(&backlog->fresh) ? &backlog->fresh
						     : &backlog->turns;
}

/* To the end of those that take turns; or out, when it had its say there. */
static void next_turn(struct backlog *backlog, struct queue *queue)
{
	bool was_fresh = list_of(backlog, queue) == &backlog->fresh;

	TAILQ_REMOVE(list_of(backlog, queue), queue, turn);
	if (STAILQ_EMPTY(&queue->items) && !was_fresh) {
		queue->listed = false;
		backlog->stats.flows--;
		return;
	}
	TAILQ_INSERT_TAIL(&backlog->turns, queue, turn);
}

static struct queue *choose(struct backlog *backlog)
{
	struct queue *queue = &backlog->queues[URGENT];

	if (!STAILQ_EMPTY(&queue->items))
		return queue;
	while ((queue = TAILQ_FIRST(&backlog->fresh)) ||
	       (queue = TAILQ_FIRST(&backlog->turns))) {
		if (STAILQ_EMPTY(&queue->items)) {
			next_turn(backlog, queue);
		} else if (queue->deficit <= 0) {
			queue->deficit += QUANTUM;
			next_turn(backlog, queue);
		} else {
			return queue;
		}
	}
	return NULL;
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
}

/* RFC 8289, 5.5, but at the clock's pace even while nothing leaves. */
static void thin_out(struct backlog *backlog, struct queue *queue, uint64_t now)
{
	uint32_t interval = backlog->config.interval_us;

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
		item->run.flow.flows = backlog->stats.flows;
		return &item->run;
	}
	return NULL;
}

void backlog_took(struct backlog *backlog, int count, uint64_t now)
{
	struct queue *queue = backlog->head;
	struct item *item = queue ? STAILQ_FIRST(&queue->items) : NULL;
	uint64_t waited;

	if (!item || count <= 0)
		return;
	waited = now - item->at;
	if (waited > backlog->stats.delay_max_us)
		backlog->stats.delay_max_us = (uint32_t)waited;
	queue->deficit -= (int32_t)cut(backlog, queue, count);
}

bool backlog_is_empty(const struct backlog *backlog)
{
	return !backlog->stats.runs;
}

void backlog_stats(struct backlog *backlog, struct backlog_stats *stats)
{
	*stats = backlog->stats;
	backlog->stats.delay_max_us = 0;
}
