/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What arrives (declared in tc.h): an ifb with the HTB tree on it, and a filter
 * that leads packets there.
 *
 *     build   the ifb, then its tree and its program
 *     flip    clsact, the redirection
 *     clean   the redirection, clsact, then the tree, the ifb
 *
 * The kernel takes the index of a new device from us, so that everything on it
 * can be planned before it is there.
 */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "backends/list.h"
#include "backends/tc/program.h"
#include "backends/tc/tc.h"
#include "model/base/mem.h"
#include "model/base/text.h"
#include "model/shaping.h"

/* Far above those that the kernel counts up from 1. */
#define IFB_INDEX 0x40000000
#define IFB_STEP  0x100000
/* An ifb has 32 by itself, too few for the queues that take it as their limit.
 */
#define IFB_TXQLEN 1000u

enum build_level { BUILD_LINK = -1 };
enum flip_level { FLIP_INGRESS, FLIP_REDIRECT };
enum clean_level {
	CLEAN_REDIRECT = -2,
	CLEAN_INGRESS,
	CLEAN_LINK = 20, /* after all that stands on it */
};

/* ---- what the kernel must have ---- */

static const struct {
	const char *kind, *words;
} needed[] = {
	{ "ifb", "device of type ifb (CONFIG_IFB, module ifb)" },
	{ "clsact", "clsact (CONFIG_NET_SCH_INGRESS, module sch_ingress)" },
	{ "bpf", "bpf filter (CONFIG_NET_CLS_BPF, module cls_bpf)" },
	{ "mirred",
	  "mirred action (CONFIG_NET_ACT_MIRRED, module act_mirred)" },
};

bool down_is_there(const struct node *uplink, const struct facts *facts,
		   struct report *report)
{
	for (size_t i = 0; i < ARRAY_SIZE(needed); i++) {
		bool asked;

		if (facts_qdisc(facts, needed[i].kind, &asked) || !asked)
			continue;
		report_error(report, uplink, EOPNOTSUPP,
			     "direction=down: this kernel has no %s; shape "
			     "what leaves by the inside device instead",
			     needed[i].words);
		return false;
	}
	return true;
}

/* ---- want ---- */

/* That of the device it belongs to, moved up; another one's that is there stays
 * out of the way. */
static int new_index(const struct facts *facts, int arriving)
{
	int index = IFB_INDEX + arriving;

	while (facts_link_at(facts, index) && index < INT_MAX - IFB_STEP)
		index += IFB_STEP;
	return index;
}

void down_link(const struct node *uplink, const struct facts *facts,
	       const struct link_fact *arriving, struct link_fact *ifb)
{
	const struct link_fact *there;
	char name[IFB_NAME_SIZE] = "";

	uplink_ifb(uplink, name);
	there = facts_link(facts, name);
	*ifb = (struct link_fact){
		.index = there ? there->index
			       : new_index(facts, arriving->index),
		.flags = IFF_UP,
		.mtu = arriving->mtu,
		.txqlen = IFB_TXQLEN,
		.type = arriving->type,
	};
	memcpy(ifb->name, name, sizeof(ifb->name));
}

static struct tc_object object_of(enum tc_sort sort,
				  const struct link_fact *link)
{
	struct tc_object object = { .sort = sort, .index = link->index };

	memcpy(object.device, link->name, sizeof(object.device));
	return object;
}

static void add_program(struct tc_object *object, struct program *program,
			const char *path, struct state *want)
{
	object->handle = 1;
	tc_add(want, object, program->ops,
	       program->count * sizeof(*program->ops), path);
	program_clear(program);
}

static void want_redirect(const struct link_fact *arriving,
			  const struct link_fact *ifb, const char *path,
			  struct state *want)
{
	struct tc_object object = object_of(TC_INGRESS, arriving);
	struct program program = PROGRAM_NONE;

	object.handle = TC_INGRESS_HANDLE;
	object.parent = TC_H_CLSACT;
	snprintf(object.ingress.kind, sizeof(object.ingress.kind), "clsact");
	tc_add(want, &object, NULL, 0, path);
	object = object_of(TC_REDIRECT, arriving);
	object.parent = TC_INGRESS_PARENT;
	object.redirect.target = ifb->index;
	memcpy(object.redirect.to, ifb->name, sizeof(object.redirect.to));
	program_arriving(&program);
	add_program(&object, &program, path, want);
}

