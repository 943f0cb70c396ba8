/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * store_private.h - what the files of the store share, and its tests.
 *
 *     store.c         open, revisions, what is ours, the journal, history
 *     store_load.c    rows -> tree
 *     store_past.c    the tree of an earlier revision
 *     store_commit.c  dirty nodes -> rows, as one revision
 *     store_sums.c    what classes have together
 *     store_lock.c    one writer at a time
 *     store_pending.c   candidates that wait for their commit
 *     store_trial.c   a commit that waits for its confirmation
 *     store_reserve.c ...and the room on the disk for its way back
 *     store_seal.c    what all came down to when it was as it should be
 *     store_blame.c   who set what
 *     store_secret.c  keys, in their own file
 *     store_schema.c  the tables, and how to get from one schema to the next
 *     store_open.c    opening a database with care
 *     store_db.c      statements, transactions, and a sentence for everything
 *                     that can go wrong
 *
 * A database is opened, and each of its transactions lives, within one call of
 * store.h: nobody keeps others waiting by printing into a pager.
 */
#ifndef MODEL_STORE_PRIVATE_H
#define MODEL_STORE_PRIVATE_H

#include <sqlite3.h>
#include <stdbool.h>
#include <sys/types.h>

#include "model/store.h"
#include "model/sums.h"

/* Others get this long to end their transaction. */
#define DB_BUSY_MS 5000

/* A kind of file: whose it is, and the way from an empty one to today's. */
struct schema {
	uint32_t application_id;
	mode_t mode;
	/* steps[n] leads from schema n to n + 1. SQL that never changes once
	 * released, and that ends by setting user_version. */
	const char *const *steps;
	int version; /* number of steps */
	/* Changesets written since this one fit today's tables of the tree. */
	int tree_since;
};
extern const struct schema store_schema, secrets_schema;

/* Every statement there is; its text stands in store_db.c. */
enum sql {
	SQL_VERSION,
	SQL_BEGIN_READ,
	SQL_BEGIN_WRITE,
	SQL_COMMIT,
	SQL_ROLLBACK,
	SQL_REVISION,
	SQL_REVISION_LAST,
	SQL_REVISION_ADD,
	SQL_HISTORY,
	SQL_CHANGESETS,
	SQL_NODES,
	SQL_NODE,
	SQL_NODE_TOP,
	SQL_NODES_TOP,
	SQL_NODE_BELOW,
	SQL_NODE_HAS,
	SQL_NODE_ADD,
	SQL_NODE_DELETE,
	SQL_SETTINGS,
	SQL_SETTINGS_OF,
	SQL_SETTING_ADD,
	SQL_SETTING_CHANGE,
	SQL_SETTING_DELETE,
	SQL_REFS_OF,
	SQL_REF_PUT,
	SQL_REF_DANGLING,
	SQL_SUMS,
	SQL_SUMS_OF,
	SQL_SUM_PUT,
	SQL_SUM_DELETE,
	SQL_SUMS_DROP,
	SQL_OWNED,
	SQL_OWNED_PUT,
	SQL_OWNED_DELETE,
	SQL_ARM,
	SQL_ARMED,
	SQL_DISARM,
	SQL_PENDINGS,
	SQL_PENDING_ADD,
	SQL_PENDING_CHANGE,
	SQL_PENDING_DELETE,
	SQL_TRIAL,
	SQL_TRIAL_PUT,
	SQL_TRIAL_ILL,
	SQL_CONFIRMED,
	SQL_TRIAL_DELETE,
	SQL_BLAME,
	SQL_SECRET_GET,
	SQL_SECRET_PUT,
	SQL_SECRET_DELETE,
	SQL_SECRET_NAMES,
	SQL_SECRET_NAMED,
	SQL_COUNT
};

struct database {
	sqlite3 *db;	  /* NULL: there is no such file (yet) */
	const char *name; /* for messages; borrowed */
	const char *path; /* absolute, no symbolic link in it; borrowed */
	const struct schema *schema;
	sqlite3_stmt *cache[SQL_COUNT]; /* prepared when first used */
	/* For a reader, if an older program wrote it: the file. db is a copy of
	 * it in memory then, as today's, of the state called seen. */
	sqlite3 *older;
	int64_t seen;
};

struct store {
	char *file; /* as the operator calls it */
	char *path; /* absolute, without symbolic links; NULL: not there yet */
	enum store_mode mode;
	const struct schema *schema;
	struct database db;
	int lock;	/* descriptor; -1 while not held */
	bool converted; /* by opening it */
};

/* store_open() for another schema: tests have older and newer ones. */
struct store *store_open_schema(const char *file, enum store_mode mode,
				const struct schema *schema, struct err *err);
/* A reader may have come before the first writer: looks again. store->db.db is
 * NULL afterwards if there is still nothing. */
int store_reach(struct store *store, struct err *err);

