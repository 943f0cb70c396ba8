/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A braid and what an authenticated peer, gone mad, can do to it, for libFuzzer
 * (`make fuzz`): control payloads of any bytes, acks and messages that make
 * sense but for what they claim, datagrams with any numbers on any lane, lanes
 * that come and go, time that leaps; and traffic of our own in between. Nothing
 * is written where it must not be, nothing is delivered that did not come, and
 * memory stays bounded.
 *
 * Each step is a byte of what, then its arguments; what is missing is zero.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "backends/engine/braid.h"
#include "backends/engine/message.h"
#include "backends/engine/mtu.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { LANES = 4, STEPS = 2000 };

static const uint8_t *script, *script_end;
static uint64_t now_us, counters[LANES], delivered, received;

static uint8_t next(void)
{
	return script < script_end ? *script++ : 0;
}

static uint32_t next32(void)
{
	uint32_t value = next();

	value |= (uint32_t)next() << 8;
	value |= (uint32_t)next() << 16;
	return value | (uint32_t)next() << 24;
}

static void deliver(void *context, const uint8_t *packet, size_t size,
		    uint8_t flags)
{
	static volatile uint8_t sum;

	(void)context, (void)flags;
	for (size_t i = 0; i < size; i++)
		sum += packet[i];
	if (++delivered > received)
		abort();
}

static void take_note(void *context, const uint8_t *bytes, size_t size)
{
	static volatile uint8_t sum;

	(void)context;
	for (size_t i = 0; i < size; i++)
		sum += bytes[i];
}

static void control(struct braid *braid)
{
	uint8_t bytes[256], lane = next() % (LANES + 1);
	size_t size = next();

	for (size_t i = 0; i < size; i++)
		bytes[i] = next();
	braid_read(braid, lane, bytes, size, now_us);
}

/* Of what was really sent, or nearly; times and sums are as he likes. */
static void make_ack(struct message_ack *ack)
{
	uint8_t lane = next() % LANES, shape = next();

	*ack = (struct message_ack){
		.lane = lane,
		.largest = (uint32_t)counters[lane] - 1 - (shape & 7),
		.time = shape & 8 ? next32() & 0xffffff : wire_time(now_us),
		.delay = shape & 16 ? next32() & 0xffffff : next() * 64U,
		.bytes = shape & 32 ? next32() : (uint32_t)counters[lane] * 900,
		.ranges = 1U + (shape >> 6),
	};
	for (unsigned i = 0; i < ack->ranges; i++) {
		ack->range[i].gap = i ? 1U + next() : 0;
		ack->range[i].length = 1U + next();
	}
}

static void sensible(struct braid *braid)
{
	static const uint8_t said[40];
	uint8_t bytes[256], lane = next() % LANES;
	struct message message = { .type = 1 + next() % 8 };

	switch (message.type) {
	case MESSAGE_SKIP:
		message.skip.bucket = next() & 3;
		message.skip.seq = next32() & 0xfffff;
		break;
	case MESSAGE_LANE:
		message.lane = (struct message_lane){
			.lane = next() % LANES,
			.flags = next(),
			.tier = next(),
			.line = next() & 3,
			.cap_kbps = next32(),
		};
		break;
	case MESSAGE_NOTE:
	case MESSAGE_NOTED:
		message.note = (struct message_note){ next(), 9, said };
		break;
	case MESSAGE_PING: break;
	default: make_ack(&message.ack); break;
	}
	braid_read(braid, lane, bytes,
		   message_print(&message, bytes, sizeof(bytes)), now_us);
}

static void datagram(struct braid *braid)
{
	static const uint8_t packet[2000];
	struct braid_received in = {
		.lane = next() % (LANES + 1),
		.size = (uint16_t)(next() * 7 + 1),
	};

	in.counter = next32();
	if (next() & 1)
		in.counter <<= 16;
	in.inner.time = next32() & 0xffffff;
	in.inner.flags = next();
	in.inner.bucket = (next() & 1) ? WIRE_BUCKET_ANY : next() & 3;
	in.inner.seq = next() & 1 ? next() : next32() & 0xfffff;
	received++;
	braid_received(braid, &in, now_us);
	braid_order(braid, &in, packet, now_us);
}

static void tell(struct braid *braid, uint8_t lane, uint8_t flags,
		 uint16_t bucket, uint32_t seq, uint16_t size, int count)
{
	struct braid_sent sent = {
		.lane = lane,
		.flags = flags,
		.count = (uint16_t)count,
		.size = size,
		.last = size,
		.bucket = bucket,
		.seq = seq,
		.counter = counters[lane % LANES],
	};

	counters[lane % LANES] += (uint64_t)count;
	braid_sent(braid, &sent, now_us);
}

