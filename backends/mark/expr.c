/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/mark/expr.h"

#include <linux/netfilter/nf_tables_compat.h>
#include <linux/netfilter/xt_string.h>
#include <string.h>

#include "backends/mark/canon.h"

/* Where the expression and its data begin, to be closed again. */
struct opened {
	size_t elem, data;
};

static struct opened open_expr(struct draft *draft, const char *name)
{
	struct opened opened = { nfattr_open(&draft->exprs, NFTA_LIST_ELEM),
				 0 };

	nfattr_put_text(&draft->exprs, NFTA_EXPR_NAME, name);
	opened.data = nfattr_open(&draft->exprs, NFTA_EXPR_DATA);
	return opened;
}

static void close_expr(struct draft *draft, struct opened opened)
{
	nfattr_close(&draft->exprs, opened.data);
	nfattr_close(&draft->exprs, opened.elem);
}

static void put_u32(struct draft *draft, unsigned type, uint32_t u)
{
	nfattr_put_u32(&draft->exprs, type, u);
}

static void put_value(struct draft *draft, unsigned type, const void *data,
		      size_t length)
{
	size_t at = nfattr_open(&draft->exprs, type);

	nfattr_put(&draft->exprs, NFTA_DATA_VALUE, data, length);
	nfattr_close(&draft->exprs, at);
}

void draft_clear(struct draft *draft)
{
	text_clear(&draft->exprs);
	text_clear(&draft->sets);
	draft->set_count = 0;
}

/* ---- into the register ----------------------------------------------- */

void expr_meta(struct draft *draft, enum nft_meta_keys key)
{
	struct opened opened = open_expr(draft, "meta");

	put_u32(draft, NFTA_META_DREG, NFT_REG_1);
	put_u32(draft, NFTA_META_KEY, key);
	close_expr(draft, opened);
}

static void load_ct(struct draft *draft, enum nft_ct_keys key)
{
	struct opened opened = open_expr(draft, "ct");

	put_u32(draft, NFTA_CT_DREG, NFT_REG_1);
	put_u32(draft, NFTA_CT_KEY, key);
	close_expr(draft, opened);
}

void expr_ct_mark(struct draft *draft)
{
	load_ct(draft, NFT_CT_MARK);
}

void expr_ct_direction(struct draft *draft)
{
	load_ct(draft, NFT_CT_DIRECTION);
}

#define LABEL_BYTES 16

/* As the kernel numbers them (nf_connlabel_match()), on a machine that has the
 * lowest byte first. */
static void put_bit(uint8_t label[LABEL_BYTES], unsigned bit)
{
	memset(label, 0, LABEL_BYTES);
	label[bit / 8] = (uint8_t)(1u << bit % 8);
}

void expr_ct_label(struct draft *draft, unsigned bit)
{
	static const uint8_t nothing[LABEL_BYTES];
	uint8_t mask[LABEL_BYTES];

	load_ct(draft, NFT_CT_LABELS);
	put_bit(mask, bit);
	expr_bitwise(draft, mask, nothing, LABEL_BYTES);
}

void expr_payload(struct draft *draft, enum nft_payload_bases base,
		  uint32_t offset, uint32_t length)
{
	struct opened opened = open_expr(draft, "payload");

	put_u32(draft, NFTA_PAYLOAD_DREG, NFT_REG_1);
	put_u32(draft, NFTA_PAYLOAD_BASE, base);
	put_u32(draft, NFTA_PAYLOAD_OFFSET, offset);
	put_u32(draft, NFTA_PAYLOAD_LEN, length);
	close_expr(draft, opened);
}

void expr_cgroup(struct draft *draft, uint32_t level)
{
	struct opened opened = open_expr(draft, "socket");

	put_u32(draft, NFTA_SOCKET_KEY, NFT_SOCKET_CGROUPV2);
	put_u32(draft, NFTA_SOCKET_DREG, NFT_REG_1);
	put_u32(draft, NFTA_SOCKET_LEVEL, level);
	close_expr(draft, opened);
}

