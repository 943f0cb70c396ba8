/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "shell/sync.h"

#include "shell/session.h"

/* What sync changed, as if it had been typed: created, changed, deleted. */
void sync_note(struct session *session, const struct ledger *lines)
{
	const struct node *root = tree_root(session->place.tree);

	for (const struct node *at = root; at; at = node_walk(root, at)) {
		AUTO(str) char *path = NULL;
		enum deed deed =
			node_dirt(at) == DIRT_NEW ? DEED_CREATED : DEED_CHANGED;

		if (node_dirt(at) == DIRT_NONE)
			continue;
		path = node_path_dup(at);
		if (lines && !session->gathering)
			session->line = ledger_line(lines, path);
		session_did(session, deed, at,
			    mem_printf("%s: %s.", path, deed_name(deed)));
	}
	if (!session->gathering)
		session->line = 0;
}

static bool is_in(const struct tree *tree, const struct node *node)
{
	AUTO(str) char *path = node_path_dup(node);

	return tree_walk(tree, tree_root(tree), path, NULL) != NULL;
}

/* What is there and not wanted: the tops of the branches that go. */
static void note_deletions(struct session *session, const struct node *node,
			   const struct tree *wanted)
{
	if (!is_in(wanted, node)) {
		session_did(session, DEED_DELETED, node, NULL);
		return;
	}
	node_each (child, node)
		note_deletions(session, child, wanted);
}

void sync_to(struct session *session, const struct tree *wanted, bool merge,
	     const struct ledger *lines)
{
	AUTO(str) char *path = session_path(session);
	struct tree *tree = session->place.tree;

	session->place.here = tree_root(tree); /* what is here may go */
	if (!merge)
		note_deletions(session, tree_root(tree), wanted);
	tree_sync(tree, wanted, merge);
	sync_note(session, lines);
	session->summing = true;
	session->place.here = tree_walk(tree, tree_root(tree), path, NULL);
	if (!session->place.here)
		session->place.here = tree_root(tree);
}
