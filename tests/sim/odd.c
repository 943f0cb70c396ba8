/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Lines as radio and cheap providers have them: is the braid of two ever worse
 * than the better of them alone? Each seed is played three times, by both
 * lines, by the first and by the second, with the same lines each time: they
 * have their chance of their own. Beside it 50 packets of voice a second.
 */
#include "model/base/mem.h"
#include "tests/sim/sim.h"

enum {
	LINES = 2,
	ENDS = 2,
	BOTH = LINES, /* in place of the number of a line */
	WAYS = LINES + 1,
	SKIP = 3,
	SECONDS = 12,
	STEP_US = 100000,
	OUTAGE_STEPS = 3,
	VOICE_US = 20000,
	VOICES = 1024,
	SEEDS_MOST = 20,
};

struct odd_line {
	double rate; /* of a walk: where it begins */
	uint32_t delay_us, jitter_us, queue_us;
	double back; /* rate of the way back, if it is another */
	bool walks;  /* 5 to 60 Mbit/s, with outages of 300 ms */
	double police;
	double loss;
};

struct odd_case {
	const char *name, *what;
	struct odd_line lines[LINES];
	bool quiet;	/* no bulk: voice alone */
	unsigned least; /* of the better line alone, per cent, in each seed */
	unsigned p50, p99, lost; /* voice: ms, ms, per cent, at most */
};

static const struct odd_case cases[] = {
	{ .name = "voice0",
	  .what = "50 + 20 Mbit/s, 10 and 60 ms, voice alone",
	  .lines = { { 50e6, 10000, 0, 50000, 0, false, 0, 0 },
		     { 20e6, 60000, 0, 50000, 0, false, 0, 0 } },
	  .quiet = true,
	  .p50 = 15,
	  .p99 = 20,
	  .lost = 1 },
	{ .name = "voice",
	  .what = "the same, beside bulk",
	  .lines = { { 50e6, 10000, 0, 50000, 0, false, 0, 0 },
		     { 20e6, 60000, 0, 50000, 0, false, 0, 0 } },
	  .least = 100,
	  .p50 = 25,
	  .p99 = 40,
	  .lost = 1 },
	{ .name = "walk",
	  .what = "two lines that walk, 30 and 40 ms, 300 ms of queue",
	  .lines = { { 30e6, 30000, 0, 300000, 0, true, 0, 0 },
		     { 20e6, 40000, 0, 300000, 0, true, 0, 0 } },
	  .least = 100 },
	{ .name = "walk1",
	  .what = "one that walks, beside 20 Mbit/s",
	  .lines = { { 30e6, 30000, 0, 300000, 0, true, 0, 0 },
		     { 20e6, 15000, 0, 50000, 0, false, 0, 0 } },
	  .least = 100,
	  .p50 = 30 },
	{ .name = "shaky",
	  .what = "20 ms of jitter out of order on the first",
	  .lines = { { 30e6, 30000, 40000, 100000, 0, false, 0, 0 },
		     { 20e6, 20000, 0, 50000, 0, false, 0, 0 } },
	  .least = 90 },
	{ .name = "policed",
	  .what = "a policer of 20 Mbit/s, no queue",
	  .lines = { { 1e9, 10000, 0, 50000, 0, false, 20e6, 0 },
		     { 20e6, 20000, 0, 50000, 0, false, 0, 0 } },
	  .least = 100,
	  .p99 = 40 },
	{ .name = "narrow",
	  .what = "30 down 1 up, 20 down 2 up",
	  .lines = { { 30e6, 20000, 0, 100000, 1e6, false, 0, 0 },
		     { 20e6, 20000, 0, 50000, 2e6, false, 0, 0 } },
	  .least = 100 },
};

struct scene;

struct walker {
	struct scene *scene;
	struct line *line;
	uint64_t random;
	unsigned outage; /* steps left */
	double rate;
};

struct scene {
	const struct odd_case *it;
	struct line ways[ENDS][LINES];
	struct walker walkers[LINES];
	struct node *nodes[ENDS];
	struct tcp *tcp;
	uint64_t at_skip;
	uint32_t voices;
	uint32_t delay_us[VOICES];
};

struct gain {
	double mbps, p50, p99, lost;
};

