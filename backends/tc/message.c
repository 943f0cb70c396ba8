/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/tc/message.h"

#include <assert.h>
#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/filter.h>
#include <linux/pkt_cls.h>
#include <linux/tc_act/tc_mirred.h>
#include <linux/rtnetlink.h>
#include <netlink/msg.h>
#include <string.h>

#include "backends/netlink/netlink.h"
#include "backends/tc/sorter.h"
#include "backends/tc/tc.h"

/* HTB_VER >> 16 of net/sched/sch_htb.c; another one is refused. */
#define HTB_VERSION 3
/* Enough for any of ours; what was read brings its own size. */
#define ROOM 384

/* ---- attributes ---- */

void message_put(struct nl_msg *message, int type, const void *bytes,
		 size_t size)
{
	int rc = nla_put(message, type, (int)size, bytes);

	assert(rc == 0); /* ROOM is a bug then, not an operator's mistake */
	(void)rc;
}

void message_put_u32(struct nl_msg *message, int type, uint32_t u)
{
	message_put(message, type, &u, sizeof(u));
}

void message_put_u64(struct nl_msg *message, int type, uint64_t u)
{
	message_put(message, type, &u, sizeof(u));
}

/* nla_nest_start() of libnl sets NLA_F_NESTED, tc does not. */
struct nlattr *message_nest(struct nl_msg *message, int type)
{
	struct nlattr *nest = nla_reserve(message, type, 0);

	assert(nest);
	return nest;
}

void message_nest_end(struct nl_msg *message, struct nlattr *nest)
{
	const char *end = nlmsg_tail(nlmsg_hdr(message));

	nest->nla_len = (uint16_t)(end - (const char *)nest);
}

bool message_struct(const struct nlattr *attr, void *out, size_t size)
{
	if (!attr || nla_len(attr) < (int)size)
		return false;
	memcpy(out, nla_data(attr), size);
	return true;
}

uint8_t message_u8(const struct nlattr *attr)
{
	uint8_t u = 0;

	return message_struct(attr, &u, sizeof(u)) ? u : 0;
}

uint32_t message_u32(const struct nlattr *attr)
{
	uint32_t u = 0;

	return message_struct(attr, &u, sizeof(u)) ? u : 0;
}

uint64_t message_u64(const struct nlattr *attr)
{
	uint64_t u = 0;

	return message_struct(attr, &u, sizeof(u)) ? u : 0;
}

bool message_nested(const struct nlattr *attr, struct nlattr **attrs, int most)
{
	return attr &&
	       nla_parse(attrs, most, nla_data(attr), nla_len(attr), NULL) >= 0;
}

/* ---- options ---- */

/* cell_log and cell_align are what tc works out for its rate tables; without
 * those the kernel ignores both, and so our struct is tc's, bit for bit. */
void message_rate(struct tc_ratespec *to, uint64_t rate_bytes,
		  uint8_t linklayer, uint16_t overhead, uint16_t mpu)
{
	*to = (struct tc_ratespec){
		.cell_log = 3,
		.linklayer = linklayer,
		.overhead = overhead,
		.cell_align = -1,
		.mpu = mpu,
		.rate = rate_bytes > UINT32_MAX ? UINT32_MAX
						: (uint32_t)rate_bytes,
	};
}

static void put_root(struct nl_msg *message, const struct tc_root *root)
{
	struct tc_htb_glob init = { .version = HTB_VERSION,
				    .rate2quantum = root->r2q,
				    .defcls = root->defcls };
	struct nlattr *nest = message_nest(message, TCA_OPTIONS);

	message_put(message, TCA_HTB_INIT, &init, sizeof(init));
	message_nest_end(message, nest);
}

static void put_class(struct nl_msg *message, const struct tc_class *class)
{
	struct tc_htb_opt parms = { .buffer = class->buffer,
				    .cbuffer = class->cbuffer,
				    .prio = class->prio,
				    .quantum = class->quantum };
	struct nlattr *nest = message_nest(message, TCA_OPTIONS);

	message_rate(&parms.rate, class->rate, class->linklayer,
		     class->overhead, class->mpu);
	message_rate(&parms.ceil, class->ceil, class->linklayer,
		     class->overhead, class->mpu);
	if (class->rate > UINT32_MAX)
		message_put_u64(message, TCA_HTB_RATE64, class->rate);
	if (class->ceil > UINT32_MAX)
		message_put_u64(message, TCA_HTB_CEIL64, class->ceil);
	message_put(message, TCA_HTB_PARMS, &parms, sizeof(parms));
	message_nest_end(message, nest);
}

