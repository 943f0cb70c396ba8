/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/engine/full.h"

enum { LOOKS_LEAST = 3, GAP_US = 100000 };

static void begin_run(struct full *full, const struct full_look *look,
		      uint64_t now)
{
	*full = (struct full){
		.since = now,
		.seen = now,
		.bytes = look->bytes,
		.span_us = look->span_us,
		.queue_us = look->queue_us,
		.rate_bps = full->rate_bps,
		.began = full->began,
		.ended = full->ended,
	};
}

static void go_on(struct full *full, const struct full_look *look, uint64_t now)
{
	full->looks++;
	full->seen = now;
	full->pressed_us += look->span_us;
	if (look->span_us > full->span_us)
		full->span_us = look->span_us;
	if (!full->is && look->queue_us > full->queue_us)
		full->queue_us = look->queue_us;
}

static bool is_long_enough(const struct full *full, uint64_t now)
{
	return full->looks >= LOOKS_LEAST && now - full->since >= FULL_US &&
	       full->pressed_us * 2 >= now - full->since;
}

enum full_news full_look(struct full *full, const struct full_look *look,
			 uint64_t now)
{
	enum full_news news = full_timer(full, now);

	if (!look->pressed) {
		if (!full->is && full->since &&
		    now - full->seen > GAP_US + 2ULL * full->span_us)
			full->since = 0;
		return news;
	}
	if (!full->since)
		begin_run(full, look, now);
	else
		go_on(full, look, now);
	if (full->is || !is_long_enough(full, now))
		return news;
	full->is = true;
	full->began = full->since;
	full->rate_bps =
		(look->bytes - full->bytes) * 8000000 / (now - full->since);
	return FULL_BEGINS;
}

enum full_news full_end(struct full *full)
{
	bool was = full->is;

	if (was)
		full->ended = full->seen;
	full->is = false;
	full->since = 0;
	return was ? FULL_ENDS : FULL_NO_NEWS;
}

uint64_t full_next(const struct full *full)
{
	return full->is ? full->seen + FREE_US + 4ULL * full->span_us
			: UINT64_MAX;
}

enum full_news full_timer(struct full *full, uint64_t now)
{
	return full_next(full) <= now ? full_end(full) : FULL_NO_NEWS;
}
