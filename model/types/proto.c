/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "model/types/held.h"
#include "model/types/named.h"
#include "model/value.h"

/* Of IANA's list what a site meets. Not /etc/protocols: the same configuration
 * must read the same on every host. */
static const struct named protocols[] = {
	{ "tcp", 6, "Transmission Control" },
	{ "udp", 17, "User Datagram" },
	{ "icmp", 1, "Internet Control Message" },
	{ "icmpv6", 58, "ICMP for IPv6" },
	{ "sctp", 132, "Stream Control Transmission" },
	{ "dccp", 33, "Datagram Congestion Control" },
	{ "udplite", 136, "UDP-Lite" },
	{ "esp", 50, "IPsec encrypted" },
	{ "ah", 51, "IPsec authenticated" },
	{ "gre", 47, "Generic Routing Encapsulation" },
	{ "ipip", 4, "IPv4 in IP" },
	{ "igmp", 2, "Internet Group Management" },
	{ "ospf", 89, "Open Shortest Path First" },
	{ "vrrp", 112, "Virtual Router Redundancy" },
	{ "l2tp", 115, "Layer Two Tunneling" },
	{ 0 },
};

static int parse(const struct attr *attr, const char *text, struct value *out,
		 struct err *err)
{
	(void)attr;
	return named_parse(protocols, 255, "protocol", text, out, err);
}

static void print(const struct attr *attr, const struct value *value,
		  struct text *out)
{
	(void)attr;
	named_print(protocols, value->u, out);
}

static void complete(const struct attr *attr, const char *prefix,
		     struct candidates *to)
{
	(void)attr;
	named_complete(protocols, prefix, "", to);
}

const struct type type_proto = {
	.name = "protocol",
	.hint = "tcp, udp, icmp, esp... or 0 to 255",
	.parse = parse,
	.print = print,
	.equal = held_number_equal,
	.complete = complete,
};
