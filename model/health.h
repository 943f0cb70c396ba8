/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * health.h - does what a change touches work, as far as it can be measured?
 *
 * Each driver gives verdicts (struct backend's health()): of which node, what
 * was measured, what came out, what would be right. A node and a word for what
 * is measured are a verdict's name: the same thing before a change and after it
 * has the same name, and another gateway is another thing.
 *
 *     before the commit   what is there already:   measured, and kept (basis)
 *     after it            what there is now:       measured, again and again
 *
 * What was well before has to be well after; what the change itself brings has
 * to be well too; what was ill before is listed and not waited for.
 */
#ifndef MODEL_HEALTH_H
#define MODEL_HEALTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/base/err.h"
#include "model/base/text.h"

struct facts;
struct node;
struct tree;

enum { VERDICT_COUNTS = 3 };

struct verdict {
	char *path;  /* owned: of the node */
	char *what;  /* owned: "gateway 192.0.2.1" */
	char *value; /* owned: "no answer in 1s" */
	char *limit; /* owned: what would be right: "an answer in 1s" */
	bool ok;
	/* Depends on others too (a client that may call or not): one that is
	 * new is not waited for. */
	bool guest;
	/* Counts for the next reading, and no verdict yet. */
	bool silent;
	/* Could be measured when the change was yet to come, so that it is
	 * missed if it cannot be any more. */
	bool expected;
	/* The driver's own, to compare with the verdict of that name in a past
	 * reading. */
	uint64_t counts[VERDICT_COUNTS];
};

struct reading {
	struct verdict *items; /* owned */
	size_t count, room;
	int64_t at_us; /* CLOCK_BOOTTIME of the reading */
};
#define READING_NONE                                                           \
	{                                                                      \
		NULL, 0, 0, 0                                                  \
	}
void reading_clear(struct reading *reading);
#define AUTO_READING __attribute__((cleanup(reading_clear))) struct reading

/* Another verdict, which is ill until somebody says otherwise. Takes what. */
struct verdict *reading_add(struct reading *reading, const struct node *node,
			    char *what);
/* Take value and limit. */
void verdict_say(struct verdict *verdict, bool ok, char *value, char *limit);
/* NULL: there is none. hint: where it is likely to be. */
const struct verdict *reading_find(const struct reading *reading, size_t hint,
				   const char *path, const char *what);

/* ---- what a change touches ---- */

/* Nodes of one tree: those that differ, what stands above them (a class's
 * uplink), what they stand on (its path), and what stands on them. */
struct touched {
	const struct node **items; /* owned; the nodes are the tree's */
	size_t count, room;
};
#define TOUCHED_NONE                                                           \
	{                                                                      \
		NULL, 0, 0                                                     \
	}
void touched_clear(struct touched *touched);
#define AUTO_TOUCHED __attribute__((cleanup(touched_clear))) struct touched
/* Nodes of tree, by what differs between from and to, one of which it is. */
void touched_find(const struct tree *from, const struct tree *to,
		  const struct tree *tree, struct touched *touched);
bool touched_has(const struct touched *touched, const struct node *node);

/* What a driver is asked. */
struct checkup {
	const struct tree *tree;
	const struct facts *facts;
	const struct touched *touched;
	const struct reading
		*past; /* an earlier reading; NULL: there is none */
	uint64_t loss; /* limit, hundredths of a percent */
	bool lists;    /* names alone: nothing is measured, nothing is sent */
};

/* ---- judging ---- */

/* What a trial has to know besides (struct trial): text, kept in the store. */
struct basis {
	int64_t hold_us;       /* well for so long */
	uint64_t loss;	       /* limit, hundredths of a percent */
	struct reading before; /* as it was; without counts */
};
void basis_clear(struct basis *basis);
void basis_print(const struct basis *basis, struct text *out);
/* EBADMSG: no Tresse wrote that. */
int basis_parse(const char *text, struct basis *basis, struct err *err);

/* Is all well that has to be? ill, if not NULL, gets what is not, with figures,
 * one behind the other, the rest of a long list as a number; names the same
 * without figures, for comparing; well what is. */
struct judgement {
	struct text ill, names, well;
	size_t ill_count, well_count;
	size_t left; /* that were ill before, and are not waited for */
};
void judgement_clear(struct judgement *judgement);
bool health_judge(const struct basis *basis, const struct reading *now,
		  struct judgement *judgement);

/* "/paths/adsl0 gateway 192.0.2.1: no answer in 1s" */
void verdict_print(const struct verdict *verdict, struct text *out);

/* CLOCK_BOOTTIME. */
int64_t health_clock_us(void);

#endif
