/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Moving about, and looking at where one is: cd, ls, pwd. */
#include "shell/session.h"

static int cd_run(struct session *session, const struct match *match,
		  struct err *err)
{
	struct node *node = match_node(match, "path", err);

	if (!node)
		return err->code;
	session->place.here = node;
	return 0;
}

static const struct arg cd_args[] = {
	{ .name = "path",
	  .type = &type_node,
	  .flags = ARG_REQUIRED,
	  .help = "where to go: /paths, uplink/web, .. and so on" },
	{ 0 },
};

const struct command command_cd = {
	.name = "cd",
	.summary = "go to another place in the tree",
	.man = "A path alone does the same. Commands that follow are for that "
	       "place.",
	.example = "cd /classes",
	.see = "ls, pwd",
	.args = cd_args,
	.needs = NEEDS_TREE | NEEDS_FILE,
	.run = cd_run,
};

static int ls_run(struct session *session, const struct match *match,
		  struct err *err)
{
	const struct node *node = match_node(match, "path", err);
	const char *depth = match_value(match, "depth");

	if (!node)
		return err->code;
	output_tree(session->output, node,
		    depth ? (unsigned)strtoul(depth, NULL, 10) : 0,
		    session_live(session));
	return 0;
}

static const struct arg ls_args[] = {
	{ .name = "path",
	  .type = &type_node,
	  .help = "top of what is shown; here, if left out" },
	{ .name = "depth",
	  .type = &type_depth,
	  .help = "levels below the top; all, if left out or 0" },
	{ 0 },
};

const struct command command_ls = {
	.name = "ls",
	.summary = "show the tree below a place, with its state",
	.man = "In brackets stands what an object is set to and, where the "
	       "running system can be asked, its state and counters.",
	.example = "ls\nls / 1\nls depth=2",
	.see = "info, get, status",
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
	.needs = REPEATABLE,
	.run = pwd_run,
};
