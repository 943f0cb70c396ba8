/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "shell/editor.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include <readline/history.h>
#include <readline/readline.h>

#include "shell/completion.h"
#include "shell/draft.h"
#include "shell/filter.h"
#include "shell/ghost.h"
#include "shell/keys.h"
#include "shell/listing.h"
#include "shell/match.h"
#include "shell/pref.h"
#include "shell/recall.h"
#include "shell/screen.h"
#include "shell/search.h"
#include "shell/secret.h"
#include "shell/session.h"
#include "shell/star.h"
#include "shell/state.h"
#include "shell/terminal.h"
#include "shell/trial.h"
#include "shell/utf8.h"
#include "shell/words.h"

static struct {
	struct session *session;
	struct recall *recall;
	struct sigaction before, before_continue;
} editor;

/* ---- the prompt ---- */

/* "/classes/upl...k/web": a path cut in the middle, as targetcli does it. */
static char *short_path(const char *path, unsigned most)
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
	AUTO(str) char *shown = short_path(path, path_room());

	AUTO_TEXT marks = TEXT_NONE;

	if (editor.session->draft)
		text_printf(&marks, "*%zu", draft_changes(editor.session));
	trial_mark(editor.session, &marks);
	return mem_printf("%s%s> ", shown, text_get(&marks));
}

/* ---- signals ---- */

static volatile sig_atomic_t interrupted, continued;

/* A command that runs is not cut off; at the prompt the line is dropped. */
static void on_interrupt(int signal)
{
	(void)signal;
	interrupted = 1;
}

static void on_continue(int signal)
{
	(void)signal;
	continued = 1;
}

/* Stopped and back: the line stands on a screen that others wrote to. */
static void show_again(void)
{
	continued = 0;
	rl_on_new_line();
	rl_forced_update_display();
}

static void fresh_line(void)
{
	ghost_stop();
	rl_free_undo_list();
	rl_replace_line("", 0);
	rl_crlf();
	rl_on_new_line();
	rl_redisplay();
}

static int look_at_signals(void)
{
	if (continued)
		show_again();
	if (interrupted)
		fresh_line();
	interrupted = 0;
	return 0;
}

/* As a key: a signal would have readline give the terminal back for a moment,
 * and what is typed in that moment would be echoed. */
static int drop_line(int count, int key)
{
	(void)count;
	(void)key;
	rl_point = rl_end;
	rl_redisplay();
	fputs("^C", rl_outstream);
	fresh_line();
	return 0;
}

static void prepare_terminal(int meta)
{
	struct termios modes;

	rl_prep_terminal(meta);
	if (tcgetattr(STDIN_FILENO, &modes) < 0)
		return;
	modes.c_cc[VINTR] = _POSIX_VDISABLE;
	tcsetattr(STDIN_FILENO, TCSADRAIN, &modes);
}

/* Signals that something has to be done about before the next key comes. */
static const int awaited[] = { SIGINT,	SIGTERM,  SIGHUP,  SIGQUIT,
			       SIGTSTP, SIGWINCH, SIGCONT, SIGALRM };

static bool is_signalled(void)
{
	return rl_pending_signal() || interrupted || continued;
}

/* readline itself looks at signals only when one interrupts its waiting: not at
 * one that came a moment before, nor once it is back after having stopped. */
static void wait_for_key(int fd)
{
	struct pollfd input = { fd, POLLIN, 0 };
	sigset_t held, before;
	bool ready = false;

	sigemptyset(&held);
	for (size_t i = 0; i < ARRAY_SIZE(awaited); i++)
		sigaddset(&held, awaited[i]);
	while (!ready) {
		sigprocmask(SIG_BLOCK, &held, &before);
		ready = !is_signalled() && ppoll(&input, 1, NULL, &before) > 0;
		sigprocmask(SIG_SETMASK, &before, NULL);
		if (rl_pending_signal())
			rl_check_signals();
		look_at_signals();
	}
}

static int get_key(FILE *stream)
{
	wait_for_key(fileno(stream));
	ghost_hide();
	return rl_getc(stream);
}

/* ---- showing what can come next ---- */

/* Below the line; then the line once more. */
static void show_below(const char *text)
{
	int point = rl_point;

	ghost_stop();
	/* A line of several rows goes on below the cursor. */
	rl_point = rl_end;
	rl_redisplay();
	rl_crlf();
	fputs(text, rl_outstream);
	rl_point = point;
	rl_on_new_line();
	rl_forced_update_display();
}

static void show_list(const struct completion *completion,
		      void (*print)(const struct completion *completion,
				    unsigned rows, unsigned columns,
				    struct text *out))
{
	int rows = 0, columns = 0;
	AUTO_TEXT list = TEXT_NONE;

	rl_get_screen_size(&rows, &columns);
	print(completion, rows > 0 ? (unsigned)rows : 0,
	      columns > 0 ? (unsigned)columns : 0, &list);
	show_below(text_get(&list));
}

