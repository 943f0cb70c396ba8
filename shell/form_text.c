/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Text for people: what is asked for, aligned, within the terminal's width. */
#include <string.h>

#include "model/backend.h"
#include "model/base/mem.h"
#include "model/node.h"
#include "shell/draw.h"
#include "shell/form.h"
#include "shell/pref.h"
#include "shell/utf8.h"

struct cell {
	char *text; /* owned, safe to print */
	unsigned row;
};

struct own {
	struct text page; /* of the command that is running */
	enum shape shapes[FORM_DEPTH];
	unsigned depth;
	struct cell *cells; /* of the open table or record, row by row */
	size_t cell_count, cell_room;
	unsigned row;
};

static struct own *own_of(struct output *output)
{
	return output->own;
}

static void *text_start(void)
{
	return mem_alloc(sizeof(struct own));
}

static void drop_cells(struct own *own)
{
	while (own->cell_count)
		free(own->cells[--own->cell_count].text);
}

static void text_stop(void *at)
{
	struct own *own = at;

	drop_cells(own);
	free(own->cells);
	text_clear(&own->page);
	free(own);
}

static void text_begin(struct output *output)
{
	text_cut(&own_of(output)->page, 0);
}

static void text_end(struct output *output)
{
	struct own *own = own_of(output);

	form_write(output, text_get(&own->page), own->page.length);
	text_cut(&own->page, 0);
}

/* What was said up to the error stays true. */
static void text_drop(struct output *output)
{
	struct own *own = own_of(output);

	drop_cells(own);
	own->depth = own->row = 0;
	text_end(output);
}

static void text_answer(struct output *output, const char *name,
			const char *text)
{
	struct own *own = own_of(output);

	(void)name;
	utf8_safe(text, &own->page);
	text_put_char(&own->page, '\n');
}

/* ---- broken lines ---- */

/* Writes text, broken at blanks where a line would be longer than width; what
 * follows the first line is indented. The first one begins at column `at`. */
static void put_wrapped(struct text *out, const char *text, size_t at,
			size_t indent, size_t width)
{
	size_t column = at;

	while (*text) {
		size_t blanks = strspn(text, " ");
		size_t length = strcspn(text + blanks, " ");
		AUTO(str) char *word = mem_strndup(text + blanks, length);
		size_t wide = utf8_width(word);

		if (column + blanks + wide > width && column > indent) {
			text_put_char(out, '\n');
			text_fill(out, ' ', indent);
			column = indent;
			blanks = 0;
		}
		text_fill(out, ' ', blanks);
		text_put(out, word);
		column += blanks + wide;
		text += strspn(text, " ") + length;
	}
}

/* A line that begins with a blank stays as it is: examples, syntax. */
static void text_prose(struct output *output, const char *name,
		       const char *text)
{
	struct own *own = own_of(output);

	(void)name;
	while (*text) {
		size_t length = strcspn(text, "\n");
		AUTO(str) char *line = mem_strndup(text, length);
		AUTO_TEXT safe = TEXT_NONE;

		utf8_safe(line, &safe);
		if (line[0] == ' ')
			text_put(&own->page, text_get(&safe));
		else
			put_wrapped(&own->page, text_get(&safe), 0, 0,
				    output->options.width);
		text_put_char(&own->page, '\n');
		text += length;
		text += *text == '\n';
	}
}

/* ---- tables ---- */

static void put_cell(struct own *own, const char *text)
{
	AUTO_TEXT safe = TEXT_NONE;

	utf8_safe(text, &safe);
	own->cells = mem_grow(own->cells, own->cell_count, &own->cell_room,
			      sizeof(*own->cells));
	own->cells[own->cell_count++] =
		(struct cell){ text_take(&safe), own->row };
}

/* Columns side by side that are looked at for their width. */
#define COLUMNS 8
/* A column wider than this does not push the others away. */
#define WIDEST 32

