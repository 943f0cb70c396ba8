/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Filters in words of tc (say.h). */
#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/pkt_cls.h>
#include <string.h>

#include "backends/tc/message.h"
#include "backends/tc/say.h"
#include "backends/tc/heed.h"
#include "model/base/mem.h"
#include "model/facts.h"

/* What each kind is asked with. */
struct asked {
	const struct say *say;
	const struct said_filter *filter;
	struct heed *heed;
};

void say_id(uint32_t id, struct text *out)
{
	text_printf(out, "%x:", TC_H_MAJ(id) >> 16);
	if (TC_H_MIN(id))
		text_printf(out, "%x", TC_H_MIN(id));
}

int say_device(const struct say *say, const char *word, int index)
{
	const struct link_fact *link = facts_link_at(say->facts, index);

	if (!link)
		return err_set(say->err, EOPNOTSUPP,
			       "the device that it names (number %d) is not "
			       "there",
			       index);
	text_printf(say->out, " %s ", word);
	text_put_word(say->out, link->name);
	return 0;
}

static void put_class(struct heed *heed, int type, struct text *out)
{
	if (!heed_has(heed, type))
		return;
	text_put(out, " classid ");
	say_id(heed_u32(heed, type, 0), out);
}

static int put_indev(const struct say *say, struct heed *heed, int type)
{
	const struct nlattr *attr = heed_attr(heed, type);

	if (!attr)
		return 0;
	if (nla_len(attr) < 1 ||
	    !memchr(nla_data(attr), '\0', (size_t)nla_len(attr)))
		return err_set(say->err, EOPNOTSUPP,
			       "the device that it names cannot be read");
	text_put(say->out, " indev ");
	text_put_word(say->out, nla_data(attr));
	return 0;
}

/* The card's part is what was asked for; whether it has it is not. */
static void put_flags(struct heed *heed, int type, struct text *out)
{
	uint32_t flags = heed_u32(heed, type, 0);

	if (flags & TCA_CLS_FLAGS_SKIP_HW)
		text_put(out, " skip_hw");
	if (flags & TCA_CLS_FLAGS_SKIP_SW)
		text_put(out, " skip_sw");
}

static int put_acts(const struct say *say, struct heed *heed, int actions,
		    int police)
{
	const struct nlattr *list = heed_attr(heed, actions);
	const struct nlattr *one = police ? heed_attr(heed, police) : NULL;
	int rc = one ? say_police(say, one) : 0;

	return rc == 0 && list ? say_actions(say, list) : rc;
}

/* ---- u32 ---- */

#define U32_KEY_MOST 128u

bool say_is_table(const char *kind, uint32_t handle)
{
	return !strcmp(kind, "u32") && !TC_U32_NODE(handle);
}

static void put_key(const struct tc_u32_key *key, struct text *out)
{
	text_printf(out, " match u32 0x%08x 0x%08x at %s%d", ntohl(key->val),
		    ntohl(key->mask), key->offmask ? "nexthdr+" : "", key->off);
}

/* tc joins keys at the same place into one, and takes places by four bytes. */
static bool can_be_said(const struct tc_u32_key *keys, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		if (keys[i].off % 4 || keys[i].val & ~keys[i].mask ||
		    (keys[i].offmask && keys[i].offmask != -1))
			return false;
		for (unsigned j = 0; j < i; j++)
			if (keys[i].off == keys[j].off &&
			    keys[i].offmask == keys[j].offmask)
				return false;
	}
	return true;
}

