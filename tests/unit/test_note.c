/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/engine/note.h"

#include "tests/unit/unit.h"

#define SAY(text, now)                                                         \
	note_say(&note, (const uint8_t *)(text), sizeof(text), now)

TEST(note, is_told_ever_more_rarely_and_then_no_more)
{
	struct note note = { .size = 0 };
	uint64_t now = 1000, last = 0, gap = 0;
	unsigned times = 0;

	CU_ASSERT_EQUAL(note_next(&note), UINT64_MAX);
	CU_ASSERT_TRUE(SAY("x", now));
	for (; note_next(&note) != UINT64_MAX && times < 100; times++) {
		now = note_next(&note);
		CU_ASSERT(!last || now - last >= gap);
		gap = last ? now - last : 0;
		last = now;
		note_told(&note, now);
	}
	CU_ASSERT_EQUAL(times, 14);
	CU_ASSERT(now > 60000000 && now < 120000000);
	note_restart(&note, now);
	CU_ASSERT_EQUAL(note_next(&note), now);
}

TEST(note, rests_when_the_other_end_has_it)
{
	struct note note = { .size = 0 };
	uint16_t first;

	SAY("x", 1);
	first = note.number;
	note_told(&note, 1);
	SAY("y", 2);
	note_done(&note, first); /* of the one before */
	CU_ASSERT_NOT_EQUAL(note_next(&note), UINT64_MAX);
	note_done(&note, note.number);
	CU_ASSERT_EQUAL(note_next(&note), UINT64_MAX);
	SAY("y", 3); /* no other one */
	CU_ASSERT_EQUAL(note_next(&note), UINT64_MAX);
}

TEST(note, what_comes_late_does_not_replace_a_newer_one)
{
	struct note note = { .size = 0 };

	CU_ASSERT_TRUE(note_hear(&note, 65535));
	CU_ASSERT_FALSE(note_hear(&note, 65535));
	CU_ASSERT_TRUE(note_hear(&note, 0)); /* numbers go round */
	CU_ASSERT_FALSE(note_hear(&note, 65535));
	CU_ASSERT_EQUAL(note.heard_number, 0);
	note_restart(&note, 0);
	CU_ASSERT_TRUE(note_hear(&note, 65535));
}

TEST(note, has_its_limit)
{
	struct note note = { .size = 0 };
	uint8_t bytes[NOTE_MOST + 1] = { 0 };

	CU_ASSERT_FALSE(note_say(&note, bytes, sizeof(bytes), 0));
	CU_ASSERT_TRUE(note_say(&note, bytes, NOTE_MOST, 0));
}
