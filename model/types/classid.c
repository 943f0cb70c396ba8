/* SPDX-License-Identifier: GPL-3.0-or-later */
/* As get_tc_classid() in iproute2's tc/tc_util.c, without its words root and
 * none: a class has both numbers. */
#include <string.h>

#include "model/types/held.h"
#include "model/types/plain.h"
#include "model/types/scan.h"
#include "model/value.h"

static int refuse(const char *text, int rc, struct err *err)
{
	if (strpbrk(text, "xX"))
		return err_set(err, EINVAL,
			       "%s: the digits are hexadecimal already, write "
			       "them without 0x",
			       PLAIN(text));
	if (rc == -ERANGE)
		return err_set(err, ERANGE,
			       "%s: both numbers must be at most ffff",
			       PLAIN(text));
	return err_set(err, EINVAL,
		       "%s: not major:minor in hexadecimal, as 1:10",
		       PLAIN(text));
}

static int parse(const struct attr *attr, const char *text, struct value *out,
		 struct err *err)
{
	const char *at = text;
	uint64_t major = 0, minor = 0;
	int rc = scan_digits(&at, 16, 0xffff, &major), rest = -EINVAL;

	(void)attr;
	if (rc != -EINVAL && *at == ':') {
		at++;
		rest = scan_digits(&at, 16, 0xffff, &minor);
	}
	if (rest == -EINVAL || *at)
		return refuse(text, -EINVAL, err);
	if (rc < 0 || rest < 0)
		return refuse(text, -ERANGE, err);
	*out = (struct value){ .u = major << 16 | minor };
	return 0;
}

static void print(const struct attr *attr, const struct value *value,
		  struct text *out)
{
	(void)attr;
	text_printf(out, "%x:%x", (unsigned)(value->u >> 16),
		    (unsigned)(value->u & 0xffff));
}

const struct type type_classid = {
	.name = "classid",
	.hint = "major:minor, both hexadecimal: 1:10 (that is 1:16 in decimal)",
	.parse = parse,
	.print = print,
	.equal = held_number_equal,
};
