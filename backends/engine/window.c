/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/engine/window.h"

#include <string.h>

#include "backends/engine/arrival.h"

enum {
	FIRST_PACKETS = 32,
	LEAST_PACKETS = 4,
	BASE_US = 5000000, /* two of these: the span of the best delay */
	BASE_MANY = 6,	   /* while others fill the queue: so many times that */
	BASE_NEAR_US = 1000,
	BASE_STALE_US = 4000000,
	ROUND_LEAST_US = 10000,
	ROUND_MOST_US = 200000,
	PAUSE_US = 1000000, /* between acks of a line at rest */
	ROUND_PACKETS = 10,
	QUICK_US = 10000, /* or what the packets take */
	QUICK_PACKETS = 5,
	QUICK_MOST_US = 100000,
	RATE_SPAN_US = 20000,
	REST_US = 1000000, /* who has sent so long is no newcomer */
	REST_PACKETS = 2,  /* the first of a flow */
	SNAP_US = 1000,
	HOLD_US = 2000000,
	HOLD_MOST = 3,	   /* times it is doubled */
	POLICED_LOST = 16, /* datagrams */
	LOSS_LITTLE = 50,  /* one of so many */
	LOSS_MUCH = 4,
	PACE_POLICED = 16,
	PACE_MORE = 4,	  /* a quarter faster than known */
	PACE_TARGETS = 2, /* of queue at most from one burst */
	/* Below half of what the times on the wire hold (67 s): of a longer one
	 * nobody knows how much of it the ack waited. An end stood still. */
	RTT_MOST_US = 30000000,
};

#define MEBI (1024 * 1024)
/* 10 Gbit/s over 400 ms; keeps sums in 32 bits. */
#define MOST (512U * MEBI)

static uint32_t least(const struct window *window)
{
	return LEAST_PACKETS * window->packet;
}

static uint32_t clamp(const struct window *window, uint64_t bytes)
{
	if (bytes < least(window))
		return least(window);
	return bytes > MOST ? MOST : (uint32_t)bytes;
}

void window_init(struct window *window, uint32_t target_us, uint32_t packet)
{
	*window = (struct window){
		.target_us = target_us,
		.packet = packet,
		.startup = true,
		.bytes = FIRST_PACKETS * packet,
		.quick = { UINT32_MAX, UINT32_MAX },
		.round_queue_us = UINT32_MAX,
		.round_rtt_us = UINT32_MAX,
	};
}

void window_restart(struct window *window)
{
	struct window old = *window;

	window_init(window, old.target_us, old.packet);
	window->srtt_us = old.srtt_us;
	window->var_us = old.var_us;
}

static void note_rtt(struct window *window, const struct window_ack *ack,
		     uint64_t now)
{
	uint32_t rtt = ack->rtt_us, off;

	if (ack->wait_us < rtt)
		rtt -= ack->wait_us;
	if (!window->told_us || now - window->told_at > PAUSE_US)
		window->told_us = rtt;
	window->told_us += ((int32_t)rtt - (int32_t)window->told_us) / 8;
	window->told_at = now;
	if (!window->srtt_us) {
		window->srtt_us = rtt ? rtt : 1;
		window->var_us = rtt / 2;
		window->min_us = window->min_next_us = rtt;
		return;
	}
	off = rtt > window->srtt_us ? rtt - window->srtt_us
				    : window->srtt_us - rtt;
	window->var_us += ((int32_t)off - (int32_t)window->var_us) / 16;
	window->srtt_us += ((int32_t)rtt - (int32_t)window->srtt_us) / 8;
	if (!window->srtt_us)
		window->srtt_us = 1;
	if (rtt < window->min_us)
		window->min_us = rtt;
	if (rtt < window->min_next_us)
		window->min_next_us = rtt;
	if (ack->rtt_us < window->round_rtt_us)
		window->round_rtt_us = ack->rtt_us;
}

static void note_base(struct window *window, uint32_t delay, uint64_t now)
{
	if (!window->has_base) {
		window->has_base = true;
		window->base = window->base_next = delay;
		window->base_at = window->base_seen = now;
	}
	if (arrival_since(delay, window->base) < 0)
		window->base = delay;
	if (arrival_since(delay, window->base_next) < 0)
		window->base_next = delay;
	if (now - window->base_at >=
	    (window->contest.on ? BASE_MANY * BASE_US : BASE_US)) {
		window->base = window->base_next;
		window->base_next = delay;
		window->base_at = now;
		window->min_us = window->min_next_us;
		window->min_next_us = window->srtt_us;
	}
	if (arrival_since(delay, window->base) < BASE_NEAR_US)
		window->base_seen = now;
}

