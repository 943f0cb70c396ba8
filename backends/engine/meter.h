/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * meter.h - bytes over sliding slices: mean and maximum of the last ten.
 */
#ifndef BACKENDS_ENGINE_METER_H
#define BACKENDS_ENGINE_METER_H

#include <stdint.h>

enum { METER_SLICES = 10 };

/* Zeroed but for slice_us is ready. */
struct meter {
	uint64_t slice_us;
	uint64_t total, packets;
	uint64_t slice; /* number of the one that runs: time / slice_us */
	uint64_t first; /* number of the first one ever */
	uint64_t bytes[METER_SLICES];
};

void meter_advance(struct meter *meter, uint64_t slice);

static inline void meter_add(struct meter *meter, uint64_t bytes,
			     uint64_t packets, uint64_t now)
{
	uint64_t slice = now / meter->slice_us;

	if (slice != meter->slice)
		meter_advance(meter, slice);
	meter->bytes[slice % METER_SLICES] += bytes;
	meter->total += bytes;
	meter->packets += packets;
}

/* Over the slices that are complete, in bit/s. */
void meter_read(const struct meter *meter, uint64_t now, uint64_t *mean_bps,
		uint64_t *max_bps);

#endif
