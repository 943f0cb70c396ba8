/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "shell/utf8.h"
#include "shell/words.h"
#include "tests/unit/unit.h"

/* The words of a line, each in brackets; a key is parted by a colon. */
static char *read_all(const char *line)
{
	AUTO_WORDS words = WORDS_NONE;
	AUTO_ERR err = ERR_NONE;
	static char shown[512];
	struct text out = TEXT_NONE;
	size_t at = 0;

	if (words_read(&words, line, strlen(line), &at, &err) < 0)
		text_printf(&out, "%zu %s", at, err.text);
	for (size_t i = 0; i < words.count; i++) {
		const struct word *word = &words.items[i];

		text_printf(&out, word->key ? "[%.*s:%s]" : "[%.*s%s]",
			    (int)word->key, word->text,
			    word->text + word->key + (word->key ? 1 : 0));
	}
	snprintf(shown, sizeof(shown), "%s", text_get(&out));
	text_clear(&out);
	return shown;
}

TEST(words, are_parted_by_blanks)
{
	ASSERT_TEXT(read_all("  ls \t /paths  1 "), "[ls][/paths][1]");
	ASSERT_TEXT(read_all(""), "");
	ASSERT_TEXT(read_all(" \t "), "");
}

TEST(words, know_a_key_in_front_of_a_value)
{
	ASSERT_TEXT(read_all("set up=1mbit leaf=a=b"),
		    "[set][up:1mbit][leaf:a=b]");
	ASSERT_TEXT(read_all("tcp-flags=ack/urg down="),
		    "[tcp-flags:ack/urg][down:]");
	ASSERT_TEXT(read_all("/a/b=c =x"), "[/a/b=c][=x]");
}

TEST(words, take_quotes_off)
{
	ASSERT_TEXT(read_all("a=\"two words\" 'x y' \"\" ''"),
		    "[a:two words][x y][][]");
	ASSERT_TEXT(read_all("\"say \\\"hi\\\" \\\\ \\t\""),
		    "[say \"hi\" \\ \t]");
	ASSERT_TEXT(read_all("'a\\b\"c'"), "[a\\b\"c]");
	ASSERT_TEXT(read_all("pre\"mid dle\"post"), "[premid dlepost]");
	ASSERT_TEXT(read_all("two\\ words \\#x \\\"y"), "[two words][#x][\"y]");
}

TEST(words, of_a_quoted_key_are_a_plain_value)
{
	ASSERT_TEXT(read_all("\"a=b\" a\\=b"), "[a=b][a=b]");
}

TEST(words, end_at_a_comment_that_begins_a_word)
{
	ASSERT_TEXT(read_all("ls # all of it"), "[ls]");
	ASSERT_TEXT(read_all("# nothing"), "");
	ASSERT_TEXT(read_all("a#b c=#d '#e'"), "[a#b][c:#d][#e]");
}

TEST(words, take_utf8_and_odd_signs_as_they_are)
{
	ASSERT_TEXT(read_all("d='ünï & | # {x}' été|;&"),
		    "[d:ünï & | # {x}][été|;&]");
}

TEST(words, say_where_a_line_cannot_be_read)
{
	ASSERT_TEXT(read_all("a \"b c"), "2 this quote is not closed");
	ASSERT_TEXT(read_all("a x'b c"), "3 this quote is not closed");
	ASSERT_TEXT(read_all("a b\\"),
		    "3 nothing stands behind this backslash (a line cannot be "
		    "continued)");
	ASSERT_TEXT(read_all("a \xff"), "2 byte 0xff is not UTF-8");
	ASSERT_TEXT(read_all("ls # \xc0\x80"), "5 byte 0xc0 is not UTF-8");
	ASSERT_TEXT(read_all("a \033[1m"),
		    "2 control character U+001B in the line");
	ASSERT_TEXT(read_all("a \"\\n\""),
		    "3 within \"...\" a backslash goes before \" \\ or t only; "
		    "'...' takes everything as it is");
}

TEST(words, refuse_a_nul_byte)
{
	AUTO_WORDS words = WORDS_NONE;
	AUTO_ERR err = ERR_NONE;
	size_t at = 0;

	CU_ASSERT_EQUAL(words_read(&words, "ls\0x", 4, &at, &err), -EINVAL);
	CU_ASSERT_EQUAL(at, 2);
	CU_ASSERT_EQUAL(words.count, 0);
}