static void put_filter(struct nl_msg *message, const struct tc_filter *filter)
{
	struct nlattr *nest = message_nest(message, TCA_OPTIONS);

	message_put_u32(message, TCA_FW_CLASSID, filter->classid);
	if (filter->mask != UINT32_MAX)
		message_put_u32(message, TCA_FW_MASK, filter->mask);
	message_nest_end(message, nest);
}

/* An action list of one. */
static void put_mirred(struct nl_msg *message, int target)
{
	struct tc_mirred parms = { .action = TC_ACT_STOLEN,
				   .eaction = TCA_EGRESS_REDIR,
				   .ifindex = (uint32_t)target };
	struct nlattr *list = message_nest(message, TCA_BPF_ACT);
	struct nlattr *first = message_nest(message, 1);
	struct nlattr *options;

	message_put(message, TCA_ACT_KIND, "mirred", sizeof("mirred"));
	options = message_nest(message, TCA_ACT_OPTIONS | NLA_F_NESTED);
	message_put(message, TCA_MIRRED_PARMS, &parms, sizeof(parms));
	message_nest_end(message, options);
	message_nest_end(message, first);
	message_nest_end(message, list);
}

static void put_program(struct nl_msg *message, const struct tc_object *object)
{
	uint16_t count =
		(uint16_t)(object->raw_size / sizeof(struct sock_filter));
	struct nlattr *nest = message_nest(message, TCA_OPTIONS);

	message_put(message, TCA_BPF_OPS_LEN, &count, sizeof(count));
	message_put(message, TCA_BPF_OPS, object->raw, object->raw_size);
	if (object->sort == TC_REDIRECT)
		put_mirred(message, object->redirect.target);
	message_nest_end(message, nest);
}

static const char *kind_of(const struct tc_object *object)
{
	switch (object->sort) {
	case TC_LEAF: return object->queue.kind;
	case TC_FILTER: return "fw";
	case TC_FOREIGN:
	case TC_SAVED: return object->foreign.kind;
	case TC_INGRESS: return "clsact";
	case TC_PROGRAM:
	case TC_REDIRECT:
	case TC_SORTER: return "bpf";
	case TC_OTHER: return object->other.kind;
	default: return "htb";
	}
}

/* The dump does not set the flag that fq_pie asks for (5.6 on): "NLA_F_NESTED
 * is missing". */
static void put_raw(struct nl_msg *message, const struct tc_object *object)
{
	int nested = strcmp(kind_of(object), "fq_pie") ? 0 : NLA_F_NESTED;

	message_put(message, TCA_OPTIONS | nested, object->raw,
		    object->raw_size);
}

/* TCA_KIND and TCA_OPTIONS of an object. change: for one that is there. */
static void put_object(struct nl_msg *message, const struct tc_object *object,
		       bool change)
{
	const char *kind = kind_of(object);

	message_put(message, TCA_KIND, kind, strlen(kind) + 1);
	switch (object->sort) {
	case TC_PROGRAM:
	case TC_REDIRECT: put_program(message, object); return;
	case TC_SORTER: return; /* message_sorter_add() */
	case TC_ROOT:
	case TC_SHARD: put_root(message, &object->root); break;
	case TC_CLASS: put_class(message, &object->class); break;
	case TC_FILTER: put_filter(message, &object->filter); break;
	case TC_LEAF:
		if (!object->raw_size)
			queue_put(message, &object->queue, change);
		break;
	default: break;
	}
	if (object->raw_size)
		put_raw(message, object);
}

/* ---- messages ---- */

static bool is_filter(enum tc_sort sort)
{
	return sort == TC_FILTER || sort == TC_PROGRAM || sort == TC_REDIRECT ||
	       sort == TC_SORTER || sort == TC_OTHER;
}

static struct nl_msg *begin(int type, int flags, const struct tc_object *object)
{
	struct tcmsg header = { .tcm_family = AF_UNSPEC,
				.tcm_ifindex = object->index,
				.tcm_handle = object->handle,
				.tcm_parent = object->parent };

	if (is_filter(object->sort))
		header.tcm_info = tc_info(object);
	return netlink_message(type, flags, &header, sizeof(header),
			       ROOM + object->raw_size);
}

static int type_of(const struct tc_object *object, bool is_new)
{
	if (object->sort == TC_CLASS)
		return is_new ? RTM_NEWTCLASS : RTM_DELTCLASS;
	if (is_filter(object->sort))
		return is_new ? RTM_NEWTFILTER : RTM_DELTFILTER;
	return is_new ? RTM_NEWQDISC : RTM_DELQDISC;
}

