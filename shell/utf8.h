/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * utf8.h - characters as a terminal shows them: how long, how wide, how safe.
 *
 * Everything that reaches a terminal goes through utf8_safe(): a name or a
 * description must not move somebody's cursor.
 */
#ifndef SHELL_UTF8_H
#define SHELL_UTF8_H

#include <stddef.h>
#include <stdbool.h>
#include <stdint.h>

#include "model/base/text.h"

/* Sets LC_CTYPE so that widths are known, and says if the user's own locale
 * reads UTF-8. Once, at the start. */
bool utf8_start(void);

/* Bytes of the character at text (1..4); 0 if there is no valid one within
 * length. Overlong forms, surrogates and what is past U+10FFFF are not valid.
 */
size_t utf8_next(const char *text, size_t length, uint32_t *code);
/* Characters that act instead of showing: C0, DEL, C1, line and paragraph
 * separators, and the controls that turn the direction of writing. */
bool utf8_is_control(uint32_t code);

/* Columns on a terminal. */
size_t utf8_width(const char *text);
/* Bytes of the longest beginning that fits into so many columns. */
size_t utf8_fit(const char *text, size_t columns);
/* text, or what is left of it when it has to fit: the end is cut away, or the
 * middle. mark stands for what is missing. */
void utf8_cut_end(const char *text, size_t columns, const char *mark,
		  struct text *out);
void utf8_cut_middle(const char *text, size_t columns, const char *mark,
		     struct text *out);

/* Writes text with every control, and every byte that is no UTF-8, as \xNN or
 * \u{NNNN}. */
void utf8_safe(const char *text, struct text *out);

#endif
