/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tc.h - the objects of the tc driver, and its parts.
 *
 *     root wan0          our HTB, handle 1:
 *     class wan0 1:10    a class of it
 *     leaf wan0 1:10     the qdisc in that class, handle 110:
 *     filter wan0 fw 10  mark 10 to a class, where nft does not classify
 *     program wan0 rest  what has none of these marks, to the default class
 *     shard wan0 2:      an HTB below 1:ff02, for some of many classes
 *     class wan0 2:10    ...as model/shard.h shows
 *     sorter wan0        the filter that leads into shards (sorter.h)
 *     foreign wan0       a root somebody else made
 *     other wan0 ...     a filter of somebody else's, in a tree taken over
 *     stranger wan0 ...  a filter in our tree that is nobody's we know; listed
 *     kept ...           one of these as it was then; never wanted
 *     saved wan0         what stood there before our root; never wanted
 *
 * What arrives on wan0 (direction=down) has its tree on a device of its own:
 *
 *     ifb tr-wan0        that device
 *     program tr-wan0    the filter that gives a packet its class (program.h)
 *     ingress wan0       where it is caught: clsact, or what somebody else has
 *     redirect wan0      the filter there that leads it to tr-wan0
 *
 * A tree is told from a stranger's by struct owned ("root wan0"), which also
 * keeps the root that ours took the place of.
 */
#ifndef BACKENDS_TC_TC_H
#define BACKENDS_TC_TC_H

#include <linux/pkt_sched.h>
#include <net/if.h>
#include <stddef.h>
#include <stdint.h>

#include "backends/tc/queue.h"
#include "model/backend.h"

#define TC_NAME	       "tc"
#define TC_ROOT_HANDLE 0x10000u /* 1: */
/* 1:10 has 110:, 1:99 has 199:, as people write it. */
#define TC_LEAF_BASE 0x100u
#define TC_LEAF_MOST 0x7fffu /* above it the kernel numbers by itself */
/* Behind the filters people write by hand. */
#define TC_FILTER_PREF 100u
/* Behind those of fw: what none of them claims. */
#define TC_REST_PREF 101u
/* 1 is the program of classifier=bpf. */
#define TC_SORTER_HANDLE 2u

enum tc_sort {
	TC_ROOT,
	TC_CLASS,
	TC_LEAF,
	TC_FILTER,
	TC_FOREIGN,
	TC_SAVED,
	TC_LINK,
	TC_PROGRAM,
	TC_INGRESS,
	TC_REDIRECT,
	TC_SHARD,
	TC_SORTER,
	TC_OTHER,
	TC_STRANGER,
};

struct tc_root {
	uint32_t r2q, defcls;
	/* nftables (backends/mark/) or a program leads what nobody claims to
	 * the default class, so HTB's own default only counts at birth. */
	uint32_t steered;
	uint32_t shares; /* filters of others on it are meant to be there */
};

struct tc_class {
	uint64_t rate, ceil;	  /* byte/s */
	uint32_t buffer, cbuffer; /* ticks of 64 ns */
	uint64_t burst, cburst;	  /* bytes, 0: not given; for print alone */
	uint32_t prio;
	uint32_t quantum; /* as the kernel will say it */
	uint8_t fixed_quantum;
	uint8_t observed;  /* read */
	uint8_t linklayer; /* TC_LINKLAYER_* */
	uint16_t overhead, mpu;
	/* The kernel's: 0 a leaf, 7 an inner class at the top, 6 below it. */
	uint32_t level;
};

struct tc_filter {
	uint32_t mark, mask, classid;
};

/* A root that is not ours. */
struct tc_foreign {
	char kind[16];
	uint32_t classes, children, filters;
	uint8_t keeps; /* can be made again from what the kernel tells of it */
};

/* rest: the one instruction behind fw filters. */
struct tc_program {
	uint8_t rest;
};

/* All but the first three are only read. */
struct tc_link {
	uint32_t mtu, txqlen;
	uint8_t up;
	uint8_t ip6; /* give it no IPv6 address */
	uint8_t is_ifb, ours;
};

struct tc_ingress {
	char kind[16];
	uint32_t filters; /* not ours, of what arrives */
	uint8_t ours;
};

struct tc_redirect {
	int target;  /* index; 0: it is gone */
	char to[16]; /* its name, for print alone */
};

/* Of those that were there when the tree was taken over. */
struct tc_other {
	uint32_t info; /* tcm_info: pref and protocol */
	char kind[16];
};

struct tc_object {
	enum tc_sort sort;
	int index; /* of the device */
	char device[16];
	uint32_t handle, parent;
	uint8_t kept;
	union {
		struct tc_root root;
		struct tc_class class;
		struct queue queue;
		struct tc_filter filter;
		struct tc_program program;
		struct tc_foreign foreign;
		struct tc_link link;
		struct tc_ingress ingress;
		struct tc_redirect redirect;
		struct tc_other other;
	};
	/* TCA_OPTIONS as the kernel gave it: of a foreign root, and of a leaf
	 * of a kind that model/leaf.h lacks. Of TC_PROGRAM and TC_REDIRECT the
	 * instructions, of TC_SORTER the tag (none: not known). */
	uint32_t raw_size;
	uint8_t raw[];
};

static inline const struct tc_object *tc_of(const struct object *object)
{
	return object->data;
}

/* A leaf that is somebody else's (leaf=foreign), as it is wanted: there is no
 * step for it. */
#define TC_FOREIGN_LEAF "foreign"
bool tc_leaf_is_foreign(const struct object *leaf);

