/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/health.h"

#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/socket.h>

#include "backends/host.h"
#include "backends/netlink/netlink.h"
#include "model/base/mem.h"
#include "model/facts.h"

enum { DEVICE_LOSSES };

char *health_span_dup(const struct checkup *checkup)
{
	int64_t us =
		checkup->past ? health_clock_us() - checkup->past->at_us : 0;

	return mem_printf("%.1fs", (double)us / 1e6);
}

static int take_losses(const struct nlmsghdr *message, void *arg)
{
	struct nlattr *attrs[IFLA_CARRIER_DOWN_COUNT + 1];
	uint64_t *losses = arg;

	if (message->nlmsg_type == RTM_NEWLINK &&
	    netlink_parse(message, sizeof(struct ifinfomsg), attrs,
			  IFLA_CARRIER_DOWN_COUNT))
		*losses = netlink_u32(attrs[IFLA_CARRIER_DOWN_COUNT], 0);
	return 0;
}

static uint64_t count_losses(struct host *host, int index)
{
	struct netlink *netlink = host_netlink(host, NETLINK_ROUTE, NULL);
	struct ifinfomsg header = { .ifi_family = AF_UNSPEC,
				    .ifi_index = index };
	uint64_t losses = 0;

	if (!netlink)
		return 0;
	AUTO(nlmsg)
	struct nl_msg *request =
		netlink_message(RTM_GETLINK, 0, &header, sizeof(header), 0);
	(void)netlink_get(netlink, request, take_losses, &losses, NULL);
	return losses;
}

static void judge(const struct checkup *checkup, const struct link_fact *link,
		  size_t hint, struct verdict *verdict)
{
	const struct verdict *past =
		reading_find(checkup->past, hint, verdict->path, verdict->what);
	uint64_t losses = past ? verdict->counts[DEVICE_LOSSES] -
					  past->counts[DEVICE_LOSSES]
			       : 0;
	char *limit = mem_strdup("up, with carrier");

	if (!(link->flags & IFF_UP)) {
		verdict_say(verdict, false, mem_strdup("down"), limit);
	} else if (!link->carrier) {
		verdict_say(verdict, false, mem_strdup("no carrier"), limit);
	} else if (losses) {
		AUTO(str) char *span = health_span_dup(checkup);

		verdict_say(verdict, false,
			    mem_printf("carrier lost %llu time%s in %s",
				       (unsigned long long)losses,
				       losses == 1 ? "" : "s", span),
			    limit);
	} else {
		verdict_say(verdict, true, mem_strdup("up"), limit);
	}
}

void health_device(struct host *host, const struct checkup *checkup,
		   const struct node *node, const char *device,
		   struct reading *reading)
{
	const struct link_fact *link = facts_link(checkup->facts, device);
	struct verdict *verdict =
		reading_add(reading, node, mem_printf("device %s", device));

	if (!link) {
		verdict_say(verdict, false, mem_strdup("not there"),
			    mem_strdup("up, with carrier"));
		return;
	}
	verdict->counts[DEVICE_LOSSES] = count_losses(host, link->index);
	judge(checkup, link, reading->count - 1, verdict);
}
