/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "model/value.h"

#include <assert.h>
#include <string.h>

#include "model/base/mem.h"
#include "model/kind.h"
#include "model/types/offer.h"

/* 1 + index, 0 if text is none of the words. */
static uint8_t word_of(const struct attr *attr, const char *text)
{
	for (size_t i = 0; attr->words && attr->words[i].name; i++)
		if (!strcmp(attr->words[i].name, text))
			return (uint8_t)(i + 1);
	return 0;
}

static void append_words(const struct attr *attr, struct err *err)
{
	for (const struct choice *word = attr->words; word && word->name;
	     word++)
		err_append(err, "%s%s", word == attr->words ? "; or " : ", ",
			   word->name);
}

int value_parse(const struct attr *attr, const char *text, struct value *out,
		struct err *err)
{
	uint8_t word = word_of(attr, text);
	int rc;

	if (word) {
		*out = (struct value){ .word = word };
		return 0;
	}
	rc = attr->type->parse(attr, text, out, err);
	/* Who wrote several did not mean one of these. */
	if (rc < 0 && !strchr(text, ' '))
		append_words(attr, err);
	return rc;
}

void value_print(const struct attr *attr, const struct value *value,
		 struct text *out)
{
	if (value->word)
		text_put(out, attr->words[value->word - 1].name);
	else
		attr->type->print(attr, value, out);
}

bool value_equal(const struct attr *attr, const struct value *a,
		 const struct value *b)
{
	AUTO_TEXT left = TEXT_NONE, right = TEXT_NONE;

	if (a->word || b->word)
		return a->word == b->word;
	if (attr->type->equal)
		return attr->type->equal(a, b);
	attr->type->print(attr, a, &left);
	attr->type->print(attr, b, &right);
	return !strcmp(text_get(&left), text_get(&right));
}

void value_clear(const struct attr *attr, struct value *value)
{
	if (!value->word && attr->type->clear)
		attr->type->clear(value);
	*value = (struct value){ 0 };
}

/* By way of the text, for types that own memory and have no copy(). */
static void copy_printed(const struct attr *attr, const struct value *from,
			 struct value *to)
{
	AUTO_TEXT text = TEXT_NONE;
	int rc;

	attr->type->print(attr, from, &text);
	rc = attr->type->parse(attr, text_get(&text), to, NULL);
	assert(rc == 0);
	(void)rc;
}

void value_copy(const struct attr *attr, const struct value *from,
		struct value *to)
{
	if (from->word || !attr->type->clear)
		*to = *from;
	else if (attr->type->copy)
		attr->type->copy(from, to);
	else
		copy_printed(attr, from, to);
}

void value_complete(const struct attr *attr, const char *prefix,
		    struct candidates *to)
{
	offer_choices(to, prefix, attr->words);
	if (attr->type->complete)
		attr->type->complete(attr, prefix, to);
}
