/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Words and factors are those of get_size64() in iproute2's lib/utils_math.c:
 * the letters are 1024s, also before bit. */
#include "model/types/held.h"
#include "model/types/quantity.h"
#include "model/value.h"

#define KIBI 1024ull

static const struct scale scales[] = {
	{ "g", KIBI *KIBI *KIBI, true },
	{ "m", KIBI *KIBI, true },
	{ "k", KIBI, true },
	{ "", 1, true },
	{ "b", 1, false },
	{ "gb", KIBI *KIBI *KIBI, false },
	{ "mb", KIBI *KIBI, false },
	{ "kb", KIBI, false },
	{ "gbit", KIBI *KIBI *KIBI / 8, false },
	{ "mbit", KIBI *KIBI / 8, false },
	{ "kbit", KIBI / 8, false },
	{ 0 },
};

void size_print(uint64_t bytes, struct text *out)
{
	quantity_print(scales, bytes, out);
}

static const struct quantity size = {
	.scales = scales,
	.units = "b, k, m, g, 1024s; kbit... for bits",
	.base = "bytes",
	.example = "1600, 5k",
	.print = size_print,
};

static int parse(const struct attr *attr, const char *text, struct value *out,
		 struct err *err)
{
	return quantity_parse(&size, attr, text, out, err);
}

static void print(const struct attr *attr, const struct value *value,
		  struct text *out)
{
	(void)attr;
	size_print(value->u, out);
}

const struct type type_size = {
	.name = "size",
	.hint = "1600, 5k, 2m (bytes; k = 1024)",
	.parse = parse,
	.print = print,
	.equal = held_number_equal,
	.is_number = true,
};
