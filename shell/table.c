/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "shell/table.h"

#include <string.h>

#include "model/node.h"
#include "shell/nearest.h"
#include "shell/output.h"
#include "shell/pref.h"

static void put_limit(const struct attr *attr, uint64_t limit, struct text *out)
{
	const struct value value = { .u = limit };

	if (attr->type == &type_mark)
		text_printf(out, "%llu", (unsigned long long)limit);
	else
		attr->type->print(attr, &value, out);
}

static void put_choices(const struct choice *choice, struct text *out)
{
	for (; choice && choice->name; choice++)
		text_printf(out, "%s%s", out->length ? "|" : "", choice->name);
}

void table_range(const struct attr *attr, struct text *out)
{
	size_t before = out->length;

	put_choices(attr->choices, out);
	if (out->length == before)
		text_put(out,
			 attr->refers ? attr->refers->name : attr->type->name);
	put_choices(attr->words, out);
	if (attr->flags & ATTR_AUTO)
		text_put(out, "|auto");
	if (!attr->max || attr->max == UINT32_MAX || !attr->type->is_number)
		return;
	text_put(out, " ");
	put_limit(attr, attr->min, out);
	text_put(out, "..");
	put_limit(attr, attr->max, out);
}

/* What it is now or, of what is yet to be made, what it will be. */
static void put_present(const struct attr *attr, const struct node *node,
			struct text *out)
{
	if (node && node_has(node, kind_index(node_kind(node), attr)))
		node_print(node, kind_index(node_kind(node), attr), out);
	else if (attr->flags & ATTR_REQUIRED)
		text_put(out, "(required)");
	else if (attr->standard)
		text_put(out, attr->standard);
	else
		text_put(out, attr->flags & ATTR_AUTO ? "auto" : "");
}

void table_row(struct output *output, const struct attr *attr,
	       const char *label, const char *present)
{
	AUTO_TEXT range = TEXT_NONE;
	AUTO(str) char *shown = mem_printf("  %s=", attr->name);
	AUTO(str) char *help = NULL;

	table_range(attr, &range);
	help = mem_printf("%s (%s)", attr->help, text_get(&range));
	output_open(output, SHAPE_ROW, NULL, NULL);
	if (output_is_json(output)) {
		output_field(output, "name", attr->name);
		output_field(output, "type", text_get(&range));
		output_field(output, label, present);
		output_field(output, "help", attr->help);
		if (attr->example)
			output_field(output, "example", attr->example);
	} else {
		output_field(output, "name", shown);
		output_field(output, "value", present);
		output_field(output, "help", help);
	}
	output_close(output);
}

static void show_row(struct output *output, const struct attr *attr,
		     const struct node *node)
{
	AUTO_TEXT present = TEXT_NONE;

	put_present(attr, node, &present);
	table_row(output, attr, node ? "value" : "default", text_get(&present));
}

void table_settings(struct output *output, const struct kind *kind,
		    const struct node *node)
{
	output_open(output, SHAPE_TABLE, "settings", NULL);
	for (size_t i = 0; i < kind->attr_count; i++)
		if (!(kind->attrs[i].flags & ATTR_READONLY))
			show_row(output, &kind->attrs[i], node);
	output_close(output);
}

void table_readonly(struct output *output, const struct kind *kind)
{
	output_open(output, SHAPE_TABLE, "readonly", NULL);
	for (size_t i = 0; i < kind->attr_count; i++) {
		const struct attr *attr = &kind->attrs[i];
		AUTO(str) char *shown = mem_printf("  %s", attr->name);

		if (!(attr->flags & ATTR_READONLY))
			continue;
		output_open(output, SHAPE_ROW, NULL, NULL);
		output_field(output, "name",
			     output_is_json(output) ? attr->name : shown);
		output_field(output, "unit", attr->unit ? attr->unit : "");
		output_field(output, "help", attr->help);
		output_close(output);
	}
	output_close(output);
}

static void show_choices(struct output *output, const char *name,
			 const struct choice *choices)
{
	if (!choices || !choices->name)
		return;
	output_open(output, SHAPE_TABLE, name, NULL);
	for (const struct choice *at = choices; at->name; at++) {
		AUTO(str) char *shown = mem_printf("  %s", at->name);

		output_open(output, SHAPE_ROW, NULL, NULL);
		output_field(output, "name",
			     output_is_json(output) ? at->name : shown);
		output_field(output, "help", at->help ? at->help : "");
		output_close(output);
	}
	output_close(output);
}

static const char *effect_words(enum effect effect)
{
	static const char *const words[] = {
		[EFFECT_NONE] = "nothing is sent to the data plane",
		[EFFECT_HITLESS] = "changed in place, no packet is lost",
		[EFFECT_FLAP] = "packets of this object may be lost once",
		[EFFECT_REBUILD] = "it and what is below it is made anew",
	};

	return words[effect];
}

void table_setting(struct output *output, const struct kind *kind,
		   const struct attr *attr)
{
	AUTO(str)
	char *title = kind == &kind_global
			      ? mem_printf("%s, a preference: %s", attr->name,
					   attr->help)
			      : mem_printf("%s of %s %s: %s", attr->name,
					   article_of(kind->name), kind->name,
					   attr->help);
	AUTO_TEXT range = TEXT_NONE;
	bool readonly = attr->flags & ATTR_READONLY;

	table_range(attr, &range);
	output_open(output, SHAPE_RECORD, kind->name, title);
	if (output_is_json(output))
		output_field(output, "help", attr->help);
	output_field(output, "type", text_get(&range));
	output_field(output, "written", attr->type->hint);
	if (attr->unit)
		output_field(output, "unit", attr->unit);
	if (attr->standard)
		output_field(output, "default", attr->standard);
	if (attr->flags & ATTR_REQUIRED)
		output_flag(output, "required", true);
	if (readonly)
		output_flag(output, "read-only", true);
	else if (kind != &kind_global)
		output_field(output, "when changed",
			     effect_words(attr->effect));
	if (attr->example)
		output_field(output, "example", attr->example);
	output_close(output);
	show_choices(output, "choices", attr->choices);
	show_choices(output, "words", attr->words);
}
