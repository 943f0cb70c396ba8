/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "shell/topics.h"

#include <string.h>

#include "model/base/mem.h"
#include "model/kind.h"
#include "model/leaf.h"
#include "shell/output.h"
#include "shell/pref.h"

/* ---- types ---- */

#define TYPES_MOST 64

struct types {
	const struct type *items[TYPES_MOST];
	size_t count;
};

static void note_types(struct types *types, const struct kind *kind)
{
	for (size_t i = 0; i < kind->attr_count; i++) {
		const struct type *type = kind->attrs[i].type;
		size_t at = 0;

		while (at < types->count &&
		       strcmp(types->items[at]->name, type->name) != 0)
			at++;
		if (at == types->count && at < TYPES_MOST)
			types->items[types->count++] = type;
	}
}

static int by_name(const void *a, const void *b)
{
	const struct type *const *one = a, *const *other = b;

	return strcmp((*one)->name, (*other)->name);
}

static void show_row(struct output *output, const char *name, const char *help)
{
	AUTO(str) char *shown = mem_printf("  %s", name);

	output_open(output, SHAPE_ROW, NULL, NULL);
	output_field(output, "name", output_is_json(output) ? name : shown);
	output_field(output, "help", help);
	output_close(output);
}

static void show_types(struct output *output)
{
	struct types types = { .count = 0 };

	for (const struct kind *const *at = kinds; *at; at++)
		note_types(&types, *at);
	note_types(&types, &kind_global);
	qsort(types.items, types.count, sizeof(*types.items), by_name);
	output_open(output, SHAPE_TABLE, "choices", NULL);
	for (size_t i = 0; i < types.count; i++)
		show_row(output, types.items[i]->name, types.items[i]->hint);
	output_close(output);
}

/* ---- queues ---- */

static void show_queues(struct output *output)
{
	output_open(output, SHAPE_TABLE, "choices", NULL);
	for (const struct leaf_kind *at = leaf_kinds; at->name; at++)
		show_row(output, at->name, at->help);
	output_close(output);
}

static const char *form_name(enum leaf_form form)
{
	static const char *const names[] = {
		[LEAF_NUMBER] = "number",   [LEAF_SIGNED] = "number",
		[LEAF_MASK] = "bits",	    [LEAF_SIZE] = "size",
		[LEAF_RATE] = "rate",	    [LEAF_TIME] = "duration",
		[LEAF_SECONDS] = "seconds", [LEAF_WORDS] = "word",
	};

	return names[form];
}

static const char *standard_of(const struct leaf_option *option)
{
	if (option->flags & LEAF_REQUIRED)
		return "(required)";
	switch (option->from) {
	case LEAF_PACKETS_LONG: return "packets of full size";
	case LEAF_QUEUE_LONG: return "txqueuelen of the device";
	case LEAF_QUEUE_BYTES: return "txqueuelen packets of full size";
	case LEAF_NOTHING: return "";
	case LEAF_CONSTANT: break;
	}
	return "";
}

static void show_option(struct output *output, const struct leaf_option *option)
{
	AUTO(str) char *shown = mem_printf("  %s", option->name);
	AUTO(str)
	char *help =
		mem_printf("%s (%s%s%s)", option->help, form_name(option->form),
			   option->example ? ", for example " : "",
			   option->example ? option->example : "");

	output_open(output, SHAPE_ROW, NULL, NULL);
	output_field(output, "name",
		     output_is_json(output) ? option->name : shown);
	if (output_is_json(output)) {
		output_field(output, "type", form_name(option->form));
		output_field(output, "default", standard_of(option));
	}
	output_field(output, "help",
		     output_is_json(output) ? option->help : help);
	output_close(output);
}

static void show_words(struct output *output, const struct leaf_kind *kind)
{
	if (!kind->word_count)
		return;
	output_open(output, SHAPE_TABLE, "words", "WORDS");
	for (size_t i = 0; i < kind->word_count; i++)
		show_row(output, kind->words[i].name, kind->words[i].help);
	output_close(output);
}

static void show_queue(struct output *output, const struct leaf_kind *kind)
{
	AUTO(str) char *title = mem_printf("%s - %s", kind->name, kind->help);
	AUTO(str)
	char *needs = mem_printf("A queue of a class: leaf=\"%s ...\".%s%s%s",
				 kind->name,
				 kind->config ? " The kernel has to have " : "",
				 kind->config ? kind->config : "",
				 kind->config ? "." : "");

	output_answer(output, "title", title);
	output_prose(output, "description", needs);
	output_open(output, SHAPE_TABLE, "settings", "OPTIONS");
	for (size_t i = 0; i < kind->option_count; i++)
		show_option(output, &kind->options[i]);
	output_close(output);
	show_words(output, kind);
}

/* ---- the topics ---- */

static const struct topic {
	const char *name, *help;
	void (*show)(struct output *output);
} topics[] = {
	{ "types", "how values are written", show_types },
	{ "queues", "the queues that a class may have", show_queues },
};

bool topics_show(struct output *output, const char *topic)
{
	const struct leaf_kind *queue = leaf_kind(topic);

	for (size_t i = 0; i < ARRAY_SIZE(topics); i++) {
		AUTO(str)
		char *title =
			mem_printf("%s - %s", topics[i].name, topics[i].help);

		if (strcmp(topics[i].name, topic) != 0)
			continue;
		output_answer(output, "title", title);
		topics[i].show(output);
		return true;
	}
	if (queue)
		show_queue(output, queue);
	return queue;
}

void topics_offer(struct candidates *to)
{
	for (size_t i = 0; i < ARRAY_SIZE(topics); i++)
		to->offer(to, topics[i].name, topics[i].help);
	for (const struct leaf_kind *at = leaf_kinds; at->name; at++)
		to->offer(to, at->name, at->help);
}
