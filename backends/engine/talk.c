/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/engine/inside.h"
#include "backends/engine/message.h"

enum {
	TELL_TIMES = 4,
	TELL_US = 30000,
	/* Acks that go along with data come so often at most. */
	ALONG_US = ARRIVAL_TRICKLE_US / 2,
	TRICKLE_BYTES = 1500, /* under way both ways: less is no bulk */
	/* An end that only acks asks so often whether its acks arrive, while
	 * there is data: two that ask each other would never rest. */
	ASK_US = 100000,
	REST_US = 500000, /* so long after the last data */
	LEAST_ROOM = MESSAGE_HEADER + 16 + MESSAGE_ACK_MOST,
};

void talk_tell(struct lane *lane, uint64_t now)
{
	lane->tell = TELL_TIMES;
	lane->tell_at = now;
}

static bool append(const struct message *message, uint8_t *payload, size_t room,
		   size_t *used)
{
	size_t more = message_print(message, payload + *used, room - *used);

	*used += more;
	return more;
}

static void add_acks(struct braid *braid, uint8_t *payload, size_t room,
		     size_t *used, uint64_t now)
{
	for (unsigned i = 0; i < braid->count; i++) {
		struct lane *lane = braid->lanes[i];
		struct message message = { .type = MESSAGE_ACK };

		if (!lane->arrival.pending || room - *used < LEAST_ROOM)
			continue;
		if (!arrival_ack(&lane->arrival, &message.ack, now))
			continue;
		message.ack.lane = lane->id;
		append(&message, payload, room, used);
	}
}

static void add_skips(struct braid *braid, uint8_t *payload, size_t room,
		      size_t *used)
{
	while (braid->skip_head != braid->skip_tail) {
		const struct braid_skip *skip =
			&braid->streams->skips[braid->skip_head % BRAID_SKIPS];
		struct message message = {
			.type = MESSAGE_SKIP,
			.skip = { skip->bucket, skip->seq },
		};

		if (!append(&message, payload, room, used))
			return;
		braid->skip_head++;
	}
}

static struct message_lane description(const struct braid *braid,
				       const struct lane *lane)
{
	struct message_lane message = {
		.lane = lane->id,
		.tier = lane->config.tier,
		.line = lane->config.line,
		.cap_kbps = (uint32_t)(lane->config.down_bps / 1000),
	};

	if (lane->down)
		message.flags |= MESSAGE_LANE_DOWN;
	if (lane->state == BRAID_SUSPECT || lane->state == BRAID_DEAD)
		message.flags |= MESSAGE_LANE_SILENT;
	if (braid->config.quiet)
		return message; /* the lanes are the peer's to describe */
	message.flags |= MESSAGE_LANE_CONFIG;
	if (lane->config.metered)
		message.flags |= MESSAGE_LANE_METERED;
	if (lane->config.standby)
		message.flags |= MESSAGE_LANE_STANDBY;
	if (lane->draining)
		message.flags |= MESSAGE_LANE_DRAIN;
	return message;
}

/* The server has the lanes as they were described, and no members of its own.
 */
static bool add_use(const struct braid *braid, const struct lane *lane,
		    uint8_t *payload, size_t room, size_t *used)
{
	struct message message = {
		.type = MESSAGE_USE,
		.use = { .lane = lane->id,
			 .weight = lane_weight(lane),
			 .policy = (uint8_t)braid_policy(braid) },
	};

	return braid->config.quiet || append(&message, payload, room, used);
}

static void add_lanes(struct braid *braid, uint8_t *payload, size_t room,
		      size_t *used, uint64_t now)
{
	for (unsigned i = 0; i < braid->count; i++) {
		struct lane *lane = braid->lanes[i];
		struct message message = {
			.type = MESSAGE_LANE,
			.lane = description(braid, lane),
		};

		if (!lane->tell || lane->tell_at > now)
			continue;
		if (!append(&message, payload, room, used) ||
		    !add_use(braid, lane, payload, room, used))
			return;
		lane->tell--;
		lane->tell_at = now + TELL_US;
	}
}

static void add_note(struct braid *braid, uint8_t *payload, size_t room,
		     size_t *used, uint64_t now)
{
	struct note *note = &braid->note;
	struct message noted = { .type = MESSAGE_NOTED,
				 .note = { .number = note->heard_number } };
	struct message message = { .type = MESSAGE_NOTE,
				   .note = { .number = note->number,
					     .size = note->size,
					     .bytes = note->bytes } };

	if (note->owed && append(&noted, payload, room, used))
		note->owed = false;
	if (!note->owed && note_next(note) <= now &&
	    append(&message, payload, room, used))
		note_told(note, now);
}

static bool has_news(const struct braid *braid, uint64_t now)
{
	if (braid->skip_head != braid->skip_tail ||
	    note_next(&braid->note) <= now)
		return true;
	for (unsigned i = 0; i < braid->count; i++) {
		const struct lane *lane = braid->lanes[i];

		if (arrival_is_due(&lane->arrival, now) ||
		    (lane->tell && lane->tell_at <= now))
			return true;
	}
	return false;
}

static void ask(struct braid *braid, struct lane *lane, uint8_t *payload,
		size_t room, size_t *used, uint64_t now)
{
	struct message message = { .type = MESSAGE_PING };

	braid->control_counts = false;
	if (lane->flight.packets || now - lane->pinged_at < ASK_US ||
	    now - braid->data_at > REST_US)
		return;
	if (append(&message, payload, room, used)) {
		braid->control_counts = true;
		lane->pinged_at = now;
	}
}

