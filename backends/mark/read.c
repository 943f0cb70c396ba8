/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What is in the table: everything, not only what we put there, so that what
 * somebody else put into it is seen.
 *
 * Anonymous sets come before the rules, since a rule is only told apart by what
 * is in them: their names, __set0 and so on, are the kernel's and change.
 */
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "backends/host.h"
#include "backends/mark/canon.h"
#include "backends/mark/dump.h"
#include "backends/mark/item.h"
#include "backends/mark/mark.h"
#include "backends/mark/names.h"

struct found_set {
	char *name; /* owned */
	bool anonymous;
	struct text attrs, elements;
};

/* A rule, chain or element before the dump is known to be whole. */
struct found {
	struct item item; /* its name and spans are in bytes */
	char *name;	  /* owned */
	struct text body, extra, sets;
};

struct reading {
	bool table;
	struct text table_attrs;
	struct found_set *sets; /* sorted by name once all are there */
	size_t set_count, set_room;
	struct found *items; /* of the dump that is under way */
	size_t item_count, item_room;
	struct found_set *set; /* whose elements are read */
	uint32_t order;	       /* of the next rule in its chain */
};

/* ---- collecting ------------------------------------------------------ */

static void clear_items(void *arg)
{
	struct reading *reading = arg;

	for (size_t i = 0; i < reading->item_count; i++) {
		struct found *found = &reading->items[i];

		free(found->name);
		text_clear(&found->body);
		text_clear(&found->extra);
		text_clear(&found->sets);
	}
	reading->item_count = 0;
}

static void clear_sets(void *arg)
{
	struct reading *reading = arg;

	for (size_t i = 0; i < reading->set_count; i++) {
		free(reading->sets[i].name);
		text_clear(&reading->sets[i].attrs);
		text_clear(&reading->sets[i].elements);
	}
	reading->set_count = 0;
}

static void reading_clear(struct reading *reading)
{
	clear_items(reading);
	clear_sets(reading);
	free(reading->items);
	free(reading->sets);
	text_clear(&reading->table_attrs);
}

static struct found *add_found(struct reading *reading, enum item_what what,
			       const char *name)
{
	struct found *found;

	reading->items = mem_grow(reading->items, reading->item_count,
				  &reading->item_room, sizeof(*found));
	found = &reading->items[reading->item_count++];
	*found = (struct found){ .item.what = what, .name = mem_strdup(name) };
	return found;
}

static bool is_ours(struct span attrs, unsigned table)
{
	const char *name = nfattr_string(attrs, table);

	return name && !strcmp(name, MARK_TABLE);
}

/* ---- into the state -------------------------------------------------- */

/* The path that a comment is; "" for a comment that was cut, and for none. */
static const char *path_of(const struct item *item)
{
	const char *udata = item->extra.at;
	size_t length = item->extra.length;

	if (item->what != ITEM_RULE || length < 4 || udata[0] != 0 ||
	    (size_t)(uint8_t)udata[1] + 2 != length || udata[length - 1] ||
	    udata[2] != '/')
		return "";
	return udata + 2;
}

static void flush_items(struct reading *reading, struct state *now)
{
	for (size_t i = 0; i < reading->item_count; i++) {
		struct found *found = &reading->items[i];

		found->item.name = found->name;
		found->item.body = nfattr_text(&found->body);
		found->item.extra = nfattr_text(&found->extra);
		found->item.sets = nfattr_text(&found->sets);
		item_add(now, &found->item, path_of(&found->item));
	}
	clear_items(reading);
}

/* ---- tables, chains, sets -------------------------------------------- */

static int each_table(const struct nlmsghdr *message, void *arg)
{
	struct span attrs = nft_attrs(message);
	struct reading *reading = arg;

	if (!is_ours(attrs, NFTA_TABLE_NAME))
		return 0;
	reading->table = true;
	text_cut(&reading->table_attrs, 0);
	canon_table(&reading->table_attrs, attrs);
	return 0;
}

