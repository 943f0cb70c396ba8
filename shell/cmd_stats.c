/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What goes through the classes now: stats. */
#include <string.h>

#include "model/shaping.h"
#include "shell/draw.h"
#include "shell/grid.h"
#include "shell/pause.h"
#include "shell/sample.h"
#include "shell/session.h"

struct view {
	const struct sample *before, *after;
	uint64_t us; /* between the two */
	const struct node *top;
	struct output *output;
	struct grid *grid; /* NULL: JSON */
};

/* ---- figures ---- */

/* A counter that went back was begun anew. */
static uint64_t delta(const struct view *view, const struct node *node,
		      size_t attr)
{
	uint64_t before = sample_u(view->before, node, attr);
	uint64_t after = sample_u(view->after, node, attr);

	return after >= before ? after - before : after;
}

static uint64_t per_second(const struct view *view, uint64_t count)
{
	double rate = (double)count * 1e6 / (double)view->us;

	return (uint64_t)(rate + 0.5);
}

/* How long what waits will take, at the rate of now or, if that is higher, the
 * guaranteed one. */
static uint64_t wait_us(const struct node *class, uint64_t backlog,
			uint64_t rate_bps)
{
	uint64_t sure = class_rate_bytes(class) * 8;
	double rate = (double)(rate_bps > sure ? rate_bps : sure);

	return rate > 0 ? (uint64_t)((double)backlog * 8e6 / rate) : 0;
}

static void put_rate(struct grid *grid, uint64_t bps)
{
	static const char *const units[] = { "kbit", "Mbit", "Gbit", "Tbit" };
	double rate = (double)bps / 1000;
	size_t at = 0;

	while (rate >= 999.95 && at + 1 < ARRAY_SIZE(units)) {
		rate /= 1000;
		at++;
	}
	if (bps && bps < 1000)
		grid_put(grid, "%ubit", (unsigned)bps);
	else
		grid_put(grid, bps ? "%.1f%s" : "0", rate, units[at]);
}

static void put_number(struct grid *grid, uint64_t number)
{
	grid_put(grid, "%llu", (unsigned long long)number);
}

static void put_time(struct grid *grid, double us)
{
	double size = us < 0 ? -us : us;

	if (size < 999.5)
		grid_put(grid, size < 0.5 ? "0" : "%.0fus", us);
	else if (size < 999950)
		grid_put(grid, "%.1fms", us / 1000);
	else
		grid_put(grid, "%.1fs", us / 1e6);
}

static void put_bytes(struct grid *grid, uint64_t bytes)
{
	AUTO_TEXT text = TEXT_NONE;

	draw_bytes(bytes, &text);
	grid_put(grid, "%s", text_get(&text));
}

/* ---- classes ---- */

static const char *const class_headings[] = {
	"CLASS",  "RATE",  "PKT/S",   "DROPS",	"BACKLOG", "WAIT",
	"QUEUED", "LENDS", "BORROWS", "TOKENS", NULL,
};

struct figures {
	uint64_t rate, packets, drops, backlog, wait_us, queued, lends, borrows;
	int64_t tokens; /* ticks of 64 ns */
};

static struct figures figures_of(const struct view *view,
				 const struct node *class)
{
	const struct sample *after = view->after;
	struct figures figures = {
		.rate = per_second(view, delta(view, class, CLASS_BYTES) * 8),
		.packets = per_second(view, delta(view, class, CLASS_PACKETS)),
		.drops = delta(view, class, CLASS_DROPS),
		.backlog = sample_u(after, class, CLASS_BACKLOG),
		.queued = sample_u(after, class, CLASS_QUEUED),
		.lends = delta(view, class, CLASS_LENDS),
		.borrows = delta(view, class, CLASS_BORROWS),
		.tokens = (int64_t)sample_u(after, class, CLASS_TOKENS),
	};

	figures.wait_us = wait_us(class, figures.backlog, figures.rate);
	return figures;
}

static void draw_figures(struct grid *grid, const struct figures *figures)
{
	put_rate(grid, figures->rate);
	put_number(grid, figures->packets);
	put_number(grid, figures->drops);
	put_bytes(grid, figures->backlog);
	put_time(grid, (double)figures->wait_us);
	put_number(grid, figures->queued);
	put_number(grid, figures->lends);
	put_number(grid, figures->borrows);
	put_time(grid, (double)figures->tokens * 0.064);
}

