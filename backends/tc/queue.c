/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/tc/queue.h"

#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <net/if_arp.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <stdio.h>
#include <string.h>

#include "backends/tc/message.h"
#include "model/base/mem.h"
#include "model/base/text.h"
#include "model/facts.h"
#include "model/shaping.h"

/* psched_mtu() is the MTU and the device's hard_header_len, which no message
 * tells: 14 on Ethernet, 0 to some 60 elsewhere. */
#define HEADER	    14u
#define HEADER_MOST 64u
/* Where the device has txqueuelen 0 a bare pfifo would drop every packet. */
#define QUEUE_LENGTH 1000u
/* A jiffy at HZ=100, the longest there is. */
#define JIFFY_MOST    10000u
#define SFQ_MAX_DEPTH 127u /* net/sched/sch_sfq.c */

static bool has(uint32_t bits, size_t option)
{
	return bits >> option & 1;
}

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* ---- what the kernel makes of a value ---- */

/* net/sched/sch_codel.c: (us * 1000) >> CODEL_SHIFT and back. */
static uint64_t codel_rounded(uint64_t us)
{
	return (us * 1000 >> 10 << 10) / 1000;
}

static void set_exact(struct queue *queue, size_t option, uint64_t value)
{
	queue->low[option] = queue->high[option] = value;
}

static void set_range(struct queue *queue, size_t i,
		      const struct leaf_option *option)
{
	uint64_t value = queue->value[i];

	switch (option->code) {
	case LEAF_RATE32:
	case LEAF_RATE64: set_exact(queue, i, value / 8 * 8); break;
	case LEAF_CODEL: set_exact(queue, i, codel_rounded(value)); break;
	case LEAF_JIFFY:
		queue->low[i] = value;
		queue->high[i] = value + JIFFY_MOST;
		break;
	default: set_exact(queue, i, value); break;
	}
}

/* Where nothing was given the kernel asks the device. */
static void set_standard(struct queue *queue, size_t i,
			 const struct leaf_option *option,
			 const struct link_fact *link)
{
	uint64_t times = option->standard;
	uint64_t long_queue = link->txqlen ? link->txqlen : QUEUE_LENGTH;

	queue->value[i] = option->standard;
	set_range(queue, i, option);
	if (option->from == LEAF_QUEUE_LONG) {
		queue->value[i] = long_queue;
		set_exact(queue, i, long_queue);
	}
	if (option->from == LEAF_QUEUE_BYTES)
		times = long_queue;
	if (option->from == LEAF_QUEUE_BYTES ||
	    option->from == LEAF_PACKETS_LONG) {
		queue->value[i] =
			least(times * (link->mtu + HEADER), option->max);
		queue->low[i] = least(times * link->mtu, option->max);
		queue->high[i] = times * (link->mtu + HEADER_MOST);
	}
	if (!link->txqlen && option->from != LEAF_PACKETS_LONG &&
	    option->from != LEAF_CONSTANT && option->from != LEAF_NOTHING)
		queue->given |= 1u << i;
}

/* The bounds of sfq_change(), in its order. */
static void sfq_ranges(struct queue *queue)
{
	uint64_t depth = least(queue->value[SFQ_DEPTH], SFQ_MAX_DEPTH);
	uint64_t flows = queue->value[SFQ_FLOWS];
	uint64_t limit = queue->value[SFQ_LIMIT];

	if (has(queue->given, SFQ_DIVISOR))
		flows = least(flows, queue->value[SFQ_DIVISOR]);
	set_exact(queue, SFQ_DEPTH, depth);
	set_exact(queue, SFQ_FLOWS, flows);
	queue->low[SFQ_LIMIT] = least(limit, depth * flows);
	queue->low[SFQ_FLOWS] = least(flows, queue->low[SFQ_LIMIT]);
	/* A limit of its own the kernel does not bound (6.1). */
	if (has(queue->given, SFQ_LIMIT)) {
		set_exact(queue, SFQ_LIMIT, queue->low[SFQ_LIMIT]);
		set_exact(queue, SFQ_FLOWS, queue->low[SFQ_FLOWS]);
	}
}

/* psched_ratecfg_precompute() and psched_l2t_ns(), as 32-bit reciprocals: the
 * kernel works the buffer out of TCA_TBF_BURST with them. */
