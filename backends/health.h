/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * health.h - what several drivers measure alike (model/health.h).
 */
#ifndef BACKENDS_HEALTH_H
#define BACKENDS_HEALTH_H

#include "model/health.h"

struct host;

/* A device that node stands on: is it there, up, and has it kept its carrier
 * since the past reading? The kernel counts how often it was lost, so that what
 * comes and goes between two readings is seen too. */
void health_device(struct host *host, const struct checkup *checkup,
		   const struct node *node, const char *device,
		   struct reading *reading);

/* "5.2s" since the past reading of that checkup. */
char *health_span_dup(const struct checkup *checkup);

#endif
