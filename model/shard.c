/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "model/shard.h"

#include <errno.h>
#include <string.h>

#include "model/base/mem.h"
#include "model/facts.h"
#include "model/node.h"
#include "model/report.h"
#include "model/shaping.h"
#include "model/sums.h"

#define each_class(at, branch)                                                 \
	for (struct node *at = node_walk(branch, branch); at;                  \
	     at = node_walk(branch, at))                                       \
		if (node_kind(at) == &kind_class)

/* ---- what there is ---- */

static size_t shards_attr(const struct node *node)
{
	return node_kind(node) == &kind_uplink ? (size_t)UPLINK_SHARDS
					       : (size_t)CLASS_SHARDS;
}

static const struct ranges *numbers_of(const struct node *node)
{
	const struct value *value = node_value(node, shards_attr(node));

	return value && !value->word ? value->ranges : NULL;
}

bool uplink_may_shard(const struct node *uplink)
{
	return !uplink_is_down(uplink) &&
	       node_u(uplink, UPLINK_CLASSIFIER) == CLASSIFIER_NFT;
}

bool uplink_shards(const struct node *uplink, const struct facts *facts)
{
	bool asked;

	return uplink_may_shard(uplink) &&
	       (facts_qdisc(facts, "ebpf", &asked) || !asked) &&
	       (facts_qdisc(facts, "bpf", &asked) || !asked);
}

static size_t count_of(const struct ranges *numbers)
{
	size_t count = 0;

	for (size_t i = 0; numbers && i < numbers->count; i++)
		count += numbers->item[i].to - numbers->item[i].from + 1;
	return count;
}

size_t shard_count(const struct node *parent)
{
	return count_of(numbers_of(parent));
}

static uint32_t number_at(const struct ranges *numbers, size_t place)
{
	for (size_t i = 0; i < numbers->count; i++) {
		const struct range *range = &numbers->item[i];
		size_t count = range->to - range->from + 1;

		if (place < count)
			return range->from + (uint32_t)place;
		place -= count;
	}
	return 0;
}

static bool deals_out(const struct node *class)
{
	return numbers_of(class) && !class_is_leaf(class);
}

/* Evenly whatever the distance of one minor to the next is: by the fraction of
 * its product with the golden ratio (Knuth, volume 3, 6.4). */
static size_t place_of(uint32_t classid, size_t count)
{
	return ((classid & 0xffff) * 40503u & 0xffff) * count >> 16;
}

uint32_t shard_by_parent(const struct node *class)
{
	const struct ranges *numbers = numbers_of(node_parent(class));

	if (!numbers || deals_out(class))
		return 0;
	return number_at(numbers,
			 place_of((uint32_t)node_u(class, CLASS_CLASSID),
				  count_of(numbers)));
}

uint32_t shard_of(const struct node *class)
{
	const struct node *parent = node_parent(class);
	uint32_t above = 0;

	if (node_kind(parent) == &kind_class)
		above = shard_of(parent);
	return above ? above : shard_by_parent(class);
}

uint32_t class_handle(const struct node *class, bool shards)
{
	uint32_t number = shards ? shard_of(class) : 0;

	return (number ? number : 1) << 16 |
	       (node_u(class, CLASS_CLASSID) & 0xffff);
}

static uint32_t fill(const struct sums *sums, struct shard *shards)
{
	uint32_t prio = SUM_PRIOS;

	for (uint32_t n = 0; n <= SHARD_LAST; n++)
		shards[n] = (struct shard){ .number = n };
	for (size_t i = 0; i < sums->count; i++) {
		const struct sum *sum = &sums->items[i];
		struct shard *shard = &shards[sum->shard];
		uint32_t lowest = sum_lowest_prio(sum);

		if (!sum->shard)
			continue;
		shard->children = sum->of[SUM_CLASSES];
		shard->rate_bytes = sum->of[SUM_BYTES];
		if (lowest < prio)
			prio = lowest;
	}
	return prio < SUM_PRIOS ? prio : 0;
}

static uint32_t fill_by(void (*read)(const struct node *, struct sums *),
			const struct node *parent, struct shard *shards)
{
	struct sums sums = SUMS_NONE;
	uint32_t prio;

	read(parent, &sums);
	prio = fill(&sums, shards);
	sums_clear(&sums);
	return prio;
}

uint32_t shard_sum(const struct node *parent, struct shard *shards)
{
	return fill_by(sums_of, parent, shards);
}

uint32_t shard_sum_was(const struct node *parent, struct shard *shards)
{
	return fill_by(sums_were, parent, shards);
}

/* ---- dealing out ---- */

