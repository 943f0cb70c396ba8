/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Which queues this kernel has (declared in tc.h). Found out by trying, in a
 * throw-away network namespace, which also loads the modules: versions and
 * /proc/config.gz lie.
 */
#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "backends/host.h"
#include "backends/netlink/netlink.h"
#include "backends/tc/message.h"
#include "backends/tc/sorter.h"
#include "backends/tc/tc.h"
#include "model/base/mem.h"
#include "model/shaping.h"
#include "model/shard.h"

/* Kinds of the table, htb, and the fw filter: the answer is a byte for each. */
#define MOST 24
#define LOOP 1 /* index of lo, in any namespace */
#define FW   (MOST - 1)
#define HTB  (MOST - 2)
/* What direction=down stands on; asked together. */
#define DOWN (MOST - 6)
#define BPF  (DOWN + 2) /* alone, for classifier=bpf */
/* Not asked in the child: it leaves no trace. */
#define SORTER (MOST - 7)
#define ABSENT 1
#define THERE  2

struct question {
	bool asked[MOST];
};

static size_t place_of(const struct leaf_kind *kind)
{
	return (size_t)(kind - leaf_kinds);
}

/* ---- in the child ---- */

static int try(struct netlink *netlink, struct nl_msg *message)
{
	struct batch batch = BATCH_NONE;
	int rc;

	batch_add(&batch, message);
	rc = netlink_send(netlink, &batch, NULL, NULL);
	if (rc == 0)
		rc = batch.items[0].answer.code;
	batch_clear(&batch);
	return rc;
}

/* A kind that is there may still want options (tbf: EINVAL); one that is not is
 * ENOENT (net/sched/sch_api.c, "Specified qdisc kind is unknown"). */
static char try_qdisc(struct netlink *netlink, const char *kind)
{
	struct tcmsg header = { .tcm_family = AF_UNSPEC,
				.tcm_ifindex = LOOP,
				.tcm_parent = TC_H_ROOT };
	struct nl_msg *message =
		netlink_message(RTM_NEWQDISC, NLM_F_CREATE | NLM_F_REPLACE,
				&header, sizeof(header), 0);

	message_put(message, TCA_KIND, kind, strlen(kind) + 1);
	return try(netlink, message) == -ENOENT ? ABSENT : THERE;
}

/* A filter needs something to hang on. */
static char try_filter(struct netlink *netlink, const struct tc_object *filter)
{
	const struct tc_object any = { .sort = TC_ROOT,
				       .index = LOOP,
				       .parent = TC_H_ROOT };
	const struct tc_object root = { .sort = TC_ROOT,
					.index = LOOP,
					.handle = TC_ROOT_HANDLE,
					.parent = TC_H_ROOT,
					.root = { .r2q = 10 } };

	(void)try(netlink, message_delete(&any));
	if (try(netlink, message_add(&root)) < 0)
		return 0;
	return try(netlink, message_add(filter)) == -ENOENT ? ABSENT : THERE;
}

static char try_fw(struct netlink *netlink)
{
	const struct tc_object filter = { .sort = TC_FILTER,
					  .index = LOOP,
					  .handle = 1,
					  .parent = TC_ROOT_HANDLE,
					  .filter = { 1, 1, 0x10001 } };

	return try_filter(netlink, &filter);
}

static const char *const down_kinds[] = { "ifb", "clsact", "bpf", "mirred" };

static char try_ifb(struct netlink *netlink)
{
	const struct tc_object ifb = { .sort = TC_LINK,
				       .index = 0x40000001,
				       .device = "tr-lo",
				       .link = { .mtu = 1500, .txqlen = 32 } };

	return try(netlink, message_link_add(&ifb)) == -EOPNOTSUPP ? ABSENT
								   : THERE;
}

static struct tc_object *bpf_filter(enum tc_sort sort, uint32_t handle,
				    uint32_t parent)
{
	static const struct sock_filter all = { BPF_RET | BPF_K, 0, 0,
						UINT32_MAX };
	struct tc_object *filter = mem_alloc(sizeof(*filter) + sizeof(all));

	filter->sort = sort;
	filter->index = LOOP;
	filter->handle = handle;
	filter->parent = parent;
	filter->redirect.target = LOOP;
	filter->raw_size = sizeof(all);
	memcpy(filter->raw, &all, sizeof(all));
	return filter;
}

