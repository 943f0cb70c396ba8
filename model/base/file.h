/* SPDX-License-Identifier: GPL-3.0-or-later */
/* file.h - small files of our own, which others may have put something into. */
#ifndef MODEL_BASE_FILE_H
#define MODEL_BASE_FILE_H

#include <stddef.h>

/* What is in a file, up to most bytes of it, with a zero behind; the caller's
 * to free. NULL if it cannot be opened. Follows no symbolic link, and neither a
 * pipe nor a terminal makes it wait. */
char *file_read(const char *path, size_t most);
/* All of it, however often one has to call for that: 0, or negative errno with
 * part of it written. */
int file_write(int fd, const void *bytes, size_t size);

#endif
