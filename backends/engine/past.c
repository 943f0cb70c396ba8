/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/engine/past.h"

#include <stdio.h>
#include <string.h>
#include <sys/queue.h>
#include <time.h>

enum { VERSION = 1, WAYS = 2 };

enum spell_state { SPELL_LASTS, SPELL_OVER, SPELL_CUT };
static const char *const states[] = { "lasts", "over", "cut" };

struct spell {
	enum spell_state state;
	int64_t began_us;
	uint64_t lasted_us, rate_bps;
	uint32_t queue_us;
};

struct way {
	uint64_t peak_bps;
	int64_t peak_us;
	unsigned lines;			  /* of a peer that are full now */
	size_t count;			  /* of spells */
	struct spell spells[PAST_SPELLS]; /* the oldest first */
};

/* A member of a client's link, or a peer of a server's. */
struct end {
	TAILQ_ENTRY(end) entry;
	char link[HUB_NAME], name[HUB_NAME];
	bool member;
	struct way ways[WAYS];
};

struct past {
	const struct past_shelf *shelf; /* NULL: none */
	TAILQ_HEAD(ends, end) ends;	/* the last to be told of last */
	size_t count;
	bool changed, failed; /* to be saved; the last time it could not be */
	uint64_t saved_us;
};

static struct end *find(const struct past *past, const char *link,
			const char *name, bool member)
{
	struct end *end;

	TAILQ_FOREACH (end, &past->ends, entry)
		if (end->member == member && !strcmp(end->name, name) &&
		    !strcmp(end->link, link))
			return end;
	return NULL;
}

static struct end *find_or_add(struct past *past, const char *link,
			       const char *name, bool member)
{
	struct end *end = find(past, link, name, member);

	if (end) {
		TAILQ_REMOVE(&past->ends, end, entry);
		TAILQ_INSERT_TAIL(&past->ends, end, entry);
		return end;
	}
	if (past->count == PAST_ENDS) {
		end = TAILQ_FIRST(&past->ends);
		TAILQ_REMOVE(&past->ends, end, entry);
		free(end);
		past->count--;
	}
	past->count++;
	end = mem_alloc(sizeof(*end));
	snprintf(end->link, sizeof(end->link), "%s", link);
	snprintf(end->name, sizeof(end->name), "%s", name);
	end->member = member;
	TAILQ_INSERT_TAIL(&past->ends, end, entry);
	return end;
}

/* --- what happens --------------------------------------------------------- */

static void add_spell(struct way *way, const struct spell *spell)
{
	if (way->count == PAST_SPELLS) {
		way->count--;
		memmove(way->spells, way->spells + 1,
			way->count * sizeof(*way->spells));
	}
	way->spells[way->count++] = *spell;
}

static struct spell *lasting(struct way *way)
{
	struct spell *last = way->count ? &way->spells[way->count - 1] : NULL;

	return last && last->state == SPELL_LASTS ? last : NULL;
}

static bool take_full(struct way *way, const struct hub_moment *moment)
{
	way->lines++;
	if (lasting(way))
		return false;
	add_spell(way, &(struct spell){ .began_us = moment->at_us,
					.rate_bps = moment->rate_bps,
					.queue_us = moment->queue_us });
	return true;
}

static uint64_t since(int64_t began_us, int64_t now_us)
{
	return now_us > began_us ? (uint64_t)(now_us - began_us) : 0;
}

static bool take_free(struct way *way, const struct hub_moment *moment)
{
	struct spell *last = lasting(way);

	way->lines -= way->lines > 0;
	if (!last || way->lines)
		return false;
	last->state = SPELL_OVER;
	last->lasted_us = moment->lasted_us;
	/* The first of several lines to fill was not the last to be free. */
	if (since(last->began_us, moment->at_us) > last->lasted_us)
		last->lasted_us = since(last->began_us, moment->at_us);
	return true;
}

