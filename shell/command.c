/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "shell/command.h"

#include <ctype.h>
#include <string.h>

const struct command *const commands[] = {
	&command_cd,	      &command_ls,	&command_pwd,
	&command_bookmarks,   &command_create,	&command_delete,
	&command_set,	      &command_get,	&command_find_objects,
	&command_info,	      &command_status,	&command_refresh,
	&command_explain,     &command_drift,	&command_repair,
	&command_follow,      &command_begin,	&command_diff,
	&command_check,	      &command_plan,	&command_commit,
	&command_confirm,     &command_discard, &command_undo,
	&command_give_up,     &command_history, &command_rollback,
	&command_blame,	      &command_stats,	&command_saturation,
	&command_watch,	      &command_export,	&command_import,
	&command_saveconfig,  &command_backups, &command_restoreconfig,
	&command_clearconfig, &command_help,	&command_schema,
	&command_version,     &command_exit,	NULL,
};

const struct choice force_choices[] = { { "yes", "what is queued may be lost" },
					{ NULL, NULL } };

const struct command *command_find(const char *name)
{
	for (const struct command *const *at = commands; *at; at++)
		if ((*at)->name[0] == name[0] && !strcmp((*at)->name, name))
			return *at;
	return NULL;
}

void arg_label(const struct arg *arg, struct text *out)
{
	const char *name = arg->name ? arg->name : arg->type->name;

	for (; *name; name++)
		text_put_char(out, (char)toupper((unsigned char)*name));
}

static void put_named(const struct arg *arg, struct text *out)
{
	text_printf(out, "%s=", arg->name);
	for (const char *at = arg->type->name; *at; at++)
		text_put_char(out, (char)toupper((unsigned char)*at));
}

void command_usage(const struct command *command, struct text *out)
{
	text_put(out, command->name);
	each_arg(arg, command)
	{
		bool required = arg->flags & ARG_REQUIRED;

		text_put(out, required ? " " : " [");
		if (arg->flags & ARG_ALONE)
			text_put(out, arg->name);
		else if (arg->flags & ARG_NAMED && arg->choices)
			text_printf(out, "%s=%s", arg->name,
				    arg->choices->name);
		else if (arg->flags & ARG_NAMED)
			put_named(arg, out);
		else
			arg_label(arg, out);
		text_put(out, required ? "" : "]");
		text_put(out, arg->flags & ARG_REPEATS ? "..." : "");
	}
}
