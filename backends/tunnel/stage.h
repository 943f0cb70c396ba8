/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * stage.h - the engine's part in a rehearsal: the descriptions are read by the
 * engine's own reader, and remembered; nothing is sent to anybody.
 */
#ifndef BACKENDS_TUNNEL_STAGE_H
#define BACKENDS_TUNNEL_STAGE_H

#include <jansson.h>

#include "model/base/err.h"

/* description is borrowed. */
int stage_set(const json_t *description, struct err *err);
void stage_remove(const char *name);
/* All of them; the caller's to decref. */
json_t *stage_get(void);

#endif