/* Opens what is at db->path. A missing, empty or half-made file leaves db->db
 * NULL for a reader, which is no error; what is of an older schema a reader has
 * as if it were converted. A writer gets it created and converted, and has to
 * hold the lock if db_is_current() says no. */
int db_open(struct database *db, enum store_mode mode, struct err *err);
int db_is_current(struct database *db, bool *current, struct err *err);
/* After a copy was made of what is there: all the way, or not at all. */
int db_convert(struct database *db, struct err *err);
/* The same without a copy, wherever the database is. */
int db_climb(struct database *db, struct err *err);
/* What a reader has open: it is not the file (any more), or a copy of what was
 * there before. */
bool db_is_stale(const struct database *db);
/* Opens the file at to->path, which is there and empty, or memory if that is
 * NULL, and fills it with all that is in from. */
int db_copy(struct database *from, struct database *to, struct err *err);
void db_close(struct database *db);
/* FILE-vN, the caller's: the way back to the program that wrote schema N. */
char *db_copy_path(const struct database *db, int version);

/* A statement that is ready to be bound. It belongs to the database. */
int db_sql(struct database *db, enum sql sql, sqlite3_stmt **at,
	   struct err *err);
void db_bind_int(sqlite3_stmt *at, int column, int64_t value);
void db_bind_text(sqlite3_stmt *at, int column, const char *text);
void db_bind_blob(sqlite3_stmt *at, int column, const void *bytes, size_t size);
/* 1: a row. 0: the end, and the statement is ready for its next use. */
int db_step(struct database *db, sqlite3_stmt *at, struct err *err);
/* For statements that give no row, or one that was looked at. */
int db_run(struct database *db, sqlite3_stmt *at, struct err *err);
/* The column's text, "" for NULL. Borrowed until the next step. */
const char *db_text(sqlite3_stmt *at, int column);
/* Both, for a statement without parameters. */
int db_run_sql(struct database *db, enum sql sql, struct err *err);
/* The first column of the first row; 0 if there is none. */
int db_int(struct database *db, enum sql sql, int64_t *value, struct err *err);
/* Runs sql, then asks: the answer has to be `answer`. */
int db_pragma(struct database *db, const char *sql, const char *ask,
	      const char *answer, struct err *err);

/* A sentence for a result code of SQLite, and for what it has no code for. */
int db_error(struct database *db, int result, struct err *err);
int db_system_error(struct database *db, const char *doing, struct err *err);
int db_not_allowed(const struct database *db, const char *to, struct err *err);
int db_read_only(const struct database *db, struct err *err);
int db_damaged(const struct database *db, const char *how, struct err *err);
int db_newer(const struct database *db, int version, struct err *err);
int db_older(const struct database *db, int version, struct err *err);
int db_not_ours(const struct database *db, const char *what, struct err *err);
/* 0 if the file has just this schema. */
int db_is_version(struct database *db, int version, struct err *err);

/* One snapshot, or one change. db_end() commits if rc is 0, rolls back if it is
 * negative, and returns what came of it. */
int db_begin(struct database *db, enum sql how, struct err *err);
int db_end(struct database *db, int rc, struct err *err);

/* For code that runs inside a transaction. */
int db_revision(struct database *db, uint64_t *revision, struct err *err);
/* Makes the stored list say exactly this one. */
int db_keep_owned(struct database *db, const struct owned *owned,
		  struct err *err);
/* The tree that the rows say; clean. */
int db_load_tree(struct database *db, struct tree **tree, struct err *err);
/* Adds the stored sums of the classes below a node; none: not known. */
int db_load_sums(struct database *db, uint64_t node, struct sums *sums,
		 struct err *err);
/* What is dirty is written: makes the stored sums those of the tree. */
int db_write_sums(struct database *db, const struct tree *tree,
		  struct err *err);
int64_t db_now_us(void);
/* The trial that a commit of revision begins, joins or ends (struct stamp). */
int db_stamp_trial(struct database *db, const struct stamp *stamp,
		   uint64_t base, uint64_t revision, struct err *err);
/* Sets room aside for the way back of a revision of so many rows, its changeset
 * so large; more, if there is some already. Inside its transaction. */
int db_reserve(struct database *db, int64_t rows, int64_t bytes,
	       struct err *err);
void db_release(const struct database *db);
/* ...if there is no trial (any more). */
void db_release_unused(struct database *db);
/* Runs a reader in one snapshot; not at all where there is nothing. */
int store_see(struct store *store,
	      int (*reader)(struct database *db, void *into, struct err *err),
	      void *into, struct err *err);

/* dir/name-suffix beside the store. */
char *store_beside(const struct store *store, const char *suffix);
/* Opens or creates a plain file in a directory that may belong to others: no
 * symbolic link, no second name, nothing but a regular file. Created with this
 * very mode whatever the umask is. */
int file_open_safely(const char *path, int flags, mode_t mode, struct err *err);

#endif
