/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the kernel has (declared in tc.h). */
#include <arpa/inet.h>
#include <linux/gen_stats.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <linux/rtnetlink.h>
#include <linux/tc_act/tc_mirred.h>
#include <netlink/msg.h>
#include <stdio.h>
#include <string.h>

#include "backends/host.h"
#include "backends/list.h"
#include "backends/netlink/netlink.h"
#include "backends/tc/filter.h"
#include "backends/tc/message.h"
#include "backends/tc/sorter.h"
#include "backends/tc/tc.h"
#include "model/base/mem.h"
#include "model/shaping.h"
#include "model/shard.h"

/* A device that a tree names, or on which something is ours. */
struct device {
	int index;
	char name[16];
	const struct owned_item *owned; /* of our root; NULL: not ours */
	uint32_t root;			/* its handle; 0: the kernel's own */
	char root_kind[16];
	bool root_sized; /* it has a size table, which cannot be put back */
	bool ours;
	/* Of ours, by number: HTBs where shards hang. */
	bool shards[SHARD_LAST + 1];
};

/* An ifb of ours, or what stands where one is wanted; facts may be older than
 * it. */
struct ifb {
	char name[16];
	int index; /* 0: not there */
	bool ours;
};

struct reading {
	struct state *now;
	const struct owned *owned;
	struct ifb *ifbs; /* owned */
	size_t ifb_count, ifb_room;
	bool has_ipv6;
	struct device *devices; /* owned, by index */
	size_t count, room;
	struct state seen;     /* qdiscs, before we know whose they are */
	struct device *device; /* the one whose classes or filters come */
	struct tc_foreign *foreign;
	struct tc_ingress *ingress;
};

/* ---- devices ---- */

static struct ifb *ifb_of(const struct reading *reading, const char *name)
{
	for (size_t i = 0; i < reading->ifb_count; i++)
		if (!strcmp(reading->ifbs[i].name, name))
			return &reading->ifbs[i];
	return NULL;
}

static int index_of(const struct reading *reading, const struct facts *facts,
		    const char *name)
{
	const struct ifb *ifb = ifb_of(reading, name);
	const struct link_fact *link = facts_link(facts, name);

	if (ifb)
		return ifb->index;
	return link ? link->index : 0;
}

static void add_device(struct reading *reading, const struct facts *facts,
		       const struct owned *owned, const char *name)
{
	int index = name ? index_of(reading, facts, name) : 0;
	struct device *device;

	if (!index)
		return;
	reading->devices = mem_grow(reading->devices, reading->count,
				    &reading->room, sizeof(*reading->devices));
	device = &reading->devices[reading->count++];
	*device = (struct device){ .index = index };
	snprintf(device->name, sizeof(device->name), "%s", name);
	device->owned = tc_owned(owned, facts, "root", name, index);
}

static int by_index(const void *left, const void *right)
{
	const struct device *a = left, *b = right;

	return a->index < b->index ? -1 : a->index > b->index;
}

/* By index, and each once. */
static void sort_devices(struct reading *reading)
{
	size_t kept = 0;

	if (reading->count)
		qsort(reading->devices, reading->count,
		      sizeof(*reading->devices), by_index);
	for (size_t i = 0; i < reading->count; i++)
		if (!i ||
		    by_index(&reading->devices[i], &reading->devices[kept - 1]))
			reading->devices[kept++] = reading->devices[i];
	reading->count = kept;
}

static void find_devices(struct reading *reading, const struct tree *tree,
			 const struct facts *facts, const struct owned *owned)
{
	node_each (uplink, tree_classes(tree))
		add_device(reading, facts, owned, uplink_device(uplink));
	for (size_t i = 0; i < owned->count; i++)
		if (!strcmp(owned->items[i].backend, TC_NAME) &&
		    (!strncmp(owned->items[i].key, "root ", 5) ||
		     !strncmp(owned->items[i].key, "ingress ", 8)))
			add_device(reading, facts, owned,
				   strchr(owned->items[i].key, ' ') + 1);
	for (size_t i = 0; i < reading->ifb_count; i++)
		add_device(reading, facts, owned, reading->ifbs[i].name);
	sort_devices(reading);
}

static struct device *device_at(const struct reading *reading, int index)
{
	const struct device key = { .index = index };

	return reading->count ? bsearch(&key, reading->devices, reading->count,
					sizeof(key), by_index)
			      : NULL;
}

/* ---- messages ---- */

