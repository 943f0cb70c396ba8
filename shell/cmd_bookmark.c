/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Names for places: bookmarks. */
#include <string.h>

#include "shell/bookmark.h"
#include "shell/session.h"

static int show(struct session *session)
{
	struct output *output = session->output;
	AUTO_BOOKMARKS bookmarks = { 0 };

	bookmarks_load(&bookmarks);
	output_open(output, SHAPE_TABLE, "bookmarks", NULL);
	for (size_t i = 0; i < bookmarks.count; i++) {
		const struct bookmark *row = &bookmarks.items[i];
		AUTO(str) char *shown = mem_printf("@%s", row->name);

		output_open(output, SHAPE_ROW, NULL, NULL);
		output_field(output, "name",
			     output_is_json(output) ? row->name : shown);
		output_field(output, "path", row->path);
		output_close(output);
	}
	output_close(output);
	if (!bookmarks.count)
		output_say(output, SAY_DONE,
			   "There are no bookmarks; bookmarks add NAME makes "
			   "one of this place.");
	return 0;
}

static int add(struct session *session, const struct node *node,
	       const char *name, const char *there, struct err *err)
{
	AUTO(str) char *path = node_path_dup(node);
	int rc = bookmark_check(name, err);

	if (rc == 0 && !strcmp(name, BOOKMARK_LAST))
		return err_set(err, EINVAL,
			       "@last is the object created last, and takes "
			       "care of itself");
	if (rc == 0 && there)
		return err_set(err, EEXIST,
			       "Bookmark %s already exists, for %s: bookmarks "
			       "del %s first",
			       name, there, name);
	if (rc == 0)
		rc = bookmarks_put(name, path, err);
	if (rc == 0)
		output_say(session->output, SAY_DONE, "Bookmarked %s as %s.",
			   path, name);
	return rc;
}

static int del(struct session *session, const char *name, struct err *err)
{
	int rc = bookmarks_put(name, NULL, err);

	if (rc == 0)
		output_say(session->output, SAY_DONE, "Deleted bookmark %s.",
			   name);
	return rc;
}

static int go(struct session *session, const struct match *match,
	      const char *name, struct err *err)
{
	AUTO(str) char *path = mem_printf("@%s", name);
	struct node *node =
		bookmark_walk(&match->place, match->node, path, err);

	return node ? session_go(session, node, err) : err->code;
}

static int bookmarks_run(struct session *session, const struct match *match,
			 struct err *err)
{
	const char *action = match_value(match, "action");
	const char *name = match_value(match, "name");
	AUTO_BOOKMARKS bookmarks = { 0 };
	const char *there;

	if (!action || !strcmp(action, "show"))
		return show(session);
	if (!name)
		return err_set(err, EINVAL,
			       "NAME is missing; usage: bookmarks %s NAME",
			       action);
	name += *name == '@';
	if (!strcmp(action, "go"))
		return go(session, match, name, err);
	bookmarks_load(&bookmarks);
	there = bookmarks_find(&bookmarks, name);
	if (!strcmp(action, "add"))
		return add(session, match->node, name, there, err);
	if (!there)
		return err_set(err, ENOENT, "No such bookmark %s.", name);
	return del(session, name, err);
}

static const struct choice actions[] = {
	{ "show", "list them" }, { "add", "a name for this place" },
	{ "del", "forget one" }, { "go", "to one; a path @NAME does the same" },
	{ NULL, NULL },
};

static void complete_name(const struct match *match, const struct arg *arg,
			  const char *prefix, struct candidates *to)
{
	(void)match;
	(void)arg;
	bookmarks_offer(*prefix == '@' ? "@" : "", to);
}

static const struct arg_type type_bookmark = {
	.name = "name",
	.hint = "letters, digits and _ - .",
	.complete = complete_name,
};

static const struct arg bookmarks_args[] = {
	{ .name = "action",
	  .type = &type_choice,
	  .choices = actions,
	  .help = "show, if left out, add, del or go" },
	{ .name = "name", .type = &type_bookmark, .help = "of the bookmark" },
	{ 0 },
};

const struct command command_bookmarks = {
	.name = "bookmarks",
	.summary = "names for places, to be written @NAME",
	.man = "@NAME, and @NAME/below, stand wherever a path may. Bookmarks "
	       "are your own: other users have theirs. @last is always the "
	       "object that you created last.",
	.example = "/paths/adsl0 bookmarks add home\nbookmarks",
	.see = "cd",
	.json = "bookmarks?:[bookmark]",
	.args = bookmarks_args,
	.needs = NEEDS_TREE,
	.run = bookmarks_run,
};
