/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Runs the unit tests; the last line is the count that tests/run adds up. */
#include <CUnit/Basic.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/unit.h"

static struct unit *units;

void unit_register(struct unit *unit)
{
	struct unit **at = &units;

	while (*at)
		at = &(*at)->next;
	*at = unit;
}

void unit_text(const char *file, unsigned line, const char *got,
	       const char *expected)
{
	bool same = got && expected && !strcmp(got, expected);

	if (!same)
		fprintf(stderr, "%s:%u\n  expected: %s\n  got:      %s\n", file,
			line, expected ? expected : "(null)",
			got ? got : "(null)");
	CU_assertImplementation(same, line, expected ? expected : "(null)",
				file, "", CU_FALSE);
}

/* Tests that were skipped; one test may say so more than once. */
static unsigned skipped;
static const char *last_skipped;

void unit_skip(const char *format, ...)
{
	const CU_pTest test = CU_get_current_test();
	va_list args;

	printf("\nskip - %s: ", test->pName);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\n");
	if (last_skipped != test->pName)
		skipped++;
	last_skipped = test->pName;
}

static bool wanted(const struct unit *unit, int count, char **names)
{
	for (int i = 1; i < count; i++)
		if (!strcmp(names[i], unit->suite))
			return true;
	return count < 2;
}

static CU_pSuite suite_of(const char *name)
{
	CU_pSuite suite = CU_get_suite(name);

	return suite ? suite : CU_add_suite(name, NULL, NULL);
}

int main(int argc, char **argv)
{
	unsigned failed, run;

	if (CU_initialize_registry() != CUE_SUCCESS)
		return 2;
	for (const struct unit *unit = units; unit; unit = unit->next)
		if (wanted(unit, argc, argv))
			CU_add_test(suite_of(unit->suite), unit->name,
				    unit->run);
	CU_basic_set_mode(CU_BRM_NORMAL);
	CU_basic_run_tests();
	failed = CU_get_number_of_tests_failed();
	run = CU_get_number_of_tests_run();
	CU_cleanup_registry();
	printf("%u passed, %u failed, %u skipped\n", run - failed - skipped,
	       failed, skipped);
	return failed || !run ? 1 : 0;
}
