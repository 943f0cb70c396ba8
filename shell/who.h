/* SPDX-License-Identifier: GPL-3.0-or-later */
/* who.h - who is at the keyboard: what stands behind each revision. */
#ifndef SHELL_WHO_H
#define SHELL_WHO_H

/* "root (uid 0, sudo by alice), pts/1, from 192.0.2.7". The caller's to free.
 */
char *who_dup(void);

/* "root (uid 0)": the same from every terminal. */
char *who_user_dup(void);

#endif
