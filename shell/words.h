/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * words.h - a line, cut into words.
 *
 *     /paths create adsl0 device=wan0 description="two words"   # comment
 *
 * Blanks separate. "..." knows \" \\ and \t, '...' takes everything as it is, a
 * backslash outside takes the next character as it is; # at the beginning of a
 * word starts a comment, and a | between blanks leads to a filter. What cannot
 * be read (an open quote, bytes that are no UTF-8, control characters) is an
 * error with a place: a line is read whole or not at all.
 *
 * The words of a command line come from the calling shell already cut, and stay
 * as they are.
 */
#ifndef SHELL_WORDS_H
#define SHELL_WORDS_H

#include <stdbool.h>
#include <stddef.h>

#include "model/base/err.h"
#include "model/base/text.h"

struct word {
	char *text; /* without its quotes; in the memory of its words */
	/* Bytes of KEY in KEY=VALUE; 0 for a plain value. The = and what stands
	 * before it were not quoted, so "a=b" in quotes is a plain value. */
	size_t key;
	size_t start; /* in the line, in bytes */
	bool pipe;    /* a | of its own, not quoted: a filter follows */
};

struct words {
	struct word *items; /* owned */
	size_t count, room;
	char *bytes; /* owned: all texts, one behind the other */
	size_t used, size;
};

#define WORDS_NONE                                                             \
	{                                                                      \
		NULL, 0, 0, NULL, 0, 0                                         \
	}
#define LINE_LIMIT (1u << 20) /* bytes; longer ones are refused */

/* Appends the words of a line. On failure (EINVAL) *at is the byte where it
 * cannot be read, and nothing was appended. The line need not be terminated. */
int words_read(struct words *words, const char *line, size_t length, size_t *at,
	       struct err *err);
/* True if a glance shows that words_read() can read it, and finds words; what
 * has a backslash or a comment takes more than a glance. */
bool words_readable(const char *line, size_t length);
/* The same for a line that is still being typed: always ends with one more
 * word, the unfinished one, which may be empty. *quote is the quote it stands
 * in, or 0. False in a comment, and where words_read() would fail. */
bool words_read_typed(struct words *words, const char *line, size_t length,
		      char *quote);
/* Appends a word as it is; EINVAL if it is no UTF-8 or has control characters.
 */
int words_add(struct words *words, const char *text, struct err *err);
void words_clear(struct words *words);
/* None are left, but their memory is, for those of the next line. */
void words_empty(struct words *words);
#define AUTO_WORDS __attribute__((cleanup(words_clear))) struct words

/* What words_read() turns back into text: one word, quoted where needed. */
void word_print(const char *text, struct text *out);
/* The beginning of such a word: an opened quote is not closed. quote is the one
 * to open, 0 to decide by need. */
void word_print_open(const char *text, char quote, struct text *out);

/* The line, and under it a caret below the column of byte at; what does not fit
 * into width columns is cut. Both lines are indented by four. */
void caret_print(const char *line, size_t length, size_t at, size_t width,
		 struct text *out);

#endif
