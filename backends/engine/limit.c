/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/engine/limit.h"

static uint64_t duration_ns(uint64_t rate, size_t bytes)
{
	return bytes * 8000000000ULL / rate;
}

uint64_t limit_wait(const struct limit *limit, uint64_t rate, uint32_t burst_us,
		    uint64_t now)
{
	uint64_t ahead = burst_us * 1000ULL + duration_ns(rate, LIMIT_LEAST);
	uint64_t most = now * 1000 + ahead;

	return limit->due_ns <= most ? 0 : (limit->due_ns - most + 999) / 1000;
}

void limit_took(struct limit *limit, uint64_t rate, size_t bytes, uint64_t now)
{
	if (limit->due_ns < now * 1000)
		limit->due_ns = now * 1000;
	limit->due_ns += duration_ns(rate, bytes);
}
