/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Changing the configuration: create, delete, set. */
#include <string.h>

#include "model/secret.h"
#include "model/txn.h"
#include "shell/global.h"
#include "shell/nearest.h"
#include "shell/session.h"
#include "shell/table.h"
#include "shell/users.h"
#include "shell/words.h"

static int set_all(struct node *node, const struct match *match,
		   struct err *err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < match->count; i++)
		if (match->bound[i].key)
			rc = node_set_text(node, match->bound[i].key,
					   match->bound[i].value, err);
	return rc;
}

/* What others have to know of it can be told before the commit. */
static void choose_early(const struct session *session, struct node *node)
{
	if (node_kind(node) == &kind_link && !session->building)
		link_choose_keys(node);
}

/* ---- create ---- */

static int nothing_below(const struct node *node, struct err *err)
{
	AUTO(str) char *path = node_path_dup(node);

	err_set(err, EINVAL, "%s: nothing can be created here", path);
	for (const struct kind *const *kind = kinds; *kind; kind++)
		if ((*kind)->child && (*kind)->fixed_name)
			err_append(err, "; %s %s in %s%s",
				   article_of((*kind)->child->name),
				   (*kind)->child->name,
				   *kind == &kind_matches ? "a class's " : "/",
				   (*kind)->fixed_name);
	return err ? err->code : -EINVAL;
}

static int check_required(const struct node *node, struct err *err)
{
	const struct kind *kind = node_kind(node);
	AUTO(str) char *path = node_path_dup(node);
	AUTO_TEXT missing = TEXT_NONE;

	for (size_t i = 0; i < kind->attr_count; i++)
		if (kind->attrs[i].flags & ATTR_REQUIRED && !node_has(node, i))
			text_printf(&missing, "%s%s=%s",
				    missing.length ? " " : "",
				    kind->attrs[i].name,
				    kind->attrs[i].example);
	if (!missing.length)
		return 0;
	return err_set(err, EINVAL, "%s: %s %s needs more, for example: %s",
		       path, article_of(kind->name), kind->name,
		       text_get(&missing));
}

/* True if the setting already is what text says. */
static bool is_so(const struct node *node, size_t attr, const char *text,
		  bool *readable)
{
	const struct attr *row = &node_kind(node)->attrs[attr];
	const struct value *have = node_value(node, attr);
	struct value want = { 0 };
	bool same;

	*readable = true;
	if (!*text || (row->flags & ATTR_AUTO && !strcmp(text, "auto")))
		return node_origin(node, attr) != ORIGIN_GIVEN;
	if (value_parse(row, text, &want, NULL) < 0) {
		*readable = false;
		return false;
	}
	same = have && value_equal(row, have, &want);
	value_clear(row, &want);
	return same;
}

static void put_difference(const struct node *node, size_t attr,
			   const char *text, struct text *out)
{
	AUTO_TEXT have = TEXT_NONE;

	node_print(node, attr, &have);
	text_printf(out, "%s%s is %s, not %s", out->length ? "; " : "",
		    node_kind(node)->attrs[attr].name,
		    have.length ? text_get(&have) : "not set", text);
}

static void put_word(const struct node *node, size_t attr, struct text *out)
{
	AUTO_TEXT word = TEXT_NONE;

	text_printf(&word, "%s=", node_kind(node)->attrs[attr].name);
	node_print(node, attr, &word);
	word_print(text_get(&word), out);
}

/* What is there has settings that were not asked for: said, not changed. */
static void put_extras(const struct node *node, const struct match *match,
		       struct text *out)
{
	const struct kind *kind = node_kind(node);
	unsigned count = 0;

	for (size_t i = 0; i < kind->attr_count; i++) {
		if (node_origin(node, i) != ORIGIN_GIVEN ||
		    match_has_key(match, kind->attrs[i].name))
			continue;
		text_put(out, count++ ? " " : " (it also has ");
		put_word(node, i, out);
	}
	text_put(out, count ? ")" : "");
}

static int keep(struct session *session, struct node *node,
		const struct match *match, struct err *err)
{
	AUTO(str) char *path = node_path_dup(node);
	AUTO_TEXT differences = TEXT_NONE;
	struct text said = TEXT_NONE;
	bool readable;

	for (size_t i = 0; i < match->count; i++) {
		const struct bound *bound = &match->bound[i];
		size_t attr;

		if (!bound->attr)
			continue;
		attr = kind_index(node_kind(node), bound->attr);
		if (is_so(node, attr, bound->value, &readable))
			continue;
		if (!readable) /* refused in the words of its type */
			return node_set_text(node, bound->key, bound->value,
					     err);
		put_difference(node, attr, bound->value, &differences);
	}
	if (differences.length)
		return err_set(err, EEXIST,
			       "%s: is already there, but %s; to change it: "
			       "%s set ...",
			       path, text_get(&differences), path);
	if (!session->gathering) { /* a batch tells of the whole */
		text_printf(&said, "%s is already there, nothing to change",
			    path);
		put_extras(node, match, &said);
	}
	session_did(session, DEED_KEPT, node, text_take(&said));
	return 0;
}

