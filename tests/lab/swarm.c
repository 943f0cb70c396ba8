/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * swarm - many clients of one tunnel server, in one process: each with a key, a
 * socket, a session and a braid of its own, all of them the engine's.
 *
 *   swarm peers COUNT        a batch that makes them, for /links/NAME/peers
 *   swarm run COUNT SERVER PORT KEY [HOSTS]
 *   swarm echo PORT          answers UDP, at the other side of the tunnel
 *
 * Client n has the inner address 10.80.0.0 + 1 + n, and sends from 10.64.0.0 +
 * 1 + n, or from one of so many HOSTS (behind one address translator are many).
 * The swarm's host needs 10.64.0.0/14 as a local route; the server one to it.
 *
 * It says "up N" whenever the number of clients that have a live session has
 * changed, and obeys lines:
 *
 *   talk FLOWS BYTES         each sends a datagram of each flow to the server's
 *                            side; "heard N" when that many clients have all of
 *                            their answers, at most every 100 ms
 *   figures                  "figures UP DATAGRAMS-IN DATAGRAMS-OUT"
 *   keepalives SECONDS       "keepalives LEAST MOST": datagrams out in the
 *                            quietest and the busiest tenth of that time
 *   end                      they are gone, without a word
 */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "backends/engine/braid.h"
#include "backends/engine/handshake.h"
#include "backends/engine/packet.h"
#include "model/base/crypto.h"

enum {
	INNER = 10 << 24 | 80 << 16,
	OUTER = 10 << 24 | 64 << 16,
	GATEWAY = 10 << 24 | 77 << 16 | 1,
	ECHO_PORT = 7,
	FLOW_PORT = 20000,
	FLOWS = 64,
	HEADERS = 28, /* IPv4 and UDP */
	LARGEST = 1200,
	SLICES = 10,
	SAY_US = 100000,
	TURNS = 64, /* at a time, so that what comes in does not wait for them
		     */
	NEVER_CAME_US = 3000000, /* as of the engine (hub_send.c) */
};

struct client {
	unsigned number;
	int fd;
	struct handshake *handshake;
	struct handshake_peer *peer;
	struct braid *braid;
	uint32_t era;
	uint64_t answers; /* a bit a flow */
	uint64_t wanted;
	bool up;
};

static struct client *clients;
static uint64_t *turns; /* when each wants one */
static unsigned count, up, up_said, heard, heard_said;
static uint64_t said_at, sent, received;
static uint64_t sliced[SLICES], slice_from, slice_us; /* 0: not counting */
static struct sockaddr_in server;
static unsigned hosts;

static void must(bool holds, const char *what)
{
	if (holds)
		return;
	perror(what);
	exit(1);
}

static uint64_t clock_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/* --- who they are --------------------------------------------------------- */

/* Keys for tests: whoever knows the number has them. */
static void secret_of(unsigned number, uint8_t secret[NOISE_KEY])
{
	noise_digest("swarm", 5, &number, sizeof(number), secret);
	noise_clamp(secret);
}

static int say_peers(unsigned many)
{
	uint8_t secret[NOISE_KEY], public[NOISE_KEY];

	for (unsigned i = 0; i < many; i++) {
		struct in_addr at = { htonl(INNER + 1 + i) };
		char text[CRYPTO_TEXT];

		secret_of(i, secret);
		noise_public(secret, public);
		crypto_print_key(public, text);
		printf("create c%u key=%s address=%s\n", i, text,
		       inet_ntoa(at));
	}
	return 0;
}

/* --- datagrams ------------------------------------------------------------ */

static void send_datagram(struct client *client, const uint8_t *datagram,
			  size_t size)
{
	uint64_t slice = slice_us ? (clock_us() - slice_from) / slice_us : 0;

	sent++;
	if (slice_us && slice < SLICES)
		sliced[slice]++;
	/* A line may lose it. */
	if (send(client->fd, datagram, size, 0) < 0)
		return;
}

static bool send_payload(struct client *client, struct braid_sent *note,
			 const uint8_t *payload, uint64_t now)
{
	struct session *session = handshake_session(client->peer);
	uint8_t datagram[65536];
	struct session_run run = { .lane = note->lane,
				   .datagrams = datagram,
				   .stride = sizeof(datagram),
				   .size = (size_t)WIRE_INNER + note->size,
				   .count = 1 };
	struct wire_inner inner = { wire_time(now), note->flags, note->bucket,
				    note->seq };

	note->count = 1;
	note->last = note->size;
	wire_put_inner(datagram + WIRE_HEADER, &inner);
	memcpy(datagram + WIRE_HEADER + WIRE_INNER, payload, note->size);
	if (!session_seal(session, &run, now, &note->counter))
		return false;
	send_datagram(client, datagram, WIRE_OVERHEAD + note->size);
	braid_sent(client->braid, note, now);
	return true;
}

