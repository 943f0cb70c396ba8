/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What is wanted as commands of tc (declared in tc.h). Rates are in bit, so
 * that nothing is rounded; what tc would choose anyhow is left to it.
 *
 * tc before 6.7 cuts bursts to whole microseconds, so those of less than ten,
 * at rates of gigabits, are not ours with it (they are with the tc of today).
 */
#include <linux/pkt_sched.h>

#include "backends/list.h"
#include "backends/tc/others.h"
#include "backends/tc/say.h"
#include "backends/tc/tc.h"
#include "model/base/text.h"
#include "model/shaping.h"
#include "model/shard.h"

/* "tc class add dev wan0": the name of a device may hold what a shell obeys. */
static void put_on(const char *command, const char *device, struct text *out)
{
	text_put(out, command);
	text_put_char(out, ' ');
	text_put_word(out, device);
}

static void put_id(uint32_t id, struct text *out)
{
	text_printf(out, "%x:%x", TC_H_MAJ(id) >> 16, TC_H_MIN(id));
}

static void put_parent(const struct tc_object *object, struct text *out)
{
	if (object->parent == TC_H_ROOT) {
		text_printf(out, " parent %x:", TC_H_MAJ(object->handle) >> 16);
		return;
	}
	text_put(out, " parent ");
	put_id(object->parent, out);
}

static void put_given(const char *name, uint64_t given, struct text *out)
{
	if (given)
		text_printf(out, " %s %llu", name, (unsigned long long)given);
}

/* As it was given, or left to tc, if that comes to the same with it. */
static void put_burst(const char *name, uint64_t rate, uint64_t given,
		      uint32_t ticks, struct text *out)
{
	const char *doubt = NULL;
	const struct say say = { .doubt = &doubt };
	uint64_t bytes = given ? given : shaping_standard_burst(rate);

	if (!say_is_burst(rate, bytes, ticks) &&
	    say_burst(&say, rate, ticks, &bytes) == 0)
		given = bytes;
	put_given(name, given, out);
}

static void put_class(const struct tc_object *object, struct text *out)
{
	const struct tc_class *class = &object->class;

	put_on("tc class add dev", object->device, out);
	put_parent(object, out);
	text_put(out, " classid ");
	put_id(object->handle, out);
	text_printf(out, " htb rate %llubit ceil %llubit",
		    (unsigned long long)class->rate * 8,
		    (unsigned long long)class->ceil * 8);
	put_burst("burst", class->rate, class->burst, class->buffer, out);
	put_burst("cburst", class->ceil, class->cburst, class->cbuffer, out);
	/* An inner class keeps what it had as a leaf, at birth. */
	put_given("prio", class->prio, out);
	if (class->fixed_quantum)
		put_given("quantum", class->quantum, out);
	put_given("overhead", class->overhead, out);
	put_given("mpu", class->mpu, out);
	if (class->linklayer == TC_LINKLAYER_ATM)
		text_put(out, " linklayer atm");
}

static void put_leaf(const struct tc_object *object,
		     const struct others *others, struct text *out)
{
	uint32_t handle = others_handle(others, object);

	put_on("tc qdisc add dev", object->device, out);
	put_parent(object, out);
	if (handle)
		text_printf(out, " handle %x:", TC_H_MAJ(handle) >> 16);
	text_put_char(out, ' ');
	queue_print(&object->queue, out);
}

static void put_filter(const struct tc_object *object, struct text *out)
{
	const struct tc_filter *filter = &object->filter;

	put_on("tc filter add dev", object->device, out);
	text_printf(out,
		    " parent 1: protocol all pref %u handle 0x%x/0x%x fw "
		    "classid ",
		    TC_FILTER_PREF, filter->mark, filter->mask);
	put_id(filter->classid, out);
}

/* What tc can say without a file beside it. */
static void put_sorter(const struct tc_object *object, struct text *out)
{
	put_on("tc filter add dev", object->device, out);
	text_printf(out,
		    " parent 1: protocol all pref %u handle %u flow map key "
		    "priority and 0x%x rshift 16 "
		    "baseclass 1:%x",
		    TC_FILTER_PREF, TC_SORTER_HANDLE, SHARD_LAST << 16,
		    SHARD_MINOR);
}

static void put_program(const struct tc_object *object, struct text *out)
{
	text_printf(out, " protocol all pref %u bpf ", tc_info(object) >> 16);
	say_bytecode(object->raw, object->raw_size, out);
}

/* What arrives. */
static void put_down(const struct tc_object *object, struct text *out)
{
	const char *device = object->device;

	switch (object->sort) {
	case TC_LINK:
		put_on("ip link add", device, out);
		text_printf(out, " mtu %u txqueuelen %u type ifb\n",
			    object->link.mtu, object->link.txqlen);
		put_on("ip link set", device, out);
		text_printf(out, "%s up",
			    object->link.ip6 ? " addrgenmode none" : "");
		break;
	case TC_PROGRAM:
		put_on("tc filter add dev", device, out);
		text_put(out, " parent 1:");
		put_program(object, out);
		break;
	case TC_INGRESS:
		put_on("tc qdisc add dev", device, out);
		text_put(out, " clsact");
		break;
	default:
		put_on("tc filter add dev", device, out);
		text_put(out, " ingress");
		put_program(object, out);
		put_on(" action mirred egress redirect dev",
		       object->redirect.to, out);
	}
}

static void put_object(const struct object *object, const struct others *others,
		       struct text *out)
{
	const struct tc_object *tc = tc_of(object);

	switch (tc->sort) {
	case TC_ROOT:
		put_on("tc qdisc add dev", tc->device, out);
		text_printf(out, " root handle 1: htb default %x r2q %u",
			    tc->root.defcls, tc->root.r2q);
		break;
	case TC_SHARD:
		put_on("tc qdisc add dev", tc->device, out);
		put_parent(tc, out);
		text_printf(out, " handle %x: htb default 0 r2q %u",
			    TC_H_MAJ(tc->handle) >> 16, tc->root.r2q);
		break;
	case TC_SORTER: put_sorter(tc, out); break;
	case TC_CLASS: put_class(tc, out); break;
	case TC_LEAF:
		/* Those of others come behind all of ours (others.h). */
		if (tc_leaf_is_foreign(object))
			return;
		put_leaf(tc, others, out);
		break;
	case TC_FILTER: put_filter(tc, out); break;
	case TC_LINK:
	case TC_PROGRAM:
	case TC_INGRESS:
	case TC_REDIRECT: put_down(tc, out); break;
	default:
		text_put(out, "# not known to export: ");
		tc_print(object, out);
	}
	text_put_char(out, '\n');
}

/* want() has parents before children already. */
int tc_export(const struct exporting *exporting, struct text *out,
	      struct err *err)
{
	const struct state *want = exporting->want;
	AUTO(others) struct others *others = others_new(exporting, err);

	if (!others)
		return err ? err->code : -EIO;
	for (size_t i = 0; i < want->count; i++)
		if (want->items[i].backend == &backend_tc)
			put_object(&want->items[i], others, out);
	return others_put(others, out, err);
}