static void take_best(struct way *way, const struct hub_moment *moment)
{
	if (moment->rate_bps <= way->peak_bps)
		return;
	way->peak_bps = moment->rate_bps;
	way->peak_us = moment->at_us;
}

bool past_take(struct past *past, const char *link,
	       const struct hub_moment *moment)
{
	bool member = moment->member[0];
	struct end *end = find_or_add(
		past, link, member ? moment->member : moment->peer, member);
	struct way *way = &end->ways[moment->in];

	past->changed = true;
	switch (moment->what) {
	case HUB_LINE_FULL: return take_full(way, moment);
	case HUB_LINE_FREE: return take_free(way, moment);
	case HUB_LINE_BEST: take_best(way, moment); break;
	}
	return false;
}

static void cut(struct way *way, int64_t now_us)
{
	struct spell *last = lasting(way);

	way->lines = 0;
	if (!last)
		return;
	last->state = SPELL_CUT;
	last->lasted_us = since(last->began_us, now_us);
}

void past_cut(struct past *past, const char *link, int64_t now_us)
{
	struct end *end;

	TAILQ_FOREACH (end, &past->ends, entry)
		for (int i = 0; i < WAYS && !strcmp(end->link, link); i++)
			cut(&end->ways[i], now_us);
	past->changed = true;
}

/* --- as JSON -------------------------------------------------------------- */

static json_t *spell_json(const struct spell *spell, int64_t now_us)
{
	uint64_t lasted = spell->state == SPELL_LASTS
				  ? since(spell->began_us, now_us)
				  : spell->lasted_us;

	return json_pack("{s:I, s:I, s:I, s:I, s:s}", "began",
			 (json_int_t)spell->began_us, "lasted-us",
			 (json_int_t)lasted, "rate",
			 (json_int_t)spell->rate_bps, "queue-us",
			 (json_int_t)spell->queue_us, "state",
			 states[spell->state]);
}

static json_t *way_json(const struct way *way, size_t most, int64_t now_us)
{
	size_t from = way->count > most ? way->count - most : 0;
	json_t *spells = json_array();

	for (size_t i = from; i < way->count; i++)
		json_array_append_new(spells,
				      spell_json(&way->spells[i], now_us));
	return json_pack("{s:I, s:I, s:o}", "peak", (json_int_t)way->peak_bps,
			 "peak-at", (json_int_t)way->peak_us, "spells", spells);
}

static json_t *end_json(const struct end *end, size_t most, int64_t now_us)
{
	return json_pack("{s:s, s:s, s:o, s:o}", "link", end->link,
			 end->member ? "member" : "peer", end->name, "out",
			 way_json(&end->ways[0], most, now_us), "in",
			 way_json(&end->ways[1], most, now_us));
}

json_t *past_show(const struct past *past, const char *link, size_t most,
		  int64_t now_us)
{
	json_t *out = json_array();
	struct end *end;

	TAILQ_FOREACH (end, &past->ends, entry)
		if (!link || !strcmp(end->link, link))
			json_array_append_new(out, end_json(end, most, now_us));
	return out;
}

/* --- the file ------------------------------------------------------------- */

static uint64_t number(const json_t *json, const char *name)
{
	json_int_t value = json_integer_value(json_object_get(json, name));

	return value > 0 ? (uint64_t)value : 0;
}

/* Whose end nobody saw is cut off. */
static struct spell spell_read(const json_t *json)
{
	const char *state = json_string_value(json_object_get(json, "state"));
	uint64_t queue_us = number(json, "queue-us");

	return (struct spell){
		.state = state && !strcmp(state, states[SPELL_OVER])
				 ? SPELL_OVER
				 : SPELL_CUT,
		.began_us = (int64_t)number(json, "began"),
		.lasted_us = number(json, "lasted-us"),
		.rate_bps = number(json, "rate"),
		.queue_us =
			queue_us > UINT32_MAX ? UINT32_MAX : (uint32_t)queue_us,
	};
}

