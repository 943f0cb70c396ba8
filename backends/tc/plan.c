/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * From what is there to what is wanted (declared in tc.h). Pure.
 *
 * What the kernel cannot do in place decides the order:
 *
 *     build   0..  filters, then classes that have to move, deepest first
 *             root
 *             classes from the top down, all before the leaves (the kernel
 *             walks every class for each new one: 3.2 s against 5.1 for 10,000)
 *             shards, one after the other, with classes and leaves
 *             changes, leaves, filters
 *     clean        filters
 *                  a wait, until nothing is queued in the classes that go
 *                  leaves, classes deepest first
 *                  what waits for that: an inner class that has become a leaf
 *                  takes prio, quantum and a queue only now
 *                  roots
 *
 * htb_change_class() ignores a new parent, so a class that moves is deleted
 * with all below it and made anew; another leaf, or the first class below one,
 * takes what is queued with it. All this is planned here, for undo has no other
 * way; but it is noted as better done beside the place (plan_aside()). A root
 * cannot be changed (sch_htb.c has no change()); see root_differs().
 */
#include <string.h>

#include "backends/list.h"
#include "backends/tc/tc.h"
#include "model/base/mem.h"
#include "model/base/text.h"

enum build_level {
	EARLY_FILTER,
	EARLY_CLASS, /* + level of the class: 0..7 */
	BUILD_ROOT = 10,
	BUILD_CLASS, /* + 7 - level; leaves last: 8 */
	/* + SHARD_LEVELS * its number; then its classes and leaves. */
	BUILD_SHARD = 20,
	BUILD_CHANGE = 10000,
	BUILD_LEAF,
	BUILD_FILTER,
};
/* One shard after the other: what the kernel looks up for each class and leaf
 * is then still at the head of its list of qdiscs (qdisc_match_from_root() of
 * net/sched/sch_api.c; 10,000 leaves: 0.27 s less of 1.2). */
enum { SHARD_LEVELS = 16, SHARD_CLASS = 1, SHARD_LEAF = 10 };

enum clean_level {
	CLEAN_FILTER,
	CLEAN_WAIT,
	CLEAN_LEAF,
	CLEAN_CLASS, /* + level of the class: 0..7 */
	LATE_CHANGE = 11,
	LATE_LEAF,
	CLEAN_ROOT,
};
/* What is queued goes at the class's own rate: 150 kB in this time at
 * 128 kbit/s. */
#define WAIT_MS 10000

/* Both sides of one place: a class, or, with classid 0, the root. */
struct side {
	const struct object *root, *foreign, *saved, *class, *leaf;
	const struct object *link; /* it is an ifb */
	const struct object *shard;
};
struct place {
	uint64_t id; /* index of the device, classid */
	struct side now, want;
	struct side kept; /* when the tree was taken over */
	enum { MOVES_UNKNOWN, MOVES_NO, MOVES_YES } moves;
	/* Of a root, or a shard. */
	bool gone;     /* nothing below needs a step of its own */
	bool fresh;    /* everything below is to be made */
	bool waits;    /* a class below it goes */
	bool given;    /* back, as it was when it was taken over */
	bool refilter; /* the mask is another: one filter chain has one mask */
};

struct planning {
	struct place *places; /* owned, sorted by id */
	size_t count, room;
	struct report *report;
	struct plan *plan;
	const struct owned *owned;
	const struct facts *facts;
	struct owned *claims;
};

static struct step *step(struct planning *planning, enum step_op op,
			 enum phase phase, int level, enum effect effect,
			 const struct object *before,
			 const struct object *after)
{
	return plan_add(planning->plan, &backend_tc, op, phase, level, effect,
			before, after);
}

/* ---- places ---- */

static uint64_t id_of(int index, uint32_t classid)
{
	return (uint64_t)(uint32_t)index << 32 | classid;
}

static uint64_t place_id(const struct tc_object *object)
{
	switch (object->sort) {
	case TC_CLASS: return id_of(object->index, object->handle);
	case TC_LEAF: return id_of(object->index, object->parent);
	case TC_SHARD: return id_of(object->index, object->handle);
	default: return id_of(object->index, 0);
	}
}