static void measure(const struct own *own, size_t *widths)
{
	size_t column = 0;

	for (size_t i = 0; i < own->cell_count; i++, column++) {
		size_t wide = utf8_width(own->cells[i].text);

		if (i && own->cells[i].row != own->cells[i - 1].row)
			column = 0;
		if (column < COLUMNS && wide > widths[column])
			widths[column] = wide < WIDEST ? wide : WIDEST;
	}
}

static bool is_last(const struct own *own, size_t at)
{
	return at + 1 == own->cell_count ||
	       own->cells[at + 1].row != own->cells[at].row;
}

static void end_line(struct text *page)
{
	size_t length = page->length;

	while (length && page->bytes[length - 1] == ' ')
		length--;
	text_cut(page, length);
	text_put_char(page, '\n');
}

/* The last column takes what is left of the line. In a pipe nothing is broken:
 * a line is what a script reads. */
static void put_last(struct output *output, struct own *own, const char *text,
		     size_t at)
{
	unsigned width = output->options.width;

	if (output->options.terminal)
		put_wrapped(&own->page, text, at, width > at + 20 ? at : 4,
			    width);
	else
		text_put(&own->page, text);
	end_line(&own->page);
}

static void put_table(struct output *output, struct own *own)
{
	size_t widths[COLUMNS] = { 0 }, column = 0, at = 0;

	measure(own, widths);
	for (size_t i = 0; i < own->cell_count; i++) {
		const char *text = own->cells[i].text;
		size_t wide = utf8_width(text), room = 0;

		if (is_last(own, i)) {
			put_last(output, own, text, at);
			column = at = 0;
			continue;
		}
		if (column < COLUMNS)
			room = widths[column++];
		room = room > wide ? room : wide;
		text_put(&own->page, text);
		text_fill(&own->page, ' ', room - wide + 2);
		at += room + 2;
	}
	drop_cells(own);
}

static void text_open(struct output *output, enum shape shape, const char *name,
		      const char *title)
{
	struct own *own = own_of(output);

	(void)name;
	if (shape != SHAPE_ROW && own->cell_count)
		put_table(output, own);
	if (shape == SHAPE_ROW)
		own->row++;
	if (own->depth < FORM_DEPTH)
		own->shapes[own->depth] = shape;
	own->depth++;
	if (!title)
		return;
	if (own->page.length)
		text_put_char(&own->page, '\n');
	text_printf(&own->page, "%s\n", title);
}

static void text_close(struct output *output)
{
	struct own *own = own_of(output);

	own->depth--;
	if (own->shapes[own->depth] != SHAPE_ROW)
		put_table(output, own);
}

static void text_field(struct output *output, const char *name,
		       const char *text)
{
	struct own *own = own_of(output);

	if (!own->depth || own->shapes[own->depth - 1] != SHAPE_ROW) {
		own->row++;
		put_cell(own, name);
	}
	put_cell(own, text);
	if (!own->depth)
		put_table(output, own);
}

static void text_number(struct output *output, const char *name,
			uint64_t number)
{
	AUTO(str) char *text = mem_printf("%llu", (unsigned long long)number);

	text_field(output, name, text);
}

static void text_flag(struct output *output, const char *name, bool flag)
{
	text_field(output, name, flag ? "yes" : "no");
}

/* ---- settings and trees ---- */

static const char *origin_note(const struct node *node, size_t attr)
{
	const struct attr *row = &node_kind(node)->attrs[attr];

	switch (node_origin(node, attr)) {
	case ORIGIN_STANDARD: return "default";
	case ORIGIN_CHOSEN: return "chosen by tresse";
	case ORIGIN_NONE: return row->flags & ATTR_AUTO ? "default" : "not set";
	case ORIGIN_GIVEN: break;
	}
	return "";
}

