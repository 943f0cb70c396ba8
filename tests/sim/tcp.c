/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A sender and its receiver, in packets of one size. Loss is found as Linux
 * does (RACK, RFC 8985, with its reordering window), recovery is by SACK with
 * three blocks, acks come for every second packet. Cubic is RFC 9438 with
 * HyStart's delay; bbr is version 1 as in Linux 6 (net/ipv4/tcp_bbr.c) but for
 * its long-term rate: rounds, filters, gains, the allowance for acks that come
 * in lumps, the one for super-packets, which are sized as Linux sizes them.
 */
#include <math.h>

#include "model/base/mem.h"
#include "tests/sim/sim.h"

enum {
	RING = 1 << 16,
	RUN = 47, /* packets in 64 kB */
	RTO_LEAST = 200000,
	DELACK = 40000,
	RWND = 4096,
	FIRST = 10, /* the window a connection begins with */
	BW_ROUNDS = 10,
	EXTRA_ROUNDS = 5, /* twice */
	EXTRA_US = 100000,
	CYCLE = 8,
	PROBE_RTT_US = 200000,
	PROBE_RTT_CWND = 4,
	FULL_ROUNDS = 3,
};

#define HIGH_GAIN (2885 / 1000.0)

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
	/* bbr; rates in packets a second */
	enum { STARTUP, DRAIN, PROBE_BW, PROBE_RTT } state;
	struct {
		double rate;
		uint64_t round;
	} bw[BW_ROUNDS];
	double btlbw, full_bw, pacing;
	uint64_t limited; /* what is sent until so much is delivered */
	uint64_t rounds, round_delivered;
	bool full, conserve, was_recovery;
	unsigned full_count, phase;
	uint64_t phase_at, rt_prop, rt_prop_at, probe_done_at;
	bool probe_round;
	double prior_cwnd;
	double extra[2], epoch_acked; /* beyond what bw explains */
	uint64_t epoch_at;
	unsigned extra_rounds, extra_now;
	uint64_t pace_at;
	bool pacing_timer;
	bool stopped;
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

/* What one ack told. */
struct sample {
	unsigned count, lost;
	uint32_t flight; /* before it */
	uint64_t rtt;
	uint64_t prior_delivered, sent, send_us, ack_us;
	double rate; /* 0: none */
	bool round, limited;
};

/* --- bbr
 * ---------------------------------------------------------------------------
 */

/* A super-packet: a millisecond's worth; more where the round trip is short. */
static unsigned tso_packets(const struct tcp *tcp, double rate, bool by_rtt)
{
	double bytes = rate * TCP_MSS / 1024;
	uint64_t shift = tcp->min_rtt >> 9;

	if (by_rtt && shift < 32)
		bytes += (double)(65536U >> shift);
	return (unsigned)fmin(fmax(bytes / TCP_MSS, 2), RUN);
}

static double bbr_pacing_gain(const struct tcp *tcp)
{
	static const double gains[CYCLE] = { 1.25, 0.75, 1, 1, 1, 1, 1, 1 };

	switch (tcp->state) {
	case STARTUP: return HIGH_GAIN;
	case DRAIN: return 1 / HIGH_GAIN;
	case PROBE_BW: return gains[tcp->phase % CYCLE];
	default: return 1;
	}
}

static double bbr_cwnd_gain(const struct tcp *tcp)
{
	if (tcp->state == PROBE_RTT)
		return 1;
	return tcp->state == PROBE_BW ? 2 : HIGH_GAIN;
}

static double bbr_quantized(const struct tcp *tcp, double cwnd)
{
	cwnd += 3.0 * tso_packets(tcp, tcp->pacing, false);
	cwnd = 2 * ceil(cwnd / 2);
	if (tcp->state == PROBE_BW && tcp->phase % CYCLE == 0)
		cwnd += 2;
	return cwnd;
}

static double bbr_bdp(const struct tcp *tcp, double gain)
{
	return ceil(tcp->btlbw * (double)tcp->rt_prop / 1e6 * gain);
}

static double bbr_inflight(const struct tcp *tcp, double gain)
{
	return bbr_quantized(tcp, bbr_bdp(tcp, gain));
}

