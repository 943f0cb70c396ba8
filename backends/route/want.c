/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/route/want.h"

#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "backends/host.h"
#include "backends/list.h"
#include "backends/route/object.h"

struct work {
	const struct tree *tree;
	const struct facts *facts;
	struct report *report;
	struct state *want;
	/* The path at hand. */
	const struct node *node;
	const struct link_fact *link;
	char *path; /* owned */
	uint32_t table;
	uint32_t source_rule, mark_rule; /* priorities */
	size_t families;		 /* that have a way out */
};

/* How one family leaves by the path at hand. */
struct way {
	uint8_t family;
	struct prefix gateway; /* family 0: on-link */
	bool onlink;
	struct prefix source; /* family 0: none */
	bool source_here;     /* it is an address of this host */
};

/* ---- finding gateway and source -------------------------------------- */

static const struct default_fact *find_default(const struct work *work,
					       uint8_t family)
{
	const struct default_fact *best = NULL;

	for (size_t i = 0; i < work->facts->default_count; i++) {
		const struct default_fact *at = &work->facts->defaults[i];

		if (at->index == work->link->index && at->family == family &&
		    (!best || at->metric < best->metric))
			best = at;
	}
	return best;
}

/* Lower is better; addresses that cannot be used are worst. An address of the
 * gateway's network first, then what lasts: neither deprecated nor, for IPv6,
 * temporary (the same bit means secondary for IPv4). */
enum { RANK_UNFIT = 8 };

static unsigned rank_address(const struct address_fact *address,
			     const struct prefix *gateway)
{
	unsigned rank = 0;

	if (address->scope != RT_SCOPE_UNIVERSE ||
	    (address->flags & IFA_F_DADFAILED) ||
	    ((address->flags & IFA_F_TENTATIVE) &&
	     !(address->flags & IFA_F_OPTIMISTIC)))
		return RANK_UNFIT;
	if (!prefix_holds(&address->address, gateway) &&
	    !prefix_holds(&address->peer, gateway))
		rank += 4;
	if (address->flags & IFA_F_DEPRECATED)
		rank += 2;
	if (address->flags & IFA_F_SECONDARY)
		rank += 1;
	return rank;
}

static const struct address_fact *find_source(const struct work *work,
					      uint8_t family,
					      const struct prefix *gateway)
{
	const struct address_fact *best = NULL;
	unsigned best_rank = RANK_UNFIT;

	for (size_t i = 0; i < work->facts->address_count; i++) {
		const struct address_fact *at = &work->facts->addresses[i];
		unsigned rank;

		if (at->index != work->link->index ||
		    at->address.family != family)
			continue;
		rank = rank_address(at, gateway);
		if (rank < best_rank) {
			best = at;
			best_rank = rank;
		}
	}
	return best;
}

/* true: this family has a way out, and way->gateway says by whom. */
static bool find_gateway(const struct work *work, struct way *way)
{
	const struct value *given =
		node_value(work->node, way->family == AF_INET ? PATH_GATEWAY
							      : PATH_GATEWAY6);
	const struct default_fact *fact;

	if (given && given->word)
		return given->word == GATEWAY_ONLINK;
	if (given) {
		way->gateway = given->prefix;
		way->gateway.length = route_full_length(way->family);
		return true;
	}
	fact = find_default(work, way->family);
	if (fact) {
		way->gateway = fact->gateway;
		return true;
	}
	/* A PPP link without an IPv6 address leads nowhere for IPv6. */
	return (work->link->flags & IFF_POINTOPOINT) &&
	       find_source(work, way->family, &way->gateway);
}

/* The address wherever it is: a router may have it on lo. */
static const struct address_fact *find_address(const struct work *work,
					       const struct prefix *wanted)
{
	const struct address_fact *found = NULL;

	for (size_t i = 0; i < work->facts->address_count; i++) {
		const struct address_fact *at = &work->facts->addresses[i];

		if (at->address.family != wanted->family ||
		    memcmp(at->address.bytes, wanted->bytes,
			   sizeof(wanted->bytes)) != 0)
			continue;
		if (at->index == work->link->index)
			return at;
		found = at;
	}
	return found;
}

static void take_given_source(const struct work *work, struct way *way,
			      const struct prefix *given)
{
	const struct address_fact *fact = find_address(work, given);
	AUTO_TEXT text = TEXT_NONE;

	way->source = *given;
	way->source_here = fact && !(fact->flags & IFA_F_TENTATIVE);
	if (fact && fact->index == work->link->index &&
	    given->length == route_full_length(way->family))
		way->source.length = fact->address.length;
	if (fact)
		return;
	prefix_put(given, &text);
	report_warning(work->report, work->node,
		       "source %s is no address of this host, so packets "
		       "without a source address do not get it: ip address "
		       "add %s dev %s",
		       text_get(&text), text_get(&text), work->link->name);
}

