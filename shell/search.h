/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * search.h - Ctrl-R: a line typed before, found and chosen below the prompt.
 *
 *     find: ceil_
 *     > /classes/uplink/ssh set ceil=301kbit
 *       /classes/uplink/web set ceil=768kbit
 *     2 lines; Enter takes it, Esc gives the line back
 *
 * Keys go in and rows come out, so that both can be looked at without a
 * terminal. On one, only what lies below the cursor is written, with moves that
 * are counted from it: it need not be known where on the screen that is.
 */
#ifndef SHELL_SEARCH_H
#define SHELL_SEARCH_H

#include <stdbool.h>
#include <stddef.h>

#include "model/base/mem.h"
#include "model/base/text.h"

struct recall;
struct search;

enum searched {
	SEARCHED_NOT_YET,
	SEARCHED_LINE,	  /* search_line() is what they want */
	SEARCHED_NOTHING, /* the line as it was */
	SEARCHED_DROP,	  /* Ctrl-C: no line at all */
};

/* recall is borrowed, and must not change meanwhile. query is what to begin
 * with, as if it had been typed. */
struct search *search_new(const struct recall *recall, const char *query);
void search_free(struct search *search);
AUTO_DEFINE(search, struct search *, search_free)

/* key: see keys.h. */
enum searched search_key(struct search *search, int key);
/* What was typed so far. */
const char *search_query(const struct search *search);
/* The line that is chosen; NULL if nothing is found. */
const char *search_line(const struct search *search);
/* The rows below the query: at most so many, each of them narrower than width
 * and ended by a newline; how many there are. */
size_t search_rows(struct search *search, size_t rows, unsigned width,
		   bool colour, struct text *out);

/* On the terminal, while readline reads a line, which has to be empty then; the
 * caller calls rl_clear_message() in the end. *line is the chosen one, borrowed
 * from recall. */
enum searched search_run(const struct recall *recall, const char *query,
			 const char **line);

#endif
