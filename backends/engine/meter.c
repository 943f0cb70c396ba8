/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/engine/meter.h"

void meter_advance(struct meter *meter, uint64_t slice)
{
	uint64_t from = meter->slice + 1;

	if (!meter->slice)
		meter->first = slice;
	if (slice - meter->slice > METER_SLICES)
		from = slice - METER_SLICES + 1;
	for (uint64_t i = from; i <= slice; i++)
		meter->bytes[i % METER_SLICES] = 0;
	meter->slice = slice;
}

void meter_read(const struct meter *meter, uint64_t now, uint64_t *mean_bps,
		uint64_t *max_bps)
{
	uint64_t slice = now / meter->slice_us, sum = 0, most = 0, count = 0;

	for (uint64_t i = slice - 1; i + METER_SLICES > slice; i--) {
		/* A slice after the last byte is empty, and counts. */
		uint64_t bytes =
			i > meter->slice ? 0 : meter->bytes[i % METER_SLICES];

		if (!meter->slice || i < meter->first || i == UINT64_MAX)
			break;
		sum += bytes;
		most = bytes > most ? bytes : most;
		count++;
	}
	*mean_bps = count ? sum * 8 * 1000000 / (count * meter->slice_us) : 0;
	*max_bps = most * 8 * 1000000 / meter->slice_us;
}
