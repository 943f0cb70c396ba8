/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/tc/program.h"

#include <linux/if_ether.h>
#include <netinet/in.h>
#include <stdlib.h>

#include "model/base/mem.h"
#include "model/node.h"
#include "model/report.h"
#include "model/shaping.h"
#include "model/sums.h"

/* Offsets, from the network header on and from the transport header on. */
enum {
	IP4_TOS = 1,
	IP4_LENGTH = 2,
	IP4_FRAGMENT = 6,
	IP4_PROTO = 9,
	IP4_SOURCE = 12,
	IP4_DESTINATION = 16,
	IP6_LENGTH = 4,
	IP6_PROTO = 6,
	IP6_SOURCE = 8,
	IP6_DESTINATION = 24,
	IP6_HEADER = 40,
	PORT_SOURCE = 0,
	PORT_DESTINATION = 2,
	TCP_FLAGS = 13,
};
#define FRAGMENT_OFFSET 0x1fffu

#define LOAD(size)	 (BPF_LD | (size) | BPF_ABS)
#define LOAD_AFTER(size) (BPF_LD | (size) | BPF_IND)
#define TEST(how)	 (BPF_JMP | (how) | BPF_K)

void program_clear(struct program *program)
{
	free(program->ops);
	free(program->fails);
	*program = (struct program)PROGRAM_NONE;
}

/* 0: none. */
static uint32_t default_of(const struct node *uplink)
{
	const struct node *target = node_target(uplink, UPLINK_DEFAULT, NULL);

	return target ? (uint32_t)node_u(target, CLASS_CLASSID) : 0;
}

/* ---- the assembler ---- */

static size_t emit(struct program *program, unsigned code, uint32_t k,
		   unsigned yes, unsigned no)
{
	program->ops = mem_grow(program->ops, program->count, &program->room,
				sizeof(*program->ops));
	program->ops[program->count] =
		(struct sock_filter){ (uint16_t)code, (uint8_t)yes, (uint8_t)no,
				      k };
	return program->count++;
}

static void load(struct program *program, unsigned size, uint32_t offset)
{
	emit(program, LOAD(size), (uint32_t)SKF_NET_OFF + offset, 0, 0);
}

/* A jump of any length, to be told where. */
static size_t jump(struct program *program)
{
	return emit(program, BPF_JMP | BPF_JA, 0, 0, 0);
}

static void land(struct program *program, size_t at)
{
	program->ops[at].k = (uint32_t)(program->count - at - 1);
}

static void fail(struct program *program)
{
	program->fails = mem_grow(program->fails, program->fail_count,
				  &program->fail_room, sizeof(size_t));
	program->fails[program->fail_count++] = jump(program);
}

/* Goes on if what was loaded is k. */
static void want(struct program *program, uint32_t k)
{
	emit(program, TEST(BPF_JEQ), k, 1, 0);
	fail(program);
}

/* ---- lists: one of them must hold ---- */

struct hits {
	size_t *items; /* owned */
	size_t count, room;
};

static void hit(struct program *program, struct hits *hits)
{
	hits->items =
		mem_grow(hits->items, hits->count, &hits->room, sizeof(size_t));
	hits->items[hits->count++] = jump(program);
}

static void end_list(struct program *program, struct hits *hits)
{
	fail(program);
	for (size_t i = 0; i < hits->count; i++)
		land(program, hits->items[i]);
	free(hits->items);
}

static void want_ranges(struct program *program, const struct ranges *ranges)
{
	struct hits hits = { NULL, 0, 0 };

	for (size_t i = 0; i < ranges->count; i++) {
		const struct range *range = &ranges->item[i];

		if (range->from == range->to) {
			emit(program, TEST(BPF_JEQ), range->from, 0, 1);
		} else {
			emit(program, TEST(BPF_JGE), range->from, 0, 2);
			emit(program, TEST(BPF_JGT), range->to, 1, 0);
		}
		hit(program, &hits);
	}
	end_list(program, &hits);
}

static uint32_t word_of(const uint8_t *bytes)
{
	return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 |
	       (uint32_t)bytes[2] << 8 | bytes[3];
}