/* Header and attributes of a message; false if it is too short. */
static bool parse(const struct nlmsghdr *message, int type,
		  const struct tcmsg **header, struct nlattr **attrs)
{
	if (message->nlmsg_type != type ||
	    nlmsg_parse((struct nlmsghdr *)(uintptr_t)message,
			sizeof(struct tcmsg), attrs, TCA_MAX, NULL) < 0 ||
	    !attrs[TCA_KIND])
		return false;
	*header = nlmsg_data(message);
	return true;
}

static void read_kind(const struct nlattr *attr, char kind[16])
{
	nla_strlcpy(kind, attr, 16);
}

static struct tc_object object_on(const struct device *device,
				  enum tc_sort sort, const struct tcmsg *header)
{
	struct tc_object object = { .sort = sort,
				    .index = device->index,
				    .handle = header->tcm_handle,
				    .parent = header->tcm_parent };

	memcpy(object.device, device->name, sizeof(object.device));
	return object;
}

uint32_t tc_queued(const struct nlattr *stats2)
{
	struct nlattr *stats[TCA_STATS_MAX + 1];
	struct gnet_stats_queue queue;

	if (!message_nested(stats2, stats, TCA_STATS_MAX) ||
	    !message_struct(stats[TCA_STATS_QUEUE], &queue, sizeof(queue)))
		return 0;
	return queue.qlen;
}

/* attrs: of the message. raw: TCA_OPTIONS where they are kept, or NULL. */
static void add_read(struct state *state, const struct tc_object *object,
		     struct nlattr *const *attrs, const struct nlattr *raw)
{
	struct object *added = tc_add(state, object, raw ? nla_data(raw) : NULL,
				      raw ? (size_t)nla_len(raw) : 0, "");

	if (added && attrs)
		added->queued = tc_queued(attrs[TCA_STATS2]);
}

/* ---- qdiscs ---- */

void tc_read_root(const struct nlattr *options, struct tc_root *out)
{
	struct nlattr *attrs[TCA_HTB_MAX + 1] = { NULL };
	struct tc_htb_glob glob = { 0 };

	if (message_nested(options, attrs, TCA_HTB_MAX))
		(void)message_struct(attrs[TCA_HTB_INIT], &glob, sizeof(glob));
	*out = (struct tc_root){ .r2q = glob.rate2quantum,
				 .defcls = glob.defcls };
}

static void take_root(struct reading *reading, struct device *device,
		      const struct tcmsg *header, struct nlattr **attrs)
{
	struct tc_object object = object_on(device, TC_FOREIGN, header);

	device->root = header->tcm_handle;
	if (!device->root)
		return;
	read_kind(attrs[TCA_KIND], device->root_kind);
	device->root_sized = attrs[TCA_STAB] != NULL;
	device->ours = device->owned && device->root == TC_ROOT_HANDLE &&
		       !strcmp(device->root_kind, "htb");
	if (device->ours) {
		object.sort = TC_ROOT;
		tc_read_root(attrs[TCA_OPTIONS], &object.root);
		add_read(&reading->seen, &object, attrs, NULL);
		return;
	}
	object.foreign = (struct tc_foreign){ .classes = 0 };
	memcpy(object.foreign.kind, device->root_kind,
	       sizeof(object.foreign.kind));
	add_read(&reading->seen, &object, attrs, attrs[TCA_OPTIONS]);
}

static void take_ingress(struct reading *reading, const struct device *device,
			 const struct tcmsg *header, struct nlattr **attrs)
{
	struct tc_object object = object_on(device, TC_INGRESS, header);
	char key[TC_KEY_SIZE];

	object.ingress = (struct tc_ingress){ .filters = 0 };
	read_kind(attrs[TCA_KIND], object.ingress.kind);
	tc_key(&object, key);
	object.ingress.ours = owned_find(reading->owned, TC_NAME, key) != NULL;
	add_read(&reading->seen, &object, NULL, NULL);
}

/* HTB n: in class 1:ff00 + n. */
static bool is_shard(const struct tcmsg *header, const char *kind)
{
	uint32_t number = TC_H_MAJ(header->tcm_handle) >> 16;

	return number >= SHARD_FIRST && number <= SHARD_LAST &&
	       header->tcm_parent == (TC_ROOT_HANDLE | SHARD_MINOR | number) &&
	       !strcmp(kind, "htb");
}

/* Is it about a class of the root, or of one of the shards? */
static bool is_in_tree(const struct device *device, uint32_t classid)
{
	uint32_t major = TC_H_MAJ(classid) >> 16;

	return TC_H_MAJ(classid) == device->root ||
	       (major <= SHARD_LAST && device->shards[major]);
}

