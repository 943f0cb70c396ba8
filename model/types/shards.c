/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "model/shard.h"
#include "model/types/ranges.h"
#include "model/value.h"

static const struct ranges_rules shards = {
	.max = SHARD_LAST,
	.list = true,
	.wanted = "numbers of HTBs, as 2-21",
};

static int parse(const struct attr *attr, const char *text, struct value *out,
		 struct err *err)
{
	struct value value;
	int rc = ranges_parse(&shards, text, &value, err);

	(void)attr;
	if (rc < 0)
		return rc;
	if (value.ranges->item[0].from < SHARD_FIRST) {
		ranges_clear(&value);
		return err_set(err, ERANGE,
			       "%s: the lowest is %d, 1: is the outermost HTB",
			       text, SHARD_FIRST);
	}
	*out = value;
	return 0;
}

const struct type type_shards = {
	.name = "shards",
	.hint = "2-21, or 2,4-9 (major numbers, decimal)",
	.parse = parse,
	.print = ranges_print,
	.equal = ranges_equal,
	.clear = ranges_clear,
	.copy = ranges_copy,
};
