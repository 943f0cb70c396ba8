/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A sender and its receiver, in packets of one size. Loss is found as Linux
 * does (RACK, RFC 8985, with its reordering window), recovery is by SACK with
 * three blocks, acks come for every second packet. Cubic is RFC 9438 with
 * HyStart's delay; bbr is version 1 without its long-term rate.
 */
#include <math.h>

#include "model/base/mem.h"
#include "tests/sim/sim.h"

enum {
	RING = 1 << 16,
	RUN = 40,
	RTO_LEAST = 200000,
	DELACK = 40000,
	RWND = 4096,
	BW_ROUNDS = 10,
};

struct packet {
	uint64_t sent, delivered, delivered_at, first_sent;
	bool sacked, lost, again, limited;
};

struct tcp {
	enum tcp_kind kind;
	uint8_t flow;
	struct node *from, *to;
	struct packet ring[RING];
	uint32_t una, next, high_sacked;
	uint32_t sacked, lost, flight;
	double cwnd, ssthresh;
	bool recovery;
	uint32_t recover_to;
	uint64_t srtt, var, min_rtt, rto_at, rack_sent;
	uint64_t rack_timer;
	unsigned backoff;
	bool reorder_seen;
	uint64_t retransmits, timeouts, recoveries;
	uint64_t delivered, delivered_at, first_sent;
	/* cubic */
	double w_max, k, w_est;
	uint64_t epoch;
	uint64_t delay_min, round_min, round_began, train_at;
	uint32_t round_end;
	unsigned round_samples;
	/* bbr */
	double bw[BW_ROUNDS], btlbw, full_bw, gain, cwnd_gain;
	uint64_t rounds, round_delivered, rt_prop_at, phase_at, probe_rtt_at;
	unsigned full_count, phase;
	enum { STARTUP, DRAIN, PROBE_BW, PROBE_RTT } state;
	double extra[2];   /* acked beyond what bw explains */
	uint64_t epoch_at; /* when that began to be counted */
	double epoch_acked;
	uint64_t extra_round;
	uint64_t pace_at;
	bool pacing_timer;
	/* receiver */
	bool got[RING];
	uint32_t expect, unacked, blocks[SACKS][2];
	uint64_t delack;
};

static void push(struct tcp *tcp);

static struct packet *at(struct tcp *tcp, uint32_t seq)
{
	return &tcp->ring[seq % RING];
}

/* --- receiver
 * ------------------------------------------------------------------ */

static void send_ack(struct tcp *tcp, uint64_t echo)
{
	struct inner ack = {
		.kind = INNER_ACK,
		.flow = tcp->flow,
		.size = TCP_ACK_PACKET,
		.cum = tcp->expect,
		.time = echo,
	};
	unsigned n = 0;

	for (unsigned i = 0; i < SACKS; i++) {
		if (tcp->blocks[i][1] <= tcp->expect)
			continue;
		ack.sack[n].from = tcp->blocks[i][0];
		ack.sack[n++].to = tcp->blocks[i][1];
	}
	if (n)
		ack.size = (uint16_t)(ack.size + 4 + 8 * n);
	tcp->unacked = 0;
	tcp->delack = 0;
	node_send(tcp->to, &ack, 1);
}

static void delack_timer(void *context, uint64_t tag)
{
	struct tcp *tcp = context;

	if (tcp->delack == tag)
		send_ack(tcp, 0);
}

/* The block around seq becomes the first. */
static void note_block(struct tcp *tcp, uint32_t seq)
{
	uint32_t from = seq, to = seq + 1;
	unsigned n = 1;
	uint32_t fresh[SACKS][2];

	while (from > tcp->expect && tcp->got[(from - 1) % RING])
		from--;
	while (tcp->got[to % RING] && to - tcp->expect < RING / 2)
		to++;
	fresh[0][0] = from;
	fresh[0][1] = to;
	for (unsigned i = 0; i < SACKS && n < SACKS; i++) {
		if (tcp->blocks[i][0] >= from && tcp->blocks[i][1] <= to)
			continue;
		fresh[n][0] = tcp->blocks[i][0];
		fresh[n++][1] = tcp->blocks[i][1];
	}
	for (; n < SACKS; n++)
		fresh[n][0] = fresh[n][1] = 0;
	memcpy(tcp->blocks, fresh, sizeof(fresh));
}

