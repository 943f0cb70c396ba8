/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * match.h - the conditions of one match (kind_match) as expressions.
 *
 * One definition serves both families. Where a condition looks into the IP
 * header there is a rule for each family it can hold in.
 */
#ifndef BACKENDS_MARK_MATCH_H
#define BACKENDS_MARK_MATCH_H

#include <stdbool.h>

#include "backends/mark/expr.h"
#include "model/node.h"
#include "model/report.h"

/* Can this match be had? What speaks against it is reported as an error. */
bool match_check(const struct node *match, struct report *report);

/* AF_INET, AF_INET6, or AF_UNSPEC for one rule that serves both. Returns how
 * many, 0 if no packet can ever match. */
size_t match_families(const struct node *match, int families[2]);

/* What may stand in a packet for the name that the match asks for: in HTTP with
 * or without a port, in TLS. Each is a rule. */
#define MATCH_PATTERNS 3
void match_pattern(const struct node *match, unsigned which,
		   struct draft *draft);

/* For a match that was found good; all but its host's name. */
void match_conditions(const struct node *match, int family,
		      struct draft *draft);

#endif
