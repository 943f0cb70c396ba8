/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The programs that give packets their class, run here on packets. */
#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <string.h>

#include "backends/tc/program.h"
#include "model/node.h"
#include "model/report.h"
#include "tests/unit/unit.h"

/* ---- classic BPF, as far as ours goes ---- */

struct packet {
	uint8_t bytes[128]; /* from the network header on */
	uint32_t protocol, mark;
};

/* 0xdeadbeef: it is not one that we write, or leaves the packet. */
#define WRONG 0xdeadbeefu

static uint32_t loaded(const struct packet *packet, uint16_t size, uint32_t k)
{
	uint32_t at = k - (uint32_t)SKF_NET_OFF, value = 0;
	unsigned count = size == BPF_W ? 4 : size == BPF_H ? 2 : 1;

	if (k == (uint32_t)(SKF_AD_OFF + SKF_AD_PROTOCOL))
		return packet->protocol;
	if (k == (uint32_t)(SKF_AD_OFF + SKF_AD_MARK))
		return packet->mark;
	if (at + count > sizeof(packet->bytes))
		return WRONG;
	for (unsigned i = 0; i < count; i++)
		value = value << 8 | packet->bytes[at + i];
	return value;
}

static uint32_t calculated(const struct sock_filter *op, uint32_t a)
{
	switch (BPF_OP(op->code)) {
	case BPF_AND: return a & op->k;
	case BPF_OR: return a | op->k;
	case BPF_ADD: return a + op->k;
	case BPF_RSH: return a >> op->k;
	default: return WRONG;
	}
}

static size_t jumped(const struct sock_filter *op, uint32_t a)
{
	switch (BPF_OP(op->code)) {
	case BPF_JA: return op->k;
	case BPF_JEQ: return a == op->k ? op->jt : op->jf;
	case BPF_JGE: return a >= op->k ? op->jt : op->jf;
	case BPF_JGT: return a > op->k ? op->jt : op->jf;
	default: return a & op->k ? op->jt : op->jf; /* BPF_JSET */
	}
}

static uint32_t run(const struct program *program, const struct packet *packet)
{
	uint32_t a = 0, x = 0;

	for (size_t at = 0; at < program->count; at++) {
		const struct sock_filter *op = &program->ops[at];
		uint16_t size = BPF_SIZE(op->code);

		switch (BPF_CLASS(op->code)) {
		case BPF_LD:
			a = loaded(packet, size,
				   op->k + (BPF_MODE(op->code) == BPF_IND ? x
									  : 0));
			break;
		case BPF_LDX:
			x = BPF_MODE(op->code) == BPF_IMM
				    ? op->k
				    : (loaded(packet, BPF_B, op->k) & 15) * 4;
			break;
		case BPF_ALU: a = calculated(op, a); break;
		case BPF_JMP: at += jumped(op, a); break;
		case BPF_RET: return BPF_RVAL(op->code) == BPF_A ? a : op->k;
		default: return WRONG;
		}
	}
	return WRONG;
}

/* ---- packets ---- */

static struct packet ip4(uint8_t proto, uint16_t sport, uint16_t dport)
{
	struct packet packet = { .protocol = ETH_P_IP };
	/* 24 bytes of header: the ports are not where they mostly are */
	const uint8_t head[] = { 0x46, 0xb8, 0,	  60, 0, 0, 0,	 0,  64,  proto,
				 0,    0,    192, 0,  2, 7, 198, 51, 100, 1 };

	memcpy(packet.bytes, head, sizeof(head));
	packet.bytes[24] = (uint8_t)(sport >> 8);
	packet.bytes[25] = (uint8_t)sport;
	packet.bytes[26] = (uint8_t)(dport >> 8);
	packet.bytes[27] = (uint8_t)dport;
	packet.bytes[37] = 0x12; /* syn, ack */
	return packet;
}

