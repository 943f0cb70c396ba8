/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A tree that a script made, as one of ours (declared in tc.h).
 *
 * Nothing is made anew: root, classes and leaves stay, with what is queued in
 * them, under the numbers that they have. So only a root 1: can be taken over.
 * What filters did is done by matches from then on (filter.h). Those that
 * cannot be said may stay, and all before them, so that their order stays: then
 * a filter of Tresse's comes behind them (filters=foreign). A queue that leaf=
 * does not know stays, too (leaf=foreign).
 *
 * Everything that was found is kept as messages that make it again, for the day
 * on which the uplink is deleted (give_back() of plan.c).
 */
#include <linux/rtnetlink.h>
#include <netlink/msg.h>
#include <stdlib.h>
#include <string.h>

#include "backends/host.h"
#include "backends/list.h"
#include "backends/netlink/netlink.h"
#include "backends/tc/filter.h"
#include "backends/tc/message.h"
#include "backends/tc/tc.h"
#include "model/base/mem.h"
#include "model/node.h"
#include "model/shaping.h"
#include "model/txn.h"

struct importing {
	const struct link_fact *link;
	struct node *uplink;
	struct report *report;
	enum import_filters filters;
	struct state found; /* root, classes, leaves, filters */
	struct text *kept;  /* messages that make them */
	struct tc_root root;
	bool has_root;
	uint32_t parent;       /* whose filters come */
	struct node **classes; /* owned; by minor */
	size_t matches;
};

#define MINORS 65536u
/* Fewer than model/shard.h deals out. */
#define MANY 1000

/* ---- keeping ---- */

static void put_attr(int type, const void *bytes, size_t size, struct text *out)
{
	static const char zeros[NLA_ALIGNTO];
	struct nlattr attr = { .nla_type = (uint16_t)type,
			       .nla_len = (uint16_t)(NLA_HDRLEN + size) };

	text_put_bytes(out, &attr, sizeof(attr));
	text_put_bytes(out, bytes, size);
	text_put_bytes(out, zeros, (size_t)NLA_ALIGN(size) - size);
}

static void put_message(uint16_t type, const struct tcmsg *about,
			const char *kind, const void *options, size_t size,
			struct text *out)
{
	AUTO_TEXT body = TEXT_NONE;
	struct nlmsghdr header = { .nlmsg_type = type };

	text_put_bytes(&body, about, sizeof(*about));
	put_attr(TCA_KIND, kind, strlen(kind) + 1, &body);
	put_attr(TCA_OPTIONS, options, size, &body);
	header.nlmsg_len = (uint32_t)(sizeof(header) + body.length);
	text_put_bytes(out, &header, sizeof(header));
	text_put_bytes(out, text_get(&body), body.length);
}

/* The message, cut to what makes the same again. */
static void keep(struct importing *importing, const struct nlmsghdr *message,
		 struct nlattr *const *attrs)
{
	const struct nlattr *options = attrs[TCA_OPTIONS];

	put_message(message->nlmsg_type, nlmsg_data(message),
		    nla_data(attrs[TCA_KIND]),
		    options ? nla_data(options) : NULL,
		    options ? (size_t)nla_len(options) : 0, importing->kept);
}

/* A filter that goes: its options are without what the kernel does not take. */
static void keep_filter(struct importing *importing,
			const struct tc_object *object)
{
	const struct tcmsg about = { .tcm_family = AF_UNSPEC,
				     .tcm_ifindex = object->index,
				     .tcm_handle = object->handle,
				     .tcm_parent = object->parent,
				     .tcm_info = object->other.info };

	put_message(RTM_NEWTFILTER, &about, object->other.kind, object->raw,
		    object->raw_size, importing->kept);
}

