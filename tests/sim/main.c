/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * sim [-tv] [-c | -b] [-s SEEDS] [-S STALL_US] [SCENARIO...]
 *
 * The scenarios of the tunnel's figures, simulated: 50 + 20 Mbit/s, queues of
 * 50 ms, one TCP flow for nine seconds of which three are left out, pings at 50
 * a second beside it. Prints a table; with -t it judges: what is printed below
 * the least that is asked for (medians, some points under what is reached) is a
 * test that failed. `told` goes the other way: the client alone has a policy
 * (failover, by the 20 Mbit/s), and the server has to do as it is told. The
 * same seed gives the same figures on every machine.
 */
#include <unistd.h>

#include "backends/engine/braid.h"
#include "model/base/mem.h"
#include "tests/sim/sim.h"

enum {
	LANES = 2,
	FLOWS = 8,
	PINGS = 4096,
	PING_US = 20000,
	SLICE_US = 100000,
	SLICES = 256,
	SEEDS_MOST = 20,
};

struct scenario {
	const char *name;
	const char *what;
	double rate[LANES];
	uint32_t delay_us[LANES], queue_us[LANES];
	double loss[LANES], burst[LANES];
	uint32_t jitter_us;
	unsigned flows;	  /* 0: pings only */
	unsigned skip;	  /* seconds that are left out [3] */
	uint64_t seconds; /* that count [6] */
	uint64_t ping_us;
	/* A flow of the same kind went so many seconds before, so that the
	 * lines are known. */
	unsigned before;
	bool told; /* from the server, by what the client prefers */
	/* After a third of them the first line changes... */
	enum { STEADY, DROP, HOLE, DOWN } change;
	struct bar {
		unsigned share[2], low[2], after[2]; /* cubic, bbr */
		unsigned each[2];		     /* share of each run */
		unsigned p50, p99;		     /* ms, at most */
		unsigned outage_ms, standstill_ms;   /* at most */
		bool no_ping_lost;
		unsigned astray; /* per cent sent by the wrong line, at most */
	} bar;
};

static const struct scenario scenarios[] = {
	{ .name = "near",
	  .what = "no delay",
	  .delay_us = { 50, 50 },
	  .bar = { .share = { 89, 89 }, .p50 = 7, .p99 = 14 } },
	{ .name = "even",
	  .what = "20 ms on both",
	  .delay_us = { 20000, 20000 },
	  .bar = { .share = { 89, 89 }, .p50 = 48, .p99 = 66 } },
	{ .name = "skew",
	  .what = "10 against 60 ms",
	  .delay_us = { 10000, 60000 },
	  .bar = { .share = { 89, 86 },
		   .each = { 86, 82 },
		   .p50 = 29,
		   .p99 = 50 } },
	{ .name = "again",
	  .what = "the same, after another flow",
	  .delay_us = { 10000, 60000 },
	  .before = 3,
	  .bar = { .share = { 88, 86 },
		   .each = { 86, 82 },
		   .p50 = 29,
		   .p99 = 50 } },
	{ .name = "long",
	  .what = "the same, the seconds from 12 to 24",
	  .delay_us = { 10000, 60000 },
	  .skip = 12,
	  .seconds = 12,
	  .bar = { .share = { 88, 86 },
		   .each = { 86, 80 },
		   .p50 = 29,
		   .p99 = 50 } },
	{ .name = "skew8",
	  .what = "the same, 8 flows",
	  .delay_us = { 10000, 60000 },
	  .flows = FLOWS,
	  .bar = { .share = { 89, 89 },
		   .each = { 86, 86 },
		   .p50 = 29,
		   .p99 = 50 } },
	{ .name = "loss",
	  .what = "the same, 1 % lost on the first",
	  .delay_us = { 10000, 60000 },
	  .loss = { 0.01, 0 },
	  .bar = { .share = { 85, 82 },
		   .each = { 80, 79 },
		   .p50 = 29,
		   .p99 = 95 } },
	{ .name = "burst",
	  .what = "20 ms, 2 % lost in tens",
	  .delay_us = { 20000, 20000 },
	  .burst = { 0.02, 0.02 },
	  .bar = { .share = { 60, 83 }, .p50 = 49, .p99 = 70 } },
	{ .name = "drop",
	  .what = "first line falls to 10 Mbit/s, and back",
	  .delay_us = { 20000, 20000 },
	  .seconds = 9,
	  .change = DROP,
	  .bar = { .share = { 88, 88 },
		   .low = { 86, 76 },
		   .p50 = 48,
		   .p99 = 70 } },
	{ .name = "flows",
	  .what = "8 flows",
	  .delay_us = { 20000, 20000 },
	  .flows = FLOWS,
	  .bar = { .share = { 89, 89 }, .p50 = 48, .p99 = 66 } },
	{ .name = "bloat",
	  .what = "second line has 1 s of queue",
	  .delay_us = { 20000, 20000 },
	  .queue_us = { 50000, 1000000 },
	  .bar = { .share = { 89, 89 }, .p50 = 48, .p99 = 66 } },
	{ .name = "jitter",
	  .what = "20 ms, jitter 6 ms in order",
	  .delay_us = { 20000, 20000 },
	  .jitter_us = 6000,
	  .bar = { .share = { 70, 70 }, .p50 = 60, .p99 = 80 } },
	{ .name = "stall",
	  .what = "first line swallows all, TCP",
	  .delay_us = { 20000, 20000 },
	  .change = HOLE,
	  .bar = { .share = { 85, 85 },
		   .after = { 86, 76 },
		   .p50 = 55,
		   .p99 = 150,
		   .standstill_ms = 300 } },
	{ .name = "hole",
	  .what = "the same, pings only",
	  .delay_us = { 20000, 20000 },
	  .flows = FLOWS + 1,
	  .ping_us = 10000,
	  .change = HOLE,
	  .bar = { .p50 = 42, .p99 = 60, .no_ping_lost = true } },
	{ .name = "hole0",
	  .what = "the same, no delay",
	  .delay_us = { 50, 50 },
	  .flows = FLOWS + 1,
	  .ping_us = 10000,
	  .change = HOLE,
	  .bar = { .p50 = 2, .p99 = 20, .no_ping_lost = true } },
	{ .name = "down",
	  .what = "first device goes down, no delay",
	  .delay_us = { 50, 50 },
	  .ping_us = 10000,
	  .change = DOWN,
	  .bar = { .share = { 88, 88 },
		   .after = { 85, 80 },
		   .p50 = 10,
		   .p99 = 20,
		   .no_ping_lost = true,
		   .standstill_ms = 100 } },
	{ .name = "told",
	  .what = "from the server: failover, the client says so",
	  .delay_us = { 20000, 20000 },
	  .told = true,
	  .bar = { .share = { 88, 88 }, .astray = 1 } },
	{ .name = "fast",
	  .what = "2 x 1 Gbit/s, 0.1 ms",
	  .rate = { 1e9, 1e9 },
	  .delay_us = { 50, 50 },
	  .seconds = 2,
	  .bar = { .share = { 65, 65 }, .p50 = 15, .p99 = 30 } },
};

