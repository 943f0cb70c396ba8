/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "model/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "model/base/mem.h"

char *file_read(const char *path, size_t most)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK |
				    O_NOCTTY);
	size_t length = 0;
	ssize_t got;
	char *bytes;

	if (fd < 0)
		return NULL;
	bytes = mem_alloc(most + 1);
	while (length < most &&
	       (got = read(fd, bytes + length, most - length)) > 0)
		length += (size_t)got;
	close(fd);
	return bytes;
}

int file_write(int fd, const void *bytes, size_t size)
{
	const char *at = bytes;

	while (size) {
		ssize_t wrote = write(fd, at, size);

		if (wrote < 0 && errno == EINTR)
			continue;
		if (wrote <= 0)
			return wrote < 0 ? -errno : -EIO;
		at += wrote;
		size -= (size_t)wrote;
	}
	return 0;
}
