/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/engine/contest.h"

#include "backends/engine/window.h"

enum {
	/* Between trials that find nobody, or nothing. */
	GAP_LEAST_US = 3000000,
	GAP_MOST_US = 32000000,
	GAP_HURRY_US = 500000, /* when the rate has fallen */
	/* Rounds until what is under way is another, and has come about. */
	UP_ROUNDS = 3,
	BACK_ROUNDS = 2,
	DOWN_ROUNDS = 4, /* and whoever joins in has done so */
	ENTRY_ROUNDS = 4,
	UP_PART = 9, /* of the window: so much more */
	UP_PACKETS = 2,
	SURE_PART = 16, /* of what was under way: less says nothing */
	DOWN_PART = 4,
	/* Shares, of 256, and what they prove. */
	SHARE_LITTLE = 64, /* twice as much as ... */
	SHARE_LESS = 104,
	SHARE_HALF = 128, /* enough: proves nothing */
	SHARE_ALONE = 205,
	EVIDENCE = 4,
	AIM_TIMES = 4,
	PEACE_US = 4000000, /* at first */
	PEACE_MOST_US = 30000000,
	PEACE_KEPT_US = 10000000, /* then it begins anew */
	JOIN_US = 3000000,
	DEAF_ROUNDS = 1,
	HOLD_US = 4000000, /* after a cut until all of it is held again */
	BYTES_MOST = 1 << 30,
	KIN_MOST = 256 * 256,
};

/* Mean of the round's acks. */
static uint32_t mean(uint64_t sum, uint32_t count)
{
	return count ? (uint32_t)(sum / count) : 0;
}

static uint32_t bytes_of(uint64_t rate, uint64_t us)
{
	uint64_t bytes = rate * us / 1000000;

	return bytes < BYTES_MOST ? (uint32_t)bytes : BYTES_MOST;
}

void contest_kin(struct contest *contest, uint64_t rate, uint64_t ours)
{
	uint64_t kin = ours ? rate * 256 / ours : 0;

	contest->kin = kin < KIN_MOST ? (uint32_t)kin : KIN_MOST;
}

void contest_ack(struct contest *contest, uint32_t flight, uint32_t queue_us)
{
	contest->flight_sum += flight;
	contest->queue_sum += queue_us;
	contest->acks++;
}

/* --- trials --------------------------------------------------------------- */

static void begin_trial(struct window *window, enum contest_trial trial)
{
	struct contest *contest = &window->contest;
	uint32_t more = window->bytes / UP_PART;

	contest->trial = trial;
	contest->rounds = 0;
	contest->flight = contest->flight_before;
	contest->queue_us = mean(contest->queue_sum, contest->acks);
	contest->delay_us = window->pipe_us + contest->queue_us;
	contest->back_bytes = window->bytes;
	contest->back_rate = window->rate;
	if (trial == CONTEST_DOWN) {
		if (window->bytes > contest->flight)
			window->bytes = contest->flight;
		window->bytes -= window->bytes / DOWN_PART;
		return;
	}
	if (more < UP_PACKETS * window->packet)
		more = UP_PACKETS * window->packet;
	window->bytes += more;
}

static uint32_t delay_now(const struct window *window)
{
	const struct contest *contest = &window->contest;

	return window->pipe_us + mean(contest->queue_sum, contest->acks);
}

/* What of the queue is ours, of 256, if so much more under way made it so much
 * longer; negative: it cannot be said. */
static int32_t share(const struct contest *contest, int64_t more,
		     int64_t longer)
{
	int64_t share;

	if (!contest->flight || !contest->delay_us ||
	    (more < 0 ? -more : more) < contest->flight / SURE_PART)
		return -1;
	share = longer * 256 * contest->flight / contest->delay_us / more;
	share += share * contest->kin / 256;
	return share < 0 ? 0 : share > 256 ? 256 : (int32_t)share;
}

/* There and back: so what the others change meanwhile does not count. */
static int32_t share_up(const struct window *window)
{
	const struct contest *contest = &window->contest;
	int64_t flight =
		((int64_t)contest->flight + contest->flight_before) / 2;
	int64_t delay = ((int64_t)contest->delay_us + delay_now(window)) / 2;

	return share(contest, contest->up_flight - flight,
		     contest->up_delay_us - delay);
}

static int32_t share_down(const struct window *window)
{
	const struct contest *contest = &window->contest;

	return share(contest, (int64_t)contest->flight_before - contest->flight,
		     (int64_t)delay_now(window) - contest->delay_us);
}

