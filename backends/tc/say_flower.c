/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What flower looks at, in words of tc (say.h). */
#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <netinet/in.h>
#include <string.h>

#include "backends/tc/say.h"
#include "backends/tc/heed.h"
#include "model/base/mem.h"

enum form {
	FORM_MAC,
	FORM_IP4,
	FORM_IP6,
	FORM_PORT,   /* be16, and a mask in the same way */
	FORM_BE16,   /* alone */
	FORM_NUMBER, /* as the machine has it */
	FORM_TOS,    /* hex, and so its mask */
	FORM_BYTE,   /* decimal, and so its mask */
	FORM_TCP,    /* flags */
	FORM_TYPE,   /* of Ethernet */
	FORM_BE32,
	FORM_MARK,
};

/* mask 0: there is none. protos: tc only takes the word behind one of these. */
struct key {
	int value, mask;
	enum form form;
	const char *word;
	uint8_t proto;
};

/* In the order in which tc has to hear of them: what VLANs have in them before
 * what is asked there. */
static const struct key keys[] = {
	{ TCA_FLOWER_KEY_NUM_OF_VLANS, 0, FORM_NUMBER, "num_of_vlans", 0 },
	{ TCA_FLOWER_KEY_VLAN_ID, 0, FORM_NUMBER, "vlan_id", 0 },
	{ TCA_FLOWER_KEY_VLAN_PRIO, 0, FORM_NUMBER, "vlan_prio", 0 },
	{ TCA_FLOWER_KEY_VLAN_ETH_TYPE, 0, FORM_TYPE, "vlan_ethtype", 0 },
	{ TCA_FLOWER_KEY_CVLAN_ID, 0, FORM_NUMBER, "cvlan_id", 0 },
	{ TCA_FLOWER_KEY_CVLAN_PRIO, 0, FORM_NUMBER, "cvlan_prio", 0 },
	{ TCA_FLOWER_KEY_CVLAN_ETH_TYPE, 0, FORM_TYPE, "cvlan_ethtype", 0 },
	{ TCA_FLOWER_KEY_ETH_DST, TCA_FLOWER_KEY_ETH_DST_MASK, FORM_MAC,
	  "dst_mac", 0 },
	{ TCA_FLOWER_KEY_ETH_SRC, TCA_FLOWER_KEY_ETH_SRC_MASK, FORM_MAC,
	  "src_mac", 0 },
	{ TCA_FLOWER_KEY_IP_TOS, TCA_FLOWER_KEY_IP_TOS_MASK, FORM_TOS, "ip_tos",
	  0 },
	{ TCA_FLOWER_KEY_IP_TTL, TCA_FLOWER_KEY_IP_TTL_MASK, FORM_TOS, "ip_ttl",
	  0 },
	{ TCA_FLOWER_KEY_IPV4_SRC, TCA_FLOWER_KEY_IPV4_SRC_MASK, FORM_IP4,
	  "src_ip", 0 },
	{ TCA_FLOWER_KEY_IPV4_DST, TCA_FLOWER_KEY_IPV4_DST_MASK, FORM_IP4,
	  "dst_ip", 0 },
	{ TCA_FLOWER_KEY_IPV6_SRC, TCA_FLOWER_KEY_IPV6_SRC_MASK, FORM_IP6,
	  "src_ip", 0 },
	{ TCA_FLOWER_KEY_IPV6_DST, TCA_FLOWER_KEY_IPV6_DST_MASK, FORM_IP6,
	  "dst_ip", 0 },
	{ TCA_FLOWER_KEY_TCP_SRC, TCA_FLOWER_KEY_TCP_SRC_MASK, FORM_PORT,
	  "src_port", IPPROTO_TCP },
	{ TCA_FLOWER_KEY_TCP_DST, TCA_FLOWER_KEY_TCP_DST_MASK, FORM_PORT,
	  "dst_port", IPPROTO_TCP },
	{ TCA_FLOWER_KEY_UDP_SRC, TCA_FLOWER_KEY_UDP_SRC_MASK, FORM_PORT,
	  "src_port", IPPROTO_UDP },
	{ TCA_FLOWER_KEY_UDP_DST, TCA_FLOWER_KEY_UDP_DST_MASK, FORM_PORT,
	  "dst_port", IPPROTO_UDP },
	{ TCA_FLOWER_KEY_SCTP_SRC, TCA_FLOWER_KEY_SCTP_SRC_MASK, FORM_PORT,
	  "src_port", IPPROTO_SCTP },
	{ TCA_FLOWER_KEY_SCTP_DST, TCA_FLOWER_KEY_SCTP_DST_MASK, FORM_PORT,
	  "dst_port", IPPROTO_SCTP },
	{ TCA_FLOWER_KEY_TCP_FLAGS, TCA_FLOWER_KEY_TCP_FLAGS_MASK, FORM_TCP,
	  "tcp_flags", IPPROTO_TCP },
	{ TCA_FLOWER_KEY_ICMPV4_TYPE, TCA_FLOWER_KEY_ICMPV4_TYPE_MASK,
	  FORM_BYTE, "type", IPPROTO_ICMP },
	{ TCA_FLOWER_KEY_ICMPV4_CODE, TCA_FLOWER_KEY_ICMPV4_CODE_MASK,
	  FORM_BYTE, "code", IPPROTO_ICMP },
	{ TCA_FLOWER_KEY_ICMPV6_TYPE, TCA_FLOWER_KEY_ICMPV6_TYPE_MASK,
	  FORM_BYTE, "type", IPPROTO_ICMPV6 },
	{ TCA_FLOWER_KEY_ICMPV6_CODE, TCA_FLOWER_KEY_ICMPV6_CODE_MASK,
	  FORM_BYTE, "code", IPPROTO_ICMPV6 },
	{ TCA_FLOWER_KEY_ARP_SIP, TCA_FLOWER_KEY_ARP_SIP_MASK, FORM_IP4,
	  "arp_sip", 0 },
	{ TCA_FLOWER_KEY_ARP_TIP, TCA_FLOWER_KEY_ARP_TIP_MASK, FORM_IP4,
	  "arp_tip", 0 },
	{ TCA_FLOWER_KEY_ARP_OP, TCA_FLOWER_KEY_ARP_OP_MASK, FORM_BYTE,
	  "arp_op", 0 },
	{ TCA_FLOWER_KEY_ARP_SHA, TCA_FLOWER_KEY_ARP_SHA_MASK, FORM_MAC,
	  "arp_sha", 0 },
	{ TCA_FLOWER_KEY_ARP_THA, TCA_FLOWER_KEY_ARP_THA_MASK, FORM_MAC,
	  "arp_tha", 0 },
	{ TCA_FLOWER_KEY_MPLS_LABEL, 0, FORM_NUMBER, "mpls_label", 0 },
	{ TCA_FLOWER_KEY_MPLS_TC, 0, FORM_NUMBER, "mpls_tc", 0 },
	{ TCA_FLOWER_KEY_MPLS_BOS, 0, FORM_NUMBER, "mpls_bos", 0 },
	{ TCA_FLOWER_KEY_MPLS_TTL, 0, FORM_NUMBER, "mpls_ttl", 0 },
	{ TCA_FLOWER_KEY_CT_ZONE, TCA_FLOWER_KEY_CT_ZONE_MASK, FORM_MARK,
	  "ct_zone", 0 },
	{ TCA_FLOWER_KEY_CT_MARK, TCA_FLOWER_KEY_CT_MARK_MASK, FORM_MARK,
	  "ct_mark", 0 },
	{ TCA_FLOWER_KEY_ENC_KEY_ID, 0, FORM_BE32, "enc_key_id", 0 },
	{ TCA_FLOWER_KEY_ENC_IPV4_SRC, TCA_FLOWER_KEY_ENC_IPV4_SRC_MASK,
	  FORM_IP4, "enc_src_ip", 0 },
	{ TCA_FLOWER_KEY_ENC_IPV4_DST, TCA_FLOWER_KEY_ENC_IPV4_DST_MASK,
	  FORM_IP4, "enc_dst_ip", 0 },
	{ TCA_FLOWER_KEY_ENC_IPV6_SRC, TCA_FLOWER_KEY_ENC_IPV6_SRC_MASK,
	  FORM_IP6, "enc_src_ip", 0 },
	{ TCA_FLOWER_KEY_ENC_IPV6_DST, TCA_FLOWER_KEY_ENC_IPV6_DST_MASK,
	  FORM_IP6, "enc_dst_ip", 0 },
	{ TCA_FLOWER_KEY_ENC_UDP_DST_PORT, 0, FORM_BE16, "enc_dst_port", 0 },
	{ TCA_FLOWER_KEY_ENC_IP_TOS, TCA_FLOWER_KEY_ENC_IP_TOS_MASK, FORM_TOS,
	  "enc_tos", 0 },
	{ TCA_FLOWER_KEY_ENC_IP_TTL, TCA_FLOWER_KEY_ENC_IP_TTL_MASK, FORM_TOS,
	  "enc_ttl", 0 },
};

