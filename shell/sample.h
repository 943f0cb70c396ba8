/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * sample.h - all counters at one moment. Two of them make a rate.
 */
#ifndef SHELL_SAMPLE_H
#define SHELL_SAMPLE_H

#include <stdbool.h>
#include <stdint.h>

#include "model/base/err.h"
#include "model/base/mem.h"

struct live;
struct node;
struct session;
struct tree;

struct sample {
	struct live *live; /* owned */
	uint64_t at_us;
	/* What its nodes are of: with another tree it is worth nothing. */
	const struct tree *tree;
	uint64_t revision;
	struct err blind; /* a driver could not look: why, or no text */
};

/* Reads only. What a driver may not read is left out, and blind says so. */
struct sample *sample_take(struct session *session, struct err *err);
void sample_free(struct sample *sample);
AUTO_DEFINE(sample, struct sample *, sample_free)

bool sample_fits(const struct sample *sample, const struct session *session);
/* 0 where nothing is known. */
uint64_t sample_u(const struct sample *sample, const struct node *node,
		  size_t attr);
bool sample_knows(const struct sample *sample, const struct node *node,
		  size_t attr);

#endif
