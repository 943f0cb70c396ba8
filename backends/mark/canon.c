/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/mark/canon.h"

#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nf_tables_compat.h>
#include <string.h>

#include "model/base/mem.h"

typedef struct nfattr_kept kept_t;

static const kept_t verdict_kept[] = { { .type = NFTA_VERDICT_CODE },
				       { .type = NFTA_VERDICT_CHAIN },
				       { 0 } };
static const kept_t data_kept[] = { { .type = NFTA_DATA_VALUE },
				    { .type = NFTA_DATA_VERDICT,
				      .inside = verdict_kept },
				    { 0 } };
static const kept_t table_kept[] = {
	{ .type = NFTA_TABLE_FLAGS, .unless_zero = true }, { 0 }
};
static const kept_t hook_kept[] = { { .type = NFTA_HOOK_HOOKNUM },
				    { .type = NFTA_HOOK_PRIORITY },
				    { .type = NFTA_HOOK_DEV },
				    { 0 } };
static const kept_t chain_kept[] = { { .type = NFTA_CHAIN_NAME },
				     { .type = NFTA_CHAIN_HOOK,
				       .inside = hook_kept },
				     { .type = NFTA_CHAIN_POLICY },
				     { .type = NFTA_CHAIN_TYPE },
				     { 0 } };
static const kept_t set_kept[] = {
	{ .type = NFTA_SET_NAME },
	{ .type = NFTA_SET_FLAGS },
	{ .type = NFTA_SET_KEY_TYPE },
	{ .type = NFTA_SET_KEY_LEN },
	{ .type = NFTA_SET_DATA_TYPE, .unless_zero = true },
	{ .type = NFTA_SET_DATA_LEN, .unless_zero = true },
	{ .type = NFTA_SET_OBJ_TYPE },
	{ .type = NFTA_SET_TIMEOUT },
	{ .type = NFTA_SET_USERDATA },
	{ 0 }
};
static const kept_t element_kept[] = {
	{ .type = NFTA_SET_ELEM_KEY, .inside = data_kept },
	{ .type = NFTA_SET_ELEM_KEY_END, .inside = data_kept },
	{ .type = NFTA_SET_ELEM_DATA, .inside = data_kept },
	{ .type = NFTA_SET_ELEM_FLAGS, .unless_zero = true },
	{ .type = NFTA_SET_ELEM_USERDATA },
	{ 0 }
};

static const kept_t meta_kept[] = { { .type = NFTA_META_DREG },
				    { .type = NFTA_META_KEY },
				    { .type = NFTA_META_SREG },
				    { 0 } };
static const kept_t ct_kept[] = { { .type = NFTA_CT_DREG },
				  { .type = NFTA_CT_KEY },
				  { .type = NFTA_CT_DIRECTION },
				  { .type = NFTA_CT_SREG },
				  { 0 } };
static const kept_t cmp_kept[] = { { .type = NFTA_CMP_SREG },
				   { .type = NFTA_CMP_OP },
				   { .type = NFTA_CMP_DATA,
				     .inside = data_kept },
				   { 0 } };
/* 8 is NFTA_BITWISE_SREG2 of Linux 6.13: a rule that has it is not ours. */
static const kept_t bitwise_kept[] = {
	{ .type = NFTA_BITWISE_SREG },
	{ .type = NFTA_BITWISE_DREG },
	{ .type = NFTA_BITWISE_LEN },
	{ .type = NFTA_BITWISE_MASK, .inside = data_kept },
	{ .type = NFTA_BITWISE_XOR, .inside = data_kept },
	{ .type = NFTA_BITWISE_OP, .unless_zero = true },
	{ .type = NFTA_BITWISE_DATA, .inside = data_kept },
	{ .type = 8 },
	{ 0 }
};
static const kept_t byteorder_kept[] = {
	{ .type = NFTA_BYTEORDER_SREG }, { .type = NFTA_BYTEORDER_DREG },
	{ .type = NFTA_BYTEORDER_OP },	 { .type = NFTA_BYTEORDER_LEN },
	{ .type = NFTA_BYTEORDER_SIZE }, { 0 }
};
static const kept_t payload_kept[] = {
	{ .type = NFTA_PAYLOAD_DREG },
	{ .type = NFTA_PAYLOAD_BASE },
	{ .type = NFTA_PAYLOAD_OFFSET },
	{ .type = NFTA_PAYLOAD_LEN },
	{ .type = NFTA_PAYLOAD_SREG },
	{ .type = NFTA_PAYLOAD_CSUM_TYPE, .unless_zero = true },
	{ .type = NFTA_PAYLOAD_CSUM_OFFSET, .unless_zero = true },
	{ .type = NFTA_PAYLOAD_CSUM_FLAGS, .unless_zero = true },
	{ 0 }
};
static const kept_t immediate_kept[] = { { .type = NFTA_IMMEDIATE_DREG },
					 { .type = NFTA_IMMEDIATE_DATA,
					   .inside = data_kept },
					 { 0 } };
