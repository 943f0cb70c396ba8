/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/engine/lane.h"

#define MICRO 1000000LL /* tokens a byte */

enum {
	MARGIN_US = 30000, /* of silence beyond what was to be expected */
	PROBE_US = 20000,
	PROBE_MOST_US = 2000000,
	PROBE_METERED_US = 10000000,
	PROBE_DOWN_US = 500000, /* then twice as long each time */
	/* The same while no lane lives: who was away is back in a second. */
	PROBE_ALONE_US = 500000,
	PROBE_ALONE_METERED_US = 2000000,
	PROBE_HEARD_US = 100000,
	PROOFS_FRESH = 1,
	PROOFS_BACK = 8,
	PROOFS_MOST = 200,
	PROVE_US = 25000,
	ASK_MOST_US = 250000, /* the same, as long as nothing is answered */
	DEATHS_KEPT_US = 60000000,
	KEEPALIVE_US = 10000000,
	KEEPALIVE_QUIET_US = 25000000,
	BURST_US = 2000, /* of the cap */
	SLOW_MOST_US = 1000000,
	SLOW_KEPT_US = 10000000, /* then half of it */
	DOUBT_US = 200000,	 /* the others are asked so often at most */
};

static void revive(struct lane *lane, uint64_t now)
{
	lane->ping_at = now;
	lane->ping_gap_us = PROVE_US;
	lane->answered_at = now;
	lane->proofs = 0;
}

static void meters_init(struct lane *lane, const struct braid_config *braid)
{
	struct meter_setup setup = { braid->slice_us, braid->slices, false };

	meter_init(&lane->out, &setup);
	setup.arrived = true;
	meter_init(&lane->in, &setup);
}

void lane_init(struct lane *lane, uint8_t id, uint8_t slot,
	       const struct braid_lane_config *config,
	       const struct braid_config *braid, uint64_t now)
{
	*lane = (struct lane){
		.id = id,
		.slot = slot,
		.config = *config,
		.beat = braid->beat,
		.state = BRAID_PROVING,
		.state_at = now,
		.proofs_needed = PROOFS_FRESH,
		.tokens_at = now,
		.flight.overhead = config->overhead,
	};
	meters_init(lane, braid);
	window_init(&lane->window, braid->queue_us,
		    (uint32_t)config->mtu + config->overhead);
	mtu_init(&lane->mtu, config->mtu, now);
	revive(lane, now);
}

void lane_clear(struct lane *lane)
{
	flight_clear(&lane->flight);
	meter_clear(&lane->out);
	meter_clear(&lane->in);
}

void lane_rest(struct lane *lane)
{
	flight_rest(&lane->flight);
}

void lane_restart(struct lane *lane, uint64_t now)
{
	flight_clear(&lane->flight);
	lane->arrival = (struct arrival){ 0 };
	lane->arrival_lost = 0;
	lane->inflow = (struct inflow){ 0 };
	window_init(&lane->window, lane->window.target_us, lane->window.packet);
	lane->proofs_needed = PROOFS_FRESH;
	lane->tell = 0;
	lane->peer_weight = 0;
	if (!lane->down) {
		lane->state = BRAID_PROVING;
		lane->state_at = now;
		revive(lane, now);
	}
}

uint8_t lane_tier(const struct lane *lane)
{
	return lane->config.tier > lane->peer_tier ? lane->config.tier
						   : lane->peer_tier;
}

static uint64_t cap_bps(const struct lane *lane)
{
	uint64_t ours = lane->config.up_bps, theirs = lane->peer_cap_bps;

	if (!ours || (theirs && theirs < ours))
		return theirs;
	return ours;
}

static void die(struct lane *lane, uint64_t now)
{
	if (now - lane->died_at > DEATHS_KEPT_US)
		lane->deaths = 0;
	lane->died_at = now;
	if (lane->deaths < 5)
		lane->deaths++;
	lane->proofs_needed = PROOFS_BACK << (lane->deaths - 1);
	if (lane->proofs_needed > PROOFS_MOST)
		lane->proofs_needed = PROOFS_MOST;
	/* Who was never answered while it was proving has waited longer. */
	if (lane->ping_gap_us < 5 * PROBE_US)
		lane->ping_gap_us = 5 * PROBE_US;
	lane->ping_at = now + lane->ping_gap_us;
}