static void note_queue(struct window *window, uint32_t delay, uint64_t now)
{
	int32_t queue;

	note_base(window, delay, now);
	queue = arrival_since(delay, window->base);
	window->delay = delay;
	window->queue_us = queue > 0 ? (uint32_t)queue : 0;
	if (now - window->quick_at >= QUICK_US &&
	    (window->quick_packets >= QUICK_PACKETS ||
	     now - window->quick_at >= QUICK_MOST_US)) {
		window->quick[1] = window->quick[0];
		window->quick[0] = UINT32_MAX;
		window->quick_at = now;
		window->quick_packets = 0;
	}
	if (window->queue_us < window->quick[0])
		window->quick[0] = window->queue_us;
	window->quick_us = window->quick[0] < window->quick[1]
				   ? window->quick[0]
				   : window->quick[1];
	if (window->queue_us < window->round_queue_us)
		window->round_queue_us = window->queue_us;
}

static uint64_t rate_between(const struct window_snap *from,
			     const struct window_snap *to)
{
	int32_t us = arrival_since(to->time, from->time);

	if (us <= 0)
		return 0;
	return (uint64_t)(to->bytes - from->bytes) * 1000000 / (uint32_t)us;
}

/* Over the last span, by the receiver's clock. */
static uint64_t rate_lately(const struct window *window,
			    const struct window_snap *now, int32_t span_us)
{
	const struct window_snap *from = NULL;

	for (unsigned i = 1; i <= WINDOW_SNAPS; i++) {
		from = &window->snaps[(window->snap - i) % WINDOW_SNAPS];
		if (arrival_since(now->time, from->time) >= span_us)
			break;
	}
	return rate_between(from, now);
}

static void note_snap(struct window *window, const struct window_snap *now)
{
	const struct window_snap *last =
		&window->snaps[(window->snap - 1) % WINDOW_SNAPS];
	int32_t since = arrival_since(now->time, last->time);

	if (since < 0 || since >= SNAP_US)
		window->snaps[window->snap++ % WINDOW_SNAPS] = *now;
}

static uint64_t product(uint64_t rate, uint64_t us)
{
	return rate * us / 1000000;
}

/* The line is known to be busy: this is what it carries. */
static void settle(struct window *window, uint64_t rate)
{
	window->bytes =
		clamp(window,
		      product(rate, window->pipe_us + contest_aim_us(window)));
	window->rate = rate;
	window->known = true;
	window->startup = false;
	window->step_us = window->target_us;
	window->grown = 0;
}

/* For who wants to know whether the line is full. A round that began in a pause
 * lasted no longer than others: who waited would not pause. */
static void note_pressed(struct window *window, bool busy, uint64_t now)
{
	uint64_t span = now - window->round_at;
	uint32_t most = window->srtt_us + ROUND_MOST_US;

	window->news = true;
	window->pressed = busy && window->limited;
	window->pressed_us = span < most ? (uint32_t)span : most;
	window->pressed_queue_us = window->round_queue_us;
}

static void note_rate(struct window *window, uint64_t rate, bool busy)
{
	if (busy || rate > window->rate)
		window->rate = rate;
	if (busy)
		window->known = true;
}

/* More under way and no more arrived, but some was lost. */
static bool is_in_vain(const struct window *window, uint64_t rate,
		       unsigned rounds, unsigned part)
{
	uint32_t all = window->round_lost + window->round_acked;

	return window->grown >= rounds && window->round_lost * part > all &&
	       rate < window->grown_from + window->grown_from / 10;
}

/* A policer has no queue: beyond the pipe all is lost. */
static void police(struct window *window, uint64_t rate, uint64_t now)
{
	window->bytes = clamp(window, product(rate, window->pipe_us));
	window->rate = rate;
	window->known = true;
	window->startup = false;
	window->hold_until = now + (HOLD_US << window->policed);
	window->policed += window->policed < HOLD_MOST;
	window->step_us = window->target_us;
	window->grown = 0;
}

/* Much is lost, and there is no queue. Twice in a row: what a queue dropped is
 * known only when it has drained. */
static bool is_policed(const struct window *window)
{
	return window->round_lost >= POLICED_LOST &&
	       window->queue_us < window->target_us / 2 &&
	       window->quick_us < window->target_us / 2 &&
	       window->round_lost * LOSS_MUCH >
		       window->round_lost + window->round_acked;
}

