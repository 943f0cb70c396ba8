/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "model/base/text.h"
#include "shell/keys.h"
#include "shell/recall.h"
#include "shell/search.h"
#include "shell/secret.h"
#include "shell/utf8.h"
#include "tests/unit/unit.h"

struct place {
	char folder[32];
	char *file;
};

static void move_in(struct place *place)
{
	*place = (struct place){ .folder = "/tmp/tresse.XXXXXX" };
	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(place->folder));
	place->file = mem_printf("%s/history", place->folder);
}

static void move_out(struct place *place)
{
	unlink(place->file);
	/* Nothing else was left behind. */
	CU_ASSERT_EQUAL(rmdir(place->folder), 0);
	free(place->file);
}

static void put(const struct place *place, const void *bytes, size_t length)
{
	FILE *file = fopen(place->file, "w");

	CU_ASSERT_PTR_NOT_NULL_FATAL(file);
	fwrite(bytes, 1, length, file);
	fclose(file);
}

static void assert_file(const struct place *place, const char *expected)
{
	FILE *file = fopen(place->file, "r");
	char bytes[4096];
	size_t got;

	CU_ASSERT_PTR_NOT_NULL_FATAL(file);
	got = fread(bytes, 1, sizeof(bytes) - 1, file);
	fclose(file);
	bytes[got] = '\0';
	ASSERT_TEXT(bytes, expected);
}

static struct recall *open_it(const struct place *place)
{
	return recall_open(mem_strdup(place->file));
}

static void assert_lines(const struct recall *recall, const char *expected)
{
	AUTO_TEXT text = TEXT_NONE;

	for (size_t i = 0; i < recall_count(recall); i++)
		text_printf(&text, "%s\n", recall_line(recall, i));
	ASSERT_TEXT(text_get(&text), expected);
}

TEST(recall, keeps_each_line_once_the_newest_last)
{
	AUTO(recall) struct recall *recall = recall_open(NULL);

	CU_ASSERT(recall_add(recall, "ls"));
	CU_ASSERT(recall_add(recall, "  pwd  "));
	CU_ASSERT(recall_add(recall, "ls"));
	CU_ASSERT_FALSE(recall_add(recall, "ls"));
	CU_ASSERT_FALSE(recall_add(recall, " \t"));
	CU_ASSERT_FALSE(recall_add(recall, "a\033[2Jb"));
	CU_ASSERT_FALSE(recall_add(recall, "a\xff"));
	assert_lines(recall, "  pwd  \nls\n");
}

TEST(recall, keeps_no_more_than_it_says)
{
	AUTO(recall) struct recall *recall = recall_open(NULL);
	AUTO(str) char *longest = mem_alloc(RECALL_LONGEST + 2);

	for (unsigned i = 0; i < RECALL_LINES + 5; i++) {
		AUTO(str) char *line = mem_printf("line %u", i);

		recall_add(recall, line);
	}
	CU_ASSERT_EQUAL(recall_count(recall), RECALL_LINES);
	ASSERT_TEXT(recall_line(recall, 0), "line 5");
	memset(longest, 'x', RECALL_LONGEST + 1);
	CU_ASSERT_FALSE(recall_add(recall, longest));
	longest[RECALL_LONGEST] = '\0';
	CU_ASSERT(recall_add(recall, longest));
}

TEST(recall, of_two_shells_loses_no_line)
{
	struct place place;

	move_in(&place);
	{
		AUTO(recall) struct recall *one = open_it(&place);
		AUTO(recall) struct recall *other = open_it(&place);

		recall_add(one, "one 1");
		recall_add(other, "other 1");
		recall_add(one, "one 2");
		{
			/* Tidies up: it is another file from now on. */
			AUTO(recall) struct recall *third = NULL;

			recall_add(other, "one 1");
			third = open_it(&place);
			assert_lines(third, "other 1\none 2\none 1\n");
		}
		recall_add(one, "one 3");
		assert_file(&place, "other 1\none 2\none 1\none 3\n");
	}
	move_out(&place);
}

