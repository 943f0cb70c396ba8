/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/tc/others.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <linux/rtnetlink.h>
#include <netlink/msg.h>
#include <stdlib.h>
#include <string.h>

#include "backends/host.h"
#include "backends/list.h"
#include "backends/netlink/netlink.h"
#include "backends/tc/message.h"
#include "backends/tc/say.h"
#include "backends/tc/tc.h"
#include "model/base/mem.h"
#include "model/shard.h"

/* A message of a dump. */
struct thing {
	struct nlmsghdr *message; /* owned */
	struct nlattr *attrs[TCA_MAX + 1];
	const struct tcmsg *header;
	const char *kind;
};
struct things {
	struct thing *items; /* owned */
	size_t count, room;
};

/* A device with a tree of ours. */
struct place {
	const struct tc_object *root;
	const char *path; /* the uplink's */
	bool arrives;	  /* what arrives is caught by Tresse */
	struct things qdiscs, classes;
	uint32_t failed[64]; /* qdiscs and classes that could not be said */
	size_t failures;
};

struct others {
	const struct exporting *exporting;
	struct netlink *netlink;
	struct place *places; /* owned */
	size_t count, room;
	/* While they are written: */
	struct text *out;
	struct place *at;
};

/* ---- reading ---- */

static void things_clear(struct things *things)
{
	for (size_t i = 0; i < things->count; i++)
		free(things->items[i].message);
	free(things->items);
	*things = (struct things){ .count = 0 };
}

static bool parse(struct thing *thing)
{
	const struct nlattr *kind;

	if (nlmsg_parse(thing->message, sizeof(struct tcmsg), thing->attrs,
			TCA_MAX, NULL) < 0)
		return false;
	kind = thing->attrs[TCA_KIND];
	thing->header = nlmsg_data(thing->message);
	thing->kind = kind ? nla_data(kind) : NULL;
	return kind && nla_len(kind) > 0 &&
	       memchr(thing->kind, '\0', (size_t)nla_len(kind));
}

struct asking {
	int index;
	struct things *things;
	size_t had;
};

static int keep(const struct nlmsghdr *message, void *arg)
{
	const struct asking *asking = arg;
	struct things *things = asking->things;
	struct thing thing = { .message = NULL };

	if (message->nlmsg_len < sizeof(*message) + sizeof(struct tcmsg))
		return 0;
	thing.message = mem_dup(message, message->nlmsg_len);
	if (!parse(&thing) || thing.header->tcm_ifindex != asking->index) {
		free(thing.message);
		return 0;
	}
	things->items = mem_grow(things->items, things->count, &things->room,
				 sizeof(*things->items));
	things->items[things->count++] = thing;
	return 0;
}

/* What was there before the dump stays. */
static void forget(void *arg)
{
	const struct asking *asking = arg;
	struct things *things = asking->things;

	while (things->count > asking->had)
		free(things->items[--things->count].message);
}

/* Adds to things. */
static int ask(struct netlink *netlink, int index, int type, uint32_t parent,
	       struct things *things, struct err *err)
{
	struct tcmsg header = { .tcm_family = AF_UNSPEC,
				.tcm_ifindex = index,
				.tcm_parent = parent };
	struct asking asking = { index, things, things->count };
	AUTO(nlmsg)
	struct nl_msg *request =
		netlink_message(type, 0, &header, sizeof(header), 0);

	return netlink_dump(netlink, request, keep, forget, &asking, err);
}

/* ---- what cannot be said ---- */

static void give_up(struct others *others, uint32_t id)
{
	if (others->at->failures < ARRAY_SIZE(others->at->failed))
		others->at->failed[others->at->failures++] = id;
}

/* It, or the qdisc that a class is of. */
static bool has_failed(const struct others *others, uint32_t id)
{
	for (size_t i = 0; i < others->at->failures; i++)
		if (others->at->failed[i] == id ||
		    others->at->failed[i] == TC_H_MAJ(id))
			return true;
	return others->at->failures == ARRAY_SIZE(others->at->failed);
}

/* A line of comment in place of the command, and an error. */
static void leave_out(struct others *others, const char *what, const char *why)
{
	text_printf(others->out, "# not exported: %s of %s: %s\n", what,
		    others->at->root->device, why);
	report_add(others->exporting->report, FINDING_ERROR, EOPNOTSUPP,
		   others->at->path, "%s of %s is not exported: %s", what,
		   others->at->root->device, why);
}

