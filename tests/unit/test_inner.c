/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/engine/inner.h"

#include <arpa/inet.h>

#include "tests/unit/unit.h"

static struct inner_prefix read_prefix(const char *text)
{
	struct inner_prefix prefix = { .length = 0 };

	CU_ASSERT_EQUAL(inner_prefix_parse(text, &prefix, NULL), 0);
	return prefix;
}

static void *whose(const struct inner_map *prefixes, const char *text)
{
	struct inner_prefix prefix = read_prefix(text);

	return inner_map_find(prefixes, &prefix.address);
}

TEST(inner, the_longest_one_wins)
{
	AUTO(inner_map) struct inner_map *prefixes = inner_map_new();
	struct inner_prefix all = read_prefix("0.0.0.0/0"),
			    ten = read_prefix("10.0.0.0/8"),
			    host = read_prefix("10.77.0.2"),
			    six = read_prefix("2001:db8::/32");
	int a, b, c, d;

	CU_ASSERT_EQUAL(inner_map_add(prefixes, &all, &a), 0);
	CU_ASSERT_EQUAL(inner_map_add(prefixes, &ten, &b), 0);
	CU_ASSERT_EQUAL(inner_map_add(prefixes, &host, &c), 0);
	CU_ASSERT_EQUAL(inner_map_add(prefixes, &six, &d), 0);
	CU_ASSERT_EQUAL(inner_map_add(prefixes, &host, &d), -EEXIST);
	CU_ASSERT_PTR_EQUAL(whose(prefixes, "10.77.0.2"), &c);
	CU_ASSERT_PTR_EQUAL(whose(prefixes, "10.77.0.3"), &b);
	CU_ASSERT_PTR_EQUAL(whose(prefixes, "192.0.2.1"), &a);
	CU_ASSERT_PTR_EQUAL(whose(prefixes, "2001:db8:1::1"), &d);
	CU_ASSERT_PTR_NULL(whose(prefixes, "2001:db9::1"));
	inner_map_remove(prefixes, &host);
	CU_ASSERT_PTR_EQUAL(whose(prefixes, "10.77.0.2"), &b);
}

TEST(inner, ten_thousand_hosts_are_told_apart)
{
	AUTO(inner_map) struct inner_map *prefixes = inner_map_new();
	static int owner[10000];
	char text[32];

	for (int i = 0; i < 10000; i++) {
		struct inner_prefix prefix;

		snprintf(text, sizeof(text), "10.%d.%d.9", i / 256, i % 256);
		prefix = read_prefix(text);
		CU_ASSERT_EQUAL(inner_map_add(prefixes, &prefix, &owner[i]), 0);
	}
	for (int i = 0; i < 10000; i += 7) {
		snprintf(text, sizeof(text), "10.%d.%d.9", i / 256, i % 256);
		CU_ASSERT_PTR_EQUAL(whose(prefixes, text), &owner[i]);
	}
	CU_ASSERT_PTR_NULL(whose(prefixes, "10.0.0.8"));
}

TEST(inner, text_is_read_and_printed)
{
	const char *bad[] = {
		"",	     "10.0.0.0/33", "10.0.0/8",	   "2001::/129",
		"10.0.0.0/", "10.0.0.0/-1", "10.0.0.0/8x", "/8"
	};
	struct inner_prefix prefix = read_prefix("10.77.12.13/16");
	char text[INNER_TEXT];

	inner_prefix_print(&prefix, text);
	ASSERT_TEXT(text, "10.77.0.0/16");
	prefix = read_prefix("2001:db8::ffff/64");
	inner_prefix_print(&prefix, text);
	ASSERT_TEXT(text, "2001:db8::/64");
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		CU_ASSERT(inner_prefix_parse(bad[i], &prefix, NULL) < 0);
}
