/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/tc/tc.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <stdio.h>
#include <string.h>

#include "backends/list.h"
#include "model/base/mem.h"
#include "model/base/text.h"
#include "model/shaping.h"
#include "model/shard.h"

const struct backend backend_tc = {
	.name = TC_NAME,
	.summary = "HTB trees and the queues of their classes",
	.probe = tc_probe,
	.want = tc_want,
	.read = tc_read,
	.want_own = tc_want_own,
	.read_own = tc_read_own,
	.plan = tc_plan,
	.stays = tc_stays,
	.apply = tc_apply,
	.print = tc_print,
	.print_change = tc_print_change,
	.adopt = tc_adopt,
	.print_wait = tc_print_wait,
	.import = tc_import,
	.exports = "tc",
	.export = tc_export,
	.live = tc_live,
	.health = tc_health,
};

/* ---- what is ours ---- */

static bool is_born(const struct owned_item *item, const struct facts *facts,
		    int index)
{
	struct tc_born born;

	if (item->saved_size != sizeof(born) || !*facts->boot)
		return false;
	memcpy(&born, item->saved, sizeof(born));
	return born.version == TC_KEPT_BORN && born.index == index &&
	       !strncmp(born.boot, facts->boot, sizeof(born.boot));
}

const struct owned_item *tc_owned(const struct owned *owned,
				  const struct facts *facts, const char *what,
				  const char *name, int index)
{
	AUTO(str) char *key = mem_printf("%s %s", what, name);
	const struct owned_item *item = owned_find(owned, TC_NAME, key);
	size_t length = strlen(what) + 1;

	for (size_t i = 0; i < owned->count && !item; i++)
		if (!strcmp(owned->items[i].backend, TC_NAME) &&
		    !strncmp(owned->items[i].key, key, length) &&
		    is_born(&owned->items[i], facts, index))
			item = &owned->items[i];
	return item;
}

void tc_claim(struct owned *claims, const struct facts *facts,
	      const struct object *object, const struct owned_item *before)
{
	struct tc_born born = { .version = TC_KEPT_BORN,
				.index = tc_of(object)->index };
	uint32_t version = TC_KEPT_BORN;

	memcpy(born.boot, facts->boot, sizeof(born.boot));
	if (before && before->saved_size >= sizeof(version))
		memcpy(&version, before->saved, sizeof(version));
	if (version == TC_KEPT_BORN)
		owned_add(claims, TC_NAME, object->key, &born, sizeof(born));
	else
		owned_add(claims, TC_NAME, object->key, before->saved,
			  before->saved_size);
}

bool tc_stays(const struct owned_item *item, const struct tree *tree,
	      const struct facts *facts)
{
	const char *name = strchr(item->key, ' ') + 1;
	bool named = false, there = false;

	if (strncmp(item->key, "root ", 5) != 0 || facts_link(facts, name))
		return false;
	node_each (uplink, tree_classes(tree)) {
		const char *device = uplink_device(uplink);

		named = named || (device && !strcmp(device, name));
	}
	for (size_t i = 0; i < facts->link_count; i++)
		there = there || is_born(item, facts, facts->links[i].index);
	return named && there;
}

/* ---- objects ---- */

static const char *const sort_names[] = {
	[TC_ROOT] = "root",	  [TC_CLASS] = "class",
	[TC_LEAF] = "leaf",	  [TC_FILTER] = "filter",
	[TC_FOREIGN] = "foreign", [TC_SAVED] = "saved",
	[TC_LINK] = "ifb",	  [TC_PROGRAM] = "program",
	[TC_INGRESS] = "ingress", [TC_REDIRECT] = "redirect",
	[TC_SHARD] = "shard",	  [TC_SORTER] = "sorter",
	[TC_OTHER] = "other",	  [TC_STRANGER] = "stranger",
};

