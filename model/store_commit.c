/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What is dirty in a tree, written as one revision.
 *
 * Order does not matter to the foreign keys, which are looked at in the end; it
 * does to names: what goes, goes first, so that its name is free. References
 * come last, when everything has a number.
 */
#include "model/store_private.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

struct writer {
	struct database *db;
	struct tree *tree;
	struct node **fresh; /* owned: given numbers in this transaction */
	size_t fresh_count, fresh_room;
};

/* A fixed node is implied by its parent, but may have settings of its own. */
static bool has_row(const struct node *node)
{
	return !node_is_fixed(node) ||
	       (node_parent(node) && node_kind(node)->attr_count);
}

static bool is_stored(const struct node *node, size_t attr)
{
	enum origin origin = node_origin(node, attr);

	return (origin == ORIGIN_GIVEN || origin == ORIGIN_CHOSEN) &&
	       !(node_kind(node)->attrs[attr].flags & ATTR_READONLY);
}

/* --- nodes -------------------------------------------------------------- */

static int delete_nodes(struct writer *writer, struct err *err)
{
	sqlite3_stmt *at;
	size_t count;
	const uint64_t *ids = tree_deleted(writer->tree, &count);
	int rc = count ? db_sql(writer->db, SQL_NODE_DELETE, &at, err) : 0;

	for (size_t i = 0; i < count && rc == 0; i++) {
		db_bind_int(at, 1, (int64_t)ids[i]);
		rc = db_run(writer->db, at, err);
	}
	return rc;
}

static int add_node(struct writer *writer, struct node *node, struct err *err)
{
	const struct node *owner = node_owner(node);
	sqlite3_stmt *at;
	int rc = db_sql(writer->db, SQL_NODE_ADD, &at, err);

	if (rc < 0)
		return rc;
	sqlite3_clear_bindings(at);
	if (owner)
		db_bind_int(at, 1, (int64_t)node_id(owner));
	db_bind_text(at, 2, node_kind(node)->name);
	db_bind_text(at, 3, node_name(node));
	rc = db_run(writer->db, at, err);
	if (rc < 0)
		return rc;
	node_set_id(node, (uint64_t)sqlite3_last_insert_rowid(writer->db->db));
	writer->fresh = mem_grow(writer->fresh, writer->fresh_count,
				 &writer->fresh_room, sizeof(*writer->fresh));
	writer->fresh[writer->fresh_count++] = node;
	return 0;
}

/* --- settings ----------------------------------------------------------- */

struct old {
	char *name, *value; /* owned */
	bool chosen;
};

struct olds {
	struct old *items; /* owned */
	size_t count, room;
};

static void olds_clear(struct olds *olds)
{
	for (size_t i = 0; i < olds->count; i++) {
		free(olds->items[i].name);
		free(olds->items[i].value);
	}
	free(olds->items);
}

static int read_olds(struct writer *writer, const struct node *node,
		     struct olds *olds, struct err *err)
{
	sqlite3_stmt *at;
	int rc = db_sql(writer->db, SQL_SETTINGS_OF, &at, err);

	if (rc < 0)
		return rc;
	db_bind_int(at, 1, (int64_t)node_id(node));
	while ((rc = db_step(writer->db, at, err)) > 0) {
		olds->items = mem_grow(olds->items, olds->count, &olds->room,
				       sizeof(*olds->items));
		olds->items[olds->count++] =
			(struct old){ mem_strdup(db_text(at, 1)),
				      mem_strdup(db_text(at, 2)),
				      sqlite3_column_int(at, 3) != 0 };
	}
	return rc;
}

static const struct old *find_old(const struct olds *olds, const char *name)
{
	for (size_t i = 0; i < olds->count; i++)
		if (!strcmp(olds->items[i].name, name))
			return &olds->items[i];
	return NULL;
}

