/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/engine/message.h"

#include <errno.h>
#include <string.h>

#include "backends/engine/wire.h"

enum {
	ACK_FIXED = 1 + 4 + 3 + 3 + 4,
	SKIP_SIZE = 5,
	LANE_SIZE = 8,
	NOTE_FIXED = 2,
	USE_SIZE = 3,
	VARINT_MOST = 3, /* 21 bits: more than any receive window */
};

static size_t put_varint(uint8_t *to, size_t room, uint32_t value)
{
	size_t used = 0;

	while (used < room) {
		to[used++] = (uint8_t)((value & 0x7f) | (value > 0x7f) << 7);
		value >>= 7;
		if (!value)
			return used;
	}
	return 0;
}

static size_t get_varint(const uint8_t *from, size_t size, uint32_t *value)
{
	*value = 0;
	for (size_t i = 0; i < size && i < VARINT_MOST; i++) {
		*value |= (uint32_t)(from[i] & 0x7f) << (7 * i);
		if (!(from[i] & 0x80))
			return i + 1;
	}
	return 0;
}

static size_t print_ack(const struct message_ack *ack, uint8_t *to, size_t room)
{
	size_t used = ACK_FIXED;

	if (room > UINT8_MAX)
		room = UINT8_MAX;
	if (room < ACK_FIXED + VARINT_MOST || !ack->ranges)
		return 0;
	to[0] = ack->lane;
	wire_put32(to + 1, ack->largest);
	wire_put24(to + 5, ack->time);
	wire_put24(to + 8, ack->delay);
	wire_put32(to + 11, ack->bytes);
	used += put_varint(to + used, room - used, ack->range[0].length);
	for (unsigned i = 1; i < ack->ranges; i++) {
		if (room - used < 2 * VARINT_MOST)
			break;
		used += put_varint(to + used, room - used, ack->range[i].gap);
		used += put_varint(to + used, room - used,
				   ack->range[i].length);
	}
	return used;
}

static size_t print_note(const struct message *message, uint8_t *to,
			 size_t room)
{
	const struct message_note *note = &message->note;
	size_t size = message->type == MESSAGE_NOTE ? note->size : 0;

	if (room < NOTE_FIXED + size || NOTE_FIXED + size > UINT8_MAX)
		return 0;
	to[0] = (uint8_t)note->number;
	to[1] = (uint8_t)(note->number >> 8);
	if (size)
		memcpy(to + NOTE_FIXED, note->bytes, size);
	return NOTE_FIXED + size;
}

static size_t print_lane(const struct message_lane *lane, uint8_t *to,
			 size_t room)
{
	if (room < LANE_SIZE)
		return 0;
	to[0] = lane->lane;
	to[1] = lane->flags;
	to[2] = lane->tier;
	to[3] = lane->line;
	wire_put32(to + 4, lane->cap_kbps);
	return LANE_SIZE;
}

static size_t print_use(const struct message_use *use, uint8_t *to, size_t room)
{
	if (room < USE_SIZE)
		return 0;
	to[0] = use->lane;
	to[1] = use->weight;
	to[2] = use->policy;
	return USE_SIZE;
}

static size_t print_body(const struct message *message, uint8_t *to,
			 size_t room)
{
	switch (message->type) {
	case MESSAGE_ACK: return print_ack(&message->ack, to, room);
	case MESSAGE_SKIP:
		if (room < SKIP_SIZE)
			return 0;
		to[0] = (uint8_t)message->skip.bucket;
		to[1] = (uint8_t)(message->skip.bucket >> 8);
		wire_put24(to + 2, message->skip.seq);
		return SKIP_SIZE;
	case MESSAGE_LANE: return print_lane(&message->lane, to, room);
	case MESSAGE_USE: return print_use(&message->use, to, room);
	case MESSAGE_NOTE:
	case MESSAGE_NOTED: return print_note(message, to, room);
	default: return 0;
	}
}

