/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The queues that tc can put under a class (declared in leaf.h).
 *
 * Rows stand in the order in which tc 6.1 sends them (tc/q_*.c), so that our
 * messages are the same, byte for byte. Standards and bounds are those of the
 * kernel's sch_*.c.
 */
#include <linux/pkt_sched.h>
#include <stddef.h>

#include "model/leaf.h"
#include "model/shaping.h"

#define MOST_RATE32 (8ull * UINT32_MAX)
#define MOST_TIME   1000000000u /* us: codel's clock has 31 bits of 1,024 ns */

/* A bare word, worth a value of an option. */
#define WORD(word, index, number, what)                                        \
	{                                                                      \
		.name = (word), .help = (what),                                \
		.sets = { { (index), (number) } }, .count = 1                  \
	}
#define ALIAS(word, index)                                                     \
	{                                                                      \
		.name = (word), .alias = true, .sets = { { (index), 0 } },     \
		.count = 1                                                     \
	}

/* ---- pfifo, bfifo ---- */

static const char *const near_fifo[] = { "pfifo", NULL };
static const char *const near_fair[] = { "fq_codel", "sfq", "pfifo", NULL };
static const char *const near_codel[] = { "fq_codel", "sfq", "pfifo", NULL };
static const char *const near_tbf[] = { "bfifo", "pfifo", NULL };

static const struct leaf_option pfifo_options[] = {
	{ .name = "limit",
	  .form = LEAF_NUMBER,
	  .min = 1,
	  .max = UINT32_MAX,
	  .from = LEAF_QUEUE_LONG,
	  .at = offsetof(struct tc_fifo_qopt, limit),
	  .example = "1000",
	  .help = "packets that may wait" },
};

static const struct leaf_option bfifo_options[] = {
	{ .name = "limit",
	  .form = LEAF_SIZE,
	  .min = 1,
	  .max = UINT32_MAX,
	  .from = LEAF_QUEUE_BYTES,
	  .at = offsetof(struct tc_fifo_qopt, limit),
	  .example = "64k",
	  .help = "bytes that may wait" },
};

/* ---- sfq ---- */

static const struct leaf_option sfq_options[] = {
	[SFQ_LIMIT] = { .name = "limit",
			.form = LEAF_NUMBER,
			.min = 2,
			.max = UINT32_MAX,
			.standard = 127,
			.at = offsetof(struct tc_sfq_qopt_v1, v0.limit),
			.flags = LEAF_AT_BIRTH,
			.example = "127",
			.help = "packets that may wait" },
	[SFQ_PERTURB] = { .name = "perturb",
			  .form = LEAF_SECONDS,
			  .max = 2000000,
			  .at = offsetof(struct tc_sfq_qopt_v1,
					 v0.perturb_period),
			  .flags = LEAF_AT_BIRTH,
			  .example = "10",
			  .help = "seconds until flows are spread anew" },
	[SFQ_QUANTUM] = { .name = "quantum",
			  .form = LEAF_SIZE,
			  .min = 256,
			  .max = 1 << 18,
			  .from = LEAF_PACKETS_LONG,
			  .standard = 1,
			  .at = offsetof(struct tc_sfq_qopt_v1, v0.quantum),
			  .flags = LEAF_AT_BIRTH,
			  .example = "1514",
			  .help = "bytes of a flow's turn, a packet at least" },
	[SFQ_DIVISOR] = { .name = "divisor",
			  .form = LEAF_NUMBER,
			  .min = 1,
			  .max = 65536,
			  .standard = 1024,
			  .at = offsetof(struct tc_sfq_qopt_v1, v0.divisor),
			  .flags = LEAF_AT_BIRTH | LEAF_POWER_OF_2,
			  .example = "1024",
			  .help = "slots of the flow table, a power of 2" },
	[SFQ_FLOWS] = { .name = "flows",
			.form = LEAF_NUMBER,
			.min = 1,
			.max = 65408,
			.standard = 128,
			.at = offsetof(struct tc_sfq_qopt_v1, v0.flows),
			.flags = LEAF_AT_BIRTH,
			.example = "128",
			.help = "flows told apart at once" },
	[SFQ_DEPTH] = { .name = "depth",
			.form = LEAF_NUMBER,
			.min = 1,
			.max = 127,
			.standard = 127,
			.at = offsetof(struct tc_sfq_qopt_v1, depth),
			.flags = LEAF_AT_BIRTH,
			.example = "127",
			.help = "packets of one flow that may wait" },
	[SFQ_HEADDROP] = { .name = "headdrop",
			   .form = LEAF_WORDS,
			   .max = 1,
			   .at = offsetof(struct tc_sfq_qopt_v1, headdrop),
			   .flags = LEAF_AT_BIRTH,
			   .example = "headdrop",
			   .help = "drop the oldest packet, not the newest" },
};

