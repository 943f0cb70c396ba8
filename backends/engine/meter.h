/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * meter.h - what goes one way by one lane, over sliding slices of time: ten of
 * a second each, unless somebody wants others.
 *
 *     | slice | slice | ... | slice | the one that runs
 *      `------ count of them -------'
 *
 * Mean and maximum are of the slices that are complete. All meters begin their
 * slices at the same moments, so several of them can be read as one.
 */
#ifndef BACKENDS_ENGINE_METER_H
#define BACKENDS_ENGINE_METER_H

#include <stdbool.h>
#include <stdint.h>

enum { METER_SLICES_MOST = 60 };

struct meter_setup {
	uint64_t slice_us;
	unsigned count; /* of slices, 1..METER_SLICES_MOST */
	bool arrived;	/* packets are those that came: lost ones are not
			 * among them */
};

struct meter_slice {
	uint64_t bytes, landed; /* landed: known to have come */
	uint32_t packets, lost;
	uint64_t delay_us; /* sum */
	uint32_t delays, delay_most_us;
};

struct meter {
	struct meter_setup setup;
	uint64_t bytes, landed, packets, lost; /* since meter_init() */
	uint64_t slice; /* number of the one that runs: time / slice_us */
	uint64_t first; /* number of the first one ever */
	struct meter_slice *slices; /* owned: one more than setup.count */
};

void meter_init(struct meter *meter, const struct meter_setup *setup);
void meter_clear(struct meter *meter);
/* Other slices; what was in the old ones is forgotten, the sums are not. */
void meter_set(struct meter *meter, const struct meter_setup *setup);
void meter_advance(struct meter *meter, uint64_t slice);

/* The slice that runs. */
static inline struct meter_slice *meter_at(struct meter *meter, uint64_t now)
{
	uint64_t slice = now / meter->setup.slice_us;

	if (slice != meter->slice)
		meter_advance(meter, slice);
	return &meter->slices[slice % (meter->setup.count + 1)];
}

static inline void meter_add(struct meter *meter, uint64_t bytes,
			     uint32_t packets, uint64_t now)
{
	struct meter_slice *slice = meter_at(meter, now);

	slice->bytes += bytes;
	slice->packets += packets;
	meter->bytes += bytes;
	meter->packets += packets;
}

static inline void meter_land(struct meter *meter, uint64_t bytes, uint64_t now)
{
	meter_at(meter, now)->landed += bytes;
	meter->landed += bytes;
}

static inline void meter_lose(struct meter *meter, uint32_t packets,
			      uint64_t now)
{
	meter_at(meter, now)->lost += packets;
	meter->lost += packets;
}

static inline void meter_delay(struct meter *meter, uint32_t us, uint64_t now)
{
	struct meter_slice *slice = meter_at(meter, now);

	slice->delay_us += us;
	slice->delays++;
	if (us > slice->delay_most_us)
		slice->delay_most_us = us;
}

struct meter_figure {
	uint64_t mean, max;
};

struct meter_reading {
	unsigned slices; /* that it is of; 0: none is complete yet */
	uint64_t bytes, packets, lost; /* since they began */
	struct meter_figure bps;       /* of bytes, as bit/s */
	struct meter_figure pps;
	struct meter_figure loss_ppm;
	struct meter_figure delay_us; /* max: of one packet or ack */
	bool delays;		      /* there were any */
};

/* Slices of many meters, added up. Zeroed is ready. */
struct meter_sums {
	struct meter_setup setup; /* of the first one */
	uint64_t bytes, packets, lost;
	bool any[METER_SLICES_MOST];
	struct meter_slice slices[METER_SLICES_MOST]; /* the newest first */
};

/* Adds them, as they stand at now. All of a sum want the same setup and now. */
void meter_gather(const struct meter *const *meters, unsigned count,
		  uint64_t now, struct meter_sums *sums);
void meter_conclude(const struct meter_sums *sums, struct meter_reading *out);
/* Several meters as one, at once. */
void meter_read(const struct meter *const *meters, unsigned count, uint64_t now,
		struct meter_reading *out);
/* What landed in the slice of that number, as bit/s, by all of them; 0 if it is
 * not complete, or over for too long. */
uint64_t meter_landed_bps(const struct meter *const *meters, unsigned count,
			  uint64_t slice, uint64_t now);

#endif
