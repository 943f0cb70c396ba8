/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * watch.h - devices and addresses of this host, as they come and go
 * (rtnetlink(7)).
 */
#ifndef BACKENDS_ENGINE_WATCH_H
#define BACKENDS_ENGINE_WATCH_H

#include "backends/engine/engine.h"

/* A socket that tells of changes; -1 if there is none to be had. */
int watch_open(void);
/* Reads what has happened and tells the links. Where the kernel had more to say
 * than there was room for, all devices are looked at; a line whose device is
 * gone is then found dead by its silence. */
void watch_turn(int fd, struct engine *engine);

#endif