static const struct leaf_word sfq_words[] = {
	WORD("headdrop", SFQ_HEADDROP, 1, "drop the oldest packet"),
};

/* ---- codel, fq_codel ---- */

/* Kept as 31 bits of 1,024 ns, all ones: never. These microseconds become just
 * that, so a threshold can be taken back without a new queue. */
#define CODEL_NEVER 2199023255u

enum codel_option {
	CODEL_LIMIT,
	CODEL_INTERVAL,
	CODEL_TARGET,
	CODEL_ECN,
	CODEL_CE
};

static const struct leaf_option codel_options[] = {
	[CODEL_LIMIT] = { .name = "limit",
			  .form = LEAF_NUMBER,
			  .min = 1,
			  .max = UINT32_MAX,
			  .standard = 1000,
			  .at = TCA_CODEL_LIMIT,
			  .example = "1000",
			  .help = "packets that may wait" },
	[CODEL_INTERVAL] = { .name = "interval",
			     .form = LEAF_TIME,
			     .min = 10,
			     .max = MOST_TIME,
			     .standard = 100000,
			     .code = LEAF_CODEL,
			     .at = TCA_CODEL_INTERVAL,
			     .example = "100ms",
			     .help = "a round trip at worst" },
	[CODEL_TARGET] = { .name = "target",
			   .form = LEAF_TIME,
			   .min = 10,
			   .max = MOST_TIME,
			   .standard = 5000,
			   .code = LEAF_CODEL,
			   .at = TCA_CODEL_TARGET,
			   .example = "5ms",
			   .help = "delay that may stand in the queue" },
	[CODEL_ECN] = { .name = "ecn",
			.form = LEAF_WORDS,
			.max = 1,
			.at = TCA_CODEL_ECN,
			.example = "ecn",
			.help = "mark packets that can be marked" },
	[CODEL_CE] = { .name = "ce_threshold",
		       .form = LEAF_TIME,
		       .min = 10,
		       .max = MOST_TIME,
		       .standard = CODEL_NEVER,
		       .code = LEAF_CODEL,
		       .at = TCA_CODEL_CE_THRESHOLD,
		       .example = "1ms",
		       .help = "delay above which every packet is marked" },
};

static const struct leaf_word codel_words[] = {
	WORD("ecn", CODEL_ECN, 1, "mark packets that can be marked"),
	WORD("noecn", CODEL_ECN, 0, "drop packets, never mark them"),
};

enum fq_codel_option {
	FQC_LIMIT,
	FQC_FLOWS,
	FQC_QUANTUM,
	FQC_INTERVAL,
	FQC_TARGET,
	FQC_ECN,
	FQC_CE,
	FQC_MEMORY,
	FQC_BATCH,
};