static int each_chain(const struct nlmsghdr *message, void *arg)
{
	struct span attrs = nft_attrs(message);
	const char *name = nfattr_string(attrs, NFTA_CHAIN_NAME);

	if (name && is_ours(attrs, NFTA_CHAIN_TABLE))
		canon_chain(&add_found(arg, ITEM_CHAIN, name)->body, attrs);
	return 0;
}

static int each_set(const struct nlmsghdr *message, void *arg)
{
	struct span attrs = nft_attrs(message);
	const char *name = nfattr_string(attrs, NFTA_SET_NAME);
	struct reading *reading = arg;
	struct found_set *set;

	if (!name || !is_ours(attrs, NFTA_SET_TABLE))
		return 0;
	reading->sets = mem_grow(reading->sets, reading->set_count,
				 &reading->set_room, sizeof(*set));
	set = &reading->sets[reading->set_count++];
	*set = (struct found_set){
		.name = mem_strdup(name),
		.anonymous =
			nfattr_u32(attrs, NFTA_SET_FLAGS) & NFT_SET_ANONYMOUS,
	};
	if (set->anonymous)
		canon_anonymous(&set->attrs, attrs);
	else
		canon_set(&set->attrs, attrs);
	return 0;
}

static int compare_sets(const void *a, const void *b)
{
	return strcmp(((const struct found_set *)a)->name,
		      ((const struct found_set *)b)->name);
}

/* ---- elements -------------------------------------------------------- */

static int each_element_list(const struct nlmsghdr *message, void *arg)
{
	struct span attrs = nft_attrs(message);
	struct span list =
		nfattr_span(nfattr_find(attrs, NFTA_SET_ELEM_LIST_ELEMENTS));
	struct reading *reading = arg;
	const struct nlattr *attr;
	int rest;

	nfattr_each(attr, rest, list)
	{
		struct text *out = reading->set->anonymous
					   ? &reading->set->elements
					   : &add_found(reading, ITEM_ELEMENT,
							reading->set->name)
						      ->body;

		canon_element(out, nfattr_span(attr));
	}
	return 0;
}

static void restart_elements(void *arg)
{
	struct reading *reading = arg;

	text_cut(&reading->set->elements, 0);
	clear_items(reading);
}

static int read_elements(struct netlink *netlink, struct reading *reading,
			 struct state *now, struct err *err)
{
	for (size_t i = 0; i < reading->set_count; i++) {
		struct found_set *set = &reading->sets[i];
		int rc;

		reading->set = set;
		rc = nft_dump(netlink, NFT_MSG_GETSETELEM,
			      NFTA_SET_ELEM_LIST_TABLE, set->name,
			      each_element_list, restart_elements, reading,
			      err);
		if (rc < 0)
			return err_prefix(err, "set %s: ", set->name);
		item_sort_elements(&set->elements);
		flush_items(reading, now);
	}
	return 0;
}

/* ---- rules ----------------------------------------------------------- */

struct rule_sets {
	struct reading *reading;
	struct text *out;
	int count;
};

/* The number of an anonymous set in its rule, whose sets it is added to. */
static int take_set(const char *name, void *arg)
{
	struct found_set key = { .name = (char *)(uintptr_t)name };
	struct rule_sets *sets = arg;
	const struct found_set *set = NULL;

	if (name && sets->reading->set_count)
		set = bsearch(&key, sets->reading->sets,
			      sets->reading->set_count, sizeof(*set),
			      compare_sets);
	if (!set || !set->anonymous)
		return -1;
	item_add_set(sets->out, nfattr_text(&set->attrs),
		     nfattr_text(&set->elements));
	return sets->count++;
}

/* Rules come chain by chain, each in its order. */
static uint32_t next_order(struct reading *reading, const char *chain)
{
	const struct found *last = NULL;

	if (reading->item_count)
		last = &reading->items[reading->item_count - 1];
	if (!last || strcmp(last->name, chain) != 0)
		reading->order = 0;
	return reading->order++;
}

