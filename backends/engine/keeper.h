/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * keeper.h - the engine's side of its keeper (keeping.h): starts it, asks it.
 *
 * There is one, a child of the engine, forked before the first thread. It ends
 * with the engine, however that ends. Should it end before, the engine goes on:
 * packets need no keeper. What does need one fails then, with a sentence that
 * says so, and the log has it once.
 *
 * Asked by the control thread alone, which waits for the answer, though not for
 * ever (ETIMEDOUT).
 */
#ifndef BACKENDS_ENGINE_KEEPER_H
#define BACKENDS_ENGINE_KEEPER_H

#include <jansson.h>

#include "backends/engine/keeping.h"
#include "model/base/err.h"

enum { KEEPER_PATIENCE_MS = 10000 };

/* Called while there is one thread, and before there is a socket that the
 * keeper would hold as well. */
int keeper_start(const struct keeping_files *files, struct err *err);

/* What restore() takes; the caller's to decref. */
json_t *keeper_links(struct err *err);
/* /dev/net/tun as a file descriptor, the caller's. */
int keeper_tun(struct err *err);
/* What was measured; the caller's to free. NULL and 0: nothing. */
int keeper_read(char **bytes, size_t *size, struct err *err);
int keeper_write(const char *bytes, size_t size, struct err *err);
/* Removes the socket that the engine was asked at, if it is still that one. */
void keeper_leave(const struct keeping_socket *socket);

/* To be polled for POLLHUP; -1 when it is gone. */
int keeper_fd(void);
/* When poll() has told something of it: is it gone? Says so, once. */
void keeper_look(void);
/* NULL, or what people are to know: it has ended. */
const char *keeper_error(void);

#endif
