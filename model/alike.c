/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "model/alike.h"

#include "model/shaping.h"

/* By hash: how many of a family were taken, or what was said of a path. */
struct entry {
	uint64_t hash; /* 0: free */
	uint32_t count;
};

struct alike {
	const struct tree *before, *after;
	struct entry *entries; /* owned; a power of two of them */
	size_t used, room;
};

enum { REFUSED = 1, TAKEN = 2 };

/* ---- hashes ---- */

#define FAMILY_SEED 0x9e3779b97f4a7c15u
#define PATH_SEED   0xc2b2ae3d27d4eb4fu

/* FNV-1a, 64 bit: by accident no two families meet. */
static uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t size)
{
	const uint8_t *at = bytes;

	while (size--)
		hash = (hash ^ *at++) * 0x100000001b3u;
	return hash;
}

static uint64_t hash_text(uint64_t hash, const char *text)
{
	return hash_bytes(hash, text, strlen(text) + 1);
}

static struct entry *entry_of(const struct alike *alike, uint64_t hash)
{
	size_t at = hash & (alike->room - 1);

	while (alike->entries[at].hash && alike->entries[at].hash != hash)
		at = (at + 1) & (alike->room - 1);
	return &alike->entries[at];
}

static void grow(struct alike *alike)
{
	struct entry *old = alike->entries;
	size_t count = alike->room;

	alike->room = count ? count * 4 : 256;
	alike->entries = mem_array(alike->room, sizeof(*alike->entries));
	for (size_t i = 0; i < count; i++)
		if (old[i].hash)
			*entry_of(alike, old[i].hash) = old[i];
	free(old);
}

/* The count of this hash, 0 when it is new. */
static uint32_t *count_of(struct alike *alike, uint64_t hash)
{
	struct entry *entry;

	if (alike->used * 2 >= alike->room)
		grow(alike);
	entry = entry_of(alike, hash ? hash : 1);
	if (!entry->hash) {
		entry->hash = hash ? hash : 1;
		alike->used++;
	}
	return &entry->count;
}

/* ---- families ---- */

static bool tells_apart(size_t attr)
{
	return attr == CLASS_CLASSID || attr == CLASS_MARK ||
	       attr == CLASS_DESCRIPTION;
}

static uint64_t hash_settings(uint64_t hash, const struct node *class)
{
	for (size_t attr = 0; attr < CLASS_ATTRS; attr++) {
		AUTO_TEXT text = TEXT_NONE;

		if (tells_apart(attr) ||
		    node_origin(class, attr) != ORIGIN_GIVEN)
			continue;
		node_print(class, attr, &text);
		hash = hash_bytes(hash, &attr, sizeof(attr));
		hash = hash_text(hash, text_get(&text));
	}
	return hash;
}

/* A class with neither classes nor matches. */
static bool is_plain(const struct node *node)
{
	const struct node *matches;

	if (node_kind(node) != &kind_class || !class_is_leaf(node))
		return false;
	matches = node_fixed(node, &kind_matches);
	return !matches || !node_count(matches);
}

/* false: it has no family. */
static bool add_side(const struct tree *tree, const char *path, uint64_t *hash)
{
	const struct node *node = tree_walk(tree, tree_root(tree), path, NULL);
	AUTO(str) char *parent = NULL;

	if (!node) {
		*hash = hash_text(*hash, "");
		return true;
	}
	if (!is_plain(node))
		return false;
	parent = node_path_dup(node_parent(node));
	*hash = hash_settings(hash_text(*hash, parent), node);
	return true;
}

static bool decide(struct alike *alike, const char *path)
{
	uint64_t hash = FAMILY_SEED;

	if (!add_side(alike->before, path, &hash) ||
	    !add_side(alike->after, path, &hash))
		return true;
	return ++*count_of(alike, hash) <= ALIKE_TRIED;
}

/* ---- all ---- */

struct alike *alike_new(const struct tree *before, const struct tree *after)
{
	struct alike *alike = mem_alloc(sizeof(*alike));

	*alike = (struct alike){ .before = before, .after = after };
	return alike;
}

void alike_free(struct alike *alike)
{
	if (!alike)
		return;
	free(alike->entries);
	free(alike);
}

bool alike_takes(struct alike *alike, const char *path)
{
	uint64_t hash = hash_text(PATH_SEED, path);
	uint32_t said = *count_of(alike, hash);
	bool takes;

	if (said)
		return said == TAKEN;
	takes = decide(alike, path);
	*count_of(alike, hash) = takes ? TAKEN : REFUSED;
	return takes;
}
