/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "model/types/held.h"
#include "model/types/named.h"
#include "model/value.h"

/* Class selectors: RFC 2474, assured forwarding: 2597, ef: 3246, va: 5865,
 * le: 8622. */
static const struct named points[] = {
	{ "cs0", 0, "best effort" },
	{ "cs1", 8, "class selector 1" },
	{ "cs2", 16, "class selector 2, operations" },
	{ "cs3", 24, "class selector 3, broadcast video" },
	{ "cs4", 32, "class selector 4, real-time interactive" },
	{ "cs5", 40, "class selector 5, signalling" },
	{ "cs6", 48, "class selector 6, network control" },
	{ "cs7", 56, "class selector 7" },
	{ "af11", 10, "assured forwarding 1, low drop" },
	{ "af12", 12, "assured forwarding 1, medium drop" },
	{ "af13", 14, "assured forwarding 1, high drop" },
	{ "af21", 18, "assured forwarding 2, low drop" },
	{ "af22", 20, "assured forwarding 2, medium drop" },
	{ "af23", 22, "assured forwarding 2, high drop" },
	{ "af31", 26, "assured forwarding 3, low drop" },
	{ "af32", 28, "assured forwarding 3, medium drop" },
	{ "af33", 30, "assured forwarding 3, high drop" },
	{ "af41", 34, "assured forwarding 4, low drop" },
	{ "af42", 36, "assured forwarding 4, medium drop" },
	{ "af43", 38, "assured forwarding 4, high drop" },
	{ "ef", 46, "expedited forwarding, voice" },
	{ "va", 44, "voice-admit" },
	{ "le", 1, "lower effort" },
	{ "be", 0, "best effort" },
	{ 0 },
};

static int parse(const struct attr *attr, const char *text, struct value *out,
		 struct err *err)
{
	(void)attr;
	return named_parse(points, 63, "code point", text, out, err);
}

static void print(const struct attr *attr, const struct value *value,
		  struct text *out)
{
	(void)attr;
	named_print(points, value->u, out);
}

static void complete(const struct attr *attr, const char *prefix,
		     struct candidates *to)
{
	(void)attr;
	named_complete(points, prefix, "", to);
}

const struct type type_dscp = {
	.name = "dscp",
	.hint = "ef, af41, cs1... or 0 to 63",
	.parse = parse,
	.print = print,
	.equal = held_number_equal,
	.complete = complete,
};
