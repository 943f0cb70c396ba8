/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/term/vt.h"

#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "model/base/mem.h"
#include "shell/utf8.h"

enum { MOST_NUMBERS = 8, LONGEST_SEQUENCE = 256 };

/* ---- cells ---- */

static struct vt_cell *cell_at(const struct vt *vt, unsigned row,
			       unsigned column)
{
	return &vt->cells[row * vt->columns + column];
}

static struct vt_cell *cells_new(unsigned rows, unsigned columns)
{
	return mem_array((size_t)rows * columns, sizeof(struct vt_cell));
}

void vt_init(struct vt *vt, unsigned rows, unsigned columns, bool dumb)
{
	*vt = (struct vt){ .rows = rows, .columns = columns, .dumb = dumb };
	vt->cells = cells_new(rows, columns);
}

void vt_clear(struct vt *vt)
{
	free(vt->cells);
	free(vt->other);
	text_clear(&vt->pending);
	text_clear(&vt->complaints);
	*vt = (struct vt){ 0 };
}

static void complain(struct vt *vt, const char *what, const char *bytes,
		     size_t length)
{
	text_printf(&vt->complaints, "%s:", what);
	for (size_t i = 0; i < length; i++) {
		unsigned char byte = (unsigned char)bytes[i];

		if (byte > ' ' && byte < 127)
			text_printf(&vt->complaints, " %c", byte);
		else
			text_printf(&vt->complaints, " %02x", byte);
	}
	text_put_char(&vt->complaints, '\n');
}

static void erase(struct vt *vt, unsigned from, unsigned to)
{
	for (unsigned at = from; at < to; at++)
		vt->cells[at] = (struct vt_cell){ 0 };
}

static unsigned here(const struct vt *vt)
{
	return vt->cursor.row * vt->columns + vt->cursor.column;
}

/* ---- moving ---- */

static void scroll(struct vt *vt)
{
	size_t row = vt->columns;

	memmove(vt->cells, vt->cells + row,
		(vt->rows - 1) * row * sizeof(*vt->cells));
	erase(vt, (vt->rows - 1) * vt->columns, vt->rows * vt->columns);
}

static void next_line(struct vt *vt)
{
	vt->wraps = false;
	if (vt->cursor.row + 1 == vt->rows)
		scroll(vt);
	else
		vt->cursor.row++;
}

static unsigned within(long at, unsigned end)
{
	if (at < 0)
		return 0;
	return at >= (long)end ? end - 1 : (unsigned)at;
}

static void go(struct vt *vt, long row, long column)
{
	vt->cursor.row = within(row, vt->rows);
	vt->cursor.column = within(column, vt->columns);
	vt->wraps = false;
}

static void move(struct vt *vt, long rows, long columns)
{
	go(vt, (long)vt->cursor.row + rows, (long)vt->cursor.column + columns);
}

/* ---- characters ---- */

static void combine(struct vt *vt, const char *bytes, size_t size)
{
	unsigned at = here(vt);
	struct vt_cell *cell;
	size_t length;

	if (!vt->wraps && at)
		at--;
	while (at && vt->cells[at].right)
		at--;
	cell = &vt->cells[at];
	length = strlen(cell->bytes);
	if (length && length + size < VT_CELL)
		memcpy(cell->bytes + length, bytes, size);
}

static void put(struct vt *vt, const char *bytes, size_t size, unsigned width)
{
	struct vt_cell *cell;

	if (vt->wraps || vt->cursor.column + width > vt->columns) {
		vt->cursor.column = 0;
		next_line(vt);
	}
	cell = cell_at(vt, vt->cursor.row, vt->cursor.column);
	*cell = vt->pen;
	memcpy(cell->bytes, bytes, size);
	if (width == 2) {
		cell[1] = vt->pen;
		cell[1].right = true;
	}
	if (vt->cursor.column + width == vt->columns)
		vt->wraps = true;
	else
		vt->cursor.column += width;
	if (vt->wraps)
		vt->cursor.column = vt->columns - 1;
}

static void put_character(struct vt *vt, const char *bytes, size_t size,
			  uint32_t code)
{
	int width = wcwidth((wchar_t)code);

	if (utf8_is_control(code) || width < 0)
		complain(vt, "a raw control character", bytes, size);
	else if (!width)
		combine(vt, bytes, size);
	else
		put(vt, bytes, size, (unsigned)width);
}

static void control(struct vt *vt, char byte)
{
	switch (byte) {
	case '\0':   /* old terminals need time: terminfo's padding */
	case '\017': /* the usual letters */
	case '\a': break;
	case '\b': move(vt, 0, -1); break;
	case '\t': move(vt, 0, 8 - (long)vt->cursor.column % 8); break;
	case '\n': next_line(vt); break;
	case '\r': go(vt, vt->cursor.row, 0); break;
	default: complain(vt, "a raw control character", &byte, 1);
	}
}

