/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/engine/fdb.h"

#include <string.h>

enum { WAYS = 8, SETS = FDB_ENTRIES / WAYS, UNIT_US = 1000000 };

/* All atomic. */
struct entry {
	uint64_t word; /* address, and the port's number on top; 0: free */
	uint32_t seen; /* in seconds; set before the word is */
};

struct fdb {
	uint64_t key;
	struct entry entries[FDB_ENTRIES];
	uint16_t counts[FDB_PORTS + 1]; /* of entries, by port; atomic */
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

static bool is_group(const uint8_t address[FDB_ADDRESS])
{
	return address[0] & 1;
}

bool fdb_is_source(const uint8_t address[FDB_ADDRESS])
{
	static const uint8_t nobody[FDB_ADDRESS];

	return !is_group(address) && memcmp(address, nobody, FDB_ADDRESS);
}

bool fdb_is_link_local(const uint8_t address[FDB_ADDRESS])
{
	static const uint8_t bridges[] = { 0x01, 0x80, 0xc2, 0, 0 };

	return !memcmp(address, bridges, sizeof(bridges)) && address[5] < 0x10;
}

/* --- words ---------------------------------------------------------------- */

static uint64_t word_of(const uint8_t address[FDB_ADDRESS], uint16_t number)
{
	uint64_t word = 0;

	for (int i = 0; i < FDB_ADDRESS; i++)
		word = word << 8 | address[i];
	return word | (uint64_t)number << 48;
}

static uint16_t port_of(uint64_t word)
{
	return (uint16_t)(word >> 48);
}

static bool is_of(uint64_t word, uint64_t address)
{
	return word && !((word ^ address) << 16);
}

static uint64_t word_at(const struct entry *entry)
{
	return __atomic_load_n(&entry->word, __ATOMIC_ACQUIRE);
}

static bool swap(struct entry *entry, uint64_t from, uint64_t to)
{
	return __atomic_compare_exchange_n(&entry->word, &from, to, false,
					   __ATOMIC_SEQ_CST, __ATOMIC_RELAXED);
}

/* The finalizer of MurmurHash3 over address and key: every bit of both counts
 * in every bit of the set. */
static struct entry *set_of(const struct fdb *fdb, uint64_t address)
{
	uint64_t hash = address << 16 >> 16;