struct dealing {
	bool used[SHARD_LAST + 1];
	size_t most;	/* classes in a branch that is dealt out as one */
	size_t outside; /* classes that stay in the outermost HTB */
	size_t numbers;
	struct report *report; /* NULL: it is only counted */
};

static size_t size_of(const struct node *branch)
{
	size_t size = 0;

	for (const struct node *at = branch; at; at = node_walk(branch, at))
		size += node_kind(at) == &kind_class;
	return size;
}

/* A device keeps its qdiscs in 16 lists by hash_32(handle) (DECLARE_HASHTABLE
 * in linux/netdevice.h). In the first are, while classes are made, all their
 * queues without a number, and what is looked up there is found last. */
static bool is_slow(uint32_t number)
{
	return (number << 16) * 0x61c88647u >> 28 == 0;
}

static void tell(const struct node *parent, size_t count, struct report *report)
{
	AUTO_TEXT numbers = TEXT_NONE;

	node_print(parent, shards_attr(parent), &numbers);
	report_note(report, parent,
		    "more than %u classes in one HTB take the kernel seconds "
		    "to make, so those below are now in %zu of their own "
		    "(shards=%s)%s",
		    SHARD_ABOVE, count, text_get(&numbers),
		    count == 1 ? "; they share as before"
			       : "; rates and ceils hold as before, but what "
				 "is left over is shared by these first, and "
				 "by prio and quantum only within each; "
				 "shards=none keeps one");
}

/* Gives a node up to count numbers that are free. Returns how many. */
static size_t take_numbers(struct node *node, size_t count, bool *used)
{
	const struct attr *attr = &node_kind(node)->attrs[shards_attr(node)];
	AUTO_TEXT text = TEXT_NONE;
	struct value value;
	size_t taken = 0;

	for (uint32_t n = SHARD_FIRST; n <= SHARD_LAST && taken < count; n++) {
		if (used[n] || is_slow(n))
			continue;
		used[n] = true;
		text_printf(&text, "%s%u", taken ? "," : "", n);
		taken++;
	}
	if (taken && value_parse(attr, text_get(&text), &value, NULL) == 0)
		node_set(node, shards_attr(node), &value, ORIGIN_CHOSEN);
	return taken;
}

static void deal(struct dealing *dealing, struct node *parent)
{
	bool has = node_has(parent, shards_attr(parent));
	bool deals = shard_count(parent) > 0;
	size_t units = 0, count;

	node_each (child, parent) {
		size_t size;

		if (node_kind(child) != &kind_class)
			continue;
		size = size_of(child);
		/* What is in a shard already does not leave it. */
		if (shard_count(child) || (!deals && size > dealing->most)) {
			dealing->outside++;
			deal(dealing, child);
		} else {
			units += size;
		}
	}
	if (has && !deals)
		dealing->outside += units; /* shards=none */
	if (has)
		return;
	count = units > dealing->most
			? (units + SHARD_CLASSES - 1) / SHARD_CLASSES
			: 0;
	dealing->numbers += count;
	dealing->outside += count ? count : units;
	if (!dealing->report || !count)
		return;
	count = take_numbers(parent, count, dealing->used);
	if (count)
		tell(parent, count, dealing->report);
}

/* Small branches of their own share like one HTB, so they come first; larger
 * ones when that would take too many numbers. */
static size_t best_size(struct node *uplink)
{
	size_t most = 32;

	for (; most < SHARD_CLASSES; most *= 2) {
		struct dealing dealing = { .most = most };

		deal(&dealing, uplink);
		if (dealing.numbers <= 200 &&
		    dealing.outside <= SHARD_ABOVE / 2)
			break;
	}
	return most < SHARD_CLASSES ? most : SHARD_CLASSES;
}

static size_t count_outside(const struct node *uplink)
{
	size_t count = 0;

	each_class(at, uplink) count += !shard_of(at);
	return count;
}

static void mark_used(const struct node *node, bool *used)
{
	const struct ranges *numbers = numbers_of(node);

	for (size_t i = 0; i < count_of(numbers); i++)
		used[number_at(numbers, i)] = true;
}

static bool is_used(const struct node *node, const bool *used)
{
	const struct ranges *numbers = numbers_of(node);

	for (size_t i = 0; i < count_of(numbers); i++)
		if (used[number_at(numbers, i)])
			return true;
	return false;
}

/* A chosen one goes where it has no use, or where a given one wants it. */
static void keep_chosen(struct node *node, bool may, bool *used)
{
	size_t attr = shards_attr(node);

	if (node_origin(node, attr) != ORIGIN_CHOSEN)
		return;
	if (!may || is_used(node, used) ||
	    (node_kind(node) == &kind_class && class_is_leaf(node)))
		node_unset(node, attr);
	else
		mark_used(node, used);
}

