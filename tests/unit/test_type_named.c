/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Words that stand for numbers: bool, enum, protocols, code points, flags; and
 * the identifiers of tc and nft: marks and class ids. */
#include "model/base/mem.h"
#include "tests/unit/unit.h"
#include "tests/unit/values.h"

static const struct choice kinds_of_classifier[] = { { "auto",
						       "the best there is" },
						     { "nft", "a map" },
						     { "fw", "a filter" },
						     { NULL, NULL } };
static const struct attr yes_no = { .type = &type_bool };
static const struct attr choice = { .type = &type_enum,
				    .choices = kinds_of_classifier };
static const struct attr proto = { .type = &type_proto };
static const struct attr dscp = { .type = &type_dscp };
static const struct attr flags = { .type = &type_tcpflags };
static const struct attr mark = { .type = &type_mark };
static const struct attr hostname = { .type = &type_hostname };
static const struct attr classid = { .type = &type_classid };

static struct value reading(const struct attr *attr, const char *text)
{
	struct value value = { 0 };

	CU_ASSERT_EQUAL(value_parse(attr, text, &value, NULL), 0);
	return value;
}

TEST(bool, is_yes_or_no)
{
	static const char *const yes[] = { "yes", "true", "on", "1", "YES" };
	static const char *const no[] = { "no", "false", "off", "0", "Off" };

	for (size_t i = 0; i < ARRAY_SIZE(yes); i++) {
		READS(&yes_no, yes[i], "yes");
		READS(&yes_no, no[i], "no");
	}
	CU_ASSERT_EQUAL(reading(&yes_no, "on").u, 1);
	REFUSES(&yes_no, "maybe", EINVAL, "maybe: neither yes nor no");
	OFFERS(&yes_no, "", "yes no ");
}

TEST(enum, is_one_of_its_choices)
{
	READS(&choice, "nft", "nft");
	CU_ASSERT_EQUAL(reading(&choice, "fw").u, 2);
	REFUSES(&choice, "bpf", EINVAL, "bpf: not one of auto, nft, fw");
	REFUSES(&choice, "f", EINVAL, "f: not one of auto, nft, fw");
	OFFERS(&choice, "", "auto nft fw ");
	OFFERS(&choice, "n", "nft ");
}

TEST(proto, goes_by_name)
{
	READS(&proto, "tcp", "tcp");
	READS(&proto, "UDP", "udp");
	READS(&proto, "17", "udp");
	READS(&proto, "0x3a", "icmpv6");
	READS(&proto, "0", "0");
	READS(&proto, "255", "255");
	CU_ASSERT_EQUAL(reading(&proto, "sctp").u, 132);
	REFUSES(&proto, "256", ERANGE, "256: must be at most 255");
	REFUSES(&proto, "tpc", EINVAL,
		"tpc: no such protocol (tcp, udp, icmp, icmpv6, sctp, dccp, "
		"udplite, esp, ah, gre, ipip, igmp, ospf, vrrp, l2tp; or 0 to "
		"255)");
	OFFERS(&proto, "ud", "udp udplite ");
}

TEST(proto, reads_back_every_number)
{
	for (unsigned i = 0; i < 256; i++) {
		AUTO(str) char *text = mem_printf("%u", i);
		struct value value = reading(&proto, text);
		AUTO_TEXT printed = TEXT_NONE;

		CU_ASSERT_EQUAL(value.u, i);
		value_print(&proto, &value, &printed);
		CU_ASSERT_EQUAL(reading(&proto, text_get(&printed)).u, i);
	}
}

TEST(dscp, goes_by_name)
{
	READS(&dscp, "46", "ef");
	READS(&dscp, "0x2e", "ef");
	READS(&dscp, "EF", "ef");
	READS(&dscp, "be", "cs0");
	READS(&dscp, "0", "cs0");
	READS(&dscp, "le", "le");
	READS(&dscp, "44", "va");
	READS(&dscp, "63", "63");
	REFUSES(&dscp, "64", ERANGE, "64: must be at most 63");
	OFFERS(&dscp, "af4", "af41 af42 af43 ");
	OFFERS(&dscp, "b", "");
}

