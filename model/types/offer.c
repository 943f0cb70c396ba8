/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "model/types/offer.h"

#include <string.h>

#include "model/base/mem.h"
#include "model/value.h"

void offer_match(struct candidates *to, const char *prefix, const char *text,
		 const char *help)
{
	if (!strncmp(text, prefix, strlen(prefix)))
		to->offer(to, text, help);
}

void offer_choices(struct candidates *to, const char *prefix,
		   const struct choice *choices)
{
	for (; choices && choices->name; choices++)
		offer_match(to, prefix, choices->name, choices->help);
}

void offer_item(struct candidates *to, const char *prefix,
		const char *separators, const char *text, const char *help)
{
	AUTO(str) char *whole = NULL;
	size_t head = strlen(prefix);

	while (head && !strchr(separators, prefix[head - 1]))
		head--;
	whole = mem_printf("%.*s%s", (int)head, prefix, text);
	offer_match(to, prefix, whole, help);
}
