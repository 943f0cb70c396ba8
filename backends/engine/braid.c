/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/engine/braid.h"

#include <errno.h>

#include "backends/engine/inside.h"

enum {
	HOLD_PACKETS = 8192,
	PATIENCE_US = 10000, /* between two looks at the skew */
	LATELY_US = 1000000,
	BASE_RECOVER_US = 60000, /* a silent lane is noticed in that time */
	DOWN_LEAST_US = 500000,
	PACKET_ROOM = 64,
};

static void set_default(uint32_t *value, uint32_t to)
{
	if (!*value)
		*value = to;
}

static void fill_config(struct braid_config *config)
{
	if (!config->small_bytes)
		config->small_bytes = 200;
	if (!config->hold_packets)
		config->hold_packets = HOLD_PACKETS;
	if (!config->packet_bytes)
		config->packet_bytes = 1500;
	set_default(&config->hold_max_us, 300000);
	set_default(&config->queue_us, 5000);
	set_default(&config->spread_us, 60000);
	set_default(&config->slice_us, 1000000);
	if (!config->slices)
		config->slices = 10;
	if (config->slices > METER_SLICES_MOST)
		config->slices = METER_SLICES_MOST;
}

struct braid *braid_new(const struct braid_config *config)
{
	struct braid *braid = mem_alloc(sizeof(*braid));
	struct reorder_setup setup;

	braid->config = *config;
	fill_config(&braid->config);
	setup = (struct reorder_setup){
		.packets = braid->config.hold_packets,
		.packet_bytes =
			(uint16_t)(braid->config.packet_bytes + PACKET_ROOM),
		.most_us = braid->config.hold_max_us,
		.salt = config->salt,
		.deliver = config->deliver,
		.context = config->context,
	};
	braid->reorder = reorder_new(&setup);
	braid->whole.number = BRAID_ALL_LINES;
	memset(braid->slot_of, BRAID_NO_SLOT, sizeof(braid->slot_of));
	braid->mtu = MTU_BASE;
	braid->room_next = BRAID_NEVER;
	return braid;
}

void braid_free(struct braid *braid)
{
	if (!braid)
		return;
	for (unsigned i = 0; i < braid->count; i++) {
		lane_clear(braid->lanes[i]);
		free(braid->lanes[i]);
	}
	free(braid->lines);
	free(braid->streams);
	shelf_clear(&braid->numbers);
	free(braid->copy);
	free(braid->events);
	reorder_free(braid->reorder);
	resend_clear(&braid->resend);
	free(braid);
}

struct lane *braid_lane(const struct braid *braid, uint8_t id)
{
	uint8_t slot = braid->slot_of[id];

	return slot == BRAID_NO_SLOT ? NULL : braid->lanes[slot];
}

uint64_t braid_advance(struct braid *braid, uint64_t now)
{
	if (now > braid->clock)
		braid->clock = now;
	return braid->clock;
}

bool braid_has_lane(const struct braid *braid, uint8_t id)
{
	return braid_lane(braid, id);
}

const char *braid_state_name(enum braid_state state)
{
	static const char *const names[] = {
		[BRAID_PROVING] = "proving", [BRAID_UP] = "up",
		[BRAID_SUSPECT] = "suspect", [BRAID_DEAD] = "dead",
		[BRAID_DOWN] = "down",	     [BRAID_DRAIN] = "draining",
	};

	return (size_t)state < ARRAY_SIZE(names) ? names[state] : "unknown";
}

/* --- policy --------------------------------------------------------------- */

enum braid_mode braid_policy(const struct braid *braid)
{
	if (braid->config.mode)
		return braid->config.mode;
	return braid->peer_mode ? braid->peer_mode : BRAID_AGGREGATE;
}

static void tell_all(struct braid *braid, uint64_t now)
{
	for (unsigned i = 0; i < braid->count && !braid->config.quiet; i++)
		talk_tell(braid->lanes[i], now);
}

void braid_policy_set(struct braid *braid, enum braid_mode mode, uint64_t now)
{
	now = braid_advance(braid, now);
	if (mode == braid->config.mode)
		return;
	braid->config.mode = mode;
	tell_all(braid, now);
}

/* --- events --------------------------------------------------------------- */