static int take_qdisc(const struct nlmsghdr *message, void *arg)
{
	struct reading *reading = arg;
	struct nlattr *attrs[TCA_MAX + 1];
	const struct tcmsg *header;
	struct tc_object object;
	struct device *device;
	char kind[16];

	if (!parse(message, RTM_NEWQDISC, &header, attrs))
		return 0;
	device = device_at(reading, header->tcm_ifindex);
	if (!device)
		return 0;
	if (header->tcm_parent == TC_H_ROOT) {
		take_root(reading, device, header, attrs);
		return 0;
	}
	if (header->tcm_parent == TC_H_INGRESS) {
		take_ingress(reading, device, header, attrs);
		return 0;
	}
	if (!header->tcm_handle)
		return 0;
	object = object_on(device, TC_LEAF, header);
	read_kind(attrs[TCA_KIND], kind);
	if (is_shard(header, kind)) {
		object.sort = TC_SHARD;
		tc_read_root(attrs[TCA_OPTIONS], &object.root);
		device->shards[TC_H_MAJ(header->tcm_handle) >> 16] = true;
		add_read(&reading->seen, &object, attrs, NULL);
		return 0;
	}
	if (queue_read(kind, attrs[TCA_OPTIONS], &object.queue))
		add_read(&reading->seen, &object, attrs, NULL);
	else
		add_read(&reading->seen, &object, attrs, attrs[TCA_OPTIONS]);
	return 0;
}

static void forget_qdiscs(void *arg)
{
	struct reading *reading = arg;

	state_clear(&reading->seen);
	for (size_t i = 0; i < reading->count; i++) {
		reading->devices[i].root = 0;
		reading->devices[i].ours = false;
		memset(reading->devices[i].shards, 0,
		       sizeof(reading->devices[i].shards));
	}
}

/* ---- classes ---- */

bool tc_read_class(const struct nlattr *options, struct tc_class *out)
{
	struct nlattr *attrs[TCA_HTB_MAX + 1];
	struct tc_htb_opt parms;

	if (!message_nested(options, attrs, TCA_HTB_MAX) ||
	    !message_struct(attrs[TCA_HTB_PARMS], &parms, sizeof(parms)))
		return false;
	*out = (struct tc_class){ .rate = parms.rate.rate,
				  .ceil = parms.ceil.rate,
				  .buffer = parms.buffer,
				  .cbuffer = parms.cbuffer,
				  .prio = parms.prio,
				  .quantum = parms.quantum,
				  .fixed_quantum = 1,
				  .observed = 1,
				  .linklayer = parms.rate.linklayer & 15,
				  .overhead = parms.rate.overhead,
				  .mpu = parms.rate.mpu,
				  .level = parms.level };
	if (attrs[TCA_HTB_RATE64])
		out->rate = message_u64(attrs[TCA_HTB_RATE64]);
	if (attrs[TCA_HTB_CEIL64])
		out->ceil = message_u64(attrs[TCA_HTB_CEIL64]);
	return true;
}

static int take_class(const struct nlmsghdr *message, void *arg)
{
	struct reading *reading = arg;
	struct nlattr *attrs[TCA_MAX + 1];
	const struct tcmsg *header;
	struct tc_object object;

	if (!parse(message, RTM_NEWTCLASS, &header, attrs) ||
	    header->tcm_ifindex != reading->device->index ||
	    !is_in_tree(reading->device, header->tcm_handle))
		return 0;
	object = object_on(reading->device, TC_CLASS, header);
	if (tc_read_class(attrs[TCA_OPTIONS], &object.class))
		add_read(reading->now, &object, attrs, NULL);
	return 0;
}

/* ---- filters ---- */

static void take_program(struct reading *reading, const struct tcmsg *header,
			 bool rest, const struct nlattr *options)
{
	struct tc_object object =
		object_on(reading->device, TC_PROGRAM, header);
	struct nlattr *attrs[TCA_BPF_MAX + 1];

	if (!message_nested(options, attrs, TCA_BPF_MAX))
		return;
	object.program.rest = rest;
	if (attrs[TCA_BPF_OPS])
		add_read(reading->now, &object, NULL, attrs[TCA_BPF_OPS]);
	object.sort = TC_SORTER;
	if (object.handle == TC_SORTER_HANDLE && !rest && attrs[TCA_BPF_NAME] &&
	    !nla_strcmp(attrs[TCA_BPF_NAME], SORTER_NAME))
		add_read(reading->now, &object, NULL, attrs[TCA_BPF_TAG]);
}