/* ---- sequences ---- */

struct sequence {
	char private;	/* the ? of ESC [ ? 25 h, or 0 */
	char between;	/* a byte 0x20..0x2f, or 0 */
	char final;	/* that says what to do */
	unsigned count; /* of the numbers */
	long numbers[MOST_NUMBERS];
};

static long number(const struct sequence *sequence, unsigned at, long standard)
{
	long given = at < sequence->count ? sequence->numbers[at] : 0;

	return given ? given : standard;
}

static void erase_display(struct vt *vt, long how)
{
	unsigned end = vt->rows * vt->columns;

	if (how == 0)
		erase(vt, here(vt), end);
	else if (how == 1)
		erase(vt, 0, here(vt) + 1);
	else if (how == 2)
		erase(vt, 0, end);
}

static void erase_line(struct vt *vt, long how)
{
	unsigned row = vt->cursor.row * vt->columns;

	erase(vt, how == 0 ? here(vt) : row,
	      how == 1 ? here(vt) + 1 : row + vt->columns);
}

/* Characters to the right of the cursor move by so many columns. */
static void shift(struct vt *vt, long by)
{
	unsigned row = vt->cursor.row * vt->columns;
	unsigned from = here(vt), end = row + vt->columns;
	unsigned count = by < 0 ? within(-by, end - from + 1)
				: within(by, end - from + 1);
	size_t rest = (end - from - count) * sizeof(*vt->cells);

	if (by < 0) {
		memmove(vt->cells + from, vt->cells + from + count, rest);
		erase(vt, end - count, end);
	} else {
		memmove(vt->cells + from + count, vt->cells + from, rest);
		erase(vt, from, from + count);
	}
}

static void shift_lines(struct vt *vt, long by)
{
	unsigned from = vt->cursor.row * vt->columns;
	unsigned end = vt->rows * vt->columns;
	unsigned count =
		within(by < 0 ? -by : by, vt->rows - vt->cursor.row + 1) *
		vt->columns;
	size_t rest = (end - from - count) * sizeof(*vt->cells);

	if (by < 0) {
		memmove(vt->cells + from, vt->cells + from + count, rest);
		erase(vt, end - count, end);
	} else {
		memmove(vt->cells + from + count, vt->cells + from, rest);
		erase(vt, from, from + count);
	}
}

static bool dress(struct vt *vt, long code)
{
	switch (code) {
	case 0: vt->pen = (struct vt_cell){ 0 }; return true;
	case 1: vt->pen.style |= VT_BOLD; return true;
	case 2: vt->pen.style |= VT_GREY; return true;
	case 3:
	case 23: return true; /* italics are not shown */
	case 4: vt->pen.style |= VT_UNDERLINE; return true;
	case 7: vt->pen.style |= VT_REVERSE; return true;
	case 22: vt->pen.style &= ~(unsigned)(VT_BOLD | VT_GREY); return true;
	case 24: vt->pen.style &= ~(unsigned)VT_UNDERLINE; return true;
	case 27: vt->pen.style &= ~(unsigned)VT_REVERSE; return true;
	case 39: vt->pen.colour = 0; return true;
	case 49: return true;
	}
	if ((code >= 30 && code <= 37) || (code >= 90 && code <= 97)) {
		vt->pen.colour = (unsigned)code;
		return true;
	}
	return (code >= 40 && code <= 47) || (code >= 100 && code <= 107);
}

static bool dress_all(struct vt *vt, const struct sequence *sequence)
{
	bool known = sequence->count || dress(vt, 0);

	for (unsigned i = 0; i < sequence->count; i++) {
		long code = sequence->numbers[i];

		if (code == 38 || code == 48) /* 38;5;N: one of 256 */
			i += 2;
		else
			known = dress(vt, code) && known;
	}
	return known;
}

static void second_screen(struct vt *vt, bool on)
{
	if (on && !vt->other) {
		vt->other = vt->cells;
		vt->cells = cells_new(vt->rows, vt->columns);
		vt->first = vt->cursor;
	} else if (!on && vt->other) {
		free(vt->cells);
		vt->cells = TAKE(vt->other);
		go(vt, vt->first.row, vt->first.column);
	}
}

static bool switch_mode(struct vt *vt, long mode, bool on)
{
	switch (mode) {
	case 1: return true; /* what the arrow keys send */
	case 7: return on;
	case 12: return true; /* a cursor that blinks */
	case 25: vt->hidden = !on; return true;
	case 1034: return true; /* the eighth bit of a key */
	case 1049: second_screen(vt, on); return true;
	case 2004: vt->bracketed = on; return true;
	}
	return false;
}

