/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * All steps in one nfnetlink transaction: the kernel does them all or none
 * (nf_tables_api.c: nf_tables_commit(), nf_tables_abort()).
 *
 * What refers goes before what is referred to, and comes after it:
 *
 *     - table | rules, elements, chains, sets
 *     + table, sets, chains, elements, rules (anonymous sets before their rule)
 *
 * Where a new rule goes in its chain: anchors.h.
 */
#include <endian.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "backends/host.h"
#include "backends/mark/anchors.h"
#include "backends/mark/canon.h"
#include "backends/mark/dump.h"
#include "backends/mark/item.h"
#include "backends/mark/mark.h"
#include "backends/mark/set.h"

enum {
	/* Elements come in one attribute, which cannot be longer than 64 kB
	 * (nla_len), and one of ours takes about thirty bytes. */
	CHUNK_BYTES = 32 << 10,
};

struct work {
	struct step *const *steps;
	size_t count;
	struct batch batch;
	size_t *culprit; /* owned; for each message, its step */
	size_t culprit_room;
	uint32_t set_id;	 /* of the next anonymous set */
	struct anchors *anchors; /* owned; NULL: no rule stays */
};

static void work_clear(struct work *work)
{
	anchors_free(work->anchors);
	free(work->culprit);
	batch_clear(&work->batch);
}

static void add_message(struct work *work, struct nl_msg *message, size_t step)
{
	work->culprit = mem_grow(work->culprit, work->batch.count,
				 &work->culprit_room, sizeof(*work->culprit));
	work->culprit[work->batch.count] = step;
	batch_add(&work->batch, message);
}

/* ---- taking away ----------------------------------------------------- */

/* A message that names the table and one thing in it. */
static struct nl_msg *name_message(int type, unsigned table, unsigned what,
				   const char *name)
{
	struct nl_msg *message = nft_message(type, 0, 1024);

	nft_append_text(message, table, MARK_TABLE);
	if (what)
		nft_append_text(message, what, name);
	return message;
}

static void delete_table(struct work *work, size_t step,
			 const struct item *item)
{
	(void)item;
	add_message(work,
		    name_message(NFT_MSG_DELTABLE, NFTA_TABLE_NAME, 0, NULL),
		    step);
}

/* First the rules of every chain that goes: they may lead from one to another,
 * and a chain that something leads to is busy. */
static void flush_chain(struct work *work, size_t step, const struct item *item)
{
	add_message(work,
		    name_message(NFT_MSG_DELRULE, NFTA_RULE_TABLE,
				 NFTA_RULE_CHAIN, item->name),
		    step);
}

static void delete_rule(struct work *work, size_t step, const struct item *item)
{
	struct nl_msg *message = name_message(NFT_MSG_DELRULE, NFTA_RULE_TABLE,
					      NFTA_RULE_CHAIN, item->name);

	nft_append_u64(message, NFTA_RULE_HANDLE, item->handle);
	add_message(work, message, step);
}

static void delete_chain(struct work *work, size_t step,
			 const struct item *item)
{
	add_message(work,
		    name_message(NFT_MSG_DELCHAIN, NFTA_CHAIN_TABLE,
				 NFTA_CHAIN_NAME, item->name),
		    step);
}

static void delete_set(struct work *work, size_t step, const struct item *item)
{
	add_message(work,
		    name_message(NFT_MSG_DELSET, NFTA_SET_TABLE, NFTA_SET_NAME,
				 item->name),
		    step);
}

/* ---- putting --------------------------------------------------------- */

static struct nl_msg *put_message(int type, int flags, unsigned table,
				  struct span body)
{
	struct nl_msg *message =
		nft_message(type, NLM_F_CREATE | flags, body.length + 1024);

	nft_append_text(message, table, MARK_TABLE);
	nft_append(message, body);
	return message;
}

static void put_table(struct work *work, size_t step, const struct item *item)
{
	add_message(work,
		    put_message(NFT_MSG_NEWTABLE, 0, NFTA_TABLE_NAME,
				item->body),
		    step);
}

static void put_set(struct work *work, size_t step, const struct item *item)
{
	struct nl_msg *message =
		put_message(NFT_MSG_NEWSET, 0, NFTA_SET_TABLE, item->body);

	nft_append_u32(message, NFTA_SET_ID, ++work->set_id);
	add_message(work, message, step);
}

static void put_chain(struct work *work, size_t step, const struct item *item)
{
	add_message(work,
		    put_message(NFT_MSG_NEWCHAIN, 0, NFTA_CHAIN_TABLE,
				item->body),
		    step);
}

/* ---- elements -------------------------------------------------------- */

/* Elements that go into one message. */
struct chunk {
	int type;
	const char *set; /* NULL: nothing yet */
	uint32_t set_id; /* of an anonymous one, else 0 */
	struct text list;
	size_t step; /* the first */
};

