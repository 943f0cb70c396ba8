/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the running system says about nodes (declared in backend.h). */
#include "model/backend.h"
#include "model/base/mem.h"

struct cell {
	struct value value;
	bool known;
};

/* A node, and a cell for each setting of its kind. */
struct entry {
	const struct node *node; /* NULL: a free slot */
	/* Its own: what was read may outlive the tree. */
	const struct kind *kind;
	struct cell *cells; /* owned */
};

/* Open addressing, by node: what is set and asked of one comes in a row, and
 * there may be 100,000 of them. */
struct live {
	struct entry *slots;
	size_t slot_count, count;
	struct entry *last; /* the one that was set, or NULL */
};

struct live *live_new(void)
{
	struct live *live = mem_alloc(sizeof(*live));

	live->slot_count = 256;
	live->slots = mem_array(live->slot_count, sizeof(*live->slots));
	return live;
}

static void clear_entry(struct entry *entry)
{
	const struct kind *kind = entry->kind;

	for (size_t i = 0; i < kind->attr_count; i++)
		if (entry->cells[i].known)
			value_clear(&kind->attrs[i], &entry->cells[i].value);
	free(entry->cells);
}

void live_free(struct live *live)
{
	if (!live)
		return;
	for (size_t i = 0; i < live->slot_count; i++)
		if (live->slots[i].node)
			clear_entry(&live->slots[i]);
	free(live->slots);
	free(live);
}

static struct entry *slot_of(struct entry *slots, size_t slot_count,
			     const struct node *node)
{
	uintptr_t mixed = (uintptr_t)node * 0x9e3779b97f4a7c15u;
	size_t at = (mixed >> 24) & (slot_count - 1);

	while (slots[at].node && slots[at].node != node)
		at = (at + 1) & (slot_count - 1);
	return &slots[at];
}

static void grow(struct live *live)
{
	size_t slot_count = live->slot_count * 4;
	struct entry *slots = mem_array(slot_count, sizeof(*slots));

	for (size_t i = 0; i < live->slot_count; i++) {
		const struct entry *old = &live->slots[i];

		if (old->node)
			*slot_of(slots, slot_count, old->node) = *old;
	}
	free(live->slots);
	live->slots = slots;
	live->slot_count = slot_count;
}

static struct entry *entry_for(struct live *live, const struct node *node)
{
	struct entry *entry;

	if (live->last && live->last->node == node)
		return live->last;
	if (live->count * 2 >= live->slot_count)
		grow(live);
	entry = slot_of(live->slots, live->slot_count, node);
	if (!entry->node) {
		entry->node = node;
		entry->kind = node_kind(node);
		entry->cells = mem_array(node_kind(node)->attr_count,
					 sizeof(*entry->cells));
		live->count++;
	}
	live->last = entry;
	return entry;
}

static void set(struct live *live, const struct node *node, size_t attr,
		struct value value)
{
	struct cell *cell = &entry_for(live, node)->cells[attr];

	if (cell->known)
		value_clear(&node_kind(node)->attrs[attr], &cell->value);
	*cell = (struct cell){ value, true };
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
	const struct entry *entry =
		slot_of(live->slots, live->slot_count, node);

	return entry->node && entry->cells[attr].known
		       ? &entry->cells[attr].value
		       : NULL;
}
