/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * command.h - what can be typed behind a path, one row a command.
 *
 * A command is written once. Matching, usage errors, help, TAB, the completions
 * of other shells and the manual's reference section all come from its row.
 */
#ifndef SHELL_COMMAND_H
#define SHELL_COMMAND_H

#include <stdbool.h>

#include "model/base/err.h"
#include "model/base/text.h"
#include "model/value.h"

struct arg;
struct kind;
struct match;
struct session;

/* What an argument may be; the rows are in argtype.c. */
struct arg_type {
	const char *name; /* as usage writes it where the argument has none */
	const char *hint; /* what may be written */
	/* EINVAL for what cannot be read as this. NULL: anything goes, or the
	 * command finds out. */
	int (*check)(const struct match *match, const struct arg *arg,
		     const char *text, struct err *err);
	/* NULL: free text. prefix is what is typed so far. */
	void (*complete)(const struct match *match, const struct arg *arg,
			 const char *prefix, struct candidates *to);
	/* Not NULL: the argument is SETTING=VALUE, with the settings of this
	 * kind (which may be NULL: there is none here). */
	const struct kind *(*kind)(const struct match *match);
};

extern const struct arg_type type_node;	    /* a path to what is there */
extern const struct arg_type type_goal;	    /* ...or - < > */
extern const struct arg_type type_branch;   /* ...or to what may be */
extern const struct arg_type type_child;    /* ...that is not fixed */
extern const struct arg_type type_newname;  /* of what is to be made here */
extern const struct arg_type type_childset; /* settings of what is made here */
extern const struct arg_type type_ownset;   /* settings of this node */
extern const struct arg_type type_group;    /* global */
extern const struct arg_type type_setting;  /* the name of one of them */
extern const struct arg_type type_depth;    /* a number */
extern const struct arg_type type_choice;   /* one of arg->choices */
extern const struct arg_type type_topic;    /* what help knows */
extern const struct arg_type type_name_of_command;
extern const struct arg_type type_file;	    /* of the file system */
extern const struct arg_type type_interval; /* a time to wait */
extern const struct arg_type type_looks;    /* a number from 1 */
extern const struct arg_type type_command;  /* words of another command */

extern const struct arg_type type_wait;	    /* for a confirmation */
extern const struct arg_type type_hold;	    /* how long all has to be well */
extern const struct arg_type type_loss;	    /* a limit, in percent */
extern const struct arg_type type_words;    /* free text */
extern const struct arg_type type_revision; /* by its number */
extern const struct arg_type type_count;    /* from 1 */
extern const struct arg_type type_against;  /* what is compared with */

enum arg_flags {
	ARG_REQUIRED = 1 << 0,
	ARG_REPEATS = 1 << 1, /* takes all that follow */
	ARG_REST = 1 << 2,    /* ...and KEY=VALUE that nothing else is for */
	ARG_NAMED = 1 << 3,   /* as NAME=VALUE only */
	ARG_ALONE = 1 << 4,   /* NAME alone stands for it too: value "" */
};

struct arg {
	const char *name; /* also typed as NAME=VALUE; NULL: settings */
	const struct arg_type *type;
	unsigned flags;		      /* enum arg_flags */
	const char *help;	      /* one line, no full stop */
	const struct choice *choices; /* of type_choice */
};

/* A row of whatever commits: what is queued may be lost. run.c sees to it. */
#define ARG_FORCE                                                              \
	{                                                                      \
		.name = "force", .type = &type_choice, .flags = ARG_NAMED,     \
		.choices = force_choices,                                      \
		.help = "yes: also where packets that are queued are lost",    \
	}
extern const struct choice force_choices[];

enum needs {
	NEEDS_TREE = 1 << 0,  /* the committed configuration */
	NEEDS_WRITE = 1 << 1, /* the lock, rights, and a transaction behind */
	/* ...only where there are values: alone it tells what could be set. */
	NEEDS_WRITE_VALUES = 1 << 2,
	NEEDS_FILE = 1 << 3, /* may stand in a file that restoreconfig reads */
	REPEATABLE = 1 << 8, /* changes nothing: watch may do it every second */
};

/* Of what changes something; in a candidate, only some of it. */
#define JSON_CHANGE                                                            \
	"dry?:bool revision?:int stored?:bool candidate?:int "                 \
	"changes?:[deed] steps?:[step] "

struct command {
	const char *name;
	const char *summary; /* one line, no full stop */
	const char *man;     /* a paragraph or more, split by an empty line */
	const char *example; /* lines that can be typed */
	const char *see;     /* names of others, or NULL */
	const char *json; /* what -j prints, as schema.h has it; "": nothing */
	const struct arg *args; /* ends with a row without a type; or NULL */
	unsigned needs;		/* enum needs */
	/* Of somebody at a terminal, before the lock: whether they mean it.
	 * NULL: it is not asked. */
	int (*ask)(struct session *session, const struct match *match,
		   struct err *err);
	int (*run)(struct session *session, const struct match *match,
		   struct err *err);
};

/* In the order in which help lists them; ends with NULL. */
extern const struct command *const commands[];

const struct command *command_find(const char *name);
/* "ls [PATH] [DEPTH]" */
void command_usage(const struct command *command, struct text *out);
/* "PATH": what usage calls the argument. */
void arg_label(const struct arg *arg, struct text *out);

#define each_arg(arg, command)                                                 \
	for (const struct arg *arg = (command)->args; arg && arg->type; arg++)

extern const struct command command_import;
extern const struct command command_drift, command_repair, command_follow,
	command_stats, command_saturation, command_watch, command_export;

extern const struct command command_begin, command_diff, command_check,
	command_plan, command_commit, command_confirm, command_discard,
	command_undo, command_give_up, command_history, command_rollback,
	command_blame;
extern const struct command command_bookmarks, command_find_objects,
	command_backups;
extern const struct command command_cd, command_ls, command_pwd, command_create,
	command_delete, command_set, command_get, command_info, command_status,
	command_refresh, command_explain, command_saveconfig,
	command_restoreconfig, command_clearconfig, command_import,
	command_help, command_schema, command_version, command_exit;

#endif
