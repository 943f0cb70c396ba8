/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * output.h - what a command has to show, and the form in which it is shown.
 *
 * A command says what there is: an answer, a record of fields, a table of rows,
 * a branch of the tree. The form, text for people or JSON for programs, is a
 * struct of operations that is chosen once, at the start.
 *
 * Results go to stdout, messages and errors to stderr. Text never passes a
 * control character on (utf8.h).
 */
#ifndef SHELL_OUTPUT_H
#define SHELL_OUTPUT_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "model/base/err.h"
#include "model/report.h"

struct live;
struct node;
struct output;
struct text;

enum shape {
	SHAPE_RECORD, /* fields by name */
	SHAPE_TABLE,  /* rows */
	SHAPE_ROW,    /* of a table: fields, in the order of the columns */
};

enum severity_shown {
	SAY_DONE,    /* what was done; -q leaves it out */
	SAY_WARNING, /* always */
};

/* Where something was said: "stdin" line 15, or nothing. */
struct origin_line {
	const char *source; /* NULL: a command that was typed */
	unsigned line;	    /* 0: none */
};

struct output_options {
	bool json;
	bool quiet;    /* no messages but errors and warnings */
	bool terminal; /* stdout is one */
	bool colour;   /* ...that may have it */
	bool unicode;
	unsigned width;	  /* columns of stdout */
	const char *name; /* of the program, in front of errors; or NULL */
};

struct output *output_new(const struct output_options *options);
void output_free(struct output *output);
void output_set_width(struct output *output, unsigned width);
unsigned output_width(const struct output *output);
/* As far as the terminal can. */
void output_set_colour(struct output *output, bool colour);
bool output_is_json(const struct output *output);
bool output_is_terminal(const struct output *output);
/* Nobody reads the results any more, or they cannot be written. */
bool output_is_broken(const struct output *output);
/* All that would be written goes there, messages too; NULL: no longer. */
void output_capture(struct output *output, struct text *to);
/* The same for results alone, without colours; messages go where they go. */
void output_filter(struct output *output, struct text *to);
/* Between commands. Returns what it was. */
bool output_set_json(struct output *output, bool json);

/* Around the results of one command: JSON is one document. */
void output_begin(struct output *output);
void output_end(struct output *output);
/* Forgets what was said since output_begin(): it came to an error. */
void output_drop(struct output *output);

/* The one thing that was asked for: text writes it alone. */
void output_answer(struct output *output, const char *name, const char *text);
/* Sentences, broken into lines; empty lines part paragraphs. */
void output_prose(struct output *output, const char *name, const char *text);
/* title stands above it in text; NULL: nothing does. */
void output_open(struct output *output, enum shape shape, const char *name,
		 const char *title);
void output_close(struct output *output);
void output_field(struct output *output, const char *name, const char *text);
void output_number(struct output *output, const char *name, uint64_t number);
void output_flag(struct output *output, const char *name, bool flag);
/* What is shown of a setting: what the system tells, if it is read-only; a
 * secret that was asked for by name, if live has it. */
const struct value *output_value(const struct node *node, size_t attr,
				 const struct live *live);
/* name=value with where the value comes from. live may be NULL. */
void output_setting(struct output *output, const struct node *node, size_t attr,
		    const struct live *live);
/* A branch, depth levels below its top; 0: all, but of many peers below it a
 * person is shown some; OUTPUT_WHOLE: these, too. live may be NULL. */
#define OUTPUT_WHOLE UINT_MAX
void output_tree(struct output *output, const struct node *top, unsigned depth,
		 const struct live *live);
/* Bytes as they are, in every form: a saved configuration. */
void output_raw(struct output *output, const char *bytes, size_t length);

/* Messages. In JSON they are part of the results, not of the messages. */
void output_say(struct output *output, enum severity_shown severity,
		const char *format, ...) __attribute__((format(printf, 3, 4)));
void output_finding(struct output *output, const struct origin_line *where,
		    const struct finding *finding);
/* caret: the lines that show where a line cannot be read; or NULL. column: in
 * characters, from 1; 0: none. */
void output_error(struct output *output, const struct origin_line *where,
		  const struct err *err, unsigned column, const char *caret);

/* 0, or a negative errno if the results could not all be written. That nobody
 * reads them any more is no error. */
int output_flush(struct output *output);

#endif
