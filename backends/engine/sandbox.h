/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * sandbox.h - what the engine and its keeper (keeping.h) give up once they run:
 * other users' rights, capabilities, and all system calls that they do not make
 * (capabilities(7), seccomp(2)). Nobody else may look into either of them, and
 * neither leaves a core, for they hold keys.
 */
#ifndef BACKENDS_ENGINE_SANDBOX_H
#define BACKENDS_ENGINE_SANDBOX_H

#include <stdbool.h>

#include "model/base/err.h"

#define SANDBOX_USER "tressed"

enum { SANDBOX_NAME = 128 };

/* The engine becomes that user (NULL: tressed, or nobody where there is none of
 * that name; "root" stays), with CAP_NET_ADMIN and CAP_NET_RAW if it had them,
 * and nothing else. Who is not root stays who he is, and so does root of a user
 * namespace that has no other user. who: what to call him. Called while there
 * is one thread, which is the one that all others come from. */
int sandbox_drop(const char *user, char who[SANDBOX_NAME], struct err *err);
/* Has it CAP_NET_ADMIN, without which it can carry nothing? */
bool sandbox_has_network(void);
/* From here on the engine runs no program, mounts no file system, looks into no
 * process and opens files to read them alone, in any thread, those that run
 * already included: what is not on the list fails with EPERM. */
int sandbox_lock(struct err *err);

/* The keeper stays who it is, without any capability. It has files, and the
 * sockets that it has already. */
int sandbox_keeper(struct err *err);

#endif
