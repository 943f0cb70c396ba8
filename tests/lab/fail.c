/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * fail.c - makes a call fail that a thread beside the first one makes,
 * preloaded.
 *
 *   FAIL=send:3 FAIL_COUNT=FILE LD_PRELOAD=build/fail.so COMMAND...
 *
 * The third message to the kernel by such threads does not go out (ENOBUFS).
 * receive: what comes is lost (ENOBUFS); write: the disk is full (ENOSPC);
 * thread: there is none to be had (EAGAIN). Children are left alone, and so is
 * the first thread: strace fails its calls. FILE gets how many calls there
 * were.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <unistd.h>

enum { WORD = 16 };

static char what[WORD]; /* "send" */
static long which;
static atomic_long count;
static pid_t process;

__attribute__((constructor)) static void begin(void)
{
	const char *words = getenv("FAIL");
	const char *colon = words ? strchr(words, ':') : NULL;

	process = getpid();
	if (!colon || colon - words >= WORD)
		return;
	memcpy(what, words, (size_t)(colon - words));
	which = strtol(colon + 1, NULL, 10);
}

__attribute__((destructor)) static void end(void)
{
	const char *path = getenv("FAIL_COUNT");
	FILE *file = path && getpid() == process ? fopen(path, "w") : NULL;

	if (!file)
		return;
	fprintf(file, "%ld\n", (long)count);
	fclose(file);
}

/* Is it this call's turn? */
static bool fails(const char *name, bool anywhere)
{
	if (strcmp(what, name) != 0 || getpid() != process ||
	    (!anywhere && gettid() == process))
		return false;
	return atomic_fetch_add(&count, 1) + 1 == which;
}

#define REAL(name)                                                             \
	static __typeof__(name) *real;                                         \
	if (!real)                                                             \
	real = (__typeof__(real))dlsym(RTLD_NEXT, #name)

#define FAILING(name, word, code, type, parameters, arguments)                 \
	type name parameters                                                   \
	{                                                                      \
		REAL(name);                                                    \
		if (!fails(word, false))                                       \
			return real arguments;                                 \
		errno = (code);                                                \
		return -1;                                                     \
	}

FAILING(sendmsg, "send", ENOBUFS, ssize_t,
	(int fd, const struct msghdr *message, int flags), (fd, message, flags))
FAILING(sendto, "send", ENOBUFS, ssize_t,
	(int fd, const void *bytes, size_t size, int flags,
	 const struct sockaddr *to, socklen_t length),
	(fd, bytes, size, flags, to, length))
FAILING(send, "send", ENOBUFS, ssize_t,
	(int fd, const void *bytes, size_t size, int flags),
	(fd, bytes, size, flags))
FAILING(recvmsg, "receive", ENOBUFS, ssize_t,
	(int fd, struct msghdr *message, int flags), (fd, message, flags))
FAILING(recvfrom, "receive", ENOBUFS, ssize_t,
	(int fd, void *bytes, size_t size, int flags, struct sockaddr *from,
	 socklen_t *length),
	(fd, bytes, size, flags, from, length))
FAILING(recv, "receive", ENOBUFS, ssize_t,
	(int fd, void *bytes, size_t size, int flags), (fd, bytes, size, flags))
FAILING(pwrite64, "write", ENOSPC, ssize_t,
	(int fd, const void *bytes, size_t size, off64_t at),
	(fd, bytes, size, at))
FAILING(pwrite, "write", ENOSPC, ssize_t,
	(int fd, const void *bytes, size_t size, off_t at),
	(fd, bytes, size, at))
FAILING(write, "write", ENOSPC, ssize_t,
	(int fd, const void *bytes, size_t size), (fd, bytes, size))

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
		   void *(*job)(void *), void *work)
{
	REAL(pthread_create);
	return fails("thread", true) ? EAGAIN
				     : real(thread, attributes, job, work);
}
