/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "model/store.h"

#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "model/store_private.h"

/* What opening waits for a writer that is creating or converting the store. */
#define CONVERT_WAIT_MS 10000
/* Of SQLite's unix files; longer names it cannot open. */
#define PATH_BYTES (512 - sizeof("-secrets-journal"))

/* --- where it is -------------------------------------------------------- */

static char *directory_of(const char *file)
{
	const char *slash = strrchr(file, '/');

	if (!slash)
		return mem_strdup(".");
	if (slash == file)
		return mem_strdup("/");
	return mem_strndup(file, (size_t)(slash - file));
}

static const char *base_of(const char *file)
{
	const char *slash = strrchr(file, '/');

	return slash ? slash + 1 : file;
}

char *store_beside(const struct store *store, const char *suffix)
{
	return mem_printf("%s%s", store->path, suffix);
}

static int cannot_reach(const struct store *store, const char *doing,
			struct err *err)
{
	int code = errno;

	if (code == EACCES || code == EPERM)
		return err_set(err, EACCES,
			       "no permission to %s %s: run as root, or name "
			       "another store with --store FILE",
			       doing, store->file);
	return err_set(err, code == EINVAL ? EIO : code, "cannot %s %s: %s",
		       doing, store->file, strerror(code));
}

static int make_one(const char *dir)
{
	if (mkdir(dir, 0755) == 0)
		return chmod(dir, 0755); /* whatever the umask is */
	return errno == EEXIST ? 0 : -1;
}

static int check_name(const struct store *store, struct err *err)
{
	if (!*base_of(store->file))
		return err_set(err, EISDIR,
			       "%s is a directory: the store is a file in it, "
			       "as in %stresse.db",
			       store->file, store->file);
	return 0;
}

static int make_directory(const struct store *store, struct err *err)
{
	AUTO(str) char *dir = directory_of(store->file);

	for (char *at = dir + 1; *at; at++) {
		if (*at != '/')
			continue;
		*at = '\0';
		if (access(dir, F_OK) < 0 && make_one(dir) < 0)
			return cannot_reach(store, "create", err);
		*at = '/';
	}
	if (access(dir, F_OK) < 0 && make_one(dir) < 0)
		return cannot_reach(store, "create", err);
	return 0;
}

/*
 * The file's one true name: whichever way people come, by links or by ..,
 * they have to meet at the same lock. No name and no error: there is nothing.
 */
static int find_path(struct store *store, struct err *err)
{
	AUTO(str) char *dir = directory_of(store->file);
	AUTO(str) char *real = realpath(store->file, NULL);
	AUTO(str) char *real_dir = NULL;

	if (!real && errno != ENOENT)
		return cannot_reach(store, "open", err);
	if (!real) {
		real_dir = realpath(dir, NULL);
		if (!real_dir)
			return errno == ENOENT
				       ? 0
				       : cannot_reach(store, "open", err);
		real = mem_printf("%s/%s",
				  strcmp(real_dir, "/") ? real_dir : "",
				  base_of(store->file));
	}
	if (strlen(real) >= PATH_BYTES)
		return err_set(err, ENAMETOOLONG,
			       "%s: a path of more than %zu bytes is too long "
			       "for SQLite",
			       store->file, PATH_BYTES);
	store->path = TAKE(real);
	return 0;
}

/* --- opening ------------------------------------------------------------ */

int store_reach(struct store *store, struct err *err)
{
	int rc = 0;

	/* A writer is told by SQLite. */
	if (store->db.db &&
	    !(store->mode == STORE_READ && db_is_stale(&store->db)))
		return 0;
	db_close(&store->db);
	if (!store->path)
		rc = find_path(store, err);
	if (rc < 0 || !store->path)
		return rc;
	store->db = (struct database){ .name = store->file,
				       .path = store->path,
				       .schema = store->schema };
	return db_open(&store->db, store->mode, err);
}

static int convert(struct store *store, struct err *err)
{
	int64_t version;
	bool current;
	int rc = db_is_current(&store->db, &current, err);

	if (rc < 0 || current)
		return rc;
	rc = store_lock(store, "creating or converting the store",
			CONVERT_WAIT_MS, NULL, err);
	if (rc == 0)
		rc = db_int(&store->db, SQL_VERSION, &version, err);
	if (rc == 0)
		rc = db_convert(&store->db, err);
	store->converted =
		rc == 0 && version > 0 && version < store->schema->version;
	store_unlock(store);
	return rc;
}

struct store *store_open_schema(const char *file, enum store_mode mode,
				const struct schema *schema, struct err *err)
{
	AUTO(store) struct store *store = mem_alloc(sizeof(*store));
	int rc;

	store->file = mem_strdup(file);
	store->mode = mode;
	store->schema = schema;
	store->lock = -1;
	rc = check_name(store, err);
	if (rc == 0 && mode == STORE_WRITE)
		rc = make_directory(store, err);
	if (rc == 0)
		rc = store_reach(store, err);
	if (rc == 0 && mode == STORE_WRITE)
		rc = convert(store, err);
	return rc < 0 ? NULL : TAKE(store);
}

