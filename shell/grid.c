/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "shell/grid.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "shell/utf8.h"

#define MOST_COLUMNS 12
#define GAP	     2
/* A name is not cut further than this for the sake of a column. */
#define SHORT_NAME 16

struct row {
	char *name; /* owned, safe to print */
	unsigned indent;
	unsigned count; /* cells so far */
	char cells[MOST_COLUMNS][12];
};

struct grid {
	const char *const *headings;
	size_t columns; /* of figures */
	struct row *rows;
	size_t count, room;
	size_t widest; /* name, with its indent */
};

struct grid *grid_new(const char *const *headings)
{
	struct grid *grid = mem_alloc(sizeof(*grid));

	grid->headings = headings;
	while (headings[grid->columns + 1] && grid->columns < MOST_COLUMNS)
		grid->columns++;
	grid->widest = strlen(headings[0]);
	return grid;
}

void grid_free(struct grid *grid)
{
	if (!grid)
		return;
	for (size_t i = 0; i < grid->count; i++)
		free(grid->rows[i].name);
	free(grid->rows);
	free(grid);
}

void grid_row(struct grid *grid, const char *name, unsigned indent)
{
	AUTO_TEXT safe = TEXT_NONE;
	size_t wide;
	struct row *row;

	grid->rows = mem_grow(grid->rows, grid->count, &grid->room,
			      sizeof(*grid->rows));
	row = &grid->rows[grid->count++];
	utf8_safe(name, &safe);
	wide = utf8_width(text_get(&safe)) + indent;
	*row = (struct row){ .name = text_take(&safe), .indent = indent };
	if (wide > grid->widest)
		grid->widest = wide;
}

void grid_put(struct grid *grid, const char *format, ...)
{
	struct row *row = &grid->rows[grid->count - 1];
	va_list args;

	if (row->count == grid->columns)
		return;
	va_start(args, format);
	vsnprintf(row->cells[row->count++], sizeof(row->cells[0]), format,
		  args);
	va_end(args);
}

static void measure(const struct grid *grid, size_t *widths)
{
	for (size_t i = 0; i < grid->columns; i++)
		widths[i] = strlen(grid->headings[i + 1]);
	for (size_t at = 0; at < grid->count; at++)
		for (size_t i = 0; i < grid->rows[at].count; i++) {
			size_t wide = strlen(grid->rows[at].cells[i]);

			if (wide > widths[i])
				widths[i] = wide;
		}
}

/* How many columns there is room for, and what is left for the names. */
static size_t fit(const struct grid *grid, const size_t *widths, size_t width,
		  size_t *names)
{
	size_t least = grid->widest < SHORT_NAME ? grid->widest : SHORT_NAME;
	size_t used = 0, count = 0;

	*names = grid->widest;
	if (!width)
		return grid->columns;
	while (count < grid->columns &&
	       least + used + GAP + widths[count] <= width)
		used += GAP + widths[count++];
	if (*names > width - used)
		*names = width - used;
	return count;
}

static void put_name(const char *name, size_t indent, size_t room,
		     struct text *out)
{
	size_t before = out->length;

	indent = indent < room ? indent : 0;
	text_fill(out, ' ', indent);
	if (utf8_width(name) > room - indent)
		utf8_cut_middle(name, room - indent, "..", out);
	else
		text_put(out, name);
	before = utf8_width(text_get(out) + before);
	text_fill(out, ' ', room > before ? room - before : 0);
}

static void put_cell(const char *cell, size_t room, struct text *out)
{
	text_fill(out, ' ', GAP + room - strlen(cell));
	text_put(out, cell);
}

static void end_line(struct text *out)
{
	while (out->length && text_get(out)[out->length - 1] == ' ')
		text_cut(out, out->length - 1);
	text_put_char(out, '\n');
}

void grid_print(const struct grid *grid, size_t width, struct text *out)
{
	size_t widths[MOST_COLUMNS], names, count;

	measure(grid, widths);
	count = fit(grid, widths, width, &names);
	put_name(grid->headings[0], 0, names, out);
	for (size_t i = 0; i < count; i++)
		put_cell(grid->headings[i + 1], widths[i], out);
	end_line(out);
	for (size_t at = 0; at < grid->count; at++) {
		const struct row *row = &grid->rows[at];

		put_name(row->name, row->indent, names, out);
		for (size_t i = 0; i < count && i < row->count; i++)
			put_cell(row->cells[i], widths[i], out);
		end_line(out);
	}
}