void down_want_ifb(const struct node *uplink, const struct facts *facts,
		   const struct link_fact *ifb, struct state *want)
{
	AUTO(str) char *path = node_path_dup(uplink);
	struct tc_object object = object_of(TC_LINK, ifb);

	object.link = (struct tc_link){ .mtu = ifb->mtu,
					.txqlen = ifb->txqlen,
					.up = 1,
					.ip6 = facts->has_ipv6,
					.is_ifb = 1,
					.ours = 1 };
	tc_add(want, &object, NULL, 0, path);
}

/* What the card or the kernel has joined to one packet (GRO) passes HTB as one;
 * its bytes are right, what each of its parts adds on the line is not. */
static void note_joined(const struct node *uplink,
			const struct link_fact *arriving, struct report *report)
{
	node_each (class, uplink)
		if (class_overhead_on(class, link_header(arriving)) ||
		    class_linklayer(class) == LINKLAYER_ATM) {
			report_note(report, uplink,
				    "packets that arrive joined (GRO) count "
				    "what the line adds once for all of them; "
				    "to have it exact: ethtool -K %s gro off",
				    arriving->name);
			return;
		}
}

void down_want(const struct node *uplink, const struct link_fact *arriving,
	       const struct link_fact *ifb, struct report *report,
	       struct state *want)
{
	AUTO(str) char *path = node_path_dup(uplink);
	struct tc_object object = object_of(TC_PROGRAM, ifb);
	struct program program = PROGRAM_NONE;

	note_joined(uplink, arriving, report);
	program_classify(uplink, report, &program);
	object.parent = TC_ROOT_HANDLE;
	if (program.count)
		add_program(&object, &program, path, want);
	want_redirect(arriving, ifb, path, want);
}

void bpf_want(const struct node *uplink, const struct link_fact *link,
	      uint32_t mask, struct report *report, struct state *want)
{
	AUTO(str) char *path = node_path_dup(uplink);
	struct tc_object object = object_of(TC_PROGRAM, link);
	struct program program = PROGRAM_NONE;

	object.parent = TC_ROOT_HANDLE;
	program_marks(uplink, mask, report, &program);
	if (program.count)
		add_program(&object, &program, path, want);
}

void rest_want(const struct node *uplink, const struct link_fact *link,
	       struct state *want)
{
	AUTO(str) char *path = node_path_dup(uplink);
	struct tc_object object = object_of(TC_PROGRAM, link);
	struct program program = PROGRAM_NONE;

	object.parent = TC_ROOT_HANDLE;
	object.program.rest = 1;
	program_rest(uplink, &program);
	if (program.count)
		add_program(&object, &program, path, want);
}

/* ---- plan ---- */

struct moves {
	const struct state *now, *want;
	struct report *report;
	struct plan *plan;
	struct owned *claims;
};

static void move(const struct moves *moves, enum step_op op, enum phase phase,
		 int level, const struct object *before,
		 const struct object *after)
{
	plan_add(moves->plan, &backend_tc, op, phase, level,
		 op == STEP_CHANGE ? EFFECT_HITLESS : EFFECT_FLAP, before,
		 after);
}

static void claim(const struct moves *moves, const struct object *object)
{
	owned_add(moves->claims, TC_NAME, object->key, NULL, 0);
}

static void want_link(const struct moves *moves, const struct object *before,
		      const struct object *after)
{
	const struct tc_link *now = before ? &tc_of(before)->link : NULL;
	const struct tc_link *link = &tc_of(after)->link;

	if (!before) {
		move(moves, STEP_ADD, PHASE_BUILD, BUILD_LINK, NULL, after);
		claim(moves, after);
	} else if (!now->ours || !now->is_ifb) {
		report_add(moves->report, FINDING_ERROR, EEXIST, after->path,
			   "a device %s is there that Tresse did not make; if "
			   "nobody needs it: ip link del %s",
			   tc_of(after)->device, tc_of(after)->device);
	} else if (now->mtu != link->mtu || now->txqlen != link->txqlen ||
		   now->up != link->up) {
		move(moves, STEP_CHANGE, PHASE_BUILD, BUILD_LINK, before,
		     after);
	}
}

