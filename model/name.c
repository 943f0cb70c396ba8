/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "model/name.h"

#include <string.h>

static int is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Compares two runs of digits by value and steps over both. */
static int compare_digits(const char **a, const char **b)
{
	size_t na, nb;
	int order;

	while (**a == '0' && is_digit((*a)[1]))
		(*a)++;
	while (**b == '0' && is_digit((*b)[1]))
		(*b)++;
	for (na = 0; is_digit((*a)[na]); na++)
		;
	for (nb = 0; is_digit((*b)[nb]); nb++)
		;
	if (na != nb)
		return na < nb ? -1 : 1;
	order = memcmp(*a, *b, na);
	*a += na;
	*b += nb;
	return order;
}

int name_compare(const char *a, const char *b)
{
	const char *whole_a = a, *whole_b = b;

	while (*a && *b) {
		int order;

		if (is_digit(*a) && is_digit(*b)) {
			order = compare_digits(&a, &b);
			if (order)
				return order;
			continue;
		}
		if (*a != *b)
			break;
		a++;
		b++;
	}
	if (*a != *b)
		return (unsigned char)*a < (unsigned char)*b ? -1 : 1;
	return strcmp(whole_a, whole_b); /* br01 and br1 are not the same */
}

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

#define LONGEST 64

/* Damerau's distance, restricted: three rows of the table are enough. */
unsigned name_distance(const char *a, const char *b, unsigned limit)
{
	unsigned rows[3][LONGEST + 1];
	size_t na = strlen(a), nb = strlen(b);

	if (na > LONGEST || nb > LONGEST)
		return limit + 1;
	for (size_t j = 0; j <= nb; j++)
		rows[0][j] = (unsigned)j;
	for (size_t i = 1; i <= na; i++) {
		unsigned *row = rows[i % 3], *up = rows[(i + 2) % 3],
			 *upup = rows[(i + 1) % 3];

		row[0] = (unsigned)i;
		for (size_t j = 1; j <= nb; j++) {
			row[j] = least(least(up[j], row[j - 1]) + 1,
				       up[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
			    a[i - 2] == b[j - 1])
				row[j] = least(row[j], upup[j - 2] + 1);
		}
	}
	return least(rows[na % 3][nb], limit + 1);
}

uint32_t name_hash(uint32_t seed, const void *bytes, size_t length)
{
	const unsigned char *at = bytes;

	for (size_t i = 0; i < length; i++)
		seed = (seed ^ at[i]) * 16777619u;
	return seed;
}