static int by_id(const void *left, const void *right)
{
	const struct place *a = left, *b = right;

	return a->id < b->id ? -1 : a->id > b->id;
}

static struct place *place_at(const struct planning *planning, uint64_t id)
{
	const struct place key = { .id = id };

	return planning->count ? bsearch(&key, planning->places,
					 planning->count, sizeof(key), by_id)
			       : NULL;
}

static void add_places(struct planning *planning, const struct state *state)
{
	for (size_t i = 0; i < state->count; i++) {
		const struct object *object = &state->items[i];

		if (object->backend != &backend_tc)
			continue;
		planning->places =
			mem_grow(planning->places, planning->count,
				 &planning->room, sizeof(*planning->places));
		planning->places[planning->count++] =
			(struct place){ .id = place_id(tc_of(object)) };
	}
}

static void unite_places(struct planning *planning)
{
	size_t kept = 0;

	if (planning->count)
		qsort(planning->places, planning->count,
		      sizeof(*planning->places), by_id);
	for (size_t i = 0; i < planning->count; i++)
		if (!kept ||
		    planning->places[kept - 1].id != planning->places[i].id)
			planning->places[kept++] = planning->places[i];
	planning->count = kept;
}

static void fill_side(struct side *side, const struct object *object)
{
	switch (tc_of(object)->sort) {
	case TC_ROOT: side->root = object; break;
	case TC_CLASS: side->class = object; break;
	case TC_LEAF: side->leaf = object; break;
	case TC_SHARD: side->shard = object; break;
	case TC_FOREIGN: side->foreign = object; break;
	case TC_SAVED: side->saved = object; break;
	case TC_LINK: side->link = object; break;
	default: break;
	}
}

static void fill_places(struct planning *planning, const struct state *state,
			bool is_now)
{
	for (size_t i = 0; i < state->count; i++) {
		const struct object *object = &state->items[i];
		struct place *place;

		if (object->backend != &backend_tc)
			continue;
		place = place_at(planning, place_id(tc_of(object)));
		if (!tc_of(object)->kept)
			fill_side(is_now ? &place->now : &place->want, object);
		else if (is_now)
			fill_side(&place->kept, object);
	}
}

/* ---- roots ---- */

static void refuse(struct planning *planning, const struct object *foreign,
		   const struct object *wanted)
{
	const struct tc_object *object = tc_of(foreign);
	const struct tc_foreign *root = &object->foreign;
	AUTO_TEXT has = TEXT_NONE;
	AUTO_TEXT device = TEXT_NONE;

	text_put_word(&device, object->device);
	if (root->classes)
		text_printf(&has, " with %u class%s", root->classes,
			    root->classes == 1 ? "" : "es");
	if (root->filters)
		text_printf(&has, "%s %u filter%s",
			    root->classes ? " and" : " with", root->filters,
			    root->filters == 1 ? "" : "s");
	report_add(planning->report, FINDING_ERROR, EEXIST, wanted->path,
		   "%s has a root qdisc %s %x:%s that Tresse did not make and "
		   "could not put back; if nobody needs it: tc qdisc del dev "
		   "%s root",
		   object->device, root->kind, TC_H_MAJ(object->handle) >> 16,
		   text_get(&has), text_get(&device));
}

static const struct owned_item *row_of(const struct planning *planning,
				       const struct object *root)
{
	return tc_owned(planning->owned, planning->facts, "root",
			tc_of(root)->device, tc_of(root)->index);
}

/* What has to be put back one day: the root that stands there now, or, when it
 * is ours that somebody took away, still what stood there before ours. */
