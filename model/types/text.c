/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "model/types/held.h"
#include "model/types/plain.h"
#include "model/value.h"

enum { TEXT_MAX = 4096 };

static int parse(const struct attr *attr, const char *text, struct value *out,
		 struct err *err)
{
	int rc = plain_check(text, TEXT_MAX, err);

	(void)attr;
	if (rc < 0)
		return rc;
	held_text_set(out, text);
	return 0;
}

const struct type type_text = {
	.name = "text",
	.hint = "any text, quoted if it has blanks",
	.parse = parse,
	.print = held_text_print,
	.equal = held_text_equal,
	.clear = held_text_clear,
	.copy = held_text_copy,
};
