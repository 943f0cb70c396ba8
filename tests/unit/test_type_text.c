/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Text, names, devices, control groups, references. */
#include <string.h>

#include "model/base/mem.h"
#include "tests/unit/unit.h"
#include "tests/unit/values.h"

static const struct attr text = { .type = &type_text };
static const struct attr ref = { .type = &type_ref };
static const struct attr ifname = { .type = &type_ifname };
static const struct attr cgroup = { .type = &type_cgroup };

#define X10 "xxxxxxxxxx"
#define X60 X10 X10 X10 X10 X10 X10

TEST(text, is_kept_as_it_is)
{
	READS(&text, "the line of the office, 2nd floor",
	      "the line of the office, 2nd floor");
	READS(&text, "\xc3\xa9t\xc3\xa9 \xe2\x82\xac",
	      "\xc3\xa9t\xc3\xa9 \xe2\x82\xac");
}

TEST(text, refuses_what_a_terminal_would_obey)
{
	REFUSES(&text, "a\x1b[2J", EINVAL,
		"a\\x1b[2J: control characters cannot stand here");
	REFUSES(&text, "a\nb", EINVAL,
		"a\\x0ab: control characters cannot stand here");
	REFUSES(&text, "\x7f", EINVAL,
		"\\x7f: control characters cannot stand here");
	REFUSES(&text, "\xc2\x9b", EINVAL,
		"\\xc2\\x9b: control characters cannot stand here");
	REFUSES(&text, "a\xff", EINVAL, "a\\xff: not valid UTF-8");
	REFUSES(&text, "", EINVAL, "empty text");
}

TEST(text, has_a_limit)
{
	char longest[4098] = { 0 };

	memset(longest, 'x', 4096);
	READS(&text, longest, longest);
	longest[4096] = 'x';
	REFUSES(&text, longest, EINVAL, X60 "...: longer than 4096 bytes");
}

TEST(name, takes_letters_digits_and_few_signs)
{
	READS(&ref, "voice", "voice");
	READS(&ref, "_1.a:b+c-D", "_1.a:b+c-D");
	READS(&ref, "0", "0");
	READS(&ref, X60 "xyz", X60 "xyz");
}

TEST(name, refuses_the_rest)
{
	AUTO_ERR err = ERR_NONE;

	REFUSES(&ref, "", EINVAL, "a name cannot be empty");
	CU_ASSERT_EQUAL(name_check("a/b", &err), -EINVAL);
	ASSERT_TEXT(err.text,
		    "a/b: a name cannot hold / (letters, digits and . _ : + - "
		    "can)");
	REFUSES(&ref, "a b", EINVAL,
		"a b: a name cannot hold a blank (letters, digits and . _ : "
		"+ - can)");
	REFUSES(&ref, "caf\xc3\xa9", EINVAL,
		"caf\xc3\xa9: a name cannot hold \xc3\xa9 (letters, digits "
		"and . _ : + - can)");
	REFUSES(&ref, "a\x1b", EINVAL,
		"a\\x1b: a name cannot hold such a byte (letters, digits and "
		". _ : + - can)");
	REFUSES(&ref, "..", EINVAL,
		"..: a name begins with a letter, a digit or _");
	REFUSES(&ref, "-a", EINVAL,
		"-a: a name begins with a letter, a digit or _");
	REFUSES(&ref, X60 "wxyz", EINVAL,
		X60 "...: a name has at most 63 characters");
}

TEST(ref, is_a_path_of_names)
{
	READS(&ref, "voice", "voice");
	READS(&ref, "internet/other", "internet/other");
	REFUSES(&ref, "/internet", EINVAL,
		"/internet: a name is missing before or after a /");
	REFUSES(&ref, "internet/", EINVAL,
		"internet/: a name is missing before or after a /");
	REFUSES(&ref, "a//b", EINVAL,
		"a//b: a name is missing before or after a /");
	REFUSES(&ref, "a/../b", EINVAL,
		"..: a name begins with a letter, a digit or _");
	REFUSES(&ref, "", EINVAL, "a name cannot be empty");
	OFFERS(&ref, "", "");
}

TEST(ifname, is_what_the_kernel_takes)
{
	READS(&ifname, "eth0", "eth0");
	READS(&ifname, "enp1s0.100@x", "enp1s0.100@x");
	READS(&ifname, "123456789012345", "123456789012345");
	READS(&ifname, "...", "...");
	READS(&ifname, "\xc3\xa9", "\xc3\xa9");
	REFUSES(&ifname, "1234567890123456", EINVAL,
		"1234567890123456: a device name has at most 15 bytes");
	REFUSES(&ifname, ".", EINVAL,
		".: the kernel takes no such device name");
	REFUSES(&ifname, "..", EINVAL,
		"..: the kernel takes no such device name");
	REFUSES(&ifname, "a/b", EINVAL,
		"a/b: the kernel takes no such device name");
	REFUSES(&ifname, "eth0:1", EINVAL,
		"eth0:1: the kernel takes no such device name");
	REFUSES(&ifname, "a b", EINVAL,
		"a b: the kernel takes no such device name");
	REFUSES(&ifname, "wan%d", EINVAL,
		"wan%d: the kernel takes no such device name");
	REFUSES(&ifname, "\xc3\xa0", EINVAL,
		"\xc3\xa0: the kernel takes no such device name");
	REFUSES(&ifname, "a\tb", EINVAL,
		"a\\x09b: control characters cannot stand here");
}

TEST(ifname, does_not_offer_the_loopback)
{
	OFFERS(&ifname, "lo", "");
	OFFERS(&ifname, "bonding_masters", "");
}

TEST(cgroup, is_a_relative_path)
{
	READS(&cgroup, "system.slice/ssh.service", "system.slice/ssh.service");
	READS(&cgroup, "//system.slice/./a b//", "system.slice/a b");
	READS(&cgroup, "..a/...", "..a/...");
	REFUSES(&cgroup, "a/../b", EINVAL,
		"a/../b: the path of a control group has no ..");
	REFUSES(&cgroup, "/", EINVAL,
		"/: names no control group, as system.slice/ssh.service does");
	REFUSES(&cgroup, "a\nb", EINVAL,
		"a\\x0ab: control characters cannot stand here");
}

TEST(text, a_word_for_a_shell_is_in_quotes_where_it_takes_some)
{
	static const char *const words[][2] = {
		{ "wan0.100", "wan0.100" }, { "", "''" },
		{ "a b", "'a b'" },	    { "a;b", "'a;b'" },
		{ "a'b", "\"a'b\"" },	    { "a'$b", "'a'\\''$b'" },
		{ "$(id)", "'$(id)'" },	    { "caf\u00e9", "'caf\u00e9'" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		AUTO_TEXT out = TEXT_NONE;

		text_put_word(&out, words[i][0]);
		ASSERT_TEXT(text_get(&out), words[i][1]);
	}
}
