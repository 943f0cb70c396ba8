/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "model/store_private.h"

#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

static const char *const sql_texts[SQL_COUNT] = {
	[SQL_VERSION] = "PRAGMA user_version",
	[SQL_BEGIN_READ] = "BEGIN",
	/* A writer that begins by reading may find that it cannot go on, and
	 * SQLite does not wait then. */
	[SQL_BEGIN_WRITE] = "BEGIN IMMEDIATE",
	[SQL_COMMIT] = "COMMIT",
	[SQL_ROLLBACK] = "ROLLBACK",
	[SQL_REVISION] = "SELECT max(number) FROM revision",
	[SQL_REVISION_LAST] = "SELECT number, at_us, actor FROM revision"
			      " ORDER BY number DESC LIMIT 1",
	[SQL_REVISION_ADD] =
		"INSERT INTO revision(number, parent, at_us, actor,"
		" reason, schema, changes, changeset, restores)"
		" VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
	[SQL_HISTORY] =
		"SELECT number, at_us, actor, reason, changes, restores,"
		" confirmed FROM revision WHERE number < ?1"
		" ORDER BY number DESC LIMIT ?2",
	[SQL_CHANGESETS] = "SELECT number, changeset, schema FROM revision"
			   " WHERE number > ?1 ORDER BY number DESC",
	[SQL_NODES] = "SELECT id, parent, kind, name FROM node ORDER BY id",
	[SQL_NODE] = "SELECT id, parent, kind, name FROM node WHERE id = ?1",
	[SQL_NODE_TOP] = "SELECT id FROM node"
			 " WHERE parent IS NULL AND kind = ?1 AND name = ?2",
	[SQL_NODES_TOP] = "SELECT id, parent, kind, name FROM node"
			  " WHERE parent IS NULL ORDER BY id",
	[SQL_NODE_BELOW] = "SELECT id FROM node"
			   " WHERE parent = ?1 AND kind = ?2 AND name = ?3",
	[SQL_NODE_HAS] = "SELECT id FROM node WHERE parent = ?1 AND kind = ?2"
			 " LIMIT 1",
	[SQL_NODE_ADD] = "INSERT INTO node(parent, kind, name)"
			 " VALUES(?1, ?2, ?3)",
	[SQL_NODE_DELETE] = "DELETE FROM node WHERE id = ?1",
	[SQL_SETTINGS] = "SELECT node, name, value, chosen FROM setting"
			 " ORDER BY node, name",
	[SQL_SETTINGS_OF] = "SELECT node, name, value, chosen FROM setting"
			    " WHERE node = ?1 ORDER BY name",
	[SQL_SETTING_ADD] = "INSERT INTO setting(node, name, value, chosen)"
			    " VALUES(?1, ?2, ?3, ?4)",
	[SQL_SETTING_CHANGE] = "UPDATE setting SET value = ?3, chosen = ?4"
			       " WHERE node = ?1 AND name = ?2",
	[SQL_SETTING_DELETE] = "DELETE FROM setting"
			       " WHERE node = ?1 AND name = ?2",
	[SQL_REFS_OF] = "SELECT target FROM ref WHERE node = ?1",
	[SQL_REF_PUT] = "INSERT INTO ref(node, name, target) VALUES(?1, ?2, ?3)"
			" ON CONFLICT DO UPDATE SET target = excluded.target"
			" WHERE target <> excluded.target",
	[SQL_REF_DANGLING] = "SELECT node, name FROM ref"
			     " WHERE target NOT IN (SELECT id FROM node)",
	[SQL_SUMS] = "SELECT * FROM sum ORDER BY node, shard",
	[SQL_SUMS_OF] = "SELECT * FROM sum WHERE node = ?1 ORDER BY shard",
	[SQL_SUM_PUT] = "INSERT OR REPLACE INTO sum VALUES(?1, ?2, ?3, ?4, ?5,"
			" ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)",
	[SQL_SUM_DELETE] = "DELETE FROM sum WHERE node = ?1 AND shard = ?2",
	[SQL_SUMS_DROP] = "DELETE FROM sum",
	[SQL_OWNED] = "SELECT backend, key, saved FROM owned"
		      " ORDER BY backend, key",
	[SQL_OWNED_PUT] = "INSERT INTO owned(backend, key, saved)"
			  " VALUES(?1, ?2, ?3)"
			  " ON CONFLICT DO UPDATE SET saved = excluded.saved"
			  " WHERE saved IS NOT excluded.saved",
	[SQL_OWNED_DELETE] = "DELETE FROM owned"
			     " WHERE backend = ?1 AND key = ?2",
	[SQL_ARM] = "INSERT INTO journal(id, at_us, pid, base, steps)"
		    " VALUES(1, ?1, ?2, ?3, ?4)",
	[SQL_ARMED] = "SELECT steps FROM journal",
	[SQL_DISARM] = "DELETE FROM journal",
	[SQL_PENDINGS] = "SELECT id, owner, holder, base, at_us, text"
			 " FROM candidate ORDER BY at_us DESC, id DESC",
	[SQL_PENDING_ADD] = "INSERT INTO candidate(owner, holder, base, at_us,"
			    " text) VALUES(?2, ?3, ?4, ?5, ?6)",
	[SQL_PENDING_CHANGE] =
		"UPDATE candidate SET owner = ?2, holder = ?3,"
		" base = ?4, at_us = ?5, text = ?6 WHERE id = ?1",
	[SQL_PENDING_DELETE] = "DELETE FROM candidate WHERE id = ?1",
	[SQL_TRIAL] = "SELECT restores, revision, actor, boot, deadline_us,"
		      " span_us, until_us, basis, ill FROM trial",
	/* Whoever joins keeps the first restore point. */
	[SQL_TRIAL_PUT] =
		"INSERT INTO trial(id, restores, revision, actor, boot,"
		" deadline_us, span_us, until_us, basis)"
		" VALUES(1, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"
		" ON CONFLICT DO UPDATE SET revision = excluded.revision,"
		" actor = excluded.actor, boot = excluded.boot,"
		" deadline_us = excluded.deadline_us,"
		" span_us = excluded.span_us, until_us = excluded.until_us,"
		" basis = excluded.basis, ill = NULL",
	[SQL_TRIAL_ILL] = "UPDATE trial SET ill = ?2 WHERE revision = ?1"
			  " AND ill IS NOT ?2",
	[SQL_CONFIRMED] = "UPDATE revision SET confirmed = ?1"
			  " WHERE number = (SELECT revision FROM trial)",
	[SQL_TRIAL_DELETE] = "DELETE FROM trial",
	[SQL_BLAME] = "SELECT number, at_us, actor, reason, changes, changeset"
		      " FROM revision ORDER BY number DESC",
	[SQL_SECRET_GET] = "SELECT value FROM secret"
			   " WHERE node = ?1 AND name = ?2",
	[SQL_SECRET_PUT] = "INSERT INTO secret(node, name, value)"
			   " VALUES(?1, ?2, ?3)"
			   " ON CONFLICT DO UPDATE SET value = excluded.value",
	[SQL_SECRET_DELETE] = "DELETE FROM secret"
			      " WHERE node = ?1 AND name = ?2",
	[SQL_SECRET_NAMES] = "SELECT name FROM secret WHERE node = ?1",
	/* A changeset has texts as they are. */
	[SQL_SECRET_NAMED] =
		"SELECT EXISTS(SELECT 1 FROM setting WHERE value = ?1)"
		" OR EXISTS(SELECT 1 FROM candidate"
		"  WHERE instr(text, ?1))"
		" OR EXISTS(SELECT 1 FROM revision"
		"  WHERE instr(changeset, CAST(?1 AS BLOB)))",
};