static void text_setting(struct output *output, const struct node *node,
			 size_t attr, const struct live *live)
{
	const struct attr *row = &node_kind(node)->attrs[attr];
	bool readonly = row->flags & ATTR_READONLY;
	const struct value *value = output_value(node, attr, live);
	AUTO_TEXT text = TEXT_NONE;

	text_printf(&text, "%s=", row->name);
	if (value)
		value_print(row, value, &text);
	else if (!readonly && row->flags & ATTR_AUTO)
		text_put(&text, "auto");
	text_open(output, SHAPE_ROW, NULL, NULL);
	text_field(output, "value", text_get(&text));
	text_field(output, "origin",
		   readonly ? value ? "read-only" : "read-only, unknown"
			    : origin_note(node, attr));
	text_close(output);
}

static void text_tree(struct output *output, const struct node *top,
		      unsigned depth, const struct live *live)
{
	const struct drawing drawing = {
		.width = output->options.width,
		.colour = output->options.colour,
		.bare = output->options.terminal && !pref_u(PREF_LS_STATE),
		.unicode = output->options.unicode,
		.depth = depth,
		.whole = depth == OUTPUT_WHOLE,
		.live = live,
	};

	draw_tree(&drawing, top, &own_of(output)->page);
}

/* ---- messages ---- */

/* Results and messages come in the order in which they were made. */
static void to_stderr(struct output *output, struct text *text)
{
	if (output->capture && !output->results_only) {
		text_put(output->capture, text_get(text));
		return;
	}
	fflush(stdout);
	fwrite(text_get(text), 1, text->length, stderr);
}

static void text_say(struct output *output, enum severity_shown severity,
		     const char *text)
{
	AUTO_TEXT lines = TEXT_NONE;

	if (severity == SAY_DONE && output->options.quiet)
		return;
	text_put(&lines, severity == SAY_WARNING ? "warning: " : "");
	while (*text) {
		size_t length = strcspn(text, "\n");
		AUTO(str) char *line = mem_strndup(text, length);

		utf8_safe(line, &lines);
		text_put_char(&lines, '\n');
		text += length + (text[length] == '\n');
	}
	to_stderr(output, &lines);
}

static void put_where(struct output *output, const struct origin_line *where,
		      struct text *out)
{
	if (where && where->source && where->line)
		text_printf(out, "%s:%u: ", where->source, where->line);
	else if (where && where->source)
		text_printf(out, "%s: ", where->source);
	else if (output->options.name)
		text_printf(out, "%s: ", output->options.name);
}

static void text_finding(struct output *output, const struct origin_line *where,
			 const struct finding *finding)
{
	static const char *const words[] = {
		[FINDING_NOTE] = "note: ",
		[FINDING_WARNING] = "warning: ",
		[FINDING_ERROR] = "",
	};
	AUTO_TEXT line = TEXT_NONE;

	if (finding->severity == FINDING_NOTE && output->options.quiet)
		return;
	put_where(output, where, &line);
	text_put(&line, words[finding->severity]);
	utf8_safe(finding->path, &line);
	text_put(&line, finding->path[0] ? ": " : "");
	utf8_safe(finding->text, &line);
	text_put_char(&line, '\n');
	to_stderr(output, &line);
}

static void text_error(struct output *output, const struct origin_line *where,
		       const struct err *err, unsigned column,
		       const char *caret)
{
	AUTO_TEXT line = TEXT_NONE;

	(void)column;
	put_where(output, where, &line);
	utf8_safe(err->text ? err->text : "failed", &line);
	text_put_char(&line, '\n');
	text_put(&line, caret ? caret : "");
	to_stderr(output, &line);
}

const struct form form_text = {
	.start = text_start,
	.stop = text_stop,
	.begin = text_begin,
	.end = text_end,
	.drop = text_drop,
	.answer = text_answer,
	.prose = text_prose,
	.open = text_open,
	.close = text_close,
	.field = text_field,
	.number = text_number,
	.flag = text_flag,
	.setting = text_setting,
	.tree = text_tree,
	.say = text_say,
	.finding = text_finding,
	.error = text_error,
};