/* One that was there when the tree was taken over. */
static bool take_other(struct reading *reading, const struct tcmsg *header,
		       struct nlattr *const *attrs)
{
	struct tc_object object = object_on(reading->device, TC_OTHER, header);
	AUTO_TEXT options = TEXT_NONE;
	char key[TC_KEY_SIZE];

	object.other = (struct tc_other){ .info = header->tcm_info };
	read_kind(attrs[TCA_KIND], object.other.kind);
	object.kept = 1;
	tc_key(&object, key);
	object.kept = 0;
	if (!state_find(reading->now, &backend_tc, key))
		return false;
	filter_options(object.other.kind, attrs[TCA_OPTIONS], &options);
	tc_add(reading->now, &object, text_get(&options), options.length, "");
	return true;
}

static bool take_fw(struct reading *reading, const struct tcmsg *header,
		    const struct nlattr *said)
{
	struct nlattr *options[TCA_FW_MAX + 1];
	struct tc_object object;

	if (!message_nested(said, options, TCA_FW_MAX))
		return false;
	object = object_on(reading->device, TC_FILTER, header);
	object.filter = (struct tc_filter){
		header->tcm_handle,
		options[TCA_FW_MASK] ? message_u32(options[TCA_FW_MASK])
				     : UINT32_MAX,
		message_u32(options[TCA_FW_CLASSID]),
	};
	add_read(reading->now, &object, NULL, NULL);
	return true;
}

/* Of no sort that we make; u32 tells of its hash tables like of filters. */
static void take_stranger(struct reading *reading, const struct tcmsg *header,
			  const char *kind)
{
	struct tc_object object =
		object_on(reading->device, TC_STRANGER, header);

	if (!strcmp(kind, "u32") && !(header->tcm_handle & 0xfff))
		return;
	object.other = (struct tc_other){ .info = header->tcm_info };
	memcpy(object.other.kind, kind, sizeof(object.other.kind));
	tc_add(reading->now, &object, NULL, 0, "");
}

static int take_filter(const struct nlmsghdr *message, void *arg)
{
	struct reading *reading = arg;
	struct nlattr *attrs[TCA_MAX + 1];
	const struct tcmsg *header;
	bool known, all;
	uint32_t pref;
	char kind[16];

	if (!parse(message, RTM_NEWTFILTER, &header, attrs) ||
	    header->tcm_parent != TC_ROOT_HANDLE || !header->tcm_handle)
		return 0;
	known = take_other(reading, header, attrs);
	all = TC_H_MIN(header->tcm_info) == htons(ETH_P_ALL);
	pref = TC_H_MAJ(header->tcm_info) >> 16;
	read_kind(attrs[TCA_KIND], kind);
	if (all && !strcmp(kind, "bpf") &&
	    (pref == TC_FILTER_PREF || pref == TC_REST_PREF)) {
		take_program(reading, header, pref == TC_REST_PREF,
			     attrs[TCA_OPTIONS]);
		known = true;
	}
	if (all && pref == TC_FILTER_PREF && !strcmp(kind, "fw"))
		known |= take_fw(reading, header, attrs[TCA_OPTIONS]);
	if (!known)
		take_stranger(reading, header, kind);
	return 0;
}

/* ---- what arrives ---- */

/* Where an action list of one mirred leads; -1: it is none. */
static int mirred_target(const struct nlattr *actions)
{
	struct nlattr *list[2], *act[TCA_ACT_MAX + 1];
	struct nlattr *options[TCA_MIRRED_MAX + 1];
	struct tc_mirred parms;

	if (!message_nested(actions, list, 1) ||
	    !message_nested(list[1], act, TCA_ACT_MAX) || !act[TCA_ACT_KIND] ||
	    nla_strcmp(act[TCA_ACT_KIND], "mirred") ||
	    !message_nested(act[TCA_ACT_OPTIONS], options, TCA_MIRRED_MAX) ||
	    !message_struct(options[TCA_MIRRED_PARMS], &parms, sizeof(parms)) ||
	    parms.eaction != TCA_EGRESS_REDIR)
		return -1;
	return (int)parms.ifindex;
}