struct result {
	double share, low, after; /* per cent of what there was */
	double p50, p99, idle;	  /* ms */
	unsigned lost, outage_ms;
	unsigned standstill_ms;
	double retransmits;
	double astray; /* per cent */
};

struct world {
	const struct scenario *scenario;
	struct line lines[2][LANES];
	struct node *a, *b;
	struct tcp *tcp[FLOWS];
	struct tcp *before;
	unsigned flows;
	unsigned skip;
	uint64_t began;
	uint64_t bytes[SLICES];
	uint32_t ping_next;
	uint64_t ping_sent[PINGS];
	uint32_t ping_rtt[PINGS];
};

static uint32_t stall_us = 3000;
static int verbose;
static bool judging;

static double rate_of(const struct scenario *scenario, unsigned lane)
{
	static const double usual[LANES] = { 50e6, 20e6 };

	return scenario->rate[lane] > 0 ? scenario->rate[lane] : usual[lane];
}

static struct tcp *flow_of(const struct world *world, const struct inner *inner)
{
	return inner->flow == FLOWS ? world->before : world->tcp[inner->flow];
}

static void tcp_in(struct world *world, const struct inner *inner)
{
	struct tcp *tcp = flow_of(world, inner);
	uint64_t before = tcp_received(tcp);

	if (inner->kind == INNER_ACK) {
		tcp_ack(tcp, inner);
		return;
	}
	tcp_data(tcp, inner);
	world->bytes[(sim_now() - world->began) / SLICE_US % SLICES] +=
		(tcp_received(tcp) - before) * TCP_MSS;
}

static void at_b(void *context, const struct inner *inner)
{
	struct world *world = context;

	if (inner->kind == INNER_PING) {
		struct inner pong = *inner;

		pong.kind = INNER_PONG;
		node_send(world->b, &pong, 1);
	} else if (inner->kind != INNER_PONG) {
		tcp_in(world, inner);
	}
}

