/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * note.h - a few bytes that the other end is to have, whatever is lost.
 *
 *     we:    note 7 "..."  ----x
 *            note 7 "..."  --------->  noted()
 *                          <---------  noted 7
 *
 * It is told again, ever more rarely, until the other end says that it has it;
 * an end of an earlier version never does, and is left in peace after a while.
 * The newest note counts: what arrives late does not replace it. With a new era
 * both ends begin anew. What the bytes mean is the business of who writes and
 * reads them (lease.h).
 */
#ifndef BACKENDS_ENGINE_NOTE_H
#define BACKENDS_ENGINE_NOTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { NOTE_MOST = 220 };

/* All zero: nothing was said or heard. */
struct note {
	/* what we say */
	uint8_t bytes[NOTE_MOST];
	uint8_t size, tries;
	bool said, done;
	uint16_t number;
	uint64_t at; /* when it is told next */
	/* what we heard */
	bool heard, owed; /* owed: to say that we have it */
	uint16_t heard_number;
};

/* In place of what was said before. More than NOTE_MOST bytes are not taken:
 * false. The same once more changes nothing. */
bool note_say(struct note *note, const uint8_t *bytes, size_t size,
	      uint64_t now);
/* A new era. */
void note_restart(struct note *note, uint64_t now);
/* When it wants to be told; UINT64_MAX for never. */
uint64_t note_next(const struct note *note);
/* It was told. */
void note_told(struct note *note, uint64_t now);
/* The other end has that one. */
void note_done(struct note *note, uint16_t number);
/* The other end says that one: true, it is news. */
bool note_hear(struct note *note, uint16_t number);

#endif
