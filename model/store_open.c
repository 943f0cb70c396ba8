/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Opening a database with care: what is not ours, newer than we are, or damaged
 * stays byte for byte as it is.
 */
#include "model/store_private.h"

#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A check of the whole file costs a writer 2 ms a MB (measured: 10,000 nodes of
 * six settings are 4.7 MB). Past this size damage is found by whoever reads the
 * damaged page. */
#define CHECK_BYTES (1 << 20)

int file_open_safely(const char *path, int flags, mode_t mode, struct err *err)
{
	struct stat at;
	int fd;

	/* O_NONBLOCK: do not hang on a pipe somebody put there. */
	flags |= O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK;
	fd = open(path, flags);
	if (fd < 0 && errno == ENOENT && flags & (O_RDWR | O_WRONLY)) {
		fd = open(path, flags | O_CREAT | O_EXCL, mode);
		if (fd >= 0)
			fchmod(fd, mode); /* whatever the umask is */
		else if (errno == EEXIST)
			fd = open(path, flags);
	}
	if (fd < 0 && errno != ELOOP)
		return err_set(err, errno, "cannot %s %s: %s",
			       flags & O_RDWR ? "write" : "open", path,
			       strerror(errno));
	if (fd >= 0 && !fstat(fd, &at) && S_ISREG(at.st_mode) &&
	    at.st_nlink == 1)
		return fd;
	if (fd >= 0)
		close(fd);
	return err_set(err, EPERM,
		       "%s is a link or no plain file, and is not touched: "
		       "remove it",
		       path);
}

static int check_private(const struct database *db, const struct stat *at,
			 struct err *err)
{
	if (db->schema->mode != 0600)
		return 0;
	if (at->st_nlink != 1 || (at->st_uid != geteuid() && at->st_uid != 0))
		return err_set(err, EPERM,
			       "%s has another owner or a second name, and is "
			       "not trusted with secrets: remove it",
			       db->path);
	if (at->st_mode & 077)
		return err_set(err, EPERM,
			       "%s holds secrets that others may read: "
			       "chmod 600 it",
			       db->path);
	return 0;
}

/* 1: there is a file with something in it (for a writer: it may be empty).
 * 0: nothing to read. */
static int look(const struct database *db, enum store_mode mode,
		struct err *err)
{
	struct stat at;
	int fd;

	if (lstat(db->path, &at) == 0) {
		if (!S_ISREG(at.st_mode))
			return db_not_ours(db, "no plain file", err);
		if (check_private(db, &at, err))
			return -EPERM;
		return mode == STORE_WRITE || at.st_size > 0;
	}
	if (errno == EACCES)
		return db_not_allowed(db, "read", err);
	if (errno != ENOENT && errno != ENOTDIR)
		return err_set(err, errno, "cannot open %s: %s", db->name,
			       strerror(errno));
	if (mode == STORE_READ)
		return 0;
	fd = file_open_safely(db->path, O_RDWR, db->schema->mode, err);
	if (fd < 0)
		return fd;
	close(fd);
	return 1;
}

static uint32_t big_endian(const unsigned char *at)
{
	return (uint32_t)at[0] << 24 | at[1] << 16 | at[2] << 8 | at[3];
}

/*
 * Looks at the header without a lock and without SQLite's recovery, so that a
 * file that is not ours stays as it is. Through SQLite's own descriptor: to
 * close another one would drop the locks this process has on the file.
 */
static int check_header(struct database *db, enum store_mode mode,
			struct err *err)
{
	unsigned char head[100] = { 0 };
	sqlite3_file *file = NULL;
	sqlite3_int64 size = 0;
	int version;

	sqlite3_file_control(db->db, "main", SQLITE_FCNTL_FILE_POINTER, &file);
	if (!file || !file->pMethods ||
	    file->pMethods->xFileSize(file, &size) != SQLITE_OK)
		return db_system_error(db, "read", err);
	if (size == 0)
		return 0;
	if (size < (int)sizeof(head) ||
	    file->pMethods->xRead(file, head, sizeof(head), 0) != SQLITE_OK ||
	    memcmp(head, "SQLite format 3", 16) != 0)
		return db_not_ours(db, "something else", err);
	if (big_endian(head + 68) != db->schema->application_id)
		return db_not_ours(db, "another program's database", err);
	version = (int)big_endian(head + 60);
	if (version > db->schema->version)
		return db_newer(db, version, err);
	if (mode == STORE_READ && (head[18] > 1 || head[19] > 1))
		return err_set(err, EACCES,
			       "%s was switched to WAL by hand, which readers "
			       "without rights cannot follow: change something "
			       "as root once, which switches it back",
			       db->name);
	return 0;
}

