/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is seen of a line: its meters, whether it is full, and its past. */
#include "backends/engine/full.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "backends/engine/keeping.h"
#include "backends/engine/line.h"
#include "backends/engine/meter.h"
#include "backends/engine/past.h"
#include "tests/unit/unit.h"

enum { SECOND = 1000000 };

/* --- meters --------------------------------------------------------------- */

static const struct meter_setup ten = { SECOND, 10, false };

TEST(meter, gives_mean_and_maximum_of_the_last_slices)
{
	const struct meter *all[1];
	struct meter_reading got;
	struct meter meter;
	uint64_t now = 1000ULL * SECOND;

	meter_init(&meter, &ten);
	all[0] = &meter;
	meter_read(all, 1, now, &got);
	CU_ASSERT_EQUAL(got.slices, 0);
	for (int i = 0; i < 20; i++, now += SECOND) {
		meter_add(&meter, i == 15 ? 5000 : 1000, 2, now);
		meter_lose(&meter, i == 15, now);
		meter_delay(&meter, i == 15 ? 9000 : 1000, now);
	}
	meter_read(all, 1, now, &got);
	CU_ASSERT_EQUAL(got.slices, 10);
	CU_ASSERT_EQUAL(got.bytes, 24000);
	CU_ASSERT_EQUAL(got.packets, 40);
	CU_ASSERT_EQUAL(got.bps.max, 40000);
	CU_ASSERT_EQUAL(got.bps.mean, 11200);
	CU_ASSERT_EQUAL(got.pps.mean, 2);
	CU_ASSERT_EQUAL(got.loss_ppm.mean, 50000);
	CU_ASSERT_EQUAL(got.loss_ppm.max, 500000);
	CU_ASSERT_EQUAL(got.delay_us.mean, 1800);
	CU_ASSERT_EQUAL(got.delay_us.max, 9000);
	meter_read(all, 1, now + 20ULL * SECOND, &got);
	CU_ASSERT_EQUAL(got.bps.max, 0);
	CU_ASSERT_EQUAL(got.packets, 40);
	meter_clear(&meter);
}

TEST(meter, reads_several_as_one)
{
	struct meter a, b;
	const struct meter *both[] = { &a, &b };
	struct meter_reading got;
	uint64_t now = 500ULL * SECOND;

	meter_init(&a, &ten);
	meter_init(&b, &ten);
	meter_add(&a, 1000, 1, now);
	meter_add(&b, 3000, 1, now);
	meter_add(&b, 3000, 1, now + SECOND);
	meter_land(&a, 500, now);
	meter_land(&b, 700, now);
	meter_read(both, 2, now + 2 * SECOND, &got);
	CU_ASSERT_EQUAL(got.bps.max, 32000);
	CU_ASSERT_EQUAL(got.bps.mean, 28000);
	CU_ASSERT_EQUAL(meter_landed_bps(both, 2, 500, now + SECOND), 9600);
	CU_ASSERT_EQUAL(meter_landed_bps(both, 2, 500, now), 0);
	meter_clear(&a);
	meter_clear(&b);
}

TEST(meter, takes_other_slices_and_keeps_the_sums)
{
	struct meter meter;
	const struct meter *all[] = { &meter };
	struct meter_setup short_ones = { SECOND / 10, 3, true };
	struct meter_reading got;
	uint64_t now = 70ULL * SECOND;

	meter_init(&meter, &ten);
	meter_add(&meter, 1000, 1, now);
	meter_set(&meter, &short_ones);
	meter_add(&meter, 100, 1, now);
	meter_lose(&meter, 1, now);
	meter_read(all, 1, now + SECOND / 10, &got);
	CU_ASSERT_EQUAL(got.bytes, 1100);
	CU_ASSERT_EQUAL(got.bps.max, 8000);
	/* What was lost on the way here is not among what came. */
	CU_ASSERT_EQUAL(got.loss_ppm.mean, 500000);
	meter_clear(&meter);
}

/* --- full ----------------------------------------------------------------- */

struct looks {
	struct full full;
	uint64_t now, bytes;
	unsigned begins, ends;
};

/* Looks of 20 ms for some time, at 20 Mbit/s. */
static void look(struct looks *looks, uint64_t us, bool pressed)
{
	for (uint64_t end = looks->now + us; looks->now < end;) {
		struct full_look one = { pressed, 20000, 5000, looks->bytes };
		enum full_news news;

		looks->now += 20000;
		one.bytes = looks->bytes += 50000;
		news = full_look(&looks->full, &one, looks->now);
		looks->begins += news == FULL_BEGINS;
		looks->ends += news == FULL_ENDS;
	}
}

