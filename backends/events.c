/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/events.h"

#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h> /* before linux/netfilter.h, which has a copy */
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "backends/host.h"
#include "backends/mark/item.h"
#include "backends/netlink/netlink.h"
#include "model/facts.h"
#include "model/node.h"
#include "model/shaping.h"

enum {
	RECEIVE_ROOM = 64 << 10,
	RECEIVE_BUFFER = 4 << 20,
	/* Taken at once, so that a flood of them does not keep us from all
	 * else. */
	TAKEN_MOST = 256,
	/* PID_MAX_LIMIT of linux/threads.h: above it are the numbers of a
	 * process's second socket and all later ones. */
	PROCESS_MOST = 4 << 20,
};

/* By the driver that looks after it. */
enum source { SOURCE_TC, SOURCE_ROUTE, SOURCE_MARK, SOURCES };
static const char *const drivers[SOURCES] = { "tc", "route", "mark" };

struct actor {
	uint32_t port;
	bool is, several;
	char text[64];
};

struct events {
	int poll, route, netfilter;
	bool aimed;
	char (*names)[IF_NAMESIZE]; /* owned: devices of the tree */
	size_t name_count, name_room;
	int *indexes; /* owned: those of them that are there */
	size_t index_count, index_room;
	uint32_t *tables; /* owned: of its paths */
	size_t table_count, table_room;
	struct actor actors[SOURCES];
	struct actor batch; /* of an nft transaction that is not ended yet */
	bool heard;	    /* something that concerns the tree */
	char *room;	    /* owned; RECEIVE_ROOM */
};

/* ---- the sockets ---- */

static int open_socket(struct events *events, int protocol, const int *groups,
		       struct err *err)
{
	struct sockaddr_nl self = { .nl_family = AF_NETLINK };
	struct epoll_event ready = { .events = EPOLLIN };
	int size = RECEIVE_BUFFER;
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK,
			protocol);

	ready.data.fd = fd;
	if (fd < 0 || bind(fd, (void *)&self, sizeof(self)) < 0 ||
	    epoll_ctl(events->poll, EPOLL_CTL_ADD, fd, &ready) < 0)
		goto failed;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0)
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size,
				 sizeof(size));
	for (; *groups; groups++)
		if (setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, groups,
			       sizeof(*groups)) < 0)
			goto failed;
	return fd;
failed:
	err_set(err, errno, "cannot hear what changes in %s: %s",
		protocol == NETLINK_NETFILTER ? "nftables" : "the net",
		strerror(errno));
	if (fd >= 0)
		close(fd);
	return -1;
}

struct events *events_open(struct err *err)
{
	static const int route[] = {
		RTNLGRP_LINK,	     RTNLGRP_TC,	 RTNLGRP_IPV4_IFADDR,
		RTNLGRP_IPV6_IFADDR, RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE,
		RTNLGRP_IPV4_RULE,   RTNLGRP_IPV6_RULE,	 0
	};
	static const int netfilter[] = { NFNLGRP_NFTABLES, 0 };
	AUTO(events) struct events *events = mem_alloc(sizeof(*events));

	events->route = events->netfilter = -1;
	events->room = mem_alloc(RECEIVE_ROOM);
	events->poll = epoll_create1(EPOLL_CLOEXEC);
	if (events->poll < 0) {
		err_set(err, errno, "epoll: %s", strerror(errno));
		return NULL;
	}
	events->route = open_socket(events, NETLINK_ROUTE, route, err);
	if (events->route < 0)
		return NULL;
	events->netfilter =
		open_socket(events, NETLINK_NETFILTER, netfilter, err);
	if (events->netfilter < 0)
		return NULL;
	return TAKE(events);
}

void events_free(struct events *events)
{
	if (!events)
		return;
	if (events->route >= 0)
		close(events->route);
	if (events->netfilter >= 0)
		close(events->netfilter);
	if (events->poll >= 0)
		close(events->poll);
	free(events->names);
	free(events->indexes);
	free(events->tables);
	free(events->room);
	free(events);
}

int events_fd(const struct events *events)
{
	return events->poll;
}

/* ---- what is the tree's ---- */

static void add_device(struct events *events, const struct facts *facts,
		       const char *name)
{
	const struct link_fact *link;

	if (!name || !*name)
		return;
	events->names = mem_grow(events->names, events->name_count,
				 &events->name_room, sizeof(*events->names));
	snprintf(events->names[events->name_count++], IF_NAMESIZE, "%s", name);
	link = facts_link(facts, name);
	if (!link)
		return;
	events->indexes =
		mem_grow(events->indexes, events->index_count,
			 &events->index_room, sizeof(*events->indexes));
	events->indexes[events->index_count++] = link->index;
}

static void add_table(struct events *events, const struct node *path)
{
	if (!node_has(path, PATH_TABLE))
		return;
	events->tables = mem_grow(events->tables, events->table_count,
				  &events->table_room, sizeof(*events->tables));
	events->tables[events->table_count++] =
		(uint32_t)node_u(path, PATH_TABLE);
}

