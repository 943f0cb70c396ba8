/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "shell/draw.h"

#include <string.h>

#include "model/backend.h"
#include "model/node.h"
#include "shell/crowd.h"
#include "shell/utf8.h"

struct line {
	const struct drawing *drawing;
	struct text margin;		/* bars of the levels above */
	struct text name, summary, raw; /* reused from line to line */
	struct text *out;
};

/* Colours by level, as targetcli has them. */
static const char *const level_colour[] = { "", "\033[34m", "\033[35m" };
#define BOLD	  "\033[1m"
#define UNDERLINE "\033[4m"
#define PLAIN	  "\033[0m"

/* ---- the summary ---- */

void draw_bytes(uint64_t bytes, struct text *out)
{
	static const char units[][3] = { "kB", "MB", "GB", "TB", "PB", "EB" };
	double figure = (double)bytes;
	size_t at = 0;

	if (bytes < 1000) {
		text_printf(out, "%u B", (unsigned)bytes);
		return;
	}
	for (figure /= 1000; figure >= 999.95; figure /= 1000)
		at++;
	text_printf(out, "%.1f %s", figure, units[at]);
}

/* Where a kind has what is shown of every object; -1: it has none. Looked up
 * once a kind and not once a line. */
enum shown { SHOWN_STATE, SHOWN_ERROR, SHOWN_BYTES, SHOWN_DROPS, SHOWN };
struct places {
	const struct kind *kind;
	int at[SHOWN];
};

static void find_places(struct places *places, const struct kind *kind)
{
	static const char *const names[SHOWN] = {
		[SHOWN_STATE] = "state",
		[SHOWN_ERROR] = "error",
		[SHOWN_BYTES] = "bytes",
		[SHOWN_DROPS] = "drops",
	};

	places->kind = kind;
	for (enum shown shown = 0; shown < SHOWN; shown++) {
		const struct attr *attr = kind_attr(kind, names[shown]);
		bool told = attr && attr->flags & ATTR_READONLY;

		places->at[shown] = told ? (int)kind_index(kind, attr) : -1;
	}
}

static int place_of(const struct kind *kind, enum shown shown)
{
	static struct places known[16];
	struct places *places = known;

	while (places < known + ARRAY_SIZE(known) - 1 && places->kind &&
	       places->kind != kind)
		places++;
	if (places->kind != kind)
		find_places(places, kind);
	return places->at[shown];
}

static const struct value *live_shown(const struct node *node,
				      const struct live *live, enum shown shown)
{
	int place = live ? place_of(node_kind(node), shown) : -1;

	return place < 0 ? NULL : live_value(live, node, (size_t)place);
}

static const char *live_text(const struct node *node, const struct live *live,
			     enum shown shown)
{
	const struct value *value = live_shown(node, live, shown);

	return value && value->text && value->text[0] ? value->text : NULL;
}

static void put_comma(struct text *out)
{
	text_put(out, out->length ? ", " : "");
}

static void put_counters(const struct node *node, const struct live *live,
			 struct text *out)
{
	const struct value *bytes = live_shown(node, live, SHOWN_BYTES);
	const struct value *drops = live_shown(node, live, SHOWN_DROPS);

	if (bytes && bytes->u) {
		put_comma(out);
		draw_bytes(bytes->u, out);
	}
	if (drops && drops->u) {
		put_comma(out);
		text_printf(out, "%llu drop%s", (unsigned long long)drops->u,
			    drops->u == 1 ? "" : "s");
	}
}

static size_t count_objects(const struct node *branch)
{
	size_t count = 0;

	for (const struct node *at = branch; at; at = node_walk(branch, at))
		count += !node_is_fixed(at);
	return count;
}

static void put_brief(const struct node *node, struct text *out)
{
	const struct kind *kind = node_kind(node), *child = kind->child;
	size_t count;

	if (kind->brief) {
		kind->brief(node, out);
	} else if (child) {
		count = node_count(node);
		text_printf(out, "%zu %s", count,
			    count == 1 ? child->name : child->plural);
	} else if (node_first(node)) {
		count = count_objects(node);
		text_printf(out, "%zu object%s", count, count == 1 ? "" : "s");
	}
}

