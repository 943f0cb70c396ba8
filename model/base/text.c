/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "model/base/text.h"

#include <stdio.h>
#include <string.h>

#include "model/base/mem.h"

static size_t limit_of(const struct text *text)
{
	return text->limit ? text->limit : TEXT_LIMIT;
}

static bool reserve(struct text *text, size_t more)
{
	size_t limit = limit_of(text);
	size_t room = text->room ? text->room : 64;

	if (text->overflow || more >= limit || text->length >= limit - more) {
		text->overflow = true;
		return false;
	}
	if (text->length + more < text->room)
		return true;
	while (room <= text->length + more)
		room *= 2;
	text->bytes = mem_resize(text->bytes, room);
	text->room = room;
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

/* What is printed is short, mostly, and there is room for that. */
#define SHORT 40

void text_printf(struct text *text, const char *format, ...)
{
	va_list args, again;
	int wanted;
	size_t spare;

	if (text->overflow)
		return;
	if (text->length + SHORT < limit_of(text))
		reserve(text, SHORT);
	spare = text->room - text->length;
	va_start(args, format);
	va_copy(again, args);
	wanted = vsnprintf(text->bytes + text->length, spare, format, args);
	va_end(args);
	if (wanted > 0 && (size_t)wanted < spare)
		text->length += (size_t)wanted;
	else if (wanted > 0 && reserve(text, (size_t)wanted))
		text->length +=
			(size_t)vsnprintf(text->bytes + text->length,
					  (size_t)wanted + 1, format, again);
	va_end(again);
	if (text->bytes)
		text->bytes[text->length] = '\0';
}

void text_put_word(struct text *text, const char *word)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789@%_+=:,./-";

	if (word[0] && !word[strspn(word, plain)]) {
		text_put(text, word);
		return;
	}
	/* tc -batch has no other way to write one of these in a word. */
	if (strchr(word, '\'') && !strpbrk(word, "\"$`\\!")) {
		text_printf(text, "\"%s\"", word);
		return;
	}
	text_put_char(text, '\'');
	for (; *word; word++)
		if (*word == '\'')
			text_put(text, "'\\''");
		else
			text_put_char(text, *word);
	text_put_char(text, '\'');
}

void text_put_clock(struct text *text, time_t at)
{
	struct tm when;
	char clock[16];

	if (localtime_r(&at, &when) &&
	    strftime(clock, sizeof(clock), "%T", &when))
		text_put(text, clock);
}

void text_put_time(struct text *text, int64_t at_us)
{
	time_t seconds = (time_t)(at_us / 1000000);
	struct tm when;
	char stamp[64];

	if (localtime_r(&seconds, &when) &&
	    strftime(stamp, sizeof(stamp), "%F %T %z", &when))
		text_put(text, stamp);
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
