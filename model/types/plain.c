/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "model/types/plain.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "model/base/err.h"
#include "model/base/mem.h"

enum { QUOTE_MAX = 60 };

/* First byte and mask of the forms of RFC 3629, and the least code point that
 * needs that many bytes: less is an overlong form. */
static const struct form {
	uint8_t mask, lead;
	uint32_t least;
} forms[] = {
	{ 0x80, 0x00, 0 },
	{ 0xe0, 0xc0, 0x80 },
	{ 0xf0, 0xe0, 0x800 },
	{ 0xf8, 0xf0, 0x10000 },
};

/* Bytes of the UTF-8 character at at, 0 if it is none. */
static size_t decode(const char *at, uint32_t *code)
{
	uint8_t lead = (uint8_t)*at;
	size_t length = 1;

	while (length <= ARRAY_SIZE(forms) &&
	       (lead & forms[length - 1].mask) != forms[length - 1].lead)
		length++;
	if (length > ARRAY_SIZE(forms))
		return 0;
	*code = lead & (uint8_t)~forms[length - 1].mask;
	for (size_t i = 1; i < length; i++) {
		if (((uint8_t)at[i] & 0xc0) != 0x80)
			return 0; /* the terminator, too */
		*code = *code << 6 | ((uint8_t)at[i] & 0x3f);
	}
	if (*code < forms[length - 1].least || *code > 0x10ffff ||
	    (*code >= 0xd800 && *code <= 0xdfff))
		return 0;
	return length;
}

static bool is_control(uint32_t code)
{
	return code < 0x20 || (code >= 0x7f && code < 0xa0);
}

size_t plain_char(const char *at)
{
	uint32_t code = 0;
	size_t length = decode(at, &code);

	return is_control(code) ? 0 : length;
}

int plain_check(const char *text, size_t max, struct err *err)
{
	const char *at = text;
	uint32_t code;
	size_t length;

	if (!*text)
		return err_set(err, EINVAL, "empty text");
	if (strlen(text) > max)
		return err_set(err, EINVAL, "%s: longer than %zu bytes",
			       PLAIN(text), max);
	for (; *at; at += length) {
		length = decode(at, &code);
		if (!length)
			return err_set(err, EINVAL, "%s: not valid UTF-8",
				       PLAIN(text));
		if (is_control(code))
			return err_set(err, EINVAL,
				       "%s: control characters cannot stand "
				       "here",
				       PLAIN(text));
	}
	return 0;
}

/* One character, or one byte as \xNN. Returns the bytes of text it stands
 * for. */
static size_t piece_quote(char *piece, size_t room, const char *text)
{
	size_t length = plain_char(text);

	if (!length) {
		snprintf(piece, room, "\\x%02x", (unsigned)(uint8_t)*text);
		return 1;
	}
	snprintf(piece, room, "%.*s", (int)length, text);
	return length;
}

const char *plain_quote(struct plain *to, const char *text)
{
	size_t used = 0;
	char piece[8];

	if (!*text)
		text = "\"\"";
	while (*text) {
		text += piece_quote(piece, sizeof(piece), text);
		if (used + strlen(piece) > QUOTE_MAX) {
			memcpy(to->text + used, "...", 3);
			used += 3;
			break;
		}
		memcpy(to->text + used, piece, strlen(piece));
		used += strlen(piece);
	}
	to->text[used] = '\0';
	return to->text;
}
