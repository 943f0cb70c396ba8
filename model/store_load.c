/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Rows to a tree, in two ordered scans. Numbers only grow and a parent is older
 * than its children, so rows in the order of their numbers come parents first
 * and siblings in the order they were made; and the settings, in the same
 * order, are merged in with one finger on each list.
 */
#include "model/store_private.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "model/shaping.h"

struct row {
	uint64_t id;
	struct node *node;
};

struct loader {
	struct database *db;
	struct tree *tree;
	struct row *rows; /* owned, by id */
	size_t count, room;
};

/* For rows that no Tresse has written. */
static int refuse(const struct loader *loader, struct err *err)
{
	err_prefix(err, "%s: ", loader->db->name);
	err_append(err, ". The store is damaged or was edited by hand: put a "
			"copy of it back, or name another with --store FILE");
	if (err)
		err->code = -EBADMSG;
	return -EBADMSG;
}

static struct node *by_id(const struct loader *loader, uint64_t id)
{
	size_t low = 0, high = loader->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (loader->rows[middle].id < id)
			low = middle + 1;
		else
			high = middle;
	}
	return low < loader->count && loader->rows[low].id == id
		       ? loader->rows[low].node
		       : NULL;
}

/* Where among owner's places objects of this kind are: owner itself, or one of
 * the nodes that came with it. */
static struct node *place_of(struct node *owner, const struct kind *kind)
{
	if (node_kind(owner)->child == kind)
		return owner;
	node_each (child, owner) {
		struct node *found;

		if (!node_is_fixed(child))
			break;
		found = place_of(child, kind);
		if (found)
			return found;
	}
	return NULL;
}

static struct node *no_place(const struct node *owner, const char *kind_name,
			     struct err *err)
{
	AUTO(str) char *path = node_path_dup(owner);

	if (kind_find(kind_name))
		err_set(err, EBADMSG, "%s cannot hold a %s", path, kind_name);
	else
		err_set(err, EBADMSG, "%s: there is no kind of object `%s`",
			path, kind_name);
	return NULL;
}

static struct node *make(struct node *owner, const char *kind_name,
			 const char *name, struct err *err)
{
	const struct kind *kind = kind_find(kind_name);
	struct node *place, *fixed;

	if (!kind)
		return no_place(owner, kind_name, err);
	fixed = kind->fixed_name ? node_fixed(owner, kind) : NULL;
	if (fixed && !strcmp(name, node_name(fixed)) && !node_id(fixed))
		return fixed;
	place = kind->fixed_name ? NULL : place_of(owner, kind);
	return place ? node_create(place, name, err)
		     : no_place(owner, kind_name, err);
}

static int load_node(struct loader *loader, sqlite3_stmt *at, struct err *err)
{
	uint64_t id = (uint64_t)sqlite3_column_int64(at, 0);
	struct node *owner = tree_root(loader->tree), *node;

	if (sqlite3_column_type(at, 1) != SQLITE_NULL)
		owner = by_id(loader, (uint64_t)sqlite3_column_int64(at, 1));
	if (!owner) {
		err_set(err, EBADMSG, "node %llu has no parent",
			(unsigned long long)id);
		return refuse(loader, err);
	}
	node = make(owner, db_text(at, 2), db_text(at, 3), err);
	if (!node) {
		err_prefix(err, "node %llu, %s: ", (unsigned long long)id,
			   db_text(at, 3));
		return refuse(loader, err);
	}
	node_set_id(node, id);
	loader->rows = mem_grow(loader->rows, loader->count, &loader->room,
				sizeof(*loader->rows));
	loader->rows[loader->count++] = (struct row){ id, node };
	return 0;
}

static int load_nodes(struct loader *loader, struct err *err)
{
	sqlite3_stmt *at;
	int rc = db_sql(loader->db, SQL_NODES, &at, err);

	while (rc >= 0 && (rc = db_step(loader->db, at, err)) > 0)
		rc = load_node(loader, at, err);
	return rc;
}