static void more_events(struct braid *braid)
{
	uint32_t room = braid->event_room ? 2 * braid->event_room : 4;
	struct braid_event *events = mem_array(room, sizeof(*events));
	uint32_t count = 0;

	for (uint32_t i = braid->event_head; i != braid->event_tail; i++)
		events[count++] = braid->events[i & (braid->event_room - 1)];
	free(braid->events);
	braid->events = events;
	braid->event_room = room;
	braid->event_head = 0;
	braid->event_tail = count;
}

void braid_tell(struct braid *braid, const struct braid_event *event)
{
	if (braid->event_tail - braid->event_head == braid->event_room) {
		if (braid->event_room < BRAID_EVENTS)
			more_events(braid);
		else
			braid->event_head++;
	}
	braid->events[braid->event_tail++ & (braid->event_room - 1)] = *event;
}

static void say(struct braid *braid, enum braid_what what, uint8_t lane,
		uint64_t value, uint64_t now)
{
	braid_tell(braid, &(struct braid_event){ .what = what,
						 .lane = lane,
						 .value = value,
						 .at = now });
}

bool braid_event(struct braid *braid, struct braid_event *event)
{
	if (braid->event_head == braid->event_tail)
		return false;
	*event = braid->events[braid->event_head++ & (braid->event_room - 1)];
	return true;
}

/* The smallest of those that carry; while none does, as it was. */
static void review(struct braid *braid, uint64_t now)
{
	uint16_t mtu = UINT16_MAX;
	bool alive = false;

	for (unsigned i = 0; i < braid->count; i++) {
		const struct lane *lane = braid->lanes[i];

		if (lane->state != BRAID_UP || lane->draining)
			continue;
		alive = true;
		if (lane->mtu.good < mtu)
			mtu = lane->mtu.good;
	}
	if (alive != braid->alive)
		say(braid, alive ? BRAID_PEER_BACK : BRAID_PEER_GONE, 0, 0,
		    now);
	braid->alive = alive;
	if (alive && mtu != braid->mtu) {
		braid->mtu = mtu;
		say(braid, BRAID_MTU, 0, mtu, now);
	}
}

bool braid_is_alive(const struct braid *braid)
{
	return braid->alive;
}

uint16_t braid_mtu(const struct braid *braid)
{
	return braid->mtu;
}

bool braid_mtu_is_found(const struct braid *braid)
{
	for (unsigned i = 0; i < braid->count; i++)
		if (braid->lanes[i]->state == BRAID_UP &&
		    !braid->lanes[i]->mtu.found)
			return false;
	return braid->alive;
}

/* --- lanes ---------------------------------------------------------------- */

struct loss {
	struct braid *braid;
	struct lane *lane;
	uint64_t now;
	bool silent; /* the lane fell silent: its loss says little (mtu_gone())
		      */
};

/* What has become narrow may be a part of the way that the others share. */
static void narrowed(struct braid *braid, const struct lane *lane, uint64_t now)
{
	say(braid, BRAID_LANE_MTU, lane->id, lane->mtu.good, now);
	review(braid, now);
	for (unsigned i = 0; i < braid->count; i++)
		if (braid->lanes[i]->mtu.good > lane->mtu.good)
			mtu_doubt(&braid->lanes[i]->mtu, now);
}

static void on_lost(void *context, uint64_t counter,
		    const struct flight_entry *entry)
{
	struct loss *loss = context;
	struct lane *lane = loss->lane;

	if (loss->silent) {
		mtu_gone(&lane->mtu, entry->size);
	} else {
		meter_lose(&lane->out, 1, loss->now);
		window_lost(&lane->window, 1);
		if (entry->flags & FLIGHT_PROBE) {
			if (mtu_lost(&lane->mtu, counter, loss->now))
				narrowed(loss->braid, lane, loss->now);
			return;
		}
		mtu_note(&lane->mtu, entry->size, true, loss->now);
	}
	if (!(entry->flags & FLIGHT_DATA))
		return;
	if (entry->bucket == WIRE_BUCKET_ANY && entry->flags & FLIGHT_DOUBLED)
		return;
	resend_put(&loss->braid->resend, &(struct resend_item){
						 .counter = counter,
						 .seq = entry->seq,
						 .handle = entry->handle,
						 .born_us = entry->born_us,
						 .bucket = entry->bucket,
						 .size = entry->size,
						 .lane = lane->id,
						 .tries = entry->tries,
						 .wire = entry->wire,
					 });
}

static void abandon(struct braid *braid, struct lane *lane, uint64_t now)
{
	struct loss loss = { braid, lane, now, true };

	flight_abandon(&lane->flight, on_lost, &loss);
}

