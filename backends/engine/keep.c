/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/engine/keep.h"

#include <sys/mman.h>

enum {
	HANDLES = 1 << 18, /* pieces that can be found */
	RECORDS = 1 << 16, /* packets that were read */
	KEEP_LEAST = 2 << 20,
};

struct record {
	struct tun_packet packet;
	size_t offset;
	uint64_t turn;	/* of the ring, when it was read; 0: none */
	uint64_t at;	/* bytes that were read before it */
	uint32_t first; /* handle */
};

struct keep {
	uint8_t *bytes;
	bool mapped;
	size_t size;	   /* of bytes */
	size_t used;	   /* of these, in this turn */
	size_t needed;	   /* as the owner said */
	size_t offset;	   /* where the next one is read to */
	uint64_t turn;	   /* from 1 */
	uint64_t total;	   /* bytes that were ever read */
	uint64_t reach[2]; /* how far back was asked for, lately and before */
	uint32_t handle, record; /* the next ones */
	struct record *records;	 /* by number % RECORDS */
	uint32_t *record_of;	 /* by handle % HANDLES */
};

struct keep *keep_new(size_t bytes)
{
	struct keep *keep = mem_alloc(sizeof(*keep));

	keep->size = bytes < KEEP_LEAST ? KEEP_LEAST : bytes;
	keep->bytes = mmap(NULL, keep->size, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	keep->mapped = keep->bytes != MAP_FAILED;
	if (!keep->mapped) {
		keep->size = KEEP_LEAST;
		keep->bytes = mem_alloc(keep->size);
	}
	keep->used = keep->needed = KEEP_LEAST;
	keep->turn = 1;
	keep->records = mem_array(RECORDS, sizeof(*keep->records));
	keep->record_of = mem_array(HANDLES, sizeof(*keep->record_of));
	return keep;
}

void keep_free(struct keep *keep)
{
	if (!keep)
		return;
	if (keep->mapped)
		munmap(keep->bytes, keep->size);
	else
		free(keep->bytes);
	free(keep->records);
	free(keep->record_of);
	free(keep);
}

/* Half as much again as was asked for, found or not: what waits for one peer
 * must outlast what is read for all others meanwhile. */
static size_t next_size(const struct keep *keep)
{
	uint64_t reach = keep->reach[0] > keep->reach[1] ? keep->reach[0]
							 : keep->reach[1];
	uint64_t size = reach + reach / 2 + TUN_READ_MAX;

	if (size < keep->needed)
		size = keep->needed;
	return size < keep->size ? size : keep->size;
}

uint8_t *keep_room(struct keep *keep)
{
	if (keep->offset + TUN_READ_MAX > keep->used) {
		keep->offset = 0;
		keep->used = next_size(keep);
		keep->turn++;
	}
	return keep->bytes + keep->offset;
}

uint32_t keep_add(struct keep *keep, const struct tun_packet *packet)
{
	uint32_t first = keep->handle;
	struct record *record = &keep->records[keep->record % RECORDS];

	*record = (struct record){ *packet, keep->offset, keep->turn,
				   keep->total, first };
	for (unsigned i = 0; i < packet->count; i++)
		keep->record_of[(first + i) % HANDLES] = keep->record;
	keep->record++;
	keep->handle += packet->count;
	/* The next one begins on a cache line of its own. */
	keep->offset += (packet->size + 63) & ~(size_t)63;
	keep->total += (packet->size + 63) & ~(size_t)63;
	return first;
}

bool keep_find(struct keep *keep, uint32_t handle,
	       const struct tun_packet **packet, unsigned *index)
{
	const struct record *record =
		&keep->records[keep->record_of[handle % HANDLES] % RECORDS];

	if (handle - record->first >= record->packet.count)
		return false;
	if (keep->total - record->at > keep->reach[0])
		keep->reach[0] = keep->total - record->at;
	/* What this turn has not come to yet is still the last one's. */
	if (record->turn != keep->turn &&
	    (record->turn + 1 != keep->turn ||
	     record->offset < keep->offset + TUN_READ_MAX))
		return false;
	*packet = &record->packet;
	*index = handle - record->first;
	return true;
}

void keep_need(struct keep *keep, size_t bytes)
{
	keep->needed = bytes * 4 + KEEP_LEAST;
	keep->reach[1] = keep->reach[0];
	keep->reach[0] = 0;
}