static void write_figures(struct output *output, const struct figures *figures)
{
	output_number(output, "rate", figures->rate);
	output_number(output, "packets_per_s", figures->packets);
	output_number(output, "drops", figures->drops);
	output_number(output, "backlog", figures->backlog);
	output_number(output, "wait_us", figures->wait_us);
	output_number(output, "queued", figures->queued);
	output_number(output, "lends", figures->lends);
	output_number(output, "borrows", figures->borrows);
	/* JSON's integers have a sign, and this one may be below 0. */
	output_number(output, "tokens", (uint64_t)figures->tokens);
}

static void open_row(const struct view *view, const struct node *node)
{
	AUTO(str) char *path = node_path_dup(node);

	output_open(view->output, SHAPE_ROW, NULL, NULL);
	output_field(view->output, "path", path);
}

static void show_class(const struct view *view, const struct node *class,
		       unsigned indent)
{
	bool known = sample_knows(view->after, class, CLASS_BYTES);
	struct figures figures;

	if (known)
		figures = figures_of(view, class);
	if (view->grid) {
		grid_row(view->grid, node_name(class), indent);
		if (known)
			draw_figures(view->grid, &figures);
		else
			grid_put(view->grid, "-");
	} else {
		open_row(view, class);
		if (known)
			write_figures(view->output, &figures);
		output_close(view->output);
	}
}

/* In the order of ls. */
static size_t show_classes(const struct view *view, const struct node *at,
			   unsigned indent)
{
	struct node **sorted = NULL;
	size_t shown = 0;

	if (node_kind(at) == &kind_class) {
		show_class(view, at, indent);
		shown++;
		indent += 2;
	} else if (node_kind(at) == &kind_uplink && view->grid) {
		grid_row(view->grid, node_name(at), indent);
		indent += 2;
	}
	if (node_first(at))
		sorted = node_sorted(at);
	for (struct node **child = sorted; child && *child; child++)
		shown += show_classes(view, *child, indent);
	free(sorted);
	return shown;
}

/* ---- matches ---- */

static const char *const match_headings[] = { "MATCH", "RATE", "PKT/S",
					      "PACKETS", NULL };

static void show_match(const struct view *view, const struct node *match)
{
	uint64_t rate = per_second(view, delta(view, match, MATCH_BYTES) * 8);
	uint64_t pace = per_second(view, delta(view, match, MATCH_PACKETS));
	uint64_t packets = sample_u(view->after, match, MATCH_PACKETS);

	if (view->grid) {
		AUTO(str) char *path = node_path_dup(match);

		grid_row(view->grid, path, 0);
		put_rate(view->grid, rate);
		put_number(view->grid, pace);
		put_number(view->grid, packets);
	} else {
		open_row(view, match);
		output_number(view->output, "rate", rate);
		output_number(view->output, "packets_per_s", pace);
		output_number(view->output, "packets", packets);
		output_close(view->output);
	}
}

static size_t show_matches(const struct view *view)
{
	const struct node *top = view->top;
	size_t shown = 0;

	for (const struct node *at = top; at; at = node_walk(top, at)) {
		if (node_kind(at) != &kind_match ||
		    !sample_knows(view->after, at, MATCH_PACKETS))
			continue;
		show_match(view, at);
		shown++;
	}
	return shown;
}

/* ---- links ---- */

static const char *const line_headings[] = {
	"LINE", "WAY", "RATE",	"MAX", "PKT/S", "MAX",
	"LOSS", "MAX", "QUEUE", "MAX", NULL,
};

/* Where the rows of enum counter begin; 0: it has none. */
static size_t counters_of(const struct node *node)
{
	const struct kind *kind = node_kind(node);

	return kind == &kind_link     ? LINK_COUNTERS
	       : kind == &kind_member ? MEMBER_COUNTERS
	       : kind == &kind_peer   ? PEER_COUNTERS
				      : 0;
}