TEST(full, is_one_spell_however_its_queue_breathes)
{
	struct looks looks = { .now = 9 * SECOND };

	for (int i = 0; i < 100; i++) {
		look(&looks, 400000, true);
		look(&looks, 200000, false);
	}
	CU_ASSERT_EQUAL(looks.begins, 1);
	CU_ASSERT_EQUAL(looks.ends, 0);
	CU_ASSERT(looks.full.rate_bps > 19000000);
	CU_ASSERT(looks.full.rate_bps < 21000000);
	look(&looks, 3 * SECOND, false);
	CU_ASSERT_EQUAL(looks.ends, 1);
	CU_ASSERT(!looks.full.is);
	CU_ASSERT(looks.full.ended <= 9ULL * SECOND + 100 * 600000);
	CU_ASSERT(looks.full.ended >= 9ULL * SECOND + 100 * 600000 - 250000);
}

TEST(full, takes_no_moment_for_it)
{
	struct looks looks = { .now = 9 * SECOND };

	for (int i = 0; i < 100; i++) {
		look(&looks, 100000, true);
		look(&looks, 300000, false);
	}
	CU_ASSERT_EQUAL(looks.begins, 0);
}

TEST(full, takes_moments_that_come_again_at_once_for_none_either)
{
	struct looks looks = { .now = 9 * SECOND };

	for (int i = 0; i < 100; i++) {
		look(&looks, 40000, true);
		look(&looks, 100000, false);
	}
	CU_ASSERT_EQUAL(looks.begins, 0);
	CU_ASSERT_EQUAL(looks.full.since, 9ULL * SECOND + 20000);
}

TEST(full, ends_by_time_when_nothing_is_sent_any_more)
{
	struct looks looks = { .now = 9 * SECOND };

	CU_ASSERT_EQUAL(full_next(&looks.full), UINT64_MAX);
	look(&looks, SECOND, true);
	CU_ASSERT(looks.full.is);
	CU_ASSERT(full_next(&looks.full) > looks.now + SECOND);
	CU_ASSERT_EQUAL(full_timer(&looks.full, looks.now + SECOND),
			FULL_NO_NEWS);
	CU_ASSERT_EQUAL(full_timer(&looks.full, looks.now + 5 * SECOND),
			FULL_ENDS);
	CU_ASSERT_EQUAL(looks.full.ended, looks.now);
	CU_ASSERT_EQUAL(full_next(&looks.full), UINT64_MAX);
	/* And the next one begins anew. */
	looks.now += 6ULL * SECOND;
	look(&looks, 100000, true);
	CU_ASSERT(!looks.full.is);
}

TEST(full, what_comes_in_is_looked_at_only_if_its_sender_had_more)
{
	struct inflow inflow = { 0 };
	struct full_look one;
	uint64_t now = 50ULL * SECOND;
	unsigned pressed = 0, over = 0;

	for (int i = 0; i < 1000; i++, now += 1000) {
		bool bulk = i > 500;
		uint32_t delay = i ? 1000 + 2500 : 1000; /* 10 ms of queue */

		if (!inflow_add(&inflow, delay, true, bulk, now, &one))
			continue;
		over++;
		pressed += one.pressed;
		CU_ASSERT(one.span_us >= 20000);
		CU_ASSERT(!one.pressed || i > 500);
	}
	CU_ASSERT(over > 40);
	CU_ASSERT(pressed > 20);
	/* Control alone is no look. */
	for (int i = 0; i < 100; i++, now += 1000)
		CU_ASSERT(!inflow_add(&inflow, 9000, false, true, now, &one));
}

/* --- the past ------------------------------------------------------------- */

static struct hub_moment moment(enum hub_what what, int64_t at, uint64_t value)
{
	struct hub_moment it = { .what = what,
				 .peer = "gateway",
				 .member = "adsl0",
				 .rate_bps = value,
				 .queue_us = 6000,
				 .at_us = at,
				 .lasted_us = what == HUB_LINE_FREE ? 700 : 0 };

	return it;
}

static const json_t *out_of(const json_t *shown)
{
	return json_object_get(json_array_get(shown, 0), "out");
}

static json_int_t number(const json_t *json, const char *name)
{
	return json_integer_value(json_object_get(json, name));
}

static const json_t *last_spell(const json_t *way)
{
	const json_t *spells = json_object_get(way, "spells");

	return json_array_get(spells, json_array_size(spells) - 1);
}

static const char *state_of(const json_t *spell)
{
	return json_string_value(json_object_get(spell, "state"));
}

