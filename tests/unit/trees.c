/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/unit/trees.h"

#include <stdio.h>

#include "model/diff.h"
#include "tests/unit/unit.h"

static void must(bool done, const struct err *err)
{
	if (!done)
		fprintf(stderr, "%s\n", err->text ? err->text : "refused");
	CU_ASSERT_TRUE_FATAL(done);
}

struct node *make(struct node *parent, const char *name)
{
	AUTO_ERR err = ERR_NONE;
	struct node *node = node_create(parent, name, &err);

	must(node != NULL, &err);
	return node;
}

void set(struct node *node, const char *attr, const char *text)
{
	AUTO_ERR err = ERR_NONE;

	must(node_set_text(node, attr, text, &err) == 0, &err);
}

struct node *make_with(struct node *parent, const char *name, const char *attr,
		       const char *text)
{
	struct node *node = make(parent, name);

	if (text)
		set(node, attr, text);
	return node;
}

struct node *make_rated(struct node *parent, const char *name, const char *rate)
{
	return make_with(parent, name, "rate", rate);
}

static int stop(const struct change *change, void *arg)
{
	(void)change, (void)arg;
	return 1;
}

bool tree_same(const struct tree *from, const struct tree *to)
{
	return tree_diff(from, to, stop, NULL) == 0;
}
