/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tun.h - the device that the kernel hands packets through, in bunches.
 *
 * With IFF_VNET_HDR (linux/if_tun.h, linux/virtio_net.h) the kernel hands over
 * up to 64 kB of one TCP or UDP flow as one packet that we cut, and takes as
 * much from us that we have joined: an order of magnitude less work than packet
 * by packet. What the kernel cannot do is found out when the device is opened;
 * what it refuses later is given up for a while (offload.h).
 *
 *     tun_read() -> struct tun_packet -> tun_cut() 1..n -> to the other end
 *     from the other end -> tun_put() 1..n -> tun_flush() -> the kernel
 *
 * A checksum that the kernel has not finished (it counts on hardware) is not
 * finished by us either: the packet travels as `unsummed`, under the
 * protection of the AEAD, and is given to the other kernel in that state.
 */
#ifndef BACKENDS_ENGINE_TUN_H
#define BACKENDS_ENGINE_TUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "backends/engine/offload.h"
#include "backends/engine/packet.h"
#include "model/base/err.h"
#include "model/base/mem.h"

struct tun;

enum tun_flags {
	TUN_TAP = 1 << 0,    /* Ethernet frames in place of IP packets */
	TUN_PLAIN = 1 << 1,  /* no offloads, for tests and old kernels */
	TUN_QUEUES = 1 << 2, /* one of several queues (IFF_MULTI_QUEUE) */
	TUN_BESIDE = 1 << 3, /* and we have another one already */
};

enum {
	TUN_READ_MAX = 65536 + 64, /* room that tun_read() wants */
	TUN_CUT_MAX = 128,	   /* pieces that a packet is cut into */
};

/* Attaches to the device of that name, which is made (and goes away with us) if
 * it is not there and we may. EBUSY: somebody else has it; of a device of
 * several queues the kernel does not say so, and the first of us asks for its
 * carrier. EINVAL: it was made for one queue and is asked for several, or the
 * other way round. */
struct tun *tun_open(const char *name, unsigned flags, struct err *err);
/* For tests: a socket of datagrams that plays the device; fd becomes ours. */
struct tun *tun_wrap(int fd, unsigned flags);
void tun_free(struct tun *tun);
AUTO_DEFINE(tun, struct tun *, tun_free)

/* By whom tun_open() has /dev/net/tun opened, which need not be us: returns a
 * file descriptor, or a negative errno value and err. NULL: by ourselves. */
typedef int tun_opener(struct err *err);
void tun_by(tun_opener *opener);

int tun_fd(const struct tun *tun);
/* Large pieces of TCP and of UDP, both ways. */
enum offload_state tun_tso(const struct tun *tun);
enum offload_state tun_uso(const struct tun *tun);

/* What was read: one packet, or one that has to be cut into count pieces. */
struct tun_packet {
	const uint8_t *data; /* borrowed: the reader's buffer */
	uint32_t size;
	uint16_t header;  /* bytes that each piece begins with; 0: one piece */
	uint16_t segment; /* bytes of payload of each but the last */
	uint16_t count;	  /* pieces, at least 1 */
	bool unsummed;
	/* Not 0: its pieces are fragments (fragment.h) of the packet of that
	 * number; header and segment mean nothing then. */
	uint32_t fragment;
	struct packet_info info;
};

/* Reads into buffer, of TUN_READ_MAX bytes. 1, 0 if there is nothing, negative
 * errno if the device is gone. What makes no sense is dropped and counted. */
int tun_read(struct tun *tun, uint8_t *buffer, struct tun_packet *packet);

/* Bytes of piece number index, which a fragment's header is part of. */
size_t tun_cut_size(const struct tun_packet *packet, unsigned index);
/* Writes piece number index to out, tun_cut_size() bytes; returns how many. */
size_t tun_cut(const struct tun_packet *packet, unsigned index, uint8_t *out);

/* Gives a packet for the kernel; data is borrowed until tun_flush(). It is
 * joined with what was given before of the same flow where that changes nothing
 * for who receives it. */
void tun_put(struct tun *tun, const uint8_t *data, size_t size, bool unsummed);
/* Writes what was given; order within a flow is kept. */
void tun_flush(struct tun *tun);

struct tun_counters {
	uint64_t in_packets, in_bytes;	 /* from the kernel, after cutting */
	uint64_t out_packets, out_bytes; /* to the kernel, before joining */
	uint64_t reads, writes;		 /* system calls */
	uint64_t malformed;		 /* read, and not understood */
	uint64_t refused;		 /* the kernel did not take it */
};
const struct tun_counters *tun_counters(const struct tun *tun);

#endif