/* Ours lead to an ifb of ours, or to where one was: the kernel says 0 then. */
static const struct ifb *ifb_at(const struct reading *reading, int index)
{
	static const struct ifb gone = { .ours = true };

	for (size_t i = 0; i < reading->ifb_count; i++)
		if (index > 0 && reading->ifbs[i].index == index)
			return &reading->ifbs[i];
	return index == 0 ? &gone : NULL;
}

static bool take_redirect(struct reading *reading, const struct tcmsg *header,
			  struct nlattr *const *attrs)
{
	struct tc_object object =
		object_on(reading->device, TC_REDIRECT, header);
	struct nlattr *options[TCA_BPF_MAX + 1];
	const struct ifb *ifb;

	if (nla_strcmp(attrs[TCA_KIND], "bpf") ||
	    TC_H_MAJ(header->tcm_info) >> 16 != TC_FILTER_PREF ||
	    !message_nested(attrs[TCA_OPTIONS], options, TCA_BPF_MAX) ||
	    !options[TCA_BPF_OPS])
		return false;
	object.redirect.target = mirred_target(options[TCA_BPF_ACT]);
	ifb = ifb_at(reading, object.redirect.target);
	if (!ifb || !ifb->ours)
		return false;
	memcpy(object.redirect.to, ifb->name, sizeof(object.redirect.to));
	add_read(reading->now, &object, NULL, options[TCA_BPF_OPS]);
	return true;
}

static int take_arriving(const struct nlmsghdr *message, void *arg)
{
	struct reading *reading = arg;
	struct nlattr *attrs[TCA_MAX + 1];
	const struct tcmsg *header;

	if (parse(message, RTM_NEWTFILTER, &header, attrs) &&
	    header->tcm_handle && !take_redirect(reading, header, attrs))
		reading->ingress->filters++;
	return 0;
}

/* ---- foreign roots ---- */

/* Those without classes whose TCA_OPTIONS, as read, make the same again. (netem
 * keeps its tables to itself, choke and red want a size table.) */
static const char *const restorable[] = {
	"pfifo",      "bfifo",	"pfifo_head_drop",
	"pfifo_fast", "sfq",	"fq_codel",
	"codel",      "fq",	"cake",
	"tbf",	      "pie",	"fq_pie",
	"hhf",	      "noqueue"
};

static bool is_restorable(const char *kind)
{
	for (size_t i = 0; i < ARRAY_SIZE(restorable); i++)
		if (!strcmp(restorable[i], kind))
			return true;
	return false;
}

static int count_class(const struct nlmsghdr *message, void *arg)
{
	struct reading *reading = arg;
	const struct tcmsg *header = nlmsg_data(message);

	if (message->nlmsg_type == RTM_NEWTCLASS &&
	    nlmsg_datalen(message) >= (int)sizeof(*header) &&
	    TC_H_MAJ(header->tcm_handle) == reading->device->root)
		reading->foreign->classes++;
	return 0;
}

static int count_filter(const struct nlmsghdr *message, void *arg)
{
	struct reading *reading = arg;
	const struct tcmsg *header = nlmsg_data(message);

	if (message->nlmsg_type == RTM_NEWTFILTER &&
	    nlmsg_datalen(message) >= (int)sizeof(*header) &&
	    header->tcm_handle)
		reading->foreign->filters++;
	return 0;
}

static void forget_count(void *arg)
{
	struct reading *reading = arg;

	reading->foreign->classes = reading->foreign->filters = 0;
}

/* ---- dumps ---- */

static int dump(struct netlink *netlink, int type, int index, uint32_t parent,
		int (*each)(const struct nlmsghdr *, void *),
		void (*restart)(void *), struct reading *reading,
		struct err *err)
{
	struct tcmsg header = { .tcm_family = AF_UNSPEC,
				.tcm_ifindex = index,
				.tcm_parent = parent };
	AUTO(nlmsg)
	struct nl_msg *request =
		netlink_message(type, 0, &header, sizeof(header), 0);

	return netlink_dump(netlink, request, each, restart, reading, err);
}

/* These dumps are never begun again: net/sched/sch_api.c does not mark one as
 * interrupted. Reading back after the steps finds what slipped through.
 *
 * Each HTB is asked for by its number: for a dump of all, the kernel goes over
 * every queue of the device again for each 32 kB of the answer. */
static int read_ours(struct netlink *netlink, struct reading *reading,
		     struct err *err)
{
	const struct device *device = reading->device;
	int index = device->index;
	int rc = dump(netlink, RTM_GETTCLASS, index, TC_ROOT_HANDLE, take_class,
		      NULL, reading, err);

