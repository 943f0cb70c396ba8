/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What all came down to when it was as it should be. */
#include "model/store_private.h"

#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#define SEAL_SIZE 128

/* SQLite counts the changes of a file in its header, bytes 24 to 27, so a store
 * that was edited by hand, or is another one, is told from the one that was
 * sealed ("The Database File Format", section 1.3). */
static bool add_counter(struct database *db, struct digest *stamp)
{
	sqlite3_file *file = NULL;
	uint32_t counter;

	sqlite3_file_control(db->db, "main", SQLITE_FCNTL_FILE_POINTER, &file);
	if (!file || !file->pMethods ||
	    file->pMethods->xRead(file, &counter, sizeof(counter), 24) !=
		    SQLITE_OK)
		return false;
	*stamp = digest_u64(*stamp, counter);
	return true;
}

static int look_stamp(struct database *db, void *into, struct err *err)
{
	struct digest *stamp = into;
	sqlite3_stmt *at;
	int rc = db_sql(db, SQL_REVISION_LAST, &at, err);

	if (rc == 0)
		rc = db_step(db, at, err);
	if (rc <= 0)
		return rc;
	*stamp = digest_u64(*stamp, (uint64_t)sqlite3_column_int64(at, 0));
	*stamp = digest_u64(*stamp, (uint64_t)sqlite3_column_int64(at, 1));
	*stamp = digest_text(*stamp, db_text(at, 2));
	rc = db_run(db, at, err);
	if (rc == 0 && !add_counter(db, stamp))
		*stamp = (struct digest)DIGEST_NONE;
	return rc;
}

/* Which store this is, and in what state. False: of none at all. */
static bool take_stamp(struct store *store, struct digest *stamp)
{
	*stamp = (struct digest)DIGEST_NONE;
	return store_see(store, look_stamp, stamp, NULL) == 0 &&
	       !digest_equal(*stamp, (struct digest)DIGEST_NONE);
}

static int open_seal(const struct store *store, int flags)
{
	AUTO(str) char *path = store_beside(store, "-seal");

	return file_open_safely(path, flags, store->schema->mode, NULL);
}

bool store_seal(struct store *store, struct digest *seal)
{
	char line[SEAL_SIZE + 1] = "";
	struct digest stamp, sealed;
	ssize_t got;
	int fd;

	if (!take_stamp(store, &stamp))
		return false;
	fd = open_seal(store, O_RDONLY);
	if (fd < 0)
		return false;
	got = read(fd, line, SEAL_SIZE);
	close(fd);
	return got > 0 && line[got - 1] == '\n' &&
	       sscanf(line,
		      "store %16" SCNx64 "%16" SCNx64 " seal %16" SCNx64
		      "%16" SCNx64,
		      &sealed.a, &sealed.b, &seal->a, &seal->b) == 4 &&
	       digest_equal(sealed, stamp);
}

void store_seal_put(struct store *store, struct digest seal)
{
	AUTO(str) char *line = NULL;
	struct digest stamp;
	int fd;

	if (store->lock < 0 || !take_stamp(store, &stamp))
		return;
	fd = open_seal(store, O_RDWR);
	if (fd < 0)
		return;
	line = mem_printf("store %016" PRIx64 "%016" PRIx64 " seal %016" PRIx64
			  "%016" PRIx64 "\n",
			  stamp.a, stamp.b, seal.a, seal.b);
	if (pwrite(fd, line, strlen(line), 0) < 0 ||
	    ftruncate(fd, (off_t)strlen(line)) < 0) {
		/* Then it is none. */
	}
	close(fd);
}
