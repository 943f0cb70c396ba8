/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "model/patch.h"

#include "model/shaping.h"

/* Whatever it is summed up with. */
static bool knows_sums(const struct node *class)
{
	return !tree_is_part(node_tree(class)) || node_rest(node_parent(class));
}

/* Only settings of its own, of a class that holds none. */
static bool is_own(const struct node *node)
{
	const struct kind *kind = node_kind(node);

	if (kind != &kind_class || node_dirt(node) != DIRT_CHANGED ||
	    !class_is_leaf(node))
		return false;
	for (size_t attr = 0; attr < kind->attr_count; attr++) {
		unsigned flags = kind->attrs[attr].flags;

		if (!node_changed(node, attr))
			continue;
		if (!(flags & ATTR_OWN) ||
		    (flags & ATTR_SUMMED && !knows_sums(node)))
			return false;
	}
	return true;
}

bool patch_find(const struct tree *tree, struct patch *patch)
{
	const struct node *at = tree_first_dirty(tree);
	size_t deleted;

	patch->count = 0;
	tree_deleted(tree, &deleted);
	for (; at; at = node_next_dirty(at)) {
		if (deleted || patch->count == PATCH_MOST || !is_own(at))
			return false;
		patch->nodes[patch->count++] = at;
	}
	return patch->count > 0;
}