static void send_control(struct client *client, uint64_t now)
{
	struct braid_sent note = { .flags = WIRE_CONTROL };
	uint8_t payload[65536];

	while ((note.size = (uint16_t)braid_control(client->braid, payload,
						    65000, now, &note.lane)))
		if (!send_payload(client, &note, payload, now))
			return;
}

/* A flow of UDP to the server's side; its number is in the port. */
static size_t make_packet(const struct client *client, unsigned flow,
			  size_t bytes, uint8_t packet[LARGEST])
{
	uint32_t from = htonl(INNER + 1 + client->number);
	uint32_t to = htonl(GATEWAY);
	size_t size = HEADERS + bytes;

	memset(packet, 0, size);
	packet[0] = 0x45;
	packet[2] = (uint8_t)(size >> 8);
	packet[3] = (uint8_t)size;
	packet[8] = 64;
	packet[9] = IPPROTO_UDP;
	memcpy(packet + 12, &from, 4);
	memcpy(packet + 16, &to, 4);
	packet[20] = (uint8_t)((FLOW_PORT + flow) >> 8);
	packet[21] = (uint8_t)(FLOW_PORT + flow);
	packet[23] = ECHO_PORT;
	packet[24] = (uint8_t)((bytes + 8) >> 8);
	packet[25] = (uint8_t)(bytes + 8);
	packet_ip4_sum(packet, 20);
	return size;
}

static void talk_one(struct client *client, unsigned flow, size_t bytes,
		     uint64_t now)
{
	struct braid_flow wish = { 0 };
	struct packet_info info;
	struct braid_plan plan;
	struct braid_sent note;
	uint8_t packet[LARGEST];

	wish.size = (uint16_t)make_packet(client, flow, bytes, packet);
	packet_parse(packet, wish.size, false, &info);
	wish.bucket = (uint16_t)(info.flow % WIRE_BUCKET_ANY);
	wish.waiting = wish.size;
	wish.flows = 1;
	if (braid_plan(client->braid, &wish, 1, now, &plan) <= 0)
		return;
	note = (struct braid_sent){ .lane = plan.lane,
				    .flags = plan.flags,
				    .size = wish.size,
				    .bucket = plan.bucket,
				    .seq = plan.seq };
	send_payload(client, &note, packet, now);
}

/* --- a client's turn ------------------------------------------------------ */

static void note_up(struct client *client)
{
	bool is = handshake_session(client->peer) && client->braid &&
		  braid_is_alive(client->braid);

	if (is == client->up)
		return;
	client->up = is;
	up += is ? 1 : -1U;
}

static void deliver(void *context, const uint8_t *packet, size_t size,
		    uint8_t flags)
{
	struct client *client = context;
	unsigned flow;

	(void)flags;
	if (size < HEADERS || packet[9] != IPPROTO_UDP)
		return;
	flow = (packet[22] << 8 | packet[23]) - FLOW_PORT;
	if (flow >= FLOWS || client->answers == client->wanted)
		return;
	client->answers |= 1ULL << flow & client->wanted;
	heard += client->answers == client->wanted;
}

static void ready(struct client *client, uint64_t now)
{
	struct braid_config config = { .deliver = deliver,
				       .context = client,
				       .hold_packets = 64,
				       .beat = (uint32_t)now | 1 };
	struct braid_lane_config lane = { .mtu = 1440, .line = 1 };
	uint32_t era = session_era(handshake_session(client->peer));

	if (!client->braid) {
		client->braid = braid_new(&config);
		braid_lane_add(client->braid, 0, &lane, now);
	} else if (era != client->era) {
		braid_restart(client->braid, now);
	}
	client->era = era;
}

/* Keys, and nothing came by them. */
static void call_again(struct client *client, uint64_t now)
{
	const struct session *session = handshake_session(client->peer);

	if (!braid_is_alive(client->braid) &&
	    session_since(session) + NEVER_CAME_US <= now &&
	    !handshake_is_calling(client->peer))
		handshake_start(client->handshake, client->peer, now);
}

static void work(struct client *client, uint64_t now)
{
	struct braid_again again;
	struct braid_event event;
	uint64_t next = handshake_timer(client->handshake, now);

	turns[client->number] = next;
	if (!handshake_session(client->peer) || !client->braid) {
		note_up(client);
		return;
	}
	if (braid_next(client->braid) <= now)
		braid_timer(client->braid, now);
	while (braid_resend(client->braid, now, &again) > 0)
		braid_gone(client->braid, &again);
	send_control(client, now);
	while (braid_event(client->braid, &event))
		if (event.what == BRAID_PEER_GONE)
			handshake_start(client->handshake, client->peer, now);
	call_again(client, now);
	note_up(client);
	/* What was just begun is due at once. */
	next = handshake_timer(client->handshake, now);
	if (braid_next(client->braid) < next)
		next = braid_next(client->braid);
	turns[client->number] = next;
}

