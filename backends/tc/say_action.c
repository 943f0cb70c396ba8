/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a filter does, in words of tc (say.h). */
#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/pkt_cls.h>
#include <linux/tc_act/tc_bpf.h>
#include <linux/tc_act/tc_connmark.h>
#include <linux/tc_act/tc_csum.h>
#include <linux/tc_act/tc_ctinfo.h>
#include <linux/tc_act/tc_defact.h>
#include <linux/tc_act/tc_gact.h>
#include <linux/tc_act/tc_mirred.h>
#include <linux/tc_act/tc_nat.h>
#include <linux/tc_act/tc_pedit.h>
#include <linux/tc_act/tc_sample.h>
#include <linux/tc_act/tc_skbedit.h>
#include <linux/tc_act/tc_vlan.h>
#include <string.h>

#include "backends/tc/message.h"
#include "backends/tc/say.h"
#include "backends/tc/heed.h"
#include "model/base/mem.h"

/* What nearly all of their structs begin with (tc_gen). */
struct general {
	tc_gen;
};

static int unreadable(const struct say *say)
{
	return err_set(say->err, EOPNOTSUPP,
		       "what the kernel tells of its action cannot be read");
}

/* ---- what becomes of the packet ---- */

static const struct {
	int action;
	const char *word;
} control_words[] = {
	{ TC_ACT_UNSPEC, "continue" },
	{ TC_ACT_OK, "pass" },
	{ TC_ACT_RECLASSIFY, "reclassify" },
	{ TC_ACT_SHOT, "drop" },
	{ TC_ACT_PIPE, "pipe" },
	{ TC_ACT_TRAP, "trap" },
};

static int put_control(const struct say *say, int action)
{
	int chain = action & TC_ACT_EXT_VAL_MASK;

	for (size_t i = 0; i < ARRAY_SIZE(control_words); i++)
		if (control_words[i].action == action) {
			text_printf(say->out, " %s", control_words[i].word);
			return 0;
		}
	if (TC_ACT_EXT_CMP(action, TC_ACT_GOTO_CHAIN))
		text_printf(say->out, " goto chain %d", chain);
	else if (TC_ACT_EXT_CMP(action, TC_ACT_JUMP))
		text_printf(say->out, " jump %d", chain);
	else
		return err_set(say->err, EOPNOTSUPP,
			       "its action ends with %d, for which tc has no "
			       "word",
			       action);
	return 0;
}

/* One that others have too keeps its number: by that they find it. */
static void put_index(uint32_t index, int ref, int bind, struct text *out)
{
	if (ref > 1 || bind > 1)
		text_printf(out, " index %u", index);
}

static int put_end(const struct say *say, const struct general *general)
{
	int rc = put_control(say, general->action);

	put_index(general->index, general->refcnt, general->bindcnt, say->out);
	return rc;
}

/* ---- kind by kind ---- */

static int say_gact(const struct say *say, struct heed *heed)
{
	struct tc_gact gact;
	struct tc_gact_p share;
	int rc;

	if (!heed_struct(heed, TCA_GACT_PARMS, &gact, sizeof(gact)))
		return unreadable(say);
	heed_skip(heed, TCA_GACT_TM);
	rc = put_control(say, gact.action);
	if (heed_struct(heed, TCA_GACT_PROB, &share, sizeof(share)) &&
	    share.ptype && rc == 0) {
		text_printf(say->out, " random %s",
			    share.ptype == PGACT_DETERM ? "determ" : "netrand");
		rc = put_control(say, share.paction);
		text_printf(say->out, " %u", share.pval);
	}
	put_index(gact.index, gact.refcnt, gact.bindcnt, say->out);
	return rc;
}

