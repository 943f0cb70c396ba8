/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is wanted as a file for nft -f (declared in mark.h). */
#include <linux/netfilter/nf_tables.h>
#include <string.h>

#include "backends/list.h"
#include "backends/mark/item.h"
#include "backends/mark/mark.h"
#include "backends/mark/set.h"
#include "backends/mark/show.h"
#include "model/node.h"

static struct span value_in(struct span in, unsigned type)
{
	return nfattr_span(nfattr_find(nfattr_span(nfattr_find(in, type)),
				       NFTA_DATA_VALUE));
}

static uint32_t u32_in(struct span in, unsigned type)
{
	struct span value = value_in(in, type);
	uint32_t u = 0;

	if (value.length == sizeof(u))
		memcpy(&u, value.at, sizeof(u));
	return u;
}

static void put_set(const struct item *item, struct text *out)
{
	bool map = nfattr_u32(item->body, NFTA_SET_FLAGS) & NFT_SET_MAP;

	text_printf(out, "add %s inet " MARK_TABLE " %s { type mark%s; }\n",
		    map ? "map" : "set", item->name, map ? " : classid" : "");
}

static void put_chain(const struct item *item, struct text *out)
{
	static const char *const hooks[] = { "prerouting", "input", "forward",
					     "output", "postrouting" };
	struct span hook =
		nfattr_span(nfattr_find(item->body, NFTA_CHAIN_HOOK));
	uint32_t number = nfattr_u32(hook, NFTA_HOOK_HOOKNUM);

	text_printf(out, "add chain inet " MARK_TABLE " %s", item->name);
	if (hook.length && number < ARRAY_SIZE(hooks))
		text_printf(out,
			    " { type filter hook %s priority %d; policy "
			    "accept; }",
			    hooks[number],
			    (int)nfattr_u32(hook, NFTA_HOOK_PRIORITY));
	text_put_char(out, '\n');
}

static void put_element(const struct item *item, struct text *out)
{
	struct span in = nfattr_span(nfattr_find(item->body, NFTA_LIST_ELEM));

	text_printf(out, "add element inet " MARK_TABLE " %s { ", item->name);
	show_mark(u32_in(in, NFTA_SET_ELEM_KEY), out);
	if (nfattr_find(in, NFTA_SET_ELEM_DATA)) {
		text_put(out, " : ");
		show_classid(u32_in(in, NFTA_SET_ELEM_DATA), out);
	}
	text_put(out, " }\n");
}

/* The comment: userdata is a type, a length and the text. */
static void put_comment(const struct item *item, struct text *out)
{
	const char *udata = item->extra.at;

	if (item->extra.length > 3 && udata[0] == 0)
		text_printf(out, " comment \"%.*s\"",
			    (int)item->extra.length - 3, udata + 2);
}

/* A group is told by its number in the rule, and by its path to nft. */
static const char *cgroup_of(const struct tree *tree,
			     const struct object *object)
{
	const struct node *match =
		tree_walk(tree, tree_root(tree), object->path, NULL);

	return match && node_kind(match) == &kind_match
		       ? node_text(match, MATCH_CGROUP)
		       : NULL;
}

/* Iptables' matches are nobody's in nft's language. */
static bool has_words(const struct item *item)
{
	const struct nlattr *attr;
	int rest;

	nfattr_each(attr, rest, item->body)
	{
		const char *name =
			nfattr_string(nfattr_span(attr), NFTA_EXPR_NAME);

		if (name && !strcmp(name, "match"))
			return false;
	}
	return true;
}

/* The rule follows as a comment. */
static void leave_out(const struct exporting *exporting,
		      const struct object *object, const char *what,
		      struct text *out)
{
	text_printf(out, "# nft has no words for (%s): ", what);
	report_add(exporting->report, FINDING_ERROR, EOPNOTSUPP, object->path,
		   "its rule is not exported: nft has no words for (%s)", what);
}

static void put_rule(const struct exporting *exporting,
		     const struct object *object, const struct item *item,
		     struct text *out)
{
	AUTO_TEXT words = TEXT_NONE;
	bool readable = show_rule_whole(
		item, cgroup_of(exporting->tree, object), &words);

	if (!has_words(item))
		leave_out(exporting, object, "xt string match", out);
	else if (!readable)
		leave_out(exporting, object, "a quote in a name", out);
	text_printf(out, "add rule inet " MARK_TABLE " %s%s", item->name,
		    text_get(&words));
	put_comment(item, out);
	text_put_char(out, '\n');
}

static void put_item(const struct exporting *exporting,
		     const struct object *object, struct text *out)
{
	struct item item = item_get(object);

	switch (item.what) {
	case ITEM_TABLE:
		text_put(out, "add table inet " MARK_TABLE "\n");
		break;
	case ITEM_SET: put_set(&item, out); break;
	case ITEM_CHAIN: put_chain(&item, out); break;
	case ITEM_ELEMENT: put_element(&item, out); break;
	case ITEM_RULE: put_rule(exporting, object, &item, out); break;
	}
}

/* What is named comes before what names it; rules of a chain in their order. */
int mark_export(const struct exporting *exporting, struct text *out,
		struct err *err)
{
	static const enum item_what order[] = { ITEM_TABLE, ITEM_SET,
						ITEM_CHAIN, ITEM_ELEMENT,
						ITEM_RULE };
	const struct state *want = exporting->want;

	(void)err;
	for (size_t turn = 0; turn < ARRAY_SIZE(order); turn++)
		for (size_t i = 0; i < want->count; i++) {
			const struct object *object = &want->items[i];

			if (object->backend == &backend_mark &&
			    item_get(object).what == order[turn])
				put_item(exporting, object, out);
		}
	return 0;
}
