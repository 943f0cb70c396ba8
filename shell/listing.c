/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "shell/listing.h"

#include <string.h>

#include "model/kind.h"
#include "shell/filter.h"
#include "shell/match.h"
#include "shell/utf8.h"
#include "shell/words.h"

enum { GAP = 2 };

struct list {
	const struct completion *completion;
	size_t rows;  /* that may be used */
	size_t width; /* columns that may be used */
	size_t wide;  /* columns of the widest candidate, or half the width */
};

/* As it is shown: without the way to it, and with nothing that acts. */
static void put_name(const struct list *list, size_t at, size_t most,
		     struct text *out)
{
	const struct completion *completion = list->completion;
	AUTO_TEXT safe = TEXT_NONE;

	utf8_safe(completion->items[at].text + completion->known, &safe);
	utf8_cut_middle(text_get(&safe), most, "...", out);
}

static void measure(struct list *list)
{
	const struct completion *completion = list->completion;
	AUTO_TEXT safe = TEXT_NONE;

	list->wide = 1;
	for (size_t i = 0; i < completion->count; i++) {
		size_t wide;

		text_cut(&safe, 0);
		utf8_safe(completion->items[i].text + completion->known, &safe);
		wide = utf8_width(text_get(&safe));
		if (wide > list->wide)
			list->wide = wide;
	}
	if (list->wide > list->width / 2)
		list->wide = list->width / 2;
}

static void put_row(const struct list *list, size_t at, struct text *out)
{
	const struct candidate *candidate = &list->completion->items[at];
	AUTO_TEXT help = TEXT_NONE, row = TEXT_NONE;
	size_t used;

	utf8_safe(candidate->help, &help);
	put_name(list, at, help.length ? list->wide : list->width, &row);
	used = list->wide + GAP;
	if (help.length && used + 6 < list->width) {
		text_fill(&row, ' ', used - utf8_width(text_get(&row)));
		utf8_cut_end(text_get(&help), list->width - used, "...", &row);
	}
	text_printf(out, "%s\n", text_get(&row));
}

static void put_columns(const struct list *list, size_t count, size_t across,
			struct text *out)
{
	size_t down = (count + across - 1) / across;

	for (size_t row = 0; row < down; row++) {
		for (size_t at = row; at < count; at += down) {
			AUTO_TEXT name = TEXT_NONE;

			put_name(list, at, list->wide, &name);
			text_put(out, text_get(&name));
			if (at + down < count)
				text_fill(out, ' ',
					  list->wide + GAP -
						  utf8_width(text_get(&name)));
		}
		text_put_char(out, '\n');
	}
}

static void put_list(struct list *list, struct text *out)
{
	size_t count = list->completion->count, across, shown;
	AUTO_TEXT more = TEXT_NONE;

	measure(list);
	if (count <= list->rows) {
		for (size_t i = 0; i < count; i++)
			put_row(list, i, out);
		return;
	}
	across = (list->width + GAP) / (list->wide + GAP);
	across = across ? across : 1;
	shown = across * list->rows;
	if (count <= shown) {
		put_columns(list, count, across, out);
		return;
	}
	shown -= list->rows > 1 ? across : 0;
	put_columns(list, shown, across, out);
	text_printf(&more, "%zu more; type on to narrow it down",
		    count - shown);
	utf8_cut_end(text_get(&more), list->width, "...", out);
	text_put_char(out, '\n');
}

static struct list list_for(const struct completion *completion, unsigned rows,
			    unsigned columns)
{
	rows = rows ? rows : 24;
	columns = columns ? columns : 80;
	return (struct list){ .completion = completion,
			      .rows = rows > 3 ? rows - 2 : 1,
			      .width = columns > 8 ? columns - 1 : 7 };
}

void listing_candidates(const struct completion *completion, unsigned rows,
			unsigned columns, struct text *out)
{
	struct list list = list_for(completion, rows, columns);

	put_list(&list, out);
}

/* ---- questions ---- */

/* Nothing of the value was typed, and it is none that may be a ? itself. */
static bool asks_value(const struct match *match, const struct word *word)
{
	AUTO(str) char *key = mem_strndup(word->text, word->key);

	if (word->text[word->key + 1] || !match->command)
		return false;
	each_arg(arg, match->command)
	{
		const struct kind *kind =
			arg->type->kind ? arg->type->kind(match) : NULL;
		const struct attr *attr = kind ? kind_attr(kind, key) : NULL;

		if (attr)
			return attr->type != &type_text;
		if (arg->name && !strcmp(arg->name, key))
			return arg->type != &type_words;
	}
	return false;
}

bool listing_asks(const struct place *place, const struct words *words,
		  char quote)
{
	size_t last = words->count - 1;
	const struct word *word = &words->items[last];
	AUTO_MATCH match = MATCH_NONE;

	if (quote)
		return false;
	if (!*word->text)
		return true;
	if (filter_find(words) < last ||
	    match_words(&match, place, words, last, NULL) < 0)
		return false;
	return word->key ? asks_value(&match, word) : !match.command;
}

/* ---- answers ---- */

/* Up to its full width a row, cut at blanks. */
static size_t put_wrapped(const char *text, size_t width, struct text *out)
{
	size_t rows = 0;

	while (*text) {
		size_t length = utf8_fit(text, width), end = length;

		if (text[length]) {
			while (end && text[end] != ' ')
				end--;
			length = end ? end : length;
		}
		text_put_bytes(out, text, length);
		text_put_char(out, '\n');
		text += length;
		text += strspn(text, " ");
		rows++;
	}
	return rows;
}

static size_t put_syntax(const struct completion *completion, size_t width,
			 struct text *out)
{
	AUTO_TEXT line = TEXT_NONE;
	size_t rows;

	if (completion->head)
		return put_wrapped("[PATH] [COMMAND] [VALUE]... [KEY=VALUE]...",
				   width, out);
	if (!completion->command)
		return 0;
	command_usage(completion->command, &line);
	rows = put_wrapped(text_get(&line), width, out);
	text_cut(&line, 0);
	text_printf(&line, "  %s", completion->command->summary);
	return rows + put_wrapped(text_get(&line), width, out);
}

void listing_answer(const struct completion *completion, unsigned rows,
		    unsigned columns, struct text *out)
{
	struct list list = list_for(completion, rows, columns);
	size_t used = put_syntax(completion, list.width, out);
	AUTO_TEXT about = TEXT_NONE;

	if (completion->hint) {
		utf8_safe(completion->hint, &about);
		used += put_wrapped(text_get(&about), list.width, out);
	}
	list.rows = list.rows > used ? list.rows - used : 1;
	if (completion->count)
		put_list(&list, out);
	else if (!used)
		put_wrapped("nothing can come here that could be listed",
			    list.width, out);
}
