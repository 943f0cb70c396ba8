/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * program.h - the matches of an uplink as one program of classic BPF.
 *
 * What arrives passes tc before netfilter, so nftables cannot give it a class.
 * One cls_bpf filter on the ifb's HTB does, for both families and however many
 * matches: it returns the classid, or 0 for the default. u32 has no ranges of
 * ports, and flower is not on every kernel.
 *
 *     ld proto; ip -> A, ipv6 -> B, ret 0
 *     A: first match: conditions, each of which leads on or to the next match
 *        ret 0x10010
 *        next match ...
 *        ret 0
 *     B: the same
 *
 * Headers are found from the network header on, so a device without a link
 * header (ppp) does as well. IPv6 extension headers are not followed.
 */
#ifndef BACKENDS_TC_PROGRAM_H
#define BACKENDS_TC_PROGRAM_H

#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct node;
struct report;

struct program {
	struct sock_filter *ops; /* owned */
	size_t count, room;
	size_t *fails; /* owned; jumps to what comes after this match */
	size_t fail_count, fail_room;
};
#define PROGRAM_NONE                                                           \
	{                                                                      \
		NULL, 0, 0, NULL, 0, 0                                         \
	}
void program_clear(struct program *program);

/*
 * Where nothing claims a packet they name the default class themselves, so that
 * it can become another one: HTB's own cannot be changed. Without a default
 * class they say 0, which leaves it to HTB.
 */

/* Classifies what arrives; empty if there is nothing to ask. Too many matches
 * for one program are reported. */
void program_classify(const struct node *uplink, struct report *report,
		      struct program *program);
/* The class of a mark, for classifier=bpf: by a search in halves. Where that
 * would be too long, or there is no default class, and each mark is its class's
 * number: in six instructions, which leave an unknown mark to HTB. */
void program_marks(const struct node *uplink, uint32_t mask,
		   struct report *report, struct program *program);
/* Is it the search? */
bool program_leads_marks(const struct node *uplink);
/* All to the default class; empty without one. */
void program_rest(const struct node *uplink, struct program *program);
/* Takes everything but ARP, which is not to wait. */
void program_arriving(struct program *program);

#endif
