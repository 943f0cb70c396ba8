/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * From what is there to what is wanted, by differences: a rule that stays keeps
 * its counter.
 *
 * Tables, chains, sets and elements are told by their key. If one of the first
 * three differs (somebody made our map anew with other types), the whole table
 * is replaced, in the same transaction: rules hold on to maps and chains, and
 * such a thing does not happen twice a year.
 *
 * Rules are told by their content. In each chain the longest run of those that
 * are in both, in the same order, stays:
 *
 *     now    A B C D        want   A C X D     B goes, X comes before D
 *
 * and a rule that goes next to one that comes with the same comment is shown as
 * one change.
 */
#include <stdlib.h>
#include <string.h>

#include "backends/list.h"
#include "backends/mark/item.h"
#include "backends/mark/mark.h"
#include "model/base/mem.h"

/* In the order in which mark_apply() does them. */
enum level {
	LEVEL_DELETE_RULE,
	LEVEL_DELETE_ELEMENT,
	LEVEL_DELETE_CHAIN,
	LEVEL_DELETE_SET,
	LEVEL_TABLE,
	LEVEL_SET,
	LEVEL_CHAIN,
	LEVEL_ELEMENT,
	LEVEL_RULE,
};

static int level_of(enum item_what what, bool gone)
{
	switch (what) {
	case ITEM_TABLE: break;
	case ITEM_SET: return gone ? LEVEL_DELETE_SET : LEVEL_SET;
	case ITEM_CHAIN: return gone ? LEVEL_DELETE_CHAIN : LEVEL_CHAIN;
	case ITEM_ELEMENT: return gone ? LEVEL_DELETE_ELEMENT : LEVEL_ELEMENT;
	case ITEM_RULE: return gone ? LEVEL_DELETE_RULE : LEVEL_RULE;
	}
	return LEVEL_TABLE;
}

static void add_step(struct plan *plan, const struct object *before,
		     const struct object *after)
{
	struct item item = item_get(after ? after : before);
	enum step_op op = STEP_CHANGE;

	if (!before)
		op = STEP_ADD;
	else if (!after)
		op = STEP_DELETE;
	else if (item.what == ITEM_TABLE)
		op = STEP_REPLACE;
	plan_add(plan, &backend_mark, op, PHASE_FLIP,
		 level_of(item.what, !after), EFFECT_HITLESS, before, after);
}

static bool is_mine(const struct object *object)
{
	return object->backend == &backend_mark;
}

/* ---- by key ---------------------------------------------------------- */

static bool differs(const struct object *now, const struct object *want)
{
	struct item a = item_get(now), b = item_get(want);

	return !item_equal(&a, &b);
}

static const struct object *table_in(const struct state *state)
{
	return state_find(state, &backend_mark, "table");
}

static bool is_structure(const struct object *object)
{
	return item_get(object).what < ITEM_ELEMENT;
}

static bool must_rebuild(const struct state *now, const struct state *want)
{
	for (size_t i = 0; i < want->count; i++) {
		const struct object *after = &want->items[i], *before;

		if (!is_mine(after) || !is_structure(after))
			continue;
		before = state_find(now, &backend_mark, after->key);
		if (before && differs(before, after))
			return true;
	}
	return false;
}

static void plan_all_new(const struct state *want, struct plan *plan)
{
	for (size_t i = 0; i < want->count; i++)
		if (is_mine(&want->items[i]) &&
		    item_get(&want->items[i]).what != ITEM_TABLE)
			add_step(plan, NULL, &want->items[i]);
}

/* Is the set of this element wanted? It goes along with it otherwise. */
static bool set_stays(const struct state *want, const struct item *element)
{
	AUTO(str) char *key = mem_printf("set %s", element->name);

	return state_find(want, &backend_mark, key) != NULL;
}

