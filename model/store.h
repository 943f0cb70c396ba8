/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * store.h - the configuration on disk: SQLite.
 *
 *     tresse.db          the tree, its revisions with changesets, what is ours
 *                        on the host (struct owned), the journal of the
 *                        transaction under way
 *     tresse.db-secrets  keys, mode 0600; made with the first one
 *     tresse.db-lock     flock() while a change is applied; holds who, what,
 *                        since when
 *     tresse.db-reserve  room on the disk for the way back, while a commit is
 * on trial tresse.db-seal     what the running system came down to when it was
 * last found to be as the tree says; may be removed
 *
 * Opening for reading needs no rights beyond reading the file, takes no lock
 * and creates nothing; a store that is not there reads as an empty one.
 * Everything that is wrong with a store (newer than this program, damaged,
 * read-only, full, not ours) is one sentence and changes nothing.
 *
 * The rollback journal (journal_mode=TRUNCATE) and not WAL: a reader of a WAL
 * database has to create or write its -shm file, so somebody without rights
 * could not look. A reader must not keep a writer waiting either, so every call
 * here ends its transaction before it returns, or calls somebody.
 *
 * Settings that the running system tells (ATTR_READONLY) and secrets
 * (ATTR_SECRET) do not go into the tree's tables.
 */
#ifndef MODEL_STORE_H
#define MODEL_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "model/base/digest.h"
#include "model/base/err.h"
#include "model/base/mem.h"
#include "model/node.h"
#include "model/state.h"

struct store;

enum store_mode { STORE_READ, STORE_WRITE };

/* STORE_WRITE creates the file (0644 in a directory that is made 0755) and
 * migrates an older schema, after copying the file to FILE-vN. STORE_READ sees
 * what an older program wrote as if that had been done. */
struct store *store_open(const char *file, enum store_mode mode,
			 struct err *err);
void store_free(struct store *store);
AUTO_DEFINE(store, struct store *, store_free)
const char *store_file(const struct store *store);
/* Was it migrated just now? Programs that are older cannot read it any more. */
bool store_was_converted(const struct store *store);

/* Number of the last committed revision; 0 for an empty store. Who wants to
 * change what store_load() gives asks for this first: a commit in between is
 * then noticed by store_commit(), not overwritten. */
int store_revision(struct store *store, uint64_t *revision, struct err *err);
/* The committed tree; clean (node.h). EBADMSG if there is something in the file
 * that no Tresse wrote: the sentence names node and setting. */
int store_load(struct store *store, struct tree **tree, struct err *err);
/* Of the committed tree one class that has none below it, and what its own
 * settings stand on: all above it, what those refer to, and theirs, and /system
 * (tree_is_part()), with what the classes beside them have together
 * (node_rest()) where the store knows that. *tree is NULL where that is not to
 * be had; then, and whatever else goes wrong, store_load() tells. */
int store_load_part(struct store *store, const char *path, struct tree **tree,
		    struct err *err);
/* Of the committed tree what stands at the top of paths, classes and links, and
 * /system, without what is below it (tree_is_part()). */
int store_load_tops(struct store *store, struct tree **tree, struct err *err);
/* The tree as that revision left it; 0 is the empty one. ENOENT if there is
 * none of that number. */
int store_load_at(struct store *store, uint64_t revision, struct tree **tree,
		  struct err *err);
int store_load_owned(struct store *store, struct owned *owned, struct err *err);

/* One writer at a time, for the length of a transaction: what arms, disarms and
 * commits holds this from before to after. Waits wait_ms; EBUSY then, and the
 * sentence names the holder: pid, user, since when, doing what. tell, if not
 * NULL, hears that once a second while waiting. To lock twice is to lock once.
 */
int store_lock(struct store *store, const char *doing, unsigned wait_ms,
	       void (*tell)(const char *holder), struct err *err);
void store_unlock(struct store *store);
/* Does somebody else hold it, now? */
bool store_is_locked(const struct store *store);

struct stamp {
	/* "root (uid 0), pts/1, 192.0.2.7": who() of shell */
	const char *actor;
	const char *reason; /* or NULL */
	/* Back at an earlier revision, by undo and not by rollback. */
	bool undoes;
	uint64_t restores;
	/* Not 0: undone after so long, unless it is confirmed (store_trial()).
	 */
	int64_t confirm_us;
	/* What measurement goes by, to confirm it (basis_print()); or NULL. */
	const char *basis;
	bool ends_trial; /* whatever waits for a confirmation has ended */
};

/* Before the first step: what will be ours (added to what is), the revision it
 * starts from and the steps as text, in one synchronous commit. EBUSY if an
 * earlier one was never ended: its steps are all that is known of it. */
int store_arm(struct store *store, const struct owned *claims,
	      const char *steps, struct err *err);
/* An armed transaction that was never ended (a crash): true and its text, which
 * is the caller's. steps may be NULL. */
int store_armed(struct store *store, bool *armed, char **steps,
		struct err *err);
/* The end of an armed transaction that was undone. */
int store_disarm(struct store *store, const struct owned *owned,
		 struct err *err);