TEST(recall, of_many_shells_at_once_loses_no_line)
{
	enum { SHELLS = 8, LINES = 40 };
	struct place place;

	move_in(&place);
	for (unsigned shell = 0; shell < SHELLS; shell++) {
		if (fork())
			continue;
		for (unsigned i = 0; i < LINES; i++) {
			struct recall *recall = open_it(&place);
			char line[32];

			snprintf(line, sizeof(line), "%u.%u", shell, i);
			recall_add(recall, "the same");
			recall_add(recall, line);
			recall_free(recall);
		}
		_exit(0);
	}
	while (wait(NULL) > 0)
		;
	{
		AUTO(recall) struct recall *recall = open_it(&place);

		CU_ASSERT_EQUAL(recall_count(recall), SHELLS * LINES + 1);
	}
	move_out(&place);
}

TEST(recall, leaves_out_what_nobody_can_have_typed)
{
	static const char garbage[] = "ls\n\033]0;title\a\n\xff\xfe\n\n"
				      "a\0b\npwd\nls\n\xe2\x80\xae"
				      "evil\nend";
	struct place place;

	move_in(&place);
	put(&place, garbage, sizeof(garbage) - 1);
	{
		AUTO(recall) struct recall *recall = open_it(&place);

		assert_lines(recall, "pwd\nls\nend\n");
		recall_add(recall, "next");
	}
	assert_file(&place, "pwd\nls\nend\nnext\n");
	move_out(&place);
}

TEST(recall, ends_a_line_that_was_cut_off)
{
	struct place place;

	move_in(&place);
	{
		AUTO(recall) struct recall *recall = open_it(&place);

		put(&place, "half a li", 9);
		recall_add(recall, "ls");
	}
	assert_file(&place, "half a li\nls\n");
	move_out(&place);
}

TEST(recall, writes_through_no_symlink_and_needs_no_file)
{
	struct place place;

	move_in(&place);
	CU_ASSERT_EQUAL(symlink("/dev/full", place.file), 0);
	{
		AUTO(recall) struct recall *recall = open_it(&place);

		CU_ASSERT(recall_add(recall, "ls"));
		assert_lines(recall, "ls\n");
	}
	unlink(place.file);
	CU_ASSERT_EQUAL(mkdir(place.file, 0700), 0);
	{
		AUTO(recall) struct recall *recall = open_it(&place);

		CU_ASSERT(recall_add(recall, "ls"));
	}
	CU_ASSERT_EQUAL(rmdir(place.file), 0);
	move_out(&place);
}

static bool is_short(const char *line)
{
	return strlen(line) < 8;
}

TEST(recall, suggests_the_newest_that_is_good)
{
	AUTO(recall) struct recall *recall = recall_open(NULL);

	recall_add(recall, "set a");
	recall_add(recall, "set b");
	recall_add(recall, "set something");
	recall_add(recall, "se");
	ASSERT_TEXT(recall_begins(recall, "se", is_short), "set b");
	CU_ASSERT_PTR_NULL(recall_begins(recall, "set a", is_short));
	CU_ASSERT_PTR_NULL(recall_begins(recall, "x", is_short));
}

static void assert_found(const struct recall *recall, const char *query,
			 const char *expected)
{
	size_t found[8], count = recall_search(recall, query, found, 8);
	AUTO_TEXT text = TEXT_NONE;

	for (size_t i = 0; i < count; i++)
		text_printf(&text, "%s\n", recall_line(recall, found[i]));
	ASSERT_TEXT(text_get(&text), expected);
}

TEST(recall, finds_words_first_and_letters_then)
{
	AUTO(recall) struct recall *recall = recall_open(NULL);

	utf8_start();
	recall_add(recall, "/paths create adsl0 device=eth0");
	recall_add(recall, "/paths/adsl0 set up=2mbit");
	recall_add(recall, "description=\xc3\x9cnter");
	assert_found(recall, "ADSL0",
		     "/paths/adsl0 set up=2mbit\n"
		     "/paths create adsl0 device=eth0\n");
	assert_found(recall, "eth paths", "/paths create adsl0 device=eth0\n");
	assert_found(recall, "pasl2m", "/paths/adsl0 set up=2mbit\n");
	assert_found(recall, "\xc3\xbcN", "description=\xc3\x9cnter\n");
	assert_found(recall, "adsl0 nowhere", "");
	assert_found(recall, "  ",
		     "description=\xc3\x9cnter\n"
		     "/paths/adsl0 set up=2mbit\n"
		     "/paths create adsl0 device=eth0\n");
}

