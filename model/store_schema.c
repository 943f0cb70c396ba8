/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The tables, schema by schema. A step that was released is never edited: a
 * change of the tables is a new step behind it.
 */
#include "model/store_private.h"

#include <fcntl.h>
#include <stdbool.h>
#include <unistd.h>

/*
 * Objects below another's fixed node ("match" of a class) hang on that object;
 * their kind says which container they are in. Top-level objects have no
 * parent, and UNIQUE takes two NULLs for different, hence node_top.
 *
 * AUTOINCREMENT, because a number must not come back: secrets and changesets
 * know nodes by it. It also makes a parent older than its children, which
 * loading relies on and CHECK holds against editing by hand.
 *
 * A reference hangs on its setting, so one cannot go without the other. All
 * foreign keys are deferred: a change may come in any order as long as it ends
 * well.
 *
 * The changeset is the last column: whoever lists revisions need not read
 * through it.
 */
static const char schema_1[] =
	"CREATE TABLE node("
	" id INTEGER PRIMARY KEY AUTOINCREMENT,"
	" parent INTEGER REFERENCES node(id) ON DELETE CASCADE"
	"  DEFERRABLE INITIALLY DEFERRED,"
	" kind TEXT NOT NULL,"
	" name TEXT NOT NULL,"
	" UNIQUE(parent, kind, name),"
	" CHECK(parent < id)"
	") STRICT;"
	"CREATE UNIQUE INDEX node_top ON node(kind, name)"
	" WHERE parent IS NULL;"

	"CREATE TABLE setting("
	" node INTEGER NOT NULL REFERENCES node(id) ON DELETE CASCADE"
	"  DEFERRABLE INITIALLY DEFERRED,"
	" name TEXT NOT NULL,"
	" value TEXT NOT NULL,"
	" chosen INTEGER NOT NULL CHECK(chosen IN (0, 1)),"
	" PRIMARY KEY(node, name)"
	") STRICT, WITHOUT ROWID;"

	"CREATE TABLE ref("
	" node INTEGER NOT NULL,"
	" name TEXT NOT NULL,"
	" target INTEGER NOT NULL REFERENCES node(id)"
	"  DEFERRABLE INITIALLY DEFERRED,"
	" PRIMARY KEY(node, name),"
	" FOREIGN KEY(node, name) REFERENCES setting(node, name)"
	"  ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED"
	") STRICT, WITHOUT ROWID;"
	"CREATE INDEX ref_target ON ref(target);"

	"CREATE TABLE revision("
	" number INTEGER PRIMARY KEY,"
	" parent INTEGER NOT NULL,"
	" at_us INTEGER NOT NULL,"
	" actor TEXT NOT NULL,"
	" reason TEXT,"
	" schema INTEGER NOT NULL,"
	" changes INTEGER NOT NULL,"
	" changeset BLOB NOT NULL"
	") STRICT;"

	"CREATE TABLE owned("
	" backend TEXT NOT NULL,"
	" key TEXT NOT NULL,"
	" saved BLOB,"
	" PRIMARY KEY(backend, key)"
	") STRICT, WITHOUT ROWID;"

	"CREATE TABLE journal("
	" id INTEGER PRIMARY KEY CHECK(id = 1),"
	" at_us INTEGER NOT NULL,"
	" pid INTEGER NOT NULL,"
	" base INTEGER NOT NULL,"
	" steps TEXT NOT NULL"
	") STRICT;"

	"PRAGMA application_id = 0x54525353;"
	"PRAGMA user_version = 1;";

/*
 * restores: what an undo went back to, so that the next one goes on from there.
 *
 * A candidate is the difference to its base, as a batch. Its holder is the
 * process that works on it; the owner's next session may take it up when that
 * is gone.
 *
 * A trial is a commit that waits for its confirmation. Its deadline is by
 * CLOCK_BOOTTIME of that very boot, which no change of the wall clock moves;
 * until_us is for people.
 */