void lane_knock(struct lane *lane, uint64_t now)
{
	if (lane->state != BRAID_DOWN || lane->down || lane->ping_at)
		return;
	lane->ping_gap_us = PROBE_DOWN_US;
	lane->ping_at = now + lane->ping_gap_us;
}

bool lane_become(struct lane *lane, enum braid_state state, uint64_t now)
{
	if (lane->state == state)
		return false;
	if (state == BRAID_SUSPECT ||
	    (state == BRAID_DEAD && lane->state != BRAID_SUSPECT))
		lane->silent_at = now;
	if (state == BRAID_DEAD)
		die(lane, now);
	if (state == BRAID_SUSPECT) {
		lane->ping_at = lane->answered_at = now;
		lane->ping_gap_us = PROBE_US;
	}
	if (state == BRAID_PROVING) {
		if (lane->state == BRAID_DEAD || lane->state == BRAID_DOWN)
			window_restart(&lane->window);
		if (lane->state == BRAID_DOWN)
			lane->proofs_needed = PROOFS_BACK;
		revive(lane, now);
	}
	if (state == BRAID_UP || state == BRAID_DOWN)
		lane->ping_at = 0;
	lane->state = state;
	lane->state_at = now;
	lane_knock(lane, now);
	return true;
}

/* Was what is acked now sent before the silence? */
static bool was_slow(const struct lane *lane, const struct flight_news *news,
		     uint64_t now)
{
	return news->late && now - news->late_us < lane->silent_at;
}

static void note_slow(struct lane *lane, const struct flight_news *news,
		      uint64_t now)
{
	if (was_slow(lane, news, now) && news->late_us > lane->slow_us) {
		lane->slow_us = news->late_us < SLOW_MOST_US ? news->late_us
							     : SLOW_MOST_US;
		lane->slow_at = now;
	} else if (lane->slow_us && now - lane->slow_at > SLOW_KEPT_US) {
		lane->slow_us =
			lane->slow_us > MARGIN_US ? lane->slow_us / 2 : 0;
		lane->slow_at = now;
	}
}

bool lane_acked(struct lane *lane, const struct flight_news *news, bool alone,
		uint64_t now)
{
	if (alone)
		lane->proofs_needed = PROOFS_FRESH;
	lane->progress_at = lane->answered_at = now;
	lane->passed_at = 0;
	note_slow(lane, news, now);
	mtu_back(&lane->mtu, now);
	switch (lane->state) {
	case BRAID_SUSPECT: return lane_become(lane, BRAID_UP, now);
	case BRAID_DEAD:
		if (was_slow(lane, news, now)) {
			lane->deaths -= lane->deaths > 0;
			lane->proofs_needed = PROOFS_FRESH;
		}
		return lane_become(lane, BRAID_PROVING, now);
	case BRAID_PROVING:
		lane->proofs += news->packets;
		if (lane->proofs >= lane->proofs_needed)
			return lane_become(lane, BRAID_UP, now);
		if (lane->ping_at > now + PROVE_US)
			lane->ping_at = now + PROVE_US;
		return false;
	default: return false;
	}
}

/* How much longer than usual the other end may take: it had too much to do
 * lately. */
static uint64_t slow_us(const struct lane *lane)
{
	return lane->passed_at ? 0 : lane->slow_us + lane->slow_us / 4;
}

static uint64_t margin_us(const struct lane *lane)
{
	uint64_t margin = MARGIN_US;
	uint64_t rate = lane->window.known ? lane->window.rate : 0;

	if (lane->window.srtt_us / 4 > margin)
		margin = lane->window.srtt_us / 4;
	/* A slow line is silent for as long as a packet takes. */
	if (rate && 4ULL * lane->window.packet * 1000000 / rate > margin)
		margin = 4ULL * lane->window.packet * 1000000 / rate;
	return margin;
}

/* When the oldest that is out should have been acked; BRAID_NEVER: none is. */
static uint64_t due_at(struct lane *lane)
{
	const struct flight_entry *oldest = flight_oldest(&lane->flight);
	uint64_t sent;

	if (!oldest)
		return BRAID_NEVER;
	sent = lane->sent_at -
	       (uint32_t)((uint32_t)lane->sent_at - oldest->time_us);
	return sent + window_patience_us(&lane->window) + ARRIVAL_TRICKLE_US;
}