	for (uint32_t n = SHARD_FIRST; n <= SHARD_LAST && rc == 0; n++)
		if (device->shards[n])
			rc = dump(netlink, RTM_GETTCLASS, index, n << 16,
				  take_class, NULL, reading, err);
	if (rc == 0)
		rc = dump(netlink, RTM_GETTFILTER, index, TC_ROOT_HANDLE,
			  take_filter, NULL, reading, err);
	return rc;
}

/* fq_codel and sfq tell of a class for each flow under way: classes count only
 * where the kind is one that has them. */
static int read_foreign(struct netlink *netlink, struct reading *reading,
			const struct object *seen, struct err *err)
{
	const struct device *device = reading->device;
	struct tc_object *object = seen->data;
	int rc;

	reading->foreign = &object->foreign;
	rc = dump(netlink, RTM_GETTCLASS, device->index, 0, count_class,
		  forget_count, reading, err);
	if (rc == 0)
		rc = dump(netlink, RTM_GETTFILTER, device->index, device->root,
			  count_filter, NULL, reading, err);
	object->foreign.keeps =
		is_restorable(object->foreign.kind) && !device->root_sized &&
		!object->foreign.children && !object->foreign.filters;
	return rc;
}

static int read_ingress(struct netlink *netlink, struct reading *reading,
			const struct object *seen, struct err *err)
{
	struct tc_object *object = seen->data;

	reading->ingress = &object->ingress;
	return dump(netlink, RTM_GETTFILTER, object->index, TC_INGRESS_PARENT,
		    take_arriving, NULL, reading, err);
}

static void add_saved(struct reading *reading, const struct device *device)
{
	const struct owned_item *owned = device->owned;
	struct tc_object object = { .sort = TC_SAVED,
				    .index = device->index,
				    .parent = TC_H_ROOT };
	struct tc_kept kept;

	if (!owned || owned->saved_size < sizeof(kept))
		return;
	memcpy(&kept, owned->saved, sizeof(kept));
	if (kept.version == TC_KEPT_TREE)
		tc_add_kept(owned, device->name, device->index, reading->now);
	if (kept.version != TC_KEPT_VERSION)
		return;
	memcpy(object.device, device->name, sizeof(object.device));
	object.handle = kept.handle;
	object.foreign = (struct tc_foreign){ .keeps = 1 };
	memcpy(object.foreign.kind, kept.kind, sizeof(object.foreign.kind) - 1);
	tc_add(reading->now, &object, (const char *)owned->saved + sizeof(kept),
	       owned->saved_size - sizeof(kept), "");
}

/* Leaves in our classes are ours; qdiscs below a foreign root make it one that
 * cannot be put back. */
static void place_qdisc(struct reading *reading, struct object *seen)
{
	const struct tc_object *object = tc_of(seen);
	const struct device *device = device_at(reading, object->index);
	struct tc_object root = { .sort = TC_FOREIGN };
	const struct object *foreign;
	char key[TC_KEY_SIZE];

	if ((object->sort != TC_LEAF && object->sort != TC_SHARD) ||
	    !is_in_tree(device, object->parent))
		return;
	if (device->ours) {
		state_move(reading->now, seen);
		return;
	}
	memcpy(root.device, device->name, sizeof(root.device));
	tc_key(&root, key);
	foreign = state_find(&reading->seen, &backend_tc, key);
	if (foreign)
		((struct tc_object *)foreign->data)->foreign.children++;
}

static int place_root(struct netlink *netlink, struct reading *reading,
		      struct object *seen, struct err *err)
{
	const struct tc_object *object = tc_of(seen);
	int rc = 0;

	if (!object || object->sort == TC_LEAF || object->sort == TC_SHARD)
		return 0; /* placed already, or of no tree of ours */
	reading->device = device_at(reading, object->index);
	if (object->sort == TC_INGRESS)
		rc = read_ingress(netlink, reading, seen, err);
	else if (object->sort == TC_ROOT)
		rc = read_ours(netlink, reading, err);
	else
		rc = read_foreign(netlink, reading, seen, err);
	state_move(reading->now, seen);
	return rc < 0 ? err_prefix(err, "%s: ", reading->device->name) : 0;
}

/* ---- ifbs ---- */

