/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/tc/filter.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <netinet/in.h>
#include <string.h>

#include "backends/tc/message.h"
#include "backends/tc/tc.h"
#include "model/base/mem.h"

/* ---- attributes ---- */

#define MOST_ATTRS 128

/* The kinds that are known, and the attribute with flags of each, in which the
 * kernel also says whether a card has it, and which it does not take back. */
static const struct {
	const char *kind;
	int flags, action, police;
} kinds_known[] = {
	{ "fw", 0, TCA_FW_ACT, TCA_FW_POLICE },
	{ "u32", TCA_U32_FLAGS, TCA_U32_ACT, TCA_U32_POLICE },
	{ "flower", TCA_FLOWER_FLAGS, TCA_FLOWER_ACT, 0 },
	{ "bpf", TCA_BPF_FLAGS_GEN, TCA_BPF_ACT, TCA_BPF_POLICE },
	{ "matchall", TCA_MATCHALL_FLAGS, TCA_MATCHALL_ACT, 0 },
	{ "basic", 0, TCA_BASIC_ACT, TCA_BASIC_POLICE },
};

static long find_kind(const char *kind)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds_known); i++)
		if (!strcmp(kinds_known[i].kind, kind))
			return (long)i;
	return -1;
}

struct options {
	struct nlattr *attrs[MOST_ATTRS];
};

static bool read_options(const struct tc_object *object,
			 struct options *options)
{
	memset(options, 0, sizeof(*options));
	return nla_parse(options->attrs, MOST_ATTRS - 1,
			 (struct nlattr *)(uintptr_t)object->raw,
			 (int)object->raw_size, NULL) >= 0;
}

/* Is there any but these (0 at the end)? */
static bool has_others(const struct options *options, const int *known)
{
	for (int i = 1; i < MOST_ATTRS; i++) {
		const int *at = known;

		while (*at && *at != i)
			at++;
		if (options->attrs[i] && !*at)
			return true;
	}
	return false;
}

bool filter_keeps(const struct tc_object *object)
{
	long kind = find_kind(object->other.kind);
	struct options options;

	if (kind < 0 || !read_options(object, &options))
		return false;
	return !options.attrs[kinds_known[kind].action] &&
	       !options.attrs[kinds_known[kind].police] &&
	       /* A program of eBPF is named by a number that is not for long;
		* another hash table of u32 is not told of by its filters. */
	       (strcmp(object->other.kind, "bpf") != 0 ||
		options.attrs[TCA_BPF_OPS]) &&
	       (strcmp(object->other.kind, "u32") != 0 ||
		(!options.attrs[TCA_U32_LINK] && options.attrs[TCA_U32_SEL] &&
		 !(object->handle & 0xff000) && object->handle >> 20 >= 0x800));
}

void filter_options(const char *kind, const struct nlattr *options,
		    struct text *out)
{
	long known = find_kind(kind);
	struct nlattr *attr;
	int rest;

	if (!options)
		return;
	nla_for_each_nested(attr, (struct nlattr *)(uintptr_t)options, rest)
	{
		int type = nla_type(attr);
		bool drops = known >= 0 && type == kinds_known[known].flags;

		if (!strcmp(kind, "u32"))
			drops |= type == TCA_U32_HASH || type == TCA_U32_PCNT;
		if (!strcmp(kind, "flower"))
			drops |= type == TCA_FLOWER_IN_HW_COUNT;
		if (!drops)
			text_put_bytes(out, attr,
				       (size_t)NLA_ALIGN(attr->nla_len));
	}
}

/* ---- fields of a header, by value and mask ---- */

static bool is_empty(const uint8_t *mask, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (mask[i])
			return false;
	return true;
}

/* Bits from the top without a gap; -1: with one. */
static int prefix_of(const uint8_t *mask, size_t size)
{
	size_t bits = 0;

	while (bits < size * 8 && mask[bits / 8] >> (7 - bits % 8) & 1)
		bits++;
	for (size_t i = bits; i < size * 8; i++)
		if (mask[i / 8] >> (7 - i % 8) & 1)
			return -1;
	return (int)bits;
}

static bool take_network(struct network *network, const uint8_t *value,
			 const uint8_t *mask, size_t size)
{
	int length = prefix_of(mask, size);

	if (length < 0)
		return false;
	if (!length)
		return true;
	network->is = true;
	network->length = (unsigned)length;
	memcpy(network->bytes, value, size);
	return true;
}

