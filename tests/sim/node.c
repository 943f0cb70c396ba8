/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the hub does around a braid, without tun, sockets and keys. */
#include "backends/engine/backlog.h"
#include "backends/engine/braid.h"
#include "model/base/mem.h"
#include "tests/sim/sim.h"

enum { KEPT = 1 << 15, PACKET_BYTES = 1600 };

struct node {
	struct node_setup setup;
	struct node *peer;
	struct braid *braid;
	struct backlog *backlog;
	uint64_t *counters; /* next of each lane */
	struct inner kept[KEPT];
	uint32_t handle;
	struct datagram *head, *tail; /* came in */
	bool planned;
	uint64_t planned_at;
	uint64_t asleep_until;
	bool *dead; /* lanes whose sending fails */
	uint64_t looked_at;
	uint64_t turn_at;
	unsigned turns; /* without time passing */
	struct node_counts counts;
};

static void wake(struct node *node, uint64_t when);

static void deliver(void *context, const uint8_t *packet, size_t size,
		    uint8_t flags)
{
	struct node *node = context;
	struct inner inner;

	(void)size, (void)flags;
	memcpy(&inner, packet, sizeof(inner));
	node->setup.deliver(node->setup.context, &inner);
}

struct braid *node_braid(struct node *node)
{
	return node->braid;
}

const struct node_counts *node_counts(const struct node *node)
{
	return &node->counts;
}

struct node *node_new(const struct node_setup *setup)
{
	struct node *node = mem_alloc(sizeof(*node));
	struct braid_config config = {
		.deliver = deliver,
		.context = node,
		.quiet = setup->quiet,
		.mode = setup->failover ? BRAID_FAILOVER : BRAID_DEFAULT,
	};

	node->setup = *setup;
	if (setup->plain)
		return node;
	node->braid = braid_new(&config);
	node->backlog = backlog_new(NULL);
	node->counters = mem_array(setup->lanes, sizeof(*node->counters));
	node->dead = mem_array(setup->lanes, sizeof(*node->dead));
	for (unsigned i = 0; i < setup->lanes; i++) {
		struct braid_lane_config lane = { 0 };

		if (setup->failover)
			lane.weight = (uint8_t)(i + 1);
		lane.line = setup->one_line;
		braid_lane_add(node->braid, (uint8_t)i, &lane, sim_now());
	}
	wake(node, sim_now());
	return node;
}

void node_join(struct node *a, struct node *b)
{
	a->peer = b;
	b->peer = a;
}

void node_free(struct node *node)
{
	braid_free(node->braid);
	backlog_free(node->backlog);
	free(node->counters);
	free(node->dead);
	free(node);
}

void node_down(struct node *node, uint8_t lane)
{
	node->dead[lane] = true;
	braid_lane_down(node->braid, lane, sim_now());
	wake(node, sim_now());
}

/* --- out
 * ---------------------------------------------------------------------- */

static void transmit(struct node *node, uint8_t lane, struct datagram *datagram,
		     struct wire_inner *head, uint32_t handle)
{
	struct braid_sent sent = {
		.lane = lane,
		.flags = head->flags,
		.count = 1,
		.size = datagram->size,
		.last = datagram->size,
		.bucket = head->bucket,
		.seq = head->seq,
		.counter = node->counters[lane]++,
		.handle = handle,
	};

	head->time = wire_time(sim_now());
	wire_put_inner(datagram->header, head);
	datagram->to = node->peer;
	datagram->lane = lane;
	datagram->counter = sent.counter;
	braid_sent(node->braid, &sent, sim_now());
	node->counts.sent++;
	if (node->dead[lane]) {
		datagram_free(datagram);
		return;
	}
	line_send(&node->setup.out[node->setup.one_line ? 0 : lane], datagram);
}

static void transmit_data(struct node *node, uint8_t lane, uint8_t flags,
			  uint16_t bucket, uint32_t seq, uint32_t handle)
{
	struct datagram *datagram = datagram_new();
	struct wire_inner head = {
		.flags = flags,
		.bucket = bucket,
		.seq = seq,
	};

	datagram->inner = node->kept[handle % KEPT];
	datagram->size = datagram->inner.size;
	transmit(node, lane, datagram, &head, handle);
}

