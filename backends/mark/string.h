/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * string.h - has this kernel iptables' string match for nftables (nft_compat,
 * xt_string)? Asked where the tree has a match by a host's name.
 */
#ifndef BACKENDS_MARK_STRING_H
#define BACKENDS_MARK_STRING_H

struct err;
struct facts;
struct host;
struct tree;

/* Fills in facts->has_string. EPERM where one may not ask. */
int string_probe(struct host *host, const struct tree *tree,
		 struct facts *facts, struct err *err);

#endif
