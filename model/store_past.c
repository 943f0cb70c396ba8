/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The tree as an earlier revision left it: a copy of the database in memory,
 * with the changesets since then taken back one by one, newest first. The file
 * itself is only read.
 */
#include "model/store_private.h"

#include <stdbool.h>

/* An inverse always fits the state that its changeset left. */
static int refuse_conflict(void *arg, int why, sqlite3_changeset_iter *at)
{
	(void)arg, (void)why, (void)at;
	return SQLITE_CHANGESET_ABORT;
}

static int take_back(struct database *past, const void *changeset, int size,
		     struct err *err)
{
	void *inverse = NULL;
	int inverse_size = 0;
	int result = sqlite3changeset_invert(size, changeset, &inverse_size,
					     &inverse);

	if (result == SQLITE_OK)
		result = sqlite3changeset_apply(past->db, inverse_size, inverse,
						NULL, refuse_conflict, NULL);
	sqlite3_free(inverse);
	return result == SQLITE_OK ? 0 : db_error(past, result, err);
}

/* Changesets of the revisions after `revision`, newest first, read from the
 * file while the copy is changed. */
static int take_back_all(struct database *file, struct database *past,
			 uint64_t revision, struct err *err)
{
	sqlite3_stmt *at;
	int rc = db_sql(file, SQL_CHANGESETS, &at, err);

	if (rc < 0)
		return rc;
	db_bind_int(at, 1, (int64_t)revision);
	while (rc >= 0 && (rc = db_step(file, at, err)) > 0) {
		int schema = sqlite3_column_int(at, 2);

		if (schema > file->schema->version ||
		    schema < file->schema->tree_since)
			rc = err_set(err, EOPNOTSUPP,
				     "revision %lld was written with schema "
				     "%d and cannot be taken back by this "
				     "program",
				     (long long)sqlite3_column_int64(at, 0),
				     schema);
		else
			rc = take_back(past, sqlite3_column_blob(at, 1),
				       sqlite3_column_bytes(at, 1), err);
	}
	sqlite3_reset(at);
	return rc;
}

static int no_such(struct store *store, uint64_t revision, uint64_t newest,
		   struct err *err)
{
	return err_set(err, ENOENT,
		       "%s: there is no revision %llu; the newest is %llu",
		       store_file(store), (unsigned long long)revision,
		       (unsigned long long)newest);
}

int store_load_at(struct store *store, uint64_t revision, struct tree **tree,
		  struct err *err)
{
	struct database past = { .name = "a copy in memory",
				 .schema = store->schema };
	uint64_t newest = 0;
	int rc = store_revision(store, &newest, err);

	if (rc < 0)
		return rc;
	if (revision > newest)
		return no_such(store, revision, newest, err);
	if (revision == newest)
		return store_load(store, tree, err);
	rc = db_begin(&store->db, SQL_BEGIN_READ, err);
	if (rc < 0)
		return rc;
	rc = db_copy(&store->db, &past, err);
	if (rc == 0)
		rc = take_back_all(&store->db, &past, revision, err);
	rc = db_end(&store->db, rc, err);
	if (rc == 0)
		rc = db_load_tree(&past, tree, err);
	db_close(&past);
	return rc;
}
