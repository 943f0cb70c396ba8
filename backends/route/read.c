/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/route/read.h"

#include <linux/fib_rules.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>

#include "backends/host.h"
#include "backends/list.h"
#include "backends/netlink/netlink.h"
#include "backends/route/object.h"

struct place {
	uint32_t table;
	char *path; /* owned; of the node whose table it is */
};

struct reading {
	struct netlink *netlink;
	const struct facts *facts;
	struct state *now;
	struct place *places; /* owned; sorted by table */
	size_t place_count;
	/* The dump at hand. */
	bool foreign; /* take what is not ours, instead of what is */
	struct state found;
};

/* ---- attributes ------------------------------------------------------ */

/* An attribute that is not there leaves *out empty; false: it makes no sense.
 */
static bool get_prefix(const struct nlattr *attr, uint8_t family,
		       uint8_t length, struct prefix *out)
{
	int size = family == AF_INET6 ? 16 : 4;

	if (!attr)
		return true;
	if (nla_len(attr) != size || length > 8 * size)
		return false;
	*out = (struct prefix){ .family = family, .length = length };
	memcpy(out->bytes, nla_data(attr), (size_t)size);
	return true;
}

static bool get_gateway(struct nlattr *const *attrs, uint8_t family,
			struct prefix *out)
{
	const struct nlattr *via = attrs[RTA_VIA];
	const struct rtvia *body;

	if (!via)
		return get_prefix(attrs[RTA_GATEWAY], family,
				  route_full_length(family), out);
	body = nla_data(via);
	if (nla_len(via) != (int)sizeof(*body) + 16 ||
	    body->rtvia_family != AF_INET6)
		return false;
	*out = (struct prefix){ .family = AF_INET6, .length = 128 };
	memcpy(out->bytes, body->rtvia_addr, 16);
	return true;
}

/* ---- routes ---------------------------------------------------------- */

/* Not made by this driver, whatever its protocol says. */
static bool is_odd_route(const struct rtmsg *info, struct nlattr *const *attrs)
{
	return info->rtm_type != RTN_UNICAST || info->rtm_tos ||
	       info->rtm_src_len || attrs[RTA_MULTIPATH] || attrs[RTA_NH_ID] ||
	       attrs[RTA_ENCAP_TYPE] || attrs[RTA_METRICS];
}

/* What the kernel keeps for itself: the table of what is local, what was
 * learnt while sending. */
static bool is_noise(const struct rtmsg *info, uint32_t table)
{
	return table == RT_TABLE_LOCAL || (info->rtm_flags & RTM_F_CLONED) ||
	       info->rtm_type == RTN_LOCAL || info->rtm_type == RTN_BROADCAST ||
	       info->rtm_type == RTN_ANYCAST || info->rtm_type == RTN_MULTICAST;
}

static void take_device(const struct facts *facts, int index,
			struct route_data *data)
{
	const struct link_fact *link = facts_link_at(facts, index);

	if (link)
		snprintf(data->device, sizeof(data->device), "%s", link->name);
	else if (index)
		snprintf(data->device, sizeof(data->device), "if%d", index);
}

static bool read_route(const struct facts *facts,
		       const struct nlmsghdr *message, struct route_data *data)
{
	const struct rtmsg *info = nlmsg_data(message);
	struct nlattr *attrs[RTA_MAX + 1];

	*data = (struct route_data){ .what = ROUTE_ROUTE };
	if (message->nlmsg_type != RTM_NEWROUTE ||
	    !netlink_parse(message, sizeof(*info), attrs, RTA_MAX))
		return false;
	data->family = info->rtm_family;
	data->table = netlink_u32(attrs[RTA_TABLE], info->rtm_table);
	if (is_noise(info, data->table) ||
	    (data->family != AF_INET && data->family != AF_INET6))
		return false;
	data->protocol = info->rtm_protocol;
	data->foreign =
		data->protocol != TRESSE_RTPROT || is_odd_route(info, attrs);
	/* IPv6 says "global" whatever one gave it. */
	data->scope = data->family == AF_INET ? info->rtm_scope : 0;
	data->onlink = (info->rtm_flags & RTNH_F_ONLINK) != 0;
	data->metric = netlink_u32(attrs[RTA_PRIORITY], 0);
	data->to.family = data->family;
	take_device(facts, (int)netlink_u32(attrs[RTA_OIF], 0), data);
	return get_prefix(attrs[RTA_DST], data->family, info->rtm_dst_len,
			  &data->to) &&
	       get_prefix(attrs[RTA_PREFSRC], data->family,
			  route_full_length(data->family), &data->from) &&
	       get_gateway(attrs, data->family, &data->gateway);
}

