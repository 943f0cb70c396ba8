/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the tree asks for (declared in tc.h). */
#include <string.h>

#include "backends/tc/program.h"
#include "backends/tc/tc.h"
#include "model/base/mem.h"
#include "model/base/text.h"
#include "model/presets.h"
#include "model/shaping.h"

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

static uint32_t classid(const struct node *class)
{
	return TC_ROOT_HANDLE | (node_u(class, CLASS_CLASSID) & 0xffff);
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
	object.root.defcls = target ? TC_H_MIN(classid(target)) : 0;
	object.root.steered = target && is_steered(want);
	add(want, &object, want->uplink);
}

/* ---- classes ---- */

static void want_class(const struct want *want, const struct node *node)
{
	const struct node *parent = node_parent(node);
	struct tc_object object = object_of(want, TC_CLASS);
	struct tc_class *class = &object.class;

	object.handle = classid(node);
	object.parent =
		node_kind(parent) == &kind_class ? classid(parent) : TC_H_ROOT;
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
		class->level = INNER_LEVEL - class_depth(node);
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
					    classid(node) };
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

/* 1:10 has 110: */
static uint32_t leaf_handle(uint32_t id)
{
	uint32_t major = TC_LEAF_BASE + TC_H_MIN(id);

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
	object.parent = classid(node);
	object.handle = leaf_handle(object.parent);
	add(want, &object, node);
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
	want_root(want);
	for (const struct node *at = node_first(want->uplink); at;
	     at = node_walk(want->uplink, at)) {
		if (node_kind(at) != &kind_class)
			continue;
		want_class(want, at);
		note_preset(want, at);
		if (!class_is_leaf(at))
			continue;
		want_leaf(want, at);
		if (want->fw)
			want_filter(want, at);
	}
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