static enum health health_of(const char *state, const char *error)
{
	if (error)
		return HEALTH_BAD;
	if (!state || !strcmp(state, "disabled"))
		return HEALTH_UNKNOWN;
	return !strcmp(state, "applied") || !strcmp(state, "up") ||
			       !strcmp(state, "listening")
		       ? HEALTH_GOOD
		       : HEALTH_BAD;
}

/* Only what is out of the ordinary is worth the room, and only once a branch.
 */
static bool is_news(const struct node *node, const struct live *live,
		    const char *state)
{
	const struct node *owner = node_owner(node);
	const char *above = owner ? live_text(owner, live, SHOWN_STATE) : NULL;

	return state && strcmp(state, "applied") != 0 &&
	       !(above && !strcmp(above, state));
}

/* Then its brief has said so. */
static bool is_off(const struct node *node, const char *state)
{
	return node_kind(node)->brief && !strcmp(state, "disabled");
}

static enum health summarize(const struct node *node, const struct live *live,
			     bool brief, struct text *raw, struct text *out)
{
	const char *state = live_text(node, live, SHOWN_STATE);
	const char *error = live_text(node, live, SHOWN_ERROR);

	if (error) {
		text_printf(raw, "ERROR %s", error);
	} else {
		if (brief)
			put_brief(node, raw);
		if (state && !(brief && is_off(node, state)) &&
		    (node_kind(node)->tells || is_news(node, live, state))) {
			put_comma(raw);
			text_put(raw, state);
		}
		if (live && node_kind(node)->tells)
			node_kind(node)->tells(node, live, raw);
		put_counters(node, live, raw);
	}
	utf8_safe(raw->length ? text_get(raw) : "...", out);
	return health_of(state, error);
}

enum health draw_summary(const struct node *node, const struct live *live,
			 struct text *out)
{
	AUTO_TEXT raw = TEXT_NONE;

	return summarize(node, live, true, &raw, out);
}

enum health draw_standing(const struct node *node, const struct live *live,
			  struct text *out)
{
	AUTO_TEXT raw = TEXT_NONE;

	return summarize(node, live, false, &raw, out);
}

/* ---- the line ---- */

struct room {
	size_t name, dots, summary; /* columns */
};

#define LEAST_SUMMARY 8

/* margin "o- " name " " dots " [" summary "]" */
static struct room share(size_t width, size_t margin, size_t name,
			 size_t summary)
{
	size_t fixed = margin + 3 + 1 + 1 + 3; /* one dot at least */
	size_t left = width > fixed + 1 ? width - fixed : 1;
	struct room room = { name, 1, summary };

	if (name + summary <= left) {
		room.dots = 1 + left - name - summary;
		return room;
	}
	room.summary = name < left ? left - name : 0;
	if (room.summary < LEAST_SUMMARY && summary > room.summary) {
		room.summary =
			summary < LEAST_SUMMARY ? summary : LEAST_SUMMARY;
		if (room.summary >= left)
			room.summary = 0; /* no room at all for it */
		room.name = left - room.summary;
	}
	return room;
}

static void put_name(struct line *line, size_t columns, unsigned level)
{
	const struct drawing *drawing = line->drawing;
	const char *mark = drawing->unicode ? "…" : "...";

	if (drawing->colour)
		text_printf(line->out, "%s%s%s", level ? "" : UNDERLINE, BOLD,
			    level_colour[level % ARRAY_SIZE(level_colour)]);
	utf8_cut_middle(text_get(&line->name), columns, mark, line->out);
	text_put(line->out, drawing->colour ? PLAIN : "");
}

static void put_dots(struct line *line, size_t count, unsigned level)
{
	bool colour = line->drawing->colour;

	text_put_char(line->out, ' ');
	if (colour)
		text_put(line->out,
			 level_colour[level % ARRAY_SIZE(level_colour)]);
	text_fill(line->out, '.', count);
	text_put(line->out, colour ? PLAIN : "");
}

