/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/guard.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/socket.h>
#include <unistd.h>

#include "backends/host.h"
#include "backends/netlink/netlink.h"
#include "model/base/text.h"

#define VARIABLE  "SSH_CONNECTION="
#define ANCESTORS 32

/* ---- who sits where ---- */

static bool read_address(const char *text, struct prefix *out)
{
	*out = (struct prefix){ .family = AF_INET, .length = 32 };
	if (inet_pton(AF_INET, text, out->bytes) == 1)
		return true;
	*out = (struct prefix){ .family = AF_INET6, .length = 128 };
	return inet_pton(AF_INET6, text, out->bytes) == 1;
}

/* sshd writes an IPv4 peer of an IPv6 socket as IPv4, and puts no brackets. A
 * zone (fe80::1%eth0) stands for a neighbour on the link: no route of ours
 * moves that. */
bool guard_parse(struct guard *guard, const char *connection)
{
	char peer[64], own[64];

	*guard = (struct guard){ 0 };
	return sscanf(connection, "%63s %*u %63s %*u", peer, own) == 2 &&
	       read_address(peer, &guard->peer) &&
	       read_address(own, &guard->own) &&
	       guard->peer.family == guard->own.family;
}

static size_t read_file(const char *path, char *bytes, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t length = 0;
	ssize_t got;

	if (fd < 0)
		return 0;
	while (length < size - 1 &&
	       (got = read(fd, bytes + length, size - 1 - length)) > 0)
		length += (size_t)got;
	close(fd);
	bytes[length] = '\0';
	return length;
}

static bool find_in(const char *environment, size_t length, struct guard *guard)
{
	size_t at = 0;

	while (at < length) {
		const char *entry = environment + at;

		if (!strncmp(entry, VARIABLE, strlen(VARIABLE)))
			return guard_parse(guard, entry + strlen(VARIABLE));
		at += strlen(entry) + 1;
	}
	return false;
}

/* proc(5): pid (name) state ppid; the name may hold anything but ends with the
 * last parenthesis. */
static pid_t parent_of(pid_t pid)
{
	AUTO(str) char *path = mem_printf("/proc/%d/stat", (int)pid);
	char stat[512];
	const char *end;
	int parent = 0;

	if (!read_file(path, stat, sizeof(stat)))
		return 0;
	end = strrchr(stat, ')');
	if (!end || sscanf(end, ") %*c %d", &parent) != 1)
		return 0;
	return parent;
}

bool guard_find(struct guard *guard)
{
	const char *own = getenv("SSH_CONNECTION");
	pid_t pid = getppid();

	if (own)
		return guard_parse(guard, own);
	for (int i = 0; i < ANCESTORS && pid > 1; i++) {
		AUTO(str) char *path = mem_printf("/proc/%d/environ", (int)pid);
		AUTO(str) char *environment = mem_alloc(128 << 10);
		size_t length = read_file(path, environment, 128 << 10);

		if (find_in(environment, length, guard))
			return true;
		pid = parent_of(pid);
	}
	return false;
}

/* ---- the way there ---- */

static int take_way(const struct nlmsghdr *message, void *arg)
{
	struct hop *way = arg;
	struct nlattr *attrs[RTA_MAX + 1];
	const struct rtmsg *header = NLMSG_DATA(message);

	if (message->nlmsg_type != RTM_NEWROUTE ||
	    !netlink_parse(message, sizeof(*header), attrs, RTA_MAX))
		return 0;
	way->index = (int)netlink_u32(attrs[RTA_OIF], 0);
	if (attrs[RTA_GATEWAY] &&
	    nla_len(attrs[RTA_GATEWAY]) <= (int)sizeof(way->gateway.bytes)) {
		way->gateway.family = header->rtm_family;
		memcpy(way->gateway.bytes, nla_data(attrs[RTA_GATEWAY]),
		       (size_t)nla_len(attrs[RTA_GATEWAY]));
	}
	return 0;
}

/* No way at all is an answer (index 0), not an error. */
static int find_way(struct host *host, const struct guard *guard,
		    struct hop *way, struct err *err)
{
	struct netlink *netlink = host_netlink(host, NETLINK_ROUTE, err);
	struct rtmsg header = { .rtm_family = guard->peer.family,
				.rtm_dst_len = guard->peer.length,
				.rtm_src_len = guard->own.length };
	int size = guard->peer.length / 8;

	*way = (struct hop){ 0 };
	if (!netlink)
		return err ? err->code : -EIO;
	AUTO(nlmsg)
	struct nl_msg *request =
		netlink_message(RTM_GETROUTE, 0, &header, sizeof(header), 0);
	nla_put(request, RTA_DST, size, guard->peer.bytes);
	nla_put(request, RTA_SRC, size, guard->own.bytes);
	(void)netlink_get(netlink, request, take_way, way, NULL);
	return 0;
}

static void print_way(const struct hop *way, struct text *out)
{
	char name[IF_NAMESIZE], gateway[INET6_ADDRSTRLEN];

	if (!way->index) {
		text_put(out, "nowhere");
		return;
	}
	text_put(out, if_indextoname((unsigned)way->index, name) ? name : "?");
	if (way->gateway.family &&
	    inet_ntop(way->gateway.family, way->gateway.bytes, gateway,
		      sizeof(gateway)))
		text_printf(out, " by %s", gateway);
}

static int refuse(const struct guard *guard, const struct hop *now,
		  struct err *err)
{
	char peer[INET6_ADDRSTRLEN] = "?";
	AUTO_TEXT from = TEXT_NONE;
	AUTO_TEXT to = TEXT_NONE;

	inet_ntop(guard->peer.family, guard->peer.bytes, peer, sizeof(peer));
	print_way(&guard->before, &from);
	print_way(now, &to);
	return err_set(err, EHOSTUNREACH,
		       "you are logged in from %s, and the way there would "
		       "go to %s in place of %s: this might cut you off. If "
		       "it is meant: begin, the change, commit confirm=60s",
		       peer, text_get(&to), text_get(&from));
}

int guard_watch(struct host *host, bool after, void *arg, struct err *err)
{
	struct guard *guard = arg;
	struct hop now;
	int rc;

	if (!after)
		return find_way(host, guard, &guard->before, err);
	rc = find_way(host, guard, &now, err);
	/* Who had no way before (through a NAT of our own, say) loses none. */
	if (rc < 0 || !guard->before.index)
		return rc;
	if (now.index == guard->before.index &&
	    now.gateway.family == guard->before.gateway.family &&
	    !memcmp(now.gateway.bytes, guard->before.gateway.bytes,
		    sizeof(now.gateway.bytes)))
		return 0;
	return refuse(guard, &now, err);
}
