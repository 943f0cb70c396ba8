/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One line for one object, in nft's words. */
#include <linux/netfilter/nf_tables.h>
#include <string.h>

#include "backends/mark/item.h"
#include "backends/mark/mark.h"
#include "backends/mark/set.h"
#include "backends/mark/show.h"

static struct span value_in(struct span in, unsigned type)
{
	return nfattr_span(nfattr_find(nfattr_span(nfattr_find(in, type)),
				       NFTA_DATA_VALUE));
}

static bool read_u32(struct span value, uint32_t *u)
{
	if (value.length != sizeof(*u))
		return false;
	memcpy(u, value.at, sizeof(*u));
	return true;
}

static void print_chain(const struct item *item, struct text *out)
{
	struct span hook =
		nfattr_span(nfattr_find(item->body, NFTA_CHAIN_HOOK));

	text_printf(out, "chain %s", item->name);
	if (hook.length)
		text_printf(out, " hook %u priority %d",
			    nfattr_u32(hook, NFTA_HOOK_HOOKNUM),
			    (int)nfattr_u32(hook, NFTA_HOOK_PRIORITY));
}

static void print_set(const struct item *item, struct text *out)
{
	bool map = nfattr_u32(item->body, NFTA_SET_FLAGS) & NFT_SET_MAP;

	text_printf(out, "%s %s", map ? "map" : "set", item->name);
	if (map && nfattr_u32(item->body, NFTA_SET_KEY_TYPE) == DATATYPE_MARK &&
	    nfattr_u32(item->body, NFTA_SET_DATA_TYPE) == DATATYPE_CLASSID)
		text_put(out, " mark : classid");
}

static void print_class(const struct item *item, struct text *out)
{
	struct span in = nfattr_span(nfattr_find(item->body, NFTA_LIST_ELEM));
	uint32_t classid;

	if (read_u32(value_in(in, NFTA_SET_ELEM_DATA), &classid))
		show_classid(classid, out);
	else
		text_put(out, "?");
}

/* "10 : 1:10" */
static void print_element(const struct item *item, struct text *out)
{
	struct span in = nfattr_span(nfattr_find(item->body, NFTA_LIST_ELEM));
	uint32_t mark;

	text_printf(out, "%s: ", item->name);
	if (!read_u32(value_in(in, NFTA_SET_ELEM_KEY), &mark)) {
		text_put(out, "an element");
		return;
	}
	show_mark(mark, out);
	text_put(out, " : ");
	print_class(item, out);
}

/* The comment: userdata is a type, a length and the text. */
static void print_comment(const struct item *item, struct text *out)
{
	const char *udata = item->extra.at;

	if (item->extra.length > 3 && udata[0] == 0)
		text_printf(out, " # %.*s", (int)item->extra.length - 2,
			    udata + 2);
}

void mark_print(const struct object *object, struct text *out)
{
	struct item item = item_get(object);

	text_put(out, "nft ");
	switch (item.what) {
	case ITEM_TABLE: text_put(out, "table inet " MARK_TABLE); break;
	case ITEM_SET: print_set(&item, out); break;
	case ITEM_CHAIN: print_chain(&item, out); break;
	case ITEM_ELEMENT: print_element(&item, out); break;
	case ITEM_RULE:
		text_printf(out, "%s:", item.name);
		show_rule(&item, out);
		print_comment(&item, out);
		break;
	}
}

void mark_print_change(const struct object *before, const struct object *after,
		       struct text *out)
{
	struct item old = item_get(before), new = item_get(after);

	if (old.what == ITEM_RULE && item_equal(&old, &new)) {
		mark_print(after, out);
		text_printf(out, " (moved from place %u to %u)", old.order + 1,
			    new.order + 1);
		return;
	}
	if (old.what == ITEM_RULE) {
		text_printf(out, "nft %s:", old.name);
		show_rule(&old, out);
		text_put(out, " ->");
		show_rule(&new, out);
		print_comment(&new, out);
		return;
	}
	mark_print(before, out);
	text_put(out, " -> ");
	print_class(&new, out);
}