static bool take_ports(struct ports *ports, const uint8_t *value,
		       const uint8_t *mask)
{
	int length = prefix_of(mask, 2);
	uint16_t port = (uint16_t)(value[0] << 8 | value[1]);

	if (length < 0)
		return false;
	if (!length)
		return true;
	*ports = (struct ports){ true, port,
				 (uint16_t)(port | 0xffffu >> length) };
	return true;
}

static bool take_proto(struct filter *filter, uint8_t value, uint8_t mask)
{
	if (mask && mask != 0xff)
		return false;
	filter->has_proto = mask != 0;
	filter->proto = value;
	return true;
}

/* Only these have ports where the match looks for them. */
static bool ports_make_sense(const struct filter *filter)
{
	return (!filter->sport.is && !filter->dport.is) ||
	       (filter->has_proto &&
		(filter->proto == IPPROTO_TCP || filter->proto == IPPROTO_UDP));
}

/* ---- u32 ---- */

#define HEADER_MOST 60

struct header {
	uint8_t value[HEADER_MOST], mask[HEADER_MOST];
};

static bool add_key(struct header *header, const struct tc_u32_key *key)
{
	const uint8_t *value = (const uint8_t *)&key->val;
	const uint8_t *mask = (const uint8_t *)&key->mask;

	if (!key->mask)
		return true;
	if (key->offmask || key->off < 0 || key->off > HEADER_MOST - 4)
		return false;
	for (int i = 0; i < 4; i++) {
		uint8_t twice = header->mask[key->off + i] & mask[i];

		if ((header->value[key->off + i] ^ value[i]) & twice)
			return false;
		header->value[key->off + i] |= value[i] & mask[i];
		header->mask[key->off + i] |= mask[i];
	}
	return true;
}

static bool read_key_list(const struct nlattr *attr, struct header *header)
{
	struct tc_u32_sel sel;

	if (!message_struct(attr, &sel, sizeof(sel)) ||
	    nla_len(attr) < (int)(sizeof(sel) +
				  sel.nkeys * sizeof(struct tc_u32_key)) ||
	    sel.flags & ~TC_U32_TERMINAL)
		return false;
	for (unsigned i = 0; i < sel.nkeys; i++) {
		struct tc_u32_key key;

		memcpy(&key,
		       (const char *)nla_data(attr) + sizeof(sel) +
			       i * sizeof(key),
		       sizeof(key));
		if (!add_key(header, &key))
			return false;
	}
	return true;
}

/* What is taken from the header is done with. */
static void done(struct header *header, size_t at, size_t size)
{
	memset(header->mask + at, 0, size);
}

static bool take_ip4(struct header *header, struct filter *out)
{
	const uint8_t *value = header->value, *mask = header->mask;
	bool fine = take_proto(out, value[9], mask[9]) &&
		    take_network(&out->src, value + 12, mask + 12, 4) &&
		    take_network(&out->dst, value + 16, mask + 16, 4) &&
		    take_ports(&out->sport, value + 20, mask + 20) &&
		    take_ports(&out->dport, value + 22, mask + 22) &&
		    (!mask[1] || mask[1] == 0xfc);

	out->has_dscp = mask[1] != 0;
	out->dscp = value[1] >> 2;
	done(header, 1, 1);
	done(header, 9, 1);
	done(header, 12, 12);
	return fine && is_empty(header->mask, HEADER_MOST);
}

static bool take_ip6(struct header *header, struct filter *out)
{
	const uint8_t *value = header->value, *mask = header->mask;
	bool has_dscp = mask[0] == 0x0f && mask[1] == 0xc0;
	bool fine = take_proto(out, value[6], mask[6]) &&
		    take_network(&out->src, value + 8, mask + 8, 16) &&
		    take_network(&out->dst, value + 24, mask + 24, 16) &&
		    take_ports(&out->sport, value + 40, mask + 40) &&
		    take_ports(&out->dport, value + 42, mask + 42);

	out->has_dscp = has_dscp;
	out->dscp = (uint8_t)((value[0] & 0x0f) << 2 | value[1] >> 6);
	if (has_dscp)
		done(header, 0, 2);
	done(header, 6, 1);
	done(header, 8, 36);
	return fine && is_empty(header->mask, HEADER_MOST);
}