static int say_mirred(const struct say *say, struct heed *heed)
{
	static const char *const words[] = {
		[TCA_EGRESS_REDIR] = "egress redirect",
		[TCA_EGRESS_MIRROR] = "egress mirror",
		[TCA_INGRESS_REDIR] = "ingress redirect",
		[TCA_INGRESS_MIRROR] = "ingress mirror",
	};
	struct tc_mirred mirred;
	bool redirects;
	int rc;

	if (!heed_struct(heed, TCA_MIRRED_PARMS, &mirred, sizeof(mirred)) ||
	    mirred.eaction < TCA_EGRESS_REDIR ||
	    mirred.eaction > TCA_INGRESS_MIRROR)
		return unreadable(say);
	heed_skip(heed, TCA_MIRRED_TM);
	redirects = mirred.eaction == TCA_EGRESS_REDIR ||
		    mirred.eaction == TCA_INGRESS_REDIR;
	text_printf(say->out, " %s", words[mirred.eaction]);
	rc = say_device(say, "dev", (int)mirred.ifindex);
	if (rc == 0 && !redirects)
		rc = put_control(say, mirred.action);
	else if (rc == 0 && mirred.action != TC_ACT_STOLEN)
		rc = err_set(say->err, EOPNOTSUPP,
			     "it redirects and then ends with %d, for which "
			     "tc has no word",
			     mirred.action);
	put_index(mirred.index, mirred.refcnt, mirred.bindcnt, say->out);
	return rc;
}

static int put_police_rate(const struct say *say, struct heed *heed,
			   const struct tc_police *police)
{
	uint64_t rate = heed_number(heed, TCA_POLICE_RATE64, police->rate.rate);
	uint64_t peak =
		heed_number(heed, TCA_POLICE_PEAKRATE64, police->peakrate.rate);
	uint64_t burst = 0;
	int rc = 0;

	if (rate) {
		rc = say_burst(say, rate, police->burst, &burst);
		text_printf(say->out, " rate %llubit burst %llu",
			    (unsigned long long)rate * 8,
			    (unsigned long long)burst);
		if (police->rate.mpu)
			text_printf(say->out, " mpu %u", police->rate.mpu);
		if (police->rate.overhead)
			text_printf(say->out, " overhead %u",
				    police->rate.overhead);
		if ((police->rate.linklayer & TC_LINKLAYER_MASK) ==
		    TC_LINKLAYER_ATM)
			text_put(say->out, " linklayer atm");
	}
	if (police->mtu != UINT32_MAX)
		text_printf(say->out, " mtu %u", police->mtu);
	if (peak)
		text_printf(say->out, " peakrate %llubit",
			    (unsigned long long)peak * 8);
	return rc;
}

static int put_police_packets(const struct say *say, struct heed *heed)
{
	uint64_t rate = heed_number(heed, TCA_POLICE_PKTRATE64, 0);
	uint64_t ticks = heed_number(heed, TCA_POLICE_PKTBURST64, 0);
	uint64_t burst = 0;
	int rc;

	if (!rate)
		return 0;
	/* Packets in ticks at that rate, as bytes are. */
	rc = say_burst(say, rate, (uint32_t)ticks, &burst);
	text_printf(say->out, " pkts_rate %llu pkts_burst %llu",
		    (unsigned long long)rate, (unsigned long long)burst);
	return rc;
}

static int say_police_told(const struct say *say, struct heed *heed)
{
	struct tc_police police;
	uint32_t average = heed_u32(heed, TCA_POLICE_AVRATE, 0);
	int rc;

	if (!heed_struct(heed, TCA_POLICE_TBF, &police, sizeof(police)))
		return unreadable(say);
	heed_skip(heed, TCA_POLICE_TM);
	rc = put_police_rate(say, heed, &police);
	if (rc == 0)
		rc = put_police_packets(say, heed);
	if (average)
		text_printf(say->out, " avrate %llubit",
			    (unsigned long long)average * 8);
	text_put(say->out, " conform-exceed");
	if (rc == 0)
		rc = put_control(say, police.action);
	text_put(say->out, " /");
	if (rc == 0)
		rc = put_control(say,
				 (int)heed_u32(heed, TCA_POLICE_RESULT, 0));
	put_index(police.index, police.refcnt, police.bindcnt, say->out);
	return rc;
}

static int put_mark(const struct say *say, struct heed *heed)
{
	bool masked = heed_has(heed, TCA_SKBEDIT_MASK);
	uint32_t mask = heed_u32(heed, TCA_SKBEDIT_MASK, UINT32_MAX);

	if (!heed_has(heed, TCA_SKBEDIT_MARK))
		return 0;
	text_printf(say->out, " mark 0x%x",
		    heed_u32(heed, TCA_SKBEDIT_MARK, 0));
	if (masked)
		text_printf(say->out, "/0x%x", mask);
	return 0;
}

