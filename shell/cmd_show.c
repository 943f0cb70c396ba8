/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Looking closely: get, info, status. */
#include <string.h>
#include <time.h>

#include "model/drifts.h"
#include "model/secret.h"
#include "shell/crowd.h"
#include "shell/draft.h"
#include "shell/draw.h"
#include "shell/global.h"
#include "shell/nearest.h"
#include "shell/session.h"
#include "shell/trial.h"
#include "shell/users.h"

/* ---- get ---- */

static const struct attr *attr_asked(const struct node *node, const char *name,
				     struct err *err)
{
	const struct kind *kind = node_kind(node);
	const struct attr *attr = kind_attr(kind, name);
	const char *near = nearest_attr(kind, name);
	AUTO(str) char *path = NULL;

	if (attr)
		return attr;
	path = node_path_dup(node);
	err_set(err, EINVAL, "%s has no setting '%s'", path, name);
	if (near)
		err_append(err, "; did you mean %s?", near);
	return NULL;
}

static bool is_shown(const struct attr *attr, bool asked)
{
	return asked || !(attr->flags & ATTR_SECRET);
}

static void show_all(struct session *session, const struct node *node)
{
	const struct live *live = session_live(session);
	const struct kind *kind = node_kind(node);

	for (size_t i = 0; i < kind->attr_count; i++)
		if (is_shown(&kind->attrs[i], false))
			output_setting(session->output, node, i, live);
}

/* Asked for by name, a secret is shown: to who may read the file it is in. */
static int show_secret(struct session *session, const struct node *node,
		       size_t attr, struct err *err)
{
	AUTO(store)
	struct store *store =
		store_open(session->options.store, STORE_READ, err);
	struct live *told;
	char *text;

	if (!store)
		return err->code;
	text = secret_find(store, node_text(node, attr), err);
	if (!text)
		return err_prefix(err,
				  "%s: ", node_kind(node)->attrs[attr].name);
	told = live_new();
	live_set_text(told, node, attr, text);
	output_setting(session->output, node, attr, told);
	live_free(told);
	explicit_bzero(text, strlen(text));
	free(text);
	return 0;
}

static int show_one(struct session *session, const struct node *node,
		    size_t attr, struct err *err)
{
	if (node_kind(node)->attrs[attr].flags & ATTR_SECRET &&
	    node_text(node, attr))
		return show_secret(session, node, attr, err);
	output_setting(session->output, node, attr, session_live(session));
	return 0;
}

static int check_asked(const struct match *match, struct err *err)
{
	for (size_t i = 0; i < match->count; i++)
		if (!attr_asked(match->node, match->bound[i].value, err))
			return err->code;
	return 0;
}

static int get_run(struct session *session, const struct match *match,
		   struct err *err)
{
	const struct kind *kind = node_kind(match->node);
	AUTO(str) char *path = node_path_dup(match->node);
	int rc;

	if (global_is(match))
		return global_get(session, match, err);
	rc = check_asked(match, err);
	if (rc < 0)
		return rc;
	if (output_is_json(session->output))
		output_field(session->output, "path", path);
	else if (!kind->attr_count)
		output_say(session->output, SAY_DONE, "%s has no settings",
			   path);
	output_open(session->output, SHAPE_RECORD, NULL, NULL);
	for (size_t i = 0; i < match->count && rc == 0; i++)
		rc = show_one(
			session, match->node,
			kind_index(kind,
				   kind_attr(kind, match->bound[i].value)),
			err);
	if (!match->count)
		show_all(session, match->node);
	output_close(session->output);
	return rc;
}

static const struct arg get_args[] = {
	{ .name = "setting",
	  .type = &type_setting,
	  .flags = ARG_REPEATS,
	  .help = "which ones; all, if left out; behind global: of your "
		  "preferences" },
	{ 0 },
};

const struct command command_get = {
	.name = "get",
	.summary = "show settings of this object",
	.man = "One a line, as SETTING=VALUE, with where the value comes from "
	       "unless somebody gave it: a default, a choice of Tresse's, or "
	       "the running system (read-only).\n"
	       "\n"
	       "get global shows your preferences, from any place.",
	.example = "/paths/adsl0 get up down state\nget global\n"
		   "get global color",
	.see = "set, info, help global",
	.json = "path?:string settings?:settings origins?:origins live?:live "
		"global?:preferences",
	.args = get_args,
	.needs = NEEDS_TREE | REPEATABLE,
	.run = get_run,
};

/* ---- info ---- */

static void show_user(const struct node *user, size_t attr, void *arg)
{
	struct output *output = arg;
	AUTO(str) char *path = node_path_dup(user);

	output_open(output, SHAPE_ROW, NULL, NULL);
	if (!output_is_json(output))
		output_field(output, "", "used by");
	output_field(output, "path", path);
	output_field(output, "setting", node_kind(user)->attrs[attr].name);
	output_close(output);
}

static void show_users(struct output *output, const struct node *node)
{
	output_open(output, SHAPE_TABLE, "users", NULL);
	users_each(node, show_user, output);
	output_close(output);
}

