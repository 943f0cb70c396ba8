/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a server hands out, for libFuzzer (`make fuzz`): any bytes are a lease
 * or are refused; what was read is written as it was read; and no address is
 * taken that leads away what is not the tunnel's.
 */
#include <stdlib.h>
#include <sys/socket.h>

#include "backends/engine/lease.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void judge(const struct prefix *address)
{
	const uint8_t *bytes = address->bytes;

	if (lease_check(address, NULL) < 0)
		return;
	if (address->length < 7 || !bytes[0] || bytes[0] == 0xff ||
	    (address->family == AF_INET &&
	     (bytes[0] == 127 || bytes[0] >= 224)))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct lease lease, again;
	uint8_t bytes[LEASE_BYTES];

	if (lease_parse(&lease, data, size) < 0)
		return 0;
	if (lease_parse(&again, bytes, lease_print(&lease, bytes)) < 0 ||
	    !lease_equal(&lease, &again))
		abort();
	for (size_t i = 0; i < lease.count; i++)
		judge(&lease.addresses[i]);
	return 0;
}