/* The command from `from` on stands, or is taken back. */
static bool settle(struct others *others, size_t from, int rc, const char *what,
		   const struct err *why, const char *doubt)
{
	if (rc < 0) {
		text_cut(others->out, from);
		leave_out(others, what, why->text);
		return false;
	}
	text_put_char(others->out, '\n');
	if (doubt)
		report_add(others->exporting->report, FINDING_WARNING, 0,
			   others->at->path, "%s of %s: %s", what,
			   others->at->root->device, doubt);
	return true;
}

static void put_start(const struct others *others, const char *object)
{
	text_printf(others->out, "tc %s add dev ", object);
	text_put_word(others->out, others->at->root->device);
}

/* ---- filters ---- */

/* In which order they are said (order_of()). */
struct turn {
	const struct thing *thing;
	uint32_t rank, group, sub;
	uint32_t root; /* of u32: the table that comes with its pref */
	long place;
};

static uint32_t chain_of(const struct thing *thing)
{
	return thing->attrs[TCA_CHAIN] ? message_u32(thing->attrs[TCA_CHAIN])
				       : 0;
}

static uint32_t pref_of(const struct thing *thing)
{
	return thing->header->tcm_info >> 16;
}

static bool same_group(const struct thing *a, const struct thing *b)
{
	return a->header->tcm_parent == b->header->tcm_parent &&
	       chain_of(a) == chain_of(b) && pref_of(a) == pref_of(b);
}

/* Ours, by where they stand; TC_STRANGER of read.c is what is left. */
static bool is_ours(const struct others *others, const struct thing *thing)
{
	uint32_t parent = thing->header->tcm_parent, pref = pref_of(thing);
	uint16_t protocol = (uint16_t)thing->header->tcm_info;

	if (chain_of(thing) || protocol != htons(ETH_P_ALL) ||
	    (parent != TC_ROOT_HANDLE &&
	     !(parent == TC_INGRESS_PARENT && others->at->arrives)))
		return false;
	if (pref == TC_REST_PREF)
		return !strcmp(thing->kind, "bpf");
	return pref == TC_FILTER_PREF &&
	       (!strcmp(thing->kind, "bpf") || !strcmp(thing->kind, "fw"));
}

/* Tables of u32 are told the newest first: the one that came with the pref is
 * the last. */
static uint32_t u32_root(const struct things *things, const struct thing *of)
{
	uint32_t root = 0;

	for (size_t i = 0; i < things->count; i++)
		if (same_group(&things->items[i], of) &&
		    things->items[i].header->tcm_handle &&
		    say_is_table("u32", things->items[i].header->tcm_handle))
			root = things->items[i].header->tcm_handle;
	return root;
}

static bool has_link(const struct thing *thing)
{
	struct nlattr *attrs[TCA_U32_MAX + 1];

	return message_nested(thing->attrs[TCA_OPTIONS], attrs, TCA_U32_MAX) &&
	       attrs[TCA_U32_LINK];
}

/* The kernel puts new ones of these before the others of their pref. */
static bool comes_first(const char *kind)
{
	return !strcmp(kind, "basic") || !strcmp(kind, "bpf");
}

/* Roots of u32 are numbered as they come, so they have to come as they did; a
 * table comes before what is in it, and all tables before what leads there. */
static struct turn turn_of(const struct things *things, size_t i)
{
	const struct thing *thing = &things->items[i];
	struct turn turn = { .thing = thing, .rank = 2, .place = (long)i };

	if (!strcmp(thing->kind, "u32")) {
		turn.root = u32_root(things, thing);
		turn.group = turn.root;
		turn.rank = has_link(thing);
		turn.sub = !say_is_table("u32", thing->header->tcm_handle);
		if (!turn.sub)
			turn.place = -turn.place;
		return turn;
	}
	while (turn.group < i && !same_group(&things->items[turn.group], thing))
		turn.group++;
	if (comes_first(thing->kind))
		turn.place = -turn.place;
	return turn;
}

static int by_turn(const void *left, const void *right)
{
	const struct turn *a = left, *b = right;

	if (a->rank != b->rank)
		return a->rank < b->rank ? -1 : 1;
	if (a->group != b->group)
		return a->group < b->group ? -1 : 1;
	if (a->sub != b->sub)
		return a->sub < b->sub ? -1 : 1;
	return a->place < b->place ? -1 : a->place > b->place;
}

