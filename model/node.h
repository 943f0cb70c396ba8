/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * node.h - the configuration tree, and one place in it.
 *
 * Whatever an operator can `cd` into is a node. It has a kind, which decides
 * what can be set on it and what may hang below it, and a name no sibling
 * shares.
 *
 *     /  --  classes  --  uplink  --  internet  --  ssh  --  match
 *
 * A tree owns its nodes. Pointers handed out are borrowed and live until the
 * node is deleted. Finding a child costs O(1) however many siblings it has.
 *
 * A setting is given (typed by someone), chosen (found by Tresse and kept, so
 * that it stays the same: a classid, a mark) or unset; an unset setting has the
 * standard of its row, or nothing.
 */
#ifndef MODEL_NODE_H
#define MODEL_NODE_H

#include <stdbool.h>
#include <stdint.h>

#include "model/base/err.h"
#include "model/base/mem.h"
#include "model/base/text.h"
#include "model/kind.h"
#include "model/name.h"
#include "model/value.h"

struct node;
struct sums;
struct tree;

/* An empty tree with its fixed nodes. */
struct tree *tree_new(void);
void tree_free(struct tree *tree);
AUTO_DEFINE(tree, struct tree *, tree_free)

struct node *tree_root(const struct tree *tree);
/* The fixed nodes at the top. */
struct node *tree_paths(const struct tree *tree);
struct node *tree_classes(const struct tree *tree);
struct node *tree_links(const struct tree *tree);
struct node *tree_system(const struct tree *tree);

/* Follows a path ("/a/b", "b", "../c", ".", "//") from a node. On failure NULL
 * and a sentence that names the part that is missing and the nearest name. */
struct node *tree_walk(const struct tree *tree, const struct node *from,
		       const char *path, struct err *err);
/* By the number the store gave; NULL if there is none. */
struct node *tree_by_id(const struct tree *tree, uint64_t id);

/* A child of parent, of the kind that parent's kind creates, with its own fixed
 * children. EEXIST if the name is taken, EINVAL if it is no name. */
struct node *node_create(struct node *parent, const char *name,
			 struct err *err);
/* The branch goes, and the tree remembers which numbers went (tree_deleted()).
 * Not for fixed nodes. */
void node_delete(struct node *node);

const char *node_name(const struct node *node);
const struct kind *node_kind(const struct node *node);
struct tree *node_tree(const struct node *node);
struct node *node_parent(const struct node *node); /* NULL for the root */
bool node_is_fixed(const struct node *node);
/* 0 until the store has given one. */
uint64_t node_id(const struct node *node);
void node_set_id(struct node *node, uint64_t id);
/* "/classes/uplink/ssh" */
void node_path(const struct node *node, struct text *out);
char *node_path_dup(const struct node *node);
/* Nearest ancestor that is not fixed ("the class of this match"), or NULL. */
struct node *node_owner(const struct node *node);

/* Children in the order they were made, fixed ones first. */
struct node *node_first(const struct node *node);
struct node *node_next(const struct node *node);
#define node_each(child, parent)                                               \
	for (struct node *child = node_first(parent); child;                   \
	     child = node_next(child))
size_t node_count(const struct node *node); /* children, fixed too */
struct node *node_find(const struct node *parent, const char *name);
/* Children, fixed ones first in the order of their table, the others sorted by
 * name with numbers in names by their value (br2 before br10).
 * The array ends with NULL and is the caller's to free. */
struct node **node_sorted(const struct node *node);
/* Depth-first over a whole branch, node itself first: the next one, or NULL. */
struct node *node_walk(const struct node *branch, const struct node *at);
/* A child by the name of its kind's fixed_name. */
struct node *node_fixed(const struct node *node, const struct kind *kind);

enum origin {
	ORIGIN_NONE, /* unset, and no standard either */
	ORIGIN_STANDARD,
	ORIGIN_CHOSEN,
	ORIGIN_GIVEN,
};
/* attr is an index into the kind's table. NULL: unset, without a standard. */
const struct value *node_value(const struct node *node, size_t attr);
enum origin node_origin(const struct node *node, size_t attr);
/* Takes the value over (it is cleared in the caller's hands). Setting what is
 * there already is no change. */
void node_set(struct node *node, size_t attr, struct value *value,
	      enum origin origin);
void node_unset(struct node *node, size_t attr);
/* Reads text and sets; `auto` and the empty text unset. The error names path
 * and setting; a read-only one is refused with EROFS. */
int node_set_text(struct node *node, const char *name, const char *text,
		  struct err *err);
/* Canonical text of a setting, "" where it has none. */
void node_print(const struct node *node, size_t attr, struct text *out);

/* Shorthand for code that knows the type. 0, NULL where unset. */
uint64_t node_u(const struct node *node, size_t attr);
const char *node_text(const struct node *node, size_t attr);
bool node_has(const struct node *node, size_t attr); /* any origin but NONE */

/* The node that a reference setting names; NULL if unset or if there is none
 * (err, if wanted, then says so). */
struct node *node_target(const struct node *node, size_t attr, struct err *err);

/* Gives `to` the settings of `from`, which is of the same kind, with their
 * origins. */
void node_copy_settings(const struct node *from, struct node *to);
/* Those it had when the tree was last clean; a new node had none. */
void node_copy_clean(const struct node *from, struct node *to);

/* What the store has to write: nodes created or changed since tree_clean(). */
enum dirt { DIRT_NONE, DIRT_CHANGED, DIRT_NEW };
enum dirt node_dirt(const struct node *node);
/* All of them, a new node behind those above it; NULL at the end. To write one
 * on the way is fine, to make or delete one is not. */
struct node *tree_first_dirty(const struct tree *tree);
struct node *node_next_dirty(const struct node *node);
/* Has this setting another value or origin than when the tree was clean? */
bool node_changed(const struct node *node, size_t attr);
/* The value that it had then; NULL: none, nor a standard. */
const struct value *node_was(const struct node *node, size_t attr);
const uint64_t *tree_deleted(const struct tree *tree, size_t *count);
bool tree_is_dirty(const struct tree *tree);
void tree_clean(struct tree *tree);
/* Only a part of what the store has (store_load_part()): what is not there may
 * be there all the same. */
bool tree_is_part(const struct tree *tree);
void tree_set_part(struct tree *tree);
/* Of a part: what the classes below have together that are not there (sums.h).
 * NULL: that is not known, or there is nothing that could be missing. */
const struct sums *node_rest(const struct node *node);
/* Takes the rest over; NULL forgets it. */
void node_set_rest(struct node *node, struct sums *rest);
/* While it is so, nothing becomes dirty: for who reads the tree from there. */
void tree_set_stored(struct tree *tree, bool stored);

/* Makes `to` say what `wanted` says, by path, keeping numbers and chosen
 * settings of what stays. With merge, what `wanted` lacks stays as it is. */
void tree_sync(struct tree *to, const struct tree *wanted, bool merge);
/* The same for a branch, whose tops are of the same kind. */
void node_sync(struct node *to, const struct node *wanted, bool merge);

#endif
