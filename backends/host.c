/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/host.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/netlink.h>
#include <linux/nsfs.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <linux/if.h> /* IFF_LOWER_UP; after net/if.h or they clash */
#include <linux/if_link.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "backends/netlink/netlink.h"
#include "model/base/file.h"
#include "model/base/text.h"
#include "model/holder.h"

#ifndef SO_NETNS_COOKIE /* asm-generic/socket.h of Linux 5.14 */
#define SO_NETNS_COOKIE 71
#endif

enum { THROW_AWAY_MS = 10000 };

struct host {
	/* Opened when first asked for; owned. */
	struct netlink *route, *netfilter;
	unsigned deadline_ms; /* 0: netlink's own */
	char *(*secret)(void *arg, const char *hidden, struct err *err);
	void *secret_arg;
	bool is_stage;
};

struct host *host_new(void)
{
	return mem_alloc(sizeof(struct host));
}

void host_free(struct host *host)
{
	if (!host)
		return;
	netlink_free(host->route);
	netlink_free(host->netfilter);
	free(host);
}

void host_keep_secrets(struct host *host,
		       char *(*find)(void *arg, const char *hidden,
				     struct err *err),
		       void *arg)
{
	host->secret = find;
	host->secret_arg = arg;
}

char *host_secret(struct host *host, const char *hidden, struct err *err)
{
	if (host->secret)
		return host->secret(host->secret_arg, hidden, err);
	err_set(err, ENOENT, "%s: there are no keys here", hidden);
	return NULL;
}

void host_set_stage(struct host *host)
{
	host->is_stage = true;
}

bool host_is_stage(const struct host *host)
{
	return host->is_stage;
}

struct netlink *host_netlink(struct host *host, int protocol, struct err *err)
{
	struct netlink **at =
		protocol == NETLINK_ROUTE ? &host->route : &host->netfilter;

	if (protocol != NETLINK_ROUTE && protocol != NETLINK_NETFILTER) {
		err_set(err, EPROTONOSUPPORT, "no netlink protocol %d here",
			protocol);
		return NULL;
	}
	if (!*at)
		*at = netlink_open(protocol, err);
	if (*at && host->deadline_ms)
		netlink_set_deadline(*at, host->deadline_ms);
	return *at;
}

void host_set_deadline(struct host *host, uint64_t us)
{
	host->deadline_ms = us ? (unsigned)((us + 999) / 1000) : 0;
}

/* A namespace's cookie is never given again in one boot (since Linux 5.14);
 * its inode may be. */
static uint64_t namespace_cookie(void)
{
	uint64_t cookie = 0;
	socklen_t size = sizeof(cookie);
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return 0;
	if (getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &size) < 0)
		cookie = 0;
	close(fd);
	return cookie;
}

struct digest host_digest(void)
{
	AUTO(str) char *boot = boot_id_dup();
	struct digest digest = DIGEST_NONE;
	struct timespec now = { 0 };
	uint64_t cookie = namespace_cookie();

	/* What cannot be told apart is never the same. */
	if (!cookie || !strcmp(boot, "unknown"))
		clock_gettime(CLOCK_BOOTTIME, &now);
	digest = digest_text(digest, boot);
	digest = digest_u64(digest, cookie);
	digest = digest_u64(digest, (uint64_t)now.tv_sec);
	return digest_u64(digest, (uint64_t)now.tv_nsec);
}

int host_link_index(const char *name, struct err *err)
{
	unsigned index = if_nametoindex(name);

	if (index)
		return (int)index;
	return err_set(err, errno ? errno : ENODEV, "%s is not there", name);
}

/* ---- facts ----------------------------------------------------------- */

static bool get_prefix(const struct nlattr *attr, uint8_t family,
		       uint8_t length, struct prefix *out)
{
	int size = family == AF_INET ? 4 : 16;

	if (!attr || nla_len(attr) != size ||
	    (family != AF_INET && family != AF_INET6))
		return false;
	*out = (struct prefix){ .family = family, .length = length };
	memcpy(out->bytes, nla_data(attr), (size_t)size);
	return true;
}

/* The slave of what kind of master? */
static bool is_slave_of(const struct nlattr *link_info, const char *kind)
{
	struct nlattr *info[IFLA_INFO_MAX + 1];

	return link_info &&
	       nla_parse_nested(info, IFLA_INFO_MAX, (struct nlattr *)link_info,
				NULL) == 0 &&
	       info[IFLA_INFO_SLAVE_KIND] &&
	       !nla_strcmp(info[IFLA_INFO_SLAVE_KIND], kind);
}