static void show_hint(struct completion *completion)
{
	completion->command = NULL; /* it is known, or they would ask with ? */
	if (completion->hint)
		show_list(completion, listing_answer);
	else
		rl_ding();
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

static void offer(struct completion *completion, size_t start, char quote)
{
	if (!completion->count)
		show_hint(completion);
	else if (completion->count == 1)
		insert_only(completion, start, quote);
	else if (!insert_common(completion, start, quote))
		show_list(completion, listing_candidates);
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

/* A ? at the beginning of a word is a question, elsewhere a character. */
static int question(int count, int key)
{
	struct completion completion;
	AUTO_WORDS words = WORDS_NONE;
	char quote;

	if (!words_read_typed(&words, rl_line_buffer, (size_t)rl_point,
			      &quote) ||
	    session_look(editor.session, NULL) < 0 ||
	    !listing_asks(&editor.session->place, &words, quote))
		return rl_insert(count, key);
	completion_find(&completion, &editor.session->place, &words);
	show_list(&completion, listing_answer);
	completion_clear(&completion);
	return 0;
}

/* ---- lines typed before ---- */

/* readline's own list is what the arrows move in. */
static void list_history(void)
{
	clear_history();
	for (size_t i = 0; i < recall_count(editor.recall); i++)
		add_history(recall_line(editor.recall, i));
}

void editor_remember(const char *line)
{
	if (!secret_told(line) && recall_add(editor.recall, line))
		list_history();
}

/* Only what could be done here: its path is there, its values can be read. */
static bool can_be_done(const char *line)
{
	AUTO_WORDS words = WORDS_NONE;
	AUTO_MATCH match = MATCH_NONE;
	size_t at;

	if (words_read(&words, line, strlen(line), &at, NULL) < 0)
		return false;
	if (!words.count || star_is(&words) || !editor.session->place.tree)
		return true;
	return match_words(&match, &editor.session->place, &words,
			   filter_find(&words), NULL) == 0 &&
	       (!match.command || match_ready(&match, NULL) == 0);
}

static const char *guess(const char *line)
{
	return pref_u(PREF_COLOR)
		       ? recall_begins(editor.recall, line, can_be_done)
		       : NULL;
}

static void take_line(const char *line)
{
	rl_begin_undo_group();
	rl_delete_text(0, rl_end);
	rl_point = 0;
	rl_insert_text(line);
	rl_end_undo_group();
}

static int find_line(int count, int key)
{
	AUTO(str) char *line = mem_strdup(rl_line_buffer);
	int point = rl_point;
	const char *found = NULL;
	enum searched searched;

	if (!screen_moves())
		return rl_reverse_search_history(count, key);
	ghost_stop();
	rl_replace_line("", 0);
	searched = search_run(editor.recall, line, &found);
	rl_replace_line(line, 0);
	rl_point = point;
	if (found)
		take_line(found);
	rl_clear_message();
	return searched == SEARCHED_DROP ? drop_line(1, key) : 0;
}

/* ---- pastes ---- */

/* What was copied with the end of its last line is not meant to be a line more.
 */
static int paste(int count, int key)
{
	int from = rl_point, to, end;

	rl_bracketed_paste_begin(count, key);
	for (to = end = rl_point; end > from; end--)
		if (!strchr("\r\n", rl_line_buffer[end - 1]))
			break;
	if (end < to)
		rl_delete_text(end, to);
	rl_point = end;
	return 0;
}

static void bind_paste(void)
{
	rl_bind_keyseq("\033[200~", paste);
}

/* ---- the whole ---- */

void editor_start(struct session *session)
{
	struct sigaction action = { .sa_handler = on_interrupt };
	const struct sigaction back = { .sa_handler = on_continue };

	editor.session = session;
	terminal_guard();
	sigemptyset(&action.sa_mask);
	sigaction(SIGINT, &action, &editor.before);
	sigaction(SIGCONT, &back, &editor.before_continue);
	rl_readline_name = "tresse";
	rl_catch_signals = 1;
	rl_catch_sigwinch = 1;
	rl_change_environment = 0;
	rl_signal_event_hook = look_at_signals; /* for a changed window, too */
	rl_getc_function = get_key;
	rl_prep_term_function = prepare_terminal;
	rl_initialize();
	rl_bind_key('\t', complete);
	rl_bind_key('?', question);
	rl_bind_key(KEY_CTRL('c'), drop_line);
	rl_bind_key(KEY_CTRL('r'), find_line);
	bind_paste();
	editor.recall = recall_open(state_file("history"));
	using_history();
	list_history();
	ghost_start(guess);
}

char *editor_line(void)
{
	AUTO(str) char *prompt = prompt_dup();

	return readline(prompt);
}

void editor_echo(const char *line)
{
	AUTO(str) char *prompt = prompt_dup();
	AUTO_TEXT text = TEXT_NONE;

	text_put(&text, prompt);
	utf8_safe(line, &text);
	puts(text_get(&text));
}

void editor_stop(void)
{
	sigaction(SIGINT, &editor.before, NULL);
	sigaction(SIGCONT, &editor.before_continue, NULL);
	recall_free(TAKE(editor.recall));
	clear_history();
	terminal_unguard();
}
