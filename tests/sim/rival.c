/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Others on the same line: a bulk TCP that is not in the tunnel (cubic or bbr),
 * or a second tunnel. The tunnel carries one bulk TCP flow over lines of which
 * the first is shared; what counts are the seconds from 10 to 40, when both
 * have been there for a while. Fair is half of the first line, and all of the
 * second.
 */
#include "model/base/mem.h"
#include "tests/sim/sim.h"

enum {
	LINES = 2,
	ENDS = 2,
	PARTIES = 2,
	SKIP = 10,
	SECONDS = 30,
	LATER_US = 3000000,
	PING_US = 20000,
	PINGS = 4096,
	KINDS = 2,
	SEEDS_MOST = 20,
};

enum rival { NOBODY, CUBIC, BBR, TUNNEL };

struct rival_case {
	const char *name, *what;
	enum rival rival;
	unsigned lines;	   /* [1] */
	unsigned lanes;	   /* over the first; 0: one a line */
	uint32_t queue_us; /* of the first */
	bool after;	   /* the rival is first */
	bool cold; /* ... and the tunnel has never seen the line without */
	uint64_t leaves; /* the rival, after so many seconds of SECONDS */
	struct {
		unsigned ours[KINDS], theirs[KINDS]; /* % of fair, at least */
		unsigned p99;			     /* ms, at most */
	} bar;
};

static const struct rival_case cases[] = {
	{ .name = "alone300",
	  .what = "nobody else, 300 ms of queue",
	  .queue_us = 300000,
	  .bar = { .ours = { 97, 94 }, .theirs = { 0, 0 }, .p99 = 70 } },
	{ .name = "cubic50",
	  .what = "a cubic comes, 50 ms of queue",
	  .rival = CUBIC,
	  .queue_us = 50000,
	  .bar = { .ours = { 40, 40 }, .theirs = { 60, 60 } } },
	{ .name = "cubic300",
	  .what = "a cubic comes, 300 ms of queue",
	  .rival = CUBIC,
	  .queue_us = 300000,
	  .bar = { .ours = { 8, 16 }, .theirs = { 60, 60 } } },
	{ .name = "bbr50",
	  .what = "a bbr comes, 50 ms of queue",
	  .rival = BBR,
	  .queue_us = 50000,
	  .bar = { .ours = { 18, 18 }, .theirs = { 60, 60 } } },
	{ .name = "bbr300",
	  .what = "a bbr comes, 300 ms of queue",
	  .rival = BBR,
	  .queue_us = 300000,
	  .bar = { .ours = { 40, 40 }, .theirs = { 45, 45 } } },
	{ .name = "tocubic",
	  .what = "a cubic was there, 50 ms of queue",
	  .rival = CUBIC,
	  .after = true,
	  .queue_us = 50000,
	  .bar = { .ours = { 33, 33 }, .theirs = { 60, 60 } } },
	{ .name = "tobbr",
	  .what = "a bbr was there, 50 ms of queue",
	  .rival = BBR,
	  .after = true,
	  .queue_us = 50000,
	  .bar = { .ours = { 18, 18 }, .theirs = { 60, 60 } } },
	{ .name = "tocub300",
	  .what = "a cubic was there, 300 ms of queue",
	  .rival = CUBIC,
	  .after = true,
	  .queue_us = 300000,
	  .bar = { .ours = { 15, 15 }, .theirs = { 60, 60 } } },
	{ .name = "tobbr300",
	  .what = "a bbr was there, 300 ms of queue",
	  .rival = BBR,
	  .after = true,
	  .queue_us = 300000,
	  .bar = { .ours = { 50, 50 }, .theirs = { 45, 45 } } },
	{ .name = "cold50",
	  .what = "a cubic was there, and the tunnel not, 50 ms of queue",
	  .rival = CUBIC,
	  .after = true,
	  .cold = true,
	  .queue_us = 50000,
	  .bar = { .ours = { 33, 33 }, .theirs = { 60, 60 } } },
	{ .name = "cold300",
	  .what = "the same, 300 ms of queue",
	  .rival = CUBIC,
	  .after = true,
	  .cold = true,
	  .queue_us = 300000,
	  .bar = { .ours = { 10, 10 }, .theirs = { 60, 60 } } },
	{ .name = "cubic2",
	  .what = "a cubic on the first of two lines",
	  .rival = CUBIC,
	  .lines = 2,
	  .queue_us = 50000,
	  .bar = { .ours = { 65, 65 }, .theirs = { 60, 60 } } },
	{ .name = "cubic2d",
	  .what = "the same, 300 ms of queue there",
	  .rival = CUBIC,
	  .lines = 2,
	  .queue_us = 300000 },
	{ .name = "bbr2",
	  .what = "a bbr on the first of two lines",
	  .rival = BBR,
	  .lines = 2,
	  .queue_us = 50000,
	  .bar = { .ours = { 50, 50 }, .theirs = { 60, 60 } } },
	{ .name = "leaves",
	  .what = "a cubic comes, and leaves half way",
	  .rival = CUBIC,
	  .leaves = SECONDS / 2,
	  .queue_us = 300000,
	  .bar = { .ours = { 50, 60 }, .theirs = { 50, 50 } } },
	{ .name = "lanes",
	  .what = "nobody else, four lanes over one line",
	  .lanes = 4,
	  .queue_us = 300000,
	  .bar = { .ours = { 97, 94 }, .theirs = { 0, 0 }, .p99 = 70 } },
	{ .name = "lanesC",
	  .what = "the same, a cubic comes",
	  .rival = CUBIC,
	  .lanes = 4,
	  .queue_us = 50000,
	  .bar = { .ours = { 40, 40 }, .theirs = { 50, 50 } } },
	{ .name = "two300",
	  .what = "two tunnels, 300 ms of queue",
	  .rival = TUNNEL,
	  .queue_us = 300000,
	  .bar = { .ours = { 33, 33 }, .theirs = { 33, 33 }, .p99 = 100 } },
};