static void at_a(void *context, const struct inner *inner)
{
	struct world *world = context;

	if (inner->kind == INNER_ACK || inner->kind == INNER_DATA)
		tcp_in(world, inner);
	else if (inner->kind == INNER_PONG && inner->seq < PINGS &&
		 !world->ping_rtt[inner->seq])
		world->ping_rtt[inner->seq] =
			(uint32_t)(sim_now() - inner->time) + 1;
}

static void ping(void *context, uint64_t tag)
{
	struct world *world = context;
	struct inner inner = {
		.kind = INNER_PING,
		.size = PING_PACKET,
		.seq = world->ping_next++,
		.time = sim_now(),
	};

	if (inner.seq >= PINGS)
		return;
	world->ping_sent[inner.seq] = sim_now();
	node_send(world->a, &inner, 1);
	sim_at(sim_now() + tag, ping, world, tag);
}

static void change(void *context, uint64_t tag)
{
	struct world *world = context;

	switch (world->scenario->change) {
	case DROP:
		world->lines[0][0].rate_bps = tag ? 50e6 : 10e6;
		world->lines[1][0].rate_bps = tag ? 50e6 : 10e6;
		break;
	case HOLE:
		world->lines[0][0].hole = world->lines[1][0].hole = true;
		break;
	case DOWN:
		world->lines[0][0].hole = world->lines[1][0].hole = true;
		line_empty(&world->lines[0][0]);
		node_down(world->a, 0);
		break;
	default: break;
	}
}

static void build_lines(struct world *world)
{
	const struct scenario *scenario = world->scenario;

	for (int way = 0; way < 2; way++)
		for (unsigned i = 0; i < LANES; i++) {
			uint32_t queue_us = scenario->queue_us[i];
			double rate = rate_of(scenario, i);

			world->lines[way][i] = (struct line){
				.rate_bps = rate,
				.queue_bytes = (uint32_t)(rate / 8e6 *
							  (queue_us ? queue_us
								    : 50000)),
				.delay_us = scenario->delay_us[i],
				.jitter_us = scenario->jitter_us,
				.keep_order = true,
				.loss = scenario->loss[i],
				.burst = scenario->burst[i],
				.burst_length = 10,
			};
		}
}

static void build(struct world *world, enum tcp_kind kind)
{
	uint32_t delay_us = UINT32_MAX;
	struct node_setup setup = {
		.lanes = LANES,
		.out = world->lines[0],
		.stall_per_s = 20,
		.stall_us = stall_us,
		.deliver = at_a,
		.context = world,
	};

	build_lines(world);
	for (unsigned i = 0; i < LANES; i++)
		if (world->scenario->delay_us[i] < delay_us)
			delay_us = world->scenario->delay_us[i];
	world->began = sim_now();
	setup.failover = world->scenario->told;
	world->a = node_new(&setup);
	setup.failover = false;
	setup.out = world->lines[1];
	setup.deliver = at_b;
	setup.quiet = true;
	world->b = node_new(&setup);
	node_join(world->a, world->b);
	sim_run(sim_now() + SECOND / 2);
	world->began = sim_now();
	if (world->scenario->before) {
		world->before = tcp_new(kind, FLOWS, world->a, world->b,
					2 * delay_us + 500);
		sim_run(sim_now() + world->scenario->before * SECOND);
		tcp_stop(world->before);
		sim_run(sim_now() + SECOND);
		memset(world->bytes, 0, sizeof(world->bytes));
		world->began = sim_now();
	}
	world->flows = world->scenario->flows ? world->scenario->flows : 1;
	if (world->flows > FLOWS)
		world->flows = 0;
	for (unsigned i = 0; i < world->flows; i++)
		world->tcp[i] =
			tcp_new(kind, (uint8_t)i,
				world->scenario->told ? world->b : world->a,
				world->scenario->told ? world->a : world->b,
				2 * delay_us + 500);
}

