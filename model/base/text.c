/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "model/base/text.h"

#include <stdio.h>
#include <string.h>

#include "model/base/mem.h"

static bool reserve(struct text *text, size_t more)
{
	size_t limit = text->limit ? text->limit : TEXT_LIMIT;
	size_t room = text->room ? text->room : 64;

	if (text->overflow || more >= limit || text->length >= limit - more) {
		text->overflow = true;
		return false;
	}
	if (text->length + more < text->room)
		return true;
	while (room <= text->length + more)
		room *= 2;
	text->room = text->bytes ? text->room : 0;
	while (text->room < room)
		text->bytes = mem_grow(text->bytes, text->room, &text->room, 1);
	return true;
}

void text_put_bytes(struct text *text, const void *bytes, size_t length)
{
	if (!reserve(text, length))
		return;
	if (length)
		memcpy(text->bytes + text->length, bytes, length);
	text->length += length;
	text->bytes[text->length] = '\0';
}

void text_put(struct text *text, const char *bytes)
{
	text_put_bytes(text, bytes, strlen(bytes));
}

void text_put_char(struct text *text, char c)
{
	text_put_bytes(text, &c, 1);
}

void text_fill(struct text *text, char c, size_t count)
{
	if (!reserve(text, count))
		return;
	memset(text->bytes + text->length, c, count);
	text->length += count;
	text->bytes[text->length] = '\0';
}

void text_printf(struct text *text, const char *format, ...)
{
	va_list args;
	char *more;

	va_start(args, format);
	more = mem_vprintf(format, args);
	va_end(args);
	text_put(text, more);
	free(more);
}

const char *text_get(const struct text *text)
{
	return text->bytes ? text->bytes : "";
}

char *text_take(struct text *text)
{
	char *bytes = text->bytes ? text->bytes : mem_strdup("");

	text->bytes = NULL;
	text->length = text->room = 0;
	text->overflow = false;
	return bytes;
}

void text_cut(struct text *text, size_t length)
{
	if (length >= text->length)
		return;
	text->length = length;
	text->bytes[length] = '\0';
}

bool text_overflowed(const struct text *text)
{
	return text->overflow;
}

void text_clear(struct text *text)
{
	free(text->bytes);
	text->bytes = NULL;
	text->length = text->room = 0;
	text->overflow = false;
}
