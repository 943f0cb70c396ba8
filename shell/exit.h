/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * exit.h - what the program ends with, so that a script can trust it.
 *
 * The code of an err (model/base/err.h) decides.
 */
#ifndef SHELL_EXIT_H
#define SHELL_EXIT_H

#include <errno.h>

enum exit_code {
	EXIT_DONE = 0,
	EXIT_REFUSED = 1,  /* or failed; nothing changed. drift: it differs */
	EXIT_USAGE = 2,	   /* the words cannot be read */
	EXIT_MISSING = 3,  /* no such object, path, file */
	EXIT_RIGHTS = 4,   /* a privilege is missing */
	EXIT_BUSY = 5,	   /* somebody else is at it */
	EXIT_CONFLICT = 6, /* the ground moved under the change */
	EXIT_DEGRADED = 7, /* the data plane could not be put back */
};

/* code: 0 or a negative errno value. */
static inline int exit_of(int code)
{
	switch (-code) {
	case 0: return EXIT_DONE;
	case EINVAL: return EXIT_USAGE;
	case ENOENT: return EXIT_MISSING;
	case EPERM:
	case EACCES: return EXIT_RIGHTS;
	case EBUSY: return EXIT_BUSY;
	case ESTALE: return EXIT_CONFLICT;
	case ENOTRECOVERABLE: return EXIT_DEGRADED;
	default: return EXIT_REFUSED;
	}
}

#endif
