/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * batch.h - many lines, one transaction.
 *
 * All of a batch is read and cut into words before the first line runs, so a
 * quote left open in line 900 changes nothing; and all of it is applied, or
 * none, unless somebody wants it line by line.
 */
#ifndef SHELL_BATCH_H
#define SHELL_BATCH_H

#include <stdbool.h>
#include <stddef.h>

#include "model/base/err.h"

struct output;
struct session;
struct text;
struct tree;

struct batch;

#define BATCH_LIMIT (64u << 20) /* bytes */

/* name is what messages call it ("stdin"). Every line that cannot be read is
 * told; NULL and err if there was one. */
struct batch *batch_cut(const struct text *all, const char *name,
			struct output *output, struct err *err);
void batch_free(struct batch *batch);
/* The same for a file. */
struct batch *batch_read_file(const char *file, struct output *output,
			      struct err *err);
/* All that fd has, to its end, and all of a file. */
int batch_slurp(int fd, const char *name, struct text *all, struct err *err);
int batch_slurp_file(const char *file, struct text *all, struct err *err);
/* A session of its own that builds tree, which it takes. */
void batch_builder(struct session *builder, const struct session *like,
		   struct tree *tree);

/* Runs the lines up to the first that fails; the session then stands at that
 * line, for the caller to tell. Does not commit. */
int batch_run(struct session *session, struct batch *batch, struct err *err);
/* The same, and one transaction behind it. What went wrong is told. */
int batch_do(struct session *session, struct batch *batch);
/* The transaction behind what was gathered. */
int batch_end(struct session *session, struct err *err);
/* Every line a transaction of its own, up to the first that fails; past_errors:
 * to the end, and an error with their number. What went wrong is told. */
int batch_do_each(struct session *session, struct batch *batch,
		  bool past_errors);

#endif
