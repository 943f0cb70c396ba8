/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "model/way.h"

#include <stdlib.h>

#include "model/base/mem.h"
#include "model/excerpt.h"
#include "model/shaping.h"
#include "model/shard.h"

#define MINORS	   0x10000u
#define MINOR_LAST (SHARD_MINOR - 1)

/* All of it: an excerpt that leaves nothing out. */
static struct tree *copy(const struct tree *tree)
{
	AUTO(excerpt) struct excerpt *excerpt = excerpt_new(tree);
	const struct node *root = tree_root(tree);

	for (const struct node *at = root; at; at = node_walk(root, at)) {
		AUTO(str) char *path = node_path_dup(at);

		excerpt_add(excerpt, path);
	}
	return excerpt_take(excerpt);
}

/* ---- numbers that are free ---- */

struct numbers {
	uint8_t used[MINORS];
	bool shards[SHARD_LAST + 1]; /* the same of these */
	uint32_t next;		     /* all above it are used */
};

static void use(struct numbers *numbers, const struct node *uplink)
{
	if (!uplink)
		return;
	shard_use(uplink, numbers->shards);
	for (const struct node *at = node_first(uplink); at;
	     at = node_walk(uplink, at))
		if (node_kind(at) == &kind_class && node_has(at, CLASS_CLASSID))
			numbers->used[node_u(at, CLASS_CLASSID) & 0xffff] = 1;
}

/* What stands on the device may be another tree's that goes. */
static void find_numbers(struct numbers *numbers, const struct tree *from,
			 const struct tree *to)
{
	*numbers = (struct numbers){ .next = MINOR_LAST };
	node_each (uplink, tree_classes(from))
		use(numbers, uplink);
	node_each (uplink, tree_classes(to))
		use(numbers, uplink);
}

static bool take_number(struct numbers *numbers, struct node *class)
{
	uint64_t major = node_u(class, CLASS_CLASSID) & ~UINT64_C(0xffff);
	struct value value = { 0 };

	while (numbers->next && numbers->used[numbers->next])
		numbers->next--;
	if (!numbers->next)
		return false;
	value.u = major | numbers->next--;
	node_set(class, CLASS_CLASSID, &value, ORIGIN_CHOSEN);
	return true;
}

/* ---- going aside ---- */

static int by_address(const void *left, const void *right)
{
	uintptr_t a = (uintptr_t) * (const struct node *const *)left;
	uintptr_t b = (uintptr_t) * (const struct node *const *)right;

	return a < b ? -1 : a > b;
}

static bool is_aside(const struct node *const *asides, size_t count,
		     const struct node *class)
{
	for (; node_kind(class) == &kind_class; class = node_parent(class))
		if (bsearch(&class, asides, count, sizeof(*asides), by_address))
			return true;
	return false;
}

static size_t find_asides(const struct tree *tree, const struct plan *plan,
			  const struct node **asides)
{
	size_t count = 0;

	for (size_t i = 0; i < plan->aside_count; i++) {
		const struct node *class = tree_walk(
			tree, tree_root(tree), plan->asides[i]->path, NULL);

		if (class && node_kind(class) == &kind_class)
			asides[count++] = class;
	}
	if (count)
		qsort(asides, count, sizeof(*asides), by_address);
	return count;
}

static bool put_aside(struct tree *tree, const struct plan *plan,
		      struct numbers *numbers)
{
	const struct node **asides =
		mem_array(plan->aside_count, sizeof(struct node *));
	size_t count = find_asides(tree, plan, asides);
	struct node *root = tree_classes(tree);
	bool fits = count > 0;

	for (struct node *at = root; at && fits; at = node_walk(root, at))
		if (node_kind(at) == &kind_class && is_aside(asides, count, at))
			fits = take_number(numbers, at) &&
			       shard_aside(at, numbers->shards);
	free(asides);
	return fits;
}

struct tree *way_new(const struct tree *from, const struct tree *to,
		     const struct plan *plan)
{
	AUTO(mem) void *room = NULL;
	AUTO(tree) struct tree *way = NULL;

	if (!plan->aside_count)
		return NULL;
	room = mem_alloc(sizeof(struct numbers));
	find_numbers(room, from, to);
	way = copy(to);
	return put_aside(way, plan, room) ? TAKE(way) : NULL;
}