void tcp_data(struct tcp *tcp, const struct inner *inner)
{
	uint32_t seq = inner->seq;

	if (seq < tcp->expect || tcp->got[seq % RING]) {
		send_ack(tcp, inner->time);
		return;
	}
	tcp->got[seq % RING] = true;
	if (seq != tcp->expect) {
		note_block(tcp, seq);
		send_ack(tcp, inner->time);
		return;
	}
	while (tcp->got[tcp->expect % RING])
		tcp->got[tcp->expect++ % RING] = false;
	if (++tcp->unacked >= 2 || tcp->blocks[0][1] > tcp->expect ||
	    tcp->expect != seq + 1) {
		send_ack(tcp, inner->time);
	} else if (!tcp->delack) {
		tcp->delack = sim_now() + DELACK;
		sim_at(tcp->delack, delack_timer, tcp, tcp->delack);
	}
}

/* --- cubic
 * ------------------------------------------------------------------------ */

static void cubic_loss(struct tcp *tcp)
{
	double w = tcp->cwnd;

	tcp->w_max = w < tcp->w_max ? w * 0.85 : w;
	tcp->ssthresh = fmax(w * 0.7, 2);
	tcp->epoch = 0;
}

static void cubic_ack(struct tcp *tcp, double count)
{
	double t, target;

	if (tcp->cwnd < tcp->ssthresh) {
		tcp->cwnd += count;
		return;
	}
	if (!tcp->epoch) {
		tcp->epoch = sim_now();
		if (tcp->w_max < tcp->cwnd)
			tcp->w_max = tcp->cwnd;
		tcp->k = cbrt((tcp->w_max - tcp->cwnd) / 0.4);
		tcp->w_est = tcp->cwnd;
	}
	t = (double)(sim_now() - tcp->epoch + tcp->srtt) / 1e6;
	target = tcp->w_max + 0.4 * pow(t - tcp->k, 3);
	tcp->w_est += 0.53 * count / tcp->cwnd;
	target = fmax(target, tcp->w_est);
	target = fmin(target, 1.5 * tcp->cwnd);
	if (target > tcp->cwnd)
		tcp->cwnd += (target - tcp->cwnd) * count / tcp->cwnd;
	else
		tcp->cwnd += 0.01 * count / tcp->cwnd;
}

/* HyStart, as Linux has it: slow start ends when the shortest of the first
 * eight delays of a round stands above the best, or when acks came without a
 * pause for half a round trip. */
static void hystart(struct tcp *tcp, uint64_t rtt)
{
	uint64_t eta;

	if (tcp->una > tcp->round_end) {
		tcp->round_end = tcp->next;
		tcp->round_min = UINT64_MAX;
		tcp->round_samples = 0;
		tcp->round_began = tcp->train_at = sim_now();
	}
	if (rtt < tcp->round_min)
		tcp->round_min = rtt;
	if (rtt < tcp->delay_min)
		tcp->delay_min = rtt;
	if (tcp->cwnd >= tcp->ssthresh || tcp->cwnd < 16)
		return;
	if (sim_now() - tcp->train_at <= 2000) {
		tcp->train_at = sim_now();
		if (sim_now() - tcp->round_began > tcp->delay_min / 2 + 500)
			tcp->ssthresh = tcp->cwnd;
	}
	eta = tcp->delay_min / 8;
	eta = eta < 4000 ? 4000 : eta > 16000 ? 16000 : eta;
	if (++tcp->round_samples >= 8 && tcp->round_min > tcp->delay_min + eta)
		tcp->ssthresh = tcp->cwnd;
}

