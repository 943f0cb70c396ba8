/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * traffic - sends what a test wants to see classified, and counts what arrives.
 *
 *     traffic send SECONDS FLOW...
 *     traffic sink SECONDS PLACE...
 *
 * A flow is a list of words without blanks:
 *
 *     udp,to=192.0.2.1,dport=9000,from=192.0.2.2,sport=53,size=300,
 *     rate=2000000,count=100,mark=41,uid=1014,prio=3
 *
 * begins with udp or tcp, `to` and `dport` are needed. size is that of a write
 * (of a datagram: without headers), rate in bit/s of what is written, count the
 * number of writes after which the flow ends; without a rate it sends as fast
 * as it is let. All flows run in one process, side by side, for SECONDS at
 * most.
 *
 * A place is udp:PORT or tcp:PORT, on all addresses of both families, or
 * tcp:PORT:BYTES for a server that sends so many bytes to whoever connects;
 * tcp:PORT:BYTES:MARK marks its listening socket; http:PORT:BYTES sends only
 * once it has heard an empty line, as web servers do. sink prints `ready` when
 * it listens. At its end, by time or SIGTERM, both print a line a flow or
 * place:
 *
 *     udp 9000 100 30000         (name, port, packets or writes, bytes)
 *
 * One that was refused says so on stderr and ends with status 1.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MAX = 256, BUFFER = 65536 };

struct flow {
	bool tcp, connected, over;
	int fd;
	struct sockaddr_storage from, to;
	char *source; /* borrowed from the command line; NULL: any */
	unsigned sport, dport, size, mark, uid, prio;
	uint64_t rate, count;
	uint64_t due_ns; /* when the next write may go */
	uint64_t writes, bytes;
};

/* A listening or datagram socket (place) or an accepted connection. */
struct sink {
	int fd;
	bool tcp, listening;
	bool waits; /* for an empty line, before it replies */
	bool deaf;  /* the peer has closed, but still gets its reply */
	unsigned port, mark;
	uint64_t reply; /* bytes that a connection gets from us */
	size_t place;	/* whose counters a connection adds to */
	uint64_t packets, bytes;
};

static struct flow flows[MAX];
static struct sink sinks[MAX];
static size_t flow_count, sink_count;
static char buffer[BUFFER];
static volatile sig_atomic_t ended;

static void on_signal(int number)
{
	(void)number;
	ended = 1;
}

__attribute__((noreturn, format(printf, 1, 2))) static void
die(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("traffic: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
	exit(1);
}

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static uint64_t number(const char *text)
{
	char *end;
	uint64_t value = strtoull(text, &end, 10);

	if (end == text || *end)
		die("%s is no number", text);
	return value;
}

static void option(int fd, int level, int name, int value)
{
	if (setsockopt(fd, level, name, &value, sizeof(value)) < 0)
		die("socket option %d: %s", name, strerror(errno));
}

static socklen_t address(const char *text, unsigned port,
			 struct sockaddr_storage *out)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)out;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)out;

	memset(out, 0, sizeof(*out));
	if (inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons((uint16_t)port);
		return sizeof(*v4);
	}
	if (inet_pton(AF_INET6, text, &v6->sin6_addr) != 1)
		die("%s is no address", text);
	v6->sin6_family = AF_INET6;
	v6->sin6_port = htons((uint16_t)port);
	return sizeof(*v6);
}

static void set_field(struct flow *flow, const char *name, char *value,
		      const char **to)
{
	if (!strcmp(name, "to"))
		*to = value;
	else if (!strcmp(name, "from"))
		flow->source = value;
	else if (!strcmp(name, "sport"))
		flow->sport = (unsigned)number(value);
	else if (!strcmp(name, "dport"))
		flow->dport = (unsigned)number(value);
	else if (!strcmp(name, "size"))
		flow->size = (unsigned)number(value);
	else if (!strcmp(name, "rate"))
		flow->rate = number(value);
	else if (!strcmp(name, "count"))
		flow->count = number(value);
	else if (!strcmp(name, "mark"))
		flow->mark = (unsigned)number(value);
	else if (!strcmp(name, "uid"))
		flow->uid = (unsigned)number(value);
	else if (!strcmp(name, "prio"))
		flow->prio = (unsigned)number(value);
	else
		die("a flow has no %s", name);
}

