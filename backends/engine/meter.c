/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/engine/meter.h"

#include <stdlib.h>

#include "model/base/mem.h"

#define MILLION 1000000ULL

void meter_init(struct meter *meter, const struct meter_setup *setup)
{
	*meter = (struct meter){
		.setup = *setup,
		.slices = mem_array(setup->count + 1, sizeof(*meter->slices)),
	};
}

void meter_clear(struct meter *meter)
{
	free(meter->slices);
	meter->slices = NULL;
}

void meter_set(struct meter *meter, const struct meter_setup *setup)
{
	struct meter old = *meter;

	if (old.setup.slice_us == setup->slice_us &&
	    old.setup.count == setup->count)
		return;
	meter_init(meter, setup);
	meter->bytes = old.bytes;
	meter->landed = old.landed;
	meter->packets = old.packets;
	meter->lost = old.lost;
	meter_clear(&old);
}

void meter_advance(struct meter *meter, uint64_t slice)
{
	unsigned room = meter->setup.count + 1;
	uint64_t from = meter->slice + 1;

	if (slice < meter->slice)
		return; /* time does not go back, and if: it is all of now */
	if (!meter->slice)
		meter->first = slice;
	if (slice - meter->slice > room)
		from = slice - room + 1;
	for (uint64_t i = from; i <= slice; i++)
		meter->slices[i % room] = (struct meter_slice){ 0 };
	meter->slice = slice;
}

/* NULL: nothing is known of it. What comes after the last packet is empty, and
 * counts. */
static const struct meter_slice *slice_of(const struct meter *meter,
					  uint64_t slice)
{
	static const struct meter_slice empty = { 0 };

	if (!meter->slice || slice < meter->first ||
	    slice + meter->setup.count < meter->slice)
		return NULL;
	if (slice > meter->slice)
		return &empty;
	return &meter->slices[slice % (meter->setup.count + 1)];
}

/* Several as one; false: none has it. */
static bool sum_slice(const struct meter *const *meters, unsigned count,
		      uint64_t slice, struct meter_slice *sum)
{
	bool any = false;

	*sum = (struct meter_slice){ 0 };
	for (unsigned i = 0; i < count; i++) {
		const struct meter_slice *one = slice_of(meters[i], slice);

		if (!one)
			continue;
		any = true;
		sum->bytes += one->bytes;
		sum->landed += one->landed;
		sum->packets += one->packets;
		sum->lost += one->lost;
		sum->delay_us += one->delay_us;
		sum->delays += one->delays;
		if (one->delay_most_us > sum->delay_most_us)
			sum->delay_most_us = one->delay_most_us;
	}
	return any;
}

static uint64_t ppm(uint64_t lost, uint64_t packets, bool arrived)
{
	uint64_t all = arrived ? packets + lost : packets;

	if (!lost)
		return 0;
	return lost >= all ? MILLION : lost * MILLION / all;
}

static void raise(uint64_t *most, uint64_t value)
{
	if (value > *most)
		*most = value;
}

static void add_slice(struct meter_slice *to, const struct meter_slice *slice)
{
	to->bytes += slice->bytes;
	to->packets += slice->packets;
	to->lost += slice->lost;
	to->delay_us += slice->delay_us;
	to->delays += slice->delays;
	if (slice->delay_most_us > to->delay_most_us)
		to->delay_most_us = slice->delay_most_us;
}

static void take_slice(const struct meter_setup *setup,
		       const struct meter_slice *slice, struct meter_slice *all,
		       struct meter_reading *out)
{
	out->slices++;
	add_slice(all, slice);
	raise(&out->bps.max, slice->bytes * 8 * MILLION / setup->slice_us);
	raise(&out->pps.max, slice->packets * MILLION / setup->slice_us);
	raise(&out->loss_ppm.max,
	      ppm(slice->lost, slice->packets, setup->arrived));
	raise(&out->delay_us.max, slice->delay_most_us);
}

static void take_means(const struct meter_setup *setup,
		       const struct meter_slice *all, struct meter_reading *out)
{
	uint64_t us = out->slices * setup->slice_us;

	if (!us)
		return;
	out->bps.mean = all->bytes * 8 * MILLION / us;
	out->pps.mean = all->packets * MILLION / us;
	out->loss_ppm.mean = ppm(all->lost, all->packets, setup->arrived);
	out->delays = all->delays;
	if (all->delays)
		out->delay_us.mean = all->delay_us / all->delays;
}

void meter_gather(const struct meter *const *meters, unsigned count,
		  uint64_t now, struct meter_sums *sums)
{
	struct meter_slice slice;
	uint64_t running;

	if (!count)
		return;
	if (!sums->setup.slice_us)
		sums->setup = meters[0]->setup;
	running = now / sums->setup.slice_us;
	for (unsigned i = 0; i < count; i++) {
		sums->bytes += meters[i]->bytes;
		sums->packets += meters[i]->packets;
		sums->lost += meters[i]->lost;
	}
	for (unsigned i = 0; i < sums->setup.count && i < running; i++)
		if (sum_slice(meters, count, running - 1 - i, &slice)) {
			sums->any[i] = true;
			add_slice(&sums->slices[i], &slice);
		}
}

void meter_conclude(const struct meter_sums *sums, struct meter_reading *out)
{
	struct meter_slice all = { 0 };

	*out = (struct meter_reading){ .bytes = sums->bytes,
				       .packets = sums->packets,
				       .lost = sums->lost };
	for (unsigned i = 0; i < sums->setup.count; i++)
		if (sums->any[i])
			take_slice(&sums->setup, &sums->slices[i], &all, out);
	take_means(&sums->setup, &all, out);
}

void meter_read(const struct meter *const *meters, unsigned count, uint64_t now,
		struct meter_reading *out)
{
	struct meter_sums sums = { .bytes = 0 };

	meter_gather(meters, count, now, &sums);
	meter_conclude(&sums, out);
}

uint64_t meter_landed_bps(const struct meter *const *meters, unsigned count,
			  uint64_t slice, uint64_t now)
{
	struct meter_slice sum;

	if (!count || slice >= now / meters[0]->setup.slice_us ||
	    !sum_slice(meters, count, slice, &sum))
		return 0;
	return sum.landed * 8 * MILLION / meters[0]->setup.slice_us;
}
