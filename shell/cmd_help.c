/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Help, version, exit. */
#include <string.h>

#include "shell/global.h"
#include "shell/nearest.h"
#include "shell/pref.h"
#include "shell/schema.h"
#include "shell/session.h"
#include "shell/table.h"
#include "shell/topics.h"

/* ---- help alone ---- */

static void show_commands(struct output *output)
{
	output_open(output, SHAPE_TABLE, "commands", "COMMANDS");
	for (const struct command *const *at = commands; *at; at++) {
		AUTO_TEXT usage = TEXT_NONE;

		text_put(&usage, output_is_json(output) ? "" : "  ");
		command_usage(*at, &usage);
		output_open(output, SHAPE_ROW, NULL, NULL);
		if (output_is_json(output))
			output_field(output, "name", (*at)->name);
		output_field(output, "usage", text_get(&usage));
		output_field(output, "summary", (*at)->summary);
		output_close(output);
	}
	output_close(output);
}

static void show_kinds(struct output *output)
{
	output_open(output, SHAPE_TABLE, "kinds", "KINDS OF OBJECT");
	for (const struct kind *const *at = kinds; *at; at++) {
		AUTO(str) char *shown = mem_printf("  %s", (*at)->name);

		if (!(*at)->attr_count)
			continue;
		output_open(output, SHAPE_ROW, NULL, NULL);
		output_field(output, "name",
			     output_is_json(output) ? (*at)->name : shown);
		output_field(output, "summary", (*at)->summary);
		output_close(output);
	}
	output_close(output);
}

static void help_all(struct output *output)
{
	output_prose(
		output, "syntax",
		"[PATH] [COMMAND] [VALUE]... [KEY=VALUE]...\n"
		"\n"
		"A path alone goes there; in front of a command it says what "
		"the command is for. Values may be typed by position or as "
		"KEY=VALUE. Quote blanks with \"...\" or '...'; # starts a "
		"comment. TAB and ? show what can come next.");
	show_commands(output);
	show_kinds(output);
	output_prose(output, "more",
		     "\n"
		     "help COMMAND, help KIND and help SETTING tell more; help "
		     "types how values are written, help queues which queues "
		     "there are.");
}

/* ---- help COMMAND ---- */

static void show_args(struct output *output, const struct command *command)
{
	if (!command->args)
		return;
	output_open(output, SHAPE_TABLE, "arguments", "VALUES");
	each_arg(arg, command)
	{
		AUTO_TEXT label = TEXT_NONE;
		AUTO(str)
		char *help = mem_printf("%s (%s)", arg->help, arg->type->hint);

		text_put(&label, output_is_json(output) ? "" : "  ");
		arg_label(arg, &label);
		output_open(output, SHAPE_ROW, NULL, NULL);
		output_field(output, "name", text_get(&label));
		output_field(output, "help", help);
		output_close(output);
	}
	output_close(output);
}

/* The settings that the command takes at this place. */
static void show_settings(struct output *output, const struct match *match,
			  const struct command *command)
{
	each_arg(arg, command)
	{
		const struct kind *kind =
			arg->type->kind ? arg->type->kind(match) : NULL;
		AUTO(str) char *title = NULL;

		if (!kind || !kind->attr_count)
			continue;
		title = mem_printf("\nSETTINGS (%s)", kind->name);
		if (!output_is_json(output))
			output_prose(output, "", title);
		table_settings(output, kind, NULL);
	}
}

static void show_heading(struct output *output, const char *name,
			 const char *heading, const char *text, bool indent)
{
	AUTO_TEXT page = TEXT_NONE;

	if (output_is_json(output)) {
		output_field(output, name, text);
		return;
	}
	text_printf(&page, "\n%s\n", heading);
	for (; indent && *text; text += *text == '\n') {
		size_t length = strcspn(text, "\n");

		text_printf(&page, "  %.*s\n", (int)length, text);
		text += length;
	}
	text_put(&page, text);
	output_prose(output, name, text_get(&page));
}

static void help_command(struct output *output, const struct match *match,
			 const struct command *command)
{
	AUTO_TEXT usage = TEXT_NONE;
	AUTO(str)
	char *title = mem_printf("%s - %s", command->name, command->summary);

	command_usage(command, &usage);
	output_answer(output, "title", title);
	show_heading(output, "usage", "SYNTAX", text_get(&usage), true);
	show_args(output, command);
	show_heading(output, "description", "DESCRIPTION", command->man, false);
	show_settings(output, match, command);
	show_heading(output, "example", "EXAMPLE", command->example, true);
	if (command->see)
		show_heading(output, "see", "SEE ALSO", command->see, true);
}

/* ---- help KIND, help SETTING ---- */

static void help_kind(struct output *output, const struct kind *kind)
{
	AUTO(str)
	char *title = mem_printf("%s - %s", kind->name, kind->summary);

	output_answer(output, "title", title);
	show_heading(output, "description", "DESCRIPTION", kind->man, false);
	if (!output_is_json(output))
		output_prose(output, "", "\nSETTINGS");
	table_settings(output, kind, NULL);
	if (kind == &kind_global)
		return;
	if (!output_is_json(output))
		output_prose(output, "", "\nTOLD BY THE RUNNING SYSTEM");
	table_readonly(output, kind);
}

