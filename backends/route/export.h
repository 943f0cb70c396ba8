/* SPDX-License-Identifier: GPL-3.0-or-later */
/* export.h - what is wanted as commands of ip. */
#ifndef BACKENDS_ROUTE_EXPORT_H
#define BACKENDS_ROUTE_EXPORT_H

#include "model/backend.h"

int route_export(const struct exporting *exporting, struct text *out,
		 struct err *err);

#endif
