/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/engine/watch.h"

#include <errno.h>
#include <linux/if.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int watch_open(void)
{
	struct sockaddr_nl name = { .nl_family = AF_NETLINK,
				    .nl_groups = RTMGRP_LINK |
						 RTMGRP_IPV4_IFADDR |
						 RTMGRP_IPV6_IFADDR };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK,
			NETLINK_ROUTE);

	if (fd >= 0 && bind(fd, (struct sockaddr *)&name, sizeof(name)) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

/* All devices, one by one, as if each had changed. */
static void ask_all(int fd)
{
	struct {
		struct nlmsghdr header;
		struct ifinfomsg info;
	} ask = {
		.header = { .nlmsg_len = sizeof(ask),
			    .nlmsg_type = RTM_GETLINK,
			    .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP },
	};

	send(fd, &ask, sizeof(ask), 0);
}

/* More had changed while one answer was under way: once more, behind it. */
static bool is_busy(const struct nlmsghdr *message)
{
	const struct nlmsgerr *error = NLMSG_DATA(message);

	return message->nlmsg_type == NLMSG_ERROR &&
	       message->nlmsg_len >= NLMSG_LENGTH(sizeof(*error)) &&
	       error->error == -EBUSY;
}

static const char *name_of(const struct nlmsghdr *message, char name[IFNAMSIZ])
{
	const struct ifinfomsg *info = NLMSG_DATA(message);
	const struct rtattr *at = IFLA_RTA(info);
	int left = (int)IFLA_PAYLOAD(message);

	for (; RTA_OK(at, left); at = RTA_NEXT(at, left))
		if (at->rta_type == IFLA_IFNAME &&
		    RTA_PAYLOAD(at) <= IFNAMSIZ) {
			memcpy(name, RTA_DATA(at), RTA_PAYLOAD(at));
			name[IFNAMSIZ - 1] = '\0';
			return name;
		}
	return NULL;
}

static void take(const struct nlmsghdr *message, struct engine *engine)
{
	const struct ifinfomsg *info = NLMSG_DATA(message);
	char name[IFNAMSIZ] = "";
	bool up;

	if (message->nlmsg_type == RTM_NEWADDR ||
	    message->nlmsg_type == RTM_DELADDR)
		engine_addresses(engine);
	if (message->nlmsg_type == RTM_NEWADDR) {
		engine_device(engine, "", 0, true); /* who waits tries again */
		return;
	}
	if ((message->nlmsg_type != RTM_NEWLINK &&
	     message->nlmsg_type != RTM_DELLINK) ||
	    message->nlmsg_len < NLMSG_LENGTH(sizeof(*info)) ||
	    !name_of(message, name))
		return;
	up = message->nlmsg_type == RTM_NEWLINK && (info->ifi_flags & IFF_UP) &&
	     (info->ifi_flags & IFF_RUNNING);
	engine_device(engine, name, (uint32_t)info->ifi_index, up);
}

void watch_turn(int fd, struct engine *engine)
{
	_Alignas(struct nlmsghdr) char bytes[32768];

	for (;;) {
		ssize_t got = recv(fd, bytes, sizeof(bytes), 0);
		const struct nlmsghdr *at = (const void *)bytes;

		if (got < 0 && errno == ENOBUFS) {
			engine_addresses(engine);
			ask_all(fd);
			continue;
		}
		if (got <= 0)
			return;
		for (; NLMSG_OK(at, (size_t)got); at = NLMSG_NEXT(at, got))
			if (is_busy(at))
				ask_all(fd);
			else
				take(at, engine);
	}
}
