/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the tree asks for (declared in tc.h). */
#include <string.h>

#include "backends/list.h"
#include "backends/tc/program.h"
#include "backends/tc/sorter.h"
#include "backends/tc/tc.h"
#include "model/base/mem.h"
#include "model/base/text.h"
#include "model/presets.h"
#include "model/shaping.h"
#include "model/shard.h"

#define INNER_LEVEL 7 /* TC_HTB_MAXDEPTH - 1, of an inner class at the top */

struct want {
	const struct facts *facts;
	struct report *report;
	struct state *state;
	const struct node *uplink;
	const struct link_fact *link;
	bool fw;   /* filters, not nft, say the class */
	bool bpf;  /* one filter does */
	bool rest; /* ...or leads what fw's filters leave to the default */
	bool shards;
	uint32_t mask;
};

static struct tc_object object_of(const struct want *want, enum tc_sort sort)
{
	struct tc_object object = { .sort = sort, .index = want->link->index };

	memcpy(object.device, want->link->name, sizeof(object.device));
	return object;
}

static void add(const struct want *want, const struct tc_object *object,
		const struct node *node)
{
	AUTO(str) char *path = node_path_dup(node);

	tc_add(want->state, object, NULL, 0, path);
}

static uint32_t classid(const struct want *want, const struct node *class)
{
	return class_handle(class, want->shards);
}

static bool is_class(const struct node *node)
{
	return node_kind(node) == &kind_class;
}

/* The class that a shard hangs in; by its number. */
static uint32_t shard_hook(uint32_t number)
{
	return TC_ROOT_HANDLE | SHARD_MINOR | number;
}

/* The class of its own in which a shard lends; of the root's children none. */
static uint32_t shard_top(uint32_t number)
{
	return number << 16 | SHARD_MINOR | number;
}

static uint32_t shard_in(const struct want *want, const struct node *class)
{
	return want->shards ? shard_of(class) : 0;
}

/* ---- roots ---- */

/* See struct tc_root. */
static bool is_steered(const struct want *want)
{
	if (want->fw)
		return want->rest;
	return !want->bpf || program_leads_marks(want->uplink);
}

static void want_root(const struct want *want)
{
	const struct node *target =
		node_target(want->uplink, UPLINK_DEFAULT, NULL);
	struct tc_object object = object_of(want, TC_ROOT);

	object.handle = TC_ROOT_HANDLE;
	object.parent = TC_H_ROOT;
	object.root.r2q = (uint32_t)node_u(want->uplink, UPLINK_R2Q);
	if (target && shard_in(want, target))
		object.root.defcls = TC_H_MIN(shard_hook(shard_of(target)));
	else if (target)
		object.root.defcls = TC_H_MIN(classid(want, target));
	object.root.steered = target && is_steered(want);
	object.root.shares =
		node_u(want->uplink, UPLINK_FILTERS) == FILTERS_FOREIGN;
	add(want, &object, want->uplink);
}

/* ---- classes ---- */

static uint32_t parent_handle(const struct want *want, const struct node *class)
{
	const struct node *parent = node_parent(class);
	uint32_t shard = shard_in(want, class);

	if (!is_class(parent))
		return TC_H_ROOT;
	return shard == shard_in(want, parent) ? classid(want, parent)
					       : shard_top(shard);
}

/* Classes above it in its HTB. */
static uint32_t depth_in(const struct want *want, const struct node *class)
{
	uint32_t shard = shard_in(want, class), depth = 0;
	const struct node *parent;

	while (is_class(parent = node_parent(class)) &&
	       shard_in(want, parent) == shard) {
		class = parent;
		depth++;
	}
	return depth + (shard && is_class(parent));
}