/* When silence will have lasted too long; BRAID_NEVER while nothing is out. */
static uint64_t deadline_of(struct lane *lane)
{
	uint64_t due = due_at(lane), margin = margin_us(lane), silent;

	if (due == BRAID_NEVER)
		return BRAID_NEVER;
	if (slow_us(lane) > margin)
		margin = slow_us(lane);
	silent = lane->progress_at + margin;
	if (lane->passed_at + MARGIN_US > silent)
		silent = lane->passed_at + MARGIN_US;
	return due + margin > silent ? due + margin : silent;
}

void lane_passed(struct lane *lane, uint64_t now)
{
	if (lane->slow_us && !lane->passed_at && due_at(lane) < now)
		lane->passed_at = now;
}

static uint64_t doubt_at(struct lane *lane)
{
	uint64_t due, silent, again = lane->doubted_at + DOUBT_US;

	if (!lane->slow_us || lane->passed_at || lane->state != BRAID_UP)
		return BRAID_NEVER;
	due = due_at(lane);
	if (due == BRAID_NEVER)
		return BRAID_NEVER;
	silent = lane->progress_at + margin_us(lane);
	due += margin_us(lane);
	if (silent > due)
		due = silent;
	return again > due ? again : due;
}

bool lane_doubts(struct lane *lane, uint64_t now)
{
	if (doubt_at(lane) > now)
		return false;
	lane->doubted_at = now;
	return true;
}

static uint64_t dead_at(const struct lane *lane)
{
	uint64_t patience =
		window_patience_us(&lane->window) + PROBE_US + lane->slow_us;

	return lane->state_at +
	       (patience > 3 * PROBE_US ? patience : 3 * PROBE_US);
}

bool lane_timer(struct lane *lane, uint64_t now)
{
	switch (lane->state) {
	case BRAID_UP:
		return deadline_of(lane) <= now &&
		       lane_become(lane, BRAID_SUSPECT, now);
	case BRAID_SUSPECT:
		return dead_at(lane) <= now &&
		       lane_become(lane, BRAID_DEAD, now);
	case BRAID_PROVING:
		return deadline_of(lane) <= now &&
		       lane_become(lane, BRAID_DEAD, now);
	default: return false;
	}
}

static uint32_t keepalive_most_us(const struct lane *lane)
{
	if (lane->config.keepalive_us)
		return lane->config.keepalive_us;
	return lane_is_metered(lane) || lane_is_standby(lane)
		       ? KEEPALIVE_QUIET_US
		       : KEEPALIVE_US;
}

/* Up to a quarter less, so that many do not keep step. Another one each time,
 * the same however often it is asked for. */
static uint64_t shaken(const struct lane *lane, uint32_t most)
{
	uint32_t hash = (lane->beat ^ (uint32_t)lane->sent_at) * 0x9e3779b1U;

	if (!lane->beat)
		return most;
	return most - ((uint64_t)most / 4 * hash >> 32);
}

static uint64_t keepalive_us(const struct lane *lane)
{
	return shaken(lane, keepalive_most_us(lane));
}

static uint64_t ping_next(const struct lane *lane, bool quiet)
{
	uint64_t next = lane->ping_at ? lane->ping_at : BRAID_NEVER;

	if (lane->state == BRAID_DOWN && lane->down)
		return BRAID_NEVER;
	if (!quiet && lane->state == BRAID_UP &&
	    lane->sent_at + keepalive_us(lane) < next)
		next = lane->sent_at + keepalive_us(lane);
	return next;
}

bool lane_wants_ping(const struct lane *lane, bool quiet, uint64_t now)
{
	return ping_next(lane, quiet) <= now;
}

void lane_hurry(struct lane *lane, uint64_t now)
{
	if (lane->state != BRAID_PROVING)
		return;
	lane->answered_at = now;
	if (lane->ping_at > now)
		lane->ping_at = now;
}

void lane_heard(struct lane *lane)
{
	uint64_t soon = lane->pinged_at + PROBE_HEARD_US;

	if ((lane->state == BRAID_DEAD || lane->state == BRAID_PROVING) &&
	    lane->ping_at > soon)
		lane->ping_at = soon;
}

