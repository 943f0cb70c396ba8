/* SPDX-License-Identifier: GPL-3.0-or-later */
/* options.h - what may stand between the program's name and the first word. */
#ifndef SHELL_OPTIONS_H
#define SHELL_OPTIONS_H

#include <stdbool.h>

#include "model/base/err.h"
#include "model/base/text.h"
#include "model/value.h"

struct options {
	const char *store; /* file */
	bool json, quiet, dry;
	struct text commands; /* of -c, one a line; owned */
	const char *file;     /* of -f, or NULL */
	bool each;	      /* a line at a time, to the first error */
	bool keep_going;      /* ...and past it */
	bool help, version;
	bool complete; /* hidden: asked by the completions of other shells */
	bool watch;    /* hidden: the watcher of a commit on trial */
	int words;     /* index of the first word in argv */
};

/* EINVAL and a sentence for what is no option. */
int options_read(int argc, char **argv, struct options *options,
		 struct err *err);
/* How the program is called: what --help writes. */
void options_help(struct text *out);
void options_complete(struct candidates *to);
/* What this word wants behind it, as help calls it: "FILE", "COMMAND"; NULL:
 * nothing, or it is no option, or brings it along. */
const char *options_want(const char *word);
/* The value that comes along: of --file=NAME; NULL: none. */
const char *options_value(const char *word);

#endif