static uint64_t figure(const struct view *view, const struct node *node,
		       size_t counter, bool in, bool max)
{
	size_t at = counters_of(node) + counter + (in ? 2 : 0) + (max ? 1 : 0);

	return sample_u(view->after, node, at);
}

static void put_percent(struct grid *grid, uint64_t hundredths)
{
	grid_put(grid, hundredths ? "%.2f%%" : "0", (double)hundredths / 100);
}

static void draw_way(const struct view *view, const struct node *node, bool in)
{
	struct grid *grid = view->grid;

	grid_put(grid, "%s", in ? "in" : "out");
	for (int max = 0; max < 2; max++)
		put_rate(grid, figure(view, node, COUNTER_RATE_OUT, in, max));
	for (int max = 0; max < 2; max++)
		put_number(grid,
			   figure(view, node, COUNTER_PACKETS_OUT, in, max));
	for (int max = 0; max < 2; max++)
		put_percent(grid,
			    figure(view, node, COUNTER_LOSS_OUT, in, max));
	for (int max = 0; max < 2; max++)
		put_time(grid, (double)figure(view, node, COUNTER_QUEUE_OUT, in,
					      max));
}

static void write_pair(const struct view *view, const struct node *node,
		       size_t counter, bool in, const char *mean,
		       const char *max, unsigned times)
{
	output_number(view->output, mean,
		      figure(view, node, counter, in, false) * times);
	output_number(view->output, max,
		      figure(view, node, counter, in, true) * times);
}

static void write_way(const struct view *view, const struct node *node, bool in)
{
	open_row(view, node);
	output_field(view->output, "way", in ? "in" : "out");
	write_pair(view, node, COUNTER_RATE_OUT, in, "rate", "rate_max", 1);
	write_pair(view, node, COUNTER_PACKETS_OUT, in, "packets_per_s",
		   "packets_per_s_max", 1);
	/* As it is shown: hundredths of a percent. */
	write_pair(view, node, COUNTER_LOSS_OUT, in, "loss_ppm", "loss_ppm_max",
		   100);
	write_pair(view, node, COUNTER_QUEUE_OUT, in, "queue_us",
		   "queue_us_max", 1);
	output_number(view->output, "bytes",
		      sample_u(view->after, node,
			       counters_of(node) + COUNTER_BYTES_OUT + in));
	output_close(view->output);
}

static size_t show_line(const struct view *view, const struct node *node,
			unsigned indent)
{
	if (!sample_knows(view->after, node,
			  counters_of(node) + COUNTER_RATE_OUT))
		return 0;
	for (int in = 0; in < 2; in++) {
		if (!view->grid) {
			write_way(view, node, in);
			continue;
		}
		grid_row(view->grid, in ? "" : node_name(node), indent);
		draw_way(view, node, in);
	}
	return 1;
}

static size_t show_lines(const struct view *view, const struct node *at,
			 unsigned indent)
{
	struct node **sorted = node_first(at) ? node_sorted(at) : NULL;
	size_t shown = 0;

	if (counters_of(at)) {
		shown = show_line(view, at, indent);
		indent += 2;
	}
	for (struct node **child = sorted; child && *child; child++)
		shown += show_lines(view, *child, indent);
	free(sorted);
	return shown;
}

/* Does anything here count without telling its rate itself? */
static bool has_counters(const struct node *top)
{
	for (const struct node *at = top; at; at = node_walk(top, at))
		if (node_kind(at) == &kind_class ||
		    node_kind(at) == &kind_match)
			return true;
	return false;
}

/* ---- the command ---- */

static void write_grid(const struct view *view, size_t shown, bool gap)
{
	AUTO_TEXT text = TEXT_NONE;
	struct output *output = view->output;

	if (!shown)
		return;
	if (gap)
		text_put_char(&text, '\n');
	grid_print(view->grid,
		   output_is_terminal(output) ? output_width(output) : 0,
		   &text);
	output_raw(output, text_get(&text), text.length);
}

