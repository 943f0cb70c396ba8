/* SPDX-License-Identifier: GPL-3.0-or-later */
/* table.h - the tables of kinds, shown: for help, and for set alone. */
#ifndef SHELL_TABLE_H
#define SHELL_TABLE_H

#include "model/kind.h"

struct output;
struct text;

/* "rate, at least 8bit" ... what may be written as a value of attr. */
void table_range(const struct attr *attr, struct text *out);
/* The settings that can be typed; with the present value where there is a node.
 * Nothing where there are none. */
void table_settings(struct output *output, const struct kind *kind,
		    const struct node *node);
/* A row of such a table. label: what present is, in JSON. */
void table_row(struct output *output, const struct attr *attr,
	       const char *label, const char *present);
/* Those that the running system tells. */
void table_readonly(struct output *output, const struct kind *kind);
/* Everything about one of them. */
void table_setting(struct output *output, const struct kind *kind,
		   const struct attr *attr);

#endif