static int put_ptype(const struct say *say, uint32_t type)
{
	static const char *const words[] = {
		[PACKET_HOST] = "host",
		[PACKET_BROADCAST] = "broadcast",
		[PACKET_MULTICAST] = "multicast",
		[PACKET_OTHERHOST] = "otherhost",
	};

	if (type >= ARRAY_SIZE(words))
		return err_set(say->err, EOPNOTSUPP,
			       "it makes packets ones of type %u, for which tc "
			       "has no word",
			       type);
	text_printf(say->out, " ptype %s", words[type]);
	return 0;
}

static int say_skbedit(const struct say *say, struct heed *heed)
{
	struct general general;
	uint64_t flags = heed_number(heed, TCA_SKBEDIT_FLAGS, 0);
	int rc = 0;

	if (!heed_struct(heed, TCA_SKBEDIT_PARMS, &general, sizeof(general)))
		return unreadable(say);
	heed_skip(heed, TCA_SKBEDIT_TM);
	if (heed_has(heed, TCA_SKBEDIT_QUEUE_MAPPING))
		text_printf(say->out, " queue_mapping %u",
			    heed_u32(heed, TCA_SKBEDIT_QUEUE_MAPPING, 0));
	if (heed_has(heed, TCA_SKBEDIT_PRIORITY)) {
		uint32_t id = heed_u32(heed, TCA_SKBEDIT_PRIORITY, 0);

		text_printf(say->out, " priority %x:%x", TC_H_MAJ(id) >> 16,
			    TC_H_MIN(id));
	}
	(void)put_mark(say, heed);
	if (heed_has(heed, TCA_SKBEDIT_PTYPE))
		rc = put_ptype(say, heed_u32(heed, TCA_SKBEDIT_PTYPE, 0));
	if (flags & SKBEDIT_F_INHERITDSFIELD)
		text_put(say->out, " inheritdsfield");
	if (flags & ~(uint64_t)SKBEDIT_F_INHERITDSFIELD)
		rc = err_set(say->err, EOPNOTSUPP,
			     "it has flags 0x%llx, for which tc has no words",
			     (unsigned long long)flags);
	return rc < 0 ? rc : put_end(say, &general);
}

static int say_vlan(const struct say *say, struct heed *heed)
{
	static const char *const words[] = {
		[TCA_VLAN_ACT_POP] = "pop",
		[TCA_VLAN_ACT_PUSH] = "push",
		[TCA_VLAN_ACT_MODIFY] = "modify",
	};
	struct tc_vlan vlan;
	struct general general;

	if (!heed_struct(heed, TCA_VLAN_PARMS, &vlan, sizeof(vlan)))
		return unreadable(say);
	memcpy(&general, &vlan, sizeof(general));
	heed_skip(heed, TCA_VLAN_TM);
	if (vlan.v_action < TCA_VLAN_ACT_POP ||
	    vlan.v_action > TCA_VLAN_ACT_MODIFY)
		return err_set(say->err, EOPNOTSUPP,
			       "of its action vlan Tresse does not know tc's "
			       "words");
	text_printf(say->out, " %s", words[vlan.v_action]);
	if (heed_has(heed, TCA_VLAN_PUSH_VLAN_ID))
		text_printf(say->out, " id %u",
			    heed_u32(heed, TCA_VLAN_PUSH_VLAN_ID, 0));
	if (heed_has(heed, TCA_VLAN_PUSH_VLAN_PROTOCOL))
		text_printf(say->out, " protocol %s",
			    ntohs((uint16_t)heed_u32(
				    heed, TCA_VLAN_PUSH_VLAN_PROTOCOL, 0)) ==
					    ETH_P_8021AD
				    ? "802.1ad"
				    : "802.1Q");
	if (heed_has(heed, TCA_VLAN_PUSH_VLAN_PRIORITY))
		text_printf(say->out, " priority %u",
			    heed_u32(heed, TCA_VLAN_PUSH_VLAN_PRIORITY, 0));
	return put_end(say, &general);
}

static int say_csum(const struct say *say, struct heed *heed)
{
	static const char *const words[] = { "ip4h", "icmp",	"igmp", "tcp",
					     "udp",  "udplite", "sctp" };
	struct tc_csum csum;
	struct general general;

	if (!heed_struct(heed, TCA_CSUM_PARMS, &csum, sizeof(csum)))
		return unreadable(say);
	memcpy(&general, &csum, sizeof(general));
	heed_skip(heed, TCA_CSUM_TM);
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (csum.update_flags >> i & 1)
			text_printf(say->out, " %s", words[i]);
	return put_end(say, &general);
}