static void take_source(const struct work *work, struct way *way)
{
	const struct value *given =
		node_value(work->node,
			   way->family == AF_INET ? PATH_SOURCE : PATH_SOURCE6);
	const struct address_fact *fact;

	if (given && given->word)
		return;
	if (given) {
		take_given_source(work, way, &given->prefix);
		return;
	}
	fact = find_source(work, way->family, &way->gateway);
	if (!fact)
		return;
	way->source = fact->address;
	way->source_here = true;
}

static bool is_link_local(const struct prefix *address)
{
	return address->family == AF_INET6 && address->bytes[0] == 0xfe &&
	       (address->bytes[1] & 0xc0) == 0x80;
}

/* Is the gateway in no network that the kernel knows on this device? It would
 * refuse the route then ("Nexthop has invalid gateway"). */
static bool needs_onlink(const struct work *work, const struct way *way)
{
	if (!way->gateway.family || is_link_local(&way->gateway) ||
	    prefix_holds(&way->source, &way->gateway))
		return false;
	for (size_t i = 0; i < work->facts->address_count; i++) {
		const struct address_fact *at = &work->facts->addresses[i];

		if (at->index == work->link->index &&
		    (prefix_holds(&at->address, &way->gateway) ||
		     prefix_holds(&at->peer, &way->gateway)))
			return false;
	}
	return true;
}

/* ---- objects --------------------------------------------------------- */

static struct route_data blank(const struct work *work, enum route_what what,
			       uint8_t family)
{
	struct route_data data = { .what = (uint8_t)what,
				   .family = family,
				   .protocol = TRESSE_RTPROT,
				   .table = work->table };

	if (what == ROUTE_ROUTE) {
		data.metric = route_standard_metric(family);
		snprintf(data.device, sizeof(data.device), "%s",
			 work->link->name);
	}
	return data;
}

static void add(const struct work *work, const struct route_data *data)
{
	AUTO_TEXT key = TEXT_NONE;
	const struct object *twin;

	route_key(data, &key);
	twin = state_find(work->want, &backend_route, text_get(&key));
	if (twin)
		report_error(work->report, work->node, EEXIST,
			     "%s wants the same %s: give one of them another "
			     "table or metric",
			     twin->path, text_get(&key));
	else
		state_add(work->want, &backend_route, text_get(&key),
			  work->path, data, sizeof(*data));
}

static struct prefix own_address(const struct prefix *source)
{
	struct prefix address = *source;

	address.length = route_full_length(source->family);
	return address;
}

static void add_network(const struct work *work, const struct way *way)
{
	struct route_data data = blank(work, ROUTE_ROUTE, way->family);

	if (!way->source.family || !way->source.length ||
	    way->source.length == route_full_length(way->family))
		return;
	data.to = prefix_network(&way->source);
	data.scope = way->family == AF_INET ? RT_SCOPE_LINK : 0;
	if (way->source_here)
		data.from = own_address(&way->source);
	add(work, &data);
}

static struct route_data default_route(const struct work *work,
				       const struct way *way)
{
	struct route_data data = blank(work, ROUTE_ROUTE, way->family);

	data.to = (struct prefix){ .family = way->family };
	data.gateway = way->gateway;
	data.onlink = way->onlink;
	if (way->family == AF_INET && !way->gateway.family)
		data.scope = RT_SCOPE_LINK;
	if (way->source_here)
		data.from = own_address(&way->source);
	return data;
}

static const struct default_fact *find_rival(const struct work *work,
					     uint8_t family, uint32_t metric)
{
	for (size_t i = 0; i < work->facts->default_count; i++) {
		const struct default_fact *at = &work->facts->defaults[i];

		if (at->family == family && at->metric == metric)
			return at;
	}
	return NULL;
}

/* The only thing that is ever put into the main table. */
static void add_main_default(const struct work *work, const struct way *way)
{
	struct route_data data = default_route(work, way);
	const struct default_fact *rival;
	const struct link_fact *link;

	data.table = RT_TABLE_MAIN;
	data.metric = (uint32_t)node_u(work->node, PATH_METRIC);
	rival = find_rival(work, way->family, data.metric);
	if (!rival) {
		add(work, &data);
		return;
	}
	link = facts_link_at(work->facts, rival->index);
	report_error(work->report, work->node, EEXIST,
		     "the main table has a default route with metric %u "
		     "already, on %s, which is not Tresse's: give this path "
		     "another metric, or that route",
		     data.metric, link ? link->name : "another device");
}

static void add_rules(const struct work *work, const struct way *way)
{
	struct route_data data = blank(work, ROUTE_RULE, way->family);
	const struct value *mark = node_value(work->node, PATH_MARK);
	const struct value *mask =
		node_value(tree_system(work->tree), SYSTEM_PATH_MASK);

	if (way->source.family) {
		data.metric = work->source_rule;
		data.from = own_address(&way->source);
		add(work, &data);
	}
	if (!mark || !mask || !(mark->bits.value & mask->bits.value))
		return;
	data.metric = work->mark_rule;
	data.from = (struct prefix){ 0 };
	data.mark = mark->bits.value & mask->bits.value;
	data.mask = mask->bits.value;
	add(work, &data);
}

