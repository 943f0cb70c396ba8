/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * engine.h - the links that run here, as they were asked for.
 */
#ifndef BACKENDS_ENGINE_ENGINE_H
#define BACKENDS_ENGINE_ENGINE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "model/base/err.h"
#include "model/base/mem.h"

struct engine;
struct past_shelf;

/* measured: where what was measured is kept (past.h), borrowed; NULL: nowhere.
 */
struct engine *engine_new(const struct past_shelf *measured);
/* Ends all links. */
void engine_free(struct engine *engine);
AUTO_DEFINE(engine, struct engine *, engine_free)

/* Makes the link of that name be as the description (description.h) says:
 * starts it, or changes what differs while packets go on; only what cannot be
 * changed in place starts it anew. On failure it runs as before.
 *
 * In place of "secret" and "psk" may stand what engine_get() shows; the key is
 * then looked up in keys (digest: key; may be NULL), or among those that came
 * before: so a link can be put back as it was. ENOKEY: it is nowhere. */
int engine_set(struct engine *engine, const json_t *description,
	       const json_t *keys, struct err *err);
/* Without one of that name nothing happens. */
void engine_remove(struct engine *engine, const char *name);

/* The descriptions of all links, without secrets: in their place stand
 * "public" (the public key) and "secret-digest", "psk-digest" (16 hex digits
 * that tell whether two are the same). The caller's to decref. */
json_t *engine_get(const struct engine *engine);
/* What they do; one link, or all if name is NULL. */
json_t *engine_status(const struct engine *engine, const char *name);

/* What was: past_show() of one link, or all. */
json_t *engine_past(const struct engine *engine, const char *name);
/* Readable when something happened on a line, or a server has handed out other
 * addresses: then call engine_news(). */
int engine_news_fd(const struct engine *engine);
/* Remembers it. Returns those moments that people want to hear of, as the
 * control protocol has them (control.h); the caller's to decref. */
json_t *engine_news(struct engine *engine);
/* After each change of this host's addresses: are those there that servers have
 * handed out (tenant.h)? engine_turn() looks, as after news of a server. */
void engine_addresses(struct engine *engine);
/* Saves what was measured, and sets addresses, both now and then: a hostile
 * server does not decide how often. When it wants to, UINT64_MAX for never.
 * now_us: CLOCK_MONOTONIC. */
void engine_turn(struct engine *engine, uint64_t now_us);
uint64_t engine_next(const struct engine *engine, uint64_t now_us);

/* Readable when names of hosts have come to mean something else: then call
 * engine_names(). */
int engine_names_fd(const struct engine *engine);
void engine_names(struct engine *engine);

/* A device of this host has gone down or come up. */
void engine_device(struct engine *engine, const char *name, uint32_t index,
		   bool up);

#endif