TEST(search, draws_no_row_wider_than_the_terminal)
{
	AUTO(recall) struct recall *recall = recall_open(NULL);
	AUTO(search) struct search *search = NULL;
	AUTO_TEXT rows = TEXT_NONE;

	utf8_start();
	recall_add(recall, "ls");
	recall_add(recall, "/paths/adsl0 set up=2mbit");
	recall_add(recall, "/paths/\xe4\xb8\xad\xe6\x96\x87\xe4\xb8\xad get");
	search = search_new(recall, "");
	CU_ASSERT_EQUAL(search_rows(search, 3, 12, false, &rows), 3);
	ASSERT_TEXT(text_get(&rows), "> /paths...\n  /paths...\n3 lines;...\n");
	ASSERT_TEXT(search_line(search), recall_line(recall, 2));
	CU_ASSERT_EQUAL(search_key(search, KEY_DOWN), SEARCHED_NOT_YET);
	CU_ASSERT_EQUAL(search_key(search, KEY_CTRL('r')), SEARCHED_NOT_YET);
	CU_ASSERT_EQUAL(search_key(search, KEY_DOWN), SEARCHED_NOT_YET);
	text_cut(&rows, 0);
	CU_ASSERT_EQUAL(search_rows(search, 1, 20, true, &rows), 1);
	ASSERT_TEXT(text_get(&rows), "\033[7m> ls\033[m\n");
	CU_ASSERT_EQUAL(search_key(search, KEY_ENTER), SEARCHED_LINE);
}

TEST(search, takes_nothing_where_nothing_is_found)
{
	AUTO(recall) struct recall *recall = recall_open(NULL);
	AUTO(search) struct search *search = search_new(recall, "");
	AUTO_TEXT rows = TEXT_NONE;

	CU_ASSERT_PTR_NULL(search_line(search));
	CU_ASSERT_EQUAL(search_key(search, KEY_ENTER), SEARCHED_NOT_YET);
	CU_ASSERT_EQUAL(search_key(search, KEY_UP), SEARCHED_NOT_YET);
	CU_ASSERT_EQUAL(search_key(search, KEY_BACKSPACE), SEARCHED_NOT_YET);
	CU_ASSERT_EQUAL(search_rows(search, 1, 80, false, &rows), 1);
	CU_ASSERT_EQUAL(search_key(search, 0xc3), SEARCHED_NOT_YET);
	CU_ASSERT_EQUAL(search_key(search, 0xbc), SEARCHED_NOT_YET);
	ASSERT_TEXT(search_query(search), "\xc3\xbc");
	CU_ASSERT_EQUAL(search_key(search, KEY_BACKSPACE), SEARCHED_NOT_YET);
	ASSERT_TEXT(search_query(search), "");
	CU_ASSERT_EQUAL(search_key(search, KEY_ESCAPE), SEARCHED_NOTHING);
	CU_ASSERT_EQUAL(search_key(search, KEY_CTRL('c')), SEARCHED_DROP);
}

static bool is_key(const char *setting)
{
	return !strcmp(setting, "key") || !strcmp(setting, "peer-key");
}

TEST(secret, is_told_also_in_a_line_that_cannot_be_read)
{
	CU_ASSERT(secret_told_of("/links/home set key=abc", is_key));
	CU_ASSERT(secret_told_of("create x peer-key='abc", is_key));
	CU_ASSERT(secret_told_of("set \"key\"=abc", is_key));
	CU_ASSERT(secret_told_of("begin; set a=1,key=abc", is_key));
	CU_ASSERT_FALSE(secret_told_of("get key", is_key));
	CU_ASSERT_FALSE(secret_told_of("set monkey=banana key", is_key));
	CU_ASSERT_FALSE(secret_told_of("", is_key));
}
