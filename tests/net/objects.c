/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * objects.c - what the kernel has of traffic control on a device, a line each,
 * as it tells it by netlink: tc rounds what it shows, and leaves some out.
 *
 *   objects DEVICE
 *
 * Left out is what is never twice the same: counters, times, numbers that the
 * kernel deals out (qdiscs from 8000: on, actions that one filter has alone,
 * programs), and devices have their names in place of numbers.
 */
#include <arpa/inet.h>
#include <linux/gen_stats.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <linux/tc_act/tc_mirred.h>
#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MANY = 1 << 17, ROOM = 1 << 18 };

static int fd, device;
static uint32_t parents[MANY];
static size_t parent_count;

static void die(const char *what)
{
	perror(what);
	exit(2);
}

/* ---- bytes ---- */

static const struct rtattr *find(const void *from, size_t size, int type)
{
	const struct rtattr *at = from;
	int left = (int)size;

	for (; RTA_OK(at, left); at = RTA_NEXT(at, left))
		if ((at->rta_type & ~NLA_F_NESTED) == type)
			return at;
	return NULL;
}

static void put_bytes(const void *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		printf("%02x", ((const uint8_t *)bytes)[i]);
}

static void put_id(uint32_t id)
{
	if (id == TC_H_ROOT || id == TC_H_UNSPEC)
		printf(" root");
	else if (id >> 31 && id < 0xffff0000)
		printf(" N:%x", TC_H_MIN(id));
	else
		printf(" %x:%x", TC_H_MAJ(id) >> 16, TC_H_MIN(id));
}

/* ---- actions ---- */

/* Where each has its times, and the struct with its number. */
static const struct {
	const char *kind;
	int times, parms;
	size_t references; /* two counts */
	int varies;	   /* or 0 */
} actions[] = {
	{ "police", TCA_POLICE_TM, TCA_POLICE_TBF,
	  offsetof(struct tc_police, refcnt), 0 },
	{ "csum", 2, 1, 12, 0 },
	{ "connmark", 2, 1, 12, 0 },
	{ "nat", 2, 1, 12, 0 },
	{ "ctinfo", 2, 3, 12, 0 },
	{ "bpf", 1, 2, 12, 8 },
	{ "pedit", 1, 4, 12, 0 },
	{ "", 1, 2, 12, 0 }, /* all the others */
};

static void put_parms(const char *kind, const struct rtattr *attr,
		      size_t references)
{
	uint8_t bytes[4096] = { 0 };
	size_t size = RTA_PAYLOAD(attr);
	uint32_t count[2] = { 0, 0 };
	struct tc_mirred mirred;
	char name[IF_NAMESIZE] = "";

	memcpy(bytes, RTA_DATA(attr), size < 4096 ? size : 4096);
	if (references + sizeof(count) <= size)
		memcpy(count, bytes + references, sizeof(count));
	if (count[0] <= 1 && count[1] <= 1)
		memset(bytes, 0, 4);
	memset(bytes + references, 0, sizeof(count));
	if (!strcmp(kind, "mirred")) {
		memcpy(&mirred, bytes, sizeof(mirred));
		if_indextoname(mirred.ifindex, name);
		mirred.ifindex = 0;
		memcpy(bytes, &mirred, sizeof(mirred));
	}
	printf(" {");
	put_bytes(bytes, size);
	printf(" %u %u %s}", count[0], count[1], name);
}

static void put_action_options(const char *kind, const void *from, size_t size)
{
	const struct rtattr *at = from;
	int left = (int)size;
	size_t row = 0;

	while (*actions[row].kind && strcmp(actions[row].kind, kind) != 0)
		row++;
	for (; RTA_OK(at, left); at = RTA_NEXT(at, left)) {
		int type = at->rta_type & ~NLA_F_NESTED;

		if (type == actions[row].times ||
		    (actions[row].varies && type == actions[row].varies))
			continue;
		printf(" %d=", type);
		if (type == actions[row].parms)
			put_parms(kind, at, actions[row].references);
		else
			put_bytes(RTA_DATA(at), RTA_PAYLOAD(at));
	}
}

