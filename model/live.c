/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the running system says about nodes (declared in backend.h). */
#include "model/backend.h"
#include "model/base/mem.h"

struct entry {
	const struct node *node;
	const struct attr *attr; /* NULL: a free slot */
	struct value value;
};

/* Open addressing: a node has a dozen of these and there may be 100,000 nodes.
 */
struct live {
	struct entry *slots;
	size_t slot_count, count;
};

struct live *live_new(void)
{
	struct live *live = mem_alloc(sizeof(*live));

	live->slot_count = 256;
	live->slots = mem_array(live->slot_count, sizeof(*live->slots));
	return live;
}

void live_free(struct live *live)
{
	if (!live)
		return;
	for (size_t i = 0; i < live->slot_count; i++)
		if (live->slots[i].attr)
			value_clear(live->slots[i].attr, &live->slots[i].value);
	free(live->slots);
	free(live);
}

static struct entry *slot_of(struct entry *slots, size_t slot_count,
			     const struct node *node, const struct attr *attr)
{
	uintptr_t mixed = (uintptr_t)node * 31 + (uintptr_t)attr;
	size_t at = (mixed * 0x9e3779b97f4a7c15u >> 24) & (slot_count - 1);

	while (slots[at].attr &&
	       (slots[at].node != node || slots[at].attr != attr))
		at = (at + 1) & (slot_count - 1);
	return &slots[at];
}

static void grow(struct live *live)
{
	size_t slot_count = live->slot_count * 4;
	struct entry *slots = mem_array(slot_count, sizeof(*slots));

	for (size_t i = 0; i < live->slot_count; i++) {
		const struct entry *old = &live->slots[i];

		if (old->attr)
			*slot_of(slots, slot_count, old->node, old->attr) =
				*old;
	}
	free(live->slots);
	live->slots = slots;
	live->slot_count = slot_count;
}

static void set(struct live *live, const struct node *node, size_t attr,
		struct value value)
{
	const struct attr *row = &node_kind(node)->attrs[attr];
	struct entry *entry;

	if (live->count * 2 >= live->slot_count)
		grow(live);
	entry = slot_of(live->slots, live->slot_count, node, row);
	if (entry->attr)
		value_clear(row, &entry->value);
	else
		live->count++;
	*entry = (struct entry){ node, row, value };
}

void live_set_u(struct live *live, const struct node *node, size_t attr,
		uint64_t u)
{
	set(live, node, attr, (struct value){ .u = u });
}

void live_set_text(struct live *live, const struct node *node, size_t attr,
		   const char *text)
{
	set(live, node, attr, (struct value){ .text = mem_strdup(text) });
}

const struct value *live_value(const struct live *live, const struct node *node,
			       size_t attr)
{
	const struct attr *row = &node_kind(node)->attrs[attr];
	const struct entry *entry =
		slot_of(live->slots, live->slot_count, node, row);

	return entry->attr ? &entry->value : NULL;
}
