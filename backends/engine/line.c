/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/engine/line.h"

#include <stdlib.h>

#include "backends/engine/inside.h"

enum {
	OWN_LINE = 256, /* numbers above are of lanes without one */
	BASE_US = 5000000,
	SPAN_US = 20000,
	SPAN_PACKETS = 4,
	BEST_MORE = 100, /* a hundredth more is news */
};

/* --- what comes in -------------------------------------------------------- */

static void note_base(struct inflow *inflow, uint32_t delay, uint64_t now)
{
	if (!inflow->has_base) {
		inflow->has_base = true;
		inflow->base = inflow->base_next = delay;
		inflow->base_at = now;
	}
	if (arrival_since(delay, inflow->base) < 0)
		inflow->base = delay;
	if (arrival_since(delay, inflow->base_next) < 0)
		inflow->base_next = delay;
	if (now - inflow->base_at < BASE_US)
		return;
	inflow->base = inflow->base_next;
	inflow->base_next = delay;
	inflow->base_at = now;
}

static void end_span(struct inflow *inflow, uint64_t now,
		     struct full_look *look)
{
	int32_t queue = arrival_since(inflow->least, inflow->base);

	look->span_us = (uint32_t)(now - inflow->since);
	look->queue_us = queue > 0 ? (uint32_t)queue : 0;
	look->pressed = inflow->bulky * 2 >= inflow->packets &&
			look->queue_us >= FULL_QUEUE_US;
	inflow->since = 0;
}

bool inflow_add(struct inflow *inflow, uint32_t delay, bool data, bool bulk,
		uint64_t now, struct full_look *look)
{
	int32_t queue;

	note_base(inflow, delay, now);
	queue = arrival_since(delay, inflow->base);
	inflow->queue_us = queue > 0 ? (uint32_t)queue : 0;
	if (!data)
		return false;
	/* After a pause a new span begins: who waited would not pause. */
	if (!inflow->since || now - inflow->since > FULL_US) {
		inflow->since = now;
		inflow->packets = inflow->bulky = 0;
		inflow->least = delay;
	}
	if (arrival_since(delay, inflow->least) < 0)
		inflow->least = delay;
	inflow->packets++;
	inflow->bulky += bulk;
	if (inflow->packets < SPAN_PACKETS || now - inflow->since < SPAN_US)
		return false;
	end_span(inflow, now, look);
	return true;
}

/* --- lines ---------------------------------------------------------------- */

uint16_t line_number(const struct lane *lane)
{
	uint8_t given = lane_line(lane);

	return given ? given : (uint16_t)(OWN_LINE + lane->id);
}

static struct line *find(const struct braid *braid, uint16_t number)
{
	for (size_t i = 0; i < braid->line_count; i++)
		if (braid->lines[i].number == number)
			return &braid->lines[i];
	return NULL;
}

unsigned line_meters(const struct braid *braid, uint16_t line,
		     enum braid_way way,
		     const struct meter *meters[BRAID_LANES])
{
	unsigned count = 0;

	for (unsigned i = 0; i < braid->count; i++) {
		struct lane *lane = braid->lanes[i];

		if (line == BRAID_ALL_LINES || line_number(lane) == line)
			meters[count++] =
				way == BRAID_OUT ? &lane->out : &lane->in;
	}
	return count;
}

static void say(struct braid *braid, const struct line *line,
		enum braid_way way, enum full_news news)
{
	const struct full *full = &line->full[way];

	if (news == FULL_NO_NEWS)
		return;
	braid_tell(braid, &(struct braid_event){
				  .what = news == FULL_BEGINS ? BRAID_LINE_FULL
							      : BRAID_LINE_FREE,
				  .line = line->number,
				  .way = way,
				  .value = full->rate_bps,
				  .queue_us = full->queue_us,
				  .since = full->began,
				  .at = news == FULL_BEGINS ? full->began
							    : full->ended,
			  });
}