static const double rates[LINES] = { 50e6, 20e6 };

struct arena;

/* One TCP flow and what carries it. */
struct party {
	struct arena *arena;
	struct node *nodes[ENDS];
	struct tcp *tcp;
	uint64_t at_skip, at_half; /* packets received until then */
	uint32_t pings;
	uint32_t rtt[PINGS];
};

struct arena {
	const struct rival_case *it;
	struct line ways[ENDS][LINES];
	struct party parties[PARTIES]; /* ours, theirs */
	uint64_t began;
	int verbose;
};

struct outcome {
	double ours, theirs; /* Mbit/s */
	double last;	     /* ours, of the second half */
	double p50, p99;
};

static unsigned lines_of(const struct rival_case *it)
{
	return it->lines ? it->lines : 1;
}

static void at_far(void *context, const struct inner *inner)
{
	struct party *party = context;
	struct inner pong = *inner;

	if (inner->kind == INNER_DATA && party->tcp)
		tcp_data(party->tcp, inner);
	if (inner->kind != INNER_PING)
		return;
	pong.kind = INNER_PONG;
	node_send(party->nodes[1], &pong, 1);
}

static void at_near(void *context, const struct inner *inner)
{
	struct party *party = context;

	if (inner->kind == INNER_ACK && party->tcp)
		tcp_ack(party->tcp, inner);
	if (inner->kind == INNER_PONG && inner->seq < PINGS &&
	    !party->rtt[inner->seq])
		party->rtt[inner->seq] =
			(uint32_t)(sim_now() - inner->time) + 1;
}

static void ping(void *context, uint64_t tag)
{
	struct party *party = context;

	if (party->pings == PINGS)
		return;
	node_send(party->nodes[0],
		  &(struct inner){ .kind = INNER_PING,
				   .size = PING_PACKET,
				   .seq = party->pings++,
				   .time = sim_now() },
		  1);
	sim_at(sim_now() + tag, ping, party, tag);
}

static void build_lines(struct arena *arena)
{
	for (int way = 0; way < ENDS; way++)
		for (unsigned i = 0; i < LINES; i++)
			arena->ways[way][i] = (struct line){
				.rate_bps = rates[i],
				.queue_bytes =
					(uint32_t)(rates[i] / 8e6 *
						   (i ? 50000
						      : arena->it->queue_us)),
				.delay_us = 20000,
				.keep_order = true,
			};
}

