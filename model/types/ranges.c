/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "model/types/ranges.h"

#include <inttypes.h>
#include <string.h>

#include "model/base/mem.h"
#include "model/types/plain.h"
#include "model/types/scan.h"

/* -EINVAL: not a number or two; -ERANGE: too large. */
static int range_scan(const char *at, uint32_t max, struct range *out)
{
	uint64_t from = 0, to;
	int rc = scan_digits(&at, 10, max, &from), rest = 0;

	to = from;
	if (rc != -EINVAL && *at == '-') {
		at++;
		rest = scan_digits(&at, 10, max, &to);
	}
	if (rc == -EINVAL || rest == -EINVAL || *at)
		return -EINVAL;
	*out = (struct range){ (uint32_t)from, (uint32_t)to };
	return rc < 0 ? rc : rest;
}

static int range_refuse(const struct ranges_rules *rules, const char *item,
			int rc, struct err *err)
{
	if (rc == -ERANGE)
		return err_set(err, ERANGE, "%s: must be at most %" PRIu32,
			       PLAIN(item), rules->max);
	if (scan_is_octal(item))
		return err_set(err, EINVAL,
			       "%s: a leading zero could mean octal; write it "
			       "without",
			       PLAIN(item));
	return err_set(err, EINVAL, "%s: not %s", PLAIN(item), rules->wanted);
}

/* Numbers first: a user may be called 1000, and means nobody any good. */
static int range_parse(const struct ranges_rules *rules, const char *item,
		       struct range *out, struct err *err)
{
	int rc = range_scan(item, rules->max, out);

	if (rc == -EINVAL && rules->lookup && rules->lookup(item, &out->from)) {
		out->to = out->from;
		return 0;
	}
	if (rc < 0)
		return range_refuse(rules, item, rc, err);
	if (out->from > out->to)
		return err_set(err, EINVAL,
			       "%s: runs backwards; write %" PRIu32 "-%" PRIu32,
			       PLAIN(item), out->to, out->from);
	return 0;
}

static int by_start(const void *a, const void *b)
{
	const struct range *left = a, *right = b;

	return left->from < right->from ? -1 : left->from > right->from;
}

static void ranges_merge(struct ranges *ranges)
{
	struct range *last = ranges->item;

	qsort(ranges->item, ranges->count, sizeof(*last), by_start);
	for (size_t i = 1; i < ranges->count; i++) {
		const struct range *next = &ranges->item[i];

		if (last->to == UINT32_MAX || next->from <= last->to + 1)
			last->to = next->to > last->to ? next->to : last->to;
		else
			*++last = *next;
	}
	ranges->count = (size_t)(last - ranges->item) + 1;
}

static size_t ranges_size(size_t count)
{
	return sizeof(struct ranges) + count * sizeof(struct range);
}

static size_t items_in(const struct ranges_rules *rules, const char *text)
{
	size_t count = 1;

	for (; rules->list && *text; text++)
		count += *text == ',';
	return count;
}

int ranges_parse(const struct ranges_rules *rules, const char *text,
		 struct value *out, struct err *err)
{
	size_t count = items_in(rules, text);
	AUTO(mem) void *room = mem_alloc(ranges_size(count));
	struct ranges *ranges = room;
	int rc;

	for (; ranges->count < count; ranges->count++) {
		size_t length = strcspn(text, rules->list ? "," : "");
		AUTO(str) char *item = mem_strndup(text, length);

		rc = range_parse(rules, item, &ranges->item[ranges->count],
				 err);
		if (rc < 0)
			return rc;
		text += length + 1;
	}
	ranges_merge(ranges);
	*out = (struct value){ .ranges = ranges };
	TAKE(room);
	return 0;
}

void ranges_print(const struct attr *attr, const struct value *value,
		  struct text *out)
{
	const struct ranges *ranges = value->ranges;

	(void)attr;
	for (size_t i = 0; ranges && i < ranges->count; i++) {
		const struct range *range = &ranges->item[i];

		text_printf(out, "%s%" PRIu32, i ? "," : "", range->from);
		if (range->to != range->from)
			text_printf(out, "-%" PRIu32, range->to);
	}
}

bool ranges_equal(const struct value *a, const struct value *b)
{
	size_t left = a->ranges ? a->ranges->count : 0;
	size_t right = b->ranges ? b->ranges->count : 0;

	return left == right &&
	       (!left || !memcmp(a->ranges->item, b->ranges->item,
				 left * sizeof(struct range)));
}

void ranges_clear(struct value *value)
{
	free(value->ranges);
	value->ranges = NULL;
}

void ranges_copy(const struct value *from, struct value *to)
{
	const struct ranges *ranges = from->ranges;

	*to = (struct value){ 0 };
	if (ranges)
		to->ranges = mem_dup(ranges, ranges_size(ranges->count));
}
