/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "model/types/quantity.h"

#include <inttypes.h>
#include <string.h>
#include <strings.h>

#include "model/base/err.h"
#include "model/base/text.h"
#include "model/types/bounds.h"
#include "model/types/plain.h"
#include "model/value.h"

__extension__ typedef unsigned __int128 wide;

/* digits / 10^places */
struct decimal {
	uint64_t digits;
	size_t places;
};

static const char digit_chars[] = "0123456789";

static bool add_digits(struct decimal *to, const char *at, size_t count)
{
	for (; count; count--, at++)
		if (__builtin_mul_overflow(to->digits, 10, &to->digits) ||
		    __builtin_add_overflow(to->digits, (unsigned)(*at - '0'),
					   &to->digits))
			return false;
	return true;
}

/* -EINVAL: no number there; -ERANGE: too many digits. Moves past it. */
static int decimal_scan(const char **at, struct decimal *out)
{
	const char *whole = *at, *fraction = NULL;
	size_t wholes = strspn(whole, digit_chars), places = 0;

	*at += wholes;
	if (**at == '.') {
		fraction = *at + 1;
		places = strspn(fraction, digit_chars);
		if (!places)
			return -EINVAL;
		*at = fraction + places;
	}
	if (!wholes && !places)
		return -EINVAL;
	while (places && fraction[places - 1] == '0')
		places--;
	out->places = places;
	if (!add_digits(out, whole, wholes) ||
	    !add_digits(out, fraction, places))
		return -ERANGE;
	return 0;
}

/* The quotient of digits * times and 10^places; true if nothing is left. */
static bool decimal_scale(const struct decimal *decimal, uint64_t times,
			  wide *out)
{
	wide product = (wide)decimal->digits * times, rest = 0;

	for (size_t i = 0; i < decimal->places; i++) {
		rest |= product % 10;
		product /= 10;
	}
	*out = product;
	return !rest;
}

static const struct scale *scale_find(const struct scale *scales,
				      const char *name)
{
	for (; scales->name; scales++)
		if (!strcasecmp(scales->name, name))
			return scales;
	return NULL;
}

static int no_unit(const struct quantity *quantity, const char *text,
		   const char *unit, struct err *err)
{
	return err_set(err, EINVAL, "%s: %s unit (%s)", PLAIN(text),
		       *unit ? "no such" : "needs a", quantity->units);
}

static int too_large(const char *text, struct err *err)
{
	return err_set(err, ERANGE, "%s: more than 64 bits can hold",
		       PLAIN(text));
}

static int not_whole(const struct quantity *quantity, const char *text,
		     uint64_t below, struct err *err)
{
	AUTO_TEXT better = TEXT_NONE;

	quantity->print(below, &better);
	return err_set(err, EINVAL, "%s: not a whole number of %s; try %s",
		       PLAIN(text), quantity->base, text_get(&better));
}

/* The unit that stands behind the number; 0 needs none. */
static const struct scale *unit_find(const struct quantity *quantity,
				     const char *unit, bool is_zero)
{
	static const struct scale none = { "", 1, false };
	const struct scale *scale = scale_find(quantity->scales, unit);

	return !scale && !*unit && is_zero ? &none : scale;
}

static int quantity_scan(const struct quantity *quantity, const char *text,
			 uint64_t *out, struct err *err)
{
	struct decimal decimal = { 0, 0 };
	const struct scale *scale;
	const char *unit = text;
	wide u;
	int rc = decimal_scan(&unit, &decimal);
	bool whole;

	if (rc == -EINVAL)
		return err_set(err, EINVAL, "%s: not a number with a unit (%s)",
			       PLAIN(text), quantity->example);
	scale = unit_find(quantity, unit, rc == 0 && !decimal.digits);
	if (!scale)
		return no_unit(quantity, text, unit, err);
	if (rc == -ERANGE)
		return too_large(text, err);
	whole = decimal_scale(&decimal, scale->times, &u);
	if (u > UINT64_MAX)
		return too_large(text, err);
	*out = (uint64_t)u;
	return whole ? 0 : not_whole(quantity, text, *out, err);
}

int quantity_parse(const struct quantity *quantity, const struct attr *attr,
		   const char *text, struct value *out, struct err *err)
{
	uint64_t u = 0;
	int rc = quantity_scan(quantity, text, &u, err);

	if (rc == 0)
		rc = bounds_check(attr, u, quantity->print, text, err);
	if (rc < 0)
		return rc;
	*out = (struct value){ .u = u };
	return 0;
}

void quantity_print(const struct scale *scales, uint64_t u, struct text *out)
{
	const struct scale *best = NULL;

	for (; scales->name; scales++) {
		if (!scales->prints)
			continue;
		best = scales;
		if (u && u % scales->times == 0)
			break;
	}
	text_printf(out, "%" PRIu64 "%s", u / best->times, best->name);
}