struct store *store_open(const char *file, enum store_mode mode,
			 struct err *err)
{
	return store_open_schema(file, mode, &store_schema, err);
}

void store_free(struct store *store)
{
	if (!store)
		return;
	db_close(&store->db);
	store_unlock(store);
	free(store->path);
	free(store->file);
	free(store);
}

const char *store_file(const struct store *store)
{
	return store->file;
}

bool store_was_converted(const struct store *store)
{
	return store->converted;
}

/* --- reading ------------------------------------------------------------ */

int store_see(struct store *store,
	      int (*reader)(struct database *db, void *into, struct err *err),
	      void *into, struct err *err)
{
	int rc = store_reach(store, err);

	if (rc < 0 || !store->db.db)
		return rc;
	rc = db_begin(&store->db, SQL_BEGIN_READ, err);
	if (rc == 0)
		return db_end(&store->db, reader(&store->db, into, err), err);
	/* Of another schema now: the next one opens it as that. */
	if (store->mode == STORE_READ)
		db_close(&store->db);
	return rc;
}

static int look_revision(struct database *db, void *into, struct err *err)
{
	return db_revision(db, into, err);
}

int store_revision(struct store *store, uint64_t *revision, struct err *err)
{
	*revision = 0;
	return store_see(store, look_revision, revision, err);
}

/* Appends without looking for the same key: it is the primary key. */
static int load_owned(struct database *db, struct owned *owned, struct err *err)
{
	sqlite3_stmt *at;
	int rc = db_sql(db, SQL_OWNED, &at, err);

	while (rc >= 0 && (rc = db_step(db, at, err)) > 0) {
		const void *saved = sqlite3_column_blob(at, 2);
		size_t size = (size_t)sqlite3_column_bytes(at, 2);

		owned->items = mem_grow(owned->items, owned->count,
					&owned->room, sizeof(*owned->items));
		owned->items[owned->count++] = (struct owned_item){
			.backend = mem_strdup(db_text(at, 0)),
			.key = mem_strdup(db_text(at, 1)),
			.saved = saved ? mem_dup(saved, size) : NULL,
			.saved_size = saved ? size : 0,
		};
	}
	return rc;
}

static int look_owned(struct database *db, void *into, struct err *err)
{
	return load_owned(db, into, err);
}

int store_load_owned(struct store *store, struct owned *owned, struct err *err)
{
	owned_clear(owned);
	return store_see(store, look_owned, owned, err);
}

/* --- what is ours ------------------------------------------------------- */

static int put_owned(struct database *db, const struct owned_item *item,
		     struct err *err)
{
	sqlite3_stmt *at;
	int rc = db_sql(db, SQL_OWNED_PUT, &at, err);

	if (rc < 0)
		return rc;
	db_bind_text(at, 1, item->backend);
	db_bind_text(at, 2, item->key);
	db_bind_blob(at, 3, item->saved, item->saved_size);
	return db_run(db, at, err);
}

static int delete_owned(struct database *db, const struct owned_item *item,
			struct err *err)
{
	sqlite3_stmt *at;
	int rc = db_sql(db, SQL_OWNED_DELETE, &at, err);

	if (rc < 0)
		return rc;
	db_bind_text(at, 1, item->backend);
	db_bind_text(at, 2, item->key);
	return db_run(db, at, err);
}

/* As SQLite sorts them. */
static int owned_compare(const struct owned_item *a, const struct owned_item *b)
{
	int order = strcmp(a->backend, b->backend);

	return order ? order : strcmp(a->key, b->key);
}

static int by_key(const void *a, const void *b)
{
	return owned_compare(*(const struct owned_item *const *)a,
			     *(const struct owned_item *const *)b);
}

static bool same_saved(const struct owned_item *a, const struct owned_item *b)
{
	return a->saved_size == b->saved_size && !a->saved == !b->saved &&
	       (!a->saved_size || !memcmp(a->saved, b->saved, a->saved_size));
}

static int merge_owned(struct database *db, const struct owned *old,
		       const struct owned_item **wanted, size_t count,
		       struct err *err)
{
	size_t o = 0, w = 0;
	int rc = 0;

	while (rc == 0 && (o < old->count || w < count)) {
		int order = o == old->count ? 1
			    : w == count
				    ? -1
				    : owned_compare(&old->items[o], wanted[w]);

		if (order < 0)
			rc = delete_owned(db, &old->items[o], err);
		else if (order > 0 || !same_saved(&old->items[o], wanted[w]))
			rc = put_owned(db, wanted[w], err);
		o += order <= 0;
		w += order >= 0;
	}
	return rc;
}

int db_keep_owned(struct database *db, const struct owned *owned,
		  struct err *err)
{
	struct owned old = OWNED_NONE;
	const struct owned_item **wanted =
		mem_array(owned->count, sizeof(*wanted));
	int rc = load_owned(db, &old, err);

	for (size_t i = 0; i < owned->count; i++)
		wanted[i] = &owned->items[i];
	qsort(wanted, owned->count, sizeof(*wanted), by_key);
	if (rc == 0)
		rc = merge_owned(db, &old, wanted, owned->count, err);
	owned_clear(&old);
	free(wanted);
	return rc;
}

