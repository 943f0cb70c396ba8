/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/rehearse.h"

#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <sys/socket.h>

#include "backends/host.h"
#include "backends/list.h"
#include "backends/netlink/netlink.h"
#include "model/shaping.h"

/* What comes back from the namespace. */
struct verdict {
	int code; /* 0, or negative errno */
	char path[256];
	char text[1024];
};

struct play {
	const struct tree *before, *after;
	const struct facts *facts; /* of the real host */
	struct netlink *route;
};

/* ---- stand-ins ---- */

static void put_link(struct nl_msg *message, const char *name,
		     const struct link_fact *fact)
{
	nla_put_string(message, IFLA_IFNAME, name);
	nla_put_u32(message, IFLA_MTU, fact->mtu);
	nla_put_u32(message, IFLA_TXQLEN, fact->txqlen);
}

/* A veth by the device's name. Its ends open only when both are there
 * (veth_open() of drivers/net/veth.c), so not with this message. */
static struct nl_msg *veth_message(const struct link_fact *fact,
				   const char *other)
{
	struct ifinfomsg header = { 0 };
	struct nl_msg *message =
		netlink_message(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &header,
				sizeof(header), 0);
	struct nlattr *info, *data, *peer;

	put_link(message, fact->name, fact);
	info = nla_nest_start(message, IFLA_LINKINFO);
	nla_put_string(message, IFLA_INFO_KIND, "veth");
	data = nla_nest_start(message, IFLA_INFO_DATA);
	peer = nla_nest_start(message, VETH_INFO_PEER);
	nlmsg_append(message, &header, sizeof(header), NLMSG_ALIGNTO);
	put_link(message, other, fact);
	nla_nest_end(message, peer);
	nla_nest_end(message, data);
	nla_nest_end(message, info);
	return message;
}

static struct nl_msg *up_message(const char *name)
{
	struct ifinfomsg header = { .ifi_flags = IFF_UP, .ifi_change = IFF_UP };
	struct nl_msg *message =
		netlink_message(RTM_NEWLINK, 0, &header, sizeof(header), 0);

	nla_put_string(message, IFLA_IFNAME, name);
	return message;
}

static struct nl_msg *address_message(const struct address_fact *fact,
				      int index)
{
	const struct prefix *address = &fact->address;
	const struct prefix *far = fact->peer.family ? &fact->peer : address;
	struct ifaddrmsg header = { .ifa_family = address->family,
				    .ifa_prefixlen = far->length,
				    .ifa_scope = fact->scope,
				    .ifa_flags = IFA_F_NODAD,
				    .ifa_index = (unsigned)index };
	struct nl_msg *message =
		netlink_message(RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE,
				&header, sizeof(header), 0);
	int size = address->family == AF_INET ? 4 : 16;

	nla_put(message, IFA_LOCAL, size, address->bytes);
	nla_put(message, IFA_ADDRESS, size, far->bytes);
	return message;
}

static struct nl_msg *default_message(const struct default_fact *fact,
				      int index)
{
	struct rtmsg header = { .rtm_family = fact->family,
				.rtm_table = RT_TABLE_MAIN,
				.rtm_protocol = fact->protocol,
				.rtm_scope = fact->gateway.family
						     ? RT_SCOPE_UNIVERSE
						     : RT_SCOPE_LINK,
				.rtm_type = RTN_UNICAST };
	struct nl_msg *message =
		netlink_message(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE,
				&header, sizeof(header), 0);

	nla_put_u32(message, RTA_OIF, (uint32_t)index);
	nla_put_u32(message, RTA_PRIORITY, fact->metric);
	if (fact->gateway.family == fact->family)
		nla_put(message, RTA_GATEWAY, fact->family == AF_INET ? 4 : 16,
			fact->gateway.bytes);
	return message;
}

static int send_one(struct play *play, struct nl_msg *message, struct err *err)
{
	struct batch batch = BATCH_NONE;
	size_t failed;
	int rc;

	batch_add(&batch, message);
	rc = netlink_send(play->route, &batch, &failed, err);
	if (rc == 0 && failed < batch.count)
		rc = answer_err(&batch.items[0].answer, "a stand-in", err);
	batch_clear(&batch);
	return rc;
}

/* Addresses and routes are scenery: if one of them cannot be had, the change is
 * still worth trying. */