static void open_flow(struct flow *flow, const char *to)
{
	socklen_t length = address(to, flow->dport, &flow->to);
	int kind = flow->tcp ? SOCK_STREAM : SOCK_DGRAM;

	/* The owner of a socket, in netfilter's eyes, is who opened it. */
	if (flow->uid && seteuid(flow->uid) < 0)
		die("uid %u: %s", flow->uid, strerror(errno));
	flow->fd = socket(flow->to.ss_family, kind | SOCK_CLOEXEC, 0);
	if (flow->fd < 0)
		die("socket: %s", strerror(errno));
	if (flow->uid && seteuid(0) < 0)
		die("uid 0: %s", strerror(errno));
	option(flow->fd, SOL_SOCKET, SO_REUSEADDR, 1);
	if (flow->mark)
		option(flow->fd, SOL_SOCKET, SO_MARK, (int)flow->mark);
	if (flow->prio)
		option(flow->fd, SOL_SOCKET, SO_PRIORITY, (int)flow->prio);
	if (flow->source || flow->sport) {
		const char *any =
			flow->to.ss_family == AF_INET ? "0.0.0.0" : "::";

		address(flow->source ? flow->source : any, flow->sport,
			&flow->from);
		if (bind(flow->fd, (struct sockaddr *)&flow->from, length) < 0)
			die("bind port %u: %s", flow->sport, strerror(errno));
	}
	fcntl(flow->fd, F_SETFL, O_NONBLOCK);
	if (flow->tcp)
		option(flow->fd, IPPROTO_TCP, TCP_NODELAY, 1);
	if (connect(flow->fd, (struct sockaddr *)&flow->to, length) < 0 &&
	    errno != EINPROGRESS)
		die("connect to %s: %s", to, strerror(errno));
	flow->connected = !flow->tcp;
}

static void add_flow(char *text)
{
	struct flow *flow = &flows[flow_count];
	const char *to = NULL;
	char *save = NULL, *word = strtok_r(text, ",", &save);

	if (flow_count++ == MAX)
		die("more than %d flows", MAX);
	if (!word || (strcmp(word, "udp") && strcmp(word, "tcp")))
		die("a flow begins with udp or tcp");
	*flow = (struct flow){ .tcp = !strcmp(word, "tcp"), .size = 1000 };
	while ((word = strtok_r(NULL, ",", &save))) {
		char *value = strchr(word, '=');

		if (!value)
			die("%s: no value", word);
		*value++ = '\0';
		set_field(flow, word, value, &to);
	}
	if (!to || !flow->dport || !flow->size || flow->size > BUFFER)
		die("a flow needs to, dport, and a size up to %d", BUFFER);
	open_flow(flow, to);
}

/* One write. False if the flow has to wait for its socket. */
static bool write_once(struct flow *flow)
{
	ssize_t sent = send(flow->fd, buffer, flow->size, MSG_NOSIGNAL);

	if (sent < 0 && (errno == EAGAIN || errno == ENOBUFS))
		return false;
	if (sent < 0 && errno == ECONNREFUSED && !flow->tcp)
		return true; /* an ICMP error of a datagram before */
	if (sent < 0)
		die("port %u: send: %s", flow->dport, strerror(errno));
	flow->writes++;
	flow->bytes += (uint64_t)sent;
	if (flow->count && flow->writes == flow->count) {
		flow->over = true;
		if (flow->tcp)
			shutdown(flow->fd, SHUT_WR);
	}
	return true;
}

/* Writes what is due by now; returns when to come again. */
static uint64_t serve(struct flow *flow, uint64_t now)
{
	uint64_t gap = flow->rate ? flow->size * 8000000000ull / flow->rate : 0;

	/* What was not let through in time is not made up for later. */
	if (flow->due_ns + 50000000 < now)
		flow->due_ns = now;
	for (int burst = 0; burst < 64 && !flow->over; burst++) {
		if (flow->due_ns > now)
			return flow->due_ns;
		if (!write_once(flow))
			return now + 1000000;
		flow->due_ns += gap;
	}
	return now;
}

/* Receives what a peer sends back, so that its window never fills. */
static void drain(int fd)
{
	static char waste[BUFFER];

	while (recv(fd, waste, sizeof(waste), MSG_DONTWAIT) > 0)
		;
}

