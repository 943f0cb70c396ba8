/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Filters of others as conditions, and what is kept of their trees. */
#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <string.h>

#include "backends/tc/filter.h"
#include "backends/tc/tc.h"
#include "model/base/mem.h"
#include "tests/unit/unit.h"
#include "tests/unit/values.h"

static void put(int type, const void *bytes, size_t size, struct text *out)
{
	struct nlattr attr = { .nla_type = (uint16_t)type,
			       .nla_len = (uint16_t)(NLA_HDRLEN + size) };
	static const char zeros[NLA_ALIGNTO];

	text_put_bytes(out, &attr, sizeof(attr));
	text_put_bytes(out, bytes, size);
	text_put_bytes(out, zeros, (size_t)NLA_ALIGN(size) - size);
}

static void put_u32(int type, uint32_t u, struct text *out)
{
	put(type, &u, sizeof(u), out);
}

static struct tc_object *other(const char *kind, uint16_t protocol,
			       uint32_t handle, const struct text *options)
{
	struct tc_object *object =
		mem_alloc(sizeof(*object) + options->length + 1);

	memset(object, 0, sizeof(*object));
	object->sort = TC_OTHER;
	object->handle = handle;
	object->other.info = 1 << 16 | htons(protocol);
	strncpy(object->other.kind, kind, sizeof(object->other.kind) - 1);
	object->raw_size = (uint32_t)options->length;
	memcpy(object->raw, text_get(options), options->length);
	return object;
}

/* What it says, or why it cannot be said. The caller's to free. */
static char *words_of(const struct tc_object *object)
{
	AUTO_TEXT text = TEXT_NONE;
	struct filter filter;
	const char *why;

	if (!filter_read(object, &filter, &why))
		return mem_strdup(why);
	filter_print(&filter, &text);
	return text_take(&text);
}

struct key {
	uint32_t value, mask;
	int off, offmask;
};

static void says_u32(unsigned line, uint16_t protocol, const struct key *keys,
		     size_t count, const char *expected)
{
	AUTO_TEXT sel = TEXT_NONE;
	AUTO_TEXT options = TEXT_NONE;
	struct tc_u32_sel head = { .flags = TC_U32_TERMINAL,
				   .nkeys = (unsigned char)count };
	struct tc_object *object;
	AUTO(str) char *got = NULL;

	text_put_bytes(&sel, &head, sizeof(head));
	for (size_t i = 0; i < count; i++) {
		struct tc_u32_key key = { .mask = htonl(keys[i].mask),
					  .val = htonl(keys[i].value),
					  .off = keys[i].off,
					  .offmask = keys[i].offmask };

		text_put_bytes(&sel, &key, sizeof(key));
	}
	put_u32(TCA_U32_CLASSID, 0x10010, &options);
	put(TCA_U32_SEL, text_get(&sel), sel.length, &options);
	object = other("u32", protocol, 0x80000800, &options);
	got = words_of(object);
	unit_text(__FILE__, line, got, expected);
	free(object);
}
#define SAYS(protocol, expected, ...)                                          \
	do {                                                                   \
		const struct key keys[] = { __VA_ARGS__ };                     \
		says_u32(__LINE__, protocol, keys, ARRAY_SIZE(keys),           \
			 expected);                                            \
	} while (0)

TEST(tc_filter, says_what_u32_looks_at)
{
	SAYS(ETH_P_IP, "proto=17 dport=53 src=0.0.0.0/0",
	     { 0x00110000, 0x00ff0000, 8, 0 }, { 53, 0xffff, 20, 0 });
	SAYS(ETH_P_IP, "proto=6 sport=8000-8007 dst=198.51.100.0/24",
	     { 0x00060000, 0x00ff0000, 8, 0 },
	     { 8000u << 16, 0xfff80000, 20, 0 },
	     { 0xc6336400, 0xffffff00, 16, 0 });
	SAYS(ETH_P_IP, "src=0.0.0.0/0", { 0, 0, 0, 0 });
	SAYS(ETH_P_ALL, "", { 0, 0, 0, 0 });
	SAYS(ETH_P_IP, "src=192.0.2.1/32 dscp=46",
	     { 0x00b80000, 0x00fc0000, 0, 0 }, { 0xc0000201, ~0u, 12, 0 });
	SAYS(ETH_P_IPV6, "proto=17 dport=53 src=::/0",
	     { 0x00001100, 0x0000ff00, 4, 0 }, { 53, 0xffff, 40, 0 });
	SAYS(ETH_P_IPV6, "dst=2001:db8:7::/48", { 0x20010db8, ~0u, 24, 0 },
	     { 0x00070000, 0xffff0000, 28, 0 });
}