static bool parse(const struct nlmsghdr *message, struct nlattr **attrs)
{
	return nlmsg_parse((struct nlmsghdr *)(uintptr_t)message,
			   sizeof(struct tcmsg), attrs, TCA_MAX, NULL) >= 0 &&
	       attrs[TCA_KIND] && nla_len(attrs[TCA_KIND]) > 0 &&
	       memchr(nla_data(attrs[TCA_KIND]), '\0',
		      (size_t)nla_len(attrs[TCA_KIND])) &&
	       strlen(nla_data(attrs[TCA_KIND])) < 16;
}

/* ---- one message, read or kept ---- */

/* What a message tells of; false: of nothing that belongs to the tree. */
static bool read_object(const struct nlmsghdr *message,
			struct nlattr *const *attrs, struct tc_object *out)
{
	const struct tcmsg *header = nlmsg_data(message);
	const char *kind = nla_data(attrs[TCA_KIND]);
	bool htb = !strcmp(kind, "htb");

	out->handle = header->tcm_handle;
	out->parent = header->tcm_parent;
	if (message->nlmsg_type == RTM_NEWTFILTER) {
		out->sort = TC_OTHER;
		out->other = (struct tc_other){ .info = header->tcm_info };
		memcpy(out->other.kind, kind, strlen(kind));
		return header->tcm_parent == TC_ROOT_HANDLE &&
		       header->tcm_handle;
	}
	if (message->nlmsg_type == RTM_NEWTCLASS) {
		out->sort = TC_CLASS;
		return htb && TC_H_MAJ(out->handle) == TC_ROOT_HANDLE &&
		       tc_read_class(attrs[TCA_OPTIONS], &out->class);
	}
	if (header->tcm_parent == TC_H_ROOT) {
		out->sort = TC_ROOT;
		tc_read_root(attrs[TCA_OPTIONS], &out->root);
		return htb && out->handle == TC_ROOT_HANDLE;
	}
	out->sort = TC_LEAF;
	if (!queue_read(kind, attrs[TCA_OPTIONS], &out->queue) ||
	    !queue_says_all(kind, attrs[TCA_OPTIONS])) {
		out->queue = (struct queue){ .observed = 1 };
		memcpy(out->queue.kind, TC_FOREIGN_LEAF,
		       sizeof(TC_FOREIGN_LEAF));
	}
	return out->handle && TC_H_MAJ(out->parent) == TC_ROOT_HANDLE;
}

void tc_add_kept(const struct owned_item *item, const char *device, int index,
		 struct state *now)
{
	const char *at = (const char *)item->saved + sizeof(struct tc_kept);
	int left = (int)(item->saved_size - sizeof(struct tc_kept));
	const struct nlmsghdr *message;

	for (message = (const void *)at; nlmsg_ok(message, left);
	     message =
		     nlmsg_next((struct nlmsghdr *)(uintptr_t)message, &left)) {
		struct tc_object object = { .index = index, .kept = 1 };
		struct nlattr *attrs[TCA_MAX + 1];
		const struct nlattr *raw;

		if (message->nlmsg_len <
			    sizeof(*message) + sizeof(struct tcmsg) ||
		    !parse(message, attrs) ||
		    !read_object(message, attrs, &object))
			continue;
		strncpy(object.device, device, sizeof(object.device) - 1);
		raw = object.sort == TC_OTHER ? attrs[TCA_OPTIONS] : NULL;
		tc_add(now, &object, raw ? nla_data(raw) : NULL,
		       raw ? (size_t)nla_len(raw) : 0, "");
	}
}

/* ---- what stands there ---- */

static void add_found(struct importing *importing,
		      const struct nlmsghdr *message, struct nlattr **attrs)
{
	struct tc_object object = { .index = importing->link->index };
	AUTO_TEXT options = TEXT_NONE;

	memcpy(object.device, importing->link->name, sizeof(object.device));
	if (!read_object(message, attrs, &object))
		return;
	if (object.sort == TC_OTHER)
		filter_options(object.other.kind, attrs[TCA_OPTIONS], &options);
	if (tc_add(&importing->found, &object, text_get(&options),
		   options.length, "") &&
	    object.sort != TC_OTHER)
		keep(importing, message, attrs);
}

