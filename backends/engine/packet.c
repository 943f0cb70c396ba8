/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/engine/packet.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

enum {
	ETHER_HEADER = 14,
	ETHER_TYPE_IP4 = 0x0800,
	ETHER_TYPE_IP6 = 0x86dd,
	ETHER_TYPE_VLAN = 0x8100,
	ETHER_TYPE_QINQ = 0x88a8,
	IP4_HEADER = 20,
	IP6_HEADER = 40,
	TCP_HEADER = 20,
	UDP_HEADER = 8,
};

static uint16_t be16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

uint64_t packet_sum(const void *data, size_t size, uint64_t start)
{
	const uint8_t *p = data;
	uint64_t sum = start, more = 0;
	uint32_t word, word2;
	uint16_t half = 0;

	for (; size >= 8; size -= 8, p += 8) {
		memcpy(&word, p, 4);
		memcpy(&word2, p + 4, 4);
		sum += word;
		more += word2;
	}
	sum += more;
	for (; size >= 2; size -= 2, p += 2) {
		memcpy(&half, p, 2);
		sum += half;
	}
	if (size) {
		half = 0;
		memcpy(&half, p, 1);
		sum += half;
	}
	return sum;
}

uint16_t packet_fold(uint64_t sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

uint64_t packet_pseudo(const uint8_t *data, const struct packet_info *info,
		       size_t length)
{
	const uint8_t *ip = data + info->l3;
	uint64_t sum = info->version == 4 ? packet_sum(ip + 12, 8, 0)
					  : packet_sum(ip + 8, 32, 0);

	return sum + htons(info->proto) + htonl((uint32_t)length);
}

size_t packet_sum_at(const struct packet_info *info)
{
	return info->proto == IPPROTO_TCP   ? info->l4 + 16
	       : info->proto == IPPROTO_UDP ? info->l4 + 6
					    : 0;
}

bool packet_sum_good(const uint8_t *data, const struct packet_info *info)
{
	size_t length = (size_t)(info->end - info->l4);
	const uint8_t *at = data + packet_sum_at(info);

	if (info->proto == IPPROTO_UDP && info->version == 4 && !at[0] &&
	    !at[1])
		return true;
	return packet_fold(packet_sum(data + info->l4, length,
				      packet_pseudo(data, info, length))) ==
	       0xffff;
}

void packet_sum_finish(uint8_t *data, const struct packet_info *info)
{
	size_t length = (size_t)(info->end - info->l4);
	uint8_t *at = data + packet_sum_at(info);
	uint16_t sum;

	memset(at, 0, 2);
	sum = (uint16_t)~packet_fold(packet_sum(
		data + info->l4, length, packet_pseudo(data, info, length)));
	if (!sum && info->proto == IPPROTO_UDP)
		sum = 0xffff; /* RFC 768: zero would mean none */
	memcpy(at, &sum, 2);
}

void packet_ip4_sum(uint8_t *header, size_t length)
{
	uint16_t sum;

	memset(header + 10, 0, 2);
	sum = (uint16_t)~packet_fold(packet_sum(header, length, 0));
	memcpy(header + 10, &sum, 2);
}

static uint32_t mix(uint32_t hash, const uint8_t *p, size_t words)
{
	uint32_t word;

	for (; words; words--, p += 4) {
		memcpy(&word, p, 4);
		hash = (hash ^ word) * 0x9e3779b1U;
		hash ^= hash >> 15;
	}
	return hash;
}

/* Where the transport header begins and whose it is, behind the extension
 * headers that a host may step over (RFC 8200, 4). */
static void ip6_walk(const uint8_t *data, struct packet_info *info)
{
	uint8_t next = data[info->l3 + 6];
	size_t at = (size_t)info->l3 + IP6_HEADER;
	bool bare = true, later = false;

	while (next == IPPROTO_HOPOPTS || next == IPPROTO_ROUTING ||
	       next == IPPROTO_DSTOPTS || next == IPPROTO_FRAGMENT) {
		if (at + 8 > info->end)
			return;
		bare = false;
		if (next == IPPROTO_FRAGMENT && (be16(data + at + 2) & 0xfff8))
			later = true;
		next = data[at];
		at += data[at + 1] && !later ? ((size_t)data[at + 1] + 1) * 8
					     : 8;
	}
	if (at > info->end || later)
		return;
	info->proto = next;
	info->l4 = (uint16_t)at;
	info->plain = bare;
}

static bool ip6_parse(const uint8_t *data, size_t size,
		      struct packet_info *info)
{
	const uint8_t *ip = data + info->l3;
	size_t end;

	if (size < (size_t)info->l3 + IP6_HEADER)
		return false;
	end = (size_t)info->l3 + IP6_HEADER + be16(ip + 4);
	if (end > size)
		return false;
	info->version = 6;
	info->end = (uint16_t)end;
	info->dscp = (uint8_t)((ip[0] << 4 | ip[1] >> 4) & 0xff) >> 2;
	info->flow = mix(6, ip + 8, 8);
	ip6_walk(data, info);
	return true;
}

static bool ip4_parse(const uint8_t *data, size_t size,
		      struct packet_info *info)
{
	const uint8_t *ip = data + info->l3;
	size_t length, total;

	if (size < (size_t)info->l3 + IP4_HEADER)
		return false;
	length = (size_t)(ip[0] & 15) * 4;
	total = be16(ip + 2);
	if (length < IP4_HEADER || total < length ||
	    size < (size_t)info->l3 + total)
		return false;
	info->version = 4;
	info->end = (uint16_t)(info->l3 + total);
	info->dscp = ip[1] >> 2;
	info->flow = mix(4, ip + 12, 2);
	if (be16(ip + 6) & 0x3fff) /* a fragment: all of them stay together */
		return true;
	info->proto = ip[9];
	info->l4 = (uint16_t)(info->l3 + length);
	info->plain = length == IP4_HEADER;
	return true;
}

static void transport_parse(const uint8_t *data, struct packet_info *info)
{
	size_t room = (size_t)(info->end - info->l4), header;

	info->payload = info->l4;
	if (info->proto == IPPROTO_TCP && room >= TCP_HEADER) {
		header = (size_t)(data[info->l4 + 12] >> 4) * 4;
		info->tcp_flags = data[info->l4 + 13];
		if (header < TCP_HEADER || header > room)
			info->plain = false;
		else
			info->payload = (uint16_t)(info->l4 + header);
	} else if (info->proto == IPPROTO_UDP && room >= UDP_HEADER) {
		info->payload = (uint16_t)(info->l4 + UDP_HEADER);
		if (be16(data + info->l4 + 4) != room)
			info->plain = false;
	} else {
		info->plain = false;
		info->flow = mix(info->flow, &info->proto, 0) ^ info->proto;
		return;
	}
	info->flow = mix(info->flow ^ info->proto, data + info->l4, 1);
}

static bool ether_parse(const uint8_t *data, size_t size,
			struct packet_info *info)
{
	size_t at = ETHER_HEADER;
	uint16_t type;

	if (size < ETHER_HEADER)
		return false;
	info->flow = mix(1, data, 3);
	type = be16(data + 12);
	for (int tags = 0;
	     tags < 2 && (type == ETHER_TYPE_VLAN || type == ETHER_TYPE_QINQ);
	     tags++) {
		if (size < at + 4)
			return false;
		type = be16(data + at + 2);
		at += 4;
	}
	info->l3 = (uint16_t)at;
	return (type == ETHER_TYPE_IP4 || type == ETHER_TYPE_IP6) && size > at;
}

void packet_parse(const uint8_t *data, size_t size, bool tap,
		  struct packet_info *info)
{
	bool good;

	*info = (struct packet_info){ .end = (uint16_t)size };
	if (size > UINT16_MAX || !size ||
	    (tap && !ether_parse(data, size, info)))
		return;
	if (data[info->l3] >> 4 == 4)
		good = ip4_parse(data, size, info);
	else if (data[info->l3] >> 4 == 6)
		good = ip6_parse(data, size, info);
	else
		return;
	if (good && info->l4)
		transport_parse(data, info);
}

/* The option's value if it is well-formed, else NULL. */
static uint8_t *mss_find(uint8_t *data, const struct packet_info *info)
{
	size_t at = (size_t)info->l4 + TCP_HEADER;

	while (at + 4 <= info->payload && data[at] != 0) {
		if (data[at] == 1) {
			at++;
			continue;
		}
		if (data[at] == 2)
			return data[at + 1] == 4 ? data + at + 2 : NULL;
		if (data[at + 1] < 2)
			return NULL;
		at += data[at + 1];
	}
	return NULL;
}

/* Another value at a place that the sum goes over (RFC 1624, eqn. 3): what was
 * damaged before stays wrong, as whoever gets it has to see. At an odd place
 * its bytes are of two words. */
static void sum_change(uint8_t *sum_at, bool odd, const uint8_t before[2],
		       const uint8_t after[2])
{
	uint8_t old[2] = { before[odd], before[!odd] };
	uint8_t fresh[2] = { after[odd], after[!odd] };
	uint16_t sum, from, to;

	memcpy(&sum, sum_at, 2);
	memcpy(&from, old, 2);
	memcpy(&to, fresh, 2);
	sum = (uint16_t)~packet_fold((uint64_t)(uint16_t)~sum +
				     (uint16_t)~from + to);
	memcpy(sum_at, &sum, 2);
}

void packet_clamp_mss(uint8_t *data, const struct packet_info *info,
		      uint16_t mtu, bool unsummed)
{
	unsigned headers = info->version == 4 ? 40 : 60, most;
	uint8_t *mss, fresh[2];

	if (!info->plain || info->proto != IPPROTO_TCP ||
	    !(info->tcp_flags & 2) || mtu < headers + 64)
		return;
	most = mtu - headers;
	mss = mss_find(data, info);
	if (!mss || be16(mss) <= most)
		return;
	fresh[0] = (uint8_t)(most >> 8);
	fresh[1] = (uint8_t)most;
	if (!unsummed)
		sum_change(data + packet_sum_at(info),
			   (mss - data - info->l4) & 1, mss, fresh);
	memcpy(mss, fresh, sizeof(fresh));
}

static void icmp4(const uint8_t *ip, uint16_t mtu, size_t quoted, uint8_t *out)
{
	uint16_t sum;

	memset(out, 0, 28);
	out[0] = 0x45;
	out[2] = (uint8_t)((quoted + 28) >> 8);
	out[3] = (uint8_t)(quoted + 28);
	out[8] = 64;
	out[9] = IPPROTO_ICMP;
	memcpy(out + 12, ip + 16, 4);
	memcpy(out + 16, ip + 12, 4);
	packet_ip4_sum(out, IP4_HEADER);
	out[20] = 3; /* unreachable: fragmentation needed */
	out[21] = 4;
	out[26] = (uint8_t)(mtu >> 8);
	out[27] = (uint8_t)mtu;
	memcpy(out + 28, ip, quoted);
	sum = (uint16_t)~packet_fold(packet_sum(out + 20, quoted + 8, 0));
	memcpy(out + 22, &sum, 2);
}

static void icmp6(const uint8_t *ip, uint16_t mtu, size_t quoted, uint8_t *out)
{
	struct packet_info info = { .version = 6,
				    .proto = IPPROTO_ICMPV6,
				    .l4 = IP6_HEADER };
	uint16_t sum;

	memset(out, 0, 48);
	out[0] = 0x60;
	out[4] = (uint8_t)((quoted + 8) >> 8);
	out[5] = (uint8_t)(quoted + 8);
	out[6] = IPPROTO_ICMPV6;
	out[7] = 64;
	memcpy(out + 8, ip + 24, 16);
	memcpy(out + 24, ip + 8, 16);
	out[40] = 2; /* packet too big */
	out[46] = (uint8_t)(mtu >> 8);
	out[47] = (uint8_t)mtu;
	memcpy(out + 48, ip, quoted);
	sum = (uint16_t)~packet_fold(packet_sum(
		out + 40, quoted + 8, packet_pseudo(out, &info, quoted + 8)));
	memcpy(out + 42, &sum, 2);
}

/* Never about ICMP errors or to groups (RFC 1122, 3.2.2; RFC 4443, 2.4). */
static bool may_answer(const uint8_t *data, const struct packet_info *info)
{
	const uint8_t *ip = data + info->l3;

	if (info->version == 4)
		return (ip[6] & 0x40) && ip[16] < 224 && ip[12] < 224 &&
		       (ip[12] || ip[13] || ip[14] || ip[15]) &&
		       !(info->proto == IPPROTO_ICMP && info->l4 < info->end &&
			 data[info->l4] != 8 && data[info->l4]);
	return info->version == 6 && ip[8] != 0xff && ip[24] != 0xff &&
	       !(info->proto == IPPROTO_ICMPV6 && info->l4 < info->end &&
		 data[info->l4] < 128);
}

size_t packet_too_big(const uint8_t *data, const struct packet_info *info,
		      uint16_t mtu, uint8_t out[PACKET_ICMP])
{
	size_t size = (size_t)(info->end - info->l3);
	size_t quoted = info->version == 4 ? 548 : PACKET_ICMP - 48;

	if (!info->version || !may_answer(data, info))
		return 0;
	quoted = size < quoted ? size : quoted;
	if (info->version == 4)
		icmp4(data + info->l3, mtu, quoted, out);
	else
		icmp6(data + info->l3, mtu, quoted, out);
	return quoted + (info->version == 4 ? 28 : 48);
}

bool packet_may_fragment(const uint8_t *data, const struct packet_info *info)
{
	const uint8_t *ip = data + info->l3;

	return info->version == 4 && ip[0] == 0x45 && !(ip[6] & 0x40);
}

size_t packet_fragment(const uint8_t *data, const struct packet_info *info,
		       uint16_t mtu, size_t *done, uint8_t *out)
{
	const uint8_t *ip = data + info->l3;
	size_t all = (size_t)(info->end - info->l3) - IP4_HEADER;
	size_t most = (size_t)mtu - IP4_HEADER, size = all - *done;
	unsigned field = (unsigned)(ip[6] << 8 | ip[7]);

	if (!size)
		return 0;
	/* It may be one itself: then more come behind its last, too. */
	field += (unsigned)(*done / 8);
	if (size > most) {
		size = most & ~(size_t)7;
		field |= 0x2000;
	}
	memcpy(out, ip, IP4_HEADER);
	memcpy(out + IP4_HEADER, ip + IP4_HEADER + *done, size);
	*done += size;
	size += IP4_HEADER;
	out[2] = (uint8_t)(size >> 8);
	out[3] = (uint8_t)size;
	out[6] = (uint8_t)(field >> 8);
	out[7] = (uint8_t)field;
	packet_ip4_sum(out, IP4_HEADER);
	return size;
}
