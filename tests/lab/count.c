/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * count.c - counts what one kind of thread asks of libc and the kernel,
 * preloaded.
 *
 *   COUNT=FILE COUNT_THREAD=NAME LD_PRELOAD=build/count.so COMMAND...
 *
 * FILE gets, and has at any time, a record for each call that is known here: 24
 * bytes of its name, and 8 of a number: how often threads that are called NAME
 * (prctl(2), PR_SET_NAME) have made it. Of what has no row here nothing is
 * known; a call that reaches the kernel by syscall(2) counts as `syscall`.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

/* clang-format off */
#define CALLS(ROW)                                                             \
	ROW(malloc) ROW(calloc) ROW(realloc) ROW(posix_memalign) ROW(free)     \
	ROW(mmap) ROW(munmap) ROW(madvise)                                     \
	ROW(pthread_mutex_lock) ROW(pthread_cond_wait) ROW(pthread_cond_signal)\
	ROW(pthread_once) ROW(pthread_rwlock_rdlock)                           \
	ROW(pthread_rwlock_wrlock) ROW(getrandom) ROW(syscall)                 \
	ROW(open) ROW(fopen) ROW(close) ROW(socket) ROW(ioctl) ROW(fcntl)      \
	ROW(setsockopt) ROW(getsockopt) ROW(epoll_ctl) ROW(read) ROW(write)    \
	ROW(poll) ROW(nanosleep) ROW(recv) ROW(recvfrom) ROW(recvmsg)          \
	ROW(send) ROW(sendto)                                                  \
	/* those of packets: */                                                \
	ROW(readv) ROW(writev) ROW(sendmsg) ROW(sendmmsg) ROW(recvmmsg)        \
	ROW(epoll_wait) ROW(epoll_pwait2)                                      \
	/* no system call, where the clock can be read without: */             \
	ROW(clock_gettime)
/* clang-format on */

#define ENTRY(name) CALL_##name,
enum call { CALLS(ENTRY) COUNTED };

struct record {
	char name[24];
	uint64_t count;
};

static struct record *records; /* NULL: nobody counts */
static const char *thread_name;
static __thread bool counted __attribute__((tls_model("initial-exec")));

__attribute__((constructor)) static void begin(void)
{
#define NAME(name) #name,
	static const char *const names[] = { CALLS(NAME) };
	const char *path = getenv("COUNT");
	int fd = path ? open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644) : -1;
	size_t size = COUNTED * sizeof(*records);
	struct record *mapped;

	thread_name = getenv("COUNT_THREAD");
	if (fd < 0 || !thread_name || ftruncate(fd, (off_t)size) < 0)
		return;
	mapped = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (mapped == MAP_FAILED)
		return;
	for (int i = 0; i < COUNTED; i++)
		snprintf(mapped[i].name, sizeof(mapped[i].name), "%s",
			 names[i]);
	records = mapped;
}

static void count(enum call call)
{
	if (counted && records)
		__atomic_add_fetch(&records[call].count, 1, __ATOMIC_RELAXED);
}

int prctl(int option, ...)
{
	static int (*real)(int, unsigned long, unsigned long, unsigned long,
			   unsigned long);
	unsigned long values[4];
	va_list args;

	va_start(args, option);
	for (int i = 0; i < 4; i++)
		values[i] = va_arg(args, unsigned long);
	va_end(args);
	if (!real)
		real = (__typeof__(real))dlsym(RTLD_NEXT, "prctl");
	if (option == PR_SET_NAME && thread_name)
		counted = !strcmp((const char *)values[0], thread_name);
	return real(option, values[0], values[1], values[2], values[3]);
}

/* --- memory: by names that need no dlsym(), which allocates -----------------
 */

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);
void *__libc_memalign(size_t alignment, size_t size);
void __libc_free(void *old);

void *malloc(size_t size)
{
	count(CALL_malloc);
	return __libc_malloc(size);
}

void *calloc(size_t number, size_t size)
{
	count(CALL_calloc);
	return __libc_calloc(number, size);
}

void *realloc(void *old, size_t size)
{
	count(CALL_realloc);
	return __libc_realloc(old, size);
}

int posix_memalign(void **out, size_t alignment, size_t size)
{
	count(CALL_posix_memalign);
	*out = __libc_memalign(alignment, size);
	return *out ? 0 : ENOMEM;
}

void free(void *old)
{
	count(CALL_free);
	__libc_free(old);
}

/* --- the others -------------------------------------------------------------
 */

