/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * report.h - findings about a tree: what is refused, and what is doubtful.
 *
 * A check goes through the whole tree and reports everything it finds, so that
 * an operator mends a batch once and not line by line. A finding names the
 * path, the setting where there is one, what is wrong with which figure, and
 * what would be right.
 */
#ifndef MODEL_REPORT_H
#define MODEL_REPORT_H

#include <stddef.h>

#include "model/base/err.h"

struct node;

enum severity {
	FINDING_NOTE,	 /* worth knowing: a fallback was taken */
	FINDING_WARNING, /* a doubt, with a number */
	FINDING_ERROR,	 /* refused */
};

struct finding {
	enum severity severity;
	int code;   /* positive errno of an error, 0 otherwise */
	char *path; /* owned: "/classes/uplink/ssh"; "" when it is the whole */
	char *text; /* owned: one sentence, no full stop, no path in front */
};

struct report {
	struct finding *items; /* owned */
	size_t count, room;
	size_t errors;
};

#define REPORT_NONE                                                            \
	{                                                                      \
		NULL, 0, 0, 0                                                  \
	}

/* node may be NULL. Errors: code is a positive errno (err.h). */
void report_error(struct report *report, const struct node *node, int code,
		  const char *format, ...)
	__attribute__((format(printf, 4, 5)));
void report_warning(struct report *report, const struct node *node,
		    const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void report_note(struct report *report, const struct node *node,
		 const char *format, ...) __attribute__((format(printf, 3, 4)));
/* With a path where no node is left. */
void report_add(struct report *report, enum severity severity, int code,
		const char *path, const char *format, ...)
	__attribute__((format(printf, 5, 6)));
/* The first error as an err ("PATH: sentence"); 0 if there is none. */
int report_err(const struct report *report, struct err *err);
void report_clear(struct report *report);

#endif
