/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "model/holder.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "model/base/mem.h"

static bool slurp(const char *path, char *into, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got = fd < 0 ? -1 : read(fd, into, size - 1);

	if (fd >= 0)
		close(fd);
	into[got > 0 ? got : 0] = '\0';
	return got > 0;
}

char *boot_id_dup(void)
{
	char id[64];

	if (!slurp("/proc/sys/kernel/random/boot_id", id, sizeof(id)))
		return mem_strdup("unknown");
	id[strcspn(id, "\n")] = '\0';
	return mem_strdup(id);
}

/* Field 22 of /proc/PID/stat, proc(5). The name in field 2 may hold anything,
 * so it is counted from its closing bracket. */
static char *started_dup(long pid)
{
	AUTO(str) char *path = mem_printf("/proc/%ld/stat", pid);
	char line[1024], *at;

	if (!slurp(path, line, sizeof(line)) || !(at = strrchr(line, ')')))
		return NULL;
	for (int field = 2; at && field < 22; field++)
		at = strchr(at + 1, ' ');
	return at ? mem_strndup(at + 1, strcspn(at + 1, " \n")) : NULL;
}

static char *name_dup(long pid)
{
	AUTO(str) char *boot = boot_id_dup();
	AUTO(str) char *started = started_dup(pid);

	if (!started)
		return NULL;
	return mem_printf("%s %ld %s", boot, pid, started);
}

char *holder_dup(void)
{
	char *name = name_dup(getpid());

	return name ? name : mem_strdup("unknown");
}

bool holder_lives(const char *holder)
{
	const char *blank = strchr(holder, ' ');
	AUTO(str)
	char *now = blank ? name_dup(strtol(blank + 1, NULL, 10)) : NULL;

	return now && !strcmp(now, holder);
}