static void note_alone(struct contest *contest, uint64_t rate, uint64_t now)
{
	contest->best_rate = rate;
	contest->sure = true;
	contest->gap_us = contest->gap_us ? 4 * contest->gap_us : GAP_LEAST_US;
	if (contest->gap_us > GAP_MOST_US)
		contest->gap_us = GAP_MOST_US;
	contest->next = now + contest->gap_us;
}

static void begin_contest(struct window *window, uint64_t now)
{
	struct contest *contest = &window->contest;
	uint32_t queue = mean(contest->queue_sum, contest->acks);
	uint32_t half = bytes_of(contest->best_rate / 2, delay_now(window));

	contest->on = true;
	contest->evidence = 0;
	if (!contest->peace_gap_us || now - contest->peace_at > PEACE_KEPT_US)
		contest->peace_gap_us = PEACE_US;
	contest->next = now + contest->peace_gap_us;
	contest->slow_queue_us = contest->most_queue_us = queue;
	contest->slow_rate = window->rate;
	contest->epoch = 0;
	contest->most = 0;
	contest->hold = 256;
	contest->hold_at = now;
	if (window->bytes < half)
		window->bytes = half;
	if (contest->sure) {
		contest->most = window->bytes;
		contest->epoch = now;
		contest->epoch_ms = 0;
	}
	contest->gap_us = 0;
	contest->trial = CONTEST_ENTRY;
	contest->rounds = 0;
	contest->flight = contest->flight_before;
	contest->delay_us = delay_now(window);
}

void contest_enter(struct window *window, uint32_t flight, uint64_t now)
{
	struct contest *contest = &window->contest;

	begin_contest(window, now);
	contest->flight = flight;
	contest->delay_us = window->pipe_us + window->quick_us;
}

static void turn_back(struct window *window)
{
	struct contest *contest = &window->contest;

	contest->trial = CONTEST_BACK;
	contest->rounds = 0;
	contest->up_flight = contest->flight_before;
	contest->up_delay_us = delay_now(window);
	window->bytes = contest->back_bytes;
}

static void end_up(struct window *window, uint64_t rate, bool full,
		   uint64_t now)
{
	struct contest *contest = &window->contest;
	int32_t ours = share_up(window);

	contest->trial = CONTEST_NONE;
	contest->next = now + GAP_HURRY_US;
	if (!full || ours < 0)
		return;
	contest->share = contest->share
				 ? (contest->share + (uint32_t)ours + 1) / 2
				 : (uint32_t)ours + 1;
	if (ours >= SHARE_ALONE) {
		contest->evidence = 0;
		note_alone(contest, rate, now);
		return;
	}
	contest->next = now;
	contest->gap_us = 0;
	if (ours >= SHARE_HALF) {
		contest->evidence = 0;
		contest->next = now + GAP_HURRY_US;
	}
	if (ours < SHARE_LESS)
		contest->evidence += ours < SHARE_LITTLE ? 2 : 1;
	if (contest->evidence >= EVIDENCE)
		begin_contest(window, now);
}

static void make_peace(struct window *window, uint64_t rate, uint64_t now)
{
	struct contest *contest = &window->contest;

	contest->on = false;
	contest->trial = CONTEST_NONE;
	contest->evidence = 0;
	contest->peace_at = now;
	contest->share = 0;
	contest->gap_us = 0;
	contest->next = now;
	window->bytes = bytes_of(rate, window->pipe_us + window->target_us);
}

static void end_down(struct window *window, uint64_t rate, uint64_t now)
{
	struct contest *contest = &window->contest;
	uint32_t queue = mean(contest->queue_sum, contest->acks);

	contest->trial = CONTEST_NONE;
	if (queue < window->target_us / 2 ||
	    share_down(window) >= SHARE_ALONE) {
		make_peace(window, rate, now);
		return;
	}
	window->bytes = contest->back_bytes;
	window->rate = contest->back_rate;
	contest->peace_gap_us *= contest->peace_gap_us == PEACE_US ? 4 : 2;
	if (contest->peace_gap_us > PEACE_MOST_US)
		contest->peace_gap_us = PEACE_MOST_US;
	contest->next = now + contest->peace_gap_us;
}

