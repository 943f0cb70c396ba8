/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/engine/lease.h"

#include <arpa/inet.h>
#include <string.h>

#include "backends/engine/wire.h"
#include "model/base/mem.h"
#include "model/types/prefix.h"

enum {
	WHAT_ADDRESS = 1,
	WHAT_LIMIT = 2,
	WHAT_SAID = 3,
	HEADER = 2,
	LIMIT_BYTES = 8,
};

static size_t bytes_of(const struct prefix *address)
{
	return address->family == AF_INET ? 4 : 16;
}

/* --- on the wire ---------------------------------------------------------- */

size_t lease_print(const struct lease *lease, uint8_t bytes[LEASE_BYTES])
{
	size_t used = 0;

	for (size_t i = 0; i < lease->count; i++) {
		const struct prefix *address = &lease->addresses[i];
		size_t size = bytes_of(address);

		bytes[used++] = WHAT_ADDRESS;
		bytes[used++] = (uint8_t)(1 + size);
		bytes[used++] = address->length;
		memcpy(bytes + used, address->bytes, size);
		used += size;
	}
	if (lease->limit_bps) {
		bytes[used++] = WHAT_LIMIT;
		bytes[used++] = LIMIT_BYTES;
		wire_put32(bytes + used, (uint32_t)lease->limit_bps);
		wire_put32(bytes + used + 4,
			   (uint32_t)(lease->limit_bps >> 32));
		used += LIMIT_BYTES;
	}
	if (lease->said) {
		bytes[used++] = WHAT_SAID;
		bytes[used++] = 1;
		bytes[used++] = lease->said;
	}
	return used;
}

static int parse_address(struct lease *lease, const uint8_t *from, size_t size)
{
	struct prefix address = { .family = size == 5 ? AF_INET : AF_INET6 };

	if ((size != 5 && size != 17) || from[0] > (size - 1) * 8 ||
	    lease->count == LEASE_MOST)
		return -EBADMSG;
	address.length = from[0];
	memcpy(address.bytes, from + 1, size - 1);
	lease->addresses[lease->count++] = address;
	return 0;
}

static int parse_limit(struct lease *lease, const uint8_t *from, size_t size)
{
	if (size != LIMIT_BYTES)
		return -EBADMSG;
	lease->limit_bps = wire_get32(from) | (uint64_t)wire_get32(from + 4)
						      << 32;
	return 0;
}

int lease_parse(struct lease *lease, const uint8_t *bytes, size_t size)
{
	int rc = 0;

	*lease = (struct lease){ .count = 0 };
	for (size_t at = 0; at < size && !rc; at += HEADER + bytes[at + 1]) {
		if (size - at < HEADER || size - at - HEADER < bytes[at + 1])
			return -EBADMSG;
		if (bytes[at] == WHAT_ADDRESS)
			rc = parse_address(lease, bytes + at + HEADER,
					   bytes[at + 1]);
		else if (bytes[at] == WHAT_LIMIT)
			rc = parse_limit(lease, bytes + at + HEADER,
					 bytes[at + 1]);
		else if (bytes[at] == WHAT_SAID && bytes[at + 1])
			lease->said = bytes[at + HEADER];
	}
	return rc;
}

static bool same(const struct prefix *a, const struct prefix *b)
{
	return a->family == b->family && a->length == b->length &&
	       !memcmp(a->bytes, b->bytes, bytes_of(a));
}

bool lease_equal(const struct lease *a, const struct lease *b)
{
	if (a->count != b->count || a->limit_bps != b->limit_bps ||
	    a->said != b->said)
		return false;
	for (size_t i = 0; i < a->count; i++)
		if (!same(&a->addresses[i], &b->addresses[i]))
			return false;
	return true;
}

void lease_text(const struct prefix *address, char text[LEASE_TEXT])
{
	char host[INET6_ADDRSTRLEN] = "?";

	inet_ntop(address->family, address->bytes, host, sizeof(host));
	snprintf(text, LEASE_TEXT, "%s/%u", host, address->length);
}

/* --- what is taken -------------------------------------------------------- */

struct special {
	struct prefix net;
	const char *what;
};
#define IP4(a, b, c, d, bits)                                                  \
	{                                                                      \
		AF_INET, bits,                                                 \
		{                                                              \
			a, b, c, d                                             \
		}                                                              \
	}
#define IP6(a, b, bits)                                                        \
	{                                                                      \
		AF_INET6, bits,                                                \
		{                                                              \
			a, b                                                   \
		}                                                              \
	}

/* Of the registries of special-purpose addresses (RFC 6890), those that are no
 * host's. */
static const struct special nobodys[] = {
	{ IP4(0, 0, 0, 0, 8), "nobody's" },
	{ IP4(127, 0, 0, 0, 8), "a loopback address" },
	{ IP4(169, 254, 0, 0, 16), "a link-local address" },
	{ IP4(224, 0, 0, 0, 4), "a multicast address" },
	{ IP4(240, 0, 0, 0, 4), "reserved" },
	/* Unspecified, loopback, and IPv4 in IPv6's clothes. */
	{ IP6(0, 0, 8), "reserved" },
	{ IP6(0xfe, 0x80, 10), "a link-local address" },
	{ IP6(0xff, 0, 8), "a multicast address" },
};

/* RFC 1918, RFC 6598, RFC 4193; and what documents show as examples. */
static const struct prefix private[] = {
	IP4(10, 0, 0, 0, 8),
	IP4(172, 16, 0, 0, 12),
	IP4(192, 168, 0, 0, 16),
	IP4(100, 64, 0, 0, 10),
	IP4(192, 0, 2, 0, 24),
	IP4(198, 51, 100, 0, 24),
	IP4(203, 0, 113, 0, 24),
	IP6(0xfc, 0, 7),
	{ AF_INET6, 32, { 0x20, 0x01, 0x0d, 0xb8 } },
};

static bool is_private(const struct prefix *address)
{
	for (size_t i = 0; i < ARRAY_SIZE(private); i++)
		if (prefix_has(&private[i], address))
			return true;
	return false;
}

/* All bits behind the prefix are `bit`. */
static bool host_bits_are(const struct prefix *address, bool bit)
{
	for (unsigned i = address->length; i < bytes_of(address) * 8; i++)
		if ((address->bytes[i / 8] >> (7 - i % 8) & 1) != bit)
			return false;
	return true;
}

int lease_check(const struct prefix *address, struct err *err)
{
	unsigned full = (unsigned)bytes_of(address) * 8;
	struct prefix host = *address;
	char text[LEASE_TEXT];

	host.length = (uint8_t)full;
	lease_text(address, text);
	for (size_t i = 0; i < ARRAY_SIZE(nobodys); i++)
		if (prefix_has(&nobodys[i].net, &host))
			return err_set(err, EINVAL, "%s is %s", text,
				       nobodys[i].what);
	if (address->length < full && !is_private(address))
		return err_set(err, EINVAL,
			       "%s is in no private network: only the address "
			       "alone (/%u) is taken from a server",
			       text, full);
	if (full - address->length < 2)
		return 0; /* RFC 3021, RFC 6164: both are a host's */
	if (host_bits_are(address, false) ||
	    (full == 32 && host_bits_are(address, true)))
		return err_set(err, EINVAL, "%s is no host of its network",
			       text);
	return 0;
}