void expr_constant(struct draft *draft, uint32_t u)
{
	struct opened opened = open_expr(draft, "immediate");

	put_u32(draft, NFTA_IMMEDIATE_DREG, NFT_REG_1);
	put_value(draft, NFTA_IMMEDIATE_DATA, &u, sizeof(u));
	close_expr(draft, opened);
}

/* ---- with the register ----------------------------------------------- */

void expr_bitwise(struct draft *draft, const void *mask, const void *flip,
		  uint32_t length)
{
	struct opened opened = open_expr(draft, "bitwise");

	put_u32(draft, NFTA_BITWISE_SREG, NFT_REG_1);
	put_u32(draft, NFTA_BITWISE_DREG, NFT_REG_1);
	put_u32(draft, NFTA_BITWISE_LEN, length);
	put_value(draft, NFTA_BITWISE_MASK, mask, length);
	put_value(draft, NFTA_BITWISE_XOR, flip, length);
	close_expr(draft, opened);
}

void expr_mask(struct draft *draft, uint32_t mask, uint32_t flip)
{
	if (mask != UINT32_MAX || flip)
		expr_bitwise(draft, &mask, &flip, sizeof(mask));
}

void expr_swap(struct draft *draft)
{
	struct opened opened = open_expr(draft, "byteorder");

	put_u32(draft, NFTA_BYTEORDER_SREG, NFT_REG_1);
	put_u32(draft, NFTA_BYTEORDER_DREG, NFT_REG_1);
	put_u32(draft, NFTA_BYTEORDER_OP, NFT_BYTEORDER_HTON);
	put_u32(draft, NFTA_BYTEORDER_LEN, 4);
	put_u32(draft, NFTA_BYTEORDER_SIZE, 4);
	close_expr(draft, opened);
}

/* ---- goes on only if ------------------------------------------------- */

void expr_cmp(struct draft *draft, enum nft_cmp_ops op, const void *data,
	      size_t length)
{
	struct opened opened = open_expr(draft, "cmp");

	put_u32(draft, NFTA_CMP_SREG, NFT_REG_1);
	put_u32(draft, NFTA_CMP_OP, op);
	put_value(draft, NFTA_CMP_DATA, data, length);
	close_expr(draft, opened);
}

void expr_cmp_u32(struct draft *draft, enum nft_cmp_ops op, uint32_t u)
{
	expr_cmp(draft, op, &u, sizeof(u));
}

void expr_cmp_u8(struct draft *draft, uint8_t u)
{
	expr_cmp(draft, NFT_CMP_EQ, &u, sizeof(u));
}

void expr_has_label(struct draft *draft, bool set)
{
	static const uint8_t nothing[LABEL_BYTES];

	expr_cmp(draft, set ? NFT_CMP_NEQ : NFT_CMP_EQ, nothing, LABEL_BYTES);
}

void expr_string(struct draft *draft, const void *pattern, size_t length)
{
	struct opened opened = open_expr(draft, "match");
	struct xt_string_info info = {
		.from_offset = 40, /* the least that IP and TCP take */
		.to_offset = 4096,
		/* Not bm, which finds nothing across the parts of a packet
		 * (lib/ts_bm.c). */
		.algo = "kmp",
		.patlen = (uint8_t)length,
		.u.v1.flags = XT_STRING_FLAG_IGNORECASE,
	};

	memcpy(info.pattern, pattern, length);
	nfattr_put_text(&draft->exprs, NFTA_MATCH_NAME, "string");
	put_u32(draft, NFTA_MATCH_REV, 1);
	nfattr_put(&draft->exprs, NFTA_MATCH_INFO, &info, sizeof(info));
	close_expr(draft, opened);
}

