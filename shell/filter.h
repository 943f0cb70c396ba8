/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * filter.h - what stands behind a | of its own: grep, count and json.
 *
 *     ls / | grep 'b[0-9]' | count
 *
 * Filters work on the lines that a command would show to people; messages and
 * errors pass them by. json goes last: lines and counts as JSON or, alone, the
 * command's own JSON.
 */
#ifndef SHELL_FILTER_H
#define SHELL_FILTER_H

#include <stdbool.h>
#include <stddef.h>

#include "model/base/err.h"
#include "model/value.h"

struct session;
struct words;

/* Index of the first | ; words->count if there is none. */
size_t filter_find(const struct words *words);
/* Runs what stands in front of the first | through what stands behind. */
int filter_run(struct session *session, const struct words *words,
	       struct err *err);
/* Names of filters. */
void filter_offer(struct candidates *to);

#endif
