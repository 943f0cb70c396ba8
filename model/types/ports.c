/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <arpa/inet.h>
#include <netdb.h>

#include "model/types/ranges.h"
#include "model/value.h"

static bool service_port(const char *name, uint32_t *port)
{
	const struct servent *service = getservbyname(name, NULL);

	if (service)
		*port = ntohs((uint16_t)service->s_port);
	return service != NULL;
}

static const struct ranges_rules ports = {
	.max = 65535,
	.list = true,
	.wanted = "a port (0 to 65535), nor a service in /etc/services",
	.lookup = service_port,
};

static int parse(const struct attr *attr, const char *text, struct value *out,
		 struct err *err)
{
	(void)attr;
	return ranges_parse(&ports, text, out, err);
}

const struct type type_ports = {
	.name = "ports",
	.hint = "53,123,161-162, also by service name",
	.parse = parse,
	.print = ranges_print,
	.equal = ranges_equal,
	.clear = ranges_clear,
	.copy = ranges_copy,
};