/* ---- one key ---- */

struct pair {
	uint8_t value[16], mask[16];
	size_t size;
};

static bool is_full(const struct pair *pair)
{
	for (size_t i = 0; i < pair->size; i++)
		if (pair->mask[i] != 0xff)
			return false;
	return true;
}

static uint32_t number(const uint8_t *bytes, size_t size, bool big)
{
	uint32_t u = 0;

	for (size_t i = 0; i < size && i < 4; i++)
		u = u << 8 | bytes[big ? i : size - 1 - i];
	return u;
}

/* How many bits from the top; -1: there is a gap. */
static int prefix_length(const struct pair *pair)
{
	int length = 0, bits = (int)pair->size * 8;

	while (length < bits && pair->mask[length / 8] >> (7 - length % 8) & 1)
		length++;
	for (int i = length; i < bits; i++)
		if (pair->mask[i / 8] >> (7 - i % 8) & 1)
			return -1;
	return length;
}

static int put_address(const struct say *say, const struct key *key, int family,
		       const struct pair *pair)
{
	char address[INET6_ADDRSTRLEN];
	int length = prefix_length(pair);

	if (length < 0 ||
	    !inet_ntop(family, pair->value, address, sizeof(address)))
		return err_set(say->err, EOPNOTSUPP,
			       "the mask of its %s has a gap, which tc cannot "
			       "say",
			       key->word);
	text_printf(say->out, " %s %s/%d", key->word, address, length);
	return 0;
}

