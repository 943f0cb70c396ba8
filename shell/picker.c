/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "shell/picker.h"

#include <signal.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "model/node.h"
#include "shell/keys.h"
#include "shell/pause.h"
#include "shell/screen.h"
#include "shell/terminal.h"
#include "shell/utf8.h"

struct place_row {
	struct node *node;
	unsigned level;
};

struct picker {
	struct place_row *rows; /* owned; the whole tree */
	size_t count, room;
	size_t *shown; /* owned; indexes into rows */
	size_t shown_count;
	size_t cursor, top; /* into shown */
	size_t page;	    /* rows of the last screen */
	bool searching;
	struct text search;
};

/* ---- what there is ---- */

AUTO_DEFINE(nodes, struct node **, free)

static void gather(struct picker *picker, struct node *node, unsigned level)
{
	AUTO(nodes) struct node **sorted = NULL;

	picker->rows = mem_grow(picker->rows, picker->count, &picker->room,
				sizeof(*picker->rows));
	picker->rows[picker->count++] = (struct place_row){ node, level };
	if (!node_first(node))
		return;
	sorted = node_sorted(node);
	for (struct node **at = sorted; *at; at++)
		gather(picker, *at, level + 1);
}

static bool is_found(const struct picker *picker, const struct node *node)
{
	AUTO(str) char *path = NULL;

	if (!picker->search.length)
		return true;
	path = node_path_dup(node);
	return strcasestr(path, text_get(&picker->search));
}

/* Shows what is found, with the cursor on stay if it is among it. */
static void find(struct picker *picker, const struct node *stay)
{
	picker->shown_count = picker->cursor = picker->top = 0;
	for (size_t i = 0; i < picker->count; i++) {
		if (!is_found(picker, picker->rows[i].node))
			continue;
		if (picker->rows[i].node == stay)
			picker->cursor = picker->shown_count;
		picker->shown[picker->shown_count++] = i;
	}
}

struct picker *picker_new(const struct tree *tree, const struct node *here)
{
	struct picker *picker = mem_alloc(sizeof(*picker));

	gather(picker, tree_root(tree), 0);
	picker->shown = mem_array(picker->count, sizeof(*picker->shown));
	picker->page = 10;
	find(picker, here);
	return picker;
}

void picker_free(struct picker *picker)
{
	free(picker->rows);
	free(picker->shown);
	text_clear(&picker->search);
	free(picker);
}

struct node *picker_at(const struct picker *picker)
{
	if (!picker->shown_count)
		return NULL;
	return picker->rows[picker->shown[picker->cursor]].node;
}

/* ---- keys ---- */

static void move_to(struct picker *picker, const struct node *node)
{
	for (size_t i = 0; node && i < picker->shown_count; i++)
		if (picker->rows[picker->shown[i]].node == node)
			picker->cursor = i;
}

static void move_by(struct picker *picker, long rows)
{
	long last = (long)picker->shown_count - 1;
	long to = (long)picker->cursor + rows;

	to = to > last ? last : to;
	picker->cursor = to < 0 ? 0 : (size_t)to;
}

static void search_again(struct picker *picker)
{
	find(picker, picker_at(picker));
}

static enum picked leave(struct picker *picker)
{
	if (!picker->searching)
		return PICKED_NOTHING;
	picker->searching = false;
	text_cut(&picker->search, 0);
	search_again(picker);
	return PICKED_NOT_YET;
}

/* A whole character. */
static void erase(struct picker *picker)
{
	const char *text = text_get(&picker->search);
	size_t length = picker->search.length;

	if (!length) {
		leave(picker);
		return;
	}
	do
		length--;
	while (length && ((unsigned char)text[length] & 0xc0) == 0x80);
	text_cut(&picker->search, length);
	search_again(picker);
}

static enum picked press_key(struct picker *picker, int key)
{
	if (key == KEY_CTRL('c') || key == KEY_CTRL('d'))
		return PICKED_NOTHING;
	if (!picker->searching && key == 'q')
		return PICKED_NOTHING;
	if (!picker->searching && key != '/')
		return PICKED_NOT_YET;
	if (!picker->searching) {
		picker->searching = true;
	} else if (key >= ' ' && key != 127 && key < 256) {
		text_put_char(&picker->search, (char)key);
		search_again(picker);
	}
	return PICKED_NOT_YET;
}

enum picked picker_key(struct picker *picker, int key)
{
	struct node *at = picker_at(picker);
	long page = (long)picker->page;

	switch (key) {
	case KEY_ENTER: return at ? PICKED_THIS : PICKED_NOT_YET;
	case KEY_ESCAPE: return leave(picker);
	case KEY_UP: move_by(picker, -1); break;
	case KEY_DOWN: move_by(picker, 1); break;
	case KEY_PAGE_UP: move_by(picker, -page); break;
	case KEY_PAGE_DOWN: move_by(picker, page); break;
	case KEY_HOME: picker->cursor = 0; break;
	case KEY_END: move_by(picker, (long)picker->shown_count); break;
	case KEY_LEFT: move_to(picker, at ? node_parent(at) : NULL); break;
	case KEY_RIGHT: move_to(picker, at ? node_first(at) : NULL); break;
	case KEY_BACKSPACE: erase(picker); break;
	default: return press_key(picker, key);
	}
	return PICKED_NOT_YET;
}

