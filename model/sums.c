/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "model/sums.h"

#include <assert.h>
#include <string.h>

#include "model/base/mem.h"
#include "model/node.h"
#include "model/shaping.h"
#include "model/shard.h"

void sums_clear(struct sums *sums)
{
	free(sums->items);
	*sums = SUMS_NONE;
}

void sums_free(struct sums *sums)
{
	if (sums)
		sums_clear(sums);
	free(sums);
}

/* From the end: mostly they come in their order. */
struct sum *sums_at(struct sums *sums, uint32_t shard)
{
	size_t place = sums->count;

	while (place && sums->items[place - 1].shard >= shard)
		place--;
	if (place < sums->count && sums->items[place].shard == shard)
		return &sums->items[place];
	sums->items = mem_grow(sums->items, sums->count, &sums->room,
			       sizeof(*sums->items));
	memmove(&sums->items[place + 1], &sums->items[place],
		(sums->count++ - place) * sizeof(*sums->items));
	sums->items[place] = (struct sum){ .shard = shard };
	return &sums->items[place];
}

uint64_t sums_total(const struct sums *sums, enum sum_number number)
{
	uint64_t total = 0;

	for (size_t i = 0; i < sums->count; i++)
		total += sums->items[i].of[number];
	return total;
}

uint32_t sum_lowest_prio(const struct sum *sum)
{
	uint32_t prio = 0;

	while (prio < SUM_PRIOS && !sum->of[SUM_PRIO + prio])
		prio++;
	return prio;
}

/* ---- one class ---- */

static bool is_class(const struct node *node)
{
	return node_kind(node) == &kind_class;
}

static uint64_t prio_of(const struct node *class)
{
	uint64_t prio = node_u(class, CLASS_PRIO);

	assert(prio < SUM_PRIOS); /* the row of the setting has a maximum */
	return prio;
}

static void add_leaf(const struct node *leaf, struct sum *sum)
{
	const struct value *mark = node_value(leaf, CLASS_MARK);
	uint64_t minor = node_u(leaf, CLASS_CLASSID) & 0xffff;

	sum->of[SUM_PRIO + prio_of(leaf)]++;
	sum->of[SUM_MARKS] += mark != NULL;
	sum->of[SUM_ODD] += mark && mark->bits.value != minor;
}

static void add_rest(const struct sums *rest, struct sum *sum)
{
	for (int n = SUM_MARKS; n < SUM_NUMBERS; n++)
		sum->of[n] += sums_total(rest, (enum sum_number)n);
}

static void add_leaves(const struct node *branch, struct sum *sum)
{
	for (const struct node *at = branch; at; at = node_walk(branch, at)) {
		if (!is_class(at))
			continue;
		if (node_rest(at))
			add_rest(node_rest(at), sum);
		if (class_is_leaf(at))
			add_leaf(at, sum);
	}
}

static void add_class(const struct node *class, struct sum *sum)
{
	sum->of[SUM_CLASSES]++;
	sum->of[SUM_RATE] += node_u(class, CLASS_RATE);
	sum->of[SUM_BYTES] += class_rate_bytes(class);
	add_leaves(class, sum);
}

/* ---- all of them ---- */

static void add_sum(struct sums *sums, const struct sum *more)
{
	struct sum *sum = sums_at(sums, more->shard);

	for (size_t n = 0; n < SUM_NUMBERS; n++)
		sum->of[n] += more->of[n];
}

void sums_of(const struct node *parent, struct sums *sums)
{
	const struct sums *rest = node_rest(parent);

	for (size_t i = 0; rest && i < rest->count; i++)
		add_sum(sums, &rest->items[i]);
	node_each (child, parent)
		if (is_class(child))
			add_class(child, sums_at(sums, shard_by_parent(child)));
}

bool sums_without(struct sums *sums, const struct node *class)
{
	struct sum *sum = sums_at(sums, shard_by_parent(class));
	struct sum less = { 0 };

	add_class(class, &less);
	for (size_t n = 0; n < SUM_NUMBERS; n++) {
		if (sum->of[n] < less.of[n])
			return false;
		sum->of[n] -= less.of[n];
	}
	return true;
}

/* The child of above that class is or is below. */
static const struct node *branch_of(const struct node *above,
				    const struct node *class)
{
	while (node_parent(class) != above)
		class = node_parent(class);
	return class;
}

/* What sums can be shifted by. */
struct stake {
	uint64_t rate, prio;
};

static uint64_t number_was(const struct node *class, size_t attr)
{
	const struct value *was = node_was(class, attr);

	return was ? was->u : 0;
}

static struct stake stake_was(const struct node *class)
{
	return (struct stake){ number_was(class, CLASS_RATE),
			       number_was(class, CLASS_PRIO) };
}

static struct stake stake_is(const struct node *class)
{
	return (struct stake){ node_u(class, CLASS_RATE), prio_of(class) };
}

static const struct sum *shift(struct sums *sums, const struct node *above,
			       const struct node *class, struct stake from,
			       struct stake to)
{
	const struct node *branch = branch_of(above, class);
	struct sum *sum = sums_at(sums, shard_by_parent(branch));

	if (!sum->of[SUM_CLASSES])
		return NULL;
	if (branch == class) {
		sum->of[SUM_RATE] += to.rate - from.rate;
		sum->of[SUM_BYTES] += to.rate / 8 - from.rate / 8;
	}
	if (!class_is_leaf(class))
		return sum;
	if (!sum->of[SUM_PRIO + from.prio])
		return NULL;
	sum->of[SUM_PRIO + from.prio]--;
	sum->of[SUM_PRIO + to.prio]++;
	return sum;
}

const struct sum *sums_shift(struct sums *sums, const struct node *above,
			     const struct node *class)
{
	return shift(sums, above, class, stake_was(class), stake_is(class));
}

static bool is_below(const struct node *node, const struct node *above)
{
	while (node && node != above)
		node = node_parent(node);
	return node != NULL;
}

void sums_were(const struct node *parent, struct sums *sums)
{
	const struct node *at = tree_first_dirty(node_tree(parent));

	sums_of(parent, sums);
	for (; at; at = node_next_dirty(at))
		if (is_class(at) && at != parent && is_below(at, parent))
			shift(sums, parent, at, stake_is(at), stake_was(at));
}
