/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/engine/tun.h"

#include <linux/virtio_net.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "tests/unit/unit.h"

enum { SEGMENT = 1000, ROOM = 70000 };

/* A super-packet as the kernel hands it over: v4 or v6, TCP or UDP. */
struct super {
	struct virtio_net_hdr vnet;
	uint8_t data[ROOM];
	size_t size;
};

static void put16(uint8_t *p, size_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static void super_make(struct super *super, int version, int proto,
		       size_t payload)
{
	size_t l4 = version == 4 ? 20 : 40, header = proto == 6 ? 32 : 8;
	uint8_t *ip = super->data, *tp = ip + l4;
	struct packet_info info;
	uint16_t sum;

	memset(super, 0, sizeof(*super));
	super->size = l4 + header + payload;
	if (version == 4) {
		ip[0] = 0x45;
		put16(ip + 2, super->size);
		put16(ip + 4, 777);
		ip[6] = 0x40;
		ip[8] = 64;
		ip[9] = (uint8_t)proto;
		memcpy(ip + 12, "\x0a\x00\x00\x01\x0a\x00\x00\x02", 8);
		packet_ip4_sum(ip, 20);
	} else {
		ip[0] = 0x60;
		put16(ip + 4, super->size - 40);
		ip[6] = (uint8_t)proto;
		ip[7] = 64;
		ip[8] = ip[24] = 0xfd;
		ip[23] = 1;
		ip[39] = 2;
	}
	put16(tp, 4000);
	put16(tp + 2, 5000);
	if (proto == IPPROTO_TCP) {
		put16(tp + 4, 0xfff0); /* wraps nothing, carries soon */
		put16(tp + 6, 0xff00);
		tp[12] = 8 << 4;
		tp[13] = 0x18;
		put16(tp + 14, 1234);
		memcpy(tp + 20, "\1\1\x08\x0a\0\0\0\1\0\0\0\2", 12);
	} else {
		put16(tp + 4, super->size - l4);
	}
	for (size_t i = 0; i < payload; i++)
		super->data[l4 + header + i] = (uint8_t)(i * 7 + i / 251);
	packet_parse(super->data, super->size, false, &info);
	sum = packet_fold(packet_pseudo(super->data, &info, super->size - l4));
	memcpy(super->data + packet_sum_at(&info), &sum, 2);
	super->vnet = (struct virtio_net_hdr){
		.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
		.gso_type = proto == IPPROTO_UDP ? 5
			    : version == 4	 ? VIRTIO_NET_HDR_GSO_TCPV4
						 : VIRTIO_NET_HDR_GSO_TCPV6,
		.hdr_len = (uint16_t)(l4 + header),
		.gso_size = SEGMENT,
		.csum_start = (uint16_t)l4,
		.csum_offset = proto == IPPROTO_TCP ? 16 : 6,
	};
}

/* The device's two sides. */
struct lab {
	struct tun *tun;
	int kernel;
	uint8_t *buffer, *pieces;
};

static bool lab_open(struct lab *lab, unsigned flags)
{
	int size = 1 << 20, fds[2];

	if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, fds) < 0)
		return false;
	setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	setsockopt(fds[1], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	lab->tun = tun_wrap(fds[0], flags);
	lab->kernel = fds[1];
	lab->buffer = malloc(TUN_READ_MAX);
	lab->pieces = malloc(2 * ROOM);
	return true;
}

static void lab_close(struct lab *lab)
{
	tun_free(lab->tun);
	close(lab->kernel);
	free(lab->buffer);
	free(lab->pieces);
}

static void hand_over(struct lab *lab, const struct super *super)
{
	struct iovec parts[2] = { { (void *)&super->vnet, sizeof(super->vnet) },
				  { (void *)super->data, super->size } };

	CU_ASSERT(writev(lab->kernel, parts, 2) > 0);
}

/* Cuts into lab->pieces; sizes[] of each. */
static unsigned cut_all(struct lab *lab, struct tun_packet *packet,
			size_t *sizes)
{
	size_t at = 0;

	for (unsigned i = 0; i < packet->count; i++) {
		sizes[i] = tun_cut(packet, i, lab->pieces + at);
		CU_ASSERT_EQUAL(sizes[i], tun_cut_size(packet, i));
		at += sizes[i];
	}
	return packet->count;
}