void expr_map(struct draft *draft, const char *map)
{
	struct opened opened = open_expr(draft, "lookup");

	nfattr_put_text(&draft->exprs, NFTA_LOOKUP_SET, map);
	put_u32(draft, NFTA_LOOKUP_SREG, NFT_REG_1);
	put_u32(draft, NFTA_LOOKUP_DREG, NFT_REG_1);
	close_expr(draft, opened);
}

void expr_in_set(struct draft *draft, const char *set)
{
	struct opened opened = open_expr(draft, "lookup");

	nfattr_put_text(&draft->exprs, NFTA_LOOKUP_SET, set);
	put_u32(draft, NFTA_LOOKUP_SREG, NFT_REG_1);
	close_expr(draft, opened);
}

void expr_in_last_set(struct draft *draft)
{
	struct opened opened = open_expr(draft, "lookup");

	nfattr_put_text(&draft->exprs, NFTA_LOOKUP_SET, ANONYMOUS_SET);
	put_u32(draft, NFTA_LOOKUP_SREG, NFT_REG_1);
	put_u32(draft, NFTA_LOOKUP_SET_ID, draft->set_count - 1);
	close_expr(draft, opened);
}

/* ---- does ------------------------------------------------------------ */

void expr_counter(struct draft *draft)
{
	size_t at = nfattr_open(&draft->exprs, NFTA_LIST_ELEM);

	nfattr_put_text(&draft->exprs, NFTA_EXPR_NAME, "counter");
	nfattr_close(&draft->exprs, at);
}

void expr_set_meta(struct draft *draft, enum nft_meta_keys key)
{
	struct opened opened = open_expr(draft, "meta");

	put_u32(draft, NFTA_META_KEY, key);
	put_u32(draft, NFTA_META_SREG, NFT_REG_1);
	close_expr(draft, opened);
}

void expr_set_ct_mark(struct draft *draft)
{
	struct opened opened = open_expr(draft, "ct");

	put_u32(draft, NFTA_CT_KEY, NFT_CT_MARK);
	put_u32(draft, NFTA_CT_SREG, NFT_REG_1);
	close_expr(draft, opened);
}

void expr_set_ct_label(struct draft *draft, unsigned bit)
{
	struct opened opened = open_expr(draft, "immediate");
	uint8_t label[LABEL_BYTES];

	put_bit(label, bit);
	put_u32(draft, NFTA_IMMEDIATE_DREG, NFT_REG_1);
	put_value(draft, NFTA_IMMEDIATE_DATA, label, sizeof(label));
	close_expr(draft, opened);
	opened = open_expr(draft, "ct");
	put_u32(draft, NFTA_CT_KEY, NFT_CT_LABELS);
	put_u32(draft, NFTA_CT_SREG, NFT_REG_1);
	close_expr(draft, opened);
}

static void put_verdict(struct draft *draft, int code, const char *chain)
{
	struct opened opened = open_expr(draft, "immediate");
	size_t data, verdict;

	put_u32(draft, NFTA_IMMEDIATE_DREG, NFT_REG_VERDICT);
	data = nfattr_open(&draft->exprs, NFTA_IMMEDIATE_DATA);
	verdict = nfattr_open(&draft->exprs, NFTA_DATA_VERDICT);
	put_u32(draft, NFTA_VERDICT_CODE, (uint32_t)code);
	if (chain)
		nfattr_put_text(&draft->exprs, NFTA_VERDICT_CHAIN, chain);
	nfattr_close(&draft->exprs, verdict);
	nfattr_close(&draft->exprs, data);
	close_expr(draft, opened);
}

void expr_return(struct draft *draft)
{
	put_verdict(draft, NFT_RETURN, NULL);
}

void expr_jump(struct draft *draft, const char *chain)
{
	put_verdict(draft, NFT_JUMP, chain);
}

void expr_goto(struct draft *draft, const char *chain)
{
	put_verdict(draft, NFT_GOTO, chain);
}
