/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "shell/interactive.h"

#include <stdio.h>
#include <string.h>

#include "shell/draft.h"
#include "shell/editor.h"
#include "shell/news.h"
#include "shell/run.h"
#include "shell/screen.h"
#include "shell/session.h"
#include "shell/told.h"
#include "shell/trial.h"
#include "shell/words.h"

static void tell_unreadable(struct session *session, const char *line,
			    size_t at, const struct err *err)
{
	AUTO_TEXT caret = TEXT_NONE;

	caret_print(line, strlen(line), at, output_width(session->output),
		    &caret);
	output_error(session->output, NULL, err, 0, text_get(&caret));
}

static int read_line(struct session *session, const char *line,
		     struct words *words)
{
	AUTO_ERR err = ERR_NONE;
	size_t at;
	int rc = words_read(words, line, strlen(line), &at, &err);

	if (rc < 0)
		tell_unreadable(session, line, at, &err);
	return rc;
}

static int do_line(struct session *session, const char *line)
{
	AUTO_WORDS words = WORDS_NONE;
	AUTO_ERR err = ERR_NONE;
	int rc;

	editor_remember(line);
	rc = read_line(session, line, &words);
	if (rc < 0)
		return rc;
	rc = run_words(session, &words, &err);
	if (rc < 0)
		run_tell(session, &err);
	output_flush(session->output);
	return rc;
}

/* ---- a paste of many lines ---- */

static char *next_of(char **rest)
{
	return strtok_r(NULL, "\r\n", rest);
}

static bool all_readable(struct session *session, const char *text)
{
	AUTO(str) char *copy = mem_strdup(text);
	char *rest = copy, *line;

	while ((line = next_of(&rest))) {
		AUTO_WORDS words = WORDS_NONE;

		if (read_line(session, line, &words) == 0)
			continue;
		output_say(session->output, SAY_WARNING,
			   "none of the lines that were pasted was run");
		return false;
	}
	return true;
}

static void tell_left(struct session *session, char *rest)
{
	size_t left = 0;

	while (next_of(&rest))
		left++;
	if (left)
		output_say(session->output, SAY_WARNING,
			   "%zu more line%s of what was pasted %s not run",
			   left, left == 1 ? "" : "s",
			   left == 1 ? "was" : "were");
}

/* One by one, as if they were typed, each behind its prompt; but what cannot be
 * read is found before the first is run, and the first that fails is the last:
 * what stands behind it was written for another state. */
static void do_lines(struct session *session, char *text)
{
	char *rest = text, *line;

	if (!strpbrk(text, "\r\n")) {
		do_line(session, text);
		return;
	}
	if (!all_readable(session, text))
		return;
	while (!session->leaving && (line = next_of(&rest))) {
		editor_echo(line);
		if (do_line(session, line) < 0)
			break;
	}
	tell_left(session, rest);
	output_flush(session->output);
}

static char *next_line(struct session *session)
{
	trial_news(session);
	news_tell(session);
	output_flush(session->output);
	return editor_line();
}

void interactive(struct session *session)
{
	char *line;

	session->staying = true;
	editor_start(session);
	while (!session->leaving && (line = next_line(session))) {
		output_set_width(session->output, screen_width());
		do_lines(session, line);
		free(line);
	}
	if (!session->leaving)
		putchar('\n'); /* the other shell's prompt has its own line */
	if (draft_changes(session))
		told_kept(session);
	editor_stop();
}