static uint64_t kernel_ns(uint64_t rate_bytes, uint64_t bytes,
			  const uint64_t *tbf)
{
	uint64_t factor = 1000000000u;
	uint32_t multiplier = 0, shift = 0;

	for (; rate_bytes; shift++, factor <<= 1) {
		multiplier = (uint32_t)(factor / rate_bytes);
		if (multiplier & 1u << 31 || factor >> 63)
			break;
	}
	bytes += tbf[TBF_OVERHEAD];
	if (bytes < tbf[TBF_MPU])
		bytes = tbf[TBF_MPU];
	if (tbf[TBF_LINKLAYER] == TC_LINKLAYER_ATM)
		bytes = (bytes + 47) / 48 * 53;
	return bytes * multiplier >> shift;
}

static uint64_t kernel_ticks(uint64_t rate_bytes, uint64_t bytes,
			     const uint64_t *tbf)
{
	return kernel_ns(rate_bytes, bytes, tbf) >> 6 & UINT32_MAX;
}

static void set_ticks(struct queue *queue, size_t option, uint64_t rate_bytes)
{
	uint64_t ticks =
		kernel_ticks(rate_bytes, queue->value[option], queue->value);

	queue->low[option] = ticks ? ticks - 1 : 0;
	queue->high[option] = ticks + 1;
}

/* The most bytes that the kernel would turn into these ticks; 0 if none. */
static uint32_t bytes_for(uint64_t rate_bytes, uint64_t ticks,
			  const uint64_t *tbf)
{
	uint64_t low = 0, high = 1u << 31;

	while (low < high) {
		uint64_t middle = (low + high + 1) / 2;

		if (kernel_ticks(rate_bytes, middle, tbf) <= ticks)
			low = middle;
		else
			high = middle - 1;
	}
	return kernel_ticks(rate_bytes, low, tbf) == ticks ? (uint32_t)low : 0;
}

static void tbf_ranges(struct queue *queue)
{
	uint64_t *value = queue->value;
	uint64_t rate = value[TBF_RATE] / 8, peak = value[TBF_PEAKRATE] / 8;

	if (has(queue->given, TBF_LATENCY)) {
		double limit = (double)rate * (double)value[TBF_LATENCY] / 1e6 +
			       (double)value[TBF_BURST];
		double peaked =
			(double)peak * (double)value[TBF_LATENCY] / 1e6 +
			(double)value[TBF_MTU];

		if (peak && peaked < limit)
			limit = peaked;
		value[TBF_LIMIT] = (uint64_t)limit; /* tc/q_tbf.c */
	}
	set_exact(queue, TBF_LIMIT, value[TBF_LIMIT]);
	set_exact(queue, TBF_RATE, rate * 8);
	set_exact(queue, TBF_PEAKRATE, peak * 8);
	set_ticks(queue, TBF_BURST, rate);
	if (peak)
		set_ticks(queue, TBF_MTU, peak);
	queue->low[TBF_LATENCY] = 0;
	queue->high[TBF_LATENCY] = UINT64_MAX;
}

static void set_present(struct queue *queue, size_t i)
{
	queue->value[i] = i == 0 || !has(queue->given, i - 1);
	set_exact(queue, i, queue->value[i]);
}

void queue_want(const struct leaf_item *item, const struct link_fact *link,
		struct queue *out)
{
	const struct leaf_kind *kind = item->kind;

	*out = (struct queue){ .given = item->given };
	snprintf(out->kind, sizeof(out->kind), "%s", kind->name);
	for (size_t i = 0; i < kind->option_count; i++) {
		const struct leaf_option *option = &kind->options[i];

		if (option->code == LEAF_PRESENT) {
			set_present(out, i);
		} else if (has(item->given, i)) {
			out->value[i] = item->value[i];
			set_range(out, i, option);
		} else {
			set_standard(out, i, option, link);
		}
	}
	if (kind->shape == LEAF_SFQ)
		sfq_ranges(out);
	if (kind->shape == LEAF_TBF)
		tbf_ranges(out);
}

/* ---- reading ---- */

