/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/rehearse.h"

#include <assert.h>
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

/* The child's side of it. */
struct stage {
	const struct play *play;
	const struct facts *facts; /* of the real host */
	struct netlink *route;
};

/* ...and the parent's. */
struct rehearsal {
	struct throw_away away;
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

static int send_one(struct stage *stage, struct nl_msg *message,
		    struct err *err)
{
	struct batch batch = BATCH_NONE;
	size_t failed;
	int rc;

	batch_add(&batch, message);
	rc = netlink_send(stage->route, &batch, &failed, err);
	if (rc == 0 && failed < batch.count)
		rc = answer_err(&batch.items[0].answer, "a stand-in", err);
	batch_clear(&batch);
	return rc;
}

/* Addresses and routes are scenery: if one of them cannot be had, the change is
 * still worth trying. */
static void dress(struct stage *stage, const struct link_fact *fact)
{
	int index = host_link_index(fact->name, NULL);

	for (size_t i = 0; i < stage->facts->address_count; i++)
		if (stage->facts->addresses[i].index == fact->index)
			send_one(stage,
				 address_message(&stage->facts->addresses[i],
						 index),
				 NULL);
	for (size_t i = 0; i < stage->facts->default_count; i++)
		if (stage->facts->defaults[i].index == fact->index)
			send_one(stage,
				 default_message(&stage->facts->defaults[i],
						 index),
				 NULL);
}

static int stand_in(struct stage *stage, const char *name, struct err *err)
{
	const struct link_fact *fact = facts_link(stage->facts, name);
	AUTO(str) char *other = NULL;
	int rc;

	if (!fact || host_link_index(name, NULL) > 0)
		return 0; /* absent there too, or here already (lo) */
	other = mem_printf("other%zu.", (size_t)(fact - stage->facts->links));
	rc = send_one(stage, veth_message(fact, other), err);
	if (stage->play->patch)
		return rc; /* what is changed in place needs no traffic */
	if (rc == 0)
		rc = send_one(stage, up_message(other), err);
	if (rc == 0 && fact->flags & IFF_UP)
		rc = send_one(stage, up_message(name), err);
	if (rc == 0)
		dress(stage, fact);
	return rc;
}

static int stand_ins(struct stage *stage, const struct tree *tree,
		     struct err *err)
{
	int rc = 0;

	node_each (path, tree_paths(tree))
		if (rc == 0)
			rc = stand_in(stage, node_text(path, PATH_DEVICE), err);
	node_each (uplink, tree_classes(tree)) {
		const char *device = uplink_device(uplink);

		if (rc == 0 && device)
			rc = stand_in(stage, device, err);
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

static int set_stage(struct stage *stage, struct host *host, struct err *err)
{
	const struct play *play = stage->play;

	host_set_stage(host);
	stage->route = host_netlink(host, NETLINK_ROUTE, err);
	if (!stage->route || stand_ins(stage, play->before, err) < 0 ||
	    (play->after && stand_ins(stage, play->after, err) < 0))
		return -ENOTSUP;
	return 0;
}

#define DRIVERS_MOST 8

/* Those that a patch can have to do with. */
static void find_own(const struct backend *own[DRIVERS_MOST])
{
	size_t count = 0;

	for (const struct backend *const *at = backends; *at; at++) {
		assert(count < DRIVERS_MOST - 1);
		if ((*at)->want_own)
			own[count++] = *at;
	}
	own[count] = NULL;
}

static int perform(struct stage *stage, struct verdict *verdict,
		   struct err *err)
{
	AUTO(host) struct host *host = host_new();
	AUTO(str) char *path = NULL;
	const struct play *play = stage->play;
	const struct backend *own[DRIVERS_MOST];
	struct reach reach = { host, backends, host_read_facts, play->facts,
			       OWNED_NONE };
	int rc = set_stage(stage, host, err);

	if (rc < 0)
		return rc;
	find_own(own);
	if (play->patch)
		reach.backends = own;
	/* What stood before stands on the real host, whatever it does here. */
	if (txn_reach(&reach, play->before, NULL, NULL) < 0)
		rc = err_set(err, ENOTSUP,
			     "what stands now cannot be built on stand-ins");
	else if (play->patch)
		rc = txn_reach_patch(&reach, play->before, play->patch, &path,
				     err);
	else
		rc = txn_reach(&reach, play->after, &path, err);
	if (rc < 0)
		learn(verdict, rc, path, err);
	owned_clear(&reach.owned);
	return 0;
}

static int play_it(void *arg, void *answer, size_t size)
{
	struct stage stage = { arg, ((const struct play *)arg)->facts, NULL };
	struct verdict *verdict = answer;
	AUTO_ERR err = ERR_NONE;
	int rc;

	(void)size;
	rc = perform(&stage, verdict, &err);
	if (rc < 0)
		learn(verdict, -ENOTSUP, NULL, &err);
	return 0;
}

struct rehearsal *rehearse_begin(const struct play *play, struct err *err)
{
	struct rehearsal *rehearsal = mem_alloc(sizeof(*rehearsal));
	AUTO_ERR why = ERR_NONE;

	if (host_throw_away_begin(&rehearsal->away, play_it,
				  (void *)(uintptr_t)play,
				  sizeof(struct verdict), &why) == 0)
		return rehearsal;
	free(rehearsal);
	err_set(err, ENOTSUP, "%s", why.text);
	return NULL;
}

int rehearse_end(struct rehearsal *rehearsal, char **path, struct err *err)
{
	struct verdict verdict = { 0 };
	AUTO_ERR why = ERR_NONE;
	int rc = host_throw_away_end(&rehearsal->away, &verdict,
				     sizeof(verdict), &why);

	free(rehearsal);
	if (rc < 0)
		return err_set(err, ENOTSUP, "%s", why.text);
	if (!verdict.code)
		return 0;
	verdict.path[sizeof(verdict.path) - 1] = '\0';
	verdict.text[sizeof(verdict.text) - 1] = '\0';
	*path = mem_strdup(verdict.path);
	return err_set(err, -verdict.code, "%s", verdict.text);
}