static void take_transport(struct client *client, uint8_t *datagram,
			   size_t size, const struct handshake_source *from,
			   uint64_t now)
{
	struct session_packet packet;
	struct session *session;
	struct braid_received in = { 0 };

	if (handshake_open(client->handshake, datagram, size, from, now,
			   &session, &packet) != REFUSED_NOT ||
	    packet.size < WIRE_INNER || !client->braid ||
	    session_era(session) != client->era)
		return;
	in.lane = packet.lane;
	in.counter = packet.counter;
	in.size = (uint16_t)(packet.size - WIRE_INNER);
	wire_get_inner(packet.plain, &in.inner);
	braid_received(client->braid, &in, now);
	if (in.inner.flags & WIRE_CONTROL)
		braid_read(client->braid, in.lane, packet.plain + WIRE_INNER,
			   in.size, now);
	else if (in.size)
		braid_order(client->braid, &in, packet.plain + WIRE_INNER, now);
}

static void receive(struct client *client)
{
	struct handshake_source from = { .size = 1 };
	uint8_t datagram[65536];
	uint64_t now = clock_us();
	ssize_t size;

	while ((size = recv(client->fd, datagram, sizeof(datagram),
			    MSG_DONTWAIT)) > 0) {
		received++;
		if (datagram[0] == WIRE_TRANSPORT)
			take_transport(client, datagram, (size_t)size, &from,
				       now);
		else
			handshake_input(client->handshake, datagram,
					(size_t)size, &from, now);
	}
	work(client, now);
}

/* --- the handshake's wishes ----------------------------------------------- */

static void ops_send(void *owner, struct handshake_peer *peer,
		     const struct handshake_source *to, const uint8_t *datagram,
		     size_t size)
{
	(void)peer;
	(void)to;
	send_datagram(owner, datagram, size);
}

static void ops_event(void *owner, struct handshake_peer *peer,
		      enum handshake_event event,
		      const struct handshake_source *from)
{
	struct client *client = owner;

	(void)from;
	if (event == HANDSHAKE_ESTABLISHED)
		ready(client, clock_us());
	else if (event == HANDSHAKE_LOST)
		handshake_start(client->handshake, peer, clock_us());
}

static const struct handshake_ops ops = { .send = ops_send,
					  .event = ops_event };

/* --- the swarm ------------------------------------------------------------ */

static void begin(struct client *client, unsigned number,
		  const uint8_t key[NOISE_KEY], int epoll)
{
	struct sockaddr_in own = { .sin_family = AF_INET };
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = client };
	uint8_t secret[NOISE_KEY];

	own.sin_addr.s_addr = htonl(OUTER + 1 + number % hosts);
	client->number = number;
	client->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	must(client->fd >= 0, "socket");
	must(!bind(client->fd, (struct sockaddr *)&own, sizeof(own)), "bind");
	must(!connect(client->fd, (struct sockaddr *)&server, sizeof(server)),
	     "connect");
	must(!epoll_ctl(epoll, EPOLL_CTL_ADD, client->fd, &event), "epoll");
	secret_of(number, secret);
	client->handshake = handshake_new(secret, &ops, client);
	client->peer = handshake_add(client->handshake, key, NULL, client);
	must(client->peer, "key");
	handshake_start(client->handshake, client->peer, clock_us());
	work(client, clock_us());
}

static void talk(unsigned flows, size_t bytes)
{
	uint64_t now;

	flows = flows < FLOWS ? flows : FLOWS;
	bytes = bytes < LARGEST - HEADERS ? bytes : LARGEST - HEADERS;
	heard = heard_said = 0;
	for (unsigned i = 0; i < count; i++) {
		struct client *client = &clients[i];

		client->answers = 0;
		client->wanted = flows == 64 ? ~0ULL : (1ULL << flows) - 1;
		now = clock_us();
		for (unsigned flow = 0; flow < flows && client->up; flow++)
			talk_one(client, flow, bytes, now);
		receive(client); /* its answers, so that no buffer overflows */
	}
}

static void say(uint64_t now)
{
	if (now - said_at < SAY_US)
		return;
	said_at = now;
	if (up != up_said)
		printf("up %u\n", up);
	if (heard != heard_said)
		printf("heard %u\n", heard);
	up_said = up;
	heard_said = heard;
}

