/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "shell/completion.h"

#include <string.h>

#include "shell/filter.h"
#include "shell/match.h"
#include "shell/pref.h"
#include "shell/star.h"
#include "shell/table.h"
#include "shell/utf8.h"

static void offer(struct candidates *base, const char *text, const char *help)
{
	struct completion *to = (struct completion *)base;
	AUTO(str)
	char *whole = mem_printf("%s%s", to->lead ? to->lead : "", text);

	if (strncmp(whole, to->typed, strlen(to->typed)) != 0)
		return;
	to->items =
		mem_grow(to->items, to->count, &to->room, sizeof(*to->items));
	to->items[to->count++] =
		(struct candidate){ TAKE(whole), mem_strdup(help ? help : "") };
}

/* ---- settings ---- */

/* References: the names of what can be referred to. */
static void offer_targets(const struct match *match, const struct attr *attr,
			  struct completion *to)
{
	const struct node *top =
		attr->below ? match->node : tree_root(match->place.tree);

	/* What is yet to be made has nothing below it. */
	if (attr->below && node_kind(top)->child != attr->refers)
		return;
	for (const struct node *at = top; at; at = node_walk(top, at)) {
		AUTO_TEXT help = TEXT_NONE;

		if (node_kind(at) != attr->refers)
			continue;
		if (node_kind(at)->brief)
			node_kind(at)->brief(at, &help);
		to->base.offer(&to->base, node_name(at), text_get(&help));
	}
}

/* The value it has now; false: it has none, or none that may be shown. */
static bool put_value(const struct node *node, const struct kind *kind,
		      const struct attr *attr, struct text *out)
{
	if (attr->flags & ATTR_SECRET)
		return false;
	if (kind == &kind_global) {
		pref_print((enum pref)kind_index(&kind_global, attr), out);
		return true;
	}
	if (!node || kind != node_kind(node) ||
	    !node_has(node, kind_index(kind, attr)))
		return false;
	node_print(node, kind_index(kind, attr), out);
	return true;
}

/* What is yet to be made has none, even below an object of its own kind. */
static bool put_present(const struct match *match, const struct arg *arg,
			const struct attr *attr, struct text *out)
{
	return arg->type != &type_childset &&
	       put_value(match->node, arg->type->kind(match), attr, out);
}

void completion_about(const struct match *match, const struct kind *kind,
		      const struct attr *attr, struct text *out)
{
	AUTO_TEXT now = TEXT_NONE, range = TEXT_NONE;

	if (put_value(match->node, kind, attr, &now))
		text_printf(out, "now %s ", text_get(&now));
	table_range(attr, &range);
	text_printf(out, "(%s) %s", text_get(&range), attr->help);
}

/* Among the candidates, too. */
static void mark_present(const struct match *match, const struct arg *arg,
			 const struct attr *attr, struct completion *to)
{
	AUTO_TEXT now = TEXT_NONE;

	if (!put_present(match, arg, attr, &now))
		return;
	for (size_t i = 0; i < to->count; i++) {
		struct candidate *item = &to->items[i];
		AUTO(str) char *help = item->help;

		if (strcmp(item->text + to->known, text_get(&now)) != 0)
			help = NULL;
		else
			item->help = mem_printf("%s%s", *help ? "now; " : "now",
						help);
	}
}

static void hint_value(const struct match *match, const struct arg *arg,
		       const struct attr *attr, struct completion *to)
{
	AUTO_TEXT range = TEXT_NONE, now = TEXT_NONE, hint = TEXT_NONE;

	if (to->hint)
		return;
	table_range(attr, &range);
	text_printf(&hint, "%s=%s: %s; %s", attr->name, text_get(&range),
		    attr->help, attr->type->hint);
	if (put_present(match, arg, attr, &now))
		text_printf(&hint, "; now %s", text_get(&now));
	to->hint = text_take(&hint);
}

