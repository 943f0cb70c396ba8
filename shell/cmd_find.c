/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Objects by what they are: find. */
#include <fnmatch.h>
#include <string.h>

#include "model/backend.h"
#include "shell/bookmark.h"
#include "shell/nearest.h"
#include "shell/session.h"

/* What a setting has to be, for one of the kinds that have it. */
struct wanted {
	const struct kind *kind;
	const struct attr *attr;
	struct value value;
};

struct test {
	char *name; /* owned */
	char op;    /* = < > or ! for != */
	const char *text;
	struct wanted *wanted; /* owned */
	size_t count, room;
};

struct search {
	const struct node *top;
	const char *kind;   /* its name, or NULL */
	struct test *tests; /* owned */
	size_t count, room;
	const struct live *live;
};

static void search_clear(struct search *search)
{
	for (size_t i = 0; i < search->count; i++) {
		struct test *test = &search->tests[i];

		for (size_t k = 0; k < test->count; k++)
			value_clear(test->wanted[k].attr,
				    &test->wanted[k].value);
		free(test->wanted);
		free(test->name);
	}
	free(search->tests);
}

/* ---- reading the tests ---- */

static bool is_unset(const struct test *test)
{
	return !*test->text;
}

static int check_order(const struct test *test, const struct attr *attr,
		       const struct value *value, struct err *err)
{
	if (strchr("=!", test->op) || (attr->type->is_number && !value->word))
		return 0;
	return err_set(err, EINVAL,
		       "only numbers are less or more; write %s=%s", test->name,
		       test->text);
}

static int want(struct test *test, const struct kind *kind,
		const struct attr *attr, struct err *err)
{
	struct wanted wanted = { kind, attr, { 0 } };
	int rc = is_unset(test)
			 ? 0
			 : value_parse(attr, test->text, &wanted.value, err);

	if (rc == 0)
		rc = check_order(test, attr, &wanted.value, err);
	if (rc < 0) {
		value_clear(attr, &wanted.value);
		return rc;
	}
	test->wanted = mem_grow(test->wanted, test->count, &test->room,
				sizeof(*test->wanted));
	test->wanted[test->count++] = wanted;
	return 0;
}

static int no_setting(const struct test *test, struct err *err)
{
	const char *near = NULL;

	for (const struct kind *const *at = kinds; *at && !near; at++)
		near = nearest_attr(*at, test->name);
	err_set(err, EINVAL, "nothing has a setting '%s'", test->name);
	return near ? err_append(err, "; did you mean %s?", near) : err->code;
}

/* A word may be a value for one kind and none for another one: it has to be
 * one for any. */
static int want_any(struct test *test, struct err *err)
{
	bool known = false;
	int rc = 0;

	for (const struct kind *const *at = kinds; *at; at++) {
		const struct attr *attr = kind_attr(*at, test->name);

		if (!attr || attr->flags & ATTR_SECRET)
			continue;
		known = true;
		err_clear(err);
		rc = want(test, *at, attr, err);
	}
	if (!known)
		return no_setting(test, err);
	if (!test->count)
		return rc < 0 ? err_prefix(err, "%s: ", test->name) : rc;
	err_clear(err);
	return 0;
}

static int read_test(struct search *search, const char *word, size_t length,
		     struct err *err)
{
	struct test *test;

	search->tests = mem_grow(search->tests, search->count, &search->room,
				 sizeof(*search->tests));
	test = &search->tests[search->count++];
	*test = (struct test){ .name = mem_strndup(word, length),
			       .op = word[length],
			       .text = word + length + 1 };
	if (test->op == '!')
		test->text++;
	if (!strcmp(test->name, "name") && strchr("=!", test->op))
		return 0;
	return want_any(test, err);
}

static size_t find_operator(const char *word)
{
	size_t at = strcspn(word, "=<>!");

	if (word[at] == '!' && word[at + 1] != '=')
		return 0;
	return word[at] ? at : 0;
}

static int read_word(struct search *search, const struct match *match,
		     const char *word, bool *has_path, struct err *err)
{
	size_t at = find_operator(word);

	if (at)
		return read_test(search, word, at, err);
	if (*has_path)
		return err_set(err, EINVAL,
			       "'%s' is one word too many: a test is "
			       "SETTING=VALUE, SETTING<VALUE or SETTING>VALUE",
			       word);
	*has_path = true;
	search->top = bookmark_walk(&match->place, match->node, word, err);
	return search->top ? 0 : err->code;
}

/* ---- trying them ---- */

static bool is_in_order(const struct value *have, const struct wanted *wanted,
			char op)
{
	if (op == '=' || op == '!')
		return value_equal(wanted->attr, have, &wanted->value) ==
		       (op == '=');
	if (have->word)
		return false;
	return op == '<' ? have->u < wanted->value.u
			 : have->u > wanted->value.u;
}

static bool passes_wanted(const struct search *search, const struct test *test,
			  const struct wanted *wanted, const struct node *node)
{
	size_t attr = kind_index(wanted->kind, wanted->attr);
	const struct value *have =
		!(wanted->attr->flags & ATTR_READONLY) ? node_value(node, attr)
		: search->live ? live_value(search->live, node, attr)
			       : NULL;

	if (is_unset(test))
		return !have == (test->op == '=');
	return have ? is_in_order(have, wanted, test->op) : test->op == '!';
}

static bool passes(const struct search *search, const struct test *test,
		   const struct node *node)
{
	if (!strcmp(test->name, "name"))
		return (fnmatch(test->text, node_name(node), 0) == 0) ==
		       (test->op == '=');
	for (size_t i = 0; i < test->count; i++)
		if (test->wanted[i].kind == node_kind(node))
			return passes_wanted(search, test, &test->wanted[i],
					     node);
	return false;
}