int64_t db_now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * INT64_C(1000000) + now.tv_nsec / 1000;
}

/* --- sentences ---------------------------------------------------------- */

static int no_space(const struct database *db, struct err *err)
{
	return err_set(err, ENOSPC,
		       "%s: no space left on its disk (or a quota), so nothing "
		       "was changed: free some and try again",
		       db->name);
}

int db_not_allowed(const struct database *db, const char *to, struct err *err)
{
	return err_set(err, EACCES,
		       "no permission to %s %s: run as root, or name another "
		       "store with --store FILE",
		       to, db->name);
}

int db_read_only(const struct database *db, struct err *err)
{
	struct statvfs fs;

	if (!statvfs(db->path, &fs) && fs.f_flag & ST_RDONLY)
		return err_set(
			err, EROFS,
			"%s lies on a read-only file system: remount it, "
			"or name another store with --store FILE",
			db->name);
	return db_not_allowed(db, "write", err);
}

static int half_done(const struct database *db, struct err *err)
{
	return err_set(err, EACCES,
		       "%s: a writer died in the middle of a change, and "
		       "undoing its half needs permission to write: run any "
		       "tresse command as root once",
		       db->name);
}

int db_damaged(const struct database *db, const char *how, struct err *err)
{
	return err_set(err, EBADMSG,
		       "%s is damaged (%s) and was left as it is: put a copy "
		       "of it back, or name another store with --store FILE",
		       db->name, how);
}

