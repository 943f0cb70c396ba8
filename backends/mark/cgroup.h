/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * cgroup.h - control groups by their number, which is what a rule compares.
 *
 * nft_socket.c compares the id of the socket's group at a depth with a number:
 * the inode of the group's directory. The number is another one when the group
 * was deleted and made again, so it is looked up anew for every transaction,
 * when the host may be asked (backend.h: probe), and kept for planning.
 */
#ifndef BACKENDS_MARK_CGROUP_H
#define BACKENDS_MARK_CGROUP_H

#include <stdint.h>

#include "model/base/digest.h"

struct tree;

enum cgroup_state {
	CGROUP_UNASKED,	  /* cgroups_look_up() did not see it */
	CGROUP_UNMOUNTED, /* there is no cgroup2 file system */
	CGROUP_MISSING,
	CGROUP_HERE,
};

struct cgroup {
	enum cgroup_state state;
	uint64_t id;
	uint32_t level; /* depth: 1 for "system.slice" */
};

/* Forgets what it knew and looks up every group that a match names. */
void cgroups_look_up(const struct tree *tree);
struct cgroup cgroup_find(const char *path);
/* Of all that is known. */
struct digest cgroups_digest(void);

#endif