static void put_summary(struct line *line, size_t columns, enum health health)
{
	static const char *const paint[] = {
		[HEALTH_UNKNOWN] = PLAIN,
		[HEALTH_GOOD] = PLAIN "\033[32m",
		[HEALTH_BAD] = PLAIN BOLD "\033[31m",
	};
	const struct drawing *drawing = line->drawing;
	const char *mark = drawing->unicode ? "…" : "...";

	text_put(line->out, drawing->colour ? BOLD " [" : " [");
	text_put(line->out, drawing->colour ? paint[health] : "");
	utf8_cut_end(text_get(&line->summary), columns, mark, line->out);
	text_put(line->out, drawing->colour ? PLAIN BOLD "]" PLAIN : "]");
}

static void put_margin(struct line *line, size_t columns)
{
	const char *margin = text_get(&line->margin);

	text_put_bytes(line->out, margin, utf8_fit(margin, columns));
}

/* What is in line's name and summary. */
static void put_line(struct line *line, enum health health, unsigned level)
{
	unsigned width = line->drawing->width;
	size_t margin = line->margin.length;
	struct room room;

	/* Deeper than the terminal is wide: the bars give way. */
	if (margin + 12 > width)
		margin = width > 12 ? width - 12 : 0;
	room = share(width, margin, utf8_width(text_get(&line->name)),
		     utf8_width(text_get(&line->summary)));
	put_margin(line, margin);
	text_put(line->out, "o- ");
	put_name(line, room.name, level);
	if (room.summary && !line->drawing->bare) {
		put_dots(line, room.dots, level);
		put_summary(line, room.summary, health);
	}
	text_put_char(line->out, '\n');
}

static void draw_line(struct line *line, const struct node *node,
		      unsigned level)
{
	enum health health;

	text_cut(&line->name, 0);
	text_cut(&line->summary, 0);
	utf8_safe(node_parent(node) ? node_name(node) : "/", &line->name);
	text_cut(&line->raw, 0);
	health = line->drawing->bare
			 ? HEALTH_UNKNOWN
			 : summarize(node, line->drawing->live, true,
				     &line->raw, &line->summary);
	put_line(line, health, level);
}

AUTO_DEFINE(nodes, struct node **, free)

/* Some of them, in their order, and one line for the others. */
static void draw_crowd(struct line *line, const struct node *peers,
		       struct node *const *sorted, unsigned level)
{
	const struct node *shown[CROWD_SHOWN];
	size_t count = crowd_pick(peers, line->drawing->live, shown);
	enum health health;

	for (; *sorted; sorted++)
		for (size_t i = 0; i < count; i++)
			if (shown[i] == *sorted)
				draw_line(line, *sorted, level);
	text_cut(&line->name, 0);
	text_cut(&line->summary, 0);
	text_put(&line->name, "...");
	health = crowd_rest(peers, line->drawing->live, shown, count,
			    &line->summary);
	put_line(line, health, level);
}

/* The children of node, which stands at level; more: it has siblings to come,
 * so a bar goes down beside its children. */
static void draw_below(struct line *line, const struct node *node,
		       unsigned level, bool more)
{
	AUTO(nodes) struct node **sorted = NULL;
	size_t margin = line->margin.length;

	if (!node_first(node) ||
	    (line->drawing->depth && level >= line->drawing->depth))
		return;
	text_put(&line->margin, more ? "| " : "  ");
	sorted = node_sorted(node);
	if (level && !line->drawing->whole && crowd_is(node)) {
		draw_crowd(line, node, sorted, level + 1);
		text_cut(&line->margin, margin);
		return;
	}
	for (struct node **at = sorted; *at; at++) {
		draw_line(line, *at, level + 1);
		draw_below(line, *at, level + 1, at[1] != NULL);
	}
	text_cut(&line->margin, margin);
}

void draw_tree(const struct drawing *drawing, const struct node *top,
	       struct text *out)
{
	struct line line = { .drawing = drawing, .out = out };

	draw_line(&line, top, 0);
	draw_below(&line, top, 0, false);
	text_clear(&line.margin);
	text_clear(&line.name);
	text_clear(&line.summary);
	text_clear(&line.raw);
}
