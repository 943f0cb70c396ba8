/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "shell/pref.h"

#include <string.h>

#include "model/base/file.h"
#include "model/base/mem.h"
#include "shell/save.h"
#include "shell/state.h"

#define FILE_NAME "preferences"
#define FILE_MOST (64u << 10)

/* ---- the table ---- */

static const struct choice confirm_words[] = {
	{ "none", "commits stay without a confirmation" }, { NULL, NULL }
};

static const struct attr rows[] = {
	[PREF_ASK] = {
		.name = "ask",
		.type = &type_bool,
		.standard = "yes",
		.help = "at a terminal, restoreconfig shows the difference "
			"and asks before it applies it",
		.example = "no",
	},
	[PREF_BACKUPS] = {
		.name = "backups",
		.type = &type_number,
		.standard = "10",
		.min = 1,
		.max = 1000,
		.unit = "files",
		.help = "different versions of its own file that saveconfig "
			"keeps",
		.example = "50",
	},
	[PREF_CD_AFTER_CREATE] = {
		.name = "cd-after-create",
		.type = &type_bool,
		.standard = "no",
		.help = "go to what was created",
		.example = "yes",
	},
	[PREF_COLOR] = {
		.name = "color",
		.type = &type_bool,
		.standard = "yes",
		.help = "colors where the terminal has them; NO_COLOR turns "
			"them off, too",
		.example = "no",
	},
	[PREF_CONFIRM] = {
		.name = "confirm",
		.type = &type_duration,
		.standard = "none",
		.words = confirm_words,
		.min = 1000000,
		.max = 86400000000ull,
		.help = "the confirm= of a commit that has none",
		.example = "60s",
	},
	[PREF_LS_DEPTH] = {
		.name = "ls-depth",
		.type = &type_number,
		.standard = "0",
		.max = 1000,
		.unit = "levels",
		.help = "levels that ls shows where it is not told; 0: all",
		.example = "2",
	},
	[PREF_LS_STATE] = {
		.name = "ls-state",
		.type = &type_bool,
		.standard = "yes",
		.help = "what stands in brackets behind each name in ls; no: "
			"names alone",
		.example = "no",
	},
	[PREF_NEWS] = {
		.name = "news",
		.type = &type_bool,
		.standard = "yes",
		.help = "before the prompt, say what others changed meanwhile",
		.example = "no",
	},
	[PREF_PICKER] = {
		.name = "picker",
		.type = &type_bool,
		.standard = "yes",
		.help = "cd alone opens the tree to pick from; no: it lists "
			"what is here",
		.example = "no",
	},
	[PREF_PROMPT_LENGTH] = {
		.name = "prompt-length",
		.type = &type_number,
		.standard = "30",
		.max = 1000,
		.unit = "columns",
		.help = "of the path in the prompt, which is cut in its "
			"middle; 0: as many as fit beside what is typed",
		.example = "60",
	},
};

const struct kind kind_global = {
	.name = "global",
	.plural = "preferences",
	.summary = "what you like, in every session of yours",
	.man = "Preferences of the user, not of the machine: `get global` "
	       "shows "
	       "them and `set global NAME=VALUE` changes them, from any place. "
	       "They are for a shell at a terminal: what a script or a pipe "
	       "gets is always the same.",
	.attrs = rows,
	.attr_count = ARRAY_SIZE(rows),
};

/* ---- what is known ---- */

struct prefs {
	struct value values[PREFS]; /* owned */
	bool set[PREFS];
	char *strange; /* owned: lines of the file that are not ours */
};

static struct prefs own;
static bool known;

static void clear(struct prefs *prefs)
{
	for (size_t i = 0; i < PREFS; i++)
		value_clear(&rows[i], &prefs->values[i]);
	free(prefs->strange);
	*prefs = (struct prefs){ 0 };
}

static void set_standards(struct prefs *prefs)
{
	for (size_t i = 0; i < PREFS; i++)
		value_parse(&rows[i], rows[i].standard, &prefs->values[i],
			    NULL);
}

static bool is_unset(const char *text)
{
	return !*text || !strcmp(text, "auto");
}

static int set_one(struct prefs *prefs, const struct attr *row,
		   const char *text, struct err *err)
{
	size_t at = kind_index(&kind_global, row);
	bool unset = is_unset(text);
	struct value value = { 0 };
	int rc = value_parse(row, unset ? row->standard : text, &value, err);

	if (rc < 0)
		return rc;
	value_clear(row, &prefs->values[at]);
	prefs->values[at] = value;
	prefs->set[at] = !unset;
	return 0;
}

static void take_line(struct prefs *prefs, char *line, struct text *strange)
{
	char *value = strchr(line, '=');
	const struct attr *row = NULL;

	if (value) {
		*value = '\0';
		row = kind_attr(&kind_global, line);
		*value = '=';
	}
	if (row && set_one(prefs, row, value + 1, NULL) == 0)
		return;
	if (*line)
		text_printf(strange, "%s\n", line);
}

static void load(struct prefs *prefs)
{
	AUTO(str) char *file = state_path(FILE_NAME);
	AUTO(str) char *text = file ? file_read(file, FILE_MOST) : NULL;
	struct text strange = TEXT_NONE;
	char *rest = text, *line;

	*prefs = (struct prefs){ 0 };
	set_standards(prefs);
	if (!text)
		return;
	while ((line = strsep(&rest, "\n")))
		take_line(prefs, line, &strange);
	prefs->strange = text_take(&strange);
}

static const struct prefs *look(void)
{
	if (!known)
		load(&own);
	known = true;
	return &own;
}

uint64_t pref_u(enum pref pref)
{
	const struct value *value = &look()->values[pref];

	return value->word ? 0 : value->u;
}

void pref_print(enum pref pref, struct text *out)
{
	value_print(&rows[pref], &look()->values[pref], out);
}

bool pref_is_set(enum pref pref)
{
	return look()->set[pref];
}

void pref_forget(void)
{
	clear(&own);
	known = false;
}

/* ---- changing it ---- */

static int keep(const struct prefs *prefs, struct err *err)
{
	AUTO(str) char *file = state_file(FILE_NAME);
	AUTO_TEXT text = TEXT_NONE;

	if (!file)
		return err_set(err, EIO,
			       "preferences cannot be kept: $XDG_STATE_HOME/"
			       "tresse/" FILE_NAME " (else ~/.local/state/"
			       "tresse/" FILE_NAME ") is no file that can be "
			       "written");
	for (size_t i = 0; i < PREFS; i++) {
		if (!prefs->set[i])
			continue;
		text_printf(&text, "%s=", rows[i].name);
		value_print(&rows[i], &prefs->values[i], &text);
		text_put_char(&text, '\n');
	}
	text_put(&text, prefs->strange ? prefs->strange : "");
	return save_write(file, text_get(&text), text.length, err);
}

int pref_set(const char *const *names, const char *const *texts, size_t count,
	     struct err *err)
{
	struct prefs fresh;
	int rc = 0;

	load(&fresh);
	for (size_t i = 0; rc == 0 && i < count; i++) {
		rc = set_one(&fresh, kind_attr(&kind_global, names[i]),
			     texts[i], err);
		if (rc < 0)
			err_prefix(err, "%s: ", names[i]);
	}
	if (rc == 0)
		rc = keep(&fresh, err);
	if (rc < 0) {
		clear(&fresh);
		return rc;
	}
	clear(&own);
	own = fresh;
	known = true;
	return 0;
}
