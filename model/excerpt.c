/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "model/excerpt.h"

#include "model/shaping.h"

struct excerpt {
	const struct tree *whole;
	struct tree *tree; /* owned until taken */
	bool clean;
};

static struct node *include(struct excerpt *excerpt, const struct node *node);

static void include_targets(struct excerpt *excerpt, const struct node *node)
{
	const struct kind *kind = node_kind(node);

	for (size_t attr = 0; attr < kind->attr_count; attr++) {
		const struct node *target;

		if (kind->attrs[attr].type != &type_ref ||
		    (excerpt->clean && kind->attrs[attr].below))
			continue;
		target = node_target(node, attr, NULL);
		if (target)
			include(excerpt, target);
	}
}

/* The copy of a node, made with all that is above it if it is not there. */
static struct node *include(struct excerpt *excerpt, const struct node *node)
{
	struct node *parent, *copy;

	if (!node_parent(node))
		return tree_root(excerpt->tree);
	parent = include(excerpt, node_parent(node));
	copy = node_find(parent, node_name(node));
	if (copy)
		return copy;
	copy = node_create(parent, node_name(node), NULL);
	if (excerpt->clean)
		node_copy_clean(node, copy);
	else
		node_copy_settings(node, copy);
	include_targets(excerpt, node);
	return copy;
}

struct excerpt *excerpt_new(const struct tree *whole)
{
	struct excerpt *excerpt = mem_alloc(sizeof(*excerpt));

	excerpt->whole = whole;
	excerpt->tree = tree_new();
	node_copy_settings(tree_system(whole), tree_system(excerpt->tree));
	return excerpt;
}

struct excerpt *excerpt_new_clean(const struct tree *whole)
{
	struct excerpt *excerpt = excerpt_new(whole);

	excerpt->clean = true;
	return excerpt;
}

void excerpt_add(struct excerpt *excerpt, const char *path)
{
	const struct node *node = tree_walk(
		excerpt->whole, tree_root(excerpt->whole), path, NULL);

	if (node)
		include(excerpt, node);
}

/* An inner class that has lost its classes would count as a leaf. */
static void keep_inner(struct excerpt *excerpt, const struct node *copy)
{
	AUTO(str) char *path = node_path_dup(copy);
	const struct node *node = tree_walk(
		excerpt->whole, tree_root(excerpt->whole), path, NULL);

	if (!class_is_leaf(copy) || class_is_leaf(node))
		return;
	node_each (child, node)
		if (node_kind(child) == &kind_class) {
			include(excerpt, child);
			return;
		}
}

struct tree *excerpt_take(struct excerpt *excerpt)
{
	const struct node *root = tree_root(excerpt->tree);

	/* What is added below a node is met later on the same walk. */
	for (const struct node *at = root; at; at = node_walk(root, at))
		if (node_kind(at) == &kind_class)
			keep_inner(excerpt, at);
	return TAKE(excerpt->tree);
}

void excerpt_free(struct excerpt *excerpt)
{
	if (!excerpt)
		return;
	tree_free(excerpt->tree);
	free(excerpt);
}
