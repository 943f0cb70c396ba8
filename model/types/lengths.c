/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "model/types/ranges.h"
#include "model/value.h"

static const struct ranges_rules lengths = {
	.max = 65535,
	.wanted = "a length or a range of them, as 40-84",
};

static int parse(const struct attr *attr, const char *text, struct value *out,
		 struct err *err)
{
	(void)attr;
	return ranges_parse(&lengths, text, out, err);
}

const struct type type_lengths = {
	.name = "lengths",
	.hint = "40-84, or 40 (bytes, from the IP header on)",
	.parse = parse,
	.print = ranges_print,
	.equal = ranges_equal,
	.clear = ranges_clear,
	.copy = ranges_copy,
};