static void put_mac(const uint8_t *mac, struct text *out)
{
	for (int i = 0; i < ETH_ALEN; i++)
		text_printf(out, "%s%02x", i ? ":" : "", mac[i]);
}

static void put_number(const char *before, uint32_t u, bool hex,
		       struct text *out)
{
	if (hex)
		text_printf(out, "%s0x%x", before, u);
	else
		text_printf(out, "%s%u", before, u);
}

/* "WORD VALUE", and "/MASK" if it is not all of it. */
static void put_masked(const struct key *key, const struct pair *pair, bool big,
		       bool hex, bool hex_mask, struct text *out)
{
	text_printf(out, " %s", key->word);
	put_number(" ", number(pair->value, pair->size, big), hex, out);
	if (!is_full(pair))
		put_number("/", number(pair->mask, pair->size, big), hex_mask,
			   out);
}

static int put_key(const struct say *say, const struct key *key,
		   const struct pair *pair)
{
	struct text *out = say->out;

	switch (key->form) {
	case FORM_MAC:
		text_printf(out, " %s ", key->word);
		put_mac(pair->value, out);
		if (is_full(pair))
			break;
		text_put_char(out, '/');
		put_mac(pair->mask, out);
		break;
	case FORM_IP4: return put_address(say, key, AF_INET, pair);
	case FORM_IP6: return put_address(say, key, AF_INET6, pair);
	/* A 0 without a mask tc takes for none. */
	case FORM_PORT:
		if (is_full(pair) && !number(pair->value, 2, true))
			text_printf(out, " %s 0/0xffff", key->word);
		else
			put_masked(key, pair, true, false, true, out);
		break;
	case FORM_BE16:
	case FORM_BE32: put_masked(key, pair, true, false, false, out); break;
	case FORM_NUMBER:
		put_masked(key, pair, false, false, false, out);
		break;
	case FORM_TOS: put_masked(key, pair, false, true, true, out); break;
	case FORM_BYTE: put_masked(key, pair, false, false, false, out); break;
	case FORM_TCP: put_masked(key, pair, true, true, true, out); break;
	case FORM_TYPE: put_masked(key, pair, true, true, true, out); break;
	case FORM_MARK: put_masked(key, pair, false, true, true, out); break;
	}
	return 0;
}

