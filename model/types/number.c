/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <inttypes.h>

#include "model/types/bounds.h"
#include "model/types/held.h"
#include "model/types/scan.h"
#include "model/value.h"

static void number_print(uint64_t u, struct text *out)
{
	text_printf(out, "%" PRIu64, u);
}

static int parse(const struct attr *attr, const char *text, struct value *out,
		 struct err *err)
{
	uint64_t u = 0;
	int rc = scan_number(text, UINT64_MAX, &u, err);

	if (rc == 0)
		rc = bounds_check(attr, u, number_print, text, err);
	if (rc < 0)
		return rc;
	*out = (struct value){ .u = u };
	return 0;
}

static void print(const struct attr *attr, const struct value *value,
		  struct text *out)
{
	(void)attr;
	number_print(value->u, out);
}

const struct type type_number = {
	.name = "number",
	.hint = "10, also hexadecimal as 0xa",
	.parse = parse,
	.print = print,
	.equal = held_number_equal,
	.is_number = true,
};
