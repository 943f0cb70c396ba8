/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/route/export.h"

#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include "backends/list.h"
#include "backends/route/object.h"

static struct prefix alone(const struct prefix *address)
{
	struct prefix single = *address;

	single.length = route_full_length(address->family);
	return single;
}

static void put_address(const char *word, const struct prefix *address,
			struct text *out)
{
	struct prefix single = alone(address);

	if (!address->family)
		return;
	text_printf(out, " %s ", word);
	prefix_put(&single, out);
}

static void put_rule(const struct route_data *data, struct text *out)
{
	text_put(out, " rule add pref ");
	route_put_selector(data, out);
	text_printf(out, " protocol %u", data->protocol);
}

static void put_route(const struct route_data *data, struct text *out)
{
	bool other =
		data->gateway.family && data->gateway.family != data->family;

	text_put(out, " route add ");
	if (data->to.length)
		prefix_put(&data->to, out);
	else
		text_put(out, "default");
	put_address(other ? "via inet6" : "via", &data->gateway, out);
	text_put(out, " dev ");
	text_put_word(out, data->device);
	text_printf(out, " table %u", data->table);
	if (data->metric != route_standard_metric(data->family))
		text_printf(out, " metric %u", data->metric);
	put_address("src", &data->from, out);
	text_printf(out, " protocol %u", data->protocol);
	if (data->onlink)
		text_put(out, " onlink");
}

/* Networks, then the defaults whose gateways are in them, then what leads
 * there. */
enum turn { TURN_NETWORK, TURN_DEFAULT, TURN_RULE, TURNS };

static enum turn turn_of(const struct route_data *data)
{
	if (data->what == ROUTE_RULE)
		return TURN_RULE;
	return data->to.length ? TURN_NETWORK : TURN_DEFAULT;
}

static void put_object(const struct route_data *data, struct text *out)
{
	text_put(out, data->family == AF_INET6 ? "ip -6" : "ip");
	if (data->what == ROUTE_RULE)
		put_rule(data, out);
	else
		put_route(data, out);
	text_put_char(out, '\n');
}

int route_export(const struct exporting *exporting, struct text *out,
		 struct err *err)
{
	const struct state *want = exporting->want;

	(void)err;
	for (enum turn turn = 0; turn < TURNS; turn++)
		for (size_t i = 0; i < want->count; i++) {
			const struct object *object = &want->items[i];

			if (object->backend == &backend_route &&
			    turn_of(route_of(object)) == turn)
				put_object(route_of(object), out);
		}
	return 0;
}
