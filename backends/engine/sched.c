/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Where packets go: by the lane on which they are expected to arrive first,
 * among those that have room, in portions of about a millisecond of its rate.
 */
#include <errno.h>

#include "backends/engine/inside.h"

enum {
	PORTION_US = 1000,
	PORTION_FIRST = 8, /* packets, before the rate is known */
	REST_US = 1000000, /* after a pause so long lanes are asked */
	PROVE_PACKETS = 4, /* copies under way on a lane that is proving */
	TRIES_MOST = 8,
	GIVE_UP_US = 50000,  /* beyond what the peer waits at most */
	RESERVE_PACKETS = 4, /* beyond the window, for what was lost */
	COPY_SHARE = 20,     /* copies of small packets: a 20th of the rate */
	COPY_LEAST_BPS = 400000,
	COPY_SPAN_US = 250000,
	NEAR_US = 8000,		/* delays that differ by less are equal */
	BURST_REST_US = 250000, /* after such a rest begins a burst */
	SLOWER_US = 12000,	/* of backlog, and slow lanes are used too */
	BURST_BYTES = 10000,	/* which is one if so much waits */
	BURST_GROWN = 95,	/* packets it had sent after 10/3 round trips */
	GROWN_TIMES = 3,	/* or in LITTLE_US, while no rate is known */
	CALM_US = 30000,	/* without waiting: not needed any more */
	LITTLE_US = 300000,	/* nor if so long half the fast lane would do */
	COVER_US = 4000,	/* spread: the slow lane is used so often */
	PAUSE_US = 15000,	/* after one a flow may be thin: */
	THIN_US = 100000,	/* in that time it sends */
	THIN_PACKETS = 20,	/* fewer */
	LEAVE_ROUNDS = 7, /* from one leave of the slow lanes to the next */
	LEAVE_LEAST_ROUNDS = 4, /* the same, if they are not filled now */
	LEAVE_US = 1000000,	/* so long after that was so */
};

#define MICRO 1000000LL

static bool is_usable(const struct lane *lane, uint16_t size)
{
	return lane->state == BRAID_UP && !lane->draining &&
	       size <= lane->mtu.good;
}

/* Lower is used first: by tier, then the metered ones, then the standbys. */
static unsigned rank_of(const struct lane *lane)
{
	return (unsigned)lane_is_standby(lane) << 9 |
	       (unsigned)lane_is_metered(lane) << 8 | lane_tier(lane);
}

/* Of equals the one of the lower id: so both ends have the same one, in
 * whatever order they came to know them. */
static bool is_heavier(const struct lane *a, const struct lane *b)
{
	if (lane_weight(a) != lane_weight(b))
		return lane_weight(a) > lane_weight(b);
	return a->id < b->id;
}

/* The one that is used before all others, if it is by rank alone: the lowest,
 * then the heaviest. NULL: none is usable. */
static const struct lane *foremost(const struct braid *braid, uint16_t size)
{
	const struct lane *first = NULL;

	for (unsigned i = 0; i < braid->count; i++) {
		const struct lane *lane = braid->lanes[i];
		unsigned rank = rank_of(lane);

		if (!is_usable(lane, size))
			continue;
		if (!first || rank < rank_of(first) ||
		    (rank == rank_of(first) && is_heavier(lane, first)))
			first = lane;
	}
	return first;
}

/* Does it wait for that one, the foremost, to be full or gone? */
static bool is_behind(const struct braid *braid, const struct lane *lane,
		      const struct lane *first)
{
	if (!first || lane == first)
		return false;
	return rank_of(lane) > rank_of(first) ||
	       (braid_policy(braid) == BRAID_FAILOVER &&
		!lane_shares_line(lane, first));
}

/* One way, without queues, relative. */
static int32_t delay_of(const struct braid *braid, const struct lane *lane)
{
	const struct lane *first = braid->lanes[0];
	uint32_t ref = first->window.has_base ? first->window.base : 0;

	return lane->window.has_base ? arrival_since(lane->window.base, ref)
				     : 0;
}