/* The lane is in another state: what was under way goes elsewhere. */
static void changed(struct braid *braid, struct lane *lane, uint64_t now)
{
	if (lane->state == BRAID_SUSPECT || lane->state == BRAID_DEAD ||
	    lane->state == BRAID_DOWN)
		abandon(braid, lane, now);
	if (lane->state == BRAID_SUSPECT || lane->state == BRAID_UP)
		talk_tell(lane, now);
	say(braid, BRAID_LANE_STATE, lane->id, lane->state, now);
	review(braid, now);
}

static struct braid_lane_config filled(const struct braid_lane_config *config)
{
	struct braid_lane_config full = *config;

	if (!full.mtu)
		full.mtu = 1440;
	if (full.mtu < MTU_LEAST)
		full.mtu = MTU_LEAST;
	if (!full.overhead)
		full.overhead = 60;
	return full;
}

int braid_lane_add(struct braid *braid, uint8_t id,
		   const struct braid_lane_config *config, uint64_t now)
{
	struct braid_lane_config full = filled(config);
	struct lane *lane;
	uint8_t slot;

	now = braid_advance(braid, now);
	if (braid_lane(braid, id))
		return -EEXIST;
	if (braid->count == BRAID_LANES)
		return -ENOSPC;
	slot = (uint8_t)__builtin_ctzll(~braid->slots_used);
	braid->slots_used |= 1ULL << slot;
	lane = mem_alloc(sizeof(*lane));
	braid->data_at = now; /* as good as data: see that it works */
	lane_init(lane, id, slot, &full, &braid->config, now);
	braid->slot_of[id] = (uint8_t)braid->count;
	braid->lanes[braid->count++] = lane;
	if (braid->count == 2 && !braid->copy)
		braid->copy = mem_alloc(BRAID_CONTROL_ROOM);
	line_review(braid, now);
	if (!braid->config.quiet)
		talk_tell(lane, now);
	return 0;
}

void braid_lane_set(struct braid *braid, uint8_t id,
		    const struct braid_lane_config *config, uint64_t now)
{
	struct lane *lane = braid_lane(braid, id);

	now = braid_advance(braid, now);
	if (!lane)
		return;
	lane->config = filled(config);
	lane->flight.overhead = lane->config.overhead;
	if (lane->config.mtu != lane->mtu.most)
		mtu_init(&lane->mtu, lane->config.mtu, now);
	talk_tell(lane, now);
	line_review(braid, now);
	review(braid, now);
}

void braid_lane_drain(struct braid *braid, uint8_t id, uint64_t now)
{
	struct lane *lane = braid_lane(braid, id);

	now = braid_advance(braid, now);
	if (!lane || lane->draining)
		return;
	lane->draining = true;
	talk_tell(lane, now);
	review(braid, now);
	if (!lane->flight.packets)
		say(braid, BRAID_LANE_DRAINED, id, 0, now);
}

void braid_lane_remove(struct braid *braid, uint8_t id, uint64_t now)
{
	struct lane *lane = braid_lane(braid, id);
	uint8_t at = braid->slot_of[id];

	now = braid_advance(braid, now);
	if (!lane)
		return;
	abandon(braid, lane, now);
	braid->slots_used &= ~(1ULL << lane->slot);
	braid->slot_of[id] = BRAID_NO_SLOT;
	braid->count--;
	for (unsigned i = at; i < braid->count; i++) {
		braid->lanes[i] = braid->lanes[i + 1];
		braid->slot_of[braid->lanes[i]->id] = (uint8_t)i;
	}
	lane_clear(lane);
	free(lane);
	if (braid->copy_lane == id)
		braid->copy_size = 0;
	line_review(braid, now);
	review(braid, now);
}

static void switch_lane(struct braid *braid, struct lane *lane, uint64_t now)
{
	bool down = lane->down || lane->peer_down;

	lane_knock(lane, now);
	if (down == (lane->state == BRAID_DOWN))
		return;
	lane_become(lane, down ? BRAID_DOWN : BRAID_PROVING, now);
	changed(braid, lane, now);
}

void braid_lane_down(struct braid *braid, uint8_t id, uint64_t now)
{
	struct lane *lane = braid_lane(braid, id);

	now = braid_advance(braid, now);
	if (!lane || lane->down)
		return;
	lane->down = true;
	talk_tell(lane, now);
	switch_lane(braid, lane, now);
}

