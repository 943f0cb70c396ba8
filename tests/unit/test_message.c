/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <string.h>

#include "backends/engine/message.h"
#include "tests/unit/unit.h"

TEST(message, reads_what_it_wrote)
{
	struct message ack = {
		.type = MESSAGE_ACK,
		.ack = { .lane = 7,
			 .largest = 0xdeadbeef,
			 .time = 0xabcdef,
			 .delay = 0x123456,
			 .bytes = 0xfffffff0,
			 .ranges = 3,
			 .range = { { 0, 1 }, { 300, 20000 }, { 1, 127 } } },
	};
	struct message lane = {
		.type = MESSAGE_LANE,
		.lane = { .lane = 200,
			  .flags = MESSAGE_LANE_DOWN | MESSAGE_LANE_METERED,
			  .tier = 3,
			  .line = 9,
			  .cap_kbps = 50000 },
	};
	struct message skip = {
		.type = MESSAGE_SKIP,
		.skip = { 0xffe, 0xfffff },
	};
	struct message ping = { .type = MESSAGE_PING };
	struct message read;
	uint8_t bytes[256] = { 0 };
	size_t size = 0;
	int used;

	size += message_print(&ack, bytes + size, sizeof(bytes) - size);
	size += message_print(&lane, bytes + size, sizeof(bytes) - size);
	size += message_print(&skip, bytes + size, sizeof(bytes) - size);
	size += message_print(&ping, bytes + size, sizeof(bytes) - size);

	used = message_parse(&read, bytes, sizeof(bytes));
	CU_ASSERT_EQUAL(read.type, MESSAGE_ACK);
	CU_ASSERT_EQUAL(read.ack.largest, 0xdeadbeef);
	CU_ASSERT_EQUAL(read.ack.time, 0xabcdef);
	CU_ASSERT_EQUAL(read.ack.ranges, 3);
	CU_ASSERT_EQUAL(read.ack.range[1].gap, 300);
	CU_ASSERT_EQUAL(read.ack.range[1].length, 20000);
	used += message_parse(&read, bytes + used, sizeof(bytes));
	CU_ASSERT_EQUAL(read.lane.lane, 200);
	CU_ASSERT_EQUAL(read.lane.tier, 3);
	CU_ASSERT_EQUAL(read.lane.line, 9);
	CU_ASSERT_EQUAL(read.lane.cap_kbps, 50000);
	used += message_parse(&read, bytes + used, sizeof(bytes));
	CU_ASSERT_EQUAL(read.skip.seq, 0xfffff);
	used += message_parse(&read, bytes + used, sizeof(bytes));
	CU_ASSERT_EQUAL(read.type, MESSAGE_PING);
	CU_ASSERT_EQUAL((size_t)used, size);
	CU_ASSERT_EQUAL(message_parse(&read, bytes + used, 1), 0);
}

TEST(message, leaves_ranges_out_rather_than_not_to_fit)
{
	struct message ack = { .type = MESSAGE_ACK }, read;
	uint8_t bytes[60];
	size_t size;

	ack.ack.ranges = MESSAGE_RANGES;
	for (unsigned i = 0; i < MESSAGE_RANGES; i++) {
		ack.ack.range[i].gap = 1;
		ack.ack.range[i].length = 1;
	}
	size = message_print(&ack, bytes, sizeof(bytes));
	CU_ASSERT(size > 0 && size <= sizeof(bytes));
	CU_ASSERT_EQUAL(message_parse(&read, bytes, size), (int)size);
	CU_ASSERT(read.ack.ranges > 1 && read.ack.ranges < MESSAGE_RANGES);
	CU_ASSERT_EQUAL(message_print(&ack, bytes, 8), 0);
}

TEST(message, every_cut_of_a_list_is_an_error_or_a_message)
{
	struct message ack = { .type = MESSAGE_ACK }, read;
	uint8_t bytes[64];
	size_t size;

	ack.ack.ranges = 2;
	ack.ack.range[0].length = ack.ack.range[1].length = 5;
	ack.ack.range[1].gap = 9;
	size = message_print(&ack, bytes, sizeof(bytes));
	for (size_t cut = 1; cut < size; cut++)
		CU_ASSERT_EQUAL(message_parse(&read, bytes, cut), -EBADMSG);
}

