/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Moving about, and looking at where one is: cd, ls, pwd. */
#include <string.h>

#include "shell/picker.h"
#include "shell/pref.h"
#include "shell/screen.h"
#include "shell/session.h"

/* ---- cd ---- */

/* Along the trail, past what is gone by now. */
static int step(struct session *session, int step, struct err *err)
{
	const struct place *place = &session->place;
	const char *path;
	struct node *node = NULL;

	while (!node && (path = trail_step(&session->trail, step)))
		node = tree_walk(place->tree, tree_root(place->tree), path,
				 NULL);
	if (!node) {
		output_say(session->output, SAY_DONE,
			   step < 0 ? "Reached the beginning of the path "
				      "history."
				    : "Reached the end of the path history.");
		return 0;
	}
	output_say(session->output, SAY_DONE, "Taking you %s to %s.",
		   step < 0 ? "back" : "forward", path);
	return session_go(session, node, err);
}

static int go_back(struct session *session, struct err *err)
{
	const struct place *place = &session->place;
	struct node *node;

	if (!session->trail.last)
		return err_set(err, ENOENT,
			       "there is no previous place: this is the first "
			       "one");
	node = tree_walk(place->tree, tree_root(place->tree),
			 session->trail.last, err);
	return node ? session_go(session, node, err) : err->code;
}

static void list_places(struct session *session)
{
	AUTO(str) char *path = session_path(session);

	output_say(session->output, SAY_DONE,
		   "%s You are in %s; cd PATH goes elsewhere:",
		   screen_moves()
			   ? "set global picker=yes would draw the "
			     "tree to pick from."
			   : "This terminal cannot draw the tree to pick "
			     "from.",
		   path);
	output_tree(session->output, session->place.here, 1, NULL);
}

/* Nobody sits in front of a script to pick. */
static int pick(struct session *session, struct err *err)
{
	struct node *node;

	if (!session->staying || session->gathering ||
	    !output_is_terminal(session->output) ||
	    output_is_json(session->output))
		return err_set(err, EINVAL,
			       "PATH is missing; usage: cd PATH (alone, it "
			       "picks one on a terminal)");
	if (!screen_moves() || !pref_u(PREF_PICKER)) {
		list_places(session);
		return 0;
	}
	output_flush(session->output);
	node = picker_run(session->place.tree, session->place.here);
	return node ? session_go(session, node, err) : 0;
}

static int cd_run(struct session *session, const struct match *match,
		  struct err *err)
{
	const char *path = match_value(match, "path");
	struct node *node;

	if (!path)
		return pick(session, err);
	if (!strcmp(path, "-"))
		return go_back(session, err);
	if (!strcmp(path, "<") || !strcmp(path, ">"))
		return step(session, *path == '<' ? -1 : 1, err);
	node = match_node(match, "path", err);
	return node ? session_go(session, node, err) : err->code;
}

static const struct arg cd_args[] = {
	{ .name = "path",
	  .type = &type_goal,
	  .help = "where to go: /paths, uplink/web, .. and so on; - < or >; "
		  "left out, it is picked from the tree" },
	{ 0 },
};

const struct command command_cd = {
	.name = "cd",
	.summary = "go to another place in the tree",
	.man = "A path alone does the same. Commands that follow are for that "
	       "place. cd - goes to where you were before; cd < and cd > go "
	       "back and forward along the places you have been to, and pass "
	       "by those that are gone.\n\n"
	       "cd alone shows the tree to pick from: the arrow keys and Page "
	       "Up and Down move, Left goes to what is above, / searches, "
	       "Enter goes there and Esc leaves.",
	.example = "cd /classes\ncd -\ncd <",
	.see = "ls, pwd",
	.json = "",
	.args = cd_args,
	.needs = NEEDS_TREE | NEEDS_FILE,
	.run = cd_run,
};

/* ---- ls, pwd ---- */

static int ls_run(struct session *session, const struct match *match,
		  struct err *err)
{
	const struct node *node = match_node(match, "path", err);
	const char *depth = match_value(match, "depth");
	unsigned levels = 0;

	if (!node)
		return err->code;
	if (!depth && output_is_terminal(session->output))
		levels = (unsigned)pref_u(PREF_LS_DEPTH);
	if (depth)
		levels = (unsigned)strtoul(depth, NULL, 10);
	if (depth && !levels)
		levels = OUTPUT_WHOLE;
	output_tree(session->output, node, levels, session_live(session));
	return 0;
}

static const struct arg ls_args[] = {
	{ .name = "path",
	  .type = &type_node,
	  .help = "top of what is shown; here, if left out" },
	{ .name = "depth",
	  .type = &type_depth,
	  .help = "levels below the top, 0: all; at a terminal as set global "
		  "ls-depth= says, else all, if left out" },
	{ 0 },
};

const struct command command_ls = {
	.name = "ls",
	.summary = "show the tree below a place, with its state",
	.man = "In brackets stands what an object is set to and, where the "
	       "running system can be asked, its state and counters.\n"
	       "\n"
	       "Of a server's peers, if they are many, some have a line of "
	       "their own, those that complain before the busiest; ls of the "
	       "peers themselves shows all, and so does a depth of 0.",
	.example = "ls\nls / 1\nls depth=2",
	.see = "info, get, status",
	.json = "tree:node",
	.args = ls_args,
	.needs = NEEDS_TREE | REPEATABLE,
	.run = ls_run,
};

static int pwd_run(struct session *session, const struct match *match,
		   struct err *err)
{
	AUTO(str)
	char *path = match->node ? node_path_dup(match->node)
				 : session_path(session);

	(void)err;
	output_answer(session->output, "path", path);
	return 0;
}

const struct command command_pwd = {
	.name = "pwd",
	.summary = "say where you are",
	.man = "Prints the whole path, which the prompt may have shortened.",
	.example = "pwd",
	.see = "cd",
	.json = "path:string",
	.needs = REPEATABLE,
	.run = pwd_run,
};
