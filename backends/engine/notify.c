/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/engine/notify.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int listener = -1; /* of what is told */

void notify_open(void)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	size_t length = path ? strlen(path) : 0;
	int fd;

	if (!length || length >= sizeof(name.sun_path))
		return;
	memcpy(name.sun_path, path, length);
	if (*path == '@') /* abstract: unix(7) */
		name.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	length += offsetof(struct sockaddr_un, sun_path);
	if (fd >= 0 &&
	    connect(fd, (struct sockaddr *)&name, (socklen_t)length) == 0) {
		listener = fd;
		return;
	}
	if (fd >= 0)
		close(fd);
}

void notify(const char *state)
{
	if (listener >= 0)
		send(listener, state, strlen(state), MSG_NOSIGNAL);
}