void braid_lane_up(struct braid *braid, uint8_t id, uint64_t now)
{
	struct lane *lane = braid_lane(braid, id);

	now = braid_advance(braid, now);
	if (!lane)
		return;
	if (lane->down) {
		lane->down = false;
		talk_tell(lane, now);
		switch_lane(braid, lane, now);
	} else if (lane->state == BRAID_DEAD) {
		/* What was asked in vain says nothing any more. */
		abandon(braid, lane, now);
		lane_become(lane, BRAID_PROVING, now);
		changed(braid, lane, now);
	} else {
		lane_hurry(lane, now);
	}
}

void braid_restart(struct braid *braid, uint64_t now)
{
	now = braid_advance(braid, now);
	reorder_restart(braid->reorder);
	resend_clear(&braid->resend);
	note_restart(&braid->note, now);
	free(TAKE(braid->streams));
	shelf_clear(&braid->numbers);
	braid->skip_head = braid->skip_tail;
	braid->copy_size = 0;
	braid->plan = (struct braid_plan){ 0 };
	braid->again = (struct braid_again){ 0 };
	braid->peer_mode = BRAID_DEFAULT;
	for (unsigned i = 0; i < braid->count; i++)
		lane_restart(braid->lanes[i], now);
	tell_all(braid, now);
	line_restart(braid, now);
	review(braid, now);
}

/* --- sent ------------------------------------------------------------------
 */

static void describe(const struct braid *braid, const struct braid_sent *sent,
		     struct flight_entry *entry)
{
	const struct braid_again *again = &braid->again;
	const struct braid_plan *plan = &braid->plan;

	if (sent->flags & WIRE_CONTROL) {
		if (braid->control_counts)
			entry->flags = FLIGHT_COUNTS;
		if (braid->control_probe)
			entry->flags = FLIGHT_COUNTS | FLIGHT_PROBE;
		return;
	}
	entry->flags = FLIGHT_COUNTS | FLIGHT_DATA;
	if (sent->flags & WIRE_COPY && again->size &&
	    again->bucket == sent->bucket && again->seq == sent->seq) {
		entry->born_us = braid->again_born;
		entry->tries = (uint8_t)(braid->again_tries + 1);
		if (again->second != BRAID_NO_LANE)
			entry->flags |= FLIGHT_DOUBLED;
	} else if (plan->second != BRAID_NO_LANE &&
		   plan->bucket == sent->bucket && plan->seq == sent->seq) {
		entry->flags |= FLIGHT_DOUBLED;
	}
}

void braid_sent(struct braid *braid, const struct braid_sent *sent,
		uint64_t now)
{
	struct lane *lane = braid_lane(braid, sent->lane);
	struct flight_entry entry = {
		.time_us = (uint32_t)now,
		.born_us = (uint32_t)now,
		.seq = sent->seq,
		.handle = sent->handle,
		.bucket = sent->bucket,
		.size = sent->size,
		.wire = sent->flags & WIRE_UNSUMMED,
	};
	uint32_t bytes;

	now = braid_advance(braid, now);
	if (!lane || !sent->count)
		return;
	describe(braid, sent, &entry);
	if (entry.flags & FLIGHT_PROBE)
		mtu_sent(&lane->mtu, sent->counter, now,
			 window_patience_us(&lane->window));
	if (!lane->flight.packets)
		lane->progress_at = now; /* the silence begins now */
	lane->sent_at = now;
	for (unsigned i = 0; i < sent->count; i++) {
		if (i + 1U == sent->count)
			entry.size = sent->last;
		flight_sent(&lane->flight, sent->counter + i, &entry);
		entry.seq = (entry.seq + 1) & ((1U << WIRE_SEQ_BITS) - 1);
		entry.handle++;
	}
	bytes = (uint32_t)(sent->count - 1) * sent->size + sent->last +
		sent->count * lane->config.overhead;
	meter_add(&lane->out, bytes, sent->count, now);
	lane_spent(lane, bytes, now);
	if (sent->flags & WIRE_COPY)
		lane->resent += entry.tries ? sent->count : 0;
	if (entry.flags & FLIGHT_DOUBLED && sent->flags & WIRE_COPY)
		lane->doubled += sent->count;
}

/* --- received ---------------------------------------------------------------
 */

