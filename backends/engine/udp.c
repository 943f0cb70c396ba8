/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/engine/udp.h"

#include <arpa/inet.h>
#include <linux/errqueue.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <net/if.h>
#include <netinet/udp.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "backends/engine/wire.h"

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif
#ifndef UDP_GRO
#define UDP_GRO 104
#endif

enum {
	SOCKET_BUFFER = 8 << 20, /* a few milliseconds at 10 Gbit/s */
	DOOR_BUFFER = 512 << 10, /* some hundred calls at once, each door */
	CONTROL_ROOM = 256,
	SET_US = 1000000, /* a clock that moves by more was set */
};

struct udp {
	int fd;
	uint16_t port;
	struct offload segment, gro; /* UDP_SEGMENT, UDP_GRO */
	bool listens, was_told;	     /* ICMP */
	struct udp_told told;
	bool received;
	int64_t apart_us; /* wall clock less ours, when it last received */
	uint64_t sends;
};

struct udp_room {
	struct mmsghdr messages[UDP_BUNCH];
	struct iovec parts[UDP_BUNCH];
	struct sockaddr_in6 from[UDP_BUNCH];
	struct udp_run runs[UDP_BUNCH];
	_Alignas(struct cmsghdr) uint8_t control[UDP_BUNCH][CONTROL_ROOM];
	uint8_t *bytes;
};

bool address_equal(const struct address *a, const struct address *b)
{
	return a->far.sin6_port == b->far.sin6_port &&
	       a->far.sin6_scope_id == b->far.sin6_scope_id &&
	       IN6_ARE_ADDR_EQUAL(&a->far.sin6_addr, &b->far.sin6_addr) &&
	       IN6_ARE_ADDR_EQUAL(&a->near, &b->near);
}

bool address_is_ip4(const struct address *address)
{
	return IN6_IS_ADDR_V4MAPPED(&address->far.sin6_addr);
}

void address_print(const struct address *address, char text[ADDRESS_TEXT])
{
	char host[INET6_ADDRSTRLEN] = "";
	bool ip4 = address_is_ip4(address);

	inet_ntop(ip4 ? AF_INET : AF_INET6,
		  address->far.sin6_addr.s6_addr + (ip4 ? 12 : 0), host,
		  sizeof(host));
	snprintf(text, ADDRESS_TEXT, ip4 ? "%s:%u" : "[%s]:%u", host,
		 ntohs(address->far.sin6_port));
}

int address_parse(const char *host, uint16_t port, struct address *address,
		  struct err *err)
{
	uint8_t *bytes = address->far.sin6_addr.s6_addr;

	*address = (struct address){ .far.sin6_family = AF_INET6,
				     .far.sin6_port = htons(port) };
	if (inet_pton(AF_INET6, host, bytes) == 1)
		return 0;
	if (inet_pton(AF_INET, host, bytes + 12) != 1)
		return err_set(err, EINVAL, "%s: is no IP address", host);
	memset(bytes + 10, 0xff, 2);
	return 0;
}

static int set(int fd, int level, int name, int value)
{
	return setsockopt(fd, level, name, &value, sizeof(value)) < 0 ? -errno
								      : 0;
}

/* Larger than the system's limit where we may, else as large as it lets. */
static void buffers(int fd, int receive)
{
	if (set(fd, SOL_SOCKET, SO_RCVBUFFORCE, receive) < 0)
		set(fd, SOL_SOCKET, SO_RCVBUF, receive);
	if (set(fd, SOL_SOCKET, SO_SNDBUFFORCE, SOCKET_BUFFER) < 0)
		set(fd, SOL_SOCKET, SO_SNDBUF, SOCKET_BUFFER);
}

int udp_device(struct udp *udp, const char *device, struct err *err)
{
	if (setsockopt(udp->fd, SOL_SOCKET, SO_BINDTODEVICE, device,
		       (socklen_t)strlen(device)) < 0)
		return err_set(err, errno, "device %s: %m", device);
	return 0;
}

static int tune(struct udp *udp, const struct udp_options *options,
		struct err *err)
{
	int fd = udp->fd;

