/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * text.h - text that grows, up to a stated limit.
 *
 * A text is always terminated. Past its limit it takes nothing more and
 * text_overflowed() says so: what comes from outside cannot eat the machine.
 */
#ifndef MODEL_BASE_TEXT_H
#define MODEL_BASE_TEXT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

struct text {
	char *bytes; /* owned; NULL until something is put in */
	size_t length;
	size_t room;
	size_t limit; /* 0: TEXT_LIMIT */
	bool overflow;
};

#define TEXT_LIMIT (256u << 20)
#define TEXT_NONE                                                              \
	{                                                                      \
		NULL, 0, 0, 0, false                                           \
	}

void text_put(struct text *text, const char *bytes);
void text_put_bytes(struct text *text, const void *bytes, size_t length);
void text_put_char(struct text *text, char c);
void text_fill(struct text *text, char c, size_t count);
void text_printf(struct text *text, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* One word of a POSIX shell, and of tc -batch, in quotes where it takes some:
 * wan0, 'a;b'. */
void text_put_word(struct text *text, const char *word);
/* The time of day at some seconds of time(), where we are: 14:02:11. */
void text_put_clock(struct text *text, time_t at);
/* With the day, of microseconds since 1970: 2026-11-22 03:04:05 +0100. */
void text_put_time(struct text *text, int64_t at_us);
/* The content; "" while empty. Borrowed until the next change. */
const char *text_get(const struct text *text);
/* The content, now the caller's; the text is empty again. */
char *text_take(struct text *text);
/* Shortens to length; longer is left alone. */
void text_cut(struct text *text, size_t length);
bool text_overflowed(const struct text *text);
void text_clear(struct text *text);

#define AUTO_TEXT __attribute__((cleanup(text_clear))) struct text

#endif