static int info_run(struct session *session, const struct match *match,
		    struct err *err)
{
	struct output *output = session->output;
	const struct node *node = match_node(match, "path", err);
	AUTO(str) char *path = NULL;
	AUTO(str) char *what = NULL;

	if (!node)
		return err->code;
	path = node_path_dup(node);
	what = mem_printf("%s: %s", node_kind(node)->name,
			  node_kind(node)->summary);
	if (output_is_json(output)) {
		output_field(output, "path", path);
		output_field(output, "kind", node_kind(node)->name);
		show_all(session, node);
	} else {
		output_answer(output, "path", path);
		output_answer(output, "kind", what);
		output_open(output, SHAPE_RECORD, NULL, NULL);
		show_all(session, node);
		output_close(output);
	}
	show_users(output, node);
	return 0;
}

static const struct arg info_args[] = {
	{ .name = "path",
	  .type = &type_node,
	  .help = "the object; this one, if left out" },
	{ 0 },
};

const struct command command_info = {
	.name = "info",
	.summary = "show everything about an object",
	.man = "Its path and kind, its settings and where they come from, what "
	       "the running system says about it, and who refers to it.",
	.example = "info /paths/adsl0",
	.see = "get, ls, status",
	.json = "path:string kind:string settings?:settings origins?:origins "
		"live?:live users:[user]",
	.args = info_args,
	.needs = NEEDS_TREE | REPEATABLE,
	.run = info_run,
};

/* ---- status ---- */

struct last {
	char *actor; /* owned */
	int64_t at_us;
};

static int take_last(const struct revision *revision, void *arg)
{
	struct last *last = arg;

	last->actor = mem_strdup(revision->actor ? revision->actor : "?");
	last->at_us = revision->at_us;
	return 1;
}

static void put_time(int64_t at_us, struct text *out)
{
	time_t seconds = (time_t)(at_us / 1000000);
	struct tm when;
	char stamp[64];

	if (localtime_r(&seconds, &when) &&
	    strftime(stamp, sizeof(stamp), "%F %T %z", &when))
		text_put(out, stamp);
}

static void show_store(struct session *session, struct store *store)
{
	struct output *output = session->output;
	struct last last = { NULL, 0 };
	AUTO_TEXT when = TEXT_NONE, said = TEXT_NONE;

	store_history(store, take_last, &last, NULL);
	if (last.actor)
		put_time(last.at_us, &when);
	if (output_is_json(output)) {
		output_field(output, "store", session->options.store);
		output_number(output, "revision", session->base);
		if (last.actor) {
			output_field(output, "actor", last.actor);
			output_field(output, "at", text_get(&when));
		}
	} else {
		output_field(output, "store", session->options.store);
		text_printf(&said, "%llu", (unsigned long long)session->base);
		if (last.actor)
			text_printf(&said, ", %s, by %s", text_get(&when),
				    last.actor);
		output_field(output, "revision", text_get(&said));
	}
	free(last.actor);
}

static void show_object(struct output *output, const char *path,
			enum health health, const char *summary)
{
	output_open(output, SHAPE_ROW, NULL, NULL);
	output_field(output, "path", path);
	output_field(output, "health",
		     health == HEALTH_GOOD  ? "good"
		     : health == HEALTH_BAD ? "bad"
					    : "unknown");
	output_field(output, "summary", summary);
	output_close(output);
}

static void show_branch(struct session *session, const struct node *top)
{
	const struct live *live = session_live(session);

	node_each (node, top) {
		AUTO(str) char *path = node_path_dup(node);
		AUTO_TEXT summary = TEXT_NONE;
		enum health health = draw_summary(node, live, &summary);

		show_object(session->output, path, health, text_get(&summary));
	}
}

/* A link, or a member below it: how it stands, in 80 columns. What a program
 * reads has the whole summary, and the path. */
static void show_standing(struct session *session, const struct node *node)
{
	const struct live *live = session_live(session);
	AUTO(str) char *path = node_path_dup(node);
	AUTO_TEXT name = TEXT_NONE;
	AUTO_TEXT summary = TEXT_NONE;
	enum health health;

	if (output_is_json(session->output)) {
		health = draw_summary(node, live, &summary);
		show_object(session->output, path, health, text_get(&summary));
		return;
	}
	text_printf(&name, "  %s", node_name(node));
	health = draw_standing(node, live, &summary);
	show_object(session->output,
		    node_kind(node) == &kind_link ? path : text_get(&name),
		    health, text_get(&summary));
}

/* Some of a server's peers, if they are many. A program gets all. */
static void show_peers(struct session *session, const struct node *peers)
{
	const struct node *shown[CROWD_SHOWN];
	const struct live *live = session_live(session);
	size_t count = crowd_pick(peers, live, shown);
	AUTO_TEXT rest = TEXT_NONE;
	enum health health;

	if (output_is_json(session->output)) {
		node_each (peer, peers)
			show_standing(session, peer);
		return;
	}
	for (size_t i = 0; i < count; i++)
		show_standing(session, shown[i]);
	if (!crowd_is(peers))
		return;
	health = crowd_rest(peers, live, shown, count, &rest);
	show_object(session->output, "  ...", health, text_get(&rest));
}