static void grow(struct window *window, uint64_t rate, uint64_t now)
{
	uint64_t step = product(rate, window->step_us);

	if (now < window->hold_until) {
		if (window->policed &&
		    window->round_lost * 20 >
			    window->round_lost + window->round_acked) {
			window->bytes = clamp(window, window->bytes / 8 * 7);
			window->rate -= window->rate / 8;
		}
		return;
	}
	if (is_in_vain(window, rate, 1, LOSS_MUCH)) {
		police(window, rate, now);
		return;
	}
	if (is_in_vain(window, rate, 3, LOSS_LITTLE)) {
		window->bytes =
			clamp(window, product(rate, window->pipe_us +
							    window->target_us));
		window->hold_until = now + HOLD_US;
		window->grown = 0;
		return;
	}
	if (!window->grown++)
		window->grown_from = rate;
	if (window->grown > 3 && rate > window->grown_from / 10 * 11)
		window->policed = 0;
	if (step > window->bytes / 4)
		step = window->bytes / 4;
	if (step < window->packet)
		step = window->packet;
	window->bytes = clamp(window, window->bytes + step);
	if (window->step_us < 8 * window->target_us && !window->policed)
		window->step_us *= 2;
}

static void end_round(struct window *window, const struct window_snap *snap,
		      uint64_t now)
{
	uint64_t rate = rate_between(&window->round_snap, snap);
	uint32_t queue = window->round_queue_us;
	uint32_t aim = contest_aim_us(window);
	bool busy = queue != UINT32_MAX && queue >= aim / 2, was_lossy;

	if (window->round_rtt_us != UINT32_MAX && queue != UINT32_MAX)
		window->pipe_us = window->round_rtt_us > queue
					  ? window->round_rtt_us - queue
					  : 1;
	if (!rate || queue == UINT32_MAX)
		return;
	note_rate(window, rate, busy && window->limited);
	note_pressed(window, busy, now);
	was_lossy = window->lossy;
	window->lossy = !busy && is_policed(window);
	if (was_lossy && window->lossy) {
		police(window, rate, now);
		return;
	}
	if (window->startup)
		return;
	if (contest_round(window, rate, busy && window->limited, now)) {
		window->bytes = clamp(window, window->bytes);
		return;
	}
	if (busy) {
		uint64_t goal = product(rate, window->pipe_us + aim);

		if (goal < window->bytes || window->limited)
			window->bytes =
				clamp(window, (window->bytes + goal) / 2);
		window->step_us = window->target_us;
		window->grown = 0;
	} else if (window->limited &&
		   now >= window->drain_until + window->pipe_us) {
		grow(window, rate, now);
	}
}

static void begin_round(struct window *window, const struct window_snap *snap,
			uint64_t next, uint64_t now)
{
	window->round_end = next;
	window->round_at = now;
	window->round_snap = *snap;
	window->round_queue_us = window->round_rtt_us = UINT32_MAX;
	window->round_lost = window->round_acked = 0;
	window->limited = false;
}

/* What comes first after a rest has nothing of ours before it. The delay of
 * that ack may be a former packet's, but not its round trip. */
static void note_rest(struct window *window, const struct window_ack *ack,
		      bool timed, uint64_t now)
{
	bool rested = now - window->acked_at > PAUSE_US;
	uint32_t rtt = ack->rtt_us - ack->wait_us;

	window->acked_at = now;
	if (!rested) {
		if (window->queue_us < window->rest_queue_us)
			window->rest_queue_us = window->queue_us;
		return;
	}
	window->rest_at = 0;
	if (!timed || ack->wait_us > ack->rtt_us ||
	    ack->bytes > REST_PACKETS * window->packet)
		return;
	window->rest_at = now;
	window->rest_queue_us = rtt > window->min_us ? rtt - window->min_us : 0;
}

/* The queue is somebody else's, and always was. Not among lanes of our own on
 * that line: it may be theirs. */
static bool is_newcomer(const struct window *window, uint32_t bound,
			uint64_t now)
{
	return window->rest_at && now - window->rest_at < REST_US &&
	       window->rest_queue_us >= bound && !window->contest.kin &&
	       !window->contest.on;
}

/* The delay has risen far, and stays: do not wait for the round's end. */
static void react(struct window *window, const struct window_snap *snap,
		  uint32_t flight, uint64_t now)
{
	uint32_t quick = window->quick_us;
	uint32_t aim = contest_aim_us(window);
	uint32_t bound = window->startup ? 2 * aim : 3 * aim;
	uint64_t rate;

	bound = contest_bound_us(window, bound);
	if (quick == UINT32_MAX || quick < bound || !window->srtt_us ||
	    flight < least(window) ||
	    now - window->cut_at < window->pipe_us / 2 + RATE_SPAN_US)
		return;
	rate = rate_lately(window, snap, RATE_SPAN_US);
	if (!rate)
		return;
	if (is_newcomer(window, bound, now)) {
		window->rest_at = 0;
		window->startup = false;
		window->rate = rate;
		contest_enter(window, flight, now);
		return;
	}
	settle(window, rate);
	window->contest.trial = CONTEST_NONE;
	window->cut_at = now;
}