/* ---- rules ----------------------------------------------------------- */

/* Rules with protocol 84 that say more than ours ever do. */
static bool is_odd_rule(const struct fib_rule_hdr *info,
			struct nlattr *const *attrs)
{
	static const uint8_t others[] = { FRA_DST,	  FRA_IIFNAME,
					  FRA_OIFNAME,	  FRA_GOTO,
					  FRA_TUN_ID,	  FRA_UID_RANGE,
					  FRA_IP_PROTO,	  FRA_SPORT_RANGE,
					  FRA_DPORT_RANGE };

	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		if (attrs[others[i]])
			return true;
	return info->action != FR_ACT_TO_TBL || info->dst_len || info->tos ||
	       (info->flags & FIB_RULE_INVERT) ||
	       netlink_u32(attrs[FRA_SUPPRESS_PREFIXLEN], UINT32_MAX) !=
		       UINT32_MAX ||
	       netlink_u32(attrs[FRA_SUPPRESS_IFGROUP], UINT32_MAX) !=
		       UINT32_MAX;
}

static bool read_rule(const struct nlmsghdr *message, struct route_data *data)
{
	const struct fib_rule_hdr *info = nlmsg_data(message);
	struct nlattr *attrs[FRA_MAX + 1];
	const struct nlattr *protocol;

	*data = (struct route_data){ .what = ROUTE_RULE };
	if (message->nlmsg_type != RTM_NEWRULE ||
	    !netlink_parse(message, sizeof(*info), attrs, FRA_MAX))
		return false;
	protocol = attrs[FRA_PROTOCOL];
	if (!protocol || nla_len(protocol) < 1 ||
	    *(const uint8_t *)nla_data(protocol) != TRESSE_RTPROT ||
	    (info->family != AF_INET && info->family != AF_INET6) ||
	    is_odd_rule(info, attrs))
		return false;
	data->family = info->family;
	data->protocol = TRESSE_RTPROT;
	data->table = netlink_u32(attrs[FRA_TABLE], info->table);
	data->metric = netlink_u32(attrs[FRA_PRIORITY], 0);
	data->mark = netlink_u32(attrs[FRA_FWMARK], 0);
	data->mask = netlink_u32(attrs[FRA_FWMASK], 0);
	return get_prefix(attrs[FRA_SRC], data->family, info->src_len,
			  &data->from);
}

/* ---- taking what was read -------------------------------------------- */

static const char *path_of(const struct reading *reading, uint32_t table)
{
	size_t from = 0, to = reading->place_count;

	while (from < to) {
		size_t middle = from + (to - from) / 2;

		if (reading->places[middle].table == table)
			return reading->places[middle].path;
		if (reading->places[middle].table < table)
			from = middle + 1;
		else
			to = middle;
	}
	return "";
}

/* The kernel can hold two under one key (ip route append): the others get a
 * number, are too much, and go first. */
static void take(struct reading *reading, const struct route_data *data)
{
	AUTO_TEXT key = TEXT_NONE;
	size_t length;

	if (data->foreign != reading->foreign)
		return;
	route_key(data, &key);
	length = key.length;
	for (unsigned i = 2;
	     state_find(&reading->found, &backend_route, text_get(&key)); i++) {
		text_cut(&key, length);
		text_printf(&key, " #%u", i);
	}
	state_add(&reading->found, &backend_route, text_get(&key),
		  path_of(reading, data->table), data, sizeof(*data));
}

static int take_route(const struct nlmsghdr *message, void *arg)
{
	struct reading *reading = arg;
	struct route_data data;

	if (read_route(reading->facts, message, &data))
		take(reading, &data);
	return 0;
}

static int take_rule(const struct nlmsghdr *message, void *arg)
{
	struct route_data data;

	if (read_rule(message, &data))
		take(arg, &data);
	return 0;
}

