/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Qdiscs and classes in words of tc (say.h). */
#include <linux/pkt_sched.h>
#include <string.h>

#include "backends/tc/message.h"
#include "backends/tc/queue.h"
#include "backends/tc/say.h"
#include "backends/tc/tc.h"
#include "backends/tc/heed.h"
#include "model/base/mem.h"
#include "model/facts.h"

/* ---- numbers that the kernel or tc rounds ---- */

#define NS_PER_US 1000u
/* linux/pkt_sched.h of the kernel: PSCHED_SHIFT, a tick is 64 ns. */
#define TICK_SHIFT  6
#define CODEL_SHIFT 10

static uint64_t rounded(uint64_t us, unsigned shift)
{
	return (us * NS_PER_US >> shift << shift) / NS_PER_US;
}

/* The microseconds that come to what is told, once the kernel has rounded. */
static uint64_t unrounded(uint64_t told, unsigned shift)
{
	uint64_t us = told;

	while (us < told + 4 && rounded(us, shift) != told)
		us++;
	return us;
}

/* tc before 6.7: whole microseconds, of 15.625 ticks each. */
static uint64_t old_ticks(uint64_t rate, uint64_t bytes)
{
	double us = 1e6 * ((double)bytes / (double)rate);

	return us < 1e12 ? (uint64_t)us * 125 / 8 : UINT64_MAX;
}

/* And since then: whole ticks, upwards. */
static uint64_t new_ticks(uint64_t rate, uint64_t bytes)
{
	double ticks = 1e6 * ((double)bytes / (double)rate) * 15.625;
	uint64_t whole = ticks < 1e12 ? (uint64_t)ticks : UINT64_MAX / 2;

	return whole + (ticks > (double)whole);
}