static void reserve(const struct node *uplink, bool *used)
{
	each_class(at, uplink)
	{
		uint64_t minor = node_u(at, CLASS_CLASSID) & 0xffff;

		if (minor >= SHARD_MINOR)
			used[minor - SHARD_MINOR] = true;
	}
}

static void keep(struct node *uplink, bool *used)
{
	bool may = uplink_may_shard(uplink);

	if (node_origin(uplink, UPLINK_SHARDS) == ORIGIN_GIVEN)
		mark_used(uplink, used);
	each_class(at, uplink)
	{
		if (node_origin(at, CLASS_SHARDS) == ORIGIN_GIVEN)
			mark_used(at, used);
	}
	reserve(uplink, used);
	keep_chosen(uplink, may, used);
	each_class(at, uplink) keep_chosen(at, may, used);
}

void shard_choose(struct node *uplink, struct report *report)
{
	struct dealing dealing = { .report = report };

	keep(uplink, dealing.used);
	if (!uplink_may_shard(uplink) || count_outside(uplink) <= SHARD_ABOVE)
		return;
	dealing.most = best_size(uplink);
	deal(&dealing, uplink);
}

void shard_use(const struct node *uplink, bool *used)
{
	mark_used(uplink, used);
	each_class(at, uplink) mark_used(at, used);
	reserve(uplink, used);
}

bool shard_aside(struct node *class, bool *used)
{
	size_t count = shard_count(class);

	return !count || take_numbers(class, count, used) == count;
}

/* ---- checks ---- */

static void check_node(const struct node *node, const struct node **owners,
		       struct report *report)
{
	const struct ranges *numbers = numbers_of(node);

	for (size_t i = 0; i < count_of(numbers); i++) {
		uint32_t number = number_at(numbers, i);
		AUTO(str) char *other = NULL;

		if (!owners[number]) {
			owners[number] = node;
			continue;
		}
		other = node_path_dup(owners[number]);
		report_error(report, node, EEXIST,
			     "shards: %u is one of %s; each number is one HTB",
			     number, other);
		return;
	}
}

static bool says_none(const struct node *uplink)
{
	const struct value *value = node_value(uplink, UPLINK_SHARDS);

	return value && value->word;
}

/* 10,000 classes in one HTB take the kernel 6 s and more, 40,000 minutes, and
 * nobody can break that off: only who says so gets that. */
static void check_size(const struct node *uplink, struct report *report)
{
	AUTO_TEXT word = TEXT_NONE;
	size_t count = 0;

	each_class(at, uplink) count++;
	if (uplink_may_shard(uplink) || count <= SHARD_ABOVE ||
	    says_none(uplink))
		return;
	node_print(uplink, UPLINK_CLASSIFIER, &word);
	if (uplink_is_down(uplink))
		report_error(
			report, uplink, E2BIG,
			"direction=down: %zu classes are more than the "
			"%u that one HTB takes well, and what arrives is "
			"not led into several: shape fewer, or shards=none "
			"here for one HTB of them all, which is slow to "
			"make",
			count, SHARD_ABOVE);
	else
		report_error(report, uplink, E2BIG,
			     "classifier=%s: %zu classes are more than the %u "
			     "that one HTB takes well, and only classifier=nft "
			     "leads into several: classifier=nft, or "
			     "shards=none here for one HTB of them all, which "
			     "is slow to make",
			     text_get(&word), count, SHARD_ABOVE);
}

void shard_check(const struct node *uplink, struct report *report)
{
	const struct node *owners[SHARD_LAST + 1] = { NULL };
	bool given = node_origin(uplink, UPLINK_SHARDS) == ORIGIN_GIVEN;

	check_node(uplink, owners, report);
	each_class(at, uplink)
	{
		given |= node_origin(at, CLASS_SHARDS) == ORIGIN_GIVEN;
		check_node(at, owners, report);
	}
	check_size(uplink, report);
	if (given && !uplink_may_shard(uplink))
		report_warning(report, uplink,
			       "shards have no effect here: they want "
			       "classifier=nft and direction=up");
	each_class(at, uplink)
	{
		uint64_t minor = node_u(at, CLASS_CLASSID) & 0xffff;

		if (minor >= SHARD_MINOR && owners[minor - SHARD_MINOR])
			report_error(report, at, EEXIST,
				     "classid 1:%llx is where shard %llu "
				     "hangs; choose one below 1:%x",
				     (unsigned long long)minor,
				     (unsigned long long)(minor - SHARD_MINOR),
				     SHARD_MINOR);
	}
}