static bool do_moving(struct vt *vt, const struct sequence *sequence)
{
	long by = number(sequence, 0, 1);

	switch (sequence->final) {
	case 'A': move(vt, -by, 0); return true;
	case 'B': move(vt, by, 0); return true;
	case 'C': move(vt, 0, by); return true;
	case 'D': move(vt, 0, -by); return true;
	case 'G': go(vt, vt->cursor.row, by - 1); return true;
	case 'd': go(vt, by - 1, vt->cursor.column); return true;
	case 'H':
	case 'f': go(vt, by - 1, number(sequence, 1, 1) - 1); return true;
	}
	return false;
}

static bool do_csi(struct vt *vt, const struct sequence *sequence)
{
	long first = number(sequence, 0, 0);
	bool known = true;

	if (sequence->private == '?' && strchr("hl", sequence->final))
		return switch_mode(vt, first, sequence->final == 'h');
	if (sequence->private || sequence->between)
		return false;
	switch (sequence->final) {
	case 'J': erase_display(vt, first); return true;
	case 'K': erase_line(vt, first); return true;
	case 'P': shift(vt, -number(sequence, 0, 1)); return true;
	case '@': shift(vt, number(sequence, 0, 1)); return true;
	case 'M': shift_lines(vt, -number(sequence, 0, 1)); return true;
	case 'L': shift_lines(vt, number(sequence, 0, 1)); return true;
	case 'm': return dress_all(vt, sequence);
	case 'r': return !first;
	case 'l':
	case 'h': return first == 4;
	default: known = do_moving(vt, sequence);
	}
	return known;
}

static void read_csi(const char *bytes, size_t length, struct sequence *out)
{
	*out = (struct sequence){ .final = bytes[length - 1] };
	for (size_t i = 0; i + 1 < length; i++) {
		char byte = bytes[i];

		if (byte >= '0' && byte <= '9') {
			out->count = out->count ? out->count : 1;
			out->numbers[out->count - 1] =
				(out->numbers[out->count - 1] * 10 + byte -
				 '0') %
				100000;
		} else if (byte == ';' && out->count < MOST_NUMBERS) {
			out->count += out->count ? 1 : 2;
		} else if (byte >= '<' && byte <= '?') {
			out->private = byte;
		} else {
			out->between = byte;
		}
	}
}

static bool asks(const struct sequence *sequence)
{
	return strchr("cn", sequence->final) ||
	       (sequence->final == 'p' && sequence->between == '$') ||
	       (sequence->final == 'q' && sequence->private == '>') ||
	       (sequence->final == 'u' && sequence->private == '?');
}

/* Bytes of the CSI sequence at the beginning; 0: it goes on. */
static size_t csi_length(const char *bytes, size_t length)
{
	for (size_t i = 2; i < length; i++)
		if (bytes[i] >= 0x40 && bytes[i] <= 0x7e)
			return i + 1;
	return length > LONGEST_SEQUENCE ? length : 0;
}

/* ...of a string: OSC, DCS, APC, up to BEL or ESC \. */
static size_t string_length(const char *bytes, size_t length)
{
	for (size_t i = 2; i < length; i++) {
		if (bytes[i] == '\a')
			return i + 1;
		if (bytes[i] == '\\' && bytes[i - 1] == '\033')
			return i + 1;
	}
	return length > LONGEST_SEQUENCE ? length : 0;
}

static void do_escape(struct vt *vt, const char *bytes, size_t length)
{
	struct sequence sequence;

	switch (bytes[1]) {
	case '[':
		read_csi(bytes + 2, length - 2, &sequence);
		if (asks(&sequence))
			complain(vt, "asks the terminal", bytes, length);
		else if (!do_csi(vt, &sequence))
			complain(vt, "not known", bytes, length);
		break;
	case '7': vt->saved = vt->cursor; break;
	case '8': go(vt, vt->saved.row, vt->saved.column); break;
	case '=':
	case '>':
	case '(': break;
	case 'M':
		if (vt->cursor.row) {
			move(vt, -1, 0);
			break;
		} /* fall through */
	default: complain(vt, "not known", bytes, length);
	}
}

static size_t escape_length(const char *bytes, size_t length)
{
	if (length < 2)
		return 0;
	if (bytes[1] == '[')
		return csi_length(bytes, length);
	if (strchr("]PX^_", bytes[1]))
		return string_length(bytes, length);
	if (bytes[1] == '(' || bytes[1] == ')')
		return length < 3 ? 0 : 3;
	return 2;
}

/* ---- bytes ---- */

