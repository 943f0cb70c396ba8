/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A commit on trial: nothing comes in between, and in the end it goes. */
#include "model/txn.h"

#include <time.h>

#include "model/base/mem.h"
#include "model/merge.h"

static int refuse(const struct trial *trial, struct err *err)
{
	AUTO_TEXT until = TEXT_NONE;

	text_put_clock(&until, (time_t)(trial->until_us / 1000000));
	return err_set(err, EBUSY,
		       "revision %llu of %s waits until %s for its "
		       "confirmation, so nothing was changed: confirm it or "
		       "undo it first, or join it with commit confirm=60s",
		       (unsigned long long)trial->revision, trial->actor,
		       text_get(&until));
}

int txn_check_trial(const struct txn *txn, const struct tree *candidate,
		    struct err *err)
{
	struct trial trial;
	int rc;

	if (txn->dry || txn->stamp.confirm_us || txn->stamp.ends_trial ||
	    !tree_is_dirty(candidate))
		return 0;
	rc = store_trial(txn->store, &trial, err);
	if (rc == 0 && trial.is)
		rc = refuse(&trial, err);
	trial_clear(&trial);
	return rc;
}

static void put_reason(const struct trial *trial, struct text *out)
{
	text_put(out, trial->ill ? "not healthy in " : "not confirmed in ");
	duration_print((uint64_t)trial->span_us, out);
	if (trial->ill)
		text_printf(out, ": %s", trial->ill);
}

static int go_back(const struct txn *txn, const struct trial *trial,
		   struct err *err)
{
	AUTO(tree) struct tree *tree = NULL;
	AUTO(tree) struct tree *past = NULL;
	AUTO_TEXT reason = TEXT_NONE;
	struct txn back = *txn;
	struct outcome outcome;
	uint64_t base = 0;
	int rc = store_revision(txn->store, &base, err);

	if (rc == 0)
		rc = store_load(txn->store, &tree, err);
	if (rc == 0)
		rc = store_load_at(txn->store, trial->restores, &past, err);
	if (rc < 0)
		return rc;
	tree_put_back(tree, past);
	put_reason(trial, &reason);
	/* It stood there before: nothing is to be tried out. */
	back.rehearse = NULL;
	back.force = true;
	back.stamp = (struct stamp){ .actor = "tresse",
				     .reason = text_get(&reason),
				     .undoes = true,
				     .restores = trial->restores,
				     .ends_trial = true };
	rc = txn_run(&back, tree, base, &outcome, err);
	outcome_clear(&outcome);
	return rc;
}

int txn_expire(const struct txn *txn, bool *expired, struct err *err)
{
	struct trial trial;
	int rc = store_trial(txn->store, &trial, err);

	*expired = rc == 0 && trial.is && trial_left_us(&trial) == 0;
	if (*expired && (rc = go_back(txn, &trial, err)) < 0) {
		err_prefix(err,
			   "revision %llu was not confirmed in time and could "
			   "not be undone: ",
			   (unsigned long long)trial.revision);
		/* What the kernel forbids is no lack of ours. */
		if (rc == -EPERM || rc == -EACCES)
			rc = -ECANCELED;
		if (err)
			err->code = rc;
	}
	trial_clear(&trial);
	return rc;
}

static int forget_cut(const struct txn *txn, struct err *err)
{
	struct owned owned = OWNED_NONE;
	bool armed = false;
	int rc = store_armed(txn->store, &armed, NULL, err);

	/* All that its steps may have made stays ours. */
	if (rc == 0 && armed)
		rc = store_load_owned(txn->store, &owned, err);
	if (rc == 0 && armed)
		rc = store_disarm(txn->store, &owned, err);
	owned_clear(&owned);
	return rc;
}

int txn_let_go(const struct txn *txn, struct err *err)
{
	struct trial trial = { 0 };
	int rc = forget_cut(txn, err);

	if (rc == 0)
		rc = store_trial(txn->store, &trial, err);
	if (rc == 0 && trial.is && trial_left_us(&trial) == 0)
		rc = store_trial_end(txn->store, "given up", err);
	trial_clear(&trial);
	return rc;
}