static void plan_by_key(const struct state *now, const struct state *want,
			struct plan *plan)
{
	for (size_t i = 0; i < want->count; i++) {
		const struct object *after = &want->items[i], *before;

		if (!is_mine(after) || item_get(after).what == ITEM_RULE)
			continue;
		before = state_find(now, &backend_mark, after->key);
		if (!before || differs(before, after))
			add_step(plan, before, after);
	}
	for (size_t i = 0; i < now->count; i++) {
		const struct object *before = &now->items[i];
		struct item item;

		if (!is_mine(before))
			continue;
		item = item_get(before);
		if (item.what == ITEM_RULE ||
		    state_find(want, &backend_mark, before->key))
			continue;
		if (item.what != ITEM_ELEMENT || set_stays(want, &item))
			add_step(plan, before, NULL);
	}
}

/* ---- rules ----------------------------------------------------------- */

enum { NONE = -1 };

struct rule {
	const struct object *object;
	struct item item;
	uint64_t hash; /* of what is looked for at the moment */
	size_t place;  /* in its list, sorted by chain and order */
	long partner;  /* place in the other list, or NONE */
	bool kept;
};

struct rules {
	struct rule *items; /* owned */
	size_t count, room;
};

static int compare_places(const void *a, const void *b)
{
	const struct rule *left = a, *right = b;

	return item_compare(&left->item, &right->item);
}

static void rules_in(const struct state *state, struct rules *rules)
{
	for (size_t i = 0; i < state->count; i++) {
		const struct object *object = &state->items[i];

		if (!is_mine(object) || item_get(object).what != ITEM_RULE)
			continue;
		rules->items = mem_grow(rules->items, rules->count,
					&rules->room, sizeof(*rules->items));
		rules->items[rules->count++] =
			(struct rule){ .object = object,
				       .item = item_get(object),
				       .partner = NONE };
	}
	if (rules->count)
		qsort(rules->items, rules->count, sizeof(*rules->items),
		      compare_places);
	for (size_t i = 0; i < rules->count; i++)
		rules->items[i].place = i;
}

static int compare_hashes(const void *a, const void *b)
{
	const struct rule *left = *(const struct rule *const *)a;
	const struct rule *right = *(const struct rule *const *)b;

	if (left->hash != right->hash)
		return left->hash < right->hash ? -1 : 1;
	return left->place < right->place ? -1 : left->place > right->place;
}

/* Those without a partner, by hash and then place. */
static struct rule **by_hash(const struct rules *rules,
			     uint64_t (*hash)(const struct item *item),
			     size_t *count)
{
	struct rule **sorted = mem_array(rules->count, sizeof(*sorted));

	*count = 0;
	for (size_t i = 0; i < rules->count; i++) {
		struct rule *rule = &rules->items[i];

		if (rule->partner != NONE)
			continue;
		rule->hash = hash(&rule->item);
		sorted[(*count)++] = rule;
	}
	qsort(sorted, *count, sizeof(struct rule *), compare_hashes);
	return sorted;
}

/* Gives every rule that has no partner one of the same hash, the first to the
 * first, if they are the same. */
static void pair(const struct rules *now, const struct rules *want,
		 uint64_t (*hash)(const struct item *item),
		 bool (*same)(const struct item *a, const struct item *b))
{
	size_t now_count, want_count, i = 0, j = 0;
	struct rule **old = by_hash(now, hash, &now_count);
	struct rule **new = by_hash(want, hash, &want_count);

	while (i < now_count && j < want_count) {
		if (old[i]->hash < new[j]->hash) {
			i++;
		} else if (old[i]->hash > new[j]->hash) {
			j++;
		} else {
			if (same(&old[i]->item, &new[j]->item)) {
				old[i]->partner = (long)new[j]->place;
				new[j]->partner = (long)old[i]->place;
			}
			i++;
			j++;
		}
	}
	free(old);
	free(new);
}

/* The longest rising run of partners among want[from..to) is kept: patience
 * sorting, n log n. tails[k] is the place of the lowest last one of a run of
 * length k + 1. */