void events_aim(struct events *events, const struct tree *tree,
		const struct facts *facts)
{
	events->aimed = true;
	events->name_count = events->index_count = events->table_count = 0;
	node_each (path, tree_paths(tree)) {
		add_device(events, facts, node_text(path, PATH_DEVICE));
		add_table(events, path);
	}
	node_each (uplink, tree_classes(tree)) {
		char ifb[IFB_NAME_SIZE] = "";

		add_device(events, facts, uplink_device(uplink));
		if (uplink_is_down(uplink))
			uplink_ifb(uplink, ifb);
		add_device(events, facts, ifb);
	}
	node_each (link, tree_links(tree))
		add_device(events, facts, node_text(link, LINK_DEVICE));
}

static bool is_index(const struct events *events, int index)
{
	for (size_t i = 0; i < events->index_count; i++)
		if (events->indexes[i] == index)
			return true;
	return !events->aimed;
}

static bool is_name(const struct events *events, const struct nlattr *name)
{
	for (size_t i = 0; name && i < events->name_count; i++)
		if (!strncmp(events->names[i], nla_data(name),
			     (size_t)nla_len(name)))
			return true;
	return !events->aimed;
}

static bool is_table(const struct events *events, uint32_t table)
{
	for (size_t i = 0; i < events->table_count; i++)
		if (events->tables[i] == table)
			return true;
	return !events->aimed;
}

/* ---- who it was ---- */

static void put_name(struct actor *actor, const char *name, uint32_t process)
{
	char clean[32];
	size_t length = 0;

	/* A process calls itself what it likes. */
	for (;
	     name[length] && name[length] != '\n' && length < sizeof(clean) - 1;
	     length++)
		clean[length] = name[length] > ' ' && name[length] < 0x7f
					? name[length]
					: '?';
	clean[length] = '\0';
	if (process)
		snprintf(actor->text, sizeof(actor->text), "%s (process %u)",
			 clean, process);
	else
		snprintf(actor->text, sizeof(actor->text), "%s", clean);
}

/* A netlink socket's number is its process's, if it is the first one it opened
 * (netlink_autobind() of net/netlink/af_netlink.c). */
static void name_actor(struct actor *actor, uint32_t port)
{
	AUTO(str) char *path = mem_printf("/proc/%u/comm", port);
	char name[64] = "";
	ssize_t got;
	int fd;

	actor->text[0] = '\0';
	if (!port || port >= PROCESS_MOST)
		return;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	got = fd < 0 ? -1 : read(fd, name, sizeof(name) - 1);
	if (fd >= 0)
		close(fd);
	if (got > 0)
		put_name(actor, name, port);
	else
		snprintf(actor->text, sizeof(actor->text),
			 "process %u, which is gone", port);
}

static void note_actor(struct actor *actor, uint32_t port)
{
	if (actor->is && actor->port != port)
		actor->several = true;
	if (actor->is)
		return;
	*actor = (struct actor){ .is = true, .port = port };
	name_actor(actor, port);
}

static void note(struct events *events, enum source source,
		 const struct nlmsghdr *message)
{
	events->heard = true;
	note_actor(&events->actors[source], message->nlmsg_pid);
}

/* ---- one message ---- */

static void take_link(struct events *events, const struct nlmsghdr *message)
{
	const struct ifinfomsg *info = nlmsg_data(message);
	struct nlattr *attrs[IFLA_MAX + 1];

	if (!netlink_parse(message, sizeof(*info), attrs, IFLA_MAX))
		return;
	if (is_index(events, info->ifi_index) ||
	    is_name(events, attrs[IFLA_IFNAME]))
		note(events, SOURCE_TC, message);
}

static void take_address(struct events *events, const struct nlmsghdr *message)
{
	const struct ifaddrmsg *info = nlmsg_data(message);

	if (nlmsg_datalen(message) >= (int)sizeof(*info) &&
	    is_index(events, (int)info->ifa_index))
		note(events, SOURCE_ROUTE, message);
}

/* A route of ours, or the default route that a gateway is found by. */
static void take_route(struct events *events, const struct nlmsghdr *message)
{
	const struct rtmsg *info = nlmsg_data(message);
	struct nlattr *attrs[RTA_MAX + 1];
	uint32_t table;
	int device;

	if (!netlink_parse(message, sizeof(*info), attrs, RTA_MAX) ||
	    info->rtm_flags & RTM_F_CLONED)
		return;
	table = netlink_u32(attrs[RTA_TABLE], info->rtm_table);
	device = (int)netlink_u32(attrs[RTA_OIF], 0);
	if (is_table(events, table) || info->rtm_protocol == TRESSE_RTPROT ||
	    (table == RT_TABLE_MAIN && !info->rtm_dst_len &&
	     (!device || is_index(events, device))))
		note(events, SOURCE_ROUTE, message);
}

