/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The route driver: for every path a routing table of its own, and rules that
 * lead there by source address and by mark.
 *
 *     rule from 192.0.2.2 lookup 20000 --.
 *                                         >-- table 20000: 192.0.2.0/24 dev
 * wan0 rule fwmark 0x10000/0xff0000 ------'                 default via
 * 192.0.2.1
 *
 * Routes come before the rules that lead to them and go after them, so a packet
 * never meets a rule to an empty table.
 */
#include <net/if.h>
#include <string.h>

#include "backends/list.h"
#include "backends/route/apply.h"
#include "backends/route/export.h"
#include "backends/route/health.h"
#include "backends/route/object.h"
#include "backends/route/read.h"
#include "backends/route/want.h"

/* Gateways are looked up in the table itself first: networks before defaults,
 * and the other way round on the way out. What is too much under one key goes
 * before anything else, so that a deletion meets the right one. */
enum { LEVEL_SURPLUS, LEVEL_NETWORK, LEVEL_DEFAULT };
enum { LEVEL_RULE, LEVEL_OLD_DEFAULT, LEVEL_OLD_NETWORK };

static bool differs(const struct object *now, const struct object *want)
{
	return !route_equal(route_of(now), route_of(want));
}

static bool is_rule(const struct object *object)
{
	return route_of(object)->what == ROUTE_RULE;
}

static int level_of(const struct object *object)
{
	return route_of(object)->to.length ? LEVEL_NETWORK : LEVEL_DEFAULT;
}

/* Foreign ones are only looked at; going back from a state that has them must
 * not make them either. */
static void add(struct plan *plan, const struct object *want, void *arg)
{
	(void)arg;
	if (route_of(want)->foreign)
		return;
	if (is_rule(want))
		plan_add(plan, &backend_route, STEP_ADD, PHASE_FLIP, 0,
			 EFFECT_HITLESS, NULL, want);
	else
		plan_add(plan, &backend_route, STEP_ADD, PHASE_BUILD,
			 level_of(want), EFFECT_HITLESS, NULL, want);
}

static void change(struct plan *plan, const struct object *now,
		   const struct object *want, void *arg)
{
	(void)arg;
	if (!route_of(now)->foreign)
		plan_add(plan, &backend_route, STEP_CHANGE, PHASE_BUILD,
			 level_of(want), EFFECT_HITLESS, now, want);
}

static void take_away(struct plan *plan, const struct object *now, void *arg)
{
	int level = LEVEL_RULE;

	(void)arg;
	if (route_of(now)->foreign)
		return;
	if (strchr(now->key, '#')) {
		plan_add(plan, &backend_route, STEP_DELETE, PHASE_BUILD,
			 LEVEL_SURPLUS, EFFECT_HITLESS, now, NULL);
		return;
	}
	if (!is_rule(now))
		level = route_of(now)->to.length ? LEVEL_OLD_NETWORK
						 : LEVEL_OLD_DEFAULT;
	plan_add(plan, &backend_route, STEP_DELETE, PHASE_CLEAN, level,
		 EFFECT_FLAP, now, NULL);
}

/* ---- foreign routes -------------------------------------------------- */

/* One that stands exactly where a wanted one has to stand. */
static void refuse_rivals(const struct state *now, const struct state *want,
			  struct report *report)
{
	for (size_t i = 0; i < want->count; i++) {
		const struct object *object = &want->items[i];
		AUTO_TEXT line = TEXT_NONE;
		const struct object *rival;
		AUTO(str) char *key = NULL;

		if (object->backend != &backend_route ||
		    route_of(object)->foreign)
			continue;
		key = mem_printf("foreign %s", object->key);
		rival = state_find(now, &backend_route, key);
		if (!rival)
			continue;
		route_put(route_of(rival), &line);
		report_add(report, FINDING_ERROR, EEXIST, object->path,
			   "there is a %s already, which is not Tresse's: "
			   "delete it, or give this path another table",
			   text_get(&line));
	}
}

/* The others in our tables: packets sent there will meet them too. They come a
 * table at a time from route_read(). */
static void warn_of_strangers(const struct state *now, struct report *report)
{
	for (size_t i = 0; i < now->count;) {
		const struct object *first = &now->items[i];
		AUTO_TEXT line = TEXT_NONE;
		size_t count = 0;

		if (first->backend != &backend_route ||
		    !route_of(first)->foreign) {
			i++;
			continue;
		}
		while (i < now->count &&
		       now->items[i].backend == &backend_route &&
		       route_of(&now->items[i])->foreign &&
		       route_of(&now->items[i])->table ==
			       route_of(first)->table) {
			i++;
			count++;
		}
		route_put(route_of(first), &line);
		report_add(report, FINDING_WARNING, 0, first->path,
			   "table %u holds %zu route%s that %s not Tresse's "
			   "(%s)",
			   route_of(first)->table, count, count > 1 ? "s" : "",
			   count > 1 ? "are" : "is", text_get(&line));
	}
}

static void route_plan(const struct state *now, const struct state *want,
		       const struct facts *facts, const struct owned *owned,
		       struct report *report, struct plan *plan,
		       struct owned *claims)
{
	static const struct diff diff = { differs, add, change, take_away };

	(void)facts;
	(void)owned;
	(void)claims; /* ours are told by their protocol */
	refuse_rivals(now, want, report);
	warn_of_strangers(now, report);
	state_diff(now, want, &backend_route, &diff, plan, NULL);
}

/* ---- showing --------------------------------------------------------- */

static void route_print(const struct object *object, struct text *out)
{
	route_put(route_of(object), out);
}

static void route_print_change(const struct object *before,
			       const struct object *after, struct text *out)
{
	route_put_change(route_of(before), route_of(after), out);
}

static const char *state_of(const struct link_fact *link)
{
	if (!link)
		return "no-device";
	if (!(link->flags & IFF_UP))
		return "down";
	return link->carrier ? "up" : "no-carrier";
}

static int route_live(struct host *host, const struct tree *tree,
		      const struct facts *facts, struct live *live,
		      struct err *err)
{
	(void)host;
	(void)err;
	node_each (path, tree_paths(tree)) {
		const char *device = node_text(path, PATH_DEVICE);

		live_set_text(live, path, PATH_STATE,
			      state_of(device ? facts_link(facts, device)
					      : NULL));
	}
	return 0;
}

/* Another gateway of the path's own table; nothing else is a setting. */
static int route_adopt(const struct step *step, struct node *node,
		       struct err *err)
{
	const struct route_data *found = route_of(step->before);
	const struct route_data *wanted = route_of(step->after);
	struct value value = { .prefix = found->gateway };
	struct route_data same = *wanted;

	same.gateway = found->gateway;
	if (node_kind(node) != &kind_path || found->what != ROUTE_ROUTE ||
	    found->to.length || !found->gateway.family ||
	    !route_equal(found, &same))
		return err_set(err, EOPNOTSUPP,
			       "only another gateway of its table can be taken "
			       "over");
	node_set(node, found->family == AF_INET ? PATH_GATEWAY : PATH_GATEWAY6,
		 &value, ORIGIN_GIVEN);
	return 0;
}

const struct backend backend_route = {
	.name = "route",
	.summary = "routing tables and rules of the paths",
	.want = route_want,
	.read = route_read,
	.plan = route_plan,
	.apply = route_apply,
	.print = route_print,
	.print_change = route_print_change,
	.adopt = route_adopt,
	.exports = "ip",
	.export = route_export,
	.live = route_live,
	.health = route_health,
};