/* Expected arrival, relative, of a datagram sent there now, with
 * flight bytes ahead of it. */
static int32_t score_of(const struct braid *braid, const struct lane *lane,
			uint32_t flight)
{
	return delay_of(braid, lane) +
	       (int32_t)window_wait_us(&lane->window, flight);
}

/* Better to send on than the other, for what must arrive soon. */
static int cost_of(const struct lane *lane, bool quiet)
{
	switch (lane->state) {
	case BRAID_UP: return quiet;
	case BRAID_PROVING: return 2;
	case BRAID_SUSPECT: return 3;
	case BRAID_DEAD: return 4;
	default: return 5;
	}
}

bool sched_is_kept(const struct braid *braid, const struct lane *lane)
{
	return is_behind(braid, lane, foremost(braid, 0));
}

/* Nothing is said there while another lives, unless the peer sends there: it
 * may know already that the other does not. */
static bool is_quiet(const struct braid *braid, const struct lane *lane,
		     const struct lane *first)
{
	return is_behind(braid, lane, first) && !lane->arrival.pending;
}

struct lane *sched_best(const struct braid *braid, struct lane **second)
{
	const struct lane *first = foremost(braid, 0);
	struct lane *best = NULL, *next = NULL;
	int64_t best_score = 0, next_score = 0;

	for (unsigned i = 0; i < braid->count; i++) {
		struct lane *lane = braid->lanes[i];
		bool quiet = is_quiet(braid, lane, first);
		int64_t score = (int64_t)cost_of(lane, quiet) << 40;

		if (lane->state == BRAID_DOWN)
			continue;
		score += score_of(braid, lane, lane->flight.bytes);
		if (!best || score < best_score) {
			best = lane;
			best_score = score;
		}
	}
	for (unsigned i = 0; second && best && i < braid->count; i++) {
		struct lane *lane = braid->lanes[i];
		int64_t score = (int64_t)cost_of(lane, false) << 40;

		if (lane->state == BRAID_DOWN || lane_shares_line(lane, best) ||
		    is_quiet(braid, lane, first))
			continue;
		score += score_of(braid, lane, lane->flight.bytes);
		if (!next || score < next_score) {
			next = lane;
			next_score = score;
		}
	}
	if (second)
		*second = next;
	return best;
}

struct choice {
	struct lane *lane;
	unsigned rank;
	int64_t score;
	int64_t room; /* bytes */
	bool late;    /* one of the slow lanes */
};

struct wish {
	uint16_t size;	 /* payload */
	int64_t reserve; /* bytes beyond the window */
	const struct lane *not_this;
	const struct lane *only; /* this line; NULL: any */
	/* For packets that keep an order; 0: any lane will do. */
	int64_t skew_us; /* lanes longer than the fastest by more: not */
	int64_t late_us; /* the same, with the queues there are */
	bool slowest;	 /* rather the slowest of these */
	bool even;	 /* rather the one that is least full */
};

/* Why nothing was found. */
struct reasons {
	bool alive, fits;
};

static bool better(const struct choice *a, const struct choice *b)
{
	if (!b->lane || a->rank != b->rank)
		return !b->lane || a->rank < b->rank;
	return a->score < b->score;
}

static bool is_in_turn(const struct lane *lane, uint16_t size, bool worker)
{
	return is_usable(lane, size) && !(worker && lane_is_standby(lane));
}

/* Does one that is no standby live? */
static bool has_worker(const struct braid *braid, uint16_t size)
{
	for (unsigned i = 0; i < braid->count; i++)
		if (is_usable(braid->lanes[i], size) &&
		    !lane_is_standby(braid->lanes[i]))
			return true;
	return false;
}

/* The least delay there is, without our own packets, of those that are used
 * first: that another is faster makes none of them late. */
