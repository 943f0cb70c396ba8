/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * backend.h - a driver: the code that applies one kind of thing to the data
 * plane.
 *
 * A driver says what the tree wants (want), what is there (read), and how to
 * get from one to the other as a list of steps (plan). The engine (txn.h) alone
 * decides when steps run, in what order drivers take turns, and when to go
 * back. Going back is the same road: plan from what is there to what was there
 * before. So a driver has no undo of its own, but what it reads must hold
 * everything that it can change.
 *
 * A driver touches only what it made (told by handle, table, protocol number,
 * or by struct owned). After a commit it reads again, and a second plan must be
 * empty.
 */
#ifndef MODEL_BACKEND_H
#define MODEL_BACKEND_H

#include "model/base/digest.h"
#include "model/base/err.h"
#include "model/facts.h"
#include "model/node.h"
#include "model/report.h"
#include "model/state.h"

struct host; /* the only door to sockets, sysfs, child processes:
		backends/host.h */
struct checkup;
struct reading;
struct live;

/* Filters that no setting can stand for. */
enum import_filters {
	IMPORT_REFUSE,
	IMPORT_KEEP, /* they stay, with those that decide before them */
	IMPORT_DROP, /* they go */
};

/* A line was full, one way: since when, how long, what it carried when that
 * began (bit/s), and how long packets then stood in its queue. */
enum spell_state {
	SPELL_LASTS,
	SPELL_OVER,
	SPELL_CUT, /* nobody saw its end */
};
struct spell {
	const struct node *node; /* whose line it is */
	bool in;
	enum spell_state state;
	int64_t began_us; /* since 1970 */
	uint64_t lasted_us, rate_bps, queue_us;
};
typedef void spell_tell(const struct spell *spell, void *arg);

/* Hears of them as they begin (SPELL_LASTS) and end. take() tells what there is
 * when fd() is readable; negative: nobody speaks there any more. */
struct ear;
struct spell_ears {
	struct ear *(*open)(struct err *err);
	void (*close)(struct ear *ear);
	int (*fd)(const struct ear *ear);
	int (*take)(struct ear *ear, const struct tree *tree, spell_tell *tell,
		    void *arg);
};

/* What export() is asked with. */
struct exporting {
	struct host *host; /* for what is meant to be somebody else's */
	const struct tree *tree;
	const struct facts *facts;
	const struct state *want;
	struct report *report;
};

struct backend {
	const char *name;
	const char *summary;

	/* Asks the host for what this tree needs to know beyond links and
	 * addresses (is there an sfq?) and puts it into facts. Changes nothing;
	 * lacking is no error. NULL: nothing to ask. */
	int (*probe)(struct host *host, const struct tree *tree,
		     struct facts *facts, struct err *err);

	/* Pure. The objects that the tree asks for. What cannot be had here is
	 * reported: an error refuses, a warning goes on (a device that is not
	 * there: its objects are left out). */
	void (*want)(const struct tree *tree, const struct facts *facts,
		     struct report *report, struct state *want);

	/* The running state of what is ours, and of what stands where the tree
	 * wants to be. Reads only. EPERM if the host does not let us look. */
	int (*read)(struct host *host, const struct tree *tree,
		    const struct facts *facts, const struct owned *owned,
		    struct state *now, struct err *err);

	/* Of a patch (patch.h) alone. want_own() gives the objects that the
	 * node's own settings have a part in, and what they stand on where
	 * plan() has to see it, nothing twice, also when it is asked for more
	 * nodes; false: that cannot be said without the rest. read_own() reads
	 * what stands where those are wanted; ESTALE: something else does.
	 * What is there need not be probed for: facts learn of it. NULL: no
	 * setting of ATTR_OWN makes anything here. */
	bool (*want_own)(const struct node *node, const struct facts *facts,
			 struct report *report, struct state *want);
	int (*read_own)(struct host *host, struct facts *facts,
			const struct owned *owned, const struct state *want,
			struct state *now, struct err *err);

	/* Takes into digest what changes whenever read() could come to tell
	 * anything else of what is ours: far cheaper than to read it (a
	 * generation that the kernel counts). Whatever want() looks at beyond
	 * tree and facts belongs in it too. NULL: what read() tells is taken
	 * instead. */
	int (*pulse)(struct host *host, const struct tree *tree,
		     struct digest *digest, struct err *err);

