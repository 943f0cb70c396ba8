/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * space.h - tests in a network namespace that is thrown away behind them.
 *
 * The test is a job for host_throw_away(): it runs in a child, where CUnit
 * counts nothing, and writes into answer what is wrong. EXPECT() does that,
 * with the place and what `err` (of that name) says.
 */
#ifndef TESTS_UNIT_SPACE_H
#define TESTS_UNIT_SPACE_H

#include <stddef.h>
#include <stdio.h>

/* What a job returns that cannot be done here; why is its answer. */
enum { SPACE_CANNOT = 77 };

#define EXPECT(condition)                                                      \
	do {                                                                   \
		if (!(condition)) {                                            \
			snprintf(answer, size, "line %d: %s [%s]", __LINE__,   \
				 #condition, err.text ? err.text : "");        \
			return 1;                                              \
		}                                                              \
	} while (0)

typedef int space_job(void *arg, void *answer, size_t size);

/* Nothing has to be wrong. Without namespaces here the test counts as skipped.
 */
void in_namespace(space_job *job);
/* With an argument, and another answer that is expected than none. */
void in_namespace_with(space_job *job, void *arg, const char *expected);
/* "return space_cannot(answer, size, why);" */
int space_cannot(void *answer, size_t size, const char *why);

#endif