static bool read_pair(struct heed *heed, const struct key *key,
		      struct pair *pair)
{
	const struct nlattr *value = heed_attr(heed, key->value);
	const struct nlattr *mask =
		key->mask ? heed_attr(heed, key->mask) : NULL;

	if (!value || nla_len(value) > (int)sizeof(pair->value))
		return false;
	memset(pair, 0, sizeof(*pair));
	pair->size = (size_t)nla_len(value);
	memcpy(pair->value, nla_data(value), pair->size);
	memset(pair->mask, 0xff, sizeof(pair->mask));
	if (mask && nla_len(mask) == nla_len(value))
		memcpy(pair->mask, nla_data(mask), pair->size);
	return true;
}

/* ---- what is no pair ---- */

static const struct {
	uint32_t bit;
	const char *word;
} flag_words[] = {
	{ TCA_FLOWER_KEY_FLAGS_IS_FRAGMENT, "frag" },
	{ TCA_FLOWER_KEY_FLAGS_FRAG_IS_FIRST, "firstfrag" },
}, state_words[] = {
	{ TCA_FLOWER_KEY_CT_FLAGS_TRACKED, "trk" },
	{ TCA_FLOWER_KEY_CT_FLAGS_NEW, "new" },
	{ TCA_FLOWER_KEY_CT_FLAGS_ESTABLISHED, "est" },
	{ TCA_FLOWER_KEY_CT_FLAGS_RELATED, "rel" },
	{ TCA_FLOWER_KEY_CT_FLAGS_INVALID, "inv" },
	{ TCA_FLOWER_KEY_CT_FLAGS_REPLY, "rpl" },
};

static int put_flags(const struct say *say, struct heed *heed)
{
	uint32_t value = ntohl(heed_u32(heed, TCA_FLOWER_KEY_FLAGS, 0));
	uint32_t mask = ntohl(heed_u32(heed, TCA_FLOWER_KEY_FLAGS_MASK, 0));
	const char *before = " ip_flags ";

	for (size_t i = 0; i < ARRAY_SIZE(flag_words); i++) {
		if (!(mask & flag_words[i].bit))
			continue;
		text_printf(say->out, "%s%s%s", before,
			    value & flag_words[i].bit ? "" : "no",
			    flag_words[i].word);
		before = "/";
		mask &= ~flag_words[i].bit;
	}
	return mask ? err_set(say->err, EOPNOTSUPP,
			      "it asks for flags 0x%x, for which tc has no "
			      "words",
			      mask)
		    : 0;
}