	if (options->device && udp_device(udp, options->device, err) < 0)
		return err->code;
	if (options->mark && setsockopt(fd, SOL_SOCKET, SO_MARK, &options->mark,
					sizeof(options->mark)) < 0)
		return err_set(err, errno, "mark 0x%x: %m", options->mark);
	set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0);
	set(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
	set(fd, IPPROTO_IP, IP_PKTINFO, 1);
	set(fd, IPPROTO_IPV6, IPV6_RECVTCLASS, 1);
	set(fd, IPPROTO_IP, IP_RECVTOS, 1);
	set(fd, SOL_SOCKET, SO_TIMESTAMPNS, 1);
	/* The size of packets is found by the engine itself (RFC 8899): never
	 * fragment, and do not believe what ICMP said. */
	set(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_PROBE);
	set(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_PROBE);
	buffers(fd, options->door ? DOOR_BUFFER : SOCKET_BUFFER);
	udp->segment.there =
		!options->plain && !set(fd, SOL_UDP, UDP_SEGMENT, 0);
	/* By a door they come one by one, so that a bunch is no long work. */
	udp->gro.there = !options->plain && !options->door &&
			 !set(fd, SOL_UDP, UDP_GRO, 1);
	return 0;
}

static void fail_bind(const struct udp_options *options, int code,
		      struct err *err)
{
	if (code == EADDRINUSE)
		err_set(err, code,
			"UDP port %u: another program has it (ss -lunp): end "
			"that, or give another with listen=",
			options->port);
	else if (code == EADDRNOTAVAIL)
		err_set(err, code, "the source address is not on this host");
	else
		err_set(err, code, "UDP port %u: %s", options->port,
			strerror(code));
}

struct udp *udp_open(const struct udp_options *options, struct err *err)
{
	AUTO(udp) struct udp *udp = mem_alloc(sizeof(*udp));
	struct sockaddr_in6 name = { .sin6_family = AF_INET6,
				     .sin6_addr = options->source,
				     .sin6_port = htons(options->port) };
	socklen_t length = sizeof(name);

	udp->fd =
		socket(AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (udp->fd < 0) {
		err_set(err, errno, "UDP socket: %m");
		return NULL;
	}
	if (tune(udp, options, err) < 0)
		return NULL;
	if (options->shared && set(udp->fd, SOL_SOCKET, SO_REUSEPORT, 1) < 0) {
		err_set(err, errno, "UDP port %u: SO_REUSEPORT: %m",
			options->port);
		return NULL;
	}
	if (bind(udp->fd, (struct sockaddr *)&name, sizeof(name)) < 0) {
		fail_bind(options, errno, err);
		return NULL;
	}
	getsockname(udp->fd, (struct sockaddr *)&name, &length);
	udp->port = ntohs(name.sin6_port);
	return TAKE(udp);
}

/* Which socket of so many: the low byte of the index says it (wire_part()).
 * What has none goes to the door of its sender (multiply-shift: Dietzfelbinger
 * et al., A Reliable Randomized Algorithm for the Closest-Pair Problem, 1997).
 */
static int steer(const struct udp *udp, unsigned count)
{
	enum {
		IP4_SOURCE = 12,
		IP6_SOURCE = 8,
		DOOR_SHARE = (1ULL << 32) / UDP_DOORS
	};
	const uint32_t net = (uint32_t)SKF_NET_OFF;
	uint32_t secret[2] = { 0 };
	bool drawn = getrandom(secret, sizeof(secret), 0) == sizeof(secret);
	struct sock_filter steps[] = {
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, WIRE_TRANSPORT, 0, 3),
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, WIRE_INDEX_AT),
		BPF_STMT(BPF_ALU | BPF_MOD | BPF_K, count),
		BPF_STMT(BPF_RET | BPF_A, 0),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 (uint32_t)(SKF_AD_OFF + SKF_AD_PROTOCOL)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETH_P_IP, 0, 2),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, net + IP4_SOURCE),
		BPF_JUMP(BPF_JMP | BPF_JA, 4, 0, 0),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, net + IP6_SOURCE),
		BPF_STMT(BPF_ALU | BPF_MUL | BPF_K, secret[0] | 1),
		BPF_STMT(BPF_MISC | BPF_TAX, 0),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, net + IP6_SOURCE + 4),
		BPF_STMT(BPF_ALU | BPF_MUL | BPF_K, secret[1] | 1),
		BPF_STMT(BPF_ALU | BPF_ADD | BPF_X, 0),
		BPF_STMT(BPF_ALU | BPF_DIV | BPF_K, DOOR_SHARE),
		BPF_STMT(BPF_ALU | BPF_ADD | BPF_K, count),
		BPF_STMT(BPF_RET | BPF_A, 0),
	};
	struct sock_fprog program = { ARRAY_SIZE(steps), steps };

	if (!drawn)
		return -EAGAIN;
	return setsockopt(udp->fd, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF,
			  &program, sizeof(program)) < 0
		       ? -errno
		       : 0;
}

