/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "model/secret.h"
#include "model/txn.h"

#include <assert.h>
#include <signal.h>

#include "model/base/beside.h"
#include "model/base/mem.h"
#include "model/ahead.h"
#include "model/diff.h"
#include "model/excerpt.h"
#include "model/patch.h"
#include "model/alike.h"
#include "model/seal.h"
#include "model/shaping.h"
#include "model/way.h"

void outcome_clear(struct outcome *outcome)
{
	report_clear(&outcome->report);
	facts_clear(&outcome->facts);
	plan_clear(&outcome->plan);
	state_clear(&outcome->now);
	state_clear(&outcome->want);
	state_clear(&outcome->way);
	free(outcome->failed_path);
	*outcome = (struct outcome){ 0 };
}

/* ---- observing and planning ---- */

/* What one look at the host gives, and what follows from it. */
struct view {
	struct host *host;
	const struct backend *const *backends;
	const struct tree *tree;
	struct facts *facts;
	const struct txn *txn; /* whose steps are picked, or NULL */
	/* Of a patch (patch.h): what is wanted, and all that is read. */
	const struct state *own;
};

static int read_backend(const struct view *view, const struct backend *backend,
			const struct owned *owned, struct state *now,
			struct err *err)
{
	int rc = 0;

	if (!view->own)
		rc = backend->read(view->host, view->tree, view->facts, owned,
				   now, err);
	else if (backend->read_own)
		rc = backend->read_own(view->host, view->facts, owned,
				       view->own, now, err);
	return rc < 0 ? err_prefix(err, "%s: ", backend->name) : 0;
}

/* Those that have a pulse, or those that have none. */
static int read_some(const struct view *view, bool pulse,
		     const struct owned *owned, struct state *now,
		     struct err *err)
{
	int rc = 0;

	for (size_t i = 0; view->backends[i] && rc == 0; i++)
		if (!view->backends[i]->pulse == !pulse)
			rc = read_backend(view, view->backends[i], owned, now,
					  err);
	return rc;
}

static int read_all(const struct view *view, const struct owned *owned,
		    struct state *now, struct err *err)
{
	int rc = read_some(view, false, owned, now, err);

	return rc < 0 ? rc : read_some(view, true, owned, now, err);
}

/* Objects, or changes, of which a thread is worth its while. */
#define MANY 200

/* The drivers that have a pulse read beside the others: they have a socket of
 * their own, nftables'. */
struct apart {
	const struct view *view;
	const struct owned *owned;
	struct state now;
	struct err err;
	int rc;
	struct beside beside;
};

static void read_apart(void *work)
{
	struct apart *apart = work;

	apart->rc = read_some(apart->view, true, apart->owned, &apart->now,
			      &apart->err);
}

/* What was read comes behind what is there already. */
static int join_apart(struct apart *apart, int rc, struct state *now,
		      struct err *err)
{
	beside_end(&apart->beside);
	for (size_t i = 0; i < apart->now.count; i++)
		state_move(now, &apart->now.items[i]);
	state_clear(&apart->now);
	if (rc == 0 && apart->rc < 0)
		rc = err_move(err, &apart->err);
	err_clear(&apart->err);
	return rc;
}

/* What a reading comes down to (seal.h). */
struct sight {
	bool whole; /* no driver kept its pulse to itself */
	struct digest digest;
};

static void feel_pulses(const struct view *view, struct sight *sight)
{
	sight->digest = seal_of_world(view->facts);
	sight->whole = !view->own &&
		       seal_add_pulses(view->backends, view->host, view->tree,
				       &sight->digest, NULL) == 0;
}

/* Facts, pulses, and what is read by drivers that have none. */
static int glance(const struct view *view, const struct owned *owned,
		  struct state *now, struct sight *sight, struct err *err)
{
	int rc;

	feel_pulses(view, sight);
	rc = read_some(view, false, owned, now, err);
	seal_add_state(now, &sight->digest);
	return rc;
}

/* ...and by those that have one; of many objects at the same time. */
static int look_around(const struct view *view, bool many,
		       const struct owned *owned, struct state *now,
		       struct sight *sight, struct err *err)
{
	struct apart apart = { .view = view, .owned = owned };
	int rc;

	feel_pulses(view, sight);
	beside_start(&apart.beside, many, read_apart, &apart);
	rc = read_some(view, false, owned, now, err);
	seal_add_state(now, &sight->digest);
	return join_apart(&apart, rc, now, err);
}

static void plan_all(const struct view *view, const struct state *now,
		     const struct state *want, const struct owned *owned,
		     struct report *report, struct plan *plan,
		     struct owned *claims)
{
	for (size_t i = 0; view->backends[i]; i++)
		if (!view->own || view->backends[i]->want_own)
			view->backends[i]->plan(now, want, view->facts, owned,
						report, plan, claims);
	plan_sort(plan, view->backends);
}

/* What was probed stays so. */
static void know(struct facts *facts, const struct facts *known)
{
	for (size_t i = 0; i < known->qdisc_count; i++)
		facts_set_qdisc(facts, known->qdiscs[i].kind,
				known->qdiscs[i].present);
	facts->asked_fw = known->asked_fw;
	facts->has_fw = known->has_fw;
	facts->asked_string = known->asked_string;
	facts->has_string = known->has_string;
}

static void pick(const struct txn *txn, struct plan *plan)
{
	size_t kept = 0, picked = 0;

	if (!txn || !txn->picks)
		return;
	for (size_t i = 0; i < plan->count; i++) {
		bool waits = plan->items[i].op == STEP_WAIT;

		if (!waits && !txn->picks(&plan->items[i], txn->picks_arg))
			continue;
		plan->items[kept++] = plan->items[i];
		picked += !waits;
	}
	plan->count = picked ? kept : 0;
}

/* What only waits is no difference. */
static void drop_waits(struct plan *plan)
{
	size_t kept = 0;

	for (size_t i = 0; i < plan->count; i++)
		if (plan->items[i].op != STEP_WAIT)
			plan->items[kept++] = plan->items[i];
	plan->count = kept;
}

static int probe_all(const struct txn *txn, const struct tree *tree,
		     struct facts *facts, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; txn->backends[i] && rc == 0; i++)
		if (txn->backends[i]->probe)
			rc = txn->backends[i]->probe(txn->host, tree, facts,
						     err);
	return rc;
}

static int find_facts(const struct txn *txn, const struct tree *tree,
		      struct facts *facts, struct err *err)
{
	int rc = txn->read_facts(txn->host, facts, err);

	return rc < 0 ? rc : probe_all(txn, tree, facts, err);
}

/* ---- doing steps ---- */

