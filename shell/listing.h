/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * listing.h - what TAB and ? show below the line.
 *
 *     rate=         now 64kbit: guaranteed (rate 8bit..4.3gbit)
 *     ceil=         now 300kbit: most it gets (rate|rate 8bit..4.3gbit)
 *
 * One a row, with what it is; where there are more than the screen has rows, in
 * columns without; where there are still more, the first of them.
 */
#ifndef SHELL_LISTING_H
#define SHELL_LISTING_H

#include <stdbool.h>
#include <stddef.h>

#include "model/base/text.h"
#include "shell/completion.h"

struct place;
struct words;

/* No line is wider than columns - 1, and there are at most rows - 2. Sizes of 0
 * count as 24 and 80. */
void listing_candidates(const struct completion *completion, unsigned rows,
			unsigned columns, struct text *out);

/* Is a ? typed here a question? It is where a word begins, where a value has
 * yet to begin (unless it is free text), and in a command or a path. Within
 * quotes, in a value and in a comment it is a character. words: as
 * words_read_typed() gives them. */
bool listing_asks(const struct place *place, const struct words *words,
		  char quote);
/* The answer: how the command is written, what the setting is, what can come
 * here. */
void listing_answer(const struct completion *completion, unsigned rows,
		    unsigned columns, struct text *out);

#endif