/* The first was bound alone, so nobody else has the port; from now on only our
 * own user could join it. */
int udp_share(struct udp **sockets, unsigned count,
	      const struct udp_options *options, struct err *err)
{
	const unsigned end = count + UDP_DOORS;
	struct udp_options beside = *options;
	int rc = set(sockets[0]->fd, SOL_SOCKET, SO_REUSEPORT, 1);

	beside.port = sockets[0]->port;
	beside.shared = true;
	if (rc < 0)
		return err_set(err, -rc, "SO_REUSEPORT: %s", strerror(-rc));
	for (unsigned i = 1; i < end && !rc; i++) {
		beside.door = i >= count;
		sockets[i] = udp_open(&beside, err);
		rc = sockets[i] ? 0 : -EADDRINUSE;
	}
	if (!rc) {
		rc = steer(sockets[0], count);
		if (rc < 0)
			err_set(err, -rc, "SO_ATTACH_REUSEPORT_CBPF: %s",
				strerror(-rc));
	}
	for (unsigned i = 1; rc < 0 && i < end; i++)
		udp_free(TAKE(sockets[i]));
	if (rc < 0)
		set(sockets[0]->fd, SOL_SOCKET, SO_REUSEPORT, 0);
	return rc;
}

void udp_free(struct udp *udp)
{
	if (!udp)
		return;
	if (udp->fd >= 0)
		close(udp->fd);
	free(udp);
}

int udp_fd(const struct udp *udp)
{
	return udp->fd;
}

uint16_t udp_port(const struct udp *udp)
{
	return udp->port;
}

enum offload_state udp_segment(const struct udp *udp)
{
	return offload_state(&udp->segment);
}

enum offload_state udp_gro(const struct udp *udp)
{
	return offload_state(&udp->gro);
}

uint64_t udp_sends(const struct udp *udp)
{
	return udp->sends;
}

struct udp_room *udp_room_new(void)
{
	struct udp_room *room = mem_alloc(sizeof(*room));

	room->bytes = mem_alloc((size_t)UDP_BUNCH * UDP_BUNCH_SIZE);
	for (size_t i = 0; i < UDP_BUNCH; i++)
		room->parts[i] =
			(struct iovec){ room->bytes + i * UDP_BUNCH_SIZE,
					UDP_BUNCH_SIZE };
	return room;
}

void udp_room_free(struct udp_room *room)
{
	if (!room)
		return;
	free(room->bytes);
	free(room);
}

bool udp_room_has(const struct udp_room *room, const void *byte)
{
	const uint8_t *at = byte;

	return at >= room->bytes &&
	       at < room->bytes + (size_t)UDP_BUNCH * UDP_BUNCH_SIZE;
}

static void map_ip4(struct in6_addr *to, const struct in_addr *from)
{
	memset(to, 0, sizeof(*to));
	memset(to->s6_addr + 10, 0xff, 2);
	memcpy(to->s6_addr + 12, from, 4);
}

