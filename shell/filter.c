/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "shell/filter.h"

#include <regex.h>
#include <string.h>

#include "shell/run.h"
#include "shell/session.h"
#include "shell/words.h"

#define MOST 16 /* of one line */

struct filter {
	const struct filter_row *row;
	regex_t expression;
	bool compiled, inverted;
};

struct chain {
	struct filter items[MOST];
	size_t count;
	bool json; /* the last one */
};

struct filter_row {
	const char *name, *help;
	int (*read)(struct filter *filter, const struct word *words,
		    size_t count, struct err *err);
	/* Changes text in place. */
	void (*pass)(const struct filter *filter, struct text *text);
};

/* ---- grep ---- */

static int compile(struct filter *filter, const char *text, int flags,
		   struct err *err)
{
	char why[128];
	int rc = regcomp(&filter->expression, text,
			 REG_EXTENDED | REG_NOSUB | flags);

	filter->compiled = rc == 0;
	if (rc == 0)
		return 0;
	regerror(rc, &filter->expression, why, sizeof(why));
	return err_set(err, EINVAL, "grep: '%s' is no expression: %s", text,
		       why);
}

static int grep_read(struct filter *filter, const struct word *words,
		     size_t count, struct err *err)
{
	int flags = 0;
	size_t at = 0;

	for (; at < count && words[at].text[0] == '-'; at++) {
		if (!strcmp(words[at].text, "-i"))
			flags |= REG_ICASE;
		else if (!strcmp(words[at].text, "-v"))
			filter->inverted = true;
		else
			break;
	}
	if (at + 1 != count)
		return err_set(err, EINVAL,
			       "grep takes one expression (quotes keep blanks "
			       "together); usage: | grep [-i] [-v] EXPRESSION");
	return compile(filter, words[at].text, flags, err);
}

static void grep_pass(const struct filter *filter, struct text *text)
{
	AUTO(str) char *all = text_take(text);
	char *rest = all, *line;

	while (rest && *rest && (line = strsep(&rest, "\n")))
		if ((regexec(&filter->expression, line, 0, NULL, 0) == 0) !=
		    filter->inverted)
			text_printf(text, "%s\n", line);
}

/* ---- count, json ---- */

static int no_words(struct filter *filter, const struct word *words,
		    size_t count, struct err *err)
{
	if (!count)
		return 0;
	return err_set(err, EINVAL, "'%s' is one word too many; usage: | %s",
		       words[0].text, filter->row->name);
}

static size_t count_lines(const char *at)
{
	size_t count = 0;

	for (; *at; count++) {
		at += strcspn(at, "\n");
		at += *at == '\n';
	}
	return count;
}

static void count_pass(const struct filter *filter, struct text *text)
{
	size_t count = count_lines(text_get(text));

	(void)filter;
	text_cut(text, 0);
	text_printf(text, "%zu\n", count);
}

static const struct filter_row rows[] = {
	{ "grep",
	  "lines that match an expression; -v: that do not, -i: "
	  "in any case",
	  grep_read, grep_pass },
	{ "count", "the number of lines", no_words, count_pass },
	{ "json", "as JSON; goes last", no_words, NULL },
};

void filter_offer(struct candidates *to)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		to->offer(to, rows[i].name, rows[i].help);
}

/* ---- reading them ---- */

size_t filter_find(const struct words *words)
{
	size_t at = 0;

	while (at < words->count && !words->items[at].pipe)
		at++;
	return at;
}

static const struct filter_row *find_row(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (!strcmp(rows[i].name, name))
			return &rows[i];
	return NULL;
}

static int read_one(struct chain *chain, const struct word *words, size_t count,
		    struct err *err)
{
	struct filter *filter = &chain->items[chain->count];

	if (!count)
		return err_set(err, EINVAL,
			       "a filter is missing behind |: grep, count or "
			       "json (quote the | if it is none: '|')");
	if (chain->json)
		return err_set(err, EINVAL, "json has to be the last filter");
	if (chain->count == MOST)
		return err_set(err, EINVAL, "more than %d filters", MOST);
	filter->row = find_row(words[0].text);
	if (!filter->row)
		return err_set(err, EINVAL,
			       "there is no filter '%s': grep, count or json",
			       words[0].text);
	chain->json = !filter->row->pass;
	chain->count++;
	return filter->row->read(filter, words + 1, count - 1, err);
}

static int read_chain(struct chain *chain, const struct words *words, size_t at,
		      struct err *err)
{
	int rc = 0;

	while (rc == 0 && at < words->count) {
		size_t from = ++at;

		while (at < words->count && !words->items[at].pipe)
			at++;
		rc = read_one(chain, words->items + from, at - from, err);
	}
	return rc;
}

static void chain_clear(struct chain *chain)
{
	for (size_t i = 0; i < chain->count; i++)
		if (chain->items[i].compiled)
			regfree(&chain->items[i].expression);
}

/* ---- running ---- */

static void show_json(struct output *output, const struct chain *chain,
		      struct text *text)
{
	bool counted =
		!strcmp(chain->items[chain->count - 1].row->name, "count") ||
		(chain->count > 1 && chain->json &&
		 !strcmp(chain->items[chain->count - 2].row->name, "count"));
	char *rest = text->bytes, *line;

	output_begin(output);
	if (counted) {
		output_number(output, "count",
			      strtoull(text_get(text), NULL, 10));
	} else {
		output_open(output, SHAPE_TABLE, "lines", NULL);
		while (rest && *rest && (line = strsep(&rest, "\n")))
			output_field(output, "", line);
		output_close(output);
	}
	output_end(output);
}

/* The command's own JSON. */
static int run_json(struct session *session, const struct words *words,
		    struct err *err)
{
	bool was = output_set_json(session->output, true);
	int rc = run_words(session, words, err);

	output_set_json(session->output, was);
	return rc;
}

static int run_lines(struct session *session, const struct words *words,
		     const struct chain *chain, struct err *err)
{
	struct output *output = session->output;
	AUTO_TEXT text = TEXT_NONE;
	bool was = output_set_json(output, false);
	int rc;

	output_filter(output, &text);
	rc = run_words(session, words, err);
	output_filter(output, NULL);
	for (size_t i = 0; rc == 0 && i < chain->count; i++)
		if (chain->items[i].row->pass)
			chain->items[i].row->pass(&chain->items[i], &text);
	output_set_json(output, was || chain->json);
	if (rc == 0 && output_is_json(output))
		show_json(output, chain, &text);
	else if (rc == 0)
		output_raw(output, text_get(&text), text.length);
	output_set_json(output, was);
	return rc;
}

int filter_run(struct session *session, const struct words *words,
	       struct err *err)
{
	size_t at = filter_find(words);
	struct words head = { .items = words->items, .count = at };
	struct chain chain = { .count = 0 };
	int rc = at ? read_chain(&chain, words, at, err)
		    : err_set(err, EINVAL, "a command is missing before |");

	session->filtering = true;
	if (rc == 0 && chain.json && chain.count == 1)
		rc = run_json(session, &head, err);
	else if (rc == 0)
		rc = run_lines(session, &head, &chain, err);
	session->filtering = false;
	chain_clear(&chain);
	return rc;
}
