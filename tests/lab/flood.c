/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * flood - what an attacker sends at a tunnel's server, at full speed.
 *
 *   flood record DEVICE FILE             the first init that goes by
 *   flood send ADDRESS PORT COUNT SECONDS KIND FILE     both at most
 *
 * KIND: replay (the recorded init as it is), random (bytes that call themselves
 * an init), short (the recorded one, cut off anywhere). Prints how many went
 * out and how many milliseconds that took.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>

enum { INIT = 216, BUNCH = 64 };

static int fail(const char *what)
{
	perror(what);
	return 1;
}

/* An init in an Ethernet frame with IPv4; NULL: it is something else. */
static const uint8_t *find_init(const uint8_t *frame, size_t size)
{
	size_t at = 14 + (size_t)(frame[14] & 15) * 4 + 8;

	if (size != at + INIT || frame[12] != 8 || frame[13] || frame[23] != 17)
		return NULL;
	return frame[at] == 1 ? frame + at : NULL;
}

static int record(const char *device, const char *path)
{
	struct sockaddr_ll name = { .sll_family = AF_PACKET,
				    .sll_protocol = htons(ETH_P_ALL),
				    .sll_ifindex =
					    (int)if_nametoindex(device) };
	int fd = socket(AF_PACKET, SOCK_RAW, htons(ETH_P_ALL));
	const uint8_t *init = NULL;
	uint8_t frame[2048];
	FILE *file;

	if (fd < 0 || bind(fd, (struct sockaddr *)&name, sizeof(name)) < 0)
		return fail(device);
	puts("ready");
	fflush(stdout);
	while (!init) {
		ssize_t size = recv(fd, frame, sizeof(frame), 0);

		if (size > 42)
			init = find_init(frame, (size_t)size);
	}
	file = fopen(path, "w");
	if (!file || fwrite(init, INIT, 1, file) != 1 || fclose(file))
		return fail(path);
	return 0;
}

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static uint8_t bytes[BUNCH][INIT];

static void prepare(const char *kind, const uint8_t init[INIT],
		    struct mmsghdr messages[BUNCH], struct iovec parts[BUNCH])
{
	for (int i = 0; i < BUNCH; i++) {
		memcpy(bytes[i], init, INIT);
		if (!strcmp(kind, "random") &&
		    getrandom(bytes[i] + 2, INIT - 2, 0) < 0)
			abort();
		parts[i] = (struct iovec){ bytes[i], INIT };
		if (!strcmp(kind, "short"))
			parts[i].iov_len = (size_t)(i * 3 + 1);
		messages[i].msg_hdr = (struct msghdr){ .msg_iov = &parts[i],
						       .msg_iovlen = 1 };
	}
}

static int send_all(const char *address, int port, long count, int seconds,
		    const char *kind, const uint8_t init[INIT])
{
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_port = htons((uint16_t)port) };
	struct mmsghdr messages[BUNCH] = { 0 };
	struct iovec parts[BUNCH];
	uint64_t began = now_ms(), end = began + (uint64_t)seconds * 1000;
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	long sent = 0;

	inet_pton(AF_INET, address, &to.sin_addr);
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0)
		return fail(address);
	prepare(kind, init, messages, parts);
	while (sent < count && now_ms() < end) {
		unsigned most =
			count - sent < BUNCH ? (unsigned)(count - sent) : BUNCH;
		int got = sendmmsg(fd, messages, most, 0);

		if (got < 0 && errno != ECONNREFUSED && errno != ENOBUFS)
			return fail("sendmmsg");
		sent += got > 0 ? got : 0;
	}
	printf("%ld %lu\n", sent, (unsigned long)(now_ms() - began));
	return 0;
}

int main(int argc, char **argv)
{
	uint8_t init[INIT];
	FILE *file;

	if (argc == 4 && !strcmp(argv[1], "record"))
		return record(argv[2], argv[3]);
	if (argc != 8 || strcmp(argv[1], "send"))
		return fputs("usage: flood record|send ...\n", stderr), 2;
	file = fopen(argv[7], "r");
	if (!file || fread(init, INIT, 1, file) != 1)
		return fail(argv[7]);
	fclose(file);
	return send_all(argv[2], atoi(argv[3]), atol(argv[4]), atoi(argv[5]),
			argv[6], init);
}