static int write_setting(struct writer *writer, const struct node *node,
			 size_t attr, const struct olds *olds, struct err *err)
{
	const char *name = node_kind(node)->attrs[attr].name;
	bool chosen = node_origin(node, attr) == ORIGIN_CHOSEN;
	const struct old *old = find_old(olds, name);
	AUTO_TEXT value = TEXT_NONE;
	sqlite3_stmt *at;
	int rc;

	node_print(node, attr, &value);
	if (old && old->chosen == chosen &&
	    !strcmp(old->value, text_get(&value)))
		return 0;
	rc = db_sql(writer->db, old ? SQL_SETTING_CHANGE : SQL_SETTING_ADD, &at,
		    err);
	if (rc < 0)
		return rc;
	db_bind_int(at, 1, (int64_t)node_id(node));
	db_bind_text(at, 2, name);
	db_bind_text(at, 3, text_get(&value));
	db_bind_int(at, 4, chosen);
	return db_run(writer->db, at, err);
}

static int delete_setting(struct writer *writer, const struct node *node,
			  const char *name, struct err *err)
{
	sqlite3_stmt *at;
	int rc = db_sql(writer->db, SQL_SETTING_DELETE, &at, err);

	if (rc < 0)
		return rc;
	db_bind_int(at, 1, (int64_t)node_id(node));
	db_bind_text(at, 2, name);
	return db_run(writer->db, at, err);
}

static int write_settings(struct writer *writer, const struct node *node,
			  const struct olds *olds, struct err *err)
{
	const struct kind *kind = node_kind(node);
	int rc = 0;

	for (size_t i = 0; i < kind->attr_count && rc == 0; i++)
		if (is_stored(node, i))
			rc = write_setting(writer, node, i, olds, err);
	for (size_t i = 0; i < olds->count && rc == 0; i++) {
		const struct attr *attr = kind_attr(kind, olds->items[i].name);

		if (!attr || !is_stored(node, kind_index(kind, attr)))
			rc = delete_setting(writer, node, olds->items[i].name,
					    err);
	}
	return rc;
}

static bool has_settings(const struct node *node)
{
	for (size_t i = 0; i < node_kind(node)->attr_count; i++)
		if (is_stored(node, i))
			return true;
	return false;
}

static int write_node(struct writer *writer, struct node *node, struct err *err)
{
	__attribute__((cleanup(olds_clear))) struct olds olds = { 0 };
	int rc;

	if (node_id(node))
		rc = read_olds(writer, node, &olds, err);
	else if (node_is_fixed(node) && !has_settings(node))
		return 0;
	else
		rc = add_node(writer, node, err);
	return rc < 0 ? rc : write_settings(writer, node, &olds, err);
}

static int write_nodes(struct writer *writer, struct err *err)
{
	struct node *at = tree_first_dirty(writer->tree);
	int rc = 0;

	for (; at && rc == 0; at = node_next_dirty(at))
		if (has_row(at))
			rc = write_node(writer, at, err);
	return rc;
}

/* --- references --------------------------------------------------------- */

static int dangles(struct writer *writer, const struct node *node,
		   const char *name, struct err *why, struct err *err)
{
	AUTO(str) char *path = NULL;

	if (why->text)
		return err_set(err, ENOENT, "%s", why->text);
	path = node_path_dup(node);
	return err_set(err, ENOENT,
		       "%s: %s refers to something that %s does not have", path,
		       name, writer->db->name);
}

static int write_ref(struct writer *writer, const struct node *node,
		     size_t attr, struct err *err)
{
	AUTO_ERR why = ERR_NONE;
	const char *name = node_kind(node)->attrs[attr].name;
	const struct node *target = node_target(node, attr, &why);
	sqlite3_stmt *at;
	int rc;

	if (!target && !why.code)
		return 0; /* a word stands there in place of a name */
	if (!target || !node_id(target))
		return dangles(writer, node, name, &why, err);
	rc = db_sql(writer->db, SQL_REF_PUT, &at, err);
	if (rc < 0)
		return rc;
	db_bind_int(at, 1, (int64_t)node_id(node));
	db_bind_text(at, 2, name);
	db_bind_int(at, 3, (int64_t)node_id(target));
	return db_run(writer->db, at, err);
}

