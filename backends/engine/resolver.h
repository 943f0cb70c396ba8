/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * resolver.h - names of servers, looked up beside everything else.
 *
 * A thread of its own asks (getaddrinfo(3)), so that nothing waits for a name
 * server that cannot be reached, as before the first line is up. What was found
 * stays until something else is found.
 */
#ifndef BACKENDS_ENGINE_RESOLVER_H
#define BACKENDS_ENGINE_RESOLVER_H

#include <jansson.h>
#include <stdbool.h>

#include "model/base/mem.h"

struct resolver;

struct resolver *resolver_new(void);
void resolver_free(struct resolver *resolver);
AUTO_DEFINE(resolver, struct resolver *, resolver_free)

/* Readable when a name has come to mean something else. */
int resolver_fd(const struct resolver *resolver);
/* Forgets that it was readable. */
void resolver_heard(struct resolver *resolver);

/* Nobody answers where names led: they are looked up again soon, not in their
 * own time. */
void resolver_hurry(struct resolver *resolver);

/* Puts the addresses known of each name in the place of "NAME:PORT", in all
 * "endpoints" of a description. Names that are not known vanish from it, and
 * are looked up from now on. true: there was a name. */
bool resolver_fill(struct resolver *resolver, json_t *description);

#endif