static void claim(struct planning *planning, const struct object *root,
		  const struct object *foreign)
{
	const struct tc_object *object;
	struct tc_kept *kept;
	size_t size;

	if (!foreign) {
		tc_claim(planning->claims, planning->facts, root,
			 row_of(planning, root));
		return;
	}
	object = tc_of(foreign);
	size = sizeof(*kept) + object->raw_size;
	kept = mem_alloc(size);
	kept->version = TC_KEPT_VERSION;
	kept->handle = object->handle;
	memcpy(kept->kind, object->foreign.kind, sizeof(kept->kind));
	memcpy(kept->raw, object->raw, object->raw_size);
	owned_add(planning->claims, TC_NAME, root->key, kept, size);
	free(kept);
}

static void make_root(struct planning *planning, struct place *place)
{
	const struct object *foreign = place->now.foreign;
	const struct object *root = place->want.root;

	if (foreign && !tc_of(foreign)->foreign.keeps) {
		refuse(planning, foreign, root);
		place->gone = true;
		return;
	}
	step(planning, foreign ? STEP_REPLACE : STEP_ADD, PHASE_BUILD,
	     BUILD_ROOT, EFFECT_FLAP, foreign, root);
	claim(planning, root, foreign);
	place->fresh = true;
}

/* HTB changes neither of its two settings ("Change operation not supported").
 * But r2q only makes quanta, which are said to each class anyway, and a default
 * that nftables sees to can stay what it was at birth. */
static bool root_differs(const struct object *now, const struct object *want)
{
	return tc_of(now)->root.defcls != tc_of(want)->root.defcls &&
	       !tc_of(want)->root.steered;
}

/* One without such a class is none at all. */
static bool has_default(const struct planning *planning,
			const struct object *root)
{
	uint32_t minor = tc_of(root)->root.defcls;
	const struct place *class = place_at(
		planning, id_of(tc_of(root)->index, TC_ROOT_HANDLE | minor));

	return minor && class && (class->now.class || class->want.class);
}

static void wait_for(struct planning *planning, struct place *root)
{
	if (root->waits)
		return;
	root->waits = true;
	step(planning, STEP_WAIT, PHASE_CLEAN, CLEAN_WAIT, EFFECT_HITLESS,
	     root->now.root, NULL)
		->within_ms = WAIT_MS;
}

static void drop_root(struct planning *planning, struct place *place)
{
	const struct object *after =
		place->want.foreign ? place->want.foreign : place->now.saved;

	/* To an ifb that goes nothing is led any more (down.c). */
	if (place->now.link && !place->want.link && !after) {
		wait_for(planning, place);
		step(planning, STEP_DELETE, PHASE_CLEAN, CLEAN_ROOT,
		     EFFECT_HITLESS, place->now.root, NULL);
		return;
	}
	step(planning, after ? STEP_REPLACE : STEP_DELETE, PHASE_CLEAN,
	     CLEAN_ROOT, EFFECT_FLAP, place->now.root, after);
}

static void plan_root(struct planning *planning, struct place *place)
{
	const struct side *now = &place->now, *want = &place->want;

	place->gone = !want->root;
	/* Its name may be another one now, and is noted with it. */
	if (want->root && now->root)
		claim(planning, now->root, NULL);
	if (want->root && !now->root) {
		make_root(planning, place);
	} else if (want->root && root_differs(now->root, want->root) &&
		   (has_default(planning, now->root) ||
		    has_default(planning, want->root))) {
		step(planning, STEP_REPLACE, PHASE_BUILD, BUILD_ROOT,
		     EFFECT_REBUILD, now->root, want->root);
		place->fresh = true;
	} else if (!want->root && now->root) {
		drop_root(planning, place);
	} else if (!want->root && !now->foreign &&
		   (want->foreign || now->saved)) {
		/* Undo that was cut off between delete and add. */
		step(planning, STEP_ADD, PHASE_CLEAN, CLEAN_ROOT, EFFECT_FLAP,
		     NULL, want->foreign ? want->foreign : now->saved);
	}
}

/* ---- classes ---- */

static uint32_t parent_of(const struct object *class)
{
	return tc_of(class)->parent;
}

static int level_of(const struct object *class)
{
	uint32_t level = tc_of(class)->class.level;

	return level > 7 ? 7 : (int)level;
}

