/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Numbers that are left to Tresse (ATTR_CHOSEN): a path's table and mark, a
 * class's classid and mark. What is given comes first, what was chosen before
 * stays unless a given one now wants it, the rest takes the lowest that is
 * free. (Declared in txn.h.)
 */
#include "model/base/mem.h"
#include "model/node.h"
#include "model/report.h"
#include "model/shard.h"
#include "model/secret.h"
#include "model/shaping.h"
#include "model/txn.h"

/* Numbers 0..limit-1 and who has them; next: all below are taken. */
struct pool {
	uint8_t *used;
	uint32_t limit, next;
};

#define POOL_MAX 65536u

static void pool_init(struct pool *pool, uint64_t limit)
{
	pool->limit = limit < POOL_MAX ? (uint32_t)limit : POOL_MAX;
	pool->used = mem_array(pool->limit, 1);
	pool->next = 0;
}

static bool pool_take(struct pool *pool, uint64_t number)
{
	if (number >= pool->limit)
		return true; /* outside: nobody else will choose it */
	if (pool->used[number])
		return false;
	pool->used[number] = 1;
	return true;
}

static bool pool_lowest(struct pool *pool, uint32_t *number)
{
	while (pool->next < pool->limit && pool->used[pool->next])
		pool->next++;
	if (pool->next == pool->limit)
		return false;
	*number = pool->next;
	pool->used[pool->next] = 1;
	return true;
}

/* How the numbers of one setting are laid out over a pool. */
struct series {
	struct pool pool;
	size_t attr;
	bool is_mark;	     /* value.bits, else value.u */
	uint64_t base, unit; /* number n stands for base + n * unit */
	const char *what;    /* "tables of /system are" */
};

static uint64_t series_number(const struct series *series,
			      const struct node *node)
{
	const struct value *value = node_value(node, series->attr);
	uint64_t u = series->is_mark ? value->bits.value : value->u;

	return u < series->base ? UINT64_MAX
				: (u - series->base) / series->unit;
}

static void series_set(const struct series *series, struct node *node,
		       uint64_t number)
{
	uint64_t u = series->base + number * series->unit;
	struct value value = { .u = u };

	if (series->is_mark)
		value = (struct value){ .bits = { (uint32_t)u, UINT32_MAX } };
	node_set(node, series->attr, &value, ORIGIN_CHOSEN);
}

static void keep_given(struct series *series, struct node *node)
{
	if (node_origin(node, series->attr) == ORIGIN_GIVEN)
		pool_take(&series->pool, series_number(series, node));
}

static void keep_chosen(struct series *series, struct node *node)
{
	if (node_origin(node, series->attr) == ORIGIN_CHOSEN &&
	    (series_number(series, node) >= series->pool.limit ||
	     !pool_take(&series->pool, series_number(series, node))))
		node_unset(node, series->attr);
}

static void choose(struct series *series, struct node *node,
		   struct report *report)
{
	uint32_t number;

	if (node_origin(node, series->attr) != ORIGIN_NONE)
		return;
	if (pool_lowest(&series->pool, &number))
		series_set(series, node, number);
	else
		report_error(report, node, ENOSPC, "%s used up", series->what);
}

/* ---- paths ---- */

static void choose_for_paths(const struct tree *tree, struct series *series,
			     struct report *report)
{
	node_each (path, tree_paths(tree))
		keep_given(series, path);
	node_each (path, tree_paths(tree))
		keep_chosen(series, path);
	node_each (path, tree_paths(tree))
		choose(series, path, report);
	free(series->pool.used);
}

/* A mask of 0 is refused by the check; here it must only do no harm. */
static uint32_t lowest_bit(uint32_t mask)
{
	return mask ? mask & -mask : 1;
}

static void choose_paths(const struct tree *tree, struct report *report)
{
	const struct node *machine = tree_system(tree);
	const struct range *tables =
		&node_value(machine, SYSTEM_TABLES)->ranges->item[0];
	uint32_t mask = node_value(machine, SYSTEM_PATH_MASK)->bits.value;
	struct series table = { .attr = PATH_TABLE,
				.base = tables->from,
				.unit = 1,
				.what = "tables of /system are" };
	struct series mark = { .attr = PATH_MARK,
			       .is_mark = true,
			       .base = lowest_bit(mask),
			       .unit = lowest_bit(mask),
			       .what = "path-mask of /system: marks are" };

	pool_init(&table.pool, (uint64_t)tables->to - tables->from + 1);
	pool_init(&mark.pool, mask / lowest_bit(mask));
	choose_for_paths(tree, &table, report);
	choose_for_paths(tree, &mark, report);
}