static void put_actions(const struct rtattr *list)
{
	const struct rtattr *at = RTA_DATA(list);
	int left = (int)RTA_PAYLOAD(list);

	for (; RTA_OK(at, left); at = RTA_NEXT(at, left)) {
		const struct rtattr *kind =
			find(RTA_DATA(at), RTA_PAYLOAD(at), TCA_ACT_KIND);
		const struct rtattr *in = RTA_DATA(at);
		int rest = (int)RTA_PAYLOAD(at);

		printf(" [");
		for (; RTA_OK(in, rest); in = RTA_NEXT(in, rest)) {
			int type = in->rta_type & ~NLA_F_NESTED;

			if (type == TCA_ACT_KIND)
				printf("%s", (char *)RTA_DATA(in));
			else if (type == TCA_ACT_OPTIONS)
				put_action_options(RTA_DATA(kind), RTA_DATA(in),
						   RTA_PAYLOAD(in));
			else if (type == TCA_ACT_COOKIE ||
				 type == TCA_ACT_FLAGS ||
				 type == TCA_ACT_HW_STATS) {
				printf(" %d:", type);
				put_bytes(RTA_DATA(in), RTA_PAYLOAD(in));
			}
		}
		printf("]");
	}
}

/* ---- filters ---- */

static const struct {
	const char *kind;
	int actions, police;
	int varies[3];
} filters[] = {
	{ "u32", TCA_U32_ACT, TCA_U32_POLICE, { TCA_U32_PCNT } },
	{ "fw", TCA_FW_ACT, TCA_FW_POLICE, { 0 } },
	{ "flower", TCA_FLOWER_ACT, 0, { TCA_FLOWER_IN_HW_COUNT } },
	{ "basic", TCA_BASIC_ACT, TCA_BASIC_POLICE, { TCA_BASIC_PCNT } },
	{ "matchall", TCA_MATCHALL_ACT, 0, { TCA_MATCHALL_PCNT } },
	{ "bpf", TCA_BPF_ACT, TCA_BPF_POLICE, { TCA_BPF_ID } },
	{ "flow", TCA_FLOW_ACT, TCA_FLOW_POLICE, { 0 } },
	{ "route", TCA_ROUTE4_ACT, TCA_ROUTE4_POLICE, { 0 } },
	{ "cgroup", TCA_CGROUP_ACT, TCA_CGROUP_POLICE, { 0 } },
};

/* Tables of u32 that the kernel numbers by itself, but for the first: it skips
 * a number where a module was loaded on the way. */
static uint32_t table_of(uint32_t handle)
{
	return handle >> 20 > 0x800 ? handle & 0xfffff : handle;
}

static void put_filter_options(const char *kind, const struct rtattr *options)
{
	const struct rtattr *at = RTA_DATA(options);
	int left = (int)RTA_PAYLOAD(options);
	size_t row = 0;

	while (row < sizeof(filters) / sizeof(*filters) - 1 &&
	       strcmp(filters[row].kind, kind) != 0)
		row++;
	for (; RTA_OK(at, left); at = RTA_NEXT(at, left)) {
		int type = at->rta_type & ~NLA_F_NESTED;

		if (type == filters[row].varies[0])
			continue;
		printf(" %d=", type);
		if (type == filters[row].actions)
			put_actions(at);
		else if (!strcmp(kind, "u32") && type == TCA_U32_HASH)
			printf("%x", table_of(*(uint32_t *)RTA_DATA(at)));
		else if (filters[row].police && type == filters[row].police)
			put_action_options("police", RTA_DATA(at),
					   RTA_PAYLOAD(at));
		else
			put_bytes(RTA_DATA(at), RTA_PAYLOAD(at));
	}
}

/* ---- objects ---- */

/* HTB counts there what no class had. */
static void put_options(const char *kind, bool qdisc,
			const struct rtattr *options)
{
	uint8_t bytes[8192];
	size_t size = RTA_PAYLOAD(options);
	size_t counter = sizeof(struct rtattr) +
			 offsetof(struct tc_htb_glob, direct_pkts);

	if (size > sizeof(bytes))
		size = sizeof(bytes);
	memcpy(bytes, RTA_DATA(options), size);
	if (qdisc && !strcmp(kind, "htb") && size >= counter + 4)
		memset(bytes + counter, 0, 4);
	put_bytes(bytes, size);
}

