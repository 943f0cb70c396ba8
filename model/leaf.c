/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "model/leaf.h"

#include <string.h>

#include "model/kind.h"
#include "model/types/bounds.h"
#include "model/types/offer.h"
#include "model/types/plain.h"

static bool has(uint32_t given, unsigned option)
{
	return given >> option & 1;
}

const struct leaf_kind *leaf_kind(const char *name)
{
	for (const struct leaf_kind *kind = leaf_kinds; kind->name; kind++)
		if (!strcmp(kind->name, name))
			return kind;
	return NULL;
}

/* ---- values ---- */

static const struct type *const form_types[] = {
	[LEAF_NUMBER] = &type_number,	 [LEAF_SIGNED] = &type_number,
	[LEAF_MASK] = &type_number,	 [LEAF_SIZE] = &type_size,
	[LEAF_RATE] = &type_rate,	 [LEAF_TIME] = &type_duration,
	[LEAF_SECONDS] = &type_duration,
};

static void print_number(uint64_t u, struct text *out)
{
	text_printf(out, "%lld", (long long)u);
}

static int parse_signed(const struct leaf_option *option, const char *text,
			uint64_t *out, struct err *err)
{
	struct value value;
	bool minus = *text == '-';
	int64_t number;
	int rc = type_number.parse(NULL, text + minus, &value, err);

	if (rc < 0)
		return rc;
	number = value.u > INT32_MAX ? INT32_MAX : (int64_t)value.u;
	if (minus)
		number = -number;
	if (number < (int64_t)option->min || number > (int64_t)option->max)
		return err_set(err, ERANGE, "%s: must be %lld to %lld",
			       PLAIN(text), (long long)option->min,
			       (long long)option->max);
	*out = (uint64_t)number;
	return 0;
}

/* "10" as tc takes it, "10sec" as tc prints it, and 10s. */
static int parse_seconds(const struct leaf_option *option, const char *text,
			 uint64_t *out, struct err *err)
{
	const struct attr bounds = { .max = option->max, .unit = "seconds" };
	AUTO(str) char *plain = mem_strdup(text);
	size_t length = strlen(plain);
	struct value value;
	int rc;

	if (length > 3 && !strcmp(plain + length - 3, "sec"))
		plain[length - 2] = '\0';
	if (strspn(plain, "0123456789") == strlen(plain)) {
		rc = type_number.parse(&bounds, plain, &value, err);
		*out = rc < 0 ? 0 : value.u;
		return rc;
	}
	rc = type_duration.parse(NULL, plain, &value, err);
	if (rc < 0)
		return rc;
	if (value.u % 1000000)
		return err_set(err, EINVAL, "%s: whole seconds only",
			       PLAIN(text));
	*out = value.u / 1000000;
	return bounds_check(&bounds, *out, print_number, text, err);
}

static int parse_value(const struct leaf_option *option, const char *text,
		       uint64_t *out, struct err *err)
{
	const struct attr bounds = { .min = option->min, .max = option->max };
	struct value value;
	int rc;

	if (option->form == LEAF_SIGNED)
		return parse_signed(option, text, out, err);
	if (option->form == LEAF_SECONDS)
		return parse_seconds(option, text, out, err);
	rc = form_types[option->form]->parse(&bounds, text, &value, err);
	if (rc < 0)
		return rc;
	if (option->flags & LEAF_POWER_OF_2 && value.u & (value.u - 1))
		return err_set(err, EINVAL, "%s: must be a power of 2",
			       PLAIN(text));
	*out = value.u;
	return 0;
}

static void print_value(const struct leaf_option *option, uint64_t u,
			struct text *out)
{
	const struct value value = { .u = u };

	if (option->form == LEAF_SIGNED || option->form == LEAF_SECONDS)
		print_number(u, out);
	else if (option->form == LEAF_MASK)
		text_printf(out, "0x%llx", (unsigned long long)u);
	else
		form_types[option->form]->print(NULL, &value, out);
}

/* ---- words ---- */

static const struct leaf_option *find_option(const struct leaf_kind *kind,
					     const char *name)
{
	for (size_t i = 0; i < kind->option_count; i++) {
		const struct leaf_option *option = &kind->options[i];
		bool bare = option->form == LEAF_WORDS &&
			    !(option->flags & LEAF_NAMED);

		if (!bare && !strcmp(option->name, name))
			return option;
	}
	for (size_t i = 0; i < kind->word_count; i++)
		if (kind->words[i].alias && !strcmp(kind->words[i].name, name))
			return &kind->options[kind->words[i].sets[0].option];
	return NULL;
}