static void refuse_root(struct importing *importing, const struct tcmsg *header,
			struct nlattr **attrs)
{
	const char *kind = nla_data(attrs[TCA_KIND]);

	if (strcmp(kind, "htb") != 0)
		report_error(importing->report, importing->uplink, EOPNOTSUPP,
			     "%s has no tree of HTB: its root qdisc is %s; "
			     "create makes one",
			     importing->link->name, kind);
	else if (header->tcm_handle != TC_ROOT_HANDLE)
		report_error(importing->report, importing->uplink, EOPNOTSUPP,
			     "the tree of %s is %x:, and only one that is 1: "
			     "can be taken over as it stands",
			     importing->link->name, header->tcm_handle >> 16);
	else if (attrs[TCA_STAB])
		report_error(importing->report, importing->uplink, EOPNOTSUPP,
			     "the tree of %s has a size table (stab), which "
			     "Tresse does not: overhead= and linklayer= of "
			     "its classes count the line instead",
			     importing->link->name);
}

static void take_root(struct importing *importing,
		      const struct nlmsghdr *message, struct nlattr **attrs)
{
	const struct tcmsg *header = nlmsg_data(message);

	if (!header->tcm_handle)
		return; /* the kernel's own */
	importing->has_root = true;
	refuse_root(importing, header, attrs);
	tc_read_root(attrs[TCA_OPTIONS], &importing->root);
	add_found(importing, message, attrs);
}

/* What hangs below a queue that stays, stays with it. */
static void take_leaf(struct importing *importing,
		      const struct nlmsghdr *message, struct nlattr **attrs)
{
	const struct tcmsg *header = nlmsg_data(message);
	const char *kind = nla_data(attrs[TCA_KIND]);
	struct queue queue;
	bool known;

	if (!header->tcm_handle ||
	    TC_H_MAJ(header->tcm_parent) != TC_ROOT_HANDLE)
		return;
	known = queue_read(kind, attrs[TCA_OPTIONS], &queue);
	if (!known || !queue_says_all(kind, attrs[TCA_OPTIONS]))
		report_warning(
			importing->report, importing->uplink,
			"%x:%x of %s has a qdisc %s %x:, %s: it stays as it is "
			"(leaf=foreign)",
			header->tcm_parent >> 16, TC_H_MIN(header->tcm_parent),
			importing->link->name, kind, header->tcm_handle >> 16,
			known ? "set to what leaf= has no word for"
			      : "which leaf= does not know");
	add_found(importing, message, attrs);
}

static int take_qdisc(const struct nlmsghdr *message, void *arg)
{
	struct importing *importing = arg;
	const struct tcmsg *header = nlmsg_data(message);
	struct nlattr *attrs[TCA_MAX + 1];

	if (message->nlmsg_type != RTM_NEWQDISC || !parse(message, attrs) ||
	    header->tcm_ifindex != importing->link->index)
		return 0;
	if (header->tcm_parent == TC_H_ROOT)
		take_root(importing, message, attrs);
	else if (header->tcm_parent == TC_H_INGRESS)
		report_note(importing->report, importing->uplink,
			    "%s has a qdisc %s, for what arrives: it stays as "
			    "it is",
			    importing->link->name,
			    (const char *)nla_data(attrs[TCA_KIND]));
	else
		take_leaf(importing, message, attrs);
	return 0;
}

static int take_class(const struct nlmsghdr *message, void *arg)
{
	struct importing *importing = arg;
	const struct tcmsg *header = nlmsg_data(message);
	struct nlattr *attrs[TCA_MAX + 1];

	if (message->nlmsg_type == RTM_NEWTCLASS && parse(message, attrs) &&
	    header->tcm_ifindex == importing->link->index)
		add_found(importing, message, attrs);
	return 0;
}

/* One of another chain, or of an inner class: it is only asked if one of the
 * root's leads there. */