static void complete_value(const struct match *match, const struct arg *arg,
			   const struct attr *attr, const struct word *word,
			   struct completion *to)
{
	AUTO(str) char *lead = mem_strndup(word->text, word->key + 1);
	const char *typed = word->text + word->key + 1;

	to->lead = lead;
	to->known = word->key + 1;
	if (attr->refers && match->place.tree)
		offer_targets(match, attr, to);
	else
		value_complete(attr, typed, &to->base);
	if (attr->flags & ATTR_AUTO)
		to->base.offer(&to->base, "auto", "left to Tresse");
	to->lead = NULL;
	mark_present(match, arg, attr, to);
	hint_value(match, arg, attr, to);
}

static void put_setting_help(const struct match *match, const struct arg *arg,
			     const struct attr *attr, struct text *out)
{
	AUTO_TEXT range = TEXT_NONE;

	if (arg->type != &type_childset) {
		completion_about(match, arg->type->kind(match), attr, out);
		return;
	}
	if (attr->flags & ATTR_REQUIRED)
		text_put(out, "required ");
	else if (attr->standard)
		text_printf(out, "%s if left out ", attr->standard);
	table_range(attr, &range);
	text_printf(out, "(%s) %s", text_get(&range), attr->help);
}

static void complete_keys(const struct match *match, const struct arg *arg,
			  struct completion *to)
{
	const struct kind *kind = arg->type->kind(match);

	for (size_t i = 0; kind && i < kind->attr_count; i++) {
		const struct attr *attr = &kind->attrs[i];
		AUTO(str) char *text = mem_printf("%s=", attr->name);
		AUTO_TEXT help = TEXT_NONE;

		if (attr->flags & ATTR_READONLY ||
		    match_has_key(match, attr->name))
			continue;
		put_setting_help(match, arg, attr, &help);
		to->base.offer(&to->base, text, text_get(&help));
	}
}

/* ---- arguments ---- */

static const struct arg *arg_named(const struct match *match, const char *name)
{
	each_arg(arg, match->command) if (arg->name && !arg->type->kind &&
					  !strcmp(arg->name, name)) return arg;
	return NULL;
}

static void complete_key_value(const struct match *match,
			       const struct word *word, struct completion *to)
{
	AUTO(str) char *key = mem_strndup(word->text, word->key);
	AUTO(str) char *lead = mem_strndup(word->text, word->key + 1);
	const struct arg *named = arg_named(match, key);

	if (named && named->type->complete) {
		to->lead = lead;
		to->known = word->key + 1;
		named->type->complete(match, named, word->text + word->key + 1,
				      &to->base);
		to->lead = NULL;
		return;
	}
	each_arg(arg, match->command)
	{
		const struct kind *kind =
			arg->type->kind ? arg->type->kind(match) : NULL;
		const struct attr *attr = kind ? kind_attr(kind, key) : NULL;

		if (attr && !(attr->flags & ATTR_READONLY))
			complete_value(match, arg, attr, word, to);
	}
}

static size_t last_slash(const char *text)
{
	const char *slash = strrchr(text, '/');

	return slash ? (size_t)(slash + 1 - text) : 0;
}

static void complete_arg(const struct match *match, const struct word *word,
			 struct completion *to)
{
	const struct arg *next = match_next(match);
	bool waits = next && next->flags & ARG_REQUIRED;

	if (word->key) {
		complete_key_value(match, word, to);
		return;
	}
	if (next && next->type->complete) {
		to->known = last_slash(word->text);
		next->type->complete(match, next, word->text, &to->base);
	}
	each_arg(arg, match->command)
	{
		if (arg->type->kind && !waits)
			complete_keys(match, arg, to);
		else if (arg->flags & ARG_ALONE &&
			 !match_has_key(match, arg->name))
			to->base.offer(&to->base, arg->name, arg->help);
		else if (arg->name && *word->text && arg != next &&
			 !match_has_key(match, arg->name)) {
			AUTO(str) char *key = mem_printf("%s=", arg->name);

			to->base.offer(&to->base, key, arg->help);
		}
	}
	/* The word global goes first or not at all. */
	if (next && next->type != &type_group)
		to->hint = mem_printf("%s: %s; %s", next->name, next->help,
				      next->type->hint);
}