static const kept_t socket_kept[] = { { .type = NFTA_SOCKET_KEY },
				      { .type = NFTA_SOCKET_DREG },
				      { .type = NFTA_SOCKET_LEVEL },
				      { 0 } };
static const kept_t lookup_kept[] = { { .type = NFTA_LOOKUP_SET },
				      { .type = NFTA_LOOKUP_SREG },
				      { .type = NFTA_LOOKUP_DREG },
				      { .type = NFTA_LOOKUP_SET_ID },
				      { .type = NFTA_LOOKUP_FLAGS,
					.unless_zero = true },
				      { 0 } };
/* What comes back has no pointers in it (nft_match_dump_info()). */
static const kept_t match_kept[] = { { .type = NFTA_MATCH_NAME },
				     { .type = NFTA_MATCH_REV },
				     { .type = NFTA_MATCH_INFO },
				     { 0 } };
/* What a counter has counted is no difference. */
static const kept_t counter_kept[] = { { 0 } };

static const struct {
	const char *name;
	const kept_t *kept;
} expressions[] = {
	{ "meta", meta_kept },
	{ "ct", ct_kept },
	{ "cmp", cmp_kept },
	{ "bitwise", bitwise_kept },
	{ "byteorder", byteorder_kept },
	{ "payload", payload_kept },
	{ "immediate", immediate_kept },
	{ "socket", socket_kept },
	{ "lookup", lookup_kept },
	{ "match", match_kept },
	{ "counter", counter_kept },
};

void canon_table(struct text *out, struct span in)
{
	nfattr_pick(out, in, table_kept);
}

void canon_chain(struct text *out, struct span in)
{
	nfattr_pick(out, in, chain_kept);
}

void canon_set(struct text *out, struct span in)
{
	nfattr_pick(out, in, set_kept);
}

void canon_anonymous(struct text *out, struct span in)
{
	/* Neither its name nor its userdata, which only helps nft to print. */
	static const kept_t kept[] = {
		{ .type = NFTA_SET_FLAGS },
		{ .type = NFTA_SET_KEY_TYPE },
		{ .type = NFTA_SET_KEY_LEN },
		{ .type = NFTA_SET_DATA_TYPE, .unless_zero = true },
		{ .type = NFTA_SET_DATA_LEN, .unless_zero = true },
		{ 0 }
	};

	nfattr_pick(out, in, kept);
}

void canon_element(struct text *out, struct span in)
{
	size_t at = nfattr_open(out, NFTA_LIST_ELEM);

	nfattr_pick(out, in, element_kept);
	nfattr_close(out, at);
}

static const kept_t *find_kept(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(expressions); i++)
		if (!strcmp(expressions[i].name, name))
			return expressions[i].kept;
	return NULL;
}

static void put_anonymous_lookup(struct text *out, struct span in, int set)
{
	AUTO_TEXT named = TEXT_NONE;

	/* The first of two attributes of one type is the one that is found. */
	nfattr_put_text(&named, NFTA_LOOKUP_SET, ANONYMOUS_SET);
	nfattr_put_u32(&named, NFTA_LOOKUP_SET_ID, (uint32_t)set);
	text_put_bytes(&named, in.at, in.length);
	nfattr_pick(out, nfattr_text(&named), lookup_kept);
}

void canon_expression(struct text *out, struct span in,
		      int (*renamed)(const char *set, void *arg), void *arg)
{
	const char *name = nfattr_string(in, NFTA_EXPR_NAME);
	struct span data = nfattr_span(nfattr_find(in, NFTA_EXPR_DATA));
	const kept_t *kept = name ? find_kept(name) : NULL;
	size_t elem = nfattr_open(out, NFTA_LIST_ELEM), at;
	int set = -1;

	nfattr_put_text(out, NFTA_EXPR_NAME, name ? name : "");
	if (kept != counter_kept) {
		at = nfattr_open(out, NFTA_EXPR_DATA);
		if (kept == lookup_kept)
			set = renamed(nfattr_string(data, NFTA_LOOKUP_SET),
				      arg);
		if (set >= 0)
			put_anonymous_lookup(out, data, set);
		else if (kept)
			nfattr_pick(out, data, kept);
		else
			text_put_bytes(out, data.at, data.length);
		nfattr_close(out, at);
	}
	nfattr_close(out, elem);
}