static void room_reset(struct udp_room *room)
{
	for (size_t i = 0; i < UDP_BUNCH; i++)
		room->messages[i].msg_hdr = (struct msghdr){
			.msg_name = &room->from[i],
			.msg_namelen = sizeof(room->from[i]),
			.msg_iov = &room->parts[i],
			.msg_iovlen = 1,
			.msg_control = room->control[i],
			.msg_controllen = CONTROL_ROOM,
		};
}

static int64_t clock_of(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return now.tv_sec * 1000000LL + now.tv_nsec / 1000;
}

/* Both clocks, when something was received. */
struct clocks {
	int64_t wall, now; /* now: ours */
	bool steady;	   /* the wall clock was not set since the last time */
};

static struct clocks clocks_read(struct udp *udp)
{
	struct clocks clocks = { .wall = clock_of(CLOCK_REALTIME),
				 .now = clock_of(UDP_CLOCK) };
	int64_t apart = clocks.wall - clocks.now;

	clocks.steady = udp->received && apart - udp->apart_us < SET_US &&
			udp->apart_us - apart < SET_US;
	udp->apart_us = apart;
	udp->received = true;
	return clocks;
}

/* The kernel stamps with the wall clock. What is in the future of our own
 * clock, or long ago though it was set meanwhile, came just now as far as we
 * know. What is long ago otherwise was: we were stopped. */
static uint64_t stamp_us(const void *data, const struct clocks *clocks)
{
	struct timespec stamp;
	int64_t age;

	memcpy(&stamp, data, sizeof(stamp));
	age = clocks->wall - (stamp.tv_sec * 1000000LL + stamp.tv_nsec / 1000);
	if (age < 0 || age > clocks->now || (age > SET_US && !clocks->steady))
		age = 0;
	return (uint64_t)(clocks->now - age);
}

/* What the kernel tells beside a message. */
static void read_control(struct msghdr *message, struct udp_run *run,
			 const struct clocks *clocks)
{
	run->at_us = (uint64_t)clocks->now;
	for (struct cmsghdr *at = CMSG_FIRSTHDR(message); at;
	     at = CMSG_NXTHDR(message, at)) {
		const void *data = CMSG_DATA(at);
		struct in6_pktinfo info6;
		struct in_pktinfo info;
		int number;

		if (at->cmsg_level == SOL_UDP && at->cmsg_type == UDP_GRO) {
			memcpy(&number, data, sizeof(number));
			run->segment =
				number > 0 ? (uint32_t)number : run->size;
		} else if (at->cmsg_level == SOL_SOCKET &&
			   at->cmsg_type == SCM_TIMESTAMPNS) {
			run->at_us = stamp_us(data, clocks);
		} else if (at->cmsg_level == IPPROTO_IPV6 &&
			   at->cmsg_type == IPV6_PKTINFO) {
			memcpy(&info6, data, sizeof(info6));
			run->from.near = info6.ipi6_addr;
			run->from.device = info6.ipi6_ifindex;
		} else if (at->cmsg_level == IPPROTO_IP &&
			   at->cmsg_type == IP_PKTINFO) {
			memcpy(&info, data, sizeof(info));
			map_ip4(&run->from.near, &info.ipi_spec_dst);
			run->from.device = (uint32_t)info.ipi_ifindex;
		} else if (at->cmsg_level == IPPROTO_IP &&
			   at->cmsg_type == IP_TOS) {
			memcpy(&run->tos, data, 1);
		} else if (at->cmsg_level == IPPROTO_IPV6 &&
			   at->cmsg_type == IPV6_TCLASS) {
			memcpy(&number, data, sizeof(number));
			run->tos = (uint8_t)number;
		}
	}
}

