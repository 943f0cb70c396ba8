/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "model/types/held.h"
#include "model/types/named.h"
#include "model/types/plain.h"
#include "model/value.h"

static const struct named words[] = {
	{ "yes", 1, NULL }, { "no", 0, NULL }, { "true", 1, NULL },
	{ "on", 1, NULL },  { "1", 1, NULL },  { "false", 0, NULL },
	{ "off", 0, NULL }, { "0", 0, NULL },  { 0 },
};

static int parse(const struct attr *attr, const char *text, struct value *out,
		 struct err *err)
{
	const struct named *row = named_find(words, text);

	(void)attr;
	if (!row)
		return err_set(err, EINVAL, "%s: neither yes nor no",
			       PLAIN(text));
	*out = (struct value){ .u = row->number };
	return 0;
}

static void print(const struct attr *attr, const struct value *value,
		  struct text *out)
{
	(void)attr;
	named_print(words, !!value->u, out);
}

static void complete(const struct attr *attr, const char *prefix,
		     struct candidates *to)
{
	(void)attr;
	named_complete(words, prefix, "", to);
}

const struct type type_bool = {
	.name = "bool",
	.hint = "yes or no",
	.parse = parse,
	.print = print,
	.equal = held_number_equal,
	.complete = complete,
	.is_bool = true,
};