static void traffic(struct braid *braid)
{
	struct braid_flow flow = {
		.bucket = next(),
		.size = (uint16_t)(next() * 6),
		.mode = next() & 3,
		.loose = next() & 1,
		.waiting = next() * 1000U,
	};
	struct braid_plan plan;
	int n = braid_plan(braid, &flow, 1 + next() % BRAID_RUN, now_us, &plan);

	if (n <= 0)
		return;
	if (n > BRAID_RUN || !braid_has_lane(braid, plan.lane))
		abort();
	tell(braid, plan.lane, plan.flags, plan.bucket, plan.seq, flow.size, n);
	if (plan.second != BRAID_NO_LANE)
		tell(braid, (uint8_t)plan.second, plan.flags | WIRE_COPY,
		     plan.bucket, plan.seq, flow.size, n);
}

static void turn(struct braid *braid)
{
	struct braid_again again;
	struct braid_event event;
	uint8_t payload[2000], lane;
	size_t size;
	int limit = 100;

	if (braid_next(braid) <= now_us)
		braid_timer(braid, now_us);
	while (limit-- && (size = braid_control(braid, payload, sizeof(payload),
						now_us, &lane))) {
		if (size > sizeof(payload) || !braid_has_lane(braid, lane))
			abort();
		tell(braid, lane, WIRE_CONTROL, 0, 0, (uint16_t)size, 1);
	}
	while (limit-- > 0 && braid_resend(braid, now_us, &again))
		if (next() & 1)
			braid_gone(braid, &again);
		else
			tell(braid, again.lane, again.flags, again.bucket,
			     again.seq, again.size, 1);
	for (lane = 0; lane < LANES; lane++)
		if ((size = braid_along(braid, lane, payload, sizeof(payload),
					now_us)))
			tell(braid, lane, WIRE_CONTROL, 0, 0, (uint16_t)size,
			     1);
	while (braid_event(braid, &event))
		;
}

static void look(const struct braid *braid)
{
	struct braid_line_stats line;
	struct braid_stats stats;

	braid_stats(braid, &stats);
	if (stats.waiting > 16)
		abort();
	braid_line_stats(braid, BRAID_ALL_LINES, now_us, &line);
	for (int id = 0; id < LANES; id++) {
		struct braid_lane_stats lane;

		if (braid_lane_stats(braid, (uint8_t)id, now_us, &lane) < 0)
			continue;
		braid_line_stats(braid, lane.line, now_us, &line);
		if (lane.window_bytes > 512 << 20 || lane.mtu < MTU_LEAST)
			abort();
	}
}

static void lane(struct braid *braid)
{
	struct braid_lane_config config = {
		.up_bps = next() * 10000ULL,
		.mtu = (uint16_t)(next() * 6),
		.tier = next() & 3,
		.metered = next() & 1,
		.standby = next() & 1,
		.weight = next() & 3,
	};
	uint8_t id = next() % LANES;

	switch (next() % 9) {
	case 0: braid_lane_add(braid, id, &config, now_us); break;
	case 1:
		braid_lane_remove(braid, id, now_us);
		counters[id] = 0;
		break;
	case 2: braid_lane_down(braid, id, now_us); break;
	case 3: braid_lane_up(braid, id, now_us); break;
	case 4: braid_lane_drain(braid, id, now_us); break;
	case 5: braid_lane_set(braid, id, &config, now_us); break;
	case 6: braid_note(braid, &id, 1, now_us); break;
	case 7:
		braid_slices(braid, 1000U + next() * 10000U, next(), now_us);
		break;
	default: look(braid); break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct braid_config config = {
		.mode = size ? data[0] & 3 : 0,
		.small_bytes = 600,
		.hold_packets = 16,
		.deliver = deliver,
		.noted = take_note,
	};
	struct braid *braid;

	script = data;
	script_end = data + size;
	config.quiet = next() & 1; /* who is told how lanes are to be used */
	braid = braid_new(&config);
	now_us = 1000000000;
	delivered = received = 0;
	memset(counters, 0, sizeof(counters));
	for (uint8_t i = 0; i < 2; i++)
		braid_lane_add(braid, i, &(struct braid_lane_config){ 0 },
			       now_us);
	for (int step = 0; step < STEPS && script < script_end; step++) {
		switch (next() % 12) {
		case 0: control(braid); break;
		case 1:
		case 2: datagram(braid); break;
		case 3: traffic(braid); break;
		case 4: now_us += next() * 100U; break;
		case 5: now_us += next32(); break;
		case 6: lane(braid); break;
		case 7:
		case 8:
		case 9:
		case 10: sensible(braid); break;
		default:
			switch (next()) {
			case 77: braid_restart(braid, now_us); break;
			case 78:
				braid_policy_set(braid, next() & 3, now_us);
				break;
			default: break;
			}
			if (braid_policy(braid) < BRAID_AGGREGATE ||
			    braid_policy(braid) > BRAID_DUPLICATE)
				abort();
			break;
		}
		turn(braid);
	}
	braid_free(braid);
	return 0;
}