static void try_on(struct window *window, uint64_t rate, bool full,
		   uint64_t now)
{
	struct contest *contest = &window->contest;

	contest->rounds++;
	if (contest->trial == CONTEST_UP) {
		if (contest->rounds >= UP_ROUNDS)
			turn_back(window);
	} else if (contest->trial == CONTEST_BACK) {
		if (contest->rounds >= BACK_ROUNDS)
			end_up(window, rate, full, now);
	} else if (contest->rounds >= DOWN_ROUNDS ||
		   window->round_queue_us < window->target_us) {
		end_down(window, rate, now);
	}
}

/* --- CUBIC (RFC 9438) ------------------------------------------------------
 */

static uint32_t cube_root(uint64_t x)
{
	uint32_t root = 0;

	for (uint32_t bit = 1U << 20; bit; bit >>= 1) {
		uint64_t next = root | bit;

		if (next * next * next <= x)
			root |= bit;
	}
	return root;
}

/* W(t) = 0.4 (t - K)^3 + W_max, in packets and seconds; K in ms. */
static uint32_t cubic_at(const struct window *window, uint64_t now)
{
	const struct contest *contest = &window->contest;
	int64_t ms = (int64_t)((now - contest->epoch) / 1000) -
		     (int64_t)contest->epoch_ms;
	int64_t bytes;

	if (ms > 100000)
		ms = 100000;
	bytes = ms * ms / 1000 * ms / 1000 * window->packet / 1000 * 4 / 10;
	bytes += contest->most;
	return bytes > 0 ? (uint32_t)bytes : 0;
}

static void cut(struct window *window, uint64_t rate, uint64_t now)
{
	struct contest *contest = &window->contest;
	uint32_t was = window->bytes;

	contest->most = was < contest->most ? was / 20 * 17 : was;
	window->bytes = was / 10 * 7;
	contest->hold = contest->hold * 7 / 10;
	contest->deaf = DEAF_ROUNDS;
	if (rate < contest->best_rate / 20 * 9)
		contest->best_rate -= contest->best_rate / 32;
	contest->epoch = now;
	/* K = cbrt((W_max - W) / 0.4) seconds, that is 1000 ms of each */
	contest->epoch_ms =
		cube_root((uint64_t)(contest->most > window->bytes
					     ? contest->most - window->bytes
					     : 0) /
			  window->packet * 10 / 4 * 1000000000);
}

/* So much is under way as brings half of what the line was found to carry. */
static uint32_t held(struct window *window, uint64_t now)
{
	struct contest *contest = &window->contest;
	uint64_t more = (now - contest->hold_at) * 256 / HOLD_US;

	contest->hold_at = now;
	contest->hold = contest->hold + more < 256 ? contest->hold + more : 256;
	return (uint32_t)(bytes_of(contest->best_rate / 2, delay_now(window)) /
			  256 * contest->hold);
}

static void raise_window(struct window *window, uint64_t rate, uint64_t now)
{
	struct contest *contest = &window->contest;
	uint32_t target, most = window->bytes + window->bytes / 2;
	uint32_t hold = held(window, now), reno;

	if (!window->limited)
		return;
	if (contest->sure && rate > contest->best_rate / 20 * 11)
		return;
	/* At least what Reno would: 3 (1 - 0.7) / (1 + 0.7) packets. */
	reno = window->bytes < contest->most ? window->packet / 2
					     : window->packet;
	if (!contest->epoch) { /* slow start */
		window->bytes = most;
		return;
	}
	target = cubic_at(window, now + window->pipe_us + window->queue_us);
	if (target < window->bytes + reno)
		target = window->bytes + reno;
	if (target < hold)
		target = hold;
	window->bytes = target < most ? target : most;
}

/* What was under way is what the delay speaks of. */
static bool is_steady(const struct contest *contest)
{
	uint32_t flight = mean(contest->flight_sum, contest->acks);
	uint32_t before = contest->flight_before;

	return (flight > before ? flight - before : before - flight) <=
	       before / 16;
}

/* --- rounds --------------------------------------------------------------- */

/* Somebody left, or sues for peace: so do we. */
static bool is_time_for_peace(struct contest *contest, uint64_t rate,
			      uint32_t queue, uint64_t now)
{
	if (now >= contest->next)
		return true;
	if (now - contest->joined_at < JOIN_US || contest->lost ||
	    now - contest->epoch < JOIN_US / 3 * 2)
		return false;
	if (queue >= contest->slow_queue_us / 10 * 9 &&
	    rate <= contest->slow_rate / 4 * 5)
		return false;
	contest->joined_at = now;
	return true;
}

