/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/route/object.h"

#include <arpa/inet.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "model/base/text.h"

uint32_t route_standard_metric(uint8_t family)
{
	return family == AF_INET6 ? 1024 : 0;
}

uint8_t route_full_length(uint8_t family)
{
	return family == AF_INET6 ? 128 : 32;
}

struct prefix prefix_network(const struct prefix *prefix)
{
	struct prefix network = *prefix;

	for (unsigned bit = 0; bit < 8 * sizeof(network.bytes); bit++)
		if (bit >= prefix->length)
			network.bytes[bit / 8] &=
				(uint8_t) ~(0x80u >> (bit % 8));
	return network;
}

bool prefix_holds(const struct prefix *prefix, const struct prefix *address)
{
	struct prefix other = *address, network, its;

	if (!prefix->family || prefix->family != address->family)
		return false;
	other.length = prefix->length;
	network = prefix_network(prefix);
	its = prefix_network(&other);
	return !memcmp(network.bytes, its.bytes, sizeof(its.bytes));
}

static void put_address(const struct prefix *prefix, struct text *out)
{
	char name[INET6_ADDRSTRLEN] = "?";

	(void)inet_ntop(prefix->family, prefix->bytes, name, sizeof(name));
	text_put(out, name);
}

void prefix_put(const struct prefix *prefix, struct text *out)
{
	put_address(prefix, out);
	if (prefix->length != route_full_length(prefix->family))
		text_printf(out, "/%u", prefix->length);
}

static void put_to(const struct route_data *data, struct text *out)
{
	if (data->to.length)
		prefix_put(&data->to, out);
	else
		text_put(out, "default");
}

void route_put_selector(const struct route_data *data, struct text *out)
{
	text_printf(out, "%u from ", data->metric);
	if (data->from.family)
		prefix_put(&data->from, out);
	else
		text_put(out, "all");
	if (data->mask)
		text_printf(out, " fwmark 0x%x/0x%x", data->mark, data->mask);
	text_printf(out, " lookup %u", data->table);
}

void route_key(const struct route_data *data, struct text *out)
{
	text_printf(out, "%s%s %c ", data->foreign ? "foreign " : "",
		    data->what == ROUTE_RULE ? "rule" : "route",
		    data->family == AF_INET6 ? '6' : '4');
	if (data->what == ROUTE_RULE) {
		route_put_selector(data, out);
		return;
	}
	text_printf(out, "table %u ", data->table);
	put_to(data, out);
	if (data->metric != route_standard_metric(data->family))
		text_printf(out, " metric %u", data->metric);
}

static void put_hop(const struct route_data *data, struct text *out)
{
	if (data->gateway.family) {
		text_put(out, " via ");
		if (data->gateway.family != data->family)
			text_put(out, "inet6 ");
		put_address(&data->gateway, out);
	}
	if (data->device[0])
		text_printf(out, " dev %s", data->device);
}

static void put_place(const struct route_data *data, struct text *out)
{
	if (data->table != RT_TABLE_MAIN)
		text_printf(out, " table %u", data->table);
	if (data->metric != route_standard_metric(data->family))
		text_printf(out, " metric %u", data->metric);
}

void route_put(const struct route_data *data, struct text *out)
{
	const char *family = data->family == AF_INET6 ? "-6 " : "";

	if (data->what == ROUTE_RULE) {
		text_printf(out, "rule %s", family);
		route_put_selector(data, out);
		return;
	}
	text_printf(out, "route %s", family);
	put_to(data, out);
	put_hop(data, out);
	put_place(data, out);
	if (data->from.family) {
		text_put(out, " src ");
		put_address(&data->from, out);
	}
	if (data->onlink)
		text_put(out, " onlink");
}

static bool same_prefix(const struct prefix *a, const struct prefix *b)
{
	return a->family == b->family && a->length == b->length &&
	       !memcmp(a->bytes, b->bytes, sizeof(a->bytes));
}

static void put_address_change(const char *word, const struct prefix *before,
			       const struct prefix *after, struct text *out)
{
	if (same_prefix(before, after))
		return;
	text_printf(out, " %s ", word);
	if (before->family)
		put_address(before, out);
	else
		text_put(out, "none");
	text_put(out, " -> ");
	if (after->family)
		put_address(after, out);
	else
		text_put(out, "none");
}

void route_put_change(const struct route_data *before,
		      const struct route_data *after, struct text *out)
{
	text_printf(out, "route %s", after->family == AF_INET6 ? "-6 " : "");
	put_to(after, out);
	put_place(after, out);
	put_address_change("via", &before->gateway, &after->gateway, out);
	if (strcmp(before->device, after->device) != 0)
		text_printf(out, " dev %s -> %s", before->device,
			    after->device);
	put_address_change("src", &before->from, &after->from, out);
	if (before->onlink != after->onlink)
		text_put(out, after->onlink ? " onlink" : " not onlink");
}

bool route_equal(const struct route_data *a, const struct route_data *b)
{
	return a->what == b->what && a->family == b->family &&
	       a->protocol == b->protocol && a->scope == b->scope &&
	       a->onlink == b->onlink && a->foreign == b->foreign &&
	       a->table == b->table && a->metric == b->metric &&
	       a->mark == b->mark && a->mask == b->mask &&
	       same_prefix(&a->to, &b->to) && same_prefix(&a->from, &b->from) &&
	       same_prefix(&a->gateway, &b->gateway) &&
	       !strcmp(a->device, b->device);
}