TEST(message, passes_over_types_of_a_later_version)
{
	uint8_t bytes[] = { 99, 3, 1, 2, 3, MESSAGE_PING, 0 };
	struct message read;

	CU_ASSERT_EQUAL(message_parse(&read, bytes, sizeof(bytes)), 5);
	CU_ASSERT_EQUAL((int)read.type, 99);
	CU_ASSERT_EQUAL(message_parse(&read, bytes + 5, 2), 2);
	CU_ASSERT_EQUAL(read.type, MESSAGE_PING);
}

TEST(message, says_how_a_lane_is_to_be_used)
{
	struct message use = { .type = MESSAGE_USE, .use = { 7, 200, 3 } };
	struct message read;
	uint8_t bytes[8];
	size_t size = message_print(&use, bytes, sizeof(bytes));

	CU_ASSERT_EQUAL(size, 2 + 3);
	CU_ASSERT_EQUAL(message_print(&use, bytes, 4), 0);
	CU_ASSERT_EQUAL(message_parse(&read, bytes, size), (int)size);
	CU_ASSERT_EQUAL(read.type, MESSAGE_USE);
	CU_ASSERT_EQUAL(read.use.lane, 7);
	CU_ASSERT_EQUAL(read.use.weight, 200);
	CU_ASSERT_EQUAL(read.use.policy, 3);
	for (size_t cut = 1; cut < size; cut++)
		CU_ASSERT_EQUAL(message_parse(&read, bytes, cut), -EBADMSG);
}

TEST(message, passes_over_what_a_later_version_says_of_a_lane)
{
	uint8_t lane[] = { MESSAGE_LANE, 10, 7, 0, 3, 0, 0, 0, 0, 0, 1, 2 };
	uint8_t use[] = { MESSAGE_USE, 5, 7, 2, 1, 1, 2 };
	uint8_t few[] = { MESSAGE_USE, 2, 7, 2 };
	struct message read;

	CU_ASSERT_EQUAL(message_parse(&read, lane, sizeof(lane)), 12);
	CU_ASSERT_EQUAL(read.lane.tier, 3);
	CU_ASSERT_EQUAL(message_parse(&read, use, sizeof(use)), 7);
	CU_ASSERT_EQUAL(read.use.weight, 2);
	CU_ASSERT_EQUAL(message_parse(&read, few, sizeof(few)), -EBADMSG);
}

TEST(message, a_note_is_read_as_it_was_written)
{
	struct message note = { .type = MESSAGE_NOTE,
				.note = { .number = 0xabcd,
					  .size = 5,
					  .bytes = (const uint8_t *)"hello" } };
	struct message noted = { .type = MESSAGE_NOTED,
				 .note = { .number = 0xabcd } };
	struct message read;
	uint8_t bytes[32];
	size_t size = message_print(&note, bytes, sizeof(bytes));

	CU_ASSERT_EQUAL(size, 2 + 2 + 5);
	CU_ASSERT_EQUAL(message_print(&note, bytes, 8), 0);
	for (size_t cut = 1; cut < size; cut++)
		CU_ASSERT_EQUAL(message_parse(&read, bytes, cut), -EBADMSG);
	CU_ASSERT_EQUAL(message_parse(&read, bytes, size), (int)size);
	CU_ASSERT_EQUAL(read.note.number, 0xabcd);
	CU_ASSERT_EQUAL(read.note.size, 5);
	CU_ASSERT(!memcmp(read.note.bytes, "hello", 5));
	size = message_print(&noted, bytes, sizeof(bytes));
	CU_ASSERT_EQUAL(size, 4);
	CU_ASSERT_EQUAL(message_parse(&read, bytes, size), 4);
	CU_ASSERT_EQUAL(read.note.number, 0xabcd);
	bytes[1] = 3; /* noted has no bytes of its own */
	CU_ASSERT_EQUAL(message_parse(&read, bytes, 8), -EBADMSG);
}

TEST(message, refuses_a_skip_of_what_keeps_no_order)
{
	uint8_t loose[] = { MESSAGE_SKIP, 5, 0xff, 0x0f, 1, 0, 0 };
	uint8_t large[] = { MESSAGE_SKIP, 5, 1, 0, 0, 0, 0x10 };
	struct message read;

	CU_ASSERT_EQUAL(message_parse(&read, loose, sizeof(loose)), -EBADMSG);
	CU_ASSERT_EQUAL(message_parse(&read, large, sizeof(large)), -EBADMSG);
}
