/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "model/types/ranges.h"
#include "model/value.h"

static const struct ranges_rules span = {
	.max = UINT32_MAX,
	.wanted = "a range of numbers, as 20000-20999",
};

static int parse(const struct attr *attr, const char *text, struct value *out,
		 struct err *err)
{
	(void)attr;
	return ranges_parse(&span, text, out, err);
}

const struct type type_span = {
	.name = "span",
	.hint = "20000-20999",
	.parse = parse,
	.print = ranges_print,
	.equal = ranges_equal,
	.clear = ranges_clear,
	.copy = ranges_copy,
};