/* What will be under way when the next packet may leave. */
static double bbr_in_net(const struct tcp *tcp, uint32_t flight)
{
	double then = flight;

	if (bbr_pacing_gain(tcp) > 1)
		then += tso_packets(tcp, tcp->pacing, false);
	if (tcp->pace_at > sim_now())
		then -= tcp->btlbw * (double)(tcp->pace_at - sim_now()) / 1e6;
	return then;
}

static void bbr_enter_probe_bw(struct tcp *tcp)
{
	tcp->state = PROBE_BW;
	tcp->phase = CYCLE - (unsigned)(sim_random() * (CYCLE - 1));
	tcp->phase_at = sim_now();
}

/* The most of ten rounds; a sender that held back on purpose says nothing of
 * the line, and while nothing is said nothing is forgotten. */
static void bbr_note_bw(struct tcp *tcp, const struct sample *sample)
{
	unsigned at = tcp->rounds % BW_ROUNDS;

	if (sample->limited && sample->rate < tcp->btlbw)
		return;
	if (tcp->bw[at].round != tcp->rounds || sample->rate > tcp->bw[at].rate)
		tcp->bw[at].rate = sample->rate;
	tcp->bw[at].round = tcp->rounds;
	tcp->btlbw = 0;
	for (int i = 0; i < BW_ROUNDS; i++)
		if (tcp->rounds - tcp->bw[i].round < BW_ROUNDS)
			tcp->btlbw = fmax(tcp->btlbw, tcp->bw[i].rate);
}

static void bbr_update_bw(struct tcp *tcp, struct sample *sample)
{
	if (sample->rate <= 0)
		return;
	if (sample->prior_delivered >= tcp->round_delivered) {
		tcp->round_delivered = tcp->delivered;
		tcp->rounds++;
		tcp->conserve = false;
		sample->round = true;
	}
	bbr_note_bw(tcp, sample);
}

/* Acks that come in lumps must not leave the line idle between them. */
static void bbr_update_extra(struct tcp *tcp, const struct sample *sample)
{
	double expected =
		tcp->btlbw * (double)(sim_now() - tcp->epoch_at) / 1e6;
	double *most;

	if (sample->rate <= 0)
		return;
	if (sample->round && ++tcp->extra_rounds >= EXTRA_ROUNDS) {
		tcp->extra_rounds = 0;
		tcp->extra_now ^= 1;
		tcp->extra[tcp->extra_now] = 0;
	}
	if (tcp->epoch_acked <= expected) {
		tcp->epoch_acked = expected = 0;
		tcp->epoch_at = sim_now();
	}
	tcp->epoch_acked += sample->count;
	most = &tcp->extra[tcp->extra_now];
	*most = fmax(*most, fmin(tcp->epoch_acked - expected, tcp->cwnd));
}

static double bbr_extra(const struct tcp *tcp)
{
	if (!tcp->full)
		return 0;
	return fmin(fmax(tcp->extra[0], tcp->extra[1]),
		    tcp->btlbw * EXTRA_US / 1e6);
}

static void bbr_update_phase(struct tcp *tcp, const struct sample *sample)
{
	double gain = bbr_pacing_gain(tcp);
	bool whole = sim_now() - tcp->phase_at > tcp->rt_prop;
	double in_net = bbr_in_net(tcp, sample->flight);

	if (tcp->state != PROBE_BW)
		return;
	if (gain > 1)
		whole = whole &&
			(sample->lost || in_net >= bbr_inflight(tcp, gain));
	else if (gain < 1)
		whole = whole || in_net <= bbr_inflight(tcp, 1);
	if (!whole)
		return;
	tcp->phase++;
	tcp->phase_at = sim_now();
}

static void bbr_check_full(struct tcp *tcp, const struct sample *sample)
{
	if (!tcp->full && sample->round && !sample->limited) {
		if (tcp->btlbw >= tcp->full_bw * 1.25) {
			tcp->full_bw = tcp->btlbw;
			tcp->full_count = 0;
		} else {
			tcp->full = ++tcp->full_count >= FULL_ROUNDS;
		}
	}
	if (tcp->state == STARTUP && tcp->full)
		tcp->state = DRAIN;
	if (tcp->state == DRAIN &&
	    bbr_in_net(tcp, tcp->flight) <= bbr_inflight(tcp, 1))
		bbr_enter_probe_bw(tcp);
}

