/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Is it said that a line is full when it is, at both ends, and never else? Two
 * seconds of rest, six of traffic, six of rest; the lines are of this file, so
 * the truth is known.
 */
#include "backends/engine/braid.h"
#include "backends/engine/full.h"
#include "model/base/mem.h"
#include "tests/sim/sim.h"

enum {
	LINES = 2,
	REST = 2,
	WORK = 6,
	AFTER = 6,
	DATA_FLOW = 0,
	/* What is promised: full is said within this time, its end within... */
	SAID_MS = 2000,
	FREE_MS = 3500,
	PING_MS = 50,
	LOOK_US = 1000,
	PAUSE_US = 50000,
	QUEUE_US = 3000,
};

enum traffic { NOTHING, CUBIC, BBR, STEADY, BURSTS, CHUNKS };

struct full_case {
	const char *name;
	enum traffic traffic;
	double rate[LINES];
	uint32_t delay_us[LINES], jitter_us, queue_us;
	double loss;
	bool shuffled; /* jitter reorders */
	uint64_t bps;  /* STEADY, BURSTS, CHUNKS: mean */
	bool full[LINES];
};

static const struct full_case cases[] = {
	{ .name = "one TCP (cubic) fills both lines",
	  .traffic = CUBIC,
	  .rate = { 50e6, 20e6 },
	  .delay_us = { 20000, 20000 },
	  .full = { true, true } },
	{ .name = "one TCP (bbr) fills both lines",
	  .traffic = BBR,
	  .rate = { 50e6, 20e6 },
	  .delay_us = { 20000, 20000 },
	  .full = { true, true } },
	{ .name = "no delay",
	  .traffic = CUBIC,
	  .rate = { 50e6, 20e6 },
	  .delay_us = { 100, 100 },
	  .full = { true, true } },
	{ .name = "one line of 20 Mbit/s",
	  .traffic = CUBIC,
	  .rate = { 20e6, 0 },
	  .delay_us = { 10000, 0 },
	  .full = { true, false } },
	{ .name = "one line of 1 Mbit/s with 300 ms of queue, 1.5 offered",
	  .traffic = STEADY,
	  .bps = 1500000,
	  .rate = { 1e6, 0 },
	  .delay_us = { 15000, 0 },
	  .queue_us = 300000,
	  .full = { true, false } },
	{ .name = "a line with a second of queue",
	  .traffic = CUBIC,
	  .rate = { 10e6, 0 },
	  .delay_us = { 20000, 0 },
	  .queue_us = 1000000,
	  .full = { true, false } },
	{ .name = "full, with jitter of 6 ms",
	  .traffic = BBR,
	  .rate = { 20e6, 0 },
	  .delay_us = { 20000, 0 },
	  .jitter_us = 6000,
	  .full = { true, false } },
	{ .name = "full, with one per cent lost",
	  .traffic = BBR,
	  .rate = { 20e6, 0 },
	  .delay_us = { 20000, 0 },
	  .loss = 0.01,
	  .full = { true, false } },
	{ .name = "at rest",
	  .traffic = NOTHING,
	  .rate = { 50e6, 20e6 },
	  .delay_us = { 20000, 20000 } },
	{ .name = "at rest, jitter of 30 ms",
	  .traffic = NOTHING,
	  .rate = { 50e6, 20e6 },
	  .delay_us = { 20000, 20000 },
	  .jitter_us = 30000 },
	{ .name = "8 Mbit/s of 70",
	  .traffic = STEADY,
	  .bps = 8000000,
	  .rate = { 50e6, 20e6 },
	  .delay_us = { 20000, 20000 } },
	{ .name = "8 Mbit/s of 70, jitter of 10 ms",
	  .traffic = STEADY,
	  .bps = 8000000,
	  .rate = { 50e6, 20e6 },
	  .delay_us = { 20000, 20000 },
	  .jitter_us = 10000,
	  .shuffled = true },
	{ .name = "8 Mbit/s of 70, in order, jitter of 6 ms",
	  .traffic = STEADY,
	  .bps = 8000000,
	  .rate = { 50e6, 20e6 },
	  .delay_us = { 20000, 20000 },
	  .jitter_us = 6000 },
	{ .name = "12 Mbit/s of 20, one line, jitter of 10 ms",
	  .traffic = STEADY,
	  .bps = 12000000,
	  .rate = { 20e6, 0 },
	  .delay_us = { 20000, 0 },
	  .jitter_us = 10000,
	  .shuffled = true },
	{ .name = "8 Mbit/s of 70, in order, jitter of 6 ms",
	  .traffic = STEADY,
	  .bps = 8000000,
	  .rate = { 50e6, 20e6 },
	  .delay_us = { 20000, 20000 },
	  .jitter_us = 6000 },
	{ .name = "12 Mbit/s of 20, one line, in bursts of 64",
	  .traffic = BURSTS,
	  .bps = 12000000,
	  .rate = { 20e6, 0 },
	  .delay_us = { 20000, 0 } },
	{ .name = "chunks of half a second's worth, each 2 s",
	  .traffic = CHUNKS,
	  .bps = 1000000,
	  .rate = { 20e6, 0 },
	  .delay_us = { 20000, 0 } },
};

