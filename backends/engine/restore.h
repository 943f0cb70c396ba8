/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * restore.h - links as they were committed, when the engine starts.
 *
 * In two halves: who may read the store and the keys beside it says what they
 * are (keeping.h), and the engine runs them.
 */
#ifndef BACKENDS_ENGINE_RESTORE_H
#define BACKENDS_ENGINE_RESTORE_H

#include "backends/engine/engine.h"

/* The links of the store: [ { "link": description, "keys": { digest: key } } ];
 * null without a store. The caller's to decref; NULL: err says why not. */
json_t *restore_read(const char *store, struct err *err);

/* Makes the engine run those, and ends others. A link that cannot run is told
 * on stderr and left out; so is one whose device is not there, which tresse
 * makes. With null nothing happens. */
void restore(struct engine *engine, const json_t *links);

#endif
