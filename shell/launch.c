/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "shell/launch.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "model/base/mem.h"

static void reset_signals(void)
{
	sigset_t none;

	for (int signal_number = 1; signal_number < NSIG; signal_number++)
		signal(signal_number, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static void leave_files(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	for (int fd = 0; fd <= 2; fd++)
		if (null < 0 || dup2(null, fd) < 0)
			close(fd);
	/* All others go with the exec; report tells if it fails. */
	if (close_range(3, ~0U, CLOSE_RANGE_CLOEXEC) < 0)
		for (int fd = 3; fd < 1024; fd++)
			fcntl(fd, F_SETFD, FD_CLOEXEC);
}

static void become(const char *program, char *const argv[], char *const env[],
		   int report)
{
	int code;

	reset_signals();
	leave_files();
	if (chdir("/") == 0)
		execve(program, argv, env);
	code = errno;
	if (write(report, &code, sizeof(code)) < 0)
		_exit(2);
	_exit(1);
}

/* Twice, so that it is nobody's child, and never gets a terminal again. */
static int start(const char *program, char *const argv[], char *const env[],
		 const int report[2])
{
	pid_t child = fork();

	if (child == 0) {
		setsid();
		child = fork();
		if (child == 0)
			become(program, argv, env, report[1]);
		_exit(child < 0);
	}
	if (child < 0)
		return -errno;
	waitpid(child, NULL, 0);
	return 0;
}

int launch(const char *program, char *const argv[], struct err *err)
{
	const char *zone = getenv("TZ");
	AUTO(str) char *tz = zone ? mem_printf("TZ=%s", zone) : NULL;
	const char *engine = getenv("TRESSE_SOCKET");
	AUTO(str)
	char *at = engine ? mem_printf("TRESSE_SOCKET=%s", engine) : NULL;
	/* The first that is missing ends it. */
	char *env[] = { (char *)"PATH=/usr/sbin:/usr/bin:/sbin:/bin",
			tz ? tz : at, tz ? at : NULL, NULL };
	int report[2], code = 0, rc;

	if (pipe2(report, O_CLOEXEC) < 0)
		return err_set(err, errno, "no pipe: %s", strerror(errno));
	rc = start(program, argv, env, report);
	close(report[1]);
	if (rc == 0 && read(report[0], &code, sizeof(code)) > 0)
		rc = -code;
	close(report[0]);
	return rc < 0 ? err_set(err, -rc, "%s: %s", program, strerror(-rc)) : 0;
}
