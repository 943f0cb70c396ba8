/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * unit.h - a unit test is a function whose name reads as a sentence.
 *
 *     TEST(rate, reads_kbit_as_a_thousand_bits)
 *     {
 *             CU_ASSERT_EQUAL(...);
 *     }
 *
 * It registers itself with CUnit, in the suite named first; main.c runs all, or
 * the suites named on its command line.
 */
#ifndef TESTS_UNIT_UNIT_H
#define TESTS_UNIT_UNIT_H

#include <CUnit/CUnit.h>

struct unit {
	const char *suite, *name;
	void (*run)(void);
	struct unit *next;
};
void unit_register(struct unit *unit);

#define TEST(suite, name)                                                      \
	static void test_##suite##_##name(void);                               \
	static struct unit unit_##suite##_##name = { #suite, #name,            \
						     test_##suite##_##name,    \
						     NULL };                   \
	static __attribute__((constructor)) void reg_##suite##_##name(void)    \
	{                                                                      \
		unit_register(&unit_##suite##_##name);                         \
	}                                                                      \
	static void test_##suite##_##name(void)

/* Says why the running test cannot be done here; it is then counted as skipped,
 * unless an assertion of it failed. The caller returns. */
void unit_skip(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Compares texts and shows both when they differ. */
#define ASSERT_TEXT(got, expected) unit_text(__FILE__, __LINE__, got, expected)
void unit_text(const char *file, unsigned line, const char *got,
	       const char *expected);

#endif
