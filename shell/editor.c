/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "shell/editor.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include <readline/history.h>
#include <readline/readline.h>

#include "shell/completion.h"
#include "shell/draft.h"
#include "shell/pref.h"
#include "shell/session.h"
#include "shell/state.h"
#include "shell/trial.h"
#include "shell/utf8.h"
#include "shell/words.h"

#define HISTORY_LINES 1000

static struct {
	struct session *session;
	char *history; /* file; NULL: none can be had */
	struct sigaction before;
} editor;

/* ---- the prompt ---- */

char *editor_short_path(const char *path, unsigned most)
{
	struct text out = TEXT_NONE;

	utf8_cut_middle(path, most, "...", &out);
	return text_take(&out);
}

/* Half of a narrow terminal is for what is typed. */
static unsigned path_room(void)
{
	unsigned half = output_width(editor.session->output) / 2;
	unsigned most = (unsigned)pref_u(PREF_PROMPT_LENGTH);

	return !most || half < most ? half : most;
}

static char *prompt_dup(void)
{
	AUTO(str) char *path = session_path(editor.session);
	AUTO(str) char *shown = editor_short_path(path, path_room());

	AUTO_TEXT marks = TEXT_NONE;

	if (editor.session->draft)
		text_printf(&marks, "*%zu", draft_changes(editor.session));
	trial_mark(editor.session, &marks);
	return mem_printf("%s%s> ", shown, text_get(&marks));
}

/* ---- listing what can come next ---- */

struct list {
	size_t rows;  /* that may be shown */
	size_t wide;  /* columns of the widest candidate that is shown */
	size_t width; /* of the terminal */
};

static void put_candidate(const struct completion *completion, size_t at,
			  const struct list *list, struct text *out)
{
	const struct candidate *candidate = &completion->items[at];
	AUTO_TEXT text = TEXT_NONE, help = TEXT_NONE, cut = TEXT_NONE;
	size_t wide;

	utf8_safe(candidate->text + completion->known, &text);
	utf8_safe(candidate->help, &help);
	utf8_cut_middle(text_get(&text), list->width - 1, "...", &cut);
	wide = utf8_width(text_get(&cut));
	if (help.length && list->wide + 6 < list->width) {
		text_fill(&cut, ' ', list->wide - wide + 2);
		utf8_cut_end(text_get(&help), list->width - list->wide - 3,
			     "...", &cut);
	}
	text_printf(out, "%s\n", text_get(&cut));
}

static void measure(const struct completion *completion, struct list *list)
{
	size_t most = list->width / 2;

	for (size_t i = 0; i < completion->count && i < list->rows; i++) {
		size_t wide = utf8_width(completion->items[i].text +
					 completion->known);

		if (wide > list->wide)
			list->wide = wide < most ? wide : most;
	}
}

static void put_list(const struct completion *completion, struct text *out)
{
	int rows = 24, columns = 80;
	struct list list = { 0 };

	rl_get_screen_size(&rows, &columns);
	list.rows = rows > 6 ? (size_t)rows - 3 : 3;
	list.width = columns > 10 ? (size_t)columns : 10;
	if (completion->count <= list.rows)
		list.rows = completion->count;
	measure(completion, &list);
	for (size_t i = 0; i < list.rows; i++)
		put_candidate(completion, i, &list, out);
	if (completion->count > list.rows)
		text_printf(out, "%zu more; type on to narrow it down\n",
			    completion->count - list.rows);
}

/* Below the line; then the line once more. */
static void show_below(const char *text)
{
	rl_crlf();
	fputs(text, rl_outstream);
	rl_on_new_line();
	rl_forced_update_display();
}

static void show_list(const struct completion *completion)
{
	AUTO_TEXT list = TEXT_NONE;

	put_list(completion, &list);
	show_below(text_get(&list));
}

static void show_hint(const struct completion *completion)
{
	AUTO_TEXT hint = TEXT_NONE, safe = TEXT_NONE;

	if (!completion->hint) {
		rl_ding();
		return;
	}
	utf8_safe(completion->hint, &safe);
	text_printf(&hint, "%s\n", text_get(&safe));
	show_below(text_get(&hint));
}

/* ---- putting it on the line ---- */

/* The word under the cursor becomes text. */
static void replace_word(size_t start, const char *text)
{
	rl_begin_undo_group();
	rl_delete_text((int)start, rl_point);
	rl_point = (int)start;
	rl_insert_text(text);
	rl_end_undo_group();
}

/* A quote that somebody opened is theirs to close: leaf="sfq limit may go on.
 * Once more TAB and it is closed. */