/* A prefix, word by word; three instructions at most for each. */
static void test_prefix(struct program *program, const struct prefix *prefix,
			uint32_t offset, struct hits *hits)
{
	size_t tests[4], count = 0;

	for (unsigned at = 0; at < prefix->length; at += 32) {
		unsigned bits = prefix->length - at;
		uint32_t mask = bits < 32 ? ~(UINT32_MAX >> bits) : UINT32_MAX;

		load(program, BPF_W, offset + at / 8);
		if (bits < 32)
			emit(program, BPF_ALU | BPF_AND | BPF_K, mask, 0, 0);
		tests[count++] =
			emit(program, TEST(BPF_JEQ),
			     word_of(prefix->bytes + at / 8) & mask, 0, 0);
	}
	hit(program, hits);
	while (count--)
		program->ops[tests[count]].jf =
			(uint8_t)(program->count - tests[count] - 1);
}

static void want_addresses(struct program *program, const struct node *match,
			   size_t attr, int family, uint32_t offset)
{
	const struct value *value = node_value(match, attr);
	struct hits hits = { NULL, 0, 0 };

	if (!value)
		return;
	for (size_t i = 0; i < value->prefixes->count; i++)
		if (value->prefixes->item[i].family == family)
			test_prefix(program, &value->prefixes->item[i], offset,
				    &hits);
	end_list(program, &hits);
}

/* ---- conditions ---- */

static bool has_ports(const struct node *match)
{
	return node_has(match, MATCH_SPORT) || node_has(match, MATCH_DPORT);
}

static void want_proto(struct program *program, const struct node *match,
		       bool ip4)
{
	if (!node_has(match, MATCH_PROTO))
		return; /* ports and flags want one: model/check.c */
	load(program, BPF_B, ip4 ? IP4_PROTO : IP6_PROTO);
	want(program, (uint32_t)node_u(match, MATCH_PROTO));
}

static void want_dscp(struct program *program, const struct node *match,
		      bool ip4)
{
	if (!node_has(match, MATCH_DSCP))
		return;
	load(program, ip4 ? BPF_B : BPF_H, ip4 ? IP4_TOS : 0);
	emit(program, BPF_ALU | BPF_RSH | BPF_K, ip4 ? 2 : 6, 0, 0);
	emit(program, BPF_ALU | BPF_AND | BPF_K, 0x3f, 0, 0);
	want(program, (uint32_t)node_u(match, MATCH_DSCP));
}

static void want_length(struct program *program, const struct node *match,
			bool ip4)
{
	if (!node_has(match, MATCH_LENGTH))
		return;
	load(program, BPF_H, ip4 ? IP4_LENGTH : IP6_LENGTH);
	if (!ip4)
		emit(program, BPF_ALU | BPF_ADD | BPF_K, IP6_HEADER, 0, 0);
	want_ranges(program, node_value(match, MATCH_LENGTH)->ranges);
}

/* X is where the transport header begins. A later fragment has none. */
static void find_transport(struct program *program, bool ip4)
{
	if (!ip4) {
		emit(program, BPF_LDX | BPF_W | BPF_IMM, IP6_HEADER, 0, 0);
		return;
	}
	load(program, BPF_H, IP4_FRAGMENT);
	emit(program, TEST(BPF_JSET), FRAGMENT_OFFSET, 0, 1);
	fail(program);
	emit(program, BPF_LDX | BPF_B | BPF_MSH, (uint32_t)SKF_NET_OFF, 0, 0);
}

static void want_ports(struct program *program, const struct node *match,
		       size_t attr, uint32_t offset)
{
	if (!node_has(match, attr))
		return;
	emit(program, LOAD_AFTER(BPF_H), (uint32_t)SKF_NET_OFF + offset, 0, 0);
	want_ranges(program, node_value(match, attr)->ranges);
}

static void want_flags(struct program *program, const struct node *match)
{
	const struct value *value = node_value(match, MATCH_TCP_FLAGS);

	if (!value)
		return;
	emit(program, LOAD_AFTER(BPF_B), (uint32_t)SKF_NET_OFF + TCP_FLAGS, 0,
	     0);
	emit(program, BPF_ALU | BPF_AND | BPF_K, value->bits.mask, 0, 0);
	want(program, value->bits.value);
}