static void build_party(struct arena *arena, struct party *party, bool plain)
{
	struct node_setup setup = {
		.plain = plain,
		.lanes = arena->it->lanes ? arena->it->lanes
					  : lines_of(arena->it),
		.one_line = arena->it->lanes > 0,
		.stall_per_s = 20,
		.stall_us = 3000,
		.context = party,
	};

	party->arena = arena;
	setup.out = arena->ways[0];
	setup.deliver = at_near;
	party->nodes[0] = node_new(&setup);
	setup.out = arena->ways[1];
	setup.deliver = at_far;
	setup.quiet = true;
	party->nodes[1] = node_new(&setup);
	node_join(party->nodes[0], party->nodes[1]);
}

/* tag: enum tcp_kind */
static void open_up(void *context, uint64_t tag)
{
	struct party *party = context;

	party->tcp = tcp_new((enum tcp_kind)tag, 0, party->nodes[0],
			     party->nodes[1], 40500);
}

static void begin(void *context, uint64_t tag)
{
	struct party *party = context;

	if (!party->nodes[0])
		build_party(party->arena, party, false);
	node_send(party->nodes[0],
		  &(struct inner){ .kind = INNER_PING,
				   .size = PING_PACKET,
				   .seq = PINGS,
				   .time = sim_now() },
		  1);
	sim_at(sim_now() + 150000, open_up, party, tag);
}

static void leave(void *context, uint64_t tag)
{
	struct party *party = context;

	(void)tag;
	tcp_stop(party->tcp);
}

/* tag: is it the half? */
static void look(void *context, uint64_t tag)
{
	struct party *party = context;

	*(tag ? &party->at_half : &party->at_skip) = tcp_received(party->tcp);
}

static void show(struct arena *arena, unsigned parties)
{
	static uint64_t last[PARTIES];

	printf("  %5.1f s, queue %5.1f ms:",
	       (double)(sim_now() - arena->began) / 1e6,
	       arena->ways[0][0].queued * 8e3 / rates[0]);
	for (unsigned i = 0; i < parties; i++) {
		uint64_t all = arena->parties[i].tcp
				       ? tcp_received(arena->parties[i].tcp)
				       : 0;

		printf(" %5.1f", (double)(all - last[i]) * TCP_MSS * 8 / 0.5e6);
		last[i] = all;
	}
	printf(" Mbit/s\n");
	if (arena->verbose > 2) {
		if (arena->parties[0].tcp) {
			node_print(arena->parties[0].nodes[0]);
			tcp_print(arena->parties[0].tcp);
		}
	}
}