TEST(tc_filter, does_not_say_nearly_the_same)
{
	const char *ports = "it looks for ports without asking for tcp or udp";
	const char *field = "what it looks at is no whole field of a match";

	SAYS(ETH_P_IP, ports, { 53, 0xffff, 20, 0 });
	SAYS(ETH_P_IP, ports, { 0x002f0000, 0x00ff0000, 8, 0 },
	     { 53, 0xffff, 20, 0 });
	/* All of the TOS, with ECN; a gap; after the header; two values. */
	SAYS(ETH_P_IP, field, { 0x00b80000, 0x00ff0000, 0, 0 });
	SAYS(ETH_P_IP, field, { 0, 0xff00ff00, 12, 0 });
	SAYS(ETH_P_IP, field, { 53, 0xffff, 20, -1 });
	SAYS(ETH_P_IP, field, { 0, 0xff, 100, 0 });
	SAYS(ETH_P_IP, field, { 0, 0xff, -14, 0 });
	SAYS(ETH_P_IP, field, { 1, 1, 12, 0 }, { 2, 3, 12, 0 });
	SAYS(ETH_P_IP, field, { 0x45000000, 0xff000000, 0, 0 });
	SAYS(ETH_P_ALL,
	     "with protocol all it looks at bytes of packets that are not IP "
	     "as well",
	     { 0x00110000, 0x00ff0000, 8, 0 });
	SAYS(ETH_P_ARP, "its protocol is neither all, ip nor ipv6",
	     { 0, 0, 0, 0 });
}

static void says_fw(unsigned line, uint32_t mark, uint32_t mask, int more,
		    const char *expected)
{
	AUTO_TEXT options = TEXT_NONE;
	struct tc_object *object;
	AUTO(str) char *got = NULL;

	put_u32(TCA_FW_CLASSID, 0x10010, &options);
	if (mask != UINT32_MAX)
		put_u32(TCA_FW_MASK, mask, &options);
	if (more)
		put_u32(more, 0, &options);
	object = other("fw", ETH_P_ALL, mark, &options);
	got = words_of(object);
	unit_text(__FILE__, line, got, expected);
	free(object);
}

TEST(tc_filter, says_the_mark_of_fw)
{
	says_fw(__LINE__, 10, UINT32_MAX, 0, "mark=0xa/0xffffffff");
	says_fw(__LINE__, 10, 0xff, 0, "mark=0xa/0xff");
	says_fw(__LINE__, 0x100, 0xff, 0,
		"its mark has bits outside its mask, so it never matches");
	says_fw(__LINE__, 10, UINT32_MAX, TCA_FW_ACT,
		"it does more than to look at the mark and name a class");
	says_fw(__LINE__, 0, UINT32_MAX, 0,
		"it does more than to look at the mark and name a class");
}

static void fill_random(struct text *out, size_t size)
{
	while (out->length < size) {
		uint64_t u = values_random();

		/* Often what could be the head of an attribute. */
		if (u & 1)
			u = (u & 0x1f0000) | (4 + (u >> 32) % 40) |
			    (u & UINT64_C(0xffffffff00000000));
		text_put_bytes(out, &u, sizeof(u));
	}
}

TEST(tc_filter, survives_whatever_a_kernel_could_say)
{
	static const char *const kinds_read[] = { "u32", "fw", "flower", "bpf",
						  "basic" };

	for (int i = 0; i < 20000; i++) {
		AUTO_TEXT options = TEXT_NONE;
		struct tc_object *object;
		AUTO(str) char *got = NULL;

		fill_random(&options, values_random() % 200);
		object = other(kinds_read[i % 5], i % 2 ? ETH_P_IP : ETH_P_IPV6,
			       (uint32_t)values_random(), &options);
		got = words_of(object);
		CU_ASSERT_PTR_NOT_NULL(got);
		(void)filter_keeps(object);
		free(object);
	}
}

TEST(tc_filter, survives_whatever_a_store_could_have_kept)
{
	for (int i = 0; i < 5000; i++) {
		struct tc_kept head = { .version = TC_KEPT_TREE };
		AUTO_TEXT saved = TEXT_NONE;
		struct state now = STATE_NONE;
		struct owned_item item;
		struct nlmsghdr message = {
			.nlmsg_type = RTM_NEWQDISC + (i % 3) * 4,
			.nlmsg_len = (uint32_t)(values_random() % 300),
		};

		text_put_bytes(&saved, &head, sizeof(head));
		if (i % 4)
			text_put_bytes(&saved, &message, sizeof(message));
		fill_random(&saved, values_random() % 300);
		item = (struct owned_item){
			.saved = (void *)(uintptr_t)text_get(&saved),
			.saved_size = saved.length
		};
		tc_add_kept(&item, "wan0", 7, &now);
		state_clear(&now);
	}
}
