/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * save.h - a tree as a batch that rebuilds it.
 *
 * Canonical: parents before children, sorted, one object a line, and only what
 * somebody gave. The same tree gives the same bytes.
 */
#ifndef SHELL_SAVE_H
#define SHELL_SAVE_H

#include "model/base/err.h"
#include "model/base/text.h"

struct tree;

void save_print(const struct tree *tree, struct text *out);
/* What leads from one tree to the other: deletions, then what is made and set.
 * Empty where nothing does. */
void save_print_changes(const struct tree *from, const struct tree *to,
			struct text *out);
/* saveconfig.tresse beside that store. The caller's to free. */
char *save_file_of(const char *store);
/* Writes a file whole or not at all: what was there stays until the new one is
 * on the disk. What is no plain file (a pipe, a terminal) is written to. */
int save_write(const char *file, const char *bytes, size_t length,
	       struct err *err);

#endif
