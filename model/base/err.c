/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "model/base/err.h"

#include <stdlib.h>

#include "model/base/mem.h"

/* Whoever does not want the sentence still wants the code, also through a layer
 * that adds to a sentence that is not there. */
static _Thread_local int last_code;

int err_set(struct err *err, int code, const char *format, ...)
{
	va_list args;
	char *text;

	last_code = -code;
	if (!err)
		return -code;
	va_start(args, format);
	text = mem_vprintf(format, args);
	va_end(args);
	free(err->text);
	err->text = text;
	err->code = -code;
	return err->code;
}

int err_prefix(struct err *err, const char *format, ...)
{
	va_list args;
	char *where, *old;

	if (!err || !err->text)
		return err ? err->code : last_code;
	va_start(args, format);
	where = mem_vprintf(format, args);
	va_end(args);
	old = err->text;
	err->text = mem_printf("%s%s", where, old);
	free(where);
	free(old);
	return err->code;
}

int err_append(struct err *err, const char *format, ...)
{
	va_list args;
	char *more, *old;

	if (!err || !err->text)
		return err ? err->code : last_code;
	va_start(args, format);
	more = mem_vprintf(format, args);
	va_end(args);
	old = err->text;
	err->text = mem_printf("%s%s", old, more);
	free(more);
	free(old);
	return err->code;
}

void err_clear(struct err *err)
{
	free(err->text);
	err->text = NULL;
	err->code = 0;
}

int err_move(struct err *to, struct err *from)
{
	int code = from->code;

	if (to) {
		free(to->text);
		*to = *from;
		from->text = NULL;
	}
	err_clear(from);
	return code;
}