static const struct leaf_option fq_codel_options[] = {
	[FQC_LIMIT] = { .name = "limit",
			.form = LEAF_NUMBER,
			.min = 1,
			.max = UINT32_MAX,
			.standard = 10240,
			.at = TCA_FQ_CODEL_LIMIT,
			.example = "10240",
			.help = "packets that may wait" },
	[FQC_FLOWS] = { .name = "flows",
			.form = LEAF_NUMBER,
			.min = 1,
			.max = 65536,
			.standard = 1024,
			.at = TCA_FQ_CODEL_FLOWS,
			.flags = LEAF_AT_BIRTH,
			.example = "1024",
			.help = "flows told apart" },
	[FQC_QUANTUM] = { .name = "quantum",
			  .form = LEAF_NUMBER,
			  .min = 256,
			  .max = 1 << 20,
			  .from = LEAF_PACKETS_LONG,
			  .standard = 1,
			  .at = TCA_FQ_CODEL_QUANTUM,
			  .example = "1514",
			  .help = "bytes of a flow's turn" },
	[FQC_INTERVAL] = { .name = "interval",
			   .form = LEAF_TIME,
			   .min = 10,
			   .max = MOST_TIME,
			   .standard = 100000,
			   .code = LEAF_CODEL,
			   .at = TCA_FQ_CODEL_INTERVAL,
			   .example = "100ms",
			   .help = "a round trip at worst" },
	[FQC_TARGET] = { .name = "target",
			 .form = LEAF_TIME,
			 .min = 10,
			 .max = MOST_TIME,
			 .standard = 5000,
			 .code = LEAF_CODEL,
			 .at = TCA_FQ_CODEL_TARGET,
			 .example = "5ms",
			 .help = "delay that may stand in the queue" },
	[FQC_ECN] = { .name = "ecn",
		      .form = LEAF_WORDS,
		      .max = 1,
		      .standard = 1,
		      .at = TCA_FQ_CODEL_ECN,
		      .example = "noecn",
		      .help = "mark packets that can be marked" },
	[FQC_CE] = { .name = "ce_threshold",
		     .form = LEAF_TIME,
		     .min = 10,
		     .max = MOST_TIME,
		     .standard = CODEL_NEVER,
		     .code = LEAF_CODEL,
		     .at = TCA_FQ_CODEL_CE_THRESHOLD,
		     .example = "1ms",
		     .help = "delay above which every packet is marked" },
	[FQC_MEMORY] = { .name = "memory_limit",
			 .form = LEAF_SIZE,
			 .min = 1,
			 .max = 1u << 31,
			 .standard = 32 << 20,
			 .at = TCA_FQ_CODEL_MEMORY_LIMIT,
			 .example = "32m",
			 .help = "bytes of memory that may be taken" },
	[FQC_BATCH] = { .name = "drop_batch",
			.form = LEAF_NUMBER,
			.min = 1,
			.max = UINT32_MAX,
			.standard = 64,
			.at = TCA_FQ_CODEL_DROP_BATCH_SIZE,
			.example = "64",
			.help = "packets dropped at once when full" },
};

static const struct leaf_word fq_codel_words[] = {
	WORD("ecn", FQC_ECN, 1, "mark packets that can be marked"),
	WORD("noecn", FQC_ECN, 0, "drop packets, never mark them"),
};

/* ---- fq ---- */

enum fq_option {
	FQ_BUCKETS,
	FQ_LIMIT,
	FQ_FLOW_LIMIT,
	FQ_QUANTUM,
	FQ_INITIAL,
	FQ_PACING,
	FQ_MAXRATE,
	FQ_LOW_RATE,
	FQ_REFILL,
	FQ_ORPHAN,
	FQ_CE,
	FQ_HORIZON,
	FQ_HORIZON_DROP,
};