static void bbr_probe_rtt(struct tcp *tcp, const struct sample *sample)
{
	tcp->limited = tcp->delivered + tcp->flight + 1;
	if (!tcp->probe_done_at) {
		if (tcp->flight > PROBE_RTT_CWND)
			return;
		tcp->probe_done_at = sim_now() + PROBE_RTT_US;
		tcp->probe_round = false;
		tcp->round_delivered = tcp->delivered;
		return;
	}
	tcp->probe_round = tcp->probe_round || sample->round;
	if (!tcp->probe_round || sim_now() <= tcp->probe_done_at)
		return;
	tcp->rt_prop_at = sim_now();
	tcp->cwnd = fmax(tcp->cwnd, tcp->prior_cwnd);
	if (tcp->full)
		bbr_enter_probe_bw(tcp);
	else
		tcp->state = STARTUP;
}

static void bbr_update_rtt(struct tcp *tcp, const struct sample *sample)
{
	bool expired = sim_now() > tcp->rt_prop_at + 10 * SECOND;

	if (sample->rtt && (sample->rtt < tcp->rt_prop || expired)) {
		tcp->rt_prop = sample->rtt;
		tcp->rt_prop_at = sim_now();
	}
	if (expired && tcp->state != PROBE_RTT) {
		tcp->state = PROBE_RTT;
		tcp->prior_cwnd = tcp->cwnd;
		tcp->probe_done_at = 0;
	}
	if (tcp->state == PROBE_RTT)
		bbr_probe_rtt(tcp, sample);
}

/* In recovery: for a round no more than what leaves. */
static bool bbr_recovers(struct tcp *tcp, const struct sample *sample)
{
	bool was = tcp->was_recovery;

	tcp->was_recovery = tcp->recovery;
	tcp->cwnd = fmax(tcp->cwnd - sample->lost, 1);
	if (tcp->recovery && !was) {
		tcp->conserve = true;
		tcp->round_delivered = tcp->delivered;
		tcp->cwnd = tcp->flight + sample->count;
	} else if (!tcp->recovery && was) {
		tcp->cwnd = fmax(tcp->cwnd, tcp->prior_cwnd);
		tcp->conserve = false;
	}
	if (tcp->conserve)
		tcp->cwnd = fmax(tcp->cwnd, tcp->flight + sample->count);
	return tcp->conserve;
}

static void bbr_set_cwnd(struct tcp *tcp, const struct sample *sample)
{
	double target = bbr_quantized(tcp, bbr_bdp(tcp, bbr_cwnd_gain(tcp)) +
						   bbr_extra(tcp));

	if (!bbr_recovers(tcp, sample)) {
		if (tcp->full)
			tcp->cwnd = fmin(tcp->cwnd + sample->count, target);
		else if (tcp->cwnd < target || tcp->delivered < FIRST)
			tcp->cwnd += sample->count;
		tcp->cwnd = fmax(tcp->cwnd, PROBE_RTT_CWND);
	}
	if (tcp->state == PROBE_RTT)
		tcp->cwnd = fmin(tcp->cwnd, PROBE_RTT_CWND);
}

static void bbr_ack(struct tcp *tcp, struct sample *sample)
{
	double pacing;

	bbr_update_bw(tcp, sample);
	bbr_update_extra(tcp, sample);
	bbr_update_phase(tcp, sample);
	bbr_check_full(tcp, sample);
	bbr_update_rtt(tcp, sample);
	pacing = tcp->btlbw * bbr_pacing_gain(tcp) * 0.99;
	if (tcp->full || pacing > tcp->pacing)
		tcp->pacing = pacing;
	bbr_set_cwnd(tcp, sample);
}

