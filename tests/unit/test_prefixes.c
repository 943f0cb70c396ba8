/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/engine/prefixes.h"

#include <arpa/inet.h>

#include "tests/unit/unit.h"

static struct prefix read_prefix(const char *text)
{
	struct prefix prefix = { .length = 0 };

	CU_ASSERT_EQUAL(prefix_parse(text, &prefix, NULL), 0);
	return prefix;
}

static void *whose(const struct prefixes *prefixes, const char *text)
{
	struct prefix prefix = read_prefix(text);

	return prefixes_find(prefixes, &prefix.address);
}

TEST(prefixes, the_longest_one_wins)
{
	AUTO(prefixes) struct prefixes *prefixes = prefixes_new();
	struct prefix all = read_prefix("0.0.0.0/0"),
		      ten = read_prefix("10.0.0.0/8"),
		      host = read_prefix("10.77.0.2"),
		      six = read_prefix("2001:db8::/32");
	int a, b, c, d;

	CU_ASSERT_EQUAL(prefixes_add(prefixes, &all, &a), 0);
	CU_ASSERT_EQUAL(prefixes_add(prefixes, &ten, &b), 0);
	CU_ASSERT_EQUAL(prefixes_add(prefixes, &host, &c), 0);
	CU_ASSERT_EQUAL(prefixes_add(prefixes, &six, &d), 0);
	CU_ASSERT_EQUAL(prefixes_add(prefixes, &host, &d), -EEXIST);
	CU_ASSERT_PTR_EQUAL(whose(prefixes, "10.77.0.2"), &c);
	CU_ASSERT_PTR_EQUAL(whose(prefixes, "10.77.0.3"), &b);
	CU_ASSERT_PTR_EQUAL(whose(prefixes, "192.0.2.1"), &a);
	CU_ASSERT_PTR_EQUAL(whose(prefixes, "2001:db8:1::1"), &d);
	CU_ASSERT_PTR_NULL(whose(prefixes, "2001:db9::1"));
	prefixes_remove(prefixes, &host);
	CU_ASSERT_PTR_EQUAL(whose(prefixes, "10.77.0.2"), &b);
}

TEST(prefixes, ten_thousand_hosts_are_told_apart)
{
	AUTO(prefixes) struct prefixes *prefixes = prefixes_new();
	static int owner[10000];
	char text[32];

	for (int i = 0; i < 10000; i++) {
		struct prefix prefix;

		snprintf(text, sizeof(text), "10.%d.%d.9", i / 256, i % 256);
		prefix = read_prefix(text);
		CU_ASSERT_EQUAL(prefixes_add(prefixes, &prefix, &owner[i]), 0);
	}
	for (int i = 0; i < 10000; i += 7) {
		snprintf(text, sizeof(text), "10.%d.%d.9", i / 256, i % 256);
		CU_ASSERT_PTR_EQUAL(whose(prefixes, text), &owner[i]);
	}
	CU_ASSERT_PTR_NULL(whose(prefixes, "10.0.0.8"));
}

TEST(prefixes, text_is_read_and_printed)
{
	const char *bad[] = {
		"",	     "10.0.0.0/33", "10.0.0/8",	   "2001::/129",
		"10.0.0.0/", "10.0.0.0/-1", "10.0.0.0/8x", "/8"
	};
	struct prefix prefix = read_prefix("10.77.12.13/16");
	char text[PREFIX_TEXT];

	prefix_print(&prefix, text);
	ASSERT_TEXT(text, "10.77.0.0/16");
	prefix = read_prefix("2001:db8::ffff/64");
	prefix_print(&prefix, text);
	ASSERT_TEXT(text, "2001:db8::/64");
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		CU_ASSERT_EQUAL(prefix_parse(bad[i], &prefix, NULL), -EINVAL);
}