static int write_refs(struct writer *writer, struct err *err)
{
	struct node *at = tree_first_dirty(writer->tree);
	int rc = 0;

	for (; at && rc == 0; at = node_next_dirty(at)) {
		const struct kind *kind = node_kind(at);

		if (!has_row(at))
			continue;
		for (size_t i = 0; i < kind->attr_count && rc == 0; i++)
			if (kind->attrs[i].type == &type_ref &&
			    is_stored(at, i))
				rc = write_ref(writer, at, i, err);
	}
	return rc;
}

struct loose {
	uint64_t node;
	char *name; /* owned */
};

/*
 * A clean node may refer to one that was deleted and made again under the same
 * name: its setting is the same, the number is not. What has no such successor
 * is refused here, with a sentence, before SQLite refuses it without.
 */
static int mend_ref(struct writer *writer, const struct loose *loose,
		    struct err *err)
{
	const struct node *node = tree_by_id(writer->tree, loose->node);
	const struct attr *attr =
		node ? kind_attr(node_kind(node), loose->name) : NULL;

	if (!attr || attr->type != &type_ref)
		return err_set(err, EBADMSG,
			       "%s: `%s` of node %llu is no reference, but is "
			       "kept as one: put a copy of the store back",
			       writer->db->name, loose->name,
			       (unsigned long long)loose->node);
	return write_ref(writer, node, kind_index(node_kind(node), attr), err);
}

static int mend_refs(struct writer *writer, struct err *err)
{
	struct loose *list = NULL;
	size_t count = 0, room = 0;
	sqlite3_stmt *at;
	int rc = db_sql(writer->db, SQL_REF_DANGLING, &at, err);

	while (rc >= 0 && (rc = db_step(writer->db, at, err)) > 0) {
		list = mem_grow(list, count, &room, sizeof(*list));
		list[count++] =
			(struct loose){ (uint64_t)sqlite3_column_int64(at, 0),
					mem_strdup(db_text(at, 1)) };
	}
	for (size_t i = 0; i < count; i++) {
		if (rc == 0)
			rc = mend_ref(writer, &list[i], err);
		free(list[i].name);
	}
	free(list);
	return rc;
}

/* --- the revision ------------------------------------------------------- */

static int write_tree(struct writer *writer, struct err *err)
{
	size_t gone;
	int rc = delete_nodes(writer, err);

	tree_deleted(writer->tree, &gone);
	if (rc == 0)
		rc = write_nodes(writer, err);
	if (rc == 0)
		rc = write_refs(writer, err);
	if (rc == 0 && gone)
		rc = mend_refs(writer, err);
	if (rc == 0)
		rc = db_write_sums(writer->db, writer->tree, err);
	return rc;
}

struct changeset {
	void *bytes; /* sqlite3_free() */
	int size;
	int changes;
};

static int count_changes(struct changeset *set)
{
	sqlite3_changeset_iter *at;
	int result = sqlite3changeset_start(&at, set->size, set->bytes);

	if (result != SQLITE_OK)
		return result;
	while (sqlite3changeset_next(at) == SQLITE_ROW)
		set->changes++;
	return sqlite3changeset_finalize(at);
}

/* The tree is written while a session looks on; what it saw is the changeset.
 */
static int record_tree(struct writer *writer, struct changeset *set,
		       struct err *err)
{
	static const char *const tables[] = { "ref", "setting", "node" };
	sqlite3_session *session = NULL;
	int result, rc = 0;

	result = sqlite3session_create(writer->db->db, "main", &session);
	for (size_t i = 0; i < ARRAY_SIZE(tables) && result == SQLITE_OK; i++)
		result = sqlite3session_attach(session, tables[i]);
	if (result == SQLITE_OK)
		rc = write_tree(writer, err);
	if (result == SQLITE_OK && rc == 0)
		result = sqlite3session_changeset(session, &set->size,
						  &set->bytes);
	if (result == SQLITE_OK && rc == 0)
		result = count_changes(set);
	if (session)
		sqlite3session_delete(session);
	return result == SQLITE_OK ? rc : db_error(writer->db, result, err);
}

static int add_revision(struct database *db, uint64_t base,
			const struct stamp *stamp, const struct changeset *set,
			struct err *err)
{
	sqlite3_stmt *at;
	int rc = db_sql(db, SQL_REVISION_ADD, &at, err);

