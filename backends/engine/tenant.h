/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tenant.h - a client's device, and the addresses that its server hands out.
 *
 * Of a family that is taken (hub_config.take_ip4 ...) the device has just what
 * the lease says, as far as lease_check() and this host allow. What we set
 * before and is not in it goes, what somebody else set stays. Addresses of ours
 * are told by their IFA_PROTO, as the driver's are, which leaves these alone
 * (tunnel_takes()); so they outlive the engine, with the device. When we begin
 * to take, all of ours that is there is a lease of before; later only what we
 * have set: the driver may have set one because we are to take no more.
 *
 * All of it in the control thread, and by the rights that it has anyway.
 */
#ifndef BACKENDS_ENGINE_TENANT_H
#define BACKENDS_ENGINE_TENANT_H

#include "backends/engine/lease.h"
#include "model/base/err.h"

struct tenant {
	struct lease held; /* what the device has of it */
	bool begun[2];	   /* IPv4, IPv6: held is all that was ours */
	char error[320];   /* why not all of it; "" */
};

/* lease: NULL as long as the server has said nothing; then all stays. */
void tenant_settle(struct tenant *tenant, const char *device, bool ip4,
		   bool ip6, const struct lease *lease);

#endif
