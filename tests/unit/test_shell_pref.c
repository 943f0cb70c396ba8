/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "model/base/mem.h"
#include "shell/pref.h"
#include "shell/save.h"
#include "shell/state.h"
#include "tests/unit/home.h"
#include "tests/unit/unit.h"

static void move_in(struct home *home)
{
	home_begin(home, "preferences");
	pref_forget();
}

static void move_out(struct home *home)
{
	home_end(home);
	pref_forget();
}

static int set(const char *name, const char *text)
{
	return pref_set(&name, &text, 1, NULL);
}

static void write_file(const struct home *home, const char *text)
{
	AUTO(str) char *made = state_file("preferences");

	CU_ASSERT_PTR_NOT_NULL(made);
	CU_ASSERT_EQUAL(save_write(home->file, text, strlen(text), NULL), 0);
	pref_forget();
}

static char *read_file(const struct home *home)
{
	char bytes[512] = "";
	FILE *file = fopen(home->file, "r");

	CU_ASSERT_PTR_NOT_NULL_FATAL(file);
	CU_ASSERT_TRUE(fread(bytes, 1, sizeof(bytes) - 1, file) > 0);
	fclose(file);
	return mem_strdup(bytes);
}

TEST(pref, looking_makes_no_file)
{
	struct home home;

	move_in(&home);
	CU_ASSERT_EQUAL(pref_u(PREF_COLOR), 1);
	CU_ASSERT_EQUAL(pref_u(PREF_BACKUPS), 10);
	CU_ASSERT_EQUAL(pref_u(PREF_CONFIRM), 0);
	CU_ASSERT_FALSE(pref_is_set(PREF_COLOR));
	CU_ASSERT_NOT_EQUAL(access(home.file, F_OK), 0);
	move_out(&home);
}

TEST(pref, every_default_can_be_read)
{
	for (size_t i = 0; i < PREFS; i++) {
		const struct attr *row = &kind_global.attrs[i];
		struct value value = { 0 };

		CU_ASSERT_EQUAL(value_parse(row, row->standard, &value, NULL),
				0);
		value_clear(row, &value);
		CU_ASSERT_EQUAL(value_parse(row, row->example, &value, NULL),
				0);
		value_clear(row, &value);
	}
}

TEST(pref, what_is_set_is_there_in_the_next_session)
{
	struct home home;

	move_in(&home);
	CU_ASSERT_EQUAL(set("ls-depth", "3"), 0);
	CU_ASSERT_EQUAL(set("confirm", "90s"), 0);
	pref_forget();
	CU_ASSERT_EQUAL(pref_u(PREF_LS_DEPTH), 3);
	CU_ASSERT_EQUAL(pref_u(PREF_CONFIRM), 90000000);
	CU_ASSERT_TRUE(pref_is_set(PREF_LS_DEPTH));
	CU_ASSERT_EQUAL(set("ls-depth", ""), 0);
	CU_ASSERT_FALSE(pref_is_set(PREF_LS_DEPTH));
	move_out(&home);
}

TEST(pref, one_that_is_wrong_leaves_the_others_as_they_were)
{
	const char *const names[] = { "ls-depth", "color" };
	const char *const texts[] = { "5", "maybe" };
	struct home home;

	move_in(&home);
	CU_ASSERT_EQUAL(pref_set(names, texts, 2, NULL), -EINVAL);
	CU_ASSERT_EQUAL(pref_u(PREF_LS_DEPTH), 0);
	CU_ASSERT_NOT_EQUAL(access(home.file, F_OK), 0);
	move_out(&home);
}

TEST(pref, a_file_that_cannot_be_read_stops_nobody_and_loses_nothing)
{
	struct home home;
	AUTO(str) char *text = NULL;

	move_in(&home);
	write_file(&home, "color=purple\nls-depth=2\n\x80\x04\nfuture=1\n");
	CU_ASSERT_EQUAL(pref_u(PREF_COLOR), 1);
	CU_ASSERT_EQUAL(pref_u(PREF_LS_DEPTH), 2);
	CU_ASSERT_EQUAL(set("backups", "3"), 0);
	text = read_file(&home);
	ASSERT_TEXT(text, "backups=3\nls-depth=2\ncolor=purple\n\x80\x04\n"
			  "future=1\n");
	move_out(&home);
}

TEST(pref, two_sessions_keep_what_the_other_one_set)
{
	struct home home;
	AUTO(str) char *text = NULL;

	move_in(&home);
	CU_ASSERT_EQUAL(pref_u(PREF_LS_DEPTH), 0);
	write_file(&home, "ls-depth=4\n"); /* the other one */
	CU_ASSERT_EQUAL(set("color", "no"), 0);
	text = read_file(&home);
	ASSERT_TEXT(text, "color=no\nls-depth=4\n");
	move_out(&home);
}
