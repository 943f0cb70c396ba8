/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * ledger.h - what the commands of one transaction did to the candidate, and on
 * which line: told once it is applied, and needed to name the line of a
 * finding.
 */
#ifndef SHELL_LEDGER_H
#define SHELL_LEDGER_H

#include <stddef.h>

#include "model/base/text.h"

struct node;

enum deed {
	DEED_CREATED,
	DEED_CHANGED,
	DEED_DELETED,
	DEED_KEPT, /* was there already, as wanted */
	DEEDS
};
/* "created" */
const char *deed_name(enum deed deed);

struct ledger_entry {
	enum deed deed;
	const char *kind; /* its name */
	char *path;	  /* owned */
	char *text;	  /* owned: the sentence for people */
	unsigned line;	  /* 0: none */
};

struct ledger {
	struct ledger_entry *items; /* owned */
	size_t count, room;
	/* Owned: by path and place, once a line was asked for. */
	const struct ledger_entry **sorted;
	size_t totals[DEEDS]; /* objects */
};

#define LEDGER_NONE                                                            \
	{                                                                      \
		NULL, 0, 0, NULL,                                              \
		{                                                              \
			0                                                      \
		}                                                              \
	}

/* Takes text. line 0: there are no lines. */
void ledger_add(struct ledger *ledger, enum deed deed, const struct node *node,
		unsigned line, char *text);
/* Line that last touched path or, if none did, what is above it; 0: none. */
unsigned ledger_line(struct ledger *ledger, const char *path);
void ledger_clear(struct ledger *ledger);

#endif
