/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "shell/secret.h"

#include <ctype.h>

#include "model/base/mem.h"
#include "model/kind.h"

static bool is_secret_setting(const char *setting)
{
	for (const struct kind *const *kind = kinds; *kind; kind++) {
		const struct attr *attr = kind_attr(*kind, setting);

		if (attr && attr->flags & ATTR_SECRET)
			return true;
	}
	return false;
}

static bool is_name_char(char c)
{
	return isalnum((unsigned char)c) || c == '-' || c == '_';
}

/* By its letters alone: a quote that was forgotten, or one too many, must not
 * let a key through. That other lines are not kept either does little harm. */
bool secret_told_of(const char *line, bool (*is_secret)(const char *setting))
{
	while (*line) {
		const char *from = line;
		AUTO(str) char *name = NULL;

		while (is_name_char(*line))
			line++;
		if (line == from) {
			line++;
			continue;
		}
		name = mem_strndup(from, (size_t)(line - from));
		if (line[strspn(line, "\"'\\")] == '=' && is_secret(name))
			return true;
	}
	return false;
}

bool secret_told(const char *line)
{
	return secret_told_of(line, is_secret_setting);
}