static void want_class(const struct want *want, const struct node *node)
{
	struct tc_object object = object_of(want, TC_CLASS);
	struct tc_class *class = &object.class;

	object.handle = classid(want, node);
	object.parent = parent_handle(want, node);
	class->rate = class_rate_bytes(node);
	class->ceil = class_ceil_bytes(node);
	/* What does not fit was refused by the check of the tree. */
	if (class_burst_ticks(node, &class->buffer, NULL) < 0)
		class->buffer = UINT32_MAX;
	if (class_cburst_ticks(node, &class->cbuffer, NULL) < 0)
		class->cbuffer = UINT32_MAX;
	class->burst = node_u(node, CLASS_BURST);
	class->cburst = node_u(node, CLASS_CBURST);
	class->prio = (uint32_t)node_u(node, CLASS_PRIO);
	class->fixed_quantum = node_has(node, CLASS_QUANTUM);
	class->quantum =
		class->fixed_quantum
			? (uint32_t)node_u(node, CLASS_QUANTUM)
			: shaping_quantum(class->rate,
					  node_u(want->uplink, UPLINK_R2Q));
	class->linklayer = class_linklayer(node) == LINKLAYER_ATM
				   ? TC_LINKLAYER_ATM
				   : TC_LINKLAYER_ETHERNET;
	class->overhead =
		(uint16_t)class_overhead_on(node, link_header(want->link));
	class->mpu = (uint16_t)class_mpu(node);
	if (!class_is_leaf(node))
		class->level = INNER_LEVEL - depth_in(want, node);
	add(want, &object, node);
}

static void want_filter(const struct want *want, const struct node *node)
{
	struct tc_object object = object_of(want, TC_FILTER);
	const struct value *mark = node_value(node, CLASS_MARK);

	if (!mark)
		return;
	object.handle = mark->bits.value;
	object.parent = TC_ROOT_HANDLE;
	object.filter = (struct tc_filter){ mark->bits.value, want->mask,
					    classid(want, node) };
	add(want, &object, node);
}

/* ---- leaves ---- */

/* Nobody asked: the kernel will say. */
static bool is_there(const struct facts *facts, const struct leaf_kind *kind)
{
	bool asked;

	return !kind->module || facts_qdisc(facts, kind->name, &asked) ||
	       !asked;
}

/* ...and here only what is sure counts. */
static const struct leaf_kind *nearest(const struct facts *facts,
				       const struct leaf_kind *kind)
{
	const char *const *name = kind->nearest;

	for (; name[1]; name++)
		if (facts_qdisc(facts, *name, NULL))
			break;
	return leaf_kind(*name);
}

/* The kind, and as many packets as the one that is missing would hold. */
static void put_nearest(const struct leaf_item *missing,
			const struct leaf_kind *near, struct text *out)
{
	const struct leaf_kind *kind = missing->kind;

	text_put(out, near->name);
	for (size_t i = 0; i < kind->option_count; i++) {
		const struct leaf_option *option = &kind->options[i];
		bool given = missing->given >> i & 1;

		if (!strcmp(near->name, "pfifo") &&
		    option->form == LEAF_NUMBER &&
		    !strcmp(option->name, "limit"))
			text_printf(
				out, " limit %llu",
				(unsigned long long)(given ? missing->value[i]
							   : option->standard));
	}
}

static void report_missing(const struct want *want, const struct node *node,
			   const struct leaf *leaf)
{
	const struct leaf_kind *near = nearest(want->facts, leaf->item->kind);
	AUTO_TEXT names = TEXT_NONE;
	AUTO_TEXT remedy = TEXT_NONE;

	for (size_t i = 0; i < leaf->count; i++)
		text_printf(&names, "%s%s (%s, module %s)", i ? " and no " : "",
			    leaf->item[i].kind->name,
			    leaf->item[i].kind->config,
			    leaf->item[i].kind->module);
	put_nearest(leaf->item, near, &remedy);
	report_error(want->report, node, EOPNOTSUPP,
		     "leaf %s: this kernel has no %s; nearest here: %s; write "
		     "leaf=\"%s or %s\"",
		     leaf->item->kind->name, text_get(&names), near->name,
		     node_text(node, CLASS_LEAF), text_get(&remedy));
}