static void tell_beside(struct importing *importing, const struct tcmsg *header,
			const char *kind)
{
	AUTO(str)
	char *what =
		mem_printf("a filter %s pref %u of %x:%x of %s", kind,
			   header->tcm_info >> 16, importing->parent >> 16,
			   TC_H_MIN(importing->parent), importing->link->name);

	if (importing->filters == IMPORT_KEEP)
		report_warning(importing->report, importing->uplink,
			       "%s is not one of the tree's root: it stays as "
			       "it is",
			       what);
	else
		report_error(importing->report, importing->uplink, EOPNOTSUPP,
			     "%s is not one of the tree's root, where Tresse "
			     "has its own; filters=keep leaves it as it is",
			     what);
}

static int take_filter(const struct nlmsghdr *message, void *arg)
{
	struct importing *importing = arg;
	const struct tcmsg *header = nlmsg_data(message);
	struct nlattr *attrs[TCA_MAX + 1];
	bool chained;

	if (message->nlmsg_type != RTM_NEWTFILTER || !parse(message, attrs) ||
	    header->tcm_parent != importing->parent || !header->tcm_handle)
		return 0;
	/* u32 tells of its hash tables like of filters. */
	if (!strcmp(nla_data(attrs[TCA_KIND]), "u32") &&
	    !(header->tcm_handle & 0xfff))
		return 0;
	chained = attrs[TCA_CHAIN] && message_u32(attrs[TCA_CHAIN]);
	if (!chained && importing->parent == TC_ROOT_HANDLE) {
		add_found(importing, message, attrs);
		return 0;
	}
	tell_beside(importing, header, nla_data(attrs[TCA_KIND]));
	return 0;
}

static int dump(struct netlink *netlink, struct importing *importing, int type,
		uint32_t parent, int (*each)(const struct nlmsghdr *, void *),
		struct err *err)
{
	struct tcmsg header = { .tcm_family = AF_UNSPEC,
				.tcm_ifindex = importing->link->index,
				.tcm_parent = parent };
	AUTO(nlmsg)
	struct nl_msg *request =
		netlink_message(type, 0, &header, sizeof(header), 0);

	importing->parent = parent;
	return netlink_dump(netlink, request, each, NULL, importing, err);
}

/* An inner class may have filters of its own. */
static int look_below(struct netlink *netlink, struct importing *importing,
		      struct err *err)
{
	size_t count = importing->found.count;
	int rc = 0;

	for (size_t i = 0; i < count && rc == 0; i++) {
		const struct tc_object *class =
			tc_of(&importing->found.items[i]);

		if (class->sort == TC_CLASS && class->class.level)
			rc = dump(netlink, importing, RTM_GETTFILTER,
				  class->handle, take_filter, err);
	}
	return rc;
}

static int read_tree(struct netlink *netlink, struct importing *importing,
		     struct err *err)
{
	int rc = dump(netlink, importing, RTM_GETQDISC, 0, take_qdisc, err);

	if (rc < 0 || importing->report->errors)
		return rc;
	if (!importing->has_root) {
		report_error(importing->report, importing->uplink, ENOENT,
			     "%s has no tree: its root qdisc is the kernel's "
			     "own; create makes one",
			     importing->link->name);
		return 0;
	}
	rc = dump(netlink, importing, RTM_GETTCLASS, 0, take_class, err);
	if (rc == 0)
		rc = dump(netlink, importing, RTM_GETTFILTER, TC_ROOT_HANDLE,
			  take_filter, err);
	return rc < 0 ? rc : look_below(netlink, importing, err);
}

/* ---- classes ---- */

static void give(struct node *node, size_t attr, uint64_t u)
{
	struct value value = { .u = u };

	node_set(node, attr, &value, ORIGIN_GIVEN);
}

static bool comes_to(uint64_t rate, uint64_t bytes, uint32_t ticks)
{
	uint32_t got = 0;

	return shaping_ticks(rate, bytes, &got) == 0 && got == ticks;
}

/* Some bytes come to the same ticks, in whole microseconds; one of them is what
 * somebody wrote, and it was most likely a round number. */
