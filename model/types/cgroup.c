/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "model/types/held.h"
#include "model/types/plain.h"
#include "model/value.h"

enum { CGROUP_MAX = 4096 };

/* Puts the components of path together with single slashes. */
static int normalise(const char *path, struct text *out, struct err *err)
{
	const char *at = path;
	size_t length;

	for (; *at; at += length + !!at[length]) {
		length = strcspn(at, "/");
		if (!length || (length == 1 && *at == '.'))
			continue;
		if (length == 2 && !memcmp(at, "..", 2))
			return err_set(err, EINVAL,
				       "%s: the path of a control group has no "
				       "..",
				       PLAIN(path));
		if (out->length)
			text_put(out, "/");
		text_put_bytes(out, at, length);
	}
	if (!out->length)
		return err_set(err, EINVAL,
			       "%s: names no control group, as "
			       "system.slice/ssh.service does",
			       PLAIN(path));
	return 0;
}

static int parse(const struct attr *attr, const char *text, struct value *out,
		 struct err *err)
{
	AUTO_TEXT path = TEXT_NONE;
	int rc = plain_check(text, CGROUP_MAX, err);

	(void)attr;
	if (rc == 0)
		rc = normalise(text, &path, err);
	if (rc < 0)
		return rc;
	held_text_set(out, text_get(&path));
	return 0;
}

const struct type type_cgroup = {
	.name = "cgroup",
	.hint = "path below the cgroup2 mount: system.slice/ssh.service",
	.parse = parse,
	.print = held_text_print,
	.equal = held_text_equal,
	.clear = held_text_clear,
	.copy = held_text_copy,
};
