/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/mark/show.h"

#include <arpa/inet.h>
#include <netinet/in.h> /* before linux/netfilter.h, which has a copy */
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nf_tables_compat.h>
#include <linux/netfilter/xt_string.h>
#include <stdio.h>
#include <string.h>

#include "model/base/mem.h"
#include "model/kind.h"

/* How the register's bytes are written. */
enum form {
	FORM_HEX,
	FORM_NUMBER, /* of this machine's order */
	FORM_BIG,    /* of the net's */
	FORM_MARK,
	FORM_NAME,
	FORM_PROTO,
	FORM_FLAGS,
	FORM_DSCP4,
	FORM_DSCP6,
	FORM_DSCP4_NUMBER,
	FORM_DSCP6_NUMBER,
	FORM_CGROUP,
	FORM_DIRECTION,
	FORM_LABEL,
	FORM_IP4,
	FORM_IP6,
};

/* A rule on its way through its expressions. */
struct show {
	struct text *out;
	struct span
		sets; /* anonymous ones that are still to come, from set_at */
	size_t set_at;
	const char *what; /* the register holds: "meta length" */
	char ports[32];	  /* ...and where what is "udp sport", that */
	enum form form;
	struct span mask, flip; /* if it was changed */
	struct span constant;	/* if it is that */
	const char *map;	/* if it was looked up in that */
	int family;		/* asked for, but not yet written; or 0 */
	int proto;		/* same; or -1 */
	bool is_ip4;		/* the family asked for last */
	char transport[16];	/* the protocol asked for last, or th */
	bool has_set;		/* something */
	bool whole;		/* for nft to read: nothing left out */
	const char *cgroup;	/* of the rule, for nft to read, or NULL */
	bool unsayable;		/* nft has no words for it: a quote */
};

static const uint32_t usual_mask = 0xffff;

/* ---- values ---------------------------------------------------------- */

static void put_typed(struct text *out, enum match_attr attr,
		      const struct value *value)
{
	value_print(&kind_match.attrs[attr], value, out);
}

void show_mark(uint32_t mark, struct text *out)
{
	struct value value = { .bits = { mark, UINT32_MAX } };

	put_typed(out, MATCH_MARK, &value);
}

void show_classid(uint32_t classid, struct text *out)
{
	text_printf(out, "%x:%x", classid >> 16, classid & 0xffff);
}

static uint32_t own_u32(struct span data)
{
	uint32_t u = 0;

	if (data.length)
		memcpy(&u, data.at,
		       data.length < sizeof(u) ? data.length : sizeof(u));
	return u;
}

static uint32_t big_u32(struct span data)
{
	const uint8_t *byte = data.at;
	uint32_t u = 0;

	for (size_t i = 0; i < data.length; i++)
		u = u << 8 | byte[i];
	return u;
}

/* A short one is the first bytes of a network. */
static void put_address(struct text *out, int family, struct span data)
{
	size_t whole = family == AF_INET ? 4 : 16;
	char name[INET6_ADDRSTRLEN] = "?";
	uint8_t bytes[16] = { 0 };

	memcpy(bytes, data.at, data.length < whole ? data.length : whole);
	inet_ntop(family, bytes, name, sizeof(name));
	text_put(out, name);
	if (data.length < whole)
		text_printf(out, "/%zu", data.length * 8);
}

static void put_hex(struct text *out, struct span data)
{
	const uint8_t *byte = data.at;

	text_put(out, "0x");
	for (size_t i = 0; i < data.length; i++)
		text_printf(out, "%02x", byte[i]);
}

/* The highest bit. */
static void put_label(struct text *out, struct span data)
{
	const uint8_t *byte = data.at;

	for (size_t bit = data.length * 8; bit--;)
		if (byte[bit / 8] >> bit % 8 & 1) {
			text_printf(out, "%zu", bit);
			return;
		}
	text_put(out, "none");
}

static void put_name(struct text *out, struct span data)
{
	text_printf(out, "\"%.*s\"", (int)data.length, (const char *)data.at);
}

