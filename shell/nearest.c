/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "shell/nearest.h"

#include <string.h>

#include "shell/command.h"

struct search {
	const char *name; /* that was typed */
	const char *near; /* best so far */
	unsigned limit;	  /* what beats it */
};

static struct search begin(const char *name)
{
	return (struct search){ name, NULL, strlen(name) < 4 ? 1 : 2 };
}

static void try(struct search *search, const char *candidate)
{
	unsigned distance;

	if (!search->limit)
		return;
	distance = name_distance(search->name, candidate, search->limit);
	if (distance > search->limit)
		return;
	search->near = candidate;
	search->limit = distance ? distance - 1 : 0;
}

const char *nearest_child(const struct node *parent, const char *name)
{
	struct search search = begin(name);

	node_each (child, parent)
		try(&search, node_name(child));
	return search.near;
}

const char *nearest_attr(const struct kind *kind, const char *name)
{
	struct search search = begin(name);

	for (size_t i = 0; i < kind->attr_count; i++)
		try(&search, kind->attrs[i].name);
	return search.near;
}

const char *nearest_command(const char *name)
{
	struct search search = begin(name);

	for (const struct command *const *at = commands; *at; at++)
		try(&search, (*at)->name);
	return search.near;
}

const char *article_of(const char *name)
{
	/* By letter: no kind is called unit or user. */
	return strchr("aeiou", *name) ? "an" : "a";
}