/* ---- classes ---- */

/* A class that has got classes of its own has no use for a mark any more. */
static void drop_inner_mark(struct node *node)
{
	if (!class_is_leaf(node) &&
	    node_origin(node, CLASS_MARK) == ORIGIN_CHOSEN)
		node_unset(node, CLASS_MARK);
}

/* The class's own minor reads best as its mark, if that is free. */
static void choose_mark(struct series *mark, struct node *node,
			struct report *report)
{
	uint64_t minor = node_u(node, CLASS_CLASSID) & 0xffff;

	if (!class_is_leaf(node) || node_has(node, CLASS_MARK))
		return;
	if (minor && mark->unit == 1 && minor - 1 < mark->pool.limit &&
	    pool_take(&mark->pool, minor - 1))
		series_set(mark, node, minor - 1);
	else
		choose(mark, node, report);
}

#define each_class(at, branch)                                                 \
	for (struct node *at = node_walk(branch, branch); at;                  \
	     at = node_walk(branch, at))                                       \
		if (node_kind(at) == &kind_class)

/* Marks are chosen over all trees, so that a connection that is seen by two of
 * them means the same class to nobody but the right one. */
static void choose_marks(const struct tree *tree, struct report *report)
{
	uint32_t mask =
		node_value(tree_system(tree), SYSTEM_CLASS_MASK)->bits.value;
	struct node *classes = tree_classes(tree);
	struct series mark = { .attr = CLASS_MARK,
			       .is_mark = true,
			       .base = lowest_bit(mask),
			       .unit = lowest_bit(mask),
			       .what = "class-mask of /system: marks are" };

	pool_init(&mark.pool, mask / lowest_bit(mask));
	each_class(at, classes)
	{
		drop_inner_mark(at);
		keep_given(&mark, at);
	}
	each_class(at, classes) keep_chosen(&mark, at);
	each_class(at, classes) choose_mark(&mark, at, report);
	free(mark.pool.used);
}

static void choose_classids(struct node *uplink, struct report *report)
{
	struct series classid = { .attr = CLASS_CLASSID,
				  .base = 0x10001,
				  .unit = 1,
				  .what = "classids of this tree are" };

	pool_init(&classid.pool, 0xfffe);
	each_class(at, uplink) keep_given(&classid, at);
	each_class(at, uplink) keep_chosen(&classid, at);
	each_class(at, uplink) choose(&classid, at, report);
	free(classid.pool.used);
}

/* ---- links ---- */

static void choose_text(struct node *node, size_t attr, const char *text)
{
	struct value value = { .text = mem_strdup(text) };

	node_set(node, attr, &value, ORIGIN_CHOSEN);
}

/* A link's pair of keys is made with it. The public one follows the secret one
 * while that is at hand: a hidden one has its public one already. */
void link_choose_keys(struct node *link)
{
	const char *secret = node_text(link, LINK_KEY);
	char fresh[SECRET_KEY], public[SECRET_KEY];

	if (!secret) {
		secret_make(fresh, public);
		choose_text(link, LINK_KEY, fresh);
		choose_text(link, LINK_PUBLIC_KEY, public);
		explicit_bzero(fresh, sizeof(fresh));
	} else if (secret_public(secret, public)) {
		choose_text(link, LINK_PUBLIC_KEY, public);
	}
}

static void choose_links(const struct tree *tree, struct report *report)
{
	node_each (link, tree_links(tree)) {
		struct node *members = node_fixed(link, &kind_members);

		link_choose_keys(link);
		if (node_u(link, LINK_ROLE) == ROLE_SERVER)
			link_choose_addresses(link, report);
		node_each (member, members)
			if (!node_has(member, MEMBER_PATH))
				choose_text(member, MEMBER_PATH,
					    node_name(member));
	}
}

void tree_choose(struct tree *tree, struct report *report)
{
	choose_paths(tree, report);
	node_each (uplink, tree_classes(tree))
		choose_classids(uplink, report);
	node_each (uplink, tree_classes(tree))
		shard_choose(uplink, report);
	choose_marks(tree, report);
	choose_links(tree, report);
}