static int say_connmark(const struct say *say, struct heed *heed)
{
	struct tc_connmark connmark;
	struct general general;

	if (!heed_struct(heed, TCA_CONNMARK_PARMS, &connmark, sizeof(connmark)))
		return unreadable(say);
	memcpy(&general, &connmark, sizeof(general));
	heed_skip(heed, TCA_CONNMARK_TM);
	if (connmark.zone)
		text_printf(say->out, " zone %u", connmark.zone);
	return put_end(say, &general);
}

static int say_ctinfo(const struct say *say, struct heed *heed)
{
	struct general general;
	uint32_t dscp = heed_u32(heed, TCA_CTINFO_PARMS_DSCP_MASK, 0);
	uint32_t state = heed_u32(heed, TCA_CTINFO_PARMS_DSCP_STATEMASK, 0);
	uint32_t mark = heed_u32(heed, TCA_CTINFO_PARMS_CPMARK_MASK, 0);
	uint32_t zone = heed_u32(heed, TCA_CTINFO_ZONE, 0);

	if (!heed_struct(heed, TCA_CTINFO_ACT, &general, sizeof(general)))
		return unreadable(say);
	heed_skip(heed, TCA_CTINFO_TM);
	heed_skip(heed, TCA_CTINFO_STATS_DSCP_SET);
	heed_skip(heed, TCA_CTINFO_STATS_DSCP_ERROR);
	heed_skip(heed, TCA_CTINFO_STATS_CPMARK_SET);
	if (dscp)
		text_printf(say->out, " dscp 0x%x 0x%x", dscp, state);
	if (mark)
		text_printf(say->out, " cpmark 0x%x", mark);
	if (zone)
		text_printf(say->out, " zone %u", zone);
	return put_end(say, &general);
}

static int say_nat(const struct say *say, struct heed *heed)
{
	struct tc_nat nat;
	struct general general;
	char from[INET_ADDRSTRLEN], to[INET_ADDRSTRLEN];
	uint32_t mask;

	if (!heed_struct(heed, TCA_NAT_PARMS, &nat, sizeof(nat)) ||
	    !inet_ntop(AF_INET, &nat.old_addr, from, sizeof(from)) ||
	    !inet_ntop(AF_INET, &nat.new_addr, to, sizeof(to)))
		return unreadable(say);
	memcpy(&general, &nat, sizeof(general));
	heed_skip(heed, TCA_NAT_TM);
	mask = ntohl(nat.mask);
	if (!mask || ~mask & (~mask + 1))
		return err_set(say->err, EOPNOTSUPP,
			       "the mask of its action nat is none that tc can "
			       "say");
	text_printf(say->out, " %s %s/%d %s",
		    nat.flags & TCA_NAT_FLAG_EGRESS ? "egress" : "ingress",
		    from, __builtin_popcount(mask), to);
	return put_end(say, &general);
}

static int say_sample(const struct say *say, struct heed *heed)
{
	struct general general;

	if (!heed_struct(heed, TCA_SAMPLE_PARMS, &general, sizeof(general)))
		return unreadable(say);
	heed_skip(heed, TCA_SAMPLE_TM);
	text_printf(say->out, " rate %u group %u",
		    heed_u32(heed, TCA_SAMPLE_RATE, 0),
		    heed_u32(heed, TCA_SAMPLE_PSAMPLE_GROUP, 0));
	if (heed_has(heed, TCA_SAMPLE_TRUNC_SIZE))
		text_printf(say->out, " trunc %u",
			    heed_u32(heed, TCA_SAMPLE_TRUNC_SIZE, 0));
	return put_end(say, &general);
}

static int say_simple(const struct say *say, struct heed *heed)
{
	const struct nlattr *data = heed_attr(heed, TCA_DEF_DATA);
	struct general general;

	if (!heed_struct(heed, TCA_DEF_PARMS, &general, sizeof(general)) ||
	    !data || nla_len(data) < 1 ||
	    !memchr(nla_data(data), '\0', (size_t)nla_len(data)))
		return unreadable(say);
	heed_skip(heed, TCA_DEF_TM);
	/* A line is a command. */
	if (strpbrk(nla_data(data), "\n\r#"))
		return err_set(say->err, EOPNOTSUPP,
			       "the text of its action simple has signs that "
			       "no line can have");
	text_put(say->out, " sdata ");
	text_put_word(say->out, nla_data(data));
	return put_end(say, &general);
}

