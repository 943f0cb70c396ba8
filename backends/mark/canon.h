/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * canon.h - which attributes of nf_tables' objects matter (nfattr.h says why).
 *
 * What these append can be sent back to the kernel as it is, with the table's
 * name in front: a state that was read can be wanted again.
 */
#ifndef BACKENDS_MARK_CANON_H
#define BACKENDS_MARK_CANON_H

#include "backends/mark/nfattr.h"

/* Attributes of a table, chain or set, less the table's name. */
void canon_table(struct text *out, struct span in);
void canon_chain(struct text *out, struct span in);
void canon_set(struct text *out, struct span in);
/* Of a set without a name: what says how its elements are to be read. */
void canon_anonymous(struct text *out, struct span in);
/* What is in one NFTA_LIST_ELEM of a set, as such a one again. */
void canon_element(struct text *out, struct span in);
/* The same of a rule's expressions. A name that begins an anonymous set's turns
 * up in a lookup: renamed() then says which of the rule's sets it is, or -1 for
 * a set with a name. */
void canon_expression(struct text *out, struct span in,
		      int (*renamed)(const char *set, void *arg), void *arg);

/* What an anonymous set is called until the kernel gives it a number
 * (nf_tables_set_alloc_name() in net/netfilter/nf_tables_api.c). */
#define ANONYMOUS_SET "__set%d"

#endif
