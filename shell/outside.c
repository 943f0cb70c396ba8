/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "shell/outside.h"

#include <stdio.h>
#include <string.h>

#include "shell/command.h"
#include "shell/completion.h"
#include "shell/options.h"
#include "shell/session.h"
#include "shell/utf8.h"
#include "shell/words.h"

struct printer {
	struct candidates base;
	const char *typed; /* what a candidate has to begin with */
	const char *lead;  /* what stands in front of each, and how long */
	size_t lead_length;
};

static void print(struct candidates *to, const char *text, const char *help)
{
	const struct printer *printer = (const struct printer *)to;
	AUTO_TEXT whole = TEXT_NONE, line = TEXT_NONE;

	if (strncmp(text, printer->typed, strlen(printer->typed)) != 0)
		return;
	text_put_bytes(&whole, printer->lead, printer->lead_length);
	text_put(&whole, text);
	utf8_safe(text_get(&whole), &line);
	text_put_char(&line, '\t');
	utf8_safe(help, &line);
	puts(text_get(&line));
}

/* What stands between the program and the words for the shell. */
struct front {
	size_t end;	   /* the first word that is for the shell */
	bool batch;	   /* -c or -f: there is none */
	const char *wants; /* what the unfinished word is: FILE, COMMAND */
};

/* The store that is named is the one to look into; false: it is no store. */
static bool note_store(struct options *options, const char *option,
		       const char *value)
{
	if (strncmp(option, "--store", 7) != 0)
		return false;
	options->store = value;
	return true;
}

static struct front skip_options(const struct words *words,
				 struct options *options)
{
	struct front front = { .end = 1 };
	size_t last = words->count - 1;

	while (front.end < last) {
		const char *word = words->items[front.end].text;
		const char *value = options_value(word);

		if (word[0] != '-' || !word[1])
			break;
		front.wants = options_want(word);
		front.end++;
		if (front.wants && front.end == last)
			break;
		if (front.wants)
			value = words->items[front.end++].text;
		if (value && !note_store(options, word, value))
			front.batch = true;
		front.wants = NULL;
	}
	return front;
}

/* "--store=/etc/x": what may stand behind the =. */
static void offer_files(const char *typed, struct printer *printer)
{
	const char *value = options_value(typed);

	printer->lead = typed;
	printer->lead_length = value ? (size_t)(value - typed) : 0;
	printer->typed = value ? value : typed;
	type_file.complete(NULL, NULL, printer->typed, &printer->base);
}

static void look_up(const struct options *options, const struct words *words,
		    struct completion *completion)
{
	const struct session_options wanted = { .store = options->store };
	struct session session;

	session_init(&session, &wanted, NULL);
	session_look(&session, NULL);
	completion_find(completion, &session.place, words);
	session_clear(&session);
}

static void complete_words(const struct options *options,
			   const struct words *words, struct printer *printer)
{
	AUTO_COMPLETION completion = { 0 };

	printer->typed = words->items[words->count - 1].text;
	look_up(options, words, &completion);
	for (size_t i = 0; i < completion.count; i++)
		print(&printer->base, completion.items[i].text,
		      completion.items[i].help);
}

/* A whole line in one word: candidates are lines that go on. */
static void complete_line(const struct options *options, const char *line,
			  struct printer *printer)
{
	AUTO_WORDS words = WORDS_NONE;
	AUTO_COMPLETION completion = { 0 };
	char quote;

	if (!words_read_typed(&words, line, strlen(line), &quote))
		return;
	printer->lead = line;
	printer->lead_length = words.items[words.count - 1].start;
	look_up(options, &words, &completion);
	for (size_t i = 0; i < completion.count; i++) {
		AUTO_TEXT word = TEXT_NONE;

		word_print_open(completion.items[i].text, quote, &word);
		print(&printer->base, text_get(&word),
		      completion.items[i].help);
	}
}

void outside_complete(struct options *options, const char *line,
		      const char *point)
{
	AUTO_WORDS words = WORDS_NONE;
	size_t length = strlen(line);
	size_t cursor = point ? strtoul(point, NULL, 10) : length;
	struct printer printer = { .base = { print }, .typed = "" };
	struct front front;
	const char *typed;
	char quote;

	if (!words_read_typed(&words, line, cursor < length ? cursor : length,
			      &quote) ||
	    words.count < 2)
		return;
	front = skip_options(&words, options);
	typed = words.items[words.count - 1].text;
	if (front.wants && !strcmp(front.wants, "COMMAND")) {
		complete_line(options, typed, &printer);
	} else if (front.wants || options_value(typed)) {
		offer_files(typed, &printer);
	} else if (typed[0] == '-' && front.end + 1 == words.count) {
		printer.typed = typed;
		options_complete(&printer.base);
	} else if (!front.batch) {
		const struct words left = { .items = words.items + front.end,
					    .count = words.count - front.end };

		complete_words(options, &left, &printer);
	}
}