static const struct leaf_option fq_options[] = {
	[FQ_BUCKETS] = { .name = "buckets",
			 .form = LEAF_NUMBER,
			 .min = 2,
			 .max = 1 << 18,
			 .standard = 1024,
			 .code = LEAF_LOG2,
			 .at = TCA_FQ_BUCKETS_LOG,
			 .flags = LEAF_POWER_OF_2,
			 .example = "1024",
			 .help = "slots of the flow table, a power of 2" },
	[FQ_LIMIT] = { .name = "limit",
		       .form = LEAF_NUMBER,
		       .min = 1,
		       .max = UINT32_MAX,
		       .standard = 10000,
		       .at = TCA_FQ_PLIMIT,
		       .example = "10000",
		       .help = "packets that may wait" },
	[FQ_FLOW_LIMIT] = { .name = "flow_limit",
			    .form = LEAF_NUMBER,
			    .min = 1,
			    .max = UINT32_MAX,
			    .standard = 100,
			    .at = TCA_FQ_FLOW_PLIMIT,
			    .example = "100",
			    .help = "packets of one flow that may wait" },
	[FQ_QUANTUM] = { .name = "quantum",
			 .form = LEAF_NUMBER,
			 .min = 256,
			 .max = 1 << 20,
			 .from = LEAF_PACKETS_LONG,
			 .standard = 2,
			 .at = TCA_FQ_QUANTUM,
			 .example = "3028",
			 .help = "bytes of a flow's turn" },
	[FQ_INITIAL] = { .name = "initial_quantum",
			 .form = LEAF_NUMBER,
			 .min = 256,
			 .max = 0x7fffffff,
			 .from = LEAF_PACKETS_LONG,
			 .standard = 10,
			 .at = TCA_FQ_INITIAL_QUANTUM,
			 .example = "15140",
			 .help = "bytes of a flow's first turn" },
	[FQ_PACING] = { .name = "pacing",
			.form = LEAF_WORDS,
			.max = 1,
			.standard = 1,
			.at = TCA_FQ_RATE_ENABLE,
			.example = "nopacing",
			.help = "heed the rate a socket asks for" },
	[FQ_MAXRATE] = { .name = "maxrate",
			 .form = LEAF_RATE,
			 .min = 8,
			 .max = MOST_RATE32 - 8, /* that one is: no limit */
			 .standard = MOST_RATE32,
			 .code = LEAF_RATE32,
			 .at = TCA_FQ_FLOW_MAX_RATE,
			 .example = "10mbit",
			 .help = "the most one flow may send" },
	[FQ_LOW_RATE] = { .name = "low_rate_threshold",
			  .form = LEAF_RATE,
			  .max = MOST_RATE32,
			  .standard = 550000,
			  .code = LEAF_RATE32,
			  .at = TCA_FQ_LOW_RATE_THRESHOLD,
			  .example = "550kbit",
			  .help = "below it every packet is timed alone" },
	[FQ_REFILL] = { .name = "refill_delay",
			.form = LEAF_TIME,
			.min = 1,
			.max = MOST_TIME,
			.standard = 40000,
			.code = LEAF_JIFFY,
			.at = TCA_FQ_FLOW_REFILL_DELAY,
			.example = "40ms",
			.help = "a flow idle that long has its turn anew" },
	[FQ_ORPHAN] = { .name = "orphan_mask",
			.form = LEAF_NUMBER,
			.max = UINT32_MAX,
			.standard = 1023,
			.at = TCA_FQ_ORPHAN_MASK,
			.example = "1023",
			.help = "hash of packets that have no socket" },
	[FQ_CE] = { .name = "ce_threshold",
		    .form = LEAF_TIME,
		    .min = 1,
		    .max = MOST_TIME,
		    .standard = UINT32_MAX,
		    .at = TCA_FQ_CE_THRESHOLD,
		    .example = "1ms",
		    .help = "delay above which every packet is marked" },
	[FQ_HORIZON] = { .name = "horizon",
			 .form = LEAF_TIME,
			 .min = 1,
			 .max = MOST_TIME,
			 .standard = 10000000,
			 .at = TCA_FQ_HORIZON,
			 .example = "10s",
			 .help = "how far ahead a packet may be timed" },
	[FQ_HORIZON_DROP] = { .name = "horizon_drop",
			      .form = LEAF_WORDS,
			      .max = 1,
			      .standard = 1,
			      .code = LEAF_U8,
			      .at = TCA_FQ_HORIZON_DROP,
			      .example = "horizon_cap",
			      .help = "what becomes of packets beyond it" },
};

static const struct leaf_word fq_words[] = {
	WORD("pacing", FQ_PACING, 1, "heed the rate a socket asks for"),
	WORD("nopacing", FQ_PACING, 0, "send as fast as the class may"),
	WORD("horizon_drop", FQ_HORIZON_DROP, 1, "drop what lies beyond"),
	WORD("horizon_cap", FQ_HORIZON_DROP, 0, "send it at the horizon"),
};

/* ---- cake ---- */

enum cake_option {
	CAKE_BANDWIDTH,
	CAKE_DIFFSERV,
	CAKE_ATM,
	CAKE_FLOWS,
	CAKE_OVERHEAD,
	CAKE_RAW,
	CAKE_MPU,
	CAKE_RTT,
	CAKE_AUTORATE,
	CAKE_MEMORY,
	CAKE_NAT,
	CAKE_WASH,
	CAKE_SPLIT_GSO,
	CAKE_INGRESS,
	CAKE_ACKS,
	CAKE_FWMARK,
};