static uint64_t attr_value(const struct leaf_option *option,
			   const struct nlattr *attr)
{
	uint64_t u = 0;

	if (option->code == LEAF_PRESENT)
		return attr != NULL;
	if (!attr)
		return option->code == LEAF_CODEL
			       ? codel_rounded(option->standard)
			       : option->standard;
	u = option->code == LEAF_RATE64 ? message_u64(attr)
	    : option->code == LEAF_U8	? message_u8(attr)
					: message_u32(attr);
	if (option->code == LEAF_RATE32 || option->code == LEAF_RATE64)
		return u > UINT64_MAX / 8 ? UINT64_MAX : u * 8;
	if (option->code == LEAF_LOG2)
		return 1ull << (u & 63);
	if (option->form == LEAF_SIGNED)
		return (uint64_t)(int64_t)(int32_t)u;
	return u;
}

static bool read_attributes(const struct leaf_kind *kind,
			    const struct nlattr *options, struct queue *out)
{
	enum { MOST = 32 };
	struct nlattr *attrs[MOST + 1] = { NULL };

	if (options && !message_nested(options, attrs, MOST))
		return false;
	for (size_t i = 0; i < kind->option_count; i++)
		out->value[i] = attr_value(&kind->options[i],
					   attrs[kind->options[i].at]);
	return true;
}

static bool read_struct(const struct leaf_kind *kind,
			const struct nlattr *options, struct queue *out)
{
	size_t size = kind->shape == LEAF_FIFO ? sizeof(struct tc_fifo_qopt)
					       : sizeof(struct tc_sfq_qopt_v1);

	if (!options || (size_t)nla_len(options) < size)
		return false;
	for (size_t i = 0; i < kind->option_count; i++) {
		uint32_t u;

		memcpy(&u,
		       (const char *)nla_data(options) + kind->options[i].at,
		       sizeof(u));
		out->value[i] = u;
	}
	return true;
}

static uint64_t rate_of(const struct tc_ratespec *rate,
			const struct nlattr *wide)
{
	uint64_t bytes = wide ? message_u64(wide) : 0;

	return 8 * (bytes > rate->rate ? bytes : rate->rate);
}

static bool read_tbf(const struct nlattr *options, struct queue *out)
{
	struct nlattr *attrs[TCA_TBF_MAX + 1];
	struct tc_tbf_qopt parms;

	if (!options || !message_nested(options, attrs, TCA_TBF_MAX) ||
	    !message_struct(attrs[TCA_TBF_PARMS], &parms, sizeof(parms)))
		return false;
	out->value[TBF_RATE] = rate_of(&parms.rate, attrs[TCA_TBF_RATE64]);
	out->value[TBF_PEAKRATE] =
		rate_of(&parms.peakrate, attrs[TCA_TBF_PRATE64]);
	out->value[TBF_BURST] = parms.buffer;
	out->value[TBF_MTU] = out->value[TBF_PEAKRATE] ? parms.mtu : 0;
	out->value[TBF_LIMIT] = parms.limit;
	out->value[TBF_MPU] = parms.rate.mpu;
	out->value[TBF_OVERHEAD] = parms.rate.overhead;
	out->value[TBF_LINKLAYER] = parms.rate.linklayer & 15;
	return true;
}

bool queue_read(const char *kind_name, const struct nlattr *options,
		struct queue *out)
{
	const struct leaf_kind *kind = leaf_kind(kind_name);
	bool good;

	*out = (struct queue){ .observed = 1 };
	snprintf(out->kind, sizeof(out->kind), "%s", kind_name);
	if (!kind)
		return false;
	if (kind->shape == LEAF_TBF)
		good = read_tbf(options, out);
	else if (kind->shape == LEAF_ATTRIBUTES)
		good = read_attributes(kind, options, out);
	else
		good = read_struct(kind, options, out);
	if (!good)
		return false;
	out->given = (1u << kind->option_count) - 1;
	memcpy(out->low, out->value, sizeof(out->low));
	memcpy(out->high, out->value, sizeof(out->high));
	return true;
}

/* What no word of leaf= is for, and what it is where nobody set it. */
static const struct {
	const char *kind;
	uint16_t at;
	uint32_t standard;
} unsaid[] = {
	{ "fq", TCA_FQ_TIMER_SLACK, 10000 },
	{ "fq_codel", TCA_FQ_CODEL_CE_THRESHOLD_MASK, 0 },
};

static bool sfq_says_all(const struct nlattr *options)
{
	struct tc_sfq_qopt_v1 sfq;

	/* RED in each flow. */
	return !message_struct(options, &sfq, sizeof(sfq)) ||
	       (!sfq.qth_min && !sfq.qth_max && !sfq.max_P);
}

