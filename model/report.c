/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "model/report.h"

#include <stdlib.h>

#include "model/base/mem.h"
#include "model/node.h"

static void add(struct report *report, enum severity severity, int code,
		char *path, char *text)
{
	report->items = mem_grow(report->items, report->count, &report->room,
				 sizeof(*report->items));
	report->items[report->count++] =
		(struct finding){ severity, code, path, text };
	if (severity == FINDING_ERROR)
		report->errors++;
}

static char *path_of(const struct node *node)
{
	return node ? node_path_dup(node) : mem_strdup("");
}

#define ADD(severity, code, path)                                              \
	do {                                                                   \
		va_list args;                                                  \
		va_start(args, format);                                        \
		add(report, severity, code, path, mem_vprintf(format, args));  \
		va_end(args);                                                  \
	} while (0)

void report_error(struct report *report, const struct node *node, int code,
		  const char *format, ...)
{
	ADD(FINDING_ERROR, code, path_of(node));
}

void report_warning(struct report *report, const struct node *node,
		    const char *format, ...)
{
	ADD(FINDING_WARNING, 0, path_of(node));
}

void report_note(struct report *report, const struct node *node,
		 const char *format, ...)
{
	ADD(FINDING_NOTE, 0, path_of(node));
}

void report_add(struct report *report, enum severity severity, int code,
		const char *path, const char *format, ...)
{
	ADD(severity, code, mem_strdup(path));
}

int report_err(const struct report *report, struct err *err)
{
	for (size_t i = 0; i < report->count; i++) {
		const struct finding *found = &report->items[i];

		if (found->severity == FINDING_ERROR)
			return err_set(err, found->code, "%s%s%s", found->path,
				       found->path[0] ? ": " : "", found->text);
	}
	return 0;
}

void report_clear(struct report *report)
{
	for (size_t i = 0; i < report->count; i++) {
		free(report->items[i].path);
		free(report->items[i].text);
	}
	free(report->items);
	*report = (struct report)REPORT_NONE;
}