static void add_ifb(struct reading *reading, const char *name)
{
	char key[TC_KEY_SIZE];
	struct ifb *ifb;

	if (!name[0] || ifb_of(reading, name))
		return;
	reading->ifbs = mem_grow(reading->ifbs, reading->ifb_count,
				 &reading->ifb_room, sizeof(*reading->ifbs));
	ifb = &reading->ifbs[reading->ifb_count++];
	*ifb = (struct ifb){ .index = 0 };
	snprintf(ifb->name, sizeof(ifb->name), "%s", name);
	snprintf(key, sizeof(key), "ifb %s", ifb->name);
	ifb->ours = owned_find(reading->owned, TC_NAME, key) != NULL;
}

static void find_ifbs(struct reading *reading, const struct tree *tree)
{
	const struct owned *owned = reading->owned;
	char name[IFB_NAME_SIZE];

	node_each (uplink, tree_classes(tree)) {
		uplink_ifb(uplink, name);
		if (uplink_is_down(uplink))
			add_ifb(reading, name);
	}
	for (size_t i = 0; i < owned->count; i++)
		if (!strcmp(owned->items[i].backend, TC_NAME) &&
		    !strncmp(owned->items[i].key, "ifb ", 4))
			add_ifb(reading, owned->items[i].key + 4);
}

static bool is_ifb(const struct nlattr *info)
{
	struct nlattr *attrs[IFLA_INFO_MAX + 1];

	return message_nested(info, attrs, IFLA_INFO_MAX) &&
	       attrs[IFLA_INFO_KIND] &&
	       !nla_strcmp(attrs[IFLA_INFO_KIND], "ifb");
}

static int take_link(const struct nlmsghdr *message, void *arg)
{
	struct reading *reading = arg;
	const struct ifinfomsg *info = nlmsg_data(message);
	struct tc_object object = { .sort = TC_LINK };
	struct nlattr *attrs[IFLA_MAX + 1];
	struct ifb *ifb;

	if (message->nlmsg_type != RTM_NEWLINK ||
	    !netlink_parse(message, sizeof(*info), attrs, IFLA_MAX) ||
	    !attrs[IFLA_IFNAME])
		return 0;
	ifb = ifb_of(reading, nla_get_string(attrs[IFLA_IFNAME]));
	if (!ifb)
		return 0;
	object.index = ifb->index = info->ifi_index;
	memcpy(object.device, ifb->name, sizeof(object.device));
	object.link = (struct tc_link){
		.mtu = netlink_u32(attrs[IFLA_MTU], 0),
		.txqlen = netlink_u32(attrs[IFLA_TXQLEN], 0),
		.up = (info->ifi_flags & IFF_UP) != 0,
		.ip6 = reading->has_ipv6,
		.is_ifb = is_ifb(attrs[IFLA_LINKINFO]),
		.ours = ifb->ours,
	};
	add_read(reading->now, &object, NULL, NULL);
	return 0;
}

static int read_ifbs(struct netlink *netlink, struct reading *reading,
		     const struct tree *tree, struct err *err)
{
	struct ifinfomsg header = { .ifi_family = AF_UNSPEC };
	AUTO(nlmsg) struct nl_msg *request = NULL;

	find_ifbs(reading, tree);
	if (!reading->ifb_count)
		return 0;
	request = netlink_message(RTM_GETLINK, 0, &header, sizeof(header), 0);
	return netlink_dump(netlink, request, take_link, NULL, reading, err);
}

static int read_all(struct netlink *netlink, struct reading *reading,
		    struct err *err)
{
	int rc = dump(netlink, RTM_GETQDISC, 0, 0, take_qdisc, forget_qdiscs,
		      reading, err);

	for (size_t i = 0; i < reading->count && rc == 0; i++)
		add_saved(reading, &reading->devices[i]);
	for (size_t i = 0; i < reading->seen.count && rc == 0; i++)
		place_qdisc(reading, &reading->seen.items[i]);
	for (size_t i = 0; i < reading->seen.count && rc == 0; i++)
		rc = place_root(netlink, reading, &reading->seen.items[i], err);
	return rc;
}

int tc_read(struct host *host, const struct tree *tree,
	    const struct facts *facts, const struct owned *owned,
	    struct state *now, struct err *err)
{
	struct reading reading = { .now = now,
				   .owned = owned,
				   .has_ipv6 = facts->has_ipv6,
				   .seen = STATE_NONE };
	struct netlink *netlink = NULL;
	int rc = 0;