static int create_run(struct session *session, const struct match *match,
		      struct err *err)
{
	const char *name = match_value(match, "name");
	struct node *node;
	int rc;

	if (!node_kind(match->node)->child)
		return nothing_below(match->node, err);
	node = node_find(match->node, name);
	if (node && !node_is_fixed(node))
		return keep(session, node, match, err);
	node = node_create(match->node, name, err);
	if (!node)
		return err->code;
	rc = set_all(node, match, err);
	if (rc == 0)
		rc = check_required(node, err);
	if (rc < 0)
		return rc;
	choose_early(session, node);
	/* A batch tells of the whole. */
	session_did(session, DEED_CREATED, node,
		    session->gathering
			    ? NULL
			    : mem_printf("Created %s %s.",
					 node_kind(node)->name, name));
	session_made(session, node);
	return 0;
}

static const struct arg create_args[] = {
	{ .name = "name",
	  .type = &type_newname,
	  .flags = ARG_REQUIRED,
	  .help = "name of the new object" },
	{ .type = &type_childset,
	  .flags = ARG_REPEATS,
	  .help = "its settings" },
	ARG_FORCE,
	{ 0 },
};

const struct command command_create = {
	.name = "create",
	.summary = "make an object below this place",
	.man = "What is made depends on the place: a path in /paths, a tree of "
	       "classes in /classes, a class in such a tree or in a class, a "
	       "match in a class's match. It takes effect at once, or not at "
	       "all; in a batch, with the whole batch.\n"
	       "\n"
	       "An object that is already there with these settings is left "
	       "alone, so a batch can be run again. If its settings differ, "
	       "the command is refused and names the differences.",
	.example = "/paths create adsl0 device=wan0 up=1024kbit down=20mbit\n"
		   "/classes create uplink path=adsl0",
	.see = "set, delete",
	.json = JSON_CHANGE,
	.args = create_args,
	.needs = NEEDS_TREE | NEEDS_WRITE | NEEDS_FILE,
	.run = create_run,
};

/* ---- delete ---- */

static bool is_within(const struct node *at, const struct node *branch)
{
	while (at && at != branch)
		at = node_parent(at);
	return at != NULL;
}

static char *deletion_of(const struct node *branch)
{
	struct text said = TEXT_NONE;
	size_t below = 0;

	for (const struct node *at = node_walk(branch, branch); at;
	     at = node_walk(branch, at))
		below += !node_is_fixed(at);
	text_printf(&said, "Deleted %s %s", node_kind(branch)->name,
		    node_name(branch));
	if (below)
		text_printf(&said, " and %zu object%s below it", below,
			    below == 1 ? "" : "s");
	text_put_char(&said, '.');
	return text_take(&said);
}

static void put_user(const struct node *user, size_t attr, void *arg)
{
	struct text *out = arg;

	text_put(out, out->length ? ", " : "");
	node_path(user, out);
	text_printf(out, " (%s)", node_kind(user)->attrs[attr].name);
}

/* In a batch a later line may delete the user as well: there the check of the
 * whole finds it. */
static int check_users(const struct session *session, const struct node *node,
		       const char *path, struct err *err)
{
	AUTO_TEXT users = TEXT_NONE;

	if (session->gathering)
		return 0;
	users_each(node, put_user, &users);
	if (!users.length)
		return 0;
	return err_set(err, ENOTEMPTY, "%s: is used by %s; change that first",
		       path, text_get(&users));
}

static int delete_run(struct session *session, const struct match *match,
		      struct err *err)
{
	struct node *node = match_node(match, "name", err);
	AUTO(str) char *path = NULL;

	if (!node)
		return err->code;
	path = node_path_dup(node);
	if (node_is_fixed(node))
		return err_set(err, ENOTSUP,
			       "%s: belongs to the tree itself and stays; what "
			       "is below it can be deleted",
			       path);
	if (check_users(session, node, path, err) < 0)
		return err->code;
	session_did(session, DEED_DELETED, node, deletion_of(node));
	if (is_within(session->place.here, node))
		session->place.here = node_parent(node);
	node_delete(node);
	return 0;
}

static const struct arg delete_args[] = {
	{ .name = "name",
	  .type = &type_child,
	  .flags = ARG_REQUIRED,
	  .help = "the object, or the path to it" },
	ARG_FORCE,
	{ 0 },
};

