/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Do the classes send what comes to them (declared in tc.h)? */
#include <inttypes.h>

#include "backends/health.h"
#include "backends/tc/tc.h"
#include "model/base/mem.h"
#include "model/facts.h"
#include "model/shaping.h"

/* Hundredths of a percent of what came: more is as good as everything. */
#define DROPPED_MOST 9000
#define WHOLE	     10000

enum { CLASS_SENT, CLASS_DROPPED, CLASS_WAITING };

static uint64_t count_of(const struct live *live, const struct node *class,
			 size_t attr)
{
	const struct value *value = live_value(live, class, attr);

	return value ? value->u : 0;
}

/* Of a class made anew meanwhile, from nothing. */
static uint64_t since(uint64_t now, uint64_t past)
{
	return now >= past ? now - past : now;
}

static void judge(const struct checkup *checkup, const struct verdict *past,
		  struct verdict *verdict)
{
	const uint64_t *now = verdict->counts;
	uint64_t sent = since(now[CLASS_SENT], past->counts[CLASS_SENT]);
	uint64_t dropped =
		since(now[CLASS_DROPPED], past->counts[CLASS_DROPPED]);
	uint64_t came = sent + dropped;
	bool stands =
		!sent && now[CLASS_WAITING] && past->counts[CLASS_WAITING];
	bool drops = dropped && dropped * WHOLE >= came * DROPPED_MOST;
	AUTO(str) char *span = health_span_dup(checkup);
	char *limit = mem_strdup("less than 90% dropped");

	verdict->silent = !came && !stands;
	if (stands)
		verdict_say(verdict, false,
			    mem_printf("none sent in %s, %" PRIu64
				       " dropped, %" PRIu64 " wait",
				       span, dropped, now[CLASS_WAITING]),
			    limit);
	else
		verdict_say(verdict, !drops,
			    mem_printf("%" PRIu64 " of %" PRIu64
				       " packets dropped in %s",
				       dropped, came, span),
			    limit);
}

/* Packets that wait are seen at two readings; a class to which nothing comes
 * has nothing to say. */
static void measure(const struct checkup *checkup, const struct live *live,
		    const struct node *class, struct reading *reading)
{
	struct verdict *verdict =
		reading_add(reading, class, mem_strdup("packets"));
	const struct verdict *past =
		reading_find(checkup->past, reading->count - 1, verdict->path,
			     verdict->what);

	verdict->counts[CLASS_SENT] = count_of(live, class, CLASS_PACKETS);
	verdict->counts[CLASS_DROPPED] = count_of(live, class, CLASS_DROPS);
	verdict->counts[CLASS_WAITING] = count_of(live, class, CLASS_QUEUED);
	verdict->silent = true;
	if (past)
		judge(checkup, past, verdict);
}

static void measure_classes(const struct checkup *checkup,
			    const struct live *live, const struct node *uplink,
			    struct reading *reading)
{
	for (const struct node *at = node_first(uplink); at;
	     at = node_walk(uplink, at))
		if (node_kind(at) == &kind_class && class_is_leaf(at) &&
		    touched_has(checkup->touched, at))
			measure(checkup, live, at, reading);
}

int tc_health(struct host *host, const struct checkup *checkup,
	      struct reading *reading, struct err *err)
{
	AUTO(live) struct live *live = live_new();
	int rc = checkup->lists ? 0
				: tc_live(host, checkup->tree, checkup->facts,
					  live, err);

	node_each (uplink, tree_classes(checkup->tree)) {
		const char *device = uplink_device(uplink);

		if (rc < 0 || !device || !node_u(uplink, UPLINK_ENABLED) ||
		    !touched_has(checkup->touched, uplink))
			continue;
		/* A path's device is the route driver's. */
		if (!node_has(uplink, UPLINK_PATH))
			health_device(host, checkup, uplink, device, reading);
		if (!checkup->lists)
			measure_classes(checkup, live, uplink, reading);
	}
	return rc;
}