static void take_tc(struct events *events, const struct nlmsghdr *message)
{
	const struct tcmsg *info = nlmsg_data(message);

	if (nlmsg_datalen(message) >= (int)sizeof(*info) &&
	    is_index(events, info->tcm_ifindex))
		note(events, SOURCE_TC, message);
}

/* The end of a transaction names the process, whatever has become of it. */
static void take_generation(struct events *events,
			    const struct nlmsghdr *message)
{
	struct nlattr *attrs[NFTA_GEN_MAX + 1];
	struct actor *actor = &events->actors[SOURCE_MARK];
	char name[64] = "";

	if (!events->batch.is)
		return;
	events->batch.is = false;
	if (!netlink_parse(message, sizeof(struct nfgenmsg), attrs,
			   NFTA_GEN_MAX) ||
	    !attrs[NFTA_GEN_PROC_NAME])
		return;
	nla_strlcpy(name, attrs[NFTA_GEN_PROC_NAME], sizeof(name));
	put_name(actor, name, actor->port < PROCESS_MOST ? actor->port : 0);
}

static void take_netfilter(struct events *events,
			   const struct nlmsghdr *message)
{
	const struct nfgenmsg *info = nlmsg_data(message);
	struct nlattr *attrs[2];

	if (message->nlmsg_type >> 8 != NFNL_SUBSYS_NFTABLES)
		return;
	if ((message->nlmsg_type & 0xff) == NFT_MSG_NEWGEN) {
		take_generation(events, message);
		return;
	}
	/* The table's name is the first attribute of every sort of object. */
	if (!netlink_parse(message, sizeof(*info), attrs, 1) || !attrs[1] ||
	    info->nfgen_family != NFPROTO_INET ||
	    nla_len(attrs[1]) != sizeof(MARK_TABLE) ||
	    memcmp(nla_data(attrs[1]), MARK_TABLE, sizeof(MARK_TABLE)) != 0)
		return;
	events->batch.is = true;
	note(events, SOURCE_MARK, message);
}

static void take_message(struct events *events, const struct nlmsghdr *message)
{
	switch (message->nlmsg_type) {
	case RTM_NEWLINK:
	case RTM_DELLINK: take_link(events, message); return;
	case RTM_NEWADDR:
	case RTM_DELADDR: take_address(events, message); return;
	case RTM_NEWROUTE:
	case RTM_DELROUTE: take_route(events, message); return;
	case RTM_NEWRULE:
	case RTM_DELRULE: note(events, SOURCE_ROUTE, message); return;
	case RTM_NEWQDISC:
	case RTM_DELQDISC:
	case RTM_NEWTCLASS:
	case RTM_DELTCLASS:
	case RTM_NEWTFILTER:
	case RTM_DELTFILTER: take_tc(events, message); return;
	default: return;
	}
}

/* ---- all that waits ---- */

static void take_bytes(struct events *events, int fd, int size)
{
	const struct nlmsghdr *message = (const void *)events->room;

	for (; nlmsg_ok(message, size);
	     message = nlmsg_next((struct nlmsghdr *)(uintptr_t)message, &size))
		if (fd == events->route)
			take_message(events, message);
		else
			take_netfilter(events, message);
}

/* 0: nothing there any more. */
static int take_from(struct events *events, int fd, struct err *err)
{
	struct sockaddr_nl from = { 0 };
	socklen_t length = sizeof(from);
	ssize_t got = recvfrom(fd, events->room, RECEIVE_ROOM, MSG_TRUNC,
			       (void *)&from, &length);

	if (got < 0 && errno == EINTR)
		return 1;
	if (got < 0 && errno == ENOBUFS) {
		events->heard = true; /* what it was is lost: all is read */
		return 1;
	}
	if (got < 0 && errno == EAGAIN)
		return 0;
	if (got < 0)
		return err_set(err, errno, "cannot hear what changes: %s",
			       strerror(errno));
	if (got > RECEIVE_ROOM) {
		events->heard = true; /* a link with hundreds of functions */
		return 1;
	}
	/* Any process may write to our address; only port 0 is the kernel. */
	if (length == sizeof(from) && from.nl_pid == 0)
		take_bytes(events, fd, (int)got);
	return 1;
}

int events_take(struct events *events, struct err *err)
{
	const int fds[] = { events->route, events->netfilter };
	bool heard;

	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		int rc = 1;

		for (unsigned n = 0; rc > 0 && n < TAKEN_MOST; n++)
			rc = take_from(events, fds[i], err);
		if (rc < 0)
			return rc;
	}
	heard = events->heard;
	events->heard = false;
	return heard;
}

const char *events_actor(const struct events *events, const char *driver)
{
	for (size_t i = 0; i < SOURCES; i++) {
		const struct actor *actor = &events->actors[i];

		if (!strcmp(drivers[i], driver) && actor->is &&
		    !actor->several && actor->text[0])
			return actor->text;
	}
	return NULL;
}

void events_forget(struct events *events)
{
	for (size_t i = 0; i < SOURCES; i++)
		events->actors[i] = (struct actor){ 0 };
	events->batch = (struct actor){ 0 };
}