static size_t run_length(const struct plan *plan, size_t from)
{
	size_t to = from;

	while (to < plan->count &&
	       plan->items[to].backend == plan->items[from].backend)
		to++;
	return to - from;
}

/* Neighbouring steps of one driver go to it together, so that it can batch.
 * hasty: waits do not fail. */
static int apply_all(struct host *host, struct plan *plan, bool hasty,
		     size_t *failed, struct err *err)
{
	struct step **steps = mem_array(plan->count, sizeof(*steps));
	size_t at = 0;
	int rc = 0;

	for (size_t i = 0; i < plan->count; i++) {
		steps[i] = &plan->items[i];
		steps[i]->hasty = hasty;
	}
	while (at < plan->count && rc == 0) {
		size_t count = run_length(plan, at), bad = 0;

		rc = steps[at]->backend->apply(host, steps + at, count, &bad,
					       err);
		if (rc < 0)
			*failed = at + (bad < count ? bad : 0);
		at += count;
	}
	free(steps);
	return rc;
}

static void list_steps(const struct plan *plan, size_t most, const char *gap,
		       struct text *out)
{
	for (size_t i = 0; i < plan->count && i < most; i++) {
		if (i)
			text_put(out, gap);
		step_print(&plan->items[i], out);
	}
	if (plan->count > most)
		text_printf(out, "%sand %zu more", gap, plan->count - most);
}

/* Reads again; whatever a second plan would still do is a lie of the kernel's.
 * code 0 if there is nothing. */
static int verify(const struct view *view, const struct state *want,
		  const struct owned *owned, struct sight *sight,
		  char **failed_path, struct err *err)
{
	struct report report = REPORT_NONE;
	struct state now = STATE_NONE;
	struct plan plan = PLAN_NONE;
	struct owned claims = OWNED_NONE;
	int rc = view->own ? glance(view, owned, &now, sight, err)
			   : look_around(view, want->count >= MANY, owned, &now,
					 sight, err);

	if (rc == 0) {
		plan_all(view, &now, want, owned, &report, &plan, &claims);
		pick(view->txn, &plan);
		rc = report_err(&report, err);
	}
	if (rc == 0 && plan.count) {
		AUTO_TEXT steps = TEXT_NONE;

		list_steps(&plan, 5, "; ", &steps);
		rc = err_set(err, EREMOTEIO,
			     "the kernel said ok and did something else: "
			     "still wanted: %s",
			     text_get(&steps));
		if (failed_path)
			*failed_path = mem_strdup(step_path(&plan.items[0]));
	}
	owned_clear(&claims);
	plan_clear(&plan);
	state_clear(&now);
	report_clear(&report);
	return rc;
}

/* From whatever is there to `target`, and sees that it is. */
static int go_to(const struct view *view, const struct state *target,
		 const struct owned *owned, struct err *err)
{
	struct report report = REPORT_NONE;
	struct state now = STATE_NONE;
	struct plan plan = PLAN_NONE;
	struct owned claims = OWNED_NONE;
	struct sight sight;
	struct view whole = *view;
	size_t failed = 0;
	int rc = read_all(view, owned, &now, err);

	whole.txn = NULL; /* the way back is nobody's pick */

	if (rc == 0) {
		plan_all(view, &now, target, owned, &report, &plan, &claims);
		rc = report_err(&report, err);
	}
	if (rc == 0 && plan.count)
		rc = apply_all(view->host, &plan, true, &failed, err);
	if (rc == 0 && plan.count)
		rc = verify(&whole, target, owned, &sight, NULL, err);
	owned_clear(&claims);
	plan_clear(&plan);
	state_clear(&now);
	report_clear(&report);
	return rc;
}

/* ---- one transaction ---- */

/* Everything a transaction holds while it runs. */
struct run {
	const struct txn *txn;
	struct tree *candidate;
	uint64_t base;
	struct outcome *outcome;
	struct view view;
	struct owned found; /* before */
	struct owned owned; /* ...and what is taken over */
	struct owned both;  /* before, and what the steps make ours */
	bool glanced;	    /* what has no pulse was read */
	bool sealed;	    /* all is as it was when it was last verified */
	bool doubtful;	    /* want or plan had something to say */
	struct sight sight; /* of what was read last */
	struct tree *way;   /* owned; the change goes by it, or NULL */
	size_t leg;	    /* ...and by so many of the steps */
	struct owned kept;  /* after; owned */
	struct writing *writing; /* owned; rows that wait to be kept */
	/* Under way: at most two, one of each leg. */
	struct rehearsal *rehearsals[2];
	size_t rehearsal_count;
	struct beside probing; /* of the host, while the tree is checked... */
	int probed;	       /* ...and what came of it */
	struct err probe_err;  /* owned */
};

static bool has_dirt_below(const struct node *branch)
{
	for (const struct node *at = branch; at; at = node_walk(branch, at))
		if (node_dirt(at) != DIRT_NONE)
			return true;
	return false;
}

/* A doubt about a node nobody touched, nor anything above it, was told when it
 * was made. What the host lacks also concerns what is new below. */
static bool is_fresh(const struct tree *tree, const struct finding *found,
		     bool below)
{
	const struct node *node =
		tree_walk(tree, tree_root(tree), found->path, NULL);

	if (!found->path[0] || !node)
		return true; /* of the whole, or of what goes */
	if (below && node && has_dirt_below(node))
		return true;
	while (node && node_dirt(node) == DIRT_NONE)
		node = node_parent(node);
	return node != NULL;
}

static void drop_old_doubts(const struct tree *tree, struct report *report,
			    size_t from, enum severity most, bool below)
{
	size_t kept = from;

	for (size_t i = from; i < report->count; i++) {
		struct finding *found = &report->items[i];

		if (found->severity > most || is_fresh(tree, found, below)) {
			report->items[kept++] = *found;
			continue;
		}
		free(found->path);
		free(found->text);
	}
	report->count = kept;
}

static void probe(void *work)
{
	struct run *run = work;

	if (!run->glanced)
		run->probed = run->txn->read_facts(
			run->txn->host, &run->outcome->facts, &run->probe_err);
	if (run->probed == 0)
		run->probed = probe_all(run->txn, run->candidate,
					&run->outcome->facts, &run->probe_err);
}

static bool has_many_changes(const struct tree *tree)
{
	const struct node *at = tree_first_dirty(tree);
	size_t count = 0;

	for (; at && count < MANY; at = node_next_dirty(at))
		count++;
	return count == MANY;
}

