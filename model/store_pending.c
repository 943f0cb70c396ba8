/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Candidates that wait for their commit. */
#include "model/store_private.h"

void pending_clear(struct pending *pending)
{
	free(pending->owner);
	free(pending->holder);
	free(pending->text);
	*pending = (struct pending){ 0 };
}

void pendings_free(struct pending *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		pending_clear(&list[i]);
	free(list);
}

static int put(struct database *db, struct pending *pending, struct err *err)
{
	sqlite3_stmt *at;
	int rc = db_sql(db, pending->id ? SQL_PENDING_CHANGE : SQL_PENDING_ADD,
			&at, err);

	if (rc < 0)
		return rc;
	pending->at_us = db_now_us();
	if (pending->id)
		db_bind_int(at, 1, (int64_t)pending->id);
	db_bind_text(at, 2, pending->owner);
	db_bind_text(at, 3, pending->holder);
	db_bind_int(at, 4, (int64_t)pending->base);
	db_bind_int(at, 5, pending->at_us);
	db_bind_text(at, 6, pending->text);
	rc = db_run(db, at, err);
	if (rc == 0 && pending->id && !sqlite3_changes(db->db))
		return err_set(err, ENOENT,
			       "%s: this candidate was discarded by somebody "
			       "else; saveconfig keeps it, discard leaves it",
			       db->name);
	return rc;
}

int store_pending_put(struct store *store, struct pending *pending,
		      struct err *err)
{
	int rc = db_begin(&store->db, SQL_BEGIN_WRITE, err);
	uint64_t id = 0;

	if (rc < 0)
		return rc;
	rc = put(&store->db, pending, err);
	if (rc == 0)
		id = (uint64_t)sqlite3_last_insert_rowid(store->db.db);
	rc = db_end(&store->db, rc, err);
	if (rc == 0 && !pending->id)
		pending->id = id;
	return rc;
}

int store_pending_drop(struct store *store, uint64_t id, struct err *err)
{
	sqlite3_stmt *at;
	int rc = db_begin(&store->db, SQL_BEGIN_WRITE, err);

	if (rc < 0)
		return rc;
	rc = db_sql(&store->db, SQL_PENDING_DELETE, &at, err);
	if (rc == 0) {
		db_bind_int(at, 1, (int64_t)id);
		rc = db_run(&store->db, at, err);
	}
	return db_end(&store->db, rc, err);
}

struct pile {
	struct pending *items;
	size_t count, room;
};

static int see(struct database *db, void *into, struct err *err)
{
	struct pile *pile = into;
	sqlite3_stmt *at;
	int rc = db_sql(db, SQL_PENDINGS, &at, err);

	while (rc >= 0 && (rc = db_step(db, at, err)) > 0) {
		pile->items = mem_grow(pile->items, pile->count, &pile->room,
				       sizeof(*pile->items));
		pile->items[pile->count++] = (struct pending){
			.id = (uint64_t)sqlite3_column_int64(at, 0),
			.owner = mem_strdup(db_text(at, 1)),
			.holder = mem_strdup(db_text(at, 2)),
			.base = (uint64_t)sqlite3_column_int64(at, 3),
			.at_us = sqlite3_column_int64(at, 4),
			.text = mem_strdup(db_text(at, 5)),
		};
	}
	return rc;
}

int store_pendings(struct store *store, struct pending **list, size_t *count,
		   struct err *err)
{
	struct pile pile = { 0 };
	int rc = store_see(store, see, &pile, err);

	*list = pile.items;
	*count = pile.count;
	return rc;
}