static void finish_connect(struct flow *flow, short events)
{
	int error = 0;
	socklen_t size = sizeof(error);

	if (!(events & (POLLOUT | POLLERR | POLLHUP)))
		return;
	getsockopt(flow->fd, SOL_SOCKET, SO_ERROR, &error, &size);
	if (error)
		die("port %u: connect: %s", flow->dport, strerror(error));
	flow->connected = true;
}

static void poll_connections(void)
{
	struct pollfd polls[MAX];

	for (size_t i = 0; i < flow_count; i++)
		polls[i] =
			(struct pollfd){ .fd = flows[i].connected ? -1
								  : flows[i].fd,
					 .events = POLLOUT };
	if (poll(polls, flow_count, 0) <= 0)
		return;
	for (size_t i = 0; i < flow_count; i++)
		if (!flows[i].connected)
			finish_connect(&flows[i], polls[i].revents);
}

/* One round over all flows. False when none is left. */
static bool send_round(uint64_t end)
{
	uint64_t now = now_ns(), next = end;
	bool any = false;

	for (size_t i = 0; i < flow_count; i++) {
		uint64_t due = now + 1000000;

		if (flows[i].tcp && flows[i].connected)
			drain(flows[i].fd);
		if (flows[i].over)
			continue;
		any = true;
		if (flows[i].connected)
			due = serve(&flows[i], now);
		if (due < next)
			next = due;
	}
	now = now_ns();
	if (next > now && any) {
		struct timespec pause = { (time_t)((next - now) / 1000000000),
					  (long)((next - now) % 1000000000) };

		nanosleep(&pause, NULL);
	}
	return any;
}

static bool is_open(int fd)
{
	ssize_t got = recv(fd, buffer, BUFFER, MSG_DONTWAIT);

	return got > 0 || (got < 0 && errno == EAGAIN);
}

/* A TCP flow that has sent all waits until its peer closes too. */
static void wait_for_peers(uint64_t end)
{
	for (size_t i = 0; i < flow_count; i++) {
		struct pollfd peer = { flows[i].fd, POLLIN, 0 };

		if (!flows[i].tcp || !flows[i].over)
			continue;
		while (!ended && now_ns() < end && is_open(peer.fd))
			poll(&peer, 1, 20);
	}
}

static int run_send(uint64_t end)
{
	while (!ended && now_ns() < end) {
		poll_connections();
		if (!send_round(end))
			break;
	}
	wait_for_peers(end);
	for (size_t i = 0; i < flow_count; i++) {
		if (!flows[i].connected)
			die("port %u: not connected in time", flows[i].dport);
		printf("%s %u %llu %llu\n", flows[i].tcp ? "tcp" : "udp",
		       flows[i].dport, (unsigned long long)flows[i].writes,
		       (unsigned long long)flows[i].bytes);
	}
	return 0;
}

static void open_sink(struct sink *sink)
{
	struct sockaddr_in6 any = { .sin6_family = AF_INET6,
				    .sin6_port = htons((uint16_t)sink->port) };

	sink->fd = socket(AF_INET6,
			  (sink->tcp ? SOCK_STREAM : SOCK_DGRAM) |
				  SOCK_NONBLOCK | SOCK_CLOEXEC,
			  0);
	if (sink->fd < 0)
		die("socket: %s", strerror(errno));
	option(sink->fd, SOL_SOCKET, SO_REUSEADDR, 1);
	option(sink->fd, SOL_SOCKET, SO_RCVBUF, 4 << 20);
	option(sink->fd, IPPROTO_IPV6, IPV6_V6ONLY, 0);
	if (sink->mark)
		option(sink->fd, SOL_SOCKET, SO_MARK, (int)sink->mark);
	if (bind(sink->fd, (struct sockaddr *)&any, sizeof(any)) < 0 ||
	    (sink->tcp && listen(sink->fd, 64) < 0))
		die("port %u: %s", sink->port, strerror(errno));
	sink->listening = sink->tcp;
}

