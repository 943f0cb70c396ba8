/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Numbers, and numbers with a unit. */
#include <inttypes.h>

#include "model/base/mem.h"
#include "tests/unit/unit.h"
#include "tests/unit/values.h"

static const struct attr number = { .type = &type_number };
static const struct attr rate = { .type = &type_rate };
static const struct attr size = { .type = &type_size };
static const struct attr duration = { .type = &type_duration };
static const struct attr percent = { .type = &type_percent };

static uint64_t reading(const struct attr *attr, const char *text)
{
	AUTO_ERR err = ERR_NONE;
	struct value value = { 0 };

	if (value_parse(attr, text, &value, &err) < 0)
		unit_text(__FILE__, __LINE__, err.text, text);
	return value.u;
}

/* Whatever u is, its text is read back as u. */
static void survives(const struct attr *attr, uint64_t u)
{
	struct value value = { .u = u };
	AUTO_TEXT text = TEXT_NONE;

	value_print(attr, &value, &text);
	CU_ASSERT_EQUAL(reading(attr, text_get(&text)), u);
}

TEST(number, reads_decimal_and_hexadecimal)
{
	READS(&number, "0", "0");
	READS(&number, "10", "10");
	READS(&number, "0xA", "10");
	READS(&number, "0X1f", "31");
	READS(&number, "18446744073709551615", "18446744073709551615");
	READS(&number, "0xffffffffffffffff", "18446744073709551615");
	CU_ASSERT_EQUAL(reading(&number, "0x10"), 16);
}

TEST(number, refuses_what_is_none)
{
	REFUSES(&number, "-1", EINVAL, "-1: not a number (as 10 or 0xa)");
	REFUSES(&number, "+1", EINVAL, "+1: not a number (as 10 or 0xa)");
	REFUSES(&number, "1a", EINVAL, "1a: not a number (as 10 or 0xa)");
	REFUSES(&number, "0a", EINVAL, "0a: not a number (as 10 or 0xa)");
	REFUSES(&number, "0x", EINVAL, "0x: not a number (as 10 or 0xa)");
	REFUSES(&number, "1e3", EINVAL, "1e3: not a number (as 10 or 0xa)");
	REFUSES(&number, "", EINVAL, "\"\": not a number (as 10 or 0xa)");
	REFUSES(&number, "010", EINVAL,
		"010: a leading zero could mean octal; write it without");
}

TEST(number, refuses_more_than_64_bits)
{
	REFUSES(&number, "18446744073709551616", ERANGE,
		"18446744073709551616: must be at most 18446744073709551615");
	REFUSES(&number, "0x10000000000000000", ERANGE,
		"0x10000000000000000: must be at most 18446744073709551615");
	REFUSES(&number, "99999999999999999999999999999999999999999", ERANGE,
		"99999999999999999999999999999999999999999: must be at most "
		"18446744073709551615");
}

TEST(number, keeps_to_the_bounds_of_its_setting)
{
	static const struct attr prio = { .type = &type_number, .max = 7 };
	static const struct attr limit = {
		.type = &type_number, .min = 1, .max = 1000, .unit = "packets"
	};

	READS(&prio, "7", "7");
	REFUSES(&prio, "9", ERANGE, "9: must be 0 to 7");
	REFUSES(&limit, "0", ERANGE, "0: must be 1 to 1000 packets");
}

TEST(rate, reads_the_words_of_tc)
{
	READS(&rate, "10mbit", "10mbit");
	READS(&rate, "768Kbit", "768kbit");
	READS(&rate, "1000kbit", "1mbit");
	READS(&rate, "1.5mbit", "1500kbit");
	READS(&rate, ".5mbit", "500kbit");
	READS(&rate, "1.50000000000000000000000000mbit", "1500kbit");
	READS(&rate, "777777", "777777bit");
	READS(&rate, "0", "0bit");
	READS(&rate, "1tbit", "1tbit");
	READS(&rate, "1kibit", "1024bit");
	READS(&rate, "1Mibit", "1048576bit");
	READS(&rate, "1GiBit", "1073741824bit");
	READS(&rate, "1tibit", "1099511627776bit");
	READS(&rate, "0010kbit", "10kbit");
}

