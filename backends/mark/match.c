/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/mark/match.h"

#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <netinet/in.h>
#include <string.h>

#include "backends/mark/cgroup.h"
#include "backends/mark/set.h"
#include "model/base/mem.h"

/* Offsets in the headers. */
enum {
	IP4_DSCP = 1,
	IP4_SOURCE = 12,
	IP4_DESTINATION = 16,
	IP6_SOURCE = 8,
	IP6_DESTINATION = 24,
	PORT_SOURCE = 0,
	PORT_DESTINATION = 2,
	TCP_FLAGS = 13,
};

/* ---- can it be had? -------------------------------------------------- */

static bool has_ports(uint64_t proto)
{
	return proto == IPPROTO_TCP || proto == IPPROTO_UDP ||
	       proto == IPPROTO_SCTP || proto == IPPROTO_DCCP ||
	       proto == IPPROTO_UDPLITE;
}

static bool check_proto(const struct node *match, struct report *report)
{
	uint64_t proto = node_u(match, MATCH_PROTO);
	bool ports =
		node_has(match, MATCH_SPORT) || node_has(match, MATCH_DPORT);

	if (!node_has(match, MATCH_PROTO))
		return true;
	if (ports && !has_ports(proto)) {
		report_error(report, match, EINVAL,
			     "this protocol has no ports: proto must be tcp, "
			     "udp, sctp, dccp or udplite");
		return false;
	}
	if (node_has(match, MATCH_TCP_FLAGS) && proto != IPPROTO_TCP) {
		report_error(report, match, EINVAL,
			     "tcp-flags are for proto=tcp only");
		return false;
	}
	return true;
}

/* A group goes when its service stops. That must not stand in the way of every
 * other change: refused is only what somebody asks for now. */
static bool without_cgroup(const struct node *match, struct report *report,
			   const char *why)
{
	const char *path = node_text(match, MATCH_CGROUP);

	if (node_dirt(match) != DIRT_NONE)
		report_error(report, match, ENOENT, "cgroup %s: %s", path, why);
	else
		report_warning(report, match, "left out: cgroup %s: %s", path,
			       why);
	return false;
}

static bool check_cgroup(const struct node *match, struct report *report)
{
	const char *path = node_text(match, MATCH_CGROUP);

	if (!path)
		return true;
	if (node_u(match, MATCH_SCOPE) == SCOPE_PACKET) {
		/* nft_socket_validate() of net/netfilter/nft_socket.c lets it
		 * be asked in prerouting, input and output only, and there it
		 * is too early to give a packet its priority. */
		report_error(report, match, EINVAL,
			     "a cgroup decides for whole connections: "
			     "scope=connection");
		return false;
	}
	switch (cgroup_find(path).state) {
	case CGROUP_HERE: return true;
	case CGROUP_MISSING:
		return without_cgroup(match, report, "there is none now");
	case CGROUP_UNMOUNTED:
		return without_cgroup(match, report,
				      "no cgroup2 file system is mounted here");
	case CGROUP_UNASKED: break;
	}
	return without_cgroup(match, report, "it was not looked up");
}

bool match_check(const struct node *match, struct report *report)
{
	int families[2];

	if (!match_families(match, families)) {
		report_error(report, match, EINVAL,
			     "can never match: src and dst have no address "
			     "family in common");
		return false;
	}
	return check_proto(match, report) && check_cgroup(match, report);
}

/* ---- families -------------------------------------------------------- */

enum { HAS_IP4 = 1, HAS_IP6 = 2, HAS_BOTH = HAS_IP4 | HAS_IP6 };

static const struct prefixes *prefixes_of(const struct node *match, size_t attr)
{
	const struct value *value = node_value(match, attr);

	return value && !value->word ? value->prefixes : NULL;
}

static const struct ranges *ranges_of(const struct node *match, size_t attr)
{
	const struct value *value = node_value(match, attr);

	return value && !value->word ? value->ranges : NULL;
}

static unsigned families_in(const struct prefixes *list)
{
	unsigned found = 0;

	for (size_t i = 0; list && i < list->count; i++)
		found |= list->item[i].family == AF_INET ? HAS_IP4 : HAS_IP6;
	return list ? found : (unsigned)HAS_BOTH;
}

size_t match_families(const struct node *match, int families[2])
{
	const struct prefixes *src = prefixes_of(match, MATCH_SRC);
	const struct prefixes *dst = prefixes_of(match, MATCH_DST);
	unsigned found = families_in(src) & families_in(dst);
	size_t count = 0;

	if (!src && !dst && !node_has(match, MATCH_DSCP)) {
		families[0] = AF_UNSPEC;
		return 1;
	}
	if (found & HAS_IP4)
		families[count++] = AF_INET;
	if (found & HAS_IP6)
		families[count++] = AF_INET6;
	return count;
}

