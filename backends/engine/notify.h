/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * notify.h - tells whoever started the engine how it is (sd_notify(3)).
 *
 * Who hears it may have a socket for root alone, and the engine is somebody
 * else by the time it is ready: so it is connected to before.
 */
#ifndef BACKENDS_ENGINE_NOTIFY_H
#define BACKENDS_ENGINE_NOTIFY_H

/* To $NOTIFY_SOCKET; without one nobody is told. */
void notify_open(void);
/* "READY=1". */
void notify(const char *state);

#endif