static void bbr_init(struct tcp *tcp)
{
	tcp->state = STARTUP;
	tcp->rt_prop = tcp->min_rtt;
	tcp->rt_prop_at = sim_now();
	tcp->pacing = HIGH_GAIN * FIRST * 1e6 / (double)tcp->srtt;
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
	if (tcp->state != PROBE_RTT)
		tcp->prior_cwnd = tcp->cwnd;
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
	if (!p->again)
		sample->rtt = sim_now() - p->sent;
	/* Of those it acks the one sent last counts. */
	if (p->sent >= sample->sent) {
		sample->sent = p->sent;
		sample->prior_delivered = p->delivered;
		sample->send_us = p->sent - p->first_sent;
		sample->ack_us = sim_now() - p->delivered_at;
		sample->limited = p->limited;
		tcp->first_sent = p->sent;
	}
	if (p->sent > tcp->rack_sent)
		tcp->rack_sent = p->sent;
	if (seq >= tcp->high_sacked)
		tcp->high_sacked = seq;
}

/* draft-cheng-iccrg-delivery-rate-estimation */
static void take_rate(const struct tcp *tcp, struct sample *sample)
{
	uint64_t us = sample->ack_us > sample->send_us ? sample->ack_us
						       : sample->send_us;

	if (sample->count && us >= tcp->min_rtt)
		sample->rate =
			(double)(tcp->delivered - sample->prior_delivered) *
			1e6 / (double)us;
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
	if (rtt < tcp->min_rtt)
		tcp->min_rtt = rtt;
}

void tcp_ack(struct tcp *tcp, const struct inner *inner)
{
	struct sample sample = { .flight = tcp->flight };
	uint32_t lost;

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
	}
	if (sample.count) {
		lost = tcp->lost;
		rack(tcp);
		sample.lost = tcp->lost > lost ? tcp->lost - lost : 0;
		arm_rto(tcp);
	}
	if (tcp->kind == TCP_BBR && sample.count) {
		take_rate(tcp, &sample);
		bbr_ack(tcp, &sample);
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
		.limited = tcp->delivered < tcp->limited,
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

/* At most this many now: one super-packet; bbr then waits. */
static unsigned allowance(struct tcp *tcp)
{
	double rate = tcp->srtt ? tcp->cwnd * 1e6 / (double)tcp->srtt : 1e4;

	if (tcp->kind != TCP_BBR)
		return tso_packets(
			tcp, rate * (tcp->cwnd < tcp->ssthresh / 2 ? 2 : 1.2),
			true);
	if (tcp->next < FIRST) /* Linux does not pace these */
		return FIRST - tcp->next;
	if (tcp->pace_at > sim_now())
		return 0;
	return tso_packets(tcp, tcp->pacing, true);
}

static void push(struct tcp *tcp)
{
	struct inner run[RUN];
	unsigned count, most;

	if (tcp->stopped)
		return;
	do {
		most = allowance(tcp);
		count = 0;
		while (count < most && tcp->flight < tcp->cwnd &&
		       tcp->next - tcp->una < RWND) {
			uint32_t seq = tcp->next;

			if (!next_lost(tcp, &seq) && tcp->stopped)
				break;
			send_one(tcp, seq, &run[count++]);
		}
		if (count)
			node_send(tcp->from, run, count);
		if (tcp->kind == TCP_BBR && count && tcp->next > FIRST)
			tcp->pace_at = sim_now() +
				       (uint64_t)(count * 1e6 / tcp->pacing);
	} while (tcp->kind == TCP_CUBIC && count && count == most);
	if (tcp->kind == TCP_BBR && tcp->flight < tcp->cwnd &&
	    !tcp->pacing_timer && !tcp->stopped) {
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
	tcp->cwnd = FIRST;
	tcp->ssthresh = 1e9;
	tcp->min_rtt = tcp->srtt = syn_us;
	tcp->var = syn_us / 2;
	tcp->delay_min = tcp->round_min = UINT64_MAX;
	bbr_init(tcp);
	tcp->delivered_at = sim_now();
	sim_at(sim_now() + 1000 * (1 + flow), start, tcp, 0);
	return tcp;
}

void tcp_stop(struct tcp *tcp)
{
	tcp->stopped = true;
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
	       "extra %.0f state %d\n",
	       tcp->flow, tcp->cwnd, tcp->ssthresh, tcp->flight, tcp->lost,
	       tcp->srtt, tcp->min_rtt, tcp->retransmits, tcp->recoveries,
	       tcp->timeouts, tcp->btlbw, bbr_extra(tcp), tcp->state);
}