static uint64_t roundest(uint64_t rate, uint64_t bytes, uint32_t ticks)
{
	static const uint64_t steps[] = { 1 << 20, 1 << 10, 1000, 100, 10, 1 };
	uint64_t low = bytes > 2 ? bytes - 2 : 1;
	uint64_t high = bytes + rate / 1000000 + 2;

	for (size_t i = 0; i < ARRAY_SIZE(steps); i++)
		for (uint64_t at = (low + steps[i] - 1) / steps[i] * steps[i];
		     at <= high; at += steps[i])
			if (comes_to(rate, at, ticks))
				return at;
	return bytes ? bytes : 1;
}

/* 0: tc's own choice, which need not be said. */
static uint64_t burst_of(struct node *node, size_t attr, uint64_t rate,
			 uint32_t ticks)
{
	int (*ticks_of)(const struct node *, uint32_t *, struct err *) =
		attr == CLASS_BURST ? class_burst_ticks : class_cburst_ticks;
	uint32_t got = 0;

	if (ticks_of(node, &got, NULL) == 0 && got == ticks)
		return 0;
	return roundest(rate, shaping_bytes(rate, ticks), ticks);
}

static void give_burst(struct node *node, size_t attr, uint64_t rate,
		       uint32_t ticks)
{
	uint64_t bytes = burst_of(node, attr, rate, ticks);

	if (bytes)
		give(node, attr, bytes);
}

/* Each but what the class above says already. */
static void give_layer(struct importing *importing, struct node *node,
		       const struct tc_class *class)
{
	enum linklayer layer = class->linklayer == TC_LINKLAYER_ATM
				       ? LINKLAYER_ATM
				       : LINKLAYER_ETHERNET;

	if (class_linklayer(node) != layer)
		give(node, CLASS_LINKLAYER, layer);
	if (class->overhead > 255 || class->mpu > 2048) {
		report_error(importing->report, node, ERANGE,
			     "overhead %d mpu %u: Tresse has 0 to 255, and 0 "
			     "to 2048",
			     (int16_t) class->overhead, class->mpu);
		return;
	}
	if (class_overhead_on(node, link_header(importing->link)) !=
	    class->overhead)
		give(node, CLASS_OVERHEAD, class->overhead);
	if (class_mpu(node) != class->mpu)
		give(node, CLASS_MPU, class->mpu);
}

static void fill_class(struct importing *importing, struct node *node,
		       const struct tc_object *object)
{
	const struct tc_class *class = &object->class;

	give(node, CLASS_RATE, class->rate * 8);
	if (class->ceil != class->rate)
		give(node, CLASS_CEIL, class->ceil * 8);
	give(node, CLASS_CLASSID, object->handle);
	give_layer(importing, node, class);
	give_burst(node, CLASS_BURST, class->rate, class->buffer);
	give_burst(node, CLASS_CBURST, class->ceil, class->cbuffer);
	if (class->level)
		return;
	if (class->prio)
		give(node, CLASS_PRIO, class->prio);
	if (class->quantum != shaping_quantum(class->rate, importing->root.r2q))
		give(node, CLASS_QUANTUM, class->quantum);
}

static void make_class(struct importing *importing,
		       const struct tc_object *object, struct err *err)
{
	struct node *parent = importing->uplink, *node;
	AUTO(str) char *name = mem_printf("c%x", TC_H_MIN(object->handle));

	if (object->parent != TC_H_ROOT)
		parent = importing->classes[TC_H_MIN(object->parent)];
	node = parent ? node_create(parent, name, err) : NULL;
	if (!node) {
		report_error(importing->report, importing->uplink, EREMOTEIO,
			     "class 1:%x has no place in the tree",
			     TC_H_MIN(object->handle));
		return;
	}
	importing->classes[TC_H_MIN(object->handle)] = node;
	fill_class(importing, node, object);
}

/* From the top down, and by number: an inner class at the top has level 7, one
 * below it 6; leaves have 0 wherever they are. */
