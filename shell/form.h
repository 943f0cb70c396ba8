/* SPDX-License-Identifier: GPL-3.0-or-later */
/* form.h - what a form has to be able to do; the calls are those of output.h.
 */
#ifndef SHELL_FORM_H
#define SHELL_FORM_H

#include "shell/output.h"

#include "model/base/text.h"

/* Levels of records, tables and rows within each other. */
#define FORM_DEPTH 16

struct form {
	void *(*start)(void);
	void (*stop)(void *own);

	void (*begin)(struct output *output);
	void (*end)(struct output *output);
	void (*drop)(struct output *output);

	void (*answer)(struct output *output, const char *name,
		       const char *text);
	void (*prose)(struct output *output, const char *name,
		      const char *text);
	void (*open)(struct output *output, enum shape shape, const char *name,
		     const char *title);
	void (*close)(struct output *output);
	void (*field)(struct output *output, const char *name,
		      const char *text);
	void (*number)(struct output *output, const char *name,
		       uint64_t number);
	void (*flag)(struct output *output, const char *name, bool flag);
	void (*setting)(struct output *output, const struct node *node,
			size_t attr, const struct live *live);
	void (*tree)(struct output *output, const struct node *top,
		     unsigned depth, const struct live *live);

	void (*say)(struct output *output, enum severity_shown severity,
		    const char *text);
	void (*finding)(struct output *output, const struct origin_line *where,
			const struct finding *finding);
	void (*error)(struct output *output, const struct origin_line *where,
		      const struct err *err, unsigned column,
		      const char *caret);
};

extern const struct form form_text, form_json;

struct output {
	const struct form *form;
	struct output_options options;
	void *own;	      /* of the form */
	struct text *capture; /* where it all goes, or NULL */
	bool results_only;    /* ...but for messages */
	bool coloured;	      /* before that */
	int failed;	      /* first errno of writing results, or 0 */
};

/* Writes results; an error is kept for output_flush(). */
void form_write(struct output *output, const char *bytes, size_t length);

#endif