static const char schema_2[] =
	"ALTER TABLE revision ADD COLUMN restores INTEGER;"

	"CREATE TABLE candidate("
	" id INTEGER PRIMARY KEY AUTOINCREMENT,"
	" owner TEXT NOT NULL,"
	" holder TEXT NOT NULL,"
	" base INTEGER NOT NULL,"
	" at_us INTEGER NOT NULL,"
	" text TEXT NOT NULL"
	") STRICT;"

	"CREATE TABLE trial("
	" id INTEGER PRIMARY KEY CHECK(id = 1),"
	" restores INTEGER NOT NULL,"
	" revision INTEGER NOT NULL,"
	" actor TEXT NOT NULL,"
	" boot TEXT NOT NULL,"
	" deadline_us INTEGER NOT NULL,"
	" span_us INTEGER NOT NULL,"
	" until_us INTEGER NOT NULL"
	") STRICT;"

	"PRAGMA user_version = 2;";

/*
 * A trial that measurement may end has a basis (health.h), and what was found
 * ill the last time. Who confirmed a revision is noted with it.
 */
static const char schema_3[] = "ALTER TABLE trial ADD COLUMN basis TEXT;"
			       "ALTER TABLE trial ADD COLUMN ill TEXT;"
			       "ALTER TABLE revision ADD COLUMN confirmed TEXT;"
			       "PRAGMA user_version = 3;";

/*
 * What the classes below a node have together, a row a shard (sums.h). It
 * follows from the tree, so it is in no changeset; a node that has classes and
 * no row was not counted yet.
 */
static const char schema_4[] =
	"CREATE TABLE sum("
	" node INTEGER NOT NULL REFERENCES node(id) ON DELETE CASCADE"
	"  DEFERRABLE INITIALLY DEFERRED,"
	" shard INTEGER NOT NULL,"
	" classes INTEGER NOT NULL CHECK(classes > 0),"
	" rate INTEGER NOT NULL,"
	" bytes INTEGER NOT NULL,"
	" marks INTEGER NOT NULL,"
	" odd INTEGER NOT NULL,"
	" prio0 INTEGER NOT NULL,"
	" prio1 INTEGER NOT NULL,"
	" prio2 INTEGER NOT NULL,"
	" prio3 INTEGER NOT NULL,"
	" prio4 INTEGER NOT NULL,"
	" prio5 INTEGER NOT NULL,"
	" prio6 INTEGER NOT NULL,"
	" prio7 INTEGER NOT NULL,"
	" PRIMARY KEY(node, shard)"
	") STRICT, WITHOUT ROWID;"
	"PRAGMA user_version = 4;";

static const char *const store_steps[] = { schema_1, schema_2, schema_3,
					   schema_4 };

const struct schema store_schema = {
	.application_id = 0x54525353, /* TRSS */
	.mode = 0644,
	.steps = store_steps,
	.version = ARRAY_SIZE(store_steps),
	.tree_since = 1,
};

static const char secrets_1[] = "CREATE TABLE secret("
				" node INTEGER NOT NULL,"
				" name TEXT NOT NULL,"
				" value BLOB NOT NULL,"
				" PRIMARY KEY(node, name)"
				") STRICT, WITHOUT ROWID;"
				"PRAGMA application_id = 0x5452534b;"
				"PRAGMA user_version = 1;";

static const char *const secrets_steps[] = { secrets_1 };

const struct schema secrets_schema = {
	.application_id = 0x5452534b, /* TRSK */
	.mode = 0600,
	.steps = secrets_steps,
	.version = ARRAY_SIZE(secrets_steps),
};

/* --- from one schema to the next ---------------------------------------- */

int db_is_current(struct database *db, bool *current, struct err *err)
{
	int64_t version;
	int rc = db_int(db, SQL_VERSION, &version, err);

	if (rc < 0)
		return rc;
	if (version > db->schema->version)
		return db_newer(db, (int)version, err);
	*current = version == db->schema->version;
	return 0;
}