	hash ^= fdb->key;
	hash = (hash ^ hash >> 33) * 0xff51afd7ed558ccdULL;
	hash ^= fdb->key << 32 | fdb->key >> 32;
	hash = (hash ^ hash >> 33) * 0xc4ceb9fe1a85ec53ULL;
	hash ^= hash >> 33;
	return (struct entry *)&fdb->entries[hash % SETS * WAYS];
}

static struct entry *find(struct entry *set, uint64_t address, uint64_t *word)
{
	for (int i = 0; i < WAYS; i++) {
		*word = word_at(&set[i]);
		if (is_of(*word, address))
			return &set[i];
	}
	return NULL;
}

/* --- age ------------------------------------------------------------------ */

static uint32_t seconds(uint64_t now)
{
	return (uint32_t)(now / UNIT_US);
}

/* Of two clocks that were read one after the other the later may be less. */
static bool is_old(const struct entry *entry, uint64_t now)
{
	uint32_t seen = __atomic_load_n(&entry->seen, __ATOMIC_RELAXED);
	int32_t age = (int32_t)(seconds(now) - seen);

	return age > FDB_AGE_US / UNIT_US;
}

/* Written seldom: others read the line that it is in. */
static void set_seen(struct entry *entry, uint64_t now)
{
	uint32_t at = seconds(now);

	if (__atomic_load_n(&entry->seen, __ATOMIC_RELAXED) != at)
		__atomic_store_n(&entry->seen, at, __ATOMIC_RELAXED);
}

/* --- who has how many ----------------------------------------------------- */

static uint16_t *count_of(const struct fdb *fdb, uint16_t number)
{
	return (uint16_t *)&fdb->counts[number];
}

unsigned fdb_count(const struct fdb *fdb, uint16_t number)
{
	return __atomic_load_n(count_of(fdb, number), __ATOMIC_RELAXED);
}

/* One more, if it may. */
static bool claim(struct fdb *fdb, uint16_t number)
{
	uint16_t *count = count_of(fdb, number);

	if (__atomic_fetch_add(count, 1, __ATOMIC_RELAXED) < FDB_PORT_MOST)
		return true;
	__atomic_fetch_sub(count, 1, __ATOMIC_RELAXED);
	return false;
}

static void unclaim(struct fdb *fdb, uint16_t number)
{
	__atomic_fetch_sub(count_of(fdb, number), 1, __ATOMIC_RELAXED);
}

/* false: another thread was quicker with it. */
static bool release(struct fdb *fdb, struct entry *entry, uint64_t word)
{
	if (!swap(entry, word, 0))
		return false;
	unclaim(fdb, port_of(word));
	return true;
}

/* --- learning ------------------------------------------------------------- */

/* A place that is free, or whose time is over; NULL: the set is full of what is
 * still in use. */
static struct entry *place_for(struct fdb *fdb, struct entry *set, uint64_t now)
{
	for (int i = 0; i < WAYS; i++) {
		uint64_t word = word_at(&set[i]);

		if (word && is_old(&set[i], now) && release(fdb, &set[i], word))
			word = 0;
		if (!word)
			return &set[i];
	}
	return NULL;
}

/* Two threads may have put one address into two places: the first of these
 * stays. Whoever looks last sees both. */
static void leave_one(struct fdb *fdb, struct entry *set, uint64_t address)
{
	bool had = false;

	for (int i = 0; i < WAYS; i++) {
		uint64_t word = __atomic_load_n(&set[i].word, __ATOMIC_SEQ_CST);

		if (!is_of(word, address))
			continue;
		if (had)
			release(fdb, &set[i], word);
		had = true;
	}
}

/* A free place, or another port's; who loses it to another thread in this very
 * moment tells again with its next frame. */
static void take(struct fdb *fdb, struct entry *entry, uint64_t old,
		 uint64_t fresh, struct fdb_port *port)
{
	if (!swap(entry, old, fresh)) {
		unclaim(fdb, port->number);
	} else if (old) {
		unclaim(fdb, port_of(old));
		port->moved++;
	} else {
		leave_one(fdb, entry - (entry - fdb->entries) % WAYS, fresh);
	}
}

void fdb_learn(struct fdb *fdb, const uint8_t address[FDB_ADDRESS],
	       struct fdb_port *port, uint64_t now)
{
	uint64_t fresh = word_of(address, port->number), old = 0;
	struct entry *set = set_of(fdb, fresh), *entry;

	entry = find(set, fresh, &old);
	if (entry && old == fresh) {
		set_seen(entry, now);
		return;
	}
	if (!fdb_is_source(address) || port->number == FDB_NO_PORT)
		return;
	if (!entry) {
		old = 0;
		entry = place_for(fdb, set, now);
	}
	if (!entry || !claim(fdb, port->number)) {
		port->untold++;
		return;
	}
	set_seen(entry, now);
	take(fdb, entry, old, fresh, port);
}

uint16_t fdb_find(const struct fdb *fdb, const uint8_t address[FDB_ADDRESS],
		  uint64_t now)
{
	uint64_t wanted = word_of(address, FDB_NO_PORT), word;
	const struct entry *entry = find(set_of(fdb, wanted), wanted, &word);

	return entry && !is_old(entry, now) ? port_of(word) : FDB_NO_PORT;
}

void fdb_forget(struct fdb *fdb, uint16_t number)
{
	if (number == FDB_NO_PORT)
		return;
	for (int i = 0; i < FDB_ENTRIES && fdb_count(fdb, number); i++) {
		uint64_t word = word_at(&fdb->entries[i]);

		if (port_of(word) == number)
			release(fdb, &fdb->entries[i], word);
	}
}

void fdb_age(struct fdb *fdb, uint64_t now)
{
	for (int i = 0; i < FDB_ENTRIES; i++) {
		uint64_t word = word_at(&fdb->entries[i]);

		if (word && is_old(&fdb->entries[i], now))
			release(fdb, &fdb->entries[i], word);
	}
}