/* The class that an object is about; 0 for roots. */
static uint32_t classid_of(const struct tc_object *object)
{
	if (object->sort == TC_CLASS)
		return object->handle;
	return object->sort == TC_LEAF ? object->parent : 0;
}

uint32_t tc_info(const struct tc_object *object)
{
	uint32_t pref = TC_FILTER_PREF;

	if (object->sort == TC_OTHER)
		return object->other.info;
	if (object->sort == TC_PROGRAM && object->program.rest)
		pref = TC_REST_PREF;
	return TC_H_MAKE(pref << 16, htons(ETH_P_ALL));
}

/* u32 counts its hash tables over all filters of a qdisc: made again, the same
 * filter may be in another one. */
static uint32_t other_number(const struct tc_object *object)
{
	return strcmp(object->other.kind, "u32") ? object->handle
						 : object->handle & 0xfff;
}

static char *put_word(char *at, const char *word)
{
	return stpcpy(at, word);
}

static char *put_hex(char *at, uint32_t u)
{
	int shift = 28;

	while (shift && !(u >> shift))
		shift -= 4;
	for (; shift >= 0; shift -= 4)
		*at++ = "0123456789abcdef"[u >> shift & 15];
	*at = '\0';
	return at;
}

/* Keys are made by the ten thousand: not by printf(), for these. */
static void class_key(const char *kept, const char *name, const char *device,
		      uint32_t classid, char key[TC_KEY_SIZE])
{
	char *at = put_word(put_word(put_word(key, kept), name), " ");

	at = put_word(at, device);
	at = put_hex(put_word(at, " "), TC_H_MAJ(classid) >> 16);
	put_hex(put_word(at, ":"), TC_H_MIN(classid));
}

void tc_key(const struct tc_object *object, char key[TC_KEY_SIZE])
{
	const char *name = sort_names[object->sort];
	const char *kept = object->kept ? "kept " : "";
	uint32_t classid = classid_of(object);

	if (object->sort == TC_FILTER)
		snprintf(key, TC_KEY_SIZE, "%s%s %s fw %u", kept, name,
			 object->device, object->filter.mark);
	else if (object->sort == TC_OTHER || object->sort == TC_STRANGER)
		snprintf(key, TC_KEY_SIZE, "%s%s %s pref %u %04x %s %x", kept,
			 name, object->device, object->other.info >> 16,
			 ntohs(object->other.info & 0xffff), object->other.kind,
			 other_number(object));
	else if (object->sort == TC_PROGRAM && object->program.rest)
		snprintf(key, TC_KEY_SIZE, "%s%s %s rest", kept, name,
			 object->device);
	else if (object->sort == TC_SHARD)
		snprintf(key, TC_KEY_SIZE, "%s%s %s %x:", kept, name,
			 object->device, TC_H_MAJ(object->handle) >> 16);
	else if (classid)
		class_key(kept, name, object->device, classid, key);
	else
		snprintf(key, TC_KEY_SIZE, "%s%s %s", kept, name,
			 object->device);
}

bool tc_leaf_is_foreign(const struct object *leaf)
{
	return leaf && !strcmp(tc_of(leaf)->queue.kind, TC_FOREIGN_LEAF);
}

struct object *tc_add(struct state *state, const struct tc_object *object,
		      const void *raw, size_t raw_size, const char *path)
{
	struct tc_object *whole;
	struct object *added;
	char key[TC_KEY_SIZE];

	tc_key(object, key);
	/* A dump during which something changed may tell of a class twice. */
	if (state_find(state, &backend_tc, key))
		return NULL;
	if (!raw_size)
		return state_add(state, &backend_tc, key, path, object,
				 sizeof(*object));
	whole = mem_alloc(sizeof(*whole) + raw_size);
	*whole = *object;
	whole->raw_size = (uint32_t)raw_size;
	memcpy(whole->raw, raw, raw_size);
	added = state_add(state, &backend_tc, key, path, whole,
			  sizeof(*whole) + raw_size);
	free(whole);
	return added;
}