static int64_t fastest(const struct braid *braid, uint16_t size,
		       const struct lane **which)
{
	const struct lane *before = foremost(braid, size);
	int64_t least = INT64_MAX;

	for (unsigned i = 0; i < braid->count; i++) {
		const struct lane *lane = braid->lanes[i];
		int64_t score = score_of(braid, lane, 0);

		if (is_usable(lane, size) && score < least &&
		    rank_of(lane) == rank_of(before)) {
			least = score;
			*which = lane;
		}
	}
	return least;
}

/* No room: is that the window's doing, or the cap's? */
static void note_full(struct braid *braid, struct lane *lane, uint64_t now)
{
	uint64_t next = lane_room_next(lane, now);

	if (!lane->paced)
		lane->window.limited = true;
	if (next < braid->room_next)
		braid->room_next = next;
}

static bool is_too_late(const struct braid *braid, const struct lane *lane,
			const struct lane *first, const struct wish *wish)
{
	if (!wish->skew_us || !first)
		return false;
	return delay_of(braid, lane) - delay_of(braid, first) > wish->skew_us ||
	       score_of(braid, lane, 0) - score_of(braid, first, 0) >
		       wish->late_us;
}

/* How much of what the line holds is under way, in thousandths. */
static int64_t fill_of(const struct lane *lane)
{
	const struct window *window = &lane->window;
	uint64_t us = window->pipe_us + window->target_us, holds;

	holds = window->known ? window->rate * us / MICRO : window->bytes;
	return (int64_t)(lane->flight.bytes * 1000ULL / (holds + 1));
}

/* The best lane with room for one packet of that size. */
static struct choice choose(struct braid *braid, const struct wish *wish,
			    uint64_t now, struct reasons *why)
{
	bool worker = has_worker(braid, wish->size);
	const struct lane *first = NULL;
	int64_t least = fastest(braid, wish->size, &first);
	struct choice best = { 0 };

	for (unsigned i = 0; i < braid->count; i++) {
		struct lane *lane = braid->lanes[i];
		int64_t bytes = wish->size + lane->config.overhead;
		struct choice it = { .lane = lane, .rank = rank_of(lane) };
		bool spent;

		why->alive = why->alive || lane->state == BRAID_UP;
		if (!is_usable(lane, wish->size))
			continue;
		why->fits = true;
		if ((wish->not_this &&
		     lane_shares_line(lane, wish->not_this)) ||
		    (wish->only && !lane_shares_line(lane, wish->only)) ||
		    !is_in_turn(lane, wish->size, worker) ||
		    is_too_late(braid, lane, first, wish))
			continue;
		it.room = lane_room(lane, now);
		it.score = score_of(braid, lane, lane->flight.bytes);
		spent = lane_is_spent(lane, bytes);
		if (it.room < bytes && (lane->flight.bytes || spent))
			note_full(braid, lane, now);
		if (spent ||
		    (it.room + wish->reserve < bytes && lane->flight.bytes))
			continue;
		it.late = score_of(braid, lane, 0) - least > NEAR_US;
		if (wish->slowest && it.late)
			it.score = INT64_MIN;
		else if (wish->even)
			it.score = fill_of(lane);
		if (better(&it, &best))
			best = it;
	}
	return best;
}

static int portion(const struct choice *choice, int count, uint32_t bytes)
{
	uint64_t rate = choice->lane->window.rate;
	int64_t most = choice->room / bytes, share;

	share = rate ? (int64_t)(rate * PORTION_US / 1000000 / bytes)
		     : PORTION_FIRST;
	if (most > share)
		most = share;
	if (most > BRAID_RUN)
		most = BRAID_RUN;
	if (most < 1)
		most = 1;
	return count < most ? count : (int)most;
}

