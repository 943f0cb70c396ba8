/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Names of objects, and references, which are a name or a path of them. */
#include <string.h>

#include "model/base/mem.h"
#include "model/types/held.h"
#include "model/types/plain.h"
#include "model/value.h"

enum { NAME_MAX_BYTES = 63, REF_MAX_BYTES = 4096 };

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS	"0123456789"

int name_check(const char *name, struct err *err)
{
	const char *bad = name + strspn(name, LETTERS DIGITS "._:+-");
	AUTO(str) char *sign = mem_strndup(bad, plain_char(bad));

	if (!*name)
		return err_set(err, EINVAL, "a name cannot be empty");
	if (*bad)
		return err_set(err, EINVAL,
			       "%s: a name cannot hold %s%s (letters, digits "
			       "and . _ : + - can)",
			       PLAIN(name), *sign == ' ' ? "a blank" : sign,
			       *sign ? "" : "such a byte");
	if (!strchr(LETTERS DIGITS "_", *name))
		return err_set(err, EINVAL,
			       "%s: a name begins with a letter, a digit or _",
			       PLAIN(name));
	if (strlen(name) > NAME_MAX_BYTES)
		return err_set(err, EINVAL,
			       "%s: a name has at most %d characters",
			       PLAIN(name), NAME_MAX_BYTES);
	return 0;
}

static int ref_check(const char *text, struct err *err)
{
	const char *at = text;
	int rc;

	if (strlen(text) > REF_MAX_BYTES)
		return err_set(err, EINVAL, "%s: longer than %d bytes",
			       PLAIN(text), REF_MAX_BYTES);
	for (;; at++) {
		size_t length = strcspn(at, "/");
		AUTO(str) char *name = mem_strndup(at, length);

		if (!length && *text)
			return err_set(err, EINVAL,
				       "%s: a name is missing before or after "
				       "a /",
				       PLAIN(text));
		rc = name_check(name, err);
		if (rc < 0)
			return rc;
		at += length;
		if (!*at)
			return 0;
	}
}

static int ref_parse(const struct attr *attr, const char *text,
		     struct value *out, struct err *err)
{
	int rc = ref_check(text, err);

	(void)attr;
	if (rc < 0)
		return rc;
	held_text_set(out, text);
	return 0;
}

const struct type type_ref = {
	.name = "reference",
	.hint = "the name of an object, or a path below: web/site1",
	.parse = ref_parse,
	.print = held_text_print,
	.equal = held_text_equal,
	.clear = held_text_clear,
	.copy = held_text_copy,
};
