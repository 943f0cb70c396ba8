/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "shell/users.h"

#include "model/node.h"

static bool is_within(const struct node *at, const struct node *branch)
{
	while (at && at != branch)
		at = node_parent(at);
	return at != NULL;
}

void users_each(const struct node *branch,
		void (*each)(const struct node *user, size_t attr, void *arg),
		void *arg)
{
	const struct node *root = tree_root(node_tree(branch));

	for (const struct node *at = root; at; at = node_walk(root, at)) {
		const struct kind *kind = node_kind(at);

		for (size_t i = 0; i < kind->attr_count; i++) {
			const struct node *target =
				kind->attrs[i].refers ? node_target(at, i, NULL)
						      : NULL;

			if (target && is_within(target, branch) &&
			    !is_within(at, branch))
				each(at, i, arg);
		}
	}
}