static const struct leaf_option cake_options[] = {
	[CAKE_BANDWIDTH] = { .name = "bandwidth",
			     .form = LEAF_RATE,
			     .min = 8,
			     .code = LEAF_RATE64,
			     .at = TCA_CAKE_BASE_RATE64,
			     .example = "50mbit",
			     .help = "rate it shapes to by itself" },
	[CAKE_DIFFSERV] = { .name = "diffserv",
			    .form = LEAF_WORDS,
			    .max = CAKE_DIFFSERV_MAX - 1,
			    .standard = CAKE_DIFFSERV_DIFFSERV3,
			    .at = TCA_CAKE_DIFFSERV_MODE,
			    .example = "diffserv4",
			    .help = "tins by DSCP" },
	[CAKE_ATM] = { .name = "atm",
		       .form = LEAF_WORDS,
		       .max = CAKE_ATM_MAX - 1,
		       .at = TCA_CAKE_ATM,
		       .example = "atm",
		       .help = "cells of the line" },
	[CAKE_FLOWS] = { .name = "flows",
			 .form = LEAF_WORDS,
			 .max = CAKE_FLOW_MAX - 1,
			 .standard = CAKE_FLOW_TRIPLE,
			 .at = TCA_CAKE_FLOW_MODE,
			 .example = "dual-srchost",
			 .help = "what is told apart" },
	[CAKE_OVERHEAD] = { .name = "overhead",
			    .form = LEAF_SIGNED,
			    .min = (uint64_t)-64,
			    .max = 256,
			    .at = TCA_CAKE_OVERHEAD,
			    .example = "38",
			    .help = "bytes of the line above an IP packet" },
	[CAKE_RAW] = { .name = "raw",
		       .form = LEAF_WORDS,
		       .max = 1,
		       .standard = 1,
		       .code = LEAF_PRESENT,
		       .at = TCA_CAKE_RAW,
		       .example = "raw",
		       .help = "count packets as the kernel sees them" },
	[CAKE_MPU] = { .name = "mpu",
		       .form = LEAF_NUMBER,
		       .max = 256,
		       .at = TCA_CAKE_MPU,
		       .example = "64",
		       .help = "least bytes a packet costs" },
	[CAKE_RTT] = { .name = "rtt",
		       .form = LEAF_TIME,
		       .min = 1,
		       .max = MOST_TIME,
		       .standard = 100000,
		       .code = LEAF_RTT,
		       .at = TCA_CAKE_RTT,
		       .example = "50ms",
		       .help = "a usual round trip" },
	[CAKE_AUTORATE] = { .name = "autorate-ingress",
			    .form = LEAF_WORDS,
			    .max = 1,
			    .at = TCA_CAKE_AUTORATE,
			    .flags = LEAF_WITH_FIRST,
			    .example = "autorate-ingress",
			    .help = "guess the rate from what comes in" },
	[CAKE_MEMORY] = { .name = "memlimit",
			  .form = LEAF_SIZE,
			  .min = 1,
			  .max = UINT32_MAX,
			  .at = TCA_CAKE_MEMORY,
			  .example = "4m",
			  .help = "bytes of memory that may be taken" },
	[CAKE_NAT] = { .name = "nat",
		       .form = LEAF_WORDS,
		       .max = 1,
		       .at = TCA_CAKE_NAT,
		       .example = "nat",
		       .help = "tell hosts apart behind masquerading" },
	[CAKE_WASH] = { .name = "wash",
			.form = LEAF_WORDS,
			.max = 1,
			.at = TCA_CAKE_WASH,
			.example = "wash",
			.help = "clear the DSCP" },
	[CAKE_SPLIT_GSO] = { .name = "split-gso",
			     .form = LEAF_WORDS,
			     .max = 1,
			     .standard = 1,
			     .at = TCA_CAKE_SPLIT_GSO,
			     .example = "no-split-gso",
			     .help = "cut super-packets up" },
	[CAKE_INGRESS] = { .name = "ingress",
			   .form = LEAF_WORDS,
			   .max = 1,
			   .at = TCA_CAKE_INGRESS,
			   .example = "ingress",
			   .help = "count what it drops, too" },
	[CAKE_ACKS] = { .name = "ack-filter",
			.form = LEAF_WORDS,
			.max = CAKE_ACK_MAX - 1,
			.at = TCA_CAKE_ACK_FILTER,
			.example = "ack-filter",
			.help = "drop ACKs that a later one covers" },
	[CAKE_FWMARK] = { .name = "fwmark",
			  .form = LEAF_MASK,
			  .min = 1,
			  .max = UINT32_MAX,
			  .at = TCA_CAKE_FWMARK,
			  .example = "0xff",
			  .help = "bits of the mark that choose the tin" },
};

#define CAKE_LINE(word, bytes, cells, what)                                    \
	{                                                                      \
		.name = (word), .help = (what),                                \
		.sets = { { CAKE_OVERHEAD, (bytes) }, { CAKE_ATM, (cells) } }, \
		.count = 2                                                     \
	}
#define CAKE_LINE_MPU(word, bytes, least, what)                                \
	{                                                                      \
		.name = (word), .help = (what),                                \
		.sets = { { CAKE_OVERHEAD, (bytes) },                          \
			  { CAKE_ATM, CAKE_ATM_NONE },                         \
			  { CAKE_MPU, (least) } },                             \
		.count = 3                                                     \
	}

