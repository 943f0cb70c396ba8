/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Has anything changed in nf_tables? The kernel counts the transactions of a
 * network namespace (base_seq of net/netfilter/nf_tables_api.c), whoever makes
 * them, and nothing else changes tables, chains, rules or sets without a
 * timeout. Half a million rules cost as much as none. (Declared in mark.h.)
 */
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include "backends/host.h"
#include "backends/mark/cgroup.h"
#include "backends/mark/dump.h"
#include "backends/mark/mark.h"

static int take_generation(const struct nlmsghdr *message, void *arg)
{
	struct nlattr *attrs[NFTA_GEN_MAX + 1];
	uint32_t *generation = arg;

	if (message->nlmsg_type == NFT_MSG(NFT_MSG_NEWGEN) &&
	    netlink_parse(message, sizeof(struct nfgenmsg), attrs,
			  NFTA_GEN_MAX))
		*generation = netlink_u32(attrs[NFTA_GEN_ID], 0);
	return 0;
}

/* The kernel's number is never 0: then it did not say. */
int mark_pulse(struct host *host, const struct tree *tree,
	       struct digest *digest, struct err *err)
{
	struct netlink *netlink = host_netlink(host, NETLINK_NETFILTER, err);
	AUTO(nlmsg) struct nl_msg *request = NULL;
	uint32_t generation = 0;
	int rc;

	if (!netlink)
		return err && err->code ? err->code : -EOPNOTSUPP;
	request = nft_message(NFT_MSG_GETGEN, 0, 0);
	rc = netlink_get(netlink, request, take_generation, &generation, err);
	cgroups_look_up(tree);
	digest_add(digest, host_digest());
	digest_add(digest, cgroups_digest());
	*digest = digest_u64(*digest, generation);
	if (rc == 0 && !generation)
		return err_set(err, ENOTSUP, "nftables counts no generations");
	return rc;
}
