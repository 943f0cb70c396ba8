/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "model/types/named.h"

#include <inttypes.h>
#include <string.h>
#include <strings.h>

#include "model/base/err.h"
#include "model/base/text.h"
#include "model/types/offer.h"
#include "model/types/plain.h"
#include "model/types/scan.h"
#include "model/value.h"

const struct named *named_find(const struct named *table, const char *name)
{
	for (; table->name; table++)
		if (!strcasecmp(table->name, name))
			return table;
	return NULL;
}

const char *named_word(const struct named *table, uint64_t number)
{
	for (; table->name; table++)
		if (table->number == number)
			return table->name;
	return NULL;
}

static int no_such(const struct named *table, uint64_t max, const char *what,
		   const char *text, struct err *err)
{
	AUTO_TEXT names = TEXT_NONE;

	named_list(table, &names);
	return err_set(err, EINVAL, "%s: no such %s (%s; or 0 to %" PRIu64 ")",
		       PLAIN(text), what, text_get(&names), max);
}

int named_parse(const struct named *table, uint64_t max, const char *what,
		const char *text, struct value *out, struct err *err)
{
	const struct named *row = named_find(table, text);
	uint64_t number = 0;
	int rc;

	if (row) {
		*out = (struct value){ .u = row->number };
		return 0;
	}
	if (!*text || !strchr("0123456789", *text))
		return no_such(table, max, what, text, err);
	rc = scan_number(text, max, &number, err);
	if (rc < 0)
		return rc;
	*out = (struct value){ .u = number };
	return 0;
}

void named_print(const struct named *table, uint64_t number, struct text *out)
{
	const char *word = named_word(table, number);

	if (word)
		text_put(out, word);
	else
		text_printf(out, "%" PRIu64, number);
}

void named_list(const struct named *table, struct text *out)
{
	for (const struct named *row = table; row->name; row++)
		text_printf(out, "%s%s", row == table ? "" : ", ", row->name);
}

void named_complete(const struct named *table, const char *prefix,
		    const char *separators, struct candidates *to)
{
	for (const struct named *row = table; row->name; row++)
		if (named_word(table, row->number) == row->name)
			offer_item(to, prefix, separators, row->name,
				   row->help);
}