/* ---- paths ----------------------------------------------------------- */

/* Looked up in the path's own table, such a gateway would pass the kernel's
 * check (net/ipv4/fib_semantics.c, fib_check_nh_v4_gw()) and lead nowhere. */
static bool is_own(const struct work *work, const struct prefix *gateway)
{
	AUTO_TEXT text = TEXT_NONE;

	if (!gateway->family || !find_address(work, gateway))
		return false;
	prefix_put(gateway, &text);
	report_error(work->report, work->node, EINVAL,
		     "gateway %s is an address of this host; the gateway is "
		     "the other end's",
		     text_get(&text));
	return true;
}

static void want_family(struct work *work, uint8_t family)
{
	struct way way = { .family = family };
	struct route_data route;

	if (!find_gateway(work, &way))
		return;
	work->families++;
	if (is_own(work, &way.gateway))
		return;
	take_source(work, &way);
	way.onlink = needs_onlink(work, &way);
	add_rules(work, &way);
	/* A link that is down loses its routes, and takes none
	 * (net/ipv4/fib_semantics.c, net/ipv6/route.c). */
	if (!(work->link->flags & IFF_UP))
		return;
	add_network(work, &way);
	route = default_route(work, &way);
	add(work, &route);
	if (node_u(work->node, PATH_DEFAULT_ROUTE))
		add_main_default(work, &way);
}

static bool get_span(const struct work *work, size_t attr, struct range *span)
{
	const struct value *value = node_value(tree_system(work->tree), attr);

	if (!value || !value->ranges || !value->ranges->count)
		return false;
	*span = value->ranges->item[0];
	return true;
}

/* Two priorities a table, by its place in the range of tables: they stay the
 * same whatever other paths come and go. */
static bool take_numbers(struct work *work)
{
	struct range tables, rules;
	uint64_t first;

	work->table = (uint32_t)node_u(work->node, PATH_TABLE);
	if (!get_span(work, SYSTEM_TABLES, &tables) ||
	    !get_span(work, SYSTEM_RULES, &rules))
		return false;
	if (work->table < tables.from || work->table > tables.to) {
		report_error(work->report, work->node, ERANGE,
			     "table %u is not in the range of tables in "
			     "/system, %u-%u",
			     work->table, tables.from, tables.to);
		return false;
	}
	if (!work->table || (work->table >= RT_TABLE_DEFAULT &&
			     work->table <= RT_TABLE_LOCAL)) {
		report_error(work->report, work->node, ERANGE,
			     "table %u is the system's own: choose another, "
			     "20000 or more",
			     work->table);
		return false;
	}
	first = rules.from + 2 * (uint64_t)(work->table - tables.from);
	if (first + 1 > rules.to) {
		report_error(work->report, work->node, ERANGE,
			     "table %u needs the rule priorities %llu and "
			     "%llu, but the range in /system ends at %u",
			     work->table, (unsigned long long)first,
			     (unsigned long long)first + 1, rules.to);
		return false;
	}
	work->source_rule = (uint32_t)first;
	work->mark_rule = (uint32_t)first + 1;
	return true;
}

static void want_path(struct work *work)
{
	const char *device = node_text(work->node, PATH_DEVICE);

	work->link = device ? facts_link(work->facts, device) : NULL;
	if (!work->link) {
		report_warning(work->report, work->node,
			       "%s is not there: its routes and rules are "
			       "left out until it is",
			       device ? device : "the device");
		return;
	}
	if (!take_numbers(work))
		return;
	/* The VRF's table comes before our rules (the rule l3mdev-table), and
	 * has its addresses: routes of other tables may not name them. */
	if (work->link->in_vrf) {
		report_warning(work->report, work->node,
			       "%s is in a VRF, whose own routes lead what "
			       "leaves by it: none are made here, so let that "
			       "one have a default route",
			       device);
		return;
	}
	if (!(work->link->flags & IFF_UP))
		report_warning(work->report, work->node,
			       "%s is down: its routes are left out until it "
			       "is up (ip link set %s up)",
			       device, device);
	work->families = 0;
	want_family(work, AF_INET);
	if (work->facts->has_ipv6)
		want_family(work, AF_INET6);
	if (!work->families)
		report_note(work->report, work->node,
			    "%s has no default route to learn the gateway "
			    "from: set gateway or gateway6 to an address, or "
			    "to onlink",
			    device);
}

void route_want(const struct tree *tree, const struct facts *facts,
		struct report *report, struct state *want)
{
	struct work work = {
		.tree = tree, .facts = facts, .report = report, .want = want
	};

	node_each (path, tree_paths(tree)) {
		AUTO(str) char *name = node_path_dup(path);

		if (!node_u(path, PATH_ENABLED))
			continue;
		work.node = path;
		work.path = name;
		want_path(&work);
	}
}
