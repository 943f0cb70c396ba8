/* SPDX-License-Identifier: GPL-3.0-or-later */
/* apply.h - takes the steps of a plan in the kernel. */
#ifndef BACKENDS_ROUTE_APPLY_H
#define BACKENDS_ROUTE_APPLY_H

#include "model/backend.h"

int route_apply(struct host *host, struct step *const *steps, size_t count,
		size_t *failed, struct err *err);

#endif
