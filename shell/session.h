/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * session.h - somebody's stay in the shell: where they are, what they see, what
 * they are about to change.
 *
 *     look            session_look()      the committed tree, without a lock
 *     write           session_begin()     lock, newest tree, a candidate
 *                       commands change the candidate, and the ledger
 *                     session_commit()    one transaction
 *                  or session_abandon()   the candidate is forgotten
 *
 * Nothing is opened before somebody asks: pwd and help touch no file and no
 * socket. An idle session holds no lock.
 */
#ifndef SHELL_SESSION_H
#define SHELL_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "model/base/err.h"
#include "model/backend.h"
#include "model/node.h"
#include "model/txn.h"
#include "shell/ledger.h"
#include "shell/match.h"
#include "shell/output.h"
#include "shell/trail.h"

struct draft;
struct early;
struct host;
struct sample;
struct store;

struct session_options {
	const char *store; /* file */
	bool dry;	   /* plan, and do nothing */
};

struct session {
	struct session_options options;
	struct output *output;
	struct place place;   /* tree owned; NULL until looked at */
	char *made;	      /* owned; not settled yet */
	struct trail trail;   /* the places before */
	uint64_t base;	      /* revision of the tree */
	struct early *early;  /* a look that is under way (early.h), or NULL */
	struct host *other;   /* ...its host; owned */
	bool tried;	      /* a transaction was, and says how it went */
	uint64_t heard;	      /* newest one told beside a candidate */
	struct host *host;    /* NULL until asked for */
	struct outcome *seen; /* how things stand, for one command, or NULL */
	struct err blind;     /* ...or why it is not known */
	struct live *live;    /* of the command that runs, or NULL */
	struct store *writer; /* open and locked while changing */
	struct draft *draft;  /* from begin to its end (draft.h), or NULL */
	struct stamp stamp; /* of the next commit; the actor comes by itself */
	char *reason;	    /* ...its reason, owned */
	uint64_t hold_us;   /* ...confirmed when well for so long, or 0 */
	uint64_t loss;	    /* ...with no more of it (healthy.h) */
	uint64_t trial;	    /* revision whose trial was told, or 0 */
	struct ledger ledger;
	const char *source;  /* "stdin" while a batch runs, or NULL */
	unsigned line;	     /* of the batch */
	char *restored;	     /* owned; the source while a file is restored */
	bool gives_up;	     /* what cannot be undone is let go of... */
	char *gave_up;	     /* ...and why it could not; owned, or NULL */
	struct owned takes;  /* ...and takes this over, as it stands */
	bool force;	     /* the next commit may lose what is queued */
	bool gathering;	     /* a batch: many commands, one commit */
	const char *heading; /* path of the child that * is at, or NULL */
	bool filtering;	     /* | stands behind the command */
	bool stepping;	     /* a batch: a commit for each command */
	bool summing;	     /* tell totals, not every deed */
	bool staying;	     /* a shell: it outlives its commands */
	bool building;	     /* a file read into a tree of its own */
	bool moved;	   /* where we were is gone, since the command began */
	bool leaving;	   /* after exit */
	bool differs;	   /* drift found something: exit status 1 */
	uint64_t watch_us; /* the interval while watch repeats, or 0 */
	struct sample *past; /* ...and what stats saw the last time, or NULL */
};

void session_init(struct session *session,
		  const struct session_options *options, struct output *output);
/* All that others could notice; what it holds in memory goes with the process,
 * and to free 10,000 objects one by one would take a tenth of a command. */
void session_end(struct session *session);
void session_clear(struct session *session);

/* The tree is there and is the newest one, unless a candidate is being worked
 * on. What others changed is said. */
int session_look(struct session *session, struct err *err);
/* The same by a store that is open already. alone: a class by its path, if the
 * command has to do with nothing but its settings: where that is enough
 * (store_load_part()) no more is read. -ENODATA of session_commit(): it was not
 * enough, and nothing was done. */
int session_look_in(struct session *session, struct store *store,
		    const char *alone, struct err *err);
/* The tree goes; whoever looks next reads it anew. */
void session_forget(struct session *session);
/* What comes is large, and may well say what is so already. */
void session_expect(struct session *session);
/* Before the first change: rights, lock, what a crash left, the newest tree. A
 * second call is free. doing: what waiting others are told. */
int session_begin(struct session *session, const char *doing, struct err *err);
/* Check, plan, apply, store; findings and what was done are said. */
int session_commit(struct session *session, struct err *err);
void session_abandon(struct session *session);
/* The lock, and what a crash or a missed confirmation left; not the tree. */
int session_lock(struct session *session, const char *doing, struct err *err);
void session_unlock(struct session *session);
/* Another tree, which it takes, and its revision. */
void session_take(struct session *session, struct tree *tree,
		  uint64_t revision);
/* How a transaction of this session's is run. actor is borrowed. */
struct txn session_txn(struct session *session, struct store *store,
		       const char *actor);
/* Why the next commit is made; forgotten after the command. Takes reason. */
void session_because(struct session *session, char *reason);
void session_unstamp(struct session *session);

/* What the running system says about the nodes; NULL where nothing is known.
 * For the length of a command. */
const struct live *session_live(struct session *session);
/* How the running system differs from the tree; NULL and why if it cannot be
 * told. For the length of a command. */
const struct outcome *session_observe(struct session *session,
				      const char **why);
/* The end of that length. */
void session_unsee(struct session *session);
struct host *session_host(struct session *session);

/* To another place, by command: cd < finds the way back. */
int session_go(struct session *session, struct node *node, struct err *err);
/* The path of where we are. The caller's to free. */
char *session_path(const struct session *session);
/* Takes text (see ledger.h). */
void session_did(struct session *session, enum deed deed,
		 const struct node *node, char *text);
/* This was created; @last stands for it. */
void session_made(struct session *session, const struct node *node);
/* ...for good, also in the user's next session, or not after all. */
void session_settle(struct session *session, bool done);
/* Where an error is to be placed. */
struct origin_line session_where(const struct session *session);

#endif
