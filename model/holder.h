/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * holder.h - which process it was, told apart from all that come after it: by
 * the boot, its number, and when it started.
 */
#ifndef MODEL_HOLDER_H
#define MODEL_HOLDER_H

#include <stdbool.h>

/* This process. The caller's to free. */
char *holder_dup(void);
/* Does it still run? */
bool holder_lives(const char *holder);
/* /proc/sys/kernel/random/boot_id; "unknown" without a /proc. The caller's to
 * free. */
char *boot_id_dup(void);

#endif