/* --- bbr
 * ---------------------------------------------------------------------------
 */

static void bbr_phase(struct tcp *tcp)
{
	static const double gains[] = { 1.25, 0.75, 1, 1, 1, 1, 1, 1 };

	tcp->gain = gains[tcp->phase % 8];
	tcp->phase_at = sim_now();
}

static double bbr_bdp(const struct tcp *tcp)
{
	return tcp->btlbw * (double)tcp->min_rtt / 1e6;
}

static void bbr_state(struct tcp *tcp)
{
	uint64_t now = sim_now();

	if (tcp->state == DRAIN && tcp->flight <= bbr_bdp(tcp)) {
		tcp->state = PROBE_BW;
		tcp->cwnd_gain = 2;
		tcp->phase = 2 + (unsigned)(sim_random() * 6);
		bbr_phase(tcp);
	}
	if (tcp->state == PROBE_BW && now - tcp->phase_at > tcp->min_rtt) {
		bool stay = (tcp->gain > 1 &&
			     tcp->flight < tcp->gain * bbr_bdp(tcp) &&
			     !tcp->lost) ||
			    (tcp->gain < 1 && 0);

		if (!stay) {
			tcp->phase++;
			bbr_phase(tcp);
		}
	}
	if (tcp->state != PROBE_RTT && tcp->state != STARTUP &&
	    now - tcp->rt_prop_at > 10 * SECOND) {
		tcp->state = PROBE_RTT;
		tcp->probe_rtt_at = now + 200000;
	} else if (tcp->state == PROBE_RTT && now > tcp->probe_rtt_at) {
		tcp->rt_prop_at = now;
		tcp->state = PROBE_BW;
		bbr_phase(tcp);
	}
}

/* Acks that come in lumps must not leave the line idle between them. */
static double bbr_extra(struct tcp *tcp, unsigned acked)
{
	double expected =
		tcp->btlbw * (double)(sim_now() - tcp->epoch_at) / 1e6;
	double extra;

	if (tcp->rounds >= tcp->extra_round + 5) {
		tcp->extra_round = tcp->rounds;
		tcp->extra[1] = tcp->extra[0];
		tcp->extra[0] = 0;
	}
	if (tcp->epoch_acked <= expected) {
		tcp->epoch_acked = expected = 0;
		tcp->epoch_at = sim_now();
	}
	tcp->epoch_acked += acked;
	extra = fmin(tcp->epoch_acked - expected, tcp->cwnd);
	tcp->extra[0] = fmax(tcp->extra[0], extra);
	return fmin(fmax(tcp->extra[0], tcp->extra[1]), tcp->btlbw * 0.1);
}

static void bbr_ack(struct tcp *tcp, unsigned acked, double rate, bool limited,
		    bool round)
{
	double extra;

	if (round) {
		tcp->rounds++;
		tcp->bw[tcp->rounds % BW_ROUNDS] = 0;
	}
	if (rate > tcp->bw[tcp->rounds % BW_ROUNDS] &&
	    (!limited || rate > tcp->btlbw))
		tcp->bw[tcp->rounds % BW_ROUNDS] = rate;
	tcp->btlbw = 0;
	for (int i = 0; i < BW_ROUNDS; i++)
		tcp->btlbw = fmax(tcp->btlbw, tcp->bw[i]);
	if (round && tcp->state == STARTUP) {
		if (tcp->btlbw > tcp->full_bw * 1.25) {
			tcp->full_bw = tcp->btlbw;
			tcp->full_count = 0;
		} else if (++tcp->full_count >= 3) {
			tcp->state = DRAIN;
			tcp->gain = 0.35;
		}
	}
	bbr_state(tcp);
	extra = bbr_extra(tcp, acked);
	tcp->cwnd =
		tcp->state == PROBE_RTT
			? 4
			: fmax(tcp->cwnd_gain * bbr_bdp(tcp) + 3 + extra, 10);
	if (tcp->state == STARTUP && tcp->cwnd < 10 + (double)tcp->delivered)
		tcp->cwnd = fmax(tcp->cwnd, 10 + (double)tcp->delivered / 2);
}

