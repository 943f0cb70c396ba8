/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <arpa/inet.h>
#include <string.h>

#include "model/base/mem.h"
#include "tests/unit/unit.h"
#include "tests/unit/values.h"

static const struct attr address = { .type = &type_address };
static const struct attr address4 = { .type = &type_address,
				      .family = AF_INET };
static const struct attr address6 = { .type = &type_address,
				      .family = AF_INET6 };
static const struct attr prefix = { .type = &type_prefix };
static const struct attr prefixes = { .type = &type_prefixes };

TEST(address, is_written_as_inet_ntop_does)
{
	READS(&address, "192.0.2.1", "192.0.2.1");
	READS(&address, "2001:0DB8:0::1", "2001:db8::1");
	READS(&address, "::ffff:192.0.2.1", "::ffff:192.0.2.1");
	READS(&address, "::", "::");
}

TEST(address, keeps_to_the_family_of_its_setting)
{
	READS(&address4, "192.0.2.1", "192.0.2.1");
	READS(&address6, "::1", "::1");
	REFUSES(&address6, "192.0.2.1", EINVAL,
		"192.0.2.1: is IPv4; it must be IPv6, as 2001:db8::1");
	REFUSES(&address4, "::1", EINVAL,
		"::1: is IPv6; it must be IPv4, as 192.0.2.1");
	REFUSES(&address4, "x", EINVAL, "x: not an IP address, as 192.0.2.1");
}

TEST(address, refuses_what_is_more_or_less)
{
	REFUSES(&address, "192.0.2", EINVAL,
		"192.0.2: not an IP address, as 192.0.2.1 or 2001:db8::1");
	REFUSES(&address, "192.0.2.256", EINVAL,
		"192.0.2.256: not an IP address, as 192.0.2.1 or 2001:db8::1");
	REFUSES(&address, "192.0.02.1", EINVAL,
		"192.0.02.1: not an IP address, as 192.0.2.1 or 2001:db8::1");
	REFUSES(&address, "0x7f000001", EINVAL,
		"0x7f000001: not an IP address, as 192.0.2.1 or 2001:db8::1");
	REFUSES(&address, "192.0.2.1/24", EINVAL,
		"192.0.2.1/24: an address has no length, as 192.0.2.1 or "
		"2001:db8::1");
	REFUSES(&address, "fe80::1%eth0", EINVAL,
		"fe80::1%eth0: the device is named elsewhere, write the "
		"address without %");
}

TEST(prefix, keeps_host_bits)
{
	READS(&prefix, "192.0.2.2/24", "192.0.2.2/24");
	READS(&prefix, "192.0.2.2", "192.0.2.2/32");
	READS(&prefix, "2001:db8::2", "2001:db8::2/128");
	READS(&prefix, "0.0.0.0/0", "0.0.0.0/0");
}

TEST(prefix, refuses_lengths_that_are_none)
{
	REFUSES(&prefix, "192.0.2.2/33", ERANGE,
		"192.0.2.2/33: the length is at most 32");
	REFUSES(&prefix, "::/129", ERANGE, "::/129: the length is at most 128");
	REFUSES(&prefix, "192.0.2.2/255.255.255.0", EINVAL,
		"192.0.2.2/255.255.255.0: the length is not a number, 0 to "
		"32");
	REFUSES(&prefix, "192.0.2.2/", EINVAL,
		"192.0.2.2/: the length is not a number, 0 to 32");
	REFUSES(&prefix, "192.0.2.2/024", EINVAL,
		"192.0.2.2/024: the length is not a number, 0 to 32");
	REFUSES(&prefix, "192.0.2.2/24/8", EINVAL,
		"192.0.2.2/24/8: the length is not a number, 0 to 32");
	REFUSES(&prefix, "/24", EINVAL,
		"\"\": not an IP address, as 192.0.2.1 or 2001:db8::1");
}

TEST(prefixes, are_sorted_without_duplicates)
{
	READS(&prefixes,
	      "2001:db8::/32,192.168.1.0/24,10.0.0.0/8,192.168.1.0/24",
	      "10.0.0.0/8,192.168.1.0/24,2001:db8::/32");
	READS(&prefixes, "192.0.2.1/32,192.0.2.1", "192.0.2.1");
	READS(&prefixes, "10.0.0.0/16,10.0.0.0/8", "10.0.0.0/8,10.0.0.0/16");
	READS(&prefixes, "::/0", "::/0");
}

TEST(prefixes, refuse_host_bits_and_name_the_network)
{
	REFUSES(&prefixes, "10.0.0.0/8,192.168.1.5/24", EINVAL,
		"192.168.1.5/24 has host bits; the network is 192.168.1.0/24");
	REFUSES(&prefixes, "2001:db8::1/33", EINVAL,
		"2001:db8::1/33 has host bits; the network is 2001:db8::/33");
	REFUSES(&prefixes, "128.0.0.0/0", EINVAL,
		"128.0.0.0/0 has host bits; the network is 0.0.0.0/0");
	REFUSES(&prefixes, "10.0.0.0/8,", EINVAL,
		"\"\": not an IP address, as 192.0.2.1 or 2001:db8::1");
}

TEST(prefixes, keep_to_the_family_of_their_setting)
{
	static const struct attr only4 = { .type = &type_prefixes,
					   .family = AF_INET };

	REFUSES(&only4, "10.0.0.0/8,::/0", EINVAL,
		"::: is IPv6; it must be IPv4, as 192.0.2.1");
}

static struct prefix random_prefix(void)
{
	struct prefix random = { .family = AF_INET };
	size_t count = 4;

	if (values_random() & 1) {
		random.family = AF_INET6;
		count = 16;
	}
	for (size_t i = 0; i < count; i++)
		random.bytes[i] = (uint8_t)values_random();
	random.length = (uint8_t)(values_random() % (count * 8 + 1));
	return random;
}

TEST(prefix, survives_being_printed)
{
	for (int i = 0; i < 20000; i++) {
		struct value value = { .prefix = random_prefix() }, again;
		AUTO_TEXT text = TEXT_NONE;

		value_print(&prefix, &value, &text);
		CU_ASSERT_EQUAL(
			value_parse(&prefix, text_get(&text), &again, NULL), 0);
		CU_ASSERT(!memcmp(&value.prefix, &again.prefix,
				  sizeof(struct prefix)));
	}
}

/* The bits behind length, looked at in another way than the code does. */
static bool has_host_bits(const struct prefix *at)
{
	size_t bytes = at->family == AF_INET ? 4 : 16;

	for (size_t i = at->length / 8; i < bytes; i++) {
		unsigned first = i == at->length / 8u ? at->length % 8u : 0;

		if (at->bytes[i] & (0xff >> first))
			return true;
	}
	return false;
}

TEST(prefixes, take_a_network_and_nothing_else)
{
	for (int i = 0; i < 20000; i++) {
		struct value value = { .prefix = random_prefix() }, again;
		AUTO_TEXT text = TEXT_NONE;
		int rc;

		value_print(&prefix, &value, &text);
		rc = value_parse(&prefixes, text_get(&text), &again, NULL);
		CU_ASSERT_EQUAL(rc < 0, has_host_bits(&value.prefix));
		if (rc < 0)
			continue;
		CU_ASSERT_EQUAL(again.prefixes->count, 1);
		value_clear(&prefixes, &again);
	}
}