TEST(rate, counts_bps_as_bytes)
{
	READS(&rate, "1bps", "8bit");
	READS(&rate, "1kbps", "8kbit");
	READS(&rate, "10MBps", "80mbit");
	READS(&rate, "1gbps", "8gbit");
	READS(&rate, "1tbps", "8tbit");
	READS(&rate, "1KiBps", "8192bit");
	READS(&rate, "125mibps", "1048576kbit");
	READS(&rate, "1gibps", "8589934592bit");
	READS(&rate, "1tibps", "8796093022208bit");
}

TEST(rate, refuses_units_that_are_none)
{
	REFUSES(&rate, "10mbitt", EINVAL,
		"10mbitt: no such unit (bit, kbit, mbit, gbit, tbit; kbps... "
		"for bytes)");
	REFUSES(&rate, "10m", EINVAL,
		"10m: no such unit (bit, kbit, mbit, gbit, tbit; kbps... for "
		"bytes)");
	REFUSES(&rate, "10 mbit", EINVAL,
		"10 mbit: no such unit (bit, kbit, mbit, gbit, tbit; kbps... "
		"for bytes)");
	REFUSES(&rate, "1e3kbit", EINVAL,
		"1e3kbit: no such unit (bit, kbit, mbit, gbit, tbit; kbps... "
		"for bytes)");
	REFUSES(&rate, "50%", EINVAL,
		"50%: a rate is not a share; write it as 10mbit");
}

TEST(rate, refuses_what_is_no_number)
{
	REFUSES(&rate, "fast", EINVAL,
		"fast: not a number with a unit (10mbit, 768kbit)");
	REFUSES(&rate, "-1mbit", EINVAL,
		"-1mbit: not a number with a unit (10mbit, 768kbit)");
	REFUSES(&rate, "1.mbit", EINVAL,
		"1.mbit: not a number with a unit (10mbit, 768kbit)");
	REFUSES(&rate, ".", EINVAL,
		".: not a number with a unit (10mbit, 768kbit)");
	REFUSES(&rate, "1.2.3mbit", EINVAL,
		"1.2.3mbit: no such unit (bit, kbit, mbit, gbit, tbit; "
		"kbps... for bytes)");
	REFUSES(&rate, "inf", EINVAL,
		"inf: not a number with a unit (10mbit, 768kbit)");
	REFUSES(&rate, "nan", EINVAL,
		"nan: not a number with a unit (10mbit, 768kbit)");
}

TEST(rate, refuses_parts_of_a_bit)
{
	REFUSES(&rate, "1.0005kbit", EINVAL,
		"1.0005kbit: not a whole number of bit/s; try 1kbit");
	REFUSES(&rate, "1.1mibit", EINVAL,
		"1.1mibit: not a whole number of bit/s; try 1153433bit");
	REFUSES(&rate, "0.00000000000000000000000000000000000000000001tbit",
		EINVAL,
		"0.00000000000000000000000000000000000000000001tbit: not a "
		"whole number of bit/s; try 0bit");
}

TEST(rate, refuses_more_than_64_bits)
{
	READS(&rate, "18446744073709551615", "18446744073709551615bit");
	READS(&rate, "18446744.073709551615tbit", "18446744073709551615bit");
	REFUSES(&rate, "18446744073709551616", ERANGE,
		"18446744073709551616: more than 64 bits can hold");
	REFUSES(&rate, "18446745tbit", ERANGE,
		"18446745tbit: more than 64 bits can hold");
	REFUSES(&rate, "2305843009213693952bps", ERANGE,
		"2305843009213693952bps: more than 64 bits can hold");
	REFUSES(&rate, "18446744073709551615tibps", ERANGE,
		"18446744073709551615tibps: more than 64 bits can hold");
	REFUSES(&rate, "1.23456789012345678901234567890bit", ERANGE,
		"1.23456789012345678901234567890bit: more than 64 bits can "
		"hold");
}

TEST(rate, keeps_to_the_bounds_of_its_setting)
{
	static const struct attr least = { .type = &type_rate, .min = 8000 };
	static const struct attr both = { .type = &type_rate,
					  .min = 8000,
					  .max = 10000000000 };

	READS(&least, "8kbit", "8kbit");
	REFUSES(&least, "0", ERANGE, "0: must be at least 8kbit");
	REFUSES(&both, "7999bit", ERANGE, "7999bit: must be 8kbit to 10gbit");
	REFUSES(&both, "11gbit", ERANGE, "11gbit: must be 8kbit to 10gbit");
}