static void at_far(void *context, const struct inner *inner)
{
	struct scene *scene = context;

	if (inner->kind == INNER_DATA && scene->tcp)
		tcp_data(scene->tcp, inner);
	if (inner->kind == INNER_VOICE && !scene->delay_us[inner->seq])
		scene->delay_us[inner->seq] =
			(uint32_t)(sim_now() - inner->time) + 1;
}

static void at_near(void *context, const struct inner *inner)
{
	struct scene *scene = context;

	if (inner->kind == INNER_ACK && scene->tcp)
		tcp_ack(scene->tcp, inner);
}

static void speak(void *context, uint64_t tag)
{
	struct scene *scene = context;

	if (scene->voices == VOICES)
		return;
	node_send(scene->nodes[0],
		  &(struct inner){ .kind = INNER_VOICE,
				   .flow = 1,
				   .size = VOICE_PACKET,
				   .seq = scene->voices++,
				   .time = sim_now() },
		  1);
	sim_at(sim_now() + tag, speak, scene, tag);
}

static double chance(struct walker *walker)
{
	/* SplitMix64, Steele et al. 2014 */
	uint64_t z = walker->random += 0x9e3779b97f4a7c15ULL;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return (double)((z ^ (z >> 31)) >> 11) / 9007199254740992.0;
}

static void walk(void *context, uint64_t tag)
{
	struct walker *walker = context;

	(void)tag;
	walker->rate *= 0.7 + 0.65 * chance(walker);
	walker->rate = walker->rate < 5e6    ? 5e6
		       : walker->rate > 60e6 ? 60e6
					     : walker->rate;
	if (walker->outage)
		walker->outage--;
	else if (chance(walker) < 0.01)
		walker->outage = OUTAGE_STEPS;
	line_set(walker->line, walker->outage ? 0 : walker->rate);
	sim_at(sim_now() + STEP_US, walk, walker, 0);
}

static void build_lines(struct scene *scene, uint64_t seed)
{
	for (int way = 0; way < ENDS; way++)
		for (unsigned i = 0; i < LINES; i++) {
			const struct odd_line *odd = &scene->it->lines[i];
			double rate =
				way && odd->back > 0 ? odd->back : odd->rate;

			scene->ways[way][i] = (struct line){
				.rate_bps = rate,
				.queue_bytes =
					(uint32_t)(rate / 8e6 * odd->queue_us),
				.delay_us = odd->delay_us,
				.jitter_us = odd->jitter_us,
				.loss = odd->loss,
				.police_bps = way ? 0 : odd->police,
				.police_bytes = 30000,
			};
		}
	for (unsigned i = 0; i < LINES; i++) {
		scene->walkers[i] = (struct walker){
			.scene = scene,
			.line = &scene->ways[0][i],
			.random = seed * 1000 + i,
			.rate = scene->it->lines[i].rate,
		};
		if (scene->it->lines[i].walks)
			walk(&scene->walkers[i], 0);
	}
}

static void build_nodes(struct scene *scene, unsigned by)
{
	struct node_setup setup = {
		.lanes = by == BOTH ? LINES : 1,
		.stall_per_s = 20,
		.stall_us = 3000,
		.context = scene,
	};
	unsigned first = by == BOTH ? 0 : by;

	setup.out = &scene->ways[0][first];
	setup.deliver = at_near;
	scene->nodes[0] = node_new(&setup);
	setup.out = &scene->ways[1][first];
	setup.deliver = at_far;
	setup.quiet = true;
	scene->nodes[1] = node_new(&setup);
	node_join(scene->nodes[0], scene->nodes[1]);
}