static void note_fallback(const struct want *want, const struct node *node,
			  const struct leaf *leaf, size_t taken)
{
	AUTO_TEXT queue = TEXT_NONE;

	if (!taken)
		return;
	leaf_item_print(&leaf->item[taken], &queue);
	report_note(want->report, node,
		    "leaf: this kernel has no %s (%s), so it is %s",
		    leaf->item->kind->name, leaf->item->kind->config,
		    text_get(&queue));
}

/* 1:10 has 110:. In a shard the kernel numbers: a class that comes from the
 * outermost HTB still has its queue there by that number. */
static uint32_t leaf_handle(uint32_t id)
{
	uint32_t major = TC_LEAF_BASE + TC_H_MIN(id);

	if (TC_H_MAJ(id) != TC_ROOT_HANDLE)
		return 0;
	return major > TC_LEAF_MOST ? 0 : major << 16;
}

static void want_leaf(const struct want *want, const struct node *node)
{
	AUTO_ERR err = ERR_NONE;
	AUTO(leaf) struct leaf *leaf = NULL;
	struct tc_object object = object_of(want, TC_LEAF);
	size_t i = 0;

	if (!node_has(node, CLASS_LEAF))
		return;
	object.parent = classid(want, node);
	if (node_value(node, CLASS_LEAF)->word) {
		memcpy(object.queue.kind, TC_FOREIGN_LEAF,
		       sizeof(TC_FOREIGN_LEAF));
		add(want, &object, node);
		return;
	}
	if (leaf_parse(node_text(node, CLASS_LEAF), &leaf, &err) < 0) {
		report_error(want->report, node, -err.code, "leaf: %s",
			     err.text);
		return;
	}
	while (i < leaf->count && !is_there(want->facts, leaf->item[i].kind))
		i++;
	if (i == leaf->count) {
		report_missing(want, node, leaf);
		return;
	}
	note_fallback(want, node, leaf, i);
	queue_want(&leaf->item[i], want->link, &object.queue);
	object.handle = leaf_handle(object.parent);
	add(want, &object, node);
}

/* ---- shards ---- */

/* What takes a millisecond at the ceil, at least two packets, at most one of
 * the largest that segmentation makes: the same for each, so that they share
 * what is left over alike. */
static uint32_t shard_quantum(uint64_t ceil)
{
	uint64_t quantum = ceil / 1000;

	return quantum < 3028 ? 3028 : quantum > 60000 ? 60000 : quantum;
}

/* A burst of so many bytes, or the usual one if that is more. */
static uint32_t ticks(uint64_t rate, uint64_t bytes)
{
	uint64_t usual = rate / 1000000000u + 1600;
	uint32_t ticks = UINT32_MAX;

	if (bytes < usual)
		bytes = usual;
	return shaping_ticks(rate, bytes, &ticks) < 0 ? UINT32_MAX : ticks;
}

static void fill_shard(struct tc_class *class, uint64_t rate, uint64_t ceil,
		       uint64_t burst, uint64_t cburst)
{
	class->rate = rate;
	class->ceil = ceil;
	class->burst = burst;
	class->cburst = cburst;
	class->buffer = ticks(rate, burst);
	class->cbuffer = ticks(ceil, cburst);
	class->fixed_quantum = 1;
	class->quantum = shard_quantum(ceil);
	class->linklayer = TC_LINKLAYER_ETHERNET;
}

/* No limit: 100 Gbit/s. */
#define UNLIMITED 12500000000u

/* What a shard may do without asking the others: all that its classes may, but
 * together the shards no more than the class above has. */
static uint64_t shard_rate(const struct node *parent, const struct shard *shard,
			   uint64_t total)
{
	uint64_t above = class_rate_bytes(parent);
	uint64_t part = above / shard_count(parent);
	uint64_t rate = shard->rate_bytes;

	if (total > above && rate > part)
		rate = part;
	return rate ? rate : 1;
}

/* All shards of a node. */
struct shards {
	struct shard items[SHARD_LAST + 1];
	uint64_t total; /* byte/s that their classes have together */
	uint32_t prio;
};