TEST(size, reads_the_words_of_tc)
{
	READS(&size, "1600", "1600");
	READS(&size, "1600b", "1600");
	READS(&size, "5k", "5k");
	READS(&size, "5KB", "5k");
	READS(&size, "5120", "5k");
	READS(&size, "1.5k", "1536");
	READS(&size, "2m", "2m");
	READS(&size, "2mb", "2m");
	READS(&size, "2048k", "2m");
	READS(&size, "1g", "1g");
	READS(&size, "1gb", "1g");
	READS(&size, "8kbit", "1k");
	READS(&size, "1kbit", "128");
	READS(&size, "8mbit", "1m");
	READS(&size, "8gbit", "1g");
	READS(&size, "0", "0");
}

TEST(size, refuses_the_rest)
{
	REFUSES(&size, "5kib", EINVAL,
		"5kib: no such unit (b, k, m, g, 1024s; kbit... for bits)");
	REFUSES(&size, "1.1k", EINVAL,
		"1.1k: not a whole number of bytes; try 1126");
	REFUSES(&size, "17179869184g", ERANGE,
		"17179869184g: more than 64 bits can hold");
	READS(&size, "17179869183g", "17179869183g");
}

TEST(duration, needs_a_unit)
{
	REFUSES(&duration, "10", EINVAL,
		"10: needs a unit (us, ms, s, min, h, d)");
	REFUSES(&duration, "5m", EINVAL,
		"5m: no such unit (us, ms, s, min, h, d)");
	READS(&duration, "0", "0us");
	READS(&duration, "0.0", "0us");
}

TEST(duration, is_written_with_the_largest_exact_unit)
{
	READS(&duration, "1.5s", "1500ms");
	READS(&duration, "90s", "90s");
	READS(&duration, "60000ms", "1min");
	READS(&duration, "60min", "1h");
	READS(&duration, "48h", "2d");
	READS(&duration, "1.0001s", "1000100us");
	READS(&duration, "0.5d", "12h");
	REFUSES(&duration, "0.5us", EINVAL,
		"0.5us: not a whole number of microseconds; try 0us");
	REFUSES(&duration, "213503983d", ERANGE,
		"213503983d: more than 64 bits can hold");
}

TEST(duration, keeps_to_the_bounds_of_its_setting)
{
	static const struct attr hold = { .type = &type_duration,
					  .min = 1000,
					  .max = 3600000000 };

	REFUSES(&hold, "0", ERANGE, "0: must be 1ms to 1h");
}

TEST(percent, counts_hundredths)
{
	static const struct attr share = { .type = &type_percent,
					   .max = 10000 };

	READS(&percent, "12.5%", "12.5%");
	READS(&percent, "12.05%", "12.05%");
	READS(&percent, "12.25%", "12.25%");
	READS(&percent, "12.50%", "12.5%");
	READS(&percent, "100%", "100%");
	READS(&percent, "0", "0%");
	CU_ASSERT_EQUAL(reading(&percent, "0.01%"), 1);
	REFUSES(&percent, "12.345%", EINVAL,
		"12.345%: not a whole number of hundredths of a percent; try "
		"12.34%");
	REFUSES(&percent, "0.5", EINVAL, "0.5: needs a unit (%)");
	REFUSES(&share, "100.01%", ERANGE, "100.01%: must be 0% to 100%");
}

TEST(quantity, survives_being_printed)
{
	for (int i = 0; i < 20000; i++) {
		uint64_t u = values_random();

		survives(&number, u);
		survives(&rate, u);
		survives(&size, u);
		survives(&duration, u);
		survives(&percent, u);
	}
	survives(&rate, UINT64_MAX);
	survives(&size, UINT64_MAX);
	survives(&duration, UINT64_MAX);
	survives(&percent, UINT64_MAX);
}

TEST(quantity, survives_being_printed_with_large_units)
{
	static const uint64_t units[] = { 1000,	   1024,     1000000,
					  1048576, 60000000, 1000000000 };

	for (int i = 0; i < 20000; i++) {
		uint64_t u = (values_random() & 0xffffffff) *
			     units[i % (int)ARRAY_SIZE(units)];

		survives(&rate, u);
		survives(&size, u);
		survives(&duration, u);
	}
}

TEST(quantity, prints_for_messages_as_the_types_do)
{
	AUTO_TEXT text = TEXT_NONE;

	rate_print(1500000, &text);
	text_put(&text, " ");
	size_print(5120, &text);
	text_put(&text, " ");
	duration_print(1500, &text);
	ASSERT_TEXT(text_get(&text), "1500kbit 5k 1500us");
}