static void put_protocol(uint16_t protocol, struct text *out)
{
	static const struct {
		uint16_t protocol;
		const char *name;
	} names[] = { { ETH_P_ALL, "all" },
		      { ETH_P_IP, "ip" },
		      { ETH_P_IPV6, "ipv6" },
		      { ETH_P_ARP, "arp" },
		      { ETH_P_8021Q, "802.1Q" } };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (names[i].protocol == protocol) {
			text_printf(out, " protocol %s", names[i].name);
			return;
		}
	text_printf(out, " protocol 0x%04x", protocol);
}

static void put_place(uint32_t parent, struct text *out)
{
	if (parent == TC_INGRESS_PARENT) {
		text_put(out, " ingress");
	} else if (parent == TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_EGRESS)) {
		text_put(out, " egress");
	} else {
		text_put(out, " parent ");
		say_id(parent, out);
	}
}

static void put_filter(struct others *others, const struct turn *turn)
{
	uint32_t parent = turn->thing->header->tcm_parent;
	const struct thing *thing = turn->thing;
	uint16_t protocol = ntohs((uint16_t)thing->header->tcm_info);
	uint32_t handle = thing->header->tcm_handle;
	uint32_t chain = chain_of(thing);
	size_t from = others->out->length;
	const char *doubt = NULL;
	AUTO_ERR why = ERR_NONE;
	AUTO_TEXT what = TEXT_NONE;
	const struct say say = { others->out, others->exporting->facts, &why,
				 &doubt };
	int rc;

	text_printf(&what, "filter %s pref %u handle 0x%x", thing->kind,
		    pref_of(thing), handle);
	if (chain)
		text_printf(&what, " chain %u", chain);
	put_place(parent, &what);
	put_start(others, "filter");
	put_place(parent, others->out);
	if (chain)
		text_printf(others->out, " chain %u", chain);
	put_protocol(protocol, others->out);
	text_printf(others->out, " pref %u ", pref_of(thing));
	rc = say_filter(&say,
			&(struct said_filter){ thing->kind, handle, turn->root,
					       protocol },
			thing->attrs[TCA_OPTIONS]);
	settle(others, from, rc, text_get(&what), &why, doubt);
}

/* fw without a filter takes the mark itself for a class. */
static bool is_bare(const struct things *things, size_t i)
{
	const struct thing *thing = &things->items[i];

	if (thing->header->tcm_handle || strcmp(thing->kind, "fw") != 0)
		return false;
	for (size_t j = 0; j < things->count; j++)
		if (j != i && same_group(&things->items[j], thing))
			return false;
	return true;
}

static bool is_said(const struct others *others, const struct things *things,
		    size_t i)
{
	const struct thing *thing = &things->items[i];
	uint32_t handle = thing->header->tcm_handle;

	if (is_ours(others, thing))
		return false;
	if (!handle)
		return is_bare(things, i);
	return !say_is_table(thing->kind, handle) ||
	       handle != u32_root(things, thing);
}

static int ask_filters(const struct others *others, uint32_t parent,
		       struct things *things, struct err *err)
{
	size_t had = things->count, kept = had;
	int rc = ask(others->netlink, others->at->root->index, RTM_GETTFILTER,
		     parent, things, err);

	/* Where there is no such place the kernel tells of another. */
	for (size_t i = had; i < things->count; i++)
		if (things->items[i].header->tcm_parent == parent)
			things->items[kept++] = things->items[i];
		else
			free(things->items[i].message);
	things->count = kept;
	return rc;
}

/* All of a qdisc at once, those of its classes too: tables of u32 are numbered
 * over them all. */
static void put_filters(struct others *others, struct things *things)
{
	AUTO(mem) void *memory = mem_array(things->count, sizeof(struct turn));
	struct turn *turns = memory;
	size_t count = 0;

	for (size_t i = 0; i < things->count; i++)
		if (is_said(others, things, i))
			turns[count++] = turn_of(things, i);
	if (count)
		qsort(turns, count, sizeof(*turns), by_turn);
	for (size_t i = 0; i < count; i++)
		put_filter(others, &turns[i]);
	things_clear(things);
}

/* ---- queues, and what hangs below them ---- */

static int put_below(struct others *others, uint32_t handle, struct err *err);