/* Must it be deleted before anything is built, because it or a class above it
 * goes elsewhere? */
static bool moves(const struct planning *planning, struct place *place)
{
	struct place *above;
	bool here;

	if (!place->now.class)
		return false;
	if (place->moves != MOVES_UNKNOWN)
		return place->moves == MOVES_YES;
	place->moves = MOVES_NO;
	here = place->want.class &&
	       parent_of(place->now.class) != parent_of(place->want.class);
	above = place_at(planning, id_of(tc_of(place->now.class)->index,
					 parent_of(place->now.class)));
	if (here || (above && moves(planning, above)))
		place->moves = MOVES_YES;
	return place->moves == MOVES_YES;
}

static bool is_outside(uint32_t classid)
{
	return TC_H_MAJ(classid) == TC_ROOT_HANDLE;
}

static int shard_level(uint32_t handle)
{
	return BUILD_SHARD + SHARD_LEVELS * (int)(TC_H_MAJ(handle) >> 16);
}

static void add_class(struct planning *planning, const struct place *place,
		      enum effect effect)
{
	const struct object *class = place->want.class;
	int down = level_of(class) ? 7 - level_of(class) : 8;
	int first = BUILD_CLASS, leaf = BUILD_LEAF;

	if (!is_outside(tc_of(class)->handle)) {
		first = shard_level(tc_of(class)->handle) + SHARD_CLASS;
		leaf = shard_level(tc_of(class)->handle) + SHARD_LEAF;
	}
	step(planning, STEP_ADD, PHASE_BUILD, first + down, effect, NULL,
	     class);
	if (place->want.leaf && !tc_leaf_is_foreign(place->want.leaf))
		step(planning, STEP_ADD, PHASE_BUILD, leaf, effect, NULL,
		     place->want.leaf);
}

/* What the kernel refuses to an inner class, or forgets (sch_htb.c, "it used to
 * be a nasty bug here"), has to wait until those below it are gone. */
static bool must_wait(const struct place *place)
{
	return level_of(place->now.class) && !level_of(place->want.class);
}

static void change_class(struct planning *planning, const struct place *place)
{
	bool late = must_wait(place);

	if (tc_class_differs(tc_of(place->now.class), tc_of(place->want.class)))
		step(planning, STEP_CHANGE, late ? PHASE_CLEAN : PHASE_BUILD,
		     late ? LATE_CHANGE : BUILD_CHANGE, EFFECT_HITLESS,
		     place->now.class, place->want.class);
}

static bool same_raw(const struct tc_object *now, const struct tc_object *want)
{
	return now->raw_size == want->raw_size &&
	       !memcmp(now->raw, want->raw, now->raw_size);
}

static void change_leaf(struct planning *planning, const struct object *before,
			const struct object *after)
{
	const struct tc_object *now = tc_of(before), *want = tc_of(after);
	bool same_kind = !strcmp(now->queue.kind, want->queue.kind);
	uint32_t differs;
	bool in_place;

	if (same_kind && (now->raw_size || want->raw_size) &&
	    same_raw(now, want))
		return;
	differs = queue_differs(&now->queue, &want->queue);
	if (same_kind && !now->raw_size && !want->raw_size && !differs)
		return;
	in_place = same_kind && !now->raw_size && !want->raw_size &&
		   queue_can_change(&want->queue, differs);
	step(planning, in_place ? STEP_CHANGE : STEP_REPLACE, PHASE_BUILD,
	     BUILD_LEAF, in_place ? EFFECT_HITLESS : EFFECT_FLAP, before,
	     after);
	if (!in_place)
		plan_aside(planning->plan, after);
}

