/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * restore.h - links as they were committed, when the engine starts.
 */
#ifndef BACKENDS_ENGINE_RESTORE_H
#define BACKENDS_ENGINE_RESTORE_H

#include "backends/engine/engine.h"

/* Makes the engine run the links of the store, and ends others. A link that
 * cannot run is told on stderr and left out; so is one whose device is not
 * there, which tresse makes. Without a store nothing happens. */
int restore(struct engine *engine, const char *store, struct err *err);

#endif