/* There is no lane to say it on. */
static void postpone(struct braid *braid, uint64_t now)
{
	braid->skip_head = braid->skip_tail;
	braid->note.owed = false;
	if (braid->note.at < now + ASK_US)
		braid->note.at = now + ASK_US;
	for (unsigned i = 0; i < braid->count; i++) {
		struct lane *lane = braid->lanes[i];

		if (lane->arrival.due < now + ASK_US)
			lane->arrival.due = now + ASK_US;
		if (lane->tell && lane->tell_at < now + ASK_US)
			lane->tell_at = now + ASK_US;
	}
}

/* What concerns all lanes goes by the two best. */
static size_t write_news(struct braid *braid, uint8_t *payload, size_t room,
			 uint64_t now, uint8_t *id)
{
	struct lane *second = NULL, *best = sched_best(braid, &second);
	size_t used = 0;

	if (!best) {
		postpone(braid, now);
		return 0;
	}
	if (room > BRAID_CONTROL_ROOM)
		room = BRAID_CONTROL_ROOM;
	add_acks(braid, payload, room, &used, now);
	add_lanes(braid, payload, room - 8, &used, now);
	add_skips(braid, payload, room - 8, &used);
	add_note(braid, payload, room - 8, &used, now);
	if (!used)
		return 0;
	if (second) {
		memcpy(braid->copy, payload, used);
		braid->copy_size = used;
		braid->copy_lane = second->id;
	}
	*id = best->id;
	ask(braid, best, payload, room, &used, now);
	return used;
}

static size_t write_copy(struct braid *braid, uint8_t *payload, size_t room,
			 uint64_t now, uint8_t *id)
{
	struct lane *lane = braid_lane(braid, braid->copy_lane);
	size_t used = braid->copy_size;

	braid->copy_size = 0;
	if (!lane || room < used)
		return 0;
	memcpy(payload, braid->copy, used);
	*id = lane->id;
	braid->control_counts = false;
	if (!sched_is_kept(braid, lane))
		ask(braid, lane, payload, room, &used, now);
	return used;
}

static size_t write_ping(struct braid *braid, struct lane *lane,
			 uint8_t *payload, size_t room, uint64_t now)
{
	struct message message = { .type = MESSAGE_PING };
	size_t used = 0;

	braid->control_counts = true;
	/* Of many clients that are gone a server asks none so often. */
	lane_pinged(lane, !braid->alive && !braid->config.quiet, now);
	append(&message, payload, room, &used);
	return used;
}

static size_t write_probe(struct braid *braid, struct lane *lane,
			  uint8_t *payload, size_t room, uint64_t now)
{
	uint16_t size = mtu_due(&lane->mtu, now);
	struct message message = { .type = MESSAGE_PING };
	size_t used = 0;

	/* At once, so that the device's MTU is right from the start. */
	if (!size || size > room ||
	    (lane->state != BRAID_UP && lane->state != BRAID_PROVING))
		return 0;
	braid->control_probe = true;
	/* In case it is never sent. */
	lane->mtu.next = now + ASK_US;
	append(&message, payload, room, &used);
	memset(payload + used, 0, size - used);
	return size;
}

size_t braid_control(struct braid *braid, uint8_t *payload, size_t room,
		     uint64_t now, uint8_t *id)
{
	size_t used;

	now = braid_advance(braid, now);
	braid->control_counts = braid->control_probe = false;
	if (room < BRAID_CONTROL_ROOM)
		return 0;
	if (braid->copy_size &&
	    (used = write_copy(braid, payload, room, now, id)))
		return used;
	if (has_news(braid, now) &&
	    (used = write_news(braid, payload, room, now, id)))
		return used;
	for (unsigned i = 0; i < braid->count; i++) {
		struct lane *lane = braid->lanes[i];

		*id = lane->id;
		if (lane_wants_ping(lane, braid->config.quiet, now))
			return write_ping(braid, lane, payload, room, now);
		if ((used = write_probe(braid, lane, payload, room, now)))
			return used;
	}
	return 0;
}

/* In bulk traffic acks have times of their own, and lanes that suit them. */
static bool is_trickle(const struct braid *braid)
{
	uint64_t bytes = 0;

	for (unsigned i = 0; i < braid->count; i++)
		bytes += braid->lanes[i]->arrival.pending_bytes +
			 braid->lanes[i]->flight.bytes;
	return bytes < TRICKLE_BYTES;
}

size_t braid_along(struct braid *braid, uint8_t id, uint8_t *payload,
		   size_t room, uint64_t now)
{
	const struct lane *lane = braid_lane(braid, id);
	bool wanted = false;
	size_t used = 0;

	now = braid_advance(braid, now);
	braid->control_counts = braid->control_probe = false;
	if (!lane || lane->state != BRAID_UP || !is_trickle(braid))
		return 0;
	for (unsigned i = 0; i < braid->count; i++) {
		const struct arrival *arrival = &braid->lanes[i]->arrival;

		wanted |=
			arrival->pending && now - arrival->acked_at >= ALONG_US;
	}
	if (wanted)
		add_acks(braid, payload, room, &used, now);
	return used;
}
