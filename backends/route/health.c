/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/route/health.h"

#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "backends/health.h"
#include "backends/host.h"
#include "backends/list.h"
#include "backends/netlink/netlink.h"
#include "backends/route/object.h"
#include "backends/route/want.h"
#include "model/base/mem.h"

/* The kernel asks once a second (retrans_time_ms): one question. */
#define ANSWER_US INT64_C(1000000)
/* Between two looks; grows with what it is measured by. */
#define LOOK_US	     100
#define LOOK_MOST_US 20000

struct gateway {
	const struct node *node;
	const struct link_fact *link;
	struct prefix address;
	bool given; /* by the path's setting, not found */
	uint16_t state;
	bool known, answered;
	int64_t asked_us, took_us;
};

struct gateways {
	struct gateway *items; /* owned */
	size_t count, room;
};

/* ---- the kernel's table of neighbours ---- */

static struct nl_msg *message_new(int type, int flags,
				  const struct gateway *gateway,
				  const struct ndmsg *said)
{
	struct ndmsg header = *said;
	struct nl_msg *message;

	header.ndm_family = gateway->address.family;
	header.ndm_ifindex = gateway->link->index;
	message = netlink_message(type, flags, &header, sizeof(header), 0);
	nla_put(message, NDA_DST, gateway->address.family == AF_INET ? 4 : 16,
		gateway->address.bytes);
	return message;
}

static int take_state(const struct nlmsghdr *message, void *arg)
{
	struct gateway *gateway = arg;
	const struct ndmsg *header = NLMSG_DATA(message);

	if (message->nlmsg_type != RTM_NEWNEIGH ||
	    message->nlmsg_len < NLMSG_LENGTH(sizeof(*header)))
		return 0;
	gateway->known = true;
	gateway->state = header->ndm_state;
	return 0;
}

/* Of one that the kernel never heard of there is none. */
static void look(struct netlink *netlink, struct gateway *gateway)
{
	AUTO(nlmsg)
	struct nl_msg *request =
		message_new(RTM_GETNEIGH, 0, gateway, &(struct ndmsg){ 0 });

	gateway->known = false;
	gateway->state = 0;
	(void)netlink_get(netlink, request, take_state, gateway, NULL);
}

/* One that is known is verified (NUD_PROBE asks it by itself and serves packets
 * on meanwhile), any other is looked for. Neither NLM_F_REPLACE nor flags: what
 * else is known of it stays (net/core/neighbour.c, neigh_add()). */
static void ask(struct netlink *netlink, struct gateway *gateway)
{
	const uint16_t verified =
		NUD_REACHABLE | NUD_STALE | NUD_DELAY | NUD_PROBE;
	const struct ndmsg probe = { .ndm_state = NUD_PROBE };
	const struct ndmsg use = { .ndm_state = NUD_NONE,
				   .ndm_flags = NTF_USE };
	bool has = gateway->known && gateway->state & verified;
	AUTO(nlmsg)
	struct nl_msg *request =
		message_new(RTM_NEWNEIGH, has ? 0 : NLM_F_CREATE, gateway,
			    has ? &probe : &use);

	gateway->asked_us = health_clock_us();
	(void)netlink_get(netlink, request, take_state, gateway, NULL);
	gateway->state = 0;
}

static bool all_answered(struct netlink *netlink, struct gateways *gateways)
{
	bool all = true;

	for (size_t i = 0; i < gateways->count; i++) {
		struct gateway *gateway = &gateways->items[i];

		if (gateway->answered)
			continue;
		look(netlink, gateway);
		gateway->answered = gateway->state & NUD_REACHABLE;
		gateway->took_us = health_clock_us() - gateway->asked_us;
		all = all && gateway->answered;
	}
	return all;
}

static void wait_for_answers(struct netlink *netlink, struct gateways *gateways)
{
	const int64_t start = health_clock_us();
	int64_t gone = 0;

	while (!all_answered(netlink, gateways) && gone < ANSWER_US) {
		int64_t pause = LOOK_US + gone / 8;
		struct timespec span = { 0 };

		if (pause > LOOK_MOST_US)
			pause = LOOK_MOST_US;
		span.tv_nsec = pause * 1000;
		nanosleep(&span, NULL);
		gone = health_clock_us() - start;
	}
}