TEST(dscp, has_the_numbers_of_the_rfcs)
{
	for (unsigned class = 0; class < 8; class ++) {
		AUTO(str) char *text = mem_printf("cs%u", class);

		CU_ASSERT_EQUAL(reading(&dscp, text).u, class * 8);
	}
	for (unsigned class = 1; class < 5; class ++)
		for (unsigned drop = 1; drop < 4; drop++) {
			AUTO(str)
			char *text = mem_printf("af%u%u", class, drop);

			CU_ASSERT_EQUAL(reading(&dscp, text).u,
					class * 8 + drop * 2);
		}
}

TEST(tcpflags, are_a_value_and_a_mask)
{
	READS(&flags, "ack/urg,ack,psh,rst,syn,fin",
	      "ack/urg,ack,psh,rst,syn,fin");
	READS(&flags, "ack/fin,SYN,rst,psh,ack,urg",
	      "ack/urg,ack,psh,rst,syn,fin");
	READS(&flags, "syn", "syn/syn");
	READS(&flags, "syn,ack", "ack,syn/ack,syn");
	READS(&flags, "none/syn,ack", "none/ack,syn");
	READS(&flags, "cwr,ece/ece,cwr", "ece,cwr/ece,cwr");
	CU_ASSERT_EQUAL(reading(&flags, "syn/syn,ack").bits.value, 2);
	CU_ASSERT_EQUAL(reading(&flags, "syn/syn,ack").bits.mask, 18);
}

TEST(tcpflags, refuse_what_cannot_match)
{
	REFUSES(&flags, "syn,fin/syn", EINVAL,
		"syn,fin/syn: fin must be in the mask too");
	REFUSES(&flags, "none", EINVAL,
		"none: say none of what, as none/syn,ack");
	REFUSES(&flags, "sny", EINVAL,
		"sny: no such TCP flag (urg, ack, psh, rst, syn, fin, ece, "
		"cwr)");
	REFUSES(&flags, "syn/", EINVAL,
		"\"\": no such TCP flag (urg, ack, psh, rst, syn, fin, ece, "
		"cwr)");
	REFUSES(&flags, "syn/none", EINVAL,
		"none: no such TCP flag (urg, ack, psh, rst, syn, fin, ece, "
		"cwr)");
	REFUSES(&flags, "syn/syn/syn", EINVAL,
		"syn/syn: no such TCP flag (urg, ack, psh, rst, syn, fin, "
		"ece, cwr)");
}

TEST(tcpflags, offer_what_goes_on_a_list)
{
	OFFERS(&flags, "a", "ack ");
	OFFERS(&flags, "syn,a", "syn,ack ");
	OFFERS(&flags, "ack/syn,f", "ack/syn,fin ");
}

TEST(tcpflags, survive_being_printed)
{
	for (unsigned mask = 1; mask < 256; mask++)
		for (unsigned sub = mask;; sub = (sub - 1) & mask) {
			struct value value = { .bits = { sub, mask } }, again;
			AUTO_TEXT text = TEXT_NONE;

			value_print(&flags, &value, &text);
			again = reading(&flags, text_get(&text));
			CU_ASSERT_EQUAL(again.bits.value, sub);
			CU_ASSERT_EQUAL(again.bits.mask, mask);
			if (!sub)
				break;
		}
}

TEST(mark, is_decimal_unless_it_says_0x)
{
	READS(&mark, "10", "10");
	READS(&mark, "0xa", "10");
	READS(&mark, "65535", "65535");
	READS(&mark, "65536", "0x10000");
	READS(&mark, "0xFFFFFFFF", "0xffffffff");
	READS(&mark, "10/0xff", "10/0xff");
	READS(&mark, "0xa/255", "10/0xff");
	READS(&mark, "10/0xffffffff", "10");
	READS(&mark, "0/0xff", "0/0xff");
	CU_ASSERT_EQUAL(reading(&mark, "10").bits.value, 10);
	CU_ASSERT_EQUAL(reading(&mark, "10").bits.mask, UINT32_MAX);
}

TEST(mark, refuses_what_cannot_match)
{
	static const struct attr small = { .type = &type_mark,
					   .min = 1,
					   .max = 65535 };

	REFUSES(&mark, "0x1ff/0xff", EINVAL,
		"0x1ff/0xff: 0x100 is outside the mask");
	REFUSES(&mark, "0/0", EINVAL, "0/0: a mask of 0 looks at no bit");
	REFUSES(&mark, "4294967296", ERANGE,
		"4294967296: must be at most 4294967295");
	REFUSES(&mark, "1/0x100000000", ERANGE,
		"0x100000000: must be at most 4294967295");
	REFUSES(&mark, "010", EINVAL,
		"010: a leading zero could mean octal; write it without");
	REFUSES(&mark, "10/", EINVAL, "\"\": not a number (as 10 or 0xa)");
	REFUSES(&mark, "1f", EINVAL, "1f: not a number (as 10 or 0xa)");
	REFUSES(&small, "0", ERANGE, "0: must be 1 to 65535");
	REFUSES(&small, "0x10000", ERANGE, "0x10000: must be 1 to 65535");
}

