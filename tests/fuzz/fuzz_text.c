/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What comes from outside as text, for libFuzzer (`make fuzz`): a line as it is
 * typed or read from a file, the value of every setting, the words of a leaf,
 * an ssh connection. What is read must print, and be read again to the same
 * text.
 *
 * The first byte chooses what the rest is.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "backends/guard.h"
#include "model/kind.h"
#include "model/leaf.h"
#include "model/name.h"
#include "model/node.h"
#include "shell/words.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int holds)
{
	if (!holds)
		abort();
}

static void print_words(const struct words *words, struct text *out)
{
	for (size_t i = 0; i < words->count; i++) {
		text_put(out, i ? " " : "");
		word_print(words->items[i].text, out);
	}
}

static void fuzz_line(const char *bytes, size_t size)
{
	AUTO_WORDS words = WORDS_NONE;
	AUTO_WORDS again = WORDS_NONE;
	AUTO_WORDS typed = WORDS_NONE;
	AUTO_TEXT caret = TEXT_NONE;
	AUTO_TEXT line = TEXT_NONE;
	AUTO_ERR err = ERR_NONE;
	size_t at = 0;
	char quote;

	words_read_typed(&typed, bytes, size, &quote);
	if (words_read(&words, bytes, size, &at, &err) < 0) {
		must(err.text && at <= size && !words.count);
		caret_print(bytes, size, at, 40, &caret);
		return;
	}
	print_words(&words, &line);
	must(words_read(&again, text_get(&line), line.length, &at, NULL) == 0);
	must(again.count == words.count);
	for (size_t i = 0; i < words.count; i++)
		must(!strcmp(words.items[i].text, again.items[i].text));
}

static void fuzz_value(const struct attr *attr, const char *text)
{
	struct value value = { 0 }, same = { 0 };
	AUTO_TEXT first = TEXT_NONE;
	AUTO_TEXT second = TEXT_NONE;
	AUTO_ERR err = ERR_NONE;

	if (value_parse(attr, text, &value, &err) < 0) {
		must(err.text != NULL);
		return;
	}
	value_print(attr, &value, &first);
	must(value_parse(attr, text_get(&first), &same, NULL) == 0);
	value_print(attr, &same, &second);
	must(!strcmp(text_get(&first), text_get(&second)));
	must(value_equal(attr, &value, &same));
	value_clear(attr, &value);
	value_clear(attr, &same);
}

/* The setting that a number stands for, counted over all kinds. */
static const struct attr *setting(unsigned number)
{
	for (size_t k = 0; kinds[k]; k++) {
		if (number < kinds[k]->attr_count)
			return &kinds[k]->attrs[number];
		number -= (unsigned)kinds[k]->attr_count;
	}
	return NULL;
}

static void fuzz_path(const char *text)
{
	static struct tree *tree;

	if (!tree) {
		tree = tree_new();
		must(node_create(tree_classes(tree), "uplink", NULL) != NULL);
	}
	(void)tree_walk(tree, tree_root(tree), text, NULL);
	(void)name_check(text, NULL);
	(void)name_distance(text, "uplink", 3);
	(void)name_compare(text, "c10");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(str) char *text = NULL;
	const struct attr *attr;
	struct guard guard;

	if (!size)
		return 0;
	text = mem_strndup((const char *)data + 1, size - 1);
	attr = setting(data[0]);
	if (attr) {
		fuzz_value(attr, text);
	} else if (data[0] % 3 == 0) {
		(void)guard_parse(&guard, text);
		fuzz_path(text);
	} else {
		fuzz_line((const char *)data + 1, size - 1);
	}
	return 0;
}