/* As multipath -l has it: each with its lines. */
static void show_links(struct session *session, const struct node *links)
{
	node_each (link, links) {
		show_standing(session, link);
		node_each (member, node_fixed(link, &kind_members))
			show_standing(session, member);
		show_peers(session, node_fixed(link, &kind_peers));
	}
}

static void show_differences(struct output *output,
			     const struct outcome *outcome)
{
	output_open(output, SHAPE_TABLE, "differences", NULL);
	for (size_t i = 0; i < outcome->plan.count; i++) {
		const struct step *step = &outcome->plan.items[i];
		AUTO_TEXT text = TEXT_NONE;

		step_print(step, &text);
		output_open(output, SHAPE_ROW, NULL, NULL);
		if (output_is_json(output))
			output_field(output, "path", step_path(step));
		output_field(output, "step", text_get(&text));
		output_close(output);
	}
	output_close(output);
}

/* Somebody who may not look at one thing still sees the rest. */
static void put_agreement(const struct outcome *seen, const char *why,
			  struct text *out)
{
	size_t count = seen ? seen->plan.count : 0;

	if (!seen)
		text_printf(out, "unknown: %s", why);
	else if (count)
		text_printf(out,
			    "differs from the store: %zu step%s would put it "
			    "right (repair)",
			    count, count == 1 ? "" : "s");
	else
		text_put(out, seen->blind
				      ? "agrees with the store, as far as it "
					"can be read"
				      : "agrees with the store");
}

static void show_agreement(struct output *output, const struct outcome *seen,
			   const char *why)
{
	AUTO_TEXT said = TEXT_NONE;

	put_agreement(seen, why, &said);
	output_field(output, "running", text_get(&said));
	if (output_is_json(output))
		output_flag(output, "agrees",
			    seen && !seen->blind && !seen->plan.count);
}

static void show_findings(struct output *output, const struct report *report)
{
	for (size_t i = 0; i < report->count; i++)
		output_finding(output, NULL, &report->items[i]);
}

/* Does anybody hear what others change? */
static void show_followed(struct output *output, const struct store *store)
{
	struct drifts drifts;
	AUTO_TEXT since = TEXT_NONE;

	drifts_load(&drifts, store);
	put_time(drifts.began_us, &since);
	if (output_is_json(output))
		output_flag(output, "followed", drifts.followed);
	else
		output_field(output, "followed",
			     drifts.followed ? text_get(&since)
					     : "by nobody (follow)");
	drifts_clear(&drifts);
}

static int status_run(struct session *session, const struct match *match,
		      struct err *err)
{
	struct output *output = session->output;
	const struct tree *tree = match->place.tree;
	AUTO(store)
	struct store *store =
		store_open(session->options.store, STORE_READ, err);
	const struct outcome *seen;
	const char *why;

	if (!store)
		return err->code;
	seen = session_observe(session, &why);
	output_open(output, SHAPE_RECORD, NULL, NULL);
	show_store(session, store);
	show_agreement(output, seen, why);
	trial_show(output, store);
	show_followed(output, store);
	if (session->draft)
		output_number(output, "candidate", draft_changes(session));
	output_close(output);
	if (seen)
		show_differences(output, seen);
	output_open(output, SHAPE_TABLE, "objects", NULL);
	show_branch(session, tree_paths(tree));
	show_branch(session, tree_classes(tree));
	show_links(session, tree_links(tree));
	output_close(output);
	if (seen)
		show_findings(output, &seen->report);
	return 0;
}

const struct command command_status = {
	.name = "status",
	.summary = "show on one screen how things stand",
	.man = "The store and its revision, each path, tree of classes and "
	       "link (with its members) with its state, and whether the "
	       "running system agrees with the "
	       "store; if not, the steps that would put it right.",
	.example = "status",
	.see = "info, ls, drift, repair",
	.json = "store:string revision:int actor?:string at?:string "
		"running:string agrees:bool on_trial?:string confirm_in?:int "
		"not_healthy?:string "
		"followed:bool "
		"candidate?:int differences?:[step] objects:[standing]",
	.needs = NEEDS_TREE | REPEATABLE,
	.run = status_run,
};

/* ---- refresh ---- */

static int refresh_run(struct session *session, const struct match *match,
		       struct err *err)
{
	(void)match;
	(void)err;
	session_unsee(session);
	if (output_is_json(session->output))
		output_number(session->output, "revision", session->base);
	output_say(session->output, SAY_DONE, "This is revision %llu%s.",
		   (unsigned long long)session->base,
		   session->draft ? ", with a candidate on top" : "");
	return 0;
}

const struct command command_refresh = {
	.name = "refresh",
	.summary = "look again, and say which revision this is",
	.man = "Every command looks at the store and at the running system "
	       "anew, so this is never needed; it says what others changed "
	       "since the last one.",
	.example = "refresh",
	.see = "status, history",
	.json = "revision:int",
	.needs = NEEDS_TREE | REPEATABLE,
	.run = refresh_run,
};