/* A filter on lo's clsact, with and without an action. */
static char try_bpf(struct netlink *netlink, enum tc_sort sort, uint32_t handle)
{
	AUTO(mem) void *room = bpf_filter(sort, handle, TC_INGRESS_PARENT);

	return try(netlink, message_add(room)) == -ENOENT ? ABSENT : THERE;
}

/* Without an action, as classifier=bpf has it: on an HTB. */
static char try_marks(struct netlink *netlink)
{
	AUTO(mem) void *room = bpf_filter(TC_PROGRAM, 1, TC_ROOT_HANDLE);

	return try_filter(netlink, room);
}

static void try_down(struct netlink *netlink, char *answer)
{
	const struct tc_object clsact = { .sort = TC_INGRESS,
					  .index = LOOP,
					  .handle = TC_INGRESS_HANDLE,
					  .parent = TC_H_CLSACT };

	answer[0] = try_ifb(netlink);
	answer[1] =
		try(netlink, message_add(&clsact)) == -ENOENT ? ABSENT : THERE;
	if (answer[1] == ABSENT)
		return;
	answer[2] = try_bpf(netlink, TC_PROGRAM, 1);
	if (answer[2] == THERE)
		answer[3] = try_bpf(netlink, TC_REDIRECT, 2);
}

/* When a kind is missing its error names the nearest: so the child looks for
 * that as well. */
static void try_nearest(struct netlink *netlink, const struct leaf_kind *kind,
			char *answer)
{
	for (const char *const *name = kind->nearest; *name; name++) {
		const struct leaf_kind *near = leaf_kind(*name);
		size_t place = place_of(near);

		if (!near->module)
			return;
		if (!answer[place])
			answer[place] = try_qdisc(netlink, near->name);
		if (answer[place] == THERE)
			return;
	}
}

static int ask(void *arg, void *bytes, size_t size)
{
	const struct question *question = arg;
	AUTO(netlink)
	struct netlink *netlink = netlink_open(NETLINK_ROUTE, NULL);
	char *answer = bytes;

	if (!netlink || size < MOST)
		return 1;
	for (const struct leaf_kind *kind = leaf_kinds; kind->name; kind++)
		if (question->asked[place_of(kind)] && !answer[place_of(kind)])
			answer[place_of(kind)] = try_qdisc(netlink, kind->name);
	for (const struct leaf_kind *kind = leaf_kinds; kind->name; kind++)
		if (question->asked[place_of(kind)] &&
		    answer[place_of(kind)] == ABSENT)
			try_nearest(netlink, kind, answer);
	if (question->asked[HTB])
		answer[HTB] = try_qdisc(netlink, "htb");
	if (question->asked[FW])
		answer[FW] = try_fw(netlink);
	if (question->asked[DOWN])
		try_down(netlink, answer + DOWN);
	else if (question->asked[BPF])
		answer[BPF] = try_marks(netlink);
	return 0;
}

/* ---- what to ask ---- */

static bool is_known(const struct facts *facts, const char *kind)
{
	bool asked;

	(void)facts_qdisc(facts, kind, &asked);
	return asked;
}

/* 10,000 classes tend to say the same: the last one's answer is kept. */
static void ask_leaf(const char *text, const char **last,
		     const struct facts *facts, struct question *question)
{
	AUTO(leaf) struct leaf *leaf = NULL;

	if ((*last && !strcmp(*last, text)) || leaf_parse(text, &leaf, NULL))
		return;
	*last = text;
	for (size_t i = 0; i < leaf->count; i++) {
		const struct leaf_kind *kind = leaf->item[i].kind;

		if (kind->module && !is_known(facts, kind->name))
			question->asked[place_of(kind)] = true;
	}
}

static void ask_uplink(const struct node *uplink, const struct facts *facts,
		       struct question *question)
{
	const char *last = NULL;