static bool read_u32(const struct options *options, struct filter *out,
		     const char **why)
{
	static const int known[] = { TCA_U32_CLASSID, TCA_U32_HASH,
				     TCA_U32_SEL,     TCA_U32_PCNT,
				     TCA_U32_FLAGS,   0 };
	struct header header;

	memset(&header, 0, sizeof(header));
	*why = "it does more than to look at a header and name a class";
	if (has_others(options, known) || !options->attrs[TCA_U32_SEL])
		return false;
	out->classid = message_u32(options->attrs[TCA_U32_CLASSID]);
	*why = "what it looks at is no whole field of a match";
	if (!read_key_list(options->attrs[TCA_U32_SEL], &header))
		return false;
	if (is_empty(header.mask, HEADER_MOST))
		return true;
	if (out->family == AF_UNSPEC) {
		*why = "with protocol all it looks at bytes of packets that "
		       "are not IP as well";
		return false;
	}
	return out->family == AF_INET ? take_ip4(&header, out)
				      : take_ip6(&header, out);
}

/* ---- flower ---- */

static void copy_attr(const struct nlattr *attr, uint8_t *out, size_t size)
{
	memset(out, 0, size);
	if (attr)
		(void)message_struct(attr, out, size);
}

static bool flower_network(const struct options *options, int key, int mask_key,
			   size_t size, struct network *out)
{
	uint8_t value[16], mask[16];

	if (!options->attrs[key])
		return true;
	copy_attr(options->attrs[key], value, size);
	memset(mask, 0xff, sizeof(mask));
	if (options->attrs[mask_key])
		copy_attr(options->attrs[mask_key], mask, size);
	return take_network(out, value, mask, size);
}

static bool flower_ports(const struct options *options, int key, int mask_key,
			 struct ports *out)
{
	uint8_t value[2], mask[2] = { 0xff, 0xff };

	if (!options->attrs[key])
		return true;
	copy_attr(options->attrs[key], value, 2);
	if (options->attrs[mask_key])
		copy_attr(options->attrs[mask_key], mask, 2);
	return take_ports(out, value, mask);
}

static bool flower_tos(const struct options *options, struct filter *out)
{
	uint8_t mask = 0xff;

	if (!options->attrs[TCA_FLOWER_KEY_IP_TOS])
		return true;
	if (options->attrs[TCA_FLOWER_KEY_IP_TOS_MASK])
		mask = message_u8(options->attrs[TCA_FLOWER_KEY_IP_TOS_MASK]);
	out->has_dscp = true;
	out->dscp = message_u8(options->attrs[TCA_FLOWER_KEY_IP_TOS]) >> 2;
	return mask == 0xfc;
}

static bool read_flower(const struct options *options, struct filter *out,
			const char **why)
{
	static const int known[] = {
		TCA_FLOWER_CLASSID,	      TCA_FLOWER_FLAGS,
		TCA_FLOWER_IN_HW_COUNT,	      TCA_FLOWER_KEY_ETH_TYPE,
		TCA_FLOWER_KEY_IP_PROTO,      TCA_FLOWER_KEY_IPV4_SRC,
		TCA_FLOWER_KEY_IPV4_SRC_MASK, TCA_FLOWER_KEY_IPV4_DST,
		TCA_FLOWER_KEY_IPV4_DST_MASK, TCA_FLOWER_KEY_IPV6_SRC,
		TCA_FLOWER_KEY_IPV6_SRC_MASK, TCA_FLOWER_KEY_IPV6_DST,
		TCA_FLOWER_KEY_IPV6_DST_MASK, TCA_FLOWER_KEY_TCP_SRC,
		TCA_FLOWER_KEY_TCP_SRC_MASK,  TCA_FLOWER_KEY_TCP_DST,
		TCA_FLOWER_KEY_TCP_DST_MASK,  TCA_FLOWER_KEY_UDP_SRC,
		TCA_FLOWER_KEY_UDP_SRC_MASK,  TCA_FLOWER_KEY_UDP_DST,
		TCA_FLOWER_KEY_UDP_DST_MASK,  TCA_FLOWER_KEY_IP_TOS,
		TCA_FLOWER_KEY_IP_TOS_MASK,   0
	};

	*why = "it looks at what a match does not know, or does more";
	if (has_others(options, known))
		return false;
	out->classid = message_u32(options->attrs[TCA_FLOWER_CLASSID]);
	if (options->attrs[TCA_FLOWER_KEY_IP_PROTO])
		(void)take_proto(
			out,
			message_u8(options->attrs[TCA_FLOWER_KEY_IP_PROTO]),
			0xff);
	return flower_network(options, TCA_FLOWER_KEY_IPV4_SRC,
			      TCA_FLOWER_KEY_IPV4_SRC_MASK, 4, &out->src) &&
	       flower_network(options, TCA_FLOWER_KEY_IPV4_DST,
			      TCA_FLOWER_KEY_IPV4_DST_MASK, 4, &out->dst) &&
	       flower_network(options, TCA_FLOWER_KEY_IPV6_SRC,
			      TCA_FLOWER_KEY_IPV6_SRC_MASK, 16, &out->src) &&
	       flower_network(options, TCA_FLOWER_KEY_IPV6_DST,
			      TCA_FLOWER_KEY_IPV6_DST_MASK, 16, &out->dst) &&
	       flower_ports(options, TCA_FLOWER_KEY_TCP_SRC,
			    TCA_FLOWER_KEY_TCP_SRC_MASK, &out->sport) &&
	       flower_ports(options, TCA_FLOWER_KEY_TCP_DST,
			    TCA_FLOWER_KEY_TCP_DST_MASK, &out->dport) &&
	       flower_ports(options, TCA_FLOWER_KEY_UDP_SRC,
			    TCA_FLOWER_KEY_UDP_SRC_MASK, &out->sport) &&
	       flower_ports(options, TCA_FLOWER_KEY_UDP_DST,
			    TCA_FLOWER_KEY_UDP_DST_MASK, &out->dport) &&
	       flower_tos(options, out);
}