static void put_form(struct text *out, enum form form, struct span data)
{
	struct value value = { .u = big_u32(data) };

	switch (form) {
	case FORM_NUMBER: text_printf(out, "%u", own_u32(data)); return;
	case FORM_BIG: text_printf(out, "%u", big_u32(data)); return;
	case FORM_MARK: show_mark(own_u32(data), out); return;
	case FORM_NAME: put_name(out, data); return;
	case FORM_PROTO: put_typed(out, MATCH_PROTO, &value); return;
	case FORM_DSCP4:
		value.u >>= 2;
		put_typed(out, MATCH_DSCP, &value);
		return;
	case FORM_DSCP6:
		value.u >>= 6;
		put_typed(out, MATCH_DSCP, &value);
		return;
	case FORM_DSCP4_NUMBER:
		text_printf(out, "%u", big_u32(data) >> 2);
		return;
	case FORM_DSCP6_NUMBER:
		text_printf(out, "%u", big_u32(data) >> 6);
		return;
	case FORM_IP4: put_address(out, AF_INET, data); return;
	case FORM_IP6: put_address(out, AF_INET6, data); return;
	case FORM_DIRECTION:
		text_put(out, big_u32(data) ? "reply" : "original");
		return;
	case FORM_LABEL: put_label(out, data); return;
	case FORM_CGROUP:
	case FORM_FLAGS:
	case FORM_HEX: put_hex(out, data); return;
	}
}

/* ---- what waits to be written ---------------------------------------- */

static void flush_family(struct show *show)
{
	if (show->family)
		text_printf(show->out, " meta nfproto %s",
			    show->family == NFPROTO_IPV4 ? "ipv4" : "ipv6");
	show->family = 0;
}

static void flush_proto(struct show *show)
{
	if (show->proto >= 0)
		text_printf(show->out, " meta l4proto %s", show->transport);
	show->proto = -1;
}

static void flush(struct show *show)
{
	flush_family(show);
	flush_proto(show);
}

static void put_what(struct show *show)
{
	flush(show);
	text_printf(show->out, " %s", show->what);
}

/* ---- loads ----------------------------------------------------------- */

static void load(struct show *show, const char *what, enum form form)
{
	struct span none = { NULL, 0 };

	show->what = what;
	show->form = form;
	show->mask = show->flip = show->constant = none;
	show->map = NULL;
}

static void load_meta(struct show *show, uint32_t key)
{
	switch (key) {
	case NFT_META_OIFNAME: load(show, "oifname", FORM_NAME); break;
	case NFT_META_IIFNAME: load(show, "iifname", FORM_NAME); break;
	case NFT_META_NFPROTO: load(show, "meta nfproto", FORM_BIG); break;
	case NFT_META_L4PROTO: load(show, "meta l4proto", FORM_PROTO); break;
	case NFT_META_LEN: load(show, "meta length", FORM_NUMBER); break;
	case NFT_META_SKUID: load(show, "meta skuid", FORM_NUMBER); break;
	case NFT_META_SKGID: load(show, "meta skgid", FORM_NUMBER); break;
	case NFT_META_MARK: load(show, "meta mark", FORM_MARK); break;
	default: load(show, "meta", FORM_HEX); break;
	}
}

static void load_network(struct show *show, uint32_t offset)
{
	static const struct {
		bool ip4;
		uint32_t offset;
		const char *what;
		enum form form;
	} fields[] = {
		{ true, 1, "ip dscp", FORM_DSCP4 },
		{ true, 12, "ip saddr", FORM_IP4 },
		{ true, 16, "ip daddr", FORM_IP4 },
		{ false, 0, "ip6 dscp", FORM_DSCP6 },
		{ false, 8, "ip6 saddr", FORM_IP6 },
		{ false, 24, "ip6 daddr", FORM_IP6 },
	};

	load(show, "@nh", FORM_HEX);
	show->family = 0;
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		if (fields[i].ip4 == show->is_ip4 && fields[i].offset == offset)
			load(show, fields[i].what, fields[i].form);
	/* Not all names that we have for them are nft's. */
	if (show->whole && show->form == FORM_DSCP4)
		show->form = FORM_DSCP4_NUMBER;
	if (show->whole && show->form == FORM_DSCP6)
		show->form = FORM_DSCP6_NUMBER;
}