static int take_link(const struct nlmsghdr *message, void *arg)
{
	struct facts *facts = arg;
	const struct ifinfomsg *info = nlmsg_data(message);
	struct nlattr *attrs[IFLA_MAX + 1];
	struct link_fact *link;

	if (message->nlmsg_type != RTM_NEWLINK ||
	    !netlink_parse(message, sizeof(*info), attrs, IFLA_MAX) ||
	    !attrs[IFLA_IFNAME])
		return 0;
	facts->links = mem_grow(facts->links, facts->link_count,
				&facts->link_room, sizeof(*facts->links));
	link = &facts->links[facts->link_count++];
	*link = (struct link_fact){
		.index = info->ifi_index,
		.flags = info->ifi_flags,
		.carrier = (info->ifi_flags & IFF_LOWER_UP) != 0,
		.type = info->ifi_type,
		.mtu = netlink_u32(attrs[IFLA_MTU], 0),
		.txqlen = netlink_u32(attrs[IFLA_TXQLEN], 0),
		.gso_max_segs = netlink_u32(attrs[IFLA_GSO_MAX_SEGS], 0),
		.in_vrf = is_slave_of(attrs[IFLA_LINKINFO], "vrf"),
	};
	nla_strlcpy(link->name, attrs[IFLA_IFNAME], sizeof(link->name));
	return 0;
}

/* IFA_ADDRESS is the peer on a point-to-point link, and the prefix length is
 * the peer's network; elsewhere it is the address itself, and IPv6 has no
 * IFA_LOCAL then (net/ipv6/addrconf.c, inet6_fill_ifaddr()). */
static int take_address(const struct nlmsghdr *message, void *arg)
{
	struct facts *facts = arg;
	const struct ifaddrmsg *info = nlmsg_data(message);
	struct nlattr *attrs[IFA_MAX + 1];
	struct address_fact fact = { 0 };
	uint8_t length;

	if (message->nlmsg_type != RTM_NEWADDR ||
	    !netlink_parse(message, sizeof(*info), attrs, IFA_MAX))
		return 0;
	length = info->ifa_prefixlen;
	if (length > (info->ifa_family == AF_INET ? 32 : 128))
		return 0;
	if (!get_prefix(attrs[IFA_LOCAL], info->ifa_family, length,
			&fact.address) &&
	    !get_prefix(attrs[IFA_ADDRESS], info->ifa_family, length,
			&fact.address))
		return 0;
	if (get_prefix(attrs[IFA_ADDRESS], info->ifa_family, length,
		       &fact.peer) &&
	    !memcmp(fact.peer.bytes, fact.address.bytes,
		    sizeof(fact.peer.bytes)))
		fact.peer = (struct prefix){ 0 };
	if (fact.peer.family)
		fact.address.length = info->ifa_family == AF_INET ? 32 : 128;
	fact.index = (int)info->ifa_index;
	fact.scope = info->ifa_scope;
	fact.flags = info->ifa_flags;
	facts->addresses =
		mem_grow(facts->addresses, facts->address_count,
			 &facts->address_room, sizeof(*facts->addresses));
	facts->addresses[facts->address_count++] = fact;
	return 0;
}

static void add_default(struct facts *facts, const struct default_fact *fact)
{
	facts->defaults =
		mem_grow(facts->defaults, facts->default_count,
			 &facts->default_room, sizeof(*facts->defaults));
	facts->defaults[facts->default_count++] = *fact;
}

/* RTA_GATEWAY, or RTA_VIA of the other family (RFC 5549). */
static void get_gateway(struct nlattr *const *attrs, uint8_t family,
			struct prefix *out)
{
	const struct nlattr *via = attrs[RTA_VIA];
	const struct rtvia *body;

	if (get_prefix(attrs[RTA_GATEWAY], family, family == AF_INET ? 32 : 128,
		       out) ||
	    !via || nla_len(via) < (int)(sizeof(*body) + 16))
		return;
	body = nla_data(via);
	if (body->rtvia_family != AF_INET6)
		return;
	*out = (struct prefix){ .family = AF_INET6, .length = 128 };
	memcpy(out->bytes, body->rtvia_addr, 16);
}

/* RTA_MULTIPATH: struct rtnexthop, each with attributes of its own. */
static void take_hops(struct facts *facts, const struct nlattr *multipath,
		      struct default_fact fact)
{
	const char *at = nla_data(multipath);
	size_t left = (size_t)nla_len(multipath);
	struct rtnexthop hop;
	size_t step;

