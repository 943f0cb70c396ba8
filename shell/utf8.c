/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "shell/utf8.h"

#include <langinfo.h>
#include <locale.h>
#include <string.h>
#include <wchar.h>

bool utf8_start(void)
{
	if (setlocale(LC_CTYPE, "") && !strcmp(nl_langinfo(CODESET), "UTF-8"))
		return true;
	/* Built into glibc since 2.35: no file is read. Only for wcwidth(). */
	setlocale(LC_CTYPE, "C.UTF-8");
	return false;
}

static size_t length_of(unsigned char lead, uint32_t *code)
{
	if (lead < 0x80) {
		*code = lead;
		return 1;
	}
	if (lead >= 0xc2 && lead < 0xe0) {
		*code = lead & 0x1f;
		return 2;
	}
	if (lead >= 0xe0 && lead < 0xf0) {
		*code = lead & 0x0f;
		return 3;
	}
	if (lead >= 0xf0 && lead < 0xf5) {
		*code = lead & 0x07;
		return 4;
	}
	return 0;
}

static bool is_valid(uint32_t code, size_t size)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };

	return code >= least[size] && code <= 0x10ffff &&
	       (code < 0xd800 || code > 0xdfff);
}

size_t utf8_next(const char *text, size_t length, uint32_t *code)
{
	const unsigned char *bytes = (const unsigned char *)text;
	uint32_t found = 0;
	size_t size = length ? length_of(bytes[0], &found) : 0;

	if (!size || size > length)
		return 0;
	for (size_t i = 1; i < size; i++) {
		if ((bytes[i] & 0xc0) != 0x80)
			return 0;
		found = found << 6 | (bytes[i] & 0x3f);
	}
	if (!is_valid(found, size))
		return 0;
	*code = found;
	return size;
}

bool utf8_is_control(uint32_t code)
{
	return code < 0x20 || (code >= 0x7f && code < 0xa0) || code == 0x61c ||
	       code == 0x200e || code == 0x200f ||
	       (code >= 0x2028 && code <= 0x202e) ||
	       (code >= 0x2066 && code <= 0x2069) || code == 0xfeff;
}

static size_t columns_of(uint32_t code)
{
	int width;

	if (code >= 0x20 && code < 0x7f)
		return 1;
	width = wcwidth((wchar_t)code);
	return width < 0 ? 1 : (size_t)width;
}

/* A byte that is no character counts as one column. */
static size_t step(const char *text, size_t left, size_t *columns)
{
	uint32_t code = 0;
	size_t size = utf8_next(text, left, &code);

	*columns = size ? columns_of(code) : 1;
	return size ? size : 1;
}

/* The common case: as many columns as bytes. */
static bool is_plain(const char *text, size_t *length)
{
	const char *at = text;

	while (*at >= 0x20 && *at < 0x7f)
		at++;
	*length = (size_t)(at - text);
	return !*at;
}

size_t utf8_width(const char *text)
{
	size_t left, width = 0, columns, size;

	if (is_plain(text, &left))
		return left;
	left = strlen(text);
	for (; left; text += size, left -= size) {
		size = step(text, left, &columns);
		width += columns;
	}
	return width;
}

size_t utf8_fit(const char *text, size_t columns)
{
	size_t length = strlen(text), at = 0, width = 0, wide, size;

	while (at < length) {
		size = step(text + at, length - at, &wide);
		if (width + wide > columns)
			break;
		width += wide;
		at += size;
	}
	return at;
}

/* Where the last so many columns begin. */
static size_t fit_from_end(const char *text, size_t columns)
{
	size_t width = utf8_width(text), length = strlen(text), at = 0, wide;

	while (at < length && width > columns) {
		at += step(text + at, length - at, &wide);
		width -= wide;
	}
	return at;
}

void utf8_cut_end(const char *text, size_t columns, const char *mark,
		  struct text *out)
{
	size_t gap = utf8_width(mark);

	if (utf8_width(text) <= columns) {
		text_put(out, text);
	} else if (gap >= columns) {
		text_put_bytes(out, mark, utf8_fit(mark, columns));
	} else {
		text_put_bytes(out, text, utf8_fit(text, columns - gap));
		text_put(out, mark);
	}
}

void utf8_cut_middle(const char *text, size_t columns, const char *mark,
		     struct text *out)
{
	size_t gap = utf8_width(mark), half;

	if (utf8_width(text) <= columns) {
		text_put(out, text);
	} else if (columns < gap + 2) {
		utf8_cut_end(text, columns, mark, out);
	} else {
		half = (columns - gap) / 2;
		text_put_bytes(out, text, utf8_fit(text, columns - gap - half));
		text_put(out, mark);
		text_put(out, text + fit_from_end(text, half));
	}
}

void utf8_safe(const char *text, struct text *out)
{
	size_t left, size;
	uint32_t code = 0;

	if (is_plain(text, &left)) {
		text_put_bytes(out, text, left);
		return;
	}
	left = strlen(text);
	for (; left; text += size, left -= size) {
		size = utf8_next(text, left, &code);
		if (size && !utf8_is_control(code)) {
			text_put_bytes(out, text, size);
		} else if (size > 1) {
			text_printf(out, "\\u{%x}", (unsigned)code);
		} else {
			text_printf(out, "\\x%02x", (unsigned char)*text);
			size = 1;
		}
	}
}