static void insert_only(const struct completion *completion, size_t start,
			char quote)
{
	const struct candidate *candidate = &completion->items[0];
	bool grows = strcmp(candidate->text, completion->typed) != 0;
	AUTO_TEXT word = TEXT_NONE;

	if (completion_goes_on(candidate) || (quote && grows)) {
		word_print_open(candidate->text, quote, &word);
	} else {
		word_print(candidate->text, &word);
		if (rl_point == rl_end || rl_line_buffer[rl_point] != ' ')
			text_put_char(&word, ' ');
	}
	replace_word(start, text_get(&word));
}

/* True if the line grew. */
static bool insert_common(const struct completion *completion, size_t start,
			  char quote)
{
	AUTO_TEXT common = TEXT_NONE, word = TEXT_NONE;

	completion_common(completion, &common);
	if (common.length <= strlen(completion->typed))
		return false;
	word_print_open(text_get(&common), quote, &word);
	replace_word(start, text_get(&word));
	return true;
}

static void offer(const struct completion *completion, size_t start, char quote)
{
	if (!completion->count)
		show_hint(completion);
	else if (completion->count == 1)
		insert_only(completion, start, quote);
	else if (!insert_common(completion, start, quote))
		show_list(completion);
}

static int complete(int count, int key)
{
	struct completion completion;
	AUTO_WORDS words = WORDS_NONE;
	char quote;

	(void)count;
	(void)key;
	if (!words_read_typed(&words, rl_line_buffer, (size_t)rl_point,
			      &quote) ||
	    /* The tree of the prompt: news do not come while one types. */
	    (!editor.session->place.tree &&
	     session_look(editor.session, NULL) < 0)) {
		rl_ding();
		return 0;
	}
	completion_find(&completion, &editor.session->place, &words);
	offer(&completion, words.items[words.count - 1].start, quote);
	completion_clear(&completion);
	return 0;
}

/* ---- history ---- */

/* What was typed before and is typed again moves to the end. */
static void forget_same(const char *line)
{
	HIST_ENTRY **all = history_list();

	for (int i = 0; all && all[i]; i++)
		if (!strcmp(all[i]->line, line)) {
			free_history_entry(remove_history(i));
			return;
		}
}

void editor_remember(const char *line)
{
	HIST_ENTRY *last;

	if (!line[strspn(line, " \t")])
		return;
	last = history_length ? history_get(history_base + history_length - 1)
			      : NULL;
	if (last && !strcmp(last->line, line))
		return;
	forget_same(line);
	add_history(line);
	if (editor.history)
		append_history(1, editor.history);
}

/* Several shells append to one file; each starts by tidying it up. */
static void tidy_history(void)
{
	HIST_ENTRY **all = history_list();
	int before = history_length;

	for (int i = history_length - 1; i > 0; i--)
		for (int k = i - 1; k >= 0; k--)
			if (!strcmp(all[k]->line, all[i]->line)) {
				free_history_entry(remove_history(k));
				all = history_list();
				i--;
			}
	if (history_length != before)
		write_history(editor.history);
}

static void read_old_history(void)
{
	using_history();
	stifle_history(HISTORY_LINES);
	editor.history = state_file("history");
	if (editor.history && read_history(editor.history) == 0)
		tidy_history();
}

/* ---- Ctrl-C ---- */

static volatile sig_atomic_t interrupted;

/* A command that runs is not cut off; at the prompt the line is dropped. */
static void on_interrupt(int signal)
{
	(void)signal;
	interrupted = 1;
}

static int drop_line(void)
{
	if (!interrupted)
		return 0;
	interrupted = 0;
	rl_free_undo_list();
	rl_replace_line("", 0);
	rl_crlf();
	rl_on_new_line();
	rl_redisplay();
	return 0;
}

/* A key that comes right behind Ctrl-C is for the new line already: readline
 * itself looks at signals only while it waits. */
static int get_key(FILE *stream)
{
	int key = rl_getc(stream);

	if (rl_pending_signal())
		rl_check_signals();
	drop_line();
	return key;
}

/* ---- the whole ---- */

void editor_start(struct session *session)
{
	struct sigaction action = { .sa_handler = on_interrupt };

	editor.session = session;
	sigemptyset(&action.sa_mask);
	sigaction(SIGINT, &action, &editor.before);
	rl_readline_name = "tresse";
	rl_catch_signals = 1;
	rl_catch_sigwinch = 1;
	rl_change_environment = 0;
	rl_signal_event_hook = drop_line; /* for a changed window, too */
	rl_getc_function = get_key;
	rl_initialize();
	rl_bind_key('\t', complete);
	read_old_history();
}

char *editor_line(void)
{
	AUTO(str) char *prompt = prompt_dup();

	return readline(prompt);
}

void editor_stop(void)
{
	sigaction(SIGINT, &editor.before, NULL);
	free(TAKE(editor.history));
	clear_history();
}