static void plan_leaf(struct planning *planning, const struct place *place)
{
	const struct object *now = place->now.leaf, *want = place->want.leaf;
	bool late = must_wait(place);

	if (tc_leaf_is_foreign(want))
		return;
	if (now && want)
		change_leaf(planning, now, want);
	else if (want)
		step(planning, STEP_ADD, late ? PHASE_CLEAN : PHASE_BUILD,
		     late ? LATE_LEAF : BUILD_LEAF, EFFECT_FLAP, NULL, want);
	else if (now && !level_of(place->want.class))
		step(planning, STEP_DELETE, PHASE_CLEAN, CLEAN_LEAF,
		     EFFECT_FLAP, now, NULL);
	/* else: with its first child a class loses its queue by itself. */
}

/* HTB's own pfifo goes where a leaf comes, and the other way round; a class
 * that gets its first class below it loses its queue, and one that loses its
 * last has none until then. */
static bool loses_queue(const struct side *now, const struct side *want)
{
	bool was_leaf = !level_of(now->class);
	bool is_leaf = !level_of(want->class);

	return was_leaf != is_leaf || (is_leaf && !now->leaf != !want->leaf &&
				       !tc_leaf_is_foreign(want->leaf));
}

static void drop_class(struct planning *planning, const struct object *class)
{
	step(planning, STEP_DELETE, PHASE_CLEAN, CLEAN_CLASS + level_of(class),
	     EFFECT_HITLESS, class, NULL);
	if (!level_of(class))
		wait_for(planning,
			 place_at(planning, id_of(tc_of(class)->index, 0)));
}

static bool keeps_queue(const struct place *place)
{
	return place->want.class && place->now.leaf &&
	       tc_leaf_is_foreign(place->want.leaf);
}

static void refuse_move(struct planning *planning, const struct place *place)
{
	const struct tc_object *leaf = tc_of(place->now.leaf);

	report_add(planning->report, FINDING_ERROR, EOPNOTSUPP,
		   place->want.class->path,
		   "its queue, %s %x:, is somebody else's (leaf=foreign) and "
		   "cannot be made again elsewhere: leave the class where it "
		   "is, or give it a leaf of its own first",
		   leaf->queue.kind, TC_H_MAJ(leaf->handle) >> 16);
}

static void plan_class(struct planning *planning, struct place *place,
		       const struct place *root)
{
	const struct object *now = place->now.class;

	if (root->gone)
		return;
	if (root->fresh || !now) {
		if (place->want.class)
			add_class(planning, place,
				  root->now.root ? EFFECT_REBUILD
						 : EFFECT_HITLESS);
		return;
	}
	if (moves(planning, place) && keeps_queue(place)) {
		refuse_move(planning, place);
		return;
	}
	if (moves(planning, place)) {
		step(planning, STEP_DELETE, PHASE_BUILD,
		     EARLY_CLASS + level_of(now), EFFECT_REBUILD, now, NULL);
		if (!place->want.class)
			return;
		add_class(planning, place, EFFECT_REBUILD);
		plan_aside(planning->plan, place->want.class);
		return;
	}
	if (!place->want.class) {
		drop_class(planning, now);
		return;
	}
	if (loses_queue(&place->now, &place->want))
		plan_aside(planning->plan, place->want.class);
	change_class(planning, place);
	plan_leaf(planning, place);
}

/* ---- shards ---- */

/* What hangs in a class that goes, or goes elsewhere, is gone with it. */
static void plan_shard(struct planning *planning, struct place *place,
		       const struct place *root)
{
	const struct object *now = place->now.shard, *want = place->want.shard;
	const struct tc_object *any = tc_of(want ? want : now);
	struct place *hook = place_at(planning, id_of(any->index, any->parent));

	place->gone = root->gone || !want;
	place->fresh = root->fresh || !now || (hook && moves(planning, hook));
	if (!place->gone && place->fresh)
		step(planning, STEP_ADD, PHASE_BUILD,
		     shard_level(tc_of(want)->handle), EFFECT_HITLESS, NULL,
		     want);
	else if (!root->gone && !want && hook && hook->want.class)
		step(planning, STEP_DELETE, PHASE_CLEAN, CLEAN_LEAF,
		     EFFECT_FLAP, now, NULL);
}

/* ---- filters ---- */

static struct place *root_of(const struct planning *planning,
			     const struct tc_object *object)
{
	return place_at(planning, id_of(object->index, 0));
}