static void show_text(struct view *view)
{
	AUTO(grid) struct grid *classes = grid_new(class_headings);
	AUTO(grid) struct grid *matches = grid_new(match_headings);
	AUTO(grid) struct grid *lines = grid_new(line_headings);
	size_t class_count, match_count, line_count;

	view->grid = classes;
	class_count = show_classes(view, view->top, 0);
	write_grid(view, class_count, false);
	view->grid = matches;
	match_count = show_matches(view);
	write_grid(view, match_count, class_count > 0);
	view->grid = lines;
	line_count = show_lines(view, view->top, 0);
	write_grid(view, line_count, class_count + match_count > 0);
	if (!class_count && !match_count && !line_count)
		output_say(view->output, SAY_DONE, "Nothing counts here.");
}

static void show_json(struct view *view)
{
	output_number(view->output, "interval_us", view->us);
	output_open(view->output, SHAPE_TABLE, "classes", NULL);
	show_classes(view, view->top, 0);
	output_close(view->output);
	output_open(view->output, SHAPE_TABLE, "matches", NULL);
	show_matches(view);
	output_close(view->output);
	output_open(view->output, SHAPE_TABLE, "lines", NULL);
	show_lines(view, view->top, 0);
	output_close(view->output);
}

static void show(struct session *session, const struct node *top,
		 const struct sample *before, const struct sample *after)
{
	struct view view = {
		before, after,		 after->at_us - before->at_us,
		top,	session->output, NULL
	};

	if (!view.us)
		view.us = 1;
	if (output_is_json(session->output))
		show_json(&view);
	else
		show_text(&view);
	if (after->blind.text)
		output_say(session->output, SAY_WARNING, "not all is seen: %s",
			   after->blind.text);
}

/* false: they want no more. */
static bool wait_for(const struct sample *before, uint64_t interval_us)
{
	uint64_t until = before->at_us + interval_us;
	struct pause pause;
	enum waited waited;

	pause_begin(&pause);
	do
		waited = pause_until(&pause, until);
	while (waited == WAITED_REDRAW);
	pause_end(&pause);
	return waited == WAITED;
}

static int stats_run(struct session *session, const struct match *match,
		     struct err *err)
{
	const struct node *top = match_node(match, "path", err);
	const char *given = match_value(match, "interval");
	AUTO(sample) struct sample *before = TAKE(session->past);
	AUTO(sample) struct sample *after = NULL;
	uint64_t interval_us = session->watch_us ? session->watch_us : 1000000;

	if (!top)
		return err->code;
	if (given && pause_parse(given, &interval_us, err) < 0)
		return err->code;
	if (!sample_fits(before, session)) {
		sample_free(before);
		before = sample_take(session, err);
		if (!before)
			return err->code;
		if (has_counters(top) && !wait_for(before, interval_us))
			return 0;
	}
	after = sample_take(session, err);
	if (!after)
		return err->code;
	show(session, top, before, after);
	if (session->watch_us)
		session->past = TAKE(after);
	return 0;
}

static const struct arg stats_args[] = {
	{ .name = "path",
	  .type = &type_node,
	  .help = "the branch to look at; this one, if left out" },
	{ .name = "interval",
	  .type = &type_interval,
	  .help = "time between the two reads; 1s, if left out" },
	{ 0 },
};

const struct command command_stats = {
	.name = "stats",
	.summary = "measure what goes through classes, matches and lines now",
	.man = "Reads all counters twice. Rates are of the time in between, as "
	       "the classes count (link layer header and all), and so are "
	       "drops, lends (sent on the class's own rate) and borrows (on a "
	       "rate from above). Backlog and queued are what waits at the "
	       "end; wait is how long that will take at the rate of now or, "
	       "if it is higher, the guaranteed one; tokens is the time the "
	       "class may send at once, below 0 when it is in debt.\n\n"
	       "Links, their members and peers count by themselves, over "
	       "sliding slices (slice= and slices= of the link, ten seconds "
	       "at first): each way the mean of the slices, and the most of "
	       "one; queue is the delay above the line's best.\n\n"
	       "Classes need no privilege, matches do.",
	.example = "stats\nstats /classes interval=5s\nwatch stats /links",
	.see = "watch, ls, info",
	.json = "interval_us:int classes:[class-figures] "
		"matches:[match-figures] lines:[line-figures]",
	.args = stats_args,
	.needs = NEEDS_TREE | REPEATABLE,
	.run = stats_run,
};