static void send_chunk(struct work *work, struct chunk *chunk)
{
	int flags = chunk->type == NFT_MSG_NEWSETELEM ? NLM_F_CREATE : 0;
	AUTO_TEXT body = TEXT_NONE;
	struct nl_msg *message;
	size_t at;

	if (!chunk->list.length)
		return;
	nfattr_put_text(&body, NFTA_SET_ELEM_LIST_TABLE, MARK_TABLE);
	nfattr_put_text(&body, NFTA_SET_ELEM_LIST_SET, chunk->set);
	if (chunk->set_id)
		nfattr_put_u32(&body, NFTA_SET_ELEM_LIST_SET_ID, chunk->set_id);
	at = nfattr_open(&body, NFTA_SET_ELEM_LIST_ELEMENTS);
	text_put_bytes(&body, text_get(&chunk->list), chunk->list.length);
	nfattr_close(&body, at);
	message = nft_message(chunk->type, flags, body.length + 64);
	nft_append(message, nfattr_text(&body));
	add_message(work, message, chunk->step);
	text_cut(&chunk->list, 0);
}

static void add_to_chunk(struct work *work, struct chunk *chunk,
			 const char *set, size_t step, struct span elements)
{
	if (chunk->list.length &&
	    (strcmp(chunk->set, set) != 0 ||
	     chunk->list.length + elements.length > CHUNK_BYTES))
		send_chunk(work, chunk);
	if (!chunk->list.length) {
		chunk->set = set;
		chunk->step = step;
	}
	text_put_bytes(&chunk->list, elements.at, elements.length);
}

/* The side of a step that goes, or that comes. */
static const struct object *side_of(const struct step *step, bool gone)
{
	return gone ? step->before : step->after;
}

static void do_elements(struct work *work, bool gone)
{
	struct chunk chunk = { .type = gone ? NFT_MSG_DELSETELEM
					    : NFT_MSG_NEWSETELEM };

	for (size_t i = 0; i < work->count; i++) {
		const struct object *object = side_of(work->steps[i], gone);
		struct item item;

		if (!object)
			continue;
		item = item_get(object);
		if (item.what == ITEM_ELEMENT)
			add_to_chunk(work, &chunk, item.name, i, item.body);
	}
	send_chunk(work, &chunk);
	text_clear(&chunk.list);
}

/* ---- rules ----------------------------------------------------------- */

static void put_anonymous_elements(struct work *work, size_t step,
				   struct span elements)
{
	struct chunk chunk = { .type = NFT_MSG_NEWSETELEM,
			       .set_id = work->set_id };
	const struct nlattr *attr;
	int rest;

	nfattr_each(attr, rest, elements)
	{
		struct span one = { attr, NLA_ALIGN(attr->nla_len) };

		add_to_chunk(work, &chunk, ANONYMOUS_SET, step, one);
	}
	send_chunk(work, &chunk);
	text_clear(&chunk.list);
}

/* The rule's sets get numbers from first on. */
static void put_anonymous(struct work *work, size_t step, struct span sets)
{
	struct span attrs, elements;
	size_t at = 0;

	while (item_next_set(sets, &at, &attrs, &elements)) {
		AUTO_TEXT body = TEXT_NONE;
		struct nl_msg *message;

		nfattr_put_text(&body, NFTA_SET_NAME, ANONYMOUS_SET);
		text_put_bytes(&body, attrs.at, attrs.length);
		nfattr_put_u32(&body, NFTA_SET_ID, ++work->set_id);
		set_hints(&body, attrs, elements);
		message = put_message(NFT_MSG_NEWSET, 0, NFTA_SET_TABLE,
				      nfattr_text(&body));
		add_message(work, message, step);
		put_anonymous_elements(work, step, elements);
	}
}

/* In a copy of the expressions: sets 0, 1... are first, first + 1... now. */
static void renumber_sets(struct span exprs, uint32_t first)
{
	const struct nlattr *attr;
	int rest;

	nfattr_each(attr, rest, exprs)
	{
		struct span expr = nfattr_span(attr);
		const char *name = nfattr_string(expr, NFTA_EXPR_NAME);
		struct span data =
			nfattr_span(nfattr_find(expr, NFTA_EXPR_DATA));
		struct span id =
			nfattr_span(nfattr_find(data, NFTA_LOOKUP_SET_ID));
		uint32_t number;

		if (!name || strcmp(name, "lookup") != 0 ||
		    id.length != sizeof(number))
			continue;
		number = htobe32(first + nfattr_u32(data, NFTA_LOOKUP_SET_ID));
		memcpy((void *)(uintptr_t)id.at, &number, sizeof(number));
	}
}

static void put_rule(struct work *work, size_t step, const struct item *item,
		     uint64_t anchor)
{
	uint32_t first = work->set_id + 1;
	AUTO_TEXT body = TEXT_NONE;
	struct nl_msg *message;
	size_t at;

	put_anonymous(work, step, item->sets);
	nfattr_put_text(&body, NFTA_RULE_CHAIN, item->name);
	at = nfattr_open(&body, NFTA_RULE_EXPRESSIONS);
	text_put_bytes(&body, item->body.at, item->body.length);
	nfattr_close(&body, at);
	renumber_sets((struct span){ body.bytes + at + NLA_HDRLEN,
				     item->body.length },
		      first);
	if (item->extra.length)
		nfattr_put(&body, NFTA_RULE_USERDATA, item->extra.at,
			   item->extra.length);
	message = put_message(NFT_MSG_NEWRULE, anchor ? 0 : NLM_F_APPEND,
			      NFTA_RULE_TABLE, nfattr_text(&body));
	if (anchor)
		nft_append_u64(message, NFTA_RULE_POSITION, anchor);
	add_message(work, message, step);
}