/* ---- addresses ------------------------------------------------------- */

static void prefix_interval(const struct prefix *prefix, struct interval *out)
{
	size_t length = prefix->family == AF_INET ? 4 : 16;

	for (size_t i = 0; i < length; i++) {
		int bits = (int)prefix->length - (int)i * 8;
		uint8_t mask = bits >= 8   ? 0xff
			       : bits <= 0 ? 0
					   : (uint8_t)(0xff00 >> bits);

		out->from[i] = prefix->bytes[i] & mask;
		out->to[i] = out->from[i] | (uint8_t)~mask;
	}
}

/* Length of the prefix that the interval is, or -1. */
static int prefix_length(const struct interval *item, size_t length)
{
	size_t bit = 0;

	while (bit < length * 8 &&
	       !((item->from[bit / 8] ^ item->to[bit / 8]) & (0x80 >> bit % 8)))
		bit++;
	for (size_t i = bit; i < length * 8; i++)
		if (item->from[i / 8] & (0x80 >> i % 8) ||
		    !(item->to[i / 8] & (0x80 >> i % 8)))
			return -1;
	return (int)bit;
}

/* As nft does: whole bytes are compared as they are, else under a mask. */
static void test_prefix(struct draft *draft, const struct interval *item,
			size_t length, int bits, uint32_t offset)
{
	static const uint8_t nothing[16];
	uint8_t mask[16];

	if (!bits)
		return;
	if (bits % 8 == 0) {
		expr_payload(draft, NFT_PAYLOAD_NETWORK_HEADER, offset,
			     (uint32_t)bits / 8);
		expr_cmp(draft, NFT_CMP_EQ, item->from, (size_t)bits / 8);
		return;
	}
	for (size_t i = 0; i < length; i++)
		mask[i] = (uint8_t) ~(item->from[i] ^ item->to[i]);
	expr_payload(draft, NFT_PAYLOAD_NETWORK_HEADER, offset,
		     (uint32_t)length);
	expr_bitwise(draft, mask, nothing, (uint32_t)length);
	expr_cmp(draft, NFT_CMP_EQ, item->from, length);
}

static void test_addresses(struct draft *draft, const struct prefixes *list,
			   int family, uint32_t offset)
{
	const struct key_type *key = family == AF_INET ? &key_ipv4 : &key_ipv6;
	AUTO(mem) void *room = NULL;
	struct interval *items;
	size_t count = 0;
	int bits;

	if (!list)
		return;
	items = room = mem_array(list->count, sizeof(*items));
	for (size_t i = 0; i < list->count; i++)
		if (list->item[i].family == family)
			prefix_interval(&list->item[i], &items[count++]);
	count = intervals_join(items, count, key->length);
	bits = count == 1 ? prefix_length(items, key->length) : -1;
	if (bits >= 0) {
		test_prefix(draft, items, key->length, bits, offset);
		return;
	}
	expr_payload(draft, NFT_PAYLOAD_NETWORK_HEADER, offset, key->length);
	set_test(draft, key, items, count);
}

static void test_dscp(struct draft *draft, const struct node *match, int family)
{
	static const uint8_t nothing[2], mask4[] = { 0xfc },
					 mask6[] = { 0x0f, 0xc0 };
	uint8_t dscp = (uint8_t)node_u(match, MATCH_DSCP);
	uint8_t value4[] = { (uint8_t)(dscp << 2) };
	uint8_t value6[] = { dscp >> 2, (uint8_t)(dscp << 6) };
	bool ip4 = family == AF_INET;
	uint32_t length = ip4 ? 1 : 2;

	if (!node_has(match, MATCH_DSCP))
		return;
	expr_payload(draft, NFT_PAYLOAD_NETWORK_HEADER, ip4 ? IP4_DSCP : 0,
		     length);
	expr_bitwise(draft, ip4 ? mask4 : mask6, nothing, length);
	expr_cmp(draft, NFT_CMP_EQ, ip4 ? value4 : value6, length);
}

static void test_network(struct draft *draft, const struct node *match,
			 int family)
{
	bool ip4 = family == AF_INET;

	if (family == AF_UNSPEC)
		return;
	expr_meta(draft, NFT_META_NFPROTO);
	expr_cmp_u8(draft, ip4 ? NFPROTO_IPV4 : NFPROTO_IPV6);
	test_addresses(draft, prefixes_of(match, MATCH_SRC), family,
		       ip4 ? IP4_SOURCE : IP6_SOURCE);
	test_addresses(draft, prefixes_of(match, MATCH_DST), family,
		       ip4 ? IP4_DESTINATION : IP6_DESTINATION);
	test_dscp(draft, match, family);
}

/* ---- the rest -------------------------------------------------------- */