static void forget(void *arg)
{
	state_clear(&((struct reading *)arg)->found);
}

static void keep(struct reading *reading)
{
	for (size_t i = 0; i < reading->found.count; i++) {
		const struct object *at = &reading->found.items[i];

		state_add(reading->now, &backend_route, at->key, at->path,
			  at->data, at->size);
	}
	forget(reading);
}

static int dump(struct reading *reading, struct nl_msg *request,
		int (*each)(const struct nlmsghdr *message, void *arg),
		struct err *err)
{
	AUTO_ERR fault = ERR_NONE;
	int rc = netlink_dump(reading->netlink, request, each, forget, reading,
			      &fault);

	/* net/ipv4/fib_frontend.c, inet_dump_fib(): asked for one table that
	 * nothing was ever put into, it says that there is none. */
	if (rc == -ENOENT)
		rc = 0;
	keep(reading);
	return rc ? err_move(err, &fault) : 0;
}

/* The kernel sieves by protocol and table (since 4.20; we do it again): a
 * router's main table may be a million routes long. */
static int dump_routes(struct reading *reading, uint8_t family,
		       uint8_t protocol, uint32_t table, struct err *err)
{
	struct rtmsg info = { .rtm_family = family, .rtm_protocol = protocol };
	AUTO(nlmsg)
	struct nl_msg *request =
		netlink_message(RTM_GETROUTE, 0, &info, sizeof(info), 64);

	if (table)
		nla_put_u32(request, RTA_TABLE, table);
	return dump(reading, request, take_route, err);
}

static int dump_rules(struct reading *reading, uint8_t family, struct err *err)
{
	struct fib_rule_hdr info = { .family = family };
	AUTO(nlmsg)
	struct nl_msg *request =
		netlink_message(RTM_GETRULE, 0, &info, sizeof(info), 0);

	return dump(reading, request, take_rule, err);
}

static int read_family(struct reading *reading, uint8_t family, struct err *err)
{
	int rc;

	reading->foreign = false;
	rc = dump_routes(reading, family, TRESSE_RTPROT, 0, err);
	if (!rc)
		rc = dump_rules(reading, family, err);
	reading->foreign = true;
	for (size_t i = 0; !rc && i < reading->place_count; i++)
		rc = dump_routes(reading, family, 0, reading->places[i].table,
				 err);
	return rc;
}

/* ---- the tables of the tree ------------------------------------------ */

static int by_table(const void *left, const void *right)
{
	const struct place *a = left, *b = right;

	return (a->table > b->table) - (a->table < b->table);
}

static void find_places(struct reading *reading, const struct tree *tree)
{
	const struct node *paths = tree_paths(tree);
	size_t kept = 0, count = 0;

	reading->places =
		mem_array(node_count(paths), sizeof(*reading->places));
	node_each (path, paths) {
		uint32_t table = (uint32_t)node_u(path, PATH_TABLE);

		if (table && node_u(path, PATH_ENABLED))
			reading->places[count++] =
				(struct place){ table, node_path_dup(path) };
	}
	qsort(reading->places, count, sizeof(*reading->places), by_table);
	for (size_t i = 0; i < count; i++) {
		if (kept &&
		    reading->places[kept - 1].table == reading->places[i].table)
			free(reading->places[i].path);
		else
			reading->places[kept++] = reading->places[i];
	}
	reading->place_count = kept;
}

static void forget_places(struct reading *reading)
{
	for (size_t i = 0; i < reading->place_count; i++)
		free(reading->places[i].path);
	free(reading->places);
}

int route_read(struct host *host, const struct tree *tree,
	       const struct facts *facts, const struct owned *owned,
	       struct state *now, struct err *err)
{
	struct reading reading = { .facts = facts, .now = now };
	int rc;

	(void)owned;
	reading.netlink = host_netlink(host, NETLINK_ROUTE, err);
	if (!reading.netlink)
		return err && err->code ? err->code : -EIO;
	find_places(&reading, tree);
	rc = read_family(&reading, AF_INET, err);
	if (!rc && facts->has_ipv6)
		rc = read_family(&reading, AF_INET6, err);
	forget_places(&reading);
	if (rc < 0)
		err_prefix(err, "routes and rules: ");
	return rc;
}