static void ask(struct program *program, const struct node *match, int family,
		uint32_t classid)
{
	bool ip4 = family == AF_INET;

	want_proto(program, match, ip4);
	want_addresses(program, match, MATCH_SRC, family,
		       ip4 ? IP4_SOURCE : IP6_SOURCE);
	want_addresses(program, match, MATCH_DST, family,
		       ip4 ? IP4_DESTINATION : IP6_DESTINATION);
	want_dscp(program, match, ip4);
	want_length(program, match, ip4);
	if (has_ports(match) || node_has(match, MATCH_TCP_FLAGS))
		find_transport(program, ip4);
	want_ports(program, match, MATCH_SPORT, PORT_SOURCE);
	want_ports(program, match, MATCH_DPORT, PORT_DESTINATION);
	want_flags(program, match);
	emit(program, BPF_RET | BPF_K, classid, 0, 0);
	while (program->fail_count)
		land(program, program->fails[--program->fail_count]);
}

/* ---- the matches, in their order ---- */

struct turn {
	const struct node *match;
	uint32_t classid;
	uint64_t order;
	size_t place;
};
struct turns {
	struct turn *items; /* owned */
	size_t count, room;
};

static void add_matches(struct turns *turns, const struct node *class)
{
	const struct node *matches = node_fixed(class, &kind_matches);
	AUTO(mem) void *room = matches ? node_sorted(matches) : NULL;

	for (struct node **at = room; at && *at; at++) {
		if (!node_u(*at, MATCH_ENABLED))
			continue;
		turns->items = mem_grow(turns->items, turns->count,
					&turns->room, sizeof(*turns->items));
		turns->items[turns->count] =
			(struct turn){ *at,
				       (uint32_t)node_u(class, CLASS_CLASSID),
				       node_u(*at, MATCH_ORDER), turns->count };
		turns->count++;
	}
}

/* As the mark driver goes through the classes: those below first. */
static void add_classes(struct turns *turns, const struct node *parent)
{
	AUTO(mem) void *room = node_sorted(parent);

	for (struct node **at = room; *at; at++) {
		if (node_kind(*at) != &kind_class)
			continue;
		if (class_is_leaf(*at))
			add_matches(turns, *at);
		else
			add_classes(turns, *at);
	}
}

static int by_turn(const void *left, const void *right)
{
	const struct turn *a = left, *b = right;

	if (a->order != b->order)
		return a->order < b->order ? -1 : 1;
	return a->place < b->place ? -1 : a->place > b->place;
}

static void put_family(struct program *program, const struct turns *turns,
		       int family, uint32_t rest)
{
	for (size_t i = 0; i < turns->count; i++)
		ask(program, turns->items[i].match, family,
		    turns->items[i].classid);
	emit(program, BPF_RET | BPF_K, rest, 0, 0);
}

static void put_turns(struct program *program, const struct turns *turns,
		      uint32_t rest)
{
	size_t ip6;

	emit(program, LOAD(BPF_W), (uint32_t)(SKF_AD_OFF + SKF_AD_PROTOCOL), 0,
	     0);
	emit(program, TEST(BPF_JEQ), ETH_P_IPV6, 0, 1);
	ip6 = jump(program);
	emit(program, TEST(BPF_JEQ), ETH_P_IP, 1, 0);
	emit(program, BPF_RET | BPF_K, rest, 0, 0);
	put_family(program, turns, AF_INET, rest);
	land(program, ip6);
	put_family(program, turns, AF_INET6, rest);
}

void program_classify(const struct node *uplink, struct report *report,
		      struct program *program)
{
	struct turns turns = { NULL, 0, 0 };

	add_classes(&turns, uplink);
	if (turns.count) {
		qsort(turns.items, turns.count, sizeof(*turns.items), by_turn);
		put_turns(program, &turns, default_of(uplink));
	} else {
		program_rest(uplink, program);
	}
	free(turns.items);
	if (program->count > BPF_MAXINSNS)
		report_error(report, uplink, E2BIG,
			     "its matches come to %zu instructions, and the "
			     "kernel takes %u in one filter: fewer matches, or "
			     "fewer networks in them",
			     program->count, BPF_MAXINSNS);
}

/* ---- marks ---- */

struct pair {
	uint32_t mark, classid;
};
struct pairs {
	struct pair *items; /* owned, by mark */
	size_t count, room;
};
#define FEW 4 /* are asked one after another */
/* A search takes some three instructions for each, and has BPF_MAXINSNS. */
#define SEARCHED_MOST 1024

static void find_pairs(const struct node *uplink, struct pairs *pairs)
{
	for (const struct node *at = node_first(uplink); at;
	     at = node_walk(uplink, at)) {
		const struct value *mark;

		if (node_kind(at) != &kind_class || !class_is_leaf(at))
			continue;
		mark = node_value(at, CLASS_MARK);
		if (!mark)
			continue;
		pairs->items = mem_grow(pairs->items, pairs->count,
					&pairs->room, sizeof(*pairs->items));
		pairs->items[pairs->count++] =
			(struct pair){ mark->bits.value,
				       (uint32_t)node_u(at, CLASS_CLASSID) };
	}
}

