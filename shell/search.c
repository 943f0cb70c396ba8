/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "shell/search.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <readline/readline.h>

#include "shell/keys.h"
#include "shell/pause.h"
#include "shell/recall.h"
#include "shell/screen.h"
#include "shell/utf8.h"

enum {
	MOST_FOUND = RECALL_LINES,
	MOST_ROWS = 10,
	LONGEST_QUERY = 200,
};

#define PROMPT "find: "

struct search {
	const struct recall *recall;
	struct text query;
	size_t found[MOST_FOUND];
	size_t count;
	size_t cursor, top; /* into found */
	size_t page;	    /* rows of lines, as of the last drawing */
};

/* ---- what is found ---- */

static void find(struct search *search)
{
	search->cursor = search->top = 0;
	search->count = recall_search(search->recall, text_get(&search->query),
				      search->found, MOST_FOUND);
}

struct search *search_new(const struct recall *recall, const char *query)
{
	struct search *search = mem_alloc(sizeof(*search));

	search->recall = recall;
	search->page = 1;
	if (strlen(query) <= LONGEST_QUERY)
		text_put(&search->query, query);
	find(search);
	return search;
}

void search_free(struct search *search)
{
	text_clear(&search->query);
	free(search);
}

const char *search_query(const struct search *search)
{
	return text_get(&search->query);
}

const char *search_line(const struct search *search)
{
	return search->count ? recall_line(search->recall,
					   search->found[search->cursor])
			     : NULL;
}

/* ---- keys ---- */

static void move_by(struct search *search, long by)
{
	long last = (long)search->count - 1;
	long to = (long)search->cursor + by;

	to = to > last ? last : to;
	search->cursor = to < 0 ? 0 : (size_t)to;
}

/* A whole character. */
static void erase(struct search *search)
{
	size_t length = search->query.length;

	while (length &&
	       ((unsigned char)search->query.bytes[--length] & 0xc0) == 0x80)
		;
	text_cut(&search->query, length);
	find(search);
}

static void empty(struct search *search)
{
	text_cut(&search->query, 0);
	find(search);
}

static void type(struct search *search, int key)
{
	if (key < ' ' || key == 127 || key > 255 ||
	    search->query.length == LONGEST_QUERY)
		return;
	text_put_char(&search->query, (char)key);
	find(search);
}

enum searched search_key(struct search *search, int key)
{
	long page = (long)search->page;

	switch (key) {
	case KEY_ENTER:
	case KEY_RIGHT:
	case '\t': return search->count ? SEARCHED_LINE : SEARCHED_NOT_YET;
	case KEY_ESCAPE:
	case KEY_CTRL('g'):
	case KEY_CTRL('d'): return SEARCHED_NOTHING;
	case KEY_CTRL('c'): return SEARCHED_DROP;
	case KEY_CTRL('r'):
	case KEY_DOWN: move_by(search, 1); break;
	case KEY_CTRL('s'):
	case KEY_UP: move_by(search, -1); break;
	case KEY_PAGE_DOWN: move_by(search, page); break;
	case KEY_PAGE_UP: move_by(search, -page); break;
	case KEY_BACKSPACE: erase(search); break;
	case KEY_CTRL('u'): empty(search); break;
	default: type(search, key);
	}
	return SEARCHED_NOT_YET;
}

/* ---- rows ---- */

static void put_hint(const struct search *search, unsigned width,
		     struct text *out)
{
	AUTO_TEXT hint = TEXT_NONE;

	text_printf(&hint, "%zu line%s; Enter takes it, Esc gives yours back",
		    search->count, search->count == 1 ? "" : "s");
	utf8_cut_end(search->count ? text_get(&hint)
				   : "nothing is found; Esc gives yours back",
		     width - 1, "...", out);
	text_put_char(out, '\n');
}

static void put_line(const struct search *search, size_t at, unsigned width,
		     bool colour, struct text *out)
{
	bool marked = at == search->cursor;
	AUTO_TEXT row = TEXT_NONE;

	text_put(&row, marked ? "> " : "  ");
	utf8_safe(recall_line(search->recall, search->found[at]), &row);
	text_put(out, marked && colour ? "\033[7m" : "");
	utf8_cut_end(text_get(&row), width - 1, "...", out);
	text_put(out, marked && colour ? "\033[m\n" : "\n");
}

size_t search_rows(struct search *search, size_t rows, unsigned width,
		   bool colour, struct text *out)
{
	size_t page = rows > 1 ? rows - 1 : 1, end;

	search->page = page;
	if (search->cursor < search->top)
		search->top = search->cursor;
	if (search->cursor >= search->top + page)
		search->top = search->cursor - page + 1;
	end = search->top + page < search->count ? search->top + page
						 : search->count;
	for (size_t i = search->top; i < end; i++)
		put_line(search, i, width, colour, out);
	if (rows < 2 && search->count)
		return end - search->top;
	put_hint(search, width, out);
	return end - search->top + 1;
}

/* ---- the terminal ---- */

/* Below the cursor, which comes back to where it was. */
static void draw(struct search *search)
{
	unsigned height = screen_height(), width = screen_width();
	size_t most = height > MOST_ROWS + 3 ? MOST_ROWS + 1 : height - 2;
	size_t column = sizeof(PROMPT) - 1, rows;
	AUTO_TEXT safe = TEXT_NONE, query = TEXT_NONE, below = TEXT_NONE;

	utf8_safe(search_query(search), &safe);
	utf8_cut_middle(text_get(&safe), width - column - 2, "...", &query);
	rl_message(PROMPT "%s", text_get(&query));
	column += utf8_width(text_get(&query));
	rows = search_rows(search, most, width, screen_has_colour(), &below);
	fputs("\033[J", rl_outstream);
	for (const char *at = text_get(&below); *at;) {
		size_t length = strcspn(at, "\n");

		fprintf(rl_outstream, "\r\n%.*s", (int)length, at);
		at += length + 1;
	}
	fprintf(rl_outstream, "\033[%zuA\r\033[%zuC", rows, column);
	fflush(rl_outstream);
}

static enum searched choose(struct search *search, const struct pause *pause)
{
	enum searched searched = SEARCHED_NOT_YET;

	while (searched == SEARCHED_NOT_YET) {
		draw(search);
		switch (pause_for_input(pause, STDIN_FILENO,
					pause_now_us() + 3600000000u)) {
		case WAITED_ENDED: searched = SEARCHED_DROP; break;
		case WAITED_REDRAW: rl_resize_terminal(); break;
		case WAITED:
			if (keys_waiting())
				searched = search_key(search, keys_read(pause));
		}
	}
	return searched;
}

enum searched search_run(const struct recall *recall, const char *query,
			 const char **line)
{
	AUTO(search) struct search *search = search_new(recall, query);
	enum searched searched;
	sigset_t held, was;
	struct pause pause;

	sigemptyset(&held);
	sigaddset(&held, SIGQUIT);
	sigaddset(&held, SIGTSTP);
	sigprocmask(SIG_BLOCK, &held, &was);
	pause_begin(&pause);
	searched = choose(search, &pause);
	fputs("\033[J", rl_outstream);
	pause_end(&pause);
	sigprocmask(SIG_SETMASK, &was, NULL);
	*line = searched == SEARCHED_LINE ? search_line(search) : NULL;
	return searched;
}
