/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Who set what: the rows that the changesets of the revisions made or changed.
 */
#include "model/store_private.h"

#include <string.h>

struct walk {
	int (*each)(const struct revision *revision, uint64_t node,
		    const char *setting, void *arg);
	void *arg;
	struct revision revision;
	int stop;
};

/* Keys do not change: of a changed row they are among the old values. */
static int tell_row(struct walk *walk, sqlite3_changeset_iter *at)
{
	sqlite3_value *id = NULL, *name = NULL;
	const char *table;
	bool setting;
	int columns, op, result;

	result = sqlite3changeset_op(at, &table, &columns, &op, NULL);
	if (result != SQLITE_OK || op == SQLITE_DELETE)
		return result;
	setting = !strcmp(table, "setting");
	if (!setting && (strcmp(table, "node") != 0 || op != SQLITE_INSERT))
		return SQLITE_OK;
	result = op == SQLITE_INSERT ? sqlite3changeset_new(at, 0, &id)
				     : sqlite3changeset_old(at, 0, &id);
	if (setting && result == SQLITE_OK)
		result = op == SQLITE_INSERT
				 ? sqlite3changeset_new(at, 1, &name)
				 : sqlite3changeset_old(at, 1, &name);
	if (result != SQLITE_OK || !id || (setting && !name))
		return result;
	walk->stop = walk->each(
		&walk->revision, (uint64_t)sqlite3_value_int64(id),
		setting ? (const char *)sqlite3_value_text(name) : NULL,
		walk->arg);
	return SQLITE_OK;
}

static int tell_changeset(struct walk *walk, const void *bytes, int size)
{
	sqlite3_changeset_iter *at;
	AUTO(mem) void *copy = mem_dup(bytes, (size_t)size);
	int result = sqlite3changeset_start(&at, size, copy), ended;

	if (result != SQLITE_OK)
		return result;
	while (result == SQLITE_OK && !walk->stop &&
	       sqlite3changeset_next(at) == SQLITE_ROW)
		result = tell_row(walk, at);
	ended = sqlite3changeset_finalize(at);
	return result == SQLITE_OK ? ended : result;
}

static int see(struct database *db, void *into, struct err *err)
{
	struct walk *walk = into;
	sqlite3_stmt *at;
	int rc = db_sql(db, SQL_BLAME, &at, err), result = SQLITE_OK;

	while (rc >= 0 && !walk->stop && result == SQLITE_OK &&
	       (rc = db_step(db, at, err)) > 0) {
		AUTO(str) char *actor = mem_strdup(db_text(at, 2));
		AUTO(str) char *reason = mem_strdup(db_text(at, 3));

		walk->revision = (struct revision){
			.number = (uint64_t)sqlite3_column_int64(at, 0),
			.at_us = sqlite3_column_int64(at, 1),
			.actor = actor,
			.reason = *reason ? reason : NULL,
			.changes = (size_t)sqlite3_column_int64(at, 4),
		};
		result = tell_changeset(walk, sqlite3_column_blob(at, 5),
					sqlite3_column_bytes(at, 5));
	}
	if (result != SQLITE_OK)
		return db_error(db, result, err);
	return rc < 0 ? rc : 0;
}

int store_blame(struct store *store,
		int (*each)(const struct revision *revision, uint64_t node,
			    const char *setting, void *arg),
		void *arg, struct err *err)
{
	struct walk walk = { .each = each, .arg = arg };

	return store_see(store, see, &walk, err);
}