/* At the top there is nobody to borrow from, and each child is its own limit.
 */
static struct tc_object hook_of(const struct want *want,
				const struct node *parent, uint32_t number,
				const struct shards *shards)
{
	const struct shard *shard = &shards->items[number];
	struct tc_object object = object_of(want, TC_CLASS);
	struct tc_class *class = &object.class;

	object.handle = shard_hook(number);
	object.parent = is_class(parent) ? classid(want, parent) : TC_H_ROOT;
	if (is_class(parent)) {
		fill_shard(class, shard_rate(parent, shard, shards->total),
			   class_ceil_bytes(parent), class_burst(parent),
			   class_cburst(parent));
		class->linklayer = class_linklayer(parent) == LINKLAYER_ATM
					   ? TC_LINKLAYER_ATM
					   : TC_LINKLAYER_ETHERNET;
		class->overhead = (uint16_t)class_overhead_on(
			parent, link_header(want->link));
		class->mpu = (uint16_t)class_mpu(parent);
	} else {
		fill_shard(class, UNLIMITED, UNLIMITED, 1 << 20, 1 << 20);
	}
	class->prio = shards->prio;
	return object;
}

static void want_shard_qdisc(const struct want *want, const struct node *parent,
			     uint32_t number)
{
	struct tc_object object = object_of(want, TC_SHARD);

	object.handle = number << 16;
	object.parent = shard_hook(number);
	object.root.r2q = (uint32_t)node_u(want->uplink, UPLINK_R2Q);
	add(want, &object, parent);
}

static void want_shard(const struct want *want, const struct node *parent,
		       uint32_t number, const struct shards *shards)
{
	struct tc_object object = hook_of(want, parent, number, shards);

	add(want, &object, parent);
	want_shard_qdisc(want, parent, number);
	if (!is_class(parent))
		return;
	object = object_of(want, TC_CLASS);
	object.handle = shard_top(number);
	object.parent = TC_H_ROOT;
	object.class.level = INNER_LEVEL;
	fill_shard(&object.class, UNLIMITED, UNLIMITED, 1 << 20, 1 << 20);
	add(want, &object, parent);
}

static void add_up(struct shards *shards)
{
	shards->total = 0;
	for (size_t n = SHARD_FIRST; n <= SHARD_LAST; n++)
		shards->total += shards->items[n].rate_bytes;
}

static void want_shards(const struct want *want, const struct node *parent)
{
	struct shards shards;

	/* Within a shard there are no others. */
	if (!want->shards || !shard_count(parent) ||
	    (is_class(parent) && shard_of(parent)))
		return;
	shards.prio = shard_sum(parent, shards.items);
	add_up(&shards);
	for (uint32_t n = SHARD_FIRST; n <= SHARD_LAST; n++)
		if (shards.items[n].children)
			want_shard(want, parent, n, &shards);
}

/* One HTB has them all then, and takes its time. */
static void note_no_shards(const struct want *want)
{
	const struct node *at = want->uplink;
	bool asked = false;

	if (want->shards || !uplink_may_shard(want->uplink))
		return;
	for (; at && !asked; at = node_walk(want->uplink, at))
		asked = (at == want->uplink || is_class(at)) && shard_count(at);
	if (asked)
		report_note(want->report, want->uplink,
			    "its shards are one HTB here, which takes the "
			    "kernel seconds to make: the program that leads "
			    "into them cannot be loaded (eBPF, in the first "
			    "user namespace)");
}

/* What leads into them. */
static void want_sorter(const struct want *want)
{
	struct tc_object object = object_of(want, TC_SORTER);
	const uint8_t *tag = want->facts->sorter_tag;
	AUTO(str) char *path = node_path_dup(want->uplink);
	static const uint8_t unknown[SORTER_TAG_SIZE];

	object.handle = TC_SORTER_HANDLE;
	object.parent = TC_ROOT_HANDLE;
	tc_add(want->state, &object, tag,
	       memcmp(tag, unknown, sizeof(unknown)) ? sizeof(unknown) : 0,
	       path);
}