/* ---- fw ---- */

static bool read_fw(const struct tc_object *object,
		    const struct options *options, struct filter *out,
		    const char **why)
{
	static const int known[] = { TCA_FW_CLASSID, TCA_FW_MASK, 0 };

	*why = "it does more than to look at the mark and name a class";
	if (has_others(options, known) || !object->handle)
		return false;
	out->is_mark = true;
	out->mark = object->handle;
	out->mask = options->attrs[TCA_FW_MASK]
			    ? message_u32(options->attrs[TCA_FW_MASK])
			    : UINT32_MAX;
	out->classid = message_u32(options->attrs[TCA_FW_CLASSID]);
	*why = "its mark has bits outside its mask, so it never matches";
	return !(out->mark & ~out->mask);
}

/* ---- all ---- */

bool filter_read(const struct tc_object *object, struct filter *out,
		 const char **why)
{
	uint16_t protocol = ntohs((uint16_t)(object->other.info & 0xffff));
	struct options options;
	bool fine = false;

	*out = (struct filter){ .family = protocol == ETH_P_IP ? AF_INET
					  : protocol == ETH_P_IPV6
						  ? AF_INET6
						  : AF_UNSPEC };
	*why = "its protocol is neither all, ip nor ipv6";
	if (protocol != ETH_P_ALL && out->family == AF_UNSPEC)
		return false;
	*why = "filters of this kind are not read";
	if (!read_options(object, &options))
		return false;
	if (!strcmp(object->other.kind, "fw"))
		fine = read_fw(object, &options, out, why);
	else if (!strcmp(object->other.kind, "u32"))
		fine = read_u32(&options, out, why);
	else if (!strcmp(object->other.kind, "flower"))
		fine = read_flower(&options, out, why);
	if (!fine || ports_make_sense(out))
		return fine;
	*why = "it looks for ports without asking for tcp or udp";
	return false;
}

static void put_ports(const char *name, const struct ports *ports,
		      struct text *out)
{
	if (!ports->is)
		return;
	text_printf(out, " %s=%u", name, ports->from);
	if (ports->to != ports->from)
		text_printf(out, "-%u", ports->to);
}

static void put_network(const char *name, const struct network *network,
			int family, struct text *out)
{
	char address[INET6_ADDRSTRLEN];

	if (network->is &&
	    inet_ntop(family, network->bytes, address, sizeof(address)))
		text_printf(out, " %s=%s/%u", name, address, network->length);
}

void filter_print(const struct filter *filter, struct text *out)
{
	AUTO_TEXT line = TEXT_NONE;

	if (filter->is_mark)
		text_printf(&line, " mark=0x%x/0x%x", filter->mark,
			    filter->mask);
	if (filter->has_proto)
		text_printf(&line, " proto=%u", filter->proto);
	put_ports("sport", &filter->sport, &line);
	put_ports("dport", &filter->dport, &line);
	put_network("src", &filter->src, filter->family, &line);
	put_network("dst", &filter->dst, filter->family, &line);
	if (filter->has_dscp)
		text_printf(&line, " dscp=%u", filter->dscp);
	/* Nothing else says of which family it is. */
	if (filter->family == AF_INET && !filter->src.is && !filter->dst.is)
		text_put(&line, " src=0.0.0.0/0");
	if (filter->family == AF_INET6 && !filter->src.is && !filter->dst.is)
		text_put(&line, " src=::/0");
	text_put(out, line.length ? text_get(&line) + 1 : "");
}
