/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Inner packets, for libFuzzer (`make fuzz`): what a client of ours, gone mad,
 * sends through the tunnel, and what this host hands over. Any bytes are
 * parsed, clamped and answered without leaving them; what is joined for the
 * kernel and cut again is what it was; and a super-packet that is taken from
 * the kernel is cut into pieces that are packets.
 *
 * The first byte chooses what the rest is, and whether lengths and sums are put
 * right, which nobody finds by chance.
 */
#include <linux/virtio_net.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "backends/engine/tun.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { PACKETS = 8, ETHER = 14, TAP = 1, UNSUMMED = 2, MEND = 4 };

static void must(int holds)
{
	if (!holds)
		abort();
}

/* On the heap, so that reading past it is seen. */
static uint8_t *copy_of(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size ? size : 1);

	if (size)
		memcpy(copy, data, size);
	return copy;
}

static void put16(uint8_t *at, size_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

/* TCP or UDP, over IPv4 or IPv6, as it says itself. */
static void mend(uint8_t *data, size_t size, uint8_t flags)
{
	size_t l3 = flags & TAP ? ETHER : 0, l4 = l3 + 20;
	uint8_t *ip = data + l3, proto = IPPROTO_TCP;
	struct packet_info info;

	if (!(flags & MEND) || size < l3 + 70 || size > UINT16_MAX)
		return;
	if (ip[0] & 0x20) {
		ip[0] = 0x60;
		put16(ip + 4, size - l3 - 40);
		proto = ip[6] = ip[6] & 1 ? IPPROTO_TCP : IPPROTO_UDP;
		l4 = l3 + 40;
	} else {
		ip[0] = 0x45;
		put16(ip + 2, size - l3);
		put16(ip + 6, ip[6] & 0x40 ? 0x4000 : 0);
		proto = ip[9] = ip[9] & 1 ? IPPROTO_TCP : IPPROTO_UDP;
		packet_ip4_sum(ip, 20);
	}
	if (l3)
		put16(data + 12, ip[0] == 0x60 ? 0x86dd : 0x0800);
	if (proto == IPPROTO_TCP)
		data[l4 + 12] = data[l4 + 12] & 1 ? 0x70 : 0x50;
	else
		put16(data + l4 + 4, size - l4);
	packet_parse(data, size, flags & TAP, &info);
	must(info.plain);
	packet_sum_finish(data, &info);
}

static void judge(const struct packet_info *info, size_t size)
{
	must(info->end <= size);
	if (!info->version)
		return;
	must(info->l3 < info->end);
	must(!info->l4 || (info->l4 > info->l3 && info->l4 <= info->end));
	must(info->payload <= info->end);
	must(!info->plain || (info->l4 && info->payload > info->l4 &&
			      packet_sum_at(info) + 2 <= info->payload));
}

/* --- one packet ----------------------------------------------------------- */

static void one(const uint8_t *data, size_t size, uint8_t flags)
{
	uint8_t *packet = copy_of(data, size), answer[PACKET_ICMP];
	struct packet_info info, again;
	bool good;

	mend(packet, size, flags);
	packet_parse(packet, size, flags & TAP, &info);
	judge(&info, size);
	good = info.plain && packet_sum_good(packet, &info);
	packet_clamp_mss(packet, &info, 1300, flags & UNSUMMED);
	packet_parse(packet, size, flags & TAP, &again);
	must(!memcmp(&info, &again, sizeof(info)));
	must(!good || flags & UNSUMMED || packet_sum_good(packet, &info));
	if (!(flags & TAP) &&
	    (size = packet_too_big(packet, &info, 1300, answer))) {
		must(size <= sizeof(answer));
		packet_parse(answer, size, false, &again);
		must(again.version == info.version && again.end == size);
	}
	free(packet);
}

/* --- joined and cut ------------------------------------------------------- */

/* The same for all orders of packets. Of a header what may change on the way
 * does not count: numbers and sums of IPv4, sums, PSH. */
static uint64_t sign(const uint8_t *data, size_t size, bool tap)
{
	uint64_t sum = 14695981039346656037ULL;
	struct packet_info info;

	packet_parse(data, size, tap, &info);
	for (size_t i = 0; i < size; i++) {
		size_t in_ip = i - info.l3, in_l4 = i - info.l4;
		bool varies = false;

		if (info.plain && info.version == 4 && i >= info.l3)
			varies = in_ip == 4 || in_ip == 5 || in_ip == 10 ||
				 in_ip == 11;
		if (info.plain && (i == packet_sum_at(&info) ||
				   i == packet_sum_at(&info) + 1))
			varies = true;
		if (info.plain && info.proto == IPPROTO_TCP && i >= info.l4 &&
		    in_l4 == 13)
			varies = true;
		sum = (sum ^ (varies ? 0 : data[i])) * 1099511628211ULL;
	}
	return sum * (2 * size + 1);
}

static uint64_t read_back(struct tun *tun, bool tap, unsigned *count)
{
	static uint8_t buffer[TUN_READ_MAX];
	struct tun_packet packet;
	uint64_t sum = 0;

	while (tun_read(tun, buffer, &packet) == 1)
		for (unsigned i = 0; i < packet.count; i++) {
			uint8_t *piece = malloc(tun_cut_size(&packet, i));
			size_t size = tun_cut(&packet, i, piece);

			must(size == tun_cut_size(&packet, i));
			sum += sign(piece, size, tap);
			*count += 1;
			free(piece);
		}
	return sum;
}

/* Each packet is two bytes of size before it. */
static void joined(const uint8_t *data, size_t size, uint8_t flags)
{
	unsigned put = 0, got = 0, tap = flags & TAP ? TUN_TAP : 0;
	uint64_t before = 0, after;
	struct tun *to, *from;
	uint8_t *packets[PACKETS];
	int pair[2];

	must(!socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, pair));
	to = tun_wrap(pair[0], tap);
	from = tun_wrap(pair[1], tap);
	while (put < PACKETS && size > 2) {
		size_t length = data[0] | (size_t)(data[1] & 7) << 8;

		size -= 2;
		data += 2;
		length = length < size ? length : size;
		if (!length)
			break;
		packets[put] = copy_of(data, length);
		mend(packets[put], length, flags);
		before += sign(packets[put], length, tap);
		tun_put(to, packets[put++], length, false);
		data += length;
		size -= length;
	}
	tun_flush(to);
	after = read_back(from, tap, &got);
	must(got == put && before == after);
	while (put--)
		free(packets[put]);
	tun_free(to);
	tun_free(from);
}

