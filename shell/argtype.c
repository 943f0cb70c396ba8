/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What an argument of a command may be: one row each (command.h). */
#include <dirent.h>
#include <string.h>
#include <sys/stat.h>

#include "shell/bookmark.h"
#include "shell/completion.h"
#include "shell/global.h"
#include "shell/match.h"
#include "shell/pause.h"
#include "shell/pref.h"
#include "shell/session.h"
#include "shell/topics.h"

/* ---- places in the tree ---- */

static int check_node(const struct match *match, const struct arg *arg,
		      const char *text, struct err *err)
{
	(void)arg;
	if (!match->node)
		return 0;
	return bookmark_walk(&match->place, match->node, text, err) ? 0
	       : err						    ? err->code
								    : -ENOENT;
}

static void offer_node(const struct node *node, const char *lead, size_t length,
		       struct candidates *to)
{
	AUTO_TEXT text = TEXT_NONE, help = TEXT_NONE;

	text_put_bytes(&text, lead, length);
	text_put(&text, node_name(node));
	if (node_first(node))
		text_put_char(&text, '/');
	if (node_kind(node)->brief)
		node_kind(node)->brief(node, &help);
	else
		text_put(&help, node_kind(node)->summary);
	to->offer(to, text_get(&text), text_get(&help));
}

AUTO_DEFINE(nodes, struct node **, free)

/* Children of the directory part of prefix whose names go on as it does. */
static void complete_path(const struct match *match, const char *prefix,
			  bool fixed_too, struct candidates *to)
{
	const char *slash = strrchr(prefix, '/');
	size_t lead = slash ? (size_t)(slash + 1 - prefix) : 0;
	AUTO(str) char *directory = mem_strndup(prefix, lead);
	AUTO(nodes) struct node **sorted = NULL;
	const struct node *parent = match->node;

	if (!lead && prefix[0] == '@') {
		bookmarks_offer("@", to);
		return;
	}
	if (parent && lead)
		parent = bookmark_walk(&match->place, parent, directory, NULL);
	if (!parent)
		return;
	sorted = node_sorted(parent);
	for (struct node **at = sorted; *at; at++)
		if (!strncmp(node_name(*at), prefix + lead,
			     strlen(prefix + lead)) &&
		    (fixed_too || !node_is_fixed(*at) || node_first(*at)))
			offer_node(*at, prefix, lead, to);
}

static void complete_node(const struct match *match, const struct arg *arg,
			  const char *prefix, struct candidates *to)
{
	(void)arg;
	complete_path(match, prefix, true, to);
}

static void complete_child(const struct match *match, const struct arg *arg,
			   const char *prefix, struct candidates *to)
{
	(void)arg;
	complete_path(match, prefix, false, to);
}

const struct arg_type type_node = {
	.name = "path",
	.hint = "a path: /classes, uplink/web, .., or . for here",
	.check = check_node,
	.complete = complete_node,
};

const struct arg_type type_branch = {
	.name = "path",
	.hint = "a path: /classes, /classes/uplink; it need not be there yet",
	.complete = complete_node,
};

static bool is_step(const char *text)
{
	return *text && strchr("-<>", *text) && !text[1];
}

static int check_goal(const struct match *match, const struct arg *arg,
		      const char *text, struct err *err)
{
	return is_step(text) ? 0 : check_node(match, arg, text, err);
}

static void complete_goal(const struct match *match, const struct arg *arg,
			  const char *prefix, struct candidates *to)
{
	complete_node(match, arg, prefix, to);
	to->offer(to, "-", "where you were before");
	to->offer(to, "<", "back along the places you have been to");
	to->offer(to, ">", "and forward again");
}

const struct arg_type type_goal = {
	.name = "path",
	.hint = "a path: /classes, uplink/web, ..; or - < >",
	.check = check_goal,
	.complete = complete_goal,
};

const struct arg_type type_child = {
	.name = "name",
	.hint = "an object below this place, or the path to one",
	.check = check_node,
	.complete = complete_child,
};

/* What is made by the name of another object, if nothing else is said. */
static const struct attr *namesake_of(const struct kind *kind)
{
	for (size_t i = 0; kind && i < kind->attr_count; i++)
		if (kind->attrs[i].refers && kind->attrs[i].flags & ATTR_CHOSEN)
			return &kind->attrs[i];
	return NULL;
}

static void complete_newname(const struct match *match, const struct arg *arg,
			     const char *prefix, struct candidates *to)
{
	const struct kind *child =
		match->node ? node_kind(match->node)->child : NULL;
	const struct attr *attr = namesake_of(child);
	const struct node *root =
		match->place.tree ? tree_root(match->place.tree) : NULL;

	(void)arg;
	for (const struct node *at = root; attr && at; at = node_walk(root, at))
		if (node_kind(at) == attr->refers &&
		    !strncmp(node_name(at), prefix, strlen(prefix)) &&
		    !node_find(match->node, node_name(at)))
			offer_node(at, "", 0, to);
}