	while (left >= sizeof(hop)) {
		struct nlattr *attrs[RTA_MAX + 1];

		memcpy(&hop, at, sizeof(hop));
		if (hop.rtnh_len < sizeof(hop) || hop.rtnh_len > left)
			return;
		fact.index = hop.rtnh_ifindex;
		fact.gateway = (struct prefix){ 0 };
		if (nla_parse(attrs, RTA_MAX,
			      (void *)(uintptr_t)(at + sizeof(hop)),
			      (int)(hop.rtnh_len - sizeof(hop)), NULL) < 0)
			return;
		get_gateway(attrs, fact.family, &fact.gateway);
		add_default(facts, &fact);
		step = RTNH_ALIGN((size_t)hop.rtnh_len);
		if (step >= left)
			return;
		at += step;
		left -= step;
	}
}

static int take_default(const struct nlmsghdr *message, void *arg)
{
	struct facts *facts = arg;
	const struct rtmsg *info = nlmsg_data(message);
	struct nlattr *attrs[RTA_MAX + 1];
	struct default_fact fact = { 0 };
	uint32_t table;

	if (message->nlmsg_type != RTM_NEWROUTE ||
	    !netlink_parse(message, sizeof(*info), attrs, RTA_MAX))
		return 0;
	table = netlink_u32(attrs[RTA_TABLE], info->rtm_table);
	if (table != RT_TABLE_MAIN || info->rtm_dst_len || info->rtm_src_len ||
	    info->rtm_tos || info->rtm_type != RTN_UNICAST ||
	    info->rtm_protocol == TRESSE_RTPROT ||
	    (info->rtm_flags & RTM_F_CLONED))
		return 0;
	fact.family = info->rtm_family;
	fact.protocol = info->rtm_protocol;
	fact.metric = netlink_u32(attrs[RTA_PRIORITY], 0);
	if (attrs[RTA_MULTIPATH]) {
		take_hops(facts, attrs[RTA_MULTIPATH], fact);
		return 0;
	}
	fact.index = (int)netlink_u32(attrs[RTA_OIF], 0);
	get_gateway(attrs, fact.family, &fact.gateway);
	add_default(facts, &fact);
	return 0;
}

static void forget_links(void *arg)
{
	((struct facts *)arg)->link_count = 0;
}

static void forget_addresses(void *arg)
{
	((struct facts *)arg)->address_count = 0;
}

static int read_links(struct netlink *netlink, struct facts *facts,
		      struct err *err)
{
	struct ifinfomsg info = { .ifi_family = AF_UNSPEC };
	AUTO(nlmsg)
	struct nl_msg *request =
		netlink_message(RTM_GETLINK, 0, &info, sizeof(info), 0);

	return netlink_dump(netlink, request, take_link, forget_links, facts,
			    err);
}

static int read_addresses(struct netlink *netlink, struct facts *facts,
			  struct err *err)
{
	struct ifaddrmsg info = { .ifa_family = AF_UNSPEC };
	AUTO(nlmsg)
	struct nl_msg *request =
		netlink_message(RTM_GETADDR, 0, &info, sizeof(info), 0);

	return netlink_dump(netlink, request, take_address, forget_addresses,
			    facts, err);
}

/* A dump is begun again from the count where it stood: the families share the
 * array. */
struct defaults {
	struct facts *facts;
	size_t before;
};

static int take_default_of(const struct nlmsghdr *message, void *arg)
{
	return take_default(message, ((struct defaults *)arg)->facts);
}

static void forget_defaults(void *arg)
{
	struct defaults *defaults = arg;

	defaults->facts->default_count = defaults->before;
}

/* Asks for the main table alone, which a kernel since 4.20 heeds: a router may
 * have a million routes elsewhere. */
static int read_defaults(struct netlink *netlink, uint8_t family,
			 struct facts *facts, struct err *err)
{
	struct rtmsg info = { .rtm_family = family,
			      .rtm_table = RT_TABLE_MAIN };
	struct defaults defaults = { facts, facts->default_count };
	AUTO_ERR fault = ERR_NONE;
	AUTO(nlmsg)
	struct nl_msg *request =
		netlink_message(RTM_GETROUTE, 0, &info, sizeof(info), 0);
	int rc = netlink_dump(netlink, request, take_default_of,
			      forget_defaults, &defaults, &fault);