	if (rc < 0)
		return rc;
	db_bind_int(at, 1, (int64_t)base + 1);
	db_bind_int(at, 2, (int64_t)base);
	db_bind_int(at, 3, db_now_us());
	db_bind_text(at, 4, stamp->actor);
	db_bind_text(at, 5, stamp->reason);
	db_bind_int(at, 6, db->schema->version);
	db_bind_int(at, 7, set->changes);
	db_bind_blob(at, 8, set->bytes, (size_t)set->size);
	if (stamp->undoes)
		db_bind_int(at, 9, (int64_t)stamp->restores);
	else
		sqlite3_bind_null(at, 9);
	return db_run(db, at, err);
}

static int check_base(struct database *db, uint64_t base, struct err *err)
{
	uint64_t stored;
	int rc = db_revision(db, &stored, err);

	if (rc < 0 || stored == base)
		return rc;
	return err_set(err, ESTALE,
		       "%s: another change came first (it is at revision %llu, "
		       "this change began at %llu), so nothing was changed: "
		       "look at it with `history` and try again",
		       db->name, (unsigned long long)stored,
		       (unsigned long long)base);
}

static int write_all(struct writer *writer, uint64_t base,
		     const struct owned *owned, const struct stamp *stamp,
		     uint64_t *revision, struct err *err)
{
	struct database *db = writer->db;
	struct changeset set = { 0 };
	int rc = check_base(db, base, err);

	*revision = base;
	if (rc == 0 && tree_is_dirty(writer->tree))
		rc = record_tree(writer, &set, err);
	if (rc == 0 && set.changes) {
		rc = add_revision(db, base, stamp, &set, err);
		++*revision;
	}
	sqlite3_free(set.bytes);
	if (rc == 0)
		rc = db_stamp_trial(db, stamp, base, *revision, err);
	if (rc == 0)
		rc = db_keep_owned(db, owned, err);
	if (rc == 0)
		rc = db_run_sql(db, SQL_DISARM, err);
	if (rc == 0 && stamp->confirm_us && set.changes)
		rc = db_reserve(db, set.changes, set.size, err);
	return rc;
}

struct writing {
	struct writer writer;
	bool reserves; /* room for its way back */
	uint64_t reached;
};

static int end_writing(struct writing *writing, int rc, struct err *err)
{
	struct writer *writer = &writing->writer;

	rc = db_end(writer->db, rc, err);
	for (size_t i = 0; i < writer->fresh_count && rc < 0; i++)
		node_set_id(writer->fresh[i], 0);
	free(writer->fresh);
	if (rc == 0)
		tree_clean(writer->tree);
	else if (writing->reserves)
		db_release_unused(writer->db);
	free(writing);
	return rc;
}

struct writing *store_write(struct store *store, struct tree *tree,
			    uint64_t base, const struct owned *owned,
			    const struct stamp *stamp, struct err *err)
{
	struct writing *writing;
	int rc = db_begin(&store->db, SQL_BEGIN_WRITE, err);

	if (rc < 0)
		return NULL;
	writing = mem_alloc(sizeof(*writing));
	*writing =
		(struct writing){ .writer = { .db = &store->db, .tree = tree },
				  .reserves = stamp->confirm_us != 0,
				  .reached = base };
	rc = write_all(&writing->writer, base, owned, stamp, &writing->reached,
		       err);
	if (rc == 0)
		return writing;
	end_writing(writing, rc, err);
	return NULL;
}

int store_keep(struct writing *writing, uint64_t *revision, struct err *err)
{
	uint64_t reached = writing->reached;
	int rc = end_writing(writing, 0, err);

	if (rc == 0)
		*revision = reached;
	return rc;
}

void store_drop(struct writing *writing)
{
	if (writing)
		end_writing(writing, -ECANCELED, NULL);
}

int store_commit(struct store *store, struct tree *tree, uint64_t base,
		 const struct owned *owned, const struct stamp *stamp,
		 uint64_t *revision, struct err *err)
{
	AUTO_ERR why = ERR_NONE;
	struct writing *writing =
		store_write(store, tree, base, owned, stamp, &why);

	return writing ? store_keep(writing, revision, err)
		       : err_move(err, &why);
}