static bool is_named(const struct leaf_kind *kind, const struct leaf_word *word)
{
	return kind->options[word->sets[0].option].flags & LEAF_NAMED;
}

/* A word that stands alone; with `of`, one that follows that option's name. */
static const struct leaf_word *find_word(const struct leaf_kind *kind,
					 const struct leaf_option *of,
					 const char *name)
{
	for (size_t i = 0; i < kind->word_count; i++) {
		const struct leaf_word *word = &kind->words[i];

		if (word->alias || strcmp(word->name, name))
			continue;
		if (of ? of == &kind->options[word->sets[0].option]
		       : !is_named(kind, word))
			return word;
	}
	return NULL;
}

static const struct leaf_word *word_for(const struct leaf_kind *kind,
					size_t option, uint64_t value)
{
	for (size_t i = 0; i < kind->word_count; i++) {
		const struct leaf_word *word = &kind->words[i];

		if (!word->alias && word->count == 1 &&
		    word->sets[0].option == option &&
		    (uint64_t)word->sets[0].value == value)
			return word;
	}
	return NULL;
}

/* ---- reading ---- */

struct reader {
	const char *at;
	char *word; /* owned: the one last read; NULL at the end */
};

static const char *read_word(struct reader *reader)
{
	size_t length;

	free(reader->word);
	reader->word = NULL;
	reader->at += strspn(reader->at, " ");
	length = strcspn(reader->at, " ");
	if (length)
		reader->word = mem_strndup(reader->at, length);
	reader->at += length;
	return reader->word;
}

static int give(struct leaf_item *item, size_t option, uint64_t value,
		struct err *err)
{
	if (has(item->given, (unsigned)option))
		return err_set(err, EINVAL, "%s %s: given twice",
			       item->kind->name,
			       item->kind->options[option].name);
	item->given |= 1u << option;
	item->value[option] = value;
	return 0;
}

static int give_word(struct leaf_item *item, const struct leaf_word *word,
		     struct err *err)
{
	int rc = 0;

	for (size_t i = 0; i < word->count && rc == 0; i++)
		rc = give(item, word->sets[i].option,
			  (uint64_t)(int64_t)word->sets[i].value, err);
	return rc;
}

static void list_words(const struct leaf_kind *kind,
		       const struct leaf_option *of, struct err *err)
{
	const char *gap = " (";

	for (size_t i = 0; i < kind->option_count && !of; i++)
		if (kind->options[i].form != LEAF_WORDS ||
		    kind->options[i].flags & LEAF_NAMED) {
			err_append(err, "%s%s", gap, kind->options[i].name);
			gap = ", ";
		}
	for (size_t i = 0; i < kind->word_count; i++) {
		const struct leaf_word *word = &kind->words[i];

		if (word->alias || word->count > 1 ||
		    (of ? of != &kind->options[word->sets[0].option]
			: is_named(kind, word)))
			continue;
		err_append(err, "%s%s", gap, word->name);
		gap = ", ";
	}
	err_append(err, ")");
}

static int read_named_word(struct leaf_item *item,
			   const struct leaf_option *option, const char *text,
			   struct err *err)
{
	const struct leaf_word *word = find_word(item->kind, option, text);

	if (word)
		return give_word(item, word, err);
	err_set(err, EINVAL, "%s: no such %s", PLAIN(text), option->name);
	list_words(item->kind, option, err);
	return -EINVAL;
}

static int read_option(struct reader *reader, struct leaf_item *item,
		       const struct leaf_option *option, struct err *err)
{
	const char *text = read_word(reader);
	uint64_t value = 0;
	int rc;

	if (!text)
		return err_set(err, EINVAL, "%s %s: give a value, as in %s %s",
			       item->kind->name, option->name, option->name,
			       option->example);
	if (option->form == LEAF_WORDS)
		rc = read_named_word(item, option, text, err);
	else
		rc = parse_value(option, text, &value, err);
	if (rc < 0)
		return err_prefix(err, "%s %s ", item->kind->name,
				  option->name);
	if (option->form == LEAF_WORDS)
		return 0;
	return give(item, (size_t)(option - item->kind->options), value, err);
}

