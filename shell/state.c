/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "shell/state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <unistd.h>

#include "model/base/mem.h"

static bool make_folders(const char *file)
{
	AUTO(str) char *path = mem_strdup(file);

	for (char *at = strchr(path + 1, '/'); at; at = strchr(at + 1, '/')) {
		*at = '\0';
		if (mkdir(path, 0700) < 0 && errno != EEXIST)
			return false;
		*at = '/';
	}
	return true;
}

static bool is_plain(const char *file)
{
	int fd = open(file,
		      O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK |
			      O_NOCTTY,
		      0600);
	struct stat status;
	bool plain;

	if (fd < 0)
		return false;
	plain = fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
	close(fd);
	return plain;
}

char *state_path(const char *name)
{
	const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");

	if (state && *state == '/')
		return mem_printf("%s/tresse/%s", state, name);
	if (home && *home == '/')
		return mem_printf("%s/.local/state/tresse/%s", home, name);
	return NULL;
}

char *state_file(const char *name)
{
	AUTO(str) char *file = state_path(name);

	if (!file || !make_folders(file) || !is_plain(file))
		return NULL;
	return TAKE(file);
}