static struct packet ip6(uint8_t proto, uint16_t sport, uint16_t dport)
{
	struct packet packet = { .protocol = ETH_P_IPV6 };
	const uint8_t head[] = { 0x6b, 0x80, 0, 0, 0, 20, proto, 64 };

	memcpy(packet.bytes, head, sizeof(head));
	inet_pton(AF_INET6, "2001:db8:0:1::7", packet.bytes + 8);
	inet_pton(AF_INET6, "2001:db8::1", packet.bytes + 24);
	packet.bytes[40] = (uint8_t)(sport >> 8);
	packet.bytes[41] = (uint8_t)sport;
	packet.bytes[42] = (uint8_t)(dport >> 8);
	packet.bytes[43] = (uint8_t)dport;
	packet.bytes[53] = 0x12;
	return packet;
}

static void set(struct node *node, const char *words)
{
	AUTO(str) char *line = mem_strdup(words);
	char *rest = line, *word;

	while ((word = strsep(&rest, " "))) {
		char *value = strchr(word, '=');

		*value++ = '\0';
		CU_ASSERT_EQUAL(node_set_text(node, word, value, NULL), 0);
	}
}

static struct node *class_in(struct node *uplink, const char *name,
			     const char *words)
{
	struct node *class = node_create(uplink, name, NULL);

	CU_ASSERT_PTR_NOT_NULL_FATAL(class);
	set(class, words);
	return class;
}

/* Does a match of these words hold for the packet? */
static bool holds(const char *words, const struct packet *packet)
{
	AUTO(tree) struct tree *tree = tree_new();
	struct node *uplink = node_create(tree_classes(tree), "d", NULL);
	struct node *class = class_in(uplink, "a", "rate=1mbit classid=1:10");
	struct program program = PROGRAM_NONE;
	struct report report = REPORT_NONE;
	uint32_t classid;

	set(node_create(node_fixed(class, &kind_matches), "m", NULL), words);
	program_classify(uplink, &report, &program);
	classid = run(&program, packet);
	CU_ASSERT_TRUE(classid == 0 || classid == 0x10010);
	CU_ASSERT_EQUAL(report.count, 0);
	program_clear(&program);
	return classid != 0;
}

TEST(program, asks_every_condition_of_both_families)
{
	static const struct {
		const char *words;
		bool four, six;
	} cases[] = {
		{ "proto=tcp", true, true },
		{ "proto=udp", false, false },
		{ "proto=tcp sport=443", true, true },
		{ "proto=tcp sport=1-442,444-65535", false, false },
		{ "proto=tcp sport=80,400-500 dport=5060", true, true },
		{ "proto=tcp dport=5061", false, false },
		{ "src=192.0.2.0/25", true, false },
		{ "src=192.0.2.8/29", false, false },
		{ "src=192.0.2.7", true, false },
		{ "src=2001:db8:0:1::/64", false, true },
		{ "src=2001:db8::/47", false, true },
		{ "src=2001:db8:0:1::8/125", false, false },
		{ "src=10.0.0.0/8,192.0.2.7,2001:db8:0:1::7", true, true },
		{ "dst=198.51.100.1,2001:db8::1", true, true },
		{ "dst=198.51.100.2,2001:db8::2", false, false },
		{ "src=192.0.2.7 dst=2001:db8::1", false, false },
		{ "dst=0.0.0.0/0", true, false },
		{ "dscp=ef", true, true },
		{ "dscp=cs1", false, false },
		{ "length=60", true, true },
		{ "length=61-70", false, false },
		{ "proto=tcp tcp-flags=syn,ack/syn,ack", true, true },
		{ "proto=tcp tcp-flags=syn/syn,ack", false, false },
	};
	const struct packet four = ip4(6, 443, 5060), six = ip6(6, 443, 5060);

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		bool right = holds(cases[i].words, &four) == cases[i].four &&
			     holds(cases[i].words, &six) == cases[i].six;

		if (!right)
			fprintf(stderr, "wrong: %s\n", cases[i].words);
		CU_ASSERT_TRUE(right);
	}
}