static int say_act_bpf(const struct say *say, struct heed *heed)
{
	const struct nlattr *ops = heed_attr(heed, TCA_ACT_BPF_OPS);
	struct general general;

	if (!heed_struct(heed, TCA_ACT_BPF_PARMS, &general, sizeof(general)))
		return unreadable(say);
	if (!ops)
		return err_set(say->err, EOPNOTSUPP,
			       "the program of eBPF of its action (id %u) came "
			       "from a file that the kernel does not know",
			       heed_u32(heed, TCA_ACT_BPF_ID, 0));
	heed_skip(heed, TCA_ACT_BPF_TM);
	heed_skip(heed, TCA_ACT_BPF_OPS_LEN);
	text_put_char(say->out, ' ');
	say_bytecode(nla_data(ops), (size_t)nla_len(ops), say->out);
	return put_end(say, &general);
}

/* ---- pedit ---- */

/* Fields that tc has names for: where in the header, how many bytes. */
static const struct field {
	uint16_t header;
	const char *layer, *name;
	uint32_t off, size;
} fields[] = {
	{ TCA_PEDIT_KEY_EX_HDR_TYPE_ETH, "eth", "type", 12, 2 },
	{ TCA_PEDIT_KEY_EX_HDR_TYPE_IP4, "ip", "ttl", 8, 1 },
	{ TCA_PEDIT_KEY_EX_HDR_TYPE_IP4, "ip", "tos", 1, 1 },
	{ TCA_PEDIT_KEY_EX_HDR_TYPE_IP4, "ip", "protocol", 9, 1 },
	{ TCA_PEDIT_KEY_EX_HDR_TYPE_IP4, "ip", "src", 12, 4 },
	{ TCA_PEDIT_KEY_EX_HDR_TYPE_IP4, "ip", "dst", 16, 4 },
	{ TCA_PEDIT_KEY_EX_HDR_TYPE_TCP, "tcp", "sport", 0, 2 },
	{ TCA_PEDIT_KEY_EX_HDR_TYPE_TCP, "tcp", "dport", 2, 2 },
	{ TCA_PEDIT_KEY_EX_HDR_TYPE_TCP, "tcp", "flags", 13, 1 },
	{ TCA_PEDIT_KEY_EX_HDR_TYPE_UDP, "udp", "sport", 0, 2 },
	{ TCA_PEDIT_KEY_EX_HDR_TYPE_UDP, "udp", "dport", 2, 2 },
};

struct munge {
	uint16_t header, command;
	uint32_t off, keeps, sets; /* bits of the word, the first on top */
};

static void put_value(const struct field *field, uint32_t value,
		      struct text *out)
{
	struct in_addr address = { .s_addr = htonl(value) };
	char text[INET_ADDRSTRLEN];

	if (field->size == 4 &&
	    inet_ntop(AF_INET, &address, text, sizeof(text)))
		text_put(out, text);
	else
		text_printf(out, "0x%x", value);
}

static bool put_field(const struct munge *munge, struct text *out)
{
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		const struct field *field = &fields[i];
		uint32_t shift = 8 * (4 - field->size - (field->off & 3));
		uint32_t all = UINT32_MAX >> (32 - 8 * field->size);
		uint32_t bits = all << shift;

		/* All of it: what a part would mean depends on who reads. */
		if (field->header != munge->header ||
		    (field->off & ~3u) != munge->off || munge->keeps != ~bits)
			continue;
		text_printf(out, " munge %s %s %s ", field->layer, field->name,
			    munge->command == TCA_PEDIT_KEY_EX_CMD_ADD ? "add"
								       : "set");
		put_value(field, munge->sets >> shift, out);
		return true;
	}
	return false;
}

/* Addresses of Ethernet are two keys; the number of keys that were said. */
static size_t put_mac(const struct munge *munges, size_t count,
		      struct text *out)
{
	const struct munge *a = munges, *b = munges + 1;
	bool to, from;
	uint8_t mac[8];
	uint32_t high, low;