static void make_classes(struct importing *importing, struct err *err)
{
	const struct state *found = &importing->found;
	const struct tc_object **sorted = mem_array(MINORS, sizeof(*sorted));

	for (size_t i = 0; i < found->count; i++)
		if (tc_of(&found->items[i])->sort == TC_CLASS)
			sorted[TC_H_MIN(tc_of(&found->items[i])->handle)] =
				tc_of(&found->items[i]);
	for (uint32_t level = 8; level--;)
		for (uint32_t minor = 0; minor < MINORS; minor++)
			if (sorted[minor] &&
			    sorted[minor]->class.level == level)
				make_class(importing, sorted[minor], err);
	free(sorted);
}

static void make_leaf(struct importing *importing,
		      const struct tc_object *object)
{
	struct node *node = importing->classes[TC_H_MIN(object->parent)];
	AUTO_TEXT words = TEXT_NONE;
	AUTO_ERR why = ERR_NONE;

	if (!node)
		return;
	/* Of a queue that stays this is the word. */
	queue_print_on(&object->queue, importing->link, &words);
	if (node_set_text(node, "leaf", text_get(&words), &why) < 0)
		report_error(importing->report, node, EOPNOTSUPP,
			     "its qdisc %s cannot be said: %s",
			     text_get(&words), why.text);
}

/* ---- filters ---- */

static void put_filter(const struct tc_object *object, struct text *out)
{
	text_printf(out, "filter %s pref %u handle 0x%x", object->other.kind,
		    object->other.info >> 16, object->handle);
}

static void leave_out(struct importing *importing,
		      const struct tc_object *object, const char *why)
{
	bool keeps = filter_keeps(object);
	AUTO_TEXT name = TEXT_NONE;

	put_filter(object, &name);
	if (importing->filters == IMPORT_DROP && keeps)
		report_warning(importing->report, importing->uplink,
			       "%s of %s goes: %s; what it led goes to the "
			       "default class",
			       text_get(&name), importing->link->name, why);
	else
		report_error(importing->report, importing->uplink, EOPNOTSUPP,
			     "%s of %s cannot be taken over: %s; filters=keep "
			     "leaves it as it is%s",
			     text_get(&name), importing->link->name, why,
			     keeps ? ", filters=drop does without"
				   : " (it could not be put back, so it cannot "
				     "be dropped)");
}

/* A class has one mark of its own; nothing is asked before it. */
static bool take_as_mark(struct node *class, const struct filter *filter,
			 uint32_t class_mask)
{
	struct value value = { .bits = { filter->mark, UINT32_MAX } };

	if (!filter->is_mark || filter->family != AF_UNSPEC ||
	    node_origin(class, CLASS_MARK) == ORIGIN_GIVEN ||
	    filter->mark & ~class_mask ||
	    (filter->mask != UINT32_MAX && filter->mask != class_mask))
		return false;
	node_set(class, CLASS_MARK, &value, ORIGIN_GIVEN);
	return true;
}

/* Several settings at once, as they are typed. */
static int set_words(struct node *node, const char *words, struct err *err)
{
	AUTO(str) char *text = mem_strdup(words);
	char *rest = text, *word;
	int rc = 0;

	while (rc == 0 && (word = strsep(&rest, " "))) {
		char *value = strchr(word, '=');

		if (!value)
			continue;
		*value++ = '\0';
		rc = node_set_text(node, word, value, err);
	}
	return rc;
}

static void take_as_match(struct importing *importing, struct node *class,
			  const struct tc_object *object,
			  const struct filter *filter)
{
	struct node *matches = node_fixed(class, &kind_matches), *match;
	AUTO(str)
	char *name =
		mem_printf("%s-%zu", object->other.kind, ++importing->matches);
	AUTO_TEXT words = TEXT_NONE;
	AUTO_ERR why = ERR_NONE;

	text_printf(&words, "scope=packet order=%zu ",
		    importing->matches < 65535 ? importing->matches : 65535);
	filter_print(filter, &words);
	match = node_create(matches, name, &why);
	if (!match || set_words(match, text_get(&words), &why) < 0)
		leave_out(importing, object, why.text);
}