TEST(program, sees_no_ports_in_a_later_fragment_and_leaves_the_rest_alone)
{
	struct packet packet = ip4(6, 443, 5060);

	packet.bytes[7] = 1;
	CU_ASSERT_FALSE(holds("proto=tcp sport=443", &packet));
	CU_ASSERT_TRUE(holds("proto=tcp", &packet));
	packet.protocol = ETH_P_ARP;
	CU_ASSERT_FALSE(holds("proto=tcp", &packet));
}

TEST(program, asks_matches_by_order_then_by_class_and_name)
{
	AUTO(tree) struct tree *tree = tree_new();
	struct node *uplink = node_create(tree_classes(tree), "d", NULL);
	struct node *a = class_in(uplink, "a", "rate=1mbit classid=1:10");
	struct node *b = class_in(uplink, "b", "rate=1mbit classid=1:20");
	struct node *late, *early;
	struct packet packet = ip6(17, 53, 9000);
	struct program program = PROGRAM_NONE;
	struct report report = REPORT_NONE;

	late = node_create(node_fixed(a, &kind_matches), "late", NULL);
	early = node_create(node_fixed(b, &kind_matches), "early", NULL);
	set(late, "proto=udp");
	set(early, "proto=udp");
	program_classify(uplink, &report, &program);
	CU_ASSERT_EQUAL(run(&program, &packet), 0x10010);
	program_clear(&program);
	set(early, "order=1");
	program_classify(uplink, &report, &program);
	CU_ASSERT_EQUAL(run(&program, &packet), 0x10020);
	program_clear(&program);
	set(early, "enabled=no");
	program_classify(uplink, &report, &program);
	CU_ASSERT_EQUAL(run(&program, &packet), 0x10010);
	program_clear(&program);
}

TEST(program, is_tcs_where_a_mark_is_its_classs_number)
{
	AUTO(tree) struct tree *tree = tree_new();
	struct node *uplink = node_create(tree_classes(tree), "u", NULL);
	struct program program = PROGRAM_NONE;
	struct report report = REPORT_NONE;
	AUTO_TEXT text = TEXT_NONE;

	class_in(uplink, "a", "rate=1mbit classid=1:10 mark=16");
	class_in(uplink, "b", "rate=1mbit classid=1:20 mark=32");
	program_marks(uplink, UINT32_MAX, &report, &program);
	text_printf(&text, "%zu", program.count);
	for (size_t i = 0; i < program.count; i++)
		text_printf(&text, ",%u %u %u %u", program.ops[i].code,
			    program.ops[i].jt, program.ops[i].jf,
			    program.ops[i].k);
	ASSERT_TEXT(text_get(&text),
		    "5,32 0 0 4294963220,21 2 0 0,68 0 0 65536,22 0 0 0,"
		    "6 0 0 0");
	program_clear(&program);
}

TEST(program, finds_the_class_of_each_of_many_marks)
{
	AUTO(tree) struct tree *tree = tree_new();
	struct node *uplink = node_create(tree_classes(tree), "u", NULL);
	struct program program = PROGRAM_NONE;
	struct report report = REPORT_NONE;
	struct packet packet = { .protocol = ETH_P_IP };

	for (unsigned i = 1; i <= 1000; i++) {
		AUTO(str) char *name = mem_printf("c%u", i);
		AUTO(str)
		char *words =
			mem_printf("rate=1mbit classid=1:%x mark=%u", i, 3 * i);

		class_in(uplink, name, words);
	}
	program_marks(uplink, 0xffff, &report, &program);
	CU_ASSERT_EQUAL(report.count, 0);
	for (unsigned mark = 0; mark < 3010; mark++) {
		bool is_one = mark && mark % 3 == 0 && mark <= 3000;

		packet.mark = mark | 0x10000; /* a path's, outside the mask */
		CU_ASSERT_EQUAL(run(&program, &packet),
				is_one ? 0x10000 + mark / 3 : 0);
	}
	program_clear(&program);
}
