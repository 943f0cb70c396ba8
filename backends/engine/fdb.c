/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/engine/fdb.h"

#include <string.h>

enum { WAYS = 8, SETS = FDB_ENTRIES / WAYS };

struct entry {
	struct fdb_port *port; /* NULL: free */
	uint64_t seen;
	uint8_t address[FDB_ADDRESS];
};

struct fdb {
	uint64_t key;
	struct entry entries[FDB_ENTRIES];
};

struct fdb *fdb_new(uint64_t key)
{
	struct fdb *fdb = mem_alloc(sizeof(*fdb));

	fdb->key = key;
	return fdb;
}

void fdb_free(struct fdb *fdb)
{
	free(fdb);
}

bool fdb_is_group(const uint8_t address[FDB_ADDRESS])
{
	return address[0] & 1;
}

bool fdb_is_source(const uint8_t address[FDB_ADDRESS])
{
	static const uint8_t nobody[FDB_ADDRESS];

	return !fdb_is_group(address) && memcmp(address, nobody, FDB_ADDRESS);
}

bool fdb_is_link_local(const uint8_t address[FDB_ADDRESS])
{
	static const uint8_t bridges[] = { 0x01, 0x80, 0xc2, 0, 0 };

	return !memcmp(address, bridges, sizeof(bridges)) && address[5] < 0x10;
}

/* The finalizer of MurmurHash3 over address and key: every bit of both counts
 * in every bit of the set. */
static const struct entry *set_of(const struct fdb *fdb,
				  const uint8_t address[FDB_ADDRESS])
{
	uint64_t hash = 0;

	memcpy(&hash, address, FDB_ADDRESS);
	hash ^= fdb->key;
	hash = (hash ^ hash >> 33) * 0xff51afd7ed558ccdULL;
	hash ^= fdb->key << 32 | fdb->key >> 32;
	hash = (hash ^ hash >> 33) * 0xc4ceb9fe1a85ec53ULL;
	hash ^= hash >> 33;
	return &fdb->entries[hash % SETS * WAYS];
}

static bool is_old(const struct entry *entry, uint64_t now)
{
	return entry->port && now > entry->seen &&
	       now - entry->seen > FDB_AGE_US;
}

static const struct entry *find(const struct fdb *fdb,
				const uint8_t address[FDB_ADDRESS])
{
	const struct entry *set = set_of(fdb, address);

	for (int i = 0; i < WAYS; i++)
		if (set[i].port &&
		    !memcmp(set[i].address, address, FDB_ADDRESS))
			return &set[i];
	return NULL;
}

static void release(struct entry *entry)
{
	entry->port->count--;
	entry->port = NULL;
}

/* NULL: the set is full of what is still in use. */
static struct entry *place_for(struct fdb *fdb,
			       const uint8_t address[FDB_ADDRESS], uint64_t now)
{
	struct entry *set = (struct entry *)set_of(fdb, address);

	for (int i = 0; i < WAYS; i++) {
		if (is_old(&set[i], now))
			release(&set[i]);
		if (!set[i].port)
			return &set[i];
	}
	return NULL;
}

void fdb_learn(struct fdb *fdb, const uint8_t address[FDB_ADDRESS],
	       struct fdb_port *port, uint64_t now)
{
	struct entry *entry = (struct entry *)find(fdb, address);

	if (entry && entry->port == port) {
		entry->seen = now;
		return;
	}
	if (!fdb_is_source(address))
		return;
	if (port->count >= FDB_PORT_MOST ||
	    !(entry || (entry = place_for(fdb, address, now)))) {
		port->untold++;
		return;
	}
	if (entry->port) {
		release(entry);
		port->moved++;
	}
	port->count++;
	*entry = (struct entry){ .port = port, .seen = now };
	memcpy(entry->address, address, FDB_ADDRESS);
}

struct fdb_port *fdb_find(const struct fdb *fdb,
			  const uint8_t address[FDB_ADDRESS], uint64_t now)
{
	const struct entry *entry = find(fdb, address);

	return entry && !is_old(entry, now) ? entry->port : NULL;
}

void fdb_forget(struct fdb *fdb, struct fdb_port *port)
{
	for (int i = 0; i < FDB_ENTRIES && port->count; i++)
		if (fdb->entries[i].port == port)
			release(&fdb->entries[i]);
}

void fdb_age(struct fdb *fdb, uint64_t now)
{
	for (int i = 0; i < FDB_ENTRIES; i++)
		if (is_old(&fdb->entries[i], now))
			release(&fdb->entries[i]);
}
