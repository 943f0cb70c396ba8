/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/engine/tun.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <linux/sockios.h>
#include <linux/virtio_net.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>

#include "backends/engine/fragment.h"
#include "backends/engine/steer.h"

/* linux/if_tun.h and linux/virtio_net.h of Debian 12 are older than USO. */
#ifndef TUN_F_USO4
#define TUN_F_USO4 0x20
#define TUN_F_USO6 0x40
#endif
#ifndef VIRTIO_NET_HDR_GSO_UDP_L4
#define VIRTIO_NET_HDR_GSO_UDP_L4 5
#endif

enum {
	PENDING = 8, /* flows that are joined at the same time */
	PIECES = 64, /* packets that are joined into one */
	TCP_FIN = 0x01,
	TCP_SYN = 0x02,
	TCP_RST = 0x04,
	TCP_PSH = 0x08,
	TCP_ACK = 0x10,
	TCP_CWR = 0x80,
};

/* Packets of one flow, one behind the other, that become one write. */
struct joined {
	struct packet_info info; /* of the first; so is the header */
	const uint8_t *first;
	uint32_t total;	   /* bytes of header and all payloads */
	uint32_t next_seq; /* TCP: what has to come next */
	uint16_t segment;  /* payload bytes of each but the last */
	uint16_t count;	   /* 0: this place is free */
	bool unsummed, closed;
	bool push;		     /* the last one had PSH */
	struct iovec pieces[PIECES]; /* payloads; of the first too */
};

struct tun {
	int fd;
	bool tap, vnet;
	struct offload join_tcp, join_udp;
	struct joined pending[PENDING];
	struct tun_counters counters;
};

/* Who had the device before may have asked for more than we can take. */
static void offloads_probe(struct tun *tun)
{
	unsigned base = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6;
	unsigned all = base | TUN_F_USO4 | TUN_F_USO6;

	tun->join_udp.there = tun->vnet && !ioctl(tun->fd, TUNSETOFFLOAD, all);
	tun->join_tcp.there =
		tun->join_udp.there ||
		(tun->vnet && !ioctl(tun->fd, TUNSETOFFLOAD, base));
	if (!tun->join_tcp.there)
		ioctl(tun->fd, TUNSETOFFLOAD, 0);
}

/* Does somebody hold a queue of it? A device without has no carrier
 * (__tun_detach(), drivers/net/tun.c). Of one that is down it is not known. */
static bool is_held(const char *name)
{
	struct ethtool_value link = { .cmd = ETHTOOL_GLINK };
	struct ifreq request = { .ifr_data = (void *)&link };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool held;

	memcpy(request.ifr_name, name, strlen(name));
	held = ioctl(fd, SIOCETHTOOL, &request) == 0 && link.data;
	close(fd);
	return held;
}

/* TUNSETIFF makes a device where there is none. That is the driver's to do
 * (backends/tunnel/), in whose way ours would be. */
static bool was_there(const struct tun *tun)
{
	struct ifreq request = { .ifr_flags = 0 };

	return ioctl(tun->fd, TUNGETIFF, &request) == 0 &&
	       (request.ifr_flags & IFF_PERSIST);
}

/* Headers that tell of large pieces. */
static bool has_vnet(const struct tun *tun)
{
	unsigned features = 0;

	return ioctl(tun->fd, TUNGETFEATURES, &features) == 0 &&
	       (features & IFF_VNET_HDR);
}

static int taken(const char *name, struct err *err)
{
	return err_set(err, EBUSY,
		       "device %s: another program has it (grep -l %s "
		       "/proc/*/fdinfo/*): end that first",
		       name, name);
}

static int fail_attach(const char *name, struct err *err)
{
	if (errno == EBUSY)
		return taken(name, err);
	return err_set(err, errno,
		       errno == EPERM	 ? "device %s: not ours to attach to"
		       : errno == EINVAL ? "device %s: is no such tunnel device"
					 : "device %s: %m",
		       name);
}

static int attach(struct tun *tun, const char *name, unsigned flags,
		  struct err *err)
{
	struct ifreq request = { .ifr_flags = IFF_NO_PI };
	int size = sizeof(struct virtio_net_hdr);