/* Once in a while the queue has to run empty, or nobody knows what the delay
 * without it is. */
static void drain(struct window *window, uint64_t now)
{
	if (!window->limited || window->contest.on ||
	    now - window->base_seen < BASE_STALE_US)
		return;
	window->base_seen = now;
	window->drain_until = now + window->pipe_us + 2 * window->target_us;
}

/* The window stays ahead of what is asked of it: a TCP inside that doubles its
 * own must not meet ours, or it takes that for the line. */
static void start_up(struct window *window, const struct window_ack *ack)
{
	uint64_t goal = 3ULL * ack->flight;

	if (window->limited)
		goal = (uint64_t)window->bytes + 2ULL * ack->bytes;
	if (goal > window->bytes)
		window->bytes = clamp(window, goal);
}

/* Of few packets none may be quick, on a line whose delay varies: that is no
 * queue. */
static bool is_long_enough(const struct window *window, uint64_t now)
{
	uint64_t us = now - window->round_at;

	return us >= ROUND_LEAST_US &&
	       (window->round_acked >= ROUND_PACKETS || us >= ROUND_MOST_US);
}

void window_ack(struct window *window, const struct window_ack *ack,
		uint64_t now)
{
	struct window_snap snap = { ack->time, ack->received };
	bool timed = ack->rtt_us && ack->rtt_us <= RTT_MOST_US;

	window->round_acked += ack->packets;
	window->quick_packets += ack->packets;
	note_snap(window, &snap);
	if (timed)
		note_rtt(window, ack, now);
	note_queue(window, ack->delay, now);
	note_rest(window, ack, timed, now);
	contest_ack(&window->contest, ack->flight, window->queue_us);
	if (!window->pipe_us && timed)
		window->pipe_us = ack->rtt_us;
	if (window->startup)
		start_up(window, ack);
	react(window, &snap, ack->flight, now);
	drain(window, now);
	if (!window->round_at) {
		begin_round(window, &snap, ack->next, now);
	} else if (ack->largest >= window->round_end &&
		   is_long_enough(window, now)) {
		end_round(window, &snap, now);
		begin_round(window, &snap, ack->next, now);
	}
}

void window_lost(struct window *window, uint32_t packets)
{
	window->round_lost += packets;
	contest_lost(window);
}

uint32_t window_bytes(const struct window *window, uint64_t now)
{
	uint64_t pipe;

	if (now >= window->drain_until)
		return window->bytes;
	pipe = product(window->rate, window->pipe_us) * 3 / 4;
	return pipe < window->bytes ? clamp(window, pipe) : window->bytes;
}

static uint64_t pace_rate(const struct window *window)
{
	return window->rate +
	       window->rate / (window->policed ? PACE_POLICED : PACE_MORE) + 1;
}

/* Two packets at least: a slow line would run empty after each. */
static uint64_t horizon_us(const struct window *window)
{
	uint64_t two = 2000000ULL * window->packet / pace_rate(window);
	uint64_t us = PACE_TARGETS * window->target_us;

	return two > us ? two : us;
}

int64_t window_pace(const struct window *window, uint64_t now)
{
	uint64_t until = now + horizon_us(window);

	if (!window->known)
		return INT64_MAX / 2;
	if (window->free_at < now)
		return (int64_t)product(pace_rate(window), until - now);
	if (window->free_at >= until)
		return 0;
	return (int64_t)product(pace_rate(window), until - window->free_at);
}

uint64_t window_pace_next(const struct window *window)
{
	return window->free_at - horizon_us(window) +
	       window->packet * 1000000ULL / pace_rate(window) + 1;
}

void window_spent(struct window *window, uint32_t bytes, uint64_t now)
{
	if (!window->known)
		return;
	if (window->free_at < now)
		window->free_at = now;
	window->free_at += bytes * 1000000ULL / pace_rate(window);
}

uint32_t window_wait_us(const struct window *window, uint32_t flight)
{
	uint64_t whole = window->pipe_us + window->target_us, wait;

	if (window->known)
		wait = flight * 1000000ULL / (window->rate + 1);
	else
		wait = whole * flight / window->bytes;
	wait = wait > window->pipe_us ? wait - window->pipe_us : 0;
	/* Somebody else's queue. */
	if (window->quick_us != UINT32_MAX &&
	    window->quick_us > 2 * window->target_us && wait < window->quick_us)
		wait = window->quick_us;
	return (uint32_t)(wait < UINT32_MAX / 4 ? wait : UINT32_MAX / 4);
}

uint32_t window_patience_us(const struct window *window)
{
	if (!window->srtt_us)
		return 200000;
	return window->srtt_us + 4 * window->var_us;
}
