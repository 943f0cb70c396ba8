/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * sandbox.h - what the engine gives up once it runs: other users' rights, all
 * capabilities but those of the network, and all system calls that it does not
 * make (capabilities(7), seccomp(2)).
 */
#ifndef BACKENDS_ENGINE_SANDBOX_H
#define BACKENDS_ENGINE_SANDBOX_H

#include "model/base/err.h"

/* Becomes that user (NULL: stays), with CAP_NET_ADMIN and CAP_NET_RAW if it had
 * them, and nothing else. Called while there is one thread. */
int sandbox_drop(const char *user, struct err *err);
/* From here on no program is run, no file system mounted, no process looked
 * into, by any thread, those that run already included: what is not on the list
 * fails with EPERM. */
int sandbox_lock(struct err *err);

#endif