	if (strlen(name) >= sizeof(request.ifr_name))
		return err_set(err, EINVAL, "device %s: the name is too long",
			       name);
	if ((flags & TUN_QUEUES) && !(flags & TUN_BESIDE) && is_held(name))
		return taken(name, err);
	memcpy(request.ifr_name, name, strlen(name));
	request.ifr_flags |= flags & TUN_TAP ? IFF_TAP : IFF_TUN;
	if (flags & TUN_QUEUES)
		request.ifr_flags |= IFF_MULTI_QUEUE;
	tun->vnet = !(flags & TUN_PLAIN) && has_vnet(tun);
	if (tun->vnet)
		request.ifr_flags |= IFF_VNET_HDR;
	if (ioctl(tun->fd, TUNSETIFF, &request) < 0)
		return fail_attach(name, err);
	if (!was_there(tun))
		return err_set(err, ENODEV, "device %s is not there", name);
	if (tun->vnet && ioctl(tun->fd, TUNSETVNETHDRSZ, &size) < 0)
		return err_set(err, errno, "device %s: vnet header: %m", name);
	offloads_probe(tun);
	return 0;
}

static int open_here(struct err *err)
{
	int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);

	return fd < 0 ? err_set(err, errno, "/dev/net/tun: %m") : fd;
}

static tun_opener *opener = open_here;

void tun_by(tun_opener *by)
{
	opener = by ? by : open_here;
}

struct tun *tun_open(const char *name, unsigned flags, struct err *err)
{
	AUTO(tun) struct tun *tun = mem_alloc(sizeof(*tun));

	tun->tap = flags & TUN_TAP;
	tun->fd = opener(err);
	if (tun->fd < 0 || attach(tun, name, flags, err) < 0)
		return NULL;
	return TAKE(tun);
}

struct tun *tun_wrap(int fd, unsigned flags)
{
	struct tun *tun = mem_alloc(sizeof(*tun));

	tun->fd = fd;
	tun->tap = flags & TUN_TAP;
	tun->vnet = !(flags & TUN_PLAIN);
	tun->join_tcp.there = tun->join_udp.there = tun->vnet;
	return tun;
}

void tun_free(struct tun *tun)
{
	if (!tun)
		return;
	if (tun->fd >= 0)
		close(tun->fd);
	free(tun);
}

int tun_fd(const struct tun *tun)
{
	return tun->fd;
}

enum offload_state tun_tso(const struct tun *tun)
{
	return offload_state(&tun->join_tcp);
}

enum offload_state tun_uso(const struct tun *tun)
{
	return offload_state(&tun->join_udp);
}

const struct tun_counters *tun_counters(const struct tun *tun)
{
	return &tun->counters;
}

/* Does the checksum that the kernel left open stand where we would look for
 * it? Then the other end finds it without being told. */
static bool sum_is_usual(const struct virtio_net_hdr *vnet,
			 const struct packet_info *info)
{
	return info->plain && vnet->csum_start == info->l4 &&
	       vnet->csum_start + vnet->csum_offset == packet_sum_at(info);
}

/* Finishes a checksum in an unusual place (behind extension headers, SCTP's is
 * never asked of us). */
static bool sum_finish_at(uint8_t *data, size_t size,
			  const struct virtio_net_hdr *vnet)
{
	size_t at = (size_t)vnet->csum_start + vnet->csum_offset;
	uint16_t sum;

	if (at + 2 > size)
		return false;
	sum = (uint16_t)~packet_fold(packet_sum(data + vnet->csum_start,
						size - vnet->csum_start, 0));
	memcpy(data + at, &sum, 2);
	return true;
}

static bool gso_accept(struct tun_packet *packet,
		       const struct virtio_net_hdr *vnet)
{
	uint8_t type = vnet->gso_type & ~VIRTIO_NET_HDR_GSO_ECN;
	const struct packet_info *info = &packet->info;
	uint32_t payload = packet->size - info->payload;
	bool tcp = type == VIRTIO_NET_HDR_GSO_TCPV4 ||
		   type == VIRTIO_NET_HDR_GSO_TCPV6;

	if (info->l4 == 0 || info->payload > PACKET_HEADER_MAX ||
	    !vnet->gso_size || packet->size <= info->payload ||
	    packet->size != info->end)
		return false;
	if (tcp ? info->proto != IPPROTO_TCP
		: type != VIRTIO_NET_HDR_GSO_UDP_L4 ||
			    info->proto != IPPROTO_UDP)
		return false;
	packet->count =
		(uint16_t)((payload + vnet->gso_size - 1) / vnet->gso_size);
	packet->segment = vnet->gso_size;
	packet->header = packet->count > 1 ? info->payload : 0;
	return packet->count <= TUN_CUT_MAX && info->plain;
}

