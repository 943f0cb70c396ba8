/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "model/value.h"

#include <string.h>

#include "model/base/mem.h"
#include "model/types/plain.h"
#include "tests/unit/unit.h"
#include "tests/unit/values.h"

static const struct choice words[] = { { "none", "no gateway" },
				       { "onlink", "a neighbour" },
				       { NULL, NULL } };
static const struct attr gateway = { .type = &type_address, .words = words };

/* A row that owns memory and does not say how to copy. */
static int shout_parse(const struct attr *attr, const char *text,
		       struct value *out, struct err *err)
{
	return type_text.parse(attr, text, out, err);
}

static void shout_print(const struct attr *attr, const struct value *value,
			struct text *out)
{
	type_text.print(attr, value, out);
}

static void shout_clear(struct value *value)
{
	free(value->text);
}

static const struct type type_shout = { .name = "shout",
					.parse = shout_parse,
					.print = shout_print,
					.clear = shout_clear };
static const struct attr shout = { .type = &type_shout, .words = words };

TEST(value, reads_a_word_in_place_of_an_address)
{
	struct value value = { 0 };

	READS(&gateway, "onlink", "onlink");
	READS(&gateway, "192.0.2.1", "192.0.2.1");
	CU_ASSERT_EQUAL(value_parse(&gateway, "onlink", &value, NULL), 0);
	CU_ASSERT_EQUAL(value.word, 2);
}

TEST(value, names_the_words_when_it_refuses)
{
	REFUSES(&gateway, "onlin", EINVAL,
		"onlin: not an IP address, as 192.0.2.1 or 2001:db8::1; or "
		"none, onlink");
}

TEST(value, keeps_words_and_values_apart)
{
	struct value none, onlink, other;

	CU_ASSERT_EQUAL(value_parse(&gateway, "::", &other, NULL), 0);
	none = onlink = other; /* what else is in them does not matter */
	none.word = 1;
	onlink.word = 2;
	CU_ASSERT(!value_equal(&gateway, &none, &onlink));
	CU_ASSERT(!value_equal(&gateway, &none, &other));
	CU_ASSERT(!value_equal(&gateway, &other, &none));
	CU_ASSERT(value_equal(&gateway, &none, &none));
}

TEST(value, clears_and_copies_words_without_asking_the_type)
{
	struct value word = { .word = 1, .text = (char *)(uintptr_t)1 }, copy;

	value_copy(&shout, &word, &copy);
	CU_ASSERT_EQUAL(copy.word, 1);
	value_clear(&shout, &word);
	CU_ASSERT_EQUAL(word.word, 0);
	CU_ASSERT_PTR_NULL(word.text);
}

TEST(value, copies_by_its_text_where_a_type_has_no_copy)
{
	READS(&shout, "hello there", "hello there");
}

TEST(value, clears_what_was_never_set)
{
	static const struct type *const owners[] = { &type_text, &type_ports,
						     &type_prefixes };

	for (size_t i = 0; i < ARRAY_SIZE(owners); i++) {
		struct attr attr = { .type = owners[i] };
		struct value value = { 0 }, copy;

		value_copy(&attr, &value, &copy);
		CU_ASSERT(value_equal(&attr, &value, &copy));
		value_clear(&attr, &value);
		value_clear(&attr, &copy);
	}
}

TEST(value, offers_words_before_what_the_type_has)
{
	static const struct attr attr = { .type = &type_bool, .words = words };

	OFFERS(&attr, "", "none onlink yes no ");
	OFFERS(&attr, "n", "none no ");
	OFFERS(&gateway, "x", "");
}

static const struct type *const all[] = {
	&type_bool,   &type_number,   &type_rate,    &type_size,
	&type_ifname, &type_duration, &type_percent, &type_enum,
	&type_text,   &type_address,  &type_prefix,  &type_ports,
	&type_uid,    &type_prefixes, &type_lengths, &type_gid,
	&type_proto,  &type_dscp,     &type_mark,    &type_cgroup,
	&type_span,   &type_shards,   &type_classid, &type_tcpflags,
	&type_ref,
};

TEST(value, types_refuse_empty_text_and_have_a_name_and_a_hint)
{
	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		struct attr attr = { .type = all[i], .choices = words };
		AUTO_ERR err = ERR_NONE;
		struct value value;

		CU_ASSERT(all[i]->name && all[i]->hint);
		CU_ASSERT_EQUAL(value_parse(&attr, "", &value, &err), -EINVAL);
	}
}

static bool is_strict(const struct type *type)
{
	return type != &type_text && type != &type_cgroup;
}

static void refuses_blanks(const struct type *type, const char *text)
{
	struct attr attr = { .type = type, .choices = words };
	static const char *const forms[] = { " %s", "%s ", "%s\n",   "\t%s",
					     "%s,", "%s;", "%s\xff", NULL };

	for (size_t i = 0; forms[i]; i++) {
		const char *at = strstr(forms[i], "%s");
		AUTO(str)
		char *spoilt = mem_printf("%.*s%s%s", (int)(at - forms[i]),
					  forms[i], text, at + 2);
		AUTO_ERR err = ERR_NONE;
		struct value value;

		if (type == &type_ifname && strpbrk(forms[i], ",;"))
			continue; /* the kernel takes these */
		if (value_parse(&attr, spoilt, &value, &err) == -EINVAL)
			continue;
		unit_text(__FILE__, __LINE__, type->name, spoilt);
		value_clear(&attr, &value);
	}
}