/* Writes what is dirty in the tree as a new revision, with its changeset, keeps
 * exactly `owned`, and ends the armed transaction: all in one. The tree is
 * clean afterwards and its new nodes have numbers. ESTALE if the store has
 * moved on from base. */
int store_commit(struct store *store, struct tree *tree, uint64_t base,
		 const struct owned *owned, const struct stamp *stamp,
		 uint64_t *revision, struct err *err);
/* The same in two halves, for who has something else to do while the rows are
 * written: nobody sees them before they are kept. In between nothing else may
 * be asked of this store. */
struct writing;
/* NULL: it failed, and nothing was written. */
struct writing *store_write(struct store *store, struct tree *tree,
			    uint64_t base, const struct owned *owned,
			    const struct stamp *stamp, struct err *err);
/* Both end it and free it. */
int store_keep(struct writing *writing, uint64_t *revision, struct err *err);
void store_drop(struct writing *writing);

/*
 * The seal: a digest that somebody found when all was as this very store says.
 * Not in the database, since it is worth nothing but time: it is written
 * without waiting for the disk, and one that is torn, older than the store, or
 * of another one is none. Under store_lock().
 */
bool store_seal(struct store *store, struct digest *seal);
/* What cannot be kept is not kept. */
void store_seal_put(struct store *store, struct digest seal);

struct revision {
	uint64_t number;
	int64_t at_us;	      /* since 1970, UTC */
	char *actor, *reason; /* the store's, until each() returns; so is */
	size_t changes;	      /* rows in the changeset */
	bool undoes;	      /* ...what came after restores */
	uint64_t restores;
	char *confirmed; /* by whom or what; NULL: it was never on trial */
};
/* Newest first; each() returns non-zero to stop, and may take its time. */
int store_history(struct store *store,
		  int (*each)(const struct revision *revision, void *arg),
		  void *arg, struct err *err);

/* Which revision last set what, newest first: setting NULL is the node itself,
 * which was made then. One thing comes as often as it was set; the first time
 * counts. each() may not take its time, nor call the store. */
int store_blame(struct store *store,
		int (*each)(const struct revision *revision, uint64_t node,
			    const char *setting, void *arg),
		void *arg, struct err *err);

/* A candidate that is kept: what somebody gathered since begin and did not
 * commit yet. To write one takes neither store_lock() nor a right on the
 * network. */
struct pending {
	uint64_t id;   /* 0: not in the store yet */
	char *owner;   /* owned: "root (uid 0)" */
	char *holder;  /* owned: the process that has it (model/holder.h) */
	uint64_t base; /* revision it began with */
	int64_t at_us; /* of the last change of it */
	char *text;    /* owned: the difference to base, as a batch */
};
void pending_clear(struct pending *pending);
/* Gives an id to what is new. ENOENT if it is no longer there. */
int store_pending_put(struct store *store, struct pending *pending,
		      struct err *err);
int store_pending_drop(struct store *store, uint64_t id, struct err *err);
/* Newest first; *list is the caller's, with all that is in it. */
int store_pendings(struct store *store, struct pending **list, size_t *count,
		   struct err *err);
void pendings_free(struct pending *list, size_t count);

/*
 * A commit that waits for its confirmation. It is written with the revision, in
 * one transaction: a commit that failed leaves none. A second commit that joins
 * keeps where it goes back to, and sets a new deadline.
 */
struct trial {
	bool is; /* there is one */
	uint64_t restores, revision;
	char *actor;	     /* owned */
	char *boot;	     /* owned: id of the boot it began in */
	int64_t deadline_us; /* CLOCK_BOOTTIME of that boot */
	int64_t span_us;     /* what was asked for */
	int64_t until_us;    /* the deadline for people: since 1970, UTC */
	char *basis; /* owned: what measurement goes by; NULL: none ends it */
	char *ill;   /* owned: what it found ill the last time, or NULL */
};
void trial_clear(struct trial *trial);
int store_trial(struct store *store, struct trial *trial, struct err *err);
/* It is confirmed: what runs stays. by: who or what did, for the history. */
int store_trial_end(struct store *store, const char *by, struct err *err);
/* What ends a trial comes now: the room on the disk that was set aside for it
 * is there to be used. */
void store_make_room(struct store *store);
/* What is ill now, or NULL; nothing where that revision is not on trial. */
int store_trial_ill(struct store *store, uint64_t revision, const char *ill,
		    struct err *err);
/* Until the deadline; 0 when it has passed, or that boot is over. */
int64_t trial_left_us(const struct trial *trial);

/* Secrets, by node and setting. Setting NULL forgets it; value NULL on get:
 * there is none. What get gives is the caller's, who ends it with mem_wipe().
 */
int store_secret_set(struct store *store, uint64_t node, const char *name,
		     const void *value, size_t size, struct err *err);
int store_secret_get(struct store *store, uint64_t node, const char *name,
		     void **value, size_t *size, struct err *err);
/* Forgets it, unless its name stands in a setting, a revision or a candidate.
 */
int store_secret_drop(struct store *store, uint64_t node, const char *name,
		      struct err *err);
/* All of a node's whose names stand nowhere, as a program that was killed
 * leaves them. */
int store_secret_sweep(struct store *store, uint64_t node, struct err *err);

#endif
