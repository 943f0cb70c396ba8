/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Counters of the classes (declared in tc.h). */
#include <linux/gen_stats.h>
#include <linux/rtnetlink.h>
#include <netlink/msg.h>
#include <string.h>

#include "backends/host.h"
#include "backends/netlink/netlink.h"
#include "backends/tc/message.h"
#include "backends/tc/tc.h"
#include "model/base/mem.h"
#include "model/shaping.h"
#include "model/shard.h"

/* One uplink: its classes by their minor number. */
struct counting {
	const struct node **classes; /* owned; 65536 of them */
	bool shards;
	int index;
	struct live *live;
};

#define MINORS 65536u

static const struct node *class_of(const struct counting *counting,
				   const struct tcmsg *header)
{
	const struct node *class;

	if (header->tcm_ifindex != counting->index)
		return NULL;
	class = counting->classes[TC_H_MIN(header->tcm_handle)];
	return class && class_handle(class, counting->shards) ==
				       header->tcm_handle
		       ? class
		       : NULL;
}

/* struct gnet_stats_basic, whose end is padding that not every kernel sends. */
static void count_basic(const struct counting *counting,
			const struct node *class, struct nlattr *const *stats)
{
	const struct nlattr *basic = stats[TCA_STATS_BASIC];
	struct {
		uint64_t bytes;
		uint32_t packets;
	} __attribute__((packed)) counts;

	if (!message_struct(basic, &counts, sizeof(counts)))
		return;
	live_set_u(counting->live, class, CLASS_BYTES, counts.bytes);
	live_set_u(counting->live, class, CLASS_PACKETS,
		   stats[TCA_STATS_PKT64] ? message_u64(stats[TCA_STATS_PKT64])
					  : counts.packets);
}

static void count_queue(const struct counting *counting,
			const struct node *class, struct nlattr *const *stats)
{
	struct gnet_stats_queue queue;

	if (!message_struct(stats[TCA_STATS_QUEUE], &queue, sizeof(queue)))
		return;
	live_set_u(counting->live, class, CLASS_QUEUED, queue.qlen);
	live_set_u(counting->live, class, CLASS_BACKLOG, queue.backlog);
	live_set_u(counting->live, class, CLASS_DROPS, queue.drops);
	live_set_u(counting->live, class, CLASS_OVERLIMITS, queue.overlimits);
}

/* Tokens are ticks, below 0 in debt: two's complement. */
static void count_htb(const struct counting *counting, const struct node *class,
		      struct nlattr *const *stats)
{
	struct tc_htb_xstats htb;

	if (!message_struct(stats[TCA_STATS_APP], &htb, sizeof(htb)))
		return;
	live_set_u(counting->live, class, CLASS_LENDS, htb.lends);
	live_set_u(counting->live, class, CLASS_BORROWS, htb.borrows);
	live_set_u(counting->live, class, CLASS_GIANTS, htb.giants);
	live_set_u(counting->live, class, CLASS_TOKENS,
		   (uint64_t)(int64_t)htb.tokens);
	live_set_u(counting->live, class, CLASS_CTOKENS,
		   (uint64_t)(int64_t)htb.ctokens);
}

static int take_class(const struct nlmsghdr *message, void *arg)
{
	const struct counting *counting = arg;
	struct nlattr *attrs[TCA_MAX + 1];
	struct nlattr *stats[TCA_STATS_MAX + 1];
	const struct node *class;

	if (message->nlmsg_type != RTM_NEWTCLASS ||
	    nlmsg_parse((struct nlmsghdr *)(uintptr_t)message,
			sizeof(struct tcmsg), attrs, TCA_MAX, NULL) < 0 ||
	    !attrs[TCA_KIND] || nla_strcmp(attrs[TCA_KIND], "htb") ||
	    !message_nested(attrs[TCA_STATS2], stats, TCA_STATS_MAX))
		return 0;
	class = class_of(counting, nlmsg_data(message));
	if (!class)
		return 0;
	count_basic(counting, class, stats);
	count_queue(counting, class, stats);
	count_htb(counting, class, stats);
	return 0;
}

static void find_classes(const struct counting *counting,
			 const struct node *uplink)
{
	memset(counting->classes, 0, MINORS * sizeof(*counting->classes));
	for (const struct node *at = node_first(uplink); at;
	     at = node_walk(uplink, at))
		if (node_kind(at) == &kind_class && node_has(at, CLASS_CLASSID))
			counting->classes[TC_H_MIN(node_u(at, CLASS_CLASSID))] =
				at;
}

static int count_htb_at(struct netlink *netlink, struct counting *counting,
			uint32_t handle, struct err *err)
{
	struct tcmsg header = { .tcm_family = AF_UNSPEC,
				.tcm_ifindex = counting->index,
				.tcm_parent = handle };
	AUTO(nlmsg)
	struct nl_msg *request =
		netlink_message(RTM_GETTCLASS, 0, &header, sizeof(header), 0);

	return netlink_dump(netlink, request, take_class, NULL, counting, err);
}

/* By the number of each HTB, which costs the kernel far less (read.c). */
static int count_device(struct netlink *netlink, struct counting *counting,
			const struct node *uplink, struct err *err)
{
	bool used[SHARD_LAST + 1] = { false };
	int rc = count_htb_at(netlink, counting, TC_ROOT_HANDLE, err);

	if (counting->shards)
		shard_use(uplink, used);
	for (uint32_t n = SHARD_FIRST; n <= SHARD_LAST && rc == 0; n++)
		if (used[n])
			rc = count_htb_at(netlink, counting, n << 16, err);
	return rc;
}

int tc_live(struct host *host, const struct tree *tree,
	    const struct facts *facts, struct live *live, struct err *err)
{
	AUTO(mem) void *classes = mem_array(MINORS, sizeof(struct node *));
	struct counting counting = { .classes = classes, .live = live };
	int rc = 0;

	node_each (uplink, tree_classes(tree)) {
		const char *device = uplink_device(uplink);
		char ifb[IFB_NAME_SIZE];
		const struct link_fact *link;
		struct netlink *netlink;

		uplink_ifb(uplink, ifb);
		if (uplink_is_down(uplink))
			device = ifb;
		link = device ? facts_link(facts, device) : NULL;
		if (rc < 0 || !link || !node_u(uplink, UPLINK_ENABLED))
			continue;
		netlink = host_netlink(host, NETLINK_ROUTE, err);
		if (!netlink)
			return err ? err->code : -EIO;
		counting.index = link->index;
		counting.shards = uplink_shards(uplink, facts);
		find_classes(&counting, uplink);
		rc = count_device(netlink, &counting, uplink, err);
	}
	return rc;
}