static void note_inflow(struct braid *braid, struct lane *lane,
			const struct braid_received *in, uint64_t at,
			uint64_t now)
{
	uint32_t delay = (wire_time(at) - in->inner.time) & 0xffffff;
	uint8_t flags = in->inner.flags;
	struct full_look look;
	bool over = inflow_add(&lane->inflow, delay, !(flags & WIRE_CONTROL),
			       flags & WIRE_BULK, now, &look);

	meter_delay(&lane->in, lane->inflow.queue_us, now);
	if (over)
		line_look(braid, lane, BRAID_IN, &look, now);
}

void braid_received(struct braid *braid, const struct braid_received *in,
		    uint64_t now)
{
	struct lane *lane = braid_lane(braid, in->lane);
	uint64_t at = now, lost;
	uint32_t bytes;

	now = braid_advance(braid, now);
	if (!lane)
		return;
	bytes = (uint32_t)in->size + lane->config.overhead;
	braid->in_time = in->inner.time;
	lane_heard(lane);
	if (!(in->inner.flags & WIRE_CONTROL))
		braid->data_at = now;
	arrival_add(&lane->arrival, in->counter, in->inner.time, bytes,
		    !(in->inner.flags & WIRE_CONTROL), at, now);
	lost = lane->arrival.lost;
	if (lost > lane->arrival_lost) {
		meter_lose(&lane->in, (uint32_t)(lost - lane->arrival_lost),
			   now);
		lane->arrival_lost = lost;
	}
	meter_add(&lane->in, bytes, 1, now);
	meter_land(&lane->in, bytes, now);
	note_inflow(braid, lane, in, at, now);
	if (lane->peer_down && now - lane->state_at > DOWN_LEAST_US) {
		lane->peer_down = false; /* it sends there again */
		switch_lane(braid, lane, now);
	}
}

/* The flows have to wait for the slowest lane they came by, and as long as it
 * takes to say what is missing and to get it, twice. */
static void look_at_skew(struct braid *braid, uint64_t now)
{
	struct reorder_patience patience = { 0 };
	uint32_t rtt = 0, jitter = 0, least = 0;
	int32_t most = 0;
	bool any = false;

	if (now - braid->patience_at < PATIENCE_US && braid->patience_at)
		return;
	braid->patience_at = now;
	for (unsigned i = 0; i < braid->count; i++) {
		const struct lane *lane = braid->lanes[i];
		uint32_t srtt = lane->window.srtt_us + lane->window.var_us;
		int32_t off;

		if (lane->window.srtt_us && (!rtt || srtt < rtt))
			rtt = srtt;
		if (!lane->arrival.any || now - lane->arrival.at > LATELY_US)
			continue;
		if (lane->arrival.jitter_us > jitter)
			jitter = lane->arrival.jitter_us;
		if (!any)
			least = lane->arrival.smooth;
		any = true;
		off = arrival_since(lane->arrival.smooth, least);
		if (off < 0) {
			least = lane->arrival.smooth;
			most -= off;
			off = 0;
		}
		if (off > most)
			most = off;
	}
	patience.skew_us = (uint32_t)most + 4 * jitter + 4000;
	patience.recover_us = rtt ? BASE_RECOVER_US + 5 * rtt / 2 : 150000;
	reorder_patience(braid->reorder, &patience);
}

void braid_order(struct braid *braid, const struct braid_received *in,
		 const uint8_t *packet, uint64_t now)
{
	const struct lane *lane = braid_lane(braid, in->lane);

	now = braid_advance(braid, now);
	if (!lane)
		return;
	look_at_skew(braid, now);
	reorder_put(braid->reorder, in->inner.bucket, in->inner.seq, lane->slot,
		    packet, in->size, in->inner.flags, now);
}

struct acking {
	struct braid *braid;
	struct lane *lane;
	uint64_t now;
};

static void on_acked(void *context, uint64_t counter,
		     const struct flight_entry *entry)
{
	struct acking *acking = context;
	struct lane *lane = acking->lane;

	if (entry->flags & FLIGHT_PROBE) {
		if (mtu_acked(&lane->mtu, counter, acking->now))
			say(acking->braid, BRAID_LANE_MTU, lane->id,
			    lane->mtu.good, acking->now);
		review(acking->braid, acking->now);
	} else {
		mtu_note(&lane->mtu, entry->size, false, acking->now);
	}
}

