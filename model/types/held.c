/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "model/types/held.h"

#include <string.h>

#include "model/base/mem.h"

static const char *text_of(const struct value *value)
{
	return value->text ? value->text : "";
}

bool held_number_equal(const struct value *a, const struct value *b)
{
	return a->u == b->u;
}

void held_text_set(struct value *out, const char *text)
{
	*out = (struct value){ .text = mem_strdup(text) };
}

void held_text_print(const struct attr *attr, const struct value *value,
		     struct text *out)
{
	(void)attr;
	text_put(out, text_of(value));
}

bool held_text_equal(const struct value *a, const struct value *b)
{
	return !strcmp(text_of(a), text_of(b));
}

void held_text_clear(struct value *value)
{
	free(value->text);
	value->text = NULL;
}

void held_text_copy(const struct value *from, struct value *to)
{
	held_text_set(to, text_of(from));
}