/* Pref and protocol of a filter, as struct tcmsg has them. */
uint32_t tc_info(const struct tc_object *object);

/* The key of an object, by its sort, device and numbers. */
#define TC_KEY_SIZE 64
void tc_key(const struct tc_object *object, char key[TC_KEY_SIZE]);
/* raw may be NULL. The first of a key stays: NULL then. */
struct object *tc_add(struct state *state, const struct tc_object *object,
		      const void *raw, size_t raw_size, const char *path);

/* What struct owned keeps of a root that ours replaces: stable on disk. Of a
 * tree that was taken over (import.c) raw are messages of rtnetlink that make
 * it, cut to tcmsg, TCA_KIND and TCA_OPTIONS. */
#define TC_KEPT_VERSION 1
#define TC_KEPT_TREE	2
struct tc_kept {
	uint32_t version;
	uint32_t handle;
	char kind[16];
	uint8_t raw[];
};

/* Of one before whom nothing stood: which device it was, as long as the machine
 * runs. Names change, and the number of a device goes with it. */
#define TC_KEPT_BORN 3
struct tc_born {
	uint32_t version;
	int32_t index;
	char boot[40]; /* facts.h */
};
/* The row of what stands at the top of that device ("root", "ingress"): by its
 * name, or by its number if it had another name when we made it. NULL: it is
 * not ours. */
const struct owned_item *tc_owned(const struct owned *owned,
				  const struct facts *facts, const char *what,
				  const char *name, int index);
/* Claims it. What is said of what stood there before ours is kept. */
void tc_claim(struct owned *claims, const struct facts *facts,
	      const struct object *object, const struct owned_item *before);
/* The tree names its device, which has another name now. */
bool tc_stays(const struct owned_item *item, const struct tree *tree,
	      const struct facts *facts);

int tc_probe(struct host *host, const struct tree *tree, struct facts *facts,
	     struct err *err);
void tc_want(const struct tree *tree, const struct facts *facts,
	     struct report *report, struct state *want);
int tc_read(struct host *host, const struct tree *tree,
	    const struct facts *facts, const struct owned *owned,
	    struct state *now, struct err *err);
bool tc_want_own(const struct node *node, const struct facts *facts,
		 struct report *report, struct state *want);
int tc_read_own(struct host *host, struct facts *facts,
		const struct owned *owned, const struct state *want,
		struct state *now, struct err *err);
void tc_plan(const struct state *now, const struct state *want,
	     const struct facts *facts, const struct owned *owned,
	     struct report *report, struct plan *plan, struct owned *claims);
int tc_apply(struct host *host, struct step *const *steps, size_t count,
	     size_t *failed, struct err *err);
/* Packets that wait in a class, by TCA_STATS2, which may be NULL. */
uint32_t tc_queued(const struct nlattr *stats2);
void tc_print_wait(const struct step *step, struct text *out);
void tc_print(const struct object *object, struct text *out);
void tc_print_change(const struct object *before, const struct object *after,
		     struct text *out);
int tc_adopt(const struct step *step, struct node *node, struct err *err);
int tc_export(const struct exporting *exporting, struct text *out,
	      struct err *err);
int tc_live(struct host *host, const struct tree *tree,
	    const struct facts *facts, struct live *live, struct err *err);

int tc_health(struct host *host, const struct checkup *checkup,
	      struct reading *reading, struct err *err);
int tc_import(struct host *host, const struct facts *facts, const char *device,
	      enum import_filters filters, struct node *uplink,
	      struct report *report, struct owned *takes, struct err *err);
/* Adds what was kept of a tree, as objects of this device that are `kept`. What
 * makes no sense is passed over. */
void tc_add_kept(const struct owned_item *item, const char *device, int index,
		 struct state *now);
/* What the kernel tells of a class. false: not as HTB writes it. */
bool tc_read_class(const struct nlattr *options, struct tc_class *out);
void tc_read_root(const struct nlattr *options, struct tc_root *out);

/* direction=down. The ifb as a link that classes are made for: index, MTU and
 * link header; where it is not there yet, with the index that it will get. */
void down_link(const struct node *uplink, const struct facts *facts,
	       const struct link_fact *arriving, struct link_fact *ifb);
/* The ifb, before its tree, and all the rest. */
void down_want_ifb(const struct node *uplink, const struct facts *facts,
		   const struct link_fact *ifb, struct state *want);
/* The filter of classifier=bpf. */
void bpf_want(const struct node *uplink, const struct link_fact *link,
	      uint32_t mask, struct report *report, struct state *want);
/* The one behind the filters of classifier=fw; none without a default class. */
void rest_want(const struct node *uplink, const struct link_fact *link,
	       struct state *want);
void down_want(const struct node *uplink, const struct link_fact *arriving,
	       const struct link_fact *ifb, struct report *report,
	       struct state *want);
/* false, and said, if this kernel cannot. */
bool down_is_there(const struct node *uplink, const struct facts *facts,
		   struct report *report);
/* Steps for all of it but the programs, which go with their root. */
void down_plan(const struct state *now, const struct state *want,
	       struct report *report, struct plan *plan, struct owned *claims);
void down_print(const struct tc_object *object, struct text *out);

/* Where what arrives is caught; the kernel's own numbers. */
#define TC_INGRESS_HANDLE TC_H_MAKE(TC_H_CLSACT, 0)
#define TC_INGRESS_PARENT TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS)

/* Classes of the same level that are made as asked compare equal. */
bool tc_class_differs(const struct tc_object *now,
		      const struct tc_object *want);

#endif
