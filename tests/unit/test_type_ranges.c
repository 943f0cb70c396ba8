/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Ports, lengths, spans, owners. */
#include <string.h>

#include "model/base/mem.h"
#include "tests/unit/unit.h"
#include "tests/unit/values.h"

static const struct attr ports = { .type = &type_ports };
static const struct attr lengths = { .type = &type_lengths };
static const struct attr span = { .type = &type_span };
static const struct attr uid = { .type = &type_uid };
static const struct attr gid = { .type = &type_gid };

TEST(ports, are_sorted_and_merged)
{
	READS(&ports, "53,123,161-162", "53,123,161-162");
	READS(&ports, "162,53,161", "53,161-162");
	READS(&ports, "53,53,53", "53");
	READS(&ports, "1-10,5-6", "1-10");
	READS(&ports, "1-10,5-20", "1-20");
	READS(&ports, "1-10,12", "1-10,12");
	READS(&ports, "0-65535,80", "0-65535");
	READS(&ports, "80-80", "80");
}

TEST(ports, go_by_the_names_of_services)
{
	READS(&ports, "domain,ntp", "53,123");
	READS(&ports, "ssh,20-21", "20-22");
	READS(&ports, "ftp-data", "20");
	REFUSES(&ports, "53,no-such", EINVAL,
		"no-such: not a port (0 to 65535), nor a service in "
		"/etc/services");
	REFUSES(&ports, "domain-ntp", EINVAL,
		"domain-ntp: not a port (0 to 65535), nor a service in "
		"/etc/services");
}

TEST(ports, refuse_what_cannot_be)
{
	REFUSES(&ports, "65536", ERANGE, "65536: must be at most 65535");
	REFUSES(&ports, "1-65536", ERANGE, "1-65536: must be at most 65535");
	REFUSES(&ports, "99999999999999999999", ERANGE,
		"99999999999999999999: must be at most 65535");
	REFUSES(&ports, "162-161", EINVAL,
		"162-161: runs backwards; write 161-162");
	REFUSES(&ports, "53,,123", EINVAL,
		"\"\": not a port (0 to 65535), nor a service in "
		"/etc/services");
	REFUSES(&ports, "1-", EINVAL,
		"1-: not a port (0 to 65535), nor a service in /etc/services");
	REFUSES(&ports, "161:162", EINVAL,
		"161:162: not a port (0 to 65535), nor a service in "
		"/etc/services");
	REFUSES(&ports, "053", EINVAL,
		"053: a leading zero could mean octal; write it without");
	REFUSES(&ports, "0x35", EINVAL,
		"0x35: not a port (0 to 65535), nor a service in "
		"/etc/services");
}

TEST(lengths, are_one_range)
{
	READS(&lengths, "40-84", "40-84");
	READS(&lengths, "40", "40");
	REFUSES(&lengths, "40,50", EINVAL,
		"40,50: not a length or a range of them, as 40-84");
	REFUSES(&lengths, "70000", ERANGE, "70000: must be at most 65535");
}

TEST(span, has_32_bits)
{
	READS(&span, "20000-20999", "20000-20999");
	READS(&span, "0-4294967295", "0-4294967295");
	REFUSES(&span, "0-4294967296", ERANGE,
		"0-4294967296: must be at most 4294967295");
	REFUSES(&span, "a-b", EINVAL,
		"a-b: not a range of numbers, as 20000-20999");
}

TEST(owner, goes_by_number_and_name)
{
	READS(&uid, "1014", "1014");
	READS(&uid, "1000-1999,root", "0,1000-1999");
	READS(&gid, "root,100", "0,100");
	READS(&uid, "4294967294,4294967293", "4294967293-4294967294");
	REFUSES(&uid, "4294967295", ERANGE,
		"4294967295: must be at most 4294967294");
	REFUSES(&uid, "no such", EINVAL,
		"no such: not a user's number or a range of them, nor a "
		"user's name here");
	REFUSES(&gid, "no such", EINVAL,
		"no such: not a group's number or a range of them, nor a "
		"group's name here");
}

TEST(owner, offers_names_in_a_list)
{
	OFFERS(&uid, "1000,roo", "1000,root ");
	OFFERS(&gid, "roo", "root ");
}

/* Bit by bit, in a room small enough to count in. */
static void fill(bool *set, const struct ranges *ranges)
{
	for (size_t i = 0; i < ranges->count; i++)
		for (uint32_t at = ranges->item[i].from;
		     at <= ranges->item[i].to; at++)
			set[at] = true;
}

static char *random_list(bool *set)
{
	struct text text = TEXT_NONE;
	size_t count = 1 + values_random() % 12;

	for (size_t i = 0; i < count; i++) {
		uint32_t from = (uint32_t)(values_random() % 100);
		uint32_t to = from + (uint32_t)(values_random() % 10);

		text_printf(&text, "%s%u-%u", i ? "," : "", from, to);
		for (; from <= to; from++)
			set[from] = true;
	}
	return text_take(&text);
}

static bool is_canonical(const struct ranges *ranges)
{
	for (size_t i = 1; i < ranges->count; i++)
		if (ranges->item[i].from <= ranges->item[i - 1].to + 1)
			return false;
	return ranges->count > 0;
}

TEST(ports, hold_what_a_random_list_says)
{
	for (int i = 0; i < 5000; i++) {
		bool want[128] = { false }, have[128] = { false };
		AUTO(str) char *list = random_list(want);
		AUTO_TEXT printed = TEXT_NONE;
		struct value value = { 0 };

		CU_ASSERT_EQUAL(value_parse(&ports, list, &value, NULL), 0);
		CU_ASSERT(is_canonical(value.ranges));
		fill(have, value.ranges);
		CU_ASSERT(!memcmp(want, have, sizeof(want)));
		value_print(&ports, &value, &printed);
		READS(&ports, text_get(&printed), text_get(&printed));
		value_clear(&ports, &value);
	}
}
