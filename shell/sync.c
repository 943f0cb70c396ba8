/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "shell/sync.h"

#include "shell/session.h"

/* What sync changed, as if it had been typed: created, changed, deleted. */
void sync_note(struct session *session, struct ledger *lines)
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

static struct node *at_path(const struct tree *tree, const char *path)
{
	return path ? tree_walk(tree, tree_root(tree), path, NULL)
		    : tree_root(tree);
}

/* It is not there yet: made below what has to be. */
static int make_branch(struct tree *tree, const struct node *wanted,
		       const struct sync *sync, struct err *err)
{
	AUTO(str) char *above = node_path_dup(node_parent(wanted));
	struct node *parent = at_path(tree, above), *fresh;

	if (!parent)
		return err_set(err, ENOENT,
			       "%s: %s is not there to hold it; restore that "
			       "first, or all of it",
			       sync->path, above);
	fresh = node_create(parent, node_name(wanted), err);
	if (!fresh)
		return err->code;
	node_sync(fresh, wanted, false);
	return 0;
}

int sync_tree(struct tree *tree, const struct sync *sync, struct err *err)
{
	struct node *to = at_path(tree, sync->path);
	const struct node *wanted = at_path(sync->wanted, sync->path);

	if (!to && !wanted)
		return err_set(err, ENOENT,
			       "%s: there is no such thing, neither here nor "
			       "in the file",
			       sync->path);
	if (!to)
		return make_branch(tree, wanted, sync, err);
	if (wanted) {
		node_sync(to, wanted, sync->merge);
		return 0;
	}
	if (sync->merge)
		return 0;
	if (node_is_fixed(to))
		return err_set(err, ENOENT,
			       "%s: the file has nothing that it belongs to",
			       sync->path);
	node_delete(to);
	return 0;
}

int sync_to(struct session *session, const struct sync *sync, struct err *err)
{
	AUTO(str) char *path = session_path(session);
	struct tree *tree = session->place.tree;
	const struct node *top = at_path(tree, sync->path);
	int rc;

	session->place.here = tree_root(tree); /* what is here may go */
	if (!sync->merge && top)
		note_deletions(session, top, sync->wanted);
	rc = sync_tree(tree, sync, err);
	sync_note(session, sync->lines);
	session->summing = true;
	session->place.here = at_path(tree, path);
	if (!session->place.here)
		session->place.here = tree_root(tree);
	return rc;
}