static int each_rule(const struct nlmsghdr *message, void *arg)
{
	struct span attrs = nft_attrs(message);
	const char *chain = nfattr_string(attrs, NFTA_RULE_CHAIN);
	struct span list =
		nfattr_span(nfattr_find(attrs, NFTA_RULE_EXPRESSIONS));
	struct span udata = nfattr_span(nfattr_find(attrs, NFTA_RULE_USERDATA));
	struct rule_sets sets = { arg, NULL, 0 };
	const struct nlattr *attr;
	struct found *found;
	uint32_t order;
	int rest;

	if (!chain || !is_ours(attrs, NFTA_RULE_TABLE))
		return 0;
	order = next_order(arg, chain);
	found = add_found(arg, ITEM_RULE, chain);
	found->item.order = order;
	found->item.handle = nfattr_u64(attrs, NFTA_RULE_HANDLE);
	sets.out = &found->sets;
	nfattr_each(attr, rest, list) canon_expression(
		&found->body, nfattr_span(attr), take_set, &sets);
	text_put_bytes(&found->extra, udata.at, udata.length);
	return 0;
}

/* ---- the whole ------------------------------------------------------- */

static void restart_table(void *arg)
{
	((struct reading *)arg)->table = false;
}

static int read_table(struct netlink *netlink, struct reading *reading,
		      struct state *now, struct err *err)
{
	struct item item = { .what = ITEM_TABLE, .name = "" };
	int rc = nft_dump(netlink, NFT_MSG_GETTABLE, 0, NULL, each_table,
			  restart_table, reading, err);

	if (rc < 0 || !reading->table)
		return rc;
	item.body = nfattr_text(&reading->table_attrs);
	item_add(now, &item, "/classes");
	return 0;
}

static int read_sets(struct netlink *netlink, struct reading *reading,
		     struct state *now, struct err *err)
{
	int rc = nft_dump(netlink, NFT_MSG_GETSET, NFTA_SET_TABLE, NULL,
			  each_set, clear_sets, reading, err);

	if (rc < 0 || !reading->set_count)
		return rc;
	qsort(reading->sets, reading->set_count, sizeof(*reading->sets),
	      compare_sets);
	for (size_t i = 0; i < reading->set_count; i++) {
		const struct found_set *set = &reading->sets[i];
		struct item item = { .what = ITEM_SET,
				     .name = set->name,
				     .body = nfattr_text(&set->attrs) };

		if (!set->anonymous)
			item_add(now, &item, "");
	}
	return 0;
}

static int read_all(struct netlink *netlink, struct reading *reading,
		    struct state *now, struct err *err)
{
	int rc = read_table(netlink, reading, now, err);

	if (rc < 0 || !reading->table)
		return rc;
	rc = read_sets(netlink, reading, now, err);
	if (rc == 0)
		rc = nft_dump(netlink, NFT_MSG_GETCHAIN, 0, NULL, each_chain,
			      clear_items, reading, err);
	flush_items(reading, now);
	if (rc == 0)
		rc = read_elements(netlink, reading, now, err);
	if (rc == 0)
		rc = nft_dump(netlink, NFT_MSG_GETRULE, NFTA_RULE_TABLE, NULL,
			      each_rule, clear_items, reading, err);
	flush_items(reading, now);
	return rc;
}

/* nfnetlink_rcv_msg() says EINVAL for a subsystem that is not there. */
static bool has_no_tables(int rc)
{
	return rc == -EINVAL || rc == -EOPNOTSUPP || rc == -EPROTONOSUPPORT;
}

int mark_read(struct host *host, const struct tree *tree,
	      const struct facts *facts, const struct owned *owned,
	      struct state *now, struct err *err)
{
	struct netlink *netlink = host_netlink(host, NETLINK_NETFILTER, err);
	struct reading reading = { 0 };
	int rc;

	(void)facts, (void)owned;
	if (!netlink)
		return err && err->code ? err->code : -EOPNOTSUPP;
	rc = read_all(netlink, &reading, now, err);
	reading_clear(&reading);
	if (!has_no_tables(rc))
		return rc;
	if (!node_count(tree_classes(tree))) {
		err_clear(err);
		return 0; /* nothing there, and nothing wanted */
	}
	return err_set(err, EOPNOTSUPP,
		       "this kernel has no nf_tables (CONFIG_NF_TABLES, "
		       "CONFIG_NF_TABLES_INET)");
}
