/* SPDX-License-Identifier: GPL-3.0-or-later */
/* secret.h - lines that must not be kept: keys and passwords stand in them. */
#ifndef SHELL_SECRET_H
#define SHELL_SECRET_H

#include <stdbool.h>
#include <stddef.h>

/* Is a setting that any kind calls secret given a value in this line? Also if
 * the line cannot be read, and if the kind is not the one it is about. */
bool secret_told(const char *line);
/* The same for settings that the caller knows. */
bool secret_told_of(const char *line, bool (*is_secret)(const char *setting));

#endif