/* The slices that have become complete since: is one the best there was? */
static void note_best(struct braid *braid, struct line *line,
		      enum braid_way way, uint64_t now)
{
	const struct meter *meters[BRAID_LANES];
	unsigned count = line_meters(braid, line->number, way, meters);
	uint64_t slice_us = braid->config.slice_us;
	uint64_t slice = now / slice_us, best = 0, at = 0;
	uint64_t from = line->slice[way];

	if (slice == from)
		return;
	line->slice[way] = slice;
	if (from + braid->config.slices < slice)
		from = slice - braid->config.slices;
	for (uint64_t i = from; i < slice; i++) {
		uint64_t bps = meter_landed_bps(meters, count, i, now);

		if (bps > best) {
			best = bps;
			at = (i + 1) * slice_us;
		}
	}
	if (best <= line->best_bps[way] + line->best_bps[way] / BEST_MORE)
		return;
	line->best_bps[way] = best;
	braid_tell(braid, &(struct braid_event){ .what = BRAID_LINE_BEST,
						 .line = line->number,
						 .way = way,
						 .value = best,
						 .at = at });
}

void line_look(struct braid *braid, const struct lane *lane, enum braid_way way,
	       struct full_look *look, uint64_t now)
{
	struct line *line = find(braid, line_number(lane));
	const struct meter *meters[BRAID_LANES];
	unsigned count;

	if (!line)
		return;
	count = line_meters(braid, line->number, way, meters);
	look->bytes = 0;
	for (unsigned i = 0; i < count; i++)
		look->bytes += meters[i]->landed;
	say(braid, line, way, full_look(&line->full[way], look, now));
	note_best(braid, line, way, now);
	note_best(braid, &braid->whole, way, now);
}

void line_timer(struct braid *braid, uint64_t now)
{
	for (size_t i = 0; i < braid->line_count; i++)
		for (int way = 0; way < BRAID_WAYS; way++)
			say(braid, &braid->lines[i], way,
			    full_timer(&braid->lines[i].full[way], now));
}

uint64_t line_next(const struct braid *braid)
{
	uint64_t next = BRAID_NEVER;

	for (size_t i = 0; i < braid->line_count; i++)
		for (int way = 0; way < BRAID_WAYS; way++) {
			uint64_t at = full_next(&braid->lines[i].full[way]);

			next = at < next ? at : next;
		}
	return next;
}

static void end_line(struct braid *braid, struct line *line)
{
	for (int way = 0; way < BRAID_WAYS; way++)
		say(braid, line, way, full_end(&line->full[way]));
}

static bool has_lane(const struct braid *braid, uint16_t number)
{
	for (unsigned i = 0; i < braid->count; i++)
		if (line_number(braid->lanes[i]) == number)
			return true;
	return false;
}

static void add_line(struct braid *braid, uint16_t number, uint64_t now)
{
	uint64_t slice = now / braid->config.slice_us;

	if (find(braid, number))
		return;
	braid->lines = mem_grow(braid->lines, braid->line_count,
				&braid->line_room, sizeof(*braid->lines));
	braid->lines[braid->line_count++] = (struct line){
		.number = number,
		.slice = { slice, slice },
	};
}

void line_review(struct braid *braid, uint64_t now)
{
	for (size_t i = 0; i < braid->line_count;) {
		if (has_lane(braid, braid->lines[i].number)) {
			i++;
			continue;
		}
		end_line(braid, &braid->lines[i]);
		braid->lines[i] = braid->lines[--braid->line_count];
	}
	for (unsigned i = 0; i < braid->count; i++)
		add_line(braid, line_number(braid->lanes[i]), now);
}

void line_slices(struct braid *braid, uint64_t now)
{
	uint64_t slice = now / braid->config.slice_us;

	for (int way = 0; way < BRAID_WAYS; way++) {
		braid->whole.slice[way] = slice;
		for (size_t i = 0; i < braid->line_count; i++)
			braid->lines[i].slice[way] = slice;
	}
}

void line_restart(struct braid *braid, uint64_t now)
{
	for (size_t i = 0; i < braid->line_count; i++)
		end_line(braid, &braid->lines[i]);
	line_review(braid, now);
}