	if (node_first(tree_classes(tree)) || owned->count) {
		netlink = host_netlink(host, NETLINK_ROUTE, err);
		rc = netlink ? read_ifbs(netlink, &reading, tree, err)
			     : (err ? err->code : -EIO);
	}
	find_devices(&reading, tree, facts, owned);
	if (rc == 0 && reading.count)
		rc = read_all(netlink, &reading, err);
	state_clear(&reading.seen);
	free(reading.ifbs);
	free(reading.devices);
	return rc;
}

/* ---- a few ---- */

/* sch_api.c answers a question by telling everybody who listens, and the one
 * who asked only with NLM_F_ECHO (measured on 6.18: an ACK and nothing else).
 */
static int get(struct netlink *netlink, int type, const struct tc_object *at,
	       uint32_t handle, uint32_t parent,
	       int (*each)(const struct nlmsghdr *, void *),
	       struct reading *reading, struct err *err)
{
	struct tcmsg header = { .tcm_family = AF_UNSPEC,
				.tcm_ifindex = at->index,
				.tcm_handle = handle,
				.tcm_parent = parent };
	AUTO(nlmsg)
	struct nl_msg *request =
		netlink_message(type, NLM_F_ECHO, &header, sizeof(header), 0);
	int rc = netlink_get(netlink, request, each, reading, err);

	return rc == -ENOENT || rc == -ENODEV || rc == -EINVAL
		       ? err_set(err, ESTALE, "it is not there")
		       : rc;
}

/* What is read goes where a dump would have put it. */
static int get_own(struct netlink *netlink, struct reading *reading,
		   const struct tc_object *want, struct err *err)
{
	int rc = 0;

	reading->device = device_at(reading, want->index);
	if (!reading->device)
		return -ESTALE;
	if (want->sort == TC_ROOT)
		rc = get(netlink, RTM_GETQDISC, want, 0, TC_H_ROOT, take_qdisc,
			 reading, err);
	/* ...unless it came with the class that it hangs in. */
	if (want->sort == TC_SHARD &&
	    !reading->device->shards[TC_H_MAJ(want->handle) >> 16])
		rc = get(netlink, RTM_GETQDISC, want, 0, want->parent,
			 take_qdisc, reading, err);
	if (want->sort != TC_CLASS)
		return rc;
	rc = get(netlink, RTM_GETTCLASS, want, want->handle, 0, take_class,
		 reading, err);
	if (rc == 0 && !want->class.level)
		rc = get(netlink, RTM_GETQDISC, want, 0, want->handle,
			 take_qdisc, reading, err);
	return rc;
}

static int read_own(struct netlink *netlink, struct reading *reading,
		    const struct state *want, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; i < want->count && rc == 0; i++)
		if (want->items[i].backend == &backend_tc)
			rc = get_own(netlink, reading, tc_of(&want->items[i]),
				     err);
	for (size_t i = 0; i < reading->seen.count && rc == 0; i++) {
		struct object *seen = &reading->seen.items[i];

		place_qdisc(reading, seen);
		if (seen->data && tc_of(seen)->sort == TC_ROOT)
			state_move(reading->now, seen);
	}
	for (size_t i = 0; i < reading->count && rc == 0; i++)
		if (!reading->devices[i].ours)
			rc = -ESTALE;
	return rc;
}

/* What stands there, this kernel has. */
static void learn(const struct state *now, struct facts *facts)
{
	for (size_t i = 0; i < now->count; i++) {
		const struct tc_object *object = tc_of(&now->items[i]);

		if (object->sort == TC_ROOT)
			facts_set_qdisc(facts, "htb", true);
		else if (object->sort == TC_SHARD)
			facts_set_qdisc(facts, "bpf", true); /* leads there */
		else if (object->sort == TC_LEAF)
			facts_set_qdisc(facts, object->queue.kind, true);
	}
}

int tc_read_own(struct host *host, struct facts *facts,
		const struct owned *owned, const struct state *want,
		struct state *now, struct err *err)
{
	struct reading reading = { .now = now,
				   .owned = owned,
				   .seen = STATE_NONE };
	struct netlink *netlink = host_netlink(host, NETLINK_ROUTE, err);
	int rc = netlink ? 0 : -EIO;

	for (size_t i = 0; i < want->count; i++)
		if (want->items[i].backend == &backend_tc &&
		    tc_of(&want->items[i])->sort == TC_ROOT)
			add_device(&reading, facts, owned,
				   tc_of(&want->items[i])->device);
	sort_devices(&reading);
	if (rc == 0)
		rc = read_own(netlink, &reading, want, err);
	if (rc == 0)
		learn(now, facts);
	state_clear(&reading.seen);
	free(reading.devices);
	return rc;
}