static int check(struct run *run, struct err *err)
{
	struct report *report = &run->outcome->report;

	tree_choose(run->candidate, report);
	if (secret_hide(run->candidate, run->txn->dry ? NULL : run->txn->store,
			err) < 0)
		return err->code;
	beside_start(&run->probing, has_many_changes(run->candidate), probe,
		     run);
	tree_check(run->candidate, report);
	drop_old_doubts(run->candidate, report, 0, FINDING_WARNING, false);
	beside_end(&run->probing);
	return report_err(report, err);
}

static void warn_loss(const struct step *step, const char *path,
		      uint32_t queued, struct report *report)
{
	AUTO(str)
	char *count = queued ? mem_printf(" (%u packet%s now)", queued,
					  queued == 1 ? "" : "s")
			     : mem_strdup("");

	if (step->effect == EFFECT_REBUILD && !strncmp(path, "/links/", 7))
		report_add(
			report, FINDING_WARNING, 0, path,
			"the tunnel is made anew: what is under way in it is "
			"lost, and connections through it wait for some "
			"moments");
	else if (step->effect == EFFECT_REBUILD)
		report_add(report, FINDING_WARNING, 0, path,
			   "it is made anew with all below it: what "
			   "waits in its queues%s is lost, and for some "
			   "milliseconds nothing is shaped",
			   count);
	else if (queued || step->op == STEP_REPLACE)
		report_add(report, FINDING_WARNING, 0, path,
			   "its queue %s: what waits in it%s is lost",
			   step->after ? "is made anew" : "goes", count);
}

static void refuse_loss(const struct step *step, const char *path,
			uint32_t queued, struct report *report)
{
	AUTO_TEXT what = TEXT_NONE;

	step_print(step, &what);
	report_add(report, FINDING_ERROR, ECANCELED, path,
		   "%u packet%s wait%s in its queue now, and would be lost "
		   "(%s); try again when nothing waits, or do it all the same "
		   "with force=yes",
		   queued, queued == 1 ? "" : "s", queued == 1 ? "s" : "",
		   text_get(&what));
}

static void want_all(const struct run *run, const struct tree *tree,
		     struct report *report, struct state *want)
{
	const struct txn *txn = run->txn;

	for (size_t i = 0; txn->backends[i]; i++)
		txn->backends[i]->want(tree, &run->outcome->facts, report,
				       want);
}

/* What goes, as the committed tree wants it: NULL if it is not ours. state is
 * the caller's to clear. */
static const struct object *
find_ours(const struct run *run, const struct step *step, struct state *state)
{
	AUTO(tree) struct tree *committed = NULL;
	struct report report = REPORT_NONE;

	if (store_load(run->txn->store, &committed, NULL) < 0)
		return NULL;
	want_all(run, committed, &report, state);
	report_clear(&report);
	return state_find(state, step->backend, step->before->key);
}

static void tell_loss(const struct run *run, const struct step *step,
		      struct report *report)
{
	uint32_t queued = step->before->queued;
	const char *path = step_path(step);
	struct state state = STATE_NONE;
	const struct object *ours =
		queued ? find_ours(run, step, &state) : NULL;

	if (ours && !path[0])
		path = ours->path;
	if (ours && !run->txn->force)
		refuse_loss(step, path, queued, report);
	else
		warn_loss(step, path, queued, report);
	state_clear(&state);
}

/* A change that costs packets says so, and how many. What is new costs none,
 * and of what was somebody else's nobody asked us to keep them. */
static void tell_losses(const struct run *run, struct report *report)
{
	const struct plan *plan = &run->outcome->plan;

	for (size_t i = 0; i < plan->count; i++) {
		const struct step *step = &plan->items[i];

		if (step->before && step->effect >= EFFECT_FLAP &&
		    (step->op == STEP_REPLACE ||
		     (step->op == STEP_DELETE && step->before->queued)))
			tell_loss(run, step, report);
	}
}

static int glance_at(struct run *run, struct err *err)
{
	run->glanced = true;
	return glance(&run->view, &run->owned, &run->outcome->now, &run->sight,
		      err);
}

/* A tree that nobody changed: is all as it was when this very tree was last
 * read back? Then there is nothing to want, to compare, or to say. */
static int look_for_seal(struct run *run, struct err *err)
{
	struct digest seal;
	int rc;

	if (tree_is_dirty(run->candidate) || run->txn->stamp.ends_trial ||
	    !store_seal(run->txn->store, &seal))
		return 0;
	run->sealed = run->txn->early && digest_equal(seal, *run->txn->early);
	if (run->sealed)
		return 0;
	rc = run->txn->read_facts(run->txn->host, &run->outcome->facts, err);
	if (rc == 0)
		rc = glance_at(run, err);
	run->sealed = rc == 0 && run->sight.whole &&
		      digest_equal(seal, run->sight.digest);
	return rc;
}

/* What becomes ours by steps that are done. */
static void claim(const struct txn *txn, const struct plan *plan,
		  const struct owned *claims, struct owned *both)
{
	if (!txn->picks)
		owned_copy(both, claims);
	for (size_t i = 0; i < plan->count && txn->picks; i++) {
		const struct step *step = &plan->items[i];
		const struct owned_item *item =
			step->after ? owned_find(claims, step->backend->name,
						 step->after->key)
				    : NULL;

		if (item)
			owned_add(both, item->backend, item->key, item->saved,
				  item->saved_size);
	}
}

/* ---- by way of another tree ---- */

/* The plan becomes that of both legs, the second as far as it can be foreseen:
 * it is made again when the first is done. What there is to report was said of
 * the direct way. */
static void plan_legs(struct run *run)
{
	struct outcome *outcome = run->outcome;
	struct report report = REPORT_NONE;
	struct owned claims = OWNED_NONE;
	struct plan second = PLAN_NONE;

	want_all(run, run->way, &report, &outcome->way);
	plan_clear(&outcome->plan);
	plan_all(&run->view, &outcome->now, &outcome->way, &run->owned, &report,
		 &outcome->plan, &claims);
	run->leg = outcome->plan.count;
	plan_all(&run->view, &outcome->way, &outcome->want, &run->both, &report,
		 &second, &claims);
	plan_append(&outcome->plan, &second);
	owned_clear(&claims);
	report_clear(&report);
}

static int find_way(struct run *run, struct err *err)
{
	struct plan *plan = &run->outcome->plan;
	AUTO(tree) struct tree *committed = NULL;
	int rc;

	run->leg = plan->count;
	if (!plan->aside_count || run->outcome->report.errors ||
	    run->txn->picks)
		return 0;
	rc = store_load(run->txn->store, &committed, err);
	if (rc < 0)
		return rc;
	run->way = way_new(committed, run->candidate, plan);
	if (!run->way)
		return 0;
	plan_legs(run);
	return 0;
}