bool queue_says_all(const char *kind, const struct nlattr *options)
{
	enum { MOST = 32 };
	struct nlattr *attrs[MOST + 1];
	uint32_t rtt;

	if (!strcmp(kind, "sfq"))
		return sfq_says_all(options);
	if (!options || !leaf_kind(kind) ||
	    leaf_kind(kind)->shape != LEAF_ATTRIBUTES ||
	    !message_nested(options, attrs, MOST))
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(unsaid); i++) {
		const struct nlattr *attr = attrs[unsaid[i].at];

		if (!strcmp(kind, unsaid[i].kind) && attr &&
		    (nla_len(attr) < 4
			     ? message_u8(attr)
			     : message_u32(attr)) != unsaid[i].standard)
			return false;
	}
	/* tc takes a twentieth of rtt for it, and nothing else. */
	if (strcmp(kind, "cake") != 0 || !attrs[TCA_CAKE_RTT] ||
	    !attrs[TCA_CAKE_TARGET])
		return true;
	rtt = message_u32(attrs[TCA_CAKE_RTT]);
	return message_u32(attrs[TCA_CAKE_TARGET]) == (rtt / 20 ? rtt / 20 : 1);
}

/* ---- comparing ---- */

uint32_t queue_differs(const struct queue *now, const struct queue *want)
{
	uint32_t differs = 0;

	for (size_t i = 0; i < LEAF_OPTIONS; i++) {
		/* cake's overhead is signed: ranges of one value. */
		if (want->low[i] == want->high[i]
			    ? now->value[i] != want->low[i]
			    : now->value[i] < want->low[i] ||
				      now->value[i] > want->high[i])
			differs |= 1u << i;
	}
	return differs;
}

bool queue_can_change(const struct queue *want, uint32_t differs)
{
	const struct leaf_kind *kind = leaf_kind(want->kind);

	for (size_t i = 0; kind && i < kind->option_count; i++)
		if (has(differs, i) && kind->options[i].flags & LEAF_AT_BIRTH)
			return false;
	return kind != NULL;
}

/* ---- writing ---- */

static void put_rate(struct tc_ratespec *to, uint64_t rate_bytes,
		     const struct queue *queue)
{
	message_rate(to, rate_bytes, (uint8_t)queue->value[TBF_LINKLAYER],
		     (uint16_t)queue->value[TBF_OVERHEAD],
		     (uint16_t)queue->value[TBF_MPU]);
}

static uint32_t ticks_of(const struct queue *queue, size_t option,
			 uint64_t rate_bytes)
{
	uint32_t ticks = UINT32_MAX;

	if (queue->observed)
		return (uint32_t)queue->value[option];
	(void)shaping_ticks(rate_bytes, queue->value[option], &ticks);
	return ticks;
}

/* What the kernel prefers to the ticks: it would find no byte in those of a
 * small burst that stands for a cell of ATM. */
static void put_burst(struct nl_msg *message, int type,
		      const struct queue *queue, size_t option,
		      uint64_t rate_bytes)
{
	uint32_t bytes = (uint32_t)queue->value[option];

	if (queue->observed)
		bytes = bytes_for(rate_bytes, bytes, queue->value);
	if (bytes)
		message_put_u32(message, type, bytes);
}

static void put_tbf(struct nl_msg *message, const struct queue *queue)
{
	const uint64_t *value = queue->value;
	uint64_t rate = value[TBF_RATE] / 8, peak = value[TBF_PEAKRATE] / 8;
	struct tc_tbf_qopt parms = { .limit = (uint32_t)value[TBF_LIMIT] };

	put_rate(&parms.rate, rate, queue);
	parms.buffer = ticks_of(queue, TBF_BURST, rate);
	if (peak) {
		put_rate(&parms.peakrate, peak, queue);
		parms.mtu = ticks_of(queue, TBF_MTU, peak);
	}
	message_put(message, TCA_TBF_PARMS, &parms, sizeof(parms));
	put_burst(message, TCA_TBF_BURST, queue, TBF_BURST, rate);
	if (rate > UINT32_MAX)
		message_put_u64(message, TCA_TBF_RATE64, rate);
	if (peak > UINT32_MAX)
		message_put_u64(message, TCA_TBF_PRATE64, peak);
	if (peak)
		put_burst(message, TCA_TBF_PBURST, queue, TBF_MTU, peak);
}

