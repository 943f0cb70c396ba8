/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/mark/dump.h"

#include <endian.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdio.h>
#include <string.h>

#include "backends/mark/item.h"

struct nl_msg *nft_message(int type, int flags, size_t size)
{
	struct nfgenmsg header = { .nfgen_family = NFPROTO_INET,
				   .version = NFNETLINK_V0 };

	return netlink_message(NFT_MSG(type), flags, &header, sizeof(header),
			       size);
}

void nft_append(struct nl_msg *message, struct span attrs)
{
	void *at = nlmsg_reserve(message, attrs.length, NLA_ALIGNTO);

	if (!at) {
		fputs("tresse: out of memory\n", stderr);
		abort();
	}
	memcpy(at, attrs.at, attrs.length);
}

void nft_append_text(struct nl_msg *message, unsigned type, const char *text)
{
	AUTO_TEXT attr = TEXT_NONE;

	nfattr_put_text(&attr, type, text);
	nft_append(message, nfattr_text(&attr));
}

void nft_append_u32(struct nl_msg *message, unsigned type, uint32_t u)
{
	AUTO_TEXT attr = TEXT_NONE;

	nfattr_put_u32(&attr, type, u);
	nft_append(message, nfattr_text(&attr));
}

void nft_append_u64(struct nl_msg *message, unsigned type, uint64_t u)
{
	uint64_t big = htobe64(u);
	AUTO_TEXT attr = TEXT_NONE;

	nfattr_put(&attr, type, &big, sizeof(big));
	nft_append(message, nfattr_text(&attr));
}

struct span nft_attrs(const struct nlmsghdr *message)
{
	struct nlmsghdr *header = (struct nlmsghdr *)(uintptr_t)message;
	const struct nfgenmsg *nft = nlmsg_data(header);
	int length = nlmsg_attrlen(header, sizeof(*nft));

	if (nlmsg_datalen(header) < (int)sizeof(*nft) || length <= 0 ||
	    nft->nfgen_family != NFPROTO_INET)
		return (struct span){ NULL, 0 };
	return (struct span){ nlmsg_attrdata(header, sizeof(*nft)),
			      (size_t)length };
}

int nft_dump(struct netlink *netlink, int type, unsigned table, const char *set,
	     int (*each)(const struct nlmsghdr *message, void *arg),
	     void (*restart)(void *arg), void *arg, struct err *err)
{
	AUTO(nlmsg) struct nl_msg *request = nft_message(type, 0, 512);
	int rc;

	if (table)
		nft_append_text(request, table, MARK_TABLE);
	if (set)
		nft_append_text(request, NFTA_SET_ELEM_LIST_SET, set);
	rc = netlink_dump(netlink, request, each, restart, arg, err);
	/* nfnetlink_rcv() lets nobody else even look. */
	if (rc == -EPERM)
		return err_set(err, EPERM,
			       "looking at nftables needs the capability "
			       "CAP_NET_ADMIN");
	return rc;
}
