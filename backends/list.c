/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/list.h"

const struct backend *const backends[] = { &backend_route, &backend_tunnel,
					   &backend_tc, &backend_mark, NULL };
