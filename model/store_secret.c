/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Secrets are rare and small: their file is opened for each call and closed
 * again, so that no page of it stays in memory.
 */
#include "model/store_private.h"

#include <string.h>

#define LOCK_WAIT_MS 5000

struct secrets {
	struct database db;
	char *path, *name; /* owned; db borrows them */
};

static int secrets_open(struct secrets *secrets, const struct store *store,
			enum store_mode mode, struct err *err)
{
	*secrets = (struct secrets){ .path = store_beside(store, "-secrets"),
				     .name = mem_printf("%s-secrets",
							store->file) };
	secrets->db = (struct database){ .name = secrets->name,
					 .path = secrets->path,
					 .schema = &secrets_schema };
	return db_open(&secrets->db, mode, err);
}

static void secrets_close(struct secrets *secrets)
{
	db_close(&secrets->db);
	free(secrets->path);
	free(secrets->name);
}

static int put(struct database *db, uint64_t node, const char *name,
	       const void *value, size_t size, struct err *err)
{
	sqlite3_stmt *at;
	int rc = db_sql(db, value ? SQL_SECRET_PUT : SQL_SECRET_DELETE, &at,
			err);

	if (rc < 0)
		return rc;
	db_bind_int(at, 1, (int64_t)node);
	db_bind_text(at, 2, name);
	if (value)
		db_bind_blob(at, 3, value, size);
	return db_run(db, at, err);
}

static int write_secret(struct store *store, uint64_t node, const char *name,
			const void *value, size_t size, struct err *err)
{
	struct secrets secrets;
	int rc = secrets_open(&secrets, store, STORE_WRITE, err);

	if (rc >= 0)
		rc = db_convert(&secrets.db, err);
	if (rc == 0)
		rc = db_begin(&secrets.db, SQL_BEGIN_WRITE, err);
	if (rc == 0)
		rc = db_end(&secrets.db,
			    put(&secrets.db, node, name, value, size, err),
			    err);
	secrets_close(&secrets);
	return rc;
}

int store_secret_set(struct store *store, uint64_t node, const char *name,
		     const void *value, size_t size, struct err *err)
{
	bool held = store->lock >= 0;
	int rc = store_lock(store, "keeping a secret", LOCK_WAIT_MS, NULL, err);

	if (rc < 0)
		return rc;
	rc = write_secret(store, node, name, value, size, err);
	if (!held)
		store_unlock(store);
	return rc;
}

static int is_named(struct database *db, const char *name, struct err *err)
{
	sqlite3_stmt *at;
	int rc = db_sql(db, SQL_SECRET_NAMED, &at, err);

	if (rc < 0)
		return rc;
	db_bind_text(at, 1, name);
	rc = db_step(db, at, err);
	return rc <= 0 ? rc : sqlite3_column_int(at, 0);
}

static int drop(struct store *store, uint64_t node, const char *name,
		struct err *err)
{
	int rc = db_begin(&store->db, SQL_BEGIN_READ, err);

	if (rc < 0)
		return rc;
	rc = is_named(&store->db, name, err);
	rc = db_end(&store->db, rc < 0 ? rc : 0, err) < 0 ? -EIO : rc;
	return rc ? rc : write_secret(store, node, name, NULL, 0, err);
}

int store_secret_drop(struct store *store, uint64_t node, const char *name,
		      struct err *err)
{
	bool held = store->lock >= 0;
	int rc = store_lock(store, "forgetting a secret", LOCK_WAIT_MS, NULL,
			    err);

	if (rc < 0)
		return rc;
	rc = drop(store, node, name, err);
	if (!held)
		store_unlock(store);
	return rc < 0 ? rc : 0;
}

/* The names of all, one a line. */
static int read_names(struct store *store, uint64_t node, struct text *names,
		      struct err *err)
{
	struct secrets secrets = { 0 };
	sqlite3_stmt *at;
	int rc = secrets_open(&secrets, store, STORE_READ, err);

	if (rc == 0)
		rc = db_sql(&secrets.db, SQL_SECRET_NAMES, &at, err);
	if (rc == 0) {
		db_bind_int(at, 1, (int64_t)node);
		while ((rc = db_step(&secrets.db, at, err)) > 0) {
			text_put(names,
				 (const char *)sqlite3_column_text(at, 0));
			text_put_char(names, '\n');
		}
	}
	secrets_close(&secrets);
	return rc;
}

int store_secret_sweep(struct store *store, uint64_t node, struct err *err)
{
	struct text text = TEXT_NONE;
	AUTO(str) char *names = NULL;
	char *save, *name;
	int rc = read_names(store, node, &text, err);

	names = text_take(&text);
	for (name = strtok_r(names, "\n", &save); name && rc == 0;
	     name = strtok_r(NULL, "\n", &save))
		rc = store_secret_drop(store, node, name, err);
	return rc;
}

static int get(struct database *db, uint64_t node, const char *name,
	       void **value, size_t *size, struct err *err)
{
	sqlite3_stmt *at;
	int rc = db_sql(db, SQL_SECRET_GET, &at, err);

	if (rc < 0)
		return rc;
	db_bind_int(at, 1, (int64_t)node);
	db_bind_text(at, 2, name);
	rc = db_step(db, at, err);
	if (rc <= 0)
		return rc;
	*size = (size_t)sqlite3_column_bytes(at, 0);
	*value = mem_dup(sqlite3_column_blob(at, 0), *size);
	return 0;
}

int store_secret_get(struct store *store, uint64_t node, const char *name,
		     void **value, size_t *size, struct err *err)
{
	struct secrets secrets = { 0 };
	int rc = store_reach(store, err);

	*value = NULL;
	*size = 0;
	if (rc < 0 || !store->path)
		return rc;
	rc = secrets_open(&secrets, store, STORE_READ, err);
	if (rc == 0 && secrets.db.db) {
		rc = db_begin(&secrets.db, SQL_BEGIN_READ, err);
		if (rc == 0)
			rc = db_end(&secrets.db,
				    get(&secrets.db, node, name, value, size,
					err),
				    err);
	}
	secrets_close(&secrets);
	return rc;
}