static void load_transport(struct show *show, uint32_t offset)
{
	const char *field = offset == 0	   ? "sport"
			    : offset == 2  ? "dport"
			    : offset == 13 ? "flags"
					   : "@th";

	show->proto = -1;
	snprintf(show->ports, sizeof(show->ports), "%s %s", show->transport,
		 field);
	load(show, show->ports, offset == 13 ? FORM_FLAGS : FORM_BIG);
}

/* ---- tests ----------------------------------------------------------- */

static void put_bits(struct show *show, struct span data)
{
	struct value value = { .bits = { big_u32(data), big_u32(show->mask) } };

	put_typed(show->out, MATCH_TCP_FLAGS, &value);
}

static void put_network(struct show *show, struct span data)
{
	const uint8_t *byte = show->mask.at;
	unsigned bits = 0;

	put_form(show->out, show->form, data);
	for (size_t i = 0; i < show->mask.length; i++)
		bits += (unsigned)__builtin_popcount(byte[i]);
	if (show->mask.length)
		text_printf(show->out, "/%u", bits);
}

static bool is_what(const struct show *show, const char *what)
{
	return !strcmp(show->what, what);
}

/* For nft a * at the end of a name is whatever follows, unless a backslash is
 * before it. */
static void put_name_whole(struct show *show, struct span data)
{
	size_t length = strnlen(data.at, data.length);
	const char *name = data.at;
	bool star = length && name[length - 1] == '*';

	put_what(show);
	text_printf(show->out, " \"%.*s%s\"", (int)length - star, name,
		    star ? "\\*" : "");
	show->unsayable |= memchr(name, '"', length) != NULL;
}

/* What is shown in our own words otherwise. */
static bool put_equal_whole(struct show *show, uint32_t op, struct span data)
{
	const char *is = op == NFT_CMP_NEQ ? "!=" : "==";

	if (!show->whole)
		return false;
	if (show->form == FORM_CGROUP && show->cgroup) {
		put_what(show);
		text_printf(show->out, " \"%s\"", show->cgroup);
		show->unsayable |= strchr(show->cgroup, '"') != NULL;
		return true;
	}
	if (show->form == FORM_NAME) {
		put_name_whole(show, data);
		return true;
	}
	if (show->form != FORM_FLAGS || !show->mask.length)
		return false;
	put_what(show);
	text_printf(show->out, " & 0x%x %s 0x%x", big_u32(show->mask), is,
		    big_u32(data));
	return true;
}

/* One bit, which is set where it is not equal to nothing. */
static bool put_equal_label(struct show *show, uint32_t op)
{
	if (show->form != FORM_LABEL || !show->mask.length)
		return false;
	put_what(show);
	text_put(show->out, op == NFT_CMP_NEQ ? " " : " != ");
	put_label(show->out, show->mask);
	return true;
}

static void put_equal(struct show *show, uint32_t op, struct span data)
{
	if (put_equal_label(show, op))
		return;
	if (put_equal_whole(show, op, data))
		return;
	put_what(show);
	if (show->form == FORM_MARK && show->mask.length)
		text_printf(show->out, " & 0x%x", own_u32(show->mask));
	if (op == NFT_CMP_NEQ)
		text_put(show->out, " !=");
	else if (show->form == FORM_MARK)
		text_put(show->out, " ==");
	text_put_char(show->out, ' ');
	if (show->form == FORM_FLAGS)
		put_bits(show, data);
	else if (show->form == FORM_IP4 || show->form == FORM_IP6)
		put_network(show, data);
	else
		put_form(show->out, show->form, data);
}

static void show_cmp(struct show *show, uint32_t op, struct span data)
{
	if (op == NFT_CMP_EQ && is_what(show, "meta nfproto")) {
		show->family = (int)big_u32(data);
		show->is_ip4 = show->family == NFPROTO_IPV4;
	} else if (op == NFT_CMP_EQ && is_what(show, "meta l4proto")) {
		AUTO_TEXT name = TEXT_NONE;

		show->proto = (int)big_u32(data);
		put_form(&name, FORM_PROTO, data);
		snprintf(show->transport, sizeof(show->transport), "%s",
			 text_get(&name));
	} else if (op == NFT_CMP_GTE) {
		put_what(show);
		text_put_char(show->out, ' ');
		put_form(show->out, show->form, data);
	} else if (op == NFT_CMP_LTE) {
		text_put_char(show->out, '-');
		put_form(show->out, show->form, data);
	} else {
		put_equal(show, op, data);
	}
}