/* The class that it leads to, as a match could; NULL and why not. */
static struct node *match_class(const struct importing *importing,
				const struct tc_object *object,
				struct filter *filter, const char **why)
{
	struct node *class;

	if (!filter_read(object, filter, why))
		return NULL;
	class = TC_H_MAJ(filter->classid) == TC_ROOT_HANDLE
			? importing->classes[TC_H_MIN(filter->classid)]
			: NULL;
	if (!class || !class_is_leaf(class)) {
		*why = "it names no class that carries traffic";
		return NULL;
	}
	*why = "it has more than can be read";
	return filter_keeps(object) ? class : NULL;
}

static void make_match(struct importing *importing,
		       const struct tc_object *object, bool only_marks)
{
	const struct node *machine = tree_system(node_tree(importing->uplink));
	uint32_t mask = node_value(machine, SYSTEM_CLASS_MASK)->bits.value;
	struct filter filter;
	const char *why;
	struct node *class = match_class(importing, object, &filter, &why);

	keep_filter(importing, object);
	if (!class)
		leave_out(importing, object, why);
	else if (!only_marks || !take_as_mark(class, &filter, mask))
		take_as_match(importing, class, object, &filter);
}

static int by_pref(const void *left, const void *right)
{
	const struct tc_object *a = tc_of(*(const struct object *const *)left);
	const struct tc_object *b = tc_of(*(const struct object *const *)right);
	uint32_t a_pref = a->other.info >> 16, b_pref = b->other.info >> 16;

	if (a_pref != b_pref)
		return a_pref < b_pref ? -1 : 1;
	return a->handle < b->handle ? -1 : a->handle > b->handle;
}

/* Those up to the last one that no match can stand for: what comes behind is
 * asked behind them then as before. */
static size_t count_staying(const struct importing *importing,
			    const struct object *const *filters, size_t count)
{
	struct filter filter;
	const char *why;

	if (importing->filters != IMPORT_KEEP)
		return 0;
	while (count &&
	       match_class(importing, tc_of(filters[count - 1]), &filter, &why))
		count--;
	return count;
}

static void let_stay(struct importing *importing,
		     const struct tc_object *object)
{
	AUTO_TEXT name = TEXT_NONE;

	put_filter(object, &name);
	if (object->other.info >> 16 >= TC_FILTER_PREF)
		report_error(importing->report, importing->uplink, EOPNOTSUPP,
			     "%s of %s cannot stay: Tresse's own come at pref "
			     "%u, before it; give it a pref below that",
			     text_get(&name), importing->link->name,
			     TC_FILTER_PREF);
	else
		report_warning(importing->report, importing->uplink,
			       "%s of %s stays as it is, and decides before "
			       "any match",
			       text_get(&name), importing->link->name);
}

static bool are_marks(const struct object *const *filters, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(tc_of(filters[i])->other.kind, "fw") != 0)
			return false;
	return true;
}

/* With nftables a class would be known before these are asked. */
static void share(struct importing *importing,
		  const struct object *const *filters, size_t count)
{
	for (size_t i = 0; i < count; i++)
		let_stay(importing, tc_of(filters[i]));
	if (!count)
		return;
	node_set_text(importing->uplink, "filters", "foreign", NULL);
	node_set_text(importing->uplink, "classifier", "bpf", NULL);
}

static void make_matches(struct importing *importing)
{
	const struct object **filters =
		mem_array(importing->found.count, sizeof(*filters));
	size_t count = 0, stay;
	bool only_marks;

	for (size_t i = 0; i < importing->found.count; i++)
		if (tc_of(&importing->found.items[i])->sort == TC_OTHER)
			filters[count++] = &importing->found.items[i];
	if (count)
		qsort(filters, count, sizeof(*filters), by_pref);
	stay = count_staying(importing, filters, count);
	share(importing, filters, stay);
	only_marks = are_marks(filters + stay, count - stay);
	for (size_t i = stay; i < count; i++)
		make_match(importing, tc_of(filters[i]), only_marks);
	free(filters);
	if (!count)
		report_note(importing->report, importing->uplink,
			    "no filter leads to its classes: if rules of "
			    "iptables (CLASSIFY) or nftables (meta priority) "
			    "do, matches have to, for Tresse's come last");
}

