/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Are members and peers alive, and what is lost on the way (declared in
 * object.h)? By the engine's own figures. */
#include <string.h>

#include "backends/tunnel/client.h"
#include "backends/tunnel/object.h"
#include "model/base/mem.h"
#include "model/health.h"

/* Sockets of a member, or of all members of a peer. */
struct ways {
	unsigned count, up;
	const char *state;		    /* of one that is not up */
	uint64_t rtt_us, loss_out, loss_in; /* of those up; ppm, added up */
};

static uint64_t number(const json_t *json, const char *name)
{
	json_int_t value = json_integer_value(json_object_get(json, name));

	return value > 0 ? (uint64_t)value : 0;
}

static const char *word(const json_t *json, const char *name)
{
	const char *text = json_string_value(json_object_get(json, name));

	return text ? text : "";
}

static json_t *named(json_t *list, const char *name)
{
	json_t *item;
	size_t i;

	json_array_foreach(list, i, item)
	{
		if (!strcmp(word(item, "name"), name))
			return item;
	}
	return NULL;
}

static void add_lane(struct ways *ways, const json_t *lane)
{
	uint64_t rtt_us = number(lane, "rtt-us");

	ways->count++;
	if (strcmp(word(lane, "state"), "up") != 0) {
		ways->state = word(lane, "state");
		return;
	}
	ways->up++;
	ways->loss_out += number(lane, "loss-ppm");
	ways->loss_in += number(lane, "loss-in-ppm");
	if (rtt_us && (!ways->rtt_us || rtt_us < ways->rtt_us))
		ways->rtt_us = rtt_us;
}

static struct ways ways_of(const json_t *peer, const char *member)
{
	struct ways ways = { .state = "waiting" };
	json_t *lane;
	size_t i;

	json_array_foreach(json_object_get(peer, "lanes"), i, lane)
	{
		if (!member || !strcmp(word(lane, "member"), member))
			add_lane(&ways, lane);
	}
	return ways;
}

static double percent(uint64_t ppm, unsigned count)
{
	return (double)ppm / count / 10000;
}

static void tell_loss(const struct checkup *checkup, const struct node *node,
		      const struct ways *ways, struct reading *reading)
{
	double out = percent(ways->loss_out, ways->up);
	double in = percent(ways->loss_in, ways->up);
	double limit = (double)checkup->loss / 100;
	struct verdict *verdict =
		reading_add(reading, node, mem_strdup("loss"));

	verdict_say(verdict, out <= limit && in <= limit,
		    mem_printf("%.2f%% out, %.2f%% in", out, in),
		    mem_printf("%g%%", limit));
	verdict->guest = node_kind(node) == &kind_peer;
}

/* status NULL: the engine does not know the link, or does not answer. */
static void tell(const struct checkup *checkup, const struct node *node,
		 const json_t *status, const struct ways *ways,
		 struct reading *reading)
{
	struct verdict *verdict =
		reading_add(reading, node, mem_strdup("alive"));
	char *limit = mem_strdup("up");

	verdict->guest = node_kind(node) == &kind_peer;
	if (!status)
		verdict_say(verdict, false,
			    mem_strdup("the engine does not tell"), limit);
	else if (!ways->up)
		verdict_say(verdict, false,
			    mem_strdup(ways->count ? ways->state : "waiting"),
			    limit);
	else
		verdict_say(verdict, true,
			    mem_printf("up, %.2f ms",
				       (double)ways->rtt_us / 1e3),
			    limit);
	if (status && ways->up)
		tell_loss(checkup, node, ways, reading);
}

/* Is its device all its own? */
static void tell_queues(const struct checkup *checkup, const struct node *link,
			const json_t *status, struct reading *reading)
{
	uint64_t foreign = number(status, "foreign-queues");
	struct verdict *verdict;

	if (!touched_has(checkup->touched, link))
		return;
	verdict = reading_add(reading, link, mem_strdup("queues"));
	verdict_say(verdict, status && !foreign,
		    !status   ? mem_strdup("the engine does not tell")
		    : foreign ? mem_printf("%llu of another program",
					   (unsigned long long)foreign)
			      : mem_strdup("its own"),
		    mem_strdup("its own"));
}

static bool is_asked(const struct checkup *checkup, const struct node *node)
{
	size_t enabled =
		node_kind(node) == &kind_member ? MEMBER_ENABLED : PEER_ENABLED;

	return node_u(node, enabled) && touched_has(checkup->touched, node);
}

static void measure(const struct checkup *checkup, const struct node *link,
		    json_t *status, struct reading *reading)
{
	json_t *peers = json_object_get(status, "peers");
	json_t *names = tunnel_by_name(peers);

	node_each (member, node_fixed(link, &kind_members)) {
		struct ways ways =
			ways_of(json_array_get(peers, 0), node_name(member));

		if (is_asked(checkup, member))
			tell(checkup, member, status, &ways, reading);
	}
	node_each (peer, node_fixed(link, &kind_peers)) {
		struct ways ways =
			ways_of(json_object_get(names, node_name(peer)), NULL);

		if (is_asked(checkup, peer))
			tell(checkup, peer, status, &ways, reading);
	}
	tell_queues(checkup, link, status, reading);
	json_decref(names);
}

int tunnel_health(struct host *host, const struct checkup *checkup,
		  struct reading *reading, struct err *err)
{
	json_t *links = NULL;

	(void)host;
	(void)err;
	node_each (link, tree_links(checkup->tree)) {
		if (!node_u(link, LINK_ENABLED) ||
		    !touched_has(checkup->touched, link))
			continue;
		if (!links && !checkup->lists)
			links = client_ask(json_pack("{s:s}", "do", "status"),
					   NULL);
		measure(checkup, link, named(links, node_name(link)), reading);
	}
	json_decref(links);
	return 0;
}