static void comes_back(int version, int proto, size_t payload)
{
	static struct super super, back;
	struct lab lab;
	struct tun_packet packet;
	size_t sizes[TUN_CUT_MAX], at = 0;
	unsigned count;
	ssize_t got;

	if (!lab_open(&lab, 0))
		return;
	super_make(&super, version, proto, payload);
	hand_over(&lab, &super);
	CU_ASSERT_EQUAL_FATAL(tun_read(lab.tun, lab.buffer, &packet), 1);
	CU_ASSERT_EQUAL(packet.count, (payload + SEGMENT - 1) / SEGMENT);
	count = cut_all(&lab, &packet, sizes);
	for (unsigned i = 0; i < count; i++) {
		struct packet_info info;
		uint8_t copy[2000];

		packet_parse(lab.pieces + at, sizes[i], false, &info);
		CU_ASSERT(info.plain && info.end == sizes[i]);
		memcpy(copy, lab.pieces + at, sizes[i]);
		packet_sum_finish(copy, &info);
		CU_ASSERT(packet_sum_good(copy, &info));
		tun_put(lab.tun, lab.pieces + at, sizes[i], packet.unsummed);
		at += sizes[i];
	}
	tun_flush(lab.tun);
	got = read(lab.kernel, &back, sizeof(back));
	CU_ASSERT_EQUAL(got, (ssize_t)(sizeof(super.vnet) + super.size));
	CU_ASSERT(!memcmp(&super.vnet, &back.vnet, sizeof(super.vnet)));
	CU_ASSERT(!memcmp(super.data, back.data, super.size));
	CU_ASSERT(read(lab.kernel, &back, sizeof(back)) < 0);
	lab_close(&lab);
}

TEST(tun, what_was_cut_is_joined_to_the_same_bytes)
{
	for (int version = 4; version <= 6; version += 2) {
		comes_back(version, IPPROTO_TCP, 44 * SEGMENT);
		comes_back(version, IPPROTO_TCP, 10 * SEGMENT + 1);
		comes_back(version, IPPROTO_UDP, 12 * SEGMENT);
		comes_back(version, IPPROTO_UDP, 3 * SEGMENT + 999);
	}
}

TEST(tun, only_the_last_piece_has_push_and_sequence_numbers_go_on)
{
	static struct super super;
	struct lab lab;
	struct tun_packet packet;
	uint8_t piece[2000];

	if (!lab_open(&lab, 0))
		return;
	super_make(&super, 4, IPPROTO_TCP, 3 * SEGMENT);
	hand_over(&lab, &super);
	CU_ASSERT_EQUAL_FATAL(tun_read(lab.tun, lab.buffer, &packet), 1);
	for (unsigned i = 0; i < 3; i++) {
		uint32_t seq;

		tun_cut(&packet, i, piece);
		memcpy(&seq, piece + 24, 4);
		CU_ASSERT_EQUAL(ntohl(seq), 0xfff0ff00U + i * SEGMENT);
		CU_ASSERT_EQUAL(piece[33], i == 2 ? 0x18 : 0x10);
		CU_ASSERT_EQUAL(piece[4] << 8 | piece[5], 777 + (int)i);
	}
	lab_close(&lab);
}

TEST(tun, the_ip4_header_of_each_piece_sums_up)
{
	static struct super super;
	struct lab lab;
	struct tun_packet packet;
	uint8_t piece[2000];

	if (!lab_open(&lab, 0))
		return;
	super_make(&super, 4, IPPROTO_TCP, 5 * SEGMENT + 7);
	put16(super.data + 4, 0xfffd);	/* the number wraps under way */
	put16(super.data + 10, 0xbeef); /* whatever it was */
	hand_over(&lab, &super);
	CU_ASSERT_EQUAL_FATAL(tun_read(lab.tun, lab.buffer, &packet), 1);
	for (unsigned i = 0; i < packet.count; i++) {
		size_t size = tun_cut(&packet, i, piece);

		CU_ASSERT_EQUAL(packet_fold(packet_sum(piece, 20, 0)), 0xffff);
		CU_ASSERT_EQUAL((size_t)(piece[2] << 8 | piece[3]), size);
		CU_ASSERT_EQUAL(piece[4] << 8 | piece[5],
				(0xfffd + (int)i) & 0xffff);
	}
	lab_close(&lab);
}

/* Two packets that differ in something that matters stay two. */
static void stay_apart(void (*spoil)(uint8_t *packet))
{
	static struct super super;
	static uint8_t sink[ROOM];
	struct lab lab;
	struct tun_packet packet;
	size_t sizes[TUN_CUT_MAX];

	if (!lab_open(&lab, 0))
		return;
	super_make(&super, 4, IPPROTO_TCP, 2 * SEGMENT);
	hand_over(&lab, &super);
	CU_ASSERT_EQUAL_FATAL(tun_read(lab.tun, lab.buffer, &packet), 1);
	cut_all(&lab, &packet, sizes);
	spoil(lab.pieces + sizes[0]);
	tun_put(lab.tun, lab.pieces, sizes[0], true);
	tun_put(lab.tun, lab.pieces + sizes[0], sizes[1], true);
	tun_flush(lab.tun);
	CU_ASSERT_EQUAL(read(lab.kernel, sink, sizeof(sink)),
			(ssize_t)(sizes[0] + sizeof(super.vnet)));
	CU_ASSERT_EQUAL(read(lab.kernel, sink, sizeof(sink)),
			(ssize_t)(sizes[1] + sizeof(super.vnet)));
	lab_close(&lab);
}