TEST(past, keeps_the_last_spells_and_the_most_there_was)
{
	AUTO(past) struct past *past = past_new(NULL);
	struct hub_moment one;
	json_t *shown;

	for (int i = 0; i < PAST_SPELLS + 5; i++) {
		one = moment(HUB_LINE_FULL, 1000 * i + 100, 20000000);
		CU_ASSERT(past_take(past, "home0", &one));
		one = moment(HUB_LINE_FREE, 1000 * i + 800, 20000000);
		CU_ASSERT(past_take(past, "home0", &one));
	}
	one = moment(HUB_LINE_BEST, 77, 21000000);
	CU_ASSERT(!past_take(past, "home0", &one));
	one = moment(HUB_LINE_BEST, 78, 20000000);
	past_take(past, "home0", &one);
	shown = past_show(past, "home0", PAST_SPELLS, 99000);
	CU_ASSERT_EQUAL(
		json_array_size(json_object_get(out_of(shown), "spells")),
		PAST_SPELLS);
	CU_ASSERT_EQUAL(number(out_of(shown), "peak"), 21000000);
	CU_ASSERT_EQUAL(number(out_of(shown), "peak-at"), 77);
	CU_ASSERT_EQUAL(number(last_spell(out_of(shown)), "began"),
			1000 * (PAST_SPELLS + 4) + 100);
	CU_ASSERT_EQUAL(number(last_spell(out_of(shown)), "lasted-us"), 700);
	CU_ASSERT_STRING_EQUAL(state_of(last_spell(out_of(shown))), "over");
	json_decref(shown);
	shown = past_show(past, "other", PAST_SPELLS, 99000);
	CU_ASSERT_EQUAL(json_array_size(shown), 0);
	json_decref(shown);
}

TEST(past, a_peer_is_full_while_one_of_its_lines_is)
{
	AUTO(past) struct past *past = past_new(NULL);
	struct hub_moment one = moment(HUB_LINE_FULL, 100, 1000);

	one.member[0] = '\0';
	CU_ASSERT(past_take(past, "home0", &one));
	one.line = 2;
	CU_ASSERT(!past_take(past, "home0", &one));
	one.what = HUB_LINE_FREE;
	CU_ASSERT(!past_take(past, "home0", &one));
	one.line = 1;
	CU_ASSERT(past_take(past, "home0", &one));
}

/* As the engine's keeper has it. */
static struct keeping_files files;

static int read_file(char **bytes, size_t *size, struct err *err)
{
	return keeping_hands.read(&files, bytes, size, err);
}

static int write_file(const char *bytes, size_t size, struct err *err)
{
	return keeping_hands.write(&files, bytes, size, err);
}

static const struct past_shelf shelf = { read_file, write_file };

TEST(past, comes_back_from_its_file_and_what_lasted_is_cut_off)
{
	char file[] = "/tmp/tresse-past-XXXXXX";
	struct past *past;
	struct hub_moment one;
	json_t *shown;

	close(mkstemp(file));
	files.measured = file;
	past = past_new(&shelf);
	one = moment(HUB_LINE_FULL, 1700000000000000, 20000000);
	past_take(past, "home0", &one);
	CU_ASSERT(past_next(past, 5) <= 5);
	past_turn(past, 5);
	CU_ASSERT_EQUAL(past_next(past, 6), UINT64_MAX);
	past_free(past);
	past = past_new(&shelf);
	shown = past_show(past, NULL, PAST_SPELLS, 1700000900000000);
	CU_ASSERT_STRING_EQUAL(state_of(last_spell(out_of(shown))), "cut");
	CU_ASSERT_EQUAL(number(last_spell(out_of(shown)), "rate"), 20000000);
	json_decref(shown);
	past_free(past);
	unlink(file);
}

TEST(past, a_file_of_other_bytes_is_forgotten)
{
	static const char *const texts[] = {
		"",
		"{",
		"[]",
		"{\"version\":2,\"lines\":[{\"link\":\"a\",\"peer\":\"b\"}]}",
		"{\"version\":1,\"lines\":[7,{},{\"link\":\"a\",\"peer\":7}]}",
		"{\"version\":1,\"lines\":{\"link\":\"a\"}}",
	};
	char file[] = "/tmp/tresse-past-XXXXXX";

	close(mkstemp(file));
	files.measured = file;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		FILE *out = fopen(file, "w");
		struct past *past;
		json_t *shown;

		fputs(texts[i], out);
		fclose(out);
		past = past_new(&shelf);
		shown = past_show(past, NULL, 1, 1);
		CU_ASSERT_EQUAL(json_array_size(shown), 0);
		json_decref(shown);
		past_free(past);
	}
	unlink(file);
}