static int put_state(const struct say *say, struct heed *heed)
{
	uint32_t value = heed_u32(heed, TCA_FLOWER_KEY_CT_STATE, 0);
	uint32_t mask = heed_u32(heed, TCA_FLOWER_KEY_CT_STATE_MASK, 0);

	if (mask)
		text_put(say->out, " ct_state ");
	for (size_t i = 0; i < ARRAY_SIZE(state_words); i++) {
		if (!(mask & state_words[i].bit))
			continue;
		text_printf(say->out, "%c%s",
			    value & state_words[i].bit ? '+' : '-',
			    state_words[i].word);
		mask &= ~state_words[i].bit;
	}
	return mask ? err_set(say->err, EOPNOTSUPP,
			      "it asks for states 0x%x of a connection, for "
			      "which tc has no words",
			      mask)
		    : 0;
}

static int put_range(const struct say *say, struct heed *heed, const char *word,
		     int least, int most)
{
	uint32_t from = ntohs((uint16_t)heed_u32(heed, least, 0));
	uint32_t to = ntohs((uint16_t)heed_u32(heed, most, 0));

	if (!heed_has(heed, least) && !heed_has(heed, most))
		return 0;
	if (!from || to <= from)
		return err_set(say->err, EOPNOTSUPP,
			       "its %s is %u to %u, which tc cannot say", word,
			       from, to);
	text_printf(say->out, " %s %u-%u", word, from, to);
	return 0;
}

/* ---- the whole ---- */

/* tc takes it from what the filter's protocol is, or what is in its VLANs. */
static int check_type(const struct say *say, struct heed *heed,
		      uint16_t protocol)
{
	uint16_t type =
		ntohs((uint16_t)heed_u32(heed, TCA_FLOWER_KEY_ETH_TYPE, 0));
	/* The kernel tells the innermost one. */
	bool inside = heed_has(heed, TCA_FLOWER_KEY_VLAN_ETH_TYPE) ||
		      heed_has(heed, TCA_FLOWER_KEY_CVLAN_ETH_TYPE);

	if (!heed_has(heed, TCA_FLOWER_KEY_ETH_TYPE) || type == protocol ||
	    inside)
		return 0;
	return err_set(say->err, EOPNOTSUPP,
		       "it asks for packets of type 0x%04x, and is only asked "
		       "for those of 0x%04x",
		       type, protocol);
}

int say_flower(const struct say *say, struct heed *heed, uint16_t protocol)
{
	bool has_proto = heed_has(heed, TCA_FLOWER_KEY_IP_PROTO);
	uint32_t proto = heed_u32(heed, TCA_FLOWER_KEY_IP_PROTO, 0);
	struct pair pair;
	bool said_proto = false;
	int rc = check_type(say, heed, protocol);

	for (size_t i = 0; i < ARRAY_SIZE(keys) && rc == 0; i++) {
		/* Behind what says which protocol is in a VLAN. */
		if (has_proto && !said_proto &&
		    keys[i].value == TCA_FLOWER_KEY_ETH_DST) {
			text_printf(say->out, " ip_proto 0x%02x", proto);
			said_proto = true;
		}
		if (!heed_has(heed, keys[i].value) ||
		    (keys[i].proto && keys[i].proto != proto))
			continue;
		if (read_pair(heed, &keys[i], &pair))
			rc = put_key(say, &keys[i], &pair);
	}
	if (rc == 0)
		rc = put_range(say, heed, "src_port",
			       TCA_FLOWER_KEY_PORT_SRC_MIN,
			       TCA_FLOWER_KEY_PORT_SRC_MAX);
	if (rc == 0)
		rc = put_range(say, heed, "dst_port",
			       TCA_FLOWER_KEY_PORT_DST_MIN,
			       TCA_FLOWER_KEY_PORT_DST_MAX);
	if (rc == 0)
		rc = put_flags(say, heed);
	return rc < 0 ? rc : put_state(say, heed);
}