static int read_setting(struct reader *reader, struct leaf_item *item,
			struct err *err)
{
	const struct leaf_option *option =
		find_option(item->kind, reader->word);
	const struct leaf_word *word =
		find_word(item->kind, NULL, reader->word);

	if (option)
		return read_option(reader, item, option, err);
	if (word)
		return give_word(item, word, err);
	err_set(err, EINVAL, "%s: %s has no such option", PLAIN(reader->word),
		item->kind->name);
	list_words(item->kind, NULL, err);
	return -EINVAL;
}

static int check_item(const struct leaf_item *item, struct err *err)
{
	int rc;

	for (size_t i = 0; i < item->kind->option_count; i++)
		if (item->kind->options[i].flags & LEAF_REQUIRED &&
		    !has(item->given, (unsigned)i))
			return err_set(err, EINVAL, "%s needs %s, as in %s %s",
				       item->kind->name,
				       item->kind->options[i].name,
				       item->kind->options[i].name,
				       item->kind->options[i].example);
	if (!item->kind->check)
		return 0;
	rc = item->kind->check(item->given, item->value, err);
	return rc < 0 ? err_prefix(err, "%s: ", item->kind->name) : 0;
}

/* Up to the end or the next `or`; *more says which. */
static int read_item(struct reader *reader, struct leaf_item *item, bool *more,
		     struct err *err)
{
	const char *name = read_word(reader);
	int rc = 0;

	*more = false;
	if (!name)
		return err_set(err, EINVAL,
			       "a queue is missing, as in \"sfq perturb 10 or "
			       "pfifo limit 127\"");
	item->kind = leaf_kind(name);
	if (!item->kind) {
		err_set(err, EINVAL, "%s: no such queue (", PLAIN(name));
		for (const struct leaf_kind *kind = leaf_kinds; kind->name;
		     kind++)
			err_append(err, "%s%s", kind == leaf_kinds ? "" : ", ",
				   kind->name);
		err_append(err, ")");
		return -EINVAL;
	}
	while (rc == 0 && !*more && read_word(reader)) {
		*more = !strcmp(reader->word, "or");
		if (!*more)
			rc = read_setting(reader, item, err);
	}
	return rc < 0 ? rc : check_item(item, err);
}

int leaf_parse(const char *text, struct leaf **out, struct err *err)
{
	AUTO(leaf) struct leaf *leaf = mem_alloc(sizeof(*leaf));
	struct reader reader = { text, NULL };
	bool more = true;
	int rc = 0;

	while (rc == 0 && more) {
		struct leaf_item *item;

		leaf->item = mem_grow(leaf->item, leaf->count, &leaf->room,
				      sizeof(*leaf->item));
		item = &leaf->item[leaf->count++];
		*item = (struct leaf_item){ NULL, 0, { 0 } };
		rc = read_item(&reader, item, &more, err);
	}
	free(reader.word);
	if (rc == 0)
		*out = TAKE(leaf);
	return rc;
}

void leaf_free(struct leaf *leaf)
{
	if (!leaf)
		return;
	free(leaf->item);
	free(leaf);
}

/* ---- writing ---- */

static bool in_bounds(const struct leaf_option *option, uint64_t value)
{
	if (option->form == LEAF_SIGNED)
		return true;
	return value >= option->min && (!option->max || value <= option->max);
}

void leaf_item_print(const struct leaf_item *item, struct text *out)
{
	text_put(out, item->kind->name);
	for (size_t i = 0; i < item->kind->option_count; i++) {
		const struct leaf_option *option = &item->kind->options[i];
		const struct leaf_word *word = NULL;
		bool named = option->form != LEAF_WORDS ||
			     option->flags & LEAF_NAMED;

		if (!has(item->given, (unsigned)i))
			continue;
		if (option->form == LEAF_WORDS ||
		    !in_bounds(option, item->value[i]))
			word = word_for(item->kind, i, item->value[i]);
		if (named && (!word || option->flags & LEAF_NAMED))
			text_printf(out, " %s", option->name);
		text_put_char(out, ' ');
		if (word)
			text_put(out, word->name);
		else if (option->form == LEAF_WORDS)
			text_printf(out, "no-%s", option->name);
		else if (!in_bounds(option, item->value[i]))
			text_put(out, "default");
		else
			print_value(option, item->value[i], out);
	}
}

