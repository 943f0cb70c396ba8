/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * backup.h - what saveconfig's own file said before.
 *
 *     /var/lib/tresse/saveconfig.tresse
 *     /var/lib/tresse/backup/saveconfig-20261122T030405.678901Z.tresse
 *
 * The name has the time at which that was saved, so names are in its order.
 */
#ifndef SHELL_BACKUP_H
#define SHELL_BACKUP_H

#include <stddef.h>
#include <stdint.h>

#include "model/base/err.h"

struct backup {
	char *file; /* owned */
	int64_t at_us;
};

struct backups {
	struct backup *items; /* owned; the newest first */
	size_t count, room;
};

/* Before file is replaced by these bytes: what it says is put aside, unless it
 * is the same. The oldest ones go, down to most. */
int backup_keep(const char *file, const char *bytes, size_t length, size_t most,
		struct err *err);
/* Those of file. */
void backups_load(const char *file, struct backups *backups);
/* The file of backup "3" of what saveconfig writes beside that store; 1 is the
 * newest. *file is the caller's to free. ENOENT if there are fewer. */
int backup_pick(const char *store, const char *number, char **file,
		struct err *err);
void backups_clear(struct backups *backups);
#define AUTO_BACKUPS __attribute__((cleanup(backups_clear))) struct backups

#endif
