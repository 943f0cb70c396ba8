/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * description.h - a whole link as one JSON object: what the tunnel driver sends
 * to the engine, and what the engine shows of what it has.
 *
 *     { "name": "home0", "device": "tun-home", "tap": false,
 *       "role": "client", "listen": 5000, "threads": 0, "mtu": 0,
 *       "mode": "auto",      "small": 200, "hold-us": 300000,
 *       "slice-us": 1000000, "slices": 10, "duplicate-dscp": 64,
 *       "duplicate-mark": 0, "duplicate-mask": 0, "duplicate-class": 0,
 *       "take-ip4": false, "take-ip6": false, "isolate": false,
 *       "storm-control": 0,
 *       "secret": KEY,
 *       "peers": [ { "name": "gateway", "key": KEY, "psk": KEY,
 *                    "prefixes": [ "10.77.0.2/32" ],
 *                    "lease": [ "10.77.0.2/24" ],
 *                    "endpoints": [ "192.0.2.1:5000" ],
 *                    "up": 0, "down": 0 } ],
 *       "members": [ { "name": "adsl0", "device": "wan0",
 *                      "source": "192.0.2.7", "mark": 65536, "sockets": 1,
 *                      "tier": 0, "weight": 1, "standby": false,
 *                      "metered": false, "up": 0, "down": 0 } ] }
 *
 * Rates are bits per second, 0 for none or not known; a DSCP of 64 is none, as
 * are a mask and a class of 0. KEY is 32 bytes in base64 (44 characters), as
 * WireGuard writes them. What is left out has the value shown, or none; what is
 * not known here is refused.
 */
#ifndef BACKENDS_ENGINE_DESCRIPTION_H
#define BACKENDS_ENGINE_DESCRIPTION_H

#include <jansson.h>

#include "backends/engine/hub.h"

struct description {
	struct hub_config config;
	struct hub_peer *peers; /* owned */
	size_t peer_count;
	struct hub_member *members; /* owned */
	size_t member_count;
};

/* -EINVAL, -ERANGE (a prefix that is too long), and one sentence that names
 * what and where. */
int description_parse(const json_t *json, struct description *out,
		      struct err *err);
/* Wipes the keys. */
void description_clear(struct description *description);

#endif