int db_newer(const struct database *db, int version, struct err *err)
{
	AUTO(str) char *copy = db_copy_path(db, db->schema->version);
	bool kept = access(copy, F_OK) == 0;

	return err_set(err, ENOTSUP,
		       "%s was written by a newer Tresse (schema %d; this one "
		       "knows %d): upgrade, or use another --store%s%s%s",
		       db->name, version, db->schema->version,
		       kept ? " (as it was before that: " : "",
		       kept ? copy : "", kept ? ")" : "");
}

int db_older(const struct database *db, int version, struct err *err)
{
	return err_set(err, EACCES,
		       "%s was put back by an older Tresse meanwhile (schema "
		       "%d; this one needs %d): try again",
		       db->name, version, db->schema->version);
}

int db_not_ours(const struct database *db, const char *what, struct err *err)
{
	return err_set(err, EMEDIUMTYPE,
		       "%s is %s, not a store of Tresse (or its beginning is "
		       "damaged), and was left as it is: name another with "
		       "--store FILE",
		       db->name, what);
}

/* SQLite takes note of errno everywhere but in COMMIT; the files know then. */
static int system_code(struct database *db)
{
	sqlite3_file *journal = NULL;
	int code = db->db ? sqlite3_system_errno(db->db) : 0;

	if (code || !db->db)
		return code;
	sqlite3_file_control(db->db, "main", SQLITE_FCNTL_LAST_ERRNO, &code);
	if (code)
		return code;
	sqlite3_file_control(db->db, "main", SQLITE_FCNTL_JOURNAL_POINTER,
			     &journal);
	if (journal && journal->pMethods)
		journal->pMethods->xFileControl(journal,
						SQLITE_FCNTL_LAST_ERRNO, &code);
	return code;
}

/* What the system said when SQLite could not open, read or write. */
int db_system_error(struct database *db, const char *doing, struct err *err)
{
	int code = system_code(db);

	switch (code) {
	case ENOSPC:
	case EDQUOT:
	case EFBIG: return no_space(db, err);
	case EACCES:
	case EPERM: return db_not_allowed(db, doing, err);
	case EROFS: return db_read_only(db, err);
	}
	return err_set(err, EIO, "cannot %s %s: %s", doing, db->name,
		       code ? strerror(code) : "the disk or its driver failed");
}

static int error_readonly(struct database *db, int result, struct err *err)
{
	if (result == SQLITE_READONLY_ROLLBACK ||
	    result == SQLITE_READONLY_RECOVERY)
		return half_done(db, err);
	if (result == SQLITE_READONLY_DBMOVED)
		return err_set(err, ESTALE,
			       "%s was moved or replaced while it was in use, "
			       "so nothing was changed: try again",
			       db->name);
	return db_read_only(db, err);
}

int db_error(struct database *db, int result, struct err *err)
{
	const char *said =
		db->db ? sqlite3_errmsg(db->db) : sqlite3_errstr(result);

	switch (result & 0xff) {
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return err_set(err, EBUSY,
			       "%s has been held by another program for %d s "
			       "(a backup? an sqlite3 shell?): end that and "
			       "try again",
			       db->name, DB_BUSY_MS / 1000);
	case SQLITE_READONLY: return error_readonly(db, result, err);
	case SQLITE_FULL: return no_space(db, err);
	case SQLITE_PERM:
	case SQLITE_AUTH: return db_not_allowed(db, "use", err);
	case SQLITE_CANTOPEN: return db_system_error(db, "open", err);
	case SQLITE_IOERR: return db_system_error(db, "read or write", err);
	case SQLITE_NOMEM:
		/* As in mem_alloc(), and as safe: nothing is committed. */
		abort();
	}
	/* Corrupt pages, missing tables, rows that break a constraint. */
	return db_damaged(db, said, err);
}