static void send_control(struct node *node)
{
	uint8_t payload[2048], lane;
	size_t size;

	while ((size = braid_control(node->braid, payload, sizeof(payload),
				     sim_now(), &lane))) {
		struct datagram *datagram = datagram_new();
		struct wire_inner head = { .flags = WIRE_CONTROL };

		datagram->control = true;
		datagram->size = (uint16_t)size;
		memcpy(datagram->payload, payload, size);
		node->counts.control++;
		node->counts.control_bytes += size + OVERHEAD;
		transmit(node, lane, datagram, &head, 0);
	}
}

static void send_again(struct node *node)
{
	struct braid_again again;

	while (braid_resend(node->braid, sim_now(), &again)) {
		if (node->handle - again.handle > KEPT) {
			braid_gone(node->braid, &again);
			node->counts.too_late++;
			continue;
		}
		node->counts.again++;
		transmit_data(node, again.lane, again.flags, again.bucket,
			      again.seq, again.handle);
		if (again.second != BRAID_NO_LANE)
			transmit_data(node, (uint8_t)again.second, again.flags,
				      again.bucket, again.seq, again.handle);
	}
}

static void send_data(struct node *node)
{
	const struct backlog_run *run;
	struct braid_plan plan;
	uint32_t handle;
	int n;

	while ((run = backlog_head(node->backlog, sim_now()))) {
		node->counts.plan_calls++;
		handle = run->handle;
		n = braid_plan(node->braid, &run->flow, run->count, sim_now(),
			       &plan);
		if (n <= 0)
			return;
		backlog_took(node->backlog, n, sim_now());
		if (!backlog_is_empty(node->backlog))
			plan.flags |= WIRE_BULK;
		for (int i = 0; i < n; i++)
			transmit_data(node, plan.lane, plan.flags, plan.bucket,
				      plan.seq + (uint32_t)i,
				      handle + (uint32_t)i);
		node->counts.data += (unsigned)n;
		for (int i = 0; plan.second != BRAID_NO_LANE && i < n; i++) {
			node->counts.doubled++;
			transmit_data(node, (uint8_t)plan.second,
				      plan.flags | WIRE_COPY, plan.bucket,
				      plan.seq + (uint32_t)i,
				      handle + (uint32_t)i);
		}
	}
}

/* --- in
 * ------------------------------------------------------------------------- */

static void take_in(struct node *node, struct datagram *datagram)
{
	uint8_t packet[PACKET_BYTES];
	struct braid_received in = {
		.lane = datagram->lane,
		.size = datagram->size,
		.counter = datagram->counter,
	};

	wire_get_inner(datagram->header, &in.inner);
	braid_received(node->braid, &in, datagram->came);
	if (datagram->control) {
		braid_read(node->braid, datagram->lane, datagram->payload,
			   datagram->size, sim_now());
	} else {
		memcpy(packet, &datagram->inner, sizeof(datagram->inner));
		braid_order(node->braid, &in, packet, sim_now());
	}
}

static void turn(void *context, uint64_t tag)
{
	struct node *node = context;
	struct braid_event event;

	if (tag != node->planned_at || !node->planned)
		return;
	node->planned = false;
	if (sim_now() < node->asleep_until) {
		wake(node, node->asleep_until);
		return;
	}
	if (node->turn_at == sim_now() && ++node->turns > 10000) {
		puts("a braid does not let time pass");
		abort();
	}
	node->turns = node->turn_at == sim_now() ? node->turns : 0;
	node->turn_at = sim_now();
	while (node->head) {
		struct datagram *datagram = node->head;

		node->head = datagram->next;
		if (!node->head)
			node->tail = NULL;
		take_in(node, datagram);
		datagram_free(datagram);
	}
	if (braid_next(node->braid) <= sim_now())
		braid_timer(node->braid, sim_now());
	send_control(node);
	send_again(node);
	send_data(node);
	while (braid_event(node->braid, &event))
		if (node->setup.event)
			node->setup.event(node->setup.context, node, &event);
	if (braid_next(node->braid) != BRAID_NEVER)
		wake(node, braid_next(node->braid));
}