TEST(words, refuse_a_line_past_the_limit)
{
	AUTO_WORDS words = WORDS_NONE;
	AUTO_TEXT line = TEXT_NONE;
	size_t at = 0;

	text_fill(&line, 'x', LINE_LIMIT + 1);
	CU_ASSERT_EQUAL(words_read(&words, text_get(&line), line.length, &at,
				   NULL),
			-EINVAL);
}

TEST(words, do_without_the_carriage_return_of_other_systems)
{
	ASSERT_TEXT(read_all("ls /paths\r"), "[ls][/paths]");
}

TEST(words, of_a_command_line_stay_as_they_are)
{
	AUTO_WORDS words = WORDS_NONE;
	AUTO_ERR err = ERR_NONE;

	CU_ASSERT_EQUAL(words_add(&words, "description=two \"words\"", &err),
			0);
	CU_ASSERT_EQUAL(words.items[0].key, strlen("description"));
	ASSERT_TEXT(words.items[0].text, "description=two \"words\"");
	CU_ASSERT_EQUAL(words_add(&words, "a\nb", &err), -EINVAL);
}

static void reads_back(const char *word)
{
	AUTO_WORDS words = WORDS_NONE;
	AUTO_TEXT line = TEXT_NONE;
	size_t at;

	word_print(word, &line);
	CU_ASSERT_EQUAL_FATAL(
		words_read(&words, text_get(&line), line.length, &at, NULL), 0);
	CU_ASSERT_EQUAL_FATAL(words.count, 1);
	ASSERT_TEXT(words.items[0].text, word);
}

