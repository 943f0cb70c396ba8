/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * refuse.c - a kernel that takes less work from the engine, preloaded.
 *
 *   REFUSE=FILE LD_PRELOAD=build/refuse.so tressed ...
 *
 * FILE has SIZE characters, words that the test may overwrite in place at any
 * time. While one of them stands there the engine is refused:
 *
 *   vnet      headers of large pieces (IFF_VNET_HDR)
 *   tso uso   large pieces of TCP, of UDP, from and to the device, when asked
 *   queues    a second queue of the device
 *   gso gro   UDP_SEGMENT and UDP_GRO, when asked
 *   join      what is written to the device in large pieces (EINVAL)
 *   bunch     what is sent by UDP_SEGMENT (EIO, as of a device that makes no
 *             checksums, before Linux 6.11)
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <linux/virtio_net.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>

enum { SIZE = 64, USO = 0x20 | 0x40 /* TUN_F_USO4, TUN_F_USO6 */ };

#define REAL(name)                                                             \
	static __typeof__(name) *real;                                         \
	if (!real)                                                             \
	real = (__typeof__(real))dlsym(RTLD_NEXT, #name)

static const char *words; /* NULL: nothing is refused */
static unsigned queues;	  /* asked for, since `queues` stands there */

__attribute__((constructor)) static void begin(void)
{
	const char *path = getenv("REFUSE");
	int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	void *mapped = mmap(NULL, SIZE, PROT_READ, MAP_SHARED, fd, 0);

	words = mapped == MAP_FAILED ? NULL : mapped;
}

static bool refuses(const char *word)
{
	char now[SIZE + 1] = "";

	if (words)
		memcpy(now, words, SIZE);
	return strstr(now, word) != NULL;
}

static int fail(int code)
{
	errno = code;
	return -1;
}

/* The first of several is not a second. */
static bool is_second(void)
{
	queues = refuses("queues") ? queues + 1 : 0;
	return queues > 1;
}

static bool is_refused(unsigned long request, void *argument)
{
	struct ifreq *attach = argument;
	unsigned long offloads = (unsigned long)argument;

	if (request == TUNSETOFFLOAD)
		return (offloads && refuses("tso")) ||
		       ((offloads & USO) && refuses("uso"));
	return request == TUNSETIFF &&
	       (((attach->ifr_flags & IFF_VNET_HDR) && refuses("vnet")) ||
		((attach->ifr_flags & IFF_MULTI_QUEUE) && is_second()));
}

int ioctl(int fd, unsigned long request, ...)
{
	va_list arguments;
	void *argument;
	int rc;
	REAL(ioctl);

	va_start(arguments, request);
	argument = va_arg(arguments, void *);
	va_end(arguments);
	if (is_refused(request, argument))
		return fail(EINVAL);
	rc = real(fd, request, argument);
	if (rc == 0 && request == TUNGETFEATURES && refuses("vnet"))
		*(unsigned *)argument &= ~(unsigned)IFF_VNET_HDR;
	return rc;
}

int setsockopt(int fd, int level, int name, const void *value, socklen_t size)
{
	REAL(setsockopt);

	if (level == SOL_UDP && ((name == UDP_SEGMENT && refuses("gso")) ||
				 (name == UDP_GRO && refuses("gro"))))
		return fail(ENOPROTOOPT);
	return real(fd, level, name, value, size);
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
	struct msghdr *all = (struct msghdr *)message;
	REAL(sendmsg);

	for (struct cmsghdr *at = CMSG_FIRSTHDR(all); at;
	     at = CMSG_NXTHDR(all, at))
		if (at->cmsg_level == SOL_UDP && at->cmsg_type == UDP_SEGMENT &&
		    refuses("bunch"))
			return fail(EIO);
	return real(fd, message, flags);
}

/* Nothing else of the engine begins with a header of that size. */
ssize_t writev(int fd, const struct iovec *parts, int count)
{
	const struct virtio_net_hdr *vnet = parts[0].iov_base;
	REAL(writev);

	if (count > 1 && parts[0].iov_len == sizeof(*vnet) &&
	    vnet->gso_type != VIRTIO_NET_HDR_GSO_NONE && refuses("join"))
		return fail(EINVAL);
	return real(fd, parts, count);
}