/* --- from the kernel ------------------------------------------------------ */

/* Behind a header of virtio, whatever it says. */
static void super(const uint8_t *data, size_t size, uint8_t flags)
{
	unsigned tap = flags & TAP ? TUN_TAP : 0, count = 0;
	uint8_t *bytes = copy_of(data, size);
	struct virtio_net_hdr vnet;
	struct packet_info info;
	struct tun *tun;
	int pair[2];

	if (flags & MEND && size > sizeof(vnet)) {
		mend(bytes + sizeof(vnet), size - sizeof(vnet), flags);
		packet_parse(bytes + sizeof(vnet), size - sizeof(vnet),
			     flags & TAP, &info);
		vnet = (struct virtio_net_hdr){
			.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
			.gso_type = info.proto == IPPROTO_UDP ? 5
				    : info.version == 4
					    ? VIRTIO_NET_HDR_GSO_TCPV4
					    : VIRTIO_NET_HDR_GSO_TCPV6,
			.gso_size = bytes[4],
			.csum_start = info.l4,
			.csum_offset = info.proto == IPPROTO_UDP ? 6 : 16,
		};
		memcpy(bytes, &vnet, sizeof(vnet));
	}
	must(!socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, pair));
	tun = tun_wrap(pair[0], tap);
	must(send(pair[1], bytes, size, 0) == (ssize_t)size);
	read_back(tun, tap, &count);
	must(count <= TUN_CUT_MAX);
	free(bytes);
	tun_free(tun);
	close(pair[1]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t what;

	if (size < 2)
		return 0;
	what = data[0];
	data++;
	size--;
	if (what / 8 % 3 == 0)
		one(data, size, what & 7);
	else if (what / 8 % 3 == 1)
		joined(data, size, what & 7);
	else
		super(data, size, what & 7);
	return 0;
}
