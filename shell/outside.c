/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "shell/outside.h"

#include <stdio.h>
#include <string.h>

#include "shell/completion.h"
#include "shell/options.h"
#include "shell/session.h"
#include "shell/utf8.h"
#include "shell/words.h"

struct printer {
	struct candidates base;
	const char *typed;
};

static void print(struct candidates *to, const char *text, const char *help)
{
	const struct printer *printer = (const struct printer *)to;
	AUTO_TEXT line = TEXT_NONE;

	if (strncmp(text, printer->typed, strlen(printer->typed)) != 0)
		return;
	utf8_safe(text, &line);
	text_put_char(&line, '\t');
	utf8_safe(help, &line);
	puts(text_get(&line));
}

/* Words that are not for the shell: the program, its options and their values.
 * The store that is named is the one to look into. */
static size_t skip_options(const struct words *words, struct options *options)
{
	size_t at = 1;

	while (at + 1 < words->count) {
		const char *word = words->items[at].text;

		if (!strcmp(word, "--store") && at + 2 < words->count)
			options->store = words->items[++at].text;
		else if (!strncmp(word, "--store=", 8))
			options->store = word + 8;
		else if (word[0] != '-' || !word[1])
			break;
		at++;
	}
	return at;
}

static void complete_words(const struct options *options,
			   const struct words *words, struct printer *printer)
{
	const struct session_options wanted = { .store = options->store };
	struct completion completion;
	struct session session;

	session_init(&session, &wanted, NULL);
	session_look(&session, NULL);
	completion_find(&completion, &session.place, words);
	for (size_t i = 0; i < completion.count; i++)
		print(&printer->base, completion.items[i].text,
		      completion.items[i].help);
	completion_clear(&completion);
	session_clear(&session);
}

void outside_complete(struct options *options, const char *line,
		      const char *point)
{
	AUTO_WORDS words = WORDS_NONE;
	size_t length = strlen(line);
	size_t cursor = point ? strtoul(point, NULL, 10) : length;
	struct printer printer = { { print }, "" };
	struct words left;
	size_t skip;
	char quote;

	if (!words_read_typed(&words, line, cursor < length ? cursor : length,
			      &quote) ||
	    words.count < 2)
		return;
	skip = skip_options(&words, options);
	left = (struct words){ .items = words.items + skip,
			       .count = words.count - skip };
	printer.typed = left.items[left.count - 1].text;
	if (left.items[0].text[0] == '-' && left.count == 1)
		options_complete(&printer.base);
	else
		complete_words(options, &left, &printer);
}
