/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the running system says about nodes (declared in backend.h). */
#include "model/backend.h"
#include "model/base/mem.h"

struct cell {
	size_t attr;
	struct value value;
};

/* A node, and what is known of it: of most that is state and error. */
struct entry {
	const struct node *node; /* NULL: a free slot */
	/* Its own: what was read may outlive the tree. */
	const struct kind *kind;
	struct cell *cells; /* owned, in no order */
	uint32_t count, room;
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

	for (size_t i = 0; i < entry->count; i++)
		value_clear(&kind->attrs[entry->cells[i].attr],
			    &entry->cells[i].value);
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
		live->count++;
	}
	live->last = entry;
	return entry;
}

static struct cell *cell_of(const struct entry *entry, size_t attr)
{
	for (size_t i = 0; i < entry->count; i++)
		if (entry->cells[i].attr == attr)
			return &entry->cells[i];
	return NULL;
}

static struct cell *add_cell(struct entry *entry, size_t attr)
{
	if (entry->count == entry->room) {
		entry->room = entry->room ? entry->room * 2 : 2;
		entry->cells = mem_resize(entry->cells,
					  entry->room * sizeof(*entry->cells));
	}
	entry->cells[entry->count] = (struct cell){ .attr = attr };
	return &entry->cells[entry->count++];
}

static void set(struct live *live, const struct node *node, size_t attr,
		struct value value)
{
	struct entry *entry = entry_for(live, node);
	struct cell *cell = cell_of(entry, attr);

	if (cell)
		value_clear(&entry->kind->attrs[attr], &cell->value);
	else
		cell = add_cell(entry, attr);
	cell->value = value;
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
	const struct cell *cell = entry->node ? cell_of(entry, attr) : NULL;

	return cell ? &cell->value : NULL;
}
