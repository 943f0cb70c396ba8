/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * hold - one thread of a program stands still, and all others go on.
 *
 *   hold PID THREAD        the one of that name (/proc/PID/task/N/comm)
 *
 * Prints "held"; when it is ended, the thread goes on. So a test can have a
 * thread that is late, however fast or busy the machine is. By ptrace(2); where
 * that is not allowed it says so and ends with 77.
 */
#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

static bool is_called(const char *pid, const char *task, const char *name)
{
	char path[512], line[64] = "";
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%s/task/%s/comm", pid, task);
	file = fopen(path, "re");
	if (!file)
		return false;
	if (fgets(line, sizeof(line), file))
		line[strcspn(line, "\n")] = '\0';
	fclose(file);
	return !strcmp(line, name);
}

/* 0: there is none. */
static pid_t find(const char *pid, const char *name)
{
	const struct dirent *entry;
	char path[512];
	pid_t found = 0;
	DIR *tasks;

	snprintf(path, sizeof(path), "/proc/%s/task", pid);
	tasks = opendir(path);
	while (tasks && !found && (entry = readdir(tasks)))
		if (is_called(pid, entry->d_name, name))
			found = (pid_t)atoi(entry->d_name);
	if (tasks)
		closedir(tasks);
	return found;
}

int main(int argc, char **argv)
{
	pid_t thread = argc == 3 ? find(argv[1], argv[2]) : 0;
	int status;

	if (!thread) {
		fprintf(stderr,
			"usage: hold PID THREAD, of one that is there\n");
		return 2;
	}
	if (ptrace(PTRACE_SEIZE, thread, NULL, NULL) < 0) {
		perror("hold: ptrace");
		return errno == EPERM ? 77 : 1;
	}
	if (ptrace(PTRACE_INTERRUPT, thread, NULL, NULL) < 0 ||
	    waitpid(thread, &status, __WALL) != thread || !WIFSTOPPED(status)) {
		perror("hold: stop");
		return 1;
	}
	puts("held");
	fflush(stdout);
	pause(); /* who traced ends: the kernel lets go what he held */
	return 0;
}
