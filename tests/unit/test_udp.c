/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/engine/udp.h"

#include <poll.h>
#include <seccomp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "backends/engine/wire.h"
#include "tests/unit/unit.h"

/* SHARE sockets for transport, and the doors. */
enum { SHARE = 3, DOOR = SHARE, SOCKETS = SHARE + UDP_DOORS, SIZE = 64 };

/* Which socket a datagram of that sender with these first bytes comes to; -1:
 * none. */
static int comes_from(struct udp **sockets, int count, struct udp_room *room,
		      const char *sender, const uint8_t *head, size_t size)
{
	struct udp_options options = { .port = 0 };
	AUTO(udp) struct udp *from = NULL;
	struct pollfd fds[SOCKETS];
	const struct udp_run *runs;
	uint8_t bytes[SIZE] = { 0 };
	struct address to;
	size_t sent;

	memcpy(bytes, head, size < 3 ? size : 3);
	address_parse(sender, 0, &to, NULL);
	options.source = to.far.sin6_addr;
	from = udp_open(&options, NULL);
	address_parse(strchr(sender, ':') ? "::1" : "127.0.0.1",
		      udp_port(sockets[0]), &to, NULL);
	if (!from || udp_send(from, &to, bytes, size, size, &sent) < 0)
		return -1;
	for (int i = 0; i < count; i++)
		fds[i] = (struct pollfd){ .fd = udp_fd(sockets[i]),
					  .events = POLLIN };
	if (poll(fds, (nfds_t)count, 1000) != 1)
		return -1;
	for (int i = 0; i < count; i++)
		if (fds[i].revents & POLLIN)
			return udp_receive(sockets[i], room, &runs) == 1 ? i
									 : -1;
	return -1;
}

static int comes_to(struct udp **sockets, int count, struct udp_room *room,
		    const uint8_t *head, size_t size)
{
	return comes_from(sockets, count, room, "127.0.0.1", head, size);
}

static bool share_open(struct udp **sockets)
{
	struct udp_options options = { .port = 0 };
	AUTO_ERR err = ERR_NONE;

	sockets[0] = udp_open(&options, &err);
	if (sockets[0] && udp_share(sockets, SHARE, &options, &err) == 0)
		return true;
	udp_free(sockets[0]);
	unit_skip("no group of UDP sockets here: %s", err.text);
	return false;
}

TEST(udp, of_a_port_that_is_shared_gets_what_the_index_says)
{
	struct udp *sockets[SOCKETS] = { NULL };
	struct udp_room *room = udp_room_new();

	if (share_open(sockets)) {
		static const uint8_t init[3] = { WIRE_INIT };
		int door = comes_to(sockets, SOCKETS, room, init, SIZE);

		for (unsigned low = 0; low < 256; low += 5) {
			uint8_t head[3] = { WIRE_TRANSPORT, 9, (uint8_t)low };

			CU_ASSERT_EQUAL(comes_to(sockets, SOCKETS, room, head,
						 SIZE),
					(int)wire_part(low | 0x345600, SHARE));
			head[0] = WIRE_INIT;
			CU_ASSERT_EQUAL(comes_to(sockets, SOCKETS, room, head,
						 SIZE),
					door);
		}
		CU_ASSERT_TRUE(door >= DOOR);
		for (size_t size = 1; size < 4; size++) {
			static const uint8_t head[3] = { WIRE_TRANSPORT, 0, 1 };

			CU_ASSERT_EQUAL(comes_to(sockets, SOCKETS, room, head,
						 size),
					size == 3);
		}
	}
	for (int i = 0; i < SOCKETS; i++)
		udp_free(sockets[i]);
	udp_room_free(room);
}

/* Scattered: a hash that is universal may have those in a row at few doors, and
 * with one secret of a hundred it has. */
static char *some_host(uint32_t *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return mem_printf("127.%u.%u.%u", *seed >> 24, *seed >> 16 & 255,
			  *seed >> 8 & 255);
}