static const struct kind *kind_asked(const char *topic)
{
	for (const struct kind *const *at = kinds; *at; at++)
		if ((*at)->attr_count && (!strcmp((*at)->name, topic) ||
					  !strcmp((*at)->plural, topic)))
			return *at;
	return strcmp(topic, GLOBAL) ? NULL : &kind_global;
}

/* Of the kind that is made or stands here, if it has such a setting; of every
 * kind that has, if not. */
static bool help_setting(struct output *output, const struct match *match,
			 const char *topic)
{
	const struct kind *own = match->node ? node_kind(match->node) : NULL;
	const struct kind *child = own ? own->child : NULL;
	bool found = false;

	for (const struct kind *const *at = kinds; *at; at++) {
		const struct attr *attr = kind_attr(*at, topic);
		bool near = (own && kind_attr(own, topic)) ||
			    (child && kind_attr(child, topic));

		if (!attr || (near && *at != own && *at != child))
			continue;
		table_setting(output, *at, attr);
		found = true;
	}
	if (!found && kind_attr(&kind_global, topic)) {
		table_setting(output, &kind_global,
			      kind_attr(&kind_global, topic));
		found = true;
	}
	return found;
}

static int help_run(struct session *session, const struct match *match,
		    struct err *err)
{
	struct output *output = session->output;
	const char *topic = match_value(match, "topic");
	const char *near;

	if (!topic) {
		help_all(output);
	} else if (command_find(topic)) {
		help_command(output, match, command_find(topic));
	} else if (kind_asked(topic)) {
		help_kind(output, kind_asked(topic));
	} else if (!help_setting(output, match, topic) &&
		   !topics_show(output, topic)) {
		near = nearest_command(topic);
		err_set(err, ENOENT,
			"there is no help on '%s'; help lists the commands",
			topic);
		if (near)
			err_append(err, "; did you mean %s?", near);
		return err->code;
	}
	return 0;
}

static const struct arg help_args[] = {
	{ .name = "topic",
	  .type = &type_topic,
	  .help = "what to explain; the commands are listed, if left out" },
	{ 0 },
};

const struct command command_help = {
	.name = "help",
	.summary = "explain a command, a kind of object, or a setting",
	.man = "Where you are counts: help create tells the settings of what "
	       "can be made there.",
	.example = "help create\nhelp class\nhelp linklayer\nhelp types\n"
		   "help fq_codel",
	.see = "info, set",
	.json = "title?:string syntax?:string usage?:string "
		"description?:string example?:string see?:string more?:string "
		"commands?:[summary] kinds?:[summary] arguments?:[argument] "
		"settings?:[setting-row] readonly?:[readonly-row] "
		"choices?:[choice] words?:[choice] global?:setting-help",
	.args = help_args,
	.run = help_run,
};

/* ---- schema ---- */

static int schema_run(struct session *session, const struct match *match,
		      struct err *err)
{
	const char *name = match_value(match, "command");
	const struct command *command = name ? command_find(name) : NULL;
	AUTO(str) char *text = NULL;
	json_t *schema;

	if (name && !command)
		return err_set(err, ENOENT,
			       "there is no command '%s'; help lists them",
			       name);
	schema = schema_new(command);
	text = json_dumps(schema, output_is_json(session->output)
					  ? JSON_COMPACT
					  : JSON_INDENT(2));
	json_decref(schema);
	output_raw(session->output, text, strlen(text));
	output_raw(session->output, "\n", 1);
	return 0;
}

static const struct arg schema_args[] = {
	{ .name = "command",
	  .type = &type_name_of_command,
	  .help = "of what this one prints; of all, if left out" },
	{ 0 },
};

const struct command command_schema = {
	.name = "schema",
	.summary = "print the JSON Schema of what -j prints",
	.man = "Draft 2020-12 of json-schema.org, made from the tables that "
	       "the "
	       "program itself uses: objects with their settings, units and "
	       "ranges, each command's document, and errors. A document is one "
	       "line. What a command prints does not depend on your "
	       "preferences, on the terminal or on the language.",
	.example = "schema\nschema ls",
	.see = "help",
	.json = "",
	.args = schema_args,
	.run = schema_run,
};

/* ---- version, exit ---- */

static int version_run(struct session *session, const struct match *match,
		       struct err *err)
{
	(void)match;
	(void)err;
	output_answer(session->output, "version",
		      output_is_json(session->output)
			      ? TRESSE_VERSION
			      : "tresse " TRESSE_VERSION);
	return 0;
}

const struct command command_version = {
	.name = "version",
	.summary = "say which version this is",
	.man = "Prints one line.",
	.example = "version",
	.see = "status",
	.json = "version:string",
	.run = version_run,
};

static int exit_run(struct session *session, const struct match *match,
		    struct err *err)
{
	(void)match;
	(void)err;
	session->leaving = true;
	return 0;
}

const struct command command_exit = {
	.name = "exit",
	.summary = "leave",
	.man = "Nothing has to be saved: what was done is done and kept. In a "
	       "batch it ends the batch; what stands behind it is left out.",
	.example = "exit",
	.see = "saveconfig",
	.json = "",
	.needs = NEEDS_FILE,
	.run = exit_run,
};