const struct arg_type type_newname = {
	.name = "name",
	.hint = "a new name: letters, digits and . _ : + -, at most 63, "
		"beginning with a letter, digit or _",
	.complete = complete_newname,
};

/* ---- settings ---- */

static const struct kind *kind_of_child(const struct match *match)
{
	return match->node ? node_kind(match->node)->child : NULL;
}

/* Of this node's or, behind `global`, the preferences'. */
static const struct kind *kind_of_set(const struct match *match)
{
	if (global_is(match))
		return &kind_global;
	return match->node ? node_kind(match->node) : NULL;
}

static const struct kind *kind_of_node(const struct match *match)
{
	return match->node ? node_kind(match->node) : NULL;
}

const struct arg_type type_childset = {
	.name = "setting=value",
	.hint = "settings of what is made; help tells which there are",
	.kind = kind_of_child,
};

const struct arg_type type_ownset = {
	.name = "setting=value",
	.hint = "settings of this object; set alone lists them",
	.kind = kind_of_set,
};

static int check_group(const struct match *match, const struct arg *arg,
		       const char *text, struct err *err)
{
	const struct kind *kind = kind_of_node(match);

	(void)arg;
	if (!strcmp(text, GLOBAL))
		return 0;
	if (kind && kind_attr(kind, text))
		return err_set(err, EINVAL,
			       "'%s' needs a value: %s=..., with no blank "
			       "around the =",
			       text, text);
	return err_set(err, EINVAL,
		       "'%s' is one word too many; usage: set "
		       "[SETTING=VALUE]... or set global [NAME=VALUE]...",
		       text);
}

static void complete_group(const struct match *match, const struct arg *arg,
			   const char *prefix, struct candidates *to)
{
	(void)prefix;
	(void)arg;
	if (!match->count)
		to->offer(to, GLOBAL, kind_global.summary);
}

const struct arg_type type_group = {
	.name = "group",
	.hint = "global: your preferences",
	.check = check_group,
	.complete = complete_group,
};

static void complete_setting(const struct match *match, const struct arg *arg,
			     const char *prefix, struct candidates *to)
{
	const struct kind *kind = kind_of_set(match);

	for (size_t i = 0; kind && i < kind->attr_count; i++) {
		AUTO_TEXT about = TEXT_NONE;

		completion_about(match, kind, &kind->attrs[i], &about);
		to->offer(to, kind->attrs[i].name, text_get(&about));
	}
	complete_group(match, arg, prefix, to);
}

const struct arg_type type_setting = {
	.name = "setting",
	.hint = "the name of a setting, or global and names of preferences",
	.complete = complete_setting,
};

/* ---- plain values ---- */

static int check_depth(const struct match *match, const struct arg *arg,
		       const char *text, struct err *err)
{
	(void)match;
	(void)arg;
	if (*text && strlen(text) <= 6 &&
	    strspn(text, "0123456789") == strlen(text))
		return 0;
	return err_set(err, EINVAL, "depth '%s' is no number of levels", text);
}

const struct arg_type type_depth = {
	.name = "depth",
	.hint = "a number of levels, 0 for all",
	.check = check_depth,
};

static int check_choice(const struct match *match, const struct arg *arg,
			const char *text, struct err *err)
{
	(void)match;
	for (const struct choice *at = arg->choices; at->name; at++)
		if (!strcmp(at->name, text))
			return 0;
	err_set(err, EINVAL, "%s=%s: not known; it can be", arg->name, text);
	for (const struct choice *at = arg->choices; at->name; at++)
		err_append(err, "%s %s", at == arg->choices ? "" : ",",
			   at->name);
	return err ? err->code : -EINVAL;
}

static void complete_choice(const struct match *match, const struct arg *arg,
			    const char *prefix, struct candidates *to)
{
	(void)match;
	(void)prefix;
	for (const struct choice *at = arg->choices; at->name; at++)
		to->offer(to, at->name, at->help);
}

const struct arg_type type_choice = {
	.name = "word",
	.hint = "one of a few words",
	.check = check_choice,
	.complete = complete_choice,
};

static void complete_topic(const struct match *match, const struct arg *arg,
			   const char *prefix, struct candidates *to)
{
	const struct kind *own = kind_of_node(match);

	(void)arg;
	(void)prefix;
	for (const struct command *const *at = commands; *at; at++)
		to->offer(to, (*at)->name, (*at)->summary);
	for (const struct kind *const *at = kinds; *at; at++)
		if ((*at)->attr_count)
			to->offer(to, (*at)->name, (*at)->summary);
	to->offer(to, GLOBAL, kind_global.summary);
	topics_offer(to);
	for (size_t i = 0; own && i < own->attr_count; i++)
		to->offer(to, own->attrs[i].name, own->attrs[i].help);
}