static int make_plan(struct run *run, struct err *err)
{
	const struct txn *txn = run->txn;
	struct outcome *outcome = run->outcome;
	struct owned claims = OWNED_NONE;
	int rc = run->probed < 0 ? err_move(err, &run->probe_err) : 0;

	if (rc == 0)
		want_all(run, run->candidate, &outcome->report, &outcome->want);
	if (rc == 0)
		rc = report_err(&outcome->report, err);
	if (rc == 0 && !run->glanced)
		rc = glance_at(run, err);
	if (rc == 0)
		rc = read_some(&run->view, true, &run->owned, &outcome->now,
			       err);
	if (rc < 0)
		return rc;
	plan_all(&run->view, &outcome->now, &outcome->want, &run->owned,
		 &outcome->report, &outcome->plan, &claims);
	pick(txn, &outcome->plan);
	owned_copy(&run->both, &run->owned);
	claim(txn, &outcome->plan, &claims, &run->both);
	owned_clear(&claims);
	rc = find_way(run, err);
	if (rc < 0)
		return rc;
	tell_losses(run, &outcome->report);
	return report_err(&outcome->report, err);
}

static int plan(struct run *run, struct err *err)
{
	struct report *report = &run->outcome->report;
	size_t checked = report->count;
	int rc = make_plan(run, err);

	for (size_t i = checked; i < report->count; i++)
		run->doubtful |= report->items[i].severity > FINDING_NOTE;
	/* Without a change this is about the host alone: all of it is news. */
	drop_old_doubts(run->candidate, report, checked,
			tree_is_dirty(run->candidate) ? FINDING_WARNING
						      : FINDING_NOTE,
			true);
	return rc;
}

/* ---- the rehearsal ---- */

/* Of steps that are alike a sample is rehearsed (alike.h), and of others no
 * more than these. */
#define REHEARSED_MOST 2000

struct excerpts {
	struct excerpt *before, *after;
	struct excerpt *way; /* or NULL */
};

static void touch(struct excerpts *excerpts, const char *path)
{
	excerpt_add(excerpts->before, path);
	excerpt_add(excerpts->after, path);
	if (excerpts->way)
		excerpt_add(excerpts->way, path);
}

static int touch_deleted(const struct change *change, void *arg)
{
	AUTO(str) char *path = NULL;

	if (change->op != CHANGE_DELETE)
		return 1; /* deletions come first */
	path = node_path_dup(change->node);
	touch(arg, path);
	return 0;
}

static void touch_steps(struct run *run, const struct tree *committed,
			struct excerpts *excerpts)
{
	AUTO(alike)
	struct alike *alike = alike_new(committed, run->candidate);
	const struct plan *steps = &run->outcome->plan;
	size_t tried = 0;

	for (size_t i = 0; i < steps->count && tried < REHEARSED_MOST; i++) {
		const char *path = step_path(&steps->items[i]);

		if (!alike_takes(alike, path))
			continue;
		touch(excerpts, path);
		tried++;
	}
	if (tried < steps->count)
		report_note(&run->outcome->report, NULL,
			    tried < REHEARSED_MOST
				    ? "%zu of %zu steps were rehearsed; the "
				      "others are like these"
				    : "%zu of %zu steps were rehearsed",
			    tried, steps->count);
}

static int judge(struct run *run, int rc, const char *path, struct err *why,
		 struct err *err)
{
	struct outcome *outcome = run->outcome;

	if (rc == -ENOTSUP) {
		report_note(&outcome->report, NULL, "not rehearsed: %s",
			    why->text);
		return 0;
	}
	if (rc < 0 && path && path[0])
		outcome->failed_path = mem_strdup(path);
	if (rc < 0)
		return err_set(err, -rc,
			       "%s; this was in the rehearsal: nothing was "
			       "changed",
			       why->text);
	return 0;
}

static void begin_play(struct run *run, struct tree *before,
		       const struct tree *after, const struct patch *patch)
{
	const struct play play = { before, after, patch, &run->outcome->facts };
	AUTO_ERR why = ERR_NONE;
	struct rehearsal *rehearsal = run->txn->rehearse(&play, &why);

	if (rehearsal)
		run->rehearsals[run->rehearsal_count++] = rehearsal;
	else
		judge(run, -ENOTSUP, NULL, &why, NULL);
}

static int end_play(struct run *run, struct rehearsal *rehearsal,
		    struct err *err)
{
	AUTO(str) char *path = NULL;
	AUTO_ERR why = ERR_NONE;
	int rc = run->txn->rehearsed(rehearsal, &path, &why);

	return judge(run, rc, path, &why, err);
}

/* All of them have ended then, and the first that failed tells. */
static int end_rehearsals(struct run *run, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; i < run->rehearsal_count; i++) {
		if (rc == 0)
			rc = end_play(run, run->rehearsals[i], err);
		else
			end_play(run, run->rehearsals[i], NULL);
	}
	run->rehearsal_count = 0;
	return rc;
}

static int rehearse(struct run *run, struct err *err)
{
	AUTO(tree) struct tree *committed = NULL;
	AUTO(tree) struct tree *before = NULL;
	AUTO(tree) struct tree *after = NULL;
	AUTO(tree) struct tree *way = NULL;
	struct excerpts excerpts = { NULL, NULL, NULL };
	int rc = store_load(run->txn->store, &committed, err);

	if (rc < 0)
		return rc;
	excerpts.before = excerpt_new(committed);
	excerpts.after = excerpt_new(run->candidate);
	if (run->way)
		excerpts.way = excerpt_new(run->way);
	touch_steps(run, committed, &excerpts);
	tree_diff(committed, run->candidate, touch_deleted, &excerpts);
	before = excerpt_take(excerpts.before);
	after = excerpt_take(excerpts.after);
	way = run->way ? excerpt_take(excerpts.way) : NULL;
	excerpt_free(excerpts.before);
	excerpt_free(excerpts.after);
	excerpt_free(excerpts.way);
	begin_play(run, before, way ? way : after, NULL);
	if (way)
		begin_play(run, way, after, NULL);
	return 0;
}

/* Nothing was made or deleted: what stood before needs no store to tell. */
static void rehearse_patch(struct run *run, const struct patch *patch)
{
	AUTO(excerpt) struct excerpt *from = excerpt_new_clean(run->candidate);
	AUTO(tree) struct tree *before = NULL;

	for (size_t i = 0; i < patch->count; i++) {
		AUTO(str) char *node = node_path_dup(patch->nodes[i]);

		excerpt_add(from, node);
	}
	before = excerpt_take(from);
	begin_play(run, before, NULL, patch);
}

/* ---- the real thing ---- */