/* --- sender
 * ------------------------------------------------------------------------- */

static void arm_rto(struct tcp *tcp);

static void rto(void *context, uint64_t tag)
{
	struct tcp *tcp = context;

	if (tag != tcp->rto_at || tcp->una == tcp->next)
		return;
	tcp->timeouts++;
	if (tcp->kind == TCP_CUBIC) {
		cubic_loss(tcp);
		tcp->cwnd = 1;
	}
	for (uint32_t s = tcp->una; s < tcp->next; s++) {
		struct packet *p = at(tcp, s);

		if (!p->sacked && !p->lost) {
			p->lost = true;
			p->again = false;
			tcp->lost++;
			tcp->flight--;
		}
	}
	tcp->recovery = true;
	tcp->recover_to = tcp->next;
	tcp->backoff++;
	push(tcp);
	arm_rto(tcp);
}

static void arm_rto(struct tcp *tcp)
{
	uint64_t us =
		tcp->srtt ? tcp->srtt + (4 * tcp->var > RTO_LEAST ? 4 * tcp->var
								  : RTO_LEAST)
			  : SECOND;

	tcp->rto_at = sim_now() + (us << (tcp->backoff < 8 ? tcp->backoff : 8));
	sim_at(tcp->rto_at, rto, tcp, tcp->rto_at);
}

static void enter_recovery(struct tcp *tcp)
{
	if (tcp->recovery)
		return;
	tcp->recovery = true;
	tcp->recoveries++;
	tcp->recover_to = tcp->next;
	if (tcp->kind == TCP_CUBIC) {
		cubic_loss(tcp);
		tcp->cwnd = tcp->ssthresh;
	}
}

static void rack(struct tcp *tcp);

static void rack_timer(void *context, uint64_t tag)
{
	struct tcp *tcp = context;

	if (tag == tcp->rack_timer) {
		tcp->rack_timer = 0;
		rack(tcp);
		push(tcp);
	}
}

static uint64_t reorder_window(const struct tcp *tcp)
{
	if (!tcp->reorder_seen && (tcp->recovery || tcp->sacked >= 3))
		return 0;
	return tcp->min_rtt / 4 < tcp->srtt / 8 ? tcp->min_rtt / 4
						: tcp->srtt / 8;
}

static void rack(struct tcp *tcp)
{
	uint64_t window = reorder_window(tcp), soonest = 0;

	for (uint32_t s = tcp->una; s < tcp->next; s++) {
		struct packet *p = at(tcp, s);

		if (p->sacked || p->lost || p->sent >= tcp->rack_sent)
			continue;
		if (p->sent + tcp->srtt + window <= sim_now() ||
		    (!window && s + 3 <= tcp->high_sacked)) {
			p->lost = true;
			tcp->lost++;
			tcp->flight--;
			enter_recovery(tcp);
		} else if (!soonest || p->sent < soonest) {
			soonest = p->sent;
		}
	}
	if (soonest) {
		tcp->rack_timer = soonest + tcp->srtt + window + 1000;
		sim_at(tcp->rack_timer, rack_timer, tcp, tcp->rack_timer);
	}
}

struct sample {
	unsigned count;
	uint64_t rtt;
	double rate;
	bool limited, round;
};

