/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Extended matches (man tc-ematch) in words of tc (say.h). */
#include <arpa/inet.h>
#include <linux/pkt_cls.h>
#include <linux/tc_ematch/tc_em_cmp.h>
#include <linux/tc_ematch/tc_em_nbyte.h>
#include <string.h>

#include "backends/tc/message.h"
#include "backends/tc/say.h"
#include "backends/tc/heed.h"
#include "model/base/mem.h"

#define MATCHES 255u

/* The kernel has them in a row: those of a bracket stand behind. */
struct row {
	const struct nlattr *items[MATCHES];
	size_t count;
};

struct match {
	struct tcf_ematch_hdr header;
	const char *data;
	size_t size;
};

static bool read_match(const struct nlattr *item, struct match *out)
{
	if (!message_struct(item, &out->header, sizeof(out->header)))
		return false;
	out->data = (const char *)nla_data(item) + sizeof(out->header);
	out->size = (size_t)nla_len(item) - sizeof(out->header);
	return true;
}

static int unreadable(const struct say *say)
{
	return err_set(say->err, EOPNOTSUPP,
		       "what the kernel tells of its matches cannot be read");
}

static int say_cmp(const struct say *say, const struct match *match)
{
	static const char *const widths[] = {
		[TCF_EM_ALIGN_U8] = "u8",
		[TCF_EM_ALIGN_U16] = "u16",
		[TCF_EM_ALIGN_U32] = "u32",
	};
	static const char *const operations[] = {
		[TCF_EM_OPND_EQ] = "eq",
		[TCF_EM_OPND_GT] = "gt",
		[TCF_EM_OPND_LT] = "lt",
	};
	struct tcf_em_cmp cmp;

	if (match->size < sizeof(cmp))
		return unreadable(say);
	memcpy(&cmp, match->data, sizeof(cmp));
	if (cmp.align >= ARRAY_SIZE(widths) || !widths[cmp.align] ||
	    cmp.opnd >= ARRAY_SIZE(operations))
		return unreadable(say);
	text_printf(say->out, "cmp(%s at %u layer %u", widths[cmp.align],
		    cmp.off, cmp.layer);
	if (cmp.mask)
		text_printf(say->out, " mask 0x%x", cmp.mask);
	if (cmp.flags & TCF_EM_CMP_TRANS)
		text_put(say->out, " trans");
	text_printf(say->out, " %s %u)", operations[cmp.opnd], cmp.val);
	return 0;
}

static int say_nbyte(const struct say *say, const struct match *match)
{
	struct tcf_em_nbyte nbyte;

	if (match->size < sizeof(nbyte))
		return unreadable(say);
	memcpy(&nbyte, match->data, sizeof(nbyte));
	if (match->size < sizeof(nbyte) + nbyte.len)
		return unreadable(say);
	/* tc ends its words at a zero byte. */
	text_put(say->out, "nbyte(\"");
	for (size_t i = 0; i < nbyte.len; i++)
		text_printf(say->out, "\\%03o",
			    (uint8_t)match->data[sizeof(nbyte) + i]);
	text_printf(say->out, "\" at %u layer %u)", nbyte.off, nbyte.layer);
	return 0;
}

static int say_u32_match(const struct say *say, const struct match *match)
{
	struct tc_u32_key key;

	if (match->size < sizeof(key))
		return unreadable(say);
	memcpy(&key, match->data, sizeof(key));
	if (key.val & ~key.mask || key.off < 0 ||
	    (key.offmask && key.offmask != -1))
		return err_set(say->err, EOPNOTSUPP,
			       "it has a match u32 that tc cannot say");
	text_printf(say->out, "u32(u32 0x%x 0x%x at %s%d)", ntohl(key.val),
		    ntohl(key.mask), key.offmask ? "nexthdr+" : "", key.off);
	return 0;
}

static int say_row(const struct say *say, const struct row *row, size_t from);

static int say_match(const struct say *say, const struct row *row, size_t at,
		     const struct match *match)
{
	uint32_t inner = 0;
	int rc;

	switch (match->header.kind) {
	case TCF_EM_CONTAINER:
		memcpy(&inner, match->data,
		       match->size < sizeof(inner) ? 0 : sizeof(inner));
		/* Only forward: so it comes to an end. */
		if (inner <= at || inner >= row->count)
			return unreadable(say);
		text_put_char(say->out, '(');
		rc = say_row(say, row, inner);
		text_put_char(say->out, ')');
		return rc;
	case TCF_EM_CMP: return say_cmp(say, match);
	case TCF_EM_NBYTE: return say_nbyte(say, match);
	case TCF_EM_U32: return say_u32_match(say, match);
	default:
		return err_set(say->err, EOPNOTSUPP,
			       "it has an extended match of kind %u, of which "
			       "Tresse does not know tc's words",
			       match->header.kind);
	}
}

static int say_row(const struct say *say, const struct row *row, size_t from)
{
	for (size_t at = from; at < row->count; at++) {
		struct match match;
		uint16_t relation;
		int rc;

		if (!read_match(row->items[at], &match))
			return unreadable(say);
		if (match.header.flags & TCF_EM_INVERT)
			text_put(say->out, "not ");
		rc = say_match(say, row, at, &match);
		if (rc < 0)
			return rc;
		relation = match.header.flags & TCF_EM_REL_MASK;
		if (relation == TCF_EM_REL_END)
			return 0;
		text_put(say->out,
			 relation == TCF_EM_REL_AND ? " and " : " or ");
	}
	return unreadable(say);
}

int say_ematch(const struct say *say, const struct nlattr *tree)
{
	struct row row = { .count = 0 };
	struct heed heed;
	const struct nlattr *list, *at;
	int rest, rc = heed_read(tree, &heed, say->err);

	if (rc < 0)
		return rc;
	list = heed_attr(&heed, TCA_EMATCH_TREE_LIST);
	if (!list || !nla_len(list))
		return 0;
	nla_for_each_nested(at, (struct nlattr *)(uintptr_t)list,
			    rest) if (row.count < MATCHES)
		row.items[row.count++] = at;
	text_put(say->out, " match '");
	rc = say_row(say, &row, 0);
	text_put_char(say->out, '\'');
	return rc;
}