static const struct leaf_word cake_words[] = {
	WORD("unlimited", CAKE_BANDWIDTH, 0, "do not shape"),
	WORD("autorate-ingress", CAKE_AUTORATE, 1, "guess the rate"),
	WORD("besteffort", CAKE_DIFFSERV, CAKE_DIFFSERV_BESTEFFORT, "one tin"),
	WORD("precedence", CAKE_DIFFSERV, CAKE_DIFFSERV_PRECEDENCE,
	     "eight tins by the old precedence"),
	WORD("diffserv3", CAKE_DIFFSERV, CAKE_DIFFSERV_DIFFSERV3,
	     "three tins by DSCP"),
	WORD("diffserv4", CAKE_DIFFSERV, CAKE_DIFFSERV_DIFFSERV4,
	     "four tins by DSCP"),
	WORD("diffserv8", CAKE_DIFFSERV, CAKE_DIFFSERV_DIFFSERV8,
	     "eight tins by DSCP"),
	WORD("flowblind", CAKE_FLOWS, CAKE_FLOW_NONE, "nothing is told apart"),
	WORD("srchost", CAKE_FLOWS, CAKE_FLOW_SRC_IP, "by source"),
	WORD("dsthost", CAKE_FLOWS, CAKE_FLOW_DST_IP, "by destination"),
	WORD("hosts", CAKE_FLOWS, CAKE_FLOW_HOSTS, "by pair of hosts"),
	WORD("flows", CAKE_FLOWS, CAKE_FLOW_FLOWS, "by flow"),
	WORD("dual-srchost", CAKE_FLOWS, CAKE_FLOW_DUAL_SRC,
	     "by source, then flow"),
	WORD("dual-dsthost", CAKE_FLOWS, CAKE_FLOW_DUAL_DST,
	     "by destination, then flow"),
	WORD("triple-isolate", CAKE_FLOWS, CAKE_FLOW_TRIPLE,
	     "by source, destination and flow"),
	WORD("nat", CAKE_NAT, 1, "look behind masquerading"),
	WORD("nonat", CAKE_NAT, 0, "addresses as they are"),
	WORD("wash", CAKE_WASH, 1, "clear the DSCP"),
	WORD("nowash", CAKE_WASH, 0, "leave the DSCP"),
	WORD("split-gso", CAKE_SPLIT_GSO, 1, "cut super-packets up"),
	WORD("no-split-gso", CAKE_SPLIT_GSO, 0, "leave super-packets whole"),
	WORD("ingress", CAKE_INGRESS, 1, "count what it drops, too"),
	WORD("egress", CAKE_INGRESS, 0, "count what it sends"),
	WORD("ack-filter", CAKE_ACKS, CAKE_ACK_FILTER,
	     "drop ACKs that a later one covers"),
	WORD("ack-filter-aggressive", CAKE_ACKS, CAKE_ACK_AGGRESSIVE,
	     "drop more of them"),
	WORD("no-ack-filter", CAKE_ACKS, CAKE_ACK_NONE, "leave ACKs alone"),
	WORD("atm", CAKE_ATM, CAKE_ATM_ATM, "53-byte cells that carry 48"),
	WORD("ptm", CAKE_ATM, CAKE_ATM_PTM, "65-byte blocks that carry 64"),
	WORD("noatm", CAKE_ATM, CAKE_ATM_NONE, "bytes as they are"),
	WORD("raw", CAKE_RAW, 1, "count packets as the kernel sees them"),
	WORD("datacentre", CAKE_RTT, 100, "rtt 100us"),
	WORD("lan", CAKE_RTT, 1000, "rtt 1ms"),
	WORD("metro", CAKE_RTT, 10000, "rtt 10ms"),
	WORD("regional", CAKE_RTT, 30000, "rtt 30ms"),
	WORD("internet", CAKE_RTT, 100000, "rtt 100ms"),
	WORD("oceanic", CAKE_RTT, 300000, "rtt 300ms"),
	WORD("satellite", CAKE_RTT, 1000000, "rtt 1s"),
	WORD("interplanetary", CAKE_RTT, 1000000000, "rtt 1000s"),
	CAKE_LINE("conservative", 48, CAKE_ATM_ATM, "overhead 48 atm"),
	CAKE_LINE("ipoa-vcmux", 8, CAKE_ATM_ATM, "overhead 8 atm"),
	CAKE_LINE("ipoa-llcsnap", 16, CAKE_ATM_ATM, "overhead 16 atm"),
	CAKE_LINE("bridged-vcmux", 24, CAKE_ATM_ATM, "overhead 24 atm"),
	CAKE_LINE("bridged-llcsnap", 32, CAKE_ATM_ATM, "overhead 32 atm"),
	CAKE_LINE("pppoa-vcmux", 10, CAKE_ATM_ATM, "overhead 10 atm"),
	CAKE_LINE("pppoa-llc", 14, CAKE_ATM_ATM, "overhead 14 atm"),
	CAKE_LINE("pppoe-vcmux", 32, CAKE_ATM_ATM, "overhead 32 atm"),
	CAKE_LINE("pppoe-llcsnap", 40, CAKE_ATM_ATM, "overhead 40 atm"),
	CAKE_LINE("pppoe-ptm", 30, CAKE_ATM_PTM, "overhead 30 ptm"),
	CAKE_LINE("bridged-ptm", 22, CAKE_ATM_PTM, "overhead 22 ptm"),
	CAKE_LINE_MPU("docsis", 18, 64, "overhead 18 noatm mpu 64"),
	CAKE_LINE_MPU("ethernet", 38, 84, "overhead 38 noatm mpu 84"),
};

