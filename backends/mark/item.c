/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/mark/item.h"

#include <linux/netfilter/nf_tables.h>
#include <string.h>

#include "backends/list.h"
#include "model/base/mem.h"

/* Before name, body, extra and sets, each filled up to four bytes. */
struct packed {
	uint32_t what, order;
	uint64_t handle;
	uint32_t length[4];
};

/* ---- anonymous sets -------------------------------------------------- */

bool item_next_set(struct span sets, size_t *at, struct span *attrs,
		   struct span *elements)
{
	struct item_set head;
	const char *bytes = sets.at;

	if (*at + sizeof(head) > sets.length)
		return false;
	memcpy(&head, bytes + *at, sizeof(head));
	*at += sizeof(head);
	*attrs = (struct span){ bytes + *at, head.attr_length };
	*at += head.attr_length;
	*elements = (struct span){ bytes + *at, head.element_length };
	*at += head.element_length;
	return true;
}

void item_add_set(struct text *sets, struct span attrs, struct span elements)
{
	struct item_set head = { (uint32_t)attrs.length,
				 (uint32_t)elements.length };

	text_put_bytes(sets, &head, sizeof(head));
	text_put_bytes(sets, attrs.at, attrs.length);
	text_put_bytes(sets, elements.at, elements.length);
}

static int compare_attrs(const void *a, const void *b)
{
	const struct nlattr *left = *(const struct nlattr *const *)a;
	const struct nlattr *right = *(const struct nlattr *const *)b;
	size_t shorter =
		left->nla_len < right->nla_len ? left->nla_len : right->nla_len;
	int rc = memcmp(left + 1, right + 1, shorter - NLA_HDRLEN);

	return rc ? rc : (int)left->nla_len - (int)right->nla_len;
}

void item_sort_elements(struct text *elements)
{
	AUTO(str) char *bytes = mem_dup(text_get(elements), elements->length);
	struct span in = { bytes, elements->length };
	AUTO(mem) void *list = NULL;
	const struct nlattr *attr, **sorted;
	size_t count = 0, room = 0;
	int rest;

	nfattr_each(attr, rest, in)
	{
		list = mem_grow(list, count, &room, sizeof(attr));
		((const struct nlattr **)list)[count++] = attr;
	}
	if (!count)
		return;
	sorted = list;
	qsort(sorted, count, sizeof(*sorted), compare_attrs);
	text_cut(elements, 0);
	for (size_t i = 0; i < count; i++)
		nfattr_put(elements, NFTA_LIST_ELEM, sorted[i] + 1,
			   sorted[i]->nla_len - NLA_HDRLEN);
}

/* ---- packing --------------------------------------------------------- */

static size_t filled(size_t length)
{
	return (length + 3) & ~(size_t)3;
}

struct item item_get(const struct object *object)
{
	const struct packed *packed = object->data;
	const char *at = (const char *)(packed + 1);
	struct span part[4];

	for (size_t i = 0; i < ARRAY_SIZE(part); i++) {
		part[i] = (struct span){ at, packed->length[i] };
		at += filled(packed->length[i]);
	}
	return (struct item){ .what = packed->what,
			      .order = packed->order,
			      .handle = packed->handle,
			      .name = part[0].at,
			      .body = part[1],
			      .extra = part[2],
			      .sets = part[3] };
}

static void pack(struct text *out, const struct item *item)
{
	struct span part[4] = { { item->name, strlen(item->name) + 1 },
				item->body,
				item->extra,
				item->sets };
	struct packed packed = { .what = item->what,
				 .order = item->order,
				 .handle = item->handle };

	for (size_t i = 0; i < ARRAY_SIZE(part); i++)
		packed.length[i] = (uint32_t)part[i].length;
	text_put_bytes(out, &packed, sizeof(packed));
	for (size_t i = 0; i < ARRAY_SIZE(part); i++) {
		text_put_bytes(out, part[i].at, part[i].length);
		text_fill(out, '\0', filled(part[i].length) - part[i].length);
	}
}

static void put_hex(struct text *out, struct span in)
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t *byte = in.at;

	for (size_t i = 0; i < in.length; i++) {
		text_put_char(out, digits[byte[i] >> 4]);
		text_put_char(out, digits[byte[i] & 15]);
	}
}

/* An end of an interval may have the same key as the next one's start. */
static void put_element_key(struct text *out, struct span body)
{
	const struct nlattr *attr, *inside;
	struct span element = { NULL, 0 };
	int rest, inner_rest;

	nfattr_each(attr, rest, body) element = nfattr_span(attr);
	nfattr_each(inside, inner_rest, element)
	{
		int type = nla_type(inside);

		if (type == NFTA_SET_ELEM_KEY || type == NFTA_SET_ELEM_KEY_END)
			put_hex(out,
				nfattr_span(nfattr_find(nfattr_span(inside),
							NFTA_DATA_VALUE)));
	}
	if (nfattr_u32(element, NFTA_SET_ELEM_FLAGS))
		text_put(out, " end");
}

static void put_key(struct text *out, const struct item *item)
{
	switch (item->what) {
	case ITEM_TABLE: text_put(out, "table"); break;
	case ITEM_SET: text_printf(out, "set %s", item->name); break;
	case ITEM_CHAIN: text_printf(out, "chain %s", item->name); break;
	case ITEM_ELEMENT:
		text_printf(out, "element %s ", item->name);
		put_element_key(out, item->body);
		break;
	case ITEM_RULE:
		text_printf(out, "rule %s %u", item->name, item->order);
		break;
	}
}

bool item_add(struct state *state, const struct item *item, const char *path)
{
	AUTO_TEXT key = TEXT_NONE;
	AUTO_TEXT data = TEXT_NONE;

	put_key(&key, item);
	if (state_find(state, &backend_mark, text_get(&key)))
		return false;
	pack(&data, item);
	state_add(state, &backend_mark, text_get(&key), path, text_get(&data),
		  data.length);
	return true;
}

/* ---- comparing ------------------------------------------------------- */

static bool span_equal(struct span a, struct span b)
{
	return a.length == b.length &&
	       (!a.length || !memcmp(a.at, b.at, a.length));
}

int item_compare(const struct item *a, const struct item *b)
{
	int rc = strcmp(a->name, b->name);

	return rc ? rc : (a->order > b->order) - (a->order < b->order);
}

bool item_equal(const struct item *a, const struct item *b)
{
	return a->what == b->what && !strcmp(a->name, b->name) &&
	       span_equal(a->body, b->body) && span_equal(a->extra, b->extra) &&
	       span_equal(a->sets, b->sets);
}

/* FNV-1a, of http://www.isthe.com/chongo/tech/comp/fnv/ */
uint64_t item_hash_bytes(uint64_t hash, const void *bytes, size_t length)
{
	const uint8_t *byte = bytes;

	for (size_t i = 0; i < length; i++)
		hash = (hash ^ byte[i]) * 1099511628211ull;
	return hash;
}

uint64_t item_hash(const struct item *item)
{
	uint64_t hash =
		item_hash_bytes(ITEM_HASH_SEED, item->name, strlen(item->name));

	hash = item_hash_bytes(hash, item->body.at, item->body.length);
	hash = item_hash_bytes(hash, item->extra.at, item->extra.length);
	return item_hash_bytes(hash, item->sets.at, item->sets.length);
}