/* Copies of small packets must not eat a slow line. */
static bool may_copy(struct braid *braid, const struct lane *lane,
		     const struct braid_flow *flow, uint64_t now)
{
	uint64_t us = now - braid->spare_at, rate = lane->window.rate;
	int64_t share = (int64_t)(rate / COPY_SHARE), most;

	if (share < COPY_LEAST_BPS / 8)
		share = COPY_LEAST_BPS / 8;
	most = share * COPY_SPAN_US;
	if (us > COPY_SPAN_US)
		us = COPY_SPAN_US;
	braid->spare_at = now;
	braid->spare += share * (int64_t)us;
	if (braid->spare > most)
		braid->spare = most;
	if (braid->spare < (flow->ack ? most / 2 : 0))
		return false;
	braid->spare -= MICRO * (flow->size + lane->config.overhead);
	return true;
}

/* One that was dead and shall carry again gets copies first. */
static struct lane *proving(struct braid *braid, uint16_t size)
{
	for (unsigned i = 0; i < braid->count; i++) {
		struct lane *lane = braid->lanes[i];

		if (lane->state == BRAID_PROVING && !lane->draining &&
		    size <= lane->mtu.good && lane->window.srtt_us &&
		    lane->flight.packets < PROVE_PACKETS)
			return lane;
	}
	return NULL;
}

static struct lane *second_lane(struct braid *braid,
				const struct braid_flow *flow,
				enum braid_mode mode, bool small,
				const struct lane *first, uint64_t now)
{
	struct reasons why = { 0 };
	struct wish wish = {
		.size = flow->size,
		.not_this = first,
	};
	struct choice choice;

	if (mode != BRAID_DUPLICATE && !small)
		return NULL;
	wish.reserve =
		small ? INT32_MAX / 2 : RESERVE_PACKETS * (int64_t)flow->size;
	choice = choose(braid, &wish, now, &why);
	if (!choice.lane)
		return NULL;
	if (mode != BRAID_DUPLICATE &&
	    (is_behind(braid, choice.lane, foremost(braid, flow->size)) ||
	     !may_copy(braid, choice.lane, flow, now)))
		return NULL;
	return choice.lane;
}

/* After a pause: are they all still there? */
static void ask_all(struct braid *braid, uint64_t now)
{
	for (unsigned i = 0; i < braid->count; i++) {
		struct lane *lane = braid->lanes[i];

		if (lane->state == BRAID_UP && !lane->ping_at &&
		    !lane_is_metered(lane) && !lane_is_standby(lane) &&
		    now - lane->progress_at > REST_US)
			lane->ping_at = now;
	}
}

static int no_way(const struct reasons *why)
{
	if (!why->alive)
		return -ENETUNREACH;
	return why->fits ? 0 : -EMSGSIZE;
}

/*
 * Lanes of unequal delay. Packets of one flow that take both wait for the slow
 * one; to a TCP that is a longer round trip, which it must see from the start
 * of a burst: when it comes in the midst of its slow start, it ends that far
 * too early (HyStart, RFC 9406), and bbr takes the short one for the true one.
 * So a burst is spread from its first packet on, slow lane first, or keeps to
 * the fast lanes, until so much waits that the slow one is no later.
 *
 * bbr knows the short round trip from its handshake, and has no more under way
 * than its rate brings in twice that time and what was acked in one lump beyond
 * its rate (tcp_bbr.c, ack aggregation: the most of five to ten round trips).
 * So a flow that fills the fast lanes anyway has the slow ones too, all of them
 * as full as the others; where it does not fill them, though it has nothing
 * waiting, it leaves them now and then for as long as they are longer. What was
 * held for their sake then arrives in one lump, and bbr sees how much all of
 * them hold. That costs so much of the slow lanes; a TCP that has more to send
 * than there is room for never pays it.
 */
static void count_from(struct braid_stream *stream, uint32_t us)
{
	stream->since_us = us;
	stream->bytes_before = stream->bytes;
	stream->bytes = 0;
}

static void begin_burst(struct braid_stream *stream,
			const struct braid_flow *flow, uint32_t us)
{
	stream->spread =
		flow->waiting >= BURST_BYTES ? SPREAD_FRESH : SPREAD_NOT;
	stream->bulk = false;
	count_from(stream, us);
}