const struct arg_type type_topic = {
	.name = "topic",
	.hint = "a command, a kind of object, or a setting",
	.complete = complete_topic,
};

static void complete_name_of_command(const struct match *match,
				     const struct arg *arg, const char *prefix,
				     struct candidates *to)
{
	(void)match;
	(void)arg;
	(void)prefix;
	for (const struct command *const *at = commands; *at; at++)
		to->offer(to, (*at)->name, (*at)->summary);
}

const struct arg_type type_name_of_command = {
	.name = "command",
	.hint = "the name of a command",
	.complete = complete_name_of_command,
};

/* ---- files ---- */

static void offer_file(const char *folder, const char *name, const char *prefix,
		       size_t lead, struct candidates *to)
{
	AUTO(str) char *path = mem_printf("%s/%s", folder, name);
	AUTO_TEXT text = TEXT_NONE;
	struct stat status;
	bool is_folder = stat(path, &status) == 0 && S_ISDIR(status.st_mode);

	text_put_bytes(&text, prefix, lead);
	text_put(&text, name);
	text_put(&text, is_folder ? "/" : "");
	to->offer(to, text_get(&text), is_folder ? "a folder" : "a file");
}

static void complete_file(const struct match *match, const struct arg *arg,
			  const char *prefix, struct candidates *to)
{
	const char *slash = strrchr(prefix, '/');
	size_t lead = slash ? (size_t)(slash + 1 - prefix) : 0;
	AUTO(str)
	char *folder = lead ? mem_strndup(prefix, lead) : mem_strdup(".");
	struct dirent **entries = NULL;
	int count = scandir(folder, &entries, NULL, versionsort);

	(void)match;
	(void)arg;
	for (int i = 0; i < count; i++) {
		const char *name = entries[i]->d_name;
		bool hidden = *name == '.' && prefix[lead] != '.';

		if (!hidden && strcmp(name, ".") != 0 &&
		    strcmp(name, "..") != 0)
			offer_file(folder, name, prefix, lead, to);
		free(entries[i]);
	}
	free(entries);
}

const struct arg_type type_file = {
	.name = "file",
	.hint = "the path of a file",
	.complete = complete_file,
};

/* ---- times and counts ---- */

static int check_interval(const struct match *match, const struct arg *arg,
			  const char *text, struct err *err)
{
	uint64_t us;

	(void)match;
	(void)arg;
	return pause_parse(text, &us, err);
}

const struct arg_type type_interval = {
	.name = "time",
	.hint = "500ms, 2s, 1min; at least 100ms",
	.check = check_interval,
};

static int check_looks(const struct match *match, const struct arg *arg,
		       const char *text, struct err *err)
{
	(void)match;
	if (*text && strlen(text) <= 9 &&
	    strspn(text, "0123456789") == strlen(text) &&
	    strtoul(text, NULL, 10))
		return 0;
	return err_set(err, EINVAL, "%s=%s: no number from 1", arg->name, text);
}

const struct arg_type type_looks = {
	.name = "number",
	.hint = "a number from 1",
	.check = check_looks,
};

/* ---- another command ---- */

/* "interval=" is the outer command's own. */
static bool is_own_key(const struct match *match, const char *text)
{
	size_t length = strcspn(text, "=");

	each_arg(arg, match->command)
	{
		if (text[length] && strlen(arg->name) == length &&
		    !strncmp(arg->name, text, length))
			return true;
	}
	return false;
}

static bool may_stand(const struct match *match, const struct words *words,
		      const char *text)
{
	const struct command *command = command_find(text);

	if (is_own_key(match, text))
		return false;
	return words->count > 1 || !command || command->needs & REPEATABLE;
}

/* As its own line would go on. */
static void complete_command(const struct match *match, const struct arg *arg,
			     const char *prefix, struct candidates *to)
{
	struct place place = { match->place.tree, match->node,
			       match->place.made };
	AUTO_COMPLETION inner = { 0 };
	AUTO_WORDS words = WORDS_NONE;
	int rc = 0;

	for (size_t i = 0; i < match->count && rc == 0; i++)
		if (match->bound[i].arg == arg)
			rc = words_add(&words, match->bound[i].value, NULL);
	if (rc < 0 || words_add(&words, prefix, NULL) < 0)
		return;
	completion_find(&inner, &place, &words);
	for (size_t i = 0; i < inner.count; i++)
		if (may_stand(match, &words, inner.items[i].text))
			to->offer(to, inner.items[i].text, inner.items[i].help);
}

const struct arg_type type_command = {
	.name = "command",
	.hint = "a command that changes nothing: stats, ls, status, drift",
	.complete = complete_command,
};
