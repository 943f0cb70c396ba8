/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "shell/crowd.h"

#include <string.h>

#include "model/backend.h"
#include "model/node.h"

bool crowd_is(const struct node *branch)
{
	return node_kind(branch) == &kind_peers &&
	       node_count(branch) > CROWD_SHOWN;
}

static const char *live_word(const struct live *live, const struct node *node,
			     size_t attr)
{
	const struct value *value = live ? live_value(live, node, attr) : NULL;

	return value && value->text ? value->text : "";
}

static uint64_t live_number(const struct live *live, const struct node *node,
			    size_t attr)
{
	const struct value *value = live ? live_value(live, node, attr) : NULL;

	return value ? value->u : 0;
}

static bool is_up(const struct live *live, const struct node *peer)
{
	return !strcmp(live_word(live, peer, PEER_STATE), "up");
}

static uint64_t weight_of(const struct node *peer, const struct live *live)
{
	if (live_word(live, peer, PEER_ERROR)[0])
		return UINT64_MAX;
	return live_number(live, peer, PEER_COUNTERS + COUNTER_RATE_OUT) +
	       live_number(live, peer, PEER_COUNTERS + COUNTER_RATE_IN) +
	       is_up(live, peer);
}

size_t crowd_pick(const struct node *peers, const struct live *live,
		  const struct node *shown[CROWD_SHOWN])
{
	size_t count = 0;

	for (size_t i = 0; i < CROWD_SHOWN; i++)
		shown[i] = NULL;
	node_each (peer, peers) {
		const struct node *at = peer;

		for (size_t i = 0; i < CROWD_SHOWN && at; i++) {
			const struct node *other = shown[i];

			if (other &&
			    weight_of(other, live) >= weight_of(at, live))
				continue;
			shown[i] = at;
			at = other;
		}
	}
	while (count < CROWD_SHOWN && shown[count])
		count++;
	return count;
}

enum health crowd_rest(const struct node *peers, const struct live *live,
		       const struct node *const *shown, size_t count,
		       struct text *out)
{
	size_t rest = node_count(peers) - count, up = 0;
	AUTO(str) char *path = node_path_dup(peers);

	node_each (peer, peers)
		up += is_up(live, peer);
	for (size_t i = 0; i < count; i++)
		up -= is_up(live, shown[i]);
	text_printf(out, "%zu more, %zu of them up: %s ls", rest, up, path);
	return up == rest ? HEALTH_GOOD : live ? HEALTH_BAD : HEALTH_UNKNOWN;
}