static int by_size(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static struct gain judge(struct scene *scene)
{
	/* The last ones may be under way. */
	unsigned count = 0, sent = scene->voices - 20;
	struct gain gain = { 0 };
	uint32_t delay[VOICES];

	if (scene->tcp)
		gain.mbps =
			(double)(tcp_received(scene->tcp) - scene->at_skip) *
			TCP_MSS * 8 / SECONDS / 1e6;
	for (unsigned i = 0; i < sent; i++)
		if (scene->delay_us[i])
			delay[count++] = scene->delay_us[i];
	if (!count)
		return gain;
	qsort(delay, count, sizeof(*delay), by_size);
	gain.p50 = delay[count / 2] / 1e3;
	gain.p99 = delay[count * 99 / 100] / 1e3;
	gain.lost = 100.0 * (sent - count) / sent;
	return gain;
}

static struct gain play(const struct odd_case *it, unsigned by,
			enum tcp_kind kind, uint64_t seed, int verbose)
{
	struct scene *scene = mem_alloc(sizeof(*scene));
	struct gain gain;

	sim_reset(seed);
	scene->it = it;
	build_lines(scene, seed);
	build_nodes(scene, by);
	sim_run(sim_now() + SECOND / 2);
	if (!it->quiet)
		scene->tcp = tcp_new(
			kind, 0, scene->nodes[0], scene->nodes[1],
			2 * it->lines[by == BOTH ? 0 : by].delay_us + 500);
	sim_run(sim_now() + SKIP * SECOND);
	if (scene->tcp)
		scene->at_skip = tcp_received(scene->tcp);
	speak(scene, VOICE_US);
	sim_run(sim_now() + SECONDS * SECOND);
	gain = judge(scene);
	if (verbose)
		node_print(scene->nodes[0]);
	sim_reset(seed);
	tcp_free(scene->tcp);
	node_free(scene->nodes[0]);
	node_free(scene->nodes[1]);
	free(scene);
	return gain;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static double middle(const struct gain *gains, unsigned count, size_t at)
{
	double values[SEEDS_MOST];

	for (unsigned i = 0; i < count; i++)
		memcpy(&values[i], (const char *)&gains[i] + at,
		       sizeof(double));
	qsort(values, count, sizeof(*values), by_value);
	return values[count / 2];
}

#define MIDDLE(way, field)                                                     \
	middle(gains[way], seeds, offsetof(struct gain, field))

static void hold(const char *what, double got, bool least, double bound)
{
	bool fine = least ? got >= bound : got <= bound;

	if (bound > 0)
		printf("%s - %s %.1f, at %s %.0f\n", fine ? "ok" : "not ok",
		       what, got, least ? "least" : "most", bound);
}

static void run(const struct odd_case *it, enum tcp_kind kind, unsigned seeds,
		int verbose, bool judging)
{
	static struct gain gains[WAYS][SEEDS_MOST];
	double least = 1000;

	for (unsigned i = 0; i < seeds; i++) {
		double best = 0, share;

		for (unsigned by = 0; by < WAYS; by++)
			gains[by][i] = play(it, by, kind, i + 1, verbose);
		for (unsigned by = 0; by < LINES; by++)
			if (gains[by][i].mbps > best)
				best = gains[by][i].mbps;
		share = best > 0 ? gains[BOTH][i].mbps / best * 100 : 100;
		least = share < least ? share : least;
	}
	printf("%-8s %-5s %6.1f %6.1f %6.1f %7.1f %7.1f %7.1f %7.1f %7.1f  "
	       "%s\n",
	       it->name,
	       it->quiet	 ? "-"
	       : kind == TCP_BBR ? "bbr"
				 : "cubic",
	       MIDDLE(BOTH, mbps), MIDDLE(0, mbps), MIDDLE(1, mbps), least,
	       MIDDLE(BOTH, p50), MIDDLE(BOTH, p99), MIDDLE(0, p99),
	       MIDDLE(BOTH, lost), it->what);
	if (judging) {
		hold("  per cent of the better line, each time", least, true,
		     it->least);
		hold("  voice, median", MIDDLE(BOTH, p50), false, it->p50);
		hold("  voice, 99 of 100", MIDDLE(BOTH, p99), false, it->p99);
		hold("  voice, per cent lost (and 0.1)",
		     MIDDLE(BOTH, lost) + 0.1, false, it->lost);
	}
	fflush(stdout);
}

static bool wants(const struct odd_case *it, char **names, int count)
{
	for (int i = 0; i < count; i++)
		if (!strcmp(names[i], "odd") || !strcmp(names[i], it->name))
			return true;
	return !count;
}

void odd_play(unsigned seeds, int verbose, bool judging, char **names,
	      int count)
{
	bool headed = false;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		if (!wants(&cases[i], names, count))
			continue;
		if (!headed)
			printf("%-8s %-5s %6s %6s %6s %7s %7s %7s %7s %7s\n",
			       "odd", "tcp", "both", "1st", "2nd", "%least",
			       "p50 ms", "p99 ms", "of 1st", "%lost");
		headed = true;
		run(&cases[i], TCP_CUBIC, seeds, verbose, judging);
		if (!cases[i].quiet)
			run(&cases[i], TCP_BBR, seeds, verbose, judging);
	}
}