static bool is_filter(const struct object *object)
{
	return object->backend == &backend_tc &&
	       tc_of(object)->sort == TC_FILTER;
}

static void find_new_masks(const struct planning *planning,
			   const struct state *now, const struct state *want)
{
	for (size_t i = 0; i < want->count; i++) {
		const struct object *after = &want->items[i], *before;

		if (!is_filter(after))
			continue;
		before = state_find(now, &backend_tc, after->key);
		if (before &&
		    tc_of(before)->filter.mask != tc_of(after)->filter.mask)
			root_of(planning, tc_of(after))->refilter = true;
	}
}

/* A class that a filter names cannot be deleted. */
static bool is_in_the_way(const struct planning *planning,
			  const struct tc_object *filter)
{
	struct place *class = place_at(planning, id_of(filter->index,
						       filter->filter.classid));

	return root_of(planning, filter)->refilter ||
	       (class && moves(planning, class));
}

static void old_filter(struct planning *planning, const struct object *before,
		       const struct object *after)
{
	if (is_in_the_way(planning, tc_of(before))) {
		step(planning, STEP_DELETE, PHASE_BUILD, EARLY_FILTER,
		     EFFECT_FLAP, before, NULL);
		if (after)
			step(planning, STEP_ADD, PHASE_BUILD, BUILD_FILTER,
			     EFFECT_FLAP, NULL, after);
	} else if (!after) {
		step(planning, STEP_DELETE, PHASE_CLEAN, CLEAN_FILTER,
		     EFFECT_FLAP, before, NULL);
	} else if (tc_of(before)->filter.classid !=
		   tc_of(after)->filter.classid) {
		step(planning, STEP_CHANGE, PHASE_BUILD, BUILD_FILTER,
		     EFFECT_HITLESS, before, after);
	}
}

static const struct object *find_kept(const struct state *now,
				      const struct tc_object *object)
{
	struct tc_object kept = *object;
	char key[TC_KEY_SIZE];

	kept.kept = 1;
	tc_key(&kept, key);
	return state_find(now, &backend_tc, key);
}

/* One of ours that looks like one of those that are given back, and so is it.
 */
static bool is_given(const struct planning *planning, const struct state *now,
		     const struct tc_object *filter)
{
	struct tc_object other = { .sort = TC_OTHER,
				   .index = filter->index,
				   .handle = filter->handle };

	memcpy(other.device, filter->device, sizeof(other.device));
	other.other.info = tc_info(filter);
	memcpy(other.other.kind, filter->sort == TC_FILTER ? "fw" : "bpf",
	       filter->sort == TC_FILTER ? sizeof("fw") : sizeof("bpf"));
	return root_of(planning, filter)->given && find_kept(now, &other);
}

static void plan_filters(struct planning *planning, const struct state *now,
			 const struct state *want)
{
	find_new_masks(planning, now, want);
	for (size_t i = 0; i < now->count; i++) {
		const struct object *before = &now->items[i];
		const struct place *root;

		if (!is_filter(before))
			continue;
		root = root_of(planning, tc_of(before));
		if (!root->gone && !root->fresh &&
		    !is_given(planning, now, tc_of(before)))
			old_filter(planning, before,
				   state_find(want, &backend_tc, before->key));
	}
	for (size_t i = 0; i < want->count; i++) {
		const struct object *after = &want->items[i];
		const struct place *root;

		if (!is_filter(after))
			continue;
		root = root_of(planning, tc_of(after));
		if (!root->gone &&
		    (root->fresh || !state_find(now, &backend_tc, after->key)))
			step(planning, STEP_ADD, PHASE_BUILD, BUILD_FILTER,
			     EFFECT_HITLESS, NULL, after);
	}
}

/* ---- programs ---- */

static bool is_program(const struct object *object)
{
	return object->backend == &backend_tc &&
	       (tc_of(object)->sort == TC_PROGRAM ||
		tc_of(object)->sort == TC_SORTER);
}