#define COUNTING(type, name, parameters, arguments)                            \
	type name parameters                                                   \
	{                                                                      \
		static __typeof__(name) *real;                                 \
		if (!real)                                                     \
			real = (__typeof__(real))dlsym(RTLD_NEXT, #name);      \
		count(CALL_##name);                                            \
		return real arguments;                                         \
	}

COUNTING(void *, mmap,
	 (void *at, size_t size, int prot, int flags, int fd, off_t from),
	 (at, size, prot, flags, fd, from))
COUNTING(int, munmap, (void *at, size_t size), (at, size))
COUNTING(int, madvise, (void *at, size_t size, int what), (at, size, what))
COUNTING(int, pthread_mutex_lock, (pthread_mutex_t * mutex), (mutex))
COUNTING(int, pthread_cond_wait,
	 (pthread_cond_t * condition, pthread_mutex_t *mutex),
	 (condition, mutex))
COUNTING(int, pthread_cond_signal, (pthread_cond_t * condition), (condition))
COUNTING(int, pthread_once, (pthread_once_t * once, void (*job)(void)),
	 (once, job))
COUNTING(int, pthread_rwlock_rdlock, (pthread_rwlock_t * lock), (lock))
COUNTING(int, pthread_rwlock_wrlock, (pthread_rwlock_t * lock), (lock))
COUNTING(ssize_t, getrandom, (void *bytes, size_t size, unsigned flags),
	 (bytes, size, flags))
COUNTING(FILE *, fopen, (const char *path, const char *mode), (path, mode))
COUNTING(int, close, (int fd), (fd))
COUNTING(int, socket, (int family, int type, int protocol),
	 (family, type, protocol))
COUNTING(int, setsockopt,
	 (int fd, int level, int name, const void *value, socklen_t size),
	 (fd, level, name, value, size))
COUNTING(int, getsockopt,
	 (int fd, int level, int name, void *value, socklen_t *size),
	 (fd, level, name, value, size))
COUNTING(int, epoll_ctl, (int epoll, int what, int fd, struct epoll_event *how),
	 (epoll, what, fd, how))
COUNTING(ssize_t, read, (int fd, void *bytes, size_t size), (fd, bytes, size))
COUNTING(ssize_t, write, (int fd, const void *bytes, size_t size),
	 (fd, bytes, size))
COUNTING(int, poll, (struct pollfd * fds, nfds_t number, int ms),
	 (fds, number, ms))
COUNTING(int, nanosleep, (const struct timespec *time, struct timespec *left),
	 (time, left))
COUNTING(ssize_t, recv, (int fd, void *bytes, size_t size, int flags),
	 (fd, bytes, size, flags))
COUNTING(ssize_t, recvfrom,
	 (int fd, void *bytes, size_t size, int flags, struct sockaddr *from,
	  socklen_t *length),
	 (fd, bytes, size, flags, from, length))
COUNTING(ssize_t, recvmsg, (int fd, struct msghdr *message, int flags),
	 (fd, message, flags))
COUNTING(ssize_t, send, (int fd, const void *bytes, size_t size, int flags),
	 (fd, bytes, size, flags))
COUNTING(ssize_t, sendto,
	 (int fd, const void *bytes, size_t size, int flags,
	  const struct sockaddr *to, socklen_t length),
	 (fd, bytes, size, flags, to, length))
COUNTING(ssize_t, readv, (int fd, const struct iovec *parts, int number),
	 (fd, parts, number))
COUNTING(ssize_t, writev, (int fd, const struct iovec *parts, int number),
	 (fd, parts, number))
COUNTING(ssize_t, sendmsg, (int fd, const struct msghdr *message, int flags),
	 (fd, message, flags))
COUNTING(int, sendmmsg,
	 (int fd, struct mmsghdr *messages, unsigned number, int flags),
	 (fd, messages, number, flags))
COUNTING(int, recvmmsg,
	 (int fd, struct mmsghdr *messages, unsigned number, int flags,
	  struct timespec *time),
	 (fd, messages, number, flags, time))
COUNTING(int, epoll_wait,
	 (int epoll, struct epoll_event *events, int most, int ms),
	 (epoll, events, most, ms))
COUNTING(int, epoll_pwait2,
	 (int epoll, struct epoll_event *events, int most,
	  const struct timespec *time, const sigset_t *mask),
	 (epoll, events, most, time, mask))
COUNTING(int, clock_gettime, (clockid_t clock, struct timespec *now),
	 (clock, now))

/* With an argument that may be missing. */

int open(const char *path, int flags, ...)
{
	static int (*real)(const char *, int, ...);
	va_list args;
	unsigned mode;

	va_start(args, flags);
	mode = va_arg(args, unsigned);
	va_end(args);
	if (!real)
		real = (__typeof__(real))dlsym(RTLD_NEXT, "open");
	count(CALL_open);
	return real(path, flags, mode);
}

int ioctl(int fd, unsigned long request, ...)
{
	static int (*real)(int, unsigned long, ...);
	va_list args;
	void *value;

	va_start(args, request);
	value = va_arg(args, void *);
	va_end(args);
	if (!real)
		real = (__typeof__(real))dlsym(RTLD_NEXT, "ioctl");
	count(CALL_ioctl);
	return real(fd, request, value);
}

int fcntl(int fd, int what, ...)
{
	static int (*real)(int, int, ...);
	va_list args;
	void *value;

	va_start(args, what);
	value = va_arg(args, void *);
	va_end(args);
	if (!real)
		real = (__typeof__(real))dlsym(RTLD_NEXT, "fcntl");
	count(CALL_fcntl);
	return real(fd, what, value);
}

long syscall(long number, ...)
{
	static long (*real)(long, ...);
	long values[6];
	va_list args;

	va_start(args, number);
	for (int i = 0; i < 6; i++)
		values[i] = va_arg(args, long);
	va_end(args);
	if (!real)
		real = (__typeof__(real))dlsym(RTLD_NEXT, "syscall");
	count(CALL_syscall);
	return real(number, values[0], values[1], values[2], values[3],
		    values[4], values[5]);
}