/* In which of u32's hash tables a filter goes is not ours to say. */
static uint32_t new_handle(const struct tc_object *object)
{
	return object->sort == TC_OTHER && !strcmp(object->other.kind, "u32")
		       ? object->handle & 0xfff
		       : object->handle;
}

struct nl_msg *message_add(const struct tc_object *object)
{
	struct nl_msg *message =
		begin(type_of(object, true), NLM_F_CREATE | NLM_F_EXCL, object);
	struct tcmsg *header = nlmsg_data(nlmsg_hdr(message));

	header->tcm_handle = new_handle(object);
	put_object(message, object, false);
	return message;
}

struct nl_msg *message_sorter_add(const struct tc_object *object, int fd)
{
	struct nl_msg *message = message_add(object);
	struct nlattr *nest = message_nest(message, TCA_OPTIONS);

	message_put_u32(message, TCA_BPF_FD, (uint32_t)fd);
	message_put(message, TCA_BPF_NAME, SORTER_NAME, sizeof(SORTER_NAME));
	message_nest_end(message, nest);
	return message;
}

struct nl_msg *message_change(const struct tc_object *before,
			      const struct tc_object *after)
{
	struct tc_object header = { .sort = after->sort,
				    .index = after->index,
				    .handle = before->handle,
				    .parent = before->parent,
				    .raw_size = after->raw_size };
	struct nl_msg *message;

	if (after->sort == TC_PROGRAM)
		header.program = after->program;
	message = begin(type_of(after, true), 0, &header);

	put_object(message, after, true);
	return message;
}

/* Without a handle the kernel takes whatever stands at the parent. */
struct nl_msg *message_delete(const struct tc_object *object)
{
	struct tc_object header = { .sort = object->sort,
				    .index = object->index,
				    .handle = object->handle,
				    .parent = object->parent };
	struct nl_msg *message;

	if (is_filter(object->sort))
		header = *object;
	header.raw_size = 0;
	message = begin(type_of(object, false), 0, &header);

	if (is_filter(object->sort))
		message_put(message, TCA_KIND, kind_of(object),
			    strlen(kind_of(object)) + 1);
	return message;
}

/* ---- the ifb ---- */

static struct nl_msg *begin_link(int type, int flags,
				 const struct tc_object *object, unsigned up)
{
	struct ifinfomsg header = { .ifi_family = AF_UNSPEC,
				    .ifi_index = object->index,
				    .ifi_flags = up,
				    .ifi_change = up };

	return netlink_message(type, flags, &header, sizeof(header), ROOM);
}

struct nl_msg *message_link_add(const struct tc_object *object)
{
	struct nl_msg *message =
		begin_link(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, object, 0);
	/* Nobody uses it, but made again it is to be the same. */
	const uint8_t address[] = { 0x02,
				    'T',
				    'R',
				    (uint8_t)(object->index >> 16),
				    (uint8_t)(object->index >> 8),
				    (uint8_t)object->index };
	struct nlattr *info;

	message_put(message, IFLA_ADDRESS, address, sizeof(address));
	message_put(message, IFLA_IFNAME, object->device,
		    strlen(object->device) + 1);
	message_put_u32(message, IFLA_MTU, object->link.mtu);
	message_put_u32(message, IFLA_TXQLEN, object->link.txqlen);
	info = message_nest(message, IFLA_LINKINFO);
	message_put(message, IFLA_INFO_KIND, "ifb", strlen("ifb"));
	message_nest_end(message, info);
	return message;
}

/* Nothing is said on it by itself, so it needs no address. Before it is up:
 * do_setlink() of net/core/rtnetlink.c looks at the flags first. */
struct nl_msg *message_link_quiet(const struct tc_object *object)
{
	struct nl_msg *message = begin_link(RTM_NEWLINK, 0, object, 0);
	uint8_t none = IN6_ADDR_GEN_MODE_NONE;
	struct nlattr *spec, *family;

	if (!object->link.ip6)
		return message;
	spec = message_nest(message, IFLA_AF_SPEC);
	family = message_nest(message, AF_INET6);
	message_put(message, IFLA_INET6_ADDR_GEN_MODE, &none, sizeof(none));
	message_nest_end(message, family);
	message_nest_end(message, spec);
	return message;
}

struct nl_msg *message_link_set(const struct tc_object *object)
{
	struct nl_msg *message = begin_link(RTM_NEWLINK, 0, object,
					    object->link.up ? IFF_UP : 0);

	message_put_u32(message, IFLA_MTU, object->link.mtu);
	message_put_u32(message, IFLA_TXQLEN, object->link.txqlen);
	return message;
}

struct nl_msg *message_link_delete(const struct tc_object *object)
{
	return begin_link(RTM_DELLINK, 0, object, 0);
}
