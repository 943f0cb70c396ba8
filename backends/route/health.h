/* SPDX-License-Identifier: GPL-3.0-or-later */
/* health.h - do the devices and the gateways of the paths answer? */
#ifndef BACKENDS_ROUTE_HEALTH_H
#define BACKENDS_ROUTE_HEALTH_H

#include "model/backend.h"

/* For struct backend. A gateway answers if the kernel, told to ask for it now
 * (ARP, RFC 826; neighbour solicitation, RFC 4861 section 7.3.3), hears of it
 * within a second. One whose link-layer address was set by hand, or on a device
 * that has none, cannot be measured so. */
int route_health(struct host *host, const struct checkup *checkup,
		 struct reading *reading, struct err *err);

#endif