/* What the running system tells is not kept; of secrets there is a digest. */
static const struct attr *stored_attr(const struct node *node, const char *name,
				      struct err *err)
{
	const struct attr *attr = kind_attr(node_kind(node), name);

	if (attr && !(attr->flags & ATTR_READONLY))
		return attr;
	err_set(err, EBADMSG, "a %s has no setting `%s` to be stored",
		node_kind(node)->name, name);
	return NULL;
}

static int set_value(struct node *node, sqlite3_stmt *at, struct err *err)
{
	const char *name = db_text(at, 1), *text = db_text(at, 2);
	const struct attr *attr = stored_attr(node, name, err);
	struct value value = { 0 };

	if (!attr)
		return -EBADMSG;
	if (strlen(text) != (size_t)sqlite3_column_bytes(at, 2))
		return err_set(err, EBADMSG, "%s: a zero byte in its text",
			       name);
	if (value_parse(attr, text, &value, err) < 0) {
		err_prefix(err, "%s: ", name);
		return -EBADMSG;
	}
	node_set(node, kind_index(node_kind(node), attr), &value,
		 sqlite3_column_int(at, 3) ? ORIGIN_CHOSEN : ORIGIN_GIVEN);
	return 0;
}

static int load_setting(struct loader *loader, struct node *node,
			sqlite3_stmt *at, struct err *err)
{
	AUTO(str) char *path = NULL;

	if (set_value(node, at, err) == 0)
		return 0;
	path = node_path_dup(node);
	err_prefix(err, "%s: ", path);
	return refuse(loader, err);
}

static int load_settings(struct loader *loader, struct err *err)
{
	sqlite3_stmt *at;
	size_t row = 0;
	int rc = db_sql(loader->db, SQL_SETTINGS, &at, err);

	while (rc >= 0 && (rc = db_step(loader->db, at, err)) > 0) {
		uint64_t id = (uint64_t)sqlite3_column_int64(at, 0);

		while (row < loader->count && loader->rows[row].id < id)
			row++;
		if (row == loader->count || loader->rows[row].id != id) {
			err_set(err, EBADMSG,
				"setting `%s` of node %llu, "
				"which is not there",
				db_text(at, 1), (unsigned long long)id);
			return refuse(loader, err);
		}
		rc = load_setting(loader, loader->rows[row].node, at, err);
	}
	return rc;
}

int db_load_tree(struct database *db, struct tree **tree, struct err *err)
{
	AUTO(tree) struct tree *fresh = tree_new();
	struct loader loader = { .db = db, .tree = fresh };
	int rc = db_begin(db, SQL_BEGIN_READ, err);

	if (rc < 0)
		return rc;
	tree_set_stored(fresh, true);
	rc = load_nodes(&loader, err);
	if (rc == 0)
		rc = load_settings(&loader, err);
	rc = db_end(db, rc, err);
	free(loader.rows);
	if (rc < 0)
		return rc;
	tree_set_stored(fresh, false);
	*tree = TAKE(fresh);
	return 0;
}

/* --- a part of it --------------------------------------------------------- */

/* Numbers of the nodes that it takes, and those that have to be looked at. */
struct part {
	struct database *db;
	uint64_t *ids; /* owned */
	size_t count, room;
};

static bool part_has(const struct part *part, uint64_t id)
{
	for (size_t i = 0; i < part->count; i++)
		if (part->ids[i] == id)
			return true;
	return false;
}

static void part_add(struct part *part, uint64_t id)
{
	if (!id || part_has(part, id))
		return;
	part->ids = mem_grow(part->ids, part->count, &part->room,
			     sizeof(*part->ids));
	part->ids[part->count++] = id;
}

/* 0 in *id: there is none. */
static int find_id(struct database *db, enum sql sql, uint64_t parent,
		   const char *kind, const char *name, uint64_t *id,
		   struct err *err)
{
	sqlite3_stmt *at;
	int column = 1, rc = db_sql(db, sql, &at, err);