/* What brought no more than a longer queue was no rival's to give. */
static bool is_alone_after_all(struct window *window)
{
	struct contest *contest = &window->contest;

	if (contest->trial != CONTEST_ENTRY || ++contest->rounds < ENTRY_ROUNDS)
		return false;
	contest->trial = CONTEST_NONE;
	return share_down(window) >= SHARE_ALONE;
}

static void compete(struct window *window, uint64_t rate, uint64_t now)
{
	struct contest *contest = &window->contest;
	uint32_t queue = mean(contest->queue_sum, contest->acks);

	contest->deaf -= contest->deaf > 0;
	if (queue > contest->most_queue_us)
		contest->most_queue_us = queue;
	if (contest->lost && !contest->deaf)
		cut(window, rate, now);
	else
		raise_window(window, rate, now);
	if (!contest->trial && is_steady(contest) &&
	    is_time_for_peace(contest, rate, queue, now))
		begin_trial(window, CONTEST_DOWN);
	contest->slow_queue_us =
		(uint32_t)((3ULL * contest->slow_queue_us + queue) / 4);
	contest->slow_rate = (3 * contest->slow_rate + rate) / 4;
}

/* The queue stays although the window shrinks, and with it the rate: a line
 * that has become slower would be drained by now. */
static bool is_squeezed(const struct window *window, uint64_t rate)
{
	return rate < window->contest.best_rate / 2 &&
	       window->round_queue_us >= 3 * window->target_us;
}

static bool squeeze(struct window *window, uint64_t now)
{
	if (++window->contest.evidence < EVIDENCE)
		return false;
	begin_contest(window, now);
	return true;
}

/* As long as it carries what it did alone nobody has to be looked for; and who
 * looks without a cause waits for a short queue. */
static bool wants_trial(struct window *window, uint64_t rate, uint64_t now)
{
	struct contest *contest = &window->contest;
	uint32_t queue = mean(contest->queue_sum, contest->acks);
	bool cause = rate < contest->best_rate / 10 * 7 ||
		     window->round_queue_us >= 3 * window->target_us;

	if (!contest->next)
		contest->next = now + GAP_LEAST_US;
	if (cause && contest->next > now + GAP_HURRY_US)
		contest->next = now + GAP_HURRY_US;
	if (!cause && contest->sure && rate >= contest->best_rate / 10 * 9)
		return false;
	return now >= contest->next && is_steady(contest) &&
	       (cause || queue < contest_aim_us(window) * 5 / 4);
}

bool contest_round(struct window *window, uint64_t rate, bool full,
		   uint64_t now)
{
	struct contest *contest = &window->contest;
	bool ours = true;

	if (full && rate > contest->best_rate)
		contest->best_rate = rate;
	if (contest->trial && contest->trial != CONTEST_ENTRY)
		try_on(window, rate, full, now);
	else if (is_alone_after_all(window))
		make_peace(window, rate, now);
	else if (contest->on)
		compete(window, rate, now);
	else if (full && is_squeezed(window, rate))
		ours = squeeze(window, now);
	else if (full && wants_trial(window, rate, now))
		begin_trial(window, CONTEST_UP);
	else
		ours = false;
	contest->flight_before = mean(contest->flight_sum, contest->acks);
	contest->flight_sum = contest->queue_sum = contest->acks = 0;
	contest->lost = false;
	return ours;
}

void contest_lost(struct window *window)
{
	struct contest *contest = &window->contest;

	if (contest->on && window->queue_us > contest->most_queue_us / 2)
		contest->lost = true;
}

uint32_t contest_aim_us(const struct window *window)
{
	uint32_t share = window->contest.share, aim;

	if (!share || share >= SHARE_ALONE)
		return window->target_us;
	aim = window->target_us * SHARE_HALF / share;
	if (aim < window->target_us / 4 * 3)
		return window->target_us / 4 * 3;
	return aim < AIM_TIMES * window->target_us
		       ? aim
		       : AIM_TIMES * window->target_us;
}

uint32_t contest_bound_us(const struct window *window, uint32_t bound_us)
{
	const struct contest *contest = &window->contest;

	if (contest->on)
		return UINT32_MAX - 1;
	if (contest->trial == CONTEST_UP)
		return bound_us + contest->queue_us + contest->delay_us / 2;
	return bound_us;
}
