/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * floor.c - the least that a tunnel in user space can be: what is read from a
 * tun device goes out as a datagram, and what comes in is written to it. No
 * keys, no order, nothing that is looked at. What a tunnel costs beyond this is
 * the tunnel's own; the rest is the kernel's, and the machine's.
 *
 *     floor DEVICE NEAR FAR PORT          IPv4 addresses, the same port at both
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

static bool device_open(int *fd, const char *name)
{
	struct ifreq request = { .ifr_flags = IFF_TUN | IFF_NO_PI };

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	*fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK);
	return *fd >= 0 && ioctl(*fd, TUNSETIFF, &request) == 0;
}

static bool socket_open(int *fd, const char *near, const char *far, int port)
{
	struct sockaddr_in from = { .sin_family = AF_INET,
				    .sin_port = htons((uint16_t)port) };
	struct sockaddr_in to = from;

	*fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	return *fd >= 0 && inet_pton(AF_INET, near, &from.sin_addr) == 1 &&
	       inet_pton(AF_INET, far, &to.sin_addr) == 1 &&
	       bind(*fd, (struct sockaddr *)&from, sizeof(from)) == 0 &&
	       connect(*fd, (struct sockaddr *)&to, sizeof(to)) == 0;
}

/* One packet; lost if the other side is not up yet. */
static void pass(int from, int to)
{
	static uint8_t packet[65536];
	ssize_t size = read(from, packet, sizeof(packet));

	if (size > 0 && write(to, packet, (size_t)size) < 0)
		return;
}

int main(int argc, char **argv)
{
	int device, line;

	if (argc != 5) {
		fprintf(stderr, "usage: floor DEVICE NEAR FAR PORT\n");
		return 2;
	}
	if (!device_open(&device, argv[1]) ||
	    !socket_open(&line, argv[2], argv[3], atoi(argv[4]))) {
		perror("floor");
		return 1;
	}
	for (;;) {
		struct pollfd ready[] = { { device, POLLIN, 0 },
					  { line, POLLIN, 0 } };

		if (poll(ready, 2, -1) < 0)
			continue;
		if (ready[0].revents)
			pass(device, line);
		if (ready[1].revents)
			pass(line, device);
	}
}