static void want_ingress(const struct moves *moves, const struct object *before,
			 const struct object *after)
{
	if (before)
		return;
	move(moves, STEP_ADD, PHASE_FLIP, FLIP_INGRESS, NULL, after);
	claim(moves, after);
}

/* Two that both take what arrives: the second gets nothing. */
static bool is_free(const struct moves *moves, const struct object *redirect)
{
	const char *device = tc_of(redirect)->device;
	AUTO(str) char *key = mem_printf("ingress %s", device);
	const struct object *there = state_find(moves->now, &backend_tc, key);
	const struct tc_ingress *ingress =
		there ? &tc_of(there)->ingress : NULL;

	if (!ingress || !ingress->filters)
		return true;
	report_add(moves->report, FINDING_ERROR, EEXIST, redirect->path,
		   "%s has a qdisc %s with %u filter%s of what arrives that "
		   "Tresse did not make; if nobody needs them: tc filter del "
		   "dev %s ingress",
		   device, ingress->kind, ingress->filters,
		   ingress->filters == 1 ? "" : "s", device);
	return false;
}

static bool redirect_differs(const struct tc_object *now,
			     const struct tc_object *want)
{
	return now->redirect.target != want->redirect.target ||
	       now->raw_size != want->raw_size ||
	       memcmp(now->raw, want->raw, now->raw_size) != 0;
}

static void want_redirection(const struct moves *moves,
			     const struct object *before,
			     const struct object *after)
{
	if (!before && is_free(moves, after))
		move(moves, STEP_ADD, PHASE_FLIP, FLIP_REDIRECT, NULL, after);
	else if (before && redirect_differs(tc_of(before), tc_of(after)))
		move(moves, STEP_CHANGE, PHASE_FLIP, FLIP_REDIRECT, before,
		     after);
}

static void drop(const struct moves *moves, const struct object *before)
{
	const struct tc_object *object = tc_of(before);

	switch (object->sort) {
	case TC_LINK:
		if (object->link.ours && object->link.is_ifb)
			move(moves, STEP_DELETE, PHASE_CLEAN, CLEAN_LINK,
			     before, NULL);
		break;
	case TC_INGRESS:
		/* With filters of somebody else's in it by now it stays. */
		if (object->ingress.ours && !object->ingress.filters)
			move(moves, STEP_DELETE, PHASE_CLEAN, CLEAN_INGRESS,
			     before, NULL);
		break;
	case TC_REDIRECT:
		move(moves, STEP_DELETE, PHASE_CLEAN, CLEAN_REDIRECT, before,
		     NULL);
		break;
	default: break;
	}
}

void down_plan(const struct state *now, const struct state *want,
	       struct report *report, struct plan *plan, struct owned *claims)
{
	const struct moves moves = { now, want, report, plan, claims };

	for (size_t i = 0; i < want->count; i++) {
		const struct object *after = &want->items[i];
		const struct object *before;

		if (after->backend != &backend_tc)
			continue;
		before = state_find(now, &backend_tc, after->key);
		switch (tc_of(after)->sort) {
		case TC_LINK: want_link(&moves, before, after); break;
		case TC_INGRESS: want_ingress(&moves, before, after); break;
		case TC_REDIRECT:
			want_redirection(&moves, before, after);
			break;
		default: break;
		}
	}
	for (size_t i = 0; i < now->count; i++)
		if (now->items[i].backend == &backend_tc &&
		    !state_find(want, &backend_tc, now->items[i].key))
			drop(&moves, &now->items[i]);
}

/* ---- print ---- */

void down_print(const struct tc_object *object, struct text *out)
{
	size_t count = object->raw_size / sizeof(struct sock_filter);

	switch (object->sort) {
	case TC_LINK:
		text_printf(out, " mtu %u txqueuelen %u%s", object->link.mtu,
			    object->link.txqlen,
			    object->link.up ? " up" : " down");
		break;
	case TC_PROGRAM:
		text_printf(out, " bpf of %zu instructions", count);
		break;
	case TC_INGRESS:
		text_printf(out, " %s handle ffff:", object->ingress.kind);
		break;
	case TC_REDIRECT:
		text_printf(out, " bpf mirred egress redirect dev %s",
			    object->redirect.to[0] ? object->redirect.to
						   : "that is gone");
		break;
	default: break;
	}
}