int db_copy(struct database *from, struct database *to, struct err *err)
{
	int result =
		sqlite3_open_v2(to->path ? to->path : ":memory:", &to->db,
				SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOFOLLOW |
					SQLITE_OPEN_EXRESCODE,
				NULL);
	sqlite3_backup *backup;

	if (result != SQLITE_OK)
		return db_error(to, result, err);
	backup = sqlite3_backup_init(to->db, "main", from->db, "main");
	if (!backup)
		return db_error(to, sqlite3_extended_errcode(to->db), err);
	/* What is in the way for too long is no error of the backup's end. */
	result = sqlite3_backup_step(backup, -1);
	sqlite3_backup_finish(backup);
	if ((result & 0xff) == SQLITE_BUSY || (result & 0xff) == SQLITE_LOCKED)
		return db_error(from, result, err);
	return result == SQLITE_DONE ? 0 : db_error(to, result, err);
}

char *db_copy_path(const struct database *db, int version)
{
	return mem_printf("%s-v%d", db->path, version);
}

static void drop_copy(const struct database *db, int version)
{
	AUTO(str) char *path = db_copy_path(db, version);

	unlink(path);
}

static int copy(struct database *db, int version, struct err *err)
{
	AUTO(str) char *path = db_copy_path(db, version);
	struct database to = { .name = path, .path = path };
	int fd, rc;

	unlink(path); /* of an attempt that was cut short */
	fd = file_open_safely(path, O_RDWR, db->schema->mode, err);
	if (fd < 0)
		return fd;
	close(fd);
	rc = db_copy(db, &to, err);
	db_close(&to);
	if (rc < 0)
		unlink(path);
	return rc;
}

static int check_references(struct database *db, struct err *err)
{
	sqlite3_stmt *at = NULL;
	int result = sqlite3_prepare_v2(db->db, "PRAGMA foreign_key_check", -1,
					&at, NULL);

	if (result == SQLITE_OK)
		result = sqlite3_step(at);
	sqlite3_finalize(at);
	if (result == SQLITE_ROW)
		return db_damaged(db, "a reference leads nowhere", err);
	return result == SQLITE_DONE ? 0 : db_error(db, result, err);
}

static int take_steps(struct database *db, int version, struct err *err)
{
	int result = SQLITE_OK;

	while (result == SQLITE_OK && version < db->schema->version)
		result = sqlite3_exec(db->db, db->schema->steps[version++],
				      NULL, NULL, NULL);
	return result == SQLITE_OK ? 0 : db_error(db, result, err);
}

static int climb(struct database *db, int version, struct err *err)
{
	int rc = db_run_sql(db, SQL_BEGIN_WRITE, err);

	if (rc < 0)
		return rc;
	rc = db_is_version(db, version, err);
	if (rc == 0)
		rc = take_steps(db, version, err);
	if (rc == 0)
		rc = check_references(db, err);
	if (rc == 0)
		rc = db_is_version(db, db->schema->version, err);
	return db_end(db, rc, err);
}

/* Foreign keys rest meanwhile: to rebuild a table is to drop it, and that
 * would delete what refers to it. */
static int climb_from(struct database *db, int version, struct err *err)
{
	int rc = db_pragma(db, "PRAGMA foreign_keys = OFF",
			   "PRAGMA foreign_keys", "0", err);

	if (rc == 0)
		rc = climb(db, version, err);
	if (rc == 0)
		rc = db_pragma(db, "PRAGMA foreign_keys = ON",
			       "PRAGMA foreign_keys", "1", err);
	return rc;
}

int db_climb(struct database *db, struct err *err)
{
	int64_t version;
	int rc = db_int(db, SQL_VERSION, &version, err);

	if (rc < 0 || version == db->schema->version)
		return rc;
	if (version > db->schema->version)
		return db_newer(db, (int)version, err);
	return climb_from(db, (int)version, err);
}

int db_convert(struct database *db, struct err *err)
{
	int64_t version;
	int rc = db_int(db, SQL_VERSION, &version, err);

	if (rc == 0 && version > 0 && version < db->schema->version)
		rc = copy(db, (int)version, err);
	if (rc < 0)
		return rc;
	rc = db_climb(db, err);
	/* It may be the copy that took the last of the room. */
	if (rc == -ENOSPC && version > 0)
		drop_copy(db, (int)version);
	return rc;
}