/* ---- the screen ---- */

static void put_line(const char *line, unsigned width, bool marked,
		     struct text *out)
{
	text_put(out, marked ? "\033[7m" : "");
	utf8_cut_end(line, width - 1, "...", out);
	text_put(out, marked ? "\033[m" : "");
	text_put(out, "\033[K\r\n");
}

static void put_row(const struct picker *picker, size_t at, unsigned width,
		    struct text *out)
{
	const struct place_row *row = &picker->rows[picker->shown[at]];
	AUTO_TEXT raw = TEXT_NONE, line = TEXT_NONE;
	bool marked = at == picker->cursor;

	if (picker->search.length)
		node_path(row->node, &raw);
	else if (!row->level)
		text_put_char(&raw, '/');
	else
		text_put(&raw, node_name(row->node));
	if (node_kind(row->node)->brief) {
		text_put(&raw, "  ");
		node_kind(row->node)->brief(row->node, &raw);
	}
	text_put(&line, marked ? "> " : "  ");
	if (!picker->search.length)
		text_fill(&line, ' ', 2 * (size_t)row->level);
	utf8_safe(text_get(&raw), &line);
	put_line(text_get(&line), width, marked, out);
}

static void put_title(const struct picker *picker, unsigned width,
		      struct text *out)
{
	AUTO_TEXT line = TEXT_NONE;

	text_put(&line, picker->searching ? "Search: " : "Go where?");
	utf8_safe(text_get(&picker->search), &line);
	if (!picker->shown_count)
		text_put(&line, "  (nothing of that name)");
	else
		text_printf(&line, "  (%zu of %zu)", picker->cursor + 1,
			    picker->shown_count);
	put_line(text_get(&line), width, false, out);
}

void picker_draw(struct picker *picker, unsigned width, unsigned height,
		 struct text *out)
{
	size_t page = height > 3 ? height - 2 : 1;
	AUTO_TEXT hint = TEXT_NONE;

	picker->page = page;
	if (picker->cursor < picker->top)
		picker->top = picker->cursor;
	if (picker->cursor >= picker->top + page)
		picker->top = picker->cursor - page + 1;
	text_put(out, "\033[H");
	put_title(picker, width, out);
	for (size_t i = picker->top; i < picker->top + page; i++) {
		if (i < picker->shown_count)
			put_row(picker, i, width, out);
		else
			text_put(out, "\033[K\r\n");
	}
	text_put(&hint, width < 60 ? "Enter goes, / searches, Esc leaves"
				   : "arrows move, Enter goes, / searches, "
				     "Esc leaves");
	utf8_cut_end(text_get(&hint), width - 1, "...", out);
	text_put(out, "\033[K");
}

/* ---- the terminal ---- */

static void put(const struct text *text)
{
	fwrite(text_get(text), 1, text->length, stdout);
	fflush(stdout);
}

static void show(struct picker *picker)
{
	AUTO_TEXT page = TEXT_NONE;

	picker_draw(picker, screen_width(), screen_height(), &page);
	put(&page);
}

/* A screen of its own, where the terminal has a second one. */
static void enter(struct termios *before)
{
	struct termios raw = *before;

	raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO | ISIG | IEXTEN);
	raw.c_iflag &= ~(tcflag_t)(IXON | ICRNL | INLCR);
	raw.c_cc[VMIN] = 1;
	raw.c_cc[VTIME] = 0;
	tcsetattr(STDIN_FILENO, TCSADRAIN, &raw);
	terminal_second_screen(true);
}

static void leave_screen(const struct termios *before)
{
	terminal_second_screen(false);
	tcsetattr(STDIN_FILENO, TCSADRAIN, before);
}

static enum picked pick(struct picker *picker, const struct pause *pause,
			struct termios *before)
{
	enum picked picked = PICKED_NOT_YET;

	enter(before);
	while (picked == PICKED_NOT_YET) {
		show(picker);
		switch (pause_for_input(pause, STDIN_FILENO,
					pause_now_us() + 3600000000u)) {
		case WAITED_ENDED: picked = PICKED_NOTHING; break;
		case WAITED_REDRAW: enter(before); break;
		case WAITED:
			if (keys_waiting())
				picked = picker_key(picker, keys_read(pause));
		}
	}
	leave_screen(before);
	return picked;
}

struct node *picker_run(const struct tree *tree, const struct node *here)
{
	AUTO(picker) struct picker *picker = picker_new(tree, here);
	enum picked picked = PICKED_NOTHING;
	struct termios before;
	struct pause pause;
	sigset_t held, was;

	/* These would stop or end us with the terminal as it is now. */
	sigemptyset(&held);
	sigaddset(&held, SIGQUIT);
	sigaddset(&held, SIGTSTP);
	sigprocmask(SIG_BLOCK, &held, &was);
	pause_begin(&pause);
	if (tcgetattr(STDIN_FILENO, &before) == 0)
		picked = pick(picker, &pause, &before);
	pause_end(&pause);
	sigprocmask(SIG_SETMASK, &was, NULL);
	return picked == PICKED_THIS ? picker_at(picker) : NULL;
}
