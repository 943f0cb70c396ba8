/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A commit that waits for its confirmation. */
#include "model/store_private.h"

#include <string.h>
#include <time.h>

#include "model/holder.h"

static int64_t boottime_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return now.tv_sec * INT64_C(1000000) + now.tv_nsec / 1000;
}

void trial_clear(struct trial *trial)
{
	free(trial->actor);
	free(trial->boot);
	free(trial->basis);
	free(trial->ill);
	*trial = (struct trial){ 0 };
}

int64_t trial_left_us(const struct trial *trial)
{
	AUTO(str) char *boot = boot_id_dup();
	int64_t left = trial->deadline_us - boottime_us();

	if (!trial->is || strcmp(boot, trial->boot) != 0 || left < 0)
		return 0;
	/* More than was asked for: somebody has been at the store. */
	return left < trial->span_us ? left : trial->span_us;
}

static char *text_or_null(sqlite3_stmt *at, int column)
{
	return sqlite3_column_type(at, column) == SQLITE_NULL
		       ? NULL
		       : mem_strdup(db_text(at, column));
}

static int see(struct database *db, void *into, struct err *err)
{
	struct trial *trial = into;
	sqlite3_stmt *at;
	int rc = db_sql(db, SQL_TRIAL, &at, err);

	if (rc == 0)
		rc = db_step(db, at, err);
	if (rc > 0)
		*trial = (struct trial){
			.is = true,
			.restores = (uint64_t)sqlite3_column_int64(at, 0),
			.revision = (uint64_t)sqlite3_column_int64(at, 1),
			.actor = mem_strdup(db_text(at, 2)),
			.boot = mem_strdup(db_text(at, 3)),
			.deadline_us = sqlite3_column_int64(at, 4),
			.span_us = sqlite3_column_int64(at, 5),
			.until_us = sqlite3_column_int64(at, 6),
			.basis = text_or_null(at, 7),
			.ill = text_or_null(at, 8),
		};
	return rc < 0 ? rc : 0;
}

int store_trial(struct store *store, struct trial *trial, struct err *err)
{
	*trial = (struct trial){ 0 };
	return store_see(store, see, trial, err);
}

static int note_confirmed(struct database *db, const char *by, struct err *err)
{
	sqlite3_stmt *at;
	int rc = db_sql(db, SQL_CONFIRMED, &at, err);

	if (rc < 0)
		return rc;
	db_bind_text(at, 1, by);
	return db_run(db, at, err);
}

static int end_trial(struct store *store, const char *by, struct err *err)
{
	int rc = db_begin(&store->db, SQL_BEGIN_WRITE, err);

	if (rc < 0)
		return rc;
	rc = note_confirmed(&store->db, by, err);
	if (rc == 0)
		rc = db_run_sql(&store->db, SQL_TRIAL_DELETE, err);
	return db_end(&store->db, rc, err);
}

int store_trial_end(struct store *store, const char *by, struct err *err)
{
	AUTO_ERR full = ERR_NONE;
	int rc = end_trial(store, by, &full);

	if (rc < 0 && rc != -ENOSPC)
		return err_move(err, &full);
	store_make_room(store);
	return rc < 0 ? end_trial(store, by, err) : 0;
}

static int put_ill(struct database *db, uint64_t revision, const char *ill,
		   struct err *err)
{
	sqlite3_stmt *at;
	int rc = db_sql(db, SQL_TRIAL_ILL, &at, err);

	if (rc < 0)
		return rc;
	db_bind_int(at, 1, (int64_t)revision);
	db_bind_text(at, 2, ill);
	return db_run(db, at, err);
}

int store_trial_ill(struct store *store, uint64_t revision, const char *ill,
		    struct err *err)
{
	int rc = db_begin(&store->db, SQL_BEGIN_WRITE, err);

	if (rc < 0)
		return rc;
	rc = put_ill(&store->db, revision, ill, err);
	return db_end(&store->db, rc, err);
}

static int put(struct database *db, const struct stamp *stamp, uint64_t base,
	       uint64_t revision, struct err *err)
{
	AUTO(str) char *boot = boot_id_dup();
	sqlite3_stmt *at;
	int rc = db_sql(db, SQL_TRIAL_PUT, &at, err);

	if (rc < 0)
		return rc;
	db_bind_int(at, 1, (int64_t)base);
	db_bind_int(at, 2, (int64_t)revision);
	db_bind_text(at, 3, stamp->actor);
	db_bind_text(at, 4, boot);
	db_bind_int(at, 5, boottime_us() + stamp->confirm_us);
	db_bind_int(at, 6, stamp->confirm_us);
	db_bind_int(at, 7, db_now_us() + stamp->confirm_us);
	db_bind_text(at, 8, stamp->basis);
	return db_run(db, at, err);
}

int db_stamp_trial(struct database *db, const struct stamp *stamp,
		   uint64_t base, uint64_t revision, struct err *err)
{
	if (stamp->ends_trial)
		return db_run_sql(db, SQL_TRIAL_DELETE, err);
	if (stamp->confirm_us && revision != base)
		return put(db, stamp, base, revision, err);
	return 0;
}