/* Another program takes the place of a sorter's. */
static enum step_op program_op(const struct tc_object *want)
{
	return want->sort == TC_SORTER ? STEP_REPLACE : STEP_CHANGE;
}

/* Where nobody may ask for the tag, the name has to do. */
static bool same_program(const struct tc_object *now,
			 const struct tc_object *want)
{
	return (want->sort == TC_SORTER && !want->raw_size) ||
	       same_raw(now, want);
}

static void want_program(struct planning *planning, const struct object *before,
			 const struct object *after)
{
	const struct place *root = root_of(planning, tc_of(after));

	if (root->gone)
		return;
	if (root->fresh || !before)
		step(planning, STEP_ADD, PHASE_BUILD, BUILD_FILTER,
		     EFFECT_HITLESS, NULL, after);
	else if (!same_program(tc_of(before), tc_of(after)))
		step(planning, program_op(tc_of(after)), PHASE_BUILD,
		     BUILD_FILTER, EFFECT_HITLESS, before, after);
}

static void plan_programs(struct planning *planning, const struct state *now,
			  const struct state *want)
{
	for (size_t i = 0; i < want->count; i++)
		if (is_program(&want->items[i]))
			want_program(planning,
				     state_find(now, &backend_tc,
						want->items[i].key),
				     &want->items[i]);
	for (size_t i = 0; i < now->count; i++) {
		const struct object *before = &now->items[i];
		const struct place *root;

		if (!is_program(before) ||
		    state_find(want, &backend_tc, before->key))
			continue;
		root = root_of(planning, tc_of(before));
		if (!root->gone && !root->fresh &&
		    !is_given(planning, now, tc_of(before)))
			step(planning, STEP_DELETE, PHASE_CLEAN, CLEAN_FILTER,
			     EFFECT_HITLESS, before, NULL);
	}
}

/* ---- filters of a tree that was taken over ---- */

static void want_other(struct planning *planning, const struct state *now,
		       const struct object *after)
{
	struct tc_object real = *tc_of(after);
	const struct place *root = root_of(planning, &real);
	char key[TC_KEY_SIZE];

	real.kept = 0;
	tc_key(&real, key);
	if (!root->gone && (root->fresh || !state_find(now, &backend_tc, key)))
		step(planning, STEP_ADD, PHASE_BUILD, BUILD_FILTER,
		     EFFECT_HITLESS, NULL, after);
}

/* Ours is in its place? */
static bool is_replaced(const struct state *want, const struct tc_object *other)
{
	struct tc_object fw = { .sort = TC_FILTER,
				.filter.mark = other->handle };
	char key[TC_KEY_SIZE];

	memcpy(fw.device, other->device, sizeof(fw.device));
	tc_key(&fw, key);
	return !strcmp(other->other.kind, "fw") &&
	       other->other.info == tc_info(&fw) &&
	       state_find(want, &backend_tc, key);
}

/* Matches do what they did. What does not matter goes when all stands. */
static void drop_other(struct planning *planning, const struct state *want,
		       const struct object *before)
{
	const struct place *root = root_of(planning, tc_of(before));

	if (!root->gone && !root->fresh && !root->given &&
	    !state_find(want, &backend_tc, before->key) &&
	    !is_replaced(want, tc_of(before)))
		step(planning, STEP_DELETE, PHASE_CLEAN, CLEAN_FILTER,
		     EFFECT_HITLESS, before, NULL);
}

static bool is_other(const struct object *object, bool kept)
{
	return object->backend == &backend_tc &&
	       tc_of(object)->sort == TC_OTHER && !tc_of(object)->kept == !kept;
}

static void plan_others(struct planning *planning, const struct state *now,
			const struct state *want)
{
	for (size_t i = 0; i < want->count; i++)
		if (is_other(&want->items[i], false))
			want_other(planning, now, &want->items[i]);
	for (size_t i = 0; i < now->count; i++) {
		const struct object *object = &now->items[i];

		if (is_other(object, false))
			drop_other(planning, want, object);
		else if (is_other(object, true) &&
			 root_of(planning, tc_of(object))->given)
			want_other(planning, now, object);
	}
}