/* A round of the window is a look at the line. */
static void look_out(struct braid *braid, struct lane *lane, uint64_t now)
{
	struct full_look look = {
		.pressed = lane->window.pressed,
		.span_us = lane->window.pressed_us,
		.queue_us = lane->window.pressed_queue_us,
	};

	meter_delay(&lane->out, lane->window.queue_us, now);
	if (!lane->window.news)
		return;
	lane->window.news = false;
	line_look(braid, lane, BRAID_OUT, &look, now);
}

/* Lanes over one line are no rivals. */
static void count_kin(const struct braid *braid, struct lane *lane)
{
	uint64_t rate = 0;

	for (unsigned i = 0; i < braid->count; i++)
		if (braid->lanes[i] != lane &&
		    lane_shares_line(braid->lanes[i], lane))
			rate += braid->lanes[i]->window.rate;
	contest_kin(&lane->window.contest, rate, lane->window.rate);
}

static void read_ack(struct braid *braid, const struct message_ack *ack,
		     uint64_t now)
{
	struct lane *lane = braid_lane(braid, ack->lane);
	struct acking acking = { braid, lane, now };
	struct loss loss = { braid, lane, now, false };
	struct flight_news news;
	struct window_ack sample;
	uint32_t flight = lane ? lane->flight.bytes : 0;
	int32_t wait;

	if (!lane ||
	    !flight_ack(&lane->flight, ack, now, &news, on_acked, &acking)) {
		braid->bad += lane != NULL;
		return;
	}
	if (!news.any)
		return;
	wait = arrival_since(braid->in_time, ack->time);
	sample = (struct window_ack){
		.bytes = news.bytes,
		.flight = flight,
		.packets = news.packets,
		.rtt_us = news.rtt_us,
		.wait_us = wait > 0 ? (uint32_t)wait : 0,
		.delay = ack->delay,
		.time = ack->time,
		.received = ack->bytes,
		.largest = lane->flight.largest,
		.next = lane->flight.next,
	};
	count_kin(braid, lane);
	window_ack(&lane->window, &sample, now);
	meter_land(&lane->out, news.bytes, now);
	if (lane_acked(lane, &news, !braid->alive, now))
		changed(braid, lane, now);
	for (unsigned i = 0; i < braid->count; i++)
		if (!lane_shares_line(braid->lanes[i], lane))
			lane_passed(braid->lanes[i], now);
	flight_lose(&lane->flight, now, lane->window.srtt_us, on_lost, &loss);
	look_out(braid, lane, now);
	if (lane->draining && !lane->flight.packets)
		say(braid, BRAID_LANE_DRAINED, lane->id, 0, now);
}

/* Lines are looked at once, behind the last message: one of many would cost
 * more than all the rest of it. */
static void read_lane(struct braid *braid, const struct message_lane *message,
		      bool *lines, uint64_t now)
{
	struct lane *lane = braid_lane(braid, message->lane);

	if (!lane)
		return;
	if (message->flags & MESSAGE_LANE_CONFIG) {
		lane->peer_metered = message->flags & MESSAGE_LANE_METERED;
		lane->peer_standby = message->flags & MESSAGE_LANE_STANDBY;
		lane->peer_tier = message->tier;
		lane->peer_line = message->line;
		lane->peer_cap_bps = message->cap_kbps * 1000ULL;
		lane->draining = message->flags & MESSAGE_LANE_DRAIN;
		*lines = true;
	}
	lane->peer_down = message->flags & MESSAGE_LANE_DOWN;
	switch_lane(braid, lane, now);
	if (message->flags & MESSAGE_LANE_SILENT && lane->state == BRAID_UP &&
	    now - lane->progress_at > 30000) {
		lane_become(lane, BRAID_SUSPECT, now);
		changed(braid, lane, now);
	}
}

/* How the lanes are used is the client's to say, and what it says that is not
 * known here is as if it were not said. */
static void read_use(struct braid *braid, const struct message_use *use)
{
	struct lane *lane = braid_lane(braid, use->lane);

	if (!lane || !braid->config.quiet)
		return;
	lane->peer_weight = use->weight;
	braid->peer_mode = use->policy <= BRAID_DUPLICATE
				   ? (enum braid_mode)use->policy
				   : BRAID_DEFAULT;
}

static void read_note(struct braid *braid, const struct message_note *note)
{
	if (note_hear(&braid->note, note->number) && braid->config.noted)
		braid->config.noted(braid->config.context, note->bytes,
				    note->size);
}

