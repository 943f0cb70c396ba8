/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "shell/ghost.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <readline/readline.h>

#include "model/base/mem.h"
#include "model/base/text.h"
#include "shell/keys.h"
#include "shell/screen.h"
#include "shell/utf8.h"

static struct {
	const char *(*guess)(const char *line);
	char *rest; /* owned: what would be added; NULL: nothing */
	bool shown; /* it stands behind the cursor now */
	int rows;   /* the terminal's size, as of the last drawing */
	int columns;
} ghost;

#define GREY  "\033[90m"
#define PLAIN "\033[m"
#define MARK  "..."

/* States in which the line is not what somebody types, or the next key is known
 * already. */
#define BUSY                                                                   \
	(RL_STATE_ISEARCH | RL_STATE_NSEARCH | RL_STATE_SEARCH |               \
	 RL_STATE_NUMERICARG | RL_STATE_MACROINPUT | RL_STATE_MACRODEF |       \
	 RL_STATE_INPUTPENDING | RL_STATE_DONE)

/* ---- drawing ---- */

void ghost_hide(void)
{
	if (!ghost.shown)
		return;
	ghost.shown = false;
	fputs("\033[J", rl_outstream);
}

/* Controls are not shown as one column, and a paste may have lines. */
static bool is_plain(const char *text)
{
	size_t left = strlen(text), size;
	uint32_t code = 0;

	for (; left; text += size, left -= size) {
		size = utf8_next(text, left, &code);
		if (!size || utf8_is_control(code))
			return false;
	}
	return true;
}

/* Columns that are free behind the cursor; the last one of a row is not: some
 * terminals go to the next row at once. */
static size_t room_left(void)
{
	size_t columns = ghost.columns > 0 ? (size_t)ghost.columns : 80;
	size_t used;

	if ((size_t)rl_end > 4 * columns || !is_plain(rl_line_buffer))
		return 0;
	used = utf8_width(rl_prompt ? rl_prompt : "") +
	       utf8_width(rl_line_buffer);
	return used + 1 < columns ? columns - 1 - used : 0;
}

/* What would sit on the last letter that was typed is no way to go on. */
static bool is_whole(const char *rest)
{
	uint32_t code = 0;
	size_t size = utf8_next(rest, strlen(rest), &code);
	AUTO(str) char *first = mem_strndup(rest, size);

	return size && utf8_width(first);
}

static void find(void)
{
	size_t length = (size_t)rl_end;
	const char *whole;

	free(TAKE(ghost.rest));
	if (!rl_end || rl_point != rl_end || RL_ISSTATE(BUSY) ||
	    rl_display_prompt != rl_prompt || keys_waiting())
		return;
	whole = ghost.guess(rl_line_buffer);
	if (whole && is_plain(whole) && is_whole(whole + length))
		ghost.rest = mem_strdup(whole + length);
}

static void draw(void)
{
	AUTO_TEXT shown = TEXT_NONE;
	size_t room = room_left();

	if (!ghost.rest || room < sizeof(MARK) ||
	    room < utf8_width(ghost.rest) / 8)
		return;
	utf8_cut_end(ghost.rest, room, MARK, &shown);
	fprintf(rl_outstream, GREY "%s" PLAIN "\033[%zuD", text_get(&shown),
		utf8_width(text_get(&shown)));
	fflush(rl_outstream);
	ghost.shown = true;
}

/* Rows of the line above the cursor's, on a terminal of so many columns. */
static unsigned rows_above(int columns)
{
	AUTO_TEXT text = TEXT_NONE;
	size_t wide = columns > 2 ? (size_t)columns : 2;
	unsigned rows = 0;
	const char *at;

	if ((size_t)rl_point > 100 * wide)
		return 0; /* more than any screen has */
	text_put(&text, rl_prompt ? rl_prompt : "");
	text_put_bytes(&text, rl_line_buffer, (size_t)rl_point);
	at = text_get(&text);
	while (utf8_width(at) >= wide) {
		at += utf8_fit(at, wide);
		rows++;
	}
	return rows;
}

/* readline draws anew as if the cursor stood where the line begins, which is
 * true only if we see to it. Where a terminal wraps its rows anew, the line is
 * on others than where it does not: what may be somebody's answer is not
 * written over, so a row of the old line may stay. */
static void meet_new_size(void)
{
	int rows = 0, columns = 0;

	rl_get_screen_size(&rows, &columns);
	if (ghost.columns && (rows != ghost.rows || columns != ghost.columns)) {
		unsigned before = rows_above(ghost.columns);
		unsigned now = rows_above(columns);
		unsigned up = before < now ? before : now;

		if (up)
			fprintf(rl_outstream, "\033[%uA", up);
		fputs("\r\033[J", rl_outstream);
	}
	ghost.rows = rows;
	ghost.columns = columns;
}

static void redisplay(void)
{
	ghost_hide();
	meet_new_size();
	rl_redisplay();
	find();
	draw();
}

/* ---- taking it ---- */

/* Is there something to take? It is the rest of this very line: every change
 * of it is drawn, and thereby guessed at anew. */
static bool take(void)
{
	AUTO(str) char *rest = TAKE(ghost.rest);

	if (!rest || rl_point != rl_end)
		return false;
	rl_insert_text(rest);
	return true;
}

/* Up to the end of its next word. */
static bool take_word(void)
{
	size_t length;

	if (!ghost.rest || rl_point != rl_end)
		return false;
	length = strspn(ghost.rest, " ");
	length += strcspn(ghost.rest + length, " ");
	ghost.rest[length] = '\0';
	return take();
}

static int right(int count, int key)
{
	return take() ? 0 : rl_forward_char(count, key);
}

static int right_byte(int count, int key)
{
	return take() ? 0 : rl_forward_byte(count, key);
}

static int end_of_line(int count, int key)
{
	return take() ? 0 : rl_end_of_line(count, key);
}

static int right_word(int count, int key)
{
	return take_word() ? 0 : rl_forward_word(count, key);
}

/* Whatever keys the user has for it. */
static void bind_instead(rl_command_func_t *old, rl_command_func_t *fresh)
{
	char **keys = rl_invoking_keyseqs(old);

	for (char **at = keys; at && *at; at++) {
		rl_bind_keyseq(*at, fresh);
		free(*at);
	}
	free(keys);
}

void ghost_start(const char *(*guess)(const char *line))
{
	if (!screen_has_colour() || !screen_moves())
		return;
	ghost.guess = guess;
	rl_redisplay_function = redisplay;
	bind_instead(rl_forward_char, right);
	bind_instead(rl_forward_byte, right_byte);
	bind_instead(rl_end_of_line, end_of_line);
	bind_instead(rl_forward_word, right_word);
}

void ghost_stop(void)
{
	ghost_hide();
	free(TAKE(ghost.rest));
}