static void put_attribute(struct nl_msg *message,
			  const struct leaf_option *option,
			  const struct queue *queue, uint64_t value)
{
	uint8_t byte = (uint8_t)value;
	uint32_t rtt = (uint32_t)value;

	switch (option->code) {
	case LEAF_U8: message_put(message, option->at, &byte, 1); break;
	case LEAF_RATE32:
		message_put_u32(message, option->at, (uint32_t)(value / 8));
		break;
	case LEAF_RATE64:
		message_put_u64(message, option->at, value / 8);
		break;
	case LEAF_CODEL:
		/* Reading cut the microseconds that made this many units; one
		 * more makes as many again. */
		message_put_u32(message, option->at,
				(uint32_t)value + queue->observed);
		break;
	case LEAF_LOG2:
		message_put_u32(message, option->at,
				63u - (uint32_t)__builtin_clzll(value | 1));
		break;
	case LEAF_RTT: /* tc/q_cake.c */
		message_put_u32(message, TCA_CAKE_RTT, rtt);
		message_put_u32(message, TCA_CAKE_TARGET,
				rtt / 20 ? rtt / 20 : 1);
		break;
	case LEAF_PRESENT:
		if (value)
			message_put_u32(message, option->at, 0);
		break;
	default: message_put_u32(message, option->at, (uint32_t)value);
	}
}

static void put_attributes(struct nl_msg *message, const struct leaf_kind *kind,
			   const struct queue *queue, bool change)
{
	for (size_t i = 0; i < kind->option_count; i++) {
		const struct leaf_option *option = &kind->options[i];
		bool wanted = has(queue->given, i) ||
			      (option->flags & LEAF_WITH_FIRST &&
			       has(queue->given, 0));

		if (change)
			wanted = !(option->flags & LEAF_AT_BIRTH);
		if (wanted)
			put_attribute(message, option, queue, queue->value[i]);
	}
}

/* Only where no limit was given are there more flows than packets, or more
 * packets than flows can hold; to give what was read would bound both. */
static bool is_implied(const struct queue *queue, const struct leaf_kind *kind,
		       size_t option)
{
	const uint64_t *value = queue->value;

	return kind->shape == LEAF_SFQ && option == SFQ_LIMIT &&
	       queue->observed &&
	       (value[SFQ_FLOWS] > value[SFQ_LIMIT] ||
		value[SFQ_LIMIT] > value[SFQ_DEPTH] * value[SFQ_FLOWS]);
}

static void put_struct(struct nl_msg *message, const struct leaf_kind *kind,
		       const struct queue *queue, bool change)
{
	struct tc_sfq_qopt_v1 options = { .depth = 0 };
	bool some = kind->shape == LEAF_SFQ;

	for (size_t i = 0; i < kind->option_count; i++) {
		uint32_t u = (uint32_t)queue->value[i];

		if ((!change && !has(queue->given, i)) ||
		    is_implied(queue, kind, i))
			continue;
		some = true;
		memcpy((char *)&options + kind->options[i].at, &u, sizeof(u));
	}
	if (some)
		message_put(message, TCA_OPTIONS, &options,
			    kind->shape == LEAF_SFQ
				    ? sizeof(options)
				    : sizeof(struct tc_fifo_qopt));
}

void queue_put(struct nl_msg *message, const struct queue *queue, bool change)
{
	const struct leaf_kind *kind = leaf_kind(queue->kind);
	struct nlattr *nest;

	if (!kind)
		return;
	if (kind->shape == LEAF_FIFO || kind->shape == LEAF_SFQ) {
		put_struct(message, kind, queue, change);
		return;
	}
	nest = message_nest(message, TCA_OPTIONS);
	if (kind->shape == LEAF_TBF)
		put_tbf(message, queue);
	else
		put_attributes(message, kind, queue, change);
	message_nest_end(message, nest);
}

/* ---- printing ---- */