/* When somebody had to wait for a line, for FULL_US without a pause worth the
 * name. */
struct truth {
	uint64_t run_since, run_seen, since;
};

/* What was said of one direction of one line, at one end. */
struct said {
	unsigned full, free;
	uint64_t full_at, free_at; /* when it was said */
	uint64_t since, until;	   /* what was said */
	uint64_t rate_bps, best_bps;
};

struct stage {
	const struct full_case *it;
	unsigned lines;
	struct line ways[2][LINES];
	struct node *nodes[2];
	struct tcp *tcp;
	uint64_t began, ends;
	uint32_t seq;
	struct truth truth[LINES];
	struct said said[2][LINES]; /* at the sender, at the receiver */
	unsigned elsewhere;	    /* said of the way back */
};

static void deliver_far(void *context, const struct inner *inner)
{
	struct stage *stage = context;

	if (inner->kind == INNER_DATA && stage->tcp)
		tcp_data(stage->tcp, inner);
	if (inner->kind == INNER_PING)
		node_send(stage->nodes[1],
			  &(struct inner){ .kind = INNER_PONG,
					   .size = PING_PACKET },
			  1);
}

static void deliver_near(void *context, const struct inner *inner)
{
	struct stage *stage = context;

	if (inner->kind == INNER_ACK && stage->tcp)
		tcp_ack(stage->tcp, inner);
}

static void hear(void *context, const struct node *node,
		 const struct braid_event *event)
{
	struct stage *stage = context;
	int end = node == stage->nodes[1];
	struct said *said = &stage->said[end][event->line % 256 % LINES];

	if (event->line == BRAID_ALL_LINES)
		return;
	if (event->what == BRAID_LINE_BEST &&
	    event->way == (end ? BRAID_IN : BRAID_OUT))
		said->best_bps = event->value;
	if (event->what != BRAID_LINE_FULL && event->what != BRAID_LINE_FREE)
		return;
	if (event->way != (end ? BRAID_IN : BRAID_OUT)) {
		stage->elsewhere++;
		return;
	}
	if (event->what == BRAID_LINE_FULL) {
		said->full++;
		said->full_at = sim_now();
		said->since = event->since;
		said->rate_bps = event->value;
	} else {
		said->free++;
		said->free_at = sim_now();
		said->until = event->at;
	}
}

static void ping(void *context, uint64_t tag)
{
	struct stage *stage = context;

	(void)tag;
	node_send(stage->nodes[0],
		  &(struct inner){ .kind = INNER_PING, .size = PING_PACKET },
		  1);
	sim_at(sim_now() + PING_MS * 1000, ping, stage, 0);
}

/* tag: packets at once, each so long that the mean comes out right. */
static void offer(void *context, uint64_t tag)
{
	struct stage *stage = context;
	uint64_t gap = tag * TCP_PACKET * 8 * SECOND / stage->it->bps;

	if (sim_now() >= stage->ends)
		return;
	for (uint64_t i = 0; i < tag; i++)
		node_send(stage->nodes[0],
			  &(struct inner){ .kind = INNER_DATA,
					   .flow = DATA_FLOW,
					   .size = TCP_PACKET,
					   .seq = stage->seq++ },
			  1);
	sim_at(sim_now() + gap, offer, stage, tag);
}

static void observe(void *context, uint64_t tag)
{
	struct stage *stage = context;

	(void)tag;
	for (unsigned i = 0; i < stage->lines; i++) {
		struct truth *truth = &stage->truth[i];
		const struct line *line = &stage->ways[0][i];

		if (line->queued * 8e6 < QUEUE_US * line->rate_bps ||
		    !node_waits(stage->nodes[0]))
			continue;
		if (sim_now() - truth->run_seen > PAUSE_US)
			truth->run_since = sim_now();
		truth->run_seen = sim_now();
		if (!truth->since && sim_now() - truth->run_since >= FULL_US)
			truth->since = truth->run_since;
	}
	sim_at(sim_now() + LOOK_US, observe, stage, 0);
}

static void build(struct stage *stage)
{
	const struct full_case *it = stage->it;
	struct node_setup setup = { .stall_per_s = 20,
				    .stall_us = 3000,
				    .event = hear,
				    .context = stage };

	stage->lines = it->rate[1] > 0 ? 2 : 1;
	for (int way = 0; way < 2; way++)
		for (unsigned i = 0; i < stage->lines; i++)
			stage->ways[way][i] = (struct line){
				.rate_bps = it->rate[i],
				.queue_bytes =
					(uint32_t)(it->rate[i] / 8e6 *
						   (it->queue_us ? it->queue_us
								 : 50000)),
				.delay_us = it->delay_us[i],
				.jitter_us = it->jitter_us,
				.keep_order = !it->shuffled,
				.loss = it->loss,
			};
	setup.lanes = stage->lines;
	setup.out = stage->ways[0];
	setup.deliver = deliver_near;
	stage->nodes[0] = node_new(&setup);
	setup.out = stage->ways[1];
	setup.deliver = deliver_far;
	setup.quiet = true;
	stage->nodes[1] = node_new(&setup);
	node_join(stage->nodes[0], stage->nodes[1]);
}