static void say_keepalives(uint64_t now)
{
	uint64_t least = UINT64_MAX, most = 0;

	if (!slice_us || now < slice_from + SLICES * slice_us)
		return;
	for (int i = 0; i < SLICES; i++) {
		least = sliced[i] < least ? sliced[i] : least;
		most = sliced[i] > most ? sliced[i] : most;
	}
	printf("keepalives %lu %lu\n", least, most);
	slice_us = 0;
}

static void obey(const char *line)
{
	unsigned a, b;

	if (!strcmp(line, "end"))
		exit(0);
	if (sscanf(line, "talk %u %u", &a, &b) == 2) {
		talk(a, b);
	} else if (!strncmp(line, "figures", 7)) {
		printf("figures %u %lu %lu\n", up, received, sent);
	} else if (sscanf(line, "keepalives %u", &a) == 1) {
		memset(sliced, 0, sizeof(sliced));
		slice_from = clock_us();
		slice_us = a * 1000000ULL / SLICES;
	}
}

static bool listen_to(int fd)
{
	static char line[256];
	static size_t size;
	ssize_t got = read(fd, line + size, sizeof(line) - 1 - size);
	char *end;

	if (got <= 0)
		return false;
	size += (size_t)got;
	line[size] = '\0';
	while ((end = strchr(line, '\n'))) {
		*end = '\0';
		obey(line);
		size -= (size_t)(end + 1 - line);
		memmove(line, end + 1, size + 1);
	}
	return size < sizeof(line) - 1;
}

/* Those whose turn it is, the next ones each time, and when the next is. Each
 * of so many would have a processor of its own: what it does late, it has not
 * done. */
static uint64_t turn(uint64_t now)
{
	static unsigned last;
	uint64_t next = now + SAY_US;
	unsigned done = 0;

	for (unsigned i = 0; i < count; i++) {
		unsigned who = (last + 1 + i) % count;

		if (turns[who] <= now && done < TURNS) {
			done++;
			work(&clients[who], clock_us());
			last = who;
		}
		if (turns[who] < next)
			next = turns[who];
	}
	say(now);
	say_keepalives(now);
	return next;
}

static int run(const uint8_t key[NOISE_KEY])
{
	struct rlimit files = { count + 64, count + 64 };
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	struct epoll_event events[256] = { { .events = EPOLLIN } };

	must(!setrlimit(RLIMIT_NOFILE, &files), "files");
	must(!epoll_ctl(epoll, EPOLL_CTL_ADD, 0, events), "epoll");
	setvbuf(stdout, NULL, _IOLBF, 0);
	clients = mem_array(count, sizeof(*clients));
	turns = mem_array(count, sizeof(*turns));
	for (unsigned i = 0; i < count; i++)
		begin(&clients[i], i, key, epoll);
	for (;;) {
		uint64_t now = clock_us(), next = turn(now);
		int wait = next > now ? (int)((next - now) / 1000 + 1) : 0;
		int ready_count = epoll_wait(epoll, events, 256, wait);

		for (int i = 0; i < ready_count; i++)
			if (events[i].data.ptr)
				receive(events[i].data.ptr);
			else if (!listen_to(0))
				return 0;
	}
}

static int echo(uint16_t port)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_port = htons(port) };
	int fd = socket(AF_INET, SOCK_DGRAM, 0), room = 16 << 20;
	socklen_t size = sizeof(at);
	uint8_t packet[65536];
	ssize_t got;

	must(!bind(fd, (struct sockaddr *)&at, size), "bind");
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room));
	puts("ready");
	fflush(stdout);
	while ((got = recvfrom(fd, packet, sizeof(packet), 0,
			       (struct sockaddr *)&at, &size)) >= 0)
		if (sendto(fd, packet, (size_t)got, 0, (struct sockaddr *)&at,
			   size) < 0)
			continue;
	return 0;
}

int main(int argc, char **argv)
{
	uint8_t key[NOISE_KEY];

	if (argc == 3 && !strcmp(argv[1], "peers"))
		return say_peers((unsigned)atoi(argv[2]));
	if (argc == 3 && !strcmp(argv[1], "echo"))
		return echo((uint16_t)atoi(argv[2]));
	if (argc < 6 || strcmp(argv[1], "run") != 0 ||
	    !inet_aton(argv[3], &server.sin_addr) ||
	    !crypto_read_key(argv[5], key))
		return 2;
	count = (unsigned)atoi(argv[2]);
	server.sin_family = AF_INET;
	server.sin_port = htons((uint16_t)atoi(argv[4]));
	hosts = argc > 6 ? (unsigned)atoi(argv[6]) : count;
	return run(key);
}
