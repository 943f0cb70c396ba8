/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * client.h - talks to the engine (backends/engine/control.h).
 */
#ifndef BACKENDS_TUNNEL_CLIENT_H
#define BACKENDS_TUNNEL_CLIENT_H

#include <jansson.h>

#include "model/base/err.h"

/* $TRESSE_SOCKET, or where it is by default. */
const char *client_path(void);

/* Sends a request and waits for the answer; request is used up. The result is
 * the caller's to decref; NULL and err on failure: ECONNREFUSED if no engine
 * answers, EPERM if we may not ask, ETIMEDOUT, or what the engine says. */
json_t *client_ask(json_t *request, struct err *err);

/* A connection on which the engine tells what happens (control.h, follow); the
 * caller's to close. Negative and err: as above. */
int client_follow(struct err *err);

/* Starts an engine, unless one answers, and waits until it does. */
int client_start(struct err *err);

#endif