static bool understand(struct tun_packet *packet, uint8_t *data,
		       const struct virtio_net_hdr *vnet, bool tap)
{
	packet->count = 1;
	packet->header = packet->segment = 0;
	packet->unsummed = false;
	packet->fragment = 0;
	packet_parse(data, packet->size, tap, &packet->info);
	if (vnet->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) {
		packet->unsummed = sum_is_usual(vnet, &packet->info);
		if (!packet->unsummed &&
		    (vnet->gso_type != VIRTIO_NET_HDR_GSO_NONE ||
		     !sum_finish_at(data, packet->size, vnet)))
			return false;
	}
	if (vnet->gso_type == VIRTIO_NET_HDR_GSO_NONE)
		return true;
	return gso_accept(packet, vnet);
}

int tun_read(struct tun *tun, uint8_t *buffer, struct tun_packet *packet)
{
	struct virtio_net_hdr vnet;
	struct iovec to[2] = { { &vnet, sizeof(vnet) },
			       { buffer, TUN_READ_MAX } };
	ssize_t got;

	for (;;) {
		memset(&vnet, 0, sizeof(vnet));
		got = readv(tun->fd, tun->vnet ? to : to + 1,
			    tun->vnet ? 2 : 1);
		if (got < 0)
			return errno == EAGAIN || errno == EINTR ? 0 : -errno;
		if (tun->vnet)
			got -= (ssize_t)sizeof(vnet);
		tun->counters.reads++;
		packet->data = buffer;
		packet->size = got > 0 ? (uint32_t)got : 0;
		if (got > 0 && !steer_is_probe(buffer, (size_t)got) &&
		    understand(packet, buffer, &vnet, tun->tap))
			break;
		tun->counters.malformed +=
			!steer_is_probe(buffer, packet->size);
	}
	tun->counters.in_packets += packet->count;
	tun->counters.in_bytes += packet->size;
	return 1;
}

static struct fragment fragment_of(const struct tun_packet *packet,
				   unsigned index)
{
	return (struct fragment){ .number = packet->fragment,
				  .size = (uint16_t)packet->size,
				  .index = (uint8_t)index,
				  .count = (uint8_t)packet->count };
}

size_t tun_cut_size(const struct tun_packet *packet, unsigned index)
{
	struct fragment fragment = fragment_of(packet, index);
	uint32_t payload = packet->size - packet->header;

	if (packet->fragment)
		return FRAGMENT_HEADER + fragment_length(&fragment);
	if (!packet->header)
		return packet->size;
	if (index + 1 < packet->count)
		return (size_t)packet->header + packet->segment;
	return packet->header + payload -
	       (size_t)packet->segment * (packet->count - 1U);
}

static void put_be16(uint8_t *p, size_t value)
{
	p[0] = (uint8_t)(value >> 8);
	p[1] = (uint8_t)value;
}

static void put_be32(uint8_t *p, uint32_t value)
{
	value = htonl(value);
	memcpy(p, &value, 4);
}

static uint32_t get_be32(const uint8_t *p)
{
	uint32_t value;

	memcpy(&value, p, 4);
	return ntohl(value);
}

/* Lengths and the IPv4 checksum of a packet of size bytes. */
static void ip_resize(uint8_t *data, const struct packet_info *info,
		      size_t size)
{
	uint8_t *ip = data + info->l3;

	if (info->version == 4) {
		put_be16(ip + 2, size - info->l3);
		packet_ip4_sum(ip, (size_t)(ip[0] & 15) * 4);
	} else {
		put_be16(ip + 4, size - info->l3 - 40U);
	}
}