/* A setting that did not take is a SQLite this program was not made for. */
static int untakable(const struct database *db, const char *what,
		     struct err *err)
{
	return err_set(err, ENOTSUP,
		       "cannot use %s: SQLite %s does not obey \"%s\"",
		       db->name, sqlite3_libversion(), what);
}

static int configure(struct database *db, struct err *err)
{
	static const struct {
		int option, value;
		const char *name;
	} rows[] = {
		{ SQLITE_DBCONFIG_DEFENSIVE, 1, "defensive" },
		{ SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, "no extensions" },
		{ SQLITE_DBCONFIG_DQS_DML, 0, "no dqs_dml" },
		{ SQLITE_DBCONFIG_DQS_DDL, 0, "no dqs_ddl" },
		{ SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, "no trusted_schema" },
		{ SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, "no triggers" },
		{ SQLITE_DBCONFIG_ENABLE_VIEW, 0, "no views" },
		{ SQLITE_DBCONFIG_ENABLE_FKEY, 1, "foreign_keys" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		int now = -1;

		if (sqlite3_db_config(db->db, rows[i].option, rows[i].value,
				      &now) != SQLITE_OK ||
		    now != rows[i].value)
			return untakable(db, rows[i].name, err);
	}
	return 0;
}

/* Runs sql, then asks: the answer has to be `answer`. */
int db_pragma(struct database *db, const char *sql, const char *ask,
	      const char *answer, struct err *err)
{
	sqlite3_stmt *at = NULL;
	int result = sqlite3_exec(db->db, sql, NULL, NULL, NULL);
	bool same;

	if (result == SQLITE_OK)
		result = sqlite3_prepare_v2(db->db, ask, -1, &at, NULL);
	if (result == SQLITE_OK) {
		result = sqlite3_step(at);
		result = result == SQLITE_ROW ? SQLITE_OK : result;
	}
	same = result == SQLITE_OK && !strcmp(db_text(at, 0), answer);
	sqlite3_finalize(at);
	if (result != SQLITE_OK)
		return db_error(db, result, err);
	return same ? 0 : untakable(db, sql, err);
}

static int set_pragmas(struct database *db, enum store_mode mode,
		       struct err *err)
{
	static const struct {
		enum store_mode least;
		const char *sql, *ask, *answer;
	} rows[] = {
		{ STORE_READ, "PRAGMA cell_size_check = ON",
		  "PRAGMA cell_size_check", "1" },
		{ STORE_WRITE, "PRAGMA synchronous = FULL",
		  "PRAGMA synchronous", "2" },
		/* Readers are let in while many rows are written (ahead.h). */
		{ STORE_WRITE, "PRAGMA cache_spill = OFF", "PRAGMA cache_spill",
		  "0" },
		{ STORE_WRITE, "PRAGMA secure_delete = ON",
		  "PRAGMA secure_delete", "1" },
		{ STORE_WRITE, "PRAGMA journal_mode = TRUNCATE",
		  "PRAGMA journal_mode", "truncate" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		int rc = mode < rows[i].least
				 ? 0
				 : db_pragma(db, rows[i].sql, rows[i].ask,
					     rows[i].answer, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int forbid_writing(struct database *db, struct err *err)
{
	return db_pragma(db, "PRAGMA query_only = ON", "PRAGMA query_only", "1",
			 err);
}

static int quick_check(struct database *db, struct err *err)
{
	struct stat at;
	sqlite3_stmt *stmt = NULL;
	int result, rc = 0;

	if (stat(db->path, &at) < 0 || at.st_size > CHECK_BYTES)
		return 0;
	result = sqlite3_prepare_v2(db->db, "PRAGMA quick_check(1)", -1, &stmt,
				    NULL);
	if (result == SQLITE_OK)
		result = sqlite3_step(stmt);
	if (result != SQLITE_ROW)
		rc = db_error(db, result, err);
	else if (strcmp(db_text(stmt, 0), "ok") != 0)
		rc = db_damaged(db, db_text(stmt, 0), err);
	sqlite3_finalize(stmt);
	return rc;
}

static int is_writable(struct database *db, struct err *err)
{
	AUTO(str) char *dir = mem_strdup(db->path);

	*strrchr(dir, '/') = '\0';
	/* The rollback journal is made beside the file. */
	if (!sqlite3_db_readonly(db->db, "main") &&
	    faccessat(AT_FDCWD, *dir ? dir : "/", W_OK, AT_EACCESS) == 0)
		return 0;
	return db_read_only(db, err);
}

static int open_as(struct database *db, int flags, enum store_mode mode,
		   struct err *err)
{
	int rc = sqlite3_open_v2(
		db->path, &db->db,
		flags | SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_NOMUTEX |
			SQLITE_OPEN_PRIVATECACHE | SQLITE_OPEN_EXRESCODE,
		NULL);

	if (rc != SQLITE_OK)
		return db_error(db, rc, err);
	sqlite3_busy_timeout(db->db, DB_BUSY_MS);
	rc = check_header(db, mode, err);
	if (rc == 0 && mode == STORE_WRITE)
		rc = is_writable(db, err);
	if (rc == 0)
		rc = configure(db, err);
	if (rc == 0)
		rc = set_pragmas(db, mode, err);
	if (rc == 0 && mode == STORE_READ)
		rc = forbid_writing(db, err);
	return rc;
}

/* Another one after each change by somebody else; less than 0: not known. */
static int64_t state_of(sqlite3 *file)
{
	sqlite3_stmt *at = NULL;
	int64_t state = -1;

	if (sqlite3_prepare_v2(file, "PRAGMA data_version", -1, &at, NULL) ==
		    SQLITE_OK &&
	    sqlite3_step(at) == SQLITE_ROW)
		state = sqlite3_column_int64(at, 0);
	sqlite3_finalize(at);
	return state;
}

bool db_is_stale(const struct database *db)
{
	sqlite3 *file = db->older ? db->older : db->db;
	int moved = 0;

	sqlite3_file_control(file, "main", SQLITE_FCNTL_HAS_MOVED, &moved);
	return moved || (db->older && state_of(file) != db->seen);
}

static int copy_as_todays(struct database *db, struct database *copy,
			  struct err *err)
{
	int rc = db_copy(db, copy, err);

	copy->path = db->path;
	if (rc == 0)
		rc = configure(copy, err);
	if (rc == 0)
		rc = set_pragmas(copy, STORE_READ, err);
	if (rc == 0)
		rc = db_climb(copy, err);
	if (rc == 0)
		rc = forbid_writing(copy, err);
	return rc;
}

/* What an older program wrote is converted in memory, by the steps that will
 * convert the file: no right and no room is needed, and the program that wrote
 * it, which may still run, can go on. */
static int look_back(struct database *db, struct err *err)
{
	struct database copy = { .name = db->name, .schema = db->schema };
	int64_t seen = state_of(db->db);
	int rc = copy_as_todays(db, &copy, err);

	if (rc < 0) {
		db_close(&copy);
		return rc;
	}
	copy.older = TAKE(db->db);
	copy.seen = seen;
	for (int i = 0; i < SQL_COUNT; i++)
		sqlite3_finalize(db->cache[i]);
	*db = copy;
	return 0;
}

/* A file that a writer made and then did not fill is nothing to read. */
static int open_reader(struct database *db, struct err *err)
{
	int64_t version = 0;
	int rc = open_as(db, SQLITE_OPEN_READONLY, STORE_READ, err);

	if (rc == 0)
		rc = db_int(db, SQL_VERSION, &version, err);
	/* With the rights to do so, a reader undoes what a dead writer left. */
	if (rc == -EACCES && db->db && eaccess(db->path, W_OK) == 0) {
		db_close(db);
		rc = open_as(db, SQLITE_OPEN_READWRITE, STORE_READ, err);
		if (rc == 0)
			rc = db_int(db, SQL_VERSION, &version, err);
	}
	if (rc < 0)
		return rc;
	if (version == 0)
		db_close(db);
	else if (version < db->schema->version)
		rc = look_back(db, err);
	return rc;
}

int db_open(struct database *db, enum store_mode mode, struct err *err)
{
	int rc = look(db, mode, err);

	if (rc <= 0)
		return rc;
	if (mode == STORE_READ)
		rc = open_reader(db, err);
	else
		rc = open_as(db, SQLITE_OPEN_READWRITE, mode, err);
	if (rc == 0 && mode == STORE_WRITE)
		rc = quick_check(db, err);
	if (rc < 0)
		db_close(db);
	return rc;
}

void db_close(struct database *db)
{
	for (int i = 0; i < SQL_COUNT; i++) {
		sqlite3_finalize(db->cache[i]);
		db->cache[i] = NULL;
	}
	sqlite3_close(db->db);
	sqlite3_close(db->older);
	db->db = db->older = NULL;
}