static void keep_longest(struct rules *now, struct rules *want, size_t from,
			 size_t to)
{
	size_t *tails = mem_array(to - from, sizeof(*tails)), length = 0;
	long *before = mem_array(to - from, sizeof(*before));
	struct rule *at = want->items;

	for (size_t i = from; i < to; i++) {
		size_t low = 0, high = length;

		if (at[i].partner == NONE)
			continue;
		while (low < high) {
			size_t middle = (low + high) / 2;

			if (at[tails[middle]].partner < at[i].partner)
				low = middle + 1;
			else
				high = middle;
		}
		before[i - from] = low ? (long)tails[low - 1] : NONE;
		tails[low] = i;
		if (low == length)
			length++;
	}
	for (long i = length ? (long)tails[length - 1] : NONE; i != NONE;
	     i = before[(size_t)i - from]) {
		at[i].kept = true;
		now->items[at[i].partner].kept = true;
	}
	free(tails);
	free(before);
}

static void keep_in_chains(struct rules *now, struct rules *want)
{
	size_t from = 0;

	for (size_t i = 1; i <= want->count; i++) {
		if (i < want->count && !strcmp(want->items[i].item.name,
					       want->items[from].item.name))
			continue;
		keep_longest(now, want, from, i);
		from = i;
	}
}

/* What is not kept looks for a partner again, by comment this time. */
static void unpair(struct rules *rules)
{
	for (size_t i = 0; i < rules->count; i++)
		if (!rules->items[i].kept)
			rules->items[i].partner = NONE;
}

static uint64_t hash_comment(const struct item *item)
{
	uint64_t hash =
		item_hash_bytes(ITEM_HASH_SEED, item->name, strlen(item->name));

	return item_hash_bytes(hash, item->extra.at, item->extra.length);
}

static bool same_comment(const struct item *a, const struct item *b)
{
	return !strcmp(a->name, b->name) && a->extra.length &&
	       a->extra.length == b->extra.length &&
	       !memcmp(a->extra.at, b->extra.at, a->extra.length);
}

static bool chain_stays(const struct state *want, const struct item *rule)
{
	AUTO(str) char *key = mem_printf("chain %s", rule->name);

	return state_find(want, &backend_mark, key) != NULL;
}

static void plan_rules(const struct state *now, const struct state *want,
		       struct plan *plan)
{
	struct rules old = { 0 }, new = { 0 };

	rules_in(now, &old);
	rules_in(want, &new);
	pair(&old, &new, item_hash, item_equal);
	keep_in_chains(&old, &new);
	unpair(&old);
	unpair(&new);
	pair(&old, &new, hash_comment, same_comment);
	for (size_t i = 0; i < old.count; i++)
		if (old.items[i].partner == NONE &&
		    chain_stays(want, &old.items[i].item))
			add_step(plan, old.items[i].object, NULL);
	for (size_t i = 0; i < new.count; i++) {
		const struct rule *rule = &new.items[i];

		if (!rule->kept)
			add_step(plan,
				 rule->partner == NONE
					 ? NULL
					 : old.items[rule->partner].object,
				 rule->object);
	}
	free(old.items);
	free(new.items);
}

/* ---- the whole ------------------------------------------------------- */

/* A table of our name that this store did not make is another's: a second store
 * on this host, or one that was lost. */
static bool is_foreign(const struct object *table, const struct owned *owned)
{
	return table && !owned_find(owned, backend_mark.name, table->key);
}

static void refuse_foreign(struct report *report)
{
	report_add(report, FINDING_ERROR, EEXIST, "/classes",
		   "nftables has a table inet " MARK_TABLE " that this store "
		   "did not make; if nobody needs it: nft delete table "
		   "inet " MARK_TABLE);
}

void mark_plan(const struct state *now, const struct state *want,
	       const struct facts *facts, const struct owned *owned,
	       struct report *report, struct plan *plan, struct owned *claims)
{
	const struct object *before = table_in(now), *after = table_in(want);

	(void)facts;
	if (is_foreign(before, owned)) {
		if (after)
			refuse_foreign(report);
		return;
	}
	if (after)
		owned_add(claims, backend_mark.name, after->key, NULL, 0);
	if (!after && before) {
		add_step(plan, before, NULL);
	} else if (before && after && must_rebuild(now, want)) {
		add_step(plan, before, after);
		plan_all_new(want, plan);
	} else if (after) {
		plan_by_key(now, want, plan);
		plan_rules(now, want, plan);
	}
}
