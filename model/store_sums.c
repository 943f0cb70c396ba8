/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What classes have together, kept beside the rows that it follows from and
 * written with them: who reads one class of a node reads the sums in place of
 * the others (sums.h).
 *
 *     one rate, one prio    the sums of the nodes above it are shifted
 *     anything else         all are counted anew, and what differs is written
 *
 * A node without any was not counted yet (by an older program): then that
 * node's are not known, which is no damage.
 */
#include "model/store_private.h"

#include <stdbool.h>
#include <stdlib.h>

#include "model/shard.h"

/* ---- rows ---- */

struct line {
	uint64_t node;
	struct sum sum;
};

struct lines {
	struct line *items; /* owned, by node and shard */
	size_t count, room;
};

static void lines_clear(struct lines *lines)
{
	free(lines->items);
}

static struct line read_line(sqlite3_stmt *at)
{
	struct line line = { .node = (uint64_t)sqlite3_column_int64(at, 0) };

	line.sum.shard = (uint32_t)sqlite3_column_int64(at, 1);
	for (int n = 0; n < SUM_NUMBERS; n++)
		line.sum.of[n] = (uint64_t)sqlite3_column_int64(at, 2 + n);
	return line;
}

static int put_line(struct database *db, const struct line *line,
		    struct err *err)
{
	sqlite3_stmt *at;
	int rc = db_sql(db, SQL_SUM_PUT, &at, err);

	if (rc < 0)
		return rc;
	db_bind_int(at, 1, (int64_t)line->node);
	db_bind_int(at, 2, line->sum.shard);
	for (int n = 0; n < SUM_NUMBERS; n++)
		db_bind_int(at, 3 + n, (int64_t)line->sum.of[n]);
	return db_run(db, at, err);
}

static int delete_line(struct database *db, const struct line *line,
		       struct err *err)
{
	sqlite3_stmt *at;
	int rc = db_sql(db, SQL_SUM_DELETE, &at, err);

	if (rc < 0)
		return rc;
	db_bind_int(at, 1, (int64_t)line->node);
	db_bind_int(at, 2, line->sum.shard);
	return db_run(db, at, err);
}

static void add_line(struct lines *lines, const struct line *line)
{
	lines->items = mem_grow(lines->items, lines->count, &lines->room,
				sizeof(*lines->items));
	lines->items[lines->count++] = *line;
}

static int read_lines(struct database *db, struct lines *lines, struct err *err)
{
	sqlite3_stmt *at;
	int rc = db_sql(db, SQL_SUMS, &at, err);

	while (rc >= 0 && (rc = db_step(db, at, err)) > 0) {
		struct line line = read_line(at);

		add_line(lines, &line);
	}
	return rc;
}

int db_load_sums(struct database *db, uint64_t node, struct sums *sums,
		 struct err *err)
{
	sqlite3_stmt *at;
	int rc = db_sql(db, SQL_SUMS_OF, &at, err);

	if (rc < 0)
		return rc;
	db_bind_int(at, 1, (int64_t)node);
	while ((rc = db_step(db, at, err)) > 0) {
		struct line line = read_line(at);

		if (line.sum.shard > SHARD_LAST)
			return db_damaged(db, "a sum of no shard", err);
		*sums_at(sums, line.sum.shard) = line.sum;
	}
	return rc;
}

/* ---- all of them ---- */

static void count_node(const struct node *node, struct lines *lines)
{
	struct sums sums = SUMS_NONE;

	sums_of(node, &sums);
	for (size_t i = 0; i < sums.count; i++) {
		struct line line = { node_id(node), sums.items[i] };

		add_line(lines, &line);
	}
	sums_clear(&sums);
}

static int compare(const struct line *a, const struct line *b)
{
	if (a->node != b->node)
		return a->node < b->node ? -1 : 1;
	return (a->sum.shard > b->sum.shard) - (a->sum.shard < b->sum.shard);
}

static int by_place(const void *left, const void *right)
{
	return compare(left, right);
}

static void count_all(const struct tree *tree, struct lines *lines)
{
	const struct node *classes = tree_classes(tree);

	for (const struct node *at = classes; at; at = node_walk(classes, at))
		if (node_kind(at)->child == &kind_class)
			count_node(at, lines);
	if (lines->count)
		qsort(lines->items, lines->count, sizeof(*lines->items),
		      by_place);
}