static int put_offset(const struct say *say, const struct tc_u32_sel *sel)
{
	if (sel->flags & (TC_U32_OFFSET | TC_U32_VAROFFSET | TC_U32_EAT))
		text_put(say->out, " offset");
	if (sel->flags & TC_U32_VAROFFSET)
		text_printf(say->out, " at %d mask 0x%04x shift %u",
			    sel->offoff, ntohs(sel->offmask), sel->offshift);
	if (sel->flags & TC_U32_OFFSET)
		text_printf(say->out, " plus %u", sel->off);
	if (sel->flags & TC_U32_EAT)
		text_put(say->out, " eat");
	if (sel->hmask)
		text_printf(say->out, " hashkey mask 0x%08x at %d",
			    ntohl(sel->hmask), sel->hoff);
	if ((!(sel->flags & TC_U32_OFFSET) && sel->off) || sel->offoff % 2 ||
	    (sel->hmask && sel->hoff % 4))
		return err_set(say->err, EOPNOTSUPP,
			       "where it looks next is nothing that tc can "
			       "say");
	return 0;
}

static int put_selector(const struct say *say, const struct nlattr *attr)
{
	struct tc_u32_sel sel;
	struct tc_u32_key keys[U32_KEY_MOST];

	if (!message_struct(attr, &sel, sizeof(sel)) ||
	    sel.nkeys > U32_KEY_MOST ||
	    nla_len(attr) < (int)(sizeof(sel) + sel.nkeys * sizeof(keys[0])))
		return err_set(say->err, EOPNOTSUPP,
			       "what it looks at cannot be read");
	memcpy(keys, (const char *)nla_data(attr) + sizeof(sel),
	       sel.nkeys * sizeof(keys[0]));
	if (!can_be_said(keys, sel.nkeys))
		return err_set(say->err, EOPNOTSUPP,
			       "it has keys that tc cannot say, or joins");
	for (unsigned i = 0; i < sel.nkeys; i++)
		put_key(&keys[i], say->out);
	return put_offset(say, &sel);
}

static bool is_terminal(const struct heed *heed)
{
	const struct nlattr *attr = heed->attrs[TCA_U32_SEL];
	struct tc_u32_sel sel;

	return message_struct(attr, &sel, sizeof(sel)) &&
	       sel.flags & TC_U32_TERMINAL;
}

static void put_table(uint32_t id, struct text *out)
{
	text_printf(out, "%x:", TC_U32_USERHTID(id));
	if (TC_U32_HASH(id))
		text_printf(out, "%x:", TC_U32_HASH(id));
}

/* tc wants one match at least: to look at nothing is to look at no bit of the
 * mark. (A kernel without CONFIG_CLS_U32_MARK makes that of any.) */
static void put_mark(struct heed *heed, bool alone, struct text *out)
{
	struct tc_u32_mark mark;

	if (heed_struct(heed, TCA_U32_MARK, &mark, sizeof(mark)) || alone)
		text_printf(out, " match mark 0x%x 0x%x", mark.val, mark.mask);
}

static int put_u32_keys(const struct say *say, struct heed *heed)
{
	const struct nlattr *attr = heed_attr(heed, TCA_U32_SEL);
	struct tc_u32_sel sel = { .nkeys = 0 };

	if (attr)
		(void)message_struct(attr, &sel, sizeof(sel));
	put_mark(heed, !sel.nkeys, say->out);
	return put_selector(say, attr);
}

static int say_u32(const struct asked *asked)
{
	const struct say *say = asked->say;
	struct heed *heed = asked->heed;
	bool acts = heed_has(heed, TCA_U32_ACT) ||
		    heed_has(heed, TCA_U32_POLICE) ||
		    heed_has(heed, TCA_U32_CLASSID);
	int rc;

	heed_skip(heed, TCA_U32_PCNT);
	heed_skip(heed, TCA_U32_HASH);
	if (say_is_table("u32", asked->filter->handle)) {
		text_printf(say->out, " divisor %u",
			    heed_u32(heed, TCA_U32_DIVISOR, 1));
		return 0;
	}
	/* Those of a root table are there already. */
	if ((asked->filter->handle & ~0xfffu) != asked->filter->root) {
		text_put(say->out, " ht ");
		put_table(asked->filter->handle & ~0xfffu, say->out);
	}
	if (is_terminal(heed) != acts)
		return err_set(say->err, EOPNOTSUPP,
			       "it ends the search and names no class, or the "
			       "other way round");
	rc = put_u32_keys(say, heed);
	if (rc == 0 && heed_has(heed, TCA_U32_LINK)) {
		text_put(say->out, " link ");
		put_table(heed_u32(heed, TCA_U32_LINK, 0), say->out);
	}
	if (rc == 0)
		rc = put_indev(say, heed, TCA_U32_INDEV);
	put_flags(heed, TCA_U32_FLAGS, say->out);
	put_class(heed, TCA_U32_CLASSID, say->out);
	return rc < 0 ? rc : put_acts(say, heed, TCA_U32_ACT, TCA_U32_POLICE);
}

