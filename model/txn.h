/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * txn.h - a change that happens whole, or not at all.
 *
 *     check -> plan -> rehearse -> arm -> apply -> verify -> commit
 *                                            \        \        \
 *                                             `--------`--------`--> undo
 *
 * Where something would have to be made anew with packets in it, apply is two
 * such changes, by way of another tree (way.h). What loses packets all the same
 * is refused, with their number, unless it is forced.
 *
 * The candidate is a tree in memory; the store has the committed one. Undo is a
 * plan from what is there now to what was read before the first step. A crash
 * between arm and commit is undone the same way at the next start, from the
 * committed tree.
 */
#ifndef MODEL_TXN_H
#define MODEL_TXN_H

#include "model/backend.h"
#include "model/store.h"

struct patch;

/* What is to be rehearsed: trees that hold what the change touches, no more. Of
 * a patch after is NULL, and its nodes may be of another tree, with the same
 * paths. */
struct play {
	struct tree *before;
	const struct tree *after;
	const struct patch *patch; /* or NULL */
	const struct facts *facts; /* of the real host */
};
struct rehearsal;

struct txn {
	struct store *store; /* opened STORE_WRITE and locked */
	struct host *host;
	const struct backend *const *backends;
	int (*read_facts)(struct host *host, struct facts *facts,
			  struct err *err);
	/* Tries a change where it can do no harm, and says later how it went
	 * (backends/rehearse.h); NULL: not at all. */
	struct rehearsal *(*rehearse)(const struct play *play, struct err *err);
	int (*rehearsed)(struct rehearsal *rehearsal, char **path,
			 struct err *err);
	/* Asked before the first step and after the last; what it refuses then
	 * is undone (backends/guard.h). NULL: nobody to lose. */
	int (*guard)(const struct txn *txn, const struct tree *candidate,
		     bool after, void *arg, struct err *err);
	void *guard_arg;
	/* What all came down to a moment ago (early.h), or NULL. */
	const struct digest *early;
	struct stamp stamp;
	/* What becomes ours as it stands, with what to go back to one day
	 * (struct backend's import()); or NULL. */
	const struct owned *takes;
	bool dry;   /* stop after the rehearsal */
	bool force; /* what is queued may be lost */
	/* Which steps are done, the others left for another time. NULL: all. */
	bool (*picks)(const struct step *step, void *arg);
	void *picks_arg;
};

struct outcome {
	struct report report; /* of check, want and plan */
	struct facts facts;
	struct state now, want;
	struct state way;  /* what it goes by (way.h), or empty */
	struct plan plan;  /* points into now, way and want */
	uint64_t revision; /* the one that stands now */
	bool stored;	   /* a new revision was written */
	char *failed_path; /* owned: node of the step that failed, or NULL */
	bool blind;	   /* observed: some driver may not look here */
};
void outcome_clear(struct outcome *outcome);

/* Pure: everything that can be said of a tree without looking at a host. */
void tree_check(const struct tree *tree, struct report *report);
/* What of it a class can bring about by settings of its own (ATTR_OWN). */
void tree_check_own(const struct node *class, struct report *report);
/* Is all there that it takes to say that? Always in a whole tree. */
bool tree_knows_own(const struct node *class);
/* Do rates, ceils and quanta fit together, or does it take lenient=yes? */
bool tree_check_fits(const struct node *uplink);
/* Chooses what is left to Tresse and kept (ATTR_CHOSEN): classids, marks,
 * tables. Deterministic; reports when a range is used up. */
void tree_choose(struct tree *tree, struct report *report);
/* Of that, what a server's clients are called inside (choose_address.c). */
void link_choose_addresses(const struct node *link, struct report *report);
/* Of that, the keys of a link alone, which can be told before the commit. */
void link_choose_keys(struct node *link);

/* The whole way for a candidate based on revision `base`. On failure the data
 * plane is as before, err says why (and report holds the findings); code
 * ENOTRECOVERABLE if it could not be put back, ENODATA if nothing was tried
 * because more than a part of the tree is needed for it (tree_is_part()). */
int txn_run(const struct txn *txn, struct tree *candidate, uint64_t base,
	    struct outcome *outcome, struct err *err);

struct reach {
	struct host *host; /* nobody's */
	const struct backend *const *backends;
	int (*read_facts)(struct host *host, struct facts *facts,
			  struct err *err);
	const struct facts *known; /* what was probed on the real host */
	struct owned owned;	   /* grows by what is made */
};
/* Makes it be as the tree says: plan, apply, verify, without a store and
 * without a way back. On failure *path (if not NULL) is the node at fault, the
 * caller's to free. */
int txn_reach(struct reach *reach, const struct tree *tree, char **path,
	      struct err *err);
/* ...and, where the tree stands, makes a patch of it, in no other way than
 * txn_run() does. The tree is then as the patch says. */
int txn_reach_patch(struct reach *reach, struct tree *tree,
		    const struct patch *patch, char **path, struct err *err);

/* Finishes what a crash left: undoes it. *recovered says if there was anything.
 */
int txn_recover(const struct txn *txn, bool *recovered, struct err *err);

/* While a commit waits for its confirmation, nothing else may come in that
 * would be swept away with it: EBUSY, unless the stamp joins or ends it. */
int txn_check_trial(const struct txn *txn, const struct tree *candidate,
		    struct err *err);
/* Undoes a commit whose confirmation did not come in time, or whose boot is
 * over, as a new revision. *expired says if there was one. */
int txn_expire(const struct txn *txn, bool *expired, struct err *err);

/* Where txn_recover() or txn_expire() fails, and goes on failing: what was cut
 * off is forgotten, and what was not confirmed stays. Nothing is sent to the
 * host, which is then as it is; txn_observe() tells how it differs. */
int txn_let_go(const struct txn *txn, struct err *err);

/* What this tree asks for here (outcome->want), without looking at what is
 * there. Findings, errors too, are in the report. */
int txn_want(struct host *host, const struct backend *const *backends,
	     int (*read_facts)(struct host *, struct facts *, struct err *),
	     const struct tree *tree, struct outcome *outcome, struct err *err);

/* Reads only: how the running system differs from this tree. Drivers that may
 * not look (no privilege) are left out and noted in the report. */
int txn_observe(struct host *host, const struct backend *const *backends,
		int (*read_facts)(struct host *, struct facts *, struct err *),
		const struct tree *tree, const struct owned *owned,
		struct outcome *outcome, struct err *err);

/* The same where the seal (seal.h) shows that all is as it was when this tree
 * was last read back: an outcome without a difference, for a fraction of the
 * time. False: that has to be looked for. */
bool txn_glance(struct store *store, struct host *host,
		const struct backend *const *backends,
		int (*read_facts)(struct host *, struct facts *, struct err *),
		const struct tree *tree, const struct owned *owned,
		struct outcome *outcome);

/* Writes what was observed as the read-only settings `state` and `error` of the
 * nodes: applied, missing, differs, disabled or no-device; nothing where it is
 * not known. A state that a driver has set stays. */
void txn_states(const struct outcome *observed, const struct tree *tree,
		struct live *live);

#endif
