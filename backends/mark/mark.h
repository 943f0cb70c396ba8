/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * mark.h - the mark driver: one nftables table, inet tresse, that gives each
 * packet its class. backend_mark (backends/list.h) is made of these.
 *
 *     chain egress      hook postrouting, priority mangle + 10
 *         oifname "wan0" jump up_wan0
 *     chain up_wan0
 *         meta priority set ct mark & 0xffff map @class_wan0 goto packet_wan0
 *         jump conn_wan0
 *         meta priority set ct mark & 0xffff map @class_wan0
 *         goto packet_wan0
 *     chain packet_wan0
 *         meta priority set meta mark & 0xffff map @class_wan0
 *         matches with scope=packet: CONDITIONS meta priority set 1:20 return
 *     chain conn_wan0
 *         the others: CONDITIONS ct mark set ct mark & ~0xffff | 10 return
 *     map class_wan0    mark : classid
 *
 * So a connection's first packets go through the matches, until one of them
 * holds; from then on a packet costs two lookups in a hash. A packet's own mark
 * (SO_MARK of a server) is worth more than its connection's, and a match of
 * scope=packet more than both.
 *
 * A connection is decided if its mark is one of this uplink's, not if it has
 * one at all: it may have come over from another uplink, its answers may leave
 * by another one (the device of the LAN), or its class may be gone.
 *
 * In postrouting, since forwarding sets the priority from the TOS field before
 * (ip_forward() in net/ipv4/ip_forward.c), and after other software's mangle
 * rules, but before source NAT.
 *
 * A socket's cgroup can be asked in the output hook only. An uplink that has
 * such matches has them, and those that come before them, there as well:
 *
 *     chain local       hook output, priority mangle + 10
 *         oifname "wan0" jump local_wan0
 *     chain local_wan0
 *         meta priority set ct mark & 0xffff map @class_wan0 return
 *         CONDITIONS ct mark set ct mark & ~0xffff | 10 return
 *
 * A host's name comes after the packets that open a connection, so matches by
 * name are asked before all others, and overrule what was decided; of what a
 * client sends, on its way out or in, until it was found or three packets with
 * data were looked through. A connection's label counts them: other than its
 * bytes and packets, it is there without a sysctl.
 *
 *     chain arrive      hook prerouting, priority mangle + 10
 *         iifname "wan0" jump host_wan0
 *     chain up_wan0
 *         jump host_wan0
 *         ...
 *     chain host_wan0
 *         meta l4proto != tcp return
 *         ct direction != original return
 *         ct label 127 return
 *         CONDITIONS string "Host: a.example" ct mark set ... ct label set 127
 *             return
 *         tcp flags & psh == 0 return
 *         ct label 126 ct label set 127 return
 *         ct label 125 ct label set 126 return
 *         ct label set 125
 */
#ifndef BACKENDS_MARK_MARK_H
#define BACKENDS_MARK_MARK_H

#include "model/backend.h"

enum { MARK_PRIORITY = -150 + 10 };
#define CHAIN_EGRESS "egress"
#define CHAIN_LOCAL  "local"
#define CHAIN_ARRIVE "arrive"

/* What stands behind struct backend's calls of the same names. */
void mark_want(const struct tree *tree, const struct facts *facts,
	       struct report *report, struct state *want);
int mark_read(struct host *host, const struct tree *tree,
	      const struct facts *facts, const struct owned *owned,
	      struct state *now, struct err *err);
int mark_pulse(struct host *host, const struct tree *tree,
	       struct digest *digest, struct err *err);
void mark_plan(const struct state *now, const struct state *want,
	       const struct facts *facts, const struct owned *owned,
	       struct report *report, struct plan *plan, struct owned *claims);
int mark_apply(struct host *host, struct step *const *steps, size_t count,
	       size_t *failed, struct err *err);
int mark_live(struct host *host, const struct tree *tree,
	      const struct facts *facts, struct live *live, struct err *err);
int mark_export(const struct exporting *exporting, struct text *out,
		struct err *err);
void mark_print(const struct object *object, struct text *out);
void mark_print_change(const struct object *before, const struct object *after,
		       struct text *out);

#endif