static bool has_shard(const struct want *want)
{
	for (size_t i = want->state->count; i > 0; i--) {
		const struct object *object = &want->state->items[i - 1];

		if (object->backend == &backend_tc &&
		    tc_of(object)->sort == TC_SHARD &&
		    tc_of(object)->index == want->link->index)
			return true;
	}
	return false;
}

/* ---- trees ---- */

static bool can_shape(const struct want *want)
{
	bool asked;

	if (uplink_is_down(want->uplink) &&
	    !down_is_there(want->uplink, want->facts, want->report))
		return false;

	if (!facts_qdisc(want->facts, "htb", &asked) && asked) {
		report_error(want->report, want->uplink, EOPNOTSUPP,
			     "this kernel has no htb (CONFIG_NET_SCH_HTB, "
			     "module sch_htb), and all classes stand on it");
		return false;
	}
	if (want->fw && want->facts->asked_fw && !want->facts->has_fw) {
		report_error(want->report, want->uplink, EOPNOTSUPP,
			     "classifier=fw: this kernel has no fw filter "
			     "(CONFIG_NET_CLS_FW, module cls_fw); "
			     "classifier=auto does without");
		return false;
	}
	if (want->bpf && !facts_qdisc(want->facts, "bpf", &asked) && asked) {
		report_error(want->report, want->uplink, EOPNOTSUPP,
			     "classifier=bpf: this kernel has no bpf filter "
			     "(CONFIG_NET_CLS_BPF, module cls_bpf); "
			     "classifier=auto does without");
		return false;
	}
	return true;
}

/* What HTB cannot do of what a preset asks for. */
static void note_preset(const struct want *want, const struct node *node)
{
	size_t attr = layer_attr(node, LAYER_PRESET);
	const struct preset *preset;
	uint32_t excess;

	if (!node_has(node, attr))
		return;
	preset = preset_at(node_u(node, attr));
	(void)preset_overhead(preset, link_header(want->link), &excess);
	if (preset->ptm)
		report_note(want->report, node,
			    "preset=%s: PTM sends 65 bytes for 64, which HTB "
			    "cannot count; rates here are 64/65 of the line's",
			    preset->name);
	if (excess && !node_has(node, layer_attr(node, LAYER_OVERHEAD)))
		report_note(want->report, node,
			    "preset=%s adds %u bytes to an IP packet, and HTB "
			    "on %s counts %u of link header already, never "
			    "less: each packet counts %u bytes too many",
			    preset->name, preset->above_ip, want->link->name,
			    link_header(want->link), excess);
}

static void want_uplink(const struct want *want)
{
	note_preset(want, want->uplink);
	note_no_shards(want);
	want_root(want);
	want_shards(want, want->uplink);
	for (const struct node *at = node_first(want->uplink); at;
	     at = node_walk(want->uplink, at)) {
		if (node_kind(at) != &kind_class)
			continue;
		want_class(want, at);
		note_preset(want, at);
		if (!class_is_leaf(at)) {
			want_shards(want, at);
			continue;
		}
		want_leaf(want, at);
		if (want->fw)
			want_filter(want, at);
	}
	if (want->shards && has_shard(want))
		want_sorter(want);
	if (want->bpf)
		bpf_want(want->uplink, want->link, want->mask, want->report,
			 want->state);
	if (want->rest)
		rest_want(want->uplink, want->link, want->state);
}

static void want_down(struct want *want)
{
	const struct link_fact *arriving = want->link;
	struct link_fact ifb;

	down_link(want->uplink, want->facts, arriving, &ifb);
	want->link = &ifb;
	down_want_ifb(want->uplink, want->facts, &ifb, want->state);
	want_uplink(want);
	down_want(want->uplink, arriving, &ifb, want->report, want->state);
}

void tc_want(const struct tree *tree, const struct facts *facts,
	     struct report *report, struct state *state)
{
	struct want want = { .facts = facts, .report = report, .state = state };