static void add_sink(char *text)
{
	struct sink *sink = &sinks[sink_count];
	char *save = NULL, *word = strtok_r(text, ":", &save);

	if (sink_count == MAX)
		die("more than %d places", MAX);
	*sink = (struct sink){ .place = sink_count };
	sink_count++;
	if (!word || (strcmp(word, "udp") && strcmp(word, "tcp") &&
		      strcmp(word, "http")))
		die("a place begins with udp, tcp or http");
	sink->tcp = strcmp(word, "udp") != 0;
	sink->waits = !strcmp(word, "http");
	word = strtok_r(NULL, ":", &save);
	sink->port = word ? (unsigned)number(word) : 0;
	word = strtok_r(NULL, ":", &save);
	sink->reply = word ? number(word) : 0;
	word = strtok_r(NULL, ":", &save);
	sink->mark = word ? (unsigned)number(word) : 0;
	open_sink(sink);
}

static void accept_one(size_t place)
{
	int fd = accept4(sinks[place].fd, NULL, NULL,
			 SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd < 0)
		return;
	if (sink_count == MAX) {
		close(fd);
		return;
	}
	option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
	sinks[sink_count++] = (struct sink){ .fd = fd,
					     .tcp = true,
					     .waits = sinks[place].waits,
					     .reply = sinks[place].reply,
					     .place = place };
}

/* Sends what is left of a server's answer, and then closes that side. */
static void reply(struct sink *sink)
{
	while (sink->reply) {
		size_t size = sink->reply < 1000 ? sink->reply : 1000;
		ssize_t sent = send(sink->fd, buffer, size, MSG_NOSIGNAL);

		if (sent < 0 && errno != EAGAIN)
			sink->reply = 0;
		if (sent <= 0)
			return;
		sink->reply -= (uint64_t)sent;
	}
	shutdown(sink->fd, SHUT_WR);
}

static void receive(struct sink *sink)
{
	ssize_t got;

	while ((got = recv(sink->fd, buffer, BUFFER, 0)) > 0 ||
	       (got == 0 && !sink->tcp)) {
		if (got >= 4 && !memcmp(buffer + got - 4, "\r\n\r\n", 4))
			sink->waits = false;
		sinks[sink->place].packets++;
		sinks[sink->place].bytes += (uint64_t)got;
	}
	if (sink->tcp && (got == 0 || errno != EAGAIN))
		sink->deaf = true;
}

static short events_of(const struct sink *sink)
{
	if (sink->listening || sink->waits || !sink->reply)
		return POLLIN;
	return sink->deaf ? POLLOUT : POLLIN | POLLOUT;
}

static void sink_round(void)
{
	struct pollfd polls[MAX];
	size_t count = sink_count;

	for (size_t i = 0; i < count; i++)
		polls[i] =
			(struct pollfd){ sinks[i].fd, events_of(&sinks[i]), 0 };
	if (poll(polls, count, 100) <= 0)
		return;
	for (size_t i = 0; i < count; i++) {
		if (!polls[i].revents)
			continue;
		if (sinks[i].listening) {
			accept_one(i);
			continue;
		}
		if (sinks[i].tcp && sinks[i].reply && !sinks[i].waits)
			reply(&sinks[i]);
		if (!sinks[i].deaf)
			receive(&sinks[i]);
		if (sinks[i].deaf && !sinks[i].reply) {
			close(sinks[i].fd);
			sinks[i].fd = -1;
		}
	}
}

static int run_sink(uint64_t end, size_t places)
{
	puts("ready");
	fflush(stdout);
	while (!ended && now_ns() < end)
		sink_round();
	for (size_t i = 0; i < places; i++)
		printf("%s %u %llu %llu\n", sinks[i].tcp ? "tcp" : "udp",
		       sinks[i].port, (unsigned long long)sinks[i].packets,
		       (unsigned long long)sinks[i].bytes);
	return 0;
}

int main(int argc, char **argv)
{
	struct sigaction action = { .sa_handler = on_signal };
	uint64_t end;
	bool sends;

	if (argc < 4 || (strcmp(argv[1], "send") && strcmp(argv[1], "sink")))
		die("send SECONDS FLOW... or sink SECONDS PLACE...");
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	sends = !strcmp(argv[1], "send");
	end = now_ns() + number(argv[2]) * 1000000000;
	for (int i = 3; i < argc; i++) {
		if (sends)
			add_flow(argv[i]);
		else
			add_sink(argv[i]);
	}
	return sends ? run_send(end) : run_sink(end, sink_count);
}