TEST(words, that_were_printed_read_back_the_same)
{
	static const char *const texts[] = {
		"plain",     "",	 "two words",	"a=b c",  "d=",
		"d=\"",	     "d='\\",	 "d=tab\there", "#x",	  "d=#x",
		"ünï {x} |", "d=back\\", "'",		"a\"b'c", "/p/q",
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		reads_back(texts[i]);
}

static char *typed(const char *line)
{
	AUTO_WORDS words = WORDS_NONE;
	static char shown[128];
	char quote;

	if (!words_read_typed(&words, line, strlen(line), &quote))
		return NULL;
	snprintf(shown, sizeof(shown), "%zu:%s@%zu%c", words.count,
		 words.items[words.count - 1].text,
		 words.items[words.count - 1].start, quote ? quote : '.');
	return shown;
}

TEST(words, being_typed_end_with_the_unfinished_one)
{
	ASSERT_TEXT(typed(""), "1:@0.");
	ASSERT_TEXT(typed("ls"), "1:ls@0.");
	ASSERT_TEXT(typed("ls "), "2:@3.");
	ASSERT_TEXT(typed("set d=\"two w"), "2:d=two w@4\"");
	ASSERT_TEXT(typed("set d='two "), "2:d=two @4'");
	ASSERT_TEXT(typed("set a\\ "), "2:a @4.");
	ASSERT_TEXT(typed("set a\\"), "2:a@4.");
	CU_ASSERT_PTR_NULL(typed("ls # co"));
	CU_ASSERT_PTR_NULL(typed("ls \xff"));
}

static char *caret(const char *line, size_t at, size_t width)
{
	static char shown[512];
	struct text out = TEXT_NONE;

	caret_print(line, strlen(line), at, width, &out);
	snprintf(shown, sizeof(shown), "%s", text_get(&out));
	text_clear(&out);
	return shown;
}

TEST(caret, stands_below_wide_and_narrow_characters)
{
	ASSERT_TEXT(caret("ls \"x", 3, 80), "    ls \"x\n       ^\n");
	utf8_start();
	ASSERT_TEXT(caret("日本 'x", 7, 80), "    日本 'x\n         ^\n");
	ASSERT_TEXT(caret("e\xcc\x81 'x", 4, 80),
		    "    e\xcc\x81 'x\n      ^\n");
}

TEST(caret, shows_no_control_character)
{
	ASSERT_TEXT(caret("a\t\033[1m", 2, 80), "    a ?[1m\n      ^\n");
}

TEST(caret, keeps_to_the_width)
{
	ASSERT_TEXT(caret("0123456789abcdefghij'klm", 20, 16),
		    "    efghij'klm\n          ^\n");
}

static char *safe(const char *text)
{
	static char shown[128];
	struct text out = TEXT_NONE;

	utf8_safe(text, &out);
	snprintf(shown, sizeof(shown), "%s", text_get(&out));
	text_clear(&out);
	return shown;
}

TEST(utf8, shows_controls_instead_of_sending_them)
{
	ASSERT_TEXT(safe("ok ünï"), "ok ünï");
	ASSERT_TEXT(safe("\033[2J\a"), "\\x1b[2J\\x07");
	ASSERT_TEXT(safe("\xc2\x9b"
			 "1m"),
		    "\\u{9b}1m");
	ASSERT_TEXT(safe("a\xe2\x80\xae"
			 "b"),
		    "a\\u{202e}b");
	ASSERT_TEXT(safe("\xff\xc3"), "\\xff\\xc3");
}

TEST(utf8, refuses_what_is_no_character)
{
	uint32_t code;

	CU_ASSERT_EQUAL(utf8_next("\xc3\xa9", 2, &code), 2);
	CU_ASSERT_EQUAL(code, 0xe9);
	CU_ASSERT_EQUAL(utf8_next("\xc3", 1, &code), 0);
	CU_ASSERT_EQUAL(utf8_next("\xc0\xaf", 2, &code), 0);
	CU_ASSERT_EQUAL(utf8_next("\xe0\x80\xaf", 3, &code), 0);
	CU_ASSERT_EQUAL(utf8_next("\xed\xa0\x80", 3, &code), 0);
	CU_ASSERT_EQUAL(utf8_next("\xf4\x90\x80\x80", 4, &code), 0);
	CU_ASSERT_EQUAL(utf8_next("\xf0\x9f\x98\x80", 4, &code), 4);
}

TEST(utf8, cuts_the_middle_and_the_end)
{
	AUTO_TEXT out = TEXT_NONE;

	utf8_cut_middle("/classes/uplink/internet/web/site1", 20, "...", &out);
	ASSERT_TEXT(text_get(&out), "/classes/...eb/site1");
	text_cut(&out, 0);
	utf8_cut_end("日本語", 5, "…", &out);
	ASSERT_TEXT(text_get(&out), "日本…");
	text_cut(&out, 0);
	utf8_cut_end("short", 5, "…", &out);
	ASSERT_TEXT(text_get(&out), "short");
}

TEST(words, know_a_pipe_from_a_quoted_one)
{
	static const char line[] = "a | '|' \\| b| \"x\"| |";
	AUTO_WORDS words = WORDS_NONE;
	AUTO_TEXT out = TEXT_NONE;
	size_t at;

	CU_ASSERT_EQUAL_FATAL(
		words_read(&words, line, sizeof(line) - 1, &at, NULL), 0);
	CU_ASSERT_EQUAL_FATAL(words.count, 7);
	for (size_t i = 0; i < words.count; i++)
		CU_ASSERT_EQUAL(words.items[i].pipe, i == 1 || i == 6);
	word_print("|", &out);
	ASSERT_TEXT(text_get(&out), "\"|\"");
}

/* What a glance lets through can be read; what it need not stop, it does not.
 */
TEST(words, are_readable_at_a_glance_only_where_they_can_be_read)
{
	static const char signs[] = "a=b \t\"'\\#|-/.\x80\x01\r";
	uint64_t seed = 1;
	size_t readable = 0;

	for (unsigned round = 0; round < 200000; round++) {
		char line[12];
		AUTO_WORDS words = WORDS_NONE;
		size_t length, at;

		seed = seed * 6364136223846793005u + 1442695040888963407u;
		length = (seed >> 60) % sizeof(line);
		for (size_t i = 0; i < length; i++)
			line[i] = signs[(seed >> (4 * i)) % sizeof(signs)];
		if (!words_readable(line, length))
			continue;
		readable++;
		CU_ASSERT_EQUAL_FATAL(
			words_read(&words, line, length, &at, NULL), 0);
		CU_ASSERT_TRUE_FATAL(words.count > 0);
	}
	CU_ASSERT_TRUE(readable > 1000);
	CU_ASSERT_TRUE(words_readable("a set b=\"x # y\" c='\"'", 21));
	CU_ASSERT_FALSE(words_readable("a set b=\"x # y", 14));
	CU_ASSERT_FALSE(words_readable("a \"\\\"\"", 6));
}