static int by_mark(const void *left, const void *right)
{
	const struct pair *a = left, *b = right;

	return a->mark < b->mark ? -1 : a->mark > b->mark;
}

static bool is_plain(const struct pairs *pairs)
{
	for (size_t i = 0; i < pairs->count; i++)
		if (pairs->items[i].mark != (pairs->items[i].classid & 0xffff))
			return false;
	return true;
}

/* No class is 1:0, and of one that is not there HTB takes the default. */
static void put_plain(struct program *program, const struct pairs *pairs)
{
	emit(program, TEST(BPF_JEQ), 0, 2, 0);
	emit(program, BPF_ALU | BPF_OR | BPF_K,
	     pairs->items[0].classid & 0xffff0000, 0, 0);
	emit(program, BPF_RET | BPF_A, 0, 0, 0);
	emit(program, BPF_RET | BPF_K, 0, 0, 0);
}

static void put_search(struct program *program, const struct pair *pairs,
		       size_t count, uint32_t rest)
{
	size_t half = count / 2, upper;

	if (count > FEW) {
		emit(program, TEST(BPF_JGE), pairs[half].mark, 0, 1);
		upper = jump(program);
		put_search(program, pairs, half, rest);
		land(program, upper);
		put_search(program, pairs + half, count - half, rest);
		return;
	}
	for (size_t i = 0; i < count; i++) {
		emit(program, TEST(BPF_JEQ), pairs[i].mark, 0, 1);
		emit(program, BPF_RET | BPF_K, pairs[i].classid, 0, 0);
	}
	emit(program, BPF_RET | BPF_K, rest, 0, 0);
}

static bool is_searched(size_t count, bool plain, uint32_t rest)
{
	return !plain || (rest && count <= SEARCHED_MOST);
}

static void put_pairs(struct program *program, const struct pairs *pairs,
		      uint32_t mask, uint32_t rest)
{
	emit(program, LOAD(BPF_W), (uint32_t)(SKF_AD_OFF + SKF_AD_MARK), 0, 0);
	if (mask != UINT32_MAX)
		emit(program, BPF_ALU | BPF_AND | BPF_K, mask, 0, 0);
	if (is_searched(pairs->count, is_plain(pairs), rest))
		put_search(program, pairs->items, pairs->count, rest);
	else
		put_plain(program, pairs);
}

void program_marks(const struct node *uplink, uint32_t mask,
		   struct report *report, struct program *program)
{
	struct pairs pairs = { NULL, 0, 0 };

	find_pairs(uplink, &pairs);
	if (pairs.count) {
		qsort(pairs.items, pairs.count, sizeof(*pairs.items), by_mark);
		put_pairs(program, &pairs, mask, default_of(uplink));
	}
	if (program->count > BPF_MAXINSNS)
		report_error(report, uplink, E2BIG,
			     "classifier=bpf: %zu classes come to %zu "
			     "instructions, and the kernel takes %u in one "
			     "filter; classifier=auto does without",
			     pairs.count, program->count, BPF_MAXINSNS);
	free(pairs.items);
}

/* Of a part of the tree, too: by the sums. */
bool program_leads_marks(const struct node *uplink)
{
	struct sums sums = SUMS_NONE;
	uint64_t marks, odd;

	sums_of(uplink, &sums);
	marks = sums_total(&sums, SUM_MARKS);
	odd = sums_total(&sums, SUM_ODD);
	sums_clear(&sums);
	return marks && is_searched(marks, !odd, default_of(uplink));
}

void program_rest(const struct node *uplink, struct program *program)
{
	uint32_t rest = default_of(uplink);

	if (rest)
		emit(program, BPF_RET | BPF_K, rest, 0, 0);
}

void program_arriving(struct program *program)
{
	emit(program, LOAD(BPF_W), (uint32_t)(SKF_AD_OFF + SKF_AD_PROTOCOL), 0,
	     0);
	emit(program, TEST(BPF_JEQ), ETH_P_ARP, 1, 0);
	emit(program, BPF_RET | BPF_K, UINT32_MAX, 0, 0);
	emit(program, BPF_RET | BPF_K, 0, 0, 0);
}
