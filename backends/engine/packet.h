/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * packet.h - what an inner packet says about itself: which flow it is of, where
 * its layers begin, and its checksums.
 *
 * Every byte is hostile. A packet that cannot be understood is no error: it has
 * proto 0 and is carried as it is.
 */
#ifndef BACKENDS_ENGINE_PACKET_H
#define BACKENDS_ENGINE_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PACKET_HEADER_MAX = 192 }; /* longest header that is cut or joined */

struct packet_info {
	uint8_t version; /* 4, 6, or 0: not IP */
	uint8_t proto;	 /* IPPROTO_TCP, _UDP, ...; 0: not known, or a later
			    fragment */
	uint8_t dscp;
	uint8_t tcp_flags;
	uint16_t l3, l4;  /* offsets of the IP and the transport header */
	uint16_t payload; /* where the payload begins; for others l4 */
	uint16_t end;	  /* where the IP packet ends; the rest is padding */
	bool plain; /* TCP or UDP, no fragment, no extension header: it can be
		       joined with its neighbours */
	uint32_t flow; /* hash over addresses, protocol and ports */
};

/* data is an IP packet, or an Ethernet frame if tap. */
void packet_parse(const uint8_t *data, size_t size, bool tap,
		  struct packet_info *info);

/* Sum of 16-bit words in the order of the machine, not folded (RFC 1071). An
 * odd last byte counts as if a zero followed. */
uint64_t packet_sum(const void *data, size_t size, uint64_t start);
uint16_t packet_fold(uint64_t sum);
/* The sum over the pseudo header (RFC 9293, 3.1; RFC 8200, 8.1), for a
 * transport header and payload of length bytes. */
uint64_t packet_pseudo(const uint8_t *data, const struct packet_info *info,
		       size_t length);
/* Where in the packet the transport checksum stands: 0 if it has none. */
size_t packet_sum_at(const struct packet_info *info);
/* Is the transport checksum right? Only of a plain packet. UDP over IPv4
 * without one is right. */
bool packet_sum_good(const uint8_t *data, const struct packet_info *info);
/* Turns an unfinished checksum (the folded pseudo header in its place) into the
 * real one. Only of a plain packet. */
void packet_sum_finish(uint8_t *data, const struct packet_info *info);
void packet_ip4_sum(uint8_t *header, size_t length);
/* Lowers the MSS that a SYN offers to what fits packets of mtu bytes (RFC 9293,
 * 3.7.1), and mends the checksum unless it is unfinished. Others stay as they
 * are. */
void packet_clamp_mss(uint8_t *data, const struct packet_info *info,
		      uint16_t mtu, bool unsummed);
/* The ICMP answer to a packet that is too big (RFC 792 and 1191; RFC 4443, 3.2)
 * as an IP packet to its sender; returns its size, 0: there is none to give.
 * out has room for PACKET_ICMP bytes. Not for tap. */
enum { PACKET_ICMP = 1280 };
size_t packet_too_big(const uint8_t *data, const struct packet_info *info,
		      uint16_t mtu, uint8_t out[PACKET_ICMP]);
/* May it be cut into fragments on its way? IPv4 without DF and without options
 * (RFC 791, 3.2). */
bool packet_may_fragment(const uint8_t *data, const struct packet_info *info);
/* The fragment of at most mtu bytes that begins *done bytes into the payload,
 * written to out; returns its size, and *done is where the next one begins. 0:
 * that was all. The sum of its transport has to be finished, and mtu to be 68
 * at least. */
size_t packet_fragment(const uint8_t *data, const struct packet_info *info,
		       uint16_t mtu, size_t *done, uint8_t *out);

#endif
