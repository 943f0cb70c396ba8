/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * relay.c - bad lines for the tests: joins pairs of devices by AF_PACKET and
 * makes what passes slow, late, and lossy. This kernel has no netem.
 *
 *     relay a1:b1 a2:b2 <commands
 *
 *     1 rate=50mbit queue=50ms delay=10ms loss=1%      both ways
 *     1> rate=10mbit                                   from a1 to b1 only
 *     2 hole=1                                         nothing passes
 *     show                                             counters, on stdout
 *
 * Each way: arrival -> drop-tail queue at `rate` -> loss -> delay (+ jitter) ->
 * out. Times are reckoned from the kernel's stamp of the arrival, so a late
 * wake-up is not added to the delay. queue is a time at the rate it was set
 * with. burst=2%/10 loses ten frames at a time. Order is kept.
 *
 * Sums that the sending kernel left unfinished are handed on as they are
 * (PACKET_VNET_HDR, packet(7)); frames that it left uncut are dropped and
 * counted: turn tso, gso and tx-udp-segmentation off on the outer ends.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <linux/virtio_net.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum {
	LINES = 8,
	FRAME = 2048,	/* room of one: MTU 1500 and a bit */
	FRAMES = 16384, /* that are under way on one line, one way */
	BUNCH = 32,
};

struct frame {
	int64_t due;   /* ns, wall clock */
	uint16_t size; /* with the vnet header */
	uint8_t bytes[FRAME - 10];
};

struct way {
	int from, to; /* sockets */
	char name[40];
	double rate;	       /* bit/s; 0: any */
	double queue_bytes;    /* 0: any */
	int64_t delay, jitter; /* ns */
	double loss, burst;    /* share */
	unsigned burst_size, burst_left;
	bool hole;
	int64_t busy; /* until then the line sends what came before */
	int64_t last; /* due time of the last frame */
	struct frame *frames;
	unsigned head, tail;
	uint64_t passed, bytes, full, lost, oversize, room;
};

static struct way ways[LINES * 2];
static unsigned way_count;

static int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static double chance(void)
{
	return drand48();
}

static void die(const char *what)
{
	perror(what);
	exit(1);
}

/* --- devices -------------------------------------------------------------- */

static int open_device(const char *name)
{
	struct sockaddr_ll address = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ALL),
		.sll_ifindex = (int)if_nametoindex(name),
	};
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int one = 1, size = 16 << 20;

	if (fd < 0 || !address.sll_ifindex)
		die(name);
	setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &one, sizeof(one));
	setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &one, sizeof(one));
	setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof(one));
	setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &one, sizeof(one));
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size));
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		die(name);
	return fd;
}

static void add_way(int from, int to, const char *a, const char *b)
{
	struct way *way = &ways[way_count++];

	way->from = from;
	way->to = to;
	snprintf(way->name, sizeof(way->name), "%.16s>%.16s", a, b);
	way->frames = mmap(NULL, FRAMES * sizeof(struct frame),
			   PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			   -1, 0);
	if (way->frames == MAP_FAILED)
		die("memory");
}

static void add_line(char *pair)
{
	char *colon = strchr(pair, ':');
	int a, b;

	if (!colon || way_count >= LINES * 2) {
		fprintf(stderr, "relay: %s: is no DEVICE:DEVICE\n", pair);
		exit(2);
	}
	*colon = '\0';
	a = open_device(pair);
	b = open_device(colon + 1);
	add_way(a, b, pair, colon + 1);
	add_way(b, a, colon + 1, pair);
}

/* --- commands ------------------------------------------------------------- */

static double number(const char *text, const char *const *units,
		     const double *scales)
{
	char *end;
	double value = strtod(text, &end);

	for (int i = 0; units[i]; i++)
		if (!strcmp(end, units[i]))
			return value * scales[i];
	return value;
}

static double rate_of(const char *text)
{
	static const char *const units[] = { "kbit", "mbit", "gbit", NULL };
	static const double scales[] = { 1e3, 1e6, 1e9 };

	return number(text, units, scales);
}

static double ns_of(const char *text)
{
	static const char *const units[] = { "us", "ms", "s", NULL };
	static const double scales[] = { 1e3, 1e6, 1e9 };

	return number(text, units, scales);
}