static void begin(struct stage *stage)
{
	static const uint64_t at_once[] = {
		[STEADY] = 1, [BURSTS] = 64, [CHUNKS] = 174
	};

	switch (stage->it->traffic) {
	case NOTHING: break;
	case CUBIC:
	case BBR:
		stage->tcp =
			tcp_new(stage->it->traffic == BBR ? TCP_BBR : TCP_CUBIC,
				DATA_FLOW, stage->nodes[0], stage->nodes[1],
				2 * stage->it->delay_us[0] + 500);
		break;
	default: offer(stage, at_once[stage->it->traffic]);
	}
}

/* A verdict a case: what was wrong first. */
static void expect(const char **wrong, bool good, const char *what)
{
	if (!good && !*wrong)
		*wrong = what;
}

static void judge_full(const struct stage *stage, const struct said *said,
		       unsigned line, const char **wrong)
{
	double rate = stage->it->rate[line] * (1 - stage->it->loss);
	uint64_t truth = stage->truth[line].since;
	uint64_t last = stage->truth[line].run_seen;

	expect(wrong, said->full == 1 && said->free == 1, "not one spell");
	expect(wrong, truth && said->full_at <= truth + SAID_MS * 1000,
	       "said too late");
	expect(wrong, said->full_at > truth, "said too early");
	expect(wrong,
	       said->free_at > last && said->free_at - last <= FREE_MS * 1000,
	       "its end is not said in time");
	expect(wrong,
	       said->until <= last + SECOND && said->until + SECOND >= last,
	       "another end is said than it had");
	expect(wrong,
	       (double)said->rate_bps > rate * 0.65 &&
		       (double)said->rate_bps < rate * 1.05,
	       "its rate is another");
	expect(wrong,
	       (double)said->best_bps > rate * 0.85 &&
		       (double)said->best_bps < rate * 1.03,
	       "it carried more than is said");
}

static void print_said(const struct stage *stage, int end, unsigned line)
{
	const struct said *said = &stage->said[end][line];
	double began = (double)stage->began;
	double last = (double)stage->truth[line].run_seen;

	printf("  %s, line %u: full %u times, the last %.0f ms after the "
	       "beginning (it was after %.0f), at %.2f Mbit/s; free %u times, "
	       "%.0f ms after the end; best %.2f\n",
	       end ? "receiver" : "sender", line + 1, said->full,
	       said->full ? ((double)said->full_at - began) / 1e3 : 0,
	       stage->truth[line].since
		       ? ((double)stage->truth[line].since - began) / 1e3
		       : 0,
	       (double)said->rate_bps / 1e6, said->free,
	       said->free ? ((double)said->free_at - last) / 1e3 : 0,
	       (double)said->best_bps / 1e6);
}

static void judge(const struct stage *stage, uint64_t seed, bool verbose)
{
	const char *wrong = NULL;

	for (int end = 0; end < 2; end++)
		for (unsigned i = 0; i < stage->lines; i++) {
			const struct said *said = &stage->said[end][i];

			if (verbose)
				print_said(stage, end, i);
			if (stage->it->full[i])
				judge_full(stage, said, i, &wrong);
			else
				expect(&wrong, !said->full, "called full");
		}
	expect(&wrong, !stage->elsewhere, "said of the way back");
	printf("%s - full, %s (seed %u)%s%s\n", wrong ? "not ok" : "ok",
	       stage->it->name, (unsigned)seed, wrong ? ": " : "",
	       wrong ? wrong : "");
}

static void play(const struct full_case *it, uint64_t seed, bool verbose)
{
	struct stage *stage = mem_alloc(sizeof(*stage));

	sim_reset(seed);
	stage->it = it;
	build(stage);
	sim_run(sim_now() + SECOND / 2);
	ping(stage, 0);
	sim_run(sim_now() + REST * SECOND);
	stage->began = sim_now();
	stage->ends = stage->began + WORK * SECOND;
	observe(stage, 0);
	begin(stage);
	sim_run(stage->ends);
	if (stage->tcp)
		tcp_stop(stage->tcp);
	sim_run(stage->ends + AFTER * SECOND);
	judge(stage, seed, verbose);
	sim_reset(seed);
	if (stage->tcp)
		tcp_free(stage->tcp);
	node_free(stage->nodes[0]);
	node_free(stage->nodes[1]);
	free(stage);
}

void full_play(unsigned seeds, bool verbose)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		for (unsigned seed = 1; seed <= seeds; seed++)
			play(&cases[i], seed, verbose);
}
