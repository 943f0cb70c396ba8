/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What lines have carried, and its file (backends/engine/past.h). */
#include "backends/engine/past.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "model/base/text.h"
#include "tests/unit/unit.h"

enum { SECOND = 1000000 };

static char *on_shelf; /* owned */
static int full, writes;

static int read_shelf(char **bytes, size_t *size, struct err *err)
{
	(void)err;
	*bytes = on_shelf ? mem_strdup(on_shelf) : NULL;
	*size = on_shelf ? strlen(on_shelf) : 0;
	return 0;
}

static int write_shelf(const char *bytes, size_t size, struct err *err)
{
	writes++;
	if (full)
		return err_set(err, ENOSPC, "no room");
	free(on_shelf);
	on_shelf = mem_strdup(bytes);
	CU_ASSERT_EQUAL(strlen(on_shelf), size);
	return 0;
}

static const struct past_shelf shelf = { read_shelf, write_shelf };

static void clear_shelf(void)
{
	free(on_shelf);
	on_shelf = NULL;
	full = writes = 0;
}

static void best(struct past *past, const char *peer, uint64_t rate_bps)
{
	struct hub_moment moment = { .what = HUB_LINE_BEST,
				     .rate_bps = rate_bps,
				     .at_us = 1 };

	snprintf(moment.peer, sizeof(moment.peer), "%s", peer);
	past_take(past, "home0", &moment);
}

static size_t count_of(const struct past *past)
{
	json_t *shown = past_show(past, NULL, 1, 0);
	size_t count = json_array_size(shown);

	json_decref(shown);
	return count;
}

TEST(spells, outlive_who_measured_them)
{
	AUTO(past) struct past *before = past_new(&shelf);
	struct past *after;

	best(before, "alice", 7);
	CU_ASSERT_EQUAL(past_next(before, 5 * SECOND), 5 * SECOND);
	past_turn(before, 5 * SECOND);
	CU_ASSERT_EQUAL(past_next(before, 5 * SECOND), UINT64_MAX);
	after = past_new(&shelf);
	CU_ASSERT_EQUAL(count_of(after), 1);
	past_free(after);
	CU_ASSERT_EQUAL(writes, 1);
	clear_shelf();
}

/* A disk that was full for a moment is not given up for good. */
TEST(spells, that_cannot_be_written_are_tried_again_later)
{
	AUTO(past) struct past *past = past_new(&shelf);
	uint64_t now = SECOND;

	full = 1;
	best(past, "alice", 7);
	past_turn(past, now);
	CU_ASSERT_EQUAL(writes, 1);
	CU_ASSERT_EQUAL(past_next(past, now), now + PAST_AGAIN_US);
	past_turn(past, now + PAST_SAVE_US);
	CU_ASSERT_EQUAL(writes, 1);
	full = 0;
	past_turn(past, now + PAST_AGAIN_US);
	CU_ASSERT_EQUAL(writes, 2);
	CU_ASSERT_PTR_NOT_NULL(on_shelf);
	CU_ASSERT_EQUAL(past_next(past, now), UINT64_MAX);
	clear_shelf();
}

TEST(spells, of_too_many_lines_in_the_file_the_last_ones_count)
{
	AUTO_TEXT file = TEXT_NONE;
	struct past *past;
	json_t *shown;

	text_put(&file, "{\"version\":1,\"lines\":[");
	for (int i = 0; i < PAST_ENDS + 10; i++)
		text_printf(&file, "%s{\"link\":\"l\",\"peer\":\"p%d\"}",
			    i ? "," : "", i);
	text_put(&file, "]}");
	on_shelf = mem_strdup(text_get(&file));
	past = past_new(&shelf);
	shown = past_show(past, "l", 1, 0);
	CU_ASSERT_EQUAL(json_array_size(shown), PAST_ENDS);
	CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(
				       json_array_get(shown, 0), "peer")),
			       "p10");
	json_decref(shown);
	past_free(past);
	clear_shelf();
}

TEST(spells, in_a_file_of_nonsense_are_none)
{
	static const char *const files[] = {
		"",
		"{",
		"[]",
		"{\"version\":1}",
		"{\"version\":1,\"lines\":7}",
		"{\"version\":1,\"lines\":[7,null,[],{},{\"link\":1}]}",
		"{\"version\":2,\"lines\":[{\"link\":\"l\",\"peer\":\"p\"}]}",
	};

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		struct past *past;

		on_shelf = mem_strdup(files[i]);
		past = past_new(&shelf);
		CU_ASSERT_EQUAL(count_of(past), 0);
		past_free(past);
		clear_shelf();
	}
}