void leaf_print(const struct leaf *leaf, struct text *out)
{
	for (size_t i = 0; i < leaf->count; i++) {
		if (i)
			text_put(out, " or ");
		leaf_item_print(&leaf->item[i], out);
	}
}

/* ---- the type ---- */

/* Thousands of classes have the same leaf, one after the other. */
static struct {
	char *text, *canonical; /* owned */
} latest;

static int parse(const struct attr *attr, const char *text, struct value *out,
		 struct err *err)
{
	AUTO(leaf) struct leaf *leaf = NULL;
	struct text canonical = TEXT_NONE;
	int rc;

	(void)attr;
	if (!latest.text || strcmp(latest.text, text) != 0) {
		rc = leaf_parse(text, &leaf, err);
		if (rc < 0)
			return rc;
		leaf_print(leaf, &canonical);
		free(latest.text);
		free(latest.canonical);
		latest.text = mem_strdup(text);
		latest.canonical = text_take(&canonical);
	}
	*out = (struct value){ .text = mem_strdup(latest.canonical) };
	return 0;
}

static void print(const struct attr *attr, const struct value *value,
		  struct text *out)
{
	(void)attr;
	text_put(out, value->text);
}

static bool equal(const struct value *a, const struct value *b)
{
	return !strcmp(a->text, b->text);
}

static void clear(struct value *value)
{
	free(value->text);
}

static void copy(const struct value *from, struct value *to)
{
	*to = (struct value){ .text = mem_strdup(from->text) };
}

/* What the words before the one being typed leave open. */
struct open {
	const struct leaf_kind *kind;	  /* NULL: a kind comes now */
	const struct leaf_option *option; /* its value comes now */
	bool lost;			  /* no sense can be made of it */
};

static void step_over(struct open *open, const char *word)
{
	if (open->option) {
		open->option = NULL;
	} else if (!open->kind) {
		open->kind = leaf_kind(word);
		open->lost |= !open->kind;
	} else if (!strcmp(word, "or")) {
		open->kind = NULL;
	} else {
		open->option = find_option(open->kind, word);
		open->lost |=
			!open->option && !find_word(open->kind, NULL, word);
	}
}

static void offer_value(const struct open *open, const char *prefix,
			struct candidates *to)
{
	if (open->option->form != LEAF_WORDS) {
		offer_item(to, prefix, " ", open->option->example,
			   open->option->help);
		return;
	}
	for (size_t i = 0; i < open->kind->word_count; i++) {
		const struct leaf_word *word = &open->kind->words[i];

		if (!word->alias &&
		    open->option == &open->kind->options[word->sets[0].option])
			offer_item(to, prefix, " ", word->name, word->help);
	}
}

static void offer_settings(const struct leaf_kind *kind, const char *prefix,
			   struct candidates *to)
{
	for (size_t i = 0; i < kind->option_count; i++)
		if (find_option(kind, kind->options[i].name))
			offer_item(to, prefix, " ", kind->options[i].name,
				   kind->options[i].help);
	for (size_t i = 0; i < kind->word_count; i++)
		if (!kind->words[i].alias && !is_named(kind, &kind->words[i]))
			offer_item(to, prefix, " ", kind->words[i].name,
				   kind->words[i].help);
	offer_item(to, prefix, " ", "or", "what to take if it is not there");
}

static void complete(const struct attr *attr, const char *prefix,
		     struct candidates *to)
{
	const char *last = strrchr(prefix, ' ');
	AUTO(str)
	char *before = mem_strndup(prefix, last ? (size_t)(last - prefix) : 0);
	struct reader reader = { before, NULL };
	struct open open = { NULL, NULL, false };

	(void)attr;
	while (!open.lost && read_word(&reader))
		step_over(&open, reader.word);
	free(reader.word);
	if (open.lost)
		return;
	if (open.option)
		offer_value(&open, prefix, to);
	else if (open.kind)
		offer_settings(open.kind, prefix, to);
	else
		for (const struct leaf_kind *kind = leaf_kinds; kind->name;
		     kind++)
			offer_item(to, prefix, " ", kind->name, kind->help);
}

const struct type type_leaf = {
	.name = "leaf",
	.hint = "\"sfq perturb 10 or pfifo limit 127\", in tc's words",
	.parse = parse,
	.print = print,
	.equal = equal,
	.clear = clear,
	.copy = copy,
	.complete = complete,
};