/* The fewest bytes that come to so many ticks or more. */
static uint64_t fewest(uint64_t (*ticks_of)(uint64_t, uint64_t), uint64_t rate,
		       uint32_t ticks)
{
	uint64_t low = 0, high = UINT32_MAX;

	while (low < high) {
		uint64_t middle = (low + high) / 2;

		if (ticks_of(rate, middle) >= ticks)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

bool say_is_burst(uint64_t rate, uint64_t bytes, uint32_t ticks)
{
	return rate && old_ticks(rate, bytes) == ticks;
}

int say_burst(const struct say *say, uint64_t rate, uint32_t ticks,
	      uint64_t *bytes)
{
	if (!rate)
		return err_set(say->err, EOPNOTSUPP, "its rate is 0");
	*bytes = fewest(old_ticks, rate, ticks);
	if (old_ticks(rate, *bytes) == ticks)
		return 0;
	*bytes = fewest(new_ticks, rate, ticks);
	if (new_ticks(rate, *bytes) == ticks) {
		*say->doubt = "its burst is no whole microsecond: tc before "
			      "6.7 makes less of it";
		return 0;
	}
	return err_set(say->err, EOPNOTSUPP,
		       "its burst of %u ticks is between two that tc can say "
		       "(%llu and %llu bytes)",
		       ticks, (unsigned long long)*bytes - (*bytes != 0),
		       (unsigned long long)*bytes);
}

/* ---- rows: an attribute, a word ---- */

enum form {
	FORM_NUMBER, /* also bytes: tc takes them bare */
	FORM_SIGNED,
	FORM_HEX,
	FORM_RATE, /* byte/s */
	FORM_US,
	FORM_CODEL, /* us; kept in units of 1,024 ns */
	FORM_TICKS, /* us; kept in ticks */
	FORM_NS,
	FORM_LOG2,
	FORM_FLAG,  /* 1 the word, 0 the other one */
	FORM_NAMED, /* the words, by number */
	FORM_SKIP,
};

struct row {
	int type;
	enum form form;
	const char *word;
	const char *other;	  /* of a flag: what says 0, or NULL */
	const char *const *names; /* of FORM_NAMED */
	size_t name_count;
	bool has_unset; /* this number is the kernel's for: not given */
	uint32_t unset;
};

static void put_time(const char *word, uint64_t us, struct text *out)
{
	text_printf(out, " %s %lluus", word, (unsigned long long)us);
}

static int put_named(const struct say *say, const struct row *row, uint64_t u)
{
	if (u >= row->name_count || !row->names[u])
		return err_set(say->err, EOPNOTSUPP,
			       "the kernel says %llu for its %s, which has no "
			       "word of tc",
			       (unsigned long long)u, row->word);
	text_printf(say->out, " %s", row->names[u]);
	return 0;
}

static int put_row(const struct say *say, const struct row *row, uint64_t u)
{
	unsigned long long big = u;

	switch (row->form) {
	case FORM_NUMBER:
		text_printf(say->out, " %s %llu", row->word, big);
		break;
	case FORM_SIGNED:
		text_printf(say->out, " %s %d", row->word, (int32_t)u);
		break;
	case FORM_HEX:
		text_printf(say->out, " %s 0x%llx", row->word, big);
		break;
	case FORM_RATE:
		text_printf(say->out, " %s %llubit", row->word, big * 8);
		break;
	case FORM_US: put_time(row->word, u, say->out); break;
	case FORM_CODEL:
		put_time(row->word, unrounded(u, CODEL_SHIFT), say->out);
		break;
	case FORM_TICKS:
		put_time(row->word, unrounded(u, TICK_SHIFT), say->out);
		break;
	case FORM_NS:
		text_printf(say->out, " %s %lluns", row->word, big);
		break;
	case FORM_LOG2:
		text_printf(say->out, " %s %llu", row->word, 1ull << (u & 63));
		break;
	case FORM_FLAG:
		if (u || row->other)
			text_printf(say->out, " %s",
				    u ? row->word : row->other);
		break;
	case FORM_NAMED: return put_named(say, row, u);
	case FORM_SKIP: break;
	}
	return 0;
}

static int put_rows(const struct say *say, struct heed *heed,
		    const struct row *rows, size_t count)
{
	int rc = 0;

	for (size_t i = 0; i < count && rc == 0; i++) {
		const struct row *row = &rows[i];
		uint64_t u;

		if (!heed_has(heed, row->type))
			continue;
		u = heed_number(heed, row->type, 0);
		if (!row->has_unset || u != row->unset)
			rc = put_row(say, row, u);
	}
	return rc;
}

static const struct row codel_rows[] = {
	{ TCA_CODEL_LIMIT, FORM_NUMBER, .word = "limit" },
	{ TCA_CODEL_TARGET, FORM_CODEL, .word = "target" },
	{ TCA_CODEL_INTERVAL, FORM_CODEL, .word = "interval" },
	{ TCA_CODEL_CE_THRESHOLD, FORM_CODEL, .word = "ce_threshold" },
	{ TCA_CODEL_ECN, FORM_FLAG, .word = "ecn", .other = "noecn" },
};

static const struct row pie_rows[] = {
	{ TCA_PIE_TARGET, FORM_TICKS, .word = "target" },
	{ TCA_PIE_LIMIT, FORM_NUMBER, .word = "limit" },
	{ TCA_PIE_TUPDATE, FORM_US, .word = "tupdate" },
	{ TCA_PIE_ALPHA, FORM_NUMBER, .word = "alpha" },
	{ TCA_PIE_BETA, FORM_NUMBER, .word = "beta" },
	{ TCA_PIE_ECN, FORM_FLAG, .word = "ecn", .other = "noecn" },
	{ TCA_PIE_BYTEMODE, FORM_FLAG, .word = "bytemode",
	  .other = "nobytemode" },
	{ TCA_PIE_DQ_RATE_ESTIMATOR, FORM_FLAG, .word = "dq_rate_estimator",
	  .other = "no_dq_rate_estimator" },
};

static const struct row fq_pie_rows[] = {
	{ TCA_FQ_PIE_LIMIT, FORM_NUMBER, .word = "limit" },
	{ TCA_FQ_PIE_FLOWS, FORM_NUMBER, .word = "flows" },
	{ TCA_FQ_PIE_TARGET, FORM_TICKS, .word = "target" },
	{ TCA_FQ_PIE_TUPDATE, FORM_US, .word = "tupdate" },
	{ TCA_FQ_PIE_ALPHA, FORM_NUMBER, .word = "alpha" },
	{ TCA_FQ_PIE_BETA, FORM_NUMBER, .word = "beta" },
	{ TCA_FQ_PIE_QUANTUM, FORM_NUMBER, .word = "quantum" },
	{ TCA_FQ_PIE_MEMORY_LIMIT, FORM_NUMBER, .word = "memory_limit" },
	{ TCA_FQ_PIE_ECN_PROB, FORM_NUMBER, .word = "ecn_prob" },
	{ TCA_FQ_PIE_ECN, FORM_FLAG, .word = "ecn", .other = "noecn" },
	{ TCA_FQ_PIE_BYTEMODE, FORM_FLAG, .word = "bytemode",
	  .other = "nobytemode" },
	{ TCA_FQ_PIE_DQ_RATE_ESTIMATOR, FORM_FLAG, .word = "dq_rate_estimator",
	  .other = "no_dq_rate_estimator" },
};

/* sch_fq.c tells "none" as ~0 ns in us, cut to 32 bit. */
#define FQ_NO_CE ((uint32_t)(UINT64_MAX / NS_PER_US))

static const struct row fq_rows[] = {
	{ TCA_FQ_PLIMIT, FORM_NUMBER, .word = "limit" },
	{ TCA_FQ_FLOW_PLIMIT, FORM_NUMBER, .word = "flow_limit" },
	{ TCA_FQ_BUCKETS_LOG, FORM_LOG2, .word = "buckets" },
	{ TCA_FQ_QUANTUM, FORM_NUMBER, .word = "quantum" },
	{ TCA_FQ_INITIAL_QUANTUM, FORM_NUMBER, .word = "initial_quantum" },
	{ TCA_FQ_RATE_ENABLE, FORM_FLAG, .word = "pacing",
	  .other = "nopacing" },
	{ TCA_FQ_FLOW_MAX_RATE, FORM_RATE, .word = "maxrate", .has_unset = true,
	  .unset = UINT32_MAX },
	{ TCA_FQ_FLOW_REFILL_DELAY, FORM_US, .word = "refill_delay" },
	{ TCA_FQ_ORPHAN_MASK, FORM_NUMBER, .word = "orphan_mask" },
	{ TCA_FQ_LOW_RATE_THRESHOLD, FORM_RATE, .word = "low_rate_threshold" },
	{ TCA_FQ_CE_THRESHOLD, FORM_US, .word = "ce_threshold",
	  .has_unset = true, .unset = FQ_NO_CE },
	{ TCA_FQ_TIMER_SLACK, FORM_NS, .word = "timer_slack" },
	{ TCA_FQ_HORIZON, FORM_US, .word = "horizon" },
	{ TCA_FQ_HORIZON_DROP, FORM_FLAG, .word = "horizon_drop",
	  .other = "horizon_cap" },
};

static const struct row hhf_rows[] = {
	{ TCA_HHF_BACKLOG_LIMIT, FORM_NUMBER, .word = "limit" },
	{ TCA_HHF_QUANTUM, FORM_NUMBER, .word = "quantum" },
	{ TCA_HHF_HH_FLOWS_LIMIT, FORM_NUMBER, .word = "hh_limit" },
	{ TCA_HHF_RESET_TIMEOUT, FORM_US, .word = "reset_timeout" },
	{ TCA_HHF_ADMIT_BYTES, FORM_NUMBER, .word = "admit_bytes" },
	{ TCA_HHF_EVICT_TIMEOUT, FORM_US, .word = "evict_timeout" },
	{ TCA_HHF_NON_HH_WEIGHT, FORM_NUMBER, .word = "non_hh_weight" },
};

static const struct row fq_codel_rows[] = {
	{ TCA_FQ_CODEL_LIMIT, FORM_NUMBER, .word = "limit" },
	{ TCA_FQ_CODEL_FLOWS, FORM_NUMBER, .word = "flows" },
	{ TCA_FQ_CODEL_QUANTUM, FORM_NUMBER, .word = "quantum" },
	{ TCA_FQ_CODEL_TARGET, FORM_CODEL, .word = "target" },
	{ TCA_FQ_CODEL_INTERVAL, FORM_CODEL, .word = "interval" },
	{ TCA_FQ_CODEL_CE_THRESHOLD, FORM_CODEL, .word = "ce_threshold" },
	{ TCA_FQ_CODEL_MEMORY_LIMIT, FORM_NUMBER, .word = "memory_limit" },
	{ TCA_FQ_CODEL_DROP_BATCH_SIZE, FORM_NUMBER, .word = "drop_batch" },
	{ TCA_FQ_CODEL_ECN, FORM_FLAG, .word = "ecn", .other = "noecn" },
};

static int say_fq_codel(const struct say *say, struct heed *heed)
{
	bool selects = heed_has(heed, TCA_FQ_CODEL_CE_THRESHOLD_SELECTOR);
	uint32_t value = heed_u32(heed, TCA_FQ_CODEL_CE_THRESHOLD_SELECTOR, 0);
	uint32_t mask = heed_u32(heed, TCA_FQ_CODEL_CE_THRESHOLD_MASK, 0);
	int rc = put_rows(say, heed, fq_codel_rows, ARRAY_SIZE(fq_codel_rows));

	if (rc == 0 && selects && mask)
		text_printf(say->out, " ce_threshold_selector 0x%x/0x%x", value,
			    mask);
	return rc;
}

static const char *const cake_tins[] = { "diffserv3", "diffserv4", "diffserv8",
					 "besteffort", "precedence" };
static const char *const cake_flows[] = { "flowblind",	  "srchost",
					  "dsthost",	  "hosts",
					  "flows",	  "dual-srchost",
					  "dual-dsthost", "triple-isolate" };
static const char *const cake_atm[] = { "noatm", "atm", "ptm" };
static const char *const cake_acks[] = { "no-ack-filter", "ack-filter",
					 "ack-filter-aggressive" };

/* raw comes before what it would undo. */
static const struct row cake_rows[] = {
	{ TCA_CAKE_BASE_RATE64, FORM_RATE, .word = "bandwidth",
	  .has_unset = true, .unset = 0 },
	{ TCA_CAKE_AUTORATE, FORM_FLAG, .word = "autorate-ingress" },
	{ TCA_CAKE_DIFFSERV_MODE, FORM_NAMED, .word = "diffserv",
	  .names = cake_tins, .name_count = ARRAY_SIZE(cake_tins) },
	{ TCA_CAKE_FLOW_MODE, FORM_NAMED, .word = "flow mode",
	  .names = cake_flows, .name_count = ARRAY_SIZE(cake_flows) },
	{ TCA_CAKE_NAT, FORM_FLAG, .word = "nat", .other = "nonat" },
	{ TCA_CAKE_WASH, FORM_FLAG, .word = "wash", .other = "nowash" },
	{ TCA_CAKE_INGRESS, FORM_FLAG, .word = "ingress", .other = "egress" },
	{ TCA_CAKE_ACK_FILTER, FORM_NAMED, .word = "ack filter",
	  .names = cake_acks, .name_count = ARRAY_SIZE(cake_acks) },
	{ TCA_CAKE_SPLIT_GSO, FORM_FLAG, .word = "split-gso",
	  .other = "no-split-gso" },
	{ TCA_CAKE_RTT, FORM_US, .word = "rtt" },
	{ TCA_CAKE_ATM, FORM_NAMED, .word = "link layer", .names = cake_atm,
	  .name_count = ARRAY_SIZE(cake_atm) },
	{ TCA_CAKE_MPU, FORM_NUMBER, .word = "mpu", .has_unset = true,
	  .unset = 0 },
	{ TCA_CAKE_MEMORY, FORM_NUMBER, .word = "memlimit", .has_unset = true,
	  .unset = 0 },
	{ TCA_CAKE_FWMARK, FORM_HEX, .word = "fwmark", .has_unset = true,
	  .unset = 0 },
};

static int say_cake(const struct say *say, struct heed *heed)
{
	uint32_t rtt = heed_u32(heed, TCA_CAKE_RTT, 0);
	uint32_t target = heed_u32(heed, TCA_CAKE_TARGET, rtt / 20);
	int overhead = (int)heed_u32(heed, TCA_CAKE_OVERHEAD, 0);

	/* tc/q_cake.c: there is no word for it. */
	if (target != (rtt / 20 ? rtt / 20 : 1))
		return err_set(say->err, EOPNOTSUPP,
			       "its target of %u us is no twentieth of its rtt",
			       target);
	if (!heed_u32(heed, TCA_CAKE_BASE_RATE64, 0))
		text_put(say->out, " unlimited");
	if (heed_attr(heed, TCA_CAKE_RAW)) {
		if (overhead)
			return err_set(say->err, EOPNOTSUPP,
				       "it is raw, with an overhead of %d",
				       overhead);
		text_put(say->out, " raw");
	} else {
		text_printf(say->out, " overhead %d", overhead);
	}
	return put_rows(say, heed, cake_rows, ARRAY_SIZE(cake_rows));
}

/* ---- red and its like ---- */

/* Wlog and Scell_log follow from avpkt, burst and bandwidth, which the kernel
 * is never told: so any that lead there (tc/tc_red.c). */
static double power(double base, uint32_t exponent)
{
	double result = 1;

	for (; exponent; exponent >>= 1, base *= base)
		if (exponent & 1)
			result *= base;
	return result;
}

/* -log(1 - w), for w up to a half. */
static double log_of_rest(double w)
{
	double sum = 0, term = w;

	for (int i = 1; i < 60; i++, term *= w)
		sum += term / i;
	return sum;
}

static int red_wlog(uint32_t least, uint32_t burst, uint32_t avpkt)
{
	double a = (double)burst + 1 - (double)least / avpkt, w = 0.5;

	if (a < 1)
		return -1;
	for (int wlog = 1; wlog < 32; wlog++, w /= 2)
		if (a <= (1 - power(1 - w, burst)) / w)
			return wlog;
	return -1;
}

static int red_scell(int wlog, uint32_t avpkt, uint64_t rate)
{
	double ticks = (double)old_ticks(rate, avpkt);
	double most = 31 * ticks / log_of_rest(1.0 / (1u << wlog));

	for (int scell = 0; scell < 32; scell++)
		if (most / (double)(1ull << scell) < 512)
			return scell;
	return -1;
}

/* Bursts grow by a hundredth, so that a search ends. */
static bool find_burst(const struct tc_red_qopt *red, uint32_t avpkt,
		       uint32_t *burst)
{
	for (*burst = 1; *burst < 1u << 24; *burst += 1 + *burst / 100)
		if (red_wlog(red->qth_min, *burst, avpkt) == red->Wlog)
			return true;
	return false;
}

static bool find_bandwidth(const struct tc_red_qopt *red, uint32_t avpkt,
			   uint64_t *rate)
{
	/* 10 Mbit/s is tc's own choice. */
	*rate = 10000000 / 8;
	if (red_scell(red->Wlog, avpkt, *rate) == red->Scell_log)
		return true;
	for (*rate = 1; *rate < 1u << 31; *rate += 1 + *rate / 4)
		if (red_scell(red->Wlog, avpkt, *rate) == red->Scell_log)
			return true;
	return false;
}

static int put_red_parms(const struct say *say, const struct tc_red_qopt *red,
			 bool packets)
{
	static const uint32_t sizes[] = { 1000, 500, 1500, 250, 100, 64, 9000 };
	uint32_t avpkt = 0, burst = 0;
	uint64_t rate = 0;
	bool found = false;
	struct tc_red_qopt of = *red;

	for (size_t i = 0; i < ARRAY_SIZE(sizes) && !found; i++) {
		avpkt = sizes[i];
		/* choke counts packets, and tells tc's formula so. */
		of.qth_min = packets ? red->qth_min * avpkt : red->qth_min;
		found = find_burst(&of, avpkt, &burst) &&
			find_bandwidth(&of, avpkt, &rate);
	}
	if (!found)
		return err_set(say->err, EOPNOTSUPP,
			       "no burst of tc comes to its average (Wlog %d, "
			       "Scell_log %d)",
			       red->Wlog, red->Scell_log);
	text_printf(say->out,
		    " limit %u min %u max %u avpkt %u burst %u bandwidth "
		    "%llubit",
		    red->limit, red->qth_min, red->qth_max, avpkt, burst,
		    (unsigned long long)rate * 8);
	return 0;
}

static void put_probability(uint32_t max_p, struct text *out)
{
	text_printf(out, " probability %.17g", (double)max_p / 4294967296.0);
}

static int say_red(const struct say *say, struct heed *heed)
{
	static const char *const words[] = { "ecn", "harddrop", "adaptive",
					     "nodrop" };
	struct tc_red_qopt red;
	struct nla_bitfield32 flags;
	uint32_t bits;
	int rc;

	if (!heed_struct(heed, TCA_RED_PARMS, &red, sizeof(red)))
		return err_set(say->err, EOPNOTSUPP, "it tells no parameters");
	rc = put_red_parms(say, &red, false);
	if (rc < 0)
		return rc;
	put_probability(heed_u32(heed, TCA_RED_MAX_P, 0), say->out);
	bits = heed_struct(heed, TCA_RED_FLAGS, &flags, sizeof(flags))
		       ? flags.value
		       : red.flags;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (bits >> i & 1)
			text_printf(say->out, " %s", words[i]);
	if (bits >> ARRAY_SIZE(words))
		return err_set(say->err, EOPNOTSUPP,
			       "it has flags 0x%x, for which tc has no words",
			       bits);
	return 0;
}

static int say_choke(const struct say *say, struct heed *heed)
{
	struct tc_red_qopt red;
	int rc;

	if (!heed_struct(heed, TCA_CHOKE_PARMS, &red, sizeof(red)))
		return err_set(say->err, EOPNOTSUPP, "it tells no parameters");
	rc = put_red_parms(say, &red, true);
	if (rc < 0)
		return rc;
	put_probability(heed_u32(heed, TCA_CHOKE_MAX_P, 0), say->out);
	if (red.flags & TC_RED_ECN)
		text_put(say->out, " ecn");
	if (red.flags & ~TC_RED_ECN)
		return err_set(say->err, EOPNOTSUPP,
			       "it has flags 0x%x, for which tc has no words",
			       red.flags);
	return 0;
}

/* ---- structs ---- */

static int need(const struct say *say, const struct nlattr *options, void *out,
		size_t size)
{
	if (!message_struct(options, out, size))
		return err_set(say->err, EOPNOTSUPP,
			       "what the kernel tells of it cannot be read");
	return 0;
}

static int say_prio(const struct say *say, const struct nlattr *options)
{
	struct tc_prio_qopt prio;
	int rc = need(say, options, &prio, sizeof(prio));

	if (rc < 0)
		return rc;
	text_printf(say->out, " bands %d priomap", prio.bands);
	for (int i = 0; i <= TC_PRIO_MAX; i++)
		text_printf(say->out, " %u", prio.priomap[i]);
	return 0;
}

static int say_limit(const struct say *say, const struct nlattr *options)
{
	uint32_t limit;
	int rc = need(say, options, &limit, sizeof(limit));

	if (rc == 0)
		text_printf(say->out, " limit %u", limit);
	return rc;
}

static int say_hfsc(const struct say *say, const struct nlattr *options)
{
	struct tc_hfsc_qopt hfsc;
	int rc = need(say, options, &hfsc, sizeof(hfsc));

	if (rc == 0)
		text_printf(say->out, " default %x", hfsc.defcls);
	return rc;
}

/* Bands in the order they come; each attribute of the same number. */
static void put_bands(const char *word, const struct nlattr *nest, size_t skip,
		      struct text *out)
{
	const struct nlattr *at;
	size_t band = 0;
	int rest;

	text_printf(out, " %s", word);
	nla_for_each_nested(at, (struct nlattr *)(uintptr_t)nest,
			    rest) if (band++ >= skip)
		text_printf(out, " %u",
			    nla_len(at) >= 4 ? message_u32(at)
					     : message_u8(at));
}

static int say_ets(const struct say *say, struct heed *heed)
{
	uint32_t bands = heed_u32(heed, TCA_ETS_NBANDS, 0);
	uint32_t strict = heed_u32(heed, TCA_ETS_NSTRICT, 0);
	const struct nlattr *quanta = heed_attr(heed, TCA_ETS_QUANTA);
	const struct nlattr *map = heed_attr(heed, TCA_ETS_PRIOMAP);

	text_printf(say->out, " bands %u", bands);
	if (strict)
		text_printf(say->out, " strict %u", strict);
	if (quanta && bands > strict)
		put_bands("quanta", quanta, 0, say->out);
	if (map)
		put_bands("priomap", map, 0, say->out);
	return 0;
}

static int say_htb(const struct say *say, struct heed *heed)
{
	struct tc_htb_glob htb;

	if (!heed_struct(heed, TCA_HTB_INIT, &htb, sizeof(htb)))
		return err_set(say->err, EOPNOTSUPP, "it tells no parameters");
	text_printf(say->out, " default %x r2q %u", htb.defcls,
		    htb.rate2quantum);
	if (heed_has(heed, TCA_HTB_DIRECT_QLEN))
		text_printf(say->out, " direct_qlen %u",
			    heed_u32(heed, TCA_HTB_DIRECT_QLEN, 0));
	return 0;
}

static int say_queue(const struct say *say, const char *kind,
		     const struct nlattr *options)
{
	/* One on which nothing is as it would be anyhow. */
	static const struct link_fact none = { .mtu = 0 };
	struct queue queue;
	AUTO_TEXT words = TEXT_NONE;

	if (!queue_read(kind, options, &queue))
		return err_set(say->err, EOPNOTSUPP,
			       "what the kernel tells of it cannot be read");
	queue_print_on(&queue, &none, &words);
	/* The kind is there already. */
	text_put(say->out, text_get(&words) + strlen(kind));
	return 0;
}

static int say_sfq(const struct say *say, const struct nlattr *options)
{
	struct tc_sfq_qopt_v1 sfq;
	int rc = need(say, options, &sfq, sizeof(sfq));

	if (rc == 0 && (sfq.qth_min || sfq.qth_max || sfq.max_P))
		rc = err_set(say->err, EOPNOTSUPP,
			     "it has RED for each flow (redflowlimit), of "
			     "which the kernel does not tell enough");
	return rc < 0 ? rc : say_queue(say, "sfq", options);
}

/* ---- netem ---- */

static void put_percent(uint32_t share, struct text *out)
{
	text_printf(out, " %.12g%%", (double)share / UINT32_MAX * 100);
}

static void put_share(const char *word, uint32_t share, uint32_t correlation,
		      struct text *out)
{
	if (!share)
		return;
	text_printf(out, " %s", word);
	put_percent(share, out);
	if (correlation)
		put_percent(correlation, out);
}

/* In whole microseconds; the kernel keeps what comes of their ticks. */
static int put_ticks(const struct say *say, uint64_t ticks)
{
	uint64_t us = (ticks * 8 + 124) / 125;

	if (us * 125 / 8 != ticks)
		return err_set(say->err, EOPNOTSUPP,
			       "its delay of %llu ns is no whole microsecond",
			       (unsigned long long)ticks << TICK_SHIFT);
	text_printf(say->out, " %lluus", (unsigned long long)us);
	return 0;
}

static int put_loss_model(const struct say *say, const struct nlattr *nest)
{
	struct heed heed;
	struct tc_netem_gimodel gi;
	struct tc_netem_gemodel ge;
	int rc = heed_read(nest, &heed, say->err);

	if (rc < 0)
		return rc;
	if (heed_struct(&heed, NETEM_LOSS_GI, &gi, sizeof(gi))) {
		text_put(say->out, " loss state");
		put_percent(gi.p13, say->out);
		put_percent(gi.p31, say->out);
		put_percent(gi.p32, say->out);
		put_percent(gi.p23, say->out);
		put_percent(gi.p14, say->out);
	}
	if (heed_struct(&heed, NETEM_LOSS_GE, &ge, sizeof(ge))) {
		text_put(say->out, " loss gemodel");
		put_percent(ge.p, say->out);
		put_percent(ge.r, say->out);
		put_percent(UINT32_MAX - ge.h, say->out);
		put_percent(ge.k1, say->out);
	}
	return heed_all(&heed, "its loss", say->err);
}

static int put_netem_delay(const struct say *say,
			   const struct tc_netem_qopt *opt,
			   uint32_t correlation)
{
	int rc = 0;

	if (!opt->latency && !opt->jitter)
		return 0;
	text_put(say->out, " delay");
	rc = put_ticks(say, opt->latency);
	if (rc == 0 && opt->jitter)
		rc = put_ticks(say, opt->jitter);
	if (opt->jitter)
		*say->doubt = "the kernel does not tell by which distribution "
			      "its delays vary: uniform is said";
	if (rc == 0 && opt->jitter && correlation)
		put_percent(correlation, say->out);
	return rc;
}

static void put_netem_rate(struct heed *heed, struct text *out)
{
	struct tc_netem_rate rate;
	uint64_t wide = heed_number(heed, TCA_NETEM_RATE64, 0);

	if (!heed_struct(heed, TCA_NETEM_RATE, &rate, sizeof(rate)) ||
	    (!rate.rate && !wide))
		return;
	text_printf(out, " rate %llubit %d %u %d",
		    (unsigned long long)(wide ? wide : rate.rate) * 8,
		    rate.packet_overhead, rate.cell_size, rate.cell_overhead);
}

static int put_netem_slot(const struct say *say, struct heed *heed)
{
	struct tc_netem_slot slot;

	if (!heed_struct(heed, TCA_NETEM_SLOT, &slot, sizeof(slot)))
		return 0;
	if (slot.dist_delay || slot.dist_jitter)
		return err_set(say->err, EOPNOTSUPP,
			       "the kernel does not tell the distribution of "
			       "its slots");
	text_printf(say->out, " slot %lldns %lldns", (long long)slot.min_delay,
		    (long long)slot.max_delay);
	if (slot.max_packets)
		text_printf(say->out, " packets %d", slot.max_packets);
	if (slot.max_bytes)
		text_printf(say->out, " bytes %d", slot.max_bytes);
	return 0;
}

static int say_netem(const struct say *say, const struct nlattr *options)
{
	struct tc_netem_qopt opt;
	struct tc_netem_corr corr;
	struct tc_netem_reorder reorder;
	struct tc_netem_corrupt corrupt;
	struct heed heed;
	int rc = need(say, options, &opt, sizeof(opt));

	if (rc == 0)
		rc = heed_read_bytes((const char *)nla_data(options) +
					     NLA_ALIGN(sizeof(opt)),
				     (size_t)nla_len(options) -
					     NLA_ALIGN(sizeof(opt)),
				     &heed, say->err);
	if (rc < 0)
		return rc;
	heed_struct(&heed, TCA_NETEM_CORR, &corr, sizeof(corr));
	heed_struct(&heed, TCA_NETEM_REORDER, &reorder, sizeof(reorder));
	heed_struct(&heed, TCA_NETEM_CORRUPT, &corrupt, sizeof(corrupt));
	/* The same once more, in ns; the seed is the kernel's own choice. */
	heed_skip(&heed, TCA_NETEM_LATENCY64);
	heed_skip(&heed, TCA_NETEM_JITTER64);
	heed_skip(&heed, TCA_NETEM_JITTER64 + 3 /* TCA_NETEM_PRNG_SEED */);
	text_printf(say->out, " limit %u", opt.limit);
	rc = put_netem_delay(say, &opt, corr.delay_corr);
	if (rc == 0 && heed_has(&heed, TCA_NETEM_LOSS))
		rc = put_loss_model(say, heed_attr(&heed, TCA_NETEM_LOSS));
	put_share("loss random", opt.loss, corr.loss_corr, say->out);
	put_share("duplicate", opt.duplicate, corr.dup_corr, say->out);
	put_share("reorder", reorder.probability, reorder.correlation,
		  say->out);
	if (opt.gap > 1 || (opt.gap && !reorder.probability))
		text_printf(say->out, " gap %u", opt.gap);
	put_share("corrupt", corrupt.probability, corrupt.correlation,
		  say->out);
	put_netem_rate(&heed, say->out);
	if (rc == 0)
		rc = put_netem_slot(say, &heed);
	if (heed_u32(&heed, TCA_NETEM_ECN, 0))
		text_put(say->out, " ecn");
	return rc < 0 ? rc : heed_all(&heed, "netem", say->err);
}

/* ---- all of them ---- */

/* One of: options as they are; attributes; attributes that are rows. None: it
 * has no options. */
struct words {
	const char *kind;
	int (*whole)(const struct say *say, const struct nlattr *options);
	int (*heed)(const struct say *say, struct heed *heed);
	const struct row *rows;
	size_t row_count;
	bool queue; /* one of model/leaf.h that is told of whole */
};

#define ROWS(table) .rows = (table), .row_count = ARRAY_SIZE(table)

static const struct words words_known[] = {
	{ "pfifo", .queue = true },
	{ "bfifo", .queue = true },
	{ "tbf", .queue = true },
	{ "pfifo_head_drop", .whole = say_limit },
	{ "skbprio", .whole = say_limit },
	{ "prio", .whole = say_prio },
	{ "sfq", .whole = say_sfq },
	{ "hfsc", .whole = say_hfsc },
	{ "netem", .whole = say_netem },
	{ "htb", .heed = say_htb },
	{ "ets", .heed = say_ets },
	{ "red", .heed = say_red },
	{ "choke", .heed = say_choke },
	{ "cake", .heed = say_cake },
	{ "fq_codel", .heed = say_fq_codel },
	{ "codel", ROWS(codel_rows) },
	{ "pie", ROWS(pie_rows) },
	{ "fq_pie", ROWS(fq_pie_rows) },
	{ "fq", ROWS(fq_rows) },
	{ "hhf", ROWS(hhf_rows) },
	{ .kind = "drr" },
	{ .kind = "qfq" },
	{ .kind = "noqueue" },
	{ .kind = "pfifo_fast" },
};

static const struct words *find_words(const char *kind)
{
	for (size_t i = 0; i < ARRAY_SIZE(words_known); i++)
		if (!strcmp(words_known[i].kind, kind))
			return &words_known[i];
	return NULL;
}

int say_qdisc(const struct say *say, const char *kind,
	      const struct nlattr *options)
{
	const struct words *words = find_words(kind);
	struct heed heed;
	int rc;

	if (!words)
		return err_set(say->err, EOPNOTSUPP,
			       "Tresse does not know tc's words for this kind");
	text_put(say->out, kind);
	if (words->queue)
		return say_queue(say, kind, options);
	if (words->whole)
		return words->whole(say, options);
	/* drr tells an empty struct, or nothing. */
	if (!words->heed && !words->rows)
		return 0;
	rc = heed_read(options, &heed, say->err);
	if (rc == 0)
		rc = words->heed ? words->heed(say, &heed)
				 : put_rows(say, &heed, words->rows,
					    words->row_count);
	return rc < 0 ? rc : heed_all(&heed, kind, say->err);
}

/* ---- classes ---- */

static int say_htb_class(const struct say *say, const struct nlattr *options)
{
	struct tc_class class = { .rate = 0 };
	uint64_t burst, cburst;
	int rc;

	if (!tc_read_class(options, &class))
		return err_set(say->err, EOPNOTSUPP,
			       "what the kernel tells of it cannot be read");
	rc = say_burst(say, class.rate, class.buffer, &burst);
	if (rc == 0)
		rc = say_burst(say, class.ceil, class.cbuffer, &cburst);
	if (rc < 0)
		return rc;
	text_printf(say->out,
		    " rate %llubit ceil %llubit burst %llu cburst %llu prio %u "
		    "quantum %u",
		    (unsigned long long)class.rate * 8,
		    (unsigned long long)class.ceil * 8,
		    (unsigned long long)burst, (unsigned long long)cburst,
		    class.prio, class.quantum);
	if (class.overhead)
		text_printf(say->out, " overhead %u", class.overhead);
	if (class.mpu)
		text_printf(say->out, " mpu %u", class.mpu);
	if (class.linklayer == TC_LINKLAYER_ATM)
		text_put(say->out, " linklayer atm");
	return 0;
}

static int put_curve(const struct say *say, const char *word, struct heed *heed,
		     int type)
{
	struct tc_service_curve curve;

	if (!heed_struct(heed, type, &curve, sizeof(curve)))
		return 0;
	/* tc takes none without a slope, and the kernel then has none. */
	if (!curve.m1 && !curve.m2)
		return 0;
	text_printf(say->out, " %s m1 %llubit d %uus m2 %llubit", word,
		    (unsigned long long)curve.m1 * 8, curve.d,
		    (unsigned long long)curve.m2 * 8);
	return 0;
}

static int say_hfsc_class(const struct say *say, struct heed *heed)
{
	put_curve(say, "rt", heed, TCA_HFSC_RSC);
	put_curve(say, "ls", heed, TCA_HFSC_FSC);
	return put_curve(say, "ul", heed, TCA_HFSC_USC);
}

static const struct row drr_class_rows[] = {
	{ TCA_DRR_QUANTUM, FORM_NUMBER, .word = "quantum" },
};
static const struct row qfq_class_rows[] = {
	{ TCA_QFQ_WEIGHT, FORM_NUMBER, .word = "weight" },
	{ TCA_QFQ_LMAX, FORM_NUMBER, .word = "maxpkt" },
};

static const struct words classes_known[] = {
	{ "htb", .whole = say_htb_class },
	{ "hfsc", .heed = say_hfsc_class },
	{ "drr", ROWS(drr_class_rows) },
	{ "qfq", ROWS(qfq_class_rows) },
};

static const struct words *find_class(const char *kind)
{
	for (size_t i = 0; i < ARRAY_SIZE(classes_known); i++)
		if (!strcmp(classes_known[i].kind, kind))
			return &classes_known[i];
	return NULL;
}

bool say_makes_classes(const char *kind)
{
	return find_class(kind) != NULL;
}

int say_class(const struct say *say, const char *kind,
	      const struct nlattr *options)
{
	const struct words *words = find_class(kind);
	struct heed heed;
	int rc;

	if (!words)
		return err_set(say->err, EOPNOTSUPP,
			       "Tresse does not know tc's words for its "
			       "classes");
	text_put(say->out, kind);
	if (words->whole)
		return words->whole(say, options);
	rc = heed_read(options, &heed, say->err);
	if (rc == 0)
		rc = words->heed ? words->heed(say, &heed)
				 : put_rows(say, &heed, words->rows,
					    words->row_count);
	return rc < 0 ? rc : heed_all(&heed, "the class", say->err);
}