/* A rule that comes, for sorting by chain and place. */
struct coming {
	struct item item;
	size_t step;
};

static int compare_coming(const void *a, const void *b)
{
	const struct coming *left = a, *right = b;

	return item_compare(&left->item, &right->item);
}

static struct coming *rules_to_put(const struct work *work, size_t *count)
{
	struct coming *list = mem_array(work->count, sizeof(*list));

	*count = 0;
	for (size_t i = 0; i < work->count; i++) {
		const struct object *after = work->steps[i]->after;

		if (after && item_get(after).what == ITEM_RULE)
			list[(*count)++] =
				(struct coming){ item_get(after), i };
	}
	qsort(list, *count, sizeof(*list), compare_coming);
	return list;
}

static void put_rules(struct work *work)
{
	size_t count, before = 0;
	struct coming *list = rules_to_put(work, &count);

	for (size_t i = 0; i < count; i++) {
		const struct item *item = &list[i].item;

		if (i && strcmp(item->name, list[i - 1].item.name) != 0)
			before = 0;
		put_rule(work, list[i].step, item,
			 anchors_find(work->anchors, item->name, item->order,
				      before++));
	}
	free(list);
}

/* Is there a rule to put into a table that stays? */
static bool wants_anchors(const struct work *work)
{
	bool rules = false;

	for (size_t i = 0; i < work->count; i++) {
		const struct object *after = work->steps[i]->after;

		if (!after)
			continue;
		if (item_get(after).what == ITEM_TABLE)
			return false; /* it is new */
		rules |= item_get(after).what == ITEM_RULE;
	}
	return rules;
}

static int read_anchors(struct work *work, struct netlink *netlink,
			struct err *err)
{
	AUTO_ERR why = ERR_NONE;
	uint64_t *gone;
	size_t count = 0;

	if (!wants_anchors(work))
		return 0;
	gone = mem_array(work->count, sizeof(*gone));
	for (size_t i = 0; i < work->count; i++) {
		const struct object *before = work->steps[i]->before;

		if (before && item_get(before).what == ITEM_RULE)
			gone[count++] = item_get(before).handle;
	}
	work->anchors = anchors_read(netlink, gone, count, &why);
	free(gone);
	return work->anchors ? 0 : err_move(err, &why);
}

/* ---- the whole ------------------------------------------------------- */

/* Calls one() for every item of this sort that goes, or that comes. */
static void do_each(struct work *work, enum item_what what, bool gone,
		    void (*one)(struct work *work, size_t step,
				const struct item *item))
{
	for (size_t i = 0; i < work->count; i++) {
		const struct object *object = side_of(work->steps[i], gone);
		struct item item;

		if (!object)
			continue;
		item = item_get(object);
		if (item.what == what)
			one(work, i, &item);
	}
}

static void build(struct work *work)
{
	do_each(work, ITEM_TABLE, true, delete_table);
	do_each(work, ITEM_CHAIN, true, flush_chain);
	do_each(work, ITEM_RULE, true, delete_rule);
	do_elements(work, true);
	do_each(work, ITEM_CHAIN, true, delete_chain);
	do_each(work, ITEM_SET, true, delete_set);
	do_each(work, ITEM_TABLE, false, put_table);
	do_each(work, ITEM_SET, false, put_set);
	do_each(work, ITEM_CHAIN, false, put_chain);
	do_elements(work, false);
	put_rules(work);
}

static int transact(struct work *work, struct netlink *netlink, size_t *failed,
		    struct err *err)
{
	AUTO_TEXT what = TEXT_NONE;
	const struct step *step;
	AUTO_ERR why = ERR_NONE;
	size_t bad = 0;
	int rc;

	rc = netlink_transact(netlink, NFNL_SUBSYS_NFTABLES, &work->batch, &bad,
			      &why);
	if (rc == 0)
		return 0;
	if (bad >= work->batch.count)
		return err_move(err, &why); /* the transaction as a whole */
	*failed = work->culprit[bad];
	step = work->steps[*failed];
	mark_print(step->after ? step->after : step->before, &what);
	return answer_err(&work->batch.items[bad].answer, text_get(&what), err);
}

int mark_apply(struct host *host, struct step *const *steps, size_t count,
	       size_t *failed, struct err *err)
{
	struct netlink *netlink = host_netlink(host, NETLINK_NETFILTER, err);
	struct work work = { .steps = steps, .count = count };
	int rc;

	*failed = 0;
	if (!netlink)
		return err && err->code ? err->code : -EOPNOTSUPP;
	rc = read_anchors(&work, netlink, err);
	if (rc == 0) {
		build(&work);
		rc = transact(&work, netlink, failed, err);
	}
	for (size_t i = 0; i < count && rc == 0; i++)
		steps[i]->done = true;
	work_clear(&work);
	return rc;
}
