/* SPDX-License-Identifier: GPL-3.0-or-later */
/* dump.h - asking nf_tables for what is in our table. */
#ifndef BACKENDS_MARK_DUMP_H
#define BACKENDS_MARK_DUMP_H

#include "backends/mark/nfattr.h"
#include "backends/netlink/netlink.h"

/* Numbers of the messages, with the subsystem's. */
#define NFT_MSG(type) ((NFNL_SUBSYS_NFTABLES << 8) | (type))

/* A message for family inet, with room for size bytes of attributes. */
struct nl_msg *nft_message(int type, int flags, size_t size);
/* Appends attributes as they are. */
void nft_append(struct nl_msg *message, struct span attrs);
void nft_append_text(struct nl_msg *message, unsigned type, const char *text);
void nft_append_u32(struct nl_msg *message, unsigned type, uint32_t u);
void nft_append_u64(struct nl_msg *message, unsigned type, uint64_t u);

/* The attributes of a message, if it is for family inet; else none. */
struct span nft_attrs(const struct nlmsghdr *message);

/* Dumps objects of the kind that type (NFT_MSG_GET...) asks for. All of the
 * host's come for tables and chains; only our table's for the others, where
 * table is the attribute that says so (0: none). set: NULL, or the set whose
 * elements are wanted. */
int nft_dump(struct netlink *netlink, int type, unsigned table, const char *set,
	     int (*each)(const struct nlmsghdr *message, void *arg),
	     void (*restart)(void *arg), void *arg, struct err *err);

#endif