/* ---- filters that are nobody's we know ---- */

/* Of a device: how many, and the first few by name. */
static size_t name_strangers(const struct state *now, int index,
			     struct text *out)
{
	size_t count = 0;

	for (size_t i = 0; i < now->count; i++) {
		const struct object *object = &now->items[i];
		const struct tc_object *tc = tc_of(object);

		if (object->backend != &backend_tc || tc->sort != TC_STRANGER ||
		    tc->index != index)
			continue;
		if (count++ < 3)
			text_printf(out, "%s%s pref %u handle 0x%x",
				    out->length ? ", " : "", tc->other.kind,
				    tc->other.info >> 16, tc->handle);
	}
	if (count > 3)
		text_put(out, " ...");
	return count;
}

/* They are left alone, whatever is done; but with their root they go. */
static void tell_strangers(struct planning *planning, const struct state *now,
			   const struct place *place)
{
	const struct object *want = place->want.root;
	bool goes = place->now.root && (place->gone || place->fresh);
	bool shares = want && tc_of(want)->root.shares;
	AUTO_TEXT names = TEXT_NONE;
	size_t count;

	if ((!goes && !shares) || !place->now.root || place->given)
		return;
	count = name_strangers(now, tc_of(place->now.root)->index, &names);
	if (count && goes)
		report_add(planning->report, FINDING_WARNING, 0,
			   want ? want->path : "/classes",
			   "%zu filter%s on the tree of %s that %s not "
			   "Tresse's go with it: %s",
			   count, count == 1 ? "" : "s",
			   tc_of(place->now.root)->device,
			   count == 1 ? "is" : "are", text_get(&names));
	else if (count)
		report_add(planning->report, FINDING_NOTE, 0, want->path,
			   "%zu filter%s of others %s first: %s", count,
			   count == 1 ? "" : "s",
			   count == 1 ? "decides" : "decide", text_get(&names));
}

/* A tree that nobody wants any more becomes what it was when it was taken over,
 * as far as somebody else's does not stand there by now. */
static void give_back(struct planning *planning)
{
	bool given = false;

	for (size_t i = 0; i < planning->count; i++) {
		struct place *place = &planning->places[i];

		if (!(uint32_t)place->id) {
			given = place->kept.root && !place->want.root &&
				!place->want.foreign && !place->now.foreign;
			place->given = given;
		}
		if (given)
			place->want = place->kept;
	}
}

/* ---- all ---- */

void tc_plan(const struct state *now, const struct state *want,
	     const struct facts *facts, const struct owned *owned,
	     struct report *report, struct plan *plan, struct owned *claims)
{
	struct planning planning = { .report = report,
				     .plan = plan,
				     .owned = owned,
				     .facts = facts,
				     .claims = claims };
	struct place *root = NULL, *shard = NULL;

	add_places(&planning, now);
	add_places(&planning, want);
	unite_places(&planning);
	fill_places(&planning, now, true);
	fill_places(&planning, want, false);
	give_back(&planning);
	for (size_t i = 0; i < planning.count; i++) {
		struct place *place = &planning.places[i];

		/* Classid 0 sorts before the classes of its device. */
		if (!(uint32_t)place->id) {
			root = place;
			plan_root(&planning, root);
			shard = NULL;
		} else if (!root || root->id >> 32 != place->id >> 32) {
			continue;
		} else if (!TC_H_MIN(place->id)) {
			shard = place;
			plan_shard(&planning, shard, root);
		} else {
			plan_class(&planning, place, shard ? shard : root);
		}
	}
	plan_filters(&planning, now, want);
	plan_programs(&planning, now, want);
	plan_others(&planning, now, want);
	for (size_t i = 0; i < planning.count; i++)
		if (!(uint32_t)planning.places[i].id)
			tell_strangers(&planning, now, &planning.places[i]);
	down_plan(now, want, report, plan, claims);
	free(planning.places);
}