/* ---- the small ones ---- */

static int say_fw(const struct asked *asked)
{
	const struct say *say = asked->say;
	int rc = put_indev(say, asked->heed, TCA_FW_INDEV);

	/* It is part of the handle. */
	heed_skip(asked->heed, TCA_FW_MASK);
	put_class(asked->heed, TCA_FW_CLASSID, say->out);
	return rc < 0 ? rc
		      : put_acts(say, asked->heed, TCA_FW_ACT, TCA_FW_POLICE);
}

static int say_basic(const struct asked *asked)
{
	const struct nlattr *tree = heed_attr(asked->heed, TCA_BASIC_EMATCHES);
	int rc = tree ? say_ematch(asked->say, tree) : 0;

	heed_skip(asked->heed, TCA_BASIC_PCNT);
	put_class(asked->heed, TCA_BASIC_CLASSID, asked->say->out);
	return rc < 0 ? rc
		      : put_acts(asked->say, asked->heed, TCA_BASIC_ACT,
				 TCA_BASIC_POLICE);
}

static int say_cgroup(const struct asked *asked)
{
	const struct nlattr *tree = heed_attr(asked->heed, TCA_CGROUP_EMATCHES);
	int rc = tree ? say_ematch(asked->say, tree) : 0;

	return rc < 0 ? rc
		      : put_acts(asked->say, asked->heed, TCA_CGROUP_ACT,
				 TCA_CGROUP_POLICE);
}

static int say_matchall(const struct asked *asked)
{
	heed_skip(asked->heed, TCA_MATCHALL_PCNT);
	put_flags(asked->heed, TCA_MATCHALL_FLAGS, asked->say->out);
	put_class(asked->heed, TCA_MATCHALL_CLASSID, asked->say->out);
	return put_acts(asked->say, asked->heed, TCA_MATCHALL_ACT, 0);
}

void say_bytecode(const void *ops, size_t size, struct text *out)
{
	size_t count = size / sizeof(struct sock_filter);

	text_printf(out, "bytecode '%zu", count);
	for (size_t i = 0; i < count; i++) {
		struct sock_filter op;

		memcpy(&op, (const char *)ops + i * sizeof(op), sizeof(op));
		text_printf(out, ",%u %u %u %u", op.code, op.jt, op.jf, op.k);
	}
	text_put_char(out, '\'');
}

static int refuse_program(const struct say *say, struct heed *heed)
{
	const struct nlattr *name = heed_attr(heed, TCA_BPF_NAME);
	uint32_t id = heed_u32(heed, TCA_BPF_ID, 0);

	return err_set(say->err, EOPNOTSUPP,
		       "its program of eBPF (id %u, %.*s) came from a file "
		       "that the kernel does not know",
		       id, name ? nla_len(name) - 1 : 7,
		       name ? (const char *)nla_data(name) : "no name");
}

