/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <inttypes.h>
#include <string.h>

#include "model/base/mem.h"
#include "model/types/bounds.h"
#include "model/types/plain.h"
#include "model/types/scan.h"
#include "model/value.h"

/* Small marks are counted, large ones are bit patterns. */
static void mark_print(uint64_t u, struct text *out)
{
	text_printf(out, u < 0x10000 ? "%" PRIu64 : "0x%" PRIx64, u);
}

static int bits_check(const struct bits *bits, const char *text,
		      struct err *err)
{
	uint32_t outside = bits->value & ~bits->mask;

	if (!bits->mask)
		return err_set(err, EINVAL, "%s: a mask of 0 looks at no bit",
			       PLAIN(text));
	if (outside)
		return err_set(err, EINVAL, "%s: 0x%x is outside the mask",
			       PLAIN(text), outside);
	return 0;
}

static int parse(const struct attr *attr, const char *text, struct value *out,
		 struct err *err)
{
	const char *slash = strchrnul(text, '/');
	AUTO(str) char *number = mem_strndup(text, (size_t)(slash - text));
	uint64_t u = 0, mask = UINT32_MAX;
	struct bits bits;
	int rc = scan_number(number, UINT32_MAX, &u, err);

	if (rc == 0 && *slash)
		rc = scan_number(slash + 1, UINT32_MAX, &mask, err);
	bits = (struct bits){ (uint32_t)u, (uint32_t)mask };
	if (rc == 0)
		rc = bits_check(&bits, text, err);
	if (rc == 0)
		rc = bounds_check(attr, u, mark_print, text, err);
	if (rc < 0)
		return rc;
	*out = (struct value){ .bits = bits };
	return 0;
}

static void print(const struct attr *attr, const struct value *value,
		  struct text *out)
{
	(void)attr;
	mark_print(value->bits.value, out);
	if (value->bits.mask != UINT32_MAX)
		text_printf(out, "/0x%x", value->bits.mask);
}

const struct type type_mark = {
	.name = "mark",
	.hint = "10, 0xa, 10/0xff (decimal unless 0x)",
	.parse = parse,
	.print = print,
};
