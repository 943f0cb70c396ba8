/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <inttypes.h>

#include "model/types/held.h"
#include "model/types/quantity.h"
#include "model/value.h"

/* No bare number: 0.5 may mean half of it or a half percent. */
static const struct scale scales[] = {
	{ "%", 100, false },
	{ 0 },
};

static void percent_print(uint64_t u, struct text *out)
{
	unsigned rest = (unsigned)(u % 100);

	text_printf(out, "%" PRIu64, u / 100);
	if (rest % 10)
		text_printf(out, ".%02u", rest);
	else if (rest)
		text_printf(out, ".%u", rest / 10);
	text_put(out, "%");
}

static const struct quantity percent = {
	.scales = scales,
	.units = "%",
	.base = "hundredths of a percent",
	.example = "12.5%",
	.print = percent_print,
};

static int parse(const struct attr *attr, const char *text, struct value *out,
		 struct err *err)
{
	return quantity_parse(&percent, attr, text, out, err);
}

static void print(const struct attr *attr, const struct value *value,
		  struct text *out)
{
	(void)attr;
	percent_print(value->u, out);
}

const struct type type_percent = {
	.name = "percent",
	.hint = "12.5%",
	.parse = parse,
	.print = print,
	.equal = held_number_equal,
};