/* The unfinished checksum: the pseudo header's, which data has. */
static void sum_open(uint8_t *out, const uint8_t *data,
		     const struct packet_info *info, size_t size)
{
	uint16_t sum = packet_fold(packet_pseudo(data, info, size - info->l4));

	memcpy(out + packet_sum_at(info), &sum, 2);
}

static uint16_t half(const uint8_t *p)
{
	uint16_t value;

	memcpy(&value, p, 2);
	return value;
}

/* The IPv4 header of piece number index: its length, number and checksum. What
 * was written a moment ago is not read again: the processor would wait until
 * all of the piece is in its cache. So the sum is that of the packet, with what
 * changes taken out and put in (RFC 1624). */
static void ip4_piece(const uint8_t *from, uint8_t *to, size_t length,
		      unsigned index)
{
	uint64_t sum = packet_sum(from, (size_t)(from[0] & 15) * 4, 0);
	uint8_t fresh[4];
	uint16_t folded;

	put_be16(fresh, length);
	put_be16(fresh + 2, (size_t)(from[4] << 8 | from[5]) + index);
	sum += (uint16_t)~half(from + 2) + (uint16_t)~half(from + 4) +
	       (uint16_t)~half(from + 10);
	sum += (uint32_t)half(fresh) + half(fresh + 2);
	folded = (uint16_t)~packet_fold(sum);
	memcpy(to + 2, fresh, 4);
	memcpy(to + 10, &folded, 2);
}

static size_t cut_fragment(const struct tun_packet *packet, unsigned index,
			   uint8_t *out)
{
	struct fragment fragment = fragment_of(packet, index);
	size_t length = fragment_length(&fragment);

	fragment_print(&fragment, out);
	memcpy(out + FRAGMENT_HEADER, packet->data + fragment_offset(&fragment),
	       length);
	return FRAGMENT_HEADER + length;
}

size_t tun_cut(const struct tun_packet *packet, unsigned index, uint8_t *out)
{
	const struct packet_info *info = &packet->info;
	const uint8_t *data = packet->data;
	size_t size = tun_cut_size(packet, index);
	size_t from = packet->header + (size_t)index * packet->segment;
	uint8_t *ip = out + info->l3, *l4 = out + info->l4;

	if (packet->fragment)
		return cut_fragment(packet, index, out);
	if (!packet->header) {
		memcpy(out, data, size);
		return size;
	}
	memcpy(out, data, packet->header);
	memcpy(out + packet->header, data + from, size - packet->header);
	if (info->version == 4)
		ip4_piece(data + info->l3, ip, size - info->l3, index);
	else
		put_be16(ip + 4, size - info->l3 - 40U);
	if (info->proto == IPPROTO_TCP) {
		put_be32(l4 + 4, get_be32(data + info->l4 + 4) +
					 index * packet->segment);
		if (index + 1 < packet->count)
			l4[13] &= (uint8_t) ~(TCP_FIN | TCP_PSH);
		if (index)
			l4[13] &= (uint8_t)~TCP_CWR;
	} else {
		put_be16(l4 + 4, size - info->l4);
	}
	sum_open(out, data, info, size);
	return size;
}

/* 0, or negative errno. */
static int write_out(struct tun *tun, const struct iovec *parts, int count)
{
	tun->counters.writes++;
	if (writev(tun->fd, parts, count) >= 0)
		return 0;
	tun->counters.refused++;
	return -errno;
}

/* A packet as it came. Without vnet headers nobody finishes its checksum but
 * we. */
static int write_one(struct tun *tun, const uint8_t *data, size_t size,
		     const struct packet_info *info, bool unsummed)
{
	struct virtio_net_hdr vnet = { .gso_type = VIRTIO_NET_HDR_GSO_NONE };
	uint8_t copy[PACKET_HEADER_MAX];
	struct iovec parts[3] = { { &vnet, sizeof(vnet) },
				  { (void *)data, size } };
	uint16_t sum;

	if (unsummed && tun->vnet) {
		vnet.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
		vnet.csum_start = info->l4;
		vnet.csum_offset = (uint16_t)(packet_sum_at(info) - info->l4);
	} else if (unsummed) {
		memcpy(copy, data, info->payload);
		sum = (uint16_t)~packet_fold(packet_sum(
			data + info->l4, (size_t)(info->end - info->l4), 0));
		memcpy(copy + packet_sum_at(info), &sum, 2);
		parts[1] = (struct iovec){ copy, info->payload };
		parts[2] = (struct iovec){ (void *)(data + info->payload),
					   size - info->payload };
		return write_out(tun, parts + 1, 2);
	}
	return write_out(tun, tun->vnet ? parts : parts + 1, tun->vnet ? 2 : 1);
}

