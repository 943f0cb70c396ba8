/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "model/types/held.h"
#include "model/types/quantity.h"
#include "model/value.h"

#define SECOND 1000000ull

/* No bare number: tc reads it as microseconds, most people as seconds. */
static const struct scale scales[] = {
	{ "d", 86400 * SECOND, true },
	{ "h", 3600 * SECOND, true },
	{ "min", 60 * SECOND, true },
	{ "s", SECOND, true },
	{ "ms", SECOND / 1000, true },
	{ "us", 1, true },
	{ 0 },
};

void duration_print(uint64_t us, struct text *out)
{
	quantity_print(scales, us, out);
}

static const struct quantity duration = {
	.scales = scales,
	.units = "us, ms, s, min, h, d",
	.base = "microseconds",
	.example = "10ms, 1.5s",
	.print = duration_print,
};

static int parse(const struct attr *attr, const char *text, struct value *out,
		 struct err *err)
{
	return quantity_parse(&duration, attr, text, out, err);
}

static void print(const struct attr *attr, const struct value *value,
		  struct text *out)
{
	(void)attr;
	duration_print(value->u, out);
}

/* Not is_number: the number of JSON would be read back as lacking a unit. */
const struct type type_duration = {
	.name = "duration",
	.hint = "10ms, 1.5s, 5min (us ms s min h d)",
	.parse = parse,
	.print = print,
	.equal = held_number_equal,
};