/* ---- anonymous sets -------------------------------------------------- */

/* The last value of an interval: one below its end. */
static void put_last(struct text *out, enum form form, struct span end)
{
	uint8_t bytes[16] = { 0 };
	size_t i = end.length < sizeof(bytes) ? end.length : sizeof(bytes);

	memcpy(bytes, end.at, i);
	while (i--)
		if (bytes[i]--)
			break;
	put_form(out, form, (struct span){ bytes, end.length });
}

/* Is end the one after start? */
static bool is_single(struct span start, struct span end)
{
	uint8_t bytes[16] = { 0 };
	size_t i = start.length < sizeof(bytes) ? start.length : sizeof(bytes);

	memcpy(bytes, start.at, i);
	while (i--)
		if (++bytes[i])
			break;
	return start.length == end.length &&
	       !memcmp(bytes, end.at, start.length);
}

static struct span key_of(struct span element)
{
	return nfattr_span(nfattr_find(
		nfattr_span(nfattr_find(element, NFTA_SET_ELEM_KEY)),
		NFTA_DATA_VALUE));
}

static bool is_end(struct span element)
{
	return nfattr_u32(element, NFTA_SET_ELEM_FLAGS) &
	       NFT_SET_ELEM_INTERVAL_END;
}

/* An interval without an end reaches to the highest value. */
static void put_to_highest(struct show *show, struct span start)
{
	uint8_t highest[16];
	struct span end = { highest, start.length };

	memset(highest, 0xff, sizeof(highest));
	if (start.length > sizeof(highest) ||
	    !memcmp(start.at, highest, start.length))
		return;
	text_put_char(show->out, '-');
	put_form(show->out, show->form, end);
}

/* Sorted by key (item_sort_elements()): start, end, start... The end at 0 is no
 * interval's. */
static void put_elements(struct show *show, bool intervals,
			 struct span elements)
{
	struct span none = { NULL, 0 }, start = none;
	const struct nlattr *attr;
	const char *gap = "{ ";
	int rest;

	nfattr_each(attr, rest, elements)
	{
		struct span element = nfattr_span(attr), key = key_of(element);
		bool end = is_end(element);

		if (end && start.length && !is_single(start, key)) {
			text_put_char(show->out, '-');
			put_last(show->out, show->form, key);
		}
		start = end ? none : key;
		if (end)
			continue;
		text_put(show->out, gap);
		put_form(show->out, show->form, key);
		gap = ", ";
	}
	if (intervals && start.length)
		put_to_highest(show, start);
	text_put(show->out, " }");
}

static void show_anonymous(struct show *show)
{
	struct span attrs, elements;

	if (is_what(show, "meta l4proto"))
		snprintf(show->transport, sizeof(show->transport), "th");
	put_what(show);
	text_put_char(show->out, ' ');
	if (item_next_set(show->sets, &show->set_at, &attrs, &elements))
		put_elements(show,
			     nfattr_u32(attrs, NFTA_SET_FLAGS) &
				     NFT_SET_INTERVAL,
			     elements);
}

/* ---- what it does ---------------------------------------------------- */

/* Bits that are set, under the mask of those that are left alone. */
static void put_set_mark(struct show *show)
{
	uint32_t mask = ~own_u32(show->mask);

	if (show->whole) {
		text_printf(show->out, "%s & 0x%x | 0x%x", show->what, ~mask,
			    own_u32(show->flip));
		return;
	}
	show_mark(own_u32(show->flip), show->out);
	if (mask != usual_mask)
		text_printf(show->out, "/0x%x", mask);
}

static void put_register(struct show *show, bool classid)
{
	if (show->constant.length > sizeof(uint32_t)) {
		put_label(show->out, show->constant);
	} else if (show->constant.length && classid) {
		show_classid(own_u32(show->constant), show->out);
	} else if (show->constant.length) {
		show_mark(own_u32(show->constant), show->out);
	} else if (own_u32(show->flip)) {
		put_set_mark(show);
	} else {
		text_put(show->out, show->what);
		if (show->mask.length)
			text_printf(show->out, " & 0x%x", own_u32(show->mask));
	}
	if (show->map)
		text_printf(show->out, " map @%s", show->map);
}