static bool take_icmp(struct udp *udp, const struct cmsghdr *at)
{
	struct {
		struct sock_extended_err error;
		struct sockaddr_in6 by; /* or a sockaddr_in */
	} said = { .error.ee_origin = SO_EE_ORIGIN_NONE };
	size_t size = at->cmsg_len - CMSG_LEN(0);
	struct sockaddr_in by4;

	if ((at->cmsg_level != IPPROTO_IP || at->cmsg_type != IP_RECVERR) &&
	    (at->cmsg_level != IPPROTO_IPV6 || at->cmsg_type != IPV6_RECVERR))
		return false;
	memcpy(&said, CMSG_DATA(at), size < sizeof(said) ? size : sizeof(said));
	if (said.error.ee_errno == EMSGSIZE ||
	    (said.error.ee_origin != SO_EE_ORIGIN_ICMP &&
	     said.error.ee_origin != SO_EE_ORIGIN_ICMP6))
		return false;
	udp->told = (struct udp_told){
		.ip6 = said.error.ee_origin == SO_EE_ORIGIN_ICMP6,
		.type = said.error.ee_type,
		.code = said.error.ee_code,
		.by = said.by.sin6_addr,
	};
	if (said.by.sin6_family == AF_INET) {
		memcpy(&by4, &said.by, sizeof(by4));
		map_ip4(&udp->told.by, &by4.sin_addr);
	}
	udp->was_told = true;
	return true;
}

/* Empties the queue of errors; true: there was one. */
static bool hear_icmp(struct udp *udp)
{
	_Alignas(struct cmsghdr) uint8_t control[CONTROL_ROOM];
	bool heard = false;

	for (;;) {
		struct msghdr message = { .msg_control = control,
					  .msg_controllen = sizeof(control) };

		if (recvmsg(udp->fd, &message, MSG_ERRQUEUE | MSG_DONTWAIT) < 0)
			return heard;
		heard = true;
		for (struct cmsghdr *at = CMSG_FIRSTHDR(&message); at;
		     at = CMSG_NXTHDR(&message, at))
			take_icmp(udp, at);
	}
}

void udp_listen(struct udp *udp, bool on)
{
	if (udp->listens == on)
		return;
	udp->listens = on;
	udp->was_told = false;
	set(udp->fd, IPPROTO_IP, IP_RECVERR, on);
	set(udp->fd, IPPROTO_IPV6, IPV6_RECVERR, on);
}

bool udp_told(const struct udp *udp, struct udp_told *told)
{
	*told = udp->told;
	return udp->was_told;
}

int udp_receive(struct udp *udp, struct udp_room *room,
		const struct udp_run **runs)
{
	struct clocks clocks;
	int got, count = 0;

	room_reset(room);
	got = recvmmsg(udp->fd, room->messages, UDP_BUNCH, MSG_DONTWAIT, NULL);
	if (got < 0) {
		int code = errno;

		/* Or epoll would tell of it for ever. */
		if (udp->listens)
			hear_icmp(udp);
		return code == EAGAIN || code == EINTR ? 0 : -code;
	}
	udp->was_told = false;
	clocks = clocks_read(udp);
	for (int i = 0; i < got; i++) {
		struct msghdr *message = &room->messages[i].msg_hdr;
		struct udp_run *run = &room->runs[count];

		if (message->msg_flags & MSG_TRUNC)
			continue;
		*run = (struct udp_run){
			.data = room->bytes + (size_t)i * UDP_BUNCH_SIZE,
			.size = room->messages[i].msg_len,
			.segment = room->messages[i].msg_len,
			.from.far = room->from[i],
		};
		read_control(message, run, &clocks);
		count += run->size != 0;
	}
	*runs = room->runs;
	return count;
}

static bool is_any(const struct in6_addr *address)
{
	return IN6_IS_ADDR_UNSPECIFIED(address);
}

static struct cmsghdr *put_control(struct msghdr *message, size_t *used,
				   int level, int type, const void *data,
				   size_t size)
{
	struct cmsghdr *at =
		(struct cmsghdr *)((uint8_t *)message->msg_control + *used);

	at->cmsg_level = level;
	at->cmsg_type = type;
	at->cmsg_len = CMSG_LEN(size);
	memcpy(CMSG_DATA(at), data, size);
	*used += CMSG_SPACE(size);
	return at;
}