static void spoil_seq(uint8_t *packet)
{
	packet[27]++;
}
static void spoil_window(uint8_t *packet)
{
	packet[35]++;
}
static void spoil_options(uint8_t *packet)
{
	packet[47]++;
}
static void spoil_tos(uint8_t *packet)
{
	packet[1] = 3; /* congestion experienced */
}
static void spoil_flags(uint8_t *packet)
{
	packet[33] |= 1; /* FIN */
}

TEST(tun, packets_that_differ_are_not_joined)
{
	stay_apart(spoil_seq);
	stay_apart(spoil_window);
	stay_apart(spoil_options);
	stay_apart(spoil_tos);
	stay_apart(spoil_flags);
}

TEST(tun, a_wrong_checksum_is_not_hidden_by_joining)
{
	static struct super super;
	static uint8_t sink[ROOM];
	struct lab lab;
	struct tun_packet packet;
	struct packet_info info;
	size_t sizes[TUN_CUT_MAX];
	uint16_t before, after;

	if (!lab_open(&lab, 0))
		return;
	super_make(&super, 4, IPPROTO_TCP, 2 * SEGMENT);
	hand_over(&lab, &super);
	CU_ASSERT_EQUAL_FATAL(tun_read(lab.tun, lab.buffer, &packet), 1);
	cut_all(&lab, &packet, sizes);
	for (int i = 0; i < 2; i++) {
		uint8_t *piece = lab.pieces + (i ? sizes[0] : 0);

		packet_parse(piece, sizes[i], false, &info);
		packet_sum_finish(piece, &info);
	}
	lab.pieces[sizes[0] + sizes[1] - 1] ^= 1;
	memcpy(&before, lab.pieces + sizes[0] + 36, 2);
	tun_put(lab.tun, lab.pieces, sizes[0], false);
	tun_put(lab.tun, lab.pieces + sizes[0], sizes[1], false);
	tun_flush(lab.tun);
	CU_ASSERT_EQUAL(read(lab.kernel, sink, sizeof(sink)),
			(ssize_t)(sizes[0] + sizeof(super.vnet)));
	CU_ASSERT(read(lab.kernel, sink, sizeof(sink)) > 0);
	memcpy(&after, sink + sizeof(super.vnet) + 36, 2);
	CU_ASSERT_EQUAL(before, after);
	lab_close(&lab);
}

TEST(tun, without_offloads_checksums_are_finished)
{
	static struct super super;
	uint8_t sink[2000];
	struct lab lab;
	struct packet_info info;
	ssize_t got;

	if (!lab_open(&lab, TUN_PLAIN))
		return;
	super_make(&super, 6, IPPROTO_UDP, 500);
	tun_put(lab.tun, super.data, super.size, true);
	tun_flush(lab.tun);
	got = read(lab.kernel, sink, sizeof(sink));
	CU_ASSERT_EQUAL_FATAL(got, (ssize_t)super.size);
	packet_parse(sink, (size_t)got, false, &info);
	CU_ASSERT(info.plain && packet_sum_good(sink, &info));
	lab_close(&lab);
}

TEST(tun, hostile_bytes_are_harmless)
{
	static struct super super;
	static uint8_t sink[ROOM];
	struct lab lab;
	struct tun_packet packet;
	uint8_t *piece = malloc(ROOM);
	unsigned seed = 1;

	if (!lab_open(&lab, 0))
		return;
	for (int round = 0; round < 20000; round++) {
		int version = round & 1 ? 4 : 6;

		super_make(&super, version,
			   round & 2 ? IPPROTO_TCP : IPPROTO_UDP,
			   (size_t)(rand_r(&seed) % 3000));
		for (int i = rand_r(&seed) % 4; i > 0; i--)
			super.data[rand_r(&seed) % 70] = (uint8_t)rand_r(&seed);
		if (rand_r(&seed) % 2)
			((uint8_t *)&super.vnet)[rand_r(&seed) % 10] =
				(uint8_t)rand_r(&seed);
		super.size -= (size_t)rand_r(&seed) % super.size;
		hand_over(&lab, &super);
		if (tun_read(lab.tun, lab.buffer, &packet) == 1)
			for (unsigned i = 0; i < packet.count; i++)
				CU_ASSERT(tun_cut(&packet, i, piece) <= ROOM);
		tun_put(lab.tun, super.data, super.size, round & 4);
		tun_flush(lab.tun);
		while (read(lab.kernel, sink, sizeof(sink)) > 0)
			;
	}
	free(piece);
	lab_close(&lab);
}