TEST(value, types_refuse_blanks_and_garbage_around_a_value)
{
	static const char *const good[] = {
		"yes",	"5",	"1kbit", "0",	"a",	  "eth0", "1s",
		"1%",	"none", "",	 "::1", "::1/64", "53",	  "0",
		"::/0", "40",	"0",	 "tcp", "ef",	  "10",	  "",
		"1-2",	"2-3",	"1:10",	 "syn", "a/b"
	};

	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		struct attr attr = { .type = all[i], .choices = words };

		if (!is_strict(all[i]))
			continue;
		refuses_blanks(all[i], good[i]);
		if (all[i] != &type_proto)
			value_complete(&attr, "no such thing at all",
				       &(struct candidates){ NULL });
	}
}

TEST(value, numbers_of_json_are_those_that_can_be_read_back)
{
	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		const struct type *type = all[i];
		bool is_number = type == &type_number || type == &type_rate ||
				 type == &type_size;

		CU_ASSERT_EQUAL(type->is_number, is_number);
		CU_ASSERT_EQUAL(type->is_bool, type == &type_bool);
	}
}

TEST(value, types_stand_without_a_setting)
{
	struct value value;

	CU_ASSERT_EQUAL(type_rate.parse(NULL, "1mbit", &value, NULL), 0);
	CU_ASSERT_EQUAL(value.u, 1000000);
	CU_ASSERT_EQUAL(type_address.parse(NULL, "::1", &value, NULL), 0);
	CU_ASSERT_EQUAL(type_address.parse(NULL, "x", &value, NULL), -EINVAL);
	CU_ASSERT_EQUAL(type_ref.parse(NULL, "voice", &value, NULL), 0);
	type_ref.clear(&value);
}

TEST(plain, tells_characters_from_other_bytes)
{
	CU_ASSERT_EQUAL(plain_char("a"), 1);
	CU_ASSERT_EQUAL(plain_char("\xc3\xa9"), 2);
	CU_ASSERT_EQUAL(plain_char("\xe2\x82\xac"), 3);
	CU_ASSERT_EQUAL(plain_char("\xf0\x9f\x98\x80"), 4);
	CU_ASSERT_EQUAL(plain_char("\xf4\x8f\xbf\xbf"), 4);
	CU_ASSERT_EQUAL(plain_char(""), 0);
	CU_ASSERT_EQUAL(plain_char("\x1b"), 0);
	CU_ASSERT_EQUAL(plain_char("\x7f"), 0);
	CU_ASSERT_EQUAL(plain_char("\xc2\x9b"), 0); /* C1 */
	CU_ASSERT_EQUAL(plain_char("\xc2\xa0"), 2);
	CU_ASSERT_EQUAL(plain_char("\xc1\xa1"), 0);	    /* overlong */
	CU_ASSERT_EQUAL(plain_char("\xe0\x9f\xbf"), 0);	    /* overlong */
	CU_ASSERT_EQUAL(plain_char("\xed\xa0\x80"), 0);	    /* surrogate */
	CU_ASSERT_EQUAL(plain_char("\xf4\x90\x80\x80"), 0); /* too high */
	CU_ASSERT_EQUAL(plain_char("\xc3"), 0);
	CU_ASSERT_EQUAL(plain_char("\xe5\xa5("), 0);
	CU_ASSERT_EQUAL(plain_char("\xed\xbf\xbf"), 0); /* surrogate */
	CU_ASSERT_EQUAL(plain_char("\xee\x80\x80"), 3);
	CU_ASSERT_EQUAL(plain_char("\xe0\xa0\x80"), 3);
	CU_ASSERT_EQUAL(plain_char("\xf0\x90\x80\x80"), 4);
	CU_ASSERT_EQUAL(plain_char("\xf8\x88\x80\x80\x80"), 0);
	CU_ASSERT_EQUAL(plain_char("\xff\xbf\xbf\xbf"), 0);
	CU_ASSERT_EQUAL(plain_char("\x80"), 0);
	CU_ASSERT_EQUAL(plain_char("\xff"), 0);
}

TEST(plain, quotes_short_and_printable)
{
	char longer[200] = { 0 }, all_bytes[256] = { 0 };

	ASSERT_TEXT(PLAIN("a\x1b[2Jb\xff"), "a\\x1b[2Jb\\xff");
	ASSERT_TEXT(PLAIN(""), "\"\"");
	memset(longer, 'x', sizeof(longer) - 1);
	CU_ASSERT_EQUAL(strlen(PLAIN(longer)), 63);
	longer[60] = '\0';
	ASSERT_TEXT(PLAIN(longer), longer);
	for (size_t i = 0; i < 255; i++)
		all_bytes[i] = (char)(255 - i);
	CU_ASSERT(strlen(PLAIN(all_bytes)) <= 63);
}

TEST(plain, quotes_never_split_a_character)
{
	AUTO_TEXT text = TEXT_NONE;
	AUTO_ERR err = ERR_NONE;

	text_put(&text, "x");
	for (size_t i = 0; i < 40; i++)
		text_put(&text, "\xe2\x82\xac");
	CU_ASSERT_EQUAL(plain_check(PLAIN(text_get(&text)), 4096, &err), 0);
}
