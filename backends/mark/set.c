/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/mark/set.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "backends/mark/item.h"
#include "model/base/mem.h"

/* libnftnl/udata.h and nft's enum byteorder. */
enum {
	UDATA_SET_KEYBYTEORDER = 0,
	UDATA_SET_MERGE_ELEMENTS = 2,
	UDATA_ELEM_FLAGS = 1,
	ELEM_INTERVAL_OPEN = 1,
	BYTEORDER_HOST = 1,
	BYTEORDER_BIG = 2,
};

const struct key_type key_port = { DATATYPE_PORT, 2, false };
const struct key_type key_length = { DATATYPE_INTEGER, 4, true };
const struct key_type key_uid = { DATATYPE_UID, 4, true };
const struct key_type key_gid = { DATATYPE_GID, 4, true };
const struct key_type key_ipv4 = { DATATYPE_IPV4, 4, false };
const struct key_type key_ipv6 = { DATATYPE_IPV6, 16, false };
const struct key_type key_proto = { DATATYPE_PROTO, 1, false };

/* ---- intervals ------------------------------------------------------- */

static int compare_intervals(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct interval));
}

/* Adds one; false if that ran over. */
static bool next_value(uint8_t *bytes, size_t length)
{
	while (length--)
		if (++bytes[length])
			return true;
	return false;
}

static bool touches(const struct interval *low, const struct interval *high,
		    size_t length)
{
	uint8_t after[16];

	memcpy(after, low->to, sizeof(after));
	return !next_value(after, length) ||
	       memcmp(high->from, after, length) <= 0;
}

size_t intervals_join(struct interval *items, size_t count, size_t length)
{
	size_t kept = 0;

	qsort(items, count, sizeof(*items), compare_intervals);
	for (size_t i = 1; i < count; i++) {
		if (!touches(&items[kept], &items[i], length))
			items[++kept] = items[i];
		else if (memcmp(items[i].to, items[kept].to, length) > 0)
			memcpy(items[kept].to, items[i].to, length);
	}
	return count ? kept + 1 : 0;
}

static bool is_single(const struct interval *item, size_t length)
{
	return !memcmp(item->from, item->to, length);
}

static bool all_single(const struct interval *items, size_t count,
		       size_t length)
{
	for (size_t i = 0; i < count; i++)
		if (!is_single(&items[i], length))
			return false;
	return true;
}

/* ---- elements -------------------------------------------------------- */

/* As the register holds it when it was not swapped. */
static void in_register(const struct key_type *key, const uint8_t *from,
			uint8_t *to)
{
	uint32_t u;

	memcpy(to, from, key->length);
	if (!key->host_order)
		return;
	memcpy(&u, from, sizeof(u));
	u = be32toh(u);
	memcpy(to, &u, sizeof(u));
}

static void put_element(struct text *out, const void *bytes, size_t length,
			uint32_t flags, bool open)
{
	static const uint8_t open_udata[] = {
		UDATA_ELEM_FLAGS, 4, ELEM_INTERVAL_OPEN, 0, 0, 0
	};
	size_t elem = nfattr_open(out, NFTA_LIST_ELEM);
	size_t key = nfattr_open(out, NFTA_SET_ELEM_KEY);

	nfattr_put(out, NFTA_DATA_VALUE, bytes, length);
	nfattr_close(out, key);
	if (flags)
		nfattr_put_u32(out, NFTA_SET_ELEM_FLAGS, flags);
	if (open)
		nfattr_put(out, NFTA_SET_ELEM_USERDATA, open_udata,
			   sizeof(open_udata));
	nfattr_close(out, elem);
}

static void put_singles(struct text *out, const struct key_type *key,
			const struct interval *items, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		uint8_t bytes[16];

		in_register(key, items[i].from, bytes);
		put_element(out, bytes, key->length, 0, false);
	}
}

/* What lies below the first start is outside, which nft says by an end at 0. An
 * interval up to the highest value has no end, and says so for nft. */
static void put_intervals(struct text *out, size_t length,
			  const struct interval *items, size_t count)
{
	static const uint8_t zero[16];

	if (memcmp(items[0].from, zero, length) != 0)
		put_element(out, zero, length, NFT_SET_ELEM_INTERVAL_END,
			    false);
	for (size_t i = 0; i < count; i++) {
		uint8_t after[16];
		bool ends;

		memcpy(after, items[i].to, sizeof(after));
		ends = next_value(after, length);
		put_element(out, items[i].from, length, 0, !ends);
		if (ends)
			put_element(out, after, length,
				    NFT_SET_ELEM_INTERVAL_END, false);
	}
}