TEST(udp, each_host_calls_at_a_door_of_its_own)
{
	static const uint8_t init[3] = { WIRE_INIT };
	struct udp *sockets[SOCKETS] = { NULL };
	struct udp_room *room = udp_room_new();
	int callers[SOCKETS] = { 0 }, used = 0;
	uint32_t seed = 7;

	if (share_open(sockets)) {
		for (int i = 0; i < 200; i++) {
			AUTO(str) char *host = some_host(&seed);
			int door = comes_from(sockets, SOCKETS, room, host,
					      init, SIZE);

			CU_ASSERT_FATAL(door >= DOOR);
			CU_ASSERT_EQUAL(comes_from(sockets, SOCKETS, room, host,
						   init, SIZE),
					door);
			used += !callers[door]++;
		}
		CU_ASSERT_TRUE(used >= UDP_DOORS / 2);
		CU_ASSERT_TRUE(comes_from(sockets, SOCKETS, room, "::1", init,
					  SIZE) >= DOOR);
	}
	for (int i = 0; i < SOCKETS; i++)
		udp_free(sockets[i]);
	udp_room_free(room);
}

TEST(udp, whose_port_is_shared_has_it_for_itself)
{
	struct udp *sockets[SOCKETS] = { NULL };
	struct udp_options options = { .port = 0 };
	AUTO_ERR err = ERR_NONE;

	if (!share_open(sockets))
		return;
	options.port = udp_port(sockets[0]);
	CU_ASSERT_PTR_NULL(udp_open(&options, &err));
	CU_ASSERT_EQUAL(err.code, -EADDRINUSE);
	for (int i = 0; i < SOCKETS; i++)
		udp_free(sockets[i]);
}

/* In a process of its own, whose kernel does not know the option. */
static int refused_child(int option)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	struct udp *sockets[SOCKETS] = { NULL };
	struct udp_options options = { .port = 0 };
	struct udp_room *room = udp_room_new();
	uint8_t head[3] = { WIRE_TRANSPORT, 0, 1 };
	AUTO_ERR err = ERR_NONE;

	seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOPROTOOPT),
			 SCMP_SYS(setsockopt), 1,
			 SCMP_A2(SCMP_CMP_EQ, (scmp_datum_t)option, 0));
	if (seccomp_load(filter) < 0)
		return 77;
	sockets[0] = udp_open(&options, NULL);
	if (!sockets[0] ||
	    udp_share(sockets, SHARE, &options, &err) != -ENOPROTOOPT ||
	    !strstr(err.text, "REUSEPORT"))
		return 1;
	if (sockets[1] || sockets[2] || sockets[DOOR])
		return 2;
	return comes_to(sockets, 1, room, head, SIZE) == 0 ? 0 : 3;
}

static void refused(int option)
{
	pid_t child = fork();
	int status = -1;

	if (!child)
		_exit(refused_child(option));
	CU_ASSERT_EQUAL(waitpid(child, &status, 0), child);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		unit_skip("no seccomp here");
	else
		CU_ASSERT_EQUAL(status, 0);
}

TEST(udp, that_cannot_be_steered_is_alone_as_before)
{
	refused(SO_REUSEPORT);
	refused(SO_ATTACH_REUSEPORT_CBPF);
}