/* The beginning of the command that makes a queue or a class: "WORD add PLACE
 * NAME HANDLE ". What it is called elsewhere goes to `what`. */
static void put_head(struct others *others, const struct thing *thing,
		     const char *word, uint32_t parent, const char *name,
		     struct text *what)
{
	uint32_t handle = thing->header->tcm_handle;

	text_printf(what, "%s %s ", word, thing->kind);
	say_id(handle, what);
	put_start(others, word);
	put_place(parent, others->out);
	text_printf(others->out, " %s ", name);
	say_id(handle, others->out);
	text_put_char(others->out, ' ');
}

static int stands(const struct others *others, uint32_t parent, struct err *err)
{
	if (!has_failed(others, parent))
		return 0;
	return err_set(err, EOPNOTSUPP, "what it stands on is not exported");
}

static void put_qdisc(struct others *others, const struct thing *thing)
{
	const struct tcmsg *header = thing->header;
	size_t from = others->out->length;
	const char *doubt = NULL;
	AUTO_ERR why = ERR_NONE;
	AUTO_TEXT what = TEXT_NONE;
	const struct say say = { others->out, others->exporting->facts, &why,
				 &doubt };
	int rc = 0;

	put_head(others, thing, "qdisc", header->tcm_parent, "handle", &what);
	text_put(&what, " parent ");
	say_id(header->tcm_parent, &what);
	/* The kernel takes none there; one day it may. */
	if (thing->attrs[TCA_STAB])
		rc = err_set(&why, EOPNOTSUPP,
			     "it has a size table (stab) that is not its "
			     "root's");
	if (rc == 0)
		rc = stands(others, header->tcm_parent, &why);
	if (rc == 0)
		rc = say_qdisc(&say, thing->kind, thing->attrs[TCA_OPTIONS]);
	if (!settle(others, from, rc, text_get(&what), &why, doubt))
		give_up(others, header->tcm_handle);
}

static void put_class(struct others *others, const struct thing *thing)
{
	const struct tcmsg *header = thing->header;
	uint32_t parent = header->tcm_parent == TC_H_ROOT
				  ? TC_H_MAJ(header->tcm_handle)
				  : header->tcm_parent;
	size_t from = others->out->length;
	const char *doubt = NULL;
	AUTO_ERR why = ERR_NONE;
	AUTO_TEXT what = TEXT_NONE;
	const struct say say = { others->out, others->exporting->facts, &why,
				 &doubt };
	int rc;

	put_head(others, thing, "class", parent, "classid", &what);
	rc = stands(others, parent, &why);
	if (rc == 0)
		rc = say_class(&say, thing->kind, thing->attrs[TCA_OPTIONS]);
	if (!settle(others, from, rc, text_get(&what), &why, doubt))
		give_up(others, header->tcm_handle);
}

/* Those below a class, or below the qdisc itself (parent TC_H_ROOT, or its
 * handle, as hfsc says it). */
static void put_classes(struct others *others, uint32_t major, uint32_t parent)
{
	for (size_t i = 0; i < others->at->classes.count; i++) {
		const struct thing *thing = &others->at->classes.items[i];
		uint32_t handle = thing->header->tcm_handle;
		uint32_t above = thing->header->tcm_parent;

		if (above == TC_H_ROOT)
			above = major;
		/* hfsc tells of its root, n:0, as of a class. */
		if (TC_H_MAJ(handle) != major || !TC_H_MIN(handle) ||
		    above != parent || !say_makes_classes(thing->kind))
			continue;
		put_class(others, thing);
		put_classes(others, major, handle);
	}
}

/* Filters of the qdisc, and of each of its classes. */
static int put_all_filters(struct others *others, uint32_t major,
			   struct err *err)
{
	const struct things *classes = &others->at->classes;
	struct things things = { .count = 0 };
	int rc = has_failed(others, major)
			 ? 0
			 : ask_filters(others, major, &things, err);

	for (size_t i = 0; i < classes->count && rc == 0; i++) {
		const struct thing *thing = &classes->items[i];
		uint32_t handle = thing->header->tcm_handle;

		if (TC_H_MAJ(handle) == major && TC_H_MIN(handle) &&
		    say_makes_classes(thing->kind) &&
		    !has_failed(others, handle))
			rc = ask_filters(others, handle, &things, err);
	}
	put_filters(others, &things);
	return rc;
}