	if (count < 2 || a->header != TCA_PEDIT_KEY_EX_HDR_TYPE_ETH ||
	    b->header != a->header || a->command || b->command)
		return 0;
	to = !a->off && !a->keeps && b->off == 4 && b->keeps == 0xffff;
	from = a->off == 4 && a->keeps == 0xffff0000 && b->off == 8 &&
	       !b->keeps;
	if (!to && !from)
		return 0;
	high = htonl(to ? a->sets : a->sets << 16 | b->sets >> 16);
	low = htonl(to ? b->sets : b->sets << 16);
	memcpy(mac, &high, 4);
	memcpy(mac + 4, &low, 4);
	text_printf(out, " munge eth %s set %02x:%02x:%02x:%02x:%02x:%02x",
		    to ? "dst" : "src", mac[0], mac[1], mac[2], mac[3], mac[4],
		    mac[5]);
	return 2;
}

/* Without a header of its own: a word of what is behind the link layer. */
static bool put_word(const struct munge *munge, struct text *out)
{
	if (munge->header || munge->command)
		return false;
	text_printf(out, " munge offset %d u32", (int)munge->off);
	if (munge->keeps == UINT32_MAX && munge->sets)
		text_printf(out, " invert retain 0x%x", munge->sets);
	else if (munge->keeps & munge->sets)
		return false;
	else
		text_printf(out, " set 0x%x retain 0x%x", munge->sets,
			    ~munge->keeps);
	return true;
}

static void read_headers(const struct nlattr *list, struct munge *munges,
			 size_t count)
{
	const struct nlattr *at;
	size_t i = 0;
	int rest;

	nla_for_each_nested(at, (struct nlattr *)(uintptr_t)list, rest)
	{
		struct heed heed;

		if (i >= count || heed_read(at, &heed, NULL) < 0)
			return;
		munges[i].header =
			(uint16_t)heed_u32(&heed, TCA_PEDIT_KEY_EX_HTYPE, 0);
		munges[i].command =
			(uint16_t)heed_u32(&heed, TCA_PEDIT_KEY_EX_CMD, 0);
		i++;
	}
}

static int put_munges(const struct say *say, const struct munge *munges,
		      size_t count)
{
	for (size_t i = 0; i < count;) {
		size_t done = put_mac(munges + i, count - i, say->out);

		if (!done && (put_field(&munges[i], say->out) ||
			      put_word(&munges[i], say->out)))
			done = 1;
		if (!done)
			return err_set(say->err, EOPNOTSUPP,
				       "its action pedit changes a part of a "
				       "header (%u, at %d) for which Tresse "
				       "does not know tc's words",
				       munges[i].header, (int)munges[i].off);
		i += done;
	}
	return 0;
}

#define MUNGES 128u /* tc's own limit (tc/m_pedit.h) */

static int read_munges(const struct say *say, const struct nlattr *attr,
		       const struct tc_pedit_sel *sel, struct munge *munges)
{
	const char *at = (const char *)nla_data(attr) + sizeof(*sel);

	if (nla_len(attr) <
	    (int)(sizeof(*sel) + sel->nkeys * sizeof(struct tc_pedit_key)))
		return unreadable(say);
	for (size_t i = 0; i < sel->nkeys && i < MUNGES; i++) {
		struct tc_pedit_key key;

		memcpy(&key, at + i * sizeof(key), sizeof(key));
		munges[i] = (struct munge){ .off = key.off,
					    .keeps = ntohl(key.mask),
					    .sets = ntohl(key.val) };
		if (key.at || key.offmask || key.shift || sel->nkeys > MUNGES)
			return err_set(say->err, EOPNOTSUPP,
				       "where its action pedit changes "
				       "something follows from the packet, "
				       "for which Tresse does not know tc's "
				       "words");
	}
	return 0;
}

static int say_pedit(const struct say *say, struct heed *heed)
{
	const struct nlattr *extended = heed_attr(heed, TCA_PEDIT_KEYS_EX);
	const struct nlattr *attr = heed_attr(heed, TCA_PEDIT_PARMS_EX);
	const struct nlattr *plain = heed_attr(heed, TCA_PEDIT_PARMS);
	struct munge munges[MUNGES];
	struct tc_pedit_sel sel;
	struct general general;
	int rc;

	if (!attr)
		attr = plain;
	if (!message_struct(attr, &sel, sizeof(sel)))
		return unreadable(say);
	memcpy(&general, &sel, sizeof(general));
	heed_skip(heed, TCA_PEDIT_TM);
	rc = read_munges(say, attr, &sel, munges);
	if (rc < 0)
		return rc;
	if (extended) {
		read_headers(extended, munges, sel.nkeys);
		text_put(say->out, " ex");
	}
	rc = put_munges(say, munges, sel.nkeys);
	return rc < 0 ? rc : put_end(say, &general);
}

