/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * udp.h - a UDP socket that moves datagrams in bunches.
 *
 * Many datagrams of one size go out as one UDP_SEGMENT message, and come in as
 * one UDP_GRO message (udp(7), net/ipv4/udp_offload.c): ten times less work
 * than one by one. The last of a bunch may be shorter. What the kernel or the
 * device refuses (EIO, EINVAL) is given up for this socket for a while
 * (offload.h), and the datagrams go one by one.
 *
 * All addresses are IPv6 ones; IPv4 is mapped (RFC 4291, 2.5.5.2), so one
 * socket serves both.
 */
#ifndef BACKENDS_ENGINE_UDP_H
#define BACKENDS_ENGINE_UDP_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "backends/engine/offload.h"
#include "model/base/err.h"
#include "model/base/mem.h"

struct udp;

/* Where a datagram came from or goes to: the far end, and which of our own
 * addresses it is about (all zero: the kernel chooses). Compare with
 * address_equal(). */
struct address {
	struct sockaddr_in6 far;
	struct in6_addr near;
	uint32_t device; /* index of the interface, 0: any */
};
bool address_equal(const struct address *a, const struct address *b);
enum { ADDRESS_TEXT = 64 };
/* "192.0.2.1:5000", "[2001:db8::1]:5000" */
void address_print(const struct address *address, char text[ADDRESS_TEXT]);
/* host is a numeric address. EINVAL if it is not. */
int address_parse(const char *host, uint16_t port, struct address *address,
		  struct err *err);
bool address_is_ip4(const struct address *address);

struct udp_options {
	const char *device;	/* bind to it; NULL: to none */
	struct in6_addr source; /* own address; all zero: any */
	uint16_t port;		/* 0: any */
	uint32_t mark;		/* SO_MARK; 0: none */
	bool plain;		/* no offloads, for tests */
	bool shared;		/* beside others (udp_share()) */
	bool door;		/* one of theirs: a small buffer is enough */
};

enum {
	UDP_BUNCH = 16,		/* messages that one system call receives */
	UDP_BUNCH_SIZE = 65536, /* room of each */
	UDP_SEND_MAX = 64, /* datagrams of one UDP_SEGMENT (UDP_MAX_SEGMENTS) */
	UDP_SEND_BYTES = 65000,
	UDP_DOORS = 16, /* sockets for all but transport; a power of two */
};

struct udp *udp_open(const struct udp_options *options, struct err *err);
/* Binds it to the device that has this name now; its port stays. -ENODEV. */
int udp_device(struct udp *udp, const char *device, struct err *err);
/* Opens sockets[1..count + UDP_DOORS - 1] on the port of sockets[0], which are
 * then one group (SO_REUSEPORT): a transport datagram comes to the one of the
 * first count whose number wire_part() says, all others to the doors behind
 * them, so that a flood of inits fills none of the first. Each host (IPv6: each
 * /64) has its door, by a secret hash: who floods one leaves the others open to
 * those who call in earnest. The kernel does it by a filter
 * (SO_ATTACH_REUSEPORT_CBPF, socket(7)). What it has aggregated before (GRO)
 * goes where the first of it goes. Negative errno: it cannot, and sockets[0]
 * is alone as before. */
int udp_share(struct udp **sockets, unsigned count,
	      const struct udp_options *options, struct err *err);
void udp_free(struct udp *udp);
AUTO_DEFINE(udp, struct udp *, udp_free)
int udp_fd(const struct udp *udp);
/* The port that it has got. */
uint16_t udp_port(const struct udp *udp);
/* Bunches that go out, and that come in. */
enum offload_state udp_segment(const struct udp *udp);
enum offload_state udp_gro(const struct udp *udp);

/* The engine's clock: no setting moves it, and it goes on while the machine
 * sleeps, so that keys wear at both ends alike and delays stay what they are.
 */
#define UDP_CLOCK CLOCK_BOOTTIME

/* Datagrams of the same sender, one behind the other: each has `segment` bytes,
 * the last may have less. */
struct udp_run {
	uint8_t *data;
	uint32_t size;
	uint32_t segment;
	struct address from;
	uint64_t at_us; /* when the kernel got it, UDP_CLOCK */
	uint8_t tos;
};

/* Room for one udp_receive(): UDP_BUNCH * UDP_BUNCH_SIZE bytes; made once for a
 * thread and used for all its sockets. */
struct udp_room;
struct udp_room *udp_room_new(void);
void udp_room_free(struct udp_room *room);
/* Is this one of its bytes? */
bool udp_room_has(const struct udp_room *room, const void *byte);

/* Number of runs that were received, 0 if there is nothing, negative errno. The
 * runs live in room until the next call. */
int udp_receive(struct udp *udp, struct udp_room *room,
		const struct udp_run **runs);

/* Sends data, cut into segments (size <= segment: one datagram). 0, or negative
 * errno: EAGAIN and ENOBUFS (the device is full: nothing more for now),
 * EMSGSIZE (larger than the device's MTU), ENETUNREACH, ENETDOWN, EPERM ...:
 * the way is closed. With *sent the number of bytes that are gone. */
int udp_send(struct udp *udp, const struct address *to, const uint8_t *data,
	     size_t size, size_t segment, size_t *sent);

/* Bytes of the most segments that leave by one system call. */
size_t udp_send_most(size_t segment);

/* ICMP is listened to from now on, or not any more (IP_RECVERR, ip(7)): what
 * came last is kept until something arrives. Only for words: it may be forged,
 * and no send fails for it. */
void udp_listen(struct udp *udp, bool on);
struct udp_told {
	bool ip6;
	uint8_t type, code;
	struct in6_addr by; /* who said it */
};
/* false: nobody has said anything. */
bool udp_told(const struct udp *udp, struct udp_told *told);

/* For tests: how often the kernel was asked to send something. */
uint64_t udp_sends(const struct udp *udp);

#endif