	/* net/ipv4/fib_frontend.c, inet_dump_fib(): a table that nothing was
	 * ever put into does not exist. */
	if (rc == -ENOENT || !rc)
		return 0;
	return err_move(err, &fault);
}

static bool has_ipv6(void)
{
	int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd >= 0)
		close(fd);
	return fd >= 0 || errno != EAFNOSUPPORT;
}

static void read_boot(struct facts *facts)
{
	AUTO(str) char *boot = boot_id_dup();

	snprintf(facts->boot, sizeof(facts->boot), "%s", boot);
}

int host_read_facts(struct host *host, struct facts *facts, struct err *err)
{
	struct netlink *netlink = host_netlink(host, NETLINK_ROUTE, err);
	int rc;

	facts->link_count = 0;
	facts->address_count = 0;
	facts->default_count = 0;
	facts->has_ipv6 = has_ipv6();
	read_boot(facts);
	if (!netlink)
		return err ? err->code : -EIO;
	rc = read_links(netlink, facts, err);
	if (!rc)
		rc = read_addresses(netlink, facts, err);
	if (!rc)
		rc = read_defaults(netlink, AF_INET, facts, err);
	if (!rc && facts->has_ipv6)
		rc = read_defaults(netlink, AF_INET6, facts, err);
	if (rc < 0)
		err_prefix(err, "links, addresses and routes: ");
	return rc;
}

/* ---- privilege ------------------------------------------------------- */

static bool has_net_admin(void)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3
	};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = { 0 };

	if (syscall(SYS_capget, &header, data) < 0)
		return false;
	return (data[CAP_TO_INDEX(CAP_NET_ADMIN)].effective &
		CAP_TO_MASK(CAP_NET_ADMIN)) != 0;
}

/* Does the network namespace belong to our user namespace, or to one below it,
 * where our capabilities count? fs/nsfs.c refuses NS_GET_USERNS with EPERM when
 * it does not. Without /proc nobody can tell, and the kernel has the last word
 * anyway. */
static bool owns_network(void)
{
	int fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	bool owns = true;
	int owner;

	if (fd < 0)
		return true;
	owner = ioctl(fd, NS_GET_USERNS);
	if (owner < 0 && errno == EPERM)
		owns = false;
	if (owner >= 0)
		close(owner);
	close(fd);
	return owns;
}

int host_may_write(struct host *host, struct err *err)
{
	(void)host;
	if (!has_net_admin())
		return err_set(err, EPERM,
			       "changing the network needs the capability "
			       "CAP_NET_ADMIN: run as root (sudo tresse)");
	if (!owns_network())
		return err_set(err, EPERM,
			       "changing the network needs CAP_NET_ADMIN in "
			       "the user namespace that owns it, and this "
			       "container's does not: run outside of it");
	return 0;
}

/* ---- a throw-away namespace ------------------------------------------ */

/* What the child writes first; the answer's bytes follow. */
struct outcome {
	int error; /* errno: no namespace to be had */
	int result;
};

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	(void)file_write(fd, text, strlen(text));
	close(fd);
}

/* Programs that a job starts keep the capabilities only as root (user
 * namespaces(7)); the job itself has them anyway, so this may fail. */
static void become_root(uid_t uid, gid_t gid)
{
	AUTO(str) char *uids = mem_printf("0 %u 1", uid);
	AUTO(str) char *gids = mem_printf("0 %u 1", gid);

	write_file("/proc/self/setgroups", "deny");
	write_file("/proc/self/uid_map", uids);
	write_file("/proc/self/gid_map", gids);
}

/* Where we are root a user namespace is not needed, and would cost the right to
 * big socket buffers. */
static int leave_network(void)
{
	uid_t uid = geteuid();
	gid_t gid = getegid();

	if (!unshare(CLONE_NEWNET))
		return 0;
	if (errno != EPERM || unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0)
		return errno;
	become_root(uid, gid);
	return 0;
}

static int bring_lo_up(void)
{
	struct ifreq request = { .ifr_name = "lo" };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int rc = 0;

	if (fd < 0)
		return errno;
	if (ioctl(fd, SIOCGIFFLAGS, &request) < 0)
		rc = errno;
	request.ifr_flags = (short)(request.ifr_flags | IFF_UP);
	if (!rc && ioctl(fd, SIOCSIFFLAGS, &request) < 0)
		rc = errno;
	close(fd);
	return rc;
}