	want.mask =
		node_value(tree_system(tree), SYSTEM_CLASS_MASK)->bits.value;
	node_each (uplink, tree_classes(tree)) {
		const char *device = uplink_device(uplink);

		if (!node_u(uplink, UPLINK_ENABLED) || !device)
			continue;
		want.uplink = uplink;
		want.link = facts_link(facts, device);
		want.fw = node_has(uplink, UPLINK_CLASSIFIER) &&
			  node_u(uplink, UPLINK_CLASSIFIER) == CLASSIFIER_FW;
		want.bpf = node_u(uplink, UPLINK_CLASSIFIER) == CLASSIFIER_BPF;
		want.rest = want.fw && facts_qdisc(facts, "bpf", NULL);
		want.shards = uplink_shards(uplink, facts);
		if (!want.link)
			report_warning(report, uplink,
				       "device %s is not there: its classes "
				       "wait for it",
				       device);
		else if (!can_shape(&want))
			continue;
		else if (uplink_is_down(uplink))
			want_down(&want);
		else
			want_uplink(&want);
	}
}

/* By its rate and prio a class has a part in what shards may do: those that may
 * do something else now. */
static void want_changed_shards(const struct want *want,
				const struct node *parent, uint32_t own)
{
	struct shards are, were;

	are.prio = shard_sum(parent, are.items);
	were.prio = shard_sum_was(parent, were.items);
	add_up(&are);
	add_up(&were);
	for (uint32_t n = SHARD_FIRST; n <= SHARD_LAST; n++) {
		struct tc_object is, was;

		if (!are.items[n].children)
			continue;
		is = hook_of(want, parent, n, &are);
		was = hook_of(want, parent, n, &were);
		if (!memcmp(&is.class, &was.class, sizeof(is.class)))
			continue;
		add(want, &is, parent);
		if (n != own)
			want_shard_qdisc(want, parent, n);
	}
}

/* The shard that a class is in has to be there. */
static void want_own_shard(const struct want *want, const struct node *class)
{
	const struct node *parent = node_parent(class);
	uint32_t shard = shard_in(want, class);

	while (is_class(parent) && shard_in(want, parent))
		parent = node_parent(parent);
	if (!shard)
		return;
	want_shard_qdisc(want, parent, shard);
	if (node_changed(class, CLASS_RATE) || node_changed(class, CLASS_PRIO))
		want_changed_shards(want, parent, shard);
}

/* The device that its tree is on: of what arrives, the ifb. False: one that is
 * not there, or has to be made first. */
static bool find_own_link(const struct node *uplink, const struct facts *facts,
			  struct link_fact *link)
{
	const char *device = uplink_device(uplink);
	const struct link_fact *there =
		device ? facts_link(facts, device) : NULL;

	if (!there)
		return false;
	*link = *there;
	if (!uplink_is_down(uplink))
		return true;
	down_link(uplink, facts, there, link);
	return facts_link(facts, link->name) != NULL;
}

bool tc_want_own(const struct node *node, const struct facts *facts,
		 struct report *report, struct state *state)
{
	const struct node *uplink = class_uplink(node);
	struct link_fact link;
	struct want want = { .facts = facts,
			     .report = report,
			     .state = state,
			     .uplink = uplink,
			     .link = &link };

	if (!node_u(uplink, UPLINK_ENABLED) ||
	    !find_own_link(uplink, facts, &link))
		return false;
	want.fw = node_has(uplink, UPLINK_CLASSIFIER) &&
		  node_u(uplink, UPLINK_CLASSIFIER) == CLASSIFIER_FW;
	want.bpf = node_u(uplink, UPLINK_CLASSIFIER) == CLASSIFIER_BPF;
	want.rest = want.fw && facts_qdisc(facts, "bpf", NULL);
	want.shards = uplink_shards(uplink, facts);
	/* What its program does follows from all marks, by their sums. */
	if (want.bpf && tree_is_part(node_tree(node)) && !node_rest(uplink))
		return false;
	want_root(&want);
	want_own_shard(&want, node);
	want_class(&want, node);
	want_leaf(&want, node);
	return true;
}
