/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/engine/lease.h"

#include <string.h>

#include "model/base/mem.h"
#include "model/kind.h"
#include "model/types/prefix.h"
#include "tests/unit/unit.h"

static struct prefix prefix_of(const char *text)
{
	static const struct attr row = { .name = "x", .type = &type_prefix };
	struct value value = { .word = 0 };

	CU_ASSERT_EQUAL(value_parse(&row, text, &value, NULL), 0);
	return value.prefix;
}

TEST(lease, is_read_as_it_was_written)
{
	struct lease lease = { .count = 2 }, read;
	uint8_t bytes[LEASE_BYTES];
	size_t size;

	lease.addresses[0] = prefix_of("10.77.0.2/24");
	lease.addresses[1] = prefix_of("fd77::2/64");
	size = lease_print(&lease, bytes);
	CU_ASSERT_EQUAL(size, 7 + 19);
	CU_ASSERT_EQUAL(lease_parse(&read, bytes, size), 0);
	CU_ASSERT_TRUE(lease_equal(&lease, &read));
	for (size_t cut = 1; cut < size; cut++)
		if (cut != 7)
			CU_ASSERT_EQUAL(lease_parse(&read, bytes, cut),
					-EBADMSG);
	CU_ASSERT_EQUAL(lease_parse(&read, bytes, 0), 0);
	CU_ASSERT_EQUAL(read.count, 0);
	lease.limit_bps = 0x123456789abcdef;
	size = lease_print(&lease, bytes);
	CU_ASSERT_EQUAL(lease_parse(&read, bytes, size), 0);
	CU_ASSERT_TRUE(lease_equal(&lease, &read));
	CU_ASSERT_EQUAL(lease_parse(&read, bytes, size - 1), -EBADMSG);
	lease.said = LEASE_STRANGE;
	CU_ASSERT_FALSE(lease_equal(&lease, &read));
	size = lease_print(&lease, bytes);
	CU_ASSERT_EQUAL(lease_parse(&read, bytes, size), 0);
	CU_ASSERT_TRUE(lease_equal(&lease, &read));
	CU_ASSERT_EQUAL(lease_parse(&read, bytes, size - 1), -EBADMSG);
}

TEST(lease, what_makes_no_sense_is_refused_and_what_is_new_passed_over)
{
	uint8_t later[] = { 9, 2, 1, 2, 1, 5, 24, 10, 77, 0, 2 };
	uint8_t length[] = { 1, 5, 33, 10, 77, 0, 2 };
	uint8_t size[] = { 1, 6, 24, 10, 77, 0, 2, 0 };
	uint8_t many[9 * 7];
	struct lease lease;

	CU_ASSERT_EQUAL(lease_parse(&lease, later, sizeof(later)), 0);
	CU_ASSERT_EQUAL(lease.count, 1);
	CU_ASSERT_EQUAL(lease_parse(&lease, length, sizeof(length)), -EBADMSG);
	CU_ASSERT_EQUAL(lease_parse(&lease, size, sizeof(size)), -EBADMSG);
	for (int i = 0; i < 9; i++)
		memcpy(many + i * 7, later + 4, 7);
	CU_ASSERT_EQUAL(lease_parse(&lease, many, sizeof(many)), -EBADMSG);
}

TEST(lease, only_a_hosts_private_address_is_taken)
{
	static const char *const good[] = {
		"10.77.0.2/24",	   "172.31.255.1/12", "192.168.1.9/32",
		"100.64.3.4/10",   "fd77::2/64",      "2001:db8::1/64",
		"198.51.100.1/24", "8.8.8.8/32",      "2600::1/128",
		"10.0.0.0/31",	   "10.0.0.1/31",     "10.255.255.254/8"
	};
	static const char *const bad[] = {
		"127.0.0.1/8",	  "127.5.0.1/32",
		"0.0.0.0/32",	  "0.0.0.0/0",
		"10.1.2.3/0",	  "10.1.2.3/7",
		"224.0.0.5/24",	  "255.255.255.255/32",
		"240.0.0.1/32",	  "169.254.1.1/16",
		"8.8.8.9/24",	  "8.8.8.8/31",
		"192.168.1.1/15", "10.77.0.0/24",
		"10.77.0.255/24", "::/0",
		"::1/128",	  "fe80::1/64",
		"ff02::1/128",	  "::ffff:10.0.0.1/128",
		"2600::1/64",	  "fd77::/64",
		"fd00::1/6"
	};

	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		struct prefix address = prefix_of(good[i]);
		struct err err = ERR_NONE;

		CU_ASSERT_EQUAL(lease_check(&address, &err), 0);
		if (err.code)
			printf("%s: %s\n", good[i], err.text);
		err_clear(&err);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct prefix address = prefix_of(bad[i]);
		struct err err = ERR_NONE;

		CU_ASSERT_EQUAL(lease_check(&address, &err), -EINVAL);
		if (!err.code)
			printf("%s was taken\n", bad[i]);
		err_clear(&err);
	}
}

TEST(lease, networks_with_an_address_in_common_are_found)
{
	struct prefix a = prefix_of("10.77.0.2/24"),
		      b = prefix_of("10.77.0.200/25"),
		      c = prefix_of("10.77.1.0/24"), d = prefix_of("0.0.0.0/0"),
		      e = prefix_of("fd77::1/64");

	CU_ASSERT_TRUE(prefix_overlap(&a, &a));
	CU_ASSERT_TRUE(prefix_overlap(&a, &b));
	CU_ASSERT_TRUE(prefix_overlap(&b, &a));
	CU_ASSERT_FALSE(prefix_overlap(&a, &c));
	CU_ASSERT_TRUE(prefix_overlap(&c, &d));
	CU_ASSERT_FALSE(prefix_overlap(&e, &d));
}