/* The child never returns: it must not run the parent's exit handlers. */
static void __attribute__((noreturn))
child_main(int fd, int (*job)(void *arg, void *answer, size_t size), void *arg,
	   size_t size)
{
	struct outcome outcome = { 0 };
	void *answer = mem_alloc(size);

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)signal(SIGPIPE, SIG_IGN);
	outcome.error = leave_network();
	if (!outcome.error)
		outcome.error = bring_lo_up();
	if (!outcome.error)
		outcome.result = job(arg, answer, size) & 0xff;
	(void)file_write(fd, &outcome, sizeof(outcome));
	(void)file_write(fd, answer, size);
	_exit(0);
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* What a child that answers may take: work of its own, and time without work.
 * On a busy machine neither is the time that has passed. */
struct patience {
	clockid_t clock; /* of what the child works */
	int64_t worked_ms, idle_ms;
};

static int64_t worked_ms(clockid_t clock)
{
	struct timespec worked = { 0 };

	(void)clock_gettime(clock, &worked);
	return (int64_t)worked.tv_sec * 1000 + worked.tv_nsec / 1000000;
}

/* So long it has said nothing. */
static void note_silence(struct patience *patience, int64_t ms)
{
	int64_t worked = worked_ms(patience->clock);

	if (worked - patience->worked_ms < ms / 50)
		patience->idle_ms += ms;
	patience->worked_ms = worked;
}

static bool is_over(const struct patience *patience)
{
	return patience->idle_ms >= THROW_AWAY_MS ||
	       patience->worked_ms >= THROW_AWAY_MS;
}

/* Reads until size bytes, the end, or the end of patience. Returns how many. */
static size_t read_patiently(int fd, void *bytes, size_t size,
			     struct patience *patience)
{
	size_t got = 0;

	while (got < size && !is_over(patience)) {
		struct pollfd wait = { .fd = fd, .events = POLLIN };
		int64_t began = now_ms();
		int ready = poll(&wait, 1, 500);
		ssize_t more;

		if (!ready)
			note_silence(patience, now_ms() - began);
		if (!ready || (ready < 0 && errno == EINTR))
			continue;
		if (ready < 0)
			break;
		more = read(fd, (char *)bytes + got, size - got);
		if (more < 0 && errno == EINTR)
			continue;
		if (more <= 0)
			break;
		got += (size_t)more;
	}
	return got;
}

static int hear_child(const struct throw_away *away, void *answer, size_t size,
		      struct err *err)
{
	struct patience patience = { 0 };
	struct outcome outcome;

	if (clock_getcpuclockid(away->child, &patience.clock))
		return err_set(err, ECHILD,
			       "the process in the throw-away "
			       "network namespace is not there");
	if (read_patiently(away->answers, &outcome, sizeof(outcome),
			   &patience) < sizeof(outcome) ||
	    read_patiently(away->answers, answer, size, &patience) < size)
		return err_set(
			err, is_over(&patience) ? ETIMEDOUT : ECHILD,
			is_over(&patience)
				? "nothing came out of the throw-away "
				  "network namespace in 10 s"
				: "the process in the throw-away network "
				  "namespace died");
	if (outcome.error)
		return err_set(err, outcome.error,
			       "cannot make a throw-away network namespace: %s",
			       strerror(outcome.error));
	return outcome.result;
}

int host_throw_away_begin(struct throw_away *away,
			  int (*job)(void *arg, void *answer, size_t size),
			  void *arg, size_t size, struct err *err)
{
	int ends[2], rc;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_set(err, errno, "cannot make a pipe: %s",
			       strerror(errno));
	away->child = fork();
	if (away->child < 0) {
		rc = err_set(err, errno, "cannot start a process: %s",
			     strerror(errno));
		close(ends[0]);
		close(ends[1]);
		return rc;
	}
	if (!away->child) {
		close(ends[0]);
		child_main(ends[1], job, arg, size);
	}
	close(ends[1]);
	away->answers = ends[0];
	return 0;
}

int host_throw_away_end(struct throw_away *away, void *answer, size_t size,
			struct err *err)
{
	int rc = hear_child(away, answer, size, err);

	close(away->answers);
	if (rc < 0)
		kill(away->child, SIGKILL);
	while (waitpid(away->child, NULL, 0) < 0 && errno == EINTR)
		;
	return rc;
}

int host_throw_away(int (*job)(void *arg, void *answer, size_t size), void *arg,
		    void *answer, size_t size, struct err *err)
{
	struct throw_away away;
	int rc = host_throw_away_begin(&away, job, arg, size, err);

	return rc < 0 ? rc : host_throw_away_end(&away, answer, size, err);
}