/* What is ours, less what is no longer wanted. */
static bool is_kept(const struct backend *backend, const struct tree *tree,
		    const struct outcome *outcome,
		    const struct owned_item *item)
{
	return !strcmp(backend->name, item->backend) &&
	       (state_find(&outcome->want, backend, item->key) ||
		(backend->stays &&
		 backend->stays(item, tree, &outcome->facts)));
}

static void keep_wanted(const struct txn *txn, const struct tree *tree,
			const struct outcome *outcome, const struct owned *from,
			struct owned *kept)
{
	for (size_t i = 0; i < from->count; i++) {
		const struct owned_item *item = &from->items[i];

		for (size_t b = 0; txn->backends[b]; b++)
			if (is_kept(txn->backends[b], tree, outcome, item))
				owned_add(kept, item->backend, item->key,
					  item->saved, item->saved_size);
	}
}

/* Links may have come, gone and got other names since the change began. */
static int go_back(struct run *run, struct err *err)
{
	struct view view = run->view;
	struct facts facts = { 0 };
	int rc;

	know(&facts, view.facts);
	if (run->txn->read_facts(run->txn->host, &facts, NULL) == 0)
		view.facts = &facts;
	rc = go_to(&view, &run->outcome->now, &run->both, err);
	facts_clear(&facts);
	return rc;
}

/* Puts back what the steps so far have done. The reason stays in err; what goes
 * wrong on the way back is added to it. */
static int undo(struct run *run, int code, struct err *err)
{
	AUTO_ERR trouble = ERR_NONE;
	int rc;

	store_drop(run->writing);
	run->writing = NULL;
	rc = go_back(run, &trouble);
	if (rc == 0)
		rc = store_disarm(run->txn->store, &run->found, &trouble);
	if (rc == 0) {
		err_append(err, "; everything is as it was before");
		return code;
	}
	err_append(err,
		   "; AND it could not be put back: %s; run `tresse "
		   "restoreconfig` when the cause is mended",
		   trouble.text);
	if (err)
		err->code = -ENOTRECOVERABLE;
	return -ENOTRECOVERABLE;
}

static int guard(const struct run *run, bool after, struct err *err)
{
	const struct txn *txn = run->txn;

	return txn->guard ? txn->guard(txn, run->candidate, after,
				       txn->guard_arg, err)
			  : 0;
}

/* The first `count` steps of a plan. */
static int apply_steps(struct run *run, struct plan *plan, size_t count,
		       struct err *err)
{
	struct plan part = { .items = plan->items, .count = count };
	size_t failed = 0;
	const char *path;
	int rc =
		apply_all(run->txn->host, &part, run->txn->force, &failed, err);

	if (rc == 0)
		return 0;
	path = step_path(&part.items[failed]);
	run->outcome->failed_path = mem_strdup(path);
	return err_prefix(err, "%s%s", path, path[0] ? ": " : "");
}

/* From what the first has made, read anew, to what is wanted. */
static int second_leg(struct run *run, struct err *err)
{
	struct report report = REPORT_NONE;
	struct state now = STATE_NONE;
	struct plan plan = PLAN_NONE;
	struct owned claims = OWNED_NONE;
	int rc = read_all(&run->view, &run->both, &now, err);

	if (rc == 0) {
		plan_all(&run->view, &now, &run->outcome->want, &run->both,
			 &report, &plan, &claims);
		rc = report_err(&report, err);
	}
	if (rc == 0)
		rc = apply_steps(run, &plan, plan.count, err);
	owned_clear(&claims);
	plan_clear(&plan);
	state_clear(&now);
	report_clear(&report);
	return rc;
}

static void find_kept(struct run *run)
{
	owned_clear(&run->kept);
	if (run->view.own)
		owned_copy(&run->kept, &run->owned);
	else
		keep_wanted(run->txn, run->candidate, run->outcome, &run->both,
			    &run->kept);
}

/* Steps see objects alone, so the tree is free for the rows. */
static int apply_first(struct run *run, struct err *err)
{
	const struct txn *txn = run->txn;
	struct plan *plan = &run->outcome->plan;
	struct ahead *ahead = NULL;
	AUTO_ERR why = ERR_NONE;
	int rc;

	if (plan->count >= AHEAD_STEPS) {
		find_kept(run);
		ahead = ahead_start(txn->store, run->candidate, run->base,
				    &run->kept, &txn->stamp);
	}
	rc = apply_steps(run, plan, run->leg, err);
	if (!ahead)
		return rc;
	run->writing = ahead_end(ahead, &why);
	return rc == 0 && !run->writing ? err_move(err, &why) : rc;
}

/* The journal is written while the rehearsal runs. No step is done before both
 * have ended well. */
static int arm(struct run *run, struct err *err)
{
	AUTO_TEXT steps = TEXT_NONE;
	AUTO_ERR trouble = ERR_NONE;
	int rc = guard(run, false, err);

	if (rc < 0)
		return rc;
	list_steps(&run->outcome->plan, SIZE_MAX, "\n", &steps);
	rc = store_arm(run->txn->store, &run->both, text_get(&steps), err);
	if (rc < 0)
		return rc;
	rc = end_rehearsals(run, err);
	if (rc < 0 && store_disarm(run->txn->store, &run->found, &trouble) < 0)
		err_append(err, "; and that could not be noted: %s",
			   trouble.text);
	return rc;
}

/* Steps may have made links, by which more or other things are wanted. */
static bool facts_stayed(struct run *run)
{
	const struct facts *before = &run->outcome->facts;
	struct facts after = { 0 };
	bool same;

	if (!run->outcome->plan.count)
		return true;
	know(&after, before);
	same = run->txn->read_facts(run->txn->host, &after, NULL) == 0 &&
	       digest_equal(facts_digest(before), facts_digest(&after));
	facts_clear(&after);
	return same;
}

/* A lie of the kernel's, unless it was asked about other things than are there
 * now. */
static int verify_change(struct run *run, struct err *err)
{
	struct outcome *outcome = run->outcome;
	int rc = verify(&run->view, &outcome->want, &run->both, &run->sight,
			&outcome->failed_path, err);

	if (rc == -EREMOTEIO && !facts_stayed(run))
		err_append(err, " (devices, addresses or routes "
				"changed meanwhile: try again)");
	return rc;
}

static int apply(struct run *run, struct err *err)
{
	int rc = arm(run, err);

	if (rc < 0)
		return rc; /* nothing was done yet */
	rc = apply_first(run, err);
	if (rc == 0 && run->way)
		rc = second_leg(run, err);
	if (rc < 0)
		return undo(run, rc, err);
	rc = guard(run, true, err);
	if (rc == 0)
		rc = verify_change(run, err);
	return rc < 0 ? undo(run, rc, err) : 0;
}