static void one_delivered(struct tcp *tcp, uint32_t seq, struct sample *sample)
{
	struct packet *p = at(tcp, seq);

	if (p->sacked)
		return;
	if (p->lost)
		tcp->lost--;
	else
		tcp->flight--;
	if (seq < tcp->high_sacked && !p->again)
		tcp->reorder_seen = true;
	p->sacked = true;
	p->lost = false;
	tcp->sacked++;
	tcp->delivered++;
	tcp->delivered_at = sim_now();
	sample->count++;
	if (!p->again) {
		uint64_t ack = tcp->delivered_at - p->delivered_at;
		uint64_t send = p->sent - p->first_sent;
		uint64_t us = ack > send ? ack : send;

		sample->rtt = sim_now() - p->sent;
		if (us >= tcp->min_rtt / 2 && us > 0)
			sample->rate = (double)(tcp->delivered - p->delivered) *
				       1e6 / (double)us;
		sample->limited = p->limited;
		tcp->first_sent = p->sent;
	}
	if (p->delivered >= tcp->round_delivered) {
		sample->round = true;
		tcp->round_delivered = tcp->delivered;
	}
	if (p->sent > tcp->rack_sent)
		tcp->rack_sent = p->sent;
	if (seq >= tcp->high_sacked)
		tcp->high_sacked = seq;
}

static void note_rtt(struct tcp *tcp, uint64_t rtt)
{
	uint64_t off;

	if (!tcp->srtt) {
		tcp->srtt = rtt;
		tcp->var = rtt / 2;
	}
	off = rtt > tcp->srtt ? rtt - tcp->srtt : tcp->srtt - rtt;
	tcp->var = (3 * tcp->var + off) / 4;
	tcp->srtt = (7 * tcp->srtt + rtt) / 8;
	if (rtt <= tcp->min_rtt) {
		tcp->min_rtt = rtt;
		tcp->rt_prop_at = sim_now();
	}
}

void tcp_ack(struct tcp *tcp, const struct inner *inner)
{
	struct sample sample = { 0 };

	for (uint32_t s = tcp->una; s < inner->cum && s < tcp->next; s++)
		one_delivered(tcp, s, &sample);
	for (unsigned i = 0; i < SACKS; i++)
		for (uint32_t s = inner->sack[i].from;
		     s < inner->sack[i].to && s < tcp->next; s++)
			if (s >= tcp->una && s >= inner->cum)
				one_delivered(tcp, s, &sample);
	if (inner->cum > tcp->una) {
		tcp->sacked -= inner->cum - tcp->una;
		tcp->una = inner->cum;
		tcp->backoff = 0;
	}
	if (sample.rtt)
		note_rtt(tcp, sample.rtt);
	if (tcp->recovery && tcp->una >= tcp->recover_to)
		tcp->recovery = false;
	if (tcp->kind == TCP_CUBIC) {
		if (sample.rtt)
			hystart(tcp, sample.rtt);
		if (!tcp->recovery && sample.count &&
		    tcp->flight + sample.count + 3 >= tcp->cwnd)
			cubic_ack(tcp, sample.count);
		if (tcp->recovery && tcp->cwnd < tcp->ssthresh)
			tcp->cwnd += sample.count;
	} else if (sample.count) {
		bbr_ack(tcp, sample.count, sample.rate, sample.limited,
			sample.round);
	}
	if (sample.count) {
		rack(tcp);
		arm_rto(tcp);
	}
	push(tcp);
}

static void send_one(struct tcp *tcp, uint32_t seq, struct inner *inner)
{
	struct packet *p = at(tcp, seq);
	bool again = seq < tcp->next;

	if (!tcp->flight) {
		tcp->first_sent = sim_now();
		tcp->delivered_at = sim_now();
	}
	*p = (struct packet){
		.sent = sim_now(),
		.delivered = tcp->delivered,
		.delivered_at = tcp->delivered_at,
		.first_sent = tcp->first_sent,
		.again = again,
	};
	tcp->flight++;
	if (again) {
		tcp->lost--;
		tcp->retransmits++;
	} else {
		tcp->next++;
	}
	*inner = (struct inner){
		.kind = INNER_DATA,
		.flow = tcp->flow,
		.size = TCP_PACKET,
		.seq = seq,
		.time = sim_now(),
	};
}

static bool next_lost(struct tcp *tcp, uint32_t *seq)
{
	if (!tcp->lost)
		return false;
	for (uint32_t s = tcp->una; s < tcp->next; s++)
		if (at(tcp, s)->lost) {
			*seq = s;
			return true;
		}
	return false;
}