	/* Pure: no sockets, no clock. Same input, same steps, and none if now
	 * says what want says. Foreign things in the way are reported. Before
	 * and after of the steps point into now and want. claims gets what
	 * becomes ours by these steps, with what has to be put back one day. */
	void (*plan)(const struct state *now, const struct state *want,
		     const struct facts *facts, const struct owned *owned,
		     struct report *report, struct plan *plan,
		     struct owned *claims);

	/* Pure. Of what is ours and not wanted: is it to stay ours, since it is
	 * still there, in a place where nobody looks? NULL: nothing does. */
	bool (*stays)(const struct owned_item *item, const struct tree *tree,
		      const struct facts *facts);

	/* Does steps[0..count), which are all this driver's, in order; marks
	 * each that took effect as done. On failure *failed is the index of the
	 * step that failed, and err has the kernel's own words. */
	int (*apply)(struct host *host, struct step *const *steps, size_t count,
		     size_t *failed, struct err *err);

	/* One line, no newline: object with its figures, as the field's own
	 * tools write them. */
	void (*print)(const struct object *object, struct text *out);
	/* Only what differs, "ceil 200kbit -> 300kbit". NULL: print both. */
	void (*print_change)(const struct object *before,
			     const struct object *after, struct text *out);

	/* Gives the step's node the settings that say what was found
	 * (step->before, where the tree wants step->after). EOPNOTSUPP where no
	 * setting can. NULL: none ever can. */
	int (*adopt)(const struct step *step, struct node *node,
		     struct err *err);

	/* What a step of STEP_WAIT waits for. NULL: it plans none. */
	void (*print_wait)(const struct step *step, struct text *out);

	/* Reads what somebody else has made on a device into a new, empty node,
	 * and adds to takes what makes it ours as it stands. What cannot be
	 * said there is reported: an error refuses. NULL: there is nothing like
	 * that. */
	int (*import)(struct host *host, const struct facts *facts,
		      const char *device, enum import_filters filters,
		      struct node *node, struct report *report,
		      struct owned *takes, struct err *err);

	/* Of which tool ("tc") export() writes the commands that make what is
	 * wanted, on a host that has nothing of ours. What the tool has no
	 * words for is a line of comment there, and an error in the report. An
	 * error of its own only where the host cannot be asked. NULL: of none.
	 */
	const char *exports;
	int (*export)(const struct exporting *exporting, struct text *out,
		      struct err *err);

	/* Counters and states for every node of the tree at once. Reads only.
	 * NULL where there are none to give. */
	int (*live)(struct host *host, const struct tree *tree,
		    const struct facts *facts, struct live *live,
		    struct err *err);

	/* Tells the spells that are remembered, in no order. Reads only. NULL
	 * where there are no lines. */
	int (*spells)(const struct tree *tree, spell_tell *tell, void *arg,
		      struct err *err);
	const struct spell_ears *ears; /* or NULL */

	/* Measures what it can of the nodes that a change touches, a verdict
	 * each (health.h); within seconds, and no traffic leaves but what asks
	 * for a neighbour. An error only where nothing can be asked at all:
	 * what does not answer is a verdict. NULL: there is nothing to measure.
	 */
	int (*health)(struct host *host, const struct checkup *checkup,
		      struct reading *reading, struct err *err);
};

/* Plans what every driver does the same way: adds what is missing, deletes what
 * is too much, and asks differs() about what is in both. For drivers to call
 * from plan(). */
struct diff {
	bool (*differs)(const struct object *now, const struct object *want);
	void (*add)(struct plan *plan, const struct object *want, void *arg);
	void (*change)(struct plan *plan, const struct object *now,
		       const struct object *want, void *arg);
	void (*remove)(struct plan *plan, const struct object *now, void *arg);
};
void state_diff(const struct state *now, const struct state *want,
		const struct backend *backend, const struct diff *diff,
		struct plan *plan, void *arg);

/*
 * What the running system says about nodes: read-only settings (ATTR_READONLY)
 * by node and index. Filled by drivers, shown by ls, get, info and status.
 */
struct live *live_new(void);
void live_free(struct live *live);
AUTO_DEFINE(live, struct live *, live_free)
void live_set_u(struct live *live, const struct node *node, size_t attr,
		uint64_t u);
void live_set_text(struct live *live, const struct node *node, size_t attr,
		   const char *text);
/* NULL: nothing known. Borrowed until the next is set. */
const struct value *live_value(const struct live *live, const struct node *node,
			       size_t attr);

#endif
