/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "model/types/scan.h"

#include <inttypes.h>
#include <string.h>

#include "model/base/err.h"
#include "model/types/plain.h"

static unsigned digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned)(c - '0');
	if (c >= 'a' && c <= 'f')
		return (unsigned)(c - 'a') + 10;
	if (c >= 'A' && c <= 'F')
		return (unsigned)(c - 'A') + 10;
	return ~0u;
}

bool scan_is_octal(const char *text)
{
	return text[0] == '0' && digit_of(text[1]) < 10;
}

int scan_digits(const char **at, unsigned base, uint64_t max, uint64_t *out)
{
	const char *start = *at;
	uint64_t value = 0;
	bool over = false;

	for (; digit_of(**at) < base; ++*at) {
		over = over || __builtin_mul_overflow(value, base, &value) ||
		       __builtin_add_overflow(value, digit_of(**at), &value);
	}
	if (*at == start || (base == 10 && scan_is_octal(start)))
		return -EINVAL;
	if (over || value > max)
		return -ERANGE;
	*out = value;
	return 0;
}

static bool is_hex(const char *text)
{
	return text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
}

int scan_number(const char *text, uint64_t max, uint64_t *out, struct err *err)
{
	const char *at = is_hex(text) ? text + 2 : text;
	uint64_t value = 0;
	int rc = scan_digits(&at, is_hex(text) ? 16 : 10, max, &value);

	if (scan_is_octal(text))
		return err_set(err, EINVAL,
			       "%s: a leading zero could mean octal; write it "
			       "without",
			       PLAIN(text));
	if (rc == -EINVAL || *at)
		return err_set(err, EINVAL, "%s: not a number (as 10 or 0xa)",
			       PLAIN(text));
	if (rc == -ERANGE)
		return err_set(err, ERANGE, "%s: must be at most %" PRIu64,
			       PLAIN(text), max);
	*out = value;
	return 0;
}
