/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "model/drift.h"

#include "model/node.h"

const struct choice drift_choices[] = {
	[DRIFT_REPORT] = { "report", "tell it, and leave it" },
	[DRIFT_REPAIR] = { "repair", "put it back to what the store says" },
	[DRIFT_ADOPT] = { "adopt", "take it over into the store" },
	[DRIFT_IGNORE] = { "ignore", "say nothing of it" },
	{ NULL, NULL }
};

const char *drift_name(enum drift_policy policy)
{
	return drift_choices[policy].name;
}

enum drift_policy drift_policy(const struct tree *tree, const char *path)
{
	const struct node *node =
		path[0] ? tree_walk(tree, tree_root(tree), path, NULL) : NULL;

	for (; node; node = node_parent(node)) {
		const struct kind *kind = node_kind(node);
		const struct attr *attr = kind_attr(kind, "drift");

		if (attr && node_has(node, kind_index(kind, attr)))
			return (enum drift_policy)node_u(
				node, kind_index(kind, attr));
	}
	return (enum drift_policy)node_u(tree_system(tree), SYSTEM_DRIFT);
}