/* ---- gateways ---- */

static bool is_given(const struct node *path, uint8_t family)
{
	return node_has(path, family == AF_INET ? PATH_GATEWAY : PATH_GATEWAY6);
}

/* Of the default routes that the tree wants, those of touched paths. */
static void take(const struct checkup *checkup, const struct object *object,
		 struct gateways *gateways)
{
	const struct route_data *route = route_of(object);
	const struct node *node = tree_walk(
		checkup->tree, tree_root(checkup->tree), object->path, NULL);
	const struct link_fact *link =
		facts_link(checkup->facts, route->device);

	if (route->what != ROUTE_ROUTE || route->to.length ||
	    !route->gateway.family || route->table == RT_TABLE_MAIN || !node ||
	    !link || link->flags & IFF_NOARP ||
	    !touched_has(checkup->touched, node))
		return;
	gateways->items = mem_grow(gateways->items, gateways->count,
				   &gateways->room, sizeof(*gateways->items));
	gateways->items[gateways->count++] =
		(struct gateway){ .node = node,
				  .link = link,
				  .address = route->gateway,
				  .given = is_given(node, route->family) };
}

/* All but those that nobody is ever asked for. */
static void find(const struct checkup *checkup, struct netlink *netlink,
		 struct gateways *gateways)
{
	struct report report = REPORT_NONE;
	struct state want = STATE_NONE;
	size_t kept = 0;

	route_want(checkup->tree, checkup->facts, &report, &want);
	for (size_t i = 0; i < want.count; i++)
		take(checkup, &want.items[i], gateways);
	state_clear(&want);
	report_clear(&report);
	for (size_t i = 0; i < gateways->count; i++) {
		look(netlink, &gateways->items[i]);
		if (!(gateways->items[i].state & (NUD_PERMANENT | NUD_NOARP)))
			gateways->items[kept++] = gateways->items[i];
	}
	gateways->count = kept;
}

/* One that is found out is the same thing whatever its address is. */
static char *name_dup(const struct gateway *gateway, const char *address)
{
	const char *word =
		gateway->address.family == AF_INET ? "gateway" : "gateway6";

	return gateway->given ? mem_printf("%s %s", word, address)
			      : mem_strdup(word);
}

static void tell(const struct gateway *gateway, struct reading *reading)
{
	AUTO_TEXT address = TEXT_NONE, value = TEXT_NONE;
	struct verdict *verdict;

	prefix_put(&gateway->address, &address);
	verdict = reading_add(reading, gateway->node,
			      name_dup(gateway, text_get(&address)));
	if (!gateway->given)
		text_printf(&value, "%s ", text_get(&address));
	if (gateway->answered)
		text_printf(&value, "answered in %.1f ms",
			    (double)gateway->took_us / 1e3);
	else
		text_put(&value, "no answer in 1s");
	verdict_say(verdict, gateway->answered, text_take(&value),
		    mem_strdup("an answer in 1s"));
}

static void measure(const struct checkup *checkup, struct netlink *netlink,
		    struct reading *reading)
{
	struct gateways gateways = { 0 };

	find(checkup, netlink, &gateways);
	for (size_t i = 0; i < gateways.count && !checkup->lists; i++)
		ask(netlink, &gateways.items[i]);
	if (gateways.count && !checkup->lists)
		wait_for_answers(netlink, &gateways);
	for (size_t i = 0; i < gateways.count; i++)
		tell(&gateways.items[i], reading);
	free(gateways.items);
}

int route_health(struct host *host, const struct checkup *checkup,
		 struct reading *reading, struct err *err)
{
	struct netlink *netlink;

	node_each (path, tree_paths(checkup->tree)) {
		const char *device = node_text(path, PATH_DEVICE);

		if (device && node_u(path, PATH_ENABLED) &&
		    touched_has(checkup->touched, path))
			health_device(host, checkup, path, device, reading);
	}
	netlink = host_netlink(host, NETLINK_ROUTE, err);
	if (!netlink)
		return err ? err->code : -EIO;
	measure(checkup, netlink, reading);
	return 0;
}