static struct offload *offload_of(struct tun *tun,
				  const struct packet_info *info)
{
	return info->proto == IPPROTO_TCP ? &tun->join_tcp : &tun->join_udp;
}

/* The kernel would not take it joined: one by one. If it takes no more of that
 * (the device is down), joining is not what it refused. */
static void write_apart(struct tun *tun, const struct joined *joined)
{
	size_t header = joined->info.payload;
	bool took = false;

	for (unsigned i = 0; i < joined->count; i++) {
		const uint8_t *data =
			(const uint8_t *)joined->pieces[i].iov_base - header;
		size_t size = header + joined->pieces[i].iov_len;
		struct packet_info info;

		packet_parse(data, size, tun->tap, &info);
		if (!write_one(tun, data, size, &info, joined->unsummed))
			took = true;
	}
	if (took)
		offload_refused(offload_of(tun, &joined->info));
}

/* What does not fit into a queue that is full is lost, joined or not. */
static bool is_refused(int rc)
{
	return rc == -EINVAL || rc == -EIO || rc == -EMSGSIZE;
}

static void vnet_fill(const struct joined *joined, struct virtio_net_hdr *vnet)
{
	const struct packet_info *info = &joined->info;

	*vnet = (struct virtio_net_hdr){
		.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
		.gso_type = info->proto == IPPROTO_UDP
				    ? VIRTIO_NET_HDR_GSO_UDP_L4
			    : info->version == 4 ? VIRTIO_NET_HDR_GSO_TCPV4
						 : VIRTIO_NET_HDR_GSO_TCPV6,
		.hdr_len = info->payload,
		.gso_size = joined->segment,
		.csum_start = info->l4,
		.csum_offset = (uint16_t)(packet_sum_at(info) - info->l4),
	};
}

static void joined_write(struct tun *tun, struct joined *joined)
{
	const struct packet_info *info = &joined->info;
	struct virtio_net_hdr vnet;
	uint8_t header[PACKET_HEADER_MAX];
	struct iovec parts[PIECES + 2] = { { &vnet, sizeof(vnet) },
					   { header, info->payload } };
	int rc;

	if (joined->count == 1) {
		write_one(tun, joined->first, joined->total, info,
			  joined->unsummed);
		joined->count = 0;
		return;
	}
	memcpy(header, joined->first, info->payload);
	ip_resize(header, info, joined->total);
	if (info->proto == IPPROTO_UDP)
		put_be16(header + info->l4 + 4, joined->total - info->l4);
	else if (joined->push)
		header[info->l4 + 13] |= TCP_PSH;
	sum_open(header, header, info, joined->total);
	vnet_fill(joined, &vnet);
	memcpy(parts + 2, joined->pieces,
	       joined->count * sizeof(*joined->pieces));
	rc = write_out(tun, parts, (int)joined->count + 2);
	if (!rc)
		offload_worked(offload_of(tun, info));
	else if (is_refused(rc))
		write_apart(tun, joined);
	joined->count = 0;
}

/* Everything but lengths, sums, sequence number and PSH is the same. */
static bool headers_agree(const struct joined *joined, const uint8_t *data,
			  const struct packet_info *info)
{
	const uint8_t *a = joined->first, *b = data;
	size_t l4 = info->l4;

	if (joined->info.l3 != info->l3 || joined->info.l4 != l4 ||
	    joined->info.payload != info->payload ||
	    joined->info.proto != info->proto ||
	    joined->info.version != info->version || memcmp(a, b, info->l3))
		return false;
	a += info->l3;
	b += info->l3;
	if (info->version == 4 ? a[1] != b[1] || a[6] != b[6] || a[8] != b[8] ||
					 memcmp(a + 12, b + 12, 8)
			       : memcmp(a, b, 4) || a[7] != b[7] ||
					 memcmp(a + 8, b + 8, 32))
		return false;
	a = joined->first + l4;
	b = data + l4;
	if (memcmp(a, b, 4)) /* ports */
		return false;
	return info->proto == IPPROTO_UDP ||
	       (!memcmp(a + 8, b + 8, 5) && a[14] == b[14] && a[15] == b[15] &&
		!((a[13] ^ b[13]) & ~TCP_PSH) &&
		!memcmp(a + 18, b + 18, info->payload - l4 - 18));
}