static void read_message(struct braid *braid, struct lane *lane,
			 const struct message *message, bool *lines,
			 uint64_t now)
{
	switch (message->type) {
	case MESSAGE_ACK: read_ack(braid, &message->ack, now); break;
	case MESSAGE_PING: arrival_hurry(&lane->arrival, now); break;
	case MESSAGE_SKIP:
		reorder_skip(braid->reorder, message->skip.bucket,
			     message->skip.seq, now);
		break;
	case MESSAGE_LANE: read_lane(braid, &message->lane, lines, now); break;
	case MESSAGE_USE: read_use(braid, &message->use); break;
	case MESSAGE_NOTE: read_note(braid, &message->note); break;
	case MESSAGE_NOTED:
		note_done(&braid->note, message->note.number);
		break;
	default: break;
	}
}

int braid_read(struct braid *braid, uint8_t id, const uint8_t *payload,
	       size_t size, uint64_t now)
{
	struct lane *lane = braid_lane(braid, id);
	struct message message;
	bool lines = false;
	int used;

	now = braid_advance(braid, now);
	if (!lane)
		return 0;
	while ((used = message_parse(&message, payload, size)) > 0) {
		read_message(braid, lane, &message, &lines, now);
		payload += used;
		size -= (size_t)used;
	}
	if (lines)
		line_review(braid, now);
	if (used < 0)
		braid->bad++;
	return used;
}

/* --- rest ------------------------------------------------------------------
 */

struct braid_streams *braid_streams(struct braid *braid)
{
	if (!braid->streams)
		braid->streams = mem_alloc(sizeof(*braid->streams));
	return braid->streams;
}

static uint32_t seq_of(const void *streams, uint16_t bucket)
{
	return ((const struct braid_stream *)streams)[bucket].seq;
}

static bool is_still(const struct braid *braid, uint64_t now)
{
	uint64_t moved = braid->data_at > braid->planned_at ? braid->data_at
							    : braid->planned_at;

	return now >= moved + BRAID_REST_US && !resend_head(&braid->resend) &&
	       braid->skip_head == braid->skip_tail && !braid->copy_size;
}

bool braid_rest(struct braid *braid, uint64_t now)
{
	struct braid_streams *streams = braid->streams;

	now = braid_advance(braid, now);
	if (!is_still(braid, now) || !reorder_rest(braid->reorder))
		return false;
	if (streams)
		shelf_put(&braid->numbers, &streams->taken, seq_of,
			  streams->of);
	free(TAKE(braid->streams));
	resend_clear(&braid->resend);
	for (unsigned i = 0; i < braid->count; i++)
		lane_rest(braid->lanes[i]);
	return true;
}

/* --- time -------------------------------------------------------------------
 */

bool braid_note(struct braid *braid, const uint8_t *bytes, size_t size,
		uint64_t now)
{
	return note_say(&braid->note, bytes, size, braid_advance(braid, now));
}

uint64_t braid_next(const struct braid *braid)
{
	uint64_t next = reorder_next(braid->reorder);
	uint64_t line = line_next(braid);

	if (braid->copy_size || braid->skip_head != braid->skip_tail)
		return 0;
	if (braid->room_next < next)
		next = braid->room_next;
	if (note_next(&braid->note) < next)
		next = note_next(&braid->note);
	if (line < next)
		next = line;
	for (unsigned i = 0; i < braid->count; i++) {
		uint64_t lane = lane_next(braid->lanes[i], braid->config.quiet);

		if (lane < next)
			next = lane;
	}
	return next;
}

/* Those over which little goes, too: an answer by one of them comes from an end
 * that lives, and so this line is dead. */
static void ask_others(struct braid *braid, const struct lane *silent,
		       uint64_t now)
{
	for (unsigned i = 0; i < braid->count; i++) {
		struct lane *lane = braid->lanes[i];

		if (lane->state == BRAID_UP && !lane->ping_at &&
		    !lane_shares_line(lane, silent))
			lane->ping_at = now;
	}
}

void braid_timer(struct braid *braid, uint64_t now)
{
	now = braid_advance(braid, now);
	reorder_timer(braid->reorder, now);
	line_timer(braid, now);
	if (braid->room_next <= now)
		braid->room_next = BRAID_NEVER;
	for (unsigned i = 0; i < braid->count; i++) {
		struct lane *lane = braid->lanes[i];

		if (lane_doubts(lane, now))
			ask_others(braid, lane, now);
		if (lane_timer(lane, now))
			changed(braid, lane, now);
		if ((lane->state == BRAID_UP || lane->state == BRAID_PROVING) &&
		    lane->mtu.probe && lane->mtu.next <= now &&
		    mtu_lost(&lane->mtu, lane->mtu.counter, now))
			narrowed(braid, lane, now);
	}
}