size_t message_print(const struct message *message, uint8_t *to, size_t room)
{
	size_t body;

	if (room < MESSAGE_HEADER)
		return 0;
	body = print_body(message, to + MESSAGE_HEADER, room - MESSAGE_HEADER);
	if (!body && message->type != MESSAGE_PING)
		return 0;
	to[0] = (uint8_t)message->type;
	to[1] = (uint8_t)body;
	return MESSAGE_HEADER + body;
}

static int parse_ack(struct message_ack *ack, const uint8_t *from, size_t size)
{
	size_t used = ACK_FIXED, n;

	if (size < ACK_FIXED)
		return -EBADMSG;
	ack->lane = from[0];
	ack->largest = wire_get32(from + 1);
	ack->time = wire_get24(from + 5);
	ack->delay = wire_get24(from + 8);
	ack->bytes = wire_get32(from + 11);
	ack->range[0].gap = 0;
	for (ack->ranges = 0; used < size; ack->ranges++) {
		unsigned i = ack->ranges;

		if (i == MESSAGE_RANGES)
			return -EBADMSG;
		if (i) {
			n = get_varint(from + used, size - used,
				       &ack->range[i].gap);
			if (!n || !ack->range[i].gap)
				return -EBADMSG;
			used += n;
		}
		n = get_varint(from + used, size - used, &ack->range[i].length);
		if (!n || !ack->range[i].length)
			return -EBADMSG;
		used += n;
	}
	return ack->ranges ? 0 : -EBADMSG;
}

static int parse_skip(struct message_skip *skip, const uint8_t *from,
		      size_t size)
{
	if (size != SKIP_SIZE)
		return -EBADMSG;
	skip->bucket = (uint16_t)(from[0] | from[1] << 8);
	skip->seq = wire_get24(from + 2);
	if (skip->bucket >= WIRE_BUCKET_ANY || skip->seq >> WIRE_SEQ_BITS)
		return -EBADMSG;
	return 0;
}

static int parse_lane(struct message_lane *lane, const uint8_t *from,
		      size_t size)
{
	if (size < LANE_SIZE)
		return -EBADMSG;
	lane->lane = from[0];
	lane->flags = from[1];
	lane->tier = from[2];
	lane->line = from[3];
	lane->cap_kbps = wire_get32(from + 4);
	return 0;
}

static int parse_use(struct message_use *use, const uint8_t *from, size_t size)
{
	if (size < USE_SIZE)
		return -EBADMSG;
	use->lane = from[0];
	use->weight = from[1];
	use->policy = from[2];
	return 0;
}

static int parse_note(struct message_note *note, const uint8_t *from,
		      size_t size, bool noted)
{
	if (size < NOTE_FIXED || (noted && size > NOTE_FIXED))
		return -EBADMSG;
	note->number = (uint16_t)(from[0] | from[1] << 8);
	note->size = (uint8_t)(size - NOTE_FIXED);
	note->bytes = from + NOTE_FIXED;
	return 0;
}

int message_parse(struct message *message, const uint8_t *from, size_t size)
{
	size_t body;
	int rc = 0;

	if (!size || from[0] == MESSAGE_END)
		return 0;
	if (size < MESSAGE_HEADER)
		return -EBADMSG;
	body = from[1];
	if (body > size - MESSAGE_HEADER)
		return -EBADMSG;
	message->type = from[0];
	from += MESSAGE_HEADER;
	switch (message->type) {
	case MESSAGE_ACK: rc = parse_ack(&message->ack, from, body); break;
	case MESSAGE_SKIP: rc = parse_skip(&message->skip, from, body); break;
	case MESSAGE_LANE: rc = parse_lane(&message->lane, from, body); break;
	case MESSAGE_USE: rc = parse_use(&message->use, from, body); break;
	case MESSAGE_NOTE:
	case MESSAGE_NOTED:
		rc = parse_note(&message->note, from, body,
				message->type == MESSAGE_NOTED);
		break;
	default: break;
	}
	return rc < 0 ? rc : (int)(MESSAGE_HEADER + body);
}
