/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "model/merge.h"

#include <string.h>

#include "model/diff.h"
#include "model/secret.h"

struct merge {
	const struct tree *base;
	struct tree *theirs;
	enum merge_side overrules;
	struct clash *clashes, **end;
	struct err *err;
};

void clashes_free(struct clash *clash)
{
	while (clash) {
		struct clash *next = clash->next;

		free(clash->path);
		free(clash->mine);
		free(clash->theirs);
		free(clash);
		clash = next;
	}
}

/* Takes mine and theirs. */
static void clash_at(struct merge *merge, const struct node *at,
		     const struct node *theirs, const char *setting, char *mine,
		     char *text)
{
	struct clash *clash;

	if (merge->overrules == MERGE_MINE && theirs) {
		free(mine);
		free(text);
		return;
	}
	clash = mem_alloc(sizeof(*clash));
	*clash = (struct clash){ node_path_dup(at),
				 setting,
				 mine,
				 text,
				 theirs ? node_id(theirs) : 0,
				 NULL };
	*merge->end = clash;
	merge->end = &clash->next;
}

static struct node *same_place(const struct tree *tree, const struct node *node)
{
	AUTO(str) char *path = node_path_dup(node);

	return tree_walk(tree, tree_root(tree), path, NULL);
}

/* What somebody gave; "" for nothing. Of keys, the digest. */
static char *given(const struct node *node, size_t attr)
{
	struct text text = TEXT_NONE;

	if (node && node_kind(node)->attrs[attr].flags & ATTR_SECRET)
		secret_print(node, attr, &text);
	else if (node && node_origin(node, attr) == ORIGIN_GIVEN)
		node_print(node, attr, &text);
	return text.length ? text_take(&text) : mem_strdup("");
}

static bool same_given(const struct node *a, const struct node *b, size_t attr)
{
	AUTO(str) char *left = given(a, attr);
	AUTO(str) char *right = given(b, attr);

	return !strcmp(left, right);
}

/* The first node of the branch that is not as it was, or NULL. */
static const struct node *changed_in(const struct node *was,
				     const struct node *is)
{
	for (size_t i = 0; i < node_kind(is)->attr_count; i++)
		if (!same_given(was, is, i))
			return is;
	node_each (child, is) {
		const struct node *before = node_find(was, node_name(child));
		const struct node *found =
			before ? changed_in(before, child) : child;

		if (found)
			return found;
	}
	return NULL;
}

/* ---- looking for clashes ---- */

static void check_delete(struct merge *merge, const struct node *was)
{
	const struct node *is = same_place(merge->theirs, was);
	const struct node *found = is ? changed_in(was, is) : NULL;

	if (found)
		clash_at(merge, found, found, NULL, NULL,
			 mem_strdup("changed"));
}

/* The place it is to be made in went away. */
static void check_create(struct merge *merge, const struct node *mine)
{
	const struct node *above = node_parent(mine);

	if (same_place(merge->base, above) && !same_place(merge->theirs, above))
		clash_at(merge, mine, NULL, NULL, mem_strdup("created"), NULL);
}

/* Both made an object of that name. */
static void check_twin(struct merge *merge, const struct node *mine,
		       const struct node *theirs)
{
	const struct kind *kind = node_kind(mine);

	for (size_t i = 0; i < kind->attr_count; i++)
		if (!same_given(mine, theirs, i))
			clash_at(merge, mine, theirs, kind->attrs[i].name,
				 given(mine, i), given(theirs, i));
}

static void check_set(struct merge *merge, const struct change *change)
{
	const struct node *mine = change->node;
	const struct node *was = same_place(merge->base, mine);
	const struct node *is = same_place(merge->theirs, mine);
	size_t attr = kind_index(node_kind(mine), change->attr);

	if (!was)
		return; /* made by this side: see check_twin() */
	if (!is)
		clash_at(merge, mine, NULL, change->attr->name,
			 given(mine, attr), NULL);
	else if (!same_given(was, is, attr) && !same_given(mine, is, attr))
		clash_at(merge, mine, is, change->attr->name, given(mine, attr),
			 given(is, attr));
}

static int check_change(const struct change *change, void *arg)
{
	struct merge *merge = arg;
	const struct node *theirs;

	if (change->op == CHANGE_DELETE) {
		check_delete(merge, change->node);
	} else if (change->op == CHANGE_SET) {
		check_set(merge, change);
	} else {
		theirs = same_place(merge->theirs, change->node);
		if (theirs)
			check_twin(merge, change->node, theirs);
		else
			check_create(merge, change->node);
	}
	return 0;
}

/* ---- doing it ---- */

static int do_change(const struct change *change, void *arg)
{
	struct merge *merge = arg;
	struct node *node = same_place(merge->theirs, change->node), *above;
	size_t attr =
		change->attr ? kind_index(node_kind(change->node), change->attr)
			     : 0;
	struct value value = { 0 };

	switch (change->op) {
	case CHANGE_DELETE:
		if (node)
			node_delete(node);
		return 0;
	case CHANGE_CREATE:
		above = same_place(merge->theirs, node_parent(change->node));
		if (node ||
		    node_create(above, node_name(change->node), merge->err))
			return 0;
		return merge->err ? merge->err->code : -EINVAL;
	case CHANGE_SET: break;
	}
	if (node_origin(change->node, attr) == ORIGIN_CHOSEN) {
		value_copy(change->attr, node_value(change->node, attr),
			   &value);
		node_set(node, attr, &value, ORIGIN_CHOSEN);
		return 0;
	}
	return node_set_text(node, change->attr->name,
			     change->after ? change->after : "", merge->err);
}

int tree_merge(const struct tree *base, const struct tree *mine,
	       struct tree *theirs, enum merge_side overrules,
	       struct clash **clashes, struct err *err)
{
	struct merge merge = { .base = base,
			       .theirs = theirs,
			       .overrules = overrules,
			       .err = err };
	size_t count = 0;

	merge.end = &merge.clashes;
	tree_diff(base, mine, check_change, &merge);
	*clashes = merge.clashes;
	if (!merge.clashes)
		return tree_diff(base, mine, do_change, &merge);
	for (const struct clash *at = merge.clashes; at; at = at->next)
		count++;
	return err_set(err, ESTALE,
		       "%zu clash%s with what others changed meanwhile: "
		       "nothing was done",
		       count, count == 1 ? "" : "es");
}

/* ---- back ---- */

static void put_chosen(struct node *node, const struct node *was)
{
	const struct kind *kind = node_kind(node);

	for (size_t i = 0; i < kind->attr_count; i++) {
		struct value value = { 0 };

		if (node_origin(was, i) == ORIGIN_CHOSEN) {
			value_copy(&kind->attrs[i], node_value(was, i), &value);
			node_set(node, i, &value, ORIGIN_CHOSEN);
		} else if (node_origin(node, i) == ORIGIN_CHOSEN) {
			node_unset(node, i);
		}
	}
}

void tree_put_back(struct tree *tree, const struct tree *past)
{
	struct node *root = tree_root(tree);

	tree_sync(tree, past, false);
	for (struct node *at = root; at; at = node_walk(root, at)) {
		const struct node *was = same_place(past, at);

		if (was)
			put_chosen(at, was);
	}
}
