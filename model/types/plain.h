/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * plain.h - text that can be shown: what it may hold, and how to quote it.
 *
 * Plain means valid UTF-8 without control characters (C0, DEL, C1). What an
 * operator or a file gave is not trusted to be plain; a message shows it by
 * PLAIN(), which is short and printable whatever came in.
 */
#ifndef MODEL_TYPES_PLAIN_H
#define MODEL_TYPES_PLAIN_H

#include <stddef.h>

struct err;

/* Bytes of the plain character at at; 0 where there is none. */
size_t plain_char(const char *at);

/* EINVAL and a sentence unless text is plain, 1 to max bytes of it. */
int plain_check(const char *text, size_t max, struct err *err);

#define PLAIN_ROOM 80

struct plain {
	char text[PLAIN_ROOM];
};

/* Other bytes become \xNN, what is too long ends in "...". Returns to->text. */
const char *plain_quote(struct plain *to, const char *text);

/* The same in place; lives as long as the block it is written in. */
#define PLAIN(bytes) plain_quote(&(struct plain){ "" }, bytes)

#endif
