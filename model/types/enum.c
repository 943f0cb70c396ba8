/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "model/kind.h"
#include "model/types/held.h"
#include "model/types/offer.h"
#include "model/types/plain.h"
#include "model/value.h"

static int no_such(const struct choice *choices, const char *text,
		   struct err *err)
{
	AUTO_TEXT names = TEXT_NONE;

	for (const struct choice *at = choices; at->name; at++)
		text_printf(&names, "%s%s", at == choices ? "" : ", ",
			    at->name);
	return err_set(err, EINVAL, "%s: not one of %s", PLAIN(text),
		       text_get(&names));
}

static int parse(const struct attr *attr, const char *text, struct value *out,
		 struct err *err)
{
	for (size_t i = 0; attr->choices[i].name; i++)
		if (!strcmp(attr->choices[i].name, text)) {
			*out = (struct value){ .u = i };
			return 0;
		}
	return no_such(attr->choices, text, err);
}

static void print(const struct attr *attr, const struct value *value,
		  struct text *out)
{
	text_put(out, attr->choices[value->u].name);
}

static void complete(const struct attr *attr, const char *prefix,
		     struct candidates *to)
{
	offer_choices(to, prefix, attr->choices);
}

const struct type type_enum = {
	.name = "choice",
	.hint = "one of the choices",
	.parse = parse,
	.print = print,
	.equal = held_number_equal,
	.complete = complete,
};
