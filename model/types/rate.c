/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Words and factors are those of get_rate64() in iproute2's lib/utils.c, which
 * ignores case; tc keeps bytes per second, and loses up to 7 bit/s by it. */
#include <string.h>

#include "model/types/held.h"
#include "model/types/plain.h"
#include "model/types/quantity.h"
#include "model/value.h"

#define KILO 1000ull
#define KIBI 1024ull

static const struct scale scales[] = {
	{ "tbit", KILO *KILO *KILO *KILO, true },
	{ "gbit", KILO *KILO *KILO, true },
	{ "mbit", KILO *KILO, true },
	{ "kbit", KILO, true },
	{ "bit", 1, true },
	{ "", 1, false },
	{ "kibit", KIBI, false },
	{ "mibit", KIBI *KIBI, false },
	{ "gibit", KIBI *KIBI *KIBI, false },
	{ "tibit", KIBI *KIBI *KIBI *KIBI, false },
	{ "bps", 8, false },
	{ "kbps", 8 * KILO, false },
	{ "mbps", 8 * KILO *KILO, false },
	{ "gbps", 8 * KILO *KILO *KILO, false },
	{ "tbps", 8 * KILO *KILO *KILO *KILO, false },
	{ "kibps", 8 * KIBI, false },
	{ "mibps", 8 * KIBI *KIBI, false },
	{ "gibps", 8 * KIBI *KIBI *KIBI, false },
	{ "tibps", 8 * KIBI *KIBI *KIBI *KIBI, false },
	{ 0 },
};

void rate_print(uint64_t bit_per_s, struct text *out)
{
	quantity_print(scales, bit_per_s, out);
}

static const struct quantity rate = {
	.scales = scales,
	.units = "bit, kbit, mbit, gbit, tbit; kbps... for bytes",
	.base = "bit/s",
	.example = "10mbit, 768kbit",
	.print = rate_print,
};

static int parse(const struct attr *attr, const char *text, struct value *out,
		 struct err *err)
{
	/* tc takes a share of the device's speed, which it may not know, and
	 * which changes with the cable. */
	if (strchr(text, '%'))
		return err_set(err, EINVAL,
			       "%s: a rate is not a share; write it as 10mbit",
			       PLAIN(text));
	return quantity_parse(&rate, attr, text, out, err);
}

static void print(const struct attr *attr, const struct value *value,
		  struct text *out)
{
	(void)attr;
	rate_print(value->u, out);
}

const struct type type_rate = {
	.name = "rate",
	.hint = "10mbit, 768kbit (kbit = 1000; kbps... for bytes)",
	.parse = parse,
	.print = print,
	.equal = held_number_equal,
	.is_number = true,
};