	if (!node_u(uplink, UPLINK_ENABLED))
		return;
	question->asked[HTB] |= !is_known(facts, "htb");
	if (node_has(uplink, UPLINK_CLASSIFIER) &&
	    node_u(uplink, UPLINK_CLASSIFIER) == CLASSIFIER_FW)
		question->asked[FW] |= !facts->asked_fw;
	/* fw has one behind its filters, where there is bpf. */
	if (node_has(uplink, UPLINK_CLASSIFIER) &&
	    node_u(uplink, UPLINK_CLASSIFIER) != CLASSIFIER_NFT)
		question->asked[BPF] |= !is_known(facts, down_kinds[2]);
	if (uplink_is_down(uplink))
		question->asked[DOWN] |= !is_known(facts, down_kinds[0]);
	question->asked[SORTER] |= shard_count(uplink) > 0;
	for (const struct node *at = node_first(uplink); at;
	     at = node_walk(uplink, at)) {
		if (node_kind(at) != &kind_class)
			continue;
		if (node_text(at, CLASS_LEAF))
			ask_leaf(node_text(at, CLASS_LEAF), &last, facts,
				 question);
		question->asked[SORTER] |= shard_count(at) > 0;
	}
	question->asked[BPF] |=
		question->asked[SORTER] && !is_known(facts, down_kinds[2]);
}

static void keep(const char *answer, struct facts *facts)
{
	for (const struct leaf_kind *kind = leaf_kinds; kind->name; kind++)
		if (answer[place_of(kind)])
			facts_set_qdisc(facts, kind->name,
					answer[place_of(kind)] == THERE);
	if (answer[HTB])
		facts_set_qdisc(facts, "htb", answer[HTB] == THERE);
	for (size_t i = 0; i < ARRAY_SIZE(down_kinds); i++)
		if (answer[DOWN + i])
			facts_set_qdisc(facts, down_kinds[i],
					answer[DOWN + i] == THERE);
	if (answer[FW]) {
		facts->asked_fw = true;
		facts->has_fw = answer[FW] == THERE;
	}
}

static bool asks_anything(const struct question *question)
{
	for (size_t i = 0; i < MOST; i++)
		if (question->asked[i] && i != SORTER)
			return true;
	return false;
}

/* Who may not change the network cannot ask, and does not need to. */
static void ask_sorter(struct host *host, struct facts *facts)
{
	int fd;

	if (host_may_write(host, NULL) < 0)
		return;
	fd = sorter_load(facts->sorter_tag, NULL);
	facts_set_qdisc(facts, "ebpf", fd >= 0);
	if (fd >= 0)
		close(fd);
}

/* Loaded, or built in with a parameter, as htb is: then nothing has to be
 * tried. That a module is not there says nothing; it may be loaded when it is
 * asked for.
 */
static bool is_loaded(const char *module)
{
	char path[64];

	snprintf(path, sizeof(path), "/sys/module/%s", module);
	return access(path, F_OK) == 0;
}

static void skip_loaded(struct facts *facts, struct question *question)
{
	for (const struct leaf_kind *kind = leaf_kinds; kind->name; kind++)
		if (question->asked[place_of(kind)] &&
		    is_loaded(kind->module)) {
			question->asked[place_of(kind)] = false;
			facts_set_qdisc(facts, kind->name, true);
		}
	if (question->asked[HTB] && is_loaded("sch_htb")) {
		question->asked[HTB] = false;
		facts_set_qdisc(facts, "htb", true);
	}
}

int tc_probe(struct host *host, const struct tree *tree, struct facts *facts,
	     struct err *err)
{
	struct question question = { { false } };
	char answer[MOST] = { 0 };
	int rc;

	node_each (uplink, tree_classes(tree))
		ask_uplink(uplink, facts, &question);
	skip_loaded(facts, &question);
	if (question.asked[SORTER])
		ask_sorter(host, facts);
	if (!asks_anything(&question))
		return 0;
	rc = host_throw_away(ask, &question, answer, sizeof(answer), err);
	if (rc < 0)
		return err_prefix(err, "cannot find out which queues this "
				       "kernel has: ");
	if (rc > 0)
		return err_set(err, EIO,
			       "cannot find out which queues this kernel has: "
			       "no netlink in a new namespace");
	keep(answer, facts);
	return 0;
}
