/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/engine/braid.h"

#include <errno.h>

/* First shape: one lane, nothing kept. The calls are there to build on. */
struct braid {
	struct braid_config config;
	int lane;
	uint32_t seq;
	struct braid_stats stats;
};

struct braid *braid_new(const struct braid_config *config)
{
	struct braid *braid = mem_alloc(sizeof(*braid));

	braid->config = *config;
	braid->lane = BRAID_NO_LANE;
	return braid;
}

void braid_free(struct braid *braid)
{
	free(braid);
}

void braid_restart(struct braid *braid, uint64_t now)
{
	(void)now;
	braid->seq = 0;
}

int braid_lane_add(struct braid *braid, uint8_t id,
		   const struct braid_lane_config *config, uint64_t now)
{
	(void)config, (void)now;
	if (braid->lane == id)
		return -EEXIST;
	if (braid->lane == BRAID_NO_LANE)
		braid->lane = id;
	return 0;
}

void braid_lane_set(struct braid *braid, uint8_t id,
		    const struct braid_lane_config *config, uint64_t now)
{
	(void)braid, (void)id, (void)config, (void)now;
}

void braid_lane_drain(struct braid *braid, uint8_t id, uint64_t now)
{
	(void)braid, (void)id, (void)now;
}

void braid_lane_remove(struct braid *braid, uint8_t id, uint64_t now)
{
	(void)now;
	if (braid->lane == id)
		braid->lane = BRAID_NO_LANE;
}

void braid_lane_down(struct braid *braid, uint8_t id, uint64_t now)
{
	(void)braid, (void)id, (void)now;
}

void braid_lane_up(struct braid *braid, uint8_t id, uint64_t now)
{
	(void)braid, (void)id, (void)now;
}

bool braid_has_lane(const struct braid *braid, uint8_t id)
{
	return braid->lane == id;
}

const char *braid_state_name(enum braid_state state)
{
	(void)state;
	return "up";
}

int braid_plan(struct braid *braid, const struct braid_flow *flow, int count,
	       uint64_t now, struct braid_plan *plan)
{
	(void)now;
	if (braid->lane == BRAID_NO_LANE)
		return -ENETUNREACH;
	if (count > BRAID_RUN)
		count = BRAID_RUN;
	*plan = (struct braid_plan){
		.lane = (uint8_t)braid->lane,
		.second = BRAID_NO_LANE,
		.bucket = flow->loose ? WIRE_BUCKET_ANY : flow->bucket,
		.count = (uint16_t)count,
		.seq = braid->seq,
	};
	braid->seq += (uint32_t)count;
	return count;
}

void braid_sent(struct braid *braid, const struct braid_sent *sent,
		uint64_t now)
{
	(void)braid, (void)sent, (void)now;
}

int braid_resend(struct braid *braid, uint64_t now, struct braid_again *again)
{
	(void)braid, (void)now, (void)again;
	return 0;
}

void braid_gone(struct braid *braid, const struct braid_again *again)
{
	(void)braid, (void)again;
}

size_t braid_control(struct braid *braid, uint8_t *payload, size_t room,
		     uint64_t now, uint8_t *lane)
{
	(void)braid, (void)payload, (void)room, (void)now, (void)lane;
	return 0;
}

void braid_received(struct braid *braid, const struct braid_received *in,
		    uint64_t now)
{
	(void)braid, (void)in, (void)now;
}

void braid_order(struct braid *braid, const struct braid_received *in,
		 const uint8_t *packet, uint64_t now)
{
	(void)now;
	braid->stats.delivered++;
	braid->config.deliver(braid->config.context, packet, in->size,
			      in->inner.flags);
}

int braid_read(struct braid *braid, uint8_t lane, const uint8_t *payload,
	       size_t size, uint64_t now)
{
	(void)braid, (void)lane, (void)payload, (void)size, (void)now;
	return 0;
}

uint64_t braid_next(const struct braid *braid)
{
	(void)braid;
	return BRAID_NEVER;
}

void braid_timer(struct braid *braid, uint64_t now)
{
	(void)braid, (void)now;
}

bool braid_event(struct braid *braid, struct braid_event *event)
{
	(void)braid, (void)event;
	return false;
}

uint16_t braid_mtu(const struct braid *braid)
{
	(void)braid;
	return 1280;
}

int braid_lane_stats(const struct braid *braid, uint8_t id, uint64_t now,
		     struct braid_lane_stats *stats)
{
	(void)now;
	if (braid->lane != id)
		return -ENOENT;
	*stats = (struct braid_lane_stats){ .state = BRAID_UP };
	return 0;
}

void braid_stats(const struct braid *braid, struct braid_stats *stats)
{
	*stats = braid->stats;
}