	*id = 0;
	if (rc < 0)
		return rc;
	if (parent)
		db_bind_int(at, column++, (int64_t)parent);
	db_bind_text(at, column++, kind);
	if (name)
		db_bind_text(at, column, name);
	rc = db_step(db, at, err);
	if (rc > 0)
		*id = (uint64_t)sqlite3_column_int64(at, 0);
	sqlite3_reset(at);
	return rc < 0 ? rc : 0;
}

/* "/classes/uplink/a/b": 0 in *id where it names no class, or one that has
 * others below it. */
static int find_leaf(struct database *db, const char *path, uint64_t *id,
		     struct err *err)
{
	AUTO(str) char *names = mem_strdup(path);
	char *rest = NULL, *name = strtok_r(names, "/", &rest);
	uint64_t above = 0, below = 0;
	int rc = 0;

	*id = 0;
	if (!name || strcmp(name, kind_classes.fixed_name) != 0)
		return 0;
	while (rc == 0 && (name = strtok_r(NULL, "/", &rest))) {
		rc = find_id(db, above ? SQL_NODE_BELOW : SQL_NODE_TOP, above,
			     above ? kind_class.name : kind_uplink.name, name,
			     &below, err);
		*id = above ? below : 0; /* an uplink is no class */
		above = below;
		if (!below)
			return rc;
	}
	if (rc == 0 && *id)
		rc = find_id(db, SQL_NODE_HAS, *id, kind_class.name, NULL,
			     &below, err);
	if (below)
		*id = 0;
	return rc;
}

/* What a node hangs on, and what it refers to. */
static int add_stands_on(struct part *part, uint64_t id, struct err *err)
{
	sqlite3_stmt *at;
	int rc = db_sql(part->db, SQL_NODE, &at, err);

	if (rc < 0)
		return rc;
	db_bind_int(at, 1, (int64_t)id);
	rc = db_step(part->db, at, err);
	if (rc > 0)
		part_add(part, (uint64_t)sqlite3_column_int64(at, 1));
	sqlite3_reset(at);
	if (rc >= 0)
		rc = db_sql(part->db, SQL_REFS_OF, &at, err);
	if (rc < 0)
		return rc;
	db_bind_int(at, 1, (int64_t)id);
	while ((rc = db_step(part->db, at, err)) > 0)
		part_add(part, (uint64_t)sqlite3_column_int64(at, 0));
	return rc;
}

static int by_number(const void *left, const void *right)
{
	uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;

	return a < b ? -1 : a > b;
}

/* The list grows while it is gone through. */
static int complete(struct part *part, struct err *err)
{
	uint64_t machine;
	int rc = find_id(part->db, SQL_NODE_TOP, 0, kind_system.name,
			 kind_system.fixed_name, &machine, err);

	part_add(part, machine);
	for (size_t i = 0; i < part->count && rc == 0; i++)
		rc = add_stands_on(part, part->ids[i], err);
	if (part->count)
		qsort(part->ids, part->count, sizeof(*part->ids), by_number);
	return rc;
}

static int load_settings_of(struct loader *loader, uint64_t id, struct err *err)
{
	sqlite3_stmt *at;
	int rc = db_sql(loader->db, SQL_SETTINGS_OF, &at, err);

	if (rc < 0)
		return rc;
	db_bind_int(at, 1, (int64_t)id);
	while (rc >= 0 && (rc = db_step(loader->db, at, err)) > 0)
		rc = load_setting(loader, by_id(loader, id), at, err);
	return rc;
}

static int load_one(struct loader *loader, uint64_t id, struct err *err)
{
	sqlite3_stmt *at;
	int rc = db_sql(loader->db, SQL_NODE, &at, err);

	if (rc < 0)
		return rc;
	db_bind_int(at, 1, (int64_t)id);
	rc = db_step(loader->db, at, err);
	if (rc > 0)
		rc = load_node(loader, at, err);
	sqlite3_reset(at);
	return rc < 0 ? rc : load_settings_of(loader, id, err);
}

/* The sums of all classes below a node, without those that were read: what is
 * below them has its rest already. 0 in *known: they say nothing. */
