/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/sim/sim.h"

#include "model/base/mem.h"

struct event {
	uint64_t when, order;
	sim_call *call;
	void *context;
	uint64_t tag;
};

static struct {
	struct event *heap;
	size_t count, room;
	uint64_t now, order, random;
} sim;

uint64_t sim_now(void)
{
	return sim.now;
}

static bool before(const struct event *a, const struct event *b)
{
	return a->when != b->when ? a->when < b->when : a->order < b->order;
}

static void swap(size_t a, size_t b)
{
	struct event event = sim.heap[a];

	sim.heap[a] = sim.heap[b];
	sim.heap[b] = event;
}

void sim_at(uint64_t when, sim_call *call, void *context, uint64_t tag)
{
	size_t i = sim.count++;

	if (sim.count > sim.room) {
		sim.room = sim.room ? 2 * sim.room : 4096;
		sim.heap = mem_resize(sim.heap, sim.room * sizeof(*sim.heap));
	}
	if (when < sim.now)
		when = sim.now;
	sim.heap[i] = (struct event){ when, sim.order++, call, context, tag };
	for (; i && before(&sim.heap[i], &sim.heap[(i - 1) / 2]);
	     i = (i - 1) / 2)
		swap(i, (i - 1) / 2);
}

static struct event take(void)
{
	struct event event = sim.heap[0];
	size_t i = 0;

	sim.heap[0] = sim.heap[--sim.count];
	for (;;) {
		size_t child = 2 * i + 1;

		if (child >= sim.count)
			return event;
		if (child + 1 < sim.count &&
		    before(&sim.heap[child + 1], &sim.heap[child]))
			child++;
		if (!before(&sim.heap[child], &sim.heap[i]))
			return event;
		swap(i, child);
		i = child;
	}
}

void sim_run(uint64_t until)
{
	while (sim.count && sim.heap[0].when <= until) {
		struct event event = take();

		sim.now = event.when;
		event.call(event.context, event.tag);
	}
	sim.now = until;
}

void sim_reset(uint64_t seed)
{
	free(sim.heap);
	datagram_reset();
	sim.heap = NULL;
	sim.count = sim.room = 0;
	sim.order = 0;
	sim.now = 1000 * SECOND; /* a clock is never at zero */
	sim.random = seed * 0x9e3779b97f4a7c15ULL + 1;
}

double sim_random(void)
{
	/* xorshift64*, Vigna 2016 */
	sim.random ^= sim.random >> 12;
	sim.random ^= sim.random << 25;
	sim.random ^= sim.random >> 27;
	return (double)((sim.random * 0x2545f4914f6cdd1dULL) >> 11) /
	       9007199254740992.0;
}