static int put_tree(struct others *others, const struct thing *thing,
		    struct err *err)
{
	uint32_t handle = thing->header->tcm_handle;

	put_qdisc(others, thing);
	put_classes(others, handle, handle);
	return put_below(others, handle, err);
}

/* The kernel makes some by itself, which have no number. */
static int put_below(struct others *others, uint32_t major, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; i < others->at->qdiscs.count && rc == 0; i++) {
		const struct thing *thing = &others->at->qdiscs.items[i];

		if (thing->header->tcm_handle &&
		    thing->header->tcm_handle != major &&
		    thing->header->tcm_parent != TC_H_ROOT &&
		    TC_H_MAJ(thing->header->tcm_parent) == major)
			rc = put_tree(others, thing, err);
	}
	return rc < 0 ? rc : put_all_filters(others, major, err);
}

/* qdiscs are sorted by what they hang below. */
static const struct thing *find_qdisc(const struct place *place,
				      uint32_t parent)
{
	size_t low = 0, high = place->qdiscs.count;

	while (low < high) {
		size_t middle = (low + high) / 2;
		const struct thing *thing = &place->qdiscs.items[middle];

		if (thing->header->tcm_parent == parent)
			return thing->header->tcm_handle ? thing : NULL;
		if (thing->header->tcm_parent < parent)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

/* One of others, or what they have below one of ours. */
static int put_leaf(struct others *others, const struct object *leaf,
		    struct err *err)
{
	uint32_t parent = tc_of(leaf)->parent;
	const struct thing *thing = find_qdisc(others->at, parent);
	AUTO_TEXT what = TEXT_NONE;

	if (!tc_leaf_is_foreign(leaf))
		return thing ? put_below(others, thing->header->tcm_handle, err)
			     : 0;
	if (thing)
		return put_tree(others, thing, err);
	text_put(&what, "the queue of ");
	say_id(parent, &what);
	leave_out(others, text_get(&what),
		  "leaf=foreign says that somebody else has one there, and "
		  "nobody has");
	return 0;
}

/* ---- what arrives ---- */

static int put_arriving(struct others *others, struct err *err)
{
	const struct thing *thing = find_qdisc(others->at, TC_H_INGRESS);
	struct things things = { .count = 0 };
	int rc;

	if (!thing)
		return 0;
	if (thing->attrs[TCA_INGRESS_BLOCK] || thing->attrs[TCA_EGRESS_BLOCK]) {
		leave_out(others, "the qdisc for what arrives",
			  "its filters are shared with other devices (a "
			  "block)");
		return 0;
	}
	if (!others->at->arrives) {
		put_start(others, "qdisc");
		text_printf(others->out, " %s\n", thing->kind);
	}
	rc = ask_filters(others, TC_INGRESS_PARENT, &things, err);
	if (rc == 0 && !strcmp(thing->kind, "clsact"))
		rc = ask_filters(others,
				 TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_EGRESS),
				 &things, err);
	put_filters(others, &things);
	return rc;
}

/* ---- a device ---- */

static bool is_on(const struct object *object, const struct place *place,
		  enum tc_sort sort)
{
	return object->backend == &backend_tc && tc_of(object)->sort == sort &&
	       tc_of(object)->index == place->root->index;
}

/* Filters of the root, and of inner classes. */
static int put_shared(struct others *others, struct err *err)
{
	const struct state *want = others->exporting->want;
	struct things things = { .count = 0 };
	int rc = ask_filters(others, TC_ROOT_HANDLE, &things, err);

	for (size_t i = 0; i < want->count && rc == 0; i++)
		if (is_on(&want->items[i], others->at, TC_CLASS) &&
		    tc_of(&want->items[i])->class.level)
			rc = ask_filters(others, tc_of(&want->items[i])->handle,
					 &things, err);
	put_filters(others, &things);
	return rc < 0 ? rc : put_arriving(others, err);
}

static int put_place_of(struct others *others, struct err *err)
{
	const struct state *want = others->exporting->want;
	AUTO_TEXT all = TEXT_NONE;
	struct text *out = others->out;
	int rc = 0;

	others->out = &all;
	for (size_t i = 0; i < want->count && rc == 0; i++)
		if (is_on(&want->items[i], others->at, TC_LEAF))
			rc = put_leaf(others, &want->items[i], err);
	if (rc == 0 && others->at->root->root.shares)
		rc = put_shared(others, err);
	others->out = out;
	if (!all.length)
		return rc;
	text_put(out, "# of others on ");
	text_put_word(out, others->at->root->device);
	text_put_char(out, '\n');
	text_put(out, text_get(&all));
	return rc;
}

int others_put(struct others *others, struct text *out, struct err *err)
{
	int rc = 0;

	others->out = out;
	for (size_t i = 0; i < others->count && rc == 0; i++) {
		others->at = &others->places[i];
		rc = put_place_of(others, err);
	}
	return rc;
}

uint32_t others_handle(const struct others *others,
		       const struct tc_object *leaf)
{
	for (size_t i = 0; i < others->count; i++) {
		const struct thing *thing;

		if (others->places[i].root->index != leaf->index)
			continue;
		thing = find_qdisc(&others->places[i], leaf->parent);
		/* Above it the kernel numbers by itself. */
		if (thing && !strcmp(thing->kind, leaf->queue.kind) &&
		    thing->header->tcm_handle >> 16 <= TC_LEAF_MOST)
			return thing->header->tcm_handle;
	}
	return leaf->handle;
}

/* ---- looking ---- */

static int by_parent(const void *left, const void *right)
{
	uint32_t a = ((const struct thing *)left)->header->tcm_parent;
	uint32_t b = ((const struct thing *)right)->header->tcm_parent;

	return a < b ? -1 : a > b;
}

/* Roots and shards: their classes are wanted, and need not be looked at. */
static bool is_ours_at(const struct others *others, const struct place *place,
		       const struct tcmsg *header)
{
	const struct state *want = others->exporting->want;

	if (header->tcm_parent == TC_H_ROOT || !header->tcm_handle)
		return true;
	if (TC_H_MAJ(header->tcm_handle) >> 16 > SHARD_LAST)
		return false;
	for (size_t i = 0; i < want->count; i++)
		if (is_on(&want->items[i], place, TC_SHARD) &&
		    tc_of(&want->items[i])->handle == header->tcm_handle)
			return true;
	return false;
}

static int look(struct others *others, struct place *place, struct err *err)
{
	int index = place->root->index;
	int rc = ask(others->netlink, index, RTM_GETQDISC, 0, &place->qdiscs,
		     err);

	if (place->qdiscs.count)
		qsort(place->qdiscs.items, place->qdiscs.count,
		      sizeof(*place->qdiscs.items), by_parent);
	/* Not all at once: a netem without a child ends a dump in its middle,
	 * and nobody says so (netem_dump_class() of 6.1). */
	for (size_t i = 0; i < place->qdiscs.count && rc == 0; i++) {
		const struct thing *thing = &place->qdiscs.items[i];

		if (!is_ours_at(others, place, thing->header) &&
		    say_makes_classes(thing->kind))
			rc = ask(others->netlink, index, RTM_GETTCLASS,
				 thing->header->tcm_handle, &place->classes,
				 err);
	}
	return rc;
}

static void add_places(struct others *others)
{
	const struct state *want = others->exporting->want;

	for (size_t i = 0; i < want->count; i++) {
		const struct object *object = &want->items[i];

		if (object->backend != &backend_tc ||
		    tc_of(object)->sort != TC_ROOT)
			continue;
		others->places =
			mem_grow(others->places, others->count, &others->room,
				 sizeof(*others->places));
		others->places[others->count++] =
			(struct place){ .root = tc_of(object),
					.path = object->path };
	}
	for (size_t i = 0; i < others->count; i++)
		for (size_t j = 0; j < want->count; j++)
			others->places[i].arrives |=
				is_on(&want->items[j], &others->places[i],
				      TC_INGRESS);
}

struct others *others_new(const struct exporting *exporting, struct err *err)
{
	AUTO(others) struct others *others = mem_alloc(sizeof(*others));

	others->exporting = exporting;
	add_places(others);
	if (others->count)
		others->netlink =
			host_netlink(exporting->host, NETLINK_ROUTE, err);
	if (others->count && !others->netlink)
		return NULL;
	for (size_t i = 0; i < others->count; i++)
		if (look(others, &others->places[i], err) < 0)
			return NULL;
	return TAKE(others);
}

void others_free(struct others *others)
{
	if (!others)
		return;
	for (size_t i = 0; i < others->count; i++) {
		things_clear(&others->places[i].qdiscs);
		things_clear(&others->places[i].classes);
	}
	free(others->places);
	free(others);
}