static void show_set(struct show *show, const char *what, bool classid)
{
	flush(show);
	text_printf(show->out, " %s set ", what);
	put_register(show, classid);
	show->has_set = true;
}

static struct span value_in(struct span data, unsigned type)
{
	return nfattr_span(nfattr_find(nfattr_span(nfattr_find(data, type)),
				       NFTA_DATA_VALUE));
}

static void show_verdict(struct show *show, struct span data)
{
	struct span verdict = nfattr_span(
		nfattr_find(nfattr_span(nfattr_find(data, NFTA_IMMEDIATE_DATA)),
			    NFTA_DATA_VERDICT));
	const char *chain = nfattr_string(verdict, NFTA_VERDICT_CHAIN);

	flush(show);
	switch ((int)nfattr_u32(verdict, NFTA_VERDICT_CODE)) {
	case NF_DROP: text_put(show->out, " drop"); break;
	case NF_ACCEPT: text_put(show->out, " accept"); break;
	case NFT_JUMP: text_printf(show->out, " jump %s", chain); break;
	case NFT_GOTO: text_printf(show->out, " goto %s", chain); break;
	case NFT_RETURN:
		if (!show->has_set || show->whole)
			text_put(show->out, " return");
		break;
	default: text_put(show->out, " [verdict]"); break;
	}
}

/* ---- one expression -------------------------------------------------- */

static void on_meta(struct show *show, struct span data)
{
	uint32_t key = nfattr_u32(data, NFTA_META_KEY);

	if (!nfattr_find(data, NFTA_META_SREG))
		load_meta(show, key);
	else if (key == NFT_META_PRIORITY)
		show_set(show, "meta priority", true);
	else if (key == NFT_META_MARK)
		show_set(show, "meta mark", false);
	else
		show_set(show, "meta", false);
}

static void on_ct(struct show *show, struct span data)
{
	static const struct {
		uint32_t key;
		const char *what;
		enum form form;
	} keys[] = {
		{ NFT_CT_MARK, "ct mark", FORM_MARK },
		{ NFT_CT_DIRECTION, "ct direction", FORM_DIRECTION },
		{ NFT_CT_LABELS, "ct label", FORM_LABEL },
	};
	const char *what = "ct";
	enum form form = FORM_HEX;

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (keys[i].key == nfattr_u32(data, NFTA_CT_KEY)) {
			what = keys[i].what;
			form = keys[i].form;
		}
	if (nfattr_find(data, NFTA_CT_SREG))
		show_set(show, what, false);
	else
		load(show, what, form);
}

static void on_payload(struct show *show, struct span data)
{
	uint32_t base = nfattr_u32(data, NFTA_PAYLOAD_BASE);
	uint32_t offset = nfattr_u32(data, NFTA_PAYLOAD_OFFSET);

	if (base == NFT_PAYLOAD_NETWORK_HEADER)
		load_network(show, offset);
	else if (base == NFT_PAYLOAD_TRANSPORT_HEADER)
		load_transport(show, offset);
	else
		load(show, "payload", FORM_HEX);
}

static void on_socket(struct show *show, struct span data)
{
	unsigned level = nfattr_u32(data, NFTA_SOCKET_LEVEL);

	load(show, "socket cgroupv2", FORM_CGROUP);
	if (!show->whole)
		return;
	snprintf(show->ports, sizeof(show->ports), "socket cgroupv2 level %u",
		 level);
	show->what = show->ports;
}

static void on_bitwise(struct show *show, struct span data)
{
	show->mask = value_in(data, NFTA_BITWISE_MASK);
	show->flip = value_in(data, NFTA_BITWISE_XOR);
}

static void on_byteorder(struct show *show, struct span data)
{
	(void)data;
	if (show->form == FORM_NUMBER)
		show->form = FORM_BIG;
}

static void on_cmp(struct show *show, struct span data)
{
	show_cmp(show, nfattr_u32(data, NFTA_CMP_OP),
		 value_in(data, NFTA_CMP_DATA));
}