static void test_proto(struct draft *draft, const struct node *match)
{
	struct interval protos[] = { { { IPPROTO_TCP }, { IPPROTO_TCP } },
				     { { IPPROTO_UDP }, { IPPROTO_UDP } } };
	bool ports =
		node_has(match, MATCH_SPORT) || node_has(match, MATCH_DPORT);
	bool flags = node_has(match, MATCH_TCP_FLAGS);

	if (!node_has(match, MATCH_PROTO) && !ports && !flags)
		return;
	expr_meta(draft, NFT_META_L4PROTO);
	if (node_has(match, MATCH_PROTO))
		expr_cmp_u8(draft, (uint8_t)node_u(match, MATCH_PROTO));
	else if (flags)
		expr_cmp_u8(draft, IPPROTO_TCP);
	else
		set_test(draft, &key_proto, protos, ARRAY_SIZE(protos));
}

static void test_ports(struct draft *draft, const struct node *match,
		       size_t attr, uint32_t offset)
{
	const struct ranges *ports = ranges_of(match, attr);

	if (!ports || !ports->count)
		return;
	expr_payload(draft, NFT_PAYLOAD_TRANSPORT_HEADER, offset, 2);
	set_test_ranges(draft, &key_port, ports);
}

static void test_flags(struct draft *draft, const struct node *match)
{
	const struct value *value = node_value(match, MATCH_TCP_FLAGS);
	uint8_t mask, nothing = 0;

	if (!value || value->word)
		return;
	mask = (uint8_t)value->bits.mask;
	expr_payload(draft, NFT_PAYLOAD_TRANSPORT_HEADER, TCP_FLAGS, 1);
	expr_bitwise(draft, &mask, &nothing, 1);
	expr_cmp_u8(draft, (uint8_t)value->bits.value);
}

static void test_meta(struct draft *draft, const struct node *match,
		      size_t attr, enum nft_meta_keys key,
		      const struct key_type *type)
{
	const struct ranges *ranges = ranges_of(match, attr);

	if (!ranges || !ranges->count)
		return;
	expr_meta(draft, key);
	set_test_ranges(draft, type, ranges);
}

static void test_cgroup(struct draft *draft, const struct node *match)
{
	const char *path = node_text(match, MATCH_CGROUP);
	struct cgroup cgroup;

	if (!path)
		return;
	cgroup = cgroup_find(path);
	expr_cgroup(draft, cgroup.level);
	expr_cmp(draft, NFT_CMP_EQ, &cgroup.id, sizeof(cgroup.id));
}

static void test_mark(struct draft *draft, const struct node *match)
{
	const struct value *value = node_value(match, MATCH_MARK);

	if (!value || value->word)
		return;
	expr_meta(draft, NFT_META_MARK);
	expr_mask(draft, value->bits.mask, 0);
	expr_cmp_u32(draft, NFT_CMP_EQ, value->bits.value);
}

void match_conditions(const struct node *match, int family, struct draft *draft)
{
	test_network(draft, match, family);
	test_proto(draft, match);
	test_ports(draft, match, MATCH_SPORT, PORT_SOURCE);
	test_ports(draft, match, MATCH_DPORT, PORT_DESTINATION);
	test_flags(draft, match);
	test_meta(draft, match, MATCH_LENGTH, NFT_META_LEN, &key_length);
	test_meta(draft, match, MATCH_UID, NFT_META_SKUID, &key_uid);
	test_meta(draft, match, MATCH_GID, NFT_META_SKGID, &key_gid);
	test_cgroup(draft, match);
	test_mark(draft, match);
}

/* ---- names of hosts -------------------------------------------------- */

/* "Host: NAME", to the end of its line or the port: RFC 9112, section 3.2. Not
 * with the end of the line before: some send each line by itself. */
static void put_header(const char *name, char end, struct text *out)
{
	text_printf(out, "Host: %s%c", name, end);
}

static void put_u16(size_t u, struct text *out)
{
	text_put_char(out, (char)(u >> 8));
	text_put_char(out, (char)u);
}

/* The extension server_name with one name: RFC 6066, section 3. */
static void put_server_name(const char *name, struct text *out)
{
	size_t length = strlen(name);

	put_u16(0, out); /* server_name */
	put_u16(length + 5, out);
	put_u16(length + 3, out);
	text_put_char(out, 0); /* host_name */
	put_u16(length, out);
	text_put(out, name);
}

void match_pattern(const struct node *match, unsigned which,
		   struct draft *draft)
{
	const char *name = node_text(match, MATCH_HOST);
	AUTO_TEXT pattern = TEXT_NONE;

	switch (which) {
	case 0: put_header(name, '\r', &pattern); break;
	case 1: put_header(name, ':', &pattern); break;
	default: put_server_name(name, &pattern); break;
	}
	expr_string(draft, text_get(&pattern), pattern.length);
}
