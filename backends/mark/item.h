/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * item.h - what the driver keeps in an object (model/state.h): one table, set,
 * chain, element or rule, flat.
 *
 *     table    flags
 *     set      name   flags, key, data
 *     chain    name   hook, priority, policy
 *     element  set    key, data
 *     rule     chain  expressions, userdata (the comment), anonymous sets
 *
 * All of it canonical (canon.h), so two things are the same if their bytes are.
 * A rule's place and its handle are not compared: the first is planned for, the
 * second is the kernel's.
 */
#ifndef BACKENDS_MARK_ITEM_H
#define BACKENDS_MARK_ITEM_H

#include "backends/mark/nfattr.h"
#include "model/state.h"

#define MARK_TABLE "tresse"

enum item_what { ITEM_TABLE, ITEM_SET, ITEM_CHAIN, ITEM_ELEMENT, ITEM_RULE };

struct item {
	enum item_what what;
	uint32_t order;	   /* of a rule: its place in the chain, from 0 */
	uint64_t handle;   /* of a rule that was read */
	const char *name;  /* of the set or chain; "" for the table */
	struct span body;  /* attributes; of a rule: its expressions */
	struct span extra; /* of a rule: NFTA_RULE_USERDATA */
	struct span sets;  /* of a rule: struct item_set, one after another */
};

/* An anonymous set in item.sets: this, then attributes, then elements. */
struct item_set {
	uint32_t attr_length, element_length;
};
/* The next one at *at, which moves on; false at the end. */
bool item_next_set(struct span sets, size_t *at, struct span *attrs,
		   struct span *elements);
void item_add_set(struct text *sets, struct span attrs, struct span elements);
/* Elements by their bytes: the kernel dumps them in any order. */
void item_sort_elements(struct text *elements);

/* Borrowed from the object. */
struct item item_get(const struct object *object);
/* Adds an object, unless its key is there already: false then. */
bool item_add(struct state *state, const struct item *item, const char *path);

/* By set or chain, then by place in it; for qsort(). */
int item_compare(const struct item *a, const struct item *b);
bool item_equal(const struct item *a, const struct item *b);
/* Equal items have equal hashes. */
uint64_t item_hash(const struct item *item);
uint64_t item_hash_bytes(uint64_t hash, const void *bytes, size_t length);
#define ITEM_HASH_SEED 14695981039346656037ull

#endif