static void set(struct way *way, const char *key, const char *value)
{
	if (!strcmp(key, "rate"))
		way->rate = rate_of(value);
	else if (!strcmp(key, "queue"))
		way->queue_bytes = ns_of(value) / 1e9 * way->rate / 8;
	else if (!strcmp(key, "delay"))
		way->delay = (int64_t)ns_of(value);
	else if (!strcmp(key, "jitter"))
		way->jitter = (int64_t)ns_of(value);
	else if (!strcmp(key, "loss"))
		way->loss = strtod(value, NULL) / 100;
	else if (!strcmp(key, "hole"))
		way->hole = atoi(value);
	else if (!strcmp(key, "burst")) {
		const char *slash = strchr(value, '/');

		way->burst = strtod(value, NULL) / 100;
		way->burst_size = slash ? (unsigned)atoi(slash + 1) : 10;
	} else {
		fprintf(stderr, "relay: %s: not known\n", key);
	}
}

static void show(void)
{
	for (unsigned i = 0; i < way_count; i++) {
		const struct way *way = &ways[i];

		printf("%s passed %llu bytes %llu full %llu lost %llu "
		       "oversize %llu room %llu\n",
		       way->name, (unsigned long long)way->passed,
		       (unsigned long long)way->bytes,
		       (unsigned long long)way->full,
		       (unsigned long long)way->lost,
		       (unsigned long long)way->oversize,
		       (unsigned long long)way->room);
	}
	fflush(stdout);
}

static void command(char *line)
{
	char *rest, *word = strtok_r(line, " \n", &rest);
	unsigned from, to, which;

	if (!word)
		return;
	if (!strcmp(word, "show")) {
		show();
		return;
	}
	which = (unsigned)atoi(word) * 2;
	if (which < 2 || which > way_count)
		return;
	from = strchr(word, '<') ? which - 1 : which - 2;
	to = strchr(word, '>') ? which - 2 : which - 1;
	while ((word = strtok_r(NULL, " \n", &rest))) {
		char *value = strchr(word, '=');

		if (!value)
			continue;
		*value++ = '\0';
		for (unsigned i = from; i <= to; i++)
			set(&ways[i], word, value);
	}
}

/* false: nobody is left who could say anything. */
static bool commands(void)
{
	static char text[4096];
	static size_t used;
	ssize_t got = read(0, text + used, sizeof(text) - used - 1);
	char *end;

	if (got <= 0)
		return got < 0 && errno == EAGAIN;
	used += (size_t)got;
	text[used] = '\0';
	while ((end = strchr(text, '\n'))) {
		*end = '\0';
		command(text);
		used -= (size_t)(end + 1 - text);
		memmove(text, end + 1, used + 1);
	}
	return true;
}

/* --- frames --------------------------------------------------------------- */

static bool strikes(struct way *way)
{
	if (way->burst_left) {
		way->burst_left--;
		return true;
	}
	if (way->burst > 0 && chance() < way->burst / way->burst_size) {
		way->burst_left = way->burst_size - 1;
		return true;
	}
	return way->loss > 0 && chance() < way->loss;
}

/* When it is out at the other end; -1: never. */
static int64_t travel(struct way *way, size_t size, int64_t at)
{
	int64_t start = way->busy > at ? way->busy : at, due;

	if (way->rate > 0 && way->queue_bytes > 0 &&
	    (double)(start - at) / 8e9 * way->rate + (double)size >
		    way->queue_bytes) {
		way->full++;
		return -1;
	}
	if (way->rate > 0)
		start += (int64_t)((double)size * 8e9 / way->rate);
	way->busy = start;
	if (way->hole || strikes(way)) {
		way->lost++;
		return -1;
	}
	due = start + way->delay;
	if (way->jitter)
		due += (int64_t)((chance() * 2 - 1) * (double)way->jitter);
	if (due < way->last)
		due = way->last;
	return way->last = due;
}