static void pace_timer(void *context, uint64_t tag)
{
	struct tcp *tcp = context;

	(void)tag;
	tcp->pacing_timer = false;
	push(tcp);
}

/* At most this many now: about a millisecond's worth, as Linux sizes its
 * super-packets; bbr then waits. */
static unsigned allowance(struct tcp *tcp)
{
	double rate = tcp->srtt ? tcp->cwnd * 1.2e6 / (double)tcp->srtt : 1e4;
	double count;

	if (tcp->kind == TCP_BBR) {
		if (tcp->next < 10) /* Linux does not pace these */
			return 10 - tcp->next;
		if (tcp->pace_at > sim_now())
			return 0;
		rate = tcp->btlbw > 0 ? tcp->btlbw * tcp->gain
				      : tcp->gain * 10e6 /
						(double)(tcp->srtt ? tcp->srtt
								   : 10000);
	}
	count = fmin(fmax(rate / 1000, 2), RUN);
	if (tcp->kind == TCP_BBR)
		tcp->pace_at = sim_now() + (uint64_t)(count * 1e6 / rate);
	return (unsigned)count;
}

static void push(struct tcp *tcp)
{
	struct inner run[RUN];
	unsigned count, most;

	do {
		most = allowance(tcp);
		count = 0;
		while (count < most && tcp->flight < tcp->cwnd &&
		       tcp->next - tcp->una < RWND) {
			uint32_t seq = tcp->next;

			next_lost(tcp, &seq);
			send_one(tcp, seq, &run[count++]);
		}
		if (count)
			node_send(tcp->from, run, count);
	} while (tcp->kind == TCP_CUBIC && count && count == most);
	if (tcp->kind == TCP_BBR && tcp->flight < tcp->cwnd &&
	    !tcp->pacing_timer) {
		tcp->pacing_timer = true;
		sim_at(tcp->pace_at > sim_now() ? tcp->pace_at
						: sim_now() + 100,
		       pace_timer, tcp, 0);
	}
	if (!tcp->rto_at)
		arm_rto(tcp);
}

static void start(void *context, uint64_t tag)
{
	(void)tag;
	push(context);
}

struct tcp *tcp_new(enum tcp_kind kind, uint8_t flow, struct node *from,
		    struct node *to, uint32_t syn_us)
{
	struct tcp *tcp = mem_alloc(sizeof(*tcp));

	tcp->kind = kind;
	tcp->flow = flow;
	tcp->from = from;
	tcp->to = to;
	tcp->cwnd = 10;
	tcp->ssthresh = 1e9;
	tcp->min_rtt = tcp->srtt = syn_us;
	tcp->var = syn_us / 2;
	tcp->delay_min = tcp->round_min = UINT64_MAX;
	tcp->state = STARTUP;
	tcp->gain = tcp->cwnd_gain = 2.885;
	tcp->delivered_at = tcp->rt_prop_at = sim_now();
	sim_at(sim_now() + 1000 * (1 + flow), start, tcp, 0);
	return tcp;
}

void tcp_free(struct tcp *tcp)
{
	free(tcp);
}

uint64_t tcp_received(const struct tcp *tcp)
{
	return tcp->expect;
}

uint64_t tcp_retransmits(const struct tcp *tcp)
{
	return tcp->retransmits;
}

void tcp_print(const struct tcp *tcp)
{
	printf("  tcp %d: cwnd %.0f ssthresh %.0f flight %u lost %u srtt %lu "
	       "min %lu retransmits %lu recoveries %lu timeouts %lu bw %.0f "
	       "state %d\n",
	       tcp->flow, tcp->cwnd, tcp->ssthresh, tcp->flight, tcp->lost,
	       tcp->srtt, tcp->min_rtt, tcp->retransmits, tcp->recoveries,
	       tcp->timeouts, tcp->btlbw, tcp->state);
}