/* Is this the beginning of a character that goes on? */
static bool is_begun(const char *bytes, size_t length)
{
	unsigned char lead = (unsigned char)bytes[0];
	size_t size = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;

	if (lead < 0xc2 || lead > 0xf4 || length >= size)
		return false;
	for (size_t i = 1; i < length; i++)
		if (((unsigned char)bytes[i] & 0xc0) != 0x80)
			return false;
	return true;
}

/* Bytes that were dealt with; 0: more have to come first. */
static size_t take(struct vt *vt, const char *bytes, size_t length)
{
	uint32_t code = 0;
	size_t size;

	if (*bytes == '\033' && !vt->dumb) {
		size = escape_length(bytes, length);
		if (size)
			do_escape(vt, bytes, size);
		return size;
	}
	if ((unsigned char)*bytes < ' ' || *bytes == 127) {
		control(vt, *bytes);
		return 1;
	}
	size = utf8_next(bytes, length, &code);
	if (size) {
		put_character(vt, bytes, size, code);
		return size;
	}
	if (is_begun(bytes, length))
		return 0;
	complain(vt, "a byte that is no UTF-8", bytes, 1);
	return 1;
}

void vt_write(struct vt *vt, const char *bytes, size_t length)
{
	size_t at = 0, size;

	text_put_bytes(&vt->pending, bytes, length);
	while (at < vt->pending.length) {
		size = take(vt, vt->pending.bytes + at,
			    vt->pending.length - at);
		if (!size)
			break;
		at += size;
	}
	if (!at)
		return;
	memmove(vt->pending.bytes, vt->pending.bytes + at,
		vt->pending.length - at);
	text_cut(&vt->pending, vt->pending.length - at);
}

/* ---- sizes ---- */

static struct vt_cell *resized(const struct vt *vt, const struct vt_cell *cells,
			       unsigned from, unsigned rows, unsigned columns)
{
	struct vt_cell *fresh = cells_new(rows, columns);
	unsigned wide = columns < vt->columns ? columns : vt->columns;

	for (unsigned row = 0; row < rows && from + row < vt->rows; row++)
		memcpy(fresh + (size_t)row * columns,
		       cells + (size_t)(from + row) * vt->columns,
		       wide * sizeof(*fresh));
	return fresh;
}

void vt_resize(struct vt *vt, unsigned rows, unsigned columns)
{
	unsigned from = vt->cursor.row >= rows ? vt->cursor.row - rows + 1 : 0;
	struct vt_cell *cells = resized(vt, vt->cells, from, rows, columns);
	struct vt_cell *other =
		vt->other ? resized(vt, vt->other, 0, rows, columns) : NULL;

	free(vt->cells);
	free(vt->other);
	vt->cells = cells;
	vt->other = other;
	vt->rows = rows;
	vt->columns = columns;
	go(vt, (long)vt->cursor.row - (long)from, vt->cursor.column);
}

/* ---- what it looks like ---- */

void vt_row(const struct vt *vt, unsigned row, struct text *out)
{
	for (unsigned column = 0; column < vt->columns; column++) {
		const struct vt_cell *cell = cell_at(vt, row, column);

		if (!cell->right)
			text_put(out, *cell->bytes ? cell->bytes : " ");
	}
}

static char letter(const struct vt_cell *cell)
{
	if (cell->style & VT_REVERSE)
		return 'r';
	if (cell->style & VT_GREY || cell->colour == 90)
		return 'g';
	if (cell->colour)
		return (char)('0' + cell->colour % 10);
	if (cell->style & VT_BOLD)
		return 'b';
	return cell->style & VT_UNDERLINE ? 'u' : ' ';
}

static void put_letters(const struct vt *vt, unsigned row, struct text *out)
{
	AUTO_TEXT line = TEXT_NONE;
	size_t end = 0;

	for (unsigned column = 0; column < vt->columns; column++) {
		char found = letter(cell_at(vt, row, column));

		text_put_char(&line, found);
		if (found != ' ')
			end = line.length;
	}
	text_cut(&line, end);
	if (end)
		text_printf(out, ":%s\n", text_get(&line));
}

void vt_show(const struct vt *vt, struct text *out)
{
	size_t end = out->length;

	for (unsigned row = 0; row < vt->rows; row++) {
		size_t before = out->length;
		bool empty;

		text_put_char(out, '|');
		vt_row(vt, row, out);
		while (out->bytes[out->length - 1] == ' ')
			text_cut(out, out->length - 1);
		empty = out->length == before + 1;
		text_put_char(out, '\n');
		put_letters(vt, row, out);
		if (!empty || row <= vt->cursor.row)
			end = out->length;
	}
	text_cut(out, end);
	text_printf(out, "(%u,%u%s)\n", vt->cursor.row + 1,
		    vt->cursor.column + 1, vt->hidden ? " hidden" : "");
}