static void wake(struct node *node, uint64_t when)
{
	if (when < sim_now())
		when = sim_now();
	if (node->planned && node->planned_at <= when)
		return;
	node->planned = true;
	node->planned_at = when;
	sim_at(when, turn, node, when);
}

/* The machine does something else for a while, now and then. */
static void maybe_sleep(struct node *node)
{
	double us = (double)(sim_now() - node->looked_at);

	node->looked_at = sim_now();
	if (node->setup.stall_us &&
	    sim_random() < us * node->setup.stall_per_s / 1e6)
		node->asleep_until =
			sim_now() +
			(uint64_t)(sim_random() * node->setup.stall_us);
}

/* --- without a braid -------------------------------------------------------
 */

static void send_plain(struct node *node, const struct inner *inner,
		       unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		struct datagram *datagram = datagram_new();

		datagram->inner = inner[i];
		datagram->size = inner[i].size;
		datagram->to = node->peer;
		line_send(&node->setup.out[0], datagram);
	}
}

static void receive_plain(struct node *node, struct datagram *datagram)
{
	struct inner inner = datagram->inner;

	datagram_free(datagram);
	node->setup.deliver(node->setup.context, &inner);
}

/* ----------------------------------------------------------------------------
 */

void node_receive(struct node *node, struct datagram *datagram)
{
	if (node->setup.plain) {
		receive_plain(node, datagram);
		return;
	}
	datagram->next = NULL;
	if (node->tail)
		node->tail->next = datagram;
	else
		node->head = datagram;
	node->tail = datagram;
	maybe_sleep(node);
	wake(node, sim_now());
}

void node_send(struct node *node, const struct inner *inner, unsigned count)
{
	struct backlog_run run = {
		.flow = {
			.bucket = (uint16_t)(inner->flow * 37 + 5),
			.size = inner->size,
			.ack = inner->kind == INNER_ACK,
			.loose = inner->kind >= INNER_PING,
		},
		.count = (uint16_t)count,
		.last = inner->size,
		.handle = node->handle,
	};

	if (node->setup.plain) {
		send_plain(node, inner, count);
		return;
	}
	if (inner->kind >= INNER_PING)
		run.flow.bucket = 4000;
	for (unsigned i = 0; i < count; i++)
		node->kept[node->handle++ % KEPT] = inner[i];
	backlog_put(node->backlog, &run, sim_now());
	wake(node, sim_now());
}

bool node_waits(const struct node *node)
{
	return !backlog_is_empty(node->backlog);
}

void node_print(struct node *node)
{
	struct braid_stats stats;
	struct backlog_stats waits;

	braid_stats(node->braid, &stats);
	backlog_stats(node->backlog, &waits);
	printf("  backlog %u B %u us, full %lu stood %lu | delivered %lu held "
	       "%lu (%u/%u us, %u) late %lu known %lu skipped %lu full %lu bad "
	       "%lu | sent %lu data %lu again %lu doubled %lu control %lu (%lu "
	       "B)\n",
	       waits.bytes, waits.delay_max_us, waits.dropped_full,
	       waits.dropped_stood, stats.delivered, stats.held,
	       stats.hold_mean_us, stats.hold_max_us, stats.waiting, stats.late,
	       stats.known, stats.skipped, stats.full, stats.bad,
	       node->counts.sent, node->counts.data, node->counts.again,
	       node->counts.doubled, node->counts.control,
	       node->counts.control_bytes);
	for (unsigned i = 0; i < node->setup.lanes; i++) {
		const struct line *out =
			&node->setup.out[node->setup.one_line ? 0 : i];
		struct braid_lane_stats lane;

		braid_lane_stats(node->braid, (uint8_t)i, sim_now(), &lane);
		printf("   lane %u %s rtt %u~%u q %u rate %.2f M window %u "
		       "flight %u lost %lu spurious %lu resent %lu | line drop "
		       "%lu lost %lu most %lu\n",
		       i, braid_state_name(lane.state), lane.rtt_us,
		       lane.rtt_var_us, lane.queue_us,
		       (double)lane.rate_bps / 1e6, lane.window_bytes,
		       lane.flight_bytes, lane.lost, lane.spurious, lane.resent,
		       out->dropped, out->lost, out->queue_most);
	}
}