/* ---- all of them ---- */

static const struct {
	const char *kind;
	int (*say)(const struct say *say, struct heed *heed);
} kinds_known[] = {
	{ "gact", say_gact },
	{ "mirred", say_mirred },
	{ "police", say_police_told },
	{ "skbedit", say_skbedit },
	{ "vlan", say_vlan },
	{ "csum", say_csum },
	{ "connmark", say_connmark },
	{ "ctinfo", say_ctinfo },
	{ "nat", say_nat },
	{ "sample", say_sample },
	{ "simple", say_simple },
	{ "bpf", say_act_bpf },
	{ "pedit", say_pedit },
};

static int say_kind(const struct say *say, const char *kind,
		    const struct nlattr *options)
{
	struct heed heed;
	size_t i = 0;
	int rc;

	while (i < ARRAY_SIZE(kinds_known) && strcmp(kinds_known[i].kind, kind))
		i++;
	if (i == ARRAY_SIZE(kinds_known))
		return err_set(say->err, EOPNOTSUPP,
			       "of its action %.15s Tresse does not know tc's "
			       "words",
			       kind);
	rc = heed_read(options, &heed, say->err);
	if (rc < 0)
		return rc;
	text_put(say->out, kind);
	rc = kinds_known[i].say(say, &heed);
	return rc < 0 ? rc : heed_all(&heed, kind, say->err);
}

int say_police(const struct say *say, const struct nlattr *options)
{
	text_put_char(say->out, ' ');
	return say_kind(say, "police", options);
}

/* In tc's order. */
static int put_besides(const struct say *say, struct heed *heed)
{
	const struct nlattr *cookie = heed_attr(heed, TCA_ACT_COOKIE);
	struct nla_bitfield32 flags, stats;

	if (cookie) {
		text_put(say->out, " cookie ");
		for (int i = 0; i < nla_len(cookie); i++)
			text_printf(say->out, "%02x",
				    ((const uint8_t *)nla_data(cookie))[i]);
	}
	if (heed_struct(heed, TCA_ACT_HW_STATS, &stats, sizeof(stats)))
		text_printf(say->out, " hw_stats %s",
			    !stats.value       ? "disabled"
			    : stats.value == 1 ? "immediate"
					       : "delayed");
	if (!heed_struct(heed, TCA_ACT_FLAGS, &flags, sizeof(flags)))
		return 0;
	if (flags.value & TCA_ACT_FLAGS_NO_PERCPU_STATS)
		text_put(say->out, " no_percpu");
	if (flags.value & TCA_ACT_FLAGS_SKIP_SW)
		text_put(say->out, " skip_sw");
	if (flags.value & TCA_ACT_FLAGS_SKIP_HW)
		text_put(say->out, " skip_hw");
	return 0;
}

static int say_one(const struct say *say, const struct nlattr *action)
{
	struct heed heed;
	const struct nlattr *kind;
	int rc = heed_read(action, &heed, say->err);

	if (rc < 0)
		return rc;
	kind = heed_attr(&heed, TCA_ACT_KIND);
	if (!kind || nla_len(kind) < 1 ||
	    !memchr(nla_data(kind), '\0', (size_t)nla_len(kind)))
		return unreadable(say);
	heed_skip(&heed, TCA_ACT_INDEX);
	heed_skip(&heed, TCA_ACT_STATS);
	heed_skip(&heed, TCA_ACT_USED_HW_STATS);
	heed_skip(&heed, TCA_ACT_IN_HW_COUNT);
	text_put(say->out, " action ");
	rc = say_kind(say, nla_data(kind), heed_attr(&heed, TCA_ACT_OPTIONS));
	if (rc == 0)
		rc = put_besides(say, &heed);
	return rc < 0 ? rc : heed_all(&heed, "its action", say->err);
}

int say_actions(const struct say *say, const struct nlattr *list)
{
	const struct nlattr *at;
	int rest, rc = 0;

	nla_for_each_nested(at, (struct nlattr *)(uintptr_t)list, rest)
	{
		rc = say_one(say, at);
		if (rc < 0)
			break;
	}
	return rc;
}