static int check_cake(uint32_t given, const uint64_t *value, struct err *err)
{
	(void)value;
	if (given & 1u << CAKE_RAW && given & 1u << CAKE_OVERHEAD)
		return err_set(err, EINVAL,
			       "raw and overhead exclude each other");
	return 0;
}

/* ---- tbf ---- */

static const struct leaf_option tbf_options[] = {
	[TBF_RATE] = { .name = "rate",
		       .form = LEAF_RATE,
		       .min = 8,
		       .from = LEAF_NOTHING,
		       .flags = LEAF_REQUIRED,
		       .example = "1mbit",
		       .help = "the most it sends" },
	[TBF_BURST] = { .name = "burst",
			.form = LEAF_SIZE,
			.min = 1,
			.max = 1u << 31,
			.from = LEAF_NOTHING,
			.flags = LEAF_REQUIRED,
			.example = "10k",
			.help = "bytes sent at once" },
	[TBF_LIMIT] = { .name = "limit",
			.form = LEAF_SIZE,
			.max = UINT32_MAX,
			.from = LEAF_NOTHING,
			.example = "30k",
			.help = "bytes that may wait; or say latency" },
	[TBF_LATENCY] = { .name = "latency",
			  .form = LEAF_TIME,
			  .min = 1,
			  .max = MOST_TIME,
			  .from = LEAF_NOTHING,
			  .example = "50ms",
			  .help = "time a packet may wait; or say limit" },
	[TBF_PEAKRATE] = { .name = "peakrate",
			   .form = LEAF_RATE,
			   .min = 8,
			   .example = "2mbit",
			   .help = "the most it sends within a burst" },
	[TBF_MTU] = { .name = "mtu",
		      .form = LEAF_SIZE,
		      .min = 1,
		      .max = 1u << 31,
		      .example = "1540",
		      .help = "bytes sent at once at peakrate" },
	[TBF_MPU] = { .name = "mpu",
		      .form = LEAF_SIZE,
		      .max = UINT16_MAX,
		      .example = "64",
		      .help = "least bytes a packet costs" },
	[TBF_OVERHEAD] = { .name = "overhead",
			   .form = LEAF_NUMBER,
			   .max = UINT16_MAX,
			   .example = "26",
			   .help = "bytes added to each packet" },
	[TBF_LINKLAYER] = { .name = "linklayer",
			    .form = LEAF_WORDS,
			    .max = TC_LINKLAYER_ATM,
			    .standard = TC_LINKLAYER_ETHERNET,
			    .flags = LEAF_NAMED,
			    .example = "atm",
			    .help = "how a packet's cost is counted" },
};

static const struct leaf_word tbf_words[] = {
	WORD("ethernet", TBF_LINKLAYER, TC_LINKLAYER_ETHERNET,
	     "a packet costs its own bytes"),
	WORD("atm", TBF_LINKLAYER, TC_LINKLAYER_ATM,
	     "53-byte cells that carry 48"),
	WORD("adsl", TBF_LINKLAYER, TC_LINKLAYER_ATM, "the same"),
	ALIAS("buffer", TBF_BURST),
	ALIAS("maxburst", TBF_BURST),
	ALIAS("minburst", TBF_MTU),
};