/* What a flow may have by the fast lane alone. */
struct fast {
	uint64_t rate;	 /* a flow's share of it; 0: not known */
	uint32_t rtt_us; /* the longest there is */
};

/* Does a fresh burst go on as it must if it gains by the slow lanes? A TCP that
 * has more to send doubles with every round trip. bbr does not: that is better
 * off without them until it fills the fast ones. */
static void look_at_fresh(struct braid_stream *stream,
			  const struct braid_flow *flow,
			  const struct fast *fast, uint32_t us)
{
	if (us - stream->since_us < fast->rtt_us * 10 / 3)
		return;
	stream->spread = stream->bytes < (uint64_t)BURST_GROWN * flow->size
				 ? SPREAD_NOT
				 : SPREAD_BURST;
	count_from(stream, us);
}

static void look_at_rate(struct braid_stream *stream, const struct fast *fast,
			 uint32_t us)
{
	uint64_t share = fast->rate * (us - stream->since_us) / 1000000;

	if (us - stream->since_us < LITTLE_US)
		return;
	stream->bulk = share && stream->bytes >= share * 3 / 4;
	if (!share)
		share = (uint64_t)stream->bytes_before * GROWN_TIMES * 5 / 2;
	if (stream->spread == SPREAD_BURST && stream->bytes < share * 2 / 5)
		stream->spread = SPREAD_NOT;
	if (stream->spread == SPREAD_EVEN && stream->bytes < share * 9 / 10)
		stream->spread = SPREAD_NOT;
	count_from(stream, us);
}

/* Every ten seconds bbr keeps still until all it sent is acked, and then for
 * 200 ms sends four packets a round trip, to learn how long that is. These go
 * the way the others went. */
static void look_at_thin(struct braid_stream *stream,
			 const struct braid_flow *flow, const struct fast *fast,
			 uint32_t us)
{
	uint32_t age = us - stream->since_us;

	if (age < THIN_US &&
	    stream->bytes >= (uint32_t)THIN_PACKETS * flow->size) {
		stream->spread = stream->kept; /* a pause, no more */
		stream->bulk = true;
	}
	if (age < 2 * LITTLE_US)
		return;
	stream->spread = stream->bytes < fast->rate * age / 1000000 * 2 / 5
				 ? SPREAD_NOT
				 : SPREAD_EVEN;
	count_from(stream, us);
}

static void begin(struct braid_stream *stream, const struct braid_flow *flow,
		  uint32_t us)
{
	uint32_t rest = us - stream->last_us;

	if (rest > BURST_REST_US || !stream->last_us) {
		begin_burst(stream, flow, us);
	} else if (stream->bulk && rest > PAUSE_US &&
		   stream->spread != SPREAD_THIN) {
		stream->kept = stream->spread;
		stream->spread = SPREAD_THIN;
		stream->bulk = false;
		count_from(stream, us);
	}
}

static void spread(struct braid_stream *stream, const struct braid_flow *flow,
		   const struct fast *fast, uint64_t now)
{
	uint64_t much = fast->rate * SLOWER_US / 1000000;
	uint32_t us = (uint32_t)now;

	if (flow->waiting >= BURST_BYTES / 2)
		stream->waited_us = us;
	begin(stream, flow, us);
	if (stream->spread == SPREAD_FRESH)
		look_at_fresh(stream, flow, fast, us);
	else if (stream->spread == SPREAD_THIN)
		look_at_thin(stream, flow, fast, us);
	else
		look_at_rate(stream, fast, us);
	if (stream->spread == SPREAD_NOT &&
	    (stream->bulk || (much && flow->waiting > much)))
		stream->spread = SPREAD_PROVEN;
	else if (stream->spread == SPREAD_PROVEN &&
		 us - stream->waited_us > CALM_US)
		stream->spread = SPREAD_NOT;
}