bool tc_class_differs(const struct tc_object *now, const struct tc_object *want)
{
	const struct tc_class *a = &now->class, *b = &want->class;

	if (a->rate != b->rate || a->ceil != b->ceil ||
	    a->buffer != b->buffer || a->cbuffer != b->cbuffer ||
	    a->linklayer != b->linklayer || a->overhead != b->overhead ||
	    a->mpu != b->mpu)
		return true;
	/* The kernel keeps what an inner class had when it was a leaf. */
	return b->level == 0 &&
	       (a->prio != b->prio || a->quantum != b->quantum);
}

/* ---- printing ---- */

static void put_id(uint32_t id, struct text *out)
{
	text_printf(out, "%x:%x", TC_H_MAJ(id) >> 16, TC_H_MIN(id));
}

static void put_rate(const char *name, uint64_t bytes, struct text *out)
{
	text_printf(out, " %s ", name);
	rate_print(bytes * 8, out);
}

static void print_name(const struct tc_object *object, struct text *out)
{
	char key[TC_KEY_SIZE];

	tc_key(object, key);
	text_put(out, key + (object->kept ? strlen("kept ") : 0));
}

static const char *linklayer_name(uint8_t linklayer)
{
	return linklayer == TC_LINKLAYER_ATM	    ? "atm"
	       : linklayer == TC_LINKLAYER_ETHERNET ? "ethernet"
						    : "unaware";
}

/* tc's default is not worth a word. */
static bool is_usual_burst(uint64_t rate, uint32_t ticks)
{
	uint32_t usual = 0;

	(void)shaping_ticks(rate, rate / 1000000000u + 1600, &usual);
	return ticks == usual;
}

static void put_burst(const char *name, uint64_t bytes, uint64_t rate,
		      uint32_t ticks, struct text *out)
{
	if (!bytes && is_usual_burst(rate, ticks))
		return;
	text_printf(out, " %s ", name);
	size_print(bytes ? bytes : shaping_bytes(rate, ticks), out);
}

static void print_class(const struct tc_object *object, struct text *out)
{
	const struct tc_class *class = &object->class;

	if (object->parent == TC_H_ROOT) {
		text_put(out, " root");
	} else {
		text_put(out, " parent ");
		put_id(object->parent, out);
	}
	if (!class->level)
		text_printf(out, " prio %u", class->prio);
	put_rate("rate", class->rate, out);
	put_rate("ceil", class->ceil, out);
	put_burst("burst", class->burst, class->rate, class->buffer, out);
	put_burst("cburst", class->cburst, class->ceil, class->cbuffer, out);
	if (class->fixed_quantum && !class->level && !class->observed)
		text_printf(out, " quantum %u", class->quantum);
	if (class->linklayer != TC_LINKLAYER_ETHERNET)
		text_printf(out, " linklayer %s",
			    linklayer_name(class->linklayer));
	if (class->overhead)
		text_printf(out, " overhead %u", class->overhead);
	if (class->mpu)
		text_printf(out, " mpu %u", class->mpu);
}

static void print_foreign(const struct tc_object *object, struct text *out)
{
	text_printf(out, " %s", object->foreign.kind);
	if (object->handle)
		text_printf(out, " handle %x:", TC_H_MAJ(object->handle) >> 16);
}

void tc_print_wait(const struct step *step, struct text *out)
{
	text_printf(out,
		    "wait %s: until nothing is queued in what goes, %u s at "
		    "most",
		    tc_of(step->before)->device, step->within_ms / 1000);
}

