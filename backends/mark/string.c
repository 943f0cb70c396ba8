/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/mark/string.h"

#include <linux/netfilter/nf_tables_compat.h>
#include <linux/netfilter/nfnetlink.h>
#include <netinet/in.h>

#include "backends/host.h"
#include "backends/netlink/netlink.h"
#include "model/node.h"

#define COMPAT_GET ((NFNL_SUBSYS_NFT_COMPAT << 8) | NFNL_MSG_COMPAT_GET)

static bool is_asked_for(const struct tree *tree)
{
	const struct node *classes = tree_classes(tree);

	for (const struct node *at = classes; at; at = node_walk(classes, at))
		if (node_kind(at) == &kind_match && node_has(at, MATCH_HOST))
			return true;
	return false;
}

static int each(const struct nlmsghdr *message, void *arg)
{
	(void)message;
	*(bool *)arg = true;
	return 0;
}

int string_probe(struct host *host, const struct tree *tree,
		 struct facts *facts, struct err *err)
{
	/* Of one family: the match serves all. */
	struct nfgenmsg header = { .nfgen_family = AF_INET };
	AUTO(nlmsg) struct nl_msg *message = NULL;
	struct netlink *netlink;
	AUTO_ERR why = ERR_NONE;
	int rc;

	if (!is_asked_for(tree))
		return 0;
	netlink = host_netlink(host, NETLINK_NETFILTER, err);
	if (!netlink)
		return err ? err->code : -EIO;
	message = netlink_message(COMPAT_GET, 0, &header, sizeof(header), 64);
	nla_put_string(message, NFTA_COMPAT_NAME, "string");
	nla_put_u32(message, NFTA_COMPAT_REV, htonl(1));
	nla_put_u32(message, NFTA_COMPAT_TYPE, 0); /* a match */
	facts->has_string = false;
	rc = netlink_get(netlink, message, each, &facts->has_string, &why);
	if (rc == -EPERM || rc == -EACCES || rc == -ETIMEDOUT)
		return err_move(err, &why);
	facts->asked_string = true;
	return 0;
}
