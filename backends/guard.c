/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/guard.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "backends/host.h"
#include "backends/netlink/netlink.h"
#include "model/base/text.h"
#include "model/node.h"
#include "model/txn.h"

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
	struct lifeline *life = &guard->life;

	*guard = (struct guard){ 0 };
	return sscanf(connection, "%63s %hu %63s %hu", peer, &life->peer_port,
		      own, &life->own_port) == 4 &&
	       read_address(peer, &life->peer) &&
	       read_address(own, &life->own) &&
	       life->peer.family == life->own.family;
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

/* ---- the mark of the connection ---- */

static void put_tuple_addresses(struct nl_msg *message,
				const struct lifeline *life)
{
	bool ip4 = life->own.family == AF_INET;
	int size = life->own.length / 8;
	struct nlattr *nest = nla_nest_start(message, CTA_TUPLE_IP);

	nla_put(message, ip4 ? CTA_IP_V4_SRC : CTA_IP_V6_SRC, size,
		life->own.bytes);
	nla_put(message, ip4 ? CTA_IP_V4_DST : CTA_IP_V6_DST, size,
		life->peer.bytes);
	nla_nest_end(message, nest);
}

static void put_tuple_ports(struct nl_msg *message, const struct lifeline *life)
{
	struct nlattr *nest = nla_nest_start(message, CTA_TUPLE_PROTO);

	nla_put_u8(message, CTA_PROTO_NUM, IPPROTO_TCP);
	nla_put_u16(message, CTA_PROTO_SRC_PORT, htons(life->own_port));
	nla_put_u16(message, CTA_PROTO_DST_PORT, htons(life->peer_port));
	nla_nest_end(message, nest);
}

static int take_mark(const struct nlmsghdr *message, void *arg)
{
	struct nlattr *attrs[CTA_MAX + 1];
	uint32_t *mark = arg;

	if (message->nlmsg_type >= NLMSG_MIN_TYPE &&
	    netlink_parse(message, sizeof(struct nfgenmsg), attrs, CTA_MAX))
		*mark = ntohl(netlink_u32(attrs[CTA_MARK], 0));
	return 0;
}

/* By the tuple of what is answered: of a connection that was sent on to here
 * (DNAT) that has the address which sshd knows. 0: no mark, or no conntrack. */
static uint32_t mark_of(struct host *host, const struct lifeline *life)
{
	struct netlink *netlink = host_netlink(host, NETLINK_NETFILTER, NULL);
	struct nfgenmsg header = { .nfgen_family = life->own.family };
	struct nlattr *nest;
	uint32_t mark = 0;

	if (!netlink)
		return 0;
	AUTO(nlmsg)
	struct nl_msg *request =
		netlink_message(NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_GET,
				0, &header, sizeof(header), 0);
	nest = nla_nest_start(request, CTA_TUPLE_REPLY);
	put_tuple_addresses(request, life);
	put_tuple_ports(request, life);
	nla_nest_end(request, nest);
	(void)netlink_get(netlink, request, take_mark, &mark, NULL);
	return mark;
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
static int find_way(struct host *host, const struct lifeline *life,
		    uint32_t mark, struct hop *way, struct err *err)
{
	struct netlink *netlink = host_netlink(host, NETLINK_ROUTE, err);
	struct rtmsg header = { .rtm_family = life->peer.family,
				.rtm_dst_len = life->peer.length,
				.rtm_src_len = life->own.length };
	int size = life->peer.length / 8;

	*way = (struct hop){ 0 };
	if (!netlink)
		return err ? err->code : -EIO;
	AUTO(nlmsg)
	struct nl_msg *request =
		netlink_message(RTM_GETROUTE, 0, &header, sizeof(header), 0);
	nla_put(request, RTA_DST, size, life->peer.bytes);
	nla_put(request, RTA_SRC, size, life->own.bytes);
	if (mark)
		nla_put_u32(request, RTA_MARK, mark);
	(void)netlink_get(netlink, request, take_way, way, NULL);
	return 0;
}

static int find_ways(struct host *host, const struct lifeline *life,
		     struct hop ways[WAYS], struct err *err)
{
	int rc = find_way(host, life, 0, &ways[WAY_PLAIN], err);

	return rc < 0 ? rc
		      : find_way(host, life, life->mark, &ways[WAY_MARKED],
				 err);
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

static int refuse(const struct guard *guard, const char *why, struct err *err)
{
	char peer[INET6_ADDRSTRLEN] = "?";

	inet_ntop(guard->life.peer.family, guard->life.peer.bytes, peer,
		  sizeof(peer));
	return err_set(err, EHOSTUNREACH,
		       "you are logged in from %s, and %s: this might cut you "
		       "off. If it is meant: begin, the change, commit "
		       "confirm=60s",
		       peer, why);
}

static bool same_way(const struct hop *a, const struct hop *b)
{
	return a->index == b->index && a->gateway.family == b->gateway.family &&
	       !memcmp(a->gateway.bytes, b->gateway.bytes,
		       sizeof(a->gateway.bytes));
}

static int refuse_way(const struct guard *guard, size_t which,
		      const struct hop *now, struct err *err)
{
	AUTO_TEXT why = TEXT_NONE;

	text_put(&why, "the way there ");
	if (which == WAY_MARKED)
		text_printf(&why, "by the connection's mark 0x%x ",
			    guard->life.mark);
	text_put(&why, "would go to ");
	print_way(now, &why);
	text_put(&why, " in place of ");
	print_way(&guard->before[which], &why);
	return refuse(guard, text_get(&why), err);
}

/* ---- before and after ---- */

/* The tree of before is read only where something in it could matter. */
static int judge_tree(const struct guard *guard, struct store *store,
		      const struct tree *tree, struct err *err)
{
	AUTO(tree) struct tree *before = NULL;
	AUTO_ERR why = ERR_NONE;
	int rc;

	if (!tree || !guard->life.device ||
	    !lifeline_may_be_cut(&guard->life, tree))
		return 0;
	rc = store_load(store, &before, err);
	if (rc < 0 || lifeline_check(&guard->life, before, tree, &why) == 0)
		return rc;
	return refuse(guard, why.text, err);
}

static int look_before(struct guard *guard, const struct txn *txn,
		       const struct tree *tree, struct err *err)
{
	struct lifeline *life = &guard->life;
	int rc;

	life->mark = mark_of(txn->host, life);
	rc = find_ways(txn->host, life, guard->before, err);
	if (rc < 0)
		return rc;
	if (if_indextoname((unsigned)guard->before[WAY_MARKED].index,
			   guard->device))
		life->device = guard->device;
	return judge_tree(guard, txn->store, tree, err);
}

static int look_after(const struct guard *guard, struct host *host,
		      struct err *err)
{
	struct hop now[WAYS];
	int rc = find_ways(host, &guard->life, now, err);

	/* Who had no way before (through a NAT of our own, say) loses none. */
	for (size_t i = 0; rc == 0 && i < WAYS; i++)
		if (guard->before[i].index &&
		    !same_way(&guard->before[i], &now[i]))
			rc = refuse_way(guard, i, &now[i], err);
	return rc;
}

int guard_watch(const struct txn *txn, const struct tree *tree, bool after,
		void *arg, struct err *err)
{
	struct guard *guard = arg;

	return after ? look_after(guard, txn->host, err)
		     : look_before(guard, txn, tree, err);
}