static void put_object(const char *what, const struct nlmsghdr *message)
{
	const struct tcmsg *header = NLMSG_DATA(message);
	const void *from = (const char *)header + NLMSG_ALIGN(sizeof(*header));
	size_t size = message->nlmsg_len - NLMSG_LENGTH(sizeof(*header));
	const struct rtattr *kind = find(from, size, TCA_KIND);
	const struct rtattr *options = find(from, size, TCA_OPTIONS);
	const struct rtattr *stab = find(from, size, TCA_STAB);
	const struct rtattr *chain = find(from, size, TCA_CHAIN);
	bool filter = !strcmp(what, "filter");

	printf("%s %s", what, (const char *)RTA_DATA(kind));
	put_id(header->tcm_parent);
	if (filter)
		printf(" pref %u %04x handle %x", header->tcm_info >> 16,
		       ntohs((uint16_t)header->tcm_info),
		       strcmp(RTA_DATA(kind), "u32") != 0
			       ? header->tcm_handle
			       : table_of(header->tcm_handle));
	else
		put_id(header->tcm_handle);
	if (chain && *(uint32_t *)RTA_DATA(chain))
		printf(" chain %u", *(uint32_t *)RTA_DATA(chain));
	if (stab) {
		printf(" stab ");
		put_bytes(RTA_DATA(stab), RTA_PAYLOAD(stab));
	}
	printf(" ");
	if (options && filter)
		put_filter_options(RTA_DATA(kind), options);
	else if (options)
		put_options(RTA_DATA(kind), !strcmp(what, "qdisc"), options);
	printf("\n");
}

/* Classes of these come and go with flows. */
static bool is_a_flow(const struct nlmsghdr *message)
{
	static const char *const kinds[] = { "sfq", "fq_codel", "cake" };
	const struct tcmsg *header = NLMSG_DATA(message);
	const struct rtattr *kind =
		find((const char *)header + NLMSG_ALIGN(sizeof(*header)),
		     message->nlmsg_len - NLMSG_LENGTH(sizeof(*header)),
		     TCA_KIND);

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (!strcmp(RTA_DATA(kind), kinds[i]))
			return true;
	return false;
}

static void take(const char *what, const struct nlmsghdr *message,
		 uint32_t parent)
{
	const struct tcmsg *header = NLMSG_DATA(message);

	if (header->tcm_ifindex != device)
		return;
	if (!strcmp(what, "filter")) {
		if (header->tcm_parent == parent)
			put_object(what, message);
		return;
	}
	if (!strcmp(what, "class") && is_a_flow(message))
		return;
	put_object(what, message);
	if (header->tcm_handle && parent_count < MANY)
		parents[parent_count++] = header->tcm_handle;
}

static bool take_all(const char *what, uint32_t parent, const char *room,
		     int size)
{
	const struct nlmsghdr *at = (const void *)room;

	for (; NLMSG_OK(at, (unsigned)size); at = NLMSG_NEXT(at, size)) {
		if (at->nlmsg_type == NLMSG_DONE)
			return true;
		if (at->nlmsg_type == NLMSG_ERROR)
			return true; /* it can have none */
		take(what, at, parent);
	}
	return false;
}

static void dump(const char *what, int type, uint32_t parent)
{
	static char room[ROOM];
	struct {
		struct nlmsghdr header;
		struct tcmsg about;
	} request = {
		.header = { .nlmsg_len = sizeof(request),
			    .nlmsg_type = (uint16_t)type,
			    .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP },
		.about = { .tcm_ifindex = device, .tcm_parent = parent },
	};
	int size;

	if (send(fd, &request, sizeof(request), 0) < 0)
		die("send");
	do {
		size = (int)recv(fd, room, sizeof(room), 0);
		if (size <= 0)
			die("recv");
	} while (!take_all(what, parent, room, size));
}

int main(int argc, char **argv)
{
	size_t count;

	device = argc > 1 ? (int)if_nametoindex(argv[1]) : 0;
	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	if (!device || fd < 0)
		die(argc > 1 ? argv[1] : "objects DEVICE");
	dump("qdisc", RTM_GETQDISC, 0);
	/* One by one: in 6.1 a netem without a child ends a dump of all. */
	count = parent_count;
	for (size_t i = 0; i < count; i++)
		if (parents[i] >> 16 != 0xffff)
			dump("class", RTM_GETTCLASS, parents[i]);
	count = parent_count;
	for (size_t i = 0; i < count; i++)
		if (parents[i] >> 16 != 0xffff)
			dump("filter", RTM_GETTFILTER, parents[i]);
	dump("filter", RTM_GETTFILTER,
	     TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS));
	dump("filter", RTM_GETTFILTER, TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_EGRESS));
	return 0;
}