static bool joinable(struct tun *tun, const uint8_t *data, size_t size,
		     const struct packet_info *info)
{
	if (!info->plain || info->end != size || info->payload >= size ||
	    info->payload > PACKET_HEADER_MAX)
		return false;
	if (info->proto == IPPROTO_UDP) /* none stays none */
		return (data[info->l4 + 6] || data[info->l4 + 7]) &&
		       offload_may(&tun->join_udp);
	return !(info->tcp_flags &
		 ~(TCP_ACK | TCP_PSH)) && /* nothing special */
	       offload_may(&tun->join_tcp);
}

static bool append(struct joined *joined, const uint8_t *data, size_t size,
		   const struct packet_info *info, bool unsummed)
{
	size_t payload = size - info->payload;

	if (joined->closed || joined->count == PIECES ||
	    joined->unsummed != unsummed || payload > joined->segment ||
	    joined->total + payload > UINT16_MAX - 64 ||
	    !headers_agree(joined, data, info))
		return false;
	if (info->proto == IPPROTO_TCP &&
	    get_be32(data + info->l4 + 4) != joined->next_seq)
		return false;
	joined->pieces[joined->count++] =
		(struct iovec){ (void *)(data + info->payload), payload };
	joined->total += (uint32_t)payload;
	joined->next_seq += (uint32_t)payload;
	joined->push = info->tcp_flags & TCP_PSH;
	joined->closed = payload < joined->segment || joined->push;
	return true;
}

static void begin(struct joined *joined, const uint8_t *data, size_t size,
		  const struct packet_info *info, bool unsummed)
{
	size_t payload = size - info->payload;

	joined->info = *info;
	joined->first = data;
	joined->total = (uint32_t)size;
	joined->segment = (uint16_t)payload;
	joined->count = 1;
	joined->unsummed = unsummed;
	joined->push = info->tcp_flags & TCP_PSH;
	joined->closed = joined->push;
	joined->next_seq = 0;
	if (info->proto == IPPROTO_TCP)
		joined->next_seq =
			get_be32(data + info->l4 + 4) + (uint32_t)payload;
	joined->pieces[0] =
		(struct iovec){ (void *)(data + info->payload), payload };
}

/* The place of this flow, or a free one, or the oldest made free. */
static struct joined *place_of(struct tun *tun, uint32_t flow)
{
	struct joined *empty = NULL;

	for (int i = 0; i < PENDING; i++) {
		struct joined *at = &tun->pending[i];

		if (at->count && at->info.flow == flow)
			return at;
		if (!at->count && !empty)
			empty = at;
	}
	if (!empty) {
		empty = &tun->pending[flow % PENDING];
		joined_write(tun, empty);
	}
	return empty;
}

void tun_put(struct tun *tun, const uint8_t *data, size_t size, bool unsummed)
{
	struct packet_info info;
	struct joined *place;

	packet_parse(data, size, tun->tap, &info);
	if (unsummed && (!info.plain || info.payload > PACKET_HEADER_MAX)) {
		tun->counters.malformed++;
		return;
	}
	tun->counters.out_packets++;
	tun->counters.out_bytes += size;
	place = place_of(tun, info.flow);
	if (!joinable(tun, data, size, &info) ||
	    (!unsummed && !packet_sum_good(data, &info))) {
		if (place->count)
			joined_write(tun, place);
		write_one(tun, data, size, &info, unsummed);
		return;
	}
	if (place->count && append(place, data, size, &info, unsummed))
		return;
	if (place->count)
		joined_write(tun, place);
	begin(place, data, size, &info, unsummed);
}

void tun_flush(struct tun *tun)
{
	for (int i = 0; i < PENDING; i++)
		if (tun->pending[i].count)
			joined_write(tun, &tun->pending[i]);
}