TEST(mark, survives_being_printed)
{
	for (int i = 0; i < 20000; i++) {
		uint32_t mask = (uint32_t)values_random() | 1;
		uint32_t set = (uint32_t)values_random() & mask;
		struct value value = { .bits = { set, mask } }, again;
		AUTO_TEXT text = TEXT_NONE;

		value_print(&mark, &value, &text);
		again = reading(&mark, text_get(&text));
		CU_ASSERT_EQUAL(again.bits.value, set);
		CU_ASSERT_EQUAL(again.bits.mask, mask);
	}
}

TEST(classid, is_hexadecimal)
{
	READS(&classid, "1:10", "1:10");
	READS(&classid, "1:1000", "1:1000");
	READS(&classid, "A:fFfF", "a:ffff");
	READS(&classid, "0001:0010", "1:10");
	READS(&classid, "1:0", "1:0");
	CU_ASSERT_EQUAL(reading(&classid, "1:10").u, 0x10010);
	CU_ASSERT_EQUAL(reading(&classid, "ffff:ffff").u, 0xffffffff);
}

TEST(classid, refuses_the_rest)
{
	REFUSES(&classid, "0x10", EINVAL,
		"0x10: the digits are hexadecimal already, write them without "
		"0x");
	REFUSES(&classid, "1:0x10", EINVAL,
		"1:0x10: the digits are hexadecimal already, write them "
		"without 0x");
	REFUSES(&classid, "1", EINVAL,
		"1: not major:minor in hexadecimal, as 1:10");
	REFUSES(&classid, "1:", EINVAL,
		"1:: not major:minor in hexadecimal, as 1:10");
	REFUSES(&classid, ":10", EINVAL,
		":10: not major:minor in hexadecimal, as 1:10");
	REFUSES(&classid, "1:1g", EINVAL,
		"1:1g: not major:minor in hexadecimal, as 1:10");
	REFUSES(&classid, "1:1:1", EINVAL,
		"1:1:1: not major:minor in hexadecimal, as 1:10");
	REFUSES(&classid, "root", EINVAL,
		"root: not major:minor in hexadecimal, as 1:10");
	REFUSES(&classid, "1:10000", ERANGE,
		"1:10000: both numbers must be at most ffff");
	REFUSES(&classid, "10000:1", ERANGE,
		"10000:1: both numbers must be at most ffff");
}

TEST(classid, survives_being_printed)
{
	for (int i = 0; i < 20000; i++) {
		struct value value = { .u = values_random() & 0xffffffff };
		AUTO_TEXT text = TEXT_NONE;

		value_print(&classid, &value, &text);
		CU_ASSERT_EQUAL(reading(&classid, text_get(&text)).u, value.u);
	}
}

TEST(hostname, is_a_whole_name_in_lower_case)
{
	READS(&hostname, "Www.Example.NET", "www.example.net");
	READS(&hostname, "a", "a");
	READS(&hostname, "xn--bcher-kva.example", "xn--bcher-kva.example");
	READS(&hostname, "_srv.192-0-2-1.example", "_srv.192-0-2-1.example");
	REFUSES(&hostname, "*.example", EINVAL,
		"*.example: only a whole name can be looked for: one match "
		"for each");
	REFUSES(&hostname, "b\xc3\xbc.example", EINVAL,
		"b\xc3\xbc.example: write it as it travels, in ASCII "
		"(xn--...)");
	REFUSES(&hostname, "a.example:80", EINVAL,
		"a.example:80: a host's name has letters, digits, - and . "
		"only, and no address or port");
	REFUSES(&hostname, "a..b", EINVAL,
		"a..b: a label is missing before or after a dot");
	REFUSES(&hostname, "a.example.", EINVAL,
		"a.example.: a label is missing before or after a dot");
	REFUSES(&hostname, "-a.example", EINVAL,
		"-a.example: between the dots stand at most 63 characters, "
		"and none begins or ends with -");
}