static void dress(struct play *play, const struct link_fact *fact)
{
	int index = host_link_index(fact->name, NULL);

	for (size_t i = 0; i < play->facts->address_count; i++)
		if (play->facts->addresses[i].index == fact->index)
			send_one(play,
				 address_message(&play->facts->addresses[i],
						 index),
				 NULL);
	for (size_t i = 0; i < play->facts->default_count; i++)
		if (play->facts->defaults[i].index == fact->index)
			send_one(play,
				 default_message(&play->facts->defaults[i],
						 index),
				 NULL);
}

static int stand_in(struct play *play, const char *name, struct err *err)
{
	const struct link_fact *fact = facts_link(play->facts, name);
	AUTO(str) char *other = NULL;
	int rc;

	if (!fact || host_link_index(name, NULL) > 0)
		return 0; /* absent there too, or here already (lo) */
	other = mem_printf("other%zu.", (size_t)(fact - play->facts->links));
	rc = send_one(play, veth_message(fact, other), err);
	if (rc == 0)
		rc = send_one(play, up_message(other), err);
	if (rc == 0 && fact->flags & IFF_UP)
		rc = send_one(play, up_message(name), err);
	if (rc == 0)
		dress(play, fact);
	return rc;
}

static int stand_ins(struct play *play, const struct tree *tree,
		     struct err *err)
{
	int rc = 0;

	node_each (path, tree_paths(tree))
		if (rc == 0)
			rc = stand_in(play, node_text(path, PATH_DEVICE), err);
	node_each (uplink, tree_classes(tree)) {
		const char *device = uplink_device(uplink);

		if (rc == 0 && device)
			rc = stand_in(play, device, err);
	}
	return rc;
}

/* ---- the play ---- */

static void learn(struct verdict *verdict, int code, const char *path,
		  const struct err *err)
{
	verdict->code = code;
	snprintf(verdict->path, sizeof(verdict->path), "%s", path ? path : "");
	snprintf(verdict->text, sizeof(verdict->text), "%s",
		 err->text ? err->text : strerror(-code));
}

static int perform(struct play *play, struct verdict *verdict, struct err *err)
{
	AUTO(host) struct host *host = host_new();
	AUTO(str) char *path = NULL;
	struct owned owned = OWNED_NONE;
	int rc;

	host_set_stage(host);
	play->route = host_netlink(host, NETLINK_ROUTE, err);
	if (!play->route)
		return -ENOTSUP;
	if (stand_ins(play, play->before, err) < 0 ||
	    stand_ins(play, play->after, err) < 0)
		return -ENOTSUP;
	/* What stood before stands on the real host, whatever it does here. */
	rc = txn_reach(host, backends, host_read_facts, play->before,
		       play->facts, &owned, NULL, NULL);
	if (rc == 0) {
		rc = txn_reach(host, backends, host_read_facts, play->after,
			       play->facts, &owned, &path, err);
		if (rc < 0)
			learn(verdict, rc, path, err);
		rc = 0;
	} else {
		rc = err_set(err, ENOTSUP,
			     "what stands now cannot be built "
			     "on stand-ins");
	}
	owned_clear(&owned);
	return rc;
}

static int play_it(void *arg, void *answer, size_t size)
{
	struct verdict *verdict = answer;
	AUTO_ERR err = ERR_NONE;
	int rc;

	(void)size;
	rc = perform(arg, verdict, &err);
	if (rc < 0)
		learn(verdict, -ENOTSUP, NULL, &err);
	return 0;
}

int rehearse(const struct tree *before, const struct tree *after,
	     const struct facts *facts, char **path, struct err *err)
{
	struct play play = { before, after, facts, NULL };
	struct verdict verdict = { 0 };
	AUTO_ERR why = ERR_NONE;

	if (host_throw_away(play_it, &play, &verdict, sizeof(verdict), &why) <
	    0)
		return err_set(err, ENOTSUP, "%s", why.text);
	if (!verdict.code)
		return 0;
	verdict.path[sizeof(verdict.path) - 1] = '\0';
	verdict.text[sizeof(verdict.text) - 1] = '\0';
	*path = mem_strdup(verdict.path);
	return err_set(err, -verdict.code, "%s", verdict.text);
}