/* --- the journal -------------------------------------------------------- */

static int look_armed(struct database *db, void *into, struct err *err)
{
	char **steps = into;
	sqlite3_stmt *at;
	int rc = db_sql(db, SQL_ARMED, &at, err);

	if (rc == 0)
		rc = db_step(db, at, err);
	if (rc > 0)
		*steps = mem_strdup(db_text(at, 0));
	return rc < 0 ? rc : 0;
}

int store_armed(struct store *store, bool *armed, char **steps, struct err *err)
{
	AUTO(str) char *found = NULL;
	int rc = store_see(store, look_armed, &found, err);

	*armed = found != NULL;
	if (steps)
		*steps = TAKE(found);
	return rc;
}

static int write_steps(struct database *db, const char *steps, struct err *err)
{
	uint64_t base;
	sqlite3_stmt *at;
	int rc = db_revision(db, &base, err);

	if (rc == 0)
		rc = db_sql(db, SQL_ARM, &at, err);
	if (rc < 0)
		return rc;
	db_bind_int(at, 1, db_now_us());
	db_bind_int(at, 2, getpid());
	db_bind_int(at, 3, (int64_t)base);
	db_bind_text(at, 4, steps);
	return db_run(db, at, err);
}

static int arm(struct database *db, const struct owned *claims,
	       const char *steps, struct err *err)
{
	AUTO(str) char *earlier = NULL;
	int rc = look_armed(db, &earlier, err);

	/* Its steps are all that is known of what it did to the host. */
	if (rc == 0 && earlier)
		return err_set(err, EBUSY,
			       "%s: an earlier change was cut short and has to "
			       "be undone first",
			       db->name);
	for (size_t i = 0; i < claims->count && rc == 0; i++)
		rc = put_owned(db, &claims->items[i], err);
	return rc < 0 ? rc : write_steps(db, steps, err);
}

int store_arm(struct store *store, const struct owned *claims,
	      const char *steps, struct err *err)
{
	int rc = db_begin(&store->db, SQL_BEGIN_WRITE, err);

	if (rc < 0)
		return rc;
	return db_end(&store->db, arm(&store->db, claims, steps, err), err);
}

static int disarm(struct database *db, const struct owned *owned,
		  struct err *err)
{
	int rc = db_keep_owned(db, owned, err);

	return rc < 0 ? rc : db_run_sql(db, SQL_DISARM, err);
}

int store_disarm(struct store *store, const struct owned *owned,
		 struct err *err)
{
	int rc = db_begin(&store->db, SQL_BEGIN_WRITE, err);

	if (rc < 0)
		return rc;
	return db_end(&store->db, disarm(&store->db, owned, err), err);
}

/* --- history ------------------------------------------------------------ */

#define PAGE 64

struct page {
	uint64_t below;
	struct revision items[PAGE];
	size_t count;
};

static int look_page(struct database *db, void *into, struct err *err)
{
	struct page *page = into;
	sqlite3_stmt *at;
	int rc = db_sql(db, SQL_HISTORY, &at, err);

	if (rc < 0)
		return rc;
	db_bind_int(at, 1, (int64_t)page->below);
	db_bind_int(at, 2, PAGE);
	while (page->count < PAGE && (rc = db_step(db, at, err)) > 0)
		page->items[page->count++] = (struct revision){
			.number = (uint64_t)sqlite3_column_int64(at, 0),
			.at_us = sqlite3_column_int64(at, 1),
			.actor = mem_strdup(db_text(at, 2)),
			.reason = sqlite3_column_type(at, 3) == SQLITE_NULL
					  ? NULL
					  : mem_strdup(db_text(at, 3)),
			.changes = (size_t)sqlite3_column_int64(at, 4),
			.undoes = sqlite3_column_type(at, 5) != SQLITE_NULL,
			.restores = (uint64_t)sqlite3_column_int64(at, 5),
			.confirmed = sqlite3_column_type(at, 6) == SQLITE_NULL
					     ? NULL
					     : mem_strdup(db_text(at, 6)),
		};
	return rc < 0 ? rc : 0;
}

static int show_page(struct page *page,
		     int (*each)(const struct revision *revision, void *arg),
		     void *arg)
{
	int stop = 0;

	for (size_t i = 0; i < page->count; i++) {
		if (!stop)
			stop = each(&page->items[i], arg);
		page->below = page->items[i].number;
		free(page->items[i].actor);
		free(page->items[i].reason);
		free(page->items[i].confirmed);
	}
	return stop;
}

/* By the page, so that no lock is held while each() writes into a pager that
 * somebody reads at leisure. */
int store_history(struct store *store,
		  int (*each)(const struct revision *revision, void *arg),
		  void *arg, struct err *err)
{
	struct page page = { .below = INT64_MAX };
	int rc, stop;

	do {
		page.count = 0;
		rc = store_see(store, look_page, &page, err);
		stop = show_page(&page, each, arg);
	} while (rc == 0 && !stop && page.count == PAGE);
	return rc;
}