/* --- what can be seen
 * --------------------------------------------------------- */

void braid_slices(struct braid *braid, uint32_t slice_us, uint8_t slices,
		  uint64_t now)
{
	struct meter_setup setup;

	now = braid_advance(braid, now);
	braid->config.slice_us = slice_us;
	braid->config.slices = slices;
	fill_config(&braid->config);
	for (unsigned i = 0; i < braid->count; i++) {
		struct lane *lane = braid->lanes[i];

		setup = (struct meter_setup){ braid->config.slice_us,
					      braid->config.slices, false };
		meter_set(&lane->out, &setup);
		setup.arrived = true;
		meter_set(&lane->in, &setup);
	}
	line_slices(braid, now);
}

unsigned braid_meters(const struct braid *braid, enum braid_way way,
		      const struct meter *meters[BRAID_LANES])
{
	return line_meters(braid, BRAID_ALL_LINES, way, meters);
}

void braid_line_stats(const struct braid *braid, uint16_t line, uint64_t now,
		      struct braid_line_stats *stats)
{
	const struct meter *meters[BRAID_LANES];

	*stats = (struct braid_line_stats){ 0 };
	for (int way = 0; way < BRAID_WAYS; way++) {
		unsigned count = line_meters(braid, line, way, meters);

		meter_read(meters, count, now, &stats->ways[way]);
		for (size_t i = 0; i < braid->line_count; i++)
			if (line == BRAID_ALL_LINES ||
			    line == braid->lines[i].number)
				stats->full[way] |=
					braid->lines[i].full[way].is;
	}
}

static uint32_t above_fastest(const struct braid *braid,
			      const struct lane *lane, bool in)
{
	int32_t most = 0;

	for (unsigned i = 0; i < braid->count; i++) {
		const struct lane *other = braid->lanes[i];
		int32_t off = 0;

		if (in && other->arrival.any && lane->arrival.any)
			off = arrival_since(lane->arrival.smooth,
					    other->arrival.smooth);
		else if (!in && other->window.has_base && lane->window.has_base)
			off = arrival_since(lane->window.base,
					    other->window.base);
		if (off > most)
			most = off;
	}
	return (uint32_t)most;
}

int braid_lane_stats(const struct braid *braid, uint8_t id, uint64_t now,
		     struct braid_lane_stats *stats)
{
	const struct lane *lane = braid_lane(braid, id);

	if (!lane)
		return -ENOENT;
	*stats = (struct braid_lane_stats){
		.state = lane->draining && lane->state == BRAID_UP
				 ? BRAID_DRAIN
				 : lane->state,
		.state_at = lane->state_at,
		.metered = lane_is_metered(lane),
		.standby = lane_is_standby(lane),
		.line = line_number(lane),
		.mtu = lane->mtu.good,
		.rtt_us = lane->window.told_us,
		.rtt_var_us = lane->window.var_us,
		.rtt_min_us = lane->window.min_us,
		.delay_us = above_fastest(braid, lane, false),
		.queue_us = lane->window.queue_us,
		.delay_in_us = above_fastest(braid, lane, true),
		.jitter_in_us = lane->arrival.jitter_us,
		.rate_bps = lane->window.known ? lane->window.rate * 8 : 0,
		.window_bytes = lane->window.bytes,
		.flight_bytes = lane->flight.bytes,
		.lost = lane->flight.lost,
		.lost_in = lane->arrival.lost,
		.resent = lane->resent,
		.doubled = lane->doubled,
		.spurious = lane->flight.spurious,
	};
	meter_read(&(const struct meter *){ &lane->out }, 1, now, &stats->out);
	meter_read(&(const struct meter *){ &lane->in }, 1, now, &stats->in);
	stats->loss_ppm = (uint32_t)stats->out.loss_ppm.mean;
	stats->loss_in_ppm = (uint32_t)stats->in.loss_ppm.mean;
	return 0;
}

void braid_stats(const struct braid *braid, struct braid_stats *stats)
{
	stats->bad = braid->bad;
	reorder_stats(braid->reorder, stats);
}
