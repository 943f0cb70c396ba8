/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "model/types/bounds.h"

#include "model/base/err.h"
#include "model/base/text.h"
#include "model/kind.h"
#include "model/types/plain.h"

int bounds_check(const struct attr *attr, uint64_t u,
		 void (*print)(uint64_t u, struct text *out), const char *text,
		 struct err *err)
{
	AUTO_TEXT bounds = TEXT_NONE;

	if (!attr || (u >= attr->min && (!attr->max || u <= attr->max)))
		return 0;
	if (!attr->max)
		text_put(&bounds, "at least ");
	print(attr->min, &bounds);
	if (attr->max) {
		text_put(&bounds, " to ");
		print(attr->max, &bounds);
	}
	if (attr->unit)
		text_printf(&bounds, " %s", attr->unit);
	return err_set(err, ERANGE, "%s: must be %s", PLAIN(text),
		       text_get(&bounds));
}