/* The lanes whose round trip is more than two of the fastest. */
struct slow {
	uint32_t us; /* by which the longest is longer, one way; 0: none */
	bool dry;    /* one of them could hold more */
};

static void look_at_slow(const struct braid *braid, const struct lane *first,
			 struct slow *slow)
{
	for (unsigned i = 0; i < braid->count; i++) {
		const struct lane *lane = braid->lanes[i];
		const struct window *window = &lane->window;
		int64_t us = delay_of(braid, lane) - delay_of(braid, first);

		if (lane->state != BRAID_UP || !window->known || us < NEAR_US ||
		    us < first->window.pipe_us)
			continue;
		if (us > slow->us)
			slow->us = (uint32_t)us;
		if (lane->flight.bytes < window->rate * window->pipe_us / MICRO)
			slow->dry = true;
	}
}

static bool is_away(struct braid_stream *stream, const struct braid_flow *flow,
		    const struct slow *slow, uint32_t rtt_us, uint32_t us)
{
	uint32_t since = us - stream->left_us;

	if (since < slow->us)
		return true;
	if (slow->dry && flow->waiting < BURST_BYTES &&
	    since > LEAVE_LEAST_ROUNDS * rtt_us)
		stream->dry_us = us;
	else if (us - stream->dry_us > LEAVE_US ||
		 since < LEAVE_ROUNDS * rtt_us)
		return false;
	stream->left_us = us;
	return slow->us;
}

static void set_skew(struct braid *braid, struct wish *wish,
		     struct braid_stream *stream, const struct braid_flow *flow,
		     uint64_t now)
{
	const struct lane *first = NULL;
	struct fast fast = { 0 };
	struct slow slow = { 0 };

	fastest(braid, flow->size, &first);
	if (!first)
		return;
	for (unsigned i = 0; i < braid->count; i++)
		if (braid->lanes[i]->state == BRAID_UP &&
		    braid->lanes[i]->window.srtt_us > fast.rtt_us)
			fast.rtt_us = braid->lanes[i]->window.srtt_us;
	if (first->window.known)
		fast.rate =
			first->window.rate / (flow->flows ? flow->flows : 1);
	spread(stream, flow, &fast, now);
	wish->skew_us = stream->spread ? braid->config.spread_us : NEAR_US;
	wish->late_us = stream->spread ? 2LL * wish->skew_us : NEAR_US;
	if (stream->spread == SPREAD_PROVEN) {
		look_at_slow(braid, first, &slow);
		wish->even = stream->bulk;
		if (is_away(stream, flow, &slow, fast.rtt_us, (uint32_t)now))
			wish->skew_us = wish->late_us = NEAR_US;
	}
	wish->slowest = stream->spread != SPREAD_NOT &&
			stream->spread != SPREAD_PROVEN &&
			(uint32_t)now - stream->slow_us > COVER_US;
}

static struct braid_stream *stream_of(struct braid *braid, uint16_t bucket)
{
	struct braid_streams *streams = braid_streams(braid);
	struct braid_stream *stream = &streams->of[bucket];

	if (shelf_take(&streams->taken, bucket))
		stream->seq = shelf_number(&braid->numbers, bucket);
	return stream;
}

