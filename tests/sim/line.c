/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "model/base/mem.h"
#include "tests/sim/sim.h"

enum { CHUNK = 1024 };

struct chunk {
	struct datagram datagrams[CHUNK];
	struct chunk *next;
};

static struct chunk *chunks;
static struct datagram *spare;

struct datagram *datagram_new(void)
{
	struct datagram *datagram;

	if (!spare) {
		struct chunk *chunk = mem_alloc(sizeof(*chunk));

		chunk->next = chunks;
		chunks = chunk;
		for (int i = 0; i < CHUNK; i++)
			datagram_free(&chunk->datagrams[i]);
	}
	datagram = spare;
	spare = datagram->next;
	memset(datagram, 0, offsetof(struct datagram, payload));
	return datagram;
}

void datagram_free(struct datagram *datagram)
{
	datagram->next = spare;
	spare = datagram;
}

void datagram_reset(void)
{
	while (chunks) {
		struct chunk *chunk = chunks;

		chunks = chunk->next;
		free(chunk);
	}
	spare = NULL;
}

static uint32_t bytes_of(const struct datagram *datagram)
{
	return (uint32_t)datagram->size + OVERHEAD + FRAME;
}

static void arrive(void *context, uint64_t tag)
{
	struct line *line = context;
	struct datagram *datagram = (struct datagram *)(uintptr_t)tag;

	if (line->hole) {
		datagram_free(datagram);
		return;
	}
	datagram->came = sim_now();
	node_receive(datagram->to, datagram);
}

static bool is_lost(struct line *line)
{
	if (line->hole)
		return true;
	if (line->burst_left) {
		line->burst_left--;
		return true;
	}
	if (line->burst > 0 &&
	    sim_random() < line->burst / line->burst_length) {
		line->burst_left = line->burst_length - 1;
		return true;
	}
	return line->loss > 0 && sim_random() < line->loss;
}

static void serve(struct line *line);

static void served(void *context, uint64_t tag)
{
	struct line *line = context;
	struct datagram *datagram = line->head;
	uint64_t at;

	(void)tag;
	line->busy = false;
	if (!datagram)
		return;
	line->head = datagram->next;
	if (!line->head)
		line->tail = NULL;
	line->queued -= bytes_of(datagram);
	line->carried += bytes_of(datagram);
	at = sim_now() + line->delay_us;
	if (line->jitter_us)
		at += (uint64_t)(sim_random() * line->jitter_us);
	if (line->keep_order && at < line->last_out)
		at = line->last_out;
	line->last_out = at;
	if (is_lost(line)) {
		line->lost++;
		datagram_free(datagram);
	} else {
		sim_at(at, arrive, line, (uintptr_t)datagram);
	}
	serve(line);
}

static void serve(struct line *line)
{
	double us;

	if (line->busy || line->still || !line->head)
		return;
	us = bytes_of(line->head) * 8e6 / line->rate_bps + line->rest;
	line->rest = us - (double)(uint64_t)us;
	line->busy = true;
	sim_at(sim_now() + (uint64_t)us, served, line, 0);
}

static bool is_above(struct line *line, double bytes)
{
	double us = (double)(sim_now() - line->tokens_at);

	if (line->police_bps <= 0)
		return false;
	line->tokens_at = sim_now();
	line->tokens += us * line->police_bps / 8e6;
	if (line->tokens > line->police_bytes)
		line->tokens = line->police_bytes;
	if (line->tokens < bytes)
		return true;
	line->tokens -= bytes;
	return false;
}

void line_set(struct line *line, double rate_bps)
{
	line->still = rate_bps <= 0;
	if (!line->still)
		line->rate_bps = rate_bps;
	serve(line);
}

void line_send(struct line *line, struct datagram *datagram)
{
	if (is_above(line, bytes_of(datagram))) {
		line->dropped++;
		datagram_free(datagram);
		return;
	}
	if (line->queued + bytes_of(datagram) > line->queue_bytes &&
	    line->head) {
		line->dropped++;
		datagram_free(datagram);
		return;
	}
	line->queued += bytes_of(datagram);
	if (line->queued > line->queue_most)
		line->queue_most = line->queued;
	datagram->next = NULL;
	if (line->tail)
		line->tail->next = datagram;
	else
		line->head = datagram;
	line->tail = datagram;
	serve(line);
}

void line_empty(struct line *line)
{
	while (line->head) {
		struct datagram *datagram = line->head;

		line->head = datagram->next;
		datagram_free(datagram);
	}
	line->tail = NULL;
	line->queued = 0;
}