static bool has(uint32_t given, unsigned option)
{
	return given >> option & 1;
}

static int check_tbf_peak(uint32_t given, const uint64_t *value,
			  struct err *err)
{
	if (has(given, TBF_PEAKRATE) != has(given, TBF_MTU))
		return err_set(err, EINVAL,
			       "peakrate and mtu belong together: give both "
			       "or neither");
	if (has(given, TBF_PEAKRATE) &&
	    value[TBF_PEAKRATE] / 8 <= value[TBF_RATE] / 8)
		return err_set(err, ERANGE,
			       "peakrate must be above rate, or left out");
	return 0;
}

static int check_tbf(uint32_t given, const uint64_t *value, struct err *err)
{
	uint32_t ticks;
	double limit;

	if (has(given, TBF_LIMIT) == has(given, TBF_LATENCY))
		return err_set(err, EINVAL,
			       "say limit or latency, one of the two");
	if (shaping_ticks(value[TBF_RATE] / 8, value[TBF_BURST], &ticks) < 0 ||
	    (has(given, TBF_MTU) && has(given, TBF_PEAKRATE) &&
	     shaping_ticks(value[TBF_PEAKRATE] / 8, value[TBF_MTU], &ticks) <
		     0))
		return err_set(err, ERANGE,
			       "burst: it takes longer than 275 s at this "
			       "rate; give less");
	limit = (double)(value[TBF_RATE] / 8) * (double)value[TBF_LATENCY] /
			1e6 +
		(double)value[TBF_BURST];
	if (has(given, TBF_LATENCY) && limit > UINT32_MAX)
		return err_set(err, ERANGE,
			       "latency: that is more than 4 GB at this rate");
	return check_tbf_peak(given, value, err);
}

/* ---- the kinds ---- */

#define OPTIONS(array) .options = (array), .option_count = ARRAY_SIZE(array)
#define WORDS(array)   .words = (array), .word_count = ARRAY_SIZE(array)

const struct leaf_kind leaf_kinds[] = {
	{ .name = "pfifo",
	  .help = "first in, first out, counted in packets",
	  .nearest = near_fifo,
	  .shape = LEAF_FIFO,
	  OPTIONS(pfifo_options) },
	{ .name = "bfifo",
	  .help = "first in, first out, counted in bytes",
	  .nearest = near_fifo,
	  .shape = LEAF_FIFO,
	  OPTIONS(bfifo_options) },
	{ .name = "sfq",
	  .help = "a turn for each flow",
	  .config = "CONFIG_NET_SCH_SFQ",
	  .module = "sch_sfq",
	  .nearest = near_fair,
	  .shape = LEAF_SFQ,
	  OPTIONS(sfq_options),
	  WORDS(sfq_words) },
	{ .name = "fq_codel",
	  .help = "a turn for each flow, and no standing delay",
	  .config = "CONFIG_NET_SCH_FQ_CODEL",
	  .module = "sch_fq_codel",
	  .nearest = near_fair,
	  .shape = LEAF_ATTRIBUTES,
	  OPTIONS(fq_codel_options),
	  WORDS(fq_codel_words) },
	{ .name = "codel",
	  .help = "one queue without standing delay",
	  .config = "CONFIG_NET_SCH_CODEL",
	  .module = "sch_codel",
	  .nearest = near_codel,
	  .shape = LEAF_ATTRIBUTES,
	  OPTIONS(codel_options),
	  WORDS(codel_words) },
	{ .name = "fq",
	  .help = "a turn for each local socket, paced",
	  .config = "CONFIG_NET_SCH_FQ",
	  .module = "sch_fq",
	  .nearest = near_fair,
	  .shape = LEAF_ATTRIBUTES,
	  OPTIONS(fq_options),
	  WORDS(fq_words) },
	{ .name = "cake",
	  .help = "fairness by host and flow, no standing delay",
	  .config = "CONFIG_NET_SCH_CAKE",
	  .module = "sch_cake",
	  .nearest = near_fair,
	  .shape = LEAF_ATTRIBUTES,
	  OPTIONS(cake_options),
	  WORDS(cake_words),
	  .check = check_cake },
	{ .name = "tbf",
	  .help = "a rate limit of its own",
	  .config = "CONFIG_NET_SCH_TBF",
	  .module = "sch_tbf",
	  .nearest = near_tbf,
	  .shape = LEAF_TBF,
	  OPTIONS(tbf_options),
	  WORDS(tbf_words),
	  .check = check_tbf },
	{ 0 },
};