static void seal(struct run *run)
{
	if (run->sight.whole && !run->doubtful && !run->txn->picks &&
	    facts_stayed(run))
		store_seal_put(run->txn->store, run->sight.digest);
}

static int commit(struct run *run, struct err *err)
{
	struct outcome *outcome = run->outcome;
	bool dirty = tree_is_dirty(run->candidate);
	int rc = 0;

	find_kept(run);
	if (run->writing)
		rc = store_keep(run->writing, &outcome->revision, err);
	else if (dirty || outcome->plan.count ||
		 run->kept.count != run->found.count ||
		 run->txn->stamp.ends_trial)
		rc = store_commit(run->txn->store, run->candidate, run->base,
				  &run->kept, &run->txn->stamp,
				  &outcome->revision, err);
	run->writing = NULL;
	outcome->stored = rc == 0 && outcome->revision != run->base;
	if (rc < 0 && outcome->plan.count)
		return undo(run, rc, err);
	if (rc == 0)
		seal(run);
	return rc;
}

static int load_owned(struct run *run, struct err *err)
{
	int rc = store_load_owned(run->txn->store, &run->found, err);

	owned_copy(&run->owned, &run->found);
	if (run->txn->takes)
		owned_copy(&run->owned, run->txn->takes);
	return rc;
}

/* ---- a patch ---- */

/* In place, without a loss: nothing else has to be looked at for it. */
static bool is_in_place(const struct plan *plan)
{
	if (plan->aside_count)
		return false;
	for (size_t i = 0; i < plan->count; i++)
		if (plan->items[i].op != STEP_CHANGE ||
		    plan->items[i].effect != EFFECT_HITLESS)
			return false;
	return true;
}

static bool want_patch(const struct view *view, const struct patch *patch,
		       struct outcome *outcome)
{
	for (size_t n = 0; n < patch->count; n++)
		for (size_t i = 0; view->backends[i]; i++) {
			const struct backend *backend = view->backends[i];

			if (backend->want_own &&
			    !backend->want_own(patch->nodes[n], &outcome->facts,
					       &outcome->report,
					       &outcome->want))
				return false;
		}
	return true;
}

/* False: what comes out of it is not for a patch to do, or to say. */
static bool plan_patch(struct run *run, const struct patch *patch)
{
	struct outcome *outcome = run->outcome;
	struct owned claims = OWNED_NONE;

	for (size_t i = 0; i < patch->count; i++) {
		if (!tree_knows_own(patch->nodes[i]))
			return false;
		tree_check_own(patch->nodes[i], &outcome->report);
	}
	if (outcome->report.errors ||
	    run->txn->read_facts(run->txn->host, &outcome->facts, NULL) < 0 ||
	    !want_patch(&run->view, patch, outcome))
		return false;
	run->view.own = &outcome->want;
	if (read_all(&run->view, &run->owned, &outcome->now, NULL) < 0)
		return false;
	plan_all(&run->view, &outcome->now, &outcome->want, &run->owned,
		 &outcome->report, &outcome->plan, &claims);
	owned_clear(&claims);
	owned_copy(&run->both, &run->owned);
	run->leg = outcome->plan.count;
	return !outcome->report.errors && is_in_place(&outcome->plan);
}

static void forget_patch(struct run *run)
{
	uint64_t revision = run->outcome->revision;

	outcome_clear(run->outcome);
	run->outcome->revision = revision;
	run->view.own = NULL;
	owned_clear(&run->both);
}

/* The seal goes on, but for what was changed: if it held before, so it does
 * now; if it did not, it still does not. */
static void reseal(struct run *run, struct digest seal)
{
	struct digest before = seal_of_world(&run->outcome->facts);

	if (run->outcome->plan.count) {
		seal_add_state(&run->outcome->now, &before);
		digest_remove(&seal, before);
		digest_add(&seal, run->sight.digest);
	}
	store_seal_put(run->txn->store, seal);
}

static int do_patch(struct run *run, const struct patch *patch, struct err *err)
{
	struct digest seal;
	bool sealed = store_seal(run->txn->store, &seal);
	int rc = 0;

	if (run->outcome->plan.count && run->txn->rehearse)
		rehearse_patch(run, patch);
	if (run->txn->dry)
		return end_rehearsals(run, err);
	if (run->outcome->plan.count)
		rc = apply(run, err);
	if (rc == 0)
		rc = commit(run, err);
	if (rc == 0 && sealed)
		reseal(run, seal);
	return rc;
}

/* ---- all the way ---- */

static int go_whole(struct run *run, struct err *err)
{
	int rc = look_for_seal(run, err);

	if (rc < 0 || run->sealed)
		return rc;
	rc = check(run, err);
	if (rc == 0)
		rc = plan(run, err);
	if (rc == 0 && run->outcome->plan.count && run->txn->rehearse)
		rc = rehearse(run, err);
	if (rc == 0 && run->txn->dry)
		return end_rehearsals(run, err);
	if (rc == 0 && run->outcome->plan.count)
		rc = apply(run, err);
	return rc < 0 ? rc : commit(run, err);
}

static int go(struct run *run, struct err *err)
{
	struct patch patch;
	int rc = txn_check_trial(run->txn, run->candidate, err);

	if (rc == 0)
		rc = load_owned(run, err);
	if (rc < 0)
		return rc;
	if (!run->txn->picks && patch_find(run->candidate, &patch)) {
		if (plan_patch(run, &patch))
			return do_patch(run, &patch, err);
		forget_patch(run);
	}
	if (tree_is_part(run->candidate))
		return err_set(err, ENODATA, "this takes the whole tree");
	return go_whole(run, err);
}

/* Ctrl-C and SIGTERM wait until a transaction is whole or undone. */
static void hold_signals(sigset_t *before)
{
	sigset_t held;

	sigemptyset(&held);
	sigaddset(&held, SIGINT);
	sigaddset(&held, SIGTERM);
	sigaddset(&held, SIGHUP);
	sigaddset(&held, SIGQUIT);
	sigaddset(&held, SIGTSTP);
	sigprocmask(SIG_BLOCK, &held, before);
}

int txn_run(const struct txn *txn, struct tree *candidate, uint64_t base,
	    struct outcome *outcome, struct err *err)
{
	struct run run = { .txn = txn,
			   .candidate = candidate,
			   .base = base,
			   .outcome = outcome,
			   .view = { txn->host, txn->backends, candidate,
				     &outcome->facts, txn, NULL } };
	sigset_t before;
	int rc;

