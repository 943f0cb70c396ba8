/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * names.h - what our chains, maps and rules are called in the kernel.
 *
 *     uplink wan0   chains up_wan0 conn_wan0 packet_wan0 local_wan0
 *                   host_wan0, map class_wan0
 *
 * An object's name may hold ':' and '+', which nft's identifiers may not; they
 * are written as "/3a" and "/2b", which no object's name holds.
 */
#ifndef BACKENDS_MARK_NAMES_H
#define BACKENDS_MARK_NAMES_H

#include "model/base/text.h"

/* The caller's to free. */
char *names_for(const char *prefix, const char *uplink);

/* A rule's comment: the path of its match. nft reads at most 128 bytes back
 * (NFTNL_UDATA_COMMENT_MAXLEN), so of a longer one its hash and its tail. */
void names_comment(const char *path, struct text *out);

/* The comment as NFTA_RULE_USERDATA: a type, a length, the text. */
void names_userdata(const char *comment, struct text *out);

#endif
