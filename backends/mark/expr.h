/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * expr.h - a rule under construction: expressions in the forms nft(8) 1.0.6
 * writes, so that it prints them in its ordinary syntax.
 *
 * Everything goes through register 1, as in nft: load, change, compare or set.
 */
#ifndef BACKENDS_MARK_EXPR_H
#define BACKENDS_MARK_EXPR_H

#include <linux/netfilter/nf_tables.h>

#include "backends/mark/nfattr.h"

struct draft {
	struct text exprs; /* NFTA_LIST_ELEM, canonical */
	struct text sets;  /* item_next_set() */
	uint32_t set_count;
};
#define DRAFT_NONE                                                             \
	{                                                                      \
		TEXT_NONE, TEXT_NONE, 0                                        \
	}
void draft_clear(struct draft *draft);
#define AUTO_DRAFT __attribute__((cleanup(draft_clear))) struct draft

/* Into the register. */
void expr_meta(struct draft *draft, enum nft_meta_keys key);
void expr_ct_mark(struct draft *draft);
void expr_ct_direction(struct draft *draft);
/* The bit of the connection's label, of 128; the others are 0. */
void expr_ct_label(struct draft *draft, unsigned bit);
void expr_payload(struct draft *draft, enum nft_payload_bases base,
		  uint32_t offset, uint32_t length);
void expr_cgroup(struct draft *draft, uint32_t level);
void expr_constant(struct draft *draft, uint32_t u);

/* With the register. */
void expr_bitwise(struct draft *draft, const void *mask, const void *flip,
		  uint32_t length);
/* reg = (reg & mask) ^ flip, four bytes of this machine's order; nothing at all
 * if that changes nothing. */
void expr_mask(struct draft *draft, uint32_t mask, uint32_t flip);
/* Four bytes to network order, for comparing which is less. */
void expr_swap(struct draft *draft);

/* Goes on only if. */
void expr_cmp(struct draft *draft, enum nft_cmp_ops op, const void *data,
	      size_t length);
void expr_cmp_u32(struct draft *draft, enum nft_cmp_ops op, uint32_t u);
void expr_cmp_u8(struct draft *draft, uint8_t u);
/* The register's element of the map; the rule ends here if there is none. */
void expr_map(struct draft *draft, const char *map);
/* Goes on if what is loaded is in a named set. */
void expr_in_set(struct draft *draft, const char *set);
/* If expr_ct_label() found its bit set, or not. */
void expr_has_label(struct draft *draft, bool set);
/* If the packet has this text, whatever its case, from byte 40 on up to byte
 * 4096 of it; in the form of iptables' string match (xt_string.h). */
void expr_string(struct draft *draft, const void *pattern, size_t length);
/* If the register is in the set that was added to draft->sets last. */
void expr_in_last_set(struct draft *draft);

/* Does. */
void expr_counter(struct draft *draft);
void expr_set_meta(struct draft *draft, enum nft_meta_keys key);
void expr_set_ct_mark(struct draft *draft);
/* Sets one more bit of the label. */
void expr_set_ct_label(struct draft *draft, unsigned bit);
void expr_return(struct draft *draft);
void expr_jump(struct draft *draft, const char *chain);
void expr_goto(struct draft *draft, const char *chain);

#endif