static void put_in_set(struct show *show, const char *set)
{
	put_what(show);
	if (show->mask.length)
		text_printf(show->out, " & 0x%x", own_u32(show->mask));
	text_printf(show->out, " @%s", set);
}

static void on_lookup(struct show *show, struct span data)
{
	if (nfattr_find(data, NFTA_LOOKUP_SET_ID))
		show_anonymous(show);
	else if (nfattr_find(data, NFTA_LOOKUP_DREG))
		show->map = nfattr_string(data, NFTA_LOOKUP_SET);
	else
		put_in_set(show, nfattr_string(data, NFTA_LOOKUP_SET));
}

static void on_immediate(struct show *show, struct span data)
{
	if (nfattr_u32(data, NFTA_IMMEDIATE_DREG) == NFT_REG_VERDICT) {
		show_verdict(show, data);
		return;
	}
	load(show, "constant", FORM_HEX);
	show->constant = value_in(data, NFTA_IMMEDIATE_DATA);
}

/* The pattern of a host's name: a line of HTTP, or what TLS puts around it. */
static void put_pattern(const struct xt_string_info *info, struct text *out)
{
	bool tls = info->patlen > 9 && !info->pattern[0];
	size_t from = tls ? 9 : 0;

	text_put(out, tls ? " tls-name \"" : " string \"");
	for (size_t i = from; i < info->patlen && i < sizeof(info->pattern);
	     i++) {
		char byte = info->pattern[i];

		if (byte == '\r' || byte == '\n')
			text_put(out, byte == '\r' ? "\\r" : "\\n");
		else
			text_put_char(out, byte > ' ' - 1 && byte < 0x7f &&
							   byte != '"'
						   ? byte
						   : '?');
	}
	text_put_char(out, '"');
}

static void on_match(struct show *show, struct span data)
{
	const char *name = nfattr_string(data, NFTA_MATCH_NAME);
	struct span raw = nfattr_span(nfattr_find(data, NFTA_MATCH_INFO));
	struct xt_string_info info;

	flush(show);
	if (name && !strcmp(name, "string") && raw.length >= sizeof(info)) {
		memcpy(&info, raw.at, sizeof(info));
		put_pattern(&info, show->out);
	} else {
		text_printf(show->out, " [match %s]", name ? name : "?");
	}
}

static void on_counter(struct show *show, struct span data)
{
	(void)data;
	flush(show);
	if (show->whole)
		text_put(show->out, " counter");
}

static const struct {
	const char *name;
	void (*on)(struct show *show, struct span data);
} expressions[] = {
	{ "meta", on_meta },
	{ "ct", on_ct },
	{ "payload", on_payload },
	{ "socket", on_socket },
	{ "bitwise", on_bitwise },
	{ "byteorder", on_byteorder },
	{ "cmp", on_cmp },
	{ "lookup", on_lookup },
	{ "immediate", on_immediate },
	{ "match", on_match },
	{ "counter", on_counter },
};

static void show_expression(struct show *show, struct span expr)
{
	const char *name = nfattr_string(expr, NFTA_EXPR_NAME);
	struct span data = nfattr_span(nfattr_find(expr, NFTA_EXPR_DATA));

	for (size_t i = 0; i < ARRAY_SIZE(expressions); i++)
		if (name && !strcmp(expressions[i].name, name)) {
			expressions[i].on(show, data);
			return;
		}
	flush(show);
	text_printf(show->out, " [%s]", name ? name : "?");
}

static void show_expressions(struct show *show, const struct item *rule)
{
	const struct nlattr *attr;
	int rest;

	show->sets = rule->sets;
	show->what = "";
	show->proto = -1;
	nfattr_each(attr, rest, rule->body)
		show_expression(show, nfattr_span(attr));
	flush(show);
}

void show_rule(const struct item *rule, struct text *out)
{
	struct show show = { .out = out, .transport = "th" };

	show_expressions(&show, rule);
}

bool show_rule_whole(const struct item *rule, const char *cgroup,
		     struct text *out)
{
	struct show show = {
		.out = out, .transport = "th", .whole = true, .cgroup = cgroup
	};

	show_expressions(&show, rule);
	return !show.unsayable;
}
