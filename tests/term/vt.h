/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * vt.h - a terminal's screen, in memory: what a program wrote, as a person
 * would see it.
 *
 * ECMA-48 as far as a shell needs it: moving, erasing, inserting, scrolling,
 * colours, a second screen, lines that wrap when one more character comes (as
 * xterm's do). It never answers. Whatever it does not know, whatever asks it
 * something and any byte that a dumb terminal would not swallow is noted as a
 * complaint.
 */
#ifndef TESTS_TERM_VT_H
#define TESTS_TERM_VT_H

#include <stdbool.h>
#include <stddef.h>

#include "model/base/text.h"

enum { VT_CELL = 24 }; /* bytes of a character with what combines with it */

enum vt_style {
	VT_BOLD = 1 << 0,
	VT_GREY = 1 << 1,
	VT_UNDERLINE = 1 << 2,
	VT_REVERSE = 1 << 3,
};

struct vt_cell {
	char bytes[VT_CELL]; /* "" is a blank, or the right half of a wide one
			      */
	unsigned style;	     /* enum vt_style */
	unsigned colour;     /* 30..37 and 90..97, or 0 */
	bool right;	     /* half of a wide character */
};

struct vt_place {
	unsigned row, column;
};

struct vt {
	unsigned rows, columns;
	bool dumb;
	struct vt_cell *cells; /* owned; of the screen that is shown */
	struct vt_cell *other; /* owned; while the second screen is shown */
	struct vt_place cursor, saved, first; /* first: before the second */
	bool wraps;	/* the next character goes to the next line */
	bool hidden;	/* the cursor */
	bool bracketed; /* a paste comes in brackets */
	struct vt_cell pen;
	struct text pending;	/* the beginning of a sequence or character */
	struct text complaints; /* a line each */
};

void vt_init(struct vt *vt, unsigned rows, unsigned columns, bool dumb);
void vt_clear(struct vt *vt);
void vt_write(struct vt *vt, const char *bytes, size_t length);
/* What does not fit is cut away, as xterm does it. */
void vt_resize(struct vt *vt, unsigned rows, unsigned columns);
/* One row, with the blanks at its end. */
void vt_row(const struct vt *vt, unsigned row, struct text *out);
/* The screen as lines "|row"; where something is not plain, a line of letters
 * below it says how: g grey, b bold, u underlined, r reverse, a digit for a
 * colour (1 red, 2 green, 4 blue ...). Then where the cursor is. */
void vt_show(const struct vt *vt, struct text *out);

#endif
