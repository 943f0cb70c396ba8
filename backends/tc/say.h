/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * say.h - what somebody else made, in the words that make it again with tc.
 *
 * Each takes what the kernel tells (TCA_OPTIONS and what is beside it) and
 * appends words: "prio bands 3 priomap 1 2 ...". What the kernel rounds is said
 * so that it comes to the same again; what tc rounds (bursts in microseconds)
 * is looked for until it does. Words are those of tc 6.1.
 *
 * 0, or EOPNOTSUPP and why it cannot be said: half a command is no command, and
 * what was appended then is to be cut off.
 */
#ifndef BACKENDS_TC_SAY_H
#define BACKENDS_TC_SAY_H

#include <stdbool.h>
#include <stdint.h>

#include "model/base/err.h"
#include "model/base/text.h"

struct facts;
struct nlattr;
struct heed;

struct say {
	struct text *out;
	const struct facts *facts; /* names of links */
	struct err *err;	   /* why not */
	const char **doubt; /* what stays open though it can be said; or NULL */
};

/* "1:10", or "1:" where the minor is 0. */
void say_id(uint32_t id, struct text *out);

/* Kind and options of a qdisc. */
int say_qdisc(const struct say *say, const char *kind,
	      const struct nlattr *options);
/* Is a class of such a qdisc made by hand? Others come with it. */
bool say_makes_classes(const char *kind);
int say_class(const struct say *say, const char *kind,
	      const struct nlattr *options);

struct said_filter {
	const char *kind;
	uint32_t handle;
	uint32_t root;	   /* of u32: the hash table that comes with its pref */
	uint16_t protocol; /* in host order */
};
/* Handle, kind and options of a filter. */
int say_filter(const struct say *say, const struct said_filter *filter,
	       const struct nlattr *options);
/* Hash tables of u32 are told of as if they were filters. */
bool say_is_table(const char *kind, uint32_t handle);

/* ---- parts of a filter, each with a blank in front ---- */

int say_flower(const struct say *say, struct heed *heed, uint16_t protocol);
/* "action A action B", from TCA_..._ACT. */
int say_actions(const struct say *say, const struct nlattr *list);
/* "police ...", as filters had it before actions. */
int say_police(const struct say *say, const struct nlattr *options);
/* "match '...'", from TCA_BASIC_EMATCHES. */
int say_ematch(const struct say *say, const struct nlattr *tree);
/* "bytecode '...'"; ops: struct sock_filter[]. */
void say_bytecode(const void *ops, size_t size, struct text *out);
/* Does tc, before 6.7, make these ticks of so many bytes? */
bool say_is_burst(uint64_t rate, uint64_t bytes, uint32_t ticks);
/* A burst of tc: bytes that come to these ticks at a rate in byte/s. */
int say_burst(const struct say *say, uint64_t rate, uint32_t ticks,
	      uint64_t *bytes);
/* " WORD NAME", by the link's number. */
int say_device(const struct say *say, const char *word, int index);

#endif