static int say_bpf(const struct asked *asked)
{
	const struct say *say = asked->say;
	struct heed *heed = asked->heed;
	const struct nlattr *ops = heed_attr(heed, TCA_BPF_OPS);
	uint32_t flags = heed_u32(heed, TCA_BPF_FLAGS, 0);

	if (!ops)
		return refuse_program(say, heed);
	heed_skip(heed, TCA_BPF_OPS_LEN);
	text_put_char(say->out, ' ');
	say_bytecode(nla_data(ops), (size_t)nla_len(ops), say->out);
	if (flags & TCA_BPF_FLAG_ACT_DIRECT)
		text_put(say->out, " direct-action");
	put_flags(heed, TCA_BPF_FLAGS_GEN, say->out);
	put_class(heed, TCA_BPF_CLASSID, say->out);
	return put_acts(say, heed, TCA_BPF_ACT, TCA_BPF_POLICE);
}

/* ---- flow ---- */

static const char *const flow_keys[] = {
	"src",
	"dst",
	"proto",
	"proto-src",
	"proto-dst",
	"iif",
	"priority",
	"mark",
	"nfct",
	"nfct-src",
	"nfct-dst",
	"nfct-proto-src",
	"nfct-proto-dst",
	"rt-classid",
	"sk-uid",
	"sk-gid",
	"vlan-tag",
	"rxhash",
};

static int put_flow_keys(const struct say *say, uint32_t keys)
{
	const char *before = " keys ";

	for (size_t i = 0; i < ARRAY_SIZE(flow_keys); i++) {
		if (!(keys >> i & 1))
			continue;
		text_printf(say->out, "%s%s", before, flow_keys[i]);
		before = ",";
	}
	if (keys >> ARRAY_SIZE(flow_keys))
		return err_set(say->err, EOPNOTSUPP,
			       "it has keys 0x%x, for which tc has no words",
			       keys);
	return 0;
}

static void put_given(const char *word, struct heed *heed, int type,
		      struct text *out)
{
	uint32_t u = heed_u32(heed, type, 0);

	if (u)
		text_printf(out, " %s %u", word, u);
}

static int say_flow(const struct asked *asked)
{
	const struct say *say = asked->say;
	struct heed *heed = asked->heed;
	const struct nlattr *tree;
	uint32_t mask = heed_u32(heed, TCA_FLOW_MASK, UINT32_MAX);
	uint32_t invert = heed_u32(heed, TCA_FLOW_XOR, 0);
	int rc;

	text_put(say->out, heed_u32(heed, TCA_FLOW_MODE, 0) ? " hash" : " map");
	rc = put_flow_keys(say, heed_u32(heed, TCA_FLOW_KEYS, 0));
	if (rc < 0)
		return rc;
	if (mask != UINT32_MAX || invert)
		text_printf(say->out, " and 0x%x xor 0x%x", mask, invert);
	put_given("rshift", heed, TCA_FLOW_RSHIFT, say->out);
	put_given("addend", heed, TCA_FLOW_ADDEND, say->out);
	put_given("divisor", heed, TCA_FLOW_DIVISOR, say->out);
	/* In jiffies there, in seconds here. */
	if (heed_u32(heed, TCA_FLOW_PERTURB, 0))
		text_printf(say->out, " perturb %u",
			    heed_u32(heed, TCA_FLOW_PERTURB, 0));
	text_put(say->out, " baseclass ");
	say_id(heed_u32(heed, TCA_FLOW_BASECLASS, 0), say->out);
	tree = heed_attr(heed, TCA_FLOW_EMATCHES);
	rc = tree ? say_ematch(say, tree) : 0;
	return rc < 0 ? rc : put_acts(say, heed, TCA_FLOW_ACT, TCA_FLOW_POLICE);
}

/* ---- route ---- */