static int by_size(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static double mbps(const struct party *party, uint64_t from, double seconds)
{
	return (double)(tcp_received(party->tcp) - from) * TCP_MSS * 8 /
	       seconds / 1e6;
}

static struct outcome judge(struct arena *arena)
{
	struct party *ours = &arena->parties[0], *theirs = &arena->parties[1];
	struct outcome outcome = {
		.ours = mbps(ours, ours->at_skip, SECONDS),
		.last = mbps(ours, ours->at_half, SECONDS / 2.0),
	};
	uint32_t rtt[PINGS];
	unsigned count = 0;

	if (theirs->tcp)
		outcome.theirs = mbps(theirs, theirs->at_skip, SECONDS);
	for (uint32_t i = 0; i < ours->pings; i++)
		if (ours->rtt[i])
			rtt[count++] = ours->rtt[i];
	if (!count)
		return outcome;
	qsort(rtt, count, sizeof(*rtt), by_size);
	outcome.p50 = rtt[count / 2] / 1e3;
	outcome.p99 = rtt[count * 99 / 100] / 1e3;
	return outcome;
}

static struct outcome play(const struct rival_case *it, enum tcp_kind kind,
			   uint64_t seed, int verbose)
{
	struct arena *arena = mem_alloc(sizeof(*arena));
	enum tcp_kind other = it->rival == BBR	   ? TCP_BBR
			      : it->rival == CUBIC ? TCP_CUBIC
						   : kind;
	unsigned parties = it->rival ? 2 : 1;
	struct outcome outcome;
	uint64_t skip;

	sim_reset(seed);
	arena->it = it;
	arena->verbose = verbose;
	build_lines(arena);
	arena->parties[0].arena = arena;
	if (!it->cold)
		build_party(arena, &arena->parties[0], false);
	if (it->rival)
		build_party(arena, &arena->parties[1], it->rival != TUNNEL);
	sim_run(sim_now() + SECOND / 2);
	arena->began = sim_now();
	skip = arena->began + SKIP * SECOND;
	sim_at(sim_now() + (it->after ? LATER_US : 0), begin,
	       &arena->parties[0], kind);
	sim_at(skip, ping, &arena->parties[0], PING_US);
	if (it->rival)
		sim_at(sim_now() + (it->after ? 0 : LATER_US), begin,
		       &arena->parties[1], other);
	if (it->leaves)
		sim_at(skip + it->leaves * SECOND, leave, &arena->parties[1],
		       0);
	for (unsigned i = 0; i < parties; i++) {
		sim_at(skip, look, &arena->parties[i], 0);
		sim_at(skip + SECONDS * SECOND / 2, look, &arena->parties[i],
		       1);
	}
	for (uint64_t t = 1; t <= (SKIP + SECONDS) * 2; t++) {
		sim_run(arena->began + t * SECOND / 2);
		if (verbose > 1)
			show(arena, parties);
	}
	outcome = judge(arena);
	sim_reset(seed);
	for (unsigned i = 0; i < parties; i++) {
		tcp_free(arena->parties[i].tcp);
		for (int end = 0; end < ENDS; end++)
			node_free(arena->parties[i].nodes[end]);
	}
	free(arena);
	return outcome;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static double middle(const struct outcome *outcomes, unsigned count, size_t at)
{
	double values[SEEDS_MOST];

	for (unsigned i = 0; i < count; i++)
		memcpy(&values[i], (const char *)&outcomes[i] + at,
		       sizeof(double));
	qsort(values, count, sizeof(*values), by_value);
	return values[count / 2];
}

#define MIDDLE(field) middle(outcomes, seeds, offsetof(struct outcome, field))

static void hold(const char *what, double got, bool least, double bound)
{
	bool fine = least ? got >= bound : got <= bound;

	if (bound > 0)
		printf("%s - %s %.1f, at %s %.0f\n", fine ? "ok" : "not ok",
		       what, got, least ? "least" : "most", bound);
}

static void run(const struct rival_case *it, enum tcp_kind kind, unsigned seeds,
		int verbose, bool judging)
{
	struct outcome outcomes[SEEDS_MOST];
	double payload = (double)TCP_MSS / (TCP_PACKET + OVERHEAD + FRAME);
	double half = rates[0] / (it->rival ? 2 : 1) * payload / 1e6;
	double all = half;

	for (unsigned i = 1; i < lines_of(it); i++)
		all += rates[i] * payload / 1e6;
	for (unsigned i = 0; i < seeds; i++)
		outcomes[i] = play(it, kind, i + 1, verbose);
	printf("%-8s %-5s %7.1f %6.1f %7.1f %6.1f %7.1f %7.1f %7.1f  %s\n",
	       it->name, kind == TCP_BBR ? "bbr" : "cubic", MIDDLE(ours),
	       MIDDLE(ours) / all * 100, MIDDLE(theirs),
	       MIDDLE(theirs) / half * 100, MIDDLE(last), MIDDLE(p50),
	       MIDDLE(p99), it->what);
	if (judging) {
		hold("  per cent of our share", MIDDLE(ours) / all * 100, true,
		     it->bar.ours[kind]);
		hold("  per cent of theirs", MIDDLE(theirs) / half * 100, true,
		     it->bar.theirs[kind]);
		hold("  ping, 99 of 100", MIDDLE(p99), false, it->bar.p99);
	}
	fflush(stdout);
}

void rival_play(unsigned seeds, int verbose, bool judging, char **names,
		int count)
{
	bool all = !count, any = false;

	for (int i = 0; i < count; i++)
		all = all || !strcmp(names[i], "rival");
	for (size_t i = 0; i < ARRAY_SIZE(cases) && !all; i++)
		for (int n = 0; n < count; n++)
			any = any || !strcmp(names[n], cases[i].name);
	if (!any && !all)
		return;
	printf("%-8s %-5s %7s %6s %7s %6s %7s %7s %7s\n", "beside", "tcp",
	       "ours", "%fair", "theirs", "%fair", "at last", "p50 ms",
	       "p99 ms");
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		bool wanted = all;

		for (int n = 0; n < count; n++)
			wanted = wanted || !strcmp(names[n], cases[i].name);
		if (!wanted)
			continue;
		run(&cases[i], TCP_CUBIC, seeds, verbose, judging);
		run(&cases[i], TCP_BBR, seeds, verbose, judging);
	}
}