/* Answers leave with the address that was asked (a server with several). */
static void put_source(struct msghdr *message, size_t *used,
		       const struct address *to)
{
	struct in6_pktinfo info6 = { .ipi6_addr = to->near };
	struct in_pktinfo info = { .ipi_ifindex = 0 };

	if (is_any(&to->near))
		return;
	if (IN6_IS_ADDR_V4MAPPED(&to->near)) {
		memcpy(&info.ipi_spec_dst, to->near.s6_addr + 12, 4);
		put_control(message, used, IPPROTO_IP, IP_PKTINFO, &info,
			    sizeof(info));
	} else {
		if (IN6_IS_ADDR_LINKLOCAL(&to->near))
			info6.ipi6_ifindex = to->device;
		put_control(message, used, IPPROTO_IPV6, IPV6_PKTINFO, &info6,
			    sizeof(info6));
	}
}

static int send_message(struct udp *udp, const struct address *to,
			const uint8_t *data, size_t size, size_t segment)
{
	_Alignas(struct cmsghdr) uint8_t control[CONTROL_ROOM] = { 0 };
	struct iovec part = { (void *)data, size };
	struct msghdr message = {
		.msg_name = (void *)&to->far,
		.msg_namelen = sizeof(to->far),
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = control,
	};
	size_t used = 0;
	int rc;
	uint16_t length = (uint16_t)segment;

	put_source(&message, &used, to);
	if (segment < size)
		put_control(&message, &used, SOL_UDP, UDP_SEGMENT, &length,
			    sizeof(length));
	message.msg_controllen = used;
	if (!used)
		message.msg_control = NULL;
	udp->sends++;
	rc = sendmsg(udp->fd, &message, MSG_DONTWAIT) < 0 ? -errno : 0;
	/* An ICMP error makes the next send fail, which it says nothing of. */
	if (rc < 0 && udp->listens && hear_icmp(udp))
		rc = sendmsg(udp->fd, &message, MSG_DONTWAIT) < 0 ? -errno : 0;
	return rc;
}

/* One by one. recv()'s pending ICMP errors come out of sends as well, once:
 * they say nothing about this datagram. */
static int send_apart(struct udp *udp, const struct address *to,
		      const uint8_t *data, size_t size, size_t segment,
		      size_t *sent)
{
	int rc = 0;

	while (*sent < size && !rc) {
		size_t part = size - *sent < segment ? size - *sent : segment;

		rc = send_message(udp, to, data + *sent, part, part);
		if (rc == -ECONNREFUSED)
			rc = send_message(udp, to, data + *sent, part, part);
		if (!rc)
			*sent += part;
	}
	return rc;
}

size_t udp_send_most(size_t segment)
{
	size_t most = UDP_SEND_BYTES / segment;

	return (most < UDP_SEND_MAX ? most : UDP_SEND_MAX) * segment;
}

static int send_bunch(struct udp *udp, const struct address *to,
		      const uint8_t *data, size_t size, size_t segment,
		      size_t *sent)
{
	size_t most = udp_send_most(segment);
	int rc = 0;

	while (*sent < size && !rc) {
		size_t part = size - *sent < most ? size - *sent : most;

		rc = send_message(udp, to, data + *sent, part, segment);
		if (!rc)
			*sent += part;
	}
	return rc;
}

/* Not for this one: UDP_SEGMENT is not by what sends otherwise fail, too. */
static bool is_refused(int rc)
{
	return rc == -EIO || rc == -EINVAL || rc == -EOPNOTSUPP;
}

int udp_send(struct udp *udp, const struct address *to, const uint8_t *data,
	     size_t size, size_t segment, size_t *sent)
{
	bool refused = false;
	int rc = -EIO;

	*sent = 0;
	if (size > segment && offload_may(&udp->segment)) {
		rc = send_bunch(udp, to, data, size, segment, sent);
		refused = is_refused(rc);
		if (!rc)
			offload_worked(&udp->segment);
	}
	if (rc == -ECONNREFUSED || is_refused(rc))
		rc = send_apart(udp, to, data, size, segment, sent);
	if (refused && !rc)
		offload_refused(&udp->segment);
	return rc;
}
