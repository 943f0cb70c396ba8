/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * values.h - checks that every type of values has to pass.
 *
 * READS() also proves the promises of model/value.h: what is printed is read
 * back to an equal value and printed the same, and copies are equal and their
 * own. REFUSES() also proves that the value was left alone.
 */
#ifndef TESTS_UNIT_VALUES_H
#define TESTS_UNIT_VALUES_H

#include <stdint.h>

#include "model/kind.h"

#define READS(attr, text, canonical)                                           \
	values_read(__FILE__, __LINE__, attr, text, canonical)
#define REFUSES(attr, text, code, sentence)                                    \
	values_refuse(__FILE__, __LINE__, attr, text, code, sentence)
/* Candidates for what is typed so far, in order: "tcp udp ". */
#define OFFERS(attr, prefix, expected)                                         \
	values_offer(__FILE__, __LINE__, attr, prefix, expected)

void values_read(const char *file, unsigned line, const struct attr *attr,
		 const char *text, const char *canonical);
void values_refuse(const char *file, unsigned line, const struct attr *attr,
		   const char *text, int code, const char *sentence);
void values_offer(const char *file, unsigned line, const struct attr *attr,
		  const char *prefix, const char *expected);

/* The same numbers in every run, of all magnitudes. */
uint64_t values_random(void);

#endif