static void add_set(struct draft *draft, const struct key_type *key,
		    const struct interval *items, size_t count)
{
	bool single = all_single(items, count, key->length);
	AUTO_TEXT attrs = TEXT_NONE;
	AUTO_TEXT elements = TEXT_NONE;

	nfattr_put_u32(&attrs, NFTA_SET_FLAGS,
		       NFT_SET_ANONYMOUS | NFT_SET_CONSTANT |
			       (single ? 0 : NFT_SET_INTERVAL));
	nfattr_put_u32(&attrs, NFTA_SET_KEY_TYPE, key->datatype);
	nfattr_put_u32(&attrs, NFTA_SET_KEY_LEN, key->length);
	if (single)
		put_singles(&elements, key, items, count);
	else
		put_intervals(&elements, key->length, items, count);
	item_sort_elements(&elements);
	item_add_set(&draft->sets, nfattr_text(&attrs), nfattr_text(&elements));
	draft->set_count++;
	if (!single && key->host_order)
		expr_swap(draft);
	expr_in_last_set(draft);
}

/* ---- tests ----------------------------------------------------------- */

void set_test(struct draft *draft, const struct key_type *key,
	      const struct interval *items, size_t count)
{
	uint8_t bytes[16];

	if (count > 1) {
		add_set(draft, key, items, count);
		return;
	}
	if (is_single(items, key->length)) {
		in_register(key, items->from, bytes);
		expr_cmp(draft, NFT_CMP_EQ, bytes, key->length);
		return;
	}
	if (key->host_order)
		expr_swap(draft);
	expr_cmp(draft, NFT_CMP_GTE, items->from, key->length);
	expr_cmp(draft, NFT_CMP_LTE, items->to, key->length);
}

static void put_number(const struct key_type *key, uint32_t u, uint8_t *out)
{
	for (size_t i = key->length; i--; u >>= 8)
		out[i] = (uint8_t)u;
}

void set_test_ranges(struct draft *draft, const struct key_type *key,
		     const struct ranges *ranges)
{
	AUTO(mem)
	void *room = mem_array(ranges->count, sizeof(struct interval));
	struct interval *items = room;
	size_t count;

	for (size_t i = 0; i < ranges->count; i++) {
		put_number(key, ranges->item[i].from, items[i].from);
		put_number(key, ranges->item[i].to, items[i].to);
	}
	count = intervals_join(items, ranges->count, key->length);
	if (count)
		set_test(draft, key, items, count);
}

/* ---- sending --------------------------------------------------------- */

static void put_udata(struct text *out, uint8_t type, uint32_t u)
{
	uint8_t head[2] = { type, sizeof(u) };

	text_put_bytes(out, head, sizeof(head));
	text_put_bytes(out, &u, sizeof(u));
}

static uint32_t count_elements(struct span elements)
{
	const struct nlattr *attr;
	uint32_t count = 0;
	int rest;

	nfattr_each(attr, rest, elements) count++;
	return count;
}

static bool is_host_order(uint32_t datatype)
{
	return datatype == DATATYPE_INTEGER || datatype == DATATYPE_UID ||
	       datatype == DATATYPE_GID || datatype == DATATYPE_MARK;
}

void set_hints(struct text *out, struct span attrs, struct span elements)
{
	bool interval = nfattr_u32(attrs, NFTA_SET_FLAGS) & NFT_SET_INTERVAL;
	bool host = is_host_order(nfattr_u32(attrs, NFTA_SET_KEY_TYPE));
	AUTO_TEXT udata = TEXT_NONE;
	size_t desc = nfattr_open(out, NFTA_SET_DESC);

	/* The hash table is then as large as needed, and never grows. */
	nfattr_put_u32(out, NFTA_SET_DESC_SIZE, count_elements(elements));
	nfattr_close(out, desc);
	put_udata(&udata, UDATA_SET_KEYBYTEORDER,
		  host && !interval ? BYTEORDER_HOST : BYTEORDER_BIG);
	if (interval)
		put_udata(&udata, UDATA_SET_MERGE_ELEMENTS, 1);
	nfattr_put(out, NFTA_SET_USERDATA, text_get(&udata), udata.length);
}