static bool is_found(const struct search *search, const struct node *node)
{
	if (search->kind && strcmp(search->kind, node_kind(node)->name) != 0)
		return false;
	for (size_t i = 0; i < search->count; i++)
		if (!passes(search, &search->tests[i], node))
			return false;
	return true;
}

static void show(struct output *output, const struct node *node)
{
	AUTO(str) char *path = node_path_dup(node);
	AUTO_TEXT brief = TEXT_NONE;

	if (node_kind(node)->brief)
		node_kind(node)->brief(node, &brief);
	output_open(output, SHAPE_ROW, NULL, NULL);
	output_field(output, "path", path);
	if (output_is_json(output))
		output_field(output, "kind", node_kind(node)->name);
	output_field(output, "summary", text_get(&brief));
	output_close(output);
}

AUTO_DEFINE(nodes, struct node **, free)

/* In the order of ls. */
static size_t show_found(struct output *output, const struct search *search,
			 const struct node *node)
{
	AUTO(nodes) struct node **sorted = NULL;
	size_t found = 0;

	if (is_found(search, node)) {
		show(output, node);
		found++;
	}
	if (!node_first(node))
		return found;
	sorted = node_sorted(node);
	for (struct node **at = sorted; *at; at++)
		found += show_found(output, search, *at);
	return found;
}

static bool asks_the_running(const struct search *search)
{
	for (size_t i = 0; i < search->count; i++)
		for (size_t k = 0; k < search->tests[i].count; k++)
			if (search->tests[i].wanted[k].attr->flags &
			    ATTR_READONLY)
				return true;
	return false;
}

static int find_run(struct session *session, const struct match *match,
		    struct err *err)
{
	struct search search = { .top = match->node,
				 .kind = match_value(match, "kind") };
	bool has_path = false;
	int rc = 0;

	for (size_t i = 0; i < match->count && rc == 0; i++)
		if (match->bound[i].arg->flags & ARG_REST)
			rc = read_word(&search, match, match->bound[i].value,
				       &has_path, err);
	if (rc == 0) {
		if (asks_the_running(&search))
			search.live = session_live(session);
		output_open(session->output, SHAPE_TABLE, "found", NULL);
		if (!show_found(session->output, &search, search.top))
			output_say(session->output, SAY_DONE, "Nothing found.");
		output_close(session->output);
	}
	search_clear(&search);
	return rc;
}

/* ---- the row ---- */

static bool is_offered(const struct kind *const *until, const char *name)
{
	for (const struct kind *const *at = kinds; at < until; at++)
		if (kind_attr(*at, name))
			return true;
	return false;
}

static void complete_test(const struct match *match, const struct arg *arg,
			  const char *prefix, struct candidates *to)
{
	if (strchr(prefix, '/') || *prefix == '@') {
		type_node.complete(match, arg, prefix, to);
		return;
	}
	to->offer(to, "kind=", "of the objects");
	to->offer(to, "name=", "of the objects; * and ? stand for anything");
	for (const struct kind *const *at = kinds; *at; at++)
		for (size_t i = 0; i < (*at)->attr_count; i++) {
			const struct attr *attr = &(*at)->attrs[i];
			AUTO(str) char *key = mem_printf("%s=", attr->name);

			if (!is_offered(at, attr->name) &&
			    !(attr->flags & ATTR_SECRET))
				to->offer(to, key, attr->help);
		}
}

static const struct arg_type type_test = {
	.name = "test",
	.hint = "SETTING=VALUE, SETTING!=VALUE, SETTING<VALUE, SETTING>VALUE, "
		"name=PATTERN, or the path to begin at",
	.complete = complete_test,
};

static int check_kind(const struct match *match, const struct arg *arg,
		      const char *text, struct err *err)
{
	(void)match;
	(void)arg;
	for (const struct kind *const *at = kinds; *at; at++)
		if (!strcmp((*at)->name, text))
			return 0;
	err_set(err, EINVAL, "kind=%s: not known; it can be", text);
	for (const struct kind *const *at = kinds; *at; at++)
		err_append(err, "%s %s", at == kinds ? "" : ",", (*at)->name);
	return err ? err->code : -EINVAL;
}

static void complete_kind(const struct match *match, const struct arg *arg,
			  const char *prefix, struct candidates *to)
{
	(void)match;
	(void)arg;
	(void)prefix;
	for (const struct kind *const *at = kinds; *at; at++)
		to->offer(to, (*at)->name, (*at)->summary);
}

static const struct arg_type type_kind = {
	.name = "kind",
	.hint = "a kind of object: path, class, match",
	.check = check_kind,
	.complete = complete_kind,
};

static const struct arg find_args[] = {
	{ .name = "path|test",
	  .type = &type_test,
	  .flags = ARG_REPEATS | ARG_REST,
	  .help = "where to look, here if left out; and what has to hold" },
	{ .name = "kind", .type = &type_kind, .help = "only such objects" },
	{ 0 },
};

const struct command command_find_objects = {
	.name = "find",
	.summary = "list the objects for which something holds",
	.man = "All tests have to hold. In the shell of the system, < and > "
	       "need quotes. SETTING= alone finds objects where it is not set. "
	       "What the running system says (state) can be asked for, too.",
	.example = "find kind=class\nfind /paths device=wan0\n"
		   "find rate<1mbit name=s*",
	.see = "ls, get",
	.json = "found:[found]",
	.args = find_args,
	.needs = NEEDS_TREE | REPEATABLE,
	.run = find_run,
};
