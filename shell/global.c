/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "shell/global.h"

#include <string.h>

#include "model/base/mem.h"
#include "shell/nearest.h"
#include "shell/pref.h"
#include "shell/screen.h"
#include "shell/session.h"
#include "shell/table.h"

bool global_is(const struct match *match)
{
	return match->count && !match->bound[0].key &&
	       !strcmp(match->bound[0].value, GLOBAL);
}

/* ---- get ---- */

static void show_json(struct output *output, enum pref pref)
{
	const struct attr *row = &kind_global.attrs[pref];
	AUTO_TEXT text = TEXT_NONE;

	pref_print(pref, &text);
	if (row->type->is_bool)
		output_flag(output, row->name, pref_u(pref));
	else if (row->type->is_number)
		output_number(output, row->name, pref_u(pref));
	else
		output_field(output, row->name, text_get(&text));
}

static void show(struct output *output, enum pref pref)
{
	AUTO_TEXT text = TEXT_NONE;

	if (output_is_json(output)) {
		show_json(output, pref);
		return;
	}
	text_printf(&text, "%s=", kind_global.attrs[pref].name);
	pref_print(pref, &text);
	output_open(output, SHAPE_ROW, NULL, NULL);
	output_field(output, "value", text_get(&text));
	output_field(output, "origin", pref_is_set(pref) ? "" : "default");
	output_close(output);
}

static int find_asked(const struct match *match, bool asked[PREFS],
		      struct err *err)
{
	for (size_t i = 1; i < match->count; i++) {
		const char *name = match->bound[i].value;
		const struct attr *row = kind_attr(&kind_global, name);
		const char *near = nearest_attr(&kind_global, name);

		if (row) {
			asked[kind_index(&kind_global, row)] = true;
			continue;
		}
		err_set(err, EINVAL, "there is no preference '%s'", name);
		if (near)
			err_append(err, "; did you mean %s?", near);
		else
			err_append(err, "; get global lists them");
		return -EINVAL;
	}
	return 0;
}

int global_get(struct session *session, const struct match *match,
	       struct err *err)
{
	struct output *output = session->output;
	bool asked[PREFS] = { false };
	int rc = find_asked(match, asked, err);

	if (rc < 0)
		return rc;
	output_open(output, SHAPE_RECORD,
		    output_is_json(output) ? GLOBAL : NULL, NULL);
	for (enum pref pref = 0; pref < PREFS; pref++)
		if (asked[pref] || match->count == 1)
			show(output, pref);
	output_close(output);
	return 0;
}

/* ---- set ---- */

static void list(struct output *output)
{
	output_open(output, SHAPE_TABLE, "settings", NULL);
	for (enum pref pref = 0; pref < PREFS; pref++) {
		AUTO_TEXT present = TEXT_NONE;

		pref_print(pref, &present);
		table_row(output, &kind_global.attrs[pref], "value",
			  text_get(&present));
	}
	output_close(output);
}

static void say(struct output *output, const char *name)
{
	enum pref pref = (enum pref)kind_index(&kind_global,
					       kind_attr(&kind_global, name));
	AUTO_TEXT text = TEXT_NONE;

	pref_print(pref, &text);
	output_say(output, SAY_DONE, "Preference %s is now '%s'%s.", name,
		   text_get(&text), pref_is_set(pref) ? "" : ", its default");
	if (output_is_json(output))
		show_json(output, pref);
}

int global_set(struct session *session, const struct match *match,
	       struct err *err)
{
	size_t count = match->count - 1;
	AUTO(mem)
	void *room = mem_array(2 * (count + 1), sizeof(const char *));
	const char **names = room, **texts = names + count + 1;
	int rc;

	if (!count) {
		list(session->output);
		return 0;
	}
	if (session->building)
		return err_set(err, EINVAL,
			       "preferences are no part of a configuration: "
			       "set global stands in no file to be restored");
	if (session->options.dry)
		return err_set(err, EINVAL,
			       "set global has no dry run: it takes effect in "
			       "your shell only");
	for (size_t i = 0; i < count; i++) {
		names[i] = match->bound[i + 1].key;
		texts[i] = match->bound[i + 1].value;
	}
	rc = pref_set(names, texts, count, err);
	output_open(session->output, SHAPE_RECORD,
		    output_is_json(session->output) ? GLOBAL : NULL, NULL);
	output_set_colour(session->output,
			  screen_has_colour() && pref_u(PREF_COLOR));
	for (size_t i = 0; rc == 0 && i < count; i++)
		say(session->output, names[i]);
	output_close(session->output);
	return rc;
}
