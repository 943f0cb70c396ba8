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

static bool is_secret(const char *name, size_t length)
{
	AUTO(str) char *key = mem_strndup(name, length);

	for (const struct kind *const *kind = kinds; *kind; kind++) {
		const struct attr *attr = kind_attr(*kind, key);

		if (attr && attr->flags & ATTR_SECRET)
			return true;
	}
	return false;
}

/* Keys and passwords do not go into the history. */
static bool holds_secret(const struct words *words)
{
	for (size_t i = 0; i < words->count; i++)
		if (words->items[i].key &&
		    is_secret(words->items[i].text, words->items[i].key))
			return true;
	return false;
}

static void tell_unreadable(struct session *session, const char *line,
			    size_t at, const struct err *err)
{
	AUTO_TEXT caret = TEXT_NONE;

	caret_print(line, strlen(line), at, output_width(session->output),
		    &caret);
	output_error(session->output, NULL, err, 0, text_get(&caret));
}

static void do_line(struct session *session, const char *line)
{
	AUTO_WORDS words = WORDS_NONE;
	AUTO_ERR err = ERR_NONE;
	size_t at;

	if (words_read(&words, line, strlen(line), &at, &err) < 0) {
		editor_remember(line);
		tell_unreadable(session, line, at, &err);
		return;
	}
	if (!holds_secret(&words))
		editor_remember(line);
	output_set_width(session->output, screen_width());
	if (run_words(session, &words, &err) < 0)
		run_tell(session, &err);
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
		do_line(session, line);
		free(line);
	}
	if (!session->leaving)
		putchar('\n'); /* the other shell's prompt has its own line */
	if (draft_changes(session))
		told_kept(session);
	editor_stop();
}
