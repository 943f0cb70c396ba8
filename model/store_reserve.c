/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Room on the disk that a commit on trial keeps for its way back: whoever has
 * cut themselves off cannot free some, and nobody is to be cut off for good
 * because a log has filled the disk meanwhile.
 */
#include "model/store_private.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/* What is written whatever the change is: the journal, the revision, pages of
 * indices that are split. */
#define LEAST_BYTES (128 * 1024)
/* A row that is changed lies in one page and is named in a few more. */
#define ROW_PAGES 4

static char *reserve_path(const struct database *db)
{
	return mem_printf("%s-reserve", db->path);
}

static int64_t number(struct database *db, const char *sql)
{
	sqlite3_stmt *at = NULL;
	int64_t value = 0;

	if (sqlite3_prepare_v2(db->db, sql, -1, &at, NULL) == SQLITE_OK &&
	    sqlite3_step(at) == SQLITE_ROW)
		value = sqlite3_column_int64(at, 0);
	sqlite3_finalize(at);
	return value;
}

/* To take a changeset back is to write as much as it did: the pages that it
 * changes go into SQLite's rollback journal first, its inverse and the steps
 * into the store. */
static int64_t bytes_back(struct database *db, int64_t rows, int64_t bytes)
{
	int64_t page = number(db, "PRAGMA page_size");
	int64_t all = number(db, "PRAGMA page_count") * page;
	int64_t touched = rows * ROW_PAGES * page;

	return LEAST_BYTES + (touched < all ? touched : all) + 4 * bytes;
}

static int no_room(const struct database *db, int64_t size, int code,
		   struct err *err)
{
	return err_set(err, code,
		       "%s: its disk has no %lld kB to set aside for the way "
		       "back, should nobody confirm this: free some, or commit "
		       "without confirm=",
		       db->name, (long long)(size + 1023) / 1024);
}

/* Who joins leaves at least what the first one had. */
int db_reserve(struct database *db, int64_t rows, int64_t bytes,
	       struct err *err)
{
	AUTO(str) char *path = reserve_path(db);
	int64_t size = bytes_back(db, rows, bytes);
	int fd = file_open_safely(path, O_RDWR, 0600, err);
	struct stat before = { 0 };
	int code;

	if (fd < 0)
		return fd;
	code = fstat(fd, &before) < 0 ? errno : posix_fallocate(fd, 0, size);
	if (code && ftruncate(fd, before.st_size) < 0)
		code = errno;
	close(fd);
	return code ? no_room(db, size, code, err) : 0;
}

void db_release_unused(struct database *db)
{
	sqlite3_stmt *at;

	if (db_sql(db, SQL_TRIAL, &at, NULL) == 0 && db_step(db, at, NULL) == 0)
		db_release(db);
	sqlite3_reset(at);
}

void db_release(const struct database *db)
{
	AUTO(str) char *path = reserve_path(db);

	unlink(path);
}

void store_make_room(struct store *store)
{
	if (store->mode == STORE_WRITE && store->db.path)
		db_release(&store->db);
}
