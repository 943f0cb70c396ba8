/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/engine/note.h"

#include <string.h>

enum {
	FIRST_US = 60000, /* until the second time; then twice as long */
	LONGEST_US = 16000000,
	TRIES = 14, /* a minute and a half of them */
};

static void begin(struct note *note, uint64_t now)
{
	note->done = false;
	note->tries = 0;
	note->at = now;
}

bool note_say(struct note *note, const uint8_t *bytes, size_t size,
	      uint64_t now)
{
	if (size > NOTE_MOST)
		return false;
	if (note->said && note->size == size &&
	    !memcmp(note->bytes, bytes, size))
		return true;
	if (size)
		memcpy(note->bytes, bytes, size);
	note->size = (uint8_t)size;
	note->said = true;
	note->number++;
	begin(note, now);
	return true;
}

void note_restart(struct note *note, uint64_t now)
{
	note->heard = note->owed = false;
	begin(note, now);
}

uint64_t note_next(const struct note *note)
{
	if (note->owed)
		return 0;
	return note->said && !note->done && note->tries < TRIES ? note->at
								: UINT64_MAX;
}

void note_told(struct note *note, uint64_t now)
{
	uint64_t wait = (uint64_t)FIRST_US << note->tries++;

	note->at = now + (wait < LONGEST_US ? wait : LONGEST_US);
}

void note_done(struct note *note, uint16_t number)
{
	if (note->said && number == note->number)
		note->done = true;
}

bool note_hear(struct note *note, uint16_t number)
{
	bool late = note->heard &&
		    (int16_t)(uint16_t)(number - note->heard_number) < 0;
	bool again = note->heard && number == note->heard_number;

	if (late)
		return false;
	note->heard = note->owed = true;
	note->heard_number = number;
	return !again;
}