/* As it would have been given. */
static uint64_t shown(const struct queue *queue, const struct leaf_kind *kind,
		      size_t option)
{
	uint64_t value = queue->value[option];
	bool is_tbf = kind->shape == LEAF_TBF;

	if (!queue->observed)
		return value;
	if (is_tbf && option == TBF_BURST)
		return bytes_for(queue->value[TBF_RATE] / 8, value,
				 queue->value);
	if (is_tbf && option == TBF_MTU)
		return value ? bytes_for(queue->value[TBF_PEAKRATE] / 8, value,
					 queue->value)
			     : 0;
	/* Reading cut off a part of a microsecond. */
	return value + (kind->options[option].code == LEAF_CODEL);
}

static bool is_packets_long(const struct leaf_option *option, uint64_t value,
			    const struct link_fact *link)
{
	uint64_t times = option->standard;

	if (!link->type || link->type == ARPHRD_ETHER)
		return value == times * (link->mtu + HEADER);
	return value >= times * link->mtu &&
	       value <= times * (link->mtu + HEADER_MOST);
}

/* Of what was read, what is not as it would be anyhow: on this link, where
 * that is known. */
static bool is_telling(const struct leaf_option *option, uint64_t value,
		       const struct link_fact *link)
{
	if (option->from == LEAF_PACKETS_LONG)
		return link && !is_packets_long(option, value, link);
	if (option->from != LEAF_CONSTANT)
		return value != 0;
	return value != attr_value(option, NULL) ||
	       (option->code == LEAF_PRESENT && !value);
}

static void to_item(const struct queue *queue, const struct leaf_kind *kind,
		    const struct link_fact *link, struct leaf_item *item)
{
	*item = (struct leaf_item){ .kind = kind, .given = queue->given };
	for (size_t i = 0; i < kind->option_count; i++) {
		const struct leaf_option *option = &kind->options[i];

		item->value[i] = shown(queue, kind, i);
		if (queue->observed &&
		    !is_telling(option, queue->value[i], link))
			item->given &= ~(1u << i);
		if (option->code == LEAF_PRESENT && queue->observed)
			item->given &= ~(1u << i);
	}
}

void queue_print(const struct queue *queue, struct text *out)
{
	queue_print_on(queue, NULL, out);
}

void queue_print_on(const struct queue *queue, const struct link_fact *link,
		    struct text *out)
{
	const struct leaf_kind *kind = leaf_kind(queue->kind);
	struct leaf_item item;

	if (!kind) {
		text_put(out, queue->kind);
		return;
	}
	to_item(queue, kind, link, &item);
	leaf_item_print(&item, out);
}

/* One option alone, by the printer of them all: "pfifo limit 5" less "pfifo ".
 * The option before one that is there or not has its say when that one is not.
 */
static void print_option(const struct queue *queue,
			 const struct leaf_kind *kind, size_t option,
			 struct text *out)
{
	struct leaf_item item;
	AUTO_TEXT all = TEXT_NONE;

	if (kind->options[option].code == LEAF_PRESENT && !queue->value[option])
		option--;
	to_item(queue, kind, NULL, &item);
	item.given = 1u << option;
	leaf_item_print(&item, &all);
	text_put(out, text_get(&all) + strlen(kind->name) + 1);
}

static void print_difference(const struct queue *now, const struct queue *want,
			     const struct leaf_kind *kind, size_t option,
			     struct text *out)
{
	AUTO_TEXT before = TEXT_NONE;
	AUTO_TEXT after = TEXT_NONE;
	const char *name = kind->options[option].name;
	const char *to;

	print_option(now, kind, option, &before);
	print_option(want, kind, option, &after);
	to = text_get(&after);
	if (!strcmp(text_get(&before), to))
		return; /* tbf's burst in ticks follows its link layer */
	if (!strncmp(to, name, strlen(name)) && to[strlen(name)] == ' ' &&
	    !strncmp(text_get(&before), to, strlen(name) + 1))
		to += strlen(name) + 1;
	text_printf(out, " %s -> %s", text_get(&before), to);
}

void queue_print_change(const struct queue *now, const struct queue *want,
			uint32_t differs, struct text *out)
{
	const struct leaf_kind *kind = leaf_kind(want->kind);

	for (size_t i = 0; kind && i < kind->option_count; i++) {
		bool overruled = i + 1 < kind->option_count &&
				 kind->options[i + 1].code == LEAF_PRESENT &&
				 has(differs, i + 1);

		if (has(differs, i) && !overruled)
			print_difference(now, want, kind, i, out);
	}
}
