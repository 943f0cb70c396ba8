/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/engine/backlog.h"

/* First shape: one queue for all, in the order it came. */
struct backlog {
	struct backlog_run runs[2048];
	uint32_t head, tail;
};

struct backlog *backlog_new(const struct backlog_config *config)
{
	(void)config;
	return mem_alloc(sizeof(struct backlog));
}

void backlog_free(struct backlog *backlog)
{
	free(backlog);
}

void backlog_put(struct backlog *backlog, const struct backlog_run *run,
		 uint64_t now)
{
	(void)now;
	if (backlog->tail - backlog->head == 2048)
		return;
	backlog->runs[backlog->tail++ % 2048] = *run;
}

const struct backlog_run *backlog_head(struct backlog *backlog, uint64_t now)
{
	(void)now;
	if (backlog_is_empty(backlog))
		return NULL;
	return &backlog->runs[backlog->head % 2048];
}

void backlog_took(struct backlog *backlog, int count, uint64_t now)
{
	struct backlog_run *run = &backlog->runs[backlog->head % 2048];

	(void)now;
	run->count -= (uint16_t)count;
	run->handle += (uint32_t)count;
	if (!run->count)
		backlog->head++;
}

bool backlog_is_empty(const struct backlog *backlog)
{
	return backlog->head == backlog->tail;
}

void backlog_stats(struct backlog *backlog, struct backlog_stats *stats)
{
	*stats = (struct backlog_stats){
		.runs = backlog->tail - backlog->head,
	};
}