	*outcome = (struct outcome){ .revision = base };
	hold_signals(&before);
	if (txn->stamp.ends_trial && !txn->dry)
		store_make_room(txn->store);
	rc = go(&run, err);
	if (rc < 0 && !txn->dry && txn->store)
		secret_drop_fresh(txn->store, candidate);
	end_rehearsals(&run, NULL);
	err_clear(&run.probe_err);
	sigprocmask(SIG_SETMASK, &before, NULL);
	owned_clear(&run.found);
	owned_clear(&run.owned);
	owned_clear(&run.both);
	owned_clear(&run.kept);
	store_drop(run.writing);
	tree_free(run.way);
	return rc;
}

/* ---- a host that is nobody's ---- */

static int reach(const struct view *view, struct outcome *outcome,
		 struct owned *owned, char **path, struct err *err)
{
	struct owned claims = OWNED_NONE;
	struct sight sight;
	size_t failed = 0;
	int rc = report_err(&outcome->report, err);

	if (rc == 0)
		rc = read_all(view, owned, &outcome->now, err);
	if (rc < 0)
		return rc;
	plan_all(view, &outcome->now, &outcome->want, owned, &outcome->report,
		 &outcome->plan, &claims);
	owned_copy(owned, &claims);
	owned_clear(&claims);
	rc = report_err(&outcome->report, err);
	if (rc < 0)
		return rc;
	rc = apply_all(view->host, &outcome->plan, true, &failed, err);
	if (rc < 0 && path)
		*path = mem_strdup(step_path(&outcome->plan.items[failed]));
	return rc < 0 ? rc
		      : verify(view, &outcome->want, owned, &sight, path, err);
}

int txn_reach(struct reach *to, const struct tree *tree, char **path,
	      struct err *err)
{
	const struct txn txn = { .host = to->host,
				 .backends = to->backends,
				 .read_facts = to->read_facts };
	struct outcome outcome = { 0 };
	struct view view = { to->host,	     to->backends, tree,
			     &outcome.facts, NULL,	   NULL };
	int rc;

	know(&outcome.facts, to->known);
	rc = find_facts(&txn, tree, &outcome.facts, err);
	for (size_t i = 0; to->backends[i] && rc == 0; i++)
		to->backends[i]->want(tree, &outcome.facts, &outcome.report,
				      &outcome.want);
	if (rc == 0)
		rc = reach(&view, &outcome, &to->owned, path, err);
	outcome_clear(&outcome);
	return rc;
}

static void take_settings(const struct node *from, struct node *to)
{
	for (size_t attr = 0; attr < node_kind(from)->attr_count; attr++)
		if (node_origin(from, attr) < ORIGIN_CHOSEN)
			node_unset(to, attr);
	node_copy_settings(from, to);
}

static void take_patch(struct tree *tree, const struct patch *patch)
{
	for (size_t i = 0; i < patch->count; i++) {
		AUTO(str) char *path = node_path_dup(patch->nodes[i]);
		struct node *node =
			tree_walk(tree, tree_root(tree), path, NULL);

		if (node)
			take_settings(patch->nodes[i], node);
	}
}

int txn_reach_patch(struct reach *to, struct tree *tree,
		    const struct patch *patch, char **path, struct err *err)
{
	struct outcome outcome = { 0 };
	struct view view = { to->host,	     to->backends, tree,
			     &outcome.facts, NULL,	   &outcome.want };
	struct patch same;
	int rc;

	tree_clean(tree);
	take_patch(tree, patch);
	know(&outcome.facts, to->known);
	rc = to->read_facts(to->host, &outcome.facts, err);
	if (rc == 0 &&
	    !(patch_find(tree, &same) && want_patch(&view, &same, &outcome)))
		rc = err_set(err, ENOTSUP, "there is no such patch of it");
	if (rc == 0)
		rc = reach(&view, &outcome, &to->owned, path, err);
	outcome_clear(&outcome);
	return rc;
}

/* ---- after a crash ---- */

static int recover(const struct txn *txn, const struct tree *tree,
		   struct err *err)
{
	struct outcome outcome = { 0 };
	struct view view = { txn->host,	     txn->backends, tree,
			     &outcome.facts, NULL,	    NULL };
	struct owned owned = OWNED_NONE, kept = OWNED_NONE;
	int rc = store_load_owned(txn->store, &owned, err);

	if (rc == 0)
		rc = find_facts(txn, tree, &outcome.facts, err);
	for (size_t i = 0; txn->backends[i] && rc == 0; i++)
		txn->backends[i]->want(tree, &outcome.facts, &outcome.report,
				       &outcome.want);
	if (rc == 0)
		rc = report_err(&outcome.report, err);
	if (rc == 0)
		rc = go_to(&view, &outcome.want, &owned, err);
	if (rc == 0) {
		keep_wanted(txn, tree, &outcome, &owned, &kept);
		rc = store_disarm(txn->store, &kept, err);
	}
	owned_clear(&owned);
	owned_clear(&kept);
	outcome_clear(&outcome);
	return rc;
}

int txn_recover(const struct txn *txn, bool *recovered, struct err *err)
{
	AUTO(str) char *steps = NULL;
	AUTO(tree) struct tree *tree = NULL;
	sigset_t before;
	int rc = store_armed(txn->store, recovered, &steps, err);

	if (rc < 0 || !*recovered)
		return rc;
	rc = store_load(txn->store, &tree, err);
	if (rc < 0)
		return rc;
	hold_signals(&before);
	rc = recover(txn, tree, err);
	sigprocmask(SIG_SETMASK, &before, NULL);
	if (rc == 0) {
		secret_sweep(txn->store);
		return 0;
	}
	err_prefix(err, "a change was cut off earlier and could not be "
			"undone: ");
	if (err) /* as it was left, it is no good */
		err->code = -ENOTRECOVERABLE;
	return -ENOTRECOVERABLE;
}

/* ---- only looking ---- */

/* Reads what a driver shows; one that may not look says so, and is left out
 * (*seen false). */
static int look(const struct view *view, const struct backend *backend,
		const struct owned *owned, struct outcome *outcome, bool *seen,
		struct err *err)
{
	AUTO_ERR why = ERR_NONE;
	int rc = read_backend(view, backend, owned, &outcome->now, &why);

	*seen = rc == 0;
	if (rc == -EPERM || rc == -EACCES) {
		report_note(&outcome->report, NULL, "%s", why.text);
		outcome->blind = true;
		return 0;
	}
	if (rc < 0)
		return err_move(err, &why);
	backend->want(view->tree, view->facts, &outcome->report,
		      &outcome->want);
	return 0;
}