static bool same_numbers(const struct line *a, const struct line *b)
{
	for (size_t n = 0; n < SUM_NUMBERS; n++)
		if (a->sum.of[n] != b->sum.of[n])
			return false;
	return true;
}

/* One finger on each list. */
static int write_lines(struct database *db, const struct lines *stored,
		       const struct lines *counted, struct err *err)
{
	size_t i = 0, j = 0;
	int rc = 0;

	while (rc == 0 && (i < stored->count || j < counted->count)) {
		const struct line *old = &stored->items[i];
		const struct line *new = &counted->items[j];
		int order = i == stored->count	  ? 1
			    : j == counted->count ? -1
						  : compare(old, new);

		if (order < 0)
			rc = delete_line(db, old, err);
		else if (order > 0 || !same_numbers(old, new))
			rc = put_line(db, new, err);
		i += order <= 0;
		j += order >= 0;
	}
	return rc;
}

static int write_anew(struct database *db, const struct tree *tree,
		      struct err *err)
{
	__attribute__((cleanup(lines_clear))) struct lines stored = { 0 };
	__attribute__((cleanup(lines_clear))) struct lines counted = { 0 };
	int rc;

	/* Who has read a part cannot count; the next one who has all does. */
	if (tree_is_part(tree))
		return db_run_sql(db, SQL_SUMS_DROP, err);
	rc = read_lines(db, &stored, err);
	count_all(tree, &counted);
	return rc < 0 ? rc : write_lines(db, &stored, &counted, err);
}

/* ---- one class ---- */

enum change { CHANGE_NONE, CHANGE_SHIFT, CHANGE_ANY };

/* The settings that sums.c asks for. */
static enum change change_of_class(const struct node *class)
{
	if (node_changed(class, CLASS_CLASSID) ||
	    node_changed(class, CLASS_MARK) ||
	    node_changed(class, CLASS_SHARDS))
		return CHANGE_ANY;
	if (node_changed(class, CLASS_RATE) || node_changed(class, CLASS_PRIO))
		return CHANGE_SHIFT;
	return CHANGE_NONE;
}

static enum change change_of(const struct node *node)
{
	const struct kind *kind = node_kind(node);

	if (kind != &kind_class && kind != &kind_uplink)
		return CHANGE_NONE;
	if (node_dirt(node) == DIRT_NEW)
		return CHANGE_ANY;
	if (kind == &kind_class)
		return change_of_class(node);
	return node_changed(node, UPLINK_SHARDS) ? CHANGE_ANY : CHANGE_NONE;
}

static enum change change_of_tree(const struct tree *tree)
{
	const struct node *at = tree_first_dirty(tree);
	enum change change = CHANGE_NONE;
	size_t deleted;

	tree_deleted(tree, &deleted);
	if (deleted)
		return CHANGE_ANY;
	for (; at; at = node_next_dirty(at))
		if (change_of(at) > change)
			change = change_of(at);
	return change;
}

/* 1: what is stored cannot be shifted so. */
static int shift_at(struct database *db, const struct node *above,
		    const struct node *class, struct err *err)
{
	struct sums sums = SUMS_NONE;
	int rc = db_load_sums(db, node_id(above), &sums, err);
	const struct sum *sum = rc < 0 ? NULL : sums_shift(&sums, above, class);

	if (sum) {
		struct line line = { node_id(above), *sum };

		rc = put_line(db, &line, err);
	} else if (rc == 0) {
		rc = 1;
	}
	sums_clear(&sums);
	return rc;
}

static int shift(struct database *db, const struct node *class, struct err *err)
{
	const struct node *above = class;
	int rc = 0;

	while (rc == 0 && node_kind(above) == &kind_class) {
		above = node_parent(above);
		rc = shift_at(db, above, class, err);
	}
	return rc;
}

int db_write_sums(struct database *db, const struct tree *tree, struct err *err)
{
	enum change change = change_of_tree(tree);
	const struct node *at = tree_first_dirty(tree);
	int rc = change == CHANGE_ANY;

	for (; at && rc == 0; at = node_next_dirty(at))
		if (change_of(at) == CHANGE_SHIFT)
			rc = shift(db, at, err);
	return rc > 0 ? write_anew(db, tree, err) : rc;
}