void tc_print(const struct object *object, struct text *out)
{
	const struct tc_object *tc = tc_of(object);

	print_name(tc, out);
	switch (tc->sort) {
	case TC_ROOT:
		text_printf(out, " htb handle 1: default %x r2q %u",
			    tc->root.defcls, tc->root.r2q);
		break;
	case TC_SHARD:
		text_put(out, " htb parent ");
		put_id(tc->parent, out);
		break;
	case TC_SORTER:
		text_printf(out, " ebpf priority N:M to 1:%x + N", SHARD_MINOR);
		break;
	case TC_CLASS: print_class(tc, out); break;
	case TC_LEAF:
		if (tc->handle)
			text_printf(out,
				    " handle %x:", TC_H_MAJ(tc->handle) >> 16);
		text_put_char(out, ' ');
		queue_print(&tc->queue, out);
		break;
	case TC_FILTER:
		text_printf(out, " mask 0x%x classid ", tc->filter.mask);
		put_id(tc->filter.classid, out);
		break;
	case TC_FOREIGN:
	case TC_SAVED: print_foreign(tc, out); break;
	case TC_OTHER:
	case TC_STRANGER: break;
	default: down_print(tc, out);
	}
}

static void put_rates(const char *name, uint64_t now, uint64_t want,
		      struct text *out)
{
	if (now == want)
		return;
	put_rate(name, now, out);
	text_put(out, " -> ");
	rate_print(want * 8, out);
}

static void put_numbers(const char *name, uint64_t now, uint64_t want,
			struct text *out)
{
	if (now != want)
		text_printf(out, " %s %llu -> %llu", name,
			    (unsigned long long)now, (unsigned long long)want);
}

static void put_bursts(const char *name, uint64_t rate, uint32_t ticks,
		       uint64_t new_rate, uint32_t new_ticks, uint64_t given,
		       struct text *out)
{
	uint64_t old = shaping_bytes(rate, ticks);
	uint64_t new = given ? given : shaping_bytes(new_rate, new_ticks);

	/* The same bytes take other ticks at another rate. */
	if (ticks == new_ticks || old == new ||
	    (is_usual_burst(rate, ticks) &&
	     is_usual_burst(new_rate, new_ticks)))
		return;
	text_printf(out, " %s ", name);
	size_print(old, out);
	text_put(out, " -> ");
	size_print(new, out);
}

static void change_class(const struct tc_class *now,
			 const struct tc_class *want, struct text *out)
{
	put_rates("rate", now->rate, want->rate, out);
	put_rates("ceil", now->ceil, want->ceil, out);
	put_bursts("burst", now->rate, now->buffer, want->rate, want->buffer,
		   want->burst, out);
	put_bursts("cburst", now->ceil, now->cbuffer, want->ceil, want->cbuffer,
		   want->cburst, out);
	if (!want->level) {
		put_numbers("prio", now->prio, want->prio, out);
		put_numbers("quantum", now->quantum, want->quantum, out);
	}
	if (now->linklayer != want->linklayer)
		text_printf(out, " linklayer %s -> %s",
			    linklayer_name(now->linklayer),
			    linklayer_name(want->linklayer));
	put_numbers("overhead", now->overhead, want->overhead, out);
	put_numbers("mpu", now->mpu, want->mpu, out);
}

void tc_print_change(const struct object *before, const struct object *after,
		     struct text *out)
{
	const struct tc_object *now = tc_of(before), *want = tc_of(after);

	if (now->sort == TC_CLASS) {
		print_name(want, out);
		change_class(&now->class, &want->class, out);
	} else if (now->sort == TC_LEAF &&
		   !strcmp(now->queue.kind, want->queue.kind)) {
		print_name(want, out);
		text_printf(out, " %s", want->queue.kind);
		queue_print_change(&now->queue, &want->queue,
				   queue_differs(&now->queue, &want->queue),
				   out);
	} else if (now->sort == TC_FILTER) {
		print_name(want, out);
		text_put(out, " classid ");
		put_id(now->filter.classid, out);
		text_put(out, " -> ");
		put_id(want->filter.classid, out);
	} else {
		tc_print(before, out);
		text_put(out, " -> ");
		tc_print(after, out);
	}
}
