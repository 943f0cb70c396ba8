/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * past.h - what was measured and is worth keeping: when lines were full, and
 * the most they ever carried, each way.
 *
 * Kept by link and by who is at the end of the line: a member of a client, a
 * peer of a server (all its lines together). So it outlives sockets, sessions
 * and links that are made anew or switched off; and, in a file of its own, the
 * engine. People may delete the file: what cannot be read of it is forgotten.
 *
 * Times are microseconds since 1970, by the clock as it was then.
 */
#ifndef BACKENDS_ENGINE_PAST_H
#define BACKENDS_ENGINE_PAST_H

#include <jansson.h>

#include "backends/engine/hub.h"

enum {
	PAST_ENDS = 4096, /* the one that was longest ago makes room */
	PAST_SPELLS = 32, /* of each, one way */
	PAST_SAVE_US = 5000000,
	PAST_AGAIN_US = 60000000, /* where that failed */
};

struct past;

/* Where it is kept, by whoever may write there. What is not there yet is read
 * as no bytes. Both return 0, or a negative errno value and a sentence. */
struct past_shelf {
	int (*read)(char **bytes, size_t *size, struct err *err);
	int (*write)(const char *bytes, size_t size, struct err *err);
};

/* shelf: borrowed; NULL: it is kept nowhere. */
struct past *past_new(const struct past_shelf *shelf);
/* Saves what is new. */
void past_free(struct past *past);
AUTO_DEFINE(past, struct past *, past_free)

/* Something happened on a line of that link. A member or peer whose line is
 * full already, by another of its lines, has no second spell: false, and nobody
 * has to be told. */
bool past_take(struct past *past, const char *link,
	       const struct hub_moment *moment);
/* The link ends, or is made anew: what lasts is cut off. */
void past_cut(struct past *past, const char *link, int64_t now_us);

/* [ { "link", "member" or "peer", "out": WAY, "in": WAY } ] where WAY is
 *
 *     { "peak": bit/s, "peak-at": us, "spells": [ SPELL, newest last ] }
 *     SPELL: { "began": us, "lasted-us", "rate": bit/s, "queue-us",
 *              "state": "lasts", "over" or "cut" }
 *
 * cut: nobody saw its end. Of one link, or of all (NULL). most: spells of each
 * way. The caller's to decref. */
json_t *past_show(const struct past *past, const char *link, size_t most,
		  int64_t now_us);

/* When it wants to be saved, and does so; UINT64_MAX for never. now_us:
 * CLOCK_MONOTONIC. */
uint64_t past_next(const struct past *past, uint64_t now_us);
void past_turn(struct past *past, uint64_t now_us);

#endif