const struct command command_delete = {
	.name = "delete",
	.summary = "remove an object and what is below it",
	.man = "What others refer to cannot be deleted: the message names "
	       "them. The running system is put back to how it was found.\n"
	       "\n"
	       "What is queued in a class is sent before it goes. Of a whole "
	       "tree it would be lost: while packets wait in it, that is "
	       "refused, with their number, unless it is force=yes.",
	.example = "/classes delete uplink",
	.see = "create, clearconfig",
	.json = JSON_CHANGE,
	.args = delete_args,
	.needs = NEEDS_TREE | NEEDS_WRITE | NEEDS_FILE,
	.run = delete_run,
};

/* ---- set ---- */

static void put_set(const struct node *node, size_t attr, struct text *out)
{
	const struct attr *row = &node_kind(node)->attrs[attr];
	enum origin origin = node_origin(node, attr);
	AUTO_TEXT value = TEXT_NONE;

	if (row->flags & ATTR_SECRET)
		secret_print(node, attr, &value);
	else
		node_print(node, attr, &value);
	text_printf(out, "%sParameter %s is now ", out->length ? "\n" : "",
		    row->name);
	if (origin == ORIGIN_GIVEN)
		text_printf(out, "'%s'.", text_get(&value));
	else if (origin == ORIGIN_STANDARD)
		text_printf(out, "'%s', its default.", text_get(&value));
	else
		text_put(out, row->flags & ATTR_AUTO ? "left to Tresse."
						     : "not set.");
}

static bool all_so(const struct node *node, const struct match *match)
{
	bool readable, same = true;

	for (size_t i = 0; same && i < match->count; i++) {
		const struct bound *bound = &match->bound[i];
		size_t attr;
		bool unset = !*bound->value || !strcmp(bound->value, "auto");

		if (!bound->attr)
			continue;
		if (unset && bound->attr->flags & ATTR_SECRET &&
		    bound->attr->flags & ATTR_AUTO)
			return false; /* a new key is asked for */
		attr = kind_index(node_kind(node), bound->attr);
		same = !(bound->attr->flags & ATTR_READONLY) &&
		       is_so(node, attr, bound->value, &readable) &&
		       (unset || node_origin(node, attr) == ORIGIN_GIVEN);
	}
	return same;
}

static const char *public_key(const struct node *node)
{
	const char *key = node_kind(node) == &kind_link
				  ? node_text(node, LINK_PUBLIC_KEY)
				  : NULL;

	return key ? key : "";
}

static int change(struct session *session, struct node *node,
		  const struct match *match, struct err *err)
{
	AUTO(str) char *path = node_path_dup(node);
	AUTO(str) char *key = mem_strdup(public_key(node));
	struct text said = TEXT_NONE;
	bool same = all_so(node, match);
	int rc = same ? 0 : set_all(node, match, err);

	if (rc < 0)
		return rc;
	if (!same)
		choose_early(session, node);
	for (size_t i = 0; !same && i < match->count; i++)
		if (match->bound[i].attr)
			put_set(node,
				kind_index(node_kind(node),
					   match->bound[i].attr),
				&said);
	if (same)
		text_printf(&said, "%s already is so, nothing to change", path);
	if (strcmp(key, public_key(node)) != 0)
		text_printf(&said,
			    "\nIts public-key is now %s: the other end has to "
			    "be told.",
			    public_key(node));
	session_did(session, same ? DEED_KEPT : DEED_CHANGED, node,
		    text_take(&said));
	return 0;
}

static int set_run(struct session *session, const struct match *match,
		   struct err *err)
{
	if (global_is(match))
		return global_set(session, match, err);
	if (match->count)
		return change(session, match->node, match, err);
	table_settings(session->output, node_kind(match->node), match->node);
	return 0;
}

static const struct arg set_args[] = {
	{ .name = "group",
	  .type = &type_group,
	  .help = "global, for your preferences; this object, if left out" },
	{ .type = &type_ownset,
	  .flags = ARG_REPEATS,
	  .help = "the settings; an empty value, or auto, unsets" },
	ARG_FORCE,
	{ 0 },
};

const struct command command_set = {
	.name = "set",
	.summary = "change settings of this object, all or none",
	.man = "Alone it lists what can be set here. Several settings change "
	       "together or not at all. SETTING= and SETTING=auto give the "
	       "setting back to its default, or to Tresse's choice.\n"
	       "\n"
	       "set global changes your preferences, from any place and at "
	       "once: they are no part of the configuration, so neither a "
	       "batch nor a candidate holds them back. Alone it lists them.",
	.example = "/paths/adsl0 set up=768kbit description=\"first floor\"\n"
		   "set global ls-depth=2 color=no",
	.see = "get, create, help global",
	.json = JSON_CHANGE "settings?:[setting-row] global?:preferences",
	.args = set_args,
	.needs = NEEDS_TREE | NEEDS_WRITE_VALUES | NEEDS_FILE,
	.run = set_run,
};
