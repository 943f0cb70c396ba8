/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/engine/inner.h"

#include <arpa/inet.h>
#include <string.h>

#include "model/types/prefix.h"

enum { LENGTHS = 129, LEAST = 64 };

struct entry {
	struct inner_prefix prefix;
	void *owner; /* NULL: free */
};

struct inner_map {
	struct entry *entries; /* open addressing, size a power of two */
	size_t size, count;
	uint32_t of_length[LENGTHS];
	uint8_t lengths[LENGTHS]; /* that are used, longest first */
	unsigned length_count;
};

static void mask(struct inner_prefix *prefix)
{
	uint8_t *bytes = prefix->address.s6_addr;
	unsigned whole = prefix->length / 8, bits = prefix->length % 8;

	if (whole == 16)
		return;
	bytes[whole] &= (uint8_t)(0xff00 >> bits);
	memset(bytes + whole + 1, 0, 15 - whole);
}

int inner_prefix_parse(const char *text, struct inner_prefix *prefix,
		       struct err *err)
{
	struct prefix read;
	int rc = prefix_read(text, &read, err);
	bool ip4 = rc == 0 && read.family == AF_INET;

	if (rc < 0)
		return rc;
	*prefix = (struct inner_prefix){ .length = read.length };
	if (ip4) {
		prefix->length = (uint8_t)(prefix->length + 96);
		memset(prefix->address.s6_addr + 10, 0xff, 2);
	}
	memcpy(prefix->address.s6_addr + (ip4 ? 12 : 0), read.bytes,
	       ip4 ? 4 : 16);
	mask(prefix);
	return 0;
}

void inner_prefix_print(const struct inner_prefix *prefix,
			char text[INNER_TEXT])
{
	char host[INET6_ADDRSTRLEN] = "";
	bool ip4 =
		IN6_IS_ADDR_V4MAPPED(&prefix->address) && prefix->length >= 96;

	inet_ntop(ip4 ? AF_INET : AF_INET6,
		  prefix->address.s6_addr + (ip4 ? 12 : 0), host, sizeof(host));
	snprintf(text, INNER_TEXT, "%s/%u", host,
		 prefix->length - (ip4 ? 96U : 0U));
}

struct inner_map *inner_map_new(void)
{
	struct inner_map *prefixes = mem_alloc(sizeof(*prefixes));

	prefixes->size = LEAST;
	prefixes->entries = mem_array(LEAST, sizeof(*prefixes->entries));
	return prefixes;
}

void inner_map_free(struct inner_map *prefixes)
{
	if (!prefixes)
		return;
	free(prefixes->entries);
	free(prefixes);
}

static size_t slot_of(const struct inner_map *prefixes,
		      const struct inner_prefix *prefix)
{
	uint32_t hash = prefix->length * 0x9e3779b1U, word;

	for (int i = 0; i < 4; i++) {
		memcpy(&word, prefix->address.s6_addr + 4 * i, 4);
		hash = (hash ^ word) * 0x9e3779b1U;
		hash ^= hash >> 15;
	}
	return hash & (prefixes->size - 1);
}

/* Where it is, or where it would go. */
static struct entry *find(const struct inner_map *prefixes,
			  const struct inner_prefix *prefix)
{
	size_t slot = slot_of(prefixes, prefix);

	for (;; slot = (slot + 1) & (prefixes->size - 1)) {
		struct entry *entry = &prefixes->entries[slot];

		if (!entry->owner || (entry->prefix.length == prefix->length &&
				      IN6_ARE_ADDR_EQUAL(&entry->prefix.address,
							 &prefix->address)))
			return entry;
	}
}

static void resize(struct inner_map *prefixes, size_t size)
{
	struct entry *old = prefixes->entries;
	size_t old_size = prefixes->size;

	prefixes->entries = mem_array(size, sizeof(*old));
	prefixes->size = size;
	for (size_t i = 0; i < old_size; i++)
		if (old[i].owner)
			*find(prefixes, &old[i].prefix) = old[i];
	free(old);
}

static void lengths_list(struct inner_map *prefixes)
{
	prefixes->length_count = 0;
	for (int i = LENGTHS - 1; i >= 0; i--)
		if (prefixes->of_length[i])
			prefixes->lengths[prefixes->length_count++] =
				(uint8_t)i;
}

int inner_map_add(struct inner_map *prefixes, const struct inner_prefix *prefix,
		  void *owner)
{
	struct entry *entry;

	if (prefixes->count * 2 >= prefixes->size)
		resize(prefixes, prefixes->size * 2);
	entry = find(prefixes, prefix);
	if (entry->owner)
		return -EEXIST;
	*entry = (struct entry){ *prefix, owner };
	prefixes->count++;
	if (!prefixes->of_length[prefix->length]++)
		lengths_list(prefixes);
	return 0;
}

void inner_map_remove(struct inner_map *prefixes,
		      const struct inner_prefix *prefix)
{
	struct entry *entry = find(prefixes, prefix);

	if (!entry->owner)
		return;
	entry->owner = NULL;
	prefixes->count--;
	if (!--prefixes->of_length[prefix->length])
		lengths_list(prefixes);
	resize(prefixes, prefixes->size); /* closes the gap */
}

void *inner_map_find(const struct inner_map *prefixes,
		     const struct in6_addr *address)
{
	for (unsigned i = 0; i < prefixes->length_count; i++) {
		struct inner_prefix prefix = { *address, prefixes->lengths[i] };
		const struct entry *entry;

		mask(&prefix);
		entry = find(prefixes, &prefix);
		if (entry->owner)
			return entry->owner;
	}
	return NULL;
}

void *inner_map_find_packet(const struct inner_map *prefixes, uint8_t version,
			    const uint8_t *bytes)
{
	struct in6_addr address = IN6ADDR_ANY_INIT;

	if (version == 6) {
		memcpy(&address, bytes, 16);
	} else {
		memset(address.s6_addr + 10, 0xff, 2);
		memcpy(address.s6_addr + 12, bytes, 4);
	}
	return inner_map_find(prefixes, &address);
}