/* ---- the head of the line ---- */

static void complete_commands(struct completion *to)
{
	for (const struct command *const *at = commands; *at; at++)
		to->base.offer(&to->base, (*at)->name, (*at)->summary);
}

static void complete_head(const struct match *match, const struct word *word,
			  struct completion *to)
{
	if (!match->has_path && !word->key) {
		to->known = last_slash(word->text);
		type_node.complete(match, NULL, word->text, &to->base);
	}
	if (!to->known && !word->key)
		complete_commands(to);
}

/* A line that begins with * goes on as it would for the first child. */
static bool match_star(struct match *match, const struct place *place,
		       const struct words *words, const char *child)
{
	struct word *items = mem_array(words->count, sizeof(*items));
	struct words line = { .items = items, .count = words->count };
	bool matched;

	memcpy(items, words->items, words->count * sizeof(*items));
	items[0].text = (char *)child;
	matched = match_words(match, place, &line, words->count - 1, NULL) == 0;
	free(items);
	return matched;
}

static void complete_star(const struct place *place, const char *child,
			  const struct words *words, struct completion *to)
{
	const struct word *word = &words->items[words->count - 1];
	AUTO_MATCH match = MATCH_NONE;

	if (words->count == 1) {
		to->known = last_slash(word->text);
		to->base.offer(&to->base, word->text, "every child");
		return;
	}
	if (!match_star(&match, place, words, child))
		return;
	if (match.command && star_takes(match.command))
		complete_arg(&match, word, to);
	else if (!match.command)
		for (const struct command *const *at = commands; *at; at++)
			if (star_takes(*at))
				to->base.offer(&to->base, (*at)->name,
					       (*at)->summary);
}

void completion_find(struct completion *completion, const struct place *place,
		     const struct words *words)
{
	AUTO_MATCH match = MATCH_NONE;
	AUTO(str) char *child = star_first(place, words->items[0].text);
	size_t last = words->count - 1;
	const struct word *word = &words->items[last];

	*completion =
		(struct completion){ .base = { offer }, .typed = word->text };
	if (filter_find(words) < last) {
		if (words->items[last - 1].pipe)
			filter_offer(&completion->base);
		return;
	}
	if (child) {
		complete_star(place, child, words, completion);
		return;
	}
	if (match_words(&match, place, words, last, NULL) < 0)
		return;
	completion->command = match.command;
	completion->head = !match.command;
	if (match.command)
		complete_arg(&match, word, completion);
	else
		complete_head(&match, word, completion);
}

void completion_common(const struct completion *completion, struct text *out)
{
	const char *first = completion->count ? completion->items[0].text : "";
	size_t common = strlen(first), whole = 0, size;
	uint32_t code;

	for (size_t i = 1; i < completion->count; i++) {
		const char *other = completion->items[i].text;
		size_t same = 0;

		while (same < common && first[same] == other[same])
			same++;
		common = same;
	}
	while (whole < common &&
	       (size = utf8_next(first + whole, common - whole, &code)))
		whole += size;
	text_put_bytes(out, first, whole);
}

bool completion_goes_on(const struct candidate *candidate)
{
	size_t length = strlen(candidate->text);

	return length && strchr("/=", candidate->text[length - 1]);
}

void completion_clear(struct completion *completion)
{
	for (size_t i = 0; i < completion->count; i++) {
		free(completion->items[i].text);
		free(completion->items[i].help);
	}
	free(completion->items);
	free(completion->hint);
	*completion = (struct completion){ 0 };
}