/* Steps point into the two states, so these are whole before the first plan. */
static int look_all(const struct view *view, const struct owned *owned,
		    struct outcome *outcome, struct err *err)
{
	const struct backend *seen[16] = { NULL };
	struct owned claims = OWNED_NONE;
	size_t count = 0;
	int rc = 0;

	for (size_t i = 0; view->backends[i] && rc == 0; i++) {
		bool is_seen;

		assert(count < ARRAY_SIZE(seen));
		rc = look(view, view->backends[i], owned, outcome, &is_seen,
			  err);
		if (is_seen)
			seen[count++] = view->backends[i];
	}
	for (size_t i = 0; i < count && rc == 0; i++)
		seen[i]->plan(&outcome->now, &outcome->want, view->facts, owned,
			      &outcome->report, &outcome->plan, &claims);
	owned_clear(&claims);
	return rc;
}

/* What may not be probed is taken to be there, as it was when it was applied.
 */
static int probe_seen(const struct view *view, struct outcome *outcome,
		      struct err *err)
{
	for (size_t i = 0; view->backends[i]; i++) {
		const struct backend *backend = view->backends[i];
		AUTO_ERR why = ERR_NONE;
		int rc = backend->probe ? backend->probe(view->host, view->tree,
							 &outcome->facts, &why)
					: 0;

		if (rc < 0 && rc != -EPERM && rc != -EACCES)
			return err_move(err, &why);
		if (rc < 0)
			report_note(&outcome->report, NULL, "%s: %s",
				    backend->name, why.text);
	}
	return 0;
}

/* What the host is like, before anybody asks for anything. */
static int begin_outcome(const struct view *view,
			 int (*read_facts)(struct host *, struct facts *,
					   struct err *),
			 struct outcome *outcome, struct err *err)
{
	int rc;

	*outcome = (struct outcome){ 0 };
	rc = read_facts(view->host, &outcome->facts, err);
	return rc < 0 ? rc : probe_seen(view, outcome, err);
}

int txn_want(struct host *host, const struct backend *const *backends,
	     int (*read_facts)(struct host *, struct facts *, struct err *),
	     const struct tree *tree, struct outcome *outcome, struct err *err)
{
	struct view view = {
		host, backends, tree, &outcome->facts, NULL, NULL
	};
	int rc = begin_outcome(&view, read_facts, outcome, err);

	for (size_t i = 0; backends[i] && rc == 0; i++)
		backends[i]->want(tree, &outcome->facts, &outcome->report,
				  &outcome->want);
	return rc;
}

int txn_observe(struct host *host, const struct backend *const *backends,
		int (*read_facts)(struct host *, struct facts *, struct err *),
		const struct tree *tree, const struct owned *owned,
		struct outcome *outcome, struct err *err)
{
	struct view view = {
		host, backends, tree, &outcome->facts, NULL, NULL
	};
	int rc = begin_outcome(&view, read_facts, outcome, err);

	if (rc == 0)
		rc = look_all(&view, owned, outcome, err);
	if (rc == 0)
		plan_sort(&outcome->plan, backends);
	drop_waits(&outcome->plan);
	return rc;
}

bool txn_glance(struct store *store, struct host *host,
		const struct backend *const *backends,
		int (*read_facts)(struct host *, struct facts *, struct err *),
		const struct tree *tree, const struct owned *owned,
		struct outcome *outcome)
{
	struct view view = {
		host, backends, tree, &outcome->facts, NULL, NULL
	};
	struct digest seal;
	struct sight sight = { .whole = false };
	bool same;

	*outcome = (struct outcome){ 0 };
	same = store_seal(store, &seal) &&
	       read_facts(host, &outcome->facts, NULL) == 0 &&
	       glance(&view, owned, &outcome->now, &sight, NULL) == 0 &&
	       sight.whole && digest_equal(sight.digest, seal) &&
	       probe_seen(&view, outcome, NULL) == 0;
	if (!same)
		outcome_clear(outcome);
	return same;
}

/* What is wrong with one node, in one line. */
static void tell_step(struct live *live, const struct node *node,
		      const struct step *step)
{
	const struct kind *kind = node_kind(node);
	const struct attr *state = kind_attr(kind, "state");
	const struct attr *error = kind_attr(kind, "error");
	AUTO_TEXT line = TEXT_NONE, said = TEXT_NONE;

	if (!error || live_value(live, node, kind_index(kind, error)))
		return; /* the first step tells */
	step_print(step, &line);
	text_put(&said, step->op == STEP_ADD	  ? "missing (repair): "
			: step->op == STEP_DELETE ? "left over (repair): "
						  : "differs (repair): ");
	text_put(&said, text_get(&line) + 2); /* without the step's sign */
	live_set_text(live, node, kind_index(kind, error), text_get(&said));
	if (state && kind != &kind_path)
		live_set_text(live, node, kind_index(kind, state),
			      step->op == STEP_ADD ? "missing" : "differs");
}

static const char *state_of(const struct outcome *observed,
			    const struct node *node)
{
	const struct node *uplink = node;
	const char *device;

	while (uplink && node_kind(uplink) != &kind_uplink)
		uplink = node_parent(uplink);
	device = uplink ? uplink_device(uplink) : NULL;
	if (!device)
		return NULL;
	if (!node_u(uplink, UPLINK_ENABLED) ||
	    (node_kind(node) == &kind_match && !node_u(node, MATCH_ENABLED)))
		return "disabled";
	if (!facts_link(&observed->facts, device))
		return "no-device";
	return observed->blind ? NULL : "applied";
}

/* A state that is known, and no error with it that nobody has told. */
static void tell_state(struct live *live, const struct node *node,
		       const struct attr *row, const char *state)
{
	const struct kind *kind = node_kind(node);
	const struct attr *error = kind_attr(kind, "error");

	if (!live_value(live, node, kind_index(kind, row)))
		live_set_text(live, node, kind_index(kind, row), state);
	if (error && !live_value(live, node, kind_index(kind, error)))
		live_set_text(live, node, kind_index(kind, error), "");
}

void txn_states(const struct outcome *observed, const struct tree *tree,
		struct live *live)
{
	const struct node *root = tree_root(tree);

	for (size_t i = 0; i < observed->plan.count; i++) {
		const struct step *step = &observed->plan.items[i];
		const struct node *node =
			tree_walk(tree, root, step_path(step), NULL);

		if (node)
			tell_step(live, node, step);
	}
	for (const struct node *at = root; at; at = node_walk(root, at)) {
		const struct attr *row = kind_attr(node_kind(at), "state");
		const char *state = row ? state_of(observed, at) : NULL;

		if (state)
			tell_state(live, at, row, state);
	}
}