static int say_route(const struct asked *asked)
{
	const struct say *say = asked->say;
	struct heed *heed = asked->heed;
	uint32_t order = asked->filter->handle >> 8 & 0x7f;
	int rc = 0;

	if (heed_has(heed, TCA_ROUTE4_TO))
		text_printf(say->out, " to %u",
			    heed_u32(heed, TCA_ROUTE4_TO, 0));
	if (heed_has(heed, TCA_ROUTE4_FROM))
		text_printf(say->out, " from %u",
			    heed_u32(heed, TCA_ROUTE4_FROM, 0));
	if (heed_has(heed, TCA_ROUTE4_IIF))
		rc = say_device(say, "fromif",
				(int)heed_u32(heed, TCA_ROUTE4_IIF, 0));
	if (order)
		text_printf(say->out, " order %u", order);
	put_class(heed, TCA_ROUTE4_CLASSID, say->out);
	return rc < 0 ? rc
		      : put_acts(say, heed, TCA_ROUTE4_ACT, TCA_ROUTE4_POLICE);
}

/* ---- flower ---- */

static int say_flower_whole(const struct asked *asked)
{
	const struct say *say = asked->say;
	struct heed *heed = asked->heed;
	int rc;

	heed_skip(heed, TCA_FLOWER_IN_HW_COUNT);
	rc = say_flower(say, heed, asked->filter->protocol);
	if (rc == 0)
		rc = put_indev(say, heed, TCA_FLOWER_INDEV);
	put_flags(heed, TCA_FLOWER_FLAGS, say->out);
	put_class(heed, TCA_FLOWER_CLASSID, say->out);
	return rc < 0 ? rc : put_acts(say, heed, TCA_FLOWER_ACT, 0);
}

/* ---- all of them ---- */

enum handle_form { HANDLE_NUMBER, HANDLE_U32, HANDLE_MARK, HANDLE_NONE };

static const struct {
	const char *kind;
	int (*say)(const struct asked *asked);
	enum handle_form handle;
} kinds_known[] = {
	{ "u32", say_u32, HANDLE_U32 },
	{ "fw", say_fw, HANDLE_MARK },
	{ "flower", say_flower_whole, HANDLE_NUMBER },
	{ "basic", say_basic, HANDLE_NUMBER },
	{ "matchall", say_matchall, HANDLE_NUMBER },
	{ "bpf", say_bpf, HANDLE_NUMBER },
	{ "flow", say_flow, HANDLE_NUMBER },
	{ "cgroup", say_cgroup, HANDLE_NUMBER },
	/* It follows from the words. */
	{ "route", say_route, HANDLE_NONE },
};

static void put_handle(enum handle_form form, uint32_t handle,
		       struct heed *heed, struct text *out)
{
	switch (form) {
	case HANDLE_NUMBER: text_printf(out, "handle 0x%x ", handle); break;
	case HANDLE_U32:
		if (TC_U32_NODE(handle))
			text_printf(out, "handle ::%x ", TC_U32_NODE(handle));
		else
			text_printf(out,
				    "handle %x: ", TC_U32_USERHTID(handle));
		break;
	case HANDLE_MARK:
		text_printf(out, "handle 0x%x", handle);
		if (heed_has(heed, TCA_FW_MASK))
			text_printf(out, "/0x%x",
				    heed_u32(heed, TCA_FW_MASK, 0));
		text_put_char(out, ' ');
		break;
	case HANDLE_NONE: break;
	}
}

int say_filter(const struct say *say, const struct said_filter *filter,
	       const struct nlattr *options)
{
	struct heed heed;
	struct asked asked = { say, filter, &heed };
	size_t i = 0;
	int rc;

	while (i < ARRAY_SIZE(kinds_known) &&
	       strcmp(kinds_known[i].kind, filter->kind) != 0)
		i++;
	if (i == ARRAY_SIZE(kinds_known))
		return err_set(say->err, EOPNOTSUPP,
			       "Tresse does not know tc's words for this kind");
	rc = heed_read(options, &heed, say->err);
	if (rc < 0)
		return rc;
	/* fw alone, which takes a mark for a class. */
	if (filter->handle)
		put_handle(kinds_known[i].handle, filter->handle, &heed,
			   say->out);
	text_put(say->out, filter->kind);
	rc = kinds_known[i].say(&asked);
	return rc < 0 ? rc : heed_all(&heed, filter->kind, say->err);
}
