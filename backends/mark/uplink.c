/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/mark/uplink.h"

#include <stdlib.h>

#include "backends/mark/match.h"
#include "model/shard.h"

uint32_t class_mark(const struct node *class)
{
	const struct value *value = node_value(class, CLASS_MARK);

	return value && !value->word ? value->bits.value : 0;
}

bool uplink_asks_connections(const struct uplink *uplink)
{
	for (size_t i = 0; i < uplink->claim_count; i++)
		if (!uplink->claims[i].packet && !uplink->claims[i].host &&
		    !node_text(uplink->claims[i].match, MATCH_CGROUP))
			return true;
	return false;
}

bool uplink_asks_hosts(const struct uplink *uplink)
{
	for (size_t i = 0; i < uplink->claim_count; i++)
		if (uplink->claims[i].host)
			return true;
	return false;
}

static const char *device_of(const struct node *uplink)
{
	const char *device = node_text(uplink, UPLINK_DEVICE);
	const struct node *path;

	if (device)
		return device;
	path = node_target(uplink, UPLINK_PATH, NULL);
	return path ? node_text(path, PATH_DEVICE) : NULL;
}

/* ---- collecting ------------------------------------------------------ */

static void add_class(struct uplink *uplink, const struct node *class)
{
	uplink->classes = mem_grow(uplink->classes, uplink->class_count,
				   &uplink->class_room, sizeof(struct node *));
	uplink->classes[uplink->class_count++] = class;
}

static void add_claim(struct uplink *uplink, const struct node *class,
		      const struct node *match)
{
	uplink->claims = mem_grow(uplink->claims, uplink->claim_count,
				  &uplink->claim_room, sizeof(struct claim));
	uplink->claims[uplink->claim_count] = (struct claim){
		.match = match,
		.mark = class_mark(class),
		.classid = class_handle(class, uplink->shards),
		.order = node_u(match, MATCH_ORDER),
		.place = uplink->claim_count,
		.packet = node_u(match, MATCH_SCOPE) == SCOPE_PACKET,
		.host = node_has(match, MATCH_HOST),
	};
	uplink->claim_count++;
}

static void read_matches(struct uplink *uplink, const struct node *class,
			 struct report *report)
{
	const struct node *matches = node_fixed(class, &kind_matches);
	AUTO(mem) void *room = NULL;

	if (!matches)
		return;
	room = node_sorted(matches);
	for (struct node **at = room; *at; at++)
		if (node_u(*at, MATCH_ENABLED) && match_check(*at, report))
			add_claim(uplink, class, *at);
}

static void read_class(struct uplink *uplink, const struct node *class,
		       struct report *report);

/* Returns how many classes are below. */
static size_t read_classes(struct uplink *uplink, const struct node *parent,
			   struct report *report)
{
	AUTO(mem) void *room = node_sorted(parent);
	size_t count = 0;

	for (struct node **at = room; *at; at++) {
		if (node_kind(*at) != &kind_class)
			continue;
		read_class(uplink, *at, report);
		count++;
	}
	return count;
}

static void read_class(struct uplink *uplink, const struct node *class,
		       struct report *report)
{
	uint32_t mark = class_mark(class);

	/* HTB gives packets to leaves only. */
	if (read_classes(uplink, class, report) || !mark)
		return;
	if (mark & ~uplink->mask) {
		report_error(report, class, ERANGE,
			     "mark 0x%x has bits outside class-mask 0x%x of "
			     "/system",
			     mark, uplink->mask);
		return;
	}
	add_class(uplink, class);
	read_matches(uplink, class, report);
}

/* ---- ordering -------------------------------------------------------- */

static int compare_claims(const void *a, const void *b)
{
	const struct claim *left = a, *right = b;

	if (left->order != right->order)
		return left->order < right->order ? -1 : 1;
	return left->place < right->place ? -1 : left->place > right->place;
}

static void sort_claims(struct uplink *uplink)
{
	if (uplink->claim_count)
		qsort(uplink->claims, uplink->claim_count,
		      sizeof(*uplink->claims), compare_claims);
	for (size_t i = 0; i < uplink->claim_count; i++)
		if (node_text(uplink->claims[i].match, MATCH_CGROUP))
			uplink->local_count = i + 1;
}

bool uplink_read(const struct node *node, const struct facts *facts,
		 uint32_t mask, struct report *report, struct uplink *uplink)
{
	*uplink = (struct uplink){
		.node = node,
		.device = device_of(node),
		.mask = mask,
		/* A filter of tc's, of either sort. Unset is 0: nft. */
		.fw = node_u(node, UPLINK_CLASSIFIER) != CLASSIFIER_NFT,
		.shards = uplink_shards(node, facts),
	};
	/* What arrives is classified by backends/tc/: tc comes first there. */
	if (!node_u(node, UPLINK_ENABLED) || !uplink->device ||
	    node_u(node, UPLINK_DIRECTION) == DIRECTION_DOWN)
		return false;
	read_classes(uplink, node, report);
	sort_claims(uplink);
	return uplink->class_count > 0;
}

void uplink_clear(struct uplink *uplink)
{
	free(uplink->classes);
	free(uplink->claims);
	*uplink = (struct uplink){ 0 };
}
