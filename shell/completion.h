/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * completion.h - how an unfinished line can go on.
 *
 * For TAB in the shell and for the completions of bash, zsh and fish, which ask
 * the program itself. Candidates are whole words, without quotes:
 * "device=wan0", "/paths/adsl0".
 */
#ifndef SHELL_COMPLETION_H
#define SHELL_COMPLETION_H

#include <stdbool.h>
#include <stddef.h>

#include "model/value.h"

struct attr;
struct command;
struct kind;
struct match;
struct place;
struct words;

struct candidate {
	char *text, *help; /* owned; help may be empty */
};

struct completion {
	struct candidates base;	 /* what types offer to */
	const char *typed;	 /* the unfinished word; borrowed */
	const char *lead;	 /* goes in front of what is offered */
	struct candidate *items; /* owned */
	size_t count, room;
	/* Bytes at the beginning of each that need not be shown again: the way
	 * to a place, "device=". */
	size_t known;
	/* What may be written here, in a sentence; owned, or NULL. */
	char *hint;
	const struct command *command; /* that it is for, or NULL... */
	bool head;		       /* ...where one would stand */
};

/* The last of the words is the unfinished one. Changes nothing. */
void completion_find(struct completion *completion, const struct place *place,
		     const struct words *words);
/* The longest beginning that all candidates share, up to a whole character. */
void completion_common(const struct completion *completion, struct text *out);
/* A word that is not finished by this candidate: KEY= and folders. */
bool completion_goes_on(const struct candidate *candidate);
/* "now 128kbit (rate 8bit..4gbit) guaranteed": one setting of a kind, with its
 * value where the match's node has it. What matters most comes first, as a
 * narrow terminal cuts the end. */
void completion_about(const struct match *match, const struct kind *kind,
		      const struct attr *attr, struct text *out);
void completion_clear(struct completion *completion);
#define AUTO_COMPLETION                                                        \
	__attribute__((cleanup(completion_clear))) struct completion

#endif