static int by_size(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static void judge_pings(struct world *world, uint64_t from, uint64_t to,
			struct result *result)
{
	uint32_t rtt[PINGS];
	unsigned count = 0;
	uint64_t first = 0, last = 0;

	for (uint32_t i = 0; i < world->ping_next && i < PINGS; i++) {
		uint64_t sent = world->ping_sent[i];

		if (sent < from || sent >= to - 400000)
			continue;
		if (world->ping_rtt[i]) {
			rtt[count++] = world->ping_rtt[i];
			continue;
		}
		result->lost++;
		first = first ? first : sent;
		last = sent;
	}
	if (first)
		result->outage_ms = (unsigned)((last - first) / 1000 + 10);
	if (!count)
		return;
	qsort(rtt, count, sizeof(*rtt), by_size);
	result->p50 = rtt[count / 2] / 1e3;
	result->p99 = rtt[count * 99 / 100] / 1e3;
}

static double share(const struct world *world, unsigned from_s, unsigned to_s,
		    double of_bps)
{
	uint64_t sum = 0;

	for (unsigned i = from_s * 10; i < to_s * 10; i++)
		sum += world->bytes[i];
	return (double)sum * 8 / (to_s - from_s) / of_bps * 100;
}

static void judge(struct world *world, unsigned seconds, struct result *result)
{
	const struct scenario *scenario = world->scenario;
	double sum = rate_of(scenario, 0) + rate_of(scenario, 1);
	unsigned still = 0, third = seconds / 3, from = world->skip;

	if (scenario->change == DROP) {
		result->share = share(world, from, from + third, sum);
		result->low =
			share(world, from + third, from + 2 * third, 30e6);
		result->after =
			share(world, from + 2 * third, from + seconds, sum);
	} else if (scenario->change == HOLE || scenario->change == DOWN) {
		result->share = share(world, from - 1, from + third, sum);
		result->after =
			share(world, from + third, from + seconds, 20e6);
	} else if (scenario->told) {
		uint64_t right = world->lines[1][LANES - 1].carried;
		uint64_t wrong = world->lines[1][0].carried;

		result->share = share(world, from, from + seconds,
				      rate_of(scenario, LANES - 1));
		result->astray =
			100.0 * (double)wrong / (double)(wrong + right);
	} else {
		result->share = share(world, from, from + seconds, sum);
	}
	for (unsigned i = from * 10; i < (from + seconds) * 10; i++) {
		still = world->bytes[i] ? 0 : still + SLICE_US / 1000;
		if (still > result->standstill_ms)
			result->standstill_ms = still;
	}
	for (unsigned i = 0; i < world->flows; i++)
		result->retransmits += (double)tcp_retransmits(world->tcp[i]);
}

/* Mbit/s of the last quarter of a second, roughly. */
static double lately(const struct world *world)
{
	unsigned slice = (unsigned)((sim_now() - world->began) / SLICE_US);
	uint64_t sum = 0;

	for (unsigned i = slice < 2 ? 0 : slice - 2; i < slice; i++)
		sum += world->bytes[i % SLICES];
	return (double)sum * 8 / (2.0 * SLICE_US);
}

static void show(struct world *world)
{
	if (verbose < 2)
		return;
	printf(" %.2f s, %.1f Mbit/s\n",
	       (double)(sim_now() - world->began) / 1e6, lately(world));
	node_print(world->a);
	node_print(world->b);
	for (unsigned i = 0; i < world->flows; i++)
		tcp_print(world->tcp[i]);
}

static struct result play(const struct scenario *scenario, enum tcp_kind kind,
			  uint64_t seed)
{
	struct world *world = mem_alloc(sizeof(*world));
	unsigned seconds = scenario->seconds ? (unsigned)scenario->seconds : 6;
	struct result result = { 0 };
	uint64_t from, to;

	sim_reset(seed);
	world->scenario = scenario;
	world->skip = scenario->skip ? scenario->skip : 3;
	build(world, kind);
	from = world->began + world->skip * SECOND;
	to = from + seconds * SECOND;
	sim_at(from, ping, world,
	       scenario->ping_us ? scenario->ping_us : PING_US);
	if (scenario->change) {
		sim_at(from + seconds * SECOND / 3, change, world, 0);
		if (scenario->change == DROP)
			sim_at(from + 2 * seconds * SECOND / 3, change, world,
			       1);
	}
	for (uint64_t t = world->began; t <= to;
	     t += verbose > 1 ? SECOND / 4 : SECOND) {
		sim_run(t);
		show(world);
	}
	judge(world, seconds, &result);
	judge_pings(world, from, to, &result);
	if (verbose == 1) {
		node_print(world->a);
		node_print(world->b);
		for (unsigned i = 0; i < world->flows; i++)
			tcp_print(world->tcp[i]);
	}
	sim_reset(seed);
	for (unsigned i = 0; i < world->flows; i++)
		tcp_free(world->tcp[i]);
	tcp_free(world->before);
	node_free(world->a);
	node_free(world->b);
	free(world);
	return result;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static double median(const struct result *results, unsigned count, size_t at)
{
	double values[SEEDS_MOST];

	for (unsigned i = 0; i < count; i++)
		memcpy(&values[i], (const char *)&results[i] + at,
		       sizeof(double));
	qsort(values, count, sizeof(*values), by_value);
	return values[count / 2];
}

#define MEDIAN(field) median(results, seeds, offsetof(struct result, field))

static void bar(const char *what, double got, bool least, double bound)
{
	bool fine = bound <= 0 || (least ? got >= bound : got <= bound);

	if (!judging || bound <= 0)
		return;
	printf("%s - %s %.1f, at %s %.0f\n", fine ? "ok" : "not ok", what, got,
	       least ? "least" : "most", bound);
}

static void hold_to_bar(const struct scenario *scenario, enum tcp_kind kind,
			const struct result *worst, const struct result *middle)
{
	const struct bar *it = &scenario->bar;

	bar("  per cent of the sum", middle->share, true, it->share[kind]);
	bar("  per cent of the sum, each time", worst->share, true,
	    it->each[kind]);
	bar("  per cent of what is left", middle->low, true, it->low[kind]);
	bar("  per cent afterwards", middle->after, true, it->after[kind]);
	bar("  ping, median", middle->p50, false, it->p50);
	bar("  ping, 99 of 100", middle->p99, false, it->p99);
	bar("  outage", worst->outage_ms, false, it->outage_ms);
	bar("  standstill", worst->standstill_ms, false, it->standstill_ms);
	bar("  per cent sent astray", worst->astray, false, it->astray);
	if (it->no_ping_lost)
		bar("  pings lost (and 0.5)", worst->lost + 0.5, false, 0.5);
}

static void run(const struct scenario *scenario, enum tcp_kind kind,
		unsigned seeds)
{
	struct result results[SEEDS_MOST], worst = { .share = 100 }, middle;

	for (unsigned i = 0; i < seeds; i++) {
		results[i] = play(scenario, kind, i + 1);
		if (results[i].share < worst.share)
			worst.share = results[i].share;
		if (results[i].astray > worst.astray)
			worst.astray = results[i].astray;
		if (results[i].lost > worst.lost)
			worst.lost = results[i].lost;
		if (results[i].outage_ms > worst.outage_ms)
			worst.outage_ms = results[i].outage_ms;
		if (results[i].standstill_ms > worst.standstill_ms)
			worst.standstill_ms = results[i].standstill_ms;
	}
	middle = (struct result){
		.share = MEDIAN(share),
		.low = MEDIAN(low),
		.after = MEDIAN(after),
		.p50 = MEDIAN(p50),
		.p99 = MEDIAN(p99),
		.retransmits = MEDIAN(retransmits),
	};
	printf("%-7s %-5s %6.1f %6.1f %6.1f %6.1f %8.1f %8.1f %5u %7u %6u "
	       "%8.0f  "
	       "%s\n",
	       scenario->name,
	       scenario->flows > FLOWS ? "-"
	       : kind == TCP_BBR       ? "bbr"
				       : "cubic",
	       middle.share, worst.share, middle.low, middle.after, middle.p50,
	       middle.p99, worst.lost, worst.outage_ms, worst.standstill_ms,
	       middle.retransmits, scenario->what);
	hold_to_bar(scenario, kind, &worst, &middle);
	fflush(stdout);
}

static bool is_wanted(const char *name, char **names, int count)
{
	for (int i = 0; i < count; i++)
		if (!strcmp(names[i], name))
			return true;
	return !count;
}

int main(int argc, char **argv)
{
	bool skip_cubic = false, skip_bbr = false;
	unsigned seeds = 3;
	int option;

	while ((option = getopt(argc, argv, "bctvs:S:")) != -1) {
		switch (option) {
		case 'b': skip_cubic = true; break;
		case 'c': skip_bbr = true; break;
		case 't': judging = true; break;
		case 'v': verbose++; break;
		case 's': seeds = (unsigned)atoi(optarg); break;
		case 'S': stall_us = (uint32_t)atoi(optarg); break;
		default: return 2;
		}
	}
	if (!seeds || seeds > SEEDS_MOST)
		return 2;
	printf("%-7s %-5s %6s %6s %6s %6s %8s %8s %5s %7s %6s %8s\n", "line",
	       "tcp", "%sum", "%least", "%low", "%after", "p50 ms", "p99 ms",
	       "lost", "outage", "still", "retrans");
	for (size_t i = 0; i < ARRAY_SIZE(scenarios); i++) {
		if (!is_wanted(scenarios[i].name, argv + optind, argc - optind))
			continue;
		if (!skip_cubic)
			run(&scenarios[i], TCP_CUBIC, seeds);
		if (!skip_bbr && scenarios[i].flows <= FLOWS)
			run(&scenarios[i], TCP_BBR, seeds);
	}
	rival_play(seeds, verbose, judging, argv + optind, argc - optind);
	odd_play(seeds, verbose, judging, argv + optind, argc - optind);
	if (is_wanted("full", argv + optind, argc - optind))
		full_play(seeds, verbose);
	return 0;
}