/* Half as long as nothing has been answered, so that an end which cannot keep
 * up is asked ever more rarely. */
static uint32_t ask_gap_us(const struct lane *lane, uint32_t least,
			   uint64_t now)
{
	uint64_t gap = (now - lane->answered_at) / 2;

	if (gap > ASK_MOST_US)
		return ASK_MOST_US;
	return gap > least ? (uint32_t)gap : least;
}

static uint32_t probe_most_us(const struct lane *lane, bool alone)
{
	if (lane_is_metered(lane))
		return alone ? PROBE_ALONE_METERED_US : PROBE_METERED_US;
	return alone ? PROBE_ALONE_US : PROBE_MOST_US;
}

void lane_pinged(struct lane *lane, bool alone, uint64_t now)
{
	uint32_t most = probe_most_us(lane, alone);

	lane->pinged_at = now;
	switch (lane->state) {
	case BRAID_DOWN:
	case BRAID_DEAD:
		lane->ping_gap_us = lane->ping_gap_us > most / 2
					    ? most
					    : 2 * lane->ping_gap_us;
		break;
	case BRAID_SUSPECT:
		lane->ping_gap_us = ask_gap_us(lane, PROBE_US, now);
		break;
	case BRAID_PROVING:
		lane->ping_gap_us = ask_gap_us(lane, PROVE_US, now);
		break;
	default: lane->ping_at = 0; return;
	}
	lane->ping_at = now + shaken(lane, lane->ping_gap_us);
}

uint64_t lane_next(struct lane *lane, bool quiet)
{
	uint64_t next = ping_next(lane, quiet), other;

	if (lane->arrival.pending && lane->arrival.due < next)
		next = lane->arrival.due;
	if (lane->state == BRAID_SUSPECT)
		other = dead_at(lane);
	else if (lane->state == BRAID_DOWN || lane->state == BRAID_DEAD)
		other = BRAID_NEVER;
	else
		other = deadline_of(lane);
	if (other < next)
		next = other;
	other = doubt_at(lane);
	if (other < next)
		next = other;
	if (lane->tell && lane->tell_at < next)
		next = lane->tell_at;
	if ((lane->state == BRAID_UP || lane->state == BRAID_PROVING) &&
	    lane->mtu.next < next)
		next = lane->mtu.next;
	return next;
}

static void fill_tokens(struct lane *lane, uint64_t cap, uint64_t now)
{
	uint64_t us = now - lane->tokens_at;
	int64_t most =
		(int64_t)(cap / 8 * BURST_US) + 2 * MICRO * lane->window.packet;

	if (us > 1000000)
		us = 1000000;
	lane->tokens += (int64_t)(cap / 8 * us);
	lane->tokens_at = now;
	if (lane->tokens > most)
		lane->tokens = most;
}

int64_t lane_room(struct lane *lane, uint64_t now)
{
	uint64_t cap = cap_bps(lane);
	int64_t room = (int64_t)window_bytes(&lane->window, now) -
		       (int64_t)lane->flight.bytes;

	int64_t pace = window_pace(&lane->window, now);

	if (!flight_has_room(&lane->flight))
		return 0;
	lane->paced = pace < room;
	if (lane->paced)
		room = pace;
	if (!cap)
		return room;
	fill_tokens(lane, cap, now);
	return room < lane->tokens / MICRO ? room : lane->tokens / MICRO;
}

bool lane_is_spent(const struct lane *lane, int64_t bytes)
{
	return cap_bps(lane) && lane->tokens < MICRO * bytes;
}

void lane_spent(struct lane *lane, uint32_t bytes, uint64_t now)
{
	window_spent(&lane->window, bytes, now);
	if (cap_bps(lane))
		lane->tokens -= MICRO * bytes;
}

uint64_t lane_room_next(const struct lane *lane, uint64_t now)
{
	uint64_t cap = cap_bps(lane), next = BRAID_NEVER;
	int64_t want = MICRO * lane->window.packet - lane->tokens;

	if (lane->paced)
		next = window_pace_next(&lane->window);
	if (cap && want > 0 && now + (uint64_t)want / (cap / 8 + 1) + 1 < next)
		next = now + (uint64_t)want / (cap / 8 + 1) + 1;
	return next > now ? next : now + 1;
}
