/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "shell/grid.h"
#include "shell/pause.h"
#include "tests/unit/unit.h"

static const char *const headings[] = { "CLASS", "RATE", "PKT/S", NULL };

static struct grid *filled(void)
{
	struct grid *grid = grid_new(headings);

	grid_row(grid, "uplink", 0);
	grid_row(grid, "voice", 2);
	grid_put(grid, "%u.5kbit", 81u);
	grid_put(grid, "50");
	grid_row(grid, "a-very-long-name-of-a-class", 2);
	grid_put(grid, "0");
	grid_put(grid, "0");
	grid_put(grid, "one too many");
	return grid;
}

static char *printed(size_t width)
{
	AUTO(grid) struct grid *grid = filled();
	struct text out = TEXT_NONE;

	grid_print(grid, width, &out);
	return text_take(&out);
}

TEST(grid, puts_names_left_and_figures_right)
{
	AUTO(str) char *text = printed(0);

	ASSERT_TEXT(text, "CLASS                              RATE  PKT/S\n"
			  "uplink\n"
			  "  voice                        81.5kbit     50\n"
			  "  a-very-long-name-of-a-class         0      0\n");
}

TEST(grid, cuts_names_before_it_loses_a_column)
{
	AUTO(str) char *text = printed(36);

	ASSERT_TEXT(text, "CLASS                    RATE  PKT/S\n"
			  "uplink\n"
			  "  voice              81.5kbit     50\n"
			  "  a-very-l..a-class         0      0\n");
}

TEST(grid, loses_its_last_columns_where_it_is_narrow)
{
	AUTO(str) char *text = printed(27);

	ASSERT_TEXT(text, "CLASS                  RATE\n"
			  "uplink\n"
			  "  voice            81.5kbit\n"
			  "  a-very-..-class         0\n");
}

TEST(pause, takes_a_time_with_its_unit)
{
	uint64_t us = 0;

	CU_ASSERT_EQUAL(pause_parse("1.5s", &us, NULL), 0);
	CU_ASSERT_EQUAL(us, 1500000);
	CU_ASSERT(pause_parse("10ms", &us, NULL) < 0);
	CU_ASSERT(pause_parse("2", &us, NULL) < 0);
	CU_ASSERT(pause_parse("2d", &us, NULL) < 0);
	CU_ASSERT_EQUAL(us, 1500000);
}

TEST(pause, lasts_as_long_as_it_was_to)
{
	uint64_t from = pause_now_us();
	struct pause pause;

	pause_begin(&pause);
	CU_ASSERT_EQUAL(pause_until(&pause, from + 20000), WAITED);
	CU_ASSERT(pause_now_us() - from >= 20000);
	raise(SIGWINCH);
	CU_ASSERT_EQUAL(pause_until(&pause, from + 90000000), WAITED_REDRAW);
	raise(SIGINT);
	CU_ASSERT_EQUAL(pause_until(&pause, from + 90000000), WAITED_ENDED);
	pause_end(&pause);
}