static uint64_t clock_now(void)
{
	struct timespec now;

	clock_gettime(UDP_CLOCK, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/* When the next datagram came, sent now and fetched so much later. */
static uint64_t fetched_later(struct udp *to, struct udp_room *room,
			      unsigned later_us)
{
	AUTO(udp)
	struct udp *from = udp_open(&(struct udp_options){ .port = 0 }, NULL);
	struct pollfd came = { .fd = udp_fd(to), .events = POLLIN };
	const struct udp_run *runs;
	struct address address;
	size_t sent;

	address_parse("127.0.0.1", udp_port(to), &address, NULL);
	udp_send(from, &address, (const uint8_t *)"x", 1, 1, &sent);
	CU_ASSERT_EQUAL(poll(&came, 1, 1000), 1);
	usleep(later_us);
	CU_ASSERT_EQUAL(udp_receive(to, room, &runs), 1);
	return runs[0].at_us;
}

/* As after a SIGSTOP: delays are taken from it (arrival.h). */
TEST(udp, what_waited_for_long_came_when_it_came)
{
	AUTO(udp)
	struct udp *to = udp_open(&(struct udp_options){ .port = 0 }, NULL);
	struct udp_room *room = udp_room_new();
	uint64_t at, before;

	CU_ASSERT_PTR_NOT_NULL_FATAL(to);
	fetched_later(to, room, 0);
	before = clock_now();
	at = fetched_later(to, room, 1200000);
	CU_ASSERT(at + 1000 >= before);
	CU_ASSERT(at + 1200000 <= clock_now());
	udp_room_free(room);
}

/* --- bunches -------------------------------------------------------------- */

enum { BUNCH = 10, EACH = 100 };

/* How many of a bunch arrive. */
static unsigned bunch_arrives(struct udp *from, struct udp *at,
			      struct udp_room *room)
{
	struct pollfd fd = { .fd = udp_fd(at), .events = POLLIN };
	const struct udp_run *runs;
	uint8_t bytes[BUNCH * EACH] = { 0 };
	unsigned bytes_in = 0;
	struct address to;
	size_t sent;

	address_parse("127.0.0.1", udp_port(at), &to, NULL);
	if (udp_send(from, &to, bytes, sizeof(bytes), EACH, &sent) < 0 ||
	    sent != sizeof(bytes))
		return 0;
	while (bytes_in < sizeof(bytes) && poll(&fd, 1, 1000) == 1) {
		int count = udp_receive(at, room, &runs);

		for (int i = 0; i < count; i++)
			bytes_in += runs[i].size;
	}
	return bytes_in / EACH;
}

/* The kernel sends no bunch without checksums (udp_send_skb(), net/ipv4/udp.c):
 * so it refuses when a socket is told not to make them. */
static void refuse_bunches(struct udp *udp, int on)
{
	CU_ASSERT_EQUAL(setsockopt(udp_fd(udp), SOL_SOCKET, SO_NO_CHECK, &on,
				   sizeof(on)),
			0);
}

TEST(udp, bunches_that_are_refused_go_one_by_one_and_together_again_later)
{
	struct udp_options options = { .port = 0 };
	AUTO(udp) struct udp *from = udp_open(&options, NULL);
	AUTO(udp) struct udp *at = udp_open(&options, NULL);
	struct udp_room *room = udp_room_new();
	uint64_t calls;
	int bunches = 0;

	if (!from || !at || udp_segment(from) != OFFLOAD_ON) {
		unit_skip("no UDP_SEGMENT here");
		udp_room_free(room);
		return;
	}
	CU_ASSERT_EQUAL(bunch_arrives(from, at, room), BUNCH);
	CU_ASSERT_EQUAL(udp_sends(from), 1);
	refuse_bunches(from, 1);
	CU_ASSERT_EQUAL(bunch_arrives(from, at, room), BUNCH);
	CU_ASSERT_EQUAL(udp_segment(from), OFFLOAD_REFUSED);
	CU_ASSERT_EQUAL(udp_sends(from), 1 + 1 + BUNCH);
	refuse_bunches(from, 0);
	for (; udp_segment(from) != OFFLOAD_ON && bunches < 1000; bunches++)
		CU_ASSERT_EQUAL(bunch_arrives(from, at, room), BUNCH);
	CU_ASSERT_EQUAL(bunches, OFFLOAD_REST + 1);
	calls = udp_sends(from);
	CU_ASSERT_EQUAL(bunch_arrives(from, at, room), BUNCH);
	CU_ASSERT_EQUAL(udp_sends(from), calls + 1);
	udp_room_free(room);
}

/* A way that is closed refuses all: no fault of bunches. */
TEST(udp, a_way_that_is_closed_says_nothing_of_bunches)
{
	struct udp_options options = { .port = 0 };
	AUTO(udp) struct udp *from = udp_open(&options, NULL);
	uint8_t bytes[BUNCH * EACH] = { 0 };
	struct address to;
	size_t sent;

	if (!from || udp_segment(from) != OFFLOAD_ON) {
		unit_skip("no UDP_SEGMENT here");
		return;
	}
	address_parse("127.0.0.1", 0, &to, NULL); /* no port: EINVAL */
	CU_ASSERT_EQUAL(udp_send(from, &to, bytes, sizeof(bytes), EACH, &sent),
			-EINVAL);
	CU_ASSERT_EQUAL(sent, 0);
	CU_ASSERT_EQUAL(udp_segment(from), OFFLOAD_ON);
}