static void way_read(const json_t *json, struct way *way)
{
	json_t *item;
	size_t i;

	way->peak_bps = number(json, "peak");
	way->peak_us = (int64_t)number(json, "peak-at");
	json_array_foreach(json_object_get(json, "spells"), i, item)
	{
		struct spell spell = spell_read(item);

		add_spell(way, &spell);
	}
}

static void end_read(struct past *past, const json_t *json)
{
	const char *link = json_string_value(json_object_get(json, "link"));
	const char *member = json_string_value(json_object_get(json, "member"));
	const char *peer = json_string_value(json_object_get(json, "peer"));
	const char *name = member ? member : peer;
	struct end *end;

	if (!link || !name || strlen(link) >= HUB_NAME ||
	    strlen(name) >= HUB_NAME || find(past, link, name, member))
		return;
	end = find_or_add(past, link, name, member);
	way_read(json_object_get(json, "out"), &end->ways[0]);
	way_read(json_object_get(json, "in"), &end->ways[1]);
}

/* The last to be told of stand last: of more than there is room for, those. */
static void lines_read(struct past *past, const json_t *lines)
{
	size_t count = json_array_size(lines);
	size_t i = count > PAST_ENDS ? count - PAST_ENDS : 0;

	for (; i < count; i++)
		end_read(past, json_array_get(lines, i));
}

/* What cannot be read is forgotten. */
static void load(struct past *past)
{
	AUTO_ERR err = ERR_NONE;
	AUTO(str) char *bytes = NULL;
	json_t *json = NULL;
	size_t size = 0;

	if (past->shelf->read(&bytes, &size, &err) < 0 || !size)
		return;
	json = json_loadb(bytes, size, 0, NULL);
	if (json_integer_value(json_object_get(json, "version")) == VERSION)
		lines_read(past, json_object_get(json, "lines"));
	json_decref(json);
}

static int64_t wall_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * INT64_C(1000000) + now.tv_nsec / 1000;
}

static int save(const struct past *past, struct err *err)
{
	json_t *json = json_pack("{s:i, s:o}", "version", VERSION, "lines",
				 past_show(past, NULL, PAST_SPELLS, wall_us()));
	AUTO(str) char *text = json_dumps(json, JSON_COMPACT);

	json_decref(json);
	return past->shelf->write(text ? text : "", text ? strlen(text) : 0,
				  err);
}

uint64_t past_next(const struct past *past, uint64_t now_us)
{
	if (!past->shelf || !past->changed)
		return UINT64_MAX;
	if (!past->saved_us)
		return now_us;
	return past->saved_us + (past->failed ? PAST_AGAIN_US : PAST_SAVE_US);
}

static void save_now(struct past *past, uint64_t now_us)
{
	AUTO_ERR err = ERR_NONE;

	past->saved_us = now_us;
	past->changed = save(past, &err) < 0;
	if (past->changed && !past->failed) /* said once is enough */
		fprintf(stderr,
			"tressed: %s: what it measures will not outlive it "
			"until that is mended\n",
			err.text);
	past->failed = past->changed;
}

void past_turn(struct past *past, uint64_t now_us)
{
	if (past_next(past, now_us) <= now_us)
		save_now(past, now_us);
}

/* --- life ----------------------------------------------------------------- */

struct past *past_new(const struct past_shelf *shelf)
{
	struct past *past = mem_alloc(sizeof(*past));

	TAILQ_INIT(&past->ends);
	past->shelf = shelf;
	if (shelf)
		load(past);
	return past;
}

void past_free(struct past *past)
{
	struct end *end;

	if (!past)
		return;
	if (past->shelf && past->changed)
		save_now(past, past->saved_us);
	while ((end = TAILQ_FIRST(&past->ends))) {
		TAILQ_REMOVE(&past->ends, end, entry);
		free(end);
	}
	free(past);
}