int braid_plan(struct braid *braid, const struct braid_flow *flow, int count,
	       uint64_t now, struct braid_plan *plan)
{
	enum braid_mode mode =
		flow->mode ? (enum braid_mode)flow->mode : braid_policy(braid);
	bool small = flow->size < braid->config.small_bytes;
	bool loose = flow->loose || small;
	struct wish wish = { .size = flow->size };
	struct reasons why = { 0 };
	struct lane *second;
	struct choice choice;
	uint16_t bucket =
		loose ? WIRE_BUCKET_ANY : flow->bucket % WIRE_BUCKET_ANY;
	struct braid_stream *stream = stream_of(braid, bucket);

	now = braid_advance(braid, now);
	if (now - braid->planned_at > REST_US)
		ask_all(braid, now);
	braid->planned_at = now;
	if (small || flow->loose)
		wish.reserve = INT32_MAX / 2;
	if (!loose && mode != BRAID_FAILOVER)
		set_skew(braid, &wish, stream, flow, now);
	if (mode == BRAID_FAILOVER)
		wish.only = foremost(braid, flow->size);
	choice = choose(braid, &wish, now, &why);
	if (!choice.lane)
		return no_way(&why);
	count = portion(&choice, count,
			flow->size + choice.lane->config.overhead);
	second = second_lane(braid, flow, mode, small, choice.lane, now);
	if (!second && (second = proving(braid, flow->size)))
		count = count < PROVE_PACKETS ? count : PROVE_PACKETS;
	*plan = (struct braid_plan){
		.lane = choice.lane->id,
		.second = second ? second->id : BRAID_NO_LANE,
		.bucket = bucket,
		.count = (uint16_t)count,
		.seq = stream->seq,
	};
	stream->seq =
		(stream->seq + (uint32_t)count) & ((1U << WIRE_SEQ_BITS) - 1);
	stream->last_us = (uint32_t)now;
	stream->bytes += (uint32_t)count * flow->size;
	if (choice.late)
		stream->slow_us = (uint32_t)now;
	braid->plan = *plan;
	return count;
}

/* --- again ------------------------------------------------------------------
 */

static void skip(struct braid *braid, uint16_t bucket, uint32_t seq)
{
	if (bucket == WIRE_BUCKET_ANY)
		return;
	if (braid->skip_tail - braid->skip_head == BRAID_SKIPS)
		braid->skip_head++;
	braid_streams(braid)->skips[braid->skip_tail++ % BRAID_SKIPS] =
		(struct braid_skip){ bucket, seq };
}

void braid_gone(struct braid *braid, const struct braid_again *again)
{
	skip(braid, again->bucket, again->seq);
	braid->again.size = 0;
}

/* It has arrived meanwhile, or nobody waits for it any more. */
static bool is_moot(struct braid *braid, const struct resend_item *item,
		    uint64_t now)
{
	const struct lane *lane = braid_lane(braid, item->lane);

	if (lane && !flight_is_gone(&lane->flight, item->counter))
		return true;
	if (item->tries < TRIES_MOST &&
	    (uint32_t)now - item->born_us <
		    braid->config.hold_max_us + GIVE_UP_US)
		return false;
	skip(braid, item->bucket, item->seq);
	return true;
}

static const struct resend_item *next_item(struct braid *braid, uint64_t now)
{
	const struct resend_item *item;

	while ((item = resend_head(&braid->resend)) &&
	       is_moot(braid, item, now))
		resend_drop(&braid->resend);
	return item;
}

int braid_resend(struct braid *braid, uint64_t now, struct braid_again *again)
{
	const struct resend_item *item;
	struct wish wish = { 0 };
	struct reasons why = { 0 };
	struct choice choice, other = { 0 };

	now = braid_advance(braid, now);
	item = next_item(braid, now);
	if (!item)
		return 0;
	wish.size = item->size;
	wish.reserve = RESERVE_PACKETS * (int64_t)item->size;
	if (braid_policy(braid) == BRAID_FAILOVER)
		wish.only = foremost(braid, item->size);
	choice = choose(braid, &wish, now, &why);
	if (!choice.lane)
		return 0;
	/* Where it was lost it may be lost again. */
	wish.not_this = choice.lane;
	if (choice.lane->id == item->lane || item->tries)
		other = choose(braid, &wish, now, &why);
	*again = (struct braid_again){
		.lane = choice.lane->id,
		.second = other.lane ? other.lane->id : BRAID_NO_LANE,
		.flags = WIRE_COPY | item->wire,
		.bucket = item->bucket,
		.size = item->size,
		.seq = item->seq,
		.handle = item->handle,
	};
	braid->again = *again;
	braid->again_born = item->born_us;
	braid->again_tries = item->tries;
	resend_drop(&braid->resend);
	return 1;
}