static int load_rest(struct database *db, struct node *node, bool *known,
		     struct err *err)
{
	struct sums *rest = mem_alloc(sizeof(*rest));
	int rc;

	*rest = SUMS_NONE;
	rc = db_load_sums(db, node_id(node), rest, err);
	*known = rc == 0 && rest->count;
	node_each (child, node)
		if (*known && node_kind(child) == &kind_class)
			*known = sums_without(rest, child);
	node_set_rest(node, rest);
	return rc;
}

static void forget_rests(const struct loader *loader)
{
	for (size_t i = 0; i < loader->count; i++)
		node_set_rest(loader->rows[i].node, NULL);
}

/* From the bottom up; of all, or of none. */
static int load_rests(struct loader *loader, struct err *err)
{
	bool known = true;
	int rc = 0;

	for (size_t i = loader->count; i > 0 && rc == 0 && known; i--) {
		struct node *node = loader->rows[i - 1].node;

		if (node_kind(node)->child == &kind_class &&
		    !class_is_leaf(node))
			rc = load_rest(loader->db, node, &known, err);
	}
	if (!known)
		forget_rests(loader);
	return rc;
}

static int load_leaf(struct loader *loader, const char *path, struct err *err)
{
	struct part part = { .db = loader->db };
	uint64_t id;
	int rc = find_leaf(loader->db, path, &id, err);

	if (rc == 0 && id) {
		part_add(&part, id);
		rc = complete(&part, err);
	}
	for (size_t i = 0; i < part.count && rc == 0; i++)
		rc = load_one(loader, part.ids[i], err);
	free(part.ids);
	return rc < 0 ? rc : load_rests(loader, err);
}

static int load_tops(struct loader *loader, const char *path, struct err *err)
{
	sqlite3_stmt *at;
	int rc = db_sql(loader->db, SQL_NODES_TOP, &at, err);

	(void)path;
	while (rc >= 0 && (rc = db_step(loader->db, at, err)) > 0)
		rc = load_node(loader, at, err);
	for (size_t i = 0; i < loader->count && rc == 0; i++)
		rc = load_settings_of(loader, loader->rows[i].id, err);
	return rc;
}

/* What reads a part of the store, and what it is to be led to. */
struct part_load {
	struct loader loader;
	int (*load)(struct loader *loader, const char *path, struct err *err);
	const char *path;
};

static int read_part(struct database *db, void *into, struct err *err)
{
	struct part_load *part = into;

	part->loader.db = db;
	return part->load(&part->loader, part->path, err);
}

/* NULL in *tree if no row is taken. */
static int load_part(struct store *store,
		     int (*load)(struct loader *loader, const char *path,
				 struct err *err),
		     const char *path, struct tree **tree, struct err *err)
{
	AUTO(tree) struct tree *fresh = tree_new();
	struct part_load part = { .loader = { .tree = fresh },
				  .load = load,
				  .path = path };
	int rc;

	*tree = NULL;
	tree_set_stored(fresh, true);
	rc = store_see(store, read_part, &part, err);
	free(part.loader.rows);
	if (rc < 0 || !part.loader.count)
		return rc;
	tree_set_stored(fresh, false);
	tree_set_part(fresh);
	*tree = TAKE(fresh);
	return 0;
}

int store_load_part(struct store *store, const char *path, struct tree **tree,
		    struct err *err)
{
	return load_part(store, load_leaf, path, tree, err);
}

int store_load_tops(struct store *store, struct tree **tree, struct err *err)
{
	int rc = load_part(store, load_tops, NULL, tree, err);

	if (rc == 0 && !*tree)
		*tree = tree_new();
	return rc;
}

/* --- all of it ------------------------------------------------------------ */

int store_load(struct store *store, struct tree **tree, struct err *err)
{
	int rc = store_reach(store, err);

	if (rc < 0)
		return rc;
	if (store->db.db)
		return db_load_tree(&store->db, tree, err);
	*tree = tree_new();
	tree_clean(*tree);
	return 0;
}