/* --- statements --------------------------------------------------------- */

int db_sql(struct database *db, enum sql sql, sqlite3_stmt **at,
	   struct err *err)
{
	int result = SQLITE_OK;

	if (db->cache[sql])
		sqlite3_reset(db->cache[sql]);
	else
		result = sqlite3_prepare_v3(db->db, sql_texts[sql], -1,
					    SQLITE_PREPARE_PERSISTENT,
					    &db->cache[sql], NULL);
	*at = db->cache[sql];
	return result == SQLITE_OK ? 0 : db_error(db, result, err);
}

/* Binding to a prepared statement fails for want of memory, or by a bug. */
static void bound(int result)
{
	if (result != SQLITE_OK)
		abort();
}

void db_bind_int(sqlite3_stmt *at, int column, int64_t value)
{
	bound(sqlite3_bind_int64(at, column, value));
}

/* What is bound stays where it is until the statement has run. */
void db_bind_text(sqlite3_stmt *at, int column, const char *text)
{
	bound(sqlite3_bind_text(at, column, text, -1, SQLITE_STATIC));
}

void db_bind_blob(sqlite3_stmt *at, int column, const void *bytes, size_t size)
{
	bound(sqlite3_bind_blob64(at, column, bytes, size, SQLITE_STATIC));
}

int db_step(struct database *db, sqlite3_stmt *at, struct err *err)
{
	int result = sqlite3_step(at), rc;

	if (result == SQLITE_ROW)
		return 1;
	rc = result == SQLITE_DONE ? 0 : db_error(db, result, err);
	sqlite3_reset(at);
	return rc;
}

int db_run(struct database *db, sqlite3_stmt *at, struct err *err)
{
	int rc = db_step(db, at, err);

	sqlite3_reset(at);
	return rc < 0 ? rc : 0;
}

const char *db_text(sqlite3_stmt *at, int column)
{
	const char *text = (const char *)sqlite3_column_text(at, column);

	return text ? text : "";
}

int db_run_sql(struct database *db, enum sql sql, struct err *err)
{
	sqlite3_stmt *at;
	int rc = db_sql(db, sql, &at, err);

	return rc < 0 ? rc : db_run(db, at, err);
}

int db_int(struct database *db, enum sql sql, int64_t *value, struct err *err)
{
	sqlite3_stmt *at;
	int rc = db_sql(db, sql, &at, err);

	if (rc == 0)
		rc = db_step(db, at, err);
	if (rc < 0)
		return rc;
	*value = rc ? sqlite3_column_int64(at, 0) : 0;
	sqlite3_reset(at);
	return 0;
}

int db_revision(struct database *db, uint64_t *revision, struct err *err)
{
	int64_t number;
	int rc = db_int(db, SQL_REVISION, &number, err);

	if (rc == 0)
		*revision = (uint64_t)number;
	return rc;
}

/* --- transactions ------------------------------------------------------- */

/* A statement that is still at a row would keep its lock on the file. */
static void reset_all(struct database *db)
{
	for (int i = 0; i < SQL_COUNT; i++)
		sqlite3_reset(db->cache[i]);
}

int db_is_version(struct database *db, int version, struct err *err)
{
	int64_t found;
	int rc = db_int(db, SQL_VERSION, &found, err);

	if (rc < 0 || found == version)
		return rc;
	if (found > version)
		return db_newer(db, (int)found, err);
	return db_older(db, (int)found, err);
}

int db_begin(struct database *db, enum sql how, struct err *err)
{
	int rc = db_run_sql(db, how, err);

	if (rc < 0)
		return rc;
	/* A newer program may have converted it under a long-lived shell. */
	rc = db_is_version(db, db->schema->version, err);
	return rc < 0 ? db_end(db, rc, err) : 0;
}

int db_end(struct database *db, int rc, struct err *err)
{
	reset_all(db);
	if (rc == 0)
		rc = db_run_sql(db, SQL_COMMIT, err);
	/* After a full disk SQLite has rolled back by itself. */
	if (rc < 0 && !sqlite3_get_autocommit(db->db))
		db_run_sql(db, SQL_ROLLBACK, NULL);
	return rc;
}