static void take(struct way *way, const uint8_t *bytes, size_t size, int64_t at)
{
	const struct virtio_net_hdr *vnet = (const void *)bytes;
	struct frame *frame = &way->frames[way->tail % FRAMES];
	int64_t due;

	if (size <= sizeof(*vnet))
		return;
	if (vnet->gso_type != VIRTIO_NET_HDR_GSO_NONE ||
	    size > sizeof(frame->bytes)) {
		way->oversize++;
		return;
	}
	due = travel(way, size - sizeof(*vnet), at);
	if (due < 0)
		return;
	if (way->tail - way->head == FRAMES) {
		way->room++;
		return;
	}
	frame->due = due;
	frame->size = (uint16_t)size;
	memcpy(frame->bytes, bytes, size);
	way->tail++;
}

static int64_t stamp_of(struct msghdr *message, int64_t now)
{
	struct cmsghdr *at = CMSG_FIRSTHDR(message);
	struct timespec stamp;

	if (!at || at->cmsg_level != SOL_SOCKET ||
	    at->cmsg_type != SCM_TIMESTAMPNS)
		return now;
	memcpy(&stamp, CMSG_DATA(at), sizeof(stamp));
	return stamp.tv_sec * 1000000000LL + stamp.tv_nsec;
}

static void receive(struct way *way)
{
	static uint8_t bytes[BUNCH][4096], control[BUNCH][128];
	struct mmsghdr messages[BUNCH] = { 0 };
	struct iovec parts[BUNCH];
	int64_t now;
	int got;

	for (int i = 0; i < BUNCH; i++) {
		parts[i] = (struct iovec){ bytes[i], sizeof(bytes[i]) };
		messages[i].msg_hdr = (struct msghdr){
			.msg_iov = &parts[i],
			.msg_iovlen = 1,
			.msg_control = control[i],
			.msg_controllen = sizeof(control[i]),
		};
	}
	got = recvmmsg(way->from, messages, BUNCH, MSG_DONTWAIT, NULL);
	now = now_ns();
	for (int i = 0; i < got; i++)
		take(way, bytes[i], messages[i].msg_len,
		     stamp_of(&messages[i].msg_hdr, now));
}

/* Sends what is due; when the next one is. */
static int64_t deliver(struct way *way, int64_t now)
{
	struct mmsghdr messages[BUNCH] = { 0 };
	struct iovec parts[BUNCH];

	for (;;) {
		unsigned count = 0;

		while (count < BUNCH && way->head + count != way->tail) {
			struct frame *frame =
				&way->frames[(way->head + count) % FRAMES];

			if (frame->due > now)
				break;
			parts[count] =
				(struct iovec){ frame->bytes, frame->size };
			messages[count].msg_hdr =
				(struct msghdr){ .msg_iov = &parts[count],
						 .msg_iovlen = 1 };
			way->passed++;
			way->bytes += frame->size;
			count++;
		}
		if (!count)
			break;
		sendmmsg(way->to, messages, count, MSG_DONTWAIT);
		way->head += count;
	}
	return way->head == way->tail ? INT64_MAX
				      : way->frames[way->head % FRAMES].due;
}

int main(int argc, char **argv)
{
	struct pollfd fds[LINES * 2 + 1] = { { .fd = 0, .events = POLLIN } };
	struct sched_param soon = { .sched_priority = 10 };

	for (int i = 1; i < argc; i++)
		add_line(argv[i]);
	srand48(getpid());
	sched_setscheduler(0, SCHED_FIFO, &soon);
	signal(SIGPIPE, SIG_IGN);
	fcntl(0, F_SETFL, O_NONBLOCK);
	for (unsigned i = 0; i < way_count; i++)
		fds[i + 1] =
			(struct pollfd){ .fd = ways[i].from, .events = POLLIN };
	for (;;) {
		int64_t now = now_ns(), next = INT64_MAX;
		struct timespec wait;

		for (unsigned i = 0; i < way_count; i++) {
			int64_t due = deliver(&ways[i], now);

			next = due < next ? due : next;
		}
		now = now_ns();
		next = next == INT64_MAX ? 1000000000
		       : next > now	 ? next - now
					 : 0;
		wait = (struct timespec){ next / 1000000000,
					  next % 1000000000 };
		if (ppoll(fds, way_count + 1, &wait, NULL) <= 0)
			continue;
		if (fds[0].revents && !commands())
			return 0;
		for (unsigned i = 0; i < way_count; i++)
			if (fds[i + 1].revents)
				receive(&ways[i]);
	}
}
