/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/unit/values.h"

#include <string.h>

#include "model/base/mem.h"
#include "tests/unit/unit.h"

static void check(const char *file, unsigned line, bool good, const char *what)
{
	unit_text(file, line, good ? what : "something else", what);
}

static void check_round_trip(const char *file, unsigned line,
			     const struct attr *attr, const struct value *value)
{
	AUTO_TEXT first = TEXT_NONE, second = TEXT_NONE, third = TEXT_NONE;
	struct value again = { 0 }, copy = { 0 };
	AUTO_ERR err = ERR_NONE;

	value_print(attr, value, &first);
	value_parse(attr, text_get(&first), &again, &err);
	check(file, line, !err.code, "what is printed can be read");
	if (err.code)
		return;
	check(file, line, value_equal(attr, value, &again), "equal when read");
	value_copy(attr, &again, &copy);
	check(file, line, value_equal(attr, value, &copy), "equal when copied");
	value_print(attr, &again, &second);
	unit_text(file, line, text_get(&second), text_get(&first));
	value_clear(attr, &again);
	value_print(attr, &copy, &third); /* stands on its own */
	unit_text(file, line, text_get(&third), text_get(&first));
	value_clear(attr, &copy);
}

void values_read(const char *file, unsigned line, const struct attr *attr,
		 const char *text, const char *canonical)
{
	AUTO_TEXT printed = TEXT_NONE;
	AUTO_ERR err = ERR_NONE;
	struct value value = { 0 };

	if (value_parse(attr, text, &value, &err) < 0) {
		unit_text(file, line, err.text, canonical);
		return;
	}
	value_print(attr, &value, &printed);
	unit_text(file, line, text_get(&printed), canonical);
	check_round_trip(file, line, attr, &value);
	value_clear(attr, &value);
}

void values_refuse(const char *file, unsigned line, const struct attr *attr,
		   const char *text, int code, const char *sentence)
{
	struct value value, before;
	AUTO_ERR err = ERR_NONE;

	memset(&value, 0x5a, sizeof(value));
	memcpy(&before, &value, sizeof(value));
	check(file, line, value_parse(attr, text, &value, &err) == -code,
	      "the code of the refusal");
	unit_text(file, line, err.text, sentence);
	check(file, line, !memcmp(&value, &before, sizeof(value)),
	      "the value left alone");
}

struct gathered {
	struct candidates to;
	struct text text;
};

static void gather(struct candidates *to, const char *text, const char *help)
{
	struct gathered *gathered = (struct gathered *)(void *)to;

	(void)help;
	text_printf(&gathered->text, "%s ", text);
}

void values_offer(const char *file, unsigned line, const struct attr *attr,
		  const char *prefix, const char *expected)
{
	struct gathered gathered = { { gather }, TEXT_NONE };

	value_complete(attr, prefix, &gathered.to);
	unit_text(file, line, text_get(&gathered.text), expected);
	text_clear(&gathered.text);
}

uint64_t values_random(void)
{
	static uint64_t state = 0x9e3779b97f4a7c15; /* xorshift64 */

	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state >> (state * 0x2545f4914f6cdd1d >> 58);
}