/* ---- the whole ---- */

static void fill_uplink(struct importing *importing)
{
	struct node *uplink = importing->uplink;
	const struct node *target =
		importing->classes[importing->root.defcls & 0xffff];

	if (importing->root.r2q && importing->root.r2q != 10)
		give(uplink, UPLINK_R2Q, importing->root.r2q);
	if (target && class_is_leaf(target))
		node_set_text(uplink, "default", node_name(target), NULL);
	else if (importing->root.defcls)
		report_note(importing->report, uplink,
			    "its default %x is no class that carries traffic: "
			    "what no match claims is not shaped, as before",
			    importing->root.defcls);
}

/* Nor are many classes dealt out to several HTBs (model/shard.h): they stand in
 * one. */
static void keep_together(struct importing *importing)
{
	struct node *uplink = importing->uplink;

	for (struct node *at = uplink; at; at = node_walk(uplink, at))
		if (at == uplink ||
		    (node_kind(at) == &kind_class && !class_is_leaf(at)))
			node_set_text(at, "shards", "none", NULL);
}

static void make_tree(struct importing *importing, struct err *err)
{

	const struct state *found = &importing->found;

	/* Quanta of classes follow from it. */
	if (!importing->root.r2q)
		importing->root.r2q = 10;
	make_classes(importing, err);
	if (found->count > MANY)
		keep_together(importing);
	for (size_t i = 0; i < found->count; i++)
		if (tc_of(&found->items[i])->sort == TC_LEAF)
			make_leaf(importing, tc_of(&found->items[i]));
	fill_uplink(importing);
	make_matches(importing);
	if (tree_check_fits(importing->uplink))
		return;
	report_warning(importing->report, importing->uplink,
		       "its rates do not fit together, as the kernel took "
		       "them; they stay, and what is wrong is told as a doubt "
		       "(lenient=yes)");
	give(importing->uplink, UPLINK_LENIENT, true);
}

static void claim(const struct importing *importing, struct owned *takes)
{
	AUTO(str) char *key = mem_printf("root %s", importing->link->name);
	struct tc_kept kept = { .version = TC_KEPT_TREE,
				.handle = TC_ROOT_HANDLE,
				.kind = "htb" };
	AUTO_TEXT saved = TEXT_NONE;

	text_put_bytes(&saved, &kept, sizeof(kept));
	text_put_bytes(&saved, text_get(importing->kept),
		       importing->kept->length);
	owned_add(takes, TC_NAME, key, text_get(&saved), saved.length);
}

int tc_import(struct host *host, const struct facts *facts, const char *device,
	      enum import_filters filters, struct node *uplink,
	      struct report *report, struct owned *takes, struct err *err)
{
	AUTO(mem) void *classes = mem_array(MINORS, sizeof(struct node *));
	AUTO_TEXT kept = TEXT_NONE;
	struct importing importing = { .link = facts_link(facts, device),
				       .uplink = uplink,
				       .report = report,
				       .filters = filters,
				       .found = STATE_NONE,
				       .kept = &kept,
				       .classes = classes };
	struct netlink *netlink;
	int rc;

	if (!importing.link)
		return err_set(err, ENODEV, "there is no device %s", device);
	netlink = host_netlink(host, NETLINK_ROUTE, err);
	if (!netlink)
		return err ? err->code : -EIO;
	rc = read_tree(netlink, &importing, err);
	if (rc == 0 && !report->errors) {
		make_tree(&importing, err);
		claim(&importing, takes);
	}
	state_clear(&importing.found);
	return rc;
}
